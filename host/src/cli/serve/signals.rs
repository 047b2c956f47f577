//! The signals a server listens to.

use crate::cli::output;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Gives `stop` at the first signal to end, and ends at once at the second.
pub(super) fn attend(stop: CancellationToken) -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => 143,
                _ = interrupt.recv() => 130,
            }
        };
        next().await;
        output::error(
            "ending: nothing begins any more, and what is under way has its time. A second signal ends at once",
        );
        stop.cancel();
        std::process::exit(next().await);
    });
    Ok(())
}

/// The signal to read everything again.
pub(super) fn hangups() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}
