//! The LC filter between converter and node for the ripple.
//!
//! `L di/dt = u - R i - v`, `v = vc + r i`, `C dvc/dt = i` for the deviations from the mean, by the trapezoidal rule on a
//! grid far finer than its 23 kHz corner. `R` holds the coil's resistance and the converter's output capacitor's ESR, which
//! the ripple current closes through. Limits: the load's own impedance is left out (it damps a little more); what gets past
//! it at the spikes' frequency is stray coupling and stands in [`super::spikes`].

use super::board::Board;

/// How long before a window the filter must run to have forgotten its start: over ten decay times.
pub(crate) const WARM_UP_S: f64 = 400e-6;

/// The filter with its state.
#[derive(Debug, Clone)]
pub(crate) struct LowPass {
    /// State transition and input of one step, for `(i, vc)`.
    step: [[f64; 2]; 2],
    drive: [f64; 2],
    esr_ohm: f64,
    state: [f64; 2],
    last: f64,
}

impl LowPass {
    /// The filter of `board` at rest, on a grid of `grid_s`.
    pub(crate) fn of(board: &Board, grid_s: f64) -> Self {
        let (l, c, r) = (board.filter_h, board.filter_f, board.filter_esr_ohm);
        let series_ohm = board.filter_ohm + board.output_esr_ohm + r;
        // x' = A x + B u; trapezoidal: (I - hA/2) x1 = (I + hA/2) x0 + hB (u0 + u1)/2.
        let a = [[-series_ohm / l, -1.0 / l], [1.0 / c, 0.0]];
        let b = [1.0 / l, 0.0];
        let half = grid_s / 2.0;
        let left = [[1.0 - half * a[0][0], -half * a[0][1]], [-half * a[1][0], 1.0 - half * a[1][1]]];
        let right = [[1.0 + half * a[0][0], half * a[0][1]], [half * a[1][0], 1.0 + half * a[1][1]]];
        let det = left[0][0] * left[1][1] - left[0][1] * left[1][0];
        let inverse = [[left[1][1] / det, -left[0][1] / det], [-left[1][0] / det, left[0][0] / det]];
        let product = |m: [[f64; 2]; 2], v: [f64; 2]| {
            [m[0][0] * v[0] + m[0][1] * v[1], m[1][0] * v[0] + m[1][1] * v[1]]
        };
        let first = product(inverse, [right[0][0], right[1][0]]);
        let second = product(inverse, [right[0][1], right[1][1]]);
        let drive = product(inverse, [half * b[0], half * b[1]]);
        Self {
            step: [[first[0], second[0]], [first[1], second[1]]],
            drive,
            esr_ohm: r,
            state: [0.0; 2],
            last: 0.0,
        }
    }

    /// The output after one more step of the input.
    pub(crate) fn next(&mut self, input: f64) -> f64 {
        let sum = self.last + input;
        self.last = input;
        let [i, v] = self.state;
        self.state = [
            self.step[0][0] * i + self.step[0][1] * v + self.drive[0] * sum,
            self.step[1][0] * i + self.step[1][1] * v + self.drive[1] * sum,
        ];
        self.state[1] + self.esr_ohm * self.state[0]
    }
}

#[cfg(test)]
mod tests {
    use super::super::board::Filter;
    use super::*;

    /// How much of the switching frequency gets through, in decibels below all of it.
    fn attenuation_db(board: &Board) -> f64 {
        let grid_s = 40e-9;
        let mut filter = LowPass::of(board, grid_s);
        let mut most: f64 = 0.0;
        for n in 0..50_000 {
            let out = filter.next((std::f64::consts::TAU * 122e3 * grid_s * f64::from(n)).sin());
            if n > 25_000 {
                most = most.max(out.abs());
            }
        }
        -20.0 * most.log10()
    }

    #[test]
    fn the_switching_frequency_is_attenuated_by_about_27_decibels_and_by_20_with_the_smaller_coil() {
        let fitted = Board {
            filter_h: 4.7e-6,
            filter_f: 10e-6,
            filter_esr_ohm: 0.08,
            ..Board::of_serial("0007", Filter::Fitted)
        };
        let decibels = attenuation_db(&fitted);
        assert!((26.0..30.0).contains(&decibels), "{decibels}");
        let decibels = attenuation_db(&Board { filter_h: 2.2e-6, ..fitted });
        assert!((19.0..22.0).contains(&decibels), "{decibels}");
    }
}
