//! Every verb of every family is spoken and answered; what a driver sends stands here as tables; a faulty file is refused
//! with all its faults; and what a family's file says holds against the simulated bench, which was written from the manuals.

mod fake;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fake::{Fake, around, place};
use soakrig::base::units::{Amps, Volts};
use soakrig::instrument::dialect::check::check_family;
use soakrig::instrument::dialect::family::{Class, Family, Word};
use soakrig::instrument::dialect::registry::{BUILT_IN, Registry};
use soakrig::instrument::dialect::template::Fill;
use soakrig::instrument::dialect::verb::Verb;
use soakrig::instrument::load::Load;
use soakrig::instrument::open::{SupplyLimits, open_load, open_scope, open_supply};
use soakrig::instrument::scope::{ChannelSetup, Scope, TimeSetup, Triggered};
use soakrig::instrument::supply::{Regulation, Supply};
use soakrig::instrument::{ErrorKind, Instrument};
use soakrig::waveform::{Codes, Coupling};

/// What one instrument of each family answers to `*IDN?`.
const IDENTITIES: &[(&str, &str)] = &[
    ("rigol_dp800", "RIGOL TECHNOLOGIES,DP832,DP8C1234567890,00.01.17"),
    ("keysight_e36300", "Keysight Technologies,E36312A,MY59002207,2.0.1-1.0.4-1.12"),
    ("rigol_dl3000", "RIGOL TECHNOLOGIES,DL3021,DL3A204800938,00.01.05.00.01"),
    ("siglent_sdl1000x", "Siglent Technologies,SDL1020X-E,SDL13GCQ6R0000,1.1.1.21R2"),
    ("rigol_ds1000z", "RIGOL TECHNOLOGIES,DS1104Z,DS1ZA203500001,00.04.05.SP2"),
    ("keysight_infiniivision", "KEYSIGHT TECHNOLOGIES,DSO-X 2024A,MY54000001,02.41.2015102200"),
];

fn registry() -> Registry {
    Registry::built_in().unwrap()
}

fn family(name: &str) -> Arc<Family> {
    Arc::clone(registry().family(name).unwrap())
}

fn fake(name: &str) -> Arc<Fake> {
    let identity = IDENTITIES.iter().find(|(family, _)| *family == name).unwrap().1;
    Fake::of(&family(name), identity)
}

const LIMITS: SupplyLimits = SupplyLimits { channel: 2, max_voltage: Volts(24.0), max_current: Amps(1.0) };

/// Each call with the messages it sent; acknowledgements are left out.
struct Table<'f> {
    fake: &'f Fake,
    rows: Vec<String>,
}

impl<'f> Table<'f> {
    fn of(fake: &'f Fake) -> Self {
        Self { fake, rows: Vec::new() }
    }
    fn row(&mut self, call: &str) {
        self.rows.push(format!("{call:<28} {}", self.fake.sent()).trim_end().to_owned());
    }
    fn rendered(&self) -> String {
        self.rows.join("\n")
    }
}

