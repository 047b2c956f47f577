//! Values against OpenAPI 3.0 schemas: references, `allOf`, `oneOf`, `nullable`, and no member that is not declared.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::document::Document;
use crate::finding::Breach;

/// What `value` gets wrong. `at` names the value in a finding.
pub(crate) fn check(document: &Document, schema: &Value, value: &Value, at: &str) -> Vec<Breach> {
    let facets = facets(document, schema);
    if value.is_null() {
        let nullable = facets.iter().any(|facet| facet["nullable"] == true);
        return if nullable { vec![] } else { vec![Breach::new("null", at, "null")] };
    }
    let mut breaches: Vec<Breach> = facets.iter().flat_map(|facet| check_facet(document, facet, value, at)).collect();
    if let Value::Object(members) = value {
        breaches.extend(check_members(document, &facets, value, members, at));
    }
    breaches
}

/// The schemas that all apply at once: the schema itself, what it refers to, and its `allOf`. Members beside a `$ref`
/// count, because Dialpad puts `nullable` there.
fn facets<'a>(document: &'a Document, schema: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![schema];
    if schema.get("$ref").is_some() {
        found.extend(facets(document, document.resolve(schema)));
    }
    let parts = schema["allOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    found.extend(parts.iter().flat_map(|part| facets(document, part)));
    found
}

fn check_facet(document: &Document, facet: &Value, value: &Value, at: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    breaches.extend(check_type(facet, value, at));
    breaches.extend(check_enum(facet, value, at));
    breaches.extend(check_bounds(facet, value, at));
    breaches.extend(check_alternatives(document, facet, value, at));
    match value {
        Value::String(text) => breaches.extend(check_format(facet, text, at)),
        Value::Array(items) => {
            let at = format!("{at}[]");
            breaches.extend(items.iter().flat_map(|item| check(document, &facet["items"], item, &at)));
        }
        _ => {}
    }
    breaches
}

fn check_type(facet: &Value, value: &Value, at: &str) -> Option<Breach> {
    let fits = match facet["type"].as_str()? {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => fits_integer(facet, value),
        _ => false,
    };
    (!fits).then(|| Breach::new(type_rule(facet, value), at, value))
}

fn fits_integer(facet: &Value, value: &Value) -> bool {
    match (value.as_i64(), facet["format"].as_str()) {
        (Some(number), Some("int32")) => i32::try_from(number).is_ok(),
        (number, _) => number.is_some(),
    }
}

/// Digits in quotes where an int64 is due are a rule of their own: a vendor's habit, not a mistake of the moment.
fn type_rule(facet: &Value, value: &Value) -> &'static str {
    let digits = value.as_str().is_some_and(|text| text.parse::<i64>().is_ok());
    if facet["type"] == "integer" && digits { "int64-as-string" } else { "type" }
}

fn check_enum(facet: &Value, value: &Value, at: &str) -> Option<Breach> {
    let choices = facet["enum"].as_array()?;
    (!choices.contains(value)).then(|| Breach::new("enum", at, value))
}

fn check_bounds(facet: &Value, value: &Value, at: &str) -> Option<Breach> {
    let (size, low, high) = match value {
        Value::Number(number) => (number.as_f64()?, "minimum", "maximum"),
        Value::String(text) => (text.encode_utf16().count() as f64, "minLength", "maxLength"),
        Value::Array(items) => (items.len() as f64, "minItems", "maxItems"),
        _ => return None,
    };
    let outside =
        facet[low].as_f64().is_some_and(|low| size < low) || facet[high].as_f64().is_some_and(|high| size > high);
    outside.then(|| Breach::new("bounds", at, value))
}

fn check_format(facet: &Value, text: &str, at: &str) -> Option<Breach> {
    let fits = match facet["format"].as_str()? {
        "date-time" => OffsetDateTime::parse(text, &Rfc3339).is_ok(),
        "uri" => url::Url::parse(text).is_ok(),
        "email" => text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')),
        _ => true,
    };
    (!fits).then(|| Breach::new("format", at, text))
}

/// One of `oneOf` or `anyOf` must fit; of several misfits the nearest is told.
fn check_alternatives(document: &Document, facet: &Value, value: &Value, at: &str) -> Vec<Breach> {
    nearest(document, facet, value).map(|alternative| check(document, alternative, value, at)).unwrap_or_default()
}

fn nearest<'a>(document: &Document, facet: &'a Value, value: &Value) -> Option<&'a Value> {
    let alternatives = facet["oneOf"].as_array().or_else(|| facet["anyOf"].as_array())?;
    alternatives.iter().min_by_key(|alternative| check(document, alternative, value, "").len())
}

/// Whether schemas that all apply, or the nearest of their alternatives, name a member.
fn names(document: &Document, facets: &[&Value], value: &Value, name: &str) -> bool {
    let in_alternative = |facet: &Value| {
        let alternative = nearest(document, facet, value).map(|nearest| self::facets(document, nearest));
        alternative.is_some_and(|facets| names(document, &facets, value, name))
    };
    facets.iter().any(|facet| facet["properties"].get(name).is_some() || in_alternative(facet))
}

fn check_members(
    document: &Document,
    facets: &[&Value],
    value: &Value,
    members: &Map<String, Value>,
    at: &str,
) -> Vec<Breach> {
    let mut breaches = missing(facets, members, at);
    for (name, member) in members {
        let at = format!("{at}.{name}");
        if !is_open(facets) && !names(document, facets, value, name) {
            breaches.push(Breach::new("unknown-field", &at, member));
        }
        let declared = facets.iter().filter_map(|facet| facet["properties"].get(name));
        breaches.extend(declared.flat_map(|schema| check(document, schema, member, &at)));
    }
    breaches
}

