"""Evaluation on paper: two cities and three counties, a few hospitals; weights and ranking against another program."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.words import load_words
from planner.evaluation import (
    COLUMNS,
    GROUPS,
    INDICATOR_COLUMNS,
    INDICATORS,
    OF_A_HOSPITAL,
    entropy_weights,
    evaluate,
    topsis,
)
from planner.standards import load_standards

CITIES = pd.DataFrame({"name": ["东市", "西市"]}, index=["1", "2"])
COUNTIES = pd.DataFrame({"city_code": ["1", "1", "2"], "persons": [3_000, 1_000, 2_000]}, index=["a", "b", "c"])
ACCESS = pd.DataFrame({"now": [5.0, 1.0, 3.0], "plan": [6.0, 6.0, 3.0]}, index=["a", "b", "c"])
TARGETS = {"1": 60, "2": 20}
# county, city, owner, kind, beds now and planned; None = not known
CELLS = [
    ("a", "1", "city_and_above", "general", 20, 18),
    ("a", "1", "city_and_above", "psychiatric", 2, 4),
    ("a", "1", "city_and_above", "infectious", None, 2),
    ("a", "1", "city_and_above", "rehabilitation", None, 2),
    ("a", "1", "county_and_primary", "general", 10, 12),
    ("a", "1", "county_and_primary", "tcm", 4, 6),
    ("a", "1", "private", "general", 4, 4),
    ("b", "1", "county_and_primary", "general", 8, 10),
    ("b", "1", "county_and_primary", "tcm", 2, 2),
    ("b", "1", "private", "general", 0, 2),
    ("c", "2", "city_and_above", "general", 10, 10),
    ("c", "2", "city_and_above", "infectious", None, 0),
    ("c", "2", "county_and_primary", "general", 6, 6),
    ("c", "2", "county_and_primary", "tcm", 4, 4),
]
QUOTAS = pd.DataFrame(CELLS, columns=["code", "city_code", "owner", "kind", "beds_now", "beds_plan"]).astype(
    {"beds_now": "Int64"}
)
HOSPITALS = pd.DataFrame(
    [
        ("甲院", "1", "city_and_above", "general", 100, 150, 80.0, 8.0, 170.0, 6_000.0),
        ("乙院", "1", "county_and_primary", "general", 50, 50, 74.0, 11.0, 80.0, math.nan),
        ("丙院", "2", "county_and_primary", "general", 40, 40, 75.0, 9.0, 70.0, 2_000.0),
        ("丁院", "2", "private", "general", 500, 500, 10.0, 90.0, 1.0, 1.0),
        ("戊院", "2", "city_and_above", "psychiatric", 500, 500, 99.0, 90.0, 1.0, 1.0),
        ("己院", "2", "city_and_above", "general", 0, 60, 99.0, 1.0, 9.0, 9.0),
    ],
    columns=[
        "name",
        "city_code",
        "owner",
        "kind",
        "beds_now",
        "beds_plan",
        "occupancy",
        "stay_days",
        "staff",
        "floor_area",
    ],
    index=["h1", "h2", "h3", "h4", "h5", "h6"],
)
MATRICES = st.integers(2, 9).flatmap(
    lambda n: st.integers(1, 6).flatmap(
        lambda m: st.lists(st.lists(st.integers(1, 50), min_size=m, max_size=m), min_size=n, max_size=n)
    )
)


def judged(**changes):
    given = {"cities": CITIES, "counties": COUNTIES, "quotas": QUOTAS, "access": ACCESS, "targets": TARGETS}
    return evaluate(**{**given, "standards": load_standards(), **changes})


def values_of(indicators, phase, code):
    rows = indicators[(indicators["phase"] == phase) & (indicators["code"] == code)]
    return dict(zip(rows["indicator"], rows["value"], strict=True))


def test_entropy_weights_on_paper():
    """The first tells nothing. Shares 3/4 and 1/4: e = (3/4 ln 4/3 + 1/4 ln 4) / ln 2 = 0.8113; 1 and 0: e = 0."""
    found = entropy_weights(np.array([[7.0, 3.0, 5.0], [7.0, 1.0, 0.0]]))
    told = 1 - (0.75 * math.log(4 / 3) + 0.25 * math.log(4)) / math.log(2)
    assert found == pytest.approx([0, told / (1 + told), 1 / (1 + told)])
    assert found[0] == 0


@pytest.mark.parametrize("values", [[[3.0, 0.0], [3.0, 0.0]], [[1.0, 2.0]]])
def test_where_nothing_tells_places_apart_all_weigh_the_same(values):
    assert entropy_weights(np.array(values)).tolist() == [0.5, 0.5]


def test_topsis_on_paper():
    """Both columns have length 5. v = (0, .4) (.3, 0) (.4, .3), best (.4, .4), worst (0, 0)."""
    values = np.array([[0.0, 4.0], [3.0, 0.0], [4.0, 3.0]])
    found = topsis(values, np.array([0.5, 0.5]), np.array([True, True]))
    assert found == pytest.approx([0.5, 0.3 / (0.3 + math.sqrt(0.17)), 5 / 6])


def test_topsis_of_a_cost():
    """Of the second less is better: the second place is best in both, the first worst in both."""
    found = topsis(np.array([[3.0, 4.0], [4.0, 3.0]]), np.array([0.5, 0.5]), np.array([True, False]))
    assert found.tolist() == [0, 1]
    assert topsis(np.array([[3.0], [3.0]]), np.array([1.0]), np.array([True])).tolist() == [1, 1]


@pytest.mark.filterwarnings("ignore:Alternatives with indices")  # pymcdm on places that lead or trail in all
@given(MATRICES, st.data())
@settings(deadline=None)
def test_weights_and_ranking_against_pymcdm(rows, data):
    pytest.importorskip("pymcdm", reason="the oracle of this test is not installed")
    from pymcdm.methods import TOPSIS
    from pymcdm.normalizations import vector_normalization
    from pymcdm.weights import entropy_weights as other_weights

    values = np.array(rows, dtype=float)
    values = values[:, values.max(axis=0) > values.min(axis=0)]  # pymcdm divides by 0 where nothing differs
    if not values.shape[1]:
        return
    better = np.array(data.draw(st.lists(st.booleans(), min_size=values.shape[1], max_size=values.shape[1])))
    weights = entropy_weights(values)
    assert weights == pytest.approx(other_weights(values), abs=1e-9)
    theirs = TOPSIS(vector_normalization)(values, weights, np.where(better, 1, -1))
    assert topsis(values, weights, better) == pytest.approx(theirs, abs=1e-9)


@given(MATRICES, st.integers(2, 99))
@settings(deadline=None)
def test_the_unit_of_an_indicator_changes_nothing(rows, factor):
    values = np.array(rows, dtype=float)
    scaled = values * np.array([factor] + [1] * (values.shape[1] - 1))
    assert entropy_weights(scaled) == pytest.approx(entropy_weights(values), abs=1e-9)
    better = np.ones(values.shape[1], dtype=bool)
    weights = np.full(values.shape[1], 1 / values.shape[1])
    assert topsis(scaled, weights, better) == pytest.approx(topsis(values, weights, better), abs=1e-9)


@given(MATRICES)
@settings(deadline=None)
def test_nobody_who_is_nowhere_behind_is_ranked_behind(rows):
    values = np.array(rows, dtype=float)
    scores = topsis(values, entropy_weights(values), np.ones(values.shape[1], dtype=bool))
    for i, one in enumerate(values):
        for k, other in enumerate(values):
            if (one >= other).all():
                assert scores[i] >= scores[k] - 1e-9


def test_indicators_on_paper():
    evaluation, indicators = judged()
    assert list(evaluation.columns) == COLUMNS
    assert list(indicators.columns) == INDICATOR_COLUMNS
    unmeasured = dict.fromkeys(("staff_per_bed", "floor_per_bed", "passing", "occupancy", "stay"), math.nan)
    now = {
        "attainment": 50 / 60,
        "access": (5 * 3 + 1 * 1) / 4,
        "county_share": 24 / 50,
        "tcm_per_1000": 6 / 4,
        "psychiatric_per_1000": 2 / 4,
        "specialist_share": math.nan,  # nobody knows today's infectious beds
        "infectious_per_1000": math.nan,
        "evenness": 1 - 2 * 3 * 1 * 4 / (2 * 16 * 4),
    }
    plan = {
        "attainment": 1,  # 62 beds of 60
        "access": 6,
        "county_share": 30 / 62,
        "tcm_per_1000": 8 / 4,
        "psychiatric_per_1000": 4 / 4,
        "specialist_share": (4 + 2 + 2) / (62 - 6),
        "infectious_per_1000": 2 / 4,
        "evenness": 1,
    }
    west = {
        "attainment": 1,
        "access": 3,
        "county_share": 10 / 20,
        "tcm_per_1000": 2,
        "psychiatric_per_1000": 0,
        "specialist_share": 0,
        "infectious_per_1000": 0,
        "evenness": 1,
    }
    assert values_of(indicators, "now", "1") == pytest.approx(now | unmeasured, nan_ok=True, abs=1e-6)
    assert values_of(indicators, "plan", "1") == pytest.approx(plan | unmeasured, nan_ok=True, abs=1e-6)
    assert values_of(indicators, "plan", "2") == pytest.approx(west | unmeasured, nan_ok=True, abs=1e-6)
    assert indicators["indicator"].tolist() == [each.word for each in INDICATORS] * 4


def test_scores_on_paper():
    """Equal weights, today. Quantity: 5/6 against 1 and 4 against 3, each over its length; two places, so what one is
    ahead is what the other is behind. Six indicators count."""
    evaluation, indicators = judged(weights="equal")
    attained, access = (1 - 5 / 6) / math.hypot(1, 5 / 6), (4 - 3) / 5
    east = access / (access + attained)
    now = evaluation[evaluation["phase"] == "now"].set_index("code")
    assert now["quantity"].tolist() == pytest.approx([east, 1 - east], abs=1e-4)
    assert now[["quality", "efficiency"]].isna().all(axis=None)
    weights = indicators[(indicators["phase"] == "now") & (indicators["code"] == "1")].set_index("indicator")["weight"]
    assert weights.dropna().to_dict() == pytest.approx(
        dict.fromkeys(
            ("attainment", "access", "county_share", "tcm_per_1000", "psychiatric_per_1000", "evenness"), 1 / 6
        ),
        abs=1e-6,
    )
    parts = {
        "attainment": (5 / 6, 1),
        "access": (4, 3),
        "county_share": (0.48, 0.5),
        "tcm": (1.5, 2),
        "psychiatric": (0.5, 0),
        "even": (0.8125, 1),
    }
    ahead = [(one - other) / math.hypot(one, other) for one, other in parts.values()]
    gained, lost = (math.hypot(*(max(sign * d, 0) for d in ahead)) for sign in (1, -1))
    assert now["score"].tolist() == pytest.approx([gained / (gained + lost), lost / (gained + lost)], abs=1e-4)
    assert now["rank"].tolist() == [1, 2]


def test_an_indicator_that_is_the_same_everywhere_weighs_nothing():
    _, indicators = judged()
    plan = indicators[indicators["phase"] == "plan"].set_index(["code", "indicator"])["weight"]
    assert plan["1"]["attainment"] == plan["2"]["attainment"] == 0  # both have their beds
    assert plan["1"].sum() == pytest.approx(1, abs=1e-5)


def test_natures_say_where_figures_come_from():
    _, indicators = judged(facilities=HOSPITALS)
    east = indicators[indicators["code"] == "1"].set_index(["phase", "indicator"])["nature"]
    assert east["now"]["attainment"] == "modelled"
    assert east["plan"]["attainment"] == "decided"
    assert east["now"]["specialist_share"] == "no_data"
    assert east["now"]["occupancy"] == "measured"
    assert east["plan"]["occupancy"] == "modelled"
    assert indicators.loc[indicators["value"].isna(), "nature"].eq("no_data").all()
    assert indicators.loc[indicators["value"].isna(), "weight"].isna().all()


def test_hospitals_on_paper():
    """East: 甲院 passes, 乙院 fails in occupancy and stay. 丙院 stands on every limit. The others are not judged:
    private, no general hospital, no bed."""
    _, indicators = judged(facilities=HOSPITALS)
    now, plan = values_of(indicators, "now", "1"), values_of(indicators, "plan", "1")
    assert now["staff_per_bed"] == pytest.approx((170 + 80) / 150, abs=1e-6)
    assert now["floor_per_bed"] == 60
    assert now["occupancy"] == 78
    assert now["stay"] == 9
    assert now["passing"] == pytest.approx(100 / 150, abs=1e-6)
    assert plan["staff_per_bed"] == pytest.approx((150 * 1.7 + 50 * 1.6) / 200, abs=1e-6)
    assert plan["occupancy"] == pytest.approx((150 * 80 + 50 * 74) / 200)
    assert plan["passing"] == 0.75
    assert values_of(indicators, "now", "2")["passing"] == 1
    assert values_of(indicators, "now", "2")["stay"] == 9


@pytest.mark.parametrize(
    ("change", "passing"),
    [
        ({"occupancy": 74.99}, 0),
        ({"stay_days": 9.01}, 0),
        ({"staff": 64.0}, 0),  # 1.6 a bed
        ({"staff": 65.0}, 1),
        ({"floor_area": 1_999.0}, 0),
        ({"occupancy": math.nan, "stay_days": math.nan}, 1),
        ({"occupancy": math.nan, "stay_days": math.nan, "staff": math.nan, "floor_area": math.nan}, math.nan),
    ],
)
def test_one_criterion_missed_is_not_passed(change, passing):
    hospitals = HOSPITALS.loc[["h1", "h2", "h3"]].copy()
    for column, value in change.items():
        hospitals.loc["h3", column] = value
    _, indicators = judged(facilities=hospitals, area_per_bed=50)
    assert values_of(indicators, "now", "2")["passing"] == pytest.approx(passing, nan_ok=True)


def test_a_ratio_at_its_limit_passes_exactly():
    """162 persons in 100 beds are 1.62 a bed, which no float is."""
    hospitals = HOSPITALS.loc[["h1", "h3"]].assign(staff=[162.0, 70.0])
    _, indicators = judged(facilities=hospitals)
    assert values_of(indicators, "now", "1")["passing"] == 1


def test_hospitals_against_each_other():
    """乙院's floor area is not known, so it is listed and not ranked. 甲院 is ahead in all but staff."""
    evaluation, indicators = judged(facilities=HOSPITALS)
    ranked = evaluation[evaluation["phase"] == "facility"].set_index("code")
    assert ranked.index.tolist() == ["h1", "h2", "h3"]
    assert ranked["rank"].dropna().to_dict() == {"h1": 1, "h3": 2}
    assert ranked.loc["h2", ["quality", "efficiency", "score"]].isna().all()
    assert ranked["quantity"].isna().all()
    rows = indicators[indicators["phase"] == "facility"]
    assert rows["indicator"].tolist() == list(OF_A_HOSPITAL) * 3
    assert rows[rows["code"] == "h2"]["weight"].isna().all()
    assert values_of(indicators, "facility", "h3") == {
        "staff_per_bed": 1.75,
        "floor_per_bed": 50,
        "occupancy": 75,
        "stay": 9,
    }


