//! From an empty home to the first workflow, as the documentation leads a person.

use super::{kosmo, kosmo_with};
use kosmo_simulator::Simulator;
use kosmo_tests::Scenario;
use serde_json::json;

#[test]
fn from_an_empty_home_to_the_first_workflow() {
    let scenario = Scenario::empty();
    let run = |line: &[&str]| {
        let ran = kosmo(&scenario, line);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line:?}: {ran:?}");
        ran
    };
    let listed = run(&["integrations:list"]);
    assert_eq!(listed.stdout, "No plugins are installed. Add one with: kosmo plugins:install FILE.wasm\n");
    let plugin = kosmo_tests::plugins().join("ringcentral.wasm");
    let installed = run(&["plugins:install", plugin.to_str().expect("a path in UTF-8")]);
    assert!(installed.stdout.contains("kosmo integrations:configure ringcentral"), "{installed:?}");

    let fields = run(&["integrations:fields", "ringcentral", "--json"]).json();
    let secret = fields["fields"].as_array().expect("fields").iter().find(|field| field["key"] == "access_token");
    assert_eq!(secret.map(|field| &field["type"]), Some(&json!("secret")), "{fields}");
    let document = json!({"set": {"access_token": Simulator::token("ringcentral", "default"), "url": scenario.simulator.ringcentral_url()}});
    let configured = kosmo_with(
        &scenario,
        &["integrations:configure", "ringcentral", "--stdin-json", "--json"],
        &[],
        Some(&document.to_string()),
    );
    assert_eq!((configured.code, &configured.json()["configured"]), (0, &json!(true)), "{configured:?}");

    let doctor = run(&["integrations:doctor", "ringcentral", "--json"]).json();
    assert_eq!(
        (&doctor["active"], &doctor["next_commands"][0]),
        (&json!(true), &json!("kosmo accounts:test ringcentral"))
    );
    run(&["accounts:test", "ringcentral"]);
    let found = run(&["integrations:search", "list messages", "--json"]).json();
    assert_eq!(found["functions"][0]["name"], "ringcentral.list_messages", "{found}");
    let schema = run(&["integrations:schema", "ringcentral.list_messages"]).json();
    assert_eq!(schema["properties"]["perPage"]["type"], "integer", "{schema}");
    scenario.sent();

    let line = ["integrations:call", "ringcentral.list_messages", "--per-page", "2", "--json"];
    let rehearsed = run(&[&line[..], &["--dry-run"]].concat()).json();
    let path = "/restapi/v1.0/account/~/extension/~/message-store?perPage=2";
    assert_eq!(
        (&rehearsed["request"]["url"], &rehearsed["request"]["headers"]["authorization"]),
        (&json!(format!("{}{path}", scenario.simulator.ringcentral_url())), &json!("[redacted]"))
    );
    scenario.assert_sent(&[] as &[&str]);
    let called = run(&line).json();
    assert_eq!(called["data"]["records"].as_array().map(Vec::len), Some(2), "{called}");
    let script = "return #app.integrations.ringcentral.list_messages({perPage = 2}).records";
    assert_eq!(run(&["integrations:lua", "--eval", script]).stdout, "2\n");
    let query = format!("ringcentral.default GET {path}");
    scenario.assert_sent(&[&query, &query]);
}
