//! The line as it was typed, made into the one form that is parsed. Pure.
//!
//! `kosmo integrations lua` is `kosmo integrations:lua`, and `--json=true` is `--json`.

use clap::{Arg, ArgAction, Command};
use std::ffi::{OsStr, OsString};

/// A group's name and the command's behind it as one word, wherever the line begins with them: `grants show` and
/// `help grants show` as `grants:show` and `help grants:show`.
pub(super) fn joined(mut arguments: Vec<OsString>, commands: &Command) -> Vec<OsString> {
    let at = 1 + usize::from(arguments.get(1).is_some_and(|word| word == "help"));
    while let Some(name) = joint(&arguments[at.min(arguments.len())..], commands) {
        arguments.splice(at..at + 2, [name.into()]);
    }
    arguments
}

fn joint(words: &[OsString], commands: &Command) -> Option<String> {
    let [group, name, ..] = words else { return None };
    let (group, name) = (group.to_str()?, name.to_str()?);
    (is_group(group, commands) && !name.starts_with('-')).then(|| format!("{group}:{name}"))
}

/// Whether commands begin with this name and none has it.
pub(super) fn is_group(name: &str, commands: &Command) -> bool {
    let below = |command: &str| command.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
    commands.find_subcommand(name).is_none() && commands.get_subcommands().any(|command| below(command.get_name()))
}

/// The group that a line asks about rather than for one of its commands: `kosmo grants`, `kosmo help grants`.
pub(super) fn bare_group<'a>(arguments: &'a [OsString], commands: &Command) -> Option<&'a str> {
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str()).filter(|word| *word != "help");
    words.next().filter(|word| is_group(word, commands))
}

/// `help integrations:dialpad` as `integrations:dialpad --help`: its name does for a command, and only it knows which.
pub(super) fn helped(mut arguments: Vec<OsString>, commands: &Command) -> Vec<OsString> {
    let [_, help, name] = arguments.as_slice() else { return arguments };
    let called = |name: &str| ["integrations:", "mcp:"].iter().any(|group| name.starts_with(group));
    let stands_for_one = name.to_str().is_some_and(|name| called(name) && commands.find_subcommand(name).is_none());
    if help == "help" && stands_for_one {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}

/// Each of kosmo's own switches as clap knows it: `--json=true` as `--json`, and `--json=false` left out. What follows
/// `--` and what is the value of another flag stays.
pub(super) fn switched(arguments: Vec<OsString>, commands: &Command) -> Vec<OsString> {
    let name = arguments.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    let Some(command) = commands.find_subcommand(name) else { return arguments };
    let mut switched = Vec::new();
    let mut words = arguments.into_iter();
    while let Some(word) = words.next() {
        match Word::of(&word, command) {
            Word::Switch(true, flag) => switched.push(flag.into()),
            Word::Switch(false, _) => {}
            Word::Flag => switched.extend([Some(word), words.next()].into_iter().flatten()),
            Word::End => switched.extend([word].into_iter().chain(words.by_ref())),
            Word::Other => switched.push(word),
        }
    }
    switched
}

enum Word {
    /// `--json=true`, and `--json`.
    Switch(bool, String),
    /// The next word is its value.
    Flag,
    /// `--`
    End,
    Other,
}

impl Word {
    fn of(word: &OsStr, command: &Command) -> Self {
        let Some(word) = word.to_str() else { return Self::Other };
        if word == "--" {
            return Self::End;
        }
        let (flag, value) = word.split_once('=').map_or((word, None), |(flag, value)| (flag, Some(value)));
        let Some(known) = command.get_arguments().find(|known| is_called(known, flag)) else { return Self::Other };
        match (known.get_action(), value) {
            (ArgAction::SetTrue, Some("true")) => Self::Switch(true, flag.into()),
            (ArgAction::SetTrue, Some("false")) => Self::Switch(false, flag.into()),
            (action, None) if action.takes_values() => Self::Flag,
            _ => Self::Other,
        }
    }
}

fn is_called(known: &Arg, flag: &str) -> bool {
    let long = known.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long));
    long || known.get_short().is_some_and(|short| flag.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help::commands;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[track_caller]
    fn check_joined(given: &str, expected: &str) {
        assert_eq!(joined(words(given), &commands()), words(expected));
    }

    #[test]
    fn a_space_does_for_the_colon() {
        check_joined("kosmo integrations lua w.lua --json", "kosmo integrations:lua w.lua --json");
        check_joined("kosmo integrations dialpad list_calls", "kosmo integrations:dialpad list_calls");
        check_joined("kosmo accounts list", "kosmo accounts:list");
        check_joined("kosmo mcp lua", "kosmo mcp:lua");
        check_joined("kosmo mcp secret:set a K", "kosmo mcp:secret:set a K");
        check_joined("kosmo mcp secret set a K", "kosmo mcp:secret:set a K");
        check_joined("kosmo grants show dialpad", "kosmo grants:show dialpad");
        check_joined("kosmo plugins install a.wasm", "kosmo plugins:install a.wasm");
        check_joined("kosmo help grants show", "kosmo help grants:show");
        check_joined("kosmo integrations:lua integrations lua", "kosmo integrations:lua integrations lua");
        check_joined("kosmo audit integrations", "kosmo audit integrations");
        check_joined("kosmo integrations --help", "kosmo integrations --help");
        check_joined("kosmo integrations", "kosmo integrations");
        check_joined("kosmo help", "kosmo help");
        check_joined("kosmo", "kosmo");
    }

    #[test]
    fn a_group_alone_is_asked_about() {
        let check = |line, expected| assert_eq!(bare_group(&words(line), &commands()), expected, "{line}");
        check("kosmo grants", Some("grants"));
        check("kosmo grants --help", Some("grants"));
        check("kosmo help integrations", Some("integrations"));
        check("kosmo help", None);
        check("kosmo audit", None);
        check("kosmo grants:show", None);
    }

    #[track_caller]
    fn check_switched(given: &str, expected: &str) {
        assert_eq!(switched(words(given), &commands()), words(expected));
    }

    #[test]
    fn a_switch_may_say_true_or_false() {
        check_switched("kosmo audit --json=true", "kosmo audit --json");
        check_switched("kosmo audit --json=false --denied", "kosmo audit --denied");
        check_switched("kosmo audit --json=maybe", "kosmo audit --json=maybe");
        check_switched("kosmo audit --run --json=true", "kosmo audit --run --json=true");
        check_switched("kosmo integrations:lua -e --force=true", "kosmo integrations:lua -e --force=true");
        check_switched(
            "kosmo integrations:call --json=true -- f --json=true",
            "kosmo integrations:call --json -- f --json=true",
        );
        check_switched("kosmo frob --json=true", "kosmo frob --json=true");
    }
}
