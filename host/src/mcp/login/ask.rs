//! Asking for tokens, and what an answer means.

use super::kept::Login;
use super::wire::{Answer, Wire};
use crate::fault::{Code, Fault};
use crate::oauth::{self, Issued, Proof, Refusal};
use crate::secret::Secret;
use crate::store::Token;
use http::header;
use url::Url;

/// Seconds until an authorization server that asks for patience is asked again.
const PATIENCE: u32 = 30;

/// What a token is asked for with.
pub(super) enum Grant<'a> {
    /// What the browser brought, with what proves that it was asked for here.
    Code { code: &'a Secret, verifier: &'a Secret, redirect: &'a str },
    /// What came with the last one.
    Refresh(&'a Secret),
    /// The client itself.
    Client,
}

impl Grant<'_> {
    fn fields(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Code { code, verifier, redirect } => vec![
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("code_verifier", verifier.expose()),
                ("redirect_uri", redirect),
            ],
            Self::Refresh(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())],
            Self::Client => vec![("grant_type", "client_credentials")],
        }
    }
}

/// Asks for a token, for this server and no other.
///
/// # Errors
/// `unauthorized`, if there is none, with the cure.
pub(super) async fn token(
    wire: &Wire,
    login: &Login,
    secret: Option<&Secret>,
    grant: Grant<'_>,
) -> Result<Issued, Fault> {
    let url = wire.url("the token endpoint", &login.token_endpoint)?;
    let mut form = grant.fields();
    form.push(("resource", &login.resource));
    let scope = login.scope.as_deref().filter(|_| matches!(grant, Grant::Client));
    form.extend(scope.map(|scope| ("scope", scope)));
    let answer = send(wire, login, &url, form, secret).await?;
    if !answer.status.is_success() {
        return Err(none(wire, login, &answer));
    }
    let unusable = |what| wire.refused(Code::Provider, &format!("what {} issued {what}", login.issuer));
    oauth::issued(&answer.body).map_err(unusable)
}

/// Has a token and what renews it be worthless from now on (RFC 7009).
///
/// # Errors
/// If the authorization server does not do it.
pub(super) async fn revoke(
    wire: &Wire,
    login: &Login,
    endpoint: &str,
    secret: Option<&Secret>,
    token: &Token,
) -> Result<(), Fault> {
    let url = wire.url("the revocation endpoint", endpoint)?;
    let refresh = token.refresh.iter().map(|refresh| ("refresh_token", refresh));
    for (kind, token) in refresh.chain([("access_token", &token.access)]) {
        let form = vec![("token", token.expose()), ("token_type_hint", kind)];
        let answer = send(wire, login, &url, form, secret).await?;
        if !answer.status.is_success() {
            let codes = Refusal::read(&answer.body).codes(answer.status);
            return Err(wire.refused(Code::Provider, &format!("{} does not revoke its token ({codes})", login.issuer)));
        }
    }
    Ok(())
}

/// As the client. Some authorization servers find it by the name in the form alone, however it proves that it is the one.
async fn send(
    wire: &Wire,
    login: &Login,
    url: &Url,
    mut form: Vec<(&str, &str)>,
    secret: Option<&Secret>,
) -> Result<Answer, Fault> {
    let proof = login.authentication.proof(secret);
    if let Proof::Basic(_) = proof {
        form.push(("client_id", &login.client_id));
    }
    wire.send(oauth::request(url.as_str(), &form, &login.client_id, proof)?).await
}

fn none(wire: &Wire, login: &Login, answer: &Answer) -> Fault {
    let (refusal, code) = (Refusal::read(&answer.body), oauth::refusal_code(answer.status));
    let cure = match code {
        Code::Unauthorized => format!("Sign in again: kosmo mcp:login {}", wire.server),
        _ => "Try again later".into(),
    };
    let (codes, words) = (refusal.codes(answer.status), refusal.words());
    let fault = wire.refused(code, &format!("{} issued no token ({codes}){words}. {cure}", login.issuer));
    let retry_after = (code == Code::RateLimited).then(|| retry_after(answer).unwrap_or(PATIENCE));
    Fault { status: Some(answer.status.as_u16()), provider_code: refusal.error, retry_after, ..fault }
}

fn retry_after(answer: &Answer) -> Option<u32> {
    answer.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}
