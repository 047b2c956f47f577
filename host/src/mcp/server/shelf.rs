//! Toolboxes that were put together, one for each client, until something changes.

use super::offer::{Client, Offer};
use super::tools::Toolbox;
use crate::{Host, Scope};
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
    /// A token of the same name may give something else.
    scopes: Arc<[Scope]>,
    toolbox: Arc<Toolbox>,
}

impl Shelf {
    /// What there is for a client at this revision. Loads descriptions, so it is not for asynchronous code.
    pub(super) fn toolbox(&self, revision: u64, host: &Host, offer: &Offer, client: &Client) -> Arc<Toolbox> {
        if let Some(toolbox) = self.kept(revision, host, client) {
            return toolbox;
        }
        let toolbox = Arc::new(Toolbox::new(host, offer, client));
        let scopes = Arc::clone(host.scopes());
        let kept = Kept { revision, since: Instant::now(), scopes, toolbox: Arc::clone(&toolbox) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(&client.name), kept);
        toolbox
    }

    fn kept(&self, revision: u64, host: &Host, client: &Client) -> Option<Arc<Toolbox>> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = shelf.get(&client.name)?;
        let fresh = kept.revision == revision && kept.since.elapsed() < FRESH && kept.scopes == *host.scopes();
        fresh.then(|| Arc::clone(&kept.toolbox))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decision;

    #[test]
    fn a_client_of_the_same_name_with_another_scope_gets_its_own() {
        let (shelf, offer) = (Shelf::default(), Offer::default());
        let host = Host::builder().build().expect("a host");
        let toolbox = |accounts: Option<&str>| {
            let own = Scope {
                name: "the token `ci`".into(),
                integrations: None,
                accounts: accounts.map(|name| [name.to_owned()].into()),
                write: Decision::Deny,
                cure: String::new(),
            };
            let client = Client::known("ci", &offer, own);
            shelf.toolbox(1, &client.view(&host), &offer, &client)
        };
        let wide = toolbox(None);
        assert!(Arc::ptr_eq(&wide, &toolbox(None)));
        assert!(!Arc::ptr_eq(&wide, &toolbox(Some("work"))));
    }
}
