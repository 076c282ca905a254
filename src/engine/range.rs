//! Whether a trace uses the converter's range well, and which scale to try next. Pure.

use crate::waveform::{Codes, Waveform};

/// What an acquisition is for; it decides what must fit into the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The ripple between the spikes; spikes may leave the range and are blanked.
    Ripple,
    /// Everything, spikes included.
    Spikes,
}

impl Purpose {
    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ripple => "ripple",
            Self::Spikes => "spikes",
        }
    }
}

/// A trace below this share of the range is taken again.
pub const LEAST_USE: f64 = 0.30;
/// A trace above this share of the range is taken again.
pub const MOST_USE: f64 = 0.95;
/// The share that a new scale aims at.
const AIM: f64 = 0.6;

/// How much of the converter's range a trace uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeUse {
    /// Share of the codes between the lowest and the highest used one.
    pub share: f64,
    /// Whether an end of the range is reached.
    pub at_end: bool,
}

impl RangeUse {
    /// Whether the range fits.
    #[must_use]
    pub fn fits(self) -> bool {
        !self.at_end && (LEAST_USE..=MOST_USE).contains(&self.share)
    }
}

/// Measures how a trace uses its range. For ripple the outer twentieths are left out: they hold the spikes.
#[must_use]
pub fn range_use(waveform: &Waveform, purpose: Purpose) -> RangeUse {
    let (min_code, max_code) = (waveform.scaling.min_code, waveform.scaling.max_code);
    // A wider span than any converter's has no ends to speak of.
    let span = (i64::from(max_code) - i64::from(min_code)).clamp(0, 65_535) as usize;
    let mut counts = vec![0usize; span + 1];
    let last = span;
    let mut count = |code: i32| {
        counts[usize::try_from(i64::from(code) - i64::from(min_code)).unwrap_or(0).min(last)] += 1;
    };
    match &waveform.codes {
        Codes::U8(codes) => codes.iter().for_each(|code| count(i32::from(*code))),
        Codes::I16(codes) => codes.iter().for_each(|code| count(i32::from(*code))),
        // No scope sends these; a conversion that runs over ends at the ends, as a converter does.
        Codes::F32(codes) => codes.iter().for_each(|code| count(*code as i32)),
    }
    let outside = match purpose {
        Purpose::Ripple => waveform.codes.len() / 20,
        Purpose::Spikes => 0,
    };
    let low = first_beyond(0..counts.len(), &counts, outside).unwrap_or(0);
    let high = first_beyond((0..counts.len()).rev(), &counts, outside).unwrap_or(last);
    RangeUse {
        share: (high.saturating_sub(low)) as f64 / last.max(1) as f64,
        at_end: low == 0 || high == last,
    }
}

/// The first place at which more than `outside` samples have been passed.
fn first_beyond(mut places: impl Iterator<Item = usize>, counts: &[usize], outside: usize) -> Option<usize> {
    let mut seen = 0;
    places.find(|place| {
        seen += counts[*place];
        seen > outside
    })
}

/// The scale to try next, on the 1-2-5 ladder within `limits` (volts a division at the probe tip); `None` where the limits
/// leave nothing better than `scale`.
#[must_use]
pub fn next_scale(scale: f64, used: RangeUse, limits: (f64, f64)) -> Option<f64> {
    let wanted = if used.at_end {
        scale * 3.0
    } else {
        // One code of a flat trace says nothing of how small it is: step down by ten at most.
        scale * (used.share / AIM).max(0.1)
    };
    let mut next = ladder_at_least(wanted).clamp(limits.0, limits.1);
    if !used.at_end && next >= scale && used.share < LEAST_USE {
        next = ladder_below(scale).max(limits.0);
    }
    ((next - scale).abs() > 1e-3 * scale).then_some(next)
}

/// The smallest step of the 1-2-5 ladder that is not below `value`.
#[must_use]
pub fn ladder_at_least(value: f64) -> f64 {
    let decade = 10f64.powf(value.max(1e-12).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .iter()
        .map(|step| step * decade)
        .find(|step| *step >= value * 0.9999)
        .unwrap_or(value)
}

fn ladder_below(value: f64) -> f64 {
    let decade = 10f64.powf((value * 0.9999).max(1e-12).log10().floor());
    [5.0, 2.0, 1.0].iter().map(|step| step * decade).find(|step| *step < value * 0.9999).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_scale_brings_a_trace_into_range_within_few_steps() {
        let limits = (0.01, 50.0);
        let used = |share: f64| RangeUse { share, at_end: share >= 1.0 };
        let table = [
            (0.5, 0.02, Some(0.05_f64)),
            (0.5, 0.2, Some(0.2)),
            (0.02, 0.28, Some(0.01)),
            (0.02, 1.0, Some(0.1)),
            (0.01, 0.02, None),
            (50.0, 1.0, None),
            (0.5, 0.97, Some(1.0)),
        ];
        for (scale, share, next) in table {
            let got = next_scale(scale, used(share), limits);
            let same = match (got, next) {
                (Some(got), Some(next)) => (got - next).abs() < 1e-9,
                (got, next) => got.is_none() && next.is_none(),
            };
            assert!(same, "{scale} V/div at {share}: {got:?} instead of {next:?}");
        }
    }

    #[test]
    fn the_ladder_is_one_two_five() {
        let steps: Vec<f64> = [0.009, 0.01, 0.011, 0.03, 0.6, 1.0].map(ladder_at_least).into();
        for (got, expected) in steps.iter().zip([0.01, 0.01, 0.02, 0.05, 1.0, 1.0]) {
            assert!((got - expected).abs() < 1e-9, "{got} instead of {expected}");
        }
    }
}
