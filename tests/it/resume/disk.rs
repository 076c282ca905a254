//! Disks on which a run cannot be gone on with, for real: a file system of its own that is full or can only be read.

use std::process::Command;

use super::{cut_off, line_ends, run_smoke};

/// Copies the run `$2` to a new disk at `$1`, does `spoil` to it and resumes it there; then makes the disk good and resumes it
/// once more. Tells the two exit codes, and whether the journal was the same between them.
fn resume_on_a_disk(spoil: &str) -> Option<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let whole = run_smoke(&folder.path().join("whole"));
    let journal = std::fs::read(whole.join("journal.jsonl")).unwrap();
    let ends = line_ends(&journal);
    let (run, disk) = (folder.path().join("run"), folder.path().join("disk"));
    cut_off(&whole, &journal[..ends[ends.len() / 2]], &run);
    std::fs::create_dir(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=256m none $1 && cp -r $2 $1/run && {{ {spoil}; }}
         $0 resume $1/run --quiet; first=$?
         cmp $1/run/journal.jsonl $2/journal.jsonl; same=$?
         mount -o remount,rw $1; rm -f $1/fill
         $0 resume $1/run --quiet; echo $first $same $?"
    );
    // Whoever is no administrator may do this in a room of his own, where the system lets him.
    let in_own_room = |words: &[&str]| Command::new("unshare").arg("-rm").args(words).output().ok();
    in_own_room(&["true"]).filter(|done| done.status.success())?;
    let program = env!("CARGO_BIN_EXE_soakrig");
    let done = in_own_room(&["sh", "-c", &script, program, disk.to_str()?, run.to_str()?])?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Some((text(done.stdout).lines().last().unwrap_or_default().to_owned(), text(done.stderr)))
}

#[test]
fn a_run_on_a_full_disk_is_refused_before_anything_is_done_and_gone_on_with_when_there_is_room() {
    let Some((codes, said)) = resume_on_a_disk("dd if=/dev/zero of=$1/fill bs=1M 2>/dev/null") else {
        return;
    };
    assert_eq!(codes, "2 0 0", "{said}");
    assert!(said.contains("free where the run is kept") && said.contains("make room"), "{said}");
}

#[test]
fn a_run_that_can_only_be_read_is_refused_before_anything_is_done_and_gone_on_with_when_it_can_be_written() {
    let Some((codes, said)) = resume_on_a_disk("mount -o remount,ro $1") else { return };
    assert_eq!(codes, "2 0 0", "{said}");
    assert!(said.contains("cannot go on with") && said.contains("Read-only file system"), "{said}");
}
