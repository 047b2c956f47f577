//! `list_calls` and `get_call`.

use super::{check, check_refused};
use kosmo_simulator::{Effect, Exchange, Knob, Matcher};
use kosmo_tests::Scenario;
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;

#[test]
fn calls_are_listed_by_get_call_in_milliseconds() {
    let list = |call: &str, query: &str, count: usize| {
        check(call, &[&format!("GET /api/v2/call?{query}")], "#r.items", json!(count));
    };
    list("list_calls({})", "limit=50", 50);
    list("list_calls({ limit = 20 })", "limit=20", 20);
    list("list_calls({ startTime = 1, endTime = 2 })", "started_after=1000&started_before=2000&limit=50", 0);
    list("list_calls({ endTime = 1767225600 })", "started_before=1767225600000&limit=50", 0);
    list("list_calls({ endTime = 1767225600000 })", "started_before=1767225600000&limit=50", 0);
    list("list_calls({ end_time = '1767225600', limit = '3' })", "started_before=1767225600000&limit=3", 0);
    list("list_calls({ cursor = 'example_cursor' })", "limit=50&cursor=example_cursor", 0);
    list(
        "list_calls({ target_id = 5835806903417907, target_type = 'User' })",
        "target_id=5835806903417907&target_type=user&limit=50",
        2,
    );
}

#[test]
fn a_limit_of_100_gives_100_calls() {
    let sends = ["GET /api/v2/call?limit=50", "GET /api/v2/call?limit=50&cursor=*"];
    check("list_calls({ limit = 100 })", &sends, "{ #r.items, type(r.cursor) }", json!([100, "string"]));
    let sends = ["GET /api/v2/call?limit=50", "GET /api/v2/call?limit=10&cursor=*"];
    check("list_calls({ limit = 60 })", &sends, "{ #r.items, type(r.cursor) }", json!([60, "string"]));
    let next = "GET /api/v2/call?limit=50&cursor=*";
    let sends = ["GET /api/v2/call?limit=50", next, next, next];
    check("list_calls({ limit = 1000 })", &sends, "{ #r.items, type(r.cursor) }", json!([160, "nil"]));
}

/// Counts the distinct calls that `paginate` gives.
fn walk(arguments: &str) -> String {
    format!(
        "local seen, count = {{}}, 0
        for call in paginate(app.integrations.dialpad.list_calls, {arguments}) do
            assert(not seen[call.id], call.id)
            seen[call.id], count = true, count + 1
        end
        return count"
    )
}

#[test]
fn paginate_meets_every_call_once() {
    let scenario = Scenario::new();
    assert_eq!(scenario.value(&walk("{ limit = 70 }")), 160);
    let page = |limit: u32, cursor: &str| format!("dialpad.default GET /api/v2/call?limit={limit}{cursor}");
    let (first, more, rest) = (page(50, ""), page(50, "&cursor=*"), page(20, "&cursor=*"));
    scenario.assert_sent(&[first, rest.clone(), more.clone(), rest, more]);
}

#[test]
fn the_filters_go_with_every_cursor() {
    let scenario = Scenario::new();
    assert_eq!(scenario.value(&walk("{ endTime = 4000000000, limit = 50 }")), 160);
    for exchange in scenario.simulator.take_requests() {
        assert_eq!(query(&exchange, "started_before"), Some(4_000_000_000_000), "{:?}", exchange.query);
    }
}

fn query(exchange: &Exchange, name: &str) -> Option<i64> {
    exchange.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.parse().expect("a number"))
}

/// The windows that were asked for, each once, in order.
fn windows(scenario: &Scenario) -> Vec<(i64, i64)> {
    let requests = scenario.simulator.take_requests();
    let window = |exchange| Some((query(exchange, "started_after")?, query(exchange, "started_before")?));
    let mut windows: Vec<_> = requests.iter().map(|exchange| window(exchange).expect("both ends")).collect();
    windows.dedup();
    windows
}

#[test]
fn a_range_of_months_is_asked_for_in_pieces_of_less_than_30_days() {
    let scenario = Scenario::new();
    assert_eq!(scenario.value(&walk("{ startTime = os.time() - 100 * 86400, endTime = os.time(), limit = 45 }")), 160);
    let windows = windows(&scenario);
    assert_eq!(windows.len(), 4, "{windows:?}");
    for (after, before) in &windows {
        assert!(before - after < 30 * DAY, "{windows:?}");
    }
    for (newer, older) in windows.iter().zip(&windows[1..]) {
        assert!((newer.0..=newer.0 + 1).contains(&older.1), "no gap, newest first: {windows:?}");
    }
    let whole = windows[0].1 - windows[3].0;
    assert_eq!(whole, 100 * DAY);
}

