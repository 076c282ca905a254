//! The noise floor: what probe and scope show by themselves, captured once a run with the outputs off.

use std::sync::Arc;

use super::act::Shell;
use super::capture::CaptureJob;
use super::{Failure, stamp};
use crate::base::units::Volts;
use crate::event::{Event, FigureName, Figures, NoiseFloor, PointId};
use crate::waveform::{Floor, SteadyState, Waveform};

impl Shell<'_> {
    /// Captures the floor in every set-up that a point may use, keeps the traces and tells their figures.
    pub(super) fn measure_noise_floor(&mut self) -> Result<(), Failure> {
        let (Some(selection), Some(scope)) = (self.plan.capture, self.bench.scope.as_mut()) else {
            return Ok(());
        };
        let job = CaptureJob {
            selection,
            wiring: &self.bench.wiring,
            vin: Volts(0.0),
            vout: Volts(0.0),
            screen: false,
            stop: self.stop,
        };
        let traces = job.capture_floors(&mut **scope)?;
        if self.stop.is_now() {
            return Err(Failure::StopNow);
        }
        let floor = Floor::measure(&traces.iter().collect::<Vec<_>>());
        for (trace, state) in traces.iter().zip(floor.figures()) {
            if selection.keep {
                let at = stamp(&*self.bench.clock);
                self.sink.waveform(at, PointId::NONE, trace).map_err(Failure::Record)?;
            }
            self.emit(&Event::NoiseFloorMeasured(Box::new(told(trace, state))))?;
        }
        self.floor = Some(Arc::new(floor));
        Ok(())
    }
}

/// The figures that a trace without switching has.
fn told(trace: &Waveform, state: &SteadyState) -> NoiseFloor {
    let figures: Figures = state
        .figures()
        .into_iter()
        .filter(|(_, figure)| figure.is_ok())
        .filter_map(|(key, figure)| Some((key.parse::<FigureName>().ok()?, figure.clone())))
        .collect();
    NoiseFloor { acquisition: trace.acquisition.clone(), step_s: trace.step_s, figures }
}
