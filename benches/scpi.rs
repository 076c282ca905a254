//! What the conversation costs beside a bare socket: round trips, and a block of ten megabytes turned into samples.
//!
//! Both sides of a ratio are served by the same thread, one after the other, over connections that are opened in the same
//! way, and read in pieces of the same size. They take turns in many short rounds; who begins changes from round to round.
//! A round gives one ratio; the median of the rounds counts, and their spread is told with it. Beside it stands the ratio of
//! each side's best tenth: on a machine with other work to do that is what was least disturbed.
//!
//! Which core a thread lands on decides more than either side: waking a sleeping core takes longer than an exchange. For
//! round trips both threads therefore share one core, and for blocks each has its own, where `taskset` can see to that.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use soakrig::base::clock::{Clock, RealClock};
use soakrig::link::scpi::{Client, Conversation};
use soakrig::link::transport::{Address, LinkSettings, Opener, RealOpener};

const ROUNDS: usize = 301;
const EXCHANGES: u32 = 100;
const BLOCK_ROUNDS: usize = 61;
const BLOCK_BYTES: usize = 10_000_000;
const HEADER: &str = "#9010000000";
/// Bytes asked of the socket at once, on both sides: what the client's link asks for.
const CHUNK: usize = 256 << 10;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    // `cargo test --benches` only wants to know whether it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let server = Server::start()?;
    let (own, other) = allowed_cores();
    let placed = pin("self", &own) && pin(&server.task, &own);
    compare(placed, "query round trip", (ROUNDS, "1/s", 0.9), |side| {
        let seconds = server.round_trips(side)?;
        Ok(f64::from(EXCHANGES) / seconds)
    })?;
    let placed = own != other && pin(&server.task, &other);
    compare(placed, "10 MB block into samples", (BLOCK_ROUNDS, "MB/s", 0.5), |side| {
        Ok(BLOCK_BYTES as f64 / 1e6 / server.block(side)?)
    })
}

/// Who asks.
#[derive(Clone, Copy)]
enum Side {
    Bare,
    Client,
}

/// The other end: one thread, which serves one connection after the other.
struct Server {
    port: u16,
    /// The thread's number in the system.
    task: String,
}

impl Server {
    /// Answers `5.000` to every line, and a block to `WAV:DATA?`.
    fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let mut block = HEADER.as_bytes().to_vec();
        block.extend((0..BLOCK_BYTES).map(|n| (n % 251) as u8));
        block.push(b'\n');
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = tell.send(task());
            for stream in listener.incoming().flatten() {
                answer(stream, &block);
            }
        });
        Ok(Self { port, task: told.recv()? })
    }

    /// Seconds that a round of exchanges takes, on a connection of its own.
    fn round_trips(&self, side: Side) -> Outcome<f64> {
        match side {
            Side::Bare => {
                let (mut stream, mut buffer) = (self.bare()?, vec![0; CHUNK]);
                let mut exchange = || -> Outcome<()> {
                    stream.write_all(b"MEAS:VOLT?\n")?;
                    let mut count = 0;
                    while count == 0 || buffer[count - 1] != b'\n' {
                        count += stream.read(&mut buffer[count..])?;
                    }
                    black_box(&buffer[..count]);
                    Ok(())
                };
                exchange()?;
                timed(|| (0..EXCHANGES).try_for_each(|_| exchange()))
            }
            Side::Client => {
                let mut client = self.client()?;
                black_box(client.query("MEAS:VOLT?")?);
                timed(|| {
                    (0..EXCHANGES).try_for_each(|_| {
                        black_box(client.query("MEAS:VOLT?")?);
                        Ok(())
                    })
                })
            }
        }
    }

    /// Seconds that a block takes, on a connection of its own that has carried one already: the system widens the windows of
    /// a connection while it is used.
    fn block(&self, side: Side) -> Outcome<f64> {
        match side {
            Side::Bare => {
                let mut stream = self.bare()?;
                let mut raw = vec![0; HEADER.len() + BLOCK_BYTES + 1];
                let mut read = || -> Outcome<()> {
                    stream.write_all(b"WAV:DATA?\n")?;
                    raw.chunks_mut(CHUNK).try_for_each(|chunk| stream.read_exact(chunk))?;
                    black_box(&raw);
                    Ok(())
                };
                read()?;
                timed(read)
            }
            Side::Client => {
                let (mut client, mut samples) = (self.client()?, Vec::<f32>::new());
                let mut read = || -> Outcome<()> {
                    let block = client.query_block("WAV:DATA?")?;
                    samples.clear();
                    samples.extend(block.iter().map(|&code| (f32::from(code.cast_signed()) - 27.0) * 0.04));
                    black_box(&samples);
                    Ok(())
                };
                read()?;
                timed(read)
            }
        }
    }

    fn bare(&self) -> Outcome<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn client(&self) -> Outcome<Client> {
        let address = Address::Socket { host: "127.0.0.1".to_owned(), port: self.port };
        let link = RealOpener.open(&address, &LinkSettings::default())?;
        Ok(Client::new(link, Arc::new(RealClock::new()), Conversation::default()))
    }
}

