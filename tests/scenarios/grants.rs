//! What the operator grants: requests, accounts and limits, and permissions down to one function of one account.

use crate::{PROBE_TOKEN, invoke, probe_host_with};
use kosmo::{Code, Config, Fault, Host, Invocation, Limits};
use kosmo_tests::Echo;
use serde_json::{Value, json};
use std::path::Path;

fn fetch(url: &str) -> Value {
    json!({ "url": url })
}

#[track_caller]
fn check_denied(host: &Host, function: &str, arguments: Value, expected: &str) {
    let fault = invoke(host, function, arguments).expect_err("a denial");
    assert_eq!((fault.code, fault.message.as_str()), (Code::Denied, expected));
}

#[test]
fn a_request_outside_of_the_grant_is_denied_with_the_rule_and_the_command_that_would_allow_it() {
    let echo = Echo::start();
    let grant = "[grants.probe]\nrequests = [\"GET /allowed/a\", \"POST /allowed/{}\"]\n";
    let host = probe_host_with(&echo, Limits::default(), grant);
    let base = echo.url();
    let denied = |function: &str, method: &str, path: &str| {
        format!(
            "probe.{function} may not send {method} {base}{path}: the plugin declares it, but the grant in config.toml \
             includes only GET /allowed/a; POST /allowed/{{}}. The operator can allow it with: kosmo grants:add probe \
             '{method} {path}'"
        )
    };
    check_denied(&host, "fetch", fetch("/allowed/b?secret=1"), &denied("fetch", "GET", "/allowed/b"));
    check_denied(&host, "fetch", fetch("/allowed/a/b"), &denied("fetch", "GET", "/allowed/a/b"));
    // The guest says that there was nothing.
    check_denied(&host, "swallow", fetch("/allowed/b"), &denied("swallow", "GET", "/allowed/b"));
    assert_eq!(echo.received().len(), 0);

    invoke(&host, "fetch", fetch("/allowed/a?b=c")).expect("what is granted is sent");
    assert_eq!(echo.received().len(), 1);
}

#[test]
fn what_the_plugin_does_not_declare_no_grant_can_allow() {
    let echo = Echo::start();
    let host = probe_host_with(&echo, Limits::default(), "[grants.probe]\nrequests = [\"GET,DELETE /**\"]\n");
    let fault = invoke(&host, "fetch", fetch("/elsewhere")).expect_err("not declared");
    assert!(fault.message.contains("No grant can allow more than the plugin declares"), "{fault}");
    assert!(fault.message.contains("nor does any other function of probe"), "{fault}");
    assert!(!fault.message.contains("grants:add"), "{fault}");
    let post = json!({ "url": "/allowed/x", "method": "POST", "body": "{}" });
    let fault = invoke(&host, "swallow", post).expect_err("another function's");
    assert!(fault.message.contains("which is declared for fetch"), "{fault}");
    assert_eq!(echo.received().len(), 0);
}

#[test]
fn what_a_plugin_says_no_function_may_send_is_not_sent_whoever_allows_it() {
    let echo = Echo::start();
    let besides = "[grants.probe]\nrequests = [\"GET /**\"]\n[permissions.probe]\nwrite = \"allow\"\n";
    let host = probe_host_with(&echo, Limits::default(), besides);
    for path in ["/allowed/never", "/allowed/never/", "/allowed/Never?x=1", "/allowed/n%65ver", "/allowed/never;x=1"] {
        let arguments = fetch(path).as_object().cloned().unwrap_or_default();
        let forced = Invocation { force: true, ..Invocation::new("probe", "fetch", arguments) };
        let fault = host.block_on(host.invoke(forced)).expect_err(path);
        assert_eq!(fault.code, Code::Denied, "{path}: {fault}");
        assert!(fault.message.contains("no function of probe ever may (`GET /allowed/never`)"), "{path}: {fault}");
    }
    assert_eq!(echo.received().len(), 0);
    invoke(&host, "fetch", fetch("/allowed/never/mind")).expect("another path");
}

fn on(host: &Host, account: &str, function: &str, arguments: Value) -> Result<String, Fault> {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let invocation = Invocation { account: Some(account.into()), ..Invocation::new("probe", function, arguments) };
    host.block_on(host.invoke(invocation))
}

fn two_accounts(echo: &Echo, besides: &str) -> Host {
    let work = format!("[accounts.probe.work]\nurl = \"{}\"\naccess_token = \"{PROBE_TOKEN}\"\n", echo.url());
    probe_host_with(echo, Limits::default(), &(work + besides))
}

#[test]
fn an_account_that_is_not_granted_cannot_be_used() {
    let echo = Echo::start();
    let host = two_accounts(&echo, "[grants.probe]\naccounts = [\"work\"]\n");
    on(&host, "work", "fetch", fetch("/allowed/a")).expect("granted");
    let fault = on(&host, "default", "fetch", fetch("/allowed/a")).expect_err("not granted");
    assert_eq!(fault.code, Code::Denied, "{fault}");
    assert!(
        fault.message.contains("may not use its account 'default': the grant in config.toml includes work"),
        "{fault}"
    );
    assert_eq!(echo.received().len(), 1);
}

