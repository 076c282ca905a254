//! The only place where time is asked for and waited for.
//!
//! [`RealClock`] is the machine's. [`SimClock`] advances when somebody sleeps, so that a simulated day takes no time, and
//! runs the tasks of [`Clock::together`] one at a time in an order that depends on simulated time alone: the same seed
//! gives the same run on any machine.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::{Add, Sub};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use jiff::Timestamp;

use super::standing::Standing;

/// A moment on one clock, as nanoseconds since that clock was made. It never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(pub u64);

impl Instant {
    /// The span since `earlier`, zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
    /// Seconds since the clock was made.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos(span)))
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// One of several things done side by side.
pub type Task<'t> = Box<dyn FnOnce() + Send + 't>;

/// Time as the program sees it.
pub trait Clock: Send + Sync {
    /// Monotonic time.
    fn now(&self) -> Instant;
    /// Wall time, which may step; only for what people and files read.
    fn utc(&self) -> Timestamp;
    /// How long the machine has slept since the clock was made: [`Clock::now`] stands still meanwhile.
    fn slept(&self) -> Duration;
    /// How long this program stood still since the clock was made, although [`Clock::now`] went on: nobody it talks to is the cause of that.
    fn stood(&self) -> Duration;
    /// Waits. Never sleep while holding a lock that another task needs.
    fn sleep(&self, span: Duration);
    /// Runs all tasks side by side, a thread each, and returns when all have ended. A panic of a task is passed on after
    /// the others have ended.
    fn together(&self, tasks: Vec<Task<'_>>);
}

/// The machine's clock.
#[derive(Debug)]
pub struct RealClock {
    start: std::time::Instant,
    /// What the machine had slept before.
    slept_before: Duration,
    standing: Option<Standing>,
}

impl RealClock {
    /// A clock whose zero is now. It knows nothing of standing still.
    #[must_use]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now(), slept_before: slept_since_boot(), standing: None }
    }

    /// One that notices when this program stands still, with a thread that ends with it.
    #[must_use]
    pub fn noticing() -> Self {
        Self { standing: Standing::begin(), ..Self::new() }
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

/// What the clock that counts sleep is ahead of the one that does not.
#[cfg(target_os = "linux")]
fn slept_since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let (awake, whole) = (clock_gettime(ClockId::Monotonic), clock_gettime(ClockId::Boottime));
    Duration::try_from(whole)
        .unwrap_or_default()
        .saturating_sub(Duration::try_from(awake).unwrap_or_default())
}

/// No clock is known there that counts sleep.
#[cfg(not(target_os = "linux"))]
fn slept_since_boot() -> Duration {
    Duration::ZERO
}

impl Clock for RealClock {
    fn now(&self) -> Instant {
        Instant(nanos(self.start.elapsed()))
    }
    fn utc(&self) -> Timestamp {
        Timestamp::now()
    }
    fn slept(&self) -> Duration {
        slept_since_boot().saturating_sub(self.slept_before)
    }
    fn stood(&self) -> Duration {
        self.standing.as_ref().map_or(Duration::ZERO, Standing::stood)
    }
    fn sleep(&self, span: Duration) {
        thread::sleep(span);
    }
    fn together(&self, tasks: Vec<Task<'_>>) {
        run_threads(tasks.into_iter().map(|task| (0, task)).collect(), |_| (), || ());
    }
}

/// Spawns a thread a task with `before` in front of each, calls `meanwhile` in this thread, and joins them all.
fn run_threads(tasks: Vec<(u64, Task<'_>)>, before: impl Fn(u64) + Sync, meanwhile: impl FnOnce()) {
    let before = &before;
    let mut first_panic = None;
    thread::scope(|scope| {
        let threads: Vec<_> = tasks
            .into_iter()
            .map(|(id, task)| {
                scope.spawn(move || {
                    before(id);
                    task();
                })
            })
            .collect();
        meanwhile();
        for thread in threads {
            if let Err(panic) = thread.join() {
                first_panic.get_or_insert(panic);
            }
        }
    });
    if let Some(panic) = first_panic {
        resume_unwind(panic);
    }
}

/// A clock that stands still until somebody sleeps.
///
/// Exactly one task runs at any moment: it holds the baton until it sleeps or ends, then the baton goes to whoever wakes
/// next (at equal times to the task that was named first).
#[derive(Debug)]
pub struct SimClock {
    epoch: Timestamp,
    /// Written only by whoever holds the lock of the state; everybody asks for it, and far more often than anything happens.
    now_ns: AtomicU64,
    state: Mutex<SimState>,
}

#[derive(Debug, Default)]
struct SimState {
    running: u64,
    sleeping: BTreeSet<(u64, u64)>,
    /// Threads that wait for the baton: only the one that gets it is woken.
    waiting: Vec<(u64, Thread)>,
}

/// The thread that made the clock and every thread outside [`Clock::together`].
const OUTSIDE: u64 = 0;
static NEXT_TASK: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static TASK: Cell<u64> = const { Cell::new(OUTSIDE) };
}

impl SimClock {
    /// A simulated clock whose wall time starts at `epoch`.
    #[must_use]
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self { epoch, now_ns: AtomicU64::new(0), state: Mutex::default() }
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.load(Ordering::Acquire)
    }

