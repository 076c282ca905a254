//! Figures of time: frequency, period, duty, states, pulses, from the switch node or, without one, from the output (S5, P1 to
//! P3).

use super::super::conduction::SKIPPED_IDLE_PART;
use super::super::periodicity::{Periodicity, measure_periodicity};
use super::super::pulses::{Pulses, count_pulses, measure_pulses};
use super::super::switching::{MOST_DUTY_OFF, Switching};
use super::{Look, SteadyState, Unavailable};
use crate::waveform::{Bound, Conduction, PeriodSource};

/// A spread is resolved from this many times what the edges alone may show on.
const RESOLVED: f64 = 3.0;

impl SteadyState {
    pub(super) fn fill_switching(&mut self, looks: &[Look<'_>]) {
        // The longest record has the most periods; of equals the first.
        let mut best: Option<(&Look<'_>, &Switching)> = None;
        for look in looks {
            if let Ok(switching) = &look.switching
                && best.is_none_or(|(other, _)| look.span_s() > other.span_s())
            {
                best = Some((look, switching));
            }
        }
        let Some((look, switching)) = best else {
            let reason = looks.iter().find_map(|look| look.switching.as_ref().err().cloned());
            self.refuse_switching(&reason.unwrap_or_else(|| Unavailable::because("no switching edges")));
            return;
        };
        let figures = switching.period_figures(look.moments.count);
        self.switching_hz = figures.switching_hz;
        self.period_std_s = figures.std_s;
        self.period_pp_s = figures.pp_s;
        self.period_c2c_s = figures.c2c_s;
        self.on_time_s = figures.on_time_s;
        self.duty = figures.duty;
        (self.low_v, self.high_v) = (Ok(switching.states.low_v), Ok(switching.states.high_v));
        self.conduction = switching.conduction;
        self.period_source = self.switching_hz.is_ok().then_some(PeriodSource::SwitchNode);
        self.weigh_edges(switching);
        let cycles = switching.edges.rising.len() - 1;
        if cycles < 10 {
            self.note(format!("only {cycles} switching periods in the record: period figures are coarse"));
        }
        if looks
            .iter()
            .any(|look| look.switching.as_ref().is_ok_and(|s| s.conduction != switching.conduction))
        {
            self.note(
                "the two acquisitions differ in conduction: the board works at the limit between two modes",
            );
        }
        if let Some(lx) = look.lx
            && lx.clipped() as f64 > 0.01 * lx.codes.len() as f64
        {
            self.note("the switch node leaves its channel's range: its levels are bounds, its edges are not affected");
        }
    }

    /// Marks what the edges do not resolve, and tells what the levels and the idle time mean.
    fn weigh_edges(&mut self, switching: &Switching) {
        let resolution_s = switching.resolution_s();
        let spreads = [
            ("period_std_s", self.period_std_s.clone(), 1.0),
            ("period_pp_s", self.period_pp_s.clone(), 2.0),
            ("period_c2c_s", self.period_c2c_s.clone(), 2.0),
        ];
        for (name, spread_s, whole) in spreads {
            if spread_s.is_ok_and(|spread_s| spread_s < RESOLVED * whole * resolution_s) {
                let because = format!(
                    "the instants of the edges are known to {:.2} of the sample interval of {:.3} ns: jitter is not resolved below",
                    switching.rises.resolution,
                    1e9 / switching.rate_hz
                );
                self.mark(name, Bound::Upper, because);
            }
        }
        if switching.rises.early > 0 {
            self.note(format!(
                "in {} of {} cycles the switch node passes half of its swing before it turns on (up to {:.2} µs before): these cycles \
                 are cut too early",
                switching.rises.early,
                switching.rises.count,
                switching.rises.longest / switching.rate_hz * 1e6
            ));
        }
        if let (Ok(_), Some(known_to)) = (&self.duty, switching.on_time_known_to())
            && known_to > MOST_DUTY_OFF * switching.period
        {
            self.note(format!(
                "duty is known to {:.4} and on_time_s to {:.3} µs only: the period is even in samples ({:.3}), so all edges stand alike \
                 between two of them",
                known_to / switching.period,
                known_to / switching.rate_hz * 1e6,
                switching.period
            ));
        }
        let (flow, states) = (&switching.flow, &switching.states);
        if let Some(diode) = flow.diode
            && states.low > flow.idle_above
        {
            let volts_a_level = (states.high_v - states.low_v) / (states.high - states.low);
            self.note(format!(
                "low_v is where the switch node rests with the inductor empty, the output; while the diode conducts it stands at {:.2} V",
                states.low_v + (diode - states.low) * volts_a_level
            ));
        }
        if switching.conduction == Conduction::Discontinuous && flow.idle_part > SKIPPED_IDLE_PART {
            self.note(format!(
                "the inductor is empty for {:.0} % of the period: the ripple's pulses are short, and their fundamental does not tell \
                 their height",
                flow.idle_part * 100.0
            ));
        }
    }

    pub(super) fn refuse_switching(&mut self, reason: &Unavailable) {
        for figure in [
            &mut self.switching_hz,
            &mut self.period_std_s,
            &mut self.period_pp_s,
            &mut self.period_c2c_s,
            &mut self.on_time_s,
            &mut self.duty,
            &mut self.low_v,
            &mut self.high_v,
        ] {
            *figure = Err(reason.clone());
        }
    }

    /// P1 to P3: by the definition for skipped pulses where pulses are skipped or too rare for state levels, else from the
    /// edges that are known.
    pub(super) fn fill_pulses(&mut self, looks: &[Look<'_>]) {
        let count = |look: &Look<'_>| -> Result<Pulses, Unavailable> {
            match (&look.switching, look.lx) {
                (Ok(switching), _) if switching.conduction != Conduction::Skipping => {
                    Ok(count_pulses(&switching.edges, look.moments.count, switching.rate_hz))
                }
                (Ok(_), Some(lx)) => measure_pulses(lx),
                (Err(reason), Some(lx)) if reason.0.starts_with("too few switching edges") => {
                    measure_pulses(lx)
                }
                (Err(reason), _) => Err(reason.clone()),
                (Ok(_), None) => Err(Unavailable::because("the switch node is not wired to the scope")),
            }
        };
        let mut longest: Option<&Look<'_>> = None;
        for look in looks {
            let better = longest.is_none_or(|other| {
                other.switching.is_err() && look.switching.is_ok() || look.span_s() > other.span_s()
            });
            if better {
                longest = Some(look);
            }
        }
        let Some(look) = longest else { return };
        let pulses = count(look);
        let one = || Unavailable::because("a single pulse has no distance to another");
        let gaps = pulses.as_ref().map_err(Clone::clone).and_then(|pulses| pulses.gaps_s.ok_or_else(one));
        self.pulse_count = pulses.as_ref().map(|pulses| pulses.count as f64).map_err(Clone::clone);
        self.pulse_hz = pulses.map(|pulses| pulses.rate_hz);
        self.pulse_gap_mean_s = gaps.clone().map(|gaps| gaps.mean_s);
        self.pulse_gap_min_s = gaps.clone().map(|gaps| gaps.min_s);
        self.pulse_gap_max_s = gaps.map(|gaps| gaps.max_s);
    }

    /// The frequency from the output, where no acquisition has a switch node. Gives the look and what was found in it.
    pub(super) fn fill_output_period<'a, 'b>(
        &mut self,
        looks: &'b [Look<'a>],
    ) -> Option<(&'b Look<'a>, Periodicity)> {
        if looks.iter().any(|look| look.lx.is_some()) {
            return None;
        }
        let mut failed = None;
        for look in looks {
            let spikes = look.deviations.as_ref().ok();
            match measure_periodicity(look.vout, spikes.map(|spikes| (spikes, spikes.floor_v()))) {
                Ok(found) => {
                    self.switching_hz = Ok(look.vout.sample_rate_hz() / found.period);
                    self.period_source = Some(PeriodSource::Output);
                    let reason = Unavailable::because(
                        "no switch node: the output's ripple tells the mean period, not single ones",
                    );
                    for figure in [&mut self.period_std_s, &mut self.period_pp_s, &mut self.period_c2c_s] {
                        *figure = Err(reason.clone());
                    }
                    self.note(format!(
                        "switching_hz is found from the output in the {}: pulses that are left out evenly would look the same",
                        look.name
                    ));
                    self.note(format!(
                        "switching_hz is known to {:.0} ppm: so far do noise and the record's length let the ripple's phase tell it",
                        (found.known_to * 1e6).max(1.0).ceil()
                    ));
                    return Some((look, found));
                }
                Err(reason) => failed = Some(reason),
            }
        }
        if let Some(reason) = failed {
            self.switching_hz = Err(reason);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::waveform::{Pair, SteadyState, Waveform, measure_one};

    /// Of fast edges on a switch node of so many samples a period: the true duty, and what is told.
    fn told(period: f64, on: f64, start: f64) -> (f64, SteadyState) {
        let node =
            (0..6000).map(|n| if (f64::from(n) - start).rem_euclid(period) < on { 24.0 } else { -0.4 });
        let lx = Waveform::of_volts("lx", node, 5e6);
        let vout = Waveform::of_volts("vout", (0..6000).map(|n| 5.0 + 1e-3 * f64::from(n % 7)), 5e6);
        (on / period, measure_one(&Pair { vout: &vout, lx: Some(&lx) }))
    }

    fn known_to(state: &SteadyState) -> Option<f64> {
        let mut told = state.notes.iter().filter_map(|note| note.strip_prefix("duty is known to "));
        told.next().and_then(|rest| rest.split(' ').next()).map(|number| number.parse().unwrap())
    }

    #[test]
    fn a_duty_whose_edges_all_stand_alike_between_samples_is_told_with_how_well_it_is_known() {
        for (period, places) in [(41.0, 1.0), (41.5, 2.0), (41.0 + 1.0 / 3.0, 3.0), (41.002, 1.0)] {
            let mut worst = 0.0_f64;
            for step in 0..20 {
                let (duty, state) = told(period, 9.0 + f64::from(step) * 0.05, 0.37);
                let known_to = known_to(&state).unwrap_or_else(|| panic!("{period}: {:?}", state.notes));
                let off = (state.duty.unwrap() - duty).abs();
                assert!(off <= known_to + 1e-4, "{period}: off by {off}, known to {known_to}");
                assert!(known_to <= 1.05 / places / period, "{period}: {known_to}");
                worst = worst.max(off / known_to);
            }
            assert!(worst > 0.3, "{period}: never off by more than {worst} of what is told");
        }
    }

    #[test]
    fn a_duty_whose_edges_slide_over_the_samples_is_known_better_and_not_marked() {
        for period in [41.13, 41.37, 40.618] {
            for step in 0..20 {
                let (duty, state) = told(period, 9.0 + f64::from(step) * 0.05, 0.37);
                assert_eq!(known_to(&state), None, "{period}");
                let off = (state.duty.unwrap() - duty).abs();
                assert!(off < 0.002, "{period}: off by {off}");
            }
        }
    }
}
