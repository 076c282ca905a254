//! Traces and spectra of two groups for pictures over one another: of each side the board that stands nearest the middle of its
//! group, at the point where the first side is worst.

use super::pictures::{OverlaidSpectra, OverlaidTraces, TraceOver};
use crate::base::stats::median;
use crate::compare::cell::Place;
use crate::compare::effect::Effect;
use crate::compare::group::{Group, Member};
use crate::compare::scores::BoardScore;
use crate::compare::spectra::{GroupSpectra, MeanSpectrum};
use crate::event::Event;
use crate::record::{Record, RecordError};
use crate::waveform::density::{Fold, build_fold, find_cycles};
use crate::waveform::spikes::find_worst_spike;
use crate::waveform::{Pair, Waveform};

/// Columns and rows of a folded period.
const GRID: (usize, usize) = (300, 400);
/// Columns of a spectrum's picture.
const COLUMNS: f64 = 480.0;

/// Time, lowest and highest volts; time and volts of the line through them.
type Drawn = (Vec<(f64, f64, f64)>, Vec<(f64, f64)>);

/// Traces over one another, with what is shown as a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlaid {
    /// The traces.
    pub traces: OverlaidTraces,
    /// Which boards and which point.
    pub caption: String,
}

/// The place where the first side's mean is highest.
fn worst_place(effect: &Effect) -> Option<Place> {
    let boards = &effect.matched.before;
    let sum = |index: usize| boards.iter().filter_map(|board| board.values.get(index)).sum::<f64>();
    let places = effect.matched.places.iter().enumerate();
    places.max_by(|(a, _), (b, _)| sum(*a).total_cmp(&sum(*b))).map(|(_, place)| *place)
}

/// The board whose score is nearest the median of its side.
fn middle_board(boards: &[BoardScore]) -> Option<&BoardScore> {
    let middle = median(&boards.iter().map(|board| board.score).collect::<Vec<_>>())?;
    let far = |board: &&BoardScore| (board.score - middle).abs();
    boards.iter().min_by(|a, b| far(a).total_cmp(&far(b)))
}

/// The output and the switch node at a place, of the last run of a board in a group.
fn traces_at(
    group: &Group,
    board: &BoardScore,
    (place, purpose): (Place, &str),
) -> Result<Option<(Waveform, Option<Waveform>)>, RecordError> {
    let Some(member) = group.members.iter().rev().find(|member| member.serial == board.serial) else {
        return Ok(None);
    };
    open_traces(member, place, purpose)
}

fn open_traces(
    member: &Member,
    place: Place,
    purpose: &str,
) -> Result<Option<(Waveform, Option<Waveform>)>, RecordError> {
    let record = Record::open(&member.folder)?;
    let mut points = record.events().iter().rev().filter_map(|logged| match &logged.event {
        Event::PointFinished(point) if member.holds(logged.at.monotonic) => Some(point),
        _ => None,
    });
    let Some(point) = points.find(|point| Place::of(point.setting) == place) else {
        return Ok(None);
    };
    let find = |signal: &str| {
        record.waveforms().iter().rev().find(|facts| {
            facts.point == point.point
                && facts.acquisition.signal == signal
                && facts.acquisition.purpose == purpose
        })
    };
    let Some(vout) = find("vout") else { return Ok(None) };
    let lx = find("lx").map(|facts| record.waveform(facts)).transpose()?;
    Ok(Some((record.waveform(vout)?, lx)))
}

/// Makes one picture of both sides; `None` where one side has nothing to show.
fn overlaid(
    effect: &Effect,
    groups: (&Group, &Group),
    purpose: &str,
    side: impl Fn(&Waveform, Option<&Waveform>) -> Option<Drawn>,
) -> Result<Option<(Vec<TraceOver>, String)>, RecordError> {
    let boards = (middle_board(&effect.matched.before), middle_board(&effect.matched.after));
    let (Some(place), (Some(left), Some(right))) = (worst_place(effect), boards) else { return Ok(None) };
    let mut sides = Vec::new();
    for (group, board) in [(groups.0, left), (groups.1, right)] {
        let Some((vout, lx)) = traces_at(group, board, (place, purpose))? else { return Ok(None) };
        let Some((band, line)) = side(&vout, lx.as_ref()) else { return Ok(None) };
        sides.push(TraceOver { name: format!("{}, board {}", group.name, board.serial), band, line });
    }
    let caption = format!(
        "At {place}, where the {} of {} is worst; of each side the board nearest its middle.",
        effect.quantity().title(),
        groups.0.name
    );
    Ok(Some((sides, caption)))
}

