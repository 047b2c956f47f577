//! A function's own words on the command line: at most one JSON payload, and flags that each give one parameter. Pure.
//!
//! What a value means is the declared kind's word, never its looks: `--to=+14155551234` stays text for a `string`.

use super::super::failure::Usage;
use kosmo::{Function, Kind, Parameter};
use serde_json::{Map, Value};

/// What was typed behind a function's name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Typed {
    /// The JSON text, if there is one.
    pub(super) payload: Option<String>,
    /// By declared name; a name that is not declared is as it was typed.
    pub(super) arguments: Map<String, Value>,
    /// `--help` was among them, and is no parameter.
    pub(super) help: bool,
}

/// Reads the words, and the pairs that `--arg` gave.
///
/// # Errors
/// For a flag without its value or given twice, a second payload, and a list or object that is not JSON. Everything else
/// about an argument is the host's to say.
pub(super) fn read(function: &Function, words: &[String], pairs: &[String]) -> Result<Typed, Usage> {
    let mut typed = Typed::default();
    for pair in pairs {
        let (name, value) = pair.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
            Usage(format!(
                "--arg values must use key=value syntax. Write one such as --arg limit=5; it was given `{pair}`."
            ))
        })?;
        typed.give(function, name, Some(value))?;
    }
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some("") => words.by_ref().try_for_each(|word| typed.take_payload(word))?,
            Some(flag) => {
                let (name, value) = match flag.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (flag, words.next_if(|next| belongs(function, flag, next))),
                };
                typed.give(function, name, value)?;
            }
            None => typed.take_payload(word)?,
        }
    }
    Ok(typed)
}

/// Whether the word after a flag is its value. A flag is not; what follows a boolean only if it says which.
fn belongs(function: &Function, flag: &str, next: &str) -> bool {
    let is_boolean = find(function, flag).is_some_and(|parameter| parameter.kind == Kind::Boolean);
    !next.starts_with("--") && (!is_boolean || boolean(next).is_some())
}

/// The parameter a flag means: `--message-type`, `--message_type` and `--messageType` are one.
pub(super) fn find<'a>(function: &'a Function, flag: &str) -> Option<&'a Parameter> {
    let exact = function.parameters.iter().find(|parameter| parameter.name == flag);
    exact.or_else(|| function.parameters.iter().find(|parameter| folded(&parameter.name) == folded(flag)))
}

fn folded(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '-' | '_')).flat_map(char::to_lowercase).collect()
}

impl Typed {
    fn take_payload(&mut self, word: &str) -> Result<(), Usage> {
        match self.payload.replace(word.into()) {
            None => Ok(()),
            Some(first) => Err(Usage(format!("There is one JSON payload at most; there are `{first}` and `{word}`."))),
        }
    }

    fn give(&mut self, function: &Function, flag: &str, value: Option<&str>) -> Result<(), Usage> {
        let Some(parameter) = find(function, flag) else {
            match flag {
                "help" => self.help = true,
                // The host refuses it with the names there are.
                unknown => drop(self.arguments.insert(unknown.into(), value.into())),
            }
            return Ok(());
        };
        let value = coerced(parameter, flag, value)?;
        self.add(parameter, flag, value)
    }

    /// A list is given item by item; anything else once.
    fn add(&mut self, parameter: &Parameter, flag: &str, value: Value) -> Result<(), Usage> {
        match (self.arguments.get_mut(&parameter.name), value) {
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (Some(_), _) => return Err(Usage(format!("--{flag} is given twice; it takes one value."))),
            (None, value) => drop(self.arguments.insert(parameter.name.clone(), value)),
        }
        Ok(())
    }
}

