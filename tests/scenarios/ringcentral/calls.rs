//! The call logs.

use super::{assert_sent, check, check_refused};
use kosmo_tests::Scenario;
use serde_json::json;

const MAY: &str = "dateFrom=2026-05-01T00%3A00%3A00Z";

#[test]
fn the_extensions_calls_are_listed() {
    let list = |arguments: &str, query: &str, count: usize| {
        let sends = format!("GET X/call-log{query}");
        check(&format!("list_calls({{ {arguments} }})"), &sends, "#r.records", json!(count));
    };
    list("", "", 18);
    list("direction = 'inbound', type = 'VOICE'", "?direction=Inbound&type=Voice", 9);
    list("direction = 'All', type = 'all'", "", 18);
    list("perPage = 1001", "?perPage=1000", 18);
    list("perPage = 3, page = 2", "?perPage=3&page=2", 3);
    list("dateFrom = '2026-05-01T00:00:00Z', direction = 'Inbound'", &format!("?{MAY}&direction=Inbound"), 72);
    for number in ["'+12125551000'", "'12125551000'", "'+1 (212) 555-1000'", "12125551000", "'+1.212.555.1000'"] {
        list(
            &format!("dateFrom = '2026-05-01T00:00:00Z', phoneNumber = {number}"),
            &format!("?{MAY}&phoneNumber=12125551000"),
            6,
        );
    }
}

#[test]
fn the_accounts_calls_are_listed() {
    let list = |arguments: &str, query: &str, count: usize| {
        let sends = format!("GET A/call-log?{MAY}{query}");
        let call = format!("list_account_calls({{ dateFrom = '2026-05-01T00:00:00Z', {arguments} }})");
        check(&call, &sends, "#r.records", json!(count));
    };
    list("perPage = 100", "&perPage=100", 100);
    list("direction = 'Outbound', type = 'All', perPage = 1000", "&direction=Outbound&perPage=1000", 120);
    list("extensionNumber = '102'", "&extensionNumber=102", 48);
    list("extension_number = 102", "&extensionNumber=102", 48);
    list("phoneNumber = '+16505559876'", "&phoneNumber=16505559876", 1);
    list("dateTo = '2026-05-02T00:00:00Z'", "&dateTo=2026-05-02T00%3A00%3A00Z", 0);
}

#[test]
fn filters_that_exclude_each_other_or_mean_nothing_are_refused() {
    check_refused(
        "list_account_calls({ extensionNumber = '101', phoneNumber = '+16505559876' })",
        "extensionNumber",
        "either extensionNumber or phoneNumber: RingCentral cannot filter by both",
    );
    check_refused(
        "list_account_calls({ extensionNumber = 'Sales' })",
        "extensionNumber",
        "a short number, such as \"101\"",
    );
    check_refused("list_calls({ phoneNumber = 'Ada' })", "phoneNumber", "expected a phone number with country code");
    check_refused("list_calls({ extensionNumber = '101' })", "extensionNumber", "has no parameter `extensionNumber`");
    check_refused("list_calls({ type = 'SMS' })", "type", "It takes one of: Voice, Fax, All.");
    check_refused("list_calls({ dateFrom = 'yesterday' })", "dateFrom", "in ISO 8601");
    check_refused("list_calls({ perPage = 'max' })", "perPage", "takes an integer");
}

#[test]
fn one_call_is_read_by_id() {
    let read = "{ r.id, r.direction, r.duration, r.durationMs, type(r.sessionId), r.to.phoneNumber }";
    let call = json!(["SHbTMZ4vKhRtUxA", "Outbound", 19, 19666, "string", "+12125551037"]);
    check("get_call({ call_id = 'SHbTMZ4vKhRtUxA' })", "GET X/call-log/SHbTMZ4vKhRtUxA", read, call);
    check(
        "get_call({ callId = 'JpKh1CoEBQ00000-KU_A' })",
        "GET X/call-log/JpKh1CoEBQ00000-KU_A",
        "r.type",
        json!("Voice"),
    );
    for id in ["*", "a,b", "..", "a/b", "a%2cb", " ", "a b", "~"] {
        check_refused(&format!("get_call({{ call_id = '{id}' }})"), "call_id", "expected one id of at most 64 letters");
    }
    check_refused("get_call({ call_id = '' })", "call_id", "Missing required parameter(s): call_id");
}

#[test]
fn paginate_meets_every_call_of_the_account_once() {
    let scenario = Scenario::new();
    let count = "local seen, count = {}, 0
        local arguments = { dateFrom = '2026-05-01T00:00:00Z' }
        for call in paginate(app.integrations.ringcentral.list_account_calls, arguments) do
            assert(not seen[call.id], call.id)
            seen[call.id], count = true, count + 1
        end
        return count";
    assert_eq!(scenario.value(count), 240);
    let page = |number: &str| format!("GET A/call-log?{MAY}{number}");
    let (one, two, three) = (page(""), page("&page=2"), page("&page=3"));
    assert_sent(&scenario, &[&one, &two, &three]);
}
