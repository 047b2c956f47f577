//! Servers, authorization servers and projects that want the token for themselves, or kosmo to go where it should not.

use super::{ALLOWED, Authority, ECHO, Login, check_in, fault, login, login_with, scenario, scenario_with};
use kosmo::Code;
use kosmo_tests::{Knobs, Scenario};
use serde_json::json;
use std::fs;
use std::net::TcpListener;

/// What a sign-in fails with where things are so. Nothing is kept.
#[track_caller]
fn check(change: impl FnOnce(&str, &mut Knobs), expected: &str) {
    let authority = Authority::start();
    authority.turn(|knobs| change(authority.origin(), knobs));
    let scenario = scenario(&authority);
    let ran = login_with(&scenario, &["--timeout=2"], None);
    assert!(ran.code != 0 && ran.stderr.contains("Signing in at MCP server 's': "), "{expected}: {ran:?}");
    assert!(ran.stderr.contains(expected), "{expected}: {ran:?}");
    assert_eq!(scenario.kosmo(&["mcp:status", "s", "--json"]).json()["servers"]["s"]["login"], json!(null));
}

#[test]
fn descriptions_are_not_believed() {
    check(
        |_, knobs| knobs.resource = json!({"resource": "https://bank.example/mcp"}),
        "is about `https://bank.example/mcp`",
    );
    check(
        |_, knobs| knobs.issuer = json!({"issuer": "https://bank.example"}),
        "says that it is `https://bank.example`",
    );
    check(|_, knobs| knobs.issuer = json!({"code_challenge_methods_supported": ["plain"]}), "PKCE with S256");
    check(|_, knobs| knobs.issuer = json!({"code_challenge_methods_supported": []}), "PKCE with S256");
    check(
        |origin, knobs| {
            let login = format!("{origin}/tenant");
            knobs.instead = Some(("/.well-known/oauth-authorization-server/tenant".into(), login));
        },
        "does not answer as it has to",
    );
}

#[test]
fn nobody_is_sent_where_only_this_machine_gets() {
    for address in ["https://169.254.169.254/latest", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/"] {
        let servers = json!({"authorization_servers": [address]});
        check(|_, knobs| knobs.resource = servers, "special-purpose address");
        check(|_, knobs| knobs.issuer = json!({"registration_endpoint": address}), "special-purpose address");
    }
    for address in ["http://127.0.0.1:1/", "http://auth.example/", "file:///etc/passwd", "javascript:alert(1)", "x"] {
        let what = "which is no https:// address";
        check(|_, knobs| knobs.metadata = Some(address.into()), what);
        check(|_, knobs| knobs.resource = json!({"authorization_servers": [address]}), what);
        for endpoint in ["authorization_endpoint", "token_endpoint", "registration_endpoint"] {
            check(|_, knobs| knobs.issuer = json!({endpoint: address}), what);
        }
    }
    check(
        |_, knobs| knobs.issuer = json!({"authorization_endpoint": "https://me:pw@auth.example/"}),
        "which is no https://",
    );
    check(|_, knobs| knobs.issuer = json!({"authorization_endpoint": null}), "which is no https:// address");
}

#[test]
fn answers_have_an_end_and_lead_nowhere_else() {
    let path = "/.well-known/oauth-authorization-server/tenant";
    check(|_, knobs| knobs.instead = Some((path.into(), " ".repeat(70_000))), "has more than 65536 bytes");
    check(
        |origin, knobs| {
            let query = format!(
                "response_type=code&code_challenge_method=S256&resource={origin}/mcp&redirect_uri={origin}/mcp"
            );
            knobs.issuer = json!({"registration_endpoint": format!("{origin}/authorize?{query}")});
        },
        "registered no client (302)",
    );
    check(
        |origin, knobs| knobs.issuer = json!({"token_endpoint": format!("{origin}/authorize?response_type=code")}),
        "issued no token (400",
    );
    check(
        |_, knobs| knobs.besides = "&iss=https%3A%2F%2Fbank.example".into(),
        "the answer is of `https://bank.example`",
    );
    check(
        |_, knobs| knobs.issuer = json!({"authorization_response_iss_parameter_supported": true}),
        "the answer is of ``",
    );
}

