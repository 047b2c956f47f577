//! `POST /restapi/oauth/token`: sessions, access tokens that end, and refresh tokens that work once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::account::holder;
use crate::ACCOUNTS;
use crate::reply::Reply;
use crate::request::Request;

/// The path of the token endpoint.
pub(crate) const PATH: &str = "/restapi/oauth/token";
/// The one application that may ask for tokens.
pub(crate) const CLIENT: [&str; 2] = ["sim-client-id-4Rk9", "sim-client-secret-Vb3Wq8Zt5Lx2Mc7Np"];

const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const FIELDS: [&str; 3] = ["grant_type", "assertion", "refresh_token"];
/// Seconds.
const REFRESH_LIFETIME: u64 = 604_800;
const WINDOW: Duration = Duration::from_secs(60);
/// Requests of one user in a window.
const LIMIT: usize = 5;

/// Everything that was issued.
pub(crate) struct OAuth {
    /// Life of access tokens that are issued from now on.
    pub(crate) lifetime: Duration,
    /// How long a refresh token that was used still gives the same tokens again.
    pub(crate) grace: Duration,
    grants: Vec<Grant>,
    asked: VecDeque<(Instant, &'static str)>,
}

/// One access token with the refresh token that replaces it.
struct Grant {
    account: &'static str,
    access: String,
    refresh: String,
    /// Unknown for one that was issued before the simulator began.
    expires: Option<Instant>,
    lifetime: Duration,
    /// When it was replaced, and by which.
    replaced: Option<(Instant, usize)>,
}

impl Default for OAuth {
    fn default() -> OAuth {
        let (lifetime, grace) = (Duration::from_secs(3600), Duration::from_secs(10));
        let mut oauth = OAuth { lifetime, grace, grants: Vec::new(), asked: VecDeque::new() };
        for account in ACCOUNTS {
            oauth.grants.push(Grant {
                account,
                access: String::new(),
                refresh: refresh_token(account),
                expires: None,
                lifetime,
                replaced: None,
            });
        }
        oauth
    }
}

/// The assertion that gives tokens of an account, again and again.
pub(crate) fn jwt(account: &str) -> String {
    format!("eyJzaW11bGF0b3IiOnRydWV9.eyJzdWIiOi{account}In0.c2lnbmVkLWJ5LXRoZS1zaW11bGF0b3I")
}

/// The refresh token that an account's user was given at the beginning.
pub(crate) fn refresh_token(account: &str) -> String {
    format!("sim-ringcentral-{account}-refresh-0-Hd6Kp3Wn8Yt1Qs5Zx")
}

/// What an access token that was once issued is good for now.
pub(crate) enum Standing {
    Good(&'static str),
    Expired,
    Unknown,
}

impl OAuth {
    pub(crate) fn standing(&self, access: &str) -> Standing {
        let Some(grant) = self.grants.iter().find(|grant| grant.access == access && !access.is_empty()) else {
            return Standing::Unknown;
        };
        match grant.expires {
            _ if grant.replaced.is_some() => Standing::Unknown,
            Some(expires) if expires > Instant::now() => Standing::Good(grant.account),
            _ => Standing::Expired,
        }
    }

