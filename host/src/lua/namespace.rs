//! What `app` shows, and what is said to a script that asks for something else.

use super::bridge::{Answer, Arguments, Bridge, one};
use super::invoker::Known;
use super::session::Surface;
use crate::clip::{NAME, clipped};
use crate::fault::{Code, Fault};
use crate::nearest::nearest;
use mlua::{Lua, LuaString, Table, Value};
use std::rc::Rc;
use std::time::Duration;

/// Most names listed in a sentence.
const LISTED: usize = 12;
/// Most names of a path that are worth repeating: no path to a function has as many.
const DEEPEST: usize = 8;

/// Puts the functions that list providers, functions and accounts where the prelude finds them.
pub(super) fn export(lua: &Lua, bridge: &Rc<Bridge>, host: &Table) -> mlua::Result<()> {
    let listing = Rc::clone(bridge);
    host.raw_set(
        "providers",
        lua.create_function(move |_, ()| Ok(listing.clock.excluding(|| listing.invoker.names())))?,
    )?;
    // Luau's own `table.freeze` refuses what has a protected metatable.
    let seal = |_: &Lua, table: Table| {
        table.set_readonly(true);
        Ok(())
    };
    host.raw_set("seal", lua.create_function(seal)?)?;
    let asked = Rc::clone(bridge);
    let is_provider = move |_: &Lua, name: String| Ok(asked.clock.excluding(|| asked.invoker.names()).contains(&name));
    host.raw_set("is_provider", lua.create_function(is_provider)?)?;
    let described = Rc::clone(bridge);
    // A provider that cannot be used has no functions to show; calling one tells why.
    let provider = move |lua: &Lua, name: String| {
        let known = described.clock.excluding(|| described.invoker.provider(&name));
        known.ok().map(|known| about(lua, &known)).transpose()
    };
    host.raw_set("provider", lua.create_function(provider)?)
}

/// Names as the keys of two tables.
fn about(lua: &Lua, known: &Known) -> mlua::Result<Table> {
    let set = |names: &mut dyn Iterator<Item = &str>| lua.create_table_from(names.map(|name| (name, true)));
    let about = lua.create_table()?;
    about.raw_set("functions", set(&mut known.functions.iter().map(|(name, _)| name.as_str()))?)?;
    about.raw_set("accounts", set(&mut known.accounts.iter().map(String::as_str))?)?;
    Ok(about)
}

/// `(path, …)`: raises that nothing can be called at this path, and records it.
pub(super) fn unknown(_: &Lua, bridge: &Bridge, mut arguments: Arguments) -> Answer {
    let Value::Table(path) = arguments.next() else { return one(Value::Nil) };
    let path = path.sequence_values::<LuaString>().take(DEEPEST + 1).collect::<mlua::Result<Vec<_>>>()?;
    let mut path: Vec<String> = path.iter().map(|name| clipped(&name.to_string_lossy(), NAME).into()).collect();
    path.iter_mut().skip(DEEPEST).for_each(|name| *name = "…".into());
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let fault = explain(bridge, &path);
    record(bridge, &path, &fault)?;
    Err(fault.into())
}

fn record(bridge: &Bridge, path: &[&str], fault: &Fault) -> Result<(), Fault> {
    let group = if path.len() > 1 { path[1] } else { "" };
    let name = path.last().copied().unwrap_or("app");
    let mut records = bridge.records.borrow_mut();
    let entry = records.begin(&path.join("."), group, name)?;
    records.end(entry, Duration::ZERO, Some(fault));
    Ok(())
}

