//! Why an account cannot be used.

use super::{DEFAULT, variable};
use crate::fault::{Code, Fault};
use crate::rule::RuleError;

/// Why an account cannot be used. The cure is part of the sentence.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Credentials are missing.
    #[error(
        "Integration '{provider}' is missing required credentials for account '{account}'. Configure it in settings \
         first: `kosmo integrations:configure {provider}{}`, or set `{}` under [accounts.{provider}.{account}] in \
         config.toml, or {} in the environment.{}",
        flag(.account), .missing.join("`, `"), variable(.provider, .account, &.missing[0]), instead(.alternatives)
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

/// ` Instead, client_id + client_secret + jwt will do.`
/// ` --account work`, or nothing for `default`.
fn flag(account: &str) -> String {
    if account == DEFAULT { String::new() } else { format!(" --account {account}") }
}

fn instead(alternatives: &[Vec<String>]) -> String {
    let ways: Vec<_> = alternatives.iter().map(|fields| format!("`{}`", fields.join("` + `"))).collect();
    if ways.is_empty() { String::new() } else { format!(" Instead of it {} will do.", ways.join(", or ")) }
}
