//! Packages of Debian, downloaded and unpacked without installing anything or touching the machine's own sources.
//!
//! apt does the work and keeps the promise that every byte is signed for; it only gets a state of its own.

pub(crate) mod sources;

use crate::failure::{Context, Failure, Result};
use crate::process::{self, Quietly, say};
use sources::Suite;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20 * 60);

/// A set of suites, with apt's private record of what they hold.
pub(crate) struct Archive {
    folder: PathBuf,
    suites: Vec<Suite>,
    logs: PathBuf,
    /// What went wrong while the indexes were fetched; one missing suite does not make the others useless.
    trouble: Option<Failure>,
}

/// A version of a package that can be had.
#[derive(Debug, PartialEq)]
pub(crate) struct Offer {
    /// As in `1.95.0+dfsg1-2~bpo13+1`.
    pub(crate) version: String,
    origin: String,
}

impl Archive {
    /// Fetches the indexes of these suites into `folder`; apt's output goes to `logs`.
    ///
    /// # Errors
    /// When there is no apt here, or `folder` cannot be written.
    pub(crate) fn open(folder: &Path, suites: &[Suite], logs: &Path) -> Result<Self> {
        let mut archive =
            Self { folder: folder.to_owned(), suites: suites.to_vec(), logs: logs.to_owned(), trouble: None };
        let architecture = architecture()?;
        archive.write_configuration(&architecture)?;
        say(format!("toolchain: reading Debian's indexes of {}", archive.suite_names()));
        archive.trouble = archive.quietly("reading the indexes", archive.apt("apt-get").arg("update")).err();
        Ok(archive)
    }

    /// The versions of a package, newest first.
    ///
    /// # Errors
    /// When apt cannot be asked.
    pub(crate) fn offers(&self, package: &str) -> Result<Vec<Offer>> {
        let table = process::answer(self.apt("apt-cache").args(["madison", package]), "asking apt for versions")?;
        Ok(table.lines().filter_map(Offer::parse).collect())
    }

    /// Downloads packages (`name=version`) and unpacks them into a folder.
    ///
    /// # Errors
    /// When one is not to be had, or is not what was signed.
    pub(crate) fn fetch(&self, packages: &[String], into: &Path) -> Result<()> {
        say(format!("toolchain: downloading {}", packages.join(", ")));
        let here = self.empty_archives()?;
        self.quietly("downloading", self.apt("apt-get").arg("download").args(packages).current_dir(&here))?;
        unpack(&here, into)
    }

    /// Downloads and unpacks what a package needs and this machine does not have installed.
    ///
    /// # Errors
    /// When it cannot be unpacked. That apt finds no solution is none: what needs the packages will tell.
    pub(crate) fn fetch_what_is_missing_for(&self, package: &str, into: &Path) -> Result<()> {
        let here = self.empty_archives()?;
        let mut install = self.apt("apt-get");
        install.args(["install", "--yes", "--download-only", "--no-install-recommends", package]);
        match self.quietly("downloading", &mut install) {
            Ok(_) => unpack(&here, into),
            Err(_) => Ok(()),
        }
    }

    /// Says that a package is not in these suites.
    pub(crate) fn lacks(&self, wanted: &str) -> Failure {
        let why = self.trouble.as_ref().map(|trouble| format!("; {trouble}")).unwrap_or_default();
        Failure::new(format!("{wanted} is not in Debian's {}{why}", self.suite_names()))
    }

    fn apt(&self, program: &str) -> Command {
        let mut apt = Command::new(program);
        apt.arg("--config-file").arg(self.folder.join("apt.conf")).env("LC_ALL", "C");
        apt
    }

    fn quietly(&self, doing: &str, apt: &mut Command) -> Result<Duration> {
        Quietly { doing, log: &self.logs.join("apt.log"), limit: LIMIT }.run(apt)
    }

