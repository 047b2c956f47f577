//! `mcp:serve`: kosmo as an MCP server, over the pipes of whoever started it or at an address.

mod arguments;
mod http;
mod reload;
mod signals;
pub(super) mod tokens;

pub(super) use arguments::{HELP, McpServe};

use super::failure::{Outcome, Usage};
use super::{open, output};
use kosmo::Host;
use kosmo::mcp::server::{Server, Sources, Tracer, Unfinished};
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long what is under way is waited for at the end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the last answers have to reach the client.
const DELIVERY: Duration = Duration::from_secs(2);
/// An invocation's way from the protocol to the wire is long, and longer still in development builds.
const STACK: usize = 8 << 20;

pub(super) fn run(arguments: &McpServe) -> Outcome {
    arguments.check().map_err(Usage)?;
    let runtime = runtime()?;
    let outcome = runtime.block_on(serve(arguments));
    // Whoever reads nothing of what it was told keeps a thread that writes, which is not waited for.
    runtime.shutdown_background();
    outcome
}

async fn serve(arguments: &McpServe) -> Outcome {
    let host = open(&arguments.plugins.folders)?;
    let known = host.registry().names();
    arguments.check_integrations(&known).map_err(Usage)?;
    let sources = Sources::new(&host);
    let tracer = Tracer::from_env(|name| std::env::var(name).ok())?;
    let server = Server::new(host, arguments.offer(), arguments.shares(), tracer);
    let stop = CancellationToken::new();
    signals::attend(stop.clone())?;
    warn(arguments, &known);
    let left = match arguments.http {
        Some(address) => http::serve(arguments, address, &server, sources, stop).await?,
        None => pipes(arguments, &server, sources, stop).await?,
    };
    Ok(tell(&left))
}

fn runtime() -> anyhow::Result<Runtime> {
    let threads = std::thread::available_parallelism().map_or(2, |threads| threads.get().max(2));
    Ok(Builder::new_multi_thread().worker_threads(threads).thread_stack_size(STACK).enable_all().build()?)
}

/// Serves until whoever is at the other end closes it, or a signal says that it is enough.
async fn pipes(
    arguments: &McpServe,
    server: &Server,
    sources: Sources,
    stop: CancellationToken,
) -> anyhow::Result<Vec<Unfinished>> {
    let (_keeping, end) = (reload::keep(&arguments.plugins.folders, server, None, sources)?, CancellationToken::new());
    let serving = server.serve_pipes(tokio::io::stdin(), tokio::io::stdout(), end.clone());
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        served = &mut serving => {
            served?;
            Ok(server.finish(Duration::ZERO).await)
        }
        () = stop.cancelled() => {
            // What is under way still answers while it is waited for.
            let left = tokio::select! {
                left = server.finish(PATIENCE) => left,
                served = &mut serving => {
                    served?;
                    server.finish(Duration::ZERO).await
                }
            };
            end.cancel();
            // What was answered is on its way to whoever reads it.
            let _ = timeout(DELIVERY, serving).await;
            Ok(left)
        }
    }
}

fn warn(arguments: &McpServe, known: &[String]) {
    for name in arguments.missing(known) {
        output::error(&format!("warning: there is no integration `{name}`; it is served once it is installed"));
    }
    if arguments.force {
        output::error(
            "warning: --force: the operator's permissions are passed over; what is done past them is in the audit log",
        );
    }
}

/// What could not be waited for, and the exit code.
fn tell(left: &[Unfinished]) -> i32 {
    for invocation in left {
        output::error(&format!("ended while under way: {invocation}"));
    }
    i32::from(left.iter().any(|invocation| invocation.writes))
}

/// A host with what its home says by now, in the place of another.
fn reopen(folders: &[PathBuf], before: &Host) -> anyhow::Result<Host> {
    Ok(super::prepared(folders, None)?.succeeding(before).build()?)
}
