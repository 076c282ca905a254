//! Taking the traces of a point: set-up, single acquisition, range looked at and taken again where it does not fit.

use std::time::Duration;

use super::range::{LEAST_USE, Purpose, RangeUse, ladder_at_least, next_scale, range_use};
use super::stop::StopWish;
use crate::base::units::{Volts, with_prefix};
use crate::bench::BenchWiring;
use crate::instrument::Asked;
use crate::instrument::scope::{ChannelSetup, Scope, TimeSetup};
use crate::plan::profile::CaptureSelection;
use crate::plan::rig::ProbeWiring;
use crate::waveform::{Acquisition, Coupling, Waveform};

/// How long the scope waits for an edge of the switch node before it is forced: far longer than a skip burst's gap.
const TRIGGER_TIMEOUT: Duration = Duration::from_millis(100);

/// The scales that fitted last, where the next point begins.
#[derive(Debug, Clone, Copy)]
pub struct Scales {
    ripple_v_div: f64,
    spikes_v_div: f64,
}

impl Default for Scales {
    fn default() -> Self {
        // What a board without a filter needs; a filtered one is found in two more steps.
        Self { ripple_v_div: 0.02, spikes_v_div: 0.5 }
    }
}

/// One acquisition of a point.
#[derive(Debug)]
pub struct Capture {
    /// What it was for.
    pub purpose: Purpose,
    /// The trace of Vout.
    pub vout: Waveform,
    /// The trace of the switch node; `None` where there is no such channel, or it is still in the scope.
    pub lx: Option<Waveform>,
}

/// What was captured at a point.
#[derive(Debug, Default)]
pub struct Captures {
    /// The acquisitions, in order.
    pub all: Vec<Capture>,
    /// The scope's screen.
    pub screen: Option<Vec<u8>>,
    /// Channel whose trace of the last acquisition is still in the scope.
    pub left_in_scope: Option<u8>,
    /// What could not be done.
    pub notes: Vec<String>,
}

/// What is captured, and at which point.
pub struct CaptureJob<'a> {
    /// What the plan asks for.
    pub selection: CaptureSelection,
    /// What the channels see.
    pub wiring: &'a BenchWiring,
    /// Input voltage set, for the switch node's range.
    pub vin: Volts,
    /// Output voltage just read, for the offset of the wide range.
    pub vout: Volts,
    /// Whether the scope's screen is wanted.
    pub screen: bool,
    /// Cuts the work short between two questions.
    pub stop: &'a StopWish,
}

