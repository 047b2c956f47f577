//! JSON text to Lua values, straight, without a tree in between.
//!
//! `null` is absent in an object and `json.null` in an array, where positions matter. Integers beyond ±2^53, which a
//! Lua number cannot hold, become strings of their exact digits.

use super::shape::Shapes;
use mlua::{Lua, Table, Value};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

/// The largest integer up to which a Lua number is exact.
pub(super) const EXACT: u64 = 1 << 53;

/// Why there is no value.
#[derive(Debug)]
pub(super) enum DecodeError {
    /// It is not JSON.
    Json(serde_json::Error),
    /// Lua has no room for it.
    Lua(mlua::Error),
}

/// The value of a JSON document.
pub(super) fn decode(lua: &Lua, shapes: &Shapes, text: &str) -> Result<Value, DecodeError> {
    let reading = Reading::new(lua, shapes);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Seed(&reading).deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match value {
        Err(_) if reading.inexact.get() => decode_exactly(lua, shapes, text),
        value => reading.finish(value),
    }
}

/// The value of what is JSON already.
pub(super) fn convert<'de, D>(lua: &Lua, shapes: &Shapes, json: D) -> Result<Value, DecodeError>
where
    D: Deserializer<'de, Error = serde_json::Error>,
{
    let reading = Reading::new(lua, shapes);
    let value = Seed(&reading).deserialize(json);
    reading.finish(value)
}

struct Reading<'lua> {
    lua: &'lua Lua,
    shapes: &'lua Shapes,
    /// A number came by whose digits are needed.
    inexact: Cell<bool>,
    failure: RefCell<Option<mlua::Error>>,
}

impl<'lua> Reading<'lua> {
    fn new(lua: &'lua Lua, shapes: &'lua Shapes) -> Self {
        Self { lua, shapes, inexact: Cell::new(false), failure: RefCell::new(None) }
    }

    fn finish(self, value: Result<Value, serde_json::Error>) -> Result<Value, DecodeError> {
        match (value, self.failure.into_inner()) {
            (_, Some(failure)) => Err(DecodeError::Lua(failure)),
            (Err(error), None) => Err(DecodeError::Json(error)),
            (Ok(value), None) if value.is_null() => Ok(Value::Nil),
            (Ok(value), None) => Ok(value),
        }
    }

    /// Carries Lua's error past serde, whose errors are text.
    fn lua<T, E: serde::de::Error>(&self, made: mlua::Result<T>) -> Result<T, E> {
        made.map_err(|error| {
            let carried = E::custom("Lua has no room for it");
            self.failure.replace(Some(error));
            carried
        })
    }

    fn string<E: serde::de::Error>(&self, text: &str) -> Result<Value, E> {
        self.lua(self.lua.create_string(text)).map(Value::String)
    }

    fn set<E: serde::de::Error>(&self, table: &Table, key: Value, value: Value) -> Result<(), E> {
        if value.is_null() { Ok(()) } else { self.lua(table.raw_set(key, value)) }
    }

    fn table<E: serde::de::Error>(&self) -> Result<Table, E> {
        self.lua(self.lua.create_table())
    }
}

#[derive(Clone, Copy)]
struct Seed<'a, 'lua>(&'a Reading<'lua>);

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::NULL)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() <= EXACT { Ok(Value::Number(value as f64)) } else { self.0.string(&value.to_string()) }
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value <= EXACT { Ok(Value::Number(value as f64)) } else { self.0.string(&value.to_string()) }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 && value.abs() >= EXACT as f64 {
            self.0.inexact.set(true);
            return Err(E::custom("an integer beyond 64 bits"));
        }
        Ok(Value::Number(value))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        self.0.string(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let table = self.0.table()?;
        let mut length = 0_usize;
        while let Some(item) = items.next_element_seed(self)? {
            length += 1;
            self.0.lua(table.raw_set(length, item))?;
        }
        if length == 0 {
            self.0.lua(self.0.shapes.mark_array(&table))?;
        }
        Ok(Value::Table(table))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let table = self.0.table()?;
        while let Some(key) = fields.next_key_seed(self)? {
            let value = fields.next_value_seed(self)?;
            self.0.set(&table, key, value)?;
        }
        if table.is_empty() {
            self.0.lua(self.0.shapes.mark_object(&table))?;
        }
        Ok(Value::Table(table))
    }
}

/// The slow path for documents with integers beyond 64 bits: looks at every number's digits.
fn decode_exactly(lua: &Lua, shapes: &Shapes, text: &str) -> Result<Value, DecodeError> {
    let reading = Reading::new(lua, shapes);
    let value = serde_json::from_str(text).and_then(|raw| exact(&reading, raw));
    reading.finish(value)
}

