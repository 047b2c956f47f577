//! Telling kosmo's own flags from a function's before the line is understood. Pure.
//!
//! Behind a function's name any flag may stand, and which exist is not known before its provider was found. kosmo's own
//! are moved to the front, the rest behind a `--`, and both then mean one thing only. A parameter called like one of
//! kosmo's flags is reached by `--arg name=value` or the JSON payload.

use clap::Command;
use std::ffi::{OsStr, OsString};

/// The command behind every `integrations:<provider>`. No provider can be called so.
pub(in crate::cli) const PROVIDER: &str = "integrations:PROVIDER";

/// The command behind every `mcp:<server>`. A server that is called so is reached by `mcp:call`.
pub(in crate::cli) const SERVER: &str = "mcp:SERVER";

/// `integrations:call f --limit 5 --json` as `integrations:call --json -- f --limit 5`, and `integrations:dialpad f` as
/// [`PROVIDER`] with `dialpad` and `f`; every other line as it is.
pub(in crate::cli) fn sorted(arguments: Vec<OsString>, commands: &Command) -> Vec<OsString> {
    let Some((command, provider)) = arguments.get(1).and_then(|word| command(word, commands)) else { return arguments };
    let mut arguments = arguments.into_iter();
    let program = arguments.next();
    let typed = provider.into_iter().chain(arguments.skip(1));
    let (own, words) = split(typed, commands.find_subcommand(&command));
    let end = (!words.is_empty()).then(|| "--".into());
    program.into_iter().chain([command.into()]).chain(own).chain(end).chain(words).collect()
}

/// The command whose words must be sorted, and the provider's name if that was in it.
fn command(word: &OsStr, commands: &Command) -> Option<(String, Option<OsString>)> {
    let word = word.to_str()?;
    if let Some(server) = word.strip_prefix("mcp:") {
        return match commands.find_subcommand(word) {
            Some(_) if server == "call" => Some((word.into(), None)),
            Some(_) => None,
            None => (!server.is_empty()).then(|| (SERVER.into(), Some(server.into()))),
        };
    }
    let name = word.strip_prefix("integrations:")?;
    match commands.find_subcommand(word) {
        Some(_) if name == "call" => Some((word.into(), None)),
        Some(_) => None,
        None => is_like_a_provider(name).then(|| (PROVIDER.into(), Some(name.into()))),
    }
}

fn is_like_a_provider(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// kosmo's own flags with their values, and everything else.
fn split(mut typed: impl Iterator<Item = OsString>, command: Option<&Command>) -> (Vec<OsString>, Vec<OsString>) {
    let (mut own, mut words) = (Vec::new(), Vec::new());
    while let Some(word) = typed.next() {
        let flag = Flag::of(&word, command, words.len());
        match flag {
            Flag::Own { takes_next } => {
                own.push(word);
                own.extend(typed.by_ref().take(usize::from(takes_next)));
            }
            Flag::End => {
                words.push(word);
                words.extend(typed.by_ref());
            }
            Flag::Other => words.push(word),
        }
    }
    (own, words)
}

/// What a word is.
enum Flag {
    Own {
        takes_next: bool,
    },
    /// `--`: no flag follows.
    End,
    Other,
}

impl Flag {
    fn of(word: &OsStr, command: Option<&Command>, words_before: usize) -> Self {
        let Some(name) = word.to_str().and_then(|word| word.strip_prefix("--")) else {
            return if words_before == 0 && word == "-h" { Self::Own { takes_next: false } } else { Self::Other };
        };
        let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
        let own = command.into_iter().flat_map(Command::get_arguments).find(|known| known.get_long() == Some(name));
        match own {
            Some(own) => Self::Own { takes_next: value.is_none() && own.get_action().takes_values() },
            None if name == "help" && words_before == 0 => Self::Own { takes_next: false },
            None if name.is_empty() => Self::End,
            None => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Cli;
    use clap::CommandFactory;

    #[track_caller]
    fn check(given: &str, expected: &str) {
        let given = given.split(' ').map(OsString::from).collect();
        let sorted = sorted(given, &Cli::command());
        let sorted: Vec<_> = sorted.iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(sorted.join(" "), expected);
    }

    #[test]
    fn kosmos_own_flags_come_first_wherever_they_stood() {
        check("kosmo integrations:call d.f --limit 5 --json", "kosmo integrations:call --json -- d.f --limit 5");
        check(
            "kosmo integrations:call d.f --account work {} --account=home --arg a=1",
            "kosmo integrations:call --account work --account=home --arg a=1 -- d.f {}",
        );
        check("kosmo integrations:call --force d.f", "kosmo integrations:call --force -- d.f");
        check("kosmo integrations:call d.f --to --account", "kosmo integrations:call --account -- d.f --to");
        check("kosmo integrations:call d.f -- --json", "kosmo integrations:call -- d.f -- --json");
        check("kosmo integrations:call --help", "kosmo integrations:call --help");
        check("kosmo integrations:call d.f --help", "kosmo integrations:call -- d.f --help");
        check("kosmo integrations:call", "kosmo integrations:call");
    }

    #[test]
    fn a_providers_name_does_for_a_command() {
        check("kosmo integrations:dialpad", "kosmo integrations:PROVIDER -- dialpad");
        check("kosmo integrations:dialpad f --a=1 --json", "kosmo integrations:PROVIDER --json -- dialpad f --a=1");
        check("kosmo integrations:list --json", "kosmo integrations:list --json");
        check("kosmo integrations:lua -e x", "kosmo integrations:lua -e x");
        check("kosmo integrations:Dial", "kosmo integrations:Dial");
        check("kosmo mcp:git.hub f --a=1 --json", "kosmo mcp:SERVER --json -- git.hub f --a=1");
        check("kosmo mcp:call s.t {} --force", "kosmo mcp:call --force -- s.t {}");
        check("kosmo mcp:lua -e x", "kosmo mcp:lua -e x");
        check("kosmo integrations:", "kosmo integrations:");
        check("kosmo", "kosmo");
    }
}
