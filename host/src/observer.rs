//! Whoever watches invocations while they run: to show progress, to count, to trace. It is told and never asked.

use crate::description::Operation;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Watches invocations. It is told in their midst, so it must not block.
pub trait Observer: Send + Sync {
    /// An invocation may go ahead.
    fn begun(&self, _of: &Observed<'_>) {}
    /// A request of it was answered with this status, or with none.
    fn requested(&self, _of: &Observed<'_>, _request: &Request<'_>) {}
    /// It is over: `ok`, the fault's code, or `abandoned`. Told also of what was never let go ahead.
    fn ended(&self, _of: &Observed<'_>, _outcome: &str, _took: Duration) {}
}

/// The invocation somebody is told about.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The run it belongs to.
    pub run: &'a str,
    /// Tells the invocations of a process apart.
    pub number: u64,
    /// `dialpad`
    pub provider: &'a str,
    /// `default`
    pub account: &'a str,
    /// `list_calls`
    pub function: &'a str,
    /// None if there is no such function.
    pub operation: Option<Operation>,
}

/// A request that went out.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`
    pub method: &'a str,
    /// Where to, with its port if it is an unusual one.
    pub host: &'a str,
    /// The pattern of the rule that allowed it.
    pub path: &'a str,
    /// Counted from 1 over the whole invocation.
    pub attempt: u32,
    /// None if no answer came.
    pub status: Option<u16>,
    /// From its sending to its end.
    pub took: Duration,
}

/// An observer, or none.
#[derive(Clone, Default)]
pub struct Observers(pub(crate) Option<Arc<dyn Observer>>);

impl From<Arc<dyn Observer>> for Observers {
    fn from(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observers(1)" } else { "Observers(0)" })
    }
}
