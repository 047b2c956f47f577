//! The way to a provider: encryption to its name, HTTP/2, roots and proxies the operator asked for, and the steps' limits.

mod server;

use crate::{PROBE_TOKEN, invoke};
use kosmo::{Code, Config, Fault, Host, Limits, Resolve, Resolving, Timeouts};
use kosmo_tests::Echo;
use serde_json::{Value, json};
use server::{Proxy, Secure};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A resolver that nobody may ask.
struct Unasked;

impl Resolve for Unasked {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move { Err(std::io::Error::other(format!("{host} was resolved here"))) })
    }
}

/// A resolver that never comes to an answer.
struct Pending;

impl Resolve for Pending {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(std::future::pending())
    }
}

/// A home with the probe's account at this URL, and with `[network]`.
fn home(url: &str, network: &str) -> TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    let account = format!("[accounts.probe.default]\nurl = \"{url}\"\naccess_token = \"{PROBE_TOKEN}\"\n");
    let config = format!("{account}[network]\n{network}\n");
    std::fs::write(home.path().join("config.toml"), config).expect("a writable temporary folder");
    home
}

fn host(home: &Path, resolver: impl Resolve + 'static, environment: &[(&str, &str)]) -> Host {
    let variables = environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(home).expect("a configuration").with_environment(variables);
    let short = Duration::from_millis(300);
    let timeouts = Timeouts { connect: short * 10, handshake: short * 10, ..Timeouts::default() };
    let builder = Host::builder().plugins(kosmo_tests::guests()).cache(kosmo_tests::cache()).config(config);
    let builder = builder.resolver(resolver).limits(Limits { timeouts, ..Limits::default() });
    builder.build().expect("a host")
}

fn fetch(host: &Host) -> Result<Value, Fault> {
    invoke(host, "fetch", json!({ "url": "/allowed/a" }))
}

#[track_caller]
fn check_protocol(offered: &[&str], version: &str) {
    let server = Secure::start("127.0.0.1", offered);
    let home = home(&format!("https://127.0.0.1:{}", server.port), "ca_file = \"ca.pem\"");
    server.write_certificate(home.path());
    let host = host(home.path(), Unasked, &[]);
    fetch(&host).expect("an answer");
    fetch(&host).expect("an answer");
    let expected = format!("{version} GET /allowed/a Bearer {PROBE_TOKEN}");
    assert_eq!(server.requests(), [expected.clone(), expected], "{offered:?}");
}

#[test]
fn a_server_is_spoken_to_in_the_protocol_it_likes_best() {
    check_protocol(&["h2", "http/1.1"], "HTTP/2.0");
    check_protocol(&["http/1.1", "h2"], "HTTP/1.1");
    check_protocol(&["h2"], "HTTP/2.0");
    check_protocol(&["http/1.1"], "HTTP/1.1");
    check_protocol(&[], "HTTP/1.1");
}

