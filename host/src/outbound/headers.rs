//! What a guest may say in a request's head, and what of an answer's head it gets to see.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS;

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

/// Whether a guest may not set it.
pub(super) fn is_forbidden(name: &HeaderName) -> bool {
    HOST_HEADERS.contains(name)
        || DEFAULT_FORBIDDEN_HEADERS.contains(name)
        || name.as_str().starts_with("x-forwarded-")
        || name.as_str().starts_with("proxy-")
        || DISGUISES.contains(&name.as_str())
}

/// The guest's headers without those that are the host's to set.
pub(super) fn harmless(headers: &HeaderMap) -> HeaderMap {
    let mut kept: HeaderMap =
        headers.iter().filter(|(name, _)| !is_forbidden(name)).map(|(n, v)| (n.clone(), v.clone())).collect();
    // The body is whole by now, and its length is what was counted, not what was claimed.
    kept.remove(header::CONTENT_LENGTH);
    // A compressed answer could not be searched for secrets.
    kept.remove(header::ACCEPT_ENCODING);
    // Nor could one that comes in parts: a secret at a seam would be in neither.
    kept.remove(header::RANGE);
    kept.remove(header::IF_RANGE);
    kept.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &'static str, kept: bool) {
        let guests = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static("bytes=0-9"))]);
        assert_eq!(harmless(&guests).get(name) == guests.get(name), kept, "{name}");
    }

    #[test]
    fn a_guest_cannot_ask_for_an_answer_that_hides_a_secret() {
        check("accept", true);
        check("x-note", true);
        check("accept-encoding", false);
        check("range", false);
        check("if-range", false);
    }

    #[test]
    fn a_guest_says_neither_who_it_is_nor_how_long_its_body_is() {
        check("authorization", false);
        check("x-http-method-override", false);
        check("content-length", false);
    }
}