fn supply_conversation(name: &str) -> String {
    let fake = fake(name);
    let mut table = Table::of(&fake);
    let mut supply = open_supply(&around(&fake), &place("source", name, "SIM::supply"), LIMITS).unwrap();
    table.row("open");
    supply.set_voltage(Volts(12.3456)).unwrap();
    table.row("set_voltage(12.3456 V)");
    fake.answer(Verb::ReadSetVoltage, "12.346");
    assert_eq!(supply.read_set_voltage().unwrap(), Volts(12.346));
    table.row("read_set_voltage");
    supply.set_current_limit(Amps(0.5)).unwrap();
    table.row("set_current_limit(500 mA)");
    fake.answer(Verb::ReadCurrentLimit, "+5.00000000E-01");
    assert_eq!(supply.read_current_limit().unwrap(), Amps(0.5));
    table.row("read_current_limit");
    supply.set_output(true).unwrap();
    table.row("set_output(true)");
    fake.answer_word(Verb::ReadOutput, Word::On);
    assert!(supply.read_output().unwrap());
    table.row("read_output");
    fake.answer(Verb::MeasureVoltage, "12.3401");
    assert_eq!(supply.measure_voltage().unwrap(), Volts(12.3401));
    table.row("measure_voltage");
    fake.answer(Verb::MeasureCurrent, "-0.0004");
    assert_eq!(supply.measure_current().unwrap(), Amps(-0.0004));
    table.row("measure_current");
    fake.answer(Verb::ReadOverVoltage, "14.000");
    assert_eq!(supply.set_over_voltage(Volts(14.0)).unwrap(), Volts(14.0));
    table.row("set_over_voltage(14 V)");
    fake.answer(Verb::ReadOverCurrent, "0.6000");
    match supply.ability().over_current {
        Some(_) => assert_eq!(supply.set_over_current(Amps(0.6)).unwrap(), Amps(0.6)),
        None => assert_eq!(supply.set_over_current(Amps(0.6)).unwrap_err().kind(), ErrorKind::Unsupported),
    }
    table.row("set_over_current(600 mA)");
    fake.answer_word(Verb::ReadOverVoltageTripped, Word::On);
    if family(name).can(Verb::ReadOverCurrentTripped) {
        fake.answer_word(Verb::ReadOverCurrentTripped, Word::Off);
    }
    assert_eq!(supply.read_protection().unwrap().as_deref(), Some("over-voltage protection"));
    table.row("read_protection");
    fake.answer_word(Verb::ReadRegulation, Word::ConstantCurrent);
    assert_eq!(supply.read_regulation().unwrap(), Regulation::ConstantCurrent);
    table.row("read_regulation");
    supply.set_output(false).unwrap();
    table.row("set_output(false)");
    table.rendered()
}

fn load_conversation(name: &str) -> String {
    let fake = fake(name);
    let mut table = Table::of(&fake);
    let mut load = open_load(&around(&fake), &place("load", name, "SIM::load"), Amps(1.0)).unwrap();
    table.row("open");
    fake.answer_word(Verb::ReadMode, Word::ConstantCurrent);
    load.set_constant_current().unwrap();
    table.row("set_constant_current");
    load.set_current(Amps(0.25)).unwrap();
    table.row("set_current(250 mA)");
    fake.answer(Verb::ReadSetCurrent, "0.250000");
    assert_eq!(load.read_set_current().unwrap(), Amps(0.25));
    table.row("read_set_current");
    load.set_input(true).unwrap();
    table.row("set_input(true)");
    fake.answer_word(Verb::ReadInput, Word::On);
    assert!(load.read_input().unwrap());
    table.row("read_input");
    fake.answer(Verb::MeasureVoltage, "4.998700");
    assert_eq!(load.measure_voltage().unwrap(), Volts(4.9987));
    table.row("measure_voltage");
    fake.answer(Verb::MeasureCurrent, "0.249980");
    assert_eq!(load.measure_current().unwrap(), Amps(0.24998));
    table.row("measure_current");
    fake.answer(Verb::ReadOverCurrent, "0.600000");
    assert_eq!(load.set_over_current(Amps(0.6)).unwrap(), Amps(0.6));
    table.row("set_over_current(600 mA)");
    load.set_input(false).unwrap();
    table.row("set_input(false)");
    table.rendered()
}

const SETUP: ChannelSetup = ChannelSetup {
    channel: 2,
    volts_per_div: Volts(0.5),
    center: Volts(5.0),
    coupling: Coupling::Dc,
    bandwidth_limit: true,
    probe_ratio: 10.0,
};
const TIME: TimeSetup = TimeSetup {
    span: Duration::from_micros(100),
    samples: 50_000,
    trigger_channel: 2,
    trigger_level: Volts(6.0),
};

/// Answers as a scope whose channel 2 is set as [`SETUP`] says; `offset` in the family's sign.
fn prepare_scope(fake: &Fake, offset: &str, preamble: &str, codes: Vec<u8>) {
    fake.answer_word(Verb::ReadChannelOn, Word::On);
    fake.answer(Verb::ReadProbeRatio, "1.000000e+01");
    fake.answer_word(Verb::ReadCoupling, Word::Dc);
    fake.answer_word(Verb::ReadBandwidthLimit, Word::On);
    fake.answer(Verb::ReadScale, "5.000000e-01");
    fake.answer(Verb::ReadOffset, offset);
    fake.answer(Verb::ReadTimebase, "1.000000e-05");
    fake.answer(Verb::ReadDepth, &codes.len().to_string());
    fake.answer(Verb::ReadPreamble, preamble);
    fake.state.lock().unwrap().codes = codes;
}

