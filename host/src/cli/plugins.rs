//! `plugins:install` and `plugins:list`.

use super::arguments::{PluginsInstall, PluginsList};
use super::failure::Outcome;
use super::{open, output, table};
use kosmo::{Description, FieldKind, Operation, Provider};
use std::path::Path;

/// Letters in a line of a list.
const WIDTH: usize = 100;
/// Digits of a digest that tell two files apart for a reader.
const DIGEST: usize = 12;

pub(super) fn install(arguments: &PluginsInstall) -> Outcome {
    let host = open(&[])?;
    for file in &arguments.files {
        let (provider, target) = host.block_on(host.install(file))?;
        output::foreign(&installed(&provider, &target));
        if host.check_account(&provider, "default").is_err() {
            output::foreign(&next(provider.description()));
        }
    }
    Ok(0)
}

pub(super) fn list(arguments: &PluginsList) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let row = |name: String| match host.provider(&name) {
        Ok(provider) => found(&provider),
        Err(fault) => vec![name, "-".into(), "-".into(), fault.message],
    };
    let rows: Vec<_> = host.registry().names().into_iter().map(row).collect();
    match rows.as_slice() {
        [] => output::line("No plugins are installed. Add one with: kosmo plugins:install FILE.wasm"),
        rows => output::line(&table::aligned(&["NAME", "VERSION", "DIGEST", "REACHES"], rows)),
    }
    Ok(0)
}

fn found(provider: &Provider) -> Vec<String> {
    let description = provider.description();
    let digest = provider.digest().chars().take(DIGEST).collect();
    vec![description.name.clone(), description.version.clone(), digest, reaches(description)]
}

/// Who it is and what it can do, for whoever just accepted it.
fn installed(provider: &Provider, target: &Path) -> String {
    what_it_does("Installed", provider, vec![("file", target.display().to_string())])
}

/// The same for whoever accepts it by giving it an account.
pub(super) fn accepted(provider: &Provider) -> String {
    output::harmless(&what_it_does("This accepts the plugin file of", provider, Vec::new())).into_owned()
}

fn what_it_does(verb: &str, provider: &Provider, mut lines: Vec<(&str, String)>) -> String {
    let description = provider.description();
    lines.extend([
        ("digest", provider.digest().into()),
        ("reaches", reaches(description)),
        ("reads", functions(description, Operation::Read)),
        ("writes", functions(description, Operation::Write)),
    ]);
    let told = settings(description);
    if !told.is_empty() {
        lines.push(("is told", told));
    }
    let lines: Vec<_> = lines.iter().map(|(what, value)| format!("\n  {what:<7}  {}", folded(value))).collect();
    format!("{verb} {} {}: {}{}", description.name, description.version, description.summary, lines.concat())
}

/// The account's fields it gets to read. Everything else of an account stays with the host.
fn settings(description: &Description) -> String {
    let settings = description.credentials.iter().filter(|field| field.kind == FieldKind::Setting);
    settings.map(|field| field.key.clone()).collect::<Vec<_>>().join(", ")
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
fn reaches(description: &Description) -> String {
    let others = description.origins.iter().flat_map(|origin| &origin.urls).cloned();
    std::iter::once(description.base_url.clone()).chain(others).collect::<Vec<_>>().join(", ")
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
