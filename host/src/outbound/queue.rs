//! The line in front of a provider's account: waiting for a rate group, within the deadline and in order of arrival.

use super::Gate;
use super::check::Permit;
use crate::description::{Function, RateGroup};
use crate::fault::{Code, Fault};
use crate::rate::{Notice, Rates, Ticket, Wait};
use crate::retry::ROOM;
use crate::rule::Rule;
use http::{Method, Response, StatusCode};
use std::collections::HashMap;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};
use tokio::sync::Notify;
use tokio::time::timeout_at;

/// The lines of all accounts. They outlive a plugin's revisions: what a provider counted it does not forget with them.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<HashMap<(String, String), Arc<Queue>>>);

impl Queues {
    /// The line of one account of a provider, with the groups its present revision declares.
    pub(crate) fn of(&self, provider: &str, account: &str, groups: &[RateGroup]) -> Arc<Queue> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = Arc::clone(queues.entry((provider.into(), account.into())).or_default());
        queue.rates().declare(groups);
        queue
    }
}

/// The line of one account.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    rates: Mutex<Rates>,
    changed: Notify,
}

impl Queue {
    /// Waits until a request of this group may go out.
    ///
    /// # Errors
    /// At once, when that would be too late for the deadline.
    pub(super) async fn enter<'a>(&'a self, group: Option<&'a str>, deadline: Instant) -> Result<Passage<'a>, Wait> {
        let passage = Passage { queue: self, group, ticket: self.rates().join(group) };
        loop {
            let changed = self.changed.notified();
            let Err(wait) = self.rates().go(passage.ticket, Instant::now()) else { return Ok(passage) };
            if wait.until + ROOM > deadline {
                return Err(wait);
            }
            // Late or early: the line is asked again.
            let _ = timeout_at(wait.until.into(), changed).await;
        }
    }

    fn rates(&self) -> MutexGuard<'_, Rates> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to send one request now. It counts until it is dropped, and a window longer.
pub(super) struct Passage<'a> {
    queue: &'a Queue,
    group: Option<&'a str>,
    ticket: Ticket,
}

impl Passage<'_> {
    /// Takes note of what an answer says of the provider's own count, which has counted this request by now.
    pub(super) fn learn<B>(self, answer: &Response<B>) -> Notice {
        let notice = Notice::read(answer.headers(), SystemTime::now());
        let mut rates = self.queue.rates();
        match answer.status() {
            StatusCode::TOO_MANY_REQUESTS => rates.close(self.group, &notice, Instant::now()),
            _ => rates.learn(self.ticket, self.group, &notice, Instant::now()),
        }
        notice
    }

    /// For a request that never left.
    pub(super) fn give_back(self) {
        self.queue.rates().give_back(self.ticket);
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.queue.rates().end(self.ticket, Instant::now());
        self.queue.changed.notify_waiters();
    }
}

impl Gate {
    /// Waits until this request may go out.
    pub(super) async fn turn<'a>(&'a self, method: &Method, permit: &Permit<'a>) -> Result<Passage<'a>, Fault> {
        let turn = self.connected.queue.enter(self.rate_group(method, permit), self.deadline.at()).await;
        turn.map_err(|wait| too_late(&wait, &self.description.title))
    }

    /// The rule's group or else the function's. A generic rule has none; then it is that of the function whose plain rule
    /// covers the request, since the provider counts paths and knows no functions.
    fn rate_group<'a>(&'a self, method: &Method, permit: &Permit<'a>) -> Option<&'a str> {
        let of = |function: &'a Function, rule: &'a Rule| rule.rate_group().or(function.rate_group.as_deref());
        let base = slice::from_ref(self.account().base());
        let covers = |rule: &&Rule| {
            rule.origin() == "base" && !rule.path().is_generic() && rule.allows(method, &permit.target, base)
        };
        let plain = |(function, rules): (&'a Function, &'a [Rule])| of(function, rules.iter().find(covers)?);
        let own = self.description.function(&self.function).and_then(|function| of(function, permit.rule));
        own.or_else(|| self.description.ceilings().find_map(plain).filter(|_| permit.authenticated))
    }
}

/// The fault of a request that had to wait for longer than there is time. `title` is the provider's.
pub(super) fn too_late(wait: &Wait, title: &str) -> Fault {
    let left = wait.until.saturating_duration_since(Instant::now());
    let seconds = u32::try_from(left.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    let group = if wait.group.is_empty() { String::new() } else { format!(" in the rate group `{}`", wait.group) };
    let why = match wait.pace {
        Some(pace) => format!("takes {pace}{group}, and the next one has its turn in {seconds} s"),
        None => format!("asked for a pause{group} that lasts another {seconds} s"),
    };
    let message = format!("{title} {why}, after this invocation's end. Nothing was sent; try again then.");
    Fault { retry_after: Some(seconds), ..Fault::new(Code::RateLimited, message) }
}
