"""The vertex p-center, exact: everybody's way to the nearest of p sites is at most r, and r cannot be smaller.

The radius is found by bisection over the distances there are. Each step asks whether p sites have everybody within r,
a covering problem (Minieka 1970, SIAM Review 12:138-139), answered with as little as it takes: yes by a local search,
no by a price on rows, and what neither can tell by the readable model. No step looks at all demand: a few rows stand
for the rest, and whoever a plan leaves too far away joins them (Chen, Chen 2009, Computers & Operations Research
36:1646-1655; Contardo, Iori, Kramer 2019, Computers & Operations Research 103:211-220). What is impossible for some
rows is impossible for all, so the bound holds; a plan is measured against everybody.

Distances only matter by their order: scaled ones give the same sites.
"""

import math

import numpy as np
from scipy import sparse

from planner.engine.compiled import compiled
from planner.engine.cover_search import cover_bound, fewest, first_cover, step_work
from planner.engine.dominance import reduced, telling_rows
from planner.engine.found import NOTHING, found, nothing
from planner.models.p_center import chosen, parts_open, within_radius
from planner.solve import INFEASIBLE, NO_PLAN, solve

YES, NO, OPEN = 1, -1, 0
# Means: a short search; and prices on rows; with every row that counts: a long search, prices alone, all and the model.
SEARCH, PRICES, PATIENCE, PROOF, MODEL = range(5)
EASY = 25_000  # entries of a cover by every row that counts for which the model is answered in about a second
MANY = 30_000  # entries beyond which a proof looks for the rows it needs
FAR = 0.75  # part of the band
CUTS, CUT_ROWS = 6, 100  # how often, and how many at a time
# Entries visited by a search without a better cover before it gives up, at most and by the entries of the cover.
QUICK, QUICK_EACH = 8_000_000, 2000
LONG, LONG_SHARE = 800_000_000, 20_000  # the model's time grows with the cube, and a search is worth a part of it
CHUNK = 4096  # rows compared at a time
NEW_ROWS = 60  # rows that join at a time
NARROW = 0.003  # part of the radius below which it is no use to search on with quick means


def centre(cost, p, *, fixed=(), forbidden=(), rank=None, gap=0.0, clock):
    """Return the :class:`planner.engine.found.Found` of exactly ``p`` sites with the least largest distance.

    cost       n x m numbers >= 0: an array, np.inf where there is no way, or a scipy sparse array, where only what is
               stored is a way (a stored 0 is the distance 0); whole numbers up to 2**53, or floats
    p          sites to open, the fixed ones counted
    fixed, forbidden   site positions that are held open, kept shut
    rank       m numbers, no two equal: of equally good sites the lowest is taken; the position by default
    gap        relative gap at which to stop; 0 asks for a proof
    clock      :class:`planner.engine.found.Clock`: when it stops, the best plan so far comes back

    The bound is one of the distances; every smaller one is proven impossible. Infeasible when more sites are fixed than
    p, fewer are allowed, or no p sites have a way to everybody. No order of rows and no scale of distances changes the
    sites.
    """
    ways = _Sparse(cost) if sparse.issparse(cost) else _Dense(cost)
    n, m = ways.shape
    rank = np.arange(m) if rank is None else np.asarray(rank)
    fixed = np.unique(np.asarray(fixed, dtype=np.int64))
    shut = np.zeros(m, dtype=bool)
    shut[np.asarray(forbidden, dtype=np.int64)] = True
    if p < len(fixed) or shut[fixed].any() or p > m - shut.sum():
        return nothing(INFEASIBLE)
    shut[fixed] = True
    by_rank = np.argsort(rank, kind="stable")
    ways.columns = by_rank[~shut[by_rank]].astype(np.int64)
    search = _Search(ways, p - len(fixed), ways.nearest(fixed, np.full(n, np.inf)), gap, clock)
    verdict = search.run()
    if search.best is None:
        return nothing(verdict)
    sites = np.concatenate([fixed, search.settled()])
    return found(sites, search.worst, search.bound, gap)


