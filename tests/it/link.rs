//! Links over real sockets and a real pty, with everything that goes wrong at a bench.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use soakrig::base::clock::{Clock, RealClock};
use soakrig::link::ErrorKind;
use soakrig::link::scpi::{Client, Completion, Conversation};
use soakrig::link::transport::{Address, LinkError, LinkSettings, Opener, RealOpener, Transport};

/// Long enough for a busy machine; a test that waits so long has failed.
const PATIENT: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(150);

/// Listens on loopback and lets `serve` talk to each client in turn; `serve` ends with the client.
fn listen(serve: impl Fn(TcpStream) + Send + 'static) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream);
        }
    });
    Address::Socket { host: "127.0.0.1".to_owned(), port }
}

/// Calls `answer` for every line that comes; what it gives is written as it is.
fn listen_lines(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Address {
    listen(move |mut stream| {
        stream.set_nodelay(true).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            if stream.write_all(&answer(&line)).is_err() {
                return;
            }
        }
    })
}

fn open(address: &Address) -> Box<dyn Transport> {
    RealOpener.open(address, &LinkSettings::default()).unwrap()
}

fn open_with(address: &Address, settings: &LinkSettings) -> Box<dyn Transport> {
    RealOpener.open(address, settings).unwrap()
}

fn converse(link: Box<dyn Transport>, answer_timeout: Duration) -> Client {
    let settings = Conversation { answer_timeout, ..Conversation::default() };
    Client::new(link, Arc::new(RealClock::new()), settings)
}

/// How long `work` took, by the machine's clock.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let clock = RealClock::new();
    let outcome = work();
    (outcome, clock.now().since(soakrig::base::clock::Instant(0)))
}

#[test]
fn questions_sets_and_blocks_pass_over_a_socket() {
    let address = listen_lines(|line| match line {
        "*IDN?" => b"RIGOL TECHNOLOGIES,DP832,DP8C1,00.01.17\r\n".to_vec(),
        "*OPC?" => b"1\n".to_vec(),
        "SYST:ERR?" => b"0,\"No error\"\n".to_vec(),
        "WAV:DATA?" => [b"#9000000256".as_slice(), &every_byte(), b"\n"].concat(),
        "MEAS:VOLT?" => b"5.0005\n".to_vec(),
        _ => Vec::new(),
    });
    let mut client = converse(open(&address), PATIENT);
    assert_eq!(client.query_identity().unwrap().model, "DP832");
    client.command("VOLT 5").unwrap();
    assert_eq!(client.query_block("WAV:DATA?").unwrap(), every_byte());
    assert_eq!(client.query_number("MEAS:VOLT?").unwrap(), 5.0005);
}

fn every_byte() -> Vec<u8> {
    (0..=255).collect()
}

#[test]
fn a_large_block_arrives_whole() {
    let size = 3_000_017;
    let address = listen_lines(move |_| {
        let payload: Vec<u8> = (0..size).map(|n: u32| (n % 251) as u8).collect();
        [format!("#9{size:09}").as_bytes(), &payload, b"\n"].concat()
    });
    let block = converse(open(&address), PATIENT).query_block("WAV:DATA?").unwrap();
    assert_eq!(block.len(), size as usize);
    assert!(block.iter().zip(0_u32..).all(|(&byte, n)| u32::from(byte) == n % 251));
}

#[test]
fn a_question_that_is_cut_short_over_a_socket_ends_soon_and_its_answer_is_not_taken_for_the_next_one() {
    let address = listen_lines(|line| match line {
        "SLOW?" => {
            RealClock::new().sleep(SHORT * 4);
            b"slow\n".to_vec()
        }
        "QUICK?" => b"quick\n".to_vec(),
        "*ESE?" => EVENT_ENABLE.with_borrow(|value| format!("{value}\n").into_bytes()),
        set => {
            if let Some(value) = set.strip_prefix("*ESE ") {
                EVENT_ENABLE.set(value.to_owned());
            }
            Vec::new()
        }
    });
    let settings = LinkSettings::default();
    let cut = settings.cut.clone();
    let mut client = converse(open_with(&address, &settings), PATIENT);
    let (outcome, took) = std::thread::scope(|scope| {
        scope.spawn(|| {
            RealClock::new().sleep(SHORT);
            cut.ask();
        });
        timed(|| client.query("SLOW?"))
    });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::CutShort);
    assert!(took < PATIENT / 2, "{took:?}");
    cut.spare(PATIENT);
    assert_eq!(client.query("QUICK?").unwrap(), "quick");
}

