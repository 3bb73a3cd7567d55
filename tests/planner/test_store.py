"""The store of scenarios: every version stays, a race has one winner and no loser, and a killed save loses nothing.

Runs against SQLite, and against PostgreSQL where JINYI_TEST_DATABASE holds the URL of a database that may be emptied.
"""

import hashlib
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

import planner.store
from geo.faults import Rejected
from geo.words import LANGUAGES, load_words
from planner.parcel import materialise, pack, title_of, unpack
from planner.scenario import LARGEST_FILE, load_scenario
from planner.store import FILE, KEPT_DAYS, StoreTrouble, default_path, open_store

ROOT = Path(__file__).parents[2]
POSTGRESQL = os.environ.get("JINYI_TEST_DATABASE", "")
PLAIN = 'extends = "shanxi-2025"\n\n[stations]\nrural_km = 14\n'
WITH_LIST = 'extends = "shanxi-2025"\n\n[stations]\nexisting = "list.csv"\n'
FILES = {"list.csv": "名称,经度,纬度\n站,112.5,37.8\n".encode()}
TITLES = (
    "<img src=x onerror=alert(1)>",
    "${jndi:ldap://x}",
    "=cmd|' /C calc'!A0",
    "</script>",
    "'; drop table jinyi_scenario; --",
    "%(id)s :id {0} ?",
    "太原市急救站（2025）",
    "العربية 𠀀 é",
    "长" * 200,
)


def emptied(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in reversed(planner.store._TABLES.sorted_tables):
            connection.execute(text(f"drop table if exists {table.name}"))
    engine.dispose()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request, tmp_path):
    if request.param == "sqlite":
        return str(tmp_path / "folder" / "scenarios.sqlite")
    if not POSTGRESQL:
        pytest.skip("JINYI_TEST_DATABASE is not set")
    return emptied(POSTGRESQL)


@pytest.fixture
def store(where):
    opened = open_store(where)
    yield opened
    opened.close()


class Clock:
    """A clock that goes on a second with every look at it."""

    def __init__(self):
        self.moment = datetime(2025, 1, 1, tzinfo=UTC)

    def __call__(self):
        self.moment += timedelta(seconds=1)
        return self.moment


def whole(trouble):
    """Every trouble has one sentence in each language."""
    for lang in LANGUAGES:
        said = trouble.tell(load_words(lang))
        assert said and "{" not in said and "secret" not in said and "Traceback" not in said
    return trouble.key


def keys_of(call, *arguments, **named):
    with pytest.raises(Rejected) as refused:
        call(*arguments, **named)
    assert all(fault.tell(load_words(lang)) for fault in refused.value.faults for lang in LANGUAGES)
    return {fault.key for fault in refused.value.faults}


# -- keeping -----------------------------------------------------------------------------------------------------------


def test_what_was_kept_is_read_as_it_was(store):
    entry = store.save(WITH_LIST, FILES, "太原", author="张三").entry
    saved = store.read(entry.id)
    assert (saved.text, saved.files, saved.entry) == (WITH_LIST, FILES, entry)
    assert (entry.revision, entry.name, entry.author, entry.deleted_at) == (1, "太原", "张三", None)
    assert abs(datetime.now(UTC) - entry.saved_at) < timedelta(minutes=1) and entry.saved_at.tzinfo
    assert store.entries() == (entry,)


@pytest.mark.parametrize("title", TITLES)
def test_a_title_is_text_and_nothing_else(store, title):
    saved = store.read(store.save(WITH_LIST, FILES, title, author=title[:50]).entry.id)
    assert saved.entry.title == title and saved.entry.author == title[:50]
    assert [each.title for each in store.entries()] == [title]
    again, files = unpack(*pack(saved))
    assert title_of(again) == title and files == FILES


@pytest.mark.parametrize("title", ["", "  ", "a\nb", "a\x00b", "a\x1b[2J", "长" * 201, "\u202egnp.exe", "\ud800"])
def test_titles_that_are_no_titles(store, title):
    assert keys_of(store.save, PLAIN, {}, title) == {"store_title"}
    assert store.entries() == ()


def test_what_was_kept_runs(store, tmp_path):
    saved = store.read(store.save(WITH_LIST, FILES, "太原").entry.id)
    scenario = load_scenario(materialise(saved, tmp_path))
    assert (scenario.name, scenario.title, Path(scenario.existing_stations).name) == ("太原", "太原", "list.csv")


