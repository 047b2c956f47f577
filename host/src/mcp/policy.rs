//! What scripts may do with MCP servers: `[mcp]` in `config.toml`, which a project's file can only narrow. Pure.

use crate::approval::Approval;
use crate::audit::Verdict;
use crate::description::Operation;
use crate::fault::{Code, Fault};
use crate::mcp::Holder;
use crate::mcp::config::{Permissions, Server};
use crate::mcp::holder::key;
use crate::permission::Decision;
use crate::subject::{Matter, Subject};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What counts where no file says anything.
const DEFAULT: Decision = Decision::Ask;

/// `[mcp]` as the operator wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpSettings {
    /// What counts for servers of which nothing is said. `ask` unless said.
    pub permissions_default: Option<Decision>,
    /// Whether `--force` goes past these permissions too.
    pub allow_force_bypass: bool,
    /// Variables of the environment that servers may ask for besides `KOSMO_MCP_…`.
    pub allowed_env: BTreeSet<String>,
    /// About single servers of the home.
    pub servers: BTreeMap<String, McpServerSettings>,
    /// About those of projects, by the project's folder.
    pub projects: BTreeMap<String, McpProjectSettings>,
    /// The entries that were reviewed: by server, the fingerprint that counts in the project of a folder.
    pub trust: BTreeMap<String, BTreeMap<String, String>>,
}

/// What is said of the servers of one project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpProjectSettings {
    /// By name.
    pub servers: BTreeMap<String, McpServerSettings>,
}

/// What is said of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpServerSettings {
    /// What scripts may do with it.
    pub permissions: McpPermission,
}

/// What scripts may do with one server. What is not mentioned is left open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpPermission {
    /// About tools that say they only read, resources and prompts.
    pub read: Option<Decision>,
    /// About all other tools.
    pub write: Option<Decision>,
    /// About single tools, by their exact names.
    pub tools: BTreeMap<String, Decision>,
}

/// `[mcp]` of a project's file, which comes with a checkout: it can take away and not give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct McpNarrowing {
    permissions_default: Option<Decision>,
    servers: BTreeMap<String, McpServerSettings>,
    #[serde(rename = "projects")]
    _projects: NotInProjects,
    #[serde(rename = "trust")]
    _trust: NotInProjects,
    #[serde(rename = "allow_force_bypass")]
    _force: NotInProjects,
    #[serde(rename = "allowed_env")]
    _environment: NotInProjects,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct NotInProjects;

impl<'de> Deserialize<'de> for NotInProjects {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom(
            "[mcp] of a project's file can only narrow permissions: write this into config.toml of the kosmo home",
        ))
    }
}

/// Whether a server's entry was reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It is the operator's own.
    Own,
    /// It is as it was when it was reviewed.
    Reviewed,
    /// It is another than was reviewed.
    Changed,
    /// Nobody reviewed it.
    Unknown,
}

impl Trust {
    /// Whether the server may be started or contacted.
    pub fn is_given(self) -> bool {
        matches!(self, Self::Own | Self::Reviewed)
    }
}

/// What every file says of MCP servers: the operator's own first; the project's can only be stricter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct McpPolicy {
    own: McpSettings,
    narrowing: Option<McpNarrowing>,
    /// The file that lists all that one run may do, in which no server can stand.
    only: Option<String>,
}

/// A decision, the line that made it, and the line that would make another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct McpRuling {
    pub(crate) decision: Decision,
    /// `` `write = "ask"` under [mcp.servers.github.permissions] in config.toml ``, written there or understood.
    pub(crate) rule: String,
    cure: String,
    /// What takes the rule back, where it is about one tool.
    undo: Option<String>,
}

/// What a file says, the key and table it says it with, and the table in which it could say something else.
#[derive(Clone, Debug)]
struct Word {
    decision: Decision,
    key: String,
    table: String,
    cure: String,
    /// Whether it is about one tool.
    named: bool,
}

impl McpPolicy {
    pub(crate) fn new(own: McpSettings) -> Self {
        Self { own, ..Self::default() }
    }

    pub(crate) fn narrowed(self, narrowing: McpNarrowing) -> Self {
        Self { narrowing: Some(narrowing), ..self }
    }

    /// With nothing allowed, since a file that stands for one run lists no server.
    pub(crate) fn only(self, file: &str) -> Self {
        Self { only: Some(file.into()), ..self }
    }

    /// `[mcp]` of the operator's own file.
    pub fn own(&self) -> &McpSettings {
        &self.own
    }

    /// What counts for a server's tools of which no file says more.
    pub fn permissions(&self, holder: Holder<'_>) -> Permissions {
        let word = |operation| self.decide(holder, "", operation).decision.as_str();
        Permissions { read: word(Operation::Read), write: word(Operation::Write) }
    }

