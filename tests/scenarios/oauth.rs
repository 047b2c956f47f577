//! Tokens that the host asks for itself: once for everybody, ahead of time, and never lost.

use kosmo::{Fault, Host, Invocation};
use kosmo_simulator::{Effect, Knob, Matcher, Simulator};
use kosmo_tests::{Ran, Scenario};
use serde_json::Map;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The path on which tokens are issued.
const TOKEN: &str = "/restapi/oauth/token";
/// Long past the life of every process of a test.
const HELD: Duration = Duration::from_secs(600);
const WHO: &str = "return app.integrations.ringcentral.get_current_user({}).id ~= nil";

/// A home whose only account has a client and these fields besides.
fn home(fields: &[(&str, &str)]) -> Scenario {
    let scenario = Scenario::new();
    let [id, secret] = Simulator::client();
    let url = scenario.simulator.ringcentral_url();
    let given = fields.iter().map(|(key, value)| format!("{key} = \"{value}\"\n")).collect::<String>();
    let client = format!("url = \"{url}\"\nclient_id = \"{id}\"\nclient_secret = \"{secret}\"\n");
    scenario.write("config.toml", &format!("[accounts.ringcentral.default]\n{client}{given}"));
    scenario
}

fn with_jwt() -> Scenario {
    home(&[("jwt", &Simulator::jwt("default"))])
}

fn with_refresh_token() -> Scenario {
    home(&[("refresh_token", &Simulator::refresh_token("default"))])
}

/// `POST`s to the token endpoint so far.
fn exchanges(scenario: &Scenario) -> usize {
    scenario.simulator.requests().iter().filter(|request| request.path == TOKEN).count()
}

fn invoke(host: &Host, function: &str) -> Result<String, Fault> {
    host.block_on(host.invoke(Invocation::new("ringcentral", function, Map::new())))
}

fn on_tokens(times: u32, effect: Effect) -> Knob {
    Knob { matching: Matcher::new("ringcentral", "POST", TOKEN), times, effect }
}

#[track_caller]
fn check(ran: &Ran) {
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "true\n", ""));
}

fn who() -> [&'static str; 3] {
    ["integrations:lua", "-e", WHO]
}

#[test]
fn a_jwt_and_a_refresh_token_are_as_good_as_a_token() {
    for scenario in [with_jwt(), with_refresh_token()] {
        assert_eq!(scenario.value(WHO), true);
        assert_eq!(scenario.value(WHO), true, "by another host of the same home");
        check(&scenario.kosmo(&who()));
        assert_eq!(exchanges(&scenario), 1, "the token is kept");
        let sent = scenario.sent();
        assert!(sent[1].starts_with("ringcentral.default GET /restapi/v1.0/account/~/extension/~"), "{sent:#?}");
    }
}

#[test]
fn a_client_and_its_jwt_can_come_from_the_environment() {
    let scenario = home(&[]);
    scenario.write("config.toml", "");
    let ([id, secret], jwt) = (Simulator::client(), Simulator::jwt("work"));
    let url = scenario.simulator.ringcentral_url().to_owned();
    let environment = [
        ("RINGCENTRAL_CLIENT_ID", id),
        ("RINGCENTRAL_CLIENT_SECRET", secret),
        ("RINGCENTRAL_JWT", &jwt),
        ("RINGCENTRAL_URL", &url),
    ];
    check(&scenario.kosmo_with(&who(), &environment, None));
    assert!(scenario.sent()[1].starts_with("ringcentral.work GET "));
}

#[track_caller]
fn check_missing(fields: &str, expected: &str) {
    let scenario = Scenario::new();
    let url = scenario.simulator.ringcentral_url();
    scenario.write("config.toml", &format!("[accounts.ringcentral.default]\nurl = \"{url}\"\n{fields}"));
    let fault = scenario.fault(WHO);
    assert_eq!(fault.code.as_str(), "unconfigured");
    assert!(fault.message.contains(expected), "{fault}");
    assert_eq!(exchanges(&scenario), 0);
}

