//! Lua values to JSON: arguments of functions, `json.encode`, and what a script returns.

use super::render::{Key, Renderer, sorted_keys};
use super::shape::{Shape, Shapes, number};
use mlua::{LuaString, Table, Value};
use serde_json::{Map, Number, Value as Json};
use std::ffi::c_void;

/// Deepest nesting of tables.
pub(super) const DEPTH: usize = 128;
/// Most values in one document.
const VALUES: usize = 500_000;
/// Most bytes in one document's strings and keys together.
const BYTES: usize = 10 << 20;

/// Where a document is going, which decides what it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To a function: what JSON does not know is refused, an empty table is an object.
    Arguments,
    /// `json.encode`: what JSON does not know is refused, an empty table is an array.
    Text,
    /// To the caller of the script: everything has to appear somehow, an empty table is an array.
    Result,
}

/// Why a value cannot be JSON: `payload.to[2]` `is a function; …`
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) path: String,
    pub(super) problem: String,
}

/// Turns the values of one document into JSON.
pub(super) struct Encoder<'a> {
    shapes: &'a Shapes,
    renderer: &'a Renderer,
    purpose: Purpose,
    path: Vec<Step>,
    above: Vec<*const c_void>,
    values: usize,
    bytes: usize,
}

enum Step {
    Field(String),
    Index(usize),
}

impl<'a> Encoder<'a> {
    /// A fresh document.
    pub(super) fn new(shapes: &'a Shapes, renderer: &'a Renderer, purpose: Purpose) -> Self {
        Self { shapes, renderer, purpose, path: Vec::new(), above: Vec::new(), values: 0, bytes: 0 }
    }

    /// The fields of a table that has to be an object.
    pub(super) fn object(&mut self, table: &Table) -> Result<Map<String, Json>, Refusal> {
        match self.table(table)? {
            Json::Object(fields) => Ok(fields),
            _ => Err(self.refuse("is a list; name the arguments, such as {limit = 10}")),
        }
    }

    /// Any value.
    pub(super) fn value(&mut self, value: &Value) -> Result<Json, Refusal> {
        self.values += 1;
        self.within(self.values <= VALUES, || format!("has more than {VALUES} values"))?;
        match value {
            Value::Nil => Ok(Json::Null),
            Value::Boolean(boolean) => Ok(Json::Bool(*boolean)),
            Value::Integer(_) | Value::Number(_) => self.number(number(value).unwrap_or_default()),
            Value::String(text) => self.text(text).map(Json::String),
            Value::Table(table) => self.table(table),
            value if value.is_null() => Ok(Json::Null),
            value => self.other(value),
        }
    }

    fn number(&self, number: f64) -> Result<Json, Refusal> {
        if number.fract() == 0.0 && number.abs() <= super::decode::EXACT as f64 {
            return Ok(Json::from(number as i64));
        }
        match (Number::from_f64(number), self.purpose) {
            (Some(number), _) => Ok(Json::Number(number)),
            (None, Purpose::Result) => Ok(Json::String(number.to_string())),
            (None, _) => Err(self.refuse(&format!("is {number}, which JSON cannot hold"))),
        }
    }

    fn text(&mut self, text: &LuaString) -> Result<String, Refusal> {
        self.weigh(text.as_bytes().len())?;
        match (text.to_str(), self.purpose) {
            (Ok(text), _) => Ok(text.to_owned()),
            (Err(_), Purpose::Result) => Ok(text.to_string_lossy()),
            (Err(_), _) => Err(self.refuse("is not UTF-8 text; encode binary data as Base64")),
        }
    }

    fn other(&self, value: &Value) -> Result<Json, Refusal> {
        match self.purpose {
            Purpose::Result => Ok(Json::String(self.renderer.scalar(value))),
            _ => Err(self.refuse(&format!(
                "is a {}; JSON has only tables, strings, numbers, booleans and json.null",
                kind(value)
            ))),
        }
    }

    fn table(&mut self, table: &Table) -> Result<Json, Refusal> {
        if self.above.contains(&table.to_pointer()) {
            return self.tolerate("<circular>", "contains itself");
        }
        if self.above.len() >= DEPTH {
            return self.tolerate("<too deep>", &format!("is nested deeper than {DEPTH} tables"));
        }
        if let Some(sentence) = self.renderer.fault_sentence(table) {
            return self.tolerate(&sentence, "is a fault; take its message, as in err.message");
        }
        self.above.push(table.to_pointer());
        let made = self.entries(table);
        self.above.pop();
        made
    }

