//! The tables, and how an older file becomes a current one.

use rusqlite::{Connection, TransactionBehavior};
use std::time::Duration;

/// Each brings the file from the version that is its position to the next. Never changed, only added to.
const MIGRATIONS: [&str; 5] = [
    "
    CREATE TABLE secrets (
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        field TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (provider, account, field)
    ) STRICT, WITHOUT ROWID;
    -- What an OAuth exchange gave; valid for the configuration whose fingerprint it carries.
    CREATE TABLE tokens (
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (provider, account)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- The writes of runs, by the order in which their scripts asked for them. A row without a result was sent, and
    -- no answer came that says what became of it.
    CREATE TABLE writes (
        run TEXT NOT NULL,
        position INTEGER NOT NULL,
        digest TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        function TEXT NOT NULL,
        arguments BLOB NOT NULL,
        result BLOB,
        -- It certainly did not happen.
        undone INTEGER NOT NULL DEFAULT 0,
        sent INTEGER NOT NULL,
        PRIMARY KEY (run, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX writes_by_time ON writes (sent);
",
    "
    -- The runs that sent a write. `outcome` is how the last attempt at one ended; it has none while one goes on, and
    -- after one that was killed.
    CREATE TABLE runs (
        run TEXT NOT NULL PRIMARY KEY,
        script TEXT NOT NULL,
        begun INTEGER NOT NULL,
        outcome TEXT
    ) STRICT, WITHOUT ROWID;
",
    "
    -- The key that seals everything else: it opens `probe`. `name` is what a keyring calls it, `place` where it was last.
    CREATE TABLE seal (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        name TEXT NOT NULL,
        place TEXT NOT NULL,
        probe BLOB NOT NULL
    ) STRICT;
",
    "
    -- The writes at each MCP server are counted apart: `server` is its name, and empty for those of providers.
    ALTER TABLE writes RENAME TO writes_together;
    CREATE TABLE writes (
        run TEXT NOT NULL,
        server TEXT NOT NULL,
        position INTEGER NOT NULL,
        digest TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        function TEXT NOT NULL,
        arguments BLOB NOT NULL,
        result BLOB,
        undone INTEGER NOT NULL DEFAULT 0,
        sent INTEGER NOT NULL,
        PRIMARY KEY (run, server, position)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO writes SELECT run, '', position, digest, provider, account, function, arguments, result, undone, sent
        FROM writes_together;
    DROP TABLE writes_together;
    CREATE INDEX writes_by_time ON writes (sent);
",
];

/// The version that all of them lead to.
const CURRENT: u16 = MIGRATIONS.len() as u16;

/// How often two processes that create the file at once may get in each other's way.
const ATTEMPTS: u32 = 50;

/// Makes a connection durable and its tables current.
///
/// # Errors
/// As SQLite has them, and for a file that a newer kosmo wrote.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    write_ahead(connection)?;
    // A token that was rotated must survive a power cut: the old one is worthless.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    migrate(connection)
}

/// Switching the journal does not wait for other processes as everything else does.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let mut attempt = 0;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    if version(connection)? == CURRENT {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been first.
    let version = version(&transaction)?;
    for migration in MIGRATIONS.get(usize::from(version)..).ok_or_else(newer)? {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", CURRENT)?;
    transaction.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<u16> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn newer() -> rusqlite::Error {
    let what = "a newer kosmo wrote it; update this one, or give it another KOSMO_HOME";
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_SCHEMA), Some(what.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_gets_every_table_once() {
        let mut connection = Connection::open_in_memory().expect("a database");
        migrate(&mut connection).expect("migrated");
        migrate(&mut connection).expect("nothing left to do");
        assert_eq!(version(&connection), Ok(CURRENT));
    }

    #[test]
    fn what_an_older_kosmo_wrote_is_still_there() {
        let mut connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch(&MIGRATIONS[..4].concat()).expect("an older file");
        connection.pragma_update(None, "user_version", 4).expect("a number");
        let write = "INSERT INTO writes (run, position, digest, provider, account, function, arguments, result, sent)
            VALUES ('r', 3, 'd', 'p', 'a', 'f', x'01', x'02', 7)";
        connection.execute(write, []).expect("a write");
        migrate(&mut connection).expect("migrated");
        let find = "SELECT position, result, sent FROM writes WHERE run = 'r' AND server = '' AND undone = 0";
        let found = connection.query_row(find, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        assert_eq!(found, Ok((3, vec![2_u8], 7)));
    }

    #[test]
    fn a_newer_kosmos_file_is_left_alone() {
        let mut connection = Connection::open_in_memory().expect("a database");
        connection.pragma_update(None, "user_version", CURRENT + 1).expect("a number");
        let error = migrate(&mut connection).expect_err("refused").to_string();
        assert!(error.contains("a newer kosmo wrote it"), "{error}");
    }

    #[test]
    fn many_can_create_the_file_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("kosmo.db");
        let create = || {
            let mut connection = Connection::open(&file).expect("a database");
            connection.busy_timeout(Duration::from_secs(10)).expect("a timeout");
            prepare(&mut connection).expect("prepared");
        };
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(create))));
    }
}