#[test]
fn a_spared_link_gives_up_after_its_silence_and_opening_is_cut_short_too() {
    let address = listen(|mut stream| {
        let mut rubbish = [0; 256];
        while stream.read(&mut rubbish).is_ok_and(|count| count > 0) {}
    });
    let settings = LinkSettings::default();
    let mut client = converse(open_with(&address, &settings), PATIENT);
    settings.cut.spare(SHORT);
    let (outcome, took) = timed(|| client.query("*IDN?"));
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::CutShort);
    assert!((SHORT..PATIENT / 2).contains(&took), "{took:?}");
    // An address that nobody has: packets to it vanish, or the system says at once that there is no way.
    let settings = LinkSettings { connect_timeout: PATIENT, ..LinkSettings::default() };
    settings.cut.ask();
    let nobody: Address = "TCPIP0::192.0.2.1::5025::SOCKET".parse().unwrap();
    let (outcome, took) = timed(|| RealOpener.open(&nobody, &settings).map(|_| ()));
    assert!(matches!(outcome, Err(LinkError::CutShort | LinkError::NotOpened { .. })), "{outcome:?}");
    assert!(took < PATIENT / 2, "{took:?}");
}

#[test]
fn a_late_answer_over_a_socket_is_not_taken_for_the_next_one() {
    let address = listen_lines(|line| match line {
        "SLOW?" => {
            RealClock::new().sleep(SHORT * 2);
            b"slow\n".to_vec()
        }
        "QUICK?" => b"quick\n".to_vec(),
        "*ESE?" => EVENT_ENABLE.with_borrow(|value| format!("{value}\n").into_bytes()),
        "SYST:ERR?" => b"0,\"No error\"\n".to_vec(),
        set => {
            if let Some(value) = set.strip_prefix("*ESE ") {
                EVENT_ENABLE.set(value.to_owned());
            }
            Vec::new()
        }
    });
    // The time-out is a property of the question here; answers to the probes may take as long as they need.
    let mut client = converse(open(&address), PATIENT);
    for _ in 0..3 {
        let late = client.query_with_timeout("SLOW?", SHORT).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::TimedOut, "{late}");
        assert_eq!(client.query("QUICK?").unwrap(), "quick");
    }
}

