//! The formats that are known, and the marks each is known by.

use std::fmt;
use std::str::FromStr;

use super::head::Head;

/// A format of a file of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Rigol DS1000Z, DS2000, DS4000: rows by number, start and increment in the second line.
    RigolSequence,
    /// Rigol MSO5000, DS7000 and the like: volts only, `t0` and `tInc` in the heading.
    RigolIncrement,
    /// Rigol DHO and the screen's export of newer ones: `Time(s),CH1V`.
    RigolTime,
    /// Rigol DS1000E: `"Number of Data points =",8192,` and more, then rows.
    RigolKeys,
    /// Rigol DS1000D: `X,CH 1 (V)`.
    RigolTable,
    /// Rigol DS1000B: `,CH2,CH4` over `Second,Volt,Volt`.
    RigolSecond,
    /// Siglent SDS: `Record Length,Analog:14000` and more, then `Second,Volt`.
    Siglent,
    /// Keysight InfiniiVision: `x-axis,1,2` over `second,Volt,Volt`.
    Keysight,
    /// Keysight Infiniium: `XInc:`, `XOrg:` and more, then volts only.
    Infiniium,
    /// Tektronix TDS1000, TDS2000, TDS3000: the header in the first columns, beside the samples.
    TektronixColumns,
    /// Tektronix MSO, DPO, MDO: header lines, then `TIME,CH1`.
    Tektronix,
    /// Teledyne LeCroy: `LECROY…`, `Segments,…`, then `Time,Ampl`.
    Lecroy,
    /// Columns of numbers with or without a heading.
    Plain,
    /// Numpy's array file.
    Npy,
    /// A capture of a run of this program.
    Run,
}

impl Format {
    /// All that can be recognised in a file, the more particular before the more general.
    pub const ALL: [Self; 14] = [
        Self::Npy,
        Self::Lecroy,
        Self::RigolSequence,
        Self::RigolIncrement,
        Self::RigolKeys,
        Self::TektronixColumns,
        Self::Siglent,
        Self::Infiniium,
        Self::Tektronix,
        Self::Keysight,
        Self::RigolTable,
        Self::RigolSecond,
        Self::RigolTime,
        Self::Plain,
    ];

    /// The word for it on a command line and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RigolSequence => "rigol-sequence",
            Self::RigolIncrement => "rigol-increment",
            Self::RigolTime => "rigol-time",
            Self::RigolKeys => "rigol-keys",
            Self::RigolTable => "rigol-table",
            Self::RigolSecond => "rigol-second",
            Self::Siglent => "siglent",
            Self::Keysight => "keysight",
            Self::Infiniium => "infiniium",
            Self::TektronixColumns => "tektronix-columns",
            Self::Tektronix => "tektronix",
            Self::Lecroy => "lecroy",
            Self::Plain => "plain",
            Self::Npy => "npy",
            Self::Run => "run",
        }
    }

    /// What it is, for a person.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::RigolSequence => "Rigol DS1000Z/2000/4000 CSV (start and increment in the header)",
            Self::RigolIncrement => "Rigol MSO5000/7000 CSV (t0 and tInc in the header)",
            Self::RigolTime => "Rigol CSV (time column, `Time(s),CH1V`)",
            Self::RigolKeys => "Rigol DS1000E CSV (header lines)",
            Self::RigolTable => "Rigol DS1000D CSV (`X,CH 1 (V)`)",
            Self::RigolSecond => "Rigol DS1000B CSV (`Second,Volt`)",
            Self::Siglent => "Siglent SDS CSV",
            Self::Keysight => "Keysight InfiniiVision CSV",
            Self::Infiniium => "Keysight Infiniium CSV",
            Self::TektronixColumns => "Tektronix TDS CSV (header beside the samples)",
            Self::Tektronix => "Tektronix MSO/DPO/MDO CSV",
            Self::Lecroy => "Teledyne LeCroy CSV",
            Self::Plain => "plain columns",
            Self::Npy => "numpy array (.npy)",
            Self::Run => "capture of a run",
        }
    }

    /// Whether the head of a text carries this format's marks.
    pub(super) fn marks(self, head: &Head) -> bool {
        match self {
            Self::Npy | Self::Run => false,
            Self::Plain => true,
            Self::Lecroy => head.line(0).first().is_some_and(|word| word.starts_with("lecroy")),
            Self::RigolSequence => {
                let words = head.line(0);
                ["start", "increment"].iter().all(|mark| words.iter().any(|word| word == mark))
            }
            Self::RigolIncrement => head.words_of(0, |word| word.replace(' ', "").starts_with("tinc=")),
            Self::RigolKeys => head.words_of(0, |word| word.starts_with("number of data points")),
            Self::TektronixColumns => head.is_beside_samples(),
            Self::Siglent => {
                head.words_of(0, |word| word.starts_with("analog:"))
                    || head.heading().first().is_some_and(|word| word == "second")
                        && (head.has_key("source") || head.has_key("record length"))
            }
            Self::Infiniium => head.has_key("xinc") && head.has_key("xorg"),
            Self::Tektronix => {
                head.heading().first().is_some_and(|word| word == "time")
                    && (head.has_key("model") || head.has_key("sample interval"))
            }
            Self::Keysight => head.words_of(0, |word| word == "x-axis"),
            Self::RigolTable => head.line(0).get(1).is_some_and(|word| word.starts_with("ch ")),
            Self::RigolSecond => {
                head.line(0).first().is_some_and(String::is_empty)
                    && head.line(1).first().is_some_and(|word| word == "second")
            }
            Self::RigolTime => head.line(0).first().is_some_and(|word| word == "time(s)"),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.word() == word).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|format| format.word()).collect();
            format!("`{word}` is no format of samples; known are {}", all.join(", "))
        })
    }
}
