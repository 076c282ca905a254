//! `points.csv`: a row an operating point, from the events alone. Written live and made again in the same bytes.

use crate::base::clock::Instant;
use crate::event::{FigureName, PointResult};
use crate::waveform::Unavailable;

use super::{Record, RecordError};

/// The table's name in a run folder.
pub const FILE_NAME: &str = "points.csv";

fn columns() -> impl Iterator<Item = FigureName> {
    FigureName::ALL.iter().copied().filter(|name| name.is_column())
}

/// The first line.
#[must_use]
pub fn header() -> String {
    line_of_names(columns(), &[])
}

fn line_of_names(figures: impl Iterator<Item = FigureName>, more: &[&'static str]) -> String {
    let mut names = vec!["point", "vin_set_v", "load_set_a"];
    names.extend(figures.map(FigureName::key));
    names.extend(more);
    names.extend(["region", "verdict", "notes"]);
    format!("{}\n", names.join(","))
}

/// The row of a point, with its line end. A figure that could not be had is an empty cell; its reason stands in the notes.
///
/// # Errors
/// The cells have no form as a row, which is a fault of this program.
pub fn row(result: &PointResult) -> Result<String, RecordError> {
    line(&cells(result, columns(), &[], notes(result)))
}

fn cells(
    result: &PointResult,
    figures: impl Iterator<Item = FigureName>,
    more: &[Option<f64>],
    notes: String,
) -> Vec<String> {
    let cell = |value: Option<f64>| value.map_or_else(String::new, |value| rounded(value).to_string());
    let mut cells = vec![
        result.point.0.to_string(),
        rounded(result.setting.vin.value()).to_string(),
        rounded(result.setting.load.value()).to_string(),
    ];
    cells.extend(figures.map(|name| cell(result.figures.value(name))));
    cells.extend(more.iter().map(|value| cell(*value)));
    cells.extend([result.region.to_string(), result.verdict.to_string(), notes]);
    cells
}

/// Cells as a line, with its line end.
fn line(cells: &[String]) -> Result<String, RecordError> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(cells).map_err(|error| RecordError::no_form(FILE_NAME, error))?;
    let bytes = writer.into_inner().map_err(|error| RecordError::no_form(FILE_NAME, error))?;
    String::from_utf8(bytes).map_err(|error| RecordError::no_form(FILE_NAME, error))
}

/// Nine significant digits: more than any instrument has, and few enough to leave out the noise of binary fractions, which
/// makes `-0.0012000000000000001` of -1.2 mV. The journal keeps every bit.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    // Adding zero takes the sign off a negative zero.
    format!("{value:.8e}").parse().unwrap_or(value) + 0.0
}

/// What a reader of the row must know: the reasons of its empty cells, each once, and the point's own notes.
#[must_use]
pub fn notes(result: &PointResult) -> String {
    let own = result.notes.iter().map(|note| one_line(note));
    reasons(result, columns()).into_iter().chain(own).collect::<Vec<_>>().join("; ")
}

/// Why figures could not be had, each reason once.
fn reasons(result: &PointResult, figures: impl Iterator<Item = FigureName>) -> Vec<String> {
    let mut reasons: Vec<(Unavailable, Vec<&str>)> = Vec::new();
    for name in figures {
        if let Err(reason) = result.figures.figure(name) {
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, names)) => names.push(name.key()),
                None => reasons.push((reason, vec![name.key()])),
            }
        }
    }
    let told =
        reasons.into_iter().map(|(reason, names)| format!("{}: {}", names.join(", "), one_line(&reason.0)));
    told.collect()
}

