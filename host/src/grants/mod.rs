//! What an operator asks about grants, and changes. For the operator's own tools: no script, no guest and no protocol
//! leads here.

mod obstacle;
mod places;

use crate::config::ConfigError;
use crate::config_edit::{self, EditError};
use crate::fault::{Code, Fault};
use crate::files;
use crate::grant::{Grant, GrantRule, GrantRuleError};
use crate::outbound::Checker;
use crate::permission::{Decision, Intent};
use crate::rule::{Rule, RuleError, parse_method};
use crate::target::Target;
use crate::{Host, Provider};
use http::Method;
use std::path::PathBuf;
use toml_edit::{Array, DocumentMut, Value};

pub use obstacle::{Obstacle, obstacles};

/// What a file grants a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The file.
    pub file: PathBuf,
    /// What it says of this provider.
    pub grant: Grant,
}

/// A function that may send a request, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowed {
    /// `list_calls`
    pub function: String,
    /// The rule the plugin declares.
    pub declared: String,
    /// Of each file that lists requests, the rule that lists this one. None means what is declared is granted.
    pub granted: Vec<(PathBuf, String)>,
    /// What the permissions say of scripts that ask for this function.
    pub permission: Decision,
    /// What a script is told that nobody answers for, if the permissions do not simply allow it.
    pub refusal: Option<Fault>,
}

/// Whether a request could leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The URL that was checked: a path alone was taken as below the account's URL.
    pub url: String,
    /// The functions that may send it.
    pub allowed: Vec<Allowed>,
    /// Why the functions that declare it may not, or why none does.
    pub denied: Vec<Fault>,
}

impl Answer {
    /// What would happen: the best that the permissions say of a function whose grants let it send this.
    pub fn verdict(&self) -> Decision {
        self.allowed.iter().map(|allowed| allowed.permission).min().unwrap_or(Decision::Deny)
    }
}

/// What became of a rule that was to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// It stands in the file now, and the provider may send nothing that is not listed.
    Listed(GrantRule),
    /// A rule of the list includes it; nothing was changed.
    Included(GrantRule),
    /// There is no list, so that what the plugin declares is granted; nothing was changed.
    ByDefault(GrantRule),
}

/// Why a grant was not changed. The cure is part of the sentence.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    /// Not a rule.
    #[error(transparent)]
    Rule(#[from] GrantRuleError),
    /// Nothing the provider could ever send.
    #[error(
        "`{rule}` would allow nothing: {provider} declares no {method} there, and no grant can allow more than a plugin \
         declares. See what it declares with: kosmo grants:show {provider}"
    )]
    Undeclared {
        /// The provider.
        provider: String,
        /// As asked for.
        rule: GrantRule,
        /// The first of its methods that no function declares there.
        method: Method,
    },
    /// A rule that is not there cannot be removed.
    #[error("`{rule}` is not in the grant of {provider}, which lists {}", listed(.rules))]
    NotListed {
        /// The provider.
        provider: String,
        /// As asked for.
        rule: GrantRule,
        /// What is.
        rules: Vec<GrantRule>,
    },
    /// Without a list, there is nothing to take away from.
    #[error(
        "{0} is granted what its plugin declares, so there is no list to remove a rule from. Begin one with: kosmo \
         grants:add {0} --only '<RULE>'"
    )]
    NoList(String),
    /// Another process is changing the file, or it cannot be locked.
    #[error(transparent)]
    Locked(#[from] Fault),
    /// A host without a home has no file to change.
    #[error("there is no kosmo home, and so no config.toml to change")]
    NoHome,
    /// The file as it would be is none that could be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file cannot be edited where it says this.
    #[error("{} has no table or list where [grants.{provider}] `requests` should be; write it there by hand", .file.display())]
    Shape {
        /// The file.
        file: PathBuf,
        /// The provider.
        provider: String,
    },
    /// The file cannot be written.
    #[error("{}", files::unwritable(.file, .error))]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl GrantsError {
    /// What kind of refusal it is.
    pub fn code(&self) -> Code {
        match self {
            Self::Rule(_) => Code::InvalidArgument,
            Self::Undeclared { .. } | Self::NotListed { .. } | Self::NoList(_) => Code::Unknown,
            Self::Locked(fault) => fault.code,
            Self::NoHome | Self::Config(_) | Self::Shape { .. } | Self::Unwritable { .. } => Code::Unconfigured,
        }
    }
}

