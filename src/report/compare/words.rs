//! What changed, as sentences: always with direction, interval, number of boards, averaging rule, spread over the points and floor.

use std::collections::BTreeSet;

use super::amount::{Amounts, amount, amount_as_set, level};
use super::next::takes;
use super::pictures::OverlaidSpectra;
use super::{bound_words, gate_words};
use crate::base::count::{counted, fitting};
use crate::base::names::Serial;
use crate::compare::aspect::Weight;
use crate::compare::cell::Kind;
use crate::compare::comparison::{Comparison, Side};
use crate::compare::effect::{Effect, Interval, Pairing, Sense};
use crate::compare::group::Group;
use crate::compare::guard::Difference;
use crate::compare::quantity::Quantity;
use crate::compare::spectra::Captures;
use crate::compare::stat::{smallest_mann_whitney_p, smallest_signed_rank_p};
use crate::event::FigureName;
use crate::record::baseline::FoundBaseline;
use crate::record::store::LeftOut;
use crate::waveform::{Bound, loses_floor};

/// The change of a quantity as a sentence without a subject and without its end, e.g. `lowers the ripple … by 37.1 dB (…)`.
#[must_use]
pub fn change(comparison: &Comparison, effect: &Effect) -> String {
    let (told, facts) = change_and_facts(comparison, effect);
    if facts.is_empty() { told } else { format!("{told} ({facts})") }
}

/// The same in two: what changed, and what stands in parentheses behind it.
#[must_use]
pub fn change_and_facts(comparison: &Comparison, effect: &Effect) -> (String, String) {
    let title = effect.quantity().title();
    if let Some(bounded) = effect.bounded.as_ref().filter(|_| effect.is_told_by_bounds()) {
        return bound_words::change(comparison, effect, bounded);
    }
    let Some(change) = effect.change else {
        return (format!("cannot be compared in the {title}: {}", effect.matched.no_value()), String::new());
    };
    let amounts = Amounts::of(effect);
    let (size, unit) = (amounts.size_or_less(change), amounts.unit);
    let directed = match change {
        change if change < 0.0 => format!("lowers the {title} by {size} {unit}"),
        change if change > 0.0 => format!("raises the {title} by {size} {unit}"),
        _ => format!("was measured with the same {title}"),
    };
    let is_resolved = effect.certainty.is_resolved;
    let verb = match (effect.sense(), effect.is_sure()) {
        (Sense::TooSmall | Sense::NoChange, _) if !is_resolved && change == 0.0 => directed,
        (Sense::NoChange, _) if effect.interval().is_none() => {
            format!("changes the {title} by no more than its figures can tell: {}", amounts.full(change))
        }
        (Sense::TooSmall, true) => format!("{directed}, which is too little to matter"),
        (Sense::TooSmall, false) => {
            format!("changes the {title} by nothing that matters: {}", amounts.full(change))
        }
        (Sense::NoChange, _) => format!("does not surely change the {title}: {}", amounts.full(change)),
        _ => directed,
    };
    let mut facts = vec![interval_words(effect, amounts), boards(comparison)];
    facts.push(points(effect, amounts));
    facts.extend(effect.quantity().is_made().map(str::to_owned));
    facts.extend(tests(comparison, effect));
    facts.extend(matters(effect));
    facts.extend(needed(comparison, effect));
    facts.extend(at_the_floor(effect));
    facts.extend(floors(effect));
    (verb, facts.join("; "))
}

/// Ends told as the sentence tells its amount: where it says `lowers`, a lowering has no sign.
fn interval_words(effect: &Effect, amounts: Amounts) -> String {
    let Some(Interval { low, high }) = effect.interval() else {
        let why = effect.certainty.interval.as_ref().err().map_or("", String::as_str);
        return format!("no interval, for {why}");
    };
    let ends = if !effect.is_sure() {
        // A change of nothing is told without its unit.
        let unit = if effect.change == Some(0.0) { format!(" {}", amounts.unit) } else { String::new() };
        format!("{} to {}{unit}", amounts.signed(low), amounts.signed(high))
    } else if high < 0.0 {
        format!("{} to {}", amounts.size(high), amounts.size(low))
    } else {
        format!("{} to {}", amounts.size(low), amounts.size(high))
    };
    match effect.certainty.stepped {
        Some(_) => format!("95 % interval {ends}, made of steps: {}", hidden_by_steps(effect)),
        None => format!("95 % interval {ends}"),
    }
}

