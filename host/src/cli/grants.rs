//! `grants:show`, `grants:check`, `grants:add` and `grants:remove`.

use super::arguments::{GrantsAdd, GrantsCheck, GrantsRemove, GrantsShow};
use super::failure::{Outcome, Usage};
use super::{open, output, table};
use kosmo::grants::{self, Added, Allowed, Answer, GrantsError};
use kosmo::{Code, Decision, Fault, Grant, Host, Provider, shell_quoted};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// Refused by a permission or a grant.
const REFUSED: i32 = 3;

pub(super) fn show(arguments: &GrantsShow) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let names: BTreeSet<_> = match &arguments.provider {
        Some(name) => [host.provider(name)?.name().to_owned()].into(),
        None => host.registry().names().into_iter().chain(grants::named(&host)).collect(),
    };
    if arguments.json {
        let rows: Map<_, _> = names.iter().map(|name| (name.clone(), row(&host, name))).collect();
        output::json(&json!({"success": true, "grants": rows}));
    } else if names.is_empty() {
        output::line("No plugins are installed. Add one with: kosmo plugins:install FILE.wasm");
    } else {
        let blocks: Vec<_> = names.iter().map(|name| block(&host, name)).collect();
        output::foreign(&blocks.join("\n"));
    }
    Ok(0)
}

pub(super) fn check(arguments: &GrantsCheck) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let provider = host.provider(&arguments.provider)?;
    let account = arguments.account.as_deref().unwrap_or("default");
    let answer = grants::check(&host, &provider, account, &arguments.method, &arguments.url).map_err(told)?;
    if arguments.json {
        output::json(&answer_row(arguments, account, &answer));
    } else {
        output::foreign(&answer_text(arguments, &answer));
    }
    Ok(if answer.verdict() == Decision::Allow { 0 } else { REFUSED })
}

fn told(fault: Fault) -> anyhow::Error {
    if fault.code == Code::InvalidArgument { Usage(fault.message).into() } else { fault.into() }
}

pub(super) fn add(arguments: &GrantsAdd) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let provider = host.provider(&arguments.provider)?;
    let added = grants::add(&host, &provider, &arguments.rule, arguments.only).map_err(unchanged)?;
    let (Added::Listed(rule) | Added::Included(rule) | Added::ByDefault(rule)) = &added;
    let obstacles: Vec<_> = grants::obstacles(&host, &provider, rule).iter().map(ToString::to_string).collect();
    if arguments.json {
        output::json(&json!({
            "success": true, "provider": provider.name(), "rule": rule, "outcome": outcome(&added),
            "changed": matches!(added, Added::Listed(_)), "obstacles": obstacles,
        }));
        return Ok(0);
    }
    output::foreign(&added_text(provider.name(), &added));
    obstacles.iter().for_each(|obstacle| output::foreign(obstacle));
    Ok(0)
}

/// A rule that is none was typed wrongly; everything else failed.
fn unchanged(error: GrantsError) -> anyhow::Error {
    match error {
        GrantsError::Rule(error) => Usage(error.to_string()).into(),
        error => error.into(),
    }
}

fn outcome(added: &Added) -> &'static str {
    match added {
        Added::Listed(_) => "listed",
        Added::Included(_) => "included",
        Added::ByDefault(_) => "declared",
    }
}

fn added_text(name: &str, added: &Added) -> String {
    match added {
        Added::Listed(rule) => format!("{name} may now send `{rule}`, and nothing that its grant does not list."),
        Added::Included(rule) => {
            format!("{name} may send that already: its grant lists `{rule}`. Nothing was changed.")
        }
        Added::ByDefault(rule) => format!(
            "{name} may send that already: without a list in its grant it may send what its plugin declares. Nothing \
             was changed. To grant this and nothing else: kosmo grants:add {name} --only {}",
            shell_quoted(&rule.to_string())
        ),
    }
}

pub(super) fn remove(arguments: &GrantsRemove) -> Outcome {
    let host = open(&[])?;
    let name = &arguments.provider;
    let left = grants::remove(&host, name, &arguments.rule).map_err(unchanged)?;
    if arguments.json {
        output::json(&json!({"success": true, "provider": name, "rule": arguments.rule, "requests": left}));
        return Ok(0);
    }
    let left: Vec<_> = left.iter().map(|rule| format!("\n  {rule}")).collect();
    output::foreign(&match left.as_slice() {
        [] => format!(
            "{name} may send nothing any more. To grant what its plugin declares, delete `requests` under \
             [grants.{name}] in config.toml."
        ),
        left => format!("{name} may now send only:{}", left.concat()),
    });
    Ok(0)
}

