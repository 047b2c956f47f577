//! Kosmo's own server in the configuration of the programs that can start it.

use super::clients::{Client, Form};
use super::edit_error::EditError;
use super::file::{Change, Target};
use super::place;
use crate::Host;
use crate::config_edit;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item};

/// What a client is to start.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// What the client calls it.
    pub name: String,
    /// The program.
    pub command: String,
    /// Its arguments, `mcp:serve` first.
    pub args: Vec<String>,
    /// The environment it needs.
    pub env: Vec<(String, String)>,
}

/// The argument that tells an entry of ours from any other.
pub const SERVE: &str = "mcp:serve";

/// Writes the entry into a client's file. Whether the file is another one then.
///
/// # Errors
/// [`EditError::Exists`], if an entry of that name starts something else and `replace` does not say to replace it; else
/// why the file cannot be changed.
pub fn install(
    host: &Host,
    client: &Client,
    file: &Path,
    root: Option<&Path>,
    gateway: &Gateway,
    replace: bool,
) -> Result<bool, EditError> {
    place::check_name(&gateway.name)?;
    let _alone = place::alone(host)?;
    let target = target(file, root);
    match entry_of(&target, client, &gateway.name)? {
        Some(entry) if !replace && !is_ours(&entry) => {
            Err(EditError::Exists { server: gateway.name.clone(), path: target.path })
        }
        _ if client.form == Form::Toml => target.rewrite(|text| with_table(&target.path, text, client, gateway)),
        _ => target.change(&[Change::Put(keys(client, &gateway.name), entry(client.form, gateway))]),
    }
}

/// Takes the entry out of a client's file. Whether there was one.
///
/// # Errors
/// [`EditError::Exists`], if an entry of that name starts something else; else why the file cannot be changed.
pub fn uninstall(
    host: &Host,
    client: &Client,
    file: &Path,
    root: Option<&Path>,
    name: &str,
) -> Result<bool, EditError> {
    let _alone = place::alone(host)?;
    let target = target(file, root);
    match entry_of(&target, client, name)? {
        None => Ok(false),
        Some(entry) if !is_ours(&entry) => Err(EditError::Exists { server: name.into(), path: target.path }),
        Some(_) if client.form == Form::Toml => target.rewrite(|text| without_table(&target.path, text, client, name)),
        Some(_) => target.change(&[Change::Remove(keys(client, name))]),
    }
}

/// What would stand in a client's file; in the form that most read, without one.
pub fn snippet(client: Option<&Client>, gateway: &Gateway) -> String {
    let Some(client) = client else { return nested(&["mcpServers"], gateway, Form::Plain) };
    match client.form {
        Form::Toml => with_table(Path::new(""), "", client, gateway).unwrap_or_default().trim_end().into(),
        form => nested(client.keys, gateway, form),
    }
}

fn nested(keys: &[&str], gateway: &Gateway, form: Form) -> String {
    let inner: Value = json!({ gateway.name.clone(): entry(form, gateway) });
    let whole = keys.iter().rev().fold(inner, |value, key| json!({ (*key).to_owned(): value }));
    serde_json::to_string_pretty(&whole).unwrap_or_default()
}

fn entry(form: Form, gateway: &Gateway) -> Value {
    form.entry(&gateway.command, &gateway.args, &gateway.env)
}

fn target(file: &Path, root: Option<&Path>) -> Target {
    Target { path: file.into(), root: root.map(PathBuf::from), private: false }
}

fn keys(client: &Client, name: &str) -> Vec<String> {
    client.keys.iter().copied().chain([name]).map(Into::into).collect()
}

/// The entry of this name, as JSON whatever the file is.
fn entry_of(target: &Target, client: &Client, name: &str) -> Result<Option<Value>, EditError> {
    let whole = match client.form {
        Form::Toml => toml_value(&target.path, &target.text()?)?,
        _ => target.value()?,
    };
    let found = keys(client, name).iter().try_fold(&whole, |value, key| value.get(key)).cloned();
    Ok(found)
}

pub(super) fn toml_value(path: &Path, text: &str) -> Result<Value, EditError> {
    toml::from_str::<Map<String, Value>>(text).map(Value::Object).map_err(|error| {
        let span = error.span();
        syntax(path, text, span.map_or(0, |span| span.start), error.message())
    })
}

