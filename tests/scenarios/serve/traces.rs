//! Traces, as a collector gets them.

use kosmo_tests::{Echo, Pipes, Scenario};
use serde_json::{Value, json};

#[test]
fn a_call_is_a_trace_down_to_its_requests_and_holds_no_values() {
    let (scenario, collector) = (Scenario::new(), Echo::start());
    let mut command = scenario.command();
    command.arg("mcp:serve").env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let mut client = Pipes::of(command, &json!({}));
    let code = "app.integrations.dialpad.get_user{id = 'a-secret-id'}";
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let call = json!({"name": "run_lua", "arguments": {"code": code}, "_meta": {"traceparent": parent}});
    client.call("tools/call", call);
    assert_eq!(client.end().code, 0);

    let received = collector.received();
    let sent = received.iter().find(|request| request.line.starts_with("POST /v1/traces")).expect("traces");
    assert_eq!(sent.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&sent.body).expect("JSON");
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans");
    let find =
        |name: &str| spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("{name}: {spans:#?}"));
    let (call, run) = (find("tools/call run_lua"), find("run"));
    let (invocation, request) = (find("dialpad.get_user"), find("GET /api/v2/users/{}"));
    assert_eq!((&call["kind"], &call["parentSpanId"]), (&json!(2), &json!("00f067aa0ba902b7")));
    assert_eq!(run["parentSpanId"], call["spanId"]);
    assert_eq!(invocation["parentSpanId"], run["spanId"]);
    assert_eq!((&request["parentSpanId"], &request["kind"]), (&invocation["spanId"], &json!(3)));
    assert!(spans.iter().all(|span| span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736"));
    assert!(!sent.body.contains("a-secret-id") && !sent.body.contains("sim-dialpad"), "{}", sent.body);
}

#[test]
fn an_endpoint_that_is_none_is_refused_at_the_start() {
    let scenario = Scenario::new();
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", "https://example.com")];
    let ran = scenario.kosmo_with(&["mcp:serve"], &environment, Some(""));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("OTEL_EXPORTER_OTLP_ENDPOINT: traces are sent by http:// only"), "{ran:?}");
}
