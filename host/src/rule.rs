//! What a plugin declares it sends: origins, path patterns and rules. Pure: it neither resolves nor sends.
//!
//! A path pattern is literal segments, `{}` for exactly one non-empty segment, and optionally a trailing `/**` for
//! any number of further non-empty segments. Nothing else is a pattern, and what is not a pattern is refused.

use crate::bindings::contract;
use crate::outbound::address::is_public;
use crate::target::{Target, TargetError};
use std::fmt;
use url::{Host, Url};

/// The methods there are.
pub(crate) const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// A request some function may send: methods, origin by name, path pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    methods: Vec<http::Method>,
    origin: String,
    path: PathPattern,
    rate_group: Option<String>,
}

/// An origin with a path prefix that requests are relative to: an account's URL, or a plugin's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    url: Url,
    segments: Vec<String>,
    /// Typed by the operator, whose word is also a grant for a loopback or private address.
    typed: bool,
}

/// Literal segments, `{}` and a trailing `/**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    segments: Vec<Segment>,
    rest: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    One,
}

/// Why a rule or URL is refused when it is read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Not `GET`, `POST`, …
    #[error("`{0}` is not an HTTP method in upper case; name each method")]
    Method(String),
    /// A rule without methods allows nothing.
    #[error("a rule needs at least one method")]
    NoMethod,
    /// Not a pattern of the grammar.
    #[error("`{0}` is not a path pattern: use literal segments, `{{}}` for one segment and a trailing `/**`")]
    Path(String),
    /// Not a URL.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A plugin cannot declare a clear-text origin.
    #[error("it must be https")]
    Clear,
    /// A base URL has no query.
    #[error("it must be `scheme://host[:port][/path]`, without a query")]
    Query,
}

impl Rule {
    /// Whether this rule lets `method` go to `target`, given what its origin's name stands for.
    pub fn allows(&self, method: &http::Method, target: &Target, bases: &[Base]) -> bool {
        self.methods.contains(method) && bases.iter().any(|base| base.holds(target, &self.path))
    }

    /// Whether a server may take this for what the rule names, as whoever prohibits it has to assume: letter case, a
    /// trailing slash and what a segment carries after `;` make no difference, since to some servers they make none.
    pub fn resembles(&self, method: &http::Method, target: &Target, base: &Base) -> bool {
        let resembles = |rest: Vec<&str>| self.path.resembles(&rest);
        self.methods.contains(method) && base.is_origin_of(target) && base.strip(target).is_some_and(resembles)
    }

    /// The methods it lets out.
    pub fn methods(&self) -> &[http::Method] {
        &self.methods
    }

    /// What it lets out, relative to its origin.
    pub fn path(&self) -> &PathPattern {
        &self.path
    }

    /// `base`, or the name of one of the plugin's origins.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The rate group its requests count against, if it is another than their function's.
    pub fn rate_group(&self) -> Option<&str> {
        self.rate_group.as_deref()
    }

    /// Whether it covers a path of its origin, by whatever method.
    pub(crate) fn covers(&self, path: &PathPattern) -> bool {
        path.literal().is_some_and(|segments| self.path.matches(&segments))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<_> = self.methods.iter().map(http::Method::as_str).collect();
        write!(f, "{} {}", methods.join(","), self.path)?;
        if self.origin == "base" { Ok(()) } else { write!(f, " on {}", self.origin) }
    }
}

impl TryFrom<&contract::OutboundRule> for Rule {
    type Error = RuleError;

    fn try_from(rule: &contract::OutboundRule) -> Result<Self, Self::Error> {
        if rule.methods.is_empty() {
            return Err(RuleError::NoMethod);
        }
        let methods = rule.methods.iter().map(|name| parse_method(name)).collect::<Result<_, _>>()?;
        let (path, rate_group) = (rule.path.parse()?, rule.rate_group.clone());
        Ok(Self { methods, origin: rule.origin.clone(), path, rate_group })
    }
}

/// A method by its name in upper case.
pub(crate) fn parse_method(name: &str) -> Result<http::Method, RuleError> {
    let method = name.parse().map_err(|_| RuleError::Method(name.into()))?;
    if is_known(&method) { Ok(method) } else { Err(RuleError::Method(name.into())) }
}

/// Whether some rule can name the method: any other is a guest's invention, of any length.
pub(crate) fn is_known(method: &http::Method) -> bool {
    METHODS.contains(&method.as_str())
}