    /// Whether a server's entry was reviewed.
    pub fn trust(&self, server: &Server) -> Trust {
        if !server.is_of_project() {
            return Trust::Own;
        }
        let reviewed = self.own.trust.get(&server.name);
        match reviewed.and_then(|reviewed| reviewed.get(&*server.folder.to_string_lossy())) {
            Some(fingerprint) if *fingerprint == server.fingerprint => Trust::Reviewed,
            Some(_) => Trust::Changed,
            None => Trust::Unknown,
        }
    }

    /// Whether a server may be started or contacted.
    ///
    /// # Errors
    /// `denied`, naming the command that reviews it.
    pub fn check_trust(&self, server: &Server) -> Result<(), Fault> {
        let trust = self.trust(server);
        if trust.is_given() {
            return Ok(());
        }
        let (name, file) = (&server.name, server.path.display());
        let changed = if trust == Trust::Changed { " It was changed since it was trusted." } else { "" };
        let message = format!(
            "Project MCP server '{name}' is not trusted. Run `kosmo mcp:trust {name} --project --json` after reviewing \
             .mcp.json, or pass --force for trusted automation.{changed} It stands in {file}."
        );
        Err(Fault::new(Code::Denied, message))
    }

    /// Whether `--force` goes past these permissions.
    ///
    /// # Errors
    /// `denied`, if it does not.
    pub fn check_force(&self, allowed_by_environment: bool) -> Result<(), Fault> {
        if self.own.allow_force_bypass || allowed_by_environment {
            return Ok(());
        }
        let message = "MCP --force bypass is disabled. Set kosmo.mcp.allow_force_bypass=true only for trusted \
                       automation: `allow_force_bypass = true` under [mcp] in config.toml, or \
                       KOSMO_MCP_ALLOW_FORCE=1.";
        Err(Fault::new(Code::Denied, message))
    }

    /// Whether a tool of a server may be used. `force` overrides `ask` and `deny`.
    ///
    /// # Errors
    /// `approval_required` or `denied`, naming the cure.
    pub fn check(&self, holder: Holder<'_>, tool: &str, operation: Operation, force: bool) -> Result<(), Fault> {
        self.decide(holder, tool, operation).check(holder.server, operation, force)
    }

    /// Whether no tool of a server may be used at all, whatever it is called and does.
    pub(crate) fn denies_everything(&self, holder: Holder<'_>) -> bool {
        let said = [self.said(holder), self.said(Holder::of_home(holder.server))];
        let tools = said.into_iter().flatten().flat_map(|permission| permission.tools.keys());
        let mut names = tools.map(String::as_str).chain([""]);
        names.all(|tool| {
            let denied = |operation| self.decide(holder, tool, operation).decision == Decision::Deny;
            denied(Operation::Read) && denied(Operation::Write)
        })
    }

    /// The strictest of all files.
    pub(crate) fn decide(&self, holder: Holder<'_>, tool: &str, operation: Operation) -> McpRuling {
        if let Some(file) = &self.only {
            let (rule, cure) = (format!("no MCP server stands in {file}"), "run it without that file".into());
            return McpRuling { decision: Decision::Deny, rule, cure, undo: None };
        }
        let own = self.own_word(holder, tool, operation);
        let project = self.narrowing.as_ref().and_then(|file| file.word(holder.server, tool, operation));
        let stricter = project.filter(|word| word.decision > own.decision);
        let (mine, file) = if stricter.is_some() { (false, ".kosmo/config.toml") } else { (true, "config.toml") };
        let Word { decision, key, table, cure, named } = stricter.unwrap_or(own);
        let line = |decision: Decision, table| format!("`{key} = \"{}\"` under [{table}] in {file}", decision.as_str());
        let matter = if named { Matter::Named(tool.into()) } else { Matter::Operation(operation) };
        let subject = Subject { owner: holder.into(), matter };
        let set = subject.set(Decision::Allow).filter(|_| mine).map_or(String::new(), |set| format!(": {set}"));
        // What is said of the home's server is not taken back from within a project that has one of that name.
        let undo = subject.unset().filter(|_| mine && named && table == cure);
        McpRuling { decision, rule: line(decision, &table), cure: line(Decision::Allow, &cure) + &set, undo }
    }

