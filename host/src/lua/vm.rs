//! One Lua state: built, closed off, and running scripts one after the other.

use super::bridge::Bridge;
use super::clock::{Clock, Trip};
use super::encode::{Encoder, Purpose};
use super::error::{OUT_OF_MEMORY, is_out_of_memory, plain};
use super::faults::{Faults, weak};
use super::invoker::Invoker;
use super::outcome::Outcome;
use super::render::Renderer;
use super::session::{LEAST_MEMORY, Script, Settings, Surface};
use super::shape::Shapes;
use super::{invoke, library};
use crate::fault::{Code, Fault};
use crate::patience::Patience;
use mlua::chunk::{ChunkMode, Compiler};
use mlua::{Error, Function, Lua, LuaOptions, MultiValue, StdLib, Table, Value, VmState};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// In the order they build on each other.
const PRELUDE: [&str; 7] = [
    include_str!("prelude/faults.luau"),
    include_str!("prelude/tasks.luau"),
    include_str!("prelude/namespaces.luau"),
    include_str!("prelude/servers.luau"),
    include_str!("prelude/paginate.luau"),
    include_str!("prelude/print.luau"),
    include_str!("prelude/libraries.luau"),
];
/// Most bytes of a script: the compiler itself has no limits.
const SOURCE: usize = 1 << 20;
/// Globals that reach out of the script, or around its limits.
const REMOVED: [&str; 6] = ["gcinfo", "getfenv", "loadstring", "newproxy", "require", "setfenv"];

/// A Lua state.
pub(super) struct Vm {
    lua: Lua,
    bridge: Rc<Bridge>,
    run: Function,
}

impl Vm {
    /// A fresh state.
    pub(super) fn new(settings: Arc<Settings>, invoker: Arc<dyn Invoker>) -> mlua::Result<Self> {
        let libraries = StdLib::COROUTINE
            | StdLib::TABLE
            | StdLib::OS
            | StdLib::STRING
            | StdLib::UTF8
            | StdLib::BIT
            | StdLib::MATH
            | StdLib::BUFFER
            | StdLib::VECTOR
            | StdLib::DEBUG;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        let (bridge, host) = bridge(&lua, settings, invoker)?;
        let run = prelude(&lua, &bridge, &host)?;
        close_off(&lua, &bridge)?;
        Ok(Self { lua, bridge, run })
    }

    /// Runs a script to its end, or to the first limit it meets.
    pub(super) fn run(&self, script: &Script, run: Arc<str>, patience: Arc<Patience>) -> Outcome {
        let ended = match self.bridge.start(&self.lua, run, &script.name, patience) {
            Ok(()) => self.execute(script),
            Err(fault) => Outcome::faulted(fault),
        };
        invoke::drain(&self.bridge);
        // Only by then it is known what became of what the script did not wait for.
        let ended = self.stopped().unwrap_or(ended);
        self.bridge.close_journal(&ended);
        let outcome = self.bridge.outcome(ended);
        Outcome { memory_usage: outcome.success.then(|| self.lua.used_memory()), ..outcome }
    }

    fn execute(&self, script: &Script) -> Outcome {
        if self.bridge.settings.memory_limit < LEAST_MEMORY {
            return Outcome::faulted(too_little_memory(self.bridge.settings.memory_limit));
        }
        let ended = self.compile(script).and_then(|chunk| self.run.call::<MultiValue>(chunk));
        match ended {
            Err(error) => self.failed(Value::Error(Box::new(error))),
            Ok(mut values) => match values.pop_front() {
                Some(Value::Boolean(true)) => self.succeeded(&values),
                _ => self.failed(values.pop_front().unwrap_or_default()),
            },
        }
    }

    /// What a run came to that met one of its limits, whatever its script made of that.
    fn stopped(&self) -> Option<Outcome> {
        let trip = self.bridge.clock.tripped()?;
        Some(Outcome::faulted(self.bridge.clock.fault(trip)))
    }

    fn compile(&self, script: &Script) -> mlua::Result<Function> {
        if script.code.len() > SOURCE {
            return Err(Error::runtime(format!("{}: the script is longer than {} MiB", script.name, SOURCE >> 20)));
        }
        let code = match script.code.strip_prefix("#!") {
            Some(rest) => format!("--{rest}"),
            None => script.code.clone(),
        };
        let name = script.name.replace(|letter: char| letter.is_control(), " ");
        let compiler = Compiler::new().set_mutable_globals(self.mutable_globals());
        self.lua
            .load(code)
            .set_name(format!("={name}"))
            .set_mode(ChunkMode::Text)
            .set_compiler(compiler)
            .into_function()
    }

    /// Luau looks up `a.b.c` once, when it loads a script. Not so with `app`, which is looked up when it is used, nor
    /// with what earlier scripts of the session left, which this one may change. And it must not take `next` for its
    /// own, which would find an untouched namespace empty.
    fn mutable_globals(&self) -> Vec<String> {
        let mut names = vec!["app".to_owned(), "next".to_owned()];
        let collected = self.lua.globals().for_each(|name: Value, _: Value| {
            names.extend(name.as_string().map(|name| name.to_string_lossy()));
            Ok(())
        });
        debug_assert!(collected.is_ok(), "reading a table without metamethods cannot fail");
        names
    }

