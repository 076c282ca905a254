//! The figures of a record made anew from its samples, and what differs from what was recorded.

use std::fmt::Write as _;
use std::ops::Range;

use crate::event::figures::OUTPUT_OFF;
use crate::event::{FigureName, PointId};
use crate::record::{Record, RecordError};
use crate::waveform::figures::DEFINITIONS;
use crate::waveform::{Figure, Floor, Pair, Terms, Waveform, measure_with};

/// How near a figure made anew comes to the recorded one, as a part of it. The loops over samples add up in f32, so another
/// grouping of the same sums moves a figure by about a millionth: `docs/measurements.md` says up to which rounding it is the same.
const SAME: f64 = 1e-5;

/// A figure that came out otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// At which point.
    pub point: PointId,
    /// Which figure.
    pub name: FigureName,
    /// As recorded.
    pub recorded: Figure,
    /// As made now.
    pub now: Figure,
}

/// What came of making the figures anew.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recomputed {
    /// Points whose samples were there.
    pub points: usize,
    /// Points without samples.
    pub without_samples: usize,
    /// Figures compared.
    pub figures: usize,
    /// Definitions that have another version now: name, then, now. A record of format 1 does not say which it had.
    pub changed: Vec<(String, Option<u16>, u16)>,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// Makes every figure of a trace anew and compares it with the recorded one.
///
/// # Errors
/// A sample file is not what was written, or the disk refuses.
pub fn recompute(record: &Record) -> Result<Recomputed, RecordError> {
    let mut made = Recomputed { changed: changed_definitions(record), ..Recomputed::default() };
    let mut floors = Floors::new(record);
    for result in record.points() {
        let traces = traces_of(record, result.point)?;
        if traces.is_empty() {
            made.without_samples += 1;
            continue;
        }
        made.points += 1;
        let pair = |purpose: &str| {
            let find = |signal: &str| {
                // Of a point that was measured again, the last capture is the one that counts.
                traces
                    .iter()
                    .rev()
                    .find(|t| t.acquisition.purpose == purpose && t.acquisition.signal == signal)
            };
            find("vout").map(|vout| Pair { vout, lx: find("lx") })
        };
        let floor = floors.of(result.point)?;
        let terms = Terms { floor, ..Terms::default() };
        let state = measure_with(pair("ripple").as_ref(), pair("spikes").as_ref(), &terms);
        for (key, now) in state.figures() {
            let Ok(name) = key.parse::<FigureName>() else { continue };
            let Some(recorded) = result.figures.iter().find(|(other, _)| *other == name) else { continue };
            // That the output was off is known from the meters, not from the samples.
            if matches!(recorded.1, Err(reason) if reason.0 == OUTPUT_OFF) {
                continue;
            }
            made.figures += 1;
            if !is_same(recorded.1, now) {
                let (recorded, now) = (recorded.1.clone(), now.clone());
                made.differences.push(Difference { point: result.point, name, recorded, now });
            }
        }
    }
    Ok(made)
}

/// The noise floor of a point as the kept traces of it show it; `None` where none were kept.
///
/// # Errors
/// A sample file is not what was written, or the disk refuses.
pub fn floor_of(record: &Record, point: PointId) -> Result<Option<Floor>, RecordError> {
    let mut floors = Floors::new(record);
    floors.of(point)?;
    Ok(floors.floor)
}

/// The noise floors of a record, one at a time. A run that was resumed captured its floor again, and its later points were
/// held against that one.
struct Floors<'r> {
    record: &'r Record,
    /// Which captures the floor was measured in, by their places in the record.
    block: Range<usize>,
    floor: Option<Floor>,
}

impl<'r> Floors<'r> {
    fn new(record: &'r Record) -> Self {
        Self { record, block: 0..0, floor: None }
    }

    fn of(&mut self, point: PointId) -> Result<Option<&Floor>, RecordError> {
        let captures: Vec<PointId> = self.record.waveforms().iter().map(|facts| facts.point).collect();
        let block = floor_block(&captures, point);
        if block != self.block {
            // The latest first: a floor that was cut short stands right before the whole one, which counts.
            let traces = self.record.waveforms()[block.clone()].iter().rev();
            let traces: Vec<Waveform> =
                traces.map(|facts| self.record.waveform(facts)).collect::<Result<_, _>>()?;
            self.floor = (!traces.is_empty()).then(|| Floor::measure(&traces.iter().collect::<Vec<_>>()));
            self.block = block;
        }
        Ok(self.floor.as_ref())
    }
}

