//! Faults as scripts catch them: tables that read like sentences.

use crate::fault::Fault;
use mlua::{Lua, Table, Value};

/// The faults a Lua state knows: from the table that was raised to the fault it shows. However a script passes the
/// table on, by rethrowing or through `assert`, it stays the same table and so the same fault.
#[derive(Clone)]
pub(super) struct Faults {
    known: Table,
}

impl Faults {
    pub(super) fn new(lua: &Lua) -> mlua::Result<Self> {
        Ok(Self { known: weak(lua)? })
    }

    /// The table from fault tables to faults, for the prelude.
    pub(super) fn table(&self) -> Table {
        self.known.clone()
    }

    /// The fault a table shows.
    pub(super) fn get(&self, table: &Table) -> Option<Fault> {
        match self.known.raw_get(table.clone()).ok()? {
            Value::UserData(fault) => fault.borrow::<Fault>().ok().map(|fault| fault.clone()),
            _ => None,
        }
    }

    /// A table that shows a fault. The prelude adds line and metatable when it raises it.
    pub(super) fn show(&self, lua: &Lua, fault: &Fault) -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.raw_set("code", fault.code.as_str())?;
        table.raw_set("message", fault.message.as_str())?;
        table.raw_set("provider", fault.provider.as_deref())?;
        table.raw_set("fn", fault.function.as_deref())?;
        table.raw_set("server", fault.server.as_deref())?;
        table.raw_set("tool", fault.tool.as_deref())?;
        table.raw_set("parameter", fault.parameter.as_deref())?;
        table.raw_set("status", fault.status)?;
        table.raw_set("provider_code", fault.provider_code.as_deref())?;
        table.raw_set("retry_after", fault.retry_after)?;
        self.known.raw_set(table.clone(), lua.create_any_userdata(fault.clone())?)?;
        Ok(table)
    }
}

/// A table that keeps none of its keys alive.
pub(super) fn weak(lua: &Lua) -> mlua::Result<Table> {
    let mode = lua.create_table()?;
    mode.raw_set("__mode", "k")?;
    let table = lua.create_table()?;
    table.set_metatable(Some(mode))?;
    Ok(table)
}
