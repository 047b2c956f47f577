//! Answers gone wrong on demand, and the log that shows what was asked.

use std::time::{Duration, Instant};

use kosmo_simulator::{Effect, Knob, Matcher, Simulator};

use crate::client::{Answer, call};

const ME: &str = "/api/v2/users/me";

/// The answer that one effect leads to, and the answer after it.
#[track_caller]
fn spoilt(effect: Effect) -> Answer {
    let simulator = Simulator::start();
    simulator.inject(Knob::once(effect));
    let answer = call(&simulator, "GET", ME, "");
    assert_eq!(call(&simulator, "GET", ME, "").status, 200, "a spent knob does nothing");
    let marks: Vec<bool> = simulator.requests().iter().map(|exchange| exchange.injected).collect();
    assert_eq!(marks, [true, false]);
    answer
}

#[track_caller]
fn check(effect: Effect, status: u16, body: &str) {
    let answer = spoilt(effect);
    assert_eq!(answer.status, status);
    assert!(answer.body.starts_with(body), "{answer:?}");
}

#[test]
fn each_effect_spoils_one_answer() {
    let headers = vec![("x-why".to_owned(), "test".to_owned())];
    check(Effect::Status { status: 503, headers, body: "{}".to_owned() }, 503, "{}");
    check(Effect::RateLimited { retry_after: None }, 429, r#"{"error":{"code":429"#);
    check(Effect::Slow(Duration::from_millis(1)), 200, "{");
    check(Effect::Reset, 0, "");
    check(Effect::Html(502), 502, "<html>");
    check(Effect::Empty(500), 500, "");
    check(Effect::Raw { status: 200, content_type: "text/plain".to_owned(), body: vec![0xff] }, 200, "\u{fffd}");
}

#[test]
fn a_half_body_promises_more_than_it_brings() {
    let answer = spoilt(Effect::HalfBody);
    let promised: usize = answer.header("content-length").and_then(|length| length.parse().ok()).expect("a length");
    assert_eq!(answer.body.len(), promised / 2);
}

#[test]
fn a_rate_limit_tells_when_to_come_back() {
    let simulator = Simulator::start();
    simulator.inject(Knob::once(Effect::RateLimited { retry_after: Some(7) }));
    let answer = call(&simulator, "GET", "/restapi/v1.0/account/~", "");
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    assert_eq!(answer.header("x-rate-limit-remaining"), Some("0"));
    assert_eq!(answer.json()["errorCode"], "CMN-301");
}

#[test]
fn a_slow_answer_takes_its_time() {
    let simulator = Simulator::start();
    simulator.inject(Knob::once(Effect::Slow(Duration::from_millis(120))));
    let started = Instant::now();
    assert_eq!(call(&simulator, "GET", ME, "").status, 200);
    assert!(started.elapsed() >= Duration::from_millis(120));
}

#[test]
fn a_request_whose_answer_is_lost_was_carried_out() {
    let simulator = Simulator::start();
    simulator.inject(Knob::once(Effect::Reset));
    let body = r#"{"to_numbers":["+14155551234"],"text":"once"}"#;
    assert_eq!(call(&simulator, "POST", "/api/v2/sms", body).status, 0);
    assert_eq!(simulator.sms_sent().len(), 1);
}

#[test]
fn a_knob_waits_for_the_request_it_is_meant_for() {
    let simulator = Simulator::start();
    let matching = Matcher::new("dialpad", "GET", "/api/v2/call");
    simulator.inject(Knob { matching, times: 2, effect: Effect::Empty(500) });
    let statuses = [ME, "/api/v2/call", "/api/v2/call/call_abc123", "/api/v2/call"];
    assert_eq!(statuses.map(|target| call(&simulator, "GET", target, "").status), [200, 500, 500, 200]);
}

#[test]
fn the_log_keeps_a_request_as_it_was_sent() {
    let simulator = Simulator::start();
    call(&simulator, "GET", "/api/v2/users?email=a%40b.test&limit=5", "");
    let [exchange] = &simulator.take_requests()[..] else { panic!("one request was sent") };
    assert_eq!(exchange.raw_query.as_deref(), Some("email=a%40b.test&limit=5"));
    assert_eq!(exchange.query[0], ("email".to_owned(), "a@b.test".to_owned()));
    assert_eq!(
        exchange.header("authorization"),
        Some(format!("Bearer {}", Simulator::token("dialpad", "default")).as_str())
    );
    assert_eq!((exchange.status, exchange.response.as_str()), (200, "{}"));
    assert!(simulator.requests().is_empty());
}

#[test]
fn a_stopped_simulator_frees_its_ports() {
    let simulator = Simulator::start();
    let address = simulator.dialpad_url().trim_start_matches("http://").to_owned();
    drop(simulator);
    assert!(std::net::TcpStream::connect(address).is_err());
}
