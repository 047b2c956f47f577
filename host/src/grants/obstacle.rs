//! Why a rule that stands in a grant lets nothing out.

use super::places::{self, Place};
use super::written;
use crate::grant::{Grant, GrantRule};
use crate::{Host, Provider};
use std::path::{Path, PathBuf};

/// Why a rule in the operator's own grant lets nothing out here and now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// A further file's list does not include it.
    #[error(
        "{} lists what {provider} may send in this project, and not this: here it stays denied, unless it is added to \
         `requests` under [grants.{provider}] there.", .file.display()
    )]
    Project {
        /// The provider.
        provider: String,
        /// The project's file.
        file: PathBuf,
    },
    /// No account's URL is where it leads.
    #[error("No account of {provider} lies there: {}", whereabouts(.accounts))]
    Elsewhere {
        /// The provider.
        provider: String,
        /// Every usable account with its URL.
        accounts: Vec<(String, String)>,
    },
}

fn whereabouts(accounts: &[(String, String)]) -> String {
    let places: Vec<_> = accounts.iter().map(|(name, url)| format!("{name} is at {url}")).collect();
    if places.is_empty() { "none can be used yet.".into() } else { format!("{}.", places.join(", ")) }
}

/// What keeps a rule of the operator's own grant from letting anything out.
pub fn obstacles(host: &Host, provider: &Provider, rule: &GrantRule) -> Vec<Obstacle> {
    let accounts = places::of_accounts(host, provider);
    let name = provider.name();
    let others = written(host, name).into_iter().filter(|written| !is_own(host, &written.file));
    let denying = others.filter(|written| !includes(&written.grant, rule, provider, &accounts));
    let projects = denying.map(|written| Obstacle::Project { provider: name.into(), file: written.file });
    projects.chain(elsewhere(provider, rule, &accounts)).collect()
}

fn elsewhere(provider: &Provider, rule: &GrantRule, accounts: &[(String, Vec<Place>)]) -> Option<Obstacle> {
    let places: Vec<_> = accounts.iter().flat_map(|(_, places)| places).cloned().collect();
    if rule.methods().iter().any(|method| places::leads_there(provider, rule, method, &places)) {
        return None;
    }
    let accounts = accounts.iter().filter_map(|(name, places)| Some((name.clone(), own_url(places)?))).collect();
    Some(Obstacle::Elsewhere { provider: provider.name().into(), accounts })
}

fn is_own(host: &Host, file: &Path) -> bool {
    host.surroundings().config.policies().layers().first().is_some_and(|layer| layer.file == file)
}

/// Whether a file's grant lets out all of a rule, wherever the accounts are.
fn includes(grant: &Grant, rule: &GrantRule, provider: &Provider, accounts: &[(String, Vec<Place>)]) -> bool {
    let Some(rules) = &grant.requests else { return true };
    let typed = accounts.iter().flat_map(|(_, places)| places).filter(|(origin, _)| origin == "base");
    let bases = typed.map(|(_, base)| base).chain([provider.description().base()]);
    { bases }.any(|base| {
        let wanted = rule.spelled_out(base);
        rules.iter().any(|known| known.spelled_out(base).covers(&wanted))
    })
}

fn own_url(places: &[Place]) -> Option<String> {
    places.iter().find(|(origin, _)| origin == "base").map(|(_, base)| base.as_str().to_owned())
}
