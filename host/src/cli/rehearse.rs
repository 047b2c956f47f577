//! `--dry-run`: what would be sent, and the least that must be granted for it.

use super::{lua, output};
use clap::Args;
use kosmo::{Rehearsal, Rehearsed};
use serde::Serialize;
use std::sync::Arc;

pub(super) const HELP: &str = "\
With --dry-run every check is made as always, and what functions that read GET is sent. What would be sent besides is
listed instead; its function returns {dry_run = true, request = {...}}. With --json the document has `requests` too.
--suggest-grants prints, in place of what the script prints, the smallest policy that lets it do what it did:

  kosmo integrations:lua workflow.lua --dry-run --suggest-grants > workflow.toml
  kosmo integrations:lua workflow.lua --grants workflow.toml

A --grants FILE is written like [grants] and [permissions] in config.toml. An integration without [grants.<provider>]
in it gets nothing. What it permits needs no further word, unless another file denies it.";

/// Whether a script is only rehearsed.
#[derive(Debug, Args)]
pub(super) struct DryRun {
    /// Send only what reads, and show what would be sent besides
    #[arg(long, conflicts_with_all = ["resume", "repl"])]
    dry_run: bool,
    /// Print the least that the script must be granted, for --grants; a write that would have to be asked for counts as
    /// approved
    #[arg(long, requires = "dry_run")]
    suggest_grants: bool,
}

impl DryRun {
    /// Where the script is rehearsed, if it is.
    pub(super) fn rehearsal(&self) -> Option<Arc<Rehearsal>> {
        let rehearsal = match self.suggest_grants {
            true => Rehearsal::reading().past_ask(),
            false => Rehearsal::reading(),
        };
        self.dry_run.then(|| Arc::new(rehearsal))
    }

    /// Prints what a rehearsal came to.
    pub(super) fn tell(&self, outcome: &kosmo::Outcome, rehearsal: &Rehearsal, json: bool) {
        let suggestion = self.suggest_grants.then(|| suggestion(outcome, rehearsal));
        match suggestion {
            suggestion if json => output::json(&Envelope { outcome, requests: rehearsal.requests(), suggestion }),
            Some(suggestion) => {
                lua::tell_aside(outcome);
                output::line(suggestion.trim_end());
            }
            None => {
                lua::tell(outcome);
                output::line(&list(&rehearsal.requests()));
            }
        }
    }
}

/// A script's envelope, and what it would send.
#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(flatten)]
    outcome: &'a kosmo::Outcome,
    requests: Vec<Rehearsed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<String>,
}

/// A policy as a file, with what there is to say about it.
fn suggestion(outcome: &kosmo::Outcome, rehearsal: &Rehearsal) -> String {
    let early = match outcome.success {
        true => "",
        false => "# The script ended early: what it needs after that is missing here.\n",
    };
    format!(
        "# The least that this script needs, as far as a dry run shows it. To run it with exactly this:\n\
         # kosmo integrations:lua SCRIPT --grants THIS_FILE\n{early}\n{}",
        rehearsal.policy()
    )
}

fn list(requests: &[Rehearsed]) -> String {
    let held: Vec<_> = requests.iter().filter(|request| !request.sent).map(entry).collect();
    match held.len() {
        0 => "Dry run: no request had to be held back.".into(),
        1 => format!("Dry run: 1 request was not sent.\n\n{}", held.concat()),
        count => format!("Dry run: {count} requests were not sent.\n\n{}", held.join("\n\n")),
    }
}

fn entry(request: &Rehearsed) -> String {
    let Rehearsed { provider, function, account, .. } = request;
    format!("# {provider}.{function} on {account}\n{}", shown(request))
}

/// A request as it would go out.
pub(super) fn shown(request: &Rehearsed) -> String {
    let headers = request.headers.iter().map(|(name, value)| format!("\n{name}: {value}"));
    let body = request.body.as_ref().map_or(String::new(), |body| format!("\n\n{body}"));
    let text = format!("{} {}{}{body}", request.method, request.url, headers.collect::<String>());
    output::harmless(&text).into_owned()
}