#[test]
fn what_is_repeated_of_a_request_for_a_token_is_not_shown() {
    let authority = Authority::start();
    authority.turn(|knobs| knobs.worthless = true);
    let scenario = scenario(&authority);
    let ran = login_with(&scenario, &[], None);
    assert_eq!(ran.code, 4, "{ran:?}");
    for part in ["code [redacted]", "code_verifier [redacted]", "(400 invalid_grant)"] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    assert!(!ran.stderr.contains("code-s3cr3t"), "{ran:?}");
}

#[test]
fn what_is_no_registration_is_not_shown() {
    let authority = Authority::start();
    let registration = json!({"client_id": "a", "client_secret": 987_654_321_987_654_u64}).to_string();
    authority.turn(|knobs| knobs.instead = Some(("/register".into(), registration)));
    let ran = login_with(&scenario(&authority), &[], None);
    assert!(ran.code == 4 && ran.stderr.contains("/register does not answer as it has to: "), "{ran:?}");
    assert!(ran.stderr.contains("its JSON is of another form at line 1, column "), "{ran:?}");
    assert!(!ran.stderr.contains("987654321987654"), "{ran:?}");
}

const AS_CLIENT: [&str; 3] = ["--client-credentials", "--client-id=ci", "--client-secret=@env:CLIENT_SECRET"];

#[test]
fn a_clients_secret_goes_to_nobody_whom_only_the_server_names() {
    let server = Authority::start();
    server.turn(|knobs| knobs.resource = json!({"authorization_servers": ["https://bank.invalid/a$(id)"]}));
    let scenario = scenario(&server);
    for arguments in [&AS_CLIENT[..], &AS_CLIENT[1..]] {
        let ran = login_with(&scenario, arguments, None);
        assert_eq!(ran.code, 3, "{ran:?}");
        for part in ["would go to `https://bank.invalid/a$(id)`", "say so: kosmo mcp:login s --issuer URL\n"] {
            assert!(ran.stderr.contains(part), "{part}: {ran:?}");
        }
    }
    let piped = ["--client-id=ci", "--client-secret-from-stdin"];
    assert_eq!(login_with(&scenario, &piped, Some("client-s3cr3t")).code, 3);
    let audit = scenario.kosmo(&["audit"]);
    let asked = |what: &str| audit.stdout.contains(&format!("/.well-known/oauth-{what}"));
    assert!(asked("protected-resource") && !asked("authorization-server"), "{audit:?}");
}

#[test]
fn a_clients_secret_goes_to_whom_the_operator_names() {
    let (authority, server) = (Authority::start(), Authority::start());
    authority.turn(|knobs| knobs.client = Some(("ci".into(), "client-s3cr3t".into())));
    server.turn(|knobs| knobs.resource = json!({"authorization_servers": ["https://bank.invalid"]}));
    let issuer = format!("{}/tenant", authority.origin());
    let ran = login_with(&scenario(&server), &[&AS_CLIENT[..], &["--issuer", &issuer]].concat(), None);
    // There the token is made out to a server that it does not know.
    assert!(ran.stderr.contains("issued no token (400 invalid_target)"), "{ran:?}");
    assert_eq!(tokens_at(&authority, "/token"), 1);
}

#[test]
fn an_authorization_server_that_names_itself_is_believed_if_it_is_the_one() {
    let authority = Authority::start();
    let named = format!("{}/tenant", authority.origin()).replace(':', "%3A").replace('/', "%2F");
    authority.turn(|knobs| {
        knobs.issuer = json!({"authorization_response_iss_parameter_supported": true});
        knobs.besides = format!("&iss={named}");
    });
    let scenario = scenario(&authority);
    login(&scenario);
    check_in(&scenario);
}

#[test]
fn the_operators_word_lets_it_be_at_another_address_of_this_machine() {
    let (authority, server) = (Authority::start(), Authority::start());
    let issuer = format!("{}/tenant", authority.origin());
    server.turn(|knobs| knobs.resource = json!({"authorization_servers": [issuer]}));
    let scenario = scenario(&server);
    let ran = login_with(&scenario, &[], None);
    assert!(ran.stderr.contains("which is no https:// address"), "{ran:?}");
    assert_eq!(authority.received().len(), 0);
    // There the token is made out to a server that it does not know.
    let login = Login::start(&scenario, &["--issuer", &issuer, "--timeout=1"], None);
    assert!(login.url.starts_with(authority.origin()), "{}", login.url);
    assert_eq!(login.asked("resource"), server.url());
    login.end();
}

