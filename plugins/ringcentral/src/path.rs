//! Which paths a script may give to `api_get`, `api_post`, `api_put` and `api_delete`.
//!
//! What is not plainly one resource under `/restapi/v1.0` is refused, instead of hoping that this code, the host and
//! RingCentral's servers all read it alike.

const ROOT: &str = "/restapi/v1.0";

/// Where an id that is missing, a list or a wildcard makes DELETE reach the whole mailbox.
const STORE: &str = "message-store";

type Verdict = Result<(), &'static str>;

/// Whether the method may go to this path, or the reason why not.
pub(crate) fn check(method: &str, path: &str) -> Verdict {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    rooted(path)?;
    path.bytes().try_for_each(plain)?;
    escapes(path).try_for_each(needed)?;
    path.split('/').skip(1).try_for_each(segment)?;
    match query {
        Some(_) if method == "GET" => Err("has a query, which belongs into `params`: params = {perPage = 25}"),
        Some(query) => well_formed(query),
        None => Ok(()),
    }?;
    if method == "DELETE" { one_message(path) } else { Ok(()) }
}

fn rooted(path: &str) -> Verdict {
    match path.strip_prefix(ROOT) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(()),
        _ if path.contains("://") || path.starts_with("//") || path.contains('\\') => {
            Err("is an absolute URL: give the path alone")
        }
        _ => Err("does not start with /restapi/v1.0/"),
    }
}

fn plain(byte: u8) -> Verdict {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' | b'%' => Ok(()),
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' => Ok(()),
        b'\\' => Err("has a backslash"),
        b'#' => Err("has a fragment (`#`)"),
        b'@' => Err("has an `@`"),
        // Some servers cut a segment at `;`, which turns `message-store;x` into `message-store`.
        b';' => Err("has a `;`"),
        0..=b' ' | 0x7f => Err("has spaces or control characters"),
        _ => Err("has a character that must be percent-encoded"),
    }
}

/// The bytes that are percent-encoded; `None` for a `%` without two hexadecimal digits.
fn escapes(text: &str) -> impl Iterator<Item = Option<u8>> {
    text.split('%').skip(1).map(|rest| {
        let digits = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        u8::from_str_radix(digits, 16).ok()
    })
}

/// An encoded letter, dot or slash has no use but to be read differently by two readers.
fn needed(byte: Option<u8>) -> Verdict {
    match byte {
        None => Err("has a `%` without two hexadecimal digits"),
        Some(b'/' | b'\\') => Err("has an encoded slash or backslash"),
        Some(0..=0x1f | 0x7f) => Err("has an encoded control character"),
        Some(b'%') => Err("is encoded twice"),
        Some(b';' | b'?' | b'#' | b'@') => Err("has an encoded `;`, `?`, `#` or `@`"),
        Some(b'-' | b'.' | b'_' | b'~') => Err("has encoded dots, dashes, underscores or tildes"),
        Some(byte) if byte.is_ascii_alphanumeric() => Err("has encoded letters or digits"),
        Some(_) => Ok(()),
    }
}

fn segment(segment: &str) -> Verdict {
    match segment {
        "" => Err("has an empty segment: is an id missing?"),
        _ if segment.bytes().all(|byte| byte == b'.') => Err("has a segment `.` or `..`"),
        _ => Ok(()),
    }
}

fn well_formed(query: &str) -> Verdict {
    query.split('&').try_for_each(|pair| name(pair.split('=').next().unwrap_or_default()))?;
    query.bytes().filter(|byte| !matches!(byte, b'?' | b'@' | b';')).try_for_each(plain)?;
    escapes(query).try_for_each(|byte| match byte {
        None | Some(0..=0x1f | 0x7f) => needed(byte),
        Some(_) => Ok(()),
    })
}

/// Some servers take a query named so for the method, and a POST for a DELETE.
fn name(name: &str) -> Verdict {
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    match bare.to_ascii_lowercase().as_str() {
        _ if name.contains('%') => Err("has a query name with escapes"),
        "method" | "httpmethod" | "xhttpmethodoverride" => Err("has a query that could pass for the method"),
        _ => Ok(()),
    }
}

