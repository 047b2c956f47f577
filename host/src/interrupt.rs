//! The wish from outside that what is going on ends: a signal to the process, or a host that shuts down.
//!
//! What has sent nothing that does something ends at once. A write on its way is waited for, for a while: an answer is
//! better than a doubt.

use crate::clip::clipped;
use crate::fault::{Code, Fault};
use crate::journal::Write;
use crate::outbound::Doubt;
use serde::Serialize;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long an answer to a write on its way is waited for, unless said.
const GRACE: Duration = Duration::from_secs(5);
/// Most characters of arguments that are repeated.
const SHOWN: usize = 400;

/// Ends what it was given to, when it is told so. Clones are one and the same.
#[derive(Clone, Debug)]
pub struct Interrupt {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    grace: Duration,
    given: watch::Sender<Given>,
    run: Mutex<Option<Arc<str>>>,
    writes: Mutex<Vec<Watched>>,
}

/// Whether it was given, and how urgently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Given {
    No,
    /// What is on its way has its time.
    Patiently,
    AtOnce,
}

/// A write from the moment it is asked for.
#[derive(Debug)]
struct Watched {
    write: Write,
    doubt: Doubt,
    became: Option<Became>,
}

/// A write that was under way when the interruption came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnderWay {
    /// `dialpad.send_sms`, `mcp.github.create_issue`
    pub function: String,
    /// `default`; empty for a tool of an MCP server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// What it was asked for with, as JSON text, cut off where it is long.
    pub arguments: String,
    /// What became of it.
    pub state: Became,
}

/// What became of a write that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// Its answer came in time.
    Done,
    /// It certainly did not happen.
    NotDone,
    /// It was sent, and no answer says what became of it.
    InDoubt,
}

impl fmt::Display for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, account, arguments, state } = self;
        let on = if account.is_empty() { "" } else { " on " };
        write!(f, "{function}({arguments}){on}{account}: {state}")
    }
}

impl fmt::Display for Became {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "it was done",
            Self::NotDone => "it was not done",
            Self::InDoubt => "no answer came, and it may have been done",
        })
    }
}

impl Default for Interrupt {
    fn default() -> Self {
        Self::patient(GRACE)
    }
}

impl Interrupt {
    /// One that has not been given. An answer to a write on its way is waited for so long.
    pub fn patient(grace: Duration) -> Self {
        let (given, _) = watch::channel(Given::No);
        Self { inner: Arc::new(Inner { grace, given, run: Mutex::default(), writes: Mutex::default() }) }
    }

    /// Tells everything that was given this to end.
    pub fn give(&self) {
        self.raise(Given::Patiently);
    }

    /// As [`Interrupt::give`], and no answer is waited for any more.
    pub fn end_waiting(&self) {
        self.raise(Given::AtOnce);
    }

    /// Takes it back for what runs next, and forgets what it came to.
    pub fn renew(&self) {
        self.watched().clear();
        self.inner.run.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.inner.given.send_replace(Given::No);
    }

    /// Whether it was given.
    pub fn is_given(&self) -> bool {
        *self.inner.given.borrow() > Given::No
    }

    /// How long an answer to a write on its way is waited for.
    pub fn grace(&self) -> Duration {
        self.inner.grace
    }

    /// The run it concerns, by the name the audit log has for it.
    pub fn run(&self) -> Option<String> {
        let run = self.inner.run.lock().unwrap_or_else(PoisonError::into_inner);
        run.as_ref().map(|run| run.as_ref().to_owned())
    }

    /// The writes that are under way, and those that were when it was given.
    pub fn writes(&self) -> Vec<UnderWay> {
        self.watched().iter().filter_map(Watched::shown).collect()
    }

    /// What whatever this ended came to.
    pub fn fault(&self) -> Fault {
        let writes: Vec<_> = self.writes().iter().map(|write| format!(" Under way was {write}.")).collect();
        Fault::new(Code::Interrupted, format!("The run was interrupted.{}", writes.concat()))
    }

