//! The command line that takes a run up again: the one that began it, with `--resume`.

use kosmo::shell_quoted;
use std::ffi::OsString;

/// The command that goes on with a run of this process.
pub(super) fn command(run: &str) -> String {
    with_resume(std::env::args_os().skip(1), run)
}

fn with_resume(typed: impl Iterator<Item = OsString>, run: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut typed = typed.map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = typed.next() {
        match &*word {
            "--resume" => drop(typed.next()),
            // To be decided anew.
            "--repeat-in-doubt" => {}
            _ if word.starts_with("--resume=") => {}
            _ => words.push(word),
        }
    }
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    words.splice(end..end, ["--resume".into(), run.into()]);
    words.iter().fold("kosmo".into(), |line, word| format!("{line} {}", quoted(word)))
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=@%+,".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.into(),
        false => shell_quoted(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(typed: &[&str], expected: &str) {
        assert_eq!(with_resume(typed.iter().map(OsString::from), "9f86"), expected);
    }

    #[test]
    fn it_is_what_was_typed_with_the_run() {
        check(&["integrations:lua", "a.lua", "--json"], "kosmo integrations:lua a.lua --json --resume 9f86");
        check(
            &["integrations:lua", "--resume", "1", "my file.lua"],
            "kosmo integrations:lua 'my file.lua' --resume 9f86",
        );
        check(&["integrations:lua", "--resume=1", "--repeat-in-doubt", "a"], "kosmo integrations:lua a --resume 9f86");
        check(&["integrations:lua", "-e", "print('a')"], r"kosmo integrations:lua -e 'print('\''a'\'')' --resume 9f86");
        check(&["integrations:lua", "--", "-a.lua"], "kosmo integrations:lua --resume 9f86 -- -a.lua");
    }
}
