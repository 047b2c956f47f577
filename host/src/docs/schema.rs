//! What a function takes, as JSON Schema of 2020-12, for programs that compose arguments. It describes the form that
//! is always right; the host itself is a little more lenient (names in any case, digits for integers).

use super::function::kind;
use crate::description::{Description, Function, Kind, Parameter};
use serde_json::{Map, Value, json};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of the function's arguments.
pub(super) fn of(provider: &Description, function: &Function) -> Value {
    let properties: Map<_, _> = function.parameters.iter().map(|known| (known.name.clone(), property(known))).collect();
    let required: Vec<_> = function.parameters.iter().filter(|known| known.required).map(|known| &known.name).collect();
    json!({
        "$schema": DIALECT,
        "title": format!("{}.{}", provider.name, function.name),
        "description": function.summary,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(parameter: &Parameter) -> Value {
    let mut schema = Map::new();
    schema.insert("type".into(), kind(parameter.kind).into());
    schema.insert("description".into(), parameter.description.as_str().into());
    if !parameter.choices.is_empty() {
        schema.insert("enum".into(), json!(parameter.choices));
    }
    if parameter.required && parameter.kind == Kind::String && parameter.choices.is_empty() {
        // An empty string counts as missing.
        schema.insert("minLength".into(), 1.into());
    }
    schema.extend(parameter.default.as_deref().and_then(parsed).map(|value| ("default".into(), value)));
    schema.extend(parameter.example.as_deref().and_then(parsed).map(|value| ("examples".into(), json!([value]))));
    schema.into()
}

/// Declared values are JSON: the description was refused otherwise.
fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::fixture;

    #[track_caller]
    fn check(function: &str, properties: Value, required: Value) {
        let pager = fixture::pager();
        let schema = of(&pager, pager.function(function).expect("a function"));
        assert_eq!(schema["$schema"], DIALECT);
        assert_eq!((&schema["properties"], &schema["required"]), (&properties, &required));
        assert_eq!((&schema["type"], &schema["additionalProperties"]), (&json!("object"), &json!(false)));
    }

    #[test]
    fn everything_declared_of_a_parameter_is_in_the_schema() {
        check(
            "list_pages",
            json!({"limit": {"type": "integer", "description": "Most pages to return", "default": 50},
                   "cursor": {"type": "string", "description": "Where to go on."}}),
            json!([]),
        );
        check(
            "get_page",
            json!({"id": {"type": "string", "description": "The page's id.", "minLength": 1, "examples": ["p-1"]}}),
            json!(["id"]),
        );
        check(
            "send_page",
            json!({"to": {"type": "string", "description": "Whom to page.", "minLength": 1},
                   "urgency": {"type": "string", "description": "How loud: a | b.", "enum": ["High", "Low"]},
                   "payload": {"type": "object", "description": "More fields."}}),
            json!(["to"]),
        );
    }
}
