//! Building the standard library for the plugins' target, and laying it out as a sysroot.

use super::{TARGET, encoded, joined, path_with, renamed, rustc::Rustc};
use crate::failure::{Context, Result};
use crate::process::{self, Quietly, say};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What the C library has to contribute; the names are the ones rustc looks for.
const LIBC_FILES: [&str; 3] = ["crt1-command.o", "crt1-reactor.o", "libc.a"];
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// Building an empty library makes cargo build everything below it. Optimised for size, as the plugins are.
const MANIFEST: &str = r#"[package]
name = "kosmo-std"
version = "0.0.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]
path = "lib.rs"

[profile.release]
opt-level = "z"

[workspace]
"#;

/// Counts how often what is built here changed, so that what an older recipe made is not taken for it.
pub(crate) const RECIPE: u32 = 2;

/// The inputs of one build.
pub(crate) struct StdBuild<'a> {
    /// The toolchain of the user, which has the linkers.
    pub(crate) host: &'a Rustc,
    /// The compiler to build with, if it is not the user's own.
    pub(crate) rustc: Option<PathBuf>,
    /// The source of exactly that compiler.
    pub(crate) source: PathBuf,
    /// The folder of wasi-libc for the target.
    pub(crate) libc: PathBuf,
    /// A folder to build in, which may be thrown away afterwards.
    pub(crate) work: &'a Path,
    /// Where cargo's output goes.
    pub(crate) log: PathBuf,
}

impl StdBuild<'_> {
    /// Builds it and lays it out under `sysroot`.
    ///
    /// # Errors
    /// When cargo fails (with the end of its output), or a file cannot be written.
    pub(crate) fn run(&self, sysroot: &Path) -> Result<()> {
        let empty = self.work.join("std");
        fs::create_dir_all(&empty).context(|| cannot("create", &empty))?;
        fs::write(empty.join("Cargo.toml"), MANIFEST).context(|| cannot("write", &empty))?;
        fs::write(empty.join("lib.rs"), "").context(|| cannot("write", &empty))?;
        say("toolchain: building the standard library (about 40 s on two cores)");
        let building = Quietly { doing: "building the standard library", log: &self.log, limit: LIMIT };
        let took = building.run(&mut self.cargo(&empty)?)?;
        say(format!("toolchain: built in {} s", took.as_secs()));
        self.lay_out(&empty.join("target").join(TARGET).join("release").join("deps"), sysroot)
    }

    fn cargo(&self, empty: &Path) -> Result<Command> {
        let mut cargo = process::program("CARGO", "cargo");
        cargo.args(["build", "--release", "-Zbuild-std=std,panic_abort", "--target", TARGET, "--target-dir", "target"]);
        // No backtraces, which nobody would see, and the smaller of two algorithms where there are two.
        cargo.arg("-Zbuild-std-features=optimize_for_size");
        cargo.current_dir(empty);
        // What lets a stable cargo build a standard library, and from here instead of the compiler's own sysroot.
        cargo.env("RUSTC_BOOTSTRAP", "1").env("__CARGO_TESTS_ONLY_SRC_ROOT", self.source.join("library"));
        cargo.env("CARGO_ENCODED_RUSTFLAGS", encoded(&self.flags()));
        if let Some(rustc) = &self.rustc {
            cargo.env("RUSTC", rustc).env("PATH", path_with(&self.host.linkers())?);
        }
        Ok(cargo)
    }

    fn flags(&self) -> Vec<OsString> {
        let mut flags = vec!["-Clink-self-contained=no".into()];
        // Without bitcode inside, no plugin could be optimised across crates ("can't find section .llvmbc").
        flags.push("-Cembed-bitcode=yes".into());
        flags.push(joined(&["-Lnative=".as_ref(), self.libc.as_os_str()]));
        flags.push(renamed(&self.source, "rust"));
        flags
    }

    fn lay_out(&self, built: &Path, sysroot: &Path) -> Result<()> {
        let libraries = sysroot.join("lib").join("rustlib").join(TARGET).join("lib");
        let self_contained = libraries.join("self-contained");
        fs::create_dir_all(&self_contained).context(|| cannot("create", &self_contained))?;
        for file in fs::read_dir(built).context(|| cannot("read", built))?.flatten() {
            if file.path().extension().is_some_and(|kind| kind == "rlib") {
                copy(&file.path(), &libraries.join(file.file_name()))?;
            }
        }
        LIBC_FILES.iter().try_for_each(|name| copy(&self.libc.join(name), &self_contained.join(name)))
    }
}

/// Makes the compiler's own folder for its platform, with the linkers in it, part of `sysroot`.
///
/// # Errors
/// When the link cannot be made.
pub(crate) fn link_host(rustc: &Rustc, sysroot: &Path) -> Result<()> {
    let link = sysroot.join("lib").join("rustlib").join(rustc.host());
    if fs::read_link(&link).is_ok_and(|to| to == rustc.host_folder()) {
        return Ok(());
    }
    // By way of another name, since a run beside this one may be using the link.
    let fresh = link.with_extension(format!("new-{}", std::process::id()));
    symlink(rustc.host_folder(), &fresh).context(|| cannot("create", &fresh))?;
    fs::rename(&fresh, &link).context(|| cannot("create", &link))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

fn cannot(what: &str, path: &Path) -> String {
    format!("cannot {what} {}", path.display())
}
