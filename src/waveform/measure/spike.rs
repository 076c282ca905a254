//! Figures of spikes, of the noise between them and of the ringing behind them (S6, S7).

use super::super::filter::LIMIT_HZ;
use super::super::ring::measure_ringing;
use super::super::spikes::Deviations;
use super::level::LIMITED;
use super::{Look, SteadyState, Unavailable};
use crate::base::units::with_prefix;
use crate::waveform::{Bound, Figure};

/// The figures that hold the height of spikes, and on which side of the trace they look.
const HEIGHTS: [(&str, bool); 6] = [
    ("spike_pos_v", true),
    ("spike_neg_v", false),
    ("spike_pos_median_v", true),
    ("spike_neg_median_v", false),
    ("spike_pos_p95_v", true),
    ("spike_neg_p05_v", false),
];

/// Groups that fill more than this part of the record follow each other so closely that one holds the spikes of many cycles.
const FILLED_PART: f64 = 0.5;

/// Under this rate a record does not hold what lies under 20 MHz: spikes stand between its samples.
const SPIKES_FROM_HZ: f64 = 2.0 * LIMIT_HZ;

/// Why clipped samples leave open how many spikes pass the threshold: so many are clipped low and high, and lie at least so far
/// from the baseline.
fn check_threshold(
    (low, high): (usize, usize),
    (low_v, high_v): (f64, f64),
    threshold_v: f64,
) -> Result<(), String> {
    let nearest_v = [(low, low_v), (high, high_v)]
        .iter()
        .filter(|end| end.0 > 0)
        .map(|end| end.1)
        .fold(f64::MAX, f64::min);
    if nearest_v > threshold_v {
        return Ok(());
    }
    Err(format!(
        "the threshold of {:.0} mV may lie outside of the range, which ends {:.0} mV from the baseline",
        threshold_v * 1e3,
        nearest_v.max(0.0) * 1e3
    ))
}

/// Why spikes stand between the samples, where they may.
fn between_samples(rate_hz: f64) -> Option<String> {
    (rate_hz <= SPIKES_FROM_HZ)
        .then(|| format!("at {:.3} MSa/s spikes stand between the samples", rate_hz / 1e6))
}

fn limited_to(corner_hz: f64) -> String {
    format!("limited to {}", with_prefix(corner_hz, "Hz"))
}

impl SteadyState {
    pub(super) fn fill_spikes(&mut self, fine: &Look<'_>, wide: &Look<'_>, threshold_v: f64) {
        self.noise_sigma_v = fine.deviations.as_ref().map_err(Clone::clone).and_then(|d| d.noise_sigma_v());
        self.take_from(fine, &["noise_sigma_v"]);
        self.take_from(wide, &["spike_pos_v", "spike_neg_v"]);
        let positive = wide.check_shrunk(wide.clipped.high);
        let negative = wide.check_shrunk(wide.clipped.low);
        let deviations = match &wide.deviations {
            Ok(deviations) => deviations,
            Err(reason) => return self.refuse_spikes(reason),
        };
        let (high_v, low_v) = deviations.peaks_v();
        self.spike_pos_v = positive.clone().map(|()| high_v);
        self.spike_neg_v = negative.clone().map(|()| low_v);
        let cycles = match &wide.switching {
            Ok(switching) => deviations.cycle_spikes(&switching.edges),
            Err(reason) => Err(reason.clone()),
        };
        self.spike_pos_median_v = positive.clone().and_then(|()| cycles.clone().map(|c| c.pos_median_v));
        self.spike_neg_median_v = negative.clone().and_then(|()| cycles.clone().map(|c| c.neg_median_v));
        self.spike_pos_p95_v = positive.and_then(|()| cycles.clone().map(|c| c.pos_p95_v));
        self.spike_neg_p05_v = negative.and_then(|()| cycles.map(|c| c.neg_p05_v));
        self.fill_spike_rate(wide, deviations, threshold_v);
        self.weigh_spikes(wide, deviations);
        self.ring_hz = if high_v.max(-low_v) <= deviations.floor_v() {
            Err(Unavailable::because("no ringing: no spike stands out of the noise"))
        } else {
            wide.check_clipping(wide.clipped()).and_then(|()| {
                let switching = wide.switching.as_ref().map_err(Clone::clone)?;
                // A few stretches beside the ringing do not move its line; of many the sum shows another one, or none.
                if 10 * switching.rises.early > switching.rises.count {
                    switching.check_rises(0.0)?;
                }
                measure_ringing(&switching.edges, (deviations.len(), deviations.rate_hz), |stretch| {
                    deviations.stretch(stretch).into_iter().map(f64::from).collect()
                })
            })
        };
    }

