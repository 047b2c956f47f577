//! RingCentral: what each function sends, what scripts read, and what is refused before anything is sent.

mod account;
mod calls;
mod contacts;
mod faults;
mod messages;
mod pairs;
mod raw;

use kosmo_tests::Scenario;
use serde_json::Value;

/// `A` in a request's path is the token's account, `X` its extension.
fn full(line: &str) -> String {
    let account = "/restapi/v1.0/account/~";
    let line = line.replacen(" X", &format!(" {account}/extension/~"), 1).replacen(" A", &format!(" {account}"), 1);
    format!("ringcentral.default {line}")
}

/// Asserts what was sent since the last time, paths shortened as in [`full`].
#[track_caller]
fn assert_sent(scenario: &Scenario, sends: &[&str]) {
    scenario.assert_sent(&sends.iter().map(|line| full(line)).collect::<Vec<_>>());
}

/// Runs `app.integrations.ringcentral.<call>` at fresh providers and checks what is sent and what `read`, a Lua
/// expression over `r`, finds in the result.
#[track_caller]
fn check(call: &str, sends: &str, read: &str, expected: Value) {
    let scenario = Scenario::writable();
    let value = scenario.value(&format!("local r = app.integrations.ringcentral.{call}\nreturn {read}"));
    assert_eq!(value, expected, "{call}: {read}");
    assert_sent(&scenario, &[sends]);
}

/// Runs `app.integrations.ringcentral.<call>`, which must be refused before anything is sent.
#[track_caller]
fn check_refused(call: &str, parameter: &str, part: &str) {
    let scenario = Scenario::writable();
    let fault = scenario.fault(&format!("app.integrations.ringcentral.{call}"));
    assert_eq!((fault.code.as_str(), fault.parameter.as_deref()), ("invalid_argument", Some(parameter)), "{fault}");
    assert!(fault.message.contains(part), "{call}: {fault}");
    assert_sent(&scenario, &[]);
}
