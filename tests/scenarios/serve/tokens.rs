//! Tokens: each with a scope of its own, which only narrows.

use super::{SEND, until};
use kosmo_tests::{Scenario, Web};
use serde_json::{Value, json};

pub(super) fn add(scenario: &Scenario, line: &[&str]) -> String {
    let ran = scenario.kosmo(&[&["mcp:token:add"], line].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout.trim().to_owned()
}

#[test]
fn each_token_reaches_what_it_was_given_and_no_more_than_the_server_offers() {
    let scenario = Scenario::writable();
    let narrow = add(&scenario, &["ci", "--integrations", "dialpad", "--accounts", "work"]);
    let wide = add(&scenario, &["boss", "--write=allow"]);
    let server = Web::with_tokens(&scenario, &["--functions", "--write=allow"]);
    let (mut ci, mut boss) = (server.converse_as(&narrow).expect("in"), server.converse_as(&wide).expect("in"));
    let names = |listed: Value| {
        let tools = listed["result"]["tools"].as_array().expect("a list").clone();
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let (of_ci, of_boss) = (names(ci.call("tools/list", Value::Null)), names(boss.call("tools/list", Value::Null)));
    assert!(of_boss.contains(&"dialpad_send_sms".into()) && of_boss.contains(&"ringcentral_get_account".into()));
    assert!(of_ci.contains(&"dialpad_list_calls".into()));
    assert!(!of_ci.iter().any(|name| name.starts_with("ringcentral") || name.contains("send")), "{of_ci:?}");

    assert_eq!(ci.run("return #app.integrations.dialpad.work.list_users{}.items > 0")["result"], json!([true]));
    let refused = ci.run("return app.integrations.dialpad.list_users{}");
    let expected = "The token `ci` does not reach the account 'default' of 'dialpad'. It reaches: work.";
    assert_eq!((&refused["fault"]["code"], &refused["error"]), (&json!("denied"), &json!(expected)));
    let refused = ci.run("return app.integrations.ringcentral.work.get_account{}");
    assert!(refused["error"].as_str().expect("why").starts_with("The token `ci` does not reach the integration"));
    let refused = ci.run(&SEND.replace("dialpad.", "dialpad.work."));
    assert!(refused["error"].as_str().expect("why").contains("the token `ci` does not write"), "{refused}");
    let hidden = ci.call("tools/call", json!({"name": "ringcentral_get_account"}));
    assert_eq!(hidden["error"]["code"], -32602);
    assert_eq!(boss.run(SEND)["success"], true);
    assert_eq!(scenario.simulator.sms_sent().len(), 1);
    assert!(scenario.sent().iter().all(|line| !line.starts_with("ringcentral")));
}

#[test]
fn a_token_cannot_give_what_the_server_does_not_offer() {
    let scenario = Scenario::writable();
    let token = add(&scenario, &["boss", "--write=allow"]);
    let server = Web::with_tokens(&scenario, &[]);
    let refused = server.converse_as(&token).expect("in").run(SEND);
    assert!(refused["error"].as_str().expect("why").contains("this MCP server does not write"), "{refused}");
}

#[test]
fn a_session_belongs_to_the_token_that_began_it() {
    let scenario = Scenario::new();
    let (one, two) = (add(&scenario, &["one"]), add(&scenario, &["two"]));
    let server = Web::with_tokens(&scenario, &[]);
    let mine = server.converse_as(&one).expect("in");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let send = |token: &str, id: &str| {
        let bearer = format!("Bearer {token}");
        server.post(&[("Authorization", &bearer), ("Mcp-Session-Id", id)], &ping).status
    };
    assert_eq!(send(&one, &mine.id), 200);
    assert_eq!(send(&two, &mine.id), 404, "somebody else's");
    assert_eq!(send(&one, "00000000-0000-4000-8000-000000000000"), 404, "made up");
    assert_eq!(send(&one, "x"), 404);
}

#[test]
fn tokens_are_taken_up_and_given_up_while_the_server_runs() {
    let scenario = Scenario::new();
    let first = add(&scenario, &["first"]);
    let server = Web::with_tokens(&scenario, &["--rate", "10000"]);
    let mut session = server.converse_as(&first).expect("in");
    let second = add(&scenario, &["second"]);
    until("the second token", || server.converse_as(&second).is_ok());
    assert_eq!(scenario.kosmo(&["mcp:token:remove", "first"]).code, 0);
    until("the end of the first", || session.try_call("ping", Value::Null).status == 401);
    assert_eq!(server.converse_as(&first).expect_err("out").status, 401);
    assert!(server.converse_as(&second).is_ok());
}

#[test]
fn a_token_is_taken_back_whatever_is_wrong_with_the_configuration() {
    let scenario = Scenario::new();
    let (first, second) = (add(&scenario, &["first"]), add(&scenario, &["second"]));
    let server = Web::with_tokens(&scenario, &["--rate", "10000"]);
    let mut session = server.converse_as(&first).expect("in");
    scenario.write("config.toml", "[permissions.dialpad\n");
    server.wait_for("kosmo: warning: what was there before is served on: ");
    assert_eq!(scenario.kosmo(&["mcp:token:remove", "first"]).code, 0);
    until("the end of the first", || session.try_call("ping", Value::Null).status == 401);
    assert!(server.converse_as(&second).is_ok());
    let third = add(&scenario, &["third"]);
    until("the third", || server.converse_as(&third).is_ok());
    assert!(scenario.kosmo(&["mcp:token:list"]).stdout.contains("third"));
}

#[test]
fn while_nobody_can_tell_which_tokens_were_taken_back_none_lets_in() {
    let scenario = Scenario::new();
    let token = add(&scenario, &["ci"]);
    let kept = std::fs::read_to_string(scenario.home().join("mcp-tokens.toml")).expect("a file");
    let server = Web::with_tokens(&scenario, &["--rate", "10000"]);
    let mut session = server.converse_as(&token).expect("in");
    scenario.write("mcp-tokens.toml", &kept.replace("write =", "wirte ="));
    let told =
        server.wait_for("kosmo: warning: revocations cannot be taken over, so no token lets in until that is mended: ");
    assert!(told.contains("unknown field `wirte`"), "{told}");
    assert_eq!(session.try_call("ping", Value::Null).status, 401);
    scenario.write("mcp-tokens.toml", &kept);
    server.wait_for("kosmo: the tokens were read again, and let in again");
    assert!(server.converse_as(&token).is_ok());
}

#[test]
fn a_server_that_began_without_tokens_takes_up_those_that_come() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &["--rate", "10000"]);
    let mut session = server.converse();
    let added = add(&scenario, &["ci"]);
    until("the token", || server.converse_as(&added).is_ok());
    assert_eq!(session.run("return 1")["result"], json!([1]), "the token of this run still counts");
    assert_eq!(scenario.kosmo(&["mcp:token:remove", "ci"]).code, 0);
    let bearer = format!("Bearer {added}");
    until("its end", || server.post(&[("Authorization", &bearer)], "{}").status == 401);
    assert_eq!(session.run("return 1")["result"], json!([1]));
}

