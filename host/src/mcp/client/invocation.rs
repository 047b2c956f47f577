//! What is asked of a server.

use super::connection::Patience;
use crate::approval::Approvals;
use crate::description::Operation;
use crate::interrupt::Interrupt;
use crate::invocation::Invocation;
use crate::journal::{Claim, Position};
use crate::mcp::config::Server;
use crate::patience::Deadline;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Times its timeout that a server is waited for in all, where there is no other end: whoever tells of progress for ever
/// gets nowhere.
const AT_MOST: u32 = 20;
/// What a server that is late said last can still be told.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// One thing asked of a server.
#[derive(Clone, Debug)]
pub struct McpInvocation {
    /// As its entry is called.
    pub server: String,
    /// What it is asked for.
    pub request: McpRequest,
    /// Goes past the permissions, where the operator lets it.
    pub force: bool,
    /// What is checked and not run.
    pub rehearse: Rehearse,
    /// Its place in the journal of its run, if it calls a tool in a session that keeps one.
    pub claim: Option<Claim>,
    /// Whether whoever asks was given integrations only.
    pub is_scoped: bool,
    /// Whom the audit log names beside what was done.
    pub client: Option<Arc<str>>,
    /// The script's own deadline; the server's timeout applies besides.
    pub deadline: Option<Instant>,
    /// The run it is audited under; None is one of its own.
    pub run: Option<Arc<str>>,
    /// Who is asked where a permission is `ask`, if anybody can be.
    pub approvals: Option<Approvals>,
    /// What ends it before it is done, if something may.
    pub interrupt: Option<Interrupt>,
}

/// What is checked and not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rehearse {
    /// All of it is run.
    #[default]
    Nothing,
    /// Tools that do not say they only read.
    Writes,
    /// No tool is run.
    All,
}

impl Rehearse {
    pub(super) fn covers(self, operation: Operation) -> bool {
        match self {
            Self::Nothing => false,
            Self::Writes => operation == Operation::Write,
            Self::All => true,
        }
    }
}

/// What a server can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum McpRequest {
    /// To run a tool.
    Call {
        /// As the server calls it, or as Lua can write it.
        tool: String,
        /// By name.
        arguments: Map<String, Value>,
        /// As they are typed: a name and a value, which is read as the tool's schema declares it. Stand in place of
        /// arguments of the same name.
        flags: Vec<(String, Option<String>)>,
    },
    /// A row for each tool.
    Tools,
    /// The same of every server that can be used; of one that fails, its name and why. No server is named for it.
    AllTools,
    /// The names of its tools, as Lua can write them.
    Names,
    /// The row of one tool.
    Schema {
        /// As for `Call`.
        tool: String,
    },
    /// What can be read.
    Resources,
    /// Patterns of what can be read.
    Templates,
    /// To read something.
    ReadResource {
        /// What.
        uri: String,
    },
    /// The prompts it offers.
    Prompts,
    /// One of them, filled in.
    GetPrompt {
        /// Which.
        prompt: String,
        /// By name.
        arguments: Map<String, Value>,
    },
}

impl McpRequest {
    /// What the protocol calls it, and what people are asked about: no tool can be meant. A tool, by its name.
    pub(super) fn method(&self) -> &str {
        match self {
            Self::Call { tool, .. } => tool,
            Self::Tools | Self::AllTools | Self::Names | Self::Schema { .. } => "tools/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
            Self::ReadResource { .. } => "resources/read",
            Self::Prompts => "prompts/list",
            Self::GetPrompt { .. } => "prompts/get",
        }
    }

    /// What it is about, for people and records.
    pub(super) fn arguments(&self) -> Map<String, Value> {
        let object = |entries: &[(&str, Value)]| {
            entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        match self {
            Self::Call { arguments, .. } => arguments.clone(),
            Self::Schema { tool } => object(&[("tool", tool.as_str().into())]),
            Self::ReadResource { uri } => object(&[("uri", uri.as_str().into())]),
            Self::GetPrompt { prompt, arguments } => {
                object(&[("name", prompt.as_str().into()), ("arguments", arguments.clone().into())])
            }
            _ => Map::new(),
        }
    }

    /// What records call it.
    pub fn name(&self) -> &str {
        match self {
            Self::Call { tool, .. } => tool,
            Self::Tools | Self::AllTools | Self::Names => "tools",
            Self::Schema { .. } => "schema",
            Self::Resources => "resources",
            Self::Templates => "resource_templates",
            Self::ReadResource { .. } => "read_resource",
            Self::Prompts => "prompts",
            Self::GetPrompt { .. } => "get_prompt",
        }
    }
}

impl McpInvocation {
    /// Asked by nobody in particular.
    pub fn new(server: &str, request: McpRequest) -> Self {
        Self {
            server: server.into(),
            request,
            force: false,
            rehearse: Rehearse::Nothing,
            claim: None,
            is_scoped: false,
            client: None,
            deadline: None,
            run: None,
            approvals: None,
            interrupt: None,
        }
    }

    /// As the audit log knows invocations.
    pub(super) fn audited(&self) -> Invocation {
        let invocation = Invocation::new(&format!("mcp.{}", self.server), self.request.name(), Map::new());
        Invocation { run: self.run.clone(), client: self.client.clone(), ..invocation }
    }

    /// When it is given up, whatever it waits for: the time that people take to answer does not count.
    pub(super) fn end(&self, server: &Server) -> Deadline {
        let at = self.deadline.unwrap_or_else(|| Instant::now() + server.patience * AT_MOST);
        let patience = self.approvals.as_ref().map(|approvals| Arc::clone(approvals.patience()));
        Deadline::new(at + LAST_WORDS, &patience.unwrap_or_default())
    }

    /// Where it stands among the writes of its run, if that keeps a journal and this is one of them.
    pub(super) async fn position(&self, operation: Operation) -> Option<Position> {
        let claim = self.claim.as_ref()?;
        match operation {
            Operation::Write => Some(claim.position().await),
            Operation::Read => {
                claim.pass();
                None
            }
        }
    }

    /// How long a server may take for it, from now.
    pub(super) fn patience(&self, server: &Server) -> Patience {
        let total = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let idle = total.map_or(server.patience, |total| total.min(server.patience)).max(Duration::from_millis(1));
        Patience { idle, total }
    }
}
