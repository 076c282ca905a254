//! A plausible line-and-load sweep, written through the real recorder: figures by rough formulas, traces with ripple,
//! spikes at both edges and a little noise. Nothing here is measured; it serves to look at records and reports.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::time::Duration;

use soakrig::base::clock::Instant;
use soakrig::base::units::{Amps, Celsius, Volts};
use soakrig::event::limit::{Clause, Comparison, Known, Operand, check_limits, point_verdict};
use soakrig::event::{
    Board, Condition, Event, FigureName, Figures, InstrumentFacts, Limit, PointId, PointResult, Region,
    Regulation, RunEnd, RunFacts, RunVerdict, SafeState, Setting, Sink, SinkError, Stamp, Stop,
};
use soakrig::record::{Recorder, RunHeader};
use soakrig::waveform::figures::Bound;
use soakrig::waveform::{Acquisition, Codes, Coupling, Scaling, Unavailable, Waveform};

/// Switching frequency of the made-up board in Hz.
pub(crate) const SWITCHING_HZ: f64 = 122_070.0;

/// A moment `ms` after the run's start.
pub(crate) fn at(ms: u64) -> Stamp {
    let start: jiff::Timestamp = "2026-11-23T16:04:10.25Z".parse().unwrap();
    Stamp { utc: start + Duration::from_millis(ms), monotonic: Instant(ms * 1_000_000) }
}

/// The header of a run on board `sn0007`.
pub(crate) fn header(revision: &str) -> RunHeader {
    RunHeader {
        started: at(0),
        profile: "line-load-sweep".parse().unwrap(),
        board: board(revision),
        rig_text: "name = \"sim\"\n".to_owned(),
        profile_text: "name = \"line-load-sweep\"\n".to_owned(),
        plan_text: "125 points\n".to_owned(),
        families: Vec::new(),
    }
}

fn board(revision: &str) -> Board {
    Board { serial: "sn0007".parse().unwrap(), revision: revision.parse().unwrap() }
}

fn at_least(operand: Operand, value: f64) -> Clause {
    Clause { operand, comparison: Comparison::AtLeast, value }
}

/// The limits of the sweep.
pub(crate) fn limits() -> Vec<Limit> {
    let started = || Condition(vec![at_least(Operand::Vin, 13.2)]);
    let limit = |name: &str, figure, min, max, marginal, condition| Limit {
        name: name.to_owned(),
        figure,
        min,
        max,
        condition,
        marginal,
    };
    let loaded = Condition(vec![at_least(Operand::Vin, 13.2), at_least(Operand::Load, 0.25)]);
    vec![
        limit("output voltage", FigureName::Vout, Some(4.85), Some(5.15), 0.02, started()),
        limit("ripple and noise", FigureName::NoisePp20Mhz, None, Some(0.05), 0.004, started()),
        limit("positive spikes", FigureName::SpikePos, None, Some(0.2), 0.02, started()),
        limit("negative spikes", FigureName::SpikeNeg, Some(-0.2), None, 0.02, started()),
        limit("efficiency", FigureName::Efficiency, Some(0.78), None, 0.02, loaded),
        limit("board temperature", FigureName::BoardTemperature, None, Some(85.0), 5.0, started()),
    ]
}

/// The facts of a run with `planned` points.
pub(crate) fn facts(revision: &str, planned: u32) -> RunFacts {
    let digest = |first: char| first.to_string().repeat(64);
    RunFacts {
        software: "soakrig 0.1.0".to_owned(),
        profile: "line-load-sweep".parse().unwrap(),
        purpose: "Line and load sweep of the 5 V buck against the limits of its data sheet.".to_owned(),
        rig: "sim".to_owned(),
        simulated: true,
        board: board(revision),
        operator: Some("K. Weber".to_owned()),
        note: Some("First article after the change of D1; coil from the second batch.".to_owned()),
        points_planned: planned,
        soak: None,
        turn: None,
        seed: Some(1),
        plan_digest: digest('a'),
        rig_digest: digest('b'),
        profile_digest: digest('c'),
        limits: limits(),
        vout_nominal: Volts(5.0),
        definitions: [("ripple_pp_v".to_owned(), 1)].into(),
        settle_rule: "stable within 10 mV for 200 ms, given up after 5 s".to_owned(),
    }
}

