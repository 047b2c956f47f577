//! `json.encode` and `json.decode`.

use super::bridge::{Answer, Arguments, Bridge, Raise, one, out_of_memory};
use super::decode::{DecodeError, decode as read};
use super::encode::{Encoder, Purpose, Refusal, kind};
use crate::clip::{NAME, clipped};
use mlua::{Lua, Table, Value};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// `json.decode(text)`
pub(super) fn decode(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    let text = arguments.text("json.decode", "string")?;
    one(read(lua, &bridge.shapes, &text).map_err(|error| match error {
        DecodeError::Lua(error) => Raise::Lua(error),
        DecodeError::Json(error) => Raise::Text(format!("json.decode: {error}")),
    })?)
}

/// `json.encode(value [, {pretty = false}])`
pub(super) fn encode(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    let value = arguments.next();
    let pretty = is_pretty(arguments.next())?;
    let json = Encoder::new(&bridge.shapes, &bridge.renderer, Purpose::Text).value(&value).map_err(refused)?;
    let text = written(&json, pretty, bridge.room(lua)).ok_or_else(out_of_memory)?;
    one(Value::String(bridge.lending(lua, text.len(), || lua.create_string(&text))??))
}

fn is_pretty(options: Value) -> Result<bool, Raise> {
    match options {
        Value::Nil => Ok(true),
        Value::Table(options) => pretty_option(&options),
        other => Err(Raise::Text(format!("json.encode: expected a table of options, got {}", kind(&other)))),
    }
}

fn pretty_option(options: &Table) -> Result<bool, Raise> {
    let mut pretty = true;
    for option in options.pairs::<String, Value>() {
        match option? {
            (name, Value::Boolean(value)) if name == "pretty" => pretty = value,
            (name, _) => {
                return Err(Raise::Text(format!(
                    "json.encode: the only option is pretty = false, got {}",
                    clipped(&name, NAME)
                )));
            }
        }
    }
    Ok(pretty)
}

fn refused(refusal: Refusal) -> Raise {
    let subject = match &*clipped(&refusal.path, NAME) {
        "" => "the value".into(),
        path if path.starts_with('[') => format!("value{path}"),
        path => path.to_owned(),
    };
    Raise::Text(format!("json.encode: {subject} {}", refusal.problem))
}

/// Four spaces an indent, as the reference system writes it; nothing if it takes more bytes than there is room.
fn written(json: &serde_json::Value, pretty: bool, room: usize) -> Option<Vec<u8>> {
    let mut text = Bounded { text: Vec::new(), room };
    let written = if pretty {
        json.serialize(&mut Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    ")))
    } else {
        json.serialize(&mut Serializer::with_formatter(&mut text, CompactFormatter))
    };
    written.is_ok().then_some(text.text)
}

/// Text that grows as long as there is room: deep nesting indents a small tree to hundreds of megabytes.
struct Bounded {
    text: Vec<u8>,
    room: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() + bytes.len() > self.room {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
