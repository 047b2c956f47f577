//! `app`: providers, accounts, functions and parameters by every name that leads to them, and by those that do not.

use super::Lab;
use kosmo::{Code, Script};

#[track_caller]
fn check_refused(lab: &Lab, code: &str, expected: Code, sentence: &str) {
    let outcome = lab.run(code);
    assert_eq!(outcome.error.as_deref(), Some(sentence), "{code}");
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(expected), "{code}");
    assert_eq!(lab.requests(), Vec::<String>::new(), "{code}: nothing was sent");
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_known_ones() {
    let lab = Lab::new();
    let check = |call: &str, cure: &str| {
        let sentence = format!("Unknown function: {}. {cure}", call.trim_end_matches("({})"));
        check_refused(&lab, call, Code::Unknown, &sentence);
    };
    check("app.integrations.dialpat.list_calls({})", "There is no provider `dialpat`. Did you mean: dialpad");
    check(
        "app.integrations.zzz.list_calls({})",
        "There is no provider `zzz`. Known providers: dialpad, probe, ringcentral, thief",
    );
    check("app.integrations.ringcentral.list_mesages({})", "Did you mean: list_messages");
    check("app.integrations.dialpad.work.get_cal({})", "Did you mean: get_call");
    check("app.integrations.dialpad.wrk.get_call({})", "There is no account `wrk` at dialpad. Did you mean: work");
    check(
        "app.integrations.dialpad.zzz.get_call({})",
        "There is no account `zzz` at dialpad. Known accounts: default, support, work",
    );
    check("app.intergations.dialpad.get_call({})", "Did you mean: integrations");
    let functions = "list_calls, get_call, list_sms, send_sms, list_users, get_user, get_current_user";
    check("app.integrations.dialpad.zzz({})", &format!("Known functions: {functions}, default, support, work"));
    check(
        "app.integrations.dialpad.work({})",
        &format!("`work` is an account: call one of its functions: {functions}"),
    );
    check("app.integrations.dialpad({})", &format!("`dialpad` is a provider: call one of its functions: {functions}"));
    check("app.integrations({})", "Call one of its functions: app.integrations.<provider>.<function>({})");
    check("app.mcp.github.issues({})", "There is no MCP server `github`. None is configured: kosmo mcp:add");
}

#[test]
fn wrong_arguments_are_named_with_what_they_should_be_and_nothing_is_sent() {
    let lab = Lab::new();
    let check = |call: &str, sentence: &str| check_refused(&lab, call, Code::InvalidArgument, sentence);
    let dialpad = "app.integrations.dialpad";
    check(
        &format!("{dialpad}.get_call({{idd = 'x'}})"),
        "dialpad.get_call has no parameter `idd`. It takes: id. Did you mean: id",
    );
    check(
        &format!("{dialpad}.get_call({{id = true}})"),
        "dialpad.get_call: `id` takes a string, for example \"call_abc123\"; it was given true.",
    );
    check(
        &format!("{dialpad}.get_call('call_abc123')"),
        "app.integrations.dialpad.get_call takes one table of named arguments and got an argument that is a string. \
         Write app.integrations.dialpad.get_call({name = value}); docs.read(\"dialpad.get_call\") lists the names",
    );
    check(
        &format!("{dialpad}:list_calls({{}})"),
        "app.integrations.dialpad.list_calls was given a namespace. Call it with a dot, not with a colon: \
         app.integrations.dialpad.list_calls({…})",
    );
    check(
        "app.integrations.ringcentral.get_message({messageId = '1', message_id = '1'})",
        "ringcentral.get_message: `messageId` is given twice, in two spellings.",
    );
    check(
        "app.integrations.probe.echo({payload = {a = {b = print}}})",
        "payload.a.b is a function; JSON has only tables, strings, numbers, booleans and json.null",
    );
    check("app.integrations.probe.echo({list = {1, 2, 0/0}})", "list[3] is NaN, which JSON cannot hold");
    check("local t = {} t.t = t app.integrations.probe.echo({payload = t})", "payload.t contains itself");
    check(
        &format!("{dialpad}.send_sms({{text = 'x'}})"),
        "Missing required parameter(s): to, from. dialpad.send_sms takes `to` as a string, for example \"+14155551234\".",
    );
}

