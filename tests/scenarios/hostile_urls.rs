//! Every trick with a URL or an address that we know of, and what comes of it: nothing leaves, and the message says why.

use crate::{PROBE_TOKEN, invoke, probe_host_with};
use kosmo::{Code, Config, Host, Invocation, Limits, Resolve, Resolving};
use kosmo_tests::Echo;
use serde_json::{Map, json};
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// URLs a guest tries, and a part of what its script is told. `BASE` is its account's URL, on which it may reach
/// `/allowed/**` by GET and POST; `PORT` is that URL's port.
const URLS: [(&str, &str); 78] = [
    // Elsewhere.
    ("https://evil.test/allowed/a", "may not send"),
    ("http://evil.test:PORT/allowed/a", "may not send"),
    ("https://127.0.0.1:PORT/allowed/a", "may not send"),
    ("http://127.0.0.1:1/allowed/a", "may not send"),
    ("http://127.0.0.1/allowed/a", "may not send"),
    ("http://127.0.0.2:PORT/allowed/a", "may not send"),
    ("http://localhost:PORT/allowed/a", "may not send"),
    ("http://[::1]:PORT/allowed/a", "may not send"),
    ("http://[::ffff:127.0.0.1]:PORT/allowed/a", "may not send"),
    ("http://0.0.0.0:PORT/allowed/a", "may not send"),
    ("http://127.0.0.1.evil.test:PORT/allowed/a", "may not send"),
    ("http://169.254.169.254/latest/meta-data/", "may not send"),
    ("http://metadata.google.internal/computeMetadata/v1/", "may not send"),
    ("http://[fd00:ec2::254]/latest/meta-data/", "may not send"),
    ("https://files.test/allowed/a", "may not send"),
    ("http://127.0.0.1:PORT0/allowed/a", ""),
    ("http://127.0.0.1:0/allowed/a", "port 0"),
    ("http://127.0.0.1:65536/allowed/a", ""),
    ("http://127.0.0.1:PORT:80/allowed/a", ""),
    ("http://127.0.0.1:-1/allowed/a", ""),
    // Other schemes, or none.
    ("ftp://127.0.0.1:PORT/allowed/a", ""),
    ("file:///etc/passwd", ""),
    ("gopher://127.0.0.1:PORT/_GET%20/", ""),
    ("ws://127.0.0.1:PORT/allowed/a", ""),
    ("data://text/plain,hello", ""),
    ("http:///evil.test/allowed/a", ""),
    ("http:////evil.test/allowed/a", ""),
    ("://evil.test/allowed/a", ""),
    ("BASE://evil.test/allowed/a", ""),
    // Who is asked for whom.
    ("http://user@127.0.0.1:PORT/allowed/a", ""),
    ("http://user:password@127.0.0.1:PORT/allowed/a", ""),
    ("http://127.0.0.1:PORT@evil.test/allowed/a", ""),
    ("http://evil.test\\@127.0.0.1:PORT/allowed/a", ""),
    ("http://evil.test#@127.0.0.1:PORT/allowed/a", ""),
    ("http://evil.test?@127.0.0.1:PORT/allowed/a", ""),
    ("http://@127.0.0.1:PORT/allowed/a", ""),
    // Names that are another name to somebody.
    ("http://127。0。0。1:PORT/elsewhere", ""),
    ("http://１２７.0.0.1:PORT/elsewhere", ""),
    ("http://еvil.test/allowed/a", ""),
    ("http://evil\u{ad}.test/allowed/a", ""),
    ("http://evil%2etest/allowed/a", ""),
    ("http://%31%32%37.0.0.1:PORT/elsewhere", ""),
    ("http://evil.test./allowed/a", "a dot at the end of the host"),
    ("http://evil..test/allowed/a", "its host is no name"),
    ("http://xn--a/allowed/a", ""),
    ("http://[fe80::1%25lo]/allowed/a", ""),
    ("http://[::1/allowed/a", ""),
    ("http://256.256.256.256/allowed/a", ""),
    // The same host in other words may be reached, but only on the same paths.
    ("http://0x7f.1:PORT/elsewhere", "http://"),
    ("http://2130706433:PORT/elsewhere", "may not send"),
    ("http://0177.0.0.1:PORT/elsewhere", "may not send"),
    ("http://127.1:PORT/elsewhere", "may not send"),
    ("http://127.0.0.1.:PORT/elsewhere", "may not send"),
    // Paths that lead somewhere else.
    ("BASE/elsewhere", "may not send"),
    ("BASE/allowedness", "may not send"),
    ("BASE/Allowed/a", "may not send"),
    ("BASE", "may not send"),
    ("BASE/?/allowed/a", "may not send"),
    ("BASE/allowed/../elsewhere", "a dot segment"),
    ("BASE/allowed/./../elsewhere", "a dot segment"),
    ("BASE/allowed/%2e%2e/elsewhere", "a dot segment"),
    ("BASE/allowed/.%2E/elsewhere", "a dot segment"),
    ("BASE/allowed/..;a=b/elsewhere", "a dot segment"),
    ("BASE/allowed/..%3ba/elsewhere", "a dot segment"),
    ("BASE/allowed/%252e%252e/elsewhere", "a character encoded twice"),
    ("BASE/allowed/%c0%ae%c0%ae/elsewhere", "not UTF-8"),
    ("BASE/allowed/..%2felsewhere", "an encoded slash"),
    ("BASE/allowed/..%5celsewhere", "an encoded slash"),
    ("BASE/allowed/..\\elsewhere", ""),
    ("BASE/allowed//a", "an empty segment"),
    ("BASE//allowed/a", "an empty segment"),
    ("BASE/allowed/a%00.json", "an encoded control character"),
    ("BASE/allowed/a%0d%0aX-Injected:%20yes", "an encoded control character"),
    ("BASE/allowed/a\r\nX-Injected: yes", ""),
    ("BASE/allowed/a HTTP/1.1\r\nX-Injected: yes\r\n\r\n", ""),
    ("BASE/allowed/a\tb", ""),
    ("BASE/allowed/a%", "a broken escape"),
    ("BASE/allowed/a%zz", "a broken escape"),
];

