//! `mcp:doctor`: everything there is to say about MCP configuration, and what to do next.

use super::super::failure::Outcome;
use super::super::output;
use super::{here, row};
use clap::Args;
use kosmo::Host;
use kosmo::mcp::config::{McpConfig, Server};
use kosmo::mcp::{Scope, Standing, edit, standing};
use serde_json::{Map, Value, json};

/// Flags of `mcp:doctor`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpDoctor {
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &McpDoctor) -> Outcome {
    let (host, config) = here()?;
    let standings: Vec<_> = config.servers.values().map(|server| (server, standing(&host, server))).collect();
    let document = document(&host, &config, &standings)?;
    if arguments.json {
        output::json(&document);
    } else {
        output::foreign(&text(&document, &standings));
    }
    Ok(0)
}

fn document(host: &Host, config: &McpConfig, standings: &[(&Server, Standing)]) -> anyhow::Result<Value> {
    let file = |scope: Scope| -> anyhow::Result<Value> {
        let path = scope.file(host, &config.root)?;
        Ok(json!({"path": path, "exists": path.exists()}))
    };
    let rows: Map<_, _> = standings.iter().map(|(s, standing)| (s.name.clone(), row::detailed(s, standing))).collect();
    Ok(json!({
        "success": true,
        "project_config": file(Scope::Project)?,
        "global_config": file(Scope::Global)?,
        "sources": edit::sources(host, &config.root)?,
        "servers": rows,
        "warnings": config.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "next_commands": next(config, standings),
    }))
}

fn next(config: &McpConfig, standings: &[(&Server, Standing)]) -> Vec<String> {
    let of_servers = standings.iter().flat_map(|(_, standing)| standing.next.clone());
    let first = ["kosmo mcp:preset list", "kosmo mcp:add NAME COMMAND ARGUMENTS"].map(String::from);
    if config.servers.is_empty() { first.into() } else { of_servers.collect() }
}

fn text(document: &Value, standings: &[(&Server, Standing)]) -> String {
    let file = |key: &str| {
        let is_there = document[key]["exists"] == json!(true);
        let path = document[key]["path"].as_str().unwrap_or_default().to_owned();
        if is_there { path } else { format!("{path} (not there)") }
    };
    let mut parts = vec![format!("project  {}\nhome     {}", file("project_config"), file("global_config"))];
    parts.extend(standings.iter().map(|(server, standing)| row::block(server, standing)));
    let lines = |key: &str, before: &str| {
        let lines = document[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        lines.map(|line| format!("{before}{line}")).collect::<Vec<_>>().join("\n")
    };
    let warnings = lines("warnings", "! ");
    parts.extend((!warnings.is_empty()).then(|| format!("{warnings}\n  Correct that by hand; the other files count.")));
    parts.extend(standings.is_empty().then(|| lines("next_commands", "next: ")));
    parts.join("\n\n")
}
