//! Signing in, from the first question to the token that is kept.

use super::ask::{self, Grant};
use super::authorize::Attempt;
use super::callback::Callback;
use super::client::Client;
use super::discover::{Found, discover};
use super::kept::{Login, OWNER, Place, secret_of};
use super::session::{learn, live, wire};
use super::wire::{Wire, refused};
use super::{SignedIn, Wish};
use crate::audit::Trail;
use crate::clip::{NAME, clipped};
use crate::fault::{Code, Fault};
use crate::invocation::{Invocation, Surroundings};
use crate::mcp::client::{Address, Http, Servers};
use crate::mcp::config::{Server, Transport};
use crate::oauth::Issued;
use crate::outbound::Shelf;
use crate::secret::Secret;
use crate::store::Value;
use serde_json::Map;
use std::sync::Arc;
use url::Url;

impl Servers {
    /// Signs somebody in at a server. `show` is told where the person has to go, unless it is for the client alone.
    ///
    /// # Errors
    /// A [`Fault`] that says what is in the way, and the cure.
    pub async fn login(&self, server: &Server, wish: Wish, show: impl FnOnce(&str)) -> Result<SignedIn, Fault> {
        let host = self.surroundings();
        host.config.mcp().check_trust(server)?;
        let trail = Trail::begin(&host.audit, &Invocation::new(&format!("mcp.{}", server.name), "login", Map::new()));
        let outcome = self.sign_in(server, wish, show, &trail).await;
        let outcome = outcome.map_err(|fault| host.secrets.scrubbed_fault(fault));
        trail.end(&outcome.as_ref().map(|_| String::new()).map_err(Fault::clone));
        outcome
    }

    async fn sign_in(
        &self,
        server: &Server,
        mut wish: Wish,
        show: impl FnOnce(&str),
        trail: &Arc<Trail>,
    ) -> Result<SignedIn, Fault> {
        let (host, address) = (self.surroundings(), self.login_address(server)?);
        let (http, place) = (self.http(server)?, place_of(server, &address, host)?);
        check_open(server, &http)?;
        let kept = place.read().await?;
        let typed = wish.issuer.take().or_else(|| kept.as_ref().and_then(|(login, _)| login.typed.clone()));
        let wire = wire(host, &server.name, &address.base, typed.as_deref(), trail);
        let check = |issuer: &str| match typed {
            None if wish.client_secret.is_some() => check_own(&wire, &address, issuer),
            _ => Ok(()),
        };
        let found = discover(&wire, &http, &address.url, server.patience, typed.as_deref(), check).await?;
        let given = Client::given(&mut wish, &found.issuer, kept);
        let signing = Signing { host, wire, found, typed, wish };
        let (login, secret, issued) = match signing.wish.of_client {
            true => signing.of_client(given).await?,
            false => signing.of_person(given, show).await?,
        };
        keep(host, &server.name, &place, login, secret, issued).await
    }

    fn login_address(&self, server: &Server) -> Result<Address, Fault> {
        if server.transport != Transport::Http {
            let why = "it is started here and not asked over HTTP: what it needs stands in its `env`";
            return Err(refused(&server.name, Code::Unsupported, why));
        }
        let address = self.address(server)?;
        if address.base.is_overheard() {
            let why = "its `url` begins with http://, where everybody on the way could read the token; use https://";
            return Err(refused(&server.name, Code::Denied, why));
        }
        Ok(address)
    }
}

fn place_of(server: &Server, address: &Address, host: &Surroundings) -> Result<Place, Fault> {
    let homeless = || refused(&server.name, Code::Unconfigured, "there is no kosmo home to keep it in; set KOSMO_HOME");
    Place::of(server, address, host).ok_or_else(homeless)
}

fn check_open(server: &Server, http: &Http) -> Result<(), Fault> {
    if !http.is_settled() {
        return Ok(());
    }
    let why = format!(
        "its entry says who we are already. Take `Authorization` out of its `headers`, or the name and password out of \
         its `url`, in {}",
        server.path.display()
    );
    Err(refused(&server.name, Code::Unconfigured, &why))
}

/// Without a word of the operator's, a client's secret goes to where the server itself is, and to nobody it names.
fn check_own(wire: &Wire, address: &Address, issuer: &str) -> Result<(), Fault> {
    if Url::parse(issuer).is_ok_and(|issuer| issuer.origin() == address.url.origin()) {
        return Ok(());
    }
    let why = format!(
        "the client's secret would go to `{}`, which nobody but the server names. If the client is registered there, \
         say so: kosmo mcp:login {} --issuer URL",
        clipped(issuer, NAME).escape_debug(),
        wire.server
    );
    Err(wire.refused(Code::Denied, &why))
}

