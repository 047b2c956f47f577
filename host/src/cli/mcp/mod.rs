//! The `mcp:*` commands that say and change which MCP servers there are, and who may start what.

mod add;
mod change;
mod doctor;
mod examples;
mod install;
mod list;
mod login;
mod preset;
mod row;
mod secret;
mod transfer;
mod trust;

use super::failure::Outcome;
use super::open;
use clap::{Args, Subcommand};
use kosmo::mcp::config::{McpConfig, Server};
use kosmo::mcp::{Holder, Scope, configured, of_home};
use kosmo::{Code, Fault, Host, did_you_mean};

/// What can be typed of it.
#[derive(Debug, Subcommand)]
pub(super) enum Mcp {
    /// List the configured MCP servers
    #[command(name = "mcp:list", args_override_self = true)]
    List(list::McpList),
    /// Show how MCP servers stand, and what is in the way
    #[command(name = "mcp:status", args_override_self = true)]
    Status(list::McpStatus),
    /// Look through all MCP configuration, and say what to do next
    #[command(name = "mcp:doctor", args_override_self = true)]
    Doctor(doctor::McpDoctor),
    /// Show how MCP servers are set up and used, ready to be run
    #[command(name = "mcp:examples", args_override_self = true)]
    Examples(examples::McpExamples),
    /// Add an MCP server
    #[command(name = "mcp:add", after_help = add::HELP)]
    Add(add::McpAdd),
    /// Take an MCP server away
    #[command(name = "mcp:remove", args_override_self = true)]
    Remove(change::McpNamed),
    /// Switch an MCP server on
    #[command(name = "mcp:enable", args_override_self = true)]
    Enable(change::McpNamed),
    /// Switch an MCP server off
    #[command(name = "mcp:disable", args_override_self = true)]
    Disable(change::McpNamed),
    /// Decide what scripts may do with an MCP server
    #[command(name = "mcp:configure", after_help = change::CONFIGURE_HELP)]
    Configure(change::McpConfigure),
    /// Let a project's MCP server be started, as it is now
    #[command(name = "mcp:trust", after_help = trust::HELP, args_override_self = true)]
    Trust(trust::McpTrust),
    /// Take that back
    #[command(name = "mcp:untrust", args_override_self = true)]
    Untrust(trust::McpUntrust),
    /// Sign in at an MCP server, in the browser
    #[command(name = "mcp:login", after_help = login::HELP, args_override_self = true)]
    Login(login::McpLogin),
    /// Sign out at an MCP server
    #[command(name = "mcp:logout", args_override_self = true)]
    Logout(change::McpNamed),
    /// Keep a secret of an MCP server, sealed
    #[command(name = "mcp:secret:set", after_help = secret::HELP, args_override_self = true)]
    SecretSet(secret::McpSecretSet),
    /// List the secrets of MCP servers, without their values
    #[command(name = "mcp:secret:list", args_override_self = true)]
    SecretList(secret::McpSecretList),
    /// Forget a secret of an MCP server
    #[command(name = "mcp:secret:unset", args_override_self = true)]
    SecretUnset(secret::McpSecretUnset),
    /// Add the MCP servers of another program's file
    #[command(name = "mcp:import", after_help = transfer::IMPORT_HELP, args_override_self = true)]
    Import(transfer::McpImport),
    /// Print the MCP servers as another program reads them, without secrets
    #[command(name = "mcp:export", args_override_self = true)]
    Export(transfer::McpExport),
    /// List well-known MCP servers, or add one
    #[command(name = "mcp:preset", args_override_self = true)]
    Preset(preset::McpPreset),
    /// Let another program start kosmo as its MCP server
    #[command(name = "mcp:install", alias = "mcp:gateway:install", after_help = install::help())]
    Install(install::McpInstall),
    /// Print what `mcp:install` would write
    #[command(name = "mcp:gateway:export", after_help = install::help())]
    GatewayExport(install::McpInstall),
}

pub(super) fn run(command: &Mcp) -> Outcome {
    match command {
        Mcp::List(arguments) => list::list(arguments),
        Mcp::Status(arguments) => list::status(arguments),
        Mcp::Doctor(arguments) => doctor::run(arguments),
        Mcp::Examples(arguments) => examples::run(arguments),
        Mcp::Add(arguments) => add::run(arguments),
        Mcp::Remove(arguments) => change::remove(arguments),
        Mcp::Enable(arguments) => change::enable(arguments, true),
        Mcp::Disable(arguments) => change::enable(arguments, false),
        Mcp::Configure(arguments) => change::configure(arguments),
        Mcp::Trust(arguments) => trust::trust(arguments),
        Mcp::Untrust(arguments) => trust::untrust(arguments),
        Mcp::Login(arguments) => login::login(arguments),
        Mcp::Logout(arguments) => login::logout(arguments),
        Mcp::SecretSet(arguments) => secret::set(arguments),
        Mcp::SecretList(arguments) => secret::list(arguments),
        Mcp::SecretUnset(arguments) => secret::unset(arguments),
        Mcp::Import(arguments) => transfer::import(arguments),
        Mcp::Export(arguments) => transfer::export(arguments),
        Mcp::Preset(arguments) => preset::run(arguments),
        Mcp::Install(arguments) => install::run(arguments),
        Mcp::GatewayExport(arguments) => install::print(arguments),
    }
}

/// Which file is meant.
#[derive(Clone, Copy, Debug, Args)]
struct Place {
    /// The one of the kosmo home, for every project
    #[arg(long, conflicts_with = "project")]
    global: bool,
    /// The project's, .mcp.json
    #[arg(long)]
    project: bool,
}

impl Place {
    fn scope(self) -> Option<Scope> {
        let project = self.project.then_some(Scope::Project);
        project.or_else(|| self.global.then_some(Scope::Global))
    }
}

/// The host, and the servers that are configured where this runs.
fn here() -> anyhow::Result<(Host, McpConfig)> {
    let host = open(&[])?;
    let folder = std::env::current_dir().unwrap_or_default();
    let config = configured(&host, &folder);
    Ok((host, config))
}

/// The server that is meant: the one that answers to the name here, unless a place is named.
fn meant(host: &Host, config: &McpConfig, name: &str, place: Place) -> Result<Server, Fault> {
    let found = match place.scope() {
        Some(Scope::Global) => server(&of_home(host), name)?.clone(),
        _ => server(config, name)?.clone(),
    };
    if place.project && !found.is_of_project() {
        let message =
            format!("The MCP server `{name}` stands in your own file, and the project has none of that name.");
        return Err(Fault::new(Code::Unknown, message));
    }
    Ok(found)
}

/// Who a secret is for, of a server that need not be there yet.
fn holder<'a>(config: &'a McpConfig, name: &'a str, place: Place) -> Holder<'a> {
    let here = || config.servers.get(name).map_or(Holder::of_home(name), Server::holder);
    place.scope().map_or_else(here, |scope| scope.holder(name, &config.root))
}

fn server<'a>(config: &'a McpConfig, name: &str) -> Result<&'a Server, Fault> {
    config.servers.get(name).ok_or_else(|| {
        let known = config.servers.keys().map(String::as_str);
        let suggestion = did_you_mean(name, known);
        let message = format!("There is no MCP server `{name}`; `kosmo mcp:list --all` lists them.{suggestion}");
        Fault::new(Code::Unknown, message)
    })
}
