//! Provider name → current revision. The thing that is swapped while sessions run.
//!
//! A revision is made ready before it is published; an invocation holds the revision it began with until it ends.

use crate::description::is_name;
use crate::engine::{COMPONENT_BYTES, Engine};
use crate::fault::{Code, Fault};
use crate::nearest::did_you_mean;
use crate::provider::Provider;
use arc_swap::ArcSwapOption;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use tokio::sync::watch;

/// The providers there are.
pub struct Registry {
    engine: Arc<Engine>,
    folders: Vec<PathBuf>,
    slots: OnceLock<RwLock<BTreeMap<String, Arc<Slot>>>>,
    /// Counts what was added, replaced and removed.
    changes: watch::Sender<u64>,
}

/// One name. Its revision is loaded when it is first asked for, once.
#[derive(Default)]
struct Slot {
    files: Vec<PathBuf>,
    current: ArcSwapOption<Provider>,
    loading: tokio::sync::Mutex<()>,
}

impl Registry {
    pub(crate) fn new(engine: Arc<Engine>, folders: Vec<PathBuf>) -> Self {
        Self { engine, folders, slots: OnceLock::new(), changes: watch::Sender::new(0) }
    }

    /// Every name, sorted. Lists the plugin folders the first time, and opens no file.
    pub fn names(&self) -> Vec<String> {
        self.slots().read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Whether there is a provider of this name, loaded or not.
    pub fn knows(&self, name: &str) -> bool {
        self.slots().read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// The files that a provider of this name is loaded from; none for one that was added otherwise.
    pub fn files(&self, name: &str) -> Vec<PathBuf> {
        self.slot(name).map(|slot| slot.files.clone()).unwrap_or_default()
    }

    /// Tells whenever a provider was added, replaced or removed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The folders whose `.wasm` files are providers.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The current revision of a provider.
    ///
    /// # Errors
    /// `unknown` with the nearest names, or `unloadable` with what is wrong with its file.
    pub async fn provider(&self, name: &str) -> Result<Arc<Provider>, Fault> {
        let slot = self.slot(name)?;
        if let Some(provider) = slot.current.load_full() {
            return Ok(provider);
        }
        let _loading = slot.loading.lock().await;
        if let Some(provider) = slot.current.load_full() {
            return Ok(provider);
        }
        let provider = Arc::new(self.load_file(name, &slot.files).await?);
        // A revision that was published meanwhile is newer than the file.
        slot.current.rcu(|published| published.clone().or_else(|| Some(Arc::clone(&provider))));
        Ok(slot.current.load_full().unwrap_or(provider))
    }

    /// Adds a provider, or replaces its current revision: new invocations take the new one at once, running ones
    /// finish on theirs. The component is compiled before anything changes.
    ///
    /// # Errors
    /// `unloadable`; the registry is as it was.
    pub async fn replace(&self, name: &str, component: Vec<u8>) -> Result<Arc<Provider>, Fault> {
        let provider = Arc::new(Provider::load(&self.engine, name, component).await?);
        provider.plugin(&self.engine).await?;
        // Under the lock, so that a removal comes either before or after, and never in between.
        let mut slots = self.slots().write().unwrap_or_else(PoisonError::into_inner);
        slots.entry(name.into()).or_default().current.store(Some(Arc::clone(&provider)));
        drop(slots);
        self.changed();
        Ok(provider)
    }

    /// Adds a provider that is not there yet.
    ///
    /// # Errors
    /// As [`Registry::replace`], and `unloadable` if there is one of that name.
    pub async fn add(&self, name: &str, component: Vec<u8>) -> Result<Arc<Provider>, Fault> {
        if self.slot(name).is_ok() {
            return Err(Fault::new(Code::Unloadable, format!("There is a provider `{name}` already; replace it.")));
        }
        self.replace(name, component).await
    }

    /// Removes a provider; running invocations finish. Whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        let removed = self.slots().write().unwrap_or_else(PoisonError::into_inner).remove(name).is_some();
        if removed {
            self.changed();
        }
        removed
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn slot(&self, name: &str) -> Result<Arc<Slot>, Fault> {
        let slots = self.slots().read().unwrap_or_else(PoisonError::into_inner);
        slots.get(name).cloned().ok_or_else(|| self.unknown(name, slots.keys()))
    }

    fn unknown<'a>(&self, name: &str, known: impl ExactSizeIterator<Item = &'a String> + Clone) -> Fault {
        let message = if known.len() == 0 {
            let folders: Vec<_> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
            let cure = "Add one with: kosmo plugins:install FILE.wasm";
            format!("Unknown provider: {name}. There are no plugins in {}. {cure}", folders.join(", "))
        } else {
            let near = did_you_mean(name, known.clone().map(String::as_str));
            let all = || format!(" There are: {}", known.map(String::as_str).collect::<Vec<_>>().join(", "));
            format!("Unknown provider: {name}.{}", if near.is_empty() { all() } else { near })
        };
        Fault { provider: Some(name.into()), ..Fault::new(Code::Unknown, message) }
    }

    async fn load_file(&self, name: &str, files: &[PathBuf]) -> Result<Provider, Fault> {
        let refused = |fault: Fault| {
            let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
            let message = format!("Provider {name} ({}) cannot be loaded: {}", files.join(", "), fault.message);
            Fault { provider: Some(name.into()), message, ..fault }
        };
        let bytes = files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>().map_err(refused)?;
        // The same file in two folders, say built and installed, is one plugin.
        if bytes.iter().any(|other| Some(other) != bytes.first()) {
            let message = "several plugin folders hold different files of that name; keep one.";
            return Err(refused(Fault::new(Code::Unloadable, message)));
        }
        let bytes = bytes.into_iter().next().unwrap_or_default();
        Provider::load(&self.engine, name, bytes).await.map_err(refused)
    }

    fn slots(&self) -> &RwLock<BTreeMap<String, Arc<Slot>>> {
        self.slots.get_or_init(|| RwLock::new(scan(&self.folders)))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let unreadable = |error| Fault::new(Code::Unloadable, format!("it cannot be read: {error}"));
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > COMPONENT_BYTES as u64 {
        let message = format!("it has {size} bytes; a component may have {COMPONENT_BYTES}.");
        return Err(Fault::new(Code::Unloadable, message));
    }
    std::fs::read(file).map_err(unreadable)
}

fn scan(folders: &[PathBuf]) -> BTreeMap<String, Arc<Slot>> {
    let mut files = BTreeMap::<String, Vec<PathBuf>>::new();
    for (name, file) in folders.iter().flat_map(|folder| plugin_files(folder)) {
        files.entry(name).or_default().push(file);
    }
    files.into_iter().map(|(name, files)| (name, Arc::new(Slot { files, ..Slot::default() }))).collect()
}

/// The `.wasm` files of a folder whose names a script could write. A folder that is not there holds none.
fn plugin_files(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = |file: PathBuf| {
        let name = file.file_stem()?.to_str().filter(|name| is_name(name))?.to_owned();
        (file.extension()? == "wasm").then_some((name, file))
    };
    entries.filter_map(|entry| named(entry.path())).collect()
}
