//! What a plugin says of itself besides its functions, as constants.

use crate::{Function, Rule, contract};

pub use contract::ClientAuthentication;

/// A provider without its functions; see the contract's `description` for what each part means.
#[derive(Clone, Copy, Debug)]
pub struct About {
    name: &'static str,
    title: &'static str,
    category: &'static str,
    summary: &'static str,
    version: &'static str,
    guide: &'static str,
    base_url: &'static str,
    authentication: Authentication,
    credentials: &'static [CredentialField],
    rate_groups: &'static [RateGroup],
    origins: &'static [Origin],
    never: &'static [Rule],
    whoami: Option<&'static str>,
}

/// How the host authenticates requests; each string names a credential field.
#[derive(Clone, Copy, Debug)]
pub enum Authentication {
    /// Not at all.
    None,
    /// `Authorization: Bearer <field>`
    Bearer(&'static str),
    /// `Authorization: Basic <username field>:<password field>`
    Basic(&'static str, &'static str),
    /// Header name, field.
    Header(&'static str, &'static str),
    /// Query name, field.
    Query(&'static str, &'static str),
    /// `Authorization: Bearer <token>`, with a token that the host gets and renews.
    OAuth2(OAuth2),
}

/// OAuth 2 as this provider does it; see the contract's `oauth2`.
#[derive(Clone, Copy, Debug)]
pub struct OAuth2 {
    /// Literal path on the account's URL.
    pub token_path: &'static str,
    /// The field for a token made elsewhere.
    pub access_token: Option<&'static str>,
    /// A field.
    pub client_id: &'static str,
    /// A field.
    pub client_secret: &'static str,
    /// How the token endpoint takes the client's two fields.
    pub client_authentication: ClientAuthentication,
    /// In the order they are tried.
    pub grants: &'static [OAuth2Grant],
    /// What token requests count against.
    pub rate_group: Option<&'static str>,
}

/// What a token is issued for; each string names a credential field.
#[derive(Clone, Copy, Debug)]
pub enum OAuth2Grant {
    /// A signed assertion.
    JwtBearer(&'static str),
    /// The first refresh token.
    RefreshToken(&'static str),
    /// The client itself.
    ClientCredentials,
}

/// Something the operator tells kosmo about an account.
#[derive(Clone, Copy, Debug)]
pub struct CredentialField {
    key: &'static str,
    label: &'static str,
    description: &'static str,
    kind: contract::FieldKind,
    required: bool,
}

impl CredentialField {
    /// A required secret. The plugin never sees it.
    pub const fn secret(key: &'static str, label: &'static str, description: &'static str) -> Self {
        Self { key, label, description, kind: contract::FieldKind::Secret, required: true }
    }

    /// Not needed by every account.
    pub const fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// An optional plain setting; read it with [`Invocation::setting`](crate::Invocation::setting).
    pub const fn setting(key: &'static str, label: &'static str, description: &'static str) -> Self {
        Self { key, label, description, kind: contract::FieldKind::Setting, required: false }
    }

    fn describe(&self) -> contract::CredentialField {
        contract::CredentialField {
            key: self.key.into(),
            label: self.label.into(),
            description: self.description.into(),
            kind: self.kind,
            required: self.required,
        }
    }
}

/// So many requests in a window of so many seconds.
#[derive(Clone, Copy, Debug)]
pub struct RateGroup {
    name: &'static str,
    limit: u32,
    window: u32,
    account_wide: bool,
}

impl RateGroup {
    /// `limit` requests in any `window` seconds; what [`Function::rate_group`] names.
    pub const fn new(name: &'static str, limit: u32, window: u32) -> Self {
        Self { name, limit, window, account_wide: false }
    }

    /// Every request of the account counts against it, besides the group it names.
    pub const fn account_wide(self) -> Self {
        Self { account_wide: true, ..self }
    }
}

/// Another origin than the account's.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// What [`Rule::on`](crate::Rule::on) names.
    pub name: &'static str,
    /// `https://host` each.
    pub urls: &'static [&'static str],
    /// One sentence: what is fetched there.
    pub description: &'static str,
    /// Whether the provider hands out its URLs signed.
    pub signed: bool,
}

impl About {
    /// A provider by the plugin file's name, its title and the URL requests go to.
    pub const fn new(name: &'static str, title: &'static str, base_url: &'static str) -> Self {
        Self {
            name,
            title,
            category: "",
            summary: "",
            version: "0.1.0",
            guide: "",
            base_url,
            authentication: Authentication::None,
            credentials: &[],
            rate_groups: &[],
            origins: &[],
            never: &[],
            whoami: None,
        }
    }

