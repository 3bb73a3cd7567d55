"""Editing a list on the map: what a click does, what it changed, and the way back."""

import streamlit as st

from geo.stations import HEADINGS
from planner.report.summary import thousands
from planner.ui.draft import change
from planner.ui.emergency_check import counts_of, gain_said
from planner.ui.emergency_look import (
    begin,
    history_now,
    inside_known,
    keep_history,
    look_at,
    wish_for,
    wishes_of,
)
from planner.ui.emergency_stations import (
    CANDIDATE_KM,
    Refused,
    State,
    added,
    as_csv,
    begun,
    gain,
    in_language,
    moved,
    nearest_site,
    removed,
    unwished,
    wish,
    wished_ids,
    with_site,
)
from planner.ui.files import kept
from planner.ui.sheets import text

MODES = ("look", "add", "move", "remove", "force", "forbid")
MODE, SAID = "em-mode", "em-said"
WISH = {"force": "forced", "forbid": "forbidden"}


def toolbar(words):
    """Draw what a click on the map does, and what was refused or done last."""
    st.session_state[MODE] = st.session_state.get(MODE) or MODES[0]
    with st.container(key="em-toolbar", horizontal=True, vertical_alignment="center"):
        st.radio(
            words("page_emergency.mode"),
            MODES,
            format_func=lambda mode: words(f"page_emergency.mode_{mode}"),
            key=MODE,
            horizontal=True,
            label_visibility="collapsed",
        )
        refused = st.session_state.pop(SAID, None)
        hint = words(f"page_emergency.hint_{st.session_state[MODE]}", km=CANDIDATE_KM)
        if refused is not None:
            key, params = refused
            said = words(f"page_emergency.refused.{key}", **params)
            st.html(f'<p class="em-hint em-refused" role="status">▲ {text(said)}</p>')
        else:
            st.html(f'<p class="em-hint">{text(hint)}</p>')


def mode_now():
    return st.session_state.get(MODE) or ""


def plate_mode():
    return mode_now() or MODES[0]


# -- what a click does -------------------------------------------------------------------------------------------------


def follow_event(frame, prepared, listing, event):
    """Do what a click on the map asks for; return whether the page is to be drawn again."""
    try:
        return _do(frame, prepared, listing, event)
    except Refused as refused:
        st.session_state[SAID] = refused.key, refused.params
        return True


def _do(frame, prepared, listing, event):
    mode, kind = mode_now(), event.get("kind")
    stations, region, words = listing.stations, prepared.region, frame.words
    if mode == "add" and kind in ("point", "station"):
        made, id = added(stations, region, event["lon"], event["lat"], words)
        _then(frame, listing, made, wishes_of(frame), "add", made.at[id, "name"])
    elif mode == "move" and kind == "move":
        name = _name(frame, stations, event["id"])
        made = moved(stations, region, event["id"], event["lon"], event["lat"])
        _then(frame, listing, made, wishes_of(frame), "move", name)
    elif mode == "remove" and kind == "station":
        name = _name(frame, stations, event["id"])
        _then(frame, listing, removed(stations, event["id"]), _without(frame, prepared, event["id"]), "remove", name)
    elif mode in ("remove", "forbid") and kind == "barred":
        unwish(frame, prepared, listing, event["id"])
    elif mode in WISH and kind in ("point", "station"):
        _wish(frame, prepared, listing, event, mode)
    else:
        return False
    return True


def _wish(frame, prepared, listing, event, mode):
    sites = prepared.station_sites(frame.scenario)
    site = sites.loc[event["id"]] if event.get("id") in sites.index else nearest_site(sites, event["lon"], event["lat"])
    wishes = wish(sites, frame.scenario, site, WISH[mode])
    stations = listing.stations
    if mode == "force":
        stations = with_site(stations, site)
    elif site.name in stations.index:
        stations = removed(stations, site.name)
    _then(frame, listing, stations, wishes, mode, site["name"] if frame.words.lang == "zh" else site["name_en"])