def test_every_fault_is_told_at_once_and_nothing_is_kept(store):
    assert keys_of(store.save, PLAIN, FILES, "", author="x\ny") == {"store_title", "store_author", "parcel_unnamed"}
    assert keys_of(store.save, "#" * LARGEST_FILE, {}, "x") == {"parcel_text_large"}
    assert keys_of(store.save, "a = [", {}, "x") == {"scenario_syntax"}
    comment = "#" * (LARGEST_FILE - 100) + "\n"
    assert keys_of(store.save, comment, {}, "长" * 100) == {"parcel_text_large"}
    assert store.entries() == ()


def test_every_save_adds_a_revision_and_all_stay(store):
    entry = store.save(PLAIN, {}, "a").entry
    second = store.save(WITH_LIST, FILES, "b", id=entry.id, base=1, author="李四").entry
    third = store.save(PLAIN, {}, "b", id=entry.id).entry
    assert [each.revision for each in (entry, second, third)] == [1, 2, 3]
    assert store.history(entry.id) == (third, second, entry) and store.entries() == (third,)
    assert [store.read(entry.id, n).text for n in (1, 2, 3)] == [PLAIN, WITH_LIST, PLAIN]
    assert store.read(entry.id, 2).files == FILES and store.read(entry.id).files == {}
    for revision in (0, 4, -1, 2**40, "1", True):
        assert keys_of(store.read, entry.id, revision) == {"store_no_revision"}
    for id in ("", "x", "0" * 32, "\0" * 32, None, 3, "' or 1=1"):
        assert keys_of(store.read, id) == {"store_gone"}


def test_the_latest_comes_first(where):
    store = open_store(where, now=Clock())
    ids = [store.save(PLAIN, {}, "same title").entry.id for _ in range(3)]
    store.save(PLAIN, {}, "later", id=ids[0])
    assert [each.id for each in store.entries()] == [ids[0], ids[2], ids[1]]
    assert len({each.title for each in store.entries()}) == 2
    store.close()


def test_a_store_is_found_again(where):
    first = open_store(where)
    entry = first.save(WITH_LIST, FILES, "a").entry
    first.close()
    second = open_store(where)
    assert second.read(entry.id).files == FILES
    second.close()


def test_duplicate_and_rename(store):
    entry = store.save(WITH_LIST, FILES, "a").entry
    copy = store.duplicate(entry.id, "<b>", author="李四")
    assert copy.id != entry.id and store.read(copy.id).files == FILES and copy.revision == 1
    renamed = store.rename(entry.id, "c", 1).entry
    assert (renamed.revision, renamed.title, renamed.name) == (2, "c", "c")
    assert store.read(entry.id, 1).entry.title == "a" and store.read(entry.id).text == WITH_LIST
    assert keys_of(store.rename, entry.id, "\n") == keys_of(store.duplicate, entry.id, "") == {"store_title"}


def test_renaming_what_another_saved_or_renamed(store):
    id = store.save(PLAIN, {}, "a").entry.id
    store.save(WITH_LIST, FILES, "a", id=id, base=1)
    outcome = store.rename(id, "b", 1)  # a title and a text do not clash
    assert outcome.conflict is None and store.read(id).text == WITH_LIST and outcome.entry.title == "b"
    refused = store.rename(id, "c", 1)
    assert refused.entry == refused.conflict == store.entries()[0] and refused.entry.title == "b"
    assert "“b”" in refused.tell(load_words("zh")) and "“b”" in refused.tell(load_words("en"))
    store.delete(id)
    assert store.rename(id, "c").tell(load_words("zh")).startswith("这个方案已于")


def test_deleting_can_be_undone(store):
    entry = store.save(WITH_LIST, FILES, "a").entry
    store.save(PLAIN, {}, "a", id=entry.id)
    deleted = store.delete(entry.id)
    assert deleted.deleted_at and store.entries() == () and store.entries(deleted=True) == (deleted,)
    assert store.delete(entry.id) == deleted  # twice is once
    assert store.read(entry.id, 1).files == FILES
    assert store.restore(entry.id).deleted_at is None and len(store.history(entry.id)) == 2
    assert store.entries(deleted=True) == () and store.restore(entry.id).revision == 2