impl Base {
    /// A URL out of a plugin's description: https only, and never a grant for a private address.
    pub fn declared(text: &str) -> Result<Self, RuleError> {
        let base = Self::parse(text, false)?;
        if base.url.scheme() == "https" { Ok(base) } else { Err(RuleError::Clear) }
    }

    /// A URL the operator typed.
    pub fn typed(text: &str) -> Result<Self, RuleError> {
        Self::parse(text, true)
    }

    fn parse(text: &str, typed: bool) -> Result<Self, RuleError> {
        let target = Target::parse(text.trim_end_matches('/'))?;
        if target.url().query().is_some() {
            return Err(RuleError::Query);
        }
        let segments = target.segments().filter(|segment| !segment.is_empty()).map(Into::into).collect();
        Ok(Self { url: target.into_url(), segments, typed })
    }

    /// Without a trailing slash, as plugins get it.
    pub fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Whether the operator's own typing of this host also lets it be a special-purpose address.
    pub fn grants_address(&self, host: &str, port: u16) -> bool {
        let literal = match self.url.host() {
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        self.typed && literal && self.url.host_str() == Some(host) && self.url.port_or_known_default() == Some(port)
    }

    /// Whether others than the operator's own network could read what is sent there: clear text to a public address, or
    /// to a name, which may lead to one.
    pub fn is_overheard(&self) -> bool {
        let own = match self.url.host() {
            Some(Host::Ipv4(address)) => !is_public(address.into()),
            Some(Host::Ipv6(address)) => !is_public(address.into()),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        self.url.scheme() == "http" && !own
    }

    /// Whether the target lies below it, at a path of this pattern.
    pub(crate) fn holds(&self, target: &Target, path: &PathPattern) -> bool {
        self.is_origin_of(target) && self.strip(target).is_some_and(|rest| path.matches(&rest))
    }

    /// The URL it was read from, in normal form.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// What a pattern relative to this base is without it.
    pub(crate) fn absolute(&self, path: &PathPattern) -> PathPattern {
        PathPattern::exact(self.segments.iter().map(String::as_str)).followed_by(path)
    }

    fn is_origin_of(&self, target: &Target) -> bool {
        target.url().origin() == self.url.origin()
    }

    /// The target's segments after this base's own path.
    pub(crate) fn strip<'a>(&self, target: &'a Target) -> Option<Vec<&'a str>> {
        let mut segments = target.segments();
        self.segments.iter().all(|own| segments.next() == Some(own)).then(|| segments.collect())
    }
}

impl PathPattern {
    /// The pattern for just these segments; one that no pattern can spell stands as `{}`.
    pub(crate) fn exact<'a>(segments: impl Iterator<Item = &'a str>) -> Self {
        let parse = |segment: &str| match segment {
            _ if is_literal(segment) || segment.is_empty() => Segment::Literal(segment.into()),
            _ => Segment::One,
        };
        Self { segments: segments.map(parse).collect(), rest: false }
    }

    /// Its segments, if it stands for exactly one path.
    pub(crate) fn literal(&self) -> Option<Vec<&str>> {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => Some(text.as_str()),
            Segment::One => None,
        });
        if self.rest { None } else { segments.collect() }
    }

    /// Whether it ends in `/**`.
    pub fn is_generic(&self) -> bool {
        self.rest
    }

    /// Whether every path of the other pattern is one of this pattern, too.
    pub fn covers(&self, other: &Self) -> bool {
        let Some((head, tail)) = other.segments.split_at_checked(self.segments.len()) else { return false };
        let filled = |segment: &Segment| *segment != Segment::Literal(String::new());
        let tail_covered = if self.rest { tail.iter().all(filled) } else { tail.is_empty() && !other.rest };
        tail_covered && self.segments.iter().zip(head).all(|(pattern, segment)| pattern.covers(segment))
    }

    /// Whether some path is one of both patterns.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (short, long) = if self.segments.len() <= other.segments.len() { (self, other) } else { (other, self) };
        let (head, tail) = long.segments.split_at(short.segments.len());
        let filled = |segment: &Segment| *segment != Segment::Literal(String::new());
        let tail_shared = if short.rest { tail.iter().all(filled) } else { tail.is_empty() };
        tail_shared && short.segments.iter().zip(head).all(|(one, other)| one.covers(other) || other.covers(one))
    }

    pub(crate) fn matches(&self, segments: &[&str]) -> bool {
        let Some((head, tail)) = segments.split_at_checked(self.segments.len()) else { return false };
        let tail_matches = if self.rest { tail.iter().all(|segment| !segment.is_empty()) } else { tail.is_empty() };
        tail_matches && self.segments.iter().zip(head).all(|(pattern, segment)| pattern.matches(segment))
    }

    fn resembles(&self, segments: &[&str]) -> bool {
        let segments = segments.strip_suffix(&[""]).unwrap_or(segments);
        let own = self.segments.strip_suffix(&[Segment::Literal(String::new())]).unwrap_or(&self.segments);
        let Some((head, tail)) = segments.split_at_checked(own.len()) else { return false };
        (self.rest || tail.is_empty()) && own.iter().zip(head).all(|(pattern, segment)| pattern.resembles(segment))
    }

    fn followed_by(mut self, other: &Self) -> Self {
        self.segments.extend(other.segments.iter().cloned());
        Self { rest: other.rest, ..self }
    }
}