#[test]
fn what_is_missing_is_said_with_the_other_ways_that_would_do() {
    check_missing("", "for account 'default'. Configure it in settings first. Write `access_token` under");
    check_missing(
        "",
        "Instead of it `client_id` + `client_secret` + `jwt`, or `client_id` + `client_secret` + `refresh_token` will do.",
    );
    check_missing("client_id = \"a\"\n", "Write `client_secret`, `jwt` under [accounts.ringcentral.default]");
    check_missing("client_id = \"a\"\nclient_secret = \"b\"\n", "Write `jwt` under [accounts.ringcentral.default]");
}

#[test]
fn fifty_invocations_on_an_expired_token_make_one_token_request() {
    let scenario = with_refresh_token();
    scenario.simulator.set_token_lifetime(Duration::from_secs(1));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let host = {
        let _inside = runtime.enter();
        scenario.host()
    };
    runtime.block_on(async {
        host.invoke(Invocation::new("ringcentral", "list_extensions", Map::new())).await.expect("a first token");
        tokio::time::sleep(Duration::from_millis(1100)).await;
        scenario.simulator.set_token_lifetime(Duration::from_secs(3600));
        scenario.simulator.inject(on_tokens(1, Effect::Slow(Duration::from_millis(200))));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let host = host.clone();
            tasks.spawn(async move { host.invoke(Invocation::new("ringcentral", "get_account", Map::new())).await });
        }
        while let Some(task) = tasks.join_next().await {
            task.expect("no panic").expect("an answer");
        }
    });
    assert_eq!(exchanges(&scenario), 2, "the first, and one for all fifty");
}

#[test]
fn two_processes_on_an_expired_token_make_one_token_request() {
    let scenario = with_refresh_token();
    scenario.simulator.set_token_lifetime(Duration::from_secs(1));
    check(&scenario.kosmo(&who()));
    std::thread::sleep(Duration::from_millis(1100));
    scenario.simulator.set_token_lifetime(Duration::from_secs(3600));
    scenario.simulator.inject(on_tokens(1, Effect::Slow(Duration::from_millis(500))));
    let children: Vec<_> = (0..4).map(|_| spawn(&scenario)).collect();
    for child in children {
        let output = child.wait_with_output().expect("`kosmo` ends");
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"true\n"[..]), "{output:?}");
    }
    assert_eq!(exchanges(&scenario), 2, "the first, and one for all processes");
}

