//! Whatever comes in wrong, from files, instruments, links or the disk: a clear error with its exit code, in bounded time,
//! and no output left on.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use soakrig::event::{Event, Sink};
use soakrig::record::Recorder;
use tempfile::TempDir;

use crate::cli::{
    PROGRAM, SIM, SMOKE, Served, Told, arg, file, program_by, real_rig, smoke_at, smoke_run, smoke_with,
    soakrig,
};
use crate::record::sweep::{at, facts, header};

fn run(profile: &Path, rig: &Path, out: &Path) -> Told {
    soakrig(&["run", arg(profile), "--rig", arg(rig), "--out", arg(out)])
}

#[test]
fn a_file_that_is_no_rig_and_no_profile_is_refused_in_plain_words() {
    let folder = TempDir::new().unwrap();
    let bad = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    bad("nearly.toml", b"");
    let sim = fs::read(SIM).unwrap();
    let cases: [(PathBuf, &[&str]); 9] = [
        (
            folder.path().join("nearyl.toml"),
            &["cannot read the", "no such file; did you mean", "nearly.toml"],
        ),
        (folder.path().to_owned(), &["cannot read the", "directory"]),
        (bad("latin.toml", b"# one\nname = \"\xb5V\"\n"), &["cannot read the", "line 2 is not UTF-8"]),
        (bad("huge.toml", &vec![b'#'; 2 << 20]), &["cannot read the", "more than 1048576 bytes"]),
        (PathBuf::from("/dev/zero"), &["cannot read the", "more than 1048576 bytes"]),
        (bad("empty.toml", b""), &["`name` is missing", "empty.toml"]),
        (bad("torn.toml", &sim[..sim.len() / 3]), &["torn.toml"]),
        (bad("binary.toml", &[0; 64]), &["binary.toml:1:"]),
        (bad("brackets.toml", "[".repeat(100_000).as_bytes()), &["brackets.toml"]),
    ];
    for (path, words) in &cases {
        let out = folder.path().join("out");
        run(path, Path::new(SIM), &out).assert_exit(2).assert_told(words);
        run(Path::new(SMOKE), path, &out).assert_exit(2).assert_told(words);
        soakrig(&["check", arg(path)]).assert_exit(2).assert_told(words);
        assert!(!out.exists(), "a run was begun on {}", path.display());
    }
}

#[test]
fn a_profile_and_a_rig_in_each_others_place_are_told_as_such() {
    let out = TempDir::new().unwrap();
    let told = run(Path::new(SIM), Path::new(SMOKE), out.path()).assert_exit(2);
    assert!(told.err.contains("look swapped") && !told.err.contains("unknown key"), "{}", told.err);
}

#[test]
fn a_misspelt_key_is_shown_at_its_place_with_the_word_that_was_meant() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "profile.toml", &smoke_with("vout_nominal", "vout_nomnal", ""));
    let rig = fs::read_to_string(SIM).unwrap().replace("max_voltage", "max_voltge");
    let rig = file(&folder, "rig.toml", &rig);
    run(&profile, &rig, folder.path()).assert_exit(2).assert_told(&[
        "profile.toml:4:1",
        "did you mean `vout_nominal`?",
        "rig.toml:18:1",
        "did you mean `max_voltage`?",
    ]);
}

#[test]
fn a_bench_is_simulated_as_a_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let rig = fs::read_to_string(SIM).unwrap().replace("SIM::load", "TCPIP0::127.0.0.1::1::SOCKET");
    let rig = file(&folder, "rig.toml", &rig);
    let told = run(Path::new(SMOKE), &rig, folder.path()).assert_exit(2);
    told.assert_told(&["simulated as a whole or not at all", "load.address"]);
}

/// Ports of this machine on which nobody listens, each another one: they are let go together.
fn closed_ports() -> [String; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let address = |listener: &TcpListener| listener.local_addr().unwrap().port();
    std::array::from_fn(|place| format!("TCPIP0::127.0.0.1::{}::SOCKET", address(&listeners[place])))
}

