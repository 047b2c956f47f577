//! A rehearsal: invocations pass every check as always, and what they would send is written down instead.

use crate::description::{Name, Operation};
use crate::fault::{Code, Fault};
use crate::grant::{Grant, GrantRule};
use crate::permission::{Decision, Permission};
use crate::policy::Policy;
use http::Method;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of all requests together that one rehearsal writes down.
const BYTES: usize = 16 << 20;

/// Stands where a request carries the account's credential.
pub(crate) const REDACTED: &str = "[redacted]";

/// What invocations would send, written down. A request that is not sent ends its invocation, whose result then is
/// `{"dry_run": true, "request": {…}}`.
#[derive(Debug, Default)]
pub struct Rehearsal {
    reads: bool,
    past_ask: bool,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    requests: Vec<Rehearsed>,
    bytes: usize,
    needs: BTreeMap<Name, Needs>,
}

/// What a script turned out to need of one provider.
#[derive(Debug, Default)]
struct Needs {
    accounts: BTreeSet<Name>,
    functions: BTreeSet<Name>,
    rules: Vec<GrantRule>,
}

/// A request as it would leave, or left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rehearsed {
    /// `dialpad`
    pub provider: String,
    /// `default`
    pub account: String,
    /// The function that sends it: `send_sms`
    pub function: String,
    /// Of the function: `read` or `write`.
    pub operation: &'static str,
    /// `POST`
    pub method: String,
    /// With its query.
    pub url: String,
    /// By name, in lower case. The credential is `[redacted]`.
    pub headers: BTreeMap<String, String>,
    /// Absent if it is empty. One that is not text is told by its length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether it was sent, because it only reads.
    pub sent: bool,
}

/// What must be granted and permitted so that a request may leave.
pub(crate) struct Least {
    pub(crate) rules: Vec<GrantRule>,
    /// The function's own name, and those of all others whose rules cover the request.
    pub(crate) functions: Vec<String>,
}

impl Rehearsal {
    /// Nothing at all is sent.
    pub fn silent() -> Self {
        Self::default()
    }

    /// What functions that only read send by GET or HEAD is sent, so that a script has something to go on with.
    pub fn reading() -> Self {
        Self { reads: true, ..Self::default() }
    }

