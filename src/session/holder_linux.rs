//! Who holds the lock of an instrument, as the kernel tells it: Linux only. What it does not tell is not guessed.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use rustix::fs::{major, minor};

use crate::base::span::render_span;
use crate::deadman::release::GIVES_UP_AFTER;

/// Most letters of a command line that are told.
const MOST_TOLD: usize = 160;

/// The kernel's list is read in pieces, and a line may slip through between two of them where others lock and unlock.
const LOOKS: usize = 3;

/// Who holds the lock on the file, and what to do about it.
pub(super) fn holder_of(file: &File) -> Option<String> {
    let facts = file.metadata().ok()?;
    let process = (0..LOOKS)
        .find_map(|_| find_holder(&fs::read_to_string("/proc/locks").ok()?, (facts.dev(), facts.ino())))?;
    let command = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let words: Vec<String> =
        command.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    Some(describe(process, &words))
}

/// The process that holds a lock on the whole file, by the lines of `/proc/locks`. Inodes count anew on every file system: only
/// with its device a line names this file. Where the kernel tells another device there than of the file, nobody is named.
fn find_holder(locks: &str, (device, inode): (u64, u64)) -> Option<u32> {
    let named = format!("{:02x}:{:02x}:{inode}", major(device), minor(device));
    let holds = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        // Whoever only waits has an arrow in front.
        let kind = words.next()?;
        let process = words.nth(2)?.parse().ok()?;
        let file = words.next()?;
        let is_it = kind == "FLOCK" && file == named;
        is_it.then_some(process)
    };
    // A process that lives outside of what this one sees has the number 0.
    locks.lines().find_map(holds).filter(|process| *process > 0)
}

fn describe(process: u32, words: &[String]) -> String {
    let after = |option: &str| words.iter().skip_while(|word| *word != option).nth(1);
    if words.get(1).is_some_and(|word| word == "deadman") {
        let rig = after("--rig").map_or("", String::as_str);
        return format!(
            "the dead-man (process {process}) of a run whose controller is gone, on the rig {rig}. Something there may be on: look at \
             the bench. It lets go as soon as supply and load are verified off, and tries for {} at most; end it earlier \
             (kill -9 {process}) only where you have seen that both are off",
            render_span(GIVES_UP_AFTER)
        );
    }
    let told: String = words.join(" ").chars().filter(|c| !c.is_control()).take(MOST_TOLD).collect();
    format!("process {process}, `{}`; wait for it to end, or stop it first", told.trim())
}

#[cfg(test)]
mod tests {
    use rustix::fs::makedev;

    use super::*;

    #[test]
    fn the_holder_is_who_has_the_lock_and_not_who_waits_for_it_or_locks_another_file() {
        let locks = "1: FLOCK  ADVISORY  WRITE 3046 08:01:77 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 12 08:01:78 0 EOF\n\
                     2: POSIX  ADVISORY  WRITE 9 08:01:78 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 25752 08:01:78 0 EOF\n4: FLOCK  ADVISORY  WRITE 0 08:01:79 0 EOF\ntorn";
        let device = makedev(8, 1);
        assert_eq!(
            [76, 77, 78, 79].map(|inode| find_holder(locks, (device, inode))),
            [None, Some(3046), Some(25752), None]
        );
    }

    #[test]
    fn who_locks_a_file_of_the_same_inode_on_another_file_system_is_not_named() {
        let locks =
            "1: FLOCK  ADVISORY  WRITE 3046 08:01:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 9 00:1f:77 0 EOF\n";
        let holder = |major, minor| find_holder(locks, (makedev(major, minor), 77));
        assert_eq!([holder(8, 1), holder(0, 31), holder(0, 45)], [Some(3046), Some(9), None]);
    }

    #[test]
    fn a_dead_man_is_told_from_a_run() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let told = describe(7, &words("/bin/soakrig deadman --controller 5 --rig /r.toml"));
        assert!(told.contains("the dead-man (process 7)") && told.contains("the rig /r.toml"), "{told}");
        assert!(told.contains("for 1 h at most") && told.contains("kill -9 7"), "{told}");
        let told = describe(7, &words("soakrig run p.toml"));
        assert_eq!(told, "process 7, `soakrig run p.toml`; wait for it to end, or stop it first");
    }
}
