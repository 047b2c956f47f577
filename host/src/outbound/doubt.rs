//! Writes of which nobody knows whether they were executed, and the sentence that says so.

use crate::fault::Fault;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many writes of one invocation left and were not refused by the provider.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubt(Arc<AtomicU32>);

/// A write on its way. Dropping it, as a deadline does, leaves the doubt.
pub(crate) struct Doubtful<'a>(&'a AtomicU32);

impl Doubt {
    /// A write is about to leave.
    pub(crate) fn begin(&self) -> Doubtful<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Doubtful(&self.0)
    }

    /// Whether anything may have happened.
    pub(crate) fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Whether it is about the same invocation.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The fault as it must be told: whoever reads it may want to send the same again.
    pub(crate) fn tell(&self, fault: Fault) -> Fault {
        if !self.is_any() {
            return fault;
        }
        let end = if fault.message.ends_with('.') { "" } else { "." };
        let message = format!(
            "{}{end} What it sent may or may not have been executed; kosmo did not repeat it. Check before sending it \
             again.",
            fault.message
        );
        Fault { message, ..fault }
    }
}

impl Doubtful<'_> {
    /// It certainly was not executed.
    pub(super) fn end(self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
