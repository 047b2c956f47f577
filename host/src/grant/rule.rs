//! A request the operator grants, as it is written in a file: `GET,POST https://*.example.com/v1/**`.
//!
//! Methods; then a path pattern alone, which is relative to the account's own URL, or an origin with one. A host is
//! exact, or `*.` and at least two further labels: `*.example.com` is every host below `example.com`, however deep, and
//! not `example.com` itself.

use crate::parsed;
use crate::rule::{Base, PathPattern, RuleError, parse_method};
use crate::target::Target;
use http::Method;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;
use url::Host;

/// A request the operator grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct GrantRule {
    /// Each once, in alphabetical order.
    methods: Vec<Method>,
    place: Place,
    path: PathPattern,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Wherever the account's own URL points.
    Account,
    Origin {
        secure: bool,
        host: HostPattern,
        port: u16,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    /// In normal form, an IPv6 address in brackets.
    Exact(String),
    /// `.example.com`
    Below(String),
}

/// Why a rule is refused when it is read. The cure is part of the sentence.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRuleError {
    /// Not two words.
    #[error(
        "`{0}` is no rule: write methods and a path or URL, such as `GET /api/v2/call/{{}}` or `GET,POST https://host/**`"
    )]
    Shape(String),
    /// A method or path that is none.
    #[error("`{rule}`: {error}")]
    Part {
        /// As written.
        rule: String,
        /// What is wrong with it.
        error: RuleError,
    },
    /// An origin that cannot be enforced as written.
    #[error("`{rule}`: {flaw}")]
    Origin {
        /// As written.
        rule: String,
        /// What is wrong with it, and what would be right.
        flaw: &'static str,
    },
}

impl GrantRule {
    /// The rule for these methods below the account's own URL.
    pub(crate) fn on_account(method: &Method, path: PathPattern) -> Self {
        Self { methods: vec![method.clone()], place: Place::Account, path }
    }

    /// The rule for these methods below another URL.
    pub(crate) fn on(method: &Method, base: &Base, path: &PathPattern) -> Self {
        let url = base.url();
        let host = HostPattern::Exact(url.host_str().unwrap_or_default().into());
        let port = url.port_or_known_default().unwrap_or_default();
        let place = Place::Origin { secure: url.scheme() == "https", host, port };
        Self { methods: vec![method.clone()], place, path: base.absolute(path) }
    }

    /// Whether it lets `method` go to `target`, for an account whose URL is `base`.
    pub fn allows(&self, method: &Method, target: &Target, base: &Base) -> bool {
        self.methods.contains(method)
            && match &self.place {
                Place::Account => base.holds(target, &self.path),
                Place::Origin { .. } => {
                    self.reaches(target.url()) && self.path.matches(&target.segments().collect::<Vec<_>>())
                }
            }
    }

    /// Whether it lets out something of what a declared method and path below `base` do. `own` says whether that is the
    /// account's own URL.
    pub(crate) fn overlaps(&self, method: &Method, base: &Base, own: bool, path: &PathPattern) -> bool {
        self.methods.contains(method)
            && match &self.place {
                Place::Account => own && self.path.overlaps(path),
                Place::Origin { .. } => self.reaches(base.url()) && self.path.overlaps(&base.absolute(path)),
            }
    }

    /// The same rule for an account whose URL is `base`, with that URL spelled out.
    pub(crate) fn spelled_out(&self, base: &Base) -> Self {
        match self.place {
            Place::Account => {
                let Self { place, path, .. } = Self::on(&Method::GET, base, &self.path);
                Self { methods: self.methods.clone(), place, path }
            }
            Place::Origin { .. } => self.clone(),
        }
    }

    /// Whether everything the other rule lets out passes this one, too.
    pub fn covers(&self, other: &Self) -> bool {
        other.methods.iter().all(|method| self.methods.contains(method))
            && self.place.covers(&other.place)
            && self.path.covers(&other.path)
    }

