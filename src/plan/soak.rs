//! A soak taken apart: phases to legs, legs to dwells with captures and sweeps between them. Pure.

use std::time::Duration;

use super::profile::soak::{Amount, Evidence, Pattern, Phase, Rounds, Soak};
use crate::base::random::Random;
use crate::event::{DwellId, PhaseSpan, Setting};
use crate::trend::Criterion;

/// Most dwells of a plan: a power cycle of ten seconds for eleven days.
pub(super) const MOST_DWELLS: usize = 200_000;

/// A time at one setting, with readings at the soak's interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedDwell {
    /// Its number, from 1, in the order of the plan.
    pub id: DwellId,
    /// Place of its phase in the profile, from 0.
    pub phase: u16,
    /// Which time its phase is gone through, from 1.
    pub round: u32,
    /// What is set; with the outputs off, what was set before.
    pub setting: Setting,
    /// Whether load and supply are on.
    pub is_on: bool,
    /// How long it lasts; with `until`, how long at most.
    pub span: Duration,
    /// Ends it as soon as the board is in thermal steady state.
    pub until: Option<Criterion>,
    /// Whether the next dwell waits on for the same steady state: only a capture comes between.
    pub goes_on: bool,
}

/// What a plan knows of its soak.
#[derive(Debug, Clone, PartialEq)]
pub struct SoakPlan {
    /// Time between two readings.
    pub interval: Duration,
    /// Names of the phases, by their places.
    pub phases: Vec<String>,
    /// A run that was cut off for longer warms the board up again.
    pub rewarm_after: Duration,
    /// The criterion by which it is warm: that of the profile's first phase with one.
    pub warm: Option<Criterion>,
    /// Warming up again, of a run that is gone on with after a gap.
    pub warming: Option<PlannedDwell>,
    /// The dwells in the order of the plan.
    pub dwells: Vec<PlannedDwell>,
    /// What is set at each start that is looked at.
    pub starts: Vec<Setting>,
    /// How many sweeps there are.
    pub sweeps: u32,
    /// Time between two captures, where there are some.
    pub capture_every: Option<Duration>,
    /// Which traces of the captures are kept.
    pub evidence: Evidence,
    /// Whether, and by which rule, it may end before its time.
    pub early: Option<PlannedEarly>,
}

/// Looks at whether the answer of a soak is clear before its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedEarly {
    /// Place of the phase, the last one.
    pub phase: u16,
    /// What it holds.
    pub setting: Setting,
    /// How long it lasts.
    pub lasts: Duration,
    /// How many looks.
    pub looks: u32,
    /// How sure to be over all of them.
    pub confidence: f64,
}

impl PlannedEarly {
    /// How much of the phase is done at a look, which count from 1.
    #[must_use]
    pub fn due(&self, look: u32) -> Duration {
        (self.lasts * look) / (self.looks + 1)
    }

    /// The confidence in per cent.
    #[must_use]
    pub fn percent(&self) -> f64 {
        (self.confidence * 1e4).round() / 1e2
    }
}

impl SoakPlan {
    /// The longest time that one setting of the phase at this place is held with the outputs on, captures between or not; `None` where
    /// they are never on.
    #[must_use]
    pub fn longest_held(&self, phase: usize) -> Option<Duration> {
        let (mut longest, mut held) = (None, (None, Duration::ZERO));
        for dwell in self.dwells.iter().filter(|dwell| usize::from(dwell.phase) == phase) {
            let setting = dwell.is_on.then_some(dwell.setting);
            held = if setting == held.0 { (setting, held.1 + dwell.span) } else { (setting, dwell.span) };
            longest = longest.max(setting.map(|_| held.1));
        }
        longest
    }

    /// The dwell of that number.
    #[must_use]
    pub fn dwell(&self, id: DwellId) -> Option<&PlannedDwell> {
        if id == DwellId::WARMING {
            return self.warming.as_ref();
        }
        self.dwells.get(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }

    /// How long the dwells of each phase last together, each time that it is gone through, in the plan's order.
    #[must_use]
    pub fn phase_spans(&self) -> Vec<PhaseSpan> {
        let mut spans: Vec<PhaseSpan> = Vec::new();
        for PlannedDwell { phase, round, span, .. } in &self.dwells {
            match spans.last_mut() {
                Some(last) if (last.phase, last.round) == (*phase, *round) => last.lasts += *span,
                _ => spans.push(PhaseSpan { phase: *phase, round: *round, lasts: *span }),
            }
        }
        spans
    }

    /// How long the dwells last together, where none ends early.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.dwells.iter().map(|dwell| dwell.span).sum()
    }

