//! One request: checked, and handed to the protocol or answered here.

use super::answer::{self, Answer};
use super::body::{self, Unread};
use super::hall::{Guest, Hall};
use super::streams::Carried;
use super::{Http, guard};
use crate::mcp::server::Refusal;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::value::RawValue;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

/// Where the protocol is spoken.
const PATH: &str = "/mcp";
const SESSION: &str = "mcp-session-id";
const EVENT: &str = "last-event-id";
/// Most bytes of the request that begins a session: what a client says of itself is kept as long as that lasts.
const BEGIN: usize = 64 << 10;
/// What a page that is let in may send and read.
const SENT: &str =
    "authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, traceparent";

/// Answers the requests of one connection.
pub(super) struct Service {
    hall: Arc<Hall>,
    settings: Arc<Http>,
    peer: SocketAddr,
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let this = Self::new(Arc::clone(&self.hall), Arc::clone(&self.settings), self.peer);
        Box::pin(async move { Ok(this.answer(request).await) })
    }
}

impl Service {
    pub(super) fn new(hall: Arc<Hall>, settings: Arc<Http>, peer: SocketAddr) -> Self {
        Self { hall, settings, peer }
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        if !self.settings.hosts.allow(request.uri(), request.headers()) {
            let text = "This server does not go by that name; whoever runs it can add it with --allow-host.";
            return self.refuse(Refusal::Host, StatusCode::FORBIDDEN, text);
        }
        let Ok(origin) = self.settings.origins.check(request.headers()).map(|origin| origin.cloned()) else {
            let text =
                "Requests of this web page are not let in; whoever runs the server can add it with --allow-origin.";
            return self.refuse(Refusal::Origin, StatusCode::FORBIDDEN, text);
        };
        let mut answer = self.route(request).await;
        answer.headers_mut().extend(origin.iter().flat_map(page));
        answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        answer
    }

    async fn route(&self, request: Request<Incoming>) -> Answer {
        match (request.method(), request.uri().path()) {
            (&Method::OPTIONS, _) => answer::empty(StatusCode::NO_CONTENT),
            (_, PATH) => self.protocol(request).await,
            (&Method::GET, "/healthz") => answer::text(StatusCode::OK, "ok\n"),
            (&Method::GET, "/readyz") => self.ready(),
            (&Method::GET, "/metrics") => self.metrics(request.headers()),
            _ => answer::text(StatusCode::NOT_FOUND, "There is /mcp, /healthz, /readyz and /metrics.\n"),
        }
    }

    async fn protocol(&self, request: Request<Incoming>) -> Answer {
        let Some(guest) = self.hall.enter(bearer(request.headers())) else { return self.unknown() };
        let begins = request.method() == Method::POST && !request.headers().contains_key(SESSION);
        if let Err(refusal) = guest.check(begins) {
            return self.over(refusal);
        }
        let (mut parts, body) = request.into_parts();
        let room = self.hall.room(&guest);
        let most = if begins { self.settings.body_bytes.min(BEGIN) } else { self.settings.body_bytes };
        let (bytes, room) = match body::read(body, most, self.settings.body_time, room).await {
            Ok(read) => read,
            Err(unread) => return self.unread(unread, most),
        };
        parts.extensions.insert(room);
        if let Some(mistake) = mistake(&parts.method, &bytes) {
            return mistake;
        }
        // The token has done its work: nothing behind here needs it.
        parts.headers.remove(header::AUTHORIZATION);
        self.speak(&guest, Request::from_parts(parts, Full::new(bytes))).await
    }

    async fn speak(&self, guest: &Guest, mut request: Request<Full<Bytes>>) -> Answer {
        let session = sent(request.headers(), SESSION).map(ToOwned::to_owned);
        let event = sent(request.headers(), EVENT).zip(session.as_deref());
        // The rest of an answer that was lost, if that is what is asked for.
        let rest = event.and_then(|(event, session)| guest.streams.find(session, event));
        let (gone, called) = (guest.gone(), request.method() == Method::POST);
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        request.extensions_mut().insert(gone.clone());
        let ends = request.method() == Method::DELETE;
        let mut answer = guest.sessions.handle(request).await;
        *answer.status_mut() = match answer.status() {
            // The library says so of JSON that is no message, too.
            StatusCode::UNSUPPORTED_MEDIA_TYPE if is_json => StatusCode::BAD_REQUEST,
            // A session that ended is no longer about to.
            StatusCode::ACCEPTED if ends => StatusCode::NO_CONTENT,
            status => status,
        };
        let streams = &guest.streams;
        match rest {
            _ if called => answer.map(|body| Carried::new(body, gone, streams, session.as_deref()).boxed()),
            Some((key, gone)) if answer.status().is_success() => {
                answer.map(|body| Carried::again(body, gone, streams, key).boxed())
            }
            _ => answer,
        }
    }

