//! What is drawn of a comparison: the data of its pictures.

use crate::compare::cell::Kind;

/// What a row of a forest plot stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// All boards together.
    All,
    /// One board against the mean of the other side.
    Board,
    /// One point.
    Point,
}

/// A row of a forest plot.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestRow {
    /// What it stands for.
    pub kind: RowKind,
    /// What stands in front.
    pub label: String,
    /// The change.
    pub value: f64,
    /// Its interval, where there is one.
    pub interval: Option<(f64, f64)>,
    /// Whether it is not told from no change.
    pub is_undecided: bool,
    /// Of a bound: whether the truth is more than told.
    pub truth_is_more: Option<bool>,
    /// What stands behind, in digits.
    pub told: String,
}

/// A forest plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// Title of the axis.
    pub axis: String,
    /// Whether more is worse; `None` where neither side is.
    pub worse_is_more: Option<bool>,
    /// From above.
    pub rows: Vec<ForestRow>,
}

/// The boards of a group as dots.
#[derive(Debug, Clone, PartialEq)]
pub struct DotRow {
    /// The group.
    pub name: String,
    /// Serial number and score of each board.
    pub boards: Vec<(String, f64)>,
    /// Their mean.
    pub mean: f64,
    /// The mean in words.
    pub told: String,
    /// Where some of what the boards have are bounds: whether the truth is more than drawn.
    pub truth_is_more: Option<bool>,
}

/// A dot plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Dots {
    /// Title of the axis.
    pub axis: String,
    /// Whether each side has a scale of its own about its mean, because the sides lie so far apart that the boards of one would
    /// be one dot; a unit is as long on both.
    pub is_about_means: bool,
    /// Whether a board of one row is the board of that name in the next one, measured the other way.
    pub is_paired: bool,
    /// The groups, from above.
    pub rows: Vec<DotRow>,
}

/// A cell of a map of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeCell {
    /// The change.
    pub value: f64,
    /// Whether it is not told from no change.
    pub is_undecided: bool,
    /// In digits, with a sign in front of a bound.
    pub told: String,
}

/// A change over input voltage and load.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeMap {
    /// Input voltages, rising.
    pub vins: Vec<f64>,
    /// Loads, rising.
    pub loads: Vec<f64>,
    /// Row by row from the smallest load.
    pub cells: Vec<Option<ChangeCell>>,
    /// Whether any change has an interval: where none has, nothing tells how far boards scatter.
    pub has_scatter: bool,
    /// The unit of the changes.
    pub unit: &'static str,
    /// The values at the ends of the colours.
    pub ends: (f64, f64),
    /// The same in words.
    pub told: (String, String),
}

/// A side of traces over one another.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceOver {
    /// What it is called.
    pub name: String,
    /// Time in seconds, lowest and highest volts.
    pub band: Vec<(f64, f64, f64)>,
    /// Time in seconds and volts of the line through it.
    pub line: Vec<(f64, f64)>,
    /// Volts at which samples are clipped; empty where none is.
    pub clipped_v: Vec<f64>,
}

/// Traces over one another.
#[derive(Debug, Clone, PartialEq)]
pub struct OverlaidTraces {
    /// What the time counts from.
    pub time_title: &'static str,
    /// What the volts are.
    pub volts_title: &'static str,
    /// Both sides.
    pub sides: Vec<TraceOver>,
}

/// A side of spectra over one another: frequency in Hz and density in V/√Hz.
#[derive(Debug, Clone, PartialEq)]
pub struct SpectrumOver {
    /// What it is called.
    pub name: String,
    /// Its spectrum.
    pub line: Vec<(f64, f64)>,
    /// The same of probe and scope alone as this side was captured; empty where that was not done.
    pub floor: Vec<(f64, f64)>,
}

/// A stretch of frequency in which the change is as well known everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Whether the change is a value, a bound, or not known at all.
    pub kind: Kind,
    /// Where it begins and ends, in Hz.
    pub hz: (f64, f64),
    /// Frequency and change in decibels; empty where it is not known.
    pub change: Vec<(f64, f64)>,
}

/// Spectra over one another.
#[derive(Debug, Clone, PartialEq)]
pub struct OverlaidSpectra {
    /// Both sides.
    pub sides: [SpectrumOver; 2],
    /// The change, by rising frequency.
    pub change: Vec<Stretch>,
}