def test_a_figure_nobody_measured_keeps_no_hospital_from_its_rank():
    evaluation, indicators = judged(facilities=HOSPITALS.assign(floor_area=math.nan))
    assert evaluation[evaluation["phase"] == "facility"]["rank"].notna().all()
    rows = indicators[indicators["indicator"] == "floor_per_bed"]
    assert (rows["nature"] == "no_data").all()


def test_what_is_measured_in_one_city_only_does_not_count():
    """Its figure is shown; it would compare a city with nothing."""
    _, indicators = judged(facilities=HOSPITALS.loc[["h1"]])
    rows = indicators[(indicators["phase"] == "now") & (indicators["indicator"] == "occupancy")].set_index("code")
    assert rows["value"]["1"] == 80
    assert rows["weight"].isna().all()
    without, _ = judged()
    found, _ = judged(facilities=HOSPITALS.loc[["h1"]])
    cities = found[found["phase"] != "facility"].reset_index(drop=True)
    pd.testing.assert_frame_equal(cities, without)


def test_an_empty_table_of_hospitals_is_as_none():
    for first, second in zip(judged(facilities=HOSPITALS.iloc[:0]), judged(), strict=True):
        pd.testing.assert_frame_equal(first, second)


def test_a_city_without_people_is_listed_and_not_judged():
    counties = COUNTIES.assign(persons=[3_000, 1_000, 0])
    evaluation, indicators = judged(counties=counties)
    west = evaluation[evaluation["code"] == "2"]
    assert west[[*GROUPS, "score", "rank"]].isna().all(axis=None)
    assert (indicators[indicators["code"] == "2"]["nature"] == "no_data").all()
    assert evaluation[evaluation["code"] == "1"]["rank"].tolist() == [1, 1]


