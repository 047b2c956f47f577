//! Running other programs: in the open, in silence with a log, or for their answer.

use crate::failure::{Context, Failure, Result};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a silent step works before it says that it is still at it.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How much of a failed step's log is shown.
const LINES_SHOWN: usize = 40;

/// Says something on stderr, so that stdout stays what the user asked to see.
pub(crate) fn say(text: impl AsRef<str>) {
    eprintln!("xtask: {}", text.as_ref());
}

/// Runs a program whose output is the user's to see.
///
/// # Errors
/// When it cannot be started or ends in failure; `doing` says what it was for.
pub(crate) fn run(command: &mut Command, doing: &str) -> Result<()> {
    let status = command.status().context(|| not_started(command, doing))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::new(format!("{doing} failed ({status}); the reason is above"))),
    }
}

/// Runs a program for what it prints on stdout.
///
/// # Errors
/// As [`run`], with what the program said on stderr.
pub(crate) fn answer(command: &mut Command, doing: &str) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().context(|| not_started(command, doing))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(Failure::new(format!(
            "{doing} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
    }
}

/// Runs a program that may well fail, for what it prints on stdout.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn said(command: &mut Command, doing: &str) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().context(|| not_started(command, doing))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A step whose output is of interest only when it fails.
pub(crate) struct Quietly<'a> {
    /// What the step does, as in "xtask: unpacking … 3 s".
    pub(crate) doing: &'a str,
    /// Where its output goes.
    pub(crate) log: &'a Path,
    /// When it is ended as too slow.
    pub(crate) limit: Duration,
}

impl Quietly<'_> {
    /// Runs the step, giving a sign of life now and then, and answers with the time it took.
    ///
    /// # Errors
    /// When it cannot be started, fails or passes its limit; ends with the last lines of the log.
    pub(crate) fn run(&self, command: &mut Command) -> Result<Duration> {
        let started = Instant::now();
        let child = self.start(command)?;
        let status = self.wait(child, started)?;
        match status.success() {
            true => Ok(started.elapsed()),
            false => Err(Failure::new(format!("{} failed ({status}){}", self.doing, self.end_of_log()))),
        }
    }

    fn start(&self, command: &mut Command) -> Result<Child> {
        let log = File::create(self.log).context(|| format!("cannot write {}", self.log.display()))?;
        let same = log.try_clone().context(|| format!("cannot write {}", self.log.display()))?;
        command.stdin(Stdio::null()).stdout(log).stderr(same);
        command.spawn().context(|| not_started(command, self.doing))
    }

    fn wait(&self, mut child: Child, started: Instant) -> Result<ExitStatus> {
        let mut next_sign = SIGN_OF_LIFE;
        loop {
            if let Some(status) = child.try_wait().context(|| format!("{} was lost", self.doing))? {
                return Ok(status);
            }
            if started.elapsed() > self.limit {
                return Err(self.end(child));
            }
            if started.elapsed() > next_sign {
                say(format!("… {} ({} s)", self.doing, started.elapsed().as_secs()));
                next_sign += SIGN_OF_LIFE;
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    fn end(&self, mut child: Child) -> Failure {
        // A child that has just ended by itself is as ended as one that was killed.
        drop(child.kill());
        drop(child.wait());
        Failure::new(format!("{} was ended after {} s without a result", self.doing, self.limit.as_secs()))
    }

    fn end_of_log(&self) -> String {
        let text = fs::read(self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>();
        let end = lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n");
        match (lines.len(), end.is_empty()) {
            (_, true) => String::new(),
            (0..=LINES_SHOWN, _) => format!(":\n{end}"),
            _ => format!(":\n…\n{end}\n(from the start: {})", self.log.display()),
        }
    }
}

/// The program that an environment variable names, or the one of that name on `PATH`.
pub(crate) fn program(variable: &str, otherwise: &str) -> Command {
    Command::new(std::env::var_os(variable).filter(|value| !value.is_empty()).unwrap_or_else(|| otherwise.into()))
}

fn not_started(command: &Command, doing: &str) -> String {
    format!("{doing} failed: `{}` cannot be started", command.get_program().display())
}
