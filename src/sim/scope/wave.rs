//! Reading waveforms: `:WAVeform`.

use std::time::Duration;

use scpi::error::{ErrorCode, Result};

use super::capture::Capture;
use super::knobs::{P, channel_named};
use super::{MIDDLE_CODE, Run, SCREEN_POINTS, live, poll};
use crate::sim::panel::{Answer, Span, choice, exponent, number, word};
use crate::sim::world::Bench;

/// The most points one read may ask for, by format.
fn most_points(format: &str) -> usize {
    match format {
        "WORD" => 125_000,
        "ASC" => 15_625,
        _ => 250_000,
    }
}

/// Whether the memory is meant, and not the screen.
fn is_raw(bench: &Bench) -> bool {
    match bench.scope.reading.mode {
        "RAW" => true,
        "MAX" => bench.scope.run == Run::Stopped,
        _ => false,
    }
}

/// A record to look at, and whether it is the frozen one.
struct Shown {
    capture: Capture,
    frozen: bool,
}

/// The record that is shown: the frozen one, or one of this moment.
fn shown(bench: &mut Bench) -> Shown {
    poll(bench);
    match (&bench.scope.run, bench.scope.frozen.take()) {
        (Run::Stopped, Some(capture)) => Shown { capture, frozen: true },
        (_, kept) => {
            bench.scope.frozen = kept;
            Shown { capture: live(bench), frozen: false }
        }
    }
}

/// Puts a frozen record back, with the codes that were drawn meanwhile.
fn keep(bench: &mut Bench, shown: Shown) {
    if shown.frozen {
        bench.scope.frozen = Some(shown.capture);
    }
}

pub(super) fn set_source(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.reading.source = channel_named(&word(p)?)?;
    Ok(())
}

pub(super) fn source(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::Text(format!("CHAN{}", bench.scope.reading.source + 1)))
}

pub(super) fn set_mode(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.reading.mode = match choice(p, &["NORMal", "MAXimum", "RAW"])? {
        "MAXimum" => "MAX",
        "RAW" => "RAW",
        _ => "NORM",
    };
    Ok(())
}

pub(super) fn mode(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(bench.scope.reading.mode))
}

pub(super) fn set_format(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.reading.format = match choice(p, &["BYTE", "WORD", "ASCii"])? {
        "ASCii" => "ASC",
        other => other,
    };
    Ok(())
}

pub(super) fn format(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::word(bench.scope.reading.format))
}

fn point(bench: &Bench, p: P) -> Result<usize> {
    let most = if bench.scope.reading.mode == "NORM" {
        SCREEN_POINTS
    } else {
        bench
            .scope
            .frozen
            .as_ref()
            .map_or_else(|| bench.scope.memory().1, |capture| capture.depth)
            .max(SCREEN_POINTS)
    };
    Ok(number(p, Span { min: 1.0, max: most as f64, default: 1.0 })?.round() as usize)
}

pub(super) fn set_start(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.reading.start = point(bench, p)?;
    Ok(())
}

pub(super) fn start(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::Text(bench.scope.reading.start.to_string()))
}

pub(super) fn set_stop(bench: &mut Bench, _: usize, p: P) -> Result<()> {
    bench.scope.reading.stop = point(bench, p)?;
    Ok(())
}

pub(super) fn stop(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    Ok(Answer::Text(bench.scope.reading.stop.to_string()))
}

/// Everything of the preamble; the single queries pick from it.
struct Preamble {
    format: u8,
    kind: u8,
    points: usize,
    averages: u32,
    x_increment_s: f64,
    x_origin_s: f64,
    y_increment_v: f64,
    y_origin: f64,
}

