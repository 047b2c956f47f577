//! What servers offer: tools, resources, prompts.

use super::super::failure::{self, Outcome};
use super::super::{call, open, output, table};
use super::{ask, finish, invocation, split};
use clap::Args;
use kosmo::mcp::McpRequest;
use kosmo::{Fault, Host};
use serde_json::{Map, Value, json};

/// The flags of all of them.
#[derive(Debug, Args)]
struct Options {
    /// Go past the permissions of MCP servers, where `allow_force_bypass` lets it
    #[arg(long)]
    force: bool,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// The tools of all servers, or of one.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpTools {
    /// Only those of this one
    server: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// One tool's schema.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpSchema {
    /// Such as `github.create_issue`
    #[arg(value_name = "SERVER.TOOL")]
    tool: String,
    #[command(flatten)]
    options: Options,
}

/// What a server lets be read.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpResources {
    server: String,
    #[command(flatten)]
    options: Options,
}

/// One of it.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpResource {
    server: String,
    /// As `mcp:resources` lists it
    uri: String,
    #[command(flatten)]
    options: Options,
}

/// The prompts of a server.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpPrompts {
    server: String,
    #[command(flatten)]
    options: Options,
}

/// One of them, filled in.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpPrompt {
    server: String,
    /// As `mcp:prompts` lists it
    name: String,
    /// The prompt's arguments as one JSON object; without it, what is piped in
    payload: Option<String>,
    #[command(flatten)]
    options: Options,
}

pub(super) fn tools(arguments: &McpTools) -> Outcome {
    let (server, request) = match &arguments.server {
        Some(server) => (server.as_str(), McpRequest::Tools),
        None => ("*", McpRequest::AllTools),
    };
    show(
        server,
        request,
        &arguments.options,
        |rows| json!({"success": true, "tools": rows}),
        |rows| {
            let cell = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let line = |row: &Value| {
                vec![cell(row, "function"), cell(row, "operation"), first_line(&cell(row, "description"))]
            };
            let all = rows.as_array().into_iter().flatten().cloned();
            let (silent, tools): (Vec<_>, Vec<_>) = all.partition(|row| row.get("error").is_some());
            let header = ["TOOL", "OPERATION", "DESCRIPTION"];
            let table = aligned(&header, &tools.into(), line, "No MCP server offers a tool.");
            let silent = silent.iter().map(|row| format!("{}: {}", cell(row, "server"), cell(row, "error")));
            [table].into_iter().chain(silent).collect::<Vec<_>>().join("\n")
        },
    )
}

pub(super) fn schema(arguments: &McpSchema) -> Outcome {
    let host = open(&[])?;
    let answer = split(host.mcp(), &arguments.tool).and_then(|(server, tool)| {
        ask(&host, invocation(&server, McpRequest::Schema { tool }, arguments.options.force))
    });
    finish(&host);
    match answer {
        Ok(row) => {
            output::json(&row["schema"]);
            Ok(0)
        }
        Err(fault) => failure::fault(fault, arguments.options.json),
    }
}

pub(super) fn resources(arguments: &McpResources) -> Outcome {
    let (server, options) = (&arguments.server, &arguments.options);
    let host = open(&[])?;
    let listed = ask(&host, invocation(server, McpRequest::Resources, options.force));
    // A server may have the one and not the other.
    let templates =
        listed.as_ref().ok().and_then(|_| ask(&host, invocation(server, McpRequest::Templates, options.force)).ok());
    finish(&host);
    let templates = templates.unwrap_or_else(|| json!([]));
    tell(
        listed,
        options.json,
        |rows| json!({"success": true, "server": server, "resources": rows, "templates": templates}),
        |rows| {
            let cell = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let uri = |row: &Value| row["uri"].as_str().or(row["uriTemplate"].as_str()).unwrap_or_default().to_owned();
            let line = |row: &Value| vec![uri(row), cell(row, "mimeType"), first_line(&cell(row, "name"))];
            let all: Value = [rows, &templates].into_iter().filter_map(Value::as_array).flatten().cloned().collect();
            aligned(&["URI", "TYPE", "NAME"], &all, line, "It has no resources.")
        },
    )
}

pub(super) fn resource(arguments: &McpResource) -> Outcome {
    let (server, uri) = (&arguments.server, &arguments.uri);
    let request = McpRequest::ReadResource { uri: uri.clone() };
    show(
        server,
        request,
        &arguments.options,
        |contents| json!({"success": true, "server": server, "uri": uri, "contents": contents}),
        |contents| {
            let text = |part: &Value| part["text"].as_str().map_or_else(|| output::pretty(part), str::to_owned);
            contents.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join("\n")
        },
    )
}

pub(super) fn prompts(arguments: &McpPrompts) -> Outcome {
    let server = &arguments.server;
    let document = |rows: &Value| json!({"success": true, "server": server, "prompts": rows});
    show(server, McpRequest::Prompts, &arguments.options, document, |rows| {
        let cell = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let line = |row: &Value| vec![cell(row, "name"), parameters(row), first_line(&cell(row, "description"))];
        aligned(&["PROMPT", "ARGUMENTS", "DESCRIPTION"], rows, line, "It has no prompts.")
    })
}

pub(super) fn prompt(arguments: &McpPrompt) -> Outcome {
    let (server, name) = (&arguments.server, &arguments.name);
    let given: Map<String, Value> = call::payload(arguments.payload.as_deref())?;
    let request = McpRequest::GetPrompt { prompt: name.clone(), arguments: given };
    show(
        server,
        request,
        &arguments.options,
        |prompt| json!({"success": true, "server": server, "prompt": prompt}),
        |prompt| {
            let messages = prompt["messages"].as_array().into_iter().flatten();
            messages.map(spoken).collect::<Vec<_>>().join("\n\n")
        },
    )
}

fn spoken(message: &Value) -> String {
    let role = message["role"].as_str().unwrap_or("user");
    let content = &message["content"];
    let text = content["text"].as_str().map_or_else(|| output::pretty(content), str::to_owned);
    format!("{role}: {text}")
}

/// `name, [optional]`
fn parameters(prompt: &Value) -> String {
    let shown = |argument: &Value| {
        let name = argument["name"].as_str().unwrap_or_default();
        if argument["required"] == json!(true) { name.to_owned() } else { format!("[{name}]") }
    };
    prompt["arguments"].as_array().into_iter().flatten().map(shown).collect::<Vec<_>>().join(", ")
}

fn show(
    server: &str,
    request: McpRequest,
    options: &Options,
    document: impl FnOnce(&Value) -> Value,
    text: impl FnOnce(&Value) -> String,
) -> Outcome {
    let host: Host = open(&[])?;
    let answer = ask(&host, invocation(server, request, options.force));
    finish(&host);
    tell(answer, options.json, document, text)
}

fn tell(
    answer: Result<Value, Fault>,
    json: bool,
    document: impl FnOnce(&Value) -> Value,
    text: impl FnOnce(&Value) -> String,
) -> Outcome {
    match answer {
        Ok(value) if json => output::json(&document(&value)),
        Ok(value) => output::foreign(&text(&value)),
        Err(fault) => return failure::fault(fault, json),
    }
    Ok(0)
}

fn aligned(header: &[&str], rows: &Value, line: impl Fn(&Value) -> Vec<String>, nothing: &str) -> String {
    let rows: Vec<_> = rows.as_array().into_iter().flatten().map(line).collect();
    if rows.is_empty() { nothing.into() } else { table::aligned(header, &rows) }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(80).collect()
}
