//! A link that goes wrong as links do, by a seed: the same seed and the same conversation give the same faults.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::{LinkError, Transport};
use crate::base::clock::{Clock, Instant};
use crate::base::random::Random;
use crate::link::wire::frame::Framer;

/// How often what goes wrong. Chances are between 0 (never) and 1 (always), for each message anew.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// Every answer is late by a random time up to this.
    pub delay: Duration,
    /// A message, in either direction, never arrives.
    pub drop: f64,
    /// The link is lost at this message; a question may or may not have reached the instrument.
    pub cut: f64,
    /// One byte of an answer is changed.
    pub corrupt: f64,
    /// Only the first half of an answer arrives, without its end.
    pub half: f64,
    /// An answer arrives only after the time-out of whoever waits for it, by up to `late_by`, to be found by the next one.
    pub late: f64,
    /// See `late`.
    pub late_by: Duration,
}

/// A link around another that makes faults.
pub struct FaultLink {
    inner: Box<dyn Transport>,
    clock: Arc<dyn Clock>,
    faults: Faults,
    random: Random,
    /// What is still on its way, in its order, and when it arrives.
    coming: VecDeque<(Instant, Vec<u8>)>,
    /// What has arrived: half a message joins with what comes behind it, as it does on a stream.
    framer: Framer,
    cut: bool,
}

/// The longest message that passes, in bytes.
const LIMIT: usize = 256 << 20;

impl FaultLink {
    /// Makes `faults` on `inner`, chosen by `seed`.
    #[must_use]
    pub fn new(inner: Box<dyn Transport>, clock: Arc<dyn Clock>, seed: u64, faults: Faults) -> Self {
        let framer = Framer::scpi(LIMIT);
        Self {
            inner,
            clock,
            faults,
            random: Random::seeded(seed),
            coming: VecDeque::new(),
            framer,
            cut: false,
        }
    }

    fn ensure_open(&self) -> Result<(), LinkError> {
        if self.cut { Err(LinkError::Lost("the link was cut".to_owned())) } else { Ok(()) }
    }

    fn cut(&mut self) -> LinkError {
        self.cut = true;
        LinkError::Lost("the link was cut".to_owned())
    }

    /// Decides what becomes of an answer that the other end has given while somebody waited for `timeout`.
    fn schedule(&mut self, mut answer: Vec<u8>, timeout: Duration) -> Result<(), LinkError> {
        if self.random.happens(self.faults.cut) {
            return Err(self.cut());
        }
        if self.random.happens(self.faults.drop) {
            return Ok(());
        }
        if self.random.happens(self.faults.corrupt) && !answer.is_empty() {
            let at = self.random.below(answer.len());
            answer[at] ^= 1 << self.random.below(8);
        }
        if self.random.happens(self.faults.half) {
            answer.truncate(answer.len() / 2);
        } else {
            answer.push(b'\n');
        }
        let mut arrives = self.clock.now() + part_of(self.faults.delay, &mut self.random);
        if self.random.happens(self.faults.late) {
            arrives = arrives + timeout + part_of(self.faults.late_by, &mut self.random);
        }
        // A stream keeps its order: nothing overtakes.
        let behind = self.coming.back().map_or(arrives, |(at, _)| arrives.max(*at));
        self.coming.push_back((behind, answer));
        Ok(())
    }

    fn sleep_until(&self, moment: Instant) {
        let span = moment.since(self.clock.now());
        if !span.is_zero() {
            self.clock.sleep(span);
        }
    }
}

impl Transport for FaultLink {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        self.ensure_open()?;
        if self.random.happens(self.faults.cut) {
            if self.random.happens(0.5) {
                self.inner.send(message)?;
            }
            return Err(self.cut());
        }
        if self.random.happens(self.faults.drop) {
            return Ok(());
        }
        self.inner.send(message)
    }

    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        self.ensure_open()?;
        let deadline = self.clock.now() + timeout;
        loop {
            if let Some(message) = self.framer.next_message().map_err(|fault| LinkError::TooLong(fault.0))? {
                return Ok(message);
            }
            if let Some((arrives, _)) = self.coming.front() {
                if *arrives > deadline {
                    self.sleep_until(deadline);
                    return Err(LinkError::TimedOut(timeout));
                }
                self.sleep_until(*arrives);
                if let Some((_, bytes)) = self.coming.pop_front() {
                    self.framer.push(&bytes);
                }
                continue;
            }
            match self.inner.receive(deadline.since(self.clock.now())) {
                Ok(answer) => self.schedule(answer, timeout)?,
                Err(LinkError::TimedOut(_)) => return Err(LinkError::TimedOut(timeout)),
                Err(fault) => return Err(fault),
            }
        }
    }

    fn has_unread(&self) -> bool {
        self.framer.has_unread() || self.inner.has_unread()
    }

    /// What is late has not arrived yet, so it stays on its way.
    fn clear(&mut self) -> Result<(), LinkError> {
        self.ensure_open()?;
        while let Ok(answer) = self.inner.receive(Duration::ZERO) {
            self.schedule(answer, Duration::ZERO)?;
        }
        self.inner.clear()?;
        let now = self.clock.now();
        self.coming.retain(|(arrives, _)| *arrives > now);
        self.framer.clear();
        Ok(())
    }
}