    /// How long those last together that do not end in thermal steady state.
    #[must_use]
    pub fn lasts_at_least(&self) -> Duration {
        self.dwells.iter().filter(|dwell| dwell.until.is_none()).map(|dwell| dwell.span).sum()
    }
}

/// A stretch of a phase at one setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Leg {
    pub(super) phase: u16,
    pub(super) round: u32,
    pub(super) setting: Setting,
    pub(super) span: Duration,
    pub(super) until: Option<Criterion>,
    pub(super) kind: LegKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LegKind {
    /// At its setting, whatever was set before.
    Held,
    /// Load and supply off.
    Off,
    /// Switched on from off, with a look at the start.
    Start,
}

/// All legs of a soak, or `None` where there would be too many.
pub(super) fn legs(soak: &Soak) -> Option<Vec<Leg>> {
    let mut legs = Vec::new();
    let mut lasted = Duration::ZERO;
    let rounds = match soak.rounds {
        Rounds::Count(rounds) => rounds,
        Rounds::Lasting(_) => u32::MAX,
    };
    for round in 1..=rounds {
        for (place, phase) in soak.phases.iter().enumerate().filter(|(_, phase)| round == 1 || !phase.once) {
            let first = legs.len();
            append(&mut legs, (u16::try_from(place).ok()?, round), phase)?;
            for leg in first..legs.len() {
                let left = match soak.rounds {
                    Rounds::Lasting(most) => most.saturating_sub(lasted),
                    Rounds::Count(_) => Duration::MAX,
                };
                if left.is_zero() {
                    legs.truncate(leg);
                    return Some(legs);
                }
                // Nobody knows how long warming up takes: it comes on top, and the duration is filled whenever it ends.
                if legs[leg].until.is_none() {
                    legs[leg].span = legs[leg].span.min(left);
                    lasted += legs[leg].span;
                }
            }
        }
        if legs.len() > MOST_DWELLS {
            return None;
        }
        if matches!(soak.rounds, Rounds::Lasting(most) if lasted >= most) {
            break;
        }
    }
    Some(legs)
}

fn append(legs: &mut Vec<Leg>, (place, round): (u16, u32), phase: &Phase) -> Option<()> {
    let held = |setting: Setting, span: Duration| Leg {
        phase: place,
        round,
        setting,
        span,
        until: None,
        kind: LegKind::Held,
    };
    let settings = settings(phase);
    let first = *settings.first()?;
    match phase.pattern {
        Pattern::Hold { lasts, until } => legs.push(Leg { until, ..held(first, lasts) }),
        Pattern::Steps { each, until } => {
            let wanted = amount(until, each, settings.len())?;
            legs.extend(settings.iter().cycle().take(wanted.0).map(|setting| held(*setting, each)));
            cut_last(legs, wanted.1);
        }
        Pattern::Ramp { period, cycles } => {
            // There and back without standing twice at the turning points.
            let back = settings.iter().rev().skip(1).take(settings.len().saturating_sub(2));
            let way: Vec<Setting> = settings.iter().chain(back).copied().collect();
            let wanted = way.len().checked_mul(cycles as usize).filter(|count| *count <= MOST_DWELLS)?;
            let each = period / u32::try_from(way.len()).ok()?;
            legs.extend(way.iter().cycle().take(wanted).map(|setting| held(*setting, each)));
        }
        Pattern::Random { each, lasts, seed } => {
            let wanted = amount(Amount::Lasting(lasts), each, 1)?;
            // Another draw in every round, but the same in every run.
            let mut random = Random::seeded(seed ^ (u64::from(round) << 32));
            for _ in 0..wanted.0 {
                let vin = draw(&phase.vin, &mut random)?;
                let load = draw(&phase.load, &mut random)?;
                legs.push(held(Setting { vin, load }, each));
            }
            cut_last(legs, wanted.1);
        }
        Pattern::PowerCycle { on, off, until } => {
            let wanted = amount(until, on + off, 1)?.0;
            for _ in 0..wanted {
                legs.push(Leg { kind: LegKind::Off, ..held(first, off) });
                legs.push(Leg { kind: LegKind::Start, ..held(first, on) });
            }
        }
    }
    Some(())
}

/// Every input voltage with every load, as written.
fn settings(phase: &Phase) -> Vec<Setting> {
    let rows = phase.vin.iter();
    rows.flat_map(|vin| phase.load.iter().map(|load| Setting { vin: *vin, load: *load })).collect()
}