fn read_preamble(bench: &mut Bench) -> Preamble {
    let raw = is_raw(bench);
    let seen = shown(bench);
    let capture = &seen.capture;
    let reading = &bench.scope.reading;
    let channel = &capture.channels[reading.source];
    let preamble = Preamble {
        format: match reading.format {
            "WORD" => 1,
            "ASC" => 2,
            _ => 0,
        },
        kind: match reading.mode {
            "MAX" => 1,
            "RAW" => 2,
            _ => 0,
        },
        points: if raw { capture.depth } else { SCREEN_POINTS },
        averages: if bench.scope.acquisition == "AVER" { bench.scope.averages } else { 1 },
        x_increment_s: if raw { 1.0 / capture.rate_hz } else { capture.time_scale_s / 100.0 },
        x_origin_s: if raw { capture.memory_start_s() } else { capture.screen_start_s() },
        y_increment_v: channel.y_increment_v(),
        y_origin: channel.y_origin(),
    };
    keep(bench, seen);
    preamble
}

pub(super) fn preamble(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    let p = read_preamble(bench);
    Ok(Answer::Text(format!(
        "{},{},{},{},{},{},0,{},{:.0},{MIDDLE_CODE:.0}",
        p.format,
        p.kind,
        p.points,
        p.averages,
        exponent(p.x_increment_s),
        exponent(p.x_origin_s),
        exponent(p.y_increment_v),
        p.y_origin,
    )))
}

/// One field of the preamble: 0 xinc, 1 xorigin, 2 xref, 3 yinc, 4 yorigin, 5 yref.
pub(super) fn field(bench: &mut Bench, which: usize, _: P) -> Result<Answer> {
    let p = read_preamble(bench);
    Ok(match which {
        0 => Answer::exponent(p.x_increment_s),
        1 => Answer::exponent(p.x_origin_s),
        2 => Answer::word("0"),
        3 => Answer::exponent(p.y_increment_v),
        4 => Answer::fixed(p.y_origin, 0),
        _ => Answer::fixed(MIDDLE_CODE, 0),
    })
}

pub(super) fn points(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    let reading = &bench.scope.reading;
    Ok(Answer::Text((reading.stop + 1).saturating_sub(reading.start).to_string()))
}

pub(super) fn data(bench: &mut Bench, _: usize, _: P) -> Result<Answer> {
    poll(bench);
    let raw = is_raw(bench);
    if raw && bench.scope.run != Run::Stopped {
        // The memory can be read only when the acquisition stands still.
        return Err(ErrorCode::SettingsConflict.into());
    }
    if bench.scope.run == Run::Stopped && bench.scope.frozen.is_none() {
        // Stopped before a record was whole: there is nothing to read.
        return Err(ErrorCode::DataCorruptOrStale.into());
    }
    let reading = bench.scope.reading.clone();
    if !bench.scope.channels[reading.source].shown {
        return Ok(Answer::Block(Vec::new()));
    }
    let wanted = (reading.stop + 1).saturating_sub(reading.start);
    if wanted == 0 || wanted > most_points(reading.format) {
        return Err(ErrorCode::DataOutOfRange.into());
    }
    let mut seen = shown(bench);
    let capture = &mut seen.capture;
    let part = |codes: &[u8]| codes.get(reading.start - 1..reading.stop.min(codes.len())).map(<[u8]>::to_vec);
    let codes =
        if raw { part(capture.memory(reading.source)) } else { part(&capture.screen(reading.source)) };
    let answer = codes.map(|codes| match reading.format {
        "WORD" => codes.iter().flat_map(|code| [*code, 0]).collect(),
        "ASC" => codes
            .iter()
            .map(|code| exponent(capture.volts_of(reading.source, *code)))
            .collect::<Vec<_>>()
            .join(",")
            .into_bytes(),
        _ => codes,
    });
    keep(bench, seen);
    let bytes = answer.ok_or(ErrorCode::DataOutOfRange)?;
    // About 10 MB a second over its network.
    bench.takes(Duration::from_millis(4) + Duration::from_nanos(100) * bytes.len() as u32);
    Ok(Answer::Block(bytes))
}

/// The record for measurements and pictures: codes of the screen of a channel, with the record they belong to.
pub(super) fn with_screen<T>(bench: &mut Bench, look: impl FnOnce(&mut Capture) -> T) -> T {
    let mut record = shown(bench);
    let seen = look(&mut record.capture);
    keep(bench, record);
    seen
}
