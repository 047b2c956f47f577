//! What `mcp:serve` can be told.

use crate::cli::arguments::{PluginFolders, seconds};
use clap::{Args, ValueEnum};
use kosmo::mcp::server::{Offer, Shares, Tools};
use kosmo::{Decision, did_you_mean};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

pub(in crate::cli) const HELP: &str = "\
Without --http it speaks over standard input and output, as clients start it. Tools: run_lua, search_docs and read_doc;
with --tools=all, or once integrations are named, each function besides. Guides are resources, and there are prompts.

Writes are off. --write=ask asks through the client before each (elicitation), and refuses where the client cannot ask.
It is the client that answers: whether it shows the question to a person, nobody here can tell, so for whoever could
write a client of their own, `ask` is as good as `allow`. --write=allow leaves it to the permissions in config.toml,
where `ask` is asked in the same way. A server only narrows: nothing it is told gives more than config.toml does, except
--force, which passes over permissions and never over --write or a token.

With --http it listens at 127.0.0.1:8650 unless told otherwise, at /mcp. Tokens: kosmo mcp:token:add. Without any, one is
made for this run and printed on standard error; --no-token lets in every program of this machine. It speaks plain
HTTP: beyond this machine, put a proxy with TLS before it. Besides there are /healthz, /readyz and /metrics.

Plugins, accounts, config.toml and tokens are read again when they change, and at SIGHUP; clients are told. A mistake in
them is reported, and what was there before is served on; but while the tokens cannot be read, none of them lets in,
since nobody could tell which were taken back. SIGTERM and SIGINT end it: nothing begins any more, what is under way
has 30 s, and a write that has no answer by then is named. A second signal ends it at once.

Exit codes: 0 done, 1 failed or a write was left in doubt, 2 wrong usage.";

/// Flags of `mcp:serve`.
#[derive(Debug, Args)]
pub(in crate::cli) struct McpServe {
    /// Serve over HTTP, at this address and port
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = false, default_missing_value = "127.0.0.1:8650", value_parser = address)]
    pub(super) http: Option<SocketAddr>,
    /// Serve only this integration; may be given several times
    #[arg(long = "integration", value_name = "NAME")]
    integration: Vec<String>,
    /// The same, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    integrations: Vec<String>,
    /// Which tools there are [default: lua, or all where integrations are named]
    #[arg(long, value_name = "WHICH")]
    tools: Option<Which>,
    /// The same as --tools=all
    #[arg(long, conflicts_with = "tools")]
    functions: bool,
    /// The most that functions may do which write
    #[arg(long, value_name = "DECISION", default_value = "deny")]
    write: Write,
    /// Pass over the permissions in config.toml, but not over --write
    #[arg(long)]
    pub(super) force: bool,
    /// The longest a script may take [default: 300]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// The most characters of one result
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1000..=100_000_000))]
    max_result_chars: u64,
    /// Offer guides as resources; that is so unless --no-resources is given
    #[arg(long, overrides_with = "no_resources", hide = true)]
    resources: bool,
    /// Offer no resources
    #[arg(long)]
    no_resources: bool,
    /// Offer prompts; that is so unless --no-prompts is given
    #[arg(long, overrides_with = "no_prompts", hide = true)]
    prompts: bool,
    /// Offer no prompts
    #[arg(long)]
    no_prompts: bool,
    /// Answer to this name too; may be given several times
    #[arg(long, value_name = "HOST", requires = "http")]
    pub(super) allow_host: Vec<String>,
    /// Let in web pages of this origin, such as http://localhost:6274; may be given several times
    #[arg(long, value_name = "ORIGIN", requires = "http")]
    pub(super) allow_origin: Vec<String>,
    /// Let in every program of this machine, without a token
    #[arg(long, requires = "http")]
    pub(super) no_token: bool,
    /// Calls of one client that run at once; four times as many in all
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: u16,
    /// Requests of one client in a second
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..), requires = "http")]
    pub(super) rate: u16,
    #[command(flatten)]
    pub(super) plugins: PluginFolders,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    Lua,
    Functions,
    All,
}