impl Segment {
    fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Literal(text) => text == segment,
            Self::One => !segment.is_empty(),
        }
    }

    fn resembles(&self, segment: &str) -> bool {
        match self {
            Self::Literal(text) => bare(text).eq_ignore_ascii_case(bare(segment)),
            Self::One => !segment.is_empty(),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One, Self::One) => true,
            (Self::One, Self::Literal(text)) => !text.is_empty(),
            (Self::Literal(text), Self::Literal(other)) => text == other,
            (Self::Literal(_), Self::One) => false,
        }
    }
}

impl std::str::FromStr for PathPattern {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let refused = || RuleError::Path(text.into());
        let (fixed, rest) = match text.strip_suffix("/**") {
            Some(fixed) => (fixed, true),
            None => (text, false),
        };
        if fixed.is_empty() && rest {
            return Ok(Self { segments: Vec::new(), rest });
        }
        let segments = fixed.strip_prefix('/').ok_or_else(refused)?.split('/');
        let last = segments.clone().count() - 1;
        let parse = |(index, segment): (usize, &str)| match segment {
            "{}" => Some(Segment::One),
            "" if index == last && !rest => Some(Segment::Literal(String::new())),
            _ if is_literal(segment) => Some(Segment::Literal(segment.into())),
            _ => None,
        };
        let segments = segments.enumerate().map(parse).collect::<Option<_>>().ok_or_else(refused)?;
        Ok(Self { segments, rest })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::One => f.write_str("/{}")?,
            }
        }
        if self.rest { f.write_str("/**") } else { Ok(()) }
    }
}

/// A segment without its parameters, however their `;` is written.
fn bare(segment: &str) -> &str {
    let name = segment.split(';').next().unwrap_or_default();
    name.split("%3B").next().unwrap_or_default()
}

