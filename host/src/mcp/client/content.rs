//! What a server answered, as a script gets it. Pure.

use crate::fault::{Code, Fault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Bytes of an image, a sound or a file that a script is given; of a larger one it is told what it is.
const SMALL: usize = 16 << 10;

/// The value of a tool's result: what is structured, else the one text, read as JSON if it is that, else all its parts.
///
/// # Errors
/// What the tool said, if that is an error.
pub(super) fn of_tool(mut result: Value) -> Result<Value, Fault> {
    let content = list(&mut result, "content");
    if result.get("isError") == Some(&Value::Bool(true)) {
        return Err(Fault::new(Code::Provider, failure(&content)));
    }
    match result.get_mut("structuredContent").map(Value::take) {
        Some(structured) if !structured.is_null() => Ok(structured),
        _ => Ok(plain(content)),
    }
}

fn plain(content: Vec<Value>) -> Value {
    if let [only] = content.as_slice()
        && let Some(text) = text_of(only)
    {
        return serde_json::from_str(text).unwrap_or_else(|_| text.into());
    }
    content.into_iter().map(described).collect()
}

fn failure(content: &[Value]) -> String {
    let texts: Vec<_> = content.iter().filter_map(text_of).collect();
    if texts.is_empty() { "MCP tool returned an error.".into() } else { texts.join("\n") }
}

fn text_of(part: &Value) -> Option<&str> {
    let is_text = part.get("type").and_then(Value::as_str) == Some("text");
    part.get("text").and_then(Value::as_str).filter(|_| is_text)
}

/// The contents of a resource that was read: the text of the only one, else all of them.
pub(super) fn of_resource(mut result: Value) -> Value {
    Value::Array(list(&mut result, "contents").into_iter().map(described).collect())
}

/// A prompt, with what its messages hold described.
pub(super) fn of_prompt(mut result: Value) -> Value {
    for message in result.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(content) = message.get_mut("content") {
            *content = described(content.take());
        }
    }
    result
}

/// A part with its data only if that is small, and its length in any case.
fn described(mut part: Value) -> Value {
    if let Some(resource) = part.get_mut("resource") {
        *resource = described(resource.take());
    }
    let Value::Object(fields) = &mut part else { return part };
    for key in ["data", "blob"] {
        measure(fields, key);
    }
    part
}

fn measure(fields: &mut Map<String, Value>, key: &str) {
    let Some(Value::String(text)) = fields.get(key) else { return };
    // What is no base64 is told as it is, in its own length.
    let bytes = STANDARD.decode(text).map_or(text.len(), |bytes| bytes.len());
    if bytes > SMALL {
        fields.remove(key);
    }
    fields.insert("bytes".into(), json!(bytes));
}

fn list(value: &mut Value, key: &str) -> Vec<Value> {
    match value.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(result: Value, expected: Value) {
        assert_eq!(of_tool(result).expect("no error"), expected);
    }

    #[test]
    fn what_is_structured_comes_before_text_and_text_that_is_json_is_read() {
        check(json!({"content": [{"type": "text", "text": "{}"}], "structuredContent": {"a": 1}}), json!({"a": 1}));
        check(json!({"content": [{"type": "text", "text": "{\"a\": [1]}"}]}), json!({"a": [1]}));
        check(json!({"content": [{"type": "text", "text": "plain"}], "structuredContent": null}), json!("plain"));
        check(json!({"content": []}), json!([]));
        check(json!({"content": "lies"}), json!([]));
        check(json!(7), json!([]));
        let two = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
        check(json!({"content": two}), two.clone());
    }

    #[test]
    fn data_is_measured_and_given_only_if_it_is_small() {
        let image =
            |bytes: usize| json!({"type": "image", "mimeType": "image/png", "data": STANDARD.encode(vec![7; bytes])});
        check(
            json!({"content": [image(3)]}),
            json!([{"type": "image", "mimeType": "image/png", "data": "BwcH", "bytes": 3}]),
        );
        check(
            json!({"content": [image(99_999)]}),
            json!([{"type": "image", "mimeType": "image/png", "bytes": 99_999}]),
        );
        let blob = json!({"contents": [{"uri": "a://b", "blob": STANDARD.encode(vec![7; 99_999])}]});
        assert_eq!(of_resource(blob), json!([{"uri": "a://b", "bytes": 99_999}]));
    }

    #[test]
    fn an_error_says_what_the_tool_said() {
        let said =
            |content: Value| of_tool(json!({"isError": true, "content": content})).expect_err("an error").message;
        assert_eq!(
            said(json!([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}])),
            "a\nb"
        );
        assert_eq!(said(json!([])), "MCP tool returned an error.");
    }
}
