//! The stand-in for both providers, running for as long as somebody holds on to it.

use crate::failure::{Context, Failure, Result};
use crate::json::Json;
use crate::workspace::Workspace;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running simulator; dropping it ends it.
pub(crate) struct Simulator {
    child: Child,
    /// One entry for each provider it stands in for.
    pub(crate) providers: Vec<Provider>,
    /// The second origin, which serves exports.
    pub(crate) exports: String,
}

/// A provider that the simulator stands in for.
pub(crate) struct Provider {
    /// As scripts know it.
    pub(crate) name: String,
    /// Its origin.
    pub(crate) url: String,
    /// Account names and their tokens.
    pub(crate) accounts: Vec<(String, String)>,
}

impl Simulator {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be started, says nothing within 30 s, or says something else than where it is.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        let mut child = spawn(workspace)?;
        let stdout = child.stdout.take();
        let mut simulator = Self { child, providers: Vec::new(), exports: String::new() };
        let line = stdout
            .and_then(first_line)
            .ok_or_else(|| Failure::new("the simulator did not start; its reason is above"))?;
        simulator
            .understand(&line)
            .ok_or_else(|| Failure::new(format!("the simulator is of another version; it says {line}")))?;
        Ok(simulator)
    }

    fn understand(&mut self, line: &str) -> Option<()> {
        let ready = Json::parse(line)?;
        self.exports = ready.get("exports")?.text()?.to_owned();
        for (name, tokens) in ready.get("tokens")?.members() {
            let url = ready.get(name)?.text()?.to_owned();
            let accounts =
                tokens.members().iter().map(|(account, token)| Some((account.clone(), token.text()?.to_owned())));
            self.providers.push(Provider { name: name.clone(), url, accounts: accounts.collect::<Option<Vec<_>>>()? });
        }
        Some(())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// It serves until its stdin closes, so it cannot outlive us, however we end. In a group of its own it does not
/// hear the Ctrl-C that somebody in the shell of `play` means for their script.
fn spawn(workspace: &Workspace) -> Result<Child> {
    let mut command = Command::new(workspace.binaries().join("kosmo-simulator"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    command.spawn().context(|| "the simulator cannot be started".to_owned())
}

fn first_line(stdout: ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        let read = stdout.read_line(&mut line).unwrap_or(0);
        // Nobody may be waiting any more; then there is nothing to tell.
        drop(sender.send((read > 0).then_some(line)));
        // Whatever else it prints must not fill the pipe and stop it.
        drop(io::copy(&mut stdout, &mut io::sink()));
    });
    receiver.recv_timeout(PATIENCE).ok().flatten()
}
