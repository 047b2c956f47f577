//! Traces in OpenTelemetry's terms: a span for each call of a tool, each run, each invocation and each request of it.
//! They hold names, codes and times; never an argument, a query, a body or a secret.

mod context;
mod otlp;

pub(super) use context::Context;
use otlp::Exporter;

use crate::observer::{Observed, Observer, Request};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Where spans go, if they go anywhere.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<Arc<Exporter>>);

/// The environment asks for traces and does not say rightly where to.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct TraceError {
    variable: &'static str,
    problem: String,
}

/// What OpenTelemetry calls the two kinds of spans that are no inner ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// A span that ended.
#[derive(Clone, Debug)]
struct Ended {
    context: Context,
    parent: Option<[u8; 8]>,
    name: String,
    kind: Kind,
    begun: SystemTime,
    ended: SystemTime,
    attributes: Vec<(&'static str, Value)>,
    /// Why it failed, as a code.
    failure: Option<String>,
}

/// A span that goes on.
#[derive(Debug)]
pub(super) struct Span {
    tracer: Tracer,
    span: Option<Ended>,
}

impl Tracer {
    /// To `OTEL_EXPORTER_OTLP_ENDPOINT`, or `…_TRACES_ENDPOINT`, if the environment names one. For use inside a runtime.
    ///
    /// # Errors
    /// If that cannot be an endpoint.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self, TraceError> {
        Exporter::from_env(variable).map(|exporter| Self(exporter.map(Arc::new)))
    }

    /// Waits until what is known by now was sent, for a short while.
    pub(super) async fn flush(&self) {
        if let Some(exporter) = &self.0 {
            exporter.flush().await;
        }
    }

    /// A call that came from outside, perhaps as part of a trace that began there.
    pub(super) fn serve(&self, name: &str, parent: Option<Context>) -> Span {
        self.begin(name.into(), Kind::Server, parent)
    }

    fn begin(&self, name: String, kind: Kind, parent: Option<Context>) -> Span {
        let now = SystemTime::now();
        let new = || Ended {
            context: Context::child_of(parent),
            parent: parent.map(|parent| parent.span),
            name,
            kind,
            begun: now,
            ended: now,
            attributes: Vec::new(),
            failure: None,
        };
        Span { tracer: self.clone(), span: self.0.is_some().then(new) }
    }

    fn send(&self, span: Ended) {
        if let Some(exporter) = &self.0 {
            exporter.take(span);
        }
    }
}

impl Span {
    /// One within this.
    pub(super) fn within(&self, name: &str) -> Self {
        self.tracer.begin(name.into(), Kind::Internal, self.context())
    }

    /// Says something of it.
    pub(super) fn note(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.span {
            span.attributes.push((name, value.into()));
        }
    }

    /// It ends here, well or not.
    pub(super) fn end(mut self, failure: Option<String>) {
        if let Some(span) = &mut self.span {
            span.failure = failure;
        }
    }

    /// Whoever is told of the invocations in it.
    pub(super) fn watch(&self) -> Watcher {
        Watcher { tracer: self.tracer.clone(), parent: self.context(), open: Mutex::default() }
    }

    fn context(&self) -> Option<Context> {
        self.span.as_ref().map(|span| span.context)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(span) = self.span.take() {
            self.tracer.send(Ended { ended: SystemTime::now(), ..span });
        }
    }
}

/// Makes spans of invocations and their requests.
#[derive(Debug)]
pub(super) struct Watcher {
    tracer: Tracer,
    parent: Option<Context>,
    open: Mutex<HashMap<u64, Context>>,
}

impl Watcher {
    /// The span of an invocation, known before it is over: its requests end first.
    fn span_of(&self, number: u64) -> Context {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open.entry(number).or_insert_with(|| Context::child_of(self.parent))
    }

    fn send(&self, name: String, kind: Kind, context: Context, parent: Option<Context>, took: Duration, told: Told) {
        let ended = SystemTime::now();
        let begun = ended.checked_sub(took).unwrap_or(ended);
        let parent = parent.map(|parent| parent.span);
        let Told { attributes, failure } = told;
        self.tracer.send(Ended { context, parent, name, kind, begun, ended, attributes, failure });
    }
}

struct Told {
    attributes: Vec<(&'static str, Value)>,
    failure: Option<String>,
}

impl Observer for Watcher {
    fn requested(&self, of: &Observed<'_>, request: &Request<'_>) {
        if self.parent.is_none() {
            return;
        }
        let parent = self.span_of(of.number);
        let attributes = vec![
            ("http.request.method", json!(request.method)),
            ("server.address", json!(request.host)),
            ("url.template", json!(request.path)),
            ("http.request.resend_count", json!(request.attempt.saturating_sub(1))),
            ("http.response.status_code", json!(request.status)),
        ];
        let failure = match request.status {
            Some(status) if status < 400 => None,
            Some(status) => Some(status.to_string()),
            None => Some("no answer".into()),
        };
        let (name, context) = (format!("{} {}", request.method, request.path), Context::child_of(Some(parent)));
        self.send(name, Kind::Client, context, Some(parent), request.took, Told { attributes, failure });
    }

    fn ended(&self, of: &Observed<'_>, outcome: &str, took: Duration) {
        if self.parent.is_none() {
            return;
        }
        let context = self.span_of(of.number);
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&of.number);
        let attributes = vec![
            ("kosmo.provider", json!(of.provider)),
            ("kosmo.function", json!(of.function)),
            ("kosmo.account", json!(of.account)),
            ("kosmo.run", json!(of.run)),
            ("kosmo.outcome", json!(outcome)),
        ];
        let failure = (outcome != "ok").then(|| outcome.to_owned());
        let name = format!("{}.{}", of.provider, of.function);
        self.send(name, Kind::Internal, context, self.parent, took, Told { attributes, failure });
    }
}
