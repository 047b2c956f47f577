//! The key of the store in a real keyring, where one can be started.

use crate::failure::Result;
use crate::guests::Group;
use crate::process::{self, say};
use crate::workspace::Workspace;
use crate::{build, test};
use std::env;

/// What has to be on the path, and the package that brings it.
const PROGRAMS: [(&str, &str); 2] = [("dbus-run-session", "dbus"), ("gnome-keyring-daemon", "gnome-keyring")];

/// Runs the tests with a keyring. Where none can be started, says what is missing.
///
/// # Errors
/// When something does not build, or a test fails.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let missing: Vec<_> =
        PROGRAMS.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        say(format!("conform: the keyring was not tried, for want of one: apt-get install {}", missing.join(" ")));
        return Ok(());
    }
    build::with_plugins(workspace, &[Group::Shipped], &mut build::programs(workspace), build::PROGRAMS)?;
    let mut tests = workspace.cargo();
    tests.args(["test", "--locked", "--package", "kosmo-tests", "--test", "keyring"]);
    process::run(test::tell(workspace, &mut tests, &workspace.binaries().join("kosmo"))?, "the tests with a keyring")
}

fn is_there(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
