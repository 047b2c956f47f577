use super::*;
use crate::moment::DAY;
use crate::outside::script::Script;

#[track_caller]
fn check_request(arguments: &str, expected: &str) {
    let mut script = Script::new([(200, "{}")]);
    let list = list(&Invocation::test("list_calls", arguments), &mut script).expect("a list");
    assert_eq!((script.asked.join("\n").as_str(), list.as_str()), (expected, r#"{"items":[]}"#));
}

#[test]
fn a_list_asks_in_milliseconds_and_for_no_more_than_it_needs() {
    check_request("{}", "GET /api/v2/call?limit=50");
    check_request(r#"{"limit":20}"#, "GET /api/v2/call?limit=20");
    check_request(r#"{"limit":100,"cursor":"a+b"}"#, "GET /api/v2/call?limit=50&cursor=a%2Bb");
    check_request(
        r#"{"startTime":1767139200,"endTime":1767225600}"#,
        "GET /api/v2/call?started_after=1767139200000&started_before=1767225600000&limit=50",
    );
    check_request(
        r#"{"startTime":1,"endTime":1,"limit":1,"cursor":"example_cursor"}"#,
        "GET /api/v2/call?started_after=1000&started_before=1000&limit=1&cursor=example_cursor",
    );
    check_request(
        r#"{"target_id":"5835806903417907","target_type":"user"}"#,
        "GET /api/v2/call?target_id=5835806903417907&target_type=user&limit=50",
    );
}

#[track_caller]
fn check_refused(arguments: &str, parameter: &str) {
    let mut script = Script::new([]);
    match list(&Invocation::test("list_calls", arguments), &mut script) {
        Err(Fault::InvalidArgument(error)) => assert_eq!(error.parameter, parameter),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    check_refused(r#"{"limit":0}"#, "limit");
    check_refused(r#"{"startTime":-1}"#, "startTime");
    check_refused(r#"{"startTime":2,"endTime":1}"#, "endTime");
    check_refused(r#"{"target_id":"5"}"#, "target_type");
    check_refused(r#"{"target_type":"user"}"#, "target_id");
    check_refused(r#"{"target_id":"5/6","target_type":"user"}"#, "target_id");
    check_refused(r#"{"cursor":"kosmo-window:1:x"}"#, "cursor");
    check_refused(r#"{"cursor":"kosmo-window:-1,2,3,4:x"}"#, "cursor");
}

/// An answer with calls of these ids.
fn page(ids: std::ops::Range<usize>, cursor: Option<&str>) -> String {
    api::listing(ids.map(|id| json!({"call_id": id.to_string()})).collect(), cursor.map(Into::into))
}

fn ids(list: &str) -> Vec<usize> {
    let list: Value = serde_json::from_str(list).expect("JSON");
    let calls = list["items"].as_array().expect("items");
    calls.iter().map(|call| call["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")).collect()
}

fn cursor(list: &str) -> Option<String> {
    serde_json::from_str::<Value>(list).expect("JSON")["cursor"].as_str().map(Into::into)
}

#[test]
fn a_limit_of_100_gives_100_over_pages() {
    let pages = [page(0..50, Some("two")), page(50..75, Some("three")), page(75..100, Some("four"))];
    let mut script = Script::new(pages.iter().map(|page| (200, page.as_str())));
    let list = list(&Invocation::test("list_calls", r#"{"limit":100}"#), &mut script).expect("a list");
    assert_eq!(ids(&list), (0..100).collect::<Vec<_>>());
    assert_eq!(cursor(&list).as_deref(), Some("four"));
    let asked = ["limit=50", "limit=50&cursor=two", "limit=25&cursor=three"].map(|q| format!("GET /api/v2/call?{q}"));
    assert_eq!(script.asked, asked);
}

#[test]
fn a_page_larger_than_asked_for_is_handed_out_in_parts() {
    let (first, large) = (r#"{"limit":3}"#, page(0..5, Some("next")));
    let mut script = Script::new([(200, large.as_str())]);
    let one = list(&Invocation::test("list_calls", first), &mut script).expect("a list");
    assert_eq!((ids(&one), cursor(&one).as_deref()), (vec![0, 1, 2], Some("kosmo-page:3:")));

    let rest = page(5..6, None);
    let mut script = Script::new([(200, large.as_str()), (200, rest.as_str())]);
    let arguments = json!({"limit": 3, "cursor": cursor(&one)}).to_string();
    let two = list(&Invocation::test("list_calls", &arguments), &mut script).expect("a list");
    assert_eq!((ids(&two), cursor(&two)), (vec![3, 4, 5], None));
    assert_eq!(script.asked, ["GET /api/v2/call?limit=6", "GET /api/v2/call?limit=1&cursor=next"]);
}

#[test]
fn a_long_range_is_walked_from_its_newest_window_to_its_oldest() {
    let now = Script::new([]).now;
    let (start, edge) = (now - 40 * DAY, now - 30 * DAY + 1);
    let arguments =
        |cursor: Option<String>| json!({"startTime": start, "endTime": now, "limit": 3, "cursor": cursor}).to_string();
    let pages = [page(0..2, None), page(2..3, Some("more"))];
    let mut script = Script::new(pages.iter().map(|page| (200, page.as_str())));
    let one = list(&Invocation::test("list_calls", &arguments(None)), &mut script).expect("a list");
    assert_eq!(ids(&one), [0, 1, 2]);
    let older = format!("GET /api/v2/call?started_after={start}&started_before={}", edge + 1);
    let newest = format!("GET /api/v2/call?started_after={edge}&started_before={now}&limit=3");
    assert_eq!(script.asked, [newest, format!("{older}&limit=1")]);

    // The second page is asked for a day later, and still in the window its cursor belongs to.
    let last = page(3..5, None);
    let mut script = Script::new([(200, last.as_str())]);
    script.now += DAY;
    let two = list(&Invocation::test("list_calls", &arguments(cursor(&one))), &mut script).expect("a list");
    assert_eq!((ids(&two), cursor(&two)), (vec![3, 4], None));
    assert_eq!(script.asked, [format!("{older}&limit=3&cursor=more")]);
}

#[test]
fn a_range_of_decades_ends_in_a_cursor_and_not_in_a_thousand_requests() {
    let mut script = Script::new([(200, "{}"); 60]);
    let list = list(&Invocation::test("list_calls", r#"{"startTime":1}"#), &mut script).expect("a list");
    assert_eq!((script.asked.len(), ids(&list)), (50, vec![]));
    assert!(cursor(&list).is_some_and(|cursor| cursor.starts_with("kosmo-window:0,")));
}

#[track_caller]
fn check_call(sent: &str, expected: &str) {
    let mut script = Script::new([(200, sent)]);
    let call = one(&Invocation::test("get_call", r#"{"id":"call_abc123"}"#), &mut script).expect("a call");
    assert_eq!((script.asked.join(""), call.as_str()), ("GET /api/v2/call/call_abc123".into(), expected));
}

#[test]
fn a_call_has_the_names_and_units_scripts_read_beside_dialpads_own() {
    check_call(
        r#"{"call_id":"1002","direction":"inbound","external_number":"+1","internal_number":"+2","duration":61500.0}"#,
        r#"{"call_id":"1002","direction":"inbound","external_number":"+1","internal_number":"+2","duration":62,"id":"1002","from_number":"+1","to_number":"+2","duration_ms":61500.0}"#,
    );
    check_call(
        r#"{"direction":"outbound","contact":{"phone":"+1"},"target":{"phone":"+2"},"total_duration":5000}"#,
        r#"{"direction":"outbound","contact":{"phone":"+1"},"target":{"phone":"+2"},"total_duration":5000,"from_number":"+2","to_number":"+1"}"#,
    );
    check_call(
        r#"{"call_id":9007199254740993,"direction":null,"external_number":"+1","duration":null}"#,
        r#"{"call_id":9007199254740993,"direction":"unknown","external_number":"+1","duration":null,"id":9007199254740993}"#,
    );
    check_call(r#"{"duration":1499}"#, r#"{"duration":1,"direction":"unknown","duration_ms":1499}"#);
    check_call("{}", r#"{"direction":"unknown"}"#);
    check_call("[]", "[]");
}

#[test]
fn an_id_that_is_none_is_refused_before_anything_is_sent() {
    for id in ["../users", "a/b", "a b"] {
        let arguments = json!({ "id": id }).to_string();
        let outcome = one(&Invocation::test("get_call", &arguments), &mut Script::new([]));
        assert!(matches!(outcome, Err(Fault::InvalidArgument(_))), "{id}");
    }
}

#[track_caller]
fn check_fault(status: u16, body: &str, expected: &str) {
    let mut script = Script::new([(status, body)]);
    let fault = one(&Invocation::test("get_call", r#"{"id":"1"}"#), &mut script).expect_err("a fault");
    assert!(format!("{fault:?}").contains(expected), "{fault:?}");
}

#[test]
fn errors_in_json_text_and_html_are_survived() {
    check_fault(404, "Requested URL /api/v2/call/1 not found", "Requested URL /api/v2/call/1 not found");
    check_fault(502, "<html><title>Bad Gateway</title></html>", "Bad Gateway");
    check_fault(500, "", "the body is empty");
    let body = r#"{"error":{"code":429,"message":"Rate limit exceeded","errors":[{"reason":"rateLimitExceeded"}]}}"#;
    check_fault(429, body, "rateLimitExceeded");
}
