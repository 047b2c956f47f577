//! A session: its settings, and the thread its Lua state lives on.

use super::clock::overdue;
use super::invoker::Invoker;
use super::lost::{Over, Watch};
use super::outcome::{Meta, Outcome};
use super::vm::Vm;
use crate::approval::Approvals;
use crate::audit::new_run;
use crate::fault::{Code, Fault};
use crate::host::Host;
use crate::interrupt::Interrupt;
use crate::observer::Observers;
use crate::patience::Patience;
use crate::rehearsal::Rehearsal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Enough for the deepest recursion Luau allows, through Rust and back.
const STACK: usize = 16 << 20;

/// The least memory a session can be given, in bytes: Lua, and all that scripts find in it, takes most of it.
pub const LEAST_MEMORY: usize = 1_000_000;

/// The longest a limit of time can be: further ahead, clocks cannot count.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Which globals a session's scripts see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Surface {
    /// Everything: `kosmo integrations:lua`.
    #[default]
    Integrations,
    /// No integrations and no documentation of them: `kosmo mcp:lua`.
    McpOnly,
}

/// What a session is built with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) force: bool,
    /// The account of functions that are called without one.
    pub(super) account: Option<String>,
    pub(super) memory_limit: usize,
    pub(super) cpu_limit: Duration,
    pub(super) time_limit: Duration,
    /// How long after the time limit a script that cannot be stopped is given up.
    pub(super) grace: Duration,
    pub(super) surface: Surface,
    pub(super) resume: Option<Resume>,
    pub(super) rehearsal: Option<Arc<Rehearsal>>,
    pub(super) observer: Observers,
    pub(super) interrupt: Option<Interrupt>,
    pub(super) approvals: Option<Approvals>,
}

/// A run that is taken up again.
#[derive(Clone, Debug)]
pub(in crate::lua) struct Resume {
    pub(super) run: Arc<str>,
    pub(super) repeat_in_doubt: bool,
}

impl Settings {
    /// About a run with these settings, which the audit log calls `run`.
    pub(super) fn meta(&self, run: &str) -> Meta {
        Meta {
            permission_bypassed: self.force,
            dry_run: self.rehearsal.is_some(),
            run: Some(run.into()),
            resume: None,
            under_way: self.interrupt.as_ref().filter(|it| it.is_given()).map(Interrupt::writes).unwrap_or_default(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            force: false,
            account: None,
            memory_limit: 32 << 20,
            cpu_limit: Duration::from_secs(30),
            time_limit: Duration::from_secs(300),
            grace: Duration::from_secs(5),
            surface: Surface::default(),
            resume: None,
            rehearsal: None,
            observer: Observers::default(),
            interrupt: None,
            approvals: None,
        }
    }
}

impl Host {
    /// A Lua session, to be configured. Its scripts see and reach what this host does.
    pub fn session(&self) -> SessionBuilder {
        SessionBuilder::new(self.clone())
    }
}

/// Builds a [`Session`]; see [`Host::session`].
pub struct SessionBuilder {
    invoker: Arc<dyn Invoker>,
    settings: Settings,
}

impl SessionBuilder {
    pub(crate) fn new(host: Host) -> Self {
        Self::over(Arc::new(host))
    }

    pub(super) fn over(invoker: Arc<dyn Invoker>) -> Self {
        Self { invoker, settings: Settings::default() }
    }

    /// Whether invocations go past the operator's read and write permissions. Off unless said.
    #[must_use]
    pub fn force(mut self, force: bool) -> Self {
        self.settings.force = force;
        self
    }

    /// The account that `app.integrations.<provider>.<function>` means. `default` unless said; `.default` always is that.
    #[must_use]
    pub fn account(mut self, name: impl Into<String>) -> Self {
        self.settings.account = Some(name.into());
        self
    }

    /// Scripts are only rehearsed: every check is made, and what is not sent is noted in the rehearsal instead. No journal
    /// is kept.
    #[must_use]
    pub fn rehearse(mut self, rehearsal: &Arc<Rehearsal>) -> Self {
        self.settings.rehearsal = Some(Arc::clone(rehearsal));
        self
    }

    /// Who is told of the invocations while they run.
    #[must_use]
    pub fn observer(mut self, observer: impl Into<Observers>) -> Self {
        self.settings.observer = observer.into();
        self
    }

    /// Who is asked where a permission is `ask`. Without, that is a refusal. The time people take counts against no limit.
    #[must_use]
    pub fn approvals(mut self, approvals: &Approvals) -> Self {
        self.settings.approvals = Some(approvals.clone());
        self
    }

    /// Most bytes of Lua memory, at least [`LEAST_MEMORY`]: with less, every run ends in a fault. 32 MiB unless said.
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.settings.memory_limit = bytes;
        self
    }

