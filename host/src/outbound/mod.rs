//! The single gate every guest request passes: parse once, check, authenticate, send to a checked address, cap.

pub mod address;
mod answer;
mod approve;
mod attempt;
mod audited;
mod budget;
mod check;
mod client;
mod connect;
mod doubt;
mod encoding;
mod exchange;
mod headers;
mod leak;
mod queue;
mod rehearse;
mod resolve;
mod shelf;
mod stream;
mod tls;
mod token;
mod tunnel;

use crate::account::Account;
use crate::approval::{Approvals, Question};
use crate::audit::Trail;
use crate::description::{Description, Operation};
use crate::fault::{Code, Fault};
use crate::invocation::Surroundings;
use crate::journal::Errand;
use crate::limits::Limits;
use crate::patience::Deadline;
use crate::rehearsal::Rehearsal;
use crate::scope::Scope;
use answer::Gathered;
use bytes::Bytes;
use headers::is_forbidden;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use std::fmt::Display;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

pub(crate) use audited::asking;
pub(crate) use budget::{Budget, Share};
pub(crate) use check::Checker;
pub(crate) use client::{Client, Connected};
pub(crate) use connect::{Connector, Transport};
pub(crate) use doubt::Doubt;
pub(crate) use queue::Queues;
pub use resolve::{Resolve, Resolving};
pub(crate) use shelf::Shelf;
pub(crate) use tls::Roots;
pub(crate) use token::{Live, Tokens};

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sending = Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send>;

/// One invocation's way out.
pub(crate) struct Outbound {
    /// None is closed.
    gate: Option<Arc<Gate>>,
}

/// What this invocation may send, and what became of it.
pub(crate) struct Gate {
    pub(crate) host: Arc<Surroundings>,
    pub(crate) trail: Arc<Trail>,
    pub(crate) description: Arc<Description>,
    pub(crate) function: String,
    pub(crate) operation: Operation,
    pub(crate) connected: Arc<Connected>,
    pub(crate) force: bool,
    /// What whoever asked may reach at most.
    pub(crate) scopes: Arc<[Scope]>,
    pub(crate) limits: Limits,
    /// When the invocation ends, whatever it is doing.
    pub(crate) deadline: Deadline,
    /// Requests the guest asked for, refused ones included.
    pub(crate) asked: AtomicU32,
    /// Requests that went out, repeated ones included.
    pub(crate) sent: AtomicU32,
    /// The bodies this invocation may hold at once, of requests and answers.
    pub(crate) held: Arc<Budget>,
    pub(crate) doubt: Doubt,
    pub(crate) errand: Errand,
    pub(crate) rehearsal: Option<Arc<Rehearsal>>,
    /// Who is asked where a permission is `ask`, and what was asked of the invocation as a whole.
    pub(crate) approver: Option<(Approvals, Question)>,
    /// The result of an invocation that a rehearsal ended before it sent something.
    pub(crate) held_back: OnceLock<String>,
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

    /// The result of this invocation, if it is a rehearsal that came to something which is not sent.
    pub(crate) fn held_back(&self) -> Option<String> {
        self.gate.as_ref()?.held_back.get().cloned()
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
        self.check_over()?;
        self.count(&self.asked)?;
        let (parts, body) = request.into_parts();
        let permit = self.decide(&parts.method, &parts.uri.to_string()).await?;
        // Given back once there is an answer.
        let mut share = Share::new(Arc::clone(&self.held), Arc::clone(&self.host.held));
        let body = collect(body, self.limits.request_body, &mut share).await?;
        self.check_leaks(&parts, &permit, &body)?;
        self.rehearse(&parts, &permit, &body)?;
        let answer = self.redacted(self.dispatch(&parts, &permit, body).await?);
        Ok(answer.map(|body| body.map_err(|never| match never {}).boxed_unsync()))
    }

    fn count(&self, counter: &AtomicU32) -> Result<(), Fault> {
        let limit = self.limits.requests;
        if counter.fetch_add(1, Ordering::Relaxed) < limit {
            return Ok(());
        }
        Err(Fault::new(Code::TooLarge, format!("The plugin was stopped after {limit} requests in one invocation.")))
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
        let weaker = |known: &Fault| !known.is_denial() && fault.is_denial();
        if cause.as_ref().is_none_or(weaker) {
            *cause = Some(fault);
        }
        error
    }
}

/// The guest's body, frame by frame. Its trailers stay behind: no provider needs them, and no rule looks at them.
async fn collect<B>(mut body: B, limit: usize, share: &mut Share) -> Result<Bytes, Fault>
where
    B: Body<Data = Bytes, Error: Display> + Unpin,
{
    let mut whole = Gathered::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Fault::new(Code::Unreachable, format!("The request broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit.saturating_sub(whole.len()) {
            return Err(Fault::new(Code::TooLarge, format!("The request's body has more than {} MiB.", limit >> 20)));
        }
        share.grow(data.len())?;
        whole.push(data);
    }
    Ok(whole.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    const MIB: usize = 1 << 20;

    async fn collect_zeros(bytes: usize, share: &mut Share) -> Result<usize, Code> {
        let body = Full::new(Bytes::from(vec![0; bytes]));
        collect(body, 2 * MIB, share).await.map(|body| body.len()).map_err(|fault| fault.code)
    }

    #[test]
    fn bodies_of_requests_draw_on_what_may_be_held_at_once() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (own, all) = (Budget::new(3 * MIB), Budget::new(3 * MIB));
        let share = || Share::new(Arc::clone(&own), Arc::clone(&all));
        let (mut first, mut second) = (share(), share());
        let mut neighbour = Share::new(Budget::new(3 * MIB), Arc::clone(&all));
        runtime.block_on(async {
            assert_eq!(collect_zeros(2 * MIB + 1, &mut first).await, Err(Code::TooLarge), "more than one may have");
            assert_eq!(collect_zeros(2 * MIB, &mut first).await, Ok(2 * MIB));
            assert_eq!(collect_zeros(2 * MIB, &mut second).await, Err(Code::TooLarge), "more than both may have");
            assert_eq!(collect_zeros(2 * MIB, &mut neighbour).await, Err(Code::Busy), "more than all may have");
            drop(first);
            assert_eq!(collect_zeros(2 * MIB, &mut second).await, Ok(2 * MIB), "what was given back");
        });
    }
}
