//! Servers over HTTP: the protocol's transport, over the way out that all of kosmo takes. The address that was checked is
//! the address dialled, no redirection is followed, and answers are bounded.

use super::address::Address;
use super::connection::is_content;
use super::notes::Notes;
use super::pipe::{LONGEST, LONGEST_WORD};
use super::refusal::is_about_login;
use super::sse;
use crate::account::Credential;
use crate::clip::clipped;
use crate::fault::{Code, Fault};
use crate::invocation::Surroundings;
use crate::limits::{Limits, Timeouts};
use crate::mcp::config::Server;
use crate::mcp::login::{Challenge, Session};
use crate::outbound::{Client, Connector, Live};
use crate::secret::Secret;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
    StreamableHttpError, StreamableHttpPostResponse,
};
use serde_json::Value;
use sse_stream::Sse;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
/// Characters of the SDK's own errors that are worth repeating.
const SHOWN: usize = 400;
/// A tool may work for as long as its server's timeout lets it, which ends the wait itself.
const FIRST_BYTE: Duration = Duration::from_secs(24 * 60 * 60);

/// Headers of the transport itself, which no entry may set.
const RESERVED: [&str; 8] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "mcp-protocol-version",
    "mcp-session-id",
    "transfer-encoding",
];

pub(super) type Failure = StreamableHttpError<Fault>;

/// One server's address, with what it is told in every request.
#[derive(Clone)]
pub(crate) struct Http {
    pub(super) server: Arc<str>,
    url: Arc<str>,
    headers: Arc<HeaderMap>,
    client: Arc<Client>,
    /// Who is signed in there, unless its entry says who we are.
    session: Option<Arc<Session>>,
    /// Of its connection.
    pub(super) notes: Arc<Notes>,
}

impl Http {
    /// Nothing is contacted yet.
    ///
    /// # Errors
    /// `unconfigured`, if a header cannot be used.
    pub(super) fn new(
        server: &Server,
        address: Address,
        told: BTreeMap<String, Secret>,
        surroundings: &Arc<Surroundings>,
    ) -> Result<Self, Fault> {
        let refused = |why: String| Fault::new(Code::Unconfigured, format!("MCP server '{}': {why}", server.name));
        let mut headers = headers(told).map_err(&refused)?;
        if let Some(credentials) = address.credentials.clone() {
            headers.entry(header::AUTHORIZATION).or_insert(credentials);
        }
        if address.base.is_overheard() && (!headers.is_empty() || address.url.query().is_some()) {
            let why = "its `url` begins with http://, where everybody on the way could read its headers; use https://";
            return Err(refused(why.into()));
        }
        let timeouts = Timeouts { first_byte: FIRST_BYTE, ..surroundings.limits.timeouts };
        let limits = Limits { timeouts, ..surroundings.limits };
        let session =
            (!headers.contains_key(header::AUTHORIZATION)).then(|| Session::of(server, &address, surroundings));
        let connector = Connector::new(vec![address.base], Arc::clone(&surroundings.transport));
        let (client, url) = (Arc::new(Client::new(connector, limits)), address.url.as_str().into());
        let (server, headers) = ((*server.name).into(), Arc::new(headers));
        Ok(Self { server, url, headers, client, session: session.flatten(), notes: Arc::default() })
    }

    /// Whether its entry says who we are, so that nobody can sign in.
    pub(crate) fn is_settled(&self) -> bool {
        self.headers.contains_key(header::AUTHORIZATION)
    }

