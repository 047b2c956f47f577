//! The commands that talk to MCP servers: what they offer, and running it once, without a script.

mod call;
mod offers;

use super::failure::Outcome;
use super::{output, progress};
use clap::Subcommand;
use kosmo::mcp::{McpInvocation, McpRequest, Servers};
use kosmo::{Fault, Host};
use serde_json::Value;
use std::io::{IsTerminal, stderr};

/// What can be typed of it.
#[derive(Debug, Subcommand)]
pub(super) enum McpServers {
    /// List the tools of the MCP servers
    #[command(name = "mcp:tools", args_override_self = true)]
    Tools(offers::McpTools),
    /// Print the JSON Schema of a tool's arguments
    #[command(name = "mcp:schema", args_override_self = true)]
    Schema(offers::McpSchema),
    /// Run one tool of an MCP server, without a script
    #[command(name = "mcp:call", after_help = call::HELP)]
    Call(call::McpCall),
    /// The same for the server of that name; without a tool, list what it has
    #[command(name = "mcp:SERVER", after_help = call::HELP)]
    Server(call::McpServer),
    /// List what an MCP server lets be read
    #[command(name = "mcp:resources", args_override_self = true)]
    Resources(offers::McpResources),
    /// Read one of it
    #[command(name = "mcp:resource", args_override_self = true)]
    Resource(offers::McpResource),
    /// List the prompts of an MCP server
    #[command(name = "mcp:prompts", args_override_self = true)]
    Prompts(offers::McpPrompts),
    /// Fill in one of them
    #[command(name = "mcp:prompt", args_override_self = true)]
    Prompt(offers::McpPrompt),
}

pub(super) fn run(command: &McpServers) -> Outcome {
    match command {
        McpServers::Tools(arguments) => offers::tools(arguments),
        McpServers::Schema(arguments) => offers::schema(arguments),
        McpServers::Call(arguments) => call::any(arguments),
        McpServers::Server(arguments) => call::of_server(arguments),
        McpServers::Resources(arguments) => offers::resources(arguments),
        McpServers::Resource(arguments) => offers::resource(arguments),
        McpServers::Prompts(arguments) => offers::prompts(arguments),
        McpServers::Prompt(arguments) => offers::prompt(arguments),
    }
}

/// Asks a server for something, and has every server ended afterwards.
fn ask(host: &Host, invocation: McpInvocation) -> Result<Value, Fault> {
    show_progress(host);
    let answer = host.block_on(host.mcp().invoke(invocation));
    clear(host);
    let read = |text: String| {
        let unreadable = |error| Fault::new(kosmo::Code::Internal, format!("An answer cannot be read: {error}"));
        serde_json::from_str(&text).map_err(unreadable)
    };
    answer.and_then(read)
}

/// Ends what was started, and tells what was wrong with the files. A mistake in a file another program owns is worth a
/// word, not a failure.
pub(super) fn finish(host: &Host) {
    host.block_on(host.mcp().close());
    let warnings = host.mcp().seen().map(|config| config.warnings.as_slice()).unwrap_or_default();
    warnings.iter().for_each(|warning| output::error(&format!("warning: {warning}")));
}

/// What servers tell of their progress, on one line of a terminal.
pub(super) fn show_progress(host: &Host) {
    if !stderr().is_terminal() {
        return;
    }
    host.mcp().on_progress(|server, done, total, message| {
        let of = total.map(|total| format!("/{total}")).unwrap_or_default();
        let message = message.map(|message| format!(" {message}")).unwrap_or_default();
        let line = output::in_one_line(&format!("{server}: {done}{of}{message}")).into_owned();
        progress::draw(&line.chars().take(100).collect::<String>());
    });
}

fn clear(_: &Host) {
    if stderr().is_terminal() {
        progress::draw("");
    }
}

/// The server and the tool of `server.tool`.
///
/// # Errors
/// `unknown`, with the nearest server.
fn split(servers: &Servers, path: &str) -> Result<(String, String), Fault> {
    let path = path.strip_prefix("app.").unwrap_or(path);
    let path = path.strip_prefix("mcp.").unwrap_or(path);
    match kosmo::mcp::split(path, servers.config().servers.keys().map(String::as_str)) {
        Some((server, tool)) => Ok((server.into(), tool.into())),
        None => {
            servers.find(path)?;
            let message = format!("Unknown MCP function: {path}. Name a tool behind the server: {path}.TOOL");
            Err(Fault::new(kosmo::Code::Unknown, message))
        }
    }
}

fn invocation(server: &str, request: McpRequest, force: bool) -> McpInvocation {
    McpInvocation { force, ..McpInvocation::new(server, request) }
}
