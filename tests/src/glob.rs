//! Expected texts of which some parts are not known beforehand.

/// Whether `text` is `pattern`, in which each `*` stands for any text, none and several lines included.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts = rest.split('*');
    let end = parts.next_back().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }

    #[test]
    fn a_star_stands_for_any_text_and_everything_else_for_itself() {
        check("", "", true);
        check("a", "a", true);
        check("a", "ab", false);
        check("*", "", true);
        check("*", "a\nb", true);
        check("a*c", "abbc", true);
        check("a*c", "ac", true);
        check("a*c", "abcd", false);
        check("a*b*c", "a1b2c", true);
        check("a*b*c", "a1c2b", false);
        check("a*a", "a", false);
        check("*b*", "abc", true);
    }
}
