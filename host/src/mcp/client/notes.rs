//! What is noticed of a server besides its answers: its last words on standard error, and what it sent that is no answer.

use super::pipe::{LONGEST, LONGEST_WORD};
use crate::clip::clipped;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Lines kept of standard error, and bytes of each.
const LINES: usize = 50;
const LINE: usize = 2_000;
/// Characters of a line that are worth repeating in a sentence.
const SHOWN: usize = 300;

/// Shared by everything that listens to one server.
#[derive(Debug, Default)]
pub(super) struct Notes {
    seen: Mutex<Seen>,
    messages: AtomicU64,
    /// Contents that are asked for.
    contents: AtomicUsize,
}

/// While it lives, an answer may be as long as what tools make and resources hold.
pub(super) struct Generous(Arc<Notes>);

impl Generous {
    pub(super) fn new(notes: &Arc<Notes>) -> Self {
        notes.contents.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(notes))
    }
}

impl Drop for Generous {
    fn drop(&mut self) {
        self.0.contents.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct Seen {
    lines: VecDeque<String>,
    garbage: Option<String>,
    broke: Option<String>,
}

impl Notes {
    /// A line of standard error.
    pub(super) fn said(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(&line[..line.len().min(LINE)]).trim_end().to_owned();
        if text.is_empty() {
            return;
        }
        let mut seen = self.seen();
        if seen.lines.len() == LINES {
            seen.lines.pop_front();
        }
        seen.lines.push_back(text);
    }

    /// A line of standard output that is no message. The first one is kept.
    pub(super) fn babbled(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(&line[..line.len().min(LINE)]).trim_end().to_owned();
        self.seen().garbage.get_or_insert(text);
    }

    /// Why nothing more is read from it.
    pub(super) fn broke(&self, why: impl Into<String>) {
        self.seen().broke.get_or_insert(why.into());
    }

    /// One more message came; how many since something was asked.
    pub(super) fn message(&self) -> u64 {
        self.messages.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Something is asked.
    pub(super) fn asked(&self) {
        self.messages.store(0, Ordering::Relaxed);
    }

    /// Bytes that a message may have.
    pub(super) fn longest(&self) -> usize {
        if self.contents.load(Ordering::Relaxed) == 0 { LONGEST_WORD } else { LONGEST }
    }

    /// Everything kept of standard error.
    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().lines.iter().cloned().collect()
    }

    /// Why nothing more is read from it, if that is why.
    pub(super) fn reason(&self) -> Option<String> {
        self.seen().broke.clone()
    }

    /// What helps to understand a failure: ` It last said: …`
    pub(super) fn hint(&self) -> String {
        let seen = self.seen();
        let shown = |text: &String| clipped(&plain(text), SHOWN).into_owned();
        match (seen.lines.back(), &seen.garbage) {
            (Some(line), _) => format!(" It last said: {}", shown(line)),
            (None, Some(line)) => format!(" Its standard output is no JSON-RPC: {}", shown(line)),
            (None, None) => String::new(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without what a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_count_and_little_of_them_is_kept() {
        let notes = Notes::default();
        assert_eq!(notes.hint(), "");
        notes.babbled(b"hello\n");
        assert_eq!(notes.hint(), " Its standard output is no JSON-RPC: hello");
        (0..1_000).for_each(|line| notes.said(format!("line {line}\n").as_bytes()));
        notes.said(b"\n");
        notes.said(&[b'x'; 100_000]);
        assert_eq!((notes.lines().len(), notes.lines()[0].as_str()), (LINES, "line 951"));
        assert!(notes.hint().len() < 400, "{}", notes.hint());
        notes.said(b"\x1b[31mred");
        assert_eq!(notes.hint(), " It last said:  [31mred");
    }
}
