//! A sign-in as connections use it: the token that goes with each request, renewed ahead of its end, or once after it was
//! refused; by one of all processes that share the store, and nothing lost whenever one is killed.

use super::ask::{self, Grant};
use super::kept::{Login, OWNER, Place, secret_of};
use super::wire::{Wire, refused};
use crate::audit::Trail;
use crate::fault::{Code, Fault};
use crate::invocation::{Invocation, Surroundings};
use crate::oauth;
use crate::outbound::{Live, Shelf, Tokens};
use crate::rule::Base;
use crate::secret::Secret;
use crate::store::{Token, Value};
use http::StatusCode;
use serde_json::Map;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// The sign-in at one server, if there is one.
pub(crate) struct Session {
    server: Arc<str>,
    place: Place,
    /// Where the server is, by the operator's word.
    base: Base,
    host: Arc<Surroundings>,
    tokens: Tokens,
    /// Whether nobody was signed in when that was looked up.
    absent: AtomicBool,
}

impl Session {
    pub(super) fn new(server: &str, place: Place, base: Base, host: &Arc<Surroundings>) -> Self {
        let (host, tokens) = (Arc::clone(host), Tokens::default());
        Self { server: server.into(), place, base, host, tokens, absent: AtomicBool::new(false) }
    }

    /// What a request goes out with, if somebody is signed in.
    ///
    /// # Errors
    /// When the sign-in is over and cannot be renewed.
    pub(crate) async fn token(self: &Arc<Self>) -> Result<Option<Arc<Live>>, Fault> {
        if self.absent.load(Ordering::Relaxed) { Ok(None) } else { self.newest(None).await }
    }

    /// What a request is repeated with that was sent with this, if there is anything else. A token that never worked is
    /// no reason to ask for one more.
    ///
    /// # Errors
    /// When the sign-in is over and cannot be renewed.
    pub(crate) async fn after(
        self: &Arc<Self>,
        used: Option<&Arc<Live>>,
        status: StatusCode,
    ) -> Result<Option<Arc<Live>>, Fault> {
        used.inspect(|live| live.note(status));
        if status != StatusCode::UNAUTHORIZED {
            return Ok(None);
        }
        match used {
            Some(live) if !live.is_proven() && self.tokens.is_newest(live) => Ok(None),
            used => self.newest(used.cloned()).await,
        }
    }

    /// Getting it goes on when nobody waits any more: what was issued and not kept would be lost.
    async fn newest(self: &Arc<Self>, refused: Option<Arc<Live>>) -> Result<Option<Arc<Live>>, Fault> {
        if let Some(known) = self.tokens.known(refused.as_ref()) {
            return known.map(Some);
        }
        let session = Arc::clone(self);
        let renewal = tokio::spawn(async move { session.renewed(refused).await });
        renewal.await.unwrap_or_else(|error| Err(Fault::new(Code::Internal, format!("asking for a token: {error}"))))
    }

    async fn renewed(&self, refused: Option<Arc<Live>>) -> Result<Option<Arc<Live>>, Fault> {
        let _turn = self.tokens.turn.lock().await;
        if let Some(known) = self.tokens.known(refused.as_ref()) {
            return known.map(Some);
        }
        let kept = self.place.read().await?;
        self.absent.store(kept.is_none(), Ordering::Relaxed);
        if kept.is_none() {
            return Ok(None);
        }
        let outcome = self.obtain(refused.as_deref()).await;
        let outcome = outcome.map_err(|fault| self.host.secrets.scrubbed_fault(fault));
        self.tokens.settle(outcome, refused.as_ref()).map(Some)
    }

    /// From the store, if another process was first; otherwise from the authorization server.
    async fn obtain(&self, refused: Option<&Live>) -> Result<Live, Fault> {
        let shelf = |login: &Login| {
            Shelf::new(&self.place.store, OWNER, &self.place.key, &login.fingerprint(), login.of_client)
        };
        let (login, _) = self.place.read().await?.ok_or_else(|| self.over())?;
        let _lease = shelf(&login).lease().await?;
        // It may be another one since.
        let (login, secret) = self.place.read().await?.ok_or_else(|| self.over())?;
        let (shelf, secret) = (shelf(&login), self.secret(secret.as_ref()));
        let kept = shelf.token().await?;
        // Nobody is shown it, whatever the authorization server says of it.
        kept.iter().try_for_each(|token| self.live(token.copied(), &login).map(drop))?;
        let usable = |token: &Token| !token.exchanging && refused.is_none_or(|live| !live.is(token));
        match kept.as_ref().filter(|token| usable(token)) {
            Some(token) if token.is_fresh() => return Ok(self.live(token.copied(), &login)?.trusted()),
            // Better the last minutes of an old token than none, should there be no other.
            Some(token) if token.is_alive() => _ = self.tokens.put(self.live(token.copied(), &login)?.trusted()),
            _ => {}
        }
        let token = match self.tokens.take_unkept() {
            Some(token) => token,
            None => self.exchange(&shelf, &login, secret?.as_ref(), kept).await?,
        };
        shelf.save(token.copied()).await.inspect_err(|_| self.tokens.set_unkept(token.copied()))?;
        self.live(token, &login)
    }

