//! What authenticates a request: what the operator gave, or an OAuth token that is asked for when it is needed first and
//! replaced ahead of its end.

use super::Gate;
use super::answer::Whole;
use super::check::Permit;
use crate::account::{Credential, Scheme};
use crate::fault::{Code, Fault};
use crate::secrets::Secrets;
use crate::store::Token;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After a refusal nobody asks the same again for so long.
const REFUSED: Duration = Duration::from_secs(60);
/// After any other failure.
const FAILED: Duration = Duration::from_secs(5);
/// A token that was in use for so long is one that worked.
const ESTABLISHED: Duration = Duration::from_secs(60);

/// What this process knows of one account's token.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    known: Mutex<Known>,
    /// Who has it, asks; all others wait for what comes of it.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    token: Option<Arc<Live>>,
    /// Why there is no newer one, and until when nobody asks again.
    failed: Option<(Fault, Instant)>,
    /// One that was issued and could not be kept; nobody may use it before it is.
    unkept: Option<Token>,
}

/// A token as requests carry it.
#[derive(Debug)]
pub(crate) struct Live {
    credential: Credential,
    token: Token,
    /// Whether the provider ever accepted it.
    proven: AtomicBool,
}

/// What authenticates a request.
pub(super) enum Authority {
    Nobody,
    Fixed(Arc<Credential>),
    Live(Arc<Live>),
}

impl Authority {
    pub(super) fn credential(&self) -> Option<&Credential> {
        match self {
            Self::Nobody => None,
            Self::Fixed(credential) => Some(credential),
            Self::Live(live) => Some(&live.credential),
        }
    }

    /// Remembers that the provider took it, if it did.
    fn note(&self, status: StatusCode) {
        if let Self::Live(live) = self {
            live.note(status);
        }
    }
}

impl Gate {
    /// Sends a request that was checked with the account's authority, and once more if that had ended before its time: a
    /// request that was refused so was not carried out.
    pub(super) async fn dispatch(
        &self,
        parts: &Parts,
        permit: &Permit<'_>,
        body: Bytes,
    ) -> Result<Response<Whole>, Fault> {
        let authority = self.authority(permit).await?;
        let answer = self.deliver(parts, permit, &authority, body.clone()).await?;
        authority.note(answer.status());
        let Some(next) = self.after(&authority, answer.status()).await? else { return Ok(answer) };
        drop(answer);
        let answer = self.deliver(parts, permit, &next, body).await?;
        next.note(answer.status());
        Ok(answer)
    }

    /// Whose authority a request goes out with: the account's, on the account's own URL and nowhere else.
    async fn authority(&self, permit: &Permit<'_>) -> Result<Authority, Fault> {
        match self.account().scheme() {
            Scheme::Fixed(credential) if permit.authenticated => Ok(Authority::Fixed(Arc::clone(credential))),
            Scheme::OAuth(_) if permit.authenticated => self.token(None).await.map(Authority::Live),
            _ => Ok(Authority::Nobody),
        }
    }

    /// Another authority, if that of a request was refused and another one may not be. A token that never worked is no
    /// reason to ask for one more.
    async fn after(&self, used: &Authority, status: StatusCode) -> Result<Option<Authority>, Fault> {
        let Authority::Live(live) = used else { return Ok(None) };
        if status != StatusCode::UNAUTHORIZED {
            return Ok(None);
        }
        if !live.is_proven() && self.connected.tokens.is_newest(live) {
            return Ok(None);
        }
        self.token(Some(Arc::clone(live))).await.map(Authority::Live).map(Some)
    }

    /// The token to use, and not the refused one. Getting it goes on when this invocation's time is up: what was issued
    /// and not kept would be lost.
    async fn token(&self, refused: Option<Arc<Live>>) -> Result<Arc<Live>, Fault> {
        if let Some(known) = self.connected.tokens.known(refused.as_ref()) {
            return known;
        }
        let (connected, host, trail) = (Arc::clone(&self.connected), Arc::clone(&self.host), Arc::clone(&self.trail));
        let renewal = tokio::spawn(async move { connected.renewed(&host, &trail, refused).await });
        renewal.await.unwrap_or_else(|error| Err(Fault::new(Code::Internal, format!("asking for a token: {error}"))))
    }
}

