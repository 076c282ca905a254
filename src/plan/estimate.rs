//! How long a plan will take on its bench. An estimate for a person who wants to know whether to wait.

use std::net::IpAddr;
use std::time::Duration;

use super::rig::Rig;
use super::step::{Plan, Step};
use crate::instrument::dialect::Address;

/// How fast the instruments of a bench are.
struct Pace {
    /// A setting sent, its completion and the error queue asked for.
    set: Duration,
    /// A question and its answer.
    question: Duration,
    /// Bytes a second out of the scope.
    bytes_per_second: f64,
    /// A screenshot rendered by the scope and sent.
    screen: Duration,
}

/// The simulated bench, as its instruments answer, inside the program or served on this machine.
const SIMULATED: Pace = Pace {
    set: Duration::from_millis(9),
    question: Duration::from_millis(2),
    bytes_per_second: 5_000_000.0,
    screen: Duration::from_millis(100),
};

/// Instruments on a network, rather the slow ones.
const REAL: Pace = Pace {
    set: Duration::from_millis(20),
    question: Duration::from_millis(5),
    bytes_per_second: 500_000.0,
    screen: Duration::from_millis(2000),
};

/// An output switched: relays take their time.
const SWITCH: Duration = Duration::from_millis(50);
/// Waiting for the trigger: an edge comes at once, or not at all until it is forced.
const TRIGGER: Duration = Duration::from_millis(75);
/// Acquisitions of a whole run that only find the range: later points begin where the last one ended.
const FINDING: f64 = 3.0;
/// Ranges in which the noise floor is captured with a probe of 10:1, for ripple and for spikes.
const FLOORS: (u32, u32) = (4, 7);
/// The bench made safe at the end: Vout has to fall.
const MAKE_SAFE: Duration = Duration::from_secs(1);
/// Times that each meter is read for one average.
const READINGS: u32 = 4;

/// The expected duration, and how much of it is over when the first point begins: settling as the rule wants it at best; a
/// scope's last transfer overlaps with the next settling.
pub(super) fn estimate(plan: &Plan, rig: &Rig) -> (Duration, Duration) {
    let is_here = is_on_this_machine(&rig.source.instrument.address);
    let bench = Bench { plan, rig, pace: if is_here { &SIMULATED } else { &REAL } };
    let is_before = |step: &&Step| !matches!(step, Step::BeginPoint(_));
    let start: Duration = plan.steps.iter().take_while(is_before).map(|step| bench.step(step)).sum();
    let rest: Duration = plan.steps.iter().skip_while(is_before).map(|step| bench.step(step)).sum();
    (start + rest + bench.acquisition().mul_f64(FINDING) + MAKE_SAFE, start)
}

/// What answers on this machine is the simulated bench. A tunnel to a real one is taken for it, too: a plan cannot tell.
fn is_on_this_machine(address: &Address) -> bool {
    match address {
        Address::Sim { .. } => true,
        Address::Socket { host, .. } => {
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Address::Serial { .. } => false,
    }
}

struct Bench<'a> {
    plan: &'a Plan,
    rig: &'a Rig,
    pace: &'a Pace,
}

impl Bench<'_> {
    fn sets(&self, count: u32) -> Duration {
        self.pace.set * count
    }

    fn questions(&self, count: u32) -> Duration {
        self.pace.question * count
    }

    fn step(&self, step: &Step) -> Duration {
        match step {
            Step::BeginPoint(_) | Step::BeginPhase { .. } | Step::LookEarly(_) => Duration::ZERO,
            Step::Dwell(id) => {
                let dwell = self.plan.soak.as_ref().and_then(|soak| soak.dwell(*id));
                dwell.map_or(Duration::ZERO, |dwell| dwell.span)
            }
            Step::StayOff(span) => *span,
            Step::LookBeforeStart(_) => self.questions(3),
            Step::CheckStart(_) => self.settling(),
            Step::SwitchAllOff => SWITCH + self.sets(3) + self.questions(4),
            Step::SwitchSupply(_) | Step::SwitchLoad(_) => SWITCH + self.sets(1) + self.questions(2),
            Step::SetProtection { .. } => self.sets(8) + self.questions(6),
            Step::CheckWiring => self.questions(2),
            Step::MeasureNoiseFloor => self.acquisition() * self.floors(),
            Step::SetVoltage(_) | Step::SetLoad(_) => self.sets(1) + self.questions(1),
            Step::Settle(_) => self.settling().max(self.left_in_scope()),
            Step::Measure(point) => self.questions(3 * READINGS).max(self.captures(point.0)),
        }
    }

    /// Each reading of Vout asks three questions.
    fn settling(&self) -> Duration {
        let rule = self.plan.settle;
        (rule.hold + rule.interval + self.questions(3)).max(rule.minimum)
    }

    /// All that the scope does at a point while the board stands still.
    fn captures(&self, point: u32) -> Duration {
        let Some(capture) = self.plan.capture.filter(|_| self.rig.scope.is_some()) else {
            return Duration::ZERO;
        };
        let wanted = u32::from(capture.ripple) + u32::from(capture.spikes);
        let switch_nodes = if self.has_switch_node() { wanted.saturating_sub(1) } else { 0 };
        let wants_screen = capture.screen_every > 0 && point.is_multiple_of(capture.screen_every);
        let screen = if wants_screen { self.pace.screen } else { Duration::ZERO };
        self.acquisition() * wanted + self.transfer() * switch_nodes + screen
    }

    /// The channels set up, a trace of Vout triggered, captured and read. Each channel takes six settings and five questions,
    /// time base, trigger and arming fourteen and six.
    fn acquisition(&self) -> Duration {
        let Some(capture) = self.plan.capture.filter(|_| self.rig.scope.is_some()) else {
            return Duration::ZERO;
        };
        let channels = if self.has_switch_node() { 2 } else { 1 };
        let set_up = self.sets(6 * channels + 14) + self.questions(5 * channels + 6);
        set_up + TRIGGER + capture.span + self.transfer()
    }

    /// Captures of the noise floor: one in every range that a point may use.
    fn floors(&self) -> u32 {
        self.plan
            .capture
            .map_or(0, |capture| FLOORS.0 * u32::from(capture.ripple) + FLOORS.1 * u32::from(capture.spikes))
    }

    /// One channel's trace, with what is asked around it.
    fn transfer(&self) -> Duration {
        let samples = self.plan.capture.map_or(0, |capture| capture.samples);
        self.sets(5)
            + self.questions(10)
            + Duration::from_secs_f64(samples as f64 / self.pace.bytes_per_second)
    }

    /// The switch node's last trace, which is read while the next point settles.
    fn left_in_scope(&self) -> Duration {
        let captures = self.plan.capture.is_some_and(|capture| capture.ripple || capture.spikes);
        if captures && self.has_switch_node() { self.transfer() } else { Duration::ZERO }
    }

    fn has_switch_node(&self) -> bool {
        self.rig.scope.as_ref().is_some_and(|scope| scope.lx.is_some())
    }
}
