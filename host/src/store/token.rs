//! What an OAuth exchange gave, until the next one.

use super::{Store, StoreError};
use crate::secret::Secret;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::{Duration, SystemTime};

/// An access token with what renews it.
#[derive(Debug)]
pub(crate) struct Token {
    /// What authenticates requests.
    pub(crate) access: Secret,
    /// What gets the next access token, once.
    pub(crate) refresh: Option<Secret>,
    /// When the access token was issued.
    pub(crate) issued: SystemTime,
    /// When it ends.
    pub(crate) expires: SystemTime,
    /// Whether the next one was asked for and its answer has not been kept. The access token may be dead by then.
    pub(crate) exchanging: bool,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    access: Cow<'a, str>,
    refresh: Option<Cow<'a, str>>,
    /// Milliseconds since 1970.
    issued: u64,
    /// Milliseconds since 1970.
    expires: u64,
    exchanging: bool,
}

impl Token {
    fn write(&self) -> Secret {
        let refresh = self.refresh.as_ref().map(|refresh| refresh.expose().into());
        let (issued, expires) = (milliseconds(self.issued), milliseconds(self.expires));
        let written =
            Written { access: self.access.expose().into(), refresh, issued, expires, exchanging: self.exchanging };
        Secret::new(serde_json::to_string(&written).unwrap_or_default())
    }

    fn read(text: &Secret) -> Option<Self> {
        let written: Written<'_> = serde_json::from_str(text.expose()).ok()?;
        let (access, refresh) = (Secret::new(written.access), written.refresh.map(Secret::new));
        let (issued, expires) = (moment(written.issued)?, moment(written.expires)?);
        Some(Self { access, refresh, issued, expires, exchanging: written.exchanging })
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn moment(milliseconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}

impl Store {
    /// The last token of an account, if it was made for this configuration of it.
    pub(crate) fn token(&self, provider: &str, account: &str, fingerprint: &str) -> Result<Option<Token>, StoreError> {
        let find = "SELECT sealed FROM tokens WHERE provider = ?1 AND account = ?2 AND fingerprint = ?3";
        let sealed: Option<Vec<u8>> = self
            .connection()?
            .query_row(find, params![provider, account, fingerprint], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed(error))?;
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.opened()?.seal.open(&["token", provider, account], &sealed);
        let token = opened.as_ref().and_then(Token::read);
        token.map(Some).ok_or_else(|| self.unsealable(format!("a token of {provider}.{account}")))
    }

    /// Keeps a token in place of the account's last one. When this returns, it is on disk.
    pub(crate) fn save_token(
        &self,
        provider: &str,
        account: &str,
        fingerprint: &str,
        token: &Token,
    ) -> Result<(), StoreError> {
        let sealed = self.sealed(&["token", provider, account], &token.write())?;
        let save = "INSERT OR REPLACE INTO tokens (provider, account, fingerprint, sealed) VALUES (?1, ?2, ?3, ?4)";
        let saved = self.connection()?.execute(save, params![provider, account, fingerprint, sealed]);
        saved.map(drop).map_err(|error| self.failed(error))
    }

    /// Drops an account's token, whatever configuration it was made for.
    pub(crate) fn forget_token(&self, provider: &str, account: &str) -> Result<(), StoreError> {
        let forget = "DELETE FROM tokens WHERE provider = ?1 AND account = ?2";
        let forgotten = self.connection()?.execute(forget, params![provider, account]);
        forgotten.map(drop).map_err(|error| self.failed(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_outlives_its_process_but_not_its_configuration() {
        let home = tempfile::tempdir().expect("a folder");
        let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
        let (issued, refresh) = (SystemTime::UNIX_EPOCH, Some(Secret::new("next")));
        let token = Token { access: Secret::new("first"), refresh, issued, expires, exchanging: true };
        Store::new(home.path(), None).save_token("ringcentral", "work", "print", &token).expect("saved");

        let store = Store::new(home.path(), None);
        let found = store.token("ringcentral", "work", "print").expect("readable").expect("there");
        assert_eq!((found.access.expose(), found.issued, found.expires), ("first", issued, expires));
        assert!(found.exchanging);
        assert_eq!(found.refresh.as_ref().map(Secret::expose), Some("next"));
        assert!(store.token("ringcentral", "work", "other").expect("readable").is_none());
        assert!(store.token("ringcentral", "default", "print").expect("readable").is_none());
        store.forget_token("ringcentral", "work").expect("forgotten");
        assert!(store.token("ringcentral", "work", "print").expect("readable").is_none());
    }

    #[test]
    fn a_row_that_another_key_sealed_is_named_with_the_key_that_was_tried() {
        let home = tempfile::tempdir().expect("a folder");
        let past = SystemTime::UNIX_EPOCH;
        let token =
            Token { access: Secret::new("first"), refresh: None, issued: past, expires: past, exchanging: false };
        Store::new(home.path(), None).save_token("ringcentral", "work", "print", &token).expect("saved");
        // As a kosmo left it that took whatever key it was given.
        let other = tempfile::tempdir().expect("a folder");
        let sealed = Store::new(other.path(), Some(Secret::new("another key")));
        sealed.save_token("ringcentral", "work", "print", &token).expect("saved");
        let row: Vec<u8> = sealed
            .connection()
            .expect("open")
            .query_row("SELECT sealed FROM tokens", [], |row| row.get(0))
            .expect("a row");
        let store = Store::new(home.path(), None);
        store.connection().expect("open").execute("UPDATE tokens SET sealed = ?1", params![row]).expect("changed");
        let error = store.token("ringcentral", "work", "print").expect_err("sealed").to_string();
        assert!(error.contains("a token of ringcentral.work that credential.key does not open"), "{error}");
    }
}
