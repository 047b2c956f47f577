//! What one client sees and reaches of a host. Whatever lists, describes, suggests or runs something for somebody asks a
//! host that was narrowed to them, so that no scope can be forgotten on the way.

use crate::account::DEFAULT;
use crate::fault::{Code, Fault};
use crate::invocation::Invocation;
use crate::{Host, Provider, Scope};
use std::sync::Arc;

/// Whose eyes a host is seen with: everybody's, unless it was narrowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    scopes: Arc<[Scope]>,
    client: Option<Arc<str>>,
}

impl Host {
    /// The same host, of which nothing is seen or reached that is not in every one of these scopes.
    #[must_use]
    pub fn within(&self, scopes: &Arc<[Scope]>) -> Self {
        let all = self.scopes().iter().chain(scopes.iter()).cloned().collect();
        self.seen(View { scopes: all, ..self.view().clone() })
    }

    /// The same host, whose audit log names this client in all that is done through it.
    #[must_use]
    pub fn on_behalf_of(&self, client: &Arc<str>) -> Self {
        self.seen(View { client: Some(Arc::clone(client)), ..self.view().clone() })
    }

    /// The names of the providers, sorted. For threads outside asynchronous code.
    pub fn names(&self) -> Vec<String> {
        self.registry().names().into_iter().filter(|name| self.includes(name)).collect()
    }

    /// Whether there may be a provider of this name, as far as scopes say.
    pub fn includes(&self, provider: &str) -> bool {
        self.scopes()
            .iter()
            .all(|scope| scope.includes(provider) && (scope.names(provider) || self.has(scope, provider)))
    }

    /// Whether scopes include a provider whatever accounts it has. Looks nowhere.
    pub(crate) fn surely_includes(&self, provider: &str) -> bool {
        self.scopes().iter().all(|scope| scope.includes(provider) && scope.names(provider))
    }

    /// Whether an account is not beyond a scope.
    pub fn includes_account(&self, provider: &str, account: &str) -> bool {
        self.scopes().iter().all(|scope| scope.includes_account(provider, account))
    }

    /// The current revision of a provider, for threads outside asynchronous code.
    ///
    /// # Errors
    /// As [`Registry::provider`](crate::Registry::provider), and `denied` if it is beyond a scope.
    pub fn provider(&self, name: &str) -> Result<Arc<Provider>, Fault> {
        if self.includes(name) { self.block_on(self.registry().provider(name)) } else { Err(self.beyond(name)) }
    }

    /// The names of a provider's accounts, `default` first.
    pub fn accounts(&self, provider: &Provider) -> Vec<String> {
        let all = self.surroundings().config.account_names(provider.description());
        all.into_iter().filter(|account| self.includes_account(provider.name(), account)).collect()
    }

    /// Whether an account could be used right now.
    ///
    /// # Errors
    /// `unconfigured`, naming what is missing and the cure, or `denied` if it is beyond a scope.
    pub fn check_account(&self, provider: &Provider, account: &str) -> Result<(), Fault> {
        self.reaches(provider.name(), account)?;
        provider.account(self.surroundings(), account).map(drop).map_err(|fault| self.veiled(fault, Some(provider)))
    }

    /// What narrows it.
    pub(crate) fn scopes(&self) -> &Arc<[Scope]> {
        &self.view().scopes
    }

    /// Whom the audit log names.
    pub(crate) fn client(&self) -> Option<&Arc<str>> {
        self.view().client.as_ref()
    }

    /// The same, asked by whoever this host is seen by.
    pub(crate) fn asked(&self, invocation: Invocation) -> Invocation {
        let scopes = match &*invocation.scopes {
            [] => Arc::clone(self.scopes()),
            own => self.scopes().iter().chain(own).cloned().collect(),
        };
        Invocation { scopes, client: self.client().cloned().or(invocation.client), ..invocation }
    }

    /// A sentence about the operator's files may name what there is besides, or was: not to whoever may not know of that.
    pub(crate) fn veiled(&self, fault: Fault, provider: Option<&Provider>) -> Fault {
        let instead = match fault.code {
            Code::Unconfigured => {
                "A mistake in the configuration is in the way. Whoever runs the server can see and mend it."
            }
            Code::Denied => "The operator's files do not let this happen. Whoever runs the server can see why.",
            _ => return fault,
        };
        let names = || words(&fault.message).any(|word| self.is_hidden(word, provider));
        let hides = !self.scopes().is_empty() && (fault.quotes_files || names());
        if hides { Fault { message: instead.into(), ..fault } } else { fault }
    }

    fn is_hidden(&self, name: &str, provider: Option<&Provider>) -> bool {
        let included = |provider: &str| self.scopes().iter().all(|scope| scope.includes(provider));
        let accounts = |provider: &Provider| {
            let all = self.surroundings().config.account_names(provider.description());
            all.iter().any(|account| account == name && !self.includes_account(provider.name(), account))
        };
        self.registry().knows(name) && !included(name) || provider.is_some_and(accounts)
    }

    fn reaches(&self, provider: &str, account: &str) -> Result<(), Fault> {
        self.scopes().iter().try_for_each(|scope| scope.check(provider, account))
    }

    /// Whether one of a provider's accounts is in a scope.
    fn has(&self, scope: &Scope, provider: &str) -> bool {
        let Ok(provider) = self.block_on(self.registry().provider(provider)) else { return false };
        let all = self.surroundings().config.account_names(provider.description());
        all.iter().any(|account| scope.includes_account(provider.name(), account))
    }

    /// The same sentence, whether there is a provider of this name or not.
    fn beyond(&self, provider: &str) -> Fault {
        let unknown = || Fault::new(Code::Unknown, format!("Unknown provider: {provider}."));
        let fault = self.reaches(provider, DEFAULT).err().unwrap_or_else(unknown);
        Fault { provider: Some(provider.into()), ..fault }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '-'))
}
