//! `mcp:examples`.

use super::super::failure::Outcome;
use super::super::output;
use clap::Args;
use serde_json::{Value, json};

/// Flags of `mcp:examples`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpExamples {
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// What is done, and how.
const EXAMPLES: [(&str, &str); 14] = [
    ("Add a server that is started here", "kosmo mcp:add files -- npx -y @modelcontextprotocol/server-filesystem ."),
    ("Add one that listens elsewhere", "kosmo mcp:add docs https://mcp.example.com/mcp"),
    ("Sign in there, in the browser", "kosmo mcp:login docs"),
    ("Add one that takes a key", "kosmo mcp:add search https://search.example.com/mcp --header Authorization"),
    ("Give it its secret, sealed", "kosmo mcp:secret:set search Authorization"),
    ("Add a well-known one", "kosmo mcp:preset add tavily"),
    ("Take over what another program has", "kosmo mcp:import ~/.cursor/mcp.json"),
    ("Trust a server that came with a project", "kosmo mcp:trust files"),
    ("Let scripts read with it", "kosmo mcp:configure files --read=allow --write=ask"),
    ("See what is in the way", "kosmo mcp:doctor"),
    ("See its tools", "kosmo mcp:tools files"),
    ("Use it in a script", "kosmo mcp:lua --eval 'dump(app.mcp.files.list_directory({path = \".\"}))'"),
    ("Let another program use kosmo", "kosmo mcp:install --client claude-code"),
    ("See what that would write", "kosmo mcp:install --client vscode --print"),
];

pub(super) fn run(arguments: &McpExamples) -> Outcome {
    if arguments.json {
        let row = |(title, command): &(&str, &str)| json!({"title": title, "command": command});
        output::json(&json!({"success": true, "examples": EXAMPLES.iter().map(row).collect::<Vec<Value>>()}));
    } else {
        let text = |(title, command): &(&str, &str)| format!("{title}\n  {command}");
        output::line(&EXAMPLES.iter().map(text).collect::<Vec<_>>().join("\n\n"));
    }
    Ok(0)
}
