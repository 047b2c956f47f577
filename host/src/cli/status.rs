//! `integrations:status`, `integrations:doctor` and `integrations:fields`: how each provider stands, and what to do next.

use super::accounts::row;
use super::arguments::PluginFolders;
use super::failure::Outcome;
use super::{open, output, table};
use clap::Args;
use kosmo::accounts::{self, Standing, variable};
use kosmo::{CredentialField, Fault, FieldKind, Host, Operation, Provider};
use serde_json::{Map, Value, json};

/// Flags of `integrations:status`.
#[derive(Debug, Args)]
pub(super) struct IntegrationsStatus {
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

/// Flags of `integrations:doctor`.
#[derive(Debug, Args)]
pub(super) struct IntegrationsDoctor {
    /// Only this one
    #[arg(value_name = "PROVIDER")]
    provider: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

/// Flags of `integrations:fields`.
#[derive(Debug, Args)]
pub(super) struct IntegrationsFields {
    /// Such as `dialpad`
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// The account
    #[arg(long, value_name = "NAME", default_value = "default")]
    account: String,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

/// One name in a plugin folder, looked into.
struct Finding {
    name: String,
    provider: Result<Found, Fault>,
}

struct Found {
    provider: std::sync::Arc<Provider>,
    standings: Vec<Standing>,
    enabled: bool,
}

impl Finding {
    fn of(host: &Host, name: String) -> Self {
        let provider = host.provider(&name).map(|provider| Found {
            standings: accounts::standings(host, &provider),
            enabled: accounts::is_enabled(host, &name),
            provider,
        });
        Self { name, provider }
    }

    /// `active` and `inactive` as in `integrations:list`, `disabled` by the operator, or `broken`.
    fn word(&self) -> &'static str {
        match &self.provider {
            Err(_) => "broken",
            Ok(found) if !found.enabled => "disabled",
            Ok(found) if found.active().next().is_some() => "active",
            Ok(_) => "inactive",
        }
    }
}

impl Found {
    fn active(&self) -> impl Iterator<Item = &Standing> {
        self.standings.iter().filter(|standing| standing.problem.is_none())
    }

    fn names<'a>(standings: impl Iterator<Item = &'a Standing>) -> Vec<&'a str> {
        standings.map(|standing| standing.name.as_str()).collect()
    }

    /// Whether any account has all it needs.
    fn is_configured(&self) -> bool {
        self.standings.iter().any(|standing| standing.missing.is_empty())
    }

    fn missing(&self) -> Vec<&str> {
        let first = self.standings.first().filter(|_| !self.is_configured());
        first.into_iter().flat_map(|standing| &standing.missing).map(String::as_str).collect()
    }
}

pub(super) fn status(arguments: &IntegrationsStatus) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let all: Vec<_> = host.registry().names().into_iter().map(|name| Finding::of(&host, name)).collect();
    if arguments.json {
        let rows: Map<_, _> = all.iter().map(|finding| (finding.name.clone(), status_row(finding))).collect();
        output::json(&json!({"success": true, "providers": rows, "store": opened(&host).as_ref().map(kept_row)}));
        return Ok(0);
    }
    let rows: Vec<_> = all.iter().map(status_line).collect();
    match rows.as_slice() {
        [] => output::line("No plugins are installed. Add one with: kosmo plugins:install FILE.wasm"),
        rows => output::line(&table::aligned(&["NAME", "STATUS", "ACCOUNTS", "FUNCTIONS", "AUTH"], rows)),
    }
    opened(&host).filter(Result::is_err).iter().for_each(|kept| output::line(&format!("\n{}", kept_line(kept))));
    Ok(0)
}

