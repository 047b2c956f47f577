//! The page about one provider: how scripts and shells reach it, its functions, what an account needs, its guide.

use super::super::provider;
use super::html::{Html, code, code_block, element, heading, paragraph, text};
use super::layout::{Page, document};
use super::markdown::rendered;
use super::{counts, function_list};
use crate::description::Description;
use crate::shell::shell_quoted;
use pulldown_cmark::HeadingLevel;

pub(super) fn page(description: &Description) -> String {
    let parts = [
        head(description),
        namespace(description),
        command_line(description),
        heading("functions", "Functions"),
        function_list(description, ""),
        accounts(description),
        guide(description),
    ];
    document(Page {
        title: &description.title,
        summary: &description.summary,
        above: &[("Integrations", "../index.html")],
        content: parts.into_iter().collect(),
        filter: false,
    })
}

fn head(description: &Description) -> Html {
    let known = format!("{} · authentication: {}", counts(description), description.auth_strategy());
    let version = format!("{} · version {}", description.category, description.version);
    let facts = |line: &str| element("p", &[("class", "facts")], [text(line)]);
    let title = element("h1", &[], [text(&description.title)]);
    [facts(&version), title, paragraph([text(&description.summary)]), facts(&known)].into_iter().collect()
}

fn namespace(description: &Description) -> Html {
    let name = &description.name;
    let words = [
        text("Scripts call this integration through "),
        code(&format!("app.integrations.{name}.*")),
        text(". The same for an account by its name: "),
        code(&format!("app.integrations.{name}.work.*")),
        text(". "),
        code(&format!("docs.read(\"{name}\")")),
        text(" gives a script this page."),
    ];
    [heading("lua", "Lua namespace"), paragraph(words)].into_iter().collect()
}

fn command_line(description: &Description) -> Html {
    let (name, invocation) = (&description.name, provider::first_example(description));
    let inline = format!(
        "kosmo integrations:lua --eval {} --json\nkosmo integrations:lua --eval 'print(docs.read(\"{name}\"))'\n\
         kosmo integrations:docs {name}",
        shell_quoted(&format!("dump({invocation})"))
    );
    let workflow = format!("local result = {invocation}\n\ndump(result)");
    let parts = [
        heading("cli", "From the command line"),
        code_block("sh", &inline),
        paragraph([text("What is needed more than once goes into a file, "), code("workflow.lua"), text(":")]),
        code_block("lua", &workflow),
        code_block("sh", "kosmo integrations:lua workflow.lua --json"),
    ];
    parts.into_iter().collect()
}

fn accounts(description: &Description) -> Html {
    rendered(&provider::accounts_section(description), HeadingLevel::H1)
}

fn guide(description: &Description) -> Html {
    let guide = description.guide.trim();
    if guide.is_empty() {
        return Html::default();
    }
    let raw = [element("summary", &[], [text("The guide as Markdown")]), code_block("markdown", guide)];
    let rendered = element("article", &[], [rendered(guide, HeadingLevel::H3)]);
    [heading("guide", "Guide"), rendered, element("details", &[], raw)].into_iter().collect()
}
