//! Dry runs: every check, no write, and the least that a script must be granted.

use crate::{PROBE_TOKEN, probe_host};
use kosmo::audit::{Event, Query, Record};
use kosmo::{Code, Invocation, Rehearsal, Rehearsed, Script};
use kosmo_simulator::Simulator;
use kosmo_tests::{Echo, Ran, Scenario, Transcript};
use serde_json::{Value, json};
use std::sync::Arc;

const SEND: &str =
    "app.integrations.dialpad.work.send_sms({ to = '+14155551234', from = '+14155559876', text = 'Hi' })";

/// Reads, and writes what depends on it.
fn script() -> String {
    format!("local me = app.integrations.dialpad.work.get_current_user({{}})\nprint(me.id)\nreturn {SEND}")
}

/// Runs a script from a file of the home.
#[track_caller]
fn lua(scenario: &Scenario, code: &str, flags: &[&str]) -> Ran {
    scenario.write("script.lua", code);
    let ran = scenario.kosmo(&[&["integrations:lua", "script.lua"], flags].concat());
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(&Simulator::token("dialpad", "work")), "{ran:?}");
    }
    ran
}

#[test]
fn what_a_dry_run_suggests_is_what_the_script_needs_and_nothing_else() {
    let scenario = Scenario::new();
    let ran = lua(&scenario, &script(), &["--dry-run", "--suggest-grants"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    scenario.assert_sent(&["dialpad.work GET /api/v2/users/me"]);
    let policy: toml::Table = toml::from_str(&ran.stdout).expect(&ran.stdout);
    let expected = "[grants.dialpad]\naccounts = [\"work\"]\n\
        requests = [\"GET /api/v2/users/me\", \"POST /api/v2/sms\"]\n\
        [permissions.dialpad]\nread = \"deny\"\nwrite = \"deny\"\n\
        functions = { get_current_user = \"allow\", send_sms = \"allow\" }\n";
    assert_eq!(policy, toml::from_str(expected).expect("TOML"));

    scenario.write("least.toml", &ran.stdout);
    let ran = lua(&scenario, &script(), &["--grants", "least.toml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    scenario.assert_sent(&["dialpad.work GET /api/v2/users/me", "dialpad.work POST /api/v2/sms *"]);

    let more = format!("app.integrations.dialpad.work.list_calls({{}})\n{}", script());
    let ran = lua(&scenario, &more, &["--grants", "least.toml"]);
    let cure = "(`read = \"allow\"` under [permissions.dialpad] in least.toml)";
    assert!(ran.code == 1 && ran.stderr.contains(cure), "{ran:?}");
    let ran = lua(&scenario, "app.integrations.dialpad.get_current_user({})", &["--grants", "least.toml"]);
    assert!(ran.code == 1 && ran.stderr.contains("the grant in least.toml includes work."), "{ran:?}");
    let ran = lua(&scenario, "app.integrations.ringcentral.get_current_user({})", &["--grants", "least.toml"]);
    assert!(ran.code == 1 && ran.stderr.contains("the grant in least.toml includes none."), "{ran:?}");
    assert_eq!(scenario.sent(), [""; 0]);
}

/// A generic function may only do what the function for it may, and needs the leave of that one too.
#[test]
fn what_a_generic_function_does_needs_the_leave_of_the_named_one() {
    let scenario = Scenario::new();
    let code =
        "app.integrations.ringcentral.api_delete({ path = '/restapi/v1.0/account/~/extension/~/message-store/7' })";
    let ran = lua(&scenario, code, &["--dry-run", "--suggest-grants", "--json"]);
    let envelope = ran.json();
    let suggestion = envelope["suggestion"].as_str().unwrap_or_default();
    let policy: toml::Table = toml::from_str(suggestion).expect(suggestion);
    let functions: Vec<_> =
        policy["permissions"]["ringcentral"]["functions"].as_table().into_iter().flatten().collect();
    let names: Vec<_> = functions.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["api_delete", "delete_message"]);
    let requests = policy["grants"]["ringcentral"]["requests"].as_array().expect("a list");
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(scenario.sent(), [""; 0]);

    scenario.write("least.toml", suggestion);
    let envelope = lua(&scenario, code, &["--grants", "least.toml", "--json"]).json();
    assert_eq!(envelope["fault"]["code"], "not_found", "{envelope}");
    assert_eq!(scenario.sent().len(), 1);
}

/// An export is asked for by POST, so that the rehearsal ends before it says where its file will be.
#[test]
fn what_a_function_would_send_after_what_is_not_sent_counts_as_it_is_declared() {
    let scenario = Scenario::new();
    let code = "return #app.integrations.dialpad.list_sms({}).items";
    let ran = lua(&scenario, code, &["--dry-run", "--suggest-grants"]);
    assert_eq!(scenario.sent(), [""; 0], "{ran:?}");
    let exports = format!("\"GET {}/**\"", scenario.simulator.exports_url());
    for rule in ["\"POST /api/v2/stats\"", "\"GET /api/v2/stats/{}\"", &exports] {
        assert!(ran.stdout.contains(rule), "{rule}: {ran:?}");
    }
    scenario.write("least.toml", &ran.stdout);
    let ran = lua(&scenario, code, &["--grants", "least.toml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_dry_run_sends_what_reads_and_lists_what_does_not() {
    let scenario = Scenario::writable();
    let ran = lua(&scenario, &script(), &["--dry-run", "--json"]);
    let envelope = ran.json();
    assert_eq!((ran.code, &envelope["meta"]["dry_run"]), (0, &json!(true)), "{ran:?}");
    scenario.assert_sent(&["dialpad.work GET /api/v2/users/me"]);
    let requests = envelope["requests"].as_array().expect("a list");
    let told = |request: &Value| (request["function"].clone(), request["operation"].clone(), request["sent"].clone());
    let told: Vec<_> = requests.iter().map(told).collect();
    assert_eq!(
        told,
        [(json!("get_current_user"), json!("read"), json!(true)), (json!("send_sms"), json!("write"), json!(false))]
    );
    let sms = &requests[1];
    assert_eq!((&sms["headers"]["authorization"], &sms["method"]), (&json!("[redacted]"), &json!("POST")));
    assert_eq!(sms["url"], format!("{}/api/v2/sms", scenario.simulator.dialpad_url()));
    let body: Value = serde_json::from_str(sms["body"].as_str().unwrap_or_default()).expect("JSON");
    assert_eq!((&body["text"], &body["to_numbers"]), (&json!("Hi"), &json!(["+14155551234"])));
    assert_eq!(envelope["result"], json!([{ "dry_run": true, "request": sms }]));

    let ran = lua(&scenario, &script(), &["--dry-run"]);
    assert!(
        ran.stdout.contains("Dry run: 1 request was not sent.\n\n# dialpad.send_sms on work\nPOST http"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("\nauthorization: [redacted]\n"), "{ran:?}");
    assert!(!scenario.sent().iter().any(|sent| sent.contains("POST")));
}

#[test]
fn a_dry_run_is_refused_what_the_run_would_be_refused() {
    let scenario = Scenario::new();
    let envelope = lua(&scenario, SEND, &["--dry-run", "--json"]).json();
    assert_eq!(envelope["fault"]["code"], "approval_required", "{envelope}");
    scenario.configure("[permissions.dialpad]\nwrite = \"deny\"\n");
    let ran = lua(&scenario, SEND, &["--dry-run", "--suggest-grants"]);
    assert!(ran.code == 1 && ran.stderr.contains("write access denied"), "{ran:?}");
    assert!(ran.stdout.contains("# The script ended early"), "{ran:?}");
    scenario.configure("[grants.dialpad]\nrequests = [\"GET /**\"]\n[permissions.dialpad]\nwrite = \"allow\"\n");
    let envelope = lua(&scenario, SEND, &["--dry-run", "--json"]).json();
    assert_eq!((&envelope["fault"]["code"], &envelope["requests"]), (&json!("denied"), &json!([])), "{envelope}");
    assert_eq!(scenario.sent(), [""; 0]);
}

#[test]
fn a_call_on_trial_sends_nothing_and_shows_what_it_would() {
    let scenario = Scenario::writable();
    let line = ["integrations:call", "dialpad.list_calls", "--limit", "5", "--dry-run"];
    let ran = scenario.kosmo(&[&line[..], &["--json"]].concat());
    let envelope = ran.json();
    assert_eq!((ran.code, &envelope["data"], &envelope["meta"]["dry_run"]), (0, &Value::Null, &json!(true)), "{ran:?}");
    let url = format!("{}/api/v2/call?", scenario.simulator.dialpad_url());
    assert!(envelope["request"]["url"].as_str().unwrap_or_default().starts_with(&url), "{envelope}");
    let ran = scenario.kosmo(&line);
    assert!(ran.code == 0 && ran.stdout.starts_with(&format!("GET {url}")), "{ran:?}");
    assert!(ran.stdout.contains("\nauthorization: [redacted]\n"), "{ran:?}");

    let ran = scenario.kosmo(&["integrations:dialpad", "list_call", "--dry-run"]);
    assert_ne!(ran.code, 0, "{ran:?}");
    scenario.write("none.toml", "");
    let ran = scenario.kosmo(&["integrations:dialpad", "list_calls", "--dry-run", "--grants", "none.toml"]);
    assert!(ran.code == 3 && ran.stderr.contains("the grant in none.toml includes none"), "{ran:?}");
    assert_eq!(scenario.sent(), [""; 0]);
}

#[test]
fn a_dry_run_reads_as_it_is_documented() {
    let scenario = Scenario::new();
    scenario.write("script.lua", &script());
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:call", "dialpad.list_calls", "--limit", "5", "--dry-run"]);
    transcript.run(&["integrations:call", "dialpad.list_calls", "--limit", "5", "--dry-run", "--json"]);
    transcript.run(&["integrations:lua", "script.lua", "--dry-run"]);
    transcript.run(&["integrations:lua", "script.lua", "--dry-run", "--force"]);
    transcript.run(&["integrations:lua", "script.lua", "--dry-run", "--suggest-grants"]);
    transcript.run(&["integrations:lua", "script.lua", "--dry-run", "--suggest-grants", "--json"]);
    transcript.run(&["integrations:lua", "script.lua", "--suggest-grants"]);
    transcript.compare("dry_run");
}

#[track_caller]
fn check_refused(text: Option<&str>, expected: &str) {
    let scenario = Scenario::new();
    if let Some(text) = text {
        scenario.write("least.toml", text);
    }
    let ran = lua(&scenario, "return 1", &["--grants", "least.toml"]);
    assert!(ran.code == 1 && ran.stderr.contains(expected), "{ran:?}");
}

#[test]
fn a_file_with_grants_is_read_as_strictly_as_the_configuration() {
    check_refused(None, "least.toml cannot be read");
    check_refused(Some("[grants.dialpad]\nrequest = []\n"), "least.toml, line 2: unknown field `request`");
    check_refused(Some("\n[accounts.dialpad.work]\n"), "least.toml, line 2: unknown field `accounts`");
    check_refused(Some("[permissions.dialpad]\nread = \"maybe\"\n"), "least.toml, line 2: expected one of `allow`");
}

/// Whatever a plugin tells, and whatever it tries next.
#[test]
fn no_plugin_gets_to_tell_what_became_of_a_rehearsal() {
    let echo = Echo::start();
    let host = probe_host(&echo);
    let rehearsal = Arc::new(Rehearsal::silent());
    for function in ["fetch", "swallow", "flood"] {
        let arguments = json!({ "url": "/allowed/a" });
        let arguments = if function == "flood" { json!({}) } else { arguments };
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let asked =
            Invocation { rehearsal: Some(Arc::clone(&rehearsal)), ..Invocation::new("probe", function, arguments) };
        let answer: Value = serde_json::from_str(&host.block_on(host.invoke(asked)).expect(function)).expect("JSON");
        assert_eq!((&answer["dry_run"], &answer["request"]["sent"]), (&json!(true), &json!(false)), "{function}");
    }
    let noted = rehearsal.requests();
    assert_eq!((noted.len(), echo.received().len()), (3, 0), "{noted:?}");
    assert!(!format!("{noted:?}").contains(PROBE_TOKEN));
    let (mut rehearsed, mut sent) = (0, 0);
    let count = |record: Record<'_>| match record.event {
        Event::Invocation { outcome, .. } => rehearsed += usize::from(outcome == "rehearsed"),
        Event::Request { .. } => sent += 1,
        Event::Decision { .. } => {}
    };
    host.audit().read(&Query::default(), count).expect("a readable log");
    assert_eq!((rehearsed, sent), (3, 0));
}

#[test]
fn an_embedder_rehearses_with_its_own_notebook() {
    let scenario = Scenario::writable();
    let host = scenario.host();
    let rehearsal = Arc::new(Rehearsal::reading());
    let session = host.session().rehearse(&rehearsal).build();
    let code =
        format!("return parallel({{ function() return {SEND}.dry_run end, function() return {SEND}.dry_run end }})");
    let outcome = session.run_blocking(Script::new("two.lua", code));
    assert!(outcome.success && outcome.meta.dry_run, "{outcome:?}");
    let functions: Vec<_> = rehearsal.requests().iter().map(|Rehearsed { function, .. }| function.clone()).collect();
    assert_eq!((functions.len(), scenario.simulator.sms_sent().len()), (2, 0), "{functions:?}");
    assert!(!host.remembers(outcome.meta.run.as_deref().unwrap_or_default()), "a rehearsal keeps no journal");
    let fault = session.run_blocking(Script::new("bad.lua", "app.integrations.dialpad.send_sms({})")).fault;
    assert_eq!(fault.map(|fault| fault.code), Some(Code::InvalidArgument));
}
