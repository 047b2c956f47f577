//! Building the plugins: those we ship, the examples, and the ones that misbehave for the tests.

use crate::failure::{Context, Failure, Result};
use crate::process::{Quietly, say};
use crate::toolchain::{TARGET, Toolchain};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A shipped plugin is downloaded, hashed and compiled by its users: this is what it may weigh, in bytes.
const LARGEST: u64 = 250_000;
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// Folders of plugins that belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Group {
    /// What we ship.
    Shipped,
    /// Templates for authors.
    Example,
    /// What the tests need: plugins that misbehave.
    Test,
}

/// Every group, for the tasks that need all.
pub(crate) const ALL: [Group; 3] = [Group::Shipped, Group::Example, Group::Test];

/// One package of the plugins' side.
struct Guest {
    package: String,
    group: Group,
    /// Whether it becomes a component; otherwise plugins use it as a library.
    component: bool,
}

impl Group {
    fn sources(self) -> &'static str {
        match self {
            Self::Shipped => "plugins",
            Self::Example => "examples/plugins",
            Self::Test => "tests/guests",
        }
    }

    /// Where its components are left, below the target folder.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Shipped => "plugins",
            Self::Example => "plugins-examples",
            Self::Test => "plugins-test",
        }
    }
}

/// `cargo xtask plugins`
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let toolchain = Toolchain::ensure(workspace)?;
    let components = build(workspace, &toolchain, &ALL)?;
    for component in &components {
        println!("{}", workspace.shown(component));
    }
    refuse_large(workspace)
}

/// Builds the plugins of these groups and answers with the components, sorted by name within their group.
///
/// # Errors
/// When one does not compile.
pub(crate) fn build(workspace: &Workspace, toolchain: &Toolchain, groups: &[Group]) -> Result<Vec<PathBuf>> {
    let mut guests = find(workspace, groups)?;
    guests.retain(|guest| guest.component);
    let folder = workspace.folder(&format!("guests-{}", toolchain.id()))?;
    compile(workspace, toolchain, &guests, &folder)?;
    let built = folder.join(TARGET).join("guest");
    let components = groups.iter().map(|group| hand_over(workspace, &guests, *group, &built));
    Ok(components.collect::<Result<Vec<_>>>()?.concat())
}

/// Every package of the plugins' side, libraries included, each after `flag` as in `--package NAME`.
///
/// # Errors
/// When a manifest cannot be read.
pub(crate) fn packages(workspace: &Workspace, flag: &str) -> Result<Vec<String>> {
    let guests = find(workspace, &ALL)?;
    Ok(guests.into_iter().flat_map(|guest| [flag.to_owned(), guest.package]).collect())
}

fn find(workspace: &Workspace, groups: &[Group]) -> Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for group in groups {
        let folders = fs::read_dir(workspace.source(group.sources())).into_iter().flatten().flatten();
        let manifests = folders.map(|folder| folder.path().join("Cargo.toml")).filter(|manifest| manifest.exists());
        for manifest in manifests {
            let text = fs::read_to_string(&manifest).context(|| format!("cannot read {}", manifest.display()))?;
            guests.extend(Guest::parse(&text, *group));
        }
    }
    guests.sort_by(|one, other| one.package.cmp(&other.package));
    Ok(guests)
}

fn compile(workspace: &Workspace, toolchain: &Toolchain, guests: &[Guest], folder: &Path) -> Result<()> {
    let mut cargo = toolchain.cargo(workspace)?;
    cargo.args(["build", "--locked", "--profile", "guest", "--target", TARGET]).arg("--target-dir").arg(folder);
    cargo.args(guests.iter().flat_map(|guest| ["--package", &guest.package]));
    let names = guests.iter().map(|guest| guest.package.as_str()).collect::<Vec<_>>().join(", ");
    say(format!("plugins: building {names}"));
    let log = workspace.folder("xtask")?.join("plugins.log");
    let building = Quietly { doing: "building the plugins", log: &log, limit: LIMIT };
    let took = building.run(&mut cargo)?;
    say(format!("plugins: built in {} s", took.as_secs()));
    Ok(())
}

