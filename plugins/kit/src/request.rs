//! A request as a plugin writes it. The host normalises, checks, authenticates and sends it.

use crate::{Answer, Fault, percent};
use serde_json::Value;
use waki::Method;
// waki's own builder would bring `http`, `anyhow` and backtraces along: 119 KB of every plugin.
use waki::bindings::wasi::http::outgoing_handler::handle;
use waki::bindings::wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest, Scheme,
};
use waki::bindings::wasi::io::streams::StreamError;

const JSON: &str = "application/json";

/// An HTTP request in the making.
#[derive(Debug)]
pub struct Request {
    method: &'static str,
    url: String,
    body: Option<String>,
}

impl Request {
    /// Any method.
    pub fn new(method: &'static str, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), body: None }
    }

    /// GET
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// POST
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// PUT
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url)
    }

    /// PATCH
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new("PATCH", url)
    }

    /// DELETE
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url)
    }

    /// Adds a query parameter, or nothing for `None`. The same name again repeats it.
    pub fn query(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.pair(name, &value.to_string()),
            None => self,
        }
    }

    fn pair(mut self, name: &str, value: &str) -> Self {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        self.url.push_str(&percent::encode(name));
        self.url.push('=');
        self.url.push_str(&percent::encode(value));
        self
    }

    /// Sets a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self { body: Some(body.to_string()), ..self }
    }

    /// The URL as it stands, for tests.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The method's name, for tests.
    pub fn method(&self) -> &str {
        self.method
    }

    /// The JSON body, for tests.
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// Sends it and waits for the whole answer, whatever its status.
    pub fn send(self) -> Result<Answer, Fault> {
        let request = self.outgoing().ok_or_else(|| unreachable("no HTTP request can be made of this URL"))?;
        // Taken before the request is sent; without one, nothing is ever streamed.
        let sink = self.body.as_ref().and_then(|_| request.body().ok());
        let response = handle(request, None).map_err(|_| unreachable("the request was not sent"))?;
        if let (Some(sink), Some(body)) = (sink, &self.body) {
            write(sink, body).ok_or_else(|| unreachable("the body was not taken"))?;
        }
        let response = wait(&response).ok_or_else(|| unreachable("no answer arrived"))?;
        read(&response).ok_or_else(|| unreachable("the answer broke off"))
    }

    fn outgoing(&self) -> Option<OutgoingRequest> {
        let (scheme, rest) = self.url.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let request = OutgoingRequest::new(self.headers()?);
        request.set_method(&parse(self.method)).ok()?;
        request.set_scheme(Some(&if scheme == "http" { Scheme::Http } else { Scheme::Https })).ok()?;
        request.set_authority(Some(authority)).ok()?;
        request.set_path_with_query(Some(path)).ok()?;
        Some(request)
    }

    fn headers(&self) -> Option<Fields> {
        let headers = Fields::new();
        headers.append(&"accept".into(), &JSON.into()).ok()?;
        if self.body.is_some() {
            headers.append(&"content-type".into(), &JSON.into()).ok()?;
        }
        Some(headers)
    }
}

/// Writes the body in pieces, of which the contract takes no larger ones at once.
fn write(sink: OutgoingBody, body: &str) -> Option<()> {
    const PIECE: usize = 4096;
    let stream = sink.write().ok()?;
    body.as_bytes().chunks(PIECE).try_for_each(|piece| stream.blocking_write_and_flush(piece)).ok()?;
    drop(stream);
    OutgoingBody::finish(sink, None).ok()
}

fn wait(response: &FutureIncomingResponse) -> Option<IncomingResponse> {
    response.subscribe().block();
    response.get()?.ok()?.ok()
}

fn read(response: &IncomingResponse) -> Option<Answer> {
    let retry_after = response.headers().get(&"retry-after".into()).into_iter().next();
    let retry_after = retry_after.and_then(|value| String::from_utf8(value).ok()?.trim().parse().ok());
    let body = read_body(&response.consume().ok()?)?;
    Some(Answer::new(response.status(), retry_after, String::from_utf8_lossy(&body).into_owned()))
}

fn read_body(body: &IncomingBody) -> Option<Vec<u8>> {
    const PIECE: u64 = 64 * 1024;
    let (stream, mut bytes) = (body.stream().ok()?, Vec::new());
    loop {
        match stream.blocking_read(PIECE) {
            Ok(piece) => bytes.extend(piece),
            Err(StreamError::Closed) => return Some(bytes),
            Err(StreamError::LastOperationFailed(_)) => return None,
        }
    }
}

fn parse(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        "HEAD" => Method::Head,
        "OPTIONS" => Method::Options,
        other => Method::Other(other.into()),
    }
}

/// The host knows the cause and reports it instead.
fn unreachable(what: &str) -> Fault {
    Fault::Unreachable(what.into())
}
