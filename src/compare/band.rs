//! Stretches of frequency that a change is told in, and where in a buck supply's spectrum they lie.

use crate::waveform::spectrum::Spectrum;

macro_rules! bands {
    ($($name:ident, $from:literal, $to:literal, $key:literal, $title:literal;)*) => {
        /// A stretch of frequency.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Band { $(#[doc = $title] $name,)* }

        impl Band {
            /// All bands, rising.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            /// From, included, and to, not included, in Hz.
            #[must_use]
            pub const fn hz(self) -> (f64, f64) {
                match self { $(Self::$name => ($from, $to),)* }
            }
            /// The key in files.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }
            /// What a person calls it.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

bands! {
    Switching, 50e3, 200e3, "spectrum_50khz_200khz_v", "rms from 50 to 200 kHz (the switching frequency)";
    Harmonics, 200e3, 1e6, "spectrum_200khz_1mhz_v", "rms from 200 kHz to 1 MHz (its harmonics)";
    Edges, 1e6, 5e6, "spectrum_1mhz_5mhz_v", "rms from 1 to 5 MHz (edges)";
    Ringing, 5e6, 20e6, "spectrum_5mhz_20mhz_v", "rms from 5 to 20 MHz (ringing)";
    Beyond, 20e6, 50e6, "spectrum_20mhz_50mhz_v", "rms from 20 to 50 MHz (beyond the usual limiter)";
}

impl Band {
    /// Rms of a spectrum within the band, in volts; `None` where the spectrum does not hold the whole of it.
    #[must_use]
    pub fn rms_v(self, spectrum: &Spectrum) -> Option<f64> {
        let (from, to) = self.hz();
        spectrum.band_rms_v(from, to).ok()
    }
}
