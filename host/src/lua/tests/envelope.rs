use super::*;

#[track_caller]
fn check_call(call: &crate::lua::IntegrationCall, path: &str, status: &str, name: &str) {
    let json = serde_json::to_value(call).expect("JSON");
    assert_eq!((json["path"].as_str(), json["status"].as_str()), (Some(path), Some(status)));
    assert_eq!((json["name"].as_str(), json["group"].as_str()), (Some(name), Some("pager")));
}

#[test]
fn the_keys_come_in_a_stable_order() {
    let outcome = run("app.integrations.pager.echo({}) error(select(2, pcall(app.integrations.pager.fail)))");
    let keys = |json: &Json| json.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let json = serde_json::to_value(outcome).expect("JSON");
    let expected = "success output error result fault execution_time_ms memory_usage integration_calls meta";
    assert_eq!(keys(&json).join(" "), expected);
    assert_eq!(keys(&json["integration_calls"][0]).join(" "), "path durationMs status name group");
    assert_eq!(keys(&json["integration_calls"][1]).join(" "), "path durationMs status error name group");
    assert_eq!(keys(&json["meta"]).join(" "), "permission_bypassed run");
    assert_eq!(json["meta"]["permission_bypassed"], false);
}

#[test]
fn every_run_has_a_name_of_its_own_whatever_became_of_it() {
    let session = session();
    let names: Vec<_> = ["return 1", "error('x')", "x = = 1"]
        .map(|code| session.run_blocking(Script::new("x", code)).meta.run.expect("a run"))
        .into();
    let hex = |name: &String| name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(names.iter().all(hex) && names[0] != names[1] && names[1] != names[2], "{names:?}");
}

#[test]
fn what_was_printed_and_asked_for_before_a_failure_is_kept() {
    let outcome = run("print('one') app.integrations.pager.work.echo({}) print('two') error('three')");
    assert_eq!((outcome.success, outcome.output.as_str()), (false, "one\ntwo"));
    assert_eq!(outcome.error.as_deref(), Some("test.lua:1: three"));
    assert_eq!((outcome.result, outcome.fault, outcome.memory_usage), (None, None, None));
    check_call(&outcome.integration_calls[0], "integrations.pager.work.echo", "ok", "echo");
}

#[test]
fn what_was_caught_is_recorded_and_harms_nothing() {
    let outcome = run("pcall(app.integrations.pager.fail) pcall(app.integrations.pager.nope) return 1");
    assert!(outcome.success && outcome.memory_usage.is_some());
    check_call(&outcome.integration_calls[0], "integrations.pager.fail", "error", "fail");
    check_call(&outcome.integration_calls[1], "integrations.pager.nope", "error", "nope");
    assert_eq!(outcome.integration_calls[1].duration_ms, 0.0);
    assert!(outcome.integration_calls[0].error.as_deref().expect("an error").contains("no such page"));
}

#[test]
fn results_are_a_list_of_what_the_script_returns() {
    returns("return", json!([]));
    returns("return 42", json!([42]));
    returns("return {}", json!([[]]));
    returns("return {10, 20}, 'x', nil, true, 0.5", json!([[10, 20], "x", null, true, 0.5]));
    returns("return {a = {b = {1}}}", json!([{"a": {"b": [1]}}]));
    returns("return {[1] = 'a', [3] = 'c', x = 1}", json!([{"1": "a", "3": "c", "x": 1}]));
    returns("return 2^53, -0, 1e300, 0/0, math.huge", json!([9007199254740992_i64, 0, 1e300, "NaN", "inf"]));
    returns("return app.integrations.pager.echo", json!(["function app.integrations.pager.echo"]));
    returns("local t = {} t.t = t return t", json!([{"t": "<circular>"}]));
    returns("return json.null, {json.null}", json!([null, [null]]));
    returns("return json.decode('{}'), json.decode('[]')", json!([{}, []]));
    returns("return 'a\\255b'", json!(["a\u{fffd}b"]));
}

