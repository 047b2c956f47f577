//! The decisions that are written down.

use super::{Matter, Owner, Subject};
use crate::Host;
use crate::description::Operation;
use crate::mcp::{Holder, McpPermission};
use crate::permission::{AccountPermission, Decision, Permission};
use std::path::PathBuf;

/// One decision as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is about.
    pub subject: Subject,
    /// What was decided.
    pub decision: Decision,
    /// The file it stands in.
    pub file: PathBuf,
    /// Whether that is the operator's own, which commands change. Others can only be stricter.
    pub own: bool,
}

/// Every decision of the files that count here: those about providers, then those about MCP servers, of each the
/// operator's own first.
pub fn written(host: &Host) -> Vec<Rule> {
    let config = &host.surroundings().config;
    let layers = config.policies().layers();
    let of_layer = |(index, layer): (usize, &crate::policy::Layer)| {
        let rules = layer.policy.permissions.iter().flat_map(|(name, said)| of_provider(name.as_ref(), said));
        rules.map(|rule| placed(rule, layer.file.clone(), index == 0)).collect::<Vec<_>>()
    };
    let providers = layers.iter().enumerate().flat_map(of_layer);
    let servers = config.mcp().written().flat_map(|(holder, said, own)| {
        let file = if own { layers.first() } else { layers.last() }.map(|layer| layer.file.clone()).unwrap_or_default();
        of_server(holder, said).into_iter().map(move |rule| placed(rule, file.clone(), own))
    });
    providers.chain(servers).collect()
}

fn placed((subject, decision): (Subject, Decision), file: PathBuf, own: bool) -> Rule {
    Rule { subject, decision, file, own }
}

fn of_provider(name: &str, said: &Permission) -> Vec<(Subject, Decision)> {
    let operations = of_operations(said.read, said.write, |operation| Subject::operation(name, None, operation));
    let functions = said.functions.iter().map(|(f, word)| (Subject::function(name, None, f.as_ref()), *word));
    let accounts = said.accounts.iter().flat_map(|(account, said)| of_account(name, account.as_ref(), said));
    operations.chain(functions).chain(accounts).collect()
}

fn of_account(name: &str, account: &str, said: &AccountPermission) -> Vec<(Subject, Decision)> {
    let subject = |operation| Subject::operation(name, Some(account), operation);
    let functions = said.functions.iter().map(|(f, word)| (Subject::function(name, Some(account), f.as_ref()), *word));
    of_operations(said.read, said.write, subject).chain(functions).collect()
}

fn of_server(holder: Holder<'_>, said: &McpPermission) -> Vec<(Subject, Decision)> {
    let owner = Owner::from(holder);
    let subject = |matter| Subject { owner: owner.clone(), matter };
    let tools = said.tools.iter().map(|(tool, word)| (subject(Matter::Named(tool.clone())), *word));
    of_operations(said.read, said.write, |operation| subject(Matter::Operation(operation))).chain(tools).collect()
}

fn of_operations(
    read: Option<Decision>,
    write: Option<Decision>,
    subject: impl Fn(Operation) -> Subject,
) -> impl Iterator<Item = (Subject, Decision)> {
    let words = [(Operation::Read, read), (Operation::Write, write)];
    words.into_iter().filter_map(move |(operation, word)| Some((subject(operation), word?)))
}
