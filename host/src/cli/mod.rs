//! The command line. A client of the library like any other: it parses, asks, prints, and ends with 0 (done), 1 (it
//! failed), 2 (it was asked wrongly) or 3 (a permission or grant refuses it).

mod accounts;
mod again;
mod approve;
mod arguments;
mod audit;
mod browser;
mod call;
mod configure;
mod docs;
mod examples;
mod failure;
mod grants;
mod help;
mod integrations;
mod line;
mod lua;
mod manual;
mod mcp;
mod output;
mod permissions;
mod plugins;
mod progress;
mod prompt;
mod question;
mod rehearse;
mod repl;
mod runs;
mod schema;
mod search;
mod serve;
mod servers;
mod signals;
mod slip;
mod source;
mod status;
mod table;
mod terminal;

use arguments::{Cli, Command};
use clap::FromArgMatches;
use failure::{Form, Outcome};
use kosmo::{Host, HostBuilder};
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs one command line, the program's name included, and gives the exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> i32 {
    if let Some(code) = guard(&arguments) {
        return code;
    }
    let commands = help::commands();
    let arguments = line::joined(arguments, &commands);
    if let Some(group) = line::bare_group(&arguments, &commands) {
        return help::of_group(group, &commands, is_asked(&arguments), Form::of(&arguments));
    }
    let arguments = line::switched(call::sorted(line::helped(arguments, &commands), &commands), &commands);
    let form = Form::of(&arguments);
    if let Some(slip) = slip::of(&arguments, &commands) {
        return failure::report(&slip::told(slip, &commands, &called()).into(), form);
    }
    let parsed = commands.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => dispatch(cli.command).unwrap_or_else(|error| failure::report(&error, form)),
        Err(error) => failure::report_usage(&error, form),
    }
}

/// The names of providers and MCP servers, which do for commands. None where there is a mistake in what names them.
fn called() -> Vec<String> {
    let Ok(host) = open(&[]) else { return Vec::new() };
    let providers = host.registry().names().into_iter().map(|name| format!("integrations:{name}"));
    let servers = host.mcp().config().servers.keys().map(|name| format!("mcp:{name}"));
    providers.chain(servers).collect()
}

/// Whether a line asks for help rather than for something to be done.
fn is_asked(arguments: &[OsString]) -> bool {
    arguments.iter().any(|word| word == "help" || word == "--help" || word == "-h")
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
        Command::McpServers(command) => servers::run(&command),
        Command::GrantsShow(arguments) => grants::show(&arguments),
        Command::GrantsCheck(arguments) => grants::check(&arguments),
        Command::GrantsAdd(arguments) => grants::add(&arguments),
        Command::GrantsRemove(arguments) => grants::remove(&arguments),
        Command::PermissionsList(arguments) => permissions::list(&arguments),
        Command::PermissionsSet(arguments) => permissions::set(&arguments),
        Command::PermissionsUnset(arguments) => permissions::unset(&arguments),
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
    if let Some(home) = std::env::var_os("KOSMO_HOME").map(PathBuf::from).filter(|home| home.exists() && !home.is_dir())
    {
        anyhow::bail!("KOSMO_HOME is {}, which is no folder. Name one that is, or one to be made.", home.display());
    }
    let builder = folders.iter().fold(Host::builder(), HostBuilder::plugins);
    let builder = grants.into_iter().fold(builder, HostBuilder::grants);
    let builder = match std::env::current_exe() {
        Ok(program) => builder.mcp_guard(program),
        // Without it, servers are ended by us alone.
        Err(_) => builder,
    };
    Ok(builder.from_env()?)
}

/// What [`open_only`] makes MCP servers be watched by: `mcp:guard PARENT PROGRAM ARGUMENT…`.
fn guard(arguments: &[OsString]) -> Option<i32> {
    let [_, command, parent, program, rest @ ..] = arguments else { return None };
    let parent = parent.to_str()?.parse().ok()?;
    (command == "mcp:guard").then(|| kosmo::mcp::watch_over(parent, program, rest))
}
