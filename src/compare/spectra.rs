//! Where in the spectrum a change lies: the kept captures of matched points, one at a time, folded into a band's rms of each
//! board and into one mean spectrum of each group.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::band::Band;
use super::cell::{Cell, Kind, Place};
use super::effect::Interval;
use super::floors::{self, Floors};
use super::gather::ReferenceRuns;
use super::group::{Group, is_held};
use super::quantity::Quantity;
use super::run::Cells;
use super::stretch::Window;
use crate::event::{Event, PointId, Region};
use crate::record::{Kept, RecordError, WaveformFacts, read_kept, read_waveform};
use crate::waveform::spectrum::{Spectrum, choose_whole, measure_spectrum};
use crate::waveform::{Acquisition, Bound, Waveform};

/// What stands less than this over what probe and scope show there by themselves is only an upper bound: 3 dB, at which the
/// board's own part is as large as theirs.
const OVER_FLOOR: f64 = 1.412_538;

/// What an rms or a density stands for beside the same of probe and scope alone; where that was not captured nobody knows better.
#[must_use]
pub fn kind_at(volts: f64, floor: Option<f64>) -> Kind {
    if floor.is_some_and(|floor| volts < floor * OVER_FLOOR) {
        Kind::Bound(Bound::Upper)
    } else {
        Kind::Value
    }
}

/// The signal that is compared.
pub const OUTPUT: &str = "vout";

/// The mean spectrum of a group: the mean over boards and points, in decibels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MeanSpectrum {
    /// Distance of the lines in Hz.
    pub step_hz: f64,
    /// Sum of the logarithms of the density at each line, and of how many spectra.
    logs: Vec<f64>,
    count: u32,
    /// Up to where the scope's limiter leaves it whole, in Hz.
    pub limit_hz: Option<f64>,
}

impl MeanSpectrum {
    fn add(&mut self, spectrum: &Spectrum) {
        if self.count == 0 {
            self.step_hz = spectrum.step_hz;
            self.limit_hz = spectrum.limit_hz;
            self.logs = vec![0.0; spectrum.density.len()];
        }
        // Of captures with other lines nothing can be added; the guard has told that they differ.
        if spectrum.density.len() != self.logs.len() || spectrum.step_hz.to_bits() != self.step_hz.to_bits() {
            return;
        }
        for (sum, density) in self.logs.iter_mut().zip(&spectrum.density) {
            *sum += density.max(f64::MIN_POSITIVE).ln();
        }
        self.count += 1;
    }
    /// Density of each line in V²/Hz, from 0 Hz up; empty without a spectrum.
    #[must_use]
    pub fn density(&self) -> Vec<f64> {
        self.logs.iter().map(|sum| (sum / f64::from(self.count)).exp()).collect()
    }
    /// How many spectra it is the mean of.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }
}

/// The acquisitions of a point, the narrow one first: its range has less noise, its limiter hides what lies beyond.
pub const PURPOSES: [&str; 2] = ["ripple", "spikes"];

/// Of how many captures of points the spectra were taken, and what of them could not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Captures {
    /// Captures that were looked at.
    pub count: usize,
    /// Of these: where samples of the narrow acquisition are clipped, so that the wide one tells of every band.
    pub wide: usize,
    /// Of these: where samples of every acquisition are clipped, so that nothing tells.
    pub clipped: usize,
}

impl Captures {
    /// Takes those of others in.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.wide += other.wide;
        self.clipped += other.clipped;
    }
}

/// What the captures of a group show.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupSpectra {
    /// Mean spectrum of the output, by the purpose of the capture.
    pub output: BTreeMap<String, MeanSpectrum>,
    /// The same of probe and scope alone, in the set-up of each of these captures.
    pub floor: BTreeMap<String, MeanSpectrum>,
}

/// Measures the spectra of a group at the places that every board of all groups was measured at, and adds the bands to its
/// boards.
///
/// # Errors
/// A record cannot be read, or a sample file is not what was written.
pub fn add_spectra(group: &mut Group, places: &BTreeSet<Place>) -> Result<GroupSpectra, RecordError> {
    let mut spectra = GroupSpectra::default();
    for member in &group.members {
        let (cells, captures, floors) = read_bands((&member.folder, member.window), places, &mut spectra)?;
        floors::merge(&mut group.floors, floors);
        if let Some(board) = group.boards.get_mut(&member.serial) {
            board.captures.merge(captures);
            for (key, cell) in cells {
                board.cells.entry(key).or_default().merge(&cell);
            }
        }
    }
    Ok(spectra)
}

/// Adds the bands to the runs of the reference board, which has no say in the places.
///
/// # Errors
/// As [`add_spectra`].
pub fn add_reference_bands(
    reference: &mut ReferenceRuns,
    places: &BTreeSet<Place>,
) -> Result<(), RecordError> {
    for run in [&mut reference.first, &mut reference.last].into_iter().flatten() {
        let (cells, ..) = read_bands((&run.folder, run.window), places, &mut GroupSpectra::default())?;
        run.cells.extend(cells);
    }
    Ok(())
}

