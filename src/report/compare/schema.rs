//! The comparison as JSON: flat rows, so that a script or a spreadsheet reads it without a tree. `soakrig schema comparison`
//! prints its JSON Schema. Changes are in decibels for amplitudes and in SI units for everything else (a difference of
//! efficiencies is a ratio, not per cent).

use schemars::JsonSchema;
use serde::Serialize;

/// The version of this form; any change that a reader would misread raises it.
pub const VERSION: u32 = 2;

/// What `soakrig compare --json` prints.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparisonDocument {
    /// The version of this form.
    pub format: u32,
    /// Whether `--force` was given.
    pub forced: bool,
    /// How sure every interval is that says nothing else, e.g. 0.95.
    pub confidence: f64,
    /// The pairs of groups that were held against each other.
    pub groups: Vec<GroupsRow>,
    /// The baseline whose runs stand on the first side (`--baseline`); null where there is none.
    pub baseline: Option<BaselineRow>,
    /// Folders that were meant and hold no run that can be read: the first few.
    pub left_out: Vec<LeftOutRow>,
    /// How many these are.
    pub left_out_count: usize,
    /// What differs beside the boards.
    pub differences: Vec<DifferenceRow>,
    /// What changed, over all boards.
    pub changes: Vec<ChangeRow>,
    /// What changed at single points.
    pub points: Vec<PointRow>,
    /// The score of every board.
    pub boards: Vec<BoardRow>,
    /// What changed in each step of soaks (`--over`).
    pub steps: Vec<StepRow>,
    /// Whether differences grow over the steps.
    pub growth: Vec<GrowthRow>,
    /// Limits on the change.
    pub limits: Vec<LimitRow>,
    /// Where 95 % of all boards lie, 95 % sure, if boards scatter normally.
    pub next_boards: Vec<NextBoardsRow>,
    /// How well boards keep the limits of their profile.
    pub capabilities: Vec<CapabilityRow>,
    /// What cannot be concluded from these boards, and what it would take.
    pub not_concluded: Vec<NotConcludedRow>,
}

/// The baseline that groups are held against.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BaselineRow {
    /// Its name.
    pub name: String,
    /// The revisions of its boards.
    pub revisions: Vec<String>,
    /// When it was kept (RFC 3339); null where its file tells no time.
    pub kept: Option<String>,
    /// How many runs it has.
    pub runs: usize,
    /// Whether it was found by the board revision, of which it is the one kept last, not by its name.
    pub by_revision: bool,
    /// Those of that revision that were kept before it, where it was found by the revision.
    pub older: Vec<String>,
}

/// A folder that was meant and holds no run that can be read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LeftOutRow {
    /// Which.
    pub folder: String,
    /// Why not.
    pub why: String,
}

/// Where most boards of a side lie: the mean over the compared points.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NextBoardsRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// The figure's key.
    pub figure: &'static str,
    /// `before` or `after`.
    pub side: &'static str,
    /// From how many boards.
    pub boards: usize,
    /// No lower than this, in the figure's own unit; null where lower is better.
    pub low: Option<f64>,
    /// No higher than this; null where higher is better.
    pub high: Option<f64>,
}

/// How well boards keep one end of a limit.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CapabilityRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// The group whose boards these are.
    pub group: String,
    /// The limit's name.
    pub limit: String,
    /// The figure's key.
    pub figure: &'static str,
    /// `min` or `max`.
    pub end: &'static str,
    /// The limit, in the figure's own unit.
    pub value: f64,
    /// How many boards.
    pub boards: usize,
    /// At how many points each; it stands with the worst of them.
    pub points: usize,
    /// Cpk; null with fewer than 25 boards, where the interval alone tells anything.
    pub cpk: Option<f64>,
    /// Lower end of its interval.
    pub cpk_low: Option<f64>,
    /// Upper end of its interval.
    pub cpk_high: Option<f64>,
    /// Why there is none.
    pub no_cpk: Option<String>,
}

/// What changed in one step of soaks.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StepRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// The figure's key.
    pub figure: &'static str,
    /// The step.
    pub step: String,
    /// Decibels or an SI unit; empty for a ratio.
    pub unit: &'static str,
    /// Level before in the figure's own unit.
    pub level_before: Option<f64>,
    /// Level after.
    pub level_after: Option<f64>,
    /// After less before.
    pub change: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// Why there is none.
    pub no_interval: Option<String>,
    /// In a word or two.
    pub sense: &'static str,
    /// Boards before.
    pub boards_before: usize,
    /// Boards after.
    pub boards_after: usize,
}

