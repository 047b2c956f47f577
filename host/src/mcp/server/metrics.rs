//! What `/metrics` tells. Labels are names that the operator's plugins declare, never what a client sent.

use super::fair::Fair;
use crate::Host;
use crate::observer::{Observed, Observer, Request};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Mutex;
use std::time::Duration;

/// Seconds: from what the network takes at least to what an invocation may take at most.
const SECONDS: [f64; 10] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0];
/// Stands for what nobody declared.
const UNKNOWN: &str = "unknown";

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Mutex<Registry>,
    invocations: Family<Invoked, Counter>,
    invocation_seconds: Family<Of, Histogram>,
    requests: Family<Asked, Counter>,
    calls: Family<Called, Counter>,
    call_seconds: Family<Tool, Histogram>,
    refusals: Family<Reason, Counter>,
    reloads: Family<Outcome, Counter>,
    sessions: Gauge,
    connections: Gauge,
    now: Now,
}

/// What is looked up when somebody asks.
#[derive(Debug, Default)]
struct Now {
    running: Gauge,
    waiting: Gauge,
    lost_threads: Gauge,
    instances: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Invoked {
    provider: String,
    function: String,
    outcome: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Of {
    provider: String,
    function: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Asked {
    provider: String,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Called {
    tool: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Tool {
    tool: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Why a connection or a request got no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Host,
    Origin,
    Token,
    Rate,
    Busy,
    Size,
    Memory,
    Slow,
    Sessions,
    Connections,
}

impl Refusal {
    fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Token => "token",
            Self::Rate => "rate",
            Self::Busy => "busy",
            Self::Size => "size",
            Self::Memory => "memory",
            Self::Slow => "slow",
            Self::Sessions => "sessions",
            Self::Connections => "connections",
        }
    }
}

impl Metrics {
    pub(super) fn new() -> Self {
        let histogram = || Histogram::new(SECONDS);
        let metrics = Self {
            registry: Mutex::default(),
            invocations: Family::default(),
            invocation_seconds: Family::new_with_constructor(histogram),
            requests: Family::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(histogram),
            refusals: Family::default(),
            reloads: Family::default(),
            sessions: Gauge::default(),
            connections: Gauge::default(),
            now: Now::default(),
        };
        let registry = metrics.registered();
        Self { registry: Mutex::new(registry), ..metrics }
    }

    fn registered(&self) -> Registry {
        let mut all = Registry::with_prefix("kosmo");
        all.register("invocations", "Functions that ended", self.invocations.clone());
        all.register("invocation_seconds", "How long functions took", self.invocation_seconds.clone());
        all.register("requests", "Requests sent to providers", self.requests.clone());
        all.register("tool_calls", "Tools that clients called", self.calls.clone());
        all.register("tool_call_seconds", "How long tools took, waiting included", self.call_seconds.clone());
        all.register("refusals", "Connections and requests that got no further", self.refusals.clone());
        all.register("reloads", "Times that plugins or configuration changed", self.reloads.clone());
        all.register("sessions", "Clients that are connected", self.sessions.clone());
        all.register("connections", "Connections that are open", self.connections.clone());
        all.register("tool_calls_running", "Tools at work", self.now.running.clone());
        all.register("tool_calls_waiting", "Tools that wait for their turn", self.now.waiting.clone());
        all.register("lost_threads", "Scripts that could not be stopped", self.now.lost_threads.clone());
        all.register("pool_instances", "Sandboxes in use", self.now.instances.clone());
        all
    }

    /// In the text format.
    pub(super) fn text(&self, host: &Host, fair: &Fair) -> String {
        self.now.look(host, fair);
        let registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &registry);
        text
    }

    /// The same without what is about providers that this host does not include.
    pub(super) fn text_within(&self, host: &Host, fair: &Fair) -> String {
        let shown = |line: &&str| provider(line).is_none_or(|name| name == UNKNOWN || host.surely_includes(name));
        self.text(host, fair).split_inclusive('\n').filter(shown).collect()
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        self.refusals.get_or_create(&Reason { reason: refusal.as_str() }).inc();
    }

    pub(super) fn called(&self, tool: &'static str, succeeded: bool, took: Duration) {
        let outcome = if succeeded { "ok" } else { "error" };
        self.calls.get_or_create(&Called { tool, outcome }).inc();
        self.call_seconds.get_or_create(&Tool { tool }).observe(took.as_secs_f64());
    }

    pub(super) fn reloaded(&self, succeeded: bool) {
        self.reloads.get_or_create(&Outcome { outcome: if succeeded { "ok" } else { "error" } }).inc();
    }

    pub(super) fn session(&self) -> Counted {
        Counted::new(&self.sessions)
    }

    pub(super) fn connection(&self) -> Counted {
        Counted::new(&self.connections)
    }
}

impl Now {
    fn look(&self, host: &Host, fair: &Fair) {
        let (running, waiting) = fair.counts();
        self.running.set(as_count(running));
        self.waiting.set(as_count(waiting));
        self.lost_threads.set(as_count(host.lost_threads()));
        self.instances.set(host.engine().instances().try_into().unwrap_or(i64::MAX));
    }
}

/// The provider a line is about, if it is about one.
fn provider(line: &str) -> Option<&str> {
    Some(line.split_once("provider=\"")?.1.split_once('"')?.0)
}

fn as_count(count: usize) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

impl Observer for Metrics {
    fn requested(&self, of: &Observed<'_>, request: &Request<'_>) {
        let status = match request.status {
            None => "none",
            Some(200..300) => "2xx",
            Some(300..400) => "3xx",
            Some(400..500) => "4xx",
            Some(500..600) => "5xx",
            Some(_) => "other",
        };
        self.requests.get_or_create(&Asked { provider: of.provider.into(), status }).inc();
    }

    fn ended(&self, of: &Observed<'_>, outcome: &str, took: Duration) {
        // Names that no plugin declares are whatever a script made up.
        let (provider, function) = if of.operation.is_some() { (of.provider, of.function) } else { (UNKNOWN, UNKNOWN) };
        let (provider, function, outcome) = (provider.to_owned(), function.to_owned(), outcome.to_owned());
        self.invocation_seconds
            .get_or_create(&Of { provider: provider.clone(), function: function.clone() })
            .observe(took.as_secs_f64());
        self.invocations.get_or_create(&Invoked { provider, function, outcome }).inc();
    }
}

/// Counts one more for as long as it lives.
#[derive(Debug)]
pub(super) struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Operation;

    #[test]
    fn whoever_is_limited_to_some_providers_sees_no_others() {
        let metrics = Metrics::new();
        for provider in ["dialpad", "ringcentral"] {
            let operation = Some(Operation::Read);
            let of = Observed { run: "r", number: 1, provider, account: "default", function: "f", operation };
            metrics.ended(&of, "ok", Duration::from_millis(20));
        }
        let scope = |integrations: Option<&str>, accounts: Option<&str>| crate::Scope {
            name: "x".into(),
            integrations: integrations.map(|name| [name.to_owned()].into()),
            accounts: accounts.map(|name| [name.to_owned()].into()),
            write: crate::Decision::Deny,
            cure: String::new(),
        };
        let host = Host::builder().build().expect("a host");
        let text = |scope| metrics.text_within(&host.within(&[scope].into()), &Fair::new(Default::default()));
        for scope in [scope(Some("dialpad"), None), scope(None, Some("dialpad.work"))] {
            let text = text(scope);
            assert!(text.contains("dialpad") && !text.contains("ringcentral") && text.ends_with("# EOF\n"), "{text}");
        }
        assert!(text(scope(None, None)).contains("ringcentral"));
    }

    #[test]
    fn what_a_script_made_up_is_no_label() {
        let metrics = Metrics::new();
        let of = |function, operation| Observed {
            run: "r",
            number: 1,
            provider: "dialpad",
            account: "default",
            function,
            operation,
        };
        metrics.ended(&of("list_calls", Some(Operation::Read)), "ok", Duration::from_millis(20));
        metrics.ended(&of("drop \"tables\"", None), "unknown", Duration::ZERO);
        let text = metrics.text(&Host::builder().build().expect("a host"), &Fair::new(Default::default()));
        assert!(
            text.contains(r#"kosmo_invocations_total{provider="dialpad",function="list_calls",outcome="ok"} 1"#),
            "{text}"
        );
        assert!(text.contains(r#"kosmo_invocations_total{provider="unknown",function="unknown",outcome="unknown"} 1"#));
        assert!(!text.contains("tables"));
    }
}
