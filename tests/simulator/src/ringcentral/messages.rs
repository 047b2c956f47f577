//! The operations of the message store.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::account::PAGE_NUMBER;
use super::mailbox::{Availability, Message, record, single};
use super::page::{Page, Totals};
use super::{Caller, Failure, RingCentral, json_body, without_query};
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Field, Kind, Query, Violation, field, object, repeated, required};

const BULK_TYPE: &str = "application/vnd.ringcentral.multipart+json";
const MOST_IDS: usize = 50;

const AVAILABILITIES: [&str; 3] = ["Alive", "Deleted", "Purged"];
const DIRECTIONS: [&str; 2] = ["Inbound", "Outbound"];
const TYPES: [&str; 4] = ["Fax", "SMS", "VoiceMail", "Pager"];
const DELETABLE: [&str; 6] = ["Fax", "SMS", "VoiceMail", "Pager", "Text", "All"];
const READ: [&str; 2] = ["Read", "Unread"];
const LIST: [Field; 14] = [
    field("owner", Kind::Text),
    repeated("availability", Kind::Choice(&AVAILABILITIES)),
    field("conversationId", Kind::Text),
    field("dateFrom", Kind::DateTime),
    field("dateTo", Kind::DateTime),
    repeated("direction", Kind::Choice(&DIRECTIONS)),
    field("distinctConversations", Kind::Boolean),
    repeated("messageType", Kind::Choice(&TYPES)),
    repeated("readStatus", Kind::Choice(&READ)),
    field("page", PAGE_NUMBER),
    field("perPage", PAGE_NUMBER),
    field("phoneNumber", Kind::Text),
    repeated("voicemailOwner", Kind::Text),
    repeated("ownerExtensionType", Kind::Text),
];
const DELETE: [Field; 2] = [field("purge", Kind::Boolean), field("type", Kind::Choice(&DELETABLE))];
const PUT: [Field; 1] = [required("readStatus", Kind::Choice(&READ))];
const PATCH: [Field; 2] =
    [field("readStatus", Kind::Choice(&READ)), field("availability", Kind::Choice(&AVAILABILITIES))];

pub(super) fn list(rc: &RingCentral, request: &Request, caller: Caller) -> Result<Reply, Failure> {
    let query = Query::check(&LIST, &request.query)?;
    let mut matching: Vec<&Message> = rc.messages.iter().filter(|message| passes(message, &query)).collect();
    if query.boolean("distinctConversations") == Some(true) {
        let mut seen = HashSet::new();
        matching.retain(|message| seen.insert(message.conversation));
    }
    let page = Page::of(request, &query, Totals::Told);
    Ok(Reply::json(200, &page.answer(rc, &matching, |message| record(rc, caller, message))))
}

fn passes(message: &Message, query: &Query) -> bool {
    let availability = message.availability;
    let available = match query.text("availability") {
        None => availability == Availability::Alive,
        Some(_) => query.admits("availability", availability.name()),
    };
    let party_fits = query
        .text("phoneNumber")
        .is_none_or(|number| message.from == number || message.to.iter().any(|to| to == number));
    let conversation_fits = query.text("conversationId").is_none_or(|id| id == message.conversation.to_string());
    available
        && party_fits
        && conversation_fits
        && super::in_window(query, message.created)
        && query.admits("direction", message.direction)
        && query.admits("messageType", message.kind)
        && query.admits("readStatus", if message.read { "Read" } else { "Unread" })
}

/// Positions of the messages that a path names; unknown and purged ones are not found.
fn positions(rc: &RingCentral, ids: &str) -> Result<Vec<usize>, Failure> {
    let ids: Vec<&str> = ids.split(',').collect();
    if ids.len() > MOST_IDS {
        return Err(Violation::new("messageId", ids.len(), "may list at most 50 ids").into());
    }
    ids.into_iter().map(|id| position(rc, id)).collect()
}

fn position(rc: &RingCentral, id: &str) -> Result<usize, Failure> {
    let wanted = id.parse::<i64>().ok();
    let found = rc.messages.iter().position(|message| Some(message.id) == wanted);
    found
        .filter(|&at| rc.messages[at].availability != Availability::Purged)
        .ok_or_else(|| Failure::not_found("messageId", id))
}

/// One message plainly, several as one part each.
fn answer(rc: &RingCentral, found: &[usize], render: impl Fn(&Message) -> Value) -> Reply {
    if let [only] = found {
        return Reply::json(200, &render(&rc.messages[*only]));
    }
    let parts = found
        .iter()
        .map(|&at| &rc.messages[at])
        .map(|message| json!({"resourceId": message.id.to_string(), "status": 200, "body": render(message)}));
    Reply::new(207, BULK_TYPE, Value::Array(parts.collect()).to_string())
}

