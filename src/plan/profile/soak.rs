//! The soak of a profile: phases that follow one another for hours or days.

use std::time::Duration;

use schemars::{Schema, json_schema as schema_of};

use super::axis::check_levels;
use super::schema::{EarlyStopFile, EvidenceFile, PhaseFile, SoakFile};
use crate::base::span::render_span;
use crate::base::units::{Amps, Volts};
use crate::plan::document::Document;
use crate::plan::written::{FromScalar, Ratio, Scalar, Written, Wrong, choose};
use crate::trend::{CRITERIA, Criterion};

/// Most phases of a profile: more than anybody reads.
const MOST_PHASES: usize = 100;
/// The longest soak: a year.
const LONGEST_MS: u64 = 366 * 86_400_000;

/// What makes a profile a soak.
#[derive(Debug, Clone, PartialEq)]
pub struct Soak {
    /// Time between two readings.
    pub readings: Duration,
    /// Time between two captures; `None`: no captures.
    pub capture_every: Option<Duration>,
    /// Time between two sweeps; `None`: one at the start and one at the end.
    pub sweep_every: Option<Duration>,
    /// How often the phases are gone through.
    pub rounds: Rounds,
    /// A run that was cut off for longer than this warms the board up again before it goes on.
    pub rewarm_after: Duration,
    /// Which traces of the captures are kept.
    pub evidence: Evidence,
    /// The phases.
    pub phases: Vec<Phase>,
}

/// Which traces of a soak are kept, where the capture does not keep them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// Captures before a broken limit, a hold or a trip.
    pub before: u32,
    /// Captures after it.
    pub after: u32,
    /// So many of the worst captures in every column of `points.csv` that a board gets worse in.
    pub worst: u32,
    /// Every so many-th capture; 0: none.
    pub every: u32,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { before: 12, after: 6, worst: 3, every: 6 }
    }
}

/// How often the phases of a soak are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounds {
    /// So many times.
    Count(u32),
    /// Again and again until they have lasted so long together; those that end in thermal steady state come on top.
    Lasting(Duration),
}

/// A phase of a soak.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// What is done with the values.
    pub pattern: Pattern,
    /// Input voltages.
    pub vin: Vec<Volts>,
    /// Load currents.
    pub load: Vec<Amps>,
    /// Whether it belongs to the first round only.
    pub once: bool,
    /// Whether, and by which rule, the soak may end in it before its time.
    pub early_stop: Option<EarlyStop>,
}

/// The rule by which a soak may end before its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyStop {
    /// How many looks, spread evenly over the phase before its end.
    pub looks: u32,
    /// How sure to be over all looks.
    pub confidence: f64,
}

/// What a phase does with its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pattern {
    /// One value for a time, or until the board is in thermal steady state.
    Hold {
        /// How long; with `until`, how long at most.
        lasts: Duration,
        /// The criterion.
        until: Option<Criterion>,
    },
    /// All values, each for a time.
    Steps {
        /// Time at each value.
        each: Duration,
        /// When it ends.
        until: Amount,
    },
    /// From the first value to the last and back in equal stairs: instruments know no slope.
    Ramp {
        /// Time of one way there and back.
        period: Duration,
        /// How many ways there and back.
        cycles: u32,
    },
    /// Values drawn with a seed, each for a time.
    Random {
        /// Time at each value.
        each: Duration,
        /// How long together.
        lasts: Duration,
        /// The seed.
        seed: u64,
    },
    /// The input off and on again, with a look at each start.
    PowerCycle {
        /// Time with the input on.
        on: Duration,
        /// Time with it off.
        off: Duration,
        /// When it ends.
        until: Amount,
    },
}

/// How much of a pattern there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Whole passes.
    Cycles(u32),
    /// A time; the last value is cut short.
    Lasting(Duration),
}

impl FromScalar for Criterion {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        let text = match scalar {
            Scalar::Text(text) => text.clone(),
            other => other.to_string(),
        };
        Self::parse(&text).map_err(|error| Wrong::from(error.to_string()))
    }
    fn schema() -> Schema {
        let names = CRITERIA.map(|known| format!("`{}` ({})", known.name, known.asks())).join(", ");
        let told = format!(
            "A criterion for thermal steady state, by name or of one's own as in `0.5 K/2 h`. Names: {names}."
        );
        schema_of!({ "type": "string", "description": told })
    }
}

/// The pattern of a phase as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatternWord {
    Hold,
    Steps,
    Ramp,
    Random,
    PowerCycle,
}

