//! A server's process, with everything it starts: in a group of its own, which ends with its connection.

use super::notes::Notes;
use super::pipe;
use crate::fault::{Code, Fault};
use crate::mcp::config::Server;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// What every child is given of our environment.
const GIVEN: [&str; 10] = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL"];
/// What no child is given.
const KEPT: &str = "KOSMO_CREDENTIAL_KEY";
/// How long a server may take to end once its standard input is closed.
const GRACE: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What a process is started with.
pub(super) struct Launch<'a> {
    pub(super) server: &'a Server,
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    /// The configured part of its environment.
    pub(super) environment: BTreeMap<String, String>,
    pub(super) folder: PathBuf,
    /// Whether it gets all of our environment.
    pub(super) inherit: bool,
    /// The program that watches over it, if there is one: see [`crate::mcp::watch_over`].
    pub(super) guard: Option<&'a Path>,
}

/// A process under way. When this is dropped, it and all it started are killed.
pub(super) struct Process {
    child: Child,
    /// Its own number, too.
    group: Option<Pid>,
    /// Whether it is the guard of a server, which knows better than we whom to kill.
    is_guard: bool,
    /// Ends with its standard error.
    listening: JoinHandle<()>,
}

impl Launch<'_> {
    /// Starts it. What it says on standard error is noted.
    ///
    /// # Errors
    /// `unconfigured`, if there is no such program or folder.
    pub(super) fn start(self, notes: &Arc<Notes>) -> Result<(Process, ChildStdin, ChildStdout), Fault> {
        self.check()?;
        let mut child = spawn(self.command()).map_err(|error| self.refused(&error.to_string()))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else { return Err(self.refused("it has no pipes")) };
        let listening = tokio::spawn(pipe::listen(stderr, Arc::clone(notes)));
        let is_guard = self.guard.is_some();
        Ok((Process { child, group, is_guard, listening }, stdin, stdout))
    }

    fn command(&self) -> Command {
        let mut command = match self.guard {
            Some(guard) => {
                let mut command = Command::new(guard);
                command.args(["mcp:guard", &std::process::id().to_string(), &self.program]);
                command
            }
            None => Command::new(&self.program),
        };
        if !self.inherit {
            command.env_clear();
            command.envs(GIVEN.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        }
        command.env_remove(KEPT).envs(&self.environment).args(&self.arguments).current_dir(&self.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(self.guard.is_none());
        command
    }

    /// What a guard could only say on standard error.
    fn check(&self) -> Result<(), Fault> {
        if !self.folder.is_dir() {
            return Err(self.refused(&format!("its folder {} is not there", self.folder.display())));
        }
        let there = if self.program.contains('/') {
            self.folder.join(&self.program).is_file()
        } else {
            let path = self.environment.get("PATH").map(OsString::from).or_else(|| std::env::var_os("PATH"));
            std::env::split_paths(&path.unwrap_or_default()).any(|folder| folder.join(&self.program).is_file())
        };
        if there { Ok(()) } else { Err(self.refused("there is no such program; install it, or name its path")) }
    }

    fn refused(&self, why: &str) -> Fault {
        let message = format!("MCP server '{}' cannot be started (`{}`): {why}", self.server.name, self.program);
        Fault::new(Code::Unconfigured, message)
    }
}

impl Process {
    /// How it ended, if it ends soon.
    pub(super) async fn ended(&self, patience: Duration) -> Option<String> {
        let until = Instant::now() + patience;
        loop {
            let (how, late) = (self.how(), Instant::now() >= until);
            // What it said last may not have been read yet.
            if late || how.is_some() && self.listening.is_finished() {
                return how;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits for its end, once its standard input is closed, and helps where it does not come.
    pub(super) async fn end(self) {
        if self.ended(GRACE).await.is_none() && self.is_guard {
            self.kill(Signal::TERM);
            self.ended(GRACE).await;
        }
        // Whether it ended or not, all it started is killed when this is dropped.
    }

    fn kill(&self, signal: Signal) {
        // There may be nobody left.
        let _ = self.group.map(|guard| kill_process(guard, signal));
    }

    /// Looked at without taking its number back, which stays its group's until everything in that was killed.
    fn how(&self) -> Option<String> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.group?), options).ok()??;
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Some(format!("ended with exit code {code}")),
            (None, Some(signal)) => Some(format!("was ended by signal {signal}")),
            (None, None) => Some("ended".into()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_guard && self.how().is_none() {
            return self.kill(Signal::TERM);
        }
        // There may be nobody left.
        let _ = self.group.map(|group| kill_process_group(group, Signal::KILL));
        // Reaped by the runtime, or with this process.
        let _ = self.child.start_kill();
    }
}

type Job = (Command, Handle, Sender<std::io::Result<Child>>);

/// Starts a process from a thread that lives as long as we do: a guard's parent, to the system, is the thread that
/// started it.
fn spawn(command: Command) -> std::io::Result<Child> {
    static STARTER: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (jobs, taken) = channel::<Job>();
        let start = move || {
            for (mut command, runtime, reply) in taken {
                let _here = runtime.enter();
                // Whoever asked may have gone; the child then ends with the message.
                let _ = reply.send(command.spawn());
            }
        };
        std::thread::Builder::new().name("kosmo-mcp".into()).spawn(start).ok().map(|_| jobs)
    });
    let lost = || std::io::Error::other("there is no thread to start it from");
    let (reply, answer) = channel();
    let job = (command, Handle::current(), reply);
    starter.as_ref().ok_or_else(lost)?.send(job).map_err(|_| lost())?;
    answer.recv().map_err(|_| lost())?
}