/// A cell with a line break in it breaks half of the programs that read the table.
fn one_line(text: &str) -> String {
    text.split(['\r', '\n']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The whole table.
///
/// # Errors
/// As [`row`].
pub fn render_points(record: &Record) -> Result<String, RecordError> {
    let mut table = header();
    for result in record.points() {
        table.push_str(&row(result)?);
    }
    Ok(table)
}

/// What stands in front of a point's own columns where the points of several runs are one table.
const JOINED: [&str; 9] =
    ["group", "revision", "board", "run", "started", "since_first_point_s", "phase", "repeat", "bounds"];

/// What stands behind the notes: the reasons of the figures that no run's own table of points has. The notes are those of that table.
const BEHIND: &str = "more_notes";

/// What is made of several figures of a point, behind them.
const DERIVED: [&str; 1] = ["rise_k"];

/// The figures of the joined table: those of every table of points, then all others that a record may hold.
fn joined_columns() -> impl Iterator<Item = FigureName> {
    columns().chain(FigureName::ALL.iter().copied().filter(|name| !name.is_column()))
}

/// The reasons of the empty cells that no run's own table has, where the record holds one.
fn more_notes(result: &PointResult) -> String {
    let is_told =
        |name: &FigureName| !name.is_column() && result.figures.iter().any(|(known, _)| known == *name);
    reasons(result, joined_columns().filter(is_told)).join("; ")
}

/// The first line of a table of the points of several runs.
#[must_use]
pub fn joined_header() -> String {
    let own = line_of_names(joined_columns(), &DERIVED);
    format!("{},{},{BEHIND}\n", JOINED.join(","), own.trim_end())
}

/// The rows of a run in a table of the points of several runs: of the points that were finished at a time that is wanted. `bounds`
/// names the figures that are only bounds, with their signs.
///
/// # Errors
/// As [`row`].
pub fn render_joined(
    record: &Record,
    group: &str,
    is_wanted: impl Fn(Instant) -> bool,
) -> Result<String, RecordError> {
    let facts = record.facts();
    let (revision, serial) = facts.map_or_else(Default::default, |facts| {
        (facts.board.revision.to_string(), facts.board.serial.to_string())
    });
    let phases = facts.and_then(|facts| facts.soak.as_ref()).map(|soak| &soak.phases[..]).unwrap_or_default();
    let started = record.started().utc.to_string();
    let points = record.points_at();
    let first = points.iter().map(|(at, _)| at.monotonic).min();
    let mut table = String::new();
    for (at, result) in points.into_iter().filter(|(at, _)| is_wanted(at.monotonic)) {
        let bounds = result.bounds.keys().map(|name| format!("{}{name}", result.sign(*name)));
        let bounds = bounds.collect::<Vec<_>>().join("; ");
        let since = first.map(|first| rounded(at.monotonic.since(first).as_secs_f64()).to_string());
        let phase = result.phase.and_then(|phase| phases.get(usize::from(phase)));
        let mut all = vec![
            one_line(group),
            revision.clone(),
            serial.clone(),
            record.run().to_owned(),
            started.clone(),
            since.unwrap_or_default(),
            phase.map_or_else(String::new, |phase| one_line(phase)),
            result.repeat.to_string(),
            bounds,
        ];
        all.extend(cells(result, joined_columns(), &[result.figures.rise_k()], notes(result)));
        all.push(more_notes(result));
        table.push_str(&line(&all)?);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::event::{PointId, PointVerdict, Region, Regulation, Setting};

    #[test]
    fn the_notes_of_a_point_are_the_same_in_both_tables_and_what_the_joined_one_lacks_stands_beside_them() {
        let (own, other) = (FigureName::Efficiency, FigureName::NoiseSigma);
        assert!(own.is_column() && !other.is_column());
        let untold = |name, why: &str| (name, Err(Unavailable(why.to_owned())));
        let result = PointResult {
            point: PointId(1),
            repeat: 1,
            phase: None,
            setting: Setting { vin: Volts(24.0), load: Amps(0.5) },
            figures: [untold(own, "no input current"), untold(other, "under the resolution")]
                .into_iter()
                .collect(),
            bounds: std::collections::BTreeMap::new(),
            region: Region::Regulated,
            regulation: Ok(Regulation::ConstantVoltage),
            checks: Vec::new(),
            verdict: PointVerdict::Pass,
            notes: vec!["ripple by fit".to_owned()],
        };
        let told = notes(&result);
        assert!(told.contains("efficiency: no input current") && told.ends_with("; ripple by fit"), "{told}");
        assert!(!told.contains("noise_sigma_v"), "{told}");
        assert_eq!(more_notes(&result), "noise_sigma_v: under the resolution");
    }

    #[test]
    fn a_number_is_written_without_the_noise_of_binary_fractions() {
        let written: Vec<String> =
            [-0.001_2 - 1e-19, 0.1 + 0.2, 24.0, -0.0, 121_997.360_503_938_65, 1e-12, 0.0]
                .map(|value| rounded(value).to_string())
                .into();
        assert_eq!(written, ["-0.0012", "0.3", "24", "0", "121997.361", "0.000000000001", "0"]);
    }
}
