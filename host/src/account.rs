//! Accounts: where a provider's requests go and what authenticates them. The only holder of secrets.

mod error;
mod reader;

pub use error::AccountError;

use crate::description::Description;
use crate::oauth;
use crate::rule::Base;
use crate::secret::Secret;
use http::{HeaderName, HeaderValue};
use reader::Reader;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The account a script means when it names none.
pub const DEFAULT: &str = "default";

/// What the operator said of an account: field by field, as typed. `url` and the provider's own fields.
pub type Fields = BTreeMap<String, Secret>;

/// Where an account comes from, whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `config.toml`
    File,
    /// Configured here: the sealed store under the home.
    Store,
    /// Environment variables.
    Environment,
}

impl Place {
    /// As people and programs read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "config.toml",
            Self::Store => "store",
            Self::Environment => "environment",
        }
    }
}

/// An account made ready for one revision of its provider.
#[derive(Debug)]
pub struct Account {
    name: String,
    base: Base,
    origins: BTreeMap<String, Origin>,
    settings: Vec<(String, String)>,
    scheme: Scheme,
}

#[derive(Debug)]
struct Origin {
    bases: Vec<Base>,
    signed: bool,
}

/// How requests to the account's URL are authenticated.
#[derive(Debug)]
pub(crate) enum Scheme {
    /// Not at all.
    Open,
    /// With what the operator gave.
    Fixed(Arc<Credential>),
    /// With a token that is asked for.
    OAuth(Box<oauth::Client>),
}

/// What authenticates one request.
#[derive(Debug)]
pub(crate) enum Credential {
    /// A header, marked sensitive.
    Header(HeaderName, HeaderValue),
    /// A query parameter.
    Query(String, Secret),
}

/// The environment variable that holds a field: `DIALPAD_ACCESS_TOKEN`, `DIALPAD_WORK_ACCESS_TOKEN`.
pub fn variable(provider: &str, account: &str, field: &str) -> String {
    let words = if account == DEFAULT { vec![provider, field] } else { vec![provider, account, field] };
    words.join("_").to_ascii_uppercase()
}

impl Account {
    /// Makes an account ready. `accepted` says whether the operator accepted this plugin file, whose word on the URL
    /// then counts.
    ///
    /// # Errors
    /// For missing or unknown fields, and for values that cannot be used.
    pub fn resolve(
        description: &Description,
        digest: &str,
        accepted: bool,
        name: &str,
        fields: &Fields,
    ) -> Result<Self, AccountError> {
        let reader = Reader { description, account: name, fields };
        reader.check_known()?;
        reader.check_required()?;
        if !accepted {
            reader.check_unaccepted(digest)?;
        }
        let base = reader.base("url")?.unwrap_or_else(|| description.base().clone());
        let origins = reader.origins(accepted)?;
        let scheme = reader.scheme(&base)?;
        if !matches!(scheme, Scheme::Open) && base.is_overheard() {
            return Err(AccountError::Clear { provider: reader.provider(), account: name.into() });
        }
        Ok(Self { name: name.into(), settings: reader.settings(), scheme, base, origins })
    }

    /// `default`, `work`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where requests go.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// What the guest may know of the account: never a secret.
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// What an origin's name stands for, and whether its URLs are sent as they are.
    pub(crate) fn origin(&self, name: &str) -> (&[Base], bool) {
        match self.origins.get(name) {
            Some(origin) => (&origin.bases, origin.signed),
            None => (std::slice::from_ref(&self.base), false),
        }
    }

    /// Every URL it may reach: its own, and the other origins'.
    pub(crate) fn bases(&self) -> impl Iterator<Item = &Base> {
        self.origins.values().flat_map(|origin| &origin.bases).chain([&self.base])
    }

    pub(crate) fn scheme(&self) -> &Scheme {
        &self.scheme
    }
}

/// Everything an account of this provider may say.
pub fn known_fields(description: &Description) -> Vec<String> {
    let credentials = description.credentials.iter().map(|field| field.key.clone());
    let origins = description.origins.iter().map(|origin| origin.name.clone());
    ["url".to_owned()].into_iter().chain(credentials).chain(origins).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_provider_account_field() {
        assert_eq!(variable("dialpad", "default", "access_token"), "DIALPAD_ACCESS_TOKEN");
        assert_eq!(variable("dialpad", "work", "url"), "DIALPAD_WORK_URL");
    }
}
