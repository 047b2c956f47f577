//! What is noticed of a server besides its answers: its last words on standard error, and what it sent that is no answer.

use super::pipe::{LONGEST, LONGEST_WORD};
use crate::clip::clipped;
use serde_json::Value;
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Lines kept of standard error, and bytes of each.
const LINES: usize = 50;
const LINE: usize = 2_000;
/// Characters of a line that are worth repeating in a sentence.
const SHOWN: usize = 300;

/// What a message has in it that tells how tools are called.
const TASK: &[u8] = b"taskSupport";

/// Shared by everything that listens to one server.
#[derive(Debug, Default)]
pub(super) struct Notes {
    seen: Mutex<Seen>,
    messages: AtomicU64,
    /// Contents that are asked for.
    contents: AtomicUsize,
    /// Whether tools are being listed.
    listing: AtomicBool,
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

/// While it lives, what comes is looked through for tools that are only called as tasks.
pub(super) struct Listing(Arc<Notes>);

impl Listing {
    pub(super) fn new(notes: &Arc<Notes>) -> Self {
        notes.seen().tasks.clear();
        notes.listing.store(true, Ordering::Relaxed);
        Self(Arc::clone(notes))
    }

    /// The names of those tools.
    pub(super) fn tasks(&self) -> HashSet<String> {
        std::mem::take(&mut self.0.seen().tasks)
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        self.0.listing.store(false, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct Seen {
    tasks: HashSet<String>,
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

    /// Whether messages are to be given to [`Notes::heard`].
    pub(super) fn is_listing(&self) -> bool {
        self.listing.load(Ordering::Relaxed)
    }

    /// A message, as it came: the SDK's own types have no place for how a tool has to be called.
    pub(super) fn heard(&self, message: &[u8]) {
        if !self.is_listing() || !message.windows(TASK.len()).any(|part| part == TASK) {
            return;
        }
        let message: Value = serde_json::from_slice(message).unwrap_or_default();
        let tools = message.pointer("/result/tools").and_then(Value::as_array).into_iter().flatten();
        let required = tools.filter(|tool| tool.pointer("/execution/taskSupport") == Some(&Value::from("required")));
        self.seen().tasks.extend(required.filter_map(|tool| Some(tool.get("name")?.as_str()?.to_owned())));
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
    fn tools_that_are_only_called_as_tasks_are_noticed_while_tools_are_listed() {
        let notes = Arc::<Notes>::default();
        let message = br#"{"id": 1, "result": {"tools": [
            {"name": "a", "execution": {"taskSupport": "required"}}, {"name": "b", "execution": {"taskSupport": "optional"}},
            {"name": "c", "description": "taskSupport: required"}
        ]}}"#;
        notes.heard(message);
        let listing = Listing::new(&notes);
        assert_eq!(listing.tasks(), HashSet::new());
        notes.heard(message);
        notes.heard(b"taskSupport");
        assert_eq!(listing.tasks(), HashSet::from(["a".to_owned()]));
        drop(listing);
        assert!(!notes.is_listing());
    }

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