/// The servers that got a token among what an authority received.
fn tokens_at(authority: &Authority, path: &str) -> usize {
    let of_path = |line: &str| line.split(' ').nth(1) == Some(path);
    let requests = authority.received().into_iter().filter(|request| of_path(&request.line));
    requests.filter(|request| request.header("authorization").is_some()).count()
}

#[test]
fn a_token_goes_to_no_other_address() {
    let (authority, other) = (Authority::start(), Authority::start());
    let scenario = scenario(&authority);
    login(&scenario);
    check_in(&scenario);
    let point = |url: String| {
        scenario.write("mcp.json", &json!({"mcpServers": {"s": {"url": url}}}).to_string());
        assert_eq!(fault(&scenario, ECHO).code == Code::Unauthorized, !url.ends_with("/elsewhere"), "{url}");
    };
    point(other.url());
    point(format!("{}/elsewhere", authority.origin()));
    assert_eq!((tokens_at(&other, "/mcp"), tokens_at(&authority, "/elsewhere")), (0, 0));
    scenario.write("mcp.json", &json!({"mcpServers": {"s": {"url": authority.url()}}}).to_string());
    check_in(&scenario);
}

/// A project with a server of this URL, under the name of the home's.
fn project(scenario: &Scenario, url: &str) {
    scenario.write(".mcp.json", &json!({"mcpServers": {"s": {"url": url}}}).to_string());
}

#[test]
fn a_projects_server_has_nothing_of_the_homes_whatever_it_is_called() {
    let (authority, other) = (Authority::start(), Authority::start());
    let scenario = scenario(&authority);
    login(&scenario);
    fs::create_dir(scenario.home().join(".git")).expect("a project");
    for url in [other.url(), authority.url()] {
        project(&scenario, &url);
        let before = tokens_at(&authority, "/mcp");
        let untrusted = login_with(&scenario, &[], None);
        assert!(untrusted.code == 3 && untrusted.stderr.contains("is not trusted"), "{untrusted:?}");
        assert_eq!(scenario.kosmo(&["mcp:trust", "s"]).code, 0);
        let ran = scenario.kosmo(&["mcp:call", "s.echo", "--message=in"]);
        assert_eq!(ran.code, 4, "{ran:?}");
        assert_eq!((tokens_at(&other, "/mcp"), tokens_at(&authority, "/mcp")), (0, before));
    }
    login(&scenario);
    assert_eq!(scenario.kosmo(&["mcp:call", "s.echo", "--message=in"]).code, 0);
    // As long as it is the one that was reviewed.
    let changed = json!({"mcpServers": {"s": {"url": authority.url(), "headers": {"X-More": "1"}}}});
    scenario.write(".mcp.json", &changed.to_string());
    let before = tokens_at(&authority, "/mcp");
    let ran = scenario.kosmo(&["mcp:call", "s.echo", "--message=in"]);
    assert!(ran.code == 3 && ran.stderr.contains("changed since it was trusted"), "{ran:?}");
    let forced = scenario.kosmo_with(
        &["mcp:call", "s.echo", "--message=in", "--force"],
        &[("KOSMO_MCP_ALLOW_FORCE", "1")],
        None,
    );
    assert_ne!(forced.code, 0, "{forced:?}");
    assert_eq!(tokens_at(&authority, "/mcp"), before);
}

#[test]
fn nobody_signs_in_where_it_would_be_overheard_or_in_vain() {
    let refused = |entry: serde_json::Value, part: &str| {
        let scenario = scenario_with(json!({"s": entry}), ALLOWED);
        let ran = login_with(&scenario, &[], None);
        assert!(ran.code != 0 && ran.stderr.contains(part), "{part}: {ran:?}");
    };
    refused(json!({"url": "http://mcp.example.test/mcp"}), "everybody on the way could read the token");
    refused(json!({"command": "true"}), "it is started here and not asked over HTTP");
    let authority = Authority::start();
    let settled = json!({"url": authority.url(), "headers": {"Authorization": "Bearer mine"}});
    refused(settled, "its entry says who we are already");
    assert_eq!(authority.received().len(), 0);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let ran = login_with(&scenario(&authority), &["--callback-port", &port], None);
    assert!(ran.code == 1 && ran.stderr.contains("cannot be listened at for the browser"), "{ran:?}");
}
