//! `mcp:remove`, `mcp:enable`, `mcp:disable` and `mcp:configure`.

use super::super::configure::decision;
use super::super::failure::{Outcome, Usage};
use super::super::output;
use super::{Place, here, meant};
use clap::Args;
use kosmo::mcp::config::{Permissions, Server};
use kosmo::mcp::{edit, permit, permit_tool};
use kosmo::{Decision, Host, Operation};
use serde_json::json;

pub(in crate::cli) const CONFIGURE_HELP: &str = "\
It is written into config.toml of the kosmo home; a project's .kosmo/config.toml can only be stricter. For a server of the
project it counts in this project alone; what is said of one in the home allows nothing to a project's of the same name.
A tool only reads if its server says so (readOnlyHint).

Examples:
  kosmo mcp:configure files --read=allow --write=ask
  kosmo mcp:configure files --tool delete_file=deny";

/// Flags of commands about one server.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpNamed {
    /// As `mcp:list` shows it
    #[arg(value_name = "SERVER")]
    pub(super) server: String,
    #[command(flatten)]
    pub(super) place: Place,
    /// Print one JSON document instead of text
    #[arg(long)]
    pub(super) json: bool,
}

/// Flags of `mcp:configure`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpConfigure {
    /// As `mcp:list` shows it
    #[arg(value_name = "SERVER")]
    server: String,
    /// What scripts may do with tools that only read: allow, ask or deny
    #[arg(long, value_name = "DECISION", value_parser = decision)]
    read: Option<Decision>,
    /// What scripts may do with all others: allow, ask or deny
    #[arg(long, value_name = "DECISION", value_parser = decision)]
    write: Option<Decision>,
    /// What scripts may do with one tool, by its exact name; may be given several times
    #[arg(long, value_name = "TOOL=DECISION", value_parser = tool)]
    tool: Vec<(String, Decision)>,
    #[command(flatten)]
    place: Place,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

fn tool(text: &str) -> Result<(String, Decision), String> {
    let parts = text.rsplit_once('=').filter(|(name, _)| !name.is_empty());
    let (name, word) = parts.ok_or("it takes a tool's name and allow, ask or deny, such as delete_file=deny")?;
    Ok((name.into(), decision(word)?))
}

pub(super) fn remove(arguments: &McpNamed) -> Outcome {
    let (host, config) = here()?;
    let name = &arguments.server;
    let signed_in = meant(&host, &config, name, arguments.place).ok().filter(|server| is_signed_in(&host, server));
    let path = edit::remove(&host, &config.root, arguments.place.scope(), name)?;
    let signed_out = signed_in.map(|server| host.block_on(host.mcp().logout(&server))).transpose()?;
    if arguments.json {
        let signed_out = signed_out.is_some();
        output::json(&json!({"success": true, "server": name, "path": path, "signed_out": signed_out}));
        return Ok(0);
    }
    let besides = signed_out.map_or("", |_| " Nobody is signed in there any more.");
    output::foreign(&format!("Removed MCP server {name} from {}.{besides}", path.display()));
    Ok(0)
}

fn is_signed_in(host: &Host, server: &Server) -> bool {
    host.mcp().signed_in(server).is_ok_and(|signed_in| signed_in.is_some())
}

pub(super) fn enable(arguments: &McpNamed, enabled: bool) -> Outcome {
    let (host, config) = here()?;
    let name = &arguments.server;
    let (path, changed) = edit::enable(&host, &config.root, arguments.place.scope(), name, enabled)?;
    if arguments.json {
        output::json(&json!({"success": true, "server": name, "path": path, "enabled": enabled, "changed": changed}));
        return Ok(0);
    }
    let (word, so) = (if enabled { "on" } else { "off" }, if changed { "now" } else { "already" });
    output::foreign(&format!("MCP server {name} is {so} switched {word} in {}.", path.display()));
    Ok(0)
}

pub(super) fn configure(arguments: &McpConfigure) -> Outcome {
    let McpConfigure { server: name, read, write, tool, place, json } = arguments;
    if read.is_none() && write.is_none() && tool.is_empty() {
        return Err(Usage(format!("Say what to decide: kosmo mcp:configure {name} --read=allow --write=ask")).into());
    }
    let (host, config) = here()?;
    let server = meant(&host, &config, name, *place)?;
    let holder = server.holder();
    read.iter().try_for_each(|&word| permit(&host, holder, Operation::Read, word))?;
    write.iter().try_for_each(|&word| permit(&host, holder, Operation::Write, word))?;
    tool.iter().try_for_each(|(tool, word)| permit_tool(&host, holder, tool, *word))?;
    let (host, config) = here()?;
    let permissions = meant(&host, &config, name, *place)?.permissions;
    if *json {
        let tools: serde_json::Map<_, _> =
            tool.iter().map(|(tool, word)| (tool.clone(), json!(word.as_str()))).collect();
        output::json(&json!({
            "success": true, "server": name, "project": holder.project, "permissions": permissions, "tools": tools,
        }));
        return Ok(0);
    }
    let place = holder.project.map_or(String::new(), |folder| format!(" of {}", folder.display()));
    let Permissions { read, write } = permissions;
    output::foreign(&format!("Scripts at MCP server {name}{place}: read {read}, write {write}."));
    tool.iter().for_each(|(tool, word)| output::foreign(&format!("{tool}: {}", word.as_str())));
    Ok(0)
}