#[test]
fn a_dead_address_names_role_and_address_and_the_run_says_why_there_is_nothing_in_it() {
    let folder = TempDir::new().unwrap();
    let [supply, load, scope] = closed_ports();
    let rig = file(&folder, "rig.toml", &real_rig([&supply, &load, &scope, "ASRL/dev/nothing-here::INSTR"]));
    let out = folder.path().join("out");
    let told = run(Path::new(SMOKE), &rig, &out).assert_exit(3);
    for words in ["ERROR  board", "switched nothing on", "source at", &supply, "nothing listens there"] {
        assert!(told.out.contains(words), "`{words}` is not in {}", told.out);
    }
    // What to look for is told once, and no sentence goes on behind its question mark.
    assert!(!told.out.contains("?;") && !told.out.contains("plugged in"), "{}", told.out);
    let listed = soakrig(&["list", "--out", arg(&out)]).assert_exit(0).out;
    assert!(listed.contains("sealed      error       0/6 points"), "{listed}");
    // A check asks everybody, so that all dead addresses are told at once.
    let checked = soakrig(&["check", arg(&rig)]).assert_exit(3).out;
    for words in [&supply, &load, &scope, "NO GO"] {
        assert!(checked.contains(words), "`{words}` is not in {checked}");
    }
    soakrig(&["scpi", arg(&rig), "load", "*IDN?"]).assert_exit(3).assert_told(&["load at", &load]);
}

#[test]
fn an_unplugged_thermometer_ends_the_run_with_supply_and_load_off() {
    let served = Served::start();
    let folder = TempDir::new().unwrap();
    // A name of its own: on a name that other tests use, too, there may be a lock.
    let port = format!("ASRL{}::INSTR", folder.path().join("nothing-here").display());
    let rig = file(&folder, "rig.toml", &served.rig.replace(&served.addresses["thermometer"], &port));
    let told = run(Path::new(SMOKE), &rig, folder.path()).assert_exit(3);
    assert!(told.out.contains(&format!("board at {port}")), "{}", told.out);
    assert!(told.out.contains("outputs    off, read back and measured: "), "{}", told.out);
    assert!(told.out.contains("and the outputs are verified off: board at"), "{}", told.out);
    let (opened, safe) = opened_and_safe(folder.path());
    assert_eq!(opened, ["source", "load", "scope"]);
    assert_eq!(
        (&safe["load_off"], &safe["supply_off"], &safe["verified"]),
        (&true.into(), &true.into(), &true.into())
    );
    assert!(safe["vout_v"].as_f64().unwrap() < 0.5, "{safe}");
    served.assert_outputs_off();
}

/// Who was opened in the only run of a folder, and how it was made safe, by its journal.
fn opened_and_safe(out: &Path) -> (Vec<String>, Value) {
    let is_run = |path: &PathBuf| path.join("journal.jsonl").is_file();
    let run = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path()).find(is_run).unwrap();
    let (mut opened, mut safe) = (Vec::new(), Value::Null);
    for line in fs::read_to_string(run.join("journal.jsonl")).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let Some(facts) = line["entry"].get("instrument_opened") {
            assert!(!facts["serial"].as_str().unwrap().is_empty() || facts["role"] == "board", "{facts}");
            opened.push(facts["role"].as_str().unwrap().to_owned());
        }
        if let Some(state) = line["entry"].get("made_safe") {
            assert_eq!(safe, Value::Null, "made safe twice");
            safe = state.clone();
        }
    }
    (opened, safe)
}

