//! Where a provider's requests can go: by its plugin's word, and by its accounts.

use crate::account::Account;
use crate::grant::GrantRule;
use crate::rule::Base;
use crate::{Host, Provider};
use http::Method;

/// An origin's name, and a URL it stands for.
pub(super) type Place = (String, Base);

/// Whether some function declares a request to one of these places that the rule lets out with this method.
pub(super) fn leads_there(provider: &Provider, rule: &GrantRule, method: &Method, places: &[Place]) -> bool {
    let rules = provider.description().ceilings().flat_map(|(_, rules)| rules);
    rules.filter(|declared| declared.methods().contains(method)).any(|declared| {
        let own = declared.origin() == "base";
        let bases = places.iter().filter(|(origin, _)| origin == declared.origin());
        bases.into_iter().any(|(_, base)| rule.overlaps(method, base, own, declared.path()))
    })
}

/// Every URL an origin's name stands for by the plugin's word.
pub(super) fn declared(provider: &Provider) -> Vec<Place> {
    let description = provider.description();
    let own = ("base".to_owned(), description.base().clone());
    let declared = description.origins.iter().flat_map(|origin| {
        let bases = origin.urls.iter().filter_map(|url| Base::declared(url).ok());
        bases.map(|base| (origin.name.clone(), base))
    });
    std::iter::once(own).chain(declared).collect()
}

/// Every usable account with the URLs that the origins' names stand for there.
pub(super) fn of_accounts(host: &Host, provider: &Provider) -> Vec<(String, Vec<Place>)> {
    let names = host.accounts(provider).into_iter();
    let usable = names.filter_map(|name| Some((provider.account(host.surroundings(), &name).ok()?, name)));
    usable.map(|(connected, name)| (name, typed(provider, &connected.account))).collect()
}

fn typed(provider: &Provider, account: &Account) -> Vec<Place> {
    let origins = provider.description().origins.iter().map(|origin| origin.name.as_str());
    let bases = std::iter::once("base").chain(origins).flat_map(|name| {
        let (bases, _) = account.origin(name);
        bases.iter().map(move |base| (name.to_owned(), base.clone()))
    });
    bases.collect()
}
