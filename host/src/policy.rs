//! What files say about grants and permissions, and what they say together. Pure.
//!
//! The first file is the operator's own. Every further one, such as a project's, can only narrow: a request must be in
//! all lists, an account too, limits take the least and permissions the strictest.

use crate::description::{Description, Name, Operation};
use crate::fault::{Code, Fault};
use crate::grant::{Grant, Granted};
use crate::nearest::did_you_mean;
use crate::permission::{Decision, Intent, Permission, Permissions};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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

/// Every file's policy, the operator's own first. There always is one of those, be it empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    layers: Vec<Layer>,
}

impl Default for Policies {
    fn default() -> Self {
        Self::new(Path::new("config.toml"), Policy::default())
    }
}

impl Policies {
    /// The operator's own policy, out of this file.
    pub fn new(file: &Path, policy: Policy) -> Self {
        Self { layers: vec![Layer { label: "config.toml".into(), file: file.into(), policy }] }
    }

    /// Narrowed by a further file.
    #[must_use]
    pub fn narrowed(mut self, label: &str, file: &Path, policy: Policy) -> Self {
        self.layers.push(Layer { label: label.into(), file: file.into(), policy });
        self
    }

    /// In order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    pub(crate) fn granted<'a>(&'a self, provider: &'a str) -> Granted<'a> {
        let layers = self.layers.iter().map(|layer| (layer.label.as_str(), layer.policy.grants.get(provider)));
        Granted { provider, layers: layers.collect() }
    }

    pub(crate) fn permissions(&self, provider: &str) -> Permissions<'_> {
        static OPEN: Permission = Permission::OPEN;
        let layers = self.layers.iter().map(|layer| {
            let permission = layer.policy.permissions.get(provider).unwrap_or(&OPEN);
            (layer.label.as_str(), permission)
        });
        Permissions { layers: layers.collect() }
    }

    /// What counts for a provider's functions and accounts of which no file says more.
    pub fn decision(&self, provider: &str, operation: Operation) -> Decision {
        self.permissions(provider).decide(&Intent { provider, account: "", function: "", operation }).decision
    }

    /// Whether every function named for this provider exists, and every account the operator's own file names.
    ///
    /// # Errors
    /// `unconfigured`, with the nearest name: a mistyped denial would deny nothing.
    pub(crate) fn check_names(&self, description: &Description, accounts: &[String]) -> Result<(), Fault> {
        let functions: Vec<_> = description.functions.iter().map(|function| function.name.as_str()).collect();
        self.permissions(&description.name).check_names(&description.name, &functions)?;
        self.layers.first().map_or(Ok(()), |own| own.check_accounts(&description.name, accounts))
    }
}

impl Layer {
    /// A project's file is shared by people who have different accounts, so only the operator's own is held to this.
    fn check_accounts(&self, provider: &str, known: &[String]) -> Result<(), Fault> {
        let granted = self.policy.grants.get(provider).and_then(|grant| grant.accounts.as_ref()).into_iter().flatten();
        let refined = self.policy.permissions.get(provider).into_iter().flat_map(|word| word.accounts.keys());
        let named = granted.map(|name| ("grants", name)).chain(refined.map(|name| ("permissions", name)));
        let unknown = |name: &Name| !known.iter().any(|known| known == name.as_ref());
        let Some((table, name)) = { named }.find(|(_, name)| unknown(name)) else { return Ok(()) };
        let suggestion = did_you_mean(name.as_ref(), known.iter().map(String::as_str));
        let message =
            format!("[{table}.{provider}] in {}: {provider} has no account `{name}`.{suggestion}", self.label);
        Err(Fault::new(Code::Unconfigured, message))
    }
}
