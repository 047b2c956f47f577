//! The command line. A client of the library like any other: it parses, asks, prints, and ends with 0 (done), 1 (it
//! failed), 2 (it was asked wrongly) or 3 (a permission or grant refuses it).

mod accounts;
mod again;
mod arguments;
mod audit;
mod call;
mod configure;
mod docs;
mod examples;
mod failure;
mod grants;
mod integrations;
mod lua;
mod manual;
mod mcp;
mod output;
mod plugins;
mod progress;
mod rehearse;
mod runs;
mod schema;
mod search;
mod serve;
mod signals;
mod source;
mod status;
mod table;

use arguments::{Cli, Command};
use clap::{CommandFactory, Parser};
use failure::{Form, Outcome};
use kosmo::{Host, HostBuilder};
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs one command line, the program's name included, and gives the exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> i32 {
    let arguments = call::sorted(joined(arguments), &Cli::command());
    let form = Form::of(&arguments);
    match Cli::try_parse_from(arguments) {
        Ok(cli) => dispatch(cli.command).unwrap_or_else(|error| failure::report(&error, form)),
        Err(error) => failure::report_usage(&error, form),
    }
}

fn dispatch(command: Command) -> Outcome {
    match command {
        Command::IntegrationsLua(arguments) => lua::integrations(&arguments),
        Command::IntegrationsList(arguments) => integrations::list(&arguments),
        Command::IntegrationsCall(arguments) => call::any(&arguments),
        Command::IntegrationsProvider(arguments) => call::of_provider(&arguments),
        Command::IntegrationsDocs(arguments) => docs::run(&arguments),
        Command::IntegrationsSearch(arguments) => search::run(&arguments),
        Command::IntegrationsSchema(arguments) => schema::run(&arguments),
        Command::IntegrationsExamples(arguments) => examples::run(&arguments),
        Command::IntegrationsStatus(arguments) => status::status(&arguments),
        Command::IntegrationsDoctor(arguments) => status::doctor(&arguments),
        Command::IntegrationsFields(arguments) => status::fields(&arguments),
        Command::IntegrationsConfigure(arguments) => configure::run(&arguments),
        Command::AccountsList(arguments) => accounts::list(&arguments),
        Command::AccountsRemove(arguments) => accounts::remove(&arguments),
        Command::AccountsTest(arguments) => accounts::test(&arguments),
        Command::McpLua(arguments) => lua::mcp(&arguments),
        Command::McpServe(arguments) => serve::run(&arguments),
        Command::McpTokenAdd(arguments) => serve::tokens::add(&arguments),
        Command::McpTokenList(arguments) => serve::tokens::list(&arguments),
        Command::McpTokenRemove(arguments) => serve::tokens::remove(&arguments),
        Command::Mcp(command) => mcp::run(&command),
        Command::GrantsShow(arguments) => grants::show(&arguments),
        Command::GrantsCheck(arguments) => grants::check(&arguments),
        Command::GrantsAdd(arguments) => grants::add(&arguments),
        Command::GrantsRemove(arguments) => grants::remove(&arguments),
        Command::PluginsInstall(arguments) => plugins::install(&arguments),
        Command::PluginsList(arguments) => plugins::list(&arguments),
        Command::RunsList(arguments) => runs::list(&arguments),
        Command::Audit(arguments) => audit::show(&arguments),
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::man(&arguments),
    }
}

/// The host as the environment and its home describe it, with these plugin folders besides.
fn open(folders: &[PathBuf]) -> anyhow::Result<Host> {
    open_only(folders, None)
}

/// As [`open`], narrowed to what a file grants.
fn open_only(folders: &[PathBuf], grants: Option<&PathBuf>) -> anyhow::Result<Host> {
    Ok(prepared(folders, grants)?.build()?)
}

/// What [`open_only`] builds.
fn prepared(folders: &[PathBuf], grants: Option<&PathBuf>) -> anyhow::Result<HostBuilder> {
    if let Some(folder) = folders.iter().find(|folder| !folder.is_dir()) {
        anyhow::bail!("Plugin folder not found: {}", folder.display());
    }
    let builder = folders.iter().fold(Host::builder(), HostBuilder::plugins);
    let builder = grants.into_iter().fold(builder, HostBuilder::grants);
    Ok(builder.from_env()?)
}

/// The commands of a group, without the group's name.
fn command_names(group: &str) -> Vec<String> {
    let commands = Cli::command();
    let names = commands.get_subcommands().map(clap::Command::get_name);
    names.filter_map(|name| name.strip_prefix(group)).map(Into::into).collect()
}

/// `kosmo integrations lua …` is `kosmo integrations:lua …`.
fn joined(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let word = |index: usize| arguments.get(index).and_then(|argument| argument.to_str());
    if let (Some(group @ ("integrations" | "accounts" | "grants" | "mcp" | "plugins" | "runs")), Some(name)) =
        (word(1), word(2))
        && !name.starts_with('-')
    {
        let command = format!("{group}:{name}").into();
        arguments.splice(1..3, [command]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expected: &str) {
        let given = given.split(' ').map(OsString::from).collect();
        let expected: Vec<_> = expected.split(' ').map(OsString::from).collect();
        assert_eq!(joined(given), expected);
    }

    #[test]
    fn a_space_does_for_the_colon() {
        check("kosmo integrations lua w.lua --json", "kosmo integrations:lua w.lua --json");
        check("kosmo mcp lua", "kosmo mcp:lua");
        check("kosmo mcp secret:set a K", "kosmo mcp:secret:set a K");
        check("kosmo grants show dialpad", "kosmo grants:show dialpad");
        check("kosmo plugins install a.wasm", "kosmo plugins:install a.wasm");
        check("kosmo integrations:lua integrations lua", "kosmo integrations:lua integrations lua");
        check("kosmo integrations --help", "kosmo integrations --help");
        check("kosmo integrations", "kosmo integrations");
        check("kosmo", "kosmo");
    }
}
