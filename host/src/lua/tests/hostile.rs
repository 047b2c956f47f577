use super::*;
use crate::lua::session::{LEAST_MEMORY, SessionBuilder};
use std::time::Instant;

/// Far more than any of these needs, on a busy machine too; far less than for ever.
const BOUND: Duration = Duration::from_secs(20);

fn limited() -> SessionBuilder {
    Fake::new().session().cpu_limit(Duration::from_millis(300)).time_limit(Duration::from_secs(10))
}

/// Ends in time, whatever it comes to.
#[track_caller]
fn ends(code: &str) -> Outcome {
    let session = limited().build();
    let started = Instant::now();
    let outcome = session.run_blocking(Script::new("hostile.lua", code));
    assert!(started.elapsed() < BOUND, "{code} took {:?}", started.elapsed());
    assert!(!session.is_overdue(), "{code}");
    let after = session.run_blocking(Script::new("after.lua", "return 1"));
    assert_eq!(after.result, Some(vec![json!(1)]), "after {code}: {:?}", after.error);
    outcome
}

#[track_caller]
fn ends_with(code: &str, expected: Code) {
    let outcome = ends(code);
    let found = outcome.fault.as_ref().map(|fault| fault.code);
    assert_eq!(found, Some(expected), "{code}: {:?}", outcome.error);
}

#[test]
fn endless_computing_is_stopped() {
    for code in [
        "while true do end",
        "repeat until false",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "local function f() while true do end end coroutine.wrap(f)()",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "parallel(function() while true do end end)",
        "parallel(function() while true do coroutine.yield() end end)",
        "parallel(function() while true do pcall(parallel, function() while true do end end) end end)",
        "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
        "print(setmetatable({}, {__tostring = function() while true do end end}))",
        "('x'):gsub('x', function() while true do end end)",
        "table.sort({1, 2, 3}, function() while true do end end)",
        "for _ in function() return 1 end do end",
        "for _ in pairs(setmetatable({}, {__index = function() end})) do end while true do end",
        "('a'):rep(28):find(('a-'):rep(28) .. 'b')",
        "('a'):rep(1e5):match(('.-'):rep(20) .. 'b')",
        "local s = ('('):rep(3e5) while true do s:find('%b()') end",
        "while true do pcall(app.integrations.pager.echo, {}) end",
        "while true do pcall(json.decode, '[1]') end",
        "while true do regex.match('aaa', 'a+') end",
        "local t = table.create(1e5, 'x') while true do table.concat(t) end",
        "local a, b = ('a'):rep(6e6) .. 1, ('a'):rep(6e6) .. 2 local t = table.create(2e5, a) for i = 1, 2e5, 2 do t[i] = b end table.sort(t)",
        "while true do local f = function() error('x') end pcall(f) end",
        "local f f = function() pcall(f) while true do end end f()",
    ] {
        let outcome = ends(code);
        let code_found = outcome.fault.as_ref().map(|fault| fault.code);
        assert!(matches!(code_found, Some(Code::Cpu | Code::TooLarge)), "{code}: {:?}", outcome.error);
    }
}

#[test]
fn memory_is_bounded() {
    for code in [
        "local s = 'x' while true do s = s .. s end",
        "local t = {} for i = 1, 1e9 do t[i] = {i} end",
        "return ('x'):rep(1e9)",
        "return table.create(5e7, 1)",
        "return buffer.create(1e9)",
        "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end",
        "return table.concat(table.create(4e6, 'x'), ('y'):rep(1000))",
        "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
        "return json.decode('[' .. ('[],'):rep(2e6) .. '1]')",
        "app.integrations.pager.raw({json = '[' .. ('{},'):rep(1e6) .. '1]'})",
    ] {
        ends_with(code, Code::Memory);
    }
}

