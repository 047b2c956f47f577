//! How servers and their authorization servers describe themselves (RFC 9728, RFC 8414, OpenID Connect Discovery), and
//! where. Pure; nothing in it can be trusted before it is checked.

use super::client::Authentication;
use serde::Deserialize;
use url::Url;

/// A server, as it describes itself.
#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    /// What tokens for it are made out to.
    pub(super) resource: String,
    /// Who issues them.
    #[serde(default)]
    pub(super) authorization_servers: Vec<String>,
    pub(super) scopes_supported: Option<Vec<String>>,
}

/// An authorization server, as it describes itself.
#[derive(Debug, Deserialize)]
pub(super) struct Issuer {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Option<String>,
    pub(super) token_endpoint: Option<String>,
    pub(super) registration_endpoint: Option<String>,
    pub(super) revocation_endpoint: Option<String>,
    scopes_supported: Option<Vec<String>>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether every answer of it names it.
    #[serde(default, rename = "authorization_response_iss_parameter_supported")]
    pub(super) names_itself: bool,
}

impl Resource {
    /// Whether it is about this URL: another server's description is of no use here.
    pub(super) fn covers(&self, url: &Url) -> bool {
        let Ok(own) = Url::parse(&self.resource) else { return false };
        let path = own.path().trim_end_matches('/');
        let below = url.path().strip_prefix(path);
        own.origin() == url.origin() && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Issuer {
    /// Whether it is the one that was asked for.
    pub(super) fn is(&self, issuer: &str) -> bool {
        is_same(&self.issuer, issuer)
    }

    /// Whether a code that somebody else got hold of is worthless to them.
    pub(super) fn has_pkce(&self) -> bool {
        self.code_challenge_methods_supported.iter().any(|method| method == "S256")
    }

    /// Whether tokens that can be renewed have to be asked for.
    pub(super) fn has_offline_access(&self) -> bool {
        self.scopes_supported.iter().flatten().any(|scope| scope == "offline_access")
    }

    /// How a client with a secret shows who it is. Without a word, in a header.
    pub(super) fn for_secrets(&self) -> Authentication {
        let listed = |authentication| self.lists(authentication);
        if listed(Authentication::Body) && !listed(Authentication::Basic) {
            return Authentication::Body;
        }
        Authentication::Basic
    }

    /// What a client asks for that registers itself: it does best without a secret, and else with what is named first.
    pub(super) fn for_strangers(&self) -> Authentication {
        let known = [Authentication::Basic, Authentication::Body];
        let named = |method: &String| known.into_iter().find(|known| known.as_str() == method);
        let first = self.token_endpoint_auth_methods_supported.iter().flatten().find_map(named);
        first.filter(|_| !self.lists(Authentication::Nothing)).unwrap_or(Authentication::Nothing)
    }

    fn lists(&self, authentication: Authentication) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.iter().flatten();
        methods.into_iter().any(|method| method == authentication.as_str())
    }
}

/// Whether two names of an authorization server are one; a slash at the end tells nothing apart.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.strip_suffix('/').unwrap_or(one) == other.strip_suffix('/').unwrap_or(other)
}

/// Where a server describes itself if it does not say.
pub(super) fn places_of_resource(url: &Url) -> Vec<Url> {
    let inserted = well_known(url, "oauth-protected-resource", true);
    let root = well_known(url, "oauth-protected-resource", false);
    if inserted == root { vec![root] } else { vec![inserted, root] }
}

/// Where an authorization server describes itself, in the order to look.
pub(super) fn places_of_issuer(issuer: &Url) -> Vec<Url> {
    let mut places =
        ["oauth-authorization-server", "openid-configuration"].map(|name| well_known(issuer, name, true)).to_vec();
    let path = issuer.path().trim_end_matches('/');
    if !path.is_empty() {
        let mut appended = issuer.clone();
        appended.set_path(&format!("{path}/.well-known/openid-configuration"));
        appended.set_query(None);
        places.push(appended);
    }
    places
}

