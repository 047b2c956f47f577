//! `cargo xtask soak --only processes`: several processes at one home, some of them killed.

use crate::failure::Result;
use crate::guests::Group;
use crate::workspace::Workspace;
use crate::{build, process, test};
use std::time::Duration;

/// Runs the driver for so long; it prints its figures.
///
/// # Errors
/// When something does not build, or something that was confirmed got lost, or something secret could be read.
pub(crate) fn run(workspace: &Workspace, time: Duration) -> Result<()> {
    build::with_plugins(workspace, &[Group::Shipped], &mut build::programs(workspace), build::PROGRAMS)?;
    let mut driver = workspace.cargo();
    driver.args(["test", "--locked", "--package", "kosmo-tests", "--test", "soak", "--", "--seconds"]);
    driver.arg(time.as_secs().to_string());
    process::run(test::tell(workspace, &mut driver, &workspace.binaries().join("kosmo"))?, "the soak of processes")
}
