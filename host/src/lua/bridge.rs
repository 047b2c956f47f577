//! What the functions that scripts reach work with: the host, the limits, and everything a run collects.

use super::clock::Clock;
use super::encode::kind;
use super::error::{OUT_OF_MEMORY, plain};
use super::faults::Faults;
use super::invoke::Background;
use super::invoker::Invoker;
use super::outcome::{Outcome, milliseconds};
use super::output::Output;
use super::record::Records;
use super::regex::Patterns;
use super::render::Renderer;
use super::session::{LEAST_MEMORY, Settings};
use super::shape::Shapes;
use crate::fault::Fault;
use crate::journal::{DONE, Journal};
use crate::patience::Patience;
use mlua::{Function, IntoLuaMulti, Lua, LuaString, MultiValue, Table, Value};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

/// Shared by all host functions of one Lua state.
pub(super) struct Bridge {
    pub(super) invoker: Arc<dyn Invoker>,
    pub(super) settings: Arc<Settings>,
    pub(super) clock: Clock,
    pub(super) run: RefCell<Arc<str>>,
    pub(super) journal: RefCell<Option<Arc<Journal>>>,
    pub(super) shapes: Shapes,
    pub(super) faults: Faults,
    pub(super) renderer: Renderer,
    pub(super) patterns: RefCell<Patterns>,
    pub(super) records: RefCell<Records>,
    pub(super) output: RefCell<Output>,
    pub(super) background: RefCell<Background>,
    pub(super) lent: Cell<usize>,
}

/// Why a host function gives no value.
#[derive(Debug)]
pub(super) enum Raise {
    /// Raised as a fault's table.
    Fault(Box<Fault>),
    /// Raised as text, with the script's position before it.
    Text(String),
    /// Lua's own error, such as being out of memory.
    Lua(mlua::Error),
}

impl From<Fault> for Raise {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl From<mlua::Error> for Raise {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

/// What Lua raises when there is no room for more.
pub(super) fn out_of_memory() -> Raise {
    Raise::Lua(mlua::Error::MemoryError(OUT_OF_MEMORY.into()))
}

/// What a host function answers the prelude.
pub(super) type Answer = Result<MultiValue, Raise>;

/// A host function: the state, the bridge, the arguments.
pub(super) type HostFunction = fn(&Lua, &Bridge, Arguments) -> Answer;

impl Bridge {
    /// What was collected is dropped, the time starts.
    ///
    /// # Errors
    /// When there is no such run to take up again.
    pub(super) fn start(&self, lua: &Lua, run: Arc<str>, script: &str, patience: Arc<Patience>) -> Result<(), Fault> {
        let journal = match self.settings.rehearsal {
            Some(_) => Ok(None),
            None => self.invoker.journal(&run, script, self.settings.resume.as_ref()),
        };
        self.run.replace(run);
        self.records.take();
        self.output.take();
        self.limit_memory(lua);
        self.clock.start(patience);
        self.journal.replace(journal?);
        Ok(())
    }

    /// The run is over, and another process may go on with it.
    pub(super) fn close_journal(&self, ended: &Outcome) {
        if let Some(journal) = self.journal.take() {
            let fault = ended.fault.as_ref().map_or("failed", |fault| fault.code.as_str());
            journal.close(if ended.success { DONE } else { fault });
        }
    }

    /// Does what needs so many bytes outside Lua meanwhile. They count as the script's memory, as does what a run collects:
    /// Lua itself gets what is left.
    ///
    /// # Errors
    /// Lua's own for being out of memory, if there is no room for so many.
    pub(super) fn lending<T>(&self, lua: &Lua, bytes: usize, work: impl FnOnce() -> T) -> Result<T, Raise> {
        if bytes > self.room(lua) {
            lua.gc_collect()?;
        }
        if bytes > self.room(lua) {
            return Err(out_of_memory());
        }
        let lent = self.lent.replace(self.lent.get().saturating_add(bytes));
        self.limit_memory(lua);
        let done = work();
        self.lent.set(lent);
        self.limit_memory(lua);
        Ok(done)
    }

