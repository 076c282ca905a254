//! Limits with the condition under which they apply, and their outcome at a point. Pure.

use std::collections::BTreeMap;
use std::fmt;

use super::figures::{FigureName, Figures};
use super::{PointVerdict, Setting};
use crate::base::units::with_prefix;
use crate::waveform::Bound;

/// What a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// The set input voltage, `vin`.
    Vin,
    /// The set load current, `load`.
    Load,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Comparison {
    /// Whether it holds. Settings that differ by less than a millionth count as equal.
    #[must_use]
    pub fn holds(self, left: f64, right: f64) -> bool {
        let slack = 1e-6 * right.abs().max(1e-3);
        match self {
            Self::Below => left < right - slack,
            Self::AtMost => left <= right + slack,
            Self::AtLeast => left >= right - slack,
            Self::Above => left > right + slack,
        }
    }
    /// The sign as written.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }
}

/// One comparison, e.g. `vin >= 13.2 V`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clause {
    /// What is compared.
    pub operand: Operand,
    /// How.
    pub comparison: Comparison,
    /// With what, in volts or amperes.
    pub value: f64,
}

/// All clauses must hold; no clause means always.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Condition(pub Vec<Clause>);

impl Condition {
    /// Whether it holds at what was set.
    #[must_use]
    pub fn holds(&self, setting: Setting) -> bool {
        self.0.iter().all(|clause| {
            let left = match clause.operand {
                Operand::Vin => setting.vin.value(),
                Operand::Load => setting.load.value(),
            };
            clause.comparison.holds(left, clause.value)
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, clause) in self.0.iter().enumerate() {
            let (name, unit) = match clause.operand {
                Operand::Vin => ("vin", "V"),
                Operand::Load => ("load", "A"),
            };
            let joint = if index == 0 { "" } else { " and " };
            write!(f, "{joint}{name} {} {}", clause.comparison.sign(), with_prefix(clause.value, unit))?;
        }
        Ok(())
    }
}

/// A limit on a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// A short name for reports, unique in the profile.
    pub name: String,
    /// What is limited.
    pub figure: FigureName,
    /// Lowest good value.
    pub min: Option<f64>,
    /// Highest good value.
    pub max: Option<f64>,
    /// Where it applies.
    pub condition: Condition,
    /// Within this distance inside a bound the value is marginal, in the figure's unit.
    pub marginal: f64,
}

impl Limit {
    /// The bounds as a person reads them, e.g. `4.85 V to 5.15 V`.
    #[must_use]
    pub fn bounds(&self) -> String {
        let show = |value: f64| self.figure.show_bound(value);
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("{} to {}", show(min), show(max)),
            (Some(min), None) => format!("at least {}", show(min)),
            (None, Some(max)) => format!("at most {}", show(max)),
            (None, None) => "no bound".to_owned(),
        }
    }

    /// How far inside its bounds a value lies; negative outside.
    #[must_use]
    pub fn room(&self, value: f64) -> f64 {
        let below = self.min.map_or(f64::INFINITY, |min| value - min);
        let above = self.max.map_or(f64::INFINITY, |max| max - value);
        below.min(above)
    }

    /// What a value comes to where the limit applies.
    #[must_use]
    pub fn judge(&self, value: f64) -> Outcome {
        let room = self.room(value);
        if room < 0.0 {
            Outcome::Fail(value)
        } else if room < self.marginal {
            Outcome::Marginal(value)
        } else {
            Outcome::Pass(value)
        }
    }
}

/// What came of a limit at a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Inside, away from the bounds.
    Pass(f64),
    /// Inside, but within the marginal band.
    Marginal(f64),
    /// Outside.
    Fail(f64),
    /// The condition does not hold here.
    NotApplicable,
    /// It applies, but the figure could not be had; the reason.
    NotMeasured(String),
}

/// A limit's outcome, by its place in the list of limits.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitCheck {
    /// Place in [`super::RunFacts::limits`].
    pub limit: usize,
    /// What came of it.
    pub outcome: Outcome,
}

