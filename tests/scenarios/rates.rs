//! What a provider allows is kept before it has to say so, and waited for when it does.

use crate::{invoke, probe_host};
use kosmo::{Code, Fault, Host, Invocation};
use kosmo_simulator::{Effect, Knob, Matcher};
use kosmo_tests::{Echo, Scenario};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Invokes a function of an account.
fn ask(host: &Host, account: &str, provider: &str, function: &str, arguments: Value) -> Result<String, Fault> {
    let arguments: Map<String, Value> = serde_json::from_value(arguments).expect("an object");
    let invocation = Invocation::new(provider, function, arguments);
    host.block_on(host.invoke(Invocation { account: Some(account.into()), ..invocation }))
}

fn get_call(host: &Host, account: &str) -> Result<String, Fault> {
    ask(host, account, "dialpad", "get_call", json!({ "id": "call_abc123" }))
}

#[test]
fn fifty_at_once_stay_below_the_limit_and_all_succeed() {
    let echo = Echo::start();
    let host = probe_host(&echo);
    std::thread::scope(|scope| {
        let ask = || invoke(&host, "brisk", json!({ "url": "/allowed/a" }));
        let all: Vec<_> = (0..50).map(|_| scope.spawn(ask)).collect();
        all.into_iter().for_each(|one| drop(one.join().expect("a thread").expect("an answer")));
    });
    let mut arrivals: Vec<_> = echo.received().iter().map(|request| request.at).collect();
    arrivals.sort();
    assert_eq!(arrivals.len(), 50);
    let closest = arrivals.windows(11).map(|eleven| eleven[10] - eleven[0]).min().expect("fifty are more than eleven");
    assert!(closest >= Duration::from_secs(1), "eleven in {closest:?}");
}

#[test]
fn a_limit_that_is_used_up_is_told_without_a_request() {
    let scenario = Scenario::new();
    let host = scenario.host();
    (0..10).for_each(|_| drop(get_call(&host, "default").expect("ten a minute are allowed")));
    let fault = get_call(&host, "default").expect_err("the eleventh");
    assert_eq!((fault.code, fault.status), (Code::RateLimited, None), "{fault}");
    assert!(fault.retry_after.is_some_and(|seconds| (31..=61).contains(&seconds)), "{fault:?}");
    assert!(fault.message.contains("takes 10 in 60 s in the rate group `call`"), "{fault}");
    assert_eq!(scenario.sent().len(), 10);
    get_call(&host, "work").expect("another account has a limit of its own");
    ask(&host, "default", "dialpad", "get_current_user", json!({})).expect("another group has room");
}

#[test]
fn a_raw_request_counts_as_the_function_it_stands_for() {
    let scenario = Scenario::new();
    let host = scenario.host();
    let path = json!({ "path": "/restapi/v1.0/account/~/extension/~/call-log" });
    let raw = || ask(&host, "default", "ringcentral", "api_get", path.clone());
    (0..10).for_each(|_| drop(raw().expect("ten a minute are allowed")));
    assert!(raw().expect_err("the eleventh").message.contains("rate group `heavy`"));
    let fault = ask(&host, "default", "ringcentral", "list_calls", json!({})).expect_err("the same group");
    assert_eq!((fault.code, scenario.sent().len()), (Code::RateLimited, 10), "{fault}");
}

#[test]
fn a_pause_that_fits_is_waited_out() {
    for provider in ["dialpad", "ringcentral"] {
        let scenario = Scenario::new();
        let matching = Matcher { provider: Some(provider.into()), ..Matcher::default() };
        for effect in [Effect::RateLimited { retry_after: Some(1) }, Effect::Html(503), Effect::Reset] {
            scenario.simulator.inject(Knob { matching: matching.clone(), times: 1, effect });
        }
        let id = scenario.value(&format!("return app.integrations.{provider}.get_current_user({{}}).id"));
        assert!(!id.is_null());
        assert_eq!(scenario.sent().len(), 4, "three were spoiled");
    }
}

#[test]
fn nothing_is_sent_into_a_penalty() {
    let scenario = Scenario::new();
    let host = scenario.host();
    scenario.simulator.inject(Knob::once(Effect::RateLimited { retry_after: Some(60) }));
    let first = get_call(&host, "default").expect_err("the provider's word");
    assert_eq!((first.code, first.status, first.retry_after), (Code::RateLimited, Some(429), Some(60)), "{first}");
    let second = get_call(&host, "default").expect_err("the penalty goes on");
    assert_eq!((second.code, second.status), (Code::RateLimited, None), "{second}");
    assert!(second.message.contains("asked for a pause in the rate group `call`"), "{second}");
    assert!(second.retry_after.is_some_and(|seconds| (31..=61).contains(&seconds)), "{second:?}");
    assert_eq!(scenario.sent().len(), 1);
}

#[test]
fn a_penalty_outlives_the_revision_that_earned_it() {
    let scenario = Scenario::new();
    let host = scenario.host();
    scenario.simulator.inject(Knob::once(Effect::RateLimited { retry_after: Some(60) }));
    get_call(&host, "default").expect_err("the provider's word");
    let component = std::fs::read(kosmo_tests::plugins().join("dialpad.wasm")).expect("the plugin");
    host.block_on(host.registry().replace("dialpad", component)).expect("a revision");
    assert_eq!(get_call(&host, "default").expect_err("the penalty goes on").status, None);
    assert_eq!(scenario.sent().len(), 1);
}
