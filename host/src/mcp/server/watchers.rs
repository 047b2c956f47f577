//! All who watch what a call does: the metrics, the list of what is under way, the client, and the trace.

use super::metrics::Metrics;
use super::notes::Desk;
use super::trace::Watcher;
use super::work::Task;
use crate::observer::{Observed, Observer, Request};
use std::sync::Arc;
use std::time::Duration;

/// All who are told of what a call does.
pub(super) struct Everybody {
    pub(super) metrics: Arc<Metrics>,
    pub(super) task: Arc<Task>,
    pub(super) desk: Desk,
    pub(super) spans: Watcher,
}

impl Observer for Everybody {
    fn begun(&self, of: &Observed<'_>) {
        self.task.begun(of);
        self.desk.begun(of);
    }

    fn requested(&self, of: &Observed<'_>, request: &Request<'_>) {
        self.metrics.requested(of, request);
        self.spans.requested(of, request);
        self.desk.requested(of, request);
    }

    fn ended(&self, of: &Observed<'_>, outcome: &str, took: Duration) {
        self.task.ended(of, outcome, took);
        self.metrics.ended(of, outcome, took);
        self.spans.ended(of, outcome, took);
    }
}
