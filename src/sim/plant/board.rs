//! The board under test: its parts, spread within their data sheets by the serial number.

use super::noise::{Generator, seed_of};

/// What stands between the converter's output and the node's terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// The pads are bridged: the node gets the converter's raw output, spikes and all.
    Bridged,
    /// The LC filter is fitted.
    Fitted,
    /// The LC filter with a smaller coil on the same pads (2.2 µH in the place of 4.7 µH): half the resistance, and less filter.
    Smaller,
    /// Neither: the node side gets nothing although the converter runs.
    Neither,
}

impl Filter {
    /// The filter of a board revision in the simulated rig: `A` bridged, `B` fitted, `C` neither, `D` fitted with the
    /// smaller coil.
    #[must_use]
    pub fn of_revision(revision: &str) -> Option<Self> {
        match revision.trim().to_ascii_uppercase().as_str() {
            "A" => Some(Self::Bridged),
            "B" => Some(Self::Fitted),
            "C" => Some(Self::Neither),
            "D" => Some(Self::Smaller),
            _ => None,
        }
    }

    /// Whether coil and capacitor stand between converter and node.
    pub(crate) const fn is_fitted(self) -> bool {
        matches!(self, Self::Fitted | Self::Smaller)
    }
}

/// Part values of one board in SI units. Ranges: `docs/measurements.md` and the MAX5033 data sheet 19-2979.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    pub(crate) filter: Filter,
    /// Regulated output of the converter at no load.
    pub(crate) output_v: f64,
    pub(crate) switching_hz: f64,
    /// Standard deviation of one period, relative.
    pub(crate) jitter: f64,
    /// Input at which the ON/OFF divider lets the converter start.
    pub(crate) start_v: f64,
    /// Input below which it stops: 1.59/1.69 of the start (100 mV hysteresis at the pin).
    pub(crate) stop_v: f64,
    pub(crate) inductance_h: f64,
    pub(crate) inductor_ohm: f64,
    pub(crate) switch_ohm: f64,
    pub(crate) diode_v: f64,
    pub(crate) output_f: f64,
    pub(crate) output_esr_ohm: f64,
    /// What the board itself takes at its output: feedback divider and indicator.
    pub(crate) bleed_ohm: f64,
    pub(crate) input_f: f64,
    pub(crate) divider_ohm: f64,
    pub(crate) quiescent_a: f64,
    /// Largest average inductor current: the peak limit less half the ripple.
    pub(crate) limit_a: f64,
    /// Smallest peak of a pulse; below it pulses are skipped.
    pub(crate) skip_peak_a: f64,
    /// First peak of the spike at the switch's turn-on, at the converter's output.
    pub(crate) spike_on_v: f64,
    /// First peak of the spike at turn-off (it points down).
    pub(crate) spike_off_v: f64,
    pub(crate) ring_hz: f64,
    pub(crate) ring_decay_s: f64,
    /// The part of a spike that gets past the fitted filter through stray capacitance and ground.
    pub(crate) filter_leak: f64,
    pub(crate) filter_h: f64,
    pub(crate) filter_ohm: f64,
    pub(crate) filter_f: f64,
    pub(crate) filter_esr_ohm: f64,
}

impl Board {
    /// The board with this serial number: the same number always means the same parts.
    pub(crate) fn of_serial(serial: &str, filter: Filter) -> Self {
        let mut g = Generator::seeded(seed_of(serial));
        let start_v = g.between(11.7, 12.3);
        let mut board = Self {
            filter,
            output_v: g.between(4.94, 5.06),
            switching_hz: g.between(119e3, 126e3),
            jitter: g.between(0.0015, 0.0025),
            start_v,
            stop_v: start_v * 1.59 / 1.69,
            inductance_h: g.between(212e-6, 228e-6),
            inductor_ohm: g.between(0.26, 0.34),
            switch_ohm: g.between(0.50, 0.68),
            diode_v: g.between(0.41, 0.46),
            output_f: g.between(31e-6, 35e-6),
            output_esr_ohm: g.between(0.130, 0.180),
            bleed_ohm: 10e3,
            input_f: 47e-6,
            divider_ohm: 710e3,
            quiescent_a: g.between(250e-6, 290e-6),
            limit_a: g.between(1.25, 1.55),
            skip_peak_a: g.between(0.058, 0.072),
            spike_on_v: g.between(1.42, 1.58),
            spike_off_v: g.between(1.40, 1.56),
            ring_hz: g.between(14.3e6, 16.2e6),
            ring_decay_s: g.between(95e-9, 130e-9),
            filter_leak: g.between(0.008, 0.013),
            filter_h: g.between(4.4e-6, 5.0e-6),
            filter_ohm: g.between(0.085, 0.095),
            filter_f: g.between(9e-6, 10.5e-6),
            filter_esr_ohm: g.between(0.070, 0.090),
        };
        // Drawn last, so that all other parts are those of the board with the large coil.
        if filter == Filter::Smaller {
            board.filter_h = g.between(2.05e-6, 2.35e-6);
            board.filter_ohm = g.between(0.040, 0.046);
        }
        board
    }

    /// Series resistance between the converter's output and the node's terminals; `None` where there is no way.
    pub(crate) fn way_ohm(&self) -> Option<f64> {
        match self.filter {
            Filter::Bridged => Some(0.0),
            Filter::Fitted | Filter::Smaller => Some(self.filter_ohm),
            Filter::Neither => None,
        }
    }

    /// All capacitance that the converter's output holds up.
    pub(crate) fn held_f(&self) -> f64 {
        if self.filter.is_fitted() { self.output_f + self.filter_f } else { self.output_f }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_differ_by_serial_number_but_stay_within_the_data_sheet() {
        for number in 0..200 {
            let board = Board::of_serial(&format!("{number:04}"), Filter::Fitted);
            assert!((4.9..5.1).contains(&board.output_v));
            assert!((119e3..126e3).contains(&board.switching_hz));
            assert!((11.7..12.3).contains(&board.start_v));
            assert!((0.65..0.78).contains(&(board.start_v - board.stop_v)));
        }
        let (one, two) = (Board::of_serial("0001", Filter::Fitted), Board::of_serial("0002", Filter::Fitted));
        assert!((one.output_v - two.output_v).abs() > 1e-6);
    }

    #[test]
    fn the_smaller_coil_is_the_only_other_part_of_a_board() {
        let (large, small) =
            (Board::of_serial("0001", Filter::Fitted), Board::of_serial("0001", Filter::Smaller));
        assert!((1.9..2.5).contains(&(large.filter_h / small.filter_h)));
        assert!((1.8..2.4).contains(&(large.filter_ohm / small.filter_ohm)));
        let same =
            Board { filter: Filter::Fitted, filter_h: large.filter_h, filter_ohm: large.filter_ohm, ..small };
        assert_eq!(format!("{same:?}"), format!("{large:?}"));
    }

    #[test]
    fn the_revision_chooses_the_filter() {
        assert_eq!(Filter::of_revision("a"), Some(Filter::Bridged));
        assert_eq!(Filter::of_revision("B"), Some(Filter::Fitted));
        assert_eq!(Filter::of_revision("C"), Some(Filter::Neither));
        assert_eq!(Filter::of_revision("d"), Some(Filter::Smaller));
        assert_eq!(Filter::of_revision("E"), None);
    }
}