def test_a_city_without_beds_or_target():
    quotas = QUOTAS.assign(beds_plan=QUOTAS["beds_plan"].where(QUOTAS["city_code"] == "1", 0))
    _, indicators = judged(quotas=quotas, targets={"1": 60, "2": 0})
    west = values_of(indicators, "plan", "2")
    assert (west["attainment"], west["county_share"], west["specialist_share"]) == (1, 0, 0)


def test_equal_scores_are_ranked_by_code():
    counties = pd.DataFrame({"city_code": ["2", "1"], "persons": [10, 10]}, index=["x", "y"])
    quotas = pd.DataFrame(
        [(code, city, "private", "general", 5, 5) for code, city in counties["city_code"].items()],
        columns=QUOTAS.columns,
    )
    access = pd.DataFrame(1.0, index=counties.index, columns=["now", "plan"])
    evaluation, _ = judged(counties=counties, quotas=quotas, access=access, targets={"1": 9, "2": 9})
    assert evaluation["score"].tolist() == [1, 1, 1, 1]
    assert evaluation[["code", "rank"]].to_numpy().tolist() == [["1", 1], ["2", 2]] * 2


@pytest.mark.thorough
@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=20)
def test_the_order_of_what_is_given_changes_no_byte(seed):
    def turned(frame):
        return frame.sample(frac=1, random_state=seed)

    given = {"cities": CITIES, "counties": COUNTIES, "quotas": QUOTAS, "access": ACCESS, "facilities": HOSPITALS}
    shuffled = judged(**{name: turned(frame) for name, frame in given.items()})
    for first, second in zip(judged(facilities=HOSPITALS), shuffled, strict=True):
        assert first.to_csv() == second.to_csv()


def test_inputs_stay_as_they_were():
    before = [frame.copy() for frame in (CITIES, COUNTIES, QUOTAS, ACCESS, HOSPITALS)]
    judged(facilities=HOSPITALS, weights="equal")
    for one, other in zip(before, (CITIES, COUNTIES, QUOTAS, ACCESS, HOSPITALS), strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_word_is_in_the_catalogue(lang):
    words = load_words(lang)
    assert set(words.section("value.indicator")) == {each.word for each in INDICATORS}
    assert set(words.section("value.group")) == set(GROUPS)
    assert {"now", "plan", "facility"} <= set(words.section("value.phase"))
    assert {each.group for each in INDICATORS} == set(GROUPS)
