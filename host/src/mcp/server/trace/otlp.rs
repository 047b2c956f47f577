//! Spans on their way out: gathered, written as OTLP in JSON, and posted to a collector. What cannot be sent in time is
//! dropped; tracing never holds up what it watches.

use super::{Ended, TraceError};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
/// Spans that wait to be sent.
const WAITING: usize = 4096;
/// Spans of one message.
const TOGETHER: usize = 512;
/// How long spans are gathered.
const GATHERING: Duration = Duration::from_secs(2);
/// How long a collector has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where spans are left.
#[derive(Debug)]
pub(super) struct Exporter(mpsc::Sender<Post>);

enum Post {
    Span(Box<Ended>),
    Flush(oneshot::Sender<()>),
}

/// A collector.
struct Collector {
    client: Client<HttpConnector, Full<Bytes>>,
    endpoint: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    service: String,
}

impl Exporter {
    pub(super) fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, TraceError> {
        let said = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let (name, url) = match (said(TRACES), said(ALL)) {
            (Some(url), _) => (TRACES, url),
            (None, Some(url)) => (ALL, format!("{}/v1/traces", url.trim_end_matches('/'))),
            (None, None) => return Ok(None),
        };
        let collector = Collector {
            client: Client::builder(TokioExecutor::new()).build_http(),
            endpoint: endpoint(name, &url)?,
            headers: headers(&said(HEADERS).unwrap_or_default())?,
            service: said("OTEL_SERVICE_NAME").unwrap_or_else(|| "kosmo".into()),
        };
        let (sender, posts) = mpsc::channel(WAITING);
        tokio::spawn(collector.work(posts));
        Ok(Some(Self(sender)))
    }

    pub(super) fn take(&self, span: Ended) {
        let _ = self.0.try_send(Post::Span(Box::new(span)));
    }

    pub(super) async fn flush(&self) {
        let (done, told) = oneshot::channel();
        if self.0.send(Post::Flush(done)).await.is_ok() {
            let _ = timeout(PATIENCE, told).await;
        }
    }
}

impl Collector {
    async fn work(self, mut posts: mpsc::Receiver<Post>) {
        let mut gathered = Vec::new();
        loop {
            let post = timeout(GATHERING, posts.recv()).await;
            match post {
                Ok(Some(Post::Span(span))) => gathered.push(*span),
                Ok(Some(Post::Flush(done))) => {
                    self.send(&mut gathered).await;
                    // Whoever asked may be gone.
                    let _ = done.send(());
                }
                Ok(None) => return,
                Err(_) => self.send(&mut gathered).await,
            }
            if gathered.len() >= TOGETHER {
                self.send(&mut gathered).await;
            }
        }
    }

    async fn send(&self, gathered: &mut Vec<Ended>) {
        if gathered.is_empty() {
            return;
        }
        let body = Full::from(message(&self.service, gathered).to_string());
        gathered.clear();
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().extend(self.headers.iter().cloned());
        // A collector that is not there misses these.
        let _ = timeout(PATIENCE, self.client.request(request)).await;
    }
}

fn endpoint(variable: &'static str, url: &str) -> Result<Uri, TraceError> {
    let refused = |problem: &str| TraceError { variable, problem: problem.into() };
    let uri: Uri = url.parse().map_err(|_| refused("it is not a URL, such as http://127.0.0.1:4318"))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(_)) => Ok(uri),
        (Some("https"), _) => {
            Err(refused("traces are sent by http:// only: name a collector on this machine, which can encrypt them"))
        }
        _ => Err(refused("it is not a URL, such as http://127.0.0.1:4318")),
    }
}

/// `name=value` pairs, separated by commas. They may be secrets, so none is repeated.
fn headers(text: &str) -> Result<Vec<(HeaderName, HeaderValue)>, TraceError> {
    let refused = || TraceError { variable: HEADERS, problem: "it is no list such as name=value,name=value".into() };
    let header = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let mut value = HeaderValue::from_str(value.trim()).ok()?;
        value.set_sensitive(true);
        Some((name.trim().parse().ok()?, value))
    };
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    pairs.map(|pair| header(pair).ok_or_else(refused)).collect()
}

fn message(service: &str, spans: &[Ended]) -> Value {
    let resource = json!([
        attribute("service.name", &json!(service)),
        attribute("service.version", &json!(env!("CARGO_PKG_VERSION")))
    ]);
    let spans: Vec<_> = spans.iter().map(span).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{"scope": {"name": "kosmo"}, "spans": spans}],
    }]})
}

fn span(span: &Ended) -> Value {
    let attributes: Vec<_> =
        span.attributes.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| attribute(k, v)).collect();
    let mut written = json!({
        "traceId": span.context.trace_id(),
        "spanId": span.context.span_id(),
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": nanoseconds(span.begun),
        "endTimeUnixNano": nanoseconds(span.ended),
        "attributes": attributes,
        "status": match &span.failure {
            Some(failure) => json!({"code": 2, "message": failure}),
            None => json!({}),
        },
    });
    if let Some(parent) = &span.parent {
        written["parentSpanId"] = crate::provider::hex(parent).into();
    }
    written
}

fn attribute(name: &str, value: &Value) -> Value {
    let value = match value {
        Value::Bool(truth) => json!({"boolValue": truth}),
        // As all 64-bit integers of the format.
        Value::Number(number) => json!({"intValue": number.to_string()}),
        other => json!({"stringValue": other.as_str().unwrap_or_default()}),
    };
    json!({"key": name, "value": value})
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<&str>) {
        assert_eq!(endpoint(ALL, url).err().map(|error| error.to_string()).as_deref(), expected, "{url}");
    }

    #[test]
    fn an_endpoint_is_a_collector_nearby() {
        check("http://127.0.0.1:4318/v1/traces", None);
        check("http://collector:4318", None);
        let nearby = "OTEL_EXPORTER_OTLP_ENDPOINT: traces are sent by http:// only: name a collector on this machine, which can encrypt them";
        check("https://example.com", Some(nearby));
        let no_url = "OTEL_EXPORTER_OTLP_ENDPOINT: it is not a URL, such as http://127.0.0.1:4318";
        check("collector", Some(no_url));
        check("", Some(no_url));
    }

    #[test]
    fn headers_are_pairs_and_no_value_is_repeated() {
        assert_eq!(headers("a=1, b = x=y ,").expect("headers").len(), 2);
        let error = headers("a=1,s3cr3t").expect_err("no pair").to_string();
        assert!(!error.contains("s3cr3t"), "{error}");
    }
}
