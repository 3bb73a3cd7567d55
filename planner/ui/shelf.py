"""The scenario block of the side bar: which scenario is tried out, and keeping, naming, sharing and deleting them."""

from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from geo.faults import Rejected
from planner.parcel import check, file_stem, materialise, pack, title_of, unpack
from planner.scenario import load_scenario
from planner.store import LONGEST_TITLE, Entry, Saved, StoreTrouble, open_store
from planner.ui.draft import Base, of_now, shipped, start_from
from planner.ui.settings import FIRST, scenario_parcel
from planner.ui.sheets import text
from planner.ui.uploads import uploader

SHIPPED, KEPT = "shipped", "kept"
LARGEST_MB = 20  # of a file that is brought; what fits is the parcel's to say
REASONS = 8
PATIENCE = 3.0  # seconds that a page waits for another's save


@st.cache_resource(show_spinner=False)
def the_store():
    """Return the one store of this server. Raises :class:`planner.store.StoreTrouble`."""
    return open_store(patience=PATIENCE)


def shelf(draft, folder, words):
    """Draw the block. ``folder`` is where scenarios of the store are laid out to be read."""
    try:
        entries = the_store().entries()
        trouble = None
    except StoreTrouble as error:
        entries, trouble = (), error.tell(words)
    _choose(draft, entries, folder, words)
    standing = words("shelf.trouble") if trouble else _standing(draft, entries, words)
    st.html(f'<p class="jy-kept">{text(standing)}</p>')
    _told()
    with st.container(key="shelf"), st.popover(words("shelf.open"), width="stretch"):
        if trouble:
            st.html(f'<p class="jy-fault">{text(trouble)}</p>')
        _save(draft, folder, words, trouble is not None)
        if not trouble:
            _manage(draft, folder, words)
        _hand_on(draft, folder, words)


def _choose(draft, entries, folder, words):
    scenarios = shipped()
    titles = {(KEPT, entry.id): words("shelf.mine", title=entry.title) for entry in entries}
    titles |= {(SHIPPED, name): scenario.title for name, scenario in scenarios.items()}
    base = draft.base
    mine = (KEPT, base.id) if base.id else (SHIPPED, base.scenario.name)
    titles.setdefault(mine, base.scenario.title)  # deleted meanwhile, or not kept: it is still tried out here
    options = list(titles)
    key = f"scenario-{words.lang}-{hash((mine, tuple(options)))}"

    @of_now
    def put():
        kind, which = st.session_state[key]
        if kind == SHIPPED:
            start_from(Base(scenarios[which]))
        else:
            _open(which, None, folder, words)

    st.selectbox(
        words("ui.scenario"),
        options,
        index=options.index(mine),
        format_func=titles.get,
        key=key,
        on_change=put,
        filter_mode=None,
    )


def _standing(draft, entries, words):
    """Return which version of what is tried out."""
    base = draft.base
    if not base.id:
        return words("shelf.shipped" if base.scenario in shipped().values() else "shelf.not_kept")
    head = next((entry for entry in entries if entry.id == base.id), None)
    if head is None:
        return words("shelf.gone", revision=base.revision)
    if head.revision != base.revision:
        by = head.author or words("store.nobody")
        return words(
            "shelf.behind", revision=base.revision, head=head.revision, author=by, moment=_moment(head.saved_at)
        )
    return words("shelf.version", revision=base.revision, moment=_moment(head.saved_at))


def _moment(moment):
    return f"{moment.astimezone():%m-%d %H:%M}"


# -- what a planner is told of the last thing that was done here -------------------------------------------------------


def _tell(said, *, bad=False):
    st.session_state["shelf-said"] = (said, bad)


def _told():
    said, bad = st.session_state.get("shelf-said", ("", False))
    if said:
        st.html(f'<p class="{"jy-fault" if bad else "jy-kept told"}">{text(said)}</p>')