fn spawn(scenario: &Scenario) -> Child {
    let mut command: Command = scenario.command();
    command.args(who()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("`kosmo` starts")
}

/// Kills a process at the point where the provider has issued a token, and spent the old one, and nothing is kept yet.
fn kill_between_issue_and_keeping(scenario: &Scenario) {
    let before = exchanges(scenario);
    scenario.simulator.inject(on_tokens(1, Effect::Slow(HELD)));
    let mut child = spawn(scenario);
    let patience = Instant::now() + Duration::from_secs(60);
    while exchanges(scenario) == before {
        assert!(Instant::now() < patience, "no token was asked for");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("a running child");
    child.wait().expect("a killed child");
}

#[test]
fn a_process_killed_between_issue_and_keeping_loses_no_account() {
    for scenario in [with_jwt(), with_refresh_token()] {
        kill_between_issue_and_keeping(&scenario);
        check(&scenario.kosmo(&who()));
        check(&scenario.kosmo(&who()));
        assert_eq!(exchanges(&scenario), 2, "the killed one, and the one after it");
    }
    // The same at a renewal, when there is a kept token already.
    for scenario in [with_jwt(), with_refresh_token()] {
        scenario.simulator.set_token_lifetime(Duration::from_secs(1));
        check(&scenario.kosmo(&who()));
        std::thread::sleep(Duration::from_millis(1100));
        scenario.simulator.set_token_lifetime(Duration::from_secs(3600));
        kill_between_issue_and_keeping(&scenario);
        check(&scenario.kosmo(&who()));
        assert_eq!(exchanges(&scenario), 3);
    }
}

#[test]
fn a_refresh_token_that_was_spent_in_vain_falls_back_or_says_what_to_do() {
    let scenario = with_refresh_token();
    kill_between_issue_and_keeping(&scenario);
    scenario.simulator.set_refresh_grace(Duration::ZERO);
    let ran = scenario.kosmo(&who());
    assert_eq!(ran.code, 1);
    for part in [
        "RingCentral issued no token for account 'default' (400 invalid_grant, OAU-213): Token not found.",
        "Make a new `refresh_token`, under [accounts.ringcentral.default] in config.toml or RINGCENTRAL_REFRESH_TOKEN",
        "The last renewal was interrupted before its answer could be kept",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }

    let both = home(&[("jwt", "revoked.by.the-user"), ("refresh_token", &Simulator::refresh_token("default"))]);
    assert_eq!(both.value(WHO), true, "the next grant does when one is refused");
    assert_eq!(exchanges(&both), 2);
}

#[test]
fn a_token_that_ends_before_its_time_is_replaced_once_and_the_request_repeated() {
    let scenario = with_jwt();
    let host = scenario.host();
    invoke(&host, "get_account").expect("an answer");
    scenario.simulator.revoke_access_tokens();
    invoke(&host, "get_account").expect("an answer with the next token");
    assert_eq!(exchanges(&scenario), 2);

    let refuse = Effect::Status { status: 401, headers: vec![], body: r#"{"errorCode":"OAU-129"}"#.into() };
    let matching = Matcher::new("ringcentral", "GET", "/restapi/v1.0/");
    scenario.simulator.inject(Knob { matching, times: 100, effect: refuse });
    for _ in 0..5 {
        let fault = invoke(&host, "get_account").expect_err("refused");
        assert_eq!((fault.code.as_str(), fault.status), ("unauthorized", Some(401)), "{fault}");
    }
    assert_eq!(exchanges(&scenario), 3, "one more for the token that had worked, and none for the one that never did");
}

#[test]
fn a_refused_token_request_is_not_repeated_and_shows_no_secret() {
    let scenario = home(&[("jwt", "s3cr3t-jwt-of-nobody")]);
    let words = "assertion s3cr3t-jwt-of-nobody is unknown";
    let body = format!(r#"{{"error":"invalid_grant","error_description":"{words}"}}"#);
    scenario.simulator.inject(on_tokens(9, Effect::Status { status: 400, headers: vec![], body }));
    let host = scenario.host();
    for _ in 0..5 {
        let fault = invoke(&host, "get_account").expect_err("refused");
        assert_eq!((fault.code.as_str(), fault.provider_code.as_deref()), ("unauthorized", Some("invalid_grant")));
        assert!(fault.message.contains("assertion [redacted] is unknown. Make a new `jwt`"), "{fault}");
    }
    assert_eq!(exchanges(&scenario), 1);
}

#[test]
fn another_configuration_forgets_the_token_of_the_last_one() {
    let scenario = with_jwt();
    assert_eq!(scenario.value(WHO), true);
    let config = std::fs::read_to_string(scenario.home().join("config.toml")).expect("a configuration");
    scenario.write("config.toml", &config.replace(&Simulator::jwt("default"), &Simulator::jwt("support")));
    assert_eq!(scenario.value(WHO), true);
    let sent = scenario.sent();
    assert!(sent.last().is_some_and(|sent| sent.starts_with("ringcentral.support GET ")), "{sent:#?}");
}

#[test]
fn no_guest_can_ask_for_tokens() {
    let scenario = with_jwt();
    scenario.configure("[permissions.ringcentral]\nwrite = \"allow\"\n");
    let fault = scenario.fault("app.integrations.ringcentral.api_post{ path = '/restapi/oauth/token', payload = {} }");
    assert!(["invalid_argument", "denied"].contains(&fault.code.as_str()), "{fault}");
    assert_eq!(exchanges(&scenario), 0);
}
