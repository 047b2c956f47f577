//! Signing out: nothing is kept any more, and the authorization server is told where it wants to know.

use super::ask;
use super::kept::{Login, OWNER, Place, secret_of};
use super::session::{live, wire};
use super::wire::{Wire, refused};
use crate::audit::Trail;
use crate::fault::{Code, Fault};
use crate::invocation::Invocation;
use crate::mcp::client::Servers;
use crate::mcp::config::Server;
use crate::outbound::Shelf;
use crate::secret::Secret;
use crate::store::Token;
use serde_json::Map;

/// What came of signing out.
#[derive(Clone, Debug)]
pub struct SignedOut {
    /// Whether anybody was signed in.
    pub was: bool,
    /// Who issued the tokens.
    pub issuer: Option<String>,
    /// Whether they are worthless from now on: nothing if the authorization server does not want to be told, and why not
    /// if it could not be.
    pub revoked: Option<Result<(), Fault>>,
}

impl Servers {
    /// Forgets who is signed in at a server.
    ///
    /// # Errors
    /// If the store cannot be changed.
    pub async fn logout(&self, server: &Server) -> Result<SignedOut, Fault> {
        let (host, address) = (self.surroundings(), self.address(server)?);
        let homeless = || refused(&server.name, Code::Unconfigured, "there is no kosmo home; set KOSMO_HOME");
        let place = Place::of(server, &address, host).ok_or_else(homeless)?;
        let nobody = SignedOut { was: false, issuer: None, revoked: None };
        let Some((login, secret)) = place.read().await? else { return Ok(nobody) };
        let shelf = Shelf::new(&place.store, OWNER, &place.key, &login.fingerprint(), login.of_client);
        let _lease = shelf.lease().await?;
        let token = shelf.token().await?;
        let was = place.forget().await?;
        if let Some(token) = &token {
            // Whatever the authorization server repeats of it is shown to nobody.
            let _ = live(host, &server.name, &login, token.copied());
        }
        let trail = Trail::begin(&host.audit, &Invocation::new(&format!("mcp.{}", server.name), "logout", Map::new()));
        let wire = wire(host, &server.name, &address.base, login.typed.as_deref(), &trail);
        let revoked = match token {
            Some(token) => revoked(&wire, &login, secret_of(secret.as_ref(), &host.config, &server.name), &token).await,
            None => None,
        };
        let outcome = revoked.clone().unwrap_or(Ok(())).map_err(|fault| host.secrets.scrubbed_fault(fault));
        trail.end(&outcome.clone().map(|()| String::new()));
        Ok(SignedOut { was, issuer: Some(login.issuer), revoked: revoked.map(|_| outcome) })
    }
}

/// Tells the authorization server, if it wants to know.
async fn revoked(
    wire: &Wire,
    login: &Login,
    secret: Result<Option<Secret>, Fault>,
    token: &Token,
) -> Option<Result<(), Fault>> {
    let endpoint = login.revocation_endpoint.as_ref()?;
    let told = async { ask::revoke(wire, login, endpoint, secret?.as_ref(), token).await };
    Some(told.await)
}
