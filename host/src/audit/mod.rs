//! The audit log: what was decided, sent and done, one record each, whatever the log level.
//!
//! A host with a home keeps it under `audit/`; one without keeps the latest records in memory. Where it cannot be
//! written, writes are refused; reads go on, and the next record that can be written tells how many are missing.

mod log;
mod masked;
mod read;
mod record;
mod trail;

pub use read::{Query, Skipped};
pub use record::{Event, Place, Record, Verdict};
pub(crate) use trail::{Attempt, Trail};

use crate::files::{self, KEY};
use crate::provider::hex;
use hmac::{Hmac, Mac};
use log::Log;
use masked::masked;
use serde_json::{Map, Value};
use sha2::Sha256;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use time::OffsetDateTime;

/// Records that a host without a home remembers.
const REMEMBERED: usize = 1000;
/// Bytes of a run's id, and of a digest as it is written.
const RUN: usize = 8;
const DIGEST: usize = 16;

/// The audit log of a host.
pub struct Audit {
    sink: Sink,
    key: OnceLock<[u8; KEY]>,
    invocations: AtomicU64,
    missing: Mutex<Missing>,
}

enum Sink {
    Files(Log),
    Memory(Mutex<VecDeque<String>>),
}

/// Records that could not be written.
#[derive(Default)]
struct Missing {
    /// Since the last one that could.
    untold: u64,
    /// Why the latest of all could not.
    problem: Option<String>,
}

/// The audit log cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("The audit log in {} cannot be written ({error})", .folder.display())]
struct Unwritable {
    folder: PathBuf,
    error: io::Error,
}

impl Audit {
    /// A log in this folder, or in memory.
    pub(crate) fn new(folder: Option<PathBuf>) -> Arc<Self> {
        let sink = folder.map_or_else(|| Sink::Memory(Mutex::default()), |folder| Sink::Files(Log::new(folder)));
        Arc::new(Self { sink, key: OnceLock::new(), invocations: AtomicU64::new(0), missing: Mutex::default() })
    }

    /// Where the log is, unless it is in memory.
    pub fn folder(&self) -> Option<&Path> {
        match &self.sink {
            Sink::Files(log) => Some(log.folder()),
            Sink::Memory(_) => None,
        }
    }

    /// What is wrong with the log, if a record of this host could not be written: a sentence with the cure.
    pub fn problem(&self) -> Option<String> {
        let problem = self.missing().problem.clone()?;
        Some(format!("{problem}: what happens is not recorded. Free space or fix its permissions."))
    }

    /// Gives every record that fits the query, oldest first, to `each`; all the while, only one of them is in memory.
    ///
    /// # Errors
    /// If a file of the log cannot be read. Lines that are no records are skipped, and counted.
    pub fn read(&self, query: &Query, each: impl FnMut(Record<'static>)) -> io::Result<Skipped> {
        match &self.sink {
            Sink::Files(log) => read::files(log.folder(), query, each),
            Sink::Memory(lines) => {
                let lines = lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Ok(read::lines(lines.iter().map(String::as_bytes), query, each))
            }
        }
    }

    /// Writes a record of now. What is missing before it, it tells.
    fn write(&self, mut record: Record<'_>) -> Result<(), Unwritable> {
        let mut missing = self.missing();
        record.time = now().into();
        record.lost = Some(missing.untold).filter(|&untold| untold > 0);
        let line = serde_json::to_string(&record).expect("a record has no keys that are not strings");
        match self.sink.append(&record.time, line) {
            Ok(()) => {
                missing.untold = 0;
                Ok(())
            }
            Err(error) => {
                missing.untold += 1;
                let unwritable = Unwritable { folder: self.folder().map(Into::into).unwrap_or_default(), error };
                missing.problem = Some(unwritable.to_string());
                Err(unwritable)
            }
        }
    }

    /// A digest of arguments under this log's key: without the key, a phone number cannot be found by trying all there
    /// are.
    fn digest(&self, arguments: &Map<String, Value>) -> io::Result<String> {
        let mut sorted = Value::Object(arguments.clone());
        sorted.sort_all_objects();
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key()?).expect("HMAC takes keys of any length");
        mac.update(sorted.to_string().as_bytes());
        Ok(hex(&mac.finalize().into_bytes()[..DIGEST]))
    }

    fn key(&self) -> io::Result<&[u8; KEY]> {
        if self.key.get().is_none() {
            let key = match &self.sink {
                Sink::Files(log) => {
                    files::private_folder(log.folder()).and_then(|()| files::key(&log.folder().join("key")))
                }
                Sink::Memory(_) => files::new_key(),
            };
            // Two threads read the same file; in memory, the first to come wins.
            let _ = self.key.set(key?);
        }
        Ok(self.key.get().expect("it was just set"))
    }

    fn missing(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink {
    fn append(&self, time: &str, line: String) -> io::Result<()> {
        match self {
            Self::Files(log) => log.append(time, &line),
            Self::Memory(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == REMEMBERED {
                    lines.pop_front();
                }
                lines.push_back(line);
                Ok(())
            }
        }
    }
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.folder() {
            Some(folder) => write!(f, "Audit({})", folder.display()),
            None => f.write_str("Audit(in memory)"),
        }
    }
}

/// A name for a run, 16 hexadecimal digits.
pub(crate) fn new_run() -> Arc<str> {
    let mut random = [0; RUN];
    getrandom::fill(&mut random).expect("the system gives random numbers, or nothing here would be safe");
    hex(&random).into()
}

fn now() -> String {
    stamp(OffsetDateTime::now_utc())
}

/// As records write times: of equal length, so that their order is that of their letters.
fn stamp(time: OffsetDateTime) -> String {
    let (date, clock) = (time.date(), time.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second(),
        clock.millisecond()
    )
}
