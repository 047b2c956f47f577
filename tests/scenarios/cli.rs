//! The command line as a user types it: what is printed where, exit codes, and what never appears anywhere.

mod accounts;
mod asking;
mod audit;
mod call;
mod config;
mod configure;
mod discovery;
mod docs;
mod examples;
mod goldens;
mod grants;
mod limits;
mod manual;
mod mcp;
mod mcp_install;
mod mcp_manage;
mod messages;
mod permissions;
mod pipes;
mod plugins;
mod progress;
mod repl;
mod runs;
mod scripts;
mod secrets;
mod servers;
mod status;
mod walk;
mod writes;

use kosmo_simulator::{ACCOUNTS, Simulator};
use kosmo_tests::{Ran, Scenario};
use serde_json::Value;

/// Runs `kosmo`, and holds that no token is in anything it printed.
#[track_caller]
fn kosmo(scenario: &Scenario, arguments: &[&str]) -> Ran {
    kosmo_with(scenario, arguments, &[], None)
}

#[track_caller]
fn kosmo_with(scenario: &Scenario, arguments: &[&str], environment: &[(&str, &str)], input: Option<&str>) -> Ran {
    let ran = scenario.kosmo_with(arguments, environment, input);
    for provider in ["dialpad", "ringcentral"] {
        for account in ACCOUNTS {
            let token = Simulator::token(provider, account);
            assert!(!ran.stdout.contains(&token) && !ran.stderr.contains(&token), "{arguments:?}: {ran:?}");
        }
    }
    assert!(!ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY), "{arguments:?}: {ran:?}");
    ran
}

/// Stands for secrets in broken and foreign configurations.
const CANARY: &str = "s3cr3t-canary-b81f";

/// Runs a script given by `--eval` with `--json`, and these flags.
#[track_caller]
fn eval(scenario: &Scenario, code: &str, flags: &[&str]) -> (i32, Value) {
    let ran = kosmo(scenario, &[&["integrations:lua", "--eval", code, "--json"], flags].concat());
    assert_eq!(ran.stderr, "", "{code}");
    (ran.code, ran.json())
}

#[track_caller]
fn check(ran: &Ran, code: i32, stdout: &str, stderr: &str) {
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (code, stdout, stderr));
}

/// Every command's name, from the help.
fn commands(scenario: &Scenario) -> Vec<String> {
    let help = kosmo(scenario, &["--help"]).stdout;
    let sections = help.split("\n\n").filter(|section| section.contains(":\n  "));
    let shown = sections.take_while(|section| !section.starts_with("Options:"));
    let lines = shown.flat_map(|section| section.lines().skip(1));
    lines.filter_map(|line| line.split_whitespace().next()).map(Into::into).collect()
}

fn keys(value: &Value) -> String {
    value.as_object().map(|object| object.keys().map(String::as_str).collect::<Vec<_>>().join(" ")).unwrap_or_default()
}
