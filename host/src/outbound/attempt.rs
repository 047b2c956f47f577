//! One request on its way: authenticated, sent, and sent again only where that cannot do anything twice.

use super::Gate;
use super::answer::Whole;
use super::check::Permit;
use super::client::Lost;
use super::doubt::Doubtful;
use super::headers::harmless;
use super::queue::Passage;
use super::token::Authority;
use crate::account::Credential;
use crate::description::Operation;
use crate::fault::{Code, Fault};
use crate::journal::{Entry, Errand};
use crate::rate::Notice;
use crate::retry::{Outcome, Repeat};
use crate::store::blocking;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::Full;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// A request that was sent, or would have been, and what became of it.
struct Attempt {
    outcome: Outcome,
    result: Result<Response<Whole>, Fault>,
}

impl Gate {
    /// Sends a request that was checked until there is an answer worth giving, and gives it whole.
    pub(super) async fn deliver(
        &self,
        parts: &Parts,
        permit: &Permit<'_>,
        authority: &Authority,
        body: Bytes,
    ) -> Result<Response<Whole>, Fault> {
        let repeat = Repeat::of(self.operation, &parts.method);
        let mut last = self.attempt(parts, permit, authority, &body).await?;
        let mut attempts = 1;
        while let Some(pause) = repeat.after(attempts, last.outcome, self.time_left(), luck()) {
            sleep(pause).await;
            // What keeps us from another attempt says less than what became of the last one.
            let Ok(next) = self.attempt(parts, permit, authority, &body).await else { break };
            (last, attempts) = (next, attempts + 1);
        }
        last.result
    }

    /// Sends once, in its turn. The error is why nothing was sent.
    async fn attempt(
        &self,
        parts: &Parts,
        permit: &Permit<'_>,
        authority: &Authority,
        body: &Bytes,
    ) -> Result<Attempt, Fault> {
        self.count(&self.sent)?;
        let request = self.build(parts, permit, authority, body.clone())?;
        let passage = self.turn(&parts.method, permit).await?;
        let writes = self.operation == Operation::Write && !parts.method.is_safe();
        let doubt = writes.then(|| self.doubt.begin());
        // From here on nobody can say any more that it did not leave.
        if let (Some(_), Errand::Remember(entry)) = (&doubt, &self.errand)
            && let Err(unnoted) = note(entry).await
        {
            doubt.into_iter().for_each(Doubtful::end);
            return Err(unnoted);
        }
        let record = self.sending(request.method(), permit, request.body().size_hint().lower());
        let attempt = self.exchange(request, passage).await;
        match attempt.as_ref().map(|attempt| &attempt.result) {
            Ok(Ok(answer)) => record.answered(answer.status().as_u16(), answer.body().size_hint().lower()),
            Ok(Err(fault)) | Err(fault) => record.failed(fault),
        }
        if let Some(doubt) = doubt
            && attempt.as_ref().map_or(true, |attempt| attempt.outcome.is_unexecuted())
        {
            doubt.end();
        }
        attempt
    }

    async fn exchange(&self, request: Request<Full<Bytes>>, passage: Passage<'_>) -> Result<Attempt, Fault> {
        let lost = match self.connected.client.send(request).await {
            Ok(answer) => {
                let notice = passage.learn(&answer);
                return Ok(self.whole(answer, &notice).await);
            }
            Err(lost) => lost,
        };
        if lost.unsent {
            passage.give_back();
        }
        lost.into_attempt()
    }

    async fn whole(&self, answer: Response<Incoming>, notice: &Notice) -> Attempt {
        let outcome = Outcome::Answered(answer.status(), notice.pause(answer.status()));
        match self.read(answer).await {
            Ok(answer) => Attempt { outcome, result: Ok(answer) },
            Err(fault) if is_passing(&fault) => Attempt { outcome: Outcome::InDoubt, result: Err(fault) },
            Err(fault) => Attempt { outcome: Outcome::Unusable, result: Err(fault) },
        }
    }

    /// The request that goes out: the checked URL in its checked form, the guest's harmless headers, the credential.
    fn build(
        &self,
        parts: &Parts,
        permit: &Permit<'_>,
        authority: &Authority,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Fault> {
        let mut url = permit.target.url().clone();
        let mut headers = harmless(&parts.headers);
        match authority.credential() {
            Some(Credential::Header(name, value)) => drop(headers.insert(name.clone(), value.clone())),
            Some(Credential::Query(name, secret)) => drop(url.query_pairs_mut().append_pair(name, secret.expose())),
            None => {}
        }
        let mut request = Request::builder().method(parts.method.clone()).uri(url.as_str()).body(Full::new(body));
        if let Ok(request) = &mut request {
            *request.headers_mut() = headers;
        }
        request.map_err(|error| Fault::new(Code::Internal, format!("the request cannot be built: {error}")))
    }

    fn time_left(&self) -> Duration {
        self.deadline.left()
    }
}

/// On disk before the first byte leaves.
async fn note(entry: &Arc<Entry>) -> Result<(), Fault> {
    let entry = Arc::clone(entry);
    blocking(move || entry.sending()).await
}

impl Lost {
    /// The error is a request that did not leave and never would.
    fn into_attempt(self) -> Result<Attempt, Fault> {
        let outcome = match (self.unsent, is_passing(&self.fault)) {
            (true, true) => Outcome::Unsent,
            (true, false) => return Err(self.fault),
            (false, true) => Outcome::InDoubt,
            (false, false) => Outcome::Unusable,
        };
        Ok(Attempt { outcome, result: Err(self.fault) })
    }
}

/// Whether it may be otherwise in a second: a connection, not a denial or a size.
fn is_passing(fault: &Fault) -> bool {
    matches!(fault.code, Code::Unreachable | Code::Timeout)
}

/// From 0 to 1.
fn luck() -> f64 {
    // Without randomness, those who failed together wait the same.
    f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}
