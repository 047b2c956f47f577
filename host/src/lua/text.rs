//! Plain searches in long strings, in linear time. Luau's own take the product of both lengths and cannot be stopped.

use super::bridge::{Answer, Arguments, Bridge, one};
use super::shape::number;
use memchr::memmem;
use mlua::{IntoLuaMulti, Lua, Value};

/// `(text, wanted, from)`: first and last position of `wanted` at or after position `from`, or nothing.
pub(super) fn find(lua: &Lua, _: &Bridge, mut arguments: Arguments) -> Answer {
    let (text, wanted) = (arguments.string("find", "string")?, arguments.string("find", "string")?);
    let from = (number(&arguments.next()).unwrap_or(1.0).max(1.0) - 1.0) as usize;
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    match text.get(from..).and_then(|rest| memmem::find(rest, &wanted)) {
        Some(at) => Ok(((from + at + 1) as f64, (from + at + wanted.len()) as f64).into_lua_multi(lua)?),
        None => one(Value::Nil),
    }
}

/// `(text, separator)`: the parts between separators.
pub(super) fn split(lua: &Lua, _: &Bridge, mut arguments: Arguments) -> Answer {
    let (text, separator) = (arguments.string("split", "string")?, arguments.string("split", "string")?);
    let (text, separator) = (text.as_bytes(), separator.as_bytes());
    let parts = lua.create_table()?;
    let mut start = 0;
    for at in memmem::find_iter(&text, &separator) {
        parts.raw_push(lua.create_string(&text[start..at])?)?;
        start = at + separator.len();
    }
    parts.raw_push(lua.create_string(&text[start..])?)?;
    one(Value::Table(parts))
}
