//! OAuth 2 as this host speaks it: what is asked at the token endpoint, and what an answer means. Pure.

use crate::account::variable;
use crate::description::ClientAuthentication;
use crate::fault::{Code, Fault};
use crate::provider::hex;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::form_urlencoded;

/// A token's life if the provider does not tell.
const LIFETIME: Duration = Duration::from_secs(3600);
/// A token that is said to live longer is renewed all the same: beyond the calendar no moment could be told.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Before its end a token is renewed: this long, or a tenth of its life if that is longer.
const MARGIN: Duration = Duration::from_secs(60);
/// Seconds until a provider that asks for patience without saying how long is asked again.
const PATIENCE: u32 = 30;
/// Letters of a provider's explanation worth showing.
const EXPLANATION: usize = 300;

/// An account's OAuth client, with everything it needs to ask for tokens.
#[derive(Debug)]
pub(crate) struct Client {
    /// `RingCentral`
    pub(crate) title: String,
    /// `ringcentral`
    pub(crate) provider: String,
    /// `default`
    pub(crate) account: String,
    /// The token endpoint, on the account's own URL.
    pub(crate) url: String,
    pub(crate) id: Field,
    pub(crate) secret: Field,
    pub(crate) authentication: ClientAuthentication,
    /// Those the account has the field for, in the order they are tried.
    pub(crate) grants: Vec<Grant>,
    /// What token requests count against.
    pub(crate) rate_group: Option<String>,
}

/// A field of the account.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) key: String,
    pub(crate) value: Secret,
}

/// What a token is issued for.
#[derive(Debug)]
pub(crate) enum Grant {
    /// A signed assertion that can be used again and again.
    Jwt(Field),
    /// The first refresh token. Each can be used once.
    Refresh(Field),
    /// The client itself.
    Client,
}

/// What the provider issued.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
    pub(crate) lifetime: Duration,
    /// What it is good for, if the provider tells.
    pub(crate) scope: Option<String>,
}

/// How long after it was issued a token is replaced by the next one.
pub(crate) fn renewal(lifetime: Duration) -> Duration {
    lifetime - (lifetime / 10).max(MARGIN).min(lifetime / 2)
}

impl Client {
    /// Tells apart what tokens were issued for: another client, grant or place means another token.
    pub(crate) fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        let grants = self.grants.iter().flat_map(|grant| [grant.name(), grant.value().map_or("", Secret::expose)]);
        for part in [self.url.as_str(), self.id.value.expose()].into_iter().chain(grants) {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        hex(&digest.finalize())
    }

    /// Whether any grant outlives its use, so that a token that was lost is just issued again.
    pub(crate) fn is_repeatable(&self) -> bool {
        !self.grants.iter().all(|grant| matches!(grant, Grant::Refresh(_)))
    }

    /// What is sent to the token endpoint. `refresh` is the newest refresh token, if there was one since the first.
    ///
    /// # Errors
    /// When the account's URL cannot be sent to.
    pub(crate) fn request(&self, grant: &Grant, refresh: Option<&Secret>) -> Result<Request<Full<Bytes>>, Fault> {
        let mut form = vec![("grant_type", grant.name())];
        match grant {
            Grant::Jwt(assertion) => form.push(("assertion", assertion.value.expose())),
            Grant::Refresh(first) => form.push(("refresh_token", refresh.unwrap_or(&first.value).expose())),
            Grant::Client => {}
        }
        let proof = match self.authentication {
            ClientAuthentication::Basic => Proof::Basic(&self.secret.value),
            ClientAuthentication::Body => Proof::Body(&self.secret.value),
        };
        request(&self.url, &form, self.id.value.expose(), proof)
    }

    /// What an answer to it means.
    ///
    /// # Errors
    /// `unauthorized`, `rate_limited`, or `provider`, with who was refused what, and the cure.
    pub(crate) fn read(
        &self,
        grant: &Grant,
        status: StatusCode,
        retry_after: Option<u32>,
        body: &[u8],
    ) -> Result<Issued, Fault> {
        if !status.is_success() {
            return Err(self.refused(grant, status, retry_after, body));
        }
        issued(body).map_err(|what| self.unusable(what))
    }