    /// Whether it is worth sending clients here.
    fn ready(&self) -> Answer {
        let server = self.hall.server();
        match server.trouble() {
            None => answer::text(StatusCode::OK, "ready\n"),
            Some(trouble) => answer::text(StatusCode::SERVICE_UNAVAILABLE, trouble + "\n"),
        }
    }

    /// To this machine, and to whoever has a token, as far as that reaches.
    fn metrics(&self, headers: &HeaderMap) -> Answer {
        let (server, Http { hosts, origins, .. }) = (self.hall.server(), &*self.settings);
        let metrics = match self.hall.enter(bearer(headers)) {
            _ if guard::is_local(self.peer.ip(), headers, hosts, origins) => server.metrics(),
            Some(guest) => server.metrics_for(&guest.client),
            None => return self.unknown(),
        };
        let text = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        answer::with(answer::text(StatusCode::OK, metrics), header::CONTENT_TYPE, text)
    }

    fn unknown(&self) -> Answer {
        let text =
            "This server wants a token: `Authorization: Bearer …`. Whoever runs it makes one with kosmo mcp:token:add.";
        let answer = self.refuse(Refusal::Token, StatusCode::UNAUTHORIZED, text);
        let answer = answer::with(answer, header::WWW_AUTHENTICATE, "Bearer realm=\"kosmo\"");
        // Whoever is not let in keeps no connection.
        answer::with(answer, header::CONNECTION, "close")
    }

    fn over(&self, refusal: Refusal) -> Answer {
        if refusal == Refusal::Rate {
            let answer =
                self.refuse(refusal, StatusCode::TOO_MANY_REQUESTS, "Too many requests of this client; wait a second.");
            return answer::with(answer, header::RETRY_AFTER, "1");
        }
        let text = "This client has as many sessions as it may have; end some of them, or wait until they expire.";
        self.refuse(refusal, StatusCode::SERVICE_UNAVAILABLE, text)
    }

    fn unread(&self, unread: Unread, most: usize) -> Answer {
        // What is left of the body is not read, so nothing else can come on this connection.
        let answer = match unread {
            Unread::TooLarge => {
                let text = format!("A request may have {most} bytes.");
                self.refuse(Refusal::Size, StatusCode::PAYLOAD_TOO_LARGE, &text)
            }
            Unread::TooSlow => self.refuse(Refusal::Slow, StatusCode::REQUEST_TIMEOUT, "The request took too long."),
            Unread::NoRoom => {
                let text = "What this client, or all of them, asked for and still wait for leaves no room; wait for some of it.";
                let answer = self.refuse(Refusal::Memory, StatusCode::SERVICE_UNAVAILABLE, text);
                answer::with(answer, header::RETRY_AFTER, "1")
            }
            Unread::Broken => answer::text(StatusCode::BAD_REQUEST, "The request broke off."),
        };
        answer::with(answer, header::CONNECTION, "close")
    }

    fn refuse(&self, refusal: Refusal, status: StatusCode, text: &str) -> Answer {
        self.hall.server().inner.metrics.refused(refusal);
        answer::text(status, format!("{text}\n"))
    }
}

/// What is wrong with a message before it is one.
fn mistake(method: &Method, bytes: &[u8]) -> Option<Answer> {
    if method != Method::POST {
        return None;
    }
    // Read over without building anything, however deep it goes.
    match serde_json::from_slice::<&RawValue>(bytes) {
        Err(error) => Some(answer::error(-32700, &format!("This is not JSON: {error}."))),
        Ok(value) if value.get().starts_with('[') => {
            Some(answer::error(-32600, "Batches are no part of the protocol; send one message at a time."))
        }
        Ok(_) => None,
    }
}

fn sent<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What the `Authorization` header holds, if that is a bearer token.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What a browser has to be told so that a page gets the answer.
fn page(origin: &HeaderValue) -> [(header::HeaderName, HeaderValue); 5] {
    let fixed = HeaderValue::from_static;
    [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
        (header::ACCESS_CONTROL_ALLOW_METHODS, fixed("GET, POST, DELETE")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, fixed(SENT)),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, fixed(SESSION)),
        (header::VARY, fixed("origin")),
    ]
}
