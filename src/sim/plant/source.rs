//! The supply's output stage: constant voltage with a slew, constant current, over-voltage and over-current trips.
//!
//! On: the reference climbs 0.8 V/ms and falls 0.4 V/ms towards the setting; the terminals follow as far as the current
//! limit lets them charge `C`, `dv/dt = (limit - load) / C`. Off: `C` bleeds into 50 ohm, so the terminals are under half a
//! volt within about 100 ms. Limits: no remote sense, no output impedance, no loop dynamics.

/// Rise of the reference in volts a second.
const RISE_V_PER_S: f64 = 800.0;
/// Fall of the reference in volts a second.
const FALL_V_PER_S: f64 = 400.0;
/// The supply's own output capacitor.
const OUTPUT_F: f64 = 470e-6;
const BLEED_OHM: f64 = 50.0;

/// The output stage's settings and state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    pub(crate) set_v: f64,
    pub(crate) limit_a: f64,
    pub(crate) on: bool,
    pub(crate) over_v: Option<f64>,
    pub(crate) over_a: Option<f64>,
    pub(crate) over_v_tripped: bool,
    pub(crate) over_a_tripped: bool,
    pub(crate) terminals_v: f64,
    /// Current out of the terminals.
    pub(crate) current_a: f64,
    pub(crate) limiting: bool,
    reference_v: f64,
    over_a_ticks: u32,
}

impl Source {
    /// A supply that is off.
    pub(crate) const fn off() -> Self {
        Self {
            set_v: 0.0,
            limit_a: 1.0,
            on: false,
            over_v: None,
            over_a: None,
            over_v_tripped: false,
            over_a_tripped: false,
            terminals_v: 0.0,
            current_a: 0.0,
            limiting: false,
            reference_v: 0.0,
            over_a_ticks: 0,
        }
    }

    /// How long the reference still moves, in seconds.
    pub(crate) fn moving_s(&self) -> f64 {
        let away_v = if self.on { self.set_v - self.reference_v } else { -self.terminals_v };
        if away_v > 0.0 { away_v / RISE_V_PER_S } else { -away_v / FALL_V_PER_S }
    }

    /// One step; `draws_a` is the board's current at a terminal voltage, `hung_f` the capacitance hung on the terminals.
    pub(crate) fn step(&mut self, step_s: f64, hung_f: f64, draws_a: impl Fn(f64) -> f64) {
        let before_v = self.terminals_v;
        let held_f = OUTPUT_F + hung_f;
        if self.on {
            let change_v = self.set_v - self.reference_v;
            self.reference_v += change_v.clamp(-FALL_V_PER_S * step_s, RISE_V_PER_S * step_s);
            let wanted_a =
                draws_a(self.reference_v) + held_f * (self.reference_v - before_v).max(0.0) / step_s;
            self.limiting = wanted_a > self.limit_a;
            self.terminals_v = if self.limiting {
                let spare_a = self.limit_a - draws_a(before_v.min(self.reference_v));
                (before_v + spare_a * step_s / held_f).clamp(0.0, self.reference_v)
            } else {
                self.reference_v
            };
        } else {
            self.limiting = false;
            let after_v =
                before_v / (1.0 + step_s / (BLEED_OHM * held_f)) - draws_a(before_v) * step_s / held_f;
            self.terminals_v = if after_v < 1e-3 { 0.0 } else { after_v };
            self.reference_v = self.terminals_v;
        }
        let charging_a = hung_f * (self.terminals_v - before_v) / step_s;
        self.current_a = (draws_a(self.terminals_v) + charging_a).max(0.0);
        if self.limiting {
            self.current_a = self.current_a.min(self.limit_a);
        }
        self.watch();
    }

    /// Its over-current protection trips, whatever the current is.
    pub(crate) fn trip_over_current(&mut self) {
        self.over_a_tripped |= self.on;
        self.on = false;
    }

    /// The supply's own protection; over-current must last for two steps.
    fn watch(&mut self) {
        if !self.on {
            self.over_a_ticks = 0;
            return;
        }
        if self.over_v.is_some_and(|limit| self.terminals_v > limit) {
            self.over_v_tripped = true;
            self.on = false;
        }
        let over = self.over_a.is_some_and(|limit| self.current_a >= limit);
        self.over_a_ticks = if over { self.over_a_ticks + 1 } else { 0 };
        if self.over_a_ticks >= 2 {
            self.over_a_tripped = true;
            self.on = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(source: &mut Source, steps: u32, draws_a: impl Fn(f64) -> f64) {
        for _ in 0..steps {
            source.step(250e-6, 47e-6, &draws_a);
        }
    }

    #[test]
    fn the_voltage_climbs_in_tens_of_milliseconds_and_bleeds_in_a_hundred() {
        let mut source = Source { set_v: 24.0, on: true, ..Source::off() };
        run(&mut source, 60, |_| 0.0);
        assert!((10.0..14.0).contains(&source.terminals_v), "half way after 15 ms: {}", source.terminals_v);
        run(&mut source, 100, |_| 0.0);
        assert!((source.terminals_v - 24.0).abs() < 1e-9);
        source.on = false;
        run(&mut source, 480, |_| 0.0);
        assert!(source.terminals_v < 0.5, "{}", source.terminals_v);
    }

    #[test]
    fn a_load_beyond_the_limit_pulls_the_voltage_down_to_what_the_limit_can_drive() {
        let mut source = Source { set_v: 10.0, limit_a: 0.5, on: true, ..Source::off() };
        run(&mut source, 4000, |v| v / 10.0);
        assert!(source.limiting);
        assert!((source.terminals_v - 5.0).abs() < 0.05, "{}", source.terminals_v);
        assert!((source.current_a - 0.5).abs() < 0.005);
    }

    #[test]
    fn its_own_protection_switches_it_off() {
        let mut source = Source { set_v: 24.0, on: true, over_v: Some(20.0), ..Source::off() };
        run(&mut source, 200, |_| 0.0);
        assert!(source.over_v_tripped && !source.on);
        let mut source = Source { set_v: 24.0, on: true, over_a: Some(0.2), ..Source::off() };
        run(&mut source, 200, |v| v / 50.0);
        assert!(source.over_a_tripped && !source.on);
    }
}
