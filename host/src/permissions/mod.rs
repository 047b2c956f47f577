//! Reading and changing what files permit, rule by rule.

mod rules;

pub use crate::subject::{Matter, Owner, Subject};
pub use rules::{Rule, written};

use crate::description::Operation;
use crate::fault::{Code, Fault};
use crate::mcp::config::Server;
use crate::mcp::{Holder, split};
use crate::nearest::did_you_mean;
use crate::permission::{Decision, Intent};
use crate::{Host, Provider, config_edit};
use std::path::PathBuf;
use std::sync::Arc;
use toml_edit::Key;

/// A decision as it stands in `config.toml` now.
#[derive(Debug)]
pub struct Permitted {
    /// Where the file is.
    pub file: PathBuf,
    /// `` `send_sms = "allow"` under [permissions.dialpad.functions] ``
    pub line: String,
    /// What it is about.
    pub subject: Subject,
    /// Another file that asks or denies all the same: `.kosmo/config.toml`
    pub narrowed: Option<String>,
}

/// What `dialpad.send_sms`, `dialpad.work.send_sms` or `mcp.github.write` is about; `named` says that the last word is
/// the name of a function or tool, whatever it is.
///
/// # Errors
/// `invalid_argument` for a path of another form, and for an account of an MCP server.
pub fn subject(host: &Host, path: &str, account: Option<&str>, named: bool) -> Result<Subject, Fault> {
    let parts = match path.strip_prefix("mcp.") {
        Some(rest) if account.is_none() => of_server(host, rest),
        Some(rest) => {
            let message = format!("An MCP server has no accounts: leave out --account, and it is about mcp.{rest}.");
            return Err(Fault::argument("account", message));
        }
        None => path.split_once('.').map(|(provider, rest)| of_provider(provider, rest, account)),
    };
    let (owner, last) = parts.filter(|(_, last)| !last.is_empty()).ok_or_else(|| malformed(path))?;
    Ok(Subject { owner, matter: Matter::of(last, named) })
}

/// The account may stand in the path, as it does in scripts.
fn of_provider<'a>(provider: &str, rest: &'a str, account: Option<&str>) -> (Owner, &'a str) {
    let (account, last) = match (account, rest.split_once('.')) {
        (None, Some((account, last))) => (Some(account), last),
        (account, _) => (account, rest),
    };
    (Owner::Provider { name: provider.into(), account: account.map(Into::into) }, last)
}

/// The server that a script would ask by this path. What was decided about one that is gone can still be taken back.
fn of_server<'a>(host: &'a Host, path: &'a str) -> Option<(Owner, &'a str)> {
    let servers = &host.mcp().config().servers;
    let here = || servers.keys().map(String::as_str);
    let begins = |server: &str| path.strip_prefix(server).is_some_and(|rest| rest.starts_with('.'));
    let written = || host.surroundings().config.mcp().written().map(|(holder, ..)| holder.server);
    let (name, tool) = if here().any(begins) { split(path, here()) } else { split(path, written()) }?;
    let holder = servers.get(name).map_or_else(|| Holder::of_home(name), Server::holder);
    Some((holder.into(), tool))
}

fn malformed(path: &str) -> Fault {
    let message = format!(
        "`{path}` names no permission. Say whose function it is, as in dialpad.send_sms, dialpad.write, \
         mcp.github.create_issue or mcp.github.read."
    );
    Fault::new(Code::InvalidArgument, message)
}

/// Decides about it in `config.toml`.
///
/// # Errors
/// `unknown` for a provider, function, account or server that there is not: what is mistyped would decide nothing. When
/// `config.toml` cannot be changed.
pub fn set(host: &Host, subject: &Subject, decision: Decision) -> Result<Permitted, Fault> {
    let provider = check(host, subject)?;
    write(host, provider.as_deref(), subject.clone(), decision)
}

/// Takes back what was decided about it in `config.toml`. Whether there was something.
///
/// # Errors
/// When `config.toml` cannot be changed.
pub fn unset(host: &Host, subject: &Subject) -> Result<bool, Fault> {
    let (home, store) = crate::accounts::home(host)?;
    let (_alone, keys) = (store.alone()?, keys(subject));
    config_edit::unset(home, &keys.iter().map(String::as_str).collect::<Vec<_>>())
}

