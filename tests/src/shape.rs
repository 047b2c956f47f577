//! What JSON documents have in common, for a reader: names, kinds, and what may be missing.

use serde_json::Value;
use std::collections::BTreeSet;

/// Objects whose keys are names of somebody's choice.
const NAMED: [&str; 10] =
    ["providers", "grants", "plugins", "problems", "headers", "servers", "env", "environment", "mcpServers", "tools"];
/// What a provider, a script or a function's author decides.
const FREE: [&str; 8] = ["data", "arguments", "input_schema", "properties", "result", "body", "examples", "default"];

/// Lists of words, which are empty where nothing is amiss.
const WORDS: [&str; 3] = ["credentials_set", "credentials_unset", "changed"];

/// The common form of some documents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    kinds: BTreeSet<&'static str>,
    /// In the order they were first seen in.
    fields: Vec<(String, Shape)>,
    items: Option<Box<Shape>>,
    values: Option<Box<Shape>>,
    /// How many were objects.
    objects: usize,
    /// How many there were at all.
    seen: usize,
}

impl Shape {
    /// One document more.
    pub fn add(&mut self, value: &Value) {
        self.add_named("", value);
    }

    fn add_named(&mut self, name: &str, value: &Value) {
        self.seen += 1;
        match value {
            _ if FREE.contains(&name) => drop(self.kinds.insert("any")),
            Value::Null => drop(self.kinds.insert("null")),
            Value::Bool(_) => drop(self.kinds.insert("boolean")),
            Value::Number(_) => drop(self.kinds.insert("number")),
            Value::String(_) => drop(self.kinds.insert("string")),
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                if WORDS.contains(&name) {
                    shape.add(&Value::String(String::new()));
                }
                items.iter().for_each(|item| shape.add(item));
            }
            Value::Object(fields) if NAMED.contains(&name) => {
                let shape = self.values.get_or_insert_default();
                fields.values().for_each(|value| shape.add(value));
            }
            Value::Object(fields) => {
                self.objects += 1;
                fields.iter().for_each(|(name, value)| self.field(name).add_named(name, value));
            }
        }
    }

    fn field(&mut self, name: &str) -> &mut Self {
        let at = self.fields.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.fields.push((name.into(), Self::default()));
            self.fields.len() - 1
        });
        &mut self.fields[at].1
    }

    /// As a reader gets it: `name?` may be missing, `<name>` is any name.
    pub fn shown(&self) -> String {
        self.at("")
    }

    fn at(&self, indent: &str) -> String {
        let deeper = format!("{indent}  ");
        let mut forms: Vec<String> = Vec::new();
        if self.objects > 0 {
            let line = |(name, shape): &(String, Self)| {
                let may_be_missing = if shape.seen < self.objects { "?" } else { "" };
                format!("{deeper}{name}{may_be_missing}: {}\n", shape.at(&deeper))
            };
            forms.push(format!("{{\n{}{indent}}}", self.fields.iter().map(line).collect::<String>()));
        }
        if let Some(values) = &self.values {
            forms.push(match values.seen {
                0 => "{}".into(),
                _ => format!("{{ <name>: {} }}", values.at(indent)),
            });
        }
        if let Some(items) = &self.items {
            forms.push(if items.seen == 0 { "[]".into() } else { format!("[{}]", items.at(indent)) });
        }
        forms.extend(self.kinds.iter().map(ToString::to_string));
        forms.join(" | ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_documents_have_in_common_is_shown() {
        let mut shape = Shape::default();
        shape.add(&json!({"success": true, "providers": {"a": {"n": 1}, "b": {"n": null, "x": []}}, "data": [1]}));
        shape.add(&json!({"success": false, "providers": {}, "data": {"any": "thing"}, "list": [{"a": "b"}]}));
        let expected = "{\n  success: boolean\n  providers: { <name>: {\n    n: null | number\n    x?: []\n  } }\n  data: any\n  \
                        list?: [{\n    a: string\n  }]\n}";
        assert_eq!(shape.shown(), expected);
    }
}
