"""A planner's table of hospitals: read in whatever way it was typed, refused with every fault named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo import facilities
from geo.facilities import HEADINGS, KINDS, OWNERS, REQUIRED, load_facilities
from geo.faults import Rejected
from geo.region import load_region
from geo.table_file import MOST_FAULTS
from geo.words import LANGUAGES, load_words
from tests.geo.folders import paper_region

HEAD = ",".join(HEADINGS.values())
SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    """Counties 140101 东县, 140102 西县 and 140199 点县 of the one city 140100."""
    return load_region(paper_region(tmp_path_factory.mktemp("paper")))


@pytest.fixture
def write(tmp_path):
    def written(*rows, head=HEAD, encoding="utf-8", name="医院.csv"):
        path = tmp_path / name
        path.write_bytes("\n".join([head, *rows, ""]).encode(encoding))
        return path

    return written


def faults_of(path, region):
    with pytest.raises(Rejected) as rejected:
        load_facilities(path, region)
    for lang in LANGUAGES:
        for fault in rejected.value.faults:
            line = fault.tell(load_words(lang))
            assert "\n" not in line and "{" not in line and "\x1b" not in line, line
    return rejected.value.faults


def told(path, region):
    return [(fault.row, fault.column, fault.key) for fault in faults_of(path, region)]


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_table_on_its_ids_in_order_with_what_was_not_measured_absent(write, region):
    table = load_facilities(
        write(
            "B2,县医院,140102,县办公立及基层,综合及其他,300,81.5,8.25,510,25500,否,否",
            "A1,省医院,140101,市办及以上公立,中医,1000,,,,,是,",
        ),
        region,
    )
    assert table.index.name == "id" and list(table.index) == ["A1", "B2"]
    assert list(table.columns) == [
        *("name", "county_code", "city_code", "owner", "kind", "beds"),
        *("occupancy", "stay_days", "staff", "floor_area", "host", "may_grow"),
    ]
    assert table.loc["B2"].tolist() == [
        *("县医院", "140102", "140100", "county_and_primary", "general", 300),
        *(81.5, 8.25, 510.0, 25_500.0, False, False),
    ]
    first = table.loc["A1"]
    assert (first["owner"], first["kind"], first["beds"]) == ("city_and_above", "tcm", 1000)
    assert first[["occupancy", "stay_days", "staff", "floor_area"]].isna().all()
    assert (first["host"], first["may_grow"]) == (True, True)
    assert table["beds"].dtype == np.int64 and table["host"].dtype == bool and table["occupancy"].dtype == float


def test_english_headings_units_and_other_columns_do_no_harm(write, region):
    head = "id,name,County_Code,owner,kind,beds,occupancy (%),业务用房面积（平方米）,电话"
    table = load_facilities(write("1,a,140101,private,nursing,30,70%,1200,0351", head=head), region)
    assert (table.at["1", "occupancy"], table.at["1", "floor_area"]) == (70.0, 1200.0)
    assert np.isnan(table.at["1", "staff"]) and table.at["1", "may_grow"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_whatever_a_spreadsheet_saves(write, region, encoding):
    plain = write("A1,县医院,140101,其他公立,综合,20,,,,,,")
    spread = "A1,县医院,140101,其他公立,综合,20,,,,,,\r\n,,,,,,,,,,,\r\n"
    pd.testing.assert_frame_equal(
        load_facilities(plain, region), load_facilities(write(spread, encoding=encoding, name="b.csv"), region)
    )


def test_full_width_figures_and_blanks_are_forgiven_and_names_left_alone(write, region):
    row = '\u3000A１\u200b, ＝1+1 ,１４０１０１, 社会办 ,精神,"1,200 ",８５．５％, 9.0 ,,,ＹＥＳ,Ｎ'
    table = load_facilities(write(row), region)
    assert list(table.index) == ["A１"] and table.at["A１", "name"] == "＝1+1"
    assert table.loc["A１", ["county_code", "beds", "occupancy", "host", "may_grow"]].tolist() == [
        *("140101", 1200, 85.5, True, False)
    ]


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+86", "-1", "<b>", '"引号"', "a,b", "第一\u3000医院"])
def test_a_name_is_text_whatever_it_looks_like(write, region, name):
    cell = '"' + name.replace('"', '""') + '"'
    assert load_facilities(write(f"A1,{cell},140101,社会办,精神,10,,,,,,"), region).at["A1", "name"] == name


@pytest.mark.parametrize("word", OWNERS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_owners_and_kinds_as_words_and_as_the_tables_print_them(write, region, word, lang):
    rows = []
    for n, kind in enumerate(KINDS):
        owner = word if n % 2 else load_words(lang)(f"value.owner.{word}")
        rows.append(f'{n},x,140101,"{owner}",{load_words(lang)(f"value.kind.{kind}")},1,,,,,,')
    table = load_facilities(write(*rows), region)
    assert set(table["owner"]) == {word} and list(table["kind"]) == list(KINDS)


def test_no_two_owners_or_kinds_go_by_one_name():
    for column, known in facilities.WORDS.items():
        names = [name for word, others in known.items() for name in (word, *others)]
        assert len(names) == len(set(names))
        assert set(facilities._names(column).values()) == set(known)
        for word in known:
            assert all(facilities._names(column)[each.casefold()] == word for each in (word, *known[word]))


def test_the_order_of_rows_and_columns_changes_nothing(write, region):
    rows = [f"A{n},院{n},140101,县办,综合,{n},80,8,{n},{n},," for n in range(1, 9)]
    whole = load_facilities(write(*rows), region)
    mixed = [",".join(reversed(row.split(","))) for row in reversed(rows)]
    turned = load_facilities(write(*mixed, head=",".join(reversed(HEAD.split(","))), name="b.csv"), region)
    pd.testing.assert_frame_equal(whole, turned)


def test_the_shipped_example_says_that_it_is_made_up():
    table = load_facilities(SCENARIOS / "hospitals-example.csv", load_region())
    assert len(table) == 30 and table["name"].str.startswith("虚构示例医院").all()
    assert table["host"].sum() == 2 and table["city_code"].nunique() >= 8
    assert {"private"} < set(table["owner"]) and {"tcm", "psychiatric"} < set(table["kind"])


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_all_faults_at_once_each_with_its_place(write, region):
    path = write(
        "A1,,140101,市班,综合,12.5,0.85,8天,,,,",
        "A1,甲,140198,社会办,精神,-3,151,1001,x,-1,也许,?",
        "A2,甲,140101,社会办,精神",
        "A3,甲,西县,社会办,,,,,,,,",
        ",甲,140101,社会办,精神,5,,,,,,",
    )
    assert told(path, region) == [
        (2, "机构名称", "facility_blank"),
        (2, "办别", "facility_word"),
        (2, "床位", "facility_beds"),
        (2, "床位使用率", "facility_share"),
        (2, "平均住院日", "facility_number"),
        (3, "县代码", "facility_county"),
        (3, "床位", "facility_beds"),
        (3, "床位使用率", "facility_range"),
        (3, "平均住院日", "facility_range"),
        (3, "人员", "facility_number"),
        (3, "业务用房面积", "facility_range"),
        (3, "区域中心主体", "facility_switch"),
        (3, "可增床", "facility_switch"),
        (3, "机构代码", "facility_twice"),
        (4, "", "ragged_row"),
        (5, "县代码", "facility_county"),
        (5, "类别", "facility_word"),
        (5, "床位", "facility_blank"),
        (6, "机构代码", "facility_blank"),
    ]


def test_a_message_names_file_row_column_value_and_remedy(write, region):
    county, word = faults_of(write("A1,甲,西县,市班,综合,12,,,,,,"), region)
    assert county.tell(load_words("zh")) == (
        "医院.csv · 第 2 行 · “县代码”列 · 值“西县”: 区域中没有这个县代码；最接近的是 140102 西县。请按六位县代码填写。"
    )
    assert county.tell(load_words("en")) == (
        '医院.csv · row 2 · column "县代码" · value "西县": '
        "the region has no county with this code; nearest is 140102 西县. Write the county's six-digit code."
    )
    assert word.params["nearest"] == "市办及以上公立 city_and_above"


def test_columns_that_are_missing_repeated_or_misspelt(write, region):
    assert [column for _, column, key in told(write("1", head="机构代码"), region) if key == "facility_column"] == [
        f"{HEADINGS[column]} / {column}" for column in REQUIRED[1:]
    ]
    assert told(write("", head=f"{HEAD},beds"), region) == [(1, "beds", "repeated_column")]
    head = HEAD.replace("床位使用率", "床位使用律")
    (fault,) = faults_of(write("A1,甲,140101,社会办,精神,5,,,,,,", head=head), region)
    assert (fault.key, fault.column, fault.params) == ("facility_heading", "床位使用律", {"nearest": "床位使用率"})


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b"", "facility_none"),
        (b"\n\n,,,\n", "facility_none"),
        (HEAD.encode() + b"\n", "facility_none"),
        (b"PK\x03\x04" + b"x" * 50, "facility_no_text"),
        (HEAD.encode("utf-16"), "facility_no_text"),
        (b"\xff\xff\xff", "facility_no_text"),
        (HEAD.encode() + b'\nA1,"x', "facility_quotes"),
        (HEAD.encode() + b'\nA1,"x"y,1', "facility_quotes"),
    ],
)
def test_what_is_no_table_is_one_fault(tmp_path, region, raw, key):
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    assert [fault.key for fault in faults_of(path, region)] == [key]


def test_a_file_that_is_not_there_or_a_folder_or_too_large(tmp_path, region, monkeypatch):
    assert [fault.key for fault in faults_of(tmp_path / "no.csv", region)] == ["facility_missing"]
    assert [fault.key for fault in faults_of(tmp_path, region)] == ["facility_missing"]
    monkeypatch.setattr(facilities, "LARGEST_FILE", 10)
    (tmp_path / "a.csv").write_text(HEAD, "utf-8")
    assert [fault.key for fault in faults_of(tmp_path / "a.csv", region)] == ["facility_large"]


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2Jb", "a\u202eb", "a\u200bb", "x" * 201])
def test_signs_that_nobody_sees_are_refused_inside_a_text(write, region, name):
    for row in (f'A1,"{name}",140101', f'"{name}",甲,140101'):
        (fault,) = faults_of(write(f"{row},社会办,精神,5,,,,,,"), region)
        assert fault.key == "facility_text"


@pytest.mark.parametrize(
    ("occupancy", "right"),
    [("0", True), ("150", True), ("150.1", False), ("1.5", False), ("1.51", True), ("-1", False)],
)
def test_the_ends_of_occupancy(write, region, occupancy, right):
    path = write(f"A1,甲,140101,社会办,精神,5,{occupancy},,,,,")
    if right:
        assert load_facilities(path, region).at["A1", "occupancy"] == float(occupancy)
    else:
        assert len(faults_of(path, region)) == 1


@pytest.mark.parametrize("beds", ["1e3", "nan", "inf", "12,34", "0x10", "½", "九", "--5", "9" * 40, "5 0"])
def test_what_is_no_figure(write, region, beds):
    (fault,) = faults_of(write(f'A1,甲,140101,社会办,精神,"{beds}",,,,,,'), region)
    assert fault.key == "facility_number"


def test_a_table_full_of_faults_ends_in_time(write, region):
    faults = faults_of(write(*[f"{n},甲,999999,谁,什么,x,,,,,," for n in range(2_000)]), region)
    assert faults[-1].key == "facility_more" and len(faults) < MOST_FAULTS + 10


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_mutated_table_is_read_or_refused_in_words(tmp_path, region, data):
    rows = ["A1,甲,140101,社会办,精神,50,85,9.5,60,4000,否,是", 'A2,"乙,丙",140102,县办,综合,"1,200",,,,,,']
    raw = bytearray("\n".join([HEAD, *rows]).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw)))
        pieces = st.sampled_from([b"", b'"', b",", b"\n", b"\r", b"\0", b"nan", b"\xff", b"-", "，".encode()])
        raw[at : at + data.draw(st.integers(0, 6))] = data.draw(pieces)
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(raw))
    try:
        table = load_facilities(path, region)
    except Rejected as rejected:
        for fault in rejected.faults:
            assert fault.tell(load_words("zh")) and fault.tell(load_words("en"))
    else:
        assert table.index.is_unique
