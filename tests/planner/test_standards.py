"""The register of standards: what the documents say, exact, found by words, and checked at the door."""

import csv
import dataclasses
import shutil
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.faults import Rejected
from geo.words import load_words
from planner.standards import FILES, FOLDER, UnknownStandard, decimal_text, load_standards

# 表3 of 晋政发〔2023〕4号, read off the document: city, beds per 1000 residents in 2020 and in 2025.
TABLE_3 = {
    "太原市": ("8.80", "11.00"),
    "大同市": ("7.44", "7.50"),
    "朔州市": ("6.29", "7.50"),
    "忻州市": ("5.28", "6.50"),
    "吕梁市": ("4.06", "5.00"),
    "晋中市": ("5.14", "6.78"),
    "阳泉市": ("5.95", "7.00"),
    "长治市": ("6.17", "7.50"),
    "晋城市": ("6.58", "7.00"),
    "临汾市": ("6.17", "6.50"),
    "运城市": ("6.97", "7.30"),
}


@pytest.fixture(scope="module")
def register():
    return load_standards()


@pytest.fixture
def copy(tmp_path):
    """A register of one's own, to spoil."""
    for name in FILES:
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def edit(folder, name, old, new):
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def keys(rejected):
    return [(fault.key, fault.file, fault.row, fault.column) for fault in rejected.value.faults]


