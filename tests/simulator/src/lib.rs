//! A stateful stand-in for the Dialpad API v2 and RingCentral `/restapi/v1.0`, on loopback.
//!
//! A [`Simulator`] answers as the two vendors document: bearer tokens, paging that really pages, objects that can be
//! created, read, changed and deleted, exports that take a while, and each vendor's own error envelope. It is strict
//! where the vendors are lenient: an unknown path, query name or body field, or a value of the wrong kind, is refused
//! and says so in [`Exchange::refused`], so that a client's slip cannot pass unseen.
//!
//! ```
//! let simulator = kosmo_simulator::Simulator::start();
//! let address = simulator.dialpad_url().trim_start_matches("http://").to_owned();
//! assert!(std::net::TcpStream::connect(address).is_ok());
//! assert!(simulator.requests().is_empty());
//! ```

mod dialpad;
mod exports;
mod fault;
mod people;
mod record;
mod reply;
mod request;
mod ringcentral;
mod server;
mod shape;
mod world;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

pub use fault::{Effect, Knob, Matcher};
pub use record::Exchange;
pub use world::SentSms;

use server::{Running, Shared};
use world::Urls;

/// The accounts whose tokens both providers accept.
pub const ACCOUNTS: [&str; 3] = ["default", "work", "support"];

/// Ports of the three origins; 0 lets the system choose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// The Dialpad API.
    pub dialpad: u16,
    /// The RingCentral API.
    pub ringcentral: u16,
    /// The storage host that serves finished Dialpad exports.
    pub exports: u16,
}

/// Three origins on 127.0.0.1, served by a thread of their own. Dropping it closes every port and connection.
pub struct Simulator {
    urls: Urls,
    shared: Arc<Shared>,
    _running: Running,
}

impl Simulator {
    /// Starts on three free ports.
    ///
    /// # Panics
    /// If 127.0.0.1 has no free port or the process may not start a thread.
    #[must_use]
    pub fn start() -> Simulator {
        Simulator::on(Ports::default()).expect("the simulator needs three free ports on 127.0.0.1 and a thread")
    }

    /// Starts on the given ports.
    ///
    /// # Errors
    /// If a port is taken, or the thread cannot be started.
    pub fn on(ports: Ports) -> io::Result<Simulator> {
        let [dialpad, ringcentral, exports] = [ports.dialpad, ports.ringcentral, ports.exports]
            .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
        let (dialpad, ringcentral, exports) = (dialpad?, ringcentral?, exports?);
        let urls = Urls { dialpad: origin(&dialpad)?, ringcentral: origin(&ringcentral)?, exports: origin(&exports)? };
        let shared = Arc::new(Shared::new(urls.clone()));
        let running = server::spawn([dialpad, ringcentral, exports], &shared)?;
        Ok(Simulator { urls, shared, _running: running })
    }

    /// Origin of the Dialpad API, without a trailing slash.
    #[must_use]
    pub fn dialpad_url(&self) -> &str {
        &self.urls.dialpad
    }

    /// Origin of the RingCentral API, without a trailing slash.
    #[must_use]
    pub fn ringcentral_url(&self) -> &str {
        &self.urls.ringcentral
    }

    /// Origin that serves finished exports by signed URL. A request with an `Authorization` header is answered 400.
    #[must_use]
    pub fn exports_url(&self) -> &str {
        &self.urls.exports
    }

    /// The bearer token of one of [`ACCOUNTS`] at `dialpad` or `ringcentral`. Any other pair gives a token that the
    /// providers refuse.
    #[must_use]
    pub fn token(provider: &str, account: &str) -> String {
        world::token(provider, account)
    }

    /// Id and secret of the application that may ask RingCentral for tokens.
    #[must_use]
    pub fn client() -> [&'static str; 2] {
        ringcentral::oauth::CLIENT
    }

    /// The JWT for which RingCentral issues tokens of one of [`ACCOUNTS`].
    #[must_use]
    pub fn jwt(account: &str) -> String {
        ringcentral::oauth::jwt(account)
    }

    /// The refresh token that the user of one of [`ACCOUNTS`] has at the start. RingCentral takes it once.
    #[must_use]
    pub fn refresh_token(account: &str) -> String {
        ringcentral::oauth::refresh_token(account)
    }

    /// How long the access tokens last that are issued from now on; an hour unless set.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.shared.lock().world.ringcentral.oauth.lifetime = lifetime;
    }

    /// How long a used refresh token gives the same tokens again; 10 s unless set.
    pub fn set_refresh_grace(&self, grace: Duration) {
        self.shared.lock().world.ringcentral.oauth.grace = grace;
    }

    /// Ends every access token that was issued, before its time.
    pub fn revoke_access_tokens(&self) {
        self.shared.lock().world.ringcentral.oauth.revoke_access();
    }

    /// Every request since the start or the last [`Simulator::take_requests`], in order of arrival. Only the newest
    /// 64 MiB are kept.
    #[must_use]
    pub fn requests(&self) -> Vec<Exchange> {
        self.shared.lock().log.all()
    }

    /// As [`Simulator::requests`], and forgets them.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Exchange> {
        self.shared.lock().log.take()
    }

    /// Changes the answers to the next matching requests. Of several matching knobs the one injected first is spent first.
    pub fn inject(&self, knob: Knob) {
        self.shared.lock().knobs.push(knob);
    }

    /// How many polls see a Dialpad export as `processing` before it is `complete`; 1 unless set. Counts for exports
    /// that are started afterwards.
    pub fn set_export_polls(&self, polls: u32) {
        self.shared.lock().world.dialpad.stats.polls = polls;
    }

    /// Every text message that either provider accepted, in order.
    #[must_use]
    pub fn sms_sent(&self) -> Vec<SentSms> {
        self.shared.lock().world.sent.clone()
    }
}

fn origin(listener: &TcpListener) -> io::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}
