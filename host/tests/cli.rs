//! The command as a shell sees it: exit code, standard output, standard error. Without plugins or network.

use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder that is home and working folder at once.
struct Shell {
    folder: TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), text).expect("a file in it");
        self
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kosmo"));
        command.args(line).current_dir(&self.folder).env_clear().env("KOSMO_HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, line: &[&str]) -> Output {
        self.command(line).output().expect("kosmo starts")
    }

    fn piped(&self, line: &[&str], input: &str) -> Output {
        let mut child = self.command(line).stdin(Stdio::piped()).spawn().expect("kosmo starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("kosmo reads it");
        child.wait_with_output().expect("kosmo ends")
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

fn workflow() -> Shell {
    Shell::new()
        .file("workflow.lua", "print('printed', 1)\nreturn 'done', {1}, {}, nil")
        .file("fails.lua", "print('before')\nerror('it broke')")
        .file("broken.lua", "local x = = 1")
        .file("shell.lua", "#!/usr/bin/env -S kosmo integrations:lua\nerror('line two')")
        .file("binary.lua", b"\x1bLua\xff")
}

#[track_caller]
fn check(output: &Output, code: i32, stdout: &str, stderr: &str) {
    assert_eq!((text(&output.stdout), text(&output.stderr)), (stdout, stderr));
    assert_eq!(output.status.code(), Some(code));
}

#[test]
fn people_get_output_then_values_and_errors_apart() {
    let shell = workflow();
    let lua = |line: &[&str]| shell.run(&[&["integrations:lua"], line].concat());
    check(&lua(&["workflow.lua"]), 0, "printed\t1\ndone\n[\n    1\n]\n", "");
    check(&lua(&["--file", "workflow.lua", "-e", "return 7"]), 0, "7\n", "");
    check(&lua(&["--eval", "-- nothing but a comment"]), 0, "", "");
    check(&lua(&["fails.lua"]), 1, "before\n", "kosmo: fails.lua:2: it broke\n");
    check(&lua(&["shell.lua"]), 1, "", "kosmo: shell.lua:2: line two\n");
    check(&lua(&["missing.lua"]), 1, "", "kosmo: Lua file not found: missing.lua\n");
    check(&lua(&["."]), 1, "", "kosmo: . is a folder; name the Lua file in it.\n");
    check(&lua(&[]), 2, "", "kosmo: Provide a Lua file, --eval code, or pipe Lua code on stdin.\n");
    check(&lua(&["--plugins", "none", "-e", ""]), 1, "", "kosmo: Plugin folder not found: none\n");
    check(&shell.run(&["integrations", "lua", "-e", "return 1"]), 0, "1\n", "");
}

#[test]
fn code_comes_from_a_pipe_only_if_nothing_else_names_it() {
    let shell = workflow();
    check(&shell.piped(&["integrations:lua"], "return 'piped'"), 0, "piped\n", "");
    check(&shell.piped(&["mcp:lua", "-"], "return 'piped'"), 0, "piped\n", "");
    check(&shell.piped(&["integrations:lua", "-e", "return 1"], ""), 0, "1\n", "");
    let nothing = "kosmo: Provide a Lua file, --eval code, or pipe Lua code on stdin.\n";
    check(&shell.piped(&["integrations:lua"], " \n"), 2, "", nothing);
}

/// The envelope's `error`, after everything else in it was found to be as a failure's should be.
#[track_caller]
fn check_envelope(shell: &Shell, line: &[&str], code: i32, fault: Option<&str>, error: &str) {
    let output = shell.run(line);
    let envelope: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let keys: Vec<_> = envelope.as_object().expect("an object").keys().map(String::as_str).collect();
    let told = fault.map_or("", |_| "fault ");
    let expected = format!("success output error result {told}execution_time_ms memory_usage integration_calls meta");
    assert_eq!((keys.join(" "), envelope["fault"]["code"].as_str()), (expected, fault), "{line:?}");
    assert_eq!((&envelope["success"], &envelope["result"]), (&Value::Bool(false), &Value::Null));
    let told = envelope["error"].as_str().expect("a sentence");
    assert!(told.contains(error), "{told}");
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(code)));
}

