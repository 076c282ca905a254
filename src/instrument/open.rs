//! From an address to an instrument: opened, identified, and, where it can do harm, behind its hard limits.

use std::sync::Arc;
use std::time::Duration;

use super::dialect::{Class, Family, Registry};
use super::guard::{GuardedLoad, GuardedSupply};
use super::load::ScpiLoad;
use super::scope::ScpiScope;
use super::speaker::{Speaker, advice};
use super::supply::ScpiSupply;
use super::thermometer::{LineThermometer, SensorFacts};
use super::{Asked, ErrorKind, InstrumentError};
use crate::base::clock::Clock;
use crate::base::cut::Cut;
use crate::base::names::Role;
use crate::base::units::{Amps, Volts};
use crate::event::InstrumentFacts;
use crate::link::scpi::{Client, ScpiError};
use crate::link::transport::trace::{Tape, Trace};
use crate::link::transport::{Address, Framing, LinkError, LinkSettings, Opener, Transport};
use crate::link::wire::Identity;

/// Gives each instrument the tape that everything it says and is told is written to.
pub type TapeFor = Arc<dyn Fn(&Role) -> Arc<dyn Tape> + Send + Sync>;

/// What all instruments of a bench share.
#[derive(Clone)]
pub struct Surroundings {
    /// Opens links, to the real world or to the simulated bench.
    pub opener: Arc<dyn Opener>,
    /// The clock that all waiting is done by.
    pub clock: Arc<dyn Clock>,
    /// The families that are known.
    pub registry: Arc<Registry>,
    /// Where the bytes that pass are written, if anywhere.
    pub tape: Option<TapeFor>,
    /// What cuts all waiting short.
    pub cut: Cut,
}

impl Surroundings {
    /// The same for one instrument, whose waiting can be spared by itself.
    #[must_use]
    pub fn of_one(&self) -> Self {
        Self { cut: self.cut.branch(), ..self.clone() }
    }
}

/// Where an instrument is and what it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// What it is on this bench.
    pub role: Role,
    /// Where it is.
    pub address: Address,
    /// Its family by name; not asked for where there is none (a sensor).
    pub family: String,
    /// The serial number it must have, if the rig insists.
    pub serial: Option<String>,
    /// Answer time-out, where the family's own is not enough.
    pub timeout: Option<Duration>,
    /// Baud rate of a serial line.
    pub baud: u32,
    /// Day of the next calibration, and whether it is past; shown only.
    pub calibration_due: Option<(String, bool)>,
}

impl Place {
    pub(super) fn error(
        &self,
        kind: ErrorKind,
        doing: &str,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> InstrumentError {
        InstrumentError::at((&self.role, &self.address.to_string()), kind, doing, detail).with_advice(advice)
    }
}

/// Hard limits of a supply's output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SupplyLimits {
    /// Output number, from 1.
    pub channel: u8,
    /// Never set above.
    pub max_voltage: Volts,
    /// Never set above.
    pub max_current: Amps,
}

/// Opens a supply's output behind its hard limits. Nothing is set.
///
/// # Errors
/// The family is unknown or of another class, the address does not answer, another instrument answers, or the model has no
/// such output.
pub fn open_supply(surroundings: &Surroundings, place: &Place, limits: SupplyLimits) -> Asked<GuardedSupply> {
    let mut speaker = open_speaker(surroundings, place, Class::Supply)?;
    speaker.channel = Some(limits.channel);
    let model = speaker.facts.model.clone();
    let Some(ability) = speaker.family.supply_ability(limits.channel, Some(&model)) else {
        let told = format!(
            "the family `{}` says nothing of an output {} of a {model}",
            speaker.family.name, limits.channel
        );
        return Err(place.error(ErrorKind::Unsupported, "opening", told, "add it to the family's file"));
    };
    let supply = Box::new(ScpiSupply::new(speaker, ability));
    Ok(GuardedSupply::new(supply, limits.max_voltage, limits.max_current))
}

/// Opens a load behind its hard limit. Nothing is set.
///
/// # Errors
/// As [`open_supply`].
pub fn open_load(surroundings: &Surroundings, place: &Place, max_current: Amps) -> Asked<GuardedLoad> {
    let speaker = open_speaker(surroundings, place, Class::Load)?;
    let model = speaker.facts.model.clone();
    let ability = speaker.family.load_ability(Some(&model)).ok_or_else(|| no_model(&speaker))?;
    Ok(GuardedLoad::new(Box::new(ScpiLoad::new(speaker, ability)), max_current))
}

/// Opens a scope. Nothing is set.
///
/// # Errors
/// As [`open_supply`].
pub fn open_scope(surroundings: &Surroundings, place: &Place) -> Asked<ScpiScope> {
    let speaker = open_speaker(surroundings, place, Class::Scope)?;
    let model = speaker.facts.model.clone();
    let ability = speaker.family.scope_ability(Some(&model));
    let (Some(ability), Some(screen)) = (ability, speaker.family.screen.clone()) else {
        return Err(no_model(&speaker));
    };
    Ok(ScpiScope::new(speaker, ability, screen))
}

