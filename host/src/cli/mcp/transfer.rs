//! `mcp:import` and `mcp:export`.

use super::super::failure::Outcome;
use super::super::output;
use super::list::warn;
use super::{Place, here};
use clap::{Args, ValueEnum};
use kosmo::mcp::Scope;
use kosmo::mcp::transfer::{self, Imported};
use kosmo::{Code, Fault};
use serde_json::json;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

pub(in crate::cli) const IMPORT_HELP: &str = "\
It reads what Claude, Codex, Cursor, VS Code, Windsurf, Gemini, Zed, opencode and others write. Values that look like secrets are
sealed in kosmo.db on the way, and references stand in their place.

Examples:
  kosmo mcp:import ~/.cursor/mcp.json
  kosmo mcp:import ~/.claude.json --replace";

/// Flags of `mcp:import`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpImport {
    /// The file of another program
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Put its servers in the place of those of the same name
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    place: Place,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

/// Flags of `mcp:export`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpExport {
    /// Whose form it has
    #[arg(long, value_name = "FORMAT", default_value = "mcpServers")]
    format: Format,
    /// Write it into this file, which must not be there yet
    #[arg(long, value_name = "FILE")]
    path: Option<PathBuf>,
    /// Print one JSON document about it instead of the document alone
    #[arg(long)]
    json: bool,
}

/// Whose form it has.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Most programs'; secrets are references that kosmo understands
    #[value(name = "mcpServers", alias = "mcpservers")]
    McpServers,
    /// Visual Studio Code's, which asks for secrets
    #[value(name = "vscode")]
    VsCode,
}

pub(super) fn import(arguments: &McpImport) -> Outcome {
    let (host, config) = here()?;
    let scope = arguments.place.scope().unwrap_or(Scope::Global);
    let imported = transfer::import(&host, &config.root, scope, &arguments.path, arguments.replace)?;
    if arguments.json {
        output::json(&document(&imported, scope));
    } else {
        tell(&imported);
    }
    Ok(0)
}

fn document(imported: &Imported, scope: Scope) -> serde_json::Value {
    let skipped = |(name, reason): &(String, String)| json!({"server": name, "reason": reason});
    json!({
        "success": true,
        "scope": scope.as_str(),
        "added": imported.added,
        "skipped": imported.skipped.iter().map(skipped).collect::<Vec<_>>(),
        "sealed": imported.sealed,
        "wanted": imported.wanted,
        "plain": imported.plain,
    })
}

fn tell(imported: &Imported) {
    match imported.added.as_slice() {
        [] => output::line("No server was added."),
        names => output::foreign(&format!("Added {}.", names.join(", "))),
    }
    if !imported.sealed.is_empty() {
        output::line(&format!("Sealed in the store, with references in their place: {}.", imported.sealed.join(", ")));
    }
    for key in &imported.wanted {
        let (server, key) = key.split_once('.').unwrap_or((key, ""));
        output::line(&format!("next: kosmo mcp:secret:set {server} {key}"));
    }
    if !imported.plain.is_empty() {
        let names = imported.plain.join(", ");
        output::error(&format!("note: arguments or the URL hold what looks like a secret, in the clear: {names}"));
    }
    for (name, reason) in &imported.skipped {
        output::error(&format!("left out {name}: {reason}"));
    }
}

pub(super) fn export(arguments: &McpExport) -> Outcome {
    let (_, config) = here()?;
    warn(&config);
    let (name, format) = match arguments.format {
        Format::McpServers => ("mcpServers", transfer::Format::McpServers),
        Format::VsCode => ("vscode", transfer::Format::VsCode),
    };
    let exported = transfer::export(&config, format);
    if let Some(path) = &arguments.path {
        let text = format!("{}\n", output::pretty(&exported.document));
        write_new(path, &text)?;
    }
    if arguments.json {
        output::json(&json!({
            "success": true, "format": name, "path": arguments.path, "document": exported.document, "notes": exported.notes,
        }));
        return Ok(0);
    }
    exported.notes.iter().for_each(|note| output::error(&format!("note: {note}")));
    match &arguments.path {
        Some(path) => {
            let names: Vec<_> = config.servers.keys().map(String::as_str).collect();
            output::foreign(&format!("Wrote {} into {}.", names.join(", "), path.display()));
        }
        None => output::json(&exported.document),
    }
    Ok(0)
}

/// A file that is there is somebody's.
fn write_new(path: &Path, text: &str) -> Result<(), Fault> {
    let written =
        File::options().write(true).create_new(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let path = path.display();
        let message = match error.kind() {
            ErrorKind::AlreadyExists => {
                format!("{path} is there already. Write into another file, or remove it first.")
            }
            _ => format!("{path} cannot be written: {error}"),
        };
        Fault::new(Code::Unconfigured, message)
    })
}