fn status_line(finding: &Finding) -> Vec<String> {
    let Ok(found) = &finding.provider else {
        return vec![finding.name.clone(), finding.word().into(), "-".into(), "-".into(), "-".into()];
    };
    let accounts = Found::names(found.active()).join(", ");
    let accounts = if accounts.is_empty() { "none".into() } else { accounts };
    let description = found.provider.description();
    let (count, auth) = (description.functions.len().to_string(), description.auth_strategy());
    vec![finding.name.clone(), finding.word().into(), accounts, count, auth.into()]
}

fn status_row(finding: &Finding) -> Value {
    let Ok(found) = &finding.provider else {
        let problem = finding.provider.as_ref().err().map(|fault| &fault.message);
        return json!({"active": false, "configured": false, "accounts": [], "functions": 0, "auth_strategy": null,
            "cli_setup_supported": false, "cli_runtime_supported": false, "compatibility_summary": problem});
    };
    let description = found.provider.description();
    json!({
        "active": finding.word() == "active",
        "configured": found.is_configured(),
        "accounts": Found::names(found.standings.iter().filter(|standing| standing.missing.is_empty())),
        "functions": description.functions.len(),
        "auth_strategy": description.auth_strategy(),
        "cli_setup_supported": true,
        "cli_runtime_supported": true,
        "compatibility_summary": SUPPORTED,
    })
}

const SUPPORTED: &str = "Runs here, in a sandbox.";

pub(super) fn doctor(arguments: &IntegrationsDoctor) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let known = host.registry().names();
    let wanted: Vec<_> = match &arguments.provider {
        Some(name) if !known.contains(name) => return Err(unknown(name, &known).into()),
        Some(name) => vec![name.clone()],
        None => known,
    };
    let all: Vec<_> = wanted.into_iter().map(|name| Finding::of(&host, name)).collect();
    if !arguments.json {
        let pages: Vec<_> = all.iter().map(|finding| checkup(&host, finding)).collect();
        let nothing = || "No plugins are installed. Add one with: kosmo plugins:install FILE.wasm".into();
        output::foreign(&if pages.is_empty() { nothing() } else { pages.join("\n\n") });
        kept(&host).iter().for_each(|kept| output::line(&format!("\n{}", kept_line(kept))));
        return Ok(0);
    }
    match (all.as_slice(), &arguments.provider) {
        ([one], Some(_)) => output::json(&doctor_row(&host, one)),
        (all, _) => {
            let rows: Map<_, _> =
                all.iter().map(|finding| (finding.name.clone(), doctor_row(&host, finding))).collect();
            output::json(&rows);
        }
    }
    Ok(0)
}

fn unknown(name: &str, known: &[String]) -> Fault {
    let near = kosmo::did_you_mean(name, known.iter().map(String::as_str));
    let message = format!("Unknown provider: {name}.{near}");
    Fault::new(kosmo::Code::Unknown, message.trim_end_matches('.'))
}

fn doctor_row(host: &Host, finding: &Finding) -> Value {
    let next = next_commands(host, finding);
    let found = match &finding.provider {
        Ok(found) => found,
        Err(fault) => {
            return json!({"provider": finding.name, "locally_runnable": false, "cli_setup_supported": false,
                "cli_runtime_supported": false, "active": false, "compatibility_summary": fault.message,
                "next_commands": next});
        }
    };
    let description = found.provider.description();
    let decision = |operation| accounts::decision(host, &finding.name, operation).as_str();
    let examples = description.functions.iter().take(5).map(|function| format!("{}.{}", finding.name, function.name));
    json!({
        "provider": finding.name,
        "version": description.version,
        "digest": found.provider.digest(),
        "accepted": accounts::is_accepted(host, &found.provider),
        "locally_runnable": true,
        "cli_setup_supported": true,
        "cli_runtime_supported": true,
        "compatibility_summary": SUPPORTED,
        "auth_strategy": description.auth_strategy(),
        "enabled": found.enabled,
        "configured": found.is_configured(),
        "active": finding.word() == "active",
        "missing_credentials": found.missing(),
        "accounts": found.standings.iter().map(row).collect::<Vec<_>>(),
        "permissions": {"read": decision(Operation::Read), "write": decision(Operation::Write)},
        "store": kept(host).as_ref().map(kept_row),
        "function_count": description.functions.len(),
        "example_functions": examples.collect::<Vec<_>>(),
        "next_commands": next,
    })
}

