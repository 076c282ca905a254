//! When a point counts as settled. Pure: readings and times go in, a judgement comes out.

use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::units::Volts;
use crate::plan::profile::SettleRule;

/// What is known about settling after a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    /// Go on reading.
    NotYet,
    /// The rule is met.
    Settled {
        /// Time since the last change.
        took: Duration,
    },
    /// The time limit is over and the rule is not met.
    GaveUp {
        /// Time since the last change.
        took: Duration,
    },
}

/// Watches successive Vout readings after a change.
#[derive(Debug)]
pub struct SettleWatch {
    rule: SettleRule,
    start: Instant,
    /// Lowest and highest reading since the band was last entered, and when that was.
    inside: Option<(Instant, f64, f64)>,
}

impl SettleWatch {
    /// Begins to watch; `start` is the moment of the last change.
    #[must_use]
    pub const fn new(rule: SettleRule, start: Instant) -> Self {
        Self { rule, start, inside: None }
    }

    /// Takes a reading and judges.
    pub fn judge(&mut self, at: Instant, vout: Volts) -> Settling {
        let took = at.since(self.start);
        let vout_v = vout.value();
        let entered = match self.inside {
            Some((since, low_v, high_v)) => {
                let (low_v, high_v) = (low_v.min(vout_v), high_v.max(vout_v));
                if high_v - low_v <= self.rule.band.value() {
                    (since, low_v, high_v)
                } else {
                    (at, vout_v, vout_v)
                }
            }
            None => (at, vout_v, vout_v),
        };
        self.inside = Some(entered);
        if took >= self.rule.minimum && at.since(entered.0) >= self.rule.hold {
            Settling::Settled { took }
        } else {
            self.check_limit(at)
        }
    }

    /// Judges by time alone, where a reading could not be had.
    #[must_use]
    pub fn check_limit(&self, at: Instant) -> Settling {
        let took = at.since(self.start);
        if took >= self.rule.limit { Settling::GaveUp { took } } else { Settling::NotYet }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(readings: &[(u64, f64)]) -> Vec<Settling> {
        let rule = SettleRule {
            band: Volts(0.01),
            hold: Duration::from_millis(300),
            minimum: Duration::from_millis(200),
            limit: Duration::from_secs(2),
            interval: Duration::from_millis(100),
        };
        let mut watch = SettleWatch::new(rule, Instant(0));
        readings.iter().map(|(ms, v)| watch.judge(Instant(ms * 1_000_000), Volts(*v))).collect()
    }

    #[test]
    fn a_point_is_settled_once_the_readings_stayed_inside_the_band_long_enough() {
        let seen = judge(&[(0, 0.0), (100, 3.0), (200, 5.0), (300, 5.002), (400, 4.999), (500, 5.001)]);
        assert_eq!(seen[4], Settling::NotYet);
        assert_eq!(seen[5], Settling::Settled { took: Duration::from_millis(500) });
    }

    #[test]
    fn a_slow_walk_out_of_the_band_starts_anew_even_when_each_step_is_small() {
        let walk: Vec<(u64, f64)> = (0..18).map(|i| (i * 100, 5.0 + 0.004 * i as f64)).collect();
        assert!(judge(&walk).iter().all(|s| *s == Settling::NotYet));
    }

    #[test]
    fn what_never_settles_is_given_up_and_said_so() {
        let restless: Vec<(u64, f64)> = (0..=20).map(|i| (i * 100, (i % 2) as f64)).collect();
        assert_eq!(judge(&restless)[20], Settling::GaveUp { took: Duration::from_secs(2) });
    }
}
