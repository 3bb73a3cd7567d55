"""Evaluation of beds as the plan orders it: quantity, quality, structure and efficiency, place by place, ranked.

What was not measured is left out of every score and named; nothing is filled in.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from planner.access import gini

COLUMNS = ["phase", "code", "name", "quantity", "quality", "structure", "efficiency", "score", "rank"]
INDICATOR_COLUMNS = ["phase", "code", "name", "group", "indicator", "value", "weight", "nature"]
GROUPS = ("quantity", "quality", "structure", "efficiency")
SPECIALISTS = ("psychiatric", "infectious", "oncology", "rehabilitation")
VALUE_DECIMALS, SCORE_DECIMALS = 6, 4


@dataclass(frozen=True)
class Indicator:
    """One indicator; ``more_is_better`` or less is; what its figures are today and in the plan (a nature word)."""

    word: str
    group: str
    more_is_better: bool
    now: str
    plan: str


INDICATORS = (
    Indicator("attainment", "quantity", True, "modelled", "decided"),
    Indicator("access", "quantity", True, "modelled", "modelled"),
    Indicator("staff_per_bed", "quality", True, "measured", "modelled"),
    Indicator("floor_per_bed", "quality", True, "measured", "modelled"),
    Indicator("county_share", "structure", True, "modelled", "decided"),
    Indicator("tcm_per_1000", "structure", True, "modelled", "decided"),
    Indicator("psychiatric_per_1000", "structure", True, "modelled", "decided"),
    Indicator("specialist_share", "structure", True, "modelled", "decided"),
    Indicator("infectious_per_1000", "structure", True, "modelled", "decided"),
    Indicator("evenness", "structure", True, "modelled", "modelled"),
    Indicator("passing", "efficiency", True, "measured", "modelled"),
    Indicator("occupancy", "efficiency", True, "measured", "modelled"),
    Indicator("stay", "efficiency", False, "measured", "modelled"),
)
OF_A_HOSPITAL = ("staff_per_bed", "floor_per_bed", "occupancy", "stay")


def evaluate(
    cities, counties, quotas, access, targets, standards, *, facilities=None, area_per_bed=0, weights="entropy"
):
    """Return (evaluation, evaluation_indicators): each phase's places judged against each other.

    cities        DataFrame on code: name
    counties      DataFrame on code: city_code, persons (whole; of both phases)
    quotas        DataFrame, one row a county and cell: city_code, owner, kind, beds_now (absent = not known: these
                  beds are among the general ones), beds_plan
    access        DataFrame on county code: now, plan (beds within reach per 1,000 persons)
    targets       {city code: whole beds that it should have}
    standards     the register; the limits of the freezes are read from it
    facilities    None, or DataFrame on id: name, city_code, owner, kind, beds_now, beds_plan (whole), occupancy (%),
                  stay_days, staff, floor_area (m2), NaN = not measured
    area_per_bed  m2 of floor a bed should have; 0 = not known
    weights       "entropy" or "equal"

    Phases "now" and "plan" judge the cities. B, B_o, B_k: a city's beds in the phase, all, of owner o, of kind k;
    P its persons; i its counties. A sum of kind k is known where each of its cells is; absent cells count as nothing
    in B and B_o, as they are among the general beds.

        attainment            quantity    min(1, B / targets); 1 where nothing is asked for
        access                quantity    sum_i p_i A_i / P
        staff_per_bed         quality     sum_h b_h s_h / sum_h b_h, s_h = staff / beds_now of hospital h
        floor_per_bed         quality     the same with floor_area / beds_now (m2)
        county_share          structure   B_county_and_primary / B
        tcm_per_1000          structure   1000 B_tcm / P
        psychiatric_per_1000  structure   1000 B_psychiatric / P
        specialist_share      structure   (B_psychiatric + B_infectious + B_oncology + B_rehabilitation)
                                          / (B - B_private)
        infectious_per_1000   structure   1000 B_infectious / P
        evenness              structure   1 - Gini of A_i weighted by p_i (:func:`planner.access.gini`)
        passing               efficiency  sum of b_h that pass / sum of b_h with a criterion measured
        occupancy             efficiency  sum_h b_h occupancy_h / sum_h b_h (%)
        stay                  efficiency  sum_h b_h stay_days_h / sum_h b_h (days); the only one of which less is better

    A share of no beds is 0. h: listed public general hospitals (owner not private, kind general, beds_now > 0) for
    which the figure is measured, the ones whose use, stay, staff and floor the plan judges; b_h is beds_now or
    beds_plan by phase: in phase "plan" what was measured of each hospital today, weighted by its planned beds. Sums
    with sum_h b_h = 0 are not measured. A hospital passes when no measured criterion fails: occupancy <
    freeze_occupancy, stay_days > freeze_alos, staff / beds_now < freeze_staff_bed_ratio, floor_area / beds_now <
    ``area_per_bed`` (if > 0), all exact; switches of the freeze (any or all, exempt hosts) change nothing here.

    With facilities a third phase "facility" judges the same hospitals against each other, code = id, by staff_per_bed,
    floor_per_bed (quality), occupancy, stay (efficiency), each its own.

    Values x are rounded to 6 decimals first; all below rests on the rounded ones. Judged are cities with people, and
    hospitals of which everything is measured that is measured of any. An indicator counts where every judged place of
    the phase has it. n places, m indicators that count:

        entropy weights  p_ij = x_ij / sum_i x_ij;  e_j = -sum_i p_ij ln p_ij / ln n  (0 ln 0 = 0)
                         d_j = 1 - e_j, and 0 where x_j is the same everywhere;  w_j = d_j / sum_j d_j
                         (Shannon 1948; Zeleny 1982). All d_j 0, or n = 1: equal weights.
        equal weights    w_j = 1 / m
        TOPSIS           v_ij = w_j x_ij / sqrt(sum_i x_ij^2); best_j, worst_j: the most and least v_ij of the phase
                         (of stay the least and most);  D+_i, D-_i: Euclidean distances of v_i to best and worst
                         score_i = D-_i / (D+_i + D-_i); 1 where both are 0 (Hwang, Yoon 1981)

    quantity, quality, structure, efficiency are the same TOPSIS over the group's indicators with the same w_j, score
    over all. A group of which nothing counts is absent, and so are all scores of a place not judged. Scores have 4
    decimals; rank 1.. by them, equal ones by code. They compare places of one phase, never two phases.

    evaluation: ``COLUMNS``, one row a phase and place. evaluation_indicators: ``INDICATOR_COLUMNS``, one row a phase,
    place and indicator (in the order above); value absent = not measured (nature no_data); weight absent = not counted
    (in a place not judged, or not measured everywhere), else w_j with 6 decimals. Rows by phase, then code; the order
    of rows given changes nothing.
    """
    cities = cities.sort_index()
    hospitals = None if facilities is None else _judged_hospitals(facilities)
    phases = []
    for phase in ("now", "plan"):
        figures = _of_cities(phase, cities.index, counties.sort_index(), quotas, access, targets)
        if hospitals is not None:
            figures |= _of_hospitals_by_city(phase, cities.index, hospitals, standards, area_per_bed)
        values = pd.DataFrame(figures, index=cities.index, columns=[each.word for each in INDICATORS], dtype=float)
        persons = counties["persons"].groupby(counties["city_code"]).sum().reindex(cities.index, fill_value=0)
        values[persons == 0] = math.nan
        phases.append(_phase(phase, cities["name"], values, (persons > 0).to_numpy(), weights))
    if hospitals is not None:
        values = _of_hospitals(hospitals)
        judged = values.dropna(axis="columns", how="all").notna().all(axis="columns").to_numpy()
        phases.append(_phase("facility", hospitals["name"], values, judged, weights))
    evaluation = pd.DataFrame([row for scores, _ in phases for row in scores], columns=COLUMNS)
    indicators = pd.DataFrame([row for _, parts in phases for row in parts], columns=INDICATOR_COLUMNS)
    evaluation["rank"] = evaluation["rank"].astype("Int64")
    return evaluation, indicators


def entropy_weights(values):
    """Return Shannon entropy weights of the columns of ``values`` (places x indicators, not negative); they sum to 1.

    An indicator that is the same everywhere weighs 0; where all are, or there is one place, all weigh the same.
    """
    places, indicators = values.shape
    equal = np.full(indicators, 1 / max(indicators, 1))
    if places < 2:
        return equal
    differs = values.max(axis=0) > values.min(axis=0)
    share = values / np.where(differs, values.sum(axis=0), 1)
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=0) / math.log(places)
    information = np.where(differs, 1 - entropy, 0)
    return information / information.sum() if differs.any() else equal


def topsis(values, weights, more_is_better):
    """Return each place's closeness to the ideal (TOPSIS, vector normalisation): 1 = best in all, 0 = worst in all.

    values          places x indicators
    weights         of the indicators
    more_is_better  booleans of the indicators
    Where no indicator tells places apart, all are 1.
    """
    length = np.sqrt((values**2).sum(axis=0))
    weighted = weights * values / np.where(length > 0, length, 1)
    most, least = weighted.max(axis=0), weighted.min(axis=0)
    to_best = np.sqrt(((weighted - np.where(more_is_better, most, least)) ** 2).sum(axis=1))
    to_worst = np.sqrt(((weighted - np.where(more_is_better, least, most)) ** 2).sum(axis=1))
    apart = to_best + to_worst
    return np.divide(to_worst, apart, out=np.ones_like(apart), where=apart > 0)


def _of_cities(phase, codes, counties, quotas, access, targets):
    """Return {indicator: Series on city code} of what every plan has."""
    cells = pd.DataFrame(
        {
            "city": quotas["city_code"].to_numpy(),
            "owner": quotas["owner"].to_numpy(),
            "kind": quotas["kind"].to_numpy(),
            "beds": quotas[f"beds_{phase}"].to_numpy(dtype=float, na_value=math.nan),
        }
    )

    def beds(rows):
        return cells["beds"][rows].groupby(cells["city"][rows]).sum().reindex(codes, fill_value=0.0)

    def of_kinds(*kinds):
        rows = cells["kind"].isin(kinds)
        unknown = cells["beds"].isna()[rows].groupby(cells["city"][rows]).any().reindex(codes, fill_value=False)
        return beds(rows).mask(unknown)

    everything = beds(cells["beds"].notna())
    persons = counties["persons"].groupby(counties["city_code"]).sum().reindex(codes, fill_value=0)
    target = pd.Series({code: float(targets[code]) for code in codes})
    reach = access[phase].reindex(counties.index)
    members = {code: counties.index[counties["city_code"] == code] for code in codes}
    return {
        "attainment": (everything / target.where(target > 0)).clip(upper=1).fillna(1.0),
        "access": pd.Series({code: _mean(reach[members[code]], counties["persons"][members[code]]) for code in codes}),
        "county_share": _share(beds(cells["owner"].eq("county_and_primary")), everything),
        "tcm_per_1000": 1000 * of_kinds("tcm") / persons.where(persons > 0),
        "psychiatric_per_1000": 1000 * of_kinds("psychiatric") / persons.where(persons > 0),
        "specialist_share": _share(of_kinds(*SPECIALISTS), beds(cells["owner"].ne("private"))),
        "infectious_per_1000": 1000 * of_kinds("infectious") / persons.where(persons > 0),
        "evenness": pd.Series(
            {code: 1 - gini(reach[members[code]], counties["persons"][members[code]]) for code in codes}
        ),
    }


def _share(part, whole):
    return (part / whole.where(whole > 0)).where(whole > 0, part)


def _mean(values, weights):
    """Return the weighted mean; NaN where nothing weighs."""
    whole = weights.sum()
    return float((values * weights).sum() / whole) if whole else math.nan


def _judged_hospitals(facilities):
    public_general = facilities["owner"].ne("private") & facilities["kind"].eq("general") & (facilities["beds_now"] > 0)
    return facilities[public_general].sort_index()


def _of_hospitals(hospitals):
    """Return each hospital's own figures: DataFrame on id, columns ``OF_A_HOSPITAL``."""
    columns = {
        "staff_per_bed": hospitals["staff"] / hospitals["beds_now"],
        "floor_per_bed": hospitals["floor_area"] / hospitals["beds_now"],
        "occupancy": hospitals["occupancy"],
        "stay": hospitals["stay_days"],
    }
    return pd.DataFrame(columns, index=hospitals.index, dtype=float)


