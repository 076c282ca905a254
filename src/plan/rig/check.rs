//! From what a rig file says to a rig, or to everything that is wrong with it.

use std::ops::RangeInclusive;
use std::time::Duration;

use schemars::{Schema, json_schema};

use super::schema::{LoadFile, PatternWord, ProbeFile, RigFile, SafeFile, ScopeFile, SimFile, SourceFile};
use super::thermometer::check_thermometers;
use super::{
    InstrumentWiring, LoadWiring, ProbeWiring, Rig, ScopeWiring, SimSettings, SourceWiring, TemperatureScale,
};
use crate::base::digest::digest;
use crate::base::names::Role;
use crate::base::units::{Amps, Celsius, Kelvins, Ohms, Volts};
use crate::instrument::dialect::{Address, Fault};
use crate::plan::document::Document;
use crate::plan::written::{FromScalar, Scalar, Written, Wrong, choose};

/// How a probe touches the board; the word goes into reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fixture(&'static str);

/// Whose identity the simulated load answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LoadIdentity(&'static str);

macro_rules! word_lists {
    ($($name:ty: $($word:literal => $value:expr),*;)*) => {
        $(impl FromScalar for $name {
            fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
                choose(scalar, &[$(($word, $value)),*])
            }
            fn schema() -> Schema {
                json_schema!({ "type": "string", "enum": [$($word),*] })
            }
        })*
    };
}

word_lists! {
    Fixture: "tip_barrel" => Self("tip_barrel"), "spring" => Self("spring"), "clip" => Self("clip"),
        "coax50" => Self("coax50"), "bnc" => Self("bnc"), "jeita" => Self("jeita");
    LoadIdentity: "rigol_dl3021" => Self("rigol_dl3021"), "siglent_sdl1020x_e" => Self("siglent_sdl1020x_e");
    PatternWord: "key_value" => Self::KeyValue, "csv" => Self::Csv, "json" => Self::Json, "plain" => Self::Plain;
    TemperatureScale: "C" => Self::Celsius, "F" => Self::Fahrenheit, "K" => Self::Kelvin;
}

/// Reads a rig file.
///
/// # Errors
/// Every fault of the file at once, in the order of its lines.
pub fn parse(file_name: &str, text: &str) -> Result<Rig, Vec<Fault>> {
    let (file, mut document) = Document::read::<RigFile>(file_name, text);
    let rig = file.and_then(|file| check(&mut document, &file, text));
    document.finish(rig)
}

/// The JSON Schema of a rig file, for editors.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    crate::plan::document::json_schema::<RigFile>()
}

fn check(document: &mut Document, file: &RigFile, text: &str) -> Option<Rig> {
    // Everything is looked at before anything is given up: a missing part hides no fault of another one.
    let name = document.need("name", file.name.as_ref());
    let families = document.take("families", file.families.as_ref());
    let board = file.board.as_ref();
    let serial = document.take("board.serial", board.and_then(|board| board.serial.as_ref()));
    let revision = document.take("board.revision", board.and_then(|board| board.revision.as_ref()));
    let (safe_vout, safe_within) = check_safe(document, file.safe.as_ref());
    let source = required(document, "source", file.source.as_ref(), check_source);
    let load = required(document, "load", file.load.as_ref(), check_load);
    let scope = file.scope.as_ref().map(|scope| check_scope(document, scope));
    let thermometers = check_thermometers(document, file.thermometer.as_ref());
    let sim = check_sim(document, file.sim.as_ref());
    check_addresses(document, file);
    Some(Rig {
        name: name?,
        source: source?,
        load: load?,
        scope: match scope {
            Some(scope) => Some(scope?),
            None => None,
        },
        thermometers: thermometers?,
        serial,
        revision,
        safe_vout,
        safe_within,
        families,
        sim,
        digest: digest(text.as_bytes()),
        places: document.places.clone(),
    })
}

