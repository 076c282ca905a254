//! The real program against a served bench, in real time: signals switch off.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use soakrig::base::clock::{Clock, Instant, RealClock};
use soakrig::link::transport::{Address, LinkSettings, Opener, RealOpener};

pub(super) const PROFILE: &str = r#"
name = "signals"
purpose = "Long enough to be stopped."
vout_nominal = "5 V"
figures = ["vin_v", "vout_v", "iout_a"]

[points]
vin = ["18 V", "20 V", "22 V", "24 V"]
load = ["100 mA"]
order = "written"

[settle]
band = "50 mV"
hold = "600 ms"
limit = "2 s"

[[limits]]
name = "output in range"
figure = "vout_v"
min = "4 V"
max = "6 V"
"#;

pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
        assert!(done.unwrap().success());
    }
}

/// A served bench in a process of its own.
pub(crate) struct Served {
    _process: Running,
    _stdout: BufReader<ChildStdout>,
    pub(super) rig: String,
}

fn soakrig() -> Command {
    crate::cli::program()
}

pub(crate) fn serve() -> Served {
    serve_anew(0).unwrap()
}

/// A served bench that can be gone and come back at the same addresses.
pub(super) fn serve_to_come_back() -> (Served, u16) {
    // Three ports in a row that are free now; somebody may take one before the bench does.
    for _ in 0..20 {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if let Some(served) = serve_anew(port) {
            return (served, port);
        }
    }
    panic!("no three ports in a row are free");
}

/// A bench at places that are nobody's.
fn serve_anew(port: u16) -> Option<Served> {
    let served = serve_on(port)?;
    let rig: toml::Table = served.rig.parse().unwrap();
    crate::cli::unlock(rig.values().filter_map(|role| role.get("address")?.as_str()));
    Some(served)
}

/// The bench on three ports from this one on, or on any; `None` where one of them is taken.
pub(super) fn serve_on(port: u16) -> Option<Served> {
    let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/sim.toml");
    let mut command = soakrig();
    command.args(["sim", "--json", "--port", &port.to_string()]).arg(rig);
    let mut process = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut stdout = BufReader::new(process.0.stdout.take().unwrap());
    let mut told = String::new();
    stdout.read_line(&mut told).unwrap();
    let Ok(line) = serde_json::from_str::<serde_json::Value>(&told) else {
        stdout.read_to_string(&mut told).unwrap();
        assert!(told.contains("Address already in use"), "no other reason not to be served: {told}");
        return None;
    };
    let rig = without_thermometers(line["rig"].as_str().unwrap());
    Some(Served { _process: process, _stdout: stdout, rig })
}

/// What is tested here concerns supply and load.
fn without_thermometers(rig: &str) -> String {
    let mut table: toml::Table = rig.parse().unwrap();
    assert!(table.remove("thermometer").is_some());
    toml::to_string(&table).unwrap()
}

impl Served {
    /// Asks an instrument of the served bench past the program that uses it.
    pub(crate) fn ask(&self, role: &str, question: &str) -> String {
        let table: toml::Table = self.rig.parse().unwrap();
        let address: Address = table[role]["address"].as_str().unwrap().parse().unwrap();
        let mut link = RealOpener.open(&address, &LinkSettings::default()).unwrap();
        link.send(question.as_bytes()).unwrap();
        String::from_utf8(link.receive(Duration::from_secs(5)).unwrap()).unwrap().trim().to_owned()
    }

    pub(crate) fn outputs(&self) -> (String, String) {
        (self.ask("source", ":OUTP? CH1"), self.ask("load", ":INP?"))
    }
}

/// Between the program and one instrument of the served bench: passes everything on until it hangs; then it takes bytes and
/// answers nothing.
pub(super) struct Between {
    pub(super) address: String,
    hangs: Arc<AtomicBool>,
    /// How long the next message waits before it is passed on; none where it has been.
    pub(super) delay: Arc<Mutex<Duration>>,
    /// What was taken since it hangs, and when.
    taken: Arc<Mutex<Vec<(Duration, String)>>>,
    clock: Arc<RealClock>,
}

