//! The single gate every guest request passes: parse once, check, authenticate, send to a checked address, cap.

pub mod address;
mod client;
mod connect;

use crate::account::{Account, Credential};
use crate::description::Description;
use crate::fault::{Code, Fault};
use crate::limits::Limits;
use crate::permission::Permission;
use crate::target::Target;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks,
};

pub(crate) use client::Connected;

/// What a guest may not say about itself: credentials are the host's, and where a request came from is nobody's.
const HOST_HEADERS: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::HOST,
    header::FORWARDED,
    header::VIA,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
];

/// Headers by which some servers let one request pass for another, under the rule of a third.
const DISGUISES: [&str; 6] =
    ["x-http-method", "x-http-method-override", "x-method-override", "x-original-url", "x-real-ip", "x-rewrite-url"];

const USER_AGENT: &str = concat!("kosmo/", env!("CARGO_PKG_VERSION"));

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sending = Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send>;

/// One invocation's way out.
pub(crate) struct Outbound {
    /// None is closed.
    gate: Option<Arc<Gate>>,
}

/// What this invocation may send, and what became of it.
pub(crate) struct Gate {
    pub(crate) description: Arc<Description>,
    pub(crate) function: String,
    pub(crate) connected: Arc<Connected>,
    pub(crate) permission: Permission,
    pub(crate) force: bool,
    pub(crate) limits: Limits,
    pub(crate) sent: AtomicU32,
    pub(crate) cause: Mutex<Option<Fault>>,
}

impl Outbound {
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate: Some(Arc::new(gate)) }
    }

    /// A way out that leads nowhere, for a plugin that is only asked what it is.
    pub(crate) fn closed() -> Self {
        Self { gate: None }
    }

    /// Why a request of this invocation went wrong, if one did. The guest may have told it differently, or not at all.
    pub(crate) fn cause(&self) -> Option<Fault> {
        self.gate.as_ref()?.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl WasiHttpHooks for Outbound {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(is_forbidden)
    }

    fn send_request(&mut self, request: Request<WasiBody>, _: Option<RequestOptions>, _: Io) -> Sending {
        let gate = self.gate.clone();
        Box::new(async move {
            let Some(gate) = gate else { return Err(Error::HttpRequestDenied) };
            match gate.send(request).await {
                Ok(response) => Ok((response, Box::new(async { Ok(()) }) as Io)),
                Err(fault) => Err(gate.remember(fault)),
            }
        })
    }
}

impl Gate {
    fn account(&self) -> &Account {
        &self.connected.account
    }

    async fn send(&self, request: Request<WasiBody>) -> Result<Response<WasiBody>, Fault> {
        let (parts, body) = request.into_parts();
        let permit = self.check(&parts.method, &parts.uri.to_string())?;
        self.count()?;
        let body = collect(body, self.limits.request_body, "request").await?;
        let request = self.build(&parts, permit, body)?;
        let (parts, body) = self.connected.client.send(request).await?.into_parts();
        let body = collect(body, self.limits.response_body, "response").await?;
        let body = self.account().redact(&body).map_or(body, Bytes::from);
        Ok(Response::from_parts(self.redacted(parts), body_of(body)))
    }

    /// The answer's head without headers that repeat a secret, and without a length that redaction made wrong.
    fn redacted(&self, mut parts: http::response::Parts) -> http::response::Parts {
        let clean = |value: &http::HeaderValue| self.account().redact(value.as_bytes()).is_none();
        parts.headers = parts.headers.iter().filter(|(_, v)| clean(v)).map(|(n, v)| (n.clone(), v.clone())).collect();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts
    }

    /// Whether this function may send this, on what URL exactly, and with whose authority.
    fn check(&self, method: &Method, uri: &str) -> Result<Permit, Fault> {
        let plain = Target::parse(uri);
        for rule in self.description.rules(&self.function) {
            let (bases, signed) = self.account().origin(rule.origin());
            let target = if signed { Target::signed(uri).ok() } else { plain.as_ref().ok().cloned() };
            let Some(target) = target.filter(|target| rule.allows(method, target, bases)) else { continue };
            let authenticated = rule.origin() == "base";
            if authenticated && rule.is_generic() {
                self.check_stricter(method, &target)?;
            }
            return Ok(Permit { target, authenticated });
        }
        Err(self.denied(method, uri, plain.err().map(|error| error.to_string())))
    }

