//! The life of the process that watches over a server: it ends everything the server started as soon as kosmo is gone,
//! be it by `kill -9`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// What a shell answers when there is no such program.
const NOT_STARTED: i32 = 127;
/// Between the end of a process's pipes and that of the process.
const MOMENT: Duration = Duration::from_millis(100);

/// Runs a program with our own standard input, output and error, and gives the code to end with. Everything in this
/// process group, this process included, is killed as soon as the process of this number is our parent no more.
///
/// For the `kosmo` program, which calls itself with this: an embedder's program can do the same.
pub fn watch_over(parent: u32, program: &OsStr, arguments: &[OsString]) -> i32 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let watched = runtime.and_then(|runtime| runtime.block_on(run(parent, program, arguments)));
    watched.map_or_else(
        |error| {
            eprintln!("{}: {error}", program.display());
            NOT_STARTED
        },
        code,
    )
}

async fn run(parent: u32, program: &OsStr, arguments: &[OsString]) -> io::Result<ExitStatus> {
    let mut orphaned = signal(SignalKind::terminate())?;
    tell_when_orphaned()?;
    if !is_parent(parent) {
        end_all();
    }
    let mut child = Command::new(program).args(arguments).spawn()?;
    tokio::select! {
        status = child.wait() => {
            // If it ended because we are alone, that shows in a moment.
            tokio::time::sleep(MOMENT).await;
            if !is_parent(parent) {
                end_all();
            }
            status
        }
        _ = orphaned.recv() => {
            end_all();
            child.wait().await
        }
    }
}

#[cfg(target_os = "linux")]
fn tell_when_orphaned() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?)
}

#[cfg(not(target_os = "linux"))]
fn tell_when_orphaned() -> io::Result<()> {
    Ok(())
}

fn is_parent(parent: u32) -> bool {
    std::os::unix::process::parent_id() == parent
}

fn end_all() {
    // It is our own group, so this call ends with us.
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::KILL);
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
