//! What each command prints, for people and for programs, in files that a person can read; and that none is left out.

use super::{commands, kosmo, kosmo_with};
use kosmo::Script;
use kosmo_simulator::Simulator;
use kosmo_tests::{Scenario, Shape, Transcript, compare_file};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Besides the simulator's accounts one that lacks its token, and a file that is no plugin.
fn mixed() -> Scenario {
    let scenario = Scenario::new();
    scenario.configure("[accounts.dialpad.old]\nurl = \"https://dialpad.com\"\n");
    fs::create_dir(scenario.home().join("plugins")).expect("a folder");
    scenario.write("plugins/broken.wasm", "not a component");
    scenario
}

#[test]
fn the_help_reads_as_it_is_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["--help"]);
    transcript.run(&["help", "grants"]);
    transcript.run(&["accounts"]);
    transcript.run(&["accounts", "--json"]);
    transcript.run(&["permissions"]);
    transcript.run(&["frob"]);
    transcript.run(&["call", "dialpad.list_calls"]);
    transcript.run(&["lua", "--json"]);
    transcript.run(&["help", "frob"]);
    transcript.run(&["dialpad", "list_calls"]);
    transcript.run(&["acounts", "list"]);
    transcript.run(&["integrations:lsit"]);
    transcript.run(&["mcp", "token"]);
    transcript.compare("help");
}

#[test]
fn the_list_reads_as_it_is_documented() {
    let scenario = mixed();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:list"]);
    transcript.run(&["integrations:list", "--json"]);
    transcript.compare("list");
}

#[test]
fn a_script_reads_as_it_is_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    let who = "print(\"hello\") return app.integrations.dialpad.get_user({id = \"user_abc123\"}).first_name, {1, 2}";
    transcript.run(&["integrations:lua", "--eval", who]);
    transcript.run(&["integrations:lua", "--eval", who, "--json"]);
    let send = "app.integrations.dialpad.send_sms({to = \"+14155551234\", from = \"+14155559876\", text = \"Hi\"})";
    transcript.run(&["integrations:lua", "--eval", send]);
    transcript.run(&["integrations:lua", "--eval", send, "--json"]);
    transcript.run(&["integrations:lua", "--eval", "return 1 +", "--json"]);
    transcript.run(&["integrations:lua"]);
    transcript.run(&["integrations:lua", "missing.lua", "--json"]);
    transcript.compare("lua");
}

#[test]
fn a_providers_name_as_a_command_reads_as_it_is_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:dialpad", "--help"]);
    transcript.run(&["integrations:dialpad", "get_user", "--id", "user_abc123"]);
    transcript.run(&["integrations:dialpad", "get_user", "--id=user_abc123", "--json=true"]);
    transcript.run(&["integrations:dialpad", "get_user", "--json"]);
    transcript.run(&["integrations:dialpad", "get_users"]);
    transcript.run(&["integrations:dialpd", "get_user"]);
    transcript.compare("provider");
}

#[test]
fn accounts_read_as_they_are_documented() {
    let scenario = mixed();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["accounts:list"]);
    transcript.run(&["accounts:list", "dialpad", "--json"]);
    transcript.run(&["accounts:test", "dialpad", "work"]);
    transcript.run(&["accounts:test", "dialpad", "--account", "work", "--json"]);
    transcript.run(&["accounts:test", "dialpad", "old"]);
    transcript.run(&["accounts:test", "dialpad", "wrok", "--json"]);
    let url = format!("url={}", scenario.simulator.dialpad_url());
    let token = Simulator::token("dialpad", "support");
    for name in ["one", "two"] {
        let line = ["integrations:configure", "dialpad", "--account", name, "--set", &url, "--set=access_token=-"];
        assert_eq!(kosmo_with(&scenario, &line, &[], Some(&token)).code, 0);
        let never = ["permissions:set", "dialpad.send_sms", "deny", "--account", name];
        assert_eq!(kosmo(&scenario, &never).code, 0);
    }
    transcript.run(&["accounts:remove", "dialpad", "one"]);
    transcript.run(&["integrations:call", "dialpad.list_calls"]);
    transcript.run(&["permissions:unset", "dialpad.send_sms", "--account", "one"]);
    transcript.run(&["accounts:remove", "dialpad", "--account", "two", "--json"]);
    transcript.run(&["accounts:remove", "dialpad", "two"]);
    transcript.run(&["accounts:remove", "dialpad", "work", "--json"]);
    transcript.compare("accounts");
}

