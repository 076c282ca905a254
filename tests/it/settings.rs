//! Settings in layers, with the real program in a home, a project and a system of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{SIM, SMOKE, Told, arg};

/// A machine with nobody's settings yet; the program stands in the project's folder `bench/deep`.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("bench/deep")).unwrap();
        fs::create_dir_all(folder.path().join("home/.config/soakrig")).unwrap();
        // The search for a project's file goes no further up than this.
        fs::create_dir(folder.path().join(".git")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }
    fn system(&self, text: &str) {
        self.write("system.toml", text);
    }
    fn user(&self, text: &str) {
        self.write("home/.config/soakrig/config.toml", text);
    }
    fn project(&self, text: &str) {
        self.write("bench/soakrig.toml", text);
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(crate::cli::PROGRAM);
        command
            .args(args)
            .current_dir(self.path("bench/deep"))
            .env_remove("XDG_CONFIG_HOME")
            .env("HOME", self.path("home"))
            .env("SOAKRIG_SYSTEM_CONFIG", self.path("system.toml"));
        command
    }
    fn soakrig(&self, args: &[&str]) -> Told {
        Told::of(&mut self.command(args))
    }

    /// Value and origin of an option, by `soakrig config --json` and what follows it.
    fn value(&self, words: &[&str], command: &str, option: &str) -> (Value, String) {
        let told = self.soakrig(&[&["config", "--json"], words].concat()).assert_exit(0).json();
        let is_it = |row: &&Value| row["command"] == command && row["option"] == option;
        let row = told["values"].as_array().unwrap().iter().find(is_it).unwrap().clone();
        let origin = match row["origin"].as_str().unwrap() {
            "file" => self.masked(&format!("{}:{}", row["file"].as_str().unwrap(), row["line"])),
            other => other.to_owned(),
        };
        (row["value"].clone(), origin)
    }

    fn masked(&self, text: &str) -> String {
        text.replace(arg(self.folder.path()), "MACHINE")
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn a_later_layer_counts_before_an_earlier_one_and_the_origin_is_told() {
    let machine = Machine::new();
    let operator = |words: &[&str]| machine.value(words, "run", "operator");
    assert_eq!(operator(&[]), (Value::Null, "not set".into()));
    machine.system("operator = \"system\"");
    assert_eq!(operator(&[]), ("system".into(), "MACHINE/system.toml:1".into()));
    machine.user("# mine\n[run]\noperator = \"user\"");
    assert_eq!(operator(&[]), ("user".into(), "MACHINE/home/.config/soakrig/config.toml:3".into()));
    machine.project("\noperator = \"project\"\n");
    assert_eq!(operator(&[]), ("project".into(), "MACHINE/bench/soakrig.toml:2".into()));
    machine.project("\noperator = \"project\"\n[run]\noperator = \"project's run\"");
    assert_eq!(operator(&[]), ("project's run".into(), "MACHINE/bench/soakrig.toml:4".into()));
    assert_eq!(operator(&["run", "--operator", "typed"]), ("typed".into(), "command line".into()));
    assert_eq!(machine.value(&[], "plan", "operator").0, "project");
    assert_eq!(operator(&["run", "--no-config"]), (Value::Null, "not set".into()));
    let told = machine.soakrig(&["--no-config", "config"]).assert_exit(0).out;
    assert!(told.contains("# operator") && told.contains("because of --no-config"), "{told}");
}

#[test]
fn rig_and_board_of_new_runs_are_not_meant_for_one_that_is_gone_on_with_unless_its_table_says_so() {
    let machine = Machine::new();
    machine.project("rig = \"bench.toml\"\nboard = \"0042\"\nrevision = \"B\"");
    for name in ["board", "revision"] {
        assert_ne!(machine.value(&[], "run", name).0, Value::Null);
        assert_eq!(machine.value(&[], "resume", name), (Value::Null, "not set".into()));
    }
    assert_eq!(machine.value(&[], "run", "rig").1, "MACHINE/bench/soakrig.toml:1");
    assert_eq!(machine.value(&[], "resume", "rig"), (Value::Null, "not set".into()));
    machine.project("rig = \"bench.toml\"\n[resume]\nrig = \"moved.toml\"");
    assert_eq!(machine.value(&[], "resume", "rig").1, "MACHINE/bench/soakrig.toml:3");
}

#[test]
fn the_users_file_is_where_the_xdg_specification_says() {
    let machine = Machine::new();
    machine.user("seed = 1");
    fs::create_dir_all(machine.path("xdg/soakrig")).unwrap();
    machine.write("xdg/soakrig/config.toml", "seed = 2");
    let seed = |xdg: &str| {
        let told = Told::of(machine.command(&["config", "run"]).env("XDG_CONFIG_HOME", xdg)).assert_exit(0);
        told.out.lines().find(|line| line.starts_with("seed")).unwrap()[..8].to_owned()
    };
    assert_eq!(seed(arg(&machine.path("xdg"))), "seed = 2");
    assert_eq!(seed(""), "seed = 1");
    assert_eq!(seed("relative"), "seed = 1");
}

#[test]
fn the_projects_file_is_the_nearest_one_up_to_the_root_of_the_project() {
    let machine = Machine::new();
    let seed = || machine.value(&[], "run", "seed").1;
    machine.write("soakrig.toml", "seed = 1");
    assert_eq!(seed(), "MACHINE/soakrig.toml:1");
    machine.project("seed = 2");
    assert_eq!(seed(), "MACHINE/bench/soakrig.toml:1");
    machine.write("bench/deep/soakrig.toml", "seed = 3");
    assert_eq!(seed(), "MACHINE/bench/deep/soakrig.toml:1");
    fs::remove_file(machine.path("bench/deep/soakrig.toml")).unwrap();
    fs::create_dir(machine.path("bench/deep/.git")).unwrap();
    assert_eq!(seed(), "not set");
}

/// Every long option of every subcommand that a person may type, with the schema of its value.
fn options(machine: &Machine) -> Vec<(String, String, Value)> {
    let schema = machine.soakrig(&["schema", "settings"]).assert_exit(0).json();
    let tables = schema["properties"].as_object().unwrap().iter().filter(|(name, _)| *name != "notify");
    let tables = tables.filter_map(|(name, table)| Some((name, table["properties"].as_object()?)));
    let options = tables.flat_map(|(command, options)| {
        options.iter().map(move |(name, schema)| (command.clone(), name.clone(), schema.clone()))
    });
    options.collect()
}

#[test]
fn every_long_option_that_the_help_tells_can_stand_in_a_file() {
    let machine = Machine::new();
    let known = options(&machine);
    for command in machine.soakrig(&["--help"]).out.lines().skip_while(|line| *line != "Commands:").skip(1) {
        let Some(command) = command.split_whitespace().next() else { break };
        if command == "help" {
            continue;
        }
        let help = machine.soakrig(&[command, "--help"]).assert_exit(0).out;
        for line in help.lines().filter(|line| line.trim_start().starts_with('-') && line.contains("--")) {
            let name = line.split("--").nth(1).unwrap().split([' ', '=']).next().unwrap();
            let there = known.iter().any(|(of, option, _)| of == command && option == name);
            assert_eq!(there, !["help", "version", "no-config"].contains(&name), "{command} --{name}");
        }
    }
    for (command, option, schema) in &known {
        // One of these is a value of any kind of text.
        let texts = [
            "\"7\"",
            "\"20 MHz\"",
            "\"npy\"",
            "\"noise_pp_20mhz_v:1dB\"",
            "\"x:1/2\"",
            "\"start,end\"",
            "\"6h\"",
        ];
        let values: Vec<String> = match schema["type"].as_str().unwrap() {
            "boolean" => vec!["true".into()],
            "integer" | "number" => vec!["3".into()],
            "array" => texts.map(|text| format!("[{text}]")).into(),
            _ => schema["enum"].as_array().map_or(texts.map(str::to_owned).into(), |words| {
                words.iter().map(ToString::to_string).collect()
            }),
        };
        let took = values.iter().any(|value| {
            machine.project(&format!("[{command}]\n{option} = {value}\n"));
            let told = machine.soakrig(&["config", "--json", command]);
            told.exit == Some(0)
                && machine.value(&[command], command, option).1 == "MACHINE/bench/soakrig.toml:2"
        });
        assert!(took, "[{command}] {option}: none of {values:?} is taken; give this test a value that is");
    }
}

#[test]
fn a_run_takes_its_rig_its_folder_and_its_flags_from_files() {
    let machine = Machine::new();
    fs::copy(repository(SIM), machine.path("bench/bench.toml")).unwrap();
    machine.user("[run]\nquiet = true\njson = true\nout = \"elsewhere\"");
    machine.project("rig = \"bench.toml\"\nout = \"runs\"\n[run]\nseed = 7\noperator = \"N. N.\"");
    let profile = repository(SMOKE);
    let told = machine.soakrig(&["run", arg(&profile)]).assert_exit(0);
    // A relative path is below the folder of its file, not the one that somebody stands in.
    let run = PathBuf::from(told.json()["run"].as_str().unwrap());
    assert_eq!(run.parent(), Some(machine.path("bench/runs").as_path()));
    assert_eq!(told.err, "");
    let journal = fs::read_to_string(run.join("journal.jsonl")).unwrap();
    assert!(journal.contains("\"seed\":7") && journal.contains("N. N."), "{journal}");
    let listed = machine.soakrig(&["list"]).assert_exit(0).out;
    assert!(listed.contains("_smoke_0007"), "{listed}");
    // What a file switches on is switched off again by hand.
    let told = machine.soakrig(&["run", arg(&profile), "--no-json", "--no-quiet"]).assert_exit(0);
    assert!(told.out.starts_with("PASS") && told.err.contains("smoke: 6 points"), "{}{}", told.out, told.err);
    // Without the files the rig is missing.
    let told = machine.soakrig(&["run", arg(&profile), "--no-config"]).assert_exit(2);
    told.assert_told(&["required arguments were not provided", "--rig <RIG>"]);
}

#[test]
fn a_path_below_the_home_folder_is_found_there() {
    let machine = Machine::new();
    machine.project("out = \"~/runs\"");
    assert_eq!(machine.value(&[], "list", "out").0, arg(&machine.path("home/runs")));
    machine.project("out = \"/srv/runs\"");
    assert_eq!(machine.value(&[], "list", "out").0, "/srv/runs");
    assert_eq!(machine.value(&["list", "--out", "x"], "list", "out").0, "x");
}

#[test]
fn what_does_not_go_with_something_typed_is_set_aside() {
    let machine = Machine::new();
    machine.project("[report]\njson = true");
    machine.user("[report]\nrecompute = true");
    assert_eq!(machine.value(&["report", "x", "--recompute"], "report", "json").0, false);
    assert_eq!(machine.value(&["report"], "report", "json").0, true);
    let told = machine.soakrig(&["config", "report"]).assert_exit(0).out;
    let aside = "recompute = false  # default; MACHINE/home/.config/soakrig/config.toml:2 does not go with what counts \
                 before it";
    assert!(machine.masked(&told).contains(aside), "{told}");
}

#[test]
fn what_does_nothing_without_another_option_is_refused_where_it_is_typed_and_waits_where_it_stands_in_a_file()
{
    let machine = Machine::new();
    let (profile, rig) = (repository(SMOKE), repository(SIM));
    let plan = ["plan", arg(&profile), "--rig", arg(&rig)];
    machine.user("out = \"elsewhere\"\n[plan]\ndesign = \"interleaved\"");
    machine.soakrig(&plan).assert_exit(0);
    let typed = machine.soakrig(&[&plan[..], &["--out", "here"]].concat()).assert_exit(2);
    typed.assert_told(&["required arguments were not provided", "--compare"]);
    let order = ["--compare", "A,B", "--boards", "s1,s2"];
    let told = machine.soakrig(&[&plan[..], &order].concat()).assert_exit(0).out;
    assert!(told.contains("elsewhere") && told.contains("interleaved"), "{told}");
    // What is waited for may stand in another file than what waits.
    machine.project("[plan]\nboards = [\"s1,s2\"]");
    machine.user("[plan]\ncompare = \"A,B\"\ndesign = \"interleaved\"");
    let told = machine.soakrig(&plan).assert_exit(0).out;
    assert!(told.contains("interleaved") && told.contains("--board s2"), "{told}");
    machine.soakrig(&[&plan[..], &["--design", "abba"]].concat()).assert_exit(0);
    let check = machine.soakrig(&["check", arg(&rig), "--hang"]).assert_exit(2);
    check.assert_told(&["required arguments were not provided", "--unattended"]);
}

#[test]
fn what_is_missing_although_files_say_something_tells_what_they_say() {
    let machine = Machine::new();
    machine.project("[run]\nseed = 7");
    let told = machine.soakrig(&["run"]).assert_exit(2);
    let said = format!("--seed by {}:2", arg(&machine.path("bench/soakrig.toml")));
    told.assert_told(&["<PROFILE>", "--rig <RIG>", "Given by files", &said]);
}

#[test]
fn the_table_of_notifications_is_the_highest_files_as_a_whole_and_each_key_says_where_it_is_from() {
    let machine = Machine::new();
    machine.system("[notify]\ncommand = [\"/bin/page\"]\nretries = 2");
    machine.user(
        "seed = 1\n\n[notify]\nurl = \"http://h/x\"\nalive_every = \"90 min\"\n[notify.headers]\nA = \"b c\"",
    );
    let told = machine.soakrig(&["config", "--json"]).assert_exit(0).json();
    assert_eq!(told["notify"]["line"], 3);
    let values = told["notify"]["values"].as_array().unwrap();
    let key = |name: &str| values.iter().find(|row| row["key"] == name).unwrap();
    assert_eq!(
        (&key("alive_every")["value"], &key("alive_every")["line"]),
        (&"1 h 30 min".into(), &5.into())
    );
    assert_eq!((&key("retries")["value"], &key("retries")["origin"]), (&5.into(), &"default".into()));
    let told = machine.soakrig(&["config", "list"]).assert_exit(0).out;
    insta::assert_snapshot!(machine.masked(&told), @r#"
    # system   MACHINE/system.toml
    # user     MACHINE/home/.config/soakrig/config.toml
    # project  MACHINE/bench/deep/soakrig.toml (not there)

    [list]
    out = "reports"  # default
    json = false     # default

    # MACHINE/home/.config/soakrig/config.toml:3
    [notify]
    # command                                 # not set
    url = "http://h/x"                        # MACHINE/home/.config/soakrig/config.toml:4
    headers = { A = "b c" }                   # MACHINE/home/.config/soakrig/config.toml:6
    on = ["warn", "trip", "finish", "alive"]  # default
    alive_every = "1 h 30 min"                # MACHINE/home/.config/soakrig/config.toml:5
    repeat_every = "10 min"                   # default
    timeout = "20 s"                          # default
    retries = 5                               # default
    wait_at_end = "30 s"                      # default
    "#);
    // What is printed is itself a file of settings that says the same.
    machine.user(&told);
    let again = machine.soakrig(&["config", "--json"]).assert_exit(0).json();
    for (row, before) in again["notify"]["values"].as_array().unwrap().iter().zip(values) {
        assert_eq!(row["value"], before["value"]);
    }
}

#[test]
fn what_is_built_in_is_told_where_nobody_is_to_be_told_anything() {
    let machine = Machine::new();
    let told = machine.soakrig(&["config", "list"]).assert_exit(0).out;
    insta::assert_snapshot!(told.split_once("# no file has this table: ").unwrap().1, @r#"
    nobody is told anything
    # [notify]
    # command                                   # not set
    # url                                       # not set
    # headers                                   # not set
    # on = ["warn", "trip", "finish", "alive"]  # default
    # alive_every = "6 h"                       # default
    # repeat_every = "10 min"                   # default
    # timeout = "20 s"                          # default
    # retries = 5                               # default
    # wait_at_end = "30 s"                      # default
    "#);
    machine.user(&told);
    machine.soakrig(&["config"]).assert_exit(0);
    let told = machine.soakrig(&["notify-test"]).assert_exit(2);
    let user = machine.path("home/.config/soakrig/config.toml");
    told.assert_told(&["nobody is told anything; looked for in", arg(&user), "[notify]", "command = "]);
}

#[test]
fn a_fault_in_whom_to_tell_is_told_by_every_subcommand_before_anything_is_done() {
    let machine = Machine::new();
    machine.system("[notify]\nurl = \"ftp://h\"\nretires = 2\ntimeout = \"1 h\"\non = 3");
    machine.user("[notify]\ncommand = [\"x\"]");
    for args in [&["config"][..], &["list"], &["plan", "x.toml"]] {
        let told = machine.soakrig(args).assert_exit(2).err;
        for words in [
            "begins with http://",
            "unknown key `retires`",
            "did you mean `retries`",
            "1 h is out of range",
            "a list is expected here, not a number",
        ] {
            assert_eq!(told.matches(words).count(), 1, "{words}: {told}");
        }
    }
}

#[test]
fn the_nearest_key_is_meant_though_it_stands_there_already() {
    let machine = Machine::new();
    machine.system("[run]\nseed = 1\n\n[runn]\nseed = 2");
    machine.soakrig(&["config"]).assert_exit(2).assert_told(&["unknown key `runn`", "did you mean `run`?"]);
}

fn without_known(line: &str) -> String {
    match line.split_once("known here: ") {
        Some((told, _)) => format!("{told}known here: …"),
        None => line.to_owned(),
    }
}

#[test]
fn all_faults_of_all_files_are_told_at_once() {
    let machine = Machine::new();
    machine.user("list = 4\nseed = 99999999999999999999\nnotify = 3\ntorn =\n");
    machine.project(
        "sede = 7\n[run]\nout = \"\"\nseed = -1\nfull_tapes = true\nboard = \"a/b\"\njson = \"yes\"\n\
         [analyze]\nbandwidth = \"20 MHzz\"\ncoupling = \"bc\"\npoint = 1.5\n\
         [report]\njson = true\nrecompute = true\n[sim]\nport = 70000\nwrite-rig = [\"x\"]\n",
    );
    let told = machine.soakrig(&["list"]).assert_exit(2);
    // The list of what is known grows with every option.
    let told: Vec<String> = machine.masked(&told.err).lines().map(without_known).collect();
    insta::assert_snapshot!("faults_of_settings", told.join("\n"));
    // A script is told the same.
    let told = machine.soakrig(&["list", "--json"]).assert_exit(2).json();
    let faults = told["error"]["faults"].as_array().unwrap();
    let sede = faults.iter().find(|fault| fault["key"] == "sede").unwrap();
    assert_eq!((sede["line"].as_u64(), sede["nearest"].as_str()), (Some(1), Some("seed")));
    machine.user("");
    machine.project("[list]\njson = true\njsno = true");
    assert_eq!(machine.soakrig(&["list"]).assert_exit(2).json()["error"]["exit"], 2);
}

#[test]
fn a_faulty_file_is_not_in_the_way_of_what_needs_none() {
    let machine = Machine::new();
    machine.project("nonsense");
    for args in [
        &["--help"][..],
        &["run", "--help"],
        &["--version"],
        &["completions", "bash"],
        &["man"],
        &["schema", "settings"],
        &["config", "--no-config"],
    ] {
        machine.soakrig(args).assert_exit(0);
    }
    // The dead-man must switch off whatever a file says.
    if cfg!(unix) {
        let told = machine.soakrig(&["deadman", "--rig", "missing.toml", "--controller", "1"]);
        told.assert_exit(2).assert_told(&["cannot read the rig missing.toml"]);
    }
    machine
        .soakrig(&["config"])
        .assert_exit(2)
        .assert_told(&["bench/soakrig.toml:1:", "--no-config ignores"]);
    machine.soakrig(&["list", "--no-config"]).assert_exit(2).assert_told(&["there is no folder reports"]);
}

#[test]
fn a_file_that_is_no_file_of_settings_is_refused_soon() {
    let machine = Machine::new();
    let file = machine.path("bench/soakrig.toml");
    let keys: String = (0..180_000).map(|n| format!("k{n:x}=1\n")).collect();
    let texts: [(Vec<u8>, &str); 6] = [
        (b"# one\noperator = \"\xb5\"\n".into(), "line 2 is not UTF-8"),
        (vec![b'#'; 2 << 20], "more than 1048576 bytes"),
        ("[".repeat(100_000).into(), "bench/soakrig.toml"),
        (vec![0; 64], "bench/soakrig.toml"),
        (keys[..1 << 20].into(), "more faults are not told"),
        ("a\n".repeat(500_000).into(), "more faults are not told"),
    ];
    for (text, words) in texts {
        machine.write("bench/soakrig.toml", text);
        let begun = Instant::now();
        let told = machine.soakrig(&["list"]).assert_exit(2);
        assert!(begun.elapsed() < Duration::from_secs(60), "{words}: {:?}", begun.elapsed());
        assert!(told.err.len() < 1 << 20, "{words}: {} bytes", told.err.len());
        told.assert_told(&[words]);
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    machine.soakrig(&["list"]).assert_exit(2).assert_told(&["this is no file"]);
    fs::remove_dir(&file).unwrap();
    #[cfg(unix)]
    for odd in ["/dev/zero", "/dev/stdin"] {
        std::os::unix::fs::symlink(odd, &file).unwrap();
        machine.soakrig(&["list"]).assert_exit(2).assert_told(&["this is no file"]);
        fs::remove_file(&file).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn somebody_elses_file_in_a_folder_that_all_may_write_to_is_passed_over() {
    use std::os::unix::fs::{PermissionsExt, chown};

    let machine = Machine::new();
    machine.project("seed = 7");
    let (folder, file) = (machine.path("bench"), machine.path("bench/soakrig.toml"));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o1777)).unwrap();
    assert_eq!(machine.value(&[], "run", "seed").0, 7);
    // Only root can give a file away.
    if chown(&file, Some(12345), None).is_err() {
        return;
    }
    let told = machine.soakrig(&["config", "run"]).assert_exit(0);
    assert!(told.out.contains("# seed") && told.out.contains("(passed over: "), "{}", told.out);
    told.assert_told(&["warning: ", "is passed over: it belongs to somebody else"]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(machine.value(&[], "run", "seed").0, 7);
}

#[test]
fn what_a_file_says_of_traces_counts_for_no_capture_of_a_run_and_what_is_typed_is_told() {
    let machine = Machine::new();
    let run = repository("tests/data/record-v2");
    let capture = run.join("waveforms/p0002_vout_spikes.npy");
    let export = repository("tests/data/scope-exports/rigol-dho800.csv");
    let analyze = |words: &[&str]| machine.soakrig(&[&["analyze", "--json"], words].concat()).assert_exit(0);
    let of_run: [&[&str]; 2] = [&[arg(&run), "--point", "2"], &[arg(&capture)]];
    let plain = of_run.map(|words| analyze(words).json());
    let of_file = analyze(&[arg(&export)]).json();
    machine.project("[analyze]\nbandwidth = \"20 MHz\"\ncoupling = \"dc\"\n");
    assert_eq!(of_run.map(|words| analyze(words).json()), plain);
    // A file of a scope tells nothing.
    assert_ne!(analyze(&[arg(&export)]).json(), of_file);
    for words in of_run {
        let typed = analyze(&[words, &["--bandwidth", "20 MHz"]].concat())
            .assert_told(&["the journal says full bandwidth; 20 MHz counts, for --bandwidth was typed"]);
        let notes = typed.json()["notes"].to_string();
        assert!(notes.contains("the journal says full bandwidth"), "{notes}");
    }
}
