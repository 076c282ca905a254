//! The load's input stage: what it draws from a voltage behind a series resistance.
//!
//! It cannot draw from a dead output: whatever the setting, the current stays below `v / (Rmin + Rs)`.

/// Resistance of the load's transistor fully on.
const LEAST_OHM: f64 = 0.06;
/// The most it takes in constant voltage.
const MOST_A: f64 = 40.0;

/// What the load holds constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Current,
    Voltage,
    Resistance,
    Power,
}

/// The input stage's settings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sink {
    pub(crate) function: Function,
    pub(crate) level_a: f64,
    pub(crate) level_v: f64,
    pub(crate) level_ohm: f64,
    pub(crate) level_w: f64,
    /// It sinks only above this voltage.
    pub(crate) start_v: f64,
    pub(crate) on: bool,
}

impl Sink {
    /// A load whose input is off.
    pub(crate) const fn off() -> Self {
        Self {
            function: Function::Current,
            level_a: 0.0,
            level_v: 150.0,
            level_ohm: 15_000.0,
            level_w: 0.0,
            start_v: 0.0,
            on: false,
        }
    }

    /// The current from a source of `source_v` behind `series_ohm`.
    pub(crate) fn draws_a(&self, source_v: f64, series_ohm: f64) -> f64 {
        if !self.on || source_v <= 0.0 || source_v < self.start_v {
            return 0.0;
        }
        let most_a = source_v / (LEAST_OHM + series_ohm);
        let wanted_a = match self.function {
            Function::Current => self.level_a,
            Function::Voltage => ((source_v - self.level_v) / (LEAST_OHM + series_ohm)).clamp(0.0, MOST_A),
            Function::Resistance => source_v / (self.level_ohm.max(LEAST_OHM) + series_ohm),
            Function::Power => {
                // v_t = source - i Rs and i = P / v_t: the larger root, if there is one.
                let square = source_v.powi(2) - 4.0 * self.level_w * series_ohm;
                if square < 0.0 { most_a } else { 2.0 * self.level_w / (source_v + square.sqrt()) }
            }
        };
        wanted_a.min(most_a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_function_draws_from_a_dead_output() {
        for function in [Function::Current, Function::Voltage, Function::Resistance, Function::Power] {
            let sink = Sink {
                function,
                level_a: 0.5,
                level_v: 1.0,
                level_ohm: 10.0,
                level_w: 2.5,
                on: true,
                ..Sink::off()
            };
            assert!(sink.draws_a(0.0, 0.05).abs() < 1e-12, "{function:?}");
            assert!(sink.draws_a(0.01, 0.05) < 0.1, "{function:?}");
            let at_five_a = sink.draws_a(5.0, 0.05);
            assert!(at_five_a > 0.4, "{function:?} {at_five_a}");
        }
    }

    #[test]
    fn constant_power_counts_the_drop_along_the_leads() {
        let sink = Sink { function: Function::Power, level_w: 2.0, on: true, ..Sink::off() };
        let current_a = sink.draws_a(5.0, 1.0);
        assert!(((5.0 - current_a) * current_a - 2.0).abs() < 1e-9);
    }
}
