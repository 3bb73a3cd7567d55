"""Today's beds, county by county, by who runs them and what they are for: measured where listed, modelled elsewhere.

The documents give beds by city (Table 3), and for the province alone how they are split by owner, TCM and psychiatric
beds (Table 1). Shared out by residents these make a modelled stock; hospitals that a facility table lists are measured
and stand in it as they are.
"""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from planner.rounding import half_up, shared_out

OWNERS = ("city_and_above", "county_and_primary", "other_public", "private")
PUBLIC = OWNERS[:3]
PLANNED = OWNERS[:2]  # the owners whose beds are planned by kind
KINDS = ("general", "tcm", "psychiatric", "infectious", "oncology", "critical", "rehabilitation", "nursing")
KNOWN_KINDS = KINDS[:3]  # the others the documents do not count today; their beds are among the general ones
CELLS = (
    *((owner, kind) for owner in PLANNED for kind in KINDS),
    ("other_public", "general"),
    ("private", "general"),
)


@dataclass(frozen=True)
class Stock:
    """Beds today. ``city`` {code: beds}; ``county`` int array; ``cells`` int array counties x ``CELLS``.

    ``listed`` int array counties x ``CELLS``: how many of them a facility table lists (measured). Counties in the order
    of ``region.counties``.
    """

    city: dict
    county: np.ndarray
    cells: np.ndarray
    listed: np.ndarray

    def known(self, county, cell):
        """Return whether today's beds of a cell are known; the unknown ones are counted as general beds."""
        return CELLS[cell][1] in KNOWN_KINDS or bool(self.listed[county, cell])


def stock_of(region, standards, facilities=None):
    """Return the :class:`Stock`. ``facilities``: frame of :func:`geo.facilities.load_facilities`, or None.

    A city of which more beds are listed than the documents say has what is listed.
    """
    counties = region.counties
    census = counties["census_persons"].to_numpy(dtype=np.int64)
    city_of = counties["city_code"].to_numpy()
    listed = _listed(counties, facilities)
    floor = listed.sum(axis=1)
    cities, county = {}, np.zeros(len(counties), dtype=np.int64)
    for code in region.cities.index:
        members = np.flatnonzero(city_of == code)
        persons = int(census[members].sum())
        said = half_up(persons * standards.city_bed_target(code).base_value / 1000)
        cities[code] = max(said, int(floor[members].sum()))
        even = shared_out(said, census[members])
        room = [max(share - int(low), 0) for share, low in zip(even, floor[members], strict=True)]
        county[members] = floor[members] + shared_out(cities[code] - int(floor[members].sum()), room)
    cells = np.array(
        [_cells(standards, int(total), int(people)) for total, people in zip(county, census, strict=True)],
        dtype=np.int64,
    ).reshape(len(counties), len(CELLS))
    for i in np.flatnonzero(floor):
        room = np.maximum(cells[i] - listed[i], 0)
        cells[i] = listed[i] + shared_out(int(county[i] - floor[i]), room)
    return Stock(cities, county, cells, listed)


def _listed(counties, facilities):
    beds = np.zeros((len(counties), len(CELLS)), dtype=np.int64)
    if facilities is not None:
        place = {code: i for i, code in enumerate(counties.index)}
        for each in facilities.itertuples():
            beds[place[each.county_code], cell_of(each.owner, each.kind)] += int(each.beds)
    return beds


def cell_of(owner, kind):
    """Return the position in ``CELLS``; owners whose beds are not planned by kind have one cell for all of them."""
    return CELLS.index((owner, kind if owner in PLANNED else "general"))


def _cells(standards, total, persons):
    """Return the modelled beds by cell of a county with ``total`` beds and ``persons`` residents."""

    def of_residents(id, most):
        return min(half_up(persons * standards[id].base_value / 1000), most)

    beds = defaultdict(int)
    private = beds["private", "general"] = of_residents("t1_beds_private", total)
    other = beds["other_public", "general"] = of_residents("t1_beds_other_public", total - private)
    rest = total - private - other
    above, below = (standards[id].base_value for id in ("t1_beds_city_and_above", "t1_beds_county_and_primary"))
    left = {PLANNED[0]: half_up(rest * above / (above + below))}
    left[PLANNED[1]] = rest - left[PLANNED[0]]
    tcm = of_residents("t1_tcm_beds_per_1000", rest)
    psychiatric = of_residents("t1_psychiatric_beds_per_1000", rest - tcm)
    share = Fraction(left[PLANNED[0]], rest) if rest else Fraction(0)
    for kind, count in (("tcm", tcm), ("psychiatric", psychiatric)):
        first = min(max(half_up(count * share), count - left[PLANNED[1]]), left[PLANNED[0]])
        for owner, number in zip(PLANNED, (first, count - first), strict=True):
            beds[owner, kind] = number
            left[owner] -= number
    for owner in PLANNED:
        beds[owner, "general"] = left[owner]
    return [beds[cell] for cell in CELLS]
