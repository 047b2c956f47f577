//! Where things are.

use crate::failure::{Context, Failure, Result};
use crate::process;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// This clone, and where cargo builds it.
pub(crate) struct Workspace {
    root: PathBuf,
    binaries: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// The clone this program was built from.
    ///
    /// # Errors
    /// When the running program is not where cargo builds programs.
    pub(crate) fn find() -> Result<Self> {
        let here = env::current_exe().context(|| "cannot tell where xtask was built".to_owned())?;
        // Cargo put this program beside the ones to come, whatever CARGO_TARGET_DIR or a config file says.
        let folders = here.parent().and_then(|binaries| Some((binaries, binaries.parent()?)));
        let (binaries, target) = folders.ok_or_else(|| Failure::new("xtask runs only as `cargo xtask`"))?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
        Ok(Self { root: root.to_owned(), binaries: binaries.to_owned(), target: target.to_owned() })
    }

    /// A path inside the clone.
    pub(crate) fn source(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A path inside cargo's target folder.
    pub(crate) fn target(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    /// The folder of the development builds, `kosmo` among them.
    pub(crate) fn binaries(&self) -> &Path {
        &self.binaries
    }

    /// A folder inside the target folder, there when this returns.
    pub(crate) fn folder(&self, path: &str) -> Result<PathBuf> {
        let folder = self.target(path);
        fs::create_dir_all(&folder).context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }

    /// A folder inside the target folder, there and empty when this returns.
    pub(crate) fn empty_folder(&self, path: &str) -> Result<PathBuf> {
        let folder = self.target(path);
        if folder.exists() {
            fs::remove_dir_all(&folder).context(|| format!("cannot empty {}", folder.display()))?;
        }
        self.folder(path)
    }

    /// Cargo, at the clone's root.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = process::program("CARGO", "cargo");
        cargo.current_dir(&self.root);
        cargo
    }

    /// A path as the user would type it: relative to the clone where that is shorter.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}
