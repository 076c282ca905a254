"""The steady-state figures (S1 to S9, R1 to R4, P1 to P3) with numpy and scipy, written from the definitions of
docs/measurements.md: the second implementation. `compare.py` holds the program's figures against these.
"""
import math

import numpy as np
from scipy import ndimage, signal

SPIKE_THRESHOLD_V = 0.1


def state_levels(x):
    """S5: 256 even bins; the centres of the fullest bin of the lower and of the upper half. `x` in whole codes or volts."""
    low, high = x.min(), x.max()
    if np.all(x == np.round(x)) and high - low < 2**20:  # codes: the bins' borders are exact
        bins = (x - low).astype(np.int64) * 256 // int(high - low)
    else:
        bins = np.floor((x - low) * (256 / (high - low))).astype(np.int64)
    counts = np.bincount(np.minimum(bins, 255), minlength=256)
    center = lambda k: low + (k + 0.5) * (high - low) / 256
    return center(int(np.argmax(counts[:128]))), center(128 + int(np.argmax(counts[128:])))


def edges(x, low, high):
    """S5, by lists of crossings instead of a running state machine; positions in samples."""
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


def moments(x):
    """S1, S2, S3, S9."""
    half = len(x) // 2
    return {
        "mean_v": x.mean(),
        "rms_ac_v": x.std(),
        "max_v": x.max(),
        "min_v": x.min(),
        "noise_pp_full_v": np.ptp(x),
        "drift_v": x[half:].mean() - x[:half].mean(),
    }


def limited(x, rate):
    """S4, at the orders 1, 2 and 4."""
    out = {}
    for order, tag in ((1, ""), (2, "_k2"), (4, "_k4")):
        y = signal.sosfilt(signal.butter(order, 20e6, fs=rate, output="sos"), x - x.mean())[round(1e-6 * rate) :]
        out[f"noise_pp_20mhz{tag}_v"], out[f"noise_rms_20mhz{tag}_v"] = np.ptp(y), y.std()
    return out


def limited_by_scope(x, rate):
    """S4 of a record that the scope has limited to 20 MHz: as it is, less the same first microsecond."""
    y = (x - x.mean())[round(1e-6 * rate) :]
    return {"noise_pp_20mhz_v": np.ptp(y), "noise_rms_20mhz_v": y.std()}


def bands(x, rate):
    """S8."""
    f, psd = signal.welch(x - x.mean(), rate, window="hann", nperseg=16384, noverlap=8192, detrend="constant")
    out = {}
    for f0, f1, tag in ((100e3, 1e6, "100khz_1mhz"), (1e6, 20e6, "1mhz_20mhz"), (20e6, 50e6, "20mhz_50mhz")):
        out[f"band_rms_{tag}_v"] = math.sqrt(psd[(f >= f0) & (f < f1)].sum() * (f[1] - f[0]))
    return out


def deviations(x, rate):
    """S6: what stands out of the running median."""
    window = 2 * int(2.01e-6 * rate / 2 + 1e-9) + 1
    return x - ndimage.median_filter(x, size=window, mode="nearest")


def noise(d):
    return {"noise_sigma_v": 1.4826 * np.median(np.abs(d - np.median(d)))}


def spikes(d, rate, rising):
    """S6; the figures of a cycle where `rising` is known."""
    out = {"spike_pos_v": d.max(), "spike_neg_v": d.min(), "spike_threshold_v": SPIKE_THRESHOLD_V}
    beyond = np.flatnonzero(np.abs(d) > SPIKE_THRESHOLD_V)
    groups = 0 if not len(beyond) else 1 + int((np.diff(beyond) > 1e-6 * rate + 1e-6).sum())
    out["spike_rate_hz"] = groups * rate / len(d)
    if len(rising) > 1:
        lead = 0.2e-6 * rate
        spans = [(math.ceil(a - lead), math.ceil(b - lead)) for a, b in zip(rising[:-1], rising[1:]) if a - lead >= 0]
        highest, lowest = [d[a:b].max() for a, b in spans], [d[a:b].min() for a, b in spans]
        out["spike_pos_median_v"], out["spike_neg_median_v"] = np.median(highest), np.median(lowest)
        out["spike_pos_p95_v"], out["spike_neg_p05_v"] = np.percentile(highest, 95), np.percentile(lowest, 5)
    return out


