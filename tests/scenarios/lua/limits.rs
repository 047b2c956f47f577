//! A script's limits while providers are at work for it.

use super::{Lab, script};
use kosmo::lua::LEAST_MEMORY;
use kosmo::{Code, Outcome, Session};
use kosmo_simulator::{Effect, Matcher};
use std::time::{Duration, Instant};

/// An invocation that takes three seconds.
const SLOW: &str = "print('before') app.integrations.dialpad.get_current_user({}) print('after')";

fn slow_lab() -> Lab {
    let lab = Lab::new();
    lab.value("return app.integrations.dialpad.get_current_user({}).id");
    lab.spoil(1, Matcher::new("dialpad", "GET", "/api/v2/users/me"), Effect::Slow(Duration::from_secs(3)));
    lab
}

#[track_caller]
fn check_stopped(outcome: &Outcome, expected: Code, sentence: &str) {
    assert_eq!(outcome.fault.as_ref().map(|fault| fault.code), Some(expected), "{:?}", outcome.error);
    assert!(outcome.error.as_deref().is_some_and(|error| error.starts_with(sentence)), "{:?}", outcome.error);
    assert_eq!(outcome.output, "before");
}

#[track_caller]
fn check_goes_on(session: &Session) {
    let outcome = session.run_blocking(script("return app.integrations.dialpad.get_call({id = 'call_abc123'}).id"));
    assert!(outcome.success, "the session goes on: {:?}", outcome.error);
}

#[test]
fn the_time_limit_stops_a_script_that_waits_for_a_provider() {
    let lab = slow_lab();
    let session = lab.host.session().time_limit(Duration::from_millis(700)).build();
    let begun = Instant::now();
    let outcome = session.run_blocking(script(SLOW));
    assert!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
    check_stopped(&outcome, Code::Timeout, "Lua timeout error: the script took longer than 0.7 s");
    let call = &outcome.integration_calls[0];
    assert_eq!(call.error.as_deref(), Some("dialpad.get_current_user did not finish within 1 s."));
    check_goes_on(&session);
}

#[test]
fn the_time_limit_cannot_be_caught() {
    let lab = slow_lab();
    let session = lab.host.session().time_limit(Duration::from_millis(700)).build();
    let code = "print('before') while true do pcall(app.integrations.dialpad.get_current_user, {}) end";
    check_stopped(&session.run_blocking(script(code)), Code::Timeout, "Lua timeout error");
    check_goes_on(&session);
}

#[test]
fn waiting_costs_no_cpu_time() {
    let lab = slow_lab();
    let session = lab.host.session().cpu_limit(Duration::from_millis(300)).build();
    let outcome = session.run_blocking(script(SLOW));
    assert!(outcome.success, "{:?}", outcome.error);
    assert!(outcome.execution_time_ms >= 3000.0, "{}", outcome.execution_time_ms);
    let spins =
        session.run_blocking(script("print('before') app.integrations.dialpad.get_current_user({}) while true do end"));
    check_stopped(&spins, Code::Cpu, "Lua timeout error: the script computed for more than 0.3 s");
    check_goes_on(&session);
}

#[test]
fn a_result_larger_than_the_memory_limit_is_a_fault() {
    let lab = Lab::new();
    let session = lab.host.session().memory_limit(LEAST_MEMORY).build();
    let outcome = session
        .run_blocking(script("print('before') return #app.integrations.dialpad.list_users({limit = 200}).items"));
    check_stopped(&outcome, Code::Memory, "Lua memory limit exceeded: the script needs more than 1000000 bytes");
    assert!(outcome.memory_usage.is_none());
    let after = session.run_blocking(script("return 'still here'"));
    assert!(after.success, "{:?}", after.error);
    let wider = lab.host.session().memory_limit(8 << 20).build();
    assert!(wider.run_blocking(script("return #app.integrations.dialpad.list_users({limit = 200}).items")).success);
}

#[test]
fn a_long_string_exceeds_the_memory_limit_and_nothing_else() {
    let lab = Lab::new();
    for code in ["return #string.rep('x', 50e6)", "return ('x'):rep(50e6)", "local s = 'x' while true do s ..= s end"] {
        let session = lab.host.session().memory_limit(LEAST_MEMORY).build();
        check_stopped(
            &session.run_blocking(script(&format!("print('before') {code}"))),
            Code::Memory,
            "Lua memory limit exceeded",
        );
    }
}

#[test]
fn the_providers_own_limits_are_faults_that_a_script_can_catch() {
    let lab = Lab::new();
    let crash = lab.run("app.integrations.probe.crash({})").error.expect("a crash");
    assert!(crash.starts_with("probe.crash: The plugin crashed: "), "{crash}");
    for (function, code) in [("hoard", "memory"), ("crash", "trap"), ("recurse", "trap"), ("open_socket", "denied")] {
        lab.prints(
            &format!("local ok, err = pcall(app.integrations.probe.{function}, {{}}) print(ok, err.code, err.fn)"),
            &format!("false\t{code}\t{function}"),
        );
    }
}