#[test]
fn errors_of_every_kind_are_readable() {
    fails("error('x')", "test.lua:1: x");
    fails("\n\nlocal x = nil + 1", "test.lua:3: attempt to perform arithmetic (add) on nil and number");
    fails("error('bare', 0)", "bare");
    fails("error({code = 7, list = {1}})", "{\n  code: 7,\n  list: [\n    1\n  ]\n}");
    fails("error()", "nil");
    fails("error(setmetatable({}, {__tostring = function() return 'custom' end}))", "custom");
    fails("x = = 1", "test.lua:1: Expected identifier when parsing expression, got '='");
    fails("for", "test.lua:1:");
    fails("\x1bLua", "test.lua:1:");
    fails("app.integrations.pager.panic({})", "a defect");
}

#[test]
fn a_session_keeps_its_globals_and_forgets_the_rest() {
    let session = session();
    let run = |code| session.run_blocking(Script::new("repl", code));
    assert!(run("t = {a = 1, f = function() return t.a end} print('x') pcall(app.integrations.pager.echo)").success);
    assert!(run("t.a = 2").success);
    let outcome = run("local before = t.a t.a = 3 print(before, t.a, t.f()) return t.a");
    assert_eq!((outcome.output.as_str(), outcome.result), ("2\t3\t3", Some(vec![json!(3)])));
    assert!(outcome.integration_calls.is_empty());
    assert!(run("error('x')").error.is_some());
    assert_eq!(run("return t.a").result, Some(vec![json!(3)]));
}

#[test]
fn force_is_passed_on_and_reported() {
    let session = Fake::new().session().force(true).build();
    let outcome = session.run_blocking(Script::new("x", "return app.integrations.pager.force({})"));
    assert_eq!(outcome.result, Some(vec![json!(true)]));
    assert!(outcome.meta.permission_bypassed);
}

#[test]
fn runs_from_asynchronous_code_without_a_runtime_of_its_own() {
    let runtime = Builder::new_current_thread().build().expect("a runtime without clock");
    let session = session();
    let outcome =
        runtime.block_on(session.run(Script::new("x", "return app.integrations.pager.slow({ms = 5, give = 1})")));
    assert_eq!(outcome.result, Some(vec![json!(1)]));
}

#[test]
fn blocking_the_only_thread_that_could_send_requests_is_refused() {
    let run = |host: &crate::Host| host.session().build().run_blocking(Script::new("x", "return 1"));
    let one = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let inside = one.block_on(async { run(&crate::Host::builder().build().expect("a host of nothing")) });
    assert!(inside.error.expect("an error").contains("Use Session::run(script).await there"));
    let aside = one.block_on(async {
        let host = crate::Host::builder().build().expect("a host of nothing");
        tokio::task::spawn_blocking(move || run(&host)).await.expect("no panic")
    });
    assert_eq!(aside.result, Some(vec![json!(1)]), "{:?}", aside.error);
    let outside = crate::Host::builder().build().expect("a host of nothing");
    assert_eq!(one.block_on(async { run(&outside) }).result, Some(vec![json!(1)]));
}

#[test]
fn a_first_line_for_the_shell_is_skipped() {
    returns("#!/usr/bin/env kosmo\nreturn 1", json!([1]));
    fails("#!/usr/bin/env kosmo\nerror('x')", "test.lua:2: x");
}

#[test]
fn a_host_without_plugins_says_what_is_missing() {
    let host = crate::Host::builder().build().expect("a host of nothing");
    let run = |code| host.session().build().run_blocking(Script::new("x", code));
    let outcome = run(
        "print(#docs.list() > 0) for name in app.integrations do print(name) end app.integrations.dialpad.list_calls()",
    );
    assert_eq!(outcome.output, "true");
    let error = outcome.error.expect("an error");
    assert!(
        error.contains("There is no provider `dialpad`. The operator adds one with: kosmo plugins:install"),
        "{error}"
    );
}
