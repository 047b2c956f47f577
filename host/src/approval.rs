//! Asking somebody where a permission is `ask`: one question at a time, and none again that was answered for good.

use crate::account::DEFAULT;
use crate::patience::Patience;
use crate::{Function, Operation};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

/// An answer under way.
pub type Approving<'a> = Pin<Box<dyn Future<Output = Approval> + Send + 'a>>;

/// Somebody who can say whether an invocation may go ahead. Only what the operator decided on as `ask` gets here; what
/// is denied is never asked about.
pub trait Approver: Send + Sync {
    /// Asks, and waits for as long as it takes: that time counts against no limit. One question at a time is asked. If
    /// the future is dropped, nobody waits for the answer any more.
    fn approve<'a>(&'a self, question: &'a Question) -> Approving<'a>;
}

/// What a question is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A function of a provider.
    #[default]
    Function,
    /// A tool of an MCP server.
    Tool,
    /// What an MCP server offers and holds, which is read: `tools/list`, `resources/read`. A tool may be called the same.
    Reading,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What it is about.
    pub topic: Topic,
    /// `ringcentral`; `mcp.github` for an MCP server, which no provider can be called
    pub provider: String,
    /// `default`
    pub account: String,
    /// The function whose permission is `ask`: `delete_message`
    pub function: String,
    /// What it does to users' data.
    pub operation: Operation,
    /// Whether what it does cannot be undone.
    pub destructive: bool,
    /// What it does, in its plugin's words.
    pub summary: String,
    /// What the invocation was given, without secrets.
    pub arguments: Map<String, Value>,
    /// What says `ask`: `` `write = "ask"` under [permissions.ringcentral] in config.toml ``
    pub rule: String,
    /// The request of another function that does what this one does, where that is asked about.
    pub request: Option<Overlap>,
    /// Whether it is only rehearsed: a write is not sent.
    pub rehearsed: bool,
}

/// A request that more than one function covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The function that is about to send it: `api_delete`
    pub function: String,
    /// `DELETE`
    pub method: String,
    /// Without its query.
    pub url: String,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// This invocation may go ahead.
    Once,
    /// This one, and all of the function on the account.
    Always,
    /// Not this one.
    No,
    /// None of the function on the account.
    Never,
    /// Nobody answered, which refuses it as if nobody could be asked.
    Unanswered,
}

impl Approval {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Always => "always",
            Self::No => "no",
            Self::Never => "never",
            Self::Unanswered => "unanswered",
        }
    }

    /// As the log tells it of a rule.
    pub(crate) fn after(self, rule: &str) -> String {
        format!("{rule}, answered {}", self.as_str())
    }

    fn is_for_good(self) -> bool {
        matches!(self, Self::Always | Self::Never)
    }
}

/// An approver, and what was answered for good: `always` and `never` hold for all questions about the same function of
/// the same account. Clones remember together.
#[derive(Clone)]
pub struct Approvals {
    desk: Arc<Desk>,
    /// Whose time does not run while somebody is asked.
    patience: Arc<Patience>,
}

struct Desk {
    approver: Arc<dyn Approver>,
    turn: tokio::sync::Mutex<()>,
    settled: Mutex<HashMap<Subject, Approval>>,
}

/// What it is about, provider, account and function, and what that does.
type Subject = (Topic, [String; 3], &'static str);

impl Approvals {
    /// Nothing is answered yet.
    pub fn new(approver: Arc<dyn Approver>) -> Self {
        let desk = Desk { approver, turn: tokio::sync::Mutex::default(), settled: Mutex::default() };
        Self { desk: Arc::new(desk), patience: Arc::default() }
    }

    /// The same, for whoever waits with this patience.
    pub(crate) fn with(&self, patience: &Arc<Patience>) -> Self {
        Self { desk: Arc::clone(&self.desk), patience: Arc::clone(patience) }
    }

    pub(crate) fn patience(&self) -> &Arc<Patience> {
        &self.patience
    }

    pub(crate) async fn ask(&self, question: &Question) -> Approval {
        let _open = self.patience.ask();
        tokio::select! {
            // An answer to a question that nobody waits on counts for nothing.
            biased;
            () = self.patience.abandoned() => Approval::Unanswered,
            answer = self.desk.ask(question) => answer,
        }
    }
}

impl Desk {
    async fn ask(&self, question: &Question) -> Approval {
        if let Some(answer) = self.settled(question) {
            return answer;
        }
        let _turn = self.turn.lock().await;
        // What was asked meanwhile may have been this.
        if let Some(answer) = self.settled(question) {
            return answer;
        }
        let answer = self.approver.approve(question).await;
        if answer.is_for_good() {
            self.settled.lock().unwrap_or_else(PoisonError::into_inner).insert(question.subject(), answer);
        }
        answer
    }

    fn settled(&self, question: &Question) -> Option<Approval> {
        let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.get(&question.subject()).copied()
    }
}

impl Question {
    /// About a function of an account, because of this rule.
    pub(crate) fn new(provider: &str, account: &str, function: &Function, rule: &str) -> Self {
        Self {
            topic: Topic::Function,
            provider: provider.into(),
            account: account.into(),
            function: function.name.clone(),
            operation: function.operation,
            destructive: function.destructive,
            summary: function.summary.clone(),
            arguments: Map::new(),
            rule: rule.into(),
            request: None,
            rehearsed: false,
        }
    }

    /// About a tool of an MCP server or what is read from it, because of this rule.
    pub(crate) fn of_server(server: &str, topic: Topic, name: &str, operation: Operation, rule: &str) -> Self {
        Self {
            topic,
            provider: format!("mcp.{server}"),
            account: DEFAULT.into(),
            function: name.into(),
            operation,
            destructive: operation == Operation::Write,
            summary: String::new(),
            arguments: Map::new(),
            rule: rule.into(),
            request: None,
            rehearsed: false,
        }
    }

    fn subject(&self) -> Subject {
        (self.topic, [&self.provider, &self.account, &self.function].map(Clone::clone), self.operation.as_str())
    }
}

impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Approvals(…)")
    }
}