/// Opens a sensor that sends lines. Whether it sends anything shows at the first reading.
///
/// # Errors
/// The address cannot be opened.
pub fn open_thermometer(
    surroundings: &Surroundings,
    place: &Place,
    sensor: SensorFacts,
) -> Asked<LineThermometer> {
    let link = open_link(surroundings, place, Framing::Line)?;
    Ok(LineThermometer::new(surroundings.clone(), place.clone(), sensor, link))
}

fn no_model(speaker: &Speaker) -> InstrumentError {
    let told = format!(
        "the family `{}` says nothing of the limits of a {}",
        speaker.family.name, speaker.facts.model
    );
    speaker.place.error(ErrorKind::Unsupported, "opening", told, "add the model to the family's file")
}

/// Opens the link, with a tape if one is wanted.
pub(super) fn open_link(
    surroundings: &Surroundings,
    place: &Place,
    framing: Framing,
) -> Asked<Box<dyn Transport>> {
    let settings =
        LinkSettings { framing, baud: place.baud, cut: surroundings.cut.clone(), ..LinkSettings::default() };
    let link = surroundings.opener.open(&place.address, &settings).map_err(|error| {
        let kind = match error {
            LinkError::TimedOut(_) => ErrorKind::TimedOut,
            LinkError::CutShort => ErrorKind::CutShort,
            _ => ErrorKind::LinkLost,
        };
        let told = error.to_string();
        // A link that could not be opened often knows better what to look for; one that was cut short has nothing to look for.
        let is_told = told.ends_with('?') || kind == ErrorKind::CutShort;
        place.error(kind, "opening", told, if is_told { "" } else { advice(ErrorKind::LinkLost) })
    })?;
    Ok(match &surroundings.tape {
        None => link,
        Some(tape_for) => Box::new(Trace::new(link, Arc::clone(&surroundings.clock), tape_for(&place.role))),
    })
}

fn open_speaker(surroundings: &Surroundings, place: &Place, class: Class) -> Asked<Speaker> {
    let family = find_family(surroundings, place, class)?;
    let (client, facts) = open_client(surroundings, place, (&family, None))?;
    Ok(Speaker::new(surroundings.clone(), place.clone(), family, client, facts))
}

/// Opens a conversation with an identified instrument of any class, without a driver around it.
///
/// # Errors
/// As [`open_supply`].
pub fn open_conversation(surroundings: &Surroundings, place: &Place) -> Asked<Client> {
    let class = surroundings.registry.family(&place.family).map_or(Class::Supply, |family| family.class);
    let family = find_family(surroundings, place, class)?;
    open_client(surroundings, place, (&family, None)).map(|(client, _)| client)
}

fn find_family(surroundings: &Surroundings, place: &Place, class: Class) -> Asked<Arc<Family>> {
    let registry = &surroundings.registry;
    let Some(family) = registry.family(&place.family) else {
        let advice = match registry.nearest(&place.family) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("known: {}", registry.names(class).collect::<Vec<_>>().join(", ")),
        };
        let told = format!("there is no family `{}`", place.family);
        return Err(place.error(ErrorKind::Unsupported, "opening", told, advice));
    };
    if family.class != class {
        let told = format!("`{}` is a {}, not a {}", family.name, family.class.as_str(), class.as_str());
        let advice = format!("known: {}", registry.names(class).collect::<Vec<_>>().join(", "));
        return Err(place.error(ErrorKind::Unsupported, "opening", told, advice));
    }
    Ok(Arc::clone(family))
}

/// Opens the link and makes sure that the right instrument is at its end: one of the family, and the known one where it is known.
fn open_client(
    surroundings: &Surroundings,
    place: &Place,
    (family, known): (&Family, Option<&InstrumentFacts>),
) -> Asked<(Client, InstrumentFacts)> {
    let link = open_link(surroundings, place, Framing::Scpi)?;
    let mut conversation = family.conversation.clone();
    if let Some(timeout) = place.timeout {
        conversation.answer_timeout = timeout;
    }
    let mut client =
        Client::new(link, Arc::clone(&surroundings.clock), conversation).heeding(&surroundings.cut);
    let failed = |doing: &str, error: &ScpiError| {
        place.error(error.kind(), doing, error.to_string(), advice(error.kind()))
    };
    if matches!(place.address, Address::Serial { .. }) {
        // A serial line may still hold what was asked before this program came.
        client.resynchronise().map_err(|error| failed("opening", &error))?;
    }
    let identity = settle_identity(
        || client.query_identity().map_err(|error| failed("identifying", &error)),
        |identity| {
            check_identity(surroundings, place, family, identity)?;
            known.map_or(Ok(()), |known| check_same(place, known, identity))
        },
    )?;
    // What stands in the error queue from before must not be blamed on the first set.
    match client.command("*CLS") {
        Ok(()) | Err(ScpiError::Refused { .. }) => {}
        Err(error) => return Err(failed("clearing old errors", &error)),
    }
    let facts = InstrumentFacts {
        role: place.role.clone(),
        address: place.address.to_string(),
        family: family.name.clone(),
        maker: identity.maker,
        model: identity.model,
        serial: identity.serial,
        firmware: identity.firmware,
        calibration_due: place.calibration_due.clone(),
    };
    Ok((client, facts))
}

