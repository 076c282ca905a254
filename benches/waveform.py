"""Six of the figures of benches/waveform.rs in numpy and scipy: S1, S2, S3, S4, S5 (edges) and S8; time on a processor."""

import time

import numpy as np
from scipy import signal

N = 10_000_000
RATE = 100e6

phase = np.arange(N) / 819.67 % 1.0
rng = np.random.default_rng(1)
x = (5 + 0.02 * np.where(phase < 0.22, phase / 0.22, (1 - phase) / 0.78) + 5e-4 * rng.standard_normal(N)).astype(np.float32)
lx = np.where(phase < 0.22, 23.8, -0.4).astype(np.float32)


def limited():
    y = signal.sosfilt(signal.butter(1, 20e6, fs=RATE, output="sos"), x - x.mean(dtype=np.float64))[100:]
    return np.ptp(y), y.std()


def edges():
    rising = np.flatnonzero((lx[:-1] < 11.7) & (lx[1:] >= 11.7))
    return np.diff(rising).mean()


FIGURES = {
    "S1 mean": lambda: x.mean(dtype=np.float64),
    "S2 rms": lambda: x.std(dtype=np.float64),
    "S3 extremes": lambda: (x.min(), x.max()),
    "S4 20 MHz": limited,
    "S5 edges": edges,
    "S8 spectrum": lambda: signal.welch(x, RATE, "hann", 16384, 8192),
}

total = 0.0
for name, figure in FIGURES.items():
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        figure()
        best = min(best, time.process_time() - start)
    total += best
    print(f"waveform/numpy/{name}: {best * 1e3:.1f} ms of one core, {N / best / 1e6:.0f} MSa/s")
print(f"waveform/numpy/six figures: {total * 1e3:.1f} ms of one core, {N / total / 1e6:.0f} MSa/s")
