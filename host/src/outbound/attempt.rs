//! One request on its way: authenticated, sent, and sent again only where that cannot do anything twice.

use super::Gate;
use super::answer::Whole;
use super::check::Permit;
use super::headers::harmless;
use crate::account::Credential;
use crate::fault::{Code, Fault};
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::Full;

impl Gate {
    /// Sends a request that was checked, and gives the whole answer.
    pub(super) async fn deliver(
        &self,
        parts: &Parts,
        permit: &Permit<'_>,
        body: Bytes,
    ) -> Result<Response<Whole>, Fault> {
        self.attempt(permit, self.build(parts, permit, body)?).await
    }

    /// Sends once, on record.
    async fn attempt(&self, permit: &Permit<'_>, request: Request<Full<Bytes>>) -> Result<Response<Whole>, Fault> {
        let attempt = self.sending(request.method(), permit, request.body().size_hint().lower());
        let answer = self.exchange(request).await;
        match &answer {
            Ok(answer) => attempt.answered(answer.status().as_u16(), answer.body().size_hint().lower()),
            Err(fault) => attempt.failed(fault),
        }
        answer
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Whole>, Fault> {
        self.read(self.connected.client.send(request).await?).await
    }

    /// The request that goes out: the checked URL in its checked form, the guest's harmless headers, the credential.
    fn build(&self, parts: &Parts, permit: &Permit<'_>, body: Bytes) -> Result<Request<Full<Bytes>>, Fault> {
        let mut url = permit.target.url().clone();
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
}
