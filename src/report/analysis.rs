//! One trace from anywhere: its figures with what limits them, as text for a terminal and as one flat JSON object.

use std::fmt::Write as _;

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::pictures::{self, Known, Pictures};
use crate::base::units::with_prefix;
use crate::event::FigureName;
use crate::waveform::figures::find_definition;
use crate::waveform::{
    Acquisition, Bounded, Figure, Floor, Pair, SteadyState, Terms, Unavailable, Waveform, measure_with,
};

/// The keys of the JSON object, in their order; `unavailable`, `bounds` and `notes` follow.
pub const KEYS: [&str; 35] = [
    "file",
    "format",
    "channel",
    "samples",
    "sample_rate_hz",
    "mean_v",
    "rms_ac_v",
    "max_v",
    "min_v",
    "noise_pp_full_v",
    "noise_pp_20mhz_v",
    "noise_rms_20mhz_v",
    "ripple_pp_v",
    "ripple_method",
    "ripple_fund_pp_v",
    "ripple_blank_pp_v",
    "ripple_fit_pp_v",
    "ripple_lp1mhz_pp_v",
    "spike_pos_v",
    "spike_neg_v",
    "spike_pos_median_v",
    "spike_neg_median_v",
    "spike_rate_hz",
    "spike_threshold_v",
    "switching_hz",
    "period_std_s",
    "period_pp_s",
    "period_c2c_s",
    "duty",
    "low_v",
    "high_v",
    "ring_hz",
    "drift_v",
    "noise_sigma_v",
    "conduction",
];

/// Where a trace comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    /// The file as the user named it.
    pub file: String,
    /// The word for its format.
    pub format: String,
    /// What the format is, for a person.
    pub format_title: String,
    /// The channel of the output, as the file names it.
    pub channel: String,
    /// The channel of the switch node, as the file names it.
    pub lx_channel: Option<String>,
    /// How time is not uniform, if it is not.
    pub uneven: Option<String>,
    /// The noise floor that was captured with it, if one was.
    pub floor: Option<Floor>,
    /// What is to be known of the file: what was odd, what was chosen.
    pub notes: Vec<String>,
    /// What makes the samples doubtful, and with them every figure: rubbish that the scope wrote.
    pub doubts: Vec<String>,
}

/// One acquisition: the output, and the switch node where it was captured with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The output.
    pub vout: Waveform,
    /// The switch node.
    pub lx: Option<Waveform>,
}

impl Capture {
    fn pair(&self) -> Pair<'_> {
        Pair { vout: &self.vout, lx: self.lx.as_ref() }
    }
}

/// How one acquisition was taken, and what is drawn of it.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// How it was captured.
    pub acquisition: Acquisition,
    /// Samples of the output.
    pub samples: usize,
    /// Samples a second.
    pub sample_rate_hz: f64,
    /// Its pictures, where they were asked for.
    pub pictures: Option<Pictures>,
}

/// The figures of one trace, or of the two acquisitions of a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Where it comes from.
    pub origin: Origin,
    /// The acquisitions, the narrow one first.
    pub views: Vec<View>,
    /// The figures.
    pub state: SteadyState,
}

/// Tells what the same set-up shows with the outputs off beside the figures it concerns: a figure from a run is not what the same
/// samples give alone.
fn note_floor(state: &mut SteadyState) {
    for (is_off, what) in [(true, "was taken off in power"), (false, "stands beside and is not taken off")] {
        let of_kind = state.floors.iter().filter(|floor| floor.subtracted == is_off);
        let levels: Vec<String> = of_kind
            .map(|floor| format!("{} {}", floor.figure, with_prefix(floor.level.abs(), "V")))
            .collect();
        if !levels.is_empty() {
            let note = format!(
                "noise floor of the same set-up with the outputs off, which {what}: {}",
                levels.join(", ")
            );
            state.notes.push(note);
        }
    }
}

