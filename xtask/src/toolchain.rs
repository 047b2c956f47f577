//! A compiler that can build the plugins: one that already can, or one of three ways to get there.

mod cache;
mod debian;
mod rustc;
mod std_build;

use crate::failure::{Failure, Result};
use crate::process::{self, Quietly, say};
use crate::workspace::Workspace;
use cache::{Cache, Slot};
use rustc::Rustc;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{env, fmt};

/// The target every plugin is built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";
const CHOICE: &str = "KOSMO_TOOLCHAIN_ROUTE";
/// A rustup that reaches its server is done in seconds; one that does not may try for minutes.
const RUSTUP_LIMIT: Duration = Duration::from_secs(60);

/// What `cargo` must be told so that it builds for [`TARGET`].
pub(crate) struct Toolchain {
    id: String,
    sysroot: Option<PathBuf>,
    rustc: Option<PathBuf>,
    linkers: Vec<PathBuf>,
}

/// A way to get a standard library for [`TARGET`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Route {
    Installed,
    Rustup,
    DebianSource,
    DebianRustc,
}

const ROUTES: [Route; 4] = [Route::Installed, Route::Rustup, Route::DebianSource, Route::DebianRustc];

impl Toolchain {
    /// Finds or makes a toolchain, saying which route was taken unless nothing had to be done.
    ///
    /// # Errors
    /// When no route leads there: what was tried, why each failed, and the command to run by hand.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        let attempt = Attempt { rustc: Rustc::ask(process::program("RUSTC", "rustc"))?, workspace };
        match wanted()? {
            Some(route) => {
                attempt.take(route, &format!("{CHOICE} says so")).map_err(|why| attempt.nothing_worked(&[(route, why)]))
            }
            None => attempt.first_that_works(),
        }
    }

    /// What its artifacts depend on: two toolchains of one id make the same plugins.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether the plugins are compiled by another compiler than everything else.
    pub(crate) fn is_foreign(&self) -> bool {
        self.rustc.is_some()
    }

    /// Cargo, told to use this toolchain for [`TARGET`]; the command still needs a subcommand.
    pub(crate) fn cargo(&self, workspace: &Workspace) -> Result<Command> {
        let mut cargo = workspace.cargo();
        // The encoded form wins over every other source of flags and survives spaces in paths.
        cargo.env("CARGO_ENCODED_RUSTFLAGS", encoded(&self.flags(workspace)));
        if let Some(rustc) = &self.rustc {
            cargo.env("RUSTC", rustc).env("PATH", path_with(&self.linkers)?);
        }
        Ok(cargo)
    }

    fn flags(&self, workspace: &Workspace) -> Vec<OsString> {
        // Panic messages name source files: a plugin that is handed on should not tell where it was built.
        let mut flags = vec![renamed(&workspace.source(""), "kosmo")];
        // The linker writes every index of a function padded to five bytes unless told otherwise: 8 % of a plugin.
        flags.push("-Clink-arg=--compress-relocations".into());
        flags.extend(cargo_home().map(|home| renamed(&home.join("registry").join("src"), "crates")));
        flags.extend(self.sysroot.as_ref().map(|sysroot| joined(&["--sysroot=".as_ref(), sysroot.as_os_str()])));
        flags
    }
}

struct Attempt<'a> {
    rustc: Rustc,
    workspace: &'a Workspace,
}

