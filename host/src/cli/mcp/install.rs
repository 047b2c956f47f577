//! `mcp:install`, and `mcp:gateway:export`, which prints what that would write.

use super::super::arguments::Cli;
use super::super::failure::{Outcome, Usage};
use super::super::output;
use super::here;
use clap::{Args, Parser};
use kosmo::did_you_mean;
use kosmo::mcp::clients::{ANY, CLIENTS, Client, System};
use kosmo::mcp::install::{self, Gateway, SERVE};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub(in crate::cli) fn help() -> String {
    let names: Vec<_> = CLIENTS.iter().map(|client| client.name).collect();
    format!(
        "Clients: {}.\n\nIt may be run again: the rest of the client's file stays as it is. What comes after `--` goes to \
         `kosmo mcp:serve`.\n\nExamples:\n  kosmo mcp:install --client claude-code\n  kosmo mcp:install --client vscode \
         --project --integration dialpad --write=ask\n  kosmo mcp:install --client zed --print\n  kosmo mcp:install \
         --client zed --uninstall\n  kosmo mcp:install --file other/mcp.json",
        names.join(", ")
    )
}

/// Flags of `mcp:install`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpInstall {
    /// The program that is to start kosmo
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// What the client calls it
    #[arg(long, value_name = "NAME", default_value = "kosmo")]
    name: String,
    /// Print what would be written, and write nothing
    #[arg(long, conflicts_with = "uninstall")]
    print: bool,
    /// Take it out again
    #[arg(long)]
    uninstall: bool,
    /// Only for the project this runs in, in a file of its own
    #[arg(long)]
    project: bool,
    /// This file instead of the client's usual one; of any client, if none is named
    #[arg(long, value_name = "PATH", conflicts_with = "project")]
    file: Option<PathBuf>,
    /// The program to start [default: this one; with --project `kosmo`, wherever that is]
    #[arg(long, value_name = "PROGRAM")]
    command: Option<String>,
    /// Put it in the place of something else of the same name
    #[arg(long)]
    replace: bool,
    /// Serve only this integration; may be given several times
    #[arg(long, value_name = "NAME")]
    integration: Vec<String>,
    /// The same, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    integrations: Vec<String>,
    /// What the client may do that sends, changes or deletes: deny, ask or allow
    #[arg(long, value_name = "DECISION", value_parser = ["deny", "ask", "allow"])]
    write: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    /// Further flags of `kosmo mcp:serve`
    #[arg(last = true, value_name = "FLAGS")]
    serve: Vec<String>,
}

pub(super) fn run(arguments: &McpInstall) -> Outcome {
    if arguments.print {
        return print(arguments);
    }
    let known = client(arguments)?;
    let Some(client) = known.or(arguments.file.is_some().then_some(&ANY)) else {
        let message =
            "Which program? Say it with --client NAME (--help lists them), or where its file is with --file PATH.";
        return Err(Usage(message.into()).into());
    };
    let (host, config) = here()?;
    let root = arguments.project.then_some(config.root.as_path());
    let file = file(arguments, client, root)?;
    let (name, replace) = (&arguments.name, arguments.replace);
    let changed = match arguments.uninstall {
        true => install::uninstall(&host, client, &file, root, name)?,
        false => install::install(&host, client, &file, root, &gateway(arguments)?, replace)?,
    };
    if arguments.json {
        let installed = !arguments.uninstall;
        output::json(&json!({
            "success": true, "client": known.map(|known| known.name), "name": name, "path": file, "installed": installed, "changed": changed,
        }));
        return Ok(0);
    }
    output::foreign(&told(arguments, client, &file, changed));
    Ok(0)
}

fn told(arguments: &McpInstall, client: &Client, file: &Path, changed: bool) -> String {
    let (name, title, file, then) = (&arguments.name, client.title, file.display(), client.then);
    match (arguments.uninstall, changed) {
        (false, true) => format!("{title} will start {name}: it is in {file}. {then}"),
        (false, false) => format!("{title} starts {name} already: it is in {file}. Nothing was changed."),
        (true, true) => format!("{title} will not start {name} any more: it is out of {file}."),
        (true, false) => format!("{title} does not start {name}: it is not in {file}. Nothing was changed."),
    }
}

pub(super) fn print(arguments: &McpInstall) -> Outcome {
    let client = client(arguments)?;
    let snippet = install::snippet(client, &gateway(arguments)?);
    if arguments.json {
        let document = serde_json::from_str::<Value>(&snippet).ok();
        output::json(&json!({
            "success": true, "client": client.map(|client| client.name), "name": arguments.name, "snippet": snippet,
            "document": document,
        }));
    } else {
        output::line(&snippet);
    }
    Ok(0)
}

fn client(arguments: &McpInstall) -> Result<Option<&'static Client>, Usage> {
    let Some(name) = &arguments.client else { return Ok(None) };
    Client::named(name).map(Some).ok_or_else(|| {
        let names: Vec<_> = CLIENTS.iter().map(|client| client.name).collect();
        let suggestion = did_you_mean(name, names.iter().copied());
        let names = names.join(", ");
        Usage(format!(
            "`{name}` is no client that is known. For any but these: kosmo mcp:install --file PATH, or --print. Known are: {names}.{suggestion}"
        ))
    })
}

fn file(arguments: &McpInstall, client: &Client, root: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(file) = &arguments.file {
        return Ok(file.clone());
    }
    if let Some(root) = root {
        let none = || Usage(format!("{} has no file in projects; leave out --project.", client.title));
        return Ok(client.project_file(root).ok_or_else(none)?);
    }
    let home =
        std::env::home_dir().ok_or_else(|| anyhow::anyhow!("There is no home folder; say where with --file."))?;
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    Ok(client.user_file(System::current(), &home, variable))
}

fn gateway(arguments: &McpInstall) -> anyhow::Result<Gateway> {
    let command = match &arguments.command {
        Some(command) => command.clone(),
        // A checkout is somebody else's too, whose kosmo lies elsewhere.
        None if arguments.project => "kosmo".into(),
        None => std::env::current_exe()?.to_string_lossy().into_owned(),
    };
    let moved =
        |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(|value| (name.into(), value));
    let env = if arguments.project {
        Vec::new()
    } else {
        ["KOSMO_HOME", "KOSMO_PLUGINS"].into_iter().filter_map(moved).collect()
    };
    Ok(Gateway { name: arguments.name.clone(), command, args: serve(arguments)?, env })
}

/// What the client will start has to be understood when it does.
fn serve(arguments: &McpInstall) -> Result<Vec<String>, Usage> {
    let named = arguments.integration.iter().chain(&arguments.integrations);
    let integrations = named.flat_map(|name| ["--integration".to_owned(), name.clone()]);
    let write = arguments.write.iter().map(|word| format!("--write={word}"));
    let rest = arguments.serve.iter().cloned();
    let words: Vec<_> = [SERVE.to_owned()].into_iter().chain(integrations).chain(write).chain(rest).collect();
    if words.iter().any(|word| word.starts_with("--http")) {
        return Err(Usage("A client starts `kosmo mcp:serve` over its own pipes, so --http has no place here.".into()));
    }
    match Cli::try_parse_from(["kosmo".to_owned()].iter().chain(&words)) {
        Ok(_) => Ok(words),
        Err(error) => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            Err(Usage(format!("`kosmo {}` would not start: {first}", words.join(" "))))
        }
    }
}