#[test]
fn a_certificate_nobody_vouches_for_gets_nothing() {
    let server = Secure::start("127.0.0.1", &["h2"]);
    let home = home(&format!("https://127.0.0.1:{}", server.port), "");
    let fault = fetch(&host(home.path(), Unasked, &[])).expect_err("an unknown issuer");
    assert_eq!(fault.code, Code::Unreachable, "{fault}");
    assert!(fault.message.contains("UnknownIssuer"), "{fault}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_certificate_for_another_name_gets_nothing() {
    let server = Secure::start("other.test", &["h2"]);
    let home = home(&format!("https://127.0.0.1:{}", server.port), "ca_file = \"ca.pem\"");
    server.write_certificate(home.path());
    let fault = fetch(&host(home.path(), Unasked, &[])).expect_err("another name");
    assert_eq!(fault.code, Code::Unreachable, "{fault}");
    assert!(fault.message.contains("not valid for name"), "{fault}");
    assert!(server.requests().is_empty());
}

#[track_caller]
fn check_mistake(network: &str, part: &str) {
    let home = home("https://api.test", network);
    std::fs::write(home.path().join("text.pem"), "no certificate").expect("a writable temporary folder");
    let broken = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n";
    std::fs::write(home.path().join("broken.pem"), broken).expect("a writable temporary folder");
    let error = Host::builder().home(home.path()).build().err().expect("a mistake").to_string();
    assert!(error.contains("config.toml") && error.contains(part), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_mistake_is_told_when_the_configuration_is_read() {
    check_mistake("ca_file = \"missing.pem\"", "missing.pem: No such file");
    check_mistake("ca_file = \"text.pem\"", "text.pem: it holds no certificate");
    check_mistake("ca_file = \"broken.pem\"", "broken.pem: it holds a certificate that cannot be used");
    check_mistake("proxy = \"proxy.test:3128\"", "expected \"environment\" or a URL such as");
    check_mistake("proxy = \"https://me:hunter2@proxy.test\"", "reached by plain `http://`");
    check_mistake("proxies = \"environment\"", "unknown field `proxies`");
}

#[test]
fn a_tunnel_hides_the_credential_from_the_proxy_which_resolves_the_name() {
    let server = Secure::start("api.test", &["h2", "http/1.1"]);
    let proxy = Proxy::start(server.port);
    let network = format!("ca_file = \"ca.pem\"\nproxy = \"http://me:p%40ss@127.0.0.1:{}\"", proxy.port);
    let home = home("https://api.test", &network);
    server.write_certificate(home.path());
    fetch(&host(home.path(), Unasked, &[])).expect("an answer");
    assert_eq!(server.requests(), [format!("HTTP/2.0 GET /allowed/a Bearer {PROBE_TOKEN}")]);
    let introduction = "Proxy-Authorization: Basic bWU6cEBzcw==\r\n\r\n";
    assert_eq!(proxy.heads(), [format!("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n{introduction}")]);
}

#[test]
fn a_proxy_is_told_the_whole_url_of_what_is_sent_in_clear_text() {
    let proxy = Proxy::start(1);
    let home = home("http://10.1.2.3:8080", &format!("proxy = \"http://me:pw@127.0.0.1:{}\"", proxy.port));
    fetch(&host(home.path(), Unasked, &[])).expect("an answer");
    let head = proxy.heads().join("");
    assert!(head.starts_with("GET http://10.1.2.3:8080/allowed/a HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("proxy-authorization: Basic bWU6cHc=\r\n"), "{head}");
}

#[test]
fn loopback_is_this_machines_and_not_the_proxys() {
    let (echo, proxy) = (Echo::start(), Proxy::start(1));
    let home = home(echo.url(), &format!("proxy = \"http://127.0.0.1:{}\"", proxy.port));
    fetch(&host(home.path(), Unasked, &[])).expect("an answer");
    assert_eq!((echo.received().len(), proxy.heads().len()), (1, 0));
}

#[test]
fn the_environments_proxy_counts_only_where_it_was_asked_for() {
    let server = Secure::start("api.test", &["h2"]);
    let proxy = Proxy::start(server.port);
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let environment = [("HTTPS_PROXY", url.as_str()), ("ALL_PROXY", url.as_str())];
    let ignoring = home("https://api.test", "ca_file = \"ca.pem\"");
    let asking = home("https://api.test", "ca_file = \"ca.pem\"\nproxy = \"environment\"");
    server.write_certificate(ignoring.path());
    server.write_certificate(asking.path());

    let fault = fetch(&host(ignoring.path(), Unasked, &environment)).expect_err("no proxy");
    assert!(fault.message.contains("api.test was resolved here"), "{fault}");
    assert_eq!(proxy.heads().len(), 0);

    let excepted = [environment[0], ("NO_PROXY", ".test")];
    fetch(&host(asking.path(), Unasked, &excepted)).expect_err("an exception");
    assert_eq!(proxy.heads().len(), 0);

    fetch(&host(asking.path(), Unasked, &environment)).expect("an answer");
    assert_eq!((proxy.heads().len(), server.requests().len()), (1, 1));
}

#[test]
fn a_proxy_is_not_asked_for_an_address_that_is_nobodys() {
    let proxy = Proxy::start(1);
    let network = format!("proxy = \"http://127.0.0.1:{}\"", proxy.port);
    let home = home("https://api.localhost", &network);
    let fault = fetch(&host(home.path(), Unasked, &[])).expect_err("loopback by name");
    assert_eq!(fault.code, Code::Denied, "{fault}");
    assert_eq!(proxy.heads().len(), 0);
}

#[test]
fn a_proxy_that_cannot_do_it_says_why() {
    let nobody = home("https://api.test", "proxy = \"http://127.0.0.1:1\"");
    // It leads to a port where nobody listens, so it hangs up.
    let proxy = Proxy::start(1);
    let home = home("https://api.test", &format!("proxy = \"http://127.0.0.1:{}\"", proxy.port));
    let fault = fetch(&host(home.path(), Unasked, &[])).expect_err("no tunnel");
    assert_eq!(fault.code, Code::Unreachable, "{fault}");
    let fault = fetch(&host(nobody.path(), Unasked, &[])).expect_err("no proxy");
    assert_eq!(fault.code, Code::Unreachable, "{fault}");
    assert!(fault.message.contains("it is the proxy, `proxy` under [network] says where"), "{fault}");
}

#[test]
fn a_connection_has_its_limits_and_says_which_step_took_too_long() {
    // Accepts, by the kernel's own hand, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("a bound listener has an address").port();
    let handshaking = home(&format!("https://127.0.0.1:{port}"), "");
    let fault = fetch(&host(handshaking.path(), Unasked, &[])).expect_err("silence");
    assert_eq!(fault.code, Code::Timeout, "{fault}");
    assert!(fault.message.contains("127.0.0.1: the TLS handshake took more than 3 s"), "{fault}");

    let tunnelling = home("https://api.test", &format!("proxy = \"http://127.0.0.1:{port}\""));
    let fault = fetch(&host(tunnelling.path(), Unasked, &[])).expect_err("silence");
    assert!(fault.message.contains("api.test: the proxy's tunnel took more than 3 s"), "{fault}");

    let resolving = home("https://api.test", "");
    let fault = fetch(&host(resolving.path(), Pending, &[])).expect_err("no address");
    assert_eq!(fault.code, Code::Timeout, "{fault}");
    assert!(fault.message.contains("api.test: connecting took more than 3 s"), "{fault}");
}
