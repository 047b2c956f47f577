//! `runs:list`: which runs sent something, and what is left of them.

use super::failure::{self, Outcome};
use super::{open, output, table};
use clap::Args;
use kosmo::runs::{self, Run};
use serde_json::json;

pub(super) const HELP: &str = "\
A run that sent a write is remembered for thirty days, by the name that meta.run of its envelope has. STATE is how it
ended: the fault's code, `failed`, `killed`, or `going_on`; one that is `done` is listed with --all only. A write in
doubt was sent, and no answer was recorded.

  kosmo integrations:lua SCRIPT --resume RUN                     # does what is left of it
  kosmo integrations:lua SCRIPT --resume RUN --repeat-in-doubt   # and sends again what is in doubt";

/// Flags of `runs:list`.
#[derive(Debug, Args)]
pub(super) struct RunsList {
    /// Those that are done, too
    #[arg(long)]
    all: bool,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
}

pub(super) fn list(arguments: &RunsList) -> Outcome {
    let host = open(&[])?;
    let mut runs = match runs::list(&host) {
        Ok(runs) => runs,
        Err(fault) => return failure::fault(fault, arguments.json),
    };
    runs.retain(|run| arguments.all || !run.is_done());
    match runs.as_slice() {
        runs if arguments.json => output::json(&json!({"success": true, "runs": runs})),
        [] => output::line("No run that sent something is left unfinished."),
        runs => output::line(&shown(runs)),
    }
    Ok(0)
}

fn shown(runs: &[Run]) -> String {
    let rows: Vec<_> = runs.iter().map(row).collect();
    let table = table::aligned(&["RUN", "BEGUN", "STATE", "DONE", "IN DOUBT", "SCRIPT"], &rows);
    let doubts: Vec<_> = runs.iter().flat_map(doubts).collect();
    match doubts.is_empty() {
        true => table,
        false => format!("{table}\n\nIn doubt:\n{}", doubts.join("\n")),
    }
}

fn row(run: &Run) -> Vec<String> {
    let script = run.script.clone().unwrap_or_else(|| "-".into());
    let counts = [u64::from(run.done), run.in_doubt.len() as u64].map(|count| count.to_string());
    let [done, doubtful] = counts;
    vec![run.run.clone(), run.begun.clone(), run.state.clone(), done, doubtful, script]
}

fn doubts(run: &Run) -> impl Iterator<Item = String> {
    run.in_doubt.iter().map(|write| {
        let on = if write.account.is_empty() { "" } else { " on " };
        let line = format!(
            "  {}, write {}, sent {}: {}({}){on}{}",
            run.run, write.number, write.sent, write.function, write.arguments, write.account
        );
        output::in_one_line(&line).into_owned()
    })
}
