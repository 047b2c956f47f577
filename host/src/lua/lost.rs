//! Threads of scripts that could not be stopped. Nothing ends a thread from outside, and each keeps its stack and its
//! script's memory; so a host counts them, and starts no further ones once there are too many.

use crate::fault::{Code, Fault};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// How many threads a host has lost. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost {
    threads: Arc<AtomicUsize>,
}

impl Lost {
    /// Most of them that a host bears.
    pub(crate) const MOST: usize = 8;

    /// Those that are lost now.
    pub(crate) fn count(&self) -> usize {
        self.threads.load(Ordering::Relaxed)
    }

    /// A watch over a thread that is about to begin.
    ///
    /// # Errors
    /// `busy`, if too many are lost already.
    pub(super) fn watch(&self) -> Result<Arc<Watch>, Fault> {
        if self.count() < Self::MOST {
            return Ok(Arc::new(Watch { state: AtomicU8::new(RUNNING), lost: self.clone() }));
        }
        let message = format!(
            "{} scripts could not be stopped at their limits, and each keeps its thread. Restart kosmo to run \
             further scripts",
            Self::MOST
        );
        Err(Fault::new(Code::Busy, message))
    }
}

const RUNNING: u8 = 0;
const LOST: u8 = 1;
const ENDED: u8 = 2;

/// Whether one thread is lost.
#[derive(Debug)]
pub(super) struct Watch {
    state: AtomicU8,
    lost: Lost,
}

impl Watch {
    /// Nobody waits for the thread any more.
    pub(super) fn give_up(&self) {
        if self.state.compare_exchange(RUNNING, LOST, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.lost.threads.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// To be kept on the thread: when this is dropped, the thread has ended, and is lost no more.
    pub(super) fn over(self: &Arc<Self>) -> Over {
        Over(Arc::clone(self))
    }
}

/// A thread's end.
#[derive(Debug)]
pub(super) struct Over(Arc<Watch>);

impl Over {
    /// Whether the thread was given up.
    pub(super) fn is_given_up(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == LOST
    }
}

impl Drop for Over {
    fn drop(&mut self) {
        if self.0.state.swap(ENDED, Ordering::AcqRel) == LOST {
            self.0.lost.threads.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_lost_from_being_given_up_to_its_end() {
        let lost = Lost::default();
        let watch = lost.watch().expect("none is lost");
        let over = watch.over();
        assert_eq!((lost.count(), over.is_given_up()), (0, false));
        watch.give_up();
        watch.give_up();
        assert_eq!((lost.count(), over.is_given_up()), (1, true));
        drop(over);
        watch.give_up();
        assert_eq!(lost.count(), 0, "it has ended already");
    }

    #[test]
    fn too_many_lost_threads_keep_further_ones_from_beginning() {
        let lost = Lost::default();
        let mut overs = Vec::new();
        for _ in 0..Lost::MOST {
            let watch = lost.watch().expect("not too many yet");
            overs.push(watch.over());
            watch.give_up();
        }
        let fault = lost.watch().expect_err("too many");
        assert_eq!(fault.code, Code::Busy);
        assert!(fault.message.contains("Restart kosmo"), "{fault}");
        overs.pop();
        lost.watch().expect("one ended after all");
    }
}
