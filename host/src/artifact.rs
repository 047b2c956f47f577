//! Compiled components on disk. The one file that executes bytes we did not compile in this process.
//!
//! Whatever is read back was written by this installation: every artifact carries a keyed digest over its name and
//! bytes, and the key never leaves the folder, which only its owner can enter. A mismatch is a miss.

#![expect(unsafe_code, reason = "running machine code that this installation compiled and signed")]

use crate::files::{self, KEY};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::io;
use std::path::{Path, PathBuf};
use wasmtime::component::Component;

/// Bytes of the digest in front of every artifact.
const TAG: usize = 32;

/// A folder of signed artifacts.
pub(crate) struct Artifacts {
    folder: PathBuf,
    key: [u8; KEY],
}

impl Artifacts {
    /// Opens the folder, creating it and its key if need be.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        files::private_folder(folder)?;
        Ok(Self { folder: folder.into(), key: files::key(&folder.join("key"))? })
    }

    /// The component compiled under this name, if it is there and untouched.
    pub(crate) fn component(&self, engine: &wasmtime::Engine, name: &str) -> Option<Component> {
        let bytes = self.read(name)?;
        // SAFETY: the keyed digest over exactly these bytes was just checked, so they are what `Component::serialize`
        // gave this installation; wasmtime itself refuses another version's or configuration's.
        unsafe { Component::deserialize(engine, bytes) }.ok()
    }

    /// The bytes written under this name, if they are there and untouched.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = std::fs::read(self.folder.join(name)).ok()?;
        let (tag, payload) = bytes.split_at_checked(TAG)?;
        self.mac(name, payload).verify_slice(tag).ok()?;
        bytes.drain(..TAG);
        Some(bytes)
    }

    /// Keeps bytes under this name. A full disk costs a compilation next time, so a failure is not an error.
    pub(crate) fn write(&self, name: &str, payload: &[u8]) {
        let tag = self.mac(name, payload).finalize().into_bytes();
        let _ = files::write(&self.folder.join(name), &[&tag, payload]);
    }

    fn mac(&self, name: &str, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        // The length keeps a name's end and a payload's start apart.
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        mac.update(payload);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_that_was_touched_or_renamed_is_a_miss() {
        let folder = tempfile::tempdir().expect("a folder");
        let artifacts = Artifacts::open(folder.path()).expect("artifacts");
        artifacts.write("a", b"payload");
        assert_eq!(artifacts.read("a").as_deref(), Some(b"payload".as_slice()));

        std::fs::copy(folder.path().join("a"), folder.path().join("b")).expect("a copy");
        assert_eq!(artifacts.read("b"), None);

        let mut bytes = std::fs::read(folder.path().join("a")).expect("the file");
        *bytes.last_mut().expect("a byte") ^= 1;
        std::fs::write(folder.path().join("a"), bytes).expect("the file");
        assert_eq!(artifacts.read("a"), None);

        std::fs::write(folder.path().join("a"), b"short").expect("the file");
        assert_eq!(artifacts.read("a"), None);
    }

    #[test]
    fn two_openings_share_one_key() {
        let folder = tempfile::tempdir().expect("a folder");
        Artifacts::open(folder.path()).expect("artifacts").write("a", b"payload");
        let again = Artifacts::open(folder.path()).expect("artifacts");
        assert_eq!(again.read("a").as_deref(), Some(b"payload".as_slice()));
    }
}
