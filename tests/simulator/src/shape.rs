//! What a request may carry: names, kinds and choices, checked before a handler sees them.

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The kind of one query parameter or body field.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    /// At most this many UTF-16 units.
    Short(usize),
    Integer {
        min: i64,
        max: i64,
    },
    /// A page's size: 1 and more, or `max`.
    PageSize,
    /// An id: in a body a number or its decimal digits.
    Id,
    /// `true` or `false`; `1` and `yes` are neither.
    Boolean,
    Choice(&'static [&'static str]),
    /// RFC 3339 with a zone.
    DateTime,
    List(&'static Kind),
    Object(&'static [Field]),
}

/// One query parameter or body field.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    required: bool,
    repeats: bool,
}

/// A field that may be left out.
pub(crate) const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, repeats: false }
}

/// A field that must be there.
pub(crate) const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true, repeats: false }
}

/// A query parameter that may be sent several times.
pub(crate) const fn repeated(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, repeats: true }
}

/// What a request got wrong.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) why: String,
}

impl Violation {
    pub(crate) fn new(name: &str, value: impl ToString, why: impl Into<String>) -> Violation {
        Violation { name: name.to_owned(), value: value.to_string(), why: why.into() }
    }
}

/// A query that passed its check.
pub(crate) struct Query<'a>(&'a [(String, String)]);

impl<'a> Query<'a> {
    /// Checks every pair against `fields`.
    pub(crate) fn check(fields: &[Field], pairs: &'a [(String, String)]) -> Result<Query<'a>, Violation> {
        for (position, (name, value)) in pairs.iter().enumerate() {
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                return Err(Violation::new(name, value, "is not a query parameter of this operation"));
            };
            let seen = pairs[..position].iter().any(|(earlier, _)| earlier == name);
            if seen && !field.repeats {
                return Err(Violation::new(name, value, "is given twice"));
            }
            check_text(field.kind, value).map_err(|why| Violation::new(name, value, why))?;
        }
        Ok(Query(pairs))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.text(name).map(|value| value == "true")
    }

    pub(crate) fn time(&self, name: &str) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(self.text(name)?, &Rfc3339).ok()
    }

    /// Whether a repeatable filter is absent or lists `value`.
    pub(crate) fn admits(&self, name: &str, value: &str) -> bool {
        let mut wanted = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value).peekable();
        wanted.peek().is_none() || wanted.any(|wanted| wanted == value)
    }
}

fn check_text(kind: Kind, value: &str) -> Result<(), String> {
    match kind {
        Kind::Integer { min, max } => within(value.parse().map_err(|_| "must be an integer")?, min, max),
        Kind::PageSize if value == "max" => Ok(()),
        Kind::PageSize => within(value.parse().map_err(|_| "must be an integer or max")?, 1, i64::MAX),
        Kind::Id => value.parse::<i64>().map(drop).map_err(|_| "must be an integer".to_owned()),
        Kind::Boolean => one_of(value, &["true", "false"]),
        Kind::Choice(choices) => one_of(value, choices),
        Kind::DateTime => date_time(value),
        Kind::Short(longest) => no_longer(value, longest),
        Kind::Text | Kind::List(_) | Kind::Object(_) => Ok(()),
    }
}

/// A JSON object body that passed its check. `nulls` says whether an explicit null is legal.
pub(crate) fn object(fields: &[Field], body: &str, nulls: bool) -> Result<Map<String, Value>, Violation> {
    match serde_json::from_str(body) {
        Ok(Value::Object(map)) => check_map(fields, &map, nulls, "").map(|()| map),
        Ok(_) => Err(Violation::new("body", body, "must be a JSON object")),
        Err(error) => Err(Violation::new("body", body, format!("is not JSON: {error}"))),
    }
}

fn check_map(fields: &[Field], map: &Map<String, Value>, nulls: bool, under: &str) -> Result<(), Violation> {
    for (name, value) in map {
        let path = format!("{under}{name}");
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return Err(Violation::new(&path, value, "is not a field of this request"));
        };
        if !(value.is_null() && nulls) {
            check_value(field.kind, value, nulls, &path)?;
        }
    }
    let missing = fields.iter().find(|field| field.required && map.get(field.name).is_none_or(Value::is_null));
    missing.map_or(Ok(()), |field| Err(Violation::new(&format!("{under}{}", field.name), "", "is required")))
}

fn check_value(kind: Kind, value: &Value, nulls: bool, path: &str) -> Result<(), Violation> {
    let fail = |why: String| Violation::new(path, value, why);
    match (kind, value) {
        (Kind::Object(fields), Value::Object(map)) => check_map(fields, map, nulls, &format!("{path}.")),
        (Kind::List(kind), Value::Array(items)) => {
            items.iter().try_for_each(|item| check_value(*kind, item, nulls, path))
        }
        (Kind::Integer { min, max }, Value::Number(number)) => {
            within(number.as_i64().ok_or_else(|| fail("must be an integer".to_owned()))?, min, max).map_err(fail)
        }
        (Kind::Id, Value::Number(number)) if number.is_i64() => Ok(()),
        (Kind::Boolean, Value::Bool(_)) => Ok(()),
        (Kind::Text | Kind::Short(_) | Kind::Choice(_) | Kind::DateTime | Kind::Id, Value::String(text)) => {
            check_text(kind, text).map_err(fail)
        }
        (expected, _) => Err(fail(format!("must be {}", noun(expected)))),
    }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Short(_) | Kind::Choice(_) => "a string",
        Kind::Integer { .. } | Kind::Id | Kind::PageSize => "an integer",
        Kind::Boolean => "true or false",
        Kind::DateTime => "an RFC 3339 date and time",
        Kind::List(_) => "an array",
        Kind::Object(_) => "an object",
    }
}

fn within(value: i64, min: i64, max: i64) -> Result<(), String> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(format!("must be between {min} and {max}")) }
}

fn one_of(value: &str, choices: &[&str]) -> Result<(), String> {
    if choices.contains(&value) { Ok(()) } else { Err(format!("must be one of {}", choices.join(", "))) }
}

fn date_time(value: &str) -> Result<(), String> {
    OffsetDateTime::parse(value, &Rfc3339).map(drop).map_err(|_| "must be RFC 3339 with a zone".to_owned())
}

fn no_longer(value: &str, longest: usize) -> Result<(), String> {
    if value.encode_utf16().count() <= longest { Ok(()) } else { Err(format!("must be at most {longest} characters")) }
}

/// Whether `text` is an E.164 number: a plus and 7 to 15 digits.
pub(crate) fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}
