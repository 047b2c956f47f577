//! A script's arguments against a function's parameters. Pure; nothing is sent before this says yes.
//!
//! Names match without regard to case and underscores and come out as declared; so do choices. An integral number is
//! accepted for `string` and a string of digits for `integer`. Everything else is a fault that names the parameter,
//! what it takes and an example.

use crate::clip::{NAME, clipped};
use crate::description::{Function, Kind, Parameter, folded};
use crate::fault::Fault;
use crate::nearest::did_you_mean;
use serde_json::{Map, Number, Value};

/// The arguments as the plugin gets them: declared names, declared kinds, declared choices, in declared order, so that
/// the first bad parameter is the one that is named and spelling does not make another invocation.
///
/// # Errors
/// `invalid_argument` for what is unknown, given twice, missing or of the wrong kind.
pub fn check(path: &str, function: &Function, given: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    let mut named: Vec<Option<Value>> = vec![None; function.parameters.len()];
    for (name, value) in given {
        let at = find(function, &name).ok_or_else(|| unknown(path, function, &name))?;
        if named[at].replace(value).is_some() {
            let name = &function.parameters[at].name;
            return Err(Fault::argument(name, format!("{path}: `{name}` is given twice, in two spellings.")));
        }
    }
    let mut checked = Map::new();
    for (parameter, value) in function.parameters.iter().zip(named) {
        let Some(value) = value else { continue };
        checked.insert(parameter.name.clone(), coerce(path, parameter, value)?);
    }
    missing(path, function, &checked)?;
    Ok(checked)
}

fn find(function: &Function, name: &str) -> Option<usize> {
    let wanted = folded(name);
    let exact = function.parameters.iter().position(|parameter| parameter.name == name);
    exact.or_else(|| function.parameters.iter().position(|parameter| folded(&parameter.name) == wanted))
}

fn unknown(path: &str, function: &Function, name: &str) -> Fault {
    let known = || function.parameters.iter().map(|parameter| parameter.name.as_str());
    let takes = match known().collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "It takes no parameters.".into(),
        names => format!("It takes: {names}."),
    };
    let suggestion = did_you_mean(name, known());
    let name = clipped(name, NAME);
    Fault::argument(&name, format!("{path} has no parameter `{name}`. {takes}{suggestion}"))
}

/// A parameter is missing if it is absent, null or empty.
fn missing(path: &str, function: &Function, given: &Map<String, Value>) -> Result<(), Fault> {
    let blank = |parameter: &&Parameter| match given.get(&parameter.name) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    };
    let names: Vec<_> = function.parameters.iter().filter(|parameter| parameter.required).filter(blank).collect();
    let Some(first) = names.first() else { return Ok(()) };
    let list = names.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(", ");
    let (name, kind, example) = (&first.name, kind_name(first.kind), for_example(first));
    let message = format!("Missing required parameter(s): {list}. {path} takes `{name}` as {kind}{example}.");
    Err(Fault::argument(name, message))
}

fn coerce(path: &str, parameter: &Parameter, value: Value) -> Result<Value, Fault> {
    let fitting = match (parameter.kind, value) {
        (_, Value::Null) => return Ok(Value::Null),
        (Kind::String, Value::String(text)) => return choose(path, parameter, text).map(Value::String),
        (Kind::String, Value::Number(number)) => match decimal(&number) {
            Some(text) => return choose(path, parameter, text).map(Value::String),
            None => Err(Value::Number(number)),
        },
        (Kind::Integer, Value::Number(number)) => integral(&number).map(Value::Number).ok_or(Value::Number(number)),
        (Kind::Integer, Value::String(text)) => digits(&text).map(Value::Number).ok_or(Value::String(text)),
        (Kind::Number, Value::Number(number)) => Ok(Value::Number(number)),
        (Kind::Boolean, Value::Bool(truth)) => Ok(Value::Bool(truth)),
        (Kind::Object, Value::Object(map)) => Ok(Value::Object(map)),
        (Kind::Array, Value::Array(list)) => Ok(Value::Array(list)),
        // Lua has one empty table for both.
        (Kind::Array, Value::Object(map)) if map.is_empty() => Ok(Value::Array(Vec::new())),
        (Kind::Object, Value::Array(list)) if list.is_empty() => Ok(Value::Object(Map::new())),
        (_, other) => Err(other),
    };
    fitting.map_err(|given| wrong_kind(path, parameter, &given))
}

