//! From what a profile file says to a profile, or to everything that is wrong with it.

use std::time::Duration;

use schemars::{Schema, json_schema as schema_of};

use super::axis::check_axis;
use super::capture::{check_capture, check_traces};
use super::limit::check_limits;
use super::schema::{InterlocksFile, PointsFile, ProfileFile, SettleFile};
use super::soak::Soak;
use super::soak::check_soak;
use super::{Interlocks, Order, Profile, SettleRule};
use crate::base::digest::digest;
use crate::base::span::render_span;
use crate::base::units::{Amps, Celsius, Volts};
use crate::event::{FigureName, Limit, Reading, Setting};
use crate::instrument::dialect::Fault;
use crate::plan::document::Document;
use crate::plan::written::{FromScalar, Ratio, Scalar, Written, Wrong, choose};

/// Most points of one run, repeats included: at a second a point more than a day.
const MOST_POINTS: usize = 100_000;

/// In which order points are taken, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OrderWord {
    Written,
    Snake,
    Shuffled,
}

impl FromScalar for OrderWord {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        let words = [("written", Self::Written), ("snake", Self::Snake), ("shuffled", Self::Shuffled)];
        choose(scalar, &words)
    }
    fn schema() -> Schema {
        schema_of!({ "type": "string", "enum": ["written", "snake", "shuffled"] })
    }
}

/// Reads a profile file.
///
/// # Errors
/// Every fault of the file at once, in the order of its lines.
pub fn parse(file_name: &str, text: &str) -> Result<Profile, Vec<Fault>> {
    let (file, mut document) = Document::read::<ProfileFile>(file_name, text);
    let profile = file.and_then(|file| check(&mut document, &file, text));
    document.finish(profile)
}

/// The JSON Schema of a profile file, for editors.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    crate::plan::document::json_schema::<ProfileFile>()
}

fn check(document: &mut Document, file: &ProfileFile, text: &str) -> Option<Profile> {
    // Everything is looked at before anything is given up: a missing part hides no fault of another one.
    let name = document.need("name", file.name.as_ref());
    let purpose = document.need("purpose", file.purpose.as_ref());
    let operator = document.take("operator", file.operator.as_ref());
    let note = document.take("note", file.note.as_ref());
    let board = file.board.as_ref();
    let serial = document.take("board.serial", board.and_then(|board| board.serial.as_ref()));
    let revision = document.take("board.revision", board.and_then(|board| board.revision.as_ref()));
    let vout_nominal = document.need("vout_nominal", file.vout_nominal.as_ref());
    let vout_nominal = document.within("vout_nominal", vout_nominal, (Volts(0.1), Volts(100.0)));
    let margin = document.take("protection_margin", file.protection_margin.as_ref()).unwrap_or(Ratio(0.1)).0;
    let margin = document.within("protection_margin", Some(margin), (0.02, 0.5));
    let figures = check_figures(document, file.figures.as_ref());
    let soak = file.soak.as_ref().map(|soak| check_soak(document, soak));
    let points = match (&file.points, &file.soak) {
        (None, Some(_)) => {
            Some(Points { vin: Vec::new(), load: Vec::new(), order: Order::Written, repeats: 1 })
        }
        (points, _) => check_points(document, points.as_ref()),
    };
    let settle = check_settle(document, file.settle.as_ref());
    let interlocks = check_interlocks(document, file.interlocks.as_ref(), vout_nominal.unwrap_or(Volts(5.0)));
    let capture = file.capture.as_ref().map(|capture| check_capture(document, capture));
    let limits = check_limits(document, file.limits.as_ref(), figures.as_deref());
    if let Some(figures) = &figures {
        check_traces(document, figures, capture.as_ref().map(Option::as_ref));
    }
    if let Some(Some(soak)) = &soak {
        check_captures(document, soak, capture.is_some());
    }
    let (points, capture) = (points?, capture.map_or(Some(None), |capture| capture.map(Some))?);
    let soak = soak.map_or(Some(None), |soak| soak.map(Some))?;
    let profile = Profile {
        name: name?,
        purpose: purpose?,
        serial,
        revision,
        operator,
        note,
        vin: points.vin,
        load: points.load,
        order: points.order,
        repeats: points.repeats,
        vout_nominal: vout_nominal?,
        settle: settle?,
        interlocks: interlocks?,
        figures: figures?,
        capture,
        soak,
        limits: limits?,
        protection_margin: margin?,
        digest: digest(text.as_bytes()),
        places: document.places.clone(),
    };
    check_conditions(document, &profile);
    check_early_limits(document, &profile);
    Some(profile)
}

