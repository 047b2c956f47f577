//! What scripts ask of MCP servers, behind `app.mcp` and `mcp`.

use super::bridge::{Answer, Arguments, Bridge, Raise, one};
use super::decode::{DecodeError, convert};
use super::encode::kind;
use crate::fault::{Code, Fault};
use crate::mcp::{self, McpInvocation, McpRequest, Rehearse};
use mlua::{Lua, LuaString, Value};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// What the prelude puts before what it asks of a server: `@call`, `@resources`, …
pub(super) const MARK: char = '@';

/// What a script asks of a server, in the words of the prelude: `call`, `tools`, `schema`, …
///
/// # Errors
/// `invalid_argument`, if it lacks what it is about.
pub(super) fn asked(
    bridge: &Bridge,
    server: &str,
    verb: &str,
    tool: &str,
    mut arguments: Map<String, Json>,
) -> Result<McpInvocation, Fault> {
    let mut text = |name: &str| match arguments.remove(name) {
        Some(Json::String(text)) => Ok(text),
        _ => Err(Fault::argument(name, format!("mcp.{verb} needs a text for its {name}"))),
    };
    let request = match verb {
        "tools" => McpRequest::Tools,
        "all_tools" => McpRequest::AllTools,
        "names" => McpRequest::Names,
        "schema" => McpRequest::Schema { tool: text("tool")? },
        "resources" => McpRequest::Resources,
        "resource_templates" => McpRequest::Templates,
        "read_resource" => McpRequest::ReadResource { uri: text("uri")? },
        "prompts" => McpRequest::Prompts,
        "get_prompt" => {
            let prompt = text("name")?;
            let given = arguments.remove("arguments").and_then(|value| value.as_object().cloned());
            McpRequest::GetPrompt { prompt, arguments: given.unwrap_or_default() }
        }
        _ => McpRequest::Call { tool: tool.into(), arguments, flags: Vec::new() },
    };
    let settings = &bridge.settings;
    let calls = matches!(request, McpRequest::Call { .. });
    let journal = bridge.journal.borrow();
    Ok(McpInvocation {
        force: settings.force,
        rehearse: if settings.rehearsal.is_some() { Rehearse::Writes } else { Rehearse::Nothing },
        claim: journal.as_ref().filter(|_| calls).map(|journal| journal.claim(server)),
        deadline: Some(bridge.clock.deadline()),
        run: Some(Arc::clone(&bridge.run.borrow())),
        approvals: settings.approvals.as_ref().map(|approvals| approvals.with(&bridge.clock.patience())),
        interrupt: settings.interrupt.clone(),
        ..McpInvocation::new(server, request)
    })
}

/// `()`: what is configured, by name.
pub(super) fn servers(lua: &Lua, bridge: &Bridge, _: Arguments) -> Answer {
    let rows = bridge.invoker.mcp_servers();
    one(convert(lua, &bridge.shapes, &rows).map_err(|error| match error {
        DecodeError::Lua(error) => Raise::Lua(error),
        DecodeError::Json(error) => Raise::Text(format!("mcp.servers: {error}")),
    })?)
}

/// `()`: the names of what is configured.
pub(super) fn names(lua: &Lua, bridge: &Bridge, _: Arguments) -> Answer {
    let names = bridge
        .invoker
        .mcp_servers()
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect::<Vec<_>>();
    one(Value::Table(lua.create_sequence_from(names)?))
}

/// `(function, path)`: the server and the tool of `server.tool`. A server's name may have dots.
pub(super) fn split(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    let function = arguments.word()?;
    let path = match arguments.next() {
        Value::String(path) => path.to_string_lossy(),
        other => return Err(unsplit(&function, &format!("got a {}", kind(&other))).into()),
    };
    let path = path.strip_prefix("app.").unwrap_or(&path);
    let path = path.strip_prefix("mcp.").unwrap_or(path);
    let rows = bridge.invoker.mcp_servers();
    let servers = rows.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let (server, tool) = mcp::split(path, servers).ok_or_else(|| unsplit(&function, "got none"))?;
    let text = |text: &str| -> mlua::Result<LuaString> { lua.create_string(text) };
    Ok([text(server)?, text(tool)?].into_iter().map(Value::String).collect())
}

fn unsplit(function: &str, got: &str) -> Fault {
    let message = format!("{function}: expected \"server.tool\", {got}. mcp.servers() lists the servers");
    Fault::new(Code::InvalidArgument, message)
}
