//! `integrations:search`: the right function among thousands.

use super::arguments::PluginFolders;
use super::failure::Outcome;
use super::{open, output, table};
use clap::Args;
use kosmo::docs::{self, Entry};
use serde_json::json;

#[derive(Debug, Args)]
pub(super) struct IntegrationsSearch {
    /// What it should do, such as `send text message`
    #[arg(value_name = "QUERY", required = true)]
    words: Vec<String>,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

pub(super) fn run(arguments: &IntegrationsSearch) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let query = arguments.words.join(" ");
    let found = docs::found(&host, &query);
    match found.as_slice() {
        _ if arguments.json => output::json(&json!({"success": true, "query": query, "functions": found})),
        [] => {
            output::foreign(&format!("No function matches '{query}'. `kosmo integrations:list` names the providers."))
        }
        found => output::line(&table::aligned(&["FUNCTION", "OPERATION", "ACCOUNTS", "SUMMARY"], &rows(found))),
    }
    Ok(0)
}

fn rows(found: &[Entry]) -> Vec<Vec<String>> {
    let row = |entry: &Entry| {
        let accounts = if entry.accounts.is_empty() { "none".into() } else { entry.accounts.join(", ") };
        vec![entry.name.clone(), entry.operation.into(), accounts, entry.summary.clone()]
    };
    found.iter().map(row).collect()
}
