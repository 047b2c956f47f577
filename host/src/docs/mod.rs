//! What scripts and people read about providers. Rendered from what each provider said of itself and from which
//! accounts it has; nothing is run or sent. Loading a description may wait, so none of this is for use inside
//! asynchronous code.

mod facts;
mod faults;
#[cfg(test)]
mod fixture;
mod function;
mod lua;
mod overview;
mod page;
mod provider;
mod search;

use crate::clip::{NAME, clipped};
use crate::fault::Fault;
use crate::nearest::nearest;
use crate::{Host, Provider};
use page::Page;
use std::sync::Arc;

pub use facts::Access;

/// Why there is no page to read.
#[derive(Debug, thiserror::Error)]
pub enum NoPage {
    /// Nothing goes by this name.
    #[error("No integration docs found for '{}'.{}", clipped(page, NAME), cure(suggestions))]
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

/// Every provider in a line each, and how to read on.
pub fn list(host: &Host) -> String {
    let names = host.registry().names();
    let lines: Vec<_> = names.iter().map(|name| line(host, name)).collect();
    let loadable = names.iter().find(|name| host.provider(name).is_ok());
    overview::page(&names, &lines, loadable.or(names.first()).map(String::as_str))
}

/// The functions that fit the query best, as lines `provider.function - summary`.
pub fn search(host: &Host, query: &str) -> String {
    let providers = loadable(host);
    let functions = providers.iter().flat_map(|provider| {
        let description = provider.description();
        description.functions.iter().map(move |function| (&**description, function))
    });
    search::page(query, functions)
}

/// The page about a provider (`ringcentral`) or a function (`ringcentral.list_messages`), or a sentence that says that
/// there is none. `integrations.` and `app.integrations.` before the name are accepted.
pub fn read(host: &Host, page: &str) -> String {
    find(host, page).unwrap_or_else(|unknown| unknown.to_string())
}

/// As [`read`], for callers that must know whether there is such a page.
///
/// # Errors
/// [`NoPage`], naming the nearest ones.
pub fn find(host: &Host, page: &str) -> Result<String, NoPage> {
    match Page::parse(page) {
        Page::Overview => Ok(list(host)),
        Page::Provider(name) => provider_page(host, page, &name),
        Page::Function(provider, function) => function_page(host, page, &provider, &function),
    }
}

fn provider_page(host: &Host, page: &str, name: &str) -> Result<String, NoPage> {
    let known = host.registry().names();
    if known.iter().any(|known| known == name) {
        let provider = host.provider(name)?;
        return Ok(provider::page(provider.description(), &Access::of(host, &provider)));
    }
    if name == "errors" {
        return Ok(faults::page());
    }
    Err(NoPage::Unknown { page: page.into(), suggestions: anywhere(host, &known, name) })
}

fn function_page(host: &Host, page: &str, name: &str, function: &str) -> Result<String, NoPage> {
    let known = host.registry().names();
    if !known.iter().any(|known| known == name) {
        let near = nearest(name, known.iter().map(String::as_str));
        let function = clipped(function, NAME);
        let suggestions = near.into_iter().map(|near| format!("{near}.{function}")).collect();
        return Err(NoPage::Unknown { page: page.into(), suggestions });
    }
    let provider = host.provider(name)?;
    let description = provider.description();
    match description.function(function) {
        Some(function) => Ok(function::page(description, function, &Access::of(host, &provider))),
        None => Err(NoPage::Unknown { page: page.into(), suggestions: like(&provider, function) }),
    }
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
    host.registry().names().iter().filter_map(|name| host.provider(name).ok()).collect()
}

fn line(host: &Host, name: &str) -> String {
    match host.provider(name) {
        Ok(provider) => overview::line(provider.description(), &Access::of(host, &provider)),
        Err(fault) => overview::broken(name, &fault),
    }
}

fn cure(suggestions: &[String]) -> String {
    match suggestions {
        [] => " docs.list() names what there is; docs.search(\"send sms\") finds functions.".into(),
        names => format!(" Did you mean: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(suggestions: &[&str], expected: &str) {
        let suggestions = suggestions.iter().map(|&name| name.into()).collect();
        assert_eq!(NoPage::Unknown { page: "ringcentrl".into(), suggestions }.to_string(), expected);
    }

    #[test]
    fn an_unknown_page_names_the_nearest_or_the_way_to_all() {
        check(&["ringcentral"], "No integration docs found for 'ringcentrl'. Did you mean: ringcentral");
        check(
            &[],
            "No integration docs found for 'ringcentrl'. docs.list() names what there is; docs.search(\"send sms\") \
             finds functions.",
        );
    }
}
