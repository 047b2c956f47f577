//! Knobs: answers gone wrong on demand.

use std::time::Duration;

use crate::request::Request;

/// Changes the answer to the next `times` requests that match.
#[derive(Clone, Debug)]
pub struct Knob {
    /// Which requests it changes.
    pub matching: Matcher,
    /// How many of them; it is spent afterwards.
    pub times: u32,
    /// What it does to them.
    pub effect: Effect,
}

/// Which requests a [`Knob`] changes; a part that is `None` matches all.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    /// `dialpad`, `ringcentral` or `exports`.
    pub provider: Option<String>,
    /// The HTTP method in capitals.
    pub method: Option<String>,
    /// What the path starts with.
    pub path: Option<String>,
}

/// What a [`Knob`] does. [`Effect::Slow`], [`Effect::Reset`] and [`Effect::HalfBody`] spoil the answer of a request that
/// was carried out; the others answer in its place, and nothing is carried out.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Answers with exactly this.
    Status {
        /// The HTTP status.
        status: u16,
        /// Response headers.
        headers: Vec<(String, String)>,
        /// The body as it is sent.
        body: String,
    },
    /// Answers 429 with the provider's own envelope and headers.
    RateLimited {
        /// Seconds for `Retry-After`; without it the header is absent.
        retry_after: Option<u64>,
    },
    /// Carries the request out at once and answers this much later.
    Slow(Duration),
    /// Carries the request out and closes the connection without an answer.
    Reset,
    /// Carries the request out, promises the whole body and closes the connection after half of it.
    HalfBody,
    /// Answers with an HTML page, as a proxy in front of the provider would.
    Html(u16),
    /// Answers with a status and no body.
    Empty(u16),
    /// Answers with this body as it stands.
    Raw {
        /// The HTTP status.
        status: u16,
        /// The `Content-Type`.
        content_type: String,
        /// The body as it is sent.
        body: Vec<u8>,
    },
}

impl Knob {
    /// A knob for the next request to any provider.
    #[must_use]
    pub fn once(effect: Effect) -> Knob {
        Knob { matching: Matcher::default(), times: 1, effect }
    }
}

impl Matcher {
    /// Requests to one provider with this method and a path that starts so.
    #[must_use]
    pub fn new(provider: &str, method: &str, path: &str) -> Matcher {
        Matcher { provider: Some(provider.to_owned()), method: Some(method.to_owned()), path: Some(path.to_owned()) }
    }

    fn matches(&self, provider: &str, request: &Request) -> bool {
        let provider_fits = self.provider.as_deref().is_none_or(|wanted| wanted == provider);
        let method_fits = self.method.as_deref().is_none_or(|wanted| wanted == request.method);
        let path_fits = self.path.as_deref().is_none_or(|prefix| request.path.starts_with(prefix));
        provider_fits && method_fits && path_fits
    }
}

/// The knobs that are not spent, oldest first.
#[derive(Default)]
pub(crate) struct Knobs(Vec<Knob>);

impl Knobs {
    pub(crate) fn push(&mut self, knob: Knob) {
        self.0.push(knob);
    }

    /// Uses up one turn of the first knob that matches.
    pub(crate) fn spend(&mut self, provider: &str, request: &Request) -> Option<Effect> {
        let knob = self.0.iter_mut().find(|knob| knob.times > 0 && knob.matching.matches(provider, request))?;
        knob.times -= 1;
        let effect = knob.effect.clone();
        self.0.retain(|knob| knob.times > 0);
        Some(effect)
    }
}
