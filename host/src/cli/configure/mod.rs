//! `integrations:configure`: giving a provider an account, and deciding what scripts may do with it.

mod wish;

use super::arguments::PluginFolders;
use super::failure::{Outcome, Usage};
use super::{open, output, plugins, prompt};
use clap::Args;
use kosmo::accounts::{self, Change, Value};
use kosmo::{CredentialField, Decision, FieldKind, Host, Operation, Provider, Secret};
use serde_json::json;
use std::io::Read;
use wish::Wish;
pub(super) use wish::decision;

pub(super) const HELP: &str = "\
Without flags it asks on the terminal; secrets are not shown. They are kept sealed in kosmo.db of the kosmo home and
never printed. An account goes to one URL, the provider's own unless `url` says otherwise. Configuring an account
accepts the plugin file as it is now: what it declares, it may do there.

--set KEY=VALUE        the value; a shell may keep it in its history
--set KEY=-            what is on standard input
--set KEY=@env:NAME    the environment variable, read whenever the account is used; only its name is kept
--stdin-json           {\"account\", \"set\": {KEY: VALUE or {\"env\": NAME}}, \"unset\": [KEY], \"enabled\", \"permissions\": {\"read\", \"write\"}}

Examples:
  kosmo integrations:configure dialpad
  kosmo integrations:configure dialpad --account work --set access_token=- --write allow < token
  kosmo integrations:fields dialpad

Exit codes: 0 done, 1 failed, 2 wrong usage.";

/// Flags of `integrations:configure`.
#[derive(Debug, Args)]
pub(super) struct IntegrationsConfigure {
    /// Such as `dialpad`
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// The account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// A field's new value; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Drop a field; may be given several times
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// Read everything as one JSON object from standard input
    #[arg(long)]
    stdin_json: bool,
    /// Let the provider be used
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Let nobody use the provider, whatever its accounts
    #[arg(long)]
    disable: bool,
    /// What scripts may do that changes nothing: allow, ask or deny
    #[arg(long, value_name = "DECISION", value_parser = wish::decision)]
    read: Option<Decision>,
    /// What scripts may do that sends, changes or deletes: allow, ask or deny
    #[arg(long, value_name = "DECISION", value_parser = wish::decision)]
    write: Option<Decision>,
    /// Both at once, such as read:allow,write:ask
    #[arg(long, value_name = "LIST", value_parser = wish::permissions)]
    permissions: Option<List>,
    /// For all projects, which is the only way
    #[arg(long, hide = true)]
    global: bool,
    /// Print one JSON document instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    plugins: PluginFolders,
}

impl IntegrationsConfigure {
    fn enabled(&self) -> Option<bool> {
        if self.enable { Some(true) } else { self.disable.then_some(false) }
    }

    fn decisions(&self) -> Vec<(Operation, Decision)> {
        let read = self.read.map(|decision| (Operation::Read, decision));
        let write = self.write.map(|decision| (Operation::Write, decision));
        self.permissions.iter().flatten().copied().chain(read).chain(write).collect()
    }
}

/// Named, since clap takes a `Vec` for a flag that repeats.
type List = Vec<(Operation, Decision)>;

/// Bytes on standard input: a few tokens, or a document with them.
const LARGEST: u64 = 1 << 20;

pub(super) fn run(arguments: &IntegrationsConfigure) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let provider = host.provider(&arguments.provider)?;
    let mut wish = Wish::read(arguments, piped)?;
    let account = arguments.account.clone().or(wish.account.take()).unwrap_or_else(|| "default".into());
    let asks = wish.is_empty();
    if asks && !prompt::somebody_is_there() {
        return Err(nothing(provider.name()).into());
    }
    let accepts = (asks || !wish.set.is_empty()) && !accounts::is_accepted(&host, &provider);
    if asks {
        // Before a secret is typed, so that there is time to think again.
        accepts.then(|| output::plain_error(&plugins::accepted(&provider)));
        ask(&host, &provider, &account, &mut wish)?;
    }
    let (set, unset) = (wish.set.keys().cloned().collect::<Vec<_>>(), wish.unset.clone());
    apply(&host, &provider, &account, wish)?;
    if accepts && !asks {
        output::plain_error(&plugins::accepted(&provider));
    }
    tell(&provider, &account, &set, &unset, arguments)
}

