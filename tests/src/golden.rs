//! What a person types and what comes back, compared with a file that a person can read.
//!
//! `KOSMO_BLESS=1 cargo xtask test -- --package kosmo-tests FILTER` writes the files anew; read the difference before
//! you commit it.

use crate::settle::{excerpt, settled};
use crate::{Ran, Scenario};
use std::path::Path;

/// Command lines and what they printed, with everything that differs from run to run replaced by a name.
pub struct Transcript<'a> {
    scenario: &'a Scenario,
    text: String,
}

impl<'a> Transcript<'a> {
    /// Begins with nothing.
    pub fn new(scenario: &'a Scenario) -> Self {
        Self { scenario, text: String::new() }
    }

    /// Runs `kosmo` with these arguments and writes down what came of it.
    pub fn run(&mut self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[], None)
    }

    /// As [`Scenario::kosmo_with`], written down.
    pub fn run_with(&mut self, arguments: &[&str], environment: &[(&str, &str)], input: Option<&str>) -> Ran {
        let ran = self.scenario.kosmo_with(arguments, environment, input);
        self.write(arguments, environment, input, &ran);
        ran
    }

    /// Writes down a run that was not made here.
    pub fn note(&mut self, arguments: &[&str], ran: &Ran) {
        self.write(arguments, &[], None, ran);
    }

    /// As [`Transcript::run`], of which the first lines are written down.
    pub fn run_excerpt(&mut self, arguments: &[&str], lines: usize) -> Ran {
        let ran = self.scenario.kosmo(arguments);
        let shown = Ran { code: ran.code, stdout: excerpt(&ran.stdout, lines), stderr: ran.stderr.clone() };
        self.write(arguments, &[], None, &shown);
        ran
    }

    fn write(&mut self, arguments: &[&str], environment: &[(&str, &str)], input: Option<&str>, ran: &Ran) {
        let words: Vec<_> = arguments.iter().map(|word| quoted(word)).collect();
        let piped = input.map_or(String::new(), |input| format!("echo {} | ", quoted(input)));
        let set: String = environment.iter().map(|(name, value)| format!("{name}={} ", quoted(value))).collect();
        let stderr: String = ran.stderr.lines().map(|line| format!("! {line}\n")).collect();
        let entry = format!("$ {piped}{set}kosmo {}\n{}{stderr}= {}\n\n", words.join(" "), ran.stdout, ran.code);
        self.text.push_str(&self.settled(&entry));
    }

    /// Compares with `tests/golden/cli/<name>.txt`.
    #[track_caller]
    pub fn compare(self, name: &str) {
        compare(&format!("cli/{name}.txt"), self.text.trim_end());
    }

    /// What is different in every run, by name.
    fn settled(&self, text: &str) -> String {
        let simulator = &self.scenario.simulator;
        let home = self.scenario.home().display().to_string();
        let mut text = text.replace(&home, "HOME");
        let urls = [
            (simulator.dialpad_url(), "http://DIALPAD"),
            (simulator.ringcentral_url(), "http://RINGCENTRAL"),
            (simulator.exports_url(), "http://EXPORTS"),
        ];
        for (url, name) in urls {
            text = text.replace(url, name);
            // The audit log names hosts without a scheme.
            text = text.replace(url.trim_start_matches("http://"), name.trim_start_matches("http://"));
        }
        for folder in self.scenario.plugin_folders() {
            text = text.replace(&folder.display().to_string(), "PLUGINS");
        }
        settled(&without_times(&without_digests(&without_tokens(&text))))
    }
}

/// Compares a text with a file below `tests/golden`, or writes that file if `KOSMO_BLESS` is set.
///
/// # Panics
/// When they differ, naming the first line that does.
#[track_caller]
pub fn compare(name: &str, text: &str) {
    compare_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name), text);
}

/// As [`compare`], with any file.
///
/// # Panics
/// When they differ, naming the first line that does.
#[track_caller]
pub fn compare_file(file: &Path, text: &str) {
    if std::env::var_os("KOSMO_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a writable folder");
        std::fs::write(file, format!("{text}\n")).expect("a writable file");
        return;
    }
    let golden = std::fs::read_to_string(file).unwrap_or_default();
    let (golden, text) = (golden.trim_end(), text.trim_end());
    let mut lines = golden.lines().zip(text.lines()).enumerate();
    let differing = lines.find(|(_, (golden, text))| golden != text);
    let at = differing.map_or_else(|| golden.lines().count().min(text.lines().count()), |(at, _)| at);
    let line = |text: &str| text.lines().nth(at).unwrap_or("the end").to_owned();
    let name = file.display();
    assert_eq!(golden, text, "{name}:{}: `{}` is now `{}`", at + 1, line(golden), line(text));
}

fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=+.,:/@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Digests change with every build of a plugin.
fn without_digests(text: &str) -> String {
    let parts = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    let settled = |part: &str| {
        let word = part.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let is_hex = word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_digest = matches!(word.len(), 12 | 32 | 64) && is_hex && !word.bytes().all(|byte| byte.is_ascii_digit());
        if is_digest { format!("DIGEST{}", &part[word.len()..]) } else { part.into() }
    };
    parts.map(settled).collect()
}

/// Tokens for `mcp:serve`.
fn without_tokens(text: &str) -> String {
    const TOKEN: usize = 43;
    let mut parts = text.split("kosmo_");
    let mut settled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let secret = part.get(..TOKEN).filter(|secret| secret.bytes().all(is_letter_of_tokens));
        settled.push_str(&secret.map_or_else(|| format!("kosmo_{part}"), |_| format!("TOKEN{}", &part[TOKEN..])));
    }
    settled
}

fn is_letter_of_tokens(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_')
}

/// Milliseconds in JSON.
fn without_times(text: &str) -> String {
    let settled = |line: &str| match line.split_once("_ms\": ") {
        Some((key, value)) => format!("{key}_ms\": 0{}\n", if value.ends_with(",\n") { "," } else { "" }),
        None => line.into(),
    };
    text.split_inclusive('\n').map(settled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_gets_a_name() {
        assert_eq!(without_digests("a 0123456789ab… b 123456789012 cafe"), "a DIGEST… b 123456789012 cafe");
        assert_eq!(
            without_times("{\n \"duration_ms\": 1.5,\n \"a_ms\": 2\n}"),
            "{\n \"duration_ms\": 0,\n \"a_ms\": 0\n}"
        );
        assert_eq!(without_tokens(&format!("a kosmo_{} kosmo_x", "b".repeat(43))), "a TOKEN kosmo_x");
        assert_eq!(quoted("--to=+1"), "--to=+1");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
