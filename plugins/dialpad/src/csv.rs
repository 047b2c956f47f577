//! Comma-separated values (RFC 4180), one record at a time and without copying what needs no unquoting.

use std::borrow::Cow;

/// The fields of the record that starts at byte `start`, and where the next one starts. None at the text's end.
///
/// Lines may end in LF, CRLF or CR. A quote that is never closed runs to the end of the text.
pub(crate) fn record(text: &str, start: usize) -> Option<(Vec<Cow<'_, str>>, usize)> {
    if start >= text.len() {
        return None;
    }
    let (mut fields, mut at) = (Vec::new(), start);
    loop {
        let (value, end) = field(text, at);
        fields.push(value);
        match text.as_bytes().get(end) {
            Some(b',') => at = end + 1,
            Some(b'\r') if text.as_bytes().get(end + 1) == Some(&b'\n') => return Some((fields, end + 2)),
            Some(_) => return Some((fields, end + 1)),
            None => return Some((fields, end)),
        }
    }
}

/// The field that starts at byte `start`, and where the delimiter behind it is.
fn field(text: &str, start: usize) -> (Cow<'_, str>, usize) {
    let rest = &text[start..];
    let Some(quoted) = rest.strip_prefix('"') else {
        let length = plain_length(rest);
        return (Cow::Borrowed(&rest[..length]), start + length);
    };
    let length = quoted_length(quoted);
    let closed = (start + 1 + length + 1).min(text.len());
    // Tolerated: `"a"b` is read as `ab`.
    let tail = &text[closed..closed + plain_length(&text[closed..])];
    (join(unescape(&quoted[..length]), tail), closed + tail.len())
}

fn plain_length(text: &str) -> usize {
    text.find([',', '\r', '\n']).unwrap_or(text.len())
}

/// How far it is to the quote that closes a field.
fn quoted_length(text: &str) -> usize {
    let (bytes, mut at) = (text.as_bytes(), 0);
    while let Some(quote) = text[at..].find('"') {
        match bytes.get(at + quote + 1) {
            Some(b'"') => at += quote + 2,
            _ => return at + quote,
        }
    }
    text.len()
}

/// Every quote inside a quoted field is doubled; the second of two is dropped.
fn unescape(text: &str) -> Cow<'_, str> {
    let mut dropped = false;
    let mut keep = |letter: &char| {
        dropped = *letter == '"' && !dropped;
        !dropped
    };
    if text.contains('"') {
        Cow::Owned(text.chars().filter(|letter| keep(letter)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn join<'a>(text: Cow<'a, str>, tail: &str) -> Cow<'a, str> {
    if tail.is_empty() { text } else { Cow::Owned(text.into_owned() + tail) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&[&str]]) {
        let (mut records, mut at) = (Vec::new(), 0);
        while let Some((fields, next)) = record(text, at) {
            assert!(next > at, "no progress at {at} of {text:?}");
            records.push(fields);
            at = next;
        }
        assert_eq!(records, expected, "{text:?}");
    }

    #[test]
    fn records_are_read_as_rfc_4180_says() {
        check("", &[]);
        check("a,b\r\nc,d\r\n", &[&["a", "b"], &["c", "d"]]);
        check("a,b\nc,d", &[&["a", "b"], &["c", "d"]]);
        check("a\rb\r", &[&["a"], &["b"]]);
        check(",\n", &[&["", ""]]);
        check("a,", &[&["a", ""]]);
        check("\n\na", &[&[""], &[""], &["a"]]);
        check("\"a,b\",c", &[&["a,b", "c"]]);
        check("\"say \"\"hi\"\"\",c", &[&["say \"hi\"", "c"]]);
        check("\"two\r\nlines\",c\nd", &[&["two\r\nlines", "c"], &["d"]]);
        check("\"\",\"\"\"\"", &[&["", "\""]]);
        check("größe,\"日,本\"", &[&["größe", "日,本"]]);
    }

    #[test]
    fn broken_quoting_loses_nothing_and_ends() {
        check("\"never closed, a\nb", &[&["never closed, a\nb"]]);
        check("\"", &[&[""]]);
        check("\"a\"b,c", &[&["ab", "c"]]);
        check("a\"b\",c", &[&["a\"b\"", "c"]]);
        check("\"a\"\"", &[&["a\""]]);
        check("\"ü\"é,\"", &[&["üé", ""]]);
    }
}
