//! `GET /api/v2/call` and `GET /api/v2/call/{id}`.

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::company::{OFFICE, OFFICE_NUMBER};
use super::users::User;
use super::{Dialpad, Failure, TARGET_TYPES};
use crate::people;
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Kind, Query, field};

const COUNT: usize = 160;
const PAGE: i64 = 25;
const LARGEST_PAGE: i64 = 50;
const LONGEST_SPAN_MS: i64 = 30 * 24 * 3_600_000;
const MOMENT: Kind = Kind::Integer { min: 0, max: i64::MAX };
const LIST: [crate::shape::Field; 6] = [
    field("cursor", Kind::Text),
    field("limit", Kind::Integer { min: 1, max: LARGEST_PAGE }),
    field("started_after", MOMENT),
    field("started_before", MOMENT),
    field("target_id", Kind::Id),
    field("target_type", Kind::Choice(&TARGET_TYPES)),
];

/// One concluded call, with what the handlers search by beside the vendor's own record.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Call {
    record: Value,
    #[serde(skip)]
    id: String,
    #[serde(skip)]
    started: i64,
    #[serde(skip)]
    target: String,
}

/// Newest first.
pub(super) fn fixture(now: OffsetDateTime, users: &[User]) -> Vec<Call> {
    (0..COUNT).map(|index| call(now, index, &users[index % users.len()])).collect()
}

fn call(now: OffsetDateTime, index: usize, user: &User) -> Call {
    let (id, started) = (id(index), people::millis(people::moment(now, index, COUNT)));
    let (rang, talked) = (4_000 + (index as i64 * 311) % 9_000, duration(index));
    let answered = talked > 0;
    let outside = if index == 4 { "+14155551234".to_owned() } else { people::outside(index) };
    let mut record = json!({
        "call_id": id,
        "contact": {"email": "", "id": format!("contact-{index}"), "name": contact_name(index), "phone": outside, "type": "local"},
        "date_connected": if answered { json!((started + rang).to_string()) } else { Value::Null },
        "date_ended": (started + rang + talked).to_string(),
        "date_rang": started.to_string(),
        "date_started": started.to_string(),
        "direction": direction(index),
        "duration": talked as f64,
        "entry_point_target": {"email": "", "id": OFFICE, "name": "Main office", "phone": OFFICE_NUMBER, "type": "office"},
        "event_timestamp": (started + rang + talked).to_string(),
        "external_number": outside,
        "group_id": format!("Office:{OFFICE}"),
        "internal_number": user.number,
        "is_transferred": index % 12 == 7,
        "labels": [],
        "mos_score": if answered { json!(4.32) } else { Value::Null },
        "proxy_target": {},
        "state": if answered { "hangup" } else { "missed" },
        "target": {"email": user.email.as_deref().unwrap_or_default(), "id": user.id, "name": user.name, "phone": user.number, "type": "user"},
        "total_duration": (rang + talked) as f64,
        "was_recorded": recorded(index),
    });
    if recorded(index) {
        add_recording(&mut record, &id, started + rang, talked);
    }
    Call { record, id, started, target: user.id.clone() }
}

fn id(index: usize) -> String {
    match index {
        4 => "call_abc123".to_owned(),
        _ => (6_124_309_871_150_080 - index as i64 * 104_729).to_string(),
    }
}

/// Dialpad leaves the direction of a few calls open.
fn direction(index: usize) -> Option<&'static str> {
    match index % 20 {
        7 => None,
        even if even % 2 == 0 => Some("inbound"),
        _ => Some("outbound"),
    }
}

/// Every ninth call was missed.
fn duration(index: usize) -> i64 {
    if index % 9 == 8 { 0 } else { 30_000 + (index as i64 * 7_321) % 900_000 }
}

fn contact_name(index: usize) -> String {
    format!("{} {}", people::first(index * 3 + 1), people::last(index * 5 + 2))
}

fn recorded(index: usize) -> bool {
    index % 10 == 4 && duration(index) > 0
}

fn add_recording(record: &mut Value, id: &str, start: i64, talked: i64) {
    let share = format!("https://dialpad.com/shared/call/{id}");
    record["recording_details"] = json!([{
        "duration": talked.to_string(),
        "id": format!("rec-{id}"),
        "recording_type": "callrecording",
        "start_time": start.to_string(),
        "url": format!("https://dialpad.com/blob/callrecording/{id}.mp3"),
    }]);
    record["call_recording_share_links"] = json!([share]);
}

pub(super) fn list(dialpad: &Dialpad, request: &Request) -> Result<Reply, Failure> {
    let query = Query::check(&LIST, &request.query)?;
    let (after, before) = (query.integer("started_after"), query.integer("started_before"));
    check_span(after, before)?;
    let limit = query.integer("limit").unwrap_or(PAGE);
    let calls: Vec<&Call> = dialpad.calls.iter().filter(|call| passes(call, &query, after, before)).collect();
    super::page(&calls, limit as usize, query.text("cursor"), &super::filters(request))
}

/// The service refuses windows of thirty days and more; an open end is now.
fn check_span(after: Option<i64>, before: Option<i64>) -> Result<(), Failure> {
    let Some(after) = after else { return Ok(()) };
    let before = before.unwrap_or_else(|| people::millis(OffsetDateTime::now_utc()));
    if before.saturating_sub(after) >= LONGEST_SPAN_MS {
        return Err(Failure::new(400, "badRequest", "The time range must be less than 30 days"));
    }
    Ok(())
}

fn passes(call: &Call, query: &Query, after: Option<i64>, before: Option<i64>) -> bool {
    let in_window = after.is_none_or(|after| call.started > after) && before.is_none_or(|before| call.started < before);
    let target_fits = query.text("target_id").is_none_or(|id| id == call.target);
    let type_fits = query.text("target_type").is_none_or(|kind| kind == "user");
    in_window && target_fits && type_fits
}

pub(super) fn get(dialpad: &Dialpad, request: &Request, id: &str) -> Result<Reply, Failure> {
    super::without_query(request)?;
    let call = dialpad.calls.iter().find(|call| call.id == id);
    call.map(|call| Reply::json(200, call)).ok_or_else(|| Failure::new(404, "notFound", "Call not found"))
}
