//! `cargo xtask conform`: what was recorded, against the official documents; what is generated, in a browser; MCP, against
//! the protocol's own test server and its official clients; the key
//! of the store, in a keyring.

use crate::failure::{Failure, Result};
use crate::test::{self, RECORDED};
use crate::workspace::Workspace;
use crate::{clients, everything, keyring, process, site};
use std::path::{Path, PathBuf};
use std::{env, fs};

const VARIABLE: &str = "KOSMO_SPECS";
const BESIDE_THE_CLONE: &str = "../shared/specs";

/// Opens the generated documentation in a browser, tries MCP both ways with what the protocol's own people wrote, and compares
/// every recorded exchange with the official documents.
///
/// # Errors
/// Exit code 2 when the documents are missing; otherwise when something deviates.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    site::run(workspace)?;
    everything::run(workspace)?;
    clients::run(workspace)?;
    keyring::run(workspace)?;
    let documents = documents(workspace)?;
    if is_empty(&workspace.folder(RECORDED)?) {
        test::run(workspace, &[])?;
    }
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--locked", "--quiet", "--package", "kosmo-conform", "--", "--specs"]).arg(documents);
    process::run(cargo.arg("--recorded").arg(workspace.target(RECORDED)), "the comparison with the official documents")
}

fn documents(workspace: &Workspace) -> Result<PathBuf> {
    let named = env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let folder = named.map_or_else(|| workspace.source(BESIDE_THE_CLONE), PathBuf::from);
    match holds_json(&folder) {
        true => Ok(folder),
        false => Err(Failure::unusable(format!(
            "conform needs the two official OpenAPI documents (*.json), and {} holds none; name their folder in {VARIABLE}",
            workspace.shown(&folder)
        ))),
    }
}

fn holds_json(folder: &Path) -> bool {
    let mut files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.any(|file| file.path().extension().is_some_and(|kind| kind == "json"))
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut files| files.next().is_none())
}
