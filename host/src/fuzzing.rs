//! What must hold for any input. `cargo xtask soak` looks for one that breaks it; whatever it found is tried again in
//! every test run. Each property panics when it is broken.

use crate::bindings::contract;
use crate::rule::{Base, Rule};
use crate::target::Target;
use crate::{Host, Script, Session};
use http::{Method, Uri};
use serde_json::{Map, Number, Value};
use std::cell::OnceCell;

/// A rule that is accepted says what it was read from, and allows nothing that another reading of it would not.
pub fn rules(text: &str) {
    let Some(rule) = rule(text) else { return };
    let shown = rule.to_string();
    let again = self::rule(shown.trim_start_matches("GET ")).expect("a rule reads what it shows");
    assert_eq!(rule, again, "{shown}");
}

/// A URL's normal form is its own normal form, holds nothing that two parsers read differently, and is a URL to the
/// HTTP client as well.
pub fn urls(text: &str) {
    if let Ok(target) = Target::parse(text) {
        let normal = target.url().as_str();
        assert_eq!(Target::parse(normal).as_ref().map(Target::url), Ok(target.url()), "{text}");
        check_plain(target.url().path());
        check_same(&target);
    }
    if let Ok(target) = Target::signed(text) {
        check_same(&target);
    }
}

/// What the matcher allowed is what is dialled. Three lines: a base URL, a path pattern, the URL asked for.
pub fn dialled(text: &str) {
    let mut lines = text.splitn(3, '\n');
    let (Some(base), Some(pattern), Some(url)) = (lines.next(), lines.next(), lines.next()) else { return };
    let (Ok(base), Some(rule), Ok(target)) = (Base::typed(base), rule(pattern), Target::parse(url)) else { return };
    if !rule.allows(&Method::GET, &target, std::slice::from_ref(&base)) {
        return;
    }
    let sent: Uri = target.url().as_str().parse().expect("what is allowed can be sent");
    let granted: Uri = base.as_str().parse().expect("a base is a URL");
    assert_eq!((sent.scheme(), sent.host(), port(&sent)), (granted.scheme(), granted.host(), port(&granted)));
    let below = sent.path().strip_prefix(granted.path().trim_end_matches('/')).expect("it lies below the base");
    assert!(covers(pattern, below), "{pattern} does not cover {below}");
}

/// JSON that went through Lua says the same, but for what Lua cannot hold: `null` in objects, and integers beyond 2^53,
/// which become their digits.
pub fn values(text: &str) {
    thread_local!(static SESSION: OnceCell<Session> = const { OnceCell::new() });
    let Ok(given) = serde_json::from_str::<Value>(text) else { return };
    // A key that comes twice means one thing here and another there.
    if given.to_string().len() > 4096 || text.contains("]=====]") || repeats_a_key(text) || has_long_number(text) {
        return;
    }
    let code = format!("return json.encode(json.decode([=====[\n{text}]=====]), {{pretty = false}})");
    let outcome = SESSION.with(|session| {
        let session = session.get_or_init(|| Host::builder().build().expect("a host").session().build());
        session.run_blocking(Script::new("values.lua", code))
    });
    let result = outcome.result.unwrap_or_else(|| panic!("{:?}", outcome.error));
    let Some(Value::String(encoded)) = result.into_iter().next() else { panic!("no text") };
    let returned = serde_json::from_str(&encoded).expect("json.encode writes JSON");
    assert_eq!(numeric(returned), numeric(through_lua(given)), "{text}");
}

fn rule(path: &str) -> Option<Rule> {
    let rule = contract::OutboundRule {
        methods: vec!["GET".into()],
        origin: "base".into(),
        path: path.into(),
        rate_group: None,
        finding: false,
    };
    Rule::try_from(&rule).ok()
}

fn check_plain(path: &str) {
    let lower = path.to_ascii_lowercase();
    for trap in ["//", "/./", "/../", "\\", "%2f", "%5c", "%00", "%2e", "\r", "\n", " "] {
        assert!(!lower.contains(trap), "{path} holds {trap:?}");
    }
    assert!(!path.ends_with("/..") && !path.ends_with("/."), "{path}");
}

