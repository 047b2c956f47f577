//! What a client is told of what happens, as far as it wants to hear of it.
#![expect(deprecated, reason = "clients of the revisions before 2026-07-28 read logs")]

use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam};
use rmcp::{Peer, RoleServer};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// How long a client has to take one.
const PATIENCE: Duration = Duration::from_secs(1);

/// The least that one client wants to hear of: warnings, unless it says otherwise.
#[derive(Debug)]
pub(super) struct Logging(Mutex<LoggingLevel>);

impl Default for Logging {
    fn default() -> Self {
        Self(Mutex::new(LoggingLevel::Warning))
    }
}

impl Logging {
    pub(super) fn set(&self, level: LoggingLevel) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = level;
    }

    /// Tells that something succeeded, or failed.
    pub(super) async fn tell(&self, peer: &Peer<RoleServer>, succeeded: bool, data: Value) {
        let level = if succeeded { LoggingLevel::Info } else { LoggingLevel::Warning };
        let wanted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if level as u8 >= wanted as u8 {
            let message = LoggingMessageNotificationParam::new(level, data).with_logger("kosmo");
            // A client that went away, or takes nothing, reads no logs.
            let _ = timeout(PATIENCE, peer.notify_logging_message(message)).await;
        }
    }
}