    fn raise(&self, given: Given) {
        self.inner.given.send_modify(|before| *before = given.max(*before));
    }

    pub(crate) fn concerns(&self, run: &Arc<str>) {
        *self.inner.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(run));
    }

    /// Nothing begins any more once it was given.
    ///
    /// # Errors
    /// `interrupted`, then.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.is_given() { Err(refused()) } else { Ok(()) }
    }

    /// Runs a write to its end, or to that of the patience with it.
    pub(crate) async fn bounds_write<T>(
        &self,
        write: Write,
        doubt: &Doubt,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let mut watch = self.watch(write, doubt);
        let outcome = self.bounds(doubt, work).await;
        watch.done = outcome.is_ok();
        outcome.map_err(|fault| if fault.code == Code::Interrupted { doubt.tell(fault) } else { fault })
    }

    /// Runs what may come to a write: to its end, or until this is given and no write is on its way.
    pub(crate) async fn bounds<T>(
        &self,
        doubt: &Doubt,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let mut work = pin!(work);
        match self.unless(Given::Patiently, &mut work).await {
            Some(outcome) => outcome,
            None if doubt.is_any() => self.in_time(work).await.unwrap_or_else(|| Err(cut_off())),
            None => Err(refused()),
        }
    }

    /// Runs what does no harm when it is cut off.
    pub(crate) async fn bounds_read(&self, work: impl Future<Output = Result<String, Fault>>) -> Result<String, Fault> {
        self.unless(Given::Patiently, work).await.unwrap_or_else(|| Err(cut_off()))
    }

    /// What the work comes to while the patience with it lasts.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.unless(Given::AtOnce, timeout(self.grace(), work)).await?.ok()
    }

    /// What the work comes to, or nothing if this is given so urgently first.
    async fn unless<T>(&self, urgency: Given, work: impl Future<Output = T>) -> Option<T> {
        let mut given = self.inner.given.subscribe();
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            _ = given.wait_for(|given| *given >= urgency) => None,
        }
    }

    fn watch(&self, write: Write, doubt: &Doubt) -> Watch<'_> {
        self.watched().push(Watched { write, doubt: doubt.clone(), became: None });
        Watch { interrupt: self, doubt: doubt.clone(), done: false }
    }

    fn watched(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.inner.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A write that is watched, until this is dropped.
struct Watch<'a> {
    interrupt: &'a Interrupt,
    doubt: Doubt,
    done: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let given = self.interrupt.is_given();
        let mut writes = self.interrupt.watched();
        let Some(at) = writes.iter().position(|watched| watched.doubt.is(&self.doubt)) else { return };
        match given {
            true => writes[at].became = Some(self.became()),
            // What ended before the interruption is of no interest after it.
            false => drop(writes.swap_remove(at)),
        }
    }
}

impl Watch<'_> {
    fn became(&self) -> Became {
        match (self.done, self.doubt.is_any()) {
            (true, _) => Became::Done,
            (false, true) => Became::InDoubt,
            (false, false) => Became::NotDone,
        }
    }
}

impl Watched {
    fn shown(&self) -> Option<UnderWay> {
        let sent = self.doubt.is_any().then_some(Became::InDoubt);
        let Write { provider, account, function, arguments } = &self.write;
        Some(UnderWay {
            function: format!("{provider}.{function}"),
            account: account.clone(),
            arguments: clipped(arguments, SHOWN).into(),
            state: self.became.or(sent)?,
        })
    }
}

fn refused() -> Fault {
    Fault::new(Code::Interrupted, "The run was interrupted; nothing was sent any more.")
}