/// What a text means for a parameter. One that means nothing stays text, for the host to refuse with an example.
fn coerced(parameter: &Parameter, flag: &str, text: Option<&str>) -> Result<Value, Usage> {
    let Some(text) = text else {
        return match parameter.kind {
            Kind::Boolean => Ok(Value::Bool(true)),
            _ => Err(Usage(format!("--{flag} needs a value: --{flag}=VALUE"))),
        };
    };
    let json = || serde_json::from_str(text).map_err(|error| error.to_string());
    match parameter.kind {
        Kind::String => Ok(text.into()),
        Kind::Integer | Kind::Number => Ok(json().ok().filter(Value::is_number).unwrap_or_else(|| text.into())),
        Kind::Boolean => Ok(boolean(text).map_or_else(|| text.into(), Value::Bool)),
        Kind::Array if !text.trim_start().starts_with('[') => Ok(Value::Array(vec![text.into()])),
        Kind::Array => json().map_err(|error| Usage(format!("--{flag} takes a list in JSON or one item: {error}"))),
        Kind::Object => match json() {
            Ok(object @ Value::Object(_)) => Ok(object),
            Ok(_) => Err(Usage(format!("--{flag} takes an object in JSON, such as --{flag}='{{\"key\": \"value\"}}'"))),
            Err(error) => Err(Usage(format!("--{flag} takes an object in JSON: {error}"))),
        },
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn function() -> Function {
        let parameter = |(name, kind): (&str, Kind)| Parameter {
            name: name.into(),
            kind,
            required: false,
            description: String::new(),
            choices: vec![],
            default: None,
            example: None,
        };
        let parameters = [
            ("to", Kind::String),
            ("messageType", Kind::String),
            ("message_id", Kind::String),
            ("limit", Kind::Integer),
            ("ratio", Kind::Number),
            ("detailed", Kind::Boolean),
            ("payload", Kind::Object),
            ("numbers", Kind::Array),
        ];
        Function {
            name: "send".into(),
            summary: String::new(),
            description: String::new(),
            operation: kosmo::Operation::Write,
            destructive: false,
            parameters: parameters.map(parameter).into(),
            requests: vec![],
            rate_group: None,
            pagination: None,
        }
    }

    fn typed(line: &[&str]) -> Result<Typed, Usage> {
        read(&function(), &line.iter().map(|&word| word.to_owned()).collect::<Vec<_>>(), &[])
    }

    #[track_caller]
    fn check(line: &[&str], expected: Value) {
        let typed = typed(line).expect("understood");
        assert_eq!((Value::Object(typed.arguments), typed.payload), (expected, None));
    }

    #[track_caller]
    fn check_refused(line: &[&str], expected: &str) {
        assert_eq!(typed(line).expect_err("a usage error").to_string(), expected);
    }

    #[test]
    fn a_value_means_what_its_parameter_says() {
        check(&["--to=+14155551234"], json!({"to": "+14155551234"}));
        check(&["--to", "007", "--limit", "20"], json!({"to": "007", "limit": 20}));
        check(&["--to=true"], json!({"to": "true"}));
        check(&["--to=null"], json!({"to": "null"}));
        check(&["--to="], json!({"to": ""}));
        check(&["--to", "-5"], json!({"to": "-5"}));
        check(&["--to=a=b"], json!({"to": "a=b"}));
        check(&["--limit=-5", "--ratio", "1.5"], json!({"limit": -5, "ratio": 1.5}));
        check(&["--limit=many", "--ratio=NaN"], json!({"limit": "many", "ratio": "NaN"}));
        check(&["--payload", "{\"a\": [1]}"], json!({"payload": {"a": [1]}}));
    }

    #[test]
    fn a_boolean_needs_no_value_and_takes_only_its_own() {
        check(&["--detailed"], json!({"detailed": true}));
        check(&["--detailed", "FALSE"], json!({"detailed": false}));
        check(&["--detailed=no"], json!({"detailed": "no"}));
        let typed = typed(&["--detailed", "{}"]).expect("understood");
        assert_eq!((Value::Object(typed.arguments), typed.payload.as_deref()), (json!({"detailed": true}), Some("{}")));
    }

    #[test]
    fn a_list_is_given_item_by_item_or_as_json() {
        check(&["--numbers", "+1", "--numbers=+2"], json!({"numbers": ["+1", "+2"]}));
        check(&["--numbers=[1, \"b\"]", "--numbers", "c"], json!({"numbers": [1, "b", "c"]}));
    }

    #[test]
    fn a_flag_may_be_spelled_as_flags_are() {
        check(&["--message-type", "SMS"], json!({"messageType": "SMS"}));
        check(&["--message_type=SMS"], json!({"messageType": "SMS"}));
        check(&["--MESSAGETYPE=SMS", "--message-id", "1"], json!({"messageType": "SMS", "message_id": "1"}));
    }

    #[test]
    fn what_is_not_declared_is_left_for_the_host_to_refuse() {
        check(&["--tto", "x", "--verbose"], json!({"tto": "x", "verbose": null}));
        assert!(typed(&["--help"]).expect("understood").help);
    }

    #[test]
    fn what_cannot_be_understood_is_told_by_its_flag() {
        check_refused(&["--to"], "--to needs a value: --to=VALUE");
        check_refused(&["--to", "--limit=1"], "--to needs a value: --to=VALUE");
        check_refused(&["--to=1", "--to=2"], "--to is given twice; it takes one value.");
        check_refused(&["--payload=[]"], "--payload takes an object in JSON, such as --payload='{\"key\": \"value\"}'");
        check_refused(
            &["--payload={"],
            "--payload takes an object in JSON: EOF while parsing an object at line 1 column 1",
        );
        check_refused(
            &["--numbers=[1"],
            "--numbers takes a list in JSON or one item: EOF while parsing a list at line 1 column 2",
        );
        check_refused(&["{}", "[]"], "There is one JSON payload at most; there are `{}` and `[]`.");
        check_refused(&["--", "--a", "--b"], "There is one JSON payload at most; there are `--a` and `--b`.");
    }

    #[test]
    fn pairs_do_for_flags() {
        let pairs = |pairs: &[&str]| read(&function(), &[], &pairs.iter().map(|&pair| pair.into()).collect::<Vec<_>>());
        let typed = pairs(&["message-type=SMS", "to=a=b"]).expect("understood");
        assert_eq!(Value::Object(typed.arguments), json!({"messageType": "SMS", "to": "a=b"}));
        for pair in ["limit", "=5"] {
            let error = pairs(&[pair]).expect_err("a usage error").to_string();
            assert!(error.starts_with("--arg values must use key=value syntax"), "{error}");
        }
    }
}
