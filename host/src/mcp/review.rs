//! Entries of a project's servers that the operator has reviewed. What was reviewed is kept sealed, so that it can be
//! said what was changed since.

use super::config::Server;
use super::edit_error::EditError;
use super::place;
use super::reference::Template;
use crate::Host;
use crate::config_edit;
use crate::secret::Secret;
use crate::store::Value as Kept;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// In place of a provider's name in the store, and no provider can be called that.
const OWNER: &str = "@mcp-reviewed";
/// What the names of what an entry's file sets begin with. The values are secrets.
const IN_FILE: &str = "envFile.";

/// Trusts a project's server as it is now, in this project.
///
/// # Errors
/// When the home cannot be changed.
pub fn trust(host: &Host, server: &Server) -> Result<(), EditError> {
    let (home, store) = place::home(host)?;
    let _alone = place::alone(host)?;
    let folder = folder(&server.folder);
    let reviewed = Kept::Text(Secret::new(portable(server).to_string()));
    store.change(OWNER, &server.name, &[(folder.clone(), reviewed)].into(), &[]).map_err(crate::Fault::from)?;
    config_edit::set(home, &["mcp", "trust", &server.name, &folder], server.fingerprint.as_str())?;
    Ok(())
}

/// Takes the trust back, in the project of this folder. Whether there was any.
///
/// # Errors
/// When the home cannot be changed.
pub fn untrust(host: &Host, server: &str, root: &Path) -> Result<bool, EditError> {
    let (home, store) = place::home(host)?;
    let _alone = place::alone(host)?;
    let folder = folder(root);
    let was = config_edit::unset(home, &["mcp", "trust", server, &folder])?;
    if store.exists() {
        store.change(OWNER, server, &BTreeMap::new(), &[folder]).map_err(crate::Fault::from)?;
    }
    Ok(was)
}

/// What is another than it was when it was reviewed, a line each.
pub(super) fn changes(host: &Host, server: &Server) -> Vec<String> {
    let kept = place::home(host).ok().and_then(|(_, store)| store.fields(OWNER, &server.name).ok());
    let reviewed = kept.and_then(|mut kept| kept.remove(&folder(&server.folder)));
    let Some(Kept::Text(reviewed)) = reviewed else { return Vec::new() };
    let before = serde_json::from_str(reviewed.expose()).unwrap_or_default();
    differences(&before, &portable(server))
}

fn folder(root: &Path) -> String {
    root.to_string_lossy().into_owned()
}

/// What the fingerprint is of, by name.
fn portable(server: &Server) -> Value {
    let written = |prefix: &str, values: &BTreeMap<String, Template>| {
        let pair = |(name, value): (&String, &Template)| (format!("{prefix}.{name}"), json!(value.written()));
        values.iter().map(pair).collect::<Map<_, _>>()
    };
    let env_file = server.env_file.as_ref().map(Template::written);
    let fields = json!({
        "envFile": env_file, "type": server.transport, "command": server.command, "args": server.args, "cwd": server.cwd, "url": server.address,
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    let all = fields.into_iter().chain(written("env", &server.env)).chain(written("headers", &server.headers));
    let set = server.env_in_file.iter().flatten().map(|(name, digest)| (format!("{IN_FILE}{name}"), json!(digest)));
    all.chain(set).filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
}

fn differences(before: &Value, after: &Value) -> Vec<String> {
    let empty = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let line = |key: &&String| match (before.get(*key), after.get(*key)) {
        (Some(old), Some(new)) if old == new => None,
        (old, new) => Some(difference(key, old, new)),
    };
    keys.iter().filter_map(line).collect()
}

fn difference(key: &str, before: Option<&Value>, after: Option<&Value>) -> String {
    let secret = key.starts_with(IN_FILE);
    match (before, after) {
        (Some(_), Some(_)) if secret => format!("`{key}` was changed"),
        (Some(_), None) if secret => format!("`{key}` was taken away"),
        (None, Some(_)) if secret => format!("`{key}` was added"),
        (Some(before), Some(after)) => format!("`{key}` was {before} and is {after}"),
        (Some(before), None) => format!("`{key}` was {before} and was taken away"),
        (None, Some(after)) => format!("`{key}` was added: {after}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_said_whole() {
        let before =
            json!({"command": "a", "args": ["1"], "env.TOKEN": "one", "env.OLD": "x", "url": "https://a?key=1"});
        let after = json!({"command": "a", "args": ["2"], "env.TOKEN": "two", "headers.B": "x", "url": "https://b"});
        assert_eq!(
            differences(&before, &after),
            [
                "`args` was [\"1\"] and is [\"2\"]",
                "`env.OLD` was \"x\" and was taken away",
                "`env.TOKEN` was \"one\" and is \"two\"",
                "`headers.B` was added: \"x\"",
                "`url` was \"https://a?key=1\" and is \"https://b\"",
            ]
        );
        let before = json!({"envFile.A": "aa", "envFile.B": "bb"});
        let after = json!({"envFile.B": "b2", "envFile.C": "cc"});
        assert_eq!(
            differences(&before, &after),
            ["`envFile.A` was taken away", "`envFile.B` was changed", "`envFile.C` was added"]
        );
        assert!(differences(&before, &before).is_empty());
    }
}
