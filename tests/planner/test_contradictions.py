"""The documents' contradictions: figures counted by hand, clauses of the register, and what a correction does."""

from types import SimpleNamespace

import pytest

from geo.region import load_region
from geo.words import load_words
from planner.contradictions import COLUMNS, STRATEGY_PREFIX, document_conflicts
from planner.standards import FILES, FOLDER, load_standards
from tests import town

# Added up by hand from the documents and the census of 34,915,616: first figure, second figure, difference, unit.
BY_HAND = {
    "table3_against_table1": (260_124, 261_867, 1_743, "beds"),
    "base_against_table1": (224_898, 223_809, 1_089, "beds"),
    "growth_by_cities_against_table1": (35_226, 38_058, 2_832, "beds"),
    "base_year": (6.41, 6.58, 0.17, "beds_per_1000"),
    "public_occupancy_against_freeze": (73.8, 75, 1.2, "percent"),
    "public_stay_against_freeze": (10.3, 9, 1.3, "days"),
    "staff_against_freeze": (1.57, 1.62, 0.05, "staff_per_bed"),
    "centre_goals_against_freeze": (73.06, 75, 1.94, "percent"),  # 100,000 x 8 days in 3,000 beds x 365 days
    "strategy_against_growth_datong": (0.06, 0.90, 0.84, "beds_per_1000"),
    "strategy_against_growth_linfen": (0.33, 0.90, 0.57, "beds_per_1000"),
    "infectious_four_against_centres": (4, 3, 1, "cities"),  # Yuncheng is a centre, its hospital is not regional
    "national_centres": (3, 4, 1, "centres"),
    "staff_per_bed_totals": (1.57, 1.59, 0.02, "staff_per_bed"),  # 36.29 over 22.89
    "nurse_doctor_2015": (0.90, 0.92, 0.02, "nurses_per_doctor"),  # 2.27 over 2.46
    "nurse_doctor_2021": (1.07, 1.10, 0.03, "nurses_per_doctor"),  # 3.57 over 3.26
    "nurse_doctor_of_beds": (1.20, 2, 0.8, "nurses_per_doctor"),
    "public_health_staff": (0.83, 0.425, 0.405, "persons_per_1000"),  # (1.75 + 1.5 + 1) / 10
    "cdc_against_divisions": (129, 132, 3, "institutions"),  # 1 + 11 + 117
    "ambulances_by_city": (1_170, 1_164, 6, "vehicles"),
}
OF_CITIES = ("table3", "base_", "growth_by_cities", "strategy", "cdc", "ambulances")


@pytest.fixture(scope="module")
def shanxi():
    return load_region()


@pytest.fixture(scope="module")
def conflicts(shanxi):
    return document_conflicts(load_standards(), shanxi)


def corrected(folder, *changes):
    """Return the register with words of its rows replaced: (id, before, after)."""
    for name in FILES:
        (folder / name).write_bytes((FOLDER / name).read_bytes())
    lines = (folder / "standards.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    for id, before, after in changes:
        (n,) = [n for n, line in enumerate(lines) if line.startswith(id + ",")]
        assert before in lines[n]
        lines[n] = lines[n].replace(before, after)
    (folder / "standards.csv").write_text("".join(lines), encoding="utf-8", newline="")
    return load_standards(folder)


def test_as_counted_by_hand(conflicts):
    assert list(conflicts.columns) == COLUMNS
    found = {
        row.conflict: (row.first_figure, row.second_figure, row.difference, row.unit) for row in conflicts.itertuples()
    }
    assert list(found) == list(BY_HAND)
    for conflict, (first, second, difference, unit) in BY_HAND.items():
        assert found[conflict][:3] == pytest.approx((first, second, difference)), conflict
        assert found[conflict][3] == unit


def test_both_clauses_are_those_of_the_register(conflicts):
    said = conflicts.set_index("conflict")[["first_document", "first_clause", "second_document", "second_clause"]]
    plan, work_plan = "晋政发〔2023〕4号", "晋政办函〔2023〕19号"
    assert tuple(said.loc["table3_against_table1"]) == (plan, "表3", plan, "表1; 三(二)1")
    assert tuple(said.loc["public_stay_against_freeze"]) == (plan, "一(一)5", plan, "三(二)3")
    assert tuple(said.loc["strategy_against_growth_linfen"]) == (plan, "表2", plan, "表3")
    assert tuple(said.loc["national_centres"]) == (plan, "五(二)2", work_plan, "四")
    known = {(each.document, each.clause) for each in load_standards().values()}
    for row in said.itertuples():
        assert {(row.first_document, row.first_clause), (row.second_document, row.second_clause)} <= known


def test_another_regions_cities_are_in_no_table(town_folder, conflicts):
    """The drawn province has two cities of the eleven: what rests on cities is not told, the rest as it was."""
    elsewhere = document_conflicts(load_standards(), load_region(town_folder))
    rest = conflicts[~conflicts["conflict"].str.startswith(OF_CITIES)]
    assert elsewhere.equals(rest.reset_index(drop=True))
    assert set(town.CITY_OF.values()) < set(load_standards().cities)


def test_order_of_counties_and_growth_of_people_change_nothing(shanxi, conflicts):
    counties = shanxi.counties.drop(columns="geometry").sample(frac=1, random_state=1)
    counties["persons"] = counties["persons"] * 2
    cities = shanxi.cities.drop(columns="geometry").sample(frac=1, random_state=2)
    turned = SimpleNamespace(counties=counties, cities=cities, province=shanxi.province)
    assert document_conflicts(load_standards(), turned).equals(conflicts)


@pytest.mark.parametrize(
    ("change", "settled"),
    [
        (("base21_public_hospital_occupancy", "73.8", "75"), "public_occupancy_against_freeze"),
        (("base21_public_hospital_alos", "10.3", "9"), "public_stay_against_freeze"),
        (("base21_nurse_doctor_ratio", ",1.07,", ",1.1,"), "nurse_doctor_2021"),
        (("base21_cdcs", ",132,", ",129,"), "cdc_against_divisions"),
        (("t3_beds_per_1000_linfen", ",6.5,,", ",7.5,,"), "strategy_against_growth_linfen"),
        (("national_centres_existing", ",3,,", ",4,,"), "national_centres"),
    ],
)
def test_what_is_corrected_in_the_register_is_no_longer_told(tmp_path, shanxi, change, settled):
    after = document_conflicts(corrected(tmp_path, change), shanxi)
    assert settled not in set(after["conflict"])
    others = [name for name in BY_HAND if name != settled]
    assert [name for name in after["conflict"] if name in others] == others


def test_a_changed_figure_is_counted_again(tmp_path, shanxi):
    """One more bed for each thousand of Linfen's people."""
    before = document_conflicts(load_standards(), shanxi)["first_figure"][0]
    after = document_conflicts(corrected(tmp_path, ("t3_beds_per_1000_linfen", ",6.5,,", ",7.5,,")), shanxi)
    persons = shanxi.counties["persons"][shanxi.counties["city_code"] == "141000"].sum()
    assert after["first_figure"][0] - before == pytest.approx(persons / 1000, abs=1)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_has_its_words(conflicts, lang):
    """A corrected register may promote any city, so each of them has words."""
    words, standards = load_words(lang), load_standards()
    cities = [id.removeprefix(STRATEGY_PREFIX) for id in standards if id.startswith(STRATEGY_PREFIX)]
    could_be = {f"strategy_against_growth_{city}" for city in cities}
    assert set(words.section("value.conflict")) == {*BY_HAND, *could_be}
    assert all(f"value.unit.{unit}" in words for unit in conflicts["unit"])
