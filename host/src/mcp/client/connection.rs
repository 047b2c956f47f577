//! One connection to one server: begun, asked, ended.

use super::handler::Ours;
use super::http::told;
use super::notes::{Generous, Listing, Notes};
use super::process::Process;
use super::tools::Tools;
use crate::fault::{Code, Fault};
use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CancelledNotification, CancelledNotificationParam, ClientRequest,
    CustomRequest, ErrorCode, ErrorData, RequestId, ServerResult,
};
use rmcp::service::{ClientInitializeError, Peer, PeerRequestOptions, RequestHandle, RunningService, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Pages of one list, and entries of all of them.
const MOST_PAGES: usize = 1_000;
const MOST_ENTRIES: usize = 50_000;
/// Bytes of all pages of one list, and of what stands for the next one.
const MOST_BYTES: usize = 16 << 20;
const LONGEST_CURSOR: usize = 4 << 10;
/// Times that a server may be silent while it lists one thing.
const LIST_PATIENCE: u32 = 4;
/// How long a process that broke off may take to be seen ending, for its exit code.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// A server that answers.
pub(super) struct Connection {
    name: String,
    peer: Peer<RoleClient>,
    service: Mutex<Option<RunningService<RoleClient, Ours>>>,
    process: Mutex<Option<Process>>,
    notes: Arc<Notes>,
    changed: Arc<AtomicBool>,
    tools: Mutex<Option<Arc<Tools>>>,
}

/// How long an answer may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Without a sign of life.
    pub(super) idle: Duration,
    /// In all, if there is an end.
    pub(super) total: Option<Duration>,
}

impl Connection {
    pub(super) fn new(
        name: &str,
        service: RunningService<RoleClient, Ours>,
        process: Option<Process>,
        notes: Arc<Notes>,
        changed: Arc<AtomicBool>,
    ) -> Self {
        Self {
            name: name.into(),
            peer: service.peer().clone(),
            service: Mutex::new(Some(service)),
            process: Mutex::new(process),
            notes,
            changed,
            tools: Mutex::default(),
        }
    }

    /// Whether it can be asked at all.
    pub(super) fn is_alive(&self) -> bool {
        !self.peer.is_transport_closed() && self.notes.reason().is_none()
    }

    /// The last lines of its standard error.
    pub(super) fn lines(&self) -> Vec<String> {
        self.notes.lines()
    }

    /// Its tools, listed again after it said that they changed.
    pub(super) async fn tools(&self, patience: Patience) -> Result<Arc<Tools>, Fault> {
        let mut tools = self.tools.lock().await;
        if self.changed.swap(false, Ordering::Relaxed) {
            *tools = None;
        }
        match &*tools {
            Some(tools) => Ok(Arc::clone(tools)),
            None => {
                let listing = Listing::new(&self.notes);
                let listed = self.list("tools/list", "tools", patience).await?;
                Ok(Arc::clone(tools.insert(Arc::new(Tools::new(listed, &listing.tasks())))))
            }
        }
    }

    /// Its tools as they were listed last, if they were.
    pub(super) async fn known_tools(&self) -> Option<Arc<Tools>> {
        self.tools.lock().await.clone()
    }

    /// Every page of a list.
    pub(super) async fn list(&self, method: &str, key: &str, patience: Patience) -> Result<Vec<Value>, Fault> {
        let most = patience.idle * LIST_PATIENCE;
        timeout(most, self.pages(method, key, patience)).await.unwrap_or_else(|_| {
            let why = format!("its {key} do not end: there were more after {} s", most.as_secs_f64().round());
            Err(Fault { code: Code::Timeout, ..self.nonsense(&why) })
        })
    }