fn required<F, T>(
    document: &mut Document,
    key: &str,
    file: Option<&F>,
    check: impl Fn(&mut Document, &F) -> Option<T>,
) -> Option<T> {
    if file.is_none() {
        document.missing(key);
    }
    check(document, file?)
}

fn check_safe(document: &mut Document, file: Option<&SafeFile>) -> (Volts, Duration) {
    let vout = document.take("safe.vout", file.and_then(|safe| safe.vout.as_ref()));
    let vout = document.within("safe.vout", vout, (Volts(0.01), Volts(60.0)));
    let within = document.take("safe.within", file.and_then(|safe| safe.within.as_ref()));
    let within = document.span_within("safe.within", within, (10, 600_000));
    if let Some(order) = file.and_then(|safe| safe.order.as_ref()) {
        let words: Vec<Option<String>> = order
            .iter()
            .enumerate()
            .map(|(index, word)| document.take(&format!("safe.order[{}]", index + 1), Some(word)))
            .collect();
        if words != ["load", "source"].map(|word| Some(word.to_owned())) {
            document.fault(
                "safe.order",
                "the order is [\"load\", \"source\"]: the load always goes off first, or it would draw from a board that is \
                 losing its input",
            );
        }
    }
    (vout.unwrap_or(Volts(0.5)), within.unwrap_or(Duration::from_secs(5)))
}

/// A whole number in a range, as the type that holds it.
pub(super) fn check_count<T: TryFrom<u64>>(
    document: &mut Document,
    key: &str,
    number: Option<u64>,
    range: RangeInclusive<u64>,
) -> Option<T> {
    document.within(key, number, (*range.start(), *range.end())).and_then(|number| T::try_from(number).ok())
}

/// The keys that every instrument's table has, wherever it stands.
pub(super) struct Common<'f> {
    pub(super) address: Option<&'f Written<Address>>,
    pub(super) family: Option<&'f Written<String>>,
    pub(super) model: Option<&'f Written<String>>,
    pub(super) serial: Option<&'f Written<String>>,
    pub(super) timeout: Option<&'f Written<Duration>>,
    pub(super) baud: Option<&'f Written<u64>>,
    pub(super) calibration_due: Option<&'f Written<jiff::civil::Date>>,
}

macro_rules! common {
    ($file:ident) => {
        Common {
            address: $file.address.as_ref(),
            family: $file.family.as_ref(),
            model: $file.model.as_ref(),
            serial: $file.serial.as_ref(),
            timeout: $file.timeout.as_ref(),
            baud: $file.baud.as_ref(),
            calibration_due: $file.calibration_due.as_ref(),
        }
    };
}

/// `table` is where it stands, e.g. `thermometer.board`; its last part is the role.
pub(super) fn check_instrument(
    document: &mut Document,
    table: &str,
    file: &Common<'_>,
) -> Option<InstrumentWiring> {
    let key = |name: &str| format!("{table}.{name}");
    let is_sensor = table.starts_with("thermometer.");
    let address = document.need(&key("address"), file.address);
    let family = if is_sensor { Some(String::new()) } else { document.need(&key("family"), file.family) };
    let model = document.take(&key("model"), file.model);
    let serial = document.take(&key("serial"), file.serial);
    let timeout = document.take(&key("timeout"), file.timeout);
    let timeout = document.span_within(&key("timeout"), timeout, (10, 120_000));
    let baud = document.take(&key("baud"), file.baud);
    let baud = check_count::<u32>(document, &key("baud"), baud, 300..=4_000_000);
    let calibration_due = document.take(&key("calibration_due"), file.calibration_due);
    if let (Some(address), Some(_)) = (&address, file.baud)
        && !matches!(address, Address::Serial { .. })
    {
        let told = ("a baud rate is for a serial line only", "this address is no serial line");
        document.contradiction(&key("baud"), &key("address"), told);
    }
    let role: Role = table.rsplit('.').next().unwrap_or(table).parse().ok()?;
    Some(InstrumentWiring {
        role,
        address: address?,
        family: family?,
        model,
        serial,
        timeout,
        baud: baud.unwrap_or(9600),
        calibration_due,
    })
}