#[test]
fn every_failure_of_a_script_is_an_envelope_for_programs() {
    let shell = workflow();
    for command in ["integrations:lua", "mcp:lua"] {
        let check = |line: &[&str], code, error| {
            let fault = (code == 2).then_some("invalid_argument");
            check_envelope(&shell, &[&[command], line].concat(), code, fault, error)
        };
        check(&["fails.lua", "--json"], 1, "fails.lua:2: it broke");
        check(&["broken.lua", "--json"], 1, "broken.lua:1: ");
        check(&["missing.lua", "--json"], 1, "Lua file not found: missing.lua");
        check(&["binary.lua", "--json"], 1, "is not UTF-8 text");
        check(&["--json"], 2, "Provide a Lua file");
        check(&["--json", "--frobnicate"], 2, "unexpected argument '--frobnicate' found");
        check(&["--cpu-limit", "soon", "--json"], 2, "such as 30 or 0.5");
        check(&["--memory-limit=0", "-e", "", "--json"], 2, "such as 33554432");
        check(&["--eval", "--json"], 2, "write the code right after --eval");
    }
    let broken = Shell::new().file("config.toml", "[accounts");
    let line = ["integrations:lua", "-e", "return 1", "--json"];
    check_envelope(&broken, &line, 1, Some("unconfigured"), "config.toml, line 1: ");
}

#[test]
fn other_failures_are_short_for_programs_and_sentences_for_people() {
    let broken = Shell::new().file("config.toml", "[accounts");
    let output = broken.run(&["integrations:list", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!((&answer["success"], output.status.code()), (&Value::Bool(false), Some(1)));

    let shell = Shell::new();
    let unknown = shell.run(&["integrations:docs", "dialpad"]);
    assert!(text(&unknown.stderr).starts_with("kosmo: No integration docs found for 'dialpad'."));
    assert_eq!(unknown.status.code(), Some(1));
    check(&shell.run(&["integrations:list", "--json"]), 0, "{\n    \"success\": true,\n    \"providers\": {}\n}\n", "");
    assert_eq!(shell.run(&["integrations:lust"]).status.code(), Some(2));
    assert_eq!(shell.run(&["plugins:install"]).status.code(), Some(2));
    assert_eq!(shell.run(&["plugins:install", "none.wasm"]).status.code(), Some(1));
    assert_eq!(shell.run(&[]).status.code(), Some(2));
    assert_eq!(shell.run(&["--help"]).status.code(), Some(0));
}

#[test]
fn the_envelope_of_a_success_holds_all_and_is_stable() {
    let shell = workflow();
    let output = shell.run(&["integrations:lua", "workflow.lua", "--force", "--json"]);
    let mut envelope: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    for key in ["execution_time_ms", "memory_usage"] {
        assert!(envelope[key].is_number(), "{key}");
        envelope[key] = Value::from(0);
    }
    assert_eq!(envelope["meta"]["run"].as_str().map(str::len), Some(16));
    envelope["meta"]["run"] = Value::from("");
    let expected = r#"{"success":true,"output":"printed\t1","error":null,"result":["done",[1],[],null],"execution_time_ms":0,"memory_usage":0,"integration_calls":[],"meta":{"permission_bypassed":true,"run":""}}"#;
    assert_eq!(envelope.to_string(), expected);
}

#[test]
fn configured_mcp_servers_are_listed_and_mistakes_in_their_files_named() {
    let shell = Shell::new()
        .file(".mcp.json", r#"{"mcpServers": {"fake": {"command": "fake", "env": {"TOKEN": "canary"}}}}"#)
        .file("mcp.json", "{\n  oops\n}");
    let output = shell.run(&["mcp:lua", "-e", "return mcp.servers().fake.command, mcp.servers()", "--json"]);
    let envelope: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(envelope["result"][0], "fake");
    assert!(!text(&output.stdout).contains("canary"));
    assert!(text(&output.stderr).contains("mcp.json:2: "), "{}", text(&output.stderr));
    check(&Shell::new().run(&["mcp:lua", "-e", "dump(mcp.servers())"]), 0, "{}\n", "");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let shell = Shell::new();
    let script = "for i = 1, 100000 do print('a line that fills the pipe', i) end";
    let mut child = shell.command(&["integrations:lua", "-e", script]).spawn().expect("kosmo starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("kosmo ends");
    check(&output, 0, "", "");
}
