//! Remembers the writes of a run, so that a run that broke off can be taken up again without doing any of them twice.
//!
//! A write is known by its place among the writes of its run, those at each MCP server counted apart, and by the digest
//! of what was asked for. It is noted before a byte of it leaves and again when an answer is there; what was noted once
//! only is in doubt.

use crate::clip::{NAME, clipped};
use crate::description::Operation;
use crate::fault::{Code, Fault};
use crate::lane::{Kept, Lane, Place};
use crate::provider::hex;
use crate::store::{Lease, Store, Written};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// By how much clocks may differ.
const CLOCKS: Duration = Duration::from_secs(60);
/// Most bytes of arguments that an error repeats.
const SHOWN: usize = 400;

/// How a run ended whose script came to its end.
pub(crate) const DONE: &str = "done";

/// The writes of one run.
#[derive(Debug)]
pub(crate) struct Journal {
    store: Arc<Store>,
    run: Arc<str>,
    /// What errors call the script.
    script: String,
    repeat_in_doubt: bool,
    next: AtomicU32,
    /// By MCP server.
    lanes: Mutex<HashMap<String, Arc<Lane>>>,
    changed: AtomicBool,
    /// While the run is this one's. It is from its first write on, or from being taken up.
    lease: Mutex<Option<Lease>>,
}

/// One write, as it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) provider: String,
    pub(crate) account: String,
    pub(crate) function: String,
    /// As JSON text, its names sorted.
    pub(crate) arguments: String,
}

/// A write's place in the journal of its run, before it is known which write.
#[derive(Clone, Debug)]
pub struct Position {
    journal: Arc<Journal>,
    place: Place,
}

/// A place in the journal for what is asked of an MCP server, before it is known whether that writes.
#[derive(Clone, Debug)]
pub struct Claim {
    journal: Arc<Journal>,
    server: Arc<str>,
    kept: Arc<Kept>,
}

/// One write's place in the journal of its run.
#[derive(Debug)]
pub(crate) struct Entry {
    journal: Arc<Journal>,
    place: Place,
    write: Write,
    /// Whether it is to be sent although it may have been before.
    again: bool,
    noted: AtomicBool,
}

/// What an invocation is for.
#[derive(Clone, Debug)]
pub(crate) enum Errand {
    /// To be done.
    Do,
    /// To be done and remembered.
    Remember(Arc<Entry>),
    /// To find out whether it was done since this time (UTC, ISO 8601).
    Find(String),
}

/// What the journal says of a write that is asked for.
#[derive(Debug)]
pub(crate) enum Known {
    /// It is to be sent.
    New(Entry),
    /// It was sent before, and this came of it.
    Done(String),
    /// It was sent before, and nobody knows what came of it.
    InDoubt(Entry, Written),
}

impl Errand {
    /// What it is to the user's data: finding out changes nothing.
    pub(crate) fn operation(&self, function: Operation) -> Operation {
        match self {
            Self::Do | Self::Remember(_) => function,
            Self::Find(_) => Operation::Read,
        }
    }

    /// Since when to look, if that is all.
    pub(crate) fn lost(&self) -> Option<String> {
        match self {
            Self::Do | Self::Remember(_) => None,
            Self::Find(since) => Some(since.clone()),
        }
    }
}

impl Write {
    pub(crate) fn new(provider: &str, account: &str, function: &str, arguments: &Map<String, Value>) -> Self {
        let mut arguments = Value::Object(arguments.clone());
        arguments.sort_all_objects();
        let arguments = arguments.to_string();
        Self { provider: provider.into(), account: account.into(), function: function.into(), arguments }
    }

    /// The same for the same write only.
    pub(crate) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for part in [&self.provider, &self.account, &self.function, &self.arguments] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        hex(&digest.finalize())
    }

    fn path(&self) -> String {
        format!("{}.{}", self.provider, self.function)
    }
}