def test_only_what_was_deleted_long_ago_is_removed(where):
    clock = Clock()
    store = open_store(where, now=clock)
    old = store.save(WITH_LIST, {"list.csv": b"old"}, "old").entry
    late = store.save(WITH_LIST, FILES, "late").entry
    here = store.save(WITH_LIST, FILES, "here").entry
    store.delete(old.id)
    clock.moment += timedelta(days=1)
    store.delete(late.id)
    clock.moment += timedelta(days=KEPT_DAYS - 1)
    store.close()
    again = open_store(where, now=clock)
    assert [each.id for each in again.entries(deleted=True)] == [late.id]
    assert keys_of(again.restore, old.id) == {"store_gone"}
    assert again.read(late.id).files == again.read(here.id).files == FILES
    with again._reading() as connection:
        assert connection.execute(text("select count(*) from jinyi_content")).scalar_one() == 1
    kept = again.save(PLAIN, {}, "still open on a page", id=old.id, base=1)
    assert kept.entry.id != old.id and kept.conflict is None
    again.close()


def test_one_content_is_stored_once(store):
    id = store.save(WITH_LIST, FILES, "a").entry.id
    for _ in range(4):
        store.save(WITH_LIST, FILES, "a", id=id)
    with store._reading() as connection:
        assert connection.execute(text("select count(*) from jinyi_content")).scalar_one() == 1


# -- races -------------------------------------------------------------------------------------------------------------


def test_the_second_saver_keeps_the_work_and_is_told(store):
    id = store.save(PLAIN, {}, "a").entry.id
    first = store.save(PLAIN + "# 1\n", {}, "a", id=id, base=1, author="<i>")
    second = store.save(PLAIN + "# 2\n", {}, "a", id=id, base=1)
    assert first.conflict is None and first.tell(load_words("zh")) == ""
    assert second.conflict == first.entry and second.conflict.author == "<i>" and second.conflict.revision == 2
    assert second.entry.id != id and second.entry.title == "a (2)"
    assert store.read(id).text.endswith("# 1\n") and store.read(second.entry.id).text.endswith("# 2\n")
    said = second.tell(load_words("zh"))
    assert "<i>" in said and "第 2 版" in said and "“a (2)”" in said and "second" not in said
    comment = "#" * (LARGEST_FILE - 60) + "\n"  # a copy of the longest text can still be handed on
    assert store.save(comment, {}, "a title of 25 characters.", id=id).conflict is None
    copy = store.save(comment, {}, "a title of 25 characters.", id=id, base=1).entry
    assert copy.title.endswith(" (2)") and title_of(unpack(*pack(store.read(copy.id)))[0]) == copy.title
    assert store.save(PLAIN, {}, "长" * 200, id=id, base=1).entry.title == "长" * 200
    assert store.save(PLAIN, {}, "长" * 200, id=id, base=1).entry.title == "长" * 196 + " (2)"


def test_saving_what_another_deleted(store):
    id = store.save(PLAIN, {}, "a").entry.id
    deleted = store.delete(id)
    outcome = store.save(PLAIN, {}, "a", id=id, base=1)
    assert outcome.conflict == deleted and outcome.entry.id != id and store.read(outcome.entry.id).text == PLAIN
    assert all(outcome.tell(load_words(lang)) for lang in LANGUAGES)


def race(where, id, number, gate):
    store = open_store(where, patience=30)
    gate.wait()
    outcome = store.save(PLAIN + f"# {number}\n", {}, "a", id=id, base=1, author=str(number))
    store.close()
    return outcome


def lost(store, id, outcomes):
    """What a race must not do: more or fewer winners than one, two copies of one title, a text that is gone."""
    winners = [each for each in outcomes if each.conflict is None]
    assert len(winners) == 1 and winners[0].entry == store.read(id).entry and winners[0].entry.revision == 2
    assert {each.conflict for each in outcomes} == {None, winners[0].entry}
    assert len(store.entries()) == len({each.title for each in store.entries()}) == len(outcomes)
    texts = {store.read(each.entry.id).text for each in outcomes}
    return {PLAIN + f"# {number}\n" for number in range(len(outcomes))} - texts


def test_eight_processes_on_one_base(where, store):
    id = store.save(PLAIN, {}, "a").entry.id
    spawn = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with spawn.Manager() as manager:
        gate = manager.Barrier(8)
        with spawn.Pool(8) as pool:
            outcomes = pool.starmap(race, [(where, id, number, gate) for number in range(8)], chunksize=1)
    assert lost(store, id, outcomes) == set()


def test_eight_threads_on_one_store(store):
    id = store.save(PLAIN, {}, "a").entry.id
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(
            pool.map(lambda n: store.save(PLAIN + f"# {n}\n", {}, "a", id=id, base=1, author=str(n)), range(8))
        )
    assert lost(store, id, outcomes) == set()


