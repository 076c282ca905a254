//! Rigol DL3021, 150 V, 40 A, 200 W, from its programming guide; under another name the same tree is a Siglent SDL1020X-E.

use std::time::Duration;

use scpi::error::{ErrorCode, Result};
use scpi::parser::parameters::Parameters;
use scpi::tree::Node;
use scpi::{Branch, Leaf};

use super::panel::{self, Answer, Panel, Span, Verb, boolean, bound, choice, number, optional_word};
use super::plant::noise::Generator;
use super::plant::sink::{Function, Sink};
use super::screen;
use super::world::Bench;

/// Whose name the load answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoadModel {
    /// Rigol DL3021.
    #[default]
    Dl3021,
    /// Siglent SDL1020X-E.
    Sdl1020xE,
}

impl LoadModel {
    /// The answer to `*IDN?`.
    #[must_use]
    pub const fn identity(self) -> &'static str {
        match self {
            Self::Dl3021 => "RIGOL TECHNOLOGIES,DL3021,DL3A204800938,00.01.05.00.01",
            Self::Sdl1020xE => "Siglent Technologies,SDL1020X-E,SDL13GCQ6R0000,1.1.1.21R2",
        }
    }
}

/// Settings that only this front panel knows.
#[derive(Debug, Clone, PartialEq)]
struct Knobs {
    mode: &'static str,
    /// Ranges of current, voltage, resistance.
    ranges: [f64; 3],
    slew_a_us: [f64; 2],
    voltage_limit: f64,
    current_limit: f64,
    over_a: f64,
    over_a_on: bool,
    over_w: f64,
    over_w_on: bool,
    sense: bool,
}

impl Knobs {
    const fn fresh() -> Self {
        Self {
            mode: "FIX",
            ranges: [40.0, 150.0, 15_000.0],
            slew_a_us: [0.5, 0.5],
            voltage_limit: 150.0,
            current_limit: 40.0,
            over_a: 44.0,
            over_a_on: false,
            over_w: 220.0,
            over_w_on: false,
            sense: false,
        }
    }
}

/// The instrument.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) panel: Panel,
    knobs: Knobs,
    noise: Generator,
    volts_off: f64,
    amps_off: f64,
}

impl Load {
    /// The instrument as after power-on.
    pub(crate) fn new(model: LoadModel, seed: u64) -> Self {
        let mut noise = Generator::seeded(seed);
        let (volts_off, amps_off) = (noise.between(-0.5e-3, 0.5e-3), noise.between(-0.2e-3, 0.2e-3));
        Self { panel: Panel::new(model.identity()), knobs: Knobs::fresh(), noise, volts_off, amps_off }
    }
}

/// `*RST`: input off, settings as delivered.
pub(crate) fn reset(bench: &mut Bench) {
    let stuck = bench.faults.load_stuck && bench.plant.sink.on;
    bench.load.knobs = Knobs::fresh();
    if !stuck {
        bench.plant.sink = Sink::off();
    }
}

type P<'p, 'a, 'b> = &'p mut Parameters<'a, 'b>;

fn settled(bench: &mut Bench) {
    bench.takes(Duration::from_millis(3));
    bench.plant.wake();
}

const AMPS: usize = 0;
const VOLTS: usize = 1;
const OHMS: usize = 2;
const WATTS: usize = 3;

/// What a level may be, within the chosen range.
fn span(bench: &Bench, quantity: usize) -> Span {
    let ranges = &bench.load.knobs.ranges;
    match quantity {
        AMPS => Span { min: 0.0, max: ranges[AMPS], default: 0.0 },
        VOLTS => Span { min: 0.0, max: ranges[VOLTS], default: ranges[VOLTS] },
        OHMS => Span { min: 0.08, max: ranges[OHMS], default: ranges[OHMS] },
        _ => Span { min: 0.0, max: 200.0, default: 0.0 },
    }
}

fn level_of(sink: &mut Sink, quantity: usize) -> &mut f64 {
    match quantity {
        AMPS => &mut sink.level_a,
        VOLTS => &mut sink.level_v,
        OHMS => &mut sink.level_ohm,
        _ => &mut sink.level_w,
    }
}

fn set_level(bench: &mut Bench, quantity: usize, p: P) -> Result<()> {
    let value = number(p, span(bench, quantity))?;
    *level_of(&mut bench.plant.sink, quantity) = value;
    settled(bench);
    Ok(())
}

fn level(bench: &mut Bench, quantity: usize, p: P) -> Result<Answer> {
    let asked = bound(p, span(bench, quantity))?;
    Ok(Answer::fixed(asked.unwrap_or(*level_of(&mut bench.plant.sink, quantity)), 6))
}

/// The two ranges of each quantity; a value chooses the smallest that holds it.
const RANGES: [[f64; 2]; 3] = [[4.0, 40.0], [15.0, 150.0], [15.0, 15_000.0]];

