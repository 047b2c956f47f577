//! One function as listings, searches and programs get it.

use super::facts::Access;
use super::schema;
use crate::description::{Description, Function};
use serde::Serialize;
use serde_json::Value;

/// A function with everything that is needed to choose it and to call it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// `dialpad`
    pub provider: String,
    /// `list_calls`
    pub function: String,
    /// `dialpad.list_calls`
    pub name: String,
    /// `dialpad_list_calls`
    pub slug: String,
    /// `List calls`
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// What it returns, its traps and units, in Markdown; may be empty.
    pub description: String,
    /// `read` or `write`
    pub operation: &'static str,
    /// A write that cannot be undone.
    pub destructive: bool,
    /// Whether it could be invoked right now.
    pub active: bool,
    /// Whether an account has all credentials it needs.
    pub configured: bool,
    /// With which accounts it can be invoked, `default` first.
    pub accounts: Vec<String>,
    /// `bearer`, `basic`, …: how the host authenticates.
    pub auth_strategy: &'static str,
    /// `app.integrations.dialpad.list_calls`
    pub lua_path: String,
    /// Its arguments, as JSON Schema.
    pub input_schema: Value,
}

impl Entry {
    pub(super) fn of(provider: &Description, function: &Function, access: &Access) -> Self {
        let usable = !access.usable.is_empty();
        Self {
            provider: provider.name.clone(),
            function: function.name.clone(),
            name: format!("{}.{}", provider.name, function.name),
            slug: format!("{}_{}", provider.name, function.name),
            title: title(&function.name),
            summary: function.summary.clone(),
            description: function.description.clone(),
            operation: function.operation.as_str(),
            destructive: function.destructive,
            active: usable,
            configured: usable,
            accounts: access.usable.clone(),
            auth_strategy: provider.auth_strategy(),
            lua_path: super::lua::path(&provider.name, &function.name),
            input_schema: schema::of(provider, function),
        }
    }
}

fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::fixture;

    #[test]
    fn an_entry_says_all_there_is() {
        let pager = fixture::pager();
        let access = Access { usable: vec!["work".into()], problem: None };
        let entry = Entry::of(&pager, pager.function("get_page").expect("a function"), &access);
        let mut json = serde_json::to_value(entry).expect("JSON");
        let schema = json.as_object_mut().and_then(|fields| fields.remove("input_schema")).expect("a schema");
        assert_eq!(schema["title"], "pager.get_page");
        let expected = serde_json::json!({
            "provider": "pager", "function": "get_page", "name": "pager.get_page", "slug": "pager_get_page",
            "title": "Get page", "summary": "Get one page.", "description": "", "operation": "read",
            "destructive": false, "active": true, "configured": true, "accounts": ["work"],
            "auth_strategy": "bearer", "lua_path": "app.integrations.pager.get_page",
        });
        assert_eq!(json, expected);
    }
}