fn listed(rules: &[GrantRule]) -> String {
    let rules: Vec<_> = rules.iter().map(|rule| format!("`{rule}`")).collect();
    if rules.is_empty() { "nothing".into() } else { rules.join(", ") }
}

/// What each file grants a provider, the operator's own first. None means what the plugin declares is granted.
pub fn written(host: &Host, provider: &str) -> Vec<Written> {
    let layers = host.surroundings().config.policies().layers();
    let of = |layer: &crate::Layer| Some((layer.file.clone(), layer.policy.grants.get(provider)?.clone()));
    layers.iter().filter_map(of).map(|(file, grant)| Written { file, grant }).collect()
}

/// The providers that some file grants something, whether or not there is such a plugin.
pub fn named(host: &Host) -> Vec<String> {
    let layers = host.surroundings().config.policies().layers();
    layers.iter().flat_map(|layer| layer.policy.grants.keys()).map(ToString::to_string).collect()
}

/// Each function of a provider with the requests it declares, in the plugin's order.
pub fn declared(provider: &Provider) -> Vec<(String, Vec<String>)> {
    let shown = |rules: &[Rule]| rules.iter().map(ToString::to_string).collect();
    provider.description().ceilings().map(|(function, rules)| (function.name.clone(), shown(rules))).collect()
}

/// Which functions may send a request on an account, and by which rules.
///
/// # Errors
/// `unconfigured` or `denied`, if the account cannot be used; `invalid_argument`, if the method is none.
pub fn check(host: &Host, provider: &Provider, account: &str, method: &str, url: &str) -> Result<Answer, Fault> {
    let mistake = |error: RuleError| Fault::argument("METHOD", error.to_string());
    let method = parse_method(method).map_err(mistake)?;
    let connected = provider.account(host.surroundings(), account)?;
    let base = connected.account.base().as_str();
    let url = if url.starts_with('/') { format!("{base}{url}") } else { url.to_owned() };
    let (description, policies) = (provider.description(), host.surroundings().config.policies());
    let checker = |function| Checker {
        description,
        account: &connected.account,
        granted: policies.granted(&description.name),
        permissions: policies.permissions(&description.name),
        function,
        rules: description.rules(function),
        force: false,
    };
    let (mut allowed, mut denied) = (Vec::new(), Vec::new());
    for function in &description.functions {
        let checker = checker(&function.name);
        let permit = checker.check(&method, &url);
        match permit.and_then(|permit| checker.check_closed(&method, &url, &permit).map(|()| permit)) {
            Ok(permit) => {
                let intent = Intent::new(&description.name, account, function);
                let ruling = checker.permissions.decide(&intent, false);
                let (permission, refusal) = (ruling.decision, ruling.check(&intent, false).err());
                let granted = permit.granted.iter().map(|(label, rule)| (file(host, label), rule.to_string()));
                let (declared, granted) = (permit.rule.to_string(), granted.collect());
                allowed.push(Allowed { function: function.name.clone(), declared, granted, permission, refusal });
            }
            Err(fault) if checker.declares(&method, &url) => denied.push(fault.of(&description.name, &function.name)),
            Err(_) => {}
        }
    }
    if allowed.is_empty() && denied.is_empty() {
        denied.push(undeclared(provider, &method, &url, base));
    }
    Ok(Answer { url, allowed, denied })
}

fn undeclared(provider: &Provider, method: &Method, url: &str, base: &str) -> Fault {
    let name = provider.name();
    let flaw = Target::parse(url).err().map(|flaw| format!(": {flaw}")).unwrap_or_default();
    let message = format!(
        "No function of {name} declares {method} {url}{flaw}. No grant can allow more than a plugin declares, and \
         where its requests go is the account's `url`, {base}."
    );
    Fault { provider: Some(name.into()), ..Fault::new(Code::Denied, message) }
}