    fn fill_spike_rate(&mut self, wide: &Look<'_>, deviations: &Deviations<'_>, threshold_v: f64) {
        self.spike_threshold_v = Ok(threshold_v);
        let groups = deviations.spike_groups(threshold_v);
        self.spike_rate_hz = groups.as_ref().map(|groups| groups.rate_hz).map_err(Clone::clone);
        let clipped = (wide.clipped.low, wide.clipped.high);
        if let Err(reason) = wide.check_clipping(wide.clipped())
            && let Err(outside) = check_threshold(clipped, deviations.reach_v(), threshold_v)
        {
            self.spike_rate_hz = Err(Unavailable::because(format!("{}; {outside}", reason.0)));
        }
        if let Ok(groups) = groups
            && groups.filled > FILLED_PART
        {
            let because = format!(
                "spike_rate_hz is a lower bound: spikes follow each other within 1 µs, their groups fill {:.0} % of the record",
                groups.filled * 100.0
            );
            self.mark("spike_rate_hz", Bound::Lower, because);
        }
    }

    /// Holds the spikes against what hides them: the limiter, the sample rate, the record's noise and steps.
    fn weigh_spikes(&mut self, wide: &Look<'_>, deviations: &Deviations<'_>) {
        let (high_v, low_v) = deviations.peaks_v();
        let floor_v = deviations.floor_v();
        if let Some(between) = between_samples(deviations.rate_hz) {
            if high_v.max(-low_v) <= floor_v {
                return self.refuse_spikes(&Unavailable::because(format!("{between}, and none stands out")));
            }
            self.mark_spikes(&between);
        }
        if let Some(corner_hz) = wide.limit_hz() {
            let is_there = |(name, figure): (&str, &Figure)| {
                figure.is_ok() && (name == "spike_rate_hz" || HEIGHTS.iter().any(|height| height.0 == name))
            };
            if self.figures().into_iter().any(is_there) {
                self.note(format!(
                    "spikes are lower bounds: the {} was {}",
                    wide.name,
                    limited_to(corner_hz)
                ));
            }
            self.mark_spikes(&limited_to(corner_hz));
        }
        self.weigh_ends(deviations);
        for (name, height_v) in [("spike_pos_v", high_v), ("spike_neg_v", low_v.abs())] {
            if height_v <= floor_v {
                let because = format!(
                    "{name} is a bound: {:.1} mV do not stand out of the noise and steps of the record ({:.1} mV)",
                    height_v * 1e3,
                    floor_v * 1e3
                );
                self.note(because.clone());
                self.bound_height(name, because, deviations.hidden_v());
            }
        }
        // Of the noise's extremes in single cycles the table of errors tells; of a step there is nothing to see.
        let hidden_v = deviations.hidden_v();
        for (name, _) in HEIGHTS.into_iter().skip(2).filter(|_| hidden_v > 0.0) {
            let because = "it does not stand out of the steps of the record".to_owned();
            let is_under = |(other, figure): &(&str, &Figure)| {
                *other == name && figure.as_ref().is_ok_and(|height_v| height_v.abs() <= floor_v)
            };
            if self.figures().iter().any(is_under) {
                self.bound_height(name, because, hidden_v);
            }
        }
    }

    /// A record that begins or ends within a spike takes it for its own baseline there: how high that spike is is not seen.
    fn weigh_ends(&mut self, deviations: &Deviations<'_>) {
        let (high_v, low_v) = deviations.peaks_v();
        for end_v in deviations.ends_v() {
            let (name, seen_v) = if end_v > 0.0 { ("spike_pos_v", high_v) } else { ("spike_neg_v", -low_v) };
            if end_v.abs() > seen_v.max(deviations.floor_v()) {
                let because = format!(
                    "the record begins or ends {:.0} mV from where the output stands beside: within a spike, which is its own baseline there",
                    end_v.abs() * 1e3
                );
                self.note(because.clone());
                self.mark(name, Bound::Lower, because.clone());
                self.mark("spike_rate_hz", Bound::Lower, because);
            }
        }
    }

