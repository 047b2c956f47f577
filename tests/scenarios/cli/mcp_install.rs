//! `mcp:install`: kosmo's own entry in the files of other programs.

use super::kosmo;
use kosmo_tests::{Ran, Scenario, Transcript};
use serde_json::json;
use std::fs;

const CLIENTS: [&str; 12] = [
    "claude-code",
    "claude-desktop",
    "codex",
    "copilot-cli",
    "cursor",
    "gemini",
    "kiro",
    "lm-studio",
    "opencode",
    "vscode",
    "windsurf",
    "zed",
];

#[track_caller]
fn done(scenario: &Scenario, arguments: &[&str]) -> Ran {
    let ran = kosmo(scenario, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
    ran
}

#[test]
fn every_clients_snippet_reads_as_it_is_documented() {
    let scenario = Scenario::empty();
    let mut transcript = Transcript::new(&scenario);
    for client in CLIENTS {
        transcript.run(&["mcp:install", "--client", client, "--print", "--command", "kosmo"]);
    }
    let export =
        ["mcp:gateway:export", "--project", "--integrations=dialpad,ringcentral", "--write=ask", "--name=calls"];
    transcript.run(&export);
    transcript.run(&[&export[..], &["--json"]].concat());
    transcript.compare("mcp_snippets");
}

#[test]
fn installing_reads_as_it_is_documented() {
    let scenario = Scenario::empty();
    let mut transcript = Transcript::new(&scenario);
    for form in [&[][..], &["--json"]] {
        let mut run = |arguments: &[&str]| transcript.run(&[arguments, form].concat());
        run(&["mcp:install", "--client", "cursor", "--command", "kosmo"]);
        run(&["mcp:gateway:install", "--client", "cursor", "--command", "kosmo"]);
        run(&["mcp:install", "--client", "vscode", "--project", "--integration", "dialpad"]);
        run(&["mcp:install", "--client", "cursor", "--uninstall"]);
        run(&["mcp:install", "--client", "cursor", "--uninstall"]);
        run(&["mcp:install"]);
        run(&["mcp:install", "--file", "other.json", "--command", "kosmo"]);
        run(&["mcp:install", "--file", "other.json", "--uninstall"]);
        run(&["mcp:install", "--client", "curser"]);
        run(&["mcp:install", "--client", "windsurf", "--project"]);
        run(&["mcp:install", "--client", "cursor", "--name", "a b"]);
        run(&["mcp:install", "--client", "cursor", "--write=maybe"]);
        let nonsense = ["mcp:install", "--client", "cursor"].into_iter().chain(form.iter().copied());
        transcript.run(&nonsense.chain(["--", "--nonsense"]).collect::<Vec<_>>());
    }
    transcript.compare("mcp_install");
}

#[test]
fn every_clients_file_gets_the_entry_once_and_gives_it_back() {
    let scenario = Scenario::empty();
    for client in CLIENTS {
        let installed = done(&scenario, &["mcp:install", "--client", client, "--json"]).json();
        let path = installed["path"].as_str().expect("a path").to_owned();
        assert!(path.starts_with(&*scenario.home().to_string_lossy()), "{client}: {path}");
        let written = fs::read_to_string(&path).expect("a file");
        assert!(written.contains("mcp:serve") && written.contains("KOSMO_HOME"), "{client}: {written}");
        let again = done(&scenario, &["mcp:install", "--client", client, "--json"]).json();
        assert_eq!((&installed["changed"], &again["changed"]), (&json!(true), &json!(false)), "{client}");
        assert_eq!(fs::read_to_string(&path).expect("a file"), written, "{client}");
        done(&scenario, &["mcp:install", "--client", client, "--uninstall"]);
        assert!(!fs::read_to_string(&path).expect("a file").contains("mcp:serve"), "{client}");
    }
}

#[test]
fn every_client_stands_in_the_documentation_with_its_file() {
    let scenario = Scenario::empty();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/mcp.md");
    let page = fs::read_to_string(page).expect("the documentation");
    for client in CLIENTS {
        let installed = done(&scenario, &["mcp:install", "--client", client, "--json"]).json();
        let path = installed["path"].as_str().expect("a path").replace(&*scenario.home().to_string_lossy(), "~");
        assert!(page.contains(&format!("| `{client}` | `{path}` |")), "{client}: {path}");
    }
}

#[test]
fn the_rest_of_a_clients_file_stays() {
    let scenario = Scenario::empty();
    let zed = "// Zed settings\n{\n  \"theme\": \"One\", // nice\n  \"context_servers\": {\n    \"other\": { \"command\": \"o\", \"args\": [] },\n  },\n}\n";
    fs::create_dir_all(scenario.home().join(".config/zed")).expect("a writable folder");
    scenario.write(".config/zed/settings.json", zed);
    let read = || fs::read_to_string(scenario.home().join(".config/zed/settings.json")).expect("a file");
    done(&scenario, &["mcp:install", "--client", "zed"]);
    assert!(read().starts_with(zed.split("\n  },").next().expect("a beginning")), "{}", read());
    done(&scenario, &["mcp:install", "--client", "zed", "--uninstall"]);
    assert_eq!(read(), zed);

    let codex = "# mine\nmodel = \"x\" # why\n\n[mcp_servers.other]\ncommand = \"o\"\n";
    fs::create_dir_all(scenario.home().join(".codex")).expect("a writable folder");
    scenario.write(".codex/config.toml", codex);
    done(&scenario, &["mcp:install", "--client", "codex"]);
    done(&scenario, &["mcp:install", "--client", "codex", "--uninstall"]);
    assert_eq!(fs::read_to_string(scenario.home().join(".codex/config.toml")).expect("a file"), codex);
}

#[test]
fn what_is_not_ours_is_neither_replaced_nor_removed() {
    let scenario = Scenario::empty();
    fs::create_dir_all(scenario.home().join(".cursor")).expect("a writable folder");
    let before = "{\"mcpServers\": {\"kosmo\": {\"command\": \"something else\"}}}";
    scenario.write(".cursor/mcp.json", before);
    for flags in [&[][..], &["--uninstall"]] {
        let ran = kosmo(&scenario, &[&["mcp:install", "--client", "cursor"], flags].concat());
        assert!(ran.code == 1 && ran.stderr.contains("has an MCP server `kosmo` already"), "{ran:?}");
    }
    let read = || fs::read_to_string(scenario.home().join(".cursor/mcp.json")).expect("a file");
    assert_eq!(read(), before);
    done(&scenario, &["mcp:install", "--client", "cursor", "--replace"]);
    assert!(read().contains("mcp:serve"));
}

#[test]
fn a_clients_broken_file_is_left_alone() {
    let scenario = Scenario::empty();
    scenario.write(".claude.json", "{\n  \"mcpServers\": {\n");
    let ran = kosmo(&scenario, &["mcp:install", "--client", "claude-code"]);
    assert!(
        ran.code == 1 && ran.stderr.contains(".claude.json:3: ") && ran.stderr.contains("Nothing was changed"),
        "{ran:?}"
    );
    assert_eq!(fs::read_to_string(scenario.home().join(".claude.json")).expect("a file"), "{\n  \"mcpServers\": {\n");
}