thread_local! {
    static EVENT_ENABLE: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

#[test]
fn garbage_is_nonsense_and_never_a_number() {
    let address = listen_lines(|_| b"\xff\xfe\x00%$5.0\n".to_vec());
    let fault = converse(open(&address), SHORT).query_number("MEAS:VOLT?").unwrap_err();
    assert_eq!(fault.kind(), ErrorKind::Nonsense);
    insta::assert_snapshot!(fault.to_string(), @r"`MEAS:VOLT?` was answered with `\xc3\xbf\xc3\xbe\x00%$5.0`, which is not a number");
}

#[test]
fn an_endless_answer_is_an_error_not_memory() {
    let address = listen(|mut stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
    let settings = LinkSettings { message_limit: 100_000, ..LinkSettings::default() };
    let mut link = open_with(&address, &settings);
    assert!(matches!(link.receive(PATIENT), Err(LinkError::TooLong(100_000))));
    let (again, took) = timed(|| link.receive(SHORT));
    assert!(matches!(again, Err(LinkError::TimedOut(_))), "{again:?}");
    assert!(took < PATIENT);
    link.clear().unwrap();
    let mut client = converse(link, SHORT);
    let (fault, took) = timed(|| client.query("MEAS:VOLT?").unwrap_err());
    assert!(matches!(fault.kind(), ErrorKind::Nonsense | ErrorKind::TimedOut), "{fault}");
    assert!(took < PATIENT);
}

#[test]
fn a_byte_now_and_then_does_not_stretch_the_time_out() {
    let address = listen(|mut stream| {
        while stream.write_all(b"5").is_ok() {
            RealClock::new().sleep(SHORT / 10);
        }
    });
    let mut link = open(&address);
    let (outcome, took) = timed(|| link.receive(SHORT * 2));
    assert!(matches!(outcome, Err(LinkError::TimedOut(_))), "{outcome:?}");
    assert!(took >= SHORT * 2 && took < PATIENT, "{took:?}");
}

#[test]
fn what_came_in_part_is_kept_for_the_next_receive() {
    let address = listen(|mut stream| {
        stream.write_all(b"5.0").unwrap();
        let _ = stream.read(&mut [0; 16]);
        stream.write_all(b"005\nrest").unwrap();
    });
    let mut link = open(&address);
    assert!(matches!(link.receive(SHORT), Err(LinkError::TimedOut(_))));
    link.send(b"go on").unwrap();
    assert_eq!(link.receive(PATIENT).unwrap(), b"5.0005");
    let lost = link.receive(PATIENT).unwrap_err();
    insta::assert_snapshot!(lost.to_string(), @"the link is closed: the other end closed the connection");
    for fault in [link.send(b"*IDN?").unwrap_err(), link.clear().unwrap_err()] {
        assert_eq!(fault.to_string(), lost.to_string(), "lost stays lost");
    }
}

#[test]
fn a_block_that_is_cut_short_is_a_lost_link() {
    let address = listen(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        stream.write_all(b"#9000001200only a part").unwrap();
    });
    let fault = converse(open(&address), PATIENT).query_block("WAV:DATA?").unwrap_err();
    assert_eq!(fault.kind(), ErrorKind::LinkLost);
    insta::assert_snapshot!(fault.to_string(), @"the link was lost at `WAV:DATA?`: the other end closed the connection");
}

#[test]
fn an_instrument_that_takes_nothing_does_not_hold_us_up() {
    // The thread keeps the connection open and never reads.
    let address = listen(|stream| {
        RealClock::new().sleep(PATIENT);
        drop(stream);
    });
    let settings = LinkSettings { write_timeout: SHORT, ..LinkSettings::default() };
    let mut link = open_with(&address, &settings);
    let large = vec![b'x'; 64 << 20];
    let (outcome, took) = timed(|| link.send(&large));
    assert!(matches!(outcome, Err(LinkError::Lost(_))), "{outcome:?}");
    assert!(took < PATIENT, "{took:?}");
}

#[test]
fn a_dead_address_never_hangs() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let settings = LinkSettings { connect_timeout: Duration::from_millis(300), ..LinkSettings::default() };
    let dead = [
        format!("TCPIP0::127.0.0.1::{closed}::SOCKET"),
        // TEST-NET-1 of RFC 5737: nobody is there.
        "TCPIP0::192.0.2.1::5025::SOCKET".to_owned(),
        "TCPIP0::no-such-instrument.invalid::5025::SOCKET".to_owned(),
        "ASRL/dev/no-such-port::INSTR".to_owned(),
        "ASRL/dev/null::INSTR".to_owned(),
        "SIM::supply".to_owned(),
    ];
    for text in dead {
        let address: Address = text.parse().unwrap();
        let (outcome, took) = timed(|| RealOpener.open(&address, &settings).map(|_| ()));
        let fault = outcome.unwrap_err();
        assert!(matches!(fault, LinkError::NotOpened { .. }), "{fault}");
        assert!(fault.to_string().starts_with(&format!("cannot open {text}: ")), "{fault}");
        assert!(took < PATIENT, "{text} took {took:?}");
    }
    let refused = format!("TCPIP0::127.0.0.1::{closed}::SOCKET").parse().unwrap();
    let fault = RealOpener.open(&refused, &settings).map(|_| ()).unwrap_err();
    assert!(fault.to_string().contains("nothing listens there"), "{fault}");
}

#[cfg(unix)]
mod pty {
    use super::*;
    use serialport::{SerialPort, TTYPort};
    use soakrig::link::transport::Framing;
    use soakrig::link::wire::line::LinePattern;

