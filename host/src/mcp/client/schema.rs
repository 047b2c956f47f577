//! Arguments against a tool's schema, lightly: what the schema plainly forbids is refused before anything is sent, and
//! everything else is the server's to judge. A schema may lie or make no sense; then it forbids nothing. Pure.

use crate::clip::{NAME, clipped};
use crate::fault::{Code, Fault};
use crate::nearest::did_you_mean;
use serde_json::{Map, Value};

/// Most names that a sentence lists.
const LISTED: usize = 12;

/// What says more about a value than its `type`.
const BEYOND: [&str; 7] = ["$ref", "anyOf", "oneOf", "allOf", "not", "if", "nullable"];

/// The arguments as they are sent.
///
/// # Errors
/// `invalid_argument`, naming what is missing, unknown or of the wrong type.
pub(super) fn check(
    path: &str,
    schema: &Value,
    mut arguments: Map<String, Value>,
) -> Result<Map<String, Value>, Fault> {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    check_names(path, schema, properties, &arguments)?;
    check_required(path, schema, properties, &arguments)?;
    for (name, value) in &mut arguments {
        if let Some(property) = properties.get(name) {
            check_type(path, name, property, value)?;
        }
    }
    Ok(arguments)
}

fn check_names(
    path: &str,
    schema: &Value,
    properties: &Map<String, Value>,
    arguments: &Map<String, Value>,
) -> Result<(), Fault> {
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    if !is_closed || schema.get("patternProperties").is_some() || is_open(schema) {
        return Ok(());
    }
    let Some(unknown) = arguments.keys().find(|name| !properties.contains_key(*name)) else { return Ok(()) };
    let known: Vec<_> = properties.keys().take(LISTED).map(String::as_str).collect();
    let suggestion = match did_you_mean(unknown, properties.keys().map(String::as_str)) {
        none if none.is_empty() => {
            format!(" It has: {}", if known.is_empty() { "none".into() } else { known.join(", ") })
        }
        some => some,
    };
    let unknown = clipped(unknown, NAME);
    Err(Fault::argument(&unknown, format!("{path}: there is no parameter `{unknown}`.{suggestion}")))
}

fn check_required(
    path: &str,
    schema: &Value,
    properties: &Map<String, Value>,
    arguments: &Map<String, Value>,
) -> Result<(), Fault> {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<_> = required.filter(|name| !arguments.contains_key(*name)).take(LISTED).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    // A mistyped name is why another one is missing.
    let mistyped = arguments.keys().find(|name| !properties.contains_key(*name));
    let hint = mistyped.map(|name| format!(" There is no parameter `{}`.", clipped(name, NAME))).unwrap_or_default();
    let fault = Fault::new(
        Code::InvalidArgument,
        format!("Missing required parameter(s): {}. ({path}){hint}", missing.join(", ")),
    );
    Err(Fault { parameter: Some((*first).into()), ..fault })
}

/// An empty table of Lua may be meant as a list.
fn check_type(path: &str, name: &str, property: &Value, value: &mut Value) -> Result<(), Fault> {
    let types: Vec<&str> = match property.get("type") {
        Some(Value::String(only)) => vec![only],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    if types.is_empty() || is_open(property) || types.iter().any(|kind| fits(kind, value)) {
        return Ok(());
    }
    if types.contains(&"array") && value.as_object().is_some_and(Map::is_empty) {
        *value = Value::Array(Vec::new());
        return Ok(());
    }
    let message = format!("{path}: `{name}` is a {} and has to be a {}", kind(value), types.join(" or a "));
    Err(Fault::argument(name, message))
}

fn is_open(schema: &Value) -> bool {
    BEYOND.iter().any(|key| schema.get(key).is_some())
}

/// A type that nobody knows fits everything.
fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => true,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check_all(schema: &Value, arguments: Value, expected: Result<Value, &str>) {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let checked = check("s.t", schema, arguments).map(Value::Object).map_err(|fault| fault.message);
        assert_eq!(checked, expected.map_err(String::from));
    }

    #[test]
    fn only_what_the_schema_plainly_forbids_is_refused() {
        let schema = json!({
            "type": "object", "required": ["title"], "additionalProperties": false,
            "properties": {
                "title": {"type": "string"}, "count": {"type": "integer"}, "tags": {"type": "array"},
                "either": {"type": ["string", "null"]}, "any": {"anyOf": [{"type": "string"}], "type": "number"},
                "odd": {"type": "quaternion"}
            }
        });
        let check = |arguments, expected| check_all(&schema, arguments, expected);
        check(
            json!({"title": "a", "count": 2, "tags": ["x"], "either": null, "any": true, "odd": 1}),
            Ok(json!({"title": "a", "count": 2, "tags": ["x"], "either": null, "any": true, "odd": 1})),
        );
        check(json!({"title": "a", "count": 2.0, "tags": {}}), Ok(json!({"title": "a", "count": 2.0, "tags": []})));
        check(json!({}), Err("Missing required parameter(s): title. (s.t)"));
        check(json!({"titel": "a"}), Err("s.t: there is no parameter `titel`. Did you mean: title"));
        check(json!({"title": 1}), Err("s.t: `title` is a number and has to be a string"));
        check(json!({"title": "a", "count": 1.5}), Err("s.t: `count` is a number and has to be a integer"));
        check(json!({"title": "a", "either": 1}), Err("s.t: `either` is a number and has to be a string or a null"));
    }

    #[test]
    fn a_schema_that_makes_no_sense_forbids_nothing() {
        for schema in [
            json!(null),
            json!({}),
            json!({"properties": 7, "required": "title", "type": []}),
            json!({"properties": {"a": 1}, "required": [7]}),
        ] {
            check_all(&schema, json!({"a": 1}), Ok(json!({"a": 1})));
        }
        check_all(
            &json!({"required": ["b"], "properties": {"b": {}}}),
            json!({"a": 1}),
            Err("Missing required parameter(s): b. (s.t) There is no parameter `a`."),
        );
    }
}
