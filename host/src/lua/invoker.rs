//! The little that a session needs of the host, so that Lua can be tested without one.

use super::lost::Lost;
use super::session::Resume;
use crate::account::DEFAULT;
use crate::description::{Operation, Pagination};
use crate::docs;
use crate::fault::Fault;
use crate::host::Host;
use crate::invocation::Invocation;
use crate::journal::Journal;
use crate::mcp::McpInvocation;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::{Id, JoinError, JoinSet};

/// An invocation under way.
pub(super) type Invoking = Pin<Box<dyn Future<Output = Result<String, Fault>> + Send>>;

/// What runs invocations and knows the providers.
pub(super) trait Invoker: Send + Sync {
    /// Every provider's name, sorted.
    fn names(&self) -> Vec<String>;
    /// What a provider offers, or why it cannot be used.
    fn provider(&self, name: &str) -> Result<Known, Fault>;
    /// Begins an invocation, which goes on when it is polled.
    fn invoke(&self, invocation: Invocation) -> Invoking;
    /// Begins something asked of an MCP server, in the same way.
    fn reach(&self, invocation: McpInvocation) -> Invoking;
    /// The MCP servers that are configured: an object by name.
    fn mcp_servers(&self) -> Json;
    /// Waits for one invocation.
    fn wait(&self, invoking: Invoking) -> Result<String, Fault>;
    /// Waits for the next of several.
    fn join(&self, tasks: &mut JoinSet<Done>) -> Option<Result<(Id, Done), JoinError>>;
    /// The journal of a run, where one is kept: of a new one, or of one that is taken up again.
    ///
    /// # Errors
    /// `unknown`, if there is nothing to take up.
    fn journal(&self, _run: &Arc<str>, _script: &str, _resume: Option<&Resume>) -> Result<Option<Arc<Journal>>, Fault> {
        Ok(None)
    }
    /// Whether a function writes.
    fn writes(&self, _provider: &str, _function: &str) -> bool {
        false
    }
    /// Where several run.
    fn runtime(&self) -> Handle;
    /// Whether nothing asked for goes on while the calling thread is blocked.
    fn is_stalled(&self) -> bool;
    /// The threads that scripts took and did not give back.
    fn lost(&self) -> &Lost;
    /// A page of documentation.
    fn page(&self, page: Page<'_>) -> String;
}

/// What a session needs to know of a provider.
pub(super) struct Known {
    /// Names, with the way each result is paged.
    pub(super) functions: Vec<(String, Option<Pagination>)>,
    /// The accounts that can be named, sorted: those that are there, and `default`.
    pub(super) accounts: Vec<String>,
}

/// An invocation that ended in the background.
pub(super) struct Done {
    pub(super) took: Duration,
    pub(super) result: Result<String, Fault>,
}

/// A page of documentation.
pub(super) enum Page<'a> {
    /// All providers.
    List,
    /// Functions that fit a query.
    Search(&'a str),
    /// A provider or a function.
    Read(&'a str),
}

impl Invoker for Host {
    fn names(&self) -> Vec<String> {
        Self::names(self)
    }

    fn provider(&self, name: &str) -> Result<Known, Fault> {
        let provider = Self::provider(self, name)?;
        let functions = provider.description().functions.iter();
        let mut accounts: BTreeSet<_> = self.accounts(&provider).into_iter().collect();
        if self.includes_account(name, DEFAULT) {
            accounts.insert(DEFAULT.into());
        }
        Ok(Known {
            functions: functions.map(|known| (known.name.clone(), known.pagination.clone())).collect(),
            accounts: accounts.into_iter().collect(),
        })
    }

    fn invoke(&self, invocation: Invocation) -> Invoking {
        let host = self.clone();
        Box::pin(async move { Self::invoke(&host, invocation).await })
    }

    fn reach(&self, invocation: McpInvocation) -> Invoking {
        let (host, is_scoped) = (self.clone(), !self.scopes().is_empty());
        let invocation = McpInvocation { is_scoped, client: self.client().cloned(), ..invocation };
        Box::pin(async move { host.mcp().invoke(invocation).await })
    }

    fn mcp_servers(&self) -> Json {
        // Whoever was given integrations only is told of no server.
        if self.scopes().is_empty() { self.mcp().config().to_value() } else { Json::Object(Map::new()) }
    }

    fn wait(&self, invoking: Invoking) -> Result<String, Fault> {
        self.block_on(invoking)
    }

    fn join(&self, tasks: &mut JoinSet<Done>) -> Option<Result<(Id, Done), JoinError>> {
        self.block_on(tasks.join_next_with_id())
    }

    fn journal(&self, run: &Arc<str>, script: &str, resume: Option<&Resume>) -> Result<Option<Arc<Journal>>, Fault> {
        let Some(store) = self.surroundings().store.clone() else { return Ok(None) };
        let journal = match resume {
            Some(resume) => Journal::resume(store, run, script, resume.repeat_in_doubt)?,
            None => Journal::new(store, Arc::clone(run), script),
        };
        Ok(Some(Arc::new(journal)))
    }

    fn writes(&self, provider: &str, function: &str) -> bool {
        let known = Self::provider(self, provider);
        let operation = known.ok().and_then(|known| Some(known.description().function(function)?.operation));
        operation == Some(Operation::Write)
    }

    fn runtime(&self) -> Handle {
        self.handle()
    }

    fn is_stalled(&self) -> bool {
        Self::is_stalled(self)
    }

    fn lost(&self) -> &Lost {
        Self::lost(self)
    }

    fn page(&self, page: Page<'_>) -> String {
        match page {
            Page::List => docs::list(self),
            Page::Search(query) => docs::search(self, query),
            Page::Read(page) => docs::read(self, page),
        }
    }
}