    /// Marks a height as the most that it is: what the steps hide stands on top of what they show.
    fn bound_height(&mut self, name: &'static str, because: String, hidden_v: f64) {
        if self.bound(name).is_some() {
            return;
        }
        self.mark(name, Bound::Upper, because);
        let is_high = HEIGHTS.contains(&(name, true));
        for (_, figure) in self.figures_mut().into_iter().filter(|(other, _)| *other == name) {
            *figure = figure
                .clone()
                .map(|height_v| if is_high { height_v + hidden_v } else { height_v - hidden_v });
        }
    }

    /// Marks the extremes and their difference, where the record does not hold the whole height of spikes.
    pub(super) fn weigh_extremes(&mut self, direct: Option<&Look<'_>>, wide: &Look<'_>) {
        let cut = |look: &Look<'_>| {
            let rate_hz = look.vout.sample_rate_hz();
            between_samples(rate_hz).or_else(|| look.limit_hz().map(limited_to))
        };
        if let Some(because) = direct.and_then(cut) {
            self.mark_extreme("max_v", true, because.clone());
            self.mark_extreme("min_v", false, because);
        }
        if let Some(because) = cut(wide) {
            self.mark("noise_pp_full_v", Bound::Lower, because);
        }
    }

    /// Marks the highest or the lowest sample as one that the truth lies beyond.
    fn mark_extreme(&mut self, name: &'static str, is_highest: bool, because: String) {
        let value = if is_highest { &self.max_v } else { &self.min_v };
        let is_positive = value.as_ref().is_ok_and(|value| *value >= 0.0);
        self.mark(name, if is_positive == is_highest { Bound::Lower } else { Bound::Upper }, because);
    }

    fn mark_spikes(&mut self, because: &str) {
        for name in HEIGHTS.into_iter().map(|(name, _)| name).chain(["spike_rate_hz"]) {
            self.mark(name, Bound::Lower, because);
        }
    }

    /// Marks what clipping makes smaller, where samples only seem to be clipped: peaks at the ends, and what both ends tell of.
    pub(super) fn mark_clipped(&mut self, look: &Look<'_>) {
        if look.clipped.resting > 0 {
            self.note(format!(
                "{} of {} samples of the {} stand on its highest or lowest value, where the output rests: if the converter's range \
                 ends there, the output may have been beyond",
                look.clipped.resting, look.moments.count, look.name
            ));
        }
        if !look.seems_clipped() {
            return;
        }
        self.note(look.tell_clipped(look.clipped()));
        let because = "samples seem to be clipped".to_owned();
        if look.clipped.high > 0 {
            self.mark_extreme("max_v", true, because.clone());
        }
        if look.clipped.low > 0 {
            self.mark_extreme("min_v", false, because.clone());
        }
        for (name, is_high) in HEIGHTS {
            if (if is_high { look.clipped.high } else { look.clipped.low }) > 0 {
                self.mark(name, Bound::Lower, because.clone());
            }
        }
        for name in ["noise_pp_full_v", "rms_ac_v"].into_iter().chain(LIMITED) {
            self.mark(name, Bound::Lower, because.clone());
        }
    }

    pub(super) fn refuse_spikes(&mut self, reason: &Unavailable) {
        for figure in [
            &mut self.spike_pos_v,
            &mut self.spike_neg_v,
            &mut self.spike_pos_median_v,
            &mut self.spike_neg_median_v,
            &mut self.spike_pos_p95_v,
            &mut self.spike_neg_p05_v,
            &mut self.spike_rate_hz,
            &mut self.spike_threshold_v,
            &mut self.ring_hz,
        ] {
            *figure = Err(reason.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_known_where_every_clipped_sample_lies_beyond_the_threshold() {
        for (clipped, reach_v, is_known) in [
            ((3, 0), (0.5, 0.05), true),
            ((0, 3), (0.5, 0.05), false),
            ((3, 3), (0.5, 0.05), false),
            ((3, 3), (0.5, 0.2), true),
            ((0, 3), (0.5, 0.1), false),
            ((3, 0), (-0.01, 0.5), false),
        ] {
            assert_eq!(check_threshold(clipped, reach_v, 0.1).is_ok(), is_known, "{clipped:?} {reach_v:?}");
        }
    }
}
