//! Plays a tape: the other end answers as it once did, and the first difference is an error.

use std::sync::Arc;
use std::time::Duration;

use super::{LinkError, Transport};
use crate::base::clock::{Clock, Instant};
use crate::link::wire::excerpt;
use crate::link::wire::tape::{Direction, Failure, TapeLine};

/// A link whose other end is a tape. It takes as long as the recorded conversation took.
pub struct Replay {
    tape: Vec<TapeLine>,
    next: usize,
    clock: Arc<dyn Clock>,
    last: Option<Instant>,
    differs: Option<String>,
}

impl Replay {
    /// Plays `tape` from its beginning.
    #[must_use]
    pub fn new(tape: Vec<TapeLine>, clock: Arc<dyn Clock>) -> Self {
        Self { tape, next: 0, clock, last: None, differs: None }
    }

    /// How many lines of the tape have not been played.
    #[must_use]
    pub fn lines_left(&self) -> usize {
        self.tape.len() - self.next
    }

    /// The next line of the tape, if it is what is being done now.
    fn play(&mut self, direction: Direction, bytes: Option<&[u8]>) -> Result<TapeLine, LinkError> {
        if let Some(difference) = &self.differs {
            return Err(LinkError::ReplayDiffers(difference.clone()));
        }
        let now = describe(direction, bytes.unwrap_or_default());
        let difference = match self.tape.get(self.next) {
            None => format!("the tape has ended after {} lines, but now it {now}", self.tape.len()),
            Some(line) if line.direction == direction && bytes.is_none_or(|bytes| bytes == line.bytes) => {
                let line = line.clone();
                self.wait_for(line.at);
                self.next += 1;
                return Ok(line);
            }
            Some(line) => {
                let then = describe(line.direction, &line.bytes);
                format!("in line {} of the tape it {then}, but now it {now}", self.next + 1)
            }
        };
        self.differs = Some(difference.clone());
        Err(LinkError::ReplayDiffers(difference))
    }

    fn wait_for(&mut self, at: Instant) {
        let gap = self.last.map_or(Duration::ZERO, |last| at.since(last));
        self.last = Some(at);
        if !gap.is_zero() {
            self.clock.sleep(gap);
        }
    }
}

fn describe(direction: Direction, bytes: &[u8]) -> String {
    match direction {
        Direction::Sent => format!("sends `{}`", excerpt(bytes)),
        Direction::Received => "waits for an answer".to_owned(),
        Direction::Cleared => "drops what has arrived".to_owned(),
    }
}

fn outcome_of(line: TapeLine) -> Result<Vec<u8>, LinkError> {
    match line.failure {
        None => Ok(line.bytes),
        Some(Failure::TimedOut(span)) => Err(LinkError::TimedOut(span)),
        Some(Failure::CutShort) => Err(LinkError::CutShort),
        Some(Failure::Lost(reason)) => Err(LinkError::Lost(reason)),
        Some(Failure::TooLong(limit)) => Err(LinkError::TooLong(limit)),
        Some(Failure::Malformed(reason)) => Err(LinkError::Malformed(reason)),
    }
}

impl Transport for Replay {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        self.play(Direction::Sent, Some(message)).and_then(outcome_of).map(|_| ())
    }

    fn receive(&mut self, _timeout: Duration) -> Result<Vec<u8>, LinkError> {
        self.play(Direction::Received, None).and_then(outcome_of)
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        self.play(Direction::Cleared, None).and_then(outcome_of).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::base::clock::SimClock;
    use crate::link::transport::Trace;
    use crate::link::wire::tape::{TapeLine, parse_tape};

    const TAPE: &str = r#"
        1000000 > "MEAS:VOLT?"
        3000000 < "5.000"
        4000000 > "MEAS:CURR?"
        504000000 < "" ! timed out 500000000
        504000000 - ""
        505000000 > "*RST" ! lost "unplugged"
    "#;

    fn play() -> (Replay, Arc<SimClock>) {
        let text: Vec<&str> = TAPE.lines().map(str::trim).collect();
        let clock = Arc::new(SimClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap()));
        (Replay::new(parse_tape(&text.join("\n")).unwrap(), clock.clone()), clock)
    }

    #[test]
    fn a_tape_plays_as_it_was_taken_and_its_trace_is_the_same_tape() {
        let (replay, clock) = play();
        let tape: Arc<Mutex<Vec<TapeLine>>> = Arc::default();
        clock.sleep(Duration::from_millis(1));
        let mut link = Trace::new(Box::new(replay), clock.clone(), tape.clone());
        let timeout = Duration::from_millis(500);
        link.send(b"MEAS:VOLT?").unwrap();
        assert_eq!(link.receive(timeout).unwrap(), b"5.000");
        link.send(b"MEAS:CURR?").unwrap();
        assert!(matches!(link.receive(timeout), Err(LinkError::TimedOut(_))));
        link.clear().unwrap();
        assert!(matches!(link.send(b"*RST"), Err(LinkError::Lost(_))));
        let written: Vec<String> =
            tape.lock().unwrap().iter().map(|line| format!("        {}\n", line.render())).collect();
        assert_eq!(format!("\n{}    ", written.concat()), TAPE);
    }

    #[test]
    fn the_first_difference_is_the_error_and_stays_it() {
        let (mut link, _) = play();
        link.send(b"MEAS:VOLT?").unwrap();
        let first = link.send(b"*IDN?").unwrap_err().to_string();
        insta::assert_snapshot!(first, @"the replay differs: in line 2 of the tape it waits for an answer, but now it sends `*IDN?`");
        assert_eq!(link.receive(Duration::ZERO).unwrap_err().to_string(), first);
        let (mut link, _) = play();
        let other = link.send(b"MEAS:CURR?").unwrap_err().to_string();
        insta::assert_snapshot!(other, @"the replay differs: in line 1 of the tape it sends `MEAS:VOLT?`, but now it sends `MEAS:CURR?`");
        assert_eq!(link.lines_left(), 6);
    }

    #[test]
    fn a_tape_that_has_ended_answers_nothing() {
        let (_, clock) = play();
        let mut link = Replay::new(Vec::new(), clock);
        let ended = link.clear().unwrap_err().to_string();
        insta::assert_snapshot!(ended, @"the replay differs: the tape has ended after 0 lines, but now it drops what has arrived");
    }
}
