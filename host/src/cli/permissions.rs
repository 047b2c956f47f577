//! `permissions:list`, `permissions:set` and `permissions:unset`: what scripts may do, rule by rule.

use super::arguments::PluginFolders;
use super::configure::decision;
use super::failure::Outcome;
use super::{open, output, table};
use clap::Args;
use kosmo::permissions::{self, Matter, Owner, Rule, Subject};
use kosmo::{Code, Decision, Fault, Host};
use serde_json::{Value, json};

pub(super) const HELP: &str = "\
A permission is:
  dialpad.send_sms           one function
  dialpad.read, .write       all functions that only read, or all others
  mcp.github.create_issue    one tool of an MCP server
  mcp.github.read, .write    all tools that only read, or all others

A function counts before read and write, and one account before all. It is written into config.toml of the kosmo home; a
project's .kosmo/config.toml can only be stricter. What a question at a terminal was answered with `always` or `never` is
such a rule, and permissions:unset takes it back.

Examples:
  kosmo permissions:set dialpad.send_sms deny
  kosmo permissions:set dialpad.write allow --account work
  kosmo permissions:unset dialpad.send_sms";

/// Flags of `permissions:list`.
#[derive(Debug, Args)]
pub(super) struct PermissionsList {
    /// Only of this provider, or of an MCP server such as mcp.github
    #[arg(value_name = "PROVIDER")]
    owner: Option<String>,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
}

/// What a permission is about.
#[derive(Debug, Args)]
struct About {
    /// Such as dialpad.send_sms, dialpad.write or mcp.github.create_issue
    #[arg(value_name = "PERMISSION")]
    permission: String,
    /// On this account alone
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// It is one function or tool, even if that is called `read` or `write`
    #[arg(long)]
    named: bool,
}

/// Flags of `permissions:set`.
#[derive(Debug, Args)]
pub(super) struct PermissionsSet {
    #[command(flatten)]
    about: About,
    /// What scripts may do: allow, ask or deny
    #[arg(value_name = "DECISION", value_parser = decision)]
    decision: Decision,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

/// Flags of `permissions:unset`.
#[derive(Debug, Args)]
pub(super) struct PermissionsUnset {
    #[command(flatten)]
    about: About,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

impl About {
    fn subject(&self, host: &Host) -> Result<Subject, Fault> {
        permissions::subject(host, &self.permission, self.account.as_deref(), self.named)
    }
}

pub(super) fn list(arguments: &PermissionsList) -> Outcome {
    let host = open(&[])?;
    let mut rules = permissions::written(&host);
    rules.retain(|rule| arguments.owner.as_ref().is_none_or(|owner| is_of(rule, owner)));
    match rules.as_slice() {
        rules if arguments.json => {
            output::json(&json!({"success": true, "permissions": rules.iter().map(row).collect::<Vec<_>>()}));
        }
        [] => output::line("Nothing is decided: what only reads is allowed, and everything else is asked about."),
        rules => output::foreign(&shown(rules)),
    }
    Ok(0)
}

fn is_of(rule: &Rule, owner: &str) -> bool {
    match &rule.subject.owner {
        Owner::Provider { name, .. } => name == owner,
        Owner::Server { name, .. } => owner.strip_prefix("mcp.") == Some(name),
    }
}

fn row(rule: &Rule) -> Value {
    let Rule { subject, decision, file, .. } = rule;
    json!({"permission": subject.to_string(), "named": matches!(subject.matter, Matter::Named(_)),
        "account": subject.account(), "project": project(subject), "decision": decision.as_str(), "file": file})
}

/// Whose server it is about, if it is a project's.
fn project(subject: &Subject) -> Option<String> {
    match &subject.owner {
        Owner::Server { project, .. } => project.as_ref().map(|folder| folder.display().to_string()),
        Owner::Provider { .. } => None,
    }
}

fn shown(rules: &[Rule]) -> String {
    let rows: Vec<_> = rules.iter().map(cells).collect();
    table::aligned(&["PERMISSION", "ACCOUNT", "DECISION", "FILE"], &rows)
}

fn cells(rule: &Rule) -> Vec<String> {
    let Rule { subject, decision, file, .. } = rule;
    let path = if subject.is_mistakable() { format!("{subject} --named") } else { subject.to_string() };
    let account = subject.account().unwrap_or("-").to_owned();
    let of_project = project(subject).map(|folder| format!(", for {folder}"));
    let file = format!("{}{}", file.display(), of_project.unwrap_or_default());
    [path, account, decision.as_str().into(), file].map(|cell| output::in_one_line(&cell).into_owned()).to_vec()
}

pub(super) fn set(arguments: &PermissionsSet) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let subject = arguments.about.subject(&host)?;
    let permitted = permissions::set(&host, &subject, arguments.decision)?;
    if arguments.json {
        output::json(&json!({"success": true, "permission": subject.to_string(), "account": subject.account(),
            "decision": arguments.decision.as_str(), "file": permitted.file, "narrowed_by": permitted.narrowed}));
        return Ok(0);
    }
    let narrowed = permitted.narrowed.map(|other| format!(" {other} asks or denies all the same.")).unwrap_or_default();
    output::foreign(&format!("{} is {}.{narrowed}", called(&subject), told(arguments.decision)));
    Ok(0)
}

pub(super) fn unset(arguments: &PermissionsUnset) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let subject = arguments.about.subject(&host)?;
    if !permissions::unset(&host, &subject)? {
        return Err(nothing(&host, &subject).into());
    }
    let counts = permissions::counts(&open(&arguments.plugins.folders)?, &subject);
    if arguments.json {
        let counts = counts.map(|(decision, _)| decision.as_str());
        output::json(&json!({"success": true, "permission": subject.to_string(), "account": subject.account(),
            "decision": counts}));
        return Ok(0);
    }
    let counts = counts.map(|(decision, rule)| format!(" It is {}: {rule}.", told(decision))).unwrap_or_default();
    output::foreign(&format!("Nothing is decided about {} any more.{counts}", called(&subject)));
    Ok(0)
}

fn nothing(host: &Host, subject: &Subject) -> Fault {
    let elsewhere: Vec<_> = permissions::written(host).into_iter().filter(|rule| is_near(rule, subject)).collect();
    let cures: Vec<_> = elsewhere.iter().filter_map(|rule| rule.subject.unset()).collect();
    let cure = match &*cures {
        [] => "kosmo permissions:list lists what is.".into(),
        cures => format!("What is decided on another account, or on all, is taken back by: {}", cures.join(", ")),
    };
    Fault::new(Code::Unknown, format!("Nothing is decided about {} in config.toml. {cure}", called(subject)))
}

/// Whether it is a rule of `config.toml` for the same function, on other accounts.
fn is_near(rule: &Rule, subject: &Subject) -> bool {
    rule.own && rule.subject.matter == subject.matter && rule.subject.to_string() == subject.to_string()
}

/// `dialpad.send_sms on account 'work'`
fn called(subject: &Subject) -> String {
    let account = subject.account().map(|name| format!(" on account '{name}'"));
    format!("{subject}{}", account.unwrap_or_default())
}

fn told(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allowed",
        Decision::Ask => "asked about",
        Decision::Deny => "denied",
    }
}
