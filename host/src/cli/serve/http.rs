//! `mcp:serve --http`: the address, and who is let in.

use super::arguments::McpServe;
use super::reload;
use crate::cli::output;
use anyhow::Context as _;
use kosmo::mcp::server::http::{Hosts, Origins, Rate};
use kosmo::mcp::server::{Access, Door, Http, Server, Sources, Tokens, Unfinished};
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
    let (access, once) = access(arguments, server)?;
    let door = Door::new(server.clone(), settings(arguments, address, access));
    // A token that is made for this run stays; others are read again when they change.
    let admitting = (once.is_none() && !arguments.no_token).then(|| door.clone());
    let _keeping = reload::keep(&arguments.plugins.folders, server, admitting, sources)?;
    announce(address, once.as_deref());
    Ok(door.serve(listener, stop).await?)
}

fn settings(arguments: &McpServe, address: SocketAddr, access: Access) -> Http {
    let hosts = Hosts::of(address, arguments.allow_host.iter().cloned());
    Http {
        origins: Origins::of(arguments.allow_origin.iter().cloned()),
        rate: Rate::of(arguments.rate.into()),
        ..Http::new(hosts, access)
    }
}

/// Who is let in, and the token that was made for this run, if there are no others.
fn access(arguments: &McpServe, server: &Server) -> anyhow::Result<(Access, Option<String>)> {
    if arguments.no_token {
        return Ok((Access::Anybody, None));
    }
    let tokens = Tokens::load(&server.host())?;
    if !tokens.is_empty() {
        return Ok((Access::Tokens(tokens), None));
    }
    let (tokens, token) = Tokens::once()?;
    Ok((Access::Tokens(tokens), Some(token)))
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
