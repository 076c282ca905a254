//! A board that changes for good in the middle of a soak: the report finds it within a round, between rounds and between sweeps,
//! and the end against the start tells it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use soakrig::base::units::Volts;
use soakrig::engine::{self, StopWish};
use soakrig::event::{Event, FigureName, PointId, RunFacts, RunVerdict, Sink, SinkError, SoakFacts, Stamp};
use soakrig::plan::{Overrides, Plan};
use soakrig::record::{Record, Recorder, RunHeader};
use soakrig::report;
use soakrig::report::soak::sweeps::Warmth;
use soakrig::session;
use soakrig::sim::{Fault, World};
use soakrig::waveform::Waveform;

use crate::record::sweep;

/// By how much the board's output changes.
const SHIFT_V: f64 = 0.02;

const PROFILE: &str = r#"
name = "rounds"
purpose = "Four rounds of two settings, with a sweep each hour."
vout_nominal = "5 V"
figures = ["vin_v", "iin_a", "vout_v", "iout_a", "efficiency", "board_c"]

[points]
vin = ["18 V"]
load = ["250 mA"]

[soak]
readings = "5 s"
capture_every = "10 min"
sweep_every = "1 h"
rounds = 4

[[soak.phases]]
name = "full"
vin = "24 V"
load = "500 mA"
for = "30 min"

[[soak.phases]]
name = "light"
vin = "24 V"
load = "100 mA"
for = "30 min"

[interlocks]
over_temperature = "95 degC"

[capture]
span = "60 us"
samples = 6000
range_attempts = 1
noise_floor = false

[[limits]]
name = "output in range"
figure = "vout_v"
min = "4 V"
max = "6 V"
"#;

/// Keeps the record, and changes the board when a dwell has ended.
struct Planting {
    recorder: Recorder,
    world: Arc<World>,
    after: Option<u32>,
    planted: Option<Stamp>,
}

impl Sink for Planting {
    fn event(&mut self, at: Stamp, event: &Event) -> Result<(), SinkError> {
        self.recorder.event(at, event)?;
        if let Event::DwellFinished { dwell, .. } = event
            && self.after == Some(dwell.0)
        {
            self.world.inject(Fault::OutputShifts(Volts(SHIFT_V)));
            self.planted = Some(at);
        }
        Ok(())
    }
    fn waveform(&mut self, at: Stamp, point: PointId, waveform: &Waveform) -> Result<(), SinkError> {
        self.recorder.waveform(at, point, waveform)
    }
    fn screen(&mut self, at: Stamp, point: PointId, png: &[u8]) -> Result<(), SinkError> {
        self.recorder.screen(at, point, png)
    }
}

fn facts(plan: &Plan) -> RunFacts {
    let mut facts = sweep::facts("A", u32::try_from(plan.points.len()).unwrap());
    let soak = plan.soak.as_ref().unwrap();
    facts.limits = Vec::new();
    facts.soak = Some(SoakFacts {
        interval: soak.interval,
        phases: soak.phases.clone(),
        dwells_last: soak.lasts(),
        dwells: u32::try_from(soak.dwells.len()).unwrap(),
        starts: 0,
    });
    facts
}