def test_every_row_of_the_register_is_a_standard(register):
    with (FOLDER / "standards.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(register) == [row["id"] for row in rows]
    assert len(register) == 737
    for row in rows:
        standard = register[row["id"]]
        for column in ("value", "value_max", "base_value"):
            number = getattr(standard, column)
            assert number == (Fraction(row[column]) if row[column] else None), (row["id"], column)
        assert standard.clause == row["clause"] and standard.document == row["document"]


@pytest.mark.parametrize("city", TABLE_3)
def test_bed_targets_are_those_of_table_3(register, city):
    base, target = TABLE_3[city]
    standard = register.city_bed_target(city)
    assert (standard.base_value, standard.value) == (Fraction(base), Fraction(target))
    assert (standard.clause, standard.base_year, standard.target_year, standard.per) == ("表3", 2020, 2025, 1000)
    code = next(code for code, each in register.cities.items() if each.name_zh == city)
    assert register.city_bed_target(code) is standard


def test_a_city_outside_table_3_has_no_target(register):
    with pytest.raises(UnknownStandard) as unknown:
        register.city_bed_target("太原")
    assert unknown.value.nearest == "太原市"
    with pytest.raises(KeyError):
        register.city_bed_target("140000")  # the province is no city


def test_radii_ambulances_and_centres(register):
    assert register["emergency_radius_urban"].value == 5
    rural = register["emergency_radius_rural"]
    assert (rural.value, rural.value_max, rural.comparator, rural.figure) == (10, 20, "range", "10–20")
    assert register["ambulance_per_30000"].per == 30_000
    assert register["t3_beds_per_1000_jinzhong"].value == Fraction(339, 50)  # 6.78, exactly
    assert register.city_codes("one_axis_four_centres") == ("140200", "140400", "141000", "140800")
    assert register.city_codes("taiyuan_medical_summit") == ("140100",)
    assert register["one_axis_four_centres"].areas == ("大同市", "长治市", "临汾市", "运城市")


def test_per_is_read_from_the_unit_where_it_is_one_number(register):
    units = {standard.unit: standard.per for standard in register.values()}
    assert units["persons per 10000 residents"] == 10_000
    assert units["hospitals per 10000000 residents"] == 10_000_000
    assert units["hospitals per 1000000 to 2000000 residents"] is None
    assert units["m2 per bed"] is None
    assert units["km"] is None


def test_every_unit_has_a_chinese_name(register):
    with (FOLDER / "units.csv").open(encoding="utf-8", newline="") as file:
        named = {row["unit"]: row["unit_zh"] for row in csv.DictReader(file)}
    used = {standard.unit for standard in register.values() if standard.unit}
    assert used == set(named) and all(named.values())
    assert register["ambulance_per_30000"].unit_in("zh") == "辆/3万人口"
    assert register["ambulance_per_30000"].unit_in("en") == "ambulances per 30000 people"


@pytest.mark.parametrize(
    "words",
    [("急救", "半径"), ("急救 半径",), ("EMERGENCY", "radius"), ("emergency_radius",), ("急救", "radius", "公里")],
)
def test_search_needs_every_word_in_either_language(register, words):
    assert [each.id for each in register.search(*words)] == ["emergency_radius_urban", "emergency_radius_rural"]


def test_search_takes_document_clause_area_and_any_width_of_sign(register):
    found = register.search("［2023］4号", "表3", "taiyuan")
    assert [each.id for each in found] == ["t3_beds_per_1000_taiyuan"]
    assert len(register.search("表３ 床位")) == 12
    assert register.search("no such word") == ()
    assert len(register.search()) == 737


def test_an_unknown_id_names_the_nearest(register):
    with pytest.raises(KeyError, match="did you mean 'emergency_radius_urban'") as unknown:
        register["emergency_radius_urbn"]
    assert unknown.value.nearest == "emergency_radius_urban"
    with pytest.raises(KeyError) as unknown:
        register["吃饭"]
    assert unknown.value.nearest == "" and "did you mean" not in str(unknown.value)


def test_a_standard_is_frozen(register):
    with pytest.raises(dataclasses.FrozenInstanceError):
        register["emergency_radius_urban"].value = Fraction(6)
    with pytest.raises(TypeError):
        register["emergency_radius_urban"] = None


def test_the_digest_tells_any_change(copy, register):
    assert load_standards(copy).digest == register.digest
    edit(copy, "institutions.csv", "\n", "\n\n")
    changed = load_standards(copy)
    assert changed.digest != register.digest
    assert [name for name in FILES if changed.files[name] != register.files[name]] == ["institutions.csv"]


def test_a_corrected_figure_is_taken_and_a_byte_order_mark_forgiven(copy):
    path = copy / "standards.csv"
    text = path.read_text(encoding="utf-8").replace(",=,6.78,", ",=,6.79,")
    path.write_text(text, encoding="utf-8-sig", newline="")
    assert load_standards(copy).city_bed_target("晋中市").value == Fraction("6.79")


def test_all_faults_are_told_at_once_with_their_lines(copy):
    lines = (copy / "standards.csv").read_text(encoding="utf-8").splitlines()
    lines[1] = lines[1].replace(",41011,,", ",4.1e,,", 1)  # the value
    lines[2] = lines[1].replace("4.1e", "41011")  # the id of line 2 again
    lines[3] += ",one cell too many"
    lines[4] = lines[4].replace("2021", "twenty", 1)
    (copy / "standards.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(Rejected) as rejected:
        load_standards(copy)
    assert sorted(keys(rejected), key=lambda each: each[2]) == [
        ("bad_figure", "standards.csv", 2, "value"),
        ("duplicate_standard", "standards.csv", 3, "id"),
        ("ragged_row", "standards.csv", 4, ""),
        ("bad_figure", "standards.csv", 5, "base_year"),
    ]
    for lang in ("zh", "en"):
        assert all(fault.tell(load_words(lang)) for fault in rejected.value.faults)


def test_a_missing_file_or_column_and_another_encoding_are_told(copy):
    (copy / "cities.csv").unlink()
    with pytest.raises(Rejected) as rejected:
        load_standards(copy)
    assert [key for key, *_ in keys(rejected)] == ["missing_file"]
    shutil.copy(FOLDER / "cities.csv", copy)
    edit(copy, "cities.csv", "adcode", "code")
    (copy / "standards.csv").write_bytes((FOLDER / "standards.csv").read_text(encoding="utf-8").encode("gb18030"))
    with pytest.raises(Rejected) as rejected:
        load_standards(copy)
    assert keys(rejected) == [
        ("not_utf8", "standards.csv", None, ""),
        ("missing_column", "cities.csv", None, "adcode"),
    ]


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_a_decimal_keeps_its_value_as_text(digits, places):
    number = Fraction(digits, 10**places)
    text = decimal_text(number)
    assert Fraction(text) == number
    assert "e" not in text and "/" not in text and not (("." in text) and text.endswith(("0", ".")))


def test_a_fraction_without_decimals_keeps_its_stroke():
    assert [decimal_text(Fraction(*parts)) for parts in ((1, 3), (15, 2), (11, 1), (-1, 20))] == [
        "1/3",
        "7.5",
        "11",
        "-0.05",
    ]
