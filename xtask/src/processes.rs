//! `cargo xtask soak --only processes` and `--only clients`: drivers of several processes at one home, some of them killed,
//! and of many clients of one server.

use crate::failure::Result;
use crate::guests::Group;
use crate::workspace::Workspace;
use crate::{build, process, test};
use std::time::Duration;

/// Runs the driver for so long; it prints its figures.
///
/// # Errors
/// When something does not build, or the driver finds something broken.
pub(crate) fn run(workspace: &Workspace, name: &str, time: Duration) -> Result<()> {
    build::with_plugins(workspace, &[Group::Shipped], &mut build::programs(workspace), build::PROGRAMS)?;
    let mut driver = workspace.cargo();
    driver.args(["test", "--locked", "--package", "kosmo-tests", "--test", name, "--", "--seconds"]);
    driver.arg(time.as_secs().to_string());
    process::run(
        test::tell(workspace, &mut driver, &workspace.binaries().join("kosmo"))?,
        &format!("the driver `{name}`"),
    )
}