/// The soak on the simulated bench; its folder, and when the board changed, in seconds since the start.
fn run(folder: &Path, after: Option<u32>) -> (PathBuf, Option<f64>) {
    let profile = folder.join("p.toml");
    std::fs::write(&profile, PROFILE).unwrap();
    let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/sim.toml");
    let prepared = session::prepare(&profile, &rig, &Overrides::default()).unwrap();
    let opened = session::open_world(&prepared.rig, &prepared.plan.board, None).unwrap();
    let registry = Arc::new(prepared.registry);
    let Ok((mut bench, _)) = session::open_bench(&prepared.rig, registry, &opened, None) else {
        panic!("the simulated bench does not open");
    };
    let started = Stamp { utc: opened.clock.utc(), monotonic: opened.clock.now() };
    let header = RunHeader { started, ..sweep::header("A") };
    let recorder = Recorder::create(&folder.join("runs"), &header).unwrap();
    let world = opened.world.clone().unwrap();
    let mut sink = Planting { recorder, world, after, planted: None };
    sink.event(started, &Event::RunStarted(Box::new(facts(&prepared.plan)))).unwrap();
    let outcome = engine::run(&prepared.plan, &mut bench, &mut sink, &StopWish::default());
    assert_eq!(outcome.end.verdict, RunVerdict::Pass, "{:?}", outcome.end);
    let planted = sink.planted.map(|at| at.monotonic.since(started.monotonic).as_secs_f64());
    (sink.recorder.seal().unwrap().record.folder().to_owned(), planted)
}

#[test]
fn a_board_that_changes_in_the_third_round_is_found_within_it_between_rounds_and_between_sweeps() {
    let folder = tempfile::tempdir().unwrap();
    // Three dwells a phase, six a round: the second one of the third round's first phase.
    let (run, planted_s) = run(folder.path(), Some(14));
    let planted_s = planted_s.unwrap();
    let report = report::build(&Record::open(&run).unwrap());
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    let vout = |phase: &str| {
        let setting = view.trends.iter().find(|setting| setting.phase == phase).unwrap();
        setting.trends.iter().find(|trend| trend.title == "output voltage").unwrap()
    };
    let is_shift = |change_v: f64| (change_v - SHIFT_V).abs() < 0.004;

    // Within the round.
    let full = vout("full");
    let found = &full.changes.as_ref().unwrap().found;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!((found[0].at_s - planted_s).abs() < 60.0, "{} is not {planted_s}", found[0].at_s);
    assert!(found[0].size.low > 0.0 && is_shift(found[0].size.value), "{:?}", found[0].size);

    // Between rounds: at the other setting nothing happened while it was held.
    let light = vout("light");
    assert_eq!(light.changes.as_ref().unwrap().found, Vec::new());
    let jump = light.between_rounds.unwrap();
    assert_eq!((jump.before, jump.behind), (2, 3), "{jump:?}");
    assert!(is_shift(jump.change), "{jump:?}");

    // Between sweeps: one at the start, which finds the board cold, one after each hour.
    assert_eq!((view.sweeps.count, view.sweeps.pair), (5, Some((2, 5, Warmth::Underway))));
    let of_vout =
        view.sweeps.compared[0].figures.iter().find(|(name, ..)| *name == FigureName::Vout).unwrap();
    let jump = of_vout.3.unwrap();
    assert_eq!((jump.before, jump.behind), (3, 4), "{jump:?}");
    assert!(is_shift(jump.change) && is_shift(of_vout.2.unwrap() - of_vout.1.unwrap()), "{of_vout:?}");

    // The end against the start.
    for trend in [full, light] {
        let change = trend.change.as_ref().unwrap().change;
        assert!(change.low > 0.0 && is_shift(change.value), "{change:?}");
    }
    let page = report::html::render(&report);
    for words in ["from round 2 to 3", "from sweep 3 to 4"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_board_that_does_not_change_has_no_change_of_that_size() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _) = run(folder.path(), None);
    let report = report::build(&Record::open(&run).unwrap());
    let view = report.soak.as_ref().unwrap().as_ref().unwrap();
    for setting in &view.trends {
        let vout = setting.trends.iter().find(|trend| trend.title == "output voltage").unwrap();
        assert_eq!(vout.changes.as_ref().unwrap().found, Vec::new(), "{}", setting.phase);
        assert!(vout.between_rounds.is_none_or(|jump| jump.change.abs() < SHIFT_V / 4.0), "{vout:?}");
        assert!(vout.change.as_ref().unwrap().change.value.abs() < SHIFT_V / 4.0, "{vout:?}");
    }
    assert!(view.pauses < Duration::from_secs(1800));
}