#[test]
fn a_run_without_its_load_or_supply_tells_how_the_other_one_was_left() {
    let served = Served::start();
    for (dead, reached, sides) in [
        ("load", "source", "(supply off, load NOT VERIFIED OFF): the load was not reached"),
        ("source", "load", "(supply NOT VERIFIED OFF, load off): the supply was not reached"),
    ] {
        let folder = TempDir::new().unwrap();
        let rig = served.rig.replace(&served.addresses[dead], &closed_ports()[0]);
        let rig = file(&folder, "rig.toml", &rig);
        let told = run(Path::new(SMOKE), &rig, &folder.path().join("out")).assert_exit(3);
        assert!(told.out.contains(&format!("NOT VERIFIED OFF after 1 attempt {sides}")), "{}", told.out);
        assert!(!told.out.contains("NOT KNOWN"), "{}", told.out);
        assert!(told.out.contains("was reached and is off"), "{}", told.out);
        // Nobody has to run to the bench for what this run did not switch on.
        assert!(!told.err.contains("Look at the bench now"), "{}", told.err);
        let (opened, safe) = opened_and_safe(&folder.path().join("out"));
        assert_eq!(opened, [reached]);
        let off = |name: &str| safe[name].as_bool().unwrap();
        assert_eq!((off("supply_off"), off("load_off")), (dead == "load", dead == "source"), "{safe}");
        assert!(!off("verified"));
        // The load measures Vout; without it nobody has.
        assert_eq!(safe["vout_v"].is_number(), dead == "source", "{safe}");
        served.assert_outputs_off();
        let checked = soakrig(&["check", arg(&rig)]).assert_exit(3).out;
        assert!(checked.contains("FAIL outputs") && checked.contains("was not reached"), "{checked}");
    }
}

#[test]
fn supply_and_load_that_are_mixed_up_are_both_named() {
    let served = Served::start();
    let folder = TempDir::new().unwrap();
    let (supply, load) = (&served.addresses["source"], &served.addresses["load"]);
    let rig = served.rig.replace(supply, "HERE").replace(load, supply).replace("HERE", load);
    let rig = file(&folder, "rig.toml", &rig);
    let told = run(Path::new(SMOKE), &rig, folder.path()).assert_exit(3);
    for words in ["source at", load, "DL3021", "rigol_dp800"] {
        assert!(told.out.contains(words), "`{words}` is not in {}", told.out);
    }
    served.assert_outputs_off();
    let checked = soakrig(&["check", arg(&rig)]).assert_exit(3).out;
    assert!(checked.contains("DL3021") && checked.contains("DP832"), "{checked}");
}

/// Something that listens where an instrument should, and does `answer` with everybody who connects.
fn talker(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("TCPIP0::127.0.0.1::{}::SOCKET", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    address
}

/// Answers whatever is asked with the same bytes.
fn answer_each(mut stream: TcpStream, answer: &[u8], after: Duration) {
    let mut asked = [0; 1024];
    while stream.read(&mut asked).is_ok_and(|count| count > 0) {
        thread::sleep(after);
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}

/// How something answers that is not the instrument.
type Answer = fn(TcpStream);

const TALKERS: [(&str, Answer); 7] = [
    ("silent", |stream| answer_each(stream, b"", Duration::ZERO)),
    ("garbage", |stream| answer_each(stream, b"\x00\xff\x9b\x07#9\xfe;;\"'\n\r\n", Duration::ZERO)),
    ("another instrument", |stream| answer_each(stream, b"KEYSIGHT,34465A,MY1,1\n", Duration::ZERO)),
    ("late", |stream| {
        answer_each(stream, b"RIGOL TECHNOLOGIES,DL3021,DL3A1,00.01\n", Duration::from_secs(8));
    }),
    ("truncated", |mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"RIGOL TECHNOLOGIES,DL30");
    }),
    ("closing", drop),
    ("endless", |mut stream| while stream.write_all(&[b'A'; 65536]).is_ok() {}),
];

