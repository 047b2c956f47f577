//! Servers over HTTP: the protocol's transport, over the way out that all of kosmo takes. The address that was checked is
//! the address dialled, no redirection is followed, and answers are bounded.

use super::connection::is_content;
use super::pipe::{LONGEST, LONGEST_WORD};
use super::sse;
use crate::clip::clipped;
use crate::fault::{Code, Fault};
use crate::invocation::Surroundings;
use crate::limits::{Limits, Timeouts};
use crate::mcp::config::Server;
use crate::mcp::plain::decoded;
use crate::outbound::{Client, Connector};
use crate::rule::Base;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
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
use sse_stream::Sse;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
/// Characters of an error page that are worth repeating.
const SHOWN: usize = 200;
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

type Failure = StreamableHttpError<Fault>;

/// One server's address, with what it is told in every request.
#[derive(Clone)]
pub(super) struct Http {
    server: Arc<str>,
    url: Arc<str>,
    headers: Arc<HeaderMap>,
    client: Arc<Client>,
}

impl Http {
    /// Nothing is contacted yet.
    ///
    /// # Errors
    /// `unconfigured`, if the URL or a header cannot be used.
    pub(super) fn new(
        server: &Server,
        address: &str,
        told: BTreeMap<String, Secret>,
        surroundings: &Surroundings,
    ) -> Result<Self, Fault> {
        let refused = |why: String| Fault::new(Code::Unconfigured, format!("MCP server '{}': {why}", server.name));
        let mut url = Url::parse(address).map_err(|_| refused("its `url` is none".into()))?;
        let mut headers = headers(told).map_err(&refused)?;
        if let Some(credentials) = credentials(&mut url) {
            headers.entry(header::AUTHORIZATION).or_insert(credentials);
        }
        let origin = origin(&url).ok_or_else(|| refused("its `url` is neither http:// nor https://".into()))?;
        let typed = surroundings.config.mcp().trust(server).is_given();
        let base = if typed { Base::typed(&origin) } else { Base::declared(&origin) };
        let base = base.map_err(|error| refused(format!("its `url` cannot be used: {error}")))?;
        if base.is_overheard() && (!headers.is_empty() || url.query().is_some()) {
            let why = "its `url` begins with http://, where everybody on the way could read its headers; use https://";
            return Err(refused(why.into()));
        }
        let timeouts = Timeouts { first_byte: FIRST_BYTE, ..surroundings.limits.timeouts };
        let limits = Limits { timeouts, ..surroundings.limits };
        let connector = Connector::new(vec![base], Arc::clone(&surroundings.transport));
        let client = Arc::new(Client::new(connector, limits));
        Ok(Self { server: (*server.name).into(), url: url.as_str().into(), headers: Arc::new(headers), client })
    }

    pub(super) fn transport(self) -> StreamableHttpClientTransport<Self> {
        let config = StreamableHttpClientTransportConfig::with_uri(Arc::clone(&self.url));
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

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        self.client.send(request).await.map_err(|lost| {
            let message = format!("MCP server '{}' cannot be reached: {}", self.server, lost.fault.message);
            Failure::Client(Fault { message, ..lost.fault })
        })
    }

    fn nonsense(&self, what: &str) -> Failure {
        Failure::Client(Fault::new(Code::Unreachable, format!("MCP server '{}' cannot be used: {what}.", self.server)))
    }

    /// What an answer is that carries no message.
    async fn refused(&self, response: Response<Incoming>) -> Failure {
        let status = response.status();
        let (code, cure) = match status {
            StatusCode::UNAUTHORIZED => (Code::Unauthorized, self.login()),
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
        format!(
            " Give it a token: kosmo mcp:secret:set {0} token, and \"Authorization\": \"Bearer \
             ${{KOSMO_SECRET:mcp.{0}.token}}\" under its `headers`.",
            self.server
        )
    }

    async fn message(&self, response: Response<Incoming>, most: usize) -> Result<ServerJsonRpcMessage, Failure> {
        let body = body(response, most).await.map_err(|why| self.nonsense(&why))?;
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
        let mut request = self.request(Method::POST, session.as_deref(), custom, body.into())?;
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        let both = HeaderValue::from_static("application/json, text/event-stream");
        request.headers_mut().insert(header::ACCEPT, both);
        let response = self.send(request).await?;
        let is_request = matches!(message, ClientJsonRpcMessage::Request(_));
        let is_content = matches!(&message, ClientJsonRpcMessage::Request(asked) if is_content(&asked.request));
        let most = if is_content { LONGEST } else { LONGEST_WORD };
        if response.status() == StatusCode::NOT_FOUND && session.is_some() {
            return Err(Failure::SessionExpired);
        }
        let given = response.headers().get(SESSION).and_then(|id| id.to_str().ok()).map(Into::into);
        match kind(&response) {
            _ if response.status().is_success() && !is_request => Ok(StreamableHttpPostResponse::Accepted),
            // A message about the request, whatever the status says.
            Some(JSON) if response.status() != StatusCode::UNAUTHORIZED => {
                Ok(StreamableHttpPostResponse::Json(self.message(response, most).await?, given))
            }
            _ if !response.status().is_success() => Err(self.refused(response).await),
            Some(EVENTS) => Ok(StreamableHttpPostResponse::Sse(sse::events(response.into_body(), most), given)),
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
            Some(EVENTS) if response.status().is_success() => Ok(sse::events(response.into_body(), LONGEST)),
            _ if response.status() == StatusCode::NOT_FOUND && session.is_some() => Err(Failure::SessionExpired),
            _ => Err(Failure::ServerDoesNotSupportSse),
        }
    }
}

/// What the SDK's transports say when they fail, down to the cause.
pub(super) fn told(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    clipped(&cause.to_string(), SHOWN * 2).into_owned()
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

/// A user's name and password out of the URL, as the header that carries them.
fn credentials(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    // Fails only for URLs without a host, which are refused below.
    let _ = (url.set_username(""), url.set_password(None));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn origin(url: &Url) -> Option<String> {
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

fn moved(response: &Response<Incoming>) -> String {
    let to = response.headers().get(header::LOCATION).and_then(|to| Url::parse(to.to_str().ok()?).ok());
    let to = to.map(|to| format!(" to {}", to.origin().ascii_serialization())).unwrap_or_default();
    format!(" Redirections are not followed{to}: write the right address into its `url`.")
}

fn kind(response: &Response<Incoming>) -> Option<&'static str> {
    let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim();
    [JSON, EVENTS].into_iter().find(|known| kind.eq_ignore_ascii_case(known))
}

async fn body(response: Response<Incoming>, most: usize) -> Result<Bytes, String> {
    let collected = Limited::new(response.into_body(), most).collect().await;
    collected.map(|body| body.to_bytes()).map_err(|_| format!("its answer breaks off, or has more than {most} bytes"))
}
