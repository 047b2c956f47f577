//! `permissions:list`, `permissions:set` and `permissions:unset`.

use super::kosmo;
use kosmo_tests::{Scenario, Transcript};
use serde_json::json;
use std::fs;

#[test]
fn permissions_read_as_they_are_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["permissions:list"]);
    transcript.run(&["permissions:list", "--json"]);
    transcript.run(&["permissions:set", "dialpad.send_sms", "deny"]);
    transcript.run(&["permissions:set", "dialpad.write", "allow", "--account", "work"]);
    transcript.run(&["permissions:set", "dialpad.work.get_call", "ask", "--json"]);
    scenario.write("mcp.json", r#"{"mcpServers": {"files": {"command": "files"}}}"#);
    transcript.run(&["permissions:set", "mcp.files.read", "allow"]);
    transcript.run(&["permissions:set", "mcp.files.read", "deny", "--named"]);
    scenario.write(".mcp.json", r#"{"mcpServers": {"tests": {"command": "tests"}}}"#);
    transcript.run(&["permissions:set", "mcp.tests.run", "allow", "--json"]);
    transcript.run(&["permissions:list"]);
    transcript.run(&["permissions:list", "mcp.files", "--json"]);
    transcript.run(&["permissions:list", "mcp.tests", "--json"]);
    transcript.run(&["permissions:list", "dialpad", "--json"]);
    transcript.run(&["permissions:unset", "dialpad.send_sms"]);
    transcript.run(&["permissions:unset", "dialpad.get_call", "--account", "work", "--json"]);
    transcript.run(&["permissions:unset", "mcp.files.read", "--named"]);
    transcript.run(&["permissions:unset", "mcp.tests.run", "--json"]);
    transcript.run(&["permissions:unset", "dialpad.send_sms"]);
    transcript.run(&["permissions:set", "dialpad.send_smss", "deny"]);
    transcript.run(&["permissions:set", "dialpd.send_sms", "deny"]);
    transcript.run(&["permissions:set", "dialpad.send_sms", "deny", "--account", "wrok"]);
    transcript.run(&["permissions:set", "mcp.fils.read", "deny", "--json"]);
    transcript.run(&["permissions:unset", "dialpad.write"]);
    transcript.run(&["permissions:set", "mcp.files.write", "allow", "--account", "x"]);
    transcript.run(&["permissions:set", "send_sms", "deny"]);
    transcript.run(&["permissions:set", "dialpad.send_sms", "never"]);
    fs::create_dir(scenario.home().join(".kosmo")).expect("a folder");
    scenario.write(".kosmo/config.toml", "[permissions.dialpad]\nwrite = \"deny\"\n");
    transcript.run(&["permissions:set", "dialpad.send_sms", "allow", "--json"]);
    transcript.compare("permissions");
}

#[test]
fn a_servers_name_may_have_dots() {
    let scenario = Scenario::new();
    let permissions = || kosmo(&scenario, &["permissions:list", "--json"]).json()["permissions"].clone();
    scenario.configure("[mcp.servers.\"a.b\".permissions]\nwrite = \"allow\"\n");
    scenario.write("mcp.json", r#"{"mcpServers": {"a.b": {"command": "one"}}}"#);
    let set = kosmo(&scenario, &["permissions:set", "mcp.a.b.write", "deny"]);
    assert_eq!(set.stdout, "mcp.a.b.write is denied.\n");
    let rules = permissions();
    assert_eq!((rules.as_array().map(Vec::len), &rules[0]["decision"]), (Some(1), &json!("deny")), "{rules}");
    let listed = kosmo(&scenario, &["mcp:list", "--json"]).json();
    assert_eq!(listed["servers"]["a.b"]["permissions"]["write"], "deny", "{listed}");

    let add = kosmo(&scenario, &["mcp:add", "a", "two"]);
    assert!(add.code == 2 && add.stderr.contains("nobody could tell its tools from those of `a.b`"), "{add:?}");
    scenario.write("mcp.json", "{}");
    assert_eq!(kosmo(&scenario, &["permissions:unset", "mcp.a.b.write"]).code, 0);
    assert_eq!(permissions(), json!([]));
}

#[test]
fn a_project_can_be_stricter_and_is_listed_too() {
    let scenario = Scenario::new();
    fs::create_dir(scenario.home().join(".kosmo")).expect("a folder");
    scenario.write(
        ".kosmo/config.toml",
        "[permissions.dialpad]\nwrite = \"deny\"\n[mcp.servers.files.permissions]\nread = \"deny\"\n",
    );
    let set = kosmo(&scenario, &["permissions:set", "dialpad.send_sms", "allow"]);
    assert_eq!(set.stdout, "dialpad.send_sms is allowed. .kosmo/config.toml asks or denies all the same.\n");
    let rules = kosmo(&scenario, &["permissions:list", "--json"]).json()["permissions"].clone();
    let files: Vec<_> =
        rules.as_array().into_iter().flatten().map(|rule| (&rule["permission"], &rule["file"])).collect();
    let (own, project) = (scenario.home().join("config.toml"), scenario.home().join(".kosmo/config.toml"));
    let expected = [
        (&json!("dialpad.send_sms"), &json!(own)),
        (&json!("dialpad.write"), &json!(project)),
        (&json!("mcp.files.read"), &json!(project)),
    ];
    assert_eq!(files, expected);
}
