//! The simulated bench through its own door: real SCPI bytes in, physics behind.

use std::sync::Arc;
use std::time::Duration;

use soakrig::base::clock::{Clock, SimClock};
use soakrig::base::units::{Kelvins, Volts};
use soakrig::link::transport::{Address, LinkError, LinkSettings, Opener, Transport};
use soakrig::sim::{Fault, Filter, Instrument, LoadModel, Mode, SimOpener, World, WorldSettings};

const LONG: Duration = Duration::from_secs(5);

/// A bench with one link to each instrument.
struct Bench {
    clock: Arc<SimClock>,
    world: Arc<World>,
    opener: SimOpener,
}

impl Bench {
    fn new(settings: &WorldSettings) -> Self {
        let clock = Arc::new(SimClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap()));
        let world = Arc::new(World::new(settings, Arc::clone(&clock) as Arc<dyn Clock>));
        let opener = SimOpener::new(Arc::clone(&world));
        Self { clock, world, opener }
    }

    fn with(filter: Filter) -> Self {
        Self::new(&WorldSettings { filter, ..WorldSettings::default() })
    }

    fn open(&self, instrument: Instrument) -> Box<dyn Transport> {
        let address = Address::Sim { instrument: instrument.as_str().to_owned() };
        self.opener.open(&address, &LinkSettings::default()).unwrap()
    }

    /// Sends one message and gives what comes back within a fifth of a second.
    fn ask(&self, instrument: Instrument, message: &str) -> String {
        String::from_utf8_lossy(&self.bytes(instrument, message)).into_owned()
    }

    fn bytes(&self, instrument: Instrument, message: &str) -> Vec<u8> {
        let mut link = self.open(instrument);
        link.send(message.as_bytes()).unwrap();
        match link.receive(Duration::from_millis(500)) {
            Ok(answer) => answer,
            Err(LinkError::TimedOut(_)) => b"(nothing)".to_vec(),
            Err(error) => panic!("{message}: {error}"),
        }
    }

    /// A table of what was sent (with ` | ` between the messages) and what came back.
    fn conversation(&self, instrument: Instrument, messages: &str) -> String {
        let said =
            |message: &str| format!("{message} -> {}", self.ask(instrument, message)).replace('\r', "<CR>");
        let lines: Vec<String> = messages.split(" | ").map(said).collect();
        lines.join("\n")
    }

    /// Sends without waiting for an answer.
    fn tell(&self, instrument: Instrument, message: &str) {
        self.open(instrument).send(message.as_bytes()).unwrap();
    }

    fn number(&self, instrument: Instrument, message: &str) -> f64 {
        let answer = self.ask(instrument, message);
        answer.parse().unwrap_or_else(|_| panic!("{message} -> {answer}"))
    }

    fn wait_s(&self, seconds: f64) {
        self.clock.sleep(Duration::from_secs_f64(seconds));
    }

    /// Vin and load on, settled.
    fn run_at(&self, vin_v: f64, load_a: f64) {
        self.tell(Instrument::Supply, &format!(":APPL CH1,{vin_v},1;:OUTP CH1,ON"));
        self.wait_s(0.2);
        self.tell(Instrument::Load, &format!("FUNC CURR;:CURR {load_a};:INP ON"));
        self.wait_s(0.2);
    }

    /// Codes of a single acquisition of CHAN1, in volts.
    fn capture_vout(&self, setup: &str) -> Vec<f64> {
        self.tell(Instrument::Scope, setup);
        self.tell(Instrument::Scope, ":RUN;:SING");
        self.wait_s(0.1);
        if self.ask(Instrument::Scope, ":TRIG:STAT?") != "STOP" {
            self.tell(Instrument::Scope, ":TFOR");
            self.wait_s(0.1);
        }
        assert_eq!(self.ask(Instrument::Scope, ":TRIG:STAT?"), "STOP");
        self.tell(
            Instrument::Scope,
            ":WAV:SOUR CHAN1;:WAV:MODE RAW;:WAV:FORM BYTE;:WAV:STAR 1;:WAV:STOP 60000",
        );
        let preamble = self.ask(Instrument::Scope, ":WAV:PRE?");
        let fields: Vec<f64> = preamble.split(',').map(|field| field.parse().unwrap()).collect();
        let block = self.bytes(Instrument::Scope, ":WAV:DATA?");
        assert_eq!(&block[..11], b"#9000060000");
        block[11..].iter().map(|code| (f64::from(*code) - fields[8] - fields[9]) * fields[7]).collect()
    }
}

fn span(volts: &[f64]) -> (f64, f64) {
    (volts.iter().copied().fold(f64::MAX, f64::min), volts.iter().copied().fold(f64::MIN, f64::max))
}

const WIDE: &str = ":CHAN1:DISP ON;:CHAN2:DISP ON;:CHAN1:COUP AC;:CHAN1:BWL OFF;:CHAN1:PROB 10;:CHAN1:SCAL 0.5;:CHAN1:OFFS 0;:CHAN2:PROB 10;:CHAN2:SCAL 5;:CHAN2:OFFS -12;:TIM:SCAL 5e-5;:RUN;:ACQ:MDEP 60000;:TRIG:EDG:SOUR CHAN2;:TRIG:EDG:SLOP POS;:TRIG:EDG:LEV 10";
const NARROW: &str = ":CHAN1:DISP ON;:CHAN2:DISP ON;:CHAN1:COUP AC;:CHAN1:BWL 20M;:CHAN1:PROB 10;:CHAN1:SCAL 0.01;:CHAN1:OFFS 0;:CHAN2:PROB 10;:CHAN2:SCAL 5;:CHAN2:OFFS -12;:TIM:SCAL 5e-5;:RUN;:ACQ:MDEP 60000;:TRIG:EDG:SOUR CHAN2;:TRIG:EDG:LEV 10";

