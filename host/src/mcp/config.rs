//! Which MCP servers are configured. Reads the files that other MCP clients read too; starts and contacts nothing.

use super::comments::without_comments;
use super::entry::{File, server};
use super::env_file;
use super::place::check_apart;
use super::plain::masked_arguments;
use super::reference::Template;
use crate::config::Config;
use crate::files;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of the largest file that is read. They are written by hand.
const LARGEST: u64 = 4 << 20;

/// Files of the project, the later ones winning over the earlier, all winning over the one in the kosmo home.
pub(super) const PROJECT_FILES: [&str; 3] = [".vscode/mcp.json", ".cursor/mcp.json", ".mcp.json"];

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
    /// Its arguments; what looks like a secret in them is blotted out where scripts see them.
    pub args: Vec<String>,
    /// Where it listens, for `http`; values in its query and a password are blotted out.
    pub url: Option<String>,
    /// Seconds.
    pub timeout: u64,
    /// What scripts may do with its tools.
    pub permissions: Permissions,
    /// The same as `timeout`.
    #[serde(skip)]
    pub(crate) patience: Duration,
    /// The URL as it was written.
    #[serde(skip)]
    pub(crate) address: Option<String>,
    /// Where it starts, below the project's folder, if it says so.
    #[serde(skip)]
    pub cwd: Option<String>,
    /// The environment it is given besides the little that every child gets. Not shown: it holds secrets.
    #[serde(skip)]
    pub env: BTreeMap<String, Template>,
    /// The file with more of its environment.
    #[serde(skip)]
    pub env_file: Option<Template>,
    /// What the file of a project's server sets, as SHA-256 of each value by name; nothing where it cannot be read.
    #[serde(skip)]
    pub env_in_file: Option<BTreeMap<String, String>>,
    /// The headers it is sent. Not shown: they hold secrets.
    #[serde(skip)]
    pub headers: BTreeMap<String, Template>,
    /// The folder of the project that it was found from.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Whether it came with the project and stands in the place of one of the home.
    #[serde(skip)]
    pub replaces_own: bool,
    /// Of its entry, and of what the file of a project's sets: SHA-256, hexadecimal. What it runs, and what it is told, has
    /// this fingerprint alone.
    #[serde(skip)]
    pub fingerprint: String,
}

impl Server {
    /// Whether its entry came with the project, so that somebody must have reviewed it.
    pub fn is_of_project(&self) -> bool {
        self.source.starts_with("project")
    }
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
    #[error("{}: the MCP server `{}` is left out: {problem}", path.display(), server.escape_debug())]
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
    /// The project's folder.
    pub root: PathBuf,
}

impl McpConfig {
    /// Reads `mcp.json` of the kosmo home, if there is one, and the files of the project that `folder` is in: the nearest folder above
    /// it with a `.git`, or else itself.
    pub fn load(home: Option<&Path>, folder: &Path) -> Self {
        let root = folder.ancestors().find(|ancestor| ancestor.join(".git").exists()).unwrap_or(folder);
        let root = root.canonicalize().unwrap_or_else(|_| root.into());
        let mut config = Self { root: root.clone(), ..Self::default() };
        if let Some(home) = home {
            config.read("global".into(), home.join("mcp.json"));
        }
        for file in PROJECT_FILES {
            config.read(format!("project:{file}"), root.join(file));
        }
        config
    }

    /// As [`McpConfig::load`], without a project.
    pub fn of_home(home: Option<&Path>) -> Self {
        let mut config = Self::default();
        if let Some(home) = home {
            config.read("global".into(), home.join("mcp.json"));
        }
        config
    }

    /// With the permissions that the configuration gives, and with what files of projects set.
    #[must_use]
    pub fn with(mut self, config: &Config) -> Self {
        for server in self.servers.values_mut() {
            server.permissions = config.mcp().permissions(server.holder());
            env_file::cover(server, config);
        }
        self
    }

    /// The servers of one file's text.
    #[cfg(test)]
    pub(crate) fn of(source: &str, path: &Path, text: &str) -> Self {
        let mut config = Self::default();
        config.add(source, path, text);
        config
    }

    /// What `mcp.servers()` returns: an object by name.
    pub fn to_value(&self) -> Value {
        let row = |server: &Server| {
            let shown = Server { args: masked_arguments(&server.args), ..server.clone() };
            serde_json::to_value(shown).unwrap_or(Value::Null)
        };
        Value::Object(self.servers.iter().map(|(name, server)| (name.clone(), row(server))).collect())
    }

    fn read(&mut self, source: String, path: PathBuf) {
        match files::read_foreign(&path, LARGEST) {
            Ok(Some(text)) => self.add(&source, &path, &text),
            Ok(None) => {}
            Err(error) => self.warnings.push(Warning::Unreadable { path, problem: error.to_string() }),
        }
    }

    fn add(&mut self, source: &str, path: &Path, text: &str) {
        let entries = match serde_json::from_str::<File>(&without_comments(text)) {
            Ok(file) => file.entries(),
            Err(error) => return self.warnings.push(syntax(path, &error)),
        };
        for (name, entry) in entries {
            let server = server(source, path, &self.root, &name, entry);
            if let Err(problem) = server.and_then(|server| self.put(server)) {
                self.warnings.push(Warning::Server { path: path.into(), server: name, problem });
            }
        }
    }

    /// In place of one of the same name, if there is one.
    fn put(&mut self, mut server: Server) -> Result<(), String> {
        check_apart(&server.name, self.servers.keys())?;
        let before = self.servers.get(&server.name);
        server.replaces_own =
            server.is_of_project() && before.is_some_and(|before| before.replaces_own || !before.is_of_project());
        self.servers.insert(server.name.clone(), server);
        Ok(())
    }
}

fn syntax(path: &Path, error: &serde_json::Error) -> Warning {
    let text = error.to_string();
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    Warning::Syntax { path: path.into(), line: error.line(), column: error.column(), problem: problem.into() }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
