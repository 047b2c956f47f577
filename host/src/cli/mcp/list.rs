//! `mcp:list` and `mcp:status`.

use super::super::failure::Outcome;
use super::super::{output, table};
use super::{here, row, server};
use clap::Args;
use kosmo::mcp::config::{McpConfig, Server};
use kosmo::mcp::{edit, standing};
use serde_json::{Map, Value, json};

/// Flags of `mcp:list`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpList {
    /// Those that are switched off, too
    #[arg(long)]
    all: bool,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
}

/// Flags of `mcp:status`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpStatus {
    /// Only this one
    #[arg(value_name = "SERVER")]
    server: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn list(arguments: &McpList) -> Outcome {
    let (host, config) = here()?;
    warn(&config);
    let shown: Vec<_> = config.servers.values().filter(|server| arguments.all || server.enabled).collect();
    let standings: Vec<_> = shown.iter().map(|server| (*server, standing(&host, server))).collect();
    if arguments.json {
        let rows: Map<_, _> =
            standings.iter().map(|(s, standing)| (s.name.clone(), row::listed(s, standing))).collect();
        output::json(&json!({"success": true, "servers": rows, "sources": edit::sources(&host, &config.root)?}));
        return Ok(0);
    }
    let cells = |server: &Server, word: &str| {
        let transport = if server.command.is_some() { "stdio" } else { "http" };
        vec![server.name.clone(), transport.into(), word.into(), server.source.clone(), row::target(server)]
    };
    let rows: Vec<_> = standings.iter().map(|(server, standing)| cells(server, standing.word(server))).collect();
    match rows.as_slice() {
        [] => {
            output::line("There are no MCP servers. Add one with: kosmo mcp:add NAME COMMAND, or kosmo mcp:preset list")
        }
        rows => output::line(&table::aligned(&["NAME", "TYPE", "STATUS", "SOURCE", "TARGET"], rows)),
    }
    match config.servers.len() - shown.len() {
        0 => {}
        hidden => output::line(&format!("{hidden} switched off; --all lists them too.")),
    }
    Ok(0)
}

pub(super) fn status(arguments: &McpStatus) -> Outcome {
    let (host, config) = here()?;
    warn(&config);
    let shown = match &arguments.server {
        Some(name) => vec![server(&config, name)?],
        None => config.servers.values().collect(),
    };
    let standings: Vec<_> = shown.into_iter().map(|server| (server, standing(&host, server))).collect();
    if arguments.json {
        let row = |(server, standing): &(&Server, _)| (server.name.clone(), row::detailed(server, standing));
        output::json(&json!({"success": true, "servers": standings.iter().map(row).collect::<Map<String, Value>>()}));
        return Ok(0);
    }
    let blocks: Vec<_> = standings.iter().map(|(server, standing)| row::block(server, standing)).collect();
    output::foreign(&if blocks.is_empty() { "There are no MCP servers.".into() } else { blocks.join("\n\n") });
    Ok(0)
}

/// A mistake in a file another program owns is worth a word, not a failure.
pub(super) fn warn(config: &McpConfig) {
    config.warnings.iter().for_each(|warning| output::error(&format!("warning: {warning}")));
}
