//! A run cut on the wire: links lost at every message, once and for good; answers withheld, garbled; seeded mixtures.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use soakrig::base::clock::Clock;
use soakrig::event::{Event, RunVerdict};
use soakrig::link::transport::{Address, FaultLink, Faults, LinkError, LinkSettings, Opener, Transport};

use super::stage::{Keeper, Played, Setup, TWO_POINTS};

/// What happens to one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mishap {
    /// The link is lost; a new one can be opened.
    LostOnce,
    /// The link is lost, and no new one can be opened.
    LostForGood,
    /// The message arrives, its answer does not.
    Silent,
    /// The answer is garbage.
    Garbage,
    /// The program itself falters.
    Panic,
}

/// What all links of a bench share.
struct Trouble {
    at: usize,
    mishap: Mishap,
    /// Messages so far, over all links.
    count: usize,
    /// To whom it happened.
    whom: Option<String>,
}

struct Meddler {
    inner: Arc<dyn Opener>,
    clock: Arc<dyn Clock>,
    trouble: Arc<Mutex<Trouble>>,
}

struct MeddledLink {
    inner: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    trouble: Arc<Mutex<Trouble>>,
    name: String,
    is_lost: bool,
    next_answer: Option<Mishap>,
}

fn lost() -> LinkError {
    LinkError::Lost("cut by the test".to_owned())
}

impl Opener for Meddler {
    fn open(&self, address: &Address, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
        let name = address.to_string();
        {
            let trouble = self.trouble.lock().unwrap();
            if trouble.mishap == Mishap::LostForGood && trouble.whom.as_ref() == Some(&name) {
                return Err(LinkError::NotOpened { address: name, reason: "cut by the test".to_owned() });
            }
        }
        Ok(Box::new(MeddledLink {
            inner: self.inner.open(address, settings)?,
            clock: self.clock.clone(),
            trouble: self.trouble.clone(),
            name,
            is_lost: false,
            next_answer: None,
        }))
    }
}

impl MeddledLink {
    /// Counts a message; what happens to it.
    fn pass(&mut self) -> Result<Option<Mishap>, LinkError> {
        let mut trouble = self.trouble.lock().unwrap();
        let is_dead = trouble.mishap == Mishap::LostForGood && trouble.whom.as_ref() == Some(&self.name);
        if self.is_lost || is_dead {
            return Err(lost());
        }
        let number = trouble.count;
        trouble.count += 1;
        if number != trouble.at {
            return Ok(None);
        }
        trouble.whom = Some(self.name.clone());
        let mishap = trouble.mishap;
        drop(trouble);
        match mishap {
            Mishap::LostOnce | Mishap::LostForGood => {
                self.is_lost = true;
                Err(lost())
            }
            Mishap::Panic => panic!("the link panics at message {number}"),
            Mishap::Silent | Mishap::Garbage => Ok(Some(mishap)),
        }
    }
}

impl Transport for MeddledLink {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        if let Some(mishap) = self.pass()? {
            self.next_answer = Some(mishap);
        }
        self.inner.send(message)
    }

    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        if self.is_lost {
            return Err(lost());
        }
        // A sensor is never sent anything: its lines are the messages.
        if self.name.contains("thermometer")
            && let Some(mishap) = self.pass()?
        {
            self.next_answer = Some(mishap);
        }
        match self.next_answer.take() {
            Some(Mishap::Silent) => {
                let start = self.clock.now();
                let _ = self.inner.receive(timeout);
                self.clock.sleep(timeout.saturating_sub(self.clock.now().since(start)));
                Err(LinkError::TimedOut(timeout))
            }
            Some(_) => self.inner.receive(timeout).map(|_| b"\x00\xff#9;,%".to_vec()),
            None => self.inner.receive(timeout),
        }
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        if self.is_lost { Err(lost()) } else { self.inner.clear() }
    }
}

