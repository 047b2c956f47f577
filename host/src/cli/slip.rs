//! A command that is none, and which ones may have been meant. Pure.

use super::failure::Usage;
use super::help::command_names;
use super::line::is_group;
use clap::Command;
use std::collections::BTreeSet;
use std::ffi::OsString;

/// Most commands that are named.
const NAMED: usize = 3;
/// What is typed for something that has another name here.
const ELSEWHERE: [(&str, &str); 3] =
    [("version", "--version"), ("repl", "integrations:lua --repl"), ("run", "integrations:lua")];

/// The words that stand for a command and are none, with what follows them.
pub(super) fn of<'a>(arguments: &'a [OsString], commands: &Command) -> Option<(&'a str, Option<&'a str>)> {
    let at = 1 + usize::from(arguments.len() > 2 && arguments[1] == "help");
    let word = |at: usize| arguments.get(at).and_then(|word| word.to_str()).filter(|word| !word.starts_with('-'));
    let name = word(at).filter(|name| *name != "help" && commands.find_subcommand(name).is_none())?;
    Some((name, word(at + 1)))
}

/// What is wrong with such a line. `called` are names that commands can be called by besides: `integrations:dialpad`.
pub(super) fn told((name, next): (&str, Option<&str>), commands: &Command, called: &[String]) -> Usage {
    let known = Known::new(commands, called);
    let suggestion = listed(&known.meant(name, next));
    let hint = if suggestion.is_empty() { " kosmo --help lists all." } else { "" };
    Usage(format!("There is no command `{name}`.{suggestion}{hint}"))
}

/// ` Did you mean: integrations:dialpad`, or nothing, where neither a command of the group is called so nor one of these.
pub(super) fn suggestion(group: &str, name: &str, called: &[String]) -> String {
    let commands = command_names(group);
    let known = commands.iter().map(String::as_str).filter(|name| is_typed(name));
    let known = known.chain(called.iter().map(String::as_str));
    let meant: Vec<_> = kosmo::nearest(name, known).iter().map(|name| format!("{group}{name}")).collect();
    listed(&meant)
}

fn listed(meant: &[String]) -> String {
    if meant.is_empty() { String::new() } else { format!(" Did you mean: {}", meant.join(", ")) }
}

/// PROVIDER and SERVER stand for names.
fn is_typed(name: &str) -> bool {
    !name.contains(char::is_uppercase)
}

/// Everything that can be typed behind `kosmo`.
struct Known {
    names: Vec<String>,
    groups: Vec<String>,
}

impl Known {
    fn new(commands: &Command, called: &[String]) -> Self {
        let names: Vec<_> = commands.get_subcommands().map(Command::get_name).filter(|name| is_typed(name)).collect();
        let mut groups: Vec<_> = names.iter().filter_map(|name| Some(name.split_once(':')?.0.to_owned())).collect();
        groups.retain(|group| is_group(group, commands));
        groups.dedup();
        Self { names: names.into_iter().map(Into::into).chain(called.iter().cloned()).collect(), groups }
    }

    /// The likeliest first: the group mistyped, the same behind its group, the whole mistyped, the end mistyped.
    fn meant(&self, name: &str, next: Option<&str>) -> Vec<String> {
        let parts = name.split_once(':').or_else(|| Some((name, next?)));
        if let Some(in_group) = parts.and_then(|(group, rest)| self.in_group(group, rest)) {
            return vec![in_group];
        }
        let elsewhere = ELSEWHERE.iter().filter(|(typed, _)| *typed == name).map(|(_, meant)| (*meant).to_owned());
        let mut meant: Vec<_> = elsewhere.collect();
        meant.extend(self.ending_with(name));
        meant.extend(self.near(name));
        let ends = self.names.iter().map(|known| end(known));
        meant.extend(kosmo::nearest(name, ends).into_iter().flat_map(|end| self.ending_with(end)));
        let mut seen = BTreeSet::new();
        meant.retain(|name| seen.insert(name.clone()));
        meant.truncate(NAMED);
        meant
    }

    /// Those of the fewest words first.
    fn ending_with(&self, word: &str) -> Vec<String> {
        let mut found: Vec<_> = self.names.iter().filter(|name| end(name) == word).cloned().collect();
        found.sort_by_key(|name| name.matches(':').count());
        found
    }

    /// `integration list`, `acounts:list`
    fn in_group(&self, group: &str, next: &str) -> Option<String> {
        let group = *kosmo::nearest(group, self.groups.iter().map(String::as_str)).first()?;
        let name = format!("{group}:{next}");
        self.names.contains(&name).then_some(name)
    }

    fn near(&self, name: &str) -> Vec<String> {
        let name = name.trim_end_matches(':');
        let known = self.groups.iter().chain(&self.names).map(String::as_str);
        kosmo::nearest(name, known).into_iter().map(Into::into).collect()
    }
}

fn end(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::super::help::commands;
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        let (commands, called) = (commands(), ["integrations:dialpad".to_owned()]);
        let told = of(&words, &commands).map(|slip| told(slip, &commands, &called).to_string());
        assert_eq!(told.unwrap_or_default(), expected, "{line}");
    }

    #[test]
    fn a_command_that_is_none_names_those_that_may_be_meant() {
        check("kosmo call f", "There is no command `call`. Did you mean: integrations:call, mcp:call");
        check("kosmo lua x.lua", "There is no command `lua`. Did you mean: integrations:lua, mcp:lua");
        check("kosmo help call", "There is no command `call`. Did you mean: integrations:call, mcp:call");
        check("kosmo help frob", "There is no command `frob`. kosmo --help lists all.");
        check("kosmo dialpad list_calls", "There is no command `dialpad`. Did you mean: integrations:dialpad");
        check("kosmo integration list", "There is no command `integration`. Did you mean: integrations:list");
        check("kosmo acounts:list", "There is no command `acounts:list`. Did you mean: accounts:list");
        check("kosmo version", "There is no command `version`. Did you mean: --version");
        check("kosmo audit", "");
        check("kosmo help audit", "");
        check("kosmo --frob", "");
        check("kosmo help", "");
        check("kosmo", "");
    }
}
