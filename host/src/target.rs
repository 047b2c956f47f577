//! The URL a request goes to, parsed once: what is checked is what is dialled and sent. Pure.

use url::{Host, Url};

/// Bytes of a URL, far more than servers take.
const LONGEST: usize = 16 << 10;
/// Bytes of a host's name, and of one label of it (RFC 1035).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// An absolute http(s) URL in normal form, without anything two parsers could read differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: Url,
}

/// Why a URL is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not an absolute URL.
    #[error("it is not an absolute http or https URL")]
    NotAbsolute,
    /// Something that means one thing to one parser and another to the next.
    #[error("it holds {0}, which could be read in two ways")]
    Ambiguous(&'static str),
    /// Credentials before the host.
    #[error("it holds user information before the host")]
    UserInfo,
    /// Longer than any server takes.
    #[error("it has more than {} KiB", LONGEST >> 10)]
    TooLong,
    /// Not a host's name.
    #[error("its host is no name: labels have 1 to 63 letters, digits, hyphens or underscores")]
    Name,
    /// There is no such port.
    #[error("port 0 cannot be reached")]
    PortZero,
}

impl Target {
    /// Parses a URL and normalises its path: unreserved characters decoded, escapes in upper case.
    ///
    /// # Errors
    /// Refuses what is ambiguous: control characters, backslashes, encoded slashes, dot and empty segments, fragments.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let (start, path) = split(text)?;
        let path = normalise(path)?;
        Self::checked(&format!("{start}{path}{}", query(text)))
    }

    /// Parses a URL that its provider signed: nothing is rewritten, so only its ambiguous forms are refused.
    ///
    /// # Errors
    /// As [`Target::parse`], but encoded slashes are part of a signed name.
    pub fn signed(text: &str) -> Result<Self, TargetError> {
        let (_, path) = split(text)?;
        let dotted = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        if path.split('/').any(dotted) {
            return Err(TargetError::Ambiguous("a dot segment"));
        }
        Self::checked(text)
    }

    fn checked(text: &str) -> Result<Self, TargetError> {
        let url = Url::parse(text).map_err(|_| TargetError::NotAbsolute)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(TargetError::NotAbsolute);
        }
        if url.port() == Some(0) {
            return Err(TargetError::PortZero);
        }
        if let Some(Host::Domain(name)) = url.host() {
            check_name(name)?;
        }
        Ok(Self { url })
    }

    /// In normal form.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// In normal form.
    pub fn into_url(self) -> Url {
        self.url
    }

    /// The path's segments, encoded. `/` has one, which is empty.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.url.path().strip_prefix('/').unwrap_or_default().split('/')
    }
}

/// Everything up to the path, and the path.
fn split(text: &str) -> Result<(&str, &str), TargetError> {
    if text.len() > LONGEST {
        return Err(TargetError::TooLong);
    }
    if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err(TargetError::Ambiguous("a space or control character"));
    }
    if text.contains('\\') {
        return Err(TargetError::Ambiguous("a backslash"));
    }
    if text.contains('#') {
        return Err(TargetError::Ambiguous("a fragment"));
    }
    let (scheme, rest) = text.split_once("://").ok_or(TargetError::NotAbsolute)?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(TargetError::NotAbsolute);
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    check_authority(authority)?;
    let end = scheme.len() + "://".len() + authority.len();
    let query = text.find('?').unwrap_or(text.len());
    Ok((&text[..end], &text[end..query.max(end)]))
}

