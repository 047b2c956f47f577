//! What an operator asks about accounts, and changes. For the operator's own tools: no script, no guest and no protocol
//! leads here. A secret goes in and never comes out.

use crate::account::{Account, AccountError, DEFAULT, Fields, known_fields};
use crate::config::{self, Config};
use crate::config_edit;
use crate::description::{Description, Operation};
use crate::fault::{Code, Fault};
use crate::files;
use crate::nearest::did_you_mean;
use crate::permission::Decision;
use crate::permissions::{self, Permitted, Subject};
use crate::plugins;
use crate::store::{self, Store};
use crate::{Host, Provider};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

pub use crate::account::{Place, variable};
pub use crate::store::Value;

/// How an account stands.
#[derive(Debug)]
pub struct Standing {
    /// `default`, `work`
    pub name: String,
    /// Where it comes from; None if there is nothing of it anywhere.
    pub place: Option<Place>,
    /// The fields that have a value.
    pub given: BTreeSet<String>,
    /// The required fields that have none.
    pub missing: Vec<String>,
    /// Why it cannot be used, if it cannot.
    pub problem: Option<Fault>,
}

/// What is to become of an account. Fields that are not named stay.
#[derive(Debug, Default)]
pub struct Change {
    /// New values by field.
    pub set: BTreeMap<String, Value>,
    /// Fields to drop.
    pub unset: Vec<String>,
}

/// How one account of a provider stands now.
pub fn standing(host: &Host, provider: &Provider, name: &str) -> Standing {
    let (config, description) = (&host.surroundings().config, provider.description());
    let found = config.fields(description, name);
    let problem = check(host, provider, name).err();
    let (place, fields) = match found {
        Ok(Some((place, fields))) => (Some(place).filter(|_| !fields.is_empty()), fields),
        Ok(None) | Err(_) => (None, Fields::new()),
    };
    let missing = match Account::resolve(description, provider.digest(), true, name, &fields) {
        Err(AccountError::Missing { missing, .. }) => missing,
        _ => Vec::new(),
    };
    let given: BTreeSet<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, _)| key).collect();
    Standing { name: name.into(), place, given, missing, problem }
}

/// Everything that is in the way of an invocation before it is asked for, what an account lacks first.
fn check(host: &Host, provider: &Provider, name: &str) -> Result<(), Fault> {
    let (config, description) = (&host.surroundings().config, provider.description());
    config.account(description, provider.digest(), name)?;
    host.check_providers()?;
    config.check_names(description)?;
    config.policies().granted(provider.name()).check_account(name)
}

/// How every account of a provider stands, `default` first; that one even if there is nothing of any.
pub fn standings(host: &Host, provider: &Provider) -> Vec<Standing> {
    let mut names = host.accounts(provider);
    if names.is_empty() {
        names.push(DEFAULT.into());
    }
    names.iter().map(|name| standing(host, provider, name)).collect()
}

/// Whether the operator lets a provider be used at all.
pub fn is_enabled(host: &Host, provider: &str) -> bool {
    host.surroundings().config.is_enabled(provider)
}

/// Where the key lies that seals what was configured here, in words. None while nothing is kept.
///
/// # Errors
/// When the store cannot be opened, which says why.
pub fn key_place(host: &Host) -> Result<Option<&'static str>, Fault> {
    let store = host.surroundings().store.as_deref().filter(|store| store.exists());
    Ok(store.map(Store::key_place).transpose()?.map(store::Place::in_words))
}

/// Whether something could be kept in the home.
///
/// # Errors
/// `unconfigured`, saying who can write there and what changes that.
pub fn check_home(host: &Host) -> Result<(), Fault> {
    let checked = host.home().map(|home| (home, files::check_home(home)));
    match checked {
        Some((home, Err(error))) => Err(plugins::unwritable(&home.join("kosmo.db"), &error)),
        _ => Ok(()),
    }
}

/// Whether this very plugin file is the one the operator accepted.
pub fn is_accepted(host: &Host, provider: &Provider) -> bool {
    host.surroundings().config.is_accepted(provider.name(), provider.digest())
}

/// What scripts may do at a provider where no function or account is named apart.
pub fn decision(host: &Host, provider: &str, operation: Operation) -> Decision {
    host.surroundings().config.policies().decision(provider, operation)
}

/// Every field an account of this provider may have: `url`, its credentials and its other origins.
pub fn fields(provider: &Provider) -> Vec<String> {
    known_fields(provider.description())
}

/// Changes an account in the store. It goes to one URL from then on, the plugin's if none is named, and the plugin file
/// is accepted: what it declares is the operator's word now.
///
/// # Errors
/// `invalid_argument` for a field the provider does not have, for an empty value, and for a value or name that cannot be
/// used; `unconfigured` for an account that stands in `config.toml`. Nothing was changed then.
pub fn change(host: &Host, provider: &Provider, name: &str, mut change: Change) -> Result<(), Fault> {
    let (config, description) = (&host.surroundings().config, provider.description());
    let (home, store) = home(host)?;
    check_place(config, description, name)?;
    let _alone = store.alone()?;
    let mut after = store.fields(provider.name(), name)?;
    check_fields(description, &change, &after)?;
    after.retain(|key, _| !change.unset.contains(key));
    after.extend(change.set.iter().map(|(key, value)| (key.clone(), value.copied())));
    if !after.is_empty() && !after.contains_key("url") {
        let url = || Value::Text(crate::Secret::new(description.base().as_str()));
        after.insert("url".into(), url());
        change.set.insert("url".into(), url());
    }
    check_values(config, provider, name, after)?;
    plugins::accept(home, provider.name(), provider.digest())
        .map_err(|error| plugins::unwritable(&home.join("accepted.toml"), &*error))?;
    Ok(store.change(provider.name(), name, &change.set, &change.unset)?)
}

