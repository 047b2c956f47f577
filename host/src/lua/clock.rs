//! How long a script may still run. Its own computing counts against one limit, its whole duration against another;
//! what the host does or waits for on its behalf counts against the second only.

use crate::cpu::thread_cpu;
use crate::fault::{Code, Fault};
use crate::interrupt::Interrupt;
use crate::patience::Patience;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Luau asks at every turn of a loop; the time is looked at once in so many turns.
const TURNS: u32 = 16;

/// Why a script is stopped. Once tripped, a run stays tripped: no `pcall` goes on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trip {
    /// It computed for too long.
    Cpu,
    /// It took too long.
    Wall,
    /// Nobody waits for its outcome any more.
    Abandoned,
    /// It was told to end.
    Interrupted,
}

/// The time limits of a session, and how far the current run is.
pub(super) struct Clock {
    cpu: Duration,
    wall: Duration,
    started: Cell<Instant>,
    /// Thread CPU time at which the run began, moved on by what the host computed in between.
    cpu_started: Cell<Duration>,
    /// Before this instant the CPU limit cannot have been reached.
    next_cpu_check: Cell<Instant>,
    turns: Cell<u32>,
    tripped: Cell<Option<Trip>>,
    patience: RefCell<Arc<Patience>>,
    interrupt: Option<Interrupt>,
}

impl Clock {
    pub(super) fn new(cpu: Duration, wall: Duration, interrupt: Option<Interrupt>) -> Self {
        let now = Instant::now();
        Self {
            cpu,
            wall,
            started: Cell::new(now),
            cpu_started: Cell::new(Duration::ZERO),
            next_cpu_check: Cell::new(now),
            turns: Cell::new(0),
            tripped: Cell::new(None),
            patience: RefCell::default(),
            interrupt,
        }
    }

    /// Starts the time of a run, which ends early once it is abandoned.
    pub(super) fn start(&self, patience: Arc<Patience>) {
        let now = Instant::now();
        self.started.set(now);
        self.cpu_started.set(thread_cpu());
        self.next_cpu_check.set(now + self.cpu);
        self.tripped.set(None);
        self.patience.replace(patience);
    }

    /// When the run has to be over, as things stand: while somebody is asked, that moves on.
    pub(super) fn deadline(&self) -> Instant {
        self.started.get() + self.wall + self.patience.borrow().spent()
    }

    /// Whose patience the run is up to.
    pub(super) fn patience(&self) -> Arc<Patience> {
        Arc::clone(&self.patience.borrow())
    }

    /// How long the run has taken.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.get().elapsed()
    }

    /// Why the run was stopped, if it was.
    pub(super) fn tripped(&self) -> Option<Trip> {
        self.tripped.get()
    }

    /// Called at every turn of every loop.
    pub(super) fn turn(&self) -> Result<(), Trip> {
        if let Some(trip) = self.tripped.get() {
            return Err(trip);
        }
        let turns = self.turns.get().wrapping_add(1);
        self.turns.set(turns);
        if turns.is_multiple_of(TURNS) { self.check() } else { Ok(()) }
    }

    /// Looks at the time.
    pub(super) fn check(&self) -> Result<(), Trip> {
        let trip = self.tripped.get().or_else(|| self.reached(Instant::now()));
        self.tripped.set(trip);
        trip.map_or(Ok(()), Err)
    }

    /// Runs what the host does for the script, which costs the script no CPU time.
    pub(super) fn excluding<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = thread_cpu();
        let done = work();
        self.cpu_started.set(self.cpu_started.get() + thread_cpu().saturating_sub(before));
        done
    }

    /// The sentence for a run that was stopped.
    pub(super) fn fault(&self, trip: Trip) -> Fault {
        match trip {
            Trip::Cpu => Fault::new(
                Code::Cpu,
                format!(
                    "Lua timeout error: the script computed for more than {} s. Do less in one run, or raise the CPU \
                     limit (--cpu-limit SECONDS)",
                    self.cpu.as_secs_f64()
                ),
            ),
            Trip::Wall => overdue(self.wall),
            Trip::Abandoned => Fault::new(Code::Timeout, "Lua timeout error: the run was abandoned by its caller"),
            Trip::Interrupted => self.interrupt.clone().unwrap_or_default().fault(),
        }
    }

    fn reached(&self, now: Instant) -> Option<Trip> {
        if self.patience.borrow().is_abandoned() {
            Some(Trip::Abandoned)
        } else if self.interrupt.as_ref().is_some_and(Interrupt::is_given) {
            Some(Trip::Interrupted)
        } else if now >= self.deadline() {
            Some(Trip::Wall)
        } else if now >= self.next_cpu_check.get() {
            self.cpu_reached(now)
        } else {
            None
        }
    }

    fn cpu_reached(&self, now: Instant) -> Option<Trip> {
        let used = thread_cpu().saturating_sub(self.cpu_started.get());
        let left = self.cpu.saturating_sub(used);
        self.next_cpu_check.set(now + left);
        left.is_zero().then_some(Trip::Cpu)
    }
}

/// The fault of a run that took longer than it may.
pub(super) fn overdue(wall: Duration) -> Fault {
    Fault::new(
        Code::Timeout,
        format!(
            "Lua timeout error: the script took longer than {} s. Do less in one run, or raise the limit (--timeout \
             SECONDS)",
            wall.as_secs_f64()
        ),
    )
}
