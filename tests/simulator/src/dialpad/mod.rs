//! The Dialpad API v2: routes, credentials, cursors and the error envelope.

mod calls;
mod company;
mod sms;
mod stats;
mod users;

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Query, Violation};
use crate::world::{World, account_of};

/// A cursor that any list accepts as a place after its last record.
const PAST_THE_END: &str = "example_cursor";
const LARGEST_REQUEST: usize = 1_000_000;
/// Kinds of target a call or a text belongs to.
const TARGET_TYPES: [&str; 11] = [
    "callcenter",
    "callrouter",
    "channel",
    "coachinggroup",
    "coachingteam",
    "department",
    "office",
    "room",
    "staffgroup",
    "unknown",
    "user",
];

/// One company's calls, users, texts and exports.
pub(crate) struct Dialpad {
    calls: Vec<calls::Call>,
    users: Vec<users::User>,
    texts: Vec<sms::Text>,
    pub(crate) stats: stats::Stats,
}

impl Dialpad {
    pub(crate) fn new(now: OffsetDateTime) -> Dialpad {
        let users = users::fixture(now);
        let (calls, texts) = (calls::fixture(now, &users), sms::fixture(now, &users));
        Dialpad { calls, users, texts, stats: stats::Stats::default() }
    }

    /// The signed query and the CSV of a finished export.
    pub(crate) fn download(&self, path: &str) -> Option<(&str, String)> {
        self.stats.download(path, &self.texts)
    }
}

/// What Dialpad answers instead of a result.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u16,
    reason: &'static str,
    message: String,
    /// Whether the request broke the documented interface, and how.
    refused: Option<String>,
}

impl Failure {
    /// A well-formed request that cannot be met.
    fn new(status: u16, reason: &'static str, message: impl Into<String>) -> Failure {
        Failure { status, reason, message: message.into(), refused: None }
    }

    /// A malformed request.
    fn bad(message: impl Into<String>) -> Failure {
        let message = message.into();
        Failure { status: 400, reason: "badRequest", refused: Some(message.clone()), message }
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Failure {
        Failure::bad(format!("{} {}", violation.name, violation.why))
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Reply {
        envelope(failure.status, failure.reason, &failure.message).refusing(failure.refused)
    }
}

/// The error envelope of Google's JSON style, which Dialpad answers with.
fn envelope(status: u16, reason: &str, message: &str) -> Reply {
    let detail = json!({"domain": "global", "reason": reason, "message": message});
    Reply::json(status, &json!({"error": {"code": status, "message": message, "errors": [detail]}}))
}

/// A 429 in Dialpad's envelope; the documents name no header for it.
pub(crate) fn rate_limited() -> Reply {
    envelope(429, "rateLimitExceeded", "Rate limit exceeded")
}

/// Answers one request.
pub(crate) fn answer(world: &mut World, request: &Request) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ["api", "v2", rest @ ..] = segments.as_slice() else { return unknown_path(request) };
    let Some(account) = account_of("dialpad", request) else {
        return envelope(401, "required", "A valid API key must be provided.");
    };
    if request.body.len() > LARGEST_REQUEST {
        return Failure::new(413, "uploadTooLarge", "Request is larger than 1 MB").into();
    }
    let result = match (request.method.as_str(), rest) {
        ("GET", ["call"]) => calls::list(&world.dialpad, request),
        ("GET", ["call", id]) => calls::get(&world.dialpad, request, id),
        ("POST", ["sms"]) => sms::send(world, request, account),
        ("GET", ["users"]) => users::list(&world.dialpad, request),
        ("GET", ["users", id]) => users::get(&world.dialpad, request, account, id),
        ("POST", ["stats"]) => stats::start(&mut world.dialpad, request),
        ("GET", ["stats", id]) => stats::poll(&mut world.dialpad, request, &world.urls.exports, id),
        _ => return unknown_path(request),
    };
    result.unwrap_or_else(Reply::from)
}

/// Unlike every other error, plain text.
fn unknown_path(request: &Request) -> Reply {
    let why = format!("unknown operation {} {}", request.method, request.path);
    Reply::new(404, "text/plain; charset=utf-8", format!("Requested URL {} not found", request.path))
        .refusing(Some(why))
}

/// No operation but the two lists takes a query.
fn without_query(request: &Request) -> Result<(), Failure> {
    Query::check(&[], &request.query).map(drop).map_err(Failure::from)
}

/// One page of `records`, from where `cursor` points. Records and cursor are left out when there are none.
fn page<T: Serialize>(records: &[&T], limit: usize, cursor: Option<&str>, filters: &str) -> Result<Reply, Failure> {
    let start = match cursor {
        None => 0,
        Some(PAST_THE_END) => records.len(),
        Some(cursor) => position(cursor, filters)?,
    };
    let end = records.len().min(start.saturating_add(limit));
    let mut answer = serde_json::Map::new();
    if start < end {
        answer.insert("items".to_owned(), json!(records[start..end]));
    }
    if end < records.len() {
        answer.insert("cursor".to_owned(), Value::String(cursor_at(end, filters)));
    }
    Ok(Reply::json(200, &answer))
}

/// Opaque to a client, and tied to the filters it was made for.
fn cursor_at(position: usize, filters: &str) -> String {
    format!("ClsKFQoK{:016x}{position:06x}Eg0=", digest(filters))
}

fn position(cursor: &str, filters: &str) -> Result<usize, Failure> {
    let core = cursor.strip_prefix("ClsKFQoK").and_then(|rest| rest.strip_suffix("Eg0="));
    let (made_for, position) = core.and_then(|core| core.split_at_checked(16)).ok_or_else(invalid_cursor)?;
    if made_for != format!("{:016x}", digest(filters)) {
        return Err(Failure::bad("cursor belongs to a request with other filters"));
    }
    usize::from_str_radix(position, 16).map_err(|_| invalid_cursor())
}

fn invalid_cursor() -> Failure {
    Failure::bad("cursor is invalid")
}

/// FNV-1a.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The query without what may change from page to page.
fn filters(request: &Request) -> String {
    let kept = request.query.iter().filter(|(name, _)| name != "cursor" && name != "limit");
    kept.map(|(name, value)| format!("{name}={value}&")).collect()
}
