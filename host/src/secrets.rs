//! Every secret the host knows, found where none may be: in what leaves for a provider and in what comes back. Pure.

mod escapes;

use crate::fault::Fault;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};
use url::form_urlencoded;

/// Values kept of one field. A token that was just replaced still comes back in answers that were on their way.
const GENERATIONS: usize = 3;

/// The known secrets, each with the name of the field that holds it and in every spelling it could travel in.
#[derive(Debug, Default)]
pub(crate) struct Secrets(RwLock<Vec<Field>>);

#[derive(Debug)]
struct Field {
    name: String,
    /// The newest first.
    values: VecDeque<Spellings>,
}

/// A secret as it is, and as it looks inside JSON, a form and base64. The first is the value itself.
#[derive(Debug)]
struct Spellings(Vec<Secret>);

impl Secrets {
    /// From now on the value of this field is looked for. One of a few letters would be found in any text.
    pub(crate) fn learn(&self, name: &str, value: &Secret) {
        if !value.is_telling() || self.knows(value) {
            return;
        }
        let mut fields = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let index = fields.iter().position(|field| field.name == name).unwrap_or_else(|| {
            fields.push(Field { name: name.into(), values: VecDeque::new() });
            fields.len() - 1
        });
        fields[index].values.push_front(Spellings::of(value));
        fields[index].values.truncate(GENERATIONS);
    }

    /// The name of a field whose value is in a text: as it is, encoded, or behind the text's own escapes.
    pub(crate) fn find(&self, text: &[u8]) -> Option<String> {
        let fields = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let inside = |text: &[u8]| fields.iter().find(|field| field.is_in(text)).map(|field| field.name.clone());
        let behind_json = |text: &[u8]| inside(text).or_else(|| inside(&escapes::decoded(text)?));
        behind_json(text).or_else(|| behind_json(&unescaped(text)?))
    }

    /// Text with every known secret blotted out, or nothing if there was none in it.
    pub(crate) fn blotted(&self, text: &[u8]) -> Option<Vec<u8>> {
        let fields = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let spellings = || fields.iter().flat_map(|field| &field.values).flat_map(|value| &value.0);
        let blotted = spellings().fold(None, |blotted: Option<Vec<u8>>, spelling| {
            spelling.blotted(blotted.as_deref().unwrap_or(text)).or(blotted)
        });
        escapes::blotted(blotted.as_deref().unwrap_or(text), spellings()).or(blotted)
    }

    /// The same text without secrets.
    pub(crate) fn scrubbed(&self, text: String) -> String {
        match self.blotted(text.as_bytes()) {
            Some(blotted) => String::from_utf8_lossy(&blotted).into_owned(),
            None => text,
        }
    }

    /// The same object with nothing secret in its texts and names.
    pub(crate) fn scrubbed_object(&self, object: &Map<String, Value>) -> Map<String, Value> {
        object.iter().map(|(name, value)| (self.scrubbed(name.clone()), self.scrubbed_value(value))).collect()
    }

    fn scrubbed_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.scrubbed(text.clone())),
            Value::Array(items) => items.iter().map(|item| self.scrubbed_value(item)).collect(),
            Value::Object(object) => Value::Object(self.scrubbed_object(object)),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// The same fault with nothing secret in its words.
    pub(crate) fn scrubbed_fault(&self, fault: Fault) -> Fault {
        let (message, provider_code) = (self.scrubbed(fault.message), fault.provider_code);
        Fault { message, provider_code: provider_code.map(|code| self.scrubbed(code)), ..fault }
    }

    fn knows(&self, value: &Secret) -> bool {
        let fields = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut values = fields.iter().flat_map(|field| &field.values);
        values.any(|known| known.0.first().is_some_and(|known| known.expose() == value.expose()))
    }
}

impl Field {
    fn is_in(&self, text: &[u8]) -> bool {
        self.values.iter().flat_map(|value| &value.0).any(|spelling| spelling.is_in(text))
    }
}

impl Spellings {
    fn of(value: &Secret) -> Self {
        let plain = value.expose();
        let form: String = form_urlencoded::byte_serialize(plain.as_bytes()).collect();
        let json = Value::from(plain).to_string();
        let mut spellings = vec![plain.to_owned(), json[1..json.len() - 1].to_owned(), escapes_lowered(&form), form];
        spellings.extend((0..3).flat_map(|offset| base64_cores(plain.as_bytes(), offset)));
        let mut distinct = Vec::<Secret>::new();
        for spelling in spellings {
            if distinct.iter().all(|known| known.expose() != spelling) {
                distinct.push(Secret::new(spelling));
            }
        }
        Self(distinct)
    }
}

/// What base64, of either alphabet, always contains if the value begins `offset` bytes into a group of three: the
/// letters that no neighbouring byte has a part in.
fn base64_cores(value: &[u8], offset: usize) -> [String; 2] {
    let shifted = [&[0; 2][..offset], value].concat();
    let (start, end) = ((offset * 8).div_ceil(6), shifted.len() * 8 / 6);
    [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)].map(|text| text[start..end].to_owned())
}

/// `%2b` for `%2B`, and nothing else changed.
fn escapes_lowered(form: &str) -> String {
    let mut pieces = form.split('%');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        let (escape, rest) = piece.split_at(piece.len().min(2));
        text + "%" + &escape.to_ascii_lowercase() + rest
    })
}