/// Whatever starts `mcp:serve`: an entry of ours, by whichever name and flags.
fn is_ours(entry: &Value) -> bool {
    let lists = [&entry["args"], &entry["command"]].into_iter().filter_map(Value::as_array).flatten();
    lists.filter_map(Value::as_str).any(|word| word == SERVE)
}

fn with_table(path: &Path, text: &str, client: &Client, gateway: &Gateway) -> Result<String, EditError> {
    edited(path, text, |document| {
        let keys = keys(client, &gateway.name);
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let set = |document: &mut DocumentMut, below: &[&str], value: toml_edit::Value| {
            config_edit::put(document, &[&keys[..], below].concat(), value)
        };
        set(document, &["command"], gateway.command.as_str().into())?;
        set(document, &["args"], gateway.args.iter().map(String::as_str).collect::<toml_edit::Array>().into())?;
        gateway.env.iter().try_for_each(|(name, value)| set(document, &["env", name], value.as_str().into()))
    })
}

fn without_table(path: &Path, text: &str, client: &Client, name: &str) -> Result<String, EditError> {
    edited(path, text, |document| {
        let servers = config_edit::table(document, client.keys)?.as_table_like_mut()?;
        servers.remove(name);
        let is_empty = servers.is_empty();
        if is_empty
            && let [only] = client.keys
            && document.get(only).is_some_and(Item::is_table)
        {
            document.as_table_mut().remove(only);
        }
        Some(())
    })
}

fn edited(path: &Path, text: &str, edit: impl FnOnce(&mut DocumentMut) -> Option<()>) -> Result<String, EditError> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let span = error.span();
        syntax(path, text, span.map_or(0, |span| span.start), error.message())
    })?;
    let shape = || EditError::Shape { path: path.into(), place: "mcp_servers".into() };
    edit(&mut document).ok_or_else(shape)?;
    Ok(document.to_string())
}

/// What was found there is not quoted, since it may be a secret.
fn syntax(path: &Path, text: &str, at: usize, message: &str) -> EditError {
    let before = text.get(..at).unwrap_or_default();
    let (line, column) =
        (before.matches('\n').count() + 1, before.chars().rev().take_while(|&c| c != '\n').count() + 1);
    let problem = message.lines().next().unwrap_or_default().into();
    EditError::Syntax { path: path.into(), line, column, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway() -> Gateway {
        let env = vec![("KOSMO_HOME".to_owned(), "/k".to_owned())];
        Gateway { name: "kosmo".into(), command: "kosmo".into(), args: vec![SERVE.into()], env }
    }

    fn codex() -> &'static Client {
        Client::named("codex").expect("a client")
    }

    #[test]
    fn a_table_comes_and_goes_and_leaves_the_rest() {
        let before = "# mine\nmodel = \"x\" # why\n\n[mcp_servers.other]\ncommand = \"o\"\n";
        let with = with_table(Path::new("c"), before, codex(), &gateway()).expect("TOML");
        let table = "\n[mcp_servers.kosmo]\ncommand = \"kosmo\"\nargs = [\"mcp:serve\"]\n\n[mcp_servers.kosmo.env]\nKOSMO_HOME = \"/k\"\n";
        assert_eq!(with, format!("{before}{table}"));
        assert_eq!(with_table(Path::new("c"), &with, codex(), &gateway()).expect("TOML"), with);
        assert_eq!(without_table(Path::new("c"), &with, codex(), "kosmo").expect("TOML"), before);
        assert_eq!(snippet(Some(codex()), &gateway()), table.trim());
    }

    #[test]
    fn what_is_not_toml_is_named_by_its_line_and_not_quoted() {
        let error = with_table(Path::new("c"), "a = 1\ntoken = s3cr3t\n", codex(), &gateway()).expect_err("no TOML");
        assert!(matches!(&error, EditError::Syntax { line: 2, .. }), "{error:?}");
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
        let error = with_table(Path::new("c"), "mcp_servers = 1\n", codex(), &gateway()).expect_err("no table");
        assert!(matches!(error, EditError::Shape { .. }), "{error:?}");
    }
}
