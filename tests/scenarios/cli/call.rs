//! `integrations:call` and `integrations:<provider>`: one function from a shell.

use super::{keys, kosmo, kosmo_with};
use kosmo_tests::{Ran, Scenario, Transcript};
use serde_json::{Value, json};

/// Calls a function with `--json`.
#[track_caller]
fn call(scenario: &Scenario, line: &[&str]) -> (i32, Value) {
    let ran = kosmo(scenario, &[&["integrations:call", "--json"], line].concat());
    assert_eq!(ran.stderr, "", "{line:?}");
    (ran.code, ran.json())
}

#[test]
fn a_call_reads_as_it_is_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:call", "ringcentral.get_presence", "--detailed-telephony-state=false"]);
    transcript.run(&["integrations:call", "ringcentral.get_presence", "--account", "work", "--json"]);
    transcript.run(&["integrations:ringcentral", "get_presence", "{}", "--json"]);
    transcript.run(&["integrations:call", "dialpad.send_sms", "--to=+14155551234", "--from=+14155550100"]);
    transcript.run(&["integrations:call", "dialpad.send_sms", "--tto=+14155551234"]);
    transcript.run(&["integrations:call", "dialpad.send_sms", "--tto=+14155551234", "--json"]);
    transcript.run(&["integrations:call", "dialpad.list_callz", "--json"]);
    transcript.run(&["integrations:call", "dialpad.list_calls", "[]", "--json"]);
    transcript.run(&["integrations:call", "--help"]);
    transcript.compare("call");
}

#[test]
fn the_envelope_is_whole_whatever_happened() {
    let scenario = Scenario::new();
    let (code, done) = call(&scenario, &["dialpad.get_current_user"]);
    assert_eq!((code, keys(&done).as_str()), (0, "function success data error meta duration_ms"));
    assert_eq!(
        done["meta"],
        json!({"dry_run": false, "operation": "read", "permission_bypassed": false, "account": "default"})
    );
    assert_eq!(
        (&done["function"], &done["success"], &done["error"]),
        (&json!("dialpad.get_current_user"), &json!(true), &Value::Null)
    );
    assert_eq!(done["data"]["id"], "5835806903417907");

    let (code, failed) = call(&scenario, &["dialpad.get_user", "--id", "nobody", "--account=work", "--force"]);
    assert_eq!((code, keys(&failed).as_str()), (4, "function success data error fault meta duration_ms"));
    assert_eq!(
        failed["meta"],
        json!({"dry_run": false, "operation": "read", "permission_bypassed": true, "account": "work"})
    );
    assert_eq!(
        (&failed["success"], &failed["data"], &failed["fault"]["code"]),
        (&json!(false), &Value::Null, &json!("not_found"))
    );
    assert_eq!(failed["error"], failed["fault"]["message"]);
}

const SMS: [&str; 4] = ["ringcentral.send_sms", "--from=+16505551234", "--to=+16505559876", "--text=Hi"];

#[test]
fn arguments_come_from_payload_pipe_and_flags_and_flags_win() {
    let scenario = Scenario::writable();
    let sent = |line: &[&str], input: Option<&str>| {
        let ran = kosmo_with(&scenario, line, &[], input);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line:?}");
        scenario.sent().join("\n")
    };
    let expected = "ringcentral.default POST /restapi/v1.0/account/~/extension/~/sms \
                    {\"from\":{\"phoneNumber\":\"+16505551234\"},\"to\":[{\"phoneNumber\":\"+16505559876\"}],\"text\":\"Hi\"}";
    let payload = "{\"from\": \"+16505551234\", \"to\": \"+16505559876\", \"text\": \"Hi\"}";
    let function = ["integrations:call", "ringcentral.send_sms"];
    assert_eq!(sent(&[&["integrations:call"], &SMS[..]].concat(), None), expected);
    assert_eq!(sent(&[&function[..], &[payload]].concat(), None), expected);
    assert_eq!(sent(&function, Some(payload)), expected);
    assert_eq!(sent(&[&function[..], &["-"]].concat(), Some(payload)), expected);
    let other = payload.replace("Hi", "Bye").replace("text", "TEXT");
    assert_eq!(sent(&[&function[..], &[other.as_str(), "--text", "Hi"]].concat(), None), expected);
    assert_eq!(sent(&[&function[..], &["--arg", "text=Hi"]].concat(), Some(&other)), expected);
    let short = [&["integrations", "ringcentral", "send_sms"], &SMS[1..]].concat();
    assert_eq!(sent(&short, None), expected);
    let read =
        ["integrations:ringcentral", "list_messages", "--message-type=sms", "--account", "work", "--per-page", "5"];
    assert_eq!(
        sent(&read, Some(" \n")),
        "ringcentral.work GET /restapi/v1.0/account/~/extension/~/message-store?messageType=SMS&perPage=5"
    );
}