/// Drops an account from the store, with its token. Whether there was one.
///
/// # Errors
/// `unconfigured`, if it stands in `config.toml`.
pub fn remove(host: &Host, provider: &str, name: &str) -> Result<bool, Fault> {
    let (_, store) = home(host)?;
    if host.surroundings().config.is_written(provider, name) {
        return Err(written(provider, name));
    }
    Ok(store.remove_account(provider, name)?)
}

/// Lets a provider be used, or not.
///
/// # Errors
/// When `config.toml` cannot be changed.
pub fn enable(host: &Host, provider: &str, enabled: bool) -> Result<(), Fault> {
    let (home, store) = home(host)?;
    let _alone = store.alone()?;
    config_edit::set(home, &["providers", provider, "enabled"], enabled)
}

/// Decides what scripts may do at a provider.
///
/// # Errors
/// When `config.toml` cannot be changed.
pub fn permit(host: &Host, provider: &str, operation: Operation, decision: Decision) -> Result<(), Fault> {
    let (home, store) = home(host)?;
    let _alone = store.alone()?;
    config_edit::set(home, &["permissions", provider, operation.as_str()], decision.as_str())
}

/// Decides what scripts may do with one function of one account. Where the provider has no other account, what it may
/// not do is the function as such; what it may do is never more than that account, whatever accounts there will be.
///
/// # Errors
/// When `config.toml` cannot be changed.
pub fn permit_function(
    host: &Host,
    provider: &Provider,
    account: &str,
    function: &str,
    decision: Decision,
) -> Result<Permitted, Fault> {
    let name = provider.name();
    let only = decision != Decision::Allow && host.accounts(provider).iter().all(|known| known == account);
    let as_such = only && !host.surroundings().config.policies().refines(name, account, function);
    let subject = Subject::function(name, (!as_such).then_some(account), function);
    permissions::write(host, Some(provider), subject, decision)
}

pub(crate) fn home(host: &Host) -> Result<(&Path, Arc<Store>), Fault> {
    let nowhere = || Fault::new(Code::Unconfigured, "There is no kosmo home to keep accounts in; set KOSMO_HOME.");
    let store = host.surroundings().store.as_ref().ok_or_else(nowhere)?;
    Ok((host.home().ok_or_else(nowhere)?, Arc::clone(store)))
}

fn check_place(config: &Config, description: &Description, name: &str) -> Result<(), Fault> {
    if let Some(problem) = config::misnamed(description, name) {
        return Err(Fault::argument("account", format!("No account can be called '{name}': {problem}")));
    }
    if config.is_written(&description.name, name) { Err(written(&description.name, name)) } else { Ok(()) }
}

fn written(provider: &str, name: &str) -> Fault {
    let message = format!(
        "Account '{name}' of '{provider}' stands in config.toml, which comes first. Change it under \
         [accounts.{provider}.{name}], or remove it there and configure it anew."
    );
    Fault::new(Code::Unconfigured, message)
}

/// What an earlier revision of the plugin asked for may still be kept, and can be dropped.
fn check_fields(description: &Description, change: &Change, kept: &BTreeMap<String, Value>) -> Result<(), Fault> {
    let known = known_fields(description);
    let set = change.set.keys().find(|key| !known.contains(key));
    let unset = change.unset.iter().find(|key| !known.contains(key) && !kept.contains_key(*key));
    if let Some(unknown) = set.or(unset) {
        return Err(no_field(&description.name, unknown, &known));
    }
    match change.set.iter().find(|(_, value)| value.is_empty()) {
        Some((key, _)) => Err(empty(key)),
        None => Ok(()),
    }
}

fn no_field(name: &str, unknown: &str, known: &[String]) -> Fault {
    let suggestion = did_you_mean(unknown, known.iter().map(String::as_str));
    let message = format!("An account of {name} has no field `{unknown}`; it has: {}.{suggestion}", known.join(", "));
    Fault::argument(unknown, message)
}

fn empty(key: &str) -> Fault {
    Fault::argument(
        key,
        format!("The value of `{key}` is empty; nothing was changed. To drop the field: --unset {key}"),
    )
}

/// Whether an account of these values could be used, but for what is still missing or not set where this runs.
fn check_values(
    config: &Config,
    provider: &Provider,
    name: &str,
    values: BTreeMap<String, Value>,
) -> Result<(), Fault> {
    let known = |(key, value): (String, Value)| {
        let value = config.kept(provider.name(), name, &key, value).ok()?;
        Some((key, value))
    };
    let fields: Fields = values.into_iter().filter_map(known).collect();
    match Account::resolve(provider.description(), provider.digest(), true, name, &fields) {
        Ok(_) | Err(AccountError::Missing { .. }) => Ok(()),
        Err(error) => Err(unfit(&error.to_string(), provider.name(), name).unwrap_or_else(|| error.into())),
    }
}

/// What is wrong with a value, where the sentence is about the place that it would have in `config.toml`.
fn unfit(problem: &str, provider: &str, name: &str) -> Option<Fault> {
    let problem = problem.strip_prefix(&format!("[accounts.{provider}.{name}]: "))?;
    Some(Fault::new(Code::InvalidArgument, format!("Account '{name}' of '{provider}': {problem}")))
}
