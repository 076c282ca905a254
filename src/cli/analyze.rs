//! `soakrig analyze`: one trace, from a file of any scope or from a run.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::args::{AnalyzeArgs, CouplingChoice};
use super::exit::Exit;
use super::message::{CliError, Outcome, print, tell};
use super::places::check_places;
use super::settings::Settings;
use crate::base::units::{Hertz, with_prefix};
use crate::event::PointId;
use crate::record::{Record, WaveformFacts};
use crate::report::analysis::{self, Capture, Origin};
use crate::report::{html, recompute};
use crate::waveform::import::{self, Choice, Format, Imported, Options};
use crate::waveform::{Acquisition, Coupling, Waveform};

/// The folder of a run in which its captures lie.
const CAPTURES: &str = "waveforms";

pub(super) fn run(args: &AnalyzeArgs, settings: &Settings) -> Outcome {
    check_places(&[("--html", args.html.as_deref())])?;
    args.html.as_deref().map_or(Ok(()), check_page_place)?;
    let (is_of_run, (mut origin, mut captures)) = if args.file.is_dir() {
        (true, open_point(args)?)
    } else if let Some(record) = record_of(args)? {
        (true, open_capture(args, &record)?)
    } else {
        if args.point.is_some() {
            return Err(CliError::usage("--point names a point of a run: give the run's folder with it"));
        }
        (false, open_file(args)?)
    };
    // What a file of settings says is for traces that tell nothing of themselves; of a run's the journal tells.
    let counts = |option: &str| !is_of_run || !settings.gives(option);
    let known =
        (args.bandwidth.filter(|_| counts("bandwidth")), args.coupling.filter(|_| counts("coupling")));
    let mut overruled: Vec<String> = Vec::new();
    for vout in captures.iter_mut().map(|capture| &mut capture.vout) {
        let was = vout.acquisition.clone();
        apply(known, vout);
        overruled.extend(differences(&was, &vout.acquisition).into_iter().filter(|_| is_of_run));
    }
    overruled.dedup();
    overruled.iter().for_each(|note| tell(note));
    origin.notes.extend(overruled);
    origin.file = args.file.display().to_string();
    let analysis = analysis::build(origin, &captures, args.html.is_some());
    if let Some(out) = &args.html {
        std::fs::write(out, html::render_analysis(&analysis))
            .map_err(|error| CliError::usage(format!("cannot write the page {}: {error}", out.display())))?;
        tell(&format!("page written to {}", out.display()));
    }
    print(&if args.json { analysis::render_json(&analysis) } else { analysis::render_text(&analysis) })?;
    Ok(Exit::Done)
}

/// Refuses to write a page over anything but a page: a slip of the hand would cost the trace, or a run's journal.
pub(super) fn check_page_place(out: &Path) -> Result<(), CliError> {
    // Only files are opened: a pipe would be waited for.
    if !std::fs::metadata(out).is_ok_and(|facts| facts.is_file() && facts.len() > 0) {
        return Ok(());
    }
    let mut start = [0; PAGE_START.len()];
    let read = File::open(out).and_then(|mut file| file.read_exact(&mut start));
    if read.is_ok() && start.eq_ignore_ascii_case(PAGE_START) {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "--html would write the page over {}, which is no page; name another file, or remove that one first",
        out.display()
    )))
}

/// How every page begins.
const PAGE_START: &[u8; 14] = b"<!DOCTYPE html";

/// What the user knows of the capture and the file does not tell.
fn apply((bandwidth, coupling): (Option<Hertz>, Option<CouplingChoice>), vout: &mut Waveform) {
    if let Some(corner) = bandwidth {
        vout.acquisition.bandwidth_limit_hz = Some(corner.value());
    }
    match coupling {
        Some(CouplingChoice::Ac) => vout.acquisition.coupling = Coupling::Ac,
        Some(CouplingChoice::Dc) => vout.acquisition.coupling = Coupling::Dc,
        None => {}
    }
}

