//! The presence of one extension.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::account::{Extension, find};
use super::{Caller, Failure, RingCentral, timestamp, without_nulls};
use crate::people;
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Field, Kind, Query, field};

const GET: [Field; 2] = [field("detailedTelephonyState", Kind::Boolean), field("sipData", Kind::Boolean)];

pub(super) fn get(rc: &RingCentral, request: &Request, caller: Caller, id: &str) -> Result<Reply, Failure> {
    let query = Query::check(&GET, &request.query)?;
    let extension = find(rc, caller, id)?;
    let mut answer = presence(rc, extension);
    if query.boolean("detailedTelephonyState") == Some(true) && extension.kind == "User" {
        answer["activeCalls"] = json!([active_call(rc, extension)]);
    }
    Ok(Reply::json(200, &answer))
}

/// Only people have a status of their own; a group is always offline.
fn presence(rc: &RingCentral, extension: &Extension) -> Value {
    let mut answer = json!({
        "uri": rc.extension_uri(extension.id, "/presence"),
        "extension": without_nulls(json!({"id": extension.id, "uri": rc.extension_uri(extension.id, ""), "extensionNumber": extension.number})),
        "presenceStatus": if extension.kind == "User" { "Busy" } else { "Offline" },
    });
    if extension.kind == "User" {
        answer["telephonyStatus"] = json!("CallConnected");
        answer["userStatus"] = json!("Available");
        answer["dndStatus"] = json!("TakeAllCalls");
        answer["message"] = json!("At my desk");
        answer["allowSeeMyPresence"] = json!(true);
        answer["ringOnMonitoredCall"] = json!(false);
        answer["pickUpCallsOnHold"] = json!(false);
    }
    answer
}

fn active_call(rc: &RingCentral, extension: &Extension) -> Value {
    let started = OffsetDateTime::now_utc() - Duration::minutes(3);
    json!({
        "id": format!("{}", extension.id * 1_000),
        "direction": "Inbound",
        "from": people::outside(7),
        "fromName": format!("{} {}", people::first(7), people::last(7)),
        "to": rc.direct_number_of(extension.id).unwrap_or_default(),
        "toName": extension.name(),
        "telephonyStatus": "CallConnected",
        "startTime": timestamp(started),
        "sessionId": "290144189004",
        "telephonySessionId": "s-a0d7d5e2e1a64f4",
        "partyId": "p-a0d7d5e2e1a64f4-2",
        "terminationType": "final",
    })
}
