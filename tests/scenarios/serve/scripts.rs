//! `run_lua`: what scripts give back, what they may do, and how they are watched and stopped.

use super::{SEND, slow, until};
use kosmo_tests::{Pipes, Scenario};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[test]
fn a_script_gives_its_envelope_as_data_and_what_a_person_would_read_as_text() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    let code = "print('hello') return #app.integrations.dialpad.work.list_users{}.items, {a = 1}";
    let result = client.tool("run_lua", json!({"code": code}));
    assert_eq!(result["isError"], false);
    let envelope = &result["structuredContent"];
    assert_eq!((&envelope["success"], &envelope["output"]), (&json!(true), &json!("hello")));
    assert_eq!(envelope["integration_calls"][0]["path"], "integrations.dialpad.work.list_users");
    let users = envelope["result"][0].as_u64().expect("a count");
    assert_eq!(result["content"][0]["text"], format!("hello\n{users}\n{{\n  \"a\": 1\n}}"));
    let ran = client.end();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_script_that_fails_is_a_result_that_says_so_and_not_an_error_of_the_protocol() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    let result = client.tool("run_lua", json!({"code": "print('before') app.integrations.dialpad.get_call{}"}));
    assert_eq!(result["isError"], true);
    assert_eq!(result["structuredContent"]["fault"]["code"], "invalid_argument");
    let text = result["content"][0]["text"].as_str().expect("text");
    assert!(text.starts_with("before\nMissing required parameter(s): id."), "{text}");
    let result = client.tool("run_lua", json!({"kode": "return 1"}));
    assert_eq!(result["isError"], true);
    assert!(result["content"][0]["text"].as_str().expect("text").contains("unknown field `kode`"), "{result}");
    let answer = client.call("tools/call", json!({"name": "run_luaa"}));
    assert_eq!(answer["error"]["code"], -32602);
    assert_eq!(answer["error"]["message"], "Unknown tool: run_luaa. Did you mean: run_lua");
}

#[test]
fn each_script_starts_afresh_and_its_account_time_and_size_are_as_asked() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &["--max-result-chars", "2000"]);
    client.run("kept = 1");
    assert_eq!(client.run("return kept")["result"], json!([null]), "a session of its own");
    client.tool("run_lua", json!({"code": "app.integrations.dialpad.list_users{}", "account": "work"}));
    assert!(scenario.sent().iter().all(|line| line.starts_with("dialpad.work ")));
    let begun = Instant::now();
    let result = client.tool("run_lua", json!({"code": "while true do end", "timeout": 0.5}));
    assert_eq!(result["structuredContent"]["fault"]["code"], "timeout", "{result}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    let result = client.tool("run_lua", json!({"code": "return ('x'):rep(5000)"}));
    assert_eq!(result["isError"], true);
    let text = result["content"][0]["text"].as_str().expect("text");
    assert!(text.starts_with("The run took place, but what came of it has 5"), "{text}");
    assert!(result.to_string().len() < 6000);
}

#[test]
fn nothing_is_written_unless_the_server_was_told_to_let_it() {
    let scenario = Scenario::writable();
    let mut client = Pipes::start(&scenario, &[]);
    let envelope = client.run(SEND);
    assert_eq!(envelope["fault"]["code"], "denied");
    let expected = "Integration 'dialpad' write access denied: this MCP server does not write. Whoever runs the server \
                    can start `kosmo mcp:serve` with --write=ask or --write=allow.";
    assert_eq!(envelope["error"], expected);
    assert!(scenario.simulator.sms_sent().is_empty());
    let mut client = Pipes::start(&scenario, &["--write=allow"]);
    assert_eq!(client.run(SEND)["success"], true);
    assert_eq!(scenario.simulator.sms_sent().len(), 1);
}

#[test]
fn a_server_only_narrows_what_the_operator_permits_and_force_never_passes_over_the_server() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &["--write=allow"]);
    assert_eq!(client.run(SEND)["fault"]["code"], "approval_required", "the operator said `ask`");
    let mut client = Pipes::start(&scenario, &["--force"]);
    let envelope = client.run(SEND);
    assert_eq!(
        (&envelope["fault"]["code"], &envelope["meta"]["permission_bypassed"]),
        (&json!("denied"), &json!(true))
    );
    let ran = client.end();
    assert!(ran.stderr.starts_with("kosmo: warning: --force: the operator's permissions are passed over"), "{ran:?}");
    let mut client = Pipes::start(&scenario, &["--force", "--write=allow"]);
    assert_eq!(client.run(SEND)["success"], true);
    let audit = scenario.kosmo(&["audit", "--json"]).stdout;
    assert!(audit.contains("\"forced\""), "{audit}");
}

