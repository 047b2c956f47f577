//! How a command fails: a sentence on standard error, or the same as JSON on standard output.

use super::output;
use clap::error::ErrorKind;
use kosmo::{Code, Fault};
use serde_json::json;
use std::ffi::OsString;

/// The exit code, or why there is none yet.
pub(super) type Outcome = anyhow::Result<i32>;

/// The command was not given what it needs.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// How a failure is told. Known from the raw command line, since one that cannot be parsed fails, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A sentence on standard error.
    Sentence,
    /// `{success, error}` on standard output.
    Json,
    /// A script's whole envelope on standard output.
    Envelope { force: bool },
}

impl Form {
    /// What the command line, program name first, asks for.
    pub(super) fn of(arguments: &[OsString]) -> Self {
        let typed = || arguments.iter().skip(1).take_while(|&argument| argument != "--");
        let has = |flag: &str| typed().any(|argument| argument == flag);
        match arguments.get(1).and_then(|command| command.to_str()) {
            _ if !has("--json") => Self::Sentence,
            Some("integrations:lua" | "mcp:lua") => Self::Envelope { force: has("--force") },
            _ => Self::Json,
        }
    }
}

/// Tells the error and gives the exit code.
pub(super) fn report(error: &anyhow::Error, form: Form) -> i32 {
    tell(&format!("{error:#}"), form);
    if error.is::<Usage>() { 2 } else { 1 }
}

/// Tells a fault and gives the exit code, for commands about one provider.
///
/// # Errors
/// Never; it is what such a command ends with.
pub(super) fn fault(fault: Fault, json: bool) -> Outcome {
    let message = &fault.message;
    if json {
        output::json(&json!({"success": false, "error": message, "fault": fault}))
    } else {
        output::error(message)
    }
    Ok(exit_code(&fault))
}

/// What a fault ends a command with that is about one provider: 2 for arguments that do not fit, 3 for a refusal by
/// permission or grant, 4 for what the provider or the network did, 1 for everything else.
pub(super) fn exit_code(fault: &Fault) -> i32 {
    match fault.code {
        Code::InvalidArgument => 2,
        Code::ApprovalRequired | Code::Denied => 3,
        Code::Unauthorized
        | Code::Forbidden
        | Code::NotFound
        | Code::RateLimited
        | Code::NotReady
        | Code::Provider
        | Code::Unreachable
        | Code::Timeout => 4,
        _ => 1,
    }
}

/// As [`report`], for what clap has to say; help and version are no failures.
pub(super) fn report_usage(error: &clap::Error, form: Form) -> i32 {
    let text = error.to_string();
    let text = text.trim().trim_start_matches("error: ");
    match (error.kind(), form) {
        _ if !error.use_stderr() => output::line(text),
        (ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, Form::Sentence) => output::plain_error(text),
        (_, Form::Sentence) => tell(text, form),
        (_, Form::Json | Form::Envelope { .. }) => tell(&without_usage(text), form),
    }
    error.exit_code()
}

/// What was wrong and the tip, without all that would be right.
fn without_usage(text: &str) -> String {
    let end = ["\n\nUsage:", "\n\nFor more information"].iter().filter_map(|part| text.find(part)).min();
    text[..end.unwrap_or(text.len())].replace("\n\n  tip: ", "; ")
}

fn tell(message: &str, form: Form) {
    match form {
        Form::Sentence => output::error(message),
        Form::Json => output::json(&json!({"success": false, "error": message})),
        Form::Envelope { force } => output::json(&envelope(message, force)),
    }
}

/// A script's, before or without its run.
pub(super) fn envelope(message: &str, force: bool) -> kosmo::Outcome {
    kosmo::Outcome {
        success: false,
        output: String::new(),
        error: Some(message.into()),
        result: None,
        fault: None,
        execution_time_ms: 0.0,
        memory_usage: None,
        integration_calls: Vec::new(),
        meta: kosmo::Meta { permission_bypassed: force, ..kosmo::Meta::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Form) {
        assert_eq!(Form::of(&line.split(' ').map(OsString::from).collect::<Vec<_>>()), expected, "{line}");
    }

    #[test]
    fn the_form_of_a_failure_is_known_before_the_line_is_understood() {
        check("kosmo", Form::Sentence);
        check("kosmo integrations:lua --nonsense", Form::Sentence);
        check("kosmo integrations:lua --nonsense --json", Form::Envelope { force: false });
        check("kosmo mcp:lua --json --force", Form::Envelope { force: true });
        check("kosmo integrations:list --json", Form::Json);
        check("kosmo --json", Form::Json);
        check("kosmo integrations:lua -- --json", Form::Sentence);
    }

    #[test]
    fn a_usage_error_is_one_sentence_for_programs() {
        let text =
            "unexpected argument '--frob' found\n\n  tip: use '-- --frob'\n\nUsage: kosmo\n\nFor more information";
        assert_eq!(without_usage(text), "unexpected argument '--frob' found; use '-- --frob'");
        assert_eq!(without_usage("bad\n\nFor more information, try"), "bad");
        assert_eq!(without_usage("bad"), "bad");
    }
}