#[test]
fn what_the_host_keeps_for_a_script_counts_as_the_scripts_memory() {
    for code in [
        // Indented, half a million values at this depth are a quarter of a gigabyte.
        "local t = {} for i = 1, 120 do t = {t} end local d = t for i = 1, 119 do d = d[1] end for i = 1, 2e5 do d[i] = i end json.encode(t)",
        // The host reads a copy.
        "json.decode((' '):rep(20e6))",
        // What was printed is kept, too.
        "local s = ('x'):rep(1e6) for i = 1, 9 do print(s) end local t = table.create(3e5, 1) local u = table.create(15e5, 1)",
    ] {
        ends_with(code, Code::Memory);
    }
}

#[test]
fn what_no_interrupt_reaches_is_bounded_too() {
    for code in [
        "return table.move({}, 1, 4e8, 2)",
        "return table.move({}, 3e9, 1e9, 1)",
        "return table.move({}, -2^31, 2^31 - 1, 1)",
        "return table.move({}, 0/0, 1, 1)",
        "return table.move({}, '1', '4e8', 2)",
        "return ('a'):rep(4e6):find(('a'):rep(2e6) .. 'b', 1, true)",
        "return ('a'):rep(4e6):find(('a'):rep(2e6) .. 'b')",
        "return #('a'):rep(4e6):split(('a'):rep(2e6) .. 'b')",
        "return #string.rep('', 2e9)",
        "return table.unpack({}, 1, 1e8)",
        "return select('#', table.unpack(table.create(7000, 1)))",
        "table.sort({3, 2, 1, 5, 4}, function() return true end)",
        "local function f() return f() + 1 end return f()",
        "local t = {} for i = 1, 1e5 do t = {t} end return t",
        "local t = {} for i = 1, 1e5 do t = {t} end print(t)",
        "local t = {} for i = 1, 1e5 do t = {t} end return json.encode(t)",
        "local t = {} for i = 1, 60 do t = {t, t} end return t",
        "local t = {} for i = 1, 60 do t = {t, t} end print(t)",
        "local t = {} for i = 1, 60 do t = {t, t} end return json.encode(t)",
        "local t = {} for i = 1, 60 do t = {t, t} end return app.integrations.pager.echo({t = t})",
        "local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x",
        "local t = {} for i = 1, 6e5 do t['k' .. i] = 1 end return t",
        "regex.match(('a'):rep(28), '^(a+)+$b')",
        "regex.match(('a'):rep(5000), '^(?=(a+)+$)b|(a|aa)+$c')",
        "regex.match('x', ('('):rep(5000))",
        "regex.match('x', '((a{1000}){1000}){1000}')",
        "regex.match('x', ('a?'):rep(3000) .. ('a'):rep(3000))",
        "regex.match(('x'):rep(5e6), 'x')",
        "regex.match_all(('a'):rep(1e5), '.*[^A-Z]|[A-Z]')",
        "regex.match('x', ('(?=\\\\w{60})'):rep(700))",
        "for i = 1, 200 do regex.match('x', ('(?=\\\\w)x'):rep(60) .. i) end",
        "regex.match(('a'):rep(4e6), '(?:(?=[^b]*b?)a)+c')",
        "regex.match(('a'):rep(3e4), '(?:(?=[^b]*b?)a)+c')",
        "regex.match(('a'):rep(1500), '(?>(?:(?=[^b]*b?)a)+)c')",
        "regex.match(('ab'):rep(2000), '(?:|||)(?=[ab]*a[ab]{60}c)b')",
        "regex.match(('ab'):rep(2e6), '[ab]*a[ab]{1000}c')",
        "regex.match('a', '(?:(?=a)(?=a)){1000000000}b')",
        "regex.match(('a'):rep(6e4), '(?:()()()()(?=a)a)*c')",
        "regex.match(('é'):rep(500), '(?i)(é+)(?:\\\\1)+x')",
        "regex.gsub(('a'):rep(1e5), 'a', ('b'):rep(1e4))",
        "os.time({year = 2^31 - 1, month = 2^31 - 1, day = 2^31 - 1, hour = 2^31 - 1})",
        "os.date('%c', 1e300)",
        "os.date('*t', -1e300)",
        "string.format(('%d'):rep(1e5), 1)",
        "string.format('%99999d', 1)",
        "utf8.len(('x'):rep(3e6))",
        "string.pack(('i16'):rep(1e5))",
        "coroutine.wrap(function() coroutine.wrap(function() error('x') end)() end)()",
        "local co co = coroutine.wrap(function() co() end) co()",
        "local function deep(n) if n > 0 then return coroutine.wrap(deep)(n - 1) end end deep(1e4)",
        "local function deep() return parallel(deep) end deep()",
        "local t = setmetatable({}, {__tostring = function(t) return tostring(t) end}) print(t)",
        "string.rep(setmetatable({}, {}), 5)",
        "error(setmetatable({}, {__index = error}))",
        "error(app)",
        "error(app.integrations)",
        "app.integrations[('x'):rep(1e6)]()",
        "app.integrations.pager[{}]() ",
        "for i = 1, 1e4 do pcall(app.integrations[('x'):rep(1e4)]) end",
        "local co = coroutine.running() parallel(function() coroutine.close(coroutine.running()) end)",
        "local co parallel(function() co = coroutine.running() app.integrations.pager.slow({ms = 20}) end, function() coroutine.close(co) end)",
        "local co parallel(function() co = coroutine.running() app.integrations.pager.slow({ms = 20}) end, function() coroutine.resume(co, true, 'forged') end)",
    ] {
        ends(code);
    }
}

