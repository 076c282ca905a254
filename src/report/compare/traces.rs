//! Traces and spectra of two groups for pictures over one another: of each side the board that stands nearest the middle of its
//! group, at the point where the first side is worst.

use std::collections::{BTreeMap, BTreeSet};

use super::pictures::{OverlaidSpectra, OverlaidTraces, SpectrumOver, Stretch, TraceOver};
use crate::base::stats::median;
use crate::compare::cell::{Kind, Place};
use crate::compare::effect::{Effect, Pairing};
use crate::compare::group::Group;
use crate::compare::scores::{BoardScore, Matched, Side, scores_of};
use crate::compare::spectra::{GroupSpectra, MeanSpectrum, OUTPUT, PURPOSES, kind_at};
use crate::event::{Event, PointId};
use crate::record::{Record, RecordError};
use crate::waveform::density::{Fold, build_fold, find_cycles};
use crate::waveform::spectrum::choose_whole;
use crate::waveform::spikes::find_worst_spike;
use crate::waveform::{Pair, Waveform};

/// Columns and rows of a folded period.
const GRID: (usize, usize) = (300, 400);
/// Columns of a decade of a spectrum's picture. They lie where they lie whatever the capture, so that two can be held together.
const COLUMNS: f64 = 120.0;

/// What is drawn of a side, in volts about its mean.
struct Drawn {
    /// Time, lowest and highest volts.
    band: Vec<(f64, f64, f64)>,
    /// Time and volts of the line through them.
    line: Vec<(f64, f64)>,
    /// The mean that is taken off.
    center_v: f64,
}

/// Traces over one another, with what is shown as a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlaid {
    /// The traces.
    pub traces: OverlaidTraces,
    /// Which boards and which point.
    pub caption: String,
}

/// The places by the first side's mean, the highest one first: of all where that side has values alone, whatever the other one
/// hides, or else of those with values on both sides.
fn places_by_worst(matched: &Matched) -> Vec<Place> {
    let (places, boards) = match matched.all_values(Side::Before) {
        Some(boards) => (matched.known_places(), boards),
        None => (matched.places.clone(), matched.boards(Side::Before)),
    };
    let sum = |index: usize| boards.iter().filter_map(|board| board.values.get(index)).sum::<f64>();
    let mut places: Vec<(f64, Place)> =
        places.into_iter().enumerate().map(|(index, place)| (sum(index), place)).collect();
    places.sort_by(|a, b| b.0.total_cmp(&a.0));
    places.into_iter().map(|(_, place)| place).collect()
}

/// What traces are taken of.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'s> {
    /// The figure that chooses the point and the boards.
    pub effect: &'s Effect,
    /// Both groups.
    pub groups: (&'s Group, &'s Group),
    /// How their boards belong together.
    pub pairing: Pairing,
}

/// The boards that are shown: of each side the one whose score is nearest the median; of pairs the one whose change is, both times.
fn shown_boards<'b>(
    before: &'b [BoardScore],
    after: &'b [BoardScore],
    pairing: Pairing,
) -> Option<[&'b BoardScore; 2]> {
    let nearest = |values: &[f64]| {
        let middle = median(values)?;
        let far = |place: &usize| values.get(*place).map_or(f64::INFINITY, |value| (value - middle).abs());
        (0..values.len()).min_by(|a, b| far(a).total_cmp(&far(b)))
    };
    let (left, right) = (scores_of(before), scores_of(after));
    let places = match pairing {
        Pairing::None => (nearest(&left)?, nearest(&right)?),
        Pairing::Board => {
            let changes: Vec<f64> = left.iter().zip(&right).map(|(left, right)| right - left).collect();
            let place = nearest(&changes)?;
            (place, place)
        }
    };
    Some([before.get(places.0)?, after.get(places.1)?])
}

/// The output and the switch node of one acquisition.
type Traces = (Waveform, Option<Waveform>);

/// What was kept of a board, in its last run of a group.
struct Kept {
    record: Record,
    /// The last point of each place that has traces of the output.
    points: BTreeMap<Place, PointId>,
}

