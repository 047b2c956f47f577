//! What all resources share: Dialpad's error envelope, its lists, and the additions to its records.

use kosmo_plugin::{Answer, ErrorParts, Fault, ProviderError};
use serde_json::{Map, Value, json};

/// Finds the words in Google's JSON error style, `{"error": {"code", "message", "errors": [{"reason"}]}}`.
pub(crate) fn error(body: &Value) -> Option<ErrorParts> {
    let error = body.get("error").unwrap_or(body);
    let message = error.as_str().or_else(|| error.get("message")?.as_str())?;
    let reason = error.pointer("/errors/0/reason").and_then(Value::as_str);
    Some((reason.map(Into::into), message.into()))
}

/// A success that does not have the documented shape.
pub(crate) fn unexpected(message: impl Into<String>) -> Fault {
    Fault::Provider(ProviderError { status: 200, code: None, message: message.into() })
}

/// Adds what a script should know to the provider's own words, wherever it refused for want of rights.
pub(crate) fn hint(fault: Fault, hint: &str) -> Fault {
    let add = |error: ProviderError| ProviderError { message: format!("{} ({hint})", error.message), ..error };
    match fault {
        Fault::Forbidden(error) => Fault::Forbidden(add(error)),
        Fault::NotFound(error) => Fault::NotFound(add(error)),
        Fault::Provider(error) if error.status == 400 => Fault::Provider(add(error)),
        other => other,
    }
}

/// One page of a list as Dialpad sends it.
pub(crate) struct Page {
    pub(crate) items: Vec<Value>,
    /// Where the next page starts; none on the last one.
    pub(crate) cursor: Option<String>,
}

impl Page {
    /// Dialpad leaves `items` and `cursor` out, or sends null, where there are none.
    pub(crate) fn parse(answer: Answer) -> Result<Self, Fault> {
        let Value::Object(mut page) = answer.json(error)? else {
            return Err(unexpected("answered a list request with something that is not an object"));
        };
        let items = match page.remove("items") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(unexpected("answered a list request with `items` that are not a list")),
        };
        let cursor = page.get("cursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty());
        Ok(Self { items, cursor: cursor.map(Into::into) })
    }
}

/// A list as scripts get it: `items` always, `cursor` exactly when there is more.
pub(crate) fn listing(items: Vec<Value>, cursor: Option<String>) -> String {
    let mut list = json!({ "items": items });
    if let Some(cursor) = cursor {
        list["cursor"] = cursor.into();
    }
    list.to_string()
}

/// A single record with the additions `add` makes.
pub(crate) fn record(answer: Answer, add: fn(&mut Map<String, Value>)) -> Result<String, Fault> {
    Ok(with(answer.json(error)?, add).to_string())
}

/// The value with the additions `add` makes, if it is a record.
pub(crate) fn with(mut value: Value, add: fn(&mut Map<String, Value>)) -> Value {
    if let Value::Object(record) = &mut value {
        add(record);
    }
    value
}

/// A field's value; null counts as absent.
pub(crate) fn get<'a>(record: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    record.get(name).filter(|value| !value.is_null())
}

/// Sets a field that is absent or null, if there is a value for it.
pub(crate) fn fill(record: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value
        && get(record, name).is_none()
    {
        record.insert(name.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(body: &str, expected: Option<(Option<&str>, &str)>) {
        let found = error(&serde_json::from_str(body).expect("test JSON"));
        let found = found.as_ref().map(|(code, message)| (code.as_deref(), message.as_str()));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_providers_own_words_are_found_in_every_envelope_it_uses() {
        let live = r#"{"error":{"code":401,"message":"A valid API key must be provided.",
            "errors":[{"domain":"global","reason":"required","message":"A valid API key must be provided."}]}}"#;
        check_error(live, Some((Some("required"), "A valid API key must be provided.")));
        check_error(r#"{"error":{"code":404,"message":"gone"}}"#, Some((None, "gone")));
        check_error(r#"{"error":"no"}"#, Some((None, "no")));
        check_error(r#"{"message":"no"}"#, Some((None, "no")));
        check_error(r#"{"error":{"code":500}}"#, None);
        check_error("[]", None);
    }

    #[track_caller]
    fn check_page(body: &str, items: usize, cursor: Option<&str>) {
        let page = Page::parse(Answer::test(200, body)).expect("a page");
        assert_eq!((page.items.len(), page.cursor.as_deref()), (items, cursor));
    }

    #[test]
    fn a_page_may_lack_items_and_cursor() {
        check_page(r#"{"items":[{},{}],"cursor":"c"}"#, 2, Some("c"));
        check_page(r#"{"items":[{}],"cursor":""}"#, 1, None);
        check_page(r#"{"items":null,"cursor":null}"#, 0, None);
        check_page("{}", 0, None);
        check_page("", 0, None);
    }

    #[test]
    fn a_page_of_another_shape_is_the_providers_fault() {
        for body in ["[]", r#"{"items":{}}"#, "<html>"] {
            assert!(matches!(Page::parse(Answer::test(200, body)), Err(Fault::Provider(_))), "{body}");
        }
    }

    #[test]
    fn a_list_has_items_even_when_empty_and_a_cursor_only_when_there_is_more() {
        assert_eq!(listing(Vec::new(), None), r#"{"items":[]}"#);
        assert_eq!(listing(vec![json!(1)], Some("c".into())), r#"{"items":[1],"cursor":"c"}"#);
    }
}
