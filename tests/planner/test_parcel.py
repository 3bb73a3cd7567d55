"""A scenario with its files: what fits, what is refused and how it is said, one file to hand on, a folder to run."""

import io
import random
import stat
import struct
import tomllib
import zipfile
from types import SimpleNamespace

import pytest

from geo.faults import Rejected, ScenarioRejected
from geo.words import LANGUAGES, load_words
from planner.parcel import (
    LARGEST_ATTACHMENT,
    check,
    file_stem,
    fit,
    materialise,
    named_files,
    pack,
    title_of,
    unpack,
    with_title,
)
from planner.scenario import LARGEST_FILE, LONGEST_NAME, is_name, load_scenario, shipped_scenarios

PLAIN = 'extends = "shanxi-2025"\n\n[stations]\nrural_km = 14\n'
WITH_LIST = 'extends = "shanxi-2025"\n\n[stations]\nexisting = "急救站 名单.csv"  # 2024\nrural_km = 14\n'
LIST = "名称,经度,纬度\n站,112.5,37.8\n".encode()
HOSTILE = ("<img src=x onerror=alert(1)>", "${jndi:x}", "=cmd()", "</script>", "'; drop table jinyi_scenario; --")


def kept(text=WITH_LIST, title="太原（二）", **files):
    files = files or ({"急救站 名单.csv": LIST} if "existing" in text else {})
    return SimpleNamespace(entry=SimpleNamespace(name=file_stem(title), title=title), text=text, files=files)


def archive(members, **settings):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = settings.get("method", zipfile.ZIP_DEFLATED)
            info.external_attr = settings.get("mode", 0) << 16
            zipped.writestr(info, data)
    return whole.getvalue()


def keys_of(call, *arguments):
    with pytest.raises(Rejected) as refused:
        call(*arguments)
    for lang in LANGUAGES:
        for fault in refused.value.faults:
            said = fault.tell(load_words(lang))
            assert "{" not in said.replace("${", "") and "/tmp" not in said and len(said) < 400
    return {fault.key for fault in refused.value.faults}


# -- names and titles ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title", [*HOSTILE, "太原（二）", "…", "con", "aux.2025", "长" * 200, "𠀀" * 200, "a\u0301" * 99]
)
def test_every_title_has_a_file_name_that_every_system_takes(title):
    stem = file_stem(title)
    assert is_name(stem) and len(stem) <= LONGEST_NAME and not set(stem) & set("<>'`$&;()= ")


@pytest.mark.parametrize("name", ["SHANXI 2025", *shipped_scenarios()])
def test_no_kept_scenario_is_called_as_a_shipped_one(name):
    """Else it would extend itself."""
    assert file_stem(name).casefold() not in {each.casefold() for each in shipped_scenarios()}
    if name.startswith("SHANXI"):
        assert check(PLAIN, {}, file_stem(name)).rural_km == 14


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        'title = "old"  # why\nextends = "shanxi-2025"\n',
        'extends = "shanxi-2025"\r\n"title" = """two\r\nlines"""\r\n[stations]\r\nrural_km = 14\r\n',
        "# \u2028 \x85\nextends = \"shanxi-2025\"\ntitle = 'x'",
    ],
)
@pytest.mark.parametrize("title", [*HOSTILE, 'quoted "so" \\ and so', "新"])
def test_a_title_is_written_and_nothing_else_changes(text, title):
    titled = with_title(text, title)
    assert tomllib.loads(titled) == tomllib.loads(text) | {"title": title} and title_of(titled) == title
    assert set(text.splitlines()[-1:]) <= set(titled.splitlines()) or "'x'" in text
    assert with_title(titled, title) == titled


def test_a_broken_text_has_no_title_and_stays():
    assert title_of("title = [") == title_of('title = "a\\nb"') == title_of("title = 3") == ""
    assert with_title("title = [", "x") == "title = ["


# -- what fits -------------------------------------------------------------------------------------------------------


def test_named_files_are_those_of_the_settings():
    assert named_files(WITH_LIST) == {"stations.existing": "急救站 名单.csv"}
    assert named_files('travel.roads = "r.gpkg"\nstations = 3\n[beds]\nfacilities = ""\n') == {"travel.roads": "r.gpkg"}


def test_files_are_called_as_the_text_spells_them():
    text = '[stations]\nexisting = "Café.csv"\n'
    assert fit(text, {"Cafe\u0301.CSV": LIST}) == (text, {"Café.csv": LIST})
    assert fit("\ufeff" + text, {"Café.csv": LIST})[0] == text


