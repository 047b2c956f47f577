//! Keeping up with plugins, configuration and tokens that change while they are served.

use super::{reopen, signals};
use crate::cli::output;
use kosmo::mcp::server::{Door, Server, Sources, Tokens};
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::interval;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Keeps up for as long as it lives.
pub(super) struct Keeping(AbortHandle);

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Looks at the files of a server's host now and then, and takes over what changed. `door` is where tokens count.
pub(super) fn keep(
    folders: &[PathBuf],
    server: &Server,
    door: Option<Door>,
    sources: Sources,
) -> anyhow::Result<Keeping> {
    let mut hangups = signals::hangups()?;
    let keeper = Keeper { folders: folders.to_vec(), server: server.clone(), door };
    let keeping = tokio::spawn(async move {
        let (mut ticks, mut sources) = (interval(EVERY), sources);
        loop {
            let asked = tokio::select! {
                _ = ticks.tick() => false,
                Some(()) = hangups.recv() => true,
            };
            let looking = tokio::task::spawn_blocking(move || (sources.has_changed(), sources));
            let Ok((changed, looked)) = looking.await else { return };
            sources = looked;
            if changed || asked {
                keeper.reload().await;
            }
        }
    });
    Ok(Keeping(keeping.abort_handle()))
}

struct Keeper {
    folders: Vec<PathBuf>,
    server: Server,
    door: Option<Door>,
}

impl Keeper {
    async fn reload(&self) {
        match self.try_reload().await {
            Ok(()) => output::error("plugins and configuration were read again"),
            Err(error) => output::error(&format!("warning: what was there before is served on: {error:#}")),
        }
    }

    async fn try_reload(&self) -> anyhow::Result<()> {
        let before = self.server.host();
        let host = reopen(&self.folders, &before)?;
        if let Some(door) = &self.door {
            // Whose token was removed is shown out, whatever else is wrong.
            door.admit(Tokens::load(&host)?);
        }
        Ok(self.server.succeed(host).await?)
    }
}
