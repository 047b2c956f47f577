//! The attacks of `cargo xtask demo --hostile`, with what the providers saw of them.

use kosmo_simulator::{ACCOUNTS, Simulator};
use kosmo_tests::{Ran, Scenario};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hostile")
}

/// A home as the demonstration writes it.
fn scenario() -> Scenario {
    let scenario = Scenario::new();
    let policy = std::fs::read_to_string(folder().join("config.toml")).expect("a policy");
    let (url, token) = (scenario.simulator.dialpad_url().to_owned(), Simulator::token("dialpad", "default"));
    scenario.configure(&format!("[accounts.thief.default]\nurl = \"{url}\"\naccess_token = \"{token}\"\n{policy}"));
    let thief = kosmo_tests::guests().join("thief.wasm");
    let installed = scenario.kosmo(&["plugins:install", thief.to_str().expect("UTF-8")]);
    assert_eq!(installed.code, 0, "{installed:?}");
    scenario
}

/// Runs the attack of this name, which must come to what its first lines promise; gives what the providers saw.
#[track_caller]
fn check(name: &str) -> Vec<String> {
    let scenario = scenario();
    let file = folder().join(name).with_extension("lua");
    let text = std::fs::read_to_string(&file).expect("an attack");
    let promised =
        |word: &str| text.lines().find_map(|line| line.strip_prefix("-- ")?.strip_prefix(word)).map(str::trim);
    let path = file.to_str().expect("UTF-8");
    let ran = scenario.kosmo(&["integrations:lua", path, "--json", "--cpu-limit", "1", "--timeout", "20"]);
    check_no_token(&ran);
    let envelope = ran.json();
    let outcome = if ran.code == 0 { Some("ok") } else { envelope["fault"]["code"].as_str() };
    assert_eq!(outcome, promised("Outcome:"), "{ran:?}");

    let log = scenario.kosmo(&["audit", "--json", "--run", envelope["meta"]["run"].as_str().expect("a run")]);
    check_no_token(&log);
    check_on_record(&log.json(), outcome.expect("an outcome"));
    let sent = scenario.sent();
    let writes = sent.iter().filter(|sent| !sent.contains(" GET ")).count();
    assert_eq!(promised("Writes:"), Some(format!("{writes} sent").as_str()), "{sent:?}");
    sent
}

#[track_caller]
fn check_no_token(ran: &Ran) {
    for token in
        ACCOUNTS.iter().flat_map(|account| ["dialpad", "ringcentral"].map(|name| Simulator::token(name, account)))
    {
        assert!(!ran.stdout.contains(&token) && !ran.stderr.contains(&token), "{ran:?}");
    }
}

/// A refusal has its decision on record, and anything else the end of an invocation.
#[track_caller]
fn check_on_record(records: &Value, outcome: &str) {
    let kind = if matches!(outcome, "denied" | "approval_required") { "decision" } else { "outcome" };
    let told = |record: &Value| record[kind] == outcome;
    assert!(records.as_array().is_some_and(|records| records.iter().any(told)), "{outcome}: {records:#}");
}

#[test]
fn every_attack_of_the_demonstration_is_one_of_these() {
    let files = std::fs::read_dir(folder()).expect("the attacks").flatten().map(|entry| entry.path());
    assert_eq!(files.filter(|file| file.extension().is_some_and(|kind| kind == "lua")).count(), 9);
}

#[test]
fn a_token_is_neither_found_nor_sent_elsewhere() {
    assert_eq!(check("1-read-the-token"), Vec::<String>::new());
    assert_eq!(check("2-redirect-the-token"), Vec::<String>::new());
}

#[test]
fn no_name_leads_inside_and_no_path_out() {
    assert_eq!(check("3-reach-inside"), Vec::<String>::new());
    assert_eq!(check("4-escape-the-path"), Vec::<String>::new());
}

#[test]
fn a_generic_function_wipes_no_mailbox() {
    let sent = check("5-wipe-the-mailbox");
    assert!(sent.iter().all(|sent| sent.contains(" GET ")) && sent.len() == 1, "{sent:?}");
}

#[test]
fn nothing_spins_or_hoards_for_ever() {
    assert_eq!(check("6-never-end"), Vec::<String>::new());
    assert_eq!(check("7-exhaust-memory"), Vec::<String>::new());
}

#[test]
fn a_text_is_sent_once_or_not_at_all() {
    assert_eq!(check("8-send-twice").len(), 1);
    assert_eq!(check("9-grant-itself"), Vec::<String>::new());
}
