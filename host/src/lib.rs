//! A capability-secured home for integrations.
//!
//! Plugins are WebAssembly components; each invocation of one of their functions runs in a sandbox of its own, reaches
//! exactly what the plugin declared and the operator granted, and never sees a secret. Scripts in sandboxed Lua call
//! them as `app.integrations.<provider>.<function>{…}`.
//!
//! ```no_run
//! use kosmo::{Host, Script};
//!
//! let host = Host::builder().from_env()?.build()?;
//! let session = host.session().build();
//! let outcome = session.run_blocking(Script::new("users.lua", "return #app.integrations.dialpad.list_users{}.items"));
//! println!("{:?}", outcome.result);
//! # Ok::<(), kosmo::ConfigError>(())
//! ```
//!
//! The path of one invocation is [`Provider`]'s `invoke`; everything a request must pass is in `outbound`.

#![deny(unsafe_code)]

mod account;
pub mod accounts;
mod admission;
mod approval;
mod arguments;
mod artifact;
pub mod audit;
mod bindings;
mod clip;
mod config;
mod config_edit;
mod cpu;
mod description;
pub mod docs;
mod engine;
mod failure;
mod fault;
mod files;
#[doc(hidden)]
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod grant;
pub mod grants;
mod host;
mod imports;
mod interrupt;
mod invocation;
mod journal;
mod lane;
mod limits;
mod log;
pub mod lua;
pub mod mcp;
mod nearest;
mod network;
mod oauth;
mod observer;
mod outbound;
mod parsed;
mod patience;
mod permission;
pub mod permissions;
mod plugins;
mod policy;
mod provider;
mod rate;
mod registry;
mod rehearsal;
mod rerun;
mod resume;
mod retry;
mod rule;
pub mod runs;
mod sandbox;
mod scope;
mod secret;
mod secrets;
mod shell;
mod size;
mod store;
mod subject;
mod target;
mod turns;
mod view;

pub use approval::{Approval, Approvals, Approver, Approving, Overlap, Question, Topic};
pub use config::{Config, ConfigError};
pub use description::{CredentialField, Description, FieldKind, Function, Kind, Operation, Pagination, Parameter};
pub use engine::{Configure, Engine};
pub use fault::{Code, Fault};
pub use grant::{Grant, GrantLimits, GrantRule, GrantRuleError};
pub use host::{Host, HostBuilder};
pub use interrupt::{Became, Interrupt, UnderWay};
pub use invocation::Invocation;
pub use limits::{Limits, Timeouts};
pub use lua::{IntegrationCall, Meta, Outcome, Script, Session, SessionBuilder, Surface};
pub use nearest::{did_you_mean, nearest};
pub use network::{NetworkError, ProxyError};
pub use observer::{Observed, Observer, Observers, Request};
pub use outbound::{Resolve, Resolving};
pub use permission::{AccountPermission, Decision, Permission};
pub use policy::{Layer, Policies, Policy};
pub use provider::Provider;
pub use registry::Registry;
pub use rehearsal::{Rehearsal, Rehearsed};
pub use scope::Scope;
pub use secret::Secret;
pub use shell::shell_quoted;
