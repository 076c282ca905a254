#!/usr/bin/env python3
"""Holds every figure of the runs given (folders of `soakrig run`) against the second implementation.

Usage: compare.py RUN...

For each point it reads the traces as captured and the figures of the journal, computes the figures again, takes each from the
acquisition that docs/measurements.md names, and prints the largest difference of every figure; with differences beyond the
tolerance, or too little compared, it exits 1. SOAKRIG names the program whose `analyze --json` is held, too, on one capture of
each mode of conduction; without it that is left out.
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import zlib

import numpy as np

import steady_state as s

# "How near two implementations should come": relative, absolute, or in steps of the converter.
RELATIVE = {
    "mean_v": 2e-5, "rms_ac_v": 1e-9, "max_v": 1e-9, "min_v": 1e-9, "noise_pp_full_v": 1e-9, "spike_threshold_v": 1e-9,
    "switching_hz": 5e-6, "period_std_s": 0.03, "period_pp_s": 0.03, "period_c2c_s": 0.03, "on_time_s": 2e-3,
    "pulse_count": 0.0, "pulse_hz": 1e-9, "pulse_gap_mean_s": 5e-6, "pulse_gap_min_s": 5e-6, "pulse_gap_max_s": 5e-6,
    "spike_rate_hz": 1e-9, "ripple_blank_pp_v": 0.03, "ripple_fit_pp_v": 0.03, "ripple_fit_residual_v": 0.03,
    "ripple_pp_v": 0.03, "ripple_lp1mhz_pp_v": 0.03,
}  # fmt: skip
ABSOLUTE = {"duty": 2e-3, "drift_v": 1e-7, "low_v": 1e-9, "high_v": 1e-9}
FAMILIES = {"noise_pp_20mhz": 5e-3, "noise_rms_20mhz": 5e-3, "spike_": 0.01, "ripple_fund": 0.01, "harmonic_": 0.01, "band_rms": 0.01}
# Figures that lose the noise floor in power: rms values.
OF_FLOOR = {"rms_ac_v", "noise_sigma_v"}
OF_FLOOR_FAMILIES = ("noise_rms_20mhz", "band_rms")
FROM_BENCH = {
    "vin_v", "iin_a", "vout_v", "iout_a", "efficiency", "settle_s", "board_c", "ambient_c", "input_w", "output_w", "loss_w",
}  # fmt: skip


def allowed(name, theirs, step_v, rate):
    if name == "ring_hz":
        return 1.01 * rate / 4096  # one bin
    if name == "noise_sigma_v":
        return 1.01 * step_v
    if name in ABSOLUTE:
        return ABSOLUTE[name]
    part = RELATIVE.get(name)
    if part is None:
        part = next((value for family, value in FAMILIES.items() if name.startswith(family)), None)
    if part is None:
        sys.exit(f"no tolerance is written down for {name}")
    return part * abs(theirs) + 1e-15


class Acquisition:
    """The output and the switch node of one capture."""

    def __init__(self, folder, entries):
        for entry in entries:
            codes = np.load(folder / entry["file"])
            crc = f"{zlib.crc32(codes.tobytes()):08x}"
            if crc != entry.get("codes_crc", crc):
                sys.exit(f"{entry['file']} is not what the journal tells of")
            volts = (codes.astype(float) - entry["zero_code"]) * entry["volts_per_code"] + entry["code_offset_v"]
            setattr(self, entry["signal"], volts)
            setattr(self, entry["signal"] + "_entry", entry)
            setattr(self, entry["signal"] + "_codes", codes.astype(float))
        entry = self.vout_entry
        self.rate, self.step_v = 1 / entry["step_s"], entry["volts_per_code"]
        self.limit_hz = entry["bandwidth_limit_hz"]
        self.clipped = int(((self.vout_codes <= entry["min_code"]) | (self.vout_codes >= entry["max_code"])).sum())
        self.deviations = s.deviations(self.vout, self.rate)
        if not hasattr(self, "lx"):
            return
        lx = self.lx_entry
        if np.ptp(self.lx) < 1.0:
            self.conduction, self.rising, self.falling = "unknown", np.array([]), np.array([])
            return
        low, high = s.state_levels(self.lx_codes)
        self.rising, self.falling = s.edges(self.lx_codes, low, high)
        volts = lambda code: (code - lx["zero_code"]) * lx["volts_per_code"] + lx["code_offset_v"]
        self.levels = {"low_v": volts(low), "high_v": volts(high)}
        self.resolution, self.timed = s.rises(self.lx_codes, low, high, self.rising, self.rate) if len(self.rising) > 1 else (0.0, True)
        self.conduction = s.conduction(self.lx_codes, low, high, self.rising, self.falling, self.rate)


    def set_up(self):
        """What a capture shares with the noise floor that applies to it."""
        entry = self.vout_entry
        told = (entry["purpose"], entry["coupling"], entry["bandwidth_limit_hz"])
        return *told, *(f"{value:.5e}" for value in (entry["volts_per_div"], entry["probe_ratio"], self.rate))

    def floor(self):
        """Every rms figure of a capture with the outputs off."""
        out = {"rms_ac_v": s.moments(self.vout)["rms_ac_v"]} | s.limited(self.vout, self.rate)
        if self.limit_hz is not None:
            out |= s.limited_by_scope(self.vout, self.rate)
        out |= s.bands(self.vout, self.rate) | s.noise(self.deviations)
        return {name: level for name, level in out.items() if name in OF_FLOOR or name.startswith(OF_FLOOR_FAMILIES)}


def sources(ripple, spikes):
    """The acquisition that serves a figure, where it matters to the noise floor."""
    whole = ripple if ripple.clipped == 0 else spikes
    unlimited = whole if whole.limit_hz is None else spikes
    special = {"noise_sigma_v": ripple, "rms_ac_v": unlimited if spikes.clipped == 0 else whole}
    return lambda name: special.get(name, whole)


def less_floor(theirs, source, floors):
    """The figures without the noise floor, and how far each came down by it: that much a difference weighs more."""
    out, weights = dict(theirs), {}
    for name, value in theirs.items():
        if name not in OF_FLOOR and not name.startswith(OF_FLOOR_FAMILIES):
            continue
        level = floors.get(source(name).set_up(), {}).get(name, 0.0)
        if level > 0.0 and value / level >= 1.1:  # under that it stands at the floor, and stays as it was measured
            out[name] = math.sqrt(value**2 - level**2)
            weights[name] = (value / out[name]) ** 2
    return out, weights


def figures(ripple, spikes):
    """Every figure from the acquisition that serves it, with the noise floor still in it."""
    whole = ripple if ripple.clipped == 0 else spikes
    direct, ac = s.moments(spikes.vout), s.moments(ripple.vout)
    out = {name: direct[name] for name in ("mean_v", "max_v", "min_v", "noise_pp_full_v")}
    unlimited = whole if whole.limit_hz is None else spikes
    out["rms_ac_v"] = s.moments((unlimited if spikes.clipped == 0 else whole).vout)["rms_ac_v"]
    out["drift_v"] = ac["drift_v"]
    out |= s.limited(whole.vout, whole.rate)
    if whole.limit_hz is not None:
        out |= s.limited_by_scope(whole.vout, whole.rate)
    out |= s.bands(whole.vout, whole.rate) | s.noise(ripple.deviations)
    out |= s.spikes(spikes.deviations, spikes.rate, spikes.rising)
    if ripple.conduction == "unknown":
        return out
    out |= ripple.levels | s.pulses(s.pulse_edges(ripple.lx) if ripple.conduction == "skipping" else ripple.rising, len(ripple.lx), ripple.rate)
    out |= s.ring(spikes.deviations, spikes.rate, spikes.rising)
    periods = s.periods(ripple.rising, ripple.falling, ripple.rate, ripple.resolution)
    if ripple.conduction == "skipping":
        return out | {"on_time_s": periods["on_time_s"]}
    if not ripple.timed:  # the edges are crossings of 50 % long before the switch turned on: neither a duty nor a jitter
        periods = {"switching_hz": periods["switching_hz"]}
    out |= periods
    out |= s.harmonics(ripple.vout, ripple.rising)
    out |= s.low_passed_ripple(ripple.vout, ripple.rising, ripple.rate)
    if ripple.conduction == "continuous":
        out |= s.cycle_ripple(ripple.vout, ripple.rising, ripple.falling, ripple.rate)
    return out


# The estimators of the ripple by the names the program gives them; which of them it is, is the program's to say.
RIPPLE = {"fit": "ripple_fit_pp_v", "blank": "ripple_blank_pp_v", "fundamental": "ripple_fund_pp_v"}


def with_ripple(out, conduction, method):
    """The figures with the ripple by the program's method, which must be one of those the conduction allows."""
    allowed_here = ("fit", "blank") if conduction == "continuous" else ("fundamental",)
    name = RIPPLE.get(method) if method in allowed_here else None
    return out | {"ripple_pp_v": out[name]} if name in out else out


