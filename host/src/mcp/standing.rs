//! How configured servers stand: whether they could be used, and what is in the way. Starts and contacts nothing.

use super::config::{McpConfig, Server};
use super::env_file;
use super::login::SignedIn;
use super::policy::Trust;
use super::reference::{Lookup, Template};
use super::review;
use super::secrets::{OWNER, Sources};
use crate::Host;
use std::collections::BTreeMap;
use std::path::Path;

/// How one server stands.
#[derive(Debug)]
pub struct Standing {
    /// Whether its entry was reviewed.
    pub trust: Trust,
    /// What is another than it was when it was reviewed.
    pub changed: Vec<String>,
    /// Who is signed in there, if somebody is.
    pub login: Option<SignedIn>,
    /// What its environment and headers refer to and is not there, each with its cure.
    pub missing: Vec<String>,
    /// Commands that would make it usable, in the order to run them.
    pub next: Vec<String>,
}

impl Standing {
    /// Whether scripts could use the server now, permissions aside.
    pub fn is_active(&self, server: &Server) -> bool {
        self.word(server) == "active"
    }

    /// `active`, or the first thing in the way: `disabled`, `changed`, `untrusted` or `incomplete`.
    pub fn word(&self, server: &Server) -> &'static str {
        match self.trust {
            _ if !server.enabled => "disabled",
            Trust::Changed => "changed",
            Trust::Unknown => "untrusted",
            Trust::Own | Trust::Reviewed if !self.missing.is_empty() => "incomplete",
            Trust::Own | Trust::Reviewed => "active",
        }
    }
}

/// The servers of the kosmo home and of the project that `folder` is in, with what the files permit.
pub fn configured(host: &Host, folder: &Path) -> McpConfig {
    McpConfig::load(host.home(), folder).with(&host.surroundings().config)
}

/// The servers of the kosmo home alone, with what the files permit.
pub fn of_home(host: &Host) -> McpConfig {
    McpConfig::of_home(host.home()).with(&host.surroundings().config)
}

/// How a server stands.
pub fn standing(host: &Host, server: &Server) -> Standing {
    let config = &host.surroundings().config;
    let trust = config.mcp().trust(server);
    let changed = if trust == Trust::Changed { review::changes(host, server) } else { Vec::new() };
    let (login, unreadable) = match host.mcp().signed_in(server) {
        Ok(login) => (login, None),
        Err(fault) => (None, Some(fault.message)),
    };
    let missing = missing(host, server);
    let unreadable = unreadable.filter(|why| !missing.iter().any(|told| told.contains(why)));
    let missing = missing.into_iter().chain(unreadable).collect();
    let next = next(host, server, trust, login.as_ref());
    Standing { trust, changed, login, missing, next }
}

fn next(host: &Host, server: &Server, trust: Trust, login: Option<&SignedIn>) -> Vec<String> {
    let name = &server.name;
    let enable = (!server.enabled).then(|| format!("kosmo mcp:enable {name}"));
    let trust = (!trust.is_given()).then(|| format!("kosmo mcp:trust {name}"));
    let sources = Sources::new(&host.surroundings().config, server);
    let values = server.env.values().chain(server.headers.values());
    // Where the store cannot be opened, nothing can be set in it.
    let opens = host.surroundings().config.store().is_none_or(|store| store.accounts(OWNER).is_ok());
    let unset = |(owner, key): &(&str, &str)| *owner == server.name && opens && sources.secret(owner, key).is_err();
    let secrets = values.flat_map(|value| value.secrets(&server.name)).filter(unset);
    let secrets = secrets.map(|(_, key)| format!("kosmo mcp:secret:set {name} {key}"));
    let login = login.filter(|login| !login.is_good()).map(|_| format!("kosmo mcp:login {name}"));
    let asks = server.permissions.read == "ask" && server.permissions.write == "ask";
    let permit = asks.then(|| format!("kosmo mcp:configure {name} --read=allow"));
    enable.into_iter().chain(trust).chain(secrets).chain(login).chain(permit).collect()
}

fn missing(host: &Host, server: &Server) -> Vec<String> {
    let sources = Sources::new(&host.surroundings().config, server);
    let unset = |kind: &str, values: &BTreeMap<String, Template>| {
        let place = |name: &str| format!("`{kind}.{name}` of MCP server '{}'", server.name);
        let fault = |(name, value): (&String, &Template)| value.resolve(&place(name), &sources).err();
        values.iter().filter_map(fault).map(|fault| fault.message).collect::<Vec<_>>()
    };
    let file = env_file::told(server, &sources).err().map(|fault| fault.message);
    [unset("env", &server.env), file.into_iter().collect(), unset("headers", &server.headers)].concat()
}
