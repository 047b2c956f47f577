//! The page about one provider: what it can do, then everything its author wrote.

use super::facts::{self, Access};
use super::{faults, lua};
use crate::bindings::contract::RateGroup;
use crate::description::{Description, Function, Operation};

/// The whole page, in Markdown.
pub(super) fn page(description: &Description, access: &Access) -> String {
    let parts = [
        format!("# {}\n\n{}", description.title, description.summary),
        summary(description, access),
        format!("## Functions\n\n{}", functions(description)),
        accounts_section(description),
        faults::section(&first_example(description)),
        "---".into(),
        description.guide.trim().into(),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n") + "\n"
}

fn summary(description: &Description, access: &Access) -> String {
    let mut lines = vec![format!("- Namespace: `app.integrations.{}`", description.name)];
    lines.extend(access.items(description));
    lines.push(format!("- Version: {}, {}", description.version, description.category));
    let count = |operation| description.functions.iter().filter(|known| known.operation == operation).count();
    lines.push(format!("- Functions: {} read, {} write", count(Operation::Read), count(Operation::Write)));
    if !description.rate_groups.is_empty() {
        let groups: Vec<_> = description.rate_groups.iter().map(rate).collect();
        lines.push(format!("- Rate limits: {}", groups.join(", ")));
    }
    lines.join("\n")
}

/// `heavy: 10 requests per 60 s`
pub(super) fn rate(group: &RateGroup) -> String {
    format!("{}: {} requests per {} s", group.name, group.limit, group.window)
}

fn functions(description: &Description) -> String {
    description.functions.iter().map(item).collect::<Vec<_>>().join("\n")
}

fn item(function: &Function) -> String {
    let mark = match function.operation {
        Operation::Read => "",
        Operation::Write => "(write) ",
    };
    format!("- `{}`: {mark}{}", lua::signature(function), function.summary)
}

/// What an account needs, as a section; empty if nothing.
pub(super) fn accounts_section(description: &Description) -> String {
    let fields = facts::credentials(description);
    if fields.is_empty() {
        return String::new();
    }
    let name = &description.name;
    format!(
        "## Accounts\n\n`app.integrations.{name}` uses the account `default`, `app.integrations.{name}.work` the account \
         `work`. The operator sets each up in config.toml under [accounts.{name}.<account>] with:\n\n{}\n\
         - `url` (setting, optional): another address than {}",
        fields.join("\n"),
        description.base_url
    )
}

/// An invocation to show: of a read, if there is one.
pub(super) fn first_example(description: &Description) -> String {
    let read = description.functions.iter().find(|known| known.operation == Operation::Read);
    let function = read.or_else(|| description.functions.first());
    function.map_or_else(|| "…".into(), |function| lua::invocation(&description.name, function))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::fixture;

    #[test]
    fn a_providers_page_is_complete() {
        let expected = include_str!("golden/pager.md");
        let access = Access { usable: vec!["default".into(), "work".into()], problem: None };
        assert_eq!(page(&fixture::pager(), &access), expected);
    }
}