class Comparison:
    def __init__(self):
        self.worst, self.missing, self.failures, self.modes = {}, {}, [], {}
        self.analyzed, self.lowered = {}, 0

    def take(self, where, name, ours, theirs, acquisition, weight=1.0):
        limit = weight * allowed(name, theirs, acquisition.step_v, acquisition.rate)
        off = abs(ours - theirs)
        if off > limit:
            self.failures.append(f"{where}: {name} is {ours:.9e}, by the reference {theirs:.9e}, allowed {limit:.1e}")
        count, *known = self.worst.get(name, (0, -1.0))
        part = off / limit if limit else math.inf * (off > 0) if off else 0.0
        best = (part, ours, theirs, limit, where)
        self.worst[name] = (count + 1, *(best if part > known[0] else known))

    def analyze(self, where, folder, spikes):
        """Holds the flat object of one capture alone, with its switch node."""
        program = os.environ.get("SOAKRIG")
        if program is None or spikes.conduction in self.analyzed or not (folder / "manifest.sha256").exists():
            return
        command = [program, "analyze", str(folder / spikes.vout_entry["file"]), "--json"]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        theirs = with_ripple(figures(spikes, spikes), spikes.conduction, told["ripple_method"])
        theirs |= s.hidden_by_steps(theirs, spikes, spikes)
        shared = [name for name, ours in told.items() if name in theirs and ours is not None]
        for name in shared:
            self.take(f"analyze, {where}", name, told[name], theirs[name], spikes)
        if told["conduction"] != spikes.conduction or len(shared) < 12:
            self.failures.append(f"analyze, {where}: {told['conduction']} and {len(shared)} figures, by the reference {spikes.conduction}")
        self.analyzed[spikes.conduction] = len(shared)

    def run(self, folder):
        points, captures = {}, {}
        for line in (folder / "journal.jsonl").read_text().splitlines():
            entry = json.loads(line)["entry"]
            if "waveform" in entry:
                w = entry["waveform"]
                captures.setdefault(w["point"], {}).setdefault(w["purpose"], []).append(w)
            if "point_finished" in entry:
                points[entry["point_finished"]["point"]] = entry["point_finished"]
        board = folder.parent.name
        floors = {}
        # Point 0 is the bench with its outputs off; traces made for the accuracy table have no such point, and no floor.
        with_outputs_off = {} if 0 in points else captures.get(0, {})
        for entry in (entry for taken in with_outputs_off.values() for entry in taken):
            floor = Acquisition(folder, [entry])
            floors[floor.set_up()] = floor.floor()
        for point, finished in points.items():
            where = f"{board} {finished['vin_set_v']:g} V {finished['load_set_a'] * 1e3:g} mA"
            ripple, spikes = (Acquisition(folder, captures[point][purpose]) for purpose in ("ripple", "spikes"))
            told = next((n.split()[-1] for n in finished["notes"] if n.startswith("conduction ")), ripple.conduction)
            if told != ripple.conduction:
                self.failures.append(f"{where}: told {told}, by the reference {ripple.conduction}")
            self.modes[ripple.conduction] = self.modes.get(ripple.conduction, 0) + 1
            self.analyze(where, folder, spikes)
            method = next((n.split()[-1] for n in finished["notes"] if n.startswith("ripple by ")), None)
            theirs, weights = with_ripple(figures(ripple, spikes), ripple.conduction, method), {}
            if floors:
                theirs, weights = less_floor(theirs, sources(ripple, spikes), floors)
            self.lowered += len(weights)
            # Steps hide what stands under them: it is told as what is seen and a step more.
            theirs |= s.hidden_by_steps(theirs, ripple if ripple.clipped == 0 else spikes, spikes)
            # Steps hide the ripple: it is told as the most it can be, which is more than what blanking leaves.
            is_bound = any(n.startswith("ripple_pp_v is an upper bound, what blanking") for n in finished["notes"])
            for name, ours in finished["figures"].items():
                if name in FROM_BENCH:
                    continue
                if name == "ripple_pp_v" and is_bound:
                    if not ours > theirs.get("ripple_blank_pp_v", math.inf):
                        self.failures.append(f"{where}: {name} is at most {ours:.9e}, and blanking leaves {theirs.get('ripple_blank_pp_v')}")
                    continue
                if isinstance(ours, dict):
                    self.missing[name] = self.missing.get(name, 0) + 1
                elif name not in theirs:
                    self.failures.append(f"{where}: {name} is {ours:.9e}, by the reference there is none")
                else:
                    self.take(where, name, ours, theirs[name], ripple, weights.get(name, 1.0))

    def render(self):
        print(f"{'figure':<24}{'compared':>8} {'none':>5}  {'ours':>15} {'reference':>15} {'tolerance':>10}  largest difference at")
        for name, (count, part, ours, theirs, limit, where) in self.worst.items():
            print(f"{name:<24}{count:>8} {self.missing.get(name, 0):>5}  {ours:>15.8e} {theirs:>15.8e} {limit:>10.1e}  {where} ({part:.2g} of it)")
        for name in sorted(set(self.missing) - set(self.worst)):
            print(f"{name:<24}{0:>8} {self.missing[name]:>5}")
        for failure in self.failures:
            print(f"FAR  {failure}")


def main():
    comparison = Comparison()
    for folder in sys.argv[1:]:
        comparison.run(pathlib.Path(folder))
    comparison.render()
    count = sum(row[0] for row in comparison.worst.values())
    for mode, shared in sorted(comparison.analyzed.items()):
        print(f"analyze --json, {mode}: {shared} figures held")
    modes = ", ".join(f"{count} {mode}" for mode, count in sorted(comparison.modes.items()))
    print(f"{count} figures compared ({modes} points), {len(comparison.failures)} too far apart")
    print(f"{comparison.lowered} of them less the noise floor")
    gaps = []
    if not {"continuous", "discontinuous", "skipping"} <= set(comparison.modes) or count <= 200:
        gaps.append("not every mode of conduction was compared")
    if comparison.lowered == 0:
        gaps.append("no figure was compared less the noise floor")
    for gap in gaps:
        print(f"FAR  {gap}")
    return 1 if comparison.failures or gaps else 0


if __name__ == "__main__":
    sys.exit(main())
