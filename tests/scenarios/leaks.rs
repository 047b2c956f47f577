//! No secret leaves but to its own provider, and none comes back to a script.

use crate::{PROBE_TOKEN, invoke, probe_host, probe_host_with};
use kosmo::{Code, Limits};
use kosmo_simulator::{Effect, Knob, Matcher, Simulator};
use kosmo_tests::{Echo, Scenario};
use serde_json::{Value, json};

/// `key-of-another` behind 0, 1 and 2 bytes, in base64.
const ENCODED: [&str; 3] = ["a2V5LW9mLWFub3RoZXI=", "OmtleS1vZi1hbm90aGVy", "YTprZXktb2YtYW5vdGhlcg=="];
/// An account of a provider that is not even installed.
const ANOTHER: &str = "[accounts.another.default]\nurl = \"https://another.test\"\napi_key = \"key-of-another\"\n";

#[track_caller]
fn check_kept_in(arguments: Value, place: &str, field: &str) {
    let echo = Echo::start();
    let host = probe_host_with(&echo, Limits::default(), ANOTHER);
    let fault = invoke(&host, "fetch", arguments.clone()).expect_err("a denial");
    assert_eq!(fault.code, Code::Denied, "{arguments} {fault}");
    let words = format!("probe.fetch may not send this: {place} holds {field}, which only kosmo itself sends");
    assert!(fault.message.starts_with(&words), "{arguments} {fault}");
    assert!(!fault.message.contains(PROBE_TOKEN) && !fault.message.contains("key-of-another"), "{fault}");
    assert_eq!(echo.received().len(), 0, "nothing was sent");
}

fn post(body: &str) -> Value {
    json!({ "url": "/allowed/a", "method": "POST", "body": json!({ "text": body }).to_string() })
}

#[test]
fn a_request_that_holds_a_secret_is_not_sent() {
    let own = "`access_token` of probe.default";
    check_kept_in(json!({ "url": format!("/allowed/{PROBE_TOKEN}") }), "the URL", own);
    check_kept_in(json!({ "url": format!("/allowed/a?q={PROBE_TOKEN}") }), "the URL", own);
    check_kept_in(json!({ "url": format!("/allowed/a?q={}", PROBE_TOKEN.replace('-', "%2d")) }), "the URL", own);
    check_kept_in(post(PROBE_TOKEN), "the body", own);
    check_kept_in(post(&format!("my token is {PROBE_TOKEN}.")), "the body", own);
    let another = "`api_key` of another.default";
    check_kept_in(post("key-of-another"), "the body", another);
    check_kept_in(json!({ "url": "/allowed/a?key=key%2Dof%2Danother" }), "the URL", another);
    for encoded in ENCODED {
        check_kept_in(post(encoded), "the body", another);
        check_kept_in(json!({ "url": format!("/allowed/a?b={}", encoded.replace('=', "%3D")) }), "the URL", another);
    }
}

#[test]
fn what_only_resembles_a_secret_is_sent() {
    let echo = Echo::start();
    let host = probe_host_with(&echo, Limits::default(), ANOTHER);
    for harmless in ["probe-token", "key-of-an", "a2V5LW9mLW", "100%", ""] {
        invoke(&host, "fetch", post(harmless)).expect("an answer");
    }
    assert_eq!(echo.received().len(), 5);
}

#[test]
fn a_token_that_was_issued_is_a_secret_like_any_other() {
    let scenario = Scenario::writable();
    let [id, secret] = Simulator::client();
    let (url, jwt) = (scenario.simulator.ringcentral_url().to_owned(), Simulator::jwt("default"));
    let account = format!(
        "[accounts.ringcentral.app]\nurl = \"{url}\"\nclient_id = \"{id}\"\nclient_secret = \"{secret}\"\njwt = \"{jwt}\"\n"
    );
    scenario.configure(&format!("{account}[permissions.ringcentral]\nwrite = \"allow\"\n"));
    let script = "app.integrations.ringcentral.app.get_account({})\n\
        app.integrations.ringcentral.send_sms({ from = '+16505550100', to = '+14155551234', text = '{}' })";
    let token = "sim-ringcentral-default-access-3-Lw4Jv9Rb2Xe7Gm1Ta";
    let fault = scenario.fault(&script.replace("'{}'", &format!("'{token}'")));
    assert_eq!(fault.code, Code::Denied, "{fault}");
    assert!(fault.message.contains("the body holds the access token of ringcentral.app"), "{fault}");
    assert!(scenario.simulator.sms_sent().is_empty());
}