#[test]
fn grants_read_as_they_are_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["grants:show", "dialpad"]);
    transcript.run(&["grants:check", "dialpad", "GET", "/api/v2/call/5"]);
    transcript.run(&["grants:check", "dialpad", "POST", "/api/v2/sms"]);
    transcript.run(&["grants:check", "dialpad", "DELETE", "/api/v2/call/5"]);
    transcript.run(&["grants:check", "dialpad", "GET", "/api/v2/call/5", "--json"]);
    transcript.run(&["grants:check", "dialpad", "POST", "/api/v2/sms", "--json"]);
    transcript.run(&["grants:check", "dialpad", "DELETE", "/api/v2/call/5", "--json"]);
    transcript.run(&["grants:add", "dialpad", "GET /api/v2/call/{}"]);
    transcript.run(&["grants:add", "dialpad", "GET /api/v2/call/{}", "--only"]);
    transcript.run(&["grants:add", "dialpad", "GET /api/v2/users", "--json"]);
    transcript.run(&["grants:add", "dialpad", "GET https://dialpad.com/api/v2/users/{}"]);
    transcript.run(&["grants:add", "dialpad", "GET https://dialpad.com/api/v2/users/{}", "--json"]);
    transcript.run(&["grants:add", "dialpad", "GET users", "--json"]);
    transcript.run(&["grants:show", "dialpad", "--json"]);
    transcript.run(&["grants:check", "dialpad", "GET", "/api/v2/users", "--json"]);
    transcript.run(&["grants:check", "dialpad", "GET", "/api/v2/call", "--json"]);
    transcript.run(&["grants:remove", "dialpad", "GET /api/v2/call/{}"]);
    transcript.run(&["grants:remove", "dialpad", "GET /api/v2/users", "--json"]);
    transcript.run(&["grants:remove", "dialpad", "GET /api/v2/users"]);
    transcript.compare("grants");
}

#[test]
fn a_plugin_that_cannot_be_loaded_reads_as_it_is_documented() {
    let scenario = Scenario::empty();
    fs::create_dir(scenario.home().join("plugins")).expect("a writable folder");
    scenario.write("plugins/broken.wasm", "no component");
    let mut transcript = Transcript::new(&scenario);
    for form in [&[][..], &["--json"]] {
        transcript.run(&[&["grants:show"], form].concat());
        transcript.run(&[&["integrations:list"], form].concat());
    }
    transcript.compare("broken");
}

#[test]
fn plugins_read_as_they_are_documented() {
    let scenario = Scenario::empty();
    for name in ["dialpad.wasm", "ringcentral.wasm"] {
        fs::copy(kosmo_tests::plugins().join(name), scenario.home().join(name)).expect("a writable folder");
    }
    scenario.write("broken.wasm", "not a component");
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["plugins:list"]);
    transcript.run(&["plugins:install", "dialpad.wasm"]);
    transcript.run(&["plugins:install", "ringcentral.wasm", "--json"]);
    transcript.run(&["plugins:install", "broken.wasm"]);
    transcript.run(&["plugins:install", "missing.wasm", "--json"]);
    fs::copy(scenario.home().join("broken.wasm"), scenario.home().join("plugins/broken.wasm"))
        .expect("a writable folder");
    transcript.run(&["plugins:list"]);
    transcript.run(&["plugins:list", "--json"]);
    transcript.compare("plugins");
}

#[test]
fn the_audit_log_reads_as_it_is_documented() {
    let scenario = Scenario::new();
    kosmo(&scenario, &["integrations:call", "dialpad.get_current_user"]);
    kosmo(
        &scenario,
        &["integrations:call", "dialpad.send_sms", "--to=+14155551234", "--from=+14155559876", "--text=Hi"],
    );
    let session = scenario.host().on_behalf_of(&"ci".into()).session().build();
    let script = Script::new("script.lua", "return app.integrations.dialpad.get_current_user({}).id");
    assert!(session.run_blocking(script).success);
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["audit"]);
    transcript.run(&["audit", "--json"]);
    transcript.run(&["audit", "--client", "ci", "--last", "1"]);
    transcript.run(&["audit", "--denied", "--last", "1"]);
    transcript.run(&["audit", "--since", "2999-01-01"]);
    transcript.run(&["audit", "--since", "yesterday", "--json"]);
    transcript.compare("audit");
}

