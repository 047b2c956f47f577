//! `POST /api/v2/sms`, and the texts that an export lists.

use serde_json::{Map, Value, json};
use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::company::{DEPARTMENT, DEPARTMENT_NUMBER};
use super::users::User;
use super::{Dialpad, Failure};
use crate::people;
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Field, Kind, field, is_e164, object};
use crate::world::{SentSms, World};

const COUNT: usize = 145;
const MOST_RECIPIENTS: usize = 10;
const GROUPS: [&str; 3] = ["callcenter", "department", "office"];
const MESSAGE: [Field; 9] = [
    field("channel_hashtag", Kind::Text),
    field("from_number", Kind::Text),
    field("infer_country_code", Kind::Boolean),
    field("media", Kind::Text),
    field("sender_group_id", Kind::Id),
    field("sender_group_type", Kind::Choice(&GROUPS)),
    field("text", Kind::Text),
    field("to_numbers", Kind::List(&Kind::Text)),
    field("user_id", Kind::Id),
];
const STAMP: &[FormatItem<'static>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second].[subsecond digits:6]");
const CREATED: &[FormatItem<'static>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// One text message of the company.
#[derive(Clone)]
pub(super) struct Text {
    id: String,
    at: OffsetDateTime,
    user: String,
    name: String,
    email: String,
    target: (&'static str, String),
    direction: &'static str,
    to: String,
    from: String,
    text: String,
}

impl Text {
    pub(super) fn date(&self) -> Date {
        self.at.date()
    }

    /// The cells of an export's row, in the order of its header.
    pub(super) fn cells(&self) -> [String; 14] {
        [
            self.at.format(STAMP).unwrap_or_default(),
            self.id.clone(),
            self.name.clone(),
            self.email.clone(),
            self.target.0.to_owned(),
            self.target.1.clone(),
            if self.direction == "inbound" { String::new() } else { self.user.clone() },
            self.direction.to_owned(),
            self.to.clone(),
            self.from.clone(),
            self.text.clone(),
            String::new(),
            String::new(),
            "UTC".to_owned(),
        ]
    }
}

/// Newest first.
pub(super) fn fixture(now: OffsetDateTime, users: &[User]) -> Vec<Text> {
    (0..COUNT).map(|index| text(now, index, &users[index % users.len()])).collect()
}

fn text(now: OffsetDateTime, index: usize, user: &User) -> Text {
    let outside = people::outside(index);
    let (direction, from, to) = match index % 3 {
        0 => ("inbound", outside, user.number.clone()),
        1 => ("outbound", user.number.clone(), outside),
        _ => ("internal", user.number.clone(), DEPARTMENT_NUMBER.to_owned()),
    };
    // Companies without the export of contents get the rows with an empty text.
    let text = if index % 7 == 6 { "" } else { people::text(index) };
    Text {
        id: (7_340_012_345_670_144 - index as i64 * 15_485_863).to_string(),
        at: people::moment(now, index, COUNT),
        direction,
        to,
        from,
        text: text.to_owned(),
        ..from_user(now, user)
    }
}

fn from_user(now: OffsetDateTime, user: &User) -> Text {
    Text {
        id: String::new(),
        at: now,
        user: user.id.clone(),
        name: user.name.clone(),
        email: user.email.clone().unwrap_or_default(),
        target: ("user", user.id.clone()),
        direction: "outbound",
        to: String::new(),
        from: user.number.clone(),
        text: String::new(),
    }
}

pub(super) fn send(world: &mut World, request: &Request, account: &'static str) -> Result<Reply, Failure> {
    super::without_query(request)?;
    let message = object(&MESSAGE, &request.body, true)?;
    let to = recipients(&message)?;
    let text = string(&message, "text").unwrap_or_default().to_owned();
    if text.is_empty() && string(&message, "media").is_none() {
        return Err(Failure::bad("text or media is required"));
    }
    let id = (7_340_012_345_680_000 + world.sent.len() as i64 * 1_009).to_string();
    let sent = Text { id, text, ..sender(&world.dialpad, &message, account)? };
    let reply = Reply::json(200, &accepted(&sent, &to));
    world.sent.push(receipt(&sent, account, &to));
    let copies = to.into_iter().map(|to| Text { to, ..sent.clone() });
    world.dialpad.texts.splice(0..0, copies);
    Ok(reply)
}

fn string<'a>(message: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    message.get(name)?.as_str()
}

/// An id, whether it came as a number or as its digits.
fn id_of(message: &Map<String, Value>, name: &str) -> Option<String> {
    match message.get(name)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(digits) => Some(digits.clone()),
        _ => None,
    }
}

fn recipients(message: &Map<String, Value>) -> Result<Vec<String>, Failure> {
    let numbers = message.get("to_numbers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let numbers: Vec<String> = numbers.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let relaxed = message.get("infer_country_code") == Some(&Value::Bool(true));
    if numbers.is_empty() || numbers.len() > MOST_RECIPIENTS {
        return Err(Failure::bad("to_numbers must hold 1 to 10 numbers"));
    }
    match numbers.iter().find(|number| !relaxed && !is_e164(number)) {
        Some(number) => Err(Failure::bad(format!("{number} in to_numbers is not in E.164 format"))),
        None => Ok(numbers),
    }
}

/// Who the text comes from: a number of the company, a group, a user, or else the key's holder.
fn sender(dialpad: &Dialpad, message: &Map<String, Value>, account: &str) -> Result<Text, Failure> {
    let now = OffsetDateTime::now_utc();
    let holder = from_user(now, dialpad.holder(account));
    if let Some(number) = string(message, "from_number") {
        return from_number(dialpad, now, number, holder);
    }
    if let Some(group) = id_of(message, "sender_group_id") {
        return from_group(&group, string(message, "sender_group_type"), holder);
    }
    match id_of(message, "user_id") {
        Some(id) => user_with(dialpad, now, |user| user.id == id).ok_or_else(|| unknown("user_id", &id)),
        None => Ok(holder),
    }
}

fn from_number(dialpad: &Dialpad, now: OffsetDateTime, number: &str, holder: Text) -> Result<Text, Failure> {
    if number == DEPARTMENT_NUMBER {
        return from_group(DEPARTMENT, Some("department"), holder);
    }
    user_with(dialpad, now, |user| user.number == number).ok_or_else(|| unknown("from_number", number))
}

fn from_group(id: &str, kind: Option<&str>, holder: Text) -> Result<Text, Failure> {
    if id != DEPARTMENT || kind != Some("department") {
        return Err(unknown("sender_group_id", id));
    }
    Ok(Text { from: DEPARTMENT_NUMBER.to_owned(), target: ("department", DEPARTMENT.to_owned()), ..holder })
}

fn user_with(dialpad: &Dialpad, now: OffsetDateTime, wanted: impl Fn(&User) -> bool) -> Option<Text> {
    dialpad.users.iter().find(|user| wanted(user)).map(|user| from_user(now, user))
}

fn unknown(name: &str, value: &str) -> Failure {
    Failure::new(400, "badRequest", format!("{name} {value} does not belong to this company"))
}

/// Accepted, not delivered: the status stays pending.
fn accepted(sent: &Text, to: &[String]) -> Value {
    json!({
        "contact_id": "1000",
        "created_date": sent.at.format(CREATED).unwrap_or_default(),
        "device_type": "public_api",
        "direction": "outbound",
        "from_number": sent.from,
        "id": sent.id,
        "message_status": "pending",
        "target_id": sent.target.1,
        "target_type": sent.target.0,
        "text": sent.text,
        "to_numbers": to,
        "user_id": sent.user,
    })
}

fn receipt(sent: &Text, account: &str, to: &[String]) -> SentSms {
    SentSms {
        provider: "dialpad".to_owned(),
        account: account.to_owned(),
        id: sent.id.clone(),
        from: sent.from.clone(),
        to: to.to_vec(),
        text: sent.text.clone(),
    }
}
