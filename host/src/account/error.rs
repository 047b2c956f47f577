//! Why an account cannot be used.

use super::{DEFAULT, Place, variable};
use crate::fault::{Code, Fault};
use crate::rule::RuleError;

/// Why an account cannot be used. The cure is part of the sentence.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Credentials are missing.
    #[error(
        "Integration '{provider}' is missing required credentials for account '{account}'. Configure it in settings \
         first. {}{}", cure(.provider, .account, .missing, *.place), instead(.alternatives)
    )]
    Missing {
        /// The provider.
        provider: String,
        /// The account.
        account: String,
        /// The fields, at least one.
        missing: Vec<String>,
        /// Other sets of fields that would do.
        alternatives: Vec<Vec<String>>,
        /// Where the rest of the account stands; None if there is nothing of it anywhere.
        place: Option<Place>,
    },
    /// A field the provider does not have.
    #[error("[accounts.{provider}.{account}]: `{field}` is not a field of this provider; it has: {}", .known.join(", "))]
    Unknown {
        /// The provider.
        provider: String,
        /// The account.
        account: String,
        /// As typed.
        field: String,
        /// The provider's fields.
        known: Vec<String>,
    },
    /// A URL that cannot be used.
    #[error("[accounts.{provider}.{account}]: `{field}`: {error}")]
    Url {
        /// The provider.
        provider: String,
        /// The account.
        account: String,
        /// `url`, or an origin's name.
        field: String,
        /// What is wrong with it.
        error: RuleError,
    },
    /// A URL that everyone on the way could read the credential from.
    #[error(
        "[accounts.{provider}.{account}]: `url` would send the credential in clear text over the internet; use \
         `https://`. Plain `http://` is for `localhost` and for private addresses."
    )]
    Clear {
        /// The provider.
        provider: String,
        /// The account.
        account: String,
    },
    /// A credential no header can carry.
    #[error("[accounts.{provider}.{account}]: `{field}` holds a line break or another character that cannot be sent")]
    Unsendable {
        /// The provider.
        provider: String,
        /// The account.
        account: String,
        /// The field.
        field: String,
    },
    /// A credential in a header that says something else.
    #[error("[accounts.{provider}.{account}]: the plugin wants `{field}` in a header that is not for credentials")]
    Header {
        /// The provider.
        provider: String,
        /// The account.
        account: String,
        /// The field.
        field: String,
    },
    /// An account that a plugin nobody has vouched for would use.
    #[error(
        "Account '{account}' of '{provider}' {why}, and this plugin file ({digest}…) was never accepted, so the account \
         goes nowhere. Accept the file with `kosmo plugins:install FILE`, or {cure}."
    )]
    Unaccepted {
        /// The provider.
        provider: String,
        /// The account.
        account: String,
        /// What would have to be taken on the plugin's word.
        why: String,
        /// What else would do.
        cure: String,
        /// The beginning of the plugin file's digest.
        digest: String,
    },
}

impl From<AccountError> for Fault {
    fn from(error: AccountError) -> Self {
        Self::new(Code::Unconfigured, error.to_string())
    }
}

impl AccountError {
    /// The same error, knowing where the account stands.
    pub(crate) fn at(mut self, stands: Option<Place>) -> Self {
        if let Self::Missing { place, .. } = &mut self {
            *place = stands;
        }
        self
    }
}

/// What completes an account. It comes whole from one place, so that it can be completed only there.
fn cure(provider: &str, account: &str, missing: &[String], place: Option<Place>) -> String {
    let configure = format!("`kosmo integrations:configure {provider}{}`", flag(account));
    let fields = missing.join("`, `");
    let file = format!("`{fields}` under [accounts.{provider}.{account}] in config.toml");
    match place {
        Some(Place::File) => format!("Write {file}, where the rest of the account stands."),
        Some(Place::Store) => format!("Run {configure}."),
        Some(Place::Environment) | None => {
            let variable = missing.first().map(|field| variable(provider, account, field)).unwrap_or_default();
            format!("Run {configure}, or set {file}, or {variable} in the environment.")
        }
    }
}

/// ` --account work`, or nothing for `default`.
fn flag(account: &str) -> String {
    if account == DEFAULT { String::new() } else { format!(" --account {account}") }
}

/// ` Instead, client_id + client_secret + jwt will do.`
fn instead(alternatives: &[Vec<String>]) -> String {
    let ways: Vec<_> = alternatives.iter().map(|fields| format!("`{}`", fields.join("` + `"))).collect();
    if ways.is_empty() { String::new() } else { format!(" Instead of it {} will do.", ways.join(", or ")) }
}
