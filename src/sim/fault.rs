//! What can be wrong on the simulated bench, to be injected by a test while the bench serves.

use std::fmt;
use std::time::Duration;

use crate::base::units::{Kelvins, Volts};

use super::plant::noise::Generator;
use super::thermometer;
use super::world::{Bench, Instrument, Reply};

/// Something that is wrong on the bench.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The thermometer goes on sending, but the same line for ever.
    ThermometerFreezes,
    /// The thermometer sends nothing any more.
    ThermometerFallsSilent,
    /// The supply's leads are swapped where it measures: its current reads negative.
    SwappedLeads,
    /// Something else feeds the node: this voltage stands on Vout whatever the board does.
    ForeignVoltage(Volts),
    /// The node's terminals are shorted (50 mΩ).
    BoardShorted,
    /// The board's sensor shows this much more than the physics gives.
    BoardOverheats(Kelvins),
    /// The board regulates to so much more from now on: a part of its divider has cracked. Nobody mends that.
    OutputShifts(Volts),
    /// The supply does not obey an output off; its state reads on.
    SupplyStuckOn,
    /// The load does not obey an input off; its state reads on.
    LoadStuckOn,
    /// The instrument takes bytes and answers nothing.
    Hangs(Instrument),
    /// The instrument loses power for a moment: outputs off, settings as after power-on, links cut, two seconds to boot.
    Reboots(Instrument),
    /// The instrument's links are cut; it stays as it is.
    LinkDrops(Instrument),
    /// One answer of the instrument in forty is spoilt.
    Answers(Instrument, Spoiling),
    /// The supply's own over-current protection switches its output off.
    ProtectionTrips,
    /// The instrument answers `*IDN?` with this text.
    WrongIdentity(Instrument, String),
}

/// What becomes of an answer on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoiling {
    /// It comes up to ten seconds late, perhaps when somebody waits for another one.
    Late,
    /// One of its bytes is none of any text.
    Garbled,
    /// Its second half and its end never come.
    Half,
    /// A number is `NAN`, as of an instrument that has none.
    NotANumber,
    /// A number is `9.9E37`, as SCPI writes one that is too large for the range.
    Overflow,
}

impl Spoiling {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Late, Self::Garbled, Self::Half, Self::NotANumber, Self::Overflow];

    fn spoil(self, reply: &mut Reply, random: &mut Generator) {
        let Some(bytes) = &mut reply.bytes else { return };
        let is_number = std::str::from_utf8(bytes).is_ok_and(|text| text.trim().parse::<f64>().is_ok());
        match self {
            Self::Late => reply.ready = reply.ready + Duration::from_secs_f64(random.between(0.5, 10.0)),
            Self::Garbled => {
                let place = (random.bits() % bytes.len().max(1) as u64) as usize;
                if let Some(byte) = bytes.get_mut(place) {
                    *byte |= 0x80;
                }
            }
            Self::Half => {
                bytes.truncate(bytes.len() / 2);
                reply.ended = false;
            }
            Self::NotANumber if is_number => *bytes = b"NAN".to_vec(),
            Self::Overflow if is_number => *bytes = b"9.9E37".to_vec(),
            Self::NotANumber | Self::Overflow => {}
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThermometerFreezes => f.write_str("the thermometer sends the same line again and again"),
            Self::ThermometerFallsSilent => f.write_str("the thermometer falls silent"),
            Self::SwappedLeads => f.write_str("the supply's leads are swapped"),
            Self::ForeignVoltage(volts) => write!(f, "something else feeds the board with {volts}"),
            Self::BoardShorted => f.write_str("the board's output is shorted"),
            Self::BoardOverheats(more) => write!(f, "the board is {more} warmer"),
            Self::OutputShifts(volts) => write!(f, "the board's output is {volts} higher"),
            Self::SupplyStuckOn => f.write_str("the supply does not switch off any more"),
            Self::LoadStuckOn => f.write_str("the load does not switch off any more"),
            Self::Hangs(who) => write!(f, "the {} hangs", who.as_str()),
            Self::Reboots(who) => write!(f, "the {} reboots", who.as_str()),
            Self::LinkDrops(who) => write!(f, "the link of the {} drops", who.as_str()),
            Self::Answers(who, spoiling) => {
                let how = match spoiling {
                    Spoiling::Late => "late",
                    Spoiling::Garbled => "garbled",
                    Spoiling::Half => "cut in half",
                    Spoiling::NotANumber => "no numbers",
                    Spoiling::Overflow => "overflows",
                };
                write!(f, "some answers of the {} are {how}", who.as_str())
            }
            Self::ProtectionTrips => f.write_str("the supply's own protection trips"),
            Self::WrongIdentity(who, identity) => write!(f, "the {} says it is {identity}", who.as_str()),
        }
    }
}

