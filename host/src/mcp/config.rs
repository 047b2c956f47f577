//! Which MCP servers are configured. Reads the files that other MCP clients read too; starts and contacts nothing.
//!
//! A server's environment and headers are not read: they hold secrets, and nothing here needs them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Seconds a server has to answer, unless its entry says otherwise.
const TIMEOUT: u64 = 30;

/// Files of the project, the later ones winning over the earlier, all winning over the one in the kosmo home.
const PROJECT_FILES: [&str; 3] = [".vscode/mcp.json", ".cursor/mcp.json", ".mcp.json"];

/// A configured server, as `mcp.servers()` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Server {
    /// Its key in the file.
    pub name: String,
    /// How it is spoken to.
    #[serde(rename = "type")]
    pub transport: Transport,
    /// False if its entry says so.
    pub enabled: bool,
    /// `global`, or `project:` and the file's path in the project.
    pub source: String,
    /// The file.
    pub path: PathBuf,
    /// The program to start, for `stdio`.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Where it listens, for `http`; values in its query and a password are blotted out.
    pub url: Option<String>,
    /// Seconds.
    pub timeout: u64,
    /// What scripts may do with its tools.
    pub permissions: Permissions,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Through the pipes of a program.
    Stdio,
    /// Over HTTP.
    Http,
}

/// What scripts may do with a server's tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permissions {
    /// `allow`, `ask` or `deny`: tools that only read.
    pub read: &'static str,
    /// The same for all others.
    pub write: &'static str,
}

/// Something in a file that could not be used. The rest is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The file is not JSON.
    #[error("{}:{line}: {problem} (column {column}); the MCP servers of this file are left out", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What the parser expected.
        problem: String,
    },
    /// One entry makes no sense.
    #[error("{}: the MCP server `{server}` is left out: {problem}", path.display())]
    Server {
        /// The file.
        path: PathBuf,
        /// Its key.
        server: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file exists and cannot be read.
    #[error("{}: {problem}; the MCP servers of this file are left out", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
}

/// The servers by name, and what had to be left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct McpConfig {
    /// By name.
    pub servers: BTreeMap<String, Server>,
    /// In the order of the files.
    pub warnings: Vec<Warning>,
}

impl McpConfig {
    /// Reads `mcp.json` of the kosmo home, if there is one, and the files of the project that `folder` is in: the nearest folder above
    /// it with a `.git`, or else itself.
    pub fn load(home: Option<&Path>, folder: &Path) -> Self {
        let root = folder.ancestors().find(|ancestor| ancestor.join(".git").exists()).unwrap_or(folder);
        let mut config = Self::default();
        if let Some(home) = home {
            config.read("global".into(), home.join("mcp.json"));
        }
        for file in PROJECT_FILES {
            config.read(format!("project:{file}"), root.join(file));
        }
        config
    }

    /// What `mcp.servers()` returns: an object by name.
    pub fn to_value(&self) -> Value {
        let row = |server: &Server| serde_json::to_value(server).unwrap_or(Value::Null);
        Value::Object(self.servers.iter().map(|(name, server)| (name.clone(), row(server))).collect())
    }

    fn read(&mut self, source: String, path: PathBuf) {
        match std::fs::read_to_string(&path) {
            Ok(text) => self.add(&source, &path, &text),
            Err(error) if missing(&error) => {}
            Err(error) => self.warnings.push(Warning::Unreadable { path, problem: error.to_string() }),
        }
    }

