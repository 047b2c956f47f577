//! An account read: its fields, as the operator wrote them, against what its provider describes.

use super::{AccountError, Credential, Fields, Origin, Scheme, known_fields};
use crate::bindings::contract;
use crate::description::{Authentication, Description, FieldKind, Oauth2, Oauth2Grant, grant_field};
use crate::oauth::{self, Grant};
use crate::rule::Base;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, header};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Headers that say where a request goes and where it ends. No credential is one of them.
const FRAMING: [HeaderName; 5] =
    [header::HOST, header::CONTENT_LENGTH, header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE];

/// An account's fields against what its provider describes.
pub(super) struct Reader<'a> {
    pub(super) description: &'a Description,
    pub(super) account: &'a str,
    pub(super) fields: &'a Fields,
}

impl Reader<'_> {
    pub(super) fn provider(&self) -> String {
        self.description.name.clone()
    }

    fn field(&self, key: &str) -> Option<&str> {
        self.fields.get(key).map(Secret::expose).filter(|value| !value.is_empty())
    }

    pub(super) fn check_known(&self) -> Result<(), AccountError> {
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

    pub(super) fn check_required(&self) -> Result<(), AccountError> {
        let required = self.description.credentials.iter().filter(|field| field.required);
        let missing: Vec<_> =
            required.filter(|field| self.field(&field.key).is_none()).map(|field| field.key.clone()).collect();
        match &self.description.authentication {
            _ if !missing.is_empty() => Err(self.missing(missing, Vec::new())),
            Authentication::Oauth2(oauth2) => self.check_ways(oauth2),
            _ => Ok(()),
        }
    }

    /// A token, or a client with something to ask for one: any will do, half of one will not.
    fn check_ways(&self, oauth2: &Oauth2) -> Result<(), AccountError> {
        let token = oauth2.access_token.as_ref();
        if self.has_client(oauth2) || token.is_some_and(|field| self.has(field)) {
            return Ok(());
        }
        let mut ways: Vec<Vec<String>> = oauth2.grants.iter().map(|grant| client_fields(oauth2, grant)).collect();
        let begun = ways.iter().position(|way| way.iter().any(|field| self.has(field)));
        if let Some(begun) = begun {
            let way = ways.swap_remove(begun).into_iter().filter(|field| !self.has(field));
            return Err(self.missing(way.collect(), Vec::new()));
        }
        ways.splice(..0, token.map(|field| vec![field.clone()]));
        let first = if ways.is_empty() { Vec::new() } else { ways.remove(0) };
        Err(self.missing(first, ways))
    }

    fn missing(&self, missing: Vec<String>, alternatives: Vec<Vec<String>>) -> AccountError {
        AccountError::Missing {
            provider: self.provider(),
            account: self.account.into(),
            missing,
            alternatives,
            place: None,
        }
    }

    /// Which field is a secret, and where requests go, is the plugin's word. Before the operator accepted its file,
    /// that word counts for nothing: it gets no field to read, and nothing goes where it says.
    pub(super) fn check_unaccepted(&self, digest: &str) -> Result<(), AccountError> {
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

    pub(super) fn base(&self, field: &str) -> Result<Option<Base>, AccountError> {
        self.field(field).map(Base::typed).transpose().map_err(|error| AccountError::Url {
            provider: self.provider(),
            account: self.account.into(),
            field: field.into(),
            error,
        })
    }

    /// Where an origin is, the operator typed, or an accepted plugin declared.
    pub(super) fn origins(&self, accepted: bool) -> Result<BTreeMap<String, Origin>, AccountError> {
        let resolve = |origin: &contract::Origin| {
            let urls = origin.urls.iter().filter(|_| accepted);
            let declared = || urls.filter_map(|url| Base::declared(url).ok()).collect();
            let bases = self.base(&origin.name)?.map_or_else(declared, |typed| vec![typed]);
            Ok((origin.name.clone(), Origin { bases, signed: origin.signed }))
        };
        self.description.origins.iter().map(resolve).collect()
    }

    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let plain = self.description.credentials.iter().filter(|field| field.kind == FieldKind::Setting);
        let keys = plain.map(|field| &field.key).chain(self.description.origins.iter().map(|origin| &origin.name));
        keys.filter_map(|key| Some((key.clone(), self.field(key)?.to_owned()))).collect()
    }

    /// How requests are authenticated, as far as the account says.
    pub(super) fn scheme(&self, base: &Base) -> Result<Scheme, AccountError> {
        match &self.description.authentication {
            Authentication::None => Ok(Scheme::Open),
            Authentication::Bearer(field) => self.fixed(&[field], || self.bearer(field)),
            Authentication::Basic((user, password)) => self.fixed(&[user, password], || self.basic(user, password)),
            Authentication::Header((name, field)) => self.fixed(&[field], || self.named(name, field)),
            Authentication::Query((name, field)) => {
                self.fixed(&[field], || Ok(Credential::Query(name.clone(), Secret::new(self.value(field)))))
            }
            Authentication::Oauth2(oauth2) => self.oauth2(oauth2, base),
        }
    }

    fn fixed(
        &self,
        fields: &[&String],
        credential: impl FnOnce() -> Result<Credential, AccountError>,
    ) -> Result<Scheme, AccountError> {
        if !fields.iter().all(|field| self.has(field)) {
            return Ok(Scheme::Open);
        }
        Ok(Scheme::Fixed(Arc::new(credential()?)))
    }

    fn bearer(&self, field: &str) -> Result<Credential, AccountError> {
        self.header(header::AUTHORIZATION, field, &format!("Bearer {}", self.value(field)))
    }

    fn basic(&self, user: &str, password: &str) -> Result<Credential, AccountError> {
        let pair = STANDARD.encode(format!("{}:{}", self.value(user), self.value(password)));
        self.header(header::AUTHORIZATION, password, &format!("Basic {pair}"))
    }

    fn named(&self, name: &str, field: &str) -> Result<Credential, AccountError> {
        match name.parse() {
            Ok(name) if !FRAMING.contains(&name) => self.header(name, field, self.value(field)),
            _ => Err(AccountError::Header {
                provider: self.provider(),
                account: self.account.into(),
                field: field.into(),
            }),
        }
    }

    /// A client that can ask for tokens counts more than a token that will end.
    fn oauth2(&self, oauth2: &Oauth2, base: &Base) -> Result<Scheme, AccountError> {
        if !self.has_client(oauth2) {
            return oauth2
                .access_token
                .as_ref()
                .map_or(Ok(Scheme::Open), |field| self.fixed(&[field], || self.bearer(field)));
        }
        Ok(Scheme::OAuth(Box::new(oauth::Client {
            title: self.description.title.clone(),
            provider: self.provider(),
            account: self.account.into(),
            url: format!("{}{}", base.as_str(), oauth2.token_path),
            id: self.given(&oauth2.client_id),
            secret: self.given(&oauth2.client_secret),
            authentication: oauth2.client_authentication,
            grants: oauth2.grants.iter().filter_map(|grant| self.grant(grant)).collect(),
            rate_group: oauth2.rate_group.clone(),
        })))
    }

    fn has_client(&self, oauth2: &Oauth2) -> bool {
        let granted = |grant| grant_field(grant).is_none_or(|field| self.has(field));
        self.has(&oauth2.client_id) && self.has(&oauth2.client_secret) && oauth2.grants.iter().any(granted)
    }

    fn grant(&self, grant: &Oauth2Grant) -> Option<Grant> {
        match grant {
            Oauth2Grant::JwtBearer(field) => self.has(field).then(|| Grant::Jwt(self.given(field))),
            Oauth2Grant::RefreshToken(field) => self.has(field).then(|| Grant::Refresh(self.given(field))),
            Oauth2Grant::ClientCredentials => Some(Grant::Client),
        }
    }

    fn given(&self, field: &str) -> oauth::Field {
        oauth::Field { key: field.into(), value: Secret::new(self.value(field)) }
    }

    fn has(&self, field: &str) -> bool {
        self.field(field).is_some()
    }

    fn value(&self, field: &str) -> &str {
        self.field(field).unwrap_or_default()
    }

    fn header(&self, name: HeaderName, field: &str, value: &str) -> Result<Credential, AccountError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| self.unsendable(field))?;
        value.set_sensitive(true);
        Ok(Credential::Header(name, value))
    }

    fn unsendable(&self, field: &str) -> AccountError {
        AccountError::Unsendable { provider: self.provider(), account: self.account.into(), field: field.into() }
    }
}

/// What a client needs for this grant.
fn client_fields(oauth2: &Oauth2, grant: &Oauth2Grant) -> Vec<String> {
    let client = [oauth2.client_id.clone(), oauth2.client_secret.clone()];
    client.into_iter().chain(grant_field(grant).map(Into::into)).collect()
}