    /// Most time a script may compute; waiting for providers does not count. 30 s unless said, a year at most.
    #[must_use]
    pub fn cpu_limit(mut self, limit: Duration) -> Self {
        self.settings.cpu_limit = limit.min(YEAR);
        self
    }

    /// Most time a script may take in all. 300 s unless said, a year at most.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.settings.time_limit = limit.min(YEAR);
        self
    }

    /// What scripts see. Everything unless said.
    #[must_use]
    pub fn surface(mut self, surface: Surface) -> Self {
        self.settings.surface = surface;
        self
    }

    /// Takes up a run that broke off, by the name its envelope gave it: writes it did already are not done again but
    /// give what they gave then. One whose answer got lost is looked for at the provider where that is possible, and
    /// otherwise refused, unless `repeat_in_doubt` says to send it once more. For one script.
    #[must_use]
    pub fn resume(mut self, run: &str, repeat_in_doubt: bool) -> Self {
        self.settings.resume = Some(Resume { run: run.into(), repeat_in_doubt });
        self
    }

    /// Once this is given, the script stops, and nothing it asks for begins any more.
    #[must_use]
    pub fn interrupt(mut self, interrupt: &Interrupt) -> Self {
        self.settings.interrupt = Some(interrupt.clone());
        self
    }

    #[cfg(test)]
    pub(super) fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// The session. Its Lua state is built when the first script runs.
    pub fn build(self) -> Session {
        let Self { invoker, settings } = self;
        Session { invoker, settings: Arc::new(settings), worker: Mutex::new(None), overdue: Arc::default() }
    }
}

/// A script and what errors call it.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) name: String,
    pub(super) code: String,
}

impl Script {
    /// `name` stands before line numbers: `workflow.lua:3: …`
    pub fn new(name: impl Into<String>, code: impl Into<String>) -> Self {
        Self { name: name.into(), code: code.into() }
    }
}

/// One Lua state and the globals in it. Scripts run one after the other and see the globals earlier ones left.
pub struct Session {
    invoker: Arc<dyn Invoker>,
    settings: Arc<Settings>,
    worker: Mutex<Option<Worker>>,
    overdue: Arc<AtomicBool>,
}

/// The thread of a session's Lua state.
#[derive(Clone)]
struct Worker {
    jobs: Sender<Job>,
    watch: Arc<Watch>,
}

struct Job {
    script: Script,
    /// What the audit log calls its run.
    id: Arc<str>,
    begun: Arc<OnceLock<Instant>>,
    patience: Arc<Patience>,
    reply: Sender<Outcome>,
}

impl Session {
    /// Runs a script. When the returned future is dropped, the script is stopped.
    pub async fn run(&self, script: Script) -> Outcome {
        let id = self.next_run();
        let run = match self.submit(script, &id) {
            Ok(run) => run,
            Err(refused) => return *refused,
        };
        // Dropped with this future, and then the script stops.
        let _stop = Stop(Arc::clone(&run.patience));
        let (tell, told) = oneshot::channel();
        // A thread that waits, because the caller's runtime may have no clock and the host's may have no thread.
        let waiting = thread::Builder::new().name("kosmo-lua-wait".into());
        let waits = waiting.spawn(move || drop(tell.send(run.wait())));
        match waits {
            Ok(_) => self.ended(told.await.unwrap_or(Ended::Broken), &id),
            Err(_) => self.ended(Ended::Broken, &id),
        }
    }

    /// Runs a script and blocks the calling thread until it ended. Refuses to inside a current-thread runtime that the
    /// host borrowed: while that thread is blocked, no request would ever be sent.
    pub fn run_blocking(&self, script: Script) -> Outcome {
        let id = self.next_run();
        if self.invoker.is_stalled() {
            let message = "Session::run_blocking would block the only thread of the runtime that the host works on. Use \
                           Session::run(script).await there";
            return self.faulted(Fault::new(Code::Internal, message), &id);
        }
        match self.submit(script, &id) {
            Ok(run) => self.ended(run.wait(), &id),
            Err(refused) => *refused,
        }
    }

    /// Whether a script could not be stopped at its limits. Its thread is lost, and the session runs nothing more; a
    /// process that ends should call [`std::process::exit`].
    pub fn is_overdue(&self) -> bool {
        self.overdue.load(Ordering::Relaxed)
    }

    /// What the next run is called.
    fn next_run(&self) -> Arc<str> {
        self.settings.resume.as_ref().map_or_else(new_run, |resume| Arc::clone(&resume.run))
    }

