//! Scripts that want to take the host down. Each ends in time, as it should, and the host goes on serving.

use crate::probe_host_with;
use kosmo::{Code, Host, Limits, Outcome, Script, Session};
use kosmo_tests::{Echo, Scenario};
use serde_json::json;
use std::time::{Duration, Instant};

/// What a script may compute here that would compute for ever, and how long one may take that would wait for ever.
const CPU: Duration = Duration::from_millis(300);
const WALL: Duration = Duration::from_secs(2);
/// The longer of these and a tenth of a second, many times over: on a busy machine computing takes its time, too.
const BOUND: Duration = Duration::from_millis(30 * 2_100);

/// How a script ends: with a fault of this code, with an error that says this, or with this value.
enum End {
    Fault(Code),
    Error(&'static str),
    Value(serde_json::Value),
}

fn session(host: &Host, end: &End) -> Session {
    let (cpu, wall) = match end {
        End::Fault(Code::Cpu) => (CPU, BOUND),
        End::Fault(Code::Timeout) => (BOUND, WALL),
        _ => (BOUND, BOUND),
    };
    host.session().cpu_limit(cpu).time_limit(wall).build()
}

fn complaint(code: &str, outcome: &Outcome, end: &End) -> Option<String> {
    let found = outcome.fault.as_ref().map(|fault| fault.code);
    let as_expected = match end {
        End::Fault(code) => found == Some(*code),
        End::Error(part) => found.is_none() && outcome.error.as_ref().is_some_and(|error| error.contains(part)),
        End::Value(value) => outcome.result.as_ref().and_then(|values| values.first()) == Some(value),
    };
    (!as_expected).then(|| format!("{code}: {found:?} {:?} {:?}", outcome.error, outcome.result))
}

/// Every script in a session of its own, which then still works.
fn check(scripts: Vec<(&str, End)>) {
    let echo = Echo::start();
    let host = probe_host_with(&echo, Limits::default(), "");
    host.session().build().run_blocking(Script::new("warm.lua", "app.integrations.probe.revision({})"));
    let mut complaints = Vec::new();
    for (code, end) in &scripts {
        let (session, begun) = (session(&host, end), Instant::now());
        let outcome = session.run_blocking(Script::new("hostile.lua", *code));
        assert!(begun.elapsed() < BOUND, "{code} took {:?}", begun.elapsed());
        complaints.extend(complaint(code, &outcome, end));
        let after = session.run_blocking(Script::new("after.lua", "return 'alive'"));
        complaints.extend(complaint(code, &after, &End::Value(json!("alive"))));
    }
    let after = host.session().build().run_blocking(Script::new("after.lua", "app.integrations.probe.revision({})"));
    assert!(after.success, "{:?}", after.error);
    assert_eq!(host.lost_threads(), 0);
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn scripts_that_compute_for_ever_are_stopped() {
    let scripts = [
        "while true do end",
        "repeat until false",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "xpcall(error, function() while true do end end)",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "while true do local co = coroutine.create(function() coroutine.yield() end) coroutine.resume(co) coroutine.close(co) end",
        "parallel(function() while true do end end, function() while true do end end)",
        "parallel(function() while true do pcall(parallel, function() while true do end end) end end)",
        "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
        "local t = setmetatable({}, {__newindex = function() while true do end end}) t.x = 1",
        "local m = {__lt = function() while true do end end} return setmetatable({}, m) < setmetatable({}, m)",
        "local m = {__eq = function() while true do end end} return setmetatable({}, m) == setmetatable({}, m)",
        "return setmetatable({}, {__concat = function() while true do end end}) .. 'x'",
        "for _ in setmetatable({}, {__iter = function() return function() return 1 end end}) do end",
        "print(setmetatable({}, {__tostring = function() while true do end end}))",
        "('x'):gsub('x', function() while true do end end)",
        "table.sort({1, 2, 3}, function() while true do end end)",
        "('a'):rep(1e5):match(('.-'):rep(20) .. 'b')",
        "local s = ('('):rep(3e5) while true do s:find('%b()') end",
        "local t = table.create(1e5, 'x') while true do table.concat(t) end",
        "while true do pcall(json.decode, '[1, {}]') end",
        "while true do pcall(json.encode, {1, {a = 2}}) end",
        "while true do regex.match('aaa', 'a+') end",
        "while true do pcall(app.integrations.probe.nope) end",
        "while true do pcall(app.integrations.nope) end",
    ];
    check(scripts.map(|code| (code, End::Fault(Code::Cpu))).into());
}

#[test]
fn scripts_that_wait_for_ever_are_stopped() {
    let scripts = [
        "app.integrations.probe.sleep({})",
        "while true do pcall(app.integrations.probe.sleep, {}) end",
        "parallel(function() app.integrations.probe.sleep({}) end, function() app.integrations.probe.sleep({}) end)",
        "table.sort({3, 2, 1}, function() return app.integrations.probe.sleep({}) end)",
        "return setmetatable({}, {__index = function() return app.integrations.probe.sleep({}) end}).x",
        "coroutine.wrap(function() while true do pcall(app.integrations.probe.fetch, {url = '/allowed/hang'}) end end)()",
    ];
    check(scripts.map(|code| (code, End::Fault(Code::Timeout))).into());
}

#[test]
fn scripts_that_take_all_memory_are_stopped() {
    let scripts = [
        "local s = 'x' while true do s = s .. s end",
        "local s = 'x' while true do s = s:gsub('.', '%0%0') end",
        "local t = {} for i = 1, 1e9 do t[i] = {i} end",
        "return ('x'):rep(1e9)",
        "return table.create(5e7, 1)",
        "return buffer.create(1e9)",
        "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end",
        "while true do local t = {} for i = 1, 1e7 do t[i] = function() return i end end end",
        "return table.concat(table.create(4e6, 'x'), ('y'):rep(1000))",
        "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
        "return json.decode('[' .. ('[],'):rep(2e6) .. '1]')",
        "app.integrations.probe.json({text = '[' .. ('{},'):rep(1e6) .. '1]'})",
        "pcall(function() local t = {} while true do t[#t + 1] = {} end end) local t = {} while true do t[#t + 1] = {} end",
    ];
    check(scripts.map(|code| (code, End::Fault(Code::Memory))).into());
}

#[test]
fn scripts_that_say_too_much_are_stopped() {
    check(vec![
        ("local s = ('x'):rep(1e6) while true do print(s) end", End::Fault(Code::TooLarge)),
        ("local t = {} for i = 1, 60 do t = {t, t} end print(t)", End::Fault(Code::TooLarge)),
        ("local t = {} for i = 1, 60 do t = {t, t} end return t", End::Fault(Code::TooLarge)),
        ("local t = table.create(5e5 + 1, true) return t", End::Fault(Code::TooLarge)),
        (
            "local t = {} for i = 1, 60 do t = {t, t} end return json.encode(t)",
            End::Error("has more than 500000 values"),
        ),
        (
            "local t = {} for i = 1, 60 do t = {t, t} end app.integrations.probe.echo({payload = t})",
            End::Fault(Code::InvalidArgument),
        ),
        ("for _ in paginate(app.integrations.probe.numbers, {broken = 'same'}) do end", End::Fault(Code::Provider)),
    ]);
}

#[test]
fn scripts_that_reach_where_no_interrupt_does_are_bounded() {
    check(vec![
        ("return table.move({}, 1, 4e8, 2)", End::Error("moves at most 1000000")),
        ("return table.move({}, -2^31, 2^31 - 1, 1)", End::Error("moves at most 1000000")),
        ("return ('a'):rep(4e6):find(('a'):rep(2e6) .. 'b', 1, true) == nil", End::Value(json!(true))),
        ("return #('a'):rep(4e6):split(('a'):rep(2e6) .. 'b')", End::Value(json!(1))),
        ("return #string.rep('', 2e9)", End::Value(json!(0))),
        ("return table.unpack({}, 1, 1e8)", End::Error("too many results")),
        ("table.sort({3, 2, 1, 5, 4}, function() return true end)", End::Error("invalid order function")),
        ("local function f() return f() + 1 end return f()", End::Error("stack overflow")),
        ("local co co = coroutine.wrap(function() co() end) co()", End::Error("cannot resume")),
        ("local function f(n) return coroutine.wrap(f)(n + 1) end f(1)", End::Error("C stack overflow")),
        ("return json.decode(('['):rep(1e5))", End::Error("recursion limit exceeded")),
        (
            "local t = {} for i = 1, 1e5 do t = {t} end return json.encode(t)",
            End::Error("is nested deeper than 128 tables"),
        ),
        ("regex.match('x', ('('):rep(5000))", End::Error("regex.match: ")),
        ("regex.match('x', '((a{1000}){1000}){1000}')", End::Error("regex.match: ")),
        ("regex.match(('x'):rep(5e6), 'x')", End::Error("the subject is longer than 4 MiB")),
        ("regex.gsub(('a'):rep(1e5), 'a', ('b'):rep(1e4))", End::Error("the result is longer than 4 MiB")),
        ("string.format('%99999d', 1)", End::Error("invalid format")),
        ("error(setmetatable({}, {__tostring = function() while true do end end}))", End::Fault(Code::Cpu)),
    ]);
}

#[test]
fn scripts_that_tamper_with_what_holds_them_find_it_locked_or_missing() {
    check(vec![
        ("getmetatable('').__index = {}", End::Error("")),
        ("string.find = function() end", End::Error("readonly")),
        ("json.decode = nil", End::Error("readonly")),
        ("rawset(table, 'sort', nil)", End::Error("readonly")),
        ("return loadstring == nil and getfenv == nil and setfenv == nil and newproxy == nil", End::Value(json!(true))),
        ("return io == nil and require == nil and package == nil and os.execute == nil", End::Value(json!(true))),
        ("return debug.info == nil and debug.getregistry == nil", End::Value(json!(true))),
        ("collectgarbage('stop')", End::Error("collectgarbage")),
        ("setmetatable({}, {__gc = function() while true do end end}) return 1", End::Value(json!(1))),
        ("pcall = function(f) return f() end while true do pcall(function() end) end", End::Fault(Code::Cpu)),
        ("parallel(function() coroutine.close(coroutine.running()) end)", End::Error("")),
    ]);
}

#[test]
fn a_run_asks_for_so_many_functions_and_no_more() {
    let echo = Echo::start();
    let host = probe_host_with(&echo, Limits::default(), "");
    let session = host.session().cpu_limit(Duration::from_secs(200)).time_limit(Duration::from_secs(250)).build();
    let code = "for i = 1, 20000 do pcall(app.integrations.probe.fetch, {}) end print('so far') app.integrations.probe.revision({})";
    let outcome = session.run_blocking(Script::new("many.lua", code));
    assert_eq!(outcome.fault.as_ref().map(|fault| fault.code), Some(Code::TooLarge), "{:?}", outcome.error);
    assert_eq!((outcome.output.as_str(), outcome.integration_calls.len()), ("so far", 20_000));
    assert!(session.run_blocking(Script::new("next.lua", "app.integrations.probe.revision({})")).success);
}

#[test]
fn the_command_line_ends_whatever_a_script_does() {
    let scenario = Scenario::new();
    let check = |code: &str, fault: &str| {
        let begun = Instant::now();
        let ran =
            scenario.kosmo(&["integrations:lua", "--timeout", "60", "--cpu-limit", "0.3", "--json", "--eval", code]);
        assert!(begun.elapsed() < BOUND, "{code} took {:?}", begun.elapsed());
        assert_eq!((ran.code, &ran.json()["fault"]["code"]), (1, &json!(fault)), "{code}: {ran:?}");
    };
    check("while true do pcall(function() while true do end end) end", "cpu");
    check("local t = {} while true do t[#t + 1] = {} end", "memory");
    check("local s = ('x'):rep(1e6) while true do print(s) end", "too_large");
}
