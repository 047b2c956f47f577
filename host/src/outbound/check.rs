//! Whether a request may leave: the function's ceiling, the account's origins, and every stricter word that covers it.

use super::Gate;
use crate::fault::{Code, Fault};
use crate::rule::Rule;
use crate::target::Target;
use http::Method;

/// Leave to send to this URL, in exactly this form.
pub(super) struct Permit {
    pub(super) target: Target,
    /// Whether the URL is on the account's own origin, the credential's only audience.
    pub(super) authenticated: bool,
}

impl Gate {
    /// Whether this function may send this, on what URL exactly, and with whose authority.
    pub(super) fn check(&self, method: &Method, uri: &str) -> Result<Permit, Fault> {
        let plain = Target::parse(uri);
        for rule in self.description.rules(&self.function) {
            let (bases, signed) = self.account().origin(rule.origin());
            let target = if signed { Target::signed(uri).ok() } else { plain.as_ref().ok().cloned() };
            let Some(target) = target.filter(|target| rule.allows(method, target, bases)) else { continue };
            let authenticated = rule.origin() == "base";
            if authenticated && rule.is_generic() {
                self.check_stricter(method, &target)?;
            }
            return Ok(Permit { target, authenticated });
        }
        Err(self.denied(method, uri, plain.err().map(|error| error.to_string())))
    }

    /// What a generic rule lets out needs the permission of every function whose rule covers it too: `api_delete` cannot
    /// do what a denied `delete_message` could not.
    fn check_stricter(&self, method: &Method, target: &Target) -> Result<(), Fault> {
        for (function, rules) in self.description.ceilings() {
            let covers = |rule: &Rule| {
                rule.origin() == "base" && rule.allows(method, target, std::slice::from_ref(self.account().base()))
            };
            if function.name != self.function && rules.iter().any(covers) {
                self.permission.check(&self.description.name, function.operation, self.force)?;
            }
        }
        Ok(())
    }

    fn denied(&self, method: &Method, uri: &str, flaw: Option<String>) -> Fault {
        let (name, function) = (&self.description.name, &self.function);
        let url = uri.split(['?', '#']).next().unwrap_or_default();
        let why = flaw.unwrap_or_else(|| format!("it may send only {}", self.ceiling()));
        Fault::new(
            Code::Denied,
            format!(
                "{name}.{function} may not send {method} {url}: {why}. Where requests go is the account's `url`, and \
                 what a function may send is declared by the plugin; only the operator can change either."
            ),
        )
    }

    fn ceiling(&self) -> String {
        let show = |rule: &Rule| {
            let (bases, _) = self.account().origin(rule.origin());
            let origins: Vec<_> = bases.iter().map(|base| base.as_str()).collect();
            format!("{rule} to {}", origins.join(" or "))
        };
        match self.description.rules(&self.function) {
            [] => "nothing".into(),
            rules => rules.iter().map(show).collect::<Vec<_>>().join(", "),
        }
    }
}
