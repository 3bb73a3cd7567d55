"""What is said of the regional centres: sentences, and how many people live how far from theirs."""

from geo.theme import CENTRE_KM, class_labels, class_of, figure
from planner.report.summary import share, thousands
from planner.ui.sheets import price_text, text

BARS = {"documents": "", "free": "free"}  # the class of a bar by whose choice it shows


def centre_sentences(tables, plan, words):
    """Return the sentences a planner can copy: which centres, how far they are, what the documents' choice costs."""
    centres, near, free = (tables[name] for name in ("centres", "catchments", "centres_free"))
    comma = words("report.list_comma")
    named = {
        level: comma.join(centres.loc[centres["level"].eq(level), "name"]) or words("report.none")
        for level in ("national", "provincial")
    }
    farthest = near.loc[near["km"].idxmax()]
    beyond = near[near["km"] >= CENTRE_KM[-1]]
    lines = [
        words("page_centres.say_which", count=len(centres), **named),
        words(
            "page_centres.say_ways",
            mean=figure(mean_km(near), 1),
            county=farthest["county"],
            most=figure(farthest["km"], 1),
        ),
    ]
    if len(beyond):
        lines.append(
            words(
                "page_centres.say_beyond",
                km=f"{CENTRE_KM[-1]:g}",
                counties=len(beyond),
                persons=thousands(beyond["persons"].sum()),
                share=share(beyond["persons"].sum(), near["persons"].sum()),
            )
        )
    lines.append(price_text(tables, plan, words))
    if plan.proofs["centres_free"].status == "optimal":
        lines.append(words("page_centres.say_free", names=comma.join(free["name"])))
    return lines


def mean_km(catchments):
    """Return the mean way of a person in km; NaN where nobody lives."""
    persons = catchments["persons"].sum()
    return float((catchments["km"] * catchments["persons"]).sum() / persons) if persons else float("nan")


def bands(tables):
    """Return {choice: persons by class of ``geo.theme.CENTRE_KM``} of the documents' and of the free choice."""
    counted = {}
    for choice, name in (("documents", "catchments"), ("free", "catchments_free")):
        counted[choice] = [0] * (len(CENTRE_KM) + 1)
        for km, persons in zip(tables[name]["km"], tables[name]["persons"], strict=True):
            counted[choice][class_of(km, CENTRE_KM, 1)] += int(persons)
    return counted


def bands_html(tables, words):
    """Return how many people live how far from their centre, as bars with their figures."""
    counted = bands(tables)
    most = max(max(row) for row in counted.values()) or 1
    keys = "".join(
        f'<span><i class="{css}"></i>{text(words(f"page_centres.choice_{choice}"))}</span>'
        for choice, css in BARS.items()
    )
    body = ""
    for i, label in enumerate(class_labels(CENTRE_KM, 1)):
        body += f'<div class="band"><b>{text(label)}</b>'
        for choice, css in BARS.items():
            persons, everybody = counted[choice][i], sum(counted[choice])
            said = f"{thousands(persons)} · {share(persons, everybody)}" if everybody else "—"
            wide = 100 * persons / most
            body += f'<div class="bar"><i class="{css}" style="width:{wide:.1f}%"></i><em>{said}</em></div>'
        body += "</div>"
    heading, unit = (text(words(f"page_centres.bands{part}")) for part in ("", "_unit"))
    return f'<div class="jy-bands"><h4>{heading}<small>{unit}</small></h4><p class="keys">{keys}</p>{body}</div>'
