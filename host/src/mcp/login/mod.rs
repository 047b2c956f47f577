//! Signing in at MCP servers, as the protocol's authorization has it: OAuth 2.1 with PKCE.

mod ask;
mod authorize;
mod callback;
mod challenge;
mod client;
mod discover;
mod flow;
mod kept;
mod logout;
mod metadata;
mod session;
mod wire;

pub(crate) use challenge::Challenge;
pub use logout::SignedOut;
pub(crate) use session::Session;

use super::config::Server;
use super::{Address, Servers};
use crate::fault::Fault;
use crate::invocation::Surroundings;
use crate::journal::time;
use crate::mcp::config::Transport;
use crate::store::{Token, Value};
use kept::{Login, OWNER, Place};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a person may take in the browser, unless something else is wished.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// How somebody is to be signed in.
#[derive(Debug)]
pub struct Wish {
    /// The client that was registered at the authorization server; without one, one is registered.
    pub client_id: Option<String>,
    /// Its secret, if it has one. Without `issuer` it goes to no other address than the server's own.
    pub client_secret: Option<Value>,
    /// What the token is to be good for, by words that blanks separate; without, what the server wants.
    pub scope: Option<String>,
    /// The authorization server, if not the one that the server names first. Also leave for it to be at a special-purpose
    /// address.
    pub issuer: Option<String>,
    /// Where the browser comes back to on 127.0.0.1; without, any port that is free.
    pub port: Option<u16>,
    /// Whether the client signs in itself, and nobody with it.
    pub of_client: bool,
    /// How long a person may take in the browser.
    pub patience: Duration,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            client_id: None,
            client_secret: None,
            scope: None,
            issuer: None,
            port: None,
            of_client: false,
            patience: PATIENCE,
        }
    }
}

/// A sign-in, without its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who issues its tokens.
    pub issuer: String,
    /// What they are good for, if that was said.
    pub scope: Option<String>,
    /// When the last one ends.
    pub expires: SystemTime,
    /// Whether there is another one then, without anybody's doing.
    pub is_renewed: bool,
}

impl SignedIn {
    fn of(login: &Login, token: &Token) -> Self {
        let is_renewed = token.refresh.is_some() || login.of_client;
        Self { issuer: login.issuer.clone(), scope: login.scope.clone(), expires: token.expires, is_renewed }
    }

    /// When the last one ends: UTC, ISO 8601.
    pub fn until(&self) -> String {
        time(self.expires)
    }

    /// Whether scripts are still let in by it.
    pub fn is_good(&self) -> bool {
        self.is_renewed || SystemTime::now() < self.expires
    }
}

impl Servers {
    /// Who is signed in at a server, as far as that is known here.
    ///
    /// # Errors
    /// If what is kept cannot be read.
    pub fn signed_in(&self, server: &Server) -> Result<Option<SignedIn>, Fault> {
        let place = (server.transport == Transport::Http).then(|| self.address(server).ok()).flatten();
        let Some(place) = place.and_then(|address| Place::of(server, &address, self.surroundings())) else {
            return Ok(None);
        };
        let Some((login, _)) = place.read_now()? else { return Ok(None) };
        let token = place.store.token(OWNER, &place.key, &login.fingerprint())?;
        Ok(token.map(|token| SignedIn::of(&login, &token)))
    }
}

impl Session {
    /// Who is signed in at a server. Nobody can be at one that was not reviewed, nor where others on the way could listen.
    pub(crate) fn of(server: &Server, address: &Address, host: &Arc<Surroundings>) -> Option<Arc<Self>> {
        let is_vouched = host.config.mcp().trust(server).is_given();
        let place = Place::of(server, address, host).filter(|_| is_vouched && !address.base.is_overheard())?;
        Some(Arc::new(Self::new(&server.name, place, address.base.clone(), host)))
    }
}

impl Place {
    /// Nothing without a home.
    fn of(server: &Server, address: &Address, host: &Surroundings) -> Option<Self> {
        let store = Arc::clone(host.store.as_ref()?);
        Some(Self { store, key: kept::place(server, &address.url).into() })
    }
}
