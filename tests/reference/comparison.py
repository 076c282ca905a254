#!/usr/bin/env python3
"""The statistics of a comparison a second time: by scipy where it has them, else written from docs/comparison.md.

Usage: comparison.py FILE: holds what the file says of its board scores against what is computed here.
"""
import itertools
import json
import math
import sys

import numpy as np
from scipy import stats

WORST = {}
COUNT = {}


def hold(name, ours, theirs, tolerance=1e-8):
    difference = abs(ours - theirs) / (abs(theirs) or 1.0)
    COUNT[name] = COUNT.get(name, 0) + 1
    if name not in WORST or not difference <= WORST[name][0]:
        WORST[name] = (difference, tolerance)


def hold_interval(name, ours, theirs, tolerance=1e-8):
    """The ends are held against the width: a value near zero has no digits of its own."""
    width = theirs[2] - theirs[1]
    for key, number in zip(("value", "low", "high"), theirs):
        hold(f"{name} {key}", 1 + (ours[key] - number) / width, 1.0, tolerance)


def hold_difference(name, ours, value, error, freedom, p):
    reach = stats.t.ppf(0.975, freedom) * error
    hold_interval(name, ours["estimate"], (value, value - reach, value + reach))
    hold(f"{name} freedom", ours["freedom"], freedom)
    hold(f"{name} p", ours["p"], p)
    tost = max(stats.t.sf((value + 2.5) / error, freedom), stats.t.cdf((value - 1.5) / error, freedom))
    hold(f"{name} within", ours["within"][0], tost, 1e-7)
    hold(f"{name} within, called", int(ours["within"][1]), int(tost < 0.05), 0)
    hold(f"{name} not higher", ours["not_higher"][0], stats.t.cdf((value - 1) / error, freedom), 1e-7)
    hold(f"{name} not lower", ours["not_lower"][0], stats.t.sf((value + 1) / error, freedom), 1e-7)
    edge = stats.t.ppf(0.95, freedom) * error
    hold(f"{name} not higher, bound", ours["not_higher"][1] - value, edge)
    hold(f"{name} not lower, bound", value - ours["not_lower"][1], edge)


def tails(values, observed):
    """Both tails of an exact distribution given as all its values."""
    same = 1e-9 * (1 + abs(observed))
    return (values <= observed + same).mean(), (values >= observed - same).mean()


def all_shares(scores, drawn):
    return np.array([sum(share) for share in itertools.combinations(scores, drawn)])


def rank_sums(before, after):
    """Mann-Whitney on mid-ranks: exact where all shares can be gone through, else by scipy."""
    n, m = len(before), len(after)
    ranks = stats.rankdata(np.r_[before, after])
    observed = ranks[n:].sum()
    u = observed - m * (m + 1) / 2
    tied = len(set(ranks)) < n + m
    if math.comb(n + m, m) <= 200_000:
        values = all_shares(ranks, m)
        return u, *tails(values, observed), 2 * min(tails(values, values.min())[0], tails(values, values.max())[1])
    if n + m > 50 or not tied:
        method = "asymptotic" if n + m > 50 else "exact"
        p = [stats.mannwhitneyu(after, before, alternative=way, method=method).pvalue for way in ("less", "greater")]
        return u, *p, 2 / math.comb(n + m, m)
    # Ties and too many shares: the generating function in whole numbers of any size.
    ways = [{0: 1}] + [{} for _ in range(m)]
    for rank in (2 * ranks).astype(int):
        for taken in range(m, 0, -1):
            for total, count in ways[taken - 1].items():
                ways[taken][total + rank] = ways[taken].get(total + rank, 0) + count
    spread, all_ways = ways[m], math.comb(n + m, m)
    at = round(2 * observed)
    low = sum(count for total, count in spread.items() if total <= at) / all_ways
    high = sum(count for total, count in spread.items() if total >= at) / all_ways
    return u, low, high, 2 * min(spread[min(spread)], spread[max(spread)]) / all_ways


def hold_ranks(name, ours, theirs):
    u, low, high, smallest = theirs
    hold(f"{name} statistic", 1 + ours["statistic"], 1 + u)
    hold(f"{name} lower", ours["p_lower"], low)
    hold(f"{name} higher", ours["p_higher"], high)
    hold(f"{name} p", ours["p"], min(1.0, 2 * min(low, high)))
    hold(f"{name} smallest p", ours["smallest_p"], min(1.0, smallest))


def signed(changes):
    moved = changes[changes != 0]
    ranks = stats.rankdata(abs(moved))
    observed = ranks[moved > 0].sum()
    if len(moved) <= 16:
        values = np.array([np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(moved))])
        return observed, *tails(values, observed), 2 * tails(values, values.min())[0]
    if len(moved) > 50:
        error = math.sqrt((ranks**2).sum() / 4)
        far = observed - ranks.sum() / 2
        return observed, stats.norm.cdf((far + 0.5) / error), stats.norm.sf((far - 0.5) / error), 2.0 ** (1 - len(moved))
    ways = {0: 1}
    for rank in (2 * ranks).astype(int):
        more = dict(ways)
        for total, count in ways.items():
            more[total + rank] = more.get(total + rank, 0) + count
        ways = more
    at, all_ways = round(2 * observed), 2 ** len(moved)
    low = sum(count for total, count in ways.items() if total <= at) / all_ways
    return observed, low, sum(count for total, count in ways.items() if total >= at) / all_ways, 2 / all_ways