fn row(host: &Host, name: &str) -> Value {
    let files = grants::written(host, name).into_iter();
    let files: Vec<_> = files.map(|written| json!({"file": written.file, "grant": written.grant})).collect();
    match host.provider(name) {
        Ok(provider) => json!({"declared": declared(&provider), "files": files, "problem": null}),
        Err(fault) => json!({"declared": [], "files": files, "problem": fault.message}),
    }
}

/// Each function with what it declares, in the plugin's order.
fn declared(provider: &Provider) -> Vec<Value> {
    let functions = grants::declared(provider).into_iter();
    functions.map(|(function, requests)| json!({"function": function, "requests": requests})).collect()
}

fn block(host: &Host, name: &str) -> String {
    let declared = match host.provider(name) {
        Ok(provider) => declared_lines(&provider),
        Err(fault) => format!("  {}\n", fault.message),
    };
    let files = grants::written(host, name);
    let granted: Vec<_> = files.iter().map(|written| granted_lines(&written.file, &written.grant)).collect();
    let granted = if granted.is_empty() { "  grants all of that\n".into() } else { granted.concat() };
    format!("{name}\n{declared}{granted}")
}

fn declared_lines(provider: &Provider) -> String {
    let functions = grants::declared(provider).into_iter();
    let rows: Vec<_> = functions
        .flat_map(|(name, requests)| requests.into_iter().map(move |request| vec![request, name.clone()]))
        .collect();
    let lines = table::aligned(&["DECLARES", "FOR"], &rows);
    lines.lines().map(|line| format!("  {line}\n")).collect()
}

fn granted_lines(file: &Path, grant: &Grant) -> String {
    let accounts = grant.accounts.iter().map(|names| {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        format!("accounts {}", if names.is_empty() { "none".into() } else { names.join(", ") })
    });
    let requests = grant.requests.iter().flat_map(|rules| match rules.as_slice() {
        [] => vec!["no request".to_owned()],
        rules => rules.iter().map(ToString::to_string).collect(),
    });
    let limits = serde_json::to_value(&grant.limits).unwrap_or_default();
    let limits = limits.as_object().into_iter().flatten().map(|(name, value)| format!("{name} {value}"));
    let all = accounts.chain(requests).chain(limits.collect::<Vec<_>>());
    format!("  {} grants only\n{}", file.display(), all.map(|line| format!("    {line}\n")).collect::<String>())
}

fn answer_text(arguments: &GrantsCheck, answer: &Answer) -> String {
    let word = match answer.verdict() {
        Decision::Allow => "allowed",
        Decision::Ask => "approval required",
        Decision::Deny => "denied",
    };
    let mut lines = vec![format!("{word}: {} {}", arguments.method, answer.url)];
    if !answer.allowed.is_empty() {
        let rows: Vec<_> = answer.allowed.iter().map(allowed_cells).collect();
        lines.push(table::aligned(&["FUNCTION", "DECLARED", "GRANTED", "PERMISSION"], &rows));
    }
    let refusals = answer.allowed.iter().filter_map(|allowed| allowed.refusal.as_ref());
    lines.extend(refusals.chain(&answer.denied).map(|fault| fault.message.clone()));
    lines.dedup();
    lines.join("\n")
}

fn allowed_cells(allowed: &Allowed) -> Vec<String> {
    let granted: Vec<_> = allowed.granted.iter().map(|(file, rule)| format!("{rule} ({})", file.display())).collect();
    let granted = if granted.is_empty() { "as declared".into() } else { granted.join(", ") };
    vec![allowed.function.clone(), allowed.declared.clone(), granted, allowed.permission.as_str().into()]
}

fn answer_row(arguments: &GrantsCheck, account: &str, answer: &Answer) -> Value {
    let allowed = |allowed: &Allowed| {
        let granted = allowed.granted.iter().map(|(file, rule)| json!({"file": file, "rule": rule}));
        json!({
            "function": allowed.function,
            "declared": allowed.declared,
            "granted": granted.collect::<Vec<_>>(),
            "permission": allowed.permission.as_str(),
            "refusal": allowed.refusal.as_ref().map(|fault| &fault.message),
        })
    };
    let denied = |fault: &Fault| json!({"function": fault.function, "code": fault.code, "message": fault.message});
    json!({
        "success": answer.verdict() == Decision::Allow,
        "verdict": answer.verdict().as_str(),
        "provider": arguments.provider,
        "account": account,
        "method": arguments.method,
        "url": answer.url,
        "allowed": answer.allowed.iter().map(allowed).collect::<Vec<_>>(),
        "denied": answer.denied.iter().map(denied).collect::<Vec<_>>(),
    })
}
