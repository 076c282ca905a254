//! A bench with everything that can be meddled with, a sink that can fail, and the judgement at the end.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use soakrig::base::clock::Instant;
use soakrig::bench::Bench;
use soakrig::engine::{self, RunOutcome, StopWish};
use soakrig::event::{Event, PointId, RunVerdict, Sink, SinkError, Stamp};
use soakrig::instrument::dialect::Registry;
use soakrig::instrument::open::TapeFor;
use soakrig::link::transport::Opener;
use soakrig::plan::{Overrides, Plan, Rig};
use soakrig::session::{self, Opened};
use soakrig::sim::World;
use soakrig::waveform::Waveform;

/// Two points with everything that is kept of a point.
pub(super) const TWO_POINTS: &str = r#"
name = "two-points"
purpose = "Two points, quickly."
vout_nominal = "5 V"
figures = ["vin_v", "iin_a", "vout_v", "iout_a", "board_c"]

[points]
vin = ["18 V"]
load = ["30 mA", "250 mA"]
order = "written"

[settle]
band = "50 mV"
hold = "20 ms"
limit = "500 ms"

[capture]
span = "60 us"
samples = 6000
keep = true
screen_every = 2
range_attempts = 1
noise_floor = false

[[limits]]
name = "output in range"
figure = "vout_v"
min = "1 V"
max = "6 V"
"#;

/// The simulated rig whose thermometers may say the same for so long.
pub(crate) fn rig_with_frozen_after(span: &str) -> String {
    let rig = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rigs/sim.toml")).unwrap();
    let lines = rig.lines().filter(|line| !line.starts_with("frozen_after"));
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
        if line.starts_with("max_age") {
            text.push_str(&format!("frozen_after = \"{span}\"\n"));
        }
    }
    text
}

/// The longest that any disturbed run of two points may take, in simulated time.
const LONGEST: Duration = Duration::from_secs(300);

/// A plan and what it needs, from texts.
pub(super) struct Setup {
    pub(super) rig: Rig,
    pub(super) registry: Arc<Registry>,
    pub(super) plan: Plan,
}

impl Setup {
    pub(super) fn new(profile: &str) -> Self {
        let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/sim.toml");
        Self::with_rig(profile, &std::fs::read_to_string(rig).unwrap())
    }

    pub(super) fn with_rig(profile: &str, rig: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (profile_path, rig_path) = (folder.path().join("p.toml"), folder.path().join("r.toml"));
        std::fs::write(&profile_path, profile).unwrap();
        std::fs::write(&rig_path, rig).unwrap();
        let prepared = session::prepare(&profile_path, &rig_path, &Overrides::default()).unwrap();
        Self { rig: prepared.rig, registry: Arc::new(prepared.registry), plan: prepared.plan }
    }

    /// The simulated world of this rig, with `meddle` between the program and its instruments.
    pub(super) fn open_world(&self, meddle: impl FnOnce(&Opened) -> Option<Arc<dyn Opener>>) -> Stage<'_> {
        let mut opened = session::open_world(&self.rig, &self.plan.board, None).unwrap();
        if let Some(opener) = meddle(&opened) {
            opened.opener = opener;
        }
        let world = opened.world.clone().unwrap();
        Stage { setup: self, opened, world, stop: StopWish::default() }
    }

    pub(super) fn undisturbed(&self) -> Stage<'_> {
        self.open_world(|_| None)
    }
}

/// A world in which one run takes place.
pub(super) struct Stage<'s> {
    pub(super) setup: &'s Setup,
    pub(super) opened: Opened,
    pub(super) world: Arc<World>,
    pub(super) stop: StopWish,
}

/// A run that is over, its bench still open.
pub(super) struct Played {
    pub(super) outcome: RunOutcome,
    pub(super) events: Vec<Event>,
    pub(super) took: Duration,
    pub(super) world: Arc<World>,
    bench: Bench,
}

impl Stage<'_> {
    pub(super) fn open_bench(&self, tape: Option<TapeFor>) -> Result<Bench, String> {
        session::open_bench(&self.setup.rig, self.setup.registry.clone(), &self.opened, tape)
            .map(|(bench, _)| bench)
            .map_err(|error| error.to_string())
    }

    /// Opens the bench and carries the plan out.
    pub(super) fn play(&self, keeper: &mut Keeper<'_>) -> Result<Played, String> {
        let bench = self.open_bench(None)?;
        Ok(self.play_on(bench, keeper))
    }

    pub(super) fn play_on(&self, mut bench: Bench, keeper: &mut Keeper<'_>) -> Played {
        let start = self.opened.clock.now();
        let outcome = engine::run(&self.setup.plan, &mut bench, keeper, &self.stop);
        let took = self.opened.clock.now().since(start);
        let events = std::mem::take(&mut keeper.events);
        Played { outcome, events, took, world: self.world.clone(), bench }
    }
}