/// Until the other end hangs up.
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

/// Lets both sides take turns, and tells what came of it.
#[allow(clippy::print_stdout)] // The ratios are this program's product.
fn compare(
    is_placed: bool,
    name: &str,
    (rounds, unit, aim): (usize, &str, f64),
    mut rate: impl FnMut(Side) -> Outcome<f64>,
) -> Outcome<()> {
    // Caches, branch predictors and the clock of the processor come to their pace.
    for side in [Side::Bare, Side::Client] {
        rate(side)?;
    }
    let (mut bare, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (without, with_client) = if round % 2 == 0 {
            let without = rate(Side::Bare)?;
            (without, rate(Side::Client)?)
        } else {
            let with_client = rate(Side::Client)?;
            (rate(Side::Bare)?, with_client)
        };
        bare.push(without);
        ours.push(with_client);
        ratios.push(with_client / without);
    }
    let (bare, ours, ratios) = (Sorted::new(bare), Sorted::new(ours), Sorted::new(ratios));
    println!(
        "{name}: {:.0} {unit}, bare: {:.0} {unit}, ratio: {:.2} (aim >= {aim}), of the best tenths {:.2}; \
         {rounds} rounds: half within {:.2} to {:.2}, all within {:.2} to {:.2}{}",
        ours.at(0.5),
        bare.at(0.5),
        ratios.at(0.5),
        ours.at(0.9) / bare.at(0.9),
        ratios.at(0.25),
        ratios.at(0.75),
        ratios.at(0.0),
        ratios.at(1.0),
        if is_placed { "" } else { "; the cores were left to chance" },
    );
    Ok(())
}

/// Values in their order.
struct Sorted(Vec<f64>);

impl Sorted {
    fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The value below which this share of them lies.
    fn at(&self, share: f64) -> f64 {
        self.0[(share * (self.0.len() - 1) as f64).round() as usize]
    }
}

/// Seconds that `work` took.
fn timed(work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let clock = RealClock::new();
    let begun = clock.now();
    work()?;
    Ok(clock.now().since(begun).max(Duration::from_nanos(1)).as_secs_f64())
}

/// The number of the calling thread; empty where the system does not tell it.
fn task() -> String {
    let link = std::fs::read_link("/proc/thread-self").ok();
    let name = link.as_ref().and_then(|path| path.file_name());
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The first and the last core on which this program may run; empty where the system does not tell them.
fn allowed_cores() -> (String, String) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let mut cores = list.trim().split([',', '-']);
    let first = cores.next().unwrap_or_default();
    (first.to_owned(), cores.next_back().unwrap_or(first).to_owned())
}

/// Keeps a thread on one core; `false` where that cannot be done.
fn pin(thread: &str, core: &str) -> bool {
    let thread = if thread == "self" { task() } else { thread.to_owned() };
    let mut taskset = Command::new("taskset");
    let quiet = taskset.args(["-p", "-c", core, &thread]).stdout(Stdio::null()).stderr(Stdio::null());
    !thread.is_empty() && !core.is_empty() && quiet.status().is_ok_and(|status| status.success())
}