/// The traces of a run that are looked at.
#[derive(Default)]
struct Traces {
    /// Points in regulation, by their number.
    points: BTreeMap<PointId, Place>,
    /// The last trace of each point and purpose: earlier ones belong to attempts that were given up.
    output: BTreeMap<(PointId, String), WaveformFacts>,
    floor: Vec<WaveformFacts>,
}

fn read_bands(
    (folder, window): (&Path, Option<Window>),
    places: &BTreeSet<Place>,
    spectra: &mut GroupSpectra,
) -> Result<(Cells, Captures, Floors), RecordError> {
    let mut traces = Traces::default();
    read_kept(folder, |at, kept| match kept {
        Kept::Event(Event::PointFinished(result))
            if result.region == Region::Regulated && is_held(window, at.monotonic) =>
        {
            let place = Place::of(result.setting);
            if places.contains(&place) {
                traces.points.insert(result.point, place);
            }
        }
        Kept::Waveform(facts) if facts.acquisition.signal == OUTPUT => {
            if facts.point == PointId::NONE {
                traces.floor.push(facts);
            } else {
                traces.output.insert((facts.point, facts.acquisition.purpose.clone()), facts);
            }
        }
        _ => {}
    })?;
    let floors = read_floors(folder, &traces.floor)?;
    let (mut cells, mut captures, mut told) = (Cells::new(), Captures::default(), Floors::new());
    for (point, place) in &traces.points {
        let mut bands: BTreeMap<Band, Cell> = BTreeMap::new();
        let of_point = PURPOSES.map(|purpose| traces.output.get(&(*point, purpose.to_owned())));
        for (facts, waveform) in read_whole(folder, of_point, &mut captures)? {
            let Ok(spectrum) = measure_spectrum(&waveform).map(Spectrum::before_limiter) else { continue };
            spectra.output.entry(facts.acquisition.purpose.clone()).or_default().add(&spectrum);
            let floor = floors.get(&set_up(&facts.acquisition));
            if let Some(floor) = floor {
                spectra.floor.entry(facts.acquisition.purpose.clone()).or_default().add(floor);
            }
            for band in Band::ALL {
                let Some(rms_v) = band.rms_v(&spectrum) else { continue };
                let floor_v = floor.and_then(|floor| band.rms_v(floor));
                // The first acquisition that holds the band tells of it, and its floor is the one that counts.
                bands.entry(*band).or_insert_with(|| {
                    if let Some(level) = floor_v {
                        let level = Interval { low: level, high: level };
                        floors::merge(&mut told, [(Quantity::Band(*band), level)].into());
                    }
                    band_cell(*band, rms_v, floor_v)
                });
            }
        }
        for (band, cell) in bands {
            cells.entry((Quantity::Band(band), *place)).or_default().merge(&cell);
        }
    }
    Ok((cells, captures, told))
}

/// The acquisitions of a point that tell of its spectrum, each as far as those before it do not: what [`choose_whole`] chooses,
/// and the wide one for what the limiter of a narrow one hides. Nothing of what is clipped.
fn read_whole<'f>(
    folder: &Path,
    of_point: [Option<&'f WaveformFacts>; 2],
    captures: &mut Captures,
) -> Result<Vec<(&'f WaveformFacts, Waveform)>, RecordError> {
    let mut read = Vec::new();
    for facts in of_point.into_iter().flatten() {
        let waveform = read_waveform(folder, facts)?;
        let clipped = waveform.clipped();
        read.push((facts, waveform, clipped));
    }
    if read.is_empty() {
        return Ok(Vec::new());
    }
    let last = read.len() - 1;
    let first = choose_whole(0, last, |at| read.get(*at).map_or(0, |(_, _, clipped)| *clipped));
    let whole: Vec<_> = read
        .into_iter()
        .skip(first)
        .filter(|(_, _, clipped)| *clipped == 0)
        .map(|(facts, waveform, _)| (facts, waveform))
        .collect();
    captures.merge(Captures {
        count: 1,
        wide: usize::from(first > 0 && !whole.is_empty()),
        clipped: usize::from(whole.is_empty()),
    });
    Ok(whole)
}

fn band_cell(band: Band, rms_v: f64, floor_v: Option<f64>) -> Cell {
    let bound = (kind_at(rms_v, floor_v) != Kind::Value).then_some(Bound::Upper);
    Quantity::Band(band).scaled(rms_v).map_or_else(Cell::default, |scaled| Cell::one(scaled, bound))
}

/// A set-up of the scope: what for, and the range in microvolts a division. All else is the same in all captures of a run with
/// one purpose.
pub(super) type SetUp = (String, i64);

pub(super) fn set_up(about: &Acquisition) -> SetUp {
    (about.purpose.clone(), (about.volts_per_div * 1e6).round() as i64)
}

/// What probe and scope show by themselves in each set-up.
fn read_floors(folder: &Path, traces: &[WaveformFacts]) -> Result<BTreeMap<SetUp, Spectrum>, RecordError> {
    let mut floors = BTreeMap::new();
    for facts in traces {
        if let Ok(spectrum) = measure_spectrum(&read_waveform(folder, facts)?) {
            floors.insert(set_up(&facts.acquisition), spectrum.before_limiter());
        }
    }
    Ok(floors)
}