    /// What the operator said. Of a project's server nothing is allowed by what is said of the home's of that name; what
    /// that may not do, it may not either, unless something is said of itself.
    fn own_word(&self, holder: Holder<'_>, tool: &str, operation: Operation) -> Word {
        let said = |holder: Holder<'_>| word(self.said(holder)?, &holder.table(), tool, operation);
        let (home, table) = (Holder::of_home(holder.server), holder.table());
        said(holder).unwrap_or_else(|| {
            let nothing = || Word::new(DEFAULT, operation.as_str(), &table);
            let general = self.own.permissions_default.map_or_else(nothing, Word::general);
            let stricter = said(home).filter(|word| word.decision > general.decision);
            stricter.map_or(general, |word| Word { cure: word.table.replacen(&home.table(), &table, 1), ..word })
        })
    }

    /// What is written down of each server, and whether the operator wrote it.
    pub(crate) fn written(&self) -> impl Iterator<Item = (Holder<'_>, &McpPermission, bool)> {
        let of_home = self.own.servers.iter().map(|(name, said)| (Holder::of_home(name), &said.permissions, true));
        let of_projects = self.own.projects.iter().flat_map(|(folder, said)| {
            let project = Some(Path::new(folder));
            said.servers.iter().map(move |(server, said)| (Holder { server, project }, &said.permissions, true))
        });
        let narrowing = self.narrowing.iter().flat_map(|file| &file.servers);
        let narrowing = narrowing.map(|(name, said)| (Holder::of_home(name), &said.permissions, false));
        of_home.chain(of_projects).chain(narrowing)
    }

    fn said(&self, holder: Holder<'_>) -> Option<&McpPermission> {
        let servers = match holder.folder() {
            Some(folder) => &self.own.projects.get(&folder)?.servers,
            None => &self.own.servers,
        };
        servers.get(holder.server).map(|settings| &settings.permissions)
    }
}

impl McpNarrowing {
    fn word(&self, server: &str, tool: &str, operation: Operation) -> Option<Word> {
        let said = self.servers.get(server);
        let said = said.and_then(|said| word(&said.permissions, &Holder::of_home(server).table(), tool, operation));
        said.or_else(|| self.permissions_default.map(Word::general))
    }
}

impl Word {
    fn new(decision: Decision, key: &str, table: &str) -> Self {
        Self { decision, key: key.into(), table: table.into(), cure: table.into(), named: false }
    }

    /// About all servers.
    fn general(decision: Decision) -> Self {
        Self::new(decision, "permissions_default", "mcp")
    }
}

/// The most specific of what a table says.
fn word(said: &McpPermission, table: &str, tool: &str, operation: Operation) -> Option<Word> {
    let of_operation = match operation {
        Operation::Read => said.read,
        Operation::Write => said.write,
    };
    let of_tool = said.tools.get(tool).map(|&word| {
        let word = Word::new(word, &key(tool), &format!("{table}.tools"));
        Word { named: true, ..word }
    });
    of_tool.or_else(|| of_operation.map(|word| Word::new(word, operation.as_str(), table)))
}

impl McpRuling {
    /// As the audit log calls it.
    pub(crate) fn verdict(&self, force: bool) -> Verdict {
        match self.decision {
            Decision::Allow => Verdict::Allowed,
            _ if force => Verdict::Forced,
            Decision::Ask => Verdict::ApprovalRequired,
            Decision::Deny => Verdict::Denied,
        }
    }

    /// What somebody's answer comes to.
    ///
    /// # Errors
    /// `denied`, if the answer is no; `approval_required`, if there is none.
    pub(crate) fn answered(&self, server: &str, operation: Operation, approval: Approval) -> Result<(), Fault> {
        let said = match approval {
            Approval::Once | Approval::Always => return Ok(()),
            Approval::No => "no",
            Approval::Never => "never",
            Approval::Unanswered => return self.check(server, operation, false),
        };
        let word = operation.as_str();
        Err(Fault::new(Code::Denied, format!("MCP server '{server}' {word} access denied: the answer was {said}.")))
    }

    /// Whether it may go ahead. `force` overrides `ask` and `deny`.
    ///
    /// # Errors
    /// `approval_required` or `denied`, naming the cure.
    pub(crate) fn check(&self, server: &str, operation: Operation, force: bool) -> Result<(), Fault> {
        let (word, rule, cure) = (operation.as_str(), &self.rule, &self.cure);
        let undo = self.undo.as_ref().map_or(String::new(), |undo| format!(", or take the rule back: {undo}"));
        match self.decision {
            _ if force => Ok(()),
            Decision::Allow => Ok(()),
            Decision::Ask => Err(Fault::new(
                Code::ApprovalRequired,
                format!("MCP server '{server}' {word} requires approval ({rule}). Ask the user to allow it: {cure}."),
            )),
            Decision::Deny => Err(Fault::new(
                Code::Denied,
                format!("MCP server '{server}' {word} access denied ({rule}). The user may allow it: {cure}{undo}."),
            )),
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
