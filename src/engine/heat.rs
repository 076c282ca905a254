//! Warnings on temperatures, with hysteresis: each is told when it begins and when it is over. Pure.

use crate::base::units::{Celsius, beyond};
use crate::plan::profile::Interlocks;

/// A warning is over when the temperature is so far below its threshold: a sensor's last digit jumps.
const HYSTERESIS_K: f64 = 2.0;

/// Watches board and ambient temperature against the thresholds that only warn.
#[derive(Debug)]
pub(super) struct HeatWatch {
    board: Threshold,
    ambient: Threshold,
}

#[derive(Debug)]
struct Threshold {
    name: &'static str,
    warn_above: Option<Celsius>,
    is_above: bool,
}

impl HeatWatch {
    /// Watches by the plan's rules.
    #[must_use]
    pub(super) const fn new(rules: &Interlocks) -> Self {
        let (board, ambient) = (rules.warn_temperature, rules.warn_ambient);
        Self {
            board: Threshold { name: "board temperature", warn_above: board, is_above: false },
            ambient: Threshold { name: "temperature beside the board", warn_above: ambient, is_above: false },
        }
    }

    /// What a person should know of these temperatures, in °C; a temperature that is not known changes nothing.
    pub(super) fn judge(&mut self, board_c: Option<f64>, ambient_c: Option<f64>) -> Vec<String> {
        let told = [self.board.judge(board_c), self.ambient.judge(ambient_c)];
        told.into_iter().flatten().collect()
    }
}

impl Threshold {
    fn judge(&mut self, seen_c: Option<f64>) -> Option<String> {
        let (limit, seen) = (self.warn_above?, Celsius(seen_c?));
        let name = self.name;
        if !self.is_above && seen > limit {
            self.is_above = true;
            let by = beyond(seen, limit);
            return Some(format!("{name} {seen} is above {limit}{by}, where this profile warns"));
        }
        if self.is_above && seen.value() < limit.value() - HYSTERESIS_K {
            self.is_above = false;
            return Some(format!("{name} {seen} is below {limit} again"));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_warning_is_told_once_and_once_more_when_it_is_over() {
        let rules = Interlocks {
            warn_temperature: Some(Celsius(70.0)),
            warn_ambient: Some(Celsius(35.0)),
            hold_limit: Duration::ZERO,
            ..Interlocks::default()
        };
        let mut watch = HeatWatch::new(&rules);
        let seen = [(69.0, 20.0), (71.0, 20.0), (69.0, 36.0), (71.0, 36.0), (67.9, 30.0), (71.0, f64::NAN)];
        let told: Vec<String> =
            seen.iter().flat_map(|(board, ambient)| watch.judge(Some(*board), Some(*ambient))).collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        board temperature 71 °C is above 70 °C, where this profile warns
        temperature beside the board 36 °C is above 35 °C, where this profile warns
        board temperature 67.9 °C is below 70 °C again
        temperature beside the board 30 °C is below 35 °C again
        board temperature 71 °C is above 70 °C, where this profile warns
        ");
        assert_eq!(watch.judge(None, None), Vec::<String>::new(), "what is not known changes nothing");
    }
}
