//! Secrets of servers, for the operator's own tools: they go in sealed, and no value comes out.

use super::Holder;
use super::edit_error::EditError;
use super::place;
use super::secrets::OWNER;
use crate::Host;
use crate::fault::{Code, Fault};
use crate::store::Value;
use std::collections::BTreeMap;

/// A secret, without its value.
#[derive(Debug, PartialEq, Eq)]
pub struct KeptSecret {
    /// Whose it is.
    pub server: String,
    /// The folder of the project whose server that is. None for one of the home.
    pub project: Option<String>,
    /// What it is called.
    pub key: String,
    /// The environment variable that holds it whenever it is needed, if it is not kept itself.
    pub variable: Option<String>,
    /// Whether there is a value now.
    pub is_set: bool,
}

/// Keeps a secret, sealed.
///
/// # Errors
/// `invalid_argument` for a key that no reference could name; else why the store cannot be used.
pub fn set_secret(host: &Host, holder: Holder<'_>, key: &str, value: Value) -> Result<(), EditError> {
    let account = account(holder)?;
    check_key(key)?;
    let (_, store) = place::home(host)?;
    Ok(store.change(OWNER, &account, &[(key.to_owned(), value)].into(), &[]).map_err(Fault::from)?)
}

/// Drops a secret. Whether there was one.
///
/// # Errors
/// When the store cannot be used.
pub fn unset_secret(host: &Host, holder: Holder<'_>, key: &str) -> Result<bool, EditError> {
    let Some(account) = holder.account() else { return Ok(false) };
    let (_, store) = place::home(host)?;
    let was = store.fields(OWNER, &account).map_err(Fault::from)?.contains_key(key);
    if was {
        store.change(OWNER, &account, &BTreeMap::new(), &[key.into()]).map_err(Fault::from)?;
    }
    Ok(was)
}

/// The secrets of the servers of this name, or of all, in the home and in every project.
///
/// # Errors
/// When the store cannot be used.
pub fn kept_secrets(host: &Host, server: Option<&str>) -> Result<Vec<KeptSecret>, EditError> {
    let (_, store) = place::home(host)?;
    let mut all = Vec::new();
    for account in store.accounts(OWNER).map_err(Fault::from)? {
        let holder = Holder::read(&account);
        if server.is_none_or(|server| server == holder.server) {
            let fields = store.fields(OWNER, &account).map_err(Fault::from)?;
            all.extend(fields.into_iter().map(|(key, value)| described(host, holder, key, value)));
        }
    }
    Ok(all)
}

fn account(holder: Holder<'_>) -> Result<String, EditError> {
    holder.account().ok_or_else(|| EditError::Name(holder.server.into()))
}

fn described(host: &Host, holder: Holder<'_>, key: String, value: Value) -> KeptSecret {
    let (variable, is_set) = match value {
        Value::Text(_) => (None, true),
        Value::Environment(name) => {
            let is_set = host.surroundings().config.environment(&name).is_some();
            (Some(name), is_set)
        }
    };
    KeptSecret { server: holder.server.into(), project: holder.folder(), key, variable, is_set }
}

/// Whether a secret can be called this.
pub(super) fn is_key(key: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !key.is_empty() && key.bytes().all(letters)
}

/// References end a server's name at the last dot, and themselves at a brace.
fn check_key(key: &str) -> Result<(), Fault> {
    if is_key(key) {
        return Ok(());
    }
    let message = format!("`{}` cannot be a secret's key: it has letters, digits, `-` and `_`.", key.escape_debug());
    Err(Fault::new(Code::InvalidArgument, message))
}
