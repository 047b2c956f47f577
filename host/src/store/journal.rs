//! The writes that runs sent, and what came of them.

use super::{Store, StoreError, milliseconds, moment};
use crate::journal::Write;
use crate::lane::Place;
use crate::secret::Secret;
use rusqlite::{OptionalExtension, TransactionBehavior, params};
use std::time::SystemTime;

/// A run goes on, or begins.
pub(super) const NOTE_RUN: &str = "INSERT INTO runs (run, script, begun) VALUES (?1, ?2, ?3)
    ON CONFLICT (run) DO UPDATE SET outcome = NULL";

/// A write that was sent.
#[derive(Debug)]
pub(crate) struct Written {
    /// Of what the script asked for.
    pub(crate) digest: String,
    /// `dialpad.send_sms`
    pub(crate) path: String,
    /// What came of it, as JSON text; nothing when that is not known.
    pub(crate) result: Option<String>,
    /// Whether it certainly did not happen.
    pub(crate) undone: bool,
    /// When it was sent.
    pub(crate) sent: SystemTime,
}

impl Store {
    /// Whether this run sent anything.
    pub(crate) fn knows_run(&self, run: &str) -> Result<bool, StoreError> {
        let find = "SELECT EXISTS (SELECT 1 FROM writes WHERE run = ?1)";
        self.connection()?.query_row(find, params![run], |row| row.get(0)).map_err(|error| self.failed(error))
    }

    /// The write that a run sent at this point, if it did.
    pub(crate) fn written(&self, run: &str, place: &Place) -> Result<Option<Written>, StoreError> {
        let find = "SELECT digest, provider || '.' || function, result, sent, undone FROM writes
            WHERE run = ?1 AND server = ?2 AND position = ?3";
        let read = |row: &rusqlite::Row<'_>| {
            let (digest, path): (String, String) = (row.get(0)?, row.get(1)?);
            let (sealed, sent): (Option<Vec<u8>>, i64) = (row.get(2)?, row.get(3)?);
            Ok((digest, path, sealed, sent, row.get::<_, bool>(4)?))
        };
        let row = self
            .connection()?
            .query_row(find, params![run, place.server, place.number], read)
            .optional()
            .map_err(|error| self.failed(error))?;
        let Some((digest, path, sealed, sent, undone)) = row else { return Ok(None) };
        let open = |sealed: Vec<u8>| {
            let opened = self.opened()?.seal.open(&["result", run, &place.sealed()], &sealed);
            let opened = opened.ok_or_else(|| self.unsealable(format!("a result of run {run}")))?;
            Ok(opened.expose().to_owned())
        };
        Ok(Some(Written { digest, path, result: sealed.map(open).transpose()?, undone, sent: moment(sent) }))
    }

    /// Whether a run sent the same write at a later point.
    pub(crate) fn written_later(&self, run: &str, place: &Place, digest: &str) -> Result<bool, StoreError> {
        let find = "SELECT EXISTS (SELECT 1 FROM writes 
            WHERE run = ?1 AND server = ?2 AND position > ?3 AND digest = ?4)";
        let row = params![run, place.server, place.number, digest];
        let found = self.connection()?.query_row(find, row, |row| row.get(0));
        found.map_err(|error| self.failed(error))
    }

    /// Notes that a write is about to be sent. When this returns, that is on disk. Whether nobody else noted it first;
    /// with `again`, it is noted in any case.
    pub(crate) fn note_sending(
        &self,
        run: &str,
        script: &str,
        place: &Place,
        write: &Write,
        again: bool,
    ) -> Result<bool, StoreError> {
        let arguments = self.sealed(&["arguments", run, &place.sealed()], &Secret::new(write.arguments.as_str()))?;
        let note = if again { "INSERT OR REPLACE" } else { "INSERT OR IGNORE" };
        let note = format!(
            "{note} INTO writes (run, server, position, digest, provider, account, function, arguments, sent)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        );
        let now = milliseconds(SystemTime::now());
        let Write { provider, account, function, .. } = write;
        let Place { server, number } = place;
        let row = params![run, server, number, write.digest(), provider, account, function, arguments, now];
        let mut connection = self.connection()?;
        let mut noted = || -> rusqlite::Result<usize> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute(NOTE_RUN, params![run, script, now])?;
            let rows = transaction.execute(&note, row)?;
            transaction.commit().map(|()| rows)
        };
        noted().map(|rows| rows > 0).map_err(|error| self.failed(error))
    }

    /// Notes what came of a write. When this returns, that is on disk.
    pub(crate) fn note_result(&self, run: &str, place: &Place, result: &str) -> Result<(), StoreError> {
        let sealed = self.sealed(&["result", run, &place.sealed()], &Secret::new(result))?;
        let note = "UPDATE writes SET result = ?4 WHERE run = ?1 AND server = ?2 AND position = ?3";
        let noted = self.connection()?.execute(note, params![run, place.server, place.number, sealed]);
        noted.map(drop).map_err(|error| self.failed(error))
    }

    /// Notes that a write turned out not to have happened. It keeps its place: what comes at another one is another write.
    pub(crate) fn note_undone(&self, run: &str, place: &Place) -> Result<(), StoreError> {
        let note = "UPDATE writes SET undone = 1 WHERE run = ?1 AND server = ?2 AND position = ?3";
        let noted = self.connection()?.execute(note, params![run, place.server, place.number]);
        noted.map(drop).map_err(|error| self.failed(error))
    }
}
