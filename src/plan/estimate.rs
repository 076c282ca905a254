//! How long a plan will take on a real bench. An estimate for a person who wants to know whether to wait.

use std::time::Duration;

use super::rig::Rig;
use super::step::{Plan, Step};

/// A setting sent, acknowledged and read back: a handful of exchanges of some ten milliseconds.
const SET: Duration = Duration::from_millis(60);
/// An output switched and read back; relays take their time.
const SWITCH: Duration = Duration::from_millis(300);
/// Protection of supply and load set and read back.
const PROTECT: Duration = Duration::from_millis(600);
/// Supply, load and thermometers read side by side.
const READ: Duration = Duration::from_millis(250);
/// A channel set up, the scope armed and its trigger waited for.
const ARM: Duration = Duration::from_millis(400);
/// Bytes a second out of a bench scope over the network: about what the slow ones give.
const BYTES_PER_SECOND: f64 = 500_000.0;
/// A screenshot rendered by the scope and sent.
const SCREEN: Duration = Duration::from_millis(2000);
/// Acquisitions for each one wanted: about every third point needs another range.
const ATTEMPTS: f64 = 1.3;

/// The expected duration: settling as the rule wants it at best, captures as slow scopes send them.
pub(super) fn estimate(plan: &Plan, rig: &Rig) -> Duration {
    plan.steps.iter().map(|step| step_duration(step, plan, rig)).sum()
}

fn step_duration(step: &Step, plan: &Plan, rig: &Rig) -> Duration {
    match step {
        Step::BeginPoint(_) => Duration::ZERO,
        Step::SwitchAllOff | Step::SwitchSupply(_) | Step::SwitchLoad(_) => SWITCH,
        Step::SetProtection { .. } => PROTECT,
        Step::CheckWiring => READ,
        Step::SetVoltage(_) | Step::SetLoad(_) => SET,
        Step::Settle(_) => (plan.settle.hold + plan.settle.interval).max(plan.settle.minimum),
        Step::Measure(point) => READ.max(capture_duration(plan, rig, point.0)),
    }
}

fn capture_duration(plan: &Plan, rig: &Rig, point: u32) -> Duration {
    let (Some(capture), Some(scope)) = (plan.capture, &rig.scope) else { return Duration::ZERO };
    let acquisitions = f64::from(u8::from(capture.ripple) + u8::from(capture.spikes)) * ATTEMPTS;
    let channels = if scope.lx.is_some() { 2.0 } else { 1.0 };
    let transfer = Duration::from_secs_f64(capture.samples as f64 * channels / BYTES_PER_SECOND);
    let screen = if capture.screen_every > 0 && point.is_multiple_of(capture.screen_every) {
        SCREEN
    } else {
        Duration::ZERO
    };
    (capture.span + ARM + transfer).mul_f64(acquisitions) + screen
}
