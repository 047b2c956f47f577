//! The commands that talk to MCP servers.

use kosmo_tests::{Scenario, Transcript};
use serde_json::json;

fn scenario(settings: &str) -> Scenario {
    let scenario = Scenario::empty();
    scenario.write("config.toml", &format!("[mcp]\n{settings}"));
    let server = json!({"command": env!("CARGO_BIN_EXE_misbehaving-server"), "args": ["good"]});
    scenario.write("mcp.json", &json!({"mcpServers": {"github": server}}).to_string());
    scenario
}

#[test]
fn what_servers_offer_is_listed_and_read() {
    let scenario = scenario("permissions_default = \"allow\"\n");
    let mut transcript = Transcript::new(&scenario);
    let mut run = |arguments: &[&str]| drop(transcript.run(arguments));
    run(&["mcp:tools"]);
    run(&["mcp:tools", "github", "--json"]);
    run(&["mcp", "tools", "github"]);
    run(&["mcp:schema", "github.create_issue"]);
    run(&["mcp:schema", "github.echo", "--json"]);
    run(&["mcp:resources", "github"]);
    run(&["mcp:resources", "github", "--json"]);
    run(&["mcp:resource", "github", "note://one"]);
    run(&["mcp:resource", "github", "note://one", "--json"]);
    run(&["mcp:resource", "github", "note://two"]);
    run(&["mcp:prompts", "github"]);
    run(&["mcp:prompts", "github", "--json"]);
    run(&["mcp:prompt", "github", "greet", "{\"who\": \"Ada\"}"]);
    run(&["mcp:prompt", "github", "greet", "{\"who\": \"Ada\"}", "--json"]);
    run(&["mcp:tools", "gitub"]);
    run(&["mcp:schema", "github.create_isue"]);
    run(&["mcp:schema", "github.create_isue", "--json"]);
    let server = json!({"command": env!("CARGO_BIN_EXE_misbehaving-server"), "args": ["good"]});
    let servers = json!({"github": server, "silent": {"command": "no-such-program"}});
    scenario.write("mcp.json", &json!({ "mcpServers": servers }).to_string());
    transcript.run(&["mcp:tools"]);
    transcript.run(&["mcp:tools", "--json"]);
    transcript.compare("mcp_offers");
}

#[test]
fn a_tool_is_called_from_a_shell() {
    let scenario = scenario("permissions_default = \"allow\"\n");
    let mut transcript = Transcript::new(&scenario);
    let mut run = |arguments: &[&str]| drop(transcript.run(arguments));
    run(&["mcp:call", "github.create_issue", "{\"title\": \"Broken\"}", "--json"]);
    run(&["mcp:call", "github.create_issue", "--title", "Broken", "--labels", "a", "--labels", "b"]);
    run(&["mcp:github", "echo", "--message=+14155551234"]);
    run(&["mcp:github", "echo", "--message=+14155551234", "--json"]);
    run(&["mcp:github"]);
    run(&["mcp:github", "ecko", "--json"]);
    run(&["mcp:call", "github.create_issue", "--title", "Broken", "--dry-run"]);
    run(&["mcp:call", "github.create_issue", "--title", "Broken", "--dry-run", "--json"]);
    run(&["mcp:call", "github.create_issue", "--titel", "Broken"]);
    run(&["mcp:call", "github.create_issue", "{}", "--json"]);
    run(&["mcp:call", "github.fail"]);
    run(&["mcp:call", "github.fail", "--json"]);
    run(&["mcp:call", "github"]);
    run(&["mcp:gitub", "echo"]);
    transcript.compare("mcp_call");
}

#[test]
fn without_permission_nothing_is_called() {
    let scenario = scenario("[mcp.servers.github.permissions]\nread = \"allow\"\n");
    let mut transcript = Transcript::new(&scenario);
    let mut run = |arguments: &[&str]| drop(transcript.run(arguments));
    run(&["mcp:call", "github.create_issue", "--title", "Broken"]);
    run(&["mcp:call", "github.create_issue", "--title", "Broken", "--json"]);
    run(&["mcp:call", "github.create_issue", "--title", "Broken", "--force"]);
    run(&["mcp:call", "github.create_issue", "--title", "Broken", "--force", "--json"]);
    run(&["mcp:call", "github.echo", "--message", "still allowed"]);
    transcript.compare("mcp_refused");
}