impl FromScalar for PatternWord {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        let words = [
            ("hold", Self::Hold),
            ("steps", Self::Steps),
            ("ramp", Self::Ramp),
            ("random", Self::Random),
            ("power_cycle", Self::PowerCycle),
        ];
        choose(scalar, &words)
    }
    fn schema() -> Schema {
        schema_of!({ "type": "string", "enum": ["hold", "steps", "ramp", "random", "power_cycle"] })
    }
}

pub(super) fn check_soak(document: &mut Document, file: &SoakFile) -> Option<Soak> {
    let readings = check_time(document, "soak.readings", file.readings.as_ref(), (100, 3_600_000));
    let capture = check_time(document, "soak.capture_every", file.capture_every.as_ref(), (1000, LONGEST_MS));
    let sweep = check_time(document, "soak.sweep_every", file.sweep_every.as_ref(), (60_000, LONGEST_MS));
    let duration = check_time(document, "soak.duration", file.duration.as_ref(), (1000, LONGEST_MS));
    let rewarm = check_time(document, "soak.rewarm_after", file.rewarm_after.as_ref(), (0, LONGEST_MS));
    let rounds = document.take("soak.rounds", file.rounds.as_ref());
    let rounds = document.within("soak.rounds", rounds, (1, 1_000_000));
    if file.duration.is_some() && file.rounds.is_some() {
        let told = ("a soak lasts a `duration` or a number of `rounds`, not both", "the duration");
        document.contradiction("soak.rounds", "soak.duration", told);
    }
    let Some(files) = &file.phases else {
        document.missing("soak.phases");
        return None;
    };
    if files.is_empty() || files.len() > MOST_PHASES {
        document.fault("soak.phases", format!("1 to {MOST_PHASES} phases are possible, not {}", files.len()));
        return None;
    }
    let phases: Vec<Option<Phase>> =
        files.iter().enumerate().map(|(index, file)| check_phase(document, index, file)).collect();
    let phases = phases.into_iter().collect::<Option<Vec<_>>>()?;
    check_names(document, &phases);
    let fills = |phase: &Phase| !phase.once && !matches!(phase.pattern, Pattern::Hold { until: Some(_), .. });
    if duration.is_some() && !phases.iter().any(fills) {
        let what = "every phase belongs to the first round only or ends in thermal steady state, so nothing fills this time";
        let told = (what, "the phases");
        document.contradiction("soak.duration", "soak.phases", told);
    }
    let rounds = match duration {
        Some(duration) => Rounds::Lasting(duration),
        None => Rounds::Count(u32::try_from(rounds.unwrap_or(1)).ok()?),
    };
    check_early_place(document, &phases, rounds);
    let readings = readings.unwrap_or(Duration::from_secs(1));
    check_rate(document, &phases, readings);
    check_reach(document, &phases);
    Some(Soak {
        readings,
        capture_every: capture,
        sweep_every: sweep,
        rounds,
        rewarm_after: rewarm.unwrap_or(Duration::from_secs(60)),
        evidence: check_evidence(document, file.evidence.as_ref())?,
        phases,
    })
}

fn check_evidence(document: &mut Document, file: Option<&EvidenceFile>) -> Option<Evidence> {
    let standard = Evidence::default();
    let mut count = |name: &str, written: Option<&Written<u64>>, (standard, most): (u32, u64)| {
        let key = format!("soak.evidence.{name}");
        let value = match written {
            None => u64::from(standard),
            Some(_) => document.take(&key, written)?,
        };
        u32::try_from(document.within(&key, Some(value), (0, most))?).ok()
    };
    let before = count("before", file.and_then(|file| file.before.as_ref()), (standard.before, 100));
    let after = count("after", file.and_then(|file| file.after.as_ref()), (standard.after, 1000));
    let worst = count("worst", file.and_then(|file| file.worst.as_ref()), (standard.worst, 100));
    let every = count("every", file.and_then(|file| file.every.as_ref()), (standard.every, 1_000_000));
    Some(Evidence { before: before?, after: after?, worst: worst?, every: every? })
}

fn check_time(
    document: &mut Document,
    key: &str,
    written: Option<&Written<Duration>>,
    range: (u64, u64),
) -> Option<Duration> {
    let span = document.take(key, written);
    document.span_within(key, span, range)
}