#[test]
fn whoever_answers_at_the_address_of_the_load_ends_the_run_soon_with_the_supply_off() {
    thread::scope(|scope| {
        for (name, answer) in TALKERS {
            scope.spawn(move || {
                let served = Served::start();
                let folder = TempDir::new().unwrap();
                let address = talker(answer);
                let rig = served.rig.replace(&served.addresses["load"], &address);
                let rig = file(&folder, "rig.toml", &rig);
                let begun = Instant::now();
                let told = run(Path::new(SMOKE), &rig, folder.path()).assert_exit(3);
                assert!(begun.elapsed() < Duration::from_secs(90), "{name} took {:?}", begun.elapsed());
                assert!(told.out.contains("load at") && told.out.contains(&address), "{name}: {}", told.out);
                served.assert_outputs_off();
            });
        }
    });
}

#[test]
fn a_place_where_no_folder_can_be_made_is_told_before_anything_is_touched() {
    let served = Served::start();
    let folder = TempDir::new().unwrap();
    let rig = file(&folder, "rig.toml", &served.rig);
    let in_the_way = file(&folder, "in-the-way", "");
    for out in [in_the_way.clone(), in_the_way.join("deeper"), PathBuf::from("/dev/full/x")] {
        let told = run(Path::new(SMOKE), &rig, &out).assert_exit(2);
        told.assert_told(&[arg(&out), "name a folder with --out"]);
    }
    served.assert_outputs_off();
}

/// Makes the folders of runs that begin in the next two minutes.
fn taken_folders(out: &Path, behind: &str) -> Vec<PathBuf> {
    let now = jiff::Timestamp::now();
    let name = |second| {
        let at = now + jiff::SignedDuration::from_secs(second);
        out.join(format!("{}_smoke_0007{behind}", at.strftime("%Y-%m-%dT%H-%M-%SZ")))
    };
    let names: Vec<PathBuf> = (0..120).map(name).collect();
    for name in &names {
        fs::create_dir(name).unwrap();
    }
    names
}

