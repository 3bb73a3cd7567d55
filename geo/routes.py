"""Shortest ways from many sites to many demand points over a road network: compiled loops on plain arrays.

A network is (first, head, length): the edges that leave node v are first[v] .. first[v + 1] - 1, each with the node it
leads to and its length in whole metres or seconds. Ways onto the roads are (first, who, leg): the points that come onto
or off the roads at node v, or the nodes where point i does, each with the length of its leg off the roads.
"""

import math

import numpy as np

from geo.compiled import compiled
from geo.travel import UNREACHED, is_covered

NODE_BITS = 31  # of a heap entry: amount and node in one number; amounts stay below 2**32
NEARLY = 1e-6  # what the arithmetic of a leg may be off

covered = compiled(is_covered)


@compiled
def push(heap, size, entry):
    """Put ``entry`` into the binary heap of ``size`` entries; return (heap, new size); a full heap grows."""
    if size == len(heap):
        larger = np.empty(2 * size, dtype=heap.dtype)
        for i in range(size):
            larger[i] = heap[i]
        heap = larger
    child = size
    while child > 0:
        parent = (child - 1) >> 1
        if heap[parent] <= entry:
            break
        heap[child] = heap[parent]
        child = parent
    heap[child] = entry
    return heap, size + 1


@compiled
def pop(heap, size):
    """Take the least entry out of the heap; return (entry, new size)."""
    least, size = heap[0], size - 1
    last, hole = heap[size], 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= last:
            break
        heap[hole] = heap[child]
        hole = child
    heap[hole] = last
    return least, size


@compiled
def off_road(dx, dy, a_metre):
    """Return the length of a straight line off the roads: whole metres, each ``a_metre`` long, both rounded up."""
    return np.int64(math.ceil(math.ceil(math.hypot(dx, dy) - NEARLY) * a_metre - NEARLY))


@compiled
def within(network, sites, demand, limit, a_metre, from_site, to_site):
    """Return (first, rows, amounts): demand points within their limit of the sites from_site .. to_site - 1.

    sites   (x, y, first, node, leg): where each site comes onto the roads
    demand  (x, y, first, who, leg): who leaves the roads at each node
    limit   one a demand point; a demand point and a site at one node may go straight to each other
    """
    first, head, length = network
    site_x, site_y, site_first, site_node, site_leg = sites
    demand_x, demand_y, demand_first, demand_who, demand_leg = demand
    farthest = limit.max() if len(limit) else -1
    far = np.full(len(first) - 1, UNREACHED)
    touched = np.empty(len(far), dtype=np.int64)
    place = np.empty(len(limit), dtype=np.int64)
    met_by = np.full(len(limit), -1)
    heap = np.empty(1024, dtype=np.int64)
    rows, amounts = np.empty(65536, dtype=np.int32), np.empty(65536, dtype=np.int64)
    begins = np.zeros(to_site - from_site + 1, dtype=np.int64)
    count = 0
    for j in range(from_site, to_site):
        size = known = 0
        for k in range(site_first[j], site_first[j + 1]):
            v = site_node[k]
            if site_leg[k] < far[v]:
                if far[v] == UNREACHED:
                    touched[known] = v
                    known += 1
                far[v] = site_leg[k]
                heap, size = push(heap, size, (site_leg[k] << NODE_BITS) | v)
        while size:
            entry, size = pop(heap, size)
            amount, v = entry >> NODE_BITS, entry & ((1 << NODE_BITS) - 1)
            if amount > far[v]:
                continue
            here = False
            for k in range(site_first[j], site_first[j + 1]):
                here |= site_node[k] == v
            for k in range(demand_first[v], demand_first[v + 1]):
                i, total = demand_who[k], amount + demand_leg[k]
                if here:
                    total = min(total, off_road(demand_x[i] - site_x[j], demand_y[i] - site_y[j], a_metre))
                if not covered(total, limit[i]):
                    continue
                if met_by[i] == j:
                    amounts[place[i]] = min(amounts[place[i]], total)
                    continue
                if count == len(rows):
                    rows = np.concatenate((rows, np.empty_like(rows)))
                    amounts = np.concatenate((amounts, np.empty_like(amounts)))
                met_by[i], place[i], rows[count], amounts[count] = j, count, i, total
                count += 1
            for e in range(first[v], first[v + 1]):
                u, next_ = head[e], amount + length[e]
                if next_ < far[u] and next_ <= farthest:
                    if far[u] == UNREACHED:
                        touched[known] = u
                        known += 1
                    far[u] = next_
                    heap, size = push(heap, size, (next_ << NODE_BITS) | u)
        for k in range(known):
            far[touched[k]] = UNREACHED
        begins[j - from_site + 1] = count
    return begins, rows[:count], amounts[:count]


@compiled
def nearest(network, sites):
    """Return (amount, site) of each node's nearest site, of equally near ones the first; (UNREACHED, -1) where none.

    One search from all sites at once. A site that comes to a node as early as one later in order takes it over, and
    tells those beyond.
    """
    first, head, length = network
    _, _, site_first, site_node, site_leg = sites
    far = np.full(len(first) - 1, UNREACHED)
    whose = np.full(len(far), -1)
    told = np.full(len(far), -1)
    heap, size = np.empty(1024, dtype=np.int64), 0
    for j in range(len(site_first) - 1):
        for k in range(site_first[j], site_first[j + 1]):
            v = site_node[k]
            if site_leg[k] < far[v]:
                far[v], whose[v] = site_leg[k], j
                heap, size = push(heap, size, (site_leg[k] << NODE_BITS) | v)
    while size:
        entry, size = pop(heap, size)
        amount, v = entry >> NODE_BITS, entry & ((1 << NODE_BITS) - 1)
        if amount > far[v] or told[v] == whose[v]:
            continue
        told[v] = whose[v]
        for e in range(first[v], first[v + 1]):
            u, next_ = head[e], amount + length[e]
            if next_ < far[u] or (next_ == far[u] and whose[v] < whose[u]):
                far[u], whose[u] = next_, whose[v]
                heap, size = push(heap, size, (next_ << NODE_BITS) | u)
    return far, whose


@compiled
def nearest_of_points(reached, sites, sites_at, demand, a_metre):
    """Return (amount, site) of each demand point: along the roads, or straight to a site that shares its node.

    reached   what :func:`nearest` returns
    sites_at  (first, who): the sites at each node
    """
    far, whose = reached
    site_x, site_y, _, _, _ = sites
    at_first, at_who = sites_at
    demand_x, demand_y, demand_first, demand_who, demand_leg = demand
    best, site = np.full(len(demand_x), UNREACHED), np.full(len(demand_x), -1)
    for v in range(len(far)):
        for k in range(demand_first[v], demand_first[v + 1]):
            i = demand_who[k]
            if whose[v] >= 0:
                total = far[v] + demand_leg[k]
                if total < best[i] or (total == best[i] and whose[v] < site[i]):
                    best[i], site[i] = total, whose[v]
            for s in range(at_first[v], at_first[v + 1]):
                j = at_who[s]
                total = off_road(demand_x[i] - site_x[j], demand_y[i] - site_y[j], a_metre)
                if total < best[i] or (total == best[i] and j < site[i]):
                    best[i], site[i] = total, j
    return best, site