/// A random part of a span; a span of nothing draws nothing.
fn part_of(span: Duration, random: &mut Random) -> Duration {
    if span.is_zero() { span } else { span.mul_f64(random.fraction()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::SimClock;

    /// Answers every message with itself.
    struct Echo {
        answers: VecDeque<Vec<u8>>,
        clock: Arc<SimClock>,
    }

    impl Transport for Echo {
        fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
            self.answers.push_back(message.to_vec());
            Ok(())
        }
        fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
            self.answers.pop_front().ok_or_else(|| {
                self.clock.sleep(timeout);
                LinkError::TimedOut(timeout)
            })
        }
        fn clear(&mut self) -> Result<(), LinkError> {
            self.answers.clear();
            Ok(())
        }
    }

    fn link(faults: Faults) -> FaultLink {
        let clock = Arc::new(SimClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap()));
        let echo = Echo { answers: VecDeque::new(), clock: clock.clone() };
        FaultLink::new(Box::new(echo), clock, 7, faults)
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn exchange(link: &mut FaultLink, message: &[u8]) -> Result<Vec<u8>, LinkError> {
        link.send(message)?;
        link.receive(SECOND)
    }

    #[test]
    fn without_faults_everything_passes() {
        let mut link = link(Faults::default());
        assert_eq!(exchange(&mut link, b"5").unwrap(), b"5");
        link.send(b"old").unwrap();
        link.clear().unwrap();
        assert_eq!(exchange(&mut link, b"new").unwrap(), b"new");
    }

    #[test]
    fn a_late_answer_survives_a_clear_and_is_found_by_the_next_one() {
        let mut link = link(Faults { late: 1.0, late_by: SECOND / 2, ..Faults::default() });
        assert!(matches!(exchange(&mut link, b"first"), Err(LinkError::TimedOut(_))));
        link.clear().unwrap();
        assert_eq!(exchange(&mut link, b"second").unwrap(), b"first");
    }

    #[test]
    fn half_a_block_swallows_what_comes_behind_it() {
        let mut link = link(Faults { half: 1.0, ..Faults::default() });
        assert!(matches!(exchange(&mut link, b"#16abcdef"), Err(LinkError::TimedOut(_))));
        link.faults.half = 0.0;
        assert!(matches!(exchange(&mut link, b"5"), Err(LinkError::TimedOut(_))));
        assert_eq!(exchange(&mut link, b"678\n9").unwrap(), b"#16a5\n678", "the header counted them in");
        link.clear().unwrap();
        assert_eq!(exchange(&mut link, b"5").unwrap(), b"5");
    }

    #[test]
    fn a_cut_link_stays_cut_and_a_corrupt_byte_is_one_byte() {
        let mut link = link(Faults { cut: 1.0, ..Faults::default() });
        assert!(matches!(link.send(b"5"), Err(LinkError::Lost(_))));
        assert!(matches!(link.receive(SECOND), Err(LinkError::Lost(_))));
        assert!(matches!(link.clear(), Err(LinkError::Lost(_))));
        let mut link = self::link(Faults { corrupt: 1.0, ..Faults::default() });
        let got = exchange(&mut link, b"zzzzzzzz").unwrap();
        assert_eq!(got.iter().filter(|&&byte| byte != b'z').count(), 1);
    }

    #[test]
    fn a_seed_repeats_its_faults() {
        let run = || {
            let mut link = link(Faults { drop: 0.3, corrupt: 0.3, delay: SECOND * 2, ..Faults::default() });
            (0..50).map(|n| format!("{:?}", exchange(&mut link, &[n, n]))).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
    }
}
