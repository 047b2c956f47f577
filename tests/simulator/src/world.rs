//! All state of one simulator.

use serde::Serialize;
use time::OffsetDateTime;

use crate::ACCOUNTS;
use crate::dialpad::Dialpad;
use crate::reply::Reply;
use crate::request::Request;
use crate::ringcentral::RingCentral;

/// The three origins' addresses, without trailing slashes.
#[derive(Clone)]
pub(crate) struct Urls {
    pub(crate) dialpad: String,
    pub(crate) ringcentral: String,
    pub(crate) exports: String,
}

/// A text message that a provider accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SentSms {
    /// `dialpad` or `ringcentral`.
    pub provider: String,
    /// The account whose token sent it.
    pub account: String,
    /// The provider's id of the message.
    pub id: String,
    /// The number it was sent from.
    pub from: String,
    /// The numbers it was sent to.
    pub to: Vec<String>,
    /// Its text.
    pub text: String,
}

/// Which of the three origins a request reached.
#[derive(Clone, Copy)]
pub(crate) enum Origin {
    Dialpad,
    RingCentral,
    Exports,
}

impl Origin {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Origin::Dialpad => "dialpad",
            Origin::RingCentral => "ringcentral",
            Origin::Exports => "exports",
        }
    }
}

/// Both companies' data.
pub(crate) struct World {
    pub(crate) urls: Urls,
    pub(crate) dialpad: Dialpad,
    pub(crate) ringcentral: RingCentral,
    pub(crate) sent: Vec<SentSms>,
}

impl World {
    pub(crate) fn new(urls: Urls, now: OffsetDateTime) -> World {
        World {
            dialpad: Dialpad::new(now),
            ringcentral: RingCentral::new(&urls.ringcentral, now),
            urls,
            sent: Vec::new(),
        }
    }

    pub(crate) fn answer(&mut self, origin: Origin, request: &Request) -> Reply {
        match origin {
            Origin::Dialpad => crate::dialpad::answer(self, request),
            Origin::RingCentral => crate::ringcentral::answer(self, request),
            Origin::Exports => crate::exports::answer(self, request),
        }
    }
}

/// The token of one account: recognisable in any log, and as long as a real one.
pub(crate) fn token(provider: &str, account: &str) -> String {
    format!("sim-{provider}-{account}-token-Q7mX2vB9Lr4TzW8nKc3Yp6Hd5Gf1Js0A")
}

/// The account that sent the request, if it carries one's token.
pub(crate) fn account_of(provider: &str, request: &Request) -> Option<&'static str> {
    let sent = request.bearer()?;
    ACCOUNTS.into_iter().find(|account| token(provider, account) == sent)
}
