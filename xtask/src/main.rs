//! `cargo xtask`: the set-up, the builds and the checks of this repository.
//!
//! It uses the standard library alone, because everything else waits for it on a fresh clone.

mod apt;
mod bench;
mod build;
mod clients;
mod clippy;
mod conform;
mod demo;
mod everything;
mod failure;
mod guests;
mod help;
mod home;
mod hostile;
mod install;
mod json;
mod keyring;
mod play;
mod preflight;
mod process;
mod processes;
mod script;
mod simulator;
mod site;
mod soak;
mod task;
mod test;
mod toolchain;
mod workspace;

use failure::Result;
use std::process::ExitCode;
use task::Task;
use workspace::Workspace;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    match Task::parse(&arguments).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(task: Task) -> Result<()> {
    if let Task::Help = task {
        print!("{}", help::TEXT);
        return Ok(());
    }
    let workspace = Workspace::find()?;
    match task {
        Task::Help => Ok(()),
        Task::Demo { hostile: false } => demo::run(&workspace),
        Task::Demo { hostile: true } => hostile::run(&workspace),
        Task::Play => play::run(&workspace),
        Task::Install { root } => install::run(&workspace, root),
        Task::Plugins => guests::run(&workspace),
        Task::Test { passed_on } => test::run(&workspace, &passed_on),
        Task::Conform => conform::run(&workspace),
        Task::Clippy => clippy::run(&workspace),
        Task::Soak { only, minutes } => soak::run(&workspace, only, minutes),
        Task::Bench => bench::run(&workspace),
    }
}