def _tried(words, do):
    """Do something with the store; what goes wrong is told in words."""
    st.session_state.pop("shelf-said", None)
    try:
        return do()
    except StoreTrouble as trouble:
        _tell(trouble.tell(words), bad=True)
    except Rejected as rejected:
        told = [fault.tell(words) for fault in rejected.faults[:REASONS]]
        if len(rejected.faults) > REASONS:
            told.append(words("ui.more_reasons", count=len(rejected.faults) - REASONS))
        _tell(" ".join(told), bad=True)
    except OSError:
        _tell(words("shelf.no_room"), bad=True)
    return None


# -- opening and keeping -----------------------------------------------------------------------------------------------


def _open(id, revision, folder, words):
    def do():
        saved = the_store().read(id, revision)
        start_from(Base(laid_out(saved, folder), id, saved.entry.revision))
        return True

    return _tried(words, do)


def laid_out(saved, folder):
    """Return the :class:`planner.scenario.Scenario` of a kept one, its files written below ``folder``."""
    return load_scenario(materialise(saved, folder / "scenarios"))


def _save(draft, folder, words, blocked):
    base = draft.base
    key = f"title-{base.id}-{base.revision}-{hash(_default_title(draft))}"
    st.text_input(words("shelf.title"), value=_default_title(draft), max_chars=LONGEST_TITLE, key=key)
    st.text_input(words("shelf.author"), value=st.session_state.get("author", ""), max_chars=40, key="author-typed")

    def keep(anew):
        def do():
            title = st.session_state[key].strip() or _default_title(draft)
            author = st.session_state["author"] = st.session_state["author-typed"].strip()
            content, files = scenario_parcel(draft.scenario, root())
            id = None if anew else base.id
            outcome = the_store().save(content, files, title, id=id, base=base.revision if id else None, author=author)
            if _open(outcome.entry.id, outcome.entry.revision, folder, words):
                _tell(outcome.tell(words) or words("shelf.saved", title=title, revision=outcome.entry.revision))

        _tried(words, do)

    with st.container(horizontal=True):
        unfit = draft.scenario is None or blocked
        if base.id:
            st.button(
                words("shelf.save"),
                key="shelf-save",
                type="primary",
                disabled=unfit or not draft.changed,
                on_click=keep,
                args=(False,),
            )
        st.button(
            words("shelf.save_new"),
            key="shelf-save-new",
            type="secondary" if base.id else "primary",
            disabled=unfit,
            on_click=keep,
            args=(True,),
        )
    if draft.scenario is None:
        st.html(f'<p class="jy-kept">{words("shelf.unfit")}</p>')


def root():
    """Return the scenario that kept ones extend: the first that is shipped."""
    return shipped().get(FIRST) or next(iter(shipped().values()))


def _default_title(draft):
    scenario = draft.scenario if draft.scenario is not None and not draft.base.id else draft.base.scenario
    return scenario.title[:LONGEST_TITLE]


def _manage(draft, folder, words):
    """Draw what can be done with a scenario of the store, and the deleted ones that can be brought back."""
    store, base = the_store(), draft.base
    if base.id:
        _own(store, base, folder, words)
    deleted = store.entries(deleted=True)
    if deleted:
        st.html(f'<h4 class="jy-group">{words("shelf.deleted")}</h4>')
    for entry in deleted[:REASONS]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(f'<p class="jy-kept">{text(entry.title)}<br>{_moment(entry.deleted_at)}</p>')
            st.button(
                words("shelf.restore"),
                key=f"restore-{entry.id}",
                on_click=_restore,
                args=(entry.id, folder, words),
                type="tertiary",
            )