/// How many values are held, and what is cut off the last one.
fn amount(until: Amount, each: Duration, values: usize) -> Option<(usize, Duration)> {
    let (count, cut) = match until {
        Amount::Cycles(cycles) => (values.checked_mul(cycles as usize)?, Duration::ZERO),
        Amount::Lasting(lasts) => {
            let count = lasts.as_nanos().div_ceil(each.as_nanos().max(1));
            let count = usize::try_from(count).ok()?;
            (count, each.checked_mul(u32::try_from(count).ok()?)?.saturating_sub(lasts))
        }
    };
    (count <= MOST_DWELLS).then_some((count, cut))
}

fn cut_last(legs: &mut [Leg], cut: Duration) {
    if let Some(last) = legs.last_mut() {
        last.span = last.span.saturating_sub(cut);
    }
}

fn draw<T: Copy>(values: &[T], random: &mut Random) -> Option<T> {
    values.get(random.below(values.len())).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::{Amps, Volts};

    fn phase(pattern: Pattern) -> Phase {
        let (vin, load) = (vec![Volts(24.0)], vec![Amps(0.1), Amps(0.5)]);
        Phase { name: "x".to_owned(), pattern, vin, load, once: false, early_stop: None }
    }

    fn drawn(soak: &Soak) -> String {
        let word = |leg: &Leg| match leg.kind {
            LegKind::Off => format!("off/{}s", leg.span.as_secs()),
            kind => {
                let start = if kind == LegKind::Start { "start " } else { "" };
                format!("{start}{}/{}s", leg.setting.load, leg.span.as_secs())
            }
        };
        legs(soak).unwrap().iter().map(word).collect::<Vec<_>>().join("  ")
    }

    fn soak(rounds: Rounds, phases: Vec<Phase>) -> Soak {
        let second = Duration::from_secs(1);
        Soak {
            readings: second,
            capture_every: None,
            sweep_every: None,
            rounds,
            rewarm_after: second,
            evidence: Evidence::default(),
            phases,
        }
    }

    #[test]
    fn patterns_become_legs() {
        let s = Duration::from_secs;
        let lasting = Amount::Lasting(s(25));
        let patterns = [
            Pattern::Hold { lasts: s(30), until: None },
            Pattern::Steps { each: s(10), until: Amount::Cycles(2) },
            Pattern::Steps { each: s(10), until: lasting },
            Pattern::Ramp { period: s(10), cycles: 2 },
            Pattern::Random { each: s(10), lasts: s(45), seed: 3 },
            Pattern::PowerCycle { on: s(8), off: s(4), until: Amount::Cycles(2) },
        ];
        let told: Vec<String> =
            patterns.map(|pattern| drawn(&soak(Rounds::Count(1), vec![phase(pattern)]))).to_vec();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn a_duration_is_filled_by_rounds_and_cuts_the_last_leg() {
        let s = Duration::from_secs;
        let mut warm = phase(Pattern::Hold { lasts: s(20), until: None });
        warm.once = true;
        let steps = phase(Pattern::Steps { each: s(10), until: Amount::Cycles(1) });
        insta::assert_snapshot!(drawn(&soak(Rounds::Lasting(s(55)), vec![warm, steps])));
    }

    #[test]
    fn a_duration_is_filled_however_soon_the_board_is_warm() {
        let s = Duration::from_secs;
        let warm = phase(Pattern::Hold { lasts: s(40), until: Criterion::parse("1 K/h").ok() });
        let steps = phase(Pattern::Steps { each: s(10), until: Amount::Cycles(1) });
        let phases = || vec![Phase { once: true, ..warm.clone() }, steps.clone()];
        let soak = |rounds| soak(rounds, phases());
        let of_steps = |rounds| -> u64 {
            let legs = legs(&soak(rounds)).unwrap();
            assert_eq!(legs[0].span, s(40), "as long as it may take");
            legs[1..].iter().map(|leg| leg.span.as_secs()).sum()
        };
        assert_eq!(of_steps(Rounds::Lasting(s(55))), 55);
        assert_eq!(of_steps(Rounds::Lasting(s(30))), 30, "also where the warming up may last longer");
        assert_eq!(of_steps(Rounds::Count(2)), 40);
    }

    #[test]
    fn a_soak_without_end_is_refused() {
        let steps =
            phase(Pattern::Steps { each: Duration::from_millis(100), until: Amount::Cycles(1_000_000) });
        assert_eq!(legs(&soak(Rounds::Count(1), vec![steps])), None);
    }
}
