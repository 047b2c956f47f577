//! Plugin files for good: copying them into the home and recording that the operator accepted them.

use crate::engine::Engine;
use crate::fault::{Code, Fault};
use crate::files;
use crate::provider::Provider;
use crate::store::Store;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Copies a plugin into the home and accepts it: from then on its word on its URL counts for accounts that name none.
///
/// # Errors
/// `unloadable`, if the file is no plugin or cannot be read or written. An earlier revision then stays.
pub(crate) async fn install(
    engine: &Arc<Engine>,
    store: &Store,
    home: &Path,
    file: &Path,
) -> Result<(Provider, PathBuf), Fault> {
    let named = |error: &dyn std::fmt::Display| Fault::new(Code::Unloadable, format!("{}: {error}", file.display()));
    let name = file.file_stem().and_then(|stem| stem.to_str()).ok_or_else(|| named(&"the file has no name"))?;
    let bytes = std::fs::read(file).map_err(|error| named(&error))?;
    let provider = Provider::load(engine, name, bytes.clone()).await.map_err(|fault| named(&fault))?;
    let target = home.join("plugins").join(format!("{name}.wasm"));
    let kept = std::fs::create_dir_all(home.join("plugins")).and_then(|()| files::write(&target, &[&bytes]));
    kept.map_err(|error| unwritable(&target, &error))?;
    let _alone = store.alone()?;
    accept(home, name, provider.digest()).map_err(|error| unwritable(&home.join("accepted.toml"), &*error))?;
    Ok((provider, target))
}

pub(crate) fn unwritable(file: &Path, error: &dyn std::error::Error) -> Fault {
    Fault::new(Code::Unconfigured, files::unwritable(file, &error))
}

/// Records that the operator trusts this plugin file with the accounts of a provider.
pub(crate) fn accept(home: &Path, name: &str, digest: &str) -> Result<(), Box<dyn std::error::Error>> {
    let file = home.join("accepted.toml");
    let mut accepted: BTreeMap<String, String> = toml::from_str(&files::read_text(&file)?)?;
    accepted.insert(name.into(), digest.into());
    let lines: Vec<_> = accepted.iter().map(|(name, digest)| format!("{name} = \"{digest}\"\n")).collect();
    Ok(files::write(&file, &[lines.concat().as_bytes()])?)
}