/// A criterion that gets too few readings would never be met, and nobody would know why.
fn check_rate(document: &mut Document, phases: &[Phase], readings: Duration) {
    for (index, phase) in phases.iter().enumerate() {
        if let Pattern::Hold { until: Some(criterion), .. } = phase.pattern
            && !criterion.suits(readings)
        {
            let message = format!("readings every {} are too rare for this criterion", render_span(readings));
            let key = format!("soak.phases[{}].until", index + 1);
            if document.places.is_written("soak.readings") {
                document.contradiction(&key, "soak.readings", (&message, "the time between readings"));
            } else {
                document.fault(&key, message);
            }
        }
    }
}

/// A criterion that looks at a longer time than the phase lasts would never be met.
fn check_reach(document: &mut Document, phases: &[Phase]) {
    for (index, phase) in phases.iter().enumerate() {
        let Pattern::Hold { lasts, until: Some(criterion) } = phase.pattern else { continue };
        if criterion.within > lasts {
            let message = format!(
                "this criterion looks at {}, and the phase lasts {} at most: it can never be met",
                render_span(criterion.within),
                render_span(lasts)
            );
            let key = |name: &str| format!("soak.phases[{}].{name}", index + 1);
            document.contradiction(&key("until"), &key("for"), (&message, "the longest time"));
        }
    }
}

fn check_names(document: &mut Document, phases: &[Phase]) {
    for (index, phase) in phases.iter().enumerate() {
        if let Some(earlier) = phases[..index].iter().position(|other| other.name == phase.name) {
            let told = (format!("two phases are called `{}`", phase.name), "the first one");
            let (second, first) =
                (format!("soak.phases[{}].name", index + 1), format!("soak.phases[{}].name", earlier + 1));
            document.contradiction(&second, &first, (&told.0, told.1));
        }
    }
}

fn check_phase(document: &mut Document, index: usize, file: &PhaseFile) -> Option<Phase> {
    let place = format!("soak.phases[{}]", index + 1);
    let key = |name: &str| format!("{place}.{name}");
    let name = document.need_name(&key("name"), file.name.as_ref());
    let vin = check_levels(document, &key("vin"), file.vin.as_ref());
    let load = check_levels(document, &key("load"), file.load.as_ref());
    // Of a pattern that nobody knows it is not known what it needs.
    let word = match &file.pattern {
        Some(written) => document.take(&key("pattern"), Some(written))?,
        None => PatternWord::Hold,
    };
    let once = document.take(&key("once"), file.once.as_ref()).unwrap_or(false);
    check_owners(document, &place, (word, file));
    let pattern = check_pattern(document, &place, (word, file));
    let (vin, load) = (vin?, load?);
    if matches!(word, PatternWord::Hold | PatternWord::PowerCycle) && (vin.len() > 1 || load.len() > 1) {
        let longer = key(if vin.len() > 1 { "vin" } else { "load" });
        document.contradiction(&longer, &key("pattern"), ("this pattern has one value", "the pattern"));
        return None;
    }
    if word == PatternWord::PowerCycle && vin.first().is_some_and(|vin| *vin <= Volts(0.0)) {
        document.fault(&key("vin"), "a start at 0 V is none");
        return None;
    }
    let has_until = file.until.is_some();
    let early_stop =
        file.early_stop.as_ref().map(|file| check_early_stop(document, (&place, has_until), file));
    let early_stop = early_stop.map_or(Some(None), |early_stop| early_stop.map(Some))?;
    Some(Phase { name: name?, pattern: pattern?, vin, load, once, early_stop })
}

fn check_early_stop(
    document: &mut Document,
    (place, has_until): (&str, bool),
    file: &EarlyStopFile,
) -> Option<EarlyStop> {
    let key = |name: &str| format!("{place}.early_stop.{name}");
    let looks = document.need(&key("looks"), file.looks.as_ref());
    let looks = document.within(&key("looks"), looks, (1, 100));
    let confidence = document.take(&key("confidence"), file.confidence.as_ref()).unwrap_or(Ratio(0.95)).0;
    let confidence = document.within(&key("confidence"), Some(confidence), (0.8, 0.9999));
    if has_until {
        let told = ("a phase that ends in thermal steady state has no other end", "the criterion");
        document.contradiction(&format!("{place}.early_stop"), &format!("{place}.until"), told);
        return None;
    }
    Some(EarlyStop { looks: u32::try_from(looks?).ok()?, confidence: confidence? })
}

