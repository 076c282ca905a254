//! The program as a person and a script use it: the real binary, its words, its files and its exit codes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use soakrig::instrument::dialect::Registry;
use soakrig::plan::build::build;
use soakrig::plan::render::render_plan;
use soakrig::plan::{Overrides, profile, rig};
use tempfile::TempDir;

pub(crate) const SIM: &str = "rigs/sim.toml";
pub(crate) const SMOKE: &str = "profiles/smoke.toml";

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) exit: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { exit: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
    #[track_caller]
    pub(crate) fn assert_exit(self, exit: i32) -> Self {
        assert_eq!(self.exit, Some(exit), "{}\n{}", self.out, self.err);
        self
    }
    /// Each of the words stands on stderr.
    #[track_caller]
    pub(crate) fn assert_told(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in:\n{}\n{}", self.err, self.out);
        }
        self
    }
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// Where the program lies.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_soakrig");

/// The program as on a machine without anybody's settings.
pub(crate) fn program() -> Command {
    program_by(PROGRAM)
}

/// The program as on a machine without anybody's settings, started by another one, such as a shell.
pub(crate) fn program_by(starter: &str) -> Command {
    let mut program = Command::new(starter);
    program.env("XDG_CONFIG_HOME", "/nonexistent").env("SOAKRIG_SYSTEM_CONFIG", "/nonexistent");
    program
}

/// What the program shows on a terminal of its own; `None` where util-linux, which makes one, is not to be had.
#[cfg(target_os = "linux")]
pub(crate) fn on_a_terminal(arguments: &str, no_color: &str) -> Option<String> {
    let mut script = program_by("script");
    script.args(["-qec", &format!("{PROGRAM} {arguments}"), "/dev/null"]).env("NO_COLOR", no_color);
    let shown = script.stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&shown.stdout).into_owned())
}

pub(crate) fn soakrig(args: &[&str]) -> Told {
    Told::of(program().args(args))
}

/// Text of a path, for an argument.
pub(crate) fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The smoke profile with something else in the place of something, and something behind it.
pub(crate) fn smoke_with(from: &str, to: &str, more: &str) -> String {
    let text = fs::read_to_string(SMOKE).unwrap();
    assert!(text.contains(from), "the smoke profile no longer says `{from}`");
    format!("{}\n{more}", text.replace(from, to))
}

/// The smoke profile at other input voltages, without its limit on what comes out of nothing.
pub(crate) fn smoke_at(vin: &str) -> String {
    smoke_with("[\"0 V\", \"18 V\", \"24 V\"]", vin, "")
        .replace("vin < 1 V", "vin >= 1 V")
        .replace("\"100 mV\"", "\"10 V\"")
}

/// A smoke run on the simulated bench; its folder.
pub(crate) fn smoke_run(out: &Path) -> PathBuf {
    let told = soakrig(&["run", SMOKE, "--rig", SIM, "--out", arg(out), "--json"]).assert_exit(0);
    PathBuf::from(told.json()["run"].as_str().unwrap())
}

/// The smoke profile without its limits, run on the simulated bench.
#[test]
fn a_run_without_limits_is_neither_a_pass_nor_a_fail() {
    let out = TempDir::new().unwrap();
    let text = fs::read_to_string(SMOKE).unwrap();
    let (before, _) = text.split_once("[[limits]]").unwrap();
    let profile = file(&out, "bare.toml", before);
    let told = soakrig(&["run", arg(&profile), "--rig", SIM, "--out", arg(out.path()), "--json"])
        .assert_exit(0)
        .json();
    assert_eq!(
        (told["verdict"].as_str(), told["reason"].as_str()),
        (Some("not_judged"), Some("no limits, nothing judged"))
    );
    let run = PathBuf::from(told["run"].as_str().unwrap());
    let shown = soakrig(&["report", arg(&run)]).assert_exit(0).out;
    assert!(shown.starts_with("NOT JUDGED  ") && shown.contains("no limits, nothing judged"), "{shown}");
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("class=\"verdict not_judged\"") && page.contains("NOT JUDGED"));
    let junit = fs::read_to_string(run.join("report.junit.xml")).unwrap();
    assert!(junit.contains("tests=\"2\" skipped=\"1\" failures=\"0\" errors=\"0\""), "{junit}");
    assert!(junit.contains("<skipped message=\"no limits, nothing judged\"/>"), "{junit}");
    for word in ["PASS", "pass"] {
        assert!(!shown.contains(word) && !junit.contains(word), "{shown}{junit}");
    }
    let status = soakrig(&["status", arg(&run)]).assert_exit(0).out;
    assert!(status.contains("NOT JUDGED: no limits, nothing judged"), "{status}");
}

