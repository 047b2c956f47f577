//! Checks of arguments that only this plugin can make, before anything is sent.

use kosmo_plugin::{Fault, Invocation, Parameter};
use serde_json::Value;

/// Items a list gives when the script names no number.
const DEFAULT_LIMIT: i64 = 50;
/// Twenty of Dialpad's pages.
const LARGEST_LIMIT: i64 = 1000;
const LONGEST_ID: usize = 64;

/// The parameter [`limit`] reads.
pub(crate) const LIMIT: Parameter =
    Parameter::integer("limit", "How many items to return, 1 to 1000.").default("50").example("20");
/// The parameter in which every list takes its `cursor` back.
pub(crate) const CURSOR: Parameter =
    Parameter::string("cursor", "`cursor` of an earlier result of this function, with the same other arguments.");

/// How many items a list is to return.
pub(crate) fn limit(invocation: &Invocation) -> Result<usize, Fault> {
    let limit = whole(invocation, "limit")?.unwrap_or(DEFAULT_LIMIT);
    let message = || format!("is {limit}; expected 1 to {LARGEST_LIMIT}, for example 50");
    let limit = (1..=LARGEST_LIMIT).contains(&limit).then_some(limit).and_then(|limit| usize::try_from(limit).ok());
    limit.ok_or_else(|| Fault::argument("limit", message()))
}

/// A whole number, if one is given.
pub(crate) fn whole(invocation: &Invocation, name: &str) -> Result<Option<i64>, Fault> {
    match invocation.argument(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(Fault::argument(name, format!("is {value}; expected a whole number, for example 50"))),
        },
    }
}

/// An id that goes into a path. Dialpad's are digits today; it judges what it does not know.
pub(crate) fn id<'a>(invocation: &'a Invocation, example: &str) -> Result<&'a str, Fault> {
    let id = invocation.text("id").unwrap_or_default();
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(legal) {
        return Ok(id);
    }
    let expected = "expected up to 64 letters, digits, `_` and `-`, for example";
    Err(Fault::argument("id", format!("is not an id; {expected} \"{example}\"")))
}

/// Whether `text` is a number in E.164 form: a plus, then 7 to 15 digits, the first not 0.
pub(crate) fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && !digits.starts_with('0') && are_digits(digits)
}

/// Whether `text` is digits and nothing else.
pub(crate) fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_limit(arguments: &str, expected: Option<usize>) {
        assert_eq!(limit(&Invocation::test("list_users", arguments)).ok(), expected, "{arguments}");
    }

    #[test]
    fn a_limit_is_between_1_and_1000_and_50_unless_given() {
        check_limit("{}", Some(50));
        check_limit(r#"{"limit":null}"#, Some(50));
        check_limit(r#"{"limit":1}"#, Some(1));
        check_limit(r#"{"limit":1000}"#, Some(1000));
        check_limit(r#"{"limit":0}"#, None);
        check_limit(r#"{"limit":-5}"#, None);
        check_limit(r#"{"limit":1001}"#, None);
        check_limit(r#"{"limit":1.5}"#, None);
    }

    #[track_caller]
    fn check_id(text: &str, legal: bool) {
        let arguments = serde_json::json!({ "id": text }).to_string();
        assert_eq!(id(&Invocation::test("get_call", &arguments), "1").is_ok(), legal, "{text}");
    }

    #[test]
    fn an_id_cannot_be_anything_but_one_path_segment() {
        check_id("call_abc123", true);
        check_id("6124309871150080", true);
        check_id("me", true);
        check_id(&"a".repeat(64), true);
        check_id(&"a".repeat(65), false);
        for text in ["", ".", "..", "a/b", "a%2Fb", "a?b", "a b", "ü", "a\n", "a.b"] {
            check_id(text, false);
        }
    }

    #[test]
    fn only_numbers_in_e164_form_pass() {
        for (text, legal) in [
            ("+14155551234", true),
            ("+4930901820", true),
            ("14155551234", false),
            ("+04155551234", false),
            ("+123456", false),
            ("+1234567890123456", false),
            ("+1 415 555 1234", false),
            ("+", false),
            ("", false),
        ] {
            assert_eq!(is_e164(text), legal, "{text}");
        }
    }
}