/// Without screen and kept traces, and with one acquisition: every message counts.
fn quick() -> Setup {
    let profile = TWO_POINTS.replace("keep = true", "spikes = false").replace("screen_every = 2", "");
    Setup::new(&profile)
}

/// Plays with `mishap` at message `at`: what came of it, to whom it happened, and how many messages there were.
fn play(setup: &Setup, mishap: Mishap, at: usize) -> (Result<Played, String>, Option<String>, usize) {
    let trouble = Arc::new(Mutex::new(Trouble { at, mishap, count: 0, whom: None }));
    let stage = setup.open_world(|opened| {
        let (inner, clock) = (opened.opener.clone(), opened.clock.clone());
        Some(Arc::new(Meddler { inner, clock, trouble: trouble.clone() }))
    });
    let played = stage.play(&mut Keeper::default());
    let truth = stage.world.truth();
    if played.is_err() {
        assert!(!truth.supply_on && !truth.load_on, "{mishap:?} at {at}: {truth:?}");
    }
    let trouble = trouble.lock().unwrap();
    (played, trouble.whom.clone(), trouble.count)
}

/// Every message of a run, in `parts` interleaved parts so that they can be played side by side.
fn for_every_message(mishap: Mishap, judge: impl Fn(&str, &str, &Played) + Sync) {
    let setup = quick();
    let (_, _, count) = play(&setup, mishap, usize::MAX);
    assert!(count > 200, "{count}");
    std::thread::scope(|scope| {
        for part in 0..2 {
            let (setup, judge) = (&setup, &judge);
            scope.spawn(move || {
                for at in (part..count).step_by(2) {
                    let (played, whom, _) = play(setup, mishap, at);
                    let whom = whom.unwrap_or_default();
                    let what = format!("{mishap:?} at message {at} of {whom}");
                    match played {
                        Ok(played) => judge(&what, &whom, &played),
                        // A single mishap does not keep a bench from being opened; one that is, is judged already.
                        Err(told) => assert_eq!(mishap, Mishap::LostForGood, "{what}: {told}"),
                    }
                }
            });
        }
    });
}

#[test]
fn a_link_lost_at_any_message_is_opened_anew_and_the_run_completes() {
    for_every_message(Mishap::LostOnce, |what, whom, played| {
        played.assert_safe(what);
        let verdict = played.outcome.end.verdict;
        assert_eq!(verdict, RunVerdict::Pass, "{what}: {}", played.reason());
        assert_eq!(played.finished().len(), 2, "{what} {whom}");
    });
}

#[test]
fn a_link_lost_for_good_at_any_message_leaves_off_what_can_be_reached_and_tells_the_rest_loudly() {
    for_every_message(Mishap::LostForGood, |what, whom, played| {
        let truth = played.world.truth();
        match whom {
            "SIM::supply" => {
                assert!(!truth.load_on, "{what}: {truth:?}");
                // The very last question may have been answered before.
                if !played.outcome.safe.verified {
                    played.assert_not_verified(what);
                }
            }
            "SIM::load" => {
                assert!(!truth.supply_on, "{what}: {truth:?}");
                if !played.outcome.safe.verified {
                    played.assert_not_verified(what);
                }
            }
            _ => played.assert_safe(what),
        }
    });
}

#[test]
fn an_answer_withheld_at_any_message_is_asked_for_again() {
    for_every_message(Mishap::Silent, |what, _, played| {
        played.assert_safe(what);
        assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{what}: {}", played.reason());
    });
}

#[test]
fn garbage_at_any_message_is_taken_for_no_answer() {
    for_every_message(Mishap::Garbage, |what, _, played| {
        played.assert_safe(what);
        assert_eq!(played.outcome.end.verdict, RunVerdict::Pass, "{what}: {}", played.reason());
    });
}