/// Sweeps and captures that nothing is planned for would silently not be done.
fn check_captures(document: &mut Document, soak: &Soak, has_capture: bool) {
    if soak.capture_every.is_some() && !has_capture {
        document.fault("soak.capture_every", "nothing says what is captured: `[capture]` is missing");
    }
    if soak.sweep_every.is_some() && !document.places.is_written("points") {
        document.fault("soak.sweep_every", "nothing says what is swept: `[points]` is missing");
    }
}

fn check_figures(
    document: &mut Document,
    files: Option<&Vec<Written<FigureName>>>,
) -> Option<Vec<FigureName>> {
    let Some(files) = files else {
        document.missing("figures");
        return None;
    };
    let mut figures: Vec<Option<FigureName>> = Vec::new();
    for (index, written) in files.iter().enumerate() {
        let key = format!("figures[{}]", index + 1);
        let figure = document.take(&key, Some(written));
        // Figures are sorted below; later faults still find each one's place by its name.
        if let (Some(figure), Some(span)) = (figure, document.places.span(&key)) {
            document.places.insert(&format!("figures.{figure}"), span);
        }
        figures.push(figure);
    }
    let mut figures = figures.into_iter().collect::<Option<Vec<_>>>()?;
    if figures.is_empty() {
        document.fault("figures", "at least one figure is needed");
        return None;
    }
    figures.sort_unstable();
    figures.dedup();
    Some(figures)
}

struct Points {
    vin: Vec<Volts>,
    load: Vec<Amps>,
    order: Order,
    repeats: u32,
}

fn check_points(document: &mut Document, file: Option<&PointsFile>) -> Option<Points> {
    let Some(file) = file else {
        document.missing("points");
        return None;
    };
    let vin = check_axis(document, "points.vin", file.vin.as_ref());
    let load = check_axis(document, "points.load", file.load.as_ref());
    let word = document.take("points.order", file.order.as_ref());
    let seed = document.take("points.seed", file.seed.as_ref());
    let repeats = document.take("points.repeats", file.repeats.as_ref()).unwrap_or(1);
    let repeats = document.within("points.repeats", Some(repeats), (1, 10_000))?;
    if let (true, Some(word)) = (file.seed.is_some(), word)
        && word != OrderWord::Shuffled
    {
        let told = ("a seed is for the order \"shuffled\" only", "the order");
        document.contradiction("points.seed", "points.order", told);
    }
    let order = match word.unwrap_or(OrderWord::Snake) {
        OrderWord::Written => Order::Written,
        OrderWord::Snake => Order::Snake,
        OrderWord::Shuffled => Order::Shuffled { seed: seed.unwrap_or(1) },
    };
    let (vin, load) = (vin?, load?);
    let count = vin.len().saturating_mul(load.len()).saturating_mul(repeats as usize);
    if count > MOST_POINTS {
        document.fault("points", format!("these are {count} points; {MOST_POINTS} are the most"));
        return None;
    }
    Some(Points { vin, load, order, repeats: u32::try_from(repeats).ok()? })
}

/// A length of time with its default and its range in milliseconds.
fn check_span(
    document: &mut Document,
    key: &str,
    written: Option<&Written<Duration>>,
    (default_ms, lowest_ms, highest_ms): (u64, u64, u64),
) -> Option<Duration> {
    let span = match written {
        None => Duration::from_millis(default_ms),
        Some(_) => document.take(key, written)?,
    };
    document.span_within(key, Some(span), (lowest_ms, highest_ms))
}