/// Measures one acquisition, or the narrow and the wide one of a point, and builds the pictures if they are wanted.
#[must_use]
pub fn build(origin: Origin, captures: &[Capture], with_pictures: bool) -> Analysis {
    let uneven =
        origin.uneven.as_ref().map(|how| format!("the samples are not evenly spaced in time: {how}"));
    let terms = Terms { floor: origin.floor.as_ref(), uneven, ..Terms::default() };
    let mut state = match captures {
        [] => SteadyState::unavailable("there is no trace of the output"),
        [one] => measure_with(None, Some(&one.pair()), &terms),
        [narrow, wide, ..] => measure_with(Some(&narrow.pair()), Some(&wide.pair()), &terms),
    };
    let known = Known { switching_hz: state.switching_hz.clone().ok(), ring_hz: state.ring_hz.clone().ok() };
    let view = |capture: &Capture| View {
        acquisition: capture.vout.acquisition.clone(),
        samples: capture.vout.codes.len(),
        sample_rate_hz: capture.vout.sample_rate_hz(),
        pictures: with_pictures.then(|| {
            // Without an even time there is no period to fold by.
            let lx = capture.lx.as_ref().filter(|_| origin.uneven.is_none());
            pictures::build(&Pair { vout: &capture.vout, lx }, &known)
        }),
    };
    let views: Vec<View> = captures.iter().map(view).collect();
    note_floor(&mut state);
    Analysis { views, origin, state }
}

impl Analysis {
    /// A figure by its name, with its value as a person reads it; a bound has its sign in front.
    #[must_use]
    pub fn shown(&self, name: &str, value: f64) -> String {
        let text = name
            .parse::<FigureName>()
            .map_or_else(|_| with_prefix(value, ""), |figure| figure.show(value))
            .replace('-', "−");
        match self.state.bound(name) {
            Some(bounded) => format!("{} {text}", bounded.bound.sign_of(value)),
            None => text,
        }
    }

    /// What limits the figures: doubtful samples, bounds with their reasons, then notes; what both say is told once.
    #[must_use]
    pub fn limits(&self) -> Vec<String> {
        let state = &self.state;
        let told = |bounded: &Bounded| {
            if bounded.because.starts_with(bounded.figure) {
                return bounded.because.clone();
            }
            let values = state.figures();
            let value = values.iter().find(|(name, _)| *name == bounded.figure);
            let value = value.and_then(|(_, figure)| figure.as_ref().ok().copied()).unwrap_or(0.0);
            format!("{} is a bound ({}): {}", bounded.figure, bounded.bound.sign_of(value), bounded.because)
        };
        let mut limits: Vec<String> = self.origin.doubts.clone();
        limits.extend(state.bounds.iter().map(told));
        for note in state.notes.iter().filter(|note| !state.bounds.iter().any(|b| b.because == **note)) {
            limits.push(note.clone());
        }
        limits.dedup();
        limits
    }

    /// What a figure is; the ripple with its method, the frequency with its source.
    #[must_use]
    pub fn title(&self, name: &str) -> String {
        let title =
            name.parse::<FigureName>().map_or_else(|_| name.to_owned(), |known| known.title().to_owned());
        match (name, self.state.ripple_method, self.state.period_source) {
            ("ripple_pp_v", Some(method), _) => format!("{title} (method: {})", method.as_str()),
            ("switching_hz", _, Some(source)) => format!("{title} (from the {})", source.as_str()),
            _ => title,
        }
    }

    /// Figures that cannot be had, gathered by their reason, in the order of the table.
    #[must_use]
    pub fn missing(&self) -> Vec<(String, Vec<&'static str>)> {
        let mut groups: Vec<(String, Vec<&'static str>)> = Vec::new();
        for (name, figure) in self.state.figures() {
            if let Err(reason) = figure {
                match groups.iter_mut().find(|(known, _)| *known == reason.0) {
                    Some((_, names)) => names.push(name),
                    None => groups.push((reason.0.clone(), vec![name])),
                }
            }
        }
        groups
    }

    /// A run knows that its scope had no limiter on; a file does not tell.
    fn unlimited(&self) -> &'static str {
        if self.origin.format == "run" { "full bandwidth" } else { "no bandwidth limit told" }
    }

    /// How one acquisition was taken, in a line.
    #[must_use]
    pub fn conditions(&self, view: &View) -> String {
        let about = &view.acquisition;
        let bandwidth = about.bandwidth_limit_hz.map_or_else(
            || self.unlimited().to_owned(),
            |hz| format!("limited to {}", with_prefix(hz, "Hz")),
        );
        let span = with_prefix(view.samples as f64 / view.sample_rate_hz, "s");
        let rate = with_prefix(view.sample_rate_hz, "Sa/s");
        let range = if about.volts_per_div > 0.0 {
            format!(", {} per division, probe {}:1", with_prefix(about.volts_per_div, "V"), about.probe_ratio)
        } else {
            String::new()
        };
        let purpose = if self.views.len() > 1 { format!("{}: ", about.purpose) } else { String::new() };
        format!(
            "{purpose}{} samples at {rate} ({span}), {} coupled, {bandwidth}{range}",
            view.samples,
            about.coupling.as_str()
        )
    }
}