def _then(frame, listing, stations, wishes, deed, name):
    """Go on from the list that is looked at; looking at another than the edited one, a new edited list begins."""
    history = history_now() if listing.kind == "edit" else begun(listing, wishes_of(frame))
    keep_history(history.then(State(stations, wishes, (deed, (name,)))))
    if wishes != wishes_of(frame):
        wish_for(wishes)
    if listing.kind != "edit":
        look_at("edit")


def _name(frame, stations, id):
    if id not in stations.index:
        raise Refused("unknown_station")
    return in_language(stations.loc[[id]], frame.words.lang)["name"].iloc[0]


def _without(frame, prepared, id):
    """Return the wishes without that for a station that is taken away."""
    forced, _ = wished_ids(prepared.station_sites(frame.scenario), frame.scenario)
    return unwished(frame.scenario, forced[id]) if id in forced else wishes_of(frame)


def unwish(frame, prepared, listing, told):
    """Take a wish back; ``told`` is a site's id, or what the setting calls it."""
    sites = prepared.station_sites(frame.scenario)
    known = {id: name for part in wished_ids(sites, frame.scenario) for id, name in part.items()}
    wish_for(unwished(frame.scenario, known.get(told, told)))


# -- what it changed ---------------------------------------------------------------------------------------------------


def said_of_edit(frame, prepared, coverage):
    """Draw what the last edit did, and all edits together; return the counts of the list that they began with."""
    history, words, points = history_now(), frame.words, coverage.points
    start, now = inside_known(frame, prepared, history.start.stations), points["covered"].to_numpy()
    lines = []
    if history.undoable:
        deed, names = history.now.deed
        did = words(f"page_emergency.deed.{deed}", name=names[0] if names else "")
        before = inside_known(frame, prepared, history.before.stations)
        if before is not None:
            lines.append(
                words("page_emergency.did", deed=did, gain=gain_said(gain(points, before["covered"], now), words))
            )
        if start is not None:
            said = {"count": history.at, "start": _start_label(history, words)}
            change = gain_said(gain(points, start["covered"], now), words)
            lines.append(words("page_emergency.since_start", gain=change, **said))
    else:
        said = {"start": _start_label(history, words), "count": thousands(len(history.now.stations))}
        lines.append(words("page_emergency.untouched", **said))
    body = "".join(f"<p>{text(line)}</p>" for line in lines)
    st.html(f'<div class="em-did" role="status">{body}</div>')
    return counts_of(points, start) if start is not None and history.undoable else None


def _start_label(history, words):
    return words(f"page_emergency.start_{history.kind}", file=history.label)


def tools(frame, prepared, listing):
    """Draw what can be done with the list: back and forth, take it along, use it; and the sites that were wished."""
    words = frame.words
    if listing.kind != "edit":
        st.button(
            words("page_emergency.edit_this"),
            key="em-edit-this",
            on_click=begin,
            args=(listing, wishes_of(frame)),
            width="stretch",
        )
    else:
        _steps(frame, listing)
    if not listing.stations.empty:
        with st.expander(words("page_emergency.by_typing")):
            _typing(frame, prepared, listing)
    _wished(frame, prepared, listing)


def _steps(frame, listing):
    words, history = frame.words, history_now()
    with st.container(horizontal=True, key="em-steps", gap="small"):
        for word, can in (("undo", history.undoable), ("redo", history.redoable), ("reset", history.undoable)):
            st.button(
                words(f"page_emergency.{word}"),
                key=f"em-{word}",
                disabled=not can,
                on_click=step,
                args=(word, wishes_of(frame)),
            )
    stations = in_language(listing.stations, frame.words.lang)
    with st.container(horizontal=True, key="em-take", gap="small"):
        st.download_button(
            words("page_emergency.take"),
            as_csv(stations),
            words("page_emergency.file_name"),
            "text/csv",
            key="em-take-csv",
            on_click="ignore",
        )
        st.button(
            words("page_emergency.use"),
            key="em-use",
            on_click=use,
            args=(frame, listing),
            help=words("page_emergency.use_help"),
        )


