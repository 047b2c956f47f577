use super::*;

#[test]
fn print_joins_by_tabs_and_renders_tables() {
    prints("print('a', 1, nil, true, 1.5, 1e100)", "a\t1\tnil\ttrue\t1.5\t1e+100");
    prints("print() print('') print('x')", "\n\nx");
    prints("print({})", "{}");
    prints("print({1, {2, 'b'}, {}})", "[\n  1,\n  [\n    2,\n    b\n  ],\n  {}\n]");
    prints(
        "print({b = 1, a = {c = 'x y'}, [10] = 'n', [2] = 'm'})",
        "{\n  2: m,\n  10: n,\n  a: {\n    c: x y\n  },\n  b: 1\n}",
    );
    prints("print({1, nil, 3})", "{\n  1: 1,\n  3: 3\n}");
    prints("print(json.null, {json.null})", "null\t[\n  null\n]");
    prints("print(setmetatable({}, {__tostring = function() return 'mine' end}))", "mine");
    prints("print('a\\0b', 'c\\255')", "a\0b\tc\u{fffd}");
}

#[test]
fn only_real_cycles_are_circular() {
    prints("local s = {1} print({s, s})", "[\n  [\n    1\n  ],\n  [\n    1\n  ]\n]");
    prints("local t = {} t[1] = t print(t)", "[\n  <circular>\n]");
}

#[test]
fn dump_prints_one_value_and_gives_it_back() {
    prints("print(dump({a = 1}).a)", "{\n  a: 1\n}\n1");
    prints("dump('x') dump(nil) dump()", "x\nnil\nnil");
    prints("local t = {1} print(tostring(t) .. '!', tostring(nil), tostring(5))", "[\n  1\n]!\tnil\t5");
    fails("tostring()", "test.lua:1: missing argument #1 to 'tostring'");
}

#[test]
fn results_of_functions_are_lua_values() {
    let raw = |json: &str| format!("local v = app.integrations.pager.raw({{json = [==[{json}]==]}}) ");
    prints(
        &(raw(r#"{"id":9007199254740993,"n":null,"list":[1,null]}"#) + "print(v.id, v.n, #v.list, v.list[2])"),
        "9007199254740993\tnil\t2\tnull",
    );
    prints(&(raw("null") + "print(v)"), "nil");
    prints(&(raw("\"x\"") + "print(v)"), "x");
    prints(
        &(raw(r#"{"e":{},"l":[]}"#) + "print(json.encode(app.integrations.pager.echo(v), {pretty = false}))"),
        r#"{"e":{},"l":[]}"#,
    );
    faults_with(&raw("<html>"), Code::Internal, "The result of integrations.pager.raw is not usable JSON");
}

#[test]
fn arguments_keep_their_meaning() {
    let check = |arguments: &str, expected: &str| {
        let code = format!("print(json.encode(app.integrations.pager.echo({arguments}), {{pretty = false}}))");
        prints(&code, expected);
    };
    check("{a = 1, b = 1.5, c = 'x', d = true, e = nil}", r#"{"a":1,"b":1.5,"c":"x","d":true}"#);
    check("{l = {1, 'b', {c = {}}}}", r#"{"l":[1,"b",{"c":{}}]}"#);
    check("{big = 2^53, huge = 1e20, tiny = -0.0}", r#"{"big":9007199254740992,"huge":1e+20,"tiny":0}"#);
    let fake = Fake::new();
    let code = "app.integrations.pager.echo({note = json.null, tags = json.decode('[]'), o = {}})";
    assert!(fake.session().build().run_blocking(Script::new("x", code)).success);
    assert_eq!(fake.invoked(), [r#"pager.default.echo {"note":null,"o":{},"tags":[]}"#]);
}

#[test]
fn the_libraries_complain_at_the_scripts_line() {
    fails("\nfor k in pairs(nil) do end", "test.lua:2: invalid argument #1 to 'pairs' (table expected, got nil)");
    fails("\n(nil)()", "test.lua:2: attempt to call a nil value");
    fails("string.find(nil, 'x')", "test.lua:1: invalid argument #1 to 'find' (string expected, got nil)");
    fails("string.find('x', '[')", "test.lua:1: malformed pattern (missing ']')");
    fails("\nstring.format('%d', 'x')", "test.lua:2: invalid argument #2 to 'format' (number expected, got string)");
    fails("table.sort({1, 'x'})", "test.lua:1: attempt to compare");
    fails("next({}, 'nope')", "test.lua:1: invalid key to 'next'");
    fails("require('x')", "attempt to call a nil value");
    fails("collectgarbage()", "invalid option");
    prints(
        "print(type(os.time()), type(os.clock()), os.date('!%Y', 0), os.difftime(3, 1), type(collectgarbage('count')))",
        "number\tnumber\t1970\t2\tnumber",
    );
    prints(
        "print(getfenv, setfenv, loadstring, io, package, dofile, loadfile, debug.info, newproxy)",
        ["nil"; 9].join("\t").as_str(),
    );
}

#[test]
fn long_plain_searches_give_what_short_ones_do() {
    let long = "local s = ('ab'):rep(1e5) .. 'c' .. ('d'):rep(1000) ";
    let needle = "local n = 'c' .. ('d'):rep(900) ";
    prints(
        &format!(
            "{long}{needle} print(s:find(n, 1, true)) print(s:find(n)) print(s:find(n, -1001)) print(s:find(n, -1000)) print(s:find(n, 1e7, true))"
        ),
        "200001\t200901\n200001\t200901\n200001\t200901\nnil\nnil",
    );
    prints(&format!("{long}{needle} local p = s:split(n) print(#p, #p[1], #p[2])"), "2\t200000\t100");
    prints(
        "print(('a,b,,c'):split(',')) print(('x'):find('')) print(table.concat(('abc'):split(''), '|'))",
        "[\n  a,\n  b,\n  ,\n  c\n]\n1\t0\na|b|c",
    );
}
