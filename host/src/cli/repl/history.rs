//! What was typed before, in a file for its owner alone. A line that holds a secret is not kept, not even in memory.

use kosmo::Host;
use rustyline::history::FileHistory;
use rustyline::{Editor, Helper};
use std::path::PathBuf;

/// Below the kosmo home.
const FILE: &str = "repl_history";

pub(super) struct History {
    host: Host,
    /// None without a home.
    file: Option<PathBuf>,
}

impl History {
    pub(super) fn of(host: &Host) -> Self {
        let file = host.home().filter(|home| home.is_dir()).map(|home| home.join(FILE));
        Self { host: host.clone(), file }
    }

    /// A history that cannot be read is none.
    pub(super) fn load(&self, lines: &mut Editor<impl Helper, FileHistory>) {
        let _ = self.file.as_ref().map(|file| lines.load_history(file));
    }

    /// At once, so that nothing is lost however this ends. The file is made with no permission for anybody else.
    pub(super) fn keep(&self, lines: &mut Editor<impl Helper, FileHistory>, text: &str) {
        if self.host.holds_secret(text) {
            return;
        }
        // One that cannot be written is forgotten with the session.
        let _ = lines.add_history_entry(text);
        let _ = self.file.as_ref().map(|file| lines.append_history(file));
    }
}
