//! Scripts: where they come from, what they print, how they end.

use super::{check, eval, keys, kosmo, kosmo_with};
use kosmo_tests::Scenario;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const WORKFLOW: &str =
    "local call = app.integrations.dialpad.get_call({id = 'call_abc123'})\nprint(call.id)\nreturn call.direction\n";

#[test]
fn the_envelope_has_its_keys_in_this_order() {
    let scenario = Scenario::new();
    let (code, envelope) = eval(&scenario, WORKFLOW, &[]);
    assert_eq!((code, &envelope["output"], &envelope["result"]), (0, &json!("call_abc123"), &json!(["inbound"])));
    let success = "success output error result execution_time_ms memory_usage integration_calls meta";
    assert_eq!(keys(&envelope), success);
    assert_eq!(keys(&envelope["integration_calls"][0]), "path durationMs status name group");
    assert_eq!(envelope["integration_calls"][0]["path"], "integrations.dialpad.get_call");

    let (code, envelope) = eval(&scenario, "print('so far') app.integrations.dialpad.get_call({id = 'no'})", &[]);
    assert_eq!((code, &envelope["output"], &envelope["result"]), (1, &json!("so far"), &json!(null)));
    assert_eq!(keys(&envelope), success.replace("result", "result fault"));
    assert_eq!(keys(&envelope["fault"]), "code message provider fn status provider_code");
    assert_eq!(keys(&envelope["integration_calls"][0]), "path durationMs status error name group");
    assert_eq!(envelope["fault"]["message"], envelope["error"]);
}

#[test]
fn people_read_output_and_result_apart_from_errors() {
    let scenario = Scenario::new();
    scenario.write("workflow.lua", WORKFLOW);
    check(&kosmo(&scenario, &["integrations:lua", "workflow.lua"]), 0, "call_abc123\ninbound\n", "");
    check(&kosmo(&scenario, &["integrations", "lua", "--file", "workflow.lua"]), 0, "call_abc123\ninbound\n", "");
    scenario.write(
        "fails.lua",
        &WORKFLOW.replace("return call.direction", "app.integrations.dialpad.get_call({id = 'no'})"),
    );
    let sentence = "kosmo: Dialpad API error (404 notFound): Call not found\n";
    check(&kosmo(&scenario, &["integrations:lua", "fails.lua"]), 1, "call_abc123\n", sentence);
    let list = kosmo(
        &scenario,
        &["integrations:lua", "-e", "return {app.integrations.dialpad.get_call({id = 'call_abc123'}).id}"],
    );
    check(&list, 0, "[\n    \"call_abc123\"\n]\n", "");
}

#[test]
fn code_comes_from_eval_before_a_file_before_a_pipe() {
    let scenario = Scenario::new();
    scenario.write("workflow.lua", "return 'file'");
    let run = |arguments: &[&str]| {
        kosmo_with(&scenario, &[&["integrations:lua"], arguments].concat(), &[], Some("return 'pipe'"))
    };
    check(&run(&["workflow.lua", "--eval", "return 'eval'"]), 0, "eval\n", "");
    check(&run(&["workflow.lua"]), 0, "file\n", "");
    check(&run(&[]), 0, "pipe\n", "");
    check(&run(&["-"]), 0, "pipe\n", "");
    check(&run(&["missing.lua"]), 1, "", "kosmo: Lua file not found: missing.lua\n");
}

#[test]
fn every_way_to_go_wrong_has_its_exit_code_and_under_json_an_envelope() {
    let scenario = Scenario::new();
    scenario.write("broken.lua", "local x = = 1");
    for (arguments, code, error) in [
        (vec!["broken.lua"], 1, "broken.lua:1: "),
        (vec!["missing.lua"], 1, "Lua file not found: missing.lua"),
        (vec!["-e", "error('it broke')"], 1, "eval:1: it broke"),
        (vec!["-e", "return app.nothing.here()"], 1, "Unknown function: app.nothing.here"),
        (
            vec!["-e", "app.integrations.dialpad.list_calls({limit = {}})"],
            1,
            "dialpad.list_calls: `limit` takes an integer, for example ",
        ),
        (vec![], 2, "Provide a Lua file, --eval code, or pipe Lua code on stdin."),
        (vec!["--frobnicate"], 2, "unexpected argument '--frobnicate' found"),
        (vec!["-e", "return 1", "--memory-limit", "1"], 2, "at least 1000000"),
        (vec!["-e", "return 1", "--timeout", "soon"], 2, "such as 30 or 0.5"),
        (vec!["a.lua", "b.lua"], 2, "unexpected argument 'b.lua' found"),
    ] {
        let arguments = [&["integrations:lua"], arguments.as_slice()].concat();
        let told = kosmo(&scenario, &arguments);
        assert_eq!((told.code, told.stdout.as_str()), (code, ""), "{arguments:?}: {told:?}");
        assert!(told.stderr.starts_with("kosmo: ") && told.stderr.contains(error), "{arguments:?}: {told:?}");
        let enveloped = kosmo(&scenario, &[arguments.as_slice(), &["--json"]].concat());
        let envelope = enveloped.json();
        assert_eq!((enveloped.code, enveloped.stderr.as_str(), &envelope["success"]), (code, "", &json!(false)));
        assert!(keys(&envelope).starts_with("success output error result"), "{envelope}");
        assert!(envelope["error"].as_str().is_some_and(|told| told.contains(error)), "{arguments:?}: {envelope}");
        assert!(!envelope["error"].as_str().is_some_and(|told| told.contains("Usage:")), "{envelope}");
    }
}

#[test]
fn a_reader_that_has_enough_ends_the_run_quietly() {
    let scenario = Scenario::new();
    let code =
        "for i = 1, 3000 do print(i) end for user in paginate(app.integrations.dialpad.list_users) do print(user) end";
    let mut command = scenario.command();
    command.args(["integrations:lua", "-e", code]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("`kosmo` starts");
    let mut first = String::new();
    BufReader::with_capacity(16, child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
    let output = child.wait_with_output().expect("`kosmo` ends");
    assert_eq!((first.as_str(), output.status.code(), output.stderr.as_slice()), ("1\n", Some(0), &b""[..]));
}

#[test]
fn an_account_named_on_the_command_line_is_what_functions_without_one_mean() {
    let scenario = Scenario::new();
    let who = |path: &str| format!("return app.integrations.dialpad.{path}get_current_user({{}}).id ~= nil");
    let check = |path: &str, reached: &str| {
        let (code, envelope) = eval(&scenario, &who(path), &["--account", "work"]);
        assert_eq!((code, &envelope["result"]), (0, &json!([true])), "{envelope}");
        scenario.assert_sent(&[format!("dialpad.{reached} GET /api/v2/users/me")]);
    };
    check("", "work");
    check("default.", "default");
    check("support.", "support");
    let (code, envelope) = eval(&scenario, &who(""), &["--account", "wrok"]);
    assert_eq!((code, &envelope["fault"]["code"]), (1, &json!("unconfigured")), "{envelope}");
    assert!(envelope["error"].as_str().is_some_and(|error| error.contains("Did you mean: work")), "{envelope}");
}
