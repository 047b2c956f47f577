//! Dialpad's calls, users, texts and exports.

use kosmo_simulator::Simulator;
use serde_json::{Value, json};

use crate::client::{Answer, call, call_as, exchange};

const DAY_MS: i128 = 86_400_000;

fn now_ms() -> i128 {
    time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000
}

/// Follows the cursor to the end and gives the size of every page.
#[track_caller]
fn pages(simulator: &Simulator, list: &str) -> Vec<usize> {
    let (mut sizes, mut target) = (Vec::new(), list.to_owned());
    loop {
        let page = call(simulator, "GET", &target, "").json();
        sizes.push(page["items"].as_array().map_or(0, Vec::len));
        let Some(cursor) = page["cursor"].as_str() else { return sizes };
        let joint = if list.contains('?') { '&' } else { '?' };
        target = format!("{list}{joint}cursor={cursor}");
    }
}

#[track_caller]
fn check_pages(list: &str, expected: &[usize]) {
    assert_eq!(pages(&Simulator::start(), list), expected, "{list}");
}

#[test]
fn lists_page_through_everything() {
    check_pages("/api/v2/call", &[25, 25, 25, 25, 25, 25, 10]);
    check_pages("/api/v2/call?limit=50", &[50, 50, 50, 10]);
    check_pages("/api/v2/users", &[100, 37]);
    check_pages("/api/v2/users?limit=60", &[60, 60, 17]);
    check_pages("/api/v2/users?company_admin=true", &[3]);
    check_pages("/api/v2/users?email=nobody@example.test", &[0]);
    check_pages("/api/v2/call?started_after=1000&started_before=1000&limit=1&cursor=example_cursor", &[0]);
}

#[track_caller]
fn check_refused(method: &str, target: &str, body: &str, status: u16, naming: &str) {
    let simulator = Simulator::start();
    let answer = call(&simulator, method, target, body);
    assert_eq!(answer.status, status, "{method} {target} {body}");
    let [exchange] = &simulator.requests()[..] else { panic!("one request was sent") };
    let why = exchange.refused.as_deref().expect("the exchange should be marked");
    assert!(why.contains(naming), "{why:?} should name {naming}");
}

