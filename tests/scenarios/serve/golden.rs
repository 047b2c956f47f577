//! What a person reads of `mcp:serve` and the tokens.

use kosmo_tests::{Scenario, Transcript};

#[test]
fn help_and_usage_of_mcp_serve() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["mcp:serve", "--help"]);
    transcript.run(&["mcp:serve", "--http", "example.com"]);
    transcript.run(&["mcp:serve", "--http", "0.0.0.0:8650", "--no-token"]);
    transcript.run(&["mcp:serve", "--write", "perhaps"]);
    transcript.run(&["mcp", "serve", "--allow-host", "x"]);
    transcript.compare("serve");
}

#[test]
fn tokens_from_the_first_to_the_last() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["mcp:token:add", "--help"]);
    transcript.run(&["mcp:token:list"]);
    transcript.run(&["mcp:token:list", "--json"]);
    transcript.run(&["mcp:token:add", "ci", "--integrations", "dialpad", "--accounts", "work,support"]);
    transcript.run(&["mcp:token:add", "assistant", "--write=ask", "--json"]);
    transcript.run(&["mcp:token:add", "ci"]);
    transcript.run(&["mcp:token:add", "No Name"]);
    transcript.run(&["mcp:token:list"]);
    transcript.run(&["mcp:token:list", "--json"]);
    transcript.run(&["mcp:token:remove", "ci"]);
    transcript.run(&["mcp:token:remove", "ci"]);
    transcript.run(&["mcp:token:remove", "ci", "--json"]);
    transcript.run(&["mcp:token:remove", "assistant", "--json"]);
    transcript.compare("tokens");
}
