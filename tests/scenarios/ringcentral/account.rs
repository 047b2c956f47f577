//! Account, extensions, phone numbers and presence.

use super::{assert_sent, check, check_refused};
use kosmo_tests::Scenario;
use serde_json::json;

#[test]
fn the_account_and_its_extensions_are_read() {
    check(
        "get_account({})",
        "GET A",
        "{ r.id, r.mainNumber, r.status }",
        json!([37439510, "+16505550000", "Confirmed"]),
    );
    check("get_current_user({})", "GET X", "{ r.id, r.extensionNumber }", json!([123456789, "101"]));
    check("get_extension({ extension_id = '123456789' })", "GET A/extension/123456789", "r.type", json!("User"));
    check("get_extension({ extensionId = 123456790 })", "GET A/extension/123456790", "r.id", json!(123456790));
    let list = |call: &str, query: &str, count: usize| {
        check(call, &format!("GET A/extension{query}"), "#r.records", json!(count));
    };
    list("list_extensions({})", "", 100);
    list("list_extensions({ page = 2 })", "?page=2", 34);
    list("list_extensions({ extensionType = 'user', status = 'ENABLED' })", "?type=User&status=Enabled", 92);
    list("list_extensions({ extensionType = 'Department', perPage = 3 })", "?type=Department&perPage=3", 3);
    list("list_extensions({ extensionType = 'All', status = 'all' })", "", 100);
    list("list_extensions({ perPage = 5000 })", "?perPage=1000", 134);
}

#[test]
fn phone_numbers_are_listed() {
    let (account, own) = ("list_account_phone_numbers", "list_extension_phone_numbers");
    let list = |call: &str, sends: &str, count: usize| check(call, &format!("GET {sends}"), "#r.records", json!(count));
    list(&format!("{account}({{}})"), "A/phone-number", 100);
    list(
        &format!("{account}({{ usageType = 'maincompanynumber', status = 'normal', perPage = 10, page = 1 }})"),
        "A/phone-number?usageType=MainCompanyNumber&status=Normal&perPage=10&page=1",
        1,
    );
    list(&format!("{account}({{ usageType = 'All', status = 'All' }})"), "A/phone-number", 100);
    list(&format!("{own}({{}})"), "X/phone-number", 2);
    list(
        &format!("{own}({{ usageType = 'DirectNumber', perPage = 5 }})"),
        "X/phone-number?usageType=DirectNumber&perPage=5",
        1,
    );
    list(&format!("{own}({{ usageType = 'all' }})"), "X/phone-number", 2);
    let features = "table.concat(r.records[1].features, ' '):find('SmsSender') ~= nil";
    let direct = format!("{own}({{ usageType = 'DirectNumber' }})");
    check(&direct, "GET X/phone-number?usageType=DirectNumber", features, json!(true));
}

#[test]
fn presence_is_read_with_a_boolean() {
    let presence = "{ r.presenceStatus, r.telephonyStatus, #(r.activeCalls or {}) }";
    let connected = |calls: usize| json!(["Busy", "CallConnected", calls]);
    check("get_presence({})", "GET X/presence", presence, connected(0));
    let detailed = "GET X/presence?detailedTelephonyState=true";
    check("get_presence({ detailedTelephonyState = true })", detailed, presence, connected(1));
    check(
        "get_presence({ detailed_telephony_state = false })",
        "GET X/presence?detailedTelephonyState=false",
        presence,
        connected(0),
    );
    check_refused("get_presence({ detailedTelephonyState = 1 })", "detailedTelephonyState", "takes true or false");
    check_refused("get_presence({ detailedTelephonyState = 'true' })", "detailedTelephonyState", "takes true or false");
}

#[test]
fn what_is_no_extension_or_choice_is_refused() {
    for id in ["", "~", "*", "1,2", "../1", "1/2", "abc", "1?x"] {
        check_refused(&format!("get_extension({{ extension_id = {id:?} }})"), "extension_id", "");
    }
    check_refused(
        "get_extension({ extension_id = '~' })",
        "extension_id",
        "expected one id of at most 64 digits, such as \"1234567890\"",
    );
    check_refused(
        "list_extensions({ extensionType = 'Queue' })",
        "extensionType",
        "It takes one of: User, Department,",
    );
    check_refused("list_extensions({ page = 0 })", "page", "expected a whole number of 1 or more");
    check_refused(
        "list_account_phone_numbers({ status = 'Gone' })",
        "status",
        "Normal, Pending, PortedIn, Temporary, Unknown, All",
    );
    check_refused("get_account({ id = 1 })", "id", "It takes no parameters.");
}

#[test]
fn every_account_has_its_own_extension() {
    let scenario = Scenario::new();
    for (account, id) in [("default", 123_456_789), ("work", 123_456_790), ("support", 123_456_791)] {
        let script = format!("return app.integrations.ringcentral.{account}.get_current_user({{}}).id");
        assert_eq!(scenario.value(&script), id);
        scenario.assert_sent(&[format!("ringcentral.{account} GET /restapi/v1.0/account/~/extension/~")]);
    }
}

#[test]
fn paginate_meets_every_extension_once() {
    let scenario = Scenario::new();
    let count = "local seen, count = {}, 0
        for extension in paginate(app.integrations.ringcentral.list_extensions, { perPage = 60 }) do
            assert(not seen[extension.id], extension.id)
            seen[extension.id], count = true, count + 1
        end
        return count";
    assert_eq!(scenario.value(count), 134);
    let page = |number: &str| format!("GET A/extension?perPage=60{number}");
    let (one, two, three) = (page(""), page("&page=2"), page("&page=3"));
    assert_sent(&scenario, &[&one, &two, &three]);
}
