//! What RingCentral's errors become.

use kosmo_simulator::{Effect, Knob};
use kosmo_tests::Scenario;
use serde_json::json;

/// What a fault says of its origin: code, HTTP status, RingCentral's own code, seconds to wait.
type Facts<'a> = (&'a str, Option<u16>, Option<&'a str>, Option<u32>);

#[track_caller]
fn check(effect: Effect, expected: Facts<'_>, part: &str) {
    check_sent(effect, 1, expected, part);
}

/// An answer that may be otherwise in a second, as long as it is not: asked for four times.
#[track_caller]
fn check_passing(effect: Effect, expected: Facts<'_>, part: &str) {
    check_sent(effect, 4, expected, part);
}

#[track_caller]
fn check_sent(effect: Effect, requests: usize, expected: Facts<'_>, part: &str) {
    let scenario = Scenario::new();
    scenario.simulator.inject(Knob { times: 9, ..Knob::once(effect) });
    check_fault(&scenario, "get_account({})", expected, part);
    assert_eq!(scenario.sent().len(), requests);
}

#[track_caller]
fn check_fault(scenario: &Scenario, call: &str, expected: Facts<'_>, part: &str) {
    let fault = scenario.fault(&format!("app.integrations.ringcentral.{call}"));
    let facts = (fault.code.as_str(), fault.status, fault.provider_code.as_deref(), fault.retry_after);
    assert_eq!(facts, expected, "{fault}");
    assert!(fault.message.contains(part), "{fault}");
}

fn raw(status: u16, body: &str) -> Effect {
    Effect::Raw { status, content_type: "application/json".into(), body: body.into() }
}

/// As documented: without the live service's repetition at the top.
fn envelope(status: u16, code: &str) -> Effect {
    raw(status, &json!({"errors": [{"errorCode": code, "message": "In their words"}]}).to_string())
}

#[test]
fn the_envelope_gives_code_status_words_and_a_cure() {
    check(envelope(401, "OAU-128"), ("unauthorized", Some(401), Some("OAU-128"), None), "needs a new access token");
    check(envelope(401, "OAU-129"), ("unauthorized", Some(401), Some("OAU-129"), None), "In their words");
    check(envelope(403, "CMN-401"), ("forbidden", Some(403), Some("CMN-401"), None), "developer console");
    check(envelope(403, "CMN-408"), ("forbidden", Some(403), Some("CMN-408"), None), "administrator");
    check(envelope(404, "CMN-102"), ("not_found", Some(404), Some("CMN-102"), None), "In their words");
    check(envelope(400, "CMN-102"), ("not_found", Some(400), Some("CMN-102"), None), "In their words");
    check(
        envelope(400, "CMN-101"),
        ("provider", Some(400), Some("CMN-101"), None),
        "RingCentral API error (400 CMN-101)",
    );
    check_passing(envelope(503, "MSG-290"), ("provider", Some(503), Some("MSG-290"), None), "In their words");
    let parameter = r#"{"errorCode":"CMN-101","message":"Bad value","errors":[{"errorCode":"CMN-101","message":"Bad value","parameterName":"dateTo"}]}"#;
    check(raw(400, parameter), ("provider", Some(400), Some("CMN-101"), None), "Bad value (parameter dateTo)");
    let top = r#"{"errorCode":"CMN-301","message":"Request rate exceeded"}"#;
    check_passing(raw(429, top), ("rate_limited", Some(429), Some("CMN-301"), None), "Request rate exceeded");
    let oauth = r#"{"error":"invalid_grant","error_description":"Token not found"}"#;
    check(raw(400, oauth), ("provider", Some(400), Some("invalid_grant"), None), "Token not found");
}

#[test]
fn a_429_says_when_to_ask_again_if_ringcentral_does() {
    let limited = |retry_after| ("rate_limited", Some(429), Some("CMN-301"), retry_after);
    check(Effect::RateLimited { retry_after: Some(60) }, limited(Some(60)), "Request rate exceeded");
    check(Effect::RateLimited { retry_after: None }, limited(None), "Request rate exceeded");
}

#[test]
fn answers_that_are_no_json_are_survived() {
    check_passing(Effect::Html(502), ("provider", Some(502), None, None), "an HTML page titled \"Bad gateway\"");
    check(Effect::Html(200), ("provider", Some(200), None, None), "something that is not JSON");
    check(Effect::Empty(500), ("provider", Some(500), None, None), "the body is empty");
    check(Effect::Empty(404), ("not_found", Some(404), None, None), "the body is empty");
    check(raw(200, "{\"id\": 1"), ("provider", Some(200), None, None), "not JSON");
    check(
        raw(207, "--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b--"),
        ("provider", Some(207), None, None),
        "not JSON",
    );
    check(raw(404, "[]"), ("not_found", Some(404), None, None), "without a readable error");
}

#[test]
fn a_207_that_is_json_passes() {
    let scenario = Scenario::new();
    scenario.simulator.inject(Knob::once(raw(207, r#"[{"resourceId":"1","status":200,"body":{"id":1}}]"#)));
    assert_eq!(scenario.value("return app.integrations.ringcentral.get_account({})[1].body.id"), 1);
}

#[test]
fn an_empty_success_is_an_empty_table() {
    for status in [200, 204] {
        let scenario = Scenario::new();
        scenario.simulator.inject(Knob::once(Effect::Empty(status)));
        assert_eq!(scenario.value("return next(app.integrations.ringcentral.get_account({})) == nil"), true);
    }
}

#[test]
fn a_connection_that_keeps_breaking_is_unreachable() {
    let unreachable = ("unreachable", None, None, None);
    check_passing(Effect::Reset, unreachable, "Failed to connect to RingCentral API: ");
    check_passing(Effect::HalfBody, unreachable, "Failed to connect to RingCentral API: ");
}

#[test]
fn the_simulators_own_errors_arrive_as_faults() {
    let scenario = Scenario::writable();
    let sms = "send_sms({ from = '+16505550100', to = '+16505559876', text = 'Hi' })";
    let path = |path: &str| format!("api_get({{ path = '/restapi/v1.0/account/{path}' }})");
    let not_found = ("not_found", Some(404), Some("CMN-102"), None);
    check_fault(&scenario, sms, ("forbidden", Some(403), Some("MSG-304"), None), "whose features include SmsSender");
    check_fault(&scenario, "get_message({ messageId = '1' })", not_found, "[messageId] is not found");
    check_fault(&scenario, "get_call({ call_id = 'nothing' })", not_found, "[callRecordId] is not found");
    check_fault(&scenario, "get_contact({ contact_id = 1 })", not_found, "[contactId] is not found");
    check_fault(&scenario, "get_extension({ extension_id = 1 })", not_found, "[extensionId] is not found");
    check_fault(&scenario, &path("1"), not_found, "[accountId] is not found");
    let other = ("forbidden", Some(403), Some("CMN-404"), None);
    check_fault(&scenario, &path("~/extension/123456790/message-store"), other, "not allowed for the other extension");
}

#[test]
fn a_wrong_token_is_unauthorized() {
    let scenario = Scenario::new();
    let url = scenario.simulator.ringcentral_url().to_owned();
    scenario.configure(&format!("[accounts.ringcentral.stale]\nurl = \"{url}\"\naccess_token = \"no-such-token\"\n"));
    let fault = scenario.fault("app.integrations.ringcentral.stale.get_account({})");
    assert_eq!((fault.code.as_str(), fault.provider_code.as_deref()), ("unauthorized", Some("OAU-129")));
    assert!(!fault.message.contains("no-such-token"), "{fault}");
}
