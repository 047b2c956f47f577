//! How providers stand: `integrations:status`, `integrations:doctor`, `integrations:fields`.

use super::{kosmo, kosmo_with};
use kosmo_simulator::Simulator;
use kosmo_tests::{Scenario, Transcript};
use serde_json::json;

/// `dialpad` with `work` alone, `ringcentral` without an account, and a file that is no plugin.
fn mixed() -> Scenario {
    let scenario = Scenario::new();
    let (url, token) = (scenario.simulator.dialpad_url(), Simulator::token("dialpad", "work"));
    scenario.write("config.toml", &format!("[accounts.dialpad.work]\nurl = \"{url}\"\naccess_token = \"{token}\"\n"));
    std::fs::create_dir(scenario.home().join("plugins")).expect("a folder");
    scenario.write("plugins/broken.wasm", "not a component");
    scenario
}

#[test]
fn status_reads_as_it_is_documented() {
    let scenario = mixed();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:status"]);
    transcript.run(&["integrations:status", "--json"]);
    transcript.compare("status");
}

#[test]
fn doctor_reads_as_it_is_documented() {
    let scenario = mixed();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:doctor"]);
    transcript.run(&["integrations:doctor", "dialpad", "--json"]);
    transcript.run(&["integrations:doctor", "ringcentral", "--json"]);
    transcript.run(&["integrations:doctor", "broken", "--json"]);
    transcript.run(&["integrations:doctor", "dialpd", "--json"]);
    let url = format!("url={}", scenario.simulator.dialpad_url());
    let line = ["integrations:configure", "dialpad", "--account=kept", "--set", &url, "--set=access_token=-"];
    assert_eq!(kosmo_with(&scenario, &line, &[], Some(&Simulator::token("dialpad", "support"))).code, 0);
    transcript.run(&["integrations:doctor", "dialpad"]);
    transcript.run(&["integrations:doctor", "dialpad", "--json"]);
    let key = scenario.home().join("credential.key");
    std::fs::remove_file(key).expect("a key file");
    transcript.run(&["integrations:doctor", "dialpad", "--json"]);
    transcript.compare("doctor");
}

/// A home with an account in its store.
fn keeping() -> Scenario {
    let scenario = Scenario::new();
    scenario.write("config.toml", "");
    let line = ["integrations:configure", "dialpad", "--account=kept", "--set=access_token=-"];
    assert_eq!(kosmo_with(&scenario, &line, &[], Some(&Simulator::token("dialpad", "support"))).code, 0);
    scenario
}

