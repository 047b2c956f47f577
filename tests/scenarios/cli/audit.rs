//! `kosmo audit`: what happened, for people and for programs.

use super::{eval, kosmo};
use kosmo_tests::{Scenario, matches};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;

const READ: &str = "return app.integrations.dialpad.get_current_user({}).id ~= nil";
const WRITE: &str = "app.integrations.ringcentral.send_sms({from = '+16505551234', to = '+16505559876', text = 'x'})";

fn audit(scenario: &Scenario, flags: &[&str]) -> Vec<Value> {
    let ran = kosmo(scenario, &[&["audit", "--json"], flags].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{flags:?}");
    ran.json().as_array().cloned().expect("an array")
}

#[test]
fn a_table_says_who_did_what_with_what_result_and_why() {
    let scenario = Scenario::new();
    let nothing = kosmo(&scenario, &["audit"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (0, "The audit log has no such records.\n"));
    eval(&scenario, READ, &[]);
    eval(&scenario, WRITE, &[]);
    let ran = kosmo(&scenario, &["audit"]);
    let lines: Vec<_> = ran.stdout.lines().collect();
    let expected = [
        "TIME * RUN * WHO * WHAT * RESULT * MS * BECAUSE OF",
        "2*Z  *  dialpad.default.get_current_user *read * allowed *`read = \"allow\"` under [permissions.dialpad] in config.toml",
        "2*Z  *  dialpad.default.get_current_user *GET 127.0.0.1:*/api/v2/users/me * allowed *GET /api/v2/users/me",
        "2*Z  *  dialpad.default.get_current_user *GET 127.0.0.1:*/api/v2/users/me * 200 *",
        "2*Z  *  dialpad.default.get_current_user *end * ok *",
        "2*Z  *  ringcentral.default.send_sms *write * approval_required *`write = \"ask\"` under [permissions.ringcentral] in config.toml",
        "2*Z  *  ringcentral.default.send_sms *end * approval_required *",
    ];
    assert_eq!(lines.len(), expected.len(), "{}", ran.stdout);
    for (line, expected) in lines.iter().zip(expected) {
        assert!(matches(expected, line), "{line}\ninstead of\n{expected}");
    }
}

#[test]
fn records_are_chosen_by_time_provider_run_and_refusal() {
    let scenario = Scenario::new();
    let (_, one) = eval(&scenario, READ, &[]);
    let (_, other) = eval(&scenario, WRITE, &[]);
    let run = |envelope: &Value| envelope["meta"]["run"].as_str().expect("a run").to_owned();
    assert_eq!(audit(&scenario, &[]).len(), 6);
    assert_eq!(audit(&scenario, &["--provider", "dialpad"]).len(), 4);
    assert_eq!(audit(&scenario, &["--run", &run(&one)]).len(), 4);
    assert_eq!(audit(&scenario, &["--run", &run(&other), "--provider=dialpad"]).len(), 0);
    assert_eq!(audit(&scenario, &["--since", "1h"]).len(), 6);
    assert_eq!(audit(&scenario, &["--since", "2999-01-01"]).len(), 0);
    assert_eq!(audit(&scenario, &["--last", "2"])[1]["outcome"], "approval_required");
    let denied = audit(&scenario, &["--denied"]);
    assert_eq!((denied.len(), &denied[0]["run"]), (1, &json!(run(&other))));
    let wrong = kosmo(&scenario, &["audit", "--since", "yesterday"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("such as 30m, 1h or 7d"), "{}", wrong.stderr);
}

#[test]
fn a_forced_write_is_on_record_as_forced() {
    let scenario = Scenario::new();
    eval(&scenario, WRITE, &["--force"]);
    assert_eq!(audit(&scenario, &[])[0]["decision"], "forced");
}

#[test]
fn lines_cut_short_are_counted_and_hide_nothing() {
    let scenario = Scenario::new();
    eval(&scenario, READ, &[]);
    let folder = fs::read_dir(scenario.home().join("audit")).expect("a log").flatten();
    let log = folder.map(|entry| entry.path()).find(|path| path.extension().is_some()).expect("a month");
    let text = fs::read_to_string(&log).expect("a log");
    fs::write(&log, &text[..text.len() - 20]).expect("a writable home");
    eval(&scenario, READ, &[]);
    let ran = kosmo(&scenario, &["audit", "--json"]);
    assert_eq!(ran.json().as_array().map(Vec::len), Some(7));
    assert_eq!(ran.stderr, "kosmo: warning: lines of the audit log that are no records were skipped: 1\n");
}

#[test]
fn a_log_without_room_is_said_once_on_standard_error() {
    let scenario = Scenario::new();
    eval(&scenario, READ, &[]);
    let folder = fs::read_dir(scenario.home().join("audit")).expect("a log").flatten();
    let log = folder.map(|entry| entry.path()).find(|path| path.extension().is_some()).expect("a month");
    fs::remove_file(&log).expect("a writable home");
    symlink("/dev/full", &log).expect("a writable home");
    let ran = kosmo(&scenario, &["integrations:lua", "--eval", READ]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "true\n"));
    assert!(
        matches(
            "kosmo: warning: The audit log in * cannot be written (No space left on device*): what happens is not recorded.*\n",
            &ran.stderr
        ),
        "{}",
        ran.stderr
    );
    let forced = kosmo(&scenario, &["integrations:lua", "--eval", WRITE, "--force"]);
    assert_eq!((forced.code, scenario.simulator.sms_sent().len()), (1, 0));
}
