//! Whether a run has room on its disk: before it begins, and while it goes on. Pure but for the one question to the system.

use std::path::PathBuf;

use super::checking::host::free_bytes;
use crate::base::units::with_prefix;
use crate::plan::forecast::Forecast;

/// Room that is left to the rest of the machine, in bytes: a full disk harms more than the run.
pub(super) const RESERVE: u64 = 200_000_000;
/// Below this, only what stands around a breach is kept.
const SHORT: u64 = 500_000_000;
/// Below this the run ends after the point, as long as its record can still be ended well.
const NEARLY_NONE: u64 = 60_000_000;
/// Batches of readings between two looks: some ten minutes.
const LOOK_EVERY: u32 = 10;

/// What is to be done about the room before a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Room {
    /// It is enough, or not known.
    Enough,
    /// It is enough without the samples of usual captures; how that is told.
    Thin(String),
    /// It is not enough; why.
    No(String),
}

/// Judges the room before a run that writes so much.
pub(super) fn judge_room(forecast: &Forecast, free: &Result<u64, String>) -> Room {
    let Some(free) = free.as_ref().ok().copied() else { return Room::Enough };
    let left = free.saturating_sub(RESERVE);
    let told = |bytes: u64| with_prefix(bytes as f64, "B");
    if forecast.total() <= left {
        return Room::Enough;
    }
    let (needed, least) = (forecast.total(), forecast.total() - forecast.samples);
    if least <= left {
        return Room::Thin(format!(
            "the run may write {} and there are {} free: of the traces only those around a breach are kept",
            told(needed),
            told(free)
        ));
    }
    Room::No(format!(
        "the run may write {} (without traces {}), and there are {} free, of which {} are left alone; make room, or name a \
         folder on another disk with --out",
        told(needed),
        told(least),
        told(free),
        told(RESERVE)
    ))
}

/// What is to be said of so few free bytes while a run goes on; `None` where there are enough.
#[must_use]
pub fn shortage(free: u64) -> Option<String> {
    let left = with_prefix(free as f64, "B");
    let then = if free < NEARLY_NONE {
        "a soak ends, while its record can still be ended"
    } else {
        "of a soak only the traces around a breach are kept"
    };
    (free < SHORT).then(|| format!("only {left} are free on the disk: {then}"))
}

/// Why a run has no room to be gone on with: with less it would end before it has done anything.
pub(super) fn lack_of_room(free: &Result<u64, String>) -> Option<String> {
    let free = free.as_ref().ok().copied().filter(|free| *free < NEARLY_NONE)?;
    let (free, least) = (with_prefix(free as f64, "B"), with_prefix(NEARLY_NONE as f64, "B"));
    Some(format!(
        "there are only {free} free where the run is kept, and it needs {least} to go on; make room, or copy its folder to \
         another disk, then resume it there"
    ))
}

/// What is to be done about the room while a run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shortage {
    /// Keep less, and say so.
    Thin(String),
    /// End after the point, and say so.
    End(String),
}

/// Looks at the room now and then while a run goes on; each shortage is told once.
#[derive(Debug)]
pub(super) struct RoomWatch {
    folder: PathBuf,
    batches: u32,
    is_thinned: bool,
    has_ended: bool,
}

impl RoomWatch {
    pub(super) const fn new(folder: PathBuf, is_thinned: bool) -> Self {
        Self { folder, batches: 0, is_thinned, has_ended: false }
    }

    /// Called once a batch of readings.
    pub(super) fn look(&mut self) -> Option<Shortage> {
        self.batches += 1;
        if !self.batches.is_multiple_of(LOOK_EVERY) {
            return None;
        }
        self.judge(free_bytes(&self.folder).ok()?)
    }

    fn judge(&mut self, free: u64) -> Option<Shortage> {
        let left = with_prefix(free as f64, "B");
        if free < NEARLY_NONE && !self.has_ended {
            self.has_ended = true;
            let told = format!(
                "only {left} are free on the disk: the run ends after the point, while its record can still be ended"
            );
            return Some(Shortage::End(told));
        }
        if free < SHORT && !self.is_thinned {
            self.is_thinned = true;
            let told = format!(
                "only {left} are free on the disk: from now on only the traces around a breach are kept"
            );
            return Some(Shortage::Thin(told));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_does_not_fit_is_refused_or_keeps_fewer_traces() {
        let forecast = Forecast { journal: 300_000_000, samples: 700_000_000, ..Forecast::default() };
        let word = |free: Option<u64>| match judge_room(&forecast, &free.ok_or_else(String::new)) {
            Room::Enough => "enough",
            Room::Thin(_) => "thin",
            Room::No(_) => "no",
        };
        let rooms = [None, Some(1_200_000_000), Some(1_199_999_999), Some(500_000_000), Some(499_999_999)];
        assert_eq!(rooms.map(word), ["enough", "enough", "thin", "thin", "no"]);
    }

    #[test]
    fn a_disk_that_fills_up_is_told_once_a_step() {
        let mut watch = RoomWatch::new(PathBuf::new(), false);
        let told: Vec<&str> = [900_000_000, 499_000_000, 400_000_000, 59_000_000, 1_000_000]
            .into_iter()
            .map(|free| match watch.judge(free) {
                None => "-",
                Some(Shortage::Thin(_)) => "thin",
                Some(Shortage::End(_)) => "end",
            })
            .collect();
        assert_eq!(told, ["-", "thin", "-", "end", "-"]);
        assert_eq!(shortage(500_000_000), None);
        assert!(shortage(499_999_999).unwrap().contains("500 MB are free"));
        assert!(shortage(59_999_999).unwrap().contains("a soak ends"));
    }
}
