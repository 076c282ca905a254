//! People who are told of a run: by a real HTTP server that fails in every way, and by real programs that do; and a run that
//! never waits for either.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use soakrig::base::clock::{Clock, Instant, RealClock};
use soakrig::event::{Event, RunVerdict, Stamp};
use soakrig::notify::settings::Way;
use soakrig::notify::{About, Level, Message, Note, Notifier, Settings, Standing, parse, try_each};
use soakrig::record::Record;
use soakrig::record::products::check_manifest;
use tempfile::TempDir;

use crate::cli::{SIM, SMOKE, Told, arg, file, program};

/// Names the system's file of settings.
const CONFIG: &str = "SOAKRIG_SYSTEM_CONFIG";

/// What the server does with a connection.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// These bytes.
    Bytes(&'static str),
    /// A head, then a byte now and then for ever.
    Drips,
    /// A head, then bytes without end.
    Floods,
    /// Nothing, until the other end has gone.
    Hangs,
    /// It closes without a word.
    Closes,
}

const OK: Answer = Answer::Bytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n");
const BROKEN: Answer =
    Answer::Bytes("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 11\r\n\r\nout of ink\n");

/// A server whose connections answer one after the other as listed, the last one again and again.
struct Hook {
    url: String,
    /// What was posted: head and body.
    posted: Receiver<(String, Value)>,
}

impl Hook {
    fn start(answers: &'static [Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?key=SECRET", listener.local_addr().unwrap());
        let (sender, posted) = channel();
        std::thread::spawn(move || {
            for (place, stream) in listener.incoming().enumerate() {
                let answer = answers[place.min(answers.len() - 1)];
                let sender = sender.clone();
                std::thread::spawn(move || serve(stream.unwrap(), answer, &sender));
            }
        });
        Self { url, posted }
    }

    fn next(&self) -> (String, Value) {
        self.posted.recv_timeout(Duration::from_secs(60)).expect("nothing was posted")
    }

    fn texts(&self) -> Vec<String> {
        self.posted.try_iter().map(|(_, body)| body["message"].as_str().unwrap().to_owned()).collect()
    }
}

