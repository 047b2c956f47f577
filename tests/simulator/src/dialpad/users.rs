//! `GET /api/v2/users` and `GET /api/v2/users/{id}`.

use serde::Serialize;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::company::{COMPANY, OFFICE};
use super::{Dialpad, Failure};
use crate::people;
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Kind, Query, field};

const COUNT: usize = 137;
const LARGEST_PAGE: i64 = 100;
const STATES: [&str; 6] = ["active", "all", "cancelled", "deleted", "pending", "suspended"];
const LIST: [crate::shape::Field; 6] = [
    field("cursor", Kind::Text),
    field("limit", Kind::Integer { min: 1, max: LARGEST_PAGE }),
    field("state", Kind::Choice(&STATES)),
    field("company_admin", Kind::Boolean),
    field("email", Kind::Text),
    field("number", Kind::Text),
];

/// One user, with what the handlers search by beside the vendor's own record.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct User {
    pub(super) record: Value,
    #[serde(skip)]
    pub(super) id: String,
    #[serde(skip)]
    pub(super) name: String,
    #[serde(skip)]
    pub(super) number: String,
    #[serde(skip)]
    pub(super) email: Option<String>,
    #[serde(skip)]
    state: &'static str,
    #[serde(skip)]
    admin: bool,
}

/// The account holders first, then everyone else.
pub(super) fn fixture(now: OffsetDateTime) -> Vec<User> {
    (0..COUNT).map(|index| user(now, index)).collect()
}

fn user(now: OffsetDateTime, index: usize) -> User {
    let (id, number) = (id(index), number(index));
    let (first, last) = (first_name(index), people::last(index));
    let email = (index % 17 != 9).then(|| format!("user{index}@example.test"));
    let state = if index % 23 == 19 { "suspended" } else { "active" };
    let name = format!("{} {last}", first.unwrap_or_default()).trim().to_owned();
    let record = json!({
        "admin_office_ids": if index < 3 { json!([OFFICE]) } else { json!([]) },
        "company_id": COMPANY,
        "country": "us",
        "date_active": date(now, index),
        "date_added": date(now, index),
        "display_name": name,
        "do_not_disturb": index.is_multiple_of(11),
        "emails": email.iter().collect::<Vec<_>>(),
        "extension": (100 + index).to_string(),
        "first_name": first,
        "forwarding_numbers": [],
        "group_details": [{"do_not_disturb": false, "group_id": OFFICE, "group_type": "office", "role": role(index)}],
        "id": id,
        "is_admin": index < 3,
        "is_available": !index.is_multiple_of(5),
        "is_online": index.is_multiple_of(2),
        "is_super_admin": index == 0,
        "job_title": if index.is_multiple_of(4) { json!("Engineer") } else { Value::Null },
        "language": "en",
        "last_name": last,
        "license": "talk",
        "muted": false,
        "office_id": OFFICE,
        "phone_numbers": [number],
        "state": state,
        "status_message": "",
        "timezone": "US/Pacific",
    });
    User { record, id, name, number, email, state, admin: index < 3 }
}

fn id(index: usize) -> String {
    match index {
        3 => "user_abc123".to_owned(),
        _ => (5_835_806_903_417_907 + index as i64 * 7_919).to_string(),
    }
}

/// The account `default` holds the number that the documentation sends from, the user `user_abc123` the other one.
fn number(index: usize) -> String {
    match index {
        0 => "+14155559876".to_owned(),
        3 => "+14155551234".to_owned(),
        _ => format!("+1415555{:04}", 2000 + index),
    }
}

/// A few imported users never entered a first name.
fn first_name(index: usize) -> Option<&'static str> {
    (index % 29 != 13).then(|| people::first(index))
}

fn role(index: usize) -> &'static str {
    if index < 3 { "admin" } else { "operator" }
}

/// Dialpad writes these without a zone.
fn date(now: OffsetDateTime, index: usize) -> String {
    let added = now - Duration::days(400 + index as i64);
    format!("{}T19:18:00", added.date())
}

impl Dialpad {
    /// The user that an account's key belongs to.
    pub(super) fn holder(&self, account: &str) -> &User {
        let position = crate::ACCOUNTS.iter().position(|name| *name == account).unwrap_or_default();
        &self.users[position]
    }
}

pub(super) fn list(dialpad: &Dialpad, request: &Request) -> Result<Reply, Failure> {
    let query = Query::check(&LIST, &request.query)?;
    let limit = query.integer("limit").unwrap_or(LARGEST_PAGE);
    let users: Vec<&User> = dialpad.users.iter().filter(|user| passes(user, &query)).collect();
    super::page(&users, limit as usize, query.text("cursor"), &super::filters(request))
}

fn passes(user: &User, query: &Query) -> bool {
    let state_fits = query.text("state").is_none_or(|state| state == "all" || state == user.state);
    let admin_fits = query.boolean("company_admin").is_none_or(|admin| admin == user.admin);
    let email_fits = query.text("email").is_none_or(|email| user.email.as_deref() == Some(email));
    let number_fits = query.text("number").is_none_or(|number| user.number == number);
    state_fits && admin_fits && email_fits && number_fits
}

pub(super) fn get(dialpad: &Dialpad, request: &Request, account: &str, id: &str) -> Result<Reply, Failure> {
    super::without_query(request)?;
    if id == "me" {
        return Ok(Reply::json(200, dialpad.holder(account)));
    }
    let user = dialpad.users.iter().find(|user| user.id == id);
    user.map(|user| Reply::json(200, user)).ok_or_else(|| Failure::new(404, "notFound", "User not found"))
}