/// What a line ends with, and the end of the sentence that says why.
#[track_caller]
fn check_failure(ran: &Ran, code: i32, part: &str) {
    assert!(ran.code == code && ran.stdout.is_empty() && ran.stderr.contains(part), "{ran:?} instead of {code} {part}");
}

#[test]
fn every_refusal_has_its_words_and_its_exit_code() {
    let scenario = Scenario::new().plugins(kosmo_tests::guests());
    std::fs::create_dir(scenario.home().join("plugins")).expect("a folder");
    scenario.write("plugins/broken.wasm", "not a component");
    let check = |line: &[&str], code, part| {
        check_failure(&kosmo(&scenario, &[&["integrations:call"], line].concat()), code, part)
    };
    check(&["dialpad.list_callz"], 1, "Unknown integration function: dialpad.list_callz. Did you mean: list_calls");
    check(
        &["dialpd.list_calls"],
        1,
        "Unknown integration function: dialpd.list_calls. Did you mean: dialpad.list_calls",
    );
    check(&["dialpad"], 1, "Unknown integration function: dialpad");
    check(
        &["broken.run"],
        1,
        "Integration 'broken' is discoverable but is not supported by the local CLI runtime yet. ",
    );
    check(
        &["probe.revision"],
        1,
        "Integration 'probe' is missing required credentials for account 'default'. Configure it in settings first. ",
    );
    check(&["dialpad.list_calls", "--account", "wrok"], 1, "Did you mean: work");
    check(&["ringcentral.send_sms", "--text=Hi"], 2, "Missing required parameter(s): from, to");
    check(&["ringcentral.send_sms", "--text=Hi", "--txt=Hi"], 2, "Did you mean: text");
    check(&["dialpad.list_calls", "--limit=many"], 2, "`limit` takes an integer");
    check(&["dialpad.list_calls", "--limit"], 2, "--limit needs a value: --limit=VALUE");
    check(&["dialpad.list_calls", "--arg", "limit"], 2, "--arg values must use key=value syntax");
    check(&["dialpad.list_calls", "limit"], 2, "JSON payload must decode to an object");
    check(&["dialpad.list_calls", "[]"], 2, "JSON payload must decode to an object");
    check(&[], 2, "<PROVIDER.FUNCTION>");
    check(
        &SMS,
        3,
        "Integration 'ringcentral' write requires approval. Ask the user to change the permission in /settings → Integrations",
    );
    check(&["dialpad.get_user", "--id=nobody"], 4, "Dialpad API error (404");
    check_failure(
        &kosmo(&scenario, &["integrations:dialpd", "list_calls"]),
        2,
        "neither a command `integrations:dialpd` nor a provider `dialpd`. Did you mean: integrations:dialpad",
    );
    check_failure(&kosmo(&scenario, &["integrations:serch", "x"]), 2, "neither a command");
    scenario.configure("[permissions.ringcentral]\nwrite = \"deny\"\n");
    check(&SMS, 3, "Integration 'ringcentral' write access denied. Enable it in /settings → Integrations");
    let gone = "[accounts.dialpad.default]\nurl = \"http://127.0.0.1:1\"\naccess_token = \"unused-token\"\n";
    scenario.write("config.toml", gone);
    check(&["dialpad.list_calls"], 4, "Failed to connect to Dialpad API: ");
    assert_eq!(scenario.simulator.sms_sent().len(), 0);
}

