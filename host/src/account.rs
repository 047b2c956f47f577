//! Accounts: where a provider's requests go and what authenticates them. The only holder of secrets.

use crate::description::{Authentication, Description, FieldKind, authentication_fields};
use crate::fault::{Code, Fault};
use crate::rule::{Base, RuleError};
use crate::secret::Secret;
use http::{HeaderName, HeaderValue, header};
use std::collections::BTreeMap;

/// The account a script means when it names none.
pub const DEFAULT: &str = "default";

/// Headers that say where a request goes and where it ends. No credential is one of them.
const FRAMING: [HeaderName; 5] =
    [header::HOST, header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE];

/// What the operator said of an account: field by field, as typed. `url` and the provider's own fields.
pub type Fields = BTreeMap<String, Secret>;

/// An account made ready for one revision of its provider.
#[derive(Debug)]
pub struct Account {
    name: String,
    base: Base,
    origins: BTreeMap<String, Origin>,
    settings: Vec<(String, String)>,
    credential: Option<Credential>,
    secrets: Vec<Secret>,
}

#[derive(Debug)]
struct Origin {
    bases: Vec<Base>,
    signed: bool,
}

/// What authenticates a request to the account's URL.
#[derive(Debug)]
pub(crate) enum Credential {
    /// A header, marked sensitive.
    Header(HeaderName, HeaderValue),
    /// A query parameter.
    Query(String, Secret),
}

/// Why an account cannot be used. The cure is part of the sentence.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Credentials are missing.
    #[error(
        "Integration '{provider}' is missing required credentials for account '{account}'. Configure it in settings \
         first: set `{}` under [accounts.{provider}.{account}] in config.toml, or {} in the environment.",
        .missing.join("`, `"), variable(.provider, .account, &.missing[0])
    )]
    Missing {
        /// The provider.
        provider: String,
        /// The account.
        account: String,
        /// The fields, at least one.
        missing: Vec<String>,
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
        let credential = reader.credential()?;
        if credential.is_some() && base.is_overheard() {
            return Err(AccountError::Clear { provider: reader.provider(), account: name.into() });
        }
        Ok(Self {
            name: name.into(),
            settings: reader.settings(),
            credential,
            secrets: reader.secrets(),
            base,
            origins,
        })
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

    /// Text with every secret of this account blotted out, or nothing if there was none in it: some providers repeat in
    /// an answer what they were sent.
    pub(crate) fn redact(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.secrets.iter().fold(None, |redacted: Option<Vec<u8>>, secret| {
            secret.blotted(redacted.as_deref().unwrap_or(text)).or(redacted)
        })
    }

    pub(crate) fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }
}

/// An account's fields against what its provider describes.
struct Reader<'a> {
    description: &'a Description,
    account: &'a str,
    fields: &'a Fields,
}

