//! The page about one function: everything needed to invoke it right the first time.

use super::examples::Example;
use super::facts::{self, Access};
use super::{faults, lua, provider};
use crate::bindings::contract::RateGroup;
use crate::description::{Description, Function, Kind, Pagination, Parameter};
use crate::rule::Rule;

/// The whole page, in Markdown.
pub(super) fn page(description: &Description, function: &Function, access: &Access) -> String {
    let invocation = lua::invocation(&description.name, function);
    let parts = [
        format!("# {}.{}\n\n{}", description.name, function.name, function.summary),
        function.description.trim().into(),
        summary(description, function, access),
        format!("## Parameters\n\n{}", parameters(function)),
        format!("## Requests\n\nAll it can send:\n\n{}", requests(description, function)),
        examples(description, function),
        faults::section(&invocation),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n") + "\n"
}

fn summary(description: &Description, function: &Function, access: &Access) -> String {
    let (provider, name) = (&description.name, &function.name);
    let mut lines = vec![
        format!("- Lua path: `{}`", lua::path(provider, name)),
        format!("- Full name: `{provider}.{provider}_{name}`"),
        format!("- Operation: {}", facts::operation(function)),
    ];
    lines.extend(access.items(description));
    let group = function.rate_group.as_ref().and_then(|name| group(description, name));
    lines.extend(group.map(|group| format!("- Rate limit: {}", provider::rate(group))));
    lines.join("\n")
}

pub(super) fn parameters(function: &Function) -> String {
    if function.parameters.is_empty() {
        return "None.".into();
    }
    let rows: Vec<_> = function.parameters.iter().map(row).collect();
    let header = "| Parameter | Type | Required | Description |\n|---|---|---|---|";
    format!("{header}\n{}\n\nNames may be written in any case, with or without underscores.", rows.join("\n"))
}

fn row(parameter: &Parameter) -> String {
    let required = if parameter.required { "yes" } else { "no" };
    let text = described(parameter).replace('|', "\\|").replace('\n', " ");
    format!("| `{}` | {} | {required} | {text} |", parameter.name, kind(parameter.kind))
}

fn described(parameter: &Parameter) -> String {
    let mut sentences = vec![sentence(parameter.description.trim())];
    if !parameter.choices.is_empty() {
        sentences.push(format!("One of: {}.", parameter.choices.join(", ")));
    }
    sentences.extend(parameter.default.as_ref().map(|json| format!("Default: `{}`.", as_lua(json))));
    sentences.extend(parameter.example.as_ref().map(|json| format!("Example: `{}`.", as_lua(json))));
    sentences.retain(|sentence| !sentence.is_empty());
    sentences.join(" ")
}

/// With a full stop, so that another sentence can follow.
fn sentence(text: &str) -> String {
    let stop = if text.is_empty() || text.ends_with(['.', '!', '?', ')']) { "" } else { "." };
    format!("{text}{stop}")
}

fn as_lua(json: &str) -> String {
    serde_json::from_str(json).map_or_else(|_| json.into(), |value| lua::literal(&value))
}

/// The JSON type's name.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Object => "object",
        Kind::Array => "array",
    }
}

pub(super) fn requests(description: &Description, function: &Function) -> String {
    let item = |rule: &Rule| match rule.rate_group().and_then(|name| group(description, name)) {
        Some(group) => format!("- `{rule}` ({})", provider::rate(group)),
        None => format!("- `{rule}`"),
    };
    let rules: Vec<_> = description.rules(&function.name).iter().map(item).collect();
    if rules.is_empty() { "- nothing".into() } else { rules.join("\n") }
}

pub(super) fn group<'a>(description: &'a Description, name: &str) -> Option<&'a RateGroup> {
    description.rate_groups.iter().find(|group| group.name == name)
}

pub(super) fn examples(description: &Description, function: &Function) -> String {
    let example = Example::of(description, function);
    let mut blocks = vec![format!("## Examples\n\nLua:\n\n```lua\n{}\n```", example.lua)];
    if let Some(pagination) = &function.pagination {
        blocks.push(all_pages(description, function, pagination));
    }
    let Example { name, cli, call, .. } = &example;
    blocks.push(format!("CLI:\n\n```sh\n{cli}\n{call}\nkosmo integrations:docs {name}\n```"));
    blocks.join("\n\n")
}

fn all_pages(description: &Description, function: &Function, pagination: &Pagination) -> String {
    let (parameter, items) = match pagination {
        Pagination::Cursor(cursor) => (&cursor.parameter, &cursor.items),
        Pagination::Page(page) => (&page.parameter, &page.items),
    };
    let (path, arguments) = (lua::path(&description.name, &function.name), lua::arguments(function));
    format!(
        "A result holds one page of `{items}`; `{parameter}` asks for another. `paginate` walks them all:\n\n\
         ```lua\nfor item in paginate({path}, {arguments}) do\n  print(item)\nend\n```"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::fixture;

    #[track_caller]
    fn check(function: &str, expected: &str) {
        let description = fixture::pager();
        let function = description.function(function).expect("a function of the fixture");
        let access = Access { usable: vec!["default".into()], problem: None };
        assert_eq!(page(&description, function, &access), expected);
    }

    #[test]
    fn a_functions_page_is_complete() {
        check("list_pages", include_str!("golden/pager.list_pages.md"));
        check("pager_send_page", include_str!("golden/pager.send_page.md"));
    }
}