    /// Ends every access token; refresh tokens go on.
    pub(crate) fn revoke_access(&mut self) {
        for grant in &mut self.grants {
            grant.expires = None;
        }
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Reply {
        match self.issue(request) {
            Ok(index) => Reply::json(200, &self.shown(index)),
            Err(reply) => reply,
        }
    }

    fn issue(&mut self, request: &Request) -> Result<usize, Reply> {
        let form = form(request)?;
        check_client(request)?;
        let value = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        match value("grant_type") {
            JWT => self.by_assertion(value("assertion")),
            "refresh_token" => self.by_refresh(value("refresh_token")),
            other => Err(refused(400, "unsupported_grant_type", "OAU-250", "Unsupported grant type", Some(other))),
        }
    }

    fn by_assertion(&mut self, assertion: &str) -> Result<usize, Reply> {
        let spent = || refused(400, "invalid_grant", "OAU-251", "JWT token is invalid or revoked", None);
        let account = ACCOUNTS.into_iter().find(|account| jwt(account) == assertion).ok_or_else(spent)?;
        self.count(account)?;
        Ok(self.add(account))
    }

    fn by_refresh(&mut self, refresh: &str) -> Result<usize, Reply> {
        let spent = || refused(400, "invalid_grant", "OAU-213", "Token not found", None);
        let index = self.grants.iter().position(|grant| grant.refresh == refresh).ok_or_else(spent)?;
        let account = self.grants[index].account;
        self.count(account)?;
        match self.grants[index].replaced {
            Some((moment, next)) if moment.elapsed() < self.grace => Ok(next),
            Some(_) => Err(spent()),
            None => {
                let next = self.add(account);
                self.grants[index].replaced = Some((Instant::now(), next));
                Ok(next)
            }
        }
    }

    fn add(&mut self, account: &'static str) -> usize {
        let (number, lifetime) = (self.grants.len(), self.lifetime);
        self.grants.push(Grant {
            account,
            access: format!("sim-ringcentral-{account}-access-{number}-Lw4Jv9Rb2Xe7Gm1Ta"),
            refresh: format!("sim-ringcentral-{account}-refresh-{number}-Hd6Kp3Wn8Yt1Qs5Zx"),
            expires: Some(Instant::now() + lifetime),
            lifetime,
            replaced: None,
        });
        number
    }

    /// The one limit that is enforced: no test has a reason to come near it.
    fn count(&mut self, account: &'static str) -> Result<(), Reply> {
        self.asked.retain(|(moment, _)| moment.elapsed() < WINDOW);
        if self.asked.iter().filter(|(_, asked)| *asked == account).count() >= LIMIT {
            return Err(rate_limited());
        }
        self.asked.push_back((Instant::now(), account));
        Ok(())
    }

    fn shown(&self, index: usize) -> Value {
        let grant = &self.grants[index];
        json!({
            "access_token": grant.access,
            "token_type": "bearer",
            "expires_in": grant.lifetime.as_secs(),
            "refresh_token": grant.refresh,
            "refresh_token_expires_in": REFRESH_LIFETIME,
            "scope": "EditMessages ReadAccounts ReadCallLog ReadContacts ReadMessages ReadPresence SMS",
            "owner_id": holder(grant.account).to_string(),
            "endpoint_id": "8zXq6oaLT7WvwWITlGiA1A",
            "session_id": format!("session-{index}"),
        })
    }
}

fn form(request: &Request) -> Result<Vec<(String, String)>, Reply> {
    let content_type = request.header("content-type").unwrap_or_default();
    if request.method != "POST" || content_type != "application/x-www-form-urlencoded" {
        let why = format!("{} with a body of type {content_type:?}", request.method);
        return Err(Reply::empty(415).refusing(Some(why)));
    }
    let form: Vec<(String, String)> = form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
    match form.iter().find(|(name, _)| !FIELDS.contains(&name.as_str())) {
        Some((name, _)) => Err(refused(400, "invalid_request", "OAU-252", "Unknown parameter", Some(name))),
        None => Ok(form),
    }
}

/// The application says who it is by HTTP Basic, both parts encoded as in a form.
fn check_client(request: &Request) -> Result<(), Reply> {
    let pair = CLIENT.map(|part| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>()).join(":");
    if request.header("authorization") == Some(format!("Basic {}", STANDARD.encode(pair)).as_str()) {
        return Ok(());
    }
    Err(refused(400, "invalid_client", "OAU-153", "Client authentication failed", None))
}

/// `odd` is what breaks the documented interface, if anything does.
fn refused(status: u16, error: &str, code: &str, words: &str, odd: Option<&str>) -> Reply {
    let errors = json!([{"errorCode": code, "message": words}]);
    let body = json!({"error": error, "error_description": words, "errors": errors});
    Reply::json(status, &body).refusing(odd.map(|odd| format!("{words} {odd:?}")))
}

fn rate_limited() -> Reply {
    let errors = json!([{"errorCode": "CMN-301", "message": "Request rate exceeded"}]);
    let body = json!({"errorCode": "CMN-301", "message": "Request rate exceeded", "errors": errors});
    Reply::json(429, &body)
        .with_header("retry-after", WINDOW.as_secs())
        .with_header("x-rate-limit-group", "auth")
        .with_header("x-rate-limit-limit", LIMIT)
        .with_header("x-rate-limit-remaining", 0)
        .with_header("x-rate-limit-window", WINDOW.as_secs())
}
