"""A scenario with the files that it names: what fits together, one small file to hand on, and a folder to run from.

The text is a scenario file as :func:`planner.scenario.load_scenario` reads it; ``files`` are {name: bytes} of the lists
and tables that its settings name. They travel together: the text names them by name alone, and all of them are there.
"""

import hashlib
import io
import json
import re
import shutil
import stat
import struct
import tempfile
import tomllib
import unicodedata
import zipfile
import zlib
from decimal import Decimal
from pathlib import Path

from geo.faults import Fault, ScenarioRejected
from planner.scenario import (
    DEVICE_NAMES,
    LARGEST_FILE,
    LONGEST_NAME,
    ScenarioFault,
    is_name,
    load_scenario,
    shipped_scenarios,
)
from planner.settings import FILE_SETTINGS, SETTINGS, Unfit, checked, embedded_regions, shown
from planner.toml_lines import key_lines

MEGABYTE = 1_048_576
LARGEST_ATTACHMENT = 5 * MEGABYTE  # bytes of one file that a scenario names
LARGEST_TOTAL = 20 * MEGABYTE  # bytes of all of them
KINDS = (".csv", ".gpkg", ".pbf")  # what the planner reads beside a scenario; no XML, no spreadsheet, no program
NAMELESS = "scenario"

_TITLE = next(setting for setting in SETTINGS if setting.key == "title")
_MOST_MEMBERS = 1 + 4 * len(FILE_SETTINGS)  # beyond these an archive is not looked at one by one
_BEGINS_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # flags of an archive's member: its content, its key, its directory
_NAME_IN_UTF8 = 0x800
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, LookupError, OSError, RuntimeError)


# -- names and titles ------------------------------------------------------------------------------------------------


def file_stem(title):
    """Return the name of a scenario's file for a title: letters, figures and ``-_.`` that every system takes.

    No shipped scenario has this name, for a scenario would then extend itself instead of the shipped one.
    """
    text = unicodedata.normalize("NFC", title)
    kept = "".join(sign if sign in "-_." or unicodedata.category(sign)[0] in "LMN" else " " for sign in text)
    stem = re.sub(r"[ -]+", "-", kept)[:LONGEST_NAME].strip(".-_") or NAMELESS
    taken = {name.casefold() for name in shipped_scenarios()}
    if stem.casefold() in taken or stem.split(".")[0].casefold() in DEVICE_NAMES:
        stem = f"my-{stem}"[:LONGEST_NAME].rstrip(".-_")
    return stem if is_name(stem) else NAMELESS


def title_of(text):
    """Return the title that a scenario text states, "" where it states none that a title may be."""
    try:
        title = tomllib.loads(text.replace("\r\n", "\n")).get("title", "")
        return checked(_TITLE, title)
    except (ValueError, RecursionError, ArithmeticError, Unfit):
        return ""


def with_title(text, title):
    """Return a scenario text that states ``title``; nothing else of it changes. A broken text stays as it is."""
    try:
        before = _content(text)
        lines = [f"{line}\n" for line in text.split("\n")]
        stated = f"title = {json.dumps(title, ensure_ascii=False)}"  # a text of JSON is one of TOML too
        if "title" not in before:
            return f"{stated}\n{text}"
        if before["title"] == title:
            return text
        first = key_lines(text)[("title",)] - 1
        last = next(n for n in range(first + 1, len(lines) + 1) if _is_whole("".join(lines[first:n])))
        changed = "".join([*lines[:first], f"{stated}\n", *lines[last:]])[:-1]
        return changed if _content(changed) == before | {"title": title} else text
    except (ValueError, RecursionError, ArithmeticError, StopIteration):
        return text


def _is_whole(text):
    try:
        return "title" in tomllib.loads(text.replace("\r\n", "\n"))
    except ValueError:
        return False


def _content(text):
    return tomllib.loads(text, parse_float=Decimal)


# -- what fits together ----------------------------------------------------------------------------------------------


def named_files(text):
    """Return {key: file name} of the files that a scenario text names, such as {"stations.existing": "list.csv"}.

    Raises ValueError, RecursionError or ArithmeticError for a text that is no TOML.
    """
    content, named = _content(text), {}
    for setting in FILE_SETTINGS:
        table, _, key = setting.key.rpartition(".")
        holder = content.get(table, {}) if table else content
        value = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(value, str) and value:
            named[setting.key] = value
    return named


