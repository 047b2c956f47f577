use super::*;
use crate::mcp::config::McpConfig;
use std::path::Path;

const OWN: &str = r#"
    [servers.github.permissions]
    read = "allow"
    [servers.github.permissions.tools]
    delete_repo = "deny"
    "get issue" = "ask"
"#;

fn policy(own: &str, project: Option<&str>) -> McpPolicy {
    let policy = McpPolicy::new(toml::from_str(own).expect("settings"));
    project.into_iter().fold(policy, |policy, text| policy.narrowed(toml::from_str(text).expect("a narrowing")))
}

#[track_caller]
fn check(own: &str, project: Option<&str>, asked: (&str, &str, Operation), expected: Decision, rule: &str) {
    let (server, tool, operation) = asked;
    let ruling = policy(own, project).decide(Holder::of_home(server), tool, operation);
    assert_eq!((ruling.decision, ruling.rule.as_str()), (expected, rule), "{asked:?}");
}

#[test]
fn the_most_specific_word_counts_and_without_any_somebody_is_asked() {
    use Operation::{Read, Write};
    let check = |asked, expected, rule: &str| check(OWN, None, asked, expected, &format!("{rule} in config.toml"));
    let table = "under [mcp.servers.github.permissions";
    check(("github", "get", Read), Decision::Allow, &format!("`read = \"allow\"` {table}]"));
    check(("github", "put", Write), Decision::Ask, &format!("`write = \"ask\"` {table}]"));
    check(("github", "delete_repo", Write), Decision::Deny, &format!("`delete_repo = \"deny\"` {table}.tools]"));
    check(("github", "get issue", Read), Decision::Ask, &format!("`\"get issue\" = \"ask\"` {table}.tools]"));
    check(("a.b", "get", Read), Decision::Ask, "`read = \"ask\"` under [mcp.servers.\"a.b\".permissions]");
}

#[test]
fn a_project_can_only_be_stricter() {
    use Operation::{Read, Write};
    let open = "permissions_default = \"allow\"";
    let asked = ("s", "t", Write);
    check(open, None, asked, Decision::Allow, "`permissions_default = \"allow\"` under [mcp] in config.toml");
    let ask = "`write = \"ask\"` under [mcp.servers.s.permissions] in config.toml";
    check("", Some(open), asked, Decision::Ask, ask);
    let deny = "[servers.s.permissions]\nwrite = \"deny\"";
    let denied = "`write = \"deny\"` under [mcp.servers.s.permissions] in .kosmo/config.toml";
    check(open, Some(deny), asked, Decision::Deny, denied);
    check(
        open,
        Some(deny),
        ("s", "t", Read),
        Decision::Allow,
        "`permissions_default = \"allow\"` under [mcp] in config.toml",
    );
}

