//! Sessions as an embedder holds them: kept, shared, and run inside an asynchronous runtime.

use super::{BESIDES, Lab, script};
use kosmo::{Code, Host, Script};
use kosmo_tests::Scenario;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

#[test]
fn a_session_keeps_its_globals_and_another_has_its_own() {
    let lab = Lab::new();
    let session = lab.host.session().build();
    let run = |code: &str| session.run_blocking(script(code));
    assert!(
        run("me = app.integrations.dialpad.get_current_user({}) function greet() return 'I am ' .. me.id end").success
    );
    assert!(!run("count = 1 error('half-way')").success);
    let kept = run("count += 1 return count, greet() == 'I am ' .. me.id");
    assert_eq!(kept.result, Some(vec![json!(2), json!(true)]));
    assert!(kept.integration_calls.is_empty() && kept.output.is_empty(), "each run has its own record");
    assert_eq!(lab.run("return count, greet").result, Some(vec![json!(null), json!(null)]));
}

#[test]
fn a_forced_session_says_so_and_goes_past_permissions_only() {
    let scenario = Scenario::new();
    let host = scenario.host();
    let send =
        "return app.integrations.ringcentral.send_sms({from = '+16505551234', to = '+16505559876', text = 'x'}).id";
    let asked = host.session().build().run_blocking(script(send));
    assert_eq!(
        (asked.fault.map(|fault| fault.code), asked.meta.permission_bypassed),
        (Some(Code::ApprovalRequired), false)
    );
    assert_eq!(scenario.simulator.requests().len(), 0);
    let forced = host.session().force(true).build();
    let sent = forced.run_blocking(script(send));
    assert!(sent.success && sent.meta.permission_bypassed, "{:?}", sent.error);
    let wrong = forced.run_blocking(script("app.integrations.ringcentral.send_sms({text = 'x'})"));
    assert_eq!(
        (wrong.fault.map(|fault| fault.code), wrong.meta.permission_bypassed),
        (Some(Code::InvalidArgument), true)
    );
    assert_eq!(scenario.simulator.sms_sent().len(), 1);
}

/// A script that does all a script can do: waits, walks pages, runs several at once, catches a fault.
const BUSY: &str = "local d = app.integrations.dialpad
    local me, call = parallel(function() return d.get_current_user({}).id end, function() return d.get_call({id = 'call_abc123'}).id end)
    local users = 0
    for _ in paginate(d.list_users, {limit = 60}) do users += 1 end
    local ok, err = pcall(d.get_user, {id = 'no_such_user'})
    return call, users, err.code, me == d.get_current_user({}).id";

async fn check_busy(host: Host) {
    let outcome = host.session().build().run(Script::new("busy.lua", BUSY)).await;
    let values = outcome.result.unwrap_or_else(|| panic!("{:?}", outcome.error));
    assert_eq!((&values[0], &values[2], &values[3]), (&json!("call_abc123"), &json!("not_found"), &json!(true)));
    assert!(values[1].as_u64() >= Some(120), "{values:?}");
}

fn configured() -> Scenario {
    let scenario = Scenario::new().plugins(kosmo_tests::guests());
    scenario.configure(BESIDES);
    scenario
}

#[test]
fn a_host_inside_a_runtime_with_threads_runs_sessions_of_many_tasks_at_once() {
    let scenario = configured();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let host = scenario.host();
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            tasks.spawn(check_busy(host.clone()));
        }
        while let Some(task) = tasks.join_next().await {
            task.expect("no task failed");
        }
    });
}

#[test]
fn a_host_inside_a_runtime_of_one_thread_runs_sessions_too() {
    let scenario = configured();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let host = scenario.host();
        tokio::join!(check_busy(host.clone()), check_busy(host.clone()));
    });
}

#[test]
fn tasks_that_share_a_session_run_one_after_the_other() {
    let scenario = configured();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let session = Arc::new(scenario.host().session().build());
        let mut tasks = JoinSet::new();
        for _ in 0..10 {
            let session = Arc::clone(&session);
            let code = "local seen = count or 0 app.integrations.probe.echo({}) count = seen + 1";
            tasks.spawn(async move { session.run(script(code)).await });
        }
        while let Some(task) = tasks.join_next().await {
            let outcome = task.expect("no panic");
            assert!(outcome.success, "{:?}", outcome.error);
        }
        assert_eq!(session.run(script("return count")).await.result, Some(vec![json!(10)]));
    });
}

#[test]
fn a_script_whose_future_is_dropped_stops_and_leaves_the_session_usable() {
    let scenario = configured();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let session = scenario.host().session().build();
        let endless = session.run(script("while true do app.integrations.probe.echo({}) end"));
        assert!(tokio::time::timeout(Duration::from_millis(500), endless).await.is_err());
        let after = tokio::time::timeout(Duration::from_secs(20), session.run(script("return 1"))).await;
        assert_eq!(after.expect("it was stopped").result, Some(vec![json!(1)]));
    });
}
