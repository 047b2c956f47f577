//! The Model Context Protocol, both ways: scripts reach MCP servers, and MCP clients reach kosmo.

mod client;
pub mod clients;
mod comments;
pub mod config;
pub mod edit;
mod edit_error;
mod entry;
mod file;
mod holder;
pub mod install;
mod jsonc;
mod keep;
mod permit;
mod place;
mod plain;
mod policy;
pub mod presets;
mod reference;
pub mod review;
pub(crate) mod secrets;
pub mod server;
mod shown;
mod standing;
pub mod transfer;

pub use client::{McpInvocation, McpRequest, OnProgress, Rehearse, Servers, split, watch_over};
pub use edit_error::EditError;
pub use holder::Holder;
pub use keep::{KeptSecret, kept_secrets, set_secret, unset_secret};
pub use permit::{permit, permit_tool};
pub use place::{Scope, check_name};
pub use plain::{looks_secret, masked_arguments, url_looks_secret};
pub(crate) use policy::McpNarrowing;
pub use policy::{McpPermission, McpPolicy, McpProjectSettings, McpServerSettings, McpSettings, Trust};
pub use reference::{Part, Template};
pub use secrets::Told;
pub use standing::{Standing, configured, of_home, standing};
