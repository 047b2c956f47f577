//! `mcp:preset`.

use super::super::failure::{Outcome, Usage};
use super::super::{output, table};
use super::{Place, add, here};
use clap::{Args, ValueEnum};
use kosmo::did_you_mean;
use kosmo::mcp::presets::{PRESETS, Preset};
use kosmo::mcp::{Scope, edit};
use serde_json::{Value, json};

/// Flags of `mcp:preset`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpPreset {
    /// What to do
    #[arg(value_name = "ACTION")]
    action: Action,
    /// Which one to add
    #[arg(value_name = "NAME", required_if_eq("action", "add"))]
    name: Option<String>,
    /// Put it in the place of one of the same name
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    place: Place,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Action {
    /// Show what there is
    List,
    /// Add one
    Add,
}

pub(super) fn run(arguments: &McpPreset) -> Outcome {
    match (arguments.action, &arguments.name) {
        (Action::Add, Some(name)) => add(arguments, name),
        (Action::List | Action::Add, _) => list(arguments.json),
    }
}

fn list(json: bool) -> Outcome {
    if json {
        let row = |preset: &Preset| json!({"name": preset.name, "summary": preset.summary, "start": preset.start(), "secret": preset.secret});
        output::json(&json!({"success": true, "presets": PRESETS.iter().map(row).collect::<Vec<Value>>()}));
        return Ok(0);
    }
    let cells = |preset: &Preset| {
        let secret = preset.secret.unwrap_or("-");
        vec![preset.name.into(), preset.summary.into(), secret.into(), preset.start()]
    };
    let rows: Vec<_> = PRESETS.iter().map(cells).collect();
    output::line(&table::aligned(&["NAME", "SUMMARY", "SECRET", "START"], &rows));
    Ok(0)
}

fn add(arguments: &McpPreset, name: &str) -> Outcome {
    let preset = Preset::named(name).ok_or_else(|| {
        let suggestion = did_you_mean(name, PRESETS.iter().map(|preset| preset.name));
        Usage(format!("There is no preset `{name}`; `kosmo mcp:preset list` lists them.{suggestion}"))
    })?;
    let (host, config) = here()?;
    let scope = arguments.place.scope().unwrap_or(Scope::Global);
    let path = edit::add(&host, &config.root, scope, preset.name, &preset.entry().to_value(), arguments.replace)?;
    add::tell(preset.name, scope, &path, arguments.json)
}
