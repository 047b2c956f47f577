//! The personal address book of the token's extension.

use crate::api::{self, PAGES, send};
use crate::arguments::{fields, number_id, paged};
use crate::messages::{PAGE, PER_PAGE};
use kosmo_plugin::{Fault, Function, Invocation, Parameter, Request, Rule};
use serde_json::{Map, Value};

// `{}` where `~` is sent, so that what is denied here is denied to `api_*` for every extension.
const BOOK: &str = "/restapi/v1.0/account/{}/extension/{}/address-book/contact";
const CONTACT: &str = "/restapi/v1.0/account/{}/extension/{}/address-book/contact/{}";

/// The fields with a parameter of their own; `payload` takes the others.
const NAMED: [&str; 6] = ["firstName", "lastName", "company", "email", "businessPhone", "mobilePhone"];

pub(crate) const LIST_CONTACTS: Function = Function::read(
    "list_contacts",
    "List the contacts in the extension's personal address book.",
)
.description(
    "Returns `records`, `paging` and `navigation`. A record has `id`, `firstName`, `lastName`, `company`, `email` and \
     the phone numbers that are set. Ten requests a minute in all call log and contact functions together.",
)
.parameters(&[
    Parameter::string(
        "startsWith",
        "Only contacts whose first or last name starts with this text, ignoring case. RingCentral does not promise to \
         look at the company.",
    )
    .example("\"Acme\""),
    PER_PAGE,
    PAGE,
])
.requests(&[Rule::get(BOOK)])
.rate_group("heavy")
.pagination(PAGES)
.runs(|invocation| send(list(invocation)));

pub(crate) const GET_CONTACT: Function = Function::read("get_contact", "Get one contact by its id.")
    .description("Returns every field the contact has. One id only; a list of ids is refused.")
    .parameters(&[ID])
    .requests(&[Rule::get(CONTACT)])
    .rate_group("heavy")
    .runs(|invocation| send(get(invocation)));

pub(crate) const CREATE_CONTACT: Function = Function::write(
    "create_contact",
    "Add a contact to the extension's personal address book.",
)
.description(
    "Returns the contact with its `id`. At least one field is needed. `payload` takes RingCentral's other fields \
     (`middleName`, `nickName`, `jobTitle`, `email2`, `homePhone`, `notes`, `businessAddress` = {`street`, `city`, \
     `state`, `zip`, `country`}, …); a named parameter wins over the same field in it. Nothing prevents duplicates: \
     look with `list_contacts` first.",
)
.parameters(&[FIRST_NAME, LAST_NAME, COMPANY, EMAIL, BUSINESS_PHONE, MOBILE_PHONE, PAYLOAD])
.requests(&[Rule::post(BOOK)])
.rate_group("heavy")
.runs(|invocation| send(create(invocation)));

pub(crate) const UPDATE_CONTACT: Function = Function::write("update_contact", "Change fields of a contact.")
    .description(
        "Returns the whole contact. Fields that are not given keep their values: the request is a PATCH, because \
         RingCentral's PUT replaces the contact and would lose them. `json.null` removes a field. A named parameter \
         wins over the same field in `payload`.",
    )
    .parameters(&[ID, FIRST_NAME, LAST_NAME, COMPANY, EMAIL, BUSINESS_PHONE, MOBILE_PHONE, PAYLOAD])
    .requests(&[Rule::patch(CONTACT)])
    .rate_group("heavy")
    .runs(|invocation| send(update(invocation)));

pub(crate) const DELETE_CONTACT: Function = Function::write("delete_contact", "Delete one contact, for good.")
    .destructive()
    .description("Returns `{}`. An id that is empty, a list or `*` is refused.")
    .parameters(&[ID])
    .requests(&[Rule::delete(CONTACT)])
    .rate_group("heavy")
    .runs(|invocation| send(delete(invocation)));

const ID: Parameter =
    Parameter::string("contact_id", "Id of the contact, digits only.").required().example("\"1234567890\"");
const FIRST_NAME: Parameter = Parameter::string("firstName", "First name.").example("\"Ada\"");
const LAST_NAME: Parameter = Parameter::string("lastName", "Last name.").example("\"Lovelace\"");
const COMPANY: Parameter = Parameter::string("company", "Company name.").example("\"Example\"");
const EMAIL: Parameter = Parameter::string("email", "E-mail address.").example("\"ada@example.test\"");
const BUSINESS_PHONE: Parameter =
    Parameter::string("businessPhone", "Business phone number in E.164.").example("\"+16505550100\"");
const MOBILE_PHONE: Parameter =
    Parameter::string("mobilePhone", "Mobile phone number in E.164.").example("\"+16505550100\"");