fn exact(reading: &Reading<'_>, raw: &RawValue) -> Result<Value, serde_json::Error> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'{') => serde_json::Deserializer::from_str(text).deserialize_map(Exact(reading)),
        Some(b'[') => serde_json::Deserializer::from_str(text).deserialize_seq(Exact(reading)),
        Some(b'-' | b'0'..=b'9') => exact_number(reading, text),
        _ => Seed(reading).deserialize(&mut serde_json::Deserializer::from_str(text)),
    }
}

fn exact_number(reading: &Reading<'_>, text: &str) -> Result<Value, serde_json::Error> {
    let number: f64 = text.parse().map_err(serde_json::Error::custom)?;
    let integer = text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    let exact = text.parse::<i64>().is_ok_and(|value| value.unsigned_abs() <= EXACT);
    if integer && !exact { reading.string(text) } else { Ok(Value::Number(number)) }
}

struct Exact<'a, 'lua>(&'a Reading<'lua>);

impl<'de> Visitor<'de> for Exact<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let table = self.0.table()?;
        let mut length = 0_usize;
        while let Some(item) = items.next_element::<&RawValue>()? {
            length += 1;
            self.0.lua(table.raw_set(length, exact(self.0, item).map_err(A::Error::custom)?))?;
        }
        if length == 0 {
            self.0.lua(self.0.shapes.mark_array(&table))?;
        }
        Ok(Value::Table(table))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let table = self.0.table()?;
        while let Some((key, value)) = fields.next_entry::<Cow<'_, str>, &RawValue>()? {
            let value = exact(self.0, value).map_err(A::Error::custom)?;
            self.0.set(&table, self.0.string(&key)?, value)?;
        }
        if table.is_empty() {
            self.0.lua(self.0.shapes.mark_object(&table))?;
        }
        Ok(Value::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expression: &str) {
        let lua = Lua::new();
        let shapes = Shapes::new(&lua).expect("a Lua state");
        let value = decode(&lua, &shapes, json).expect("JSON");
        lua.globals().set("v", value).expect("a global");
        lua.globals().set("null", Value::NULL).expect("a global");
        let holds: bool = lua.load(format!("return {expression}")).eval().expect("an expression");
        assert!(holds, "{json} should give {expression}");
    }

    #[test]
    fn values_arrive_as_they_are() {
        check("null", "v == nil");
        check("true", "v == true");
        check(r#""a\u00e9\u0000b""#, r#"v == "aé\0b""#);
        check("[1,[2,3],{}]", "#v == 3 and v[2][2] == 3 and next(v[3]) == nil");
        check(r#"{"a":{"b":[true]}}"#, "v.a.b[1] == true");
        check("-1.5e3", "v == -1500");
        check("0.1", "v == 0.1");
    }

    #[test]
    fn null_is_absent_in_objects_and_keeps_its_place_in_arrays() {
        check(r#"{"a":null,"b":1}"#, "v.a == nil and v.b == 1");
        check("[null,2,null]", "v[1] == null and v[2] == 2 and v[3] == null and #v == 3");
    }

    #[test]
    fn integers_that_lua_cannot_hold_become_exact_strings() {
        check("9007199254740992", "v == 9007199254740992");
        check("9007199254740993", r#"v == "9007199254740993""#);
        check("-9007199254740993", r#"v == "-9007199254740993""#);
        check("18446744073709551615", r#"v == "18446744073709551615""#);
        check("123456789012345678901234567890", r#"v == "123456789012345678901234567890""#);
        check(
            r#"{"id":-123456789012345678901234567890,"n":[1,null,1e30,{}],"s":"x","o":null}"#,
            r#"v.id == "-123456789012345678901234567890" and v.n[1] == 1 and v.n[2] == null and v.n[3] == 1e30 and v.s == "x" and v.o == nil"#,
        );
        check("1e30", "v == 1e30");
        check("12345678901234567890.5", "v == 12345678901234567890.5");
    }

    #[test]
    fn text_that_is_no_json_is_refused() {
        let lua = Lua::new();
        let shapes = Shapes::new(&lua).expect("a Lua state");
        let nested = "[".repeat(100_000);
        for text in ["", "{", "[1,]", "{'a':1}", "1 2", "nul", "\"\\x\"", "1e999", nested.as_str()] {
            assert!(matches!(decode(&lua, &shapes, text), Err(DecodeError::Json(_))), "{text:.20}");
        }
    }
}
