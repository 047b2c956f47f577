//! What `integrations:docs` prints can be pasted.

use super::{check, kosmo};
use kosmo_tests::Scenario;
use std::path::Path;

/// Every command line of a page, as printed.
fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter(|line| line.starts_with("kosmo ")).collect()
}

/// Runs a line in a shell that finds `kosmo` where the scenario does.
#[track_caller]
fn check_line(scenario: &Scenario, line: &str) {
    let mut command = scenario.command();
    let binary = Path::new(command.get_program()).parent().expect("a folder").to_owned();
    let program = std::mem::replace(&mut command, std::process::Command::new("/bin/sh"));
    for (name, value) in program.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    command.env("PATH", binary).current_dir(scenario.home()).args(["-c", line]);
    let output = command.output().expect("a shell");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{line}: {output:?}");
}

#[test]
fn every_command_on_every_functions_page_works_as_printed() {
    let listed = kosmo(&Scenario::new(), &["integrations:list", "--json"]).json();
    for provider in ["dialpad", "ringcentral"] {
        for function in listed["providers"][provider]["functions"].as_array().expect("functions") {
            let page = kosmo(&Scenario::new(), &["integrations:docs", function["name"].as_str().expect("a name")]);
            let lines = commands(&page.stdout);
            assert!(page.code == 0 && lines.len() >= 3, "{page:?}");
            // Each in a world of its own, since a line may delete what another one reads.
            lines.into_iter().for_each(|line| check_line(&Scenario::new(), line));
        }
    }
}

#[test]
fn a_page_that_is_not_there_names_the_nearest() {
    let scenario = Scenario::new();
    let unknown = kosmo(&scenario, &["integrations:docs", "dialpad.list_cals"]);
    check(
        &unknown,
        1,
        "",
        "kosmo: No integration docs found for 'dialpad.list_cals'. Did you mean: dialpad.list_calls, \
             dialpad.list_sms\n",
    );
    let overview = kosmo(&scenario, &["integrations:docs"]);
    assert!(overview.code == 0 && overview.stdout.contains("Providers: dialpad, ringcentral"), "{overview:?}");
    let guide = kosmo(&scenario, &["integrations", "docs", "ringcentral"]);
    assert!(guide.stdout.contains("## Messages and SMS"), "{guide:?}");
}
