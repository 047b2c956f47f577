//! What is kept of a sign-in besides its token, sealed like every secret, and where: by the server it is at.

use super::client::Authentication;
use crate::config::Config;
use crate::fault::{Code, Fault};
use crate::mcp::config::Server;
use crate::provider::hex;
use crate::secret::Secret;
use crate::store::{Store, Value, blocking};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;

/// In place of a provider's name in the store, and no provider can be called that.
pub(super) const OWNER: &str = "@mcp-login";
/// The fields of an account there.
const LOGIN: &str = "login";
const SECRET: &str = "client_secret";

/// What is known of a sign-in. Its token is kept beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Login {
    /// Who issues the tokens, and the name it has for itself.
    pub(super) issuer: String,
    pub(super) token_endpoint: String,
    pub(super) revocation_endpoint: Option<String>,
    pub(super) client_id: String,
    pub(super) authentication: Authentication,
    /// Whether the operator gave the client's name; otherwise it was registered for this sign-in alone.
    pub(super) configured: bool,
    /// The authorization server that the operator typed, if so: that is also leave to be there.
    pub(super) typed: Option<String>,
    /// What tokens are made out to.
    pub(super) resource: String,
    /// What they are good for, if that was said.
    pub(super) scope: Option<String>,
    /// Whether the client itself signed in, and nobody who uses it.
    pub(super) of_client: bool,
}

impl Login {
    /// Tells apart what tokens were issued for.
    pub(super) fn fingerprint(&self) -> String {
        hex(&Sha256::digest(self.written()))
    }

    fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What a sign-in is kept under. It holds for a server of this name at this URL; and for one that came with a project,
/// as long as it is the one that was reviewed, in that project. The query is no part of it.
pub(super) fn place(server: &Server, url: &Url) -> String {
    let folder = server.holder().project.map(|folder| folder.to_string_lossy());
    let reviewed = folder.as_ref().map_or([""; 2], |folder| [&**folder, server.fingerprint.as_str()]);
    let origin = url.origin().ascii_serialization();
    let mut digest = Sha256::new();
    for part in [server.name.as_str(), &origin, url.path()].into_iter().chain(reviewed) {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    hex(&digest.finalize())
}

/// Where one sign-in is kept.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) store: Arc<Store>,
    pub(super) key: Arc<str>,
}

impl Place {
    /// The sign-in, and the client's secret if it has one. Looking creates nothing.
    pub(super) async fn read(&self) -> Result<Option<(Login, Option<Value>)>, Fault> {
        let place = self.clone();
        blocking(move || place.read_now()).await
    }

    pub(super) fn read_now(&self) -> Result<Option<(Login, Option<Value>)>, Fault> {
        let mut fields = self.store.fields(OWNER, &self.key)?;
        let Some(Value::Text(written)) = fields.remove(LOGIN) else { return Ok(None) };
        Ok(read(&written).map(|login| (login, fields.remove(SECRET))))
    }

    /// When this returns, it is on disk.
    pub(super) async fn write(&self, login: &Login, secret: Option<&Value>) -> Result<(), Fault> {
        let (place, login) = (self.clone(), Value::Text(Secret::new(login.written())));
        let secret = secret.map(|secret| (SECRET.to_owned(), secret.copied()));
        let unset = if secret.is_some() { Vec::new() } else { vec![SECRET.to_owned()] };
        let set: BTreeMap<_, _> = [(LOGIN.to_owned(), login)].into_iter().chain(secret).collect();
        blocking(move || place.store.change(OWNER, &place.key, &set, &unset)).await
    }

    /// Forgets it with its token. Whether there was one.
    pub(super) async fn forget(&self) -> Result<bool, Fault> {
        let place = self.clone();
        blocking(move || place.store.remove_account(OWNER, &place.key)).await
    }
}

/// The client's secret, from where it is.
///
/// # Errors
/// `unconfigured`, if it is in an environment variable that is not set.
pub(super) fn secret_of(value: Option<&Value>, config: &Config, server: &str) -> Result<Option<Secret>, Fault> {
    match value {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.copied())),
        Some(Value::Environment(name)) => {
            let unset = || {
                let message = format!(
                    "The client's secret for MCP server '{server}' is taken from ${name} in the environment, which is \
                     not set."
                );
                Fault::new(Code::Unconfigured, message)
            };
            config.environment(name).map(|value| Some(Secret::new(value))).ok_or_else(unset)
        }
    }
}

fn read(written: &Secret) -> Option<Login> {
    serde_json::from_str(written.expose()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::config::McpConfig;
    use std::path::Path;

    fn server(source: &str, name: &str, url: &str, more: &str) -> Server {
        let text = format!(r#"{{"mcpServers": {{"{name}": {{"url": "{url}"{more}}}}}}}"#);
        let config = McpConfig::of(source, Path::new("mcp.json"), &text);
        config.servers.into_values().next().expect("a server")
    }

    fn key(source: &str, name: &str, url: &str, more: &str) -> String {
        place(&server(source, name, url, more), &url.parse().expect("a URL"))
    }

    #[test]
    fn a_sign_in_is_of_one_server_at_one_address_as_it_was_reviewed() {
        let own = key("global", "docs", "https://a.test/mcp", "");
        assert_eq!(own, key("global", "docs", "https://a.test/mcp?x=1", r#", "timeout": 5, "headers": {"X": "1"}"#));
        for (source, name, url) in [
            ("global", "docs", "https://a.test/other"),
            ("global", "docs", "https://a.test/mcp/"),
            ("global", "docs", "https://b.test/mcp"),
            ("global", "docs", "https://a.test:444/mcp"),
            ("global", "other", "https://a.test/mcp"),
            ("project:.mcp.json", "docs", "https://a.test/mcp"),
        ] {
            assert_ne!(own, key(source, name, url, ""), "{source} {name} {url}");
        }
        let of_project = |more| key("project:.mcp.json", "docs", "https://a.test/mcp", more);
        assert_ne!(of_project(""), of_project(r#", "headers": {"X": "1"}"#), "another review");
        assert_eq!(of_project(""), of_project(r#", "timeout": 5"#));
    }
}
