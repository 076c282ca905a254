//! The spikes at the switching instants: a damped ringing near 15 MHz, up at turn-on, down at turn-off.
//!
//! `k(t) = A g exp(-t/tau) sin(2 pi f t)`, with `g` so that the first peak is `A`; `tau` about 110 ns, so it is gone within
//! half a microsecond. The instrument's bandwidth (one pole) is applied to the kernel on a grid of half a nanosecond, which
//! is exact for any sample rate. Limits: the amplitude follows Vin and current by a few per cent only, as the board's does.

use std::sync::{Arc, Mutex, PoisonError};

use super::board::{Board, Filter};
use super::buck::Operating;

/// Grid of the kernel.
const GRID_S: f64 = 0.5e-9;
/// Length of the kernel: eight decay times.
const LENGTH: usize = 1800;

/// The shape of one spike as a channel sees it, for a peak of one volt.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    values: Vec<f32>,
}

impl Kernel {
    /// The kernel of `board` behind one pole at `bandwidth_hz`.
    fn seen(board: &Board, bandwidth_hz: f64) -> Self {
        let omega = std::f64::consts::TAU * board.ring_hz;
        // The maximum of exp(-t/tau) sin(wt) lies where tan(wt) = w tau.
        let peak_s = (omega * board.ring_decay_s).atan() / omega;
        let raw = |t: f64| (-t / board.ring_decay_s).exp() * (omega * t).sin();
        let gain = 1.0 / raw(peak_s);
        let follow = 1.0 - (-std::f64::consts::TAU * bandwidth_hz * GRID_S).exp();
        let mut seen = 0.0;
        let values = (0..LENGTH)
            .map(|n| {
                seen += follow * (gain * raw(n as f64 * GRID_S) - seen);
                seen as f32
            })
            .collect();
        Self { values }
    }

    /// How long it rings, in seconds.
    pub(crate) fn length_s(&self) -> f64 {
        (self.values.len() - 2) as f64 * GRID_S
    }

    /// The value `after_s` seconds after the edge, by linear interpolation; zero outside.
    pub(crate) fn at(&self, after_s: f64) -> f32 {
        let position = after_s / GRID_S;
        if position < 0.0 {
            return 0.0;
        }
        let index = position as usize;
        match self.values.get(index..index + 2) {
            Some(pair) => pair[0] + (pair[1] - pair[0]) * (position - index as f64) as f32,
            None => 0.0,
        }
    }
}

/// The kernels that were made: of one board no more than its channels' bandwidths, and a soak looks at them many thousand times.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kernels(Arc<Mutex<Vec<Known>>>);

/// What a kernel depends on, bit by bit: ringing and decay of the board, and a bandwidth.
type Shape = [u64; 3];

#[derive(Debug)]
struct Known {
    shape: Shape,
    kernel: Arc<Kernel>,
}

/// Kernels that are remembered.
const MOST_KERNELS: usize = 4;

impl Kernels {
    /// As [`Kernel::seen`].
    pub(crate) fn seen(&self, board: &Board, bandwidth_hz: f64) -> Arc<Kernel> {
        let shape = [board.ring_hz, board.ring_decay_s, bandwidth_hz].map(f64::to_bits);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.iter().find(|known| known.shape == shape) {
            return known.kernel.clone();
        }
        let kernel = Arc::new(Kernel::seen(board, bandwidth_hz));
        if known.len() == MOST_KERNELS {
            known.remove(0);
        }
        known.push(Known { shape, kernel: kernel.clone() });
        kernel
    }
}

/// Peak of the spikes at turn-on and at turn-off at the node's terminals, in volts.
pub(crate) fn peaks_v(board: &Board, point: &Operating) -> (f64, f64) {
    let passed = match board.filter {
        Filter::Bridged => 1.0,
        // Past the coil, whatever its size.
        Filter::Fitted | Filter::Smaller => board.filter_leak,
        Filter::Neither => 0.0,
    };
    let by_input = 1.0 + 0.06 * (point.vin_v - 24.0) / 24.0;
    let by_current = 1.0 + 0.06 * (point.peak_a - 0.3);
    (board.spike_on_v * passed * by_input, -board.spike_off_v * passed * by_input * by_current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_peaks_at_one_and_is_gone_within_half_a_microsecond() {
        let board = Board::of_serial("0007", Filter::Bridged);
        let kernel = Kernel::seen(&board, 1e9);
        let peak = kernel.values.iter().copied().fold(0.0, f32::max);
        assert!((peak - 1.0).abs() < 0.02, "{peak}");
        assert!(kernel.at(0.55e-6).abs() < 0.02);
        assert!(kernel.at(-1e-9).abs() < 1e-12);
    }

    #[test]
    fn a_kernel_that_is_remembered_is_that_of_its_board_and_bandwidth() {
        let kernels = Kernels::default();
        let boards = ["0007", "0008", "0009"].map(|serial| Board::of_serial(serial, Filter::Bridged));
        for _ in 0..2 {
            for (board, bandwidth_hz) in boards.iter().flat_map(|board| [(board, 20e6), (board, 100e6)]) {
                assert_eq!(
                    kernels.seen(board, bandwidth_hz).values,
                    Kernel::seen(board, bandwidth_hz).values
                );
            }
        }
    }

    #[test]
    fn a_limiter_of_twenty_megahertz_takes_only_about_a_fifth_off() {
        let board = Board::of_serial("0007", Filter::Bridged);
        let span = |bandwidth_hz: f64| {
            let kernel = Kernel::seen(&board, bandwidth_hz);
            let most = kernel.values.iter().copied().fold(0.0, f32::max);
            most - kernel.values.iter().copied().fold(0.0, f32::min)
        };
        let left = span(20e6) / span(100e6);
        assert!((0.65..0.88).contains(&left), "{left}");
    }
}
