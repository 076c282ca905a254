//! What the instruments of a rig can do, as far as planning must know it.

use std::sync::Arc;

use super::rig::{InstrumentWiring, Rig};
use crate::base::units::{Amps, Volts};
use crate::instrument::dialect::{Class, Family, Fault, Registry};

/// What the instruments of a rig can do by their families.
#[derive(Debug, Clone, PartialEq)]
pub struct Ability {
    /// The supply's output.
    pub source: SourceAbility,
    /// The load.
    pub load: LoadAbility,
    /// The scope, where the rig has one.
    pub scope: Option<ScopeAbility>,
}

/// What one output of a supply can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceAbility {
    /// Highest voltage that can be set.
    pub max_voltage: Volts,
    /// Highest current limit that can be set.
    pub max_current: Amps,
    /// Highest over-voltage level, if there is such a protection.
    pub over_voltage: Option<Volts>,
    /// Highest over-current level, if there is such a protection.
    pub over_current: Option<Amps>,
}

/// What a load can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadAbility {
    /// Highest current that can be set.
    pub max_current: Amps,
    /// Highest voltage at its terminals.
    pub max_voltage: Volts,
    /// Highest level of its own current limit, if it has one.
    pub over_current: Option<Amps>,
}

/// What a scope can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScopeAbility {
    /// Number of analog channels.
    pub channels: u8,
    /// Whether the 20 MHz limiter can be switched.
    pub bandwidth_limit: bool,
}

impl Ability {
    /// What the families of the rig's instruments say.
    ///
    /// # Errors
    /// A family is unknown or of another class, or has no such model, output or scope.
    pub fn read(rig: &Rig, registry: &Registry) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let source = read_source(rig, registry).map_err(|fault| faults.push(fault)).ok();
        let load = read_load(rig, registry).map_err(|fault| faults.push(fault)).ok();
        let scope = match read_scope(rig, registry) {
            Ok(scope) => scope,
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        match (source, load) {
            (Some(source), Some(load)) if faults.is_empty() => Ok(Self { source, load, scope }),
            _ => Err(faults),
        }
    }
}

fn family<'r>(
    rig: &Rig,
    instrument: &InstrumentWiring,
    (registry, class): (&'r Registry, Class),
) -> Result<&'r Arc<Family>, Fault> {
    let key = format!("{}.family", instrument.role);
    let known = || registry.names(class).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match registry.family(&instrument.family) {
        Some(family) if family.class == class => Ok(family),
        Some(family) => {
            let told = format!(
                "{} is a family of the class {}; a {} is expected: {}",
                family.name,
                family.class.as_str(),
                class.as_str(),
                known()
            );
            Err(rig.places.fault(&key, told))
        }
        None => {
            let told = format!("no family is named `{}`; there are {}", instrument.family, known());
            let nearest = registry.nearest(&instrument.family).map(str::to_owned);
            Err(Fault { nearest, ..rig.places.fault(&key, told) })
        }
    }
}

/// What is missing of a family: the model that the rig names, or what every model lacks.
fn lacking(rig: &Rig, instrument: &InstrumentWiring, what: (&str, &str)) -> Fault {
    let (part, otherwise) = what;
    let key = format!("{}.{}", instrument.role, if instrument.model.is_some() { "model" } else { otherwise });
    let model = instrument.model.as_ref().map_or_else(String::new, |model| format!(" for the model {model}"));
    rig.places.fault(&key, format!("the family {} knows no {part}{model}", instrument.family))
}

fn read_source(rig: &Rig, registry: &Registry) -> Result<SourceAbility, Fault> {
    let instrument = &rig.source.instrument;
    let family = family(rig, instrument, (registry, Class::Supply))?;
    let ability = family
        .supply_ability(rig.source.channel, instrument.model.as_deref())
        .ok_or_else(|| lacking(rig, instrument, (&format!("output {}", rig.source.channel), "channel")))?;
    Ok(SourceAbility {
        max_voltage: ability.max_voltage,
        max_current: ability.max_current,
        over_voltage: ability.over_voltage,
        over_current: ability.over_current,
    })
}

fn read_load(rig: &Rig, registry: &Registry) -> Result<LoadAbility, Fault> {
    let instrument = &rig.load.instrument;
    let family = family(rig, instrument, (registry, Class::Load))?;
    let ability = family
        .load_ability(instrument.model.as_deref())
        .ok_or_else(|| lacking(rig, instrument, ("input", "family")))?;
    Ok(LoadAbility {
        max_current: ability.max_current,
        max_voltage: ability.max_voltage,
        over_current: ability.over_current,
    })
}

fn read_scope(rig: &Rig, registry: &Registry) -> Result<Option<ScopeAbility>, Fault> {
    let Some(wiring) = &rig.scope else { return Ok(None) };
    let instrument = &wiring.instrument;
    let family = family(rig, instrument, (registry, Class::Scope))?;
    let ability = family
        .scope_ability(instrument.model.as_deref())
        .ok_or_else(|| lacking(rig, instrument, ("channels", "family")))?;
    Ok(Some(ScopeAbility { channels: ability.channels, bandwidth_limit: ability.bandwidth_limit }))
}
