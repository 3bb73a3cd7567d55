"""The store of scenarios: what planners keep, with every version of it, in one SQLite file or an office's PostgreSQL.

Each save is one transaction and adds a revision; nothing is overwritten. Where two planners started from the same
revision, the first has the scenario's head and the second's work becomes a scenario of its own, and is told so.
"""

import contextlib
import hashlib
import os
import sqlite3
import sys
import unicodedata
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from geo.faults import Fault, Rejected, ScenarioRejected
from planner.parcel import file_stem, fit, with_title
from planner.scenario import LARGEST_FILE
from planner.settings import shown

SCHEMA = 1  # a store of a later one is refused, one of an earlier one is brought up by ``MIGRATIONS``
MIGRATIONS = {}  # {schema: function of a connection that makes it the next}
ENVIRONMENT = "JINYI_STORE"
FILE = "scenarios.sqlite"
KEPT_DAYS = 30  # a deleted scenario can be restored at least so long
LONGEST_TITLE = 200  # characters
LONGEST_AUTHOR = 100
ROOM_FOR_TITLE = 16  # bytes kept free in a scenario's text, for a copy's title is a little longer
PATIENCE = 10.0  # seconds to wait for another's save

_MARK = 0x4A59  # what SQLite calls application_id: this file is ours
_LARGEST_NUMBER = 2**31 - 1

