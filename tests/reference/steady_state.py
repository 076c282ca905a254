#!/usr/bin/env python3
"""The steady-state figures of docs/measurements.md, computed once more with numpy and scipy from the definitions.

Usage:
    SOAKRIG_REFERENCE_DIR=DIR cargo test --test it traces_and_figures -- --ignored
    python3 tests/reference/steady_state.py DIR

Reads the traces (.npy) and figures (.json) written there, prints both values of every figure and the difference, and exits 1
where one is beyond its tolerance. Needs numpy and scipy.
"""
import json
import math
import pathlib
import sys

import numpy as np
from scipy import ndimage, signal


def load(folder, name, which, page):
    codes = np.load(folder / f"{name}.{which}.npy").astype(float)
    scale = page[which]
    return codes, (codes - scale["zero_code"]) * scale["volts_per_code"] + scale["offset_v"], scale


def state_levels(codes):
    """Histogram mode on the codes, whose bins are exact; the result is in codes."""
    low, high = codes.min(), codes.max()
    bins = np.minimum(((codes - low).astype(int) * 256) // int(high - low), 255)
    counts = np.bincount(bins, minlength=256)
    center = lambda k: low + (k + 0.5) * (high - low) / 256
    return center(int(np.argmax(counts[:128]))), center(128 + int(np.argmax(counts[128:])))


def edges(x, low, high):
    """Written from the definition with crossing lists, not as a running state machine."""
    line = lambda part: low + part * (high - low)
    up = lambda level: np.flatnonzero((x[:-1] < level) & (x[1:] >= level))
    down = lambda level: np.flatnonzero((x[:-1] > level) & (x[1:] <= level))
    instant = lambda i: i + (line(0.5) - x[i]) / (x[i + 1] - x[i])
    up50, up90, down50, down10 = up(line(0.5)), up(line(0.9)), down(line(0.5)), down(line(0.1))
    rising, falling, at = [], [], -1
    armed = x[0] < line(0.5)
    while True:
        if not armed:
            later = down10[down10 > at]
            if not len(later):
                break
            at, armed = later[0], True
        confirmed = up90[up90 > at]
        if not len(confirmed):
            break
        before = up50[(up50 <= confirmed[0]) & (up50 >= at)]
        if len(before):
            rising.append(instant(before[-1]))
        at = confirmed[0]
        fallen = down10[down10 > at]
        if not len(fallen):
            break
        before = down50[(down50 <= fallen[0]) & (down50 >= at)]
        if len(before):
            falling.append(instant(before[-1]))
        at = fallen[0]
    return np.array(rising), np.array(falling)


def ripple_figures(x, rising, period, duty, step_s):
    """R1, R2 and R3."""
    first, last = math.ceil(rising[0]), math.floor(rising[-1])
    n = np.arange(first, last + 1)
    columns = [np.ones(len(n))]
    for h in range(1, 6):
        columns += [np.cos(2 * np.pi * h * n / period), np.sin(2 * np.pi * h * n / period)]
    solution, *_ = np.linalg.lstsq(np.stack(columns, axis=1), x[first : last + 1], rcond=None)
    fundamental = 2 * np.hypot(solution[1], solution[2])

    phases = np.arange(1000) / 1000
    cycles = [
        np.interp(a + phases * (b - a), np.arange(len(x)), x)
        for a, b in zip(rising[:-1], rising[1:])
        if a + (b - a) * 0.999 + 1 < len(x)
    ]
    mean = np.mean(cycles, axis=0)
    seconds = phases * period * step_s
    length = period * step_s
    kept = np.ones(1000, bool)
    for edge in (0.0, duty * length):
        for turn in (-length, 0.0, length):
            kept &= ~((seconds >= edge + turn - 0.1e-6) & (seconds <= edge + turn + 1.0e-6))
    blank = np.ptp(mean[kept])
    values = []
    for start, stop in ((0.0, duty), (duty, 1.0)):
        inside = kept & (phases >= start) & (phases < stop)
        if inside.sum() >= 3:
            values.append(np.polyval(np.polyfit(phases[inside], mean[inside], 2), np.linspace(start, stop, 201)))
    return fundamental, blank, np.ptp(np.concatenate(values))


def figures(folder, name, page):
    step_s = page["step_s"]
    rate = 1 / step_s
    _, x, scale = load(folder, name, "vout", page)
    lx_codes, _, lx_scale = load(folder, name, "lx", page)
    out = {
        "mean_v": x.mean(),
        "rms_ac_v": x.std(),
        "max_v": x.max(),
        "min_v": x.min(),
        "noise_pp_full_v": np.ptp(x),
        "drift_v": x[len(x) // 2 :].mean() - x[: len(x) // 2].mean(),
    }
    limited = signal.sosfilt(signal.butter(1, 20e6, fs=rate, output="sos"), x - x.mean())[round(1e-6 * rate) :]
    out["noise_pp_20mhz_v"], out["noise_rms_20mhz_v"] = np.ptp(limited), limited.std()

    low, high = state_levels(lx_codes)
    rising, falling = edges(lx_codes, low, high)
    volts = lambda code: (code - lx_scale["zero_code"]) * lx_scale["volts_per_code"] + lx_scale["offset_v"]
    out["low_v"], out["high_v"] = volts(low), volts(high)
    periods = np.diff(rising)
    period = periods.mean()
    on_times = [
        falling[(falling > a) & (falling < b)][0] - a
        for a, b in zip(rising[:-1], rising[1:])
        if ((falling > a) & (falling < b)).any()
    ]
    out["switching_hz"] = rate / period
    out["period_std_s"] = periods.std(ddof=1) * step_s
    out["period_pp_s"] = np.ptp(periods) * step_s
    out["period_c2c_s"] = np.sqrt(np.mean(np.diff(periods) ** 2)) * step_s
    out["on_time_s"] = np.mean(on_times) * step_s
    out["duty"] = duty = np.mean(on_times) / period
    out["pulse_hz"] = len(rising) / (len(x) * step_s)

    window = 2 * int(2.01e-6 * rate / 2 + 1e-9) + 1
    d = x - ndimage.median_filter(x, size=window, mode="nearest")
    out["spike_pos_v"], out["spike_neg_v"] = d.max(), d.min()
    out["noise_sigma_v"] = 1.4826 * np.median(np.abs(d - np.median(d)))
    lead = 0.2e-6 * rate
    spans = [(math.ceil(a - lead), math.ceil(b - lead)) for a, b in zip(rising[:-1], rising[1:]) if a - lead >= 0]
    out["spike_pos_median_v"] = np.median([d[a:b].max() for a, b in spans])
    out["spike_neg_median_v"] = np.median([d[a:b].min() for a, b in spans])
    beyond = np.flatnonzero(np.abs(d) > 0.1)
    groups = 0 if not len(beyond) else 1 + int((np.diff(beyond) > 1e-6 * rate + 1e-6).sum())
    out["spike_rate_hz"] = groups / (len(x) * step_s)

    fundamental, blank, fit = ripple_figures(x, rising, period, duty, step_s)
    out["ripple_fund_pp_v"], out["ripple_blank_pp_v"], out["ripple_fit_pp_v"] = fundamental, blank, fit
    out["ripple_pp_v"] = {"fit": fit, "blank": blank, "fundamental": fundamental}.get(page["ripple_method"], math.nan)
    return out, scale["volts_per_code"]


def allowed(name, truth, step_v):
    """How near two implementations should come (docs/measurements.md, "How near")."""
    relative = {
        "mean_v": 2e-5, "rms_ac_v": 1e-9, "max_v": 1e-9, "min_v": 1e-9, "noise_pp_full_v": 1e-9,
        "noise_pp_20mhz_v": 5e-3, "noise_rms_20mhz_v": 5e-3, "switching_hz": 5e-6, "period_std_s": 0.03,
        "period_pp_s": 0.03, "period_c2c_s": 0.03, "on_time_s": 2e-3, "pulse_hz": 1e-9,
        "spike_pos_v": 0.01, "spike_neg_v": 0.01, "spike_pos_median_v": 0.01, "spike_neg_median_v": 0.01,
        "spike_rate_hz": 1e-9, "ripple_fund_pp_v": 0.01, "ripple_blank_pp_v": 0.03, "ripple_fit_pp_v": 0.03,
        "ripple_pp_v": 0.03,
    }
    absolute = {"duty": 2e-3, "drift_v": 1e-9, "noise_sigma_v": 1.01 * step_v, "low_v": 1e-9, "high_v": 1e-9}
    return absolute[name] if name in absolute else relative[name] * abs(truth) + 1e-15


def main():
    folder = pathlib.Path(sys.argv[1])
    failures = compared = 0
    for page_path in sorted(folder.glob("*.json")):
        page = json.loads(page_path.read_text())
        name = page_path.stem
        reference, step_v = figures(folder, name, page)
        print(f"{name}  ({page['conduction']}, {page['ripple_method']})")
        for key, value in page["figures"].items():
            truth, limit = reference[key], allowed(key, reference[key], step_v)
            good = abs(value - truth) <= limit
            failures, compared = failures + (not good), compared + 1
            print(f"  {key:<20} {value:>16.9e} {truth:>16.9e}  off {abs(value - truth):>8.1e}  allowed {limit:>8.1e}  {'' if good else 'FAR'}")
    print(f"{compared} figures compared, {failures} too far apart")
    return 1 if failures or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
