//! What leaves a sandbox: only what the function declared, only to the account's URL, with the host's credential.

use crate::{PROBE_TOKEN, invoke, probe_host, probe_host_with};
use kosmo::{Code, Config, Host, Invocation, Limits};
use kosmo_tests::Echo;
use serde_json::{Map, json};
use std::path::Path;

#[test]
fn the_host_attaches_the_credential_and_the_guest_never_saw_it() {
    let echo = Echo::start();
    let host = probe_host(&echo);
    invoke(&host, "fetch", json!({ "url": "/allowed/a?b=c%2Fd" })).expect("an answer");
    let request = &echo.received()[0];
    assert_eq!(request.line, "GET /allowed/a?b=c%2Fd");
    assert_eq!(request.header("authorization"), Some(format!("Bearer {PROBE_TOKEN}").as_str()));
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("kosmo/")));

    let seen = invoke(&accepted_host(&echo), "echo", json!({ "payload": { "canary": "visible" } }))
        .expect("an answer")
        .to_string();
    assert!(seen.contains("visible") && seen.contains("north"), "{seen}");
    assert!(!seen.contains(PROBE_TOKEN), "{seen}");
}

/// A host whose operator accepted the probe, which may then read the settings of its account.
fn accepted_host(echo: &Echo) -> Host {
    let fields = format!("url = \"{}\"\naccess_token = \"{PROBE_TOKEN}\"\nregion = \"north\"\n", echo.url());
    let config = Config::parse(&format!("[accounts.probe.default]\n{fields}"), Path::new("config.toml"));
    let config = config.expect("a configuration").accept("probe", &kosmo_tests::digest(&kosmo_tests::probe()));
    Host::builder().plugins(kosmo_tests::guests()).cache(kosmo_tests::cache()).config(config).build().expect("a host")
}

#[track_caller]
fn check_denied(arguments: serde_json::Value, part: &str) {
    let echo = Echo::start();
    let fault = invoke(&probe_host(&echo), "fetch", arguments).expect_err("a denial");
    assert_eq!(fault.code, Code::Denied, "{fault}");
    assert!(fault.message.contains(part), "{fault}");
    assert_eq!(echo.received().len(), 0, "nothing was sent");
}

#[test]
fn nothing_undeclared_is_sent() {
    check_denied(json!({ "url": "/elsewhere" }), "it may send only GET,POST /allowed/**");
    check_denied(json!({ "url": "/allowed/a", "method": "DELETE" }), "may not send DELETE");
    check_denied(json!({ "url": "https://evil.test/allowed/a" }), "may not send GET https://evil.test/allowed/a");
    check_denied(json!({ "url": "http://127.0.0.1:1/allowed/a" }), "may not send");
    check_denied(json!({ "url": "/allowed/../elsewhere" }), "a dot segment");
    check_denied(json!({ "url": "/allowed/%2e%2e/elsewhere" }), "a dot segment");
    check_denied(json!({ "url": "/allowed/%2fetc" }), "an encoded slash");
    check_denied(json!({ "url": "/allowed//a" }), "an empty segment");
}

#[test]
fn what_is_refused_counts_as_a_request() {
    let echo = Echo::start();
    let host = probe_host_with(&echo, Limits { requests: 0, ..Limits::default() }, "");
    let fault = invoke(&host, "fetch", json!({ "url": "/elsewhere" })).expect_err("one request too many");
    assert_eq!(fault.code, Code::TooLarge, "{fault}");
}

#[test]
fn a_function_cannot_do_what_a_denied_other_one_could_not() {
    let echo = Echo::start();
    let host = probe_host(&echo);
    let post = json!({ "url": "/allowed/guarded", "method": "POST", "body": "{}" });
    let fault = invoke(&host, "fetch", post.clone()).expect_err("the write needs approval");
    assert_eq!(fault.code, Code::ApprovalRequired, "{fault}");
    for spelling in ["Guarded", "GUARDED", "guarded;x", "guarded%3Bx", "Guarded%3bx;y"] {
        let post = json!({ "url": format!("/allowed/{spelling}"), "method": "POST", "body": "{}" });
        let fault = invoke(&host, "fetch", post).expect_err("some servers take it for the same");
        assert_eq!(fault.code, Code::ApprovalRequired, "{spelling}: {fault}");
    }
    assert_eq!(echo.received().len(), 0);

    let allowed = probe_host_with(&echo, Limits::default(), "[permissions.probe]\nwrite = \"allow\"\n");
    invoke(&allowed, "fetch", post).expect("an answer");
    assert_eq!(echo.received().len(), 1);
}