#[test]
fn output_is_bounded() {
    ends_with("local s = ('x'):rep(1e6) while true do print(s) end", Code::TooLarge);
    ends_with("local s = ('x'):rep(1e6) local t = table.create(30, s) print(t)", Code::TooLarge);
    let outcome =
        ends("local s = ('x'):rep(1e6) for i = 1, 20 do if not pcall(print, s) then print('full') break end end");
    assert!(outcome.output.ends_with("x\nfull") && outcome.output.len() <= 10 << 20);
    ends_with("while true do pcall(app.integrations.pager.nope) end", Code::Cpu);
}

#[test]
fn waiting_costs_no_computing_time_and_is_bounded_by_the_other_limit() {
    let fake = Fake::new();
    let session = fake.session().cpu_limit(Duration::from_millis(200)).time_limit(Duration::from_millis(900)).build();
    let patient = "for i = 1, 5 do app.integrations.pager.slow({ms = 100}) end return 1";
    assert_eq!(session.run_blocking(Script::new("x", patient)).result, Some(vec![json!(1)]));
    let outcome =
        session.run_blocking(Script::new("x", "while true do pcall(app.integrations.pager.slow, {ms = 50}) end"));
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::Timeout));
    assert!(outcome.error.expect("an error").starts_with("Lua timeout error: the script took longer than 0.9 s"));
    assert!(outcome.integration_calls.len() > 2);
}

#[test]
fn limits_are_named_with_their_cure() {
    let error = ends("while true do end").error.expect("an error");
    assert!(error.starts_with("Lua timeout error: the script computed for more than 0.3 s"), "{error}");
    assert!(error.contains("--cpu-limit"), "{error}");
    let error = ends("return ('x'):rep(1e9)").error.expect("an error");
    assert!(error.starts_with("Lua memory limit exceeded"), "{error}");
    assert!(error.contains("--memory-limit"), "{error}");
}

#[test]
fn the_least_memory_is_enough_to_run_and_less_says_how_much_is_needed() {
    let run = |bytes, code| Fake::new().session().memory_limit(bytes).build().run_blocking(Script::new("x", code));
    let small = run(LEAST_MEMORY, "print(app.integrations.pager.echo({a = 1})) return json.encode({1, 2})");
    assert!(small.success, "{:?}", small.error);
    for (bytes, code) in [(LEAST_MEMORY, "return ('x'):rep(1e6)"), (LEAST_MEMORY - 1, "return 1"), (1, "return 1")] {
        let outcome = run(bytes, code);
        assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::Memory), "{bytes} {code}: {:?}", outcome.error);
        assert!(outcome.error.expect("an error").contains("1000000 bytes"), "{bytes} {code}");
    }
}

