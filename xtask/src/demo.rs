//! `cargo xtask demo`: from a clone to Lua that reaches both providers.

use crate::failure::Result;
use crate::home::{Home, Writes};
use crate::simulator::Simulator;
use crate::workspace::Workspace;
use crate::{build, script};

const WHAT_NEXT: &str = "\
That was a simulator. Next:
  cargo xtask play       a shell in which every documented command works against it
  cargo xtask install    kosmo and its plugins, in place for good
To paste right away:
  echo \"kosmo integrations:lua --eval 'dump(app.integrations.dialpad.list_users({limit = 2}))' --json\" | cargo xtask play
";

/// Builds everything and runs the demonstration.
///
/// # Errors
/// When a build fails or a script does.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    build::to_show(workspace)?;
    let simulator = Simulator::start(workspace)?;
    let home = Home::write(workspace, workspace.empty_folder("demo/home")?, &simulator, Writes::AsUsual)?;
    script::show(workspace, &home, &["integrations:lua", "examples/demo.lua"])?;
    script::show(workspace, &home, &["integrations:lua", "examples/summary.lua", "--json"])?;
    print!("{WHAT_NEXT}");
    Ok(())
}