def _own(store, base, folder, words):
    try:
        history = store.history(base.id)
    except Rejected:  # removed for good meanwhile
        return
    st.html(f'<h4 class="jy-group">{words("shelf.manage")}</h4>')
    if len(history) > 1:
        revisions = {entry.revision: entry for entry in history}
        key = f"revision-{base.id}-{base.revision}-{len(history)}-{words.lang}"

        def said(number):
            entry = revisions[number]
            by = f" · {entry.author}" if entry.author else ""
            return words("shelf.revision", revision=number, moment=_moment(entry.saved_at)) + by

        st.selectbox(
            words("shelf.versions"),
            list(revisions),
            index=list(revisions).index(base.revision),
            format_func=said,
            key=key,
            on_change=of_now(lambda: _open(base.id, st.session_state[key], folder, words)),
            filter_mode=None,
        )

    @of_now
    def rename():
        title = st.session_state[f"rename-{base.id}-{base.revision}"].strip()
        if not title or title == base.scenario.title:
            return

        def do():
            outcome = store.rename(base.id, title, base.revision)
            if outcome.conflict is None and outcome.entry.revision == base.revision + 1:
                _open(base.id, outcome.entry.revision, folder, words)
            _tell(outcome.tell(words) or words("shelf.renamed", title=title))

        _tried(words, do)

    st.text_input(
        words("shelf.rename"),
        value=base.scenario.title,
        max_chars=LONGEST_TITLE,
        key=f"rename-{base.id}-{base.revision}",
        on_change=rename,
    )
    with st.container(horizontal=True):
        st.button(words("shelf.duplicate"), key="shelf-duplicate", on_click=_duplicate, args=(base, folder, words))
        st.button(words("shelf.delete"), key="shelf-delete", on_click=_delete, args=(base, words))


def _duplicate(base, folder, words):
    def do():
        title = words("shelf.copy_of", title=base.scenario.title)[:LONGEST_TITLE]
        entry = the_store().duplicate(base.id, title)
        if _open(entry.id, entry.revision, folder, words):
            _tell(words("shelf.duplicated", title=title))

    _tried(words, do)


def _delete(base, words):
    def do():
        the_store().delete(base.id)
        start_from(Base(base.scenario))  # it is still tried out here, as what nobody has kept
        _tell(words("shelf.deleted_one", title=base.scenario.title))

    _tried(words, do)


def _restore(id, folder, words):
    def do():
        entry = the_store().restore(id)
        if _open(id, entry.revision, folder, words):
            _tell(words("shelf.restored", title=entry.title))

    _tried(words, do)


# -- handing on --------------------------------------------------------------------------------------------------------


def _hand_on(draft, folder, words):
    """Draw the scenario as one small file, and the place where such a file is brought."""
    st.html(f'<h4 class="jy-group">{words("shelf.share")}</h4>')
    if draft.scenario is not None:
        parcel = scenario_parcel_of(draft)
        if parcel is None:
            st.html(f'<p class="jy-fault">{words("shelf.no_parcel")}</p>')
        else:
            name, content = parcel
            st.download_button(
                words("shelf.download", name=name), data=content, file_name=name, key="shelf-file", on_click="ignore"
            )
    key = f"shelf-brought-{st.session_state.get('brought', 0)}"

    def bring():
        given = st.session_state[key]
        if given is None:
            return

        def do():
            content, files = unpack(given.name, given.getvalue())
            entry = Entry("", "", given.name.rpartition(".")[0] or given.name, 0, datetime.now(UTC))
            start_from(Base(_brought(content, files, entry, folder)))
            _tell(words("shelf.brought", name=given.name))

        _tried(words, do)
        st.session_state["brought"] = st.session_state.get("brought", 0) + 1

    kinds = ["toml", "zip"]
    uploader(words("shelf.bring"), words, key=key, type=kinds, on_change=bring, max_upload_size=LARGEST_MB)


def _brought(content, files, entry, folder):
    title = title_of(content) or entry.name
    entry = replace(entry, title=title, name=file_stem(title))
    check(content, files, entry.name)
    return laid_out(Saved(entry, content, files), folder)


def scenario_parcel_of(draft):
    """Return (file name, bytes) of the draft's scenario as one file to hand on; None where a file it names is gone."""
    try:
        content, files = scenario_parcel(draft.scenario, root())
        title = draft.scenario.title
        return pack(Saved(Entry("", title, file_stem(title), 0, datetime.now(UTC)), content, files))
    except (Rejected, OSError):
        return None