@pytest.mark.parametrize(
    ("text", "files", "keys"),
    [
        (WITH_LIST, {}, {"parcel_missing"}),
        (PLAIN, {"a.csv": LIST}, {"parcel_unnamed"}),
        (WITH_LIST.replace("急救站 名单", "../../etc/x"), {}, {"parcel_path"}),
        (WITH_LIST.replace("急救站 名单", "C:\\\\x"), {}, {"parcel_path"}),
        (WITH_LIST.replace("急救站 名单", "nul"), {"nul.csv": LIST}, {"parcel_path"}),
        (WITH_LIST.replace(".csv", ".xlsx"), {"急救站 名单.xlsx": b"PK"}, {"parcel_kind"}),
        (WITH_LIST.replace(".csv", ".py"), {"急救站 名单.py": b"1"}, {"parcel_kind"}),
        (WITH_LIST, {"急救站 名单.csv": b"\xef\xbb\xbf" + b" \n" * 99 + b"<?xml"}, {"parcel_xml"}),
        (WITH_LIST, {"急救站 名单.csv": LIST, "急救站 名单.CSV": LIST}, {"parcel_twice"}),
        (WITH_LIST, {"急救站 名单.csv": bytes(LARGEST_ATTACHMENT + 1)}, {"parcel_file_large"}),
        ("#" * (LARGEST_FILE + 1), {}, {"parcel_text_large"}),
        ('region = "../elsewhere"\n', {}, {"parcel_region"}),
        ('region = "elsewhere"\n', {}, {"parcel_region"}),
        ("title = \ud800", {}, {"scenario_encoding"}),
        ("a = [\n", {}, {"scenario_syntax"}),
        ("a = " + "[" * 5000, {}, {"scenario_syntax"}),
        ("a = 1\na = 2\n", {}, {"scenario_twice"}),
    ],
)
def test_what_does_not_fit_is_refused_in_words(text, files, keys):
    assert keys_of(fit, text, files) == keys


def test_at_most_twenty_megabytes_in_all():
    text = '[beds]\nfacilities = "a.csv"\n[travel]\nroads = "b.pbf"\nspeeds = "c.csv"\n[stations]\nexisting = "d.csv"\n'
    files = dict.fromkeys(("a.csv", "b.pbf", "c.csv", "d.csv"), bytes(LARGEST_ATTACHMENT))
    assert set(fit(text, files)[1]) == set(files)
    assert "parcel_all_large" in keys_of(fit, text, files | {"e.csv": b"1"})


def test_faults_have_the_planner_s_names_and_lines():
    with pytest.raises(ScenarioRejected) as refused:
        check(PLAIN + 'urban_km = "near"\nrural = 3\n', {}, "太原")
    told = [fault.tell(load_words("zh")) for fault in refused.value.faults]
    assert told[0].startswith("太原.toml · 第 5 行") and told[1].startswith("太原.toml · 第 6 行")
    assert keys_of(check, 'extends = "other"\n', {}) == {"scenario_extends_missing"}


def test_a_checked_scenario_is_the_one_that_is_asked():
    scenario = check(WITH_LIST, {"急救站 名单.csv": LIST})
    assert scenario.rural_km == 14 and scenario.existing_stations.endswith("急救站 名单.csv")


# -- one file to hand on ---------------------------------------------------------------------------------------------


def test_a_scenario_alone_is_a_toml():
    name, data = pack(kept(PLAIN))
    assert name == "太原-二.toml" and tomllib.loads(data.decode()) == tomllib.loads(PLAIN) | {"title": "太原（二）"}
    assert unpack(name, b"\xef\xbb\xbf" + data) == (data.decode(), {})


def test_with_files_it_is_an_archive_that_runs_where_it_is_unpacked(tmp_path):
    name, data = pack(kept())
    assert name == "太原-二.zip" and pack(kept()) == (name, data)
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert {each.date_time for each in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        zipped.extractall(tmp_path)
    scenario = load_scenario(tmp_path / "太原-二.toml")
    assert scenario.title == "太原（二）" and scenario.existing_stations == str(tmp_path / "急救站 名单.csv")
    text, files = unpack(name, data)
    assert files == {"急救站 名单.csv": LIST} and title_of(text) == "太原（二）"


def test_the_longest_name_comes_back():
    name, data = pack(kept(title="长" * 200))
    assert len(name) == LONGEST_NAME + 4 and unpack(name, data)[1]


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_titles_travel_as_text(title, tmp_path):
    saved = kept(title=title)
    assert title_of(unpack(*pack(saved))[0]) == title_of(materialise(saved, tmp_path).read_text("utf-8")) == title


@pytest.mark.parametrize("file", ["急救站 名单.csv", "太原.csv"])  # the second is UTF-8 too, of two other letters
@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_names_as_chinese_windows_and_others_write_them_without_saying_how(file, encoding):
    name, text = file.encode(encoding), WITH_LIST.replace("急救站 名单.csv", file)
    data = archive([("a.toml", text), ("X" * len(name), LIST)]).replace(b"X" * len(name), name)
    assert unpack("a.zip", data)[1] == {file: LIST}


def patched(data, offset_local, offset_central, value):
    """Return an archive with a 16-bit field of its first member set."""
    data = bytearray(data)
    struct.pack_into("<H", data, data.index(b"PK\x03\x04") + offset_local, value)
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + offset_central, value)
    return bytes(data)


GOOD = [("a.toml", WITH_LIST), ("急救站 名单.csv", LIST)]


