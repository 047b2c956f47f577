//! kosmo as an MCP server: scripts, functions and documentation for every client that speaks the protocol, over pipes
//! or HTTP.
//!
//! A server only narrows. Which accounts there are, what they may reach and which functions may write is decided by the
//! operator's files; a server's [`Offer`] and each client's [`Scope`](crate::Scope) take away from that. What `ask`
//! means is answered by the person at the client, if the client can ask one.

mod call;
mod complete;
mod documents;
mod elicit;
mod fair;
mod handler;
pub mod http;
mod leave;
mod logging;
mod metrics;
mod names;
mod notes;
mod offer;
mod page;
mod prompts;
mod result;
mod schema;
mod shelf;
mod sources;
pub mod tokens;
mod tools;
pub mod trace;

mod watchers;
mod work;

pub use fair::Shares;
pub use http::{Access, Door, Http};
pub use offer::{Client, Offer, Tools};
pub use sources::Sources;
pub use tokens::Tokens;
pub use trace::Tracer;
pub use work::Unfinished;

use crate::Host;
use crate::fault::Fault;
use crate::lua::Lost;
use arc_swap::ArcSwap;
use fair::Fair;
use handler::Handler;
use metrics::{Metrics, Refusal};
use rmcp::service::{ServerInitializeError, serve_server_with_ct};
use rmcp::transport::async_rw::AsyncRwTransport;
use shelf::Shelf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use work::Work;

/// Most bytes of one message on a pipe.
const LINE: usize = 4 << 20;
/// What is left of the time to end, once everything was told to.
const LAST: Duration = Duration::from_secs(6);

/// An MCP server over a host, which may be replaced while it serves. Clones are one and the same.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    host: ArcSwap<Host>,
    offer: Offer,
    fair: Arc<Fair>,
    work: Arc<Work>,
    metrics: Arc<Metrics>,
    shelf: Shelf,
    tracer: Tracer,
    /// Counts what changed that clients may list.
    revision: watch::Sender<u64>,
}

impl Server {
    /// A server that offers this of a host. For use inside a runtime of several threads, in which the host was built.
    pub fn new(host: Host, offer: Offer, shares: Shares, tracer: Tracer) -> Self {
        let inner = Arc::new(Inner {
            host: ArcSwap::from_pointee(host),
            offer,
            fair: Fair::new(shares),
            work: Arc::default(),
            metrics: Arc::new(Metrics::new()),
            shelf: Shelf::default(),
            tracer,
            revision: watch::Sender::new(0),
        });
        let server = Self { inner };
        server.follow();
        server
    }

    /// The host that new calls run on.
    pub fn host(&self) -> Host {
        Host::clone(&self.inner.host.load())
    }

    /// What is offered.
    pub fn offer(&self) -> &Offer {
        &self.inner.offer
    }

    /// Puts another host in the place of this one: calls under way end where they began, and clients are told what
    /// changed for them. Every provider that could be loaded before must still be.
    ///
    /// # Errors
    /// Why a provider cannot be loaded any more. The server goes on with the host it has.
    pub async fn succeed(&self, host: Host) -> Result<(), Fault> {
        let ready = self.make_ready(&host).await;
        self.inner.metrics.reloaded(ready.is_ok());
        ready?;
        self.inner.host.store(Arc::new(host));
        self.changed();
        self.follow();
        Ok(())
    }

    /// Speaks to whoever is at the other end of two pipes, until that end is closed or `stop` is given.
    ///
    /// # Errors
    /// If the other end does not speak the protocol.
    pub async fn serve_pipes<R, W>(&self, read: R, write: W, stop: CancellationToken) -> Result<(), ServeError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let handler = Handler::new(self.clone(), Client::anybody(self.offer()));
        let transport = AsyncRwTransport::new_server(read, write).with_max_line_length(LINE);
        match serve_server_with_ct(handler, transport, stop).await {
            Ok(running) => running.waiting().await.map(drop).map_err(ServeError::Broken),
            // Whoever leaves before saying a word wanted nothing.
            Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(ServeError::Handshake(error.into())),
        }
    }

    /// Ends what is under way: waits for it, then interrupts it, then gives it up. Gives what was interrupted or given
    /// up since the server began, and is not known to have come to an end.
    pub async fn finish(&self, patience: Duration) -> Vec<Unfinished> {
        self.inner.work.close();
        if !self.inner.work.settle(patience).await {
            self.inner.work.end();
            self.inner.work.settle(LAST).await;
        }
        self.inner.tracer.flush().await;
        self.inner.work.unfinished()
    }

    /// The calls under way, as sentences.
    pub fn calls(&self) -> Vec<String> {
        self.inner.work.calls()
    }

    /// Why no more clients should be sent here, if none should.
    pub fn trouble(&self) -> Option<String> {
        if self.inner.work.is_closing() {
            return Some("The server is ending.".into());
        }
        let lost = self.host().lost_threads();
        let most = Lost::MOST;
        (lost >= most)
            .then(|| format!("{lost} scripts could not be stopped, and each keeps a thread. Restart the server."))
    }

    /// Everything that is counted, in the text format of OpenMetrics. It holds no secrets.
    pub fn metrics(&self) -> String {
        self.inner.metrics.text(&self.host(), &self.inner.fair)
    }

    /// The same, as far as a client may know of it.
    fn metrics_for(&self, client: &Client) -> String {
        self.inner.metrics.text_within(&client.view(&self.host()), &self.inner.fair)
    }

    fn changed(&self) {
        self.inner.revision.send_modify(|count| *count += 1);
    }

    /// Passes on that the providers of the current host changed, as long as it is the current one.
    fn follow(&self) {
        let (host, weak) = (self.host(), Arc::downgrade(&self.inner));
        let mut changes = host.registry().changes();
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                let Some(inner) = weak.upgrade() else { return };
                inner.revision.send_modify(|count| *count += 1);
            }
        });
    }

    /// Loads and compiles what is new before anybody asks for it.
    async fn make_ready(&self, host: &Host) -> Result<(), Fault> {
        let before = self.host();
        for name in host.registry().names() {
            let known = before.registry().knows(&name);
            let old = if known { before.registry().provider(&name).await.ok() } else { None };
            match (host.registry().provider(&name).await, old) {
                (Ok(new), Some(old)) if new.digest() == old.digest() => {}
                (Ok(new), old) => match new.plugin(&host.surroundings().engine).await {
                    Err(fault) if old.is_some() => return Err(fault),
                    _ => {}
                },
                (Err(fault), Some(_)) => return Err(fault),
                // It could not be loaded before either.
                (Err(_), None) => {}
            }
        }
        Ok(())
    }
}

/// Why serving ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The first messages are not the protocol's.
    #[error("The other end does not speak the Model Context Protocol: {0}")]
    Handshake(Box<ServerInitializeError>),
    /// Nobody can connect any more.
    #[error("No connections can be accepted any more: {0}")]
    Address(std::io::Error),
    /// A defect.
    #[error("Serving broke off: {0}")]
    Broken(tokio::task::JoinError),
}
