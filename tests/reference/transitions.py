#!/usr/bin/env python3
"""The figures of slow records (U, D, L, H) with numpy, written from the definitions of docs/measurements.md, "Slow records".

Usage: transitions.py FOLDER: holds the figures in FOLDER/*.json against those of the records beside them.
"""
import json
import pathlib
import sys

import numpy as np


def moving_average(x, rate, span_s):
    """Centred; the count of samples cut to a whole number and made odd by one more; shortened at the ends."""
    n = int(span_s * rate + 1e-9)
    half = (n + 1 - n % 2) // 2
    total = np.concatenate(([0.0], np.cumsum(np.asarray(x, float))))
    at = np.arange(len(x))
    first, last = np.maximum(at - half, 0), np.minimum(at + half + 1, len(x))
    return (total[last] - total[first]) / (last - first)


def crossing(x, level, rising=True, first=0, last=None):
    """Position in samples of the first pair with the level between them, or None."""
    a, b = x[first : (len(x) if last is None else last)][:-1], x[first : (len(x) if last is None else last)][1:]
    hits = np.flatnonzero((a < level) & (level <= b) if rising else (a > level) & (level >= b))
    if not len(hits):
        return None
    i = hits[0]
    return first + i + (level - a[i]) / (b[i] - a[i])


def at(x, position):
    return float(np.interp(position, np.arange(len(x)), x))


def start_up(vout, vin, rate, window, average_s, is_step):
    """U1 to U7; instants in seconds from the first sample."""
    a, b = round(window[0] * rate), round(window[1] * rate)
    final, final_vin = vout[a:b].mean(), vin[a:b].mean()
    ma = moving_average(vout, rate, average_s)
    t = {part: crossing(ma, part / 100 * final) for part in (2, 10, 90)}
    out = {"final_vout_v": final, "final_vin_v": final_vin}
    out |= {f"t{part}_s": t[part] / rate for part in t}
    out |= {f"vin_at_t{part}_v": at(vin, t[part]) for part in t}
    out["rise_s"] = (t[90] - t[10]) / rate
    if is_step:
        start = crossing(vin, 0.9 * final_vin)
        out["delay_to_10_s"], out["delay_to_90_s"] = (t[10] - start) / rate, (t[90] - start) / rate
    out["overshoot_v"] = ma[int(np.ceil(t[90])) : b].max() - final
    out["overshoot_part"] = out["overshoot_v"] / final
    for band in (0.01, 0.02, 0.05):
        outside = np.flatnonzero(np.abs(ma[:b] - final) > band * final)
        out[f"settling_{band * 100:.0f}_s"] = (outside[-1] - int(t[10])) / rate
    return out


def fall(vout, vin, rate, from_s, full, average_s):
    """D1 to D3."""
    ma = moving_average(vout, rate, average_s)
    t = {part: crossing(ma, part / 100 * full, rising=False, first=round(from_s * rate)) for part in (95, 90, 50, 10)}
    out = {f"t{part}_s": t[part] / rate for part in t}
    out |= {f"vin_at_t{part}_v": at(vin, t[part]) for part in (95, 90)}
    out["fall_s"] = (t[10] - t[90]) / rate
    return out


def load_step(vout, iload, rate, levels, average_s):
    """L1 to L5."""
    middle = sum(levels) / 2
    up = crossing(iload, middle)
    down = crossing(iload, middle, rising=False, first=int(up) + 1)
    ma = moving_average(vout, rate, average_s)
    gap, span = 20e-6 * rate, 0.5e-3 * rate
    before = lambda step: vout[round(step - gap - span) : round(step - gap)].mean()
    light, heavy, after = before(up), before(down), vout[round(len(vout) - span) :].mean()
    out = {"up_s": up / rate, "down_s": down / rate}
    out |= {"light_before_v": light, "heavy_v": heavy, "light_after_v": after, "load_regulation_v": light - heavy}
    lowest, highest = ma[int(np.ceil(up)) : int(down) + 1].min(), ma[int(np.ceil(down)) :].max()
    out |= {"up_beyond_new_v": heavy - lowest, "up_beyond_old_v": light - lowest}
    out |= {"down_beyond_new_v": highest - after, "down_beyond_old_v": highest - heavy}
    half = int(average_s * rate) // 2 + 1
    for word, step, end, level in (("up", int(up), int(down) - half, heavy), ("down", int(down), len(ma), after)):
        for band in (0.025, 0.05, 0.1):
            outside = np.flatnonzero(np.abs(ma[step:end] - level) > band)
            out[f"{word}_recovery_{band * 1e3:.0f}_s"] = (outside[-1] + 1) / rate if len(outside) else 0.0
    return out


