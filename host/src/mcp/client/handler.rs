//! What a server may ask of us, and what it tells without being asked.

#![expect(deprecated, reason = "servers of today still ask for roots and sampling")]

use rmcp::ClientHandler;
use rmcp::model::{
    ClientCapabilities, CreateMessageRequestParams, CreateMessageResult, ErrorCode, ErrorData, Implementation,
    InitializeRequestParams, ListRootsResult, ProgressNotificationParam, ProtocolVersion, Root,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Told of a server's progress: its name, how far it is, of how much, and in words.
pub type OnProgress = dyn Fn(&str, f64, Option<f64>, Option<&str>) + Send + Sync;

/// Our side of one connection.
pub(super) struct Ours {
    pub(super) server: String,
    /// The folder it may know of: that of the project, if it is trusted.
    pub(super) root: Option<PathBuf>,
    /// Whether its tools are others than those it listed.
    pub(super) changed: Arc<AtomicBool>,
    pub(super) progress: Option<Arc<OnProgress>>,
}

impl ClientHandler for Ours {
    fn get_info(&self) -> InitializeRequestParams {
        let mut capabilities = ClientCapabilities::default();
        capabilities.roots = self.root.is_some().then(Default::default);
        InitializeRequestParams::new(capabilities, Implementation::new("kosmo", env!("CARGO_PKG_VERSION")))
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let message = "kosmo has no model to sample from: it runs scripts, and asks nobody";
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        let url = self.root.as_ref().and_then(|root| url::Url::from_directory_path(root).ok());
        Ok(ListRootsResult::new(url.into_iter().map(|url| Root::new(url.as_str())).collect()))
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.store(true, Ordering::Relaxed);
    }

    async fn on_progress(&self, told: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        if let Some(progress) = &self.progress {
            progress(&self.server, told.progress, told.total, told.message.as_deref());
        }
    }
}
