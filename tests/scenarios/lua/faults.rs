//! Faults of real providers, as a script that catches them sees them and as the envelope tells them.

use super::Lab;
use kosmo::{Code, Fault, Outcome};
use kosmo_simulator::{Effect, Matcher};
use serde_json::{Value, json};

/// A script that catches a fault and prints its fields in this order.
const FIELDS: &str = "local _, err = pcall(function() return CALL end)
    print(type(err), err.code, err.provider, err.fn, err.parameter, err.status, err.provider_code, err.retry_after)";

#[track_caller]
fn check_fields(lab: &Lab, call: &str, expected: &str) {
    lab.prints(&FIELDS.replace("CALL", call), &format!("table\t{expected}"));
}

#[test]
fn a_fault_has_the_fields_that_fit_it() {
    let lab = Lab::new();
    let check = |call, expected| check_fields(&lab, call, expected);
    check(
        "app.integrations.dialpad.get_call({id = 'no_such_call'})",
        "not_found\tdialpad\tget_call\tnil\t404\tnotFound\tnil",
    );
    check(
        "app.integrations.ringcentral.get_message({messageId = '1'})",
        "not_found\tringcentral\tget_message\tnil\t404\tCMN-102\tnil",
    );
    check("app.integrations.dialpad.get_call({})", "invalid_argument\tdialpad\tget_call\tid\tnil\tnil\tnil");
    check(
        "app.integrations.dialpad.list_calls({limit = 'x'})",
        "invalid_argument\tdialpad\tlist_calls\tlimit\tnil\tnil\tnil",
    );
    check(
        "app.integrations.dialpad.list_calls({limit = 0})",
        "invalid_argument\tdialpad\tlist_calls\tlimit\tnil\tnil\tnil",
    );
    check(
        "app.integrations.ringcentral.get_message({message_id = 'x/y'})",
        "invalid_argument\tringcentral\tget_message\tmessageId\tnil\tnil\tnil",
    );
    check(
        "app.integrations.ringcentral.create_contact({payload = {f = print}})",
        "invalid_argument\tringcentral\tcreate_contact\tpayload\tnil\tnil\tnil",
    );
    check("app.integrations.probe.crash({})", "trap\tprobe\tcrash\tnil\tnil\tnil\tnil");
    check("app.integrations.probe.export({})", "not_ready\tprobe\texport\tnil\tnil\tnil\t7");
    check("app.integrations.probe.babble({})", "internal\tprobe\tbabble\tnil\tnil\tnil\tnil");
    let limited = Effect::RateLimited { retry_after: Some(170) };
    lab.spoil(1, Matcher::new("ringcentral", "GET", "/restapi/v1.0/account/~/extension/~"), limited);
    check(
        "app.integrations.ringcentral.get_current_user({})",
        "rate_limited\tringcentral\tget_current_user\tnil\t429\tCMN-301\t170",
    );
    lab.spoil(4, Matcher::new("dialpad", "GET", "/api/v2/users/me"), Effect::Reset);
    check(
        "app.integrations.dialpad.get_current_user({})",
        "unreachable\tdialpad\tget_current_user\tnil\tnil\tnil\tnil",
    );
}

#[test]
fn a_fault_reads_as_a_sentence_wherever_a_string_does() {
    let lab = Lab::new();
    let caught = "local _, err = pcall(app.integrations.dialpad.get_call, {id = 'no_such_call'})\n";
    let sentence = "Dialpad API error (404 notFound): Call not found";
    let check = |code: &str, expected: &str| lab.prints(&format!("{caught}{code}"), expected);
    check("print(err)", sentence);
    check("dump(err)", sentence);
    check("print(tostring(err))", sentence);
    check("print(err.message)", sentence);
    check("print('It failed: ' .. err .. '!')", &format!("It failed: {sentence}!"));
    check("print(err:match('%((%d+)'), err:upper():sub(1, 7), #err, err:find('API'))", "404\tDIALPAD\t48\t9\t11");
    check("print(string.match(err, '%a+'), string.find(err, 'not found', 1, true))", "Dialpad\t40\t48");
    check(
        "print((err:gsub('%d+', '#')), string.format('<%s>', err), string.len(err))",
        "Dialpad API error (# notFound): Call not found\t<Dialpad API error (404 notFound): Call not found>\t48",
    );
    check(
        "print(err.code, pcall(function() err.code = 'mine' end))",
        "not_found\tfalse\tscenario.lua:2: attempt to modify a readonly table",
    );
    check("print(getmetatable(err), err.line, err.nothing)", "fault\t1\tnil");
}

