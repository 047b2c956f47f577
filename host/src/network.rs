//! How this machine's network is reached: roots of trust besides the public ones, and a proxy if one was asked for. Pure.
//!
//! Through a proxy it is the proxy that resolves names, so that no address can be checked here but one the URL spells
//! out. Loopback that an account's own URL names is this machine's and never goes through it.

use crate::outbound::Roots;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::net::IpAddr;
use std::path::PathBuf;
use url::{Host, Url};

/// `[network]` as the operator wrote it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NetworkSettings {
    /// A PEM file whose certificates are trusted besides the public ones.
    pub(crate) ca_file: Option<PathBuf>,
    proxy: Option<Choice>,
}

/// Which proxy the operator wants.
#[derive(Debug)]
enum Choice {
    /// The one the environment names, as other programs do.
    Environment,
    /// This one, for everything.
    Typed(Proxy),
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "environment" => Ok(Self::Environment),
            text => Proxy::parse(text).map(Self::Typed).map_err(D::Error::custom),
        }
    }
}

/// How providers are reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    pub(crate) roots: Roots,
    clear: Option<Proxy>,
    secure: Option<Proxy>,
    bypass: Bypass,
}

/// An HTTP proxy.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What it is told of who we are, marked sensitive.
    pub(crate) authorization: Option<HeaderValue>,
}

/// Why `[network]` cannot be used. What was typed is not quoted, since a proxy's URL may hold a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The file of certificates cannot be used.
    #[error("`ca_file`: {}: {why}", .file.display())]
    Roots {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The environment's proxy cannot be used.
    #[error("`proxy` is taken from ${variable} in the environment: {error}")]
    Variable {
        /// `HTTPS_PROXY`
        variable: String,
        /// What is wrong with it.
        error: ProxyError,
    },
}

/// Why a proxy's URL is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not a URL of a proxy.
    #[error("expected \"environment\" or a URL such as \"http://proxy.example:3128\"")]
    Form,
    /// A proxy that speaks something else than HTTP.
    #[error("expected a proxy that is reached by plain `http://`; what passes through it is encrypted all the same")]
    Scheme,
}

