//! `api_get`, `api_post`, `api_put`, `api_delete`: any documented path, and none that is not plainly one.

use super::{assert_sent, check, check_refused};
use kosmo_tests::Scenario;
use serde_json::json;

#[test]
fn a_documented_path_is_reached() {
    let own = "/restapi/v1.0/account/~/extension/~";
    check(&format!("api_get({{ path = '{own}' }})"), "GET X", "r.id", json!(123456789));
    check(
        "api_get({ path = '/restapi/v1.0/account/~/extension', params = { type = { 'User', 'Bot' }, perPage = 3, status = 'Enabled' } })",
        "GET A/extension?perPage=3&status=Enabled&type=User&type=Bot",
        "#r.records",
        json!(3),
    );
    check(
        &format!("api_get({{ path = '{own}/presence', params = {{ sipData = false }} }})"),
        "GET X/presence?sipData=false",
        "r.presenceStatus",
        json!("Busy"),
    );
    check(
        &format!("api_post({{ path = '{own}/address-book/contact', payload = {{ firstName = 'Ada' }} }})"),
        r#"POST X/address-book/contact {"firstName":"Ada"}"#,
        "r.firstName",
        json!("Ada"),
    );
    check(
        &format!("api_put({{ path = '{own}/address-book/contact/5006180001', payload = {{ firstName = 'Ada' }} }})"),
        r#"PUT X/address-book/contact/5006180001 {"firstName":"Ada"}"#,
        "{ r.firstName, type(r.lastName) }",
        json!(["Ada", "nil"]),
    );
    check(
        &format!("api_delete({{ path = '{own}/message-store/1234567890' }})"),
        "DELETE X/message-store/1234567890",
        "next(r) == nil",
        json!(true),
    );
    check(
        &format!("api_delete({{ path = '{own}/message-store/1234567890?purge=true', payload = {{}} }})"),
        "DELETE X/message-store/1234567890?purge=true",
        "next(r) == nil",
        json!(true),
    );
}

#[test]
fn a_path_that_is_not_plainly_one_is_refused_whatever_the_method() {
    let scenario = Scenario::writable();
    for path in [
        "https://evil.test/restapi/v1.0/account/~",
        "http://127.0.0.1/restapi/v1.0/account/~",
        "//evil.test/restapi/v1.0/account/~",
        "\\\\evil.test/restapi/v1.0",
        "/restapi/v1.0\\..\\x",
        "@evil.test/restapi/v1.0/account/~",
        "/restapi/v1.0/account/~@evil.test",
        "/restapi/v1.0/../oauth/token",
        "/restapi/v1.0/./account/~",
        "/restapi/v1.0/%2e%2e/oauth/token",
        "/restapi/v1.0/.%2E/oauth/token",
        "/restapi/v1.0/account%2f~",
        "/restapi/v1.0/account%5c~",
        "/restapi/v1.0/account/%00",
        "/restapi/v1.0/account/%0d%0aX-Evil:1",
        "/restapi/v1.0/account/%252e%252e/x",
        "/restapi/v1.0/account//extension",
        "/restapi/v1.0/account/~/",
        "/restapi/v1.0/account/~ x",
        "/restapi/v1.0/account/~#x",
        "/restapi/v1.0/account/~;x=1",
        "/restapi/oauth/token",
        "/restapi/v1.0evil/account",
        "/restapi/v2/accounts/~",
        "restapi/v1.0/account/~",
        " /restapi/v1.0/account/~",
        "/",
    ] {
        for method in ["api_get", "api_post", "api_put", "api_delete"] {
            let fault = scenario.fault(&format!("app.integrations.ringcentral.{method}({{ path = {path:?} }})"));
            assert_eq!(
                (fault.code.as_str(), fault.parameter.as_deref()),
                ("invalid_argument", Some("path")),
                "{path}: {fault}"
            );
            assert!(fault.message.contains("expected a path such as"), "{path}: {fault}");
        }
    }
    for escape in ["/restapi/v1.0/account/~\\nX: 1", "/restapi/v1.0/account/~\\r\\n\\r\\n", "/restapi/v1.0/\\0"] {
        scenario.fault(&format!("app.integrations.ringcentral.api_get({{ path = \"{escape}\" }})"));
    }
    assert_sent(&scenario, &[]);
}

#[test]
fn no_spelling_of_a_deletion_without_one_id_reaches_the_mailbox() {
    let scenario = Scenario::writable();
    for store in [
        "~/extension/~/message-store",
        "~/extension/~/message-store/",
        "~/extension/~/message-store//",
        "~/extension/~/message-store?type=SMS",
        "~/extension/~/message-store/?purge=true",
        "~/extension/~/message-store/*",
        "~/extension/~/message-store/1,2",
        "~/extension/~/message-store/~",
        "~/extension/~/message-store/%2a",
        "~/extension/~/Message-Store",
        "~/extension/~/message%2dstore",
        "37439510/extension/123456789/message-store",
    ] {
        let path = format!("/restapi/v1.0/account/{store}");
        let fault = scenario
            .fault(&format!("app.integrations.ringcentral.api_delete({{ path = '{path}', payload = {{ 'x' }} }})"));
        assert_eq!(fault.code.as_str(), "invalid_argument", "{path}: {fault}");
    }
    assert_sent(&scenario, &[]);
}

#[test]
fn arguments_in_the_wrong_place_are_explained() {
    let path = "/restapi/v1.0/account/~/extension";
    check_refused(
        &format!("api_get({{ path = '{path}?perPage=1' }})"),
        "path",
        "belongs into `params`: params = {perPage = 25}",
    );
    check_refused(
        &format!("api_get({{ path = '{path}', params = {{ a = {{ b = 1 }} }} }})"),
        "params",
        "has a table as `a`",
    );
    check_refused(&format!("api_get({{ path = '{path}', params = 'perPage=1' }})"), "params", "an object");
    check_refused(&format!("api_post({{ path = '{path}', payload = 'x' }})"), "payload", "an object");
    check_refused("api_get({})", "path", "Missing required parameter(s): path");
}

#[test]
fn nothing_is_written_unless_the_operator_allows_it() {
    for (permission, code) in [("", "approval_required"), ("[permissions.ringcentral]\nwrite = \"deny\"\n", "denied")] {
        let scenario = Scenario::new();
        scenario.configure(permission);
        for call in [
            "api_post({ path = '/restapi/v1.0/account/~/extension/~/sms', payload = {} })",
            "api_put({ path = '/restapi/v1.0/account/~/extension/~/message-store/1', payload = {} })",
            "api_delete({ path = '/restapi/v1.0/account/~/extension/~/message-store/1' })",
            "send_sms({ from = '+16505551234', to = '+16505559876', text = 'Hi' })",
            "update_message({ message_id = '1', readStatus = 'Read' })",
            "delete_message({ message_id = '1' })",
            "create_contact({ firstName = 'Ada' })",
            "update_contact({ contact_id = '1', firstName = 'Ada' })",
            "delete_contact({ contact_id = '1' })",
        ] {
            let fault = scenario.fault(&format!("app.integrations.ringcentral.{call}"));
            assert_eq!(fault.code.as_str(), code, "{call}: {fault}");
        }
        assert_sent(&scenario, &[]);
    }
}