impl CaptureJob<'_> {
    /// Takes all acquisitions. The switch node's trace of the last one stays in the scope, so that its transfer can overlap
    /// with the next point's settling.
    ///
    /// # Errors
    /// The scope failed.
    pub fn capture_all(&self, scope: &mut dyn Scope, scales: &mut Scales) -> Asked<Captures> {
        let mut captures = Captures::default();
        let wanted = self.purposes();
        let Some(vout) = &self.wiring.vout else { return Ok(captures) };
        for (index, purpose) in wanted.iter().enumerate() {
            if self.stop.is_now() {
                break;
            }
            let trace = self.capture_fitting(scope, vout, *purpose, scales)?;
            let mut capture = Capture { purpose: *purpose, vout: trace, lx: None };
            if let Some(lx) = &self.wiring.lx {
                if index + 1 == wanted.len() {
                    captures.left_in_scope = Some(lx.channel);
                } else {
                    capture.lx = Some(read_lx(scope, lx, *purpose)?);
                }
            }
            captures.all.push(capture);
        }
        if self.screen && !self.stop.is_now() {
            match scope.capture_screen() {
                Ok(png) => captures.screen = Some(png),
                Err(error) => captures.notes.push(format!("no screenshot: {}", error.detail)),
            }
        }
        Ok(captures)
    }

    fn capture_fitting(
        &self,
        scope: &mut dyn Scope,
        probe: &ProbeWiring,
        purpose: Purpose,
        scales: &mut Scales,
    ) -> Asked<Waveform> {
        let ability = scope.ability();
        let limits = (ability.scale_1x.0 * probe.ratio, ability.scale_1x.1 * probe.ratio);
        let remembered = match purpose {
            Purpose::Ripple => &mut scales.ripple_v_div,
            Purpose::Spikes => &mut scales.spikes_v_div,
        };
        let mut scale = remembered.clamp(limits.0, limits.1);
        let mut center = match purpose {
            Purpose::Ripple => Volts(0.0),
            Purpose::Spikes => self.vout,
        };
        let mut attempt = 0;
        loop {
            attempt += 1;
            let trace = self.capture_at(scope, self.vout_setup(probe, purpose, (Volts(scale), center)))?;
            // The scope may have taken another scale than it was asked for.
            scale = trace.acquisition.volts_per_div;
            let used = range_use(&trace, purpose);
            // The load's meter and the probe stand at two ends of a lead: the trace itself tells where its middle is.
            if purpose == Purpose::Spikes && !used.at_end {
                center = middle(&trace);
            }
            let next = if used.fits() { None } else { next_scale(scale, used, limits) };
            match next {
                Some(next) if attempt < self.selection.range_attempts && !self.stop.is_now() => scale = next,
                _ => {
                    *remembered = scale;
                    return Ok(noted(trace, used, probe, purpose));
                }
            }
        }
    }

    /// The scales on the 1-2-5 ladder that an acquisition may be taken at, from the finest on.
    fn ladder(purpose: Purpose, finest: f64) -> Vec<f64> {
        let coarsest = match purpose {
            Purpose::Ripple => 0.1,
            Purpose::Spikes => 1.0,
        };
        let next = |scale: &f64| Some(ladder_at_least(scale * 1.001));
        std::iter::successors(Some(ladder_at_least(finest)), next)
            .take_while(|scale| *scale < coarsest * 1.001)
            .collect()
    }

    /// Captures the noise of probe and scope in every set-up that a point may use; the outputs must be off. The centre is
    /// 0 V, where the output is.
    ///
    /// # Errors
    /// The scope failed.
    pub fn capture_floors(&self, scope: &mut dyn Scope) -> Asked<Vec<Waveform>> {
        let Some(probe) = &self.wiring.vout else { return Ok(Vec::new()) };
        let mut floors: Vec<Waveform> = Vec::new();
        for purpose in self.purposes() {
            for scale in Self::ladder(purpose, scope.ability().scale_1x.0 * probe.ratio) {
                if self.stop.is_now() {
                    return Ok(floors);
                }
                let mut trace =
                    self.capture_at(scope, self.vout_setup(probe, purpose, (Volts(scale), Volts(0.0))))?;
                label(&mut trace.acquisition, "vout", probe, purpose);
                floors.push(trace);
            }
        }
        Ok(floors)
    }

    fn purposes(&self) -> Vec<Purpose> {
        let wanted = [(Purpose::Ripple, self.selection.ripple), (Purpose::Spikes, self.selection.spikes)];
        wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(purpose, _)| purpose).collect()
    }

    fn capture_at(&self, scope: &mut dyn Scope, setup: ChannelSetup) -> Asked<Waveform> {
        scope.set_channel(setup)?;
        if let Some(lx) = &self.wiring.lx {
            scope.set_channel(self.lx_setup(lx, scope.ability().vertical_divisions))?;
        }
        let trigger = self.wiring.lx.as_ref();
        scope.set_time(TimeSetup {
            span: self.selection.span,
            samples: self.selection.samples,
            trigger_channel: trigger.map_or(setup.channel, |lx| lx.channel),
            trigger_level: if trigger.is_some() { self.vin * 0.5 } else { setup.center },
        })?;
        scope.capture_single(TRIGGER_TIMEOUT)?;
        scope.read_waveform(setup.channel)
    }

    fn vout_setup(&self, probe: &ProbeWiring, purpose: Purpose, range: (Volts, Volts)) -> ChannelSetup {
        let (coupling, bandwidth_limit) = match purpose {
            Purpose::Ripple => (Coupling::Ac, self.selection.ripple_bandwidth_limit),
            Purpose::Spikes => (Coupling::Dc, false),
        };
        let (volts_per_div, center) = range;
        ChannelSetup {
            channel: probe.channel,
            volts_per_div,
            center,
            coupling,
            bandwidth_limit,
            probe_ratio: probe.ratio,
        }
    }

    /// The switch node swings from a diode drop under ground to Vin, and rings above it for a moment.
    fn lx_setup(&self, probe: &ProbeWiring, divisions: f64) -> ChannelSetup {
        let swing_v = self.vin.value().max(1.0) + 2.0;
        ChannelSetup {
            channel: probe.channel,
            volts_per_div: Volts(ladder_at_least(swing_v * 1.25 / divisions)),
            center: self.vin * 0.5,
            coupling: Coupling::Dc,
            bandwidth_limit: false,
            probe_ratio: probe.ratio,
        }
    }
}

/// Reads the switch node's trace of the last acquisition.
///
/// # Errors
/// The scope failed.
pub fn read_lx(scope: &mut dyn Scope, probe: &ProbeWiring, purpose: Purpose) -> Asked<Waveform> {
    let mut trace = scope.read_waveform(probe.channel)?;
    label(&mut trace.acquisition, "lx", probe, purpose);
    Ok(trace)
}

fn label(acquisition: &mut Acquisition, signal: &str, probe: &ProbeWiring, purpose: Purpose) {
    signal.clone_into(&mut acquisition.signal);
    probe.fixture.clone_into(&mut acquisition.fixture);
    purpose.as_str().clone_into(&mut acquisition.purpose);
}

/// Marks a trace whose range could not be met.
fn noted(mut trace: Waveform, used: RangeUse, probe: &ProbeWiring, purpose: Purpose) -> Waveform {
    label(&mut trace.acquisition, "vout", probe, purpose);
    if !used.fits() {
        let scale = with_prefix(trace.acquisition.volts_per_div, "V");
        trace.acquisition.range_note = Some(if used.at_end {
            format!("leaves the range at {scale}/div")
        } else {
            format!("uses less than {:.0} % of the range at {scale}/div", LEAST_USE * 100.0)
        });
    }
    trace
}

/// The middle between a trace's lowest and highest sample.
fn middle(trace: &Waveform) -> Volts {
    let volts = trace.volts();
    let low = volts.iter().copied().fold(f32::INFINITY, f32::min);
    let high = volts.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if low.is_finite() && high.is_finite() {
        Volts(f64::midpoint(f64::from(low), f64::from(high)))
    } else {
        Volts(0.0)
    }
}
