//! `mcp:token:add`, `mcp:token:list` and `mcp:token:remove`: who may connect to `mcp:serve --http`.

use super::arguments::Write;
use crate::cli::failure::Outcome;
use crate::cli::{failure, open, output, table};
use clap::Args;
use kosmo::mcp::server::tokens::{self, Grant, Known};
use kosmo::{Code, Fault, Host, did_you_mean};
use serde_json::json;
use std::collections::BTreeSet;

pub(in crate::cli) const HELP: &str = "\
The token is printed once; only its digest is kept, in mcp-tokens.toml of the kosmo home. It gives at most what is said
here, at most what `mcp:serve` offers, and at most what config.toml allows. A server that runs takes it up by itself.

Examples:
  kosmo mcp:token:add ci --integrations dialpad --accounts work
  kosmo mcp:token:add assistant --write=ask";

/// Flags of `mcp:token:add`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpTokenAdd {
    /// What the token is called
    #[arg(value_name = "NAME")]
    name: String,
    /// The only integrations, separated by commas; may be given several times
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    integrations: Vec<String>,
    /// The only accounts, such as work or dialpad.work; may be given several times
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    accounts: Vec<String>,
    /// The most that functions may do which write
    #[arg(long, value_name = "DECISION", default_value = "deny")]
    write: Write,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// Flags of `mcp:token:list`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpTokenList {
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
}

/// Flags of `mcp:token:remove`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpTokenRemove {
    /// As it was called when it was added
    #[arg(value_name = "NAME")]
    name: String,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// The home, whatever is wrong with the configuration in it: a token can always be taken back.
fn home() -> anyhow::Result<Host> {
    Ok(Host::builder().home_from_env().build()?)
}

pub(in crate::cli) fn add(arguments: &McpTokenAdd) -> Outcome {
    let names =
        |names: &[String]| Some(names.iter().cloned().collect::<BTreeSet<_>>()).filter(|names| !names.is_empty());
    let grant = Grant {
        integrations: names(&arguments.integrations),
        accounts: names(&arguments.accounts),
        write: arguments.write.into(),
    };
    let token = match tokens::add(&home()?, &arguments.name, grant) {
        Ok(token) => token,
        Err(fault) => return failure::fault(fault, arguments.json),
    };
    // Where the configuration cannot be read, nobody knows where plugins are.
    if let Ok(host) = open(&[]) {
        warn_of_unknown(&arguments.integrations, &host.registry().names());
    }
    if arguments.json {
        output::json(&json!({"success": true, "name": arguments.name, "token": token}));
    } else {
        output::line(&token);
        output::error(&format!("this is the token `{}`; it is not shown again", arguments.name));
    }
    Ok(0)
}

/// What a token names may be installed later, or be mistyped.
fn warn_of_unknown(named: &[String], known: &[String]) {
    for name in named.iter().filter(|name| !known.contains(name)) {
        let near = did_you_mean(name, known.iter().map(String::as_str));
        output::error(&format!(
            "warning: there is no integration `{name}`, so the token reaches nothing there until one is installed.{near}"
        ));
    }
}

pub(in crate::cli) fn list(arguments: &McpTokenList) -> Outcome {
    let known = match tokens::list(&home()?) {
        Ok(known) => known,
        Err(fault) => return failure::fault(fault, arguments.json),
    };
    match arguments.json {
        true => output::json(&json!({"success": true, "tokens": known})),
        false if known.is_empty() => output::line("There are no tokens. Make one: kosmo mcp:token:add NAME"),
        false => output::line(&as_table(&known)),
    }
    Ok(0)
}

pub(in crate::cli) fn remove(arguments: &McpTokenRemove) -> Outcome {
    let McpTokenRemove { name, json } = arguments;
    let removed = match tokens::remove(&home()?, name) {
        Ok(removed) => removed,
        Err(fault) => return failure::fault(fault, *json),
    };
    if !removed {
        let message = format!("there is no token `{name}`; kosmo mcp:token:list shows those there are");
        return failure::fault(Fault::new(Code::Unknown, message), *json);
    }
    match json {
        true => output::json(&json!({"success": true, "name": name})),
        false => output::line(&format!("The token `{name}` lets nobody in any more.")),
    }
    Ok(0)
}

fn as_table(known: &[Known]) -> String {
    let listed = |names: &Option<BTreeSet<String>>| {
        names.as_ref().map_or("all".into(), |names| names.iter().cloned().collect::<Vec<_>>().join(", "))
    };
    let row = |known: &Known| {
        let Known { name, created, grant } = known;
        let write = grant.write.as_str().into();
        vec![name.clone(), listed(&grant.integrations), listed(&grant.accounts), write, created.clone()]
    };
    let rows: Vec<_> = known.iter().map(row).collect();
    table::aligned(&["NAME", "INTEGRATIONS", "ACCOUNTS", "WRITE", "CREATED"], &rows)
}
