//! The clients that are connected. Each has sessions of its own: a session's id means nothing to anybody else's token.

use super::body::Gone;
use super::rate::Allowance;
use super::streams::Streams;
use super::{Access, Http};
use crate::mcp::server::handler::Handler;
use crate::mcp::server::offer::Client;
use crate::mcp::server::{Refusal, Server};
use crate::outbound::{Budget, Share};
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long the rest of an answer is kept for a client that lost its connection.
const KEPT: Duration = Duration::from_secs(10);
/// How long a session has to begin.
const BEGIN: Duration = Duration::from_secs(10);

type Sessions = StreamableHttpService<Handler, LocalSessionManager>;

/// Everybody.
pub(super) struct Hall {
    server: Server,
    access: Mutex<Access>,
    guests: Mutex<HashMap<Arc<str>, Arc<Guest>>>,
    settings: Http,
    /// Room for the bodies of all clients.
    bodies: Arc<Budget>,
    close: CancellationToken,
}

/// One client, with all its sessions.
pub(super) struct Guest {
    pub(super) client: Client,
    pub(super) sessions: Sessions,
    pub(super) streams: Arc<Streams>,
    seats: Arc<Seats>,
    allowance: Mutex<Allowance>,
    /// Room for the bodies of its own.
    bodies: Arc<Budget>,
    close: CancellationToken,
}

impl Hall {
    pub(super) fn new(server: Server, settings: &Http) -> Self {
        let access = Mutex::new(settings.access.clone());
        let (bodies, close) = (Budget::new(settings.bodies), CancellationToken::new());
        Self { server, access, guests: Mutex::default(), settings: settings.clone(), bodies, close }
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// Whoever has this token, which may be none.
    pub(super) fn enter(&self, token: Option<&str>) -> Option<Arc<Guest>> {
        // Held until the guest is there: nobody comes in with what a token gave before.
        let access = self.access();
        let client = match (&*access, token) {
            (Access::Anybody, _) => Client::anybody(self.server.offer()),
            (Access::Tokens(tokens), Some(token)) => tokens.find(token, self.server.offer())?,
            (Access::Tokens(_), None) => return None,
        };
        let mut guests = self.guests();
        let guest = guests.entry(Arc::clone(&client.name)).or_insert_with(|| self.guest(client));
        Some(Arc::clone(guest))
    }

    /// From now on, these are let in; those whose token is gone or changed are shown out.
    pub(super) fn admit(&self, access: Access) {
        let mut current = self.access();
        let before = std::mem::replace(&mut *current, access.clone());
        let (Access::Tokens(before), Access::Tokens(now)) = (before, access) else { return };
        self.guests().retain(|name, guest| {
            let stays = before.same(&now, name);
            if !stays {
                guest.close.cancel();
            }
            stays
        });
    }

    /// Ends every session.
    pub(super) fn close(&self) {
        self.close.cancel();
    }

    /// Nothing yet of the room for a guest's bodies and for everybody's.
    pub(super) fn room(&self, guest: &Guest) -> Share {
        Share::new(Arc::clone(&guest.bodies), Arc::clone(&self.bodies))
    }

    fn guest(&self, client: Client) -> Arc<Guest> {
        let (close, seats) = (self.close.child_token(), Seats::new(self.settings.sessions));
        let sessions = self.sessions(&client, &seats, &close);
        let allowance = Mutex::new(Allowance::new(self.settings.rate, Instant::now()));
        let bodies = Budget::new(self.settings.bodies_each);
        Arc::new(Guest { client, sessions, streams: Arc::default(), seats, allowance, bodies, close })
    }

    fn sessions(&self, client: &Client, seats: &Arc<Seats>, close: &CancellationToken) -> Sessions {
        let mut manager = LocalSessionManager::default();
        manager.session_config = SessionConfig::default();
        manager.session_config.keep_alive = Some(self.settings.idle);
        manager.session_config.completed_cache_ttl = KEPT;
        manager.session_config.init_timeout = Some(BEGIN);
        // `Host` and `Origin` were checked on the way in.
        let config = StreamableHttpServerConfig::default()
            .disable_allowed_hosts()
            .with_max_request_body_bytes(self.settings.body_bytes)
            .with_cancellation_token(close.clone());
        let (server, client, seats) = (self.server.clone(), client.clone(), Arc::clone(seats));
        let handler = move || {
            let full = || io::Error::other("there are as many sessions of this client already as may be");
            let seat = seats.take().ok_or_else(full)?;
            Ok(Handler::new(server.clone(), client.clone()).seated(seat))
        };
        StreamableHttpService::new(handler, Arc::new(manager), config)
    }

    fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guests(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Guest>>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// Why a request of it gets no further.
    pub(super) fn check(&self, begins: bool) -> Result<(), Refusal> {
        let mut allowance = self.allowance.lock().unwrap_or_else(PoisonError::into_inner);
        if !allowance.take(Instant::now()) {
            return Err(Refusal::Rate);
        }
        if begins && self.seats.is_full() { Err(Refusal::Sessions) } else { Ok(()) }
    }

    /// What tells a call of it that nobody waits for the answer.
    pub(super) fn gone(&self) -> Gone {
        Gone(self.close.child_token())
    }
}

/// How many sessions a client may have.
#[derive(Debug)]
pub(in crate::mcp::server) struct Seats {
    taken: AtomicUsize,
    all: usize,
}

/// One session's place. It is free again when this is dropped.
#[derive(Debug)]
pub(in crate::mcp::server) struct Seat(Arc<Seats>);

impl Seats {
    fn new(all: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), all })
    }

    fn take(self: &Arc<Self>) -> Option<Seat> {
        let more = |taken| (taken < self.all).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Seat(Arc::clone(self)))
    }

    fn is_full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) >= self.all
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}
