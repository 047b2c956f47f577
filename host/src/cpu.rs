//! Computing time, as the system counts it for a thread: waiting and being preempted cost nothing.

use rustix::time::{ClockId, clock_gettime};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the calling thread has computed since it began.
pub(crate) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What one piece of asynchronous work has computed, on whatever threads it was polled. In nanoseconds, which last for
/// five hundred years.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    spent: AtomicU64,
    /// The polling thread's time when the present poll began.
    resumed: AtomicU64,
}

impl Stopwatch {
    /// Does the work and counts what it computes.
    pub(crate) async fn counting<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| {
            self.resumed.store(nanoseconds(), Ordering::Relaxed);
            let polled = work.as_mut().poll(context);
            self.spent.fetch_add(self.running(), Ordering::Relaxed);
            polled
        })
        .await
    }

    /// What was computed so far. To be asked from within the work, where the present poll counts too.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed).saturating_add(self.running()))
    }

    fn running(&self) -> u64 {
        nanoseconds().saturating_sub(self.resumed.load(Ordering::Relaxed))
    }
}

fn nanoseconds() -> u64 {
    u64::try_from(thread_cpu().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn compute(time: Duration) {
        let until = thread_cpu() + time;
        while thread_cpu() < until {}
    }

    #[test]
    fn computing_counts_and_waiting_does_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let (stopwatch, begun) = (Stopwatch::default(), Instant::now());
        let elapsed = runtime.block_on(stopwatch.counting(async {
            compute(Duration::from_millis(20));
            tokio::time::sleep(Duration::from_millis(300)).await;
            compute(Duration::from_millis(20));
            stopwatch.elapsed()
        }));
        assert!(elapsed >= Duration::from_millis(40), "{elapsed:?}");
        assert!(elapsed + Duration::from_millis(150) < begun.elapsed(), "{elapsed:?}");
    }
}