/// For a bench just served at places that were free: an earlier one that was killed there may have left dead-men, who hold its
/// locks for up to an hour.
pub(crate) fn unlock<'a>(addresses: impl Iterator<Item = &'a str>) {
    for address in addresses {
        let address: soakrig::instrument::dialect::Address = address.parse().unwrap();
        match fs::remove_file(soakrig::session::lock_path(&address.to_string())) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{address}: {error}"),
            _ => {}
        }
    }
}

/// `soakrig sim` in a process of its own; ended when dropped.
pub(crate) struct Served {
    child: Child,
    /// The rig file for it.
    pub(crate) rig: String,
    /// Role to address.
    pub(crate) addresses: BTreeMap<String, String>,
}

impl Served {
    pub(crate) fn start() -> Self {
        let mut child = program()
            .args(["sim", SIM, "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let addresses = told["addresses"].as_object().unwrap().iter();
        let addresses: BTreeMap<String, String> =
            addresses.map(|(role, address)| (role.clone(), address.as_str().unwrap().to_owned())).collect();
        unlock(addresses.values().map(String::as_str));
        Self { child, rig: told["rig"].as_str().unwrap().to_owned(), addresses }
    }

    /// Asks an instrument past our own drivers.
    pub(crate) fn ask(&self, role: &str, question: &str) -> String {
        let parts: Vec<&str> = self.addresses[role].split("::").collect();
        let mut stream = TcpStream::connect(format!("{}:{}", parts[1], parts[2])).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(format!("{question}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    #[track_caller]
    pub(crate) fn assert_outputs_off(&self) {
        assert_eq!(self.ask("source", ":OUTP? CH1"), "OFF");
        assert_eq!(self.ask("load", ":SOUR:INP:STAT?"), "0");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_run_prints_its_summary_on_stdout_and_its_progress_on_stderr() {
    let folder = TempDir::new().unwrap();
    let told =
        soakrig(&["run", SMOKE, "--rig", SIM, "--out", arg(folder.path()), "--json", "--operator", "Ann"])
            .assert_exit(0)
            .assert_told(&["smoke: 6 points on board 0007 revision B", "6/6 24 V 250 mA"]);
    let summary = told.json();
    let keys: Vec<&String> = summary.as_object().unwrap().keys().collect();
    // serde_json sorts the keys of a value that is read back.
    assert_eq!(
        keys,
        [
            "board",
            "ended",
            "format",
            "limits",
            "outputs_off_verified",
            "points",
            "profile",
            "reason",
            "run",
            "started",
            "verdict"
        ]
    );
    let keys_of = |key: &str| summary[key].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys_of("board"), ["revision", "serial"]);
    assert_eq!(keys_of("points"), ["failed", "finished", "not_applicable", "planned"]);
    assert_eq!(summary["verdict"], "pass");
    assert_eq!(summary["outputs_off_verified"], true);
    assert_eq!(summary["points"]["finished"], 6);
    let run = Path::new(summary["run"].as_str().unwrap());
    for product in [
        "journal.jsonl",
        "rig.toml",
        "profile.toml",
        "plan.txt",
        "points.csv",
        "report.html",
        "report.junit.xml",
        "summary.json",
        "manifest.sha256",
    ] {
        assert!(run.join(product).is_file(), "{product}");
    }
    // Outside the folder, the run is its path; inside, its name.
    let kept: Value = serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(kept["run"].as_str(), run.file_name().unwrap().to_str());
    assert!(fs::read_to_string(run.join("report.html")).unwrap().contains("Ann"));
}

#[test]
fn no_number_is_written_with_the_noise_of_binary_fractions() {
    let folder = TempDir::new().unwrap();
    let run = smoke_run(folder.path());
    for name in ["points.csv", "summary.json"] {
        let text = fs::read_to_string(run.join(name)).unwrap();
        for number in
            text.split(|c: char| !(c.is_ascii_digit() || c == '.')).filter(|part| part.contains('.'))
        {
            let digits = number.replace('.', "");
            // The fraction of a second of a time of day has nine.
            assert!(digits.trim_start_matches('0').len() <= 11, "{name}: {number}");
        }
    }
}

#[test]
fn the_exit_code_tells_how_the_run_came_out() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let spikes = "[[limits]]\nname = \"spikes\"\nfigure = \"spike_pos_v\"\nmax = \"200 mV\"\nwhen = \"vin >= 13.2 V\"\n";
    let spikes = file(&folder, "spikes.toml", &smoke_with("\"smoke\"", "\"spikes\"", spikes));
    let trips = smoke_with("\"5 V\"", "\"4 V\"", "[interlocks]\nover_voltage = \"4.5 V\"\n");
    let trips = file(&folder, "trips.toml", &trips.replace("\"smoke\"", "\"trips\""));
    let run = |profile: &Path, revision: &str| {
        soakrig(&[
            "run",
            arg(profile),
            "--rig",
            SIM,
            "--out",
            arg(&out),
            "--revision",
            revision,
            "--board",
            &format!("0007{revision}"),
        ])
    };
    assert!(run(&spikes, "B").assert_exit(0).out.starts_with("PASS  board 0007B rev B, spikes\n"));
    let failed = run(&spikes, "A").assert_exit(1);
    assert!(failed.out.starts_with("FAIL  board 0007A rev A, spikes\n"), "{}", failed.out);
    assert!(failed.out.contains("fail           spikes"), "{}", failed.out);
    let tripped = run(&trips, "B").assert_exit(4).assert_told(&["TRIPPED: output voltage", "is above 4.5 V"]);
    assert!(tripped.out.starts_with("TRIPPED  board"), "{}", tripped.out);
    assert!(tripped.out.contains("outputs    off, read back and measured"), "{}", tripped.out);
    run(&spikes, "Q").assert_exit(2).assert_told(&["no board of revision `Q`", "B fitted"]);
}

#[test]
fn a_board_that_the_simulated_bench_does_not_have_is_refused_before_anything_is_begun() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let rig = fs::read_to_string(SIM).unwrap().replace("revision = \"B\"", "revision = \"Q\"");
    let rig = file(&folder, "rig.toml", &rig);
    let words = ["no board of revision `Q`", "B fitted"];
    for args in [
        &["plan", SMOKE, "--rig", SIM, "--revision", "Q"][..],
        &["plan", SMOKE, "--rig", arg(&rig)],
        &["run", SMOKE, "--rig", SIM, "--revision", "Q", "--out", arg(&out)],
        &["check", arg(&rig)],
    ] {
        let told = soakrig(args).assert_exit(2).assert_told(&words);
        assert_eq!(told.out, "", "{args:?}");
        assert!(!told.err.contains("bench time"), "{}", told.err);
    }
    assert!(!out.exists());
    // The same rig is fine for another board, and a real bench takes any.
    soakrig(&["plan", SMOKE, "--rig", arg(&rig), "--revision", "A"]).assert_exit(0);
    let real = real_rig([
        "TCPIP0::h::1::SOCKET",
        "TCPIP0::h::2::SOCKET",
        "TCPIP0::h::3::SOCKET",
        "ASRL/dev/x::INSTR",
    ]);
    let real = file(&folder, "real.toml", &real);
    soakrig(&["plan", SMOKE, "--rig", arg(&real), "--revision", "Q"]).assert_exit(0);
}

#[test]
fn products_that_were_lost_are_made_again_in_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let run = smoke_run(folder.path());
    let products = ["points.csv", "summary.json", "report.html", "report.junit.xml", "manifest.sha256"];
    let before = products.map(|name| fs::read(run.join(name)).unwrap());
    for name in products {
        fs::remove_file(run.join(name)).unwrap();
    }
    // The beginning of the name is enough to find it.
    let name = run.file_name().unwrap().to_str().unwrap();
    let told = soakrig(&["report", &name[..12], "--out", arg(folder.path())]).assert_exit(0);
    assert!(told.out.starts_with("PASS  board 0007 rev B, smoke\n"), "{}", told.out);
    for (name, before) in products.iter().zip(&before) {
        assert!(&fs::read(run.join(name)).unwrap() == before, "{name} has changed");
    }
    let again = soakrig(&["report", arg(&run), "--json"]).assert_exit(0).json();
    assert_eq!(again["run"].as_str(), Some(arg(&run)));
}

#[test]
fn a_record_with_a_flipped_bit_is_told_as_damaged_and_never_reported() {
    let folder = TempDir::new().unwrap();
    let run = smoke_run(folder.path());
    let journal = run.join("journal.jsonl");
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&journal, bytes).unwrap();
    fs::remove_file(run.join("report.html")).unwrap();
    let told = soakrig(&["report", arg(&run)]).assert_exit(6).assert_told(&["damaged", "journal.jsonl line"]);
    assert_eq!(told.out, "");
    assert!(!run.join("report.html").exists());
    let listed = soakrig(&["list", "--out", arg(folder.path())]).assert_exit(0);
    assert!(listed.out.contains("unreadable") && listed.out.contains("check sum"), "{}", listed.out);
}

#[test]
fn the_list_shows_every_run_and_how_far_it_came() {
    let folder = TempDir::new().unwrap();
    let list =
        |more: &[&str]| soakrig(&[&["list", "--out", arg(folder.path())], more].concat()).assert_exit(0);
    assert_eq!(list(&["--json"]).json(), serde_json::json!([]));
    list(&[]).assert_told(&["no runs in"]);
    let run = smoke_run(folder.path());
    let rows = list(&["--json"]).json();
    assert_eq!(rows[0]["run"].as_str(), Some(arg(&run)));
    assert_eq!(rows[0]["state"], "sealed");
    assert_eq!(rows[0]["summary"]["verdict"], "pass");
    let line = list(&[]).out;
    assert!(line.ends_with("_smoke_0007  sealed      pass        6/6 points\n"), "{line}");
}

#[test]
fn a_list_of_a_folder_that_is_not_there_is_an_error() {
    let folder = TempDir::new().unwrap();
    let nowhere = folder.path().join("nowhere");
    for more in [&[][..], &["--json"]] {
        let told = soakrig(&[&["list", "--out", arg(&nowhere)], more].concat()).assert_exit(2);
        assert_eq!(told.out.is_empty(), more.is_empty());
        told.assert_told(&["there is no folder", arg(&nowhere), "--out"]);
    }
    let in_the_way = file(&folder, "file", "");
    soakrig(&["list", "--out", arg(&in_the_way)]).assert_exit(2).assert_told(&[arg(&in_the_way)]);
}

#[test]
fn a_run_takes_about_as_long_as_its_plan_expects() {
    let folder = TempDir::new().unwrap();
    for profile in [SMOKE, "profiles/line-load-sweep.toml"] {
        let plan = soakrig(&["plan", profile, "--rig", SIM, "--json"]).assert_exit(0).json();
        let expected_s = plan["expected_s"].as_f64().unwrap();
        let run = ["run", profile, "--rig", SIM, "--out", arg(folder.path()), "--json", "--quiet"];
        let summary = soakrig(&run).assert_exit(0).json();
        let at = |key: &str| summary[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let took_s = at("ended").duration_since(at("started")).as_secs_f64();
        let ratio = expected_s / took_s;
        assert!((0.8..1.2).contains(&ratio), "{profile} took {took_s} s, and {expected_s} s were expected");
    }
}

#[test]
fn a_plan_knows_the_bench_that_is_served_on_this_machine_from_one_on_a_network() {
    let folder = TempDir::new().unwrap();
    let expected_s = |rig: &Path| {
        let told = soakrig(&["plan", SMOKE, "--rig", arg(rig), "--json"]).assert_exit(0);
        told.json()["expected_s"].as_f64().unwrap()
    };
    let at = |host: &str| {
        let [supply, load, scope] = [1, 2, 3].map(|port| format!("TCPIP0::{host}::{port}::SOCKET"));
        let rig = real_rig([&supply, &load, &scope, "ASRL/dev/x::INSTR"]);
        expected_s(&file(&folder, "rig.toml", &rig))
    };
    let inside_s = expected_s(Path::new(SIM));
    assert_eq!([at("127.0.0.1"), at("localhost")], [inside_s; 2]);
    assert!(at("10.0.0.5") > 1.5 * inside_s);
}

#[test]
fn a_plan_needs_no_instrument_and_touches_none() {
    let folder = TempDir::new().unwrap();
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let [supply, load, scope] =
        ["127.0.0.1", "127.0.0.2", "localhost"].map(|host| format!("TCPIP0::{host}::{port}::SOCKET"));
    let rig = real_rig([&supply, &load, &scope, "ASRL/dev/nothing-here::INSTR"]);
    let rig = file(&folder, "rig.toml", &rig);
    let text = soakrig(&["plan", SMOKE, "--rig", arg(&rig)]).assert_exit(0);
    let plan = soakrig(&["plan", SMOKE, "--rig", arg(&rig), "--json"]).assert_exit(0).json();
    assert_eq!(plan["points"].as_array().unwrap().len(), 6);
    assert!(text.out.contains(plan["digests"]["plan"].as_str().unwrap()), "{}", text.out);
    assert!(listener.accept().is_err(), "planning has opened a connection");
}

/// The simulated rig with other addresses of supply, load, scope and thermometer.
pub(crate) fn real_rig(addresses: [&str; 4]) -> String {
    let mut rig = fs::read_to_string(SIM).unwrap();
    for (name, address) in
        ["SIM::supply", "SIM::load", "SIM::scope", "SIM::thermometer"].iter().zip(addresses)
    {
        rig = rig.replace(name, address);
    }
    let end = rig.find("[sim]").unwrap();
    rig.truncate(end);
    rig
}

#[test]
fn a_bench_is_looked_at_and_a_question_asked() {
    let told = soakrig(&["check", SIM]).assert_exit(0);
    assert!(told.out.ends_with("simulated bench: GO\n"), "{}", told.out);
    let findings = soakrig(&["check", SIM, "--json"]).assert_exit(0).json();
    assert_eq!(findings["go"], true);
    assert_eq!(findings["findings"][0]["what"], "source");
    let answer = soakrig(&["scpi", SIM, "load", "*IDN?"]).assert_exit(0).out;
    assert!(answer.starts_with("RIGOL TECHNOLOGIES,DL3021,"), "{answer}");
}

#[test]
fn an_answer_that_is_not_text_is_given_byte_by_byte() {
    let picture = program().args(["scpi", SIM, "scope", ":DISP:DATA? ON,OFF,PNG"]).output().unwrap();
    assert_eq!(picture.status.code(), Some(0), "{}", String::from_utf8_lossy(&picture.stderr));
    // #9, nine digits, and so many bytes of a PNG, whose second byte is no UTF-8 behind the first.
    let length: usize = str::from_utf8(&picture.stdout[2..11]).unwrap().parse().unwrap();
    assert_eq!((&picture.stdout[..2], picture.stdout.len()), (&b"#9"[..], 11 + length));
    assert!(picture.stdout[11..].starts_with(b"\x89PNG\r\n\x1a\n"));
    assert!(picture.stdout.ends_with(b"IEND\xaeB`\x82"));

    let told = soakrig(&["scpi", SIM, "scope", ":DISP:DATA? ON,OFF,PNG", "--json"]).assert_exit(0).json();
    let hex: String = picture.stdout.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(told["answer"], Value::Null);
    assert_eq!(told["answer_hex"].as_str().unwrap().len(), 2 * told["bytes"].as_u64().unwrap() as usize);
    assert_eq!(told["answer_hex"].as_str().unwrap()[..36], hex[..36]);
    let told = soakrig(&["scpi", SIM, "load", "*IDN?", "--json"]).assert_exit(0).json();
    assert_eq!((told["role"].as_str(), told["query"].as_str()), (Some("load"), Some("*IDN?")));
    assert!(told["answer"].as_str().unwrap().starts_with("RIGOL TECHNOLOGIES,DL3021,"), "{told}");
    assert_eq!(told["answer_hex"], Value::Null);
}

#[test]
fn whoever_asks_for_json_gets_its_errors_as_json_of_one_shape() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "wrong.toml", &smoke_with("\"24 V\"", "\"30 V\"", ""));
    let rig = fs::read_to_string(SIM).unwrap().replace("max_voltage", "max_voltge");
    let rig = file(&folder, "rig.toml", &rig);
    let nowhere = folder.path().join("nowhere.toml");
    let trace = file(&folder, "trace.csv", "time,CH1\n0,1\n1e-6,2\n2e-6,oops\n3e-6,2\n");
    let (profile, rig, nowhere, trace) = (arg(&profile), arg(&rig), arg(&nowhere), arg(&trace));
    for (args, exit, faults, word) in [
        (&["run", nowhere, "--rig", SIM][..], 2, 1, "no such file"),
        (&["run", SMOKE, "--rig", nowhere], 2, 1, "no such file"),
        (&["run", profile, "--rig", SIM], 2, 1, "30 V is more than this rig allows"),
        (&["plan", profile, "--rig", SIM], 2, 1, "30 V is more than this rig allows"),
        (&["run", SMOKE, "--rig", rig], 2, 2, "max_voltge"),
        (&["run", SMOKE, "--rig", SIM, "--revision", "Q"], 2, 0, "no board of revision"),
        (&["plan", SMOKE, "--rig", SIM, "--revision", "Q"], 2, 0, "no board of revision"),
        (&["run", SMOKE, "--rig", SIM, "--board", "../x"], 2, 0, "--board"),
        (&["check", rig], 2, 2, "max_voltge"),
        (&["sim", rig], 2, 2, "max_voltge"),
        (&["report", nowhere], 2, 0, "nowhere"),
        (&["analyze", nowhere], 2, 1, "nowhere"),
        (&["analyze", trace], 2, 1, "trace.csv:4: `oops`"),
        (&["list", "--out", nowhere], 2, 0, "there is no folder"),
        (&["scpi", SIM, "load", "VOLT 3"], 2, 0, "only questions"),
        (&["scpi", SIM, "load", ":NONSENSE?"], 3, 0, ":NONSENSE?"),
    ] {
        let told = soakrig(&[args, &["--json"]].concat()).assert_exit(exit).assert_told(&[word]);
        let whole = told.json();
        assert_eq!(whole.as_object().unwrap().len(), 1, "{whole}");
        let error = &whole["error"];
        assert_eq!(error["exit"], exit, "{args:?}");
        assert!(error["message"].as_str().unwrap().contains(word), "{args:?}: {error}");
        assert_eq!(error["faults"].as_array().unwrap().len(), faults, "{args:?}: {error}");
        // Without --json nothing stands where a result would.
        assert_eq!(soakrig(args).assert_exit(exit).out, "", "{args:?}");
    }
    let told = soakrig(&["run", profile, "--rig", SIM, "--json"]).json();
    let fault = &told["error"]["faults"][0];
    assert_eq!((fault["file"].as_str(), fault["key"].as_str()), (Some(profile), Some("points.vin[3]")));
    assert_eq!((fault["line"].as_u64(), fault["column"].as_u64()), (Some(12), Some(23)));
    assert_eq!(fault["nearest"], Value::Null);
    let told = soakrig(&["analyze", trace, "--json"]).json();
    let fault = &told["error"]["faults"][0];
    assert_eq!((fault["file"].as_str(), fault["line"].as_u64()), (Some(trace), Some(4)));
    assert_eq!(fault["column"], Value::Null);
}

#[test]
fn no_setting_passes_by_the_hard_limits() {
    let served = Served::start();
    let folder = TempDir::new().unwrap();
    let rig = file(&folder, "rig.toml", &served.rig);
    for setting in [":OUTP CH1,ON", "*IDN?;:OUTP CH1,ON", "*RST", "", "*IDN?\n:OUTP CH1,ON"] {
        let told = soakrig(&["scpi", arg(&rig), "source", setting]).assert_exit(2);
        told.assert_told(&["only questions can be asked"]);
    }
    served.assert_outputs_off();
    soakrig(&["scpi", arg(&rig), "board", "*IDN?"]).assert_exit(2).assert_told(&["source, load, scope"]);
}

#[test]
fn a_served_bench_says_where_it_is_and_ends_when_asked() {
    let mut served = Served::start();
    assert!(served.ask("source", "*IDN?").starts_with("RIGOL TECHNOLOGIES,DP832,"));
    assert!(served.rig.contains(&served.addresses["scope"]) && !served.rig.contains("SIM::"));
    let id = served.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_run_on_a_served_bench_finds_its_two_sensors_on_one_line_and_leaves_everything_off() {
    let served = Served::start();
    let folder = TempDir::new().unwrap();
    let rig = file(&folder, "rig.toml", &served.rig);
    let short = smoke_at("[\"24 V\"]").replace("[\"30 mA\", \"250 mA\"]", "[\"250 mA\"]");
    let profile = file(&folder, "short.toml", &short);
    let told = soakrig(&["run", arg(&profile), "--rig", arg(&rig), "--out", arg(folder.path()), "--json"]);
    let summary = told.assert_exit(0).json();
    assert_eq!(summary["outputs_off_verified"], true);
    served.assert_outputs_off();
    let points = fs::read_to_string(Path::new(summary["run"].as_str().unwrap()).join("points.csv")).unwrap();
    let row: Vec<&str> = points.lines().nth(1).unwrap().split(',').collect();
    let columns: Vec<&str> = points.lines().next().unwrap().split(',').collect();
    for sensor in ["board_c", "ambient_c"] {
        let place = columns.iter().position(|column| *column == sensor).unwrap();
        let celsius: f64 = row[place].parse().unwrap();
        assert!((15.0..60.0).contains(&celsius), "{sensor}: {celsius}");
    }
}

#[test]
fn schemas_completions_and_the_manual_are_whole() {
    for kind in ["rig", "profile", "family", "comparison", "settings"] {
        let schema = soakrig(&["schema", kind]).assert_exit(0).json();
        assert!(schema["properties"].as_object().unwrap().len() > 3, "{kind}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = soakrig(&["completions", shell]).assert_exit(0).out;
        assert!(script.contains("full-tapes") && script.contains("soakrig"), "{shell}");
    }
    let page = soakrig(&["man"]).assert_exit(0).out;
    assert!(page.contains(".TH soakrig 1"), "{page}");
    for section in ["SYNOPSIS", "SOAKRIG RUN", "SOAKRIG SCPI", "FILES", "EXIT STATUS"] {
        assert!(page.lines().any(|line| line.starts_with(".SH") && line.contains(section)), "{section}");
    }
}

#[test]
fn wrong_usage_is_told_on_stderr_with_exit_code_2() {
    for args in [
        &[][..],
        &["fly"],
        &["run"],
        &["run", SMOKE],
        &["schema", "cat"],
        &["run", SMOKE, "--rig", SIM, "--seed", "x"],
    ] {
        let told = soakrig(args).assert_exit(2);
        assert_eq!(told.out, "");
        assert!(told.err.contains("Usage") || told.err.contains("--help"), "{}", told.err);
    }
    let version = soakrig(&["--version"]).assert_exit(0).out;
    assert_eq!(version, format!("soakrig {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let folder = TempDir::new().unwrap();
    for args in [
        &["schema", "rig"][..],
        &["plan", SMOKE, "--rig", SIM],
        &["run", SMOKE, "--rig", SIM, "--out", arg(folder.path())],
    ] {
        let mut child = program().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut child = program().args(["schema", "rig"]).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(told.contains("cannot write the result to standard output"), "{told}");
}

#[test]
fn nothing_is_painted_where_nobody_sees_colour() {
    let folder = TempDir::new().unwrap();
    let run = soakrig(&["run", SMOKE, "--rig", SIM, "--out", arg(folder.path())]).assert_exit(0);
    let refused = soakrig(&["plan", SIM, "--rig", SMOKE]).assert_exit(2);
    for text in [run.out, run.err, refused.out, refused.err] {
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}

/// A terminal of its own, from util-linux; where that is not to be had, there is nothing to see.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_the_verdict_is_painted_unless_no_color_is_set() {
    let folder = TempDir::new().unwrap();
    let run = smoke_run(folder.path());
    for (no_color, painted) in [("", true), ("1", false)] {
        let Some(shown) = on_a_terminal(&format!("report {}", arg(&run)), no_color) else { return };
        assert_eq!(shown.contains("\u{1b}[1;32mPASS\u{1b}[0m"), painted, "{shown}");
        assert!(painted || !shown.contains('\u{1b}'), "{shown}");
    }
}

#[test]
fn help_and_plan_are_told_in_these_words() {
    insta::assert_snapshot!(soakrig(&["--help"]).assert_exit(0).out, @r#"
    Measures a power supply board on a bench of SCPI instruments (or on the simulated one) and writes a report

    Usage: soakrig [OPTIONS] <COMMAND>

    Commands:
      run          Run a profile on a rig, keep the record and write the report
      resume       Go on with a run that was cut off, at its first unfinished point
      status       Show the state of a run on one screen, from its journal, also while it goes on
      watch        Follow a run until it ends; the exit code is that of the run
      notify-test  Try every way by which the settings tell people, with a message that says it is a test
      plan         Print what a run would do, its checks and how long it takes; touches nothing
      check        Open the bench, identify every instrument, look at the wiring, say go or no-go
      sim          Serve the simulated bench on loopback TCP ports and a pty until stopped
      report       Rebuild all products of a run from its journal and samples
      analyze      Measure a trace from a scope's file or from a run: ripple, spikes, frequency, each with its definition
      compare      Tell what changed between board revisions: by how much, with what certainty, at what price
      list         List the runs in a folder
      scpi         Ask one instrument of a rig a question
      config       Print the value of every option and where it comes from
      schema       Print the JSON Schema of a kind of file
      completions  Print a completion script for a shell
      man          Print the manual page
      help         Print this message or the help of the given subcommand(s)

    Options:
          --no-config  Heed no files of settings
      -h, --help       Print help
      -V, --version    Print version

    Exit codes: 0 all limits met, 1 a limit failed, 2 usage or file, 3 link or instrument,
    4 interlock tripped, 5 stopped by a person, 6 record damaged, 70 our fault.
    "#);
    let plan = soakrig(&["plan", SMOKE, "--rig", SIM]).assert_exit(0).out;
    let (rig, profile) = (fs::read_to_string(SIM).unwrap(), fs::read_to_string(SMOKE).unwrap());
    let (rig, profile) = (rig::parse(SIM, &rig).unwrap(), profile::parse(SMOKE, &profile).unwrap());
    let built = build(&rig, &profile, &Registry::built_in().unwrap(), &Overrides::default()).unwrap();
    assert_eq!(plan, render_plan(&built));
}

#[test]
fn a_refusal_and_a_result_are_told_in_these_words() {
    let folder = TempDir::new().unwrap();
    let profile = file(&folder, "wrong.toml", &smoke_with("\"24 V\"", "\"30 V\"", ""));
    let refused = soakrig(&["plan", arg(&profile), "--rig", SIM]).assert_exit(2).err;
    insta::assert_snapshot!(refused.replace(arg(folder.path()), "FOLDER"), @r#"
    error: 30 V is more than this rig allows at the board's input
      --> FOLDER/wrong.toml:12:23
       |
    12 | vin = ["0 V", "18 V", "30 V"]
       |                       ^^^^^^ points.vin[3]
       |
      ::: rigs/sim.toml:18:15
       |
    18 | max_voltage = "26 V"
       |               ------ 26 V is the limit

    1 fault in FOLDER/wrong.toml
    "#);
    let run = soakrig(&["run", SMOKE, "--rig", SIM, "--out", arg(folder.path())]).assert_exit(0).out;
    insta::assert_snapshot!(masked(&run, folder.path()), @r#"
    PASS  board 0007 rev B, smoke
          all limits are met at all 6 points they apply to

    points     6 of 6 finished, 0 failed, 0 where no limit applies; *
    outputs    off, read back and measured: *

      pass           output voltage           4.8 V to 5.2 V  worst * at 18 V, 250 mA (point 4)
      pass           no output without input  at most 100 mV  worst * at 0 V, 30 mA (point 1)
      pass           efficiency               at least 70 %   worst * at 24 V, 250 mA (point 6)

    report     FOLDER/*_smoke_0007/report.html
    record     FOLDER/*_smoke_0007
    "#);
}

/// The final words without what differs from run to run, or with the physics of the simulated board.
fn masked(text: &str, folder: &Path) -> String {
    let mut masked = String::new();
    for line in text.replace(arg(folder), "FOLDER").lines() {
        let mut line = line.to_owned();
        for (from, to, mask) in [
            ("worst ", " at ", "*"),
            ("measured: ", "", "*"),
            ("applies; ", "", "*"),
            ("FOLDER/", "_smoke", "*"),
        ] {
            let Some(begin) = line.find(from).map(|place| place + from.len()) else { continue };
            let end = if to.is_empty() {
                line.len()
            } else {
                line[begin..].find(to).map_or(line.len(), |at| begin + at)
            };
            line.replace_range(begin..end, mask);
        }
        masked.push_str(&line);
        masked.push('\n');
    }
    masked
}
