//! What a server says of signing in when it refuses a request: `WWW-Authenticate`, as RFC 6750 and RFC 9728 have it. Pure.

use http::header::{HeaderMap, WWW_AUTHENTICATE};

/// What separates and ends words of a challenge.
const SPACE: [char; 3] = [' ', '\t', ','];

/// What is said of bearer tokens. Each the first time it is said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// Where the server is described.
    pub(super) metadata: Option<String>,
    /// What the token has to be good for.
    pub(crate) scope: Option<String>,
    /// Why the one that was sent is not good enough.
    error: Option<String>,
}

impl Challenge {
    /// Nothing is refused: what makes no sense says nothing.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut challenge = Self::default();
        for value in headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()) {
            challenge.hear(value);
        }
        challenge
    }

    /// Whether the token is good, but not for this.
    pub(crate) fn wants_more(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }

    /// A word is the name of a scheme unless `=` follows.
    fn hear(&mut self, value: &str) {
        let (mut rest, mut of_bearer) = (value.trim_start_matches(SPACE), false);
        while !rest.is_empty() {
            let end = rest.find(|letter: char| letter == '=' || SPACE.contains(&letter)).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            match tail.trim_start_matches([' ', '\t']).strip_prefix('=') {
                Some(tail) => {
                    let (value, tail) = value_of(tail.trim_start_matches([' ', '\t']));
                    if of_bearer {
                        self.learn(word, value);
                    }
                    rest = tail;
                }
                None => {
                    of_bearer = word.eq_ignore_ascii_case("bearer");
                    rest = tail;
                }
            }
            rest = rest.trim_start_matches(SPACE);
        }
    }

    fn learn(&mut self, name: &str, value: String) {
        let field = match name.to_ascii_lowercase().as_str() {
            "resource_metadata" => &mut self.metadata,
            "scope" => &mut self.scope,
            "error" => &mut self.error,
            _ => return,
        };
        field.get_or_insert(value);
    }
}

/// A value, in quotes or not, and what comes behind it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find(SPACE).unwrap_or(text.len()));
        return (value.into(), rest);
    };
    let (mut value, mut letters) = (String::new(), quoted.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            letter => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check(values: &[&'static str], metadata: Option<&str>, scope: Option<&str>, error: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.extend(values.iter().map(|value| (WWW_AUTHENTICATE, HeaderValue::from_static(value))));
        let told = |text: Option<&str>| text.map(String::from);
        let expected = Challenge { metadata: told(metadata), scope: told(scope), error: told(error) };
        assert_eq!(Challenge::read(&headers), expected, "{values:?}");
    }

    #[test]
    fn what_is_said_of_bearer_tokens_is_heard_wherever_it_stands() {
        check(&[], None, None, None);
        check(&["Bearer"], None, None, None);
        check(
            &[r#"Bearer resource_metadata="https://a.test/x", scope="a:read b""#],
            Some("https://a.test/x"),
            Some("a:read b"),
            None,
        );
        check(&[r#"bearer error=insufficient_scope,scope = "a""#], None, Some("a"), Some("insufficient_scope"));
        check(&[r#"Basic realm="a, Bearer scope=no", Bearer scope=yes"#], None, Some("yes"), None);
        check(&["Negotiate YWJj==", r#"Bearer scope="a""#], None, Some("a"), None);
        check(&[r#"Basic scope="a", realm="b""#], None, None, None);
        check(&[r#"Bearer scope="a", scope="b""#], None, Some("a"), None);
    }

    #[test]
    fn what_breaks_off_says_what_there_is() {
        check(&[r#"Bearer scope="a\"b\"#], None, Some("a\"b"), None);
        check(&["Bearer scope="], None, Some(""), None);
        check(&[",,, =, Bearer =x, scope"], None, None, None);
    }
}