    fn state(&self) -> MutexGuard<'_, SimState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn await_baton<'s>(&'s self, mut state: MutexGuard<'s, SimState>, task: u64) {
        while state.running != task {
            state.waiting.push((task, thread::current()));
            drop(state);
            thread::park();
            state = self.state();
            let me = thread::current().id();
            state.waiting.retain(|(_, waiting)| waiting.id() != me);
        }
    }

    fn pass_baton(&self, state: &mut SimState) {
        if let Some((wake_ns, task)) = state.sleeping.pop_first() {
            self.now_ns.store(self.now_ns().max(wake_ns), Ordering::Release);
            state.running = task;
            let next = state.waiting.iter().filter(|(waiting, _)| *waiting == task);
            next.for_each(|(_, thread)| thread.unpark());
        }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Instant {
        Instant(self.now_ns())
    }

    fn utc(&self) -> Timestamp {
        let elapsed = Duration::from_nanos(self.now_ns());
        self.epoch.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    fn slept(&self) -> Duration {
        Duration::ZERO
    }

    fn stood(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, span: Duration) {
        let me = TASK.get();
        let mut state = self.state();
        let wake_ns = self.now_ns().saturating_add(nanos(span));
        // Nobody wakes before this one, or it is a thread that takes no part: there is nobody to hand the baton to.
        let is_next = state.sleeping.first().is_none_or(|first| (wake_ns, me) < *first);
        if is_next || state.running != me {
            self.now_ns.store(wake_ns, Ordering::Release);
            return;
        }
        state.sleeping.insert((wake_ns, me));
        self.pass_baton(&mut state);
        self.await_baton(state, me);
    }

    fn together(&self, tasks: Vec<Task<'_>>) {
        if tasks.is_empty() {
            return;
        }
        let parent = TASK.get();
        let left = AtomicU64::new(tasks.len() as u64);
        let left = &left;
        let tasks: Vec<(u64, Task<'_>)> = tasks
            .into_iter()
            .map(|task| {
                let id = NEXT_TASK.fetch_add(1, Ordering::Relaxed);
                let wrapped: Task<'_> = Box::new(move || {
                    let outcome = catch_unwind(AssertUnwindSafe(task));
                    let mut state = self.state();
                    if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                        state.sleeping.insert((self.now_ns(), parent));
                    }
                    self.pass_baton(&mut state);
                    drop(state);
                    if let Err(panic) = outcome {
                        resume_unwind(panic);
                    }
                });
                (id, wrapped)
            })
            .collect();
        {
            let mut state = self.state();
            let now_ns = self.now_ns();
            state.sleeping.extend(tasks.iter().map(|(id, _)| (now_ns, *id)));
        }
        let start = |id: u64| {
            TASK.set(id);
            self.await_baton(self.state(), id);
        };
        run_threads(tasks, start, || {
            let mut state = self.state();
            self.pass_baton(&mut state);
            self.await_baton(state, parent);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sim() -> SimClock {
        SimClock::starting_at("2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_simulated_day_takes_no_time() {
        let clock = sim();
        clock.sleep(Duration::from_secs(86_400));
        assert_eq!(clock.now(), Instant(86_400_000_000_000));
        assert_eq!(clock.utc().to_string(), "2026-01-02T00:00:00Z");
    }

    #[test]
    fn simulated_tasks_overlap_in_time_and_run_in_the_order_of_their_wake_up() {
        for _ in 0..50 {
            let clock = sim();
            let log = Mutex::new(Vec::new());
            let task = |name: &'static str, step_ms: u64, count: u64| -> Task<'_> {
                let (clock, log) = (&clock, &log);
                Box::new(move || {
                    for _ in 0..count {
                        clock.sleep(Duration::from_millis(step_ms));
                        log.lock().unwrap().push(format!("{name}@{}", clock.now().0 / 1_000_000));
                    }
                })
            };
            clock.together(vec![task("slow", 10, 2), task("quick", 4, 3), task("even", 10, 1)]);
            let order = log.lock().unwrap().join(" ");
            assert_eq!(order, "quick@4 quick@8 slow@10 even@10 quick@12 slow@20");
            assert_eq!(clock.now(), Instant(20_000_000), "side by side takes as long as the longest");
        }
    }

    #[test]
    fn tasks_may_split_again() {
        let clock = sim();
        clock.together(vec![Box::new(|| {
            clock.together(vec![
                Box::new(|| clock.sleep(Duration::from_secs(1))),
                Box::new(|| clock.sleep(Duration::from_secs(2))),
            ]);
            clock.sleep(Duration::from_secs(1));
        })]);
        assert_eq!(clock.now(), Instant(3_000_000_000));
    }

    #[test]
    fn a_panicking_task_lets_the_others_finish_and_is_passed_on() {
        let clocks: [Box<dyn Clock>; 2] = [Box::new(sim()), Box::new(RealClock::new())];
        for clock in clocks {
            let finished = AtomicU64::new(0);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                clock.together(vec![
                    Box::new(|| panic!("first")),
                    Box::new(|| {
                        clock.sleep(Duration::from_millis(1));
                        finished.fetch_add(1, Ordering::Relaxed);
                    }),
                ]);
            }));
            assert!(outcome.is_err());
            assert_eq!(finished.load(Ordering::Relaxed), 1);
        }
    }
}
