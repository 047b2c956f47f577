//! The page about one function: everything needed to invoke it right the first time.

use super::super::examples::Example;
use super::super::{facts, function, lua, provider, schema};
use super::badges;
use super::html::{Html, code, code_block, element, heading, paragraph, text};
use super::layout::{Page, document};
use super::markdown::rendered;
use crate::description::{Description, Function};
use pulldown_cmark::HeadingLevel;

pub(super) fn page(description: &Description, known: &Function) -> String {
    let parts = [
        head(description, known),
        rendered(&known.description, HeadingLevel::H3),
        facts_list(description, known),
        heading("parameters", "Parameters"),
        rendered(&function::parameters(known), HeadingLevel::H3),
        rendered(&function::examples(description, known), HeadingLevel::H1),
        as_json(description, known),
        heading("requests", "Requests"),
        paragraph([text("All it can send:")]),
        rendered(&function::requests(description, known), HeadingLevel::H3),
    ];
    let title = format!("{}.{}", description.name, known.name);
    document(Page {
        title: &title,
        summary: &known.summary,
        above: &[("Integrations", "../index.html"), (&description.title, "index.html")],
        content: parts.into_iter().collect(),
        filter: false,
    })
}

fn head(description: &Description, known: &Function) -> Html {
    let name = code(&format!("{}.{}", description.name, known.name));
    let title = element("h1", &[], [name, badges(known)]);
    [title, paragraph([text(&known.summary)])].into_iter().collect()
}

fn facts_list(description: &Description, known: &Function) -> Html {
    let (provider_name, name) = (&description.name, &known.name);
    let mut facts = vec![
        ("Lua path", code(&lua::path(provider_name, name))),
        ("Full name", code(&format!("{provider_name}.{provider_name}_{name}"))),
        ("Operation", text(facts::operation(known))),
        ("Auth", rendered(&facts::authentication(&description.authentication), HeadingLevel::H3)),
    ];
    let group = known.rate_group.as_ref().and_then(|name| function::group(description, name));
    facts.extend(group.map(|group| ("Rate limit", text(&provider::rate(group)))));
    let row = |(name, value)| [element("dt", &[], [text(name)]), element("dd", &[], [value])];
    element("dl", &[], facts.into_iter().flat_map(row))
}

fn as_json(description: &Description, known: &Function) -> Html {
    let pretty = |value| serde_json::to_string_pretty(&value).unwrap_or_default();
    let arguments = Example::of(description, known).arguments;
    let schema = schema::of(description, known);
    let raw = [element("summary", &[], [text("JSON Schema of its arguments")]), code_block("json", &pretty(schema))];
    let parts = [
        paragraph([text("Its arguments as JSON:")]),
        code_block("json", &pretty(arguments.into())),
        element("details", &[], raw),
    ];
    parts.into_iter().collect()
}
