//! What an invocation came to, as one document. It is whole whatever happened, even to a line that cannot be parsed.

use super::super::output;
use kosmo::{Code, Fault, Interrupt, Operation, Rehearsal, Rehearsed, UnderWay};
use serde::Serialize;
use serde_json::Value;
use std::ffi::OsString;
use std::time::Instant;

/// What a line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Asked {
    /// `dialpad.list_calls`, or as typed.
    pub(super) function: String,
    pub(super) account: Option<String>,
    pub(super) dry_run: bool,
    pub(super) force: bool,
}

/// The document on standard output.
#[derive(Serialize)]
pub(in crate::cli) struct Envelope {
    function: String,
    success: bool,
    pub(super) data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request: Option<Rehearsed>,
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<Fault>,
    meta: Meta,
    duration_ms: f64,
}

#[derive(Serialize)]
struct Meta {
    dry_run: bool,
    operation: Option<&'static str>,
    permission_bypassed: bool,
    account: String,
    /// Where an interruption may have left a doubt: what the audit log calls it, and the doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    under_way: Vec<UnderWay>,
}

impl Asked {
    /// As far as a line can be understood whose words are sorted, if it is one for a single function.
    pub(in crate::cli) fn of(arguments: &[OsString]) -> Option<Self> {
        let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
        let (own, typed) = words.split_at(words.iter().position(|word| word == "--").unwrap_or(words.len()));
        let mut typed = typed.iter().skip(1).take_while(|word| !word.starts_with('-'));
        let function = match own.get(1).map(AsRef::as_ref) {
            Some("integrations:call") => typed.next().map(ToString::to_string).unwrap_or_default(),
            Some(super::words::PROVIDER) => format!("{}.{}", typed.next()?, typed.next()?),
            _ => return None,
        };
        let has = |flag: &str| own.iter().any(|word| word == flag);
        Some(Self { function, account: account(own), dry_run: has("--dry-run"), force: has("--force") })
    }
}

fn account(own: &[impl AsRef<str>]) -> Option<String> {
    let mut own = own.iter().map(AsRef::as_ref).skip_while(|word| !word.starts_with("--account"));
    match own.next()?.strip_prefix("--account=") {
        Some(account) => Some(account.into()),
        None => own.next().map(Into::into),
    }
}

impl Envelope {
    pub(super) fn new(
        asked: &Asked,
        operation: Option<Operation>,
        answer: Result<Value, Fault>,
        begun: Instant,
    ) -> Self {
        let (data, fault) = match answer {
            Ok(data) => (Some(data), None),
            Err(fault) => (None, Some(fault)),
        };
        Self {
            function: asked.function.clone(),
            success: fault.is_none(),
            data,
            request: None,
            error: fault.as_ref().map(|fault| fault.message.clone()),
            fault,
            meta: Meta {
                dry_run: asked.dry_run,
                operation: operation.map(Operation::as_str),
                permission_bypassed: asked.force,
                account: asked.account.clone().unwrap_or_else(|| "default".into()),
                run: None,
                under_way: Vec::new(),
            },
            duration_ms: (begun.elapsed().as_secs_f64() * 10_000.0).round() / 10.0,
        }
    }

    /// Of a line that came to nothing. What is no provider's doing has no code of its own.
    pub(in crate::cli) fn of_failure(asked: &Asked, message: &str, fault: Option<Fault>) -> Self {
        let fault = fault.unwrap_or_else(|| Fault::new(Code::Unconfigured, message));
        Self { error: Some(message.into()), ..Self::new(asked, None, Err(fault), Instant::now()) }
    }

    /// Ended by this.
    pub(super) fn ended(self, fault: Fault) -> Self {
        Self { success: false, data: None, error: Some(fault.message.clone()), fault: Some(fault), ..self }
    }

    /// With what there is to find out what became of it.
    pub(super) fn interrupted(self, interrupt: &Interrupt) -> Self {
        let (run, under_way) = (interrupt.run(), interrupt.writes());
        if let Some(run) = run.as_ref().filter(|_| !under_way.is_empty()) {
            output::error(&format!("note: what was recorded of it: kosmo audit --run {run}"));
        }
        Self { meta: Meta { run, under_way, ..self.meta }, ..self }
    }

    /// With the request that was not sent, if it came to one.
    pub(super) fn rehearsed(self, rehearsal: Option<&Rehearsal>) -> Self {
        let request = rehearsal.filter(|_| self.success).and_then(|rehearsal| rehearsal.requests().pop());
        let data = if request.is_some() { None } else { self.data };
        Self { data, request, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(&str, Option<&str>, bool, bool)>) {
        let asked = Asked::of(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        let asked =
            asked.as_ref().map(|asked| (asked.function.as_str(), asked.account.as_deref(), asked.dry_run, asked.force));
        assert_eq!(asked, expected, "{line}");
    }

    #[test]
    fn what_a_line_asks_for_is_known_before_it_is_understood() {
        check("kosmo integrations:call --json -- d.f --limit", Some(("d.f", None, false, false)));
        check("kosmo integrations:call --account work --json -- d.f", Some(("d.f", Some("work"), false, false)));
        check("kosmo integrations:call --account=work --force", Some(("", Some("work"), false, true)));
        check("kosmo integrations:PROVIDER --dry-run -- d f {}", Some(("d.f", None, true, false)));
        check("kosmo integrations:PROVIDER --json -- d", None);
        check("kosmo integrations:list --json", None);
        check("kosmo", None);
    }
}
