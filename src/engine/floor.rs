//! The noise floor: what probe and scope show by themselves, captured once a run with the outputs off.

use super::act::Shell;
use super::capture::CaptureJob;
use super::readings::is_of_trace;
use super::{Failure, stamp};
use crate::base::units::Volts;
use crate::event::{Event, FigureName, Figures, NoiseFloor, PointId};
use crate::waveform::figures::Pair;
use crate::waveform::{Waveform, measure_one};

/// Under this number traces of the noise floor are kept: they belong to no point, and points count from 1.
const NO_POINT: PointId = PointId(0);

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
        for trace in &traces {
            if selection.keep {
                let at = stamp(&*self.bench.clock);
                self.sink.waveform(at, NO_POINT, trace).map_err(Failure::Record)?;
            }
            self.emit(&Event::NoiseFloorMeasured(Box::new(floor_of(trace))))?;
        }
        Ok(())
    }
}

/// The figures that a trace without switching has.
fn floor_of(trace: &Waveform) -> NoiseFloor {
    let state = measure_one(&Pair { vout: trace, lx: None });
    let figures: Figures = state
        .figures()
        .into_iter()
        .filter(|(_, figure)| figure.is_ok())
        .filter_map(|(key, figure)| Some((key.parse::<FigureName>().ok()?, figure.clone())))
        .filter(|(name, _)| is_of_trace(*name))
        .collect();
    NoiseFloor { acquisition: trace.acquisition.clone(), step_s: trace.step_s, figures }
}