/// What comes behind an early end is not done, so nothing may come behind it.
fn check_early_place(document: &mut Document, phases: &[Phase], rounds: Rounds) {
    for (index, _) in phases.iter().enumerate().filter(|(_, phase)| phase.early_stop.is_some()) {
        let key = format!("soak.phases[{}].early_stop", index + 1);
        if index + 1 < phases.len() {
            let told = ("only the last phase may end early: what follows would not be done", "it follows");
            document.contradiction(&key, &format!("soak.phases[{}].name", index + 2), told);
        } else if rounds != Rounds::Count(1) {
            document.fault(&key, "a soak may end early only where its phases are gone through once");
        }
    }
}

/// A key that the pattern does not know would do nothing, and nobody would notice.
fn check_owners(document: &mut Document, place: &str, (word, file): (PatternWord, &PhaseFile)) {
    use PatternWord::{Hold, PowerCycle, Ramp, Random, Steps};
    let owners: [(&str, bool, &[PatternWord]); 7] = [
        ("early_stop", file.early_stop.is_some(), &[Hold]),
        ("until", file.until.is_some(), &[Hold]),
        ("each", file.each.is_some(), &[Steps, Random]),
        ("cycles", file.cycles.is_some(), &[Steps, Ramp, PowerCycle]),
        ("on", file.on.is_some(), &[PowerCycle]),
        ("off", file.off.is_some(), &[PowerCycle]),
        ("seed", file.seed.is_some(), &[Random]),
    ];
    for (name, is_written, patterns) in owners {
        if is_written && !patterns.contains(&word) {
            let told = (format!("this pattern has no `{name}`"), "the pattern");
            document.contradiction(
                &format!("{place}.{name}"),
                &format!("{place}.pattern"),
                (&told.0, told.1),
            );
        }
    }
}

fn check_pattern(
    document: &mut Document,
    place: &str,
    (word, file): (PatternWord, &PhaseFile),
) -> Option<Pattern> {
    let key = |name: &str| format!("{place}.{name}");
    let mut time = |name: &str, written: Option<&Written<Duration>>| {
        check_time(document, &key(name), written, (100, LONGEST_MS))
    };
    let lasts = time("for", file.r#for.as_ref());
    let each = time("each", file.each.as_ref());
    let (on, off) = (time("on", file.on.as_ref()), time("off", file.off.as_ref()));
    let until = document.take(&key("until"), file.until.as_ref());
    let seed = document.take(&key("seed"), file.seed.as_ref()).unwrap_or(1);
    let cycles = document.take(&key("cycles"), file.cycles.as_ref());
    let cycles = document.within(&key("cycles"), cycles, (1, 1_000_000));
    let cycles = cycles.and_then(|cycles| u32::try_from(cycles).ok());
    if file.cycles.is_some() && cycles.is_none() {
        return None;
    }
    let mut need = |name: &str, value: Option<Duration>| {
        if value.is_none() {
            document.missing(&key(name));
        }
        value
    };
    match word {
        PatternWord::Hold => Some(Pattern::Hold { lasts: need("for", lasts)?, until }),
        PatternWord::Random => {
            let (each, lasts) = (need("each", each), need("for", lasts));
            Some(Pattern::Random { each: each?, lasts: lasts?, seed })
        }
        PatternWord::Ramp => Some(Pattern::Ramp {
            period: need("for", lasts)? / cycles.unwrap_or(1),
            cycles: cycles.unwrap_or(1),
        }),
        PatternWord::Steps => {
            let each = need("each", each);
            let until = check_amount(document, place, (cycles, lasts));
            Some(Pattern::Steps { each: each?, until: until? })
        }
        PatternWord::PowerCycle => {
            let (on, off) = (need("on", on), need("off", off));
            let until = check_amount(document, place, (cycles, lasts));
            Some(Pattern::PowerCycle { on: on?, off: off?, until: until? })
        }
    }
}

fn check_amount(
    document: &mut Document,
    place: &str,
    (cycles, lasts): (Option<u32>, Option<Duration>),
) -> Option<Amount> {
    match (cycles, lasts) {
        (Some(_), Some(_)) => {
            let told = ("a pattern lasts a number of `cycles` or `for` a time, not both", "the time");
            document.contradiction(&format!("{place}.cycles"), &format!("{place}.for"), told);
            None
        }
        (Some(cycles), None) => Some(Amount::Cycles(cycles)),
        (None, Some(lasts)) => Some(Amount::Lasting(lasts)),
        (None, None) => {
            document.fault(place, "this pattern needs `cycles` or `for`: nothing says when it ends");
            None
        }
    }
}