/// Why the interval is one of steps: what hides the scatter of the boards.
#[must_use]
pub(super) fn hidden_by_steps(effect: &Effect) -> String {
    let step = amount(effect.quantity(), effect.resolution.step);
    let whose = match effect.quantity() {
        Quantity::Rise | Quantity::Figure(FigureName::BoardTemperature) => "the thermometers' steps",
        _ => "steps",
    };
    format!("{whose} of {step} hide the scatter of the boards")
}

/// How the change stands to the smallest one that matters.
fn matters(effect: &Effect) -> Option<String> {
    let smallest = effect.smallest?;
    let told = amount_as_set(effect.quantity(), smallest);
    match effect.sense() {
        Sense::TooSmall => Some(match effect.equivalence() {
            Some(test) => {
                format!("shown to be within ±{told}, two one-sided tests {}", told_p(test.p))
            }
            None if effect.certainty.stepped.is_some() => {
                format!("shown to be within ±{told}, where the 90 % interval lies")
            }
            None => format!("on these boards within ±{told}, without a test"),
        }),
        Sense::NoChange => Some(format!("a change of {told} or more is not ruled out")),
        Sense::Better | Sense::Worse | Sense::Changed => {
            let Interval { low, high } = effect.interval()?;
            (low.abs().min(high.abs()) < smallest)
                .then(|| format!("that it is more than {told} is not shown"))
        }
        Sense::NotKnown => None,
    }
}

/// Where nothing is shown: how many boards would show something.
fn needed(comparison: &Comparison, effect: &Effect) -> Option<String> {
    let needed = effect.certainty.needed.as_ref().ok().filter(|_| effect.sense() == Sense::NoChange)?;
    let change = amount(effect.quantity(), needed.change.abs());
    let takes = takes(comparison, needed.boards)?;
    Some(format!("it takes {takes}, to see {change} in eight of ten comparisons"))
}

pub(super) fn boards(comparison: &Comparison) -> String {
    let (before, after) = (comparison.before.boards.len(), comparison.after.boards.len());
    match comparison.pairing {
        Pairing::Board if comparison.is_within_runs() => {
            format!("{}, each with itself", counted(after, "board"))
        }
        Pairing::Board => format!("{} measured both ways", counted(comparison.shared.len(), "board")),
        Pairing::None => format!("{} before, {after} after", counted(before, "board")),
    }
}

fn points(effect: &Effect, amounts: Amounts) -> String {
    let count = effect.points.len();
    let hidden = effect.matched.hidden();
    let (one, many) = effect.quantity().places();
    let of_all = if hidden > 0 { format!(" of {}", count + hidden) } else { String::new() };
    let Some(Interval { low, high }) = effect.spread().filter(|_| count > 1) else {
        return format!("at {count}{of_all} {}", fitting(count + hidden, one, many));
    };
    // As the sentence tells its amount: where all points are lower and it says `lowers`, they have no signs.
    let is_directed = effect.is_sure() || effect.sense() == Sense::NotKnown;
    let is_plain = is_directed && (high < 0.0 || low > 0.0);
    let is_fall = is_plain && high < 0.0;
    let (near, far) = if is_fall { (high, low) } else { (low, high) };
    let digits = |value: f64| if is_plain { amounts.size(value) } else { amounts.signed(value) };
    let (near, far, unit) = (digits(near), digits(far), amounts.unit);
    if near == far {
        return format!("mean over {count}{of_all} {many}, {near} {unit} at each");
    }
    format!("mean over {count}{of_all} {many}, {near} to {far} {unit} at single {many}")
}

fn tests(comparison: &Comparison, effect: &Effect) -> Vec<String> {
    let certainty = &effect.certainty;
    let Ok(mean) = &certainty.mean else { return Vec::new() };
    let (name, rank) = match comparison.pairing {
        Pairing::None => ("Welch's t on board means", "Mann-Whitney"),
        Pairing::Board => ("paired t on board means", "signed rank"),
    };
    let mut told = vec![format!("{name}, df {:.1}", mean.freedom)];
    if let (Ok(p), Some(least)) = (&certainty.rank_p, certainty.least_rank_p) {
        // A test that can never reach 5 % must not look as if it had spoken.
        told.push(if least > 0.05 {
            let (before, after) = (effect.matched.before.len(), effect.matched.after.len());
            // Boards of the same value have no order, so that there may be boards enough and no small p all the same.
            let (by_boards, alike) = match comparison.pairing {
                Pairing::None => (smallest_mann_whitney_p(before, after), "boards of the same value"),
                Pairing::Board => (smallest_signed_rank_p(after), "changes of the same size"),
            };
            let why = if by_boards > 0.05 { "few boards".to_owned() } else { format!("many {alike}") };
            format!("{rank} can reach no less than p = {} with so {why}", short_p(least))
        } else {
            format!("{rank} {}", told_p(*p))
        });
    }
    told
}

