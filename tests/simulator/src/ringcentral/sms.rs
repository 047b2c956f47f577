//! `POST …/sms`.

use serde_json::{Map, Value};

use super::{Caller, Failure, json_body, without_query};
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Field, Kind, field, object, required};
use crate::world::{SentSms, World};

const LONGEST_TEXT: usize = 1000;
const PARTY: [Field; 1] = [required("phoneNumber", Kind::Text)];
const COUNTRY: [Field; 2] = [field("id", Kind::Text), field("isoCode", Kind::Text)];
const SMS: [Field; 4] = [
    required("from", Kind::Object(&PARTY)),
    required("to", Kind::List(&Kind::Object(&PARTY))),
    required("text", Kind::Short(LONGEST_TEXT)),
    field("country", Kind::Object(&COUNTRY)),
];

pub(super) fn send(world: &mut World, request: &Request, caller: Caller) -> Result<Reply, Failure> {
    without_query(request)?;
    let sms = object(&SMS, json_body(request)?, false)?;
    let from = number(sms.get("from")).to_owned();
    let to = recipients(&sms)?;
    let text = sms.get("text").and_then(Value::as_str).unwrap_or_default();
    if !world.ringcentral.may_text_from(caller.extension, &from) {
        return Err(Failure::new(403, "MSG-304", "Phone number doesn't belong to extension"));
    }
    let id = world.ringcentral.add_sms(&from, to.clone(), text);
    let answer = world.ringcentral.message_record(caller, id).map(without_mailbox_members);
    world.sent.push(SentSms {
        provider: "ringcentral".to_owned(),
        account: caller.account.to_owned(),
        id: id.to_string(),
        from,
        to,
        text: text.to_owned(),
    });
    Ok(Reply::json(200, &answer))
}

/// The answer to sending has no `extensionId`, which the message store adds.
fn without_mailbox_members(mut record: Value) -> Value {
    if let Value::Object(map) = &mut record {
        map.remove("extensionId");
    }
    record
}

fn recipients(sms: &Map<String, Value>) -> Result<Vec<String>, Failure> {
    let to = sms.get("to").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let numbers: Vec<String> = to.iter().map(|party| number(Some(party)).to_owned()).collect();
    match numbers.iter().find(|number| !is_dialable(number)) {
        Some(number) => Err(Failure::parameter("to.phoneNumber", number)),
        None if numbers.is_empty() => Err(Failure::parameter("to", "[]")),
        None => Ok(numbers),
    }
}

fn number(party: Option<&Value>) -> &str {
    party.and_then(|party| party["phoneNumber"].as_str()).unwrap_or_default()
}

/// An international number, a national one, or a short code.
fn is_dialable(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
