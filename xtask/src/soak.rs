//! `cargo xtask soak`: chance and input that nobody thought of, for as long as one has patience.

use crate::failure::{Failure, Result};
use crate::process::{self, Quietly, say};
use crate::processes;
use crate::task::Part;
use crate::workspace::Workspace;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// The properties of `kosmo::fuzzing`.
const PROPERTIES: [&str; 4] = ["rules", "urls", "dialled", "values"];
/// A first build with coverage takes several minutes.
const BUILD: Duration = Duration::from_secs(3600);
/// How much longer than asked for libFuzzer may take to end.
const SLACK: Duration = Duration::from_secs(120);

/// Minutes for the processes, the clients and each property, unless said.
const A_DRIVER: f64 = 1.0;
const EACH_PROPERTY: f64 = 10.0;

/// Soaks all there is, or one part of it.
///
/// # Errors
/// As the parts.
pub(crate) fn run(workspace: &Workspace, only: Option<Part>, minutes: Option<f64>) -> Result<()> {
    let all = [Part::Processes, Part::Clients, Part::Properties];
    all.into_iter().filter(|part| only.is_none_or(|only| only == *part)).try_for_each(|part| match part {
        Part::Processes | Part::Clients => {
            let time = Duration::from_secs_f64(minutes.unwrap_or(A_DRIVER) * 60.0);
            processes::run(workspace, if part == Part::Clients { "clients" } else { "soak" }, time)
        }
        Part::Properties => properties(workspace, minutes.unwrap_or(EACH_PROPERTY)),
    })
}

/// Looks for input that breaks a property, so many minutes for each.
///
/// # Errors
/// Exit code 2 when cargo-fuzz is missing; otherwise when a property does not build or is broken.
fn properties(workspace: &Workspace, minutes: f64) -> Result<()> {
    let mut version = workspace.cargo();
    process::answer(version.args(["fuzz", "--version"]), "looking for cargo-fuzz").map_err(|_| {
        Failure::unusable("soak needs cargo-fuzz and a C++ compiler: cargo install cargo-fuzz --locked")
    })?;
    let logs = workspace.folder("fuzz/logs")?;
    let build = Quietly { doing: "building the fuzz targets", log: &logs.join("build.log"), limit: BUILD };
    build.run(&mut fuzz(workspace, "build"))?;
    let time = Duration::from_secs_f64(minutes * 60.0);
    // All at once: what they need is time rather than speed.
    let logs = logs.as_path();
    let broken = thread::scope(|scope| {
        let tries = PROPERTIES.map(|property| scope.spawn(move || holds(workspace, logs, property, time)));
        let tries = tries.map(|held| held.join().unwrap_or(false));
        tries.into_iter().filter(|held| !held).count()
    });
    match broken {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{broken} of {} properties are broken; see above", PROPERTIES.len()))),
    }
}

/// Tries one property and says how it went.
fn holds(workspace: &Workspace, logs: &Path, property: &str, time: Duration) -> bool {
    let log = logs.join(format!("{property}.log"));
    let step = Quietly { doing: &format!("fuzzing `{property}`"), log: &log, limit: time + SLACK };
    let outcome = search(workspace, property, time).and_then(|mut search| step.run(&mut search));
    let runs = runs(&fs::read_to_string(&log).unwrap_or_default());
    match &outcome {
        Ok(took) => say(format!("{property}: {runs} runs in {} s, 0 crashes", took.as_secs())),
        Err(failure) => {
            let again = format!("tests/fuzz/regressions/{property}/");
            say(format!("{property}: broken after {runs} runs: {failure}\nCopy the input it names to {again}"));
        }
    }
    outcome.is_ok()
}

fn search(workspace: &Workspace, property: &str, time: Duration) -> Result<Command> {
    let found = workspace.folder(&format!("fuzz/corpus/{property}"))?;
    let artifacts = workspace.folder(&format!("fuzz/artifacts/{property}"))?;
    let mut search = fuzz(workspace, "run");
    search.arg(property).arg(found);
    for folder in ["seeds", "regressions"] {
        let folder = workspace.source("tests/fuzz").join(folder).join(property);
        if folder.is_dir() {
            search.arg(folder);
        }
    }
    search.args(["--", "-print_final_stats=1", "-timeout=10", "-max_len=4096"]);
    search.arg(format!("-max_total_time={}", time.as_secs()));
    search.arg(format!("-artifact_prefix={}/", artifacts.display()));
    Ok(search)
}

/// Without a sanitizer, so that any compiler does: this project's own code has no `unsafe` but for loading what it
/// compiled itself.
fn fuzz(workspace: &Workspace, what: &str) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["fuzz", what, "--fuzz-dir", "tests/fuzz", "--sanitizer", "none", "--target-dir"]);
    cargo.arg(workspace.target("fuzz/build"));
    // What was meant for the workspace's own build would undo what cargo-fuzz asks for.
    cargo.env_remove("RUSTFLAGS");
    cargo
}

fn runs(log: &str) -> u64 {
    let count = log.lines().rev().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}
