//! The account and its extensions.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::page::{Page, Totals};
use super::{ACCOUNT, Caller, Failure, RingCentral, timestamp, without_nulls, without_query};
use crate::people;
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Field, Kind, Query, field, repeated};

pub(super) const MAIN_NUMBER: &str = "+16505550000";
const COUNT: usize = 134;
/// The extensions of the accounts `default`, `work` and `support`.
const HOLDERS: [i64; 3] = [123_456_789, 123_456_790, 123_456_791];
const TYPES: [&str; 23] = [
    "User",
    "Department",
    "Announcement",
    "Voicemail",
    "DigitalUser",
    "VirtualUser",
    "FaxUser",
    "PagingOnly",
    "SharedLinesGroup",
    "DelegatedLinesGroup",
    "GroupCallPickup",
    "IvrMenu",
    "ApplicationExtension",
    "ProxyAdmin",
    "RoomConnector",
    "ParkLocation",
    "Limited",
    "Bot",
    "Site",
    "Room",
    "FlexibleUser",
    "TieLine",
    "Unknown",
];
pub(super) const STATUSES: [&str; 5] = ["Enabled", "Disabled", "Frozen", "NotActivated", "Unassigned"];
pub(super) const PAGE_NUMBER: Kind = Kind::Integer { min: 1, max: i32::MAX as i64 };
const LIST: [Field; 6] = [
    field("extensionNumber", Kind::Text),
    repeated("email", Kind::Text),
    field("page", PAGE_NUMBER),
    field("perPage", PAGE_NUMBER),
    repeated("status", Kind::Choice(&STATUSES)),
    repeated("type", Kind::Choice(&TYPES)),
];

/// One extension of the company.
pub(super) struct Extension {
    pub(super) id: i64,
    /// Absent while nobody is assigned.
    pub(super) number: Option<String>,
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    email: String,
    created: OffsetDateTime,
}

impl Extension {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

/// The extension that an account's token belongs to.
pub(super) fn holder(account: &str) -> i64 {
    let position = crate::ACCOUNTS.iter().position(|name| *name == account).unwrap_or_default();
    HOLDERS[position]
}

/// The account holders first, then everyone and everything else.
pub(super) fn fixture(now: OffsetDateTime) -> Vec<Extension> {
    (0..COUNT).map(|index| extension(now, index)).collect()
}

fn extension(now: OffsetDateTime, index: usize) -> Extension {
    let status = status(index);
    Extension {
        id: HOLDERS[0] + index as i64,
        number: (status != "Unassigned").then(|| (101 + index).to_string()),
        kind: kind(index),
        status,
        first: people::first(index + 1),
        last: people::last(index + 1),
        email: format!("ext{index}@example.test"),
        created: now - Duration::days(500 + index as i64),
    }
}

fn kind(index: usize) -> &'static str {
    match index % 16 {
        13 => "Department",
        14 => "Announcement",
        15 => "IvrMenu",
        _ => "User",
    }
}

fn status(index: usize) -> &'static str {
    match index % 19 {
        16 => "Disabled",
        17 => "NotActivated",
        18 => "Unassigned",
        _ => "Enabled",
    }
}

/// What lists and single answers have in common.
fn summary(rc: &RingCentral, extension: &Extension) -> Value {
    without_nulls(json!({
        "id": extension.id,
        "uri": rc.extension_uri(extension.id, ""),
        "extensionNumber": extension.number,
        "name": extension.name(),
        "type": extension.kind,
        "status": extension.status,
        "hidden": false,
        "creationTime": timestamp(extension.created),
        "contact": contact(extension),
        "permissions": {"admin": {"enabled": extension.id == HOLDERS[0]}, "internationalCalling": {"enabled": true}},
        "profileImage": {"uri": rc.extension_uri(extension.id, "/profile-image")},
    }))
}

