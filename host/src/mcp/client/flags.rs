//! A tool's arguments as they are typed: each is read as the schema declares it, never by its looks. Pure.

use crate::fault::Fault;
use crate::nearest::did_you_mean;
use serde_json::{Map, Value};

/// The arguments that these flags give, by the names of the schema. `--message-type` and `--messageType` are one.
///
/// # Errors
/// `invalid_argument`, for a flag that the tool has no parameter for, and a value that is not of its type.
pub(super) fn read(
    path: &str,
    schema: &Value,
    flags: &[(String, Option<String>)],
) -> Result<Map<String, Value>, Fault> {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let mut arguments = Map::new();
    for (flag, value) in flags {
        let Some((name, property)) = find(properties, flag) else {
            let suggestion = did_you_mean(flag, properties.keys().map(String::as_str));
            return Err(Fault::argument(flag, format!("{path}: there is no parameter `{flag}`.{suggestion}")));
        };
        let value = coerced(path, name, property, value.as_deref())?;
        match arguments.get_mut(name) {
            Some(Value::Array(items)) if types(property).contains(&"array") => items.extend(listed(value)),
            _ => drop(arguments.insert(name.clone(), value)),
        }
    }
    Ok(arguments)
}

fn find<'a>(properties: &'a Map<String, Value>, flag: &str) -> Option<(&'a String, &'a Value)> {
    let folded = |name: &str| name.replace(['-', '_'], "").to_lowercase();
    let exact = properties.iter().find(|(name, _)| *name == flag);
    exact.or_else(|| properties.iter().find(|(name, _)| folded(name) == folded(flag)))
}

fn coerced(path: &str, name: &str, property: &Value, value: Option<&str>) -> Result<Value, Fault> {
    let Some(text) = value else { return Ok(Value::Bool(true)) };
    let types = types(property);
    let parsed = serde_json::from_str::<Value>(text).ok();
    let fits = |parsed: &Value| types.iter().any(|kind| fits(kind, parsed));
    match parsed {
        Some(parsed) if fits(&parsed) && !types.contains(&"string") => Ok(parsed),
        _ if types.contains(&"string") => Ok(text.into()),
        // A list is given item by item, or as JSON.
        Some(parsed) if types.contains(&"array") => Ok(Value::Array(vec![parsed])),
        None if types.contains(&"array") => Ok(Value::Array(vec![text.into()])),
        parsed if types.is_empty() => Ok(parsed.unwrap_or_else(|| text.into())),
        _ => Err(Fault::argument(
            name,
            format!("{path}: `{name}` has to be a {}, and `{text}` is none", types.join(" or a ")),
        )),
    }
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        item => vec![item],
    }
}

fn types(property: &Value) -> Vec<&str> {
    match property.get("type") {
        Some(Value::String(only)) => vec![only],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(flags: &[(&str, Option<&str>)], expected: Result<Value, &str>) {
        let schema = json!({"properties": {
            "to": {"type": "string"}, "messageType": {"type": "string"}, "limit": {"type": "integer"},
            "loud": {"type": "boolean"}, "tags": {"type": "array"}, "filter": {"type": "object"}, "any": {}
        }});
        let flags: Vec<_> = flags.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        let read = read("s.t", &schema, &flags).map(Value::Object).map_err(|fault| fault.message);
        assert_eq!(read, expected.map_err(String::from));
    }

    #[test]
    fn a_flag_means_what_the_schema_declares() {
        check(&[("to", Some("+14155551234"))], Ok(json!({"to": "+14155551234"})));
        check(&[("message-type", Some("7")), ("limit", Some("7"))], Ok(json!({"messageType": "7", "limit": 7})));
        check(&[("loud", None)], Ok(json!({"loud": true})));
        check(&[("tags", Some("a")), ("tags", Some("2"))], Ok(json!({"tags": ["a", 2]})));
        check(&[("tags", Some("[1, 2]"))], Ok(json!({"tags": [1, 2]})));
        check(&[("filter", Some("{\"a\": 1}")), ("any", Some("x"))], Ok(json!({"filter": {"a": 1}, "any": "x"})));
        check(&[("limit", Some("x"))], Err("s.t: `limit` has to be a integer, and `x` is none"));
        check(&[("limt", Some("1"))], Err("s.t: there is no parameter `limt`. Did you mean: limit"));
    }
}