impl Played {
    /// What holds of every run whose supply and load can be reached in the end.
    pub(super) fn assert_safe(&self, what: &str) {
        let truth = self.world.truth();
        let told = format!("{what}: {:?}\n{truth:?}", self.outcome);
        assert!(!truth.supply_on && !truth.load_on, "an output is on. {told}");
        assert!(self.outcome.safe.verified && self.outcome.end.outputs_off_verified, "{told}");
        assert!(!self.bench.energised, "{told}");
        self.assert_told(what);
    }

    /// What holds of a run at whose end the outputs cannot be looked at.
    pub(super) fn assert_not_verified(&self, what: &str) {
        let told = format!("{what}: {:?}", self.outcome);
        assert!(!self.outcome.safe.verified && !self.outcome.end.outputs_off_verified, "{told}");
        assert_eq!(self.outcome.end.verdict, RunVerdict::Error, "{told}");
        assert!(self.outcome.end.reason.starts_with("THE OUTPUTS COULD NOT BE VERIFIED OFF"), "{told}");
        assert!(!self.outcome.safe.failures.is_empty(), "{told}");
        self.assert_told(what);
    }

    fn assert_told(&self, what: &str) {
        let told = format!("{what}: {:?}", self.outcome);
        assert!(self.took < LONGEST, "{:?} {told}", self.took);
        let finished = self.finished();
        let unlike: HashSet<PointId> = finished.iter().copied().collect();
        assert_eq!(unlike.len(), finished.len(), "a point is finished twice: {finished:?} {told}");
        assert_eq!(self.outcome.end.points_finished as usize, finished.len(), "{told}");
        if self.outcome.record_failed.is_some() || self.outcome.internal.is_some() {
            assert_eq!(self.outcome.end.verdict, RunVerdict::Error, "{told}");
            return;
        }
        assert_eq!(self.count(|event| matches!(event, Event::MadeSafe(_))), 1, "{told}");
        assert_eq!(self.events.last(), Some(&Event::RunFinished(self.outcome.end.clone())), "{told}");
    }

    pub(super) fn finished(&self) -> Vec<PointId> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::PointFinished(result) => Some(result.point),
                _ => None,
            })
            .collect()
    }

    pub(super) fn count(&self, is_meant: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| is_meant(event)).count()
    }

    pub(super) fn reason(&self) -> &str {
        &self.outcome.end.reason
    }
}

/// What the sink does at its k-th call and, where it is full, from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Full(usize),
    Panics(usize),
}

type Hook<'h> = Box<dyn FnMut(usize, &Event) + Send + 'h>;

/// Keeps events in memory and does what it is told to.
#[derive(Default)]
pub(super) struct Keeper<'h> {
    pub(super) events: Vec<Event>,
    pub(super) stamps: Vec<Instant>,
    /// Calls of any kind so far.
    pub(super) calls: usize,
    pub(super) cut: Option<Cut>,
    /// Called after each event was kept, with its number from 0.
    pub(super) hook: Option<Hook<'h>>,
}

impl<'h> Keeper<'h> {
    pub(super) fn cutting(cut: Cut) -> Self {
        Self { cut: Some(cut), ..Self::default() }
    }

    pub(super) fn hooked(hook: impl FnMut(usize, &Event) + Send + 'h) -> Self {
        Self { hook: Some(Box::new(hook)), ..Self::default() }
    }

    fn take(&mut self) -> Result<(), SinkError> {
        let call = self.calls;
        self.calls += 1;
        match self.cut {
            Some(Cut::Full(at)) if call >= at => Err(SinkError("no space left on device".to_owned())),
            Some(Cut::Panics(at)) if call == at => panic!("the sink panics at call {at}"),
            _ => Ok(()),
        }
    }
}

impl Sink for Keeper<'_> {
    fn event(&mut self, at: Stamp, event: &Event) -> Result<(), SinkError> {
        self.take()?;
        assert!(self.stamps.last().is_none_or(|last| *last <= at.monotonic), "time goes back at {event:?}");
        self.stamps.push(at.monotonic);
        self.events.push(event.clone());
        if let Some(hook) = &mut self.hook {
            hook(self.events.len() - 1, event);
        }
        Ok(())
    }
    fn waveform(&mut self, _: Stamp, _: PointId, waveform: &Waveform) -> Result<(), SinkError> {
        assert!(!waveform.volts().is_empty());
        self.take()
    }
    fn screen(&mut self, _: Stamp, _: PointId, png: &[u8]) -> Result<(), SinkError> {
        assert!(png.starts_with(b"\x89PNG"));
        self.take()
    }
}