impl Kept {
    fn of(group: &Group, board: &BoardScore) -> Result<Option<Self>, RecordError> {
        let Some(member) = group.members.iter().rev().find(|member| member.serial == board.serial) else {
            return Ok(None);
        };
        let record = Record::open(&member.folder)?;
        let outputs = record.waveforms().iter().filter(|facts| facts.acquisition.signal == OUTPUT);
        let traced: BTreeSet<PointId> = outputs.map(|facts| facts.point).collect();
        // A soak keeps traces of a few of its points, and these need not be the last ones.
        let points = record.events().iter().filter_map(|logged| match &logged.event {
            Event::PointFinished(point)
                if member.holds(logged.at.monotonic) && traced.contains(&point.point) =>
            {
                Some((Place::of(point.setting), point.point))
            }
            _ => None,
        });
        let points = points.collect();
        Ok(Some(Self { record, points }))
    }

    /// The traces at a place: of its acquisitions the one that is chosen for its spectrum, too. What is cut has no shape.
    fn traces(&self, place: Place, purposes: &[&str]) -> Result<Option<Traces>, RecordError> {
        let Some(point) = self.points.get(&place) else { return Ok(None) };
        let find = |signal: &str, purpose: &str| {
            self.record.waveforms().iter().rev().find(|facts| {
                facts.point == *point
                    && facts.acquisition.signal == signal
                    && facts.acquisition.purpose == purpose
            })
        };
        let mut outputs = Vec::new();
        for facts in purposes.iter().filter_map(|purpose| find(OUTPUT, purpose)) {
            outputs.push(self.record.waveform(facts)?);
        }
        let Some(last) = outputs.len().checked_sub(1) else { return Ok(None) };
        let chosen = choose_whole(0, last, |at| outputs.get(*at).map_or(0, Waveform::clipped));
        let vout = outputs.swap_remove(chosen);
        let lx =
            find("lx", &vout.acquisition.purpose).map(|facts| self.record.waveform(facts)).transpose()?;
        Ok(Some((vout, lx)))
    }
}

/// The volts at which samples of a trace are clipped, and how many.
fn clipped_at(vout: &Waveform) -> (Vec<f64>, usize) {
    let (volts, clipped) = (vout.volts(), vout.clipped_samples());
    let mut ends: Vec<f64> =
        clipped.iter().filter_map(|sample| volts.get(*sample)).map(|volts| f64::from(*volts)).collect();
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    (ends, clipped.len())
}

/// Makes one picture of both sides; `None` where one side has nothing to show.
fn overlaid(
    of: &Sides<'_>,
    purposes: &[&str],
    side: impl Fn(&Waveform, Option<&Waveform>) -> Option<Drawn>,
) -> Result<Option<(Vec<TraceOver>, String)>, RecordError> {
    let (effect, groups, matched) = (of.effect, of.groups, &of.effect.matched);
    // Where one side is hidden, its bounds tell which of its boards stands in the middle.
    let scored = (matched.with_bounds.as_ref())
        .map_or((&matched.before, &matched.after), |all| (&all.before, &all.after));
    let boards = shown_boards(scored.0, scored.1, of.pairing);
    let Some([left, right]) = boards else { return Ok(None) };
    let (Some(before), Some(after)) = (Kept::of(groups.0, left)?, Kept::of(groups.1, right)?) else {
        return Ok(None);
    };
    let worst = places_by_worst(matched);
    let is_all = worst.len() == matched.places.len() + matched.hidden();
    let mut places = worst.into_iter().enumerate();
    let has_both = |place: &Place| before.points.contains_key(place) && after.points.contains_key(place);
    let Some((rank, place)) = places.find(|(_, place)| has_both(place)) else { return Ok(None) };
    let which = match of.pairing {
        Pairing::None => "of each side the board nearest its middle",
        Pairing::Board => "the board whose change is nearest the middle of all",
    };
    let title = effect.quantity().title();
    let among = match (rank == 0, is_all) {
        (true, true) => "",
        (false, true) => ", of the points with kept traces of both,",
        (true, false) => ", of the points with values on both sides,",
        (false, false) => ", of the points with values on both sides and kept traces of both,",
    };
    let mut caption = format!("At {place}, where{among} the {title} of {} is worst; {which}.", groups.0.name);
    let mut sides = Vec::new();
    for (group, board, kept) in [(groups.0, left, &before), (groups.1, right, &after)] {
        let Some((vout, lx)) = kept.traces(place, purposes)? else { return Ok(None) };
        let Some(Drawn { band, line, center_v }) = side(&vout, lx.as_ref()) else { return Ok(None) };
        let name = format!("{}, board {}", group.name, board.serial);
        let (ends, count) = clipped_at(&vout);
        let (purpose, samples) = (&vout.acquisition.purpose, vout.codes.len());
        if purposes.first().is_some_and(|first| first != purpose) {
            let told =
                format!(" Of {name} the {purpose} acquisition, for the ripple acquisition is clipped.");
            caption.push_str(&told);
        }
        if count > 0 {
            caption.push_str(&format!(
                " {count} of {samples} samples of {name} are clipped, at the dashed lines: there the trace is cut off."
            ));
        }
        let clipped_v = ends.into_iter().map(|volts| volts - center_v).collect();
        sides.push(TraceOver { name, band, line, clipped_v });
    }
    Ok(Some((sides, caption)))
}

