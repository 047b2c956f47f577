//! `parallel`: several invocations at once over one Lua state.

use super::Lab;
use kosmo::Code;
use kosmo::lua::Status;
use kosmo_simulator::{Effect, Matcher};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[test]
fn results_come_in_the_order_of_the_functions() {
    let lab = Lab::new();
    lab.spoil(1, Matcher::new("dialpad", "GET", "/api/v2/users/me"), Effect::Slow(Duration::from_millis(300)));
    let three = "local d, r = app.integrations.dialpad, app.integrations.ringcentral
        local slow, none, fast = parallel(
          function() return d.get_current_user({}).type or 'user' end,
          function() end,
          function() return r.get_message({messageId = '1234567890'}).type, 'only the first value counts' end)
        print(slow, none, fast)";
    lab.prints(three, "user\tnil\tSMS");
    let list = "local tasks = {}
        for i = 1, 40 do tasks[i] = function() return app.integrations.probe.json({text = tostring(i)}) end end
        print(table.concat(parallel(tasks), ' '))";
    lab.prints(list, &(1..=40).map(|i| i.to_string()).collect::<Vec<_>>().join(" "));
    lab.prints("print(select('#', parallel()), #parallel({}))", "0\t0");
}

#[test]
fn sixteen_at_most_are_under_way_at_once() {
    let lab = Lab::new();
    lab.value("return app.integrations.dialpad.get_current_user({}).id");
    let slow = Duration::from_millis(300);
    lab.spoil(40, Matcher::new("dialpad", "GET", "/api/v2/users/me"), Effect::Slow(slow));
    let code = "local tasks = {}
        for i = 1, 40 do tasks[i] = function() return app.integrations.dialpad.get_current_user({}).id end end
        return #parallel(tasks)";
    let begun = Instant::now();
    assert_eq!(lab.value(code), 40);
    let took = begun.elapsed();
    // 40 by 16 makes three rounds; one after the other they would take 40.
    assert!(took >= slow * 3, "more than 16 at once: {took:?}");
    assert!(took < slow * 25, "not at once: {took:?}");
}

/// `count` texts sent by closures of one `parallel`, before and after one that fails.
fn texts(count: usize) -> String {
    format!(
        "local r, tasks = app.integrations.ringcentral, {{}}
         for i = 1, {count} do
           tasks[i] = function()
             if i == 4 then r.get_message({{messageId = '404'}}) end
             return r.send_sms({{from = '+16505551234', to = '+16505559876', text = 'text ' .. i}}).id
           end
         end
         parallel(tasks)"
    )
}

#[test]
fn if_one_fails_the_others_finish_and_every_write_arrives_once() {
    let lab = Lab::new();
    lab.spoil(5, Matcher::new("ringcentral", "POST", "/"), Effect::Slow(Duration::from_millis(200)));
    let outcome = lab.run(&texts(20));
    let fault = outcome.fault.expect("the one that failed");
    assert_eq!((fault.code, fault.function.as_deref()), (Code::NotFound, Some("get_message")));
    let sent = lab.scenario.simulator.sms_sent();
    let distinct: BTreeSet<_> = sent.iter().map(|sms| sms.text.as_str()).collect();
    assert_eq!((sent.len(), distinct.len()), (19, 19), "{distinct:?}");
    assert!(!distinct.contains("text 4"));
    let ok = outcome.integration_calls.iter().filter(|call| call.status == Status::Ok).count();
    assert_eq!((ok, outcome.integration_calls.len()), (19, 20));
}

#[test]
fn the_first_fault_in_order_is_raised_not_the_first_in_time() {
    let lab = Lab::new();
    lab.spoil(1, Matcher::new("dialpad", "GET", "/api/v2/call/"), Effect::Slow(Duration::from_millis(300)));
    let code = "local d = app.integrations.dialpad
        parallel(
          function() return 1 end,
          function() return d.get_call({id = 'no_such_call'}) end,
          function() return d.nonsense() end,
          function() error('a plain one') end)";
    let outcome = lab.run(code);
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::NotFound), "{:?}", outcome.error);
    let plain =
        lab.run("parallel(function() error('a plain one') end, function() app.integrations.dialpad.nonsense() end)");
    assert_eq!((plain.error.as_deref(), plain.fault), (Some("scenario.lua:1: a plain one"), None));
}

#[test]
fn a_write_whose_answer_is_lost_is_not_sent_again() {
    let lab = Lab::new();
    for (provider, call) in [
        ("dialpad", "app.integrations.dialpad.send_sms({to = '+14155551234', from = '+14155559876', text = 'once'})"),
        (
            "ringcentral",
            "app.integrations.ringcentral.send_sms({to = '+16505559876', from = '+16505551234', text = 'once'})",
        ),
    ] {
        for effect in [Effect::Reset, Effect::HalfBody] {
            let before = lab.scenario.simulator.sms_sent().len();
            lab.value(&format!("return app.integrations.{provider}.get_current_user({{}}).id"));
            lab.spoil(1, Matcher::new(provider, "POST", "/"), effect.clone());
            let code = format!("local _, other = parallel(function() return {call} end, function() return 1 end)");
            let fault = lab.run(&code).fault.expect("no answer arrived");
            assert_eq!(fault.code, Code::Unreachable, "{provider} {effect:?}: {fault}");
            assert_eq!(lab.scenario.simulator.sms_sent().len(), before + 1, "{provider} {effect:?}: sent once");
        }
    }
}

#[test]
fn a_write_under_way_is_finished_when_the_script_is_stopped() {
    let lab = Lab::new();
    lab.value("return app.integrations.ringcentral.get_current_user({}).id");
    lab.spoil(1, Matcher::new("ringcentral", "POST", "/"), Effect::Slow(Duration::from_millis(800)));
    let code = "print('sending')
        parallel(
          function() return app.integrations.ringcentral.send_sms({to = '+16505559876', from = '+16505551234', text = 'slow'}) end,
          function() while true do end end)";
    let session = lab.host.session().cpu_limit(Duration::from_millis(100)).build();
    let outcome = session.run_blocking(super::script(code));
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::Cpu), "{:?}", outcome.error);
    assert_eq!(outcome.output, "sending");
    assert_eq!(outcome.integration_calls[0].status, Status::Ok, "{:?}", outcome.integration_calls);
    assert_eq!(lab.scenario.simulator.sms_sent().len(), 1);
}

#[test]
fn parallel_nests_and_refuses_what_is_no_function() {
    let lab = Lab::new();
    let nested = "local d = app.integrations.dialpad
        local function twice() return parallel(function() return d.get_call({id = 'call_abc123'}).id end, function() return d.work.get_current_user({}).id end) end
        print(parallel(twice, twice))";
    lab.prints(nested, "call_abc123\tcall_abc123");
    let error = |code: &str| lab.run(code).error.expect("refused");
    let expected =
        "parallel: number 2 is a table, not a function. Wrap what it should do: parallel(function() return … end, …)";
    assert!(error("parallel(print, app.integrations.dialpad.list_calls({limit = 1}))").ends_with(expected));
    assert!(error("parallel({a = print})").contains("takes a plain list of functions"));
}
