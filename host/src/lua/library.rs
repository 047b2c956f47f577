//! The host functions that are one call deep: printing, documentation, MCP servers.

use super::bridge::{Answer, Arguments, Bridge, HostFunction, Raise, export, one};
use super::invoker::Page;
use super::{invoke, json, mcp, namespace, regex, text};
use mlua::{Lua, MultiValue, Table, Value};
use std::rc::Rc;

/// Longest query or name of a page, in bytes.
const BRIEF: usize = 1 << 10;

const FUNCTIONS: [(&str, HostFunction); 22] = [
    ("decode", json::decode),
    ("docs_list", docs_list),
    ("docs_read", docs_read),
    ("docs_search", docs_search),
    ("encode", json::encode),
    ("endless", invoke::endless),
    ("find", text::find),
    ("gsub", regex::gsub),
    ("invoke", invoke::invoke),
    ("join", invoke::join),
    ("match", regex::first),
    ("match_all", regex::all),
    ("mcp_names", mcp::names),
    ("mcp_servers", mcp::servers),
    ("mcp_split", mcp::split),
    ("misused", invoke::misused),
    ("pagination", invoke::pagination),
    ("print", print),
    ("render", render),
    ("split", text::split),
    ("start", invoke::start),
    ("unknown", namespace::unknown),
];

/// Puts every host function where the prelude finds it.
pub(super) fn export_all(lua: &Lua, bridge: &Rc<Bridge>, host: &Table) -> mlua::Result<()> {
    namespace::export(lua, bridge, host)?;
    FUNCTIONS.iter().try_for_each(|(name, function)| export(lua, bridge, host, name, *function))
}

/// `(value)`: as text.
fn render(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    one(Value::String(lua.create_string(bridge.renderer.render(&arguments.next())?)?))
}

/// `(line)`
fn print(_: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    let line = arguments.string("print", "string")?;
    bridge.output.borrow_mut().line(&line.to_string_lossy())?;
    Ok(MultiValue::new())
}

fn docs_list(lua: &Lua, bridge: &Bridge, _: Arguments) -> Answer {
    page(lua, bridge, Page::List)
}

fn docs_search(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    page(lua, bridge, Page::Search(&brief(&mut arguments, "docs.search", "query")?))
}

fn docs_read(lua: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    page(lua, bridge, Page::Read(&brief(&mut arguments, "docs.read", "page")?))
}

/// The next argument, text that may not be long: what it takes to look for it is not the script's time.
fn brief(arguments: &mut Arguments, function: &str, what: &str) -> Result<String, Raise> {
    let text = arguments.string(function, &format!("string {what}"))?;
    if text.as_bytes().len() > BRIEF {
        return Err(Raise::Text(format!("{function}: the {what} is longer than {BRIEF} bytes")));
    }
    let text = text.to_str().map_err(|_| Raise::Text(format!("{function}: the string {what} is not UTF-8 text")))?;
    Ok(text.to_owned())
}

fn page(lua: &Lua, bridge: &Bridge, page: Page<'_>) -> Answer {
    let text = bridge.clock.excluding(|| bridge.invoker.page(page));
    one(Value::String(lua.create_string(text)?))
}
