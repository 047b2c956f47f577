//! A pooled HTTP client of one account. Connections are reused by it and shared with no other.

use super::connect::Connector;
use crate::account::Account;
use crate::fault::{Code, Fault};
use crate::rule::Base;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::fmt;
use std::time::Duration;

/// Idle connections are closed before a provider's load balancer would close them under us.
const IDLE: Duration = Duration::from_secs(50);
/// As many idle connections as invocations may run at once, so that a busy account keeps reusing its own.
const IDLE_CONNECTIONS: usize = 128;

/// An account with its connections.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) account: Account,
    pub(crate) client: Client,
}

impl From<Account> for Connected {
    fn from(account: Account) -> Self {
        let client = Client::new(account.bases().cloned().collect());
        Self { account, client }
    }
}

/// A pooled client.
pub(crate) struct Client {
    inner: legacy::Client<Connector, Full<Bytes>>,
}

impl Client {
    /// A client that may dial special-purpose addresses only where one of these bases, typed by the operator, says so.
    fn new(bases: Vec<Base>) -> Self {
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_idle_timeout(IDLE).pool_max_idle_per_host(IDLE_CONNECTIONS).pool_timer(TokioTimer::new());
        Self { inner: builder.build(Connector::new(bases)) }
    }

    /// Sends once. A connection that turns out closed before a byte of the request left is replaced; nothing else is
    /// ever repeated here, and redirects are answers.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Fault> {
        self.inner.request(request).await.map_err(|error| describe(&error))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(…)")
    }
}

/// The innermost cause says most: a refused address, a certificate, a reset.
fn describe(error: &legacy::Error) -> Fault {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        if let Some(fault) = deeper.downcast_ref::<Fault>() {
            return fault.clone();
        }
        cause = deeper;
    }
    let what = if error.is_connect() { "no connection" } else { "the connection broke before an answer came" };
    Fault::new(Code::Unreachable, format!("{what}: {cause}"))
}
