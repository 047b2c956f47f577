//! What a store says of its own key: enough to know it by, and nothing to make it from.

use super::Place;
use crate::files;
use crate::provider::hex;
use crate::secret::Secret;
use crate::store::seal::Seal;
use rusqlite::{Connection, OptionalExtension, params};
use std::io;

const BOUND: [&str; 1] = ["seal"];

/// One for each store.
pub(super) struct Record {
    /// What a keyring calls the key.
    pub(super) name: String,
    /// Where it was last. None if a later kosmo knows more places.
    pub(super) place: Option<Place>,
    pub(super) probe: Vec<u8>,
}

/// Something that is sealed in a store without a record, and its place.
pub(super) struct Sample {
    bound: Vec<String>,
    sealed: Vec<u8>,
}

impl Record {
    /// Nothing when the system has no randomness.
    pub(super) fn new(name: String, place: Place, seal: &Seal) -> Option<Self> {
        let probe = seal.seal(&BOUND, &Secret::new(name.as_str()))?;
        Some(Self { name, place: Some(place), probe })
    }

    pub(super) fn opens(&self, seal: &Seal) -> bool {
        seal.open(&BOUND, &self.probe).is_some()
    }

    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let read = |row: &rusqlite::Row<'_>| {
            let place: String = row.get(1)?;
            Ok(Self { name: row.get(0)?, place: Place::read(&place), probe: row.get(2)? })
        };
        connection.query_row("SELECT name, place, probe FROM seal", [], read).optional()
    }

    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let write = "INSERT OR REPLACE INTO seal (one, name, place, probe) VALUES (1, ?1, ?2, ?3)";
        let place = self.place.map_or("", Place::as_str);
        connection.execute(write, params![self.name, place, self.probe]).map(drop)
    }
}

impl Sample {
    pub(super) fn opens(&self, seal: &Seal) -> bool {
        let bound: Vec<_> = self.bound.iter().map(String::as_str).collect();
        seal.open(&bound, &self.sealed).is_some()
    }
}

/// Anything that is sealed, with what it is bound to.
pub(super) fn sample(connection: &Connection) -> rusqlite::Result<Option<Sample>> {
    let queries = [
        "SELECT sealed, 'field', provider, account, field FROM secrets LIMIT 1",
        "SELECT sealed, 'token', provider, account FROM tokens LIMIT 1",
        "SELECT arguments, 'arguments', run, CAST(position AS TEXT) FROM writes LIMIT 1",
    ];
    for query in queries {
        let mut statement = connection.prepare(query)?;
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| {
            let bound = (1..columns).map(|column| row.get(column)).collect::<rusqlite::Result<_>>()?;
            Ok(Sample { sealed: row.get(0)?, bound })
        };
        if let Some(sample) = statement.query_row([], read).optional()? {
            return Ok(Some(sample));
        }
    }
    Ok(None)
}

/// A name no other store has, wherever its home is moved to.
pub(super) fn new_name() -> io::Result<String> {
    Ok(hex(&files::new_key()?[..8]))
}
