//! Servers from and for other programs' files. Secrets that stand in them in the clear are sealed on the way in, and none
//! goes out.

use super::comments::without_comments;
use super::config::{McpConfig, Server, Transport};
use super::edit::{self, container};
use super::edit_error::EditError;
use super::install::toml_value;
use super::keep;
use super::place::Scope;
use super::plain::{looks_secret, masked_arguments, url_looks_secret};
use super::reference::{Part, Template, key_of};
use crate::store::Value as Kept;
use crate::{Host, Secret, files};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes of the largest file that is imported.
const LARGEST: u64 = 4 << 20;

/// Keys that programs keep their servers under, besides the two that kosmo reads.
const OTHERS: [&str; 3] = ["context_servers", "mcp_servers", "mcp"];

/// What became of the servers of a file.
#[derive(Debug, Default)]
pub struct Imported {
    /// Written.
    pub added: Vec<String>,
    /// Left out, each with the reason.
    pub skipped: Vec<(String, String)>,
    /// Sealed in the store, as `server.key`; a reference stands in their place.
    pub sealed: Vec<String>,
    /// Referred to and not known, as `server.key`.
    pub wanted: Vec<String>,
    /// Those whose arguments or URL hold what looks like a secret, which cannot be replaced by a reference.
    pub plain: Vec<String>,
}

/// Adds every server of another program's file.
///
/// # Errors
/// When the file cannot be read, or ours cannot be changed. A server that cannot be used is only left out.
pub fn import(host: &Host, root: &Path, scope: Scope, file: &Path, replace: bool) -> Result<Imported, EditError> {
    let mut imported = Imported::default();
    for (name, entry) in entries(file)? {
        let (entry, secrets, wanted) = without_secrets(&name, plain(entry));
        match edit::add(host, root, scope, &name, &entry, replace) {
            Ok(_) => imported.added.push(name.clone()),
            Err(error @ (EditError::Exists { .. } | EditError::Name(_) | EditError::Entry { .. })) => {
                imported.skipped.push((name, error.to_string()));
                continue;
            }
            Err(error) => return Err(error),
        }
        for (key, value) in secrets {
            keep::set_secret(host, scope.holder(&name, root), &key, Kept::Text(value))?;
            imported.sealed.push(format!("{name}.{key}"));
        }
        if starts_with_secret(&entry) {
            imported.plain.push(name.clone());
        }
        imported.wanted.extend(wanted.into_iter().map(|key| format!("{name}.{key}")));
    }
    Ok(imported)
}

fn entries(file: &Path) -> Result<Map<String, Value>, EditError> {
    let unreadable = |error| EditError::Unreadable { path: file.into(), error };
    let text = files::read_foreign(file, LARGEST).map_err(unreadable)?;
    let text = text.ok_or_else(|| unreadable(std::io::Error::other("there is no such file")))?;
    let is_toml = file.extension().is_some_and(|extension| extension == "toml");
    let whole: Value = match is_toml {
        true => toml_value(file, &text)?,
        false => serde_json::from_str(&without_comments(&text)).map_err(|error| syntax(file, &error))?,
    };
    let keys = [container(&whole)].into_iter().chain(OTHERS);
    let found = keys.into_iter().find_map(|key| whole.get(key)?.as_object().cloned());
    found.ok_or_else(|| EditError::Shape { path: file.into(), place: "mcpServers".into() })
}

fn syntax(path: &Path, error: &serde_json::Error) -> EditError {
    let text = error.to_string();
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem).to_owned();
    EditError::Syntax { path: path.into(), line: error.line(), column: error.column(), problem }
}

/// A program that stands with its arguments in one list, or in an object of its own, as some write it.
fn plain(mut entry: Value) -> Value {
    let command = entry.get("command").cloned().unwrap_or_default();
    if let Some((program, args)) = command.as_array().and_then(|words| words.split_first()) {
        entry["command"] = program.clone();
        entry["args"] = args.into();
    }
    if let Some(program) = command.get("path") {
        entry["command"] = program.clone();
        for key in ["args", "env"] {
            entry[key] = command.get(key).cloned().unwrap_or_default();
        }
    }
    entry
}

fn starts_with_secret(entry: &Value) -> bool {
    let args: Vec<String> = serde_json::from_value(entry["args"].clone()).unwrap_or_default();
    let url = entry["url"].as_str().or(entry["serverUrl"].as_str());
    masked_arguments(&args) != args || url.is_some_and(url_looks_secret)
}

type Secrets = BTreeMap<String, Secret>;

