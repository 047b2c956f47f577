//! Names and values as errors repeat them: a script may have made them of megabytes.

use std::borrow::Cow;

/// Most characters of a name worth repeating.
pub const NAME: usize = 100;

/// The first `most` characters, and `…` for the rest.
pub fn clipped(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut_and_never_within_a_letter() {
        assert_eq!(clipped("", 3), "");
        assert_eq!(clipped("abc", 3), "abc");
        assert_eq!(clipped("abcd", 3), "abc…");
        assert_eq!(clipped("äöüß", 3), "äöü…");
    }
}
