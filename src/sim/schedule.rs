//! Faults by a seed: what goes wrong on the simulated bench, when, and for how long. Pure: the same seed and the same length
//! of the run give the same schedule, and a bench that follows it needs nobody who injects.

use std::fmt;
use std::time::Duration;

use super::fault::{Fault, Spoiling};
use super::plant::noise::Generator;
use super::world::Instrument;
use crate::base::span::render_span;
use crate::base::units::Kelvins;

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// When, from the beginning of the run.
    pub at: Duration,
    /// How long; zero for what is over at once, `None` for what nobody mends.
    pub lasts: Option<Duration>,
    /// What.
    pub mishap: Mishap,
}

/// What goes wrong: on the bench, or beside it.
#[derive(Debug, Clone, PartialEq)]
pub enum Mishap {
    /// On the bench.
    Bench(Fault),
    /// The controller's disk is full from then on.
    DiskFull,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.mishap {
            Mishap::Bench(fault) => fault.to_string(),
            Mishap::DiskFull => "the controller's disk is full".to_owned(),
        };
        let seconds = self.at.as_secs();
        let at = format!("{:>3}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        match self.lasts {
            Some(Duration::ZERO) => write!(f, "{at}  {what}"),
            Some(span) => write!(f, "{at}  {what}, for {}", render_span(span)),
            None => write!(f, "{at}  {what}, to the end"),
        }
    }
}

/// The mean time between two troubles, and the most of them: a run of weeks is disturbed by the day, not by the minute.
const BETWEEN: Duration = Duration::from_secs(2 * 3600);
const MOST: u64 = 40;

/// What `seed` does to a run of about `span`.
///
/// A handful of troubles that a bench gets over stand one behind the other, never two at a time. One seed in four ends in one
/// that cannot be got over: the supply's own protection trips, the board is far too hot, an output does not obey any more,
/// an instrument hangs for good, or the disk is full.
#[must_use]
pub fn build_schedule(seed: u64, span: Duration) -> Vec<Trouble> {
    let mut random = Generator::seeded(seed ^ 0xfa17);
    let count = 2 + (span.as_secs() / BETWEEN.as_secs()).min(MOST - 4) + random.bits() % 3;
    // Not within the first moments, in which nothing is set yet; a slot each, so that none begins before the last is over.
    let slot = span.mul_f64(0.9) / u32::try_from(count).unwrap_or(u32::MAX);
    let mut schedule: Vec<Trouble> = (0..count)
        .map(|place| {
            let begins = span.mul_f64(0.05) + slot * u32::try_from(place).unwrap_or(u32::MAX);
            let at = begins + slot.mul_f64(0.4 * random.uniform());
            let (fault, longest) = passing(&mut random);
            let lasts = longest.min(slot / 2).mul_f64(random.between(0.1, 1.0));
            Trouble { at: whole(at), lasts: Some(whole(lasts)), mishap: Mishap::Bench(fault) }
        })
        .collect();
    if random.bits().is_multiple_of(4) {
        let at = whole(span.mul_f64(random.between(0.3, 0.95)));
        schedule.retain(|trouble| trouble.at + trouble.lasts.unwrap_or_default() < at);
        schedule.push(lasting(at, &mut random));
    }
    schedule
}

/// To the tenth of a second, so that a table shows what is done.
fn whole(span: Duration) -> Duration {
    Duration::from_millis(span.as_millis() as u64 / 100 * 100)
}

fn talking(random: &mut Generator) -> Instrument {
    [Instrument::Supply, Instrument::Load][(random.bits() % 2) as usize]
}

/// Something that passes, and the longest it lasts.
fn passing(random: &mut Generator) -> (Fault, Duration) {
    let seconds = Duration::from_secs;
    let who = talking(random);
    let any = Instrument::ALL[(random.bits() % 4) as usize];
    match random.bits() % 10 {
        0 | 1 => (Fault::LinkDrops(any), Duration::ZERO),
        2 => (Fault::Reboots(any), Duration::ZERO),
        3 => (Fault::Hangs(who), seconds(8)),
        4 => (Fault::ThermometerFreezes, seconds(120)),
        5 => (Fault::ThermometerFallsSilent, seconds(40)),
        _ => (Fault::Answers(who, Spoiling::ALL[(random.bits() % 5) as usize]), seconds(60)),
    }
}

/// What brings a board at rest in a cool room above any limit that a profile sets.
const TOO_HOT: Kelvins = Kelvins(75.0);

/// Something that nobody gets over.
fn lasting(at: Duration, random: &mut Generator) -> Trouble {
    let (lasts, mishap) = match random.bits() % 6 {
        0 => (Some(Duration::ZERO), Mishap::Bench(Fault::ProtectionTrips)),
        1 => (None, Mishap::Bench(Fault::BoardOverheats(TOO_HOT))),
        2 => (None, Mishap::Bench(Fault::LoadStuckOn)),
        3 => (None, Mishap::Bench(Fault::SupplyStuckOn)),
        4 => (None, Mishap::Bench(Fault::Hangs(talking(random)))),
        _ => (None, Mishap::DiskFull),
    };
    Trouble { at, lasts, mishap }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_means_the_same_troubles_and_they_stand_one_behind_the_other() {
        for seed in 0..2000 {
            let span = Duration::from_secs(600 + 977 * (seed % 300));
            let schedule = build_schedule(seed, span);
            assert_eq!(schedule, build_schedule(seed, span));
            assert!((1..=MOST as usize + 1).contains(&schedule.len()), "{seed}: {}", schedule.len());
            for pair in schedule.windows(2) {
                let over = pair[0].at + pair[0].lasts.expect("only the last one lasts");
                assert!(over <= pair[1].at, "{seed}: {pair:?}");
            }
            assert!(schedule.iter().all(|trouble| trouble.at < span));
        }
    }

    #[test]
    fn every_kind_of_trouble_comes_in_some_seed() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..400 {
            for trouble in build_schedule(seed, Duration::from_secs(1800)) {
                let told = trouble.to_string();
                let what = told.trim_start().split_once("  ").unwrap().1;
                seen.insert(what.split(", ").next().unwrap().to_owned());
            }
        }
        // Four links and four reboots, two that hang, two ways of the thermometer, five of the answers of two; and a trip, a
        // hot board, two outputs that stay on, and the disk.
        assert_eq!(seen.len(), 4 + 4 + 2 + 2 + 5 * 2 + 1 + 1 + 2 + 1, "{seen:#?}");
    }

    #[test]
    fn a_schedule_is_told_as_a_table() {
        let table: Vec<String> =
            build_schedule(2, Duration::from_secs(6 * 3600)).iter().map(Trouble::to_string).collect();
        insta::assert_snapshot!(table.join("\n"));
    }
}
