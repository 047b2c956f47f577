//! What a record says. Never an argument's value, a query, a body or a secret.

use crate::approval::Approval;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record<'a> {
    /// UTC, to the millisecond: `2026-11-22T05:19:40.123Z`
    pub time: Cow<'a, str>,
    /// The script's run, 16 hexadecimal digits, as `meta.run` of its envelope; an invocation without a script is a run of
    /// its own.
    pub run: Cow<'a, str>,
    /// Tells the invocations of a run apart.
    pub invocation: u64,
    /// The token of the MCP client it was done for, by the name the token was given. Absent if none was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Cow<'a, str>>,
    /// `dialpad`
    pub provider: Cow<'a, str>,
    /// `default`
    pub account: Cow<'a, str>,
    /// `list_calls`, or whatever was asked for in its place.
    pub function: Cow<'a, str>,
    /// `read` or `write`. Absent if there is no such function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Cow<'a, str>>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event<'a>,
    /// The SHA-256 of the plugin, in hexadecimal. Absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Cow<'a, str>>,
    /// How many records before this one could not be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Event<'a> {
    /// A permission or the gate had its say, before anything was sent.
    Decision {
        /// Yes or no.
        decision: Verdict,
        /// The rule that decided, if one did.
        #[serde(skip_serializing_if = "Option::is_none")]
        rule: Option<Cow<'a, str>>,
        /// Why not.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Cow<'a, str>>,
        /// The request that was decided about; absent where the function as a whole was.
        #[serde(flatten)]
        place: Option<Place<'a>>,
    },
    /// A request went out, once.
    Request {
        /// The rule that let it out.
        rule: Cow<'a, str>,
        /// Where to.
        #[serde(flatten)]
        place: Place<'a>,
        /// Counted from 1 over the whole invocation.
        attempt: u32,
        /// HTTP status, if an answer came.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// The fault's code, or `abandoned`, if none came.
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<Cow<'a, str>>,
        /// Of the request's body.
        bytes_sent: u64,
        /// Of the answer's body.
        bytes_received: u64,
        /// Milliseconds, to a tenth.
        ms: f64,
    },
    /// An invocation ended.
    Invocation {
        /// `ok`, the fault's code, or `abandoned` if nobody waited for the end.
        outcome: Cow<'a, str>,
        /// Of the result.
        bytes: u64,
        /// Milliseconds, to a tenth.
        ms: f64,
        /// A keyed digest of the arguments: equal ones have the same, and it tells nothing else. Absent if they were not
        /// accepted.
        #[serde(skip_serializing_if = "Option::is_none")]
        arguments: Option<Cow<'a, str>>,
    },
}

/// How a decision went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may go ahead.
    Allowed,
    /// It may go ahead this once, because the run was forced past the permission.
    Forced,
    /// Somebody was asked, and said that it may.
    Approved,
    /// Somebody was asked, and said that it may not.
    Refused,
    /// Nobody was there to approve it.
    ApprovalRequired,
    /// It may not.
    Denied,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place<'a> {
    /// `GET`
    pub method: Cow<'a, str>,
    /// With its port, if it is an unusual one.
    pub host: Cow<'a, str>,
    /// The pattern of the rule that allowed it; otherwise the path with `{}` for every segment that may be somebody's.
    pub path: Cow<'a, str>,
}

impl From<Approval> for Verdict {
    fn from(answer: Approval) -> Self {
        match answer {
            Approval::Once | Approval::Always => Self::Approved,
            Approval::No | Approval::Never => Self::Refused,
            Approval::Unanswered => Self::ApprovalRequired,
        }
    }
}

impl Verdict {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Forced => "forced",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::ApprovalRequired => "approval_required",
            Self::Denied => "denied",
        }
    }

    /// Whether it went against the script.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::ApprovalRequired | Self::Denied)
    }
}

impl Record<'_> {
    /// Whether it tells of a decision that went against the script.
    pub fn is_refusal(&self) -> bool {
        matches!(self.event, Event::Decision { decision, .. } if decision.is_refusal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str) {
        let record: Record<'_> = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(serde_json::to_string(&record).expect("JSON"), line);
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        check(
            r#"{"time":"2026-11-22T05:19:40.123Z","run":"00ff","invocation":1,"provider":"p","account":"default","function":"f","operation":"write","kind":"decision","decision":"approval_required","rule":"write = \"ask\"","plugin":"ab"}"#,
        );
        check(
            r#"{"time":"t","run":"r","invocation":2,"provider":"p","account":"a","function":"f","operation":"read","kind":"decision","decision":"denied","reason":"why","method":"GET","host":"h:1","path":"/a/{}"}"#,
        );
        check(
            r#"{"time":"t","run":"r","invocation":2,"provider":"p","account":"a","function":"f","kind":"request","rule":"GET /a","method":"GET","host":"h","path":"/a","attempt":1,"status":200,"bytes_sent":0,"bytes_received":12,"ms":0.5}"#,
        );
        check(
            r#"{"time":"t","run":"r","invocation":2,"client":"ci","provider":"p","account":"a","function":"f","kind":"invocation","outcome":"ok","bytes":2,"ms":1.5,"arguments":"00","lost":3}"#,
        );
    }
}