/// One switching period of each side, all cycles laid over each other.
///
/// # Errors
/// A record or a sample file cannot be read.
pub fn folded(of: &Sides<'_>) -> Result<Option<Overlaid>, RecordError> {
    let made = overlaid(of, &PURPOSES, |vout, lx| {
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
    Drawn { band, line, center_v: center }
}

/// The largest spike of each side there, up or down, with its ringing.
///
/// # Errors
/// A record or a sample file cannot be read.
pub fn spikes(of: &Sides<'_>) -> Result<Option<Overlaid>, RecordError> {
    let made = overlaid(of, &PURPOSES[1..], |vout, _| {
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
        let band = line.iter().map(|(at, value)| (*at, *value, *value)).collect();
        Some(Drawn { band, line, center_v: mean })
    })?;
    Ok(made.map(|(sides, caption)| Overlaid {
        traces: OverlaidTraces {
            time_title: "time from the largest spike",
            volts_title: "output less its mean",
            sides,
        },
        caption: format!("{caption} Drawn is the largest spike of each trace, up or down."),
    }))
}

/// The mean spectra of both sides; `None` where a side has none.
#[must_use]
pub fn spectra(names: (&str, &str), before: &GroupSpectra, after: &GroupSpectra) -> Option<OverlaidSpectra> {
    let side = |name: &str, spectra: &GroupSpectra| {
        let is_narrow = is_narrow_whole(&spectra.output);
        let floor = line(&spectra.floor, is_narrow).unwrap_or_default();
        Some(SpectrumOver { name: name.to_owned(), line: line(&spectra.output, is_narrow)?, floor })
    };
    let sides = [side(names.0, before)?, side(names.1, after)?];
    let change = stretches(&sides);
    Some(OverlaidSpectra { sides, change })
}

/// The column of a frequency.
fn column(hz: f64) -> i64 {
    (hz.log10() * COLUMNS).floor() as i64
}

/// What two lines have in the same columns.
fn together<'l>(
    left: &'l [(f64, f64)],
    right: &'l [(f64, f64)],
) -> impl Iterator<Item = (f64, f64, f64)> + 'l {
    let left: BTreeMap<i64, f64> = left.iter().map(|(hz, volts)| (column(*hz), *volts)).collect();
    right.iter().filter_map(move |(hz, volts)| Some((*hz, *left.get(&column(*hz))?, *volts)))
}

/// Whether the narrow capture tells of as many points as the wide one. Where some of it are clipped it does not: then the mean
/// would leave out just those points at which the output is worst.
fn is_narrow_whole(spectra: &BTreeMap<String, MeanSpectrum>) -> bool {
    let [narrow, wide] = PURPOSES.map(|purpose| spectra.get(purpose).map_or(0, MeanSpectrum::count));
    narrow >= wide
}

