//! `integrations:examples`: how to invoke functions, ready to be run.

use super::arguments::PluginFolders;
use super::failure::Outcome;
use super::{open, output};
use clap::Args;
use kosmo::docs::{self, Example};
use serde_json::json;

#[derive(Debug, Args)]
pub(super) struct IntegrationsExamples {
    /// `dialpad` or `dialpad.list_calls`
    #[arg(value_name = "PAGE")]
    page: String,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

pub(super) fn run(arguments: &IntegrationsExamples) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let page = &arguments.page;
    let examples = docs::topic(&host, page)?.examples();
    if arguments.json {
        output::json(&json!({"success": true, "page": page, "examples": examples}));
    } else {
        output::foreign(&examples.iter().map(text).collect::<Vec<_>>().join("\n\n"));
    }
    Ok(0)
}

fn text(example: &Example) -> String {
    let lua = example.lua.replace('\n', "\n  ");
    let Example { name, operation, cli, call, .. } = example;
    format!("{name} ({operation})\n\n  {lua}\n\n  {cli}\n  {call}")
}
