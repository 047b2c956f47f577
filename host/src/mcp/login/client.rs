//! Who kosmo is to an authorization server: a name that the operator registered there, or one that is registered for one
//! sign-in.

use super::Wish;
use super::kept::Login;
use super::metadata::Issuer;
use super::wire::Wire;
use crate::fault::{Code, Fault};
use crate::oauth::{Proof, Refusal};
use crate::secret::Secret;
use crate::store::Value;
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How a client shows that it is the one it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Authentication {
    /// It does not: programs on people's machines have no secrets from them.
    #[serde(rename = "none")]
    Nothing,
    #[serde(rename = "client_secret_basic")]
    Basic,
    #[serde(rename = "client_secret_post")]
    Body,
}

impl Authentication {
    /// As the standards call it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Basic => "client_secret_basic",
            Self::Body => "client_secret_post",
        }
    }

    /// With the client's secret, if it has one.
    pub(super) fn proof(self, secret: Option<&Secret>) -> Proof<'_> {
        match (self, secret) {
            (Self::Basic, Some(secret)) => Proof::Basic(secret),
            (Self::Body, Some(secret)) => Proof::Body(secret),
            _ => Proof::Nothing,
        }
    }
}

/// A client, as the authorization server knows it.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: Option<Value>,
    pub(super) authentication: Authentication,
    /// Whether the operator gave it, now or at the last sign-in.
    pub(super) configured: bool,
}

impl Client {
    /// The one that the operator gave, if one was given for this authorization server.
    pub(super) fn given(wish: &mut Wish, issuer: &Issuer, kept: Option<(Login, Option<Value>)>) -> Option<Self> {
        let (id, secret) = match wish.client_id.take() {
            Some(id) => (id, wish.client_secret.take()),
            None => {
                let (login, secret) = kept.filter(|(login, _)| login.configured && issuer.is(&login.issuer))?;
                (login.client_id, wish.client_secret.take().or(secret))
            }
        };
        let authentication = if secret.is_some() { issuer.for_secrets() } else { Authentication::Nothing };
        Some(Self { id, secret, authentication, configured: true })
    }

    /// One that is registered now (RFC 7591).
    ///
    /// # Errors
    /// If the authorization server registers nobody.
    pub(super) async fn registered(wire: &Wire, issuer: &Issuer, redirect: &str) -> Result<Self, Fault> {
        let cure = format!("Register a client there, and: kosmo mcp:login {} --client-id ID", wire.server);
        let Some(endpoint) = &issuer.registration_endpoint else {
            let why = format!("{} registers no clients by itself. {cure}", issuer.issuer);
            return Err(wire.refused(Code::Unconfigured, &why));
        };
        let endpoint = wire.url("the registration endpoint", endpoint)?;
        let asked = issuer.for_strangers();
        let body = json!({
            "client_name": "kosmo",
            "application_type": "native",
            "redirect_uris": [redirect],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": asked.as_str(),
        });
        let request = Request::post(endpoint.as_str()).header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::ACCEPT, "application/json").body(Full::new(Bytes::from(body.to_string())));
        let unsendable = |error| wire.refused(Code::Internal, &format!("{endpoint}: {error}"));
        let answer = wire.send(request.map_err(unsendable)?).await?;
        if !answer.status.is_success() {
            let refusal = Refusal::read(&answer.body);
            let (codes, words) = (refusal.codes(answer.status), refusal.words());
            let why = format!("{} registered no client ({codes}){words}. {cure}", issuer.issuer);
            return Err(wire.refused(Code::Provider, &why));
        }
        Ok(wire.json::<Registered>(&answer, &endpoint)?.client(asked))
    }
}

#[derive(Deserialize)]
struct Registered {
    client_id: String,
    client_secret: Option<String>,
    token_endpoint_auth_method: Option<Authentication>,
}

impl Registered {
    fn client(self, asked: Authentication) -> Client {
        let told = self.token_endpoint_auth_method.unwrap_or(match self.client_secret {
            Some(_) if asked == Authentication::Nothing => Authentication::Basic,
            _ => asked,
        });
        let secret = self.client_secret.filter(|_| told != Authentication::Nothing);
        let authentication = if secret.is_some() { told } else { Authentication::Nothing };
        let secret = secret.map(|secret| Value::Text(Secret::new(secret)));
        Client { id: self.client_id, secret, authentication, configured: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: &str, asked: Authentication, secret: bool, authentication: Authentication) {
        let client = serde_json::from_str::<Registered>(answer).expect("a registration").client(asked);
        assert_eq!((client.secret.is_some(), client.authentication), (secret, authentication), "{answer}");
    }

    #[test]
    fn a_registered_client_shows_who_it_is_as_it_was_told_to() {
        use Authentication::{Basic, Body, Nothing};
        check(r#"{"client_id": "a"}"#, Nothing, false, Nothing);
        check(r#"{"client_id": "a", "client_secret": "b"}"#, Nothing, true, Basic);
        check(r#"{"client_id": "a", "client_secret": "b"}"#, Body, true, Body);
        check(
            r#"{"client_id": "a", "client_secret": "b", "token_endpoint_auth_method": "none"}"#,
            Body,
            false,
            Nothing,
        );
        check(r#"{"client_id": "a", "token_endpoint_auth_method": "client_secret_basic"}"#, Nothing, false, Nothing);
        let told = r#"{"client_id": "a", "client_secret": "b", "token_endpoint_auth_method": "client_secret_post"}"#;
        check(told, Nothing, true, Body);
    }
}
