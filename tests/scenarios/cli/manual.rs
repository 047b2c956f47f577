//! Completions and the manual, made of the same definitions as the help.

use super::{commands, kosmo};
use kosmo_tests::Scenario;
use std::process::Command;

#[test]
fn every_shell_gets_completions_for_every_command() {
    let scenario = Scenario::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = kosmo(&scenario, &["completions", shell]);
        assert_eq!((script.code, script.stderr.as_str()), (0, ""), "{shell}");
        let plain = script.stdout.replace("\\:", ":");
        let missing: Vec<_> = commands(&scenario).into_iter().filter(|name| !plain.contains(name.as_str())).collect();
        assert_eq!(missing, Vec::<String>::new(), "{shell}");
    }
    let unknown = kosmo(&scenario, &["completions", "cmd"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("bash"), "{unknown:?}");
}

/// What bash offers for a line whose last word is being typed.
fn offered(scenario: &Scenario, words: &[&str]) -> Vec<String> {
    scenario.write("completions.bash", &kosmo(scenario, &["completions", "bash"]).stdout);
    let (last, before) = words.split_last().expect("a word");
    let code = format!(
        "source ./completions.bash; COMP_WORDS=({words}); COMP_CWORD={at}; _kosmo kosmo '{last}' '{previous}'; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words = words.join(" "),
        at = before.len(),
        previous = before.last().expect("the program"),
    );
    let output = Command::new("bash").args(["-c", &code]).current_dir(scenario.home()).output().expect("bash");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(Into::into).collect()
}

#[test]
fn bash_completes_commands_with_colons_and_their_flags() {
    let scenario = Scenario::new();
    let found = offered(&scenario, &["kosmo", "integrations:s"]);
    assert!(found.iter().any(|name| name == "integrations:search"), "{found:?}");
    assert!(found.iter().all(|name| name.starts_with("integrations:s")), "{found:?}");
    let flags = offered(&scenario, &["kosmo", "integrations:search", "--j"]);
    assert_eq!(flags, ["--json"]);
}

#[test]
fn the_manual_has_a_page_for_kosmo_and_one_for_every_command() {
    let scenario = Scenario::new();
    let page = kosmo(&scenario, &["man"]);
    assert!(page.code == 0 && page.stdout.contains(".TH kosmo 1"), "{page:?}");
    let plain = page.stdout.replace("\\-", "-");
    let written = kosmo(&scenario, &["man", "--dir", "man"]);
    assert_eq!((written.code, written.stderr.as_str()), (0, ""));
    let read = |name: &str| std::fs::read_to_string(scenario.home().join("man").join(name));
    assert!(read("kosmo.1").is_ok());
    for name in commands(&scenario).iter().filter(|name| *name != "help") {
        assert!(plain.contains(&format!("kosmo-{name}(1)")), "{name}");
        let page = read(&format!("kosmo-{name}.1")).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
}
