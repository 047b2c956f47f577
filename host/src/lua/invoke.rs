//! From a function's call in Lua to an invocation at the host, and back.

use super::bridge::{Answer, Arguments, Bridge, Raise, one};
use super::decode::{DecodeError, decode};
use super::encode::{Encoder, Purpose, kind};
use super::invoker::{Done, Invoking, Known};
use super::mcp;
use super::record::Entry;
use crate::clip::{NAME, clipped};
use crate::description::Pagination;
use crate::fault::{Code, Fault};
use crate::invocation::Invocation;
use crate::journal::Position;
use crate::mcp::McpInvocation;
use mlua::{Lua, MultiValue, Value};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{Id, JoinError, JoinSet};

/// Invocations that run while the script goes on.
#[derive(Default)]
pub(super) struct Background {
    running: JoinSet<Done>,
    started: HashMap<Id, Started>,
    tickets: u32,
}

/// An invocation under way, and where it is recorded.
struct Started {
    ticket: u32,
    target: Target,
    entry: Entry,
    since: Instant,
}

/// Which function of which account; or, of an MCP server, what it is asked for.
struct Target {
    /// Or the server.
    provider: String,
    account: Option<String>,
    /// Or the tool.
    function: String,
    /// What an MCP server is asked for.
    verb: Option<String>,
}

/// Something to be asked, of whoever answers it.
enum Asked {
    Function(Box<Invocation>),
    Server(Box<McpInvocation>),
}

impl Asked {
    fn begin(self, bridge: &Bridge) -> Invoking {
        match self {
            Self::Function(invocation) => bridge.invoker.invoke(*invocation),
            Self::Server(invocation) => bridge.invoker.reach(*invocation),
        }
    }
}

impl Target {
    fn take(arguments: &mut Arguments) -> Result<Self, Raise> {
        let provider = arguments.word()?;
        let account = arguments.optional_word()?;
        let function = arguments.word()?;
        Ok(match provider.strip_prefix(mcp::MARK) {
            Some(verb) => {
                Self { provider: account.unwrap_or_default(), account: None, function, verb: Some(verb.into()) }
            }
            None => Self { provider, account, function, verb: None },
        })
    }

    /// `integrations.dialpad.work.list_calls`, `mcp.github.create_issue`
    fn path(&self) -> String {
        if self.verb.is_some() {
            return format!("mcp.{}.{}", self.provider, self.function);
        }
        let account = self.account.as_ref().map(|account| format!("{account}."));
        format!("integrations.{}.{}{}", self.provider, account.unwrap_or_default(), self.function)
    }

    fn asked(&self, bridge: &Bridge, values: MultiValue) -> Result<Asked, Fault> {
        let Some(verb) = &self.verb else {
            return self.invocation(bridge, values).map(|invocation| Asked::Function(Box::new(invocation)));
        };
        let arguments = self.arguments(bridge, values).map_err(|fault| self.blamed(fault))?;
        mcp::asked(bridge, &self.provider, verb, &self.function, arguments)
            .map(|invocation| Asked::Server(Box::new(invocation)))
            .map_err(|fault| self.blamed(fault))
    }

    /// The fault, knowing whose it is.
    fn blamed(&self, fault: Fault) -> Fault {
        match self.verb {
            Some(_) => fault.at(&self.provider, &self.function),
            None => fault.of(&self.provider, &self.function),
        }
    }

    fn invocation(&self, bridge: &Bridge, values: MultiValue) -> Result<Invocation, Fault> {
        Ok(Invocation {
            provider: self.provider.clone(),
            account: self.account.clone().or_else(|| bridge.settings.account.clone()),
            function: self.function.clone(),
            arguments: self.arguments(bridge, values).map_err(|fault| self.blamed(fault))?,
            force: bridge.settings.force,
            deadline: Some(bridge.clock.deadline()),
            run: Some(bridge.run.borrow().clone()),
            position: self.position(bridge),
            rehearsal: bridge.settings.rehearsal.clone(),
            // Whoever runs it knows what it is limited to.
            scopes: Arc::default(),
            client: None,
            observer: bridge.settings.observer.clone(),
            interrupt: bridge.settings.interrupt.clone(),
            approvals: bridge.settings.approvals.as_ref().map(|approvals| approvals.with(&bridge.clock.patience())),
        })
    }