    /// With `ask` as a yes for functions that write: nothing of theirs is sent. `deny` stays a refusal.
    #[must_use]
    pub fn past_ask(self) -> Self {
        Self { past_ask: true, ..self }
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<Rehearsed> {
        self.notes().requests.clone()
    }

    /// The smallest policy that lets all of it out, and no other function do anything.
    pub fn policy(&self) -> Policy {
        let notes = self.notes();
        let grants = notes.needs.iter().map(|(provider, needs)| (provider.clone(), needs.grant()));
        let permissions = notes.needs.iter().map(|(provider, needs)| (provider.clone(), needs.permission()));
        Policy { grants: grants.collect(), permissions: permissions.collect() }
    }

    pub(crate) fn sends(&self, operation: Operation, method: &Method) -> bool {
        self.reads && operation == Operation::Read && matches!(*method, Method::GET | Method::HEAD)
    }

    pub(crate) fn is_past_ask(&self, operation: Operation) -> bool {
        self.past_ask && operation == Operation::Write
    }

    /// A function was permitted to run, whatever it will send.
    pub(crate) fn ran(&self, provider: &str, account: &str, function: &str) {
        let mut notes = self.notes();
        let Some(needs) = notes.needs_of(provider) else { return };
        needs.accounts.extend(Name::try_from(account.to_owned()));
        needs.functions.extend(Name::try_from(function.to_owned()));
    }

    /// Writes a request down.
    ///
    /// # Errors
    /// `too_large`, when there is no room for it any more.
    pub(crate) fn note(&self, request: Rehearsed, least: Least) -> Result<(), Fault> {
        let mut notes = self.notes();
        notes.bytes += request.weight();
        if notes.bytes > BYTES {
            let message = format!("This rehearsal has written down {} MiB of requests, the most one may.", BYTES >> 20);
            return Err(Fault::new(Code::TooLarge, message));
        }
        if let Some(needs) = notes.needs_of(&request.provider) {
            needs.functions.extend(least.functions.into_iter().filter_map(|name| Name::try_from(name).ok()));
            least.rules.into_iter().for_each(|rule| needs.add(rule));
        }
        notes.requests.push(request);
        Ok(())
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notes {
    /// Every provider's name is one.
    fn needs_of(&mut self, provider: &str) -> Option<&mut Needs> {
        Some(self.needs.entry(Name::try_from(provider.to_owned()).ok()?).or_default())
    }
}

impl Needs {
    fn add(&mut self, rule: GrantRule) {
        if !self.rules.iter().any(|known| known.covers(&rule)) {
            self.rules.retain(|known| !rule.covers(known));
            self.rules.push(rule);
        }
    }

    fn grant(&self) -> Grant {
        let (accounts, mut requests) = (Some(self.accounts.clone()), self.rules.clone());
        requests.sort_by_key(ToString::to_string);
        Grant { accounts, requests: Some(requests), ..Grant::default() }
    }

    fn permission(&self) -> Permission {
        let functions = self.functions.iter().map(|name| (name.clone(), Decision::Allow));
        let nothing = Some(Decision::Deny);
        Permission { read: nothing, write: nothing, functions: functions.collect(), ..Permission::default() }
    }
}

impl Rehearsed {
    fn weight(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        size_of::<Self>() + headers + self.url.len() + self.body.as_ref().map_or(0, String::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: usize) -> Rehearsed {
        Rehearsed {
            provider: "dialpad".into(),
            account: "work".into(),
            function: "send_sms".into(),
            operation: "write",
            method: "POST".into(),
            url: "https://api.test/sms".into(),
            headers: BTreeMap::new(),
            body: Some("x".repeat(body)),
            sent: false,
        }
    }

    fn least(rules: &[&str], functions: &[&str]) -> Least {
        let rules = rules.iter().map(|rule| rule.parse().expect("a rule")).collect();
        Least { rules, functions: functions.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn the_policy_is_what_ran_and_was_sent_and_nothing_else() {
        let rehearsal = Rehearsal::reading();
        rehearsal.ran("dialpad", "work", "send_sms");
        rehearsal.note(request(1), least(&["POST /sms"], &["send_sms"])).expect("room");
        rehearsal.note(request(1), least(&["GET /calls/1", "GET /calls/{}"], &["api_get", "get_call"])).expect("room");
        rehearsal.note(request(1), least(&["GET /calls/2"], &["get_call"])).expect("room");
        let expected = "\
            [grants.dialpad]\naccounts = [\"work\"]\nrequests = [\"GET /calls/{}\", \"POST /sms\"]\n\
            [permissions.dialpad]\nread = \"deny\"\nwrite = \"deny\"\n\
            [permissions.dialpad.functions]\napi_get = \"allow\"\nget_call = \"allow\"\nsend_sms = \"allow\"\n";
        let policy = rehearsal.policy();
        assert_eq!(policy, toml::from_str(expected).expect("a policy"));
        let written = policy.to_string();
        assert_eq!(toml::from_str::<Policy>(&written).expect(&written), policy);
    }

    #[test]
    fn only_what_reads_by_a_method_that_does_is_sent() {
        let check = |rehearsal: Rehearsal, operation, method, expected| {
            assert_eq!(rehearsal.sends(operation, &method), expected, "{operation:?} {method}");
        };
        check(Rehearsal::reading(), Operation::Read, Method::GET, true);
        check(Rehearsal::reading(), Operation::Read, Method::HEAD, true);
        check(Rehearsal::reading(), Operation::Read, Method::POST, false);
        check(Rehearsal::reading(), Operation::Write, Method::GET, false);
        check(Rehearsal::silent(), Operation::Read, Method::GET, false);
    }

    #[test]
    fn asking_is_a_yes_only_for_what_is_not_sent() {
        let rehearsal = Rehearsal::reading().past_ask();
        assert!(rehearsal.is_past_ask(Operation::Write) && !rehearsal.is_past_ask(Operation::Read));
        assert!(!Rehearsal::reading().is_past_ask(Operation::Write));
    }

    #[test]
    fn what_is_written_down_has_a_bound() {
        let rehearsal = Rehearsal::silent();
        rehearsal.note(request(BYTES / 2), least(&[], &[])).expect("room");
        let fault = rehearsal.note(request(BYTES / 2), least(&[], &[])).expect_err("no room");
        assert_eq!((fault.code, rehearsal.requests().len()), (Code::TooLarge, 1));
    }
}
