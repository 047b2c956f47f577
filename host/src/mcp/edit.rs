//! Servers in files: added, removed, switched on and off. Everything else in the files stays.

use super::config::PROJECT_FILES;
use super::edit_error::EditError;
use super::entry;
use super::file::{Change, Target};
use super::place::{self, Scope};
use crate::Host;
use crate::nearest::did_you_mean;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// A server as it is to be written.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The program to start.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Where it listens, in place of a program.
    pub url: Option<String>,
    /// The environment it is given.
    pub env: Vec<(String, String)>,
    /// The headers it is sent.
    pub headers: Vec<(String, String)>,
    /// Seconds it has to answer.
    pub timeout: Option<u64>,
    /// Whether it is there and not to be used.
    pub disabled: bool,
}

impl Entry {
    /// As every client reads it.
    pub fn to_value(&self) -> Value {
        let mut entry = Map::new();
        if let Some(url) = &self.url {
            entry.insert("type".into(), "http".into());
            entry.insert("url".into(), json!(url));
        }
        if let Some(command) = &self.command {
            entry.insert("command".into(), json!(command));
            entry.insert("args".into(), json!(self.args));
        }
        let pairs =
            |pairs: &[(String, String)]| pairs.iter().cloned().map(|(k, v)| (k, v.into())).collect::<Map<_, _>>();
        for (key, values) in [("env", pairs(&self.env)), ("headers", pairs(&self.headers))] {
            if !values.is_empty() {
                entry.insert(key.into(), values.into());
            }
        }
        if let Some(timeout) = self.timeout {
            entry.insert("timeout".into(), json!(timeout));
        }
        if self.disabled {
            entry.insert("enabled".into(), json!(false));
        }
        entry.into()
    }
}

/// Writes a server into a file. Gives the file.
///
/// # Errors
/// [`EditError::Name`] and [`EditError::Entry`] for what cannot be used, [`EditError::Exists`] if there is one of that
/// name and `replace` does not say to replace it; else why the file cannot be changed.
pub fn add(
    host: &Host,
    root: &Path,
    scope: Scope,
    name: &str,
    entry: &Value,
    replace: bool,
) -> Result<PathBuf, EditError> {
    place::check_name(name)?;
    let target = scope.target(host, root)?;
    let problem = |problem| EditError::Entry { server: name.into(), problem };
    entry::server(scope.as_str(), &target.path, root, name, entry.clone()).map_err(problem)?;
    let _alone = place::alone(host)?;
    let whole = target.value()?;
    let container = container(&whole);
    if !replace && whole[container].get(name).is_some() {
        return Err(EditError::Exists { server: name.into(), path: target.path });
    }
    let others = whole[container].as_object().into_iter().flat_map(Map::keys);
    place::check_apart(name, others).map_err(problem)?;
    target.change(&[Change::Put(vec![container.into(), name.into()], entry.clone())])?;
    Ok(target.path)
}

/// Takes a server out of the file it stands in, the project's before the home's unless a scope is named. Gives the file.
///
/// # Errors
/// [`EditError::Unknown`], if it is in none; else why the file cannot be changed.
pub fn remove(host: &Host, root: &Path, scope: Option<Scope>, name: &str) -> Result<PathBuf, EditError> {
    let _alone = place::alone(host)?;
    let found = find(host, root, scope, name)?;
    found.target.change(&[Change::Remove(vec![found.container.into(), name.into()])])?;
    Ok(found.target.path)
}

/// Switches a server on or off where it stands. Gives the file, and whether it is another one now.
///
/// # Errors
/// As [`remove`].
pub fn enable(
    host: &Host,
    root: &Path,
    scope: Option<Scope>,
    name: &str,
    enabled: bool,
) -> Result<(PathBuf, bool), EditError> {
    let _alone = place::alone(host)?;
    let Found { target, container, entry } = find(host, root, scope, name)?;
    let key = |key: &str| vec![container.into(), name.into(), key.into()];
    let mut changes = Vec::new();
    if entry.get("disabled").is_some() {
        changes.push(Change::Put(key("disabled"), json!(!enabled)));
    }
    if entry.get("enabled").is_some() || changes.is_empty() && !enabled {
        changes.push(Change::Put(key("enabled"), json!(enabled)));
    }
    let changed = target.change(&changes)?;
    Ok((target.path, changed))
}

/// An entry, and where it is.
struct Found {
    target: Target,
    container: &'static str,
    entry: Value,
}

fn find(host: &Host, root: &Path, scope: Option<Scope>, name: &str) -> Result<Found, EditError> {
    let targets = match scope {
        Some(scope) => vec![scope.target(host, root)?],
        None => all(host, root)?,
    };
    let (mut names, mut broken) = (Vec::new(), None);
    for target in targets {
        // One file that cannot be read must not hide what stands in another.
        let whole = match target.value() {
            Ok(whole) => whole,
            Err(error) => {
                broken = broken.or(Some(error));
                continue;
            }
        };
        let container = container(&whole);
        let servers = whole[container].as_object();
        if let Some(entry) = servers.and_then(|servers| servers.get(name)) {
            let entry = entry.clone();
            return Ok(Found { target, container, entry });
        }
        names.extend(servers.into_iter().flat_map(Map::keys).cloned());
    }
    Err(broken.unwrap_or_else(|| unknown(host, root, scope, name, &names)))
}

fn unknown(host: &Host, root: &Path, scope: Option<Scope>, name: &str, known: &[String]) -> EditError {
    let file = scope.and_then(|scope| scope.file(host, root).ok());
    EditError::Unknown {
        server: name.into(),
        place: file.map_or_else(|| "any file".into(), |file| file.display().to_string()),
        suggestion: did_you_mean(name, known.iter().map(String::as_str)),
    }
}

/// Every file, those first that win over the others.
fn all(host: &Host, root: &Path) -> Result<Vec<Target>, EditError> {
    let project = PROJECT_FILES.iter().rev().map(|file| Target {
        path: root.join(file),
        root: Some(root.into()),
        private: false,
    });
    Ok(project.chain([Scope::Global.target(host, root)?]).collect())
}

/// A file that is there.
#[derive(Debug, Serialize)]
pub struct Source {
    /// `global`, or `project:` and the file's path in the project.
    pub source: String,
    /// The file.
    pub path: PathBuf,
    /// The key its servers stand under.
    pub schema: &'static str,
    /// Their names, those that another file's win over included.
    pub servers: Vec<String>,
}

/// The files that are there and can be read, those first that win over the others.
///
/// # Errors
/// When there is no home.
pub fn sources(host: &Host, root: &Path) -> Result<Vec<Source>, EditError> {
    let source = |target: Target| {
        let whole = target.path.exists().then(|| target.value().ok()).flatten()?;
        let schema = container(&whole);
        let servers = whole[schema].as_object().into_iter().flat_map(Map::keys).cloned().collect();
        let below = target.root.as_ref().and_then(|root| target.path.strip_prefix(root).ok());
        let source = below.map_or("global".into(), |file| format!("project:{}", file.display()));
        Some(Source { source, path: target.path, schema, servers })
    };
    Ok(all(host, root)?.into_iter().filter_map(source).collect())
}

/// The key that servers stand under in this file.
pub(super) fn container(whole: &Value) -> &'static str {
    let is_there = |key: &str| whole.get(key).is_some_and(|value| !value.is_null());
    if !is_there("mcpServers") && is_there("servers") { "servers" } else { "mcpServers" }
}