/// The narrow capture as far as its limiter lets it tell, the wide one beyond; in columns of a logarithmic axis.
fn line(spectra: &BTreeMap<String, MeanSpectrum>, is_narrow: bool) -> Option<Vec<(f64, f64)>> {
    let [narrow, wide] = PURPOSES.map(|purpose| spectra.get(purpose).filter(|spectrum| spectrum.count() > 0));
    let narrow = narrow.filter(|_| is_narrow);
    let first = narrow.or(wide)?;
    let border =
        narrow.and_then(|narrow| narrow.limit_hz).filter(|_| wide.is_some()).unwrap_or(f64::INFINITY);
    let mut found = columns(first, (0.0, border));
    if let Some(wide) = wide.filter(|_| border.is_finite()) {
        found.extend(columns(wide, (border, f64::INFINITY)));
    }
    Some(found)
}

fn columns(spectrum: &MeanSpectrum, (from, to): (f64, f64)) -> Vec<(f64, f64)> {
    let mut columns: Vec<(i64, f64, f64, u32)> = Vec::new();
    for (index, power) in spectrum.density().iter().enumerate().skip(1) {
        let hz = spectrum.step_hz * index as f64;
        if hz < from || hz >= to {
            continue;
        }
        match columns.last_mut().filter(|last| last.0 == column(hz)) {
            Some((_, hz_sum, power_sum, count)) => {
                *hz_sum += hz;
                *power_sum += power;
                *count += 1;
            }
            None => columns.push((column(hz), hz, *power, 1)),
        }
    }
    columns
        .into_iter()
        .map(|(_, hz, power, count)| (hz / f64::from(count), (power / f64::from(count)).sqrt()))
        .collect()
}

/// Decades on both sides over which a spectrum is averaged before it is held against its floor, for between two harmonics it
/// touches the floor a hundred times, which nobody reads; and columns on both sides that are averaged at least, for few lines of
/// noise scatter by more than what is looked for.
const AROUND: f64 = 0.06;
const FEWEST: usize = 5;

/// The change, in stretches in which it is as well known everywhere: where one side stands at its own noise it is a bound, where
/// both do nothing is known of it and nothing is drawn.
fn stretches([before, after]: &[SpectrumOver; 2]) -> Vec<Stretch> {
    let (left, right) = (kinds(before), kinds(after));
    let mut found: Vec<Stretch> = Vec::new();
    for (hz, from, to) in together(&before.line, &after.line) {
        let at = |kinds: &BTreeMap<i64, Kind>| kinds.get(&column(hz)).copied().unwrap_or(Kind::Nothing);
        let kind = Kind::of_change(at(&left), at(&right));
        let change = (kind != Kind::Nothing).then(|| (hz, 20.0 * (to / from).log10()));
        match found.last_mut() {
            Some(last) if last.kind == kind => {
                last.hz.1 = hz;
                last.change.extend(change);
            }
            _ => found.push(Stretch { kind, hz: (hz, hz), change: change.into_iter().collect() }),
        }
    }
    found
}

/// What each column of a side stands for beside its own floor.
fn kinds(side: &SpectrumOver) -> BTreeMap<i64, Kind> {
    let floor: BTreeMap<i64, f64> =
        smooth(&side.floor).into_iter().map(|(hz, volts)| (column(hz), volts)).collect();
    let line = smooth(&side.line).into_iter();
    line.map(|(hz, volts)| (column(hz), kind_at(volts, floor.get(&column(hz)).copied()))).collect()
}

