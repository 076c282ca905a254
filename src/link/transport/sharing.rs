//! One line of a sensor, several readers: a serial port opens once, but a line such as `board=41.2 ambient=23.1` serves
//! two thermometers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::{Address, Framing, LinkError, LinkSettings, Opener, Transport};

/// Lines kept for a reader that does not come; older ones are dropped, as a sensor's buffer would.
const KEPT_LINES: usize = 1024;

/// Opens each link of lines once and hands it to everybody who asks for the same address; other links are not shared.
pub struct SharingOpener {
    inner: Arc<dyn Opener>,
    hubs: Mutex<HashMap<Address, Weak<Mutex<Hub>>>>,
}

impl SharingOpener {
    /// Shares the links of lines that `inner` opens.
    #[must_use]
    pub fn new(inner: Arc<dyn Opener>) -> Self {
        Self { inner, hubs: Mutex::default() }
    }
}

impl Opener for SharingOpener {
    fn open(&self, address: &Address, settings: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
        if settings.framing != Framing::Line {
            return self.inner.open(address, settings);
        }
        let mut hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        let known = hubs.get(address).and_then(Weak::upgrade).filter(|hub| lock(hub).lost.is_none());
        let hub = match known {
            Some(hub) => hub,
            None => {
                let link = self.inner.open(address, settings)?;
                let hub =
                    Arc::new(Mutex::new(Hub { link, waiting: BTreeMap::new(), next_place: 0, lost: None }));
                hubs.insert(address.clone(), Arc::downgrade(&hub));
                hub
            }
        };
        let place = {
            let mut hub = lock(&hub);
            let place = hub.next_place;
            hub.next_place += 1;
            hub.waiting.insert(place, VecDeque::new());
            place
        };
        Ok(Box::new(Shared { hub, place }))
    }
}

/// The link and what each reader has not taken yet.
struct Hub {
    link: Box<dyn Transport>,
    waiting: BTreeMap<u64, VecDeque<Vec<u8>>>,
    next_place: u64,
    lost: Option<String>,
}

fn lock(hub: &Mutex<Hub>) -> MutexGuard<'_, Hub> {
    hub.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One reader's end.
struct Shared {
    hub: Arc<Mutex<Hub>>,
    place: u64,
}

/// Nobody keeps lines for a reader that is gone.
impl Drop for Shared {
    fn drop(&mut self) {
        lock(&self.hub).waiting.remove(&self.place);
    }
}

impl Transport for Shared {
    fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        lock(&self.hub).link.send(message)
    }

    fn receive(&mut self, timeout: Duration) -> Result<Vec<u8>, LinkError> {
        let mut hub = lock(&self.hub);
        if let Some(line) = hub.waiting.get_mut(&self.place).and_then(VecDeque::pop_front) {
            return Ok(line);
        }
        if let Some(reason) = &hub.lost {
            return Err(LinkError::Lost(reason.clone()));
        }
        match hub.link.receive(timeout) {
            Ok(line) => {
                let place = self.place;
                for (_, queue) in hub.waiting.iter_mut().filter(|(other, _)| **other != place) {
                    if queue.len() == KEPT_LINES {
                        queue.pop_front();
                    }
                    queue.push_back(line.clone());
                }
                Ok(line)
            }
            Err(LinkError::Lost(reason)) => {
                hub.lost = Some(reason.clone());
                Err(LinkError::Lost(reason))
            }
            Err(other) => Err(other),
        }
    }

    fn clear(&mut self) -> Result<(), LinkError> {
        if let Some(queue) = lock(&self.hub).waiting.get_mut(&self.place) {
            queue.clear();
        }
        Ok(())
    }

    fn has_unread(&self) -> bool {
        let hub = lock(&self.hub);
        hub.waiting.get(&self.place).is_some_and(|queue| !queue.is_empty()) || hub.link.has_unread()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Sends numbered lines; the line `3` is where the plug is pulled.
    struct Counting(u32);
    impl Transport for Counting {
        fn send(&mut self, _: &[u8]) -> Result<(), LinkError> {
            Ok(())
        }
        fn receive(&mut self, _: Duration) -> Result<Vec<u8>, LinkError> {
            self.0 += 1;
            if self.0 == 3 {
                Err(LinkError::Lost("pulled".into()))
            } else {
                Ok(self.0.to_string().into_bytes())
            }
        }
        fn clear(&mut self) -> Result<(), LinkError> {
            Ok(())
        }
    }

    #[derive(Default)]
    struct Once(AtomicU32);
    impl Opener for Once {
        fn open(&self, _: &Address, _: &LinkSettings) -> Result<Box<dyn Transport>, LinkError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(Counting(0)))
        }
    }

    #[test]
    fn two_readers_of_one_port_both_see_every_line_and_a_lost_port_is_opened_anew() {
        let real = Arc::new(Once::default());
        let opener = SharingOpener::new(real.clone());
        let address = Address::Serial { path: "/dev/ttyUSB0".to_owned() };
        let settings = LinkSettings { framing: Framing::Line, ..LinkSettings::default() };
        let open = || opener.open(&address, &settings).unwrap();
        let (mut a, mut b) = (open(), open());
        let read = |link: &mut Box<dyn Transport>| {
            link.receive(Duration::ZERO)
                .map(|line| String::from_utf8(line).unwrap())
                .map_err(|e| e.to_string())
        };
        assert_eq!([read(&mut a), read(&mut a), read(&mut b)].map(Result::unwrap), ["1", "2", "1"]);
        assert!(read(&mut a).is_err());
        assert_eq!(read(&mut b).unwrap(), "2", "what had arrived is still there");
        assert!(read(&mut b).is_err());
        assert_eq!(real.0.load(Ordering::SeqCst), 1);
        let mut again = open();
        assert_eq!(read(&mut again).unwrap(), "1");
        assert_eq!(real.0.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn no_lines_are_kept_for_a_reader_that_is_gone() {
        let hub = Hub { link: Box::new(Counting(0)), waiting: BTreeMap::new(), next_place: 2, lost: None };
        let hub = Arc::new(Mutex::new(hub));
        let reader = |place| {
            lock(&hub).waiting.insert(place, VecDeque::new());
            Shared { hub: Arc::clone(&hub), place }
        };
        let (mut stays, leaves) = (reader(0), reader(1));
        stays.receive(Duration::ZERO).unwrap();
        assert_eq!(lock(&hub).waiting[&1].len(), 1);
        drop(leaves);
        stays.receive(Duration::ZERO).unwrap();
        assert_eq!(lock(&hub).waiting.keys().collect::<Vec<_>>(), [&0]);
    }
}
