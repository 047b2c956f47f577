use super::*;

#[test]
fn a_fault_has_fields_and_reads_like_a_sentence() {
    prints(
        r#"
        local ok, err = pcall(function()
            return app.integrations.pager.fail({})
        end)
        print(ok, type(err), err.code, err.status, err.provider, err.fn, err.provider_code, err.retry_after, err.line)
        print(err)
        print(tostring(err) == err.message, "Failed: " .. err, err .. "!")
        print(err:match("%((%d+)"), err:find("404", 1, true), string.find(err, "Pager"), string.match(err, "%d+"))
        print(err:lower(), #err == #err.message, string.format("<%s>", err), err:sub(1, 5), err:gsub("404", "four"))
        print(err.parameter, err.nothing)
        "#,
        "false\ttable\tnot_found\t404\tpager\tfail\tP-1\t7\t3\n\
         Pager API error (404 P-1): no such page\n\
         true\tFailed: Pager API error (404 P-1): no such page\tPager API error (404 P-1): no such page!\n\
         404\t18\t1\t404\n\
         pager api error (404 p-1): no such page\ttrue\t<Pager API error (404 P-1): no such page>\tPager\tPager API error (four P-1): no such page\t1\n\
         nil\tnil",
    );
}

#[test]
fn a_fault_that_ends_the_script_reaches_the_outcome_whatever_way() {
    let says = "Pager API error (404 P-1): no such page";
    for code in [
        "app.integrations.pager.fail({})",
        "local ok, err = pcall(app.integrations.pager.fail) error(err)",
        "local ok, err = pcall(app.integrations.pager.fail) error(err, 2)",
        "assert(pcall(app.integrations.pager.fail))",
        "local ok, err = pcall(app.integrations.pager.fail) assert(false, err)",
        "coroutine.wrap(function() app.integrations.pager.fail() end)()",
        "parallel(app.integrations.pager.fail)",
        "xpcall(app.integrations.pager.fail, function(err) kept = err end) error(kept)",
        "table.sort({1, 2}, function() app.integrations.pager.fail() end)",
        "string.gsub('x', 'x', function() app.integrations.pager.fail() end)",
        "local t = setmetatable({}, {__index = function() app.integrations.pager.fail() end}) return t.x",
    ] {
        faults_with(code, Code::NotFound, says);
    }
    let outcome = run("app.integrations.pager.fail({})");
    assert_eq!(outcome.error.as_deref(), Some(says));
    let fault = outcome.fault.expect("a fault");
    assert_eq!((fault.status, fault.retry_after, fault.function.as_deref()), (Some(404), Some(7), Some("fail")));
}

#[test]
fn a_fault_cannot_be_changed_or_forged() {
    let catch = "local _, err = pcall(app.integrations.pager.fail) ";
    fails(&format!("{catch} err.code = 'ok'"), "attempt to modify a readonly table");
    fails(&format!("{catch} rawset(err, 'code', 'ok')"), "attempt to modify a readonly table");
    fails(&format!("{catch} setmetatable(err, {{}})"), "protected metatable");
    prints(&format!("{catch} print(getmetatable(err))"), "fault");
    assert_eq!(run("error({code = 'denied', message = 'x'})").fault, None);
}

#[test]
fn other_errors_keep_their_usual_ways() {
    fails("assert(false)", "test.lua:1: assertion failed!");
    fails("assert(nil, 'why')", "why");
    prints("print(assert(1, 2, 3))", "1\t2\t3");
    prints("print(select(2, pcall(error, {1})))", "[\n  1\n]");
    prints("print(pcall(error))", "false\tnil");
    prints("print((xpcall(error, debug.traceback, 'x')))", "false");
    let traced = run("local _, trace = xpcall(app.integrations.pager.fail, debug.traceback) print(trace)");
    assert!(traced.output.starts_with("Pager API error (404 P-1): no such page"), "{}", traced.output);
}

#[test]
fn arguments_that_are_no_table_are_refused_with_an_example() {
    let says = "app.integrations.pager.echo({name = value})";
    for code in ["'x'", "5", "true", "print", "{}, 1", "nil, {}"] {
        faults_with(&format!("app.integrations.pager.echo({code})"), Code::InvalidArgument, says);
    }
    faults_with("app.integrations.pager:echo({})", Code::InvalidArgument, "with a dot, not with a colon");
    returns("return app.integrations.pager.echo(), app.integrations.pager.echo(nil)", json!([{}, {}]));
}

#[test]
fn arguments_that_json_cannot_hold_are_refused_by_path() {
    let refused = |arguments: &str, says: &str| {
        let outcome = fails(&format!("app.integrations.pager.echo({arguments})"), says);
        assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::InvalidArgument), "{arguments}");
    };
    refused("{payload = {to = {'a', print}}}", "payload.to[2] is a function");
    refused("{limit = 0/0}", "limit is NaN");
    refused("{limit = -1/0}", "limit is -inf");
    refused("{payload = {[1] = 'a', [3] = 'b'}}", "payload has the key [1]");
    refused("{payload = {1, x = 2}}", "payload has the key [1]");
    refused("{payload = {[true] = 2}}", "payload has the key [true]");
    refused("{1, 2}", "is a list; name the arguments");
    refused("{text = 'a\\255'}", "text is not UTF-8 text");
    refused("{x = coroutine.create(print)}", "x is a thread");
    refused("(function() local t = {} t.t = {t} return t end)()", "t[1] contains itself");
    refused("(function() local t = {} for i = 1, 200 do t = {t = t} end return t end)()", "is nested deeper than 128");
    refused(
        "(function() local t = {} for i = 1, 40 do t = {a = t, b = t} end return t end)()",
        "more than 500000 values",
    );
    refused("{text = ('x'):rep(11 * 1024 * 1024)}", "more than 10 MiB");
    let outcome = run("app.integrations.pager.echo({payload = {to = {print}}})");
    assert_eq!(outcome.fault.and_then(|fault| fault.parameter), Some("payload".into()));
    assert_eq!(outcome.integration_calls.len(), 1);
}
