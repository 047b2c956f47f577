//! What the gate tells the audit log: each decision before anything is sent, and each request that goes out.

use super::Gate;
use super::check::Permit;
use crate::audit::{Attempt, Place};
use crate::fault::Fault;
use http::Method;
use url::Url;

impl Gate {
    /// As [`Gate::check`], on record. For a write, a decision that cannot be recorded is a refusal.
    pub(super) fn decide(&self, method: &Method, uri: &str) -> Result<Permit<'_>, Fault> {
        match self.check(method, uri) {
            Ok(permit) => {
                let (rule, place) = allowed(method, &permit);
                self.trail.allowed(&rule, &place)?;
                Ok(permit)
            }
            Err(fault) => {
                // What is refused may hold anything.
                let (fault, uri) = (self.host.secrets.scrubbed_fault(fault), self.host.secrets.scrubbed(uri.into()));
                self.trail.refused(&fault, Some(refused_place(method, &uri)));
                Err(fault)
            }
        }
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
    (permit.rule.to_string(), place(method, host(permit.target.url()), path))
}

fn refused_place(method: &Method, uri: &str) -> Place<'static> {
    let host = Url::parse(uri).as_ref().map(host).unwrap_or_default();
    // As it was written: what parsing makes of it may be harmless.
    let path = uri.split(['?', '#']).next().and_then(|url| url.split_once("://")?.1.split_once('/'));
    place(method, host, path.map(|(_, path)| format!("/{path}")).unwrap_or_default())
}

fn place(method: &Method, host: String, path: String) -> Place<'static> {
    Place { method: method.to_string().into(), host: host.into(), path: path.into() }
}

/// With the port, unless it is the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
