//! `integrations:lua` and `mcp:lua`: one script, one session, one envelope.

use super::arguments::{IntegrationsLua, McpLua, Script};
use super::failure::{self, Outcome};
use super::progress::{Flights, Waiting};
use super::signals::Signals;
use super::{again, approve, audit, open, open_only, output, repl, servers, source};
use kosmo::{Code, Host, Observer, SessionBuilder, Surface};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn integrations(arguments: &IntegrationsLua) -> Outcome {
    if arguments.script.repl {
        return interactive(arguments);
    }
    let script = source::read(&arguments.script)?;
    let host = open_only(&arguments.plugins.folders, arguments.grants.as_ref())?;
    let rehearsal = arguments.dry_run.rehearsal();
    let signals = listen(&host, &arguments.script);
    let mut session = session(&host, Surface::Integrations, &arguments.script).interrupt(signals.interrupt());
    if let Some(account) = &arguments.account {
        session = session.account(account);
    }
    session = arguments.rerun.of(session);
    if let Some(rehearsal) = &rehearsal {
        session = session.rehearse(rehearsal);
    }
    Ok(run(host, session, script, &signals, |outcome| match rehearsal {
        Some(rehearsal) => arguments.dry_run.tell(outcome, &rehearsal, arguments.script.json),
        None => told(outcome, arguments.script.json),
    }))
}

/// `--repl`, of which nothing can be taken up again or rehearsed.
fn interactive(arguments: &IntegrationsLua) -> Outcome {
    repl::check(&arguments.script)?;
    let host = open_only(&arguments.plugins.folders, arguments.grants.as_ref())?;
    repl::run(&host, || {
        let session = session(&host, Surface::Integrations, &arguments.script);
        arguments.account.iter().fold(session, |session, account| session.account(account))
    })
}

pub(super) fn mcp(McpLua { script: arguments, rerun }: &McpLua) -> Outcome {
    if arguments.repl {
        repl::check(arguments)?;
        let host = open(&[])?;
        return repl::run(&host, || session(&host, Surface::McpOnly, arguments));
    }
    let script = source::read(arguments)?;
    let host = open(&[])?;
    let signals = listen(&host, arguments);
    let session = session(&host, Surface::McpOnly, arguments).interrupt(signals.interrupt());
    let session = rerun.of(session);
    Ok(run(host, session, script, &signals, |outcome| told(outcome, arguments.json)))
}

fn told(outcome: &kosmo::Outcome, json: bool) {
    if json { output::json(outcome) } else { tell(outcome) }
}

fn exit_code(outcome: &kosmo::Outcome, signals: &Signals) -> i32 {
    let interrupted = outcome.fault.as_ref().is_some_and(|fault| fault.code == Code::Interrupted);
    if interrupted { signals.exit_code() } else { i32::from(!outcome.success) }
}

/// Runs it, has what it came to told, and gives the exit code.
fn run(
    host: Host,
    session: SessionBuilder,
    script: kosmo::Script,
    signals: &Signals,
    tell: impl FnOnce(&kosmo::Outcome),
) -> i32 {
    let flights = Arc::<Flights>::default();
    let session = session.observer(Arc::clone(&flights) as Arc<dyn Observer>).build();
    let waiting = Waiting::watching(&flights);
    let mut outcome = session.run_blocking(script);
    drop(waiting);
    signals.claim();
    audit::warn(&host);
    outcome.meta.resume = goes_on(&host, &outcome).map(again::command);
    outcome.meta.resume.iter().for_each(|command| hint(command));
    // Servers may take their time to end, in which a signal would leave nothing told.
    tell(&outcome);
    servers::finish(&host);
    // A script's thread that does not answer any more must not hold up the end; the system takes everything back.
    std::mem::forget((host, session));
    exit_code(&outcome, signals)
}

/// The run that can be taken up, where starting afresh would do again what was done.
fn goes_on<'a>(host: &Host, outcome: &'a kosmo::Outcome) -> Option<&'a str> {
    // What refuses to go on says itself what to do instead.
    let refused = outcome.fault.as_ref().is_some_and(|fault| matches!(fault.code, Code::InDoubt | Code::Changed));
    let run = outcome.meta.run.as_deref().filter(|_| !outcome.success && !refused)?;
    host.remembers(run).then_some(run)
}

fn hint(command: &str) {
    output::error(&format!("note: this run has sent something. To go on without sending it again: {command}"));
}

/// What a second signal leaves to be said: the run's name, and what was on its way.
fn listen(host: &Host, arguments: &Script) -> Signals {
    let (host, json, force) = (host.clone(), arguments.json, arguments.force);
    Signals::listen(move |interrupt| {
        let (run, under_way) = (interrupt.run(), interrupt.writes());
        let resume = run.as_deref().filter(|run| host.remembers(run)).map(again::command);
        let mut outcome = failure::script(&interrupt.fault().message, None, force);
        outcome.fault = Some(interrupt.fault());
        resume.iter().for_each(|command| hint(command));
        outcome.meta = kosmo::Meta { run, resume, under_way, ..outcome.meta };
        told(&outcome, json);
    })
}

fn session(host: &Host, surface: Surface, arguments: &Script) -> SessionBuilder {
    let mut builder = host.session().surface(surface).force(arguments.force);
    servers::show_progress(host);
    if let Some(bytes) = arguments.memory_limit {
        builder = builder.memory_limit(bytes);
    }
    if let Some(limit) = arguments.cpu_limit {
        builder = builder.cpu_limit(limit);
    }
    if let Some(limit) = arguments.timeout {
        builder = builder.time_limit(limit);
    }
    if let Some(approvals) = approve::approvals(host) {
        builder = builder.approvals(&approvals);
    }
    builder
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