/// The text with its percent escapes decoded, if it has any.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'%', text)?;
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, rest_of_it) = match tail.get(..2).filter(|_| first == b'%').and_then(escaped_byte) {
            Some(byte) => (byte, &tail[2..]),
            None => (first, tail),
        };
        decoded.push(byte);
        rest = rest_of_it;
    }
    Some(decoded)
}

fn escaped_byte(digits: &[u8]) -> Option<u8> {
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    u8::from_str_radix(digits?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    const VALUE: &str = "s3cr3t/with+odd=\"signs\"?>~";

    /// As PHP, Gson, .NET and whoever else writes it in JSON, and as JSON in a string of JSON.
    const ESCAPED: [&str; 5] = [
        r#"s3cr3t\/with+odd=\"signs\"?>~"#,
        r#"s3cr3t/with+odd\u003d\"signs\"?\u003e~"#,
        r"s3cr3t/with\u002Bodd=\u0022signs\u0022?\u003E~",
        r"\u00733cr3t\u002fwith+odd=\u0022signs\u0022?>\u007E",
        r"s3cr3t\\/with\\u002bodd=\u0022signs\u0022?>~",
    ];

    fn known() -> Secrets {
        let secrets = Secrets::default();
        secrets.learn("`access_token` of dialpad.default", &Secret::new(VALUE));
        secrets
    }

    #[track_caller]
    fn check(text: impl AsRef<[u8]>, found: bool) {
        let expected = found.then(|| "`access_token` of dialpad.default".to_owned());
        assert_eq!(known().find(text.as_ref()), expected, "{}", String::from_utf8_lossy(text.as_ref()));
    }

    #[track_caller]
    fn check_blotted(text: &str, expected: &str) {
        assert_eq!(known().scrubbed(text.to_owned()), expected);
    }

    fn form(text: &str) -> String {
        form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }

    #[test]
    fn a_secret_is_found_however_it_is_spelled() {
        check(VALUE, true);
        check(format!("…{VALUE}…"), true);
        check(form(VALUE), true);
        check(escapes_lowered(&form(VALUE)), true);
        check("%73%33%63%72%33%74%2fwith%2Bodd%3d%22signs%22%3F%3e%7E", true);
        check(serde_json::json!({ "a": VALUE }).to_string(), true);
        for escaped in ESCAPED {
            check(escaped, true);
            check(form(escaped), true);
        }
        for before in ["", "x", "xy", "user:", "Bearer "] {
            check(STANDARD.encode(format!("{before}{VALUE}")), true);
            check(STANDARD.encode(format!("{before}{VALUE} and more")), true);
            check(URL_SAFE_NO_PAD.encode(format!("{before}{VALUE}!")), true);
            check(form(&STANDARD.encode(format!("{before}{VALUE}"))), true);
        }
        check(&VALUE[1..], false);
        check("100%", false);
        check("%zz%+f%", false);
        check("", false);
    }

    #[test]
    fn what_comes_back_is_blotted_out_and_the_rest_is_kept() {
        check_blotted("nothing here: 100%", "nothing here: 100%");
        check_blotted(&format!("a {VALUE} b {VALUE}"), "a [redacted] b [redacted]");
        check_blotted(&format!("?token={}&x=1", form(VALUE)), "?token=[redacted]&x=1");
        check_blotted(&serde_json::json!([VALUE, 1]).to_string(), r#"["[redacted]",1]"#);
        let basic = STANDARD.encode(format!("user:{VALUE}"));
        assert!(known().scrubbed(format!("Basic {basic}")).contains("[redacted]"));
    }

    #[test]
    fn an_echo_in_any_escapes_of_json_is_blotted_out() {
        for escaped in ESCAPED {
            check_blotted(
                &format!(r#"{{"a\/b":"\u00e9{escaped}\n","c":"\u003c"}}"#),
                r#"{"a\/b":"\u00e9[redacted]\n","c":"\u003c"}"#,
            );
            check_blotted(&format!("{escaped}{VALUE}{escaped}"), "[redacted][redacted][redacted]");
        }
        let basic = STANDARD.encode(format!("?>{VALUE}")).replace('/', r"\/").replace('+', r"\u002b");
        assert!(known().scrubbed(format!("Basic {basic}")).contains("[redacted]"), "{basic}");
        check_blotted(r"s3cr3t\/with\u002", r"s3cr3t\/with\u002");
    }

    #[test]
    fn a_value_of_a_few_letters_is_not_looked_for() {
        let secrets = Secrets::default();
        secrets.learn("`password` of probe.default", &Secret::new("letmein"));
        assert_eq!(secrets.find(b"letmein"), None);
    }

    #[test]
    fn tokens_that_were_replaced_are_known_for_a_while() {
        let secrets = Secrets::default();
        for turn in 0..10 {
            secrets.learn("token", &Secret::new(format!("token-number-{turn}")));
            secrets.learn("token", &Secret::new(format!("token-number-{turn}")));
        }
        let known: Vec<_> =
            (0..10).filter(|turn| secrets.find(format!("token-number-{turn}").as_bytes()).is_some()).collect();
        assert_eq!(known, [7, 8, 9]);
    }
}
