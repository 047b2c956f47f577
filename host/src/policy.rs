//! What files say about grants and permissions, and what they say together. Pure.
//!
//! The first file is the operator's own. Every further one, such as a project's, can only narrow: a request must be in
//! all lists, an account too, limits take the least and permissions the strictest. One file can be given for a single
//! run, which then gets what that file lists and nothing else.

use crate::description::{Description, Name, Operation};
use crate::fault::{Code, Fault};
use crate::grant::{Grant, Granted};
use crate::nearest::did_you_mean;
use crate::permission::{Decision, Intent, Permission, Permissions};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What one file says: `[grants.<provider>]` and `[permissions.<provider>]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// What each provider may do.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub grants: BTreeMap<Name, Grant>,
    /// What scripts may ask of each provider.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<Name, Permission>,
}

impl fmt::Display for Policy {
    /// As a file says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&toml::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

/// A policy and the file it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What messages to scripts call the file: `config.toml`, `.kosmo/config.toml`.
    pub label: String,
    /// Where it is.
    pub file: PathBuf,
    /// What it says.
    pub policy: Policy,
}

/// What a file that was given for one run grants a provider it does not name.
static NOTHING: LazyLock<Grant> =
    LazyLock::new(|| Grant { accounts: Some(BTreeSet::new()), requests: Some(Vec::new()), ..Grant::default() });

/// Every file's policy, the operator's own first. There always is one of those, be it empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    layers: Vec<Layer>,
    only: Option<Layer>,
}

impl Default for Policies {
    fn default() -> Self {
        Self::new(Path::new("config.toml"), Policy::default())
    }
}

impl Policies {
    /// The operator's own policy, out of this file.
    pub fn new(file: &Path, policy: Policy) -> Self {
        Self { layers: vec![Layer { label: "config.toml".into(), file: file.into(), policy }], only: None }
    }

    /// Narrowed by a further file.
    #[must_use]
    pub fn narrowed(mut self, label: &str, file: &Path, policy: Policy) -> Self {
        self.layers.push(Layer { label: label.into(), file: file.into(), policy });
        self
    }

    /// Narrowed to what one file lists, for one run: a provider without a grant in it gets nothing. What it permits stands
    /// in place of what the others ask or allow; what they deny, they deny.
    #[must_use]
    pub fn only(self, file: &Path, policy: Policy) -> Self {
        let label = file.display().to_string();
        Self { only: Some(Layer { label, file: file.into(), policy }), ..self }
    }

    /// In order, without what stands for one run.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    pub(crate) fn granted<'a>(&'a self, provider: &'a str) -> Granted<'a> {
        let layers = self.layers.iter().map(|layer| (layer.label.as_str(), layer.policy.grants.get(provider)));
        let only = self.only.iter().map(|layer| {
            let grant = layer.policy.grants.get(provider).unwrap_or(&NOTHING);
            (layer.label.as_str(), Some(grant))
        });
        Granted { provider, layers: layers.chain(only).collect() }
    }

    pub(crate) fn permissions(&self, provider: &str) -> Permissions<'_> {
        let only = self.only.as_ref().map(|layer| layer.permission(provider));
        Permissions::new(self.layers.iter().map(|layer| layer.permission(provider)).collect(), only)
    }

    /// What counts for a provider's functions and accounts of which no file says more.
    pub fn decision(&self, provider: &str, operation: Operation) -> Decision {
        self.permissions(provider).decide(&Intent { provider, account: "", function: "", operation }, false).decision
    }

    /// Whether the operator's own file has a word on this function of this very account.
    pub(crate) fn refines(&self, provider: &str, account: &str, function: &str) -> bool {
        let own = self.layers.first().and_then(|layer| layer.policy.permissions.get(provider));
        let account = own.and_then(|own| own.accounts.get(account));
        account.is_some_and(|account| account.functions.contains_key(function))
    }

    /// The file beside the operator's own that is stricter about a function than this.
    pub(crate) fn narrowed_by(&self, intent: &Intent<'_>, decision: Decision) -> Option<&str> {
        let others = self.layers.iter().skip(1).map(|layer| layer.permission(intent.provider));
        let stricter = |permission: &Permission| permission.word(intent).is_some_and(|word| word > decision);
        { others }.find(|(_, permission)| stricter(permission)).map(|(label, _)| label)
    }

    /// Whether every function named for this provider exists, and every account the operator's own files name.
    ///
    /// # Errors
    /// `unconfigured`, with the nearest name: a mistyped denial would deny nothing.
    pub(crate) fn check_names(&self, description: &Description, accounts: &[String]) -> Result<(), Fault> {
        let functions: Vec<_> = description.functions.iter().map(|function| function.name.as_str()).collect();
        self.permissions(&description.name).check_names(&description.name, &functions)?;
        let mut held = self.layers.first().into_iter().chain(&self.only);
        held.try_for_each(|layer| layer.check_accounts(&description.name, accounts))
    }
}

impl Policies {
    /// Whether every provider they name could be meant: a denial for a mistyped one would deny nothing.
    ///
    /// # Errors
    /// `unconfigured`, if there is none of a name, but one of a similar name.
    pub(crate) fn check_providers(
        &self,
        known: impl Fn(&str) -> bool,
        names: impl Fn() -> Vec<String>,
    ) -> Result<(), Fault> {
        let named = self.layers.iter().chain(&self.only).flat_map(|layer| {
            let grants = layer.policy.grants.keys().map(|name| ("grants", name));
            let permissions = layer.policy.permissions.keys().map(|name| ("permissions", name));
            grants.chain(permissions).map(|(table, name)| (&layer.label, table, name))
        });
        for (file, table, name) in { named }.filter(|(_, _, name)| !known(name.as_ref())) {
            let names = names();
            let suggestion = did_you_mean(name.as_ref(), names.iter().map(String::as_str));
            if !suggestion.is_empty() {
                let message = format!("[{table}.{name}] in {file}: there is no provider `{name}`.{suggestion}");
                return Err(Fault::of_files(Code::Unconfigured, message));
            }
        }
        Ok(())
    }
}

impl Layer {
    fn permission(&self, provider: &str) -> (&str, &Permission) {
        static OPEN: Permission = Permission::OPEN;
        (&self.label, self.policy.permissions.get(provider).unwrap_or(&OPEN))
    }

    /// A project's file is shared by people who have different accounts, so only the operator's own are held to this.
    fn check_accounts(&self, provider: &str, known: &[String]) -> Result<(), Fault> {
        let granted = self.policy.grants.get(provider).and_then(|grant| grant.accounts.as_ref()).into_iter().flatten();
        let refined = self.policy.permissions.get(provider).into_iter().flat_map(|word| word.accounts.keys());
        let named = granted.map(|name| ("grants", name)).chain(refined.map(|name| ("permissions", name)));
        let unknown = |name: &Name| !known.iter().any(|known| known == name.as_ref());
        let Some((table, name)) = { named }.find(|(_, name)| unknown(name)) else { return Ok(()) };
        let suggestion = did_you_mean(name.as_ref(), known.iter().map(String::as_str));
        let cure = match table {
            "permissions" => format!("; kosmo permissions:list {provider} lists what is said of it, to be taken back"),
            _ => format!("; name one there that it has, or see them with `kosmo accounts:list {provider}`"),
        };
        let message =
            format!("[{table}.{provider}] in {}: {provider} has no account `{name}`{cure}.{suggestion}", self.label);
        Err(Fault::of_files(Code::Unconfigured, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[grants.dialpad]\naccounts = [\"work\"]\n\
        [permissions.dialpad]\nwrite = \"deny\"\nfunctions = { send_sms = \"allow\", get_call = \"ask\" }\n";

    fn policies(own: &str, project: &str) -> Policies {
        let policy = |text: &str| toml::from_str(text).expect("a policy");
        let policies = Policies::new(Path::new("config.toml"), policy(own));
        policies
            .narrowed(".kosmo/config.toml", Path::new("/p"), policy(project))
            .only(Path::new("w.toml"), policy(FILE))
    }

    #[track_caller]
    fn check(own: &str, project: &str, function: &str, operation: Operation, expected: (Decision, &str)) {
        let policies = policies(own, project);
        let intent = Intent { provider: "dialpad", account: "work", function, operation };
        let ruling = policies.permissions("dialpad").decide(&intent, false);
        assert_eq!((ruling.decision, ruling.rule.rsplit(' ').next().unwrap_or_default()), expected, "{function}");
    }

    #[test]
    fn what_stands_for_a_run_permits_what_others_ask_about_and_never_what_they_deny() {
        use Decision::{Allow, Ask, Deny};
        use Operation::{Read, Write};
        check("", "", "send_sms", Write, (Allow, "w.toml"));
        check("", "", "send_fax", Write, (Deny, "w.toml"));
        check("[permissions.dialpad]\nwrite = \"allow\"\n", "", "send_fax", Write, (Deny, "w.toml"));
        check("[permissions.dialpad]\nread = \"allow\"\n", "", "get_call", Read, (Ask, "w.toml"));
        check("", "", "list_calls", Read, (Allow, "config.toml"));
        check("[permissions.dialpad]\nread = \"ask\"\n", "", "list_calls", Read, (Ask, "config.toml"));
        check("[permissions.dialpad]\nwrite = \"deny\"\n", "", "send_sms", Write, (Deny, "config.toml"));
        check("", "[permissions.dialpad]\nwrite = \"deny\"\n", "send_sms", Write, (Deny, ".kosmo/config.toml"));
    }

    #[test]
    fn what_stands_for_a_run_grants_nothing_to_whom_it_does_not_name() {
        let policies = policies("[grants.dialpad]\naccounts = [\"work\", \"default\"]\n", "");
        let account = |provider, account| policies.granted(provider).check_account(account).map_err(|f| f.message);
        assert_eq!(account("dialpad", "work"), Ok(()));
        let refusal = account("dialpad", "default").expect_err("not in the file");
        assert!(refusal.contains("the grant in w.toml includes work."), "{refusal}");
        let refusal = account("ringcentral", "default").expect_err("not named");
        assert!(refusal.contains("the grant in w.toml includes none."), "{refusal}");
    }

    #[test]
    fn asking_is_a_yes_where_nothing_is_sent() {
        let policies = Policies::default();
        let intent = Intent { provider: "dialpad", account: "work", function: "send_sms", operation: Operation::Write };
        let ruling = policies.permissions("dialpad").past_ask(true).decide(&intent, false);
        let rule = "`write = \"ask\"` under [permissions.dialpad] in config.toml, rehearsed";
        assert_eq!((ruling.decision, ruling.rule.as_str()), (Decision::Allow, rule));
    }
}
