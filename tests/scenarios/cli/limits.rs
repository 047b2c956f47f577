//! `--timeout`, `--cpu-limit` and `--memory-limit`.

use super::eval;
use crate::lua::BESIDES;
use kosmo_tests::Scenario;
use serde_json::json;
use std::time::{Duration, Instant};

#[track_caller]
fn check_limit(scenario: &Scenario, flags: &[&str], code: &str, fault: &str, error: &str) {
    let begun = Instant::now();
    let (exit, envelope) = eval(scenario, &format!("print('before') {code}"), flags);
    assert!(begun.elapsed() < Duration::from_secs(15), "{code} took {:?}", begun.elapsed());
    assert_eq!((exit, &envelope["output"], &envelope["result"]), (1, &json!("before"), &json!(null)), "{code}");
    assert_eq!(envelope["fault"]["code"], fault, "{envelope}");
    assert!(envelope["error"].as_str().is_some_and(|told| told.starts_with(error)), "{envelope}");
}

#[test]
fn each_limit_ends_a_run_with_its_name_and_its_flag() {
    let scenario = Scenario::new().plugins(kosmo_tests::guests());
    scenario.configure(BESIDES);
    let check =
        |flags: &[&str], code: &str, fault: &str, error: &str| check_limit(&scenario, flags, code, fault, error);
    let slow = "app.integrations.probe.sleep({}) print('after')";
    check(
        &["--timeout", "0.5"],
        slow,
        "timeout",
        "Lua timeout error: the script took longer than 0.5 s. Do less in one run, or raise the limit (--timeout \
             SECONDS)",
    );
    check(
        &["--timeout", "0.5"],
        "while true do pcall(app.integrations.probe.sleep, {}) end",
        "timeout",
        "Lua timeout error",
    );
    check(&["--timeout", "1.5"], "app.integrations.probe.spin({})", "timeout", "Lua timeout error");
    check(
        &["--cpu-limit", "0.3"],
        "while true do end",
        "cpu",
        "Lua timeout error: the script computed for more than 0.3 s. Do less in one run, or raise the CPU limit \
             (--cpu-limit SECONDS)",
    );
    check(
        &["--cpu-limit", "0.3"],
        "while true do pcall(function() while true do end end) end",
        "cpu",
        "Lua timeout error",
    );
    let memory = "Lua memory limit exceeded: the script needs more than 1000000 bytes. Keep less at a time, or raise \
         the limit (--memory-limit BYTES)";
    check(&["--memory-limit", "1000000"], "return #string.rep('x', 50e6)", "memory", memory);
    check(
        &["--memory-limit=1000000"],
        "return #app.integrations.dialpad.list_users({limit = 200}).items",
        "memory",
        memory,
    );
}

#[test]
fn limits_that_are_wide_enough_change_nothing() {
    let scenario = Scenario::new();
    let code = "local n = 0 for _ in paginate(app.integrations.dialpad.list_users, {limit = 50}) do n += 1 end \
         return n >= 120";
    let flags = ["--timeout", "60", "--cpu-limit", "5", "--memory-limit", "8000000"];
    let (exit, envelope) = eval(&scenario, code, &flags);
    assert_eq!((exit, &envelope["result"]), (0, &json!([true])), "{envelope}");
    assert!(envelope["memory_usage"].as_u64().is_some_and(|bytes| bytes < 8_000_000), "{envelope}");
}