def hidden_by_steps(figures, whole, wide):
    """Bounds: heights and 20 MHz noise that do not stand out of the steps, as the most that they can be; `whole` serves the noise."""
    out = {}
    step, sigma = wide.step_v, noise(wide.deviations)["noise_sigma_v"]
    if 5 * sigma < 2 * step and wide.limit_hz is None:
        heights = [name for name in figures if name.startswith(("spike_pos", "spike_neg"))]
        low = [name for name in heights if abs(figures[name]) <= 2 * step]
        out = {name: figures[name] + math.copysign(step, 1 if name.startswith("spike_pos") else -1) for name in low}
    if figures.get("noise_pp_20mhz_v", math.inf) < 3 * whole.step_v:
        out["noise_pp_20mhz_v"] = figures["noise_pp_20mhz_v"] + whole.step_v
    return out


def ring(d, rate, rising):
    """S7."""
    length = round(0.6e-6 * rate) + 1
    power = np.zeros(2049)
    for edge in rising:
        start = math.ceil(edge)
        piece = d[start : start + length]
        if len(piece) == length:
            power += np.abs(np.fft.rfft((piece - piece.mean()) * np.hanning(length), 4096)) ** 2
    f = np.fft.rfftfreq(4096, 1 / rate)
    high = f > 4e6
    return {"ring_hz": f[high][np.argmax(power[high])]}


def pulse_edges(lx):
    """P1 where pulses are skipped: as S5, between zero volts and the median of the samples above half of the highest one."""
    return edges(lx, 0.0, np.median(lx[lx > lx.max() / 2]))[0]


def pulses(rising, samples, rate):
    """P1, P2, P3."""
    gaps = np.diff(rising) / rate
    return {
        "pulse_count": len(rising),
        "pulse_hz": len(rising) * rate / samples,
        "pulse_gap_mean_s": gaps.mean(),
        "pulse_gap_min_s": gaps.min(),
        "pulse_gap_max_s": gaps.max(),
    }


def on_times(rising, falling):
    return [
        falling[(falling > a) & (falling < b)][0] - a
        for a, b in zip(rising[:-1], rising[1:])
        if ((falling > a) & (falling < b)).any()
    ]


def rises(x, low, high, rising, rate):
    """How well the rising edges are known (in samples), and whether all reach 90 % as an edge does."""
    missed, early, late = 0, 0, 1 + max(0.01 * np.diff(rising).mean(), 20e-9 * rate)
    line = lambda part: low + part * (high - low)
    for edge in rising:
        k = math.ceil(edge)
        begin, before, after, end = (x[min(max(k + j, 0), len(x) - 1)] for j in (-2, -1, 0, 1))
        tenth = 0.1 * max(end - begin, 0)
        missed += (before <= max(begin + tenth, line(0.1))) and (after >= min(end - tenth, line(0.9)))
        top = np.argmax(x[k:] >= line(0.9)) + k
        early += top - 1 + (line(0.9) - x[top - 1]) / (x[top] - x[top - 1]) - edge > late
    part = max((missed / len(rising) - 0.2) / 0.8, 0)
    return math.hypot(0.1 + 0.4 * part, 1 / (high - low)), early == 0


def periods(rising, falling, rate, resolution):
    """S5; a spread under what the edges resolve is that."""
    spans = np.diff(rising) / rate
    resolution_s = resolution / rate
    on = np.mean(on_times(rising, falling)) / rate
    return {
        "switching_hz": 1 / spans.mean(),
        "period_std_s": max(spans.std(ddof=1), resolution_s),
        "period_pp_s": max(np.ptp(spans), 2 * resolution_s),
        "period_c2c_s": max(np.sqrt(np.mean(np.diff(spans) ** 2)), 2 * resolution_s),
        "on_time_s": on,
        "duty": on / spans.mean(),
    }


def harmonics(x, rising):
    """R1."""
    period = np.diff(rising).mean()
    first, last = math.ceil(rising[0]), math.floor(rising[-1])
    n = np.arange(first, last + 1)
    columns = [np.ones(len(n))]
    for h in range(1, 6):
        columns += [np.cos(2 * np.pi * h * n / period), np.sin(2 * np.pi * h * n / period)]
    a, *_ = np.linalg.lstsq(np.stack(columns, axis=1), x[first : last + 1], rcond=None)
    out = {f"harmonic_{h}_v": np.hypot(a[2 * h - 1], a[2 * h]) for h in range(1, 6)}
    return {"ripple_fund_pp_v": 2 * out["harmonic_1_v"], **out}


