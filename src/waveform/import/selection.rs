//! Which channel is the output and which the switch node.

use super::layout::ChannelHead;
use super::table::Column;
use super::unit::simulated;
use super::{Channel, ImportError, Imported, Unit, grid};
use crate::waveform::{Codes, Waveform};

/// Channels by name; where none is given a sensible one is taken and told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The channel of the output.
    pub vout: Option<String>,
    /// The channel of the switch node.
    pub lx: Option<String>,
}

/// The traces that were chosen, on one time base.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// The output; its signal is `vout`.
    pub vout: Waveform,
    /// The name of its channel as in the file.
    pub vout_name: String,
    /// Unit of the output's samples.
    pub vout_unit: Unit,
    /// The switch node, if there is one; its signal is `lx`.
    pub lx: Option<Waveform>,
    /// The name of its channel as in the file.
    pub lx_name: Option<String>,
    /// How the channels were chosen, and what is to be known of them.
    pub notes: Vec<String>,
    /// What makes their samples doubtful, and with them every figure.
    pub doubts: Vec<String>,
}

/// Names by which an output or a switch node is known.
const VOUT_NAMES: [&str; 5] = ["vout", "out", "output", "vo", "5v"];
const LX_NAMES: [&str; 7] = ["lx", "sw", "switch", "phase", "vsw", "vlx", "switchnode"];
/// A channel whose samples spread so many times as far as the other's is its switch node. Spikes on the output may be as high as the
/// switch node swings, but they are rare.
const LX_SPREAD: f64 = 4.0;
/// A switch node swings by this many volts at least; what moves less beside one that rests is no switch node.
const LX_SWING: f64 = 1.0;
/// Steps of a number as it is kept that a swing should have at least.
const FEWEST_STEPS: f64 = 1000.0;

/// A converter's step is this many times that of the numbers as they are kept.
const CLEAR_OF_KEPT: f64 = 4.0;

/// The channel of a column: its samples on their grid.
pub(super) fn build_channel(head: ChannelHead, column: Column, first_line: u64) -> Channel {
    let mut notes = Vec::new();
    let (ends_at, finest) = (column.ends_at(), column.finest());
    let Column { samples, skipped, print, gap, .. } = column;
    if skipped > 0 {
        notes.push(format!("{} begins {skipped} rows later than the time column", head.name));
    }
    if let Some(line) = ends_at {
        notes.push(format!(
            "{} ends before the other columns: nothing stands there from line {line} on",
            head.name
        ));
    }
    let beyond = beyond_extremes(&head, &samples, first_line + skipped as u64);
    let (low, high) = extremes(&samples);
    let kept = Kept { largest: low.abs().max(high.abs()), swing: f64::from(high) - f64::from(low) };
    let too_coarse = kept.too_coarse(&head);
    let doubts: Vec<String> = beyond.into_iter().chain(too_coarse.clone()).collect();
    let fault =
        gap.map(|gap| (gap.line, format!("{} has no value (`{}`) between its samples", head.name, gap.text)));
    let (codes, scaling) = grid::find_codes(samples, print);
    // On a converter's grid nothing is lost; that of the numbers as they are kept is none.
    let on_grid = !matches!(codes, Codes::F32(_)) && scaling.volts_per_code > CLEAR_OF_KEPT * kept.step();
    if !on_grid && too_coarse.is_none() {
        notes.extend(finest.and_then(|finest| kept.coarser_than(finest, &head)));
    }
    let ChannelHead { name, label, unit, .. } = head;
    Channel { name, label, unit, skipped, codes, scaling, notes, doubts, fault, acquisition: None }
}

/// Samples beyond the extremes that the scope itself wrote into the header: some write rubbish into the first rows.
fn beyond_extremes(head: &ChannelHead, samples: &[f32], first_line: u64) -> Option<String> {
    let (low, high) = head.extremes?;
    let slack = 1e-6 * (low.abs() + high.abs());
    let beyond = |sample: &f32| f64::from(*sample) < low - slack || f64::from(*sample) > high + slack;
    let count = samples.iter().filter(|sample| beyond(sample)).count();
    let first = samples.iter().position(&beyond)?;
    let last = samples.iter().rposition(beyond)?;
    Some(format!(
        "{}: the header gives extremes of {low} and {high} {}, but {count} samples lie beyond (lines {} to {}): \
         the scope may have written rubbish there",
        head.name,
        head.unit,
        first_line + first as u64,
        first_line + last as u64
    ))
}

/// How the numbers of a channel are kept: with 24 bits.
struct Kept {
    largest: f32,
    swing: f64,
}

impl Kept {
    /// The distance of the largest number to the next one that can be kept.
    fn step(&self) -> f64 {
        f64::from(self.largest.next_up()) - f64::from(self.largest)
    }