impl Tokens {
    /// The token in use, or why there is none; nothing if it is time to ask.
    pub(crate) fn known(&self, refused: Option<&Arc<Live>>) -> Option<Result<Arc<Live>, Fault>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.failed.take_if(|(_, until)| *until <= Instant::now());
        match (known.other_than(refused), &known.failed) {
            (Some(live), None) => live.token.is_fresh().then(|| Ok(Arc::clone(live))),
            // Better the last minutes of an old token than none.
            (Some(live), Some(_)) if live.token.is_alive() => Some(Ok(Arc::clone(live))),
            (_, Some((fault, _))) => Some(Err(fault.clone())),
            (None, None) => None,
        }
    }

    /// A token that is still to be kept.
    pub(crate) fn take_unkept(&self) -> Option<Token> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).unkept.take()
    }

    pub(crate) fn set_unkept(&self, token: Token) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).unkept = Some(token);
    }

    /// Whether nothing came after it.
    pub(crate) fn is_newest(&self, live: &Arc<Live>) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.token.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, live))
    }

    /// What came of asking is known from now on, and this is what to use. A token that was just issued is used whatever
    /// its age: the next one would be no younger.
    pub(crate) fn settle(&self, outcome: Result<Live, Fault>, refused: Option<&Arc<Live>>) -> Result<Arc<Live>, Fault> {
        outcome.map(|live| self.put(live)).or_else(|fault| self.fail(fault, refused))
    }

    /// From now on this is the newest token.
    pub(crate) fn put(&self, live: Live) -> Arc<Live> {
        let live = Arc::new(live);
        let known = Known { token: Some(Arc::clone(&live)), failed: None, unkept: None };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        live
    }

    fn fail(&self, fault: Fault, refused: Option<&Arc<Live>>) -> Result<Arc<Live>, Fault> {
        let pause = match (fault.retry_after, fault.code) {
            (Some(seconds), _) => Duration::from_secs(seconds.into()),
            (None, Code::Unauthorized) => REFUSED,
            (None, _) => FAILED,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.failed = Some((fault.clone(), Instant::now() + pause));
        known.other_than(refused).filter(|live| live.token.is_alive()).cloned().ok_or(fault)
    }
}

impl Known {
    fn other_than(&self, refused: Option<&Arc<Live>>) -> Option<&Arc<Live>> {
        self.token.as_ref().filter(|live| refused.is_none_or(|refused| !Arc::ptr_eq(refused, live)))
    }
}

impl Live {
    /// From now on the token is a secret like everything that was configured. `title` issued it, for `whose` requests.
    pub(crate) fn new(token: Token, secrets: &Secrets, title: &str, whose: &str) -> Result<Self, Fault> {
        secrets.learn(&format!("the access token of {whose}"), &token.access);
        if let Some(refresh) = &token.refresh {
            secrets.learn(&format!("the refresh token of {whose}"), refresh);
        }
        let value = HeaderValue::try_from(format!("Bearer {}", token.access.expose()));
        let unsendable = |_| Fault::new(Code::Provider, format!("{title} issued a token that no header can carry."));
        let mut value = value.map_err(unsendable)?;
        value.set_sensitive(true);
        let established = token.issued.elapsed().is_ok_and(|age| age > ESTABLISHED);
        Ok(Self { credential: Credential::Header(header::AUTHORIZATION, value), token, proven: established.into() })
    }

    /// What carries it.
    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Whether it was ever accepted.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// Takes it for one that was accepted, since whoever kept it used it.
    pub(crate) fn trusted(self) -> Self {
        Self { proven: true.into(), ..self }
    }

    /// Remembers that it was accepted, if it was.
    pub(crate) fn note(&self, status: StatusCode) {
        if status != StatusCode::UNAUTHORIZED {
            self.proven.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it is this token.
    pub(crate) fn is(&self, token: &Token) -> bool {
        self.token.access.expose() == token.access.expose()
    }
}
