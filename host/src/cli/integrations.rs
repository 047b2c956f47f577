//! `integrations:list`: what there is and what it can be used with, without running any of it.

use super::arguments::IntegrationsList;
use super::failure::Outcome;
use super::{open, output, table};
use kosmo::docs::Access;
use kosmo::{Fault, Function, Host, Provider, accounts};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A name in a plugin folder, and what came of it.
struct Listed {
    name: String,
    provider: Result<Arc<Provider>, Fault>,
    access: Access,
    /// By account: why one of which there is something cannot be used.
    problems: Vec<(String, String)>,
}

pub(super) fn list(arguments: &IntegrationsList) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let all: Vec<_> = host.registry().names().into_iter().map(|name| listed(&host, name)).collect();
    match all.as_slice() {
        _ if arguments.json => output::json(&json!({"success": true, "providers": rows(&all)})),
        [] => output::line("No plugins are installed. Add one with: kosmo plugins:install FILE.wasm"),
        all => output::foreign(&format!("{}{}", as_table(all), notes(&host, all))),
    }
    Ok(0)
}

fn listed(host: &Host, name: String) -> Listed {
    let provider = host.provider(&name);
    let (access, problems) = match &provider {
        Ok(provider) => (Access::of(host, provider), problems(host, provider)),
        Err(fault) => (Access { usable: Vec::new(), problem: Some(fault.message.clone()) }, Vec::new()),
    };
    Listed { name, provider, access, problems }
}

fn problems(host: &Host, provider: &Provider) -> Vec<(String, String)> {
    let present = accounts::standings(host, provider).into_iter().filter(|standing| standing.place.is_some());
    present.filter_map(|standing| Some((standing.name, standing.problem?.message))).collect()
}

/// Below the table: what is in the way of accounts, and how a provider without any gets one. Where the store cannot be
/// opened, it cannot get one, and may have some.
fn notes(host: &Host, all: &[Listed]) -> String {
    let store = accounts::key_place(host).err();
    let broken = |listed: &Listed| {
        let of = |(account, problem): &(String, String)| format!("\n{}, account {account}: {problem}", listed.name);
        listed.problems.iter().map(of).collect::<String>()
    };
    let without = |listed: &&Listed| {
        listed.provider.is_ok() && listed.access.usable.is_empty() && listed.problems.is_empty() && store.is_none()
    };
    let next = |listed: &Listed| format!("\nTo give {0} an account: kosmo integrations:configure {0}", listed.name);
    let lines = all.iter().map(broken).chain(all.iter().filter(without).map(next));
    let lines = lines.chain(store.iter().map(|fault| format!("\nStore: {fault}"))).collect::<String>();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

fn as_table(all: &[Listed]) -> String {
    let row = |listed: &Listed| match &listed.provider {
        Ok(provider) => {
            let accounts =
                if listed.access.usable.is_empty() { "none".into() } else { listed.access.usable.join(", ") };
            let count = provider.description().functions.len().to_string();
            vec![listed.name.clone(), count, accounts, provider.description().summary.clone()]
        }
        Err(fault) => vec![listed.name.clone(), "-".into(), "-".into(), fault.message.clone()],
    };
    table::aligned(&["NAME", "FUNCTIONS", "ACCOUNTS", "SUMMARY"], &all.iter().map(row).collect::<Vec<_>>())
}

fn rows(all: &[Listed]) -> Map<String, Value> {
    all.iter().map(|listed| (listed.name.clone(), row(listed))).collect()
}

fn row(listed: &Listed) -> Value {
    let provider = match &listed.provider {
        Ok(provider) => provider.description(),
        Err(_) => {
            return json!({"active": false, "accounts": [], "problem": listed.access.problem, "problems": {}, "functions": []});
        }
    };
    let functions: Vec<_> = provider.functions.iter().map(|function| function_row(&provider.name, function)).collect();
    json!({
        "title": provider.title,
        "summary": provider.summary,
        "category": provider.category,
        "version": provider.version,
        "active": !listed.access.usable.is_empty(),
        "accounts": listed.access.usable,
        "problem": listed.access.problem,
        "problems": listed.problems.iter().cloned().collect::<BTreeMap<_, _>>(),
        "functions": functions,
    })
}

fn function_row(provider: &str, function: &Function) -> Value {
    json!({
        "name": format!("{provider}.{}", function.name),
        "provider": provider,
        "function": function.name,
        "summary": function.summary,
        "operation": function.operation.as_str(),
        "destructive": function.destructive,
    })
}