    /// An instrument on a pty; ends, and so unplugs itself, when it reads `UNPLUG`.
    fn plug(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (Address, JoinHandle<()>) {
        let (mut master, slave) = TTYPort::pair().unwrap();
        let address = Address::Serial { path: slave.name().unwrap() };
        let instrument = std::thread::spawn(move || {
            // Kept open, or the instrument would see a hang-up whenever no client is there.
            let _slave = slave;
            master.set_timeout(PATIENT).unwrap();
            let mut line = Vec::new();
            let mut byte = [0];
            while master.read_exact(&mut byte).is_ok() {
                if byte != *b"\n" {
                    line.push(byte[0]);
                    continue;
                }
                let text = String::from_utf8(std::mem::take(&mut line)).unwrap();
                if text == "UNPLUG" || master.write_all(&answer(&text)).is_err() {
                    return;
                }
            }
        });
        (address, instrument)
    }

    #[test]
    fn questions_and_blocks_pass_over_a_serial_line() {
        let (address, _instrument) = plug(|line| match line {
            "WAV:DATA?" => [b"#3256".as_slice(), &every_byte(), b"\r\n"].concat(),
            "*IDN?" => b"MAKER,MODEL,1,2\r\n".to_vec(),
            _ => Vec::new(),
        });
        let mut client = converse(open(&address), PATIENT);
        assert_eq!(client.query_identity().unwrap().maker, "MAKER");
        assert_eq!(client.query_block("WAV:DATA?").unwrap(), every_byte());
        let long = format!("ECHO {}", "x".repeat(2000));
        client = Client::new(
            open_again(client, &address),
            Arc::new(RealClock::new()),
            Conversation {
                completion: Completion::Time(Duration::ZERO),
                error_query: None,
                answer_timeout: PATIENT,
                ..Conversation::default()
            },
        );
        client.command(&long).unwrap();
        assert_eq!(client.query("*IDN?").unwrap(), "MAKER,MODEL,1,2");
    }

    /// The port is opened for one program alone, so the old conversation ends first.
    fn open_again(client: Client, address: &Address) -> Box<dyn Transport> {
        let taken = RealOpener.open(address, &LinkSettings::default()).map(|_| ()).unwrap_err();
        assert!(taken.to_string().contains("another program"), "{taken}");
        drop(client);
        open(address)
    }

    #[test]
    fn an_unplugged_serial_line_is_a_lost_link() {
        let (address, instrument) = plug(|_| Vec::new());
        let mut link = open(&address);
        link.send(b"UNPLUG").unwrap();
        instrument.join().unwrap();
        let (outcome, took) = timed(|| link.receive(PATIENT));
        let lost = outcome.unwrap_err();
        assert!(matches!(&lost, LinkError::Lost(reason) if reason.contains("was it unplugged?")), "{lost}");
        assert!(took < PATIENT);
        assert!(matches!(link.send(b"*IDN?"), Err(LinkError::Lost(_))));
        drop(link);
        let gone = RealOpener.open(&address, &LinkSettings::default()).map(|_| ()).unwrap_err();
        assert!(matches!(gone, LinkError::NotOpened { .. }), "{gone}");
    }

    #[test]
    fn a_sensor_that_just_sends_is_read_line_by_line_and_its_silence_is_noticed() {
        let (address, _sensor) = plug(|_| b"board=41.25,ambient=23.5\r\n#15\r\nboard=41.50\r\n".to_vec());
        let settings = LinkSettings { framing: Framing::Line, baud: 115_200, ..LinkSettings::default() };
        let mut link = open_with(&address, &settings);
        let board = LinePattern::KeyValue { key: "board".to_owned() };
        link.send(b"now").unwrap();
        let mut read = || link.receive(PATIENT).map(|line| board.read_value(&line).ok()).unwrap();
        assert_eq!([read(), read(), read()], [Some(41.25), None, Some(41.5)]);
        assert!(matches!(link.receive(SHORT), Err(LinkError::TimedOut(_))));
    }
}
