//! Words of commands that people and programs are told to run. Pure.

/// Whether a shell takes this for one word, as it stands, and a program for no flag.
pub(crate) fn is_plain(text: &str) -> bool {
    let plain = |letter: char| letter.is_alphanumeric() || PUNCTUATION.contains(letter);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
}

/// What a plain word may have besides letters and digits.
pub(crate) const PUNCTUATION: &str = "_-./:@%+,";

/// As a shell reads a word. Nothing for one that steers terminals: nobody should paste that.
pub(crate) fn word(text: &str) -> Option<String> {
    match text {
        _ if text.chars().any(char::is_control) => None,
        _ if is_plain(text) => Some(text.into()),
        _ => Some(shell_quoted(text)),
    }
}

/// In single quotes, as every POSIX shell reads it.
pub fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_survives_quotes() {
        assert_eq!(shell_quoted("print('a')"), r"'print('\''a'\'')'");
    }
}
