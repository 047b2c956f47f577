//! `integrations:lua` and `mcp:lua`: one script, one session, one envelope.

use super::arguments::{IntegrationsLua, Script};
use super::failure::Outcome;
use super::{audit, open, open_only, output, source};
use kosmo::mcp::config::McpConfig;
use kosmo::{Code, Host, Session, SessionBuilder, Surface};
use serde_json::Value;

pub(super) fn integrations(arguments: &IntegrationsLua) -> Outcome {
    let script = source::read(&arguments.script)?;
    let host = open_only(&arguments.plugins.folders, arguments.grants.as_ref())?;
    let rehearsal = arguments.dry_run.rehearsal();
    let mut session = session(&host, Surface::Integrations, &arguments.script);
    if let Some(account) = &arguments.account {
        session = session.account(account);
    }
    if let Some(run) = &arguments.rerun.resume {
        session = session.resume(run, arguments.rerun.repeat_in_doubt);
    }
    if let Some(rehearsal) = &rehearsal {
        session = session.rehearse(rehearsal);
    }
    let outcome = run(host, session.build(), script);
    match rehearsal {
        Some(rehearsal) => arguments.dry_run.tell(&outcome, &rehearsal, arguments.script.json),
        None if arguments.script.json => output::json(&outcome),
        None => tell(&outcome),
    }
    Ok(i32::from(!outcome.success))
}

pub(super) fn mcp(arguments: &Script) -> Outcome {
    let script = source::read(arguments)?;
    let host = open(&[])?;
    let session = session(&host, Surface::McpOnly, arguments).build();
    let outcome = run(host, session, script);
    if arguments.json {
        output::json(&outcome)
    } else {
        tell(&outcome)
    }
    Ok(i32::from(!outcome.success))
}

fn run(host: Host, session: Session, script: kosmo::Script) -> kosmo::Outcome {
    let outcome = session.run_blocking(script);
    audit::warn(&host);
    hint(&host, &outcome);
    // A script's thread that does not answer any more must not hold up the end; the system takes everything back.
    std::mem::forget((host, session));
    outcome
}

/// How to go on, where starting afresh would do again what was done.
fn hint(host: &Host, outcome: &kosmo::Outcome) {
    // What refuses to go on says itself what to do instead.
    let refused = outcome.fault.as_ref().is_some_and(|fault| matches!(fault.code, Code::InDoubt | Code::Changed));
    let goes_on = |run: &&String| !outcome.success && !refused && host.remembers(run);
    if let Some(run) = outcome.meta.run.as_ref().filter(goes_on) {
        output::error(&format!(
            "note: this run has sent something. To go on without sending it again: run the same with --resume {run}"
        ));
    }
}

fn session(host: &Host, surface: Surface, arguments: &Script) -> SessionBuilder {
    let mut builder = host.session().surface(surface).force(arguments.force).mcp_servers(servers(host));
    if let Some(bytes) = arguments.memory_limit {
        builder = builder.memory_limit(bytes);
    }
    if let Some(limit) = arguments.cpu_limit {
        builder = builder.cpu_limit(limit);
    }
    if let Some(limit) = arguments.timeout {
        builder = builder.time_limit(limit);
    }
    builder
}

/// What `mcp.servers()` returns. A mistake in a file another program owns is worth a word, not a failure.
fn servers(host: &Host) -> Value {
    let folder = std::env::current_dir().unwrap_or_default();
    let config = McpConfig::load(host.home(), &folder);
    config.warnings.iter().for_each(|warning| output::error(&format!("warning: {warning}")));
    config.to_value()
}

/// What was printed, what was returned, what went wrong.
pub(super) fn tell(outcome: &kosmo::Outcome) {
    tell_with(outcome, output::line);
}

/// The same, all of it on standard error.
pub(super) fn tell_aside(outcome: &kosmo::Outcome) {
    tell_with(outcome, output::plain_error);
}

fn tell_with(outcome: &kosmo::Outcome, line: fn(&str)) {
    if !outcome.output.is_empty() {
        line(&outcome.output);
    }
    let returned = outcome.result.iter().flatten().filter(|value| !is_nothing(value));
    returned.for_each(|value| line(&shown(value)));
    if let Some(error) = &outcome.error {
        output::error(error);
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => output::pretty(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(value: Value, expected: Option<&str>) {
        assert_eq!(Some(&value).filter(|value| !is_nothing(value)).map(shown).as_deref(), expected);
    }

    #[test]
    fn text_is_shown_raw_and_nothing_is_not_shown() {
        check(json!("two\nlines"), Some("two\nlines"));
        check(json!(42), Some("42"));
        check(json!(false), Some("false"));
        check(json!([1]), Some("[\n    1\n]"));
        check(json!(null), None);
        check(json!([]), None);
        check(json!({}), None);
    }
}
