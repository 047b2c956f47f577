//! `plugins:install` and `plugins:list`.

use super::arguments::{PluginsInstall, PluginsList};
use super::failure::Outcome;
use super::progress::Waiting;
use super::{open, output, table};
use kosmo::{Description, Fault, FieldKind, Host, Operation, Provider, accounts};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;

/// Letters in a line of a list.
const WIDTH: usize = 100;
/// Digits of a digest that tell two files apart for a reader.
const DIGEST: usize = 12;

pub(super) fn install(arguments: &PluginsInstall) -> Outcome {
    let host = open(&[])?;
    let mut installed = Vec::new();
    for file in &arguments.files {
        let waiting = Waiting::on(&format!("installing {}", file.display()));
        let (provider, target) = host.block_on(host.install(file))?;
        drop(waiting);
        let needs_account = host.check_account(&provider, "default").is_err();
        if arguments.json {
            installed.push(installed_row(&provider, &target, needs_account));
        } else {
            tell(&provider, &target, needs_account);
        }
    }
    if arguments.json {
        output::json(&json!({"success": true, "plugins": installed}));
    }
    Ok(0)
}

fn tell(provider: &Provider, target: &Path, needs_account: bool) {
    output::foreign(&what_it_does("Installed", provider, vec![("file", target.display().to_string())]));
    if needs_account {
        output::foreign(&next(provider.description()));
    }
}

pub(super) fn list(arguments: &PluginsList) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let all: Vec<_> = host.registry().names().into_iter().map(|name| (host.provider(&name), name)).collect();
    if arguments.json {
        let rows: Map<_, _> = all.iter().map(|(found, name)| (name.clone(), listed_row(&host, found))).collect();
        output::json(&json!({"success": true, "plugins": rows}));
        return Ok(0);
    }
    let rows: Vec<_> = all.iter().map(|(found, name)| cells(name, found)).collect();
    match rows.as_slice() {
        [] => output::line("No plugins are installed. Add one with: kosmo plugins:install FILE.wasm"),
        rows => output::line(&table::aligned(&["NAME", "VERSION", "DIGEST", "REACHES"], rows)),
    }
    Ok(0)
}

fn cells(name: &str, found: &Result<Arc<Provider>, Fault>) -> Vec<String> {
    match found {
        Ok(provider) => {
            let (description, digest) = (provider.description(), provider.digest().chars().take(DIGEST).collect());
            vec![name.into(), description.version.clone(), digest, origins(description).join(", ")]
        }
        Err(fault) => vec![name.into(), "-".into(), "-".into(), fault.message.clone()],
    }
}

fn listed_row(host: &Host, found: &Result<Arc<Provider>, Fault>) -> Value {
    match found {
        Ok(provider) => {
            let mut row = row(provider);
            row.insert("accepted".into(), accounts::is_accepted(host, provider).into());
            row.insert("problem".into(), Value::Null);
            row.into()
        }
        Err(fault) => json!({"problem": fault.message}),
    }
}

fn installed_row(provider: &Provider, target: &Path, needs_account: bool) -> Value {
    let mut row = row(provider);
    let next = needs_account.then(|| format!("kosmo integrations:configure {}", provider.name()));
    row.insert("file".into(), json!(target));
    row.insert("next_commands".into(), json!(next.into_iter().collect::<Vec<_>>()));
    row.into()
}

/// Who it is and what it can do, for programs.
fn row(provider: &Provider) -> Map<String, Value> {
    let description = provider.description();
    let names = |operation| description.functions.iter().filter(move |function| function.operation == operation);
    let names = |operation| names(operation).map(|function| &function.name).collect::<Vec<_>>();
    let row = [
        ("name", json!(description.name)),
        ("version", json!(description.version)),
        ("digest", json!(provider.digest())),
        ("summary", json!(description.summary)),
        ("reaches", json!(origins(description))),
        ("reads", json!(names(Operation::Read))),
        ("writes", json!(names(Operation::Write))),
        ("settings", json!(settings(description))),
    ];
    row.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()
}

/// The same for whoever accepts it by giving it an account.
pub(super) fn accepted(provider: &Provider) -> String {
    output::harmless(&what_it_does("This accepts the plugin file of", provider, Vec::new())).into_owned()
}

fn what_it_does(verb: &str, provider: &Provider, mut lines: Vec<(&str, String)>) -> String {
    let description = provider.description();
    lines.extend([
        ("digest", provider.digest().into()),
        ("reaches", origins(description).join(", ")),
        ("reads", functions(description, Operation::Read)),
        ("writes", functions(description, Operation::Write)),
    ]);
    let told = settings(description);
    if !told.is_empty() {
        lines.push(("is told", told.join(", ")));
    }
    let lines: Vec<_> = lines.iter().map(|(what, value)| format!("\n  {what:<7}  {}", folded(value))).collect();
    format!("{verb} {} {}: {}{}", description.name, description.version, description.summary, lines.concat())
}

/// The account's fields it gets to read. Everything else of an account stays with the host.
fn settings(description: &Description) -> Vec<&str> {
    let settings = description.credentials.iter().filter(|field| field.kind == FieldKind::Setting);
    settings.map(|field| field.key.as_str()).collect()
}

/// Broken at commas into lines of bearable length, indented like the first.
fn folded(list: &str) -> String {
    let mut text = String::new();
    let mut length = 0;
    for item in list.split_inclusive(", ") {
        if length > 0 && length + item.len() > WIDTH {
            text.truncate(text.trim_end().len());
            text.push_str("\n           ");
            length = 0;
        }
        text.push_str(item);
        length += item.len();
    }
    text
}

/// Every origin it declares: the account's, then the others.
fn origins(description: &Description) -> Vec<&str> {
    let others = description.origins.iter().flat_map(|origin| &origin.urls);
    std::iter::once(&description.base_url).chain(others).map(String::as_str).collect()
}

/// `list_calls, get_call` and how many; a write that cannot be undone says so.
fn functions(description: &Description, operation: Operation) -> String {
    let mark = |destructive| if destructive { " (cannot be undone)" } else { "" };
    let of = description.functions.iter().filter(|function| function.operation == operation);
    let names: Vec<_> = of.map(|function| format!("{}{}", function.name, mark(function.destructive))).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

/// What is still missing before it can be used.
fn next(description: &Description) -> String {
    let name = &description.name;
    let required = description.credentials.iter().filter(|field| field.required);
    let lines: Vec<_> = required.map(|field| format!("\n  # {}\n  {} = \"…\"", field.description, field.key)).collect();
    format!(
        "\nNext, give it an account: kosmo integrations:configure {name}\nor write it into config.toml of the kosmo \
         home:\n\n  [accounts.{name}.default]{}\n",
        lines.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_folded_at_commas() {
        let item = "x".repeat(60);
        assert_eq!(folded(&format!("{item}, {item}")), format!("{item},\n           {item}"));
        assert_eq!(folded("list_calls, get_call"), "list_calls, get_call");
    }
}