/// One switching period of each side, all cycles laid over each other.
///
/// # Errors
/// A record or a sample file cannot be read.
pub fn folded(effect: &Effect, groups: (&Group, &Group)) -> Result<Option<Overlaid>, RecordError> {
    let made = overlaid(effect, groups, "ripple", |vout, lx| {
        let pair = Pair { vout, lx };
        let fold = build_fold(&pair, &find_cycles(&pair).ok()?, GRID, None).ok()?;
        Some(band_of(&fold))
    })?;
    Ok(made.map(|(sides, caption)| Overlaid {
        traces: OverlaidTraces {
            time_title: "time from the rising edge",
            volts_title: "output less its mean",
            sides,
        },
        caption,
    }))
}

/// Lowest, highest and mean volts of each column, less the mean of all.
fn band_of(fold: &Fold) -> Drawn {
    let columns = fold.mean_v.len().max(1);
    let row_v = (fold.high_v - fold.low_v) / fold.rows.max(1) as f64;
    let means: Vec<f64> = fold.mean_v.iter().flatten().copied().collect();
    let center = means.iter().sum::<f64>() / means.len().max(1) as f64;
    let time = |column: usize| fold.start_s + fold.span_s * (column as f64 + 0.5) / columns as f64;
    let (mut band, mut line) = (Vec::new(), Vec::new());
    for (column, mean_v) in fold.mean_v.iter().enumerate() {
        let filled = |row: &usize| fold.density.get(row * columns + column).is_some_and(|count| *count > 0);
        let (first, last) = ((0..fold.rows).find(filled), (0..fold.rows).rev().find(filled));
        if let (Some(first), Some(last), Some(mean_v)) = (first, last, mean_v) {
            let low = fold.low_v + row_v * first as f64 - center;
            let high = fold.low_v + row_v * (last + 1) as f64 - center;
            band.push((time(column), low, high));
            line.push((time(column), mean_v - center));
        }
    }
    (band, line)
}

/// The worst spike of each side with its ringing.
///
/// # Errors
/// A record or a sample file cannot be read.
pub fn spikes(effect: &Effect, groups: (&Group, &Group)) -> Result<Option<Overlaid>, RecordError> {
    let made = overlaid(effect, groups, "spikes", |vout, _| {
        let spike = find_worst_spike(vout, 0.0, 0.0).ok()?;
        let volts = vout.volts();
        let mean = volts.iter().map(|value| f64::from(*value)).sum::<f64>() / volts.len().max(1) as f64;
        let samples = |seconds: f64| (seconds / vout.step_s).round() as usize;
        let (from, to) =
            (spike.peak.saturating_sub(samples(0.3e-6)), (spike.peak + samples(0.9e-6)).min(volts.len()));
        let line: Vec<(f64, f64)> = (from..to)
            .map(|index| {
                let at = (index as f64 - spike.peak as f64) * vout.step_s;
                (at, volts.get(index).map_or(0.0, |value| f64::from(*value)) - mean)
            })
            .collect();
        Some((line.iter().map(|(at, value)| (*at, *value, *value)).collect(), line))
    })?;
    Ok(made.map(|(sides, caption)| Overlaid {
        traces: OverlaidTraces {
            time_title: "time from the worst spike",
            volts_title: "output less its mean",
            sides,
        },
        caption,
    }))
}

/// The mean spectra of both sides; `None` where a side has none.
#[must_use]
pub fn spectra(names: (&str, &str), before: &GroupSpectra, after: &GroupSpectra) -> Option<OverlaidSpectra> {
    let (left, right) = (line(&before.output)?, line(&after.output)?);
    if left.len() != right.len() {
        return None;
    }
    let floor = line(&after.floor).unwrap_or_default();
    let change: Vec<(f64, f64)> =
        left.iter().zip(&right).map(|((hz, from), (_, to))| (*hz, 20.0 * (to / from).log10())).collect();
    let at_floor = if floor.len() == right.len() { stretches(&right, &floor) } else { Vec::new() };
    Some(OverlaidSpectra {
        sides: vec![(names.0.to_owned(), left), (names.1.to_owned(), right)],
        floor,
        change,
        at_floor,
    })
}

