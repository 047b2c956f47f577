//! A server as programs and people see it.

use super::super::output::{distinct, in_one_line};
use super::login;
use kosmo::mcp::config::Server;
use kosmo::mcp::{Standing, Template, Trust};
use serde_json::{Value, json};

/// What `mcp.servers()` shows, and how it stands.
pub(super) fn listed(server: &Server, standing: &Standing) -> Value {
    let mut row = serde_json::to_value(server).unwrap_or_default();
    row["args"] = json!(server.shown_args());
    row["url"] = json!(server.shown_url());
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
        "env": server.shown_env(),
        "env_file": server.env_file.as_ref().map(Template::written),
        "env_in_file": server.env_in_file.as_ref().map(|set| set.keys().collect::<Vec<_>>()),
        "headers": server.shown_headers(),
        "login": standing.login.as_ref().map(|signed_in| {
            let mut document = json!({});
            login::fields(&mut document, signed_in);
            document
        }),
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
    let program = server.command.iter().cloned().chain(server.shown_args());
    let program = || program.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ");
    server.shown_url().filter(|_| server.command.is_none()).map_or_else(program, seen)
}

/// In quotes, unless it is seen where it begins and ends.
fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && !word.contains(|letter: char| letter.is_whitespace() || letter == '"');
    seen(&if is_plain { word.into() } else { format!("\"{}\"", word.replace('"', "\\\"")) })
}

/// On one line, with nothing in it that is not seen: whoever wrote the file could hide what is trusted.
pub(super) fn seen(text: &str) -> String {
    in_one_line(&distinct(text)).into_owned()
}

fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::Own => "own",
        Trust::Reviewed => "reviewed",
        Trust::Changed => "changed",
        Trust::Unknown => "unknown",
    }
}

/// What it is: a few lines about one server.
pub(super) fn about(server: &Server) -> Vec<String> {
    let mut lines = vec![format!("  {}", target(server))];
    lines.extend(server.cwd.iter().map(|folder| format!("  in {}", seen(folder))));
    for (what, values) in [("environment", server.shown_env()), ("header", server.shown_headers())] {
        lines.extend(values.iter().map(|(name, value)| format!("  {what} {}: {}", seen(name), seen(value))));
    }
    lines.extend(server.env_file.as_ref().map(|file| format!("  environment from {}", seen(file.written()))));
    lines
        .extend(server.env_in_file.iter().flatten().map(|(name, _)| format!("  environment {name}: *** in that file")));
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
    let mut lines = vec![format!("{}: {} ({})", seen(&server.name), standing.word(server), server.source)];
    lines.extend(about(server));
    lines.push(format!("  read {}, write {}", server.permissions.read, server.permissions.write));
    lines.extend(standing.login.iter().map(|signed_in| format!("  signed in {}", login::line(signed_in))));
    lines.extend(standing.changed.iter().map(|change| format!("  since it was trusted, {}", seen(change))));
    lines.extend(standing.missing.iter().map(|problem| format!("  {}", seen(problem))));
    lines.extend(standing.next.iter().map(|command| format!("  next: {command}")));
    lines.join("\n")
}