/// A decision as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Write {
    /// Refuse them, and do not show them
    Deny,
    /// Ask through the client, which answers
    Ask,
    /// Leave it to config.toml
    Allow,
}

impl From<Write> for Decision {
    fn from(write: Write) -> Self {
        match write {
            Write::Deny => Self::Deny,
            Write::Ask => Self::Ask,
            Write::Allow => Self::Allow,
        }
    }
}

impl McpServe {
    /// What makes no sense together.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.named().any(|name| name.trim().is_empty()) {
            return Err("an integration of no name is none at all; leave the flag out to serve all of them".into());
        }
        let Some(address) = self.http else { return Ok(()) };
        if self.no_token && !address.ip().is_loopback() {
            let cure = "Make a token with kosmo mcp:token:add, or listen at 127.0.0.1.";
            return Err(format!(
                "--no-token is for this machine only, and {address} can be reached from others. {cure}"
            ));
        }
        Ok(())
    }

    /// What is named and not installed may come yet, unless it is likely to be mistyped.
    pub(super) fn check_integrations(&self, known: &[String]) -> Result<(), String> {
        let near = |name: &String| (name.clone(), did_you_mean(name, known.iter().map(String::as_str)));
        let mut mistyped = self.missing(known).map(near).filter(|(_, near)| !near.is_empty());
        mistyped.next().map_or(Ok(()), |(name, near)| Err(format!("There is no integration `{name}`.{near}")))
    }

    /// What is named and not installed.
    pub(super) fn missing<'a>(&'a self, known: &'a [String]) -> impl Iterator<Item = &'a String> {
        self.named().filter(|name| !known.contains(name))
    }

    fn named(&self) -> impl Iterator<Item = &String> {
        self.integration.iter().chain(&self.integrations)
    }

    pub(super) fn offer(&self) -> Offer {
        let names: BTreeSet<_> = self.named().cloned().collect();
        let integrations = Some(names).filter(|names| !names.is_empty());
        let unsaid = Offer::default();
        Offer {
            tools: self.which(integrations.is_some()),
            integrations,
            write: self.write.into(),
            force: self.force,
            resources: !self.no_resources,
            prompts: !self.no_prompts,
            characters: usize::try_from(self.max_result_chars).unwrap_or(usize::MAX),
            time_limit: self.timeout.unwrap_or(unsaid.time_limit),
        }
    }

    fn which(&self, named: bool) -> Tools {
        match self.tools {
            Some(Which::Lua) => Tools::Lua,
            Some(Which::Functions) => Tools::Functions,
            Some(Which::All) => Tools::All,
            None if self.functions || named => Tools::All,
            None => Tools::Lua,
        }
    }

    pub(super) fn shares(&self) -> Shares {
        let each = usize::from(self.concurrency);
        Shares { each, all: 4 * each, ..Shares::default() }
    }
}

/// A port alone is one of this machine.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.trim_start_matches(':').parse().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let local = || text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let local = || local().map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let address = port.ok().or_else(local).or_else(|| text.parse().ok());
    address.ok_or_else(|| "expected an address and a port, such as 127.0.0.1:8650, or a port alone".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(address(text).ok().map(|address| address.to_string()).as_deref(), expected);
    }

    #[test]
    fn an_address_may_be_a_port_alone() {
        check("8650", Some("127.0.0.1:8650"));
        check(":0", Some("127.0.0.1:0"));
        check("localhost:1", Some("127.0.0.1:1"));
        check("0.0.0.0:80", Some("0.0.0.0:80"));
        check("[::1]:80", Some("[::1]:80"));
        check("127.0.0.1", None);
        check("70000", None);
        check("example.com:80", None);
    }
}