impl Reader<'_> {
    fn provider(&self) -> String {
        self.description.name.clone()
    }

    fn field(&self, key: &str) -> Option<&str> {
        self.fields.get(key).map(Secret::expose).filter(|value| !value.is_empty())
    }

    fn check_known(&self) -> Result<(), AccountError> {
        let known = known_fields(self.description);
        match self.fields.keys().find(|field| !known.contains(field)) {
            None => Ok(()),
            Some(field) => Err(AccountError::Unknown {
                provider: self.provider(),
                account: self.account.into(),
                field: field.clone(),
                known,
            }),
        }
    }

    fn check_required(&self) -> Result<(), AccountError> {
        let required = self.description.credentials.iter().filter(|field| field.required);
        let missing: Vec<_> =
            required.filter(|field| self.field(&field.key).is_none()).map(|field| field.key.clone()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(AccountError::Missing { provider: self.provider(), account: self.account.into(), missing })
    }

    /// Which field is a secret, and where requests go, is the plugin's word. Before the operator accepted its file,
    /// that word counts for nothing: it gets no field to read, and nothing goes where it says.
    fn check_unaccepted(&self, digest: &str) -> Result<(), AccountError> {
        let settings = self.description.credentials.iter().filter(|field| field.kind == FieldKind::Setting);
        let mut read = settings.map(|field| &field.key).filter(|key| self.field(key).is_some());
        let (why, cure) = match read.next() {
            Some(key) => (format!("has `{key}`, which the plugin would get to read"), format!("remove `{key}`")),
            None if self.field("url").is_none() => ("names no URL".into(), "set `url` for the account".into()),
            None => return Ok(()),
        };
        let digest = digest.chars().take(12).collect();
        Err(AccountError::Unaccepted { provider: self.provider(), account: self.account.into(), why, cure, digest })
    }

    fn base(&self, field: &str) -> Result<Option<Base>, AccountError> {
        self.field(field).map(Base::typed).transpose().map_err(|error| AccountError::Url {
            provider: self.provider(),
            account: self.account.into(),
            field: field.into(),
            error,
        })
    }

    /// Where an origin is, the operator typed, or an accepted plugin declared.
    fn origins(&self, accepted: bool) -> Result<BTreeMap<String, Origin>, AccountError> {
        let resolve = |origin: &crate::bindings::contract::Origin| {
            let urls = origin.urls.iter().filter(|_| accepted);
            let declared = || urls.filter_map(|url| Base::declared(url).ok()).collect();
            let bases = self.base(&origin.name)?.map_or_else(declared, |typed| vec![typed]);
            Ok((origin.name.clone(), Origin { bases, signed: origin.signed }))
        };
        self.description.origins.iter().map(resolve).collect()
    }

    fn settings(&self) -> Vec<(String, String)> {
        let plain = self.description.credentials.iter().filter(|field| field.kind == FieldKind::Setting);
        let keys = plain.map(|field| &field.key).chain(self.description.origins.iter().map(|origin| &origin.name));
        keys.filter_map(|key| Some((key.clone(), self.field(key)?.to_owned()))).collect()
    }

    fn credential(&self) -> Result<Option<Credential>, AccountError> {
        let authentication = &self.description.authentication;
        let given = |field: &&str| self.field(field).is_some();
        let fields = authentication_fields(authentication);
        if fields.is_empty() || !fields.iter().all(given) {
            return Ok(None);
        }
        let value = |field: &str| self.field(field).unwrap_or_default();
        match authentication {
            Authentication::None => Ok(None),
            Authentication::Bearer(field) => {
                self.header(header::AUTHORIZATION, field, &format!("Bearer {}", value(field)))
            }
            Authentication::Basic((user, password)) => {
                let pair = base64(format!("{}:{}", value(user), value(password)).as_bytes());
                self.header(header::AUTHORIZATION, password, &format!("Basic {pair}"))
            }
            Authentication::Header((name, field)) => match name.parse() {
                Ok(name) if !FRAMING.contains(&name) => self.header(name, field, value(field)),
                _ => Err(AccountError::Header {
                    provider: self.provider(),
                    account: self.account.into(),
                    field: field.clone(),
                }),
            },
            Authentication::Query((name, field)) => {
                Ok(Some(Credential::Query(name.clone(), Secret::new(value(field)))))
            }
            Authentication::Oauth2(oauth2) => match &oauth2.access_token {
                Some(field) => self.header(header::AUTHORIZATION, field, &format!("Bearer {}", value(field))),
                None => Ok(None),
            },
        }
    }

    /// The values to watch for. One of a few letters would be found in any text.
    fn secrets(&self) -> Vec<Secret> {
        let values = self.description.secrets().filter_map(|field| self.field(&field.key));
        values.map(Secret::new).filter(Secret::is_telling).collect()
    }

    fn header(&self, name: HeaderName, field: &str, value: &str) -> Result<Option<Credential>, AccountError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| self.unsendable(field))?;
        value.set_sensitive(true);
        Ok(Some(Credential::Header(name, value)))
    }

    fn unsendable(&self, field: &str) -> AccountError {
        AccountError::Unsendable { provider: self.provider(), account: self.account.into(), field: field.into() }
    }
}

/// Everything an account of this provider may say.
pub fn known_fields(description: &Description) -> Vec<String> {
    let credentials = description.credentials.iter().map(|field| field.key.clone());
    let origins = description.origins.iter().map(|origin| origin.name.clone());
    ["url".to_owned()].into_iter().chain(credentials).chain(origins).collect()
}

/// RFC 4648 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encode = |chunk: &[u8]| {
        let group = chunk.iter().fold(0u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        (0..4)
            .map(move |index| match index <= chunk.len() {
                true => char::from(ALPHABET[(group >> (18 - 6 * index) & 63) as usize]),
                false => '=',
            })
            .collect::<String>()
    };
    bytes.chunks(3).map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        for (text, expected) in
            [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("user:pass", "dXNlcjpwYXNz")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn variables_are_provider_account_field() {
        assert_eq!(variable("dialpad", "default", "access_token"), "DIALPAD_ACCESS_TOKEN");
        assert_eq!(variable("dialpad", "work", "url"), "DIALPAD_WORK_URL");
    }
}
