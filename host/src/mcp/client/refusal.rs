//! What it means that a server answers with no message, and the cure.

use super::http::{Failure, Http, body};
use crate::clip::clipped;
use crate::fault::{Code, Fault};
use crate::mcp::login::Challenge;
use http::{Response, StatusCode, header};
use hyper::body::Incoming;
use url::Url;

/// Characters of an error page that are worth repeating.
const SHOWN: usize = 200;

impl Http {
    /// What an answer is that carries no message.
    pub(super) async fn refused(&self, response: Response<Incoming>) -> Failure {
        let status = response.status();
        let challenge = Challenge::read(response.headers());
        let (code, cure) = match status {
            StatusCode::UNAUTHORIZED => (Code::Unauthorized, self.login()),
            StatusCode::FORBIDDEN if challenge.wants_more() && !self.is_settled() => {
                (Code::Forbidden, self.login_for(&challenge))
            }
            StatusCode::FORBIDDEN => (Code::Forbidden, String::new()),
            StatusCode::TOO_MANY_REQUESTS => (Code::RateLimited, String::new()),
            StatusCode::NOT_FOUND => (Code::NotFound, " Is its `url` right?".into()),
            status if status.is_redirection() => (Code::Provider, moved(&response)),
            _ => (Code::Provider, String::new()),
        };
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let said = match body(response, SHOWN * 16).await {
            Ok(body) if !body.is_empty() && !status.is_redirection() => {
                format!(": {}", clipped(String::from_utf8_lossy(&body).trim(), SHOWN))
            }
            _ => String::new(),
        };
        let message = format!("MCP server '{}' answered HTTP {}{said}.{cure}", self.server, status.as_u16());
        Failure::Client(Fault { status: Some(status.as_u16()), retry_after, ..Fault::new(code, message) })
    }

    fn login(&self) -> String {
        let server = &self.server;
        if self.is_settled() {
            return format!(" It does not know us by what its entry says; kosmo mcp:status {server} shows that.");
        }
        format!(
            " Sign in: kosmo mcp:login {server}, or give it a token: kosmo mcp:secret:set {server} token, and \
             \"Authorization\": \"Bearer ${{KOSMO_SECRET:mcp.{server}.token}}\" under its `headers`."
        )
    }

    /// What more the server wants is the server's word: it goes into a command only if nothing in it means anything there.
    fn login_for(&self, challenge: &Challenge) -> String {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || " :/._-".contains(letter);
        let scope = challenge.scope.as_ref().filter(|scope| !scope.is_empty() && scope.chars().all(plain));
        let scope = scope.map(|scope| format!(" --scope '{scope}'")).unwrap_or_default();
        format!(" Whoever is signed in may not do this. Sign in for it: kosmo mcp:login {}{scope}", self.server)
    }
}

/// Whether an answer says who may ask, whatever is in it.
pub(super) fn is_about_login(response: &Response<Incoming>) -> bool {
    match response.status() {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN => Challenge::read(response.headers()).wants_more(),
        _ => false,
    }
}

fn moved(response: &Response<Incoming>) -> String {
    let to = response.headers().get(header::LOCATION).and_then(|to| Url::parse(to.to_str().ok()?).ok());
    let to = to.map(|to| format!(" to {}", to.origin().ascii_serialization())).unwrap_or_default();
    format!(" Redirections are not followed{to}: write the right address into its `url`.")
}
