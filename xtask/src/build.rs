//! The plugins and the host's programs, built side by side.

use crate::failure::{Failure, Result};
use crate::guests::{self, Group};
use crate::preflight;
use crate::process;
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

/// Runs `cargo`, and meanwhile sets the toolchain up and builds the plugins of these groups.
///
/// The toolchain mostly waits for downloads and the plugins mostly for a linker on one core, so side by side they
/// cost a fresh clone little more than the host alone.
///
/// # Errors
/// When either fails, or a compiler is missing.
pub(crate) fn with_plugins(
    workspace: &Workspace,
    groups: &[Group],
    cargo: &mut Command,
    doing: &str,
) -> Result<Vec<PathBuf>> {
    preflight::check()?;
    thread::scope(|scope| {
        let plugins = scope.spawn(|| guests::build(workspace, &Toolchain::ensure(workspace)?, groups));
        let host = process::run(cargo, doing);
        let plugins = plugins.join().unwrap_or_else(|_| Err(Failure::new("building the plugins panicked")));
        host.and(plugins)
    })
}

/// Cargo, told to build `kosmo` and the simulator.
///
/// Always both, since cargo chooses the features of shared dependencies by what it builds together: whatever builds
/// this pair shares everything below it with `test` and `bench`.
pub(crate) fn programs(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked", "--package", "kosmo", "--package", "kosmo-simulator"]);
    cargo
}

/// The plugins we ship, and the programs as development builds: what `demo` and `play` run.
///
/// # Errors
/// As [`with_plugins`].
pub(crate) fn to_show(workspace: &Workspace) -> Result<()> {
    to_show_with(workspace, &[Group::Shipped])
}

/// As [`to_show`], with the plugins of these groups.
pub(crate) fn to_show_with(workspace: &Workspace, groups: &[Group]) -> Result<()> {
    with_plugins(workspace, groups, &mut programs(workspace), PROGRAMS).map(drop)
}

/// What building the programs is called when it fails.
pub(crate) const PROGRAMS: &str = "building kosmo and the simulator";
