//! What tools take and give, as JSON Schema.

use crate::Provider;
use crate::description::Pagination;
use serde_json::{Map, Value, json};

/// What the argument for the account is called: the second where a function has a parameter of the first name.
const ACCOUNT: [&str; 2] = ["account", "kosmo_account"];

/// A function's arguments, with one for the account where there are several to choose from.
pub(super) fn with_account(schema: Value, accounts: &[String]) -> (Map<String, Value>, Option<&'static str>) {
    let Value::Object(mut schema) = schema else { return (Map::new(), None) };
    let only = accounts.len() < 2 && accounts.first().is_none_or(|name| name == "default");
    let Some(Value::Object(properties)) = schema.get_mut("properties").filter(|_| !only) else { return (schema, None) };
    let name = if properties.contains_key(ACCOUNT[0]) { ACCOUNT[1] } else { ACCOUNT[0] };
    let default = accounts.iter().find(|name| *name == "default").or(accounts.first());
    let text = "The account it is done with.";
    properties
        .insert(name.into(), json!({"type": "string", "enum": accounts, "default": default, "description": text}));
    (schema, Some(name))
}

/// What a function gives, as far as it is declared: where its pages have their items.
pub(super) fn of_result(provider: &Provider, function: &str) -> Option<Map<String, Value>> {
    let paged = provider.description().function(function)?.pagination.as_ref()?;
    let items = match paged {
        Pagination::Cursor(by) => &by.items,
        Pagination::Page(by) => &by.items,
    };
    // What else is in it, its guide tells.
    object(json!({"type": "object", "properties": {items: {"type": "array"}}}))
}

/// The envelope of a script's run.
pub(super) fn of_envelope() -> Map<String, Value> {
    let call = json!({
        "type": "object",
        "properties": {
            "path": {"type": "string"}, "durationMs": {"type": "number"}, "status": {"enum": ["ok", "error"]},
            "error": {"type": "string"}, "name": {"type": "string"}, "group": {"type": "string"}
        }
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "success": {"type": "boolean"},
            "output": {"type": "string", "description": "What it printed"},
            "error": {"type": ["string", "null"]},
            "result": {"type": ["array", "null"], "description": "What it returned"},
            "fault": {"type": "object", "description": "Why it failed, with a code"},
            "execution_time_ms": {"type": "number"},
            "memory_usage": {"type": ["integer", "null"]},
            "integration_calls": {"type": "array", "items": call},
            "requests": {"type": "array", "description": "What a dry run would have sent"},
            "meta": {"type": "object"}
        },
        "required": ["success", "output", "error", "result", "integration_calls", "meta"]
    });
    object(schema).unwrap_or_default()
}

/// What a search found.
pub(super) fn of_search() -> Map<String, Value> {
    let hit = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"}, "summary": {"type": "string"}, "operation": {"enum": ["read", "write"]},
            "lua_path": {"type": "string"}, "accounts": {"type": "array", "items": {"type": "string"}}
        },
        "required": ["name", "summary", "operation", "lua_path", "accounts"]
    });
    let schema = json!({"type": "object", "properties": {"functions": {"type": "array", "items": hit}}, "required": ["functions"]});
    object(schema).unwrap_or_default()
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parameters: Value, accounts: &[&str], expected: Option<&str>) {
        let accounts: Vec<_> = accounts.iter().map(|&name| name.into()).collect();
        let (schema, name) = with_account(json!({"type": "object", "properties": parameters}), &accounts);
        assert_eq!(name, expected);
        let added = name.and_then(|name| schema["properties"][name]["default"].as_str());
        assert_eq!(added, expected.and(accounts.first().map(String::as_str)));
    }

    #[test]
    fn an_account_can_be_chosen_where_there_is_a_choice() {
        check(json!({}), &[], None);
        check(json!({}), &["default"], None);
        check(json!({}), &["work"], Some("account"));
        check(json!({}), &["default", "work"], Some("account"));
        check(json!({"account": {}}), &["default", "work"], Some("kosmo_account"));
    }
}
