use super::*;
use crate::outside::script::Script;

const STARTED: (u16, &str) = (200, r#"{"request_id":"r1","already_started":false}"#);
const PROCESSING: (u16, &str) = (200, r#"{"status":"processing"}"#);
const COMPLETE: (u16, &str) =
    (200, r#"{"status":"complete","download_url":"https://exports.test/r1.csv?Signature=a%2Bb","file_type":"csv"}"#);
const FILE: (u16, &str) =
    (200, "date,message_id,to_phone,from_phone\n2025-12-31 01:00:00,1,+1,+2\n2025-12-31 02:00:00,2,+1,+2\n");
const POST: &str = r#"POST /api/v2/stats {"export_type":"records","stat_type":"texts","days_ago_start":0,"days_ago_end":30,"timezone":"UTC"}"#;
const POLL: &str = "GET /api/v2/stats/r1";
const GET: &str = "GET https://exports.test/r1.csv?Signature=a%2Bb";

fn run(arguments: &str, script: &mut Script) -> Result<String, Fault> {
    list(&Invocation::test("list_sms", arguments), script)
}

#[test]
fn an_export_is_started_asked_after_and_downloaded_with_its_url_untouched() {
    let mut script = Script::new([STARTED, PROCESSING, PROCESSING, COMPLETE, FILE]);
    let list = run("{}", &mut script).expect("a list");
    assert!(list.starts_with(r#"{"items":[{"date":"2025-12-31 02:00:00","message_id":"2""#), "{list}");
    assert_eq!(script.asked, [POST, POLL, POLL, POLL, GET]);
    assert_eq!(script.waited, Duration::from_millis(900));
}

#[track_caller]
fn check_order(arguments: &str, expected: &str) {
    let mut script = Script::new([STARTED, COMPLETE, FILE]);
    script.now += 12 * 3_600_000;
    run(arguments, &mut script).expect("a list");
    let (head, tail) = (r#"POST /api/v2/stats {"export_type":"records","stat_type":"texts","#, r#","timezone":"UTC"}"#);
    assert_eq!(script.asked[0], format!("{head}{expected}{tail}"));
}

/// The clock stands at noon of 2026-01-01.
#[test]
fn a_range_becomes_days_counted_back_from_today() {
    check_order("{}", r#""days_ago_start":0,"days_ago_end":30"#);
    check_order(r#"{"startTime":1767225600}"#, r#""is_today":true"#);
    check_order(r#"{"startTime":1767225599}"#, r#""days_ago_start":0,"days_ago_end":1"#);
    check_order(r#"{"startTime":1767139200,"endTime":1767225599}"#, r#""days_ago_start":1,"days_ago_end":1"#);
    check_order(r#"{"endTime":1766620800}"#, r#""days_ago_start":7,"days_ago_end":37"#);
    check_order(r#"{"startTime":1767225600000,"endTime":1799999999000}"#, r#""is_today":true"#);
    check_order(r#"{"startTime":1799999999}"#, r#""is_today":true"#);
    check_order(r#"{"endTime":1}"#, r#""days_ago_start":20454,"days_ago_end":20454"#);
}

#[test]
fn an_export_that_takes_too_long_is_resumed_and_never_started_twice() {
    let mut script = Script::new([&[STARTED][..], &[PROCESSING; 30]].concat());
    let Err(Fault::NotReady(fault)) = run("{}", &mut script) else { panic!("ready") };
    assert_eq!(fault.retry_after, RETRY_AFTER);
    assert!(script.waited > Duration::from_secs(17) && script.waited <= PATIENCE, "{:?}", script.waited);

    let mut later = Script::new([PROCESSING, COMPLETE, FILE]);
    later.now += 3 * DAY;
    let resume = fault.resume.expect("something to go on with");
    run_resumed(&resume, &mut later).expect("a list");
    assert_eq!(later.asked, [POLL, POLL, GET]);
}

fn run_resumed(resume: &str, script: &mut Script) -> Result<String, Fault> {
    list(&Invocation::test("list_sms", "{}").resuming(resume), script)
}

#[test]
fn a_cursor_reads_the_same_export_again() {
    let mut script = Script::new([STARTED, COMPLETE, FILE]);
    let first: Value = serde_json::from_str(&run(r#"{"limit":1}"#, &mut script).expect("a list")).expect("JSON");
    assert_eq!((&first["items"][0]["id"], first["items"].as_array().map(Vec::len)), (&json!("2"), Some(1)));

    let mut script = Script::new([COMPLETE, FILE]);
    let arguments = json!({"limit": 1, "cursor": first["cursor"]}).to_string();
    let second: Value = serde_json::from_str(&run(&arguments, &mut script).expect("a list")).expect("JSON");
    assert_eq!((&second["items"][0]["id"], second.get("cursor")), (&json!("1"), None));
    assert_eq!(script.asked, [POLL, GET]);
}

#[test]
fn a_cursor_of_something_else_is_refused_before_anything_is_sent() {
    for cursor in
        ["example_cursor", "kosmo-texts:0,1:r1", "kosmo-texts:-1,0,1:r1", "kosmo-texts:0,0,1:..", "kosmo-page:1:"]
    {
        let outcome = run(&json!({ "cursor": cursor }).to_string(), &mut Script::new([]));
        assert!(matches!(outcome, Err(Fault::InvalidArgument(error)) if error.parameter == "cursor"), "{cursor}");
    }
}

#[track_caller]
fn check_fault(answers: &[(u16, &str)], variant: &str, words: &str) {
    let fault = run("{}", &mut Script::new(answers.iter().copied())).expect_err("a fault");
    let shown = format!("{fault:?}");
    assert!(shown.starts_with(&format!("Fault::{variant}")) && shown.contains(words), "{shown}");
}

#[test]
fn every_way_to_fail_has_its_fault() {
    let error = r#"{"error":{"message":"No."}}"#;
    check_fault(&[(401, error)], "Unauthorized", "No.");
    check_fault(&[(403, error)], "Forbidden", "No. (listing texts needs");
    check_fault(&[(429, error)], "RateLimited", "No.");
    check_fault(&[(200, "{}")], "Provider", "request_id");
    check_fault(&[STARTED, (404, error)], "NotFound", "No. (Dialpad keeps an export");
    check_fault(&[STARTED, (200, r#"{"status":"failed"}"#)], "Provider", "could not make the export");
    check_fault(&[STARTED, (200, r#"{"status":"complete","download_url":null}"#)], "Provider", "without a URL");
    check_fault(&[STARTED, (200, r#"{"status":"complete","download_url":"/r1"}"#)], "Provider", "without a URL");
    check_fault(&[STARTED, COMPLETE, (403, "<Error/>")], "Provider", "does not hand out");
    check_fault(&[STARTED, COMPLETE, (200, "<html>")], "Provider", "not one of texts");
}

#[test]
fn passing_trouble_does_not_lose_an_export() {
    for answers in [
        &[STARTED, (429, "")][..],
        &[STARTED, (503, "")],
        &[STARTED, PROCESSING, (500, "")],
        &[STARTED, COMPLETE, (503, "")],
        &[STARTED, COMPLETE, (429, "")],
    ] {
        match run("{}", &mut Script::new(answers.iter().copied())) {
            Err(Fault::NotReady(fault)) => assert!(fault.resume.is_some_and(|resume| resume.ends_with(":r1"))),
            other => panic!("{other:?}"),
        }
    }
}