def _of_hospitals_by_city(phase, codes, hospitals, standards, area_per_bed):
    """Return {indicator: Series on city code} of listed hospitals; cities of which nothing is measured are absent."""
    figures = _of_hospitals(hospitals)
    passes = [_passes(each, standards, area_per_bed) for each in hospitals.itertuples()]
    figures["passing"] = pd.Series(passes, index=hospitals.index, dtype=float)
    beds = hospitals[f"beds_{phase}"].astype(float)
    means = {}
    for word, values in figures.items():
        known = values.notna()
        by_city = [known & hospitals["city_code"].eq(code) for code in codes]
        means[word] = pd.Series([_mean(values[rows], beds[rows]) for rows in by_city], index=codes, dtype=float)
    return means


def _passes(hospital, standards, area_per_bed):
    """Return 1.0 when no measured criterion of the freezes fails, 0.0 when one does; NaN where none is measured."""
    beds = int(hospital.beds_now)
    measured = []
    if not math.isnan(hospital.occupancy):
        measured.append(Fraction(str(hospital.occupancy)) >= standards["freeze_occupancy"].value)
    if not math.isnan(hospital.stay_days):
        measured.append(Fraction(str(hospital.stay_days)) <= standards["freeze_alos"].value)
    if not math.isnan(hospital.staff):
        measured.append(Fraction(str(hospital.staff)) >= standards["freeze_staff_bed_ratio"].value * beds)
    if area_per_bed and not math.isnan(hospital.floor_area):
        measured.append(Fraction(str(hospital.floor_area)) >= Fraction(str(area_per_bed)) * beds)
    return float(all(measured)) if measured else math.nan