    /// Its place among the writes of the run, which is that of the asking: what runs at once may end in any order.
    fn position(&self, bridge: &Bridge) -> Option<Position> {
        let journal = bridge.journal.borrow();
        let journal = journal.as_ref()?;
        bridge.invoker.writes(&self.provider, &self.function).then(|| journal.next())
    }

    /// The first argument, if it is a table; none or `nil` is an empty one.
    fn arguments(&self, bridge: &Bridge, mut values: MultiValue) -> Result<Map<String, Json>, Fault> {
        let first = values.pop_front().unwrap_or_default();
        if let Some(extra) = values.iter().find(|value| !value.is_nil()) {
            return Err(self.not_a_table("a second argument", kind(extra)));
        }
        match first {
            Value::Nil => Ok(Map::new()),
            Value::Table(table) => Encoder::new(&bridge.shapes, &bridge.renderer, Purpose::Arguments)
                .object(&table)
                .map_err(|refusal| self.refused(&refusal.path, &refusal.problem)),
            other => Err(self.not_a_table("an argument", kind(&other))),
        }
    }

    fn not_a_table(&self, what: &str, kind: &str) -> Fault {
        let (path, provider, function) = (self.path(), &self.provider, &self.function);
        let listing = if self.verb.is_some() { "mcp.schema" } else { "docs.read" };
        Fault::new(
            Code::InvalidArgument,
            format!(
                "app.{path} takes one table of named arguments and got {what} that is a {kind}. Write app.{path}({{name \
                 = value}}); {listing}(\"{provider}.{function}\") lists the names"
            ),
        )
    }

    fn refused(&self, path: &str, problem: &str) -> Fault {
        let path = clipped(path, NAME);
        let subject =
            if path.is_empty() { format!("The table given to app.{}", self.path()) } else { path.to_string() };
        let parameter = path.split(['.', '[']).next().filter(|name| !name.is_empty());
        let fault = Fault::new(Code::InvalidArgument, format!("{subject} {problem}"));
        Fault { parameter: parameter.map(Into::into), ..fault }
    }
}

/// `(provider, account, function, …)`: the result.
pub(super) fn invoke(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    let target = Target::take(&mut arguments)?;
    let entry = begin(bridge, &target)?;
    let since = Instant::now();
    let result = target
        .asked(bridge, arguments.rest())
        .and_then(|asked| bridge.clock.excluding(|| bridge.invoker.wait(asked.begin(bridge))));
    one(end(lua, bridge, &target, entry, since.elapsed(), result)?)
}

/// `(provider, account, function, …)`: a ticket; the invocation runs in the background.
pub(super) fn start(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    let target = Target::take(&mut arguments)?;
    let entry = begin(bridge, &target)?;
    match target.asked(bridge, arguments.rest()) {
        Ok(asked) => one(Value::Number(spawn(bridge, target, entry, asked).into())),
        Err(fault) => one(end(lua, bridge, &target, entry, Duration::ZERO, Err(fault))?),
    }
}

fn spawn(bridge: &Bridge, target: Target, entry: Entry, asked: Asked) -> u32 {
    let since = Instant::now();
    let invoking = asked.begin(bridge);
    let task = async move { Done { result: invoking.await, took: since.elapsed() } };
    let mut background = bridge.background.borrow_mut();
    let id = background.running.spawn_on(task, &bridge.invoker.runtime()).id();
    background.tickets += 1;
    let ticket = background.tickets;
    background.started.insert(id, Started { ticket, target, entry, since });
    ticket
}

/// `()`: the ticket of the next invocation to end in the background, and `true` with its result or `false` with a fault.
pub(super) fn join(lua: &Lua, bridge: &Bridge, _: Arguments) -> Answer {
    let Some((started, done)) = next(bridge) else { return Err(Raise::Text("parallel: nothing is under way".into())) };
    let result = end(lua, bridge, &started.target, started.entry, done.took, done.result);
    let mut answer = bridge.answer(lua, result.and_then(one))?;
    answer.push_front(Value::Number(started.ticket.into()));
    Ok(answer)
}

/// Lets everything in the background end, after a script that did not wait for it: a write is never cancelled half-way.
pub(super) fn drain(bridge: &Bridge) {
    while let Some((started, done)) = next(bridge) {
        bridge.records.borrow_mut().end(started.entry, done.took, done.result.err().as_ref());
    }
}

/// Waits for the next invocation to end in the background.
fn next(bridge: &Bridge) -> Option<(Started, Done)> {
    let mut background = bridge.background.take();
    let joined = bridge.clock.excluding(|| bridge.invoker.join(&mut background.running));
    let ended = joined.and_then(|joined| settle(&mut background, joined));
    bridge.background.replace(background);
    ended
}

