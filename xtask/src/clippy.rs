//! `cargo xtask clippy`: the plugins, on their own target.

use crate::failure::Result;
use crate::guests;
use crate::process::{self, say};
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;

/// Runs clippy over every plugin.
///
/// # Errors
/// When it finds something.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let toolchain = Toolchain::ensure(workspace)?;
    if toolchain.is_foreign() {
        // Clippy reads only what its own compiler has written.
        say("clippy: left out, because this machine compiles plugins with another compiler than clippy's");
        return Ok(());
    }
    process::run(&mut guests::clippy(workspace, &toolchain)?, "clippy for the plugins")
}
