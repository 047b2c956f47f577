//! One invocation as the log follows it: from the asking, over every decision and request, to the end.

use super::{Audit, Event, Place, Record, Unwritable, Verdict, masked, new_run};
use crate::approval::Approval;
use crate::clip::{NAME, clipped};
use crate::description::{Function, Operation};
use crate::fault::{Code, Fault};
use crate::invocation::Invocation;
use crate::observer::{Observed, Observer, Observers, Request};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Most characters of a reason.
const REASON: usize = 300;
/// The outcome of what nobody waits for any more.
const ABANDONED: &str = "abandoned";
/// The outcome of what would have sent something.
const REHEARSED: &str = "rehearsed";

/// One invocation.
pub(crate) struct Trail {
    audit: Arc<Audit>,
    run: Arc<str>,
    invocation: u64,
    begun: Instant,
    client: Option<Arc<str>>,
    provider: String,
    account: String,
    function: String,
    known: OnceLock<Known>,
    arguments: OnceLock<String>,
    attempts: AtomicU32,
    under_way: Mutex<Vec<Sent>>,
    refused: AtomicBool,
    rehearsed: AtomicBool,
    ended: AtomicBool,
    observer: Observers,
}

/// What is known once the function was found.
struct Known {
    plugin: Arc<str>,
    function: String,
    operation: Operation,
}

impl Trail {
    /// From the moment an invocation is asked for.
    pub(crate) fn begin(audit: &Arc<Audit>, asked: &Invocation) -> Arc<Self> {
        let name = |text: &str| clipped(text, NAME).into_owned();
        Arc::new(Self {
            audit: Arc::clone(audit),
            run: asked.run.clone().unwrap_or_else(new_run),
            invocation: audit.invocations.fetch_add(1, Ordering::Relaxed) + 1,
            begun: Instant::now(),
            client: asked.client.clone(),
            provider: name(&asked.provider),
            account: name(asked.account()),
            function: name(&asked.function),
            known: OnceLock::new(),
            arguments: OnceLock::new(),
            attempts: AtomicU32::new(0),
            under_way: Mutex::default(),
            refused: AtomicBool::new(false),
            rehearsed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            observer: asked.observer.clone(),
        })
    }

    /// The run it belongs to.
    pub(crate) fn run(&self) -> &Arc<str> {
        &self.run
    }