/// The entry with references where secrets stood; what stood there; and what an editor would have asked for.
fn without_secrets(server: &str, mut entry: Value) -> (Value, Secrets, Vec<String>) {
    let (mut secrets, mut wanted) = (Secrets::new(), Vec::new());
    for kind in ["env", "environment", "headers"] {
        let Some(values) = entry.get_mut(kind).and_then(Value::as_object_mut) else { continue };
        for (name, value) in values {
            let Some(text) = value.as_str() else { continue };
            let key = key_of(name);
            if let Some(asked) = asked_for(server, text) {
                wanted.extend(asked.1);
                *value = asked.0.into();
            } else if looks_secret(name, text) {
                secrets.insert(key.clone(), Secret::new(text));
                *value = reference(server, &key).into();
            }
        }
    }
    (entry, secrets, wanted)
}

/// `${input:id}`, which some editors ask a person for, is a secret to keep here.
fn asked_for(server: &str, text: &str) -> Option<(String, Vec<String>)> {
    let (mut rest, mut written, mut keys) = (text, String::new(), Vec::new());
    while let Some((before, after)) = rest.split_once("${input:") {
        let (id, behind) = after.split_once('}')?;
        let key = key_of(id);
        written.push_str(&format!("{before}${{KOSMO_SECRET:mcp.{server}.{key}}}"));
        keys.push(key);
        rest = behind;
    }
    (!keys.is_empty()).then(|| (written + rest, keys))
}

fn reference(server: &str, key: &str) -> String {
    format!("@secret:mcp.{server}.{key}")
}

/// Whose file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What most clients read; secrets stay references that kosmo understands.
    McpServers,
    /// Visual Studio Code's, which asks for secrets.
    VsCode,
}

/// A file's content, and what could not go into it.
#[derive(Debug)]
pub struct Exported {
    /// The document.
    pub document: Value,
    /// Each a sentence.
    pub notes: Vec<String>,
}

/// All servers as another program reads them, with references where secrets would stand.
pub fn export(config: &McpConfig, format: Format) -> Exported {
    let mut notes = Vec::new();
    let mut inputs = Vec::new();
    let mut servers = Map::new();
    for (name, server) in &config.servers {
        servers.insert(name.clone(), exported(server, format, &mut inputs, &mut notes));
    }
    let document = match format {
        Format::McpServers => json!({"mcpServers": servers}),
        Format::VsCode if inputs.is_empty() => json!({"servers": servers}),
        Format::VsCode => json!({"inputs": inputs, "servers": servers}),
    };
    Exported { document, notes }
}

fn exported(server: &Server, format: Format, inputs: &mut Vec<Value>, notes: &mut Vec<String>) -> Value {
    let mut entry = Map::new();
    let typed = format == Format::VsCode || server.transport == Transport::Http;
    if typed {
        entry.insert("type".into(), json!(server.transport));
    }
    if let Some(command) = &server.command {
        let args = masked_arguments(&server.args);
        if args != server.args {
            notes.push(format!(
                "{}: arguments that look like secrets are left out; `***` stands in their place.",
                server.name
            ));
        }
        entry.insert("command".into(), json!(command));
        entry.insert("args".into(), json!(args));
    }
    if let Some(folder) = &server.cwd {
        entry.insert("cwd".into(), json!(folder));
    }
    if let Some(file) = &server.env_file {
        entry.insert("envFile".into(), json!(file.written()));
    }
    if let Some(url) = &server.url {
        if url.contains("***") {
            notes.push(format!("{}: values in its URL are left out; `***` stands in their place.", server.name));
        }
        entry.insert("url".into(), json!(url));
    }
    for (kind, values) in [("env", &server.env), ("headers", &server.headers)] {
        let values: Map<_, _> = values
            .iter()
            .map(|(name, value)| (name.clone(), value_of(server, name, value, format, inputs, notes)))
            .collect();
        if !values.is_empty() {
            entry.insert(kind.into(), values.into());
        }
    }
    if !server.enabled && format == Format::McpServers {
        entry.insert("enabled".into(), json!(false));
    }
    entry.into()
}

fn value_of(
    server: &Server,
    name: &str,
    value: &Template,
    format: Format,
    inputs: &mut Vec<Value>,
    notes: &mut Vec<String>,
) -> Value {
    let own = |key: &str| Part::Secret { server: server.name.clone(), key: key.into() };
    let parts = if looks_secret(name, value.written()) {
        notes.push(format!("{}: the value of `{name}` stays here; a reference stands in its place.", server.name));
        vec![own(&key_of(name))]
    } else {
        let part = |part: &Part| if let Part::Input(key) = part { own(key) } else { part.clone() };
        value.parts().iter().map(part).collect()
    };
    match format {
        Format::McpServers if parts == value.parts() => json!(value.written()),
        Format::McpServers => match parts.as_slice() {
            [Part::Secret { server, key }] => json!(reference(server, key)),
            parts => json!(parts.iter().map(for_kosmo).collect::<String>()),
        },
        Format::VsCode => json!(parts.iter().map(|part| for_vscode(part, inputs)).collect::<String>()),
    }
}

