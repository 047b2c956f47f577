//! Whose turn it is to run: so many invocations at once, of which one provider may hold only a part, so that a provider
//! whose invocations all hang does not keep the others from running.

use crate::fault::{Code, Fault};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The turns there are.
#[derive(Debug)]
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    share: usize,
    patience: Duration,
    shares: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A turn. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _share: OwnedSemaphorePermit,
    _slot: OwnedSemaphorePermit,
}

impl Turns {
    /// So many at once, so many of them of one provider; whoever waits longer than this is told `busy`.
    pub(crate) fn new(all: usize, share: usize, patience: Duration) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), share, patience, shares: Mutex::default() }
    }

    /// Waits for a turn of this provider.
    ///
    /// # Errors
    /// `busy`, if none came in time.
    pub(crate) async fn take(&self, provider: &str) -> Result<Turn, Fault> {
        let share = self.share_of(provider);
        match timeout(self.patience, self.both(&share)).await {
            Ok(Some(turn)) => Ok(turn),
            Ok(None) | Err(_) => Err(busy(provider, share.available_permits() == 0)),
        }
    }

    /// The provider's own part first: waiting for it must not cost the others a turn.
    async fn both(&self, share: &Arc<Semaphore>) -> Option<Turn> {
        let _share = Arc::clone(share).acquire_owned().await.ok()?;
        let _slot = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Turn { _share, _slot })
    }

    /// By name, not by revision: a plugin that is replaced again and again gets no more than another.
    fn share_of(&self, provider: &str) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(provider) {
            return Arc::clone(share);
        }
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(provider.into(), Arc::clone(&share));
        share
    }
}

fn busy(provider: &str, alone: bool) -> Fault {
    let whose = if alone { format!("of {provider} ") } else { String::new() };
    Fault::new(
        Code::Busy,
        format!("As many invocations {whose}are running already as may at once; try again when some have ended."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<F: Future>(work: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(work)
    }

    #[test]
    fn a_provider_that_hangs_leaves_turns_to_the_others() {
        let turns = Turns::new(4, 3, Duration::from_millis(50));
        run(async {
            let mut stuck = Vec::new();
            for _ in 0..3 {
                stuck.push(turns.take("stuck").await.expect("its part"));
            }
            let fault = turns.take("stuck").await.expect_err("no more than its part");
            assert_eq!(fault.code, Code::Busy);
            assert!(fault.message.contains("of stuck are running"), "{fault}");
            let other = turns.take("other").await.expect("what is left");
            let fault = turns.take("third").await.expect_err("none is left");
            assert!(fault.message.starts_with("As many invocations are running"), "{fault}");
            drop(other);
            turns.take("third").await.expect("one came free");
            stuck.pop();
            turns.take("stuck").await.expect("one came free");
        });
    }

    #[test]
    fn a_turn_that_comes_free_in_time_is_taken() {
        let turns = Turns::new(1, 1, Duration::from_secs(10));
        run(async {
            let first = turns.take("a").await.expect("a turn");
            let (second, ()) = tokio::join!(turns.take("b"), async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                drop(first);
            });
            second.expect("a turn");
        });
    }
}