fn ramp(samples: usize, from: u8) -> Vec<u8> {
    (0..samples).map(|at| from.wrapping_add((at % 200) as u8)).collect()
}

fn scope_conversation(name: &str, offset: &str, preamble: &str, samples: usize) -> String {
    let fake = fake(name);
    prepare_scope(&fake, offset, preamble, ramp(samples, 20));
    let mut table = Table::of(&fake);
    let mut scope = open_scope(&around(&fake), &place("scope", name, "SIM::scope")).unwrap();
    table.row("open");
    assert_eq!(scope.set_channel(SETUP).unwrap(), SETUP);
    table.row("set_channel");
    scope.set_time(TIME).unwrap();
    table.row("set_time");
    assert_eq!(scope.capture_single(Duration::from_millis(100)).unwrap(), Triggered::Edge);
    table.row("capture_single");
    let trace = scope.read_waveform(2).unwrap();
    table.row("read_waveform");
    assert_eq!(trace.codes, Codes::U8(ramp(samples, 20)));
    let acquisition = &trace.acquisition;
    assert_eq!((acquisition.coupling, acquisition.bandwidth_limit_hz), (Coupling::Dc, Some(20e6)));
    assert_eq!((acquisition.probe_ratio, acquisition.volts_per_div, acquisition.offset_v), (10.0, 0.5, 5.0));
    assert_eq!(acquisition.memory_depth, samples);
    assert!(scope.capture_screen().unwrap().starts_with(b"\x89PNG"));
    table.row("capture_screen");
    fake.state.lock().unwrap().polls_until_stopped = None;
    assert_eq!(scope.capture_single(Duration::from_millis(1)).unwrap(), Triggered::Forced);
    let forced = fake.sent();
    let force = family(name).verbs[&Verb::ForceTrigger].messages[0].render(&[]).unwrap();
    assert!(forced.contains(&force), "{forced}");
    table.rendered()
}

