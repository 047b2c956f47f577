//! A server as programs and people see it.

use kosmo::mcp::config::Server;
use kosmo::mcp::{Standing, Template, Trust, masked, masked_arguments};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What `mcp.servers()` shows, and how it stands.
pub(super) fn listed(server: &Server, standing: &Standing) -> Value {
    let mut row = serde_json::to_value(server).unwrap_or_default();
    row["args"] = json!(masked_arguments(&server.args));
    row["status"] = json!(standing.word(server));
    row["trust"] = json!(trust(standing.trust));
    row
}

/// The same with everything that is in the way.
pub(super) fn detailed(server: &Server, standing: &Standing) -> Value {
    let mut row = listed(server, standing);
    let details = json!({
        "active": standing.is_active(server),
        "fingerprint": server.fingerprint,
        "changed": standing.changed,
        "cwd": server.cwd,
        "env": shown(&server.env),
        "headers": shown(&server.headers),
        "missing": standing.missing,
        "next_commands": standing.next,
    });
    for (key, value) in details.as_object().into_iter().flatten() {
        row[key] = value.clone();
    }
    row
}

/// What is started, or where it listens.
pub(super) fn target(server: &Server) -> String {
    let program = server.command.iter().cloned().chain(masked_arguments(&server.args));
    server.url.clone().filter(|_| server.command.is_none()).unwrap_or_else(|| program.collect::<Vec<_>>().join(" "))
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Own => "own",
        Trust::Reviewed => "reviewed",
        Trust::Changed => "changed",
        Trust::Unknown => "unknown",
    }
}

/// Each with its value, unless that looks like a secret: what is told to a server is part of what is trusted.
fn shown(values: &BTreeMap<String, Template>) -> BTreeMap<&str, &str> {
    values.iter().map(|(name, value)| (name.as_str(), masked(name, value.written()))).collect()
}

/// What it is: a few lines about one server.
pub(super) fn about(server: &Server) -> Vec<String> {
    let mut lines = vec![format!("  {}", target(server))];
    lines.extend(server.cwd.iter().map(|folder| format!("  in {folder}")));
    for (what, values) in [("environment", &server.env), ("header", &server.headers)] {
        lines.extend(shown(values).iter().map(|(name, value)| format!("  {what} {name}: {value}")));
    }
    lines.extend(server.is_of_project().then(|| format!("  fingerprint {}", server.fingerprint)));
    lines.extend(
        server
            .replaces_own
            .then(|| "  in place of your own of that name, whose secrets and permissions stay with it".into()),
    );
    lines
}

/// The same, with how it stands.
pub(super) fn block(server: &Server, standing: &Standing) -> String {
    let mut lines = vec![format!("{}: {} ({})", server.name, standing.word(server), server.source)];
    lines.extend(about(server));
    lines.push(format!("  read {}, write {}", server.permissions.read, server.permissions.write));
    lines.extend(standing.changed.iter().map(|change| format!("  since it was trusted, {change}")));
    lines.extend(standing.missing.iter().map(|problem| format!("  {problem}")));
    lines.extend(standing.next.iter().map(|command| format!("  next: {command}")));
    lines.join("\n")
}
