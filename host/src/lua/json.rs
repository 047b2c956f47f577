//! `json.encode` and `json.decode`.

use super::bridge::{Answer, Arguments, Bridge, Raise, one};
use super::decode::{DecodeError, decode as read};
use super::encode::{Encoder, Purpose, Refusal, kind};
use crate::clip::{NAME, clipped};
use mlua::{Lua, Table, Value};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, PrettyFormatter, Serializer};

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
    one(Value::String(lua.create_string(written(&json, pretty))?))
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

/// Four spaces an indent, as the reference system writes it. Writing a tree to memory cannot fail.
fn written(json: &serde_json::Value, pretty: bool) -> Vec<u8> {
    let mut text = Vec::new();
    let _ = if pretty {
        json.serialize(&mut Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    ")))
    } else {
        json.serialize(&mut Serializer::with_formatter(&mut text, CompactFormatter))
    };
    text
}