def fit(text, files, name=NAMELESS):
    """Return (text, {name: bytes}) that belong together, the files named as the text spells them.

    text   at most ``LARGEST_FILE`` bytes in UTF-8, TOML; whether its settings can be used is asked of :func:`check`
    files  each that the text names and no other; at most ``LARGEST_ATTACHMENT`` bytes each, ``LARGEST_TOTAL`` in all
    name   what messages call the scenario's file, without ``.toml``
    Raises :class:`geo.faults.ScenarioRejected` with every fault.
    """
    file = f"{shown(name)}.toml"
    text = text.removeprefix("\ufeff")
    if "\0" in text or not _is_utf8(text):
        raise ScenarioRejected([ScenarioFault("scenario_encoding", file)])
    if len(text.encode()) > LARGEST_FILE:
        raise ScenarioRejected([ScenarioFault("parcel_text_large", file, params={"limit": f"{LARGEST_FILE:,}"})])
    try:
        named, lines = named_files(text), key_lines(text)
        region = _content(text).get("region")
    except (ValueError, RecursionError, ArithmeticError):
        _reject_as_read(text, name)
        raise
    faults = _sizes(files)
    if isinstance(region, str) and region not in embedded_regions():
        params = {"known": ", ".join(embedded_regions())}
        faults.append(ScenarioFault("parcel_region", file, lines[("region",)], "region", shown(region), params))
    given = {}
    for each in files:
        if given.setdefault(_folded(each), each) != each:
            faults.append(Fault("parcel_twice", shown(each)))
    fitting = {}
    for key, value in named.items():
        row = lines.get(tuple(key.split(".")))
        wrong = _unfit_name(value)
        if wrong is None and _folded(value) not in given:
            wrong = "parcel_missing"
        if wrong:
            params = {"kinds": ", ".join(KINDS), "longest": LONGEST_NAME}
            faults.append(ScenarioFault(wrong, file, row, key, shown(value), params))
        elif _folded(value) in map(_folded, fitting.keys() - {value}):
            faults.append(ScenarioFault("parcel_twice", file, row, key, shown(value)))
        else:
            fitting[value] = bytes(files[given[_folded(value)]])
    spelt = {_folded(value) for value in named.values()}
    faults += [Fault("parcel_unnamed", shown(each)) for each in files if _folded(each) not in spelt]
    faults += [Fault("parcel_xml", shown(each)) for each, data in fitting.items() if _is_marked_up(data)]
    if faults:
        raise ScenarioRejected(faults)
    return text, fitting


def check(text, files, name=NAMELESS):
    """Return the :class:`planner.scenario.Scenario` of a text with its files; a question that can be asked.

    The files themselves lie in a folder that is gone afterwards: to run the scenario load what :func:`materialise`
    writes. Raises :class:`geo.faults.ScenarioRejected` as :func:`fit` and :func:`planner.scenario.load_scenario` do,
    with lines, and with the scenario's file called ``name.toml``.
    """
    text, files = fit(text, files, name)
    with tempfile.TemporaryDirectory() as folder:
        return load_scenario(_written(Path(folder), name, text, files))


def _reject_as_read(text, name):
    """Raise what the planner says of a text that is no TOML, with its line."""
    with tempfile.TemporaryDirectory() as folder:
        load_scenario(_written(Path(folder), name, text, {}))