def test_eight_openings_of_a_store_that_is_not_there(where):
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: open_store(where), range(8)))
    stores[0].save(PLAIN, {}, "a")
    assert all(len(store.entries()) == 1 for store in stores)
    for store in stores:
        store.close()


SAVE_ON_AND_ON = """
import sys
from planner.store import open_store
store, id = open_store(sys.argv[1]), None
for n in range(100_000):
    files = {"list.csv": f"{n},".encode() * 20_000}
    text = f'extends = "shanxi-2025"\\n[stations]\\nexisting = "list.csv"\\n# {n}\\n'
    entry = store.save(text, files, f"a {n}", id=id, base=entry.revision if id else None).entry
    id = entry.id
    print(id, entry.revision, n, flush=True)
"""


def test_a_killed_save_loses_nothing_that_was_saved(where):
    reported = []
    for lines in (3, 9):
        command = [sys.executable, "-c", SAVE_ON_AND_ON, where]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
            said = [child.stdout.readline() for _ in range(lines)]
            os.kill(child.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            said += child.stdout.readlines()
        reported += [line.split() for line in said if line.endswith("\n")]
    assert len(reported) >= 12
    store = open_store(where)
    for id, revision, n in reported:
        saved = store.read(id, int(revision))
        assert saved.entry.title == f"a {n}" and saved.text.endswith(f"# {n}\n")
        assert saved.files == {"list.csv": f"{n},".encode() * 20_000}
    for id in {id for id, _, _ in reported}:
        known = [each.revision for each in store.history(id)]
        assert known == list(range(len(known), 0, -1))
        assert all(store.read(id, number).text for number in known)  # a save that was done but not yet reported
    store.close()
    if "://" not in where:
        with sqlite3.connect(where) as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
            assert connection.execute("pragma foreign_key_check").fetchall() == []


# -- troubles ----------------------------------------------------------------------------------------------------------


def trouble(call, *arguments, **named):
    with pytest.raises(StoreTrouble) as raised:
        call(*arguments, **named)
    return whole(raised.value)


def test_a_newer_store_is_refused_and_left_alone(where, store):
    store.save(PLAIN, {}, "a")
    with store._writing() as connection:
        connection.execute(text("update jinyi_store set schema_version = 2"))
    assert trouble(open_store, where) == "newer"
    assert len(store.entries()) == 1


def test_an_older_store_is_brought_up(where, store, monkeypatch):
    entry = store.save(PLAIN, {}, "a").entry
    monkeypatch.setattr(planner.store, "SCHEMA", 2)
    add = "alter table jinyi_scenario add column note text"
    monkeypatch.setitem(planner.store.MIGRATIONS, 1, lambda connection: connection.execute(text(add)))
    again = open_store(where)
    with again._reading() as connection:
        assert connection.execute(text("select schema_version from jinyi_store")).scalar_one() == 2
        assert connection.execute(text("select note from jinyi_scenario")).scalar_one() is None
    assert again.read(entry.id).text == PLAIN
    again.close()


def test_a_store_that_another_holds(tmp_path):
    path = tmp_path / FILE
    store = open_store(path, patience=0.1)
    store.save(PLAIN, {}, "a")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    assert trouble(store.save, PLAIN, {}, "b") == "locked"
    assert len(store.entries()) == 1  # reading goes on
    other.execute("rollback")
    other.execute("begin exclusive")
    assert trouble(store.entries) == trouble(open_store, path, patience=0.1) == "locked"
    other.close()
    store.save(PLAIN, {}, "b")


def test_a_full_disk_and_a_store_that_can_only_be_read(tmp_path, monkeypatch):
    path = tmp_path / FILE
    store = open_store(path)
    entry = store.save(PLAIN, {}, "a").entry
    big = {"list.csv": hashlib.sha256(b"").digest() * 30_000}
    connect = sqlite3.connect

    def limited(pragma):
        def connected(*arguments, **named):
            connection = connect(*arguments, **named)
            connection.execute(pragma)
            return connection

        return connected

    monkeypatch.setattr(sqlite3, "connect", limited("pragma max_page_count = 30"))
    assert trouble(store.save, WITH_LIST, big, "b", id=entry.id, base=1) == "full"
    monkeypatch.setattr(sqlite3, "connect", limited("pragma query_only = 1"))
    assert trouble(store.save, PLAIN, {}, "b") == trouble(store.delete, entry.id) == "read_only"
    assert open_store(path, now=lambda: datetime(2099, 1, 1, tzinfo=UTC)).read(entry.id).entry == entry
    monkeypatch.undo()
    assert store.history(entry.id) == (entry,)
    assert store.save(WITH_LIST, big, "b", id=entry.id, base=1).entry.revision == 2


def test_a_database_that_can_only_be_read():
    if not POSTGRESQL:
        pytest.skip("JINYI_TEST_DATABASE is not set")
    store = open_store(emptied(POSTGRESQL))
    entry = store.save(PLAIN, {}, "a").entry
    with store._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = connection.execute(text("select current_database()")).scalar_one()
        try:
            connection.execute(text(f'alter database "{name}" set default_transaction_read_only = on'))
            reader = open_store(POSTGRESQL)
            assert reader.entries() == (entry,) and trouble(reader.save, PLAIN, {}, "b") == "read_only"
            reader.close()
        finally:
            connection.execute(text("set default_transaction_read_only = off"))
            connection.execute(text(f'alter database "{name}" reset default_transaction_read_only'))
    store.close()


def test_a_database_that_another_holds():
    if not POSTGRESQL:
        pytest.skip("JINYI_TEST_DATABASE is not set")
    store, other = open_store(emptied(POSTGRESQL), patience=0.1), open_store(POSTGRESQL)
    with other._writing():
        assert trouble(store.save, PLAIN, {}, "b") == "locked"
        assert store.entries() == ()
    store.save(PLAIN, {}, "b")
    store.close()
    other.close()


def test_files_that_are_no_store(tmp_path):
    (tmp_path / "text").write_text("some text " * 500, encoding="utf-8")
    other = sqlite3.connect(tmp_path / "other")
    other.execute("create table bookmarks (url text)")
    other.close()
    before = (tmp_path / "other").read_bytes()
    assert trouble(open_store, tmp_path / "text") == trouble(open_store, tmp_path / "other") == "foreign"
    assert (tmp_path / "other").read_bytes() == before
    assert trouble(open_store, tmp_path) == "unopened"
    assert trouble(open_store, tmp_path / "text" / "below") == "unopened"
    store = open_store(tmp_path / "gone")
    (tmp_path / "gone").unlink()
    assert trouble(store.save, PLAIN, {}, "a") == "unopened" and not (tmp_path / "gone").exists()


def test_a_damaged_file_is_noticed(tmp_path):
    path = tmp_path / FILE
    store = open_store(path)
    entry = store.save(WITH_LIST, {"list.csv": b"Q" * 50_000}, "a").entry
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Q" * 100, b"Q" * 99 + b"R", 1))
    assert trouble(store.read, entry.id) == "broken"
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    assert trouble(store.entries) == "broken"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("mysql://user:secret@host/x", "address"),
        ("postgresql+asyncpg://user:secret@host/x", "address"),
        ("sqlite://", "address"),
        ("http://host/x", "address"),
        ("postgresql://user:secret@host:port/x", "address"),
        ("postgresql+psycopg://user:secret@127.0.0.1:1/x", "unopened"),
    ],
)
def test_addresses_that_lead_nowhere(url, key):
    if key == "unopened":
        pytest.importorskip("psycopg")
    assert trouble(open_store, url, patience=2) == key


def test_where_the_store_is(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("JINYI_STORE", raising=False)
    assert default_path().is_relative_to(tmp_path) and open_store().where == str(default_path())
    monkeypatch.setenv("JINYI_STORE", str(tmp_path / "名 %41#?.db"))
    assert open_store().where == str(tmp_path / "名 %41#?.db") and (tmp_path / "名 %41#?.db").is_file()
    assert open_store(f"sqlite:///{tmp_path / 'c.db'}").where == str(tmp_path / "c.db")


def test_words_of_the_store_are_the_same_in_both_languages():
    sources = "".join((ROOT / "planner" / f"{name}.py").read_text("utf-8") for name in ("store", "parcel"))
    zh, en = ({key for key in load_words(lang).keys() if key.startswith("store.")} for lang in LANGUAGES)  # noqa: SIM118
    assert zh == en and all(f'"{key.split(".")[-1]}"' in sources or f'"{key}"' in sources for key in zh)
    faults = [key for key in load_words("zh").section("fault") if key.startswith(("store_", "parcel_"))]
    assert faults and all(f'"{key}"' in sources and f"fault.{key}" in load_words("en") for key in faults)
