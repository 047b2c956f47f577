//! The call logs of the account and of one extension.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::account::{Extension, PAGE_NUMBER};
use super::page::{Page, Totals};
use super::{Caller, Failure, RingCentral, timestamp, without_nulls};
use crate::people;
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Field, Kind, Query, Violation, field, repeated};

const COUNT: usize = 240;
/// Position and id of the record that the functions' examples speak of.
const KNOWN: (usize, &str) = (1, "SHbTMZ4vKhRtUxA");
const MOST_IDS: usize = 50;
const DIRECTIONS: [&str; 2] = ["Inbound", "Outbound"];
const TYPES: [&str; 2] = ["Voice", "Fax"];
const TRANSPORTS: [&str; 2] = ["PSTN", "VoIP"];
const VIEWS: [&str; 2] = ["Simple", "Detailed"];
const RECORDINGS: [&str; 3] = ["Automatic", "OnDemand", "All"];
const GET: [Field; 1] = [field("view", Kind::Choice(&VIEWS))];
const LIST_ACCOUNT: [Field; 15] = [
    field("extensionNumber", Kind::Text),
    field("phoneNumber", Kind::Text),
    repeated("direction", Kind::Choice(&DIRECTIONS)),
    repeated("type", Kind::Choice(&TYPES)),
    field("view", Kind::Choice(&VIEWS)),
    field("withRecording", Kind::Boolean),
    field("recordingType", Kind::Choice(&RECORDINGS)),
    field("dateFrom", Kind::DateTime),
    field("dateTo", Kind::DateTime),
    field("sessionId", Kind::Text),
    field("telephonySessionId", Kind::Text),
    repeated("metadataCategory", Kind::Text),
    field("perPage", Kind::PageSize),
    field("page", PAGE_NUMBER),
    field("showDeleted", Kind::Boolean),
];
const ONLY_OWN: [Field; 2] = [field("showBlocked", Kind::Boolean), repeated("transport", Kind::Choice(&TRANSPORTS))];

/// One record of the log.
pub(super) struct Call {
    id: String,
    session: String,
    telephony_session: String,
    extension: i64,
    extension_number: String,
    direction: &'static str,
    kind: &'static str,
    transport: &'static str,
    result: &'static str,
    started: OffsetDateTime,
    milliseconds: i64,
    /// The number outside the company.
    outside: String,
    /// The company's own number; internal numbers are not always told.
    inside: Option<String>,
    name: String,
    recorded: bool,
}

/// Newest first. Three fifths belong to the account `default`, the rest to the next extensions.
pub(super) fn fixture(now: OffsetDateTime, extensions: &[Extension]) -> Vec<Call> {
    (0..COUNT).map(|index| call(now, index, &extensions[owner(index)])).collect()
}

fn owner(index: usize) -> usize {
    match index % 10 {
        0..6 => 0,
        6 | 7 => 1,
        8 => 2,
        _ => 3,
    }
}

fn call(now: OffsetDateTime, index: usize, extension: &Extension) -> Call {
    let fax = index % 16 == 11;
    let result = result(index, fax);
    Call {
        id: if index == KNOWN.0 { KNOWN.1.to_owned() } else { format!("JpKh1CoEBQ{index:05}-KU_A") },
        session: (290_144_189_004 - index as i64 * 97).to_string(),
        telephony_session: format!("s-a0d7d5e2e1a64f{index:04x}"),
        extension: extension.id,
        extension_number: extension.number.clone().unwrap_or_default(),
        direction: if index.is_multiple_of(2) { "Inbound" } else { "Outbound" },
        kind: if fax { "Fax" } else { "Voice" },
        transport: if index % 5 == 3 { "VoIP" } else { "PSTN" },
        result,
        started: people::moment(now, index, COUNT),
        milliseconds: if result == "Missed" { 0 } else { 12_345 + (index as i64 * 7_321) % 1_800_000 },
        outside: if index == 6 { "+16505559876".to_owned() } else { people::outside(index % 40) },
        inside: (index % 13 != 12).then(|| format!("+1650555{:04}", 1234 + owner(index))),
        name: extension.name(),
        recorded: !fax && index % 6 == 2 && result != "Missed",
    }
}

fn result(index: usize, fax: bool) -> &'static str {
    match (index % 2, index % 8) {
        _ if fax => "Sent",
        (0, 4) => "Missed",
        (0, 6) => "Voicemail",
        (0, _) => "Accepted",
        _ => "Call connected",
    }
}

fn record(rc: &RingCentral, call: &Call, detailed: bool) -> Value {
    let uri = rc.extension_uri(call.extension, &format!("/call-log/{}", call.id));
    let mut record = essentials(rc, call);
    record["id"] = json!(call.id);
    record["uri"] = json!(uri);
    record["sessionId"] = json!(call.session);
    if detailed {
        let mut leg = essentials(rc, call);
        leg["legType"] = json!("Accept");
        leg["master"] = json!(true);
        record["legs"] = json!([leg]);
        record["lastModifiedTime"] = json!(timestamp(call.started + Duration::milliseconds(call.milliseconds)));
    }
    record
}

