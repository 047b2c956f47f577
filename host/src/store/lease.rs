//! What only one process may do at a time.

use super::{PATIENCE, Store, StoreError};
use crate::fault::Fault;
use crate::files;
use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

/// The folder in the home with a file for each thing to be had. They stay: an open one must not be replaced.
const FOLDER: &str = "leases";

/// Leave to be the only one. It ends when it is dropped, and with its process, however that ends.
#[derive(Debug)]
pub(crate) struct Lease {
    _locked: File,
}

impl Store {
    /// Leave to be the only one who does what `name`, which must do as a file's name, says; nothing while another one
    /// has it.
    pub(crate) fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        let folder = self.home.join(FOLDER);
        let path = folder.join(name);
        let unusable = |error| StoreError::Unusable(format!("{} cannot be locked: {error}", path.display()));
        let open = || {
            files::home(&self.home)?;
            files::private_folder(&folder)?;
            File::options().create(true).append(true).open(&path)
        };
        let file = open().map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lease { _locked: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

impl Store {
    /// Leave to change the files that are read, changed and written whole, while no other process does.
    ///
    /// # Errors
    /// `busy`, if another one does not end.
    pub(crate) fn alone(&self) -> Result<Lease, Fault> {
        Ok(self.wait_for("config")?)
    }

    /// As [`Store::lease`], waited for.
    ///
    /// # Errors
    /// If another process does not give it back.
    pub(super) fn wait_for(&self, name: &str) -> Result<Lease, StoreError> {
        let begun = Instant::now();
        loop {
            match self.lease(name)? {
                Some(lease) => return Ok(lease),
                None if begun.elapsed() > PATIENCE => return Err(StoreError::Busy),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_until_it_is_given_back() {
        let home = tempfile::tempdir().expect("a folder");
        let (one, two) = (Store::new(home.path(), None), Store::new(home.path(), None));
        let lease = one.lease("refresh").expect("asked").expect("free");
        assert!(two.lease("refresh").expect("asked").is_none(), "another has it");
        assert!(one.lease("refresh").expect("asked").is_none(), "it has it already");
        assert!(two.lease("other").expect("asked").is_some(), "another thing");
        drop(lease);
        assert!(two.lease("refresh").expect("asked").is_some(), "given back");
    }
}