/// Where somebody knows better than the journal of a run.
fn differences(journal: &Acquisition, typed: &Acquisition) -> Vec<String> {
    let bandwidth = |of: &Acquisition| {
        of.bandwidth_limit_hz.map_or_else(|| "full bandwidth".to_owned(), |hertz| with_prefix(hertz, "Hz"))
    };
    let coupling = |of: &Acquisition| format!("{} coupling", of.coupling.as_str());
    let told = |option: &str, (was, is): (String, String)| {
        (was != is).then(|| format!("the journal says {was}; {is} counts, for --{option} was typed"))
    };
    [
        told("bandwidth", (bandwidth(journal), bandwidth(typed))),
        told("coupling", (coupling(journal), coupling(typed))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn open_file(args: &AnalyzeArgs) -> Result<(Origin, Vec<Capture>), CliError> {
    let options = Options {
        format: args.format,
        sample_rate_hz: args.sample_rate.map(|rate| rate.value()),
        ..Options::default()
    };
    if args.file == Path::new("-") {
        return read(io::stdin().lock(), args, &options);
    }
    let file = File::open(&args.file).map_err(|error| {
        let name = args.file.display().to_string();
        CliError::in_file(Exit::Usage, name, None, format!("cannot read the trace: {error}"))
    })?;
    read(file, args, &options)
}

fn read(
    source: impl Read,
    args: &AnalyzeArgs,
    options: &Options,
) -> Result<(Origin, Vec<Capture>), CliError> {
    let imported = import::read(source, options).map_err(|error| fault(&args.file, &error))?;
    select(args, imported)
}

/// A fault of a file, with its name and line in front as compilers write them.
fn fault(file: &Path, error: &import::ImportError) -> CliError {
    let name = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    match error {
        import::ImportError::Line { line, what } => {
            let line = usize::try_from(*line).unwrap_or(usize::MAX);
            CliError::in_file(Exit::Usage, name, Some(line), what)
        }
        other => CliError::in_file(Exit::Usage, name, None, other.to_string()),
    }
}

fn select(args: &AnalyzeArgs, imported: Imported) -> Result<(Origin, Vec<Capture>), CliError> {
    let (format, uneven) = (imported.format, imported.uneven.clone());
    let mut notes = imported.notes.clone();
    let choice = Choice { vout: args.vout.clone(), lx: args.lx.clone() };
    let selected = imported.select(&choice).map_err(|error| fault(&args.file, &error))?;
    notes.extend(selected.notes);
    let how = if args.format.is_some() { "as asked" } else { "recognised from the content" };
    let format_title = if format == Format::Run { format.to_string() } else { format!("{format}, {how}") };
    let origin = Origin {
        file: String::new(),
        format: format.word().to_owned(),
        format_title,
        channel: selected.vout_name,
        lx_channel: selected.lx_name,
        uneven,
        floor: None,
        notes,
        doubts: selected.doubts,
    };
    Ok((origin, vec![Capture { vout: selected.vout, lx: selected.lx }]))
}

/// The record that a file is a capture of, if it lies in a run folder.
fn record_of(args: &AnalyzeArgs) -> Result<Option<Record>, CliError> {
    let folder = args.file.parent().filter(|folder| folder.ends_with(CAPTURES)).and_then(Path::parent);
    // A format that was asked for reads the bare samples.
    match folder.filter(|folder| args.format.is_none() && folder.join("journal.jsonl").is_file()) {
        Some(folder) => Ok(Some(Record::open(folder)?)),
        None => Ok(None),
    }
}

/// One capture of a run with the switch node of the same acquisition; the journal gives scale and conditions.
fn open_capture(args: &AnalyzeArgs, record: &Record) -> Result<(Origin, Vec<Capture>), CliError> {
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let file = format!("{CAPTURES}/{name}");
    let facts = record.waveforms();
    let Some(place) = facts.iter().position(|facts| facts.file == file) else {
        return Err(CliError::usage(format!(
            "the journal beside {} does not name this file: its scale is not known; --format npy reads it as bare numbers",
            args.file.display()
        )));
    };
    let own = &facts[place];
    let partner = partner(facts, place);
    let mut waveforms = vec![trace_of(record, own)?];
    if let Some(partner) = partner {
        waveforms.push(trace_of(record, partner)?);
    }
    let imported = Imported::from_run(waveforms).map_err(|error| fault(&args.file, &error))?;
    let (mut origin, captures) = select(args, imported)?;
    let signal = &own.acquisition.signal;
    if origin.channel != *signal
        && let Some(other) = partner
    {
        // Who names one file and reads the figures of another must know it.
        let note = format!(
            "{name} is the trace of {signal}: the figures are those of {}, captured with it; --vout {signal} takes them of {name}",
            other.file
        );
        tell(&note);
        origin.format_title = format!("{}, with {}", origin.format_title, other.file);
        origin.notes.insert(0, note);
    }
    Ok((origin, captures))
}

/// The samples of one capture. Of two traces it is told which one is at fault: a file's name is not what a person calls it.
fn trace_of(record: &Record, facts: &WaveformFacts) -> Result<Waveform, CliError> {
    let role = match facts.acquisition.signal.as_str() {
        "vout" => "the output's trace (vout)".to_owned(),
        "lx" => "the switch node's trace (lx)".to_owned(),
        other => format!("the trace of {other}"),
    };
    let waveform = record.waveform(facts).map_err(|error| CliError::from(error).of(&role))?;
    if waveform.codes.is_empty() {
        let file = record.folder().join(&facts.file).display().to_string();
        return Err(CliError::in_file(Exit::Usage, file, None, "it holds no samples").of(&role));
    }
    Ok(waveform)
}

/// The other channel of the same acquisition: of the same point and purpose, and nearest in the journal.
fn partner(facts: &[WaveformFacts], place: usize) -> Option<&WaveformFacts> {
    let own = &facts[place];
    let belongs = |other: &WaveformFacts| {
        other.point == own.point
            && other.acquisition.purpose == own.acquisition.purpose
            && other.acquisition.signal != own.acquisition.signal
            && other.samples == own.samples
            && other.step_s == own.step_s
            && other.start_s == own.start_s
    };
    let candidates = facts.iter().enumerate().filter(|(_, other)| belongs(other));
    candidates.min_by_key(|(at, _)| at.abs_diff(place)).map(|(_, other)| other)
}

/// Both acquisitions of a point of a run, as the run itself measures them.
fn open_point(args: &AnalyzeArgs) -> Result<(Origin, Vec<Capture>), CliError> {
    let record = Record::open(&args.file)?;
    let facts = record.waveforms();
    let mut points: Vec<u32> =
        facts.iter().filter(|facts| facts.point != PointId::NONE).map(|facts| facts.point.0).collect();
    points.dedup();
    let point = match (args.point, points.as_slice()) {
        (Some(point), points) if points.contains(&point) => PointId(point),
        (None, [only]) => PointId(*only),
        (None, []) => return Err(CliError::usage(format!("{} holds no captures", args.file.display()))),
        (Some(point), _) => {
            return Err(CliError::usage(format!(
                "{} holds no capture of point {point}; it has captures of points {}",
                args.file.display(),
                few(&points)
            )));
        }
        (None, points) => {
            return Err(CliError::usage(format!(
                "{} is a run with captures of points {}: choose one with --point",
                args.file.display(),
                few(points)
            )));
        }
    };
    let mut captures = Vec::new();
    for purpose in ["ripple", "spikes"] {
        // The last one of a point: earlier ones belong to attempts that were given up.
        let output = facts.iter().rposition(|facts| {
            facts.point == point && facts.acquisition.signal == "vout" && facts.acquisition.purpose == purpose
        });
        if let Some(place) = output {
            let lx = partner(facts, place).map(|facts| trace_of(&record, facts)).transpose()?;
            captures.push(Capture { vout: trace_of(&record, &facts[place])?, lx });
        }
    }
    if captures.is_empty() {
        return Err(CliError::usage(format!("no trace of the output was kept at point {}", point.0)));
    }
    let origin = Origin {
        file: String::new(),
        format: Format::Run.word().to_owned(),
        format_title: format!("point {} of run {}", point.0, record.run()),
        channel: "vout".to_owned(),
        lx_channel: captures.iter().any(|capture| capture.lx.is_some()).then(|| "lx".to_owned()),
        uneven: None,
        floor: recompute::floor_of(&record, point)?,
        notes: Vec::new(),
        doubts: Vec::new(),
    };
    Ok((origin, captures))
}

/// The first few of many numbers.
fn few(points: &[u32]) -> String {
    let shown: Vec<String> = points.iter().take(12).map(u32::to_string).collect();
    format!("{}{}", shown.join(", "), if points.len() > 12 { ", …" } else { "" })
}
