//! The page that lists every provider and function, with a filter over them.

use super::html::{Html, element, paragraph, text};
use super::layout::{Page, document};
use super::{counts, function_list};
use crate::description::Description;

/// Hidden until the script that makes it work has started.
const FILTER: &str = "<search id=\"filter\" hidden><label for=\"words\">Find a function</label>\
    <input id=\"words\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"send sms\">\
    <output id=\"count\" for=\"words\" aria-live=\"polite\"></output></search>";

pub(super) fn page(descriptions: &[&Description]) -> String {
    let functions: usize = descriptions.iter().map(|description| description.functions.len()).sum();
    let summary = format!("{} providers with {functions} functions, for scripts in Lua.", descriptions.len());
    let head = [element("h1", &[], [text("Integrations")]), paragraph([text(&summary)]), Html::trusted(FILTER)];
    let none = descriptions.is_empty().then(|| paragraph([text("No plugins are installed.")]));
    let content = head.into_iter().chain(descriptions.iter().map(|known| section(known))).chain(none).collect();
    document(Page { title: "Integrations", summary: &summary, above: &[], content, filter: true })
}

fn section(description: &Description) -> Html {
    let folder = format!("{}/", description.name);
    let target = format!("{folder}index.html");
    let heading = element("h2", &[], [element("a", &[("href", &target)], [text(&description.title)])]);
    let counts = element("p", &[("class", "facts")], [text(&counts(description))]);
    let parts = [heading, paragraph([text(&description.summary)]), counts, function_list(description, &folder)];
    element("section", &[("class", "provider")], parts)
}
