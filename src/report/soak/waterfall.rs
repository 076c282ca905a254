//! The folded period over the days: one line a capture, from the traces that were kept.

use crate::event::{PointId, PointResult};
use crate::record::{Record, WaveformFacts};
use crate::waveform::Pair;
use crate::waveform::density::{build_fold, find_cycles};

/// Most captures that are folded: each has its samples read from a file.
pub const LINES: usize = 60;
/// Columns of the picture.
pub const COLUMNS: usize = 240;

/// One folded period of one capture.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When, in seconds since the start of the run.
    pub at_s: f64,
    /// Mean output of each column less the mean of the line, in volts; `None` where no sample fell.
    pub volts: Vec<Option<f64>>,
}

/// The lines, in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// Time at the left end from the rising edge, and width, of the first line, in seconds.
    pub span_s: (f64, f64),
    /// The lines.
    pub lines: Vec<Line>,
    /// How many captures there are to choose from.
    pub captures: usize,
}

/// Folds captures at the setting that was captured most.
///
/// # Errors
/// No trace was kept, or none can be folded; a sentence.
pub fn build(record: &Record, captures: &[(f64, &PointResult)]) -> Result<Waterfall, String> {
    let traces = |point: PointId, signal: &str| -> Option<&WaveformFacts> {
        let from = record.waveforms().partition_point(|facts| facts.point < point);
        record.waveforms()[from..]
            .iter()
            .take_while(|facts| facts.point == point)
            .find(|facts| facts.acquisition.signal == signal && facts.acquisition.purpose == "ripple")
    };
    let kept: Vec<&(f64, &PointResult)> =
        captures.iter().filter(|(_, point)| traces(point.point, "vout").is_some()).collect();
    let Some(setting) = most_frequent(&kept) else {
        return Err(
            "No traces of captures were kept: the profile does not say `keep = true` under [capture]."
                .to_owned(),
        );
    };
    let same: Vec<&(f64, &PointResult)> =
        kept.iter().copied().filter(|(_, point)| point.setting == setting).collect();
    let (mut lines, mut span_s, mut fault) = (Vec::new(), None, None);
    for (at_s, point) in evenly_in_time(&same) {
        match fold(record, (traces(point.point, "vout"), traces(point.point, "lx"))) {
            Ok((volts, span)) => {
                span_s.get_or_insert(span);
                lines.push(Line { at_s: *at_s, volts });
            }
            Err(reason) => fault = Some(reason),
        }
    }
    match span_s {
        Some(span_s) => Ok(Waterfall { span_s, lines, captures: same.len() }),
        None => Err(format!("The traces cannot be folded: {}.", fault.unwrap_or_default())),
    }
}

/// The first capture of each of [`LINES`] equal parts of the time: evidence that was kept around a breach lies close together.
fn evenly_in_time<'a, T>(captures: &[&'a (f64, T)]) -> Vec<&'a (f64, T)> {
    let (Some((first_s, _)), Some((last_s, _))) = (captures.first(), captures.last()) else {
        return Vec::new();
    };
    let part_s = (last_s - first_s) / LINES as f64;
    let part = |at_s: f64| if part_s > 0.0 { ((at_s - first_s) / part_s) as usize } else { 0 };
    let mut chosen: Vec<&(f64, T)> = captures.to_vec();
    chosen.dedup_by_key(|capture| part(capture.0).min(LINES - 1));
    chosen
}

fn most_frequent(kept: &[&(f64, &PointResult)]) -> Option<crate::event::Setting> {
    let mut counts: Vec<(crate::event::Setting, usize)> = Vec::new();
    for (_, point) in kept {
        match counts.iter_mut().find(|(setting, _)| *setting == point.setting) {
            Some((_, count)) => *count += 1,
            None => counts.push((point.setting, 1)),
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(setting, _)| setting)
}

type Folded = (Vec<Option<f64>>, (f64, f64));

fn fold(
    record: &Record,
    (vout, lx): (Option<&WaveformFacts>, Option<&WaveformFacts>),
) -> Result<Folded, String> {
    let vout = vout.ok_or("no trace of the output")?;
    let vout = record.waveform(vout).map_err(|error| error.to_string())?;
    let lx = lx.and_then(|facts| record.waveform(facts).ok());
    let pair = Pair { vout: &vout, lx: lx.as_ref() };
    let cycles = find_cycles(&pair).map_err(|reason| reason.0)?;
    let fold = build_fold(&pair, &cycles, (COLUMNS, 2), None).map_err(|reason| reason.0)?;
    let there: Vec<f64> = fold.mean_v.iter().copied().flatten().collect();
    let mean = crate::base::stats::mean(&there).unwrap_or(0.0);
    let volts = fold.mean_v.iter().map(|value| value.map(|value| value - mean)).collect();
    Ok((volts, (fold.start_s, fold.span_s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_chosen_evenly_in_time_and_not_in_number() {
        let captures: Vec<(f64, ())> = (0..500).map(|n| (f64::from(n), ())).chain([(60_000.0, ())]).collect();
        let chosen: Vec<f64> =
            evenly_in_time(&captures.iter().collect::<Vec<_>>()).iter().map(|capture| capture.0).collect();
        assert_eq!(chosen, [0.0, 60_000.0]);
        let even: Vec<(f64, ())> = (0..600).map(|n| (f64::from(n), ())).collect();
        assert_eq!(evenly_in_time(&even.iter().collect::<Vec<_>>()).len(), LINES);
        assert!(evenly_in_time::<()>(&[]).is_empty());
    }
}
