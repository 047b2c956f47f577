//! `send_sms`, and `list_sms`, which Dialpad does not have: it is an export that takes its time.

use super::{check, check_refused};
use kosmo::{Outcome, Script};
use kosmo_simulator::{Effect, Knob, Matcher};
use kosmo_tests::Scenario;
use serde_json::json;
use std::time::Duration;

const START: &str = "dialpad.default POST /api/v2/stats {\"export_type\":\"records\",\"stat_type\":\"texts\",\
                     \"days_ago_start\":0,\"days_ago_end\":30,\"timezone\":\"UTC\"}";
const POLL: &str = "dialpad.default GET /api/v2/stats/*";
/// Without an account: the storage host gets no credential. The signed query arrives as it was handed out.
const FILE: &str = "exports GET /dialpad-exports/stats/*.csv?GoogleAccessId=exports%40dialpad.test&Expires=1999999999\
                    &Signature=*%2Bq%2F7w%3D%3D";
/// Leaves little time for waiting: an invocation keeps some seconds of it for the file.
const SHORT: Duration = Duration::from_secs(6);

#[test]
fn a_text_is_sent_from_a_number_or_a_department() {
    check(
        "send_sms({ to = '+14155551234', from = '+14155559876', text = 'Hello from Dialpad!' })",
        &[
            r#"POST /api/v2/sms {"from_number":"+14155559876","to_numbers":["+14155551234"],"text":"Hello from Dialpad!"}"#,
        ],
        "{ type(r.id), r.message_status, r.from, r.to, r.direction }",
        json!(["string", "pending", "+14155559876", "+14155551234", "outbound"]),
    );
    check(
        "send_sms({ to = '+14155551234', from = 5220648944236254, text = '\u{e9}\\n\"' })",
        &["POST /api/v2/sms {\"sender_group_id\":5220648944236254,\"sender_group_type\":\"department\",\
            \"to_numbers\":[\"+14155551234\"],\"text\":\"\u{e9}\\n\\\"\"}"],
        "{ r.target_type, r.from_number }",
        json!(["department", "+14155551200"]),
    );
}

#[test]
fn a_text_that_cannot_be_sent_is_refused() {
    let refused = |to: &str, from: &str, text: &str, parameter: &str, part: &str| {
        check_refused(&format!("send_sms({{ to = {to:?}, from = {from:?}, text = {text:?} }})"), parameter, part);
    };
    refused("4155551234", "+14155559876", "Hi", "to", "expected a number in E.164 form: \"+14155551234\"");
    refused("+1 415 555 1234", "+14155559876", "Hi", "to", "E.164");
    refused("+14155551234,+14155551235", "+14155559876", "Hi", "to", "E.164");
    refused("+14155551234", "Sales", "Hi", "from", "or the digits of a department's id");
    refused("+14155551234", "+14155559876", "", "text", "Missing required parameter(s): text");
    check_refused("send_sms({ to = '+14155551234' })", "from", "Missing required parameter(s): from, text");
}

#[test]
fn a_text_is_never_sent_twice() {
    for effect in [Effect::Reset, Effect::HalfBody, Effect::Html(502), Effect::Empty(500)] {
        let scenario = Scenario::writable();
        let matching = Matcher::new("dialpad", "POST", "/api/v2/sms");
        scenario.simulator.inject(Knob { matching, times: 1, effect: effect.clone() });
        scenario
            .fault("app.integrations.dialpad.send_sms({ to = '+14155551234', from = '+14155559876', text = 'Once' })");
        assert_eq!(scenario.sent().len(), 1, "{effect:?}");
        assert!(scenario.simulator.sms_sent().len() <= 1, "{effect:?}");
    }
}