def shift(differences, u_values, confidence):
    """The ends by the definition: as many ordered differences left out as the test without ties would reject."""
    ordered = np.sort(differences)
    part = (1 - confidence) / 2
    cut = max((u for u in np.unique(u_values) if (u_values <= u).mean() <= part + 1e-12), default=0)
    low, high = ordered[int(cut)], ordered[len(ordered) - 1 - int(cut)]
    return (np.median(ordered), low, high), 1 - 2 * (u_values <= cut).mean()


def hold_shift(name, ours, differences, u_values):
    theirs, level = shift(differences, u_values, 0.9)
    hold_interval(name, ours, theirs) if theirs[2] > theirs[1] else hold(f"{name} low", ours["low"], theirs[1])
    hold(f"{name} level", ours["confidence"], level)


def ordered(ours):
    """Least squares by the whole design: a column a board, or one level."""
    rows = ours["runs"]
    if not ours["within_boards"]:
        boards = sorted({row[0] for row in rows})
        rows = [np.mean([row for row in rows if row[0] == board], axis=0) for board in boards]
    board, side, position, score = np.array(rows, dtype=float).T
    levels = [board == one for one in sorted(set(board))] if ours["within_boards"] else [np.ones(len(board))]
    design = np.column_stack([side, position, *levels])
    fitted, _, rank, _ = np.linalg.lstsq(design, score, rcond=None)
    freedom = len(score) - rank
    variance = ((score - design @ fitted) ** 2).sum() / freedom
    errors = np.sqrt(variance * np.diag(np.linalg.pinv(design.T @ design)))
    name = "order within" if ours["within_boards"] else "order"
    hold(f"{name} freedom", ours["freedom"], freedom)
    for at, (key, p) in enumerate((("effect", "p"), ("drift", "drift_p"))):
        reach = stats.t.ppf(0.95, freedom) * errors[at]
        hold_interval(f"{name} {key}", ours[key], (fitted[at], fitted[at] - reach, fitted[at] + reach))
        hold(f"{name} {key} p", ours[p], 2 * stats.t.sf(abs(fitted[at]) / errors[at], freedom), 1e-7)
    alone = np.column_stack([side, *levels])
    plain = np.linalg.pinv(alone.T @ alone)[0, 0]
    hold(f"{name} inflation", ours["inflation"], np.linalg.pinv(design.T @ design)[0, 0] / plain)


def inflation(within_boards, runs):
    """What is left of the side by the levels alone, over what is left once the order is known, too; none where nothing is left."""
    board, side, position = np.array(runs, dtype=float).T
    levels = [board == one for one in sorted(set(board))] if within_boards else [np.ones(len(board))]

    def left(*columns):
        design = np.column_stack(columns)
        return ((side - design @ np.linalg.lstsq(design, side, rcond=None)[0]) ** 2).sum()

    alone, with_order = left(*levels), left(*levels, position)
    return None if alone < 1e-9 or with_order < 1e-9 * alone else alone / with_order


def bootstraps(name, ours, groups, statistic):
    """Other draws, so only as near as draws come: a few hundredths of the width."""
    for one in ours:
        method = {"percentile": "percentile", "BCa": "BCa"}[one["kind"]]
        found = stats.bootstrap(groups, statistic, n_resamples=50_000, confidence_level=0.9, method=method, vectorized=True, rng=np.random.default_rng(3))
        ends = found.confidence_interval
        hold_interval(f"{name} {method}", one["estimate"], (one["estimate"]["value"], ends.low, ends.high), 0.04)