def _sizes(files):
    limit = {"limit": LARGEST_ATTACHMENT // MEGABYTE}
    large = [each for each, data in files.items() if len(data) > LARGEST_ATTACHMENT]
    faults = [Fault("parcel_file_large", shown(each), params=limit) for each in large]
    if sum(len(data) for data in files.values()) > LARGEST_TOTAL:
        faults.append(Fault("parcel_all_large", params={"limit": LARGEST_TOTAL // MEGABYTE}))
    return faults


def _unfit_name(name):
    """Return the fault of an attachment's name, None = it is a plain name of a kind that the planner reads."""
    if not _is_file_name(name):
        return "parcel_path"
    return None if name.casefold().endswith(KINDS) else "parcel_kind"


def _is_file_name(name):
    """Return whether a text can name a file on every system: no folder, no device, a stem as long as a scenario's."""
    stem, dot, end = name.rpartition(".")
    return is_name(stem) and is_name(end) if dot else is_name(name)


def _folded(name):
    """Return a file's name as systems compare it that know no capitals, or write accents apart."""
    return unicodedata.normalize("NFC", name).casefold()


def _is_marked_up(data):
    """Return whether a file is XML or a web page, whatever its name says: its readers must not be led elsewhere."""
    return re.match(rb"[\xef\xbb\xbf\xff\xfe\0\s]*<", data) is not None


def _is_utf8(text):
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a sign
        return False
    return True


# -- one file to hand on ---------------------------------------------------------------------------------------------


def pack(saved):
    """Return (file name, bytes) of a kept scenario as one file: ``.toml`` alone, with attachments a ``.zip``.

    saved  has ``text``, ``files`` and an ``entry`` with ``name`` and ``title``, as :class:`planner.store.Saved`
    Unpacked anywhere, ``jinyi run NAME.toml`` runs it. The same scenario gives the same bytes.
    """
    name, text = saved.entry.name, with_title(saved.text, saved.entry.title)
    if not saved.files:
        return f"{name}.toml", text.encode()
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for member, data in ((f"{name}.toml", text.encode()), *sorted(saved.files.items())):
            info = zipfile.ZipInfo(member)  # of the first of January 1980: no clock in the bytes
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compresslevel=6)
    return f"{name}.zip", whole.getvalue()


def unpack(name, data):
    """Return (text, {name: bytes}) of a file that :func:`pack` gives, or that somebody else made.

    Nothing in it is trusted: sizes are held against the limits before anything is unpacked, and only a scenario and the
    files that it names come out. Raises :class:`geo.faults.ScenarioRejected` with what is wrong, in one message each.
    """
    called = shown(re.split(r"[/\\]", str(name))[-1])
    if data.startswith(_BEGINS_ZIP):
        text, files = _from_archive(called, data)
    elif called.casefold().endswith(".zip"):
        raise _refused("parcel_not_zip", called)
    else:
        text, files = _decoded(data, called), {}
    return fit(text, files, re.sub(r"(?i)\.(toml|zip)$", "", called))


def _from_archive(called, data):
    """Return (text, files) of a zip archive, opened with gloves."""
    if len(data) > LARGEST_TOTAL + MEGABYTE:
        raise _refused("parcel_all_large", called, limit=LARGEST_TOTAL // MEGABYTE)
    try:
        if data.count(b"PK\x01\x02") > 1000:  # a directory that takes long to read even once
            raise _refused("parcel_many", called, most=1 + len(FILE_SETTINGS))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            names = _member_names(called, members)
            contents = {name: _member(called, archive, each) for name, each in zip(names, members, strict=True)}
    except _BROKEN:
        raise _refused("parcel_broken", called) from None
    scenario = next(name for name in contents if name.casefold().endswith(".toml"))
    text = _decoded(contents.pop(scenario), scenario)
    return text, _renamed(contents, _otherwise(names, members), text)


def _renamed(contents, otherwise, text):
    """Return the files under the reading of their names that the scenario has.

    Short names can be read both ways: 太原 in GBK is two other letters in UTF-8.
    """
    try:
        named = {_folded(name) for name in named_files(text).values()}
    except (ValueError, RecursionError, ArithmeticError):  # told when the text is read
        return contents
    better = {
        name: otherwise[name]
        for name in contents
        if _folded(name) not in named and _folded(otherwise.get(name, "")) in named
    }
    renamed = {better.get(name, name): data for name, data in contents.items()}
    return renamed if len(renamed) == len(contents) else contents


def _otherwise(names, members):
    """Return {name: the other reading of it} of the members that do not say how their names are written."""
    both = {name: _readings(each)[1:] for name, each in zip(names, members, strict=True)}
    return {name: others[0] for name, others in both.items() if others}


def _member_names(called, members):
    """Return the names of an archive's members. Raises ScenarioRejected for whatever may not be in it."""
    if len(members) > _MOST_MEMBERS:
        raise _refused("parcel_many", called, most=1 + len(FILE_SETTINGS))
    names = [_readings(each)[0] for each in members]
    faults, seen = [], set()
    for name, each in zip(names, members, strict=True):
        scenario = name.casefold().endswith(".toml")
        kind = stat.S_IFMT(each.external_attr >> 16)
        params = {"kinds": ", ".join(KINDS), "longest": LONGEST_NAME, "limit": LARGEST_ATTACHMENT // MEGABYTE}
        key = None
        if each.is_dir() or "/" in name or "\\" in name:
            key = "parcel_folder"
        elif not _is_file_name(name):
            key = "parcel_name"
        elif kind not in (0, stat.S_IFREG):
            key = "parcel_link"
        elif each.flag_bits & _ENCRYPTED:
            key = "parcel_encrypted"
        elif each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            key = "parcel_method"
        elif not scenario and not name.casefold().endswith(KINDS):
            key = "parcel_kind"
        elif _folded(name) in seen:
            key = "parcel_twice"
        elif scenario and each.file_size > LARGEST_FILE:
            key, params = "parcel_text_large", {"limit": f"{LARGEST_FILE:,}"}
        elif each.file_size > LARGEST_ATTACHMENT:
            key = "parcel_file_large"
        if key:
            faults.append(Fault(key, f"{called} · {shown(name)}", params=params))
        seen.add(_folded(name))
    if not faults and sum(each.file_size for each in members) > LARGEST_TOTAL + LARGEST_FILE:
        faults.append(Fault("parcel_all_large", called, params={"limit": LARGEST_TOTAL // MEGABYTE}))
    scenarios = [name for name in names if name.casefold().endswith(".toml")]
    if not faults and len(scenarios) != 1:
        said = ", ".join(map(shown, scenarios))
        faults.append(Fault("parcel_scenarios" if scenarios else "parcel_no_scenario", called, value=said))
    if faults:
        raise ScenarioRejected(faults)
    return names


def _readings(member):
    """Return what a member's name may be, the likelier first: Chinese Windows writes GBK and does not say so."""
    name = member.orig_filename
    readings = [name]
    if not member.flag_bits & _NAME_IN_UTF8:
        try:
            raw = name.encode("cp437")  # as the library read it
            readings = [_decoded_name(raw, encoding) for encoding in ("utf-8", "gb18030")]
        except UnicodeEncodeError:
            pass
    return list(dict.fromkeys(unicodedata.normalize("NFC", each) for each in readings if each is not None)) or [name]


def _decoded_name(raw, encoding):
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _member(called, archive, member):
    """Return a member's bytes, never more than it said to have."""
    with archive.open(member) as file:
        data = file.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise _refused("parcel_broken", called)
    return data


def _decoded(data, file):
    if len(data) > LARGEST_FILE:
        raise _refused("parcel_text_large", shown(file), limit=f"{LARGEST_FILE:,}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise ScenarioRejected([ScenarioFault("scenario_encoding", shown(file), row)]) from None


def _refused(key, file, **params):
    return ScenarioRejected([Fault(key, file, params=params)])


# -- a folder to run from --------------------------------------------------------------------------------------------


def materialise(saved, folder):
    """Return the path of a kept scenario's TOML file in a folder of its own below ``folder``, its files beside it.

    The folder's name is made from all that is in it, so the same scenario is written once, and a path never comes to
    mean another scenario. Its title is the entry's. Raises OSError where nothing can be written.
    """
    name, text = saved.entry.name, with_title(saved.text, saved.entry.title)
    contents = {f"{name}.toml": text.encode()} | saved.files
    said = json.dumps([[each, hashlib.sha256(contents[each]).hexdigest()] for each in sorted(contents)])
    home = Path(folder) / hashlib.sha256(said.encode()).hexdigest()[:24]
    for _ in range(3):  # another process may write, or sweep, the same folder
        if _holds(home, contents):
            return home / f"{name}.toml"
        home.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".writing-", dir=home.parent))
        try:
            _written(draft, name, text, saved.files)
            draft.replace(home)
        except OSError:  # it is there: written by another process in the meantime, or spoilt
            if not _holds(home, contents):
                shutil.rmtree(home, ignore_errors=True)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    if _holds(home, contents):
        return home / f"{name}.toml"
    raise OSError(f"{home.name}: not written")


def _holds(home, contents):
    """Return whether a folder has these files with these bytes; a reader may have left notes of its own beside them."""
    try:
        return all((home / each).read_bytes() == data for each, data in contents.items())
    except OSError:
        return False


def _written(folder, name, text, files):
    """Write a scenario and its files; return the scenario's path."""
    for each, data in files.items():
        (folder / each).write_bytes(data)
    path = folder / f"{name if is_name(name) else NAMELESS}.toml"
    path.write_bytes(text.encode())
    return path
