//! Scripts: a Luau state behind limits, in which `app` leads to every provider.
//!
//! A session's state lives on a thread of its own. What a script asks of a provider is waited for on that thread, so
//! that it works wherever Lua code runs: in coroutines, callbacks, comparators, metamethods. Only `parallel` lets
//! several invocations run at once.
//!
//! Between Lua and JSON: `null` is absent in objects and `json.null` in arrays; integers beyond ±2^53 are strings of
//! their digits; empty objects and arrays that came from JSON go back as what they were. Any other empty table is an
//! object to a function, and an array to `json.encode` and in what a script returns.

mod bridge;
mod clock;
mod decode;
mod effort;
mod encode;
mod error;
mod faults;
mod invoke;
mod invoker;
mod json;
mod library;
mod lost;
mod mcp;
mod namespace;
mod outcome;
mod output;
mod record;
mod regex;
mod render;
mod session;
mod shape;
mod syntax;
#[cfg(test)]
mod tests;
mod text;
mod vm;

pub(crate) use lost::Lost;
pub use outcome::{IntegrationCall, Meta, Outcome, Status};
pub use session::{LEAST_MEMORY, Script, Session, SessionBuilder, Surface};
pub use syntax::{Syntax, syntax};
