//! Answers under way, each with the connections that carry it: one that is lost can be taken up on another.

use super::body::Gone;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// How long a client that lost its connection has to ask for the rest of an answer.
#[cfg(not(test))]
const GRACE: Duration = Duration::from_secs(10);
#[cfg(test)]
const GRACE: Duration = Duration::from_millis(100);

/// Which answer of a client: its session, and the stream's number in it, as the ids of events have it.
pub(super) type Key = (Arc<str>, u64);

/// The answers of one client that are under way.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<HashMap<Key, Answer>>);

#[derive(Debug)]
struct Answer {
    gone: Gone,
    carriers: usize,
}

impl Streams {
    /// The answer with this event, if it is still under way, for whoever carries on with it.
    pub(super) fn find(&self, session: &str, event: &str) -> Option<(Key, Gone)> {
        let key = (session.into(), stream_of(event)?);
        let gone = self.answers().get(&key)?.gone.clone();
        Some((key, gone))
    }

    fn carry(&self, key: &Key, gone: &Gone) {
        let answer = || Answer { gone: gone.clone(), carriers: 0 };
        self.answers().entry(key.clone()).or_insert_with(answer).carriers += 1;
    }

    /// Whether nobody carries it any more.
    fn let_go(&self, key: &Key) -> bool {
        let mut answers = self.answers();
        let Some(answer) = answers.get_mut(key) else { return true };
        answer.carriers = answer.carriers.saturating_sub(1);
        answer.carriers == 0
    }

    /// Forgets it unless somebody carries it. Whether it was forgotten.
    fn forget(&self, key: &Key) -> bool {
        let mut answers = self.answers();
        let lost = answers.get(key).is_none_or(|answer| answer.carriers == 0);
        if lost {
            answers.remove(key);
        }
        lost
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<Key, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of an answer on one connection. If it is dropped before its end and nobody takes the answer up soon, the
/// call is told.
pub(super) struct Carried<B> {
    body: B,
    ended: bool,
    gone: Gone,
    streams: Arc<Streams>,
    session: Option<Arc<str>>,
    key: Option<Key>,
}

impl<B> Carried<B> {
    /// Which stream it is, its first event tells.
    pub(super) fn new(body: B, gone: Gone, streams: &Arc<Streams>, session: Option<&str>) -> Self {
        let session = session.map(Into::into);
        Self { body, ended: false, gone, streams: Arc::clone(streams), session, key: None }
    }

    /// On another connection than before.
    pub(super) fn again(body: B, gone: Gone, streams: &Arc<Streams>, key: Key) -> Self {
        streams.carry(&key, &gone);
        Self { body, ended: false, gone, streams: Arc::clone(streams), session: None, key: Some(key) }
    }

    fn read(&mut self, bytes: &[u8]) {
        let (None, Some(session)) = (&self.key, &self.session) else { return };
        let key = event_of(bytes).and_then(stream_of).map(|stream| (Arc::clone(session), stream));
        key.iter().for_each(|key| self.streams.carry(key, &self.gone));
        self.key = key;
    }
}

impl<B: Body<Data = Bytes, Error = Infallible> + Unpin> Body for Carried<B> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            self.read(bytes);
        }
        self.ended |= matches!(frame, Poll::Ready(None)) || self.body.is_end_stream();
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Carried<B> {
    fn drop(&mut self) {
        let key = self.key.take();
        let last = key.as_ref().is_none_or(|key| self.streams.let_go(key));
        if self.ended || !last {
            if let Some(key) = key.filter(|_| self.ended) {
                self.streams.forget(&key);
            }
            return;
        }
        let (gone, streams) = (self.gone.clone(), Arc::clone(&self.streams));
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            if key.is_none_or(|key| streams.forget(&key)) {
                gone.0.cancel();
            }
        });
    }
}

/// The id of the first event in this part of a stream.
fn event_of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().find_map(|line| line.strip_prefix("id:")).map(str::trim)
}

/// `3/7` is the fourth event of stream 7; one without a stream is of no call.
fn stream_of(event: &str) -> Option<u64> {
    event.trim().split_once('/')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};
    use tokio_util::sync::CancellationToken;

    #[test]
    fn an_event_tells_its_stream() {
        assert_eq!(event_of(b"id: 0/3\nretry: 3000\ndata:\n\n").and_then(stream_of), Some(3));
        assert_eq!(event_of(b"data: {}\nid:12/0\n\n").and_then(stream_of), Some(0));
        for none in [&b"data: {}\n\n"[..], b"id: 7\n\n", b"id: x/y\n\n", b"\xff\n", b""] {
            assert_eq!(event_of(none).and_then(stream_of), None, "{none:?}");
        }
    }

    fn run<F: Future>(work: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(work)
    }

    fn carried(streams: &Arc<Streams>, gone: &Gone, event: &'static str) -> Carried<Full<Bytes>> {
        Carried::new(Full::new(Bytes::from(event)), gone.clone(), streams, Some("s"))
    }

    #[test]
    fn one_answer_that_is_taken_up_keeps_no_other_going() {
        run(async {
            let streams = Arc::<Streams>::default();
            let (one, two) = (Gone(CancellationToken::new()), Gone(CancellationToken::new()));
            for (gone, event) in [(&one, "id: 0/1\n\n"), (&two, "id: 0/2\n\n")] {
                let mut body = carried(&streams, gone, event);
                body.frame().await.expect("a frame").expect("no error");
                body.ended = false;
            }
            let (key, again) = streams.find("s", "0/1").expect("under way");
            assert!(streams.find("other", "0/1").is_none() && streams.find("s", "0/9").is_none());
            let body = Carried::again(Full::new(Bytes::new()), again, &streams, key);
            tokio::time::sleep(2 * GRACE).await;
            assert!(two.0.is_cancelled() && !one.0.is_cancelled());
            drop(body);
            tokio::time::sleep(2 * GRACE).await;
            assert!(one.0.is_cancelled(), "lost once more");
            assert!(streams.answers().is_empty());
        });
    }
}