_TABLES = MetaData()
_HOUSE = Table(  # one row: every writer locks it first, so that saves follow one another
    "jinyi_store",
    _TABLES,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("schema_version", Integer, nullable=False),
)
_SCENARIOS = Table(
    "jinyi_scenario",
    _TABLES,
    Column("id", String(32), primary_key=True),
    Column("head", Integer, nullable=False),  # number of the latest revision
    Column("deleted_at", String(32)),  # moments are ISO texts in UTC, which sort as they follow
)
_REVISIONS = Table(
    "jinyi_revision",
    _TABLES,
    Column("id", String(32), ForeignKey("jinyi_scenario.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("saved_at", String(32), nullable=False),
)
_CONTENTS = Table(  # each content once, however many revisions have it
    "jinyi_content",
    _TABLES,
    Column("digest", String(64), primary_key=True),  # sha256
    Column("content", LargeBinary, nullable=False),
)
_FILES = Table(
    "jinyi_file",
    _TABLES,
    Column("id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("file", Text, primary_key=True),
    Column("digest", String(64), ForeignKey("jinyi_content.digest"), nullable=False, index=True),
    ForeignKeyConstraint(["id", "number"], ["jinyi_revision.id", "jinyi_revision.number"]),
)
_ENTRY = (
    _SCENARIOS.c.id,
    _REVISIONS.c.title,
    _REVISIONS.c.name,
    _REVISIONS.c.number,
    _REVISIONS.c.saved_at,
    _REVISIONS.c.author,
    _SCENARIOS.c.deleted_at,
)


@dataclass(frozen=True)
class Entry:
    """One scenario of the store at one revision.

    id          of the scenario; titles need not differ
    title       as its planners call it; any text, so escape it
    name        of its files: ``name.toml``; safe on every system
    revision    number, from 1
    saved_at    moment of this revision, UTC; ``deleted_at`` that of the scenario's deletion, None = it is there
    author      who saved this revision, "" = did not say
    """

    id: str
    title: str
    name: str
    revision: int
    saved_at: datetime
    author: str = ""
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class Saved:
    """A scenario as it was kept: the TOML ``text`` and the ``files`` that it names, {name: bytes}."""

    entry: Entry
    text: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class Outcome:
    """What came of a save: ``entry`` is what was kept.

    ``conflict`` is the scenario as another had saved, or deleted, it meanwhile (who, when, which revision); then
    ``entry`` is a scenario of its own beside it. None = nobody had.
    """

    entry: Entry
    conflict: Entry | None = None

    def tell(self, words):
        """Return what happened meanwhile and where the work is now, "" where nothing did; moments of this machine."""
        if self.conflict is None:
            return ""
        other = self.conflict
        happened = "saved" if other.deleted_at is None else "deleted"
        if self.entry.id == other.id:
            happened = "renamed" if other.deleted_at is None else "renamed_deleted"
        params = {
            "author": other.author or words("store.nobody"),
            "moment": f"{(other.deleted_at or other.saved_at).astimezone():%Y-%m-%d %H:%M}",
            "revision": other.revision,
            "title": self.entry.title,
        }
        return words(f"store.meanwhile.{happened}", **params)


class StoreTrouble(Exception):
    """A store that cannot be used as it is. ``key`` names a sentence of the word catalogue (``store.trouble``).

    ``where`` is its file, or its address without user and password. Command line exit code 3.
    """

    exit_code = 3

    def __init__(self, key, where="", **params):
        self.key = key
        self.where = where
        self.params = params
        super().__init__(f"{where}: {key}")

    def tell(self, words):
        """Return the trouble and its remedy as one line in the language of ``words``."""
        said = words(f"store.trouble.{self.key}", **self.params)
        return f"{shown_path(self.where)}: {said}" if self.where else said


def shown_path(where):
    """Return a path or an address whole, but without signs that a terminal obeys."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in where)


# -- opening ---------------------------------------------------------------------------------------------------------


def open_store(where=None, *, patience=PATIENCE, now=None):
    """Return the :class:`Store` at ``where``, made if there is none.

    where     path of a file, or a URL: ``sqlite:///...``, ``postgresql+psycopg://user:password@host/database``;
              None = what the environment variable JINYI_STORE says, else a file in the user's data folder
    patience  seconds to wait while another saves
    now       gives the moment in UTC; None = the clock
    On opening, scenarios deleted more than ``KEPT_DAYS`` days ago are removed for good; nothing else ever is.
    Raises :class:`StoreTrouble` for a database that cannot be opened, is no store, or is of a later version.
    """
    where = where or os.environ.get(ENVIRONMENT) or default_path()
    engine, called = _engine(where, patience)
    store = Store(engine, called, now or (lambda: datetime.now(UTC)))
    try:
        with _telling(called):
            _prepare(engine, called)
            store._purge()
    except BaseException:
        engine.dispose()
        raise
    return store


def default_path():
    """Return the path of the user's own store."""
    home = Path.home()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or home / ".local" / "share"
    return Path(base) / "jinyi" / FILE


def _engine(where, patience):
    """Return (engine, what messages call the store)."""
    if "://" not in str(where):
        path = Path(where).expanduser().absolute()
        return _sqlite(path, patience), str(path)
    try:
        url = make_url(str(where))
    except (ArgumentError, ValueError):
        raise StoreTrouble("address") from None
    if url.get_backend_name() == "sqlite" and url.database:
        path = Path(url.database).absolute()
        return _sqlite(path, patience), str(path)
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise StoreTrouble("address")
    called = f"postgresql://{url.host or ''}{f':{url.port}' if url.port else ''}/{url.database or ''}"
    try:
        return _postgresql(url.set(drivername="postgresql+psycopg"), patience), called
    except (ImportError, NoSuchModuleError):
        raise StoreTrouble("driver", called) from None
    except (SQLAlchemyError, ValueError):
        raise StoreTrouble("address", called) from None


def _sqlite(path, patience):
    """Return the engine of a SQLite file: one connection a transaction, a writer alone from its beginning.

    The journal is the plain one: unlike WAL it works on a network drive, and the store stays one file.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
    except (OSError, ValueError):
        raise StoreTrouble("unopened", str(path)) from None
    slashes = quote(path.as_posix(), safe="/:")
    lead = "" if slashes.startswith("/") else "/"  # before the letter of a drive
    uri = f"file://{lead}{slashes}?mode=rw"  # a file that went away stays away, and is not made anew empty

    def connect():
        return sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None, check_same_thread=False)

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def settle(connection, _record):
        for pragma in ("synchronous = EXTRA", "foreign_keys = ON", "trusted_schema = OFF", "cell_size_check = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection):
        writes = connection.get_execution_options().get("jinyi_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url, patience):
    """Return the engine of an office's database; a lost connection is noticed before it is used."""
    limits = f"-c lock_timeout={int(1000 * patience)} -c statement_timeout={int(1000 * (patience + 60))}"
    settings = {"connect_timeout": max(2, int(patience)), "options": limits}
    return create_engine(url, connect_args=settings, pool_pre_ping=True, pool_timeout=patience, hide_parameters=True)


def _prepare(engine, called):
    """Make the tables of a new store, bring up those of an older one, refuse those of a newer one."""
    version = _version(engine, called)
    if version is None:
        try:
            with engine.execution_options(jinyi_writes=True).begin() as connection:
                if not inspect(connection).has_table(_HOUSE.name):
                    _TABLES.create_all(connection, checkfirst=False)
                    connection.execute(insert(_HOUSE).values(one=1, schema_version=SCHEMA))
                    if engine.dialect.name == "sqlite":
                        connection.exec_driver_sql(f"PRAGMA application_id = {_MARK}")
        except DBAPIError:  # another process was making them at the same moment, or it cannot be done
            if _version(engine, called) is None:
                raise
        version = _version(engine, called)
    if version > SCHEMA:
        raise StoreTrouble("newer", called, version=version, known=SCHEMA)
    if version < SCHEMA:
        with engine.execution_options(jinyi_writes=True).begin() as connection:
            version = connection.execute(select(_HOUSE.c.schema_version).with_for_update()).scalar_one()
            for step in range(version, SCHEMA):
                MIGRATIONS[step](connection)
            connection.execute(update(_HOUSE).values(schema_version=SCHEMA))


def _version(engine, called):
    """Return the version of a store's tables, None = there are none yet."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if _HOUSE.name not in tables:
            if tables and engine.dialect.name == "sqlite":
                raise StoreTrouble("foreign", called)
            return None
        return connection.execute(select(_HOUSE.c.schema_version)).scalar_one()


# -- the store -------------------------------------------------------------------------------------------------------


class Store:
    """Scenarios kept in a database; made by :func:`open_store`. Threads and processes may share it.

    Every method raises :class:`StoreTrouble` where the database does not answer, and :class:`geo.faults.Rejected` for
    an id or a revision that is not there.
    """

    def __init__(self, engine, where, now):
        self.where = where
        self._engine = engine
        self._writer = engine.execution_options(jinyi_writes=True)
        self._now = now

    def close(self):
        """Let go of the database."""
        self._engine.dispose()

    def entries(self, deleted=False):
        """Return the :class:`Entry` of each scenario as last saved, the latest first; or of the deleted ones."""
        moment = _SCENARIOS.c.deleted_at if deleted else _REVISIONS.c.saved_at
        kept = _SCENARIOS.c.deleted_at.is_not(None) if deleted else _SCENARIOS.c.deleted_at.is_(None)
        with self._reading() as connection:
            rows = connection.execute(_heads().where(kept).order_by(moment.desc(), _SCENARIOS.c.id))
            return tuple(_entry(row) for row in rows)

    def read(self, id, revision=None):
        """Return the :class:`Saved` of a scenario, deleted or not, at a revision; None = the latest."""
        with self._reading() as connection:
            return self._saved(connection, self._known(connection, id), revision)

    def history(self, id):
        """Return the :class:`Entry` of every revision of a scenario, the latest first."""
        with self._reading() as connection:
            self._known(connection, id)
            query = _revisions().where(_SCENARIOS.c.id == id).order_by(_REVISIONS.c.number.desc())
            return tuple(_entry(row) for row in connection.execute(query))

    def save(self, text, files, title, *, id=None, base=None, author=""):
        """Keep a scenario as a new revision and return the :class:`Outcome`.

        text, files  as :func:`planner.parcel.fit` wants them
        title        one line of 1 to ``LONGEST_TITLE`` characters; ``author`` may be ""
        id           of the scenario that it is a version of, None = a new one
        base         number of the revision that the work started from, None = whatever is there is followed
        Where the scenario has moved on from ``base`` or is deleted, the work is kept as a scenario of its own, its
        title made distinct, and ``conflict`` tells. Where it was removed for good, it is kept as a new one.
        Raises :class:`geo.faults.ScenarioRejected` for what cannot be kept, every fault at once.
        """
        text, files, title, author = _keepable(text, files, title, author)
        with self._writing() as connection:
            head = None if id is None else self._head(connection, id)
            if head is None:
                return Outcome(self._add(connection, None, text, files, title, author))
            if head.deleted_at is None and base in (None, head.revision):
                return Outcome(self._add(connection, head, text, files, title, author))
            copy = self._add(connection, None, text, files, _distinct(connection, title), author)
            return Outcome(copy, head)

    def duplicate(self, id, title, *, author=""):
        """Return the :class:`Entry` of a new scenario with the text and files of another's latest revision."""
        with self._writing() as connection:
            saved = self._saved(connection, self._known(connection, id))
            kept = _keepable(saved.text, saved.files, title, author)
            return self._add(connection, None, *kept)

    def rename(self, id, title, base=None, *, author=""):
        """Give a scenario another title, as a new revision, and return the :class:`Outcome`.

        base  number of the revision whose title the planner saw. Where another gave another title since, theirs stays,
              nothing is saved, and ``conflict`` is their revision; what else they changed is kept under the new title.
        """
        with self._writing() as connection:
            head = self._known(connection, id)
            seen = head if base is None else self._saved(connection, head, base).entry
            if head.deleted_at is not None or seen.title != head.title:
                return Outcome(head, head)
            saved = self._saved(connection, head)
            return Outcome(self._add(connection, head, *_keepable(saved.text, saved.files, title, author)))

    def delete(self, id):
        """Mark a scenario as deleted and return its :class:`Entry`; :meth:`restore` brings it back."""
        return self._mark(id, deleted=True)

    def restore(self, id):
        """Bring a deleted scenario back, with all its revisions, and return its :class:`Entry`."""
        return self._mark(id, deleted=False)

    def _mark(self, id, *, deleted):
        with self._writing() as connection:
            head = self._known(connection, id)
            if deleted == (head.deleted_at is not None):
                return head
            moment = self._now().astimezone(UTC) if deleted else None
            said = None if moment is None else _as_text(moment)
            connection.execute(update(_SCENARIOS).where(_SCENARIOS.c.id == id).values(deleted_at=said))
            return replace(head, deleted_at=moment)

    # -- inside a transaction --

    @contextlib.contextmanager
    def _reading(self):
        with _telling(self.where), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _writing(self):
        """Give a transaction that no other writer shares: what it reads is so until it is done."""
        with _telling(self.where), self._writer.begin() as connection:
            connection.execute(select(_HOUSE.c.schema_version).with_for_update())
            yield connection

    def _head(self, connection, id):
        """Return the :class:`Entry` of a scenario's latest revision, None = there is no such scenario."""
        if not isinstance(id, str) or len(id) != 32 or not set(id) <= set("0123456789abcdef"):
            return None
        row = connection.execute(_heads().where(_SCENARIOS.c.id == id)).one_or_none()
        return None if row is None else _entry(row)

    def _known(self, connection, id):
        head = self._head(connection, id)
        if head is None:
            raise Rejected([Fault("store_gone", params={"days": KEPT_DAYS})])
        return head

    def _saved(self, connection, head, revision=None):
        number = head.revision if revision is None else revision
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= head.revision:
            raise Rejected([Fault("store_no_revision", value=shown(revision), params={"latest": head.revision})])
        here = (_SCENARIOS.c.id == head.id) & (_REVISIONS.c.number == number)
        row = connection.execute(_revisions(_REVISIONS.c.text).where(here)).one()
        query = select(_FILES.c.file, _CONTENTS.c.digest, _CONTENTS.c.content).join_from(_FILES, _CONTENTS)
        query = query.where(_FILES.c.id == head.id, _FILES.c.number == number).order_by(_FILES.c.file)
        files = {}
        for file, digest, content in connection.execute(query):
            if hashlib.sha256(content).hexdigest() != digest:
                raise StoreTrouble("broken", self.where)
            files[file] = bytes(content)
        return Saved(_entry(row[:-1]), row.text, files)

    def _add(self, connection, head, text, files, title, author):
        """Add a revision after ``head``, None = the first of a new scenario; return its :class:`Entry`."""
        moment = self._now().astimezone(UTC)
        id, number = (uuid.uuid4().hex, 1) if head is None else (head.id, head.revision + 1)
        entry = Entry(id, title, file_stem(title), number, moment, author)
        if head is None:
            connection.execute(insert(_SCENARIOS).values(id=id, head=number))
        else:
            connection.execute(update(_SCENARIOS).where(_SCENARIOS.c.id == id).values(head=number))
        about = {"title": title, "name": entry.name, "author": author, "saved_at": _as_text(moment)}
        connection.execute(insert(_REVISIONS).values(id=id, number=number, text=text, **about))
        for file, content in files.items():
            digest = hashlib.sha256(content).hexdigest()
            if connection.execute(select(_CONTENTS.c.digest).where(_CONTENTS.c.digest == digest)).first() is None:
                connection.execute(insert(_CONTENTS).values(digest=digest, content=content))
            connection.execute(insert(_FILES).values(id=id, number=number, file=file, digest=digest))
        return entry

    def _purge(self):
        """Remove for good what was deleted more than ``KEPT_DAYS`` days ago; nothing where nothing can be written."""
        before = _as_text(self._now().astimezone(UTC) - timedelta(days=KEPT_DAYS))
        old = select(_SCENARIOS.c.id).where(_SCENARIOS.c.deleted_at < before)
        with self._reading() as connection:
            if connection.execute(old).first() is None:
                return
        with contextlib.suppress(StoreTrouble), self._writing() as connection:  # the next opening does it as well
            ids = list(connection.execute(old).scalars())
            for table in (_FILES, _REVISIONS, _SCENARIOS):
                for id in ids:
                    connection.execute(delete(table).where(table.c.id == id))
            connection.execute(delete(_CONTENTS).where(_CONTENTS.c.digest.not_in(select(_FILES.c.digest))))


def _revisions(*more):
    return select(*_ENTRY, *more).join_from(_SCENARIOS, _REVISIONS)


def _heads():
    return _revisions().where(_REVISIONS.c.number == _SCENARIOS.c.head)


def _entry(row):
    id, title, name, number, saved_at, author, deleted_at = row
    moments = [None if each is None else datetime.fromisoformat(each) for each in (saved_at, deleted_at)]
    return Entry(id, title, name, number, moments[0], author, moments[1])


def _as_text(moment):
    return moment.isoformat(timespec="microseconds")


# -- what may be kept ------------------------------------------------------------------------------------------------


def _keepable(text, files, title, author):
    """Return (text, files, title, author) as they are kept. Raises ScenarioRejected with every fault."""
    title, author = _line(title), _line(author)
    faults = []
    if not 1 <= len(title) <= LONGEST_TITLE or not _is_plain(title):
        faults.append(Fault("store_title", value=shown(title), params={"longest": LONGEST_TITLE}))
    if len(author) > LONGEST_AUTHOR or not _is_plain(author):
        faults.append(Fault("store_author", value=shown(author), params={"longest": LONGEST_AUTHOR}))
    name = file_stem(title)
    try:
        text, files = fit(text, files, name)
    except ScenarioRejected as rejected:
        raise ScenarioRejected([*faults, *rejected.faults]) from None
    if faults:
        raise ScenarioRejected(faults)
    if len(with_title(text, title).encode()) + ROOM_FOR_TITLE > LARGEST_FILE:
        params = {"limit": f"{LARGEST_FILE:,}"}
        raise ScenarioRejected([Fault("parcel_text_large", f"{name}.toml", params=params)])
    return text, files, title, author


def _line(text):
    return unicodedata.normalize("NFC", text).strip()


def _is_plain(text):
    """Return whether a text is one line without signs that are obeyed instead of seen, as a scenario's title is."""
    return not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in text)


def _distinct(connection, title):
    """Return a title that no scenario has: ``title``, or the same with a number behind it."""
    taken = set(connection.execute(_heads().with_only_columns(_REVISIONS.c.title)).scalars())
    number = 1
    candidate = title
    while candidate in taken:
        number += 1
        end = f" ({number})"
        candidate = f"{title[: LONGEST_TITLE - len(end)].rstrip()}{end}"
    return candidate


# -- what a database says --------------------------------------------------------------------------------------------

# By the name of SQLite's code without what refines it, and by PostgreSQL's SQLSTATE or its class.
_SQLITE_TROUBLE = {
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_READONLY": "read_only",
    "SQLITE_PERM": "read_only",
    "SQLITE_FULL": "full",
    "SQLITE_CANTOPEN": "unopened",
    "SQLITE_AUTH": "unopened",
    "SQLITE_NOTADB": "foreign",
    "SQLITE_ERROR": "foreign",
    "SQLITE_CORRUPT": "broken",
}
_POSTGRESQL_TROUBLE = {
    "53100": "full",
    "25006": "read_only",
    "42501": "read_only",
    "55P03": "locked",
    "57014": "locked",
    "40P01": "locked",
    "40001": "locked",
    "53300": "busy",
    "42P01": "foreign",
    "42703": "foreign",
    "28": "refused",
    "3D": "unopened",
    "08": "lost",
    "57": "lost",
    "XX001": "broken",
    "XX002": "broken",
}


@contextlib.contextmanager
def _telling(where):
    """Turn whatever a database raises into :class:`StoreTrouble`."""
    try:
        yield
    except DBAPIError as error:
        raise StoreTrouble(_trouble(error), where) from error
    except SQLAlchemyError as error:  # no connection is free
        raise StoreTrouble("busy" if "Timeout" in type(error).__name__ else "failed", where) from error
    except UnicodeDecodeError as error:
        raise StoreTrouble("broken", where) from error


def _trouble(error):
    sqlite = getattr(error.orig, "sqlite_errorname", None)
    if sqlite:
        return _SQLITE_TROUBLE.get("_".join(sqlite.split("_")[:2]), "failed")
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the server was not reached, or refused before there was a session
        said = str(error.orig).casefold()
        if "password" in said or "authentication" in said:
            return "refused"
        return "lost" if error.connection_invalidated else "unopened"
    return _POSTGRESQL_TROUBLE.get(state) or _POSTGRESQL_TROUBLE.get(state[:2], "failed")
