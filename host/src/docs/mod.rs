//! What scripts and people read about providers. Rendered from what each provider said of itself and from which
//! accounts it has; nothing is run or sent. Loading a description may wait, so none of this is for use inside
//! asynchronous code.

mod entry;
mod examples;
mod facts;
mod faults;
#[cfg(test)]
mod fixture;
mod function;
mod lua;
mod overview;
mod page;
mod plain;
mod provider;
mod schema;
mod search;
mod site;

use crate::clip::{NAME, clipped};
use crate::fault::{Code, Fault};
use crate::nearest::nearest;
use crate::{Description, Function, Host, Provider};
use page::Page;
use std::sync::Arc;

pub use entry::Entry;
pub use examples::Example;
pub use facts::Access;
pub use plain::plain;
pub(crate) use search::Catalogue;
pub use site::site;

/// Why there is no page to read.
#[derive(Debug, thiserror::Error)]
pub enum NoPage {
    /// Nothing goes by this name.
    #[error("No integration docs found for '{}'.{}", clipped(page, NAME), cure(suggestions, FOR_SHELLS))]
    Unknown {
        /// As asked for.
        page: String,
        /// The nearest pages there are.
        suggestions: Vec<String>,
    },
    /// Its plugin does not load.
    #[error(transparent)]
    Broken(#[from] Fault),
}

impl NoPage {
    /// The same sentence with the next step as a script takes it.
    fn for_scripts(&self) -> String {
        match self {
            Self::Unknown { page, suggestions } => {
                format!("No integration docs found for '{}'.{}", clipped(page, NAME), cure(suggestions, FOR_SCRIPTS))
            }
            Self::Broken(fault) => fault.to_string(),
        }
    }
}

const FOR_SCRIPTS: &str = "docs.list() names what there is; docs.search(\"send sms\") finds functions.";
const FOR_SHELLS: &str =
    "`kosmo integrations:list` names what there is; `kosmo integrations:search send sms` finds functions.";

/// Every provider in a line each, and how to read on.
pub fn list(host: &Host) -> String {
    let names = host.names();
    let lines: Vec<_> = names.iter().map(|name| line(host, name)).collect();
    let loadable = names.iter().find(|name| host.provider(name).is_ok());
    match loadable.or(names.first()) {
        Some(example) => overview::page(&names, &lines, example),
        None if host.scopes().is_empty() => overview::NO_PLUGINS.into(),
        None => overview::NOTHING_HERE.into(),
    }
}

/// The functions that fit the query best, as lines `provider.function - summary`, or a sentence that says that there
/// are none.
pub fn search(host: &Host, query: &str) -> String {
    hits(query, &found(host, query))
}

/// As [`search`], of what was found.
pub fn hits(query: &str, found: &[Entry]) -> String {
    search::refusal(query).unwrap_or_else(|| search::page(query, found))
}

/// The functions that fit the query best, best first, at most twenty: by the words of their names, summaries,
/// parameters and descriptions, in any form, begun or mistyped, and by words of the same meaning. What the host has
/// an account for comes before what fits as well.
pub fn found(host: &Host, query: &str) -> Vec<Entry> {
    if search::refusal(query).is_some() {
        return Vec::new();
    }
    host.catalogue().search(query, &loadable(host), |provider| Access::of(host, provider))
}

/// What a page is about: one function, a provider's, or those of all providers.
#[derive(Clone, Debug)]
pub enum Topic {
    /// `dialpad.list_calls`
    Function(Arc<Provider>, Box<Function>),
    /// `dialpad`, or nothing for all.
    Providers(Vec<Arc<Provider>>),
    /// `errors`
    Faults,
}

/// What goes by this name, under all the names a page goes by.
///
/// # Errors
/// [`NoPage`], naming the nearest ones.
pub fn topic(host: &Host, name: &str) -> Result<Topic, NoPage> {
    match Page::parse(name) {
        Page::Overview => Ok(Topic::Providers(loadable(host))),
        Page::Provider(provider) => provider_topic(host, name, &provider),
        Page::Function(provider, function) => {
            let provider = function_provider(host, name, &provider, &function)?;
            let function = described(&provider, name, &function)?.clone();
            Ok(Topic::Function(provider, Box::new(function)))
        }
    }
}

impl Topic {
    /// The functions it is about; none for faults.
    pub fn entries(&self, host: &Host) -> Vec<Entry> {
        self.each(|provider| Access::of(host, provider), |access, provider, known| Entry::of(provider, known, access))
    }

    /// An example of each function it is about.
    pub fn examples(&self) -> Vec<Example> {
        self.each(|_| (), |(), provider, known| Example::of(provider, known))
    }