pub(super) fn get(rc: &RingCentral, request: &Request, caller: Caller, ids: &str) -> Result<Reply, Failure> {
    without_query(request)?;
    let found = positions(rc, ids)?;
    Ok(answer(rc, &found, |message| single(rc, caller, message)))
}

pub(super) fn put(rc: &mut RingCentral, request: &Request, caller: Caller, ids: &str) -> Result<Reply, Failure> {
    update(rc, request, caller, ids, &PUT)
}

pub(super) fn patch(rc: &mut RingCentral, request: &Request, caller: Caller, ids: &str) -> Result<Reply, Failure> {
    update(rc, request, caller, ids, &PATCH)
}

fn update(
    rc: &mut RingCentral,
    request: &Request,
    caller: Caller,
    ids: &str,
    fields: &[Field],
) -> Result<Reply, Failure> {
    without_query(request)?;
    let change = object(fields, json_body(request)?, false)?;
    let found = positions(rc, ids)?;
    for &at in &found {
        apply(&mut rc.messages[at], &change)?;
    }
    Ok(answer(rc, &found, |message| record(rc, caller, message)))
}

fn apply(message: &mut Message, change: &Map<String, Value>) -> Result<(), Failure> {
    let text = |name: &str| change.get(name).and_then(Value::as_str);
    match text("availability") {
        None => {}
        Some("Alive") => message.availability = Availability::Alive,
        // Patching restores; deleting is DELETE's business.
        Some(other) => return Err(Failure::parameter("availability", other)),
    }
    if let Some(status) = text("readStatus") {
        message.read = status == "Read";
    }
    message.modified = OffsetDateTime::now_utc();
    Ok(())
}

pub(super) fn delete(rc: &mut RingCentral, request: &Request, ids: &str) -> Result<Reply, Failure> {
    let query = Query::check(&DELETE, &request.query)?;
    let listed = if ids == "*" { ids_in_body(request)? } else { ids.to_owned() };
    let found = positions(rc, &listed)?;
    remove(rc, &query, |at, _| found.contains(&at));
    Ok(Reply::empty(204))
}

/// As documented, and the reason why an id is never optional for a client: without ids, everything goes.
pub(super) fn delete_all(rc: &mut RingCentral, request: &Request) -> Result<Reply, Failure> {
    let query = Query::check(&DELETE, &request.query)?;
    remove(rc, &query, |_, message| message.availability != Availability::Purged);
    Ok(Reply::empty(204))
}

fn remove(rc: &mut RingCentral, query: &Query, chosen: impl Fn(usize, &Message) -> bool) {
    let purge = query.boolean("purge") == Some(true);
    let kind = query.text("type").filter(|kind| *kind != "All");
    for (at, message) in rc.messages.iter_mut().enumerate() {
        if chosen(at, message) && kind.is_none_or(|kind| kind == message.kind) {
            message.availability = message.availability.after_delete(purge);
        }
    }
}

/// The ids of a bulk deletion, which names its path `*`.
fn ids_in_body(request: &Request) -> Result<String, Failure> {
    let ids: Vec<String> = serde_json::from_str(json_body(request)?)
        .map_err(|error| Violation::new("body", &request.body, format!("must be an array of ids: {error}")))?;
    if ids.is_empty() {
        Err(Violation::new("body", "[]", "must list at least one id").into())
    } else {
        Ok(ids.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &[(&str, &str)]) -> Request {
        Request {
            method: "DELETE".to_owned(),
            path: String::new(),
            query: query.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            raw_query: None,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    #[track_caller]
    fn check(query: &[(&str, &str)], deletions: usize, expected: Availability) {
        let mut rc = RingCentral::new("http://127.0.0.1:1", OffsetDateTime::now_utc());
        for _ in 0..deletions {
            assert_eq!(delete_all(&mut rc, &request(query)).expect("the query is legal").status, 204);
        }
        assert!(rc.messages.iter().all(|message| message.availability == expected));
    }

    /// Tested here and not over HTTP: no recorded request of any client may look like this.
    #[test]
    fn a_deletion_without_ids_takes_the_whole_mailbox() {
        check(&[], 0, Availability::Alive);
        check(&[], 1, Availability::Deleted);
        check(&[], 2, Availability::Purged);
        check(&[("purge", "true")], 1, Availability::Purged);
    }
}