    fn submit(&self, script: Script, id: &Arc<str>) -> Result<Run, Box<Outcome>> {
        if self.is_overdue() {
            return Err(Box::new(self.ended(Ended::Stuck, id)));
        }
        let worker = self.worker().map_err(|ended| Box::new(self.ended(ended, id)))?;
        let (reply, answer) = channel();
        let limit = self.settings.time_limit.saturating_add(self.settings.grace);
        let (overdue, watch) = (Arc::clone(&self.overdue), worker.watch);
        let run = Run { begun: Arc::default(), patience: Arc::default(), overdue, watch, answer, limit };
        let (begun, patience) = (Arc::clone(&run.begun), Arc::clone(&run.patience));
        match worker.jobs.send(Job { script, id: Arc::clone(id), begun, patience, reply }) {
            Ok(()) => Ok(run),
            Err(_) => Err(Box::new(self.ended(Ended::Broken, id))),
        }
    }

    /// The thread of the Lua state, started when it is first needed.
    fn worker(&self) -> Result<Worker, Ended> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(worker) = &*worker {
            return Ok(worker.clone());
        }
        let watch = self.invoker.lost().watch().map_err(Ended::Refused)?;
        let (jobs, taken) = channel();
        let (settings, invoker, over) = (Arc::clone(&self.settings), Arc::clone(&self.invoker), watch.over());
        let thread = thread::Builder::new().name("kosmo-lua".into()).stack_size(STACK);
        let begun = thread.spawn(move || work(settings, invoker, &taken, &over));
        begun.map_err(|_| Ended::Broken)?;
        Ok(worker.insert(Worker { jobs, watch }).clone())
    }

    fn ended(&self, ended: Ended, id: &str) -> Outcome {
        match ended {
            Ended::Answered(outcome) => *outcome,
            Ended::Refused(fault) => self.faulted(fault, id),
            Ended::Overdue => self.faulted(overdue(self.settings.time_limit), id),
            Ended::Stuck => {
                let message =
                    "This session is stuck in an earlier script that could not be stopped. Start another session";
                self.faulted(Fault::new(Code::Timeout, message), id)
            }
            Ended::Broken => {
                // The next script gets a new thread, with a new state.
                self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
                let message = "The Lua session broke off, which is a defect of kosmo. Its globals are lost; the next \
                               script starts afresh";
                self.faulted(Fault::new(Code::Internal, message), id)
            }
        }
    }

    fn faulted(&self, fault: Fault, id: &str) -> Outcome {
        Outcome { meta: self.settings.meta(id), ..Outcome::faulted(fault) }
    }
}

/// A script under way.
struct Run {
    /// When the thread took it up; only then its time begins to run out.
    begun: Arc<OnceLock<Instant>>,
    patience: Arc<Patience>,
    /// The session's: whether some script of it did not end.
    overdue: Arc<AtomicBool>,
    watch: Arc<Watch>,
    answer: Receiver<Outcome>,
    limit: Duration,
}

/// How a script under way ended.
enum Ended {
    /// It never began, because the host has lost too many threads.
    Refused(Fault),
    Answered(Box<Outcome>),
    /// It did not end.
    Overdue,
    /// It never began, because an earlier one did not end.
    Stuck,
    /// Its thread is gone.
    Broken,
}

impl Run {
    fn wait(self) -> Ended {
        loop {
            match self.answer.recv_timeout(self.left()) {
                Ok(outcome) => return Ended::Answered(Box::new(outcome)),
                Err(RecvTimeoutError::Disconnected) => return Ended::Broken,
                Err(RecvTimeoutError::Timeout) if self.left().is_zero() => {
                    self.overdue.store(true, Ordering::Relaxed);
                    self.watch.give_up();
                    return self.given_up(Ended::Overdue);
                }
                Err(RecvTimeoutError::Timeout) if self.is_stuck() => return self.given_up(Ended::Stuck),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn given_up(&self, ended: Ended) -> Ended {
        self.patience.abandon();
        ended
    }

    fn is_stuck(&self) -> bool {
        self.begun.get().is_none() && self.overdue.load(Ordering::Relaxed)
    }

    fn left(&self) -> Duration {
        let limit = self.limit.saturating_add(self.patience.spent());
        self.begun.get().map_or(limit, |begun| limit.saturating_sub(begun.elapsed()))
    }
}

/// Stops a script when nobody waits for it any more.
struct Stop(Arc<Patience>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// The life of a session's thread. One that was given up ends with the script it was stuck in.
fn work(settings: Arc<Settings>, invoker: Arc<dyn Invoker>, jobs: &Receiver<Job>, over: &Over) {
    let vm = Vm::new(settings, invoker);
    // What nobody waits for any more is not even begun.
    for job in jobs.iter().filter(|job| !job.patience.is_abandoned()) {
        // Nobody else sets it.
        let _ = job.begun.set(Instant::now());
        let outcome = match &vm {
            Ok(vm) => vm.run(&job.script, job.id, job.patience),
            Err(error) => Outcome::faulted(Fault::new(Code::Internal, format!("Lua could not be started: {error}"))),
        };
        // The caller may have given up.
        let _ = job.reply.send(outcome);
        if over.is_given_up() {
            return;
        }
    }
}