    /// `communication`, `productivity`, …
    pub const fn category(self, category: &'static str) -> Self {
        Self { category, ..self }
    }

    /// One sentence.
    pub const fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// The plugin's own version; `env!("CARGO_PKG_VERSION")`.
    pub const fn version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }

    /// Markdown; `include_str!("../guide.md")`.
    pub const fn guide(self, guide: &'static str) -> Self {
        Self { guide, ..self }
    }

    /// How requests are authenticated, and with which fields.
    pub const fn authentication(self, authentication: Authentication, credentials: &'static [CredentialField]) -> Self {
        Self { authentication, credentials, ..self }
    }

    /// The provider's documented rate limits.
    pub const fn rate_groups(self, rate_groups: &'static [RateGroup]) -> Self {
        Self { rate_groups, ..self }
    }

    /// Origins besides the account's.
    pub const fn origins(self, origins: &'static [Origin]) -> Self {
        Self { origins, ..self }
    }

    /// Requests that nothing may send, whichever function's rules cover them.
    pub const fn never(self, never: &'static [Rule]) -> Self {
        Self { never, ..self }
    }

    /// The read function that tells who the account is.
    pub const fn whoami(self, function: &'static str) -> Self {
        Self { whoami: Some(function), ..self }
    }

    pub(crate) fn describe(&self, functions: &[Function]) -> contract::Description {
        contract::Description {
            name: self.name.into(),
            title: self.title.into(),
            category: self.category.into(),
            version: self.version.into(),
            summary: self.summary.into(),
            guide: self.guide.into(),
            base_url: self.base_url.into(),
            authentication: self.authentication.describe(),
            credentials: self.credentials.iter().map(CredentialField::describe).collect(),
            rate_groups: self.rate_groups.iter().map(RateGroup::describe).collect(),
            origins: self.origins.iter().map(Origin::describe).collect(),
            functions: functions.iter().map(Function::describe).collect(),
            never: self.never.iter().map(Rule::describe).collect(),
            whoami: self.whoami.map(Into::into),
        }
    }
}

impl Authentication {
    fn describe(&self) -> contract::Authentication {
        match *self {
            Self::None => contract::Authentication::None,
            Self::Bearer(field) => contract::Authentication::Bearer(field.into()),
            Self::Basic(user, password) => contract::Authentication::Basic((user.into(), password.into())),
            Self::Header(name, field) => contract::Authentication::Header((name.into(), field.into())),
            Self::Query(name, field) => contract::Authentication::Query((name.into(), field.into())),
            Self::OAuth2(oauth2) => contract::Authentication::Oauth2(oauth2.describe()),
        }
    }
}

impl OAuth2 {
    fn describe(&self) -> contract::Oauth2 {
        contract::Oauth2 {
            token_path: self.token_path.into(),
            access_token: self.access_token.map(Into::into),
            client_id: self.client_id.into(),
            client_secret: self.client_secret.into(),
            client_authentication: self.client_authentication,
            grants: self.grants.iter().map(OAuth2Grant::describe).collect(),
            rate_group: self.rate_group.map(Into::into),
        }
    }
}

impl OAuth2Grant {
    fn describe(&self) -> contract::Oauth2Grant {
        match *self {
            Self::JwtBearer(field) => contract::Oauth2Grant::JwtBearer(field.into()),
            Self::RefreshToken(field) => contract::Oauth2Grant::RefreshToken(field.into()),
            Self::ClientCredentials => contract::Oauth2Grant::ClientCredentials,
        }
    }
}

impl RateGroup {
    fn describe(&self) -> contract::RateGroup {
        contract::RateGroup {
            name: self.name.into(),
            limit: self.limit,
            window: self.window,
            account_wide: self.account_wide,
        }
    }
}

impl Origin {
    fn describe(&self) -> contract::Origin {
        contract::Origin {
            name: self.name.into(),
            urls: self.urls.iter().map(|&url| url.into()).collect(),
            description: self.description.into(),
            signed: self.signed,
        }
    }
}