fn for_kosmo(part: &Part) -> String {
    match part {
        Part::Secret { server, key } => format!("${{KOSMO_SECRET:mcp.{server}.{key}}}"),
        other => for_vscode(other, &mut Vec::new()),
    }
}

fn for_vscode(part: &Part, inputs: &mut Vec<Value>) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Folder => "${workspaceFolder}".into(),
        Part::Input(id) => format!("${{input:{id}}}"),
        Part::Variable { name, .. } => format!("${{env:{name}}}"),
        Part::Secret { server, key } => {
            let id = format!("{server}-{key}");
            if !inputs.iter().any(|input| input["id"] == json!(id)) {
                let description = format!("{key} of {server}");
                inputs.push(json!({"type": "promptString", "id": id, "description": description, "password": true}));
            }
            format!("${{input:{id}}}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_on_the_way_in() {
        let entry = json!({
            "command": "npx",
            "env": {"API_TOKEN": "s3cr3t-value", "LEVEL": "debugging", "KEPT": "@secret:mcp.s.KEPT"},
            "headers": {"Authorization": "Bearer ${input:gh token}"},
        });
        let (entry, secrets, wanted) = without_secrets("s", entry);
        assert_eq!(
            entry,
            json!({
                "command": "npx",
                "env": {"API_TOKEN": "@secret:mcp.s.API_TOKEN", "LEVEL": "debugging", "KEPT": "@secret:mcp.s.KEPT"},
                "headers": {"Authorization": "Bearer ${KOSMO_SECRET:mcp.s.gh_token}"},
            })
        );
        assert_eq!(secrets.into_keys().collect::<Vec<_>>(), ["API_TOKEN"]);
        assert_eq!(wanted, ["gh_token"]);
    }

    #[test]
    fn programs_are_found_however_they_are_written() {
        let expected = json!({"command": "npx", "args": ["-y", "x"]});
        assert_eq!(plain(json!({"command": ["npx", "-y", "x"]})), expected);
        assert_eq!(plain(expected.clone()), expected);
        let object = json!({"command": {"path": "npx", "args": ["-y", "x"], "env": {"A": "b"}}});
        assert_eq!(plain(object), json!({"command": "npx", "args": ["-y", "x"], "env": {"A": "b"}}));
        assert_eq!(plain(json!({"url": "https://a.test"})), json!({"url": "https://a.test"}));
        assert_eq!(plain(json!(7)), json!(7));
    }

    const FILE: &str = r#"{"mcpServers": {
        "a": {"command": "x", "args": ["--token", "s3cr3t-value"], "env": {"API_TOKEN": "s3cr3t-value", "K": "@secret:mcp.a.K"}, "enabled": false},
        "b": {"url": "https://b.test/mcp?key=s3cr3t", "headers": {"Authorization": "Bearer ${KOSMO_SECRET:mcp.b.t}", "X": "$HOME"}}
    }}"#;

    #[test]
    fn no_secret_goes_out() {
        let config = McpConfig::of("global", Path::new("mcp.json"), FILE);
        let plain = export(&config, Format::McpServers);
        assert_eq!(
            plain.document,
            json!({"mcpServers": {
                "a": {
                    "command": "x", "args": ["--token", "***"],
                    "env": {"API_TOKEN": "@secret:mcp.a.API_TOKEN", "K": "@secret:mcp.a.K"}, "enabled": false,
                },
                "b": {
                    "type": "http", "url": "https://b.test/mcp?key=***",
                    "headers": {"Authorization": "Bearer ${KOSMO_SECRET:mcp.b.t}", "X": "$HOME"},
                },
            }})
        );
        assert_eq!(plain.notes.len(), 3, "{:?}", plain.notes);
        let vscode = export(&config, Format::VsCode);
        assert_eq!(vscode.document["servers"]["a"]["env"]["API_TOKEN"], "${input:a-API_TOKEN}");
        assert_eq!(
            vscode.document["servers"]["b"]["headers"],
            json!({"Authorization": "Bearer ${input:b-t}", "X": "${env:HOME}"})
        );
        assert_eq!(vscode.document["inputs"].as_array().map(Vec::len), Some(3));
        for exported in [plain, vscode] {
            assert!(!format!("{exported:?}").contains("s3cr3t"), "{exported:?}");
        }
    }
}