#[test]
fn no_hostile_url_leads_anywhere() {
    let echo = Echo::start();
    let host = probe_host_with(&echo, Limits::default(), "");
    let port = echo.url().rsplit(':').next().expect("a port");
    for (url, part) in URLS {
        let url = url.replace("BASE", echo.url()).replace("PORT", port);
        let fault = invoke(&host, "fetch", json!({ "url": url })).expect_err(&url);
        // Where no part is given, the guest's own client already refuses the URL; either way nothing is sent.
        assert!(part.is_empty() || fault.code == Code::Denied, "{url}: {fault:?}");
        assert!(fault.message.contains(part), "{url}: {fault}");
        assert!(!fault.message.contains(PROBE_TOKEN), "{url}: {fault}");
    }
    assert_eq!(echo.received().len(), 0, "{:?}", echo.received());
}

/// Gives one answer after the other, and the last one for ever.
#[derive(Clone)]
struct Rebinding {
    answers: Arc<Mutex<Vec<Vec<IpAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Rebinding {
    fn new(answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().expect("an address")).collect();
        let answers: Vec<_> = answers.iter().rev().map(parse).collect();
        Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }
}

impl Resolve for Rebinding {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().expect("no test panics while it holds this");
        let answer = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    }
}

/// A host whose account lives at a name on the echo's port; the resolver says where that is.
fn named(echo: &Echo, resolver: Rebinding) -> Host {
    let port = echo.url().rsplit(':').next().expect("a port");
    let account =
        format!("[accounts.probe.default]\nurl = \"https://api.test:{port}\"\naccess_token = \"{PROBE_TOKEN}\"\n");
    let config = Config::parse(&account, Path::new("config.toml")).expect("a configuration");
    let builder = Host::builder().plugins(kosmo_tests::guests()).cache(kosmo_tests::cache());
    builder.config(config).resolver(resolver).build().expect("a host")
}

/// Where a name may lead and a request may not.
const ADDRESSES: [&str; 34] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
];

#[test]
fn no_name_leads_to_a_special_address() {
    let echo = Echo::start();
    for address in ADDRESSES {
        let resolver = Rebinding::new(&[&[address]]);
        let fault =
            invoke(&named(&echo, resolver.clone()), "fetch", json!({ "url": "/allowed/a" })).expect_err(address);
        assert_eq!(fault.code, Code::Denied, "{address}: {fault}");
        assert!(fault.message.contains("a special-purpose address no public provider has"), "{address}: {fault}");
        assert_eq!(resolver.asked.load(Ordering::Relaxed), 1, "{address}");
    }
    assert_eq!(echo.received().len(), 0);
}

#[test]
fn a_name_that_changes_its_mind_is_asked_once_for_each_connection() {
    let echo = Echo::start();
    // A second lookup for the same connection would find the next answer and say so.
    let resolver = Rebinding::new(&[&["10.0.0.1", "127.0.0.1"], &["::1"], &[]]);
    let host = named(&echo, resolver.clone());
    // A name without an address may have one in a second: the read is tried four times.
    for (asked, code) in [(1, Code::Denied), (2, Code::Denied), (6, Code::Unreachable)] {
        let fault = invoke(&host, "fetch", json!({ "url": "/allowed/a" })).expect_err("no way");
        assert_eq!((fault.code, resolver.asked.load(Ordering::Relaxed)), (code, asked), "{fault}");
    }
    assert_eq!(echo.received().len(), 0);
}

/// What an operator may type as an account's `url` that goes nowhere, and a part of the message.
const ACCOUNTS: [(&str, &str); 18] = [
    ("//api.test", "not an absolute http or https URL"),
    ("api.test", "not an absolute http or https URL"),
    ("ftp://api.test", "not an absolute http or https URL"),
    ("https:///api.test", "not an absolute http or https URL"),
    ("https://user:password@api.test", "user information"),
    ("https://api.test?x=y", "without a query"),
    ("https://api.test#x", "a fragment"),
    ("https://api.test:0", "port 0"),
    ("https://api.test/a/../b", "a dot segment"),
    ("https://api.test/%2fetc", "an encoded slash"),
    ("https://api.test.", "a dot at the end of the host"),
    ("https://bücher.test", "a host that is not ASCII"),
    ("https://api .test", "a space or control character"),
    ("https://*.test", "its host is no name"),
    ("http://api.test", "use `https://`"),
    ("http://8.8.8.8", "use `https://`"),
    ("http://[2606:4700::1111]:8080/v1", "use `https://`"),
    ("http://notlocalhost:8080", "use `https://`"),
];

#[test]
fn an_account_that_would_give_its_credential_away_is_refused() {
    let echo = Echo::start();
    for (url, part) in ACCOUNTS {
        let account = format!("[accounts.probe.odd]\nurl = \"{url}\"\naccess_token = \"{PROBE_TOKEN}\"\n");
        let host = probe_host_with(&echo, Limits::default(), &account);
        let invocation = Invocation { account: Some("odd".into()), ..Invocation::new("probe", "echo", Map::new()) };
        let fault = host.block_on(host.invoke(invocation)).expect_err(url);
        assert_eq!(fault.code, Code::Unconfigured, "{url}: {fault}");
        assert!(fault.message.contains(part) && fault.message.contains("[accounts.probe.odd]"), "{url}: {fault}");
    }
}
