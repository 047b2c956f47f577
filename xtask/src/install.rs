//! `cargo xtask install`: kosmo and its plugins, in place for good.

use crate::build;
use crate::failure::{Context, Failure, Result};
use crate::guests::Group;
use crate::process::{self, say};
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Builds a release and puts it where the user's other programs are.
///
/// # Errors
/// When a build fails, a folder cannot be written, or `kosmo` refuses a plugin.
pub(crate) fn run(workspace: &Workspace, root: Option<PathBuf>) -> Result<()> {
    let folder = binaries(root)?;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--locked", "--package", "kosmo"]);
    let plugins = build::with_plugins(workspace, &[Group::Shipped], &mut cargo, "building kosmo")?;
    let kosmo = place(&workspace.target("release/kosmo"), &folder)?;
    process::run(Command::new(&kosmo).arg("plugins:install").args(&plugins), "installing the plugins")?;
    say_what_next(&kosmo, &folder);
    Ok(())
}

/// Where `cargo install` would put it.
fn binaries(root: Option<PathBuf>) -> Result<PathBuf> {
    let named = |variable| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    let root = root.or_else(|| named("CARGO_INSTALL_ROOT")).or_else(|| named("CARGO_HOME")).or_else(home);
    let root = root.ok_or_else(|| Failure::unusable("there is no home folder to install into; use --root DIR"))?;
    std::path::absolute(root.join("bin")).context(|| format!("cannot install into {}", root.display()))
}

fn place(built: &Path, folder: &Path) -> Result<PathBuf> {
    let (kosmo, fresh) = (folder.join("kosmo"), folder.join("kosmo.new"));
    // Renamed into place, since the old one may be running.
    let placed =
        fs::create_dir_all(folder).and_then(|()| fs::copy(built, &fresh)).and_then(|_| fs::rename(&fresh, &kosmo));
    placed.context(|| format!("cannot write {}", kosmo.display()))?;
    Ok(kosmo)
}

fn say_what_next(kosmo: &Path, folder: &Path) {
    say(format!("installed {}", kosmo.display()));
    let path = env::var_os("PATH").unwrap_or_default();
    if !env::split_paths(&path).any(|part| part == folder) {
        say(format!("it is not on your PATH yet; for that: export PATH=\"{}:$PATH\"", folder.display()));
    }
    say("next: give it an account, for example with DIALPAD_ACCESS_TOKEN in the environment, then");
    say("  kosmo integrations:lua --eval 'dump(app.integrations.dialpad.list_users({limit = 2}))'");
}