#[test]
fn runs_that_begin_in_the_same_second_have_a_folder_each() {
    let folder = TempDir::new().unwrap();
    let taken = taken_folders(folder.path(), "");
    let runs: Vec<PathBuf> = thread::scope(|scope| {
        let begun: Vec<_> = (0..2).map(|_| scope.spawn(|| smoke_run(folder.path()))).collect();
        begun.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_ne!(runs[0], runs[1]);
    for run in &runs {
        let name = run.file_name().unwrap().to_str().unwrap();
        assert!(name.contains("_smoke_0007-"), "{name}");
        let kept: Value = serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
        assert_eq!((kept["run"].as_str(), kept["verdict"].as_str()), (Some(name), Some("pass")));
        assert!(fs::read_to_string(run.join("journal.jsonl")).unwrap().contains(&format!("\"{name}\"")));
    }
    for name in &taken {
        assert_eq!(fs::read_dir(name).unwrap().count(), 0);
    }
}

#[test]
fn a_run_folder_that_exists_is_never_written_over() {
    let folder = TempDir::new().unwrap();
    let mut names = taken_folders(folder.path(), "");
    for count in 2..10 {
        names.extend(taken_folders(folder.path(), &format!("-{count}")));
    }
    let told = run(Path::new(SMOKE), Path::new(SIM), folder.path()).assert_exit(2);
    told.assert_told(&["exists already", "never written over", "--out"]);
    for name in &names {
        assert_eq!(fs::read_dir(name).unwrap().count(), 0);
    }
}

/// Runs under a limit of file size, in blocks of 512 bytes: as a disk that fills up, for files of one size.
#[cfg(unix)]
fn run_with_room_for(blocks: u32, profile: &Path, rig: &Path, out: &Path) -> Told {
    let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = program_by("sh");
    command.args(["-c", &script, PROGRAM, "run", arg(profile), "--rig", arg(rig)]);
    Told::of(command.args(["--out", arg(out)]))
}

#[cfg(unix)]
#[test]
fn wherever_the_room_for_files_ends_the_run_says_so_and_keeps_what_it_has() {
    for blocks in [0, 1, 4, 8, 12, 16, 24, 32, 64, 128] {
        let folder = TempDir::new().unwrap();
        let told = run_with_room_for(blocks, Path::new(SMOKE), Path::new(SIM), folder.path())
            .assert_exit(2)
            .assert_told(&["error: cannot ", "File too large", arg(folder.path())]);
        assert!(!told.err.contains("NOT"), "{blocks}: {}", told.err);
        let Some(run) = fs::read_dir(folder.path()).unwrap().flatten().next() else { continue };
        // What was kept can be read: a report of it, or the word that nothing was.
        let again = soakrig(&["report", arg(&run.path())]);
        assert!(matches!(again.exit, Some(0 | 6)) || !run.path().join("journal.jsonl").exists(), "{again:?}");
        assert!(!again.out.starts_with("PASS") || again.out.contains("6 of 6 finished"), "{}", again.out);
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_under_a_live_bench_leaves_it_off() {
    let served = Served::start();
    let folder = TempDir::new().unwrap();
    let rig = file(&folder, "rig.toml", &served.rig);
    let profile = smoke_at("[\"24 V\"]");
    let profile = file(&folder, "profile.toml", &profile);
    let out = folder.path().join("out");
    let told = run_with_room_for(16, &profile, &rig, &out).assert_exit(2);
    let told = told.assert_told(&[
        "File too large",
        "the run was ended there and the outputs are off",
        "soakrig report",
    ]);
    // It had been on: the room ended in the middle of the run.
    let run = fs::read_dir(&out).unwrap().flatten().next().unwrap().path();
    let tape = fs::read_to_string(run.join("tapes/source.tape")).unwrap_or_default();
    assert!(tape.contains("ON"), "{}", told.err);
    served.assert_outputs_off();
    assert_eq!(served.ask("source", ":OUTP:OVP? CH1"), "ON");
}

#[test]
fn a_run_that_was_cut_off_anywhere_is_reported_as_far_as_it_came_and_never_as_passed() {
    let folder = TempDir::new().unwrap();
    let whole = fs::read(smoke_run(&folder.path().join("whole")).join("journal.jsonl")).unwrap();
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let last_line = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for step in 0..12 {
        // Primes walk over every place of a line.
        let cut = first_line + (last_line - first_line) * step / 12 + step * 7;
        let cut = cut.min(last_line);
        let runs = folder.path().join(format!("cut-{step:02}"));
        let run_folder = runs.join("2026-01-01T00-00-00Z_smoke_0007");
        fs::create_dir_all(&run_folder).unwrap();
        fs::write(run_folder.join("journal.jsonl"), &whole[..cut]).unwrap();
        let told = soakrig(&["report", arg(&run_folder), "--json"]).assert_exit(0).json();
        assert_eq!(told["verdict"], "incomplete", "cut at {cut}");
        assert_eq!(told["ended"], Value::Null);
        assert!(run_folder.join("report.html").is_file() && !run_folder.join("manifest.sha256").exists());
        let is_torn = whole[cut - 1] != b'\n';
        let rows = soakrig(&["list", "--out", arg(&runs), "--json"]).assert_exit(0).json();
        assert_eq!(rows[0]["state"], if is_torn { "torn" } else { "open" }, "cut at {cut}");
        let said = soakrig(&["report", arg(&run_folder)]).assert_exit(0).out;
        assert_eq!(said.matches("torn").count(), usize::from(is_torn), "cut at {cut}: {said}");
        if step % 4 == 1 {
            let next = run(Path::new(SMOKE), Path::new(SIM), &runs).assert_exit(0);
            next.assert_told(&["2026-01-01T00-00-00Z_smoke_0007 was not finished"]);
        }
    }
}

#[test]
fn a_run_that_a_living_program_writes_is_none_that_was_not_finished() {
    let folder = TempDir::new().unwrap();
    let begun = |out: &Path| {
        let mut recorder = Recorder::create(out, &header("B")).unwrap();
        recorder.event(at(0), &Event::RunStarted(Box::new(facts("B", 4)))).unwrap();
        recorder
    };
    let told = |out: &Path| {
        let check = soakrig(&["check", SIM, "--unattended", SMOKE, "--out", arg(out), "--json"]).json();
        let line = check["findings"].as_array().unwrap().iter().find(|line| line["what"] == "earlier run");
        let grade = line.unwrap()["grade"].as_str().unwrap().to_owned();
        let said = run(Path::new(SMOKE), Path::new(SIM), out).assert_exit(0);
        (grade, format!("{}{}", said.out, said.err).contains("was not finished"))
    };
    let (alive, left) = (folder.path().join("alive"), folder.path().join("left"));
    // On another bench whose runs lie in the same folder.
    let recorder = begun(&alive);
    assert_eq!(told(&alive), ("good".to_owned(), false));
    drop(recorder);
    drop(begun(&left));
    assert_eq!(told(&left), ("warning".to_owned(), true));
}

#[test]
fn a_run_is_looked_for_by_name_and_what_is_near_is_told() {
    let folder = TempDir::new().unwrap();
    let out = arg(folder.path());
    soakrig(&["report", "smoke", "--out", out]).assert_exit(2).assert_told(&["no run in", "`smoke`"]);
    soakrig(&["report", out]).assert_exit(2).assert_told(&["is not a run folder"]);
    for name in ["a-1", "a-2"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("journal.jsonl"), "").unwrap();
    }
    soakrig(&["report", "a", "--out", out]).assert_exit(2).assert_told(&["several runs: a-1, a-2"]);
    soakrig(&["report", "a-3", "--out", out]).assert_exit(2).assert_told(&["the nearest is `a-"]);
    soakrig(&["report", "a-1", "--out", out]).assert_exit(6).assert_told(&["it is empty"]);
}

#[test]
fn nothing_that_is_typed_becomes_a_path() {
    let folder = TempDir::new().unwrap();
    for (option, value) in
        [("--board", "../../x"), ("--board", ""), ("--revision", "a/b"), ("--board", "a\nb")]
    {
        let told = soakrig(&["run", SMOKE, "--rig", SIM, "--out", arg(folder.path()), option, value]);
        told.assert_exit(2).assert_told(&[option]);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_second_program_is_kept_off_a_bench_in_use() {
    let served = Served::start();
    let folder = TempDir::new().unwrap();
    let rig = file(&folder, "rig.toml", &served.rig);
    thread::scope(|scope| {
        let first = scope.spawn(|| run(Path::new(SMOKE), &rig, &folder.path().join("one")));
        let journal_there =
            || fs::read_dir(folder.path().join("one")).is_ok_and(|mut runs| runs.next().is_some());
        while !journal_there() && !first.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        for args in [&["check", arg(&rig)][..], &["scpi", arg(&rig), "load", "*IDN?"]] {
            soakrig(args).assert_exit(2).assert_told(&["the instrument at ", " is used by "]);
        }
        // A look from aside has not switched anything off.
        first.join().unwrap().assert_exit(0);
    });
    served.assert_outputs_off();
}

#[test]
fn a_file_changed_after_the_seal_is_damage_and_is_not_sealed_over() {
    let folder = TempDir::new().unwrap();
    run(Path::new(SMOKE), Path::new("rigs/sim.toml"), folder.path()).assert_exit(0);
    let record = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    fs::write(record.join("profile.toml"), "another one").unwrap();
    for _ in 0..2 {
        let told = soakrig(&["report", arg(&record)]).assert_exit(6);
        assert!(told.err.contains("profile.toml was changed after the run was sealed"), "{}", told.err);
    }
}