impl Between {
    pub(super) fn place(real: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let real: String = real.split("::").skip(1).take(2).collect::<Vec<_>>().join(":");
        let between = Self {
            address: format!("TCPIP0::127.0.0.1::{port}::SOCKET"),
            hangs: Arc::default(),
            delay: Arc::default(),
            taken: Arc::default(),
            clock: Arc::new(RealClock::new()),
        };
        let (hangs, taken, clock) = (between.hangs.clone(), between.taken.clone(), between.clock.clone());
        let delay = between.delay.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&real).unwrap();
                let (mut back, mut forth) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let silent = hangs.clone();
                std::thread::spawn(move || {
                    let (mut server, mut bytes) = (server, [0; 4096]);
                    while let Ok(count @ 1..) = server.read(&mut bytes) {
                        if !silent.load(Ordering::SeqCst) && back.write_all(&bytes[..count]).is_err() {
                            return;
                        }
                    }
                });
                let (hangs, taken, clock) = (hangs.clone(), taken.clone(), clock.clone());
                let delay = delay.clone();
                std::thread::spawn(move || {
                    let (mut client, mut bytes) = (client, [0; 4096]);
                    while let Ok(count @ 1..) = client.read(&mut bytes) {
                        let wait = std::mem::take(&mut *delay.lock().unwrap());
                        std::thread::sleep(wait);
                        if hangs.load(Ordering::SeqCst) {
                            let at = clock.now().since(Instant(0));
                            taken.lock().unwrap().push((at, String::from_utf8_lossy(&bytes[..count]).into()));
                        } else if forth.write_all(&bytes[..count]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        between
    }

    fn now(&self) -> Duration {
        self.clock.now().since(Instant(0))
    }
}

#[test]
fn a_second_signal_switches_off_what_answers_and_ends_soon_although_the_other_hangs() {
    for (hung, hung_off, answers, question, off) in [
        ("source", "OUTP CH1,OFF", "load", ":INP?", "0"),
        ("load", "INP:STAT OFF", "source", ":OUTP? CH1", "OFF"),
    ] {
        let mut served = serve();
        let table: toml::Table = served.rig.parse().unwrap();
        let real = table[hung]["address"].as_str().unwrap().to_owned();
        let between = Between::place(&real);
        let whole = served.rig.clone();
        let program_rig = whole.replace(&real, &between.address);
        assert_ne!(program_rig, whole);
        served.rig = program_rig;
        let (mut running, folder) = start(&served);
        served.rig = whole;
        let out = folder.path().join("out");
        await_in_journal(&out, "point_started");
        between.hangs.store(true, Ordering::SeqCst);
        // By now it waits for an answer that will not come.
        std::thread::sleep(Duration::from_millis(700));
        assert_ne!(served.ask(answers, question), off, "it is on before it is stopped");
        running.signal("INT");
        std::thread::sleep(Duration::from_millis(50));
        let asked = between.now();
        running.signal("INT");
        while served.ask(answers, question) != off && between.now() - asked < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let off_after = between.now() - asked;
        let code = running.0.wait().unwrap().code();
        let ended_after = between.now() - asked;
        let taken = between.taken.lock().unwrap().clone();
        let told_off = taken.iter().find(|(at, text)| *at > asked && text.to_uppercase().contains(hung_off));
        let told_after = told_off.map(|(at, _)| *at - asked);
        let what = format!(
            "{hung} hangs: off after {off_after:?}, hung one told after {told_after:?}, ended after {ended_after:?}: {taken:?}"
        );
        assert!(off_after < Duration::from_secs(1), "{what}");
        assert!(told_after.is_some_and(|after| after < Duration::from_secs(1)), "{what}");
        assert!(ended_after < Duration::from_secs(4), "{what}");
        assert_ne!(code, Some(0), "{what}");
        let journal = await_in_journal(&out, "run_finished");
        assert!(journal.contains("COULD NOT BE VERIFIED OFF"), "{what}\n{journal}");
    }
}

/// Waits for the word in the journal, which is written as things happen.
pub(crate) fn await_in_journal(out: &Path, word: &str) -> String {
    let mut journal = String::new();
    for _ in 0..6000 {
        journal = std::fs::read_dir(out)
            .unwrap()
            .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path().join("journal.jsonl")).ok())
            .collect::<String>();
        if journal.contains(word) {
            return journal;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no {word} in the journal: {journal:?}");
}

/// Starts a run of the profile in a folder of its own.
pub(crate) fn start(served: &Served) -> (Running, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = run_command(served, folder.path());
    let process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    (Running(process), folder)
}

/// A run of the profile whose files and record are in `folder`.
pub(crate) fn run_command(served: &Served, folder: &Path) -> Command {
    let (rig, profile, out) = (folder.join("rig.toml"), folder.join("p.toml"), folder.join("out"));
    std::fs::write(&rig, &served.rig).unwrap();
    std::fs::write(&profile, PROFILE).unwrap();
    std::fs::create_dir(&out).unwrap();
    let mut command = soakrig();
    command.arg("run").arg(&profile).arg("--rig").arg(&rig).arg("--out").arg(&out);
    command
}

/// Runs the profile, sends the signals once a point has begun, and gives exit code, journal and what stood on stderr.
fn run_with(served: &Served, signals: &[&str]) -> (Option<i32>, String, String) {
    let (mut running, folder) = start(served);
    let out = folder.path().join("out");
    let mut stderr: ChildStderr = running.0.stderr.take().unwrap();
    await_in_journal(&out, "point_started");
    assert_eq!(served.outputs(), ("ON".to_owned(), "1".to_owned()), "it is on before it is stopped");
    for (index, name) in signals.iter().enumerate() {
        if index > 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
        running.signal(name);
    }
    let code = running.0.wait().unwrap().code();
    let mut told = String::new();
    stderr.read_to_string(&mut told).unwrap();
    (code, await_in_journal(&out, "run_finished"), told)
}

#[test]
fn signals_end_the_real_program_with_the_real_outputs_off() {
    let served = serve();
    for (signals, points) in [(vec!["INT"], 1), (vec!["INT", "INT"], 0), (vec!["TERM"], 1), (vec!["QUIT"], 0)]
    {
        let (code, journal, told) = run_with(&served, &signals);
        let what = format!("{signals:?}: {told}\n{journal}");
        assert_eq!(code, Some(5), "{what}");
        assert_eq!(served.outputs(), ("OFF".to_owned(), "0".to_owned()), "{what}");
        let made_safe = journal.lines().find(|line| line.contains("made_safe")).expect(&what);
        assert!(made_safe.contains("\"verified\":true"), "{what}");
        assert_eq!(journal.matches("\"point_finished\"").count(), points, "{what}");
    }
}