/// The choice that matches without regard to case, as declared. Without choices, any text.
fn choose(path: &str, parameter: &Parameter, text: String) -> Result<String, Fault> {
    if parameter.choices.is_empty() || text.is_empty() {
        return Ok(text);
    }
    match parameter.choices.iter().find(|choice| choice.eq_ignore_ascii_case(&text)) {
        Some(choice) => Ok(choice.clone()),
        None => Err(wrong_choice(path, parameter, &text)),
    }
}

fn wrong_choice(path: &str, parameter: &Parameter, text: &str) -> Fault {
    let (name, choices) = (&parameter.name, parameter.choices.join(", "));
    let suggestion = did_you_mean(text, parameter.choices.iter().map(String::as_str));
    let text = clipped(text, NAME);
    Fault::argument(name, format!("{path}: `{name}` cannot be \"{text}\". It takes one of: {choices}.{suggestion}"))
}

fn wrong_kind(path: &str, parameter: &Parameter, given: &Value) -> Fault {
    let (name, kind, example) = (&parameter.name, kind_name(parameter.kind), for_example(parameter));
    let given = excerpt(given);
    Fault::argument(name, format!("{path}: `{name}` takes {kind}{example}; it was given {given}."))
}

fn for_example(parameter: &Parameter) -> String {
    parameter.example.as_ref().map_or(String::new(), |example| format!(", for example {example}"))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Integer => "an integer",
        Kind::Number => "a number",
        Kind::Boolean => "true or false",
        Kind::Object => "an object",
        Kind::Array => "a list",
    }
}

/// A short form of a wrong value, so that an error stays one sentence.
fn excerpt(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) if text.chars().count() > 60 => {
            format!("\"{}…\"", text.chars().take(60).collect::<String>())
        }
        other => other.to_string(),
    }
}

/// An integral number in decimal, never in exponent form: ids come back as numbers.
fn decimal(number: &Number) -> Option<String> {
    integral(number).map(|integer| integer.to_string())
}

fn integral(number: &Number) -> Option<Number> {
    /// Beyond this a double no longer tells neighbouring integers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.is_i64() || number.is_u64() {
        return Some(number.clone());
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "integral and within 2^53")]
    let integer = float as i64;
    Some(integer.into())
}

