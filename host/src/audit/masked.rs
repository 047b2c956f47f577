//! Paths without what may be somebody's: a phone number, a message, an account. Pure.

use std::borrow::Cow;

/// Characters that end a segment without going on with the path.
const ENDS: &str = " \t\r\n\"'`,()<>?#";

/// Text in which `{}` stands for every path segment with a digit in it; hosts and versions such as `v2` stay.
pub(super) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let (mut rest, mut within) = (text, false);
    while let Some(end) = rest.find(|letter| letter == '/' || ENDS.contains(letter)) {
        let (segment, after) = rest.split_at(end);
        masked.push_str(&shown(segment, within));
        // `https://` starts a host, which is no segment.
        let start = if after.starts_with("//") { 2 } else { after.chars().next().map_or(0, char::len_utf8) };
        within = start == 1 && after.starts_with('/');
        masked.push_str(&after[..start]);
        rest = &after[start..];
    }
    masked + &shown(rest, within)
}

fn shown(segment: &str, within_path: bool) -> Cow<'_, str> {
    let (name, punctuation) = segment.split_at(segment.trim_end_matches([':', ';', '.']).len());
    let digits = name.bytes().any(|byte| byte.is_ascii_digit());
    if within_path && digits && !is_version(name) { format!("{{}}{punctuation}").into() } else { segment.into() }
}

/// `v2`, `v1.0`
fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix('v').unwrap_or_default();
    !number.is_empty() && number.len() <= 4 && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(masked(text), expected);
    }

    #[test]
    fn segments_with_digits_are_masked_and_nothing_else() {
        check("", "");
        check("/", "/");
        check("/api/v2/call/16505551234", "/api/v2/call/{}");
        check("/api/v2/call/16505551234/", "/api/v2/call/{}/");
        check("/restapi/v1.0/account/~/extension/101/sms", "/restapi/v1.0/account/~/extension/{}/sms");
        check("/a/%2B16505551234;x=1/b", "/a/{}/b");
        check("/v16505551234", "/{}");
        check("/a/77/v2: no", "/a/{}/v2: no");
        check("https://api2.test:8443/a/1", "https://api2.test:8443/a/{}");
        check(
            "DELETE http://127.0.0.1:41/a1: may send 2 `GET /a/{}`",
            "DELETE http://127.0.0.1:41/{}: may send 2 `GET /a/{}`",
        );
        check("`DELETE /call/77`, 3 of (/x/é9)", "`DELETE /call/{}`, 3 of (/x/{})");
    }
}