#[test]
fn a_provider_without_a_function_is_read_about() {
    let scenario = Scenario::new();
    let page = kosmo(&scenario, &["integrations:dialpad"]);
    assert_eq!((page.code, &page.stdout), (0, &kosmo(&scenario, &["integrations:docs", "dialpad"]).stdout));
    let help = kosmo(&scenario, &["integrations:dialpad", "list_calls", "--help"]);
    assert_eq!((help.code, &help.stdout), (0, &kosmo(&scenario, &["integrations:docs", "dialpad.list_calls"]).stdout));
    let (_, envelope) = call(&scenario, &["app.integrations.dialpad.dialpad_get_user", "--id", "user_abc123"]);
    assert_eq!(
        (&envelope["function"], &envelope["data"]["first_name"]),
        (&json!("dialpad.get_user"), &json!("Edsger"))
    );
}

#[test]
fn a_provider_is_read_by_programs_too_and_has_its_own_help() {
    let scenario = Scenario::new();
    let json = |line: &[&str]| kosmo(&scenario, &[line, &["--json"]].concat()).json();
    assert_eq!(json(&["integrations:dialpad"]), json(&["integrations:docs", "dialpad"]));
    assert_eq!(json(&["integrations:dialpad", "get_call", "--help"]), json(&["integrations:docs", "dialpad.get_call"]));
    for flag in ["--help", "-h"] {
        let help = kosmo(&scenario, &["integrations:dialpad", flag]);
        assert!(help.code == 0 && help.stdout.contains("Usage: kosmo integrations:dialpad <FUNCTION>"), "{help:?}");
        assert!(help.stdout.contains("\n  send_sms          Send a text message.\n"), "{help:?}");
    }
}

#[test]
fn a_switch_says_true_or_false_and_a_line_that_is_wrong_still_has_its_envelope() {
    let scenario = Scenario::new();
    let ran = kosmo(&scenario, &["integrations", "dialpad", "get_current_user", "--json=true", "--force=false"]);
    assert_eq!((ran.code, &ran.json()["meta"]["permission_bypassed"]), (0, &json!(false)), "{ran:?}");
    assert!(kosmo(&scenario, &["integrations:list", "--json=false"]).stdout.starts_with("NAME"));
    for wrong in
        [&["--limit"][..], &["{"], &["--arg", "limit"], &["--grants"], &["--plugins=nowhere"], &["--force=maybe"]]
    {
        let line = [&["integrations:call", "dialpad.list_calls", "--account", "work", "--json"], wrong].concat();
        let ran = kosmo(&scenario, &line);
        let document = ran.json();
        assert!(matches!(ran.code, 1 | 2) && ran.stderr.is_empty(), "{ran:?}");
        assert_eq!(keys(&document), "function success data error fault meta duration_ms", "{wrong:?}");
        assert_eq!(
            (&document["function"], &document["meta"]["account"]),
            (&json!("dialpad.list_calls"), &json!("work"))
        );
        assert_eq!(document["error"], document["fault"]["message"], "{wrong:?}");
    }
}

#[test]
fn a_group_alone_says_what_is_in_it() {
    let scenario = Scenario::new();
    for (line, code) in [(&["grants"][..], 2), (&["grants", "--help"], 0), (&["help", "grants"], 0)] {
        let ran = kosmo(&scenario, line);
        let (said, other) = if code == 0 { (&ran.stdout, &ran.stderr) } else { (&ran.stderr, &ran.stdout) };
        assert!(ran.code == code && other.is_empty(), "{ran:?}");
        assert!(said.contains("\n  grants:remove") && !said.contains("accounts:list"), "{ran:?}");
    }
    let ran = kosmo(&scenario, &["accounts", "--json"]);
    let message = "`kosmo accounts` needs a command: accounts:list, accounts:remove, accounts:test";
    assert_eq!((ran.code, &ran.json()["error"]), (2, &json!(message)));
    assert!(kosmo(&scenario, &["help", "accounts", "list"]).stdout.contains("Usage: kosmo accounts:list"));
}
