//! Remembers work that goes on at a provider after an invocation ended, so that the next identical one goes on with it.

use crate::bindings::contract;
use crate::failure::Failure;
use crate::files;
use crate::provider::hex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// After this the provider's work is stale: an export of "today" means another day by then.
const KEPT: Duration = Duration::from_secs(3600);
/// Bytes of one token; a plugin needs room for an id and a window.
const TOKEN_BYTES: usize = 4096;
/// Tokens kept, the oldest out: arguments that change with every call would leave one each.
const MOST: usize = 1000;
/// Between looking through the folder for what is too old or too much.
const PRUNING: Duration = Duration::from_secs(60);

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
    /// No file is touched while this is locked.
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    tokens: HashMap<String, (SystemTime, String)>,
    pruned: Option<Instant>,
}

impl Resumes {
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, kept: Mutex::default() }
    }

    /// What the last identical invocation left behind.
    pub(crate) fn get(&self, ticket: &Ticket) -> Option<String> {
        let known = self.kept().tokens.get(&ticket.0).cloned();
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
        let oldest = self.kept().keep(ticket, token);
        let Some(folder) = self.folder.as_deref() else { return };
        if let Some(oldest) = oldest {
            let _ = std::fs::remove_file(folder.join(oldest));
        }
        let _ = files::private_folder(folder);
        let _ = files::write(&folder.join(&ticket.0), &[token.as_bytes()]);
        // Other processes keep theirs there, too.
        if self.kept().is_pruning_due(Instant::now()) {
            let _ = prune(folder);
        }
    }

    fn forget(&self, ticket: &Ticket) {
        self.kept().tokens.remove(&ticket.0);
        if let Some(file) = self.file(ticket) {
            let _ = std::fs::remove_file(file);
        }
    }

    fn file(&self, ticket: &Ticket) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(&ticket.0))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The oldest ticket is returned if it had to make room.
    fn keep(&mut self, ticket: &Ticket, token: &str) -> Option<String> {
        self.tokens.retain(|_, (left, _)| left.elapsed().unwrap_or_default() < KEPT);
        self.tokens.insert(ticket.0.clone(), (SystemTime::now(), token.into()));
        let others = self.tokens.iter().filter(|(other, _)| **other != ticket.0);
        let oldest = others.min_by_key(|(_, (left, _))| *left).map(|(oldest, _)| oldest.clone());
        let oldest = oldest.filter(|_| self.tokens.len() > MOST)?;
        self.tokens.remove(&oldest);
        Some(oldest)
    }

    fn is_pruning_due(&mut self, now: Instant) -> bool {
        let due = self.pruned.is_none_or(|last| now.duration_since(last) >= PRUNING);
        self.pruned = if due { Some(now) } else { self.pruned };
        due
    }
}

/// Drops what is too old to be of use, and the oldest of what is too much.
fn prune(folder: &Path) -> std::io::Result<()> {
    let left = |file: &DirEntry| file.metadata().and_then(|about| about.modified()).ok();
    let files = std::fs::read_dir(folder)?.flatten().filter_map(|file| Some((left(&file)?, file.path())));
    let mut files: Vec<_> = files.collect();
    files.sort_unstable_by(|one, other| other.cmp(one));
    let is_stale = |left: &SystemTime| left.elapsed().unwrap_or_default() >= KEPT;
    for (_, file) in files.iter().enumerate().filter(|(place, (left, _))| *place >= MOST || is_stale(left)) {
        let _ = std::fs::remove_file(&file.1);
    }
    Ok(())
}

fn read(file: &Path) -> Option<(SystemTime, String)> {
    let left = std::fs::metadata(file).ok()?.modified().ok()?;
    Some((left, std::fs::read_to_string(file).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(number: usize) -> Ticket {
        Ticket::new(&[&number.to_string()])
    }

    fn files(folder: &Path) -> usize {
        std::fs::read_dir(folder).expect("a folder").count()
    }

    #[test]
    fn the_oldest_tokens_make_room_in_memory_and_on_disk() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("resume");
        let resumes = Resumes::new(Some(folder.clone()));
        (0..MOST + 3).for_each(|number| resumes.keep(&ticket(number), &number.to_string()));
        assert_eq!((resumes.kept().tokens.len(), files(&folder)), (MOST, MOST));
        assert_eq!(
            (0..4).map(|number| resumes.get(&ticket(number))).collect::<Vec<_>>(),
            [None, None, None, Some("3".into())]
        );
        assert_eq!(resumes.get(&ticket(MOST + 2)), Some((MOST + 2).to_string()));
    }

    #[test]
    fn without_a_home_no_more_are_kept() {
        let resumes = Resumes::default();
        (0..MOST + 3).for_each(|number| resumes.keep(&ticket(number), "token"));
        assert_eq!(resumes.kept().tokens.len(), MOST);
    }

    #[test]
    fn what_other_processes_left_is_pruned_by_the_first_to_keep_one() {
        let home = tempfile::tempdir().expect("a folder");
        let stale = SystemTime::now() - KEPT;
        for number in 0..MOST + 5 {
            let file = std::fs::File::create(home.path().join(ticket(number).0)).expect("a file");
            let left = if number == MOST { stale } else { stale + Duration::from_secs(60 + number as u64) };
            file.set_modified(left).expect("a time");
        }
        let resumes = Resumes::new(Some(home.path().into()));
        resumes.keep(&ticket(MOST + 5), "newest");
        assert_eq!(files(home.path()), MOST);
        assert_eq!((resumes.get(&ticket(0)), resumes.get(&ticket(MOST))), (None, None));
        assert!(resumes.get(&ticket(MOST + 4)).is_some() && resumes.get(&ticket(MOST + 5)).is_some());
    }

    #[test]
    fn the_folder_is_looked_through_once_a_minute() {
        let (mut kept, start) = (Kept::default(), Instant::now());
        let due = [0, 1, 59, 60, 61, 120].map(|second| kept.is_pruning_due(start + Duration::from_secs(second)));
        assert_eq!(due, [true, false, false, true, false, true]);
    }
}
