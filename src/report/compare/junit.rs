//! The limits on a change for a CI server: a suite a pair of groups, a test case a limit, and one for whether the groups may
//! be compared at all.

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::{gate_words, words};
use crate::compare::comparison::{Comparison, Gate, Request};
use crate::compare::gate::Judgement;
use crate::record::RecordError;
use crate::report::junit::clean;

/// The file's bytes. No time of day stands in it: the same runs give the same bytes.
///
/// # Errors
/// It has no form as XML, which is a fault of this program.
pub fn render(made: &[Comparison], request: &Request) -> Result<String, RecordError> {
    let mut document = Document::new("comparison");
    for comparison in made {
        let mut suite = TestSuite::new(clean(&words::groups(comparison)));
        suite.add_test_case(guard_case(comparison));
        for gate in &comparison.gates {
            suite.add_test_case(gate_case(comparison, gate, request.is_strict));
        }
        document.add_test_suite(suite);
    }
    document.to_string().map_err(|error| RecordError::no_form("the JUnit file", error))
}

fn guard_case(comparison: &Comparison) -> TestCase {
    let guard = &comparison.guard;
    let lines: Vec<String> = guard
        .differences
        .iter()
        .map(|difference| {
            let (title, weight) = (difference.title(), difference.weight.word());
            format!("{weight}: {title}: {} before, {} after", difference.before, difference.after)
        })
        .collect();
    let status = if comparison.is_forced {
        // Somebody chose so, which is no failure of the boards; but green would say that they are comparable.
        let why = words::breaking(comparison).unwrap_or_default();
        let mut status = TestCaseStatus::skipped();
        status.set_message(clean(&format!(
            "not comparable, and compared all the same because --force was given: {why}"
        )));
        status
    } else if comparison.is_refused() {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message("not comparable").set_type("soakrig").set_description(clean(&lines.join("\n")));
        status
    } else {
        TestCaseStatus::success()
    };
    let mut case = TestCase::new("comparable", status);
    if !lines.is_empty() {
        case.set_system_out(clean(&lines.join("\n")));
    }
    case.set_classname("comparability");
    case
}

/// What is broken is a failure, what could not be judged an error; what is not decided is skipped, unless it counts as broken.
fn gate_case(comparison: &Comparison, gate: &Gate, is_strict: bool) -> TestCase {
    let told = gate_words::gate(comparison, gate);
    // The name holds nothing that was measured, or a CI server would see another test each time.
    let name = gate_words::limit(gate);
    let non_success = |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(clean(gate.judgement.word())).set_type("soakrig").set_description(clean(&told));
        status
    };
    let status = match &gate.judgement {
        Judgement::Met => TestCaseStatus::success(),
        Judgement::Impossible(_) => non_success(NonSuccessKind::Error),
        _ if gate.is_broken(is_strict) => non_success(NonSuccessKind::Failure),
        _ => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(clean(&format!("not decided: {told}")));
            status
        }
    };
    let mut case = TestCase::new(clean(&name), status);
    case.set_system_out(clean(&told));
    case.set_classname(gate.allowance.quantity.key());
    case
}