fn check_settle(document: &mut Document, file: Option<&SettleFile>) -> Option<SettleRule> {
    let band = document.take("settle.band", file.and_then(|file| file.band.as_ref()));
    let band = document.within("settle.band", band.or(Some(Volts(0.01))), (Volts(1e-6), Volts(10.0)));
    let mut span = |name: &str, written: Option<&Written<Duration>>, range| {
        check_span(document, &format!("settle.{name}"), written, range)
    };
    let hold = span("hold", file.and_then(|file| file.hold.as_ref()), (100, 1, 3_600_000));
    let minimum = span("minimum", file.and_then(|file| file.minimum.as_ref()), (50, 0, 3_600_000));
    let limit = span("limit", file.and_then(|file| file.limit.as_ref()), (2000, 1, 86_400_000));
    let interval = span("interval", file.and_then(|file| file.interval.as_ref()), (20, 1, 60_000));
    let rule = SettleRule { band: band?, hold: hold?, minimum: minimum?, limit: limit?, interval: interval? };
    if rule.interval > rule.hold {
        let held = format!("they must hold for {}", render_span(rule.hold));
        let told = ("readings must be closer than the time they must hold", held.as_str());
        document.contradiction("settle.interval", "settle.hold", told);
    }
    if rule.limit < rule.hold.max(rule.minimum) {
        let longer = if rule.hold >= rule.minimum { "settle.hold" } else { "settle.minimum" };
        let least = format!("it takes at least {}", render_span(rule.hold.max(rule.minimum)));
        let told = ("no point could settle within this limit", least.as_str());
        document.contradiction("settle.limit", longer, told);
    }
    Some(rule)
}

fn check_interlocks(
    document: &mut Document,
    file: Option<&InterlocksFile>,
    vout_nominal: Volts,
) -> Option<Interlocks> {
    let voltage = document.take("interlocks.over_voltage", file.and_then(|file| file.over_voltage.as_ref()));
    let current = document.take("interlocks.over_current", file.and_then(|file| file.over_current.as_ref()));
    let mut temperature = |name: &str, written: Option<&Written<Celsius>>| {
        let key = format!("interlocks.{name}");
        let value = document.take(&key, written);
        document.within(&key, value, (Celsius(-40.0), Celsius(250.0)))
    };
    let trip = temperature("over_temperature", file.and_then(|file| file.over_temperature.as_ref()));
    let hold = temperature("hold_temperature", file.and_then(|file| file.hold_temperature.as_ref()));
    let resume = temperature("resume_temperature", file.and_then(|file| file.resume_temperature.as_ref()));
    let warn = temperature("warn_temperature", file.and_then(|file| file.warn_temperature.as_ref()));
    let warn_ambient = temperature("warn_ambient", file.and_then(|file| file.warn_ambient.as_ref()));
    let over_ambient = temperature("over_ambient", file.and_then(|file| file.over_ambient.as_ref()));
    let derate = document.take("interlocks.derate_to", file.and_then(|file| file.derate_to.as_ref()));
    let derate =
        document.within("interlocks.derate_to", Some(derate.map_or(0.0, |ratio| ratio.0)), (0.0, 0.95));
    let trip = trip.unwrap_or(Celsius(85.0));
    check_warnings(document, (warn, hold.unwrap_or(trip)), (warn_ambient, over_ambient));
    check_hold(document, (hold, resume), trip);
    let rise = document.take("interlocks.rise_k_per_min", file.and_then(|file| file.rise_k_per_min.as_ref()));
    let rise = document.within("interlocks.rise_k_per_min", rise.or(Some(30.0)), (0.01, 1000.0));
    let voltage = voltage.unwrap_or(vout_nominal * 1.1);
    if voltage <= vout_nominal {
        let told = ("the run would trip at the voltage that the board should have", "the nominal voltage");
        document.contradiction("interlocks.over_voltage", "vout_nominal", told);
    }
    let current =
        document.within("interlocks.over_current", current.or(Some(Amps(0.8))), (Amps(0.001), Amps(100.0)));
    let hold_limit = file.and_then(|file| file.hold_limit.as_ref());
    let hold_limit = check_span(document, "interlocks.hold_limit", hold_limit, (1_800_000, 1000, 86_400_000));
    let lost = file.and_then(|file| file.lost_reading.as_ref());
    let lost = check_span(document, "interlocks.lost_reading", lost, (5000, 100, 3_600_000));
    Some(Interlocks {
        over_voltage: Some(voltage),
        over_current: Some(current?),
        over_temperature: Some(trip),
        hold_temperature: hold,
        resume_temperature: hold.map(|hold| resume.unwrap_or(Celsius(hold.value() - 5.0))),
        derate_to: derate?,
        hold_limit: hold_limit?,
        warn_temperature: warn,
        warn_ambient,
        over_ambient,
        rise_k_per_min: Some(rise?),
        lost_reading: lost?,
    })
}

