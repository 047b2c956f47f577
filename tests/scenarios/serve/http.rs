//! Over HTTP: who is let in, what there is besides the protocol, and what is counted.

use kosmo_tests::{Scenario, Web};
use serde_json::{Value, json};
use std::io::{Read, Write};

#[test]
fn a_session_lists_and_calls_as_over_pipes() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    let mut session = server.converse();
    let tools = session.call("tools/list", Value::Null);
    assert_eq!(tools["result"]["tools"][0]["name"], "run_lua");
    assert_eq!(session.run("return #app.integrations.dialpad.list_users{}.items > 0")["result"], json!([true]));
    assert_eq!(session.call("ping", Value::Null)["result"], json!({}));
}

#[test]
fn without_tokens_one_is_made_for_the_run_and_nothing_goes_without_it() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    let token = server.token.clone().expect("a token");
    assert!(token.starts_with("kosmo_") && token.len() == 49, "{token}");
    server.converse_as(&token).expect("a session");
    for wrong in ["", "kosmo_", &token[..48], &format!("{token}x"), "Bearer"] {
        let refused = server.converse_as(wrong).expect_err(wrong);
        assert_eq!(refused.status, 401, "{wrong}");
        assert_eq!(refused.header("www-authenticate").as_deref(), Some("Bearer realm=\"kosmo\""));
    }
    assert_eq!(server.post(&[("Authorization", "Basic abc")], "{}").status, 401);
    assert_eq!(server.metric("kosmo_refusals_total{reason=\"token\"}"), Some(6.0));
}

#[test]
fn every_program_of_this_machine_is_let_in_only_where_somebody_said_so() {
    let scenario = Scenario::new();
    let mut session = Web::start(&scenario, &["--no-token"]).converse();
    // The server ended with its handle; what counts is that a session was given.
    let _ = &mut session;
    let refused = scenario.kosmo(&["mcp:serve", "--http", "0.0.0.0:0", "--no-token"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("--no-token is for this machine only, and 0.0.0.0:0 can be reached from others."));
    let refused = scenario.kosmo(&["mcp:serve", "--no-token"]);
    assert_eq!(refused.code, 2, "it is about --http");
}

#[test]
fn whoever_looks_after_the_server_is_told_how_it_is() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    assert_eq!((server.get("/healthz").status, server.get("/healthz").body.as_str()), (200, "ok\n"));
    assert_eq!((server.get("/readyz").status, server.get("/readyz").body.as_str()), (200, "ready\n"));
    assert_eq!(server.get("/nonsense").status, 404);
    assert_eq!(server.get("/mcp").status, 401);
}

#[test]
fn metrics_count_by_what_plugins_declare_and_hold_no_secrets() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &["--functions"]);
    let mut session = server.converse();
    session.run("app.integrations.dialpad.list_users{} return 1");
    session.run("return app.integrations.dialpad.made_up_by_a_script{}");
    session.run("return app.integrations.dialpad.send_sms({from = '+14155559876', to = '+16505559876', text = 'x'})");
    session.call("tools/call", json!({"name": "dialpad_get_call", "arguments": {"id": "no-such-call"}}));
    let reply = server.get("/metrics");
    assert!(reply.header("content-type").expect("a type").starts_with("application/openmetrics-text"));
    let metric = |start: &str| server.metric(start);
    let invoked = |function: &str, outcome: &str| {
        metric(&format!(
            "kosmo_invocations_total{{provider=\"dialpad\",function=\"{function}\",outcome=\"{outcome}\"}}"
        ))
    };
    assert_eq!(invoked("list_users", "ok"), Some(1.0));
    assert_eq!(invoked("send_sms", "denied"), Some(1.0));
    assert_eq!(metric("kosmo_requests_total{provider=\"dialpad\",status=\"2xx\"}"), Some(1.0));
    assert_eq!(metric("kosmo_tool_calls_total{tool=\"run_lua\",outcome=\"ok\"}"), Some(1.0));
    assert_eq!(metric("kosmo_tool_calls_total{tool=\"run_lua\",outcome=\"error\"}"), Some(2.0));
    assert_eq!(metric("kosmo_tool_calls_total{tool=\"function\",outcome=\"error\"}"), Some(1.0));
    assert_eq!(metric("kosmo_sessions"), Some(1.0));
    assert_eq!(metric("kosmo_lost_threads"), Some(0.0));
    assert_eq!(metric("kosmo_pool_instances"), Some(0.0));
    let text = server.get("/metrics").body;
    assert!(
        text.ends_with("# EOF\n") && text.contains("kosmo_invocation_seconds_bucket{le=\"0.3\",provider=\"dialpad\"")
    );
    for secret in [&server.token.clone().expect("a token"), "made_up_by_a_script", "+14155559876", "sim-dialpad"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn metrics_are_this_machines_own_and_not_what_a_proxy_on_it_passes_on() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    assert_eq!(server.get("/metrics").status, 200);
    let passed_on = [("X-Forwarded-For", "192.0.2.1")];
    assert_eq!(server.get_with(&passed_on, "/metrics").status, 200, "with a token");
    let (address, mut answer) = (server.address, String::new());
    let mut stream = server.connect();
    let head = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
    stream.write_all(head.as_bytes()).and_then(|()| stream.read_to_string(&mut answer)).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 401") && !answer.contains("kosmo_"), "{answer}");
    let public = Web::start(&scenario, &["--allow-host", "kosmo.example.com"]);
    assert_eq!((public.get("/metrics").status, public.get("/healthz").status), (401, 200));
    assert_eq!(public.get_with(&[], "/metrics").status, 200);
}

#[test]
fn a_client_of_the_revision_with_batches_is_answered_in_the_one_before() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    for (asked, answered) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2024-11-05"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ] {
        let client = json!({"name": "test", "version": "1"});
        let params = json!({"protocolVersion": asked, "capabilities": {}, "clientInfo": client});
        let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let reply = server.post(&[], &hello.to_string());
        assert_eq!(reply.messages()[0]["result"]["protocolVersion"], answered, "{asked}: {reply:?}");
    }
}

#[test]
fn progress_comes_on_the_stream_of_the_call() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    let mut session = server.converse();
    let arguments = json!({"code": "app.integrations.dialpad.list_users{}"});
    let call = json!({"name": "run_lua", "arguments": arguments, "_meta": {"progressToken": 7}});
    let messages = session.try_call("tools/call", call).messages();
    let told: Vec<_> = messages.iter().filter(|message| message["method"] == "notifications/progress").collect();
    assert_eq!(told[0]["params"]["progressToken"], 7);
    assert_eq!(told[0]["params"]["message"], "dialpad.list_users on default");
    assert_eq!(messages.last().expect("an answer")["id"], session.last());
}

#[test]
fn a_web_page_that_was_named_gets_what_its_browser_needs() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &["--allow-origin", "http://localhost:6274"]);
    let reply = server.post(&[("Origin", "http://localhost:6274")], "{}");
    assert_eq!(reply.header("access-control-allow-origin").as_deref(), Some("http://localhost:6274"));
    assert_eq!(reply.header("access-control-expose-headers").as_deref(), Some("mcp-session-id"));
    assert_eq!(server.post(&[("Origin", "http://localhost:6275")], "{}").status, 403);
}
