"""A dot plot of every county's beds per 1,000 against the target of its city."""

from geo import theme
from planner.ui.sheets import text

WIDTH, ROW, LEFT, RIGHT, TOP = 1000, 34, 92, 24, 26


def dots_html(tables, words):
    """Return the plot as SVG: a line a city, ring = today, dot = plan, upright stroke = target of the city."""
    cities, counties = tables["beds_by_city"], tables["beds_by_county"]
    most = max(
        counties["plan_per_1000"].astype(float).max(),
        counties["now_per_1000"].astype(float).max(),
        cities["target_per_1000"].astype(float).max(),
    )
    step = 2 if most > 10 else 1
    top = (int(most / step) + 1) * step
    height = TOP + ROW * len(cities) + 18

    def at(value):
        return round(LEFT + (WIDTH - LEFT - RIGHT) * float(value) / top, 1)

    parts = []
    for tick in range(0, top + 1, step):
        parts.append(
            f'<line x1="{at(tick)}" x2="{at(tick)}" y1="{TOP - 8}" y2="{height - 18}" stroke="{theme.LINE_COUNTY}"/>'
            f'<text x="{at(tick)}" y="{TOP - 12}" class="tick">{tick}</text>'
        )
    for n, city in enumerate(cities.to_dict("records")):
        y = TOP + ROW * n + ROW / 2
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4}" class="name">{text(city["name"])}</text>')
        target = at(city["target_per_1000"])
        parts.append(f'<line x1="{target}" x2="{target}" y1="{y - 12}" y2="{y + 12}" class="target"/>')
        for county in counties[counties["city_code"].eq(city["code"])].to_dict("records"):
            now, plan = (round(float(county[f"{when}_per_1000"]), 2) for when in ("now", "plan"))
            said = words("page_beds.dot", name=county["name"], now=f"{now:.2f}", plan=f"{plan:.2f}")
            short = plan < round(float(city["target_per_1000"]), 2)
            parts.append(
                f'<g><title>{text(said)}</title><circle cx="{at(now)}" cy="{y + 6}" r="4" class="now"/>'
                f'<circle cx="{at(plan)}" cy="{y - 5}" r="4.5" class="plan{" short" if short else ""}"/></g>'
            )
    return f'<svg class="jy-dots" viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'
