//! `accounts:list`, `accounts:remove` and `accounts:test`.

use super::arguments::PluginFolders;
use super::failure::{self, Outcome};
use super::{open, output, table};
use clap::Args;
use kosmo::accounts::{self, Standing};
use kosmo::permissions::{self, Owner};
use kosmo::{Code, Fault, Host, Invocation, Provider};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;

/// Flags of `accounts:list`.
#[derive(Debug, Args)]
pub(super) struct AccountsList {
    /// Only this provider's
    #[arg(value_name = "PROVIDER")]
    provider: Option<String>,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

/// Flags of `accounts:remove`.
#[derive(Debug, Args)]
pub(super) struct AccountsRemove {
    /// Such as `dialpad`; its plugin need not be there any more
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Such as `work`
    #[arg(value_name = "ACCOUNT", required_unless_present = "flag", conflicts_with = "flag")]
    account: Option<String>,
    /// The same as ACCOUNT
    #[arg(long = "account", id = "flag", value_name = "NAME")]
    flag: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
}

pub(super) const TEST_HELP: &str = "\
It runs the function that the plugin names for this, which reads who the account belongs to.

Exit codes: 0 it works, 1 it cannot be used as configured, 2 wrong usage, 3 refused by permission or grant, 4 the provider
or the network failed.";

/// Flags of `accounts:test`.
#[derive(Debug, Args)]
pub(super) struct AccountsTest {
    /// Such as `dialpad`
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Such as `work` [default: default]
    #[arg(value_name = "ACCOUNT", conflicts_with = "flag")]
    account: Option<String>,
    /// The same as ACCOUNT
    #[arg(long = "account", id = "flag", value_name = "NAME")]
    flag: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

impl AccountsTest {
    fn account(&self) -> &str {
        self.account.as_ref().or(self.flag.as_ref()).map_or("default", String::as_str)
    }
}

pub(super) fn list(arguments: &AccountsList) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let providers = match &arguments.provider {
        Some(name) => vec![host.provider(name)?],
        None => host.registry().names().iter().filter_map(|name| host.provider(name).ok()).collect(),
    };
    let all = |provider: &Arc<Provider>| (provider.name().to_owned(), present(&host, provider));
    let all: Vec<_> = providers.iter().map(all).collect();
    match accounts::key_place(&host).err() {
        Some(fault) => return list_without_store(&all, fault, arguments.json),
        None if arguments.json => output::json(&json!({"success": true, "providers": rows(&all)})),
        None => output::line(&as_table(&all).unwrap_or_else(|| NONE.into())),
    }
    Ok(0)
}

/// What stands elsewhere is shown, and what cannot be read is told: it is not that there is none.
fn list_without_store(all: &[(String, Vec<Standing>)], fault: Fault, json: bool) -> Outcome {
    if json {
        output::json(&json!({"success": false, "error": fault.message, "fault": fault, "providers": rows(all)}));
        return Ok(failure::exit_code(&fault));
    }
    as_table(all).iter().for_each(|table| output::line(table));
    Err(fault.into())
}

fn rows(all: &[(String, Vec<Standing>)]) -> Map<String, Value> {
    all.iter().map(|(name, found)| (name.clone(), found.iter().map(row).collect())).collect()
}

const NONE: &str = "There are no accounts. Give a provider one with: kosmo integrations:configure PROVIDER";

/// Accounts of which there is something somewhere.
fn present(host: &Host, provider: &Provider) -> Vec<Standing> {
    let all = accounts::standings(host, provider).into_iter();
    all.filter(|standing| standing.place.is_some() || standing.problem.is_none()).collect()
}

/// An account as programs read it.
pub(super) fn row(standing: &Standing) -> Value {
    json!({
        "account": standing.name,
        "active": standing.problem.is_none(),
        "source": standing.place.map(accounts::Place::as_str),
        "fields": standing.given,
        "missing": standing.missing,
        "problem": standing.problem.as_ref().map(|fault| &fault.message),
    })
}

/// Nothing, if there are none.
fn as_table(all: &[(String, Vec<Standing>)]) -> Option<String> {
    let row = |provider: &String, standing: &Standing| {
        let place = standing.place.map_or("-", accounts::Place::as_str);
        let fields: Vec<_> = standing.given.iter().map(String::as_str).collect();
        let problem = standing.problem.as_ref().map_or("active", |fault| &fault.message);
        vec![provider.clone(), standing.name.clone(), place.into(), fields.join(", "), problem.into()]
    };
    let rows: Vec<_> = all.iter().flat_map(|(name, found)| found.iter().map(move |found| row(name, found))).collect();
    (!rows.is_empty()).then(|| table::aligned(&["PROVIDER", "ACCOUNT", "SOURCE", "FIELDS", "STATUS"], &rows))
}

pub(super) fn remove(arguments: &AccountsRemove) -> Outcome {
    let AccountsRemove { provider, json, .. } = arguments;
    let account = arguments.account.as_ref().or(arguments.flag.as_ref()).map_or("default", String::as_str);
    let host = open(&[])?;
    if !accounts::remove(&host, provider, account)? {
        return Err(not_stored(&host, provider, account).into());
    }
    let left = left(&host, provider, account);
    if *json {
        output::json(&json!({"success": true, "provider": provider, "account": account, "next_commands": left}));
        return Ok(0);
    }
    output::line(&format!("Removed account '{account}' of {provider}, with its secrets and tokens."));
    if !left.is_empty() {
        let left: Vec<_> = left.iter().map(|command| format!("\n  {command}")).collect();
        output::foreign(&format!(
            "What was decided about it is left, and {provider} waits until it is taken back:{}",
            left.concat()
        ));
    }
    Ok(0)
}

fn not_stored(host: &Host, provider: &str, account: &str) -> Fault {
    let message = format!("The store holds no account '{account}' of '{provider}'.");
    let found = host.provider(provider).ok().map(|provider| accounts::standing(host, &provider, account));
    let stands = found.is_some_and(|found| matches!(found.place, Some(accounts::Place::Environment)));
    let field = accounts::variable(provider, account, "…");
    let cure = if stands { format!(" It stands in the environment, as {field}; unset that.") } else { String::new() };
    Fault::new(Code::Unknown, message + &cure)
}

/// What takes back the decisions about an account that there is no more.
fn left(host: &Host, provider: &str, account: &str) -> Vec<String> {
    // The environment may have one of that name.
    let known = host.provider(provider).map(|provider| host.accounts(&provider)).unwrap_or_default();
    if known.iter().any(|known| known == account) {
        return Vec::new();
    }
    let rules =
        permissions::written(host).into_iter().filter(|rule| rule.own && rule.subject.account() == Some(account));
    let of_it = |owner: &Owner| matches!(owner, Owner::Provider { name, .. } if name == provider);
    rules.filter(|rule| of_it(&rule.subject.owner)).filter_map(|rule| rule.subject.unset()).collect()
}

pub(super) fn test(arguments: &AccountsTest) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let begun = Instant::now();
    let answer = whoami(&host, arguments);
    let duration = (begun.elapsed().as_secs_f64() * 10_000.0).round() / 10.0;
    let (provider, account) = (&arguments.provider, arguments.account());
    match (&answer, arguments.json) {
        (Ok((function, who)), true) => output::json(&json!({
            "success": true, "provider": provider, "account": account, "function": function, "data": who,
            "error": null, "duration_ms": duration,
        })),
        (Err(fault), true) => output::json(&json!({
            "success": false, "provider": provider, "account": account, "function": null, "data": null,
            "error": fault.message, "fault": fault, "duration_ms": duration,
        })),
        (Ok((function, who)), false) => {
            output::foreign(&format!(
                "Account '{account}' of {provider} works. {function} says:\n{}",
                output::pretty(who)
            ));
        }
        (Err(fault), false) => output::error(&fault.message),
    }
    Ok(answer.err().as_ref().map_or(0, failure::exit_code))
}

/// The function that was asked, and its answer.
fn whoami(host: &Host, arguments: &AccountsTest) -> Result<(String, Value), Fault> {
    let provider = host.provider(&arguments.provider)?;
    let function = provider.description().whoami.clone().ok_or_else(|| {
        let name = provider.name();
        let message = format!("{name} names no function that tells who an account is. Call one of its own instead.");
        Fault::new(Code::Unsupported, message)
    })?;
    let account = Some(arguments.account().to_owned());
    let invocation = Invocation { account, ..Invocation::new(provider.name(), &function, Map::new()) };
    let answer = host.block_on(host.invoke(invocation))?;
    let answer = serde_json::from_str(&answer).unwrap_or(Value::String(answer));
    Ok((format!("{}.{function}", provider.name()), answer))
}