    /// Something of each function, with something that was made once per provider.
    fn each<A, B>(&self, once: impl Fn(&Provider) -> A, make: impl Fn(&A, &Description, &Function) -> B) -> Vec<B> {
        let all = |provider: &Arc<Provider>| {
            let (made, description) = (once(provider), provider.description());
            description.functions.iter().map(|known| make(&made, description, known)).collect::<Vec<_>>()
        };
        match self {
            Self::Function(provider, function) => vec![make(&once(provider), provider.description(), function)],
            Self::Providers(providers) => providers.iter().flat_map(all).collect(),
            Self::Faults => Vec::new(),
        }
    }
}

/// Every code a fault can have, with what to do about it.
pub fn cures() -> Vec<(Code, &'static str)> {
    faults::cures().collect()
}

/// The page about a provider (`ringcentral`) or a function (`ringcentral.list_messages`), or a sentence that says that
/// there is none. `integrations.` and `app.integrations.` before the name are accepted.
pub fn read(host: &Host, page: &str) -> String {
    find(host, page).unwrap_or_else(|unknown| unknown.for_scripts())
}

/// As [`read`], for callers that must know whether there is such a page.
///
/// # Errors
/// [`NoPage`], naming the nearest ones.
pub fn find(host: &Host, page: &str) -> Result<String, NoPage> {
    if Page::parse(page) == Page::Overview {
        return Ok(list(host));
    }
    let about = |provider: &Provider| provider::page(provider.description(), &Access::of(host, provider));
    Ok(match topic(host, page)? {
        Topic::Function(of, function) => function::page(of.description(), &function, &Access::of(host, &of)),
        Topic::Providers(providers) => providers.iter().map(|provider| about(provider)).collect(),
        Topic::Faults => faults::page(),
    })
}

fn provider_topic(host: &Host, page: &str, name: &str) -> Result<Topic, NoPage> {
    let known = host.names();
    if known.iter().any(|known| known == name) {
        return Ok(Topic::Providers(vec![host.provider(name)?]));
    }
    if name == "errors" {
        return Ok(Topic::Faults);
    }
    Err(NoPage::Unknown { page: page.into(), suggestions: anywhere(host, &known, name) })
}

fn function_provider(host: &Host, page: &str, name: &str, function: &str) -> Result<Arc<Provider>, NoPage> {
    let known = host.names();
    if known.iter().any(|known| known == name) {
        return Ok(host.provider(name)?);
    }
    let near = nearest(name, known.iter().map(String::as_str));
    let function = clipped(function, NAME);
    let suggestions = near.into_iter().map(|near| format!("{near}.{function}")).collect();
    Err(NoPage::Unknown { page: page.into(), suggestions })
}

fn described<'a>(provider: &'a Provider, page: &str, function: &str) -> Result<&'a Function, NoPage> {
    let unknown = || NoPage::Unknown { page: page.into(), suggestions: like(provider, function) };
    provider.description().function(function).ok_or_else(unknown)
}

/// Providers like `name`; failing that, functions of any provider, for whoever forgot to name it.
fn anywhere(host: &Host, providers: &[String], name: &str) -> Vec<String> {
    match nearest(name, providers.iter().map(String::as_str)).as_slice() {
        [] => loadable(host).iter().flat_map(|provider| like(provider, name)).take(3).collect(),
        near => near.iter().map(|&near| near.into()).collect(),
    }
}

/// The provider's functions of a similar name, in full.
fn like(provider: &Provider, function: &str) -> Vec<String> {
    let names = provider.description().functions.iter().map(|known| known.name.as_str());
    nearest(function, names).into_iter().map(|near| format!("{}.{near}", provider.name())).collect()
}

fn loadable(host: &Host) -> Vec<Arc<Provider>> {
    host.names().iter().filter_map(|name| host.provider(name).ok()).collect()
}

fn line(host: &Host, name: &str) -> String {
    match host.provider(name) {
        Ok(provider) => overview::line(provider.description(), &Access::of(host, &provider)),
        Err(fault) => overview::broken(name, &fault),
    }
}

fn cure(suggestions: &[String], otherwise: &str) -> String {
    match suggestions {
        [] => format!(" {otherwise}"),
        names => format!(" Did you mean: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(suggestions: &[&str], shell: &str, script: &str) {
        let suggestions = suggestions.iter().map(|&name| name.into()).collect();
        let unknown = NoPage::Unknown { page: "ringcentrl".into(), suggestions };
        let said = "No integration docs found for 'ringcentrl'. ";
        assert_eq!(unknown.to_string(), format!("{said}{shell}"));
        assert_eq!(unknown.for_scripts(), format!("{said}{script}"));
    }

    #[test]
    fn an_unknown_page_names_the_nearest_or_the_way_to_all() {
        check(&["ringcentral"], "Did you mean: ringcentral", "Did you mean: ringcentral");
        check(&[], FOR_SHELLS, FOR_SCRIPTS);
    }
}
