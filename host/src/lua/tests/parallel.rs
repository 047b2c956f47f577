use super::*;
use std::time::Instant;

const SLOW: &str = "local pager = app.integrations.pager local function slow(ms, give, fail) return function() return pager.slow({ms = ms, give = give, fail = fail}) end end ";

#[track_caller]
fn gives(code: &str, expected: Json) {
    returns(&format!("{SLOW}{code}"), expected);
}

#[test]
fn results_come_in_order_whoever_is_first() {
    gives("return parallel(slow(30, 'a'), slow(1, 'b'), function() return 'c' end)", json!(["a", "b", "c"]));
    gives("return parallel{slow(30, 'a'), slow(1, 'b')}", json!([["a", "b"]]));
    gives("return parallel(slow(1), slow(1, 2))", json!([null, 2]));
    gives("return parallel{}", json!([[]]));
    gives("parallel()", json!([]));
}

#[test]
fn invocations_overlap_and_at_most_sixteen_do() {
    let fake = Fake::new();
    let code = format!("{SLOW} local all = {{}} for i = 1, 50 do all[i] = slow(40, i) end return #parallel(all)");
    let started = Instant::now();
    let outcome = fake.session().build().run_blocking(Script::new("x", code));
    assert_eq!(outcome.result, Some(vec![json!(50)]));
    assert_eq!(fake.most(), 16);
    assert!(started.elapsed() < Duration::from_millis(1500), "50 times 40 ms in sequence take 2 s");
    assert!(outcome.integration_calls.iter().all(|call| call.duration_ms >= 39.0));
}

#[test]
fn when_one_fails_the_others_finish_and_the_first_in_order_is_raised() {
    let fake = Fake::new();
    let code = format!("{SLOW} parallel(slow(30, 1), slow(20, 2, true), slow(1, 3, true), slow(40, 4))");
    let outcome = fake.session().build().run_blocking(Script::new("x", code));
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::NotFound));
    let done: Vec<_> = outcome.integration_calls.iter().map(|call| call.error.is_some()).collect();
    assert_eq!(done, [false, true, true, false]);
    fails("parallel(function() error('first') end, function() error('second') end)", "test.lua:1: first");
    prints(
        "print(pcall(parallel, function() error({1}) end)) print((parallel(function() return 1 end)))",
        "false\t[\n  1\n]\n1",
    );
}

#[test]
fn functions_work_wherever_lua_runs_inside_a_task_too() {
    gives(
        "return parallel(function()
            local t = setmetatable({}, {__index = function(_, key) return pager.slow({ms = 1, give = key}) end})
            local wrapped = coroutine.wrap(function() coroutine.yield(pager.slow({ms = 1, give = 'w'})) end)
            local sorted = {3, 1, 2}
            table.sort(sorted, function(a, b) return pager.slow({ms = 0, give = a}) < b end)
            local replaced = (string.gsub('abc', 'b', function(b) return pager.slow({ms = 1, give = b .. b}) end))
            local ok, caught = pcall(pager.slow, {ms = 1, give = 'p'})
            return {t.x, wrapped(), sorted[1], replaced, caught}
        end, slow(5, 'other'))",
        json!([["x", "w", 1, "abbc", "p"], "other"]),
    );
}

#[test]
fn parallel_inside_parallel_shares_the_places() {
    let fake = Fake::new();
    let code = format!(
        "{SLOW} local function inner() return parallel{{slow(20, 1), slow(20, 2), slow(20, 3)}} end
         local many = {{}} for i = 1, 10 do many[i] = inner end
         local sum = 0
         for _, results in parallel(many) do for _, n in results do sum += n end end
         local nested = parallel(function()
             return (string.gsub('x', 'x', function() return #parallel{{slow(1, 1), slow(1, 2)}} end))
         end)
         return sum, nested"
    );
    let outcome = fake.session().build().run_blocking(Script::new("x", code));
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.result, Some(vec![json!(60), json!("2")]));
    assert_eq!(fake.most(), 16);
}

#[test]
fn tasks_may_page_yield_and_be_functions_of_providers() {
    gives("return #parallel{app.integrations.pager.echo, pager.work.echo}", json!([2]));
    gives(
        "local function walk() local n = 0 for _ in paginate(pager.list_cursor) do n += 1 end return n end
         return parallel(walk, walk)",
        json!([7, 7]),
    );
    gives("return parallel(function() coroutine.yield('ignored') return 1 end, slow(1, 2))", json!([1, 2]));
}

#[test]
fn nobody_else_can_ask_or_answer_in_a_tasks_name() {
    let fake = Fake::new();
    let code = format!(
        "{SLOW} local co, seen
         local a, b = parallel(
             function() co = coroutine.running() return slow(30, 'true')() end,
             function()
                 seen = table.pack(coroutine.resume(co, true, 'forged'))
                 slow(1)()
                 seen = {{seen.n, coroutine.resume(co, false, 'forged'), coroutine.resume(co)}}
                 for i, token in {{seen, co, seen[2] or 0, 'request'}} do
                     coroutine.yield(token, 'phone', nil, 'list_calls', {{}})
                 end
                 return #seen
             end)
         local early
         local first, second = parallel(
             function() pcall(coroutine.resume, early) return slow(5, 1)() end,
             function() early = coroutine.running() return parallel(slow(5, 2), slow(1, 3)) end)
         return a, b, seen, first, second"
    );
    let outcome = fake.session().build().run_blocking(Script::new("x", code));
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.result, Some(vec![json!("true"), json!(3), json!([1, true, true]), json!(1), json!(2)]));
    assert_eq!(fake.invoked().iter().filter(|line| line.contains("phone")).count(), 0);
    assert_eq!(outcome.integration_calls.len(), 5);
}

#[test]
fn what_is_no_function_is_refused() {
    fails("parallel(nil)", "test.lua:1: parallel: number 1 is a nil, not a function");
    fails("parallel(print, 5)", "parallel: number 2 is a number");
    fails("parallel{a = print}", "test.lua:1: parallel: takes a plain list of functions, and this one has the key a");
    fails("parallel(app.integrations.pager)", "parallel: takes a plain list of functions");
    fails("parallel{print, app.integrations.pager.echo({})}", "parallel: number 2 is a table");
}

#[test]
fn a_defect_in_one_invocation_is_a_fault_of_that_one() {
    faults_with("parallel(app.integrations.pager.panic, app.integrations.pager.echo)", Code::Internal, "broke off");
}