    fn refused(&self, grant: &Grant, status: StatusCode, retry_after: Option<u32>, body: &[u8]) -> Fault {
        let (refusal, code) = (Refusal::read(body), refusal_code(status));
        let cure =
            if code == Code::Unauthorized { self.cure(grant, &refusal, status) } else { "Try again later.".into() };
        let message = format!(
            "{} issued no token for account '{}' ({}){}. {cure}",
            self.title,
            self.account,
            refusal.codes(status),
            refusal.words(),
        );
        Fault {
            status: Some(status.as_u16()),
            provider_code: refusal.error,
            retry_after: (code == Code::RateLimited).then(|| retry_after.unwrap_or(PATIENCE)),
            ..Fault::new(code, message)
        }
    }

    fn cure(&self, grant: &Grant, refusal: &Refusal, status: StatusCode) -> String {
        let (provider, account) = (&self.provider, &self.account);
        let of_client = status == StatusCode::UNAUTHORIZED || refusal.error.as_deref() == Some("invalid_client");
        let (what, key) = match grant.key() {
            Some(key) if refusal.error.as_deref() == Some("invalid_grant") => (format!("Make a new `{key}`"), key),
            Some(key) if !of_client => (format!("Check `{}`, `{}` and `{key}`", self.id.key, self.secret.key), key),
            _ => (format!("Check `{}` and `{}`", self.id.key, self.secret.key), self.id.key.as_str()),
        };
        format!(
            "{what}, under [accounts.{provider}.{account}] in config.toml or {} in the environment.",
            variable(provider, account, key)
        )
    }

    fn unusable(&self, what: &str) -> Fault {
        let message = format!("What {} issued for account '{}' {what}.", self.title, self.account);
        Fault::new(Code::Provider, message)
    }
}

impl Grant {
    fn name(&self) -> &'static str {
        match self {
            Self::Jwt(_) => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::Refresh(_) => "refresh_token",
            Self::Client => "client_credentials",
        }
    }

    fn field(&self) -> Option<&Field> {
        match self {
            Self::Jwt(field) | Self::Refresh(field) => Some(field),
            Self::Client => None,
        }
    }

    fn key(&self) -> Option<&str> {
        self.field().map(|field| field.key.as_str())
    }

    fn value(&self) -> Option<&Secret> {
        self.field().map(|field| &field.value)
    }
}

/// Whether the provider refused what the token was asked for, so that another grant may do.
pub(crate) fn is_spent(fault: &Fault) -> bool {
    fault.code == Code::Unauthorized && fault.provider_code.as_deref() == Some("invalid_grant")
}

/// How a client shows who it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof<'a> {
    /// By its name alone.
    Nothing,
    /// In a header.
    Basic(&'a Secret),
    /// Beside its name.
    Body(&'a Secret),
}

/// A form for an endpoint that only clients may use.
///
/// # Errors
/// When the URL cannot be sent to.
pub(crate) fn request(
    url: &str,
    fields: &[(&str, &str)],
    id: &str,
    proof: Proof<'_>,
) -> Result<Request<Full<Bytes>>, Fault> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    let mut request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json");
    match proof {
        Proof::Nothing => _ = form.append_pair("client_id", id),
        Proof::Basic(secret) => request = request.header(header::AUTHORIZATION, basic(id, secret.expose())),
        Proof::Body(secret) => _ = form.append_pair("client_id", id).append_pair("client_secret", secret.expose()),
    }
    let body = Full::new(Bytes::from(form.finish()));
    request.body(body).map_err(|error| Fault::new(Code::Internal, format!("{url}: {error}")))
}

/// What a token endpoint issued, or what its answer is instead: `is …`.
pub(crate) fn issued(body: &[u8]) -> Result<Issued, &'static str> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| "is not a token's JSON")?;
    if !answer.token_type.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err("is a token of another type than `bearer`");
    }
    let lifetime = answer.expires_in.map_or(LIFETIME, Duration::from_secs).min(LONGEST);
    let (access, refresh) = (Secret::new(answer.access_token), answer.refresh_token.map(Secret::new));
    Ok(Issued { access, refresh, lifetime, scope: answer.scope })
}

