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
