//! Whether a script may do what it asks for: `allow`, `ask` or `deny`, per provider and operation. Pure.

use crate::description::Operation;
use crate::fault::{Code, Fault};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the operator decided about one operation of one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Goes ahead.
    Allow,
    /// Somebody must say yes; a refusal where nobody can be asked.
    Ask,
    /// Refused.
    Deny,
}

/// The decisions about one provider. Giving an account is the consent to read; writing needs a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Permission {
    /// About functions that change nothing.
    pub read: Decision,
    /// About functions that do.
    pub write: Decision,
}

impl Default for Permission {
    fn default() -> Self {
        Self { read: Decision::Allow, write: Decision::Ask }
    }
}

/// The operator's decisions, by provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Permissions {
    providers: BTreeMap<String, Permission>,
}

impl Permissions {
    /// These decisions; a provider not named has the defaults.
    pub fn new(providers: BTreeMap<String, Permission>) -> Self {
        Self { providers }
    }

    /// The decisions about one provider.
    pub fn of(&self, provider: &str) -> Permission {
        self.providers.get(provider).copied().unwrap_or_default()
    }
}

impl Permission {
    /// Whether an operation may go ahead. `force` overrides `ask` and `deny`, and nothing else anywhere.
    ///
    /// # Errors
    /// `approval_required` or `denied`, naming the cure.
    pub fn check(&self, provider: &str, operation: Operation, force: bool) -> Result<(), Fault> {
        let (decision, word) = match operation {
            Operation::Read => (self.read, "read"),
            Operation::Write => (self.write, "write"),
        };
        let cure = format!("`{word} = \"allow\"` under [permissions.{provider}] in config.toml");
        match decision {
            _ if force => Ok(()),
            Decision::Allow => Ok(()),
            Decision::Ask => Err(Fault::new(
                Code::ApprovalRequired,
                format!(
                    "Integration '{provider}' {word} requires approval. Ask the user to change the permission in \
                     /settings → Integrations ({cure}), or to run this once with --force."
                ),
            )),
            Decision::Deny => Err(Fault::new(
                Code::Denied,
                format!(
                    "Integration '{provider}' {word} access denied. Enable it in /settings → Integrations ({cure})."
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(permission: Permission, operation: Operation, force: bool, expected: Option<Code>) {
        let outcome = permission.check("dialpad", operation, force);
        assert_eq!(outcome.err().map(|fault| fault.code), expected);
    }

    #[test]
    fn reads_go_ahead_and_writes_wait_for_a_word() {
        let denied = Permission { read: Decision::Deny, write: Decision::Deny };
        let allowed = Permission { write: Decision::Allow, ..Permission::default() };
        check(Permission::default(), Operation::Read, false, None);
        check(Permission::default(), Operation::Write, false, Some(Code::ApprovalRequired));
        check(Permission::default(), Operation::Write, true, None);
        check(allowed, Operation::Write, false, None);
        check(denied, Operation::Read, false, Some(Code::Denied));
        check(denied, Operation::Write, true, None);
    }
}