    fn succeeded(&self, values: &MultiValue) -> Outcome {
        let mut encoder = Encoder::new(&self.bridge.shapes, &self.bridge.renderer, Purpose::Result);
        let result: Result<Vec<_>, _> = values.iter().map(|value| encoder.value(value)).collect();
        match result {
            Ok(result) => {
                Outcome { success: true, result: Some(result), error: None, ..Outcome::failed(String::new(), None) }
            }
            Err(refusal) => {
                let message = format!("The script's result {}. Return less of it", refusal.problem);
                Outcome::faulted(Fault::new(Code::TooLarge, message))
            }
        }
    }

    fn failed(&self, raised: Value) -> Outcome {
        if is_out_of_memory(&raised) {
            return Outcome::faulted(self.memory_fault());
        }
        match raised {
            Value::Table(table) => match self.bridge.faults.get(&table) {
                Some(fault) => Outcome::faulted(fault),
                None => Outcome::failed(self.bridge.renderer.render_or_explain(&Value::Table(table)), None),
            },
            Value::Error(error) => Outcome::failed(plain(&error), None),
            other => Outcome::failed(self.bridge.renderer.render_or_explain(&other), None),
        }
    }

    fn memory_fault(&self) -> Fault {
        // What the script left is garbage now; a session's next script should not start with it.
        let _ = self.lua.gc_collect();
        let limit = self.bridge.settings.memory_limit;
        Fault::new(
            Code::Memory,
            format!(
                "Lua memory limit exceeded: the script needs more than {limit} bytes. Keep less at a time, or raise the \
                 limit (--memory-limit BYTES)"
            ),
        )
    }
}

fn too_little_memory(limit: usize) -> Fault {
    Fault::new(
        Code::Memory,
        format!(
            "Lua memory limit exceeded: {limit} bytes are less than Lua itself takes. Allow a script at least \
             {LEAST_MEMORY} bytes (--memory-limit BYTES)"
        ),
    )
}

fn bridge(lua: &Lua, settings: Arc<Settings>, invoker: Arc<dyn Invoker>) -> mlua::Result<(Rc<Bridge>, Table)> {
    let (shapes, faults, named) = (Shapes::new(lua)?, Faults::new(lua)?, weak(lua)?);
    let native = lua.globals().get("tostring")?;
    let host = lua.create_table()?;
    host.raw_set("faults", faults.table())?;
    host.raw_set("named", &named)?;
    host.raw_set("null", Value::NULL)?;
    host.raw_set("out_of_memory", OUT_OF_MEMORY)?;
    host.raw_set("integrations", settings.surface == Surface::Integrations)?;
    let bridge = Bridge {
        invoker,
        clock: Clock::new(settings.cpu_limit, settings.time_limit, settings.interrupt.clone()),
        renderer: Renderer::new(shapes.clone(), faults.clone(), named, native),
        settings,
        run: RefCell::new("".into()),
        journal: RefCell::new(None),
        shapes,
        faults,
        patterns: Default::default(),
        records: Default::default(),
        output: Default::default(),
        background: Default::default(),
        lent: Default::default(),
    };
    Ok((Rc::new(bridge), host))
}

/// Runs the prelude, sets its globals, and gives what runs scripts.
fn prelude(lua: &Lua, bridge: &Rc<Bridge>, host: &Table) -> mlua::Result<Function> {
    library::export_all(lua, bridge, host)?;
    let (kosmo, globals) = (lua.create_table()?, lua.create_table()?);
    for source in PRELUDE {
        let compiler = Compiler::new().set_debug_level(0);
        let chunk = lua.load(source).set_name("=kosmo").set_mode(ChunkMode::Text).set_compiler(compiler);
        chunk.call::<()>((host, &kosmo, &globals))?;
    }
    globals.for_each(|name: String, value: Value| lua.globals().raw_set(name, value))?;
    kosmo.raw_get("run")
}

/// From here on, nothing but the script's own globals can change, and limits hold.
fn close_off(lua: &Lua, bridge: &Rc<Bridge>) -> mlua::Result<()> {
    REMOVED.iter().try_for_each(|name| lua.globals().raw_remove(*name))?;
    lua.sandbox(true)?;
    lua.globals().raw_set("_G", lua.globals())?;
    bridge.limit_memory(lua);
    let bridge = Rc::clone(bridge);
    lua.set_interrupt(move |_| match bridge.clock.turn() {
        Ok(()) => Ok(VmState::Continue),
        Err(trip) => Err(stopped(trip)),
    });
    Ok(())
}

fn stopped(trip: Trip) -> Error {
    Error::runtime(match trip {
        Trip::Cpu | Trip::Wall => "Lua timeout error",
        Trip::Abandoned => "abandoned",
        Trip::Interrupted => "interrupted",
    })
}