/// Whether a difference grows from the first step to the last one.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GrowthRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// The figure's key.
    pub figure: &'static str,
    /// Decibels or an SI unit; empty for a ratio.
    pub unit: &'static str,
    /// How much more the boards after moved than those before; null where it is not known.
    pub growth: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// How far the boards before moved.
    pub before_moved: Option<f64>,
    /// How far the boards after moved.
    pub after_moved: Option<f64>,
    /// In a word or two.
    pub sense: &'static str,
    /// Why it is not known, or not how sure it is.
    pub not_known: Option<String>,
}

/// Something that cannot be concluded.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NotConcludedRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// The figure's key; null for what is true of all.
    pub figure: Option<&'static str>,
    /// What, why, and what it would take.
    pub what: String,
}

/// Two groups.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct GroupsRow {
    /// The group that is held against.
    pub before: String,
    /// The group in which something may have changed.
    pub after: String,
    /// Its boards.
    pub boards_before: Vec<String>,
    /// Its boards.
    pub boards_after: Vec<String>,
    /// Boards that stand on both sides.
    pub boards_on_both_sides: Vec<String>,
    /// How many runs.
    pub runs_before: usize,
    /// How many runs.
    pub runs_after: usize,
    /// Captures whose spectra were looked at (`--spectra`, `--html`).
    pub captures_before: usize,
    /// Of these: where samples of the ripple acquisition are clipped, so that the wide one tells of every band.
    pub captures_before_wide: usize,
    /// Of these: where samples of every acquisition are clipped, so that there is no spectrum.
    pub captures_before_clipped: usize,
    /// The same of the other side.
    pub captures_after: usize,
    /// The same of the other side.
    pub captures_after_wide: usize,
    /// The same of the other side.
    pub captures_after_clipped: usize,
    /// Whether both sides are stretches of the same runs (`--stretch`).
    pub within_runs: bool,
    /// `none` or `board`.
    pub pairing: &'static str,
    /// `comparable`, `comparable except` or `not comparable`.
    pub comparability: &'static str,
    /// Whether anything was compared.
    pub compared: bool,
    /// The order of runs that all are of; null where there is none.
    pub order: Option<String>,
    /// Whether the runs were made in that order.
    pub order_kept: bool,
    /// Revisions of the order that are not compared here and whose runs were left out.
    pub order_left_out: Vec<String>,
    /// Places of the runs before: in the order, or by the time at which they began.
    pub places_before: Vec<u32>,
    /// Places of the runs after.
    pub places_after: Vec<u32>,
    /// By what factor the order widens the variance of a change; null where drift and change are the same thing.
    pub order_inflation: Option<f64>,
}

/// Something that differs beside the boards.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DifferenceRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// What.
    pub what: String,
    /// `slight`, `matters` or `breaks`.
    pub weight: &'static str,
    /// What the runs before say.
    pub before: String,
    /// What the runs after say.
    pub after: String,
    /// Why it weighs so.
    pub why: &'static str,
}