fn serve(stream: TcpStream, answer: Answer, posted: &Sender<(String, Value)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let _ = posted.send((head, serde_json::from_slice(&body).unwrap()));
    let mut stream = stream;
    match answer {
        Answer::Bytes(bytes) => drop(stream.write_all(bytes.as_bytes())),
        Answer::Closes => {}
        Answer::Hangs => drop(reader.read(&mut [0])),
        Answer::Drips | Answer::Floods => {
            let mut bytes: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
            while stream.write_all(bytes).is_ok() {
                bytes = if matches!(answer, Answer::Drips) { b"x" } else { &[b'x'; 65536] };
                if matches!(answer, Answer::Drips) {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }
}

fn settings(ways: Vec<Way>) -> Settings {
    let mut settings = parse("c.toml", "[notify]\nurl = \"http://h\"").unwrap();
    settings.ways = ways;
    settings.timeout = Duration::from_millis(700);
    settings.wait_at_end = Duration::from_secs(60);
    settings
}

fn post(url: &str) -> Way {
    Way::Post { url: url.to_owned(), headers: vec![("X-Key".to_owned(), "abc".to_owned())] }
}

fn message(text: &str) -> Message {
    Message {
        level: Level::Warn,
        text: text.to_owned(),
        count: 1,
        utc: jiff::Timestamp::UNIX_EPOCH,
        about: About { run: "reports/R".to_owned(), ..About::default() },
        standing: standing(),
        is_test: true,
    }
}

fn standing() -> Standing {
    Standing { line: "3/9 | settling".to_owned(), json: serde_json::json!({ "phase": "settling" }) }
}

#[test]
fn whatever_a_server_does_is_told_within_the_time_limit() {
    let told: Vec<String> = [
        ("ok", [OK]),
        ("500", [BROKEN]),
        (
            "redirects",
            [Answer::Bytes(
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            )],
        ),
        ("hangs", [Answer::Hangs]),
        ("drips", [Answer::Drips]),
        ("floods", [Answer::Floods]),
        ("garbage", [Answer::Bytes("* PREAUTH imap ready\r\n\r\n")]),
        ("escape", [Answer::Bytes("HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n\u{1b}[2Jhidden")]),
        ("closes", [Answer::Closes]),
    ]
    .map(|(name, answers)| {
        let hook = Hook::start(Box::leak(Box::new(answers)));
        let answer = try_each(&settings(vec![post(&hook.url)]), &message("x"));
        let (way, answer) = &answer[0];
        assert!(!way.contains("SECRET") && way.starts_with("POST to http://127.0.0.1:"), "{way}");
        hook.next();
        format!("{name}: {answer:?}")
    })
    .into();
    insta::assert_snapshot!(told.join("\n"), @r#"
    ok: Ok("it answered 200 OK: ok")
    500: Err("it answered 500 Internal Server Error: out of ink")
    redirects: Err("it answered 302 Found")
    hangs: Err("no whole answer within 700 ms")
    drips: Ok("it answered 200 OK")
    floods: Ok("it answered 200 OK")
    garbage: Err("protocol: http parse fail: invalid HTTP version")
    escape: Err("it answered 403 Forbidden:  [2Jhidde")
    closes: Err("io: Peer disconnected")
    "#);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = try_each(&settings(vec![post(&format!("http://{nobody}/"))]), &message("x"));
    assert!(refused[0].1.as_ref().unwrap_err().contains("refused"), "{refused:?}");
}

#[test]
fn a_message_is_posted_as_json_with_the_headers_that_were_asked_for() {
    let hook = Hook::start(&[OK]);
    try_each(&settings(vec![post(&hook.url)]), &message("board at 91 °C"))[0].1.as_ref().unwrap();
    let (head, body) = hook.next();
    assert!(head.starts_with("POST /hook?key=SECRET HTTP/1.1\r\n"), "{head}");
    for line in ["content-type: application/json", "x-key: abc", "user-agent: soakrig/"] {
        assert!(head.to_lowercase().contains(line), "{head}");
    }
    assert_eq!(body["message"], "TEST: board at 91 °C");
    assert_eq!((&body["test"], &body["level"]), (&Value::Bool(true), &Value::from("warn")));
    assert_eq!(body["state"]["phase"], "settling");
}

fn script(folder: &TempDir, name: &str, text: &str) -> String {
    let path = file(folder, name, &format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    arg(&path).to_owned()
}

/// Programs that live and have the mark in their command.
fn left_of(mark: &str) -> Vec<String> {
    let left = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let bytes = fs::read(entry.unwrap().path().join("cmdline")).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.contains(&format!(": {mark}")).then_some(text)
    });
    left.collect()
}

#[test]
fn whatever_a_program_does_is_told_within_the_time_limit_and_nothing_of_it_is_left() {
    let folder = TempDir::new().unwrap();
    let mark = arg(folder.path()).to_owned();
    let told: Vec<String> = [
        ("fine", "cat >/dev/null".to_owned()),
        ("fails", "echo no signal >&2; exit 3".to_owned()),
        ("hangs", format!("sleep 61; : {mark}")),
        ("hangs with children", format!("sh -c 'sleep 62; : {mark}' & sh -c 'trap \"\" TERM; sleep 63; : {mark}'; wait")),
        ("floods stderr", "yes flood >&2".to_owned()),
        ("floods stdout", "yes; exit 1".to_owned()),
        ("says much, then fails", "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done >&2; exit 4".to_owned()),
        ("reads nothing", "exec <&-; exit 0".to_owned()),
        ("leaves a child behind that holds its pipes", "sleep 2 & exit 0".to_owned()),
        ("is killed", "kill -9 $$".to_owned()),
        ("paints", "printf '\\033[2Jhidden' >&2; exit 1".to_owned()),
    ]
    .map(|(name, text)| {
        let program = script(&folder, "page.sh", &text);
        let answer = try_each(&settings(vec![Way::Command(vec![program])]), &message("x"));
        let mut answer = format!("{:?}", answer[0].1);
        answer.truncate(120);
        format!("{name}: {answer}")
    })
    .into();
    insta::assert_snapshot!(told.join("\n"), @r#"
    fine: Ok("it ended with code 0")
    fails: Err("it ended with code 3: no signal")
    hangs: Err("it did not end within 700 ms and was ended")
    hangs with children: Err("it did not end within 700 ms and was ended")
    floods stderr: Err("it did not end within 700 ms and was ended: flood flood flood flood flood flood flood flood flood flood flood flood
    floods stdout: Err("it did not end within 700 ms and was ended")
    says much, then fails: Err("it ended with code 4: 0123456789012345678901234567890123456789 0123456789012345678901234567890123456789 01234567890
    reads nothing: Ok("it ended with code 0")
    leaves a child behind that holds its pipes: Ok("it ended with code 0")
    is killed: Err("it was ended by a signal")
    paints: Err("it ended with code 1:  [2Jhidden")
    "#);
    let nowhere = settings(vec![Way::Command(vec!["/nowhere/page".to_owned()])]);
    assert!(try_each(&nowhere, &message("x"))[0].1.as_ref().unwrap_err().contains("cannot be started"));
    assert_eq!(left_of(&mark), Vec::<String>::new());
}

#[test]
fn a_program_gets_the_message_in_arguments_variables_and_on_its_standard_input() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("told");
    let text = format!("{{ echo \"$#:$1:$2\"; env | grep ^SOAKRIG_ | sort; cat; }} > {}", arg(&out));
    let program = script(&folder, "page.sh", &text);
    let words = vec![program, "{level}: {message}".to_owned(), "$(touch x) `y` {run}".to_owned()];
    let sly = message("\"; rm -rf / #\n$HOME");
    try_each(&settings(vec![Way::Command(words)]), &sly)[0].1.as_ref().unwrap();
    let told = fs::read_to_string(&out).unwrap();
    let mut lines = told.lines();
    assert_eq!(lines.next(), Some("2:warn: TEST: \"; rm -rf / # $HOME:$(touch x) `y` reports/R"));
    assert!(told.contains("\nSOAKRIG_LEVEL=warn\n") && told.contains("\nSOAKRIG_TEST=1\n"), "{told}");
    let json: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(json["message"], "TEST: \"; rm -rf / # $HOME");
}

/// Notes as they come.
fn notes() -> (Note, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = told.clone();
    (Arc::new(move |note: &str| kept.lock().unwrap().push(note.to_owned())), told)
}

fn tell(notifier: &mut Notifier, seconds: u64, event: &Event) {
    let at = Stamp { utc: jiff::Timestamp::UNIX_EPOCH, monotonic: Instant(seconds * 1_000_000_000) };
    notifier.take(at, event, &standing);
}

fn warned(word: &str) -> Event {
    Event::Warned { what: word.to_owned() }
}

fn tripped() -> Event {
    Event::InterlockTripped { what: "too hot".to_owned() }
}

#[test]
fn a_message_that_failed_is_sent_again() {
    let hook = Hook::start(&[BROKEN, OK]);
    let (note, told) = notes();
    let mut notifier = Notifier::start(&settings(vec![post(&hook.url)]), &note).unwrap();
    tell(&mut notifier, 0, &warned("fan"));
    let _ = notifier.finish(&|| false);
    assert_eq!(hook.texts(), ["fan", "fan"]);
    assert!(told.lock().unwrap().is_empty(), "it went in the end: {told:?}");
}

fn host(text: &str, hook: &Hook) -> String {
    text.replace(&hook.url[7..hook.url.find("/hook").unwrap()], "HOST")
}

#[test]
fn what_cannot_be_sent_is_given_up_and_told_once_and_what_works_again_too() {
    let hook = Hook::start(&[BROKEN, BROKEN, BROKEN, OK]);
    let (note, told) = notes();
    let settings = Settings { retries: 0, ..settings(vec![post(&hook.url)]) };
    let mut notifier = Notifier::start(&settings, &note).unwrap();
    for word in ["a", "b", "c", "d"] {
        tell(&mut notifier, 0, &warned(word));
    }
    let unsent: Vec<String> =
        notifier.finish(&|| false).iter().map(|unsent| host(&unsent.to_string(), &hook)).collect();
    let broken = "it answered 500 Internal Server Error: out of ink";
    let told_of = |word: &str| format!("warn by POST to http://HOST: {word}; tried once: {broken}");
    assert_eq!(unsent, [told_of("a"), told_of("b"), told_of("c")], "for the record, each");
    let told = host(&told.lock().unwrap().join("\n"), &hook);
    insta::assert_snapshot!(told, @r"
    notify by POST to http://HOST: a message (warn) was given up after 1 attempt: it answered 500 Internal Server Error: out of ink
    notify by POST to http://HOST: it goes again; 3 messages were given up before
    ");
}

#[test]
fn a_run_never_waits_for_a_way_that_hangs_and_what_does_not_fit_goes_unsent_alive_first() {
    let hook = Hook::start(&[Answer::Hangs]);
    let (note, told) = notes();
    let settings = Settings {
        timeout: Duration::from_secs(300),
        alive_every: Duration::from_secs(1),
        wait_at_end: Duration::from_millis(50),
        ..settings(vec![post(&hook.url)])
    };
    let mut notifier = Notifier::start(&settings, &note).unwrap();
    tell(&mut notifier, 0, &warned("first"));
    // From now on the only sender waits for an answer that does not come.
    assert_eq!(hook.next().1["message"], "first");
    for second in 1..10_000 {
        tell(&mut notifier, second, &warned(&"x".repeat(second as usize % 50)));
    }
    tell(&mut notifier, 10_000, &tripped());
    let unsent = notifier.finish(&|| false);
    let told_of = |what: &str| unsent.iter().find(|unsent| unsent.what.contains(what)).unwrap();
    assert_eq!((told_of("first").attempts, told_of("first").level.as_str()), (0, "warn"));
    assert_eq!(told_of("first").why, "the program ended before an answer came");
    assert_eq!(told_of("too hot").level, "trip");
    assert!(unsent.iter().any(|unsent| unsent.why.contains("did not fit into the queue")), "{unsent:?}");
    assert!(unsent.len() <= 70, "bounded, whatever happens: {}", unsent.len());
    assert!(hook.texts().is_empty(), "nobody got past the one that hangs");
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("messages were still unsent when the program ended"), "{told}");
}

#[test]
fn one_way_that_hangs_does_not_hold_up_the_other() {
    let (hook, good) = (Hook::start(&[Answer::Hangs]), Hook::start(&[OK]));
    let (note, _) = notes();
    let settings = Settings {
        timeout: Duration::from_secs(300),
        wait_at_end: Duration::ZERO,
        ..settings(vec![post(&hook.url), post(&good.url)])
    };
    let mut notifier = Notifier::start(&settings, &note).unwrap();
    notifier.name_run(Path::new("reports/here"));
    tell(&mut notifier, 0, &tripped());
    let body = good.next().1;
    assert_eq!((&body["level"], &body["run"]), (&Value::from("trip"), &Value::from("reports/here")));
    let _ = notifier.finish(&|| false);
}

#[test]
fn a_program_that_nobody_waits_for_any_longer_is_ended() {
    let folder = TempDir::new().unwrap();
    let mark = arg(folder.path()).to_owned();
    let begun = folder.path().join("begun");
    let program = script(&folder, "page.sh", &format!("echo > {}; sleep 64; : {mark}", arg(&begun)));
    let (note, _) = notes();
    let settings = Settings {
        timeout: Duration::from_secs(300),
        wait_at_end: Duration::ZERO,
        ..settings(vec![Way::Command(vec![program])])
    };
    let mut notifier = Notifier::start(&settings, &note).unwrap();
    tell(&mut notifier, 0, &tripped());
    while !begun.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let unsent = notifier.finish(&|| false);
    assert_eq!(unsent.len(), 1, "{unsent:?}");
    assert_eq!(left_of(&mark), Vec::<String>::new());
}

#[test]
fn whoever_stands_there_can_cut_the_wait_for_the_last_message_short() {
    let hook = Hook::start(&[Answer::Hangs]);
    let (note, told) = notes();
    let settings = Settings {
        timeout: Duration::from_secs(300),
        wait_at_end: Duration::from_secs(600),
        ..settings(vec![post(&hook.url)])
    };
    let mut notifier = Notifier::start(&settings, &note).unwrap();
    tell(&mut notifier, 0, &tripped());
    hook.next();
    let clock = RealClock::new();
    let _ = notifier.finish(&|| true);
    assert!(clock.now().0 < 300_000_000_000);
    assert!(told.lock().unwrap()[0].contains("1 messages were still unsent"));
}

fn run_smoke(folder: &TempDir, table: &str) -> Told {
    let notify = file(folder, "notify.toml", table);
    let out = folder.path().join("out");
    Told::of(program().args(["run", SMOKE, "--rig", SIM, "--out", arg(&out)]).env(CONFIG, &notify))
}

#[test]
fn a_run_tells_its_end_and_comes_out_the_same_whether_anybody_hears_it() {
    let folder = TempDir::new().unwrap();
    let hook = Hook::start(&[OK]);
    let told =
        run_smoke(&folder, &format!("[notify]\nurl = \"{}\"\non = [\"finish\"]\n", hook.url)).assert_exit(0);
    assert!(!told.err.contains("notify by"), "{}", told.err);
    let (_, body) = hook.next();
    assert_eq!((&body["level"], &body["profile"]), (&Value::from("finish"), &Value::from("smoke")));
    assert_eq!(body["state"]["end"]["verdict"], "pass");
    assert_eq!(body["state"]["outputs"]["verified_off"], true);
    assert!(Path::new(body["run"].as_str().unwrap()).join("journal.jsonl").is_file(), "{body}");
    assert!(hook.texts().is_empty(), "only what was asked for");
    let table = "[notify]\nurl = \"http://127.0.0.1:9/\"\ncommand = [\"/nowhere/page\"]\nretries = 0\n";
    run_smoke(&folder, table).assert_exit(0).assert_told(&[
        "notify by POST to http://127.0.0.1:9: a message (finish) was given up after 1 attempt",
        "notify by command /nowhere/page: a message (finish) was given up after 1 attempt: it cannot be started",
    ]);
    let run = fs::read_dir(folder.path().join("out")).unwrap().map(|run| run.unwrap().path()).max().unwrap();
    let record = Record::open(&run).unwrap();
    assert_eq!(record.end().unwrap().1.verdict, RunVerdict::Pass);
    let unsent = record.events().iter().filter_map(|logged| match &logged.event {
        Event::MessageUnsent(unsent) => Some((unsent.way.as_str(), unsent.level.as_str(), unsent.attempts)),
        _ => None,
    });
    let mut unsent: Vec<_> = unsent.collect();
    unsent.sort_unstable();
    let finish = |way| (way, "finish", 1);
    assert_eq!(unsent, [finish("POST to http://127.0.0.1:9"), finish("command /nowhere/page")]);
    assert_eq!(check_manifest(&run).unwrap(), Some(Vec::new()), "it is sealed with them");
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(
        page.contains("message not delivered") && page.contains("/nowhere/page"),
        "the report lists them"
    );
    let wrong = run_smoke(&folder, "[notify]\nurll = \"http://h/\"\n").assert_exit(2);
    wrong.assert_told(&["unknown key `urll`", "notify.toml:2:1"]);
}

#[test]
fn the_ways_are_tried_with_a_message_that_says_it_is_a_test() {
    let folder = TempDir::new().unwrap();
    let (good, bad) = (Hook::start(&[OK]), Hook::start(&[BROKEN]));
    let try_ways = |table: String, more: &[&str]| {
        let notify = file(&folder, "notify.toml", &table);
        Told::of(program().arg("notify-test").args(more).env(CONFIG, &notify))
    };
    let told =
        try_ways(format!("[notify]\nurl = \"{}\"\ncommand = [\"true\"]\n", good.url), &[]).assert_exit(0);
    assert!(
        told.out.starts_with("ok   command true: it ended with code 0\nok   POST to http://127.0.0.1:"),
        "{}",
        told.out
    );
    assert_eq!(good.next().1["test"], true);
    let told =
        try_ways(format!("[notify]\nurl = \"{}\"\n", bad.url), &["--json", "--level", "trip"]).assert_exit(3);
    let json = told.json();
    assert_eq!((&json["went"], &json["ways"][0]["went"]), (&Value::Bool(false), &Value::Bool(false)));
    assert!(json["ways"][0]["told"].as_str().unwrap().contains("500"), "{json}");
    assert_eq!(bad.next().1["level"], "trip");
    try_ways("# nothing\n".to_owned(), &[])
        .assert_exit(2)
        .assert_told(&["no file of settings has a table [notify]"]);
}

/// A run that is killed, and gone on with, tells of itself by a program that writes each message into a file.
#[cfg(target_os = "linux")]
#[test]
fn whoever_is_not_there_hears_of_a_killed_controller_from_its_dead_man_and_of_the_same_board_when_it_goes_on()
{
    use crate::safety::process::{Running, await_in_journal, run_command, serve};

    let (served, folder) = (serve(), TempDir::new().unwrap());
    let page = folder.path().join("page.log");
    let write = "echo \"$SOAKRIG_LEVEL $SOAKRIG_BOARD $SOAKRIG_PROFILE $SOAKRIG_RUN: $SOAKRIG_MESSAGE\"";
    let program = script(&folder, "page.sh", &format!("{write} >> {}", arg(&page)));
    let table = format!("[notify]\ncommand = [\"{program}\"]\non = [\"trip\", \"finish\"]\n");
    let config = file(&folder, "notify.toml", &table);
    let told = |count: usize| {
        for _ in 0..6000 {
            let text = fs::read_to_string(&page).unwrap_or_default();
            if text.lines().count() >= count {
                return text;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{count} messages: {:?}", fs::read_to_string(&page));
    };
    let mut running = Running(run_command(&served, folder.path()).env(CONFIG, &config).spawn().unwrap());
    let out = folder.path().join("out");
    await_in_journal(&out, "point_started");
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    let text = told(2);
    let run = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    let about =
        format!("trip 0007 signals {}: dead-man: the controller is gone and did not send it away", arg(&run));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with(&about)), "{text}");
    assert!(lines[0].ends_with("switching supply and load off"), "{text}");
    assert!(lines[1].contains("verified off after"), "{text}");
    let mut resumed = crate::cli::program();
    Told::of(resumed.arg("resume").arg(&run).env(CONFIG, &config)).assert_exit(0);
    let text = told(3);
    let last = text.lines().last().unwrap();
    assert!(last.starts_with(&format!("finish 0007 signals {}: ", arg(&run))), "{text}");
}
