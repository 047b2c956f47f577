//! The two routes that need nothing but Debian's package archive and the crates registry.

use super::rustc::Rustc;
use super::std_build::StdBuild;
use crate::apt::sources::{self, Mirror};
use crate::apt::{Archive, Offer, upstream};
use crate::failure::{Context, Failure, Result};
use crate::process;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where [`rustc`] leaves the compiler, below the folder it fills.
pub(crate) const WRAPPER: &str = "bin/rustc";
/// The release whose wasi-libc is new enough, and the suites that carry the source of recent compilers.
const RELEASE: &str = "trixie";
const LIKELY: [&str; 2] = [RELEASE, "trixie-backports"];
const ALSO: [&str; 4] = [RELEASE, "trixie-backports", "forky", "sid"];
const LIBC: &str = "usr/lib/wasm32-wasip2";

/// Fills `staging` with a sysroot whose standard library was built from the source of the user's own compiler.
///
/// # Errors
/// When this is no Debian, no suite has that source, or it does not build.
pub(crate) fn source(host: &Rustc, staging: &Path, logs: &Path) -> Result<()> {
    let version = released(host)?;
    let mirror = sources::mirror()?;
    let work = Work::new(staging);
    let (archive, offer) = source_of(version, &mirror, &work, logs)?;
    archive.fetch(&[offer.pinned("rust-src"), libc_of(&archive)?], &work.unpacked())?;
    build(host, None, upstream(&offer.version), &work, logs)?;
    work.remove()
}

/// Fills `staging` with Debian's own compiler and a sysroot built from that compiler's source.
///
/// # Errors
/// When this is no Debian, no suite has a recent enough pair, or the compiler does not run here.
pub(crate) fn rustc(host: &Rustc, staging: &Path, logs: &Path) -> Result<()> {
    let mirror = sources::mirror()?;
    let work = Work::new(staging);
    let own = Archive::open(&work.folder("own"), &mirror.own_suites(), logs)?;
    let offer = recent_enough(&own)?;
    let compiler = unpack_compiler(&own, &offer, staging)?;
    own.fetch(&[offer.pinned("rust-web-src")], &work.unpacked())?;
    let release = Archive::open(&work.folder("release"), &mirror.suites(&[RELEASE]), logs)?;
    release.fetch(&[libc_of(&release)?], &work.unpacked())?;
    build(host, Some(compiler), upstream(&offer.version), &work, logs)?;
    work.remove()
}

/// What is needed only while a toolchain is made.
struct Work {
    root: PathBuf,
}

impl Work {
    fn new(staging: &Path) -> Self {
        Self { root: staging.join("work") }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn unpacked(&self) -> PathBuf {
        self.folder("unpacked")
    }

    fn remove(&self) -> Result<()> {
        fs::remove_dir_all(&self.root).context(|| format!("cannot remove {}", self.root.display()))
    }
}

fn released(host: &Rustc) -> Result<&str> {
    let version = host.version();
    match version.contains('-') {
        true => Err(Failure::new(format!("Debian has the source of releases only, and this is rustc {version}"))),
        false => Ok(version),
    }
}

/// Most compilers are found without the indexes of the two big suites.
fn source_of(version: &str, mirror: &Mirror, work: &Work, logs: &Path) -> Result<(Archive, Offer)> {
    for (name, suites) in [("likely", &LIKELY[..]), ("also", &ALSO[..])] {
        let archive = Archive::open(&work.folder(name), &mirror.suites(suites), logs)?;
        let found = archive.offers("rust-src")?.into_iter().find(|offer| upstream(&offer.version) == version);
        match found {
            Some(offer) => return Ok((archive, offer)),
            None if name == "also" => return Err(archive.lacks(&format!("rust-src {version}"))),
            None => continue,
        }
    }
    Err(Failure::new("no suite to look for rust-src in"))
}

fn libc_of(archive: &Archive) -> Result<String> {
    let offers = archive.offers("wasi-libc")?;
    let tried = offers.iter().find(|offer| offer.is_from(RELEASE)).or(offers.first());
    tried.map(|offer| offer.pinned("wasi-libc")).ok_or_else(|| archive.lacks("wasi-libc"))
}

fn recent_enough(archive: &Archive) -> Result<Offer> {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    let offers = archive.offers("rustc-web")?;
    let found = offers.into_iter().find(|offer| release_number(&offer.version) >= release_number(needed));
    found.ok_or_else(|| archive.lacks(&format!("rustc-web {needed} or later")))
}

/// Major and minor version, `(0, 0)` for what has none.
fn release_number(version: &str) -> (u32, u32) {
    let mut parts = upstream(version).split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

fn unpack_compiler(archive: &Archive, offer: &Offer, staging: &Path) -> Result<PathBuf> {
    let (major, minor) = release_number(&offer.version);
    let runtime = format!("libstd-rust-web-{major}.{minor}");
    let into = staging.join("rustc");
    archive.fetch(&["rustc-web", "libstd-rust-web-dev", &runtime].map(|package| offer.pinned(package)), &into)?;
    archive.fetch_what_is_missing_for(&runtime, &into)?;
    write_wrapper(staging, &library_folder(&into.join("usr").join("lib"))?)
}

/// The folder of the compiler's shared libraries, whose name depends on the machine's architecture.
fn library_folder(lib: &Path) -> Result<String> {
    let folders = fs::read_dir(lib).context(|| format!("cannot read {}", lib.display()))?.flatten();
    let mut names = folders.filter(|folder| holds_compiler(&folder.path())).map(|folder| folder.file_name());
    let name = names.next().ok_or_else(|| Failure::new(format!("{} holds no librustc_driver", lib.display())))?;
    Ok(name.to_string_lossy().into_owned())
}

fn holds_compiler(folder: &Path) -> bool {
    let mut files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.any(|file| file.file_name().to_string_lossy().starts_with("librustc_driver"))
}

/// A script keeps the libraries to the compiler; in cargo's environment every program would see them.
fn write_wrapper(staging: &Path, libraries: &str) -> Result<PathBuf> {
    let wrapper = staging.join(WRAPPER);
    let script = format!(
        "#!/bin/sh\nhere=$(dirname \"$0\")/../rustc/usr\nLD_LIBRARY_PATH=\"$here/lib/{libraries}:$here/../lib/{libraries}\" exec \"$here/bin/rustc\" \"$@\"\n"
    );
    let written = fs::create_dir_all(staging.join("bin")).and_then(|()| fs::write(&wrapper, script));
    written
        .and_then(|()| fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)))
        .context(|| format!("cannot write {}", wrapper.display()))?;
    process::answer(Command::new(&wrapper).arg("--version"), "starting Debian's rustc").map(|_| wrapper)
}

fn build(host: &Rustc, rustc: Option<PathBuf>, version: &str, work: &Work, logs: &Path) -> Result<()> {
    let unpacked = work.unpacked();
    let std = StdBuild {
        host,
        rustc,
        source: unpacked.join("usr/src").join(format!("rustc-{version}")),
        libc: unpacked.join(LIBC),
        work: &work.root,
        log: logs.join("std.log"),
    };
    std.run(&work.root.with_file_name("sysroot"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_compare_as_numbers() {
        assert!(release_number("1.100.0+dfsg1-1") > release_number("1.95"));
        assert!(release_number("1.85.0+dfsg3-1~deb12u3") < release_number("1.95"));
        assert_eq!(release_number("1.96.0+dfsg1-1~deb12u2"), (1, 96));
        assert_eq!(release_number("unknown"), (0, 0));
    }
}
