//! The runs that sent something: what is done of them, what is in doubt, and whether they can be taken up again.

use crate::fault::Fault;
use crate::host::Host;
use crate::journal::{DONE, lease_of, time};
use crate::store::{Doubtful, Remembered, Store};
use serde::Serialize;

/// A run that sent something.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// What the audit log and `--resume` call it.
    pub run: String,
    /// What its script was called; absent if that was not kept.
    pub script: Option<String>,
    /// UTC, ISO 8601.
    pub begun: String,
    /// How its last attempt ended.
    pub state: String,
    /// How many of its writes are done.
    pub done: u32,
    /// The writes that may or may not have happened.
    pub in_doubt: Vec<InDoubt>,
}

/// A write that was sent and of which no answer was recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InDoubt {
    /// Counted from 1 among the writes of its run to providers, or to its MCP server.
    pub number: u32,
    /// `dialpad.send_sms`, `mcp.github.create_issue`
    pub function: String,
    /// `default`; empty for a tool of an MCP server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// As JSON text.
    pub arguments: String,
    /// UTC, ISO 8601.
    pub sent: String,
}

impl Run {
    /// Whether there is anything left to do.
    pub fn is_done(&self) -> bool {
        self.state == DONE && self.in_doubt.is_empty()
    }
}

/// Every run that sent something in the last thirty days, the latest first.
///
/// # Errors
/// When the store cannot be read.
pub fn list(host: &Host) -> Result<Vec<Run>, Fault> {
    let Some(store) = &host.surroundings().store else { return Ok(Vec::new()) };
    store.runs()?.into_iter().map(|run| told(store, run)).collect()
}

fn told(store: &Store, run: Remembered) -> Result<Run, Fault> {
    let in_doubt = store.doubtful(&run.run)?.into_iter().map(InDoubt::from).collect();
    let state = state(store, &run)?;
    Ok(Run { begun: time(run.begun), run: run.run, script: run.script, state, done: run.done, in_doubt })
}

/// `done`, a fault's code or `failed`; without any of these, it goes on or was killed.
fn state(store: &Store, run: &Remembered) -> Result<String, Fault> {
    match &run.outcome {
        Some(outcome) => Ok(outcome.clone()),
        None if store.lease(&lease_of(&run.run))?.is_none() => Ok("going_on".into()),
        None => Ok("killed".into()),
    }
}

impl From<Doubtful> for InDoubt {
    fn from(write: Doubtful) -> Self {
        let Doubtful { place, function, account, arguments, sent } = write;
        Self { number: place.number + 1, function, account, arguments, sent: time(sent) }
    }
}
