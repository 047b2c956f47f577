//! Phone numbers of the account and of one extension.

use serde_json::{Value, json};

use super::account::{Extension, MAIN_NUMBER, PAGE_NUMBER, STATUSES};
use super::page::{Page, Totals};
use super::{Caller, Failure, RingCentral, without_nulls};
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{Field, Kind, Query, field, repeated};

const USAGES: [&str; 20] = [
    "MainCompanyNumber",
    "AdditionalCompanyNumber",
    "CompanyNumber",
    "DirectNumber",
    "CompanyFaxNumber",
    "FmcBusinessMobileNumber",
    "InventoryFmcBusinessMobileNumber",
    "ForwardedNumber",
    "ForwardedCompanyNumber",
    "ContactCenterNumber",
    "ConferencingNumber",
    "MeetingsNumber",
    "NumberPool",
    "BusinessMobileNumber",
    "ELIN",
    "PartnerBusinessMobileNumber",
    "NumberPoolPartnerBusinessMobileNumber",
    "NumberStorage",
    "IntegrationNumber",
    "InventoryMobileNumber",
];
const PAYMENTS: [&str; 7] = [
    "External",
    "TollFree",
    "Local",
    "BusinessMobileNumberProvider",
    "ExternalNumberProvider",
    "ExternalNumberProviderTollFree",
    "Mobile",
];
const STATES: [&str; 5] = ["Normal", "Pending", "PortedIn", "Temporary", "Unknown"];
const LIST_ACCOUNT: [Field; 6] = [
    field("page", PAGE_NUMBER),
    field("perPage", PAGE_NUMBER),
    field("extensionStatus", Kind::Choice(&STATUSES)),
    repeated("usageType", Kind::Choice(&USAGES)),
    repeated("paymentType", Kind::Choice(&PAYMENTS)),
    repeated("status", Kind::Choice(&STATES)),
];
const LIST_OWN: [Field; 4] = [
    field("status", Kind::Choice(&STATES)),
    repeated("usageType", Kind::Choice(&USAGES)),
    field("page", PAGE_NUMBER),
    field("perPage", PAGE_NUMBER),
];

/// One number of the company.
pub(super) struct Number {
    id: i64,
    pub(super) number: String,
    usage: &'static str,
    payment: &'static str,
    kind: &'static str,
    state: &'static str,
    /// Position of the extension it rings, unless it is the company's.
    extension: Option<usize>,
}

impl Number {
    /// Texts go out from direct numbers, never from fax lines or the main number.
    fn can_text(&self) -> bool {
        self.usage == "DirectNumber" && self.state == "Normal"
    }
}

/// The company's numbers, then one direct number for each user.
pub(super) fn fixture(extensions: &[Extension]) -> Vec<Number> {
    let company = [
        (MAIN_NUMBER, "MainCompanyNumber", "Local", "VoiceFax"),
        ("+16505550001", "CompanyNumber", "Local", "VoiceOnly"),
        ("+18005550002", "CompanyNumber", "TollFree", "VoiceFax"),
        ("+16505550003", "CompanyFaxNumber", "Local", "FaxOnly"),
    ];
    let company = company.map(|(number, usage, payment, kind)| (number.to_owned(), usage, payment, kind, None));
    let users = extensions.iter().enumerate().filter(|(_, extension)| extension.kind == "User");
    let direct = users.map(|(index, _)| (direct_number(index), "DirectNumber", "Local", "VoiceFax", Some(index)));
    company.into_iter().chain(direct).enumerate().map(number).collect()
}