/// A segment in the normal form that [`Target`] gives, without anything that might be meant as a pattern.
fn is_literal(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@".contains(&byte);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, url: &str, expected: bool) {
        let (methods, origin) = (vec!["GET".into()], "base".into());
        let contract =
            contract::OutboundRule { methods, origin, path: pattern.into(), rate_group: None, finding: false };
        let rule = Rule::try_from(&contract).expect("a rule");
        let base = Base::declared("https://api.test/v1").expect("a base");
        let target = Target::parse(url).expect("a target");
        assert_eq!(rule.allows(&http::Method::GET, &target, &[base]), expected, "{pattern} {url}");
    }

    #[test]
    fn a_pattern_matches_whole_segments_on_its_own_origin_only() {
        check("/call", "https://api.test/v1/call", true);
        check("/call", "https://api.test:443/v1/call?limit=1", true);
        check("/call", "https://api.test/v1/calls", false);
        check("/call", "https://api.test/v1/call/1", false);
        check("/call", "https://api.test/v1/call/", false);
        check("/call", "https://api.test/call", false);
        check("/call", "http://api.test/v1/call", false);
        check("/call", "https://api.test:8443/v1/call", false);
        check("/call", "https://api.test.evil.test/v1/call", false);
        check("/call/{}", "https://api.test/v1/call/call_abc123", true);
        check("/call/{}", "https://api.test/v1/call/", false);
        check("/call/{}", "https://api.test/v1/call/1/2", false);
        check("/**", "https://api.test/v1", true);
        check("/**", "https://api.test/v1/a/b/c", true);
        check("/**", "https://api.test/v1/a/", false);
        check("/**", "https://api.test/v2", false);
        check("/a/**", "https://api.test/v1/a", true);
        check("/a/**", "https://api.test/v1/ab", false);
        check("/a/", "https://api.test/v1/a/", true);
        check("/a/~/b", "https://api.test/v1/a/~/b", true);
        check("/a/~/b", "https://api.test/v1/a/%7e/b", true);
    }

    #[test]
    fn what_is_not_a_pattern_is_refused() {
        for pattern in ["", "call", "/a//b", "/a/*", "/**/a", "/a/{id}", "/a/b{}", "/a?x=1", "/a/../b", "/a/%2f", "*"] {
            assert!(pattern.parse::<PathPattern>().is_err(), "{pattern}");
        }
        for method in ["get", "*", "CONNECT", "TRACE", ""] {
            assert!(parse_method(method).is_err(), "{method}");
        }
    }

    #[test]
    fn a_declared_base_is_https_and_only_typed_literals_grant_addresses() {
        assert_eq!(Base::declared("http://api.test"), Err(RuleError::Clear));
        assert_eq!(Base::declared("https://api.test/?a=1"), Err(RuleError::Query));
        let typed = Base::typed("http://127.0.0.1:8080/").expect("a base");
        assert_eq!(typed.as_str(), "http://127.0.0.1:8080");
        assert!(typed.grants_address("127.0.0.1", 8080));
        assert!(!typed.grants_address("127.0.0.1", 80));
        assert!(!Base::typed("http://intranet.test").expect("a base").grants_address("intranet.test", 80));
        assert!(!Base::declared("https://127.0.0.1").expect("a base").grants_address("127.0.0.1", 443));
    }

    fn pattern(text: &str) -> PathPattern {
        text.parse().expect("a pattern")
    }

    #[track_caller]
    fn check_relation(one: &str, other: &str, covers: bool, covered: bool, overlaps: bool) {
        let (one, other) = (pattern(one), pattern(other));
        assert_eq!((one.covers(&other), other.covers(&one)), (covers, covered), "{one} {other}");
        assert_eq!((one.overlaps(&other), other.overlaps(&one)), (overlaps, overlaps), "{one} {other}");
    }

    #[test]
    fn patterns_know_which_is_the_wider() {
        check_relation("/a", "/a", true, true, true);
        check_relation("/a", "/b", false, false, false);
        check_relation("/{}", "/a", true, false, true);
        check_relation("/**", "/a/{}/b", true, false, true);
        check_relation("/**", "/a/**", true, false, true);
        check_relation("/a/**", "/a", true, false, true);
        check_relation("/a/**", "/{}/b", false, false, true);
        check_relation("/a/{}", "/{}/b", false, false, true);
        check_relation("/a/{}", "/{}/b/c", false, false, false);
        check_relation("/a/{}", "/a/", false, false, false);
        check_relation("/a/**", "/a/", false, false, false);
        check_relation("/a", "/a/b", false, false, false);
        check_relation("/**", "/**", true, true, true);
    }

    #[test]
    fn a_prohibition_errs_on_the_wide_side() {
        let (methods, path) = (vec!["DELETE".into()], "/account/{}/message-store".into());
        let contract =
            contract::OutboundRule { methods, origin: "base".into(), path, rate_group: None, finding: false };
        let (never, base) = (Rule::try_from(&contract).expect("a rule"), Base::declared("https://api.test/v1"));
        let check = |url: &str, expected: bool| {
            let target = Target::parse(url).expect("a target");
            let base = base.as_ref().expect("a base");
            assert_eq!(never.resembles(&http::Method::DELETE, &target, base), expected, "{url}");
            assert!(!never.resembles(&http::Method::GET, &target, base));
        };
        check("https://api.test/v1/account/1/message-store", true);
        check("https://api.test/v1/account/1/message-store/", true);
        check("https://api.test/v1/account/1/message-store?type=SMS", true);
        check("https://api.test/v1/account/~/Message-Store", true);
        check("https://api.test/v1/account/~/message%2Dstore", true);
        check("https://api.test/v1/account/~/message-store;x=1", true);
        check("https://api.test/v1/account/~/message-store%3Bx", true);
        check("https://api.test/v1/ACCOUNT;a/~/Message-Store%3bx;y/", true);
        check("https://api.test/v1/account/~/message-store%3Ax", false);
        check("https://api.test/v1/account/1/message-store/5", false);
        check("https://api.test/v1/message-store", false);
        check("https://other.test/v1/account/1/message-store", false);
    }
}
