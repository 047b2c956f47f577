//! A pooled HTTP client of one account. Connections are reused by it and shared with no other.

use super::answer::head_too_large;
use super::connect::{Connector, Transport};
use super::queue::Queue;
use super::token::Tokens;
use crate::account::Account;
use crate::fault::{Code, Fault};
use crate::limits::Limits;
use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Idle connections are closed before a provider's load balancer would close them under us.
const IDLE: Duration = Duration::from_secs(50);
/// As many idle connections as invocations may run at once, so that a busy account keeps reusing its own.
const IDLE_CONNECTIONS: usize = 128;
/// As many header fields as hyper reads of itself; asking for the same number would cost it an allocation each time.
const HYPERS_HEADERS: usize = 100;
/// The smallest read buffer hyper takes.
const LEAST_BUFFER: usize = 8 << 10;

/// An account with its connections.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) account: Account,
    pub(crate) client: Client,
    pub(crate) queue: Arc<Queue>,
    pub(super) tokens: Tokens,
}

impl Connected {
    /// With connections of its own, none of them made yet.
    pub(crate) fn new(account: Account, queue: Arc<Queue>, transport: &Arc<Transport>, limits: &Limits) -> Self {
        let connector = Connector::new(account.bases().cloned().collect(), Arc::clone(transport));
        let client = Client::new(connector, *limits);
        Self { account, client, queue, tokens: Tokens::default() }
    }
}

/// A request without an answer.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) fault: Fault,
    /// Whether not a byte of the request left.
    pub(super) unsent: bool,
}

/// A pooled client.
pub(crate) struct Client {
    inner: legacy::Client<Connector, Full<Bytes>>,
    connector: Connector,
    limits: Limits,
}

impl Client {
    /// Without connections yet.
    pub(crate) fn new(connector: Connector, limits: Limits) -> Self {
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE).pool_max_idle_per_host(IDLE_CONNECTIONS).pool_timer(TokioTimer::new());
        builder.http1_max_buf_size(limits.response_header_bytes.max(LEAST_BUFFER));
        if limits.response_headers > HYPERS_HEADERS {
            builder.http1_max_headers(limits.response_headers);
        }
        builder.http2_max_header_list_size(u32::try_from(limits.response_header_bytes).unwrap_or(u32::MAX));
        Self { inner: builder.build(connector.clone()), connector, limits }
    }

    /// Sends once. A connection that turns out closed before a byte of the request left is replaced; nothing else is
    /// ever repeated here, and redirects are answers.
    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Lost> {
        self.introduce(&mut request);
        let connection = capture_connection(&mut request);
        let answer = self.inner.request(request);
        tokio::select! {
            biased;
            answer = answer => answer.map_err(|error| Lost { unsent: never_left(&error), fault: self.describe(&error) }),
            late = overdue(connection, self.limits.timeouts.first_byte) => Err(Lost { unsent: false, fault: late }),
        }
    }

    /// Tells a proxy who we are, where it reads the request itself; a tunnel was told when it was opened.
    fn introduce(&self, request: &mut Request<Full<Bytes>>) {
        if request.uri().scheme() != Some(&Scheme::HTTP) {
            return;
        }
        if let Some(value) = self.connector.proxy(request.uri()).and_then(|proxy| proxy.authorization.clone()) {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, value);
        }
    }

    /// The innermost cause says most: a refused address, a certificate, a reset.
    fn describe(&self, error: &legacy::Error) -> Fault {
        let mut cause: &dyn Error = error;
        while let Some(deeper) = cause.source() {
            if let Some(fault) = deeper.downcast_ref::<Fault>() {
                return fault.clone();
            }
            if deeper.downcast_ref().is_some_and(hyper::Error::is_parse_too_large) {
                return head_too_large(&self.limits);
            }
            cause = deeper;
        }
        let what = if error.is_connect() { "no connection" } else { "the connection broke before an answer came" };
        Fault::new(Code::Unreachable, format!("{what}: {cause}"))
    }
}

/// Becomes ready when a provider has had its time to answer, counted from the connection: making one has limits of its
/// own.
async fn overdue(mut connection: CaptureConnection, limit: Duration) -> Fault {
    connection.wait_for_connection_metadata().await;
    tokio::time::sleep(limit).await;
    Fault::new(Code::Timeout, format!("the provider sent no answer within {} s", limit.as_secs_f32()))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(…)")
    }
}

/// Whether not a byte of the request left: there was no connection, or it was closed before the request was begun.
/// hyper calls a request cancelled only as long as it can give it back whole.
fn never_left(error: &legacy::Error) -> bool {
    let cause = error.source().and_then(<dyn Error>::downcast_ref::<hyper::Error>);
    error.is_connect() || cause.is_some_and(hyper::Error::is_canceled)
}