/// Where what was configured here is kept, and what it is sealed with. Nothing while nothing is kept.
fn opened(host: &Host) -> Option<Result<&'static str, Fault>> {
    accounts::key_place(host).transpose()
}

/// The same, and what keeps something from being kept.
fn kept(host: &Host) -> Option<Result<&'static str, Fault>> {
    accounts::check_home(host).err().map(Err).or_else(|| opened(host))
}

fn kept_line(kept: &Result<&'static str, Fault>) -> String {
    match kept {
        Ok(place) => format!("Store: kosmo.db, sealed with the key in {place}"),
        Err(fault) => format!("Store: {fault}"),
    }
}

fn kept_row(kept: &Result<&'static str, Fault>) -> Value {
    json!({"file": "kosmo.db", "key": kept.as_ref().ok(), "problem": kept.as_ref().err().map(|fault| &fault.message)})
}

/// What would bring it forward, or what can be done with it now.
fn next_commands(host: &Host, finding: &Finding) -> Vec<String> {
    let name = &finding.name;
    let found = match &finding.provider {
        Ok(found) => found,
        Err(_) => return vec!["kosmo plugins:install FILE.wasm".into()],
    };
    let Some(active) = found.active().next() else { return ways_forward(host, found) };
    let account = if active.name == "default" { String::new() } else { format!(" --account {}", active.name) };
    let whoami = found.provider.description().whoami.is_some();
    let test = whoami.then(|| format!("kosmo accounts:test {name}{account}"));
    let asks = accounts::decision(host, name, Operation::Write) != kosmo::Decision::Allow;
    let write = asks.then(|| format!("kosmo integrations:configure {name} --write allow"));
    test.into_iter().chain([format!("kosmo integrations:docs {name}")]).chain(write).collect()
}

/// What would make an account usable. Where nothing can be kept, what would keep something is no help.
fn ways_forward(host: &Host, found: &Found) -> Vec<String> {
    let name = found.provider.name();
    let enable = (!found.enabled).then(|| format!("kosmo integrations:configure {name} --enable"));
    let accept = (found.is_configured() && !accounts::is_accepted(host, &found.provider)).then(|| {
        let file = host.registry().files(name).into_iter().next();
        file.map(|file| format!("kosmo plugins:install {}", file.display()))
    });
    let configure = (!found.is_configured() && kept(host).is_none_or(|kept| kept.is_ok()))
        .then(|| ["fields", "configure"].map(|command| format!("kosmo integrations:{command} {name}")));
    enable.into_iter().chain(accept.flatten()).chain(configure.into_iter().flatten()).collect()
}

fn checkup(host: &Host, finding: &Finding) -> String {
    let next = next_commands(host, finding);
    let next = if next.is_empty() { String::new() } else { format!("\nNext:\n  {}", next.join("\n  ")) };
    let found = match &finding.provider {
        Ok(found) => found,
        Err(fault) => return format!("{}: broken\n{}{next}", finding.name, fault.message),
    };
    let description = found.provider.description();
    let decision = |operation| accounts::decision(host, &finding.name, operation).as_str();
    let accounts: Vec<_> = found.standings.iter().map(account_line).collect();
    let accepted = if accounts::is_accepted(host, &found.provider) { "accepted" } else { "not accepted yet" };
    format!(
        "{}: {}\n  plugin       {} {}, {accepted}\n  functions    {}\n  auth         {}\n  permissions  read {}, write {}{}{next}",
        finding.name,
        finding.word(),
        description.title,
        description.version,
        description.functions.len(),
        description.auth_strategy(),
        decision(Operation::Read),
        decision(Operation::Write),
        accounts.concat(),
    )
}

