//! Resolves, drops what may not be dialled, dials what is left, speaks TLS to the original name. The only sockets.

use super::address::is_public;
use crate::fault::{Code, Fault};
use crate::limits::Timeouts;
use crate::rule::Base;
use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Makes connections for one account.
#[derive(Clone)]
pub(crate) struct Connector {
    bases: Arc<[Base]>,
    timeouts: Timeouts,
}

impl Connector {
    pub(crate) fn new(bases: Vec<Base>, timeouts: Timeouts) -> Self {
        Self { bases: bases.into(), timeouts }
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<Stream>, Fault> {
        let host = uri.host().unwrap_or_default();
        let secure = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tcp = timed(self.timeouts.connect, host, "connecting", self.dial(host, port)).await?;
        if !secure {
            return Ok(TokioIo::new(Stream(Box::new(tcp))));
        }
        let tls = timed(self.timeouts.handshake, host, "the TLS handshake", handshake(host, tcp)).await?;
        Ok(TokioIo::new(Stream(Box::new(tls))))
    }

    /// Dials the addresses just checked: a second lookup could answer differently.
    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, Fault> {
        let addresses = self.vetted(host, port).await?;
        let mut last = None;
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // A request is one small write; waiting to fill a segment would only delay it.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => last = Some(error),
            }
        }
        let why = last.map_or_else(|| "the name has no address".into(), |error| error.to_string());
        Err(unreachable(host, &why))
    }

    async fn vetted(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Fault> {
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<_> =
            lookup_host((name, port)).await.map_err(|error| unreachable(host, &error.to_string()))?.collect();
        if self.bases.iter().any(|base| base.grants_address(host, port)) {
            return Ok(found);
        }
        let (public, special): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| is_public(address.ip()));
        match special.first() {
            Some(address) if public.is_empty() => Err(prohibited(host, address)),
            _ => Ok(public),
        }
    }
}

async fn handshake(host: &str, tcp: TcpStream) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Fault> {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|error| unreachable(host, &error.to_string()))?;
    tls().connect(name, tcp).await.map_err(|error| unreachable(host, &error.to_string()))
}

/// One configuration for all: reading the roots takes longer than a request.
fn tls() -> TlsConnector {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let build = || {
        let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    };
    TlsConnector::from(Arc::clone(CONFIG.get_or_init(build)))
}

async fn timed<T>(
    limit: Duration,
    host: &str,
    what: &str,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let late = |_| Fault::new(Code::Timeout, format!("{host}: {what} took more than {} s", limit.as_secs_f32()));
    timeout(limit, work).await.map_err(late)?
}

fn unreachable(host: &str, why: &str) -> Fault {
    Fault::new(Code::Unreachable, format!("{host}: {why}"))
}

fn prohibited(host: &str, address: &SocketAddr) -> Fault {
    Fault::new(
        Code::Denied,
        format!(
            "{host} resolves to {}, a special-purpose address no public provider has. If the provider really is \
             there, its operator can say so by setting the account's `url` to that address itself.",
            address.ip()
        ),
    )
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection, clear or encrypted.
pub(crate) struct Stream(Box<dyn Duplex>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
