//! Where an account's OAuth token is kept for every process that shares the home.

use crate::fault::{Code, Fault};
use crate::oauth::Client;
use crate::store::{Lease, Store, StoreError, Token, blocking};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Longest wait for other processes. An exchange has a shorter limit of its own.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks whether another process is done.
const LOOK: Duration = Duration::from_millis(50);

/// Where tokens for this configuration of an account are kept. Every access may wait for the disk.
pub(super) struct Shelf {
    store: Arc<Store>,
    fingerprint: Arc<str>,
}

impl Shelf {
    pub(super) fn new(store: &Arc<Store>, client: &Client) -> Self {
        Self { store: Arc::clone(store), fingerprint: client.fingerprint().into() }
    }

    /// Leave to be the only process that asks for this account's token.
    pub(super) async fn lease(&self, client: &Client) -> Result<Lease, Fault> {
        let name = format!("token.{}.{}", client.provider, client.account);
        let given = async {
            loop {
                let (store, name) = (Arc::clone(&self.store), name.clone());
                if let Some(lease) = blocking(move || store.lease(&name)).await? {
                    return Ok(lease);
                }
                sleep(LOOK).await;
            }
        };
        let late =
            |_| Fault::new(Code::Busy, "Other processes have been asking for this account's token all the time.");
        timeout(PATIENCE, given).await.map_err(late)?
    }

    pub(super) async fn token(&self, client: &Client) -> Result<Option<Token>, Fault> {
        let (store, fingerprint) = (Arc::clone(&self.store), Arc::clone(&self.fingerprint));
        let (provider, account, repeatable) = (client.provider.clone(), client.account.clone(), client.is_repeatable());
        blocking(move || match store.token(&provider, &account, &fingerprint) {
            // Without the key the token is lost, but here nothing depends on it.
            Err(StoreError::Sealed { .. }) if repeatable => Ok(None),
            outcome => outcome,
        })
        .await
    }

    pub(super) async fn save(&self, client: &Client, token: Token) -> Result<(), Fault> {
        let (store, fingerprint) = (Arc::clone(&self.store), Arc::clone(&self.fingerprint));
        let (provider, account) = (client.provider.clone(), client.account.clone());
        blocking(move || store.save_token(&provider, &account, &fingerprint, &token)).await
    }
}