/// The power around each frequency: a harmonic counts for its neighbourhood.
fn smooth(line: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let reach = 10f64.powf(AROUND);
    let around = |place: usize, hz: f64| {
        let near = line.iter().enumerate().filter(|(other, (at, _))| {
            other.abs_diff(place) <= FEWEST || (*at >= hz / reach && *at <= hz * reach)
        });
        let (sum, count) =
            near.fold((0.0, 0_u32), |(sum, count), (_, (_, volts))| (sum + volts * volts, count + 1));
        (sum / f64::from(count.max(1))).sqrt()
    };
    line.iter().enumerate().map(|(place, (hz, _))| (*hz, around(place, *hz))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waveform::Bound;

    #[test]
    fn of_pairs_one_board_is_shown_both_times() {
        let side = |scores: [f64; 3]| -> Vec<BoardScore> {
            let boards = ["b1", "b2", "b3"].into_iter().zip(scores);
            let score = |(serial, score): (&str, f64)| BoardScore {
                serial: serial.parse().unwrap(),
                score,
                values: vec![score],
            };
            boards.map(score).collect()
        };
        let (before, after) = (side([10.0, 20.0, 30.0]), side([0.0, 5.0, 4.0]));
        let shown =
            |pairing| shown_boards(&before, &after, pairing).unwrap().map(|board| board.serial.to_string());
        assert_eq!(shown(Pairing::None), ["b2", "b3"]);
        assert_eq!(shown(Pairing::Board), ["b2", "b2"]);
        assert!(shown_boards(&[], &after, Pairing::None).is_none());
    }

    const UPPER: Kind = Kind::Bound(Bound::Upper);
    const LOWER: Kind = Kind::Bound(Bound::Lower);

    fn side(line: impl Fn(i32) -> f64, floor: Option<f64>) -> SpectrumOver {
        let hz = |index: i32| 1e4 * 10f64.powf(f64::from(index) / 100.0);
        SpectrumOver {
            name: "made".to_owned(),
            line: (0..300).map(|index| (hz(index), line(index))).collect(),
            floor: floor.map_or_else(Vec::new, |volts| (0..300).map(|index| (hz(index), volts)).collect()),
        }
    }

    #[test]
    fn a_change_is_a_bound_where_a_side_is_at_its_own_floor_and_nothing_where_both_are() {
        // From 100 kHz to 1 MHz something, else nothing but noise; the first side's scope is ten times as noisy.
        let part = |at: i32| at / 100;
        let loud = |volts: f64, noise: f64| {
            side(move |at| if part(at) == 1 { volts } else { 1.1 * noise }, Some(noise))
        };
        let quiet = |noise: f64| side(move |_| 1.1 * noise, Some(noise));
        let table = [
            (loud(1e-4, 1e-6), loud(1e-5, 1e-7), vec![Kind::Nothing, Kind::Value, Kind::Nothing]),
            (loud(1e-4, 1e-6), quiet(1e-7), vec![Kind::Nothing, UPPER, Kind::Nothing]),
            (quiet(1e-6), loud(1e-5, 1e-7), vec![Kind::Nothing, LOWER, Kind::Nothing]),
            (quiet(1e-6), quiet(1e-7), vec![Kind::Nothing]),
            (side(|_| 1e-4, Some(1e-6)), quiet(1e-7), vec![UPPER]),
            (quiet(1e-6), side(|_| 1e-5, Some(1e-7)), vec![LOWER]),
            // Of a side whose noise was not captured it is not known where it stands at it.
            (side(|_| 1e-4, None), side(|_| 1e-5, None), vec![Kind::Value]),
        ];
        for (before, after, expected) in table {
            let found = stretches(&[before, after]);
            assert_eq!(found.iter().map(|stretch| stretch.kind).collect::<Vec<_>>(), expected);
            for stretch in &found {
                assert_eq!(stretch.change.is_empty(), stretch.kind == Kind::Nothing, "{stretch:?}");
                assert!(stretch.hz.0 < stretch.hz.1, "{stretch:?}");
            }
        }
    }

    #[test]
    fn a_spectrum_is_at_the_floor_over_whole_stretches_and_not_between_two_harmonics() {
        // Harmonics at every tenth column from 100 kHz to 1 MHz, and nothing else.
        let is_harmonic = |index: i32| (100..200).contains(&index) && index % 10 == 0;
        let after = side(|index| if is_harmonic(index) { 1e-5 } else { 1.1e-7 }, Some(1e-7));
        let found = stretches(&[side(|_| 1e-3, Some(1e-7)), after]);
        assert_eq!(found.iter().map(|stretch| stretch.kind).collect::<Vec<_>>(), [UPPER, Kind::Value, UPPER]);
        assert!((7e4..1e5).contains(&found[0].hz.1), "{found:?}");
        assert!((9e5..1.2e6).contains(&found[2].hz.0), "{found:?}");
    }
}