impl Journal {
    /// The journal of a new run.
    pub(crate) fn new(store: Arc<Store>, run: Arc<str>, script: &str) -> Self {
        let script = clipped(script, NAME).into();
        Self {
            store,
            run,
            script,
            repeat_in_doubt: false,
            next: 0.into(),
            lanes: Mutex::default(),
            changed: false.into(),
            lease: Mutex::default(),
        }
    }

    /// The journal of a run that is taken up again.
    ///
    /// # Errors
    /// `unknown`, if it sent nothing that would have to be remembered.
    pub(crate) fn resume(store: Arc<Store>, run: &str, script: &str, repeat_in_doubt: bool) -> Result<Self, Fault> {
        if !store.knows_run(run)? {
            let message = format!(
                "No run {} sent anything that is remembered. `kosmo runs:list` names those that did, as `meta.run` in \
                 the envelope does; one that sent nothing is simply started again.",
                clipped(run, SHOWN)
            );
            return Err(Fault::new(Code::Unknown, message));
        }
        let journal = Self { repeat_in_doubt, ..Self::new(store, run.into(), script) };
        journal.hold()?;
        journal.store.note_run(run, &journal.script)?;
        Ok(journal)
    }

    /// The run is over for the time being. `outcome` is [`DONE`] or why not.
    pub(crate) fn close(&self, outcome: &str) {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        if lease.take().is_some() {
            // A run of which that cannot be noted looks as if it had been killed, and can be taken up all the same.
            let _ = self.store.note_end(&self.run, outcome);
        }
    }

    /// The position of the write that is asked for next. To be asked in the order of the script.
    pub(crate) fn next(self: &Arc<Self>) -> Position {
        let place = Place { number: self.next.fetch_add(1, Ordering::Relaxed), ..Place::default() };
        Position { journal: Arc::clone(self), place }
    }

    /// The place of what is asked of an MCP server next. To be asked in the order of the script.
    pub(crate) fn claim(self: &Arc<Self>, server: &str) -> Claim {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lanes.entry(server.into()).or_default().keep();
        Claim { journal: Arc::clone(self), server: server.into(), kept: Arc::new(kept) }
    }

    /// What is known of the write asked for at this place.
    ///
    /// # Errors
    /// `changed`, if another write was sent at this point, and from then on for every one.
    fn look_up(self: &Arc<Self>, place: &Place, write: Write) -> Result<Known, Fault> {
        if self.changed.load(Ordering::Relaxed) {
            return Err(self.refused("an earlier write was already another one"));
        }
        let entry = |again| {
            let (journal, write) = (Arc::clone(self), write.clone());
            Entry { journal, place: place.clone(), write, again, noted: false.into() }
        };
        match self.store.written(&self.run, place)? {
            None if self.store.written_later(&self.run, place, &write.digest())? => Err(self.moved(place, &write)),
            None => Ok(Known::New(entry(false))),
            Some(written) if written.digest != write.digest() => Err(self.another(place, &written, &write)),
            Some(Written { undone: true, .. }) => Ok(Known::New(entry(true))),
            Some(Written { result: Some(result), .. }) => Ok(Known::Done(result)),
            Some(_) if self.repeat_in_doubt => Ok(Known::New(entry(true))),
            Some(written) => Ok(Known::InDoubt(entry(true), written)),
        }
    }

    fn another(&self, place: &Place, written: &Written, write: &Write) -> Fault {
        self.changed.store(true, Ordering::Relaxed);
        let with = if written.path == write.path() { " with other arguments" } else { "" };
        let (was, now) = (&written.path, write.path());
        self.refused(&format!("its write number {place} was {was}, and now it is {now}{with}"))
    }

    fn moved(&self, place: &Place, write: &Write) -> Fault {
        self.changed.store(true, Ordering::Relaxed);
        self.refused(&format!("{} is now its write number {place}, and was sent later before", write.path()))
    }