/// The instruments of the bench.
pub(crate) fn instruments() -> Vec<InstrumentFacts> {
    let table: [[&str; 7]; 5] = [
        ["source", "SIM::supply", "rigol_dp800", "RIGOL TECHNOLOGIES", "DP832", "DP8C000001", "00.01.16"],
        ["load", "SIM::load", "rigol_dl3000", "RIGOL TECHNOLOGIES", "DL3021", "DL3A000001", "00.01.05"],
        [
            "scope",
            "SIM::scope",
            "rigol_ds1000z",
            "RIGOL TECHNOLOGIES",
            "DS1104Z",
            "DS1ZA00001",
            "00.04.04.SP4",
        ],
        ["board", "SIM::thermometer1", "key=value", "", "", "", ""],
        ["ambient", "SIM::thermometer2", "key=value", "", "", "", ""],
    ];
    let due =
        [Some(("2027-03-01", false)), Some(("2026-09-30", true)), Some(("2027-01-15", false)), None, None];
    table
        .into_iter()
        .zip(due)
        .map(|([role, address, family, maker, model, serial, firmware], due)| InstrumentFacts {
            role: role.parse().unwrap(),
            address: address.to_owned(),
            family: family.to_owned(),
            maker: maker.to_owned(),
            model: model.to_owned(),
            serial: serial.to_owned(),
            firmware: firmware.to_owned(),
            calibration_due: due.map(|(day, past)| (day.to_owned(), past)),
        })
        .collect()
}

/// A number between -0.5 and 0.5 that depends on `seed` alone.
fn dither(seed: u64) -> f64 {
    let mixed = (seed.wrapping_add(0x9E37_79B9)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed >> 40) as f64) / f64::from(1 << 24) - 0.5
}

fn spike_v(revision: &str, vin: f64, load: f64, seed: u64) -> f64 {
    let raw = 1.35 + 0.006 * vin + 0.15 * load + 0.04 * dither(seed);
    if revision == "A" { raw } else { 0.075 * raw }
}

fn started_figures(revision: &str, vin: f64, load: f64, seed: u64) -> Figures {
    let skipping = load < 0.02;
    let spike = spike_v(revision, vin, load, seed);
    let ripple = 0.011 + 0.011 * (1.0 - 5.0 / vin) * (0.4 + load).min(0.9);
    let noise = ripple * 1.3 + if revision == "A" { 0.016 } else { 0.004 };
    let vout = 5.012 - 0.02 * load + 0.0004 * vin + 0.001 * dither(seed + 1);
    let (out_w, loss_w) = (vout * load, 0.055 + 0.0022 * vin + 0.85 * load - 0.006 * load * (24.0 - vin));
    let iin = (out_w + loss_w) / vin;
    let no_edges = || Err(Unavailable::because("the board skips pulses: there is no period"));
    let by_edges = |value: f64| if skipping { no_edges() } else { Ok(value) };
    let efficiency = if load == 0.0 {
        Err(Unavailable::because("no output power at 0 A"))
    } else {
        Ok(out_w / (out_w + loss_w))
    };
    [
        (FigureName::Vin, Ok(vin - 0.12 * iin)),
        (FigureName::Iin, Ok(iin)),
        (FigureName::Vout, Ok(vout)),
        (FigureName::Iout, Ok(load + 0.0004 * dither(seed + 2))),
        (FigureName::Efficiency, efficiency),
        (FigureName::Settle, Ok(0.35 + 0.1 * dither(seed + 3).abs())),
        (FigureName::Mean, Ok(vout + 0.004 * dither(seed + 4))),
        (FigureName::RmsAc, Ok(noise / 5.0)),
        (FigureName::NoisePpFull, Ok(2.0 * spike + ripple)),
        (FigureName::NoisePp20Mhz, Ok(noise)),
        (FigureName::RipplePp, by_edges(ripple)),
        (FigureName::SpikePos, Ok(spike)),
        (FigureName::SpikeNeg, Ok(-0.92 * spike)),
        (FigureName::Switching, by_edges(SWITCHING_HZ + 60.0 * dither(seed + 5))),
        (FigureName::Duty, by_edges(5.45 / vin)),
        (FigureName::BoardTemperature, Ok(25.2 + 38.0 * loss_w + 0.2 * dither(seed + 6))),
        (FigureName::AmbientTemperature, Ok(24.3 + 0.1 * dither(seed + 7))),
        (FigureName::Loss, Ok(loss_w)),
    ]
    .into_iter()
    .collect()
}