    fn add(&mut self, source: &str, path: &Path, text: &str) {
        let entries = match serde_json::from_str::<File>(&without_comments(text)) {
            Ok(file) => file.mcp_servers.or(file.servers).unwrap_or_default(),
            Err(error) => return self.warnings.push(syntax(path, &error)),
        };
        for (name, entry) in entries {
            match server(source, path, &name, entry) {
                Ok(server) => drop(self.servers.insert(name, server)),
                Err(problem) => self.warnings.push(Warning::Server { path: path.into(), server: name, problem }),
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `mcpServers`")]
struct File {
    #[serde(rename = "mcpServers")]
    mcp_servers: Option<Map<String, Value>>,
    servers: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `command` or `url`")]
struct Entry {
    command: Option<String>,
    args: Option<Vec<String>>,
    #[serde(alias = "serverUrl")]
    url: Option<String>,
    #[serde(rename = "type")]
    transport: Option<String>,
    enabled: Option<bool>,
    disabled: Option<bool>,
    #[serde(alias = "timeoutSeconds")]
    timeout: Option<u64>,
}

fn server(source: &str, path: &Path, name: &str, entry: Value) -> Result<Server, String> {
    let entry: Entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
    Ok(Server {
        name: name.into(),
        transport: transport(&entry)?,
        enabled: entry.enabled.unwrap_or(!entry.disabled.unwrap_or(false)),
        source: source.into(),
        path: path.into(),
        command: entry.command,
        args: entry.args.unwrap_or_default(),
        url: entry.url.as_deref().map(blotted),
        timeout: entry.timeout.unwrap_or(TIMEOUT),
        permissions: Permissions { read: "ask", write: "ask" },
    })
}

fn transport(entry: &Entry) -> Result<Transport, String> {
    let stated = match entry.transport.as_deref() {
        Some("stdio") => Transport::Stdio,
        Some("http" | "sse" | "streamable-http" | "streamableHttp" | "remote") => Transport::Http,
        Some("local") | None if entry.url.is_some() => Transport::Http,
        Some("local") | None => Transport::Stdio,
        Some(other) => return Err(format!("its type `{other}` is neither `stdio` nor `http`")),
    };
    match stated {
        Transport::Stdio if entry.command.is_none() => Err("it needs a `command` to start, or a `url`".into()),
        Transport::Http if entry.url.is_none() => Err("its type is `http`, so it needs a `url`".into()),
        stated => Ok(stated),
    }
}

/// The URL with `***` for a password and for every value in its query, where keys are handed over.
fn blotted(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return text.into() };
    if url.password().is_none() && url.query().is_none() {
        return text.into();
    }
    if url.password().is_some() {
        // Fails only for URLs that cannot have a password.
        let _ = url.set_password(Some("***"));
    }
    let names: Vec<_> = url.query_pairs().map(|(name, _)| format!("{name}=***")).collect();
    url.set_query(Some(names.join("&").as_str()).filter(|query| !query.is_empty()));
    url.into()
}

fn missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn syntax(path: &Path, error: &serde_json::Error) -> Warning {
    let text = error.to_string();
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    Warning::Syntax { path: path.into(), line: error.line(), column: error.column(), problem: problem.into() }
}

/// Editors write comments and trailing commas into these files. Blanks take their place, so that lines and columns
/// stay what they are.
fn without_comments(text: &str) -> String {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut plain = String::with_capacity(rest.len());
    while let Some(first) = rest.chars().next() {
        let (length, keep) = match first {
            '"' => (string_length(rest), true),
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => (rest[2..].find("*/").map_or(rest.len(), |end| end + 4), false),
            ']' | '}' => {
                blank_trailing_comma(&mut plain);
                (1, true)
            }
            other => (other.len_utf8(), true),
        };
        let (piece, after) = rest.split_at(length);
        let blank = |letter| if letter == '\n' { '\n' } else { ' ' };
        if keep {
            plain.push_str(piece)
        } else {
            plain.extend(piece.chars().map(blank))
        }
        rest = after;
    }
    plain
}

/// How many bytes the string literal at the beginning takes, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let ends = |&(_, letter): &(usize, char)| {
        let end = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        end
    };
    text.char_indices().skip(1).find(ends).map_or(text.len(), |(end, _)| end + 1)
}

fn blank_trailing_comma(plain: &mut String) {
    let end = plain.trim_end().len();
    if plain[..end].ends_with(',') {
        plain.replace_range(end - 1..end, " ");
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