    /// What a generic rule lets out needs the permission of every function whose rule covers it too: `api_delete` cannot
    /// do what a denied `delete_message` could not.
    fn check_stricter(&self, method: &Method, target: &Target) -> Result<(), Fault> {
        for (function, rules) in self.description.ceilings() {
            let covers = |rule: &crate::grant::Rule| {
                rule.origin() == "base" && rule.allows(method, target, std::slice::from_ref(self.account().base()))
            };
            if function.name != self.function && rules.iter().any(covers) {
                self.permission.check(&self.description.name, function.operation, self.force)?;
            }
        }
        Ok(())
    }

    fn denied(&self, method: &Method, uri: &str, flaw: Option<String>) -> Fault {
        let (name, function) = (&self.description.name, &self.function);
        let url = uri.split(['?', '#']).next().unwrap_or_default();
        let why = flaw.unwrap_or_else(|| format!("it may send only {}", self.ceiling()));
        Fault::new(
            Code::Denied,
            format!(
                "{name}.{function} may not send {method} {url}: {why}. Where requests go is the account's `url`, and \
                 what a function may send is declared by the plugin; only the operator can change either."
            ),
        )
    }

    fn ceiling(&self) -> String {
        let show = |rule: &crate::grant::Rule| {
            let (bases, _) = self.account().origin(rule.origin());
            let origins: Vec<_> = bases.iter().map(|base| base.as_str()).collect();
            format!("{rule} to {}", origins.join(" or "))
        };
        match self.description.rules(&self.function) {
            [] => "nothing".into(),
            rules => rules.iter().map(show).collect::<Vec<_>>().join(", "),
        }
    }

    fn count(&self) -> Result<(), Fault> {
        let limit = self.limits.requests;
        if self.sent.fetch_add(1, Ordering::Relaxed) < limit {
            return Ok(());
        }
        Err(Fault::new(Code::TooLarge, format!("The plugin was stopped after {limit} requests in one invocation.")))
    }

    /// The request that goes out: the checked URL in its checked form, the guest's harmless headers, the credential.
    fn build(&self, parts: &Parts, permit: Permit, body: Bytes) -> Result<Request<Full<Bytes>>, Fault> {
        let mut url = permit.target.into_url();
        let mut headers = harmless(&parts.headers);
        if permit.authenticated {
            match self.account().credential() {
                Some(Credential::Header(name, value)) => drop(headers.insert(name.clone(), value.clone())),
                Some(Credential::Query(name, secret)) => drop(url.query_pairs_mut().append_pair(name, secret.expose())),
                None => {}
            }
        }
        let mut request = Request::builder().method(parts.method.clone()).uri(url.as_str()).body(Full::new(body));
        if let Ok(request) = &mut request {
            *request.headers_mut() = headers;
        }
        request.map_err(|error| Fault::new(Code::Internal, format!("the request cannot be built: {error}")))
    }

    /// Keeps the first cause, and the first denial above all, since it explains whatever came after.
    fn remember(&self, fault: Fault) -> Error {
        let error = match fault.code {
            Code::Denied | Code::ApprovalRequired => Error::HttpRequestDenied,
            Code::TooLarge => Error::HttpResponseBodySize(None),
            Code::Timeout => Error::ConnectionTimeout,
            _ => Error::DestinationUnavailable,
        };
        let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        let weaker = |known: &Fault| known.code != Code::Denied && fault.code == Code::Denied;
        if cause.as_ref().is_none_or(weaker) {
            *cause = Some(fault);
        }
        error
    }
}

/// Leave to send to this URL, in exactly this form.
struct Permit {
    target: Target,
    /// Whether the URL is on the account's own origin, the credential's only audience.
    authenticated: bool,
}

fn is_forbidden(name: &HeaderName) -> bool {
    HOST_HEADERS.contains(name)
        || DEFAULT_FORBIDDEN_HEADERS.contains(name)
        || name.as_str().starts_with("x-forwarded-")
        || name.as_str().starts_with("proxy-")
        || DISGUISES.contains(&name.as_str())
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let mut kept: HeaderMap =
        headers.iter().filter(|(name, _)| !is_forbidden(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    // The body is whole by now, and its length is what was counted, not what was claimed.
    kept.remove(header::CONTENT_LENGTH);
    // A compressed answer could not be searched for secrets.
    kept.remove(header::ACCEPT_ENCODING);
    kept.entry(header::USER_AGENT).or_insert(http::HeaderValue::from_static(USER_AGENT));
    kept
}

fn body_of(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

async fn collect<B>(body: B, limit: usize, what: &str) -> Result<Bytes, Fault>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Fault::new(Code::TooLarge, format!("The {what}'s body has more than {} MiB.", limit >> 20)))
        }
        Err(error) => Err(Fault::new(Code::Unreachable, format!("The {what} broke off: {error}"))),
    }
}
