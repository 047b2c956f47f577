//! All documentation as a static site: an index, a page per provider, a page per function. Every page stands alone: no
//! other files, no network, and nothing that needs scripts but the index's filter. What plugins wrote is shown as
//! text and Markdown, never as HTML.

mod function;
mod html;
mod index;
mod layout;
mod markdown;
mod provider;
#[cfg(test)]
mod tests;

use super::loadable;
use crate::Host;
use crate::description::{Description, Function, Operation};
use html::{Html, element, text};
use std::io;

/// Writes the site of all providers that can be loaded, page by page: `write` gets each page's path below the site's
/// folder, with `/` between its parts, and its HTML. Says nothing of accounts, so that it can be shown to anybody.
/// Gives the number of pages.
///
/// # Errors
/// What `write` failed with.
pub fn site(host: &Host, write: &mut dyn FnMut(&str, &str) -> io::Result<()>) -> io::Result<usize> {
    let providers = loadable(host);
    let descriptions: Vec<_> = providers.iter().map(|provider| provider.description()).collect();
    pages(&descriptions, write)
}

fn pages(descriptions: &[&Description], write: &mut dyn FnMut(&str, &str) -> io::Result<()>) -> io::Result<usize> {
    let mut written = 1;
    for description in descriptions {
        let name = &description.name;
        write(&format!("{name}/index.html"), &provider::page(description))?;
        for function in &description.functions {
            write(&format!("{name}/{}.html", function.name), &function::page(description, function))?;
        }
        written += 1 + description.functions.len();
    }
    write("index.html", &index::page(descriptions))?;
    Ok(written)
}

/// `read`, or `write` and whether it can be undone.
fn badges(function: &Function) -> Html {
    let badge = |class, name| element("span", &[("class", class)], [text(name)]);
    let operation = match function.operation {
        Operation::Read => badge("badge read", "read"),
        Operation::Write => badge("badge write", "write"),
    };
    let lasting = function.destructive.then(|| badge("badge destructive", "cannot be undone"));
    [Some(text(" ")), Some(operation), lasting.is_some().then(|| text(" ")), lasting].into_iter().flatten().collect()
}

/// `7 functions · 6 read · 1 write`
fn counts(description: &Description) -> String {
    let count = |operation| description.functions.iter().filter(|known| known.operation == operation).count();
    let (read, write) = (count(Operation::Read), count(Operation::Write));
    format!("{} functions · {read} read · {write} write", read + write)
}

/// Functions as a list of links; `folder` is what leads from the page to theirs.
fn function_list(description: &Description, folder: &str) -> Html {
    let item = |function: &Function| {
        let target = format!("{folder}{}.html", function.name);
        let link = element("a", &[("href", &target)], [element("code", &[], [text(&function.name)])]);
        element("li", &[], [link, badges(function), element("p", &[], [text(&function.summary)])])
    };
    element("ul", &[("class", "functions")], description.functions.iter().map(item))
}
