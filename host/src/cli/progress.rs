//! What is going on, for people who wait longer than a second at a terminal.

use super::output;
use kosmo::{Observed, Observer, Request};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Nobody needs to be told before.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN: Duration = Duration::from_millis(100);

/// Held by whoever draws.
static SCREEN: Mutex<()> = Mutex::new(());
/// How many want nothing drawn: a question is not written over.
static SILENT: AtomicUsize = AtomicUsize::new(0);
/// Whether the line is taken.
static DRAWN: AtomicBool = AtomicBool::new(false);

/// One line on standard error, written over itself. It is gone when this is dropped.
pub(super) struct Progress {
    what: &'static str,
    done: usize,
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Begins at none of `what`. Where standard error is no terminal, nothing is ever shown.
    pub(super) fn new(what: &'static str) -> Self {
        let next = stderr().is_terminal().then(|| Instant::now() + PATIENCE);
        Self { what, done: 0, next, shown: false }
    }

    /// One more.
    pub(super) fn step(&mut self) {
        self.done += 1;
        let now = Instant::now();
        if self.next.is_some_and(|next| now >= next) {
            self.next = Some(now + BETWEEN);
            self.shown = true;
            draw(&format!("{} {} …", self.done, self.what));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            draw("");
        }
    }
}

/// Says on one line what takes its time, with the seconds; gone when this is dropped. Nothing where standard error is
/// no terminal.
pub(super) struct Waiting {
    over: Arc<AtomicBool>,
    clock: Option<thread::JoinHandle<()>>,
}

impl Waiting {
    /// For this, from now on.
    pub(super) fn on(what: &str) -> Self {
        let (what, begun) = (what.to_owned(), Instant::now());
        Self::telling(move || {
            (begun.elapsed() >= PATIENCE).then(|| format!("{what} … {} s", begun.elapsed().as_secs()))
        })
    }

    /// For what invocations there are.
    pub(super) fn watching(flights: &Arc<Flights>) -> Self {
        let flights = Arc::clone(flights);
        Self::telling(move || flights.longest())
    }

    fn telling(tell: impl Fn() -> Option<String> + Send + 'static) -> Self {
        let over = Arc::<AtomicBool>::default();
        let ends = Arc::clone(&over);
        let begin = || thread::Builder::new().name("kosmo-progress".into()).spawn(move || tick(&ends, &tell)).ok();
        Self { over, clock: stderr().is_terminal().then(begin).flatten() }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(clock) = self.clock.take() {
            clock.thread().unpark();
            // It ends by itself, and clears its line before.
            let _ = clock.join();
        }
    }
}

fn tick(over: &AtomicBool, tell: &impl Fn() -> Option<String>) {
    let mut shown = false;
    while !over.load(Ordering::Relaxed) {
        let line = tell();
        if line.is_some() || shown {
            draw(line.as_deref().unwrap_or_default());
        }
        shown = line.is_some();
        thread::park_timeout(BETWEEN);
    }
    if shown {
        draw("");
    }
}

/// The invocations under way.
#[derive(Default)]
pub(super) struct Flights(Mutex<BTreeMap<u64, Flight>>);

struct Flight {
    path: String,
    since: Instant,
    requests: u32,
}

impl Flights {
    fn flights(&self) -> MutexGuard<'_, BTreeMap<u64, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `dialpad.list_sms … 12 s, 3 requests (and 2 more)`, once it takes its time.
    fn longest(&self) -> Option<String> {
        let flights = self.flights();
        let longest = flights.values().min_by_key(|flight| flight.since)?;
        let took = longest.since.elapsed();
        let requests = match longest.requests {
            0 => String::new(),
            1 => ", 1 request".into(),
            count => format!(", {count} requests"),
        };
        let others = flights.len() - 1;
        let others = if others == 0 { String::new() } else { format!(" (and {others} more)") };
        (took >= PATIENCE).then(|| format!("{} … {} s{requests}{others}", longest.path, took.as_secs()))
    }
}

impl Observer for Flights {
    fn begun(&self, of: &Observed<'_>) {
        let path = output::in_one_line(&format!("{}.{}", of.provider, of.function)).into_owned();
        self.flights().insert(of.number, Flight { path, since: Instant::now(), requests: 0 });
    }

    fn requested(&self, of: &Observed<'_>, _: &Request<'_>) {
        self.flights().entry(of.number).and_modify(|flight| flight.requests += 1);
    }

    fn ended(&self, of: &Observed<'_>, _: &str, _: Duration) {
        self.flights().remove(&of.number);
    }
}

/// Nothing is drawn while one of these lives.
pub(super) struct Silence;

/// What was drawn is gone, and nothing more is for now.
pub(super) fn silence() -> Silence {
    let _screen = screen();
    SILENT.fetch_add(1, Ordering::Relaxed);
    write(CLEAR);
    Silence
}

impl Drop for Silence {
    fn drop(&mut self) {
        SILENT.fetch_sub(1, Ordering::Relaxed);
    }
}

const CLEAR: &str = "\r\x1b[K";

/// In place of what was drawn before.
pub(super) fn draw(text: &str) {
    let _screen = screen();
    if SILENT.load(Ordering::Relaxed) == 0 {
        DRAWN.store(!text.is_empty(), Ordering::Relaxed);
        write(&format!("{CLEAR}{text}"));
    }
}

/// For a line that is to stay: what was drawn is gone until it is drawn again.
pub(super) fn make_room() {
    let _screen = screen();
    if DRAWN.swap(false, Ordering::Relaxed) {
        write(CLEAR);
    }
}

fn screen() -> MutexGuard<'static, ()> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(text: &str) {
    // Who cannot be told misses nothing.
    let _ = write!(stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_its_time_is_told_with_what_is_besides() {
        let flights = Flights::default();
        assert_eq!(flights.longest(), None);
        let flight = |path: &str, seconds, requests| Flight {
            path: path.into(),
            since: Instant::now() - Duration::from_secs(seconds),
            requests,
        };
        flights.flights().insert(1, flight("dialpad.get_call", 0, 0));
        assert_eq!(flights.longest(), None, "nobody waits yet");
        flights.flights().insert(2, flight("dialpad.list_sms", 12, 3));
        assert_eq!(flights.longest().as_deref(), Some("dialpad.list_sms … 12 s, 3 requests (and 1 more)"));
        flights.flights().clear();
        flights.flights().insert(3, flight("dialpad.list_sms", 2, 1));
        assert_eq!(flights.longest().as_deref(), Some("dialpad.list_sms … 2 s, 1 request"));
    }
}