#[test]
fn a_limit_to_nothing_is_refused() {
    let scenario = Scenario::new();
    for line in [
        ["mcp:serve", "--integrations", ""],
        ["mcp:serve", "--integrations", "dialpad,"],
        ["mcp:serve", "--integration", " "],
    ] {
        let ran = scenario.kosmo(&line);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains("an integration of no name"), "{ran:?}");
    }
    for flag in ["--integrations", "--accounts"] {
        let ran = scenario.kosmo(&["mcp:token:add", "ci", flag, ""]);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert!(ran.stderr.contains("of no name would be none at all"), "{ran:?}");
    }
}

#[test]
fn a_mistyped_integration_is_not_served_and_a_token_for_one_is_warned_of() {
    let scenario = Scenario::new();
    let ran = scenario.kosmo(&["mcp:serve", "--integrations", "dialpad,rincentral"]);
    let told = "There is no integration `rincentral`. Did you mean: ringcentral";
    assert!(ran.code == 2 && ran.stderr.contains(told), "{ran:?}");
    let ran = scenario.kosmo(&["mcp:serve", "--integration", "nosuch"]);
    let told = "warning: there is no integration `nosuch`; it is served once it is installed";
    assert!(ran.code == 0 && ran.stderr.contains(told), "{ran:?}");

    let ran = scenario.kosmo(&["mcp:token:add", "ci", "--integrations", "dialpad,dailpad"]);
    let told = "warning: there is no integration `dailpad`, so the token reaches nothing there until one is installed. \
        Did you mean: dialpad";
    assert!(ran.code == 0 && ran.stderr.contains(told), "{ran:?}");
    assert!(!ran.stderr.contains("`dialpad`"), "{ran:?}");
    let token = add(&scenario, &["later", "--integrations", "weathr"]);
    let server = Web::with_tokens(&scenario, &[]);
    let listed = server.converse_as(&token).expect("in").run("return docs.list()");
    let told = "No integrations are offered here. Whoever runs the server, or gave the token, says which are.\n";
    assert_eq!(listed["result"], json!([told]), "it says nothing of what is installed");
}

#[test]
fn a_token_is_nowhere_but_in_its_digest() {
    let scenario = Scenario::new();
    let token = add(&scenario, &["ci"]);
    let server = Web::with_tokens(&scenario, &[]);
    server.converse_as(&token).expect("in").run("return 1");
    for file in walk(scenario.home()) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let found = bytes.windows(token.len()).any(|part| part == token.as_bytes());
        assert!(!found, "{}", file.display());
    }
    let listed = scenario.kosmo(&["mcp:token:list", "--json"]).stdout;
    assert!(listed.contains("\"ci\"") && !listed.contains(&token) && !listed.contains("sha256"));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    // The cache of compiled components is a link to a folder that all scenarios share.
    let own = entries.filter(|path| !path.is_symlink());
    own.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
