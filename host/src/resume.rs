//! Remembers work that goes on at a provider after an invocation ended, so that the next identical one goes on with it.

use crate::bindings::contract;
use crate::failure::Failure;
use crate::files;
use crate::provider::hex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// After this the provider's work is stale: an export of "today" means another day by then.
const KEPT: Duration = Duration::from_secs(3600);
/// Bytes of one token; a plugin needs room for an id and a window.
const TOKEN_BYTES: usize = 4096;

/// What makes two invocations identical: plugin, account, function and arguments.
pub(crate) struct Ticket(String);

impl Ticket {
    pub(crate) fn new(parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Self(hex(&digest.finalize()))
    }
}

/// The tokens left behind, by ticket; on disk too where there is a home, since the next run may be another process.
#[derive(Default)]
pub(crate) struct Resumes {
    folder: Option<PathBuf>,
    tokens: Mutex<HashMap<String, (SystemTime, String)>>,
}

impl Resumes {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, tokens: Mutex::default() }
    }

    /// What the last identical invocation left behind.
    pub(crate) fn get(&self, ticket: &Ticket) -> Option<String> {
        let known = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&ticket.0).cloned();
        let (left, token) = known.or_else(|| read(&self.file(ticket)?))?;
        (left.elapsed().unwrap_or_default() < KEPT).then_some(token)
    }

    /// Keeps the token of an invocation that is not ready, and forgets the one of an invocation that ended otherwise.
    pub(crate) fn settle(&self, ticket: &Ticket, outcome: &Result<String, Failure>, resumed: bool) {
        match outcome {
            Err(Failure::Plugin(contract::Fault::NotReady(error))) => {
                if let Some(token) = error.resume.as_ref().filter(|token| token.len() <= TOKEN_BYTES) {
                    self.keep(ticket, token);
                }
            }
            // Without an answer the work may still be going on.
            Err(Failure::Host(_) | Failure::Plugin(contract::Fault::Unreachable(_))) => {}
            Ok(_) | Err(Failure::Plugin(_)) if resumed => self.forget(ticket),
            Ok(_) | Err(Failure::Plugin(_)) => {}
        }
    }

    fn keep(&self, ticket: &Ticket, token: &str) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, (left, _)| left.elapsed().unwrap_or_default() < KEPT);
        tokens.insert(ticket.0.clone(), (SystemTime::now(), token.into()));
        if let Some(file) = self.file(ticket) {
            let _ = self.folder.as_deref().map(prune);
            let _ = files::write(&file, &[token.as_bytes()]);
        }
    }

    fn forget(&self, ticket: &Ticket) {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket.0);
        if let Some(file) = self.file(ticket) {
            let _ = std::fs::remove_file(file);
        }
    }

    fn file(&self, ticket: &Ticket) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(&ticket.0))
    }
}

/// Makes sure the folder is there, and drops what is too old to be of use.
fn prune(folder: &Path) -> std::io::Result<()> {
    files::private_folder(folder)?;
    for file in std::fs::read_dir(folder)?.flatten() {
        let left = file.metadata().and_then(|about| about.modified());
        if left.is_ok_and(|left| left.elapsed().unwrap_or_default() >= KEPT) {
            let _ = std::fs::remove_file(file.path());
        }
    }
    Ok(())
}

fn read(file: &Path) -> Option<(SystemTime, String)> {
    let left = std::fs::metadata(file).ok()?.modified().ok()?;
    Some((left, std::fs::read_to_string(file).ok()?))
}