fn check_lead(document: &mut Document, key: &str, lead: Option<&Written<Ohms>>) -> Ohms {
    let lead = document.take(key, lead);
    document.within(key, lead, (Ohms(0.0), Ohms(10.0))).unwrap_or(Ohms(0.0))
}

fn check_source(document: &mut Document, file: &SourceFile) -> Option<SourceWiring> {
    let instrument = check_instrument(document, "source", &common!(file));
    let channel = document.take("source.channel", file.channel.as_ref());
    let channel = check_count(document, "source.channel", channel.or(Some(1)), 1..=8);
    let max_voltage = document.need("source.max_voltage", file.max_voltage.as_ref());
    let max_voltage = document.within("source.max_voltage", max_voltage, (Volts(0.1), Volts(1000.0)));
    let max_current = document.need("source.max_current", file.max_current.as_ref());
    let max_current = document.within("source.max_current", max_current, (Amps(0.001), Amps(100.0)));
    let lead = check_lead(document, "source.lead", file.lead.as_ref());
    Some(SourceWiring {
        instrument: instrument?,
        channel: channel?,
        max_voltage: max_voltage?,
        max_current: max_current?,
        lead,
    })
}

fn check_load(document: &mut Document, file: &LoadFile) -> Option<LoadWiring> {
    let instrument = check_instrument(document, "load", &common!(file));
    let max_current = document.need("load.max_current", file.max_current.as_ref());
    let max_current = document.within("load.max_current", max_current, (Amps(0.001), Amps(100.0)));
    let lead = check_lead(document, "load.lead", file.lead.as_ref());
    Some(LoadWiring { instrument: instrument?, max_current: max_current?, lead })
}

fn check_scope(document: &mut Document, file: &ScopeFile) -> Option<ScopeWiring> {
    let instrument = check_instrument(document, "scope", &common!(file));
    let vout = required(document, "scope.vout", file.vout.as_ref(), |document, probe| {
        check_probe(document, "scope.vout", probe)
    });
    let lx = file.lx.as_ref().map(|probe| check_probe(document, "scope.lx", probe));
    if let (Some(vout), Some(Some(lx))) = (&vout, &lx)
        && vout.channel == lx.channel
    {
        let told = ("the switch node cannot be on the channel of Vout", "Vout is on this channel");
        document.contradiction("scope.lx.channel", "scope.vout.channel", told);
    }
    Some(ScopeWiring {
        instrument: instrument?,
        vout: vout?,
        lx: match lx {
            Some(lx) => Some(lx?),
            None => None,
        },
    })
}

fn check_probe(document: &mut Document, table: &str, file: &ProbeFile) -> Option<ProbeWiring> {
    let key = |name: &str| format!("{table}.{name}");
    let channel = document.need(&key("channel"), file.channel.as_ref());
    let channel = check_count(document, &key("channel"), channel, 1..=8);
    let ratio = document.need(&key("ratio"), file.ratio.as_ref());
    let ratio = document.within(&key("ratio"), ratio, (0.1, 1000.0));
    let fixture = document.need(&key("fixture"), file.fixture.as_ref());
    Some(ProbeWiring { channel: channel?, ratio: ratio?, fixture: fixture?.0.to_owned() })
}

