//! What `kosmo --help` shows: every command under its group. From the definitions that are parsed.

use super::arguments::Cli;
use super::failure::{Form, Usage, report};
use super::output;
use clap::{Command, CommandFactory};

/// Groups in the order they are met, with what they are about. The last one takes every command without a group.
const GROUPS: [(&str, &str); 8] = [
    ("integrations", "Integrations"),
    ("accounts", "Accounts"),
    ("grants", "Grants"),
    ("permissions", "Permissions"),
    ("plugins", "Plugins"),
    ("runs", "Runs"),
    ("mcp", "MCP, both ways"),
    ("", "And"),
];

/// Every command, and the help that shows them by group.
pub(super) fn commands() -> Command {
    let commands = Cli::command();
    let help = page(&commands);
    commands.override_help(help)
}

/// The commands of a group, without the group's name.
pub(super) fn command_names(group: &str) -> Vec<String> {
    let commands = Cli::command();
    let names = commands.get_subcommands().map(Command::get_name);
    names.filter_map(|name| name.strip_prefix(group)).map(Into::into).collect()
}

/// What there is in one group: the answer to `--help` and `help`, and an error to who gave no command.
pub(super) fn of_group(group: &str, commands: &Command, asked: bool, form: Form) -> i32 {
    let rows = section(group, commands);
    let page = format!(
        "Usage: kosmo {group}:<COMMAND>, or kosmo {group} <COMMAND>\n\nCommands:\n{rows}\n\nkosmo help {group}:<COMMAND> says more about each."
    );
    match form {
        _ if asked => output::line(&page),
        Form::Sentence => output::plain_error(&page),
        form => return report(&missing(group).into(), form),
    }
    if asked { 0 } else { 2 }
}

fn missing(group: &str) -> Usage {
    let names: Vec<_> = command_names(&format!("{group}:")).iter().map(|name| format!("{group}:{name}")).collect();
    Usage(format!("`kosmo {group}` needs a command: {}", names.join(", ")))
}

fn page(commands: &Command) -> String {
    let about = commands.get_about().map(ToString::to_string).unwrap_or_default();
    let sections = GROUPS.iter().map(|(group, title)| format!("{title}:\n{}", section(group, commands)));
    let sections: Vec<_> = sections.collect();
    let end = commands.get_after_help().map(ToString::to_string).unwrap_or_default();
    format!(
        "{about}\n\nUsage: kosmo <COMMAND>\n\n{}\n{}\n\nOptions:\n  -h, --help     Print help\n  -V, --version  Print \
         version\n\n{end}",
        sections.join("\n\n"),
        line("help", "Print this, or what a command or a group of them takes", commands)
    )
}

/// A line for each command of a group.
fn section(group: &str, commands: &Command) -> String {
    let below = |name: &str| name.strip_prefix(group).is_some_and(|rest| rest.starts_with(':'));
    let own = shown(commands).filter(|command| match GROUPS.iter().any(|(known, _)| *known == group) {
        true => group_of(command.get_name()) == group,
        false => below(command.get_name()),
    });
    let about = |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    own.map(|command| line(command.get_name(), &about(command), commands)).collect::<Vec<_>>().join("\n")
}

fn shown(commands: &Command) -> impl Iterator<Item = &Command> {
    commands.get_subcommands().filter(|command| !command.is_hide_set())
}

fn line(name: &str, about: &str, commands: &Command) -> String {
    let width = shown(commands).map(|command| command.get_name().len()).max().unwrap_or(0);
    format!("  {name:width$}  {about}")
}

fn group_of(command: &str) -> &str {
    let group = command.split_once(':').map_or("", |(group, _)| group);
    if GROUPS.iter().any(|(known, _)| *known == group) { group } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_stands_in_the_help_once() {
        let commands = commands();
        let help = commands.clone().render_help().to_string();
        for name in shown(&commands).map(Command::get_name) {
            assert_eq!(help.matches(&format!("\n  {name} ")).count(), 1, "{name} in {help}");
        }
    }

    #[test]
    fn a_line_of_help_fits_into_a_window() {
        let help = commands().render_help().to_string();
        let long: Vec<_> = help.lines().filter(|line| line.chars().count() > 120).collect();
        assert!(long.is_empty(), "{long:#?}");
    }
}
