//! What clients did, on record under the names of their tokens.

use super::tokens::add;
use kosmo_tests::{Scenario, Web};
use serde_json::{Value, json};

#[test]
fn the_audit_log_names_the_token_and_never_holds_it() {
    let scenario = Scenario::new();
    let token = add(&scenario, &["ci"]);
    let server = Web::with_tokens(&scenario, &["--functions"]);
    let mut client = server.converse_as(&token).expect("in");
    let done = client.run("return #app.integrations.dialpad.list_users{}.items");
    client.call("tools/call", json!({"name": "dialpad_list_users"}));
    client.run("return mcp.call('files.read', {})");
    assert_eq!(scenario.kosmo(&["integrations:call", "dialpad.list_users"]).code, 0);
    let records = scenario.kosmo(&["audit", "--json"]).json();
    let clients: Vec<_> = records.as_array().expect("records").iter().map(|record| record["client"].clone()).collect();
    assert!(clients.contains(&json!("ci")) && clients.contains(&Value::Null), "{clients:?}");
    let of_ci = scenario.kosmo(&["audit", "--client", "ci", "--json"]).json();
    let of_ci = of_ci.as_array().expect("records");
    assert!(of_ci.iter().all(|record| record["client"] == "ci") && of_ci.len() < clients.len());
    assert!(of_ci.iter().any(|record| record["run"] == done["meta"]["run"]), "the script's");
    assert!(of_ci.iter().any(|record| record["provider"] == "mcp.files" && record["outcome"] == "denied"), "{of_ci:?}");
    let table = scenario.kosmo(&["audit", "--client", "ci"]).stdout;
    assert!(table.contains("dialpad.default.list_users for ci") && !table.contains(&token), "{table}");
}