#[test]
fn another_origin_of_the_provider_gets_no_credential() {
    let (echo, files) = (Echo::start(), Echo::start());
    let host = probe_host_with(&echo, Limits::default(), &format!("files = \"{}\"\n", files.url()));
    invoke(&host, "fetch", json!({ "url": format!("{}/export.csv?signature=a%2Fb", files.url()) })).expect("an answer");
    let received = files.received();
    assert_eq!(received[0].line, "GET /export.csv?signature=a%2Fb");
    assert_eq!(received[0].header("authorization"), None);
    assert!(!format!("{received:?}").contains(PROBE_TOKEN));
}

#[test]
fn a_credential_stays_below_its_accounts_path() {
    let echo = Echo::start();
    let config = format!("[accounts.probe.deep]\nurl = \"{}/allowed/tenant\"\naccess_token = \"x\"\n", echo.url());
    let host = probe_host_with(&echo, Limits::default(), &config);
    let fetch = |path: &str| {
        let arguments = json!({ "url": format!("{}{path}", echo.url()) }).as_object().cloned().unwrap_or_default();
        let invocation =
            kosmo::Invocation { account: Some("deep".into()), ..kosmo::Invocation::new("probe", "fetch", arguments) };
        host.block_on(host.invoke(invocation))
    };
    assert_eq!(fetch("/allowed/a").expect_err("outside").code, Code::Denied);
    assert_eq!(fetch("/allowed/tenantry/allowed/a").expect_err("outside").code, Code::Denied);
    fetch("/allowed/tenant/allowed/a").expect("inside");
    assert_eq!(echo.received().len(), 1);
}

#[test]
fn a_provider_that_repeats_a_secret_in_any_spelling_does_not_give_it_away() {
    let echo = Echo::start();
    let answer = invoke(&probe_host(&echo), "fetch", json!({ "url": "/allowed/a" })).expect("an answer").to_string();
    assert!(answer.contains("Bearer [redacted]") && !answer.contains(PROBE_TOKEN), "{answer}");

    let scenario = Scenario::new();
    let token = Simulator::token("dialpad", "default");
    let body = json!({ "error": { "code": 400, "message": format!("bad token {token} in {token}") } }).to_string();
    let matching = Matcher::new("dialpad", "GET", "/api/v2/");
    scenario.simulator.inject(Knob {
        matching,
        times: 1,
        effect: Effect::Status { status: 400, headers: vec![], body },
    });
    let fault = scenario.fault("app.integrations.dialpad.get_current_user({})");
    assert!(fault.message.contains("bad token [redacted] in [redacted]"), "{fault}");
}

/// The Dialpad plugin with requests going elsewhere: the same name, the same fields, another base URL.
fn lookalike() -> Vec<u8> {
    let (real, false_one) = (b"https://dialpad.com", b"https://evilpad.com");
    let mut bytes = std::fs::read(kosmo_tests::plugins().join("dialpad.wasm")).expect("a built plugin");
    let places: Vec<_> =
        bytes.windows(real.len()).enumerate().filter(|(_, window)| window == real).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the plugin carries its URL");
    for at in places {
        bytes[at..at + real.len()].copy_from_slice(false_one);
    }
    bytes
}

#[test]
fn a_token_goes_nowhere_on_the_word_of_a_plugin_that_only_calls_itself_dialpad() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("dialpad.wasm"), lookalike()).expect("a writable temporary folder");
    let token = Simulator::token("dialpad", "default");
    let environment = [("DIALPAD_ACCESS_TOKEN", token.as_str())];
    let script = ["integrations:lua", "-e", "return app.integrations.dialpad.get_current_user({}).id"];

    let alone = Scenario::empty().plugins(folder.path().into());
    let ran = alone.kosmo_with(&script, &environment, None);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    for part in ["Account 'default' of 'dialpad' names no URL", "was never accepted, so the account goes nowhere"] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }

    // Beside the one that was accepted, and in its place.
    let beside = Scenario::empty().plugins(folder.path().into());
    let real = kosmo_tests::plugins().join("dialpad.wasm");
    let installed = beside.kosmo(&["plugins:install", real.to_str().expect("UTF-8")]);
    assert_eq!(installed.code, 0, "{installed:?}");
    let ran = beside.kosmo_with(&script, &environment, None);
    assert!(
        ran.code == 1 && ran.stderr.contains("several plugin folders hold different files of that name"),
        "{ran:?}"
    );
    std::fs::write(beside.home().join("plugins/dialpad.wasm"), lookalike()).expect("a writable home");
    let ran = beside.kosmo_with(&script, &environment, None);
    assert!(ran.code == 1 && ran.stderr.contains("was never accepted, so the account goes nowhere"), "{ran:?}");
}
