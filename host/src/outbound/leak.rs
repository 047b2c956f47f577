//! No secret leaves with a request, except the account's own to its own origin, and none comes back in an answer.

use super::Gate;
use super::answer::Whole;
use super::check::Permit;
use crate::fault::{Code, Fault};
use http::request::Parts;
use http::{HeaderValue, Response, header};

impl Gate {
    /// Whether a request, before its credential is attached, holds something that only the host may send.
    ///
    /// # Errors
    /// `denied`, naming the field and never its value.
    pub(super) fn check_leaks(&self, parts: &Parts, permit: &Permit<'_>, body: &[u8]) -> Result<(), Fault> {
        let url = parts.uri.to_string();
        let headers = parts.headers.values().map(|value| ("a header", value.as_bytes()));
        let places = [("the URL", url.as_bytes()), ("the body", body)].into_iter().chain(headers);
        for (place, text) in places {
            if let Some(field) = self.host.secrets.find(text) {
                let fault = self.leaking(place, &field);
                self.stopped(&parts.method, permit, &fault);
                return Err(fault);
            }
        }
        Ok(())
    }

    /// The answer without any secret: some providers repeat what they were sent. A header that holds one is dropped,
    /// and so is the length that blotting out made wrong.
    pub(super) fn redacted(&self, answer: Response<Whole>) -> Response<Whole> {
        let (mut parts, body) = answer.into_parts();
        let clean = |value: &HeaderValue| self.host.secrets.find(value.as_bytes()).is_none();
        parts.headers = parts.headers.iter().filter(|(_, v)| clean(v)).map(|(n, v)| (n.clone(), v.clone())).collect();
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, body.redacted(|text| self.host.secrets.blotted(text)))
    }

    fn leaking(&self, place: &str, field: &str) -> Fault {
        let message = format!(
            "{}.{} may not send this: {place} holds {field}, which only kosmo itself sends, and only to its own \
             provider. Leave it out; what authenticates a request is attached to it.",
            self.description.name, self.function
        );
        Fault::new(Code::Denied, message)
    }
}