def _phase(phase, names, values, judged, weights):
    """Return (rows of the evaluation, rows of its indicators). ``values``: places x indicators; ``judged`` booleans."""
    values = values.round(VALUE_DECIMALS)
    indicators = [each for each in INDICATORS if each.word in values.columns]
    matrix = values[[each.word for each in indicators]].to_numpy(dtype=float)
    among = matrix[judged]
    counts = ~np.isnan(among).any(axis=0) if len(among) else np.zeros(len(indicators), dtype=bool)
    weight = np.full(len(indicators), math.nan)
    if counts.any():
        weight[counts] = entropy_weights(among[:, counts]) if weights == "entropy" else 1 / counts.sum()
    scores = pd.DataFrame(math.nan, index=values.index, columns=[*GROUPS, "score"])
    for column in scores:
        chosen = counts & np.array([column in (each.group, "score") for each in indicators], dtype=bool)
        if chosen.any():
            better = np.array([each.more_is_better for each in indicators], dtype=bool)[chosen]
            scores.loc[judged, column] = topsis(among[:, chosen], weight[chosen], better).round(SCORE_DECIMALS)
    rank = _ranks(scores["score"])
    rows = [(phase, code, names[code], *scores.loc[code], rank.get(code)) for code in values.index]
    parts = []
    for place, code in enumerate(values.index):
        for j, each in enumerate(indicators):
            value = float(matrix[place, j])
            known = not math.isnan(value)
            nature = (each.plan if phase == "plan" else each.now) if known else "no_data"
            w = round(float(weight[j]), VALUE_DECIMALS) if judged[place] else math.nan
            parts.append((phase, code, names[code], each.group, each.word, value, w, nature))
    return rows, parts


def _ranks(score):
    """Return {code: rank} of the places that have a score: the highest first, equal ones by code."""
    scored = score.dropna().sort_index().sort_values(ascending=False, kind="stable")
    return {code: rank for rank, code in enumerate(scored.index, start=1)}
