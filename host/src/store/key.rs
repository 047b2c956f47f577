//! Where the key comes from that seals what the store keeps.

use super::seal::Seal;
use crate::files;
use crate::secret::Secret;
use std::io;
use std::path::Path;

/// The environment variable that replaces the key file.
pub(super) const VARIABLE: &str = "KOSMO_CREDENTIAL_KEY";
/// The key file in the home, made at first use.
pub(super) const FILE: &str = "credential.key";

/// The operator's own key if one was given, otherwise that of the home's key file.
///
/// # Errors
/// When the key file can be neither read nor made.
pub(super) fn seal(home: &Path, given: Option<&Secret>) -> io::Result<Seal> {
    let key = match given {
        Some(given) => given.expose().as_bytes().to_vec(),
        None => of_file(&home.join(FILE))?,
    };
    Seal::new(&key).ok_or_else(|| io::Error::other("no key can be made of it"))
}

fn of_file(file: &Path) -> io::Result<Vec<u8>> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    if !file.exists() {
        // Another process may be first; its key is then the one.
        files::create(file, &files::new_key()?).map_err(named)?;
    }
    files::close(file).map_err(named)?;
    let key = std::fs::read(file).map_err(named)?;
    if key.len() < files::KEY {
        return Err(named(io::Error::other(format!("it has fewer than {} bytes", files::KEY))));
    }
    Ok(key)
}
