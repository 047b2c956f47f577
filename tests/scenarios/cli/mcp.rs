//! `mcp:lua`, which sees the servers that other programs' files configure.

use super::{CANARY, check, keys, kosmo};
use kosmo_tests::{Ran, Scenario};
use serde_json::json;

const SERVERS: [&str; 4] = ["mcp:lua", "--eval", "dump(mcp.servers())", "--json"];

#[track_caller]
fn servers(scenario: &Scenario) -> Ran {
    let ran = kosmo(scenario, &["mcp:lua", "--eval", "return mcp.servers()", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

#[test]
fn without_files_there_are_no_servers() {
    let scenario = Scenario::new();
    let ran = kosmo(&scenario, &SERVERS);
    assert_eq!((ran.code, &ran.json()["output"], ran.stderr.as_str()), (0, &json!("{}"), ""));
    check(&kosmo(&scenario, &["mcp:lua", "--eval", "return docs, app.integrations.dialpad"]), 0, "", "");
}

#[test]
fn servers_come_from_every_file_and_the_nearest_wins() {
    let scenario = Scenario::new();
    let folder = |name: &str| std::fs::create_dir(scenario.home().join(name)).expect("a writable temporary folder");
    folder(".vscode");
    folder(".cursor");
    let server = |name: &str, command: &str| json!({ name: { "command": command, "args": ["-y"], "env": { "TOKEN": CANARY }, "headers": { "A": CANARY } } });
    scenario.write("mcp.json", &json!({"mcpServers": server("home", "one")}).to_string());
    scenario.write(".vscode/mcp.json", &json!({"servers": server("shared", "vscode")}).to_string());
    scenario.write(".cursor/mcp.json", &json!({"mcpServers": server("shared", "cursor")}).to_string());
    scenario.write(
        ".mcp.json",
        &json!({"mcpServers": {"remote": {"url": "https://mcp.example.test", "enabled": false}}}).to_string(),
    );

    let all = servers(&scenario).json()["result"][0].clone();
    assert_eq!(keys(&all), "home remote shared");
    assert_eq!((&all["home"]["command"], &all["shared"]["command"]), (&json!("one"), &json!("cursor")));
    assert_eq!(keys(&all["home"]), "args command enabled name path permissions source timeout type");
    assert_eq!(
        (&all["remote"]["type"], &all["remote"]["enabled"], &all["remote"]["url"]),
        (&json!("http"), &json!(false), &json!("https://mcp.example.test"))
    );
    let dumped = kosmo(&scenario, &SERVERS).json()["output"].clone();
    assert!(dumped.as_str().is_some_and(|text| text.contains("command: cursor")), "{dumped}");
}

#[test]
fn a_file_with_a_mistake_is_named_and_the_others_count() {
    let scenario = Scenario::new();
    scenario.write("mcp.json", "{\"mcpServers\": {\"home\": {\"command\": \"one\"}}}");
    scenario.write(
        ".mcp.json",
        &format!("{{\n  \"mcpServers\": {{ \"a\": {{ \"env\": {{ \"TOKEN\": \"{CANARY}\" }} \n oops"),
    );
    let ran = servers(&scenario);
    assert_eq!(keys(&ran.json()["result"][0]), "home");
    assert!(ran.stderr.starts_with("kosmo: warning: ") && ran.stderr.contains(".mcp.json"), "{ran:?}");
}

#[test]
fn integrations_are_out_of_reach() {
    let scenario = Scenario::new();
    let ran = kosmo(&scenario, &["mcp:lua", "--eval", "app.integrations.dialpad.list_calls({})", "--json", "--force"]);
    assert_eq!((ran.code, &ran.json()["fault"]["code"]), (1, &json!("unknown")), "{ran:?}");
    assert!(ran.stdout.contains("run this one with integrations:lua"), "{ran:?}");
    assert_eq!(scenario.simulator.requests().len(), 0);
}