    async fn exchange(
        &self,
        shelf: &Shelf,
        login: &Login,
        secret: Option<&Secret>,
        kept: Option<Token>,
    ) -> Result<Token, Fault> {
        let invocation = Invocation::new(&format!("mcp.{}", self.server), "login", Map::new());
        let trail = Trail::begin(&self.host.audit, &invocation);
        let token = self.ask(shelf, login, secret, kept, &trail).await;
        trail.end(&token.as_ref().map(|_| String::new()).map_err(Fault::clone));
        token
    }

    async fn ask(
        &self,
        shelf: &Shelf,
        login: &Login,
        secret: Option<&Secret>,
        kept: Option<Token>,
        trail: &Arc<Trail>,
    ) -> Result<Token, Fault> {
        let wire = wire(&self.host, &self.server, &self.base, login.typed.as_deref(), trail);
        if login.of_client {
            return Ok(ask::token(&wire, login, secret, Grant::Client).await?.kept(None));
        }
        let refresh = kept.as_ref().and_then(|kept| kept.refresh.as_ref()).ok_or_else(|| self.over())?;
        shelf.save(Token::exchanging(kept.as_ref(), refresh)).await?;
        let interrupted = kept.as_ref().is_some_and(|kept| kept.exchanging);
        let issued = ask::token(&wire, login, secret, Grant::Refresh(refresh)).await;
        Ok(issued.map_err(|fault| told(fault, interrupted))?.kept(Some(refresh)))
    }

    /// From now on nobody is shown it.
    fn secret(&self, kept: Option<&Value>) -> Result<Option<Secret>, Fault> {
        let secret = secret_of(kept, &self.host.config, &self.server)?;
        learn(&self.host, &self.server, "client's secret", secret.as_ref());
        Ok(secret)
    }

    fn live(&self, token: Token, login: &Login) -> Result<Live, Fault> {
        live(&self.host, &self.server, login, token)
    }

    fn over(&self) -> Fault {
        let why = format!("it is over. Sign in again: kosmo mcp:login {}", self.server);
        refused(&self.server, Code::Unauthorized, &why)
    }
}

/// The way to the authorization server: to where the MCP server itself is, and to where the operator said it is.
pub(super) fn wire(host: &Surroundings, server: &str, base: &Base, typed: Option<&str>, trail: &Arc<Trail>) -> Wire {
    let origin = |url: url::Url| Base::typed(&url.origin().ascii_serialization()).ok();
    let typed = typed.and_then(|typed| typed.parse().ok()).and_then(origin);
    Wire::new(host, server, [base.clone()].into_iter().chain(typed).collect(), trail)
}

/// A token in use, which may be shown to nobody from now on.
pub(super) fn live(host: &Surroundings, server: &str, login: &Login, token: Token) -> Result<Live, Fault> {
    Live::new(token, &host.secrets, &login.issuer, &format!("MCP server {server}"))
}

/// What is shown to nobody from now on.
pub(super) fn learn(host: &Surroundings, server: &str, what: &str, secret: Option<&Secret>) {
    secret.inspect(|secret| host.secrets.learn(&format!("the {what} of MCP server {server}"), secret));
}

/// A refresh token may be gone because its answer was: then that is what to tell.
fn told(fault: Fault, interrupted: bool) -> Fault {
    if !interrupted || !oauth::is_spent(&fault) {
        return fault;
    }
    let message = format!(
        "{}. The last renewal was interrupted before its answer could be kept, and a refresh token works only once.",
        fault.message
    );
    Fault { message, ..fault }
}

impl oauth::Issued {
    /// As it is kept. A renewal may leave the refresh token as it is.
    pub(super) fn kept(self, refresh: Option<&Secret>) -> Token {
        let issued = SystemTime::now();
        let refresh = self.refresh.or_else(|| refresh.map(Secret::copied));
        Token { access: self.access, refresh, issued, expires: issued + self.lifetime, exchanging: false }
    }
}
