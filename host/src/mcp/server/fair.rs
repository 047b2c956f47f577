//! Whose turn it is: so many calls at once in all and of each client, and where clients wait, each in its turn. A client
//! that asks for a hundred things at once waits behind itself and nobody else.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How many at once, and how long they wait.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// Calls that run at once.
    pub all: usize,
    /// Of these, at most so many of one client.
    pub each: usize,
    /// Calls of one client that wait.
    pub waiting: usize,
    /// How long one waits.
    pub patience: Duration,
}

impl Default for Shares {
    fn default() -> Self {
        Self { all: 32, each: 8, waiting: 64, patience: Duration::from_secs(60) }
    }
}

/// The turns there are.
#[derive(Debug)]
pub(super) struct Fair {
    shares: Shares,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    clients: HashMap<Arc<str>, Line>,
    /// Clients with somebody waiting, the next one first.
    order: VecDeque<Arc<str>>,
}

#[derive(Debug, Default)]
struct Line {
    running: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// A turn. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    fair: Arc<Fair>,
    client: Arc<str>,
}

/// No turn came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Busy {
    #[error("Too many calls of this client are waiting already; wait for some of them.")]
    Full,
    #[error("The server is busy, and no turn came in time; try again in a while.")]
    Late,
}

impl Fair {
    pub(super) fn new(shares: Shares) -> Arc<Self> {
        Arc::new(Self { shares, state: Mutex::default() })
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// If too many of the same client wait already, or none came in time.
    pub(super) async fn take(self: &Arc<Self>, client: &Arc<str>) -> Result<Turn, Busy> {
        let turn = self.line_up(client)?;
        match timeout(self.shares.patience, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Busy::Late),
        }
    }