/// What holds the run comes before what trips it, and lets it go on below.
fn check_hold(document: &mut Document, (hold, resume): (Option<Celsius>, Option<Celsius>), trip: Celsius) {
    if let Some(hold) = hold {
        if hold >= trip {
            let told = ("the run would trip before it could be held", format!("it trips at {trip}"));
            document.contradiction(
                "interlocks.hold_temperature",
                "interlocks.over_temperature",
                (told.0, &told.1),
            );
        }
        if resume.is_some_and(|resume| resume >= hold) {
            let told =
                ("a held run goes on below the temperature that held it", format!("it is held at {hold}"));
            document.contradiction(
                "interlocks.resume_temperature",
                "interlocks.hold_temperature",
                (told.0, &told.1),
            );
        }
    } else {
        for name in ["resume_temperature", "derate_to"] {
            let key = format!("interlocks.{name}");
            if document.places.is_written(&key) {
                document.fault(&key, "nothing holds the run: `hold_temperature` is missing");
            }
        }
    }
}

/// A warning that comes after what it warns of is none.
fn check_warnings(
    document: &mut Document,
    (warn, acts): (Option<Celsius>, Celsius),
    (warn_ambient, over_ambient): (Option<Celsius>, Option<Celsius>),
) {
    if warn.is_some_and(|warn| warn >= acts) {
        let other = if document.places.is_written("interlocks.hold_temperature") {
            "interlocks.hold_temperature"
        } else {
            "interlocks.over_temperature"
        };
        let told = ("the run would be held or trip before it was warned of", "here");
        document.contradiction("interlocks.warn_temperature", other, told);
    }
    if let (Some(warn), Some(over)) = (warn_ambient, over_ambient)
        && warn >= over
    {
        let told = ("the run would trip before it was warned of", "here");
        document.contradiction("interlocks.warn_ambient", "interlocks.over_ambient", told);
    }
}

/// A limit that applies nowhere would never fail, and nobody would notice.
fn check_conditions(document: &mut Document, profile: &Profile) {
    for (index, limit) in profile.limits.iter().enumerate() {
        if !profile.settings().any(|setting| limit.condition.holds(setting)) {
            let key = format!("limits[{}].when", index + 1);
            let told = (format!("`{}` holds at none of the points", limit.condition), "the points");
            document.contradiction(&key, "points", (&told.0, told.1));
        }
    }
}

/// An early end is judged by the limits: one that nothing is ever held against would keep it from coming, and nobody would
/// know why.
fn check_early_limits(document: &mut Document, profile: &Profile) {
    let Some(soak) = &profile.soak else { return };
    for (index, phase) in soak.phases.iter().enumerate().filter(|(_, phase)| phase.early_stop.is_some()) {
        let key = format!("soak.phases[{}].early_stop", index + 1);
        let (Some(vin), Some(load)) = (phase.vin.first(), phase.load.first()) else { continue };
        let setting = Setting { vin: *vin, load: *load };
        let mut applying = profile.limits.iter().filter(|limit| limit.condition.holds(setting)).peekable();
        if applying.peek().is_none() {
            document
                .fault(&key, "no limit applies to this phase, so that nothing says when its answer is clear");
        }
        let unread = |limit: &&Limit| !Reading::tells(limit.figure) && soak.capture_every.is_none();
        if let Some(limit) = applying.find(unread) {
            let told = format!("the limit `{}` needs captures, and there is no `capture_every`", limit.name);
            document.fault(&key, told);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_of_the_project_are_read() {
        for (name, text) in [
            ("profiles/smoke.toml", include_str!("../../../profiles/smoke.toml")),
            ("profiles/line-load-sweep.toml", include_str!("../../../profiles/line-load-sweep.toml")),
            ("profiles/thermal-soak.toml", include_str!("../../../profiles/thermal-soak.toml")),
            ("profiles/power-cycle.toml", include_str!("../../../profiles/power-cycle.toml")),
            ("profiles/weekend-soak.toml", include_str!("../../../profiles/weekend-soak.toml")),
        ] {
            if let Err(faults) = parse(name, text) {
                panic!("{faults:#?}");
            }
        }
    }
}