/// The most often that an instrument is asked who it is before what it says is held against it.
const IDENTITY_QUESTIONS: usize = 4;

/// Asks until the right one answers, or a wrong one answers twice in a row by the same name: a line that came garbled is no other
/// instrument, and does not end a run of days.
fn settle_identity(
    mut ask: impl FnMut() -> Asked<Identity>,
    check: impl Fn(&Identity) -> Asked<()>,
) -> Asked<Identity> {
    let mut identity = ask()?;
    for _ in 1..IDENTITY_QUESTIONS {
        let Err(error) = check(&identity) else { return Ok(identity) };
        let again = ask()?;
        if again == identity {
            return Err(error);
        }
        identity = again;
    }
    // Never the same twice is nobody in particular: the link is what cannot be trusted.
    check(&identity).map_err(|error| InstrumentError { kind: ErrorKind::Nonsense, ..error })?;
    Ok(identity)
}

/// The instrument that answers is the one that was there before; its firmware may have been renewed.
fn check_same(place: &Place, known: &InstrumentFacts, identity: &Identity) -> Asked<()> {
    if (&known.maker, &known.model, &known.serial) == (&identity.maker, &identity.model, &identity.serial) {
        return Ok(());
    }
    let told = format!(
        "{} {} with the serial number `{}` answered, but it was {} {} with `{}`",
        identity.maker, identity.model, identity.serial, known.maker, known.model, known.serial
    );
    Err(place.error(ErrorKind::Refused, "opening again", told, "was the bench rewired?"))
}

fn check_identity(
    surroundings: &Surroundings,
    place: &Place,
    family: &Family,
    identity: &Identity,
) -> Asked<()> {
    if !family.names.matches(identity) {
        let told = format!(
            "`{identity}` answered, which is not of the family `{}` ({}; {})",
            family.name, family.title, family.names
        );
        let advice = match surroundings.registry.identify(identity) {
            Some(other) => {
                format!("it is of the family `{}`: correct the address or the family in the rig", other.name)
            }
            None => "no known family names itself so: is the address right?".to_owned(),
        };
        return Err(place.error(ErrorKind::Refused, "identifying", told, advice));
    }
    match &place.serial {
        Some(serial) if *serial != identity.serial => {
            let told =
                format!("the serial number `{}` answered, the rig insists on `{serial}`", identity.serial);
            Err(place.error(ErrorKind::Refused, "identifying", told, "is the address right?"))
        }
        _ => Ok(()),
    }
}

impl Speaker {
    /// Opens the link anew; refused if it is not the same instrument any more.
    pub(super) fn reopen(&mut self) -> Asked<()> {
        let (client, facts) =
            open_client(&self.surroundings, &self.place, (&self.family, Some(&self.facts)))?;
        self.client = client;
        self.facts = facts;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these answers in turn where `A1` is the right one: who it is taken for or what kind of error, and after how many.
    fn settle(answers: &str) -> String {
        let mut asked = 0;
        let mut answers = answers.split(' ');
        let place = Place {
            role: "source".parse().unwrap(),
            address: Address::Sim { instrument: "supply".to_owned() },
            family: String::new(),
            serial: None,
            timeout: None,
            baud: 0,
            calibration_due: None,
        };
        let settled = settle_identity(
            || {
                asked += 1;
                Ok(Identity::parse(answers.next().unwrap()).unwrap())
            },
            |identity| match identity.model.as_str() {
                "A1" => Ok(()),
                _ => Err(place.error(ErrorKind::Refused, "identifying", "another one", "")),
            },
        );
        match settled {
            Ok(identity) => format!("{} after {asked}", identity.model),
            Err(error) => format!("{} after {asked}", error.kind),
        }
    }

    #[test]
    fn another_instrument_is_refused_when_it_says_so_twice_and_a_garbled_line_is_asked_for_again() {
        for (answers, expected) in [
            ("A1", "A1 after 1"),
            ("B1 B1", "refused after 2"),
            ("Aq A1", "A1 after 2"),
            ("Aq q1 A1", "A1 after 3"),
            ("Aq B1 B1", "refused after 3"),
            ("Aq q1 Az A1", "A1 after 4"),
            ("Aq q1 Az z1", "nonsense after 4"),
        ] {
            assert_eq!(settle(answers), expected, "{answers}");
        }
    }
}