    async fn pages(&self, method: &str, key: &str, patience: Patience) -> Result<Vec<Value>, Fault> {
        let mut room = MOST_BYTES;
        let (mut entries, mut seen, mut cursor) = (Vec::new(), HashSet::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let params = cursor.take().map_or(json!({}), |cursor| json!({ "cursor": cursor }));
            let mut page = self.ask(method, params, patience).await?;
            let Some(left) = room.checked_sub(page.to_string().len()) else {
                let most = format!("its {key} are more than {} MiB", MOST_BYTES >> 20);
                return Err(Fault { code: Code::TooLarge, ..self.nonsense(&most) });
            };
            room = left;
            match page.get_mut(key).map(Value::take) {
                Some(Value::Array(some)) => entries.extend(some),
                _ => return Err(self.nonsense(&format!("its answer to {method} has no list of {key}"))),
            }
            match page.get("nextCursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty()) {
                None => return Ok(entries),
                Some(next) if next.len() > LONGEST_CURSOR => {
                    return Err(self.nonsense(&format!("it names the next page of {method} with {} bytes", next.len())));
                }
                Some(next) if !seen.insert(next.to_owned()) => {
                    return Err(self.nonsense(&format!("it gives the same page of {method} again and again")));
                }
                Some(next) => cursor = Some(next.into()),
            }
            if entries.len() > MOST_ENTRIES {
                break;
            }
        }
        let most = format!("its {key} do not end: more than {MOST_PAGES} pages or {MOST_ENTRIES} entries");
        Err(Fault { code: Code::TooLarge, ..self.nonsense(&most) })
    }

    /// Calls a tool.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        patience: Patience,
    ) -> Result<Value, Fault> {
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        self.send(ClientRequest::CallToolRequest(CallToolRequest::new(params)), patience).await
    }

    /// Asks for something, and waits for the answer.
    pub(super) async fn ask(&self, method: &str, params: Value, patience: Patience) -> Result<Value, Fault> {
        self.send(ClientRequest::CustomRequest(CustomRequest::new(method, Some(params))), patience).await
    }

    async fn send(&self, request: ClientRequest, patience: Patience) -> Result<Value, Fault> {
        self.notes.asked();
        let _generous = is_content(&request).then(|| Generous::new(&self.notes));
        let sent = self.peer.send_request_with_option(request, options(patience)).await;
        let answered = match sent {
            Ok(handle) => answer(handle).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(answer) => self.value(answer),
            Err(error) => Err(self.fault(error, patience).await),
        }
    }

    fn value(&self, answer: ServerResult) -> Result<Value, Fault> {
        serde_json::to_value(answer).map_err(|error| self.nonsense(&format!("its answer cannot be read: {error}")))
    }

    async fn fault(&self, error: ServiceError, patience: Patience) -> Fault {
        let name = &self.name;
        match error {
            ServiceError::McpError(error) => refused(name, &error),
            ServiceError::Timeout { timeout } => late(name, timeout, patience, &self.notes),
            ServiceError::TransportClosed => self.broken("the connection is closed").await,
            ServiceError::TransportSend(error) => match deepest(&*error.error) {
                Some(fault) => fault.clone(),
                None => self.broken(&told(&*error.error)).await,
            },
            other => self.nonsense(&other.to_string()),
        }
    }

    async fn broken(&self, otherwise: &str) -> Fault {
        broken(&self.name, &self.notes, self.process.lock().await.as_ref(), otherwise).await
    }

    /// The other side.
    pub(super) fn peer(&self) -> Peer<RoleClient> {
        self.peer.clone()
    }

    pub(super) fn nonsense(&self, what: &str) -> Fault {
        Fault::new(
            Code::Unreachable,
            format!("MCP server '{}' cannot be used: {what}.{}", self.name, self.notes.hint()),
        )
    }

    /// Ends it, politely at first.
    pub(super) async fn end(&self) {
        if let Some(mut service) = self.service.lock().await.take() {
            // Whether it ends in time or not, its process does.
            let _ = service.close_with_timeout(LAST_WORDS).await;
        }
        if let Some(process) = self.process.lock().await.take() {
            process.end().await;
        }
    }
}

/// Whether the answer is what a tool made or a resource holds, which can be long.
pub(super) fn is_content(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::CallToolRequest(_) => true,
        ClientRequest::CustomRequest(request) => {
            matches!(&*request.method, "resources/read" | "tools/call" | "tasks/result")
        }
        _ => false,
    }
}

