//! A write of a run that may be taken up again: done once, remembered, and looked for where its answer got lost.

use crate::audit::Trail;
use crate::fault::Fault;
use crate::invocation::{Invocation, Surroundings};
use crate::journal::{Entry, Errand, Known, Position, Write};
use crate::provider::Provider;
use crate::store::{Written, blocking};
use std::sync::Arc;

/// Runs a write that has its place in the journal of its run, unless it was done there already.
///
/// # Errors
/// As [`Provider::invoke`]; `changed`, if the run did something else at this place; `in_doubt`, if nobody can tell
/// whether it did this.
pub(crate) async fn invoke(
    provider: &Provider,
    host: &Arc<Surroundings>,
    position: Position,
    asked: Invocation,
    trail: &Arc<Trail>,
) -> Result<String, Fault> {
    let function = provider.description().function(&asked.function).map_or(&*asked.function, |known| &known.name);
    let write = Write::new(provider.name(), asked.account(), function, &asked.arguments);
    let entry = match blocking(move || position.look_up(write)).await? {
        Known::Done(result) => return Ok(result),
        Known::New(entry) => entry,
        Known::InDoubt(entry, written) => match find(provider, host, &asked, &entry, &written, trail).await? {
            Some(result) => return blocking(move || entry.done(&result).map(|()| result)).await,
            None => entry,
        },
    };
    let entry = Arc::new(entry);
    let (outcome, in_doubt) = provider.run_errand(host, asked, Errand::Remember(Arc::clone(&entry)), trail).await;
    let settle = move || {
        // What happened, happened, whether it could be noted or not: then it is in doubt when the run is taken up again.
        let _ = entry.settle(outcome.as_deref(), in_doubt);
        outcome
    };
    blocking(settle).await
}

/// Asks the provider what became of a write whose answer got lost: its result, or nothing if it did not happen.
async fn find(
    provider: &Provider,
    host: &Arc<Surroundings>,
    asked: &Invocation,
    entry: &Entry,
    written: &Written,
    trail: &Arc<Trail>,
) -> Result<Option<String>, Fault> {
    if provider.description().traces(&asked.function).is_empty() {
        return Err(entry.in_doubt(written));
    }
    let (answer, _) = provider
        .run_errand(host, Invocation { position: None, ..asked.clone() }, Errand::Find(written.since()), trail)
        .await;
    match answer {
        Ok(json) if json.trim() == "null" => Ok(None),
        Ok(json) => Ok(Some(json)),
        Err(fault) => {
            let doubt = entry.in_doubt(written);
            let message = format!("{} The provider was asked, but: {}", doubt.message, fault.message);
            Err(Fault { message, ..doubt })
        }
    }
}
