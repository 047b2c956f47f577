//! What a line came to: what it printed, what it returned as `dump` shows it, and what went wrong.

use super::super::output;
use serde_json::Value;

pub(super) fn tell(outcome: &kosmo::Outcome) {
    if !outcome.output.is_empty() {
        output::foreign(&outcome.output);
    }
    let returned: Vec<_> = outcome.result.iter().flatten().map(dumped).collect();
    // What `dump` printed, it returns, too.
    if !returned.is_empty() && outcome.output != returned.join("\n") {
        output::foreign(&returned.join("\n"));
    }
    if let Some(error) = &outcome.error {
        output::error(error);
    }
}

fn dumped(value: &Value) -> String {
    let mut text = String::new();
    dump(value, 0, &mut text);
    text
}

fn dump(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Null => text.push_str("nil"),
        Value::String(string) => text.push_str(string),
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::Array(items) => {
            let items = items.iter().map(|item| (String::new(), item));
            entries(['[', ']'], items, depth, text);
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (format!("{key}: "), value));
            entries(['{', '}'], fields, depth, text);
        }
    }
}

fn entries<'a>(
    [open, close]: [char; 2],
    entries: impl ExactSizeIterator<Item = (String, &'a Value)>,
    depth: usize,
    text: &mut String,
) {
    let last = entries.len();
    if last == 0 {
        return text.push_str("{}");
    }
    text.push(open);
    for (number, (key, value)) in entries.enumerate() {
        text.push_str(&format!("\n{}{key}", "  ".repeat(depth + 1)));
        dump(value, depth + 1, text);
        if number + 1 < last {
            text.push(',');
        }
    }
    text.push_str(&format!("\n{}{close}", "  ".repeat(depth)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_dump_shows_them() {
        let check = |value: Value, expected| assert_eq!(dumped(&value), expected);
        check(json!(null), "nil");
        check(json!("a\nb"), "a\nb");
        check(json!(1.5), "1.5");
        check(json!([]), "{}");
        check(json!({"a": [1, true], "b": {}}), "{\n  a: [\n    1,\n    true\n  ],\n  b: {}\n}");
    }
}
