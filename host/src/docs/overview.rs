//! The page that lists every provider.

use super::facts::Access;
use crate::description::Description;
use crate::fault::Fault;

/// The whole page, from all names, a line for each, and the one that the next steps are shown with.
pub(super) fn page(names: &[String], lines: &[String], example: &str) -> String {
    format!(
        "# Integrations\n\n{}\n\nProviders: {}\n\n{}",
        lines.join("\n"),
        names.join(", "),
        READ_ON.replace("PROVIDER", example)
    )
}

/// `- pager: Pages people. 4 functions; active; accounts: default`
pub(super) fn line(description: &Description, access: &Access) -> String {
    let count = description.functions.len();
    let functions = if count == 1 { "1 function".into() } else { format!("{count} functions") };
    let accounts = if access.usable.is_empty() { "" } else { "; accounts: " };
    let (name, summary, status) = (&description.name, &description.summary, status(access));
    format!("- {name}: {summary} {functions}; {status}{accounts}{}", access.usable.join(", "))
}

/// Short, since a page about the provider says what is missing.
fn status(access: &Access) -> &'static str {
    if access.usable.is_empty() { "inactive, no usable account" } else { "active" }
}

/// A plugin that lies in a plugin folder and does not load.
pub(super) fn broken(name: &str, fault: &Fault) -> String {
    format!("- {name}: {}", fault.message)
}

/// Instead, where nothing is installed.
pub(super) const NO_PLUGINS: &str =
    "No plugins are installed. The operator adds one with: kosmo plugins:install FILE.wasm\n";

/// Instead, where nothing of what may be installed is within reach.
pub(super) const NOTHING_HERE: &str =
    "No integrations are offered here. Whoever runs the server, or gave the token, says which are.\n";

const READ_ON: &str = r#"Read on from Lua:

```lua
print(docs.read("PROVIDER"))  -- a provider: its functions and its guide
print(docs.read("PROVIDER.FUNCTION"))  -- a function: its parameters and an example
print(docs.search("send sms"))  -- functions by what they do
print(docs.read("errors"))  -- what can fail, and what to do then
```

From a shell:

```sh
kosmo integrations:list
kosmo integrations:docs PROVIDER
kosmo integrations:lua --eval 'print(docs.read("PROVIDER"))'
kosmo integrations:lua workflow.lua --json
```
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::fixture;
    use crate::fault::Code;

    #[test]
    fn every_provider_has_its_line_even_if_it_does_not_work() {
        let pager = fixture::pager();
        let access = |usable: &[&str], problem: Option<&str>| Access {
            usable: usable.iter().map(|&name| name.into()).collect(),
            problem: problem.map(Into::into),
        };
        assert_eq!(
            line(&pager, &access(&["default", "work"], None)),
            "- pager: Pages people. 4 functions; active; accounts: default, work"
        );
        assert_eq!(
            line(&pager, &access(&[], Some("why."))),
            "- pager: Pages people. 4 functions; inactive, no usable account"
        );
        assert_eq!(
            broken("torn", &Fault::new(Code::Unloadable, "torn.wasm is not a plugin")),
            "- torn: torn.wasm is not a plugin"
        );
    }

    #[test]
    fn the_overview_names_all_providers_and_the_next_step() {
        let page = page(&["broken".into(), "pager".into()], &["- broken: …".into(), "- pager: …".into()], "pager");
        for part in ["- broken: …\n- pager: …", "Providers: broken, pager", "docs.read(\"pager\")"] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }
}
