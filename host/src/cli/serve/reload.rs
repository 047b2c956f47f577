//! Keeping up with plugins, configuration and tokens that change while they are served.

use super::{reopen, signals};
use crate::cli::output;
use kosmo::Host;
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

/// Looks at the files of a server's host now and then, and takes over what changed. `admission` is where tokens count.
pub(super) fn keep(
    folders: &[PathBuf],
    server: &Server,
    admission: Option<Admission>,
    sources: Sources,
) -> anyhow::Result<Keeping> {
    let mut hangups = signals::hangups()?;
    let mut keeper = Keeper { folders: folders.to_vec(), server: server.clone(), admission };
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
            keeper.admit(changed || asked);
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
    admission: Option<Admission>,
}

impl Keeper {
    /// Whose token was removed is shown out, whatever else is wrong.
    fn admit(&mut self, changed: bool) {
        if let Some(admission) = self.admission.as_mut().filter(|admission| changed || admission.is_shut) {
            admission.renew(&self.server.host());
        }
    }

    async fn reload(&self) {
        match self.try_reload().await {
            Ok(()) => output::error("plugins and configuration were read again"),
            Err(error) => output::error(&format!("warning: what was there before is served on: {error:#}")),
        }
    }

    async fn try_reload(&self) -> anyhow::Result<()> {
        let host = reopen(&self.folders, &self.server.host())?;
        Ok(self.server.succeed(host).await?)
    }
}

/// Whom a door lets in: whoever has a token of the home, or the one that was made for this run.
pub(super) struct Admission {
    door: Door,
    once: Tokens,
    /// Whether the tokens of the home let nobody in, because they cannot be read.
    is_shut: bool,
}

impl Admission {
    pub(super) fn new(door: Door, once: Tokens) -> Self {
        Self { door, once, is_shut: false }
    }

    /// Takes over which tokens there are. While they cannot be read, none of them lets in: one that was taken back
    /// meanwhile could be any of them.
    fn renew(&mut self, host: &Host) {
        let (tokens, trouble) = match Tokens::load(host) {
            Ok(tokens) => (tokens, None),
            Err(fault) => (Tokens::default(), Some(fault.message)),
        };
        self.door.admit(tokens.and(&self.once));
        let was_shut = std::mem::replace(&mut self.is_shut, trouble.is_some());
        match trouble {
            Some(trouble) if !was_shut => output::error(&format!(
                "warning: revocations cannot be taken over, so no token lets in until that is mended: {trouble}"
            )),
            None if was_shut => output::error("the tokens were read again, and let in again"),
            _ => {}
        }
    }
}
