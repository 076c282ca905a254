//! Figures of spikes, of the noise between them and of the ringing behind them (S6, S7).

use super::super::ring::measure_ringing;
use super::{Look, SteadyState, Unavailable, spike_floor_v};
use crate::waveform::Bound;

impl SteadyState {
    pub(super) fn fill_spikes(&mut self, fine: &Look<'_>, wide: &Look<'_>, threshold_v: f64) {
        self.noise_sigma_v = fine.deviations.as_ref().map_err(Clone::clone).and_then(|d| d.noise_sigma_v());
        self.take_from(fine, &["noise_sigma_v"]);
        self.take_from(wide, &["spike_pos_v", "spike_neg_v"]);
        let positive = wide.check_clipping(wide.moments.clipped_high);
        let negative = wide.check_clipping(wide.moments.clipped_low);
        let deviations = match &wide.deviations {
            Ok(deviations) => deviations,
            Err(reason) => return self.refuse_spikes(reason),
        };
        let (high_v, low_v) = deviations.peaks_v();
        self.spike_pos_v = positive.clone().map(|()| high_v);
        self.spike_neg_v = negative.clone().map(|()| low_v);
        self.spike_rate_hz = deviations.spike_rate_hz(threshold_v);
        self.spike_threshold_v = Ok(threshold_v);
        let cycles = match &wide.switching {
            Ok(switching) => deviations.cycle_spikes(&switching.edges),
            Err(reason) => Err(reason.clone()),
        };
        self.spike_pos_median_v = positive.clone().and_then(|()| cycles.clone().map(|c| c.pos_median_v));
        self.spike_neg_median_v = negative.clone().and_then(|()| cycles.clone().map(|c| c.neg_median_v));
        self.spike_pos_p95_v = positive.and_then(|()| cycles.clone().map(|c| c.pos_p95_v));
        self.spike_neg_p05_v = negative.and_then(|()| cycles.map(|c| c.neg_p05_v));
        if let Some(corner_hz) = wide.limit_hz() {
            self.note(format!(
                "spikes are lower bounds: the {} was limited to {:.0} MHz",
                wide.name,
                corner_hz / 1e6
            ));
            for name in ["spike_pos_v", "spike_neg_v", "spike_pos_median_v", "spike_neg_median_v"] {
                self.mark(name, Bound::Lower, format!("limited to {:.0} MHz", corner_hz / 1e6));
            }
        }
        let floor_v = spike_floor_v(deviations);
        for (name, height_v) in [("spike_pos_v", high_v), ("spike_neg_v", -low_v)] {
            if height_v <= floor_v {
                let because = format!(
                    "{name} is a bound: {:.1} mV do not stand out of the noise and steps of the record ({:.1} mV)",
                    height_v * 1e3,
                    floor_v * 1e3
                );
                self.note(because.clone());
                self.mark(name, Bound::Upper, because);
            }
        }
        self.ring_hz = if high_v.max(-low_v) <= floor_v {
            Err(Unavailable::because("no ringing: no spike stands out of the noise"))
        } else {
            wide.check_clipping(wide.clipped()).and_then(|()| {
                let switching = wide.switching.as_ref().map_err(Clone::clone)?;
                measure_ringing(&switching.edges, (deviations.len(), deviations.rate_hz), |index| {
                    f64::from(deviations.at(index))
                })
            })
        };
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