/// What a script raised at its end, as the envelope tells it.
#[track_caller]
fn check_envelope(outcome: &Outcome, code: Code) -> Fault {
    assert!(!outcome.success && outcome.result.is_none() && outcome.memory_usage.is_none(), "{outcome:?}");
    let fault = outcome.fault.clone().unwrap_or_else(|| panic!("a fault: {outcome:?}"));
    assert_eq!((fault.code, outcome.error.as_deref()), (code, Some(fault.message.as_str())));
    fault
}

#[test]
fn a_fault_that_ends_the_script_is_in_the_envelope_however_it_was_passed_on() {
    let lab = Lab::new();
    for code in [
        "app.integrations.dialpad.get_call({id = 'no_such_call'})",
        "local _, err = pcall(app.integrations.dialpad.get_call, {id = 'no_such_call'}) error(err)",
        "local _, err = pcall(app.integrations.dialpad.get_call, {id = 'no_such_call'}) error(err, 0)",
        "assert(pcall(app.integrations.dialpad.get_call, {id = 'no_such_call'}))",
        "coroutine.wrap(function() app.integrations.dialpad.get_call({id = 'no_such_call'}) end)()",
        "local _, err = xpcall(app.integrations.dialpad.get_call, function(e) return e end, {id = 'no_such_call'}) \
             error(err)",
        "parallel(function() return 1 end, function() return app.integrations.dialpad.get_call({id = \
             'no_such_call'}) end)",
        "('x'):gsub('x', function() app.integrations.dialpad.get_call({id = 'no_such_call'}) end)",
    ] {
        let fault = check_envelope(&lab.run(code), Code::NotFound);
        assert_eq!((fault.status, fault.provider_code.as_deref()), (Some(404), Some("notFound")), "{code}");
        assert_eq!(
            (fault.provider.as_deref(), fault.function.as_deref()),
            (Some("dialpad"), Some("get_call")),
            "{code}"
        );
    }
}

#[test]
fn the_fault_of_an_envelope_says_only_what_is_known() {
    let lab = Lab::new();
    let fault = |code: &str| serde_json::to_value(lab.run(code).fault).expect("JSON");
    let expected = json!({"code": "not_ready", "message": "asked 0 times before", "provider": "probe", "fn": "export", "retry_after": 7});
    assert_eq!(fault("app.integrations.probe.export({})"), expected);
    let missing = fault("app.integrations.dialpad.get_call({})");
    let keys: Vec<_> = missing.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["code", "message", "provider", "fn", "parameter"]);
    assert_eq!(fault("error('my own words')"), Value::Null);
}

#[test]
fn what_was_printed_and_done_before_a_fault_is_kept() {
    let lab = Lab::new();
    let outcome = lab.run(
        "local me = app.integrations.dialpad.get_current_user({})\nprint('I am', me.first_name)\n\
         pcall(app.integrations.dialpad.nonsense)\nprint({1, 2})\napp.integrations.dialpad.work.get_call({id = 'no_such_call'})\nprint('never')",
    );
    check_envelope(&outcome, Code::NotFound);
    assert!(outcome.output.starts_with("I am\t") && outcome.output.ends_with("[\n  1,\n  2\n]"), "{}", outcome.output);
    let calls: Vec<_> =
        outcome.integration_calls.iter().map(|call| (call.path.as_str(), call.error.is_some())).collect();
    let expected = [
        ("integrations.dialpad.get_current_user", false),
        ("integrations.dialpad.nonsense", true),
        ("integrations.dialpad.work.get_call", true),
    ];
    assert_eq!(calls, expected);
}
