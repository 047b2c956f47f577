//! A count of what is done, for people who wait longer than a second at a terminal.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Nobody needs to be told before.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN: Duration = Duration::from_millis(100);

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
            self.draw(&format!("{} {} …", self.done, self.what));
        }
    }

    fn draw(&self, text: &str) {
        // Who cannot be told misses nothing.
        let _ = write!(stderr(), "\r\x1b[K{text}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            self.draw("");
        }
    }
}
