//! Readers that went away, and disks that are full.

use kosmo_tests::{Ran, Scenario};
use std::fs::File;
use std::io::pipe;
use std::process::Stdio;

/// Something to print from every command.
const LINES: [&[&str]; 22] = [
    &["--help"],
    &["--version"],
    &["integrations:lua", "--help"],
    &["integrations:list"],
    &["integrations:list", "--json"],
    &["integrations:status"],
    &["integrations:doctor"],
    &["integrations:fields", "dialpad"],
    &["integrations:docs", "ringcentral"],
    &["integrations:search", "text message"],
    &["integrations:schema", "dialpad.send_sms"],
    &["integrations:examples", "dialpad"],
    &["integrations:call", "dialpad.list_users"],
    &["integrations:lua", "--eval", "for i = 1, 20000 do print(i) end"],
    &["mcp:lua", "--eval", "print(1)", "--json"],
    &["accounts:list"],
    &["grants:show"],
    &["plugins:list"],
    &["audit", "--json"],
    &["runs:list"],
    &["completions", "bash"],
    &["man"],
];

fn printing_to(scenario: &Scenario, line: &[&str], output: Stdio) -> Ran {
    let mut command = scenario.command();
    command.args(line).stdin(Stdio::null()).stdout(output).stderr(Stdio::piped());
    let output = command.spawn().expect("`kosmo` starts").wait_with_output().expect("`kosmo` ends");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    Ran { code: output.status.code().unwrap_or(-1), stdout: String::new(), stderr }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let scenario = Scenario::new();
    for line in LINES {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let ran = printing_to(&scenario, line, writer.into());
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{line:?}");
    }
}

#[test]
fn a_full_disk_is_a_failure_that_says_so() {
    let scenario = Scenario::new();
    for line in LINES {
        let full = File::options().write(true).open("/dev/full").expect("a device that is always full");
        let ran = printing_to(&scenario, line, full.into());
        assert_eq!(ran.code, 1, "{line:?} {ran:?}");
        assert!(ran.stderr.starts_with("kosmo: cannot write the output: "), "{line:?} {ran:?}");
    }
}
