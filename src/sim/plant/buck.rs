//! The converter in the steady state: how it switches and what it loses.
//!
//! With `Vd` the diode's drop, `L` the inductance and `f` the clock:
//! * continuous: `D = (Vo + Vd + Io R) / (Vin + Vd - Io Rsw)`, ripple current `dI = (Vin - Vo - Io R) D / (L f)`;
//! * discontinuous below `Io = dI/2`: `Ipk = sqrt(2 Io / (L f (1/(Vin-Vo) + 1/(Vo+Vd))))`;
//! * pulse skipping where `Ipk` would fall below the chip's smallest pulse: the peak stays, the rate becomes `Io / Q`
//!   with `Q = Ipk² L (1/(Vin-Vo) + 1/(Vo+Vd)) / 2`.
//!
//! Limits: averages over a cycle only, no loop dynamics; the duty limit (95 %) is never met because the board starts at
//! 12 V. Losses are first-order sums chosen to give 83 to 87 % at 24 V and 0.5 A, as the data sheet's curve does.

use super::board::Board;

/// How the converter switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It does not switch.
    Off,
    /// Light load: whole cycles are left out.
    Skipping,
    /// The inductor's current reaches zero in every cycle.
    Discontinuous,
    /// The inductor's current never reaches zero.
    Continuous,
}

/// One operating point of the converter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Operating {
    pub(crate) mode: Mode,
    /// Input at the board's terminals and output at the converter, in volts.
    pub(crate) vin_v: f64,
    pub(crate) out_v: f64,
    /// Average current out of the inductor.
    pub(crate) out_a: f64,
    pub(crate) peak_a: f64,
    pub(crate) valley_a: f64,
    /// Time the switch and then the diode conduct in one pulse.
    pub(crate) on_s: f64,
    pub(crate) off_s: f64,
    /// Pulses a second; the clock's rate unless pulses are skipped.
    pub(crate) pulse_hz: f64,
}

impl Operating {
    /// A converter that does not switch.
    pub(crate) const fn off(vin_v: f64, out_v: f64) -> Self {
        Self {
            mode: Mode::Off,
            vin_v,
            out_v,
            out_a: 0.0,
            peak_a: 0.0,
            valley_a: 0.0,
            on_s: 0.0,
            off_s: 0.0,
            pulse_hz: 0.0,
        }
    }

    /// The operating point for `out_a` at `out_v` from `vin_v`.
    pub(crate) fn at(board: &Board, vin_v: f64, out_v: f64, out_a: f64) -> Self {
        let headroom_v = (vin_v - out_v - out_a * (board.switch_ohm + board.inductor_ohm)).max(0.1);
        let fall_v = (out_v + board.diode_v + out_a * board.inductor_ohm).max(0.1);
        let clock_hz = board.switching_hz;
        let duty = (fall_v / (headroom_v + fall_v)).min(0.95);
        let ripple_a = headroom_v * duty / (board.inductance_h * clock_hz);
        let point = Self { out_v, out_a, ..Self::off(vin_v, out_v) };
        if out_a >= ripple_a / 2.0 {
            return Self {
                mode: Mode::Continuous,
                peak_a: out_a + ripple_a / 2.0,
                valley_a: out_a - ripple_a / 2.0,
                on_s: duty / clock_hz,
                off_s: (1.0 - duty) / clock_hz,
                pulse_hz: clock_hz,
                ..point
            };
        }
        // Time both slopes take, a squared ampere of peak: charge of a pulse is peak² times half of it.
        let slopes = board.inductance_h * (1.0 / headroom_v + 1.0 / fall_v);
        let peak_a = (2.0 * out_a / (clock_hz * slopes)).sqrt();
        let (mode, peak_a, pulse_hz) = if peak_a >= board.skip_peak_a {
            (Mode::Discontinuous, peak_a, clock_hz)
        } else {
            let charge_c = board.skip_peak_a.powi(2) * slopes / 2.0;
            (Mode::Skipping, board.skip_peak_a, out_a / charge_c)
        };
        let on_s = peak_a * board.inductance_h / headroom_v;
        let off_s = peak_a * board.inductance_h / fall_v;
        Self { mode, peak_a, on_s, off_s, pulse_hz, ..point }
    }

