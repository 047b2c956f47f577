//! Every limit has a guest that runs into it; the host goes on serving and its pool is empty afterwards.

use crate::{invoke, probe_host, probe_host_with};
use kosmo::{Code, Limits};
use kosmo_tests::Echo;
use serde_json::json;
use std::time::{Duration, Instant};

fn tight() -> Limits {
    Limits {
        wall: Duration::from_secs(2),
        cpu: Duration::from_millis(300),
        requests: 5,
        response_body: 1 << 20,
        ..Limits::default()
    }
}

#[track_caller]
fn check(function: &str, arguments: serde_json::Value, code: Code, part: &str) {
    let echo = Echo::start();
    let host = probe_host_with(&echo, tight(), "");
    let start = Instant::now();
    let fault = invoke(&host, function, arguments).expect_err("a limit");
    assert_eq!(fault.code, code, "{fault}");
    assert!(fault.message.contains(part), "{fault}");
    assert!(start.elapsed() < Duration::from_secs(20), "stopped late");
    invoke(&host, "revision", json!({})).expect("the host goes on");
    assert_eq!(live_instances(&host), 0);
}

fn live_instances(host: &kosmo::Host) -> u64 {
    let engine = host.engine().wasmtime().expect("an engine");
    engine.pooling_allocator_metrics().map_or(0, |pool| pool.component_instances())
}

#[test]
fn a_guest_that_computes_for_ever_is_stopped() {
    check("spin", json!({}), Code::Cpu, "computed for more than 0.3 s");
}

#[test]
fn a_guest_that_waits_for_ever_is_stopped() {
    check("sleep", json!({}), Code::Timeout, "did not finish");
}

#[test]
fn a_guest_that_takes_all_memory_is_stopped() {
    check("hoard", json!({}), Code::Memory, "64 MiB");
}

#[test]
fn a_guest_that_crashes_is_gone() {
    check("crash", json!({}), Code::Trap, "crashed");
    check("recurse", json!({}), Code::Trap, "crashed");
}

#[test]
fn a_guest_has_no_files_and_no_sockets() {
    check("read_file", json!({}), Code::Internal, "");
    check("open_socket", json!({}), Code::Denied, "wasi:sockets/");
    check("odd_import", json!({}), Code::Denied, "wasi:filesystem/odd@0.9.0#get-directories");
}

#[test]
fn a_guest_that_floods_is_stopped() {
    check("flood", json!({}), Code::TooLarge, "after 5 requests");
}

#[test]
fn a_response_larger_than_the_limit_is_refused() {
    check("fetch", json!({ "url": "/allowed/large/2000000" }), Code::TooLarge, "response's body has more than 1 MiB");
}

#[test]
fn a_provider_that_never_answers_costs_the_deadline() {
    check("fetch", json!({ "url": "/allowed/hang" }), Code::Timeout, "did not finish within");
}

#[test]
fn a_response_within_the_limit_arrives_whole() {
    let echo = Echo::start();
    let answer = invoke(&probe_host(&echo), "fetch", json!({ "url": "/allowed/large/3000000" })).expect("an answer");
    assert_eq!(answer["length"], 3_000_000);
}

#[test]
fn work_that_is_not_ready_is_resumed_and_then_forgotten() {
    let echo = Echo::start();
    let host = probe_host(&echo);
    for asked in 0..2 {
        let fault = invoke(&host, "export", json!({})).expect_err("not ready");
        assert_eq!((fault.code, fault.retry_after), (Code::NotReady, Some(7)));
        assert!(fault.message.contains(&format!("asked {asked} times")), "{fault}");
    }
    assert_eq!(invoke(&host, "export", json!({})).expect("ready")["asked"], 2);
    assert!(invoke(&host, "export", json!({})).expect_err("from the start").message.contains("asked 0 times"));
}