    /// Calls that run, and calls that wait.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.running, state.clients.values().map(|line| line.waiting.len()).sum())
    }

    /// What brings the turn, at once if there is one.
    fn line_up(self: &Arc<Self>, client: &Arc<str>) -> Result<oneshot::Receiver<Turn>, Busy> {
        let (tell, told) = oneshot::channel();
        {
            let mut state = self.state();
            let line = state.clients.entry(Arc::clone(client)).or_default();
            line.waiting.retain(|waiting| !waiting.is_closed());
            if line.waiting.len() >= self.shares.waiting {
                return Err(Busy::Full);
            }
            line.waiting.push_back(tell);
            if !state.order.contains(client) {
                state.order.push_back(Arc::clone(client));
            }
        }
        self.call();
        Ok(told)
    }

    /// Gives free turns to whoever is next. A turn that nobody takes is dropped here, and so ends, with nothing locked.
    fn call(self: &Arc<Self>) {
        while let Some((next, client)) = self.next() {
            let _ = next.send(Turn { fair: Arc::clone(self), client });
        }
    }

    /// Whoever is next, with a turn counted as theirs.
    fn next(&self) -> Option<(oneshot::Sender<Turn>, Arc<str>)> {
        let mut state = self.state();
        if state.running >= self.shares.all {
            return None;
        }
        let each = self.shares.each;
        for _ in 0..state.order.len() {
            let client = state.order.pop_front()?;
            let next = state.clients.get_mut(&client).and_then(|line| line.next(each));
            let waits = state.clients.get(&client).is_some_and(|line| !line.waiting.is_empty());
            if waits {
                state.order.push_back(Arc::clone(&client));
            }
            if let Some(next) = next {
                state.running += 1;
                return Some((next, client));
            }
        }
        None
    }

    /// Ends a turn. It is for [`Turn`] alone, and calls nobody: that is done with nothing locked.
    fn end(&self, client: &Arc<str>) {
        let mut state = self.state();
        state.running -= 1;
        if let Some(line) = state.clients.get_mut(client) {
            line.running -= 1;
            if line.running == 0 && line.waiting.is_empty() {
                state.clients.remove(client);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// Who is next, if the client may have another turn. Who does not wait any more is passed over.
    fn next(&mut self, each: usize) -> Option<oneshot::Sender<Turn>> {
        if self.running >= each {
            return None;
        }
        let next = std::iter::from_fn(|| self.waiting.pop_front()).find(|next| !next.is_closed())?;
        self.running += 1;
        Some(next)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.fair.end(&self.client);
        self.fair.call();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    fn fair(all: usize, each: usize, waiting: usize) -> Arc<Fair> {
        Fair::new(Shares { all, each, waiting, patience: Duration::from_millis(200) })
    }

    fn run<F: Future>(work: F) -> F::Output {
        Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(work)
    }

    #[test]
    fn a_client_that_asks_for_much_waits_behind_itself() {
        run(async {
            let (fair, greedy, modest) = (fair(2, 2, 200), Arc::from("greedy"), Arc::from("modest"));
            let order = Arc::new(Mutex::new(Vec::new()));
            let held = fair.take(&greedy).await.expect("a turn");
            let also = fair.take(&greedy).await.expect("a turn");
            let mut tasks = tokio::task::JoinSet::new();
            for client in std::iter::repeat_n(&greedy, 100).chain([&modest]) {
                let (fair, client, order): (_, Arc<str>, _) =
                    (Arc::clone(&fair), Arc::clone(client), Arc::clone(&order));
                tasks.spawn(async move {
                    let _turn = fair.take(&client).await.expect("a turn");
                    order.lock().expect("no panic").push(client);
                    tokio::task::yield_now().await;
                });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert_eq!(fair.counts(), (2, 101));
            drop((held, also));
            tasks.join_all().await;
            let order = order.lock().expect("no panic");
            let place = order.iter().position(|client| **client == *modest).expect("it had its turn");
            assert!(place <= 2, "{place}");
            assert_eq!((fair.counts(), fair.state().clients.len()), ((0, 0), 0));
        });
    }

    #[test]
    fn nobody_holds_more_than_its_share() {
        run(async {
            let (fair, one, two) = (fair(4, 2, 8), Arc::from("one"), Arc::from("two"));
            let (_a, _b) = (fair.take(&one).await.expect("a turn"), fair.take(&one).await.expect("a turn"));
            assert_eq!(fair.take(&one).await.expect_err("its share is full"), Busy::Late);
            let _c = fair.take(&two).await.expect("another's share is not");
        });
    }

    #[test]
    fn a_line_has_an_end() {
        run(async {
            let (fair, one) = (fair(1, 1, 1), Arc::from("one"));
            let _held = fair.take(&one).await.expect("a turn");
            let (first, second) = tokio::join!(fair.take(&one), fair.take(&one));
            assert_eq!((first.expect_err("late"), second.expect_err("full")), (Busy::Late, Busy::Full));
        });
    }

    #[test]
    fn a_turn_that_comes_too_late_is_not_lost() {
        run(async {
            let (fair, one, two) = (fair(1, 1, 8), Arc::from("one"), Arc::from("two"));
            let held = fair.take(&one).await.expect("a turn");
            fair.take(&two).await.expect_err("late");
            drop(held);
            fair.take(&two).await.expect("a turn");
        });
    }

    #[test]
    fn a_turn_given_to_a_call_that_was_cancelled_meanwhile_is_another_s() {
        run(async {
            let (fair, one) = (fair(1, 1, 8), Arc::from("one"));
            let held = fair.take(&one).await.expect("a turn");
            let mut waiting = Box::pin(fair.take(&one));
            assert!(futures_util::poll!(&mut waiting).is_pending());
            drop(held);
            assert_eq!(fair.counts(), (1, 0), "it was given, and not yet taken");
            drop(waiting);
            assert_eq!((fair.counts(), fair.state().clients.len()), ((0, 0), 0));
            fair.take(&one).await.expect("a turn");
        });
    }
}