/// Waits for an answer. If nobody waits for it any more, the server is told.
async fn answer(handle: RequestHandle<RoleClient>) -> Result<ServerResult, ServiceError> {
    let mut abandoned = Abandoned { peer: handle.peer.clone(), id: Some(handle.id.clone()) };
    let answer = handle.await_response().await;
    abandoned.id = None;
    answer
}

/// Tells the server when it is dropped before the answer came.
struct Abandoned {
    peer: Peer<RoleClient>,
    id: Option<RequestId>,
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), Handle::try_current()) else { return };
        let peer = self.peer.clone();
        let params = CancelledNotificationParam::new(Some(id), Some("the script has ended".into()));
        runtime.spawn(async move {
            // A server that is gone need not be told.
            let _ = peer.send_notification(CancelledNotification::new(params).into()).await;
        });
    }
}

fn options(patience: Patience) -> PeerRequestOptions {
    let options = PeerRequestOptions::with_timeout(patience.idle).reset_timeout_on_progress();
    match patience.total {
        Some(total) => options.with_max_total_timeout(total),
        None => options,
    }
}

/// What a server answered instead of a result.
fn refused(name: &str, error: &ErrorData) -> Fault {
    let code = match error.code {
        ErrorCode::METHOD_NOT_FOUND => Code::Unsupported,
        ErrorCode::INVALID_PARAMS => Code::InvalidArgument,
        ErrorCode::RESOURCE_NOT_FOUND => Code::NotFound,
        _ => Code::Provider,
    };
    let message = format!("MCP server '{name}': {} ({})", error.message, error.code.0);
    Fault { provider_code: Some(error.code.0.to_string()), ..Fault::new(code, message) }
}

fn late(name: &str, timeout: Duration, patience: Patience, notes: &Notes) -> Fault {
    let cure = if Some(timeout) == patience.total {
        "the script's time is up"
    } else {
        "raise `timeout` in its entry if it needs longer"
    };
    let seconds = timeout.as_secs_f64();
    let seconds = (seconds * 10.0).round() / 10.0;
    let message = format!("MCP server '{name}' timed out after {seconds}s; {cure}.{}", notes.hint());
    Fault::new(Code::Timeout, message)
}

/// Why there is nobody to talk to any more.
async fn broken(name: &str, notes: &Notes, process: Option<&Process>, otherwise: &str) -> Fault {
    let ended = match (notes.reason(), process) {
        (Some(reason), _) => Some(reason),
        (None, Some(process)) => process.ended(LAST_WORDS).await.map(|how| format!("it {how}")),
        (None, None) => None,
    };
    let why = ended.unwrap_or_else(|| otherwise.into());
    let message = format!("MCP server '{name}' broke off: {why}.{} It is started again at its next use", notes.hint());
    Fault::new(Code::Unreachable, message)
}

/// A connection that could not be begun.
pub(super) async fn failed(
    name: &str,
    notes: &Notes,
    process: Option<&Process>,
    error: &ClientInitializeError,
) -> Fault {
    match error {
        ClientInitializeError::JsonRpcError(error) => return refused(name, error),
        ClientInitializeError::TransportError { error, .. } => {
            if let Some(fault) = deepest(&*error.error) {
                return fault.clone();
            }
        }
        _ => {}
    }
    let ended = match (notes.reason(), process) {
        (Some(reason), _) => Some(reason),
        (None, Some(process)) => process.ended(LAST_WORDS).await.map(|how| format!("it {how}")),
        (None, None) => None,
    };
    let why = ended.unwrap_or_else(|| told(error));
    Fault::new(Code::Unreachable, format!("MCP server '{name}' does not begin to answer: {why}.{}", notes.hint()))
}

/// A server that did not begin in time.
pub(super) fn silent(name: &str, patience: Patience, notes: &Notes) -> Fault {
    late(name, patience.idle, patience, notes)
}

/// The fault that our own HTTP client gave as the reason.
fn deepest<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Fault> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<StreamableHttpError<Fault>>() {
            Some(StreamableHttpError::Client(fault)) => return Some(fault),
            _ => cause = error.source(),
        }
    }
    None
}
