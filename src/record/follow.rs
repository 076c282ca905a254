//! Reading a journal while it is written: only what is new, line by line, whatever the run's length.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::event::{Event, Readings, Stamp};

use super::convert::event_of;
use super::format::Entry;
use super::line::{Line, What};
use super::recover::{Tail, Whole, read_on};
use super::{RecordError, journal};

/// A line of the journal as somebody who follows it sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Followed {
    /// The first line: the run folder's name when it was made.
    Begun {
        /// When.
        at: Stamp,
        /// The name.
        run: String,
    },
    /// Something happened.
    Happened {
        /// When.
        at: Stamp,
        /// What.
        event: Event,
    },
    /// A trace or a screen was kept.
    Kept {
        /// When.
        at: Stamp,
        /// Bytes of its samples, or of the picture.
        bytes: u64,
    },
}

/// Follows a journal. Keeps where the last whole line ended and its check sum, nothing else: each look reads what was written
/// since, and a line that is only half there is read at a later look.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    file: File,
    whole: Whole,
}

impl Follower {
    /// Before the first line of the journal of a run folder.
    ///
    /// # Errors
    /// There is no journal, or it cannot be opened.
    pub fn open(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(journal::FILE_NAME);
        if !path.is_file() {
            return Err(RecordError::NotARun(folder.to_owned()));
        }
        let file = File::open(&path).map_err(|error| RecordError::disk("open", &path, error))?;
        Ok(Self { path, file, whole: Whole::NOTHING })
    }

    /// Hands every whole line that is new to `take`, and says what stands behind the last one: nothing, or a line that is being
    /// written or was torn.
    ///
    /// # Errors
    /// The journal is damaged before its last line, was written by a later program, became shorter, or cannot be read.
    pub fn read_new(&mut self, mut take: impl FnMut(Followed)) -> Result<Tail, RecordError> {
        let before = self.whole;
        match self.read_once(&mut take) {
            // A torn line is cut before the next is written: who reads just then may see the half of each.
            Err(RecordError::Damaged { .. }) if self.whole == before => self.read_once(&mut take),
            outcome => outcome,
        }
    }

    fn read_once(&mut self, take: &mut impl FnMut(Followed)) -> Result<Tail, RecordError> {
        let fault = |error| RecordError::disk("read", &self.path, error);
        let length = self.file.metadata().map_err(fault)?.len();
        if length < self.whole.bytes {
            let told = "it is shorter than what was read of it: its end was taken away";
            return Err(RecordError::damaged(&self.path, self.whole.lines, told));
        }
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.whole.bytes)).map_err(fault)?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        read_on(&self.path, &mut reader, &mut self.whole, |line| {
            take(followed(line)?);
            Ok(())
        })
    }

    /// Bytes of the lines taken so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.whole.bytes
    }

    /// Lines taken so far.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.whole.lines
    }

    /// When the file was last written to, on the machine's wall clock.
    ///
    /// # Errors
    /// The system does not say.
    pub fn written(&self) -> Result<Timestamp, RecordError> {
        let fault = |error| RecordError::disk("look at", &self.path, error);
        let modified = self.file.metadata().and_then(|about| about.modified()).map_err(fault)?;
        Timestamp::try_from(modified).map_err(|error| fault(std::io::Error::other(error)))
    }
}

fn followed(line: Line<'_>) -> Result<Followed, String> {
    let at = line.at()?;
    if (line.seq == 0) != matches!(line.what, What::Entry(Entry::Header(_))) {
        return Err("the header stands in the first line and only there".to_owned());
    }
    Ok(match line.what {
        What::Entry(Entry::Header(header)) => Followed::Begun { at, run: header.run },
        What::Entry(Entry::Waveform(trace)) => {
            let width = match trace.codes.as_str() {
                "u1" => 1,
                "i2" => 2,
                "f4" => 4,
                other => return Err(format!("`{other}` is no form of samples")),
            };
            Followed::Kept { at, bytes: trace.samples.saturating_mul(width) }
        }
        What::Entry(Entry::Screen(screen)) => Followed::Kept { at, bytes: screen.bytes },
        What::Entry(entry) => match event_of(entry)? {
            Some(event) => Followed::Happened { at, event },
            None => Followed::Kept { at, bytes: 0 },
        },
        What::Readings(batch) => {
            let mut readings = Readings::none();
            batch.read_into(&mut readings)?;
            Followed::Happened { at, event: Event::ReadingsTaken(Box::new(readings)) }
        }
    })
}
