//! What the conversation costs beside a bare socket: round trips, and a block of ten megabytes turned into samples.
//!
//! Both sides of a ratio talk to the same echo server on loopback, in turns, in one run; the medians of the rounds count.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use soakrig::base::clock::{Clock, RealClock};
use soakrig::link::scpi::{Client, Conversation};
use soakrig::link::transport::{Address, LinkSettings, Opener, RealOpener};

const ROUNDS: usize = 15;
const EXCHANGES: u32 = 2000;
const BLOCK_ROUNDS: usize = 25;
const BLOCK_BYTES: usize = 10_000_000;
const HEADER: &str = "#9010000000";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    // `cargo test --benches` only wants to know whether it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let port = serve()?;
    round_trips(port)?;
    blocks(port)
}

/// Answers `5.000` to every line, and a block to `WAV:DATA?`; a thread a client.
fn serve() -> Outcome<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let mut block = HEADER.as_bytes().to_vec();
    block.extend((0..BLOCK_BYTES).map(|n| (n % 251) as u8));
    block.push(b'\n');
    let block = Arc::new(block);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let block = Arc::clone(&block);
            std::thread::spawn(move || answer(stream, &block));
        }
    });
    Ok(port)
}

fn answer(mut stream: TcpStream, block: &[u8]) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let reply: &[u8] = if line.starts_with("WAV") { block } else { b"5.000\n" };
        stream.write_all(reply).ok()?;
    }
}

fn bare(port: u16) -> Outcome<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn client(port: u16) -> Outcome<Client> {
    let address = Address::Socket { host: "127.0.0.1".to_owned(), port };
    let link = RealOpener.open(&address, &LinkSettings::default())?;
    Ok(Client::new(link, Arc::new(RealClock::new()), Conversation::default()))
}

fn round_trips(port: u16) -> Outcome<()> {
    let (mut with_client, mut without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // Connected anew each round: on which core a server's thread lands decides more than either side of the ratio.
        let (mut stream, mut client) = (bare(port)?, client(port)?);
        without.push(timed(|| {
            let mut buffer = [0; 256];
            for _ in 0..EXCHANGES {
                stream.write_all(b"MEAS:VOLT?\n")?;
                let mut count = 0;
                while count == 0 || buffer[count - 1] != b'\n' {
                    count += stream.read(&mut buffer[count..])?;
                }
                black_box(&buffer[..count]);
            }
            Ok(())
        })?);
        with_client.push(timed(|| {
            for _ in 0..EXCHANGES {
                black_box(client.query("MEAS:VOLT?")?);
            }
            Ok(())
        })?);
    }
    let rate = |spans: Vec<f64>| f64::from(EXCHANGES) / median(spans);
    report("query round trip", "1/s", rate(with_client), rate(without), 0.9);
    Ok(())
}

fn blocks(port: u16) -> Outcome<()> {
    let (mut stream, mut client) = (bare(port)?, client(port)?);
    let (mut with_client, mut without) = (Vec::new(), Vec::new());
    let mut raw = vec![0; HEADER.len() + BLOCK_BYTES + 1];
    let mut samples: Vec<f32> = Vec::new();
    for _ in 0..BLOCK_ROUNDS {
        without.push(timed(|| {
            stream.write_all(b"WAV:DATA?\n")?;
            stream.read_exact(&mut raw)?;
            black_box(&raw);
            Ok(())
        })?);
        with_client.push(timed(|| {
            let block = client.query_block("WAV:DATA?")?;
            samples.clear();
            samples.extend(block.iter().map(|&code| (f32::from(code.cast_signed()) - 27.0) * 0.04));
            black_box(&samples);
            Ok(())
        })?);
    }
    let rate = |spans: Vec<f64>| BLOCK_BYTES as f64 / 1e6 / median(spans);
    report("10 MB block into samples", "MB/s", rate(with_client), rate(without), 0.5);
    Ok(())
}

/// Seconds that `work` took.
fn timed(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let clock = RealClock::new();
    let begun = clock.now();
    work()?;
    Ok(clock.now().since(begun).max(Duration::from_nanos(1)).as_secs_f64())
}

fn median(mut spans: Vec<f64>) -> f64 {
    spans.sort_by(f64::total_cmp);
    spans[spans.len() / 2]
}

#[allow(clippy::print_stdout)] // The ratios are this program's product.
fn report(name: &str, unit: &str, ours: f64, bare: f64, aim: f64) {
    println!("{name}: {ours:.0} {unit}, bare: {bare:.0} {unit}, ratio: {:.2} (aim >= {aim})", ours / bare);
}