fn set_range(bench: &mut Bench, quantity: usize, p: P) -> Result<()> {
    let [low, high] = RANGES[quantity];
    let value = number(p, Span { min: 0.0, max: high, default: high })?;
    let range = if value <= low { low } else { high };
    bench.load.knobs.ranges[quantity] = range;
    let level = level_of(&mut bench.plant.sink, quantity);
    *level = level.min(range);
    settled(bench);
    Ok(())
}

fn range(bench: &mut Bench, quantity: usize, p: P) -> Result<Answer> {
    let [low, high] = RANGES[quantity];
    let asked = bound(p, Span { min: low, max: high, default: high })?;
    Ok(Answer::fixed(asked.unwrap_or(bench.load.knobs.ranges[quantity]), 6))
}

fn set_function(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let names = ["CURRent", "VOLTage", "RESistance", "POWer", "CC", "CV", "CR", "CP"];
    let function = match choice(p, &names)? {
        "CURRent" | "CC" => Function::Current,
        "VOLTage" | "CV" => Function::Voltage,
        "RESistance" | "CR" => Function::Resistance,
        _ => Function::Power,
    };
    bench.plant.sink.function = function;
    settled(bench);
    Ok(())
}

fn function(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    let rigol = bench.load.panel.identity.starts_with("RIGOL");
    let (short, long) = match bench.plant.sink.function {
        Function::Current => ("CC", "CURRENT"),
        Function::Voltage => ("CV", "VOLTAGE"),
        Function::Resistance => ("CR", "RESISTANCE"),
        Function::Power => ("CP", "POWER"),
    };
    Ok(Answer::word(if rigol { short } else { long }))
}

fn set_mode(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    match choice(p, &["FIXed", "LIST", "WAVe", "BATTery", "OCP", "OPP"])? {
        "FIXed" => bench.load.knobs.mode = "FIX",
        // Only the fixed mode is simulated.
        _ => return Err(ErrorCode::SettingsConflict.into()),
    }
    Ok(())
}

fn mode(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(bench.load.knobs.mode))
}

fn set_input(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let on = boolean(p)?;
    if on || !bench.faults.load_stuck {
        bench.plant.sink.on = on;
    }
    settled(bench);
    Ok(())
}

fn input(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::bit(bench.plant.sink.on))
}

const START_V: Span = Span { min: 0.0, max: 150.0, default: 0.0 };

fn set_start_v(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.plant.sink.start_v = number(p, START_V)?;
    settled(bench);
    Ok(())
}

fn start_v(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    Ok(Answer::fixed(bound(p, START_V)?.unwrap_or(bench.plant.sink.start_v), 6))
}

/// A setting that this front panel keeps and the steady physics does not use.
fn kept(knobs: &mut Knobs, which: usize) -> (&mut f64, Span) {
    let span = |max: f64, default: f64| Span { min: 0.0, max, default };
    match which {
        0 => (&mut knobs.slew_a_us[0], span(3.0, 0.5)),
        1 => (&mut knobs.slew_a_us[1], span(3.0, 0.5)),
        2 => (&mut knobs.voltage_limit, span(150.0, 150.0)),
        3 => (&mut knobs.current_limit, span(44.0, 40.0)),
        4 => (&mut knobs.over_a, span(44.0, 44.0)),
        _ => (&mut knobs.over_w, span(220.0, 220.0)),
    }
}

fn set_kept(bench: &mut Bench, which: usize, p: P) -> Result<()> {
    let (slot, span) = kept(&mut bench.load.knobs, which);
    *slot = number(p, span)?;
    Ok(())
}

fn kept_value(bench: &mut Bench, which: usize, p: P) -> Result<Answer> {
    let (slot, span) = kept(&mut bench.load.knobs, which);
    Ok(Answer::fixed(bound(p, span)?.unwrap_or(*slot), 6))
}

fn set_slew(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    let value = number(p, Span { min: 0.001, max: 3.0, default: 0.5 })?;
    bench.load.knobs.slew_a_us = [value; 2];
    Ok(())
}

fn set_over_a_on(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.load.knobs.over_a_on = boolean(p)?;
    Ok(())
}

fn over_a_on(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::bit(bench.load.knobs.over_a_on))
}

fn set_over_w_on(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.load.knobs.over_w_on = boolean(p)?;
    Ok(())
}

fn over_w_on(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::bit(bench.load.knobs.over_w_on))
}

fn set_sense(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.load.knobs.sense = boolean(p)?;
    Ok(())
}

fn sense(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::bit(bench.load.knobs.sense))
}

/// Voltage at the terminals, or at the board with remote sense, and current into them, as the instrument sees them.
#[inline]
fn looked(bench: &mut Bench) -> (f64, f64) {
    bench.takes(Duration::from_millis(12));
    let true_v = if bench.load.knobs.sense { bench.plant.node_v() } else { bench.plant.load_v() };
    let (true_a, on) = (bench.plant.load_a(), bench.plant.sink.on);
    let load = &mut bench.load;
    let (noise_v, noise_a) = (0.15e-3 * load.noise.normal(), 0.04e-3 * load.noise.normal());
    let volts = true_v + if true_v > 0.0 { load.volts_off } else { 0.0 } + noise_v;
    let amps = true_a + if on && true_a > 0.0 { load.amps_off } else { 0.0 } + noise_a;
    // Resolution 0.1 mV and 0.01 mA; nothing reads below zero.
    ((volts.max(0.0) * 1e4).round() / 1e4, (amps.max(0.0) * 1e5).round() / 1e5)
}

