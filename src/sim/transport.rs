//! The door inside the process: `SIM::supply` and its sisters as transports.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use crate::base::clock::Instant;
use crate::base::cut::Cut;
use crate::link::transport::{Address, LinkError, LinkSettings, Opener, Transport};

use super::thermometer;
use super::world::{Bench, Instrument, World};

/// Opens `SIM::supply`, `SIM::load`, `SIM::scope` and `SIM::thermometer` of one world.
#[derive(Debug, Clone)]
pub struct SimOpener {
    world: Arc<World>,
}

impl SimOpener {
    /// An opener for the instruments of `world`.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        Self { world }
    }
}

impl Opener for SimOpener {
    fn open(&self, address: &Address, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
        let Address::Sim { instrument } = address else {
            let reason = "the simulated bench has only SIM:: addresses".to_owned();
            return Err(LinkError::NotOpened { address: format!("{address:?}"), reason });
        };
        let not_opened =
            |reason: String| LinkError::NotOpened { address: format!("SIM::{instrument}"), reason };
        let names = Instrument::ALL.map(Instrument::as_str).join(", ");
        let Some(instrument) = Instrument::named(instrument) else {
            return Err(not_opened(format!("the simulated bench has only {names}")));
        };
        let Some(boots) = self.world.boots(instrument) else {
            if !settings.cut.sleep(&**self.world.clock(), settings.connect_timeout) {
                return Err(LinkError::CutShort);
            }
            return Err(not_opened("it does not answer; it may be starting up".to_owned()));
        };
        self.world.clock().sleep(Duration::from_millis(1));
        let (world, cut) = (Arc::clone(&self.world), settings.cut.clone());
        Ok(if instrument == Instrument::Thermometer {
            let next = thermometer::next_after(world.clock().now());
            Box::new(SensorLink { world, next, boots, cut })
        } else {
            let (waiting, begun) = (VecDeque::new(), Vec::new());
            Box::new(InstrumentLink { world, instrument, boots, waiting, begun, cut })
        })
    }
}

fn lost() -> LinkError {
    LinkError::Lost("the instrument closed the connection".to_owned())
}

/// A link to an instrument that answers.
struct InstrumentLink {
    world: Arc<World>,
    instrument: Instrument,
    boots: u64,
    /// Answers that are on their way, with the time they are out and whether their end comes.
    waiting: VecDeque<(Instant, Vec<u8>, bool)>,
    /// What has come of an answer whose end has not: the next one joins it, as on a stream.
    begun: Vec<u8>,
    cut: Cut,
}

impl InstrumentLink {
    fn check_link(&self) -> Result<(), LinkError> {
        if self.world.boots(self.instrument) == Some(self.boots) { Ok(()) } else { Err(lost()) }
    }
}

impl Transport for InstrumentLink {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        self.check_link()?;
        if self.cut.is_now() {
            return Err(LinkError::CutShort);
        }
        let reply = self.world.ask(self.instrument, message);
        if let Some(bytes) = reply.bytes {
            // A stream keeps its order: nothing overtakes.
            let behind = self.waiting.back().map_or(reply.ready, |(ready, ..)| reply.ready.max(*ready));
            self.waiting.push_back((behind, bytes, reply.ended));
        }
        Ok(())
    }

    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        self.check_link()?;
        let clock = self.world.clock();
        let end = clock.now() + timeout;
        loop {
            let now = clock.now();
            let left = end.since(now);
            let wait = self.waiting.front().map(|(ready, ..)| ready.since(now));
            let comes = wait.filter(|wait| *wait <= left);
            if !self.cut.sleep(&**clock, comes.unwrap_or(left)) {
                return Err(LinkError::CutShort);
            }
            if comes.is_none() {
                return Err(LinkError::TimedOut(timeout));
            }
            self.check_link()?;
            let Some((_, bytes, ended)) = self.waiting.pop_front() else { continue };
            if ended && self.begun.is_empty() {
                return Ok(bytes);
            }
            self.begun.extend(bytes);
            if ended {
                return Ok(std::mem::take(&mut self.begun));
            }
        }
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        self.check_link()?;
        let now = self.world.clock().now();
        self.waiting.retain(|(ready, ..)| *ready > now);
        self.begun.clear();
        Ok(())
    }
}

/// A link to the thermometer, which just sends. What was sent before the link was opened is gone.
struct SensorLink {
    world: Arc<World>,
    next: u64,
    boots: u64,
    cut: Cut,
}

impl SensorLink {
    /// The bench, if this link to it is still one.
    fn bench(&self) -> Result<MutexGuard<'_, Bench>, LinkError> {
        self.world.bench_of_link(Instrument::Thermometer, self.boots).ok_or_else(lost)
    }
}

impl Transport for SensorLink {
    fn send(&mut self, _: &[u8]) -> Result<(), LinkError> {
        self.bench().map(|_| ())
    }

    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        let mut silent = self.bench()?.faults.thermometer_silent;
        let clock = self.world.clock();
        let end = clock.now() + timeout;
        loop {
            let due = thermometer::due(self.next);
            if silent || due > end {
                if !self.cut.sleep(&**clock, end.since(clock.now())) {
                    return Err(LinkError::CutShort);
                }
                // A silent sensor's lines were never sent: they do not come later either.
                if silent {
                    self.next = thermometer::next_after(clock.now());
                }
                return Err(LinkError::TimedOut(timeout));
            }
            if !self.cut.sleep(&**clock, due.since(clock.now())) {
                return Err(LinkError::CutShort);
            }
            let line = {
                let mut bench = self.bench()?;
                silent = bench.faults.thermometer_silent;
                thermometer::line(&mut bench, self.next)
            };
            self.next += 1;
            // A line older than the buffer is lost, as on a serial port that nobody read.
            if let Some(line) = line {
                return Ok(line.into_bytes());
            }
        }
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        drop(self.bench()?);
        self.next = thermometer::next_after(self.world.clock().now());
        Ok(())
    }
}
