//! Ctrl-C and its like: the first lets end what is under way, the second ends at once.

use super::{output, terminal};
use kosmo::Interrupt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub(super) const HELP: &str = "\
Ctrl-C, SIGTERM or SIGHUP: nothing is sent any more, and writes on their way have 5 s to be answered; a second one ends
at once. What was under way is named, and the exit code is 130, 143 or 129.";

/// Longer than it takes to put on record what is cut off, and too short to wait for.
const RECORDING: Duration = Duration::from_millis(200);
/// Longer than it takes to stop what can be stopped.
const STOPPING: Duration = Duration::from_secs(1);
/// Between two looks whether it has.
const MOMENT: Duration = Duration::from_millis(5);

/// What the process was told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Hangup = 1,
    Interrupt = 2,
    Terminate = 15,
}

/// Listens for signals from its making to the end of the process.
#[derive(Clone)]
pub(super) struct Signals {
    interrupt: Interrupt,
    latest: Arc<Mutex<Option<Signal>>>,
    told: Arc<AtomicBool>,
}

impl Signal {
    /// As a shell reports a program that a signal ended.
    pub(super) fn exit_code(self) -> i32 {
        128 + self as i32
    }

    /// Ends the process at once, with the terminal as it was found.
    pub(super) fn exit(self) -> ! {
        terminal::restore();
        std::process::exit(self.exit_code());
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// Calls this for every signal from here on.
pub(super) fn each(hear: impl FnMut(Signal) + Send + 'static) {
    if let Some(mut heard) = system::listen() {
        let thread = thread::Builder::new().name("kosmo-signals".into());
        // Without one, signals end the process as they always did.
        let _ = thread.spawn(move || heard.each(hear));
    }
}

/// From here on, a signal ends the process as it always did, but with the terminal as it was found.
pub(super) fn end_at_once() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| each(|signal| signal.exit()));
}

impl Signals {
    /// `last_words` is what there is to say when a second signal ends the process and nothing else tells of its end.
    pub(super) fn listen(last_words: impl FnOnce(&Interrupt) + Send + 'static) -> Self {
        let signals = Self { interrupt: Interrupt::default(), latest: Arc::default(), told: Arc::default() };
        let (listening, mut last_words) = (signals.clone(), Some(last_words));
        let hear = move |signal| match listening.heard().replace(signal) {
            None => listening.begin(signal),
            Some(_) => listening.end(signal, last_words.take()),
        };
        each(hear);
        signals
    }

    /// What ends what it is given to.
    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// The exit code of what was interrupted.
    pub(super) fn exit_code(&self) -> i32 {
        self.heard().map_or(1, Signal::exit_code)
    }

    fn heard(&self) -> MutexGuard<'_, Option<Signal>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be asked before the outcome is told: a second signal has its own last words, and they are the last.
    pub(super) fn claim(&self) {
        if self.told.swap(true, Ordering::AcqRel) {
            thread::park();
        }
    }

    fn begin(&self, signal: Signal) {
        self.interrupt.give();
        if !self.interrupt.writes().is_empty() {
            let seconds = self.interrupt.grace().as_secs();
            let name = signal.name();
            output::error(&format!(
                "{name}: what is on its way has {seconds} s to be answered. Once more ends at once."
            ));
        }
    }

    fn end(&self, signal: Signal, last_words: Option<impl FnOnce(&Interrupt)>) {
        self.interrupt.end_waiting();
        self.give_way();
        if !self.told.swap(true, Ordering::AcqRel) {
            last_words.into_iter().for_each(|tell| tell(&self.interrupt));
        }
        // What is cut off has its end in the audit log before the process has its own.
        thread::sleep(RECORDING);
        signal.exit();
    }

    /// Whatever ran tells its end best, with all that it printed, unless it does not stop.
    fn give_way(&self) {
        let begun = Instant::now();
        while !self.told.load(Ordering::Acquire) && begun.elapsed() < STOPPING {
            thread::sleep(MOMENT);
        }
    }
}

#[cfg(unix)]
mod system {
    use super::Signal;
    use std::future::pending;
    use tokio::runtime::{Builder, Runtime};
    use tokio::signal::unix::{self, SignalKind};

    pub(super) struct Heard {
        runtime: Runtime,
        streams: [Option<unix::Signal>; 3],
    }

    /// From here on, signals that the process was not told to ignore end it no more.
    pub(super) fn listen() -> Option<Heard> {
        let runtime = Builder::new_current_thread().enable_io().build().ok()?;
        let entered = runtime.enter();
        let stream = |signal| if is_ignored(signal) { None } else { unix::signal(kind(signal)).ok() };
        let streams = [Signal::Hangup, Signal::Interrupt, Signal::Terminate].map(stream);
        drop(entered);
        Some(Heard { runtime, streams })
    }

    impl Heard {
        pub(super) fn each(&mut self, mut hear: impl FnMut(Signal)) {
            let [hangup, interrupt, terminate] = &mut self.streams;
            self.runtime.block_on(async {
                loop {
                    hear(tokio::select! {
                        () = next(hangup) => Signal::Hangup,
                        () = next(interrupt) => Signal::Interrupt,
                        () = next(terminate) => Signal::Terminate,
                    });
                }
            });
        }
    }

    async fn next(stream: &mut Option<unix::Signal>) {
        let heard = match stream {
            Some(stream) => stream.recv().await,
            None => None,
        };
        if heard.is_none() {
            pending().await
        }
    }

    fn kind(signal: Signal) -> SignalKind {
        SignalKind::from_raw(signal as i32)
    }

    /// `nohup` and a shell's `&` mean it. Where the system does not tell, nothing is ignored.
    fn is_ignored(signal: Signal) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        ignored & (1 << (signal as u32 - 1)) != 0
    }
}

#[cfg(not(unix))]
mod system {
    use super::Signal;
    use tokio::runtime::{Builder, Runtime};

    pub(super) struct Heard(Runtime);

    pub(super) fn listen() -> Option<Heard> {
        Builder::new_current_thread().enable_io().build().ok().map(Heard)
    }

    impl Heard {
        pub(super) fn each(&mut self, mut hear: impl FnMut(Signal)) {
            while self.0.block_on(tokio::signal::ctrl_c()).is_ok() {
                hear(Signal::Interrupt);
            }
        }
    }
}