#[test]
fn the_supply_speaks_as_the_dp832_does() {
    let bench = Bench::with(Filter::Fitted);
    insta::assert_snapshot!(bench.conversation(
        Instrument::Supply,
        "*IDN? | *OPT? | SYST:REMOTE | :SYST:ERR? | :APPL? CH1 | :INST:NSEL 1 | :INST:NSEL? | \
         :SOUR:VOLT 12.000000 | :SOUR:VOLT? | :SOUR:VOLT? MAX | VOLT? MIN | \
         :SOUR1:CURR 0.5;:SOUR1:CURR? | :sour2:volt:lev:imm:ampl 3.3 | :SOUR2:VOLT? | :SOUR1:VOLT? | \
         :APPL CH1,24,1 | :APPL? CH1 | :OUTP? CH1 | :OUTP CH1,ON;*OPC? | :OUTP? CH1 | \
         :OUTP:MODE? CH1 | :OUTP:CVCC? | :MEAS:VOLT? CH2 | :OUTP:OVP:VAL CH1,26 | \
         :OUTP:OVP:VAL? CH1 | :OUTP:OVP CH1,ON | :OUTP:OVP? CH1 | :OUTP:OVP:QUES? CH1 | \
         :OUTP:OCP:VAL 1.2 | :OUTP:OCP:VAL? CH1 | :OUTP:OCP:STAT ON | :SOUR1:CURR:PROT:STAT? | \
         :SOUR1:VOLT:PROT? | :STAT:QUES:INST:ISUM1:COND? | :OUTP:SENS? CH1 | :SYST:OTP? | \
         :SYST:BEEP:STAT? | :OUTP OFF | output? | instrument:nselect 2 | :INST? | *ESR? | :SYST:ERR?",
    ), @r#"
    *IDN? -> RIGOL TECHNOLOGIES,DP832,DP8C1234567890,00.01.17
    *OPT? -> 0
    SYST:REMOTE -> (nothing)
    :SYST:ERR? -> 0,"No error"
    :APPL? CH1 -> CH1:30V/3A,0.000,1.0000
    :INST:NSEL 1 -> (nothing)
    :INST:NSEL? -> 1
    :SOUR:VOLT 12.000000 -> (nothing)
    :SOUR:VOLT? -> 12.000
    :SOUR:VOLT? MAX -> 32.000
    VOLT? MIN -> 0.000
    :SOUR1:CURR 0.5;:SOUR1:CURR? -> 0.5000
    :sour2:volt:lev:imm:ampl 3.3 -> (nothing)
    :SOUR2:VOLT? -> 3.300
    :SOUR1:VOLT? -> 12.000
    :APPL CH1,24,1 -> (nothing)
    :APPL? CH1 -> CH1:30V/3A,24.000,1.0000
    :OUTP? CH1 -> OFF
    :OUTP CH1,ON;*OPC? -> 1
    :OUTP? CH1 -> ON
    :OUTP:MODE? CH1 -> CV
    :OUTP:CVCC? -> CV
    :MEAS:VOLT? CH2 -> 0.0000
    :OUTP:OVP:VAL CH1,26 -> (nothing)
    :OUTP:OVP:VAL? CH1 -> 26.000
    :OUTP:OVP CH1,ON -> (nothing)
    :OUTP:OVP? CH1 -> ON
    :OUTP:OVP:QUES? CH1 -> NO
    :OUTP:OCP:VAL 1.2 -> (nothing)
    :OUTP:OCP:VAL? CH1 -> 1.2000
    :OUTP:OCP:STAT ON -> (nothing)
    :SOUR1:CURR:PROT:STAT? -> ON
    :SOUR1:VOLT:PROT? -> 26.000
    :STAT:QUES:INST:ISUM1:COND? -> 2
    :OUTP:SENS? CH1 -> NONE
    :SYST:OTP? -> ON
    :SYST:BEEP:STAT? -> ON
    :OUTP OFF -> (nothing)
    output? -> OFF
    instrument:nselect 2 -> (nothing)
    :INST? -> CH2
    *ESR? -> 128
    :SYST:ERR? -> 0,"No error"
    "#);
}

#[test]
fn what_the_supply_does_not_know_answers_nothing_and_is_told_in_the_error_queue() {
    let bench = Bench::with(Filter::Fitted);
    insta::assert_snapshot!(bench.conversation(
        Instrument::Supply,
        "*IDN?;*WAI | :BOGUS? | :SYST:ERR? | :VOLT 99 | :VOLT? | SYST:ERR:NEXT? | :VOLT | \
         SYST:ERR? | *IDN?;:BOGUS? | SYST:ERR? | :VOLT 5 mV;:VOLT? | :VOLT 5 kg | SYST:ERR? | \
         :INST:NSEL 1; :SOURce:VOLTage:LEVel 7.5\r | :VOLT? | *RST | :BOGUS | *RST | SYST:ERR? | \
         *CLS | SYST:ERR? | :MEAS:POWE? | :MEAS:POW? | :MEAS:POWER? CH1",
    ), @r#"
    *IDN?;*WAI -> RIGOL TECHNOLOGIES,DP832,DP8C1234567890,00.01.17
    :BOGUS? -> (nothing)
    :SYST:ERR? -> -113,"Undefined header"
    :VOLT 99 -> (nothing)
    :VOLT? -> 0.000
    SYST:ERR:NEXT? -> -222,"Data out of range"
    :VOLT -> (nothing)
    SYST:ERR? -> -109,"Missing parameter"
    *IDN?;:BOGUS? -> RIGOL TECHNOLOGIES,DP832,DP8C1234567890,00.01.17
    SYST:ERR? -> -113,"Undefined header"
    :VOLT 5 mV;:VOLT? -> 0.005
    :VOLT 5 kg -> (nothing)
    SYST:ERR? -> -131,"Invalid suffix"
    :INST:NSEL 1; :SOURce:VOLTage:LEVel 7.5<CR> -> (nothing)
    :VOLT? -> 7.500
    *RST -> (nothing)
    :BOGUS -> (nothing)
    *RST -> (nothing)
    SYST:ERR? -> -113,"Undefined header"
    *CLS -> (nothing)
    SYST:ERR? -> 0,"No error"
    :MEAS:POWE? -> 0.000
    :MEAS:POW? -> 0.000
    :MEAS:POWER? CH1 -> 0.000
    "#);
}

#[test]
fn the_load_speaks_as_the_dl3021_does() {
    let bench = Bench::with(Filter::Fitted);
    insta::assert_snapshot!(bench.conversation(
        Instrument::Load,
        "*IDN? | :FUNC CURR | :FUNC? | :SOUR:FUNC:MODE? | :CURR 0.25 | :CURR? | \
         :SOUR:CURR:LEV:IMM? | :CURR:RANG? | :CURR:RANG 4 | :CURR:RANG? | :CURR? MAX | :CURR 5 | \
         :SYST:ERR? | :CURR:SLEW 0.1 | :CURR:SLEW:POS? | :CURR:VON? | :INP? | :INP ON | :INP:STAT? | \
         :MEAS:VOLT? | :MEAS:CURR:DC? | :MEAS:POW? | :MEAS:RES? | :INP OFF | :INP? | :FUNC RES | \
         :FUNC? | :RES 10 | :RES? | :BOGUS? | :SYST:ERR?",
    ), @r#"
    *IDN? -> RIGOL TECHNOLOGIES,DL3021,DL3A204800938,00.01.05.00.01
    :FUNC CURR -> (nothing)
    :FUNC? -> CC
    :SOUR:FUNC:MODE? -> FIX
    :CURR 0.25 -> (nothing)
    :CURR? -> 0.250000
    :SOUR:CURR:LEV:IMM? -> 0.250000
    :CURR:RANG? -> 40.000000
    :CURR:RANG 4 -> (nothing)
    :CURR:RANG? -> 4.000000
    :CURR? MAX -> 4.000000
    :CURR 5 -> (nothing)
    :SYST:ERR? -> -222,"Data out of range"
    :CURR:SLEW 0.1 -> (nothing)
    :CURR:SLEW:POS? -> 0.100000
    :CURR:VON? -> 0.000000
    :INP? -> 0
    :INP ON -> (nothing)
    :INP:STAT? -> 1
    :MEAS:VOLT? -> 0.000000
    :MEAS:CURR:DC? -> 0.000000
    :MEAS:POW? -> 0.000000
    :MEAS:RES? -> 9.900000e+37
    :INP OFF -> (nothing)
    :INP? -> 0
    :FUNC RES -> (nothing)
    :FUNC? -> CR
    :RES 10 -> (nothing)
    :RES? -> 10.000000
    :BOGUS? -> (nothing)
    :SYST:ERR? -> -113,"Undefined header"
    "#);
}

#[test]
fn under_siglents_name_the_load_answers_what_sigrok_asks() {
    let bench = Bench::new(&WorldSettings { load_model: LoadModel::Sdl1020xE, ..WorldSettings::default() });
    insta::assert_snapshot!(bench.conversation(
        Instrument::Load,
        "*IDN? | :INPUT? | :FUNC? | MEAS:VOLTage? | MEAS:POWer? | :VOLTage:LEVel? | \
         :CURRENT:LEVel? | :POWer:LEVel? | :RESistance:LEVel? | :POWer:PROTection:STATe? | \
         :POWer:PROTection:LEVel? | :CURRent:PROTection:STATe? | :CURRent:PROTection:LEVel? | \
         :FUNC CURRENT | :CURR:LEV:IMM 0.100 | :CURR:LEV:IMM? | :INPUT ON | :INPUT?",
    ), @r"
    *IDN? -> Siglent Technologies,SDL1020X-E,SDL13GCQ6R0000,1.1.1.21R2
    :INPUT? -> 0
    :FUNC? -> CURRENT
    MEAS:VOLTage? -> 0.000000
    MEAS:POWer? -> 0.000000
    :VOLTage:LEVel? -> 150.000000
    :CURRENT:LEVel? -> 0.000000
    :POWer:LEVel? -> 0.000000
    :RESistance:LEVel? -> 15000.000000
    :POWer:PROTection:STATe? -> 0
    :POWer:PROTection:LEVel? -> 220.000000
    :CURRent:PROTection:STATe? -> 0
    :CURRent:PROTection:LEVel? -> 44.000000
    :FUNC CURRENT -> (nothing)
    :CURR:LEV:IMM 0.100 -> (nothing)
    :CURR:LEV:IMM? -> 0.100000
    :INPUT ON -> (nothing)
    :INPUT? -> 1
    ");
}

#[test]
fn the_scope_speaks_as_the_ds1104z_does() {
    let bench = Bench::with(Filter::Fitted);
    insta::assert_snapshot!(bench.conversation(
        Instrument::Scope,
        "*IDN? | :CHAN1:DISP? | :CHAN2:DISP? | :CHAN1:SCAL? | :CHAN1:SCAL 0.021;SCAL? | \
         :CHAN1:PROB? | :CHAN1:PROB 1 | :CHAN1:SCAL? | :CHAN1:COUP AC;COUP? | :CHAN1:BWL 20M | \
         :CHAN1:BWL? | :CHAN1:OFFS? | :CHAN1:UNIT? | :MATH:DISP? | :TIM:SCAL 200e-6 | \
         :TIM:MAIN:SCAL? | :TIM:MODE? | :TIM:DEL:ENAB? | :TRIG:MODE? | :TRIG:SWE? | \
         :TRIG:EDG:SOUR CHAN2 | :TRIG:EDGE:SOUR? | :TRIG:EDGE:LEV 2 | :TRIG:EDGE:LEV? | \
         :TRIG:STAT? | :ACQ:MDEP? | :ACQ:SRAT? | :ACQ:MDEP 120000 | :ACQ:MDEP? | :ACQ:SRAT? | \
         :ACQ:MDEP 100000 | :SYST:ERR? | :WAV:SOUR CHAN1;*OPC? | :WAV:MODE NORM | :WAV:PRE? | \
         :WAV:POIN? | :STOP | :TRIG:STAT? | :ACQ:MDEP 12000 | :SYST:ERR? | :WAV:MODE RAW;:WAV:PRE? | \
         :RUN | :WAV:DATA? | :SYST:ERR?",
    ), @r#"
    *IDN? -> RIGOL TECHNOLOGIES,DS1104Z,DS1ZA203500001,00.04.05.SP2
    :CHAN1:DISP? -> 1
    :CHAN2:DISP? -> 0
    :CHAN1:SCAL? -> 1.000000e+00
    :CHAN1:SCAL 0.021;SCAL? -> 2.000000e-02
    :CHAN1:PROB? -> 1.000000e+01
    :CHAN1:PROB 1 -> (nothing)
    :CHAN1:SCAL? -> 2.000000e-03
    :CHAN1:COUP AC;COUP? -> AC
    :CHAN1:BWL 20M -> (nothing)
    :CHAN1:BWL? -> 20M
    :CHAN1:OFFS? -> 0.000000e+00
    :CHAN1:UNIT? -> VOLT
    :MATH:DISP? -> 0
    :TIM:SCAL 200e-6 -> (nothing)
    :TIM:MAIN:SCAL? -> 2.000000e-04
    :TIM:MODE? -> MAIN
    :TIM:DEL:ENAB? -> 0
    :TRIG:MODE? -> EDGE
    :TRIG:SWE? -> AUTO
    :TRIG:EDG:SOUR CHAN2 -> (nothing)
    :TRIG:EDGE:SOUR? -> CHAN2
    :TRIG:EDGE:LEV 2 -> (nothing)
    :TRIG:EDGE:LEV? -> 2.000000e+00
    :TRIG:STAT? -> AUTO
    :ACQ:MDEP? -> AUTO
    :ACQ:SRAT? -> 1.000000e+09
    :ACQ:MDEP 120000 -> (nothing)
    :ACQ:MDEP? -> 120000
    :ACQ:SRAT? -> 5.000000e+07
    :ACQ:MDEP 100000 -> (nothing)
    :SYST:ERR? -> -224,"Illegal parameter value"
    :WAV:SOUR CHAN1;*OPC? -> 1
    :WAV:MODE NORM -> (nothing)
    :WAV:PRE? -> 0,0,1200,1,2.000000e-06,-1.200000e-03,0,8.000000e-05,0,127
    :WAV:POIN? -> 1200
    :STOP -> (nothing)
    :TRIG:STAT? -> STOP
    :ACQ:MDEP 12000 -> (nothing)
    :SYST:ERR? -> -221,"Settings conflict"
    :WAV:MODE RAW;:WAV:PRE? -> 0,2,120000,1,2.000000e-08,-1.200000e-03,0,8.000000e-05,0,127
    :RUN -> (nothing)
    :WAV:DATA? -> (nothing)
    :SYST:ERR? -> -221,"Settings conflict"
    "#);
}

#[test]
fn the_test_vector_of_one_volt_a_division_reads_as_real_clients_read_it() {
    let bench = Bench::with(Filter::Fitted);
    bench.tell(Instrument::Scope, ":CHAN1:PROB 1;:CHAN1:SCAL 1;:CHAN1:OFFS 0;:TIM:SCAL 2e-4;:WAV:FORM BYTE;:WAV:MODE NORM;:WAV:SOUR CHAN1");
    assert_eq!(
        bench.ask(Instrument::Scope, ":WAV:PRE?"),
        "0,0,1200,1,2.000000e-06,-1.200000e-03,0,4.000000e-02,0,127"
    );
    let block = bench.bytes(Instrument::Scope, ":WAV:DATA?");
    assert_eq!(&block[..11], b"#9000001200");
    assert_eq!(block.len(), 11 + 1200);
    assert!(
        block[11..].iter().all(|code| (125..=129).contains(code)),
        "nothing is on: code 127 is zero volts"
    );
    let words = {
        bench.tell(Instrument::Scope, ":WAV:FORM WORD");
        bench.bytes(Instrument::Scope, ":WAV:DATA?")
    };
    assert_eq!(&words[..11], b"#9000002400");
    assert!(words[11..].chunks(2).all(|word| word[1] == 0), "the low byte holds the code");
}

#[test]
fn a_block_that_ends_like_a_message_keeps_its_last_byte() {
    let bench = Bench::new(&WorldSettings::default());
    bench.tell(Instrument::Scope, ":CHAN3:DISP ON;:CHAN3:COUP GND;:CHAN3:SCAL 1;:WAV:SOUR CHAN3");
    // Offsets that put zero volts at the codes of a newline, 10, and of a semicolon, 59.
    for (offset, end) in [("-4.68", b'\n'), ("-2.72", b';')] {
        bench.tell(Instrument::Scope, &format!(":CHAN3:OFFS {offset}"));
        let blocks: Vec<_> = (0..40).map(|_| bench.bytes(Instrument::Scope, ":WAV:DATA?")).collect();
        let lengths: Vec<usize> = blocks.iter().map(Vec::len).collect();
        assert_eq!(lengths, [11 + 1200; 40]);
        assert!(blocks.iter().any(|block| block.ends_with(&[end])));
    }
}

#[test]
fn the_screen_is_a_png_and_the_others_give_bmp() {
    let bench = Bench::with(Filter::Bridged);
    bench.run_at(24.0, 0.25);
    bench.tell(Instrument::Scope, WIDE);
    assert_eq!(&bench.bytes(Instrument::Scope, ":DISP:DATA? ON,OFF,PNG")[11..19], b"\x89PNG\r\n\x1a\n");
    assert_eq!(&bench.bytes(Instrument::Supply, ":SYST:PRINT? BMP")[11..13], b"BM");
    assert_eq!(&bench.bytes(Instrument::Load, ":PROJ:WND:DATA?")[11..13], b"BM");
}

#[test]
fn the_board_starts_at_about_twelve_volts_and_stops_seven_tenths_below() {
    let bench = Bench::with(Filter::Fitted);
    bench.tell(Instrument::Supply, ":APPL CH1,10,1;:OUTP CH1,ON");
    let out_at = |vin_v: f64| {
        bench.tell(Instrument::Supply, &format!(":SOUR1:VOLT {vin_v:.3}"));
        bench.wait_s(1.0);
        bench.world.truth().vout.0
    };
    let up: Vec<f64> =
        (100..=130).map(|step| f64::from(step) / 10.0).filter(|vin_v| out_at(*vin_v) > 4.5).collect();
    let start_v = up[0];
    assert!((11.6..12.5).contains(&start_v), "{start_v}");
    let down: Vec<f64> =
        (100..=130).rev().map(|step| f64::from(step) / 10.0).filter(|vin_v| out_at(*vin_v) > 4.5).collect();
    let stop_v = down[down.len() - 1];
    assert!((0.5..1.0).contains(&(start_v - stop_v)), "starts at {start_v}, last alive at {stop_v}");
}

#[test]
fn efficiency_and_idle_current_are_those_of_such_a_board() {
    let bench = Bench::with(Filter::Fitted);
    bench.run_at(24.0, 0.5);
    bench.wait_s(1.0);
    let truth = bench.world.truth();
    let efficiency = truth.vout.0 * truth.iout.0 / (truth.vin.0 * truth.iin.0);
    assert!((0.82..0.87).contains(&efficiency), "{efficiency} {truth:?}");
    assert_eq!(truth.mode, Mode::Continuous);
    assert!((4.85..5.1).contains(&truth.vout.0), "{truth:?}");
    // What the instruments say agrees with the physics.
    let (vin_v, iin_a) = (
        bench.number(Instrument::Supply, ":MEAS:VOLT? CH1"),
        bench.number(Instrument::Supply, ":MEAS:CURR? CH1"),
    );
    assert!((vin_v - 24.0).abs() < 2e-3 && (iin_a - truth.iin.0).abs() < 1e-3, "{vin_v} {iin_a}");
    let iout_a = bench.number(Instrument::Load, ":MEAS:CURR?");
    assert!((iout_a - 0.5).abs() < 1e-3, "{iout_a}");
    let at_load_v = bench.number(Instrument::Load, ":MEAS:VOLT?");
    assert!((truth.vout.0 - at_load_v - 0.025).abs() < 2e-3, "the leads take 25 mV: {at_load_v} {truth:?}");
    bench.tell(Instrument::Load, ":INP OFF");
    bench.wait_s(1.0);
    let idle = bench.world.truth();
    assert_eq!(idle.mode, Mode::Skipping);
    assert!((250e-6..900e-6).contains(&idle.iin.0), "{idle:?}");
}

#[test]
fn a_load_draws_nothing_from_a_dead_output_and_does_not_hold_up_the_start() {
    let bench = Bench::with(Filter::Fitted);
    bench.tell(Instrument::Load, ":CURR 0.5;:INP ON");
    bench.wait_s(0.1);
    assert!(bench.number(Instrument::Load, ":MEAS:CURR?") < 0.5e-3);
    bench.run_at(24.0, 0.5);
    let truth = bench.world.truth();
    assert!(truth.vout.0 > 4.8 && (truth.iout.0 - 0.5).abs() < 1e-6, "{truth:?}");
}

#[test]
fn spikes_stand_at_one_and_a_half_volts_without_the_filter_and_at_tens_of_millivolts_with_it() {
    let peak = |filter: Filter| {
        let bench = Bench::with(filter);
        bench.run_at(24.0, 0.25);
        span(&bench.capture_vout(if filter == Filter::Bridged { WIDE } else { NARROW }))
    };
    let (low, high) = peak(Filter::Bridged);
    assert!((1.3..1.8).contains(&high) && (-1.8..-1.3).contains(&low), "{low} {high}");
    let (low, high) = peak(Filter::Fitted);
    assert!((0.005..0.040).contains(&high) && (-0.040..-0.005).contains(&low), "{low} {high}");
}

#[test]
fn the_node_of_a_revision_c_board_gets_nothing_although_the_converter_runs() {
    let bench = Bench::with(Filter::Neither);
    bench.run_at(24.0, 0.25);
    let truth = bench.world.truth();
    assert_eq!((truth.vout, truth.iout.0), (Volts(0.0), 0.0));
    assert_ne!(truth.mode, Mode::Off);
    let (low, high) = span(&bench.capture_vout(NARROW));
    assert!(high - low < 5e-3, "only the scope's own noise: {low} {high}");
    bench.tell(Instrument::Scope, ":RUN;:CHAN2:DISP ON");
    assert!(bench.number(Instrument::Scope, ":MEAS:ITEM? VPP,CHAN2") > 15.0);
}

#[test]
fn a_shorted_board_hiccups_and_recovers() {
    let bench = Bench::with(Filter::Fitted);
    bench.run_at(24.0, 0.1);
    bench.world.inject(Fault::BoardShorted);
    let mut bursts = 0;
    let mut sum_a = 0.0;
    let mut last = Mode::Off;
    for _ in 0..400 {
        bench.wait_s(0.5e-3);
        let truth = bench.world.truth();
        bursts += u32::from(last == Mode::Off && truth.mode != Mode::Off);
        last = truth.mode;
        sum_a += truth.iin.0;
        assert!(truth.vout.0 < 0.3, "{truth:?}");
    }
    assert!((5..12).contains(&bursts), "{bursts} bursts in 200 ms");
    assert!(sum_a / 400.0 < 0.1, "hiccup keeps the average low: {}", sum_a / 400.0);
    bench.world.mend();
    bench.wait_s(0.1);
    assert!(bench.world.truth().vout.0 > 4.8);
}

#[test]
fn the_supplys_own_protection_trips_and_must_be_cleared() {
    let bench = Bench::with(Filter::Fitted);
    bench.tell(Instrument::Supply, ":OUTP:OVP:VAL CH1,15;:OUTP:OVP CH1,ON;:APPL CH1,24,1;:OUTP CH1,ON");
    bench.wait_s(0.2);
    insta::assert_snapshot!(bench.conversation(
        Instrument::Supply,
        ":OUTP:OVP:QUES? CH1 | :OUTP? CH1 | :STAT:QUES:INST:ISUM1:COND? | :OUTP CH1,ON | \
         :SYST:ERR? | :APPL CH1,12,1 | :OUTP:OVP:CLEAR CH1 | :OUTP CH1,ON | :OUTP? CH1",
    ), @r#"
    :OUTP:OVP:QUES? CH1 -> YES
    :OUTP? CH1 -> OFF
    :STAT:QUES:INST:ISUM1:COND? -> 4
    :OUTP CH1,ON -> (nothing)
    :SYST:ERR? -> -221,"Settings conflict"
    :APPL CH1,12,1 -> (nothing)
    :OUTP:OVP:CLEAR CH1 -> (nothing)
    :OUTP CH1,ON -> (nothing)
    :OUTP? CH1 -> ON
    "#);
}

#[test]
fn output_and_input_fall_within_the_time_make_safe_has() {
    let bench = Bench::with(Filter::Fitted);
    bench.run_at(24.0, 0.1);
    bench.tell(Instrument::Load, ":INP OFF");
    bench.tell(Instrument::Supply, ":OUTP CH1,OFF");
    bench.wait_s(0.15);
    assert!(bench.world.truth().vin.0 < 0.5, "{:?}", bench.world.truth());
    bench.wait_s(2.0);
    assert!(bench.world.truth().vout.0 < 0.1, "{:?}", bench.world.truth());
}

#[test]
fn state_survives_reconnects_and_several_links_see_the_same_instrument() {
    let bench = Bench::with(Filter::Fitted);
    let mut one = bench.open(Instrument::Supply);
    one.send(b":SOUR1:VOLT 7.25").unwrap();
    drop(one);
    let (mut two, mut three) = (bench.open(Instrument::Supply), bench.open(Instrument::Supply));
    two.send(b":SOUR1:VOLT?").unwrap();
    three.send(b"*IDN?").unwrap();
    assert_eq!(two.receive(LONG).unwrap(), b"7.250");
    assert!(three.receive(LONG).unwrap().starts_with(b"RIGOL"));
}

#[test]
fn an_answer_that_is_late_stays_and_a_cleared_link_keeps_only_what_has_not_arrived() {
    let bench = Bench::with(Filter::Fitted);
    let mut link = bench.open(Instrument::Supply);
    link.send(b":APPL CH1,24,1;:OUTP CH1,ON;*OPC?").unwrap();
    assert!(matches!(link.receive(Duration::from_millis(1)), Err(LinkError::TimedOut(_))));
    link.clear().unwrap();
    assert_eq!(link.receive(LONG).unwrap(), b"1");
    assert!(matches!(link.receive(Duration::from_millis(1)), Err(LinkError::TimedOut(_))));
}

#[test]
fn the_thermometer_sends_twice_a_second_and_a_late_listener_hears_no_old_lines() {
    let bench = Bench::with(Filter::Fitted);
    bench.wait_s(10.2);
    let mut link = bench.open(Instrument::Thermometer);
    let lines: Vec<String> =
        (0..3).map(|_| String::from_utf8(link.receive(LONG).unwrap()).unwrap()).collect();
    assert!(lines[0].ends_with("seq=21") && lines[2].ends_with("seq=23"), "{lines:?}");
    insta::assert_snapshot!(lines.join("\n"), @r"
    board=23.0625 ambient=23.0000 seq=21
    board=23.0000 ambient=23.0000 seq=22
    board=23.0000 ambient=23.0000 seq=23
    ");
    assert_eq!(bench.clock.now().0, 11_500_000_000);
    bench.wait_s(100.0);
    link.clear().unwrap();
    let fresh = String::from_utf8(link.receive(LONG).unwrap()).unwrap();
    assert!(fresh.ends_with("seq=224"), "{fresh}");
}

#[test]
fn the_board_warms_under_load_and_the_air_does_not() {
    let bench = Bench::with(Filter::Fitted);
    bench.run_at(24.0, 0.5);
    bench.wait_s(3600.0);
    let truth = bench.world.truth();
    assert!((8.0..20.0).contains(&(truth.board.0 - truth.ambient.0)), "{truth:?}");
    assert!((truth.ambient.0 - 23.0).abs() < 0.2);
}

#[test]
fn faults_show_at_the_instruments() {
    let bench = Bench::with(Filter::Fitted);
    bench.world.inject(Fault::ForeignVoltage(Volts(5.0)));
    assert!((bench.number(Instrument::Load, ":MEAS:VOLT?") - 5.0).abs() < 0.01);
    bench.world.mend();
    bench.world.inject(Fault::SwappedLeads);
    bench.run_at(24.0, 0.25);
    assert!(bench.number(Instrument::Supply, ":MEAS:CURR? CH1") < -0.04);
    bench.world.inject(Fault::SupplyStuckOn);
    bench.world.inject(Fault::LoadStuckOn);
    bench.tell(Instrument::Supply, ":OUTP CH1,OFF");
    bench.tell(Instrument::Load, ":INP OFF");
    assert_eq!(
        (bench.ask(Instrument::Supply, ":OUTP? CH1"), bench.ask(Instrument::Load, ":INP?")),
        ("ON".into(), "1".into())
    );
    bench.wait_s(0.3);
    assert!(bench.world.truth().supply_on && bench.world.truth().load_on);
    bench.world.inject(Fault::BoardOverheats(Kelvins(80.0)));
    assert!(bench.world.truth().board.0 > 100.0);
    bench.world.inject(Fault::WrongIdentity(Instrument::Scope, "ACME,X,1,2".into()));
    assert_eq!(bench.ask(Instrument::Scope, "*IDN?"), "ACME,X,1,2");
    bench.world.inject(Fault::Hangs(Instrument::Load));
    assert_eq!(bench.ask(Instrument::Load, "*IDN?"), "(nothing)");
    bench.world.mend();
    assert!(bench.ask(Instrument::Scope, "*IDN?").starts_with("RIGOL"));
}

#[test]
fn a_frozen_thermometer_repeats_its_line_and_a_silent_one_says_nothing() {
    let bench = Bench::with(Filter::Fitted);
    let mut link = bench.open(Instrument::Thermometer);
    link.receive(LONG).unwrap();
    bench.world.inject(Fault::ThermometerFreezes);
    let lines: Vec<_> = (0..5).map(|_| link.receive(LONG).unwrap()).collect();
    assert!(lines.windows(2).all(|pair| pair[0] == pair[1]), "{lines:?}");
    bench.world.inject(Fault::ThermometerFallsSilent);
    assert!(matches!(link.receive(LONG), Err(LinkError::TimedOut(_))));
    bench.world.mend();
    assert!(link.receive(LONG).is_ok());
}

#[test]
fn a_reboot_cuts_the_links_switches_off_and_takes_two_seconds() {
    let bench = Bench::with(Filter::Fitted);
    bench.run_at(24.0, 0.1);
    let mut link = bench.open(Instrument::Supply);
    bench.world.inject(Fault::Reboots(Instrument::Supply));
    assert!(matches!(link.send(b"*IDN?"), Err(LinkError::Lost(_))));
    assert!(!bench.world.truth().supply_on);
    let address = Address::Sim { instrument: "supply".into() };
    let quick = LinkSettings { connect_timeout: Duration::from_millis(500), ..LinkSettings::default() };
    assert!(matches!(bench.opener.open(&address, &quick), Err(LinkError::NotOpened { .. })));
    bench.wait_s(2.0);
    assert_eq!(bench.ask(Instrument::Supply, ":SOUR1:VOLT?"), "0.000");
    assert!(matches!(link.send(b"*IDN?"), Err(LinkError::Lost(_))), "an old link stays lost");
}

#[test]
fn the_same_seed_gives_the_same_bytes_whoever_asks_in_between() {
    let record = |curious: bool| {
        let bench = Bench::with(Filter::Bridged);
        bench.run_at(24.0, 0.25);
        let mut said = Vec::new();
        for _ in 0..3 {
            if curious {
                let _ = bench.world.truth();
            }
            said.extend(bench.bytes(Instrument::Supply, ":MEAS:ALL? CH1"));
            said.extend(bench.bytes(Instrument::Load, ":MEAS:CURR?"));
            if curious {
                for _ in 0..7 {
                    let _ = bench.world.truth();
                }
            }
        }
        said.extend(bench.capture_vout(WIDE).iter().flat_map(|volts| volts.to_le_bytes()));
        said
    };
    assert!(record(false) == record(true));
    let other = Bench::new(&WorldSettings { seed: 2, filter: Filter::Bridged, ..WorldSettings::default() });
    other.run_at(24.0, 0.25);
    let volts: Vec<u8> = other.capture_vout(WIDE).iter().flat_map(|volts| volts.to_le_bytes()).collect();
    assert!(!record(false).ends_with(&volts), "another seed gives other noise");
}

#[test]
fn no_such_instrument_is_said_with_the_names_there_are() {
    let bench = Bench::with(Filter::Fitted);
    let address = Address::Sim { instrument: "toaster".into() };
    let error = bench.opener.open(&address, &LinkSettings::default()).err().unwrap();
    insta::assert_snapshot!(error, @"cannot open SIM::toaster: the simulated bench has only supply, load, scope, thermometer");
}

/// Driver and simulator are two readings of the same manuals; here they meet.
mod drivers {
    use soakrig::base::units::Amps;
    use soakrig::instrument::dialect::Registry;
    use soakrig::instrument::load::Load;
    use soakrig::instrument::open::{Place, SupplyLimits, Surroundings, open_load, open_scope, open_supply};
    use soakrig::instrument::scope::{ChannelSetup, Scope, TimeSetup, Triggered};
    use soakrig::instrument::supply::Supply;
    use soakrig::waveform::{Coupling, Waveform};

    use super::*;

    fn surroundings(bench: &Bench) -> Surroundings {
        Surroundings {
            opener: Arc::new(bench.opener.clone()),
            clock: Arc::clone(&bench.clock) as Arc<dyn Clock>,
            registry: Arc::new(Registry::built_in().unwrap()),
            tape: None,
            cut: soakrig::base::cut::Cut::default(),
        }
    }

    fn place(instrument: Instrument, family: &str) -> Place {
        Place {
            role: instrument.as_str().parse().unwrap(),
            address: Address::Sim { instrument: instrument.as_str().to_owned() },
            family: family.to_owned(),
            serial: None,
            timeout: None,
            baud: 9600,
            calibration_due: None,
        }
    }

    #[test]
    fn what_the_drivers_set_and_measure_is_what_the_physics_holds() {
        let bench = Bench::with(Filter::Fitted);
        let around = surroundings(&bench);
        let limits = SupplyLimits { channel: 1, max_voltage: Volts(26.0), max_current: Amps(1.0) };
        let mut supply = open_supply(&around, &place(Instrument::Supply, "rigol_dp800"), limits).unwrap();
        assert_eq!(supply.set_over_voltage(Volts(26.0)).unwrap(), Volts(26.0));
        assert_eq!(supply.set_over_current(Amps(1.0)).unwrap(), Amps(1.0));
        supply.set_voltage(Volts(24.0)).unwrap();
        supply.set_current_limit(Amps(0.8)).unwrap();
        supply.set_output(true).unwrap();
        assert!(supply.read_output().unwrap());
        let mut load = open_load(&around, &place(Instrument::Load, "rigol_dl3000"), Amps(0.6)).unwrap();
        load.set_constant_current().unwrap();
        load.set_current(Amps(0.25)).unwrap();
        load.set_input(true).unwrap();
        bench.wait_s(0.3);
        let truth = bench.world.truth();
        assert!((truth.iout.0 - 0.25).abs() < 1e-9, "{truth:?}");
        assert!((supply.measure_voltage().unwrap().0 - 24.0).abs() < 3e-3);
        assert!((supply.measure_current().unwrap().0 - truth.iin.0).abs() < 1e-3);
        assert!((load.measure_current().unwrap().0 - 0.25).abs() < 1e-3);
        assert!((load.measure_voltage().unwrap().0 - truth.vout.0 + 0.25 * 0.05).abs() < 3e-3);
        assert_eq!(supply.read_protection().unwrap(), None);
        load.set_input(false).unwrap();
        supply.set_output(false).unwrap();
        bench.wait_s(0.3);
        assert!(!bench.world.truth().supply_on && bench.world.truth().vin.0 < 0.5);
    }

    /// Both channels of one acquisition as the driver reads them.
    fn captured(bench: &Bench, volts_per_div: f64, coupling: Coupling) -> (Waveform, Waveform, Vec<u8>) {
        let mut scope = open_scope(&surroundings(bench), &place(Instrument::Scope, "rigol_ds1000z")).unwrap();
        let vout = ChannelSetup {
            channel: 1,
            volts_per_div: Volts(volts_per_div),
            center: Volts(if coupling == Coupling::Dc { 5.0 } else { 0.0 }),
            coupling,
            bandwidth_limit: false,
            probe_ratio: 10.0,
        };
        let switch = ChannelSetup {
            channel: 2,
            volts_per_div: Volts(5.0),
            center: Volts(10.0),
            coupling: Coupling::Dc,
            ..vout
        };
        scope.set_channel(vout).unwrap();
        scope.set_channel(switch).unwrap();
        let time = TimeSetup {
            span: Duration::from_micros(600),
            samples: 60_000,
            trigger_channel: 2,
            trigger_level: Volts(12.0),
        };
        scope.set_time(time).unwrap();
        assert_eq!(scope.capture_single(Duration::from_secs(1)).unwrap(), Triggered::Edge);
        let (one, two) = (scope.read_waveform(1).unwrap(), scope.read_waveform(2).unwrap());
        (one, two, scope.capture_screen().unwrap())
    }

    #[test]
    fn a_trace_read_by_the_driver_stands_where_the_physics_put_it() {
        let bench = Bench::with(Filter::Bridged);
        bench.run_at(24.0, 0.25);
        let (vout, switch, screen) = captured(&bench, 0.5, Coupling::Dc);
        let mean = |wave: &Waveform| {
            let volts = wave.volts();
            volts.iter().map(|v| f64::from(*v)).sum::<f64>() / volts.len() as f64
        };
        assert!((mean(&vout) - bench.world.truth().vout.0).abs() < 5e-3, "{}", mean(&vout));
        assert_eq!(vout.codes.len(), 60_000);
        assert!((vout.sample_rate_hz() - 100e6).abs() < 1.0);
        let volts = switch.volts();
        let high = volts.iter().filter(|v| **v > 12.0).count() as f64 / volts.len() as f64;
        assert!((0.20..0.26).contains(&high), "duty {high}");
        assert!(screen.starts_with(b"\x89PNG"));
        let (ripple, _, _) = captured(&bench, 0.5, Coupling::Ac);
        assert!(mean(&ripple).abs() < 5e-3);
    }
}

/// The outside door, in real time, with nothing slower than an instrument's own delay to wait for.
mod outside {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;

    use soakrig::base::clock::RealClock;
    use soakrig::sim::{Ports, Server};

    use super::*;

    fn serve() -> (Arc<World>, Server) {
        let world = Arc::new(World::new(&WorldSettings::default(), Arc::new(RealClock::new())));
        let server = Server::start(&world, Ports::default()).unwrap();
        (world, server)
    }

    fn connect(server: &Server, instrument: Instrument) -> BufReader<TcpStream> {
        let Some(Address::Socket { host, port }) = server.address(instrument) else { panic!("no socket") };
        let stream = TcpStream::connect((host.as_str(), *port)).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        BufReader::new(stream)
    }

    fn line(client: &mut BufReader<TcpStream>, message: &str) -> String {
        client.get_mut().write_all(message.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_line(&mut answer).unwrap();
        answer
    }

    #[test]
    fn several_clients_talk_to_the_same_instrument_and_state_survives_them() {
        let (_, server) = serve();
        let (mut one, mut two) = (connect(&server, Instrument::Supply), connect(&server, Instrument::Supply));
        assert_eq!(line(&mut one, ":SOUR1:VOLT 3.5;:SOUR1:VOLT?\n"), "3.500\n");
        assert_eq!(line(&mut two, ":SOUR1:VOLT?\r\n"), "3.500\n");
        drop((one, two));
        let mut three = connect(&server, Instrument::Supply);
        three.get_mut().write_all(b"\n\n:SOUR1:").unwrap();
        assert_eq!(line(&mut three, "VOLT?\n"), "3.500\n", "half a command waits for its rest");
    }

    #[test]
    fn what_a_client_said_before_it_went_is_carried_out_although_it_hears_no_answer() {
        let (_, server) = serve();
        let mut hasty = connect(&server, Instrument::Supply);
        // More answers than it will ever take, and its last wish behind them.
        let mut said = b"*IDN?\n".repeat(200);
        said.extend_from_slice(b":SOUR1:VOLT 7.5\n");
        hasty.get_mut().write_all(&said).unwrap();
        hasty.get_mut().shutdown(std::net::Shutdown::Read).unwrap();
        drop(hasty);
        let mut other = connect(&server, Instrument::Supply);
        let seen = std::iter::repeat_with(|| line(&mut other, ":SOUR1:VOLT?\n"));
        assert!(seen.take(5000).any(|told| told == "7.500\n"), "the last wish never arrived");
    }

    #[test]
    fn a_block_comes_whole_with_its_newline_inside_and_behind() {
        let (_, server) = serve();
        let mut client = connect(&server, Instrument::Scope);
        client.get_mut().write_all(b":WAV:DATA?\n").unwrap();
        let mut block = vec![0; 11 + 1200 + 1];
        client.read_exact(&mut block).unwrap();
        assert!(block.starts_with(b"#9000001200") && block.ends_with(b"\n"));
    }

    #[test]
    fn an_endless_line_is_forgotten_and_told() {
        let (_, server) = serve();
        let mut client = connect(&server, Instrument::Load);
        client.get_mut().write_all(&vec![b'x'; 300 << 10]).unwrap();
        assert_eq!(line(&mut client, "\n:SYST:ERR?\n"), "-223,\"Too much data\"\n");
    }

    #[test]
    fn stopping_lets_go_of_clients_and_ports() {
        let (_, server) = serve();
        let mut client = connect(&server, Instrument::Load);
        assert!(line(&mut client, "*IDN?\n").starts_with("RIGOL"));
        server.stop();
        let mut rest = Vec::new();
        assert!(matches!(client.read_to_end(&mut rest), Ok(0) | Err(_)));
    }

    #[cfg(unix)]
    #[test]
    fn the_thermometer_sends_on_a_pty() {
        let (_, server) = serve();
        let Some(Address::Serial { path }) = server.address(Instrument::Thermometer) else {
            panic!("no pty")
        };
        let port = serialport::new(path, 9600).timeout(LONG).open().unwrap();
        let mut text = String::new();
        BufReader::new(port).read_line(&mut text).unwrap();
        assert!(text.starts_with("board=") && text.ends_with("\r\n"), "{text:?}");
    }
}
