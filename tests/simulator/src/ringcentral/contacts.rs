//! The personal address book.

use serde_json::{Map, Value, json};

use super::page::{Page, Totals};
use super::{Caller, Failure, RingCentral, json_body, without_query};
use crate::people;
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Field, Kind, Query, Violation, field, object, repeated};

const COUNT: usize = 141;
const FIRST_ID: i64 = 5_006_180_001;
/// Position and id of the contact that the functions' examples speak of.
const KNOWN: (usize, i64) = (1, 1_234_567_890);
const LAST_PAGE: i64 = 1000;
const SORTS: [&str; 3] = ["FirstName", "LastName", "Company"];
const LIST: [Field; 5] = [
    field("startsWith", Kind::Text),
    repeated("sortBy", Kind::Choice(&SORTS)),
    field("page", Kind::Integer { min: 1, max: LAST_PAGE }),
    field("perPage", Kind::Integer { min: 1, max: i32::MAX as i64 }),
    repeated("phoneNumber", Kind::Text),
];
const WRITE: [Field; 1] = [field("dialingPlan", Kind::Text)];
const ADDRESS: [Field; 5] = [
    field("street", Kind::Text),
    field("city", Kind::Text),
    field("country", Kind::Text),
    field("state", Kind::Text),
    field("zip", Kind::Text),
];
const CONTACT: [Field; 29] = [
    field("firstName", Kind::Text),
    field("lastName", Kind::Text),
    field("middleName", Kind::Text),
    field("nickName", Kind::Text),
    field("company", Kind::Text),
    field("jobTitle", Kind::Text),
    field("email", Kind::Text),
    field("email2", Kind::Text),
    field("email3", Kind::Text),
    field("birthday", Kind::DateTime),
    field("webPage", Kind::Text),
    field("notes", Kind::Text),
    field("homePhone", Kind::Text),
    field("homePhone2", Kind::Text),
    field("businessPhone", Kind::Text),
    field("businessPhone2", Kind::Text),
    field("mobilePhone", Kind::Text),
    field("businessFax", Kind::Text),
    field("companyPhone", Kind::Text),
    field("assistantPhone", Kind::Text),
    field("carPhone", Kind::Text),
    field("otherPhone", Kind::Text),
    field("otherFax", Kind::Text),
    field("callbackPhone", Kind::Text),
    field("homeAddress", Kind::Object(&ADDRESS)),
    field("businessAddress", Kind::Object(&ADDRESS)),
    field("otherAddress", Kind::Object(&ADDRESS)),
    field("ringtoneIndex", Kind::Text),
    field("appInfo", Kind::Text),
];

/// The contacts, and the id of the next one.
pub(super) struct Contacts {
    all: Vec<Contact>,
    next: i64,
}

/// An id and the members that somebody filled in.
struct Contact {
    id: i64,
    members: Map<String, Value>,
}