#[test]
fn a_denial_is_what_the_script_sees_even_if_the_guest_tells_it_otherwise() {
    let echo = Echo::start();
    let fault = invoke(&probe_host(&echo), "swallow_denial", json!({})).expect_err("a denial");
    assert_eq!(fault.code, Code::Denied, "{fault}");
    assert!(fault.message.starts_with("probe.swallow_denial may not send GET"), "{fault}");
}

#[test]
fn headers_that_are_the_hosts_cannot_be_set() {
    let echo = Echo::start();
    let refused = invoke(&probe_host(&echo), "authorize", json!({})).expect("an answer");
    assert_eq!(refused["refused"].as_array().map(Vec::len), Some(6), "{refused}");
}

#[test]
fn a_provider_that_repeats_the_credential_does_not_give_it_away() {
    let echo = Echo::start();
    let answer = invoke(&probe_host(&echo), "fetch", json!({ "url": "/allowed/a" })).expect("an answer").to_string();
    assert!(echo.received()[0].header("authorization").is_some());
    assert!(answer.contains("Bearer [redacted]") && !answer.contains(PROBE_TOKEN), "{answer}");
}

#[test]
fn a_redirect_is_an_answer() {
    let echo = Echo::start();
    let fault = invoke(&probe_host(&echo), "fetch", json!({ "url": "/allowed/redirect" })).expect_err("not a success");
    assert_eq!(fault.status, Some(302), "{fault}");
    assert_eq!(echo.received().len(), 1);
}

#[test]
fn a_connection_that_cannot_be_made_says_so() {
    let echo = Echo::start();
    let config = "[accounts.probe.dead]\nurl = \"http://127.0.0.1:1\"\naccess_token = \"x\"\n";
    let host = probe_host_with(&echo, Limits::default(), config);
    let arguments = json!({ "url": "/allowed/a" }).as_object().cloned().unwrap_or_default();
    let invocation = Invocation { account: Some("dead".into()), ..Invocation::new("probe", "fetch", arguments) };
    let fault = host.block_on(host.invoke(invocation)).expect_err("nobody listens");
    assert_eq!(fault.code, Code::Unreachable, "{fault}");
    assert!(fault.message.starts_with("Failed to connect to Probe API: "), "{fault}");
    assert!(fault.message.contains("refused"), "{fault}");
}

#[track_caller]
fn check_unaccepted(variables: &[(&str, &str)]) {
    let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::default().with_environment(variables);
    let builder = Host::builder().plugins(kosmo_tests::guests()).cache(kosmo_tests::cache());
    let host = builder.config(config).build().expect("a host");
    let fault = invoke(&host, "echo", json!({})).expect_err("refused");
    assert_eq!(fault.code, Code::Unconfigured, "{fault}");
    assert!(fault.message.contains("never accepted"), "{fault}");
}

#[test]
fn the_word_of_an_unaccepted_plugin_counts_for_nothing() {
    // On where a credential goes.
    check_unaccepted(&[("PROBE_ACCESS_TOKEN", PROBE_TOKEN)]);
    // On which field is no secret: it would be handed to the plugin.
    let url = ("PROBE_URL", "http://127.0.0.1:1");
    check_unaccepted(&[("PROBE_ACCESS_TOKEN", PROBE_TOKEN), url, ("PROBE_REGION", "what another tool calls a secret")]);
}

#[test]
fn an_account_has_one_spelling() {
    let config = format!("[accounts.probe.work]\nurl = \"{}\"\naccess_token = \"x\"\n", Echo::start().url());
    let host = probe_host_with(&Echo::start(), Limits::default(), &config);
    for account in ["Work", "WORK", "work ", "fetch"] {
        let invocation = Invocation { account: Some(account.into()), ..Invocation::new("probe", "echo", Map::new()) };
        let fault = host.block_on(host.invoke(invocation)).expect_err("no such account");
        assert_eq!(fault.code, Code::Unconfigured, "{account}: {fault}");
    }
}