    /// For as long as somebody waits. Requests keep the trail itself, and may go on for a while.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        Waiting(self)
    }

    /// The function that was found under the name asked for, and the digest of its plugin.
    pub(crate) fn found(&self, plugin: &Arc<str>, function: &Function) {
        let known =
            Known { plugin: Arc::clone(plugin), function: function.name.clone(), operation: function.operation };
        // An invocation is of one function, found once.
        let _ = self.known.set(known);
    }

    /// The tool of an MCP server that was found, and the fingerprint of that server's entry.
    pub(crate) fn known(&self, fingerprint: &str, tool: &str, operation: Operation) {
        // A tool is known before what may be done with it is; the first word stands.
        let _ = self.known.set(Known { plugin: fingerprint.into(), function: tool.into(), operation });
    }

    /// The arguments as the function takes them.
    pub(crate) fn took(&self, arguments: &Map<String, Value>) {
        if let Ok(digest) = self.audit.digest(arguments) {
            let _ = self.arguments.set(digest);
        }
    }

    /// A permission had its say. `rule` is what it says.
    ///
    /// # Errors
    /// That a write cannot be recorded, and so may not go on.
    pub(crate) fn permission(&self, decision: Verdict, rule: &str) -> Result<(), Fault> {
        let recorded = self.decided(decision, Some(rule), None, None);
        if decision.is_refusal() {
            return Ok(());
        }
        self.go_on(recorded, true)?;
        self.observe(|observer, of| observer.begun(of));
        Ok(())
    }

    /// Somebody was asked about a request because of this rule.
    ///
    /// # Errors
    /// That a write cannot be recorded, and so may not go on.
    pub(crate) fn answered(&self, answer: Approval, rule: &str, place: Place<'_>) -> Result<(), Fault> {
        let decision = Verdict::from(answer);
        let recorded = self.decided(decision, Some(&answer.after(rule)), None, Some(place));
        if decision.is_refusal() { Ok(()) } else { self.go_on(recorded, true) }
    }

    /// The gate lets a request out.
    ///
    /// # Errors
    /// That a write cannot be recorded, and so may not be sent.
    pub(crate) fn allowed(&self, rule: &str, place: &Place<'_>) -> Result<(), Fault> {
        let harmless = matches!(&*place.method, "GET" | "HEAD" | "OPTIONS");
        self.go_on(self.decided(Verdict::Allowed, Some(rule), None, Some(place.clone())), harmless)
    }

    /// Something was refused: a request, or an import. Whether the plugin tells it or not.
    pub(crate) fn refused(&self, fault: &Fault, place: Option<Place<'_>>) {
        let reason = masked(&clipped(first_sentence(&fault.message), REASON));
        let decision = if fault.code == Code::ApprovalRequired { Verdict::ApprovalRequired } else { Verdict::Denied };
        let place = place.map(|place| Place { path: masked(&clipped(&place.path, REASON)).into(), ..place });
        // It is refused already, recorded or not.
        let _ = self.decided(decision, None, Some(reason), place);
    }

    /// A request was let out and not sent, which ends the invocation.
    pub(crate) fn rehearsed(&self) {
        self.rehearsed.store(true, Ordering::Relaxed);
    }

    fn decided(
        &self,
        decision: Verdict,
        rule: Option<&str>,
        reason: Option<String>,
        place: Option<Place<'_>>,
    ) -> Result<(), Unwritable> {
        self.refused.fetch_or(decision.is_refusal(), Ordering::Relaxed);
        let (rule, reason) = (rule.map(Into::into), reason.map(Into::into));
        self.write(Event::Decision { decision, rule, reason, place })
    }

    /// A request goes out, now, with a body of so many bytes.
    pub(crate) fn attempt(&self, rule: String, place: Place<'static>, bytes: u64) -> Attempt<'_> {
        let number = self.attempts.fetch_add(1, Ordering::Relaxed) + 1;
        self.under_way().push(Sent { number, rule, place, bytes, at: Instant::now() });
        Attempt { trail: self, number }
    }

    /// It went out already: a record that cannot be written any more is counted as missing.
    fn request_ended(&self, number: u32, status: Option<u16>, fault: Option<&Fault>, bytes: u64) {
        let sent = {
            let mut under_way = self.under_way();
            let Some(at) = under_way.iter().position(|sent| sent.number == number) else { return };
            under_way.swap_remove(at)
        };
        // An address was refused, which is only known once the host's name was looked up.
        if let Some(denied) = fault.filter(|fault| fault.code == Code::Denied) {
            self.refused(denied, Some(sent.place.clone()));
        }
        self.observe(|observer, of| observer.requested(of, &sent.observed(status)));
        let failure = fault.map(|fault| fault.code.as_str()).or(status.is_none().then_some(ABANDONED));
        let _ = self.write(sent.ended(status, failure, bytes));
    }

    fn under_way(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The invocation ended.
    pub(crate) fn end(&self, outcome: &Result<String, Fault>) {
        // Whoever refused, there is a decision that says so.
        if let Err(fault) = outcome
            && matches!(fault.code, Code::Denied | Code::ApprovalRequired)
            && !self.refused.load(Ordering::Relaxed)
        {
            self.refused(fault, None);
        }
        match outcome {
            Ok(_) if self.rehearsed.load(Ordering::Relaxed) => self.end_with(REHEARSED, 0),
            Ok(result) => self.end_with("ok", result.len()),
            Err(fault) => self.end_with(fault.code.as_str(), 0),
        }
    }

    fn end_with(&self, outcome: &str, bytes: usize) {
        if self.ended.swap(true, Ordering::Relaxed) {
            return;
        }
        // Their tasks are only dropped when the runtime next gets round to it, which may be never.
        for sent in std::mem::take(&mut *self.under_way()) {
            self.observe(|observer, of| observer.requested(of, &sent.observed(None)));
            let _ = self.write(sent.ended(None, Some(ABANDONED), 0));
        }
        let arguments = self.arguments.get().map(Into::into);
        let ms = milliseconds(self.begun.elapsed());
        self.observe(|observer, of| observer.ended(of, outcome, self.begun.elapsed()));
        let event = Event::Invocation { outcome: outcome.into(), bytes: bytes as u64, ms, arguments };
        // It is over: a record that cannot be written any more is counted as missing.
        let _ = self.write(event);
    }

    fn observe(&self, tell: impl FnOnce(&dyn Observer, &Observed<'_>)) {
        let Some(observer) = &self.observer.0 else { return };
        let known = self.known.get();
        let of = Observed {
            run: &self.run,
            number: self.invocation,
            provider: &self.provider,
            account: &self.account,
            function: known.map_or(&self.function, |known| &known.function),
            operation: known.map(|known| known.operation),
        };
        tell(&**observer, &of);
    }

    fn write(&self, event: Event<'_>) -> Result<(), Unwritable> {
        let known = self.known.get();
        self.audit.write(Record {
            time: Cow::Borrowed(""),
            run: (&*self.run).into(),
            invocation: self.invocation,
            client: self.client.as_deref().map(Into::into),
            provider: (&self.provider).into(),
            account: (&self.account).into(),
            function: known.map_or(&self.function, |known| &known.function).into(),
            operation: known.map(|known| known.operation.as_str().into()),
            event,
            plugin: known.map(|known| (&*known.plugin).into()),
            lost: None,
        })
    }

    /// Nothing is written to a provider that is not recorded first.
    fn go_on(&self, recorded: Result<(), Unwritable>, harmless: bool) -> Result<(), Fault> {
        let reads = harmless && self.known.get().is_some_and(|known| known.operation == Operation::Read);
        match recorded {
            Err(unwritable) if !reads => {
                self.refused.store(true, Ordering::Relaxed);
                let cure = "writes are refused until it can. Free space or fix its permissions.";
                Err(Fault::new(Code::Denied, format!("{unwritable}: {cure}")))
            }
            _ => Ok(()),
        }
    }
}

/// Whoever waits for an invocation. If it is dropped before the end was told, the invocation was abandoned.
pub(crate) struct Waiting<'a>(&'a Trail);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.end_with(ABANDONED, 0);
    }
}

