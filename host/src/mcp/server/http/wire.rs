//! A connection that breaks when nobody reads at its other end: what cannot be sent holds everything behind it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream of bytes both ways.
pub(super) struct Wire<S> {
    stream: S,
    patience: Duration,
    /// Runs from when something could not be sent.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Wire<S> {
    /// Breaks once so much time has passed in which there was something to send, and none of it went out.
    pub(super) fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, stalled: None }
    }

    fn watched<T>(&mut self, context: &mut Context<'_>, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if sent.is_ready() {
            self.stalled = None;
            return sent;
        }
        let patience = self.patience;
        ready!(self.stalled.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(context, sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.watched(context, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_flush(context);
        self.watched(context, sent)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watched(context, sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::runtime::Builder;
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_millis(100);

    fn run<F: Future>(work: F) -> F::Output {
        Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(work)
    }

    #[test]
    fn a_peer_that_does_not_read_is_given_up_on() {
        run(async {
            let (end, _peer) = duplex(16);
            let mut wire = Wire::new(end, PATIENCE);
            let written = timeout(50 * PATIENCE, wire.write_all(&[0; 100])).await.expect("it does not wait for ever");
            assert_eq!(written.expect_err("nobody reads").kind(), io::ErrorKind::TimedOut);
        });
    }

    #[test]
    fn a_peer_that_reads_slowly_is_waited_for() {
        run(async {
            let (end, mut peer) = duplex(16);
            let mut wire = Wire::new(end, 4 * PATIENCE);
            let reading = async {
                let mut some = [0; 16];
                for _ in 0..6 {
                    sleep(PATIENCE).await;
                    peer.read_exact(&mut some).await.expect("what was sent");
                }
            };
            let (written, ()) = tokio::join!(wire.write_all(&[0; 96]), reading);
            written.expect("six times its patience");
        });
    }
}
