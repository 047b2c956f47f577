//! Resolves, drops what may not be dialled, dials what is left, speaks TLS to the original name. The only sockets.

use super::address::is_public;
use super::resolve::{Resolve, Resolving};
use super::stream::Stream;
use super::{tls, tunnel};
use crate::fault::{Code, Fault};
use crate::limits::Timeouts;
use crate::network::{Network, Proxy};
use crate::rule::Base;
use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

/// The way to providers that all accounts of a host share.
pub(crate) struct Transport {
    pub(super) network: Network,
    resolver: Box<dyn Resolve>,
    timeouts: Timeouts,
    tls: OnceLock<ClientConfig>,
}

impl Transport {
    /// Resolves as the system does if there is no other resolver.
    pub(crate) fn new(network: Network, resolver: Option<Box<dyn Resolve>>, timeouts: Timeouts) -> Arc<Self> {
        let resolver = resolver.unwrap_or_else(|| Box::new(System));
        Arc::new(Self { network, resolver, timeouts, tls: OnceLock::new() })
    }

    /// The addresses of a host, of which one that is an address already is the only one.
    async fn find(&self, host: &str) -> Result<Vec<IpAddr>, Fault> {
        match host.parse() {
            Ok(address) => Ok(vec![address]),
            Err(_) => self.resolver.resolve(host).await.map_err(|error| unreachable(host, &error.to_string())),
        }
    }
}

/// The system's own resolver.
struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move { Ok(lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// Where a connection leads, out of a URL that was checked.
struct Place {
    /// Without brackets.
    host: String,
    port: u16,
    secure: bool,
}

impl Place {
    fn of(uri: &Uri) -> Self {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        Self { host, port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }), secure }
    }

    fn is_loopback(&self) -> bool {
        self.host.parse().map_or(self.host == "localhost", |address: IpAddr| address.is_loopback())
    }

    fn authority(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}

/// Makes connections for one account.
#[derive(Clone)]
pub(crate) struct Connector {
    account: Arc<Account>,
}

/// What connections of one account need to know.
struct Account {
    bases: Vec<Base>,
    transport: Arc<Transport>,
    tls: OnceLock<TlsConnector>,
}

impl Connector {
    /// Special-purpose addresses are dialled only where one of these bases, typed by the operator, says so.
    pub(crate) fn new(bases: Vec<Base>, transport: Arc<Transport>) -> Self {
        Self { account: Arc::new(Account { bases, transport, tls: OnceLock::new() }) }
    }

    /// The proxy on the way to a URL.
    pub(super) fn proxy(&self, uri: &Uri) -> Option<&Proxy> {
        self.account.proxy(&Place::of(uri))
    }
}

impl Account {
    async fn connect(&self, uri: Uri) -> Result<TokioIo<Stream>, Fault> {
        let place = Place::of(&uri);
        let stream = match self.proxy(&place) {
            Some(proxy) => self.connect_through(proxy, &place).await?,
            None => self.connect_straight(&place).await?,
        };
        Ok(TokioIo::new(stream))
    }

    async fn connect_straight(&self, place: &Place) -> Result<Stream, Fault> {
        let tcp = self.timed(place, "connecting", self.dial(place)).await?;
        if place.secure { self.encrypt(place, tcp).await } else { Ok(Stream::clear(tcp)) }
    }

    async fn connect_through(&self, proxy: &Proxy, place: &Place) -> Result<Stream, Fault> {
        if !self.grants(place) {
            check_spelled(place)?;
        }
        let mut tcp = self.timed(place, "connecting to the proxy", self.dial_proxy(proxy)).await?;
        if !place.secure {
            return Ok(Stream::to_proxy(tcp));
        }
        let authority = place.authority();
        let open = async {
            let opened = tunnel::open(proxy, &authority, &mut tcp).await;
            opened.map_err(|error| unreachable(&place.host, &error.to_string()))
        };
        self.timed(place, "the proxy's tunnel", open).await?;
        self.encrypt(place, tcp).await
    }

    async fn dial(&self, place: &Place) -> Result<TcpStream, Fault> {
        let found = self.transport.find(&place.host).await?;
        let addresses = vetted(place, self.grants(place), found)?;
        dial_first(place, &addresses, self.transport.timeouts.connect, TcpStream::connect).await.inspect(hurry)
    }

    /// The operator typed where it is, so it may be anywhere.
    async fn dial_proxy(&self, proxy: &Proxy) -> Result<TcpStream, Fault> {
        let place = Place { host: proxy.host.clone(), port: proxy.port, secure: false };
        let found = self.transport.find(&place.host).await?;
        let addresses: Vec<_> = found.into_iter().map(|address| SocketAddr::new(address, place.port)).collect();
        let dialled = dial_first(&place, &addresses, self.transport.timeouts.connect, TcpStream::connect).await;
        dialled.inspect(hurry).map_err(|fault| {
            let why = format!("{}; it is the proxy, `proxy` under [network] says where", fault.message);
            Fault { message: why, ..fault }
        })
    }

    async fn encrypt(&self, place: &Place, tcp: TcpStream) -> Result<Stream, Fault> {
        let common = || tls::common(&self.transport.network.roots);
        let tls = self.tls.get_or_init(|| tls::private(self.transport.tls.get_or_init(common)));
        let handshake = async {
            tls::handshake(tls, &place.host, tcp).await.map_err(|error| unreachable(&place.host, &error.to_string()))
        };
        self.timed(place, "the TLS handshake", handshake).await
    }

    /// None on the way to loopback that the operator typed: it is this machine's, not the proxy's.
    fn proxy(&self, place: &Place) -> Option<&Proxy> {
        let proxy = self.transport.network.proxy(place.secure, &place.host, place.port)?;
        (!(place.is_loopback() && self.grants(place))).then_some(proxy)
    }

    fn grants(&self, place: &Place) -> bool {
        let host = if place.host.contains(':') { format!("[{}]", place.host) } else { place.host.clone() };
        self.bases.iter().any(|base| base.grants_address(&host, place.port))
    }

    async fn timed<T>(
        &self,
        place: &Place,
        step: &str,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let Timeouts { connect, handshake, .. } = self.transport.timeouts;
        let limit = if step.starts_with("connecting") { connect } else { handshake };
        let late =
            |_| Fault::new(Code::Timeout, format!("{}: {step} took more than {} s", place.host, limit.as_secs_f32()));
        timeout(limit, work).await.map_err(late)?
    }
}

/// Those of the addresses found that may be dialled. The operator's word lifts the ban for the address it spells out,
/// and for `localhost` on loopback alone.
fn vetted(place: &Place, granted: bool, found: Vec<IpAddr>) -> Result<Vec<SocketAddr>, Fault> {
    let spelled = place.host.parse::<IpAddr>().is_ok();
    let may = |address: &IpAddr| if granted { spelled || address.is_loopback() } else { is_public(*address) };
    let (vetted, refused): (Vec<_>, Vec<_>) = found.into_iter().partition(may);
    match refused.first() {
        Some(address) if vetted.is_empty() => Err(prohibited(&place.host, address)),
        _ => Ok(vetted.into_iter().map(|address| SocketAddr::new(address, place.port)).collect()),
    }
}

/// What a proxy is not asked for: it would resolve the name in a network of its own, and these are nobody's.
fn check_spelled(place: &Place) -> Result<(), Fault> {
    match place.host.parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(prohibited(&place.host, &address)),
        Err(_) if place.host == "localhost" || place.host.ends_with(".localhost") => {
            Err(prohibited(&place.host, &IpAddr::from([127, 0, 0, 1])))
        }
        _ => Ok(()),
    }
}

