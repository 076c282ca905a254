//! A whole record in as many columns as a picture has: lowest and highest sample of each, so that no spike is lost.

use super::{Unavailable, Waveform};

/// Lowest and highest volts of each column of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// Time of the first sample shown, relative to the trigger, in seconds.
    pub start_s: f64,
    /// Time from the first sample shown to the end of the last one, in seconds.
    pub span_s: f64,
    /// Lowest and highest sample of each column in volts, first to last.
    pub columns: Vec<(f64, f64)>,
}

/// Samples `from..to` of a trace in at most `columns` columns; fewer where there are fewer samples. The last sample of a
/// column is the first of the next one too, so that a steep edge between two columns stays joined.
///
/// # Errors
/// The trace is unreadable or the stretch is empty.
pub fn build_overview(
    waveform: &Waveform,
    stretch: std::ops::Range<usize>,
    columns: usize,
) -> Result<Overview, Unavailable> {
    waveform.check_readable()?;
    let levels = waveform.levels();
    let start = stretch.start;
    let shown = levels
        .get(start..stretch.end.min(levels.len()))
        .filter(|shown| !shown.is_empty())
        .ok_or_else(|| Unavailable::because("there are no samples in the stretch to show"))?;
    let columns = columns.clamp(1, shown.len());
    let volts = |level: u16| levels.volts_at(f64::from(level));
    let column = |at: usize| {
        let (from, to) = (at * shown.len() / columns, (at + 1) * shown.len() / columns);
        let cells = &shown[from..(to + 1).min(shown.len())];
        let extremes =
            cells.iter().fold((u16::MAX, 0), |(low, high), level| ((*level).min(low), (*level).max(high)));
        (volts(extremes.0), volts(extremes.1))
    };
    Ok(Overview {
        start_s: waveform.start_s + start as f64 * waveform.step_s,
        span_s: shown.len() as f64 * waveform.step_s,
        columns: (0..columns).map(column).collect(),
    })
}
