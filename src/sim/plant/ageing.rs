//! Parts that age: the output capacitor dries out, the reference and its divider drift.
//!
//! The capacitor: makers of aluminium electrolytics rate a life at the highest temperature and count as its end twice the
//! first ESR and four fifths of the first capacitance; the life doubles with every 10 K less (the rule of Arrhenius, as all
//! of them print it). Here 2000 h at 105 °C, a common rating. A dose of 1 is one such life, and
//! `ESR = ESR0 2^dose`, `C = C0 (1 - 0.2 dose)`; the exponential is what end-of-life data show (Gasperi 1996).
//!
//! The spikes: near 15 MHz the capacitor is its ESR in series with some 2 nH of a surface-mounted part, about 0.19 ohm, and
//! what the switching edges leave on it follows the magnitude of both.
//!
//! The output voltage: references settle and resistors drift with the root of time; 500 ppm after the first 1000 h under
//! power, a band gap and a divider of 1 % parts together, up or down by the board's serial number.
//!
//! A factor makes years of days. It stretches time, not temperature, so that nothing else on the bench changes. Limits: the
//! sensor's temperature stands for the capacitor's; ripple current does not heat it further; nothing heals.

use super::board::Board;

const RATED_S: f64 = 2000.0 * 3600.0;
const RATED_C: f64 = 105.0;
const K_A_DOUBLING: f64 = 10.0;
/// Beyond three lives the law says nothing any more: the ESR stays at eight times its first value.
const MOST_DOSE: f64 = 3.0;
const STRAY_H: f64 = 2e-9;
const DRIFT_AFTER_1000_H: f64 = 500e-6;

/// How old the board is, and what it was made of.
#[derive(Debug, Clone)]
pub(crate) struct Ageing {
    factor: f64,
    new: Board,
    up: bool,
    /// Rated lives of the capacitor that are gone.
    dose: f64,
    /// Time under power, as long as the factor makes it.
    powered_s: f64,
}

impl Ageing {
    /// A new board that ages `factor` times as fast as parts do.
    pub(crate) fn of(new: &Board, factor: f64) -> Self {
        // Any bit of a part value will do: it is drawn by the serial number.
        let up = new.output_v.to_bits() & 1 == 1;
        Self { factor, new: new.clone(), up, dose: 0.0, powered_s: 0.0 }
    }

    /// The board it ages from regulates to so much more.
    pub(crate) fn shift_output(&mut self, by_v: f64) {
        self.new.output_v += by_v;
    }

    /// `step_s` seconds more at `board_c`, under power or not; `board` becomes as old as it then is.
    pub(crate) fn step(&mut self, board: &mut Board, step_s: f64, (board_c, powered): (f64, bool)) {
        let pace = ((board_c - RATED_C) / K_A_DOUBLING).exp2() / RATED_S;
        self.dose = (self.dose + self.factor * step_s * pace).min(MOST_DOSE);
        if powered {
            self.powered_s += self.factor * step_s;
        }
        let esr_ohm = self.new.output_esr_ohm * self.dose.exp2();
        let reactance_ohm = std::f64::consts::TAU * self.new.ring_hz * STRAY_H;
        let spikes = esr_ohm.hypot(reactance_ohm) / self.new.output_esr_ohm.hypot(reactance_ohm);
        let drift = DRIFT_AFTER_1000_H * (self.powered_s / 3.6e6).sqrt();
        board.output_esr_ohm = esr_ohm;
        board.output_f = self.new.output_f * (1.0 - 0.2 * self.dose);
        board.spike_on_v = self.new.spike_on_v * spikes;
        board.spike_off_v = self.new.spike_off_v * spikes;
        board.output_v = self.new.output_v * (1.0 + if self.up { drift } else { -drift });
    }
}

#[cfg(test)]
mod tests {
    use super::super::board::Filter;
    use super::*;

    fn aged(factor: f64, hours: f64, board_c: f64) -> (Board, Board) {
        let new = Board::of_serial("0007", Filter::Bridged);
        let (mut board, mut ageing) = (new.clone(), Ageing::of(&new, factor));
        for _ in 0..1000 {
            ageing.step(&mut board, hours * 3.6, (board_c, true));
        }
        (new, board)
    }

    #[test]
    fn one_rated_life_doubles_the_esr_and_ten_kelvins_less_double_the_life() {
        for (hours, board_c) in [(2000.0, 105.0), (4000.0, 95.0), (128_000.0, 45.0)] {
            let (new, old) = aged(1.0, hours, board_c);
            assert!((old.output_esr_ohm / new.output_esr_ohm - 2.0).abs() < 1e-6, "{hours} h at {board_c}");
            assert!((old.output_f / new.output_f - 0.8).abs() < 1e-6);
            let spikes = old.spike_on_v / new.spike_on_v;
            assert!((1.1..2.0).contains(&spikes), "spikes grow, but less than the ESR: {spikes}");
        }
    }

    #[test]
    fn a_month_at_45_degrees_is_hardly_seen_and_a_hundred_of_them_are() {
        let (new, old) = aged(1.0, 720.0, 45.0);
        assert!(old.output_esr_ohm / new.output_esr_ohm < 1.005);
        let (new, old) = aged(100.0, 720.0, 45.0);
        assert!((1.4..1.6).contains(&(old.output_esr_ohm / new.output_esr_ohm)));
        let drift_v = (old.output_v - new.output_v).abs();
        assert!((0.015..0.030).contains(&drift_v), "500 ppm times the root of 72: {drift_v}");
    }

    #[test]
    fn ageing_ends_where_its_law_does() {
        let (new, old) = aged(10_000.0, 10_000.0, 105.0);
        assert!((old.output_esr_ohm / new.output_esr_ohm - 8.0).abs() < 1e-9);
    }
}
