"""Beds of today, worked out anew: the documents' densities x census persons, and what a facility table lists.

A stock is by city, by county and by cell. A cell is an owner and a kind of beds; a county has eighteen of them, in the
order of :data:`CELLS`.
"""

from dataclasses import dataclass
from fractions import Fraction

from planner.verify.facts import half_up, largest_remainder
from planner.verify.shapes import KINDS, OWNERS

PUBLIC = OWNERS[:3]
GROWING = OWNERS[:2]  # whose beds the plan decides freely; other public beds shrink, private ones have their own rule
CELLS = (*((owner, kind) for owner in GROWING for kind in KINDS), ("other_public", "general"), ("private", "general"))
KNOWN = ("general", "tcm", "psychiatric")  # kinds of which the documents say how many there are


@dataclass(frozen=True)
class Stock:
    """Beds there are: ``city`` by code; ``county`` and ``cells`` (dicts by cell) by county position.

    ``listed`` holds, in the form of ``cells``, the beds of the facility table.
    """

    city: dict
    county: list
    cells: list
    listed: list

    def owner(self, i, owner):
        """Return the beds of one owner in the county at position ``i``."""
        return sum(beds for cell, beds in self.cells[i].items() if cell[0] == owner)

    def told(self, i, cell):
        """Return the beds of a cell as a table tells them: None where neither document nor facility table knows."""
        return self.cells[i][cell] if cell[1] in KNOWN or self.listed[i][cell] else None


def stock_of(facts):
    """Return the :class:`Stock`, worked out once."""
    if "stock" not in facts.kept:
        facts.kept["stock"] = _stock(facts, listed_beds(facts))
    return facts.kept["stock"]


def _stock(facts, listed):
    """A city's beds are shared out to its counties by census persons, each having no fewer than are listed there."""
    by_city, by_county = {}, [0] * len(facts.counties)
    for city in facts.cities:
        members = facts.counties_of(city["code"])
        floors = [sum(listed[i].values()) for i in members]
        base = facts.standards.city_bed_target(city["code"]).base_value
        stated = half_up(Fraction(base) * city["census"] / 1000)
        beds = max(stated, sum(floors))
        shares = largest_remainder(stated, [facts.counties[i]["census"] for i in members])
        more = [max(share - floor, 0) for share, floor in zip(shares, floors, strict=True)]
        rest = largest_remainder(beds - sum(floors), more)
        for i, floor, added in zip(members, floors, rest, strict=True):
            by_county[i] = floor + added
        by_city[city["code"]] = beds
    cells = [
        with_listed(modelled_cells(facts.standards, beds, county["census"]), at, beds)
        for beds, county, at in zip(by_county, facts.counties, listed, strict=True)
    ]
    return Stock(by_city, by_county, cells, listed)


def listed_beds(facts):
    """Return by county position the beds of the facility table, by cell; all 0 without one."""
    listed = [dict.fromkeys(CELLS, 0) for _ in facts.counties]
    for place in facts.facilities:
        listed[facts.county[place["county_code"]]][cell_of(place)] += place["beds"]
    return listed


def cell_of(place):
    """Return the cell a facility belongs to."""
    return place["owner"], place["kind"] if place["owner"] in GROWING else "general"


def modelled_cells(standards, beds, persons):
    """Return by cell the ``beds`` of a county, from Table 1's densities of the base year and its census ``persons``.

    Each part is cut to what is left: private, other public, then both owners by their densities; of their beds first
    TCM, then psychiatric, the rest is general. The kinds of which nothing is known are contained in it.
    """

    def base(standard):
        return Fraction(standards[standard].base_value)

    def density(standard):
        return half_up(base(standard) * persons / 1000)

    private = min(density("t1_beds_private"), beds)
    other = min(density("t1_beds_other_public"), beds - private)
    rest = beds - private - other
    city, county = base("t1_beds_city_and_above"), base("t1_beds_county_and_primary")
    left = {"city_and_above": half_up(rest * city / (city + county))}
    left["county_and_primary"] = rest - left["city_and_above"]
    share = Fraction(left["city_and_above"], rest) if rest else Fraction(0)
    cells = dict.fromkeys(CELLS, 0) | {("other_public", "general"): other, ("private", "general"): private}
    for kind, standard in (("tcm", "t1_tcm_beds_per_1000"), ("psychiatric", "t1_psychiatric_beds_per_1000")):
        both = min(density(standard), sum(left.values()))
        here = min(max(half_up(both * share), both - left["county_and_primary"]), left["city_and_above"])
        for owner, part in zip(GROWING, (here, both - here), strict=True):
            cells[owner, kind] = part
            left[owner] -= part
    for owner in GROWING:
        cells[owner, "general"] = left[owner]
    return cells


def with_listed(modelled, listed, beds):
    """Return cells that hold at least what is listed and sum to ``beds``; the rest follows the modelled cells."""
    rest = beds - sum(listed.values())
    added = largest_remainder(rest, [max(modelled[cell] - listed[cell], 0) for cell in CELLS])
    return {cell: listed[cell] + more for cell, more in zip(CELLS, added, strict=True)}