@pytest.mark.parametrize(
    ("name", "data", "keys"),
    [
        ("a.zip", archive([("a.toml", WITH_LIST), ("急救站 名单.csv", bytes(60_000_000))]), {"parcel_file_large"}),
        ("a.zip", archive([("a.toml", b"#" * 10_000_000)]), {"parcel_text_large"}),
        ("a.zip", archive([(f"{n}.csv", b"1") for n in range(400)]), {"parcel_many"}),
        ("a.zip", archive([(f"{n}.csv", b"1") for n in range(1200)]), {"parcel_many"}),
        ("a.zip", archive([("../a.toml", PLAIN)]), {"parcel_folder"}),
        ("a.zip", archive([("/etc/a.toml", PLAIN)]), {"parcel_folder"}),
        ("a.zip", archive([("x\\a.toml", PLAIN)]), {"parcel_folder"}),
        ("a.zip", archive([("folder/", b""), ("folder/a.toml", PLAIN)]), {"parcel_folder"}),
        ("a.zip", archive([("c:a.toml", PLAIN)]), {"parcel_name"}),
        ("a.zip", archive([("nul.toml", PLAIN)]), {"parcel_name"}),
        ("a.zip", archive([("a.toml", "/etc/passwd")], mode=stat.S_IFLNK | 0o777), {"parcel_link"}),
        ("a.zip", patched(archive(GOOD), 6, 8, 0x1), {"parcel_encrypted"}),
        ("a.zip", archive(GOOD, method=zipfile.ZIP_LZMA), {"parcel_method"}),
        ("a.zip", archive([*GOOD, ("b.toml", PLAIN)]), {"parcel_scenarios"}),
        ("a.zip", archive(GOOD[1:]), {"parcel_no_scenario"}),
        ("a.zip", archive([]), {"parcel_no_scenario"}),
        ("a.zip", archive([*GOOD, ("x.py", "1")]), {"parcel_kind"}),
        ("a.zip", archive([*GOOD, ("x.xml", "<a/>")]), {"parcel_kind"}),
        ("a.zip", archive([*GOOD, ("x.csv", "1")]), {"parcel_unnamed"}),
        ("a.zip", archive([("a.toml", PLAIN), ("A.TOML", PLAIN)]), {"parcel_twice"}),
        ("a.zip", archive([("a.toml", WITH_LIST), ("急救站 名单.csv", "<html>")]), {"parcel_xml"}),
        ("a.zip", archive(GOOD)[:-30], {"parcel_broken"}),
        ("a.zip", archive(GOOD)[:20], {"parcel_broken"}),
        ("a.zip", b"Rar!\x1a\x07", {"parcel_not_zip"}),
        ("a.toml", b"\xff\xfe" + PLAIN.encode("utf-16-le"), {"scenario_encoding"}),
        ("a.toml", "title = '大同'".encode("gbk"), {"scenario_encoding"}),
        ("a.toml", b"#" * 30_000, {"parcel_text_large"}),
        ("/x/../<a>.toml", WITH_LIST.encode(), {"parcel_missing"}),
        ("a.toml", b"<?xml version='1.0'?>", {"scenario_syntax"}),
    ],
)
def test_foreign_files_are_opened_with_gloves(name, data, keys):
    assert keys_of(unpack, name, data) == keys


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_in_an_archive():
    assert keys_of(unpack, "a.zip", archive([*GOOD, GOOD[1]])) == {"parcel_twice"}


def test_a_member_that_lies_about_its_size_is_not_believed():
    data = archive([("a.toml", PLAIN), ("b.csv", bytes(3_000_000))])
    small = data.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 10))
    assert small != data and keys_of(unpack, "a.zip", small) == {"parcel_broken"}


def test_spoilt_archives_are_refused_and_never_a_traceback():
    chance = random.Random(6)
    whole = pack(kept())[1]
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            unpack("a.zip", bytes(data))
        except Rejected as refused:
            assert refused.faults[0].tell(load_words("zh"))


# -- a folder to run from --------------------------------------------------------------------------------------------


def test_a_scenario_lies_where_its_content_says(tmp_path):
    path = materialise(kept(), tmp_path / "new")
    assert path == materialise(kept(), tmp_path / "new") and path.name == "太原-二.toml"
    scenario = load_scenario(path)
    assert scenario.title == "太原（二）" and scenario.existing_stations == str(path.parent / "急救站 名单.csv")
    other = materialise(kept(**{"急救站 名单.csv": LIST + b"\n"}), tmp_path / "new")
    assert other.parent != path.parent and len(list((tmp_path / "new").iterdir())) == 2


def test_a_spoilt_folder_is_written_again(tmp_path):
    path = materialise(kept(), tmp_path)
    (path.parent / "急救站 名单.csv").write_bytes(b"spoilt")
    (path.parent / "note.aux").write_bytes(b"")
    assert materialise(kept(), tmp_path) == path and (path.parent / "急救站 名单.csv").read_bytes() == LIST
    assert [each.name for each in tmp_path.iterdir()] == [path.parent.name]


def test_where_nothing_can_be_written_it_says_so(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError):
        materialise(kept(), tmp_path / "file")