/// Puts the components of one group where its users look for them, and takes away what is no longer one of them.
fn hand_over(workspace: &Workspace, guests: &[Guest], group: Group, built: &Path) -> Result<Vec<PathBuf>> {
    let folder = workspace.folder(group.folder())?;
    let names = guests.iter().filter(|guest| guest.group == group).map(Guest::file_name).collect::<Vec<_>>();
    for stale in fs::read_dir(&folder).into_iter().flatten().flatten() {
        if !names.iter().any(|name| stale.file_name() == name.as_str()) {
            fs::remove_file(stale.path()).context(|| format!("cannot remove {}", stale.path().display()))?;
        }
    }
    names.iter().map(|name| copy(&built.join(name), &folder.join(name))).collect()
}

impl Guest {
    /// Reads as much of a manifest as matters here.
    fn parse(manifest: &str, group: Group) -> Option<Self> {
        let value = |name: &str| {
            let mut lines = manifest.lines().filter_map(|line| line.split_once('='));
            lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
        };
        let component = value("crate-type").is_some_and(|kinds| kinds.contains("\"cdylib\""));
        value("name").map(|name| Self { package: name.trim_matches('"').to_owned(), group, component })
    }

    /// Cargo names the file after the library, which has no dashes.
    fn file_name(&self) -> String {
        format!("{}.wasm", self.package.replace('-', "_"))
    }
}

fn copy(from: &Path, to: &Path) -> Result<PathBuf> {
    // A running host may be reading the old one, and another run may be doing the same: replace it as a whole.
    let fresh = from.with_extension(std::process::id().to_string());
    let size = fs::copy(from, &fresh).context(|| format!("cannot copy {}", from.display()))?;
    fs::rename(&fresh, to).context(|| format!("cannot write {}", to.display()))?;
    say(format!("plugins: {} {size} bytes", to.file_name().unwrap_or_default().display()));
    Ok(to.to_owned())
}

/// Holds the shipped plugins to their size. Those who only want to see them work are not kept from it.
///
/// # Errors
/// Names every plugin that is larger than it may be.
pub(crate) fn refuse_large(workspace: &Workspace) -> Result<()> {
    let files = fs::read_dir(workspace.target(Group::Shipped.folder())).into_iter().flatten().flatten();
    let large = files.filter(|file| file.metadata().is_ok_and(|about| about.len() > LARGEST));
    let names = large.map(|file| workspace.shown(&file.path())).collect::<Vec<_>>().join(" and ");
    match names.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "a plugin we ship may have {LARGEST} bytes, which {names} exceeds; `cargo tree --package` shows what it pulls in"
        ))),
    }
}

/// Clippy for the plugins, on the target and in the profile they are built for, so that both share their macros.
///
/// # Errors
/// When clippy finds something.
pub(crate) fn clippy(workspace: &Workspace, toolchain: &Toolchain) -> Result<Command> {
    let mut cargo = toolchain.cargo(workspace)?;
    cargo.args(["clippy", "--locked", "--profile", "guest", "--target", TARGET]).arg("--target-dir");
    cargo.arg(workspace.folder(&format!("guests-{}", toolchain.id()))?);
    cargo.args(packages(workspace, "--package")?).args(["--", "--deny", "warnings"]);
    Ok(cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(manifest: &str, package: &str, component: bool) {
        let guest = Guest::parse(manifest, Group::Shipped).expect("a manifest with a name");
        assert_eq!((guest.package.as_str(), guest.component), (package, component));
    }

    #[test]
    fn only_what_links_as_a_component_is_one() {
        is("[package]\nname = \"dialpad\"\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n", "dialpad", true);
        is("[package]\nname = \"kosmo-plugin\"\n\n[dependencies]\nwaki.workspace = true\n", "kosmo-plugin", false);
        is("[package]\nname=\"kit\"\n[lib]\ncrate-type = [\"rlib\"]\n", "kit", false);
    }
}
