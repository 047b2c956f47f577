//! JSON as people and editors write it.

/// Editors write comments and trailing commas into these files. Blanks take their place, so that lines and columns
/// stay what they are.
pub(super) fn without_comments(text: &str) -> String {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut plain = String::with_capacity(rest.len());
    while let Some(first) = rest.chars().next() {
        let (length, keep) = match first {
            '"' => (string_length(rest), true),
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => (rest[2..].find("*/").map_or(rest.len(), |end| end + 4), false),
            ']' | '}' => {
                blank_trailing_comma(&mut plain);
                (1, true)
            }
            other => (other.len_utf8(), true),
        };
        let (piece, after) = rest.split_at(length);
        let blank = |letter| if letter == '\n' { '\n' } else { ' ' };
        if keep {
            plain.push_str(piece)
        } else {
            plain.extend(piece.chars().map(blank))
        }
        rest = after;
    }
    plain
}

/// How many bytes the string literal at the beginning takes, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    let ends = |&(_, letter): &(usize, char)| {
        let end = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        end
    };
    text.char_indices().skip(1).find(ends).map_or(text.len(), |(end, _)| end + 1)
}

fn blank_trailing_comma(plain: &mut String) {
    let end = plain.trim_end().len();
    if plain[..end].ends_with(',') {
        plain.replace_range(end - 1..end, " ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_plain(text: &str, expected: &str) {
        assert_eq!(without_comments(text), expected);
    }

    #[test]
    fn comments_and_trailing_commas_leave_blanks() {
        check_plain("{\"a\": 1, // one\n}", "{\"a\": 1        \n}");
        check_plain("[1, /* \n */ ]", "[1     \n    ]");
        check_plain(r#"{"a": "// no, \" ]"}"#, r#"{"a": "// no, \" ]"}"#);
        check_plain("\u{feff}{}", "{}");
        check_plain("[1,]", "[1 ]");
        check_plain("/* ü", "    ");
        check_plain("\"open", "\"open");
    }
}
