//! What a rehearsal makes of a request that passed every check: a note, and where it is not sent, the end of its
//! invocation.

use super::Gate;
use super::check::Permit;
use super::headers::harmless;
use crate::account::{Credential, Scheme};
use crate::fault::{Code, Fault};
use crate::rehearsal::{REDACTED, Rehearsed};
use http::header::AUTHORIZATION;
use http::request::Parts;
use serde_json::json;
use std::collections::BTreeMap;

impl Gate {
    /// Notes a request, if this is a rehearsal.
    ///
    /// # Errors
    /// That it is not sent, which no plugin gets to tell; `too_large`, if it cannot be noted.
    pub(super) fn rehearse(&self, parts: &Parts, permit: &Permit<'_>, body: &[u8]) -> Result<(), Fault> {
        let Some(rehearsal) = &self.rehearsal else { return Ok(()) };
        let sent = rehearsal.sends(self.operation, &parts.method);
        let request = self.rehearsed(parts, permit, body, sent);
        let result = json!({"dry_run": true, "request": request}).to_string();
        rehearsal.note(request, self.checker().least(&parts.method, permit, !sent))?;
        if sent {
            return Ok(());
        }
        self.trail.rehearsed();
        // Of requests at once, the first ends the invocation.
        let _ = self.held_back.set(result);
        Err(over())
    }

    /// Whether the rehearsal has ended here already.
    pub(super) fn check_over(&self) -> Result<(), Fault> {
        if self.held_back.get().is_some() { Err(over()) } else { Ok(()) }
    }

    /// As [`Gate::dispatch`] would send it. What authenticates it is not even asked for.
    fn rehearsed(&self, parts: &Parts, permit: &Permit<'_>, body: &[u8], sent: bool) -> Rehearsed {
        let mut url = permit.target.url().to_string();
        let mut headers = BTreeMap::new();
        for (name, value) in &harmless(&parts.headers) {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let joined = |known: &mut String| *known = format!("{known}, {value}");
            headers.entry(name.to_string()).and_modify(joined).or_insert_with(|| value.clone());
        }
        match self.shown(permit) {
            Some(Shown::Header(name)) => drop(headers.insert(name, REDACTED.into())),
            Some(Shown::Query(name)) => {
                let mark = if url.contains('?') { '&' } else { '?' };
                url = format!("{url}{mark}{name}={REDACTED}");
            }
            None => {}
        }
        Rehearsed {
            provider: self.description.name.clone(),
            account: self.account().name().into(),
            function: self.function.clone(),
            operation: self.operation.as_str(),
            method: parts.method.to_string(),
            url,
            headers,
            body: shown(body),
            sent,
        }
    }

    /// Where the credential would be.
    fn shown(&self, permit: &Permit<'_>) -> Option<Shown> {
        match self.account().scheme() {
            _ if !permit.authenticated => None,
            Scheme::Open => None,
            Scheme::OAuth(_) => Some(Shown::Header(AUTHORIZATION.to_string())),
            Scheme::Fixed(credential) => Some(match &**credential {
                Credential::Header(name, _) => Shown::Header(name.to_string()),
                Credential::Query(name, _) => Shown::Query(name.clone()),
            }),
        }
    }
}

/// The name of what holds the credential.
enum Shown {
    Header(String),
    Query(String),
}

fn shown(body: &[u8]) -> Option<String> {
    let text = || std::str::from_utf8(body).map_or_else(|_| format!("[{} bytes]", body.len()), Into::into);
    (!body.is_empty()).then(text)
}

fn over() -> Fault {
    Fault::new(Code::Unsupported, "This is a rehearsal: nothing further is sent.")
}