    /// Numbers that are large against their swing.
    fn too_coarse(&self, head: &ChannelHead) -> Option<String> {
        let step = f64::from(self.largest) * f64::from(f32::EPSILON);
        let Self { largest, swing } = *self;
        (swing < FEWEST_STEPS * step && swing > 0.0).then(|| {
            format!(
                "{}: numbers up to {largest:e} {unit} are kept to {step:.1e} {unit}, which is coarse for a swing of {swing:.1e} {unit}; take the constant part off",
                head.name,
                unit = head.unit
            )
        })
    }

    /// Numbers that the file holds more finely than they are kept, where that is not less than the levels of their swing hide.
    fn coarser_than(&self, finest: f64, head: &ChannelHead) -> Option<String> {
        let (step, largest) = (self.step(), self.largest);
        (finest < 0.99 * step && step > self.swing / f64::from(u16::MAX)).then(|| {
            format!(
                "{}: numbers are kept with 24 bits, in steps of {step:.1e} {unit} at {largest:e} {unit}; the file holds finer ones",
                head.name,
                unit = head.unit
            )
        })
    }
}

fn extremes(samples: &[f32]) -> (f32, f32) {
    let low = samples.iter().copied().fold(f32::INFINITY, f32::min);
    (low, samples.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

/// A name as it is compared: small letters, no blanks, `1` and `channel1` as `ch1`.
fn plain_name(name: &str) -> String {
    let small: String =
        name.to_lowercase().chars().filter(|c| !c.is_whitespace() && *c != '_' && *c != '-').collect();
    let small = small.replace("channel", "ch");
    if !small.is_empty() && small.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("ch{small}")
    } else {
        small
    }
}

fn is_called(channel: &Channel, name: &str) -> bool {
    let called = |own: &str| plain_name(own) == plain_name(name);
    let is_node = || matches!(simulated(&channel.name), Some((true, node)) if called(node));
    called(&channel.name) || is_node() || channel.label.as_deref().is_some_and(called)
}

/// How far the samples of a channel spread about their mean: rms, in its unit.
fn spread(channel: &Channel) -> f64 {
    fn deviation<T: Copy + Into<f64>>(codes: &[T]) -> f64 {
        let count = codes.len().max(1) as f64;
        let mean = codes.iter().map(|code| (*code).into()).sum::<f64>() / count;
        (codes.iter().map(|code| ((*code).into() - mean).powi(2)).sum::<f64>() / count).sqrt()
    }
    let deviation = match &channel.codes {
        Codes::U8(codes) => deviation(codes),
        Codes::I16(codes) => deviation(codes),
        Codes::F32(samples) => deviation(samples),
    };
    deviation * channel.scaling.volts_per_code
}

/// From the lowest to the highest sample of a channel, in its unit.
fn swing(channel: &Channel) -> f64 {
    fn span<T: Copy + Into<f64>>(codes: &[T]) -> f64 {
        let ends = codes.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), code| {
            (low.min((*code).into()), high.max((*code).into()))
        });
        (ends.1 - ends.0).max(0.0)
    }
    let span = match &channel.codes {
        Codes::U8(codes) => span(codes),
        Codes::I16(codes) => span(codes),
        Codes::F32(samples) => span(samples),
    };
    span * channel.scaling.volts_per_code
}

impl Imported {
    /// The output and the switch node by name. Without names: channels that are called so; else the first that holds volts
    /// is the output, and of exactly two the one that spreads four times as far as the other and swings by 1 V or more is the switch node.
    ///
    /// # Errors
    /// No channel has that name, one is wanted for both, or its samples have a gap.
    pub fn select(mut self, choice: &Choice) -> Result<Selected, ImportError> {
        let mut notes = Vec::new();
        let mut lx = match &choice.lx {
            Some(name) => Some(self.find(name, "switch node")?),
            None => self.called(&LX_NAMES),
        };
        let mut vout = match &choice.vout {
            Some(name) => Some(self.find(name, "output")?),
            None => self.called(&VOUT_NAMES),
        };
        // What was asked for by name is not taken for the other one by its name as well.
        if lx == vout {
            match choice {
                Choice { vout: Some(_), lx: None } => lx = None,
                Choice { vout: None, lx: Some(_) } => vout = None,
                _ => {}
            }
        }
        let free = |used: Option<usize>| {
            let volts = |at: &usize| self.channels[*at].unit == Unit::Volt && Some(*at) != used;
            (0..self.channels.len()).filter(volts).collect::<Vec<usize>>()
        };
        if let ([one, other], None, None) = (free(None).as_slice(), vout, lx) {
            let (spread_one, spread_other) = (spread(&self.channels[*one]), spread(&self.channels[*other]));
            let swings = |at: usize| swing(&self.channels[at]) >= LX_SWING;
            if spread_one > LX_SPREAD * spread_other && swings(*one) {
                (vout, lx) = (Some(*other), Some(*one));
            } else if spread_other > LX_SPREAD * spread_one && swings(*other) {
                (vout, lx) = (Some(*one), Some(*other));
            }
        }
        let vout = vout
            .or_else(|| free(lx).first().copied())
            .or_else(|| (0..self.channels.len()).find(|at| Some(*at) != lx));
        let Some(vout) = vout else {
            let empty: String =
                self.without_samples.iter().map(|name| format!(" (`{name}` holds no samples)")).collect();
            return Err(ImportError::file(format!(
                "the file holds the switch node only{empty}; name the output's channel"
            )));
        };
        if lx == Some(vout) {
            let name = &self.channels[vout].name;
            return Err(ImportError::file(format!(
                "{name} cannot be the output and the switch node at once"
            )));
        }
        if choice.vout.is_none() && self.channels.len() > 1 {
            notes.push(format!("{} is taken as the output", self.channels[vout].name));
        }
        match lx {
            Some(lx) if choice.lx.is_none() => {
                notes.push(format!("{} is taken as the switch node", self.channels[lx].name));
            }
            Some(_) => {}
            None => notes.extend(self.unused(vout)),
        }
        let (name, unit) = (&self.channels[vout].name, &self.channels[vout].unit);
        if !matches!(unit, Unit::Volt | Unit::Code) {
            notes
                .push(format!("{name} is in {unit}, not in volts: so is every figure whose name says volts"));
        }
        self.cut_to_common(vout, lx);
        self.hand_over(vout, lx, notes)
    }