/// A p with its sign: `p = 0.021`, `p < 0.0001`.
fn told_p(p: f64) -> String {
    let short = short_p(p);
    short.strip_prefix('<').map_or_else(|| format!("p = {short}"), |least| format!("p < {least}"))
}

/// Two digits of a p.
#[must_use]
pub fn short_p(p: f64) -> String {
    if p < 0.000_095 {
        "<0.0001".to_owned()
    } else if p < 0.0995 {
        format!("{p:.*}", (1.0 - p.log10().floor()) as usize)
    } else {
        format!("{p:.2}")
    }
}

/// What is left out of the mean because it is only a bound.
fn at_the_floor(effect: &Effect) -> Option<String> {
    let (count, open) = (effect.matched.bounded.len(), effect.matched.open.len());
    if count + open == 0 {
        return None;
    }
    let nothing = if open > 0 {
        format!(", at {open} of them on both sides, which tells nothing of the change")
    } else {
        String::new()
    };
    let told = bound_words::mean(effect).map(|bound| format!("; with them {bound}"));
    Some(format!(
        "{} left out, where a value is only a bound{nothing}{}",
        counted(count + open, "point"),
        told.unwrap_or_default()
    ))
}

/// What probe and scope alone show, which the reader holds against the levels.
pub(super) fn floors(effect: &Effect) -> Option<String> {
    let quantity = effect.quantity();
    let told = |floor: Option<Interval>| {
        let Some(Interval { low, high }) = floor else { return "not captured".to_owned() };
        let show =
            |value: f64| quantity.scaled(value).map_or_else(String::new, |scaled| level(quantity, scaled));
        let (low, high) = (show(low), show(high));
        if low == high { low } else { format!("{low} to {high}") }
    };
    let (before, after) = effect.floors;
    if quantity == Quantity::StartUp {
        before.or(after)?;
        let step = if before == after {
            told(before)
        } else {
            format!("{} before, {} after", told(before), told(after))
        };
        return Some(format!(
            "the input voltage was tried in steps of {step}, and no threshold is known better than that"
        ));
    }
    if let Some(why) = effect.no_floor {
        return Some(format!("no floor of probe and scope, for {}", why.why()));
    }
    // Noise that has nothing to do with the signal adds to an rms in power, and to a peak to peak nobody knows how.
    let taken_off = match quantity {
        Quantity::Figure(name) if loses_floor(name.key()) => "taken off in power",
        _ => "not taken off",
    };
    (before.is_some() || after.is_some()).then(|| {
        format!("probe and scope alone show {} before, {} after, {taken_off}", told(before), told(after))
    })
}

/// What the spectra could not be taken from, because samples are clipped.
#[must_use]
pub fn clipped_captures(comparison: &Comparison) -> Vec<String> {
    [&comparison.before, &comparison.after].into_iter().flat_map(clipped_of).collect()
}

fn clipped_of(side: &Side) -> Vec<String> {
    let Captures { count, wide, clipped } = side.captures;
    let (name, mut told) = (&side.name, Vec::new());
    if wide > 0 {
        told.push(format!(
            "{name}: of {wide} of {count} captures the spikes acquisition tells of every band, because samples of the ripple \
             acquisition are clipped"
        ));
    }
    if clipped > 0 {
        told.push(format!(
            "{name}: not available of {clipped} of {count} captures, because samples of every acquisition are clipped"
        ));
    }
    told
}

/// What must be known to read the picture of the spectra: where a side is at its own noise the change is not the boards'.
#[must_use]
pub fn spectra_at_noise(spectra: &OverlaidSpectra) -> String {
    let [before, after] = spectra.sides.each_ref().map(|side| side.name.as_str());
    let has = |kind: Kind| spectra.change.iter().any(|stretch| stretch.kind == kind);
    let mut told = Vec::new();
    if spectra.change.iter().any(|stretch| stretch.kind != Kind::Value) {
        let rule =
            "A side is at its noise where it stands less than 3 dB over what probe and scope alone show.";
        told.push(rule.to_owned());
    }
    if has(Kind::Bound(Bound::Upper)) {
        told.push(format!(
            "Where only {after} is, it is truly lower than shown: an attenuation is at least the shown one."
        ));
    }
    if has(Kind::Bound(Bound::Lower)) {
        told.push(format!(
            "Where only {before} is, that is truly lower than shown: an attenuation is at most the shown one."
        ));
    }
    if has(Kind::Nothing) {
        told.push("Where both are, nothing is known of the boards, and no change is drawn.".to_owned());
    }
    let without = spectra.sides.iter().filter(|side| side.floor.is_empty());
    told.extend(without.map(|side| {
        format!("Of {} no trace of probe and scope alone was kept, so that nothing shows where it stands at their noise.", side.name)
    }));
    told.join(" ")
}

