"""What a plan says on a terminal of the bed policy: targets beside the plan, access, rules bent, freezes, conflicts."""

import pandas as pd
import pytest

from geo.words import load_words
from planner.console import folded
from planner.report.names import in_language
from planner.report.summary import summarise
from planner.report.tables import published
from planner.services.proof import Proof
from planner.telling import (
    access_lines,
    bent_lines,
    conflict_lines,
    freeze_lines,
    plan_lines,
    proof_table,
    signed,
    structure_lines,
)
from tests.planner.small_plan import small_plan

ZH, EN = load_words("zh"), load_words("en")


@pytest.fixture
def tables():
    return published(small_plan()[0].tables)[0]


def cells(lines, first):
    return next(line for line in lines if line.startswith(first)).split()


def test_the_provinces_split_stands_beside_its_targets(tables):
    lines = structure_lines(tables, ZH)
    assert cells(lines, "中医") == ["中医", "60", "75", "0.87", "72", "0.84", "-3", "▲", "未达标"]
    assert cells(lines, "市办及以上公立")[-2:] == ["●", "达标"]
    assert len(lines) == 2 + 7 + 1  # heads, rule; total, four owners, TCM, psychiatric; what has no target
    assert "重症 18" in lines[-1] and "综合及其他" in lines[-1]


def test_the_conflict_is_named_with_both_clauses(tables):
    first, others = conflict_lines(tables, ZH)
    for part in ("表3", "表1; 三(二)1", "893 张", "900.25 张", "7.25 张"):
        assert part in first
    assert " 1 " in others
    assert conflict_lines(tables | {"document_conflicts": tables["document_conflicts"][:0]}, ZH) == []


def test_access_before_and_after_and_by_how_much(tables):
    lines = access_lines(tables, ZH)
    assert cells(lines, "按人口均分")[1:4] == ["0.0400", "北县", "7.10"]
    assert "低 25.0%" in lines[-1] and "多 0.30 张" in lines[-1]
    worse = tables["access_summary"].copy()
    worse.loc[2, ["gini", "worst_per_1000"]] = [0.05, 7.0]
    assert "25.0% higher" in access_lines(tables | {"access_summary": worse}, EN)[-1]
    assert "0.10 beds per 1,000 fewer" in access_lines(tables | {"access_summary": worse}, EN)[-1]
    worse.loc[2, ["gini", "worst_per_1000"]] = [0.04, 7.1]
    assert "the same Gini" in access_lines(tables | {"access_summary": worse}, EN)[-1]


def test_rules_that_were_bent_are_summed_with_the_worst_place(tables):
    lines = bent_lines(tables, ZH)
    assert len(lines) == 3 and cells(lines, "中医床位")[:4] == ["中医床位", "1", "4.50", "张"]
    assert "甲市：要求 60，差 4.50" in lines[-1]
    kept = tables["bed_rules"].assign(bent=0.0)
    assert bent_lines(tables | {"bed_rules": kept}, ZH) == [ZH("cli.bent_none", count=4)]


def test_freezes_are_counted_by_reason(tables):
    facilities, areas, not_applied = freeze_lines(tables, ZH)
    assert "2 家" in facilities and "冻结 1 家" in facilities and "床位使用率过低 1、平均住院日过长 1" in facilities
    assert "乙市" in areas and "没有给出限值" in not_applied


def test_reasons_of_a_hospital_that_is_not_frozen_are_not_counted(tables):
    exempt = tables["facilities"].assign(frozen=["exempt", "no"])
    facilities, *_ = freeze_lines(tables | {"facilities": exempt}, ZH)
    assert "冻结 0 家" in facilities and "豁免 1 家" in facilities and "住院日" not in facilities


def test_without_a_facility_table_it_is_said_that_the_rule_was_not_applied(tables):
    freezes = tables["freezes"]
    without = {"facilities": tables["facilities"][:0], "freezes": freezes[freezes["scope"].eq("province")]}
    (line,) = freeze_lines(tables | without, ZH)
    assert "没有机构表" in line and "三(二)3" in line and "提供机构表" in line
    nothing = {"facilities": tables["facilities"][:0], "freezes": freezes[:0]}
    assert freeze_lines(tables | nothing, ZH) == []


def test_many_frozen_areas_are_counted_and_the_first_named(tables):
    row = tables["freezes"][tables["freezes"]["scope"].eq("city")]
    many = pd.concat([row.assign(name=f"县{i}") for i in range(9)])
    said = freeze_lines(tables | {"freezes": many}, ZH)[-1]
    assert "9 个" in said and "县5" in said and "县6" not in said


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_a_plan_fits_two_screens_in_either_language(words):
    plan, prepared = small_plan()
    plan.proofs["stations_best_n"] = plan.proofs["stations_cover_all"]
    for name in ("shortfall", "worst", "even", "equal", "change", "cost", "travel", "weighted"):
        unit = {"worst": "beds_per_1000", "even": "beds_per_1000", "cost": "wan_yuan", "travel": "km"}.get(name, "beds")
        unit = "points" if name == "weighted" else unit
        plan.proofs[f"beds_{name}"] = Proof(f"beds_{name}", "optimal", unit, 1.5, 1.5, 0.0, 0.1)
    lines = plan_lines(plan, prepared, words)
    assert len(lines) <= 80 and not any("beds_" in line for line in proof_table(plan.proofs, words))
    if words is EN:
        assert not any(name in line for line in lines for name in ("西县", "甲市", "乙市"))


def test_control_characters_of_a_name_never_reach_the_terminal():
    plan, prepared = small_plan({"140100": "甲\x1b[2J市"})
    plan.proofs["stations_best_n"] = plan.proofs["stations_cover_all"]
    assert not any("\x1b" in line for line in plan_lines(plan, prepared, ZH))


def test_the_headline_says_how_even_access_is():
    plan, prepared = small_plan()
    tables, _ = published(plan.tables)
    for words, worst in ((ZH, "西县"), (EN, "County 140102")):
        said = summarise(plan, tables, prepared, words).headline[2]
        assert all(part in said for part in ("0.0500", "0.0300", "0.0400", worst, "6.50", "7.40"))
    assert in_language(tables, prepared, EN)["facilities"]["name"].tolist() == ["甲市第一医院", "西县医院"]


def test_small_words_of_the_terminal():
    assert [signed(value) for value in (1234, 0, -5)] == ["+1,234", "0", "-5"]
    assert folded(["甲乙", "丙", "丁"], "、", 10, 3) == "甲乙、\n   丙、丁"
    assert folded([], ", ", 10, 3) == ""
