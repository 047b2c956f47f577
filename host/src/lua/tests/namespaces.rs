use super::*;
use crate::lua::Surface;

#[test]
fn functions_are_reached_by_every_documented_path() {
    for path in [
        "pager.list_messages",
        "pager.default.list_messages",
        "pager.pager_list_messages",
        "pager.default.pager_list_messages",
        "pager['list_messages']",
    ] {
        let expected = json!([{"account": "default", "function": "list_messages"}]);
        returns(&format!("return app.integrations.{path}({{}})"), expected);
    }
    for path in ["pager.work", "pager['work']"] {
        let expected = json!([{"account": "work", "function": "list_messages"}]);
        returns(&format!("return app.integrations.{path}.list_messages({{}})"), expected);
    }
    returns("return app.integrations.pager['my-team'].get_message().account", json!(["my-team"]));
    returns("local p = app.integrations.pager return p.list_messages{}.account", json!(["default"]));
    returns("return app.integrations.phone.default.list_calls().account", json!(["default"]));
}

#[test]
fn indexing_never_fails_and_reads_only_what_it_has_to() {
    let fake = Fake::new();
    let session = fake.session().build();
    let run = |code| session.run_blocking(Script::new("x", code));
    assert!(run("local x = app.a.b.c['d'][1] assert(app.integrations.nope.nope) assert(app.mcp.x.y)").success);
    assert!(run("if false then app.integrations.pager.echo({}) end").success);
    assert!(run("local i = app.integrations local n = 0 for name in i do n += 1 end return n").success);
    assert_eq!(fake.described(), 0);
    assert!(run("return app.integrations.pager.echo").success);
    assert_eq!(fake.described(), 1);
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    let check = |path: &str, says: &str| faults_with(&format!("app.{path}({{}})"), Code::Unknown, says);
    check(
        "integrations.pager.list_mesages",
        "Unknown function: app.integrations.pager.list_mesages. Did you mean: list_messages",
    );
    check("integrations.pager.work.listMessages", "Did you mean: list_messages");
    check("integrations.pager.wrok.list_messages", "There is no account `wrok` at pager. Did you mean: work");
    check("integrations.pager.qqqqqq.list_messages", "Known accounts: default, my-team, work");
    check("integrations.pagr.list_messages", "There is no provider `pagr`. Did you mean: pager");
    check("integrations.qqqqqq.x", "Known providers: broken, pager, phone");
    check("integrations.pager.qqqqqqqq", "Known functions: echo, ");
    check("integrations.pager", "`pager` is a provider: call one of its functions");
    check("integrations.pager.work", "`work` is an account: call one of its functions");
    check("integrations", "Call one of its functions");
    check("integration.pager.echo", "Did you mean: integrations");
    check("tools.echo", "app has: integrations, mcp");
    check("mcp.fake.echo", "There is no MCP server `fake`. Known servers: files, a.b");
    faults_with("app({})", Code::Unknown, "Unknown function: app.");
    faults_with("app.integrations.broken.x({})", Code::Unloadable, "broken.wasm is no component");
}

#[test]
fn names_of_any_length_are_answered_at_once_and_briefly() {
    for code in [
        "app.integrations[('x'):rep(1e7)]()",
        "app.integrations.pager[('x'):rep(1e7)]()",
        "app.integrations.pager[('x'):rep(1e7)].echo()",
        "app.integrations.pager[('é'):rep(1e6)]()",
        "app.integrations['\\255']()",
        "app.integrations[('x'):rep(1e7)].y = 1",
        "app.integrations.pager.echo({[('x'):rep(1e7)] = print})",
        "local deep = app for i = 1, 300 do deep = deep.deep end deep()",
        "json.encode({[('x'):rep(1e7)] = print})",
        "json.encode({}, {[('x'):rep(1e7)] = true})",
        "docs.read(('x'):rep(1e7))",
        "docs.search(('x y '):rep(4e6))",
    ] {
        let started = std::time::Instant::now();
        let error = run(code).error.unwrap_or_else(|| panic!("{code} should fail"));
        assert!(error.chars().count() < 500, "{code} fails with {} bytes: {}", error.len(), &error[..200]);
        assert!(!error.contains('\u{fffd}') || code.contains("255"), "{code}: {error}");
        assert!(started.elapsed() < Duration::from_secs(5), "{code} took {:?}", started.elapsed());
    }
    fails("docs.read(('x'):rep(1025))", "test.lua:1: docs.read: the page is longer than 1024 bytes");
    fails("docs.search(('x'):rep(1025))", "test.lua:1: docs.search: the query is longer than 1024 bytes");
}

#[test]
fn what_there_is_can_be_listed() {
    let names = "local names = {} for name in LIST do table.insert(names, name) end table.sort(names) return names";
    let check = |list: &str, expected: Json| returns(&names.replace("LIST", list), json!([expected]));
    for each in ["NAMESPACE", "pairs(NAMESPACE)", "next, NAMESPACE"] {
        check(&each.replace("NAMESPACE", "app"), json!(["integrations", "mcp"]));
        check(&each.replace("NAMESPACE", "app.integrations.phone.default"), json!(["list_calls"]));
        check(&each.replace("NAMESPACE", "app.integrations"), json!(["broken", "pager", "phone"]));
        check(&each.replace("NAMESPACE", "app.integrations.phone"), json!(["default", "list_calls"]));
        check(&each.replace("NAMESPACE", "app.integrations.nope"), json!([]));
    }
    returns("return (next(app.integrations.phone.default))", json!(["list_calls"]));
    prints(
        "print(app.integrations.phone) print(app.integrations.phone.list_calls)",
        "{\n  default: {},\n  list_calls: function app.integrations.phone.list_calls\n}\n\
         function app.integrations.phone.list_calls",
    );
    prints("print(app.integrations.pager['my-team'].echo)", "function app.integrations.pager[\"my-team\"].echo");
}

#[test]
fn namespaces_cannot_be_changed() {
    fails("app.x = 1", "test.lua:1: app is read-only");
    fails("app.integrations.x = 1", "app.integrations is read-only");
    fails("local p = app.integrations.pager local _ = p.echo p.echo = 1", "readonly table");
    fails("setmetatable(app.integrations, {})", "protected metatable");
    prints("print(getmetatable(app.integrations))", "namespace");
    fails("string.find = 1", "readonly");
    fails("json.encode = 1", "readonly");
    fails("getmetatable('').__index = {}", "readonly");
    prints("__name = 1 _G.x = 2 print(__name, x)", "1\t2");
}

#[test]
fn scripts_for_mcp_only_see_less() {
    let session = Fake::new().session().surface(Surface::McpOnly).build();
    let run = |code| session.run_blocking(Script::new("x", code));
    assert_eq!(run("return docs, lua_read_doc").result, Some(vec![Json::Null, Json::Null]));
    assert_eq!(run("return mcp.servers().files.enabled").result, Some(vec![json!(true)]));
    let error = run("app.integrations.pager.echo({})").error.expect("an error");
    assert!(error.contains("Scripts of mcp:lua reach MCP servers only"), "{error}");
}

#[test]
fn documentation_is_at_hand() {
    prints("print(docs.list()) print(docs.search('sms'))", "the list\nhits for sms");
    prints(
        "print(docs.read('pager.echo')) print(lua_read_doc('integrations.pager'))",
        "about pager.echo\nabout integrations.pager",
    );
    fails("docs.read()", "test.lua:1: docs.read: expected string page, got nil");
    fails("docs.search({})", "docs.search: expected string query, got table");
}
