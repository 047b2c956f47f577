//! Scripts against a made-up host.

mod envelope;
mod faults;
mod hostile;
mod json;
mod mcp;
mod namespaces;
mod paging;
mod parallel;
mod regex;
mod values;

use super::invoker::{Done, Invoker, Invoking, Known, Page};
use super::lost::Lost;
use super::session::SessionBuilder;
use super::{Outcome, Script, Session};
use crate::bindings::contract::{CursorPagination, PagePagination};
use crate::description::Pagination;
use crate::fault::{Code, Fault};
use crate::invocation::Invocation;
use crate::mcp::McpInvocation;
use serde_json::{Map, Value as Json, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{Id, JoinError, JoinSet};

/// A host with the providers `pager`, `phone` and `broken`.
pub(super) struct Fake {
    runtime: Runtime,
    described: AtomicUsize,
    lost: Lost,
    state: Arc<State>,
}

/// What the fake functions leave behind.
#[derive(Default)]
pub(super) struct State {
    flying: AtomicUsize,
    most: AtomicUsize,
    invoked: Mutex<Vec<String>>,
}

impl Fake {
    pub(super) fn new() -> Arc<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        Arc::new(Self { runtime, described: AtomicUsize::new(0), lost: Lost::default(), state: Arc::default() })
    }

    pub(super) fn session(self: &Arc<Self>) -> SessionBuilder {
        SessionBuilder::over(Arc::clone(self) as Arc<dyn Invoker>)
    }

    /// How often a description was asked for.
    pub(super) fn described(&self) -> usize {
        self.described.load(Ordering::Relaxed)
    }

    /// Most invocations that ran at once.
    pub(super) fn most(&self) -> usize {
        self.state.most.load(Ordering::Relaxed)
    }

    /// `provider.account.function {arguments}` of every invocation.
    pub(super) fn invoked(&self) -> Vec<String> {
        self.state.invoked.lock().expect("no panic while it was held").clone()
    }
}

impl Invoker for Fake {
    fn names(&self) -> Vec<String> {
        ["broken", "pager", "phone"].map(Into::into).to_vec()
    }

    fn provider(&self, name: &str) -> Result<Known, Fault> {
        self.described.fetch_add(1, Ordering::Relaxed);
        match name {
            "pager" => Ok(pager()),
            "phone" => Ok(phone()),
            "broken" => Err(Fault::new(Code::Unloadable, "broken.wasm is no component")),
            other => Err(Fault::new(Code::Unknown, format!("no provider {other}"))),
        }
    }

    fn invoke(&self, invocation: Invocation) -> Invoking {
        Box::pin(invoke(Arc::clone(&self.state), invocation))
    }

    fn reach(&self, invocation: McpInvocation) -> Invoking {
        Box::pin(mcp::reach(invocation))
    }

    fn mcp_servers(&self) -> Json {
        mcp::servers()
    }

    fn wait(&self, invoking: Invoking) -> Result<String, Fault> {
        self.runtime.block_on(invoking)
    }

    fn join(&self, tasks: &mut JoinSet<Done>) -> Option<Result<(Id, Done), JoinError>> {
        self.runtime.block_on(tasks.join_next_with_id())
    }

    fn runtime(&self) -> Handle {
        self.runtime.handle().clone()
    }

    fn is_stalled(&self) -> bool {
        false
    }

    fn lost(&self) -> &Lost {
        &self.lost
    }

    fn page(&self, page: Page<'_>) -> String {
        match page {
            Page::List => "the list".into(),
            Page::Search(query) => format!("hits for {query}"),
            Page::Read(page) => format!("about {page}"),
        }
    }
}

fn pager() -> Known {
    let plain = ["echo", "fail", "force", "panic", "raw", "slow", "list_messages", "get_message"];
    let mut functions: Vec<_> = plain.map(|name| (name.to_owned(), None)).into();
    functions.extend(["list_cursor", "list_repeating", "list_odd"].map(|name| (name.into(), Some(by_cursor()))));
    functions.extend(["list_numbered", "list_endless"].map(|name| (name.into(), Some(by_page()))));
    Known { functions, accounts: ["default", "my-team", "work"].map(Into::into).to_vec() }
}

fn phone() -> Known {
    Known { functions: vec![("list_calls".into(), None)], accounts: vec!["default".into()] }
}

fn by_cursor() -> Pagination {
    let (parameter, items, next) = ("cursor".into(), "items".into(), "cursor".into());
    Pagination::Cursor(CursorPagination { parameter, items, next })
}

