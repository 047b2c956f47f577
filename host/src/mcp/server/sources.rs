//! What a server was started from, looked at again and again: plugin files, the operator's configuration, and the accounts
//! in the store. Where nothing can tell that a file changed, its time and size do.

use super::tokens;
use crate::Host;
use crate::store::Store;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Time and size of every file that counts.
type Print = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// The files of one host.
#[derive(Clone)]
pub struct Sources {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    seen: Print,
    accounts: Accounts,
}

/// The accounts of a store, which is written to for other reasons all the time.
#[derive(Clone)]
struct Accounts {
    store: Option<Arc<Store>>,
    files: Print,
    digest: Option<String>,
}

impl Sources {
    /// As they are.
    pub fn new(host: &Host) -> Self {
        let own = ["config.toml", "accepted.toml", tokens::FILE];
        let own = host.home().into_iter().flat_map(|home| own.map(|name| home.join(name)));
        let layers = host.surroundings().config.policies().layers().iter().map(|layer| layer.file.clone());
        let (folders, files) = (host.registry().folders().to_vec(), own.chain(layers).collect());
        let mut sources = Self { folders, files, seen: Print::new(), accounts: Accounts::of(host) };
        sources.seen = sources.look();
        sources
    }

    /// Whether one of them is another than when it was last looked at. Waits for the disk.
    pub fn has_changed(&mut self) -> bool {
        let now = self.look();
        let changed = now != self.seen;
        self.seen = now;
        self.accounts.have_changed() || changed
    }

    fn look(&self) -> Print {
        let entries = self.folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
        let plugins =
            entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "wasm"));
        print(plugins.chain(self.files.iter().cloned()))
    }
}

impl Accounts {
    fn of(host: &Host) -> Self {
        let store = host.surroundings().store.clone();
        let files = store.iter().flat_map(|store| store.files());
        let digest = store.as_ref().and_then(|store| store.accounts_digest().ok());
        Self { files: print(files), digest, store }
    }

    /// As [`Sources::has_changed`]. A store that cannot be read holds what it held.
    fn have_changed(&mut self) -> bool {
        let Some(store) = &self.store else { return false };
        let files = print(store.files().into_iter());
        if files == self.files {
            return false;
        }
        let digest = store.accounts_digest().ok();
        self.files = files;
        let changed = digest.is_some() && digest != self.digest;
        self.digest = digest.or_else(|| self.digest.take());
        changed
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").field("folders", &self.folders).field("files", &self.files).finish_non_exhaustive()
    }
}

fn print(files: impl Iterator<Item = PathBuf>) -> Print {
    files.filter_map(|path| Some((path.clone(), stamp(&path)?))).collect()
}

fn stamp(path: &Path) -> Option<(Option<SystemTime>, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok(), metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Value;

    #[test]
    fn a_plugin_that_comes_or_goes_and_a_changed_configuration_are_noticed_once() {
        let home = tempfile::tempdir().expect("a folder");
        let plugins = home.path().join("plugins");
        std::fs::create_dir(&plugins).expect("a folder");
        let mut sources = Sources::new(&Host::builder().home(home.path()).build().expect("a host"));
        assert!(!sources.has_changed());
        std::fs::write(plugins.join("a.wasm"), "x").expect("a file");
        assert!(sources.has_changed() && !sources.has_changed());
        std::fs::write(plugins.join("a.txt"), "x").expect("a file");
        assert!(!sources.has_changed(), "no plugin");
        std::fs::write(home.path().join("config.toml"), "# x").expect("a file");
        assert!(sources.has_changed());
        std::fs::remove_file(plugins.join("a.wasm")).expect("removed");
        assert!(sources.has_changed() && !sources.has_changed());
    }

    #[test]
    fn an_account_that_comes_changes_or_goes_is_noticed_and_what_else_is_kept_is_not() {
        let home = tempfile::tempdir().expect("a folder");
        let mut sources = Sources::new(&Host::builder().home(home.path()).build().expect("a host"));
        let store = Store::new(home.path(), None);
        store.note_run("00ff", "return 1").expect("kept");
        assert!(!sources.has_changed(), "a store without accounts");
        let token = || [("access_token".to_owned(), Value::Environment("TOKEN".into()))].into();
        for _ in 0..2 {
            store.change("dialpad", "work", &token(), &[]).expect("kept");
            assert!(sources.has_changed() && !sources.has_changed());
        }
        store.note_run("00fe", "return 1").expect("kept");
        assert!(!sources.has_changed(), "a run is no account");
        store.remove_account("dialpad", "work").expect("removed");
        assert!(sources.has_changed() && !sources.has_changed());
    }
}
