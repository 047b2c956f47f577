//! What a server offers its clients, and who they are.

use crate::{Decision, Host, Scope};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What is offered, to every client alike. What a client's own scope leaves out is not offered to it.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The only integrations; None is all.
    pub integrations: Option<BTreeSet<String>>,
    /// Which tools there are.
    pub tools: Tools,
    /// The most that functions may do which write: the operator's files may say less.
    pub write: Decision,
    /// Whether invocations go past the operator's permissions, though never past `write` or a client's scope.
    pub force: bool,
    /// Whether guides are offered as resources.
    pub resources: bool,
    /// Whether there are prompts.
    pub prompts: bool,
    /// Most characters of one tool's result.
    pub characters: usize,
    /// Most time a script may take.
    pub time_limit: Duration,
}

/// Which tools there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tools {
    /// `run_lua`, `search_docs` and `read_doc`.
    Lua,
    /// Each function, and the two for documentation.
    Functions,
    /// Both.
    All,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            integrations: None,
            tools: Tools::Lua,
            write: Decision::Deny,
            force: false,
            resources: true,
            prompts: true,
            characters: 100_000,
            time_limit: Duration::from_secs(300),
        }
    }
}

impl Offer {
    /// The scope of everybody the server serves.
    fn scope(&self) -> Scope {
        let cure = match self.write {
            Decision::Deny => "Whoever runs the server can start `kosmo mcp:serve` with --write=ask or --write=allow.",
            Decision::Ask => {
                "Use an MCP client that supports elicitation, or let whoever runs the server start `kosmo mcp:serve` \
                 with --write=allow."
            }
            Decision::Allow => "",
        };
        Scope {
            name: "this MCP server".into(),
            integrations: self.integrations.clone(),
            accounts: None,
            write: self.write,
            cure: cure.into(),
        }
    }
}

/// Somebody who is served. All its connections share its turns.
#[derive(Clone, Debug)]
pub struct Client {
    /// What metrics and logs call it.
    pub name: Arc<str>,
    /// Whether that is the name of its token.
    is_known: bool,
    scopes: Arc<[Scope]>,
}

impl Client {
    /// Whoever is at the other end, with all that is offered.
    pub fn anybody(offer: &Offer) -> Self {
        Self { name: "anybody".into(), is_known: false, scopes: [offer.scope()].into() }
    }

    /// One of several, with a scope of its own within what is offered.
    pub fn known(name: &str, offer: &Offer, own: Scope) -> Self {
        Self { name: name.into(), is_known: true, scopes: [offer.scope(), own].into() }
    }

    /// A host as this client sees it.
    pub(super) fn view(&self, host: &Host) -> Host {
        let host = host.within(&self.scopes);
        if self.is_known { host.on_behalf_of(&self.name) } else { host }
    }

    /// Whether somebody is to be asked where a function writes.
    pub(super) fn write(&self) -> Decision {
        self.scopes.iter().map(|scope| scope.write).max().unwrap_or(Decision::Deny)
    }

    /// Whether a provider was named and none of its accounts was, so that its functions are worth showing before it has
    /// any.
    pub(super) fn names(&self, provider: &str) -> bool {
        let named = |scope: &Scope| scope.integrations.as_ref().is_some_and(|names| names.contains(provider));
        self.scopes.iter().any(named) && self.scopes.iter().all(|scope| scope.accounts.is_none())
    }
}