    /// The methods it grants.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    fn reaches(&self, url: &url::Url) -> bool {
        let Place::Origin { secure, host, port } = &self.place else { return false };
        let scheme = if *secure { "https" } else { "http" };
        url.scheme() == scheme
            && url.port_or_known_default() == Some(*port)
            && url.host_str().is_some_and(|name| host.matches(name))
    }
}

impl Place {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Account, Self::Account) => true,
            (Self::Origin { secure, host, port }, Self::Origin { secure: same, host: inner, port: inner_port }) => {
                secure == same && port == inner_port && host.covers(inner)
            }
            (Self::Account, Self::Origin { .. }) | (Self::Origin { .. }, Self::Account) => false,
        }
    }
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Below(suffix) => host.strip_suffix(suffix.as_str()).is_some_and(|labels| !labels.is_empty()),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match other {
            Self::Exact(name) => self.matches(name),
            Self::Below(inner) => matches!(self, Self::Below(suffix) if inner.ends_with(suffix.as_str())),
        }
    }
}

impl FromStr for GrantRule {
    type Err = GrantRuleError;

    fn from_str(rule: &str) -> Result<Self, GrantRuleError> {
        let words: Vec<_> = rule.split_ascii_whitespace().collect();
        let [methods, place] = words.as_slice() else { return Err(GrantRuleError::Shape(rule.into())) };
        let wrong = |error| GrantRuleError::Part { rule: rule.into(), error };
        let mut methods = methods.split(',').map(parse_method).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        methods.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        methods.dedup();
        let (place, path) = if place.starts_with('/') {
            (Place::Account, *place)
        } else {
            parse_place(place).map_err(|flaw| GrantRuleError::Origin { rule: rule.into(), flaw })?
        };
        Ok(Self { methods, place, path: path.parse().map_err(wrong)? })
    }
}

impl<'de> Deserialize<'de> for GrantRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed::text(deserializer, "a rule such as \"GET /api/v2/call/{}\"", str::parse)
    }
}

impl From<GrantRule> for String {
    fn from(rule: GrantRule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for GrantRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods.iter().map(Method::as_str).collect();
        write!(f, "{} {}{}", methods.join(","), self.place, self.path)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Origin { secure, host, port } = self else { return Ok(()) };
        let (scheme, usual) = if *secure { ("https", 443) } else { ("http", 80) };
        match host {
            HostPattern::Exact(name) => write!(f, "{scheme}://{name}")?,
            HostPattern::Below(suffix) => write!(f, "{scheme}://*{suffix}")?,
        }
        if *port == usual { Ok(()) } else { write!(f, ":{port}") }
    }
}

/// `https://host[:port]` and the path after it.
fn parse_place(text: &str) -> Result<(Place, &str), &'static str> {
    let (secure, rest) = match text.split_once("://") {
        Some(("https", rest)) => (true, rest),
        Some(("http", rest)) => (false, rest),
        Some(_) => return Err("write `https://` before the host"),
        None => return Err("a path begins with `/`, and a URL with `https://`"),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("leave out what stands before the `@`; credentials belong into an account");
    }
    if path.contains(['?', '#']) {
        return Err("a rule has no query and no fragment; every query is allowed where the path is");
    }
    if path.is_empty() {
        return Err("say which paths, such as `/**` for all of this host");
    }
    let (host, port) = split_port(authority)?;
    let host = parse_host(host)?;
    if !secure && !is_typed_address(&host) {
        return Err("clear text (`http://`) goes only to `localhost` or a literal address; write `https://`, or the \
                    path alone for wherever the account's own URL points");
    }
    Ok((Place::Origin { secure, host, port: port.unwrap_or(if secure { 443 } else { 80 }) }, path))
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    let bracket = authority.rfind(']').unwrap_or(0);
    let Some(colon) = authority[bracket..].find(':').map(|at| bracket + at) else { return Ok((authority, None)) };
    let digits = &authority[colon + 1..];
    let plain = !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = plain.then(|| digits.parse().ok()).flatten();
    port.map_or(Err("a port is a number from 1 to 65535"), |port| Ok((&authority[..colon], Some(port))))
}