/// As [`set`], of what is known to be there.
pub(crate) fn write(
    host: &Host,
    provider: Option<&Provider>,
    subject: Subject,
    decision: Decision,
) -> Result<Permitted, Fault> {
    let (home, store) = crate::accounts::home(host)?;
    let _alone = store.alone()?;
    let keys = keys(&subject);
    config_edit::set(home, &keys.iter().map(String::as_str).collect::<Vec<_>>(), decision.as_str())?;
    let line = line(&keys, decision);
    let narrowed = provider.and_then(|provider| narrowed(host, provider, &subject, decision));
    Ok(Permitted { file: home.join("config.toml"), line, subject, narrowed })
}

fn line(keys: &[String], decision: Decision) -> String {
    let mut keys: Vec<_> = keys.iter().map(|key| Key::new(key.as_str()).to_string()).collect();
    let last = keys.pop().unwrap_or_default();
    format!("`{last} = \"{}\"` under [{}]", decision.as_str(), keys.join("."))
}

/// The keys that lead to it.
fn keys(subject: &Subject) -> Vec<String> {
    let (mut keys, names) = match &subject.owner {
        Owner::Provider { name, account: None } => (vec!["permissions".into(), name.clone()], "functions"),
        Owner::Provider { name, account: Some(account) } => {
            (vec!["permissions".into(), name.clone(), "accounts".into(), account.clone()], "functions")
        }
        Owner::Server { name, project } => (Holder { server: name, project: project.as_deref() }.keys(), "tools"),
    };
    match &subject.matter {
        Matter::Operation(operation) => keys.push(operation.as_str().into()),
        Matter::Named(name) => keys.extend([names.into(), name.clone()]),
    }
    keys
}

fn narrowed(host: &Host, provider: &Provider, subject: &Subject, decision: Decision) -> Option<String> {
    let policies = host.surroundings().config.policies();
    policies.narrowed_by(&intent(provider, subject), decision).map(Into::into)
}

fn intent<'a>(provider: &'a Provider, subject: &'a Subject) -> Intent<'a> {
    let (function, operation) = match &subject.matter {
        Matter::Operation(operation) => ("", *operation),
        Matter::Named(name) => {
            let known = provider.description().function(name);
            (name.as_str(), known.map_or(Operation::Write, |known| known.operation))
        }
    };
    Intent { provider: provider.name(), account: subject.account().unwrap_or_default(), function, operation }
}

/// What counts for a provider's functions, and the line that says so.
pub fn counts(host: &Host, subject: &Subject) -> Option<(Decision, String)> {
    let Owner::Provider { name, .. } = &subject.owner else { return None };
    let provider = host.provider(name).ok()?;
    let permissions = host.surroundings().config.policies().permissions(name);
    let ruling = permissions.decide(&intent(&provider, subject), false);
    Some((ruling.decision, ruling.rule))
}

/// Whether it is about something there is. Gives the provider, if it is one's.
fn check(host: &Host, subject: &Subject) -> Result<Option<Arc<Provider>>, Fault> {
    match &subject.owner {
        Owner::Server { name, .. } => host.mcp().find(name).map(|_| None),
        Owner::Provider { name, account } => {
            let provider = host.provider(name)?;
            account.iter().try_for_each(|account| check_account(host, &provider, account))?;
            check_function(&provider, &subject.matter)?;
            Ok(Some(provider))
        }
    }
}

fn check_account(host: &Host, provider: &Provider, account: &str) -> Result<(), Fault> {
    let (name, known) = (provider.name(), host.accounts(provider));
    if known.iter().any(|known| known == account) {
        return Ok(());
    }
    let near = did_you_mean(account, known.iter().map(String::as_str));
    let known = if known.is_empty() { "none".into() } else { known.join(", ") };
    let message = format!("Integration '{name}' has no account '{account}' (it has: {known}).{near}");
    Err(Fault::new(Code::Unknown, message))
}

fn check_function(provider: &Provider, matter: &Matter) -> Result<(), Fault> {
    let Matter::Named(function) = matter else { return Ok(()) };
    let description = provider.description();
    if description.function(function).is_some() {
        return Ok(());
    }
    let near = did_you_mean(function, description.functions.iter().map(|known| known.name.as_str()));
    let message = format!("Unknown integration function: {}.{function}.{near}", provider.name());
    Err(Fault::new(Code::Unknown, message.trim_end_matches('.')))
}