/// The ripple capture as far as its limiter lets it tell, the wide one beyond; in columns of a logarithmic axis.
fn line(spectra: &std::collections::BTreeMap<String, MeanSpectrum>) -> Option<Vec<(f64, f64)>> {
    let (narrow, wide) = (spectra.get("ripple"), spectra.get("spikes"));
    let first = narrow.or(wide).filter(|spectrum| spectrum.count() > 0)?;
    let border =
        narrow.and_then(|narrow| narrow.limit_hz).filter(|_| wide.is_some()).unwrap_or(f64::INFINITY);
    let mut found = columns(first, (0.0, border));
    if let Some(wide) = wide.filter(|_| border.is_finite()) {
        found.extend(columns(wide, (border, f64::INFINITY)));
    }
    Some(found)
}

fn columns(spectrum: &MeanSpectrum, (from, to): (f64, f64)) -> Vec<(f64, f64)> {
    let density = spectrum.density();
    let last = density.len().max(2) as f64;
    let mut columns: Vec<(usize, f64, f64, u32)> = Vec::new();
    for (index, power) in density.iter().enumerate().skip(1) {
        let hz = spectrum.step_hz * index as f64;
        if hz < from || hz >= to {
            continue;
        }
        let column = ((index as f64).ln() / last.ln() * COLUMNS) as usize;
        match columns.last_mut().filter(|last| last.0 == column) {
            Some((_, hz_sum, power_sum, count)) => {
                *hz_sum += hz;
                *power_sum += power;
                *count += 1;
            }
            None => columns.push((column, hz, *power, 1)),
        }
    }
    columns
        .into_iter()
        .map(|(_, hz, power, count)| (hz / f64::from(count), (power / f64::from(count)).sqrt()))
        .collect()
}

/// Decades on both sides over which a spectrum is averaged before it is held against the floor, and the narrowest stretch told:
/// between two harmonics it touches the floor a hundred times, which is no stretch that anybody reads.
const AROUND: f64 = 0.06;
const NARROWEST: f64 = 0.12;

/// Where a spectrum stands less than 3 dB over the floor, over stretches wide enough to be seen.
fn stretches(line: &[(f64, f64)], floor: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (line, floor) = (smooth(line), smooth(floor));
    let mut found: Vec<(f64, f64)> = Vec::new();
    let mut was_at = false;
    for ((hz, volts), (_, floor_volts)) in line.iter().zip(&floor) {
        let is_at = *volts < floor_volts * 2f64.sqrt();
        match found.last_mut().filter(|_| was_at) {
            Some(last) if is_at => last.1 = *hz,
            _ if is_at => found.push((*hz, *hz)),
            _ => {}
        }
        was_at = is_at;
    }
    found.retain(|(from, to)| (to / from).log10() >= NARROWEST);
    found
}

/// The power around each frequency: a harmonic counts for its neighbourhood.
fn smooth(line: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let reach = 10f64.powf(AROUND);
    let around = |hz: f64| {
        let near = line.iter().filter(|(other, _)| *other >= hz / reach && *other <= hz * reach);
        let (sum, count) =
            near.fold((0.0, 0_u32), |(sum, count), (_, volts)| (sum + volts * volts, count + 1));
        (sum / f64::from(count.max(1))).sqrt()
    };
    line.iter().map(|(hz, _)| (*hz, around(*hz))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spectrum_is_at_the_floor_over_whole_stretches_and_not_between_two_harmonics() {
        let column = |index: i32| 1e4 * 10f64.powf(f64::from(index) / 100.0);
        let floor: Vec<(f64, f64)> = (0..300).map(|index| (column(index), 1e-7)).collect();
        // Harmonics at every tenth column from 100 kHz to 1 MHz, and nothing else.
        let is_harmonic = |index: i32| (100..200).contains(&index) && index % 10 == 0;
        let line: Vec<(f64, f64)> =
            (0..300).map(|index| (column(index), if is_harmonic(index) { 1e-5 } else { 1.1e-7 })).collect();
        let found = stretches(&line, &floor);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].0 < 1.1e4 && (7e4..1e5).contains(&found[0].1), "{found:?}");
        assert!((9e5..1.2e6).contains(&found[1].0) && found[1].1 > 9e6, "{found:?}");
    }
}
