//! Toolboxes that were put together, one for each client, until something changes.

use super::offer::{Client, Offer};
use super::tools::Toolbox;
use crate::Host;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an account that came or went stays unnoticed: the store tells nobody.
const FRESH: Duration = Duration::from_secs(5);

/// By client.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<HashMap<Arc<str>, Kept>>);

#[derive(Debug)]
struct Kept {
    revision: u64,
    since: Instant,
    toolbox: Arc<Toolbox>,
}

impl Shelf {
    /// What there is for a client at this revision. Loads descriptions, so it is not for asynchronous code.
    pub(super) fn toolbox(&self, revision: u64, host: &Host, offer: &Offer, client: &Client) -> Arc<Toolbox> {
        if let Some(toolbox) = self.kept(revision, client) {
            return toolbox;
        }
        let toolbox = Arc::new(Toolbox::new(host, offer, client));
        let kept = Kept { revision, since: Instant::now(), toolbox: Arc::clone(&toolbox) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(&client.name), kept);
        toolbox
    }

    fn kept(&self, revision: u64, client: &Client) -> Option<Arc<Toolbox>> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = shelf.get(&client.name)?;
        let fresh = kept.revision == revision && kept.since.elapsed() < FRESH;
        fresh.then(|| Arc::clone(&kept.toolbox))
    }
}