    /// Nobody else may go on with the run, from its first write to the end of this.
    ///
    /// # Errors
    /// `busy`, if another process does.
    fn hold(&self) -> Result<(), Fault> {
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        if lease.is_none() {
            *lease = self.store.lease(&lease_of(&self.run))?;
        }
        let taken = || Fault::new(Code::Busy, format!("Run {} is going on in another process.", self.run));
        if lease.is_some() { Ok(()) } else { Err(taken()) }
    }

    fn refused(&self, why: &str) -> Fault {
        let message = format!(
            "Run {} cannot be taken up again: {why}. The script, or what it read, changed since; going on would send \
             again in other words what was already sent. Start a new run with what is left to do.",
            self.run
        );
        Fault::new(Code::Changed, message)
    }
}

impl Position {
    /// What is known of the write that is asked for here.
    ///
    /// # Errors
    /// As [`Journal::look_up`].
    pub(crate) fn look_up(&self, write: Write) -> Result<Known, Fault> {
        self.journal.look_up(&self.place, write)
    }
}

impl Claim {
    /// What is asked writes: its position, as soon as that is known of all that was asked of the server before.
    pub(crate) async fn position(&self) -> Position {
        let place = Place { server: Arc::clone(&self.server), number: self.kept.number().await };
        Position { journal: Arc::clone(&self.journal), place }
    }

    /// It does not, and nobody has to wait for it.
    pub(crate) fn pass(&self) {
        self.kept.pass();
    }
}

impl Entry {
    /// Notes that the first byte is about to leave.
    ///
    /// # Errors
    /// When that cannot be noted, or another process just sends the same write of the same run. It must then not leave.
    pub(crate) fn sending(&self) -> Result<(), Fault> {
        if self.noted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let journal = &self.journal;
        journal.hold()?;
        if journal.store.note_sending(&journal.run, &journal.script, &self.place, &self.write, self.again)? {
            self.noted.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let message = format!("Run {} is going on in another process, which sends this write.", journal.run);
        Err(Fault::new(Code::InDoubt, message))
    }

    /// Notes what came of it. `in_doubt` is whether it may have happened although there is no result.
    ///
    /// # Errors
    /// When that cannot be noted: it is then in doubt.
    pub(crate) fn settle(&self, result: Result<&str, &Fault>, in_doubt: bool) -> Result<(), Fault> {
        match result {
            _ if !self.noted.load(Ordering::Relaxed) => Ok(()),
            Ok(json) => self.done(json),
            Err(_) if in_doubt => Ok(()),
            Err(_) => self.undone(),
        }
    }

    /// Notes what came of it.
    pub(crate) fn done(&self, result: &str) -> Result<(), Fault> {
        Ok(self.journal.store.note_result(&self.journal.run, &self.place, result)?)
    }

    /// Notes that it did not happen, so that it will be sent when the run is taken up again.
    fn undone(&self) -> Result<(), Fault> {
        Ok(self.journal.store.note_undone(&self.journal.run, &self.place)?)
    }

    /// Nobody knows whether it happened.
    pub(crate) fn in_doubt(&self, written: &Written) -> Fault {
        let when = time(written.sent);
        let message = format!(
            "Write number {} of run {}, {}({}), was sent at {when}, and no answer says what came of it: it may have \
             happened, and is not repeated. Look whether it did; then either remove it from what is left to do in a \
             new run, or take this run up again with --repeat-in-doubt, which sends it once more.",
            self.place,
            self.journal.run,
            self.write.path(),
            clipped(&self.write.arguments, SHOWN),
        );
        Fault::new(Code::InDoubt, message)
    }
}

impl Written {
    /// A time before which it was not sent, even where the provider's clock differs from ours.
    pub(crate) fn since(&self) -> String {
        time(self.sent.checked_sub(CLOCKS).unwrap_or(self.sent))
    }
}

/// What only one process has that goes on with a run.
pub(crate) fn lease_of(run: &str) -> String {
    format!("run-{run}")
}

/// UTC, ISO 8601.
pub(crate) fn time(time: SystemTime) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time::OffsetDateTime::from(time).format(format).unwrap_or_default()
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