#[test]
fn a_grants_limits_replace_the_hosts() {
    let echo = Echo::start();
    let host =
        probe_host_with(&echo, Limits::default(), "[grants.probe.limits]\nrequests = 2\nresponse_bytes = 9999\n");
    let fault = invoke(&host, "flood", json!({})).expect_err("too many");
    assert_eq!((fault.code, echo.received().len()), (Code::TooLarge, 2), "{fault}");
    let fault = invoke(&host, "fetch", fetch("/allowed/large/10000")).expect_err("too large");
    assert_eq!(fault.code, Code::TooLarge, "{fault}");
}

#[test]
fn the_most_specific_permission_counts() {
    let echo = Echo::start();
    let permissions = "[permissions.probe]\nread = \"deny\"\nwrite = \"deny\"\n\
        [permissions.probe.functions]\nrevision = \"allow\"\n\
        [permissions.probe.accounts.work]\nwrite = \"allow\"\n\
        [permissions.probe.accounts.work.functions]\nrevision = \"ask\"\n";
    let host = two_accounts(&echo, permissions);
    let code = |account: &str, function: &str| on(&host, account, function, json!({})).err().map(|fault| fault.code);
    assert_eq!(code("default", "revision"), None);
    assert_eq!(code("work", "revision"), Some(Code::ApprovalRequired));
    assert_eq!(code("default", "remove"), Some(Code::Denied));
    assert_eq!(code("work", "remove"), None);
    assert_eq!(code("work", "echo"), Some(Code::Denied));
}

#[track_caller]
fn check_mistake(besides: &str, expected: &str) {
    let fault = invoke(&two_accounts(&Echo::start(), besides), "revision", json!({})).expect_err("a mistake");
    assert_eq!((fault.code, fault.message.as_str()), (Code::Unconfigured, expected));
}

#[test]
fn a_name_that_means_nothing_is_pointed_out_before_anything_runs() {
    check_mistake(
        "[permissions.probe.functions]\nfetsh = \"deny\"\n",
        "[permissions.probe.functions] in config.toml: `fetsh` is no function of probe; `kosmo permissions:unset \
         probe.fetsh` takes it back. Did you mean: fetch",
    );
    check_mistake(
        "[permissions.probe.accounts.wrok]\nwrite = \"deny\"\n",
        "[permissions.probe] in config.toml: probe has no account `wrok`; kosmo permissions:list probe lists \
         what is said of it, to be taken back. Did you mean: work",
    );
    check_mistake(
        "[grants.probe]\naccounts = [\"default\", \"wrok\"]\n",
        "[grants.probe] in config.toml: probe has no account `wrok`; name one there that it has, or see them with \
         `kosmo accounts:list probe`. Did you mean: work",
    );
}

#[track_caller]
fn check_refused(text: &str, line: usize, part: &str) {
    let error = Config::parse(text, Path::new("config.toml")).err().expect(text).to_string();
    assert!(error.starts_with(&format!("config.toml, line {line}: ")) && error.contains(part), "{text}: {error}");
}

#[test]
fn what_would_not_be_enforced_is_refused_with_its_line() {
    check_refused("[grants.probe]\nrequest = []\n", 2, "expected one of `accounts`, `requests`, `limits`");
    check_refused("[grants.probe]\nrequests = [\"GET /a/*\"]\n", 2, "is not a path pattern");
    check_refused("[grants.probe]\nrequests = [\n  \"GET /a\",\n  \"get /b\",\n]\n", 4, "HTTP method in upper case");
    check_refused("[grants.probe]\nrequests = [\"GET http://a.test/**\"]\n", 2, "clear text");
    check_refused("[grants.probe]\nrequests = [\"GET https://*.com/**\"]\n", 2, "at least two labels");
    check_refused("[grants.probe]\naccounts = [\"Work\"]\n", 2, "`Work` is no name");
    check_refused("[grants.\"*\"]\nrequests = []\n", 1, "`*` is no name");
    check_refused("[grants.probe.limits]\nwall = 5\n", 2, "unknown field `wall`");
    check_refused("[grants.probe.limits]\nwall_seconds = 0\n", 2, "a number of seconds above 0");
    check_refused("[grants.probe.limits]\nmemory_bytes = 1000000000\n", 2, "what a sandbox can have");
    check_refused("[permissions.probe.functions]\nfetch = \"maybe\"\n", 2, "expected one of `allow`, `ask`, `deny`");
    check_refused(
        "[permissions.probe.accounts.work]\nwrit = \"ask\"\n",
        2,
        "expected one of `read`, `write`, `functions`",
    );
}