/// Dials the addresses just checked, one after the other: a second lookup could answer differently. One that stays
/// silent leaves time for the next.
async fn dial_first<T, C>(
    place: &Place,
    addresses: &[SocketAddr],
    limit: Duration,
    connect: impl Fn(SocketAddr) -> C,
) -> Result<T, Fault>
where
    C: Future<Output = io::Result<T>>,
{
    let mut last = String::from("the name has no address");
    for (index, &address) in addresses.iter().enumerate() {
        let shared = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let patience = if index + 1 == addresses.len() { limit } else { shared };
        match timeout(patience, connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => last = format!("{address} does not answer"),
        }
    }
    Err(unreachable(&place.host, &last))
}

/// A request is one small write; waiting to fill a segment would only delay it.
fn hurry(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}

fn unreachable(host: &str, why: &str) -> Fault {
    Fault::new(Code::Unreachable, format!("{host}: {why}"))
}

fn prohibited(host: &str, address: &IpAddr) -> Fault {
    let what = if host.parse::<IpAddr>().is_ok() { "is".into() } else { format!("resolves to {address},") };
    Fault::new(
        Code::Denied,
        format!(
            "{host} {what} a special-purpose address no public provider has. If the provider really is there, its \
             operator can say so by setting the account's `url` to that address itself."
        ),
    )
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let account = Arc::clone(&self.account);
        Box::pin(async move { account.connect(uri).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::sync::Mutex;

    /// Answers differently every time, and counts how often it was asked.
    struct Rebinding(Mutex<VecDeque<Vec<IpAddr>>>);

    impl Resolve for Rebinding {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            let answer = self.0.lock().expect("one thread").pop_front();
            Box::pin(async move { answer.ok_or_else(|| io::Error::other("asked too often")) })
        }
    }

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    fn place(host: &str) -> Place {
        Place { host: host.into(), port: 443, secure: true }
    }

    /// What is dialled when the resolver gives these answers one after the other, or why nothing is.
    fn dialled(answers: &[&[&str]]) -> (Result<(), Code>, Vec<IpAddr>, usize) {
        let answers = answers.iter().map(|answer| addresses(answer)).collect();
        let rebinding = Arc::new(Rebinding(Mutex::new(answers)));
        let before = rebinding.0.lock().expect("one thread").len();
        let resolver: Box<dyn Resolve> = Box::new(Shared(Arc::clone(&rebinding)));
        let transport = Transport::new(Network::default(), Some(resolver), Timeouts::default());
        let tried = Mutex::new(Vec::new());
        let connect = |address: SocketAddr| {
            tried.lock().expect("one thread").push(address.ip());
            std::future::ready(Err::<(), _>(io::ErrorKind::ConnectionRefused.into()))
        };
        let run = async {
            let place = place("rebind.test");
            let found = transport.find(&place.host).await?;
            let vetted = vetted(&place, false, found)?;
            dial_first(&place, &vetted, Duration::from_secs(9), connect).await
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let outcome = runtime.block_on(run).map_err(|fault| fault.code);
        let lookups = before - rebinding.0.lock().expect("one thread").len();
        (outcome, tried.into_inner().expect("one thread"), lookups)
    }

    struct Shared(Arc<Rebinding>);

    impl Resolve for Shared {
        fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
            self.0.resolve(host)
        }
    }

    #[test]
    fn what_was_checked_is_dialled_whatever_the_name_says_next() {
        let (outcome, tried, lookups) = dialled(&[&["1.1.1.1", "2606:4700::1111"], &["127.0.0.1"], &["127.0.0.1"]]);
        assert_eq!((outcome, lookups), (Err(Code::Unreachable), 1));
        assert_eq!(tried, addresses(&["1.1.1.1", "2606:4700::1111"]));
    }

    #[test]
    fn of_a_mixed_answer_only_the_public_part_is_dialled() {
        let (_, tried, lookups) = dialled(&[&["127.0.0.1", "1.1.1.1", "::1", "169.254.169.254", "fd00:ec2::254"]]);
        assert_eq!((tried, lookups), (addresses(&["1.1.1.1"]), 1));
    }

    #[test]
    fn a_name_that_leads_nowhere_else_is_denied_and_not_asked_again() {
        let (outcome, tried, lookups) = dialled(&[&["10.0.0.1", "::ffff:127.0.0.1"], &["1.1.1.1"]]);
        assert_eq!((outcome, tried, lookups), (Err(Code::Denied), Vec::new(), 1));
        let (outcome, tried, _) = dialled(&[&[]]);
        assert_eq!((outcome, tried), (Err(Code::Unreachable), Vec::new()));
    }

    #[test]
    fn the_operators_word_counts_for_what_it_spells_out() {
        let check = |host: &str, found: &[&str], expected: Option<&[&str]>| {
            let vetted = vetted(&place(host), true, addresses(found)).ok();
            let vetted: Option<Vec<_>> = vetted.map(|all| all.iter().map(SocketAddr::ip).collect());
            assert_eq!(vetted, expected.map(addresses), "{host}");
        };
        check("10.1.2.3", &["10.1.2.3"], Some(&["10.1.2.3"]));
        check("localhost", &["127.0.0.1", "::1", "10.1.2.3", "1.1.1.1"], Some(&["127.0.0.1", "::1"]));
        check("localhost", &["10.1.2.3"], None);
    }

    #[test]
    fn a_proxy_is_not_asked_for_what_is_nobodys() {
        for host in ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "localhost", "api.localhost"] {
            assert_eq!(check_spelled(&place(host)).expect_err(host).code, Code::Denied);
        }
        for host in ["api.test", "1.1.1.1", "2606:4700::1111", "notlocalhost"] {
            check_spelled(&place(host)).expect("public");
        }
    }

    #[test]
    fn an_address_that_stays_silent_leaves_time_for_the_next() {
        let both = [SocketAddr::from(([1, 1, 1, 1], 443)), SocketAddr::from(([8, 8, 8, 8], 443))];
        let connect = |address: SocketAddr| async move {
            if address == both[0] { std::future::pending().await } else { Ok(address) }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let dialled = runtime.block_on(dial_first(&place("api.test"), &both, Duration::from_millis(50), connect));
        assert_eq!(dialled.expect("the second"), both[1]);
    }
}