/// What it means that a token endpoint issued nothing.
pub(crate) fn refusal_code(status: StatusCode) -> Code {
    match (status, status.is_server_error()) {
        (StatusCode::TOO_MANY_REQUESTS, _) => Code::RateLimited,
        (_, true) => Code::Provider,
        _ => Code::Unauthorized,
    }
}

/// RFC 6749, 2.3.1: both encoded as in a form before they are joined.
fn basic(id: &str, secret: &str) -> HeaderValue {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).unwrap_or(HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    refresh_token: Option<String>,
    scope: Option<String>,
}

/// Some providers write the number in quotes.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok())))
}

/// Why there is none, in the provider's words.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    pub(crate) error: Option<String>,
    error_description: Option<String>,
    errors: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    error_code: Option<String>,
    message: Option<String>,
}

impl Refusal {
    /// Nothing of an answer that is none of its kind.
    pub(crate) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// `400 invalid_grant, OAU-213`
    pub(crate) fn codes(&self, status: StatusCode) -> String {
        let error = self.error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
        let detail = self.errors.iter().find_map(|detail| detail.error_code.as_ref());
        format!("{}{error}{}", status.as_u16(), detail.map(|code| format!(", {code}")).unwrap_or_default())
    }

    /// `: Token not found`
    pub(crate) fn words(&self) -> String {
        let words = self.error_description.as_ref().or_else(|| self.errors.iter().find_map(|one| one.message.as_ref()));
        let short =
            |words: &String| words.chars().filter(|letter| !letter.is_control()).take(EXPLANATION).collect::<String>();
        words.map(|words| format!(": {}", short(words).trim_end_matches('.'))).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: &str, value: &str) -> Field {
        Field { key: key.into(), value: Secret::new(value) }
    }

    fn client(authentication: ClientAuthentication) -> Client {
        Client {
            title: "RingCentral".into(),
            provider: "ringcentral".into(),
            account: "work".into(),
            url: "https://platform.test/restapi/oauth/token".into(),
            id: field("client_id", "my id"),
            secret: field("client_secret", "s3cr3t+"),
            authentication,
            grants: vec![
                Grant::Jwt(field("jwt", "a.b.c")),
                Grant::Refresh(field("refresh_token", "first")),
                Grant::Client,
            ],
            rate_group: None,
        }
    }