/// Groups have a name and nothing else.
fn contact(extension: &Extension) -> Value {
    if extension.kind != "User" {
        return json!({"firstName": extension.name()});
    }
    json!({
        "firstName": extension.first,
        "lastName": extension.last,
        "company": "Example Telephony, Inc.",
        "email": extension.email,
        "emailAsLoginName": true,
    })
}

fn detail(rc: &RingCentral, extension: &Extension) -> Value {
    let mut record = summary(rc, extension);
    record["account"] = json!({"id": ACCOUNT.to_string(), "uri": rc.account_uri("")});
    record["setupWizardState"] = json!("Completed");
    record["serviceFeatures"] = json!([
        {"featureName": "SMS", "enabled": true},
        {"featureName": "InternationalSMS", "enabled": false, "reason": "ServicePlanLimitation"},
        {"featureName": "Presence", "enabled": true},
    ]);
    record["regionalSettings"] = json!({
        "timezone": {"id": "58", "uri": format!("{}/restapi/v1.0/dictionary/timezone/58", rc.base), "name": "US/Pacific", "description": "Pacific Time (US & Canada)"},
        "language": {"id": "1033", "name": "English (United States)", "localeCode": "en-US"},
        "timeFormat": "12h",
    });
    record
}

pub(super) fn get(rc: &RingCentral, request: &Request) -> Result<Reply, Failure> {
    without_query(request)?;
    let operator = HOLDERS[0];
    let country = json!({"id": "1", "uri": format!("{}/restapi/v1.0/dictionary/country/1", rc.base), "name": "United States", "isoCode": "US", "callingCode": "1"});
    Ok(Reply::json(
        200,
        &json!({
            "id": ACCOUNT,
            "uri": rc.account_uri(""),
            "mainNumber": MAIN_NUMBER,
            "operator": {"id": operator, "uri": rc.extension_uri(operator, ""), "extensionNumber": "101"},
            "serviceInfo": {
                "uri": rc.account_uri("/service-info"),
                "brand": {"id": "1210", "name": "RingCentral", "homeCountry": country},
                "servicePlan": {"id": "4", "name": "RingEX Core", "edition": "Standard"},
                "billingPlan": {"id": "8853", "name": "Monthly", "durationUnit": "Month", "duration": 1, "type": "Regular"},
            },
            "setupWizardState": "Completed",
            "status": "Confirmed",
            "limits": {"maxExtensionNumberLength": 8, "shortExtensionNumberLength": 3},
        }),
    ))
}

pub(super) fn list_extensions(rc: &RingCentral, request: &Request) -> Result<Reply, Failure> {
    let query = Query::check(&LIST, &request.query)?;
    let matching: Vec<&Extension> = rc.extensions.iter().filter(|extension| passes(extension, &query)).collect();
    let page = Page::of(request, &query, Totals::Told);
    Ok(Reply::json(200, &page.answer(rc, &matching, |extension| summary(rc, extension))))
}

fn passes(extension: &Extension, query: &Query) -> bool {
    let number_fits = query.text("extensionNumber").is_none_or(|number| extension.number.as_deref() == Some(number));
    let choices_fit = query.admits("status", extension.status) && query.admits("type", extension.kind);
    number_fits && choices_fit && query.admits("email", &extension.email)
}

pub(super) fn get_extension(rc: &RingCentral, request: &Request, caller: Caller, id: &str) -> Result<Reply, Failure> {
    without_query(request)?;
    Ok(Reply::json(200, &detail(rc, find(rc, caller, id)?)))
}

/// The extension that an id or `~` names.
pub(super) fn find<'a>(rc: &'a RingCentral, caller: Caller, id: &str) -> Result<&'a Extension, Failure> {
    let wanted = if id == "~" { Some(caller.extension) } else { id.parse().ok() };
    let found = rc.extensions.iter().find(|extension| Some(extension.id) == wanted);
    found.ok_or_else(|| Failure::not_found("extensionId", id))
}
