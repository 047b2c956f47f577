//! What only one process may do at a time, and no dead one for ever.

use super::{Store, StoreError, milliseconds};
use crate::provider::hex;
use rusqlite::params;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Leave to be the only one, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    store: Arc<Store>,
    name: String,
    owner: String,
}

impl Store {
    /// Leave to be the only one who does what `name` says, for `time` at most; nothing while another one has it.
    /// Whoever was killed meanwhile loses it when its time is over.
    pub(crate) fn lease(self: &Arc<Self>, name: &str, time: Duration) -> Result<Option<Lease>, StoreError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| StoreError::Unusable(error.to_string()))?;
        let owner = hex(&random);
        let now = milliseconds(SystemTime::now());
        let until = now.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        let take = "INSERT INTO leases (name, owner, until) VALUES (?1, ?2, ?3)
            ON CONFLICT (name) DO UPDATE SET owner = ?2, until = ?3 WHERE until <= ?4";
        let taken = self.connection()?.execute(take, params![name, owner, until, now]);
        let taken = taken.map_err(|error| self.failed(error))? > 0;
        Ok(taken.then(|| Lease { store: Arc::clone(self), name: name.into(), owner }))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Ok(connection) = self.store.connection() {
            // What cannot be given back ends by itself.
            let give_back = "DELETE FROM leases WHERE name = ?1 AND owner = ?2";
            let _ = connection.execute(give_back, params![self.name, self.owner]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_until_it_is_given_back_or_over() {
        let home = tempfile::tempdir().expect("a folder");
        let (one, two) = (Arc::new(Store::new(home.path(), None)), Arc::new(Store::new(home.path(), None)));
        let long = Duration::from_secs(3600);
        let lease = one.lease("refresh", long).expect("asked").expect("free");
        assert!(two.lease("refresh", long).expect("asked").is_none(), "another has it");
        let other = two.lease("other", long).expect("asked");
        assert!(other.is_some(), "another thing");
        drop(lease);
        let short = two.lease("refresh", Duration::ZERO).expect("asked").expect("given back");
        let lease = one.lease("refresh", long).expect("asked").expect("over");
        drop(short);
        assert!(two.lease("refresh", long).expect("asked").is_none(), "who lost it cannot give it back");
        drop(lease);
    }
}