fn missing(facets: &[&Value], members: &Map<String, Value>, at: &str) -> Vec<Breach> {
    let required = facets.iter().filter_map(|facet| facet["required"].as_array()).flatten().filter_map(Value::as_str);
    let missing = required.filter(|name| !members.contains_key(*name));
    missing.map(|name| Breach::new("required", &format!("{at}.{name}"), "absent")).collect()
}

/// OpenAPI would let any member pass that is not named; here only a schema that says so, or names none at all, does.
fn is_open(facets: &[&Value]) -> bool {
    let says_so =
        facets.iter().any(|facet| facet["additionalProperties"] == true || facet["additionalProperties"].is_object());
    let names_some = facets
        .iter()
        .any(|facet| facet.get("properties").is_some() || facet.get("oneOf").is_some() || facet.get("anyOf").is_some());
    says_so || !names_some
}

/// Values that came as text, in a path or a query: read as the schema's type before they are checked.
pub(crate) fn check_text(document: &Document, schema: &Value, values: &[&str], at: &str) -> Vec<Breach> {
    let resolved = document.resolve(schema);
    if let Some(alternatives) = resolved["oneOf"].as_array() {
        let results = alternatives.iter().map(|alternative| check_text(document, alternative, values, at));
        return results.min_by_key(Vec::len).unwrap_or_default();
    }
    match (resolved["type"].as_str(), values) {
        (Some("array"), values) => {
            let items = document.resolve(&resolved["items"]);
            let value = values.iter().map(|text| typed(items, text)).collect();
            check(document, resolved, &value, at)
        }
        (_, [only]) => check(document, resolved, &typed(resolved, only), at),
        _ => vec![Breach::new("repeated", at, values.join(","))],
    }
}

/// The text as a number or boolean if the schema wants one and it is one.
fn typed(schema: &Value, text: &str) -> Value {
    let wanted = schema["type"].as_str().unwrap_or("string");
    match (wanted, text) {
        ("boolean", "true") => Value::Bool(true),
        ("boolean", "false") => Value::Bool(false),
        ("integer", digits) => digits.parse::<i64>().map_or_else(|_| Value::String(digits.to_owned()), Value::from),
        ("number", digits) => digits.parse::<f64>().map_or_else(|_| Value::String(digits.to_owned()), Value::from),
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r##"{"paths": {}, "components": {"schemas": {
        "Id": {"type": "integer", "format": "int64"},
        "Base": {"type": "object", "required": ["id"], "properties": {"id": {"$ref": "#/components/schemas/Id"}}},
        "Thing": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {
            "state": {"type": "string", "enum": ["on", "off"]},
            "at": {"type": "string", "format": "date-time"},
            "size": {"oneOf": [{"type": "integer", "minimum": 1, "maximum": 9}, {"type": "string", "enum": ["max"]}]},
            "twin": {"$ref": "#/components/schemas/Base", "nullable": true},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "grant": {"allOf": [{"type": "object", "properties": {"scope": {"type": "string"}}}, {"anyOf": [
                {"type": "object", "required": ["kind", "jwt"], "properties": {"kind": {"enum": ["jwt"]}, "jwt": {}}},
                {"type": "object", "required": ["kind", "code"], "properties": {"kind": {"enum": ["code"]}, "code": {}}}]}]},
            "free": {"type": "object"}}}]}}}}"##;

    #[track_caller]
    fn check_thing(value: &str, expected: &[(&str, &str)]) {
        let document = Document::parse("test", DOCUMENT).expect("the document above is valid");
        let schema = document.component("Thing").expect("it has a Thing");
        let value = serde_json::from_str(value).expect("the case is JSON");
        let found: Vec<(&str, String)> =
            check(&document, schema, &value, "body").into_iter().map(|breach| (breach.rule, breach.at)).collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(rule, at)| (*rule, at.as_str())).collect();
        assert_eq!(found, expected, "{value}");
    }

    #[test]
    fn a_value_is_held_to_everything_its_schema_says() {
        check_thing(r#"{"id": 9007199254740993, "state": "on", "twin": null, "size": "max", "free": {"a": 1}}"#, &[]);
        check_thing(r#"{}"#, &[("required", "body.id")]);
        check_thing(r#"{"id": "17"}"#, &[("int64-as-string", "body.id")]);
        check_thing(r#"{"id": "x"}"#, &[("type", "body.id")]);
        check_thing(r#"{"id": null}"#, &[("null", "body.id")]);
        check_thing(r#"{"id": 1.5}"#, &[("type", "body.id")]);
        check_thing(r#"{"id": 1, "state": "On"}"#, &[("enum", "body.state")]);
        check_thing(r#"{"id": 1, "at": "2026-05-01T00:00:00"}"#, &[("format", "body.at")]);
        check_thing(r#"{"id": 1, "size": 10}"#, &[("bounds", "body.size")]);
        check_thing(r#"{"id": 1, "twin": {"id": 1, "more": 2}}"#, &[("unknown-field", "body.twin.more")]);
        check_thing(r#"{"id": 1, "tags": []}"#, &[("bounds", "body.tags")]);
        check_thing(r#"{"id": 1, "tags": ["a", 1]}"#, &[("type", "body.tags[]")]);
        check_thing(r#"{"id": 1, "grant": {"kind": "code", "code": "c"}}"#, &[]);
        check_thing(
            r#"{"id": 1, "grant": {"kind": "code", "code": "c", "jwt": "j"}}"#,
            &[("unknown-field", "body.grant.jwt"), ("unknown-field", "body.grant.jwt")],
        );
        check_thing(r#"{"id": 1, "twin": []}"#, &[("type", "body.twin")]);
    }
}