fn check_authority(authority: &str) -> Result<(), TargetError> {
    match authority {
        "" => Err(TargetError::NotAbsolute),
        text if text.contains('@') => Err(TargetError::UserInfo),
        text if text.contains('%') => Err(TargetError::Ambiguous("an escape in the host")),
        // What a name of other letters comes to is a matter of tables and their versions; its ASCII form is not.
        text if !text.is_ascii() => Err(TargetError::Ambiguous("a host that is not ASCII (write its `xn--` form)")),
        _ => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), TargetError> {
    if name.ends_with('.') {
        return Err(TargetError::Ambiguous("a dot at the end of the host"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let label = |label: &str| (1..=LONGEST_LABEL).contains(&label.len()) && label.bytes().all(plain);
    if name.len() > LONGEST_NAME || !name.split('.').all(label) {
        return Err(TargetError::Name);
    }
    Ok(())
}

fn query(text: &str) -> &str {
    text.find('?').map_or("", |start| &text[start..])
}

fn normalise(path: &str) -> Result<String, TargetError> {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find('%') {
        normal.push_str(&rest[..start]);
        let escape = rest.get(start + 1..start + 3).ok_or(TargetError::Ambiguous("a broken escape"))?;
        normal.push_str(&unescape(escape)?);
        rest = &rest[start + 3..];
    }
    normal.push_str(rest);
    check_segments(&normal)?;
    check_bytes(&normal)?;
    Ok(normal)
}

fn unescape(escape: &str) -> Result<String, TargetError> {
    let hex = escape.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = hex.then(|| u8::from_str_radix(escape, 16).ok()).flatten();
    match byte.ok_or(TargetError::Ambiguous("a broken escape"))? {
        b'/' | b'\\' => Err(TargetError::Ambiguous("an encoded slash")),
        control if control < b' ' || control == 0x7f => Err(TargetError::Ambiguous("an encoded control character")),
        plain if plain.is_ascii_alphanumeric() || b"-._~".contains(&plain) => Ok(char::from(plain).to_string()),
        other => Ok(format!("%{other:02X}")),
    }
}

fn check_segments(path: &str) -> Result<(), TargetError> {
    let segments = path.strip_prefix('/').unwrap_or_default();
    // Some servers cut a segment's parameters off before they resolve it.
    let dotted =
        |segment: &str| segment.replace("%3B", ";").split(';').next().is_some_and(|name| matches!(name, "." | ".."));
    if segments.split('/').any(dotted) {
        return Err(TargetError::Ambiguous("a dot segment"));
    }
    if segments.trim_end_matches('/').split('/').any(str::is_empty) && !segments.is_empty() || segments.ends_with("//")
    {
        return Err(TargetError::Ambiguous("an empty segment"));
    }
    Ok(())
}

/// Servers that decode once more than they should, or that read invalid UTF-8 leniently, would see another path.
fn check_bytes(path: &str) -> Result<(), TargetError> {
    let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let twice =
        |rest: &str| rest.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if path.split("%25").skip(1).any(twice) {
        return Err(TargetError::Ambiguous("a character encoded twice"));
    }
    let mut bytes = Vec::with_capacity(path.len());
    for (index, part) in path.split('%').enumerate() {
        let (escape, rest) = part.as_bytes().split_at(if index == 0 { 0 } else { 2 });
        bytes.extend(hex(escape));
        bytes.extend_from_slice(rest);
    }
    if std::str::from_utf8(&bytes).is_err() { Err(TargetError::Ambiguous("bytes that are not UTF-8")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, TargetError>) {
        let target = Target::parse(text).map(|target| target.into_url().to_string());
        assert_eq!(target, expected.map(Into::into), "{text}");
    }

    #[test]
    fn the_normal_form_is_what_is_sent() {
        check("https://api.test", Ok("https://api.test/"));
        check("https://API.test:443/a/%7euser", Ok("https://api.test/a/~user"));
        check("https://api.test/a/%c3%bc?q=%2F%41", Ok("https://api.test/a/%C3%BC?q=%2F%41"));
        check("http://0x7f.1:80/a", Ok("http://127.0.0.1/a"));
        check("http://2130706433/", Ok("http://127.0.0.1/"));
        check("http://0177.0.0.1/", Ok("http://127.0.0.1/"));
        check("http://[::1]:8080/", Ok("http://[::1]:8080/"));
        check("https://api.test/a/", Ok("https://api.test/a/"));
        check("HTTPS://API.test:00443/a", Ok("https://api.test/a"));
        check("https://api.test:/a", Ok("https://api.test/a"));
        check("https://api.test?a=b", Ok("https://api.test/?a=b"));
        check("https://xn--bcher-kva.test/", Ok("https://xn--bcher-kva.test/"));
        check("https://a_b.api-1.test/", Ok("https://a_b.api-1.test/"));
        check("http://[::ffff:127.0.0.1]/", Ok("http://[::ffff:7f00:1]/"));
        check("https://api.test/ü/%25/100%25", Ok("https://api.test/%C3%BC/%25/100%25"));
    }

    #[test]
    fn ambiguous_urls_are_refused() {
        use TargetError::*;
        check("/relative", Err(NotAbsolute));
        check("ftp://api.test/", Err(NotAbsolute));
        check("https://", Err(NotAbsolute));
        check("https://api.test:0/", Err(PortZero));
        check("https://user:pw@api.test/", Err(UserInfo));
        check("https://api.test@evil.test/", Err(UserInfo));
        check("https://api.test\\@evil.test/", Err(Ambiguous("a backslash")));
        check("https://api.test/#@evil.test", Err(Ambiguous("a fragment")));
        check("https://api%2etest/", Err(Ambiguous("an escape in the host")));
        check("https://api.test/a\r\nx: y", Err(Ambiguous("a space or control character")));
        check("https://api.test/a/../b", Err(Ambiguous("a dot segment")));
        check("https://api.test/a/%2e%2E/b", Err(Ambiguous("a dot segment")));
        check("https://api.test/a/./b", Err(Ambiguous("a dot segment")));
        check("https://api.test/a/..;x=1/b", Err(Ambiguous("a dot segment")));
        check("https://api.test/a//b", Err(Ambiguous("an empty segment")));
        check("https://api.test//a", Err(Ambiguous("an empty segment")));
        check("https://api.test/a//", Err(Ambiguous("an empty segment")));
        check("https://api.test/a%2fb", Err(Ambiguous("an encoded slash")));
        check("https://api.test/a%5Cb", Err(Ambiguous("an encoded slash")));
        check("https://api.test/a%00", Err(Ambiguous("an encoded control character")));
        check("https://api.test/a%", Err(Ambiguous("a broken escape")));
        check("https://api.test/a%zz", Err(Ambiguous("a broken escape")));
        check("https://api.test/a%é", Err(Ambiguous("a broken escape")));
        check("https://api.test/a/..%3bx/b", Err(Ambiguous("a dot segment")));
        check("https://api.test/a/%252e%252e/b", Err(Ambiguous("a character encoded twice")));
        check("https://api.test/a/%25%32%65/b", Err(Ambiguous("a character encoded twice")));
        check("https://api.test/a/%c0%af/b", Err(Ambiguous("bytes that are not UTF-8")));
        check("https://api.test/a/%c0%ae%c0%ae/b", Err(Ambiguous("bytes that are not UTF-8")));
        check("https://api.test/a/%ff", Err(Ambiguous("bytes that are not UTF-8")));
        check(&format!("https://api.test/{}", "a".repeat(16 << 10)), Err(TooLong));
    }

    #[test]
    fn a_host_has_one_reading() {
        use TargetError::*;
        let foreign = Ambiguous("a host that is not ASCII (write its `xn--` form)");
        for host in
            ["api。test", "api．test", "１２７.0.0.1", "api\u{ad}.test", "аpi.test", "ⓐpi.test", "api.test\u{200b}"]
        {
            let target = Target::parse(&format!("https://{host}/a"));
            assert_eq!(target.as_ref(), Err(&foreign), "{host}");
        }
        check("https:///evil.test/", Err(NotAbsolute));
        check("https:////evil.test/", Err(NotAbsolute));
        check("https:/evil.test/", Err(NotAbsolute));
        check("https:evil.test", Err(NotAbsolute));
        check("//evil.test/", Err(NotAbsolute));
        check("x://https://evil.test/", Err(NotAbsolute));
        check("https:/a://evil.test/", Err(NotAbsolute));
        check("https://api.test:x/", Err(NotAbsolute));
        check("https://api.test:65536/", Err(NotAbsolute));
        check("https://api.test:80:80/", Err(NotAbsolute));
        check("https://:443/", Err(NotAbsolute));
        check("https://256.1.1.1/", Err(NotAbsolute));
        check("https://1.2.3.4.5/", Err(NotAbsolute));
        check("https://[::1/", Err(NotAbsolute));
        check("https://[::1]x/", Err(NotAbsolute));
        check("https://[v1.api.test]/", Err(NotAbsolute));
        check("https://[fe80::1%25eth0]/", Err(Ambiguous("an escape in the host")));
        check("https://xn--/", Err(NotAbsolute));
        check("https://xn--a/", Err(NotAbsolute));
        check("https://api.test./", Err(Ambiguous("a dot at the end of the host")));
        check("https://127.0.0.1./", Ok("https://127.0.0.1/"));
        check("https://api..test/", Err(Name));
        check("https://.api.test/", Err(Name));
        check("https://api.test,evil.test/", Err(Name));
        check("https://api.test;evil.test/", Err(Name));
        check("https://api.test*/", Err(Name));
        check(&format!("https://{}.test/", "a".repeat(64)), Err(Name));
        check(&format!("https://{}test/", "a.".repeat(125)), Err(Name));
    }

    #[test]
    fn signed_urls_are_kept_to_the_byte() {
        let text = "https://storage.test/bucket/a%2fb%7e.csv?X-Sig=%2b%41";
        assert_eq!(Target::signed(text).expect("a target").into_url().as_str(), text);
        assert!(Target::signed("https://storage.test/a/%2E%2e/b").is_err());
    }
}
