//! What kosmo keeps between runs: one SQLite file under the home, shared by every process that uses it.
//!
//! Nothing is opened before it is needed. What was confirmed is on disk; a process that is killed at any point leaves
//! the file as it was before or after, never in between. Secrets in it are sealed ([`seal`]).

mod journal;
mod key;
mod lease;
mod runs;
mod schema;
mod seal;
mod secrets;
mod token;

pub(crate) use journal::Written;
pub(crate) use key::{Keys, Place, Wish, of_session};
pub(crate) use lease::Lease;
pub(crate) use runs::{Doubtful, Remembered};
pub use secrets::Value;
pub(crate) use token::Token;

use crate::fault::{Code, Fault};
use crate::files;
use key::{Found, KeyError};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use seal::Seal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long a process waits for another one's change. They take milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the store is taken for unusable after it was: to find that out may take seconds, and whoever asks for one
/// account after the other would wait for each. After that it is looked again, for a keyring may be unlocked by then.
const UNUSABLE: Duration = Duration::from_millis(500);

/// The file, opened at first use.
#[derive(Debug)]
pub(crate) struct Store {
    home: PathBuf,
    keys: Keys,
    opened: OnceLock<Opened>,
    /// When it could not be opened, and why. Held by whoever opens it.
    failed: Mutex<Option<(Instant, StoreError)>>,
}

#[derive(Debug)]
struct Opened {
    connection: Mutex<Connection>,
    seal: Seal,
    place: Place,
}

/// Why something could not be kept or found.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("{0}")]
    Unusable(String),
    #[error("Another kosmo is changing the configuration and does not end. Try again.")]
    Busy,
    #[error("{}", files::unwritable(.file, .error))]
    Unwritable { file: PathBuf, error: Arc<std::io::Error> },
    #[error("{} cannot be used: {error}{}", .file.display(), cure(.error).unwrap_or_default())]
    Database { file: PathBuf, error: Arc<rusqlite::Error> },
    #[error(
        "{} holds {what} that {} does not open. Put the key back that it was sealed with, or configure the account \
         again.", .file.display(), .key
    )]
    Sealed { file: PathBuf, what: String, key: &'static str },
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Busy => Code::Busy,
            StoreError::Database { error, .. } if cure(error).is_none() => Code::Internal,
            _ => Code::Unconfigured,
        };
        Self::new(code, error.to_string())
    }
}

/// What whoever owns the file can do about it, if anything.
fn cure(error: &rusqlite::Error) -> Option<&'static str> {
    match error.sqlite_error_code()? {
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => {
            Some(". It is damaged: put a copy of it back, or move it away and configure the accounts again.")
        }
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
            Some(". Let the kosmo home be yours to write, or set KOSMO_HOME.")
        }
        ErrorCode::DiskFull => Some(". Make room on its disk."),
        _ => None,
    }
}

impl Store {
    /// The store of this home, sealed with a key that comes from one of these places.
    pub(crate) fn with(home: &Path, keys: Keys) -> Self {
        Self { home: home.into(), keys, opened: OnceLock::new(), failed: Mutex::default() }
    }

    /// The store of this home, sealed with the key given or that of the home's key file.
    #[cfg(test)]
    pub(crate) fn new(home: &Path, given: Option<crate::secret::Secret>) -> Self {
        Self::with(home, Keys { given, ..Keys::default() })
    }

    fn file(&self) -> PathBuf {
        self.home.join("kosmo.db")
    }

    /// Where everything is kept.
    pub(crate) fn files(&self) -> [PathBuf; 2] {
        ["kosmo.db", "kosmo.db-wal"].map(|name| self.home.join(name))
    }

    /// Whether anything was ever kept: looking must not be what creates it.
    pub(crate) fn exists(&self) -> bool {
        self.file().is_file()
    }

