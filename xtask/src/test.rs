//! `cargo xtask test`: everything built, every test run.

use crate::build;
use crate::failure::Result;
use crate::guests::{self, Group};
use crate::process::{self, say};
use crate::workspace::Workspace;
use std::path::Path;
use std::process::Command;

/// Where the tests leave every exchange with the simulator, below the target folder.
pub(crate) const RECORDED: &str = "recorded";

/// Builds everything and runs every test; with `passed_on`, those of the host's side alone with these arguments.
///
/// # Errors
/// When something does not build, a test fails, or a plugin has grown too large.
pub(crate) fn run(workspace: &Workspace, passed_on: &[String]) -> Result<()> {
    build::with_plugins(workspace, &guests::ALL, &mut build::programs(workspace), build::PROGRAMS)?;
    if passed_on.is_empty() {
        say("test: the plugins' own tests");
        process::run(&mut plugins(workspace)?, "the plugins' own tests")?;
    }
    workspace.empty_folder(RECORDED)?;
    say("test: everything else");
    process::run(host(workspace)?.args(passed_on), "the tests")?;
    guests::refuse_large(workspace)
}

/// Tells tests and benches where the built things are; `kosmo` is the program to run.
///
/// # Errors
/// When a folder cannot be created.
pub(crate) fn tell<'a>(workspace: &Workspace, command: &'a mut Command, kosmo: &Path) -> Result<&'a mut Command> {
    command.env("KOSMO_TEST_PLUGINS", workspace.folder(Group::Shipped.folder())?);
    command.env("KOSMO_TEST_EXAMPLES", workspace.folder(Group::Example.folder())?);
    command.env("KOSMO_TEST_GUESTS", workspace.folder(Group::Test.folder())?);
    Ok(command.env("KOSMO_TEST_BINARY", kosmo))
}

/// On this machine rather than in a sandbox: what they test is pure.
fn plugins(workspace: &Workspace) -> Result<Command> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--locked", "--lib"]).args(guests::packages(workspace, "--package")?);
    Ok(cargo)
}

/// Without the plugins, whose needs would change features of what the host is built from, and build all of it anew.
fn host(workspace: &Workspace) -> Result<Command> {
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--locked", "--workspace"]).args(guests::packages(workspace, "--exclude")?);
    cargo.env("KOSMO_RECORD", workspace.folder(RECORDED)?);
    tell(workspace, &mut cargo, &workspace.binaries().join("kosmo"))?;
    Ok(cargo)
}
