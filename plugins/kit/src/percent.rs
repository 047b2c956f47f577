//! Percent-encoding (RFC 3986) of one path segment, query name or query value.

use std::fmt::Write;

/// Leaves the unreserved characters as they are and encodes every other byte, `/`, `+` and `~`'s neighbours included.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(encode(text), expected);
    }

    #[test]
    fn only_unreserved_characters_stay() {
        check("~", "~");
        check("call_abc-1.2", "call_abc-1.2");
        check("+14155551234", "%2B14155551234");
        check("a/b?c&d=e f", "a%2Fb%3Fc%26d%3De%20f");
        check("ü€", "%C3%BC%E2%82%AC");
    }
}
