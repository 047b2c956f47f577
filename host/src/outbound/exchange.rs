//! Getting the next OAuth token: one exchange at a time, in this process and among all that share the store, and
//! nothing lost whenever a process is killed.

use super::audited::asking;
use super::client::Connected;
use super::queue::{Passage, too_late};
use super::shelf::Shelf;
use super::token::Live;
use crate::account::Scheme;
use crate::audit::Trail;
use crate::fault::{Code, Fault};
use crate::invocation::Surroundings;
use crate::oauth::{self, Client, Grant, Issued};
use crate::secret::Secret;
use crate::store::Token;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::timeout_at;

/// For each grant; a token endpoint answers in well under a second.
const EXCHANGE: Duration = Duration::from_secs(20);
/// Bytes of an answer of the token endpoint.
const ANSWER: usize = 64 << 10;

impl Connected {
    /// What goes out for it is on record with the invocation that needs it.
    pub(super) async fn renewed(
        &self,
        host: &Surroundings,
        trail: &Trail,
        refused: Option<Arc<Live>>,
    ) -> Result<Arc<Live>, Fault> {
        let _turn = self.tokens.turn.lock().await;
        if let Some(known) = self.tokens.known(refused.as_ref()) {
            return known;
        }
        let Scheme::OAuth(client) = self.account.scheme() else {
            return Err(Fault::new(Code::Internal, "this account has no OAuth client"));
        };
        let outcome = self.obtain(host, client, trail, refused.as_deref()).await;
        let outcome = outcome.map_err(|fault| host.secrets.scrubbed_fault(fault));
        self.tokens.settle(outcome, refused.as_ref())
    }

    /// From the store, if another process was first; otherwise from the provider.
    async fn obtain(
        &self,
        host: &Surroundings,
        client: &Client,
        trail: &Trail,
        refused: Option<&Live>,
    ) -> Result<Live, Fault> {
        let Some(store) = &host.store else {
            return live(self.exchange(client, trail, None, None).await?, host, client);
        };
        let (provider, account, fingerprint) = (&client.provider, &client.account, client.fingerprint());
        let shelf = Shelf::new(store, provider, account, &fingerprint, client.is_repeatable());
        let _lease = shelf.lease().await?;
        let kept = shelf.token().await?;
        let usable = |token: &&Token| token.is_fresh() && refused.is_none_or(|live| !live.is(token));
        if let Some(token) = kept.as_ref().filter(usable) {
            return live(token.copied(), host, client);
        }
        let token = match self.tokens.take_unkept() {
            Some(token) => token,
            None => self.exchange(client, trail, kept, Some(&shelf)).await?,
        };
        let kept = shelf.save(token.copied()).await;
        kept.inspect_err(|_| self.tokens.set_unkept(token.copied()))?;
        live(token, host, client)
    }

    /// Asks with one grant after the other until the provider issues a token.
    async fn exchange(
        &self,
        client: &Client,
        trail: &Trail,
        kept: Option<Token>,
        shelf: Option<&Shelf>,
    ) -> Result<Token, Fault> {
        let interrupted = kept.as_ref().is_some_and(|kept| kept.exchanging);
        let newest = kept.as_ref().and_then(|kept| kept.refresh.as_ref());
        let mut refusal = Fault::new(Code::Unauthorized, "the account has no grant");
        for grant in &client.grants {
            if let (Grant::Refresh(first), Some(shelf)) = (grant, shelf) {
                shelf.save(Token::exchanging(kept.as_ref(), newest.unwrap_or(&first.value))).await?;
            }
            match self.ask(client, trail, grant, newest).await {
                Ok(issued) => return Ok(issued.into_token(grant, newest)),
                Err(fault) if oauth::is_spent(&fault) => refusal = told(fault, grant, interrupted),
                Err(fault) => return Err(fault),
            }
        }
        Err(refusal)
    }

