//! Dialpad: what each function sends, what scripts read, and every trap of an API that is not what its name promises.

mod calls;
mod faults;
mod texts;
mod users;

use kosmo_tests::Scenario;
use serde_json::Value;

/// Runs `app.integrations.dialpad.<call>` at fresh providers and checks what is sent and what `read`, a Lua expression
/// over `r`, finds in the result.
#[track_caller]
fn check(call: &str, sends: &[&str], read: &str, expected: Value) {
    let scenario = Scenario::writable();
    let value = scenario.value(&format!("local r = app.integrations.dialpad.{call}\nreturn {read}"));
    assert_eq!(value, expected, "{call}: {read}");
    let sends: Vec<_> = sends.iter().map(|line| format!("dialpad.default {line}")).collect();
    scenario.assert_sent(&sends);
}

/// Runs `app.integrations.dialpad.<call>`, which must be refused before anything is sent.
#[track_caller]
fn check_refused(call: &str, parameter: &str, part: &str) {
    let scenario = Scenario::writable();
    let fault = scenario.fault(&format!("app.integrations.dialpad.{call}"));
    assert_eq!((fault.code.as_str(), fault.parameter.as_deref()), ("invalid_argument", Some(parameter)), "{fault}");
    assert!(fault.message.contains(part), "{call}: {fault}");
    scenario.assert_sent(&[""; 0]);
}