impl Attempt<'_> {
    fn first_that_works(&self) -> Result<Toolchain> {
        if let Ok(installed) = self.installed() {
            return Ok(installed);
        }
        if let Some(made_before) = self.made_before() {
            return Ok(made_before);
        }
        let mut refused: Vec<(Route, Failure)> = Vec::new();
        for route in ROUTES {
            let reason = refused.last().map(|(_, why)| first_line(why)).unwrap_or_default();
            match self.take(route, &reason) {
                Ok(toolchain) => return Ok(toolchain),
                Err(why) => refused.push((route, why)),
            }
        }
        Err(self.nothing_worked(&refused))
    }

    fn take(&self, route: Route, reason: &str) -> Result<Toolchain> {
        match route {
            Route::Installed => self.installed(),
            Route::Rustup => self.rustup(),
            Route::DebianSource | Route::DebianRustc => self.made_here(route, reason),
        }
    }

    fn installed(&self) -> Result<Toolchain> {
        match self.rustc.has_std_for(TARGET) {
            true => Ok(Toolchain { id: self.rustc.id(), sysroot: None, rustc: None, linkers: Vec::new() }),
            false => Err(Failure::new(format!("rustc {} has no standard library for {TARGET}", self.rustc.version()))),
        }
    }

    fn rustup(&self) -> Result<Toolchain> {
        let log = self.workspace.folder("xtask")?.join("rustup.log");
        let adding = Quietly { doing: "rustup target add", log: &log, limit: RUSTUP_LIMIT };
        adding.run(process::program("RUSTUP", "rustup").args(["target", "add", TARGET]))?;
        let toolchain = self.installed()?;
        say(format!("toolchain: rustup added {TARGET} to rustc {}", self.rustc.version()));
        Ok(toolchain)
    }

    fn made_before(&self) -> Option<Toolchain> {
        let cache = Cache::open().ok()?;
        let routes = [Route::DebianSource, Route::DebianRustc];
        let slot = routes.iter().find_map(|route| cache.finished(&self.key(*route)))?;
        say(format!("toolchain: {TARGET} from {}", slot.folder().display()));
        self.use_slot(&slot).ok()
    }

    fn made_here(&self, route: Route, reason: &str) -> Result<Toolchain> {
        let logs = self.workspace.folder("xtask")?;
        let slot = Cache::open()?.fill(&self.key(route), |staging| {
            say(format!("toolchain: making {TARGET} by the route {route}, because {reason}"));
            match route {
                Route::DebianRustc => debian::rustc(&self.rustc, staging, &logs),
                _ => debian::source(&self.rustc, staging, &logs),
            }
        })?;
        self.use_slot(&slot)
    }

    fn use_slot(&self, slot: &Slot) -> Result<Toolchain> {
        let sysroot = slot.folder().join("sysroot");
        // The toolchain it was made beside may have moved or gone since.
        std_build::link_host(&self.rustc, &sysroot)?;
        let rustc = Some(slot.folder().join(debian::WRAPPER)).filter(|wrapper| wrapper.exists());
        Ok(Toolchain { id: slot.id(), sysroot: Some(sysroot), rustc, linkers: self.rustc.linkers() })
    }

    fn key(&self, route: Route) -> String {
        format!("{}-{route}-{}", self.rustc.id(), std_build::RECIPE)
    }

    fn nothing_worked(&self, refused: &[(Route, Failure)]) -> Failure {
        let mut text = format!("no way to build for {TARGET} was found. Tried:\n");
        for (route, why) in refused {
            text += &format!("  {:<14} {}\n", route.to_string(), why.to_string().replace('\n', "\n                 "));
        }
        text += "Where the servers of the Rust project can be reached, this is all it takes:\n";
        Failure::unusable(format!("{text}  rustup target add {TARGET}"))
    }
}

impl fmt::Display for Route {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Installed => "installed",
            Self::Rustup => "rustup",
            Self::DebianSource => "debian-source",
            Self::DebianRustc => "debian-rustc",
        })
    }
}

fn first_line(why: &Failure) -> String {
    why.to_string().lines().next().unwrap_or_default().trim_end_matches(':').to_owned()
}

fn wanted() -> Result<Option<Route>> {
    let Some(name) = env::var(CHOICE).ok().filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    match ROUTES.into_iter().find(|route| route.to_string() == name) {
        Some(route) => Ok(Some(route)),
        None => Err(Failure::unusable(format!(
            "{CHOICE}={name} is no route; the routes are installed, rustup, debian-source, debian-rustc"
        ))),
    }
}

fn cargo_home() -> Option<PathBuf> {
    let named = env::var_os("CARGO_HOME").map(PathBuf::from);
    named.or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

fn renamed(from: &std::path::Path, to: &str) -> OsString {
    joined(&["--remap-path-prefix=".as_ref(), from.as_os_str(), "=".as_ref(), to.as_ref()])
}

fn joined(parts: &[&std::ffi::OsStr]) -> OsString {
    parts.iter().copied().collect()
}

fn encoded(flags: &[OsString]) -> OsString {
    flags.join("\u{1f}".as_ref())
}

fn path_with(folders: &[PathBuf]) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(env::split_paths(&path));
    env::join_paths(all).map_err(|error| Failure::new(format!("PATH cannot take the linker's folder: {error}")))
}
