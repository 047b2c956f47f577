//! What an invocation needs before it may run: an account, arguments that fit, and leave.

use crate::approval::{Approvals, Question};
use crate::arguments;
use crate::audit::{Trail, Verdict};
use crate::description::{Description, Function, Operation};
use crate::fault::Fault;
use crate::invocation::{Invocation, Surroundings};
use crate::journal::Errand;
use crate::outbound::{Budget, Connected, Doubt, Gate};
use crate::patience::{Deadline, Patience};
use crate::permission::{Decision, Intent, Ruling};
use crate::rehearsal::Rehearsal;
use crate::scope::Scope;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// An embedder may want no limit; the clock has one.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// An invocation of a function that was found, on an account that was found, with arguments that fit.
pub(crate) struct Admission<'a> {
    host: &'a Arc<Surroundings>,
    description: &'a Arc<Description>,
    function: &'a Function,
    connected: Arc<Connected>,
    arguments: Map<String, Value>,
    errand: Errand,
    operation: Operation,
    force: bool,
    scopes: Arc<[Scope]>,
    rehearsal: Option<Arc<Rehearsal>>,
    approvals: Option<Approvals>,
    patience: Arc<Patience>,
    /// The script's own.
    deadline: Option<Deadline>,
}

impl<'a> Admission<'a> {
    /// # Errors
    /// `invalid_argument`.
    pub(crate) fn new(
        host: &'a Arc<Surroundings>,
        description: &'a Arc<Description>,
        function: &'a Function,
        connected: Arc<Connected>,
        asked: Invocation,
        errand: Errand,
    ) -> Result<Self, Fault> {
        let path = format!("{}.{}", description.name, function.name);
        let arguments = arguments::check(&path, function, asked.arguments)?;
        let patience = asked.approvals.as_ref().map(Approvals::patience).cloned().unwrap_or_default();
        Ok(Self {
            host,
            description,
            function,
            connected,
            arguments,
            operation: errand.operation(function.operation),
            errand,
            force: asked.force,
            scopes: asked.scopes,
            rehearsal: asked.rehearsal,
            approvals: asked.approvals,
            deadline: asked.deadline.map(|at| Deadline::new(at, &patience)),
            patience,
        })
    }

    /// As the function takes them.
    pub(crate) fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// When the script's time is up, as things stand.
    pub(crate) fn script_ends(&self) -> Option<Instant> {
        self.deadline.as_ref().map(Deadline::at)
    }

    /// Whether the operator lets scripts do this, on record: by the ruling, or where that says `ask`, by the answer. Gives
    /// what was, or would have been, asked.
    ///
    /// # Errors
    /// `approval_required` or `denied`, naming the cure.
    pub(crate) async fn leave(&self, trail: &Trail) -> Result<Option<Question>, Fault> {
        let (provider, account) = (&self.description.name, self.connected.account.name());
        let intent = Intent { operation: self.operation, ..Intent::new(provider, account, self.function) };
        let past_ask = self.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.is_past_ask(self.operation));
        let permissions = self.host.config.policies().permissions(provider).past_ask(past_ask);
        let ruling = permissions.within(&self.scopes).decide(&intent, self.force);
        let question = self.approvals.as_ref().map(|_| self.question(&ruling));
        match self.approvals.as_ref().zip(question.as_ref()) {
            Some((approvals, question)) if ruling.asks(self.force) => {
                let answer = approvals.ask(question).await;
                trail.permission(answer.into(), &answer.after(&ruling.rule))?;
                ruling.answered(&intent, answer)?;
            }
            _ => {
                trail.permission(verdict(&ruling, self.force), &ruling.rule)?;
                ruling.check(&intent, self.force)?;
            }
        }
        if let Some(rehearsal) = &self.rehearsal {
            rehearsal.ran(provider, account, &self.function.name);
        }
        Ok(question)
    }

    fn question(&self, ruling: &Ruling) -> Question {
        Question {
            operation: self.operation,
            arguments: self.host.secrets.scrubbed_object(&self.arguments),
            rehearsed: self.rehearsal.is_some(),
            ..Question::new(&self.description.name, self.connected.account.name(), self.function, &ruling.rule)
        }
    }

    /// Its way out, and its arguments. Its time begins to run.
    pub(crate) fn gate(
        self,
        trail: &Arc<Trail>,
        doubt: &Doubt,
        question: Option<Question>,
    ) -> (Gate, Map<String, Value>) {
        let limits = self.host.config.policies().granted(&self.description.name).limits(self.host.limits);
        let own = Instant::now() + limits.wall.min(LONGEST);
        let ends = self.script_ends().map_or(own, |script| script.min(own));
        let gate = Gate {
            host: Arc::clone(self.host),
            trail: Arc::clone(trail),
            description: Arc::clone(self.description),
            function: self.function.name.clone(),
            operation: self.operation,
            connected: self.connected,
            force: self.force,
            scopes: self.scopes,
            limits,
            deadline: Deadline::new(ends, &self.patience),
            asked: 0.into(),
            sent: 0.into(),
            held: Budget::new(self.host.limits.held),
            doubt: doubt.clone(),
            errand: self.errand,
            rehearsal: self.rehearsal,
            approver: self.approvals.zip(question),
            held_back: OnceLock::new(),
            cause: Mutex::default(),
        };
        (gate, self.arguments)
    }
}

/// Of a ruling that nobody was asked about.
fn verdict(ruling: &Ruling, force: bool) -> Verdict {
    match ruling.decision {
        Decision::Allow => Verdict::Allowed,
        Decision::Ask | Decision::Deny if force && ruling.is_of_files() => Verdict::Forced,
        Decision::Ask => Verdict::ApprovalRequired,
        Decision::Deny => Verdict::Denied,
    }
}
