//! A run that is cut off while it is being gone on with: what was missed is told, and the board is not taken for warm.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use soakrig::event::{DwellId, Event, Gap, GapCause};
use soakrig::plan::Step;
use soakrig::record::Record;
use soakrig::session::{self, Said};

use super::soak::{resume, whole_run};
use super::{cut_off, line_ends};

/// The journal of a machine whose clock stood so that its last line was written so long ago.
fn ended_before(journal: &[u8], ago: SignedDuration) -> Vec<u8> {
    let text = std::str::from_utf8(journal).unwrap();
    let utc_of = |line: &str| -> Timestamp {
        line.split_once("\"utc\":\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap()
    };
    let by = Timestamp::now().duration_since(utc_of(text.lines().last().unwrap())) - ago;
    let (mut crc, mut shifted) = (0_u32, String::new());
    for line in text.lines() {
        let utc = utc_of(line);
        let body = line.rsplit_once(",\"crc\"").unwrap().0;
        let body = body.replacen(&format!("\"utc\":\"{utc}\""), &format!("\"utc\":\"{}\"", utc + by), 1);
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&crc.to_le_bytes());
        hasher.update(body.as_bytes());
        crc = hasher.finalize();
        shifted.push_str(&format!("{body},\"crc\":\"{crc:08x}\"}}\n"));
    }
    shifted.into_bytes()
}

/// Whether the board would be warmed up first.
fn warms_up(run: &Path) -> bool {
    let resumable = session::prepare_resume(run, &Said::default(), &mut |_, _| ()).unwrap();
    resumable.prepared.plan.steps.contains(&Step::Dwell(DwellId::WARMING))
}

fn absences(run: &Path) -> (Vec<Gap>, usize) {
    let record = Record::open(run).unwrap();
    let gaps = record.events().iter().filter_map(|logged| match &logged.event {
        Event::GapFound(gap) if gap.cause == GapCause::Controller => Some(gap.clone()),
        _ => None,
    });
    let resumed = record.events().iter().filter(|logged| matches!(logged.event, Event::RunResumed(_)));
    (gaps.collect(), resumed.count())
}

#[test]
fn a_run_that_is_cut_off_while_it_is_gone_on_with_loses_no_gap_and_warms_up_again_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, journal) = whole_run(folder.path());
    let text = String::from_utf8(journal.clone()).unwrap();
    // In the hold: its first readings are kept, and it is not over.
    let is_hold = |line: &str| line.contains("\"readings_taken\"") && line.contains("\"dwell\":2");
    let line = text.lines().position(is_hold).unwrap();
    let cut = &journal[..line_ends(&journal)[line]];
    let place = |name: &str, journal: &[u8]| {
        let to = folder.path().join(name);
        cut_off(&whole, journal, &to);
        to
    };
    let ago = SignedDuration::from_secs;
    assert!(!warms_up(&place("just now", &ended_before(cut, ago(20)))), "the profile bears 30 s");
    let run = place("away", &ended_before(cut, ago(3 * 3600)));
    assert!(warms_up(&run));
    resume(&run, false).unwrap();
    let journal = std::fs::read(run.join("journal.jsonl")).unwrap();
    let ends = line_ends(&journal);
    for more in 1..=6 {
        // Cut behind the gap, behind the resumption, and among what makes the bench ready; gone on with at once.
        let again = place(&format!("again{more}"), &ended_before(&journal[..ends[line + more]], ago(5)));
        let (gaps, resumed) = absences(&again);
        assert_eq!((gaps.len(), resumed), (1, usize::from(more > 1)), "cut {more} lines behind");
        assert!(warms_up(&again), "cut {more} lines behind: three hours make no board warm");
        resume(&again, false).unwrap();
        let (gaps, resumed) = absences(&again);
        assert_eq!(resumed, 1 + usize::from(more > 1), "cut {more} lines behind");
        assert!(gaps.len() >= 2 && gaps[1].from <= gaps[0].to && gaps[1].to > gaps[0].to, "{more}: {gaps:?}");
    }
}
