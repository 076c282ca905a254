//! Samples in volts, a block at a time, so that no kernel needs a copy of the whole record.

use super::wide::widen;
use super::{Codes, Scaling, Waveform};

impl Waveform {
    /// Fills `block` with the samples from `from` on, in volts at the probe tip, and gives how many there were.
    pub fn read_block(&self, from: usize, block: &mut [f64]) -> usize {
        let Scaling { volts_per_code, zero_code, offset_v, .. } = self.scaling;
        let volts = |code: f64| (code - zero_code) * volts_per_code + offset_v;
        let count = block.len().min(self.codes.len().saturating_sub(from));
        let range = from..from.saturating_add(count);
        widen(|| match &self.codes {
            Codes::U8(codes) => {
                let codes = codes.get(range).unwrap_or_default();
                block.iter_mut().zip(codes).for_each(|(place, code)| *place = volts(f64::from(*code)));
            }
            Codes::I16(codes) => {
                let codes = codes.get(range).unwrap_or_default();
                block.iter_mut().zip(codes).for_each(|(place, code)| *place = volts(f64::from(*code)));
            }
            Codes::F32(codes) => {
                let codes = codes.get(range).unwrap_or_default();
                block.iter_mut().zip(codes).for_each(|(place, code)| *place = volts(f64::from(*code)));
            }
        });
        count
    }
}

#[cfg(test)]
pub(super) mod made {
    //! Traces for the kernels' tests.
    use crate::waveform::{Acquisition, Codes, Coupling, Scaling, Waveform};

    /// A trace of numbers without a converter's grid.
    pub(in crate::waveform) fn trace(volts: impl IntoIterator<Item = f64>, rate_hz: f64) -> Waveform {
        let codes: Vec<f32> = volts.into_iter().map(|volts| volts as f32).collect();
        Waveform {
            acquisition: Acquisition {
                signal: "vout".to_owned(),
                channel: 1,
                coupling: Coupling::Dc,
                bandwidth_limit_hz: None,
                probe_ratio: 10.0,
                fixture: String::new(),
                volts_per_div: 1.0,
                offset_v: 0.0,
                memory_depth: codes.len(),
                purpose: "spikes".to_owned(),
                range_note: None,
            },
            codes: Codes::F32(codes),
            scaling: Scaling {
                volts_per_code: 1.0,
                zero_code: 0.0,
                offset_v: 0.0,
                min_code: i32::MIN,
                max_code: i32::MAX,
            },
            start_s: 0.0,
            step_s: 1.0 / rate_hz,
        }
    }

    /// Even noise of sigma 1, the same on every machine.
    pub(in crate::waveform) struct Dice(pub(in crate::waveform) u64);

    impl Dice {
        pub(in crate::waveform) fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }

        pub(in crate::waveform) fn noise(&mut self) -> f64 {
            (self.uniform() + self.uniform() + self.uniform() + self.uniform() - 2.0) * 3.0_f64.sqrt()
        }
    }
}
