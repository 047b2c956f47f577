//! Finding out who signs people in at a server: from its refusal, over its description of itself, to the authorization
//! server's.

use super::challenge::Challenge;
use super::metadata::{Issuer, Resource, places_of_issuer, places_of_resource};
use super::wire::Wire;
use crate::clip::{NAME, clipped};
use crate::fault::{Code, Fault};
use crate::mcp::client::Http;
use http::StatusCode;
use std::time::Duration;
use url::Url;

/// Who signs people in.
pub(super) struct Found {
    pub(super) issuer: Issuer,
    /// What tokens are to be made out to.
    pub(super) resource: String,
    /// What the server wants them to be good for, if it says so.
    pub(super) scope: Option<String>,
}

/// Asks the server, and everybody it names; the authorization server only if `check` lets it be.
///
/// # Errors
/// If nobody can be signed in there, or not safely.
pub(super) async fn discover(
    wire: &Wire,
    http: &Http,
    url: &Url,
    patience: Duration,
    typed: Option<&str>,
    check: impl FnOnce(&str) -> Result<(), Fault>,
) -> Result<Found, Fault> {
    let (status, challenge) = http.challenge(patience).await?;
    let resource = resource(wire, url, &challenge).await?;
    if resource.is_none() && typed.is_none() && status != StatusCode::UNAUTHORIZED {
        let why = format!("it asks nobody to; it answered HTTP {}", status.as_u16());
        return Err(wire.refused(Code::Unsupported, &why));
    }
    let named = resource.as_ref().and_then(|resource| resource.authorization_servers.first());
    // Before servers described themselves, each signed people in itself.
    let origin = url.origin().ascii_serialization();
    let name = typed.or(named.map(String::as_str)).unwrap_or(&origin);
    check(name)?;
    let issuer = issuer(wire, name).await?;
    let supported = || resource.as_ref().and_then(|resource| resource.scopes_supported.as_ref());
    let scope = challenge.scope.clone().or_else(|| supported().map(|scopes| scopes.join(" ")));
    let resource = resource.as_ref().map_or_else(|| plain(url), |resource| resource.resource.clone());
    Ok(Found { issuer, resource, scope: scope.filter(|scope| !scope.trim().is_empty()) })
}

async fn resource(wire: &Wire, url: &Url, challenge: &Challenge) -> Result<Option<Resource>, Fault> {
    let named = challenge.metadata.as_deref().map(|place| wire.url("where it describes itself", place)).transpose()?;
    let places: Vec<_> = named.into_iter().chain(places_of_resource(url)).collect();
    match wire.document::<Resource>(&places).await? {
        Some(resource) if !resource.covers(url) => {
            let other = clipped(&resource.resource, NAME);
            let why = format!("what describes it is about `{}`, which is another server", other.escape_debug());
            Err(wire.refused(Code::Denied, &why))
        }
        described => Ok(described),
    }
}

async fn issuer(wire: &Wire, name: &str) -> Result<Issuer, Fault> {
    let url = wire.url("its authorization server", name)?;
    let shown = clipped(name, NAME);
    let refused = |code, why: String| Err(wire.refused(code, &why));
    match wire.document::<Issuer>(&places_of_issuer(&url)).await? {
        None => refused(Code::Unsupported, format!("its authorization server {shown} does not describe itself")),
        Some(issuer) if !issuer.is(name) => {
            let other = clipped(&issuer.issuer, NAME);
            refused(
                Code::Denied,
                format!("its authorization server {shown} says that it is `{}`", other.escape_debug()),
            )
        }
        Some(issuer) => Ok(issuer),
    }
}

/// A URL as tokens are made out to it.
fn plain(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}
