//! RingCentral's `/restapi/v1.0`: routes, credentials, rate-limit headers and the error envelope.

mod account;
mod calls;
mod contacts;
mod mailbox;
mod messages;
mod numbers;
mod page;
mod presence;
mod sms;

use serde_json::{Map, Value, json};
use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Query, Violation};
use crate::world::{World, account_of};

/// The one company behind all three tokens.
const ACCOUNT: i64 = 37_439_510;
const TIME: &[FormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// One company's extensions, numbers and call log, and the mailbox and address book that its tokens share.
pub(crate) struct RingCentral {
    base: String,
    extensions: Vec<account::Extension>,
    numbers: Vec<numbers::Number>,
    messages: Vec<mailbox::Message>,
    calls: Vec<calls::Call>,
    contacts: contacts::Contacts,
}

impl RingCentral {
    pub(crate) fn new(base: &str, now: OffsetDateTime) -> RingCentral {
        let extensions = account::fixture(now);
        RingCentral {
            base: base.to_owned(),
            numbers: numbers::fixture(&extensions),
            messages: mailbox::fixture(now),
            calls: calls::fixture(now, &extensions),
            contacts: contacts::fixture(),
            extensions,
        }
    }

    /// The URI of something in the company's account.
    fn account_uri(&self, path: &str) -> String {
        format!("{}/restapi/v1.0/account/{ACCOUNT}{path}", self.base)
    }

    fn extension_uri(&self, extension: i64, path: &str) -> String {
        self.account_uri(&format!("/extension/{extension}{path}"))
    }
}

/// Whose token a request carries.
#[derive(Clone, Copy)]
struct Caller {
    account: &'static str,
    /// What `~` stands for.
    extension: i64,
}

/// What RingCentral answers instead of a result.
#[derive(Debug)]
struct Failure {
    status: u16,
    code: &'static str,
    message: String,
    parameter: Option<(String, String)>,
    /// Whether the request broke the documented interface, and how.
    refused: Option<String>,
}

impl Failure {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Failure {
        Failure { status, code, message: message.into(), parameter: None, refused: None }
    }

    /// A value that is well formed and still not acceptable.
    fn parameter(name: &str, value: &str) -> Failure {
        let parameter = Some((name.to_owned(), value.to_owned()));
        Failure { parameter, ..Failure::new(400, "CMN-101", format!("Parameter [{name}] value is invalid")) }
    }

    fn not_found(name: &str, value: &str) -> Failure {
        let message = format!("Resource for parameter [{name}] is not found");
        Failure { parameter: Some((name.to_owned(), value.to_owned())), ..Failure::new(404, "CMN-102", message) }
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Failure {
        let refused = Some(format!("{} {}", violation.name, violation.why));
        Failure { refused, ..Failure::parameter(&violation.name, &violation.value) }
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Reply {
        let mut detail = Map::new();
        detail.insert("errorCode".to_owned(), json!(failure.code));
        detail.insert("message".to_owned(), json!(failure.message));
        if let Some((name, value)) = failure.parameter {
            detail.insert("parameterName".to_owned(), json!(name));
            detail.insert("parameterValue".to_owned(), json!(value));
        }
        // The documents show only `errors`; the live service repeats the first one at the top.
        let body = json!({"errorCode": failure.code, "message": failure.message, "errors": [detail]});
        Reply::json(failure.status, &body).refusing(failure.refused)
    }
}

/// A 429 as the live service words it.
pub(crate) fn rate_limited(request: &Request) -> Reply {
    let segments = request.segments();
    let below: Vec<&str> = segments.iter().skip(4).map(String::as_str).collect();
    let group = Group::of(&request.method, &below);
    rate_headers(Failure::new(429, "CMN-301", "Request rate exceeded").into(), group, 0)
}

/// The groups that requests are counted in, per user and minute.
#[derive(Clone, Copy)]
enum Group {
    Light,
    Medium,
    Heavy,
}

impl Group {
    fn of(method: &str, segments: &[&str]) -> Group {
        match segments {
            ["phone-number"] | ["call-log", ..] => Group::Heavy,
            ["extension", _, "call-log" | "address-book", ..] => Group::Heavy,
            ["extension"] | ["extension", _, "sms"] => Group::Medium,
            ["extension", _, "message-store", ..] if method != "GET" => Group::Medium,
            _ => Group::Light,
        }
    }

    fn name_and_limit(self) -> (&'static str, u32) {
        match self {
            Group::Light => ("light", 50),
            Group::Medium => ("medium", 40),
            Group::Heavy => ("heavy", 10),
        }
    }
}

fn rate_headers(reply: Reply, group: Group, remaining: u32) -> Reply {
    let (name, limit) = group.name_and_limit();
    reply
        .with_header("x-rate-limit-group", name)
        .with_header("x-rate-limit-limit", limit)
        .with_header("x-rate-limit-remaining", remaining)
        .with_header("x-rate-limit-window", 60)
}

/// Answers one request.
pub(crate) fn answer(world: &mut World, request: &Request) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let caller = match caller(request) {
        Ok(caller) => caller,
        Err(failure) => return failure.into(),
    };
    let ["restapi", "v1.0", "account", account, rest @ ..] = segments.as_slice() else {
        return unknown_path(request).into();
    };
    let result = account_is_known(account).and_then(|()| route(world, request, caller, rest));
    let group = Group::of(&request.method, rest);
    // The limits are stated, and enforced only by a knob: tests would otherwise wait out real minutes.
    rate_headers(result.unwrap_or_else(Reply::from), group, group.name_and_limit().1 - 1)
}

fn caller(request: &Request) -> Result<Caller, Failure> {
    if request.bearer().is_none() {
        return Err(Failure::new(401, "OAU-149", "Unparsable access token"));
    }
    let account =
        account_of("ringcentral", request).ok_or_else(|| Failure::new(401, "OAU-129", "Access token corrupted"))?;
    Ok(Caller { account, extension: account::holder(account) })
}

fn account_is_known(account: &str) -> Result<(), Failure> {
    if account == "~" || account == ACCOUNT.to_string() {
        Ok(())
    } else {
        Err(Failure::not_found("accountId", account))
    }
}

fn unknown_path(request: &Request) -> Failure {
    let why = format!("unknown operation {} {}", request.method, request.path);
    Failure { refused: Some(why), ..Failure::new(404, "CMN-102", "Resource is not found") }
}

fn route(world: &mut World, request: &Request, caller: Caller, segments: &[&str]) -> Result<Reply, Failure> {
    let rc = &mut world.ringcentral;
    match (request.method.as_str(), segments) {
        ("GET", []) => account::get(rc, request),
        ("GET", ["extension"]) => account::list_extensions(rc, request),
        ("GET", ["extension", id]) => account::get_extension(rc, request, caller, id),
        ("GET", ["extension", id, "presence"]) => presence::get(rc, request, caller, id),
        ("GET", ["phone-number"]) => numbers::list_account(rc, request),
        ("GET", ["call-log"]) => calls::list_account(rc, request),
        (_, ["extension", id, rest @ ..]) => {
            own_extension(caller, id)?;
            route_own(world, request, caller, rest)
        }
        _ => Err(unknown_path(request)),
    }
}

/// Mailbox, address book and call log are those of the token's own extension.
fn route_own(world: &mut World, request: &Request, caller: Caller, segments: &[&str]) -> Result<Reply, Failure> {
    let rc = &mut world.ringcentral;
    match (request.method.as_str(), segments) {
        ("GET", ["phone-number"]) => numbers::list_own(rc, request, caller),
        ("GET", ["message-store"]) => messages::list(rc, request, caller),
        ("DELETE", ["message-store"] | ["message-store", ""]) => messages::delete_all(rc, request),
        ("GET", ["message-store", ids]) => messages::get(rc, request, caller, ids),
        ("PUT", ["message-store", ids]) => messages::put(rc, request, caller, ids),
        ("PATCH", ["message-store", ids]) => messages::patch(rc, request, caller, ids),
        ("DELETE", ["message-store", ids]) => messages::delete(rc, request, ids),
        ("POST", ["sms"]) => sms::send(world, request, caller),
        ("GET", ["call-log"]) => calls::list_own(rc, request, caller),
        ("GET", ["call-log", ids]) => calls::get(rc, request, caller, ids),
        ("GET", ["address-book", "contact"]) => contacts::list(rc, request, caller),
        ("POST", ["address-book", "contact"]) => contacts::create(rc, request, caller),
        ("GET", ["address-book", "contact", id]) => contacts::get(rc, request, caller, id),
        ("PUT", ["address-book", "contact", id]) => contacts::replace(rc, request, caller, id),
        ("PATCH", ["address-book", "contact", id]) => contacts::change(rc, request, caller, id),
        ("DELETE", ["address-book", "contact", id]) => contacts::delete(rc, request, id),
        _ => Err(unknown_path(request)),
    }
}

fn own_extension(caller: Caller, id: &str) -> Result<(), Failure> {
    if id == "~" || id == caller.extension.to_string() {
        return Ok(());
    }
    Err(Failure::new(403, "CMN-404", "Operation is not allowed for the other extension"))
}

/// Refuses a query on an operation that takes none.
fn without_query(request: &Request) -> Result<(), Failure> {
    Query::check(&[], &request.query).map(drop).map_err(Failure::from)
}

/// Refuses a body that does not say it is JSON.
fn json_body(request: &Request) -> Result<&str, Failure> {
    let content_type = request.header("content-type").unwrap_or_default();
    if content_type.starts_with("application/json") {
        return Ok(&request.body);
    }
    let refused = Some(format!("a body of type {content_type:?}"));
    Err(Failure { status: 415, refused, ..Failure::parameter("Content-Type", content_type) })
}

/// Whether a moment lies in the window that a query asks for: the 24 hours before `dateTo` unless `dateFrom` is given.
fn in_window(query: &Query, moment: OffsetDateTime) -> bool {
    let to = query.time("dateTo").unwrap_or_else(OffsetDateTime::now_utc);
    let from = query.time("dateFrom").unwrap_or(to - Duration::hours(24));
    (from..=to).contains(&moment)
}

fn timestamp(time: OffsetDateTime) -> String {
    time.format(TIME).unwrap_or_default()
}

/// Drops members that are null: RingCentral leaves out what it does not know.
fn without_nulls(mut record: Value) -> Value {
    if let Value::Object(map) = &mut record {
        map.retain(|_, value| !value.is_null());
    }
    record
}