fn well_known(url: &Url, name: &str, with_path: bool) -> Url {
    let mut place = url.clone();
    let path = if with_path { url.path().trim_end_matches('/') } else { "" };
    place.set_path(&format!("/.well-known/{name}{path}"));
    place.set_query(None);
    place.set_fragment(None);
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[track_caller]
    fn check(places: &[Url], expected: &[&str]) {
        assert_eq!(places.iter().map(Url::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn descriptions_are_looked_for_where_the_standards_put_them() {
        check(
            &places_of_resource(&url("https://mcp.test/public/mcp?x=1")),
            &[
                "https://mcp.test/.well-known/oauth-protected-resource/public/mcp",
                "https://mcp.test/.well-known/oauth-protected-resource",
            ],
        );
        check(
            &places_of_resource(&url("https://mcp.test/")),
            &["https://mcp.test/.well-known/oauth-protected-resource"],
        );
        check(
            &places_of_issuer(&url("https://auth.test/tenant/")),
            &[
                "https://auth.test/.well-known/oauth-authorization-server/tenant",
                "https://auth.test/.well-known/openid-configuration/tenant",
                "https://auth.test/tenant/.well-known/openid-configuration",
            ],
        );
        check(
            &places_of_issuer(&url("https://auth.test")),
            &[
                "https://auth.test/.well-known/oauth-authorization-server",
                "https://auth.test/.well-known/openid-configuration",
            ],
        );
    }

    #[test]
    fn a_description_is_of_the_server_or_of_what_it_is_part_of() {
        let check = |resource: &str, expected: bool| {
            let resource =
                Resource { resource: resource.into(), authorization_servers: vec![], scopes_supported: None };
            assert_eq!(resource.covers(&url("https://mcp.test/a/mcp")), expected, "{}", resource.resource);
        };
        for own in ["https://mcp.test/a/mcp", "https://mcp.test/a/mcp/", "https://mcp.test/a", "https://mcp.test"] {
            check(own, true);
        }
        for other in ["https://mcp.test/a/m", "https://mcp.test/b", "https://other.test/a/mcp", "http://mcp.test", "x"]
        {
            check(other, false);
        }
    }

    #[test]
    fn what_an_authorization_server_can_do_is_what_it_says() {
        let read = |text: &str| serde_json::from_str::<Issuer>(text).expect("metadata");
        let silent = read(r#"{"issuer": "https://auth.test"}"#);
        assert!(!silent.has_pkce() && !silent.has_offline_access() && !silent.names_itself);
        assert_eq!((silent.for_secrets(), silent.for_strangers()), (Authentication::Basic, Authentication::Nothing));
        assert!(
            silent.is("https://auth.test/")
                && !silent.is("https://auth.test.evil")
                && !silent.is("https://auth.test//")
        );
        let plain = read(r#"{"issuer": "x", "code_challenge_methods_supported": ["plain"]}"#);
        assert!(!plain.has_pkce());
        let able = read(
            r#"{"issuer": "x", "code_challenge_methods_supported": ["plain", "S256"],
                "scopes_supported": ["a", "offline_access"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"]}"#,
        );
        assert!(able.has_pkce() && able.has_offline_access());
        let both = |methods: &str| {
            let text = format!(r#"{{"issuer": "x", "token_endpoint_auth_methods_supported": [{methods}]}}"#);
            read(&text).for_strangers()
        };
        assert_eq!(both(r#""private_key_jwt", "client_secret_post", "client_secret_basic""#), Authentication::Body);
        assert_eq!(both(r#""client_secret_basic", "client_secret_post""#), Authentication::Basic);
        assert_eq!(both(r#""client_secret_basic", "none""#), Authentication::Nothing);
        assert_eq!((able.for_secrets(), able.for_strangers()), (Authentication::Body, Authentication::Body));
    }
}
