//! What Lua tables cannot tell by themselves: whether an empty one is an array, and which ones are arrays at all.

use mlua::{Lua, Table, Value};

/// The marks that empty tables made from JSON carry, so that `{}` and `[]` go back as what they were.
#[derive(Clone)]
pub(super) struct Shapes {
    array: Table,
    object: Table,
}

/// How a table appears in JSON and in print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing in it, and no mark.
    Empty,
    /// Keys 1 to this.
    Array(usize),
    /// This many keys of any kind.
    Map(usize),
}

impl Shapes {
    /// One per Lua state.
    pub(super) fn new(lua: &Lua) -> mlua::Result<Self> {
        Ok(Self { array: mark(lua)?, object: mark(lua)? })
    }

    /// Remembers that this empty table was `[]`.
    pub(super) fn mark_array(&self, table: &Table) -> mlua::Result<()> {
        table.set_metatable(Some(self.array.clone()))
    }

    /// Remembers that this empty table was `{}`.
    pub(super) fn mark_object(&self, table: &Table) -> mlua::Result<()> {
        table.set_metatable(Some(self.object.clone()))
    }

    /// An array has exactly the keys 1 to n.
    pub(super) fn of(&self, table: &Table) -> mlua::Result<Shape> {
        let (mut count, mut largest, mut array) = (0_usize, 0.0_f64, true);
        table.for_each(|key: Value, _: Value| {
            count += 1;
            match position(&key) {
                Some(position) => largest = largest.max(position),
                None => array = false,
            }
            Ok(())
        })?;
        Ok(match count {
            0 => self.of_empty(table),
            _ if array && largest == count as f64 => Shape::Array(count),
            _ => Shape::Map(count),
        })
    }

    fn of_empty(&self, table: &Table) -> Shape {
        match table.metatable() {
            Some(mark) if mark == self.array => Shape::Array(0),
            Some(mark) if mark == self.object => Shape::Map(0),
            _ => Shape::Empty,
        }
    }
}

/// A key that could be an index of an array.
fn position(key: &Value) -> Option<f64> {
    let number = number(key)?;
    (number >= 1.0 && number.fract() == 0.0).then_some(number)
}

/// Lua's numbers, whichever way they arrive.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(integer) => Some(*integer as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

fn mark(lua: &Lua) -> mlua::Result<Table> {
    let mark = lua.create_table()?;
    mark.set_readonly(true);
    Ok(mark)
}
