//! Requests to authorization servers. Nobody vouches for their addresses: they are https and public, unless the operator
//! typed them; no redirection is followed; answers are bounded in bytes and time, and all of it is on record.

use crate::audit::Trail;
use crate::clip::clipped;
use crate::fault::{Code, Fault};
use crate::invocation::Surroundings;
use crate::outbound::{Client, Connector, asking};
use crate::rule::Base;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// Bytes of an answer.
const LARGEST: usize = 64 << 10;
/// For each request.
const PATIENCE: Duration = Duration::from_secs(20);
/// Characters of a URL that are worth repeating.
const SHOWN: usize = 200;

/// The way to the authorization servers of one MCP server.
pub(super) struct Wire {
    /// Whose they are.
    pub(super) server: Arc<str>,
    /// Origins that the operator typed.
    granted: Vec<Base>,
    client: Client,
    trail: Arc<Trail>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Wire {
    pub(super) fn new(host: &Surroundings, server: &str, granted: Vec<Base>, trail: &Arc<Trail>) -> Self {
        let connector = Connector::new(granted.clone(), Arc::clone(&host.transport));
        Self { server: server.into(), granted, client: Client::new(connector, host.limits), trail: Arc::clone(trail) }
    }

    /// A URL that somebody else wrote, if it may be used. `what` says whose it is.
    ///
    /// # Errors
    /// `denied`, if it is neither https nor where the operator said.
    pub(super) fn url(&self, what: &str, text: &str) -> Result<Url, Fault> {
        let url = Url::parse(text).ok().filter(|url| url.has_host() && url.fragment().is_none());
        let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
        match url {
            Some(url) if url.scheme() == "https" || self.is_granted(&url) => Ok(url),
            _ => {
                let shown = clipped(text, SHOWN);
                let why = format!("{what} is `{}`, which is no https:// address", shown.escape_debug());
                Err(self.refused(Code::Denied, &why))
            }
        }
    }

    /// In clear text, only where nobody else can listen.
    fn is_granted(&self, url: &Url) -> bool {
        let same = |base: &&Base| base.url().origin() == url.origin() && !base.is_overheard();
        url.scheme() == "http" && self.granted.iter().any(|base| same(&base))
    }

    pub(super) async fn get(&self, url: &Url) -> Result<Answer, Fault> {
        let request = Request::get(url.as_str()).header(header::ACCEPT, "application/json").body(Full::default());
        self.send(request.map_err(|error| self.refused(Code::Internal, &format!("{url}: {error}")))?).await
    }

    /// The document at the first of these places that has it; nothing if none has any.
    pub(super) async fn document<T: DeserializeOwned>(&self, places: &[Url]) -> Result<Option<T>, Fault> {
        let mut last = None;
        for place in places {
            match self.get(place).await {
                Ok(answer) if answer.status.is_success() => match self.json(&answer, place) {
                    Ok(document) => return Ok(Some(document)),
                    Err(fault) => last = Some(fault),
                },
                Ok(_) => {}
                Err(fault) => last = Some(fault),
            }
        }
        last.map_or(Ok(None), Err)
    }

    pub(super) fn json<T: DeserializeOwned>(&self, answer: &Answer, place: &Url) -> Result<T, Fault> {
        serde_json::from_slice(&answer.body).map_err(|error| {
            let (place, what) = (clipped(place.as_str(), SHOWN), flaw(&error));
            self.refused(Code::Provider, &format!("{place} does not answer as it has to: {what}"))
        })
    }

    /// Sends once, never twice.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Fault> {
        let to = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let record = asking(&self.trail, &request);
        let late = |_| {
            let message = format!("it took more than {} s", PATIENCE.as_secs());
            Fault::new(Code::Timeout, message)
        };
        let answer = timeout(PATIENCE, self.answer(request)).await.map_err(late).flatten();
        match &answer {
            Ok(answer) => record.answered(answer.status.as_u16(), answer.body.len() as u64),
            Err(fault) => record.failed(fault),
        }
        answer.map_err(|fault| self.refused(fault.code, &format!("{to} cannot be asked: {}", self.said(&fault))))
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, Fault> {
        let (parts, body) = self.client.send(request).await.map_err(|lost| lost.fault)?.into_parts();
        let body = Limited::new(body, LARGEST).collect().await.map_err(|_| {
            let message = format!("its answer breaks off, or has more than {LARGEST} bytes");
            Fault::new(Code::TooLarge, message)
        })?;
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
    }

    /// What is said of addresses speaks of accounts, which have a place to type them at.
    fn said(&self, fault: &Fault) -> String {
        match fault.message.split_once(" If the provider really is there") {
            Some((what, _)) => format!(
                "{what} If the authorization server really is there, say so: kosmo mcp:login {} --issuer URL",
                self.server
            ),
            None => fault.message.clone(),
        }
    }

    pub(super) fn refused(&self, code: Code, why: &str) -> Fault {
        refused(&self.server, code, why)
    }
}

/// What is wrong with a document, and where. The error's own words repeat what stands there, which may be a secret.
fn flaw(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "its JSON is of another form",
        Category::Eof => "its JSON breaks off",
        Category::Syntax | Category::Io => "it is not JSON",
    };
    format!("{what} at line {}, column {}", error.line(), error.column())
}

/// Why nobody can be signed in at a server.
pub(super) fn refused(server: &str, code: Code, why: &str) -> Fault {
    let end = if why.ends_with(['.', '?']) || why.contains(": kosmo mcp:") { "" } else { "." };
    Fault::new(code, format!("Signing in at MCP server '{server}': {why}{end}"))
}
