//! A kosmo home whose accounts are the simulator's.

use crate::failure::{Context, Result};
use crate::simulator::{Provider, Simulator};
use crate::workspace::Workspace;
use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The provider that serves exports from a second origin.
const WITH_EXPORTS: &str = "dialpad";
/// What the guides call a script of the user's own.
const WORKFLOW: (&str, &str) = ("summary.lua", "workflow.lua");

/// What scripts may do without being asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// What a fresh home does.
    AsUsual,
    /// Every write, as suits accounts at a simulator.
    Allowed,
}

/// A folder for `KOSMO_HOME`.
pub(crate) struct Home {
    folder: PathBuf,
    plugins: PathBuf,
    providers: Vec<String>,
}

impl Home {
    /// Writes a configuration with every account of the simulator into an empty `folder`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(workspace: &Workspace, folder: PathBuf, simulator: &Simulator, writes: Writes) -> Result<Self> {
        write_private(&folder.join("config.toml"), &configuration(&simulator.providers, &simulator.exports, writes))?;
        let providers = simulator.providers.iter().map(|provider| provider.name.clone()).collect();
        Ok(Self { folder, plugins: workspace.target("plugins"), providers })
    }

    /// With this at the end of its configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn with(self, configuration: &str) -> Result<Self> {
        let file = self.folder.join("config.toml");
        let text = fs::read_to_string(&file).context(|| format!("cannot read {}", file.display()))?;
        write_private(&file, &(text + configuration))?;
        Ok(self)
    }

    /// What a program has to hand on that starts `kosmo` with an environment of its own.
    pub(crate) fn variables(&self) -> [String; 2] {
        [format!("KOSMO_HOME={}", self.folder.display()), format!("KOSMO_PLUGINS={}", self.plugins.display())]
    }

    /// Makes `kosmo` and whatever the command starts use this home, and nothing else.
    pub(crate) fn apply(&self, command: &mut Command) {
        command.env("KOSMO_HOME", &self.folder).env("KOSMO_PLUGINS", &self.plugins);
        // Accounts may come from the environment, too; a demonstration must never reach a real one.
        let prefixes = self.providers.iter().map(|name| format!("{}_", name.to_uppercase())).collect::<Vec<_>>();
        for (name, _) in env::vars_os() {
            if prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
    }
}

fn configuration(providers: &[Provider], exports: &str, writes: Writes) -> String {
    let mut text = String::from("# Accounts at the simulator; written anew by every run of `cargo xtask`.\n");
    for provider in providers {
        for (account, token) in &provider.accounts {
            add_account(&mut text, provider, account, token, exports);
        }
        if writes == Writes::Allowed {
            text += &format!("\n[permissions.{}]\nwrite = \"allow\"\n", provider.name);
        }
    }
    text
}

fn add_account(text: &mut String, provider: &Provider, account: &str, token: &str, exports: &str) {
    *text += &format!("\n[accounts.{}.{account}]\n", provider.name);
    *text += &format!("url = {}\naccess_token = {}\n", quoted(&provider.url), quoted(token));
    if provider.name == WITH_EXPORTS {
        *text += &format!("exports = {}\n", quoted(exports));
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Tokens are nobody else's to read, not even those of a simulator.
fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut file = OpenOptions::new();
    let file = file.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).context(|| format!("cannot write {}", path.display()))
}

/// Copies the example scripts beside each other, where commands typed in `folder` find them.
///
/// # Errors
/// When one cannot be copied.
pub(crate) fn copy_examples(workspace: &Workspace, folder: &Path) -> Result<()> {
    let files = fs::read_dir(workspace.source("examples")).into_iter().flatten().flatten().map(|file| file.path());
    for script in files.filter(|file| file.extension().is_some_and(|kind| kind == "lua")) {
        copy(&script, &folder.join(script.file_name().unwrap_or_default()))?;
    }
    copy(&folder.join(WORKFLOW.0), &folder.join(WORKFLOW.1))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialpad() -> Provider {
        Provider {
            name: "dialpad".into(),
            url: "http://127.0.0.1:41".into(),
            accounts: vec![("work".into(), "a\"b\\c".into())],
        }
    }

    #[test]
    fn every_account_is_written_with_its_origins_and_token() {
        let text = configuration(&[dialpad()], "http://127.0.0.1:43", Writes::AsUsual);
        let account = "\n[accounts.dialpad.work]\nurl = \"http://127.0.0.1:41\"\naccess_token = \"a\\\"b\\\\c\"\nexports = \"http://127.0.0.1:43\"\n";
        assert!(text.ends_with(account), "{text}");
    }

    #[test]
    fn only_play_allows_writes() {
        let text = configuration(&[dialpad()], "http://127.0.0.1:43", Writes::Allowed);
        assert!(text.ends_with("\n[permissions.dialpad]\nwrite = \"allow\"\n"), "{text}");
    }
}
