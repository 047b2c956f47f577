//! The life of the process that watches over a server: it ends everything the server started as soon as the server ends,
//! or kosmo is gone, be it by `kill -9`.

use super::offspring;
use rustix::io::Errno;
use rustix::process::{Signal, WaitOptions, WaitStatus, getpid, kill_current_process_group, kill_process, wait};
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// What a shell answers when there is no such program.
const NOT_STARTED: i32 = 127;
/// How long what was killed may take to be gone. What is not ours to kill never is.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between the first two looks. The next ones wait twice as long each, up to the other.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
const LOOK_AGAIN_AT_LAST: Duration = Duration::from_millis(100);

/// Runs a program with our own standard input, output and error, and gives the code to end with. Everything it started
/// is killed when it ends. That, this process and the program are killed as soon as the process of this number is our
/// parent no more, or tells us to terminate.
///
/// For the `kosmo` program, which calls itself with this: an embedder's program can do the same.
pub fn watch_over(parent: u32, program: &OsStr, arguments: &[OsString]) -> i32 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let watched = runtime.and_then(|runtime| runtime.block_on(run(parent, program, arguments)));
    watched.unwrap_or_else(|error| {
        eprintln!("{}: {error}", program.display());
        NOT_STARTED
    })
}

async fn run(parent: u32, program: &OsStr, arguments: &[OsString]) -> io::Result<i32> {
    let (mut orphaned, mut ended) = (signal(SignalKind::terminate())?, signal(SignalKind::child())?);
    tell_when_orphaned()?;
    adopt_orphans()?;
    if std::os::unix::process::parent_id() != parent {
        end_all();
    }
    let child = Command::new(program).args(arguments).spawn()?.id();
    loop {
        tokio::select! {
            _ = orphaned.recv() => end_all(),
            _ = ended.recv() => if let Some(status) = bury(child).0 {
                end_offspring();
                return Ok(code(status));
            },
        }
    }
}

/// Takes leave of every child that ended: how the one of this number did, and whether there are others.
fn bury(child: u32) -> (Option<WaitStatus>, bool) {
    let mut status = None;
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, how))) if pid.as_raw_nonzero().get().cast_unsigned() == child => status = Some(how),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return (status, true),
            Err(_) => return (status, false),
        }
    }
}

/// Kills everything that descends from us, where that is known. Whatever lost its parent on the way is our child by then.
fn end_offspring() {
    let until = Instant::now() + PATIENCE;
    let mut pause = LOOK_AGAIN;
    while offspring::ARE_LISTED && bury(0).1 && Instant::now() < until {
        for pid in offspring::of(getpid()) {
            // It may have ended by itself meanwhile.
            let _ = kill_process(pid, Signal::KILL);
        }
        sleep(pause);
        pause = LOOK_AGAIN_AT_LAST.min(pause * 2);
    }
}

fn end_all() {
    end_offspring();
    // It is our own group, so this call ends with us.
    let _ = kill_current_process_group(Signal::KILL);
}

#[cfg(target_os = "linux")]
fn tell_when_orphaned() -> io::Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?)
}

/// What loses its parent is our child from then on, whatever session and group it went into.
#[cfg(target_os = "linux")]
fn adopt_orphans() -> io::Result<()> {
    Ok(rustix::process::set_child_subreaper(Some(getpid()))?)
}

#[cfg(not(target_os = "linux"))]
fn tell_when_orphaned() -> io::Result<()> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

fn code(status: WaitStatus) -> i32 {
    status.exit_status().unwrap_or_else(|| 128 + status.terminating_signal().unwrap_or_default())
}
