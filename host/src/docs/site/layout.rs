//! What all pages have in common.

use super::html::{Html, element, text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("style.css");
const FILTER: &str = include_str!("filter.js");

/// Only these two, by their digests: nothing a plugin wrote is ever run, styled or fetched.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (style, script) = (digest(STYLE), digest(FILTER));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
    )
});

/// A page before it is laid out.
pub(super) struct Page<'a> {
    /// Of the browser's tab.
    pub(super) title: &'a str,
    /// For search results.
    pub(super) summary: &'a str,
    /// The pages above this one, from the top: their names and what leads there.
    pub(super) above: &'a [(&'a str, &'a str)],
    pub(super) content: Html,
    /// Whether it has the filter's field.
    pub(super) filter: bool,
}

/// The whole document.
pub(super) fn document(page: Page<'_>) -> String {
    let script = page.filter.then(|| Html::trusted(format!("<script>{FILTER}</script>")));
    let body = [navigation(page.above), element("main", &[], [page.content]), footer()];
    let body: Html = body.into_iter().chain(script).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"description\" content=\"{}\">\n<title>{} · kosmo</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n{}\n</body>\n</html>\n",
        *POLICY,
        text(page.summary).into_string(),
        text(page.title).into_string(),
        body.into_string()
    )
}

fn navigation(above: &[(&str, &str)]) -> Html {
    let item = |(name, target): &(&str, &str)| element("li", &[], [element("a", &[("href", target)], [text(name)])]);
    match above {
        [] => Html::default(),
        above => element("nav", &[("aria-label", "Pages above")], [element("ol", &[], above.iter().map(item))]),
    }
}

fn footer() -> Html {
    element("footer", &[], [text("Made by kosmo from what each plugin says of itself.")])
}