    #[track_caller]
    fn check_request(authentication: ClientAuthentication, grant: usize, authorization: Option<&str>, body: &str) {
        let client = client(authentication);
        let request = client.request(&client.grants[grant], Some(&Secret::new("newest"))).expect("a request");
        let header = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().expect("ASCII"));
        assert_eq!(header, authorization);
        assert!(request.headers().get(header::AUTHORIZATION).is_none_or(HeaderValue::is_sensitive));
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/restapi/oauth/token"));
        let sent = format!("{:?}", request.body());
        assert!(sent.contains(&format!("{:?}", Bytes::from(body.to_owned()))), "{sent}");
    }

    #[test]
    fn each_grant_asks_as_its_rfc_says() {
        use ClientAuthentication::{Basic, Body};
        let pair = Some("Basic bXkraWQ6czNjcjN0JTJC");
        let jwt = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c";
        check_request(Basic, 0, pair, jwt);
        check_request(Basic, 1, pair, "grant_type=refresh_token&refresh_token=newest");
        check_request(Basic, 2, pair, "grant_type=client_credentials");
        check_request(Body, 2, None, "grant_type=client_credentials&client_id=my+id&client_secret=s3cr3t%2B");
    }

    #[test]
    fn an_answer_gives_a_token_and_its_life() {
        let client = client(ClientAuthentication::Basic);
        let read = |body: &str| client.read(&client.grants[0], StatusCode::OK, None, body.as_bytes());
        let issued = read(r#"{"access_token":"at","token_type":"Bearer","expires_in":"7199","refresh_token":"rt"}"#);
        let issued = issued.expect("a token");
        assert_eq!((issued.access.expose(), issued.lifetime.as_secs()), ("at", 7199));
        assert_eq!(issued.refresh.as_ref().map(Secret::expose), Some("rt"));
        let issued = read(r#"{"access_token":"at"}"#).expect("a token");
        assert_eq!((issued.lifetime, issued.refresh.is_none()), (LIFETIME, true));
        let issued = read(r#"{"access_token":"at","expires_in":18446744073709551615}"#).expect("a token");
        assert_eq!(issued.lifetime, LONGEST);
        assert!(std::time::SystemTime::now().checked_add(issued.lifetime).is_some(), "a moment that can be told");
        assert_eq!(read("<html>").expect_err("none").code, Code::Provider);
        assert_eq!(read(r#"{"access_token":"at","token_type":"mac"}"#).expect_err("none").code, Code::Provider);
    }

    #[track_caller]
    fn check_refusal(grant: usize, status: u16, body: &str, code: Code, message: &str) {
        let client = client(ClientAuthentication::Basic);
        let status = StatusCode::from_u16(status).expect("a status");
        let fault = client.read(&client.grants[grant], status, None, body.as_bytes()).expect_err("a refusal");
        assert_eq!((fault.code, fault.message.as_str()), (code, message));
    }

    #[test]
    fn a_refusal_says_who_what_and_the_cure() {
        let place = "under [accounts.ringcentral.work] in config.toml or RINGCENTRAL_WORK_";
        let spent =
            r#"{"error":"invalid_grant","error_description":"Token not found.","errors":[{"errorCode":"OAU-213"}]}"#;
        check_refusal(
            0,
            400,
            spent,
            Code::Unauthorized,
            &format!(
                "RingCentral issued no token for account 'work' (400 invalid_grant, OAU-213): Token not found. Make a new \
             `jwt`, {place}JWT in the environment."
            ),
        );
        check_refusal(
            1,
            401,
            r#"{"error":"invalid_client"}"#,
            Code::Unauthorized,
            &format!(
                "RingCentral issued no token for account 'work' (401 invalid_client). Check `client_id` and \
             `client_secret`, {place}CLIENT_ID in the environment."
            ),
        );
        check_refusal(
            1,
            429,
            "",
            Code::RateLimited,
            "RingCentral issued no token for account 'work' (429). Try again later.",
        );
        check_refusal(
            2,
            503,
            "<html>",
            Code::Provider,
            "RingCentral issued no token for account 'work' (503). Try again later.",
        );
    }

    #[test]
    fn only_a_refused_grant_lets_the_next_one_try() {
        let client = client(ClientAuthentication::Basic);
        let refused =
            |body: &str, status| client.read(&client.grants[0], status, None, body.as_bytes()).expect_err("refused");
        assert!(is_spent(&refused(r#"{"error":"invalid_grant"}"#, StatusCode::BAD_REQUEST)));
        assert!(!is_spent(&refused(r#"{"error":"invalid_client"}"#, StatusCode::BAD_REQUEST)));
        assert!(!is_spent(&refused(r#"{"error":"invalid_grant"}"#, StatusCode::SERVICE_UNAVAILABLE)));
    }

    #[track_caller]
    fn check_renewal(lifetime: u64, renewed: u64) {
        assert_eq!(renewal(Duration::from_secs(lifetime)), Duration::from_secs(renewed));
    }

    #[test]
    fn a_token_is_renewed_a_minute_or_a_tenth_ahead_but_not_all_the_time() {
        check_renewal(3600, 3240);
        check_renewal(600, 540);
        check_renewal(300, 240);
        check_renewal(60, 30);
        check_renewal(0, 0);
    }

    #[test]
    fn another_client_grant_or_place_means_another_token() {
        let mut prints = vec![client(ClientAuthentication::Basic).fingerprint()];
        let changes: [fn(&mut Client); 4] = [
            |client| client.url.push('2'),
            |client| client.id = field("client_id", "other"),
            |client| client.grants[0] = Grant::Jwt(field("jwt", "d.e.f")),
            |client| client.grants.truncate(1),
        ];
        for change in changes {
            let mut changed = client(ClientAuthentication::Basic);
            change(&mut changed);
            prints.push(changed.fingerprint());
        }
        let distinct: std::collections::HashSet<_> = prints.iter().collect();
        assert_eq!(distinct.len(), prints.len());
        let mut same = client(ClientAuthentication::Body);
        same.secret = field("client_secret", "renewed");
        assert_eq!(same.fingerprint(), prints[0], "a new client secret keeps the token");
    }
}