fn account_line(standing: &Standing) -> String {
    let place = standing.place.map_or_else(String::new, |place| format!(", from {}", place.as_str()));
    let state = match &standing.problem {
        None => "active".into(),
        Some(fault) => format!("inactive: {}", fault.message),
    };
    format!("\n  account      {}{place}: {state}", standing.name)
}

pub(super) fn fields(arguments: &IntegrationsFields) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let provider = host.provider(&arguments.provider)?;
    let standing = accounts::standing(&host, &provider, &arguments.account);
    let fields = all_fields(&provider, &standing);
    if arguments.json {
        output::json(&fields_document(&host, &provider, &standing, &fields));
        return Ok(0);
    }
    let yes = |truth| if truth { "yes" } else { "no" }.to_owned();
    let line = |field: &Field| {
        let variable = variable(provider.name(), &standing.name, &field.key);
        let (key, kind) = (field.key.clone(), field.kind.into());
        vec![key, kind, yes(field.required), yes(field.configured), variable, field.description.clone()]
    };
    let header = ["KEY", "TYPE", "REQUIRED", "CONFIGURED", "VARIABLE", "DESCRIPTION"];
    output::line(&table::aligned(&header, &fields.iter().map(line).collect::<Vec<_>>()));
    output::line(&format!("\nSet it up: {}", example(&provider, &standing.name)));
    Ok(0)
}

/// A field as the operator sees it.
struct Field {
    key: String,
    label: String,
    kind: &'static str,
    required: bool,
    configured: bool,
    description: String,
}

/// The credentials, then where requests go.
fn all_fields(provider: &Provider, standing: &Standing) -> Vec<Field> {
    let description = provider.description();
    let credential = |field: &CredentialField| Field {
        key: field.key.clone(),
        label: field.label.clone(),
        kind: if field.kind == FieldKind::Secret { "secret" } else { "text" },
        required: field.required,
        configured: standing.given.contains(&field.key),
        description: field.description.clone(),
    };
    let url = |key: &str, label: &str, description: String| Field {
        key: key.into(),
        label: label.into(),
        kind: "url",
        required: false,
        configured: standing.given.contains(key),
        description,
    };
    let own = url("url", "API URL", format!("Another address than {}.", description.base_url));
    let others = description.origins.iter().map(|origin| {
        let place = origin.urls.join(", ");
        url(&origin.name, &origin.name, format!("{} Another address than {place}.", origin.description))
    });
    description.credentials.iter().map(credential).chain([own]).chain(others).collect()
}

fn fields_document(host: &Host, provider: &Provider, standing: &Standing, fields: &[Field]) -> Value {
    let row = |field: &Field| {
        json!({
            "key": field.key,
            "label": field.label,
            "type": field.kind,
            "required": field.required,
            "configured": field.configured,
            "description": field.description,
            "environment": variable(provider.name(), &standing.name, &field.key),
        })
    };
    json!({
        "success": true,
        "provider": provider.name(),
        "account": standing.name,
        "accounts": host.accounts(provider),
        "cli_setup_supported": true,
        "cli_runtime_supported": true,
        "auth_strategy": provider.description().auth_strategy(),
        "compatibility_summary": SUPPORTED,
        "fields": fields.iter().map(row).collect::<Vec<_>>(),
        "example": example(provider, &standing.name),
    })
}

/// A line that sets the account up, with each secret out of the environment.
fn example(provider: &Provider, account: &str) -> String {
    let name = provider.name();
    let required = provider.description().credentials.iter().filter(|field| field.required);
    let set = required.map(|field| format!(" --set {}=@env:{}", field.key, variable(name, account, &field.key)));
    let account = if account == "default" { String::new() } else { format!(" --account {account}") };
    format!("kosmo integrations:configure {name}{account}{}", set.collect::<String>())
}