    /// What the server says to somebody who is not signed in.
    ///
    /// # Errors
    /// If it says nothing.
    pub(crate) async fn challenge(&self, patience: Duration) -> Result<(StatusCode, Challenge), Fault> {
        let ping = Bytes::from_static(br#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#);
        let request = self.post(ping, None, HashMap::new()).map_err(fault)?;
        let late = |_| Err(self.nonsense("it does not answer in time"));
        let answer = timeout(patience, self.send_with(request, None)).await.unwrap_or_else(late).map_err(fault)?;
        Ok((answer.status(), Challenge::read(answer.headers())))
    }

    pub(super) fn transport(self) -> StreamableHttpClientTransport<Self> {
        // A request that met the end of its session may have been carried out, and would be sent again.
        let config =
            StreamableHttpClientTransportConfig::with_uri(Arc::clone(&self.url)).reinit_on_expired_session(false);
        StreamableHttpClientTransport::with_client(self, config)
    }

    fn request(
        &self,
        method: Method,
        session: Option<&str>,
        custom: HashMap<HeaderName, HeaderValue>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.url.parse().map_err(|_| self.nonsense("its `url` is none"))?;
        let headers = request.headers_mut();
        *headers = (*self.headers).clone();
        headers.extend(custom);
        if let Some(session) = session {
            let session = HeaderValue::from_str(session).map_err(|_| self.nonsense("its session id is no header"))?;
            headers.insert(SESSION, session);
        }
        Ok(request)
    }

    fn post(
        &self,
        body: Bytes,
        session: Option<&str>,
        custom: HashMap<HeaderName, HeaderValue>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = self.request(Method::POST, session, custom, body)?;
        let both = HeaderValue::from_static("application/json, text/event-stream");
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        request.headers_mut().insert(header::ACCEPT, both);
        Ok(request)
    }

    /// Sends it as whoever is signed in, and once more if that had to be renewed: a request that was refused so was not
    /// carried out.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        let Some(session) = &self.session else { return self.send_with(request, None).await };
        let used = session.token().await.map_err(Failure::Client)?;
        let answer = self.send_with(request.clone(), used.as_deref()).await?;
        let next = session.after(used.as_ref(), answer.status()).await.map_err(Failure::Client)?;
        let Some(next) = next else { return Ok(answer) };
        drop(answer);
        let answer = self.send_with(request, Some(&next)).await?;
        next.note(answer.status());
        Ok(answer)
    }

    async fn send_with(
        &self,
        mut request: Request<Full<Bytes>>,
        token: Option<&Live>,
    ) -> Result<Response<Incoming>, Failure> {
        if let Some(Credential::Header(name, value)) = token.map(Live::credential) {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        self.client.send(request).await.map_err(|lost| {
            let message = format!("MCP server '{}' cannot be reached: {}", self.server, lost.fault.message);
            Failure::Client(Fault { message, ..lost.fault })
        })
    }

    fn nonsense(&self, what: &str) -> Failure {
        Failure::Client(Fault::new(Code::Unreachable, format!("MCP server '{}' cannot be used: {what}.", self.server)))
    }

    /// It answers the request, or it knows the session no more: then another one begins at the next use.
    async fn forgotten(
        &self,
        message: &ClientJsonRpcMessage,
        response: Response<Incoming>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        if let (ClientJsonRpcMessage::Request(asked), Some(JSON)) = (message, kind(&response)) {
            let told = body(response, LONGEST_WORD).await.map_err(|why| self.nonsense(&why))?;
            let told: Value = serde_json::from_slice(&told).unwrap_or_default();
            if told.get("id") == Some(&serde_json::to_value(&asked.id)?) {
                return Ok(StreamableHttpPostResponse::Json(serde_json::from_value(told)?, None));
            }
        }
        let why = "it knows the session no more (HTTP 404)";
        self.notes.broke(why);
        let message = format!("MCP server '{}' broke off: {why}. Another one begins at its next use", self.server);
        Err(Failure::Client(Fault::new(Code::Unreachable, message)))
    }

    fn events(&self, response: Response<Incoming>, most: usize) -> BoxStream<'static, Result<Sse, SseError>> {
        let notes = Arc::clone(&self.notes);
        let heard = move |event: &Result<Sse, SseError>| {
            let told = event.as_ref().ok().and_then(|event| event.data.as_deref());
            told.iter().for_each(|told| notes.heard(told.as_bytes()));
        };
        sse::events(response.into_body(), most).inspect(heard).boxed()
    }

    async fn message(&self, response: Response<Incoming>, most: usize) -> Result<ServerJsonRpcMessage, Failure> {
        let body = body(response, most).await.map_err(|why| self.nonsense(&why))?;
        self.notes.heard(&body);
        serde_json::from_slice(&body).map_err(|error| self.nonsense(&format!("its answer is no message: {error}")))
    }
}

