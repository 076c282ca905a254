//! `report.junit.xml`: a suite a limit, a test case a group of points (a load). A limit that could not be judged is an
//! error, one that applies nowhere is skipped; neither is a pass.

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use crate::base::units::with_prefix;
use crate::event::{Limit, Outcome, PointResult, RunVerdict};
use crate::record::RecordError;
use crate::record::format::LimitSummary;

use super::build::Report;
use super::facts::ranges;
use super::products::JUNIT;
use super::text::readings;

/// The file's bytes. No time of day stands in it: the same record gives the same bytes.
///
/// # Errors
/// It has no form as XML, which is a fault of this program.
pub fn render(report: &Report) -> Result<String, RecordError> {
    let mut document = Document::new(clean(&report.summary.run));
    let mut run = TestSuite::new("run");
    run.add_test_case(run_case(report));
    if report.summary.verdict == RunVerdict::NotJudged.as_str() {
        run.add_test_case(unjudged_case(report));
    }
    document.add_test_suite(run);
    for (place, limit) in report.limits.iter().enumerate() {
        let mut suite = TestSuite::new(clean(&limit.name));
        for (load_a, points) in groups(&report.points) {
            suite.add_test_case(limit_case(place, limit, load_a, &points));
        }
        if let Some(summary) = report.summary.limits.get(place).filter(|summary| summary.readings.is_some()) {
            suite.add_test_case(readings_case(summary));
        }
        document.add_test_suite(suite);
    }
    document.to_string().map_err(|error| RecordError::no_form(JUNIT, error))
}

/// Whether the run itself came to its end with the outputs off, whatever the limits say.
fn run_case(report: &Report) -> TestCase {
    let summary = &report.summary;
    let (kind, what) = match summary.verdict.as_str() {
        "pass" | "not_judged" | "fail" if summary.outputs_off_verified => (None, ""),
        "pass" | "not_judged" | "fail" => {
            (Some(NonSuccessKind::Failure), "the outputs were not verified off")
        }
        "tripped" => (Some(NonSuccessKind::Failure), "tripped"),
        _ => (Some(NonSuccessKind::Error), summary.verdict.as_str()),
    };
    let status = kind.map_or_else(TestCaseStatus::success, |kind| non_success(kind, what, &summary.reason));
    let mut case = TestCase::new("came to its end", status);
    case.set_classname("run");
    case
}

/// That nothing was judged: skipped, so that a run without limits does not read as one that met them.
fn unjudged_case(report: &Report) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_message(clean(&report.summary.reason));
    let mut case = TestCase::new("meets its limits", status);
    case.set_classname("run");
    case
}

fn non_success(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(clean(message)).set_type("soakrig").set_description(clean(description));
    status
}

fn groups(points: &[PointResult]) -> Vec<(f64, Vec<&PointResult>)> {
    let mut groups: Vec<(f64, Vec<&PointResult>)> = Vec::new();
    for point in points {
        let load = point.setting.load.value();
        match groups.iter_mut().find(|(known, _)| (known - load).abs() < 1e-9) {
            Some((_, group)) => group.push(point),
            None => groups.push((load, vec![point])),
        }
    }
    groups.sort_by(|a, b| a.0.total_cmp(&b.0));
    groups
}

fn limit_case(place: usize, limit: &Limit, load_a: f64, points: &[&PointResult]) -> TestCase {
    let mut failed: Vec<(u32, String)> = Vec::new();
    let mut unknown: Vec<(u32, String)> = Vec::new();
    let mut judged = 0;
    for point in points {
        let at =
            |what: String| (point.point.0, format!("point {}, {}: {what}", point.point.0, point.setting.vin));
        match point.checks.iter().find(|check| check.limit == place).map(|check| &check.outcome) {
            Some(Outcome::Fail(value)) => {
                failed.push(at(format!("{}{}", point.sign(limit.figure), limit.figure.show(*value))));
            }
            Some(Outcome::NotMeasured(reason)) => unknown.push(at(reason.clone())),
            Some(Outcome::Pass(_) | Outcome::Marginal(_)) => judged += 1,
            Some(Outcome::NotApplicable) | None => {}
        }
    }
    let lines =
        |found: &[(u32, String)]| found.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n");
    let numbers =
        |found: &[(u32, String)]| ranges(&found.iter().map(|(point, _)| *point).collect::<Vec<_>>());
    let status = if !failed.is_empty() {
        let message = format!("{}, broken at points {}", limit.bounds(), numbers(&failed));
        non_success(NonSuccessKind::Failure, &message, &lines(&failed))
    } else if !unknown.is_empty() {
        let message = format!("{} could not be judged at points {}", limit.figure.title(), numbers(&unknown));
        non_success(NonSuccessKind::Error, &message, &lines(&unknown))
    } else if judged == 0 {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("the limit applies only where {}", limit.condition));
        status
    } else {
        TestCaseStatus::success()
    };
    let mut case = TestCase::new(format!("load {}", with_prefix(load_a, "A")), status);
    case.set_classname(clean(&limit.name));
    case
}

/// The readings of a soak, which were held against the limit too.
fn readings_case(limit: &LimitSummary) -> TestCase {
    let told = readings(limit).unwrap_or_default();
    let status = match limit.readings_failed() {
        0 => TestCaseStatus::success(),
        _ => non_success(NonSuccessKind::Failure, &format!("{}, broken in readings", limit.bounds), &told),
    };
    let mut case = TestCase::new("readings", status);
    case.set_classname(clean(&limit.name));
    case
}

/// Without the control characters that XML cannot hold, and that a terminal would obey.
pub(super) fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
