//! Samples in volts, a block at a time, so that no kernel needs a copy of the whole record.

use super::{Codes, Scaling, Waveform};

impl Waveform {
    /// Fills `block` with the samples from `from` on, in volts at the probe tip, and gives how many there were.
    pub fn read_block(&self, from: usize, block: &mut [f64]) -> usize {
        let Scaling { volts_per_code, zero_code, offset_v, .. } = self.scaling;
        let volts = |code: f64| (code - zero_code) * volts_per_code + offset_v;
        let count = block.len().min(self.codes.len().saturating_sub(from));
        let range = from..from.saturating_add(count);
        match &self.codes {
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
        }
        count
    }
}
