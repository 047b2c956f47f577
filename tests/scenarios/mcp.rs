//! MCP servers as scripts reach them: good ones, and every kind of bad one.

mod hostile;
mod http;
mod login;
mod policy;
mod processes;
mod resumed;
mod surface;

use kosmo::{Fault, Outcome, Script};
use kosmo_tests::Scenario;
use serde_json::{Value, json};
use std::path::Path;

/// The server that does what its argument says.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_misbehaving-server"))
}

/// An entry for a server of this manner, with this besides.
fn entry(manner: &str, besides: Value) -> Value {
    let mut entry = json!({"command": program(), "args": [manner]});
    for (key, value) in besides.as_object().into_iter().flatten() {
        entry[key] = value.clone();
    }
    entry
}

/// A home whose server `s` behaves in this manner, and may do everything.
fn scenario(manner: &str) -> Scenario {
    scenario_with(json!({ "s": entry(manner, json!({})) }), "permissions_default = \"allow\"\n")
}

/// A home with these servers and this under `[mcp]`.
fn scenario_with(servers: Value, settings: &str) -> Scenario {
    let scenario = Scenario::new();
    scenario.configure(&format!("[mcp]\n{settings}"));
    scenario.write("mcp.json", &json!({ "mcpServers": servers }).to_string());
    scenario
}

/// A script in a host of its own, whose servers are ended with it.
fn run(scenario: &Scenario, code: &str) -> Outcome {
    let host = scenario.host();
    let outcome = host.session().build().run_blocking(Script::new("mcp.lua", code));
    host.block_on(host.mcp().close());
    outcome
}

#[track_caller]
fn value(scenario: &Scenario, code: &str) -> Value {
    let outcome = run(scenario, code);
    assert!(outcome.success, "{code}: {:?}", outcome.error);
    outcome.result.into_iter().flatten().next().unwrap_or_default()
}

#[track_caller]
fn fault(scenario: &Scenario, code: &str) -> Fault {
    let outcome = run(scenario, code);
    outcome.fault.unwrap_or_else(|| panic!("{code}: {:?} {:?}", outcome.error, outcome.result))
}

/// The fault of a call in this manner, within two seconds for the server; it takes longer to have said too much.
#[track_caller]
fn fault_of(manner: &str) -> Fault {
    let timeout = if manner == "flood" { 60 } else { 2 };
    let scenario =
        scenario_with(json!({"s": entry(manner, json!({ "timeout": timeout }))}), "permissions_default = \"allow\"\n");
    fault(&scenario, "return app.mcp.s.echo({message = 'x'})")
}