#[test]
fn functions_and_parameters_go_by_both_spellings() {
    let lab = Lab::new();
    for call in [
        "app.integrations.dialpad.get_call({id = 'call_abc123'})",
        "app.integrations.dialpad.dialpad_get_call({ID = 'call_abc123'})",
        "app.integrations.dialpad.default.get_call({Id = 'call_abc123'})",
        "app.integrations['dialpad'].work.dialpad_get_call({id = 'call_abc123'})",
    ] {
        assert_eq!(lab.value(&format!("return {call}.id")), "call_abc123", "{call}");
    }
    for call in ["messageId = '1234567890'", "message_id = 1234567890", "MESSAGEID = '1234567890'"] {
        let code = format!("return app.integrations.ringcentral.ringcentral_get_message({{{call}}}).type");
        assert_eq!(lab.value(&code), "SMS", "{call}");
    }
    let logged = lab.run("app.integrations.dialpad.work.dialpad_get_call({id = 'call_abc123'})").integration_calls;
    assert_eq!((logged[0].path.as_str(), logged[0].name.as_str()), ("integrations.dialpad.work.get_call", "get_call"));
}

#[test]
fn every_account_is_its_own_token() {
    let lab = Lab::new();
    let code = "local P = app.integrations.PROVIDER
        return P.get_current_user({}).id, P.default.get_current_user({}).id, P.work.get_current_user({}).id, P.support.get_current_user({}).id";
    for provider in ["dialpad", "ringcentral"] {
        let outcome = lab.run(&code.replace("PROVIDER", provider));
        let ids = outcome.result.unwrap_or_else(|| panic!("{provider}: {:?}", outcome.error));
        assert_eq!(ids[0], ids[1], "{provider}: default is the default");
        assert!(ids[1] != ids[2] && ids[2] != ids[3] && ids[1] != ids[3], "{provider}: {ids:?}");
        let sent = lab.scenario.simulator.take_requests();
        let sent: Vec<_> = sent.iter().filter_map(|exchange| exchange.header("authorization")).collect();
        let token = |account| format!("Bearer {}", kosmo_simulator::Simulator::token(provider, account));
        assert_eq!(sent, ["default", "default", "work", "support"].map(token), "{provider}");
    }
}

#[test]
fn namespaces_can_be_walked_and_not_changed() {
    let lab = Lab::new();
    let names = |over: &str| {
        format!(
            "local names = {{}} for name in {over} do table.insert(names, name) end table.sort(names) return \
                 table.concat(names, ' ')"
        )
    };
    assert_eq!(lab.value(&names("pairs(app)")), "integrations mcp");
    assert_eq!(lab.value(&names("app.integrations")), "dialpad probe ringcentral thief");
    let dialpad = "default get_call get_current_user get_user list_calls list_sms list_users send_sms support work";
    assert_eq!(lab.value(&names("pairs(app.integrations.dialpad)")), dialpad);
    let functions = "get_call get_current_user get_user list_calls list_sms list_users send_sms";
    assert_eq!(lab.value(&names("next, app.integrations.dialpad.work")), functions);
    lab.prints("print(app.integrations.dialpad.work.list_calls)", "function app.integrations.dialpad.work.list_calls");
    let refusal = |code: &str| lab.run(code).error.expect("refused");
    let mine = "scenario.lua:1: app.integrations.dialpad is read-only: keep your values in variables of your own";
    assert_eq!(refusal("app.integrations.dialpad.mine = 1"), mine);
    assert!(refusal("app.integrations = {}").contains("readonly"));
    assert!(refusal("app.integrations.dialpad.get_call = print").contains("read"));
    assert_eq!(lab.requests(), Vec::<String>::new(), "walking sends nothing");
}

#[test]
fn the_mcp_surface_has_no_integrations() {
    let lab = Lab::new();
    let session = lab.host.session().surface(kosmo::Surface::McpOnly).build();
    let outcome = session.run_blocking(Script::new(
        "x",
        "print(docs, lua_read_doc, mcp.servers()) app.integrations.dialpad.list_calls({})",
    ));
    assert_eq!(outcome.output, "nil\tnil\t{}");
    let sentence = "Unknown function: app.integrations.dialpad.list_calls. Scripts of mcp:lua reach MCP servers \
         only; run this one with integrations:lua";
    assert_eq!(outcome.error.as_deref(), Some(sentence));
}
