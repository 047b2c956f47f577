//! `mcp:trust` and `mcp:untrust`.

use super::super::failure::Outcome;
use super::super::output;
use super::{Place, here, row, server};
use clap::Args;
use kosmo::mcp::{review, standing};
use kosmo::{Code, Fault};
use serde_json::json;

pub(in crate::cli) const HELP: &str = "\
A project's file comes with a checkout: what it starts, it starts as you. Trust is for the entry as it is now, in this
project alone; whatever changes its program, arguments, environment, URL or headers takes it away again, and
`mcp:status` says what that was. What its `envFile` sets counts as its environment. It does not cover the files that the
entry starts.

Example:
  kosmo mcp:status files
  kosmo mcp:trust files";

/// Flags of `mcp:trust`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpTrust {
    /// As `mcp:list` shows it
    #[arg(value_name = "SERVER")]
    server: String,
    /// Only if this is its fingerprint, so that nothing else is trusted than what was reviewed
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// Flags of `mcp:untrust`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpUntrust {
    /// Its name; it need not be there any more
    #[arg(value_name = "SERVER")]
    server: String,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn trust(arguments: &McpTrust) -> Outcome {
    let (host, config) = here()?;
    let server = server(&config, &arguments.server)?;
    if let Some(reviewed) = arguments.fingerprint.as_ref().filter(|reviewed| **reviewed != server.fingerprint) {
        let message = format!(
            "Its fingerprint is {}, and not {reviewed}. Review it again before you trust it.",
            server.fingerprint
        );
        return Err(Fault::new(Code::Changed, message).into());
    }
    let before = standing(&host, server);
    let is_project = server.is_of_project();
    if is_project {
        review::trust(&host, server)?;
    }
    if arguments.json {
        let scope = if is_project { "project" } else { "global" };
        output::json(&json!({
            "success": true, "server": server.name, "fingerprint": server.fingerprint, "scope": scope,
            "changed": before.changed,
        }));
        return Ok(0);
    }
    if !is_project {
        output::foreign(&format!("{} stands in your own file and needs no trust.", server.name));
        return Ok(0);
    }
    output::foreign(&format!("Trusted in {}, as it is now: {}", config.root.display(), server.name));
    output::foreign(&row::about(server).join("\n"));
    before
        .changed
        .iter()
        .for_each(|change| output::foreign(&format!("  since it was last trusted, {}", row::seen(change))));
    Ok(0)
}

pub(super) fn untrust(arguments: &McpUntrust) -> Outcome {
    let (host, config) = here()?;
    let name = &arguments.server;
    let was = review::untrust(&host, name, &config.root)?;
    if arguments.json {
        output::json(&json!({"success": true, "server": name, "changed": was}));
    } else {
        let said = if was { "is not trusted any more" } else { "was not trusted" };
        output::foreign(&format!("{name} {said} in {}.", config.root.display()));
    }
    Ok(0)
}
