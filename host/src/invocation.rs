//! What is asked of a provider, and what it has around it when it answers.

use crate::account::DEFAULT;
use crate::approval::Approvals;
use crate::audit::Audit;
use crate::config::Config;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::interrupt::Interrupt;
use crate::journal::Position;
use crate::limits::Limits;
use crate::observer::Observers;
use crate::outbound::{Budget, Queues, Transport};
use crate::rehearsal::Rehearsal;
use crate::resume::Resumes;
use crate::scope::Scope;
use crate::secrets::Secrets;
use crate::store::Store;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Instant;

/// One run of a function, asked for.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// `dialpad`
    pub provider: String,
    /// None is `default`.
    pub account: Option<String>,
    /// `list_calls` or `dialpad_list_calls`.
    pub function: String,
    /// In any spelling the parameters' names allow.
    pub arguments: Map<String, Value>,
    /// Overrides the operator's permission, and nothing else.
    pub force: bool,
    /// The script's own deadline; the invocation's limit applies besides.
    pub deadline: Option<Instant>,
    /// The run it is audited under; None is one of its own.
    pub run: Option<Arc<str>>,
    /// Its place in the journal of its run, if it is a write of a session that keeps one.
    pub position: Option<Position>,
    /// Where it is rehearsed, if it is.
    pub rehearsal: Option<Arc<Rehearsal>>,
    /// What whoever asks may reach at most; none is all that the operator's files let happen.
    pub scopes: Arc<[Scope]>,
    /// Whom the audit log names beside what was done: a client of a server.
    pub client: Option<Arc<str>>,
    /// Who is told what becomes of it.
    pub observer: Observers,
    /// What can end it early.
    pub interrupt: Option<Interrupt>,
    /// Who is asked where the permission is `ask`; without, it is a refusal.
    pub approvals: Option<Approvals>,
}

impl Invocation {
    /// An invocation for the default account.
    pub fn new(provider: &str, function: &str, arguments: Map<String, Value>) -> Self {
        let (provider, function) = (provider.into(), function.into());
        Self {
            provider,
            account: None,
            function,
            arguments,
            force: false,
            deadline: None,
            run: None,
            position: None,
            rehearsal: None,
            scopes: Arc::default(),
            client: None,
            observer: Observers::default(),
            interrupt: None,
            approvals: None,
        }
    }

    /// The account's name.
    pub fn account(&self) -> &str {
        self.account.as_deref().unwrap_or(DEFAULT)
    }

    /// Whether it is in every scope.
    ///
    /// # Errors
    /// `denied`, naming what is reached instead.
    pub(crate) fn check_scopes(&self) -> Result<(), Fault> {
        let limited = self.scopes.iter().try_for_each(|scope| scope.check(&self.provider, self.account()));
        limited.map_err(|fault| fault.of(&self.provider, &self.function))
    }
}

/// What every invocation of a host has around it.
pub(crate) struct Surroundings {
    pub(crate) engine: Arc<Engine>,
    pub(crate) config: Config,
    pub(crate) limits: Limits,
    pub(crate) transport: Arc<Transport>,
    /// The answers all invocations together may hold at once.
    pub(crate) held: Arc<Budget>,
    pub(crate) resumes: Resumes,
    pub(crate) queues: Arc<Queues>,
    /// What may neither leave nor come back.
    pub(crate) secrets: Secrets,
    /// None without a home.
    pub(crate) store: Option<Arc<Store>>,
    pub(crate) audit: Arc<Audit>,
}
