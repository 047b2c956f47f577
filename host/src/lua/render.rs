//! How values look in print: tables indented by two spaces, arrays in `[ ]`, maps in `{ }`, strings as they are.

use super::faults::Faults;
use super::shape::{Shape, Shapes, number};
use crate::fault::{Code, Fault};
use mlua::{Function, IntoLua, Lua, Table, Value};
use std::cmp::Ordering;
use std::ffi::c_void;

/// Most bytes one value is rendered to, and most a run may print.
pub(super) const BYTES: usize = 10 << 20;
/// Deepest nesting shown.
const DEPTH: usize = 100;
/// Most keys of one table that are sorted.
const KEYS: usize = 500_000;

/// Renders values.
pub(super) struct Renderer {
    shapes: Shapes,
    faults: Faults,
    /// From a function scripts know by a path to that path, in words.
    named: Table,
    /// Luau's own `tostring`.
    native: Function,
}

impl Renderer {
    pub(super) fn new(shapes: Shapes, faults: Faults, named: Table, native: Function) -> Self {
        Self { shapes, faults, named, native }
    }

    /// Any value.
    pub(super) fn render(&self, value: &Value) -> Result<String, Fault> {
        let mut rendering = Rendering { renderer: self, text: String::new(), above: Vec::new() };
        rendering.value(value)?;
        Ok(rendering.text)
    }

    /// Any value; when it is too large, that sentence instead.
    pub(super) fn render_or_explain(&self, value: &Value) -> String {
        self.render(value).unwrap_or_else(|fault| fault.message)
    }

    /// A value that is no table, as Luau shows it; a function reached through `app` by its path.
    pub(super) fn scalar(&self, value: &Value) -> String {
        match value {
            Value::String(text) => text.to_string_lossy(),
            Value::Error(error) => error.to_string(),
            value if value.is_null() => "null".into(),
            Value::Function(function) => self.name(function).unwrap_or_else(|| self.natively(value)),
            value => self.natively(value),
        }
    }

    /// A table's key.
    pub(super) fn key(&self, key: &Key) -> String {
        match key {
            Key::Number(number) => self.scalar(&Value::Number(*number)),
            Key::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Key::Other(value) => self.scalar(value),
        }
    }

    /// The sentence, if the table is a fault.
    pub(super) fn fault_sentence(&self, table: &Table) -> Option<String> {
        self.faults.get(table).map(|fault| fault.message)
    }

    fn name(&self, function: &Function) -> Option<String> {
        let name: Option<String> = self.named.raw_get(function.clone()).ok()?;
        name.map(|name| format!("function {name}"))
    }

    fn natively(&self, value: &Value) -> String {
        self.native
            .call::<mlua::LuaString>(value.clone())
            .map_or_else(|_| value.type_name().into(), |text| text.to_string_lossy())
    }
}

struct Rendering<'a> {
    renderer: &'a Renderer,
    text: String,
    above: Vec<*const c_void>,
}

impl Rendering<'_> {
    fn value(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Table(table) => self.table(table),
            value => self.push(&self.renderer.scalar(value)),
        }
    }

    fn table(&mut self, table: &Table) -> Result<(), Fault> {
        if self.above.contains(&table.to_pointer()) {
            return self.push("<circular>");
        }
        if self.above.len() >= DEPTH {
            return self.push("<too deep>");
        }
        if let Some(sentence) = self.renderer.fault_sentence(table) {
            return self.push(&sentence);
        }
        self.above.push(table.to_pointer());
        let rendered = self.entries(table);
        self.above.pop();
        rendered
    }

    fn entries(&mut self, table: &Table) -> Result<(), Fault> {
        match self.renderer.shapes.of(table).map_err(unreadable)? {
            Shape::Empty | Shape::Map(0) | Shape::Array(0) => self.push("{}"),
            Shape::Array(length) => self.array(table, length),
            Shape::Map(_) => self.map(table),
        }
    }

    fn array(&mut self, table: &Table, length: usize) -> Result<(), Fault> {
        self.push("[")?;
        for index in 1..=length {
            self.line(index == 1)?;
            self.value(&table.raw_get(index).map_err(unreadable)?)?;
        }
        self.close("]")
    }

    fn map(&mut self, table: &Table) -> Result<(), Fault> {
        self.push("{")?;
        for (index, key) in sorted_keys(table).map_err(unreadable)?.into_iter().enumerate() {
            self.line(index == 0)?;
            self.push(&self.renderer.key(&key))?;
            self.push(": ")?;
            self.value(&table.raw_get(key).map_err(unreadable)?)?;
        }
        self.close("}")
    }

    fn line(&mut self, first: bool) -> Result<(), Fault> {
        self.push(if first { "\n" } else { ",\n" })?;
        self.push(&"  ".repeat(self.above.len()))
    }

    fn close(&mut self, bracket: &str) -> Result<(), Fault> {
        self.push("\n")?;
        self.push(&"  ".repeat(self.above.len().saturating_sub(1)))?;
        self.push(bracket)
    }

    fn push(&mut self, text: &str) -> Result<(), Fault> {
        if self.text.len() + text.len() > BYTES {
            return Err(too_large("one value", "its text"));
        }
        self.text.push_str(text);
        Ok(())
    }
}

/// The fault of text that is longer than may be kept.
pub(super) fn too_large(what: &str, measured: &str) -> Fault {
    Fault::new(
        Code::TooLarge,
        format!("Too much to print: {measured} exceeds {} MiB, the most for {what}. Print less of it", BYTES >> 20),
    )
}

fn unreadable(error: mlua::Error) -> Fault {
    Fault::new(Code::TooLarge, format!("A table could not be shown: {error}"))
}

/// A table's key, held outside Lua.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Number(f64),
    Text(Vec<u8>),
    Other(Value),
}

impl IntoLua for Key {
    fn into_lua(self, lua: &Lua) -> mlua::Result<Value> {
        match self {
            Self::Number(number) => Ok(Value::Number(number)),
            Self::Text(text) => lua.create_string(text).map(Value::String),
            Self::Other(value) => Ok(value),
        }
    }
}

/// The keys of a table in a stable order: numbers, then strings, then everything else.
pub(super) fn sorted_keys(table: &Table) -> mlua::Result<Vec<Key>> {
    let mut keys = Vec::new();
    table.for_each(|key: Value, _: Value| {
        keys.push(match (number(&key), key) {
            (Some(number), _) => Key::Number(number),
            (None, Value::String(text)) => Key::Text(text.as_bytes().to_vec()),
            (None, key) => Key::Other(key),
        });
        if keys.len() > KEYS { Err(mlua::Error::runtime(format!("it has more than {KEYS} keys"))) } else { Ok(()) }
    })?;
    keys.sort_by(compare);
    Ok(keys)
}

fn compare(one: &Key, other: &Key) -> Ordering {
    match (one, other) {
        (Key::Number(one), Key::Number(other)) => one.partial_cmp(other).unwrap_or(Ordering::Equal),
        (Key::Text(one), Key::Text(other)) => one.cmp(other),
        (one, other) => rank(one).cmp(&rank(other)),
    }
}

fn rank(key: &Key) -> u8 {
    match key {
        Key::Number(_) => 0,
        Key::Text(_) => 1,
        Key::Other(_) => 2,
    }
}
