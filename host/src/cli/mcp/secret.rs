//! `mcp:secret:set`, `mcp:secret:list` and `mcp:secret:unset`.

use super::super::failure::{Outcome, Usage};
use super::super::prompt;
use super::super::{open, output, table};
use super::{Place, here, holder};
use clap::Args;
use kosmo::accounts::Value;
use kosmo::mcp::{EditError, Holder, KeptSecret, kept_secrets, set_secret, unset_secret};
use kosmo::{Code, Fault, Host, Secret, did_you_mean};
use serde_json::json;
use std::io::Read;

pub(in crate::cli) const HELP: &str = "\
Without VALUE, --stdin or --env it asks on the terminal, where nothing is shown. Secrets are kept sealed in kosmo.db of
the kosmo home and never printed. A secret for a server of the project is for this project alone. An entry refers to one as @secret:mcp.SERVER.KEY, or as ${KOSMO_SECRET:mcp.SERVER.KEY}
inside a longer value; `kosmo mcp:add --env KEY` writes that.

Examples:
  kosmo mcp:secret:set github GITHUB_TOKEN
  pass show github | kosmo mcp:secret:set github GITHUB_TOKEN --stdin
  kosmo mcp:secret:set github GITHUB_TOKEN --env GITHUB_TOKEN    # read whenever the server starts; only its name is kept";

/// Bytes of the longest secret.
const LARGEST: u64 = 1 << 16;

/// Flags of `mcp:secret:set`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpSecretSet {
    /// Whose it is
    #[arg(value_name = "SERVER")]
    server: String,
    /// What it is called
    #[arg(value_name = "KEY")]
    key: String,
    /// The value; a shell may keep it in its history
    #[arg(value_name = "VALUE", conflicts_with_all = ["stdin", "env"])]
    value: Option<String>,
    /// Read the value from standard input
    #[arg(long, conflicts_with = "env")]
    stdin: bool,
    /// Take it from this environment variable whenever it is needed
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// Flags of `mcp:secret:list`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpSecretList {
    /// Only this server's
    #[arg(value_name = "SERVER")]
    server: Option<String>,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
}

/// Flags of `mcp:secret:unset`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpSecretUnset {
    /// Whose it is
    #[arg(value_name = "SERVER")]
    server: String,
    /// What it is called
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    place: Place,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn set(arguments: &McpSecretSet) -> Outcome {
    let McpSecretSet { server, key, place, json, .. } = arguments;
    let (host, config) = here()?;
    let holder = holder(&config, server, *place);
    let value = value(arguments)?;
    let source = if matches!(value, Value::Environment(_)) { "environment" } else { "store" };
    set_secret(&host, holder, key, value)?;
    if !config.servers.contains_key(server) {
        let suggestion = did_you_mean(server, config.servers.keys().map(String::as_str));
        output::error(&format!("note: there is no MCP server `{server}` yet.{suggestion}"));
    }
    let reference = format!("@secret:mcp.{server}.{key}");
    if *json {
        output::json(&json!({
            "success": true, "server": server, "project": holder.project, "key": key, "source": source,
            "reference": reference,
        }));
    } else {
        let place = of_project(holder);
        output::foreign(&format!("Kept{place}. An entry of {server} refers to it as {reference}"));
    }
    Ok(0)
}

fn value(arguments: &McpSecretSet) -> anyhow::Result<Value> {
    let McpSecretSet { server, key, value, stdin, env, .. } = arguments;
    let text = match (value, env) {
        (_, Some(variable)) => return Ok(Value::Environment(variable.clone())),
        (Some(value), None) => {
            output::error(
                "note: a value on the command line may stay in the shell's history and is seen by `ps`; use --stdin.",
            );
            value.clone()
        }
        (None, None) if *stdin => piped()?,
        (None, None) if prompt::somebody_is_there() => prompt::secret(&format!("{key} of {server} (not shown): "))?,
        (None, None) => {
            let message =
                format!("There is nobody to ask. Pipe the value: kosmo mcp:secret:set {server} {key} --stdin");
            return Err(Usage(message).into());
        }
    };
    if text.is_empty() {
        return Err(Usage("The value is empty. `kosmo mcp:secret:unset` forgets a secret.".into()).into());
    }
    Ok(Value::Text(Secret::new(text)))
}

pub(super) fn piped() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().take(LARGEST).read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

pub(super) fn list(arguments: &McpSecretList) -> Outcome {
    let host = open(&[])?;
    let all = kept_secrets(&host, arguments.server.as_deref())?;
    if arguments.json {
        let row = |secret: &KeptSecret| {
            let KeptSecret { server, project, key, variable, is_set } = secret;
            json!({
                "server": server, "project": project, "key": key, "value": "***", "source": source(secret),
                "env": variable, "set": is_set,
            })
        };
        output::json(&json!({"success": true, "secrets": all.iter().map(row).collect::<Vec<_>>()}));
        return Ok(0);
    }
    let cells = |secret: &KeptSecret| {
        let value = if secret.is_set { "***" } else { "not set" };
        let place = secret.variable.as_ref().map_or("store".into(), |name| format!("${name}"));
        let project = secret.project.clone().unwrap_or_else(|| "-".into());
        vec![secret.server.clone(), secret.key.clone(), value.into(), place, project]
    };
    let rows: Vec<_> = all.iter().map(cells).collect();
    match rows.as_slice() {
        [] => output::line("No secrets are kept. Keep one with: kosmo mcp:secret:set SERVER KEY"),
        rows => output::line(&table::aligned(&["SERVER", "KEY", "VALUE", "SOURCE", "PROJECT"], rows)),
    }
    Ok(0)
}

fn source(secret: &KeptSecret) -> &'static str {
    if secret.variable.is_some() { "environment" } else { "store" }
}

pub(super) fn unset(arguments: &McpSecretUnset) -> Outcome {
    let McpSecretUnset { server, key, place, json } = arguments;
    let (host, config) = here()?;
    let holder = holder(&config, server, *place);
    if !unset_secret(&host, holder, key)? {
        return Err(unknown(&host, holder, key)?.into());
    }
    if *json {
        output::json(&json!({"success": true, "server": server, "project": holder.project, "key": key}));
    } else {
        output::foreign(&format!("Forgot {key} of {server}{}.", of_project(holder)));
    }
    Ok(0)
}

fn unknown(host: &Host, holder: Holder<'_>, key: &str) -> Result<Fault, EditError> {
    let all = kept_secrets(host, Some(holder.server))?;
    let suggestion = match all.iter().find(|secret| secret.key == key) {
        Some(elsewhere) if elsewhere.project.is_none() => {
            " One is kept for your own server of that name: --global".into()
        }
        Some(elsewhere) => format!(" One is kept for {}: go there.", elsewhere.project.as_deref().unwrap_or_default()),
        None => did_you_mean(key, all.iter().map(|secret| secret.key.as_str())),
    };
    let message =
        format!("No secret `{key}` of MCP server `{}`{} is kept.{suggestion}", holder.server, of_project(holder));
    Ok(Fault::new(Code::Unknown, message))
}

/// Nothing for a server of the home.
fn of_project(holder: Holder<'_>) -> String {
    holder.project.map_or(String::new(), |folder| format!(" for {}", folder.display()))
}