#[test]
fn a_range_that_cannot_be_is_refused() {
    check_refused("list_calls({ startTime = 2, endTime = 1 })", "endTime", "lies before startTime");
    check_refused("list_calls({ startTime = -1 })", "startTime", "expected Unix time in seconds");
    check_refused("list_calls({ startTime = 1.5 })", "startTime", "takes an integer");
    check_refused("list_calls({ startTime = '2026-05-01' })", "startTime", "takes an integer");
    check_refused("list_calls({ limit = 0 })", "limit", "expected 1 to 1000");
    check_refused("list_calls({ limit = 1001 })", "limit", "expected 1 to 1000");
    check_refused("list_calls({ cursor = 'kosmo-texts:0,0,0:x' })", "cursor", "is not a cursor of list_calls");
    check_refused("list_calls({ target_id = '1' })", "target_type", "is missing beside target_id");
    check_refused("list_calls({ startTme = 1 })", "startTme", "Did you mean: startTime");
}

#[test]
fn a_call_has_the_names_that_scripts_read_beside_the_vendors_own() {
    let check = |read: &str, expected: Value| {
        check("get_call({ id = 'call_abc123' })", &["GET /api/v2/call/call_abc123"], read, expected);
    };
    check("{ r.id, r.call_id }", json!(["call_abc123", "call_abc123"]));
    check("{ r.direction, r.from_number, r.external_number }", json!(["inbound", "+14155551234", "+14155551234"]));
    check("{ r.to_number, r.internal_number }", json!(["+14155552004", "+14155552004"]));
    check("{ r.duration, r.duration_ms }", json!([59, 59284]));
    check("type(r.date_started)", json!("string"));
    check("r.recording_details[1].recording_type", json!("callrecording"));
}

#[test]
fn an_outbound_call_comes_from_the_company_and_an_open_direction_is_unknown() {
    let list = "list_calls({ limit = 8 })";
    let check = |read: &str, expected: Value| check(list, &["GET /api/v2/call?limit=8"], read, expected);
    check("r.items[2].direction", json!("outbound"));
    check("r.items[2].from_number == r.items[2].internal_number", json!(true));
    check("r.items[2].to_number == r.items[2].external_number", json!(true));
    check("{ r.items[8].direction, type(r.items[8].from_number) }", json!(["unknown", "nil"]));
}

#[test]
fn one_call_is_read_by_id() {
    check(
        "get_call({ id = 6124309871150080 })",
        &["GET /api/v2/call/6124309871150080"],
        "r.id",
        json!("6124309871150080"),
    );
    check(
        "dialpad_get_call({ ID = '6124309871150080' })",
        &["GET /api/v2/call/6124309871150080"],
        "r.duration",
        json!(30),
    );
    for id in ["..", "a/b", "a?b", "%2e%2e", " ", "a,b", "\\0"] {
        check_refused(&format!("get_call({{ id = \"{id}\" }})"), "id", "expected up to 64 letters");
    }
    check_refused(&format!("get_call({{ id = '{}' }})", "a".repeat(65)), "id", "expected up to 64 letters");
    check_refused("get_call({ id = '' })", "id", "Missing required parameter(s): id");
    check_refused("get_call({ id = 1.5 })", "id", "takes a string");
}

#[test]
fn an_empty_list_is_a_list() {
    let scenario = Scenario::new();
    let list = |arguments| scenario.invoke("dialpad", "list_calls", arguments).expect("a page");
    assert_eq!(list(json!({"cursor": "example_cursor"})), r#"{"items":[]}"#);
    for body in ["{}", r#"{"items":null,"cursor":null}"#, r#"{"items":[],"cursor":""}"#] {
        scenario.simulator.inject(page(body));
        assert_eq!(list(json!({})), r#"{"items":[]}"#, "{body}");
    }
}

fn page(body: &str) -> Knob {
    let effect = Effect::Raw { status: 200, content_type: "application/json".into(), body: body.into() };
    Knob { matching: Matcher::new("dialpad", "GET", "/api/v2/call"), times: 1, effect }
}

#[test]
fn a_page_larger_than_asked_for_loses_nothing() {
    let scenario = Scenario::new();
    let five =
        r#"{"items":[{"call_id":"1"},{"call_id":"2"},{"call_id":"3"},{"call_id":"4"},{"call_id":"5"}],"cursor":"x"}"#;
    scenario.simulator.inject(page(five));
    scenario.simulator.inject(page(five));
    let two = "local list = app.integrations.dialpad.list_calls
        local one = list({ limit = 3 })
        local two = list({ limit = 2, cursor = one.cursor })
        local ids = {}
        for _, page in ipairs({ one, two }) do for _, call in ipairs(page.items) do table.insert(ids, call.id) end end
        return { table.concat(ids, ' '), two.cursor }";
    assert_eq!(scenario.value(two), json!(["1 2 3 4 5", "x"]));
    scenario.assert_sent(&["dialpad.default GET /api/v2/call?limit=3", "dialpad.default GET /api/v2/call?limit=5"]);
}

#[test]
fn a_cursor_that_leads_back_to_itself_ends_the_walk() {
    let scenario = Scenario::new();
    let knob = Knob { times: 9, ..page(r#"{"items":[{"call_id":"1"}],"cursor":"x"}"#) };
    scenario.simulator.inject(knob);
    let fault = scenario.fault("app.integrations.dialpad.list_calls({ limit = 100 })");
    assert_eq!(fault.code.as_str(), "provider", "{fault}");
    assert!(fault.message.contains("sent the same cursor twice"), "{fault}");
    assert!(scenario.sent().len() <= 3);
}