fn check_sim(document: &mut Document, file: Option<&SimFile>) -> SimSettings {
    let seed = document.take("sim.seed", file.and_then(|sim| sim.seed.as_ref()));
    let ambient = document.take("sim.ambient", file.and_then(|sim| sim.ambient.as_ref()));
    let ambient = document.within("sim.ambient", ambient, (Celsius(-40.0), Celsius(85.0)));
    let identity = document.take("sim.load_identity", file.and_then(|sim| sim.load_identity.as_ref()));
    let ageing = document.take("sim.ageing", file.and_then(|sim| sim.ageing.as_ref()));
    let ageing = document.within("sim.ageing", ageing, (0.0, 10_000.0));
    let day_swing = document.take("sim.day_swing", file.and_then(|sim| sim.day_swing.as_ref()));
    let day_swing = document.within("sim.day_swing", day_swing, (Kelvins(0.0), Kelvins(40.0)));
    let lid = document.take("sim.lid_opens_every", file.and_then(|sim| sim.lid_opens_every.as_ref()));
    let lid_opens_every = document.span_within("sim.lid_opens_every", lid, (1_800_000, 2_592_000_000));
    let faults = document.take("sim.faults", file.and_then(|sim| sim.faults.as_ref()));
    SimSettings {
        seed: seed.unwrap_or(1),
        ambient: ambient.unwrap_or(Celsius(23.0)),
        load_identity: identity.map_or("rigol_dl3021", |identity| identity.0).to_owned(),
        ageing: ageing.unwrap_or(0.0),
        day_swing: day_swing.unwrap_or(Kelvins(0.0)),
        lid_opens_every,
        faults,
    }
}

/// Two instruments cannot be at one address, and a bench is simulated as a whole or not at all: a real supply behind a
/// simulated thermometer would heat a board that nothing watches.
fn check_addresses(document: &mut Document, file: &RigFile) {
    fn known(written: Option<&Written<Address>>) -> Option<Address> {
        written.and_then(|written| written.0.as_ref().ok()).cloned()
    }
    let thermometer = file.thermometer.as_ref();
    let board = thermometer.and_then(|tables| tables.board.as_ref());
    let ambient = thermometer.and_then(|tables| tables.ambient.as_ref());
    let addresses: Vec<(&str, Address)> = [
        ("source.address", known(file.source.as_ref().and_then(|table| table.address.as_ref()))),
        ("load.address", known(file.load.as_ref().and_then(|table| table.address.as_ref()))),
        ("scope.address", known(file.scope.as_ref().and_then(|table| table.address.as_ref()))),
        ("thermometer.board.address", known(board.and_then(|table| table.address.as_ref()))),
        ("thermometer.ambient.address", known(ambient.and_then(|table| table.address.as_ref()))),
    ]
    .into_iter()
    .filter_map(|(key, address)| Some((key, address?)))
    .collect();
    let is_simulated = |address: &Address| matches!(address, Address::Sim { .. });
    for (index, (key, address)) in addresses.iter().enumerate() {
        // Two values of one sensor line are two thermometers at one address.
        let share = |earlier: &str| key.starts_with("thermometer") && earlier.starts_with("thermometer");
        let there = addresses[..index].iter().find(|(earlier, other)| address == other && !share(earlier));
        if let Some((earlier, _)) = there {
            let told = ("two instruments cannot be at one address", "this one is there already");
            document.contradiction(key, earlier, told);
        }
        if let Some((first, other)) = addresses.first()
            && is_simulated(address) != is_simulated(other)
        {
            let told = (
                "a bench is simulated as a whole or not at all",
                if is_simulated(other) { "this instrument is simulated" } else { "this instrument is real" },
            );
            document.contradiction(key, first, told);
        }
    }
    if let (Some((first, other)), true) = (addresses.first(), file.sim.is_some())
        && !is_simulated(other)
    {
        let told = ("settings of the simulated bench have no meaning here", "this bench is real");
        document.contradiction("sim", first, told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rigs_of_the_project_are_read() {
        for (name, text) in [
            ("rigs/sim.toml", include_str!("../../../rigs/sim.toml")),
            ("rigs/example-bench.toml", include_str!("../../../rigs/example-bench.toml")),
        ] {
            if let Err(faults) = parse(name, text) {
                panic!("{faults:#?}");
            }
        }
    }
}
