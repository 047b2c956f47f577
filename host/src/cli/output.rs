//! The only place that prints. A reader that went away is no error: there is nobody left to tell.

use super::progress;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::borrow::Cow;
use std::io::{self, Write};

/// Text and a line's end on standard output.
pub(super) fn line(text: &str) {
    ended(write(&mut io::stdout().lock(), &[text, "\n"]));
}

/// `kosmo: …` on standard error.
pub(super) fn error(message: &str) {
    progress::make_room();
    ended(write(&mut io::stderr().lock(), &["kosmo: ", &harmless(message), "\n"]));
}

/// Text of several lines by plugins, on standard output.
pub(super) fn foreign(text: &str) {
    line(&harmless(text));
}

/// Text that cannot move the cursor, change colours or turn letters around: plugins and providers have a say in it.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |letter: char| is_harmful(letter) && !matches!(letter, '\n' | '\t');
    escaped(text, harmful)
}

/// As [`harmless`], on one line.
pub(super) fn in_one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_harmful)
}

/// As [`harmless`], and nothing is there without being seen.
pub(super) fn distinct(text: &str) -> String {
    harmless(&escaped(text, is_unseen)).into_owned()
}

fn escaped(text: &str, harmful: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&harmful) {
        return Cow::Borrowed(text);
    }
    let show = |letter: char| if harmful(letter) { letter.escape_default().to_string() } else { letter.into() };
    text.chars().map(show).collect::<String>().into()
}

/// Controls, and those that make text run the other way.
fn is_harmful(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What takes no room, or looks like a blank and is none. Some of it belongs into names and emoji.
fn is_unseen(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}')
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{2800}')
        || matches!(letter, '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text as it is on standard error.
pub(super) fn plain_error(text: &str) {
    progress::make_room();
    ended(write(&mut io::stderr().lock(), &[text, "\n"]));
}

/// One JSON document and a line's end on standard output.
pub(super) fn json(value: &impl Serialize) {
    line(&pretty(value));
}

/// Indented by four spaces; slashes and Unicode as they are.
pub(super) fn pretty(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    "));
    value.serialize(&mut serializer).expect("what is printed has no keys that are not strings");
    String::from_utf8(text).expect("JSON is UTF-8")
}

fn write(stream: &mut impl Write, parts: &[&str]) -> io::Result<()> {
    parts.iter().try_for_each(|part| stream.write_all(part.as_bytes()))?;
    stream.flush()
}

/// A full disk is worth an exit code; a closed pipe is how `| head` says enough.
fn ended(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        // Standard error may be what failed.
        let _ = writeln!(io::stderr(), "kosmo: cannot write the output: {error}");
        std::process::exit(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_would_steer_a_terminal_is_spelled_out() {
        let check = |text, lines, line| assert_eq!((&*harmless(text), &*in_one_line(text)), (lines, line), "{text:?}");
        check("", "", "");
        check("Zoë…", "Zoë…", "Zoë…");
        check("a\tb\nc", "a\tb\nc", "a\\tb\\nc");
        check("\x1b[2J\r\x07", "\\u{1b}[2J\\r\\u{7}", "\\u{1b}[2J\\r\\u{7}");
        check("\u{9b}31m\u{202e}x", "\\u{9b}31m\\u{202e}x", "\\u{9b}31m\\u{202e}x");
    }

    #[test]
    fn json_is_indented_by_four_and_escapes_no_more_than_it_must() {
        let text = pretty(&json!({"b": "a/ü", "a": [], "c": [1, {}]}));
        assert_eq!(text, "{\n    \"b\": \"a/ü\",\n    \"a\": [],\n    \"c\": [\n        1,\n        {}\n    ]\n}");
    }
}
