//! Runs as a whole: which sent something, and how they ended.

use super::journal::NOTE_RUN;
use super::{Store, StoreError, milliseconds, moment};
use crate::lane::Place;
use rusqlite::{Row, params};
use std::time::{Duration, SystemTime};

/// A run older than this is taken up by nobody any more.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A run that sent something.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) run: String,
    /// What its script was called. None in files that older kosmos wrote.
    pub(crate) script: Option<String>,
    pub(crate) begun: SystemTime,
    /// How it ended, if it was there to note that.
    pub(crate) outcome: Option<String>,
    /// How many of its writes have a result.
    pub(crate) done: u32,
}

/// A write of which nobody knows whether it happened.
#[derive(Debug)]
pub(crate) struct Doubtful {
    pub(crate) place: Place,
    /// `dialpad.send_sms`
    pub(crate) function: String,
    pub(crate) account: String,
    /// As JSON text.
    pub(crate) arguments: String,
    pub(crate) sent: SystemTime,
}

impl Store {
    /// Notes that a run goes on.
    pub(crate) fn note_run(&self, run: &str, script: &str) -> Result<(), StoreError> {
        let noted = self.connection()?.execute(NOTE_RUN, params![run, script, milliseconds(SystemTime::now())]);
        noted.map(drop).map_err(|error| self.failed(error))
    }

    /// Notes how a run ended, and forgets those that nobody will take up again.
    pub(crate) fn note_end(&self, run: &str, outcome: &str) -> Result<(), StoreError> {
        let connection = self.connection()?;
        let old = milliseconds(SystemTime::now() - KEPT);
        let noted = connection.execute("UPDATE runs SET outcome = ?2 WHERE run = ?1", params![run, outcome]);
        let noted = noted
            .and_then(|_| connection.execute("DELETE FROM writes WHERE sent < ?1", params![old]))
            .and_then(|_| connection.execute("DELETE FROM runs WHERE begun < ?1", params![old]));
        noted.map(drop).map_err(|error| self.failed(error))
    }

    /// Every run that sent something and is remembered, the latest first.
    pub(crate) fn runs(&self) -> Result<Vec<Remembered>, StoreError> {
        if !self.exists() {
            return Ok(Vec::new());
        }
        let find = "SELECT writes.run, runs.script, min(writes.sent, ifnull(runs.begun, writes.sent)), runs.outcome,
                count(writes.result)
            FROM writes LEFT JOIN runs USING (run) GROUP BY writes.run ORDER BY min(writes.sent) DESC";
        let connection = self.connection()?;
        let found = || -> rusqlite::Result<Vec<_>> { connection.prepare(find)?.query_map([], remembered)?.collect() };
        found().map_err(|error| self.failed(error))
    }

    /// The writes of a run that may or may not have happened.
    pub(crate) fn doubtful(&self, run: &str) -> Result<Vec<Doubtful>, StoreError> {
        let find = "SELECT server, position, provider || '.' || function, account, arguments, sent FROM writes
            WHERE run = ?1 AND result IS NULL AND NOT undone ORDER BY server, position";
        let rows = {
            let connection = self.connection()?;
            let found = || -> rusqlite::Result<Vec<_>> {
                connection.prepare(find)?.query_map(params![run], doubtful)?.collect()
            };
            found().map_err(|error| self.failed(error))?
        };
        rows.into_iter().map(|(row, sealed)| self.with_arguments(run, row, &sealed)).collect()
    }

    fn with_arguments(&self, run: &str, row: Doubtful, sealed: &[u8]) -> Result<Doubtful, StoreError> {
        let opened = self.opened()?.seal.open(&["arguments", run, &row.place.sealed()], sealed);
        let opened = opened.ok_or_else(|| self.unsealable(format!("a write of run {run}")))?;
        Ok(Doubtful { arguments: opened.expose().to_owned(), ..row })
    }
}

fn remembered(row: &Row<'_>) -> rusqlite::Result<Remembered> {
    let begun = moment(row.get(2)?);
    Ok(Remembered { run: row.get(0)?, script: row.get(1)?, begun, outcome: row.get(3)?, done: row.get(4)? })
}

/// A row, and its arguments as they are sealed.
fn doubtful(row: &Row<'_>) -> rusqlite::Result<(Doubtful, Vec<u8>)> {
    let place = Place { server: row.get::<_, String>(0)?.into(), number: row.get(1)? };
    let (arguments, sent) = (String::new(), moment(row.get(5)?));
    Ok((Doubtful { place, function: row.get(2)?, account: row.get(3)?, arguments, sent }, row.get(4)?))
}
