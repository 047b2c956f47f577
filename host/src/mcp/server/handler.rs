//! One client's connection: what it lists, reads and calls.

use super::http::Seat;
use super::logging::Logging;
use super::metrics::Counted;
use super::offer::Client;
use super::page::page;
use super::tools::Toolbox;
use super::{Server, call, complete, documents, prompts};
use crate::Host;
use rmcp::model::*;
use rmcp::service::{NotificationContext, RequestContext};
use rmcp::{ErrorData, Peer, RoleServer, ServerHandler};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::AbortHandle;

/// What a model reads about this server before anything else.
const INSTRUCTIONS: &str = "kosmo reaches real services through integrations. Find functions with search_docs, read about \
one with read_doc, and do the work in one run_lua script: call functions, filter, join, and return only what is needed. \
Functions that write may need a person's approval; never repeat a write whose outcome is in doubt.";

/// Without 2025-03-26, which alone has batches.
const VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::V_2024_11_05, ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2025_11_25];

/// Serves one connection.
pub(super) struct Handler {
    pub(super) server: Server,
    pub(super) client: Client,
    pub(super) logging: Logging,
    /// Whether the client said who it is, which it does once.
    is_known: AtomicBool,
    follower: Mutex<Option<AbortHandle>>,
    _session: Counted,
    seat: Option<Seat>,
}

impl Handler {
    pub(super) fn new(server: Server, client: Client) -> Self {
        let session = server.inner.metrics.session();
        let (logging, is_known) = (Logging::default(), AtomicBool::new(false));
        Self { server, client, logging, is_known, follower: Mutex::default(), _session: session, seat: None }
    }

    /// In a place of its own, which is free again when the connection ends.
    pub(super) fn seated(mut self, seat: Seat) -> Self {
        self.seat = Some(seat);
        self
    }

    /// The current host, as the client sees it.
    pub(super) fn host(&self) -> Host {
        self.client.view(&self.server.host())
    }

    /// Work that may wait for files, with the current host as the client sees it.
    pub(super) async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Host) -> T + Send + 'static,
    ) -> Result<T, ErrorData> {
        let host = self.host();
        let done = tokio::task::spawn_blocking(move || work(&host)).await;
        done.map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }

    /// The tools there are, as things stand.
    pub(super) async fn toolbox(&self) -> Result<Arc<Toolbox>, ErrorData> {
        let (server, client) = (self.server.clone(), self.client.clone());
        // Read before the host is: what is looked at may be newer than what it is kept as, and never older.
        let revision = *server.inner.revision.borrow();
        self.off(move |host| server.inner.shelf.toolbox(revision, host, server.offer(), &client)).await
    }

    fn set_follower(&self, follower: Option<AbortHandle>) {
        let before = std::mem::replace(&mut *self.follower.lock().unwrap_or_else(PoisonError::into_inner), follower);
        before.iter().for_each(AbortHandle::abort);
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.set_follower(None);
    }
}

/// What a client may have listed, to tell it when that changes.
#[derive(PartialEq)]
struct Listed {
    tools: Arc<Toolbox>,
    resources: Vec<Resource>,
}

async fn listed(server: &Server, client: &Client) -> Option<Listed> {
    let revision = *server.inner.revision.borrow();
    let (server, client, host) = (server.clone(), client.clone(), client.view(&server.host()));
    let look = move || Listed {
        tools: server.inner.shelf.toolbox(revision, &host, server.offer(), &client),
        resources: documents::resources(&host),
    };
    tokio::task::spawn_blocking(look).await.ok()
}