def step(word, wishes):
    """Undo, redo or reset; wishes that the steps brought go and come with them. A callback."""
    history = history_now()
    to = {"undo": history.undone, "redo": history.redone}.get(word)
    then = to() if to else begun_again(history)
    if then.now.wishes != history.now.wishes:
        wish_for(then.now.wishes)
    keep_history(then)


def begun_again(history):
    """Return the history at its beginning; the steps can be redone."""
    while history.undoable:
        history = history.undone()
    return history


def use(frame, listing):
    """Make the list the stations there are today in this scenario. A callback."""
    name = frame.words("page_emergency.file_name")
    path = kept(frame.desk, name, as_csv(in_language(listing.stations, "zh"), safe=False))
    change("existing_stations", str(path))
    look_at("now")


def _typing(frame, prepared, listing):
    """Draw the ways to edit for those who cannot click: a station by its degrees, one taken away by its name."""
    words = frame.words
    with st.form("em-type", border=False, clear_on_submit=True):
        name = st.text_input(words("page_emergency.type_name"), max_chars=80, placeholder="", key="em-type-name")
        left, right = st.columns(2, gap="small")
        lon = left.number_input(
            heading_of(words, "lon"), value=None, format="%.6f", step=0.01, key="em-type-lon", placeholder=""
        )
        lat = right.number_input(
            heading_of(words, "lat"), value=None, format="%.6f", step=0.01, key="em-type-lat", placeholder=""
        )
        pressed = st.form_submit_button(words("page_emergency.type_add"))
    if pressed:
        try:
            if lon is None or lat is None:
                raise Refused("no_point")
            made, id = added(listing.stations, prepared.region, lon, lat, words, name)
            _then(frame, listing, made, wishes_of(frame), "add", made.at[id, "name"])
        except Refused as refused:
            st.session_state[SAID] = refused.key, refused.params
        st.rerun()
    shown = in_language(listing.stations, words.lang)
    names = dict(zip(shown.index, shown["name"], strict=True))
    key = f"em-drop-{len(names)}-{history_now().at if history_now() else 0}"
    chosen = st.selectbox(
        words("page_emergency.drop"),
        list(names),
        index=None,
        format_func=names.get,
        key=key,
        placeholder=words("page_emergency.drop_which"),
    )
    if chosen is not None and follow_typed_drop(frame, prepared, listing, chosen):
        st.rerun()


def heading_of(words, column):
    """Return the heading of a column of degrees."""
    return HEADINGS[column] if words.lang == "zh" else words(f"page_emergency.head_{column}")


def follow_typed_drop(frame, prepared, listing, id):
    """Take a station away that was chosen by its name."""
    try:
        made = removed(listing.stations, id)
        name = _name(frame, listing.stations, id)
        _then(frame, listing, made, _without(frame, prepared, id), "remove", name)
    except Refused as refused:
        st.session_state[SAID] = refused.key, refused.params
    return True


def _wished(frame, prepared, listing):
    """Draw the sites that must, and must not, be used, each with its way out."""
    words = frame.words
    sites = prepared.station_sites(frame.scenario)
    forced, forbidden = wished_ids(sites, frame.scenario)
    column = "name" if words.lang == "zh" else "name_en"
    for word, wished in (("forced", forced), ("forbidden", forbidden)):
        if not wished:
            continue
        head = words(f"page_emergency.wished_{word}", count=len(wished))
        st.html(f'<h4 class="em-wished">{text(head)}</h4>')
        with st.container(key=f"em-wished-{word}"):
            for id, name in wished.items():
                with st.container(horizontal=True, vertical_alignment="center", key=f"em-wish-{word}-{id}"):
                    st.html(f"<p>{text(sites.at[id, column])}</p>")
                    st.button(
                        words("page_emergency.unwish"),
                        key=f"em-unwish-{word}-{id}",
                        type="tertiary",
                        on_click=unwish,
                        args=(frame, prepared, listing, name),
                    )
