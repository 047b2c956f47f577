//! A call of a tool that may do something: watched from the moment it leaves, and done once in a run that may be taken up
//! again.

use super::Servers;
use super::content;
use crate::fault::{Code, Fault};
use crate::interrupt::Interrupt;
use crate::journal::{self, Entry, Position, Write};
use crate::outbound::Doubt;
use crate::store::blocking;
use serde_json::{Map, Value};
use std::future::Future;
use std::sync::Arc;

/// What servers answer to what they could not even read. Everything else is answered by tools, too, that had begun: that
/// arguments are wrong, for one, by those whose result does not fit their own schema.
const UNREAD: &str = "-32700";

/// What is known of a write before it is sent.
pub(super) enum Known {
    /// It was done before, and gave this.
    Done(Value),
    /// It is to be done, and remembered if its run is.
    ToDo(Option<Entry>),
}

/// What a write is called, in its run's journal and by whoever tells of it.
pub(super) fn named(server: &str, tool: &str, arguments: &Map<String, Value>) -> Write {
    Write::new(&format!("mcp.{server}"), "", tool, arguments)
}

/// What the journal of its run says of a write, if there is one.
///
/// # Errors
/// `changed`, if the run did something else at this place; `in_doubt`, if nobody knows what came of it. A server cannot
/// be asked.
pub(super) async fn known(position: Option<Position>, write: Write) -> Result<Known, Fault> {
    let Some(position) = position else { return Ok(Known::ToDo(None)) };
    match blocking(move || position.look_up(write)).await? {
        journal::Known::Done(result) => read(&result).map(Known::Done),
        journal::Known::New(entry) => Ok(Known::ToDo(Some(entry))),
        journal::Known::InDoubt(entry, written) => Err(entry.in_doubt(&written)),
    }
}

fn read(result: &str) -> Result<Value, Fault> {
    serde_json::from_str(result).map_err(|error| Fault::new(Code::Internal, format!("a result that was kept: {error}")))
}

impl Servers {
    /// Sends it, and notes that before and after.
    pub(super) async fn send(
        &self,
        write: Write,
        entry: Option<Entry>,
        doubt: &Doubt,
        interrupt: Option<&Interrupt>,
        called: impl Future<Output = Result<Value, Fault>>,
    ) -> Result<Value, Fault> {
        let entry = entry.map(Arc::new);
        let sending = entry.clone();
        let sent = async {
            blocking(move || sending.map_or(Ok(()), |entry| entry.sending())).await?;
            let _sent = doubt.begin();
            called.await
        };
        let answer = match interrupt {
            Some(interrupt) => interrupt.bounds_write(self.shown(write), doubt, sent).await,
            None => sent.await,
        };
        let refused = answer.as_ref().is_err_and(is_refusal);
        let outcome = answer.and_then(content::of_tool);
        match entry {
            Some(entry) => self.settle(entry, outcome, refused).await,
            None => outcome,
        }
    }

    /// What a tool says went wrong may have gone halfway: only what its server refused certainly did not happen.
    async fn settle(&self, entry: Arc<Entry>, outcome: Result<Value, Fault>, refused: bool) -> Result<Value, Fault> {
        let kept = outcome.as_ref().ok().map(|value| self.surroundings.secrets.scrubbed(value.to_string()));
        let settle = move || {
            let result = outcome.as_ref().map(|_| kept.as_deref().unwrap_or_default());
            // What happened, happened, whether it could be noted or not: then it is in doubt when the run is taken up again.
            let _ = entry.settle(result, !refused);
            outcome
        };
        blocking(settle).await
    }

    /// As whoever tells of it may see it.
    fn shown(&self, write: Write) -> Write {
        Write { arguments: self.surroundings.secrets.scrubbed(write.arguments.clone()), ..write }
    }
}

fn is_refusal(fault: &Fault) -> bool {
    fault.provider_code.as_deref() == Some(UNREAD)
}
