//! The address book.

use super::{assert_sent, check, check_refused};
use kosmo_tests::Scenario;
use serde_json::{Value, json};

#[test]
fn contacts_are_listed_and_read() {
    let list = |arguments: &str, query: &str, count: usize| {
        let sends = format!("GET X/address-book/contact{query}");
        check(&format!("list_contacts({{ {arguments} }})"), &sends, "#r.records", json!(count));
    };
    list("", "", 100);
    list("startsWith = 'Acme'", "?startsWith=Acme", 1);
    list("startsWith = 'nobody & no one'", "?startsWith=nobody%20%26%20no%20one", 0);
    list("startsWith = ''", "", 100);
    list("perPage = 5000, page = 1", "?perPage=1000&page=1", 141);
    check(
        "get_contact({ contact_id = '1234567890' })",
        "GET X/address-book/contact/1234567890",
        "r.id",
        json!(1234567890),
    );
    check(
        "get_contact({ contactId = 5006180001 })",
        "GET X/address-book/contact/5006180001",
        "r.firstName",
        json!("Acme"),
    );
}

#[test]
fn a_contact_is_created_from_names_and_payload() {
    let create = |arguments: &str, body: &str, read: &str, expected: Value| {
        check(&format!("create_contact({arguments})"), &format!("POST X/address-book/contact {body}"), read, expected);
    };
    create(
        "{ firstName = 'Ada', lastName = 'Lovelace', mobilePhone = '+16505550100', email = 'ada@example.test' }",
        r#"{"firstName":"Ada","lastName":"Lovelace","email":"ada@example.test","mobilePhone":"+16505550100"}"#,
        "{ type(r.id), r.firstName, r.availability }",
        json!(["number", "Ada", "Alive"]),
    );
    create(
        "{ company = 'Named', businessPhone = '+16505550101', payload = { company = 'Lost', jobTitle = 'Analyst',
           contact_id = '7', businessAddress = { city = 'London' } } }",
        r#"{"businessAddress":{"city":"London"},"company":"Named","jobTitle":"Analyst","businessPhone":"+16505550101"}"#,
        "{ r.company, r.jobTitle, r.businessAddress.city }",
        json!(["Named", "Analyst", "London"]),
    );
    create("{ firstName = 'Ada', email = json.null }", r#"{"firstName":"Ada"}"#, "r.firstName", json!("Ada"));
    check_refused("create_contact({})", "payload", "and so is every named field: give at least one, such as firstName");
    check_refused("create_contact({ payload = {} })", "payload", "is missing");
    check_refused("create_contact({ first = 'Ada' })", "first", "Did you mean: firstName");
}

#[test]
fn a_contact_is_changed_by_patch_so_that_nothing_else_is_lost() {
    let scenario = Scenario::writable();
    let script = "local rc = app.integrations.ringcentral
        local before = rc.get_contact({ contact_id = '5006180001' })
        local after = rc.update_contact({ contact_id = before.id, company = 'Example' })
        local cleared = rc.update_contact({ contact_id = before.id, email = json.null, payload = { jobTitle = 'Firm' } })
        return { before.company, after.company, after.firstName == before.firstName, after.email == before.email,
            type(cleared.email), cleared.jobTitle, cleared.mobilePhone == before.mobilePhone }";
    assert_eq!(scenario.value(script), json!(["Acme Supplies", "Example", true, true, "nil", "Firm", true]));
    assert_sent(
        &scenario,
        &[
            "GET X/address-book/contact/5006180001",
            r#"PATCH X/address-book/contact/5006180001 {"company":"Example"}"#,
            r#"PATCH X/address-book/contact/5006180001 {"jobTitle":"Firm","email":null}"#,
        ],
    );
    check_refused("update_contact({ contact_id = '1' })", "payload", "give at least one");
}

#[test]
fn a_contact_is_deleted_by_exactly_one_id() {
    let scenario = Scenario::writable();
    let script = "local rc = app.integrations.ringcentral
        local gone = rc.delete_contact({ contact_id = '1234567890' })
        local ok, fault = pcall(rc.get_contact, { contact_id = '1234567890' })
        return { next(gone) == nil, ok, fault.code, fault.provider_code }";
    assert_eq!(scenario.value(script), json!([true, false, "not_found", "CMN-102"]));
    assert_sent(&scenario, &["DELETE X/address-book/contact/1234567890", "GET X/address-book/contact/1234567890"]);
    for id in ["", "*", "~", "1,2", "..", "1/2", "%2a"] {
        for call in ["get_contact({", "update_contact({ company = 'x',", "delete_contact({"] {
            check_refused(&format!("{call} contact_id = '{id}' }})"), "contact_id", "");
        }
    }
}

#[test]
fn paginate_meets_every_contact_once() {
    let scenario = Scenario::new();
    let count = "local count = 0
        for _ in paginate(app.integrations.ringcentral.list_contacts, {}) do count = count + 1 end
        return count";
    assert_eq!(scenario.value(count), 141);
    assert_sent(&scenario, &["GET X/address-book/contact", "GET X/address-book/contact?page=2"]);
}
