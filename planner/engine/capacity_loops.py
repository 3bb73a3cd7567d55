"""Compiled loops for sites with limited room: assignments that fit, and what each site is worth at given prices.

Arcs by demand: those of demand i stand at first[i]:first[i + 1], with their site and cost; by site likewise with
their demand. ``size`` is what a demand takes of a site's ``room``, both whole numbers.
"""

import numpy as np

from planner.engine.compiled import compiled

EPS = 1e-9


@compiled
def assign(first, site, cost, measure, size, room, alone, opened, effort, moves):
    """Return (place n, total): an open site for each demand, or -1 at the cost ``alone`` of the demand.

    Greedy by regret (Martello, Toth 1981): next comes who loses most by not getting the first choice, in terms of
    ``measure``; then moves and chains (i to another site, one of that site elsewhere) while ``cost`` falls, for at most
    ``effort`` steps. Without ``moves`` only who has no place looks for one: where all sites cost a demand the same.
    """
    n = len(size)
    begin = np.zeros(n + 1, np.int64)
    for i in range(n):
        k = 0
        for a in range(first[i], first[i + 1]):
            if opened[site[a]]:
                k += 1
        begin[i + 1] = begin[i] + k
    arc = np.empty(begin[n], np.int64)
    for i in range(n):
        k = begin[i]
        for a in range(first[i], first[i + 1]):
            if opened[site[a]]:
                arc[k] = a
                k += 1
    left = room.copy()
    at = np.full(n, -1, np.int64)  # the arc a demand uses
    waiting = np.ones(n, np.bool_)
    waits = n
    chunks = min(max(30_000_000 // max(begin[n], 1), 8), 500)
    chunk = max(1, n // chunks)
    regret = np.empty(n)
    while waits > 0:
        for i in range(n):
            regret[i] = -1.0
            if not waiting[i]:
                continue
            one, two, choices = np.inf, np.inf, 0
            for k in range(begin[i], begin[i + 1]):
                a = arc[k]
                if left[site[a]] >= size[i]:
                    choices += 1
                    if measure[a] < one:
                        one, two = measure[a], one
                    elif measure[a] < two:
                        two = measure[a]
            if choices == 0:
                waiting[i] = False
                waits -= 1
            elif choices == 1:
                regret[i] = 1e300
            else:
                regret[i] = (two - one) * (1.0 + 1e-9 * size[i]) + 1e-12 * size[i]
        if waits == 0:
            break
        if chunk == 1:
            best = -1
            for i in range(n):
                if waiting[i] and (
                    best < 0 or regret[i] > regret[best] or (regret[i] == regret[best] and size[i] > size[best])
                ):
                    best = i
            order = np.full(1, best, np.int64)
        else:
            order = np.argsort(-regret, kind="mergesort")[:chunk]
        for i in order:
            if not waiting[i]:
                continue
            pick = -1
            for k in range(begin[i], begin[i + 1]):
                a = arc[k]
                if left[site[a]] >= size[i] and (pick < 0 or measure[a] < measure[pick]):
                    pick = a
            if pick >= 0:
                at[i] = pick
                left[site[pick]] -= size[i]
                waiting[i] = False
                waits -= 1
    m = len(room)
    head = np.full(m, -1, np.int64)  # who is at a site: linked lists
    after = np.full(n, -1, np.int64)
    before = np.full(n, -1, np.int64)
    for i in range(n - 1, -1, -1):
        if at[i] >= 0:
            j = site[at[i]]
            after[i] = head[j]
            if head[j] >= 0:
                before[head[j]] = i
            head[j] = i
    steps = 0
    chains = False
    while steps < effort:
        moved = False
        for i in range(n):
            if at[i] >= 0 and not moves:
                continue
            here = site[at[i]] if at[i] >= 0 else -1
            mine = cost[at[i]] if at[i] >= 0 else alone[i]
            gain, to, who, where = EPS * (1.0 + abs(mine)), -1, -1, -1
            for k in range(begin[i], begin[i + 1]):
                a = arc[k]
                other = site[a]
                if other == here:
                    continue
                steps += 1
                fall = mine - cost[a]
                if left[other] >= size[i]:
                    if fall > gain:
                        gain, to, who, where = fall, a, -1, -1
                elif chains:
                    q = head[other]
                    while q >= 0:
                        if left[other] + size[q] >= size[i]:
                            was = cost[at[q]]
                            if fall + was - alone[q] > gain:
                                gain, to, who, where = fall + was - alone[q], a, q, -1
                            for t in range(begin[q], begin[q + 1]):
                                b = arc[t]
                                h = site[b]
                                steps += 1
                                if h == other:
                                    continue
                                free = left[h] + (size[i] if h == here else 0)
                                if free >= size[q] and fall + was - cost[b] > gain:
                                    gain, to, who, where = fall + was - cost[b], a, q, b
                        q = after[q]
            if to < 0:
                continue
            moved = True
            for turn in range(2):
                x, b = (who, where) if turn == 0 else (i, to)
                if x < 0:
                    continue
                if at[x] >= 0:
                    j = site[at[x]]
                    left[j] += size[x]
                    if before[x] >= 0:
                        after[before[x]] = after[x]
                    else:
                        head[j] = after[x]
                    if after[x] >= 0:
                        before[after[x]] = before[x]
                    before[x] = after[x] = -1
                at[x] = b
                if b >= 0:
                    j = site[b]
                    left[j] -= size[x]
                    after[x] = head[j]
                    if head[j] >= 0:
                        before[head[j]] = x
                    head[j] = x
            if steps >= effort:
                break
        if not moved:
            if chains:
                break
            chains = True
    place = np.full(n, -1, np.int64)
    total = 0.0
    for i in range(n):
        if at[i] >= 0:
            place[i] = site[at[i]]
            total += cost[at[i]]
        else:
            total += alone[i]
    return place, total


@compiled
def earn(start, stop, row, cost, alive, size, room, price, exact, share, pick, ratio, best, keep):
    """Return what one site can earn at ``price`` a demand, and write the share it takes of each of its arcs.

    min sum_i (c_ij - u_i) z_ij   subject to  sum_i a_i z_ij <= b_j,   0 <= z_ij <= 1, whole where ``exact``.
    Whole by dynamic programming over the room, else by the greedy rule of the fractional knapsack.
    """
    count, asked, value = 0, 0, 0.0
    for a in range(start, stop):
        share[a] = 0.0
        if alive[a] and cost[a] < price[row[a]]:
            pick[count] = a
            count += 1
            asked += size[row[a]]
    if asked <= room:
        for k in range(count):
            share[pick[k]] = 1.0
            value += cost[pick[k]] - price[row[pick[k]]]
        return value
    if exact:
        best[: room + 1] = 0.0
        for k in range(count):
            i = row[pick[k]]
            w, r = size[i], cost[pick[k]] - price[i]
            for c in range(w):
                keep[k, c] = False
            for c in range(room, w - 1, -1):
                better = best[c - w] + r
                keep[k, c] = better < best[c]
                best[c] = min(better, best[c])
        value = best[room]
        c = room
        for k in range(count - 1, -1, -1):
            if keep[k, c]:
                share[pick[k]] = 1.0
                c -= size[row[pick[k]]]
        return value
    for k in range(count):
        i = row[pick[k]]
        ratio[k] = (cost[pick[k]] - price[i]) / size[i] if size[i] > 0 else -np.inf
    free = room
    for k in np.argsort(ratio[:count], kind="mergesort"):
        i = row[pick[k]]
        part = 1.0 if size[i] <= free else free / size[i]
        share[pick[k]] = part
        value += part * (cost[pick[k]] - price[i])
        free -= min(free, size[i])
        if free == 0:
            break
    return value


@compiled
def workspace(first, room, exact):
    """Return the arrays that :func:`earn` works in: (pick, ratio, best, keep)."""
    longest, widest = 1, 0
    for j in range(len(room)):
        longest = max(longest, first[j + 1] - first[j])
        if exact[j]:
            widest = max(widest, room[j])
    keep = np.empty((longest if widest > 0 else 1, widest + 1), np.bool_)
    return np.empty(longest, np.int64), np.empty(longest), np.empty(widest + 1), keep


@compiled
def price_sites(first, row, cost, alive, size, room, price, exact, value, share):
    """Write what each site can earn (:func:`earn`) to ``value``, the share of each arc to ``share``."""
    pick, ratio, best, keep = workspace(first, room, exact)
    for j in range(len(room)):
        value[j] = earn(
            first[j], first[j + 1], row, cost, alive, size, room[j], price, exact[j], share, pick, ratio, best, keep
        )


@compiled
def ascend(
    first, row, cost, alive, size, room, exact, must, out, count, everybody, price, aim, enough, rounds, patience
):
    """Better ``price`` for at most ``rounds`` by subgradients with a memory, until the bound exceeds ``enough``.

    Return (bound, its price, opened, use): the choice of ``count`` sites last seen, and how often each arc was used,
    recent rounds counting more - a fractional plan near the best one. ``aim`` is what a good plan costs.
    """
    n, m = len(size), len(room)
    pick, ratio, best, keep = workspace(first, room, exact)
    value, share, use = np.zeros(m), np.zeros(len(row)), np.zeros(len(row))
    opened = np.zeros(m, np.bool_)
    price = price.copy()  # the caller keeps its own
    kept, push, here, waited, step = price.copy(), np.zeros(n), -np.inf, 0, 1.0
    served = np.empty(n)
    held = 0
    free = np.empty(m, np.int64)
    frees = 0
    for j in range(m):
        held += must[j]
        if not must[j] and not out[j]:
            free[frees] = j
            frees += 1
    need = count - held
    if need < 0 or need > frees:
        return np.inf, kept, opened, use
    worth = np.empty(frees)
    for turn in range(rounds):
        total = 0.0
        for i in range(n):
            total += price[i]
            served[i] = 0.0
        for j in range(m):
            opened[j] = must[j]
            if must[j] or not out[j]:
                value[j] = earn(
                    first[j],
                    first[j + 1],
                    row,
                    cost,
                    alive,
                    size,
                    room[j],
                    price,
                    exact[j],
                    share,
                    pick,
                    ratio,
                    best,
                    keep,
                )
            if must[j]:
                total += value[j]
        for k in range(frees):
            worth[k] = value[free[k]]
        order = np.argsort(worth, kind="mergesort")
        for k in range(need):
            total += worth[order[k]]
            opened[free[order[k]]] = True
        fade = max(0.03, 1.0 / (turn + 1))
        for j in range(m):
            if out[j]:
                continue
            for a in range(first[j], first[j + 1]):
                on = share[a] if opened[j] else 0.0
                use[a] += fade * (on - use[a])
                served[row[a]] += on
        waited += 1
        if total > here + 1e-7 * max(abs(total), 1.0):
            here, waited = total, 0
            kept[:] = price
        if here > enough:
            break
        if waited >= patience:
            step, waited = step * 0.5, 0
            price = kept.copy()
            push[:] = 0.0
            if step < 0.01:
                break
            continue
        steep = 0.0
        for i in range(n):
            short = 1.0 - served[i]
            if not everybody and price[i] >= 0 and short > 0:
                short = 0.0
            push[i] = 0.7 * push[i] + 0.3 * short
            steep += push[i] * push[i]
        if steep <= 1e-12:
            break
        move = step * max(aim - total, 1e-4 * max(abs(aim), 1.0)) / steep
        for i in range(n):
            price[i] += move * push[i]
            if not everybody:
                price[i] = min(price[i], 0.0)
    return here, kept, opened, use


@compiled
def force_arcs(first, row, cost, alive, size, room, price, exact, value, share, forced):
    """Write of each arc a lower bound of its site's value where that arc must be used (inf where it cannot be)."""
    longest, widest = 1, 0
    for j in range(len(room)):
        longest = max(longest, first[j + 1] - first[j])
        if exact[j]:
            widest = max(widest, room[j])
    pick = np.empty(longest, np.int64)
    ratio = np.empty(longest)
    best = np.empty(widest + 1)
    for j in range(len(room)):
        count, asked = 0, 0
        for a in range(first[j], first[j + 1]):
            forced[a] = np.inf
            if alive[a] and cost[a] < price[row[a]]:
                pick[count] = a
                count += 1
                asked += size[row[a]]
        loose = asked <= room[j]
        if exact[j]:
            best[: room[j] + 1] = 0.0
            for k in range(count):
                i = row[pick[k]]
                w, r = size[i], cost[pick[k]] - price[i]
                for c in range(room[j], w - 1, -1):
                    if best[c - w] + r < best[c]:
                        best[c] = best[c - w] + r
        else:
            for k in range(count):
                i = row[pick[k]]
                ratio[k] = (cost[pick[k]] - price[i]) / size[i] if size[i] > 0 else -np.inf
        order = np.argsort(ratio[:count], kind="mergesort") if not exact[j] else np.zeros(0, np.int64)
        weight = np.zeros(len(order) + 1)
        worth = np.zeros(len(order) + 1)
        for t in range(len(order)):
            i = row[pick[order[t]]]
            weight[t + 1] = weight[t] + size[i]
            worth[t + 1] = worth[t] + cost[pick[order[t]]] - price[i]
        for a in range(first[j], first[j + 1]):
            i = row[a]
            if not alive[a] or size[i] > room[j]:
                continue
            r = cost[a] - price[i]
            if r < 0 and (loose or share[a] == 1.0):
                forced[a] = value[j]  # it is used as things are
            elif exact[j]:
                forced[a] = r + best[room[j] - size[i]]
            else:
                free = room[j] - size[i]
                t = np.searchsorted(weight, free, side="right") - 1
                rest = worth[t]
                if t < len(order):
                    step = weight[t + 1] - weight[t]
                    rest += (free - weight[t]) / step * (worth[t + 1] - worth[t])
                forced[a] = r + rest
            forced[a] = max(forced[a], value[j])
