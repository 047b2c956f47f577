//! Lua as documentation shows it: literals, and an invocation that runs as it stands.

use crate::description::{Function, Kind, Operation, Parameter};
use serde_json::{Map, Value};

/// Words that cannot be a field's name without brackets.
const KEYWORDS: [&str; 22] = [
    "and", "break", "continue", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// `app.integrations.dialpad.send_sms`
pub(super) fn path(provider: &str, function: &str) -> String {
    format!("app.integrations.{provider}.{function}")
}

/// An invocation with arguments that work: `app.integrations.dialpad.get_call({id = "call_abc123"})`
pub(super) fn invocation(provider: &str, function: &Function) -> String {
    format!("{}({})", path(provider, &function.name), arguments(function))
}

/// The arguments of [`invocation`]: `{id = "call_abc123"}`
pub(super) fn arguments(function: &Function) -> String {
    literal(&Value::Object(example_arguments(function)))
}

/// Arguments that work, by name.
pub(super) fn example_arguments(function: &Function) -> Map<String, Value> {
    shown(function).map(|parameter| (parameter.name.clone(), example(parameter))).collect()
}

/// The names a function takes, optional ones marked: `send_sms({to, from, text, media?})`
pub(super) fn signature(function: &Function) -> String {
    let mark = |parameter: &Parameter| if parameter.required { "" } else { "?" };
    let names: Vec<_> = function.parameters.iter().map(|known| format!("{}{}", known.name, mark(known))).collect();
    format!("{}({{{}}})", function.name, names.join(", "))
}

/// A JSON value as a Lua literal.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "json.null".into(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("{{{}}}", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(|(name, value)| field(name, value)).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// The required parameters; for a write also the first optional one with an example, because a write that changes
/// nothing is refused. A read gets no optional ones: two that work alone may not go together.
fn shown(function: &Function) -> impl Iterator<Item = &Parameter> {
    let optional = |parameter: &&Parameter| !parameter.required && has_example(parameter);
    let extra = function.parameters.iter().find(optional).filter(|_| function.operation == Operation::Write);
    let extra_name = extra.map(|parameter| parameter.name.clone());
    function.parameters.iter().filter(move |known| known.required || Some(&known.name) == extra_name.as_ref())
}

fn has_example(parameter: &Parameter) -> bool {
    parameter.example.is_some() || !parameter.choices.is_empty()
}

fn example(parameter: &Parameter) -> Value {
    let declared = parameter.example.as_ref().or(parameter.default.as_ref());
    let parsed = declared.and_then(|text| serde_json::from_str(text).ok());
    let chosen = || parameter.choices.first().map(|choice| Value::from(choice.as_str()));
    parsed.or_else(chosen).unwrap_or_else(|| placeholder(parameter))
}

fn placeholder(parameter: &Parameter) -> Value {
    match parameter.kind {
        Kind::String => Value::from(format!("example_{}", parameter.name)),
        Kind::Integer | Kind::Number => Value::from(1),
        Kind::Boolean => Value::from(true),
        Kind::Object => Value::Object(Map::new()),
        Kind::Array => Value::Array(Vec::new()),
    }
}

fn field(name: &str, value: &Value) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if plain && starts && !KEYWORDS.contains(&name) {
        format!("{name} = {}", literal(value))
    } else {
        format!("[{}] = {}", quoted(name), literal(value))
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", control as u32)),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::fixture;
    use serde_json::json;

    #[track_caller]
    fn check_literal(value: Value, expected: &str) {
        assert_eq!(literal(&value), expected);
    }

    #[test]
    fn every_json_value_has_a_lua_literal() {
        check_literal(json!(null), "json.null");
        check_literal(json!(true), "true");
        check_literal(json!(1764547200), "1764547200");
        check_literal(json!("He said \"no\"\n\u{1}"), r#""He said \"no\"\n\u{1}""#);
        check_literal(json!([1, "a", []]), r#"{1, "a", {}}"#);
        check_literal(
            json!({"a": 1, "end": 2, "a-b": {"c": "d"}, "1st": 3}),
            r#"{a = 1, ["end"] = 2, ["a-b"] = {c = "d"}, ["1st"] = 3}"#,
        );
    }

    #[track_caller]
    fn check_invocation(function: &str, expected: &str) {
        let description = fixture::pager();
        let function = description.function(function).expect("a function of the fixture");
        assert_eq!(invocation("pager", function), expected);
    }

    #[test]
    fn an_example_holds_what_the_function_needs_and_nothing_that_could_clash() {
        check_invocation("list_pages", "app.integrations.pager.list_pages({})");
        check_invocation("get_page", r#"app.integrations.pager.get_page({id = "p-1"})"#);
        check_invocation("send_page", r#"app.integrations.pager.send_page({to = "example_to", urgency = "High"})"#);
        check_invocation("erase_page", "app.integrations.pager.erase_page({page_ids = {1, 2}})");
    }

    #[test]
    fn a_signature_marks_what_may_be_left_out() {
        let description = fixture::pager();
        let signatures: Vec<_> = description.functions.iter().map(signature).collect();
        assert_eq!(
            signatures,
            [
                "list_pages({limit?, cursor?})",
                "get_page({id})",
                "send_page({to, urgency?, payload?})",
                "erase_page({page_ids})"
            ]
        );
    }
}