#[test]
fn completions_and_the_manual_read_as_they_are_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run_excerpt(&["completions", "bash"], 12);
    transcript.run_excerpt(&["completions", "fish", "--json"], 12);
    transcript.run(&["completions", "cmd", "--json"]);
    transcript.run_excerpt(&["man"], 12);
    transcript.run_excerpt(&["man", "--json"], 12);
    transcript.run(&["man", "--dir", "pages", "--json"]);
    transcript.compare("manual");
}

#[test]
fn scripts_for_mcp_servers_read_as_they_are_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["mcp:lua", "--eval", "dump(mcp.servers())"]);
    transcript.run(&["mcp:lua", "--eval", "dump(mcp.servers())", "--json"]);
    transcript.run(&["mcp:lua", "--eval", "app.integrations.dialpad.list_calls({})"]);
    transcript.compare("mcp_lua");
}

/// A line of a golden file with what came of it.
struct Entry {
    command: String,
    json: bool,
    stdout: String,
}

fn entries() -> Vec<Entry> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/cli");
    let files = fs::read_dir(folder).expect("the goldens").map(|file| file.expect("a file").path());
    let texts = files.collect::<BTreeSet<PathBuf>>().into_iter().map(|file| fs::read_to_string(file).expect("UTF-8"));
    texts.flat_map(|text| text.split("\n$ ").filter_map(entry).collect::<Vec<_>>()).collect()
}

fn entry(text: &str) -> Option<Entry> {
    let (line, rest) = text.split_once('\n')?;
    let words: Vec<_> = line.split_whitespace().collect();
    let command = *words.get(1 + words.iter().position(|word| *word == "kosmo")?)?;
    let command = match command {
        "integrations:dialpad" | "integrations:ringcentral" => "integrations:PROVIDER",
        "mcp:github" => "mcp:SERVER",
        "mcp:gateway:install" => "mcp:install",
        command => command,
    };
    let printed = rest.lines().take_while(|line| !line.starts_with("= ")).filter(|line| !line.starts_with("! "));
    let json = words.iter().any(|word| matches!(*word, "--json" | "--json=true"));
    Some(Entry { command: command.into(), json, stdout: printed.map(|line| format!("{line}\n")).collect() })
}

/// Speaks a protocol, which scenarios of its own follow.
const PROTOCOL: [&str; 1] = ["mcp:serve"];

#[test]
fn every_command_has_a_golden_for_people_and_one_for_programs() {
    let entries = entries();
    let has = |name: &str, json: bool| entries.iter().any(|entry| entry.command == name && entry.json == json);
    let names = commands(&Scenario::new()).into_iter().filter(|name| name != "help");
    let excused = |name: &String| PROTOCOL.contains(&name.as_str());
    let names: Vec<_> = names.filter(|name| !excused(name)).collect();
    assert!(names.len() > 20, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !has(name, false) || !has(name, true)).collect();
    assert!(missing.is_empty(), "write them down in a transcript: {missing:?}");
}

/// The forms of all documents of a command that tell of a success, or else of a whole envelope.
fn shapes() -> BTreeMap<String, Shape> {
    let mut shapes = BTreeMap::<String, Shape>::new();
    for entry in entries().into_iter().filter(|entry| entry.json) {
        let document: Value =
            serde_json::from_str(&entry.stdout).unwrap_or_else(|error| panic!("{error}: {}", entry.stdout));
        let is_failure =
            document["success"] == false && document.get("meta").is_none() && document.get("verdict").is_none();
        if !is_failure {
            shapes.entry(entry.command).or_default().add(&document);
        }
    }
    shapes
}

/// What `kosmo --help` says of a command.
fn about<'a>(help: &'a str, command: &str) -> &'a str {
    let line = help.lines().find_map(|line| line.strip_prefix(&format!("  {command} ")));
    line.unwrap_or_default().trim()
}

#[test]
fn every_document_is_described_as_it_is() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let text = fs::read_to_string(&file).expect("the page about the command line");
    let introduction = text.split("\n## `").next().expect("an introduction").trim_end();
    let help = kosmo(&Scenario::new(), &["--help"]).stdout;
    let section = |(command, shape): (&String, &Shape)| {
        format!("\n\n## `{command}`\n\n{}.\n\n```\n{}\n```", about(&help, command), shape.shown())
    };
    let sections: String = shapes().iter().map(section).collect();
    let page = format!("{introduction}{sections}");
    // That it may be nothing tells a program nothing of what it may be. What succeeded has no error.
    let bare = page.lines().filter(|line| line.ends_with(": null") && line.trim() != "error: null");
    assert_eq!(bare.collect::<Vec<_>>(), Vec::<&str>::new(), "no transcript shows what else these may be");
    compare_file(&file, &page);
}
