//! JSON with comments, changed in one place: comments, order and layout of everything else stay.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::Value;
use std::fmt;

/// What editors put before a text, and no parser wants.
const MARK: char = '\u{feff}';

/// A text that is being changed.
pub(super) struct Document {
    root: CstRootNode,
    marked: bool,
    was_empty: bool,
}

impl Document {
    /// Nothing for what is not JSON, comments and trailing commas aside.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = text.strip_prefix(MARK);
        let root = CstRootNode::parse(plain.unwrap_or(text), &STRICT).ok()?;
        Some(Self { root, marked: plain.is_some(), was_empty: text.trim().is_empty() })
    }

    /// Sets the value at these keys. Nothing, if something that is no object stands on the way.
    pub(super) fn put(&self, keys: &[&str], value: &Value) -> Option<()> {
        let (last, way) = keys.split_last()?;
        let root = self.root.object_value_or_create()?;
        let parent = way.iter().try_fold(root, |object, key| object.object_value_or_create(key))?;
        match parent.get(last) {
            Some(property) => property.set_value(input(value)),
            None => drop(parent.append(last, input(value))),
        }
        Some(())
    }

    /// Takes away what stands at these keys, if anything does.
    pub(super) fn remove(&self, keys: &[&str]) {
        let Some((last, way)) = keys.split_last() else { return };
        let inside = |object: CstObject, key: &&str| object.object_value(key);
        let parent = self.root.object_value().and_then(|root| way.iter().try_fold(root, inside));
        if let Some(property) = parent.and_then(|parent| parent.get(last)) {
            property.remove();
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.marked { "\u{feff}" } else { "" };
        let end = if self.was_empty { "\n" } else { "" };
        write!(f, "{mark}{}{end}", self.root.to_string().trim_matches(if self.was_empty { &WHITE[..] } else { &[] }))
    }
}

const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Comments and trailing commas, and nothing else that JSON does not have.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(truth) => CstInputValue::Bool(*truth),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(fields) => {
            CstInputValue::Object(fields.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check_put(before: &str, value: Value, after: &str) {
        let document = Document::parse(before).expect("JSON");
        document.put(&["mcpServers", "s"], &value).expect("an object");
        assert_eq!(document.to_string(), after);
    }

    #[test]
    fn only_what_was_meant_changes() {
        let entry = json!({"command": "npx", "args": ["-y", "x"]});
        let written = "{\n  \"mcpServers\": {\n    \"s\": {\n      \"command\": \"npx\",\n      \"args\": [\"-y\", \"x\"]\n    }\n  }\n}";
        check_put("", entry.clone(), &format!("{written}\n"));
        check_put("{}", entry.clone(), written);
        check_put(
            "// mine\n{\n\t\"theme\" : 1, // as it is\n\t\"mcpServers\": {\n\t\t\"a\": {\"command\":\"b\"} // why\n\t}\n}\n",
            json!({"url": "https://a.test"}),
            "// mine\n{\n\t\"theme\" : 1, // as it is\n\t\"mcpServers\": {\n\t\t\"a\": {\"command\":\"b\"}, // why\n\t\t\"s\": {\n\t\t\t\"url\": \"https://a.test\"\n\t\t}\n\t}\n}\n",
        );
        check_put(
            "{\r\n  \"mcpServers\": {\r\n    \"s\": 1, \"t\": 2,\r\n  },\r\n}\r\n",
            json!(true),
            "{\r\n  \"mcpServers\": {\r\n    \"s\": true, \"t\": 2,\r\n  },\r\n}\r\n",
        );
        check_put("\u{feff}{\"mcpServers\": {\n\"s\": 1}}", json!(2), "\u{feff}{\"mcpServers\": {\n\"s\": 2}}");
        check_put(
            "{\"mcpServers\": {\n\"s\": 1}}",
            json!("\" \\ \u{1b} ü \n"),
            "{\"mcpServers\": {\n\"s\": \"\\\" \\\\ \\u001b ü \\n\"}}",
        );
    }

    #[test]
    fn something_else_in_the_way_is_left_alone() {
        for text in ["[]", "1", "{\"mcpServers\": []}", "{\"mcpServers\": null}"] {
            assert_eq!(Document::parse(text).expect("JSON").put(&["mcpServers", "s"], &json!(1)), None, "{text}");
        }
        for text in ["{", "{'a': 1}", "{a: 1}", "{\"a\": 1 \"b\": 2}", "{} {}", &"[".repeat(100_000)] {
            assert!(Document::parse(text).is_none(), "{:.20}", text);
        }
    }

    #[test]
    fn what_is_taken_away_leaves_no_gap() {
        let remove = |before: &str, after: &str| {
            let document = Document::parse(before).expect("JSON");
            document.remove(&["mcpServers", "s"]);
            assert_eq!(document.to_string(), after);
        };
        remove(
            "{\n  \"mcpServers\": {\n    // a\n    \"a\": 1,\n    \"s\": 2\n  }\n}\n",
            "{\n  \"mcpServers\": {\n    // a\n    \"a\": 1\n  }\n}\n",
        );
        remove(
            "{\n  \"mcpServers\": {\n    \"s\": 2,\n    \"a\": 1\n  }\n}\n",
            "{\n  \"mcpServers\": {\n    \"a\": 1\n  }\n}\n",
        );
        remove("{\"a\": 1}", "{\"a\": 1}");
        remove("", "\n");
    }
}