impl NetworkSettings {
    /// What they come to in this environment, which counts only where it was asked for.
    pub(crate) fn resolve(
        &self,
        roots: Roots,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Network, NetworkError> {
        let network = Network { roots, ..Network::default() };
        match &self.proxy {
            None => Ok(network),
            Some(Choice::Typed(proxy)) => {
                Ok(Network { clear: Some(proxy.clone()), secure: Some(proxy.clone()), ..network })
            }
            Some(Choice::Environment) => Ok(Network {
                clear: from_environment(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"], &variable)?,
                secure: from_environment(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"], &variable)?,
                bypass: Bypass::parse(&first(&["no_proxy", "NO_PROXY"], &variable).map_or_else(String::new, |v| v.1)),
                ..network
            }),
        }
    }
}

/// The first of these variables that says anything.
fn first<'a>(names: &[&'a str], variable: &impl Fn(&str) -> Option<String>) -> Option<(&'a str, String)> {
    let value = |name: &&'a str| Some((*name, variable(name).filter(|value| !value.is_empty())?));
    names.iter().find_map(value)
}

fn from_environment(names: &[&str], variable: &impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, NetworkError> {
    let Some((name, value)) = first(names, variable) else { return Ok(None) };
    // Other programs take a bare `proxy:3128`.
    let url = if value.contains("://") { value } else { format!("http://{value}") };
    Proxy::parse(&url).map(Some).map_err(|error| NetworkError::Variable { variable: name.into(), error })
}

impl Network {
    /// The proxy on the way to a host, given without brackets.
    pub(crate) fn proxy(&self, secure: bool, host: &str, port: u16) -> Option<&Proxy> {
        let proxy = if secure { self.secure.as_ref() } else { self.clear.as_ref() }?;
        (!self.bypass.covers(host, port)).then_some(proxy)
    }
}

impl Proxy {
    fn parse(text: &str) -> Result<Self, ProxyError> {
        let url = Url::parse(text).map_err(|_| ProxyError::Form)?;
        if matches!(url.scheme(), "https" | "socks4" | "socks5" | "socks5h") {
            return Err(ProxyError::Scheme);
        }
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if url.scheme() != "http" || !bare || url.port() == Some(0) {
            return Err(ProxyError::Form);
        }
        let host = match url.host().ok_or(ProxyError::Form)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        Ok(Self { host, port: url.port().unwrap_or(80), authorization: authorization(&url)? })
    }
}

fn authorization(url: &Url) -> Result<Option<HeaderValue>, ProxyError> {
    let password = url.password().unwrap_or_default();
    if url.username().is_empty() && password.is_empty() {
        return Ok(None);
    }
    let pair = [unescaped(url.username())?, b":".to_vec(), unescaped(password)?].concat();
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).map_err(|_| ProxyError::Form)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Percent-decoded: `@` and `:` in a password are written as escapes.
fn unescaped(text: &str) -> Result<Vec<u8>, ProxyError> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (escape, rest) = part.split_at_checked(2).ok_or(ProxyError::Form)?;
        bytes.push(u8::from_str_radix(escape, 16).map_err(|_| ProxyError::Form)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Ok(bytes)
}

/// Hosts that are reached without the proxy, as `NO_PROXY` names them: `*`, `host`, `.domain`, `10.0.0.0/8`, each with a
/// `:port` if only that one is meant.
#[derive(Clone, Debug, Default)]
struct Bypass(Vec<Exception>);

#[derive(Clone, Debug)]
struct Exception {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Hosts {
    All,
    /// A name and everything below it.
    Domain(String),
    /// Addresses that share so many leading bits.
    Addresses(IpAddr, u32),
}

impl Bypass {
    fn parse(text: &str) -> Self {
        let entries = text.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
        Self(entries.map(Exception::parse).collect())
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        self.0.iter().any(|exception| exception.port.is_none_or(|only| only == port) && exception.hosts.cover(host))
    }
}

impl Exception {
    fn parse(entry: &str) -> Self {
        if let Some(hosts) = Hosts::addresses(entry) {
            return Self { hosts, port: None };
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().ok()),
            _ => (entry, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Self { hosts: Hosts::parse(host), port }
    }
}

impl Hosts {
    fn parse(text: &str) -> Self {
        match text {
            "*" => Self::All,
            text => Self::addresses(text).unwrap_or_else(|| {
                Self::Domain(text.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase())
            }),
        }
    }

    fn addresses(text: &str) -> Option<Self> {
        let (network, length) = text.split_once('/').map_or((text, None), |(network, length)| (network, Some(length)));
        let network: IpAddr = network.parse().ok()?;
        let whole = if network.is_ipv4() { u32::BITS } else { u128::BITS };
        let length = length.map_or(Some(whole), |length| length.parse().ok().filter(|&length| length <= whole))?;
        Some(Self::Addresses(network, length))
    }

    fn cover(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            Self::Domain(domain) => {
                host.strip_suffix(domain.as_str()).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
            }
            Self::Addresses(network, length) => {
                host.parse().is_ok_and(|address: IpAddr| same_network(address, *network, *length))
            }
        }
    }
}

fn same_network(address: IpAddr, network: IpAddr, length: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros() >= length,
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits() ^ network.to_bits()).leading_zeros() >= length,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(settings: &str, environment: &[(&str, &str)]) -> Result<Network, NetworkError> {
        let settings: NetworkSettings = toml::from_str(settings).expect("settings");
        let variable =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        settings.resolve(Roots::default(), variable)
    }

    #[track_caller]
    fn check(environment: &[(&str, &str)], url: &str, expected: Option<&str>) {
        let network = network("proxy = \"environment\"", environment).expect("a network");
        let url = Url::parse(url).expect("a URL");
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let proxy = network.proxy(url.scheme() == "https", host, url.port_or_known_default().unwrap_or_default());
        assert_eq!(proxy.map(|proxy| format!("{}:{}", proxy.host, proxy.port)).as_deref(), expected, "{url}");
    }

    #[test]
    fn the_environment_counts_only_where_it_was_asked_for() {
        let environment = [("HTTPS_PROXY", "http://proxy.test:3128"), ("HTTP_PROXY", "http://proxy.test:3128")];
        check(&environment, "https://api.test", Some("proxy.test:3128"));
        assert!(network("", &environment).expect("a network").proxy(true, "api.test", 443).is_none());
        let typed = network("proxy = \"http://other.test\"", &environment).expect("a network");
        assert_eq!(typed.proxy(true, "api.test", 443).expect("a proxy").host, "other.test");
    }

    #[test]
    fn variables_mean_what_they_mean_elsewhere() {
        check(&[("https_proxy", "one:1"), ("HTTPS_PROXY", "two:2")], "https://api.test", Some("one:1"));
        check(&[("HTTP_PROXY", "http://one")], "https://api.test", None);
        check(&[("HTTP_PROXY", "http://one")], "http://api.test", Some("one:80"));
        check(&[("ALL_PROXY", "http://[::1]:8080")], "https://api.test", Some("::1:8080"));
        check(&[("HTTPS_PROXY", "")], "https://api.test", None);
        for (no_proxy, url, bypassed) in [
            ("*", "https://api.test", true),
            ("api.test", "https://api.test", true),
            ("other.test, API.test", "https://api.test", true),
            ("test", "https://api.test", true),
            (".test", "https://api.test", true),
            ("*.test", "https://api.test", true),
            ("pi.test", "https://api.test", false),
            ("sub.api.test", "https://api.test", false),
            ("api.test:443", "https://api.test", true),
            ("api.test:8443", "https://api.test", false),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("10.1.2.3", "https://10.1.2.3", true),
            ("0.0.0.0/0", "https://10.1.2.3", true),
            ("10.0.0.0/33", "https://10.0.0.0", false),
            ("fd00::/8", "https://[fd00::1]", true),
            ("[fd00::1]:443", "https://[fd00::1]", true),
            ("::1", "https://[fd00::1]", false),
        ] {
            let expected = (!bypassed).then_some("proxy:1");
            check(&[("HTTPS_PROXY", "proxy:1"), ("NO_PROXY", no_proxy)], url, expected);
        }
    }

    #[test]
    fn a_proxys_password_is_decoded_and_never_shown() {
        let network = network("proxy = \"http://me:p%40ss@proxy.test:3128\"", &[]).expect("a network");
        let proxy = network.proxy(true, "api.test", 443).expect("a proxy");
        let authorization = proxy.authorization.as_ref().expect("credentials");
        assert_eq!(authorization, format!("Basic {}", STANDARD.encode("me:p@ss")).as_str());
        assert!(!format!("{network:?}").contains("Basic"), "{network:?}");
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_quoting_it() {
        for (url, error) in [
            ("https://me:secret@proxy.test", ProxyError::Scheme),
            ("socks5://proxy.test", ProxyError::Scheme),
            ("ftp://proxy.test", ProxyError::Form),
            ("proxy.test:3128", ProxyError::Form),
            ("http://proxy.test:0", ProxyError::Form),
            ("http://proxy.test/path", ProxyError::Form),
            ("http://me:%zz@proxy.test", ProxyError::Form),
            ("", ProxyError::Form),
        ] {
            assert_eq!(Proxy::parse(url).expect_err(url), error, "{url}");
        }
        let error = network("proxy = \"environment\"", &[("HTTPS_PROXY", "https://me:secret@proxy.test")]);
        let error = error.expect_err("a proxy by https").to_string();
        assert!(error.contains("$HTTPS_PROXY") && !error.contains("secret"), "{error}");
    }
}