/// The analysis for a terminal: what was read, the figures, what limits them, what cannot be had.
#[must_use]
pub fn render_text(analysis: &Analysis) -> String {
    let origin = &analysis.origin;
    let mut text = format!("{}: {}\n", origin.file, origin.format_title);
    let node = origin.lx_channel.as_deref().map_or_else(|| "none".to_owned(), str::to_owned);
    let _ = writeln!(text, "output {}, switch node {node}", origin.channel);
    for view in &analysis.views {
        let _ = writeln!(text, "{}", analysis.conditions(view));
    }
    let _ = writeln!(text, "conduction: {}\n", analysis.state.conduction.as_str());
    for (name, figure) in analysis.state.figures() {
        if let Ok(value) = figure {
            let tag = find_definition(name).map_or("", |definition| definition.tag);
            let value = analysis.shown(name, *value);
            let _ = writeln!(text, "  {name:<22} {value:>13}  {tag:<5}  {}", analysis.title(name));
        }
    }
    section(&mut text, "what limits the figures", analysis.limits().iter());
    section(&mut text, "about the file", origin.notes.iter());
    let missing: Vec<String> =
        analysis.missing().iter().map(|(reason, names)| format!("{}: {reason}", names.join(", "))).collect();
    section(&mut text, "not available", missing.iter());
    text
}

fn section<'t>(text: &mut String, heading: &str, lines: impl Iterator<Item = &'t String>) {
    for (place, line) in lines.enumerate() {
        if place == 0 {
            let _ = writeln!(text, "\n{heading}");
        }
        let _ = writeln!(text, "  - {line}");
    }
}

/// The analysis as one flat JSON object with [`KEYS`] in their order. A figure that cannot be had is null and stands in
/// `unavailable` with its reason; a figure that is only a bound stands in `bounds`.
#[must_use]
pub fn render_json(analysis: &Analysis) -> String {
    let state = &analysis.state;
    let (figures, mut unavailable) = (state.figures(), Vec::new());
    let mut entries: Vec<(String, Value)> = Vec::new();
    for key in KEYS {
        let value = match fact(analysis, key) {
            Some(fact) => fact,
            None => figure_of(&figures, key).map(Value::from),
        };
        let value = value.unwrap_or_else(|reason| {
            unavailable.push((key.to_owned(), Value::from(reason.0)));
            Value::Null
        });
        entries.push((key.to_owned(), value));
    }
    let bounds = state.bounds.iter().map(|bounded| {
        let value = figure_of(&figures, bounded.figure).unwrap_or(0.0);
        let sign = bounded.bound.sign_of(value);
        (bounded.figure.to_owned(), Value::from(format!("{sign} {}", bounded.because)))
    });
    let notes = state.notes.iter().chain(&analysis.origin.doubts).chain(&analysis.origin.notes);
    entries.push(("unavailable".to_owned(), unavailable.into_iter().collect()));
    entries.push(("bounds".to_owned(), bounds.collect()));
    entries.push(("notes".to_owned(), notes.cloned().collect::<Vec<_>>().into()));
    // Memory does not refuse, and every key is a text.
    serde_json::to_string_pretty(&Ordered(entries)).unwrap_or_default()
}

/// A key that is no figure.
fn fact(analysis: &Analysis, key: &str) -> Option<Result<Value, Unavailable>> {
    let (origin, state) = (&analysis.origin, &analysis.state);
    let first = analysis.views.first();
    Some(Ok(match key {
        "file" => origin.file.clone().into(),
        "format" => origin.format.clone().into(),
        "channel" => origin.channel.clone().into(),
        "samples" => first.map_or(0, |view| view.samples).into(),
        "sample_rate_hz" => first.map(|view| rounded(view.sample_rate_hz)).into(),
        "conduction" => state.conduction.as_str().into(),
        "ripple_method" => match (state.ripple_method, &state.ripple_pp_v) {
            (Some(method), _) => method.as_str().into(),
            (None, Err(reason)) => return Some(Err(reason.clone())),
            (None, Ok(_)) => Value::Null,
        },
        _ => return None,
    }))
}

/// Twelve significant digits: more than any clock holds, and few enough to leave out the noise of binary fractions, which makes
/// 499999999.99999994 of samples 2 ns apart.
fn rounded(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

fn figure_of(figures: &[(&str, &Figure)], key: &str) -> Figure {
    figures
        .iter()
        .find(|(name, _)| *name == key)
        .map_or_else(|| Err(Unavailable::because("no such figure")), |(_, figure)| (*figure).clone())
}

/// An object whose keys keep their order.
struct Ordered(Vec<(String, Value)>);

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