const PAYLOAD: Parameter = Parameter::object("payload", "Further official contact fields, by RingCentral's names.")
    .example(r#"{"jobTitle": "Analyst"}"#);

fn list(invocation: &Invocation) -> Result<Request, Fault> {
    let request = Request::get(book(invocation)).query("startsWith", invocation.text("startsWith"));
    paged(request, invocation)
}

fn get(invocation: &Invocation) -> Result<Request, Fault> {
    Ok(Request::get(contact(invocation)?))
}

fn create(invocation: &Invocation) -> Result<Request, Fault> {
    let mut fields = fields(invocation, &NAMED);
    // Only a PATCH knows what a null means: there is nothing to remove yet.
    fields.retain(|_, value| !value.is_null());
    Ok(Request::post(book(invocation)).json(&some(fields)?))
}

fn update(invocation: &Invocation) -> Result<Request, Fault> {
    let url = contact(invocation)?;
    Ok(Request::patch(url).json(&some(fields(invocation, &NAMED))?))
}

fn delete(invocation: &Invocation) -> Result<Request, Fault> {
    Ok(Request::delete(contact(invocation)?))
}

fn book(invocation: &Invocation) -> String {
    api::extension(invocation, &["address-book", "contact"])
}

fn contact(invocation: &Invocation) -> Result<String, Fault> {
    Ok(api::extension(invocation, &["address-book", "contact", number_id(invocation, "contact_id")?]))
}

fn some(fields: Map<String, Value>) -> Result<Value, Fault> {
    if fields.is_empty() {
        return Err(Fault::argument(
            "payload",
            "is missing, and so is every named field: give at least one, such as firstName = \"Ada\"",
        ));
    }
    Ok(fields.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{refuses, sends};

    #[test]
    fn list_contacts_sends_prefix_and_page() {
        let row = |arguments: &str, query: &str| {
            sends(
                list,
                "list_contacts",
                arguments,
                &["GET /account/~/extension/~/address-book/contact", query].concat(),
            );
        };
        row("{}", "");
        row(r#"{"startsWith": "Acme"}"#, "?startsWith=Acme");
        row(
            r#"{"startsWith": "Ü & Co", "perPage": 1001, "page": 2}"#,
            "?startsWith=%C3%9C%20%26%20Co&perPage=1000&page=2",
        );
        refuses(list, "list_contacts", r#"{"page": -1}"#, "page: expected a whole number of 1 or more");
    }

    #[test]
    fn one_contact_is_read_and_deleted_by_its_id() {
        const ID: &str = r#"{"contact_id": "42"}"#;
        sends(get, "get_contact", ID, "GET /account/~/extension/~/address-book/contact/42");
        sends(delete, "delete_contact", ID, "DELETE /account/~/extension/~/address-book/contact/42");
        for id in ["", "*", "1,2", "~", "..", "42/", "4 2"] {
            let arguments = serde_json::json!({ "contact_id": id, "company": "Example" }).to_string();
            for (plan, name) in
                [(get as fn(&_) -> _, "get_contact"), (update, "update_contact"), (delete, "delete_contact")]
            {
                refuses(plan, name, &arguments, "contact_id: expected one id of at most 64 digits");
            }
        }
    }

    #[test]
    fn create_contact_posts_the_named_fields_over_the_payload() {
        let row = |arguments: &str, body: &str| {
            let expected = ["POST /account/~/extension/~/address-book/contact ", body].concat();
            sends(create, "create_contact", arguments, &expected);
        };
        row(
            r#"{"firstName":"Ada","lastName":"Lovelace","mobilePhone":"+16505550100","email":"ada@example.test"}"#,
            r#"{"firstName":"Ada","lastName":"Lovelace","email":"ada@example.test","mobilePhone":"+16505550100"}"#,
        );
        row(
            r#"{"company":"Example","businessPhone":"+16505550100",
                "payload":{"company":"Other","jobTitle":"Analyst","homeAddress":{"city":"London"},"contact_id":"1"}}"#,
            r#"{"company":"Example","jobTitle":"Analyst","homeAddress":{"city":"London"},"businessPhone":"+16505550100"}"#,
        );
        row(r#"{"firstName":"Ada","company":null,"payload":{"notes":null}}"#, r#"{"firstName":"Ada"}"#);
    }

    #[test]
    fn update_contact_patches_what_is_given_and_a_null_removes() {
        let row = |arguments: &str, body: &str| {
            let expected = ["PATCH /account/~/extension/~/address-book/contact/42 ", body].concat();
            sends(update, "update_contact", arguments, &expected);
        };
        row(r#"{"contact_id":"42","company":"Example"}"#, r#"{"company":"Example"}"#);
        row(r#"{"contact_id":"42","company":null}"#, r#"{"company":null}"#);
        row(r#"{"contact_id":"42","company":""}"#, r#"{"company":""}"#);
        row(
            r#"{"contact_id":"42","payload":{"notes":null,"contact_id":"43","contactId":"44","jobTitle":"Analyst"}}"#,
            r#"{"notes":null,"jobTitle":"Analyst"}"#,
        );
    }

    #[test]
    fn a_contact_without_a_field_is_refused() {
        for arguments in ["{}", r#"{"payload":{}}"#, r#"{"company":null}"#, r#"{"payload":{"contact_id":"1"}}"#] {
            refuses(create, "create_contact", arguments, "payload: is missing, and so is every named field");
        }
        for arguments in [r#"{"contact_id":"42"}"#, r#"{"contact_id":"42","payload":{}}"#] {
            refuses(update, "update_contact", arguments, "payload: is missing, and so is every named field");
        }
    }
}
