//! What the compiler says about itself.

use crate::failure::{Failure, Result};
use crate::process;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A compiler, by its own account.
pub(crate) struct Rustc {
    program: Command,
    version: Version,
    sysroot: PathBuf,
}

#[derive(Debug, PartialEq)]
struct Version {
    release: String,
    commit: String,
    host: String,
}

impl Rustc {
    /// Asks a compiler who it is.
    ///
    /// # Errors
    /// When it cannot be run or says nothing that can be understood.
    pub(crate) fn ask(mut program: Command) -> Result<Self> {
        let version = process::answer(program.arg("-vV"), "asking rustc for its version")?;
        let version = Version::parse(&version)
            .ok_or_else(|| Failure::new(format!("`rustc -vV` names no release and host; it says:\n{version}")))?;
        let mut rustc = Self { program: Command::new(program.get_program()), version, sysroot: PathBuf::new() };
        rustc.sysroot = rustc.print(&["sysroot"])?;
        Ok(rustc)
    }

    /// The release, as in `1.95.0`; a pre-release has a suffix, as in `1.97.0-nightly`.
    pub(crate) fn version(&self) -> &str {
        &self.version.release
    }

    /// The platform it runs on, as in `aarch64-unknown-linux-gnu`.
    pub(crate) fn host(&self) -> &str {
        &self.version.host
    }

    /// Who compiled what: release, commit and host.
    pub(crate) fn id(&self) -> String {
        let Version { release, commit, host } = &self.version;
        format!("{release}-{}-{host}", &commit[..commit.len().min(9)])
    }

    /// Whether a standard library for `target` lies where this compiler looks for one.
    pub(crate) fn has_std_for(&self, target: &str) -> bool {
        let folder = self.print(&["target-libdir", "--target", target]);
        folder.is_ok_and(|folder| holds_std(&folder))
    }

    /// Where it keeps its programs and libraries for its own platform.
    pub(crate) fn host_folder(&self) -> PathBuf {
        self.sysroot.join("lib").join("rustlib").join(self.host())
    }

    /// The folders of the linkers that came with it.
    pub(crate) fn linkers(&self) -> Vec<PathBuf> {
        let programs = self.host_folder().join("bin");
        vec![programs.clone(), programs.join("gcc-ld")]
    }

    fn print(&self, what: &[&str]) -> Result<PathBuf> {
        let mut rustc = Command::new(self.program.get_program());
        let path = process::answer(rustc.arg("--print").args(what), "asking rustc where its libraries are")?;
        Ok(PathBuf::from(path.trim_end_matches('\n')))
    }
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        Some(Self {
            release: field("release")?.to_owned(),
            commit: field("commit-hash").unwrap_or("unknown").to_owned(),
            host: field("host")?.to_owned(),
        })
    }
}

fn holds_std(folder: &Path) -> bool {
    let mut files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.any(|file| {
        let name = file.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, release: &str, commit: &str, host: &str) {
        let expected = Version { release: release.into(), commit: commit.into(), host: host.into() };
        assert_eq!(Version::parse(text), Some(expected));
    }

    #[test]
    fn the_version_of_every_kind_of_build_is_read() {
        reads(
            "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\ncommit-hash: 59807616e1fa2540724bfbac14d7976d7e4a3860\n\
             commit-date: 2026-04-14\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2\n",
            "1.95.0",
            "59807616e1fa2540724bfbac14d7976d7e4a3860",
            "x86_64-unknown-linux-gnu",
        );
        reads(
            "rustc 1.97.0-nightly (e50aba0d9 2026-05-01)\nbinary: rustc\ncommit-hash: unknown\n\
             host: aarch64-apple-darwin\nrelease: 1.97.0-nightly\n",
            "1.97.0-nightly",
            "unknown",
            "aarch64-apple-darwin",
        );
        reads(
            "host: riscv64gc-unknown-linux-gnu\nrelease: 1.96.0\n",
            "1.96.0",
            "unknown",
            "riscv64gc-unknown-linux-gnu",
        );
        assert_eq!(Version::parse("clang version 14"), None);
    }
}
