//! What a run prints.

use super::render::{BYTES, too_large};
use crate::fault::Fault;

/// Lines, kept up to a bound.
#[derive(Default)]
pub(super) struct Output {
    text: String,
    lines: usize,
}

impl Output {
    /// Adds a line.
    pub(super) fn line(&mut self, line: &str) -> Result<(), Fault> {
        if self.text.len() + line.len() + 1 > BYTES {
            return Err(too_large("one run", "its output"));
        }
        if self.lines > 0 {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.lines += 1;
        Ok(())
    }

    /// Bytes kept.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Lines joined by line feeds.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}
