//! Messages that wait to be sent by one way: bounded, the most urgent first, each tried again after a pause. Pure, time is an
//! argument.

use std::collections::VecDeque;
use std::time::Duration;

use super::level::Level;
use super::message::Message;
use crate::base::clock::Instant;

/// Messages that wait at most.
pub const MOST_WAITING: usize = 64;

/// The first pause before a message is tried again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A message and how often it was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// The message.
    pub message: Message,
    attempts: u32,
    not_before: Instant,
    why: String,
}

impl Pending {
    /// Attempts that failed.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// What came back of the last attempt; empty before there was one.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Send this one.
    Send(Box<Pending>),
    /// Nothing is due before so long.
    Wait(Duration),
    /// Nothing waits.
    Nothing,
}

/// The messages that wait.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Pending>,
    retries: u32,
}

impl Queue {
    /// An empty queue whose messages are tried again so often.
    #[must_use]
    pub const fn new(retries: u32) -> Self {
        Self { waiting: VecDeque::new(), retries }
    }

    /// Puts a message in. Where that is one too many, one is dropped and returned: the oldest "still alive", or the oldest of
    /// the least urgent.
    pub fn push(&mut self, now: Instant, message: Message) -> Option<Message> {
        self.waiting.push_back(Pending { message, attempts: 0, not_before: now, why: String::new() });
        if self.waiting.len() <= MOST_WAITING {
            return None;
        }
        let levels = self.waiting.iter().map(|pending| pending.message.level);
        // Of equally urgent ones `min_by_key` names the first, which is the oldest.
        let (place, _) = levels.enumerate().min_by_key(|(_, level)| *level)?;
        self.waiting.remove(place).map(|pending| pending.message)
    }

    /// Takes out the most urgent message that is due, of equally urgent ones the oldest.
    pub fn next(&mut self, now: Instant) -> Next {
        let due = self.waiting.iter().enumerate().filter(|(_, pending)| pending.not_before <= now);
        let most = due.rev().max_by_key(|(_, pending)| pending.message.level);
        if let Some(pending) = most.map(|(place, _)| place).and_then(|place| self.waiting.remove(place)) {
            return Next::Send(Box::new(pending));
        }
        match self.waiting.iter().map(|pending| pending.not_before.since(now)).min() {
            Some(wait) => Next::Wait(wait),
            None => Next::Nothing,
        }
    }

    /// A message could not be sent, and `why`: it is put back to be tried again, or given up and returned.
    pub fn put_back(&mut self, now: Instant, mut pending: Pending, why: String) -> Option<Pending> {
        pending.attempts += 1;
        pending.why = why;
        if pending.attempts > self.retries {
            return Some(pending);
        }
        let doubled = FIRST_PAUSE.saturating_mul(1 << (pending.attempts - 1).min(16));
        pending.not_before = now + doubled.min(LONGEST_PAUSE);
        self.waiting.push_front(pending);
        None
    }

    /// The run is over: nobody needs to hear any more that it lives.
    pub fn drop_alive(&mut self) {
        self.waiting.retain(|pending| pending.message.level != Level::Alive);
    }

    /// The messages that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &Pending> {
        self.waiting.iter()
    }

    /// How many messages wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::message;
    use super::*;

    const START: Instant = Instant(0);

    fn texts(queue: &mut Queue, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| match queue.next(now) {
            Next::Send(pending) => Some(pending.message.text),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn the_most_urgent_goes_first_and_equals_in_their_order() {
        let mut queue = Queue::new(3);
        for (level, text) in [
            (Level::Alive, "a1"),
            (Level::Warn, "w1"),
            (Level::Warn, "w2"),
            (Level::Finish, "f"),
            (Level::Trip, "t"),
            (Level::Alive, "a2"),
        ] {
            assert_eq!(queue.push(START, message(level, text)), None);
        }
        assert_eq!(texts(&mut queue, START), ["t", "f", "w1", "w2", "a1", "a2"]);
    }

    #[test]
    fn a_full_queue_drops_the_oldest_alive_first_then_the_oldest_of_the_least_urgent() {
        let mut queue = Queue::new(3);
        queue.push(START, message(Level::Warn, "w0"));
        queue.push(START, message(Level::Alive, "a1"));
        queue.push(START, message(Level::Alive, "a2"));
        for place in 3..MOST_WAITING {
            queue.push(START, message(Level::Trip, &place.to_string()));
        }
        let dropped: Vec<Option<String>> = (0..5)
            .map(|place| queue.push(START, message(Level::Trip, &format!("t{place}"))).map(|lost| lost.text))
            .collect();
        assert_eq!(dropped.into_iter().flatten().collect::<Vec<_>>(), ["a1", "a2", "w0", "3", "4"]);
        assert_eq!(queue.len(), MOST_WAITING);
        let late = queue.push(START, message(Level::Alive, "a3")).unwrap();
        assert_eq!(late.text, "a3", "nothing urgent is dropped for one that is not");
    }

    #[test]
    fn a_message_is_tried_again_after_pauses_that_double_and_then_given_up() {
        let mut queue = Queue::new(3);
        queue.push(START, message(Level::Warn, "w"));
        let (mut now, mut pauses) = (START, Vec::new());
        let given_up = loop {
            match queue.next(now) {
                Next::Send(pending) => {
                    if let Some(given_up) = queue.put_back(now, *pending, "no answer".to_owned()) {
                        break given_up;
                    }
                }
                Next::Wait(pause) => {
                    pauses.push(pause.as_secs());
                    now = now + pause;
                }
                Next::Nothing => panic!("it is lost"),
            }
        };
        assert_eq!((pauses, given_up.attempts(), given_up.why()), (vec![2, 4, 8], 4, "no answer"));
        assert!(queue.is_empty());
    }

    #[test]
    fn what_is_urgent_does_not_wait_for_what_is_tried_again() {
        let mut queue = Queue::new(3);
        queue.push(START, message(Level::Warn, "w"));
        let Next::Send(pending) = queue.next(START) else { panic!("it is due") };
        assert_eq!(queue.put_back(START, *pending, "no answer".to_owned()), None);
        assert_eq!(queue.next(START), Next::Wait(Duration::from_secs(2)));
        queue.push(START, message(Level::Trip, "t"));
        assert_eq!(texts(&mut queue, START), ["t"]);
        queue.push(START, message(Level::Alive, "a"));
        queue.drop_alive();
        assert_eq!(texts(&mut queue, START + Duration::from_secs(2)), ["w"]);
    }
}
