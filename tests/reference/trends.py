#!/usr/bin/env python3
"""Drift, Allan deviation, bounds of MTBF and of failed starts, written from the definitions of docs/trends.md.

Usage: trends.py FILE: holds what the file says of its readings against what is computed here, and the standard error of the
slope against the true one, which is known for made-up readings.
"""
import json
import math
import sys

import numpy as np
from scipy import stats

WORST = {}


def hold(name, ours, theirs, tolerance):
    difference = abs(ours - theirs) / abs(theirs) if theirs else abs(ours)
    if name not in WORST or not difference <= WORST[name][0]:
        WORST[name] = (difference, tolerance)


def hold_interval(name, ours, theirs, tolerance=1e-8):
    """The value and the reach of both sides; a value near zero is held against the reach."""
    scale = max(abs(theirs[0]), theirs[2] - theirs[1])
    for key, number in zip(("value", "low", "high"), theirs):
        hold(f"{name} {key}", 1 + (ours[key] - number) / scale, 1.0, tolerance)


def blocks(t, y, count):
    """Means over blocks of equal time, without those that hold less than half of the median count."""
    number = np.minimum(((t - t[0]) / (t[-1] - t[0]) * count).astype(int), count - 1)
    sizes = np.array([(number == k).sum() for k in range(count)])
    kept = [k for k in range(count) if sizes[k] and 2 * sizes[k] >= np.median(sizes[sizes > 0])]
    return np.array(kept), np.array([t[number == k].mean() for k in kept]), np.array([y[number == k].mean() for k in kept])


def lag_one(number, rest, fitted):
    n = len(rest)
    pairs = np.flatnonzero(np.diff(number) == 1)
    if len(pairs) < 4:
        return 0.0
    raw = np.mean(rest[pairs] * rest[pairs + 1]) / np.mean(rest**2)
    freed = (raw + fitted / n) / (1 - 4 / n)
    return 0.0 if freed < 1 / math.sqrt(n) else min(freed, 0.9)


def worth(n, r, fitted):
    return max(n * (1 - r) / (1 + r), fitted + 1.5)


def around(value, reach):
    return value, value - reach, value + reach


def drift(t, y, confidence):
    number, bt, by = blocks(t, y, 24)
    slope, at_zero = np.polyfit(bt - bt.mean(), by, 1)
    rest = by - at_zero - slope * (bt - bt.mean())
    r = lag_one(number, rest, 2)
    freedom = worth(len(by), r, 2) - 2
    s2 = (rest**2).sum() / freedom
    slope_se = math.sqrt(s2 / ((bt - bt.mean()) ** 2).sum())
    factor = stats.t.ppf((1 + confidence) / 2, freedom)
    end_se = math.sqrt(s2 / len(by) + (slope_se * (t[-1] - bt.mean())) ** 2)
    at_end = at_zero + slope * (t[-1] - bt.mean())
    return {
        "per_hour": around(3600 * slope, 3600 * factor * slope_se), "at_end": around(at_end, factor * end_se),
        "blocks": len(by), "autocorrelation": r,
    }  # fmt: skip


def part(t, y):
    number, _, by = blocks(t, y, 12)
    rest = by - by.mean()
    freedom = worth(len(by), lag_one(number, rest, 1), 1) - 1
    return by.mean(), (rest**2).sum() / freedom / len(by), freedom


def difference(t, y, part_s, confidence):
    first, last = t <= t[0] + part_s, t >= t[-1] - part_s
    a, b = part(t[first], y[first]), part(t[last], y[last])
    variance = a[1] + b[1]
    freedom = variance**2 / (a[1] ** 2 / a[2] + b[1] ** 2 / b[2])
    told = lambda mean, variance, freedom: around(mean, stats.t.ppf((1 + confidence) / 2, freedom) * math.sqrt(variance))
    return {"start": told(*a), "end": told(*b), "change": told(b[0] - a[0], variance, freedom)}


