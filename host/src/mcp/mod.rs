//! The Model Context Protocol, both ways: scripts reach MCP servers, and MCP clients reach kosmo.

mod comments;
pub mod config;
mod entry;
mod policy;
mod reference;
pub(crate) mod secrets;
pub mod server;

pub(crate) use policy::McpNarrowing;
pub use policy::{McpPermission, McpPolicy, McpServerSettings, McpSettings, Trust};
pub use reference::{Part, Template};
pub use secrets::Told;
