//! `cargo xtask play`: a shell in which everything is ready.

use crate::build;
use crate::failure::{Context, Result};
use crate::home::{self, Home, Writes};
use crate::process;
use crate::simulator::Simulator;
use crate::workspace::Workspace;
use std::env;
use std::io::{self, IsTerminal};
use std::process::Command;

const INTRODUCTION: &str = r#"
A shell with `kosmo` on its PATH. Both providers are a simulator, so nothing typed here reaches anybody.
Accounts: default, work, support. Scripts may write. Try:

  kosmo integrations:lua --eval 'dump(app.integrations.dialpad.list_calls({limit = 3}))'
  kosmo integrations:lua --eval 'dump(app.integrations.ringcentral.list_messages({messageType = "Sms", perPage = 5}))' --json
  kosmo integrations:lua --eval 'print(docs.read("ringcentral.list_messages"))'
  kosmo integrations:lua workflow.lua --json

`exit` ends the shell and the simulator.
"#;

/// Builds everything, starts the simulator and hands over to the user's shell.
///
/// # Errors
/// When a build fails or the shell cannot be started, or commands that were piped in end in failure.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    build::to_show(workspace)?;
    let simulator = Simulator::start(workspace)?;
    let home = Home::write(workspace, workspace.empty_folder("play/home")?, &simulator, Writes::Allowed)?;
    home::copy_examples(workspace, &workspace.target("play"))?;
    let mut shell = shell(workspace)?;
    home.apply(&mut shell);
    match io::stdin().is_terminal() {
        true => converse(&mut shell),
        false => process::run(&mut shell, "what was piped into the shell"),
    }
}

/// How somebody leaves their shell is their own affair.
fn converse(shell: &mut Command) -> Result<()> {
    println!("{INTRODUCTION}");
    shell.status().context(|| format!("the shell {} cannot be started", shell.get_program().display())).map(drop)
}

fn shell(workspace: &Workspace) -> Result<Command> {
    let mut shell = process::program("SHELL", "sh");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = [workspace.binaries().to_owned()].into_iter().chain(env::split_paths(&path));
    let path = env::join_paths(path).context(|| "PATH cannot take the folder of kosmo".to_owned())?;
    shell.env("PATH", path).current_dir(workspace.target("play"));
    // Left by `cargo run` for us, not for what the user starts.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        shell.env_remove(name);
    }
    shell.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_MANIFEST_PATH");
    Ok(shell)
}