    fn find(&self, name: &str, role: &str) -> Result<usize, ImportError> {
        self.channels.iter().position(|channel| is_called(channel, name)).ok_or_else(|| {
            if self.without_samples.iter().any(|own| plain_name(own) == plain_name(name)) {
                return ImportError::file(format!("the channel of the {role}, `{name}`, holds no samples"));
            }
            let names: Vec<&str> = self.channels.iter().map(|channel| channel.name.as_str()).collect();
            ImportError::file(format!("the file has no channel `{name}`; it holds {}", names.join(", ")))
        })
    }

    fn called(&self, names: &[&str]) -> Option<usize> {
        self.channels.iter().position(|channel| names.iter().any(|name| is_called(channel, name)))
    }

    /// What is to be known of the other channels where none is taken as the switch node.
    fn unused(&self, vout: usize) -> Option<String> {
        let others: Vec<&str> = (0..self.channels.len())
            .filter(|at| *at != vout && self.channels[*at].unit == Unit::Volt)
            .map(|at| self.channels[at].name.as_str())
            .collect();
        (!others.is_empty()).then(|| {
            format!(
                "{} not looked at; the switch node, if it is there, is named with --lx",
                is_or_are(&others)
            )
        })
    }

    /// Leaves of two channels the rows that both have.
    fn cut_to_common(&mut self, vout: usize, lx: Option<usize>) {
        let Some(lx) = lx else { return };
        let span = |channel: &Channel| (channel.skipped, channel.skipped + channel.codes.len());
        let (one, other) = (span(&self.channels[vout]), span(&self.channels[lx]));
        let (begin, end) = (one.0.max(other.0), one.1.min(other.1));
        for at in [vout, lx] {
            let channel = &mut self.channels[at];
            let (from, to) = (begin - channel.skipped, end.max(begin) - channel.skipped);
            match &mut channel.codes {
                Codes::U8(codes) => cut(codes, from, to),
                Codes::I16(codes) => cut(codes, from, to),
                Codes::F32(samples) => cut(samples, from, to),
            }
            channel.skipped = begin;
        }
    }

    fn hand_over(
        mut self,
        vout: usize,
        lx: Option<usize>,
        mut notes: Vec<String>,
    ) -> Result<Selected, ImportError> {
        let (timing, mut doubts) = (self.timing, Vec::new());
        for at in [Some(vout), lx].into_iter().flatten() {
            if let Some((line, what)) = self.channels[at].fault.take() {
                return Err(ImportError::line(line, what));
            }
            if self.channels[at].codes.is_empty() {
                return Err(ImportError::file("output and switch node have no row in common"));
            }
            notes.append(&mut self.channels[at].notes);
            doubts.append(&mut self.channels[at].doubts);
        }
        let mut taken: Vec<Option<Channel>> = self.channels.into_iter().map(Some).collect();
        let lx = lx.and_then(|at| taken[at].take());
        let vout =
            taken[vout].take().ok_or_else(|| ImportError::file("output and switch node are one channel"))?;
        Ok(Selected {
            vout_name: vout.name.clone(),
            vout_unit: vout.unit.clone(),
            vout: vout.into_waveform(timing, "vout"),
            lx_name: lx.as_ref().map(|channel| channel.name.clone()),
            lx: lx.map(|channel| channel.into_waveform(timing, "lx")),
            notes,
            doubts,
        })
    }
}

/// `CH2 is`, `CH2 and CH3 are`.
fn is_or_are(names: &[&str]) -> String {
    format!("{} {}", names.join(" and "), if names.len() == 1 { "is" } else { "are" })
}

/// Leaves the samples from one place up to another.
fn cut<T>(samples: &mut Vec<T>, from: usize, to: usize) {
    samples.truncate(to.min(samples.len()));
    samples.drain(..from.min(samples.len()));
}
