//! What the gate tells the audit log: each decision before anything is sent, and each request that goes out.

use super::Gate;
use super::check::Permit;
use crate::approval::Approval;
use crate::audit::{Attempt, Place, Trail};
use crate::clip::clipped;
use crate::fault::Fault;
use bytes::Bytes;
use http::{Method, Request};
use http_body::Body as _;
use http_body_util::Full;
use url::Url;

/// Stands for what nobody must read.
const REDACTED: &str = "[redacted]";
/// Most characters of a method and of a host.
const METHOD: usize = 16;
const HOST: usize = 255;

impl Gate {
    /// As [`Gate::check`], on record. For a write, a decision that cannot be recorded is a refusal.
    pub(super) async fn decide(&self, method: &Method, uri: &str) -> Result<Permit<'_>, Fault> {
        let permit = self.check(method, uri).inspect_err(|fault| self.refused(method, uri, fault))?;
        self.approve(method, uri, &permit).await?;
        let (rule, place) = allowed(method, &permit);
        self.trail.allowed(&rule, &place)?;
        Ok(permit)
    }

    /// Somebody was asked about a request of this permit.
    pub(super) fn answered(
        &self,
        method: &Method,
        permit: &Permit<'_>,
        answer: Approval,
        rule: &str,
    ) -> Result<(), Fault> {
        let (_, place) = allowed(method, permit);
        self.trail.answered(answer, rule, place)
    }

    /// What is refused may hold anything, a secret in any spelling too.
    pub(super) fn refused(&self, method: &Method, uri: &str, fault: &Fault) {
        if let Some(field) = self.host.secrets.find(uri.as_bytes()) {
            let fault = Fault::new(fault.code, format!("its URL holds {field}"));
            return self.trail.refused(&fault, Some(place(method, REDACTED, format!("/{REDACTED}"))));
        }
        let host = Url::parse(uri).as_ref().map(host).unwrap_or_default();
        // As it was written: what parsing makes of it may be harmless.
        self.trail.refused(fault, Some(place(method, &host, path(uri).into())));
    }

    /// A request of this permit was stopped all the same.
    pub(super) fn stopped(&self, method: &Method, permit: &Permit<'_>, fault: &Fault) {
        let (_, place) = allowed(method, permit);
        self.trail.refused(fault, Some(place));
    }

    /// A request of this permit goes out with a body of so many bytes, now.
    pub(super) fn sending(&self, method: &Method, permit: &Permit<'_>, bytes: u64) -> Attempt<'_> {
        let (rule, place) = allowed(method, permit);
        self.trail.attempt(rule, place, bytes)
    }
}

/// A permit as the log tells it: its rule, and where it leads by that rule.
fn allowed(method: &Method, permit: &Permit<'_>) -> (String, Place<'static>) {
    let path = permit.rule.path().to_string();
    (permit.rule.to_string(), place(method, &host(permit.target.url()), path))
}

/// A request of the host's own for a token goes out, now.
pub(crate) fn asking<'a>(trail: &'a Trail, request: &Request<Full<Bytes>>) -> Attempt<'a> {
    let (uri, bytes) = (request.uri().to_string(), request.body().size_hint().lower());
    let host = Url::parse(&uri).as_ref().map(host).unwrap_or_default();
    trail.attempt("the host's request for a token".into(), place(request.method(), &host, path(&uri).into()), bytes)
}

/// Everything between the host and the query.
fn path(uri: &str) -> &str {
    let url = uri.split(['?', '#']).next().unwrap_or_default();
    let start = url.find("://").map_or(0, |at| at + "://".len());
    url[start..].find('/').map_or("", |at| &url[start + at..])
}

/// No real method or host is cut, but what is refused may have any length.
fn place(method: &Method, host: &str, path: String) -> Place<'static> {
    let (method, host) = (clipped(method.as_str(), METHOD), clipped(host, HOST));
    Place { method: method.into_owned().into(), host: host.into_owned().into(), path: path.into() }
}

/// With the port, unless it is the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_cannot_fill_the_log_with_a_method_or_a_host() {
        let method = Method::from_bytes(&[b'X'; 60_000]).expect("any token is a method");
        let place = place(&method, &"h".repeat(60_000), "/".into());
        assert_eq!(place.method, format!("{}…", "X".repeat(METHOD)));
        assert_eq!(place.host, format!("{}…", "h".repeat(HOST)));
    }
}
