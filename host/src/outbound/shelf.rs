//! Where an account's OAuth token is kept for every process that shares the home.

use crate::fault::{Code, Fault};
use crate::store::{Lease, Store, StoreError, Token, blocking};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Longest wait for other processes. An exchange has a shorter limit of its own.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks whether another process is done.
const LOOK: Duration = Duration::from_millis(50);

/// Where tokens for this configuration of an account are kept. Every access may wait for the disk.
#[derive(Clone)]
pub(crate) struct Shelf {
    store: Arc<Store>,
    provider: Arc<str>,
    account: Arc<str>,
    fingerprint: Arc<str>,
    /// Whether a token that was lost is just issued again.
    repeatable: bool,
}

impl Shelf {
    pub(crate) fn new(store: &Arc<Store>, provider: &str, account: &str, fingerprint: &str, repeatable: bool) -> Self {
        let (provider, account, fingerprint) = (provider.into(), account.into(), fingerprint.into());
        Self { store: Arc::clone(store), provider, account, fingerprint, repeatable }
    }

    /// Leave to be the only process that asks for this account's token.
    pub(crate) async fn lease(&self) -> Result<Lease, Fault> {
        let name = format!("token.{}.{}", self.provider, self.account);
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

    pub(crate) async fn token(&self) -> Result<Option<Token>, Fault> {
        let shelf = self.clone();
        blocking(move || match shelf.store.token(&shelf.provider, &shelf.account, &shelf.fingerprint) {
            // Without the key the token is lost, but here nothing depends on it.
            Err(StoreError::Sealed { .. }) if shelf.repeatable => Ok(None),
            outcome => outcome,
        })
        .await
    }

    pub(crate) async fn save(&self, token: Token) -> Result<(), Fault> {
        let shelf = self.clone();
        blocking(move || shelf.store.save_token(&shelf.provider, &shelf.account, &shelf.fingerprint, &token)).await
    }
}
