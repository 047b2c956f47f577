//! How a command fails: a sentence on standard error, or the same as JSON on standard output.

use super::call::{Asked, Envelope};
use super::output;
use super::signals::Signal;
use clap::error::ErrorKind;
use kosmo::docs::NoPage;
use kosmo::grants::GrantsError;
use kosmo::mcp::EditError;
use kosmo::{Code, ConfigError, Fault};
use serde_json::json;
use std::ffi::OsString;
use std::io;

/// The exit code, or why there is none yet.
pub(super) type Outcome = anyhow::Result<i32>;

/// The command was not given what it needs.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// How a failure is told. Known from the raw command line, since one that cannot be parsed fails, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A sentence on standard error.
    Sentence,
    /// `{success, error, fault}` on standard output.
    Json,
    /// A script's whole envelope on standard output.
    Script { force: bool },
    /// A single invocation's whole envelope on standard output.
    Invocation(Asked),
}

impl Form {
    /// What the command line, program name first, asks for.
    pub(super) fn of(arguments: &[OsString]) -> Self {
        let typed = || arguments.iter().skip(1).take_while(|&argument| argument != "--");
        let has = |flag: &str| typed().any(|argument| argument == flag);
        match arguments.get(1).and_then(|command| command.to_str()) {
            _ if !has("--json") => Self::Sentence,
            Some("integrations:lua" | "mcp:lua") => Self::Script { force: has("--force") },
            _ => Asked::of(arguments).map_or(Self::Json, Self::Invocation),
        }
    }
}

/// Tells the error and gives the exit code.
pub(super) fn report(error: &anyhow::Error, form: Form) -> i32 {
    let fault = cause(error);
    let message = fault.as_ref().map_or_else(|| format!("{error:#}"), |fault| fault.message.clone());
    tell(&message, fault.as_ref(), form);
    fault.as_ref().map_or(1, exit_code)
}

/// The error as a fault, where there is a code for its kind.
fn cause(error: &anyhow::Error) -> Option<Fault> {
    let of = |code| Fault::new(code, format!("{error:#}"));
    let usage = error.downcast_ref::<Usage>().map(|_| of(Code::InvalidArgument));
    let config = || error.downcast_ref::<ConfigError>().map(|_| of(Code::Unconfigured));
    let page = || error.downcast_ref::<NoPage>().map(|_| of(Code::Unknown));
    let grants = || error.downcast_ref::<GrantsError>().map(|error| of(error.code()));
    let edit = || error.downcast_ref::<EditError>().map(|error| of(error.code()));
    let interrupted = || error.downcast_ref::<io::Error>().filter(|error| error.kind() == io::ErrorKind::Interrupted);
    let interrupted = || interrupted().map(|_| Fault::new(Code::Interrupted, "Interrupted; nothing was changed."));
    usage
        .or_else(interrupted)
        .or_else(|| error.downcast_ref::<Fault>().cloned())
        .or_else(config)
        .or_else(page)
        .or_else(grants)
        .or_else(edit)
}

/// Tells a fault and gives the exit code.
///
/// # Errors
/// Never; it is what such a command ends with.
pub(super) fn fault(fault: Fault, json: bool) -> Outcome {
    let code = exit_code(&fault);
    tell(&fault.message, Some(&fault), if json { Form::Json } else { Form::Sentence });
    Ok(code)
}

/// What a fault ends a command with that is about one provider: 2 for arguments that do not fit, 3 for a refusal by
/// permission or grant, 4 for what the provider or the network did, 130 for Ctrl-C, 1 for everything else.
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
        Code::Interrupted => Signal::Interrupt.exit_code(),
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
        (_, Form::Sentence) => tell(text, None, Form::Sentence),
        (_, form) => {
            let message = without_usage(text);
            tell(&message, Some(&Fault::new(Code::InvalidArgument, &*message)), form);
        }
    }
    error.exit_code()
}

/// What was wrong and the tip, without all that would be right.
fn without_usage(text: &str) -> String {
    let end = ["\n\nUsage:", "\n\nFor more information"].iter().filter_map(|part| text.find(part)).min();
    text[..end.unwrap_or(text.len())].replace("\n\n  tip: ", "; ").replace("\n  ", " ")
}

fn tell(message: &str, fault: Option<&Fault>, form: Form) {
    match (form, fault) {
        (Form::Sentence, _) => output::error(message),
        (Form::Json, Some(fault)) => output::json(&json!({"success": false, "error": message, "fault": fault})),
        (Form::Json, None) => output::json(&json!({"success": false, "error": message})),
        (Form::Script { force }, fault) => output::json(&script(message, fault.cloned(), force)),
        (Form::Invocation(asked), fault) => output::json(&Envelope::of_failure(&asked, message, fault.cloned())),
    }
}

/// A script's, before or without its run.
pub(super) fn script(message: &str, fault: Option<Fault>, force: bool) -> kosmo::Outcome {
    kosmo::Outcome {
        success: false,
        output: String::new(),
        error: Some(message.into()),
        result: None,
        fault,
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
        check("kosmo integrations:lua --nonsense --json", Form::Script { force: false });
        check("kosmo mcp:lua --json --force", Form::Script { force: true });
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
        assert_eq!(without_usage("these were not provided:\n  <FILE>\n\nUsage: k"), "these were not provided: <FILE>");
    }
}
