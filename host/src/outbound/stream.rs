//! A connection to a provider, clear or encrypted, straight or through a proxy.

use hyper_util::client::legacy::connect::{Connected, Connection};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection that requests can be sent on.
pub(crate) struct Stream {
    bytes: Box<dyn Duplex>,
    manner: Manner,
}

/// How requests are written on it.
#[derive(Clone, Copy)]
enum Manner {
    Plain,
    /// To a proxy, which is told the whole URL.
    Proxied,
    /// HTTP/2.
    Multiplexed,
}

impl Stream {
    pub(super) fn clear(bytes: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { bytes: Box::new(bytes), manner: Manner::Plain }
    }

    pub(super) fn to_proxy(bytes: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { bytes: Box::new(bytes), manner: Manner::Proxied }
    }

    pub(super) fn encrypted(bytes: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, multiplexed: bool) -> Self {
        let manner = if multiplexed { Manner::Multiplexed } else { Manner::Plain };
        Self { bytes: Box::new(bytes), manner }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self.manner {
            Manner::Plain => Connected::new(),
            Manner::Proxied => Connected::new().proxy(true),
            Manner::Multiplexed => Connected::new().negotiated_h2(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.bytes.is_write_vectored()
    }
}
