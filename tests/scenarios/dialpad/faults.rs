//! What Dialpad's errors become.

use kosmo_simulator::{Effect, Knob, Matcher};
use kosmo_tests::Scenario;
use serde_json::json;

/// What a fault says of its origin: code, HTTP status, Dialpad's own code, seconds to wait.
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
    scenario.simulator.inject(Knob { matching: Matcher::new("dialpad", "GET", "/api/v2/"), times: 9, effect });
    check_fault(&scenario, "get_user({ id = '1' })", expected, part);
    assert_eq!(scenario.sent().len(), requests);
}

#[track_caller]
fn check_fault(scenario: &Scenario, call: &str, expected: Facts<'_>, part: &str) {
    let fault = scenario.fault(&format!("app.integrations.dialpad.{call}"));
    let facts = (fault.code.as_str(), fault.status, fault.provider_code.as_deref(), fault.retry_after);
    assert_eq!(facts, expected, "{fault}");
    assert!(fault.message.contains(part), "{fault}");
    let name = call.split('(').next();
    assert_eq!((fault.provider.as_deref(), fault.function.as_deref()), (Some("dialpad"), name));
}

fn envelope(status: u16, reason: &str) -> Effect {
    let detail = json!({"domain": "global", "reason": reason, "message": "In Dialpad's words"});
    let body = json!({"error": {"code": status, "message": "In Dialpad's words", "errors": [detail]}}).to_string();
    Effect::Raw { status, content_type: "application/json".into(), body: body.into() }
}

fn text(status: u16, body: &str) -> Effect {
    Effect::Raw { status, content_type: "text/plain".into(), body: body.into() }
}

#[test]
fn the_envelope_gives_code_status_and_words() {
    let words = "In Dialpad's words";
    check(envelope(401, "required"), ("unauthorized", Some(401), Some("required"), None), words);
    check(envelope(403, "forbidden"), ("forbidden", Some(403), Some("forbidden"), None), words);
    check(envelope(404, "notFound"), ("not_found", Some(404), Some("notFound"), None), words);
    check(envelope(400, "badRequest"), ("provider", Some(400), Some("badRequest"), None), words);
    check(envelope(409, "conflict"), ("provider", Some(409), Some("conflict"), None), words);
    check(envelope(413, "uploadTooLarge"), ("provider", Some(413), Some("uploadTooLarge"), None), words);
    check(
        envelope(500, "backendError"),
        ("provider", Some(500), Some("backendError"), None),
        "Dialpad API error (500 backendError)",
    );
    check(text(403, r#"{"error":"Too many texts"}"#), ("forbidden", Some(403), None, None), "Too many texts");
}

#[test]
fn a_429_says_when_to_ask_again_if_dialpad_does() {
    let limited = |retry_after| ("rate_limited", Some(429), Some("rateLimitExceeded"), retry_after);
    check(Effect::RateLimited { retry_after: Some(60) }, limited(Some(60)), "Rate limit exceeded");
    check_passing(Effect::RateLimited { retry_after: None }, limited(None), "Rate limit exceeded");
}

#[test]
fn answers_that_are_no_json_are_survived() {
    check(text(404, "Requested URL /x not found"), ("not_found", Some(404), None, None), "Requested URL /x not found");
    check_passing(Effect::Html(502), ("provider", Some(502), None, None), "an HTML page titled \"Bad gateway\"");
    check(Effect::Html(200), ("provider", Some(200), None, None), "something that is not JSON: an HTML page");
    check(Effect::Empty(500), ("provider", Some(500), None, None), "the body is empty");
    check(Effect::Empty(304), ("provider", Some(304), None, None), "the body is empty");
    check(text(200, "{\"id\": "), ("provider", Some(200), None, None), "not JSON");
    check(text(207, "--b\r\n\r\n{}\r\n--b--"), ("provider", Some(207), None, None), "not JSON");
}

#[test]
fn a_connection_that_keeps_breaking_is_unreachable() {
    let unreachable = ("unreachable", None, None, None);
    check_passing(Effect::Reset, unreachable, "Failed to connect to Dialpad API: ");
    check_passing(Effect::HalfBody, unreachable, "Failed to connect to Dialpad API: ");
}

#[test]
fn an_empty_success_is_a_record_or_list_without_anything() {
    for status in [200, 204] {
        let scenario = Scenario::new();
        scenario.simulator.inject(Knob::once(Effect::Empty(status)));
        assert_eq!(scenario.value("return app.integrations.dialpad.get_call({ id = '1' }).id"), json!(null));
        scenario.simulator.inject(Knob::once(Effect::Empty(status)));
        assert_eq!(scenario.value("return #app.integrations.dialpad.list_users({}).items"), 0);
    }
}

#[test]
fn the_simulators_own_errors_arrive_as_faults() {
    let scenario = Scenario::new();
    let not_found = |words| (("not_found", Some(404), Some("notFound"), None), words);
    for (call, (facts, words)) in [
        ("get_call({ id = 'nothing' })", not_found("Call not found")),
        ("get_user({ id = 'nothing' })", not_found("User not found")),
        (
            "list_calls({ cursor = 'nonsense' })",
            (("provider", Some(400), Some("badRequest"), None), "cursor is invalid"),
        ),
    ] {
        check_fault(&scenario, call, facts, words);
    }
}

#[test]
fn a_wrong_key_is_unauthorized() {
    let scenario = Scenario::new();
    let url = scenario.simulator.dialpad_url().to_owned();
    scenario.configure(&format!("[accounts.dialpad.stale]\nurl = \"{url}\"\naccess_token = \"no-such-key\"\n"));
    let fault = scenario.fault("app.integrations.dialpad.stale.get_current_user({})");
    assert_eq!((fault.code.as_str(), fault.status), ("unauthorized", Some(401)));
    assert!(
        fault.message.contains("A valid API key must be provided.") && !fault.message.contains("no-such-key"),
        "{fault}"
    );
}

#[test]
fn a_companys_key_without_a_current_user_is_explained() {
    let scenario = Scenario::new();
    scenario.simulator.inject(Knob::once(envelope(404, "notFound")));
    let fault = scenario.fault("app.integrations.dialpad.get_current_user({})");
    assert!(fault.message.contains("only a user's API key has a current user"), "{fault}");
}