#[test]
fn texts_come_from_an_export() {
    let scenario = Scenario::new();
    let read = "local r = app.integrations.dialpad.list_sms({ limit = 25 })
        local first = r.items[1]
        return { #r.items, type(r.cursor), first.id == first.message_id, first.from, first.to, first.text, first.direction }";
    let first = json!([25, "string", true, "+12125551000", "+14155559876", "On my way.", "inbound"]);
    assert_eq!(scenario.value(read), first);
    scenario.assert_sent(&[START, POLL, POLL, FILE]);
}

#[test]
fn quotes_commas_lines_and_letters_survive_the_file() {
    let scenario = Scenario::new();
    let texts = "local texts = {}
        for _, text in ipairs(app.integrations.dialpad.list_sms({ limit = 7 }).items) do table.insert(texts, text.text) end
        return texts";
    let expected = json!([
        "On my way.",
        "Can you send the invoice, please?",
        "He said \"tomorrow, at noon\".",
        "Running late \u{1f648}",
        "Agenda:\n1. numbers\n2. coffee",
        "Gr\u{fc}\u{df}e aus K\u{f6}ln, see you soon",
        "",
    ]);
    assert_eq!(scenario.value(texts), expected);
}

#[test]
fn the_range_of_an_export_is_whole_days_and_its_rows_are_cut_to_the_second() {
    let scenario = Scenario::new();
    let count = |arguments: &str| {
        scenario.value(&format!("return #app.integrations.dialpad.list_sms({{ limit = 1000, {arguments} }}).items"))
    };
    assert_eq!(count("startTime = os.time() - 86400, endTime = os.time()"), 30);
    assert_eq!(count("startTime = os.time() - 100, endTime = os.time()"), 0);
    assert_eq!(count("endTime = os.time() - 86400"), 115);
    let bodies: Vec<String> = scenario.sent().into_iter().filter(|line| line.contains("POST")).collect();
    assert_eq!(bodies.len(), 3, "one export for each range: {bodies:#?}");
}

#[test]
fn paginate_meets_every_text_once_in_one_export() {
    let scenario = Scenario::new();
    let count = "local seen, count = {}, 0
        for text in paginate(app.integrations.dialpad.list_sms, { limit = 60 }) do
            assert(not seen[text.id], text.id)
            seen[text.id], count = true, count + 1
        end
        return count";
    assert_eq!(scenario.value(count), 145);
    scenario.assert_sent(&[START, POLL, POLL, FILE, POLL, FILE, POLL, FILE]);
}

fn short(scenario: &Scenario, code: &str) -> Outcome {
    scenario.host().session().time_limit(SHORT).build().run_blocking(Script::new("short.lua", code))
}

#[test]
fn an_export_that_is_not_ready_is_resumed_and_never_started_twice() {
    let scenario = Scenario::new();
    scenario.simulator.set_export_polls(4);
    let not_ready = short(&scenario, "return #app.integrations.dialpad.list_sms({ limit = 10, startTime = 1 }).items");
    let fault = not_ready.fault.expect("not ready in time");
    assert_eq!((fault.code.as_str(), fault.retry_after), ("not_ready", Some(5)), "{fault}");
    assert!(fault.message.contains("still preparing") && fault.message.contains("the same call again"), "{fault}");
    let sent = scenario.sent();
    assert!(sent[0].contains("POST /api/v2/stats") && sent.len() <= 5, "{sent:#?}");

    // The same arguments in another order, another spelling and another host.
    assert_eq!(
        scenario.value("return #app.integrations.dialpad.list_sms({ start_time = '1', limit = 10.0 }).items"),
        10
    );
    let sent = scenario.sent();
    assert!(sent.iter().all(|line| !line.contains("POST")), "{sent:#?}");
    assert!(sent.last().is_some_and(|line| line.starts_with("exports GET")), "{sent:#?}");

    scenario.simulator.set_export_polls(0);
    scenario.value("return #app.integrations.dialpad.list_sms({ limit = 10, startTime = 1 }).items");
    assert!(scenario.sent()[0].contains("POST"), "a finished export is not asked for again");
}

#[test]
fn another_process_resumes_the_export() {
    let scenario = Scenario::new();
    scenario.simulator.set_export_polls(4);
    let list = "kosmo integrations:lua --eval 'print(#app.integrations.dialpad.list_sms({limit = 10}).items)' --json";
    let first = scenario.shell(&format!("{list} --timeout 6"));
    assert_eq!((first.code, first.json()["fault"]["code"].as_str()), (1, Some("not_ready")), "{first:?}");
    assert_eq!(first.json()["fault"]["retry_after"], 5);
    let second = scenario.shell(list);
    assert_eq!((second.code, second.json()["output"].as_str()), (0, Some("10")), "{second:?}");
    let started = scenario.sent().into_iter().filter(|line| line.contains("POST")).count();
    assert_eq!(started, 1);
}

#[test]
fn other_arguments_or_accounts_have_exports_of_their_own() {
    let scenario = Scenario::new();
    scenario.simulator.set_export_polls(100);
    short(&scenario, "app.integrations.dialpad.list_sms({ startTime = 1 })");
    short(&scenario, "app.integrations.dialpad.list_sms({ startTime = 2 })");
    short(&scenario, "app.integrations.dialpad.work.list_sms({ startTime = 1 })");
    let started: Vec<String> = scenario.sent().into_iter().filter(|line| line.contains("POST")).collect();
    assert_eq!(started.len(), 3, "{started:#?}");
}

/// Runs `list_sms` while one of its requests goes wrong, however often it is sent.
#[track_caller]
fn check_trouble(matching: Matcher, effect: Effect, code: &str, status: Option<u16>, part: &str) {
    let scenario = Scenario::new();
    scenario.simulator.inject(Knob { matching, times: 9, effect });
    let fault = scenario.fault("app.integrations.dialpad.list_sms({})");
    assert_eq!((fault.code.as_str(), fault.status), (code, status), "{fault}");
    assert!(fault.message.contains(part), "{fault}");
}

fn raw(status: u16, body: &str) -> Effect {
    Effect::Raw { status, content_type: "application/json".into(), body: body.into() }
}

#[test]
fn trouble_with_an_export_says_what_to_do() {
    let start = || Matcher::new("dialpad", "POST", "/api/v2/stats");
    let poll = || Matcher::new("dialpad", "GET", "/api/v2/stats/");
    let file = || Matcher::new("exports", "GET", "/");
    let forbidden =
        r#"{"error":{"code":403,"message":"No access","errors":[{"reason":"forbidden","message":"No access"}]}}"#;
    check_trouble(start(), raw(403, forbidden), "forbidden", Some(403), "needs a company admin's API key");
    check_trouble(start(), raw(200, "{}"), "provider", Some(200), "without saying its request_id");
    check_trouble(
        start(),
        Effect::RateLimited { retry_after: Some(90) },
        "rate_limited",
        Some(429),
        "Rate limit exceeded",
    );
    check_trouble(poll(), raw(200, r#"{"status":"failed"}"#), "provider", Some(200), "a shorter range may help");
    check_trouble(poll(), raw(200, r#"{"status":"complete"}"#), "provider", Some(200), "without a URL");
    check_trouble(poll(), Effect::RateLimited { retry_after: Some(90) }, "not_ready", None, "could not be fetched yet");
    check_trouble(poll(), Effect::Html(503), "not_ready", None, "could not be fetched yet");
    check_trouble(file(), Effect::Empty(403), "provider", Some(403), "the storage host does not hand out");
    check_trouble(file(), raw(200, "a,b\r\n1,2\r\n"), "provider", Some(200), "not one of texts; its columns are: a,b");
}

#[test]
fn a_file_on_another_host_is_not_fetched() {
    let scenario = Scenario::new();
    for url in ["https://evil.test/x.csv", "http://169.254.169.254/latest", "http://127.0.0.1:1/x.csv"] {
        let body = format!(r#"{{"status":"complete","download_url":"{url}","file_type":"csv"}}"#);
        let matching = Matcher::new("dialpad", "GET", "/api/v2/stats/");
        scenario.simulator.inject(Knob { matching, times: 1, effect: raw(200, &body) });
        let fault = scenario.fault("app.integrations.dialpad.list_sms({})");
        assert_eq!(fault.code.as_str(), "denied", "{url}: {fault}");
        assert!(fault.message.contains("dialpad.list_sms may not send GET"), "{fault}");
    }
}

#[test]
fn a_cursor_or_range_that_cannot_be_is_refused() {
    check_refused("list_sms({ cursor = 'example_cursor' })", "cursor", "is not a cursor of list_sms");
    check_refused("list_sms({ cursor = 'kosmo-texts:0,0,0:..' })", "cursor", "is not a cursor of list_sms");
    check_refused("list_sms({ startTime = 2, endTime = 1 })", "endTime", "lies before startTime");
    check_refused("list_sms({ limit = -1 })", "limit", "expected 1 to 1000");
}
