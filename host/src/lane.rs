//! Where writes stand in their run: those at each MCP server in an order of their own. Whether a tool writes is known only
//! when its server was asked, and what was asked for at once gets that far in any order. What counts is the order in which
//! the script asked. Pure but for the waiting.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::sync::watch;

/// Where a write stands in its run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The MCP server it is at. Empty for those of providers, which are counted together.
    pub(crate) server: Arc<str>,
    /// Counted from zero.
    pub(crate) number: u32,
}

/// Everything that is asked of one server.
#[derive(Debug)]
pub(crate) struct Lane {
    asked: AtomicU32,
    known: watch::Sender<Known>,
}

/// What is known of it.
#[derive(Debug, Default)]
struct Known {
    /// Of everything before this it is known whether it writes.
    next: u32,
    /// How much of that does.
    writes: u32,
    /// What comes later and does not.
    passed: BTreeSet<u32>,
}

/// A place in the order of asking. Once it is given up, nobody waits for it.
#[derive(Debug)]
pub(crate) struct Kept {
    lane: Arc<Lane>,
    place: u32,
    is_known: AtomicBool,
}

impl Place {
    /// As the seal of what is kept for it has it.
    pub(crate) fn sealed(&self) -> String {
        let Self { server, number } = self;
        if server.is_empty() { number.to_string() } else { format!("{server}/{number}") }
    }
}

/// Counted from one.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number + 1;
        match &*self.server {
            "" => write!(f, "{number}"),
            server => write!(f, "{number} at MCP server '{server}'"),
        }
    }
}

impl Default for Lane {
    fn default() -> Self {
        Self { asked: 0.into(), known: watch::channel(Known::default()).0 }
    }
}

impl Lane {
    /// The place of what is asked for next. To be asked in the order of the script.
    pub(crate) fn keep(self: &Arc<Self>) -> Kept {
        let place = self.asked.fetch_add(1, Ordering::Relaxed);
        Kept { lane: Arc::clone(self), place, is_known: false.into() }
    }
}

impl Known {
    fn pass(&mut self, place: u32) {
        self.passed.insert(place);
        while self.passed.remove(&self.next) {
            self.next += 1;
        }
    }
}

impl Kept {
    /// It writes: its number among the writes, as soon as that is known of all that was asked for before.
    pub(crate) async fn number(&self) -> u32 {
        let mut watching = self.lane.known.subscribe();
        // The lane cannot be gone while this is there.
        drop(watching.wait_for(|known| known.next == self.place).await);
        self.is_known.store(true, Ordering::Relaxed);
        let mut number = 0;
        self.lane.known.send_modify(|known| {
            number = known.writes;
            known.writes += 1;
            known.pass(self.place);
        });
        number
    }

    /// It does not write.
    pub(crate) fn pass(&self) {
        if !self.is_known.swap(true, Ordering::Relaxed) {
            self.lane.known.send_modify(|known| known.pass(self.place));
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.pass();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn writes_are_counted_in_the_order_of_asking_whichever_is_known_first() {
        let lane = Arc::new(Lane::default());
        let [first, second, third, fourth] = std::array::from_fn(|_| lane.keep());
        let mut last = Box::pin(fourth.number());
        assert_eq!(last.as_mut().now_or_never(), None);
        third.pass();
        assert_eq!(first.number().now_or_never(), Some(0));
        assert_eq!(last.as_mut().now_or_never(), None, "nobody knows of the second");
        drop(second);
        assert_eq!(last.now_or_never(), Some(1));
        assert_eq!(lane.keep().number().now_or_never(), Some(2));
    }
}
