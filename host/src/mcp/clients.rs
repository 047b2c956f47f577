//! The programs that can start `kosmo mcp:serve`: where each keeps its servers, and what an entry looks like there.

use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// A program that speaks to MCP servers.
#[derive(Debug)]
pub struct Client {
    /// As it is typed.
    pub name: &'static str,
    /// As it is called.
    pub title: &'static str,
    /// Its file for all projects.
    user: Places,
    /// Its file in a project, if it reads one there.
    project: Option<&'static str>,
    /// The keys its servers stand under.
    pub(super) keys: &'static [&'static str],
    pub(super) form: Form,
    /// What is to be done for it to notice.
    pub then: &'static str,
}

/// What an entry looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `{command, args, env}`
    Plain,
    /// The same with `"type": "stdio"`.
    Typed,
    /// The same with `"type": "local"` and the tools it may use.
    Copilot,
    /// One list for program and arguments, and another word for the environment.
    OpenCode,
    /// A table in TOML.
    Toml,
}

/// A file on each system, below a folder of the user's.
#[derive(Debug)]
struct Places {
    linux: (Base, &'static str),
    macos: (Base, &'static str),
    windows: (Base, &'static str),
}

/// A folder of the user's.
#[derive(Clone, Copy, Debug)]
enum Base {
    /// This folder in the user's own.
    Under(&'static str),
    /// What a variable says, else this folder in the user's own.
    Variable(&'static str, &'static str),
}

/// The user's own folder.
const HOME: Base = Base::Under("");
/// `$XDG_CONFIG_HOME`, where programs on Linux keep their settings.
const CONFIG: Base = Base::Variable("XDG_CONFIG_HOME", ".config");
/// The same on macOS, for programs with windows.
const SUPPORT: Base = Base::Under("Library/Application Support");
/// The same on Windows.
const APPDATA: Base = Base::Variable("APPDATA", "AppData/Roaming");

const fn everywhere(base: Base, file: &'static str) -> Places {
    Places { linux: (base, file), macos: (base, file), windows: (base, file) }
}

const fn settings(file: &'static str) -> Places {
    Places { linux: (CONFIG, file), macos: (SUPPORT, file), windows: (APPDATA, file) }
}

const MCP_SERVERS: &[&str] = &["mcpServers"];
const RESTART: &str = "Quit it and start it again.";
const NEXT: &str = "It is there in the next session.";

/// Any other, whose file has to be named: its entries look as most do.
pub const ANY: Client = Client {
    name: "any",
    title: "The client",
    user: everywhere(HOME, "mcp.json"),
    project: None,
    keys: MCP_SERVERS,
    form: Form::Plain,
    then: RESTART,
};

/// Every client that is known, in the order of their names.
pub const CLIENTS: [Client; 12] = [
    Client {
        name: "claude-code",
        title: "Claude Code",
        user: everywhere(Base::Variable("CLAUDE_CONFIG_DIR", ""), ".claude.json"),
        project: Some(".mcp.json"),
        keys: MCP_SERVERS,
        form: Form::Typed,
        then: NEXT,
    },
    Client {
        name: "claude-desktop",
        title: "Claude Desktop",
        user: settings("Claude/claude_desktop_config.json"),
        project: None,
        keys: MCP_SERVERS,
        form: Form::Plain,
        then: RESTART,
    },
    Client {
        name: "codex",
        title: "Codex",
        user: everywhere(Base::Variable("CODEX_HOME", ".codex"), "config.toml"),
        project: Some(".codex/config.toml"),
        keys: &["mcp_servers"],
        form: Form::Toml,
        then: NEXT,
    },
    Client {
        name: "copilot-cli",
        title: "GitHub Copilot CLI",
        user: everywhere(Base::Variable("COPILOT_HOME", ".copilot"), "mcp-config.json"),
        project: Some(".github/mcp.json"),
        keys: MCP_SERVERS,
        form: Form::Copilot,
        then: NEXT,
    },
    Client {
        name: "cursor",
        title: "Cursor",
        user: everywhere(HOME, ".cursor/mcp.json"),
        project: Some(".cursor/mcp.json"),
        keys: MCP_SERVERS,
        form: Form::Plain,
        then: "Switch it on under Settings → MCP.",
    },
    Client {
        name: "gemini",
        title: "Gemini CLI",
        user: everywhere(HOME, ".gemini/settings.json"),
        project: Some(".gemini/settings.json"),
        keys: MCP_SERVERS,
        form: Form::Plain,
        then: NEXT,
    },
    Client {
        name: "kiro",
        title: "Kiro",
        user: everywhere(HOME, ".kiro/settings/mcp.json"),
        project: Some(".kiro/settings/mcp.json"),
        keys: MCP_SERVERS,
        form: Form::Plain,
        then: "It notices by itself.",
    },
    Client {
        name: "lm-studio",
        title: "LM Studio",
        user: everywhere(HOME, ".lmstudio/mcp.json"),
        project: None,
        keys: MCP_SERVERS,
        form: Form::Plain,
        then: "It notices by itself.",
    },
    Client {
        name: "opencode",
        title: "opencode",
        user: everywhere(CONFIG, "opencode/opencode.json"),
        project: Some("opencode.json"),
        keys: &["mcp"],
        form: Form::OpenCode,
        then: NEXT,
    },
    Client {
        name: "vscode",
        title: "Visual Studio Code",
        user: settings("Code/User/mcp.json"),
        project: Some(".vscode/mcp.json"),
        keys: &["servers"],
        form: Form::Typed,
        then: "Start it with `MCP: List Servers` in the command palette.",
    },
    Client {
        name: "windsurf",
        title: "Windsurf",
        user: everywhere(HOME, ".codeium/windsurf/mcp_config.json"),
        project: None,
        keys: MCP_SERVERS,
        form: Form::Plain,
        then: "Refresh the servers under Settings → Cascade.",
    },
    Client {
        name: "zed",
        title: "Zed",
        user: Places {
            linux: (CONFIG, "zed/settings.json"),
            macos: (HOME, ".config/zed/settings.json"),
            windows: (APPDATA, "Zed/settings.json"),
        },
        project: Some(".zed/settings.json"),
        keys: &["context_servers"],
        form: Form::Plain,
        then: "It notices by itself.",
    },
];

/// Systems that differ in where programs keep their files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux, and whatever is like it.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl System {
    /// The one this runs on.
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

impl Client {
    /// The client of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CLIENTS.iter().find(|client| client.name == name)
    }

    /// Its file for all projects. `variable` looks into the environment.
    pub fn user_file(&self, system: System, home: &Path, variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
        let (base, file) = match system {
            System::Linux => self.user.linux,
            System::MacOs => self.user.macos,
            System::Windows => self.user.windows,
        };
        let folder = match base {
            Base::Under(folder) => home.join(folder),
            Base::Variable(name, usual) => variable(name).unwrap_or_else(|| home.join(usual)),
        };
        folder.join(file)
    }

    /// Its file in this project, if it reads one there.
    pub fn project_file(&self, root: &Path) -> Option<PathBuf> {
        self.project.map(|file| root.join(file))
    }
}

impl Form {
    /// An entry as the client reads it.
    pub(super) fn entry(self, command: &str, args: &[String], env: &[(String, String)]) -> Value {
        let variables: Map<_, _> = env.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let whole: Vec<_> = std::iter::once(command).chain(args.iter().map(String::as_str)).collect();
        let (mut entry, environment) = match self {
            Self::Plain | Self::Toml => (json!({"command": command, "args": args}), "env"),
            Self::Typed => (json!({"type": "stdio", "command": command, "args": args}), "env"),
            Self::Copilot => (json!({"type": "local", "command": command, "args": args, "tools": ["*"]}), "env"),
            Self::OpenCode => (json!({"type": "local", "command": whole, "enabled": true}), "environment"),
        };
        if !variables.is_empty() {
            entry[environment] = variables.into();
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, linux: &str, macos: &str, windows: &str) {
        let client = Client::named(name).expect("a client");
        let file = |system| client.user_file(system, Path::new("/h"), |_| None).display().to_string();
        let files = [System::Linux, System::MacOs, System::Windows].map(file);
        assert_eq!(files, [linux, macos, windows].map(|file| format!("/h/{file}")), "{name}");
    }

    #[test]
    fn every_client_has_its_file_on_every_system() {
        check("claude-code", ".claude.json", ".claude.json", ".claude.json");
        check(
            "claude-desktop",
            ".config/Claude/claude_desktop_config.json",
            "Library/Application Support/Claude/claude_desktop_config.json",
            "AppData/Roaming/Claude/claude_desktop_config.json",
        );
        check("codex", ".codex/config.toml", ".codex/config.toml", ".codex/config.toml");
        check("copilot-cli", ".copilot/mcp-config.json", ".copilot/mcp-config.json", ".copilot/mcp-config.json");
        check("cursor", ".cursor/mcp.json", ".cursor/mcp.json", ".cursor/mcp.json");
        check("gemini", ".gemini/settings.json", ".gemini/settings.json", ".gemini/settings.json");
        check("kiro", ".kiro/settings/mcp.json", ".kiro/settings/mcp.json", ".kiro/settings/mcp.json");
        check("lm-studio", ".lmstudio/mcp.json", ".lmstudio/mcp.json", ".lmstudio/mcp.json");
        let opencode = ".config/opencode/opencode.json";
        check("opencode", opencode, opencode, opencode);
        check(
            "vscode",
            ".config/Code/User/mcp.json",
            "Library/Application Support/Code/User/mcp.json",
            "AppData/Roaming/Code/User/mcp.json",
        );
        let windsurf = ".codeium/windsurf/mcp_config.json";
        check("windsurf", windsurf, windsurf, windsurf);
        check("zed", ".config/zed/settings.json", ".config/zed/settings.json", "AppData/Roaming/Zed/settings.json");
        assert!(CLIENTS.is_sorted_by_key(|client| client.name));
    }

    #[test]
    fn a_clients_own_variable_moves_its_file() {
        let set = |name: &str| (name == "CODEX_HOME" || name == "XDG_CONFIG_HOME").then(|| PathBuf::from("/x"));
        let file = |name| Client::named(name).expect("a client").user_file(System::Linux, Path::new("/h"), set);
        assert_eq!(file("codex"), Path::new("/x/config.toml"));
        assert_eq!(file("zed"), Path::new("/x/zed/settings.json"));
        assert_eq!(file("cursor"), Path::new("/h/.cursor/mcp.json"));
    }

    #[test]
    fn an_entry_has_the_form_its_client_reads() {
        let entry = |form: Form, env: &[(String, String)]| form.entry("kosmo", &["mcp:serve".into()], env);
        let home = [("KOSMO_HOME".to_owned(), "/k".to_owned())];
        let typed = json!({"type": "stdio", "command": "kosmo", "args": ["mcp:serve"], "env": {"KOSMO_HOME": "/k"}});
        assert_eq!(entry(Form::Typed, &home), typed);
        assert_eq!(entry(Form::Plain, &[]), json!({"command": "kosmo", "args": ["mcp:serve"]}));
        let opencode = json!({"type": "local", "command": ["kosmo", "mcp:serve"], "enabled": true, "environment": {"KOSMO_HOME": "/k"}});
        assert_eq!(entry(Form::OpenCode, &home), opencode);
        let copilot = json!({"type": "local", "command": "kosmo", "args": ["mcp:serve"], "tools": ["*"]});
        assert_eq!(entry(Form::Copilot, &[]), copilot);
    }
}