    fn entries(&mut self, table: &Table) -> Result<Json, Refusal> {
        let shape = self.shapes.of(table).map_err(|error| self.refuse(&format!("cannot be read: {error}")))?;
        match (shape, self.purpose) {
            (Shape::Empty, Purpose::Arguments) => Ok(Json::Object(Map::new())),
            (Shape::Empty, _) => Ok(Json::Array(Vec::new())),
            (Shape::Array(length), _) => self.array(table, length),
            (Shape::Map(length), _) => self.map(table, length),
        }
    }

    fn array(&mut self, table: &Table, length: usize) -> Result<Json, Refusal> {
        self.within(length <= VALUES, || format!("has more than {VALUES} values"))?;
        let mut items = Vec::with_capacity(length.min(1024));
        for index in 1..=length {
            self.path.push(Step::Index(index));
            let item = self.get(table, index)?;
            items.push(self.value(&item)?);
            self.path.pop();
        }
        Ok(Json::Array(items))
    }

    fn map(&mut self, table: &Table, length: usize) -> Result<Json, Refusal> {
        self.within(length <= VALUES, || format!("has more than {VALUES} values"))?;
        let mut fields = Map::new();
        for (name, key) in self.keys(table)? {
            self.weigh(name.len())?;
            self.path.push(Step::Field(name.clone()));
            let value = self.get(table, key)?;
            fields.insert(name, self.value(&value)?);
            self.path.pop();
        }
        Ok(Json::Object(fields))
    }

    fn get(&self, table: &Table, key: impl mlua::IntoLua) -> Result<Value, Refusal> {
        table.raw_get(key).map_err(|error| self.refuse(&format!("cannot be read: {error}")))
    }

    /// The keys as JSON names them, in a stable order: numbers before strings.
    fn keys(&self, table: &Table) -> Result<Vec<(String, Key)>, Refusal> {
        let keys = sorted_keys(table).map_err(|error| self.refuse(&format!("cannot be read: {error}")))?;
        keys.into_iter().map(|key| Ok((self.name(&key)?, key))).collect()
    }

    fn name(&self, key: &Key) -> Result<String, Refusal> {
        match (key, self.purpose) {
            (Key::Text(text), Purpose::Arguments | Purpose::Text) => {
                String::from_utf8(text.clone()).map_err(|_| self.refuse("has a key that is not UTF-8 text"))
            }
            (Key::Number(_), Purpose::Text) | (_, Purpose::Result) => Ok(self.renderer.key(key)),
            (key, _) => Err(self.refuse(&format!(
                "has the key [{}]: keys are all strings, as in {{name = \"x\"}}, or exactly 1 to n, as in {{\"a\", \"b\"}}",
                self.renderer.key(key)
            ))),
        }
    }

    fn tolerate(&self, instead: &str, problem: &str) -> Result<Json, Refusal> {
        match self.purpose {
            Purpose::Result => Ok(Json::String(instead.into())),
            _ => Err(self.refuse(problem)),
        }
    }

    fn weigh(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.bytes += bytes;
        self.within(self.bytes <= BYTES, || format!("holds more than {} MiB of text", BYTES >> 20))
    }

    fn within(&self, holds: bool, problem: impl FnOnce() -> String) -> Result<(), Refusal> {
        if holds { Ok(()) } else { Err(Refusal { path: String::new(), problem: problem() }) }
    }

    fn refuse(&self, problem: &str) -> Refusal {
        Refusal { path: spell(&self.path), problem: problem.into() }
    }
}

/// `payload.to[2]`
fn spell(path: &[Step]) -> String {
    let mut spelled = String::new();
    for step in path {
        match step {
            Step::Index(index) => spelled.push_str(&format!("[{index}]")),
            Step::Field(name) if spelled.is_empty() => spelled.push_str(name),
            Step::Field(name) => spelled.push_str(&format!(".{name}")),
        }
    }
    spelled
}

/// What Lua calls this kind of value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "number",
        Value::LightUserData(_) | Value::Error(_) | Value::Other(_) => "userdata",
        value => value.type_name(),
    }
}