    fn suite_names(&self) -> String {
        self.suites.iter().map(|suite| suite.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn write_configuration(&self, architecture: &str) -> Result<()> {
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(self.folder.join(folder)).context(|| cannot("create", &self.folder))?;
        }
        let lines = self.suites.iter().map(|suite| suite.line(architecture)).collect::<String>();
        fs::write(self.folder.join("sources.list"), lines).context(|| cannot("write", &self.folder))?;
        fs::write(self.folder.join("apt.conf"), self.configuration()?).context(|| cannot("write", &self.folder))
    }

    /// Read after the machine's own configuration, whose proxies and mirrors' passwords stay in force.
    fn configuration(&self) -> Result<String> {
        let folder = self.folder.to_str().filter(|folder| !folder.contains('"'));
        let folder = folder.ok_or_else(|| Failure::new(format!("apt cannot work in {}", self.folder.display())))?;
        Ok(CONFIGURATION.replace("FOLDER", folder))
    }

    fn empty_archives(&self) -> Result<PathBuf> {
        let archives = self.folder.join("cache/archives");
        fs::remove_dir_all(&archives).context(|| cannot("empty", &archives))?;
        fs::create_dir_all(archives.join("partial")).context(|| cannot("create", &archives))?;
        Ok(archives)
    }
}

/// The hooks are cleared because they belong to changes of the system, and nothing of it is changed here.
const CONFIGURATION: &str = r#"Dir::Etc::SourceList "FOLDER/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "FOLDER/state";
Dir::State::Lists "FOLDER/state/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "FOLDER/cache";
Dir::Cache::Archives "FOLDER/cache/archives";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
APT::Sandbox::User "root";
Debug::NoLocking "true";
#clear APT::Default-Release;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"#;

impl Offer {
    /// Reads a line of `apt-cache madison`: package, version and origin between bars.
    fn parse(line: &str) -> Option<Self> {
        let mut columns = line.split(" | ").skip(1).map(str::trim);
        Some(Self { version: columns.next()?.to_owned(), origin: columns.next()?.to_owned() })
    }

    /// A package at this very version, as apt writes it.
    pub(crate) fn pinned(&self, package: &str) -> String {
        format!("{package}={}", self.version)
    }

    /// Whether this suite carries it.
    pub(crate) fn is_from(&self, suite: &str) -> bool {
        self.origin.split_whitespace().any(|word| word.split('/').next() == Some(suite))
    }
}

/// The part of a version that its authors gave it: `1.95.0` of `1.95.0+dfsg1-2~bpo13+1`.
pub(crate) fn upstream(version: &str) -> &str {
    version.split(['+', '-', '~']).next().unwrap_or(version)
}

/// What Debian calls this machine's architecture; without an answer there is no apt to go on with either.
fn architecture() -> Result<String> {
    let answer = process::answer(Command::new("dpkg").arg("--print-architecture"), "asking dpkg for the architecture");
    let answer = answer.map_err(|why| Failure::new(format!("this route needs Debian's apt and dpkg; {why}")))?;
    Ok(answer.trim().to_owned())
}

fn unpack(archives: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(into).context(|| cannot("create", into))?;
    let files = fs::read_dir(archives).context(|| cannot("read", archives))?.flatten().map(|file| file.path());
    for package in files.filter(|file| file.extension().is_some_and(|kind| kind == "deb")) {
        let mut extract = Command::new("dpkg-deb");
        process::answer(extract.arg("--extract").arg(&package).arg(into), "unpacking a package")?;
    }
    Ok(())
}

fn cannot(what: &str, path: &Path) -> String {
    format!("cannot {what} {}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn offers(line: &str, version: &str, suite: &str) {
        let offer = Offer::parse(line).expect("a line of madison");
        assert_eq!(offer.version, version);
        assert!(offer.is_from(suite), "{offer:?} is not from {suite}");
    }

    #[test]
    fn versions_and_their_suites_are_read_from_madison() {
        offers(
            " rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://mirror/debian trixie-backports/main amd64 Packages",
            "1.95.0+dfsg1-2~bpo13+1",
            "trixie-backports",
        );
        offers(
            "libstd-rust-web-dev | 1.96.0+dfsg1-1~deb12u2 | http://mirror/debian-security bookworm-security/main arm64 Packages",
            "1.96.0+dfsg1-1~deb12u2",
            "bookworm-security",
        );
        let backport = Offer::parse(" wasi-libc | 1-2 | http://mirror/debian trixie-backports/main amd64 Packages")
            .expect("a line");
        assert!(!backport.is_from("trixie"));
        assert_eq!(Offer::parse("N: Unable to locate package rust-src"), None);
    }

    #[test]
    fn the_upstream_version_ends_where_debian_begins() {
        for (version, own) in [
            ("1.95.0+dfsg1-2~bpo13+1", "1.95.0"),
            ("1.96.0-1", "1.96.0"),
            ("1.97.0~beta.2+dfsg-1", "1.97.0"),
            ("1.95", "1.95"),
        ] {
            assert_eq!(upstream(version), own);
        }
    }
}
