//! Bodies: those of requests, whole and in time; those of answers, with an eye on whether somebody still reads them.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a client that lost its connection has to ask for the rest of an answer.
const GRACE: Duration = Duration::from_secs(10);

/// Why a body is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    Broken,
}

/// A request's body, whole.
pub(super) async fn read(body: Incoming, most: usize, patience: Duration) -> Result<Bytes, Unread> {
    let announced = body.size_hint().lower();
    if announced > most as u64 {
        return Err(Unread::TooLarge);
    }
    match timeout(patience, Limited::new(body, most).collect()).await {
        Err(_) => Err(Unread::TooSlow),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Ok(Err(_)) => Err(Unread::Broken),
    }
}

/// Tells a call that nobody waits for its answer any more. Put beside the request that makes the call.
#[derive(Clone, Debug)]
pub(in crate::mcp::server) struct Gone(pub(in crate::mcp::server) CancellationToken);

/// An answer's body. If it is dropped before its end and nobody asks for the rest soon, the call is told.
pub(super) struct Watched<B> {
    body: B,
    ended: bool,
    gone: Gone,
    /// How often the client asked for the rest of an answer.
    resumed: Arc<AtomicU64>,
}

impl<B> Watched<B> {
    pub(super) fn new(body: B, gone: Gone, resumed: Arc<AtomicU64>) -> Self {
        Self { body, ended: false, gone, resumed }
    }
}

impl<B: Body<Data = Bytes, Error = Infallible> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
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

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let (gone, resumed) = (self.gone.clone(), Arc::clone(&self.resumed));
        let before = resumed.load(Ordering::Relaxed);
        tokio::spawn(async move {
            tokio::time::sleep(GRACE).await;
            if resumed.load(Ordering::Relaxed) == before {
                gone.0.cancel();
            }
        });
    }
}
