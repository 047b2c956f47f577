use super::*;
use serde_json::json;

fn parsed(text: &str) -> McpConfig {
    McpConfig::of("project:.mcp.json", Path::new("p/.mcp.json"), text)
}

#[track_caller]
fn check_row(text: &str, expected: Value) {
    let config = parsed(text);
    assert_eq!(config.warnings, []);
    assert_eq!(config.to_value()["s"], expected);
}

#[test]
fn a_row_tells_everything_but_secrets() {
    check_row(
        r#"{"mcpServers": {"s": {"command": "npx", "args": ["-y", "x"], "env": {"KEY": "secret"}, "timeout": 5}}}"#,
        json!({
            "name": "s", "type": "stdio", "enabled": true, "source": "project:.mcp.json", "path": "p/.mcp.json",
            "command": "npx", "args": ["-y", "x"], "url": null, "timeout": 5,
            "permissions": {"read": "ask", "write": "ask"}
        }),
    );
    check_row(
        r#"{"servers": {"s": {"serverUrl": "https://u:p@mcp.example/a?key=k&b=", "headers": {"A": "secret"}}}}"#,
        json!({
            "name": "s", "type": "http", "enabled": true, "source": "project:.mcp.json", "path": "p/.mcp.json",
            "command": null, "args": [], "url": "https://u:***@mcp.example/a?key=***&b=***", "timeout": 30,
            "permissions": {"read": "ask", "write": "ask"}
        }),
    );
}