/// What is known of a point when it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its figures.
    pub figures: &'a Figures,
    /// Those of them that are only bounds.
    pub bounds: &'a BTreeMap<FigureName, Bound>,
}

/// Checks every limit at a point.
#[must_use]
pub fn check_limits(limits: &[Limit], setting: Setting, known: Known<'_>) -> Vec<LimitCheck> {
    limits
        .iter()
        .enumerate()
        .map(|(index, limit)| LimitCheck { limit: index, outcome: outcome(limit, setting, known) })
        .collect()
}

fn outcome(limit: &Limit, setting: Setting, known: Known<'_>) -> Outcome {
    if !limit.condition.holds(setting) {
        return Outcome::NotApplicable;
    }
    let value = match known.figures.figure(limit.figure) {
        // Every comparison with it is false, so it would pass.
        Ok(value) if value.is_nan() => return Outcome::NotMeasured("the figure is no number".to_owned()),
        Ok(value) => value,
        Err(reason) => return Outcome::NotMeasured(reason.0),
    };
    let Some(bound) = known.bounds.get(&limit.figure) else {
        return limit.judge(value);
    };
    // The truth lies between the value and nothing, or beyond the value: a verdict that both ends share holds for it.
    let other_end = match bound {
        Bound::Upper => 0.0,
        Bound::Lower => f64::INFINITY.copysign(value),
    };
    match (limit.judge(value), limit.judge(other_end)) {
        (Outcome::Fail(_), Outcome::Fail(_)) => Outcome::Fail(value),
        (Outcome::Fail(_), _) | (_, Outcome::Fail(_)) => Outcome::NotMeasured(format!(
            "{} {} is only a bound, and does not decide whether the limit ({}) is met",
            bound.sign_of(value),
            limit.figure.show(value),
            limit.bounds()
        )),
        (Outcome::Pass(_), Outcome::Pass(_)) => Outcome::Pass(value),
        _ => Outcome::Marginal(value),
    }
}

/// The checks of a point that was not at its setting: a limit applies by what was set, so that none can be judged there.
#[must_use]
pub fn withhold_checks(checks: Vec<LimitCheck>, reason: &str) -> Vec<LimitCheck> {
    let withheld = |check: LimitCheck| match check.outcome {
        Outcome::NotApplicable => check,
        _ => LimitCheck { outcome: Outcome::NotMeasured(reason.to_owned()), ..check },
    };
    checks.into_iter().map(withheld).collect()
}

