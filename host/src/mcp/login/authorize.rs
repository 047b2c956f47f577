//! Sending a person to the authorization server, and what the browser brings back: a code that is worth something only to
//! whoever asked for it.

use super::callback::Callback;
use super::kept::Login;
use super::metadata::Issuer;
use super::wire::Wire;
use crate::clip::clipped;
use crate::fault::{Code, Fault};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::Url;

/// Characters of a refusal that are worth repeating.
const SHOWN: usize = 300;

/// One attempt: what proves that its answer belongs to it.
pub(super) struct Attempt {
    state: Secret,
    /// Of which only a digest leaves before the token is asked for (PKCE).
    pub(super) verifier: Secret,
}

impl Attempt {
    pub(super) fn new(wire: &Wire) -> Result<Self, Fault> {
        let none = || wire.refused(Code::Internal, "there is no randomness");
        Ok(Self { state: random().ok_or_else(none)?, verifier: random().ok_or_else(none)? })
    }

    /// Where the person has to go.
    pub(super) fn url(&self, endpoint: Url, login: &Login, redirect: &str) -> Url {
        let mut url = endpoint;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &login.client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("state", self.state.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("resource", &login.resource);
        if let Some(scope) = &login.scope {
            url.query_pairs_mut().append_pair("scope", scope);
            if scope.split(' ').any(|scope| scope == "offline_access") {
                // OpenID Connect gives it to whoever agreed just now, and to nobody else.
                url.query_pairs_mut().append_pair("prompt", "consent");
            }
        }
        url
    }

    /// Waits for the browser.
    ///
    /// # Errors
    /// `timeout`, if nobody comes; `unauthorized`, if the answer is no; `denied`, if somebody else answered.
    pub(super) async fn code(
        &self,
        wire: &Wire,
        issuer: &Issuer,
        callback: Callback,
        patience: Duration,
    ) -> Result<Secret, Fault> {
        let Some(answer) = callback.answer(&self.state, patience).await else {
            let why = format!("nobody did within {} s. Try again: kosmo mcp:login {}", patience.as_secs(), wire.server);
            return Err(wire.refused(Code::Timeout, &why));
        };
        let is_theirs = answer.issuer.as_ref().map_or(!issuer.names_itself, |named| issuer.is(named));
        if !is_theirs {
            let named = answer.issuer.unwrap_or_default();
            let named = clipped(&named, SHOWN);
            let why = format!("the answer is of `{}`, and {} was asked", named.escape_debug(), issuer.issuer);
            return Err(wire.refused(Code::Denied, &why));
        }
        answer.code.map_err(|said| {
            let why = format!("{} says no: {}", issuer.issuer, clipped(&said, SHOWN).escape_debug());
            wire.refused(Code::Unauthorized, &why)
        })
    }
}

/// 256 bits, as URLs can have them.
fn random() -> Option<Secret> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}
