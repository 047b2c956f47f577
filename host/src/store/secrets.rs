//! The fields of accounts that were configured here rather than written into `config.toml`.

use super::{Store, StoreError};
use crate::account::Fields;
use crate::secret::Secret;
use rusqlite::params;

impl Store {
    /// Everything kept of an account, by field.
    pub(crate) fn fields(&self, provider: &str, account: &str) -> Result<Fields, StoreError> {
        let rows = self.rows(provider, account).map_err(|error| match error {
            Trouble::Store(error) => error,
            Trouble::Database(error) => self.failed(error),
        })?;
        let open = |(field, sealed): (String, Vec<u8>)| {
            let opened = self.opened()?.seal.open(&["field", provider, account, &field], &sealed);
            let value = opened.ok_or_else(|| self.unsealable(format!("`{field}` of {provider}.{account}")))?;
            Ok((field, value))
        };
        rows.into_iter().map(open).collect()
    }

    fn rows(&self, provider: &str, account: &str) -> Result<Vec<(String, Vec<u8>)>, Trouble> {
        let connection = self.connection()?;
        let find = "SELECT field, sealed FROM secrets WHERE provider = ?1 AND account = ?2";
        let mut statement = connection.prepare(find)?;
        let rows = statement.query_map(params![provider, account], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The names of a provider's accounts, sorted.
    pub(crate) fn accounts(&self, provider: &str) -> Result<Vec<String>, StoreError> {
        let connection = self.connection()?;
        let find = "SELECT DISTINCT account FROM secrets WHERE provider = ?1 ORDER BY account";
        let named = || -> rusqlite::Result<Vec<String>> {
            connection.prepare(find)?.query_map(params![provider], |row| row.get(0))?.collect()
        };
        named().map_err(|error| self.failed(error))
    }

    /// Keeps one field of an account. When this returns, it is on disk.
    pub(crate) fn set_field(&self, provider: &str, account: &str, field: &str, value: &str) -> Result<(), StoreError> {
        let sealed = self.sealed(&["field", provider, account, field], &Secret::new(value))?;
        let set = "INSERT OR REPLACE INTO secrets (provider, account, field, sealed) VALUES (?1, ?2, ?3, ?4)";
        let done = self.connection()?.execute(set, params![provider, account, field, sealed]);
        done.map(drop).map_err(|error| self.failed(error))
    }

    /// Drops an account with its token. Whether there was one.
    pub(crate) fn remove_account(&self, provider: &str, account: &str) -> Result<bool, StoreError> {
        self.forget_token(provider, account)?;
        let remove = "DELETE FROM secrets WHERE provider = ?1 AND account = ?2";
        let removed = self.connection()?.execute(remove, params![provider, account]);
        removed.map(|rows| rows > 0).map_err(|error| self.failed(error))
    }

    pub(super) fn sealed(&self, place: &[&str], value: &Secret) -> Result<Vec<u8>, StoreError> {
        let sealed = self.opened()?.seal.seal(place, value);
        sealed.ok_or_else(|| StoreError::Unusable("there is no randomness to seal a secret with".into()))
    }
}

enum Trouble {
    Store(StoreError),
    Database(rusqlite::Error),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accounts_fields_are_kept_sealed_and_go_with_it() {
        let home = tempfile::tempdir().expect("a folder");
        let store = Store::new(home.path(), None);
        store.set_field("dialpad", "work", "access_token", "s3cr3t-and-long").expect("kept");
        store.set_field("dialpad", "default", "access_token", "other").expect("kept");
        let token = |account: &str| {
            let fields = store.fields("dialpad", account).expect("readable");
            fields.get("access_token").map(|value| value.expose().to_owned())
        };
        assert_eq!(token("work").as_deref(), Some("s3cr3t-and-long"));
        assert_eq!(store.accounts("dialpad").expect("readable"), ["default", "work"]);
        for file in std::fs::read_dir(home.path()).expect("a folder").flatten() {
            let bytes = std::fs::read(file.path()).expect("a file");
            assert!(!bytes.windows(6).any(|window| window == b"s3cr3t"), "{file:?}");
        }
        assert!(store.remove_account("dialpad", "work").expect("removed"));
        assert!(!store.remove_account("dialpad", "work").expect("gone already"));
        assert_eq!(token("work"), None);
        assert_eq!(token("default").as_deref(), Some("other"));
    }
}