def allan(t, y, m, confidence):
    """Overlapping, from the averages themselves; a difference needs nine tenths of the readings of both its averages."""
    n = int(round(t[-1] - t[0])) + 1
    grid = np.full(n, np.nan)
    grid[np.round(t - t[0]).astype(int)] = y
    window = np.lib.stride_tricks.sliding_window_view(grid, m)
    there = np.isfinite(window).sum(axis=1)
    means = np.nansum(window - y[0], axis=1) / np.maximum(there, 1)
    enough = there >= math.ceil(0.9 * m)
    use = enough[:-m] & enough[m:]
    steps = (means[m:] - means[:-m])[use]
    variance = (steps**2).mean() / 2
    p = n + 1  # points of phase
    white = (3 * (p - 1) / (2 * m) - 2 * (p - 2) / p) * 4 * m**2 / (4 * m**2 + 5)
    flicker = 2 * (p - 2) ** 2 / (2.3 * p - 4.9) if m == 1 else 5 * p**2 / (4 * m * (p + 3 * m))
    walk = (p - 2) / m * ((p - 1) ** 2 - 3 * m * (p - 1) + 4 * m**2) / (p - 3) ** 2
    edf = max(min(white, flicker, walk), 0.5) * len(steps) / len(use)
    ends = [math.sqrt(variance * edf / stats.chi2.ppf(q, edf)) for q in ((1 + confidence) / 2, (1 - confidence) / 2)]
    return (math.sqrt(variance), *ends), len(steps)


def true_slope_se(t, keep, scatter):
    """Of a least-squares line through all the readings, by the covariance that the readings were made with."""
    x = t - t.mean()
    covariance = scatter**2 * keep ** np.abs(t[:, None] - t[None, :])
    return math.sqrt(x @ covariance @ x) / (x @ x)


def main(path):
    told = json.load(open(path))
    ratios = {}
    for series in told["series"]:
        t, y = np.array(series["at_s"]), np.array(series["values"])
        use = t >= series["settling_s"]
        ours, theirs = series["drift"], drift(t[use], y[use], series["confidence"])
        hold_interval("drift per hour", ours["per_hour"], theirs["per_hour"])
        hold_interval("drift at end", ours["at_end"], theirs["at_end"])
        hold("drift blocks", ours["blocks"], theirs["blocks"], 0)
        hold("drift autocorrelation", ours["autocorrelation"], theirs["autocorrelation"], 1e-6)
        theirs = difference(t[use], y[use], series["part_s"], series["confidence"])
        for name, interval in series["difference"].items():
            hold_interval(f"difference {name}", interval, theirs[name])
        for point in series["allan"]:
            theirs, count = allan(t, y, point["averaged"], series["confidence"])
            hold_interval("allan", point["deviation"], theirs)
            hold("allan differences", point["differences"], count, 0)
        if len(t) == 2400:
            ratios.setdefault(series["keep"], []).append(ours["per_s_se"] / true_slope_se(t[use], max(series["keep"], 1e-300), series["scatter"]))
    laws = {"t": stats.t, "chi_square": stats.chi2, "beta": stats.beta}
    for law, p, shapes, quantile in told["quantiles"]:
        # The middle of t is zero: held as a difference.
        shift = 1.0 if law == "t" and p == 0.5 else 0.0
        hold(f"quantile {law}", shift + quantile, shift + laws[law].ppf(p, *shapes), 1e-8)
    for confidence, hours, failures, mtbf in told["mtbf"]:
        # By the definition: with that MTBF so few failures are as rare as 1 - C.
        hold("mtbf bound", stats.poisson.cdf(failures, hours / mtbf), 1 - confidence, 1e-8)
        hold("mtbf", mtbf, 2 * hours / stats.chi2.ppf(confidence, 2 * failures + 2), 1e-9)
    for confidence, starts, failures, most in told["starts"]:
        if failures == starts:
            hold("starts, all failed", most, 1.0, 0)
            continue
        hold("starts bound", stats.binom.cdf(failures, starts, most), 1 - confidence, 1e-8)
        hold("starts", most, stats.beta.ppf(confidence, failures + 1, starts - failures), 1e-9)
    bad = 0
    print(f"trends: {len(told['series'])} series, {len(told['quantiles'])} quantiles, {len(told['mtbf'])} and {len(told['starts'])} bounds")
    for name, (worst, tolerance) in sorted(WORST.items()):
        beyond = not worst <= tolerance
        bad += beyond
        print(f"  {name:<24} {worst:9.2e} of {tolerance:g}{'  BEYOND' if beyond else ''}")
    for keep, found in sorted(ratios.items()):
        mean = float(np.mean(found))
        beyond = not 0.85 <= mean <= 1.6
        bad += beyond
        print(f"  standard error of the slope over the true one, keep {keep}: {mean:.2f} (mean of {len(found)}){'  BEYOND' if beyond else ''}")
    if len(told["series"]) < 70 or len(ratios) != 3:
        sys.exit("too little was compared")
    if not told["mtbf"] or not told["starts"] or not all(series["allan"] for series in told["series"]):
        sys.exit("too little was compared")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(sys.argv[1])
