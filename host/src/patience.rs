//! Waiting that can be given up, and during which the time that people take to answer does not count.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::timeout_at;

/// Whether somebody still waits for a run or an invocation, and for how long it waited for people itself.
#[derive(Debug, Default)]
pub struct Patience {
    abandoned: AtomicBool,
    told: Notify,
    asked: Mutex<Asked>,
}

/// Questions that overlap take their time together.
#[derive(Debug, Default)]
struct Asked {
    open: usize,
    since: Option<Instant>,
    spent: Duration,
}

impl Patience {
    /// Nobody waits any more. Questions end unanswered.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
        self.told.notify_waiters();
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Waits until nobody waits any more.
    pub(crate) async fn abandoned(&self) {
        loop {
            let told = self.told.notified();
            if self.is_abandoned() {
                return;
            }
            told.await;
        }
    }

    /// The time spent on questions so far, that of an open one included.
    pub(crate) fn spent(&self) -> Duration {
        let asked = self.asked();
        asked.spent + asked.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// A question is open for as long as what this gives lives.
    pub(crate) fn ask(self: &Arc<Self>) -> Open {
        let mut asked = self.asked();
        asked.open += 1;
        asked.since.get_or_insert_with(Instant::now);
        Open(Arc::clone(self))
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open question.
pub(crate) struct Open(Arc<Patience>);

impl Drop for Open {
    fn drop(&mut self) {
        let mut asked = self.0.asked();
        asked.open -= 1;
        if asked.open == 0 {
            let last = asked.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            asked.spent += last;
        }
    }
}

/// An instant that moves on while people are asked.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    /// What was spent when it was set.
    spent: Duration,
    patience: Arc<Patience>,
}

impl Deadline {
    pub(crate) fn new(at: Instant, patience: &Arc<Patience>) -> Self {
        Self { at, spent: patience.spent(), patience: Arc::clone(patience) }
    }

    /// As things stand.
    pub(crate) fn at(&self) -> Instant {
        self.at + self.patience.spent().saturating_sub(self.spent)
    }

    pub(crate) fn left(&self) -> Duration {
        self.at().saturating_duration_since(Instant::now())
    }

    /// What the work comes to, or nothing if it is not done by then.
    pub(crate) async fn enforce<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            match timeout_at(self.at().into(), &mut work).await {
                Ok(done) => return Some(done),
                Err(_) if self.left().is_zero() => return None,
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;
    use tokio::runtime::Builder;

    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn a_deadline_stands_still_while_a_question_is_open() {
        let patience = Arc::<Patience>::default();
        let deadline = Deadline::new(Instant::now() + SHORT, &patience);
        let (one, two) = (patience.ask(), patience.ask());
        sleep(SHORT);
        drop(one);
        sleep(SHORT);
        assert!(!deadline.left().is_zero(), "one of them is still open");
        drop(two);
        let spent = patience.spent();
        assert!(spent >= 2 * SHORT, "{spent:?}");
        sleep(SHORT);
        assert_eq!((patience.spent(), deadline.left()), (spent, Duration::ZERO));
    }

    #[test]
    fn work_is_given_the_time_that_people_take() {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let patience = Arc::<Patience>::default();
        runtime.block_on(async {
            let deadline = Deadline::new(Instant::now() + SHORT, &patience);
            let asking = async {
                let _open = patience.ask();
                tokio::time::sleep(3 * SHORT).await;
            };
            assert_eq!(deadline.enforce(asking).await, Some(()));
            assert_eq!(deadline.enforce(tokio::time::sleep(3 * SHORT)).await, None);
        });
    }

    #[test]
    fn whoever_waits_for_the_end_of_waiting_is_told() {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let patience = Arc::<Patience>::default();
        let waiting = Arc::clone(&patience);
        runtime.block_on(async {
            let told = tokio::spawn(async move { waiting.abandoned().await });
            tokio::task::yield_now().await;
            patience.abandon();
            told.await.expect("no panic");
            patience.abandoned().await;
        });
    }
}