impl StreamableHttpClient for Http {
    type Error = Fault;

    async fn post_message(
        &self,
        _: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        custom: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let body = serde_json::to_vec(&message)?;
        let request = self.post(body.into(), session.as_deref(), custom)?;
        let response = self.send(request).await?;
        let is_request = matches!(message, ClientJsonRpcMessage::Request(_));
        let is_content = matches!(&message, ClientJsonRpcMessage::Request(asked) if is_content(&asked.request));
        let most = if is_content { LONGEST } else { LONGEST_WORD };
        if response.status() == StatusCode::NOT_FOUND && session.is_some() {
            return self.forgotten(&message, response).await;
        }
        let given = response.headers().get(SESSION).and_then(|id| id.to_str().ok()).map(Into::into);
        match kind(&response) {
            _ if response.status().is_success() && !is_request => Ok(StreamableHttpPostResponse::Accepted),
            // A message about the request, whatever the status says.
            Some(JSON) if !is_about_login(&response) => {
                Ok(StreamableHttpPostResponse::Json(self.message(response, most).await?, given))
            }
            _ if !response.status().is_success() => Err(self.refused(response).await),
            Some(EVENTS) => Ok(StreamableHttpPostResponse::Sse(self.events(response, most), given)),
            other => {
                let what = other.unwrap_or("nothing at all");
                Err(self.nonsense(&format!("it answered with {what}, which is neither JSON nor events")))
            }
        }
    }

    async fn delete_session(
        &self,
        _: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        custom: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        let request = self.request(Method::DELETE, Some(&session), custom, Bytes::new())?;
        match self.send(request).await?.status() {
            StatusCode::METHOD_NOT_ALLOWED => Err(Failure::ServerDoesNotSupportDeleteSession),
            // The session is as good as over.
            _ => Ok(()),
        }
    }

    async fn get_stream(
        &self,
        _: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _: Option<String>,
        custom: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let mut request = self.request(Method::GET, session.as_deref(), custom, Bytes::new())?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(EVENTS));
        if let Some(last) = last_event.and_then(|last| HeaderValue::from_str(&last).ok()) {
            request.headers_mut().insert(LAST_EVENT, last);
        }
        let response = self.send(request).await?;
        match kind(&response) {
            Some(EVENTS) if response.status().is_success() => Ok(self.events(response, LONGEST)),
            // If the session is over, the next request meets that.
            _ => Err(Failure::ServerDoesNotSupportSse),
        }
    }
}

/// Why a request of our own has no answer.
fn fault(failure: Failure) -> Fault {
    match failure {
        Failure::Client(fault) => fault,
        other => Fault::new(Code::Internal, other.to_string()),
    }
}

/// What the SDK's transports say when they fail, down to the cause.
pub(super) fn told(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    clipped(&cause.to_string(), SHOWN).into_owned()
}

fn headers(told: BTreeMap<String, Secret>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in told {
        let known = HeaderName::try_from(name.as_str()).map_err(|_| format!("`{name}` is no name of a header"))?;
        if RESERVED.contains(&known.as_str()) {
            return Err(format!("the header `{name}` belongs to the protocol; take it out of `headers`"));
        }
        let parsed = HeaderValue::try_from(value.expose());
        let mut value = parsed.map_err(|_| format!("the value of the header `{name}` cannot stand in one"))?;
        value.set_sensitive(true);
        headers.append(known, value);
    }
    Ok(headers)
}

fn kind(response: &Response<Incoming>) -> Option<&'static str> {
    let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    [JSON, EVENTS].into_iter().find(|known| kind.eq_ignore_ascii_case(known))
}

pub(super) async fn body(response: Response<Incoming>, most: usize) -> Result<Bytes, String> {
    let collected = Limited::new(response.into_body(), most).collect().await;
    collected.map(|body| body.to_bytes()).map_err(|_| format!("its answer breaks off, or has more than {most} bytes"))
}