def case(told):
    before, after = np.array(told["before"]), np.array(told["after"])
    n, m = len(before), len(after)
    mean = lambda x, axis: np.mean(x, axis=axis)
    found = stats.ttest_ind(after, before, equal_var=False)
    error = math.sqrt(before.var(ddof=1) / n + after.var(ddof=1) / m)
    hold_difference("welch", told["welch"], after.mean() - before.mean(), error, found.df, found.pvalue)
    found = stats.ttest_1samp(before, 0)
    hold_difference("one sample", told["one_sample"], before.mean(), stats.sem(before), n - 1, found.pvalue)
    hold_ranks("mann-whitney", told["mann_whitney"], rank_sums(before, after))
    floor = told["floored"]["floor"]
    at_floor = [np.where(side < floor, floor - 1, side) for side in (before, after)]
    hold_ranks("at the floor", told["floored"]["test"], rank_sums(*at_floor))
    if math.comb(n + m, m) <= 200_000:
        u_values = all_shares(np.arange(n + m), m) - m * (m - 1) // 2
        hold_shift("shift", told["shift"], np.subtract.outer(after, before).ravel(), u_values)
        values = all_shares(np.r_[before, after], m)
        low, high = tails(values, after.sum())
        hold("permuted p", told["permuted"][0], min(1.0, 2 * min(low, high)))
        hold("permuted ways", told["permuted"][1], math.comb(n + m, m), 0)
    elif told["permuted"] is not None:
        hold("permuted where there are too many ways", 1, 0, 0)
    bootstraps("bootstrap", told["bootstraps"], (after, before), lambda a, b, axis: mean(a, axis) - mean(b, axis))
    if "cpk" in told:
        cpk = min(43 - before.mean(), before.mean() - 36) / (3 * before.std(ddof=1))
        reach = stats.norm.ppf(0.975) * math.sqrt(1 / (9 * n) + cpk**2 / (2 * (n - 1)))
        hold_interval("cpk", told["cpk"], (cpk, cpk - reach, cpk + reach))
    for key in ("order", "order_within"):
        if key in told:
            ordered(told[key])
    if "paired" in told:
        changes = after - before
        found = stats.ttest_rel(after, before)
        hold_difference("paired", told["paired"], changes.mean(), stats.sem(changes), n - 1, found.pvalue)
        hold_ranks("signed rank", told["signed_rank"], signed(changes))
        hold("signed rank zeros", told["signed_rank"]["zeros"], (changes == 0).sum(), 0)
        if n <= 16:
            u_values = np.array([np.dot(signs, np.arange(1, n + 1)) for signs in itertools.product((0, 1), repeat=n)])
            walsh = [(changes[i] + changes[j]) / 2 for i in range(n) for j in range(i, n)]
            hold_shift("shift of pairs", told["shift_of_pairs"], walsh, u_values)
            values = np.array([np.dot(signs, changes) for signs in itertools.product((-1, 1), repeat=n)])
            low, high = tails(values, changes.sum())
            hold("permuted pairs p", told["permuted_pairs"][0], min(1.0, 2 * min(low, high)))
        bootstraps("paired bootstrap", told.get("paired_bootstraps", []), (changes,), mean)


def distributions(rows):
    for kind, at, freedom, shifted, ours in rows:
        if kind == "normal":
            hold("normal quantile", 1 + ours, 1 + stats.norm.ppf(at))
        elif kind == "t":
            hold("t lower", ours[0], stats.t.cdf(at, freedom))
            hold("t upper", ours[1], stats.t.sf(at, freedom))
        elif kind == "tail":
            # Held as differences of probabilities: scipy's own far tails lose digits.
            hold("non-central t tail", 1 + ours[0], 1 + stats.nct.cdf(at, freedom, shifted), 1e-9)
        else:
            # By the definition: scipy's distribution at our quantile.
            hold("non-central t quantile", stats.nct.cdf(ours, freedom, shifted), at)


def main(path):
    told = json.load(open(path))
    for one in told["cases"]:
        case(one)
    distributions(told["tails"])
    for boards, part, confidence, one_sided, two_sided in told["factors"]:
        root = math.sqrt(boards)
        hold("one-sided factor", stats.nct.cdf(one_sided * root, boards - 1, stats.norm.ppf(part) * root), confidence)
        howe = stats.norm.ppf((1 + part) / 2) * math.sqrt((boards - 1) * (1 + 1 / boards) / stats.chi2.ppf(1 - confidence, boards - 1))
        hold("two-sided factor", two_sided, howe)
    for within_boards, runs, ours in told["inflations"]:
        theirs = inflation(within_boards, runs)
        hold("inflation, none", int(ours is None), int(theirs is None), 0)
        if None not in (ours, theirs):
            hold(f"inflation alone{' within' if within_boards else ''}", ours, theirs)
    for (n, m), difference, (s, t), ours in told["powers"]:
        a, b = s * s / n, t * t / m
        freedom = (a + b) ** 2 / (a * a / (n - 1) + b * b / (m - 1))
        edge, away = stats.t.ppf(0.975, freedom), abs(difference) / math.sqrt(a + b)
        hold("power", ours, stats.nct.sf(edge, freedom, away) + stats.nct.cdf(-edge, freedom, away), 1e-7)
    for one in told["adjusted"]:
        p = np.array(one["p"])
        for ours, theirs in zip(one["screened"], stats.false_discovery_control(p) if len(p) else []):
            hold("benjamini-hochberg", ours, theirs)
        # Holm by its own words: the largest of (m - j + 1) p_(j) up to one's own place.
        steps = np.sort(p) * np.arange(len(p), 0, -1)
        for number, ours in zip(p, one["holm"]):
            hold("holm", ours, min(1.0, steps[np.sort(p) <= number].max()))
    bad = 0
    print(f"comparison: {len(told['cases'])} sets of board scores, {sum(COUNT.values())} numbers")
    for name, (worst, tolerance) in sorted(WORST.items()):
        beyond = not worst <= tolerance
        bad += beyond
        print(f"  {name:<36} {worst:9.2e} of {tolerance:g} in {COUNT[name]}{'  BEYOND' if beyond else ''}")
    if len(told["cases"]) < 40 or sum(COUNT.values()) < 3400 or not {"order within effect p", "inflation alone", "inflation alone within"} <= set(WORST):
        sys.exit("too little was compared")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(sys.argv[1])