fn parse_host(text: &str) -> Result<HostPattern, &'static str> {
    const FLAW: &str = "the host is exact, or `*.` before at least two labels, such as `*.example.com`";
    let (below, name) = text.strip_prefix("*.").map_or((false, text), |name| (true, name));
    // An escape would be decoded, and the host read would not be the one written.
    let host = Host::parse(name).ok().filter(|_| !name.contains('%')).ok_or(FLAW)?;
    match &host {
        Host::Domain(domain) if !is_domain(domain) || below && !domain.contains('.') => Err(FLAW),
        Host::Domain(domain) if below => Ok(HostPattern::Below(format!(".{domain}"))),
        Host::Domain(domain) => Ok(HostPattern::Exact(domain.clone())),
        Host::Ipv4(_) | Host::Ipv6(_) if below => Err(FLAW),
        Host::Ipv4(address) if address.to_string() != name => Err("write the address as four decimal numbers"),
        Host::Ipv4(_) | Host::Ipv6(_) => Ok(HostPattern::Exact(host.to_string())),
    }
}

/// Labels of letters, digits, dashes and underscores: nothing that might be meant as a pattern, and no dot at the end.
fn is_domain(domain: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    domain.split('.').all(|label| !label.is_empty() && label.bytes().all(plain))
}