def short(vout, iout, iin, vin_v, rate, on_s, off_s, average_s):
    """H1 to H7."""
    ma20 = moving_average(iout, rate, 20e-6)
    first, last = round(on_s * rate) + 1, round(off_s * rate)
    starts, ends, position = [], [], first
    while True:
        start = crossing(ma20, 0.1, first=position, last=last)
        if start is None:
            break
        starts.append(start)
        end = crossing(ma20, 0.1, rising=False, first=int(start) + 1, last=last)
        if end is None:
            break
        ends.append(end)
        position = int(end) + 1
    a, b = int(np.ceil(starts[0])), int(starts[-1])
    ma = moving_average(vout, rate, average_s)
    restart = crossing(ma, 4.5, first=last)
    return {
        "bursts": len(starts),
        "burst_period_s": np.diff(starts).mean() / rate,
        "burst_s": np.mean([e - s for s, e in zip(starts, ends)]) / rate,
        "mean_current_a": iout[a:b].mean(),
        "mean_power_w": vin_v * iin[a:b].mean(),
        "peak_current_a": iout[first - 1 : last].max(),  # the sample that the short begins at counts, too
        "restart_s": (restart - last) / rate,
        "restart_rise_s": (restart - crossing(ma, 0.5, first=last)) / rate,
    }


def again(kind, page, read):
    """The figures of one page, computed again from its records."""
    rate, average, given = page["rate_hz"], page["average_s"], page["arguments"]
    if kind.startswith("start_up"):
        window = (given["from_s"], given["to_s"])
        return start_up(read("vout"), read("vin"), rate, window, average, given["is_step"])
    if kind == "fall":
        return fall(read("vout"), read("vin"), rate, given["from_s"], given["full_v"], average)
    if kind == "load_step":
        return load_step(read("vout"), read("iload"), rate, (given["light_a"], given["heavy_a"]), average)
    return short(read("vout"), read("iout"), read("iin"), given["vin_v"], rate, given["on_s"], given["off_s"], average)


def allowed(name, theirs, rate):
    if name.endswith("_s"):
        return max(1.001 / rate, 0.01 * abs(theirs) if name.startswith(("burst", "restart")) else 0.0)
    if name.startswith("overshoot"):
        return 2e-3 if name.endswith("_v") else 4e-4
    if name.endswith("_v"):
        return 0.1e-3
    return 0.0 if name == "bursts" else 1e-3 * abs(theirs)


def main():
    compared, failures = 0, []
    folder = pathlib.Path(sys.argv[1])
    for path in sorted(folder.glob("*.json")):
        page, kind = json.loads(path.read_text()), path.stem
        theirs = again(kind, page, lambda name: np.load(folder / f"{kind}.{name}.npy").astype(float))
        for name, ours in page["figures"].items():
            if isinstance(ours, dict):
                if name in theirs:
                    failures.append(f"{kind}: {name} is not available ({ours['unavailable']}), by the reference {theirs[name]:.9e}")
                continue
            limit, off = allowed(name, theirs[name], page["rate_hz"]), abs(ours - theirs[name])
            compared += 1
            print(f"{kind:<14} {name:<20} {ours:>15.8e} {theirs[name]:>15.8e} {limit:>10.1e}  off {off:.1e}")
            if not off <= limit:
                failures.append(f"{kind}: {name} is {ours:.9e}, by the reference {theirs[name]:.9e}, allowed {limit:.1e}")
    for failure in failures:
        print(f"FAR  {failure}")
    print(f"{compared} figures of slow records compared, {len(failures)} too far apart")
    return 1 if failures or compared < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
