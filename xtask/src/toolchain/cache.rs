//! The folder that keeps a toolchain for the next run and the next clone.

use crate::failure::{Context, Failure, Result};
use crate::process::say;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process};

/// Written last: a folder without it was never finished.
const STAMP: &str = "stamp";

/// All toolchains made on this machine.
pub(crate) struct Cache {
    root: PathBuf,
}

/// One finished toolchain.
pub(crate) struct Slot {
    folder: PathBuf,
    stamp: String,
}

impl Cache {
    /// Opens the user's cache, creating it.
    ///
    /// # Errors
    /// When it has no place or cannot be created.
    pub(crate) fn open() -> Result<Self> {
        let root = place(env::var_os("XDG_CACHE_HOME").map(PathBuf::from), env::home_dir())?;
        fs::create_dir_all(&root).context(|| cannot("create", &root))?;
        Ok(Self { root })
    }

    /// The toolchain of that key, if it was ever finished.
    pub(crate) fn finished(&self, key: &str) -> Option<Slot> {
        let folder = self.root.join(key);
        let stamp = fs::read_to_string(folder.join(STAMP)).ok()?;
        Some(Slot { folder, stamp })
    }

    /// The toolchain of that key, made by `make` if this is the first time it is asked for.
    ///
    /// # Errors
    /// Those of `make`, or of the file system; nothing half made is ever found by a later run.
    pub(crate) fn fill(&self, key: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<Slot> {
        let _one_at_a_time = self.lock(key)?;
        if let Some(slot) = self.finished(key) {
            return Ok(slot);
        }
        let staging = self.root.join(format!("{key}.partial"));
        remove(&staging)?;
        fs::create_dir_all(&staging).context(|| cannot("create", &staging))?;
        let made = make(&staging).and_then(|()| self.finish(key, &staging));
        // Half a toolchain is hundreds of megabytes that nobody would look for.
        made.inspect_err(|_| drop(remove(&staging)))
    }

    fn finish(&self, key: &str, staging: &Path) -> Result<Slot> {
        let folder = self.root.join(key);
        fs::write(staging.join(STAMP), new_stamp()).context(|| cannot("write", staging))?;
        remove(&folder)?;
        fs::rename(staging, &folder).context(|| cannot("create", &folder))?;
        self.finished(key).ok_or_else(|| Failure::new(cannot("read", &folder)))
    }

    fn lock(&self, key: &str) -> Result<File> {
        let path = self.root.join(format!("{key}.lock"));
        let file = File::create(&path).context(|| cannot("create", &path))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            say("toolchain: another run is making it; waiting for that");
            file.lock().context(|| cannot("lock", &path))?;
        }
        Ok(file)
    }
}

impl Slot {
    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its key and which making of it this is, so that artifacts of an earlier making are never mixed in.
    pub(crate) fn id(&self) -> String {
        let key = self.folder.file_name().unwrap_or_default().to_string_lossy();
        format!("{key}-{}", self.stamp)
    }
}

fn place(cache: Option<PathBuf>, home: Option<PathBuf>) -> Result<PathBuf> {
    // A relative XDG_CACHE_HOME is to be ignored, says the specification.
    let cache = cache.filter(|path| path.is_absolute()).or_else(|| home.map(|home| home.join(".cache")));
    cache
        .map(|cache| cache.join("kosmo").join("toolchain"))
        .ok_or_else(|| Failure::new("there is no place to keep a toolchain; set HOME or XDG_CACHE_HOME"))
}

fn new_stamp() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    format!("{now:x}{:x}", process::id())
}

fn remove(folder: &Path) -> Result<()> {
    match folder.exists() {
        true => fs::remove_dir_all(folder).context(|| cannot("remove", folder)),
        false => Ok(()),
    }
}

fn cannot(what: &str, path: &Path) -> String {
    format!("cannot {what} {} (set XDG_CACHE_HOME to keep it elsewhere)", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str) -> Cache {
        let root = env::temp_dir().join(format!("kosmo-xtask-{}-{name}", process::id()));
        remove(&root).expect("an old test folder can be removed");
        fs::create_dir_all(&root).expect("a test folder can be created");
        Cache { root }
    }

    #[test]
    fn what_was_made_once_is_found_again() {
        let cache = cache("again");
        let first = cache.fill("key", |staging| fs::write(staging.join("it"), "made").context(String::new));
        let again = cache.fill("key", |_| Err(Failure::new("made twice")));
        assert_eq!(first.expect("made").id(), again.expect("found").id());
    }

    #[test]
    fn what_failed_half_way_leaves_nothing_behind() {
        let cache = cache("half");
        let failed = cache.fill("key", |staging| {
            fs::write(staging.join("half"), "made").context(String::new)?;
            Err(Failure::new("no space left"))
        });
        assert!(failed.is_err() && cache.finished("key").is_none());
        assert!(!cache.root.join("key.partial").exists());
    }

    #[test]
    fn what_a_killed_run_has_left_is_not_built_upon() {
        let cache = cache("killed");
        let left = cache.root.join("key.partial");
        fs::create_dir_all(&left)
            .and_then(|()| fs::write(left.join("half"), "made"))
            .expect("a test file can be written");
        let slot = cache.fill("key", |_| Ok(())).expect("a new try starts afresh");
        assert!(!slot.folder().join("half").exists());
    }

    #[test]
    fn the_place_follows_the_specification() {
        let at = |cache: Option<&str>, home: Option<&str>| place(cache.map(Into::into), home.map(Into::into)).ok();
        assert_eq!(at(Some("/var/c"), Some("/home/a")), Some("/var/c/kosmo/toolchain".into()));
        assert_eq!(at(Some("c"), Some("/home/a")), Some("/home/a/.cache/kosmo/toolchain".into()));
        assert_eq!(at(None, None), None);
    }
}