fn file(host: &Host, label: &str) -> PathBuf {
    let layers = host.surroundings().config.policies().layers();
    layers.iter().find(|layer| layer.label == label).map_or_else(|| label.into(), |layer| layer.file.clone())
}

/// Adds a rule to the operator's own grant. Where there is no list yet, what the plugin declares is granted, and only
/// `only` begins one.
///
/// # Errors
/// For a rule that allows nothing, and a file that cannot be changed.
pub fn add(host: &Host, provider: &Provider, rule: &str, only: bool) -> Result<Added, GrantsError> {
    let rule: GrantRule = rule.parse()?;
    check_declared(host, provider, &rule)?;
    match own_rules(host, provider.name()) {
        None if !only => return Ok(Added::ByDefault(rule)),
        Some(rules) if !only && rules.iter().any(|known| known.covers(&rule)) => return Ok(Added::Included(rule)),
        _ => {}
    }
    edit(host, provider.name(), |rules| {
        if only {
            rules.clear();
        }
        rules.push(rule.to_string());
    })?;
    Ok(Added::Listed(rule))
}

/// Removes a rule from the operator's own grant, which lists one less then, at last nothing. Gives what is left.
///
/// # Errors
/// If it is not there, or the file cannot be changed.
pub fn remove(host: &Host, provider: &str, rule: &str) -> Result<Vec<GrantRule>, GrantsError> {
    let rule: GrantRule = rule.parse()?;
    let mut rules = own_rules(host, provider).ok_or_else(|| GrantsError::NoList(provider.into()))?;
    if !rules.contains(&rule) {
        return Err(GrantsError::NotListed { provider: provider.into(), rule, rules });
    }
    let same = |value: &Value| value.as_str().and_then(|text| text.parse::<GrantRule>().ok()).as_ref() == Some(&rule);
    edit(host, provider, |written| written.retain(|value| !same(value)))?;
    rules.retain(|known| *known != rule);
    Ok(rules)
}

fn own_rules(host: &Host, provider: &str) -> Option<Vec<GrantRule>> {
    let own = host.surroundings().config.policies().layers().first()?;
    own.policy.grants.get(provider)?.requests.clone()
}

/// Each method of a rule must be one that some function sends there.
fn check_declared(host: &Host, provider: &Provider, rule: &GrantRule) -> Result<(), GrantsError> {
    let accounts = places::of_accounts(host, provider).into_iter().flat_map(|(_, places)| places);
    let places: Vec<_> = places::declared(provider).into_iter().chain(accounts).collect();
    match rule.methods().iter().find(|method| !places::leads_there(provider, rule, method, &places)) {
        None => Ok(()),
        Some(method) => Err(GrantsError::Undeclared {
            provider: provider.name().into(),
            rule: rule.clone(),
            method: method.clone(),
        }),
    }
}

/// Changes one list of the operator's own file and leaves everything else in it as it is, comments included.
fn edit(host: &Host, provider: &str, change: impl FnOnce(&mut Array)) -> Result<(), GrantsError> {
    let home = host.home().ok_or(GrantsError::NoHome)?;
    let _alone = host.surroundings().store.as_ref().ok_or(GrantsError::NoHome)?.alone()?;
    let listed = |document: &mut DocumentMut| requests(document, provider).map(change);
    config_edit::edit(home, listed).map_err(|error| match error {
        EditError::Config(error) => GrantsError::Config(error),
        EditError::Shape(file) => GrantsError::Shape { file, provider: provider.into() },
        EditError::Unwritable(file, error) => GrantsError::Unwritable { file, error },
    })
}

fn requests<'a>(document: &'a mut DocumentMut, provider: &str) -> Option<&'a mut Array> {
    let grant = config_edit::table(document, &["grants", provider])?.as_table_like_mut()?;
    grant.entry("requests").or_insert_with(|| Array::new().into()).as_array_mut()
}