#[test]
fn a_script_that_cannot_be_stopped_is_given_up() {
    let fake = Fake::new();
    let session = fake.session().time_limit(Duration::from_millis(50)).grace(Duration::from_millis(50)).build();
    let started = Instant::now();
    let outcome = session.run_blocking(Script::new("x", "app.integrations.pager.slow({ms = 3000})"));
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::Timeout));
    assert!(session.is_overdue());
    assert_eq!(fake.lost().count(), 1);
    let refused = session.run_blocking(Script::new("x", "return 1"));
    assert!(refused.error.expect("an error").contains("Start another session"));
}

#[test]
fn a_script_queued_behind_one_that_cannot_be_stopped_is_given_up_too() {
    let fake = Fake::new();
    let session = fake.session().time_limit(Duration::from_millis(50)).grace(Duration::from_millis(50)).build();
    let started = Instant::now();
    let queued = std::thread::scope(|scope| {
        scope.spawn(|| session.run_blocking(Script::new("stuck", "app.integrations.pager.slow({ms = 3000})")));
        std::thread::sleep(Duration::from_millis(20));
        session.run_blocking(Script::new("queued", "app.integrations.pager.echo({late = true})"))
    });
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(queued.error.expect("an error").contains("stuck in an earlier script"));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(fake.invoked().len(), 1, "what was given up is not run later");
}

#[test]
fn lost_threads_are_counted_refuse_further_sessions_and_count_no_more_when_they_end() {
    let fake = Fake::new();
    let brief = || fake.session().time_limit(Duration::from_secs(2)).grace(Duration::from_millis(10)).build();
    let healthy = brief();
    assert!(healthy.run_blocking(Script::new("x", "return 1")).success);
    let stuck: Vec<_> = (0..8).map(|_| brief()).collect();
    std::thread::scope(|scope| {
        for session in &stuck {
            scope.spawn(|| session.run_blocking(Script::new("x", "app.integrations.pager.slow({ms = 12000})")));
        }
    });
    assert_eq!(fake.lost().count(), 8);
    let refused = brief().run_blocking(Script::new("x", "return 1"));
    assert_eq!(refused.fault.expect("a fault").code, Code::Busy);
    assert!(refused.error.expect("an error").contains("Restart kosmo"));
    assert!(healthy.run_blocking(Script::new("x", "return 1")).success, "a session that has its thread goes on");
    let begun = Instant::now();
    while fake.lost().count() > 0 && begun.elapsed() < BOUND {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(brief().run_blocking(Script::new("x", "return 1")).success);
}

#[test]
fn limits_of_time_may_be_longer_than_any_clock_counts() {
    for limit in [Duration::MAX, Duration::from_secs_f64(9_999_999_999_999_999_999.0)] {
        let session = Fake::new().session().cpu_limit(limit).time_limit(limit).grace(limit).build();
        let outcome = session.run_blocking(Script::new("x", "for i = 1, 100 do end return 1"));
        assert_eq!(outcome.result, Some(vec![json!(1)]), "{:?}", outcome.error);
    }
}

#[test]
fn a_script_nobody_waits_for_is_stopped() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let session = Fake::new().session().build();
    let run = session.run(Script::new("x", "while true do end"));
    let waited = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(50), run).await });
    assert!(waited.is_err());
    assert_eq!(session.run_blocking(Script::new("x", "return 1")).result, Some(vec![json!(1)]));
}

#[test]
fn a_script_that_is_too_long_is_refused() {
    let outcome = ends(&format!("return '{}'", "x".repeat(2 << 20)));
    assert!(outcome.error.expect("an error").contains("longer than 1 MiB"));
}