fn apply(host: &Host, provider: &Provider, account: &str, wish: Wish) -> Result<(), kosmo::Fault> {
    let change = Change { set: wish.set, unset: wish.unset };
    if !change.set.is_empty() || !change.unset.is_empty() {
        accounts::change(host, provider, account, change)?;
    }
    if let Some(enabled) = wish.enabled {
        accounts::enable(host, provider.name(), enabled)?;
    }
    wish.decisions
        .iter()
        .try_for_each(|&(operation, decision)| accounts::permit(host, provider.name(), operation, decision))
}

fn piped() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}

fn nothing(provider: &str) -> Usage {
    Usage(format!(
        "There is nothing to configure, and nobody to ask. Give fields with --set KEY=- or --stdin-json; `kosmo \
         integrations:fields {provider}` lists them."
    ))
}

/// Field by field; an empty answer leaves a field as it is.
fn ask(host: &Host, provider: &Provider, account: &str, wish: &mut Wish) -> anyhow::Result<()> {
    let standing = accounts::standing(host, provider, account);
    for field in &provider.description().credentials {
        output::plain_error(&format!("{}: {}", field.label, field.description));
        let question = question(field, standing.given.contains(&field.key));
        let answer = match field.kind {
            FieldKind::Secret => prompt::secret(&question),
            FieldKind::Setting => prompt::line(&question),
        };
        take(wish, &field.key, answer?);
    }
    let url = prompt::line(&format!("  url (empty for {}): ", provider.description().base_url))?;
    take(wish, "url", url);
    Ok(())
}

/// `  access_token (not shown, empty keeps it): `
fn question(field: &CredentialField, given: bool) -> String {
    let hidden = (field.kind == FieldKind::Secret).then_some("not shown");
    let needed = if given { Some("empty keeps it") } else { (!field.required).then_some("optional") };
    let notes: Vec<_> = hidden.into_iter().chain(needed).collect();
    if notes.is_empty() { format!("  {}: ", field.key) } else { format!("  {} ({}): ", field.key, notes.join(", ")) }
}

fn take(wish: &mut Wish, key: &str, answer: String) {
    if !answer.is_empty() {
        wish.set.insert(key.into(), Value::Text(Secret::new(answer)));
    }
}

/// How things are now, read anew.
fn tell(
    provider: &Provider,
    account: &str,
    set: &[String],
    unset: &[String],
    arguments: &IntegrationsConfigure,
) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let standing = accounts::standing(&host, provider, account);
    let decision = |operation| accounts::decision(&host, provider.name(), operation).as_str();
    let enabled = accounts::is_enabled(&host, provider.name());
    if arguments.json {
        output::json(&json!({
            "success": true,
            "provider": provider.name(),
            "account": account,
            "scope": "global",
            "credentials_set": set,
            "credentials_unset": unset,
            "enabled": enabled,
            "configured": standing.place.is_some() && standing.missing.is_empty(),
            "cli_setup_supported": true,
            "cli_runtime_supported": true,
            "permissions": {"read": decision(Operation::Read), "write": decision(Operation::Write)},
        }));
        return Ok(0);
    }
    let name = provider.name();
    let state = if enabled { "" } else { " It is disabled." };
    output::line(&format!(
        "Scripts at {name}: read {}, write {}.{state}",
        decision(Operation::Read),
        decision(Operation::Write)
    ));
    if set.is_empty() && unset.is_empty() {
        return Ok(0);
    }
    output::line(&format!("Account '{account}' of {name}: {}", changes(set, unset)));
    match standing.problem {
        Some(fault) => output::foreign(&fault.message),
        None => output::line(&format!("Try it: kosmo accounts:test {name} --account {account}")),
    }
    Ok(0)
}

/// `kept access_token, url; dropped region.`
fn changes(set: &[String], unset: &[String]) -> String {
    let of = |what: &str, keys: &[String]| (!keys.is_empty()).then(|| format!("{what} {}", keys.join(", ")));
    let parts: Vec<_> = [of("kept", set), of("dropped", unset)].into_iter().flatten().collect();
    format!("{}.", parts.join("; "))
}