#[test]
fn a_rigol_supply_is_spoken_to_like_this() {
    insta::assert_snapshot!(supply_conversation("rigol_dp800"), @"
    open                         *IDN? | *CLS
    set_voltage(12.3456 V)       :SOUR2:VOLT 12.346
    read_set_voltage             :SOUR2:VOLT?
    set_current_limit(500 mA)    :SOUR2:CURR 0.5000
    read_current_limit           :SOUR2:CURR?
    set_output(true)             :OUTP CH2,ON
    read_output                  :OUTP? CH2
    measure_voltage              :MEAS:VOLT? CH2
    measure_current              :MEAS:CURR? CH2
    set_over_voltage(14 V)       :OUTP:OVP:VAL CH2,14.000 | :OUTP:OVP CH2,ON | :OUTP:OVP:VAL? CH2
    set_over_current(600 mA)     :OUTP:OCP:VAL CH2,0.6000 | :OUTP:OCP CH2,ON | :OUTP:OCP:VAL? CH2
    read_protection              :OUTP:OVP:QUES? CH2 | :OUTP:OCP:QUES? CH2
    read_regulation              :OUTP:MODE? CH2
    set_output(false)            :OUTP CH2,OFF
    ");
}

#[test]
fn a_keysight_supply_is_spoken_to_like_this() {
    insta::assert_snapshot!(supply_conversation("keysight_e36300"), @"
    open                         *IDN? | *CLS
    set_voltage(12.3456 V)       VOLT 12.3456,(@2)
    read_set_voltage             VOLT? (@2)
    set_current_limit(500 mA)    CURR 0.5000,(@2)
    read_current_limit           CURR? (@2)
    set_output(true)             OUTP ON,(@2)
    read_output                  OUTP? (@2)
    measure_voltage              MEAS:VOLT? (@2)
    measure_current              MEAS:CURR? (@2)
    set_over_voltage(14 V)       VOLT:PROT 14.000,(@2) | VOLT:PROT? (@2)
    set_over_current(600 mA)
    read_protection              VOLT:PROT:TRIP? (@2)
    read_regulation              STAT:QUES:INST:ISUM2:COND?
    set_output(false)            OUTP OFF,(@2)
    ");
}

#[test]
fn a_rigol_load_is_spoken_to_like_this() {
    insta::assert_snapshot!(load_conversation("rigol_dl3000"), @"
    open                         *IDN? | *CLS
    set_constant_current         :SOUR:FUNC CURR | :SOUR:FUNC?
    set_current(250 mA)          :SOUR:CURR:LEV:IMM 0.2500
    read_set_current             :SOUR:CURR:LEV:IMM?
    set_input(true)              :SOUR:INP:STAT ON
    read_input                   :SOUR:INP:STAT?
    measure_voltage              :MEAS:VOLT:DC?
    measure_current              :MEAS:CURR:DC?
    set_over_current(600 mA)     :SOUR:CURR:ILIM 0.6000 | :SOUR:CURR:ILIM?
    set_input(false)             :SOUR:INP:STAT OFF
    ");
}

#[test]
fn a_siglent_load_is_spoken_to_like_this() {
    insta::assert_snapshot!(load_conversation("siglent_sdl1000x"), @"
    open                         *IDN? | *CLS
    set_constant_current         :SOUR:FUNC CURRENT | :SOUR:FUNC?
    set_current(250 mA)          :SOUR:CURR:LEV:IMM 0.250
    read_set_current             :SOUR:CURR:LEV:IMM?
    set_input(true)              :SOUR:INP:STAT ON
    read_input                   :SOUR:INP:STAT?
    measure_voltage              MEAS:VOLT:DC?
    measure_current              MEAS:CURR:DC?
    set_over_current(600 mA)     :SOUR:CURR:PROT:LEV 0.600 | :SOUR:CURR:PROT:STAT ON | :SOUR:CURR:PROT:LEV?
    set_input(false)             :SOUR:INP:STAT OFF
    ");
}

#[test]
fn a_rigol_scope_is_spoken_to_like_this() {
    let preamble = "0,2,300000,1,1.000000e-09,-6.000000e-05,0,2.000000e-02,-250,127";
    insta::assert_snapshot!(scope_conversation("rigol_ds1000z", "-5.000000e+00", preamble, 300_000), @"
    open                         *IDN? | *CLS
    set_channel                  :CHAN2:DISP ON | :CHAN2:PROB 10 | :CHAN2:COUP DC | :CHAN2:BWL 20M | :CHAN2:SCAL 5.000000E-1 | :CHAN2:OFFS -5.000000E0 | :CHAN2:COUP? | :CHAN2:BWL? | :CHAN2:PROB? | :CHAN2:SCAL? | :CHAN2:OFFS?
    set_time                     :TIM:MODE MAIN | :TIM:MAIN:SCAL 1.000000E-5 | :TIM:MAIN:OFFS 0 | :TIM:MAIN:SCAL? | :TRIG:SWE AUTO | :RUN | :CHAN1:DISP? | :CHAN2:DISP? | :CHAN3:DISP? | :CHAN4:DISP? | :ACQ:MDEP 300000 | :TRIG:MODE EDGE | :TRIG:COUP DC | :TRIG:EDGE:SOUR CHAN2 | :TRIG:EDGE:SLOP POS | :TRIG:EDGE:LEV 6.000000E0
    capture_single               :TRIG:SWE AUTO | :RUN | :TRIG:STAT? | :SING | :TRIG:STAT? | :TRIG:STAT? | :TRIG:STAT?
    read_waveform                :WAV:SOUR CHAN2 | :WAV:MODE RAW | :WAV:FORM BYTE | :WAV:PRE? | :ACQ:MDEP? | :WAV:STAR 1 | :WAV:STOP 250000 | :WAV:DATA? | :WAV:STAR 250001 | :WAV:STOP 300000 | :WAV:DATA? | :WAV:PRE? | :TRIG:STAT? | :CHAN2:COUP? | :CHAN2:BWL? | :CHAN2:PROB? | :CHAN2:SCAL? | :CHAN2:OFFS?
    capture_screen               :DISP:DATA? ON,OFF,PNG
    ");
}

#[test]
fn a_keysight_scope_is_spoken_to_like_this() {
    let preamble = "+0,+2,+1000,+1,+1.00000000E-09,-5.00000000E-05,+0,+1.56250E-02,+5.00000E+00,+128";
    insta::assert_snapshot!(scope_conversation("keysight_infiniivision", "+5.00000E+00", preamble, 1000), @"
    open                         *IDN? | *CLS
    set_channel                  :CHAN2:DISP 1 | :CHAN2:PROB 10 | :CHAN2:COUP DC | :CHAN2:BWL 1 | :CHAN2:SCAL 5.000000E-1 | :CHAN2:OFFS 5.000000E0 | :CHAN2:COUP? | :CHAN2:BWL? | :CHAN2:PROB? | :CHAN2:SCAL? | :CHAN2:OFFS?
    set_time                     :TIM:MODE MAIN | :TIM:SCAL 1.000000E-5 | :TIM:POS 0 | :TIM:SCAL? | :TRIG:MODE EDGE | :TRIG:EDGE:COUP DC | :TRIG:EDGE:SOUR CHAN2 | :TRIG:EDGE:SLOP POS | :TRIG:EDGE:LEV 6.000000E0
    capture_single               :TRIG:SWE NORM | :RUN | :OPER:COND? | :SING | :OPER:COND? | :OPER:COND? | :OPER:COND?
    read_waveform                :WAV:SOUR CHAN2 | :WAV:FORM BYTE | :WAV:UNS 1 | :WAV:POIN:MODE MAX | :WAV:POIN MAX | :WAV:PRE? | :WAV:DATA? | :WAV:PRE? | :OPER:COND? | :CHAN2:COUP? | :CHAN2:BWL? | :CHAN2:PROB? | :CHAN2:SCAL? | :CHAN2:OFFS?
    capture_screen               :DISP:DATA? PNG,COL
    ");
}

#[test]
fn every_set_is_acknowledged_before_the_next_message() {
    let fake = fake("rigol_dp800");
    let mut supply =
        open_supply(&around(&fake), &place("source", "rigol_dp800", "SIM::supply"), LIMITS).unwrap();
    supply.set_voltage(Volts(5.0)).unwrap();
    fake.answer(Verb::ReadOverVoltage, "6.000");
    supply.set_over_voltage(Volts(6.0)).unwrap();
    insta::assert_snapshot!(fake.sent_in_full().replace(" | ", "\n"), @"
    *IDN?
    *CLS
    *OPC?
    :SYST:ERR?
    :SOUR2:VOLT 5.000
    *OPC?
    :SYST:ERR?
    :OUTP:OVP:VAL CH2,6.000
    *OPC?
    :SYST:ERR?
    :OUTP:OVP CH2,ON
    *OPC?
    :SYST:ERR?
    :OUTP:OVP:VAL? CH2
    ");
}

/// The conversations above run every verb; this one makes sure that none was forgotten.
#[test]
fn every_verb_of_every_family_is_spoken() {
    let rigol = "0,2,300000,1,1.000000e-09,-6.000000e-05,0,2.000000e-02,-250,127";
    let keysight = "+0,+2,+1000,+1,+1.0E-09,-5.0E-05,+0,+1.5625E-02,+5.0E+00,+128";
    for family in registry().families() {
        let mut sent = match (family.class, family.name.as_str()) {
            (Class::Supply, name) => supply_conversation(name),
            (Class::Load, name) => load_conversation(name),
            (Class::Scope, "rigol_ds1000z") => scope_conversation("rigol_ds1000z", "-5", rigol, 300_000),
            (Class::Scope, name) => scope_conversation(name, "5", keysight, 1000),
        };
        let fills = [
            Fill::Channel(2),
            Fill::Value(1.0),
            Fill::State(true),
            Fill::Count(1),
            Fill::Start(1),
            Fill::Stop(1),
        ];
        // Forcing is asserted within the conversation.
        sent.push_str(
            &family
                .verbs
                .get(&Verb::ForceTrigger)
                .map_or(String::new(), |phrase| phrase.messages[0].render(&[]).unwrap()),
        );
        for (verb, phrase) in &family.verbs {
            for message in &phrase.messages {
                let rendered = message.render(&fills).unwrap();
                let header = rendered.split([' ', '?']).next().unwrap();
                assert!(
                    sent.contains(header),
                    "{}: {} was never sent: {rendered}",
                    family.name,
                    verb.as_str()
                );
            }
        }
    }
}

#[test]
fn no_instrument_is_of_two_families() {
    let registry = registry();
    let names: BTreeSet<&str> = registry.families().map(|family| family.name.as_str()).collect();
    assert_eq!(names, IDENTITIES.iter().map(|(name, _)| *name).collect());
    for (name, identity) in IDENTITIES {
        let identity = soakrig::link::wire::Identity::parse(identity).unwrap();
        let matching: Vec<&str> = registry
            .families()
            .filter(|family| family.names.matches(&identity))
            .map(|family| family.name.as_str())
            .collect();
        assert_eq!(matching, [*name]);
    }
}

#[test]
fn a_family_that_another_could_be_taken_for_is_refused() {
    let text = BUILT_IN[0].1.replace("name = \"rigol_dp800\"", "name = \"my_supply\"");
    let faults = Registry::with_files(&[("mine.toml".to_owned(), text)]).unwrap_err();
    assert_eq!(faults.len(), 1);
    insta::assert_snapshot!(faults[0], @"mine.toml: `identity.models`: an instrument could be of this family and of `rigol_dp800` (supply/rigol_dp800.toml): maker `RIGOL TECHNOLOGIES` or `Rigol*`, model `DP832*` or `DP831*` or `DP821*` against maker `RIGOL TECHNOLOGIES` or `Rigol*`, model `DP832*` or `DP831*` or `DP821*`");
}

#[test]
fn a_further_file_may_put_a_built_in_family_right() {
    let text = BUILT_IN[0].1.replace("max_voltage = \"32 V\"", "max_voltage = \"30 V\"");
    let registry = Registry::with_files(&[("mine.toml".to_owned(), text)]).unwrap();
    let ability = registry.family("rigol_dp800").unwrap().supply_ability(1, Some("DP832")).unwrap();
    assert_eq!(ability.max_voltage, Volts(30.0));
    assert_eq!(family("rigol_dp800").supply_ability(1, Some("DP832A")).unwrap().max_voltage, Volts(32.0));
}

#[test]
fn a_wrong_instrument_is_refused_with_both_names() {
    let fake = Fake::of(&family("rigol_dp800"), "Keysight Technologies,E36312A,MY59002207,2.0.1");
    let opened = open_supply(&around(&fake), &place("source", "rigol_dp800", "SIM::supply"), LIMITS);
    let error = opened.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    insta::assert_snapshot!(error, @"source at SIM::supply: identifying: `Keysight Technologies E36312A, serial number MY59002207, firmware 2.0.1` answered, which is not of the family `rigol_dp800` (Rigol DP800 series; maker `RIGOL TECHNOLOGIES` or `Rigol*`, model `DP832*` or `DP831*` or `DP821*`); it is of the family `keysight_e36300`: correct the address or the family in the rig");
    // Asked twice: what comes once may be a garbled line. Nothing else is sent to what is not known.
    assert_eq!(fake.sent(), "*IDN? | *IDN?");
}

#[test]
fn an_unknown_family_a_wrong_class_and_a_wrong_serial_number_are_refused() {
    let fake = fake("rigol_dp800");
    let told = |place| open_supply(&around(&fake), &place, LIMITS).map(drop).unwrap_err().to_string();
    let mut insists = place("source", "rigol_dp800", "SIM::supply");
    insists.serial = Some("DP8C0000".to_owned());
    let all = [
        told(place("source", "rigol_dp80", "SIM::supply")),
        told(place("source", "rigol_dl3000", "SIM::supply")),
        told(insists),
    ];
    insta::assert_snapshot!(all.join("\n"), @"
    source at SIM::supply: opening: there is no family `rigol_dp80`; did you mean `rigol_dp800`?
    source at SIM::supply: opening: `rigol_dl3000` is a load, not a supply; known: keysight_e36300, rigol_dp800
    source at SIM::supply: identifying: the serial number `DP8C1234567890` answered, the rig insists on `DP8C0000`; is the address right?
    ");
}

#[test]
fn after_a_lost_acknowledgement_the_state_is_read_back_before_anything_else() {
    let fake = fake("rigol_dp800");
    let mut supply =
        open_supply(&around(&fake), &place("source", "rigol_dp800", "SIM::supply"), LIMITS).unwrap();
    fake.answer(Verb::ReadSetVoltage, "5.000");
    fake.sent();
    fake.state.lock().unwrap().lost_acknowledgements = 1;
    supply.set_voltage(Volts(5.0)).unwrap();
    let sent = fake.sent();
    assert!(sent.starts_with(":SOUR2:VOLT 5.000 | *ESE "), "{sent}");
    assert!(sent.ends_with(" | :SOUR2:VOLT?"), "{sent}");

    fake.state.lock().unwrap().lost_acknowledgements = 1;
    let error = supply.set_voltage(Volts(7.0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.detail.ends_with("read back, it was not carried out"), "{error}");
}

#[test]
fn what_the_instrument_refuses_is_told_in_its_own_words() {
    let fake = fake("rigol_dp800");
    let mut supply =
        open_supply(&around(&fake), &place("source", "rigol_dp800", "SIM::supply"), LIMITS).unwrap();
    fake.state.lock().unwrap().errors.push_back("-222,\"Data out of range\"".to_owned());
    insta::assert_snapshot!(supply.set_voltage(Volts(5.0)).unwrap_err(), @r#"source at SIM::supply: setting 5 V: the instrument refused `:SOUR2:VOLT 5.000`; it says: -222 "Data out of range""#);
}

#[test]
fn infinite_no_number_and_gibberish_are_never_a_measurement() {
    let fake = fake("rigol_dp800");
    let mut supply =
        open_supply(&around(&fake), &place("source", "rigol_dp800", "SIM::supply"), LIMITS).unwrap();
    for answer in ["9.9E37", "9.91E37", "-9.9E37", "abc", ""] {
        fake.answer(Verb::MeasureVoltage, answer);
        assert_eq!(supply.measure_voltage().unwrap_err().kind(), ErrorKind::Nonsense, "{answer}");
    }
    fake.answer(Verb::ReadOutput, "perhaps");
    assert_eq!(supply.read_output().unwrap_err().kind(), ErrorKind::Nonsense);
    fake.answer(Verb::ReadRegulation, "XX");
    assert_eq!(supply.read_regulation().unwrap_err().kind(), ErrorKind::Nonsense);
}

#[test]
fn another_instrument_at_the_address_is_not_opened_again() {
    let fake = fake("rigol_dp800");
    let mut supply =
        open_supply(&around(&fake), &place("source", "rigol_dp800", "SIM::supply"), LIMITS).unwrap();
    supply.reopen().unwrap();
    fake.state.lock().unwrap().identity = "RIGOL TECHNOLOGIES,DP832,DP8C999,00.01.17".to_owned();
    assert_eq!(supply.reopen().unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(supply.facts().serial, "DP8C1234567890");
}

#[test]
fn a_load_that_stays_in_another_mode_is_refused() {
    let fake = fake("rigol_dl3000");
    let mut load = open_load(&around(&fake), &place("load", "rigol_dl3000", "SIM::load"), Amps(1.0)).unwrap();
    fake.answer(Verb::ReadMode, "CV");
    assert_eq!(load.set_constant_current().unwrap_err().kind(), ErrorKind::Refused);
}

fn opened_scope(fake: &Arc<Fake>) -> impl Scope + use<> {
    let preamble = "0,2,6000,1,1.000000e-09,-6.000000e-05,0,2.000000e-02,-250,127";
    prepare_scope(fake, "-5.000000e+00", preamble, ramp(6000, 20));
    open_scope(&around(fake), &place("scope", "rigol_ds1000z", "SIM::scope")).unwrap()
}

#[test]
fn an_old_record_never_passes_for_a_new_one() {
    let fake = fake("rigol_ds1000z");
    let mut scope = opened_scope(&fake);
    assert!(scope.read_waveform(2).is_err(), "nothing was captured");
    scope.set_channel(SETUP).unwrap();
    scope.capture_single(Duration::from_millis(100)).unwrap();
    scope.read_waveform(2).unwrap();
    scope.read_waveform(2).unwrap();
    scope.set_channel(SETUP).unwrap();
    assert!(scope.read_waveform(2).is_err(), "set anew, not captured anew");
    scope.capture_single(Duration::from_millis(100)).unwrap();
    let error = scope.read_waveform(2).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Nonsense, "the scope gave the same codes again: {error}");
    fake.state.lock().unwrap().codes = ramp(6000, 21);
    scope.capture_single(Duration::from_millis(100)).unwrap();
    scope.read_waveform(2).unwrap();
}

#[test]
fn a_short_transfer_and_a_bad_preamble_are_refused() {
    let fake = fake("rigol_ds1000z");
    let mut scope = opened_scope(&fake);
    scope.capture_single(Duration::from_millis(100)).unwrap();
    fake.answer(Verb::ReadPreamble, "0,2,6000,1,1e-9");
    assert_eq!(scope.read_waveform(2).unwrap_err().kind(), ErrorKind::Nonsense);
}

#[test]
fn a_family_file_is_refused_with_all_its_faults() {
    let text = r#"
name = "My Supply"
class = "supply"
title = "Mine"
colour = "red"

[sources]
guide = "the guide"

[identity]
makers = ["Me"]
models = ["*"]
source = "giude"

[timing]
answer = "1 parsec"
completion = "opx"
completion_within = "5 s"
source = "guide"

[[outputs]]
models = ["M1"]
channel = 1
max_voltage = "20 A"
voltage_step = "1 mV"
current_step = "1 mA"

[screen]
vertical_divisions = 8
source = "guide"

[verbs]
set_voltage = { send = "VOLT {volts}", source = "guide" }
read_set_voltage = { send = "VOLT", reply = "number", source = "guide" }
set_curent_limit = { send = "CURR {value}", source = "guide" }
read_current_limit = { send = "CURR?", reply = "bool", source = "guide" }
set_output = { send = "OUTP ON", source = "guide" }
read_output = { send = "OUTP?", reply = "words", words = { YES = "on", MAYBE = "ac" }, source = "guide" }
measure_voltage = { send = "MEAS:VOLT?", source = "guide" }
measure_current = { send = "MEAS:CURR?", reply = "number" }
"#;
    let faults = check_family("mine.toml", text).unwrap_err();
    let told: Vec<String> = faults
        .iter()
        .map(|fault| {
            let line = fault
                .span
                .as_ref()
                .map_or("-".to_owned(), |span| (text[..span.start].matches('\n').count() + 1).to_string());
            format!("{line:>3} {fault}")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
     2 mine.toml: `name`: a family's name is made of small letters, digits and `_`
     5 mine.toml: `colour`: unknown key `colour`, expected one of `name`, `class`, `title`, `sources`, `identity`, `timing`, `quirks`, `watchdog`, `outputs`, `inputs`, `screen`, `scopes`, `verbs`
    12 mine.toml: `identity.models`: `*` is no pattern: it would match every instrument
    13 mine.toml: `identity.source`: `giude` is no name of `[sources]`; did you mean `guide`?
    15 mine.toml: `timing.error_query`: missing; expected the question for one entry of the error queue, e.g. `:SYST:ERR?`, or the quirk `no_error_queue`
    16 mine.toml: `timing.answer`: `1 parsec` is not a length of time: `parsec` is no unit of time (d h min s ms us ns); write for example `1 d 12 h` or `200 ms`
    17 mine.toml: `timing.completion`: unknown word `opx`, expected one of `opc`, `status`, `time`; did you mean `opc`?
    21 mine.toml: `outputs[0].source`: missing; expected where these facts come from, a name of `[sources]`
    21 mine.toml: `outputs[0].max_current`: missing; expected a current, e.g. `3.2 A`
    24 mine.toml: `outputs[0].max_voltage`: `20 A` is not a voltage: the unit `A` is not V; write for example `500 mV`
    28 mine.toml: `screen`: belongs to the class scope, not supply
    33 mine.toml: `verbs.set_voltage.send`: `{volts}` is no placeholder; there are `{channel}`, `{value}`, `{state}`, `{count}`, `{start}`, `{stop}`
    34 mine.toml: `verbs.read_set_voltage.send`: a question needs a `?`
    35 mine.toml: `verbs.set_curent_limit`: `set_curent_limit` is no verb of the class supply; did you mean `set_current_limit`?
    36 mine.toml: `verbs.read_current_limit.reply`: it must answer with a reply of the kind `number`
    37 mine.toml: `verbs.set_output.send`: `{state}` must stand in it
    38 mine.toml: `verbs.read_output.words`: `ac` has no meaning here; expected one of `on`, `off`
    39 mine.toml: `verbs.measure_voltage.reply`: missing; expected a reply of the kind `number`
    40 mine.toml: `verbs.measure_current.source`: missing; expected where these facts come from, a name of `[sources]`
     - mine.toml: `verbs.set_current_limit`: missing; every family of its class must have it
    ");
}

#[test]
fn every_key_of_the_files_stands_in_the_schema() {
    let schema = soakrig::instrument::dialect::schema::json_schema().unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["properties"]["class"]["$ref"], "#/$defs/Class");
    let required: Vec<&str> =
        schema["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    for key in ["name", "class", "title", "sources", "identity", "timing", "verbs"] {
        assert!(required.contains(&key), "{key} is not required: {required:?}");
    }
}

/// The files against the simulated bench, which was written from the manuals.
mod bench;