#[test]
fn a_panic_at_any_message_leaves_the_outputs_off() {
    let setup = quick();
    let (_, _, count) = play(&setup, Mishap::Panic, usize::MAX);
    let stage = setup.undisturbed();
    drop(stage.open_bench(None).unwrap());
    // Opening the bench is before the engine; its panics pass through, with nothing switched on.
    for at in (60..count).step_by(3) {
        let trouble = Arc::new(Mutex::new(Trouble { at, mishap: Mishap::Panic, count: 0, whom: None }));
        let stage = setup.open_world(|opened| {
            let (inner, clock) = (opened.opener.clone(), opened.clock.clone());
            Some(Arc::new(Meddler { inner, clock, trouble: trouble.clone() }))
        });
        let bench = stage.open_bench(None).unwrap();
        let played = stage.play_on(bench, &mut Keeper::default());
        played.assert_safe(&format!("panic at message {at}"));
    }
}

struct FaultyOpener {
    inner: Arc<dyn Opener>,
    clock: Arc<dyn Clock>,
    seed: Mutex<u64>,
    faults: Mutex<Faults>,
}

impl Opener for FaultyOpener {
    fn open(&self, address: &Address, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
        let inner = self.inner.open(address, settings)?;
        if address.to_string().contains("thermometer") {
            return Ok(inner);
        }
        let mut seed = self.seed.lock().unwrap();
        *seed += 1;
        let faults = *self.faults.lock().unwrap();
        Ok(Box::new(FaultLink::new(inner, self.clock.clone(), *seed, faults)))
    }
}

#[test]
fn mixtures_of_faults_end_with_the_outputs_off_or_loudly_not_verified() {
    let setup = quick();
    let ms = Duration::from_millis;
    let mixtures = [
        Faults { cut: 0.002, ..Faults::default() },
        Faults { drop: 0.002, delay: ms(50), ..Faults::default() },
        Faults { late: 0.002, late_by: ms(1500), ..Faults::default() },
        Faults { half: 0.002, cut: 0.001, ..Faults::default() },
        Faults {
            drop: 0.05,
            cut: 0.02,
            late: 0.03,
            late_by: ms(3000),
            half: 0.02,
            delay: ms(200),
            corrupt: 0.0,
        },
        Faults { drop: 0.3, cut: 0.1, late: 0.1, late_by: ms(3000), half: 0.1, delay: ms(200), corrupt: 0.0 },
    ];
    let (mut opened, mut passed) = (0, 0);
    for (index, faults) in mixtures.into_iter().enumerate() {
        for seed in 0..25 {
            let what = format!("mixture {index} seed {seed}");
            let stage = setup.open_world(|opened| {
                Some(Arc::new(FaultyOpener {
                    inner: opened.opener.clone(),
                    clock: opened.clock.clone(),
                    seed: Mutex::new(seed * 1000),
                    faults: Mutex::new(faults),
                }))
            });
            let Ok(played) = stage.play(&mut Keeper::default()) else {
                let truth = stage.world.truth();
                assert!(!truth.supply_on && !truth.load_on, "{what}: {truth:?}");
                continue;
            };
            opened += 1;
            if played.outcome.safe.verified {
                played.assert_safe(&what);
            } else {
                assert!(index >= 4, "{what}: {:?}", played.outcome);
                played.assert_not_verified(&what);
            }
            passed += usize::from(played.outcome.end.verdict == RunVerdict::Pass);
            assert!(played.outcome.internal.is_none(), "{what}: {:?}", played.outcome);
        }
    }
    assert!(opened > 90 && passed > 50, "opened {opened}, passed {passed} of 150");
}

#[test]
fn attempts_are_counted_from_one_and_only_told_where_it_was_tried_again() {
    let setup = quick();
    let mut attempts = Vec::new();
    for at in (100..200).step_by(20) {
        let (played, _, _) = play(&setup, Mishap::LostOnce, at);
        attempts.extend(played.unwrap().events.iter().filter_map(|event| match event {
            Event::Retried { attempt, .. } => Some(*attempt),
            _ => None,
        }));
    }
    assert!(!attempts.is_empty() && attempts.iter().all(|attempt| *attempt == 1), "{attempts:?}");
}