fn is_typed_address(host: &HostPattern) -> bool {
    let HostPattern::Exact(name) = host else { return false };
    name == "localhost" || matches!(Host::parse(name), Ok(Host::Ipv4(_) | Host::Ipv6(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> GrantRule {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    fn check_refused(text: &str, part: &str) {
        let error = text.parse::<GrantRule>().expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }

    #[test]
    fn what_could_not_be_enforced_as_written_is_refused() {
        for text in ["", "GET", "/a", "GET /a /b", "GET, POST /a", "GET https://h.test/** on exports"] {
            check_refused(text, "write methods and a path or URL");
        }
        for text in ["get /a", "* /a", "GET,* /a", "GET,,POST /a", ",GET /a", "CONNECT /a", "TRACE /a", "ANY /a"] {
            check_refused(text, "is not an HTTP method in upper case");
        }
        for text in ["GET /a/*", "GET /**/a", "GET /a//b", "GET /a/{id}", "GET /a?x=1", "GET /a#b", "GET /a/../b"] {
            check_refused(text, "is not a path pattern");
        }
        check_refused("GET https://h.test/a/*", "is not a path pattern");
        check_refused("GET /a/%2e%2e", "is not a path pattern");
        check_refused("GET api/v2/call", "begins with `/`");
        check_refused("GET //evil.test/a", "is not a path pattern");
        check_refused("GET ftp://h.test/a", "write `https://`");
        check_refused("GET HTTPS://h.test/a", "write `https://`");
        check_refused("GET *://h.test/a", "write `https://`");
        check_refused("GET https://h.test", "say which paths");
        check_refused("GET https://h.test?x=1", "has no query");
        check_refused("GET https://h.test/a?x=1", "has no query");
        check_refused("GET https://h.test/a#b", "has no query");
        check_refused("GET https://user:pass@h.test/a", "credentials belong into an account");
        for host in
            ["*", "*.com", "*.*.test", "a.*.test", "*a.test", "a*.h.test", "*.", ".h.test", "h.test.", "h..test"]
        {
            check_refused(&format!("GET https://{host}/a"), "the host is exact, or `*.`");
        }
        for host in ["", "*.127.0.0.1", "*.[::1]", "{}.h.test", "h.te st", "h%2etest", "[::1"] {
            assert!(format!("GET https://{host}/a").parse::<GrantRule>().is_err(), "{host}");
        }
        for host in ["0x7f.1", "2130706433", "0177.0.0.1", "127.1"] {
            check_refused(&format!("GET https://{host}/a"), "four decimal numbers");
        }
        for port in ["0", "", "65536", "-1", "080", "https", "1:2"] {
            check_refused(&format!("GET https://h.test:{port}/a"), "a port is a number");
        }
        check_refused("GET http://h.test/a", "clear text");
        check_refused("GET http://*.h.test/a", "clear text");
    }

    #[track_caller]
    fn check_shown(text: &str, expected: &str) {
        assert_eq!(rule(text).to_string(), expected);
        assert_eq!(rule(expected), rule(text));
    }

    #[test]
    fn a_rule_is_shown_in_normal_form() {
        check_shown("GET /api/v2/call/{}", "GET /api/v2/call/{}");
        check_shown(" POST,GET,POST   /a/ ", "GET,POST /a/");
        check_shown("GET https://API.Test:443/**", "GET https://api.test/**");
        check_shown("GET https://*.Example.com:8443/v1", "GET https://*.example.com:8443/v1");
        check_shown("GET https://bücher.test/a", "GET https://xn--bcher-kva.test/a");
        check_shown("GET http://127.0.0.1:80/a", "GET http://127.0.0.1/a");
        check_shown("GET http://localhost:8080/a", "GET http://localhost:8080/a");
        check_shown("GET http://[0:0::1]:8080/a", "GET http://[::1]:8080/a");
    }

    #[track_caller]
    fn check(text: &str, method: &str, url: &str, expected: bool) {
        let base = Base::declared("https://api.test/v1").expect("a base");
        let target = Target::parse(url).expect("a target");
        let method = method.parse().expect("a method");
        assert_eq!(rule(text).allows(&method, &target, &base), expected, "{text} {method} {url}");
    }

    #[test]
    fn a_rule_allows_what_it_says_and_nothing_beside() {
        check("GET /call/{}", "GET", "https://api.test/v1/call/1", true);
        check("GET /call/{}", "DELETE", "https://api.test/v1/call/1", false);
        check("GET /call/{}", "GET", "https://api.test/call/1", false);
        check("GET /call/{}", "GET", "https://other.test/v1/call/1", false);
        check("GET,DELETE /**", "DELETE", "https://api.test/v1/call/1", true);
        check("GET https://api.test/v1/call", "GET", "https://api.test/v1/call?x=1", true);
        check("GET https://api.test/call", "GET", "https://api.test/v1/call", false);
        check("GET https://api.test/**", "GET", "https://api.test:8443/v1/call", false);
        check("GET https://api.test/**", "GET", "http://api.test/v1/call", false);
        check("GET http://127.0.0.1:8080/**", "GET", "http://127.0.0.1:8080/a", true);
        check("GET http://127.0.0.1:8080/**", "GET", "http://127.0.0.1:8081/a", false);
    }

    #[test]
    fn a_star_stands_for_one_whole_label_or_more() {
        check("GET https://*.example.com/**", "GET", "https://a.example.com/x", true);
        check("GET https://*.example.com/**", "GET", "https://a.b.example.com/x", true);
        check("GET https://*.example.com/**", "GET", "https://example.com/x", false);
        check("GET https://*.example.com/**", "GET", "https://aexample.com/x", false);
        check("GET https://*.example.com/**", "GET", "https://a.example.com.evil.test/x", false);
    }

    #[track_caller]
    fn check_covers(wide: &str, narrow: &str, expected: bool) {
        assert_eq!(rule(wide).covers(&rule(narrow)), expected, "{wide} | {narrow}");
    }

    #[test]
    fn a_rule_knows_what_it_makes_superfluous() {
        check_covers("GET,POST /**", "POST /a/{}", true);
        check_covers("GET /**", "POST /a/{}", false);
        check_covers("GET /a/{}", "GET /**", false);
        check_covers("GET https://*.example.com/**", "GET https://a.example.com/x", true);
        check_covers("GET https://*.example.com/**", "GET https://*.b.example.com/x", true);
        check_covers("GET https://*.example.com/**", "GET https://*.badexample.com/x", false);
        check_covers("GET https://a.example.com/**", "GET https://*.example.com/x", false);
        check_covers("GET https://api.test/**", "GET /x", false);
        check_covers("GET http://127.0.0.1/**", "GET https://127.0.0.1/x", false);
    }
}