#[test]
fn accounts_that_cannot_be_read_are_not_told_to_be_none() {
    let scenario = keeping();
    scenario.write("mcp.json", r#"{"mcpServers": {"s": {"command": "program", "env": {"KEY": "@secret:mcp.s.KEY"}}}}"#);
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:status", "--json"]);
    std::fs::remove_file(scenario.home().join("credential.key")).expect("a key file");
    transcript.run(&["accounts:list"]);
    transcript.run(&["accounts:list", "--json"]);
    transcript.run(&["integrations:list"]);
    transcript.run(&["integrations:status"]);
    transcript.run(&["integrations:status", "--json"]);
    transcript.run(&["integrations:doctor", "dialpad"]);
    transcript.run(&["mcp:status"]);
    transcript.compare("store_without_key");
    scenario.write("kosmo.db", &"not a database, but long enough to be taken for one".repeat(20));
    let listed = kosmo(&scenario, &["accounts:list", "--json"]);
    let fault = &listed.json()["fault"];
    assert_eq!((listed.code, &fault["code"]), (1, &json!("unconfigured")), "{listed:?}");
    assert!(fault["message"].as_str().is_some_and(|message| message.contains("It is damaged: ")), "{listed:?}");
}

#[test]
fn a_home_that_cannot_be_written_is_told_by_doctor_and_by_whoever_writes() {
    let scenario = mixed();
    std::fs::set_permissions(scenario.home(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("one's own");
    let cure = format!("chmod o-w {}", scenario.home().display());
    let doctor = kosmo(&scenario, &["integrations:doctor", "ringcentral"]);
    assert!(doctor.stdout.contains(&cure) && !doctor.stdout.contains("Next:"), "{doctor:?}");
    let added = kosmo(&scenario, &["grants:add", "dialpad", "GET /api/v2/users/me", "--only", "--json"]);
    assert_eq!((added.code, &added.json()["fault"]["code"]), (1, &json!("unconfigured")), "{added:?}");
    assert!(added.stdout.contains(&cure), "{added:?}");
}

#[test]
fn an_account_whose_every_invocation_fails_is_not_active() {
    let scenario = mixed();
    let own = std::fs::read_to_string(scenario.home().join("config.toml")).expect("a file");
    for (mistake, cure) in [
        (
            "[permissions.dialpad.functions]\nnosuch = \"deny\"\n",
            "`kosmo permissions:unset dialpad.nosuch` takes it back",
        ),
        ("[grants.dialpad]\naccounts = [\"nosuch\"]\n", "`kosmo accounts:list dialpad`"),
        ("[permissions.dialpda]\nwrite = \"deny\"\n", "Did you mean: dialpad"),
    ] {
        scenario.write("config.toml", &format!("{own}{mistake}"));
        let call = kosmo(&scenario, &["integrations:call", "dialpad.list_calls", "--account=work"]);
        assert!(call.code == 1 && call.stderr.contains(cure), "{call:?}");
        for line in [&["integrations:doctor", "dialpad"][..], &["accounts:list"]] {
            let told = kosmo(&scenario, line);
            assert!(told.stdout.contains(cure) && !told.stdout.contains(": active"), "{told:?}");
        }
        let status = kosmo(&scenario, &["integrations:status", "--json"]).json();
        assert_eq!(status["providers"]["dialpad"]["active"], json!(false));
    }
    scenario.write("config.toml", &format!("{own}[permissions.dialpad.functions]\nnosuch = \"deny\"\n"));
    assert_eq!(kosmo(&scenario, &["permissions:unset", "dialpad.nosuch"]).code, 0);
    let status = kosmo(&scenario, &["integrations:status", "--json"]).json();
    assert_eq!(status["providers"]["dialpad"]["active"], json!(true));
}

#[test]
fn a_plugin_that_was_not_accepted_is_accepted_by_the_command_doctor_names() {
    let scenario = Scenario::new();
    scenario.write("config.toml", "");
    let environment = [("DIALPAD_ACCESS_TOKEN", "t0ken")];
    let doctor = || kosmo_with(&scenario, &["integrations:doctor", "dialpad", "--json"], &environment, None).json();
    let next = doctor()["next_commands"][0].as_str().unwrap_or_default().to_owned();
    let words: Vec<_> = next.split(' ').skip(1).collect();
    assert!(matches!(words.as_slice(), ["plugins:install", file] if file.ends_with("/dialpad.wasm")), "{next}");
    assert_eq!(kosmo(&scenario, &words).code, 0);
    assert_eq!(doctor()["active"], json!(true));
}

#[test]
fn fields_read_as_they_are_documented() {
    let scenario = mixed();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:fields", "dialpad", "--account", "work"]);
    transcript.run(&["integrations:fields", "ringcentral", "--json"]);
    transcript.run(&["integrations:fields", "dialpd"]);
    transcript.compare("fields");
}

#[test]
fn a_provider_with_a_named_account_alone_is_active() {
    let scenario = mixed();
    let status = kosmo(&scenario, &["integrations:status", "--json"]).json();
    assert_eq!(
        (&status["providers"]["dialpad"]["active"], &status["providers"]["dialpad"]["accounts"]),
        (&json!(true), &json!(["work"]))
    );
    assert_eq!(status["providers"]["ringcentral"]["active"], json!(false));
    assert_eq!(scenario.simulator.requests().len(), 0, "looking sends nothing");
    assert!(!scenario.home().join("kosmo.db").exists(), "looking keeps nothing");
}