class _Search:
    """What is known so far: ``worst`` is reached by ``best`` (places in ``ways.columns``), less than ``bound`` never.

    rows    positions of the demand that stands for the rest;  near   their ways to every free site
    held    each demand's way to the nearest fixed site
    unpriced   least radius at which prices on every row that counts could not say no: nor can they beyond
    entries    of the cover by every row that counts, when last looked at
    """

    def __init__(self, ways, p, held, gap, clock):
        self.ways, self.p, self.held, self.gap, self.clock = ways, p, held, gap, clock
        self.order = ways.order()
        self.rows, self.near = NOTHING, np.zeros((0, len(ways.columns)))
        self.best, self.worst, self.bound = None, np.inf, 0.0
        self.unpriced, self.entries = np.inf, np.inf

    def run(self):
        """Narrow the radius down; return the status where no plan was found."""
        if not len(self.held):
            self.best, self.worst = self._filled([], self.held)[0], 0.0
            return None
        alone = self.ways.nearest(self.ways.columns, self.held)
        self.bound = alone.max()
        if not np.isfinite(self.bound) or (self.p == 0 and not np.isfinite(self.held.max())):
            return INFEASIBLE
        if self.p == 0:
            self.best, self.worst, self.bound = NOTHING, self.held.max(), self.held.max()
            return None
        self._farthest_first(alone)
        if self.best is None:
            verdict = self._decide(self.ways.longest(self.held), MODEL)
            if verdict == NO:
                return INFEASIBLE
            if verdict != YES:  # the clock stopped before anything was found: sites for whoever is farthest
                places, reach = self._filled([], self.held)
                if not np.isfinite(reach.max()):
                    return NO_PLAN
                self.best, self.worst = places, reach.max()
                return None
        self._quickly()
        self._thoroughly()
        while not self._done():
            # Only a stopped clock leaves it open.
            if self._decide(self._next_radius(), MODEL) == OPEN:
                break
        return None

    def _done(self):
        return self.worst - self.bound <= self.gap * max(self.worst, 1.0) or self.clock.stopped()

    def _radii(self, low, high):
        """Return the distances of the rows that stand for all, ``low`` <= d < ``high``, sorted; ``low`` is one."""
        held = self.held[self.rows]
        values = np.concatenate([self.near[(self.near > low) & (self.near < high)], held[(held > low) & (held < high)]])
        return np.unique(np.concatenate([[low], values]))

    def _next_radius(self):
        """Return the least radius whose proof does for the gap asked, or a middle one where that is far away and hard.

        After a thorough search the best plan is mostly the best there is; but the nearer to it the harder the proof.
        """
        wanted = self.worst - self.gap * max(self.worst, 1.0)
        enough = max(self.ways.longest(self.held, wanted), self.bound)
        if self.entries <= EASY or enough - self.bound <= FAR * (self.worst - self.bound):
            return enough
        radii = self._radii(self.bound, self.worst)
        return min(radii[(len(radii) - 1) // 2], enough)

    def _quickly(self):
        """Narrow from both sides with search and prices alone, until a band is left that they cannot tell."""
        low = high = None  # ends of the band
        while not self._done():
            if low is None:
                radii = self._radii(self.bound, self.worst)
                radius = radii[(len(radii) - 1) // 2]
            else:
                below, above = low - self.bound, self.worst - high
                if max(below, above) <= NARROW * self.worst:
                    return
                radii = self._radii(self.bound, low)[:-1] if below >= above else self._radii(high, self.worst)[1:]
                if not len(radii):
                    return
                radius = radii[len(radii) // 2]
            verdict = self._decide(radius, PRICES if low is None or radius < low else SEARCH)
            if verdict == OPEN:
                low = radius if low is None else min(low, radius)
                high = radius if high is None else max(high, radius)
            elif low is not None:
                # A yes below the band or a no above it moves the end it has passed.
                low, high = max(low, self.bound), min(high, self.worst)
                if low >= high:
                    low = high = None

    def _thoroughly(self):
        """Narrow the band with patience: better plans from above, then prices on every row that counts from below."""
        narrow, failed = max(NARROW / 3, self.gap / 4), self.bound
        while not self._done() and self.worst - failed > narrow * self.worst:
            radii = self._radii(failed, self.worst)[1:]
            if not len(radii):
                break
            if self._decide(radii[len(radii) // 2], PATIENCE) == OPEN:
                failed = radii[len(radii) // 2]
        while not self._done() and self.entries > EASY:
            radii = self._radii(self.bound, min(self.unpriced, self.worst))
            if radii[-1] - self.bound <= narrow * self.worst:
                break
            self._decide(radii[len(radii) // 2], PROOF)

    def _decide(self, radius, means):
        """Return YES when p sites have everybody within ``radius``, NO when none can, OPEN when neither is known."""
        known = self.best
        while not self.clock.stopped():
            self.clock.tell(self.worst if self.best is not None else None, self.bound)
            rows, within = self._rows_for(radius, means)
            if not within.any(axis=1).all():
                return self._no(radius, rows)
            cover, columns, stands_for = reduced(within)
            sites = None
            if means != PROOF:
                start = NOTHING if known is None else stands_for[known]
                start = first_cover(cover, start[start >= 0])
                steps = _steps(cover, patient=means == PATIENCE)
                sites = fewest(cover, start, self.clock, target=self.p, steps=steps)
            if sites is None or len(sites) > self.p:
                if means in (PRICES, PROOF, MODEL) and self._priced_out(cover, radius, means, sites):
                    return self._no(radius, rows)
                if means == MODEL and not self.clock.stopped():
                    solution = self._solved(cover)
                    if solution.status == INFEASIBLE:
                        return self._no(radius, rows)
                    sites = chosen(solution.values, len(columns)) if solution.has_plan else None
                if sites is None or len(sites) > self.p:
                    return OPEN
            known = columns[sites]
            if self._measured(known, radius):
                return YES
        return OPEN

    def _priced_out(self, cover, radius, means, sites):
        """Return whether prices on the rows show that more than p sites are needed."""
        if radius >= self.unpriced:
            return False
        size = self.p + 1 if sites is None else len(sites)
        if math.ceil(cover_bound(cover, self.clock, size, self.p)) > self.p:
            return True
        if means >= PATIENCE:
            self.unpriced = radius
        return False

    def _no(self, radius, rows):
        """Note that ``radius`` is impossible for ``rows``: nothing below the next of their distances is left."""
        near, held = self.near if rows is self.rows else self.ways.table(rows), self.held[rows]
        after = min(near[near > radius].min(initial=np.inf), held[held > radius].min(initial=np.inf))
        self.bound = max(self.bound, min(after, self.worst))
        return NO

    def _rows_for(self, radius, means):
        """Return (rows, within): the rows to ask at ``radius``, and for those without a fixed site who may serve them.

        For a long search every row that counts. For a proof those too while they are few; else the rows that stand
        for all, and those that half a site here and half a site there would leave unserved: the linear relaxation
        then says as much as on all rows.
        """
        if means >= PATIENCE:
            rows = self.ways.telling(radius, self.held, self.order, self.clock)
            within = self.ways.table(rows) <= radius
            self.entries = int(within.sum())
            if means == PATIENCE or self.entries <= MANY:
                return rows, within
            self._join_unserved_parts(radius)
        return self.rows, self.near[self.held[self.rows] > radius] <= radius

    def _join_unserved_parts(self, radius):
        """Let rows join until the best parts of sites that serve these at ``radius`` serve nearly everybody."""
        for _ in range(CUTS):
            within = self.near[self.held[self.rows] > radius] <= radius
            if self.clock.stopped() or not within.any(axis=1).all():
                return
            cover, columns, _ = reduced(within)
            solution = self._solved(cover, whole=False)
            if not solution.has_plan:
                return
            parts = np.zeros(len(self.ways.columns))
            parts[columns] = parts_open(solution.values, len(columns))
            served = self.ways.load(parts, radius)
            served[self.held <= radius] = 1.0
            short = np.flatnonzero(served < 1 - 1e-6)
            short = short[np.lexsort((self.order[short], served[short]))][: CHUNK // 4]
            telling = short[telling_rows(self.ways.table(short) <= radius)][:CUT_ROWS]
            if not len(telling):
                return
            self._join(telling)

    def _solved(self, cover, *, whole=True):
        model = within_radius(cover, self.p, whole=whole)
        return solve(model, seconds=self.clock.left(), gap=1.0, cancel=self.clock.cancel)

    def _measured(self, places, radius):
        """Keep the plan if it is the best so far; True within ``radius``, else whoever is too far joins the rows."""
        reach = self.ways.nearest(self.ways.columns[places], self.held)
        too_far = np.flatnonzero(reach > radius)
        filled, reached = self._filled(list(places), reach)
        if reached.max(initial=0.0) < self.worst:
            self.best, self.worst = filled, reached.max(initial=0.0)
        if not len(too_far):
            return True
        by_distance = too_far[np.lexsort((self.order[too_far], -reach[too_far]))]
        self._join(self.ways.apart(by_distance, radius, NEW_ROWS))
        return False

    def _filled(self, places, reach):
        """Return (places, reach) with sites added up to p, each the nearest to whoever is farthest."""
        places = list(places)
        spare = np.ones(len(self.ways.columns), dtype=bool)
        spare[places] = False
        while len(places) < self.p:
            near = np.zeros(len(spare))
            if len(reach):
                worst = np.flatnonzero(reach == reach.max())
                near = self.ways.table([worst[self.order[worst].argmin()]])[0]
            free = np.flatnonzero(spare)
            place = int(free[near[free].argmin()])
            places.append(place)
            spare[place] = False
            reach = self.ways.nearest(self.ways.columns[[place]], reach)
        return np.array(places, dtype=np.int64), reach

    def _farthest_first(self, alone):
        """Start from a site for whoever is farthest, again and again: those people are the first rows."""
        places, rows, reach = [], [], self.held
        by_need = np.lexsort((self.order, -alone))
        while len(places) < self.p and not self.clock.stopped():
            # Nobody has a fixed site, or nobody is served yet: begin where the nearest site is farthest.
            worst = np.flatnonzero(reach == reach.max())
            row = by_need[0] if not rows else worst[self.order[worst].argmin()]
            near = self.ways.table([row])[0]
            near[places] = np.inf
            if not np.isfinite(near).any():
                break
            places.append(int(near.argmin()))
            rows.append(row)
            reach = self.ways.nearest(self.ways.columns[places[-1:]], reach)
        worst = np.flatnonzero(reach == reach.max())
        self._join(np.array([*rows, worst[self.order[worst].argmin()]]))
        self._join(by_need[:1])
        if len(places) == self.p and np.isfinite(reach.max()):
            self.best, self.worst = np.array(places, dtype=np.int64), reach.max()

    def _join(self, rows):
        new = rows[~np.isin(rows, self.rows)]
        new = new[np.sort(np.unique(new, return_index=True)[1])]
        self.rows = np.concatenate([self.rows, new])
        self.near = np.vstack([self.near, self.ways.table(new)])

    def settled(self):
        """Return the best plan's sites, each given up for one of lower rank where nobody comes to be too far."""
        places, columns = self.best.copy(), self.ways.columns
        near_enough = (self.held <= self.worst).astype(np.int64)
        for place in places:
            near_enough[self.ways.within(columns[place], self.worst)] += 1
        changed = True
        while changed and not self.clock.stopped():
            changed = False
            for k in np.argsort(-places):
                served = self.ways.within(columns[places[k]], self.worst)
                able = np.ones(places[k], dtype=bool)
                able[places[places < places[k]]] = False
                better = self.ways.first_for(served[near_enough[served] == 1], self.worst, able)
                if better >= 0:
                    near_enough[served] -= 1
                    near_enough[self.ways.within(columns[better], self.worst)] += 1
                    places[k] = better
                    changed = True
        return columns[places]


def _steps(cover, patient):
    """Return after how many steps without a better cover a search on ``cover`` gives up."""
    effort = min(LONG, cover.nnz**3 // LONG_SHARE) if patient else min(QUICK, QUICK_EACH * cover.nnz)
    return 300 + int(effort / step_work(cover))


class _Ways:
    """What full tables and stored ways have in common."""

    def telling(self, radius, held, order, clock):
        """Return the rows that imply all others at ``radius``: a cover of these has everybody within it.

        Cut short when the clock stops.
        """
        rows = np.flatnonzero(held > radius)
        rows = rows[np.argsort(order[rows])]
        kept = rows[:0]
        for start in range(0, len(rows), CHUNK):
            if clock.stopped():
                break
            some = np.concatenate([kept, rows[start : start + CHUNK]])
            kept = some[telling_rows(self.table(some) <= radius)]
        return kept


class _Dense(_Ways):
    """Ways in a full table; ``columns`` are the free sites in the order of their rank."""

    def __init__(self, cost):
        kinds = (np.int32, np.int64, np.float32, np.float64)
        self.cost = np.ascontiguousarray(cost, dtype=None if np.asarray(cost).dtype in kinds else np.float64)
        self.shape = self.cost.shape

    def order(self):
        """Return for each row its place in an order that the rows' contents alone decide."""
        return _places(_dense_keys(self.cost, *_words(self.shape[1])))

    def nearest(self, sites, reach):
        """Return each row's way to the nearest of ``sites``, or ``reach`` where that is nearer."""
        return _dense_nearest(self.cost, np.asarray(sites, dtype=np.int64), reach)

    def longest(self, held, below=np.inf):
        """Return the longest way shorter than ``below`` to a free site or in ``held``; 0 without one."""
        return max(_dense_longest(self.cost, self.columns, float(below)), held[held < below].max(initial=0.0))

    def table(self, rows):
        """Return the ways of some rows to all free sites, np.inf where there is none."""
        return self.cost[np.ix_(rows, self.columns)].astype(float)

    def within(self, site, radius):
        """Return the rows within ``radius`` of a site."""
        return np.flatnonzero(self.cost[:, site] <= radius)

    def first_for(self, rows, radius, able):
        """Return the first place, of those ``able``, that has all ``rows`` within ``radius``; -1 without one."""
        return _dense_first_for(self.cost, self.columns, rows, float(radius), able)

    def load(self, parts, radius):
        """Return for each row the sum of ``parts`` (a number for each free site) over the sites within ``radius``."""
        used = np.flatnonzero(parts)
        return _dense_load(self.cost, self.columns[used], parts[used], float(radius))

    def apart(self, rows, radius, most):
        """Return up to ``most`` of ``rows``, first ones first, no two of which a free site has within ``radius``."""
        return rows[_dense_apart(self.cost, self.columns, rows, float(radius), most)]


class _Sparse(_Ways):
    """Ways that are stored alone; ``columns`` are the free sites in the order of their rank."""

    def __init__(self, cost):
        ways = sparse.csr_array(cost)
        if not ways.has_canonical_format:
            ways = ways.copy()
            ways.sum_duplicates()
        self.ways = sparse.csr_array((ways.data.astype(float), ways.indices, ways.indptr), shape=ways.shape)
        by_site = sparse.csc_array(self.ways)
        self.site_rows, self.site_ways, self.site_starts = by_site.indices, by_site.data, by_site.indptr
        self.shape = self.ways.shape

    def order(self):
        scale = self.ways.data.max(initial=0.0) or 1.0
        ways = sparse.csr_array((1 + self.ways.data / scale, self.ways.indices, self.ways.indptr), shape=self.shape)
        return _places(tuple(ways @ word for word in _words(self.shape[1])))

    def nearest(self, sites, reach):
        reach = reach.copy()
        for site in sites:
            a, b = self.site_starts[site], self.site_starts[site + 1]
            rows = self.site_rows[a:b]
            reach[rows] = np.minimum(reach[rows], self.site_ways[a:b])
        return reach

    def longest(self, held, below=np.inf):
        free = np.zeros(self.shape[1], dtype=bool)
        free[self.columns] = True
        ways = self.ways.data[free[self.ways.indices]]
        return max(ways[ways < below].max(initial=0.0), held[held < below].max(initial=0.0))

    def table(self, rows):
        some = self.ways[np.asarray(rows)].tocoo()
        table = np.full((len(rows), self.shape[1]), np.inf)
        table[some.coords] = some.data
        return table[:, self.columns]

    def within(self, site, radius):
        a, b = self.site_starts[site], self.site_starts[site + 1]
        return self.site_rows[a:b][self.site_ways[a:b] <= radius]

    def first_for(self, rows, radius, able):
        some = self.ways[rows]
        serves = np.bincount(some.indices[some.data <= radius], minlength=self.shape[1])[self.columns[: len(able)]]
        places = np.flatnonzero(able & (serves == len(rows)))
        return int(places[0]) if len(places) else -1

    def load(self, parts, radius):
        load = np.zeros(self.shape[0])
        for place in np.flatnonzero(parts):
            load[self.within(self.columns[place], radius)] += parts[place]
        return load

    def apart(self, rows, radius, most):
        shut = np.ones(self.shape[1], dtype=bool)
        shut[self.columns] = False
        taken = np.zeros(self.shape[1], dtype=bool)
        chosen_rows = []
        for i in rows[: 20 * most]:
            a, b = self.ways.indptr[i], self.ways.indptr[i + 1]
            sites = self.ways.indices[a:b][self.ways.data[a:b] <= radius]
            sites = sites[~shut[sites]]
            if len(chosen_rows) < most and not taken[sites].any():
                taken[sites] = True
                chosen_rows.append(i)
        return np.array(chosen_rows, dtype=np.int64)


def _words(m):
    """Return two fixed draws of a number for each site: sums over a row of them tell rows apart."""
    return tuple(np.random.default_rng(20250101).random((2, m)))


def _places(keys):
    order = np.empty(len(keys[0]), dtype=np.int64)
    order[np.lexsort(keys)] = np.arange(len(order))
    return order


@compiled
def _dense_keys(cost, first, second):
    """Return two numbers a row, the same at any scale of the distances."""
    n, m = cost.shape
    longest = 0.0
    for i in range(n):
        for j in range(m):
            if cost[i, j] < np.inf and cost[i, j] > longest:
                longest = float(cost[i, j])
    if longest == 0.0:
        longest = 1.0
    one, two = np.zeros(n), np.zeros(n)
    for i in range(n):
        for j in range(m):
            if cost[i, j] < np.inf:
                way = 1.0 + cost[i, j] / longest
                one[i] += first[j] * way
                two[i] += second[j] * way
    return one, two


@compiled
def _dense_nearest(cost, sites, reach):
    nearest = reach.copy()
    for i in range(cost.shape[0]):
        for j in sites:
            if cost[i, j] < nearest[i]:
                nearest[i] = cost[i, j]
    return nearest


@compiled
def _dense_load(cost, sites, parts, radius):
    load = np.zeros(cost.shape[0])
    for i in range(cost.shape[0]):
        for k in range(len(sites)):
            if cost[i, sites[k]] <= radius:
                load[i] += parts[k]
    return load


@compiled
def _dense_longest(cost, columns, below):
    longest = 0.0
    for i in range(cost.shape[0]):
        for j in columns:
            if cost[i, j] < below and cost[i, j] > longest:
                longest = float(cost[i, j])
    return longest


@compiled
def _dense_first_for(cost, columns, rows, radius, able):
    for place in range(len(able)):
        if able[place]:
            all_near = True
            for i in rows:
                if cost[i, columns[place]] > radius:
                    all_near = False
                    break
            if all_near:
                return place
    return -1


@compiled
def _dense_apart(cost, columns, rows, radius, most):
    taken = np.zeros(len(columns), dtype=np.bool_)
    picked = np.zeros(len(rows), dtype=np.bool_)
    count = 0
    for q in range(len(rows)):
        if count == most:
            break
        free = True
        for k in range(len(columns)):
            if taken[k] and cost[rows[q], columns[k]] <= radius:
                free = False
                break
        if free:
            picked[q] = True
            count += 1
            for k in range(len(columns)):
                if cost[rows[q], columns[k]] <= radius:
                    taken[k] = True
    return picked
