//! Whether a request was meant for this server: a web page that points its own name at this address, or sends requests
//! to it from a visitor's browser, gives itself away by `Host` or `Origin`. Pure.

use http::uri::Authority;
use http::{HeaderMap, Uri, header};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// Names that requests may be addressed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    names: BTreeSet<String>,
    /// Whether some of them are known elsewhere than on this machine.
    is_public: bool,
}

/// Origins that requests may come from; none is let in unless it is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeSet<String>);

impl Hosts {
    /// The names of this machine for itself, the address that is listened at, and these besides, with or without a port.
    pub fn of(address: SocketAddr, besides: impl IntoIterator<Item = String>) -> Self {
        let mut names: BTreeSet<_> = ["localhost", "127.0.0.1", "::1"].map(Into::into).into();
        if !address.ip().is_unspecified() {
            names.insert(address.ip().to_string());
        }
        let own = names.len();
        names.extend(besides.into_iter().map(|name| name.to_ascii_lowercase()));
        Self { is_public: names.len() > own, names }
    }

    /// Whether this request is addressed to one of them.
    pub(super) fn allow(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut named = headers.get_all(header::HOST).iter();
        let host = match (named.next(), named.next()) {
            (Some(host), None) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
            (None, _) => uri.authority().cloned(),
            (Some(_), Some(_)) => None,
        };
        host.is_some_and(|host| self.includes(&host))
    }

    fn includes(&self, host: &Authority) -> bool {
        let name = host.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let whole = host.as_str().to_ascii_lowercase();
        !whole.contains('@') && (self.names.contains(&name) || self.names.contains(&whole))
    }
}

impl Origins {
    /// These, as browsers write them: `https://example.com`, `http://localhost:6274`.
    pub fn of(origins: impl IntoIterator<Item = String>) -> Self {
        Self(origins.into_iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect())
    }

    /// The origin a request comes from: none at all is no browser's.
    ///
    /// # Errors
    /// If it is not one of these.
    pub(super) fn check<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a header::HeaderValue>, Foreign> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Ok(None),
            (Some(origin), None) if self.include(origin) => Ok(Some(origin)),
            (Some(_), _) => Err(Foreign),
        }
    }

    fn include(&self, origin: &header::HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.0.contains(&origin.to_ascii_lowercase()))
    }
}

/// A request comes from a page that is not let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Foreign;

/// What a proxy adds that passes somebody else's request on.
const PASSED_ON: [&str; 5] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Whether a request is this machine's own. One that a proxy on it passes on is somebody else's, and proxies do not all
/// say so: where the server goes by further names, there is one.
pub(super) fn is_local(peer: IpAddr, headers: &HeaderMap, hosts: &Hosts, origins: &Origins) -> bool {
    let passed_on = PASSED_ON.iter().any(|name| headers.contains_key(*name));
    peer.to_canonical().is_loopback() && !passed_on && !hosts.is_public && origins.0.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[track_caller]
    fn check_host(host: &str, expected: bool) {
        let address = "192.0.2.7:8650".parse().expect("an address");
        let hosts = Hosts::of(address, ["Kosmo.Example.COM".to_owned(), "proxy:8443".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).expect("a header"));
        assert_eq!(hosts.allow(&Uri::from_static("/mcp"), &headers), expected, "{host}");
    }

    #[test]
    fn only_names_of_this_server_are_answered_to() {
        for host in ["localhost", "LOCALHOST:8650", "127.0.0.1:1", "[::1]:8650", "192.0.2.7", "kosmo.example.com"] {
            check_host(host, true);
        }
        check_host("proxy:8443", true);
        check_host("proxy", false);
        for host in
            ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "192.0.2.8", "a@localhost", "", "local host"]
        {
            check_host(host, false);
        }
    }

    #[test]
    fn a_request_has_one_host() {
        let hosts = Hosts::of("127.0.0.1:1".parse().expect("an address"), []);
        let mut headers = HeaderMap::new();
        assert!(!hosts.allow(&Uri::from_static("/mcp"), &headers), "none");
        assert!(hosts.allow(&Uri::from_static("http://localhost/mcp"), &headers), "in its line");
        headers.append(header::HOST, HeaderValue::from_static("localhost"));
        headers.append(header::HOST, HeaderValue::from_static("evil.test"));
        assert!(!hosts.allow(&Uri::from_static("/mcp"), &headers), "two");
    }

    #[track_caller]
    fn check_local(peer: &str, field: &str, host: &str, origin: &str, expected: bool) {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let hosts = Hosts::of("127.0.0.1:1".parse().expect("an address"), given(host));
        let mut headers = HeaderMap::new();
        let names = given(field).into_iter().map(|name| name.parse::<header::HeaderName>().expect("a name"));
        headers.extend(names.map(|name| (name, HeaderValue::from_static("192.0.2.1"))));
        let found = is_local(peer.parse().expect("an address"), &headers, &hosts, &Origins::of(given(origin)));
        assert_eq!(found, expected, "{peer} {field} {host} {origin}");
    }

    #[test]
    fn what_a_proxy_passes_on_is_not_this_machines() {
        check_local("127.0.0.1", "", "", "", true);
        check_local("::ffff:127.0.0.1", "accept", "", "", true);
        check_local("127.0.0.1", "", "localhost", "", true);
        check_local("192.0.2.1", "", "", "", false);
        check_local("127.0.0.1", "X-Forwarded-For", "", "", false);
        check_local("::1", "forwarded", "", "", false);
        check_local("127.0.0.1", "", "kosmo.example.com", "", false);
        check_local("127.0.0.1", "", "", "https://example.com", false);
    }

    #[test]
    fn pages_are_let_in_by_name() {
        let origins = Origins::of(["http://localhost:6274/".to_owned()]);
        let check = |origin: Option<&'static str>, expected| {
            let mut headers = HeaderMap::new();
            headers.extend(origin.map(|origin| (header::ORIGIN, HeaderValue::from_static(origin))));
            assert_eq!(origins.check(&headers).is_ok(), expected, "{origin:?}");
        };
        check(None, true);
        check(Some("http://localhost:6274"), true);
        check(Some("http://localhost:6275"), false);
        check(Some("https://evil.test"), false);
        check(Some("null"), false);
    }
}