fn digits(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let plain = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse::<i64>().ok()).flatten().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::contract::{Operation, Parameter};
    use serde_json::json;

    fn parameter(name: &str, kind: Kind, required: bool) -> Parameter {
        let choices = if name == "readStatus" { vec!["Read".into(), "Unread".into(), "All".into()] } else { vec![] };
        let example = (name == "limit").then(|| "20".into());
        Parameter { name: name.into(), kind, required, description: String::new(), choices, default: None, example }
    }

    fn function() -> Function {
        Function {
            name: "update".into(),
            summary: String::new(),
            description: String::new(),
            operation: Operation::Write,
            destructive: false,
            parameters: vec![
                parameter("messageId", Kind::String, true),
                parameter("readStatus", Kind::String, false),
                parameter("limit", Kind::Integer, false),
                parameter("detailed", Kind::Boolean, false),
                parameter("payload", Kind::Object, false),
                parameter("tags", Kind::Array, false),
                parameter("ratio", Kind::Number, false),
            ],
            requests: vec![],
            rate_group: None,
            pagination: None,
        }
    }

    #[track_caller]
    fn check_ok(given: Value, expected: Value) {
        let Value::Object(given) = given else { panic!("an object") };
        let checked = check("app.integrations.test.update", &function(), given).expect("valid arguments");
        assert_eq!(Value::Object(checked), expected);
    }

    #[track_caller]
    fn check_err(given: Value, parameter: &str, part: &str) {
        let Value::Object(given) = given else { panic!("an object") };
        let fault = check("app.integrations.test.update", &function(), given).expect_err("a fault");
        assert_eq!(fault.parameter.as_deref(), Some(parameter), "{fault}");
        assert!(fault.message.contains(part), "{fault}");
    }

    #[test]
    fn names_and_choices_come_out_as_declared() {
        check_ok(json!({"message_id": "1"}), json!({"messageId": "1"}));
        check_ok(json!({"MESSAGEID": "1", "read_status": "unREAD"}), json!({"messageId": "1", "readStatus": "Unread"}));
    }

    #[test]
    fn arguments_come_out_in_declared_order() {
        let Value::Object(given) = json!({"limit": 1, "read_status": "Read", "message_id": "1"}) else { panic!() };
        let checked = check("app.integrations.test.update", &function(), given).expect("valid arguments");
        assert_eq!(checked.keys().collect::<Vec<_>>(), ["messageId", "readStatus", "limit"]);
        check_err(json!({"limit": "x", "readStatus": "reed", "messageId": "1"}), "readStatus", "one of: Read");
    }

    #[test]
    fn kinds_are_lenient_only_where_ids_need_it() {
        check_ok(json!({"messageId": 1234567890}), json!({"messageId": "1234567890"}));
        check_ok(json!({"messageId": 1.2e12}), json!({"messageId": "1200000000000"}));
        check_ok(json!({"messageId": "1", "limit": "20"}), json!({"messageId": "1", "limit": 20}));
        check_ok(json!({"messageId": "1", "limit": 20.0}), json!({"messageId": "1", "limit": 20}));
        check_ok(json!({"messageId": "1", "tags": {}}), json!({"messageId": "1", "tags": []}));
        check_ok(json!({"messageId": "1", "payload": []}), json!({"messageId": "1", "payload": {}}));
        check_ok(json!({"messageId": "1", "payload": null}), json!({"messageId": "1", "payload": null}));
        check_ok(json!({"messageId": "1", "ratio": 1.5}), json!({"messageId": "1", "ratio": 1.5}));
        check_err(json!({"messageId": true}), "messageId", "takes a string");
        check_err(json!({"messageId": 1.5}), "messageId", "given 1.5");
        check_err(json!({"messageId": "1", "limit": 1.5}), "limit", "takes an integer, for example 20");
        check_err(json!({"messageId": "1", "limit": "20x"}), "limit", "\"20x\"");
        check_err(json!({"messageId": "1", "limit": "99999999999999999999"}), "limit", "an integer");
        check_err(json!({"messageId": "1", "detailed": 1}), "detailed", "true or false");
        check_err(json!({"messageId": "1", "detailed": "true"}), "detailed", "true or false");
        check_err(json!({"messageId": "1", "payload": [1]}), "payload", "an object");
        check_err(json!({"messageId": "1", "tags": {"a": 1}}), "tags", "a list");
    }

    #[test]
    fn what_is_missing_unknown_or_double_is_named() {
        check_err(json!({}), "messageId", "Missing required parameter(s): messageId");
        check_err(json!({"messageId": ""}), "messageId", "Missing required parameter(s): messageId");
        check_err(json!({"messageId": null}), "messageId", "Missing required parameter(s): messageId");
        check_err(json!({"messageId": "1", "limitt": 1}), "limitt", "Did you mean: limit");
        check_err(json!({"messageId": "1", "message_id": "2"}), "messageId", "given twice");
        check_err(json!({"messageId": "1", "readStatus": "reed"}), "readStatus", "one of: Read, Unread, All");
    }
}