/// The worst outcome is the point's verdict; a figure that should have been there and was not is never a pass.
#[must_use]
pub fn point_verdict(checks: &[LimitCheck]) -> PointVerdict {
    let mut worst = PointVerdict::NotApplicable;
    for check in checks {
        let this = match check.outcome {
            Outcome::NotApplicable => PointVerdict::NotApplicable,
            Outcome::Pass(_) => PointVerdict::Pass,
            Outcome::Marginal(_) => PointVerdict::Marginal,
            Outcome::NotMeasured(_) => PointVerdict::NotMeasured,
            Outcome::Fail(_) => PointVerdict::Fail,
        };
        worst = worst.max(this);
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};
    use crate::waveform::Unavailable;

    fn limit() -> Limit {
        let clause = Clause { operand: Operand::Vin, comparison: Comparison::AtLeast, value: 13.2 };
        Limit {
            name: "output voltage".into(),
            figure: FigureName::Vout,
            min: Some(4.85),
            max: Some(5.15),
            condition: Condition(vec![clause]),
            marginal: 0.02,
        }
    }

    static EXACT: BTreeMap<FigureName, Bound> = BTreeMap::new();

    fn exact(figures: &Figures) -> Known<'_> {
        Known { figures, bounds: &EXACT }
    }

    #[test]
    fn a_bound_reads_as_it_was_set_so_that_a_value_beyond_it_reads_otherwise() {
        let told = |figure, max| Limit { figure, min: None, max: Some(max), ..limit() }.bounds();
        for (figure, max, expected) in [
            (FigureName::BoardTemperature, 23.05, "at most 23.05 °C"),
            (FigureName::BoardTemperature, 85.0, "at most 85 °C"),
            (FigureName::Vout, 4.9051, "at most 4.9051 V"),
            (FigureName::RipplePp, 0.03, "at most 30 mV"),
            (FigureName::SpikePos, 0.1 + 0.2, "at most 300 mV"),
            (FigureName::Efficiency, 0.75125, "at most 75.125 %"),
        ] {
            assert_eq!(told(figure, max), expected);
        }
    }

    #[test]
    fn a_figure_that_is_only_a_bound_is_judged_only_where_the_bound_decides() {
        let setting = Setting { vin: Volts(24.0), load: Amps(0.1) };
        let limit = |min, max| Limit { min, max, marginal: 0.0, condition: Condition::default(), ..limit() };
        let (most, least) = (limit(None, Some(0.1)), limit(Some(-0.1), None));
        let table = [
            (&most, Bound::Upper, 0.05, PointVerdict::Pass),
            (&most, Bound::Upper, 0.15, PointVerdict::NotMeasured),
            (&most, Bound::Lower, 0.05, PointVerdict::NotMeasured),
            (&most, Bound::Lower, 0.15, PointVerdict::Fail),
            (&least, Bound::Upper, -0.05, PointVerdict::Pass),
            (&least, Bound::Upper, -0.15, PointVerdict::NotMeasured),
            (&least, Bound::Lower, -0.05, PointVerdict::NotMeasured),
            (&least, Bound::Lower, -0.15, PointVerdict::Fail),
        ];
        for (limit, bound, value, verdict) in table {
            let figures: Figures = [(FigureName::Vout, Ok(value))].into_iter().collect();
            let bounds = BTreeMap::from([(FigureName::Vout, bound)]);
            let checks = check_limits(
                std::slice::from_ref(limit),
                setting,
                Known { figures: &figures, bounds: &bounds },
            );
            assert_eq!(point_verdict(&checks), verdict, "{bound:?} {value} {}: {checks:?}", limit.bounds());
        }
    }

    #[test]
    fn a_limit_tells_five_outcomes_apart() {
        let at = |vin: f64| Setting { vin: Volts(vin), load: Amps(0.1) };
        let with = |figure| [(FigureName::Vout, figure)].into_iter().collect::<Figures>();
        let table = [
            (24.0, Ok(5.0), PointVerdict::Pass),
            (24.0, Ok(5.14), PointVerdict::Marginal),
            (24.0, Ok(5.16), PointVerdict::Fail),
            (24.0, Ok(4.0), PointVerdict::Fail),
            (12.0, Ok(0.0), PointVerdict::NotApplicable),
            (13.2, Err(Unavailable::because("no answer")), PointVerdict::NotMeasured),
            (24.0, Ok(f64::NAN), PointVerdict::NotMeasured),
        ];
        for (vin, figure, verdict) in table {
            let figures = with(figure.clone());
            let checks = check_limits(&[limit()], at(vin), exact(&figures));
            assert_eq!(point_verdict(&checks), verdict, "{vin} {figure:?}");
        }
    }

    #[test]
    fn a_point_that_was_not_at_its_setting_neither_passes_nor_fails() {
        let figures: Figures = [(FigureName::Vout, Ok(5.16))].into_iter().collect();
        for (vin, verdict) in [(24.0, PointVerdict::NotMeasured), (12.0, PointVerdict::NotApplicable)] {
            let setting = Setting { vin: Volts(vin), load: Amps(0.1) };
            let checks = check_limits(&[limit()], setting, exact(&figures));
            assert_eq!(point_verdict(&withhold_checks(checks, "supply in current limit")), verdict);
        }
    }

    #[test]
    fn limits_read_as_sentences() {
        assert_eq!(limit().bounds(), "4.85 V to 5.15 V");
        assert_eq!(limit().condition.to_string(), "vin >= 13.2 V");
    }
}