fn settle(background: &mut Background, joined: Result<(Id, Done), JoinError>) -> Option<(Started, Done)> {
    match joined {
        Ok((id, done)) => Some((background.started.remove(&id)?, done)),
        Err(error) => {
            let started = background.started.remove(&error.id())?;
            let result = Err(Fault::new(Code::Internal, format!("The invocation broke off: {error}")));
            let took = started.since.elapsed();
            Some((started, Done { result, took }))
        }
    }
}

fn begin(bridge: &Bridge, target: &Target) -> Result<Entry, Fault> {
    bridge.records.borrow_mut().begin(&target.path(), &target.provider, &target.function)
}

/// Records how an invocation ended and turns its result into a value.
fn end(
    lua: &Lua,
    bridge: &Bridge,
    target: &Target,
    entry: Entry,
    took: Duration,
    result: Result<String, Fault>,
) -> Result<Value, Raise> {
    let value = result.map_err(Raise::from).and_then(|json| read(lua, bridge, target, &json));
    let fault = match &value {
        Err(Raise::Fault(fault)) => Some(&**fault),
        _ => None,
    };
    bridge.records.borrow_mut().end(entry, took, fault);
    if fault.is_some_and(|fault| fault.code == Code::Interrupted) {
        // From here on the script is stopped, whatever it makes of the fault.
        let _ = bridge.clock.check();
    }
    value
}

fn read(lua: &Lua, bridge: &Bridge, target: &Target, json: &str) -> Result<Value, Raise> {
    bridge.lending(lua, json.len(), || decode(lua, &bridge.shapes, json))?.map_err(|error| match error {
        DecodeError::Lua(error) => error.into(),
        DecodeError::Json(error) => {
            let message = format!("The result of {} is not usable JSON: {error}", target.path());
            target.blamed(Fault::new(Code::Internal, message)).into()
        }
    })
}

/// `(provider, function, path)`: how the function's results are paged.
pub(super) fn pagination(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    let (provider, function, path) = (arguments.word()?, arguments.word()?, arguments.word()?);
    let known = bridge.invoker.provider(&provider)?;
    let contract = known.functions.iter().find(|(name, _)| *name == function).and_then(|(_, paged)| paged.as_ref());
    let Some(contract) = contract else { return Err(unpaged(&provider, &function, &path, &known).into()) };
    one(Value::Table(contract_table(lua, contract)?))
}

fn contract_table(lua: &Lua, contract: &Pagination) -> mlua::Result<mlua::Table> {
    let (cursor, fields) = match contract {
        Pagination::Cursor(by) => (true, [("parameter", &by.parameter), ("items", &by.items), ("next", &by.next)]),
        Pagination::Page(by) => (false, [("parameter", &by.parameter), ("items", &by.items), ("more", &by.more)]),
    };
    let table = lua.create_table_from(fields.map(|(name, value)| (name, value.as_str())))?;
    table.raw_set("cursor", cursor)?;
    Ok(table)
}

fn unpaged(provider: &str, function: &str, path: &str, known: &Known) -> Fault {
    let paged: Vec<_> = known.functions.iter().filter(|(_, paged)| paged.is_some()).map(|(name, _)| &**name).collect();
    let others = if paged.is_empty() { String::new() } else { format!(". {provider} pages: {}", paged.join(", ")) };
    let message = format!("paginate: the results of {path} do not come in pages; call it directly{others}");
    Fault::new(Code::Unsupported, message).of(provider, function)
}

/// `(sentence, provider, function)`: raises that pages would not end.
pub(super) fn endless(_: &Lua, _: &Bridge, mut arguments: Arguments) -> Answer {
    let (problem, provider, function) = (arguments.word()?, arguments.word()?, arguments.word()?);
    Err(Fault::new(Code::Provider, format!("paginate: {problem}")).of(&provider, &function).into())
}

/// `(path, provider, function)`: raises that a function was called as a method.
pub(super) fn misused(_: &Lua, _: &Bridge, mut arguments: Arguments) -> Answer {
    let (path, target) = (arguments.word()?, Target::take(&mut arguments)?);
    let message = format!("{path} was given a namespace. Call it with a dot, not with a colon: {path}({{…}})");
    Err(target.blamed(Fault::new(Code::InvalidArgument, message)).into())
}
