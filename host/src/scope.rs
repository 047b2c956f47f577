//! What one client of a host that serves several may reach, at most. A scope narrows what the operator's files say and
//! never widens it. Pure.

use crate::clip::{NAME, clipped};
use crate::description::Operation;
use crate::fault::{Code, Fault};
use crate::permission::{Decision, Intent};
use std::collections::BTreeSet;

/// The most that invocations of one client may do. Several hold together: each narrows the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// What refusals call it: `this MCP server`, `` the token `ci` ``.
    pub name: String,
    /// The only providers there are to it; None is all.
    pub integrations: Option<BTreeSet<String>>,
    /// The only accounts, `work` of every provider or `dialpad.work`; None is all.
    pub accounts: Option<BTreeSet<String>>,
    /// The most it may do where a function writes: `ask` asks even where the operator's files allow.
    pub write: Decision,
    /// How whoever set it would let it write, as a sentence.
    pub cure: String,
}

impl Scope {
    /// Whether it is about this provider at all.
    pub fn includes(&self, provider: &str) -> bool {
        self.integrations.as_ref().is_none_or(|names| names.contains(provider))
    }

    /// Whether this account of a provider is in it.
    pub fn includes_account(&self, provider: &str, account: &str) -> bool {
        let named =
            |names: &BTreeSet<String>| names.contains(account) || names.contains(&format!("{provider}.{account}"));
        self.includes(provider) && self.accounts.as_ref().is_none_or(named)
    }

    /// Whether what there is of a provider does not hang on which accounts it has: it is named, or all are meant.
    pub(crate) fn names(&self, provider: &str) -> bool {
        let listed = self.integrations.as_ref().is_some_and(|names| names.contains(provider));
        let one = |name: &String| name.split_once('.').is_some_and(|(of, _)| of == provider);
        listed || self.accounts.as_ref().is_none_or(|names| names.iter().any(one))
    }

    /// Whether it reaches this account of a provider.
    ///
    /// # Errors
    /// `denied`, naming what it reaches instead.
    pub(crate) fn check(&self, provider: &str, account: &str) -> Result<(), Fault> {
        if self.includes_account(provider, account) {
            return Ok(());
        }
        // Whoever asks may have made a name of megabytes.
        let (provider, account) = (clipped(provider, NAME), clipped(account, NAME));
        let listed = |names: &Option<BTreeSet<String>>| names.iter().flatten().cloned().collect::<Vec<_>>().join(", ");
        let (what, known) = if self.includes(&provider) {
            (format!("the account '{account}' of '{provider}'"), listed(&self.accounts))
        } else {
            (format!("the integration '{provider}'"), listed(&self.integrations))
        };
        let message = format!("{} does not reach {what}. It reaches: {known}.", capital(&self.name));
        Err(Fault::new(Code::Denied, message))
    }

    /// What it decides of this, where the files would let more happen.
    pub(crate) fn limit(&self, intent: &Intent<'_>) -> Option<Decision> {
        (intent.operation == Operation::Write && self.write > Decision::Allow).then_some(self.write)
    }

    /// The sentence of a refusal.
    pub(crate) fn refusal(&self, intent: &Intent<'_>) -> String {
        let (name, provider) = (&self.name, intent.provider);
        match self.write {
            Decision::Ask => format!(
                "Integration '{provider}' write requires approval: {name} asks somebody before every write, and nobody \
                 could be asked. {}",
                self.cure
            ),
            Decision::Allow | Decision::Deny => {
                format!("Integration '{provider}' write access denied: {name} does not write. {}", self.cure)
            }
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(integrations: &[&str], accounts: &[&str], write: Decision) -> Scope {
        let names = |names: &[&str]| (!names.is_empty()).then(|| names.iter().map(|&name| name.into()).collect());
        Scope {
            name: "the token `ci`".into(),
            integrations: names(integrations),
            accounts: names(accounts),
            write,
            cure: "Ask its owner.".into(),
        }
    }

    #[track_caller]
    fn check(integrations: &[&str], accounts: &[&str], asked: (&str, &str), refusal: Option<&str>) {
        let found = scope(integrations, accounts, Decision::Allow).check(asked.0, asked.1);
        assert_eq!(found.err().map(|fault| fault.message).as_deref(), refusal, "{asked:?}");
    }

    #[test]
    fn a_client_reaches_what_its_scope_names_and_nothing_else() {
        check(&[], &[], ("dialpad", "default"), None);
        check(&["dialpad"], &[], ("dialpad", "work"), None);
        check(&[], &["work"], ("dialpad", "work"), None);
        check(&[], &["dialpad.work"], ("dialpad", "work"), None);
        check(
            &["dialpad"],
            &[],
            ("ringcentral", "default"),
            Some("The token `ci` does not reach the integration 'ringcentral'. It reaches: dialpad."),
        );
        check(
            &[],
            &["dialpad.work", "support"],
            ("ringcentral", "work"),
            Some(
                "The token `ci` does not reach the account 'work' of 'ringcentral'. It reaches: dialpad.work, support.",
            ),
        );
    }

    #[test]
    fn only_writes_are_limited() {
        let intent = |operation| Intent { provider: "dialpad", account: "default", function: "f", operation };
        let limit = |write, operation| scope(&[], &[], write).limit(&intent(operation));
        assert_eq!(limit(Decision::Deny, Operation::Read), None);
        assert_eq!(limit(Decision::Allow, Operation::Write), None);
        assert_eq!(limit(Decision::Ask, Operation::Write), Some(Decision::Ask));
        assert_eq!(limit(Decision::Deny, Operation::Write), Some(Decision::Deny));
    }
}
