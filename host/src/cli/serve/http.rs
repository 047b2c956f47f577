//! `mcp:serve --http`: the address, and who is let in.

use super::arguments::McpServe;
use super::reload::{self, Admission};
use crate::cli::output;
use anyhow::Context as _;
use kosmo::mcp::server::http::{Hosts, Origins, Rate};
use kosmo::mcp::server::{Access, Door, Http, Server, Sources, Tokens, Unfinished};
use rustix::process::{Resource, getrlimit};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Listens, says where, and serves until it is told to stop.
pub(super) async fn serve(
    arguments: &McpServe,
    address: SocketAddr,
    server: &Server,
    sources: Sources,
    stop: CancellationToken,
) -> anyhow::Result<Vec<Unfinished>> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("Cannot listen at {address}"))?;
    let address = listener.local_addr()?;
    let tokens = tokens(arguments, server)?;
    let access = tokens.as_ref().map_or(Access::Anybody, |tokens| Access::Tokens(tokens.all()));
    let door = Door::new(server.clone(), settings(arguments, address, access));
    let once = tokens.as_ref().and_then(|tokens| tokens.token.clone());
    let admission = tokens.map(|tokens| Admission::new(door.clone(), tokens.once));
    let _keeping = reload::keep(&arguments.plugins.folders, server, admission, sources)?;
    announce(address, once.as_deref());
    Ok(door.serve(listener, stop).await?)
}

fn settings(arguments: &McpServe, address: SocketAddr, access: Access) -> Http {
    let usual = Http::new(Hosts::of(address, arguments.allow_host.iter().cloned()), access);
    let connections = usual.connections.min(room(getrlimit(Resource::Nofile).current));
    Http {
        origins: Origins::of(arguments.allow_origin.iter().cloned()),
        rate: Rate::of(arguments.rate.into()),
        connections,
        connections_each: usual.connections_each.min(connections.div_ceil(2)),
        ..usual
    }
}

/// Connections that leave half of the files a process may have open to everything else: else whoever opens connections
/// would keep tokens, plugins and providers from being reached.
fn room(files: Option<u64>) -> usize {
    files.and_then(|files| usize::try_from(files / 2).ok()).unwrap_or(usize::MAX)
}

/// Who is let in, where that is not everybody.
struct Admitted {
    kept: Tokens,
    once: Tokens,
    /// The one made for this run, in words.
    token: Option<String>,
}

impl Admitted {
    fn all(&self) -> Tokens {
        self.kept.clone().and(&self.once)
    }
}

/// The tokens of the home; without any, one that is made for this run.
fn tokens(arguments: &McpServe, server: &Server) -> anyhow::Result<Option<Admitted>> {
    if arguments.no_token {
        return Ok(None);
    }
    let kept = Tokens::load(&server.host())?;
    if !kept.is_empty() {
        return Ok(Some(Admitted { kept, once: Tokens::default(), token: None }));
    }
    let (once, token) = Tokens::once()?;
    Ok(Some(Admitted { kept, once, token: Some(token) }))
}

fn announce(address: SocketAddr, once: Option<&str>) {
    output::error(&format!("serving MCP at http://{address}/mcp"));
    if let Some(token) = once {
        output::error(&format!("token for this run: {token}"));
    }
    if !address.ip().is_loopback() {
        output::error(
            "warning: other machines can reach this address, and it speaks plain HTTP: put a proxy with TLS before it",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert_eq!((room(Some(256)), room(Some(1024)), room(None)), (128, 512, usize::MAX));
    }
}
