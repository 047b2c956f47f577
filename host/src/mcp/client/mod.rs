//! MCP servers as scripts reach them: started when they are first used, asked, and ended with us.
//!
//! Whatever goes wrong with a server is that server's fault alone, and says so. One that broke off is started again at
//! its next use, but not again and again.

mod address;
mod ask;
mod connection;
mod content;
mod flags;
mod guard;
mod handler;
mod http;
mod invocation;
mod leave;
mod notes;
mod offspring;
mod path;
mod pipe;
mod process;
mod refusal;
mod schema;
mod sse;
mod start;
mod task;
mod tools;
mod write;

pub(crate) use address::Address;
pub use guard::watch_over;
pub use handler::OnProgress;
pub(crate) use http::Http;
pub use invocation::{McpInvocation, McpRequest, Rehearse};
pub use path::split;

use super::config::{McpConfig, Server};
use crate::clip::{NAME, clipped};
use crate::description::Operation;
use crate::fault::{Code, Fault};
use crate::invocation::Surroundings;
use crate::nearest::did_you_mean;
use connection::{Connection, Patience};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Starts in a row that may fail before a server is left alone for a while.
const ATTEMPTS: u32 = 3;
const LEFT_ALONE: Duration = Duration::from_secs(10);

/// The servers of one host. Nothing is read before it is asked for, and none started.
pub struct Servers {
    surroundings: Arc<Surroundings>,
    home: Option<PathBuf>,
    folder: Option<PathBuf>,
    guard: Option<PathBuf>,
    config: OnceLock<McpConfig>,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    progress: OnceLock<Arc<OnProgress>>,
}

/// The place of one server.
#[derive(Default)]
struct Slot(tokio::sync::Mutex<State>);

#[derive(Default)]
struct State {
    connection: Option<Arc<Connection>>,
    failures: u32,
    failed: Option<(Instant, Fault)>,
}

impl Servers {
    pub(crate) fn new(
        surroundings: &Arc<Surroundings>,
        home: Option<PathBuf>,
        folder: Option<PathBuf>,
        guard: Option<PathBuf>,
    ) -> Self {
        Self {
            surroundings: Arc::clone(surroundings),
            home,
            folder,
            guard,
            config: OnceLock::new(),
            slots: Mutex::default(),
            progress: OnceLock::new(),
        }
    }

    /// What is configured, read when it is first asked for.
    pub fn config(&self) -> &McpConfig {
        self.config.get_or_init(|| {
            let home = self.home.as_deref();
            let config = match &self.folder {
                Some(folder) => McpConfig::load(home, folder),
                None => McpConfig::of_home(home),
            };
            config.with(&self.surroundings.config)
        })
    }

    pub(crate) fn surroundings(&self) -> &Arc<Surroundings> {
        &self.surroundings
    }

    /// What was read, if something was.
    pub fn seen(&self) -> Option<&McpConfig> {
        self.config.get()
    }

    /// Who is told of progress from now on. The first one stays.
    pub fn on_progress(&self, progress: impl Fn(&str, f64, Option<f64>, Option<&str>) + Send + Sync + 'static) {
        // Whoever came first is told.
        let _ = self.progress.set(Arc::new(progress));
    }

    /// Ends all of them.
    pub async fn close(&self) {
        let slots = std::mem::take(&mut *self.slots.lock().unwrap_or_else(PoisonError::into_inner));
        let mut ending = tokio::task::JoinSet::new();
        for slot in slots.into_values() {
            ending.spawn(async move {
                if let Some(connection) = slot.0.lock().await.connection.take() {
                    connection.end().await;
                }
            });
        }
        while ending.join_next().await.is_some() {}
    }

    /// The last lines that a running server wrote on its standard error.
    pub async fn last_words(&self, server: &str) -> Vec<String> {
        let slot = self.slot(server);
        let state = slot.0.lock().await;
        state.connection.as_ref().map(|connection| connection.lines()).unwrap_or_default()
    }

    /// The exact name of a tool of a running server, and whether it writes.
    pub async fn operation(&self, server: &str, tool: &str) -> Option<(String, Operation)> {
        let slot = self.slot(server);
        let connection = slot.0.lock().await.connection.clone()?;
        let tools = connection.known_tools().await?;
        tools.find(server, tool).ok().map(|tool| (tool.name.clone(), tool.operation))
    }

    /// The server of a name.
    ///
    /// # Errors
    /// `unknown`, with the nearest names.
    pub fn find(&self, name: &str) -> Result<&Server, Fault> {
        let servers = &self.config().servers;
        servers.get(name).ok_or_else(|| {
            let known = || servers.keys().map(String::as_str);
            let suggestion = match did_you_mean(name, known()) {
                none if none.is_empty() && servers.is_empty() => " None is configured: kosmo mcp:add".into(),
                none if none.is_empty() => {
                    format!(" Known servers: {}", known().take(12).collect::<Vec<_>>().join(", "))
                }
                some => some,
            };
            Fault::new(Code::Unknown, format!("There is no MCP server `{}`.{suggestion}", clipped(name, NAME)))
        })
    }

    /// The connection to a server, begun if there is none.
    async fn connection(&self, server: &Server, patience: Patience) -> Result<Arc<Connection>, Fault> {
        let slot = self.slot(&server.name);
        let mut state = slot.0.lock().await;
        if let Some(connection) = state.connection.take_if(|connection| !connection.is_alive()) {
            connection.end().await;
        }
        if let Some(connection) = &state.connection {
            return Ok(Arc::clone(connection));
        }
        state.check()?;
        match self.start(server, patience).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *state = State { connection: Some(Arc::clone(&connection)), ..State::default() };
                Ok(connection)
            }
            Err(fault) => {
                state.failures += 1;
                state.failed = Some((Instant::now(), fault.clone()));
                Err(fault)
            }
        }
    }

    fn slot(&self, name: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(name.into()).or_default())
    }
}

impl State {
    /// Whether it is worth another try.
    fn check(&self) -> Result<(), Fault> {
        match &self.failed {
            Some((at, fault)) if self.failures >= ATTEMPTS && at.elapsed() < LEFT_ALONE => {
                let message = format!(
                    "{} It failed {} times in a row and is left alone for {} s",
                    fault.message,
                    self.failures,
                    LEFT_ALONE.as_secs()
                );
                Err(Fault { message, ..fault.clone() })
            }
            _ => Ok(()),
        }
    }
}
