//! Secrets of MCP servers, sealed in the store, and what entries of servers refer to.

use super::Holder;
use super::config::Server;
use super::env_file;
use super::reference::{Lookup, Template};
use crate::config::Config;
use crate::fault::{Code, Fault};
use crate::secret::Secret;
use crate::secrets::Secrets;
use crate::store::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// In place of a provider's name, and no provider can be called that. In place of an account's stands the server's.
pub(crate) const OWNER: &str = "@mcp";

/// Kinds of authorizations.
const KINDS: [&str; 3] = ["Bearer", "Basic", "Token"];
/// Lines of a secret that are looked for one by one.
const MOST_LINES: usize = 100;

/// What a server is told that its entry only refers to.
#[derive(Debug)]
pub struct Told {
    /// The configured part of its environment.
    pub env: BTreeMap<String, Secret>,
    /// The configured headers.
    pub headers: BTreeMap<String, Secret>,
    /// What of all that nobody else may see.
    pub secrets: Vec<Secret>,
}

impl Config {
    /// Everything that a server's entry refers to, looked up.
    ///
    /// # Errors
    /// Names what is not there or not allowed, and the cure.
    pub fn told(&self, server: &Server) -> Result<Told, Fault> {
        let sources = Sources::new(self, server);
        let told = |kind: &str, values: &BTreeMap<String, Template>| {
            let value = |(name, value): (&String, &Template)| {
                let place = format!("`{kind}.{name}` of MCP server '{}'", server.name);
                Ok((name.clone(), value.resolve(&place, &sources)?))
            };
            values.iter().map(value).collect::<Result<BTreeMap<_, _>, Fault>>()
        };
        let (named, headers) = (told("env", &server.env)?, told("headers", &server.headers)?);
        let mut env = env_file::told(server, &sources)?;
        env.extend(named);
        Ok(Told { env, headers, secrets: sources.into_hidden() })
    }
}

impl Config {
    /// From now on, everything that is kept for MCP servers is looked for, whether they are used or not.
    pub(crate) fn teach_kept_for_servers(&self, secrets: &Secrets) {
        let Some(store) = self.store() else { return };
        // A store that cannot be read is a fault for whoever needs what is in it.
        for server in store.accounts(OWNER).unwrap_or_default() {
            for (key, value) in store.fields(OWNER, &server).unwrap_or_default() {
                self.teach_kept_for_server(&server, &key, &value, secrets);
            }
        }
    }

    fn teach_kept_for_server(&self, server: &str, key: &str, value: &Value, secrets: &Secrets) {
        let value = match value {
            Value::Text(text) => Some(text.expose()),
            Value::Environment(variable) => self.environment(variable),
        };
        for (index, piece) in value.map(pieces).into_iter().flatten().enumerate() {
            secrets.learn(&format!("part {index} of the secret `{key}` of MCP server {server}"), &piece);
        }
    }
}

/// Where what one server's entry refers to is found.
pub(crate) struct Sources<'a> {
    config: &'a Config,
    server: &'a Server,
    /// What was looked up and may be shown to nobody.
    hidden: RefCell<Vec<Secret>>,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(config: &'a Config, server: &'a Server) -> Self {
        Self { config, server, hidden: RefCell::default() }
    }
}

impl Lookup for Sources<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.config.environment(name).map(Into::into)
    }

    fn is_allowed(&self, name: &str) -> bool {
        let listed = self.config.environment("KOSMO_MCP_ALLOWED_ENV").unwrap_or_default();
        listed.split(',').any(|listed| listed.trim() == name) || self.config.mcp().own().allowed_env.contains(name)
    }

    fn secret(&self, server: &str, key: &str) -> Result<Secret, Fault> {
        let name = &self.server.name;
        if server != name && self.server.is_of_project() {
            let message = format!(
                "MCP server '{name}' of the project refers to the secret `{key}` of '{server}', which is not its own. \
                 Keep one for it: kosmo mcp:secret:set {name} {key}"
            );
            return Err(Fault::new(Code::Denied, message));
        }
        match self.kept(server)?.remove(key) {
            Some(Value::Text(text)) => Ok(text),
            Some(Value::Environment(variable)) => self.taken(server, key, &variable),
            None => {
                let place = if self.server.is_of_project() { " for this project" } else { "" };
                let message = format!(
                    "MCP server '{name}' refers to the secret `{key}` of '{server}', which is not set{place}. Set it \
                     with: kosmo mcp:secret:set {server} {key}"
                );
                Err(Fault::new(Code::Unconfigured, message))
            }
        }
    }

    fn input(&self, key: &str) -> Result<Secret, Fault> {
        self.secret(&self.server.name, key)
    }

    fn hide(&self, value: &Secret) {
        self.hidden.borrow_mut().extend(pieces(value.expose()));
    }

    fn folder(&self) -> String {
        self.server.folder.to_string_lossy().into_owned()
    }
}

/// What a secret can come back as: itself, and each line of one that has several. An authorization names its kind first,
/// which is none.
fn pieces(value: &str) -> Vec<Secret> {
    let secret = KINDS.iter().find_map(|kind| without(kind, value)).unwrap_or(value);
    let lines = secret.lines().map(str::trim).filter(|line| *line != secret && !line.starts_with("-----"));
    std::iter::once(secret).chain(lines.take(MOST_LINES)).map(Secret::new).collect()
}

fn without<'a>(kind: &str, value: &'a str) -> Option<&'a str> {
    let (first, rest) = value.split_once(' ')?;
    first.eq_ignore_ascii_case(kind).then_some(rest)
}

impl Sources<'_> {
    /// What was looked up so far and may be shown to nobody.
    pub(crate) fn into_hidden(self) -> Vec<Secret> {
        self.hidden.into_inner()
    }

    /// Everything kept for the server of this name, in the place where ours stands.
    fn kept(&self, server: &str) -> Result<BTreeMap<String, Value>, Fault> {
        let account = Holder { server, ..self.server.holder() }.account();
        let kept = self.config.store().zip(account).map(|(store, account)| store.fields(OWNER, &account));
        Ok(kept.transpose()?.unwrap_or_default())
    }

    /// The operator named the variable when the secret was set, so it needs no other leave.
    fn taken(&self, server: &str, key: &str, variable: &str) -> Result<Secret, Fault> {
        self.config.environment(variable).map(Secret::new).ok_or_else(|| {
            let message = format!(
                "The secret `{key}` of MCP server '{server}' is taken from ${variable} in the environment, which is not \
                 set."
            );
            Fault::new(Code::Unconfigured, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &[&str]) {
        let pieces = pieces(value);
        assert_eq!(pieces.iter().map(Secret::expose).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_secret_is_known_whole_and_line_by_line() {
        check("correct horse battery staple", &["correct horse battery staple"]);
        check("bearer abcdefgh", &["abcdefgh"]);
        check("Basic dXNlcjpwYXNz", &["dXNlcjpwYXNz"]);
        let pem = "-----BEGIN KEY-----\nMIIEvQIBADAN\nBgkqhkiG9w0B\n-----END KEY-----\n";
        check(pem, &[pem, "MIIEvQIBADAN", "BgkqhkiG9w0B"]);
    }
}