fn idle_figures(vin: f64, seed: u64) -> Figures {
    let off = || Err(Unavailable::because("there is no output at this point"));
    let mut figures: Figures =
        FigureName::ALL.iter().filter(|name| name.is_column()).map(|name| (*name, off())).collect();
    figures.insert(FigureName::Vin, Ok(vin));
    figures.insert(FigureName::Iin, Ok(0.000_06 * vin));
    figures.insert(FigureName::Vout, Ok(0.0004 + 0.0002 * dither(seed)));
    figures.insert(FigureName::Iout, Ok(0.0));
    figures.insert(FigureName::BoardTemperature, Ok(24.6 + 0.1 * dither(seed + 6)));
    figures.insert(FigureName::AmbientTemperature, Ok(24.3 + 0.1 * dither(seed + 7)));
    figures
}

/// The result of a point.
pub(crate) fn point(revision: &str, point: u32, vin: f64, load: f64) -> PointResult {
    let setting = Setting { vin: Volts(vin), load: Amps(load) };
    let seed = u64::from(point) * 16;
    let figures =
        if vin < 12.0 { idle_figures(vin, seed) } else { started_figures(revision, vin, load, seed) };
    let checks = check_limits(&limits(), setting, Known { figures: &figures, bounds: &BTreeMap::new() });
    let notes = if point == 63 { vec!["not settled within 5 s".to_owned()] } else { Vec::new() };
    PointResult {
        point: PointId(point),
        repeat: 1,
        phase: None,
        setting,
        figures,
        bounds: if point == 63 { [(FigureName::SpikePos, Bound::Lower)].into() } else { BTreeMap::new() },
        region: if vin < 12.0 { Region::Off } else { Region::Regulated },
        regulation: Ok(Regulation::ConstantVoltage),
        verdict: point_verdict(&checks),
        checks,
        notes,
    }
}

/// A trace of the output or of the switch node.
pub(crate) fn trace(
    revision: &str,
    signal: &str,
    purpose: &str,
    (vin, load): (f64, f64),
    samples: usize,
) -> Waveform {
    let is_wide = purpose == "spikes";
    let spike = spike_v(revision, vin, load, 7);
    let (low_v, high_v) = match (signal, is_wide) {
        ("lx", _) => (-6.0, 30.0),
        (_, true) if revision == "A" => (-2.0, 2.0),
        (_, true) => (-0.2, 0.2),
        _ => (-0.04, 0.04),
    };
    let (duty, step_s) = (5.45 / vin, 10e-9);
    let volts = |index: usize| {
        let cycle = index as f64 * step_s * SWITCHING_HZ;
        let phase = cycle.fract();
        if signal == "lx" {
            return if phase < duty { vin - 0.4 } else { -0.45 } + 0.2 * dither(index as u64);
        }
        let ramp = if phase < duty { phase / duty } else { 1.0 - (phase - duty) / (1.0 - duty) };
        let ring = |since: f64| {
            if since < 0.0 {
                return 0.0;
            }
            let seconds = since / SWITCHING_HZ;
            spike * (-seconds / 80e-9).exp() * (TAU * 15e6 * seconds).cos()
        };
        let jitter = 1.0 + 0.08 * dither(cycle as u64 + 99);
        let spikes = jitter * (ring(phase) - 0.92 * ring(phase - duty));
        0.016 * (ramp - 0.5) + spikes + 0.004 * dither(index as u64)
    };
    let step = (high_v - low_v) / 250.0;
    let code = |volts: f64| (((volts - low_v) / step) + 3.0).round().clamp(0.0, 255.0) as u8;
    Waveform {
        codes: Codes::U8((0..samples).map(|index| code(volts(index))).collect()),
        scaling: Scaling {
            volts_per_code: step,
            zero_code: 3.0,
            offset_v: low_v,
            min_code: 0,
            max_code: 255,
        },
        start_s: -0.5 * samples as f64 * step_s,
        step_s,
        acquisition: Acquisition {
            signal: signal.to_owned(),
            channel: if signal == "lx" { 2 } else { 1 },
            coupling: if signal == "lx" { Coupling::Dc } else { Coupling::Ac },
            bandwidth_limit_hz: (!is_wide && signal != "lx").then_some(20e6),
            probe_ratio: if signal == "lx" { 10.0 } else { 1.0 },
            fixture: "tip_barrel".to_owned(),
            volts_per_div: (high_v - low_v) / 8.0,
            offset_v: 0.0,
            memory_depth: samples,
            purpose: purpose.to_owned(),
            range_note: (!is_wide && revision == "A" && signal != "lx" && vin > 22.0)
                .then(|| "the trace is clipped: spikes leave the narrow range".to_owned()),
        },
    }
}

