//! As much of JSON as the simulator and `kosmo` speak.

use std::iter::Peekable;
use std::str::Chars;

/// A value; members and items in their order.
#[derive(Debug, PartialEq)]
pub(crate) enum Json {
    Text(String),
    /// A number, `true`, `false` or `null`, as it is written.
    Word(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim().chars().peekable();
        let value = value(&mut rest)?;
        rest.next().is_none().then_some(value)
    }

    /// The member of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// All members; what is no object has none.
    pub(crate) fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            Self::Text(_) | Self::Word(_) | Self::List(_) => &[],
        }
    }

    /// All items; what is no list has none.
    pub(crate) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Text(_) | Self::Word(_) | Self::Object(_) => &[],
        }
    }

    /// The string, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Word(_) | Self::List(_) | Self::Object(_) => None,
        }
    }
}

type Rest<'a> = Peekable<Chars<'a>>;

fn value(rest: &mut Rest<'_>) -> Option<Json> {
    space(rest);
    match rest.next()? {
        '"' => string(rest).map(Json::Text),
        '{' => object(rest).map(Json::Object),
        '[' => list(rest).map(Json::List),
        first => word(first, rest).map(Json::Word),
    }
}

fn object(rest: &mut Rest<'_>) -> Option<Vec<(String, Json)>> {
    let mut members = Vec::new();
    space(rest);
    if rest.next_if_eq(&'}').is_some() {
        return Some(members);
    }
    loop {
        members.push(member(rest)?);
        space(rest);
        match rest.next()? {
            ',' => {}
            '}' => return Some(members),
            _ => return None,
        }
    }
}

fn list(rest: &mut Rest<'_>) -> Option<Vec<Json>> {
    let mut items = Vec::new();
    space(rest);
    if rest.next_if_eq(&']').is_some() {
        return Some(items);
    }
    loop {
        items.push(value(rest)?);
        space(rest);
        match rest.next()? {
            ',' => {}
            ']' => return Some(items),
            _ => return None,
        }
    }
}

fn word(first: char, rest: &mut Rest<'_>) -> Option<String> {
    let mut word = String::from(first);
    while let Some(next) = rest.next_if(|next| next.is_ascii_alphanumeric() || "+-.".contains(*next)) {
        word.push(next);
    }
    (matches!(word.as_str(), "true" | "false" | "null") || word.parse::<f64>().is_ok()).then_some(word)
}

fn member(rest: &mut Rest<'_>) -> Option<(String, Json)> {
    space(rest);
    rest.next_if_eq(&'"')?;
    let name = string(rest)?;
    space(rest);
    rest.next_if_eq(&':')?;
    Some((name, value(rest)?))
}

fn string(rest: &mut Rest<'_>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => text.push(escaped(rest)?),
            other => text.push(other),
        }
    }
}

fn escaped(rest: &mut Rest<'_>) -> Option<char> {
    match rest.next()? {
        same @ ('"' | '\\' | '/') => Some(same),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'u' => char::from_u32(u32::from_str_radix(&rest.take(4).collect::<String>(), 16).ok()?),
        _ => None,
    }
}

fn space(rest: &mut Rest<'_>) {
    while rest.next_if(|next| next.is_ascii_whitespace()).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_simulator_says_is_understood() {
        let ready =
            r#"{"dialpad":"http://127.0.0.1:41", "tokens":{"dialpad":{"default":"a\"b\u0041","work":"c"},"none":{}}}"#;
        let ready = Json::parse(ready).expect("objects and strings");
        assert_eq!(ready.get("dialpad").and_then(Json::text), Some("http://127.0.0.1:41"));
        let tokens = ready.get("tokens").and_then(|tokens| tokens.get("dialpad")).expect("tokens");
        let names = tokens.members().iter().map(|(name, token)| (name.as_str(), token.text()));
        assert_eq!(names.collect::<Vec<_>>(), [("default", Some("a\"bA")), ("work", Some("c"))]);
    }

    #[test]
    fn what_kosmo_says_is_understood() {
        let said = Json::parse(r#"[{"a": 1.5e3, "b": [true, null, -2], "c": []}, "d"]"#).expect("JSON");
        let first = said.items().first().expect("an item");
        assert_eq!(first.get("a"), Some(&Json::Word("1.5e3".into())));
        assert_eq!(first.get("b").map(|list| list.items().len()), Some(3));
        assert_eq!(
            (first.get("c"), said.items().get(1).and_then(Json::text)),
            (Some(&Json::List(Vec::new())), Some("d"))
        );
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_not_guessed_at() {
        for text in [
            "",
            "{",
            "[",
            "[1",
            "[1,]",
            "yes",
            "1x",
            "{\"a\":\"b\"",
            "{\"a\":\"b\",}",
            "\"a\" \"b\"",
            "{\"a\" \"b\"}",
            "\"\\u00\"",
        ] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
    }
}