def cycle_ripple(x, rising, falling, rate):
    """R2 and R3."""
    length = np.diff(rising).mean() / rate
    duty = np.mean(on_times(rising, falling)) / rate / length
    falls = [f[0] if len(f := falling[(falling > a) & (falling < b)]) else np.nan for a, b in zip(rising[:-1], rising[1:])]
    turns = (np.array(falls) - rising[:-1]) / np.diff(rising)
    sampled = max(0.0, 2 / rate - 0.1e-6)
    wander = max(0.0, np.nanmax(np.abs(turns - np.nanmean(turns))) * length + 1 / rate - 0.1e-6)
    phases = np.arange(1000) / 1000
    cycles = [
        np.interp(a + phases * (b - a), np.arange(len(x)), x)
        for a, b in zip(rising[:-1], rising[1:])
        if a + (b - a) * 0.999 + 1 < len(x)
    ]
    mean = np.mean(cycles, axis=0)
    seconds = phases * length
    kept = np.ones(1000, bool)
    for edge, more in ((0.0, sampled), (duty * length, sampled + wander)):
        for turn in (-length, 0.0, length):
            kept &= ~((seconds >= edge + turn - 0.1e-6 - more) & (seconds <= edge + turn + 1.0e-6 + more))
    curves, residuals = [], []
    for start, stop in ((0.0, duty), (duty, 1.0)):
        inside = kept & (phases >= start) & (phases < stop)
        if inside.sum() < 30 or inside.sum() < 0.2 * 1000 * (stop - start):
            return {"ripple_blank_pp_v": np.ptp(mean[kept])}
        fit = np.polyfit(phases[inside], mean[inside], 2)
        curves.append(np.polyval(fit, np.linspace(start, stop, 201)))
        residuals.append(mean[inside] - np.polyval(fit, phases[inside]))
    return {
        "ripple_blank_pp_v": np.ptp(mean[kept]),
        "ripple_fit_pp_v": np.ptp(np.concatenate(curves)),
        "ripple_fit_residual_v": np.sqrt(np.mean(np.concatenate(residuals) ** 2)),
    }


def low_passed_ripple(x, rising, rate):
    """R4."""
    y = signal.sosfiltfilt(signal.butter(4, 1e6, fs=rate, output="sos"), x)
    return {"ripple_lp1mhz_pp_v": np.median([np.ptp(y[math.ceil(a) : math.ceil(b)]) for a, b in zip(rising[:-1], rising[1:])])}


def conduction(x, low, high, rising, falling, rate):
    """ "Which ripple": continuous, discontinuous or skipping, told from the switch node."""
    spans = np.diff(rising)
    middle = np.median(spans)
    # A record that begins high shows its first rise only behind a fall.
    begin = rising[0] - (middle if x[0] >= low + 0.5 * (high - low) else 0)
    if max(spans.max(), begin, len(x) - 1 - rising[-1]) > 1.6 * middle or np.percentile(spans, 90) > 1.6 * np.percentile(spans, 10):
        return "skipping"
    offs = []
    for fall in falling:
        later = rising[rising > fall]
        if len(later):
            offs.append(x[math.ceil(fall + 0.3e-6 * rate) : math.floor(later[0] - 1)])
    # The diode conducts right after the turn-off.
    diode = np.median(np.concatenate([off[: round(1e-6 * rate)][: max(1, -(-len(off) // 8))] for off in offs]))
    off = np.concatenate(offs)
    # The mean of the switch node is the output, at which it rests once the inductor is empty.
    idle = (off > diode + 0.5 * max(x.mean() - diode, 0)).sum()
    if idle > 0.67 * middle * len(offs) and rate < 75e3 * middle:
        return "skipping"
    if idle <= 0.04 * len(off):
        return "continuous"
    times = middle / spans  # of the clock's period, where pulses are left out
    left_out = (times > 1.6) & (np.abs(times - np.round(times)) <= 0.05 * times)
    return "skipping" if left_out.any() else "discontinuous"