fn explain(bridge: &Bridge, path: &[&str]) -> Fault {
    match (path, bridge.settings.surface) {
        (["integrations", ..], Surface::McpOnly) => {
            wrong(path, "Scripts of mcp:lua reach MCP servers only; run this one with integrations:lua")
        }
        (["integrations"], _) => wrong(path, "Call one of its functions: app.integrations.<provider>.<function>({})"),
        (["integrations", provider, rest @ ..], _) => explain_provider(bridge, path, provider, rest),
        (["mcp", rest @ ..], _) => explain_server(bridge, path, rest),
        ([], _) => wrong(path, "Call a function of a provider: app.integrations.<provider>.<function>({})"),
        ([name, ..], _) => wrong(path, &meant(name, &["integrations", "mcp"], "app has")),
    }
}

fn explain_server(bridge: &Bridge, path: &[&str], rest: &[&str]) -> Fault {
    let servers = bridge.invoker.mcp_servers();
    let names: Vec<&str> = servers.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    match rest {
        [server, ..] if !names.contains(server) => {
            let cure = if names.is_empty() {
                "None is configured: kosmo mcp:add".into()
            } else {
                meant(server, &names, "Known servers")
            };
            let fault = wrong(path, &format!("There is no MCP server `{server}`. {cure}"));
            Fault { server: Some((*server).into()), ..fault }
        }
        _ => wrong(path, "Call one of a server's tools: app.mcp.<server>.<tool>({}). mcp.tools() lists them"),
    }
}

fn explain_provider(bridge: &Bridge, path: &[&str], provider: &str, rest: &[&str]) -> Fault {
    let names = bridge.invoker.names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if !names.contains(&provider) {
        // What is beyond a scope is refused in the same words, whether it is there or not.
        if let Some(fault) = bridge.invoker.provider(provider).err().filter(|fault| fault.code == Code::Denied) {
            return fault;
        }
        let cure = if names.is_empty() {
            "The operator adds one with: kosmo plugins:install FILE.wasm".into()
        } else {
            meant(provider, &names, "Known providers")
        };
        let fault = wrong(path, &format!("There is no provider `{provider}`. {cure}"));
        return Fault { provider: Some(provider.into()), ..fault };
    }
    let fault = match bridge.invoker.provider(provider) {
        Ok(known) => explain_function(path, provider, rest, &known),
        Err(fault) => fault,
    };
    Fault { provider: Some(provider.into()), function: rest.last().map(|name| (*name).into()), ..fault }
}

fn explain_function(path: &[&str], provider: &str, rest: &[&str], known: &Known) -> Fault {
    let functions: Vec<&str> = known.functions.iter().map(|(name, _)| name.as_str()).collect();
    let accounts: Vec<&str> = known.accounts.iter().map(String::as_str).collect();
    match rest {
        [] => wrong(path, &format!("`{provider}` is a provider: call one of its functions: {}", some(&functions))),
        [account] | [account, _] if rest.len() == 1 && accounts.contains(account) => {
            wrong(path, &format!("`{account}` is an account: call one of its functions: {}", some(&functions)))
        }
        [name] => {
            let all: Vec<&str> = functions.iter().chain(&accounts).copied().collect();
            wrong(path, &meant(name, &all, "Known functions"))
        }
        [account, name, ..] if accounts.contains(account) => wrong(path, &meant(name, &functions, "Known functions")),
        [account, ..] => wrong(
            path,
            &format!("There is no account `{account}` at {provider}. {}", meant(account, &accounts, "Known accounts")),
        ),
    }
}

/// `Unknown function: app.integrations.ringcentral.list_mesages. Did you mean: list_messages`
fn wrong(path: &[&str], cure: &str) -> Fault {
    let path: String = path.iter().map(|name| format!(".{name}")).collect();
    Fault::new(Code::Unknown, format!("Unknown function: app{path}. {cure}"))
}

/// The nearest names, or all of them.
fn meant(wanted: &str, known: &[&str], all: &str) -> String {
    match nearest(wanted, known.iter().copied()).as_slice() {
        [] => format!("{all}: {}", some(known)),
        names => format!("Did you mean: {}", names.join(", ")),
    }
}

fn some(names: &[&str]) -> String {
    let listed = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    if names.len() > LISTED { format!("{listed}, …") } else { listed }
}
