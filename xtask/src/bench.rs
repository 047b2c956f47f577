//! `cargo xtask bench`: what an invocation costs.

use crate::failure::Result;
use crate::workspace::Workspace;
use crate::{build, guests, process, test};

/// Builds a release and prints the ratios.
///
/// # Errors
/// When something does not build, or a bench fails.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut programs = build::programs(workspace);
    build::with_plugins(workspace, &guests::ALL, programs.arg("--release"), build::PROGRAMS)?;
    let mut bench = workspace.cargo();
    bench.args(["bench", "--locked", "--package", "kosmo-tests", "--bench", "invocation"]);
    process::run(test::tell(workspace, &mut bench, &workspace.target("release/kosmo"))?, "the bench")
}
