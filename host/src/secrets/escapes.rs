//! JSON may write a letter in more than one way, and servers choose differently: PHP `\/`, Gson `\u003d`, .NET `\u002B`.

use crate::secret::Secret;
use std::ops::Range;

/// The text with those escapes decoded that JSON does without, if it has any.
pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'\\', text)?;
    let decoded: Vec<_> = letters(text).map(|(letter, _)| letter).collect();
    (decoded.len() < text.len()).then_some(decoded)
}

/// The text with every secret blotted out that shows once it is decoded, or nothing if there was none in it.
pub(super) fn blotted<'a>(text: &[u8], secrets: impl Iterator<Item = &'a Secret>) -> Option<Vec<u8>> {
    let decoded = decoded(text)?;
    let mut places: Vec<_> = secrets.flat_map(|secret| secret.places(&decoded)).collect();
    places.sort_unstable_by_key(|place| place.start);
    (!places.is_empty()).then(|| without(text, places))
}

/// The text without these places, counted in decoded letters and in the order of where they begin.
fn without(text: &[u8], places: Vec<Range<usize>>) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut places = places.into_iter().peekable();
    for (index, (_, written)) in letters(text).enumerate() {
        while places.next_if(|place| place.end <= index).is_some() {}
        match places.peek() {
            Some(place) if place.start == index => kept.extend_from_slice(b"[redacted]"),
            Some(place) if place.contains(&index) => {}
            _ => kept.extend_from_slice(written),
        }
    }
    kept
}

/// Each byte of the decoded text with how it was written.
fn letters(text: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (letter, length) = escape(rest).or_else(|| Some((*rest.first()?, 1)))?;
        let (written, tail) = rest.split_at(length);
        rest = tail;
        Some((letter, written))
    })
}

/// `\/` or `\u00XX` of a visible letter at the head of a text, and its length. In JSON within a string of JSON its
/// backslash is doubled.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    const DEEPEST: usize = 8;
    let depth = text.iter().take(DEEPEST).take_while(|byte| **byte == b'\\').count();
    match (depth, text.get(depth)?) {
        (0, _) => None,
        (_, b'/') => Some((b'/', depth + 1)),
        (_, b'u') => Some((unicode(text.get(depth + 1..depth + 5)?)?, depth + 5)),
        _ => None,
    }
}

fn unicode(digits: &[u8]) -> Option<u8> {
    let letter = super::escaped_byte(digits.strip_prefix(b"00")?)?;
    letter.is_ascii_graphic().then_some(letter)
}