    /// What the converter loses, in watts, without the current of its divider.
    pub(crate) fn loss_w(&self, board: &Board) -> f64 {
        let quiescent_w = self.vin_v * board.quiescent_a;
        if self.mode == Mode::Off {
            return 0.0;
        }
        let (on, off) = (self.on_s * self.pulse_hz, self.off_s * self.pulse_hz);
        let middle_a = (self.peak_a + self.valley_a) / 2.0;
        let swing_a = self.peak_a - self.valley_a;
        let square_a2 = middle_a.powi(2) + swing_a.powi(2) / 12.0;
        let conduction_w = on * square_a2 * board.switch_ohm
            + (on + off) * square_a2 * board.inductor_ohm
            + off * middle_a * board.diode_v;
        // 60 ns in the linear region at both edges, 0.5 µJ of gate and winding charge at 24 V, core loss by the swing.
        let edge_j = 0.5 * self.vin_v * self.peak_a * 60e-9 + 0.5e-6 * self.vin_v / 24.0;
        let core_j = 0.20e-6 * (swing_a / 0.157).powi(2);
        quiescent_w + conduction_w + self.pulse_hz * (edge_j + core_j)
    }
}

#[cfg(test)]
mod tests {
    use super::super::board::Filter;
    use super::*;

    fn nominal() -> Board {
        Board {
            output_v: 5.0,
            switching_hz: 122e3,
            inductance_h: 220e-6,
            diode_v: 0.4,
            skip_peak_a: 0.065,
            ..Board::of_serial("0007", Filter::Bridged)
        }
    }

    #[test]
    fn ripple_current_and_conduction_borders_are_those_of_the_equations() {
        let board = nominal();
        for (vin_v, duty, ripple_a, peak_30ma) in
            [(24.0, 0.221, 0.157, 0.097), (18.0, 0.293, 0.142, 0.092), (12.0, 0.435, 0.114, 0.082)]
        {
            let full = Operating::at(&board, vin_v, 5.0, 0.1);
            assert_eq!(full.mode, Mode::Continuous);
            let near = |value: f64, wanted: f64| (value / wanted - 1.0).abs() < 0.03;
            assert!(near(full.on_s * full.pulse_hz, duty), "{full:?}");
            assert!(near(full.peak_a - full.valley_a, ripple_a), "{full:?}");
            let light = Operating::at(&board, vin_v, 5.0, 0.03);
            assert_eq!(light.mode, Mode::Discontinuous);
            assert!(near(light.peak_a, peak_30ma), "{light:?}");
        }
    }

    #[test]
    fn pulses_are_skipped_below_about_thirteen_milliamperes_at_24_volts() {
        let board = nominal();
        assert_eq!(Operating::at(&board, 24.0, 5.0, 0.015).mode, Mode::Discontinuous);
        let light = Operating::at(&board, 24.0, 5.0, 0.002);
        assert_eq!(light.mode, Mode::Skipping);
        let carried_a = light.peak_a * (light.on_s + light.off_s) / 2.0 * light.pulse_hz;
        assert!((carried_a - 0.002).abs() < 1e-9, "the pulses carry the load: {carried_a}");
        assert!(light.pulse_hz < 25e3);
    }

    #[test]
    fn efficiency_at_full_load_is_that_of_the_data_sheet_on_every_board() {
        for number in 0..100 {
            let board = Board::of_serial(&format!("{number:04}"), Filter::Bridged);
            let efficiency = |vin_v: f64| {
                2.5 / (2.5 + Operating::at(&board, vin_v, 5.0, 0.5).loss_w(&board) + vin_v.powi(2) / 710e3)
            };
            assert!((0.83..0.87).contains(&efficiency(24.0)), "{}", efficiency(24.0));
            assert!((0.84..0.91).contains(&efficiency(12.5)), "{}", efficiency(12.5));
        }
    }
}