fn check_same(target: &Target) {
    let uri: Uri = target.url().as_str().parse().expect("the client reads the URL too");
    assert_eq!(uri.host(), target.url().host_str());
    assert_eq!(Some(port(&uri)), target.url().port_or_known_default());
    assert_eq!((uri.path(), uri.query()), (target.url().path(), target.url().query()));
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
}

/// The grammar of path patterns, once more and naively.
fn covers(pattern: &str, path: &str) -> bool {
    let segments = |text: &str| text.split('/').skip(1).map(str::to_owned).collect::<Vec<_>>();
    let (fixed, rest) = pattern.strip_suffix("/**").map_or((pattern, false), |fixed| (fixed, true));
    let (pattern, path) = (segments(fixed), segments(if path == "/" && fixed.is_empty() { "" } else { path }));
    let enough = if rest { path.len() >= pattern.len() } else { path.len() == pattern.len() };
    enough && pattern.iter().zip(&path).all(|(one, two)| one == two || one == "{}" && !two.is_empty())
}

fn through_lua(value: Value) -> Value {
    match value {
        Value::Number(number) => integer(&number).map_or(Value::Number(number), Value::String),
        Value::Array(items) => Value::Array(items.into_iter().map(through_lua).collect()),
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, through_lua(value))).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// The digits of an integer that a Lua number does not hold exactly.
fn integer(number: &Number) -> Option<String> {
    const EXACT: u64 = 1 << 53;
    let large = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs)).is_some_and(|size| size > EXACT);
    large.then(|| number.to_string())
}

/// Without the difference between `1` and `1.0`.
fn numeric(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().and_then(Number::from_f64).map_or(Value::Null, Value::Number),
        Value::Array(items) => Value::Array(items.into_iter().map(numeric).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, numeric(value))).collect())
        }
        other => other,
    }
}

/// Whether there may be an integer in it that keeps its digits on the way through Lua, and loses them as a tree.
fn has_long_number(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits.len() > 18)
}

fn repeats_a_key(text: &str) -> bool {
    struct Keys(bool);
    impl<'de> serde::de::DeserializeSeed<'de> for &mut Keys {
        type Value = ();
        fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_any(self)
        }
    }
    impl<'de> serde::de::Visitor<'de> for &mut Keys {
        type Value = ();
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("JSON")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            let mut seen = std::collections::HashSet::new();
            while let Some(key) = map.next_key::<String>()? {
                self.0 |= !seen.insert(key);
                map.next_value_seed(&mut *self)?;
            }
            Ok(())
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            while list.next_element_seed(&mut *self)?.is_some() {}
            Ok(())
        }
        fn visit_bool<E>(self, _: bool) -> Result<(), E> {
            Ok(())
        }
        fn visit_i64<E>(self, _: i64) -> Result<(), E> {
            Ok(())
        }
        fn visit_u64<E>(self, _: u64) -> Result<(), E> {
            Ok(())
        }
        fn visit_f64<E>(self, _: f64) -> Result<(), E> {
            Ok(())
        }
        fn visit_str<E>(self, _: &str) -> Result<(), E> {
            Ok(())
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    }
    let mut keys = Keys(false);
    let read = serde::de::DeserializeSeed::deserialize(&mut keys, &mut serde_json::Deserializer::from_str(text));
    read.is_ok() && keys.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Everything that was ever found, and what fuzzing starts from.
    #[track_caller]
    fn holds(property: &str, check: fn(&str)) {
        for folder in ["seeds", "regressions"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz").join(folder).join(property);
            for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let text = std::fs::read(file.path()).expect("a readable file");
                std::str::from_utf8(&text).map(check).unwrap_or_default();
            }
        }
    }

    #[test]
    fn whatever_fuzzing_found_holds() {
        holds("rules", rules);
        holds("urls", urls);
        holds("dialled", dialled);
        holds("values", values);
    }

    #[test]
    #[should_panic(expected = "does not cover")]
    fn a_broken_matcher_would_be_noticed() {
        assert!(covers("/a/{}", "/a/b"), "covers");
        assert!(covers("/a/{}", "/a/b/c"), "does not cover");
    }
}