    /// Bytes that Lua may still take.
    pub(super) fn room(&self, lua: &Lua) -> usize {
        self.memory_limit().saturating_sub(lua.used_memory())
    }

    /// Tells Lua how much it may have now.
    pub(super) fn limit_memory(&self, lua: &Lua) {
        let limited = lua.set_memory_limit(self.memory_limit());
        debug_assert!(limited.is_ok(), "Luau's allocator is always our own");
    }

    /// To Lua's allocator, zero means that there is no limit.
    fn memory_limit(&self) -> usize {
        let held = self.output.borrow().bytes() + self.records.borrow().bytes();
        let limit = self.settings.memory_limit.max(LEAST_MEMORY);
        limit.saturating_sub(self.lent.get()).saturating_sub(held).max(1)
    }

    /// Everything collected since the start, with what the script came to.
    pub(super) fn outcome(&self, ended: Outcome) -> Outcome {
        Outcome {
            output: self.output.take().into_text(),
            execution_time_ms: milliseconds(self.clock.elapsed()),
            integration_calls: self.records.take().into_list(),
            meta: self.settings.meta(&self.run.borrow()),
            ..ended
        }
    }

    /// As Lua sees it: `true` and values, or `false` and what the prelude has to raise.
    pub(super) fn answer(&self, lua: &Lua, answer: Answer) -> mlua::Result<MultiValue> {
        match answer {
            Ok(mut values) => {
                values.push_front(Value::Boolean(true));
                Ok(values)
            }
            Err(Raise::Fault(fault)) => (false, self.faults.show(lua, &fault)?).into_lua_multi(lua),
            Err(Raise::Text(text)) => (false, text).into_lua_multi(lua),
            Err(Raise::Lua(error)) => (false, plain(&error)).into_lua_multi(lua),
        }
    }
}

/// Puts a host function where the prelude finds it.
pub(super) fn export(lua: &Lua, bridge: &Rc<Bridge>, host: &Table, name: &str, f: HostFunction) -> mlua::Result<()> {
    let bridge = Rc::clone(bridge);
    let function: Function = lua.create_function(move |lua, values: MultiValue| {
        // Every host function works on copies of the texts it is given.
        let texts = values.iter().filter_map(Value::as_string).map(|text| text.as_bytes().len()).sum();
        let answer = bridge.lending(lua, texts, || f(lua, &bridge, Arguments { values })).flatten();
        bridge.answer(lua, answer)
    })?;
    host.raw_set(name, function)
}

/// One value as an answer.
pub(super) fn one(value: Value) -> Answer {
    Ok(MultiValue::from_iter([value]))
}

/// The arguments of a host function, taken from the front.
pub(super) struct Arguments {
    values: MultiValue,
}

impl Arguments {
    /// The next one, `nil` when there is none.
    pub(super) fn next(&mut self) -> Value {
        self.values.pop_front().unwrap_or_default()
    }

    /// The next one, which scripts may get wrong: `what` is `json.decode` or `regex.match subject`.
    pub(super) fn string(&mut self, function: &str, what: &str) -> Result<LuaString, Raise> {
        match self.next() {
            Value::String(text) => Ok(text),
            other => Err(Raise::Text(format!("{function}: expected {what}, got {}", kind(&other)))),
        }
    }

    /// The next one, UTF-8 text.
    pub(super) fn text(&mut self, function: &str, what: &str) -> Result<String, Raise> {
        let text = self.string(function, what)?;
        let text = text.to_str().map_err(|_| Raise::Text(format!("{function}: the {what} is not UTF-8 text")))?;
        Ok(text.to_owned())
    }

    /// The next one, which the prelude never gets wrong.
    pub(super) fn word(&mut self) -> Result<String, Raise> {
        self.text("kosmo", "string")
    }

    /// The next one, which the prelude may leave out.
    pub(super) fn optional_word(&mut self) -> Result<Option<String>, Raise> {
        match self.next() {
            Value::String(text) => Ok(Some(text.to_string_lossy())),
            _ => Ok(None),
        }
    }

    /// All that are left.
    pub(super) fn rest(self) -> MultiValue {
        self.values
    }
}