#[test]
fn a_dry_run_lists_what_would_be_sent_and_sends_nothing() {
    let scenario = Scenario::writable();
    let mut client = Pipes::start(&scenario, &["--write=allow"]);
    let result = client.tool("run_lua", json!({"code": SEND, "dry_run": true}));
    let requests = &result["structuredContent"]["requests"];
    assert_eq!((&requests[0]["method"], &requests[0]["sent"]), (&json!("POST"), &json!(false)), "{result}");
    assert!(result["content"][0]["text"].as_str().expect("text").ends_with("Dry run: 1 requests were not sent."));
    assert!(scenario.simulator.sms_sent().is_empty());
}

#[test]
fn progress_tells_what_is_invoked_and_every_request_of_it() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    let code = "app.integrations.dialpad.list_users{} app.integrations.ringcentral.get_account{}";
    let call = json!({"name": "run_lua", "arguments": {"code": code}, "_meta": {"progressToken": "t-1"}});
    assert_eq!(client.call("tools/call", call)["result"]["isError"], false);
    let told: Vec<_> = client.aside.iter().filter(|message| message["method"] == "notifications/progress").collect();
    assert!(told.iter().all(|message| message["params"]["progressToken"] == "t-1"));
    let numbers: Vec<_> =
        told.iter().map(|message| message["params"]["progress"].as_f64().expect("a number")).collect();
    assert!(numbers.is_sorted_by(|one, two| one < two), "{numbers:?}");
    let texts: Vec<_> = told.iter().map(|message| message["params"]["message"].as_str().expect("text")).collect();
    assert_eq!(texts[0], "dialpad.list_users on default");
    assert!(
        texts.contains(&"dialpad.list_users: request 1, 200") && texts.contains(&"ringcentral.get_account on default")
    );
    client.aside.clear();
    client.run(code);
    assert!(client.aside.is_empty(), "nobody asked for it");
}

#[test]
fn a_cancelled_script_ends_and_its_client_hears_no_more_of_it() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    slow(&scenario, "GET", "/api/v2/users", Duration::from_secs(60));
    let code = "app.integrations.dialpad.list_users{} app.integrations.dialpad.get_user{id = '1'}";
    let id = client.ask("tools/call", json!({"name": "run_lua", "arguments": {"code": code}}));
    until("the request", || !scenario.simulator.requests().is_empty());
    client.notify("notifications/cancelled", json!({"requestId": id, "reason": "enough"}));
    client.notify("notifications/cancelled", json!({"requestId": 987_654}));
    // The next one is answered, by a server that is not busy with the first any more.
    let begun = Instant::now();
    assert_eq!(client.run("return 1")["result"], json!([1]));
    until("the end of the script", || audited(&scenario).iter().any(|line| line["function"] == "list_users"));
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(client.aside.iter().all(|message| message["id"] != id), "{:?}", client.aside);
    assert_eq!(scenario.simulator.requests().len(), 1, "nothing was sent any more");
}

#[test]
fn a_write_on_its_way_is_not_torn_apart_when_its_client_goes_away() {
    let scenario = Scenario::writable();
    let mut client = Pipes::start(&scenario, &["--write=allow"]);
    slow(&scenario, "POST", "/api/v2/sms", Duration::from_secs(2));
    let code = format!("local one = {} {SEND}", SEND.trim_start_matches("return "));
    client.ask("tools/call", json!({"name": "run_lua", "arguments": {"code": code}}));
    until("the text", || !scenario.simulator.sms_sent().is_empty());
    let ran = client.end();
    assert_eq!(ran.code, 0, "{ran:?}");
    let ends: Vec<_> = audited(&scenario).into_iter().filter(|line| line["function"] == "send_sms").collect();
    assert_eq!(ends[0]["outcome"], "ok", "{ends:?}");
}

#[test]
fn what_a_client_wants_to_hear_is_told() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    client.run("return 1");
    assert!(client.aside.is_empty(), "{:?}", client.aside);
    assert_eq!(client.call("logging/setLevel", json!({"level": "info"}))["result"], json!({}));
    client.run("return 1");
    let told = client.wait_for("notifications/message");
    assert_eq!((&told["params"]["level"], &told["params"]["data"]["tool"]), (&json!("info"), &json!("run_lua")));
    assert_eq!(client.call("ping", Value::Null)["result"], json!({}));
}

/// The ends of invocations in the audit log.
fn audited(scenario: &Scenario) -> Vec<Value> {
    let text = scenario.kosmo(&["audit", "--json"]).stdout;
    let all: Value = serde_json::from_str(&text).unwrap_or_default();
    let records = all.as_array().cloned().unwrap_or_default();
    records.into_iter().filter(|record| record["kind"] == "invocation").collect()
}
