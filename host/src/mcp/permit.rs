//! What scripts may do with a server, written into the operator's own file: a project's could not widen anything.

use super::Holder;
use super::edit_error::EditError;
use super::place;
use crate::description::Operation;
use crate::permission::Decision;
use crate::{Host, config_edit};

/// Decides about all tools of a server that only read, or about all others.
///
/// # Errors
/// When `config.toml` cannot be changed.
pub fn permit(host: &Host, holder: Holder<'_>, operation: Operation, decision: Decision) -> Result<(), EditError> {
    set(host, holder, &[operation.as_str()], decision)
}

/// Decides about one tool, by its exact name.
///
/// # Errors
/// When `config.toml` cannot be changed.
pub fn permit_tool(host: &Host, holder: Holder<'_>, tool: &str, decision: Decision) -> Result<(), EditError> {
    set(host, holder, &["tools", tool], decision)
}

fn set(host: &Host, holder: Holder<'_>, below: &[&str], decision: Decision) -> Result<(), EditError> {
    let (home, _) = place::home(host)?;
    let _alone = place::alone(host)?;
    let table = holder.keys();
    let keys: Vec<_> = table.iter().map(String::as_str).chain(below.iter().copied()).collect();
    Ok(config_edit::set(home, &keys, decision.as_str())?)
}
