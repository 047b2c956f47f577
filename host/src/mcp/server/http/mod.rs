//! Serving over HTTP: one address, one path for the protocol, three for whoever looks after the server.
//!
//! Before the protocol sees a request it has passed, in this order: the limits of connections, the time a head may take,
//! `Host`, `Origin`, the token, the client's rate, and the size, room and time of its body.

mod answer;
mod body;
mod crowd;
mod guard;
mod hall;
mod rate;
mod service;
mod streams;
mod wire;

pub(super) use body::Gone;
pub use guard::{Hosts, Origins};
pub(super) use hall::Seat;
pub use rate::Rate;

use super::{Refusal, ServeError, Server, Tokens, Unfinished};
use crowd::Crowd;
use hall::Hall;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use service::Service;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::Wire;

/// Bytes of a request's head, and fields in it.
const HEAD: usize = 32 << 10;
const FIELDS: usize = 64;
/// How long the last answers have to reach whoever waits for them.
const DELIVERY: Duration = Duration::from_secs(1);
/// How long connections have to end once nothing is under way.
const CLOSING: Duration = Duration::from_secs(2);

/// Who is let in, and how much of everything there is.
#[derive(Clone, Debug)]
pub struct Http {
    /// Names that requests may be addressed to.
    pub hosts: Hosts,
    /// Web pages that may send requests.
    pub origins: Origins,
    /// Who may connect.
    pub access: Access,
    /// Requests that one client may send.
    pub rate: Rate,
    /// Connections at once.
    pub connections: usize,
    /// Of these, at most so many of one address.
    pub connections_each: usize,
    /// Sessions of one client.
    pub sessions: usize,
    /// How long a session lives that nobody uses.
    pub idle: Duration,
    /// How long a request's head may take, and a connection wait for the next one.
    pub head_time: Duration,
    /// How long a request's body may take.
    pub body_time: Duration,
    /// How long a peer may take none of what is sent to it.
    pub write_time: Duration,
    /// Most bytes of a request's body.
    pub body_bytes: usize,
    /// Most bytes of the bodies of requests that one client waits for.
    pub bodies_each: usize,
    /// The same of all clients.
    pub bodies: usize,
    /// How long what is under way is waited for at the end.
    pub patience: Duration,
}

/// Who may connect.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody who can reach the address.
    Anybody,
    /// Whoever has one of these.
    Tokens(Tokens),
}

impl Http {
    /// With limits that suit a handful of people and their agents.
    pub fn new(hosts: Hosts, access: Access) -> Self {
        Self {
            hosts,
            origins: Origins::default(),
            access,
            rate: Rate::default(),
            connections: 1024,
            connections_each: 256,
            sessions: 100,
            idle: Duration::from_secs(30 * 60),
            head_time: Duration::from_secs(15),
            body_time: Duration::from_secs(15),
            write_time: Duration::from_secs(30),
            body_bytes: 4 << 20,
            bodies_each: 8 << 20,
            bodies: 32 << 20,
            patience: Duration::from_secs(30),
        }
    }
}

/// A server at an address. Who is let in can be changed while it serves.
#[derive(Clone)]
pub struct Door {
    hall: Arc<Hall>,
    settings: Arc<Http>,
}

impl Door {
    /// Nobody is served yet.
    pub fn new(server: Server, settings: Http) -> Self {
        let hall = Arc::new(Hall::new(server, &settings));
        Self { hall, settings: Arc::new(settings) }
    }

    /// From now on, these are let in. Whoever is not among them any more is disconnected.
    pub fn admit(&self, tokens: Tokens) {
        self.hall.admit(Access::Tokens(tokens));
    }

    /// Serves until `stop` is given; then takes in nobody, waits for what is under way, and gives what it could not wait
    /// for.
    ///
    /// # Errors
    /// If the address takes no connections any more.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) -> Result<Vec<Unfinished>, ServeError> {
        let connections = GracefulShutdown::new();
        let crowd = Crowd::new(self.settings.connections, self.settings.connections_each);
        let accepted = loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.attend(stream, peer, &crowd, &connections),
                    Err(error) if is_passing(&error) => tokio::time::sleep(Duration::from_millis(50)).await,
                    Err(error) => break Err(ServeError::Address(error)),
                },
                () = stop.cancelled() => break Ok(()),
            }
        };
        drop(listener);
        let left = self.hall.server().finish(self.settings.patience).await;
        let mut connections = pin!(connections.shutdown());
        // What came to its end is still on its way to whoever asked; those who only listen are not waited for.
        let delivered = timeout(DELIVERY, &mut connections).await.is_ok();
        self.hall.close();
        if !delivered {
            let _ = timeout(CLOSING, connections).await;
        }
        accepted.map(|()| left)
    }

    fn attend(
        &self,
        stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
        peer: std::net::SocketAddr,
        crowd: &Arc<Crowd>,
        connections: &GracefulShutdown,
    ) {
        let metrics = &self.hall.server().inner.metrics;
        let Some(place) = crowd.admit(peer.ip()) else {
            return metrics.refused(Refusal::Connections);
        };
        let counted = metrics.connection();
        let service = Service::new(Arc::clone(&self.hall), Arc::clone(&self.settings), peer);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.settings.head_time);
        http.max_buf_size(HEAD).max_headers(FIELDS);
        let wire = Wire::new(stream, self.settings.write_time);
        let connection = connections.watch(http.serve_connection(TokioIo::new(wire), service));
        tokio::spawn(async move {
            // What a client did wrong is answered or not worth a word.
            let _ = connection.await;
            drop((place, counted));
        });
    }
}

/// Whether the next connection may well be accepted.
fn is_passing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    // No free descriptor: EMFILE and ENFILE.
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | WouldBlock)
        || matches!(error.raw_os_error(), Some(23 | 24))
}