/// A change over all boards.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChangeRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// The figure's key.
    pub figure: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// Unit of the change: `dB`, an SI unit, or empty for a ratio.
    pub unit: &'static str,
    /// Mean of the boards after less mean of those before; null where there is none.
    pub change: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// Why there is no interval.
    pub no_interval: Option<String>,
    /// `better`, `worse`, `changed`, `too small to matter`, `no change shown` or `not known`.
    pub sense: &'static str,
    /// Whether boards scatter by more than their figures can tell; where they do not there is no test, and the interval is made of the
    /// step of the figures, or there is none where no step is known.
    pub resolved: bool,
    /// The step on which the figures stand, in the unit of the change; null where none is known.
    pub resolution: Option<f64>,
    /// Degrees of freedom.
    pub df: Option<f64>,
    /// p of the t test.
    pub p: Option<f64>,
    /// p of the exact permutation test on the boards' means.
    pub permuted_p: Option<f64>,
    /// p of the rank test.
    pub rank_p: Option<f64>,
    /// The smallest p that the rank test can reach with so many boards.
    pub least_rank_p: Option<f64>,
    /// Whether the rank test's p is exact; of more than 50 boards in all it is by the normal distribution.
    pub rank_exact: Option<bool>,
    /// Hodges and Lehmann's estimate of the change.
    pub rank_change: Option<f64>,
    /// Lower end of its interval.
    pub rank_low: Option<f64>,
    /// Upper end of its interval.
    pub rank_high: Option<f64>,
    /// How sure that interval is: levels of ranks come in steps, so it is the next one at or above `confidence`, or the highest that so
    /// few boards have.
    pub rank_confidence: Option<f64>,
    /// Lower end of the interval by resampling boards.
    pub resampled_low: Option<f64>,
    /// Upper end of the interval by resampling boards.
    pub resampled_high: Option<f64>,
    /// Which interval is read off the draws: `percentile`, `expanded percentile` or `BCa`.
    pub resampled_method: Option<&'static str>,
    /// How often boards were drawn anew.
    pub resampled_draws: Option<u32>,
    /// What the draws began with: the same seed gives the same interval.
    pub resampled_seed: Option<u64>,
    /// What must be said of so few boards.
    pub resampled_warning: Option<String>,
    /// The smallest change that matters; null where every change does.
    pub smallest: Option<f64>,
    /// p of the two one-sided tests that the change is smaller than that.
    pub within_smallest_p: Option<f64>,
    /// How many boards a side (of pairs: how many boards) show a change of some size in eight of ten comparisons ...
    pub boards_needed: Option<usize>,
    /// ... and that size: the smallest change that matters, or else the one that was seen.
    pub boards_needed_for: Option<f64>,
    /// Boards before.
    pub boards_before: usize,
    /// Boards after.
    pub boards_after: usize,
    /// Points with a value on every board.
    pub points: usize,
    /// Points left out because a value is only a bound.
    pub points_bounded: usize,
    /// Points left out because both sides are bounds that leave every change open, as at the noise of probe and scope.
    pub points_open: usize,
    /// Points left out because a board has no value there.
    pub points_missing: usize,
    /// Smallest change at a single point.
    pub least_at_a_point: Option<f64>,
    /// Largest change at a single point.
    pub most_at_a_point: Option<f64>,
    /// Mean before, in the figure's own unit (of amplitudes the geometric mean).
    pub level_before: Option<f64>,
    /// Mean after.
    pub level_after: Option<f64>,
    /// What probe and scope alone show of it before, least over the set-ups that were used, in the figure's own unit; of the start-up
    /// threshold the step in which the input voltage was tried. Null where that was not captured.
    pub floor_before_low: Option<f64>,
    /// And at most.
    pub floor_before_high: Option<f64>,
    /// The same after.
    pub floor_after_low: Option<f64>,
    /// And at most.
    pub floor_after_high: Option<f64>,
    /// Why a figure of what rides on the output has no floor.
    pub no_floor: Option<&'static str>,
    /// With the points that are only bounds: the change ...
    pub bounded_change: Option<f64>,
    /// ... and the side on which the truth lies, `at most` or `at least`.
    pub bounded_side: Option<&'static str>,
    /// The end of its 95 % interval on that side; null where boards do not tell how sure it is.
    pub bounded_sure: Option<f64>,
    /// Whether more than half of the points have only a bound, so that `sense` and limits go by `bounded_sure`.
    pub told_by_bounds: bool,
    /// The change with the drift over the runs taken off.
    pub without_drift: Option<f64>,
    /// Lower end of its interval.
    pub without_drift_low: Option<f64>,
    /// Upper end of its interval.
    pub without_drift_high: Option<f64>,
    /// Drift from one run to the next.
    pub drift_per_run: Option<f64>,
    /// Lower end of its interval.
    pub drift_low: Option<f64>,
    /// Upper end of its interval.
    pub drift_high: Option<f64>,
    /// p of no drift.
    pub drift_p: Option<f64>,
    /// Why there is none of them.
    pub no_drift: Option<String>,
    /// The last run of the reference board less its first one.
    pub reference_change: Option<f64>,
    /// Why that is not known.
    pub no_reference_change: Option<&'static str>,
}

/// A change at a point.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PointRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// The figure's key.
    pub figure: &'static str,
    /// Input voltage; null for what is made of several.
    pub vin_v: Option<f64>,
    /// Load; null for what is made of several.
    pub load_a: Option<f64>,
    /// The change.
    pub change: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// p of the t test, as if it were the only point.
    pub p: Option<f64>,
    /// p for a claim about this point beside all others (Holm).
    pub holm_p: Option<f64>,
    /// p for a look through all points (Benjamini and Hochberg).
    pub screened_p: Option<f64>,
    /// Null for a value; for a bound the side on which the truth lies, `at most` or `at least`.
    pub bound: Option<&'static str>,
}

/// The score of a board.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BoardRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// The figure's key.
    pub figure: &'static str,
    /// `before` or `after`.
    pub side: &'static str,
    /// Serial number.
    pub board: String,
    /// Mean over the points: of amplitudes in decibels over 1 V.
    pub score: f64,
}

/// A limit on a change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LimitRow {
    /// The group in which something may have changed.
    pub after_group: String,
    /// The figure's key.
    pub figure: &'static str,
    /// `worse_than` or `same_within`.
    pub kind: &'static str,
    /// How much it may change.
    pub most: f64,
    /// Unit of the change.
    pub unit: &'static str,
    /// `met`, `broken`, `undecided` or `not judged`.
    pub judgement: &'static str,
    /// Why it could not be judged.
    pub why: Option<String>,
    /// Whether it lets the comparison fail.
    pub fails: bool,
}

/// The JSON Schema of [`ComparisonDocument`].
#[must_use]
pub fn json_schema() -> schemars::Schema {
    schemars::schema_for!(ComparisonDocument)
}