/// A grey picture as a PNG, stored without compression.
pub(crate) fn png(width: usize, height: usize) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0);
        rows.extend(
            (0..width).map(|x| if x % 40 == 0 || y % 30 == 0 { 90 } else { 20 + ((x + y) % 16) as u8 }),
        );
    }
    let mut deflated = vec![0x78, 0x01];
    let blocks = rows.chunks(65_535).count();
    for (index, block) in rows.chunks(65_535).enumerate() {
        deflated.push(u8::from(index + 1 == blocks));
        deflated.extend_from_slice(&(block.len() as u16).to_le_bytes());
        deflated.extend_from_slice(&(!(block.len() as u16)).to_le_bytes());
        deflated.extend_from_slice(block);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in &rows {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    deflated.extend_from_slice(&(b << 16 | a).to_be_bytes());
    let mut head = Vec::new();
    head.extend_from_slice(&(width as u32).to_be_bytes());
    head.extend_from_slice(&(height as u32).to_be_bytes());
    head.extend_from_slice(&[8, 0, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", &head), (b"IDAT", &deflated), (b"IEND", &Vec::new())] {
        png.extend_from_slice(&(data.len() as u32).to_be_bytes());
        let body = [&kind[..], data].concat();
        png.extend_from_slice(&body);
        png.extend_from_slice(&crc32fast::hash(&body).to_be_bytes());
    }
    png
}

/// How far and how wild the made-up run goes.
pub(crate) struct Course {
    /// The board's revision: A spikes, B does not.
    pub(crate) revision: &'static str,
    /// Points to measure, at most 125.
    pub(crate) points: u32,
    /// Samples of each trace.
    pub(crate) samples: usize,
    /// Retries, a failed sensor, a hold and a stop on the way.
    pub(crate) is_eventful: bool,
}

/// Tells the sink everything up to the last point.
pub(crate) fn tell_points(sink: &mut dyn Sink, course: &Course) -> Result<u64, SinkError> {
    sink.event(at(1), &Event::RunStarted(Box::new(facts(course.revision, 125))))?;
    for facts in instruments() {
        sink.event(at(20), &Event::InstrumentOpened(facts))?;
    }
    let protection = Event::ProtectionSet {
        role: "source".parse().unwrap(),
        over_voltage: Some(Volts(26.4)),
        over_current: Some(Amps(0.9)),
    };
    sink.event(at(30), &protection)?;
    sink.event(
        at(40),
        &Event::WiringChecked { findings: vec!["output at 0.4 mV with everything off".into()] },
    )?;
    sink.event(at(50), &Event::OutputSwitched { role: "source".parse().unwrap(), on: true })?;
    let loads = [0.0, 0.03, 0.1, 0.25, 0.5];
    let mut ms = 100;
    for index in 0..course.points {
        let (vin, load) = (f64::from(index / 5), loads[index as usize % 5]);
        tell_point(sink, course, index + 1, (vin, load), ms)?;
        if course.is_eventful {
            tell_trouble(sink, index, ms)?;
        }
        ms += 900;
    }
    Ok(ms)
}

fn tell_point(
    sink: &mut dyn Sink,
    course: &Course,
    number: u32,
    (vin, load): (f64, f64),
    ms: u64,
) -> Result<(), SinkError> {
    let setting = Setting { vin: Volts(vin), load: Amps(load) };
    sink.event(at(ms), &Event::PointStarted { point: PointId(number), setting, attempt: 1 })?;
    let settled =
        Event::Settled { point: PointId(number), took: Duration::from_millis(370), settled: number != 63 };
    sink.event(at(ms + 400), &settled)?;
    if vin >= 13.0 && (load == 0.5 || vin == 24.0) {
        for (signal, purpose) in [("vout", "ripple"), ("lx", "ripple"), ("vout", "spikes"), ("lx", "spikes")]
        {
            let trace = trace(course.revision, signal, purpose, (vin, load.max(0.01)), course.samples);
            sink.waveform(at(ms + 700), PointId(number), &trace)?;
        }
    }
    if vin == 24.0 && load == 0.5 {
        sink.screen(at(ms + 720), PointId(number), &png(400, 240))?;
    }
    sink.event(at(ms + 800), &Event::PointFinished(Box::new(point(course.revision, number, vin, load))))
}

fn tell_trouble(sink: &mut dyn Sink, index: u32, ms: u64) -> Result<(), SinkError> {
    let event = match index {
        20 => Event::Retried {
            role: "scope".parse().unwrap(),
            what: "reading the trace of channel 1: no answer within 2 s to `:WAV:DATA?`".to_owned(),
            attempt: 1,
        },
        31 => Event::SensorFailed {
            role: "ambient".parse().unwrap(),
            what: "the reading 24.31 °C stands still bit by bit for 12 s".to_owned(),
            withheld: soakrig::event::Withheld::default(),
        },
        60 => Event::InterlockHeld {
            what: "board temperature 86.1 °C, hold above 85 °C".to_owned(),
            load: None,
        },
        61 => Event::InterlockReleased {
            what: "board temperature 79.8 °C, released below 80 °C".to_owned(),
            held: Duration::from_secs(95),
            load: None,
        },
        80 => Event::Warned { what: "calibration of the load is past since 2026-09-30".to_owned() },
        90 => Event::TemperatureRead { role: "board".parse().unwrap(), temperature: Celsius(41.3) },
        120 => Event::StopRequested { stop: Stop::AfterPoint },
        _ => return Ok(()),
    };
    sink.event(at(ms + 820), &event)
}

/// Tells the sink that the bench was made safe and the run ended.
pub(crate) fn tell_end(
    sink: &mut dyn Sink,
    ms: u64,
    verdict: RunVerdict,
    counts: [u32; 3],
) -> Result<(), SinkError> {
    let state = SafeState {
        load_off: true,
        supply_off: true,
        vout_v: Ok(0.0012),
        verified: true,
        attempts: 1,
        failures: Vec::new(),
    };
    sink.event(at(ms), &Event::MadeSafe(state))?;
    let reason = match verdict {
        RunVerdict::Pass => "every limit was met at every point it applies to",
        RunVerdict::Fail => "positive spikes and negative spikes are outside their limits at 55 points",
        _ => "stopped by a person after point 121 of 125",
    };
    let end = RunEnd {
        verdict,
        reason: reason.to_owned(),
        points_finished: counts[0],
        points_failed: counts[1],
        points_not_applicable: counts[2],
        outputs_off_verified: true,
    };
    sink.event(at(ms + 50), &Event::RunFinished(end))
}

/// A whole run in a new folder below `out`.
pub(crate) fn record_sweep(out: &Path, course: &Course) -> PathBuf {
    let mut recorder = Recorder::create(out, &header(course.revision)).unwrap();
    let tape = recorder.tape(&"source".parse().unwrap()).unwrap();
    tape.append("16:04:10.251 > *IDN?");
    let ms = tell_points(&mut recorder, course).unwrap();
    let verdict = if course.revision == "A" { RunVerdict::Fail } else { RunVerdict::Pass };
    let failed = if course.revision == "A" { 55 } else { 0 };
    tell_end(&mut recorder, ms, verdict, [course.points, failed, 0]).unwrap();
    recorder.seal().unwrap().record.folder().to_owned()
}