#[test]
fn what_the_interface_does_not_document_is_refused() {
    check_refused("GET", "/api/v2/call?start_after=1", "", 400, "start_after");
    check_refused("GET", "/api/v2/call?limit=51", "", 400, "limit");
    check_refused("GET", "/api/v2/call?limit=0", "", 400, "limit");
    check_refused("GET", "/api/v2/call?target_type=human", "", 400, "target_type");
    check_refused("GET", "/api/v2/call?cursor=a&cursor=b", "", 400, "twice");
    check_refused("GET", "/api/v2/call?cursor=made-up", "", 400, "cursor");
    check_refused("GET", "/api/v2/users?limit=101", "", 400, "limit");
    check_refused("GET", "/api/v2/users?company_admin=1", "", 400, "company_admin");
    check_refused("GET", "/api/v2/users/me?limit=1", "", 400, "limit");
    check_refused("GET", "/api/v2/sms", "", 404, "GET /api/v2/sms");
    check_refused("GET", "/v1/users", "", 404, "/v1/users");
    check_refused("POST", "/api/v2/sms", r#"{"to":"+14155551234","text":"x"}"#, 400, "to is not a field");
    check_refused("POST", "/api/v2/sms", r#"{"to_numbers":["4155551234"],"text":"x"}"#, 400, "E.164");
    check_refused("POST", "/api/v2/sms", r#"{"to_numbers":["+14155551234"]}"#, 400, "text");
    check_refused("POST", "/api/v2/sms", r#"{"to_numbers":"+14155551234","text":"x"}"#, 400, "an array");
    check_refused("POST", "/api/v2/sms", "{", 400, "not JSON");
    check_refused("POST", "/api/v2/stats", r#"{"stat_type":"texts"}"#, 400, "export_type");
    check_refused("POST", "/api/v2/stats", r#"{"stat_type":"sms","export_type":"records"}"#, 400, "stat_type");
}

#[test]
fn a_cursor_belongs_to_the_filters_it_came_with() {
    let simulator = Simulator::start();
    let first = call(&simulator, "GET", "/api/v2/call?started_before=99999999999999", "").json();
    let cursor = first["cursor"].as_str().expect("there are more calls than one page");
    let other = call(&simulator, "GET", &format!("/api/v2/call?cursor={cursor}"), "");
    assert_eq!(other.status, 400);
}

#[test]
fn calls_come_newest_first_and_within_the_window() {
    let simulator = Simulator::start();
    let since = now_ms() - DAY_MS;
    let page = call(&simulator, "GET", &format!("/api/v2/call?limit=50&started_after={since}"), "").json();
    let started: Vec<i128> = page["items"]
        .as_array()
        .expect("calls of the last day exist")
        .iter()
        .map(|call| call["date_started"].as_str().expect("a string, as documented").parse().expect("digits"))
        .collect();
    assert_eq!(started.len(), 30);
    assert!(started.is_sorted_by(|newer, older| newer > older));
    assert!(started.iter().all(|at| *at > since));
}

#[test]
fn a_window_of_thirty_days_is_too_long() {
    let simulator = Simulator::start();
    let target =
        |days: i128| format!("/api/v2/call?started_after={}&started_before={}", now_ms() - days * DAY_MS, now_ms());
    assert_eq!(call(&simulator, "GET", &target(29), "").status, 200);
    assert_eq!(call(&simulator, "GET", &target(31), "").status, 400);
}

#[track_caller]
fn check_found(target: &str, pointer: &str, expected: Value) {
    let answer = call(&Simulator::start(), "GET", target, "");
    assert_eq!((answer.status, answer.json().pointer(pointer)), (200, Some(&expected)), "{target}");
}

#[test]
fn the_documented_ids_exist() {
    check_found("/api/v2/call/call_abc123", "/external_number", json!("+14155551234"));
    check_found("/api/v2/users/user_abc123", "/phone_numbers/0", json!("+14155551234"));
    check_found("/api/v2/users/me", "/phone_numbers/0", json!("+14155559876"));
    check_found("/api/v2/call?limit=20", "/items/7/direction", Value::Null);
}

#[test]
fn every_account_has_its_own_user() {
    let simulator = Simulator::start();
    let mut ids = kosmo_simulator::ACCOUNTS
        .map(|account| call_as(&simulator, account, "GET", "/api/v2/users/me", "").json()["id"].to_string())
        .to_vec();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[track_caller]
fn check_error(answer: &Answer, status: u16, message: &str) {
    assert_eq!(answer.status, status);
    let error = &answer.json()["error"];
    assert_eq!(error["code"], status);
    assert_eq!(error["errors"][0]["message"], error["message"]);
    assert!(error["message"].as_str().is_some_and(|text| text.contains(message)), "{error}");
}

#[test]
fn errors_come_in_the_documented_envelope() {
    let simulator = Simulator::start();
    let origin = simulator.dialpad_url();
    check_error(&exchange(origin, "GET", "/api/v2/users/me", "", ""), 401, "valid API key");
    check_error(
        &exchange(origin, "GET", "/api/v2/users/me", "authorization: Bearer wrong\r\n", ""),
        401,
        "valid API key",
    );
    check_error(&call(&simulator, "GET", "/api/v2/users/nobody", ""), 404, "User not found");
    check_error(&call(&simulator, "GET", "/api/v2/call/1", ""), 404, "Call not found");
    let picture = json!({"to_numbers": ["+14155551234"], "media": "A".repeat(1_000_000)}).to_string();
    check_error(&call(&simulator, "POST", "/api/v2/sms", &picture), 413, "1 MB");
}

#[test]
fn a_text_is_accepted_and_appears_in_the_next_export() {
    let simulator = Simulator::start();
    let body = json!({"to_numbers": ["+14155551234"], "from_number": "+14155559876", "text": "Hello from Dialpad!"});
    let sent = call(&simulator, "POST", "/api/v2/sms", &body.to_string()).json();
    assert_eq!((&sent["message_status"], &sent["text"]), (&json!("pending"), &json!("Hello from Dialpad!")));
    assert_eq!(simulator.sms_sent()[0].id, sent["id"].as_str().expect("an id"));
    let csv = download(&simulator, &export(&simulator, WHOLE_RANGE));
    assert!(csv.body.contains("Hello from Dialpad!"));
}

#[test]
fn a_department_can_send_too() {
    let simulator = Simulator::start();
    let body = r#"{"to_numbers":["+14155551234"],"sender_group_id":5220648944236254,"sender_group_type":"department","text":"x"}"#;
    assert_eq!(call(&simulator, "POST", "/api/v2/sms", body).json()["from_number"], "+14155551200");
    let unknown = body.replace("5220648944236254", "7");
    assert_eq!(call(&simulator, "POST", "/api/v2/sms", &unknown).status, 400);
}

/// Starts an export, polls it once in vain and gives the address of the finished one.
#[track_caller]
fn export(simulator: &Simulator, body: &str) -> String {
    let started = call(simulator, "POST", "/api/v2/stats", body).json();
    let poll = format!("/api/v2/stats/{}", started["request_id"].as_str().expect("an id"));
    assert_eq!(call(simulator, "GET", &poll, "").json(), json!({"status": "processing"}));
    let done = call(simulator, "GET", &poll, "").json();
    assert_eq!((&done["status"], &done["file_type"]), (&json!("complete"), &json!("csv")));
    done["download_url"].as_str().expect("an address").to_owned()
}

#[track_caller]
fn download(simulator: &Simulator, url: &str) -> Answer {
    let target = url.strip_prefix(simulator.exports_url()).expect("exports are on their own origin");
    exchange(simulator.exports_url(), "GET", target, "", "")
}

const WHOLE_RANGE: &str =
    r#"{"export_type":"records","stat_type":"texts","days_ago_start":0,"days_ago_end":30,"timezone":"UTC"}"#;

#[test]
fn an_export_is_fetched_without_a_credential_from_another_origin() {
    let simulator = Simulator::start();
    let url = export(&simulator, WHOLE_RANGE);
    let csv = download(&simulator, &url);
    assert!(
        csv.body
            .starts_with("date,message_id,name,email,target_type,target_id,sender_id,direction,to_phone,from_phone,")
    );
    assert!(csv.body.contains("\"He said \"\"tomorrow, at noon\"\".\""));
    let target = url.strip_prefix(simulator.exports_url()).expect("exports are on their own origin");
    let with_credential = exchange(simulator.exports_url(), "GET", target, "authorization: Bearer x\r\n", "");
    assert_eq!(with_credential.status, 400);
    assert!(simulator.requests().last().is_some_and(|exchange| exchange.refused.is_some()));
}

#[test]
fn a_signed_url_is_good_only_as_it_was_signed() {
    let simulator = Simulator::start();
    let url = export(&simulator, WHOLE_RANGE);
    assert_eq!(download(&simulator, &url.replace("%2B", "+")).status, 403);
    assert_eq!(download(&simulator, &url.replace(".csv", ".txt")).status, 404);
}

#[test]
fn the_same_export_is_not_started_twice_while_it_runs() {
    let simulator = Simulator::start();
    simulator.set_export_polls(2);
    let first = call(&simulator, "POST", "/api/v2/stats", WHOLE_RANGE).json();
    let again = call(&simulator, "POST", "/api/v2/stats", WHOLE_RANGE).json();
    assert_eq!((&first["already_started"], &again["already_started"]), (&json!(false), &json!(true)));
    assert_eq!(first["request_id"], again["request_id"]);
    let other = call(&simulator, "POST", "/api/v2/stats", &WHOLE_RANGE.replace("30", "29")).json();
    assert_ne!(first["request_id"], other["request_id"]);
}

#[test]
fn an_export_of_today_holds_only_today() {
    let simulator = Simulator::start();
    let rows = |body: &str| download(&simulator, &export(&simulator, body)).body.matches("\r\n").count();
    let today = rows(r#"{"export_type":"records","stat_type":"texts","is_today":true,"days_ago_end":30}"#);
    let all = rows(WHOLE_RANGE);
    assert!(today < all && all == 146, "{today} of {all}");
}