/// Levels on both sides, e.g. `1.48 V to 31.6 mV`, and at which points, where they are not of all.
#[must_use]
pub fn levels(effect: &Effect) -> Option<String> {
    let (before, after) = effect.levels?;
    let of = valued_points(effect).map_or_else(String::new, |of| format!(" (at the {of} with values)"));
    Some(format!("{} to {}{of}", level(effect.quantity(), before), level(effect.quantity(), after)))
}

/// The boards that a comparison of pairs leaves out, for they stand on one side alone; `None` where all are compared.
#[must_use]
pub fn unpaired(groups: &[&Group], shared: &[Serial]) -> Option<String> {
    let of = |group: &&Group| {
        let alone: Vec<&str> =
            group.boards.keys().filter(|serial| !shared.contains(serial)).map(Serial::as_str).collect();
        (!alone.is_empty()).then(|| format!("{} of {}", alone.join(", "), group.name))
    };
    let told: Vec<String> = groups.iter().filter_map(of).collect();
    (!told.is_empty()).then(|| format!("left out, for they were not measured both ways: {}", told.join("; ")))
}

/// Of how many points levels are, where a bound is all that is known at others: `5 of 20 points`.
#[must_use]
pub fn valued_points(effect: &Effect) -> Option<String> {
    let (count, hidden) = (effect.matched.places.len(), effect.matched.hidden());
    (hidden > 0).then(|| format!("{count} of {} points", count + hidden))
}

/// The limits that keep a comparison from passing, in a line to be told first; `None` where all are kept.
#[must_use]
pub fn not_kept(comparison: &Comparison, is_strict: bool) -> Option<String> {
    let gates = comparison.gates.iter();
    let told: Vec<String> = gates
        .filter(|gate| gate.is_broken(is_strict))
        .map(|broken| format!("{}: {}", broken.judgement.word(), gate_words::gate(comparison, broken)))
        .collect();
    let of = counted(comparison.gates.len(), "limit");
    (!told.is_empty()).then(|| format!("{} of {of} on the change; {}", told.len(), told.join("; ")))
}

/// What breaks a comparison, in a line; `None` where nothing does.
#[must_use]
pub fn breaking(comparison: &Comparison) -> Option<String> {
    let broken = comparison.guard.differences.iter().filter(|difference| difference.weight == Weight::Breaks);
    let told: Vec<String> = broken.map(Difference::title).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// So many of the folders that were left out are named.
pub const NAMED: usize = 5;

/// The folders that were meant and hold no run that can be read, in a line; `None` where there are none.
#[must_use]
pub fn left_out(folders: &BTreeSet<LeftOut>) -> Option<String> {
    let named = folders.iter().take(NAMED);
    let mut told: Vec<String> =
        named.map(|left| format!("{} ({})", left.folder.display(), left.why)).collect();
    let more = folders.len().saturating_sub(NAMED);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    let is = fitting(
        folders.len(),
        "holds no run that can be read and was",
        "hold no run that can be read and were",
    );
    let of = counted(folders.len(), "folder");
    (!told.is_empty()).then(|| format!("{of} {is} left out: {}", told.join("; ")))
}

/// Which baseline stands on the first side, in a line.
#[must_use]
pub fn baseline(found: &FoundBaseline) -> String {
    let kept = found.kept.map_or_else(
        || "kept at a time that its file does not tell".to_owned(),
        |kept| format!("kept {}", kept.strftime("%F %H:%M:%S UTC")),
    );
    let revisions = found.revisions.join(" and ");
    let mut told = format!(
        "held against the baseline {} (revision {revisions}, {kept}, {})",
        found.name,
        counted(found.runs.len(), "run")
    );
    if found.is_by_revision && !found.older.is_empty() {
        told += &format!(
            ", the one of revision {revisions} that was kept last; before it: {}",
            found.older.join(", ")
        );
    }
    told
}

/// Which groups are held against each other.
#[must_use]
pub fn groups(comparison: &Comparison) -> String {
    format!("{} against {}", comparison.after.name, comparison.before.name)
}