fn one_message(path: &str) -> Verdict {
    let mut segments = path.split('/');
    while let Some(segment) = segments.next() {
        let id = if segment.eq_ignore_ascii_case(STORE) { segments.next().unwrap_or_default() } else { continue };
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("needs exactly one message id of digits after message-store: without one RingCentral \
                        empties the mailbox");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

    #[track_caller]
    fn passes(method: &str, path: &str) {
        assert_eq!(check(method, path), Ok(()), "{method} {path}");
    }

    #[track_caller]
    fn refused(method: &str, path: &str, reason: &str) {
        let verdict = check(method, path);
        assert!(verdict.is_err_and(|said| said.contains(reason)), "{method} {path:?}: {verdict:?}, not {reason}");
    }

    #[test]
    fn a_plain_path_passes_for_every_method() {
        for path in [
            "/restapi/v1.0",
            "/restapi/v1.0/account/~",
            "/restapi/v1.0/account/~/extension/~",
            "/restapi/v1.0/account/400123456789/extension/123456789/presence",
            "/restapi/v1.0/account/~/extension/~/message-store/1234567890",
            "/restapi/v1.0/account/~/extension/~/message-store/1/content/2",
            "/restapi/v1.0/account/~/extension/~/call-log/SHbTMZ4v-Kh_RtUxA",
            "/restapi/v1.0/account/~/extension/1,2/presence",
            "/restapi/v1.0/dictionary/fax-cover-page",
            "/restapi/v1.0/a..b/.hidden/v2.0",
            "/restapi/v1.0/glip/it's(a):test$1!+=&",
            "/restapi/v1.0/names/J%C3%BCrgen%20%26%20Co",
        ] {
            METHODS.into_iter().for_each(|method| passes(method, path));
        }
    }

    #[test]
    fn a_query_cannot_turn_one_method_into_another() {
        for query in ["_method=DELETE", "a=1&_METHOD=delete", "_m%65thod=DELETE", "_HttpMethod=DELETE"] {
            refused("POST", &format!("/restapi/v1.0/account/~/extension/~/message-store?{query}"), "has a query");
        }
        passes("POST", "/restapi/v1.0/account/~/extension/~/address-book/contact?dialingPlan=US");
    }

    #[test]
    fn everything_ambiguous_is_refused_for_every_method() {
        for (path, reason) in [
            ("", "does not start with /restapi/v1.0/"),
            ("/", "does not start with /restapi/v1.0/"),
            ("~", "does not start with /restapi/v1.0/"),
            ("restapi/v1.0/account/~", "does not start with /restapi/v1.0/"),
            (" /restapi/v1.0/account/~", "does not start with /restapi/v1.0/"),
            ("/restapi", "does not start with /restapi/v1.0/"),
            ("/restapi/v1.0x/account", "does not start with /restapi/v1.0/"),
            ("/restapi/v1.0%2faccount", "does not start with /restapi/v1.0/"),
            ("/restapi/v1.0@evil.test/", "does not start with /restapi/v1.0/"),
            ("/restapi/v2/accounts/~", "does not start with /restapi/v1.0/"),
            ("/RESTAPI/v1.0/account/~", "does not start with /restapi/v1.0/"),
            ("/restapi/oauth/token", "does not start with /restapi/v1.0/"),
            ("/oauth/../restapi/v1.0/account", "does not start with /restapi/v1.0/"),
            ("@evil.test/restapi/v1.0/account", "does not start with /restapi/v1.0/"),
            (".evil.test/restapi/v1.0/account", "does not start with /restapi/v1.0/"),
            (":8443/restapi/v1.0/account", "does not start with /restapi/v1.0/"),
            ("https://evil.test/restapi/v1.0/account", "is an absolute URL"),
            ("HTTPS://platform.ringcentral.com/restapi/v1.0/account/~", "is an absolute URL"),
            ("file:///restapi/v1.0/account", "is an absolute URL"),
            ("//evil.test/restapi/v1.0/account", "is an absolute URL"),
            ("\\\\evil.test\\restapi/v1.0", "is an absolute URL"),
            ("/\\evil.test/restapi/v1.0", "is an absolute URL"),
            ("/restapi/v1.0\\..\\account", "is an absolute URL"),
            ("/restapi/v1.0/account\\~", "has a backslash"),
            ("/restapi/v1.0/..", "has a segment `.` or `..`"),
            ("/restapi/v1.0/../oauth/token", "has a segment `.` or `..`"),
            ("/restapi/v1.0/account/./~", "has a segment `.` or `..`"),
            ("/restapi/v1.0/account/~/..", "has a segment `.` or `..`"),
            ("/restapi/v1.0/account/.../~", "has a segment `.` or `..`"),
            ("/restapi/v1.0/%2e%2e/oauth/token", "encoded dots"),
            ("/restapi/v1.0/.%2E/oauth/token", "encoded dots"),
            ("/restapi/v1.0/account/%7e", "encoded dots"),
            ("/restapi/v1.0/account/%61", "encoded letters"),
            ("/restapi/v1.0/..%2foauth", "an encoded slash"),
            ("/restapi/v1.0/account%2F~", "an encoded slash"),
            ("/restapi/v1.0/account%5c~", "an encoded slash or backslash"),
            ("/restapi/v1.0/account%5C..", "an encoded slash or backslash"),
            ("/restapi/v1.0/%252e%252e/oauth", "is encoded twice"),
            ("/restapi/v1.0/account/%00", "an encoded control character"),
            ("/restapi/v1.0/account/%0d%0aHost:%20evil.test", "an encoded control character"),
            ("/restapi/v1.0/account/%7F", "an encoded control character"),
            ("/restapi/v1.0/account/%", "two hexadecimal digits"),
            ("/restapi/v1.0/account/%2", "two hexadecimal digits"),
            ("/restapi/v1.0/account/%zz", "two hexadecimal digits"),
            ("/restapi/v1.0/account/%+1", "two hexadecimal digits"),
            ("/restapi/v1.0/account/%3F", "an encoded `;`, `?`"),
            ("/restapi/v1.0/account/%3b", "an encoded `;`, `?`"),
            ("/restapi/v1.0/account/%40", "an encoded `;`, `?`, `#` or `@`"),
            ("/restapi/v1.0/account/~\r\nHost: evil.test", "control characters"),
            ("/restapi/v1.0/account/\0", "control characters"),
            ("/restapi/v1.0/account/\t~", "control characters"),
            ("/restapi/v1.0/account/~ ", "spaces"),
            ("/restapi/v1.0/account/\u{7f}", "control characters"),
            ("/restapi/v1.0/account/ü", "must be percent-encoded"),
            ("/restapi/v1.0/account/\u{2025}/x", "must be percent-encoded"),
            ("/restapi/v1.0/account/~#fragment", "a fragment"),
            ("/restapi/v1.0/user@evil.test/x", "has an `@`"),
            ("/restapi/v1.0/account;x=1/~", "has a `;`"),
            ("/restapi/v1.0/..;/oauth/token", "has a `;`"),
            ("/restapi/v1.0/", "an empty segment"),
            ("/restapi/v1.0//account", "an empty segment"),
            ("/restapi/v1.0/account//extension/~", "an empty segment"),
            ("/restapi/v1.0/account/~/", "an empty segment"),
            ("/restapi/v1.0/account/{id}", "must be percent-encoded"),
        ] {
            METHODS.into_iter().for_each(|method| refused(method, path, reason));
        }
    }

    #[test]
    fn a_query_belongs_into_params_or_must_be_well_formed() {
        refused("GET", "/restapi/v1.0/account/~?perPage=5", "has a query, which belongs into `params`");
        refused("GET", "/restapi/v1.0/account/~?", "has a query, which belongs into `params`");
        passes("DELETE", "/restapi/v1.0/account/~/extension/~/message-store/1?purge=true");
        passes("POST", "/restapi/v1.0/account/~/extension/~/address-book/contact?dialingPlan=US");
        passes("PUT", "/restapi/v1.0/account/~/x?email=a@b.test&path=%2Fx%2E&q=a?b;c");
        refused("POST", "/restapi/v1.0/account/~?x=1#y", "a fragment");
        refused("POST", "/restapi/v1.0/account/~?x=\r\n", "control characters");
        refused("POST", "/restapi/v1.0/account/~?x=%0a", "an encoded control character");
        refused("PUT", "/restapi/v1.0/account/~?x=%zz", "two hexadecimal digits");
        refused("PUT", "/restapi/v1.0/account/~?x=a b", "spaces");
        refused("DELETE", "/restapi/v1.0/../x?y=1", "has a segment `.` or `..`");
        refused("DELETE", "?/restapi/v1.0/account/~", "does not start with /restapi/v1.0/");
    }

    #[test]
    fn no_delete_reaches_more_than_one_message() {
        const STORE: &str = "/restapi/v1.0/account/~/extension/~/message-store";
        for (rest, reason) in [
            ("", "one message id"),
            ("?type=SMS", "one message id"),
            ("?messageId=1", "one message id"),
            ("/*", "one message id"),
            ("/1,2", "one message id"),
            ("/,", "one message id"),
            ("/~", "one message id"),
            ("/1*", "one message id"),
            ("/%2a", "one message id"),
            ("/1%2C2", "one message id"),
            ("/%20", "one message id"),
            ("/+", "one message id"),
            ("/", "an empty segment"),
            ("//", "an empty segment"),
            ("//1", "an empty segment"),
            ("/1/", "an empty segment"),
            ("/?purge=true", "an empty segment"),
            ("/.", "has a segment `.` or `..`"),
            ("/1/..", "has a segment `.` or `..`"),
            (";x", "has a `;`"),
            ("%3bx", "an encoded `;`"),
            ("%2f", "an encoded slash"),
        ] {
            refused("DELETE", &[STORE, rest].concat(), reason);
        }
        refused("DELETE", "/restapi/v1.0/account/~/extension/~/Message-Store", "one message id");
        refused("DELETE", "/restapi/v1.0/account/~/extension/~/message-stor%65", "encoded letters");
        refused("DELETE", "/restapi/v1.0/account/1/extension/2/message-store", "one message id");
        refused("DELETE", "/restapi/v1.0/account/~/message-store/", "an empty segment");
        passes("DELETE", &[STORE, "/1234567890"].concat());
        passes("GET", STORE);
        passes("PUT", &[STORE, "/*"].concat());
    }
}
