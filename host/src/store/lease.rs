//! What only one process may do at a time.

use super::{PATIENCE, Store, StoreError};
use crate::fault::Fault;
use crate::files;
use std::fs::{File, TryLockError};
use std::sync::Arc;
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
        let unwritable = |error| StoreError::Unwritable { file: path.clone(), error: Arc::new(error) };
        let open = || {
            files::home(&self.home)?;
            files::private_folder(&folder)?;
            File::options().create(true).append(true).open(&path)
        };
        let file = open().map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lease { _locked: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unwritable(error)),
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

    #[test]
    fn a_home_that_cannot_be_written_is_told_with_its_cure() {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join(FOLDER), "no folder").expect("a file");
        let fault = Fault::from(Store::new(home.path(), None).lease("config").expect_err("no folder"));
        assert_eq!(fault.code, crate::fault::Code::Unconfigured);
        assert!(fault.message.ends_with(". Let the kosmo home be yours to write, or set KOSMO_HOME."), "{fault}");
    }
}
