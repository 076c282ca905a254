//! When a drift reaches a limit, and what that means for it: told by the interval, never by the point estimate.
//!
//! The line of [`Drift`](super::Drift) is carried on with its interval, which widens with the distance from the middle of the
//! readings. It is the mean that is projected; single readings scatter about it. Whatever is said holds as long as the drift
//! goes on as a straight line.

use super::drift::Line;
use super::{NoAnswer, check_confidence};

/// No line is carried on farther than this: 100 years in seconds.
pub const FARTHEST_S: f64 = 100.0 * 365.25 * 86_400.0;

/// What a value must keep within.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bounds {
    /// Lowest value allowed.
    pub min: Option<f64>,
    /// Highest value allowed.
    pub max: Option<f64>,
    /// Nearer to a bound than this it is marginal; 0 for none.
    pub margin: f64,
}

/// When a bound is reached, in seconds since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// It is passed now: the whole interval lies beyond it.
    Already,
    /// Between these two times.
    Between {
        /// The earliest time the interval allows.
        early_s: f64,
        /// The latest one.
        late_s: f64,
    },
    /// Not as long as the drift goes on like this: the interval leads away from it or along it.
    Never,
    /// The interval allows soon and never alike.
    NotForeseeable {
        /// It is not reached before this time; `None` where the interval holds the bound already now.
        not_before_s: Option<f64>,
    },
}

/// What a projection says of the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// The whole interval stays within, up to the end.
    Pass,
    /// It stays within, but a part of it comes nearer to a bound than the margin.
    Marginal,
    /// The whole interval is beyond a bound, now or at the end.
    Fail,
    /// A bound lies inside the interval.
    Undecided,
}

/// When each bound is reached and what that means until the end asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection {
    /// When the lower bound is reached; `None` where there is none.
    pub min: Option<Reach>,
    /// When the upper one is.
    pub max: Option<Reach>,
    /// What it means up to the end.
    pub outlook: Outlook,
}

/// Carries a line on from `now_s` to `until_s` and beyond. Both are seconds since the start of the run.
///
/// # Errors
/// No bound, an end before now, a confidence that is none.
pub fn project(
    line: &Line,
    bounds: &Bounds,
    (now_s, until_s): (f64, f64),
    confidence: f64,
) -> Result<Projection, NoAnswer> {
    check_confidence(confidence)?;
    if bounds.min.is_none() && bounds.max.is_none() {
        return Err(NoAnswer::because("there is no limit to come to"));
    }
    if !(until_s >= now_s && now_s.is_finite() && until_s.is_finite()) {
        return Err(NoAnswer::because(format!("a projection from {now_s} s to {until_s} s leads nowhere")));
    }
    let factor = line.factor(confidence)?;
    let downward = mirrored(line);
    let max = bounds.max.map(|max| reach(line, max, now_s, factor));
    let min = bounds.min.map(|min| reach(&downward, -min, now_s, factor));
    // The upper end of the interval is convex in time and the lower one concave: their extremes are at now and at the end.
    let ends = [now_s, until_s].map(|at_s| (line.value(at_s), factor * line.se(at_s)));
    let outlooks = ends.iter().flat_map(|(value, reach)| {
        let above = bounds.max.map(|max| outlook(max - value, *reach, bounds.margin));
        let below = bounds.min.map(|min| outlook(value - min, *reach, bounds.margin));
        [above, below].into_iter().flatten()
    });
    let outlook = outlooks.max_by_key(|outlook| severity(*outlook)).unwrap_or(Outlook::Undecided);
    Ok(Projection { min, max, outlook })
}

/// What the room left to a bound means, with the reach of the interval.
fn outlook(room: f64, reach: f64, margin: f64) -> Outlook {
    if room + reach < 0.0 {
        Outlook::Fail
    } else if room - reach < 0.0 {
        Outlook::Undecided
    } else if room - reach < margin {
        Outlook::Marginal
    } else if room.is_nan() || reach.is_nan() {
        Outlook::Undecided
    } else {
        Outlook::Pass
    }
}

/// A sure failure outweighs what is not decided.
const fn severity(outlook: Outlook) -> u8 {
    match outlook {
        Outlook::Pass => 0,
        Outlook::Marginal => 1,
        Outlook::Undecided => 2,
        Outlook::Fail => 3,
    }
}

fn mirrored(line: &Line) -> Line {
    Line { level: -line.level, per_s: -line.per_s, ..*line }
}

/// When the line rises to a bound.
fn reach(line: &Line, bound: f64, now_s: f64, factor: f64) -> Reach {
    let upper = |at_s: f64| line.value(at_s) + factor * line.se(at_s) - bound;
    let lower = |at_s: f64| line.value(at_s) - factor * line.se(at_s) - bound;
    if lower(now_s) > 0.0 {
        return Reach::Already;
    }
    let rises_surely = line.per_s - factor * line.per_s_se > 0.0;
    let late_s = rises_surely.then(|| crossing(&lower, now_s)).flatten();
    if upper(now_s) >= 0.0 {
        return Reach::NotForeseeable { not_before_s: None };
    }
    let may_rise = line.per_s + factor * line.per_s_se > 0.0;
    match (may_rise.then(|| crossing(&upper, now_s)).flatten(), late_s) {
        (Some(early_s), Some(late_s)) => Reach::Between { early_s, late_s },
        (Some(early_s), None) => Reach::NotForeseeable { not_before_s: Some(early_s) },
        (None, _) => Reach::Never,
    }
}

/// Where a rising curve crosses zero after `from_s`, within [`FARTHEST_S`].
fn crossing(curve: &dyn Fn(f64) -> f64, from_s: f64) -> Option<f64> {
    let mut step_s = 1.0;
    while curve(from_s + step_s) < 0.0 {
        step_s *= 2.0;
        if step_s > FARTHEST_S {
            return None;
        }
    }
    let (mut before_s, mut after_s) = (from_s, from_s + step_s);
    for _ in 0..200 {
        let middle_s = f64::midpoint(before_s, after_s);
        if middle_s <= before_s || middle_s >= after_s {
            break;
        }
        if curve(middle_s) < 0.0 { before_s = middle_s } else { after_s = middle_s }
    }
    Some(after_s)
}