/// A request under way. If it is dropped before its end was told, the invocation was over first.
pub(crate) struct Attempt<'a> {
    trail: &'a Trail,
    number: u32,
}

/// What is known of a request before its end.
struct Sent {
    number: u32,
    rule: String,
    place: Place<'static>,
    bytes: u64,
    at: Instant,
}

impl Attempt<'_> {
    /// An answer came: its status and the bytes of its body.
    pub(crate) fn answered(self, status: u16, bytes: u64) {
        self.trail.request_ended(self.number, Some(status), None, bytes);
    }

    /// No answer came, or not all of it.
    pub(crate) fn failed(self, fault: &Fault) {
        self.trail.request_ended(self.number, None, Some(fault), 0);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.trail.request_ended(self.number, None, None, 0);
    }
}

impl Sent {
    fn observed(&self, status: Option<u16>) -> Request<'_> {
        let Place { method, host, path } = &self.place;
        Request { method, host, path, attempt: self.number, status, took: self.at.elapsed() }
    }

    fn ended<'a>(&'a self, status: Option<u16>, failure: Option<&'a str>, bytes: u64) -> Event<'a> {
        Event::Request {
            rule: (&self.rule).into(),
            place: self.place.clone(),
            attempt: self.number,
            status,
            failure: failure.map(Into::into),
            bytes_sent: self.bytes,
            bytes_received: bytes,
            ms: milliseconds(self.at.elapsed()),
        }
    }
}

/// The cures that follow it are for whoever was refused.
fn first_sentence(message: &str) -> &str {
    message.find(". ").map_or(message, |end| &message[..=end])
}

/// To a tenth.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