#[track_caller]
fn check(entry: &str, field: &str, expected: Value) {
    let config = parsed(&format!(r#"{{"mcpServers": {{"s": {entry}}}}}"#));
    assert_eq!(config.to_value()["s"][field], expected, "{entry} {:?}", config.warnings);
}

#[test]
fn the_variants_of_other_clients_are_understood() {
    check(r#"{"command": "a"}"#, "type", json!("stdio"));
    check(r#"{"command": "a", "type": "local"}"#, "type", json!("stdio"));
    check(r#"{"url": "http://a"}"#, "type", json!("http"));
    check(r#"{"url": "http://a", "type": "local"}"#, "type", json!("http"));
    check(r#"{"url": "http://a", "type": "sse"}"#, "type", json!("http"));
    check(r#"{"url": "http://a", "command": "b", "type": "stdio"}"#, "type", json!("stdio"));
    check(r#"{"command": "a", "enabled": false}"#, "enabled", json!(false));
    check(r#"{"command": "a", "disabled": true}"#, "enabled", json!(false));
    check(r#"{"command": "a", "timeoutSeconds": 90}"#, "timeout", json!(90));
    check(r#"{"command": "a", "args": null}"#, "args", json!([]));
    check(r#"{"url": "https://a.example/mcp"}"#, "url", json!("https://a.example/mcp"));
    check(r#"{"url": "${env:URL}?k=v"}"#, "url", json!("${env:URL}?k=v"));
}

#[test]
fn what_a_server_is_told_is_read_in_every_spelling() {
    let written = |entry: &str, of: fn(&Server) -> &BTreeMap<String, Template>| {
        let config = parsed(&format!(r#"{{"mcpServers": {{"s": {entry}}}}}"#));
        let values = of(&config.servers["s"]).iter().map(|(name, value)| format!("{name}={}", value.written()));
        values.collect::<Vec<_>>().join(" ")
    };
    let entry = r#"{"command": "a", "environment": {"B": 1, "A": "${X}", "C": true, "D": null}}"#;
    assert_eq!(written(entry, |server| &server.env), "A=${X} B=1 C=true");
    assert_eq!(
        written(r#"{"url": "https://a", "headers": {"X": "@secret:mcp.s.x"}}"#, |server| &server.headers),
        "X=@secret:mcp.s.x"
    );
}

#[track_caller]
fn check_fingerprint(one: &str, other: &str, same: bool) {
    let fingerprint = |entry: &str| {
        let config = parsed(&format!(r#"{{"mcpServers": {{"s": {entry}}}}}"#));
        config.servers["s"].fingerprint.clone()
    };
    assert_eq!(fingerprint(one) == fingerprint(other), same, "{one} {other}");
}

#[test]
fn a_fingerprint_is_that_of_what_is_run_and_told() {
    let base = r#"{"command": "a", "args": ["x"], "env": {"A": "1", "B": "2"}}"#;
    check_fingerprint(base, r#"{"env": {"B": "2", "A": "1"}, "args": ["x"], "command": "a", "type": "stdio"}"#, true);
    check_fingerprint(
        base,
        r#"{"command": "a", "args": ["x"], "env": {"A": "1", "B": "2"}, "disabled": true, "timeout": 5}"#,
        true,
    );
    check_fingerprint(base, r#"{"command": "b", "args": ["x"], "env": {"A": "1", "B": "2"}}"#, false);
    check_fingerprint(base, r#"{"command": "a", "args": ["y"], "env": {"A": "1", "B": "2"}}"#, false);
    check_fingerprint(base, r#"{"command": "a", "args": ["x"], "env": {"A": "1"}}"#, false);
    check_fingerprint(base, r#"{"command": "a", "args": ["x"], "env": {"A": "1", "B": "2"}, "cwd": "x"}"#, false);
    check_fingerprint(r#"{"url": "https://a"}"#, r#"{"url": "https://a", "headers": {"A": "b"}}"#, false);
}

#[track_caller]
fn check_warning(text: &str, expected: &str) {
    let warnings: Vec<_> = parsed(text).warnings.iter().map(Warning::to_string).collect();
    assert_eq!(warnings, [expected]);
}

#[test]
fn what_cannot_be_used_is_named_with_its_place() {
    check_warning(
        "{\n  \"mcpServers\": {\n    \"s\" 1\n",
        "p/.mcp.json:3: expected `:` (column 9); the MCP servers of this file are left out",
    );
    check_warning(
        "7",
        "p/.mcp.json:1: invalid type: integer `7`, expected an object with `mcpServers` (column 1); the MCP servers of \
         this file are left out",
    );
    check_warning(
        r#"{"mcpServers": {"s": {"args": []}}}"#,
        "p/.mcp.json: the MCP server `s` is left out: it needs a `command` to start, or a `url`",
    );
    check_warning(
        r#"{"mcpServers": {"s": {"type": "http"}}}"#,
        "p/.mcp.json: the MCP server `s` is left out: its type is `http`, so it needs a `url`",
    );
    check_warning(
        r#"{"mcpServers": {"s": {"type": "carrier pigeon"}}}"#,
        "p/.mcp.json: the MCP server `s` is left out: its type `carrier pigeon` is neither `stdio` nor `http`",
    );
    check_warning(
        r#"{"mcpServers": {"s": {"command": 1}, "t": {"command": "a"}}}"#,
        "p/.mcp.json: the MCP server `s` is left out: invalid type: integer `1`, expected a string",
    );
}

#[test]
fn what_no_command_could_name_is_left_out() {
    let named = |name: &str| json!({"mcpServers": {name: {"command": "a"}}}).to_string();
    for name in ["a", "a.b", "microsoft/playwright-mcp", "__proto__", "dépôt"] {
        assert_eq!(parsed(&named(name)).warnings, [], "{name}");
    }
    let cure = "call it otherwise, with letters, digits and any of `_-./:@%+,`, and no `-` at the beginning";
    for (name, shown) in
        [("docs$(touch x)", "docs$(touch x)"), ("a b", "a b"), ("--yes", "--yes"), ("", ""), ("a\nb", "a\\nb")]
    {
        check_warning(&named(name), &format!("p/.mcp.json: the MCP server `{shown}` is left out: {cure}"));
    }
    let reference = "no secret can be called `mcp.s.tok;touch x`: its key has letters, digits, `-` and `_`";
    for entry in [
        json!({"command": "a", "env": {"T": "${KOSMO_SECRET:mcp.s.tok;touch x}"}}),
        json!({"url": "https://a.test", "headers": {"T": "@secret:mcp.s.tok;touch x"}}),
    ] {
        let text = json!({"mcpServers": {"s": entry}}).to_string();
        check_warning(&text, &format!("p/.mcp.json: the MCP server `s` is left out: {reference}"));
    }
}

#[test]
fn of_two_servers_whose_tools_nobody_could_tell_apart_the_first_counts() {
    let config = parsed(r#"{"mcpServers": {"a": {"command": "a"}, "a.b": {"command": "b"}, "ab": {"command": "c"}}}"#);
    assert_eq!(config.servers.keys().collect::<Vec<_>>(), ["a", "ab"]);
    check_warning(
        r#"{"mcpServers": {"a.b": {"command": "a"}, "a": {"command": "b"}}}"#,
        "p/.mcp.json: the MCP server `a` is left out: nobody could tell its tools from those of `a.b`: call one of them \
         otherwise",
    );
}

#[test]
fn one_bad_entry_does_not_hide_the_others() {
    let config = parsed(r#"{"mcpServers": {"s": 1, "t": {"command": "a"}}}"#);
    assert_eq!(config.servers.keys().collect::<Vec<_>>(), ["t"]);
}

#[test]
fn the_project_wins_over_the_home_and_its_last_file_over_the_others() {
    let folder = std::env::temp_dir().join(format!("kosmo-mcp-config-{}", std::process::id()));
    let (home, root) = (folder.join("home"), folder.join("project"));
    let write = |path: PathBuf, command: &str, name: &str| {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a temporary folder");
        let text = json!({"mcpServers": {name: {"command": command}, "shared": {"command": command}}});
        std::fs::write(path, text.to_string()).expect("a temporary file");
    };
    write(home.join("mcp.json"), "home", "a");
    write(root.join(".vscode/mcp.json"), "vscode", "b");
    write(root.join(".cursor/mcp.json"), "cursor", "c");
    write(root.join(".mcp.json"), "root", "d");
    std::fs::create_dir_all(root.join(".git")).expect("a temporary folder");
    std::fs::create_dir_all(root.join("deep/er")).expect("a temporary folder");

    let config = McpConfig::load(Some(&home), &root.join("deep/er"));
    std::fs::remove_dir_all(&folder).expect("the folder made above");
    assert_eq!(config.warnings, []);
    let commands: Vec<_> = config.servers.values().map(|server| server.command.as_deref().unwrap_or("")).collect();
    assert_eq!(commands, ["home", "vscode", "cursor", "root", "root"]);
    assert_eq!(config.servers["shared"].source, "project:.mcp.json");
    assert_eq!(config.servers["a"].source, "global");
}

#[test]
fn nothing_configured_is_an_empty_object() {
    let config = McpConfig::load(Some(Path::new("/nonexistent/home")), Path::new("/nonexistent/project"));
    assert_eq!((config.to_value(), config.warnings), (json!({}), vec![]));
}