    fn opened(&self) -> Result<&Opened, StoreError> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.opened.get(), &*failed) {
            (Some(opened), _) => Ok(opened),
            (None, Some((at, error))) if at.elapsed() < UNUSABLE => Err(error.clone()),
            (None, _) => {
                let opened = self.open().inspect_err(|error| *failed = Some((Instant::now(), error.clone())))?;
                Ok(self.opened.get_or_init(|| opened))
            }
        }
    }

    fn open(&self) -> Result<Opened, StoreError> {
        let unwritable = |error| StoreError::Unwritable { file: self.file(), error: Arc::new(error) };
        files::home(&self.home).map_err(unwritable)?;
        // SQLite gives the files it makes beside it the permissions of this one.
        let created = if self.exists() { Ok(()) } else { files::create(&self.file(), b"") };
        created.and_then(|()| self.close()).map_err(unwritable)?;
        let connection = connect(&self.file()).map_err(|error| self.failed(error))?;
        let Found { seal, place } = self.key(&connection)?;
        Ok(Opened { connection: Mutex::new(connection), seal, place })
    }

    fn close(&self) -> std::io::Result<()> {
        ["kosmo.db", "kosmo.db-wal", "kosmo.db-shm"].iter().try_for_each(|name| files::close(&self.home.join(name)))
    }

    /// Two processes that both found none must not make two.
    fn key(&self, connection: &Connection) -> Result<Found, StoreError> {
        let told = |error| match error {
            KeyError::Database(error) => self.failed(error),
            other => StoreError::Unusable(format!("{} cannot be used: {other}", self.file().display())),
        };
        let settled = self.keys.is_settled(connection).map_err(told)?;
        let _alone = if settled { None } else { Some(self.wait_for("key")?) };
        self.keys.find(&self.home, connection).map_err(told)
    }

    /// Where the key lies that the store is sealed with.
    pub(crate) fn key_place(&self) -> Result<Place, StoreError> {
        Ok(self.opened()?.place)
    }

    /// As older kosmos left it.
    #[cfg(test)]
    fn forget_key_record(&self) {
        self.connection()
            .and_then(|it| it.execute("DELETE FROM seal", []).map_err(|e| self.failed(e)))
            .expect("a record");
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        StoreError::Database { file: self.file(), error: Arc::new(error) }
    }

    fn unsealable(&self, what: String) -> StoreError {
        let key = self.key_place().map_or(key::FILE, key::called);
        StoreError::Sealed { file: self.file(), what, key }
    }

    fn connection(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        Ok(self.opened()?.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    schema::prepare(&mut connection)?;
    Ok(connection)
}

/// Waits for the disk on a thread that serves nobody else.
pub(crate) async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Fault>
where
    T: Send + 'static,
    E: Into<Fault> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(error) => Err(Fault::new(Code::Internal, format!("the store: {error}"))),
    }
}

/// Since 1970, as the tables have times.
fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A time as the tables have it.
fn moment(milliseconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(store: &Store, secret: &str) {
        let set = [("access_token".to_owned(), Value::Text(crate::secret::Secret::new(secret)))].into();
        store.change("dialpad", "default", &set, &[]).expect("kept");
    }

    #[test]
    fn nothing_is_written_before_it_is_needed() {
        let home = tempfile::tempdir().expect("a folder");
        let store = Store::new(home.path(), None);
        assert_eq!(std::fs::read_dir(home.path()).expect("a folder").count(), 0);
        assert!(store.fields("dialpad", "default").expect("nothing yet").is_empty());
        assert!(store.accounts("dialpad").expect("nothing yet").is_empty());
        assert!(!store.remove_account("dialpad", "default").expect("nothing yet"));
        assert_eq!(std::fs::read_dir(home.path()).expect("a folder").count(), 0);
        keep(&store, "s3cr3t");
        assert!(home.path().join("kosmo.db").is_file());
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_any_of_its_files() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("kosmo.db"), "").expect("a file others can read");
        let store = Store::new(home.path(), None);
        keep(&store, "s3cr3t");
        let files: Vec<_> = std::fs::read_dir(home.path()).expect("a folder").flatten().collect();
        assert!(files.len() >= 3, "{files:?}");
        for file in files {
            let mode = file.metadata().expect("a file").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{file:?} {mode:o}");
        }
    }

    #[test]
    fn a_file_that_is_no_database_is_named() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("kosmo.db"), "not a database, but long enough to be taken for one".repeat(20))
            .expect("a file");
        let error = Store::new(home.path(), None).fields("dialpad", "default").expect_err("unusable");
        let fault = Fault::from(error);
        assert_eq!(fault.code, Code::Unconfigured);
        for part in ["kosmo.db cannot be used: ", "not a database. It is damaged: ", "move it away"] {
            assert!(fault.message.contains(part), "{fault}");
        }
    }

    #[test]
    fn what_could_not_be_opened_is_opened_once_it_can_be() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("kosmo.db");
        std::fs::write(&file, "not a database, but long enough to be taken for one".repeat(20)).expect("a file");
        let store = Store::new(home.path(), None);
        let refused = store.fields("dialpad", "default").expect_err("unusable");
        std::fs::remove_file(&file).expect("a file");
        let again = store.key_place().expect_err("it is not looked at again at once");
        assert_eq!(again.to_string(), refused.to_string());
        std::thread::sleep(UNUSABLE);
        keep(&store, "s3cr3t");
        assert_eq!(store.accounts("dialpad").expect("opened"), ["default"]);
    }
}