fn cut_off() -> Fault {
    Fault::new(Code::Interrupted, "The run was interrupted before the answer came.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;
    use std::future::{pending, ready};
    use tokio::runtime::Builder;
    use tokio::time::sleep;

    const MOMENT: Duration = Duration::from_millis(20);

    fn run(work: impl Future<Output = Result<String, Fault>>) -> Result<String, Fault> {
        Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
    }

    fn given() -> Interrupt {
        let interrupt = Interrupt::patient(MOMENT);
        interrupt.give();
        interrupt
    }

    fn write() -> Write {
        Write::new("dialpad", "work", "send_sms", &Map::new())
    }

    /// What became of a write that was on its way when the interruption came.
    #[track_caller]
    fn check(work: impl Future<Output = Result<String, Fault>>, sent: bool, outcome: Option<Code>, became: Became) {
        let (interrupt, doubt) = (given(), Doubt::default());
        let _sent = sent.then(|| doubt.begin());
        let ended = run(interrupt.bounds_write(write(), &doubt, work));
        assert_eq!(ended.err().map(|fault| fault.code), outcome);
        assert_eq!(interrupt.writes().iter().map(|write| write.state).collect::<Vec<_>>(), [became]);
    }

    #[test]
    fn a_write_on_its_way_is_waited_for_and_no_other() {
        let late = async {
            sleep(MOMENT / 4).await;
            Ok("{}".into())
        };
        check(late, true, None, Became::Done);
        check(pending(), true, Some(Code::Interrupted), Became::InDoubt);
        check(pending(), false, Some(Code::Interrupted), Became::NotDone);
    }

    #[test]
    fn a_write_in_doubt_is_named_and_its_fault_says_so() {
        let (interrupt, doubt) = (given(), Doubt::default());
        let _sent = doubt.begin();
        let fault = run(interrupt.bounds_write(write(), &doubt, pending())).expect_err("cut off");
        assert!(fault.message.contains("may or may not have been executed"), "{fault}");
        let named = &interrupt.writes()[0];
        assert_eq!((&*named.function, &*named.account, &*named.arguments), ("dialpad.send_sms", "work", "{}"));
    }

    #[test]
    fn no_answer_is_waited_for_any_more_once_that_is_said() {
        let (interrupt, doubt) = (Interrupt::default(), Doubt::default());
        let _sent = doubt.begin();
        interrupt.end_waiting();
        interrupt.give();
        let begun = std::time::Instant::now();
        let ended = run(interrupt.bounds_write(write(), &doubt, pending()));
        assert_eq!(
            (ended.expect_err("cut off").code, interrupt.writes()[0].state),
            (Code::Interrupted, Became::InDoubt)
        );
        assert!(begun.elapsed() < GRACE, "{:?}", begun.elapsed());
    }

    #[test]
    fn one_that_is_renewed_knows_nothing_of_before() {
        let (interrupt, doubt) = (given(), Doubt::default());
        interrupt.concerns(&"1".into());
        let _sent = doubt.begin();
        run(interrupt.bounds_write(write(), &doubt, pending())).expect_err("cut off");
        interrupt.renew();
        assert!(!interrupt.is_given() && interrupt.writes().is_empty() && interrupt.run().is_none());
        run(interrupt.bounds_write(write(), &doubt, ready(Ok("{}".into())))).expect("done");
    }

    #[test]
    fn a_read_is_cut_off_at_once() {
        assert_eq!(run(given().bounds_read(pending())).expect_err("cut off").code, Code::Interrupted);
        assert!(run(Interrupt::default().bounds_read(ready(Ok("1".into())))).is_ok());
    }

    #[test]
    fn what_ended_before_is_not_named() {
        let (interrupt, doubt) = (Interrupt::default(), Doubt::default());
        let _sent = doubt.begin();
        run(interrupt.bounds_write(write(), &doubt, ready(Ok("{}".into())))).expect("done");
        interrupt.give();
        assert!(interrupt.writes().is_empty());
        assert_eq!(interrupt.check().expect_err("over").code, Code::Interrupted);
    }
}
