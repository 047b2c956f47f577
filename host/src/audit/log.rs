//! The files of the audit log: one a month, one record a line, only ever appended to.

use crate::files;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// `2026-11` of a record's time.
const MONTH: usize = 7;

/// The log of one home. Several processes write to it at once.
pub(super) struct Log {
    folder: PathBuf,
    open: Mutex<Option<Open>>,
}

/// The month that is written to. Opened once, since an invocation writes several records.
struct Open {
    month: String,
    file: File,
}

impl Log {
    /// A log in this folder, which is made when the first record is written.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, open: Mutex::default() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends a record of this time, which is in UTC and starts with the month.
    pub(super) fn append(&self, time: &str, record: &str) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.append_to(&mut open, &time[..MONTH], record);
        if written.is_err() {
            // Whoever makes room may put another file in its place.
            *open = None;
        }
        written
    }

    fn append_to(&self, open: &mut Option<Open>, month: &str, record: &str) -> io::Result<()> {
        let file = self.file(open, month)?;
        let start = if is_torn(file)? { "\n" } else { "" };
        let line = format!("{start}{record}\n");
        // In one piece, so that lines of several processes never mix. What does not fit in one piece does not fit.
        match write(file, line.as_bytes())? {
            written if written == line.len() => Ok(()),
            _ => Err(ErrorKind::StorageFull.into()),
        }
    }

    /// Where a month's records are.
    pub(super) fn path(folder: &Path, month: &str) -> PathBuf {
        folder.join(month).with_extension("jsonl")
    }

    fn file<'a>(&self, open: &'a mut Option<Open>, month: &str) -> io::Result<&'a mut File> {
        // A file that was deleted takes records without an error, and they are gone.
        if open.as_ref().is_some_and(|open| open.month != month || files::is_deleted(&open.file)) {
            *open = None;
        }
        let open = match open {
            Some(open) => open,
            None => open.insert(Open { month: month.into(), file: self.create(month)? }),
        };
        Ok(&mut open.file)
    }

    fn create(&self, month: &str) -> io::Result<File> {
        files::private_folder(&self.folder)?;
        files::open_to_append(&Self::path(&self.folder, month))
    }
}

/// Whether the last line was cut short, by a full disk or the end of its process. The next must not become part of it.
fn is_torn(file: &mut File) -> io::Result<bool> {
    let mut last = *b"\n";
    match file.seek(SeekFrom::End(-1)) {
        Ok(_) => file.read(&mut last).map(|read| read == 1 && last != *b"\n"),
        // It is empty, or no file one can look back in.
        Err(_) => Ok(false),
    }
}

fn write(file: &mut File, line: &[u8]) -> io::Result<usize> {
    loop {
        match file.write(line) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-11-22T05:19:40.123Z";

    #[track_caller]
    fn check(folder: &Path, expected: &str) {
        assert_eq!(std::fs::read_to_string(folder.join("2026-11.jsonl")).expect("a log"), expected);
    }

    #[test]
    fn a_line_cut_short_does_not_swallow_the_next() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("audit");
        let log = Log::new(folder.clone());
        log.append(TIME, "one").expect("written");
        let mut other = files::open_to_append(&folder.join("2026-11.jsonl")).expect("the same file");
        other.write_all(b"tw").expect("written");
        log.append(TIME, "three").expect("written");
        check(&folder, "one\ntw\nthree\n");
    }

    #[test]
    fn a_month_has_its_file_and_a_deleted_one_is_made_again() {
        let home = tempfile::tempdir().expect("a folder");
        let log = Log::new(home.path().into());
        log.append("2026-10-31T23:59:59.999Z", "october").expect("written");
        log.append(TIME, "lost with its file").expect("written");
        std::fs::remove_file(home.path().join("2026-11.jsonl")).expect("removed");
        log.append(TIME, "november").expect("written");
        check(home.path(), "november\n");
        let october = std::fs::read_to_string(home.path().join("2026-10.jsonl"));
        assert_eq!(october.expect("a log"), "october\n");
    }

    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("audit");
        Log::new(folder.clone()).append(TIME, "one").expect("written");
        let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("2026-11.jsonl"))), (0o700, 0o600));
    }

    #[test]
    fn lines_of_many_writers_never_mix() {
        let home = tempfile::tempdir().expect("a folder");
        let long = "x".repeat(3000);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let log = Log::new(home.path().into());
                    (0..50).for_each(|_| log.append(TIME, &long).expect("written"));
                });
            }
        });
        let text = std::fs::read_to_string(home.path().join("2026-11.jsonl")).expect("a log");
        // Who looks while another writes takes its line for a torn one, and leaves an empty line.
        let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!((lines.len(), lines.iter().filter(|&&line| line == long).count()), (400, 400));
    }
}