/// A sign-in once it is known who does it.
struct Signing<'a> {
    host: &'a Arc<Surroundings>,
    wire: Wire,
    found: Found,
    typed: Option<String>,
    wish: Wish,
}

type Signed = (Login, Option<Value>, Issued);

impl Signing<'_> {
    /// For a machine without people: the client signs in itself.
    async fn of_client(&self, given: Option<Client>) -> Result<Signed, Fault> {
        let server = self.wire.server.clone();
        let client = given.filter(|client| client.secret.is_some()).ok_or_else(|| {
            let why = format!(
                "a client that signs in itself needs a name and a secret: kosmo mcp:login {server} --client-credentials \
                 --client-id ID --client-secret-from-stdin --issuer URL"
            );
            refused(&server, Code::Unconfigured, &why)
        })?;
        let secret = self.secret(&client)?;
        let login = self.login(&client, self.wish.scope.clone().or_else(|| self.found.scope.clone()))?;
        let issued = ask::token(&self.wire, &login, secret.as_ref(), Grant::Client).await?;
        Ok((login, client.secret, issued))
    }

    /// With a person, who agrees in a browser.
    async fn of_person(&self, given: Option<Client>, show: impl FnOnce(&str)) -> Result<Signed, Fault> {
        let (wire, issuer) = (&self.wire, &self.found.issuer);
        if !issuer.has_pkce() {
            let why = format!(
                "{} does not say that it supports PKCE with S256, without which a stolen answer is as good as the token",
                issuer.issuer
            );
            return Err(wire.refused(Code::Unsupported, &why));
        }
        let endpoint = issuer.authorization_endpoint.as_deref().unwrap_or_default();
        let endpoint = wire.url("the authorization endpoint", endpoint)?;
        let callback = Callback::open(self.wish.port).await?;
        let redirect = callback.url();
        let client = match given {
            Some(client) => client,
            None => Client::registered(wire, issuer, &redirect).await?,
        };
        let secret = self.secret(&client)?;
        let login = self.login(&client, self.wish.scope.clone().or_else(|| self.wanted()))?;
        let attempt = Attempt::new(wire)?;
        show(attempt.url(endpoint, &login, &redirect).as_str());
        let code = attempt.code(wire, issuer, callback, self.wish.patience).await?;
        learn(self.host, &wire.server, "code", Some(&code));
        learn(self.host, &wire.server, "code's verifier", Some(&attempt.verifier));
        let grant = Grant::Code { code: &code, verifier: &attempt.verifier, redirect: &redirect };
        let issued = ask::token(wire, &login, secret.as_ref(), grant).await?;
        Ok((login, client.secret, issued))
    }

    fn secret(&self, client: &Client) -> Result<Option<Secret>, Fault> {
        let secret = secret_of(client.secret.as_ref(), &self.host.config, &self.wire.server)?;
        learn(self.host, &self.wire.server, "client's secret", secret.as_ref());
        Ok(secret)
    }

    /// What the server wants, and to be renewed without the person.
    fn wanted(&self) -> Option<String> {
        let scope = self.found.scope.clone()?;
        let renewable = self.found.issuer.has_offline_access() && !scope.split(' ').any(|one| one == "offline_access");
        Some(if renewable { format!("{scope} offline_access") } else { scope })
    }

    fn login(&self, client: &Client, scope: Option<String>) -> Result<Login, Fault> {
        let Found { issuer, resource, .. } = &self.found;
        let token_endpoint = issuer.token_endpoint.as_deref().unwrap_or_default();
        Ok(Login {
            issuer: issuer.issuer.clone(),
            token_endpoint: self.wire.url("the token endpoint", token_endpoint)?.into(),
            revocation_endpoint: issuer.revocation_endpoint.clone(),
            client_id: client.id.clone(),
            authentication: client.authentication,
            configured: client.configured,
            typed: self.typed.clone(),
            resource: resource.clone(),
            scope,
            of_client: self.wish.of_client,
        })
    }
}

/// In place of what was kept before, while nobody else renews that.
async fn keep(
    host: &Surroundings,
    server: &str,
    place: &Place,
    login: Login,
    secret: Option<Value>,
    issued: Issued,
) -> Result<SignedIn, Fault> {
    let login = Login { scope: issued.scope.clone().or_else(|| login.scope.clone()), ..login };
    let token = issued.kept(None);
    // One that no header can carry is none.
    live(host, server, &login, token.copied())?;
    let shelf = Shelf::new(&place.store, OWNER, &place.key, &login.fingerprint(), login.of_client);
    let _lease = shelf.lease().await?;
    place.write(&login, secret.as_ref()).await?;
    let signed_in = SignedIn::of(&login, &token);
    shelf.save(token).await?;
    Ok(signed_in)
}
