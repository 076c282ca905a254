//! The air beside the board: the room by day and night, and a closed box around the bench whose lid is opened now and then.
//!
//! The room: a sine with a period of 24 h that begins at its mean and falls, as in a room that is left in the evening; six
//! hours later it is coldest. The box: what the board loses warms its air by 6 K/W, with a time constant of ten minutes, as
//! a metal box of some 20 litres without a fan does (0.3 m² at 5 to 6 W/(m² K), the air and its wall together 100 J/K). An
//! open lid leaves 1 K/W and two minutes. Limits: one node for all its air; the load's and the supply's heat stay outside.

use crate::base::random::mix;

const DAY_S: f64 = 86_400.0;
/// How long the lid stays open.
const OPEN_S: f64 = 600.0;
/// Kelvins a watt and seconds, with the lid closed and open.
const CLOSED: (f64, f64) = (6.0, 600.0);
const OPEN: (f64, f64) = (1.0, 120.0);

/// What makes the air beside the board change.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Climate {
    /// From the coldest to the warmest of a day, in kelvins.
    pub(crate) day_swing_k: f64,
    /// About how often the lid of the box is opened, in seconds; `None` without a box.
    pub(crate) lid_opens_every_s: Option<f64>,
    pub(crate) seed: u64,
    /// The box above the room, in kelvins.
    box_k: f64,
}

impl Climate {
    pub(crate) fn new(day_swing_k: f64, lid_opens_every_s: Option<f64>, seed: u64) -> Self {
        Self { day_swing_k, lid_opens_every_s, seed, box_k: 0.0 }
    }

    /// What the air beside the board is above the room's mean, `at_s` seconds after the beginning, `step_s` seconds later than
    /// the last time, while the board loses `loss_w`.
    pub(crate) fn above_k(&mut self, at_s: f64, step_s: f64, loss_w: f64) -> f64 {
        if let Some(every_s) = self.lid_opens_every_s {
            let (k_per_w, constant_s) = if self.is_open(at_s, every_s) { OPEN } else { CLOSED };
            self.box_k += (loss_w * k_per_w - self.box_k) * step_s / constant_s;
        }
        -0.5 * self.day_swing_k * (std::f64::consts::TAU * at_s / DAY_S).sin() + self.box_k
    }

    /// Once in every stretch of `every_s`, at a moment that the seed chooses.
    fn is_open(&self, at_s: f64, every_s: f64) -> bool {
        let stretch = (at_s / every_s) as u64;
        let part = (mix(self.seed ^ 0x11d ^ mix(stretch)) >> 11) as f64 / (1u64 << 53) as f64;
        let opens_s = stretch as f64 * every_s + part * (every_s - OPEN_S).max(0.0);
        (opens_s..opens_s + OPEN_S).contains(&at_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(mut climate: Climate, hours: u32) -> Vec<f64> {
        (0..hours * 3600).map(|second| climate.above_k(f64::from(second), 1.0, 0.5)).step_by(3600).collect()
    }

    #[test]
    fn a_room_is_coldest_six_hours_after_the_evening_and_warmest_eighteen() {
        let day = hourly(Climate::new(4.0, None, 1), 24);
        assert!(
            day[0].abs() < 1e-9 && (day[6] + 2.0).abs() < 1e-6 && (day[18] - 2.0).abs() < 1e-6,
            "{day:?}"
        );
    }

    #[test]
    fn a_lid_that_opens_lets_the_warmth_out_once_in_every_stretch() {
        let mut climate = Climate::new(0.0, Some(6.0 * 3600.0), 7);
        let (mut opened, mut was_open, mut coldest) = (0, false, f64::MAX);
        for second in 0..24 * 3600 {
            let above_k = climate.above_k(f64::from(second), 1.0, 0.5);
            let is_open = climate.is_open(f64::from(second), 6.0 * 3600.0);
            opened += u32::from(is_open && !was_open);
            was_open = is_open;
            if second > 6 * 3600 {
                coldest = coldest.min(above_k);
            }
            assert!(above_k < 3.0 + 1e-9, "0.5 W at 6 K/W");
        }
        assert_eq!(opened, 4);
        assert!(coldest < 0.6, "{coldest}");
    }

    #[test]
    fn nothing_is_asked_for_and_nothing_changes() {
        assert!(hourly(Climate::default(), 30).iter().all(|above_k| above_k.abs() < 1e-12));
    }
}