/// Tells a client of what changed, for as long as its connection lives.
async fn follow(server: Server, client: Client, peer: Peer<RoleServer>) {
    let mut revision = server.inner.revision.subscribe();
    let known = listed(&server, &client).await;
    // Of what changed while it was looked at, nobody can say what the client has seen.
    let mut before = known.filter(|_| !revision.has_changed().unwrap_or(true));
    while revision.changed().await.is_ok() && !peer.is_transport_closed() {
        let Some(now) = listed(&server, &client).await else { return };
        let mut told = true;
        if before.as_ref().is_none_or(|before| before.tools.tools != now.tools.tools) {
            told &= peer.notify_tool_list_changed().await.is_ok();
        }
        if before.as_ref().is_none_or(|before| before.resources != now.resources) {
            told &= peer.notify_resource_list_changed().await.is_ok();
        }
        // Who does not listen yet is told with what changes next.
        if told {
            before = Some(now);
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        let offer = self.server.offer();
        let mut capabilities =
            ServerCapabilities::builder().enable_tools().enable_tool_list_changed().enable_completions().build();
        capabilities.logging = Some(JsonObject::new());
        capabilities.prompts = offer.prompts.then(PromptsCapability::default);
        capabilities.resources = offer.resources.then(ResourcesCapability::default);
        if let Some(resources) = &mut capabilities.resources {
            resources.list_changed = Some(true);
        }
        let kosmo = Implementation::new("kosmo", env!("CARGO_PKG_VERSION")).with_title("kosmo");
        ServerConfig::new(capabilities)
            .with_server_info(kosmo)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
            .with_instructions(INSTRUCTIONS)
    }

    /// Those with sessions: questions to whoever is at the client are requests of the server, which later revisions do
    /// not have. Their clients fall back to the latest of these.
    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&VERSIONS)
    }

    async fn initialize(
        &self,
        asked: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        if self.is_known.swap(true, Ordering::Relaxed) {
            return Err(ErrorData::invalid_request("This session has begun already; begin another one.", None));
        }
        context.peer.set_peer_info(asked.clone());
        let mut answer = self.negotiate_initialize(&asked)?;
        if asked.protocol_version == ProtocolVersion::V_2025_03_26 {
            // Whoever speaks it speaks the one before, and may know none of those that came after.
            answer.protocol_version = ProtocolVersion::V_2024_11_05;
        }
        Ok(answer)
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let following = tokio::spawn(follow(self.server.clone(), self.client.clone(), context.peer));
        self.set_follower(Some(following.abort_handle()));
    }

    #[expect(deprecated, reason = "clients of the revisions before 2026-07-28 set it")]
    async fn set_level(&self, asked: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.logging.set(asked.level);
        Ok(())
    }

    async fn list_tools(
        &self,
        asked: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let (tools, next_cursor) = page(&self.toolbox().await?.tools, asked)?;
        Ok(ListToolsResult { next_cursor, ..ListToolsResult::with_all_items(tools) })
    }

    async fn call_tool(
        &self,
        asked: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        call::tool(self, asked, context).await.map(Into::into)
    }

    async fn list_resources(
        &self,
        asked: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = match self.server.offer().resources {
            true => self.off(documents::resources).await?,
            false => return Err(ErrorData::method_not_found::<ListResourcesRequestMethod>()),
        };
        let (resources, next_cursor) = page(&resources, asked)?;
        Ok(ListResourcesResult { next_cursor, ..ListResourcesResult::with_all_items(resources) })
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        match self.server.offer().resources {
            true => Ok(ListResourceTemplatesResult::with_all_items(documents::templates())),
            false => Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>()),
        }
    }

    async fn read_resource(
        &self,
        asked: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        if !self.server.offer().resources {
            return Err(ErrorData::method_not_found::<ReadResourceRequestMethod>());
        }
        let uri = asked.uri;
        let found = self.off({
            let uri = uri.clone();
            move |host| documents::read(host, &uri)
        });
        let missing = || ErrorData::resource_not_found(format!("There is no resource {}.", clipped(&uri)), None);
        Ok(ReadResourceResult::new(vec![found.await?.ok_or_else(missing)?]).into())
    }

    async fn list_prompts(
        &self,
        asked: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        if !self.server.offer().prompts {
            return Err(ErrorData::method_not_found::<ListPromptsRequestMethod>());
        }
        let (prompts, next_cursor) = page(&prompts::list(), asked)?;
        Ok(ListPromptsResult { next_cursor, ..ListPromptsResult::with_all_items(prompts) })
    }

    async fn get_prompt(
        &self,
        asked: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if !self.server.offer().prompts {
            return Err(ErrorData::method_not_found::<GetPromptRequestMethod>());
        }
        prompts::get(&asked.name, &asked.arguments.unwrap_or_default()).map(Into::into)
    }

    async fn complete(
        &self,
        asked: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.off(move |host| complete::complete(host, &asked)).await
    }
}

fn clipped(text: &str) -> Cow<'_, str> {
    crate::clip::clipped(text, crate::clip::NAME)
}
