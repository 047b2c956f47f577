//! A call of a tool, from its arguments to its result.

use super::elicit;
use super::fair::Turn;
use super::handler::Handler;
use super::leave::abandoned;
use super::notes::{self, Desk, Reader};
use super::tools::{Target, Toolbox};
use super::trace::{Context, Span};
use super::watchers::Everybody;
use super::work::Task;
use super::{documents, result};
use crate::nearest::did_you_mean;
use crate::observer::Observer;
use crate::permission::Decision;
use crate::{Approvals, Interrupt, Invocation, Rehearsal, Script};
use rmcp::model::{CallToolRequestParams, CallToolResult, JsonObject};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The arguments of `run_lua`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    code: String,
    account: Option<String>,
    timeout: Option<f64>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(default)]
    page: String,
}

/// What a call has around it.
struct Call<'a> {
    handler: &'a Handler,
    context: &'a RequestContext<RoleServer>,
    task: Arc<Task>,
    desk: Desk,
    interrupt: Interrupt,
    span: &'a Span,
    _turn: Turn,
}

/// Calls the tool of this name.
pub(super) async fn tool(
    handler: &Handler,
    asked: CallToolRequestParams,
    context: RequestContext<RoleServer>,
) -> Result<CallToolResult, ErrorData> {
    if handler.server.inner.work.is_closing() {
        return Ok(result::refused("The server is ending; connect again in a while."));
    }
    let toolbox = handler.toolbox().await?;
    let target = toolbox.find(&asked.name).ok_or_else(|| unknown(&toolbox, &asked.name))?;
    let (begun, label) = (Instant::now(), label(target));
    let mut span = handler.server.inner.tracer.serve(&format!("tools/call {}", asked.name), trace(&context));
    span.note("kosmo.client", &*handler.client.name);
    let arguments = asked.arguments.unwrap_or_default();
    let result = dispatch(handler, target, &asked.name, arguments, &context, &span).await?;
    let succeeded = result.is_error != Some(true);
    span.end((!succeeded).then(|| "error".into()));
    handler.server.inner.metrics.called(label, succeeded, begun.elapsed());
    report(handler, &context, &asked.name, succeeded, begun.elapsed()).await;
    Ok(result)
}

async fn dispatch(
    handler: &Handler,
    target: &Target,
    name: &str,
    arguments: JsonObject,
    context: &RequestContext<RoleServer>,
    span: &Span,
) -> Result<CallToolResult, ErrorData> {
    match target {
        Target::SearchDocs => match parse::<Search>(arguments) {
            Ok(asked) => handler.off(move |host| documents::search(host, &asked.query)).await,
            Err(refused) => Ok(*refused),
        },
        Target::ReadDoc => match parse::<Read>(arguments) {
            Ok(asked) => handler.off(move |host| documents::page(host, &asked.page)).await,
            Err(refused) => Ok(*refused),
        },
        Target::RunLua => match parse::<Run>(arguments) {
            Ok(run) => {
                Ok(in_turn(handler, context, name, span, async |call, reader| call.run(run, reader).await).await)
            }
            Err(refused) => Ok(*refused),
        },
        Target::Function { .. } => match invocation(target, arguments) {
            Ok(asked) => {
                Ok(in_turn(handler, context, name, span, async |call, reader| call.invoke(asked, reader).await).await)
            }
            Err(refused) => Ok(*refused),
        },
    }
}