fn measured(bench: &mut Bench, quantity: usize, _: P) -> Result<Answer> {
    // What one of them does not want is not calculated where looking is part of it.
    Ok(match quantity {
        VOLTS => Answer::fixed(looked(bench).0, 6),
        AMPS => Answer::fixed(looked(bench).1, 6),
        _ => {
            let (volts, amps) = looked(bench);
            match quantity {
                WATTS => Answer::fixed(volts * amps, 6),
                _ if amps > 0.0 => Answer::fixed(volts / amps, 6),
                _ => Answer::word("9.900000e+37"),
            }
        }
    })
}

fn screen_data(bench: &mut Bench, _: usize, p: P) -> Result<Answer> {
    optional_word(p)?;
    let (volts, amps) = looked(bench);
    let ranges = bench.load.knobs.ranges;
    bench.takes(Duration::from_millis(80));
    Ok(Answer::Block(screen::bars(&[(volts / ranges[VOLTS], amps / ranges[AMPS])]).bmp()))
}

/// `:LEVel:IMMediate`, both optional, and the range.
macro_rules! level_branch {
    ($name:literal, $quantity:expr $(, $more:expr)* $(,)?) => {
        Branch![$name;
            Branch![default b"LEVel";
                Leaf!(default b"IMMediate" => &Verb::both($quantity, set_level, level))
            ],
            Leaf!(b"RANGe" => &Verb::both($quantity, set_range, range))
            $(, $more)*
        ]
    };
}

macro_rules! functions {
    () => {
        Branch![b"FUNCtion";
            Leaf!(default b"FUNCtion" => &Verb::both(0, set_function, function)),
            Leaf!(b"MODE" => &Verb::both(0, set_mode, mode))
        ]
    };
}

macro_rules! inputs {
    () => {
        Branch![b"INPut"; Leaf!(default b"STATe" => &Verb::both(0, set_input, input))]
    };
}

macro_rules! currents {
    () => {
        level_branch!(b"CURRent", AMPS,
            Branch![b"SLEW";
                Leaf!(default b"BOTH" => &Verb::both(0, set_slew, kept_value)),
                Leaf!(b"POSitive" => &Verb::both(0, set_kept, kept_value)),
                Leaf!(b"NEGative" => &Verb::both(1, set_kept, kept_value))
            ],
            Leaf!(b"VON" => &Verb::both(0, set_start_v, start_v)),
            Leaf!(b"VLIMt" => &Verb::both(2, set_kept, kept_value)),
            Leaf!(b"ILIMt" => &Verb::both(3, set_kept, kept_value)),
            Branch![b"PROTection";
                Leaf!(b"STATe" => &Verb::both(0, set_over_a_on, over_a_on)),
                Leaf!(default b"LEVel" => &Verb::both(4, set_kept, kept_value))
            ]
        )
    };
}

macro_rules! powers {
    () => {
        Branch![b"POWer";
            Branch![default b"LEVel"; Leaf!(default b"IMMediate" => &Verb::both(WATTS, set_level, level))],
            Branch![b"PROTection";
                Leaf!(b"STATe" => &Verb::both(0, set_over_w_on, over_w_on)),
                Leaf!(default b"LEVel" => &Verb::both(5, set_kept, kept_value))
            ]
        ]
    };
}

macro_rules! measures {
    ($name:literal, $quantity:expr) => {
        Branch![$name; Leaf!(default b"DC" => &Verb::ask($quantity, measured))]
    };
}

/// The command tree; everything under the optional `SOURce` stands at the root as well.
pub(crate) const TREE: Node<'static, Bench> = panel::tree![
    system: [
        Leaf!(b"REMote" => &Verb::set(0, panel::accept)),
        Leaf!(b"LOCal" => &Verb::set(0, panel::accept))
    ],
    Branch![b"MEASure";
        Branch![default b"SCALar";
            measures!(b"VOLTage", VOLTS),
            measures!(b"CURRent", AMPS),
            measures!(b"POWer", WATTS),
            measures!(b"POWE", WATTS),
            measures!(b"RESistance", OHMS)
        ]
    ],
    functions!(),
    inputs!(),
    currents!(),
    level_branch!(b"VOLTage", VOLTS),
    level_branch!(b"RESistance", OHMS),
    powers!(),
    Leaf!(b"SENSe" => &Verb::both(0, set_sense, sense)),
    Branch![b"SOURce";
        functions!(),
        inputs!(),
        currents!(),
        level_branch!(b"VOLTage", VOLTS),
        level_branch!(b"RESistance", OHMS),
        powers!(),
        Leaf!(b"SENSe" => &Verb::both(0, set_sense, sense))
    ],
    Branch![b"PROJect"; Branch![b"WND"; Leaf!(b"DATA" => &Verb::ask(0, screen_data))]]
];