fn by_page() -> Pagination {
    let (parameter, items, more) = ("page_number".into(), "records".into(), "navigation.nextPage".into());
    Pagination::Page(PagePagination { parameter, items, more })
}

async fn invoke(state: Arc<State>, invocation: Invocation) -> Result<String, Fault> {
    let arguments = &invocation.arguments;
    let line = format!("{}.{}.{} {}", invocation.provider, invocation.account(), invocation.function, json!(arguments));
    state.invoked.lock().expect("no panic while it was held").push(line);
    match invocation.function.as_str() {
        "echo" => Ok(json!(arguments).to_string()),
        "force" => Ok(invocation.force.to_string()),
        "raw" => Ok(text(arguments, "json")),
        "slow" => slow(&state, arguments).await,
        "fail" => Err(failure()),
        "panic" => panic!("a defect"),
        "list_cursor" => Ok(cursor_page(arguments)),
        "list_repeating" => Ok(json!({"items": [1], "cursor": "again"}).to_string()),
        "list_odd" => Ok(json!({"items": "none"}).to_string()),
        "list_numbered" => Ok(numbered_page(arguments)),
        "list_endless" => Ok(json!({"navigation": {"nextPage": {}}}).to_string()),
        _ => Ok(json!({"account": invocation.account(), "function": invocation.function}).to_string()),
    }
}

async fn slow(state: &State, arguments: &Map<String, Json>) -> Result<String, Fault> {
    let flying = state.flying.fetch_add(1, Ordering::SeqCst) + 1;
    state.most.fetch_max(flying, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(arguments["ms"].as_u64().unwrap_or(0))).await;
    state.flying.fetch_sub(1, Ordering::SeqCst);
    match arguments.get("fail") {
        Some(_) => Err(failure()),
        None => Ok(json!(arguments.get("give")).to_string()),
    }
}

fn failure() -> Fault {
    let fault = Fault::new(Code::NotFound, "Pager API error (404 P-1): no such page").of("pager", "fail");
    Fault { status: Some(404), provider_code: Some("P-1".into()), retry_after: Some(7), ..fault }
}

fn text(arguments: &Map<String, Json>, name: &str) -> String {
    arguments.get(name).and_then(Json::as_str).unwrap_or_default().into()
}

/// Seven items, three to a page; the last page has no cursor, and an empty one in between no items.
fn cursor_page(arguments: &Map<String, Json>) -> String {
    match text(arguments, "cursor").as_str() {
        "" => json!({"items": [1, 2, 3], "cursor": "b"}),
        "b" => json!({"cursor": "c"}),
        "c" => json!({"items": [4, 5, null], "cursor": "d"}),
        _ => json!({"items": [7]}),
    }
    .to_string()
}

fn numbered_page(arguments: &Map<String, Json>) -> String {
    let page = arguments.get("page_number").and_then(Json::as_u64).unwrap_or(1);
    let next = if page < 3 { json!({"nextPage": {"uri": "x"}}) } else { json!({}) };
    json!({"records": [page * 10, page * 10 + 1], "navigation": next}).to_string()
}

fn session() -> Session {
    Fake::new().session().build()
}

fn run(code: &str) -> Outcome {
    session().run_blocking(Script::new("test.lua", code))
}

/// The script succeeds and prints this.
#[track_caller]
fn prints(code: &str, expected: &str) {
    let outcome = run(code);
    assert_eq!(outcome.error, None, "{code}");
    assert_eq!(outcome.output, expected, "{code}");
}

/// The script succeeds and returns this.
#[track_caller]
fn returns(code: &str, expected: Json) {
    let outcome = run(code);
    assert_eq!(outcome.error, None, "{code}");
    assert_eq!(Json::Array(outcome.result.expect("a result")), expected, "{code}");
}

/// The script fails and its error says this.
#[track_caller]
fn fails(code: &str, expected: &str) -> Outcome {
    let outcome = run(code);
    let error = outcome.error.clone().unwrap_or_else(|| panic!("{code} should fail"));
    assert!(error.contains(expected), "{code}\nshould fail with: {expected}\nbut failed with: {error}");
    assert!(!error.contains("stack traceback") && !error.contains("kosmo:"), "{error}");
    assert!(!outcome.success && outcome.result.is_none() && outcome.memory_usage.is_none());
    outcome
}

/// The script fails with a fault of this code that says this.
#[track_caller]
fn faults_with(code: &str, expected: Code, says: &str) {
    let outcome = fails(code, says);
    let fault = outcome.fault.unwrap_or_else(|| panic!("{code} should end in a fault"));
    assert_eq!(fault.code, expected, "{code}");
}
