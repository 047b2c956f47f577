//! A request, read whole and taken apart once.

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;

const LONGEST_BODY: usize = 16 << 20;

/// A request as the providers' handlers see it.
pub(crate) struct Request {
    pub(crate) method: String,
    /// As it was sent, still encoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) raw_query: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    /// Reads the body to its end. `None` if the client went away or sent more than 16 MiB.
    pub(crate) async fn read(incoming: hyper::Request<Incoming>) -> Option<Request> {
        let (parts, body) = incoming.into_parts();
        let body = Limited::new(body, LONGEST_BODY).collect().await.ok()?.to_bytes();
        let raw_query = parts.uri.query().map(str::to_owned);
        Some(Request {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: decoded(raw_query.as_deref().unwrap_or_default()),
            raw_query,
            headers: parts.headers.iter().map(|(name, value)| (name.to_string(), lossy(value.as_bytes()))).collect(),
            body: lossy(&body),
        })
    }

    /// The path's segments, each decoded after the split: `%2F` never makes a new one.
    pub(crate) fn segments(&self) -> Vec<String> {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The token of an `Authorization: Bearer` header.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }
}

fn decoded(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