impl Contact {
    fn text(&self, name: &str) -> &str {
        self.members.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn has_number(&self, query: &Query) -> bool {
        let mut numbers = self.members.iter().filter(|(name, _)| name.contains("Phone") || name.contains("Fax"));
        query.text("phoneNumber").is_none()
            || numbers.any(|(_, value)| value.as_str().is_some_and(|number| query.admits("phoneNumber", number)))
    }
}

pub(super) fn fixture() -> Contacts {
    let id = |index| if index == KNOWN.0 { KNOWN.1 } else { FIRST_ID + index as i64 * 11 };
    let all = (0..COUNT).map(|index| Contact { id: id(index), members: members(index) }).collect();
    Contacts { all, next: FIRST_ID + COUNT as i64 * 11 }
}

/// The first is a firm that was entered under its own name; every tenth has no company.
fn members(index: usize) -> Map<String, Value> {
    let (first, last) =
        if index == 0 { ("Acme", "Supplies") } else { (people::first(index * 3), people::last(index * 7)) };
    let mut members = Map::new();
    let mut set = |name: &str, value: String| members.insert(name.to_owned(), Value::String(value));
    set("firstName", first.to_owned());
    set("lastName", last.to_owned());
    set("email", format!("contact{index}@example.test"));
    set("mobilePhone", people::outside(index));
    if index % 10 != 9 {
        set("company", if index == 0 { "Acme Supplies".to_owned() } else { format!("{last} & Partners") });
    }
    members
}

fn record(rc: &RingCentral, caller: Caller, contact: &Contact) -> Value {
    let uri = rc.extension_uri(caller.extension, &format!("/address-book/contact/{}", contact.id));
    let mut record = json!({"uri": uri, "id": contact.id, "availability": "Alive"});
    if let Value::Object(map) = &mut record {
        map.extend(contact.members.clone());
    }
    record
}

pub(super) fn list(rc: &RingCentral, request: &Request, caller: Caller) -> Result<Reply, Failure> {
    let query = Query::check(&LIST, &request.query)?;
    let mut matching: Vec<&Contact> = rc.contacts.all.iter().filter(|contact| passes(contact, &query)).collect();
    sort(&mut matching, query.text("sortBy"));
    let page = Page::of(request, &query, Totals::Told);
    let mut answer = page.answer(rc, &matching, |contact| record(rc, caller, contact));
    let groups = rc.extension_uri(caller.extension, "/address-book/group");
    answer.insert("groups".to_owned(), json!({"uri": groups}));
    Ok(Reply::json(200, &answer))
}

/// Searches first and last name, ignoring case. Companies are not searched.
fn passes(contact: &Contact, query: &Query) -> bool {
    let prefix = query.text("startsWith").unwrap_or_default().to_lowercase();
    let named = ["firstName", "lastName"].iter().any(|name| contact.text(name).to_lowercase().starts_with(&prefix));
    named && contact.has_number(query)
}

fn sort(contacts: &mut [&Contact], by: Option<&str>) {
    match by {
        Some("FirstName") => contacts.sort_by(|one, other| one.text("firstName").cmp(other.text("firstName"))),
        Some("LastName") => contacts.sort_by(|one, other| one.text("lastName").cmp(other.text("lastName"))),
        Some("Company") => contacts.sort_by(|one, other| one.text("company").cmp(other.text("company"))),
        _ => {}
    }
}

/// The members of a request's body. Only a partial change may remove one by a null.
fn parsed(request: &Request, nulls: bool) -> Result<Map<String, Value>, Failure> {
    Query::check(&WRITE, &request.query)?;
    let members = object(&CONTACT, json_body(request)?, nulls)?;
    let emails = ["email", "email2", "email3"].iter().filter_map(|name| members.get(*name)?.as_str());
    match emails.into_iter().find(|email| !email.contains('@')) {
        Some(email) => Err(Violation::new("email", email, "must be an address").into()),
        None => Ok(members),
    }
}

pub(super) fn create(rc: &mut RingCentral, request: &Request, caller: Caller) -> Result<Reply, Failure> {
    let contact = Contact { id: rc.contacts.next, members: parsed(request, false)? };
    let reply = Reply::json(200, &record(rc, caller, &contact));
    rc.contacts.next += 11;
    rc.contacts.all.push(contact);
    Ok(reply)
}

fn position(rc: &RingCentral, id: &str) -> Result<usize, Failure> {
    let wanted: i64 = id.parse().map_err(|_| Violation::new("contactId", id, "must be an integer"))?;
    let found = rc.contacts.all.iter().position(|contact| contact.id == wanted);
    found.ok_or_else(|| Failure::not_found("contactId", id))
}

pub(super) fn get(rc: &RingCentral, request: &Request, caller: Caller, id: &str) -> Result<Reply, Failure> {
    without_query(request)?;
    let at = position(rc, id)?;
    Ok(Reply::json(200, &record(rc, caller, &rc.contacts.all[at])))
}

/// The whole contact anew: a member that is left out is lost.
pub(super) fn replace(rc: &mut RingCentral, request: &Request, caller: Caller, id: &str) -> Result<Reply, Failure> {
    let members = parsed(request, false)?;
    let at = position(rc, id)?;
    rc.contacts.all[at].members = members;
    Ok(Reply::json(200, &record(rc, caller, &rc.contacts.all[at])))
}

/// Only what is named; a null removes a member.
pub(super) fn change(rc: &mut RingCentral, request: &Request, caller: Caller, id: &str) -> Result<Reply, Failure> {
    let members = parsed(request, true)?;
    let at = position(rc, id)?;
    rc.contacts.all[at].members.extend(members);
    rc.contacts.all[at].members.retain(|_, value| !value.is_null());
    Ok(Reply::json(200, &record(rc, caller, &rc.contacts.all[at])))
}

pub(super) fn delete(rc: &mut RingCentral, request: &Request, id: &str) -> Result<Reply, Failure> {
    without_query(request)?;
    let at = position(rc, id)?;
    rc.contacts.all.remove(at);
    Ok(Reply::empty(204))
}
