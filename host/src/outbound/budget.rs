//! How many bytes of requests and answers are held at once: by one invocation, and by all of a host together. Pure counting.

use crate::fault::{Code, Fault};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that may be held at once, shared by everyone who draws on it.
#[derive(Debug)]
pub(crate) struct Budget {
    whole: usize,
    left: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(whole: usize) -> Arc<Self> {
        Arc::new(Self { whole, left: whole.into() })
    }

    fn take(&self, bytes: usize) -> bool {
        let enough = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }

    fn mebibytes(&self) -> usize {
        self.whole >> 20
    }
}

/// What one body takes of its invocation's budget and of the host's. Given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    own: Arc<Budget>,
    all: Arc<Budget>,
    bytes: usize,
}

impl Share {
    /// Nothing yet of an invocation's own budget and of everyone's.
    pub(crate) fn new(own: Arc<Budget>, all: Arc<Budget>) -> Self {
        Self { own, all, bytes: 0 }
    }

    /// Makes room for further bytes. Whoever finds none fails at once: if everyone waited for everyone, nobody would
    /// ever let go.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Fault> {
        if !self.own.take(bytes) {
            let limit = self.own.mebibytes();
            let message = format!(
                "The plugin was stopped: it held requests and answers of more than {limit} MiB at once. Ask for less at a time."
            );
            return Err(Fault::new(Code::TooLarge, message));
        }
        if !self.all.take(bytes) {
            self.own.give_back(bytes);
            let limit = self.all.mebibytes();
            let message = format!(
                "Running invocations hold requests and answers of {limit} MiB, all there is room for; try again later."
            );
            return Err(Fault::new(Code::Busy, message));
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Keeps so much of it, when what was received turned out to be less.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.own.give_back(surplus);
        self.all.give_back(surplus);
        self.bytes -= surplus;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back_and_nobody_takes_more_than_there_is() {
        let (all, own) = (Budget::new(3 << 20), Budget::new(2 << 20));
        let mut share = Share::new(Arc::clone(&own), Arc::clone(&all));
        share.grow(2 << 20).expect("room");
        assert_eq!(share.grow(1).expect_err("the invocation's budget is spent").code, Code::TooLarge);

        let mut other = Share::new(Budget::new(2 << 20), Arc::clone(&all));
        assert_eq!(other.grow((1 << 20) + 1).expect_err("the host's budget is spent").code, Code::Busy);
        share.shrink(1 << 20);
        other.grow(2 << 20).expect("room that was given back");
        drop((share, other));
        for budget in [own, all] {
            assert_eq!(budget.left.load(Ordering::Relaxed), budget.whole);
        }
    }
}