/// The faults that last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// The line that a frozen thermometer repeats.
    pub(crate) thermometer_frozen: Option<String>,
    pub(crate) thermometer_silent: bool,
    pub(crate) swapped_leads: bool,
    pub(crate) supply_stuck: bool,
    pub(crate) load_stuck: bool,
    pub(crate) hanging: Vec<Instrument>,
    spoilt: Vec<(Instrument, Spoiling)>,
}

/// The share of answers that are spoilt.
const SPOILT: f64 = 1.0 / 40.0;

impl Faults {
    /// What becomes of an answer of `instrument`.
    pub(crate) fn spoil(&self, instrument: Instrument, reply: &mut Reply, random: &mut Generator) {
        for (spoilt, spoiling) in &self.spoilt {
            if *spoilt == instrument && random.uniform() < SPOILT {
                spoiling.spoil(reply, random);
            }
        }
    }
}

impl Bench {
    /// Something is wrong from now on.
    pub(crate) fn inject(&mut self, fault: Fault) {
        match fault {
            Fault::ThermometerFreezes => self.faults.thermometer_frozen = thermometer::latest(self),
            Fault::ThermometerFallsSilent => self.faults.thermometer_silent = true,
            Fault::SwappedLeads => self.faults.swapped_leads = true,
            Fault::ForeignVoltage(volts) => self.plant.foreign_v = Some(volts.0),
            Fault::BoardShorted => self.plant.shorted = true,
            Fault::BoardOverheats(more) => self.plant.extra_board_k = more.0,
            Fault::OutputShifts(volts) => self.plant.shift_output(volts.0),
            Fault::SupplyStuckOn => self.faults.supply_stuck = true,
            Fault::LoadStuckOn => self.faults.load_stuck = true,
            Fault::Hangs(instrument) => self.faults.hanging.push(instrument),
            Fault::Reboots(instrument) => self.reboot(instrument),
            Fault::LinkDrops(instrument) => self.cut_links(instrument),
            Fault::Answers(instrument, spoiling) => self.faults.spoilt.push((instrument, spoiling)),
            Fault::ProtectionTrips => self.plant.source.trip_over_current(),
            Fault::WrongIdentity(instrument, identity) => self.rename(instrument, identity),
        }
        self.plant.wake();
    }

    /// One of the faults that schedules make and that last is over.
    pub(crate) fn relieve(&mut self, fault: &Fault) {
        match fault {
            Fault::ThermometerFreezes => self.faults.thermometer_frozen = None,
            Fault::ThermometerFallsSilent => self.faults.thermometer_silent = false,
            Fault::SupplyStuckOn => self.faults.supply_stuck = false,
            Fault::LoadStuckOn => self.faults.load_stuck = false,
            Fault::Hangs(instrument) => self.faults.hanging.retain(|hanging| hanging != instrument),
            Fault::Answers(instrument, spoiling) => {
                self.faults.spoilt.retain(|spoilt| *spoilt != (*instrument, *spoiling));
            }
            _ => {}
        }
        self.plant.wake();
    }
}