type Line = (String, &'static str, &'static str, &'static str, Option<usize>);

fn number((index, (number, usage, payment, kind, extension)): (usize, Line)) -> Number {
    let state = if index % 31 == 30 { "Pending" } else { "Normal" };
    Number { id: 960_000_001 + index as i64, number, usage, payment, kind, state, extension }
}

fn direct_number(index: usize) -> String {
    format!("+1650555{:04}", 1234 + index)
}

impl RingCentral {
    /// The direct number of one extension.
    pub(super) fn direct_number_of(&self, extension: i64) -> Option<&str> {
        self.numbers_of(extension).find(|number| number.usage == "DirectNumber").map(|number| number.number.as_str())
    }

    /// Whether an extension may send texts from a number.
    pub(super) fn may_text_from(&self, extension: i64, wanted: &str) -> bool {
        self.numbers_of(extension).any(|number| number.can_text() && number.number == wanted)
    }

    fn numbers_of(&self, extension: i64) -> impl Iterator<Item = &Number> {
        let owns = move |index: usize| self.extensions.get(index).is_some_and(|owner| owner.id == extension);
        self.numbers.iter().filter(move |number| number.extension.is_some_and(owns))
    }

    fn owner(&self, number: &Number) -> Option<&Extension> {
        self.extensions.get(number.extension?)
    }
}

pub(super) fn list_account(rc: &RingCentral, request: &Request) -> Result<Reply, Failure> {
    let query = Query::check(&LIST_ACCOUNT, &request.query)?;
    let matching: Vec<&Number> = rc.numbers.iter().filter(|number| passes(rc, number, &query)).collect();
    let page = Page::of(request, &query, Totals::Told);
    Ok(Reply::json(200, &page.answer(rc, &matching, |number| company_number(rc, number))))
}

fn passes(rc: &RingCentral, number: &Number, query: &Query) -> bool {
    let status_fits = query
        .text("extensionStatus")
        .is_none_or(|status| rc.owner(number).is_some_and(|extension| extension.status == status));
    status_fits
        && query.admits("usageType", number.usage)
        && query.admits("paymentType", number.payment)
        && query.admits("status", number.state)
}

/// An extension's own numbers, and the company's main number that its calls may show.
pub(super) fn list_own(rc: &RingCentral, request: &Request, caller: Caller) -> Result<Reply, Failure> {
    let query = Query::check(&LIST_OWN, &request.query)?;
    let main = rc.numbers.iter().filter(|number| number.usage == "MainCompanyNumber");
    let matching: Vec<&Number> = rc
        .numbers_of(caller.extension)
        .chain(main)
        .filter(|number| query.admits("usageType", number.usage) && query.admits("status", number.state))
        .collect();
    let page = Page::of(request, &query, Totals::Told);
    Ok(Reply::json(200, &page.answer(rc, &matching, |number| own_number(rc, caller, number))))
}

fn company_number(rc: &RingCentral, number: &Number) -> Value {
    let extension = rc.owner(number).map(|owner| {
        json!({"id": owner.id, "uri": rc.extension_uri(owner.id, ""), "extensionNumber": owner.number, "name": owner.name()})
    });
    without_nulls(json!({
        "id": number.id,
        "uri": rc.account_uri(&format!("/phone-number/{}", number.id)),
        "phoneNumber": number.number,
        "paymentType": number.payment,
        "location": "Belmont, CA",
        "type": number.kind,
        "usageType": number.usage,
        "status": number.state,
        "primary": number.usage == "MainCompanyNumber",
        "extension": extension.map(without_nulls),
    }))
}

fn own_number(rc: &RingCentral, caller: Caller, number: &Number) -> Value {
    let features: &[&str] = if number.can_text() { &["CallerId", "SmsSender", "MmsSender"] } else { &["CallerId"] };
    let mut record = company_number(rc, number);
    if let Some(owner) = rc.owner(number) {
        record["extension"] = without_nulls(json!({
            "id": owner.id,
            "uri": rc.extension_uri(owner.id, ""),
            "extensionNumber": owner.number,
            "type": owner.kind,
        }));
    }
    record["uri"] = json!(rc.extension_uri(caller.extension, &format!("/phone-number/{}", number.id)));
    record["features"] = json!(features);
    record["country"] =
        json!({"id": "1", "uri": format!("{}/restapi/v1.0/dictionary/country/1", rc.base), "name": "United States"});
    record
}