/// Waits for the client's turn, and does the work with somebody passing on what it tells meanwhile.
async fn in_turn(
    handler: &Handler,
    context: &RequestContext<RoleServer>,
    name: &str,
    span: &Span,
    work: impl AsyncFnOnce(&Call<'_>, &mut Reader) -> CallToolResult,
) -> CallToolResult {
    let inner = &handler.server.inner;
    let task = inner.work.begin(&handler.client.name, name);
    let turn = tokio::select! {
        turn = inner.fair.take(&handler.client.name) => turn,
        () = abandoned(handler, context) => return result::refused("Nobody waits for this call any more."),
    };
    let turn = match turn {
        Ok(turn) => turn,
        Err(busy) => {
            inner.metrics.refused(super::metrics::Refusal::Busy);
            return result::refused(busy.to_string());
        }
    };
    let (desk, mut reader) = notes::desk(&context.peer, context.meta.get_progress_token());
    let call = Call { handler, context, task, desk, interrupt: Interrupt::default(), span, _turn: turn };
    let result = work(&call, &mut reader).await;
    if call.interrupt.is_given() {
        call.task.interrupted(&handler.client.name, &call.interrupt);
    }
    // The turn is over, whether the client takes what is left or not.
    drop(call);
    reader.finish().await;
    result
}

impl Call<'_> {
    async fn run(&self, run: Run, reader: &mut Reader) -> CallToolResult {
        let offer = self.handler.server.offer();
        let rehearsal = run.dry_run.then(|| Arc::new(Rehearsal::silent()));
        let mut within = self.span.within("run");
        let mut session = self
            .handler
            .host()
            .session()
            .observer(self.observer(&within))
            .interrupt(&self.interrupt)
            .force(offer.force)
            .time_limit(time_limit(run.timeout, offer.time_limit));
        if let Some(approvals) = self.approvals() {
            session = session.approvals(&approvals);
        }
        if let Some(account) = run.account {
            session = session.account(account);
        }
        if let Some(rehearsal) = &rehearsal {
            session = session.rehearse(rehearsal);
        }
        let session = session.build();
        let outcome = self.attend(reader, session.run(Script::new("run_lua", run.code))).await;
        within.note("kosmo.run", outcome.meta.run.clone());
        within.end(outcome.fault.as_ref().map(|fault| fault.code.to_string()));
        result::of_run(&outcome, rehearsal.as_deref(), offer.characters)
    }

    async fn invoke(&self, asked: Invocation, reader: &mut Reader) -> CallToolResult {
        let offer = self.handler.server.offer();
        let invocation = Invocation {
            force: offer.force,
            observer: self.observer(self.span).into(),
            approvals: self.approvals(),
            interrupt: Some(self.interrupt.clone()),
            ..asked
        };
        let host = self.handler.host();
        let outcome = self.attend(reader, Box::pin(host.invoke(invocation))).await;
        result::of_function(outcome, offer.characters)
    }

    /// Waits for the work, passing on what it tells. Whoever gives up on it interrupts it: it ends by itself, soon, and
    /// no write is torn apart.
    async fn attend<T>(&self, reader: &mut Reader, work: impl Future<Output = T>) -> T {
        let (mut work, mut end) = (pin!(work), pin!(abandoned(self.handler, self.context)));
        let mut reading = pin!(reader.attend());
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = &mut end, if !self.interrupt.is_given() => self.interrupt.give(),
                () = &mut reading => {}
            }
        }
    }

    fn observer(&self, span: &Span) -> Arc<dyn Observer> {
        let metrics = Arc::clone(&self.handler.server.inner.metrics);
        Arc::new(Everybody { metrics, task: Arc::clone(&self.task), desk: self.desk.clone(), spans: span.watch() })
    }

    /// Somebody to ask, where the client can and is meant to.
    fn approvals(&self) -> Option<Approvals> {
        let may = self.handler.client.write() != Decision::Deny && elicit::can_ask(self.context);
        may.then(|| Approvals::new(Arc::new(self.desk.clone())))
    }
}

/// The trace a call is part of, if its client says so: in the message, or in the request that brought it.
fn trace(context: &RequestContext<RoleServer>) -> Option<Context> {
    let head = || context.extensions.get::<http::request::Parts>()?.headers.get("traceparent")?.to_str().ok();
    context.meta.get_traceparent().or_else(head)?.parse().ok()
}

/// What a tool of one function asks for.
fn invocation(target: &Target, mut arguments: Map<String, Value>) -> Result<Invocation, Box<CallToolResult>> {
    let Target::Function { provider, function, account, usual } = target else {
        return Err(Box::new(result::refused("This tool is no function.")));
    };
    let account = match account.and_then(|name| arguments.remove(name)) {
        None | Some(Value::Null) => usual.clone(),
        Some(Value::String(name)) => Some(name),
        // Done with another account than was meant, it could not be taken back.
        Some(_) => {
            return Err(Box::new(result::refused("The arguments cannot be used: an account is said by its name.")));
        }
    };
    Ok(Invocation { account, ..Invocation::new(provider, function, arguments) })
}

fn time_limit(asked: Option<f64>, most: Duration) -> Duration {
    let asked = asked.filter(|seconds| *seconds > 0.0).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    asked.map_or(most, |asked| asked.min(most))
}

/// A mistake that whoever wrote the call can repair, so it is told as a result and not as an error.
fn parse<T: for<'de> Deserialize<'de>>(arguments: JsonObject) -> Result<T, Box<CallToolResult>> {
    let mistake = |error| Box::new(result::refused(format!("The arguments cannot be used: {error}.")));
    serde_json::from_value(Value::Object(arguments)).map_err(mistake)
}

fn unknown(toolbox: &Toolbox, name: &str) -> ErrorData {
    let suggestion = did_you_mean(name, toolbox.tools.iter().map(|tool| &*tool.name));
    let name = crate::clip::clipped(name, crate::clip::NAME);
    ErrorData::invalid_params(format!("Unknown tool: {name}.{suggestion}"), None)
}

/// A name for metrics.
fn label(target: &Target) -> &'static str {
    match target {
        Target::RunLua => "run_lua",
        Target::SearchDocs => "search_docs",
        Target::ReadDoc => "read_doc",
        Target::Function { .. } => "function",
    }
}

async fn report(handler: &Handler, context: &RequestContext<RoleServer>, name: &str, succeeded: bool, took: Duration) {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let data = json!({"tool": name, "success": succeeded, "ms": ms});
    handler.logging.tell(&context.peer, succeeded, data).await;
}
