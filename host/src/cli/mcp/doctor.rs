//! `mcp:doctor`: everything there is to say about MCP configuration, and what to do next.

use super::super::failure::Outcome;
use super::super::output;
use super::{here, row};
use clap::Args;
use kosmo::mcp::config::{McpConfig, Server};
use kosmo::mcp::{McpInvocation, McpRequest, Scope, Standing, edit, standing};
use kosmo::{Decision, Host};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Flags of `mcp:doctor`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpDoctor {
    /// Start or contact every server that may be, and ask for its tools
    #[arg(long)]
    probe: bool,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// What came of asking each server that may be used.
type Answers = BTreeMap<String, Answer>;

/// What came of asking a server for its tools.
enum Answer {
    /// It has so many.
    Tools(usize),
    /// It did not say, for this reason.
    Trouble(String),
    /// A permission did not let it be asked.
    Unasked(String),
}

pub(super) fn run(arguments: &McpDoctor) -> Outcome {
    let (host, config) = here()?;
    let standings: Vec<_> = config.servers.values().map(|server| (server, standing(&host, server))).collect();
    let answers = if arguments.probe { probe(&host, &standings)? } else { Answers::new() };
    let document = document(&host, &config, &standings, &answers)?;
    if arguments.json {
        output::json(&document);
    } else {
        output::foreign(&text(&document, &standings, &answers));
    }
    Ok(0)
}

/// Asks all that may be asked, at once, and has them ended.
fn probe(host: &Host, standings: &[(&Server, Standing)]) -> anyhow::Result<Answers> {
    let rows = host.block_on(host.mcp().invoke(McpInvocation::new("*", McpRequest::AllTools)));
    host.block_on(host.mcp().close());
    let rows: Vec<Value> = serde_json::from_str(&rows?)?;
    let may_be_asked = standings.iter().filter(|(server, standing)| server.enabled && standing.trust.is_given());
    Ok(may_be_asked.map(|(server, _)| (server.name.clone(), Answer::of(server, &rows))).collect())
}

impl Answer {
    fn of(server: &Server, rows: &[Value]) -> Self {
        let own = || rows.iter().filter(|row| row["server"] == json!(server.name));
        match own().find_map(|row| row["error"].as_str()) {
            Some(error) if server.permissions.read == Decision::Allow.as_str() => Self::Trouble(error.into()),
            Some(error) => Self::Unasked(error.into()),
            None => Self::Tools(own().count()),
        }
    }

    fn document(&self) -> Value {
        match self {
            Self::Tools(tools) => json!({"ok": true, "tools": tools, "error": null}),
            Self::Trouble(error) => json!({"ok": false, "tools": null, "error": error}),
            Self::Unasked(error) => json!({"ok": null, "tools": null, "error": error}),
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Tools(tools) => format!("it answers, and has {tools} tools"),
            Self::Trouble(error) => format!("it does not answer: {error}"),
            Self::Unasked(error) => format!("not asked: {error}"),
        }
    }
}

fn document(
    host: &Host,
    config: &McpConfig,
    standings: &[(&Server, Standing)],
    answers: &Answers,
) -> anyhow::Result<Value> {
    let file = |scope: Scope| -> anyhow::Result<Value> {
        let path = scope.file(host, &config.root)?;
        Ok(json!({"path": path, "exists": path.exists()}))
    };
    let row = |(server, standing): &(&Server, Standing)| {
        let mut row = row::detailed(server, standing);
        row["probe"] = json!(answers.get(&server.name).map(Answer::document));
        (server.name.clone(), row)
    };
    let rows: Map<_, _> = standings.iter().map(row).collect();
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

fn text(document: &Value, standings: &[(&Server, Standing)], answers: &Answers) -> String {
    let file = |key: &str| {
        let is_there = document[key]["exists"] == json!(true);
        let path = document[key]["path"].as_str().unwrap_or_default().to_owned();
        if is_there { path } else { format!("{path} (not there)") }
    };
    let mut parts = vec![format!("project  {}\nhome     {}", file("project_config"), file("global_config"))];
    parts.extend(standings.iter().map(|(server, standing)| {
        let said = answers.get(&server.name).map(|answer| format!("\n  {}", answer.sentence()));
        row::block(server, standing) + &said.unwrap_or_default()
    }));
    let lines = |key: &str, before: &str| {
        let lines = document[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        lines.map(|line| format!("{before}{line}")).collect::<Vec<_>>().join("\n")
    };
    let warnings = lines("warnings", "! ");
    parts.extend((!warnings.is_empty()).then(|| format!("{warnings}\n  Correct that by hand; the other files count.")));
    parts.extend(standings.is_empty().then(|| lines("next_commands", "next: ")));
    parts.join("\n\n")
}
