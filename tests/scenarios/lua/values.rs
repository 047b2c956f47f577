//! Values between scripts and providers, and functions wherever Lua runs code.

use super::Lab;
use serde_json::json;

/// A script that gets `json` back from a provider as `v`.
fn given(json: &str, code: &str) -> String {
    format!("local v = app.integrations.probe.json({{text = [==[{json}]==]}}) {code}")
}

#[test]
fn integers_too_large_for_a_double_arrive_exactly_as_strings() {
    let lab = Lab::new();
    for (json, kind, shown) in [
        ("9007199254740991", "number", "9007199254740991"),
        ("-9007199254740991", "number", "-9007199254740991"),
        ("9007199254740993", "string", "9007199254740993"),
        ("-9007199254740993", "string", "-9007199254740993"),
        ("9223372036854775807", "string", "9223372036854775807"),
        ("-9223372036854775808", "string", "-9223372036854775808"),
        ("18446744073709551615", "string", "18446744073709551615"),
        ("18446744073709551617", "string", "18446744073709551617"),
        ("123456789012345678901234567890", "string", "123456789012345678901234567890"),
        ("1.5", "number", "1.5"),
        ("1e3", "number", "1000"),
        ("\"9007199254740993\"", "string", "9007199254740993"),
    ] {
        lab.prints(&given(json, "print(type(v), v)"), &format!("{kind}\t{shown}"));
        lab.prints(&given(&format!("{{\"a\": [{json}]}}"), "print(type(v.a[1]), v.a[1])"), &format!("{kind}\t{shown}"));
    }
    let id = "return app.integrations.ringcentral.list_messages({dateFrom = '2026-05-01T00:00:00Z', perPage = \
         1}).records[1].conversationId";
    assert_eq!(lab.value(id), "9007199254740993");
    assert_eq!(
        lab.value(&given("{\"id\": 9007199254740993}", "return app.integrations.probe.echo({text = v.id}).text")),
        "9007199254740993"
    );
}

#[test]
fn null_is_absent_in_objects_keeps_its_place_in_lists_and_can_be_sent() {
    let lab = Lab::new();
    lab.prints(&given("{\"a\": null, \"b\": [1, null, 3]}", "print(v.a, #v.b, v.b[2] == json.null)"), "nil\t3\ttrue");
    lab.prints(&given("null", "print(v)"), "nil");
    lab.prints(&given("[null, null]", "print(#v, json.encode(v, {pretty = false}))"), "2\t[null,null]");
    let echoed = "return json.encode(app.integrations.probe.echo({payload = {a = json.null, b = {json.null, \
         1}}}).payload, {pretty = false})";
    assert_eq!(lab.value(echoed), "{\"b\":[null,1]}");
    let removed = "local r = app.integrations.ringcentral
        local contact = r.create_contact({firstName = 'Ada', company = 'Engines'})
        return r.update_contact({contact_id = contact.id, company = json.null}).company == nil";
    assert_eq!(lab.value(removed), true);
    let patch =
        lab.scenario.simulator.requests().into_iter().find(|exchange| exchange.method == "PATCH").expect("a PATCH");
    assert_eq!(patch.body, "{\"company\":null}");
}

#[test]
fn tables_arrive_as_the_lists_and_objects_they_look_like() {
    let lab = Lab::new();
    let echoed =
        |payload: &str| lab.value(&format!("return app.integrations.probe.echo({{payload = {payload}}}).payload"));
    assert_eq!(
        echoed("{a = {1, 2}, b = {x = {y = 'z'}}, c = 1.5, d = 2^53, e = -0.0, f = false}"),
        json!({"a": [1, 2], "b": {"x": {"y": "z"}}, "c": 1.5, "d": 9007199254740992_i64, "e": 0, "f": false})
    );
    assert_eq!(echoed("{s = 'ü🎉\\0\\n\"'}"), json!({"s": "ü🎉\u{0}\n\""}));
    let raw =
        |call: &str| lab.value(&format!("return json.encode(app.integrations.probe.echo({call}), {{pretty = false}})"));
    let both = raw("{payload = {}, list = {}}");
    let both = both.as_str().expect("JSON");
    assert!(both.contains("\"list\":[]") && both.contains("\"payload\":{}"), "{both}");
    let kept = given(
        "{\"o\": {}, \"l\": []}",
        "return json.encode(app.integrations.probe.echo({payload = v}).payload, {pretty = false})",
    );
    assert_eq!(lab.value(&kept), "{\"l\":[],\"o\":{}}");
}

#[test]
fn what_is_no_usable_json_is_a_fault_and_not_a_crash() {
    let lab = Lab::new();
    for json in ["1e400", "{\"half\":", "", "nil", "[1,]", &format!("{}{}", "[".repeat(200), "]".repeat(200))] {
        let outcome = lab.run(&given(json, "return v"));
        let fault = outcome.fault.unwrap_or_else(|| panic!("{json}: {:?}", outcome.error));
        assert!(["internal", "invalid_argument"].contains(&fault.code.as_str()), "{json}: {fault}");
        assert_eq!((fault.provider.as_deref(), fault.function.as_deref()), (Some("probe"), Some("json")), "{json}");
    }
}

#[test]
fn functions_work_wherever_a_script_runs_code() {
    let lab = Lab::new();
    let head = "local d, p = app.integrations.dialpad, app.integrations.probe\n";
    let check = |code: &str, expected: &str| lab.prints(&format!("{head}{code}"), expected);
    check(
        "local next = coroutine.wrap(function() for _, id in {'call_abc123', 'call_abc123'} do \
             coroutine.yield(d.get_call({id = id}).id) end end) print(next(), next())",
        "call_abc123\tcall_abc123",
    );
    check(
        "local co = coroutine.create(function() return d.get_call({id = 'no'}) end) local ok, err = \
             coroutine.resume(co) print(ok, err.code, coroutine.status(co))",
        "false\tnot_found\tdead",
    );
    check("print((('a-b'):gsub('%a', function(c) return p.echo({text = c}).text .. '!' end)))", "a!-b!");
    check(
        "local l = {3, 1, 2} table.sort(l, function(a, b) return p.json({text = tostring(a)}) < p.json({text = \
             tostring(b)}) end) print(table.concat(l, ','))",
        "1,2,3",
    );
    check(
        "local t = setmetatable({}, {__index = function(_, key) return p.echo({text = key}).text end}) print(t.hello)",
        "hello",
    );
    check(
        "local t = setmetatable({}, {__add = function() return p.json({text = '7'}) end, __eq = function() return \
             p.json({text = 'true'}) end, __tostring = function() return p.json({text = '\"seven\"'}) end}) print(t \
             + t, tostring(t))",
        "7\tseven",
    );
    check(
        "for id in function(_, last) return not last and d.get_call({id = 'call_abc123'}).id or nil end do print(id) \
             end",
        "call_abc123",
    );
    check(
        "print(select('#', pcall(d.get_call, {id = 'call_abc123'})), (xpcall(d.get_call, debug.traceback, {id = \
             'no'})))",
        "2\tfalse",
    );
    check("local f = d.work.get_call d = nil print(f({id = 'call_abc123'}).id)", "call_abc123");
}
