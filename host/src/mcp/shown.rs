//! An entry as whoever decides about it sees it. A project's is seen whole, since all of it is what is trusted; what looks
//! like a secret in the operator's own is blotted out.

use super::config::Server;
use super::plain::{masked, masked_arguments};
use super::reference::Template;
use std::collections::BTreeMap;

impl Server {
    /// Its arguments.
    pub fn shown_args(&self) -> Vec<String> {
        if self.is_of_project() { self.args.clone() } else { masked_arguments(&self.args) }
    }

    /// Where it listens.
    pub fn shown_url(&self) -> Option<&str> {
        let url = if self.is_of_project() { &self.address } else { &self.url };
        url.as_deref()
    }

    /// Its environment, by name.
    pub fn shown_env(&self) -> BTreeMap<&str, &str> {
        self.shown(&self.env)
    }

    /// The headers it is sent, by name.
    pub fn shown_headers(&self) -> BTreeMap<&str, &str> {
        self.shown(&self.headers)
    }

    fn shown<'a>(&self, values: &'a BTreeMap<String, Template>) -> BTreeMap<&'a str, &'a str> {
        let value = |(name, value): (&'a String, &'a Template)| {
            let written = value.written();
            (name.as_str(), if self.is_of_project() { written } else { masked(name, written) })
        };
        values.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::mcp::config::McpConfig;
    use std::path::Path;

    #[test]
    fn what_is_trusted_is_seen_whole_and_of_ones_own_no_secret_is() {
        let text = r#"{"mcpServers": {
            "p": {"command": "npx", "args": ["-y", "fc-evil-mcp-server-pkg"], "env": {"API_TOKEN": "0123456789"}},
            "h": {"url": "https://a.test/?key=0123456789", "headers": {"Authorization": "Bearer 0123456789"}}
        }}"#;
        let check = |source: &str, [arg, url, env, header]: [&str; 4]| {
            let servers = McpConfig::of(source, Path::new("/p/.mcp.json"), text).servers;
            let (program, listener) = (&servers["p"], &servers["h"]);
            assert_eq!(program.shown_args(), ["-y", arg]);
            assert_eq!(listener.shown_url(), Some(url));
            assert_eq!(program.shown_env()["API_TOKEN"], env);
            assert_eq!(listener.shown_headers()["Authorization"], header);
        };
        let whole = ["fc-evil-mcp-server-pkg", "https://a.test/?key=0123456789", "0123456789", "Bearer 0123456789"];
        check("project:.mcp.json", whole);
        check("global", ["***", "https://a.test/?key=***", "***", "***"]);
    }
}
