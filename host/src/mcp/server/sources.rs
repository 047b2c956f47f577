//! What a server was started from, looked at again and again: plugin files and the operator's configuration. Where
//! nothing can tell that a file changed, its time and size do.

use super::tokens;
use crate::Host;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Time and size of every file that counts.
type Print = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// The files of one host.
#[derive(Clone, Debug)]
pub struct Sources {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    seen: Print,
}

impl Sources {
    /// As they are.
    pub fn new(host: &Host) -> Self {
        let own = ["config.toml", "accepted.toml", tokens::FILE];
        let own = host.home().into_iter().flat_map(|home| own.map(|name| home.join(name)));
        let layers = host.surroundings().config.policies().layers().iter().map(|layer| layer.file.clone());
        let (folders, files) = (host.registry().folders().to_vec(), own.chain(layers).collect());
        let mut sources = Self { folders, files, seen: Print::new() };
        sources.seen = sources.look();
        sources
    }

    /// Whether one of them is another than when it was last looked at. Waits for the disk.
    pub fn has_changed(&mut self) -> bool {
        let now = self.look();
        let changed = now != self.seen;
        self.seen = now;
        changed
    }

    fn look(&self) -> Print {
        let entries = self.folders.iter().flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
        let plugins =
            entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "wasm"));
        plugins.chain(self.files.iter().cloned()).filter_map(|path| Some((path.clone(), stamp(&path)?))).collect()
    }
}

fn stamp(path: &Path) -> Option<(Option<SystemTime>, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok(), metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