#[test]
fn what_a_server_of_the_home_may_do_no_namesake_in_a_project_may() {
    use Operation::{Read, Write};
    let own = r#"
        [servers.s.permissions]
        read = "allow"
        write = "deny"
        [servers.s.permissions.tools]
        wipe = "deny"
        [projects."/p".servers.t.permissions]
        read = "allow"
        [projects."/p".servers.t.permissions.tools]
        wipe = "allow"
    "#;
    let check = |server: &str, folder: &str, tool: &str, operation, expected, rule: &str| {
        let holder = Holder { server, project: Some(Path::new(folder)) };
        let ruling = policy(own, None).decide(holder, tool, operation);
        assert_eq!(
            (ruling.decision, ruling.rule),
            (expected, format!("{rule} in config.toml")),
            "{server} {folder} {tool}"
        );
        ruling.cure
    };
    let unsaid = "`read = \"ask\"` under [mcp.projects.\"/p\".servers.s.permissions]";
    check("s", "/p", "get", Read, Decision::Ask, unsaid);
    check("s", "/p", "put", Write, Decision::Deny, "`write = \"deny\"` under [mcp.servers.s.permissions]");
    let cure =
        check("s", "/p", "wipe", Read, Decision::Deny, "`wipe = \"deny\"` under [mcp.servers.s.permissions.tools]");
    let line = "`wipe = \"allow\"` under [mcp.projects.\"/p\".servers.s.permissions.tools] in config.toml";
    assert_eq!(cure, format!("{line}: kosmo permissions:set mcp.s.wipe allow"));
    let table = "under [mcp.projects.\"/p\".servers.t.permissions";
    check("t", "/p", "get", Read, Decision::Allow, &format!("`read = \"allow\"` {table}]"));
    check("t", "/p", "wipe", Write, Decision::Allow, &format!("`wipe = \"allow\"` {table}.tools]"));
    let elsewhere = "`read = \"ask\"` under [mcp.projects.\"/q\".servers.t.permissions]";
    check("t", "/q", "get", Read, Decision::Ask, elsewhere);
    let open = policy("permissions_default = \"allow\"\n[servers.s.permissions]\nread = \"ask\"", None);
    let theirs = Holder { server: "s", project: Some(Path::new("/p")) };
    assert_eq!(open.permissions(theirs), Permissions { read: "ask", write: "allow" });
}

#[test]
fn a_project_can_give_nothing() {
    for text in [
        "[projects.\"/p\".servers.s.permissions]\nread = \"allow\"",
        "allow_force_bypass = true",
        "allowed_env = [\"HOME\"]",
        "[trust.s]\n\"/p\" = \"00\"",
    ] {
        let error = toml::from_str::<McpNarrowing>(text).expect_err(text).to_string();
        assert!(error.contains("can only narrow permissions"), "{error}");
    }
}

#[test]
fn a_file_for_one_run_lists_no_server() {
    let policy = policy("permissions_default = \"allow\"", None).only("w.toml");
    let fault = policy
        .decide(Holder::of_home("s"), "t", Operation::Read)
        .check("s", Operation::Read, false)
        .expect_err("denied");
    assert_eq!(
        fault.message,
        "MCP server 's' read access denied (no MCP server stands in w.toml). The user may allow it: run it without that file."
    );
}

#[test]
fn force_is_for_those_who_allowed_it() {
    assert!(policy("", None).check_force(false).expect_err("not allowed").message.starts_with(
        "MCP --force bypass is disabled. Set kosmo.mcp.allow_force_bypass=true only for trusted automation"
    ));
    policy("allow_force_bypass = true", None).check_force(false).expect("allowed by the file");
    policy("", None).check_force(true).expect("allowed by the environment");
}

#[test]
fn an_entry_is_trusted_as_it_was_reviewed_and_where() {
    let server = |command: &str, source: &str| {
        let entry = format!(r#"{{"mcpServers": {{"s": {{"command": "{command}"}}}}}}"#);
        let mut config = McpConfig::of(source, Path::new("/p/.mcp.json"), &entry);
        config.servers.remove("s").expect("a server")
    };
    let reviewed = server("a", "project:.mcp.json");
    let own = format!("[trust.s]\n\"\" = \"{}\"\n", reviewed.fingerprint);
    let policy = policy(&own, None);
    assert_eq!(policy.trust(&reviewed), Trust::Reviewed);
    assert_eq!(policy.trust(&server("b", "project:.mcp.json")), Trust::Changed);
    assert_eq!(policy.trust(&server("b", "global")), Trust::Own);
    let elsewhere = Server { folder: "/elsewhere".into(), ..reviewed };
    assert_eq!(policy.trust(&elsewhere), Trust::Unknown);
    let fault = policy.check_trust(&elsewhere).expect_err("not trusted");
    assert_eq!(
        fault.message,
        "Project MCP server 's' is not trusted. Run `kosmo mcp:trust s --project --json` after reviewing .mcp.json, or \
         pass --force for trusted automation. It stands in /p/.mcp.json."
    );
}