    async fn ask(
        &self,
        client: &Client,
        trail: &Trail,
        grant: &Grant,
        newest: Option<&Secret>,
    ) -> Result<Issued, Fault> {
        let request = client.request(grant, newest)?;
        let deadline = Instant::now() + EXCHANGE;
        let turn = self.queue.enter(client.rate_group.as_deref(), deadline).await;
        let passage = turn.map_err(|wait| too_late(&wait, &client.title))?;
        let record = asking(trail, &request);
        let late =
            |_| Fault::new(Code::Timeout, format!("{} issued no token within {} s", client.title, EXCHANGE.as_secs()));
        let answer = timeout_at(deadline.into(), self.answer(request, passage)).await.map_err(late).flatten();
        match &answer {
            Ok(answer) => record.answered(answer.status().as_u16(), answer.body().len() as u64),
            Err(fault) => record.failed(fault),
        }
        let answer = answer?;
        client.read(grant, answer.status(), retry_after(&answer), answer.body())
    }

    /// Sends once, never twice, and reads what comes back.
    async fn answer(&self, request: Request<Full<Bytes>>, passage: Passage<'_>) -> Result<Response<Bytes>, Fault> {
        let answer = match self.client.send(request).await {
            Ok(answer) => answer,
            Err(lost) => {
                if lost.unsent {
                    passage.give_back();
                }
                return Err(lost.fault);
            }
        };
        passage.learn(&answer);
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER).collect().await;
        let body = body.map_err(|error| Fault::new(Code::Unreachable, format!("the token's answer: {error}")))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

fn live(token: Token, host: &Surroundings, client: &Client) -> Result<Live, Fault> {
    Live::new(token, &host.secrets, &client.title, &format!("{}.{}", client.provider, client.account))
}

/// A refresh token may be gone because its answer was: then that is what to tell.
fn told(fault: Fault, grant: &Grant, interrupted: bool) -> Fault {
    if !interrupted || !matches!(grant, Grant::Refresh(_)) {
        return fault;
    }
    let message = format!(
        "{} The last renewal was interrupted before its answer could be kept, and a refresh token works only once.",
        fault.message
    );
    Fault { message, ..fault }
}

fn retry_after(answer: &Response<Bytes>) -> Option<u32> {
    answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

impl Issued {
    fn into_token(self, grant: &Grant, newest: Option<&Secret>) -> Token {
        let issued = SystemTime::now();
        let unchanged = || match grant {
            Grant::Refresh(first) => Some(newest.unwrap_or(&first.value).copied()),
            Grant::Jwt(_) | Grant::Client => None,
        };
        // A grant that can be repeated is; a refresh token of its would only be one more thing to lose.
        let refresh = self.refresh.filter(|_| matches!(grant, Grant::Refresh(_))).or_else(unchanged);
        Token { access: self.access, refresh, issued, expires: issued + self.lifetime, exchanging: false }
    }
}

impl Token {
    /// What is kept while an exchange is under way: should its answer be lost, the refresh token was not.
    pub(crate) fn exchanging(kept: Option<&Self>, refresh: &Secret) -> Self {
        let past = SystemTime::UNIX_EPOCH;
        let none = || Self { access: Secret::new(""), refresh: None, issued: past, expires: past, exchanging: true };
        Self { refresh: Some(refresh.copied()), exchanging: true, ..kept.map_or_else(none, Self::copied) }
    }

    pub(crate) fn copied(&self) -> Self {
        let (access, refresh) = (self.access.copied(), self.refresh.as_ref().map(Secret::copied));
        Self { access, refresh, ..*self }
    }

    /// Whether it need not be replaced yet. One whose replacement was under way may be dead already.
    pub(crate) fn is_fresh(&self) -> bool {
        let lifetime = self.expires.duration_since(self.issued).unwrap_or_default();
        !self.exchanging && SystemTime::now() < self.issued + oauth::renewal(lifetime)
    }

    pub(crate) fn is_alive(&self) -> bool {
        SystemTime::now() < self.expires
    }
}