/// What a record and each of its legs say alike.
fn essentials(rc: &RingCentral, call: &Call) -> Value {
    let outside = json!({"phoneNumber": call.outside, "location": "New York, NY"});
    let inside = without_nulls(
        json!({"phoneNumber": call.inside, "extensionNumber": call.extension_number, "extensionId": call.extension.to_string(), "name": call.name}),
    );
    let (from, to) = if call.direction == "Inbound" { (outside, inside) } else { (inside, outside) };
    without_nulls(json!({
        "telephonySessionId": call.telephony_session,
        "startTime": timestamp(call.started),
        "duration": call.milliseconds / 1000,
        "durationMs": call.milliseconds,
        "type": call.kind,
        "internalType": "LongDistance",
        "direction": call.direction,
        "action": action(call),
        "result": call.result,
        "transport": call.transport,
        "extension": {"id": call.extension, "uri": rc.extension_uri(call.extension, "")},
        "from": from,
        "to": to,
        "recording": call.recorded.then(|| recording(rc, call)),
    }))
}

fn action(call: &Call) -> &'static str {
    match (call.kind, call.direction) {
        ("Fax", "Inbound") => "Incoming Fax",
        ("Fax", _) => "Outgoing Fax",
        (_, "Inbound") => "Phone Call",
        _ => "VoIP Call",
    }
}

fn recording(rc: &RingCentral, call: &Call) -> Value {
    let uri = rc.account_uri(&format!("/recording/{}", call.session));
    json!({"id": call.session, "uri": uri, "type": "Automatic", "contentUri": format!("{uri}/content")})
}

pub(super) fn list_account(rc: &RingCentral, request: &Request) -> Result<Reply, Failure> {
    list(rc, request, &LIST_ACCOUNT, |_| true)
}

pub(super) fn list_own(rc: &RingCentral, request: &Request, caller: Caller) -> Result<Reply, Failure> {
    let fields: Vec<Field> = LIST_ACCOUNT.into_iter().chain(ONLY_OWN).collect();
    list(rc, request, &fields, |call| call.extension == caller.extension)
}

fn list(
    rc: &RingCentral,
    request: &Request,
    fields: &[Field],
    visible: impl Fn(&Call) -> bool,
) -> Result<Reply, Failure> {
    let query = Query::check(fields, &request.query)?;
    check_party(&query)?;
    let detailed = query.text("view") == Some("Detailed");
    let matching: Vec<&Call> = rc.calls.iter().filter(|call| visible(call) && passes(call, &query)).collect();
    let page = Page::of(request, &query, Totals::Untold);
    Ok(Reply::json(200, &page.answer(rc, &matching, |call| record(rc, call, detailed))))
}

/// A number is written without its plus, and does not go with an extension.
fn check_party(query: &Query) -> Result<(), Failure> {
    let Some(number) = query.text("phoneNumber") else { return Ok(()) };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Violation::new("phoneNumber", number, "must be in E.164 format without a '+'").into());
    }
    if let Some(extension) = query.text("extensionNumber") {
        return Err(Violation::new("extensionNumber", extension, "cannot be combined with phoneNumber").into());
    }
    Ok(())
}

fn passes(call: &Call, query: &Query) -> bool {
    let equals = |name: &str, value: &str| query.text(name).is_none_or(|wanted| wanted == value);
    let party_fits = query.text("phoneNumber").is_none_or(|number| {
        is(number, &call.outside) || call.inside.as_deref().is_some_and(|inside| is(number, inside))
    });
    party_fits
        && equals("extensionNumber", &call.extension_number)
        && equals("sessionId", &call.session)
        && equals("telephonySessionId", &call.telephony_session)
        && recording_fits(call, query)
        && super::in_window(query, call.started)
        && query.admits("direction", call.direction)
        && query.admits("type", call.kind)
        && query.admits("transport", call.transport)
}

fn is(digits: &str, number: &str) -> bool {
    number.strip_prefix('+') == Some(digits)
}

/// `recordingType` outranks the older `withRecording`.
fn recording_fits(call: &Call, query: &Query) -> bool {
    match (query.text("recordingType"), query.boolean("withRecording")) {
        (Some("OnDemand"), _) => false,
        (Some(_), _) | (None, Some(true)) => call.recorded,
        _ => true,
    }
}

pub(super) fn get(rc: &RingCentral, request: &Request, caller: Caller, ids: &str) -> Result<Reply, Failure> {
    let query = Query::check(&GET, &request.query)?;
    let detailed = query.text("view") == Some("Detailed");
    let ids: Vec<&str> = ids.split(',').collect();
    if ids.len() > MOST_IDS {
        return Err(Violation::new("callRecordId", ids.len(), "may list at most 50 ids").into());
    }
    let records: Result<Vec<Value>, Failure> =
        ids.iter().map(|id| find(rc, caller, id).map(|call| record(rc, call, detailed))).collect();
    match records?.as_slice() {
        [only] => Ok(Reply::json(200, only)),
        several => Ok(multipart(several)),
    }
}

fn find<'a>(rc: &'a RingCentral, caller: Caller, id: &str) -> Result<&'a Call, Failure> {
    let found = rc.calls.iter().find(|call| call.id == id && call.extension == caller.extension);
    found.ok_or_else(|| Failure::not_found("callRecordId", id))
}

/// One part with every status, then one part per record.
fn multipart(records: &[Value]) -> Reply {
    let statuses =
        records.iter().map(|record| json!({"href": record["uri"], "status": 200, "responseDescription": "OK"}));
    let head = json!({"response": statuses.collect::<Vec<_>>()});
    let parts = std::iter::once(&head).chain(records);
    let body: String =
        parts.map(|part| format!("--Boundary_1\r\nContent-Type: application/json\r\n\r\n{part}\r\n")).collect();
    Reply::new(207, "multipart/mixed; boundary=Boundary_1", format!("{body}--Boundary_1--\r\n"))
}