/// The places of the captures with the outputs off that stand next before a point's last capture. Each capture is told by
/// its point.
fn floor_block(captures: &[PointId], point: PointId) -> Range<usize> {
    let last = captures.iter().rposition(|other| *other == point).unwrap_or(0);
    let is_floor = |other: &PointId| *other == PointId::NONE;
    let end = captures[..last].iter().rposition(is_floor).map_or(0, |place| place + 1);
    let start = captures[..end].iter().rposition(|other| !is_floor(other)).map_or(0, |place| place + 1);
    start..end
}

fn traces_of(record: &Record, point: PointId) -> Result<Vec<Waveform>, RecordError> {
    let of_point = record.waveforms().iter().filter(|facts| facts.point == point);
    of_point.map(|facts| record.waveform(facts)).collect()
}

/// A reason may be worded anew without the figure being another.
fn is_same(recorded: &Figure, now: &Figure) -> bool {
    match (recorded, now) {
        (Ok(recorded), Ok(now)) => (recorded - now).abs() <= SAME * recorded.abs().max(now.abs()),
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

fn changed_definitions(record: &Record) -> Vec<(String, Option<u16>, u16)> {
    let Some(facts) = record.facts() else { return Vec::new() };
    let then = |name: &str| facts.definitions.get(name).copied();
    DEFINITIONS
        .iter()
        .filter(|made| then(made.name) != Some(made.version))
        .map(|made| (made.name.to_owned(), then(made.name), made.version))
        .collect()
}

/// The outcome in lines for a person.
#[must_use]
pub fn render(made: &Recomputed) -> String {
    let mut text = format!(
        "made anew from the samples: {} figures at {} points; {} differ\n",
        made.figures,
        made.points,
        made.differences.len()
    );
    if made.without_samples > 0 {
        let _ = writeln!(text, "  no samples were kept of {} points", made.without_samples);
    }
    if made.changed.iter().all(|(_, then, _)| then.is_none()) && !made.changed.is_empty() {
        let _ = writeln!(text, "  the record does not say by which definitions its figures were made");
    } else {
        for (name, then, now) in &made.changed {
            let then = then.map_or("unknown".to_owned(), |then| then.to_string());
            let _ = writeln!(
                text,
                "  {name}: recorded by version {then} of its definition, this is version {now}"
            );
        }
    }
    let shown = |name: FigureName, figure: &Figure| match figure {
        Ok(value) => name.show(*value),
        Err(reason) => format!("not available ({reason})"),
    };
    for Difference { point, name, recorded, now } in &made.differences {
        let (recorded, now) = (shown(*name, recorded), shown(*name, now));
        let _ = writeln!(text, "  point {}: {name} was {recorded}, is now {now}", point.0);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_of_a_resumed_run_is_held_against_the_floor_before_it() {
        const NONE: u32 = PointId::NONE.0;
        let table: [(&[u32], u32, Range<usize>); 8] = [
            (&[NONE, NONE, 1, 1, 2, 2], 1, 0..2),
            (&[NONE, NONE, 1, 1, 2, 2], 2, 0..2),
            // Resumed at point 2, which had been begun.
            (&[NONE, NONE, 1, 2, NONE, NONE, 2, 3], 1, 0..2),
            (&[NONE, NONE, 1, 2, NONE, NONE, 2, 3], 2, 4..6),
            (&[NONE, NONE, 1, 2, NONE, NONE, 2, 3], 3, 4..6),
            // Cut off within the floor: the whole one follows the torn one.
            (&[NONE, NONE, NONE, 1], 1, 0..3),
            (&[1, 2], 2, 0..0),
            (&[], 1, 0..0),
        ];
        for (captures, point, expected) in table {
            let captures: Vec<PointId> = captures.iter().copied().map(PointId).collect();
            assert_eq!(floor_block(&captures, PointId(point)), expected, "{captures:?}, point {point}");
        }
    }
}
