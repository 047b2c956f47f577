//! The fields of accounts that were configured here rather than written into `config.toml`.

use super::{Store, StoreError};
use crate::provider::hex;
use crate::secret::Secret;
use rusqlite::{TransactionBehavior, params};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What is kept of an account's field.
#[derive(Debug)]
pub enum Value {
    /// The value itself.
    Text(Secret),
    /// The name of an environment variable that holds it whenever it is needed.
    Environment(String),
}

impl Value {
    /// The same again.
    pub(crate) fn copied(&self) -> Self {
        match self {
            Self::Text(text) => Self::Text(text.copied()),
            Self::Environment(name) => Self::Environment(name.clone()),
        }
    }

    /// Whether there is nothing in it, not even a variable's name.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Environment(name) => name.is_empty(),
        }
    }

    /// As it is sealed.
    fn written(&self) -> Secret {
        match self {
            Self::Text(text) => Secret::new(format!("text:{}", text.expose())),
            Self::Environment(name) => Secret::new(format!("env:{name}")),
        }
    }

    fn read(written: &Secret) -> Option<Self> {
        match written.expose().split_once(':')? {
            ("text", text) => Some(Self::Text(Secret::new(text))),
            ("env", name) => Some(Self::Environment(name.into())),
            _ => None,
        }
    }
}

impl Store {
    /// Everything kept of an account, by field.
    pub(crate) fn fields(&self, provider: &str, account: &str) -> Result<BTreeMap<String, Value>, StoreError> {
        if !self.exists() {
            return Ok(BTreeMap::new());
        }
        let rows = self.rows(provider, account).map_err(|error| match error {
            Trouble::Store(error) => error,
            Trouble::Database(error) => self.failed(error),
        })?;
        let open = |(field, sealed): (String, Vec<u8>)| {
            let opened = self.opened()?.seal.open(&["field", provider, account, &field], &sealed);
            let value = opened.as_ref().and_then(Value::read);
            Ok((field.clone(), value.ok_or_else(|| self.unsealable(format!("`{field}` of {provider}.{account}")))?))
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
        if !self.exists() {
            return Ok(Vec::new());
        }
        let connection = self.connection()?;
        let find = "SELECT DISTINCT account FROM secrets WHERE provider = ?1 ORDER BY account";
        let named = || -> rusqlite::Result<Vec<String>> {
            connection.prepare(find)?.query_map(params![provider], |row| row.get(0))?.collect()
        };
        named().map_err(|error| self.failed(error))
    }

    /// Another one whenever a field of an account is kept, changed or dropped; it tells nothing else.
    pub(crate) fn accounts_digest(&self) -> Result<String, StoreError> {
        let mut digest = Sha256::new();
        if self.exists() {
            let connection = self.connection()?;
            let mut add = || -> rusqlite::Result<()> {
                let mut all = connection.prepare("SELECT sealed FROM secrets ORDER BY provider, account, field")?;
                let mut rows = all.query([])?;
                while let Some(row) = rows.next()? {
                    // No two are sealed alike, so the places they are at need not be told.
                    digest.update(row.get::<_, Vec<u8>>(0)?);
                }
                Ok(())
            };
            add().map_err(|error| self.failed(error))?;
        }
        Ok(hex(&digest.finalize()))
    }

    /// Keeps some fields of an account and drops others, all or nothing. When this returns, it is on disk.
    pub(crate) fn change(
        &self,
        provider: &str,
        account: &str,
        set: &BTreeMap<String, Value>,
        unset: &[String],
    ) -> Result<(), StoreError> {
        let seal = |(field, value): (&String, &Value)| {
            Ok((field.clone(), self.sealed(&["field", provider, account, field], &value.written())?))
        };
        let sealed = set.iter().map(seal).collect::<Result<Vec<_>, StoreError>>()?;
        let mut connection = self.connection()?;
        let mut changed = || -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for field in unset {
                let drop = "DELETE FROM secrets WHERE provider = ?1 AND account = ?2 AND field = ?3";
                transaction.execute(drop, params![provider, account, field])?;
            }
            for (field, sealed) in &sealed {
                let set = "INSERT OR REPLACE INTO secrets (provider, account, field, sealed) VALUES (?1, ?2, ?3, ?4)";
                transaction.execute(set, params![provider, account, field, sealed])?;
            }
            transaction.commit()
        };
        changed().map_err(|error| self.failed(error))
    }

    /// Drops an account with its token. Whether there was one.
    pub(crate) fn remove_account(&self, provider: &str, account: &str) -> Result<bool, StoreError> {
        if !self.exists() {
            return Ok(false);
        }
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
        let keep = |account: &str, value| {
            let set = [("access_token".to_owned(), value)].into();
            store.change("dialpad", account, &set, &["url".into()]).expect("kept");
        };
        keep("work", Value::Text(Secret::new("s3cr3t-and-long")));
        keep("default", Value::Environment("TOKEN".into()));
        let token = |account: &str| {
            let fields = store.fields("dialpad", account).expect("readable");
            fields.get("access_token").map(|value| value.written().expose().to_owned())
        };
        assert_eq!(token("work").as_deref(), Some("text:s3cr3t-and-long"));
        assert_eq!(store.accounts("dialpad").expect("readable"), ["default", "work"]);
        let files = std::fs::read_dir(home.path()).expect("a folder").flatten();
        for file in files.filter(|file| file.path().is_file()) {
            let bytes = std::fs::read(file.path()).expect("a file");
            assert!(!bytes.windows(6).any(|window| window == b"s3cr3t"), "{file:?}");
        }
        assert!(store.remove_account("dialpad", "work").expect("removed"));
        assert!(!store.remove_account("dialpad", "work").expect("gone already"));
        assert_eq!(token("work"), None);
        store.change("dialpad", "none", &BTreeMap::new(), &["access_token".into()]).expect("nothing to drop");
        assert_eq!(token("default").as_deref(), Some("env:TOKEN"));
    }
}
