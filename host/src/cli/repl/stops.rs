//! Ctrl-C and its like: with a person, Ctrl-C ends what runs, and the session goes on. Everything else ends both.

use super::super::output;
use super::super::signals::{self, Signal};
use kosmo::Interrupt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// How long a script on its own takes to notice that it was told to end.
const SOON: Duration = Duration::from_secs(1);

/// Listens for signals from its making to the end of the process.
pub(super) struct Stops {
    interrupt: Interrupt,
    heard: UnboundedReceiver<Signal>,
    running: Arc<AtomicBool>,
    last: Arc<OnceLock<Signal>>,
}

impl Stops {
    /// With a person, or with a pipe.
    pub(super) fn listen(attended: bool) -> Self {
        let (tell, heard) = unbounded_channel();
        let stops = Self { interrupt: Interrupt::default(), heard, running: Arc::default(), last: Arc::default() };
        let (running, last) = (Arc::clone(&stops.running), Arc::clone(&stops.last));
        signals::each(move |signal| {
            let goes_on = attended && signal == Signal::Interrupt;
            if !goes_on {
                // The first says what the session ended with.
                let _ = last.set(signal);
            }
            match running.load(Ordering::SeqCst) {
                true => drop(tell.send(signal)),
                false if goes_on => {}
                false => signal.exit(),
            }
        });
        stops
    }

    /// What ends what runs.
    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// The exit code of a session that was ended.
    pub(super) fn ended(&self) -> Option<i32> {
        self.last.get().map(|signal| signal.exit_code())
    }

    /// What it comes to; nothing, if it was told to end and does not.
    pub(super) async fn bound<T>(&mut self, run: impl Future<Output = T>) -> Option<T> {
        self.interrupt.renew();
        while self.heard.try_recv().is_ok() {}
        self.running.store(true, Ordering::SeqCst);
        let outcome = self.outcome(run).await;
        self.running.store(false, Ordering::SeqCst);
        outcome
    }

    async fn outcome<T>(&mut self, run: impl Future<Output = T>) -> Option<T> {
        let mut run = pin!(run);
        tokio::select! {
            outcome = &mut run => return Some(outcome),
            _ = self.heard.recv() => self.interrupt.give(),
        }
        let patience = self.patience();
        tokio::select! {
            outcome = timeout(patience, &mut run) => return outcome.ok(),
            _ = self.heard.recv() => self.interrupt.end_waiting(),
        }
        timeout(SOON, run).await.ok()
    }

    /// How long what was told to end may take: what is on its way has to be answered.
    fn patience(&self) -> Duration {
        let grace = self.interrupt.grace();
        if self.interrupt.writes().is_empty() {
            return SOON;
        }
        let seconds = grace.as_secs();
        output::error(&format!("What is on its way has {seconds} s to be answered. Once more ends at once."));
        grace + SOON
    }

    /// What ending it came to: which writes it caught, what became of them, and where the log has more.
    pub(super) fn told(&self) -> Option<String> {
        let writes: Vec<_> = self.interrupt.writes().iter().map(|write| format!(" Under way was {write}.")).collect();
        let run = self.interrupt.run().filter(|_| !writes.is_empty());
        let run = run.map_or(String::new(), |run| format!(" The audit log has it as run {run}."));
        self.interrupt.is_given().then(|| format!("Stopped.{}{run}", writes.concat()))
    }
}
