//! What is under way, so that a server that ends can wait for it and say what it could not wait for.

use crate::observer::Observed;
use crate::{Became, Interrupt, Observer, Operation, UnderWay};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Most writes in doubt that are remembered; all of them are in the audit log.
const DOUBTS: usize = 100;

/// Everything under way.
#[derive(Debug, Default)]
pub(super) struct Work {
    tasks: Mutex<BTreeMap<u64, Entry>>,
    next: AtomicU64,
    count: watch::Sender<usize>,
    /// Whether nothing begins any more.
    closing: AtomicBool,
    /// Whether what goes on has to end.
    ending: watch::Sender<bool>,
    /// Writes that were interrupted, and of which nobody knows what became.
    doubts: Mutex<Vec<Unfinished>>,
}

#[derive(Debug)]
struct Entry {
    client: Arc<str>,
    tool: String,
    begun: Instant,
    invocations: BTreeMap<u64, Unfinished>,
}

/// An invocation that did not come to its end, or not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Whose.
    pub client: Arc<str>,
    /// The run it belongs to, as the audit log has it.
    pub run: String,
    /// `dialpad.send_sms`
    pub function: String,
    /// `default`
    pub account: String,
    /// Whether it writes.
    pub writes: bool,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, run, function, account, writes } = self;
        let what = if *writes { "a write, in doubt" } else { "a read" };
        write!(f, "{function} on account {account} for {client} ({what}; run {run})")
    }
}

/// One call of a tool, from its beginning to when this is dropped.
#[derive(Debug)]
pub(super) struct Task {
    work: Arc<Work>,
    number: u64,
}

impl Work {
    pub(super) fn begin(self: &Arc<Self>, client: &Arc<str>, tool: &str) -> Arc<Task> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (client, tool) = (Arc::clone(client), tool.into());
        let entry = Entry { client, tool, begun: Instant::now(), invocations: BTreeMap::new() };
        self.tasks().insert(number, entry);
        self.count.send_modify(|count| *count += 1);
        Arc::new(Task { work: Arc::clone(self), number })
    }

    /// From now on, nothing begins.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Waits until nothing is under way, at most so long. Whether nothing is.
    pub(super) async fn settle(&self, patience: Duration) -> bool {
        let mut count = self.count.subscribe();
        tokio::time::timeout(patience, count.wait_for(|&count| count == 0)).await.is_ok()
    }

    /// Ends what goes on.
    pub(super) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Waits until what goes on has to end.
    pub(super) async fn ended(&self) {
        let mut ending = self.ending.subscribe();
        // The sender is as old as this.
        let _ = ending.wait_for(|&ending| ending).await;
    }

    /// The writes in doubt, and the invocations under way.
    pub(super) fn unfinished(&self) -> Vec<Unfinished> {
        let doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let under_way = self.tasks();
        doubts.into_iter().chain(under_way.values().flat_map(|entry| entry.invocations.values().cloned())).collect()
    }

    /// The calls under way, as sentences.
    pub(super) fn calls(&self) -> Vec<String> {
        let line =
            |entry: &Entry| format!("{} for {}, {} s", entry.tool, entry.client, entry.begun.elapsed().as_secs());
        self.tasks().values().map(line).collect()
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    /// It was interrupted: what it was writing, it may have written.
    pub(super) fn interrupted(&self, client: &Arc<str>, interrupt: &Interrupt) {
        let run = interrupt.run().unwrap_or_default();
        let in_doubt = interrupt.writes().into_iter().filter(|write| write.state == Became::InDoubt);
        let unfinished = |write: UnderWay| Unfinished {
            client: Arc::clone(client),
            run: run.clone(),
            function: write.function,
            account: write.account,
            writes: true,
        };
        let mut doubts = self.work.doubts.lock().unwrap_or_else(PoisonError::into_inner);
        let room = DOUBTS.saturating_sub(doubts.len());
        doubts.extend(in_doubt.map(unfinished).take(room));
    }
}

impl Observer for Task {
    fn begun(&self, of: &Observed<'_>) {
        if let Some(entry) = self.work.tasks().get_mut(&self.number) {
            let under_way = Unfinished {
                client: Arc::clone(&entry.client),
                run: of.run.into(),
                function: format!("{}.{}", of.provider, of.function),
                account: of.account.into(),
                writes: of.operation == Some(Operation::Write),
            };
            entry.invocations.insert(of.number, under_way);
        }
    }

    fn ended(&self, of: &Observed<'_>, _: &str, _: Duration) {
        if let Some(entry) = self.work.tasks().get_mut(&self.number) {
            entry.invocations.remove(&of.number);
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.work.tasks().remove(&self.number);
        self.work.count.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_known_until_it_ends() {
        let (work, client) = (Arc::<Work>::default(), Arc::from("ci"));
        let task = work.begin(&client, "run_lua");
        let of = Observed {
            run: "00ff",
            number: 7,
            provider: "dialpad",
            account: "default",
            function: "send_sms",
            operation: Some(Operation::Write),
        };
        task.begun(&of);
        let shown: Vec<_> = work.unfinished().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["dialpad.send_sms on account default for ci (a write, in doubt; run 00ff)"]);
        assert_eq!(work.calls(), vec!["run_lua for ci, 0 s".to_owned()]);
        task.ended(&of, "ok", Duration::ZERO);
        assert!(work.unfinished().is_empty());
        drop(task);
        assert!(work.calls().is_empty());
    }
}
