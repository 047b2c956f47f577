//! Signing in at servers: the whole walk with the tests as the browser, renewal by many processes, and everybody who
//! would rather have the token.

mod browser;
mod hostile;
mod renewal;

use super::{fault, scenario_with};
use kosmo::Code;
use kosmo_tests::{Authority, Ran, Scenario, Transcript, browse};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Stdio};

const ALLOWED: &str = "permissions_default = \"allow\"\n";
const ECHO: &str = "return app.mcp.s.echo({message = 'in'})";

/// A home whose server `s` lets nobody in without a token.
fn scenario(authority: &Authority) -> Scenario {
    scenario_with(json!({"s": {"url": authority.url(), "timeout": 10}}), ALLOWED)
}

/// `kosmo mcp:login` that waits for its browser.
struct Login {
    child: Child,
    stderr: BufReader<ChildStderr>,
    seen: String,
    /// Where the browser has to go; empty if it ended before.
    url: String,
}

impl Login {
    fn start(scenario: &Scenario, arguments: &[&str], input: Option<&str>) -> Self {
        let mut command = scenario.command();
        command.args(["mcp:login", "s"]).args(arguments).env("CLIENT_SECRET", "client-s3cr3t");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("`kosmo` starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // Who needs no input may have ended.
        let _ = stdin.write_all(input.unwrap_or_default().as_bytes());
        drop(stdin);
        let mut login = Self {
            stderr: BufReader::new(child.stderr.take().expect("a pipe")),
            child,
            seen: String::new(),
            url: String::new(),
        };
        while login.url.is_empty() && login.stderr.read_line(&mut login.seen).expect("UTF-8") > 0 {
            let line = login.seen.lines().last().unwrap_or_default();
            login.url = line.strip_prefix("  http").map(|rest| format!("http{rest}")).unwrap_or_default();
        }
        login
    }

    fn end(mut self) -> Ran {
        self.stderr.read_to_string(&mut self.seen).expect("UTF-8");
        let output = self.child.wait_with_output().expect("`kosmo` ends");
        let stdout = String::from_utf8(output.stdout).expect("UTF-8");
        Ran { code: output.status.code().unwrap_or(-1), stdout, stderr: self.seen }
    }

    /// The page of kosmo's own that the browser is to come back to.
    fn callback(&self) -> String {
        self.asked("redirect_uri")
    }

    /// A parameter of the page's address.
    fn asked(&self, name: &str) -> String {
        let url: url::Url = self.url.parse().expect("a URL");
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

/// Signs in, as a person would who agrees.
fn login_with(scenario: &Scenario, arguments: &[&str], input: Option<&str>) -> Ran {
    let login = Login::start(scenario, arguments, input);
    if !login.url.is_empty() {
        browse(&login.url);
    }
    login.end()
}

#[track_caller]
fn login(scenario: &Scenario) {
    let ran = login_with(scenario, &[], None);
    assert_eq!(ran.code, 0, "{ran:?}");
}

fn call(scenario: &Scenario) -> Ran {
    scenario.kosmo(&["mcp:lua", "--eval", ECHO])
}

#[track_caller]
fn check_in(scenario: &Scenario) {
    let ran = call(scenario);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "in\n"), "{ran:?}");
}

/// That none of these is in any file of a folder, nor in what was printed.
#[track_caller]
fn check_unseen(folder: &Path, secrets: &[String], printed: &[&Ran]) {
    assert!(secrets.len() > 1, "{secrets:?}");
    let holds = |bytes: &[u8], secret: &String| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    for entry in fs::read_dir(folder).expect("a folder").flatten().filter(|entry| entry.file_name() != "cache") {
        match entry.path() {
            path if path.is_dir() => check_unseen(&path, secrets, &[]),
            path => {
                // What SQLite puts beside its file goes when nobody uses it any more.
                let bytes = fs::read(&path).unwrap_or_default();
                assert!(!secrets.iter().any(|secret| holds(&bytes, secret)), "{path:?}");
            }
        }
    }
    let shown = |ran: &&Ran| secrets.iter().any(|secret| ran.stdout.contains(secret) || ran.stderr.contains(secret));
    assert!(!printed.iter().any(shown), "{printed:?}");
}

#[test]
fn whoever_signs_in_is_let_in_and_nobody_sees_by_what() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    let refused = fault(&scenario, ECHO);
    assert_eq!(refused.code, Code::Unauthorized, "{refused}");
    assert!(refused.message.contains("Sign in: kosmo mcp:login s"), "{refused}");
    let login = Login::start(&scenario, &["--json"], None);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "client-1"),
        ("code_challenge_method", "S256"),
        ("resource", &authority.url()),
        ("scope", "tools offline_access"),
        ("prompt", "consent"),
    ] {
        assert_eq!(login.asked(name), value, "{name}");
    }
    assert!(login.callback().starts_with("http://127.0.0.1:"), "{}", login.url);
    let page = browse(&login.url);
    assert!(page.starts_with("HTTP/1.1 200 OK") && page.ends_with("kosmo has the answer. You can close this page.\n"));
    assert!(page.contains("cache-control: no-store") && page.contains("referrer-policy: no-referrer"), "{page}");
    let ran = login.end();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()["issuer"], json!(format!("{}/tenant", authority.origin())));
    check_in(&scenario);
    let told = scenario.kosmo(&["mcp:status", "s", "--json"]);
    assert_eq!(told.json()["servers"]["s"]["login"]["renewed"], true, "{told:?}");
    let doctor = scenario.kosmo(&["mcp:doctor", "--probe"]);
    assert!(doctor.stdout.contains("signed in by http://") && doctor.stdout.contains("it answers"), "{doctor:?}");
    let access = authority.secrets().into_iter().find(|secret| secret.starts_with("access")).expect("a token");
    let echoed = scenario.kosmo(&["mcp:lua", "--eval", &format!("return app.mcp.s.echo({{message = '{access}'}})")]);
    assert_eq!(echoed.stdout, "[redacted]\n");
    let audit = scenario.kosmo(&["audit"]);
    assert!(audit.stdout.contains("mcp.s") && audit.stdout.contains("/token "), "{audit:?}");
    check_unseen(scenario.home(), &authority.secrets(), &[&ran, &told, &doctor, &echoed, &audit]);
    let with_token = |line: &str| {
        let sent = authority.received().into_iter().filter(|request| request.header("authorization").is_some());
        sent.filter(|request| request.line.starts_with(line)).count()
    };
    assert_eq!(with_token("POST /mcp"), with_token(""), "it goes to the server and nowhere else");
}

#[test]
fn a_client_that_was_registered_by_hand_is_used_and_remembered() {
    let authority = Authority::start();
    authority.turn(|knobs| {
        knobs.client = Some(("mine".into(), "client-s3cr3t".into()));
        knobs.issuer = json!({"registration_endpoint": null});
    });
    let scenario = scenario(&authority);
    let ran = login_with(&scenario, &[], None);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("Register a client there, and: kosmo mcp:login s --client-id ID"), "{ran:?}");
    let ran = login_with(&scenario, &["--client-id", "mine", "--client-secret-from-stdin"], Some("client-s3cr3t\n"));
    assert_eq!(ran.code, 0, "{ran:?}");
    check_in(&scenario);
    let again = login_with(&scenario, &["--scope", "admin"], None);
    assert!(again.code == 0 && again.stdout.contains("for admin, until"), "{again:?}");
    let named = login_with(&scenario, &["--client-id", "mine", "--client-secret", "@env:CLIENT_SECRET"], None);
    assert_eq!(named.code, 0, "{named:?}");
    check_in(&scenario);
    check_unseen(scenario.home(), &authority.secrets(), &[&ran, &again, &named]);
    assert_eq!(authority.count("POST /register"), 0);
    let typed = scenario.kosmo(&["mcp:login", "s", "--client-id", "mine", "--client-secret", "client-s3cr3t"]);
    assert!(typed.code == 2 && typed.stderr.contains("it takes @env:NAME"), "{typed:?}");
}

#[test]
fn a_client_signs_in_itself_where_there_are_no_people() {
    let authority = Authority::start();
    authority.turn(|knobs| knobs.client = Some(("ci".into(), "client-s3cr3t".into())));
    let scenario = scenario(&authority);
    let without = scenario.kosmo(&["mcp:login", "s", "--client-credentials"]);
    assert!(without.code == 1 && without.stderr.contains("needs a name and a secret"), "{without:?}");
    let line = ["mcp:login", "s", "--client-credentials", "--client-id=ci", "--client-secret=@env:CI_SECRET"];
    let with = |arguments: &[&str]| scenario.kosmo_with(arguments, &[("CI_SECRET", "client-s3cr3t")], None);
    let ran = with(&line);
    assert_eq!(ran.code, 0, "{ran:?}");
    check_in(&scenario);
    authority.end_access();
    assert_eq!(with(&["mcp:lua", "--eval", ECHO]).stdout, "in\n", "another token for the same client");
    authority.end_access();
    let unset = call(&scenario);
    assert!(unset.stderr.contains("taken from $CI_SECRET in the environment, which is not set"), "{unset:?}");
    assert_eq!(authority.count("GET /authorize"), 0);
}

#[test]
fn signing_out_leaves_nothing_here_and_nothing_there() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    login(&scenario);
    let secrets = authority.secrets();
    let ran = scenario.kosmo(&["mcp:logout", "s"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Signed out, and the token is revoked at s.\n"), "{ran:?}");
    assert_eq!(authority.secrets(), Vec::<String>::new());
    check_unseen(scenario.home(), &secrets, &[&ran]);
    assert_eq!(fault(&scenario, ECHO).code, Code::Unauthorized);
    assert_eq!(scenario.kosmo(&["mcp:logout", "s"]).stdout, "Nobody was signed in at s.\n");
    authority.turn(|knobs| knobs.issuer = json!({"revocation_endpoint": format!("{}/broken", authority.origin())}));
    login(&scenario);
    let ran = scenario.kosmo(&["mcp:logout", "s"]);
    assert!(ran.code == 0 && ran.stderr.contains("note: the token may be good until it ends."), "{ran:?}");
    assert_eq!(scenario.kosmo(&["mcp:status", "s", "--json"]).json()["servers"]["s"]["login"], Value::Null);
}

#[test]
fn a_server_that_is_removed_takes_its_sign_in_along() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    login(&scenario);
    let ran = scenario.kosmo(&["mcp:remove", "s"]);
    assert!(ran.code == 0 && ran.stdout.ends_with("Nobody is signed in there any more.\n"), "{ran:?}");
    assert_eq!(authority.secrets(), Vec::<String>::new());
    scenario.write("mcp.json", &json!({"mcpServers": {"s": {"url": authority.url()}}}).to_string());
    assert_eq!(fault(&scenario, ECHO).code, Code::Unauthorized);
}

#[test]
fn what_a_token_is_not_good_for_names_the_sign_in_that_is() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    login(&scenario);
    for (wanted, cure) in [("admin", "kosmo mcp:login s --scope 'admin'"), ("a'; rm -rf", "kosmo mcp:login s")] {
        authority.turn(|knobs| knobs.wanted = Some(wanted.into()));
        let refused = fault(&scenario, ECHO);
        assert_eq!(refused.code, Code::Forbidden, "{refused}");
        let message = refused.message.trim_end_matches(" (s.echo)").trim_end_matches('.');
        assert!(message.ends_with(cure), "{refused}");
    }
    authority.turn(|knobs| knobs.wanted = Some("admin".into()));
    assert_eq!(login_with(&scenario, &["--scope", "admin"], None).code, 0);
    check_in(&scenario);
}

/// What differs from run to run of a sign-in, by name.
fn settled(ran: Ran, authority: &Authority) -> Ran {
    let named = |text: &str| {
        let text = text.replace(authority.origin(), "http://AUTHORITY");
        let encoded = authority.origin().replace(':', "%3A").replace('/', "%2F");
        let text = text.replace(&encoded, "http%3A%2F%2FAUTHORITY");
        let value = |pair: &str| match pair.split_once('=') {
            Some((name @ ("state" | "code_challenge"), _)) => format!("{name}=…"),
            Some((name @ "redirect_uri", _)) => format!("{name}=http%3A%2F%2F127.0.0.1%3APORT%2Fcallback"),
            _ => pair.into(),
        };
        let line = |line: &str| match line.starts_with("  http") {
            true => line.split('&').map(value).collect::<Vec<_>>().join("&"),
            false => line.into(),
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    };
    Ran { code: ran.code, stdout: named(&ran.stdout), stderr: named(&ran.stderr) }
}

#[test]
fn signing_in_and_out_reads_as_it_is_documented() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    let mut transcript = Transcript::new(&scenario);
    for form in [&[][..], &["--json"]] {
        let note = |transcript: &mut Transcript<'_>, arguments: &[&str], ran: Ran| {
            transcript.note(arguments, &settled(ran, &authority));
        };
        let line = |arguments: &[&'static str]| [arguments, form].concat();
        let mut run = |arguments: &[&'static str]| {
            let arguments = line(arguments);
            note(&mut transcript, &arguments, scenario.kosmo(&arguments));
        };
        run(&["mcp:call", "s.echo", "--message=in"]);
        let ran = login_with(&scenario, form, None);
        note(&mut transcript, &line(&["mcp:login", "s"]), ran);
        let mut run = |arguments: &[&'static str]| {
            let arguments = line(arguments);
            note(&mut transcript, &arguments, scenario.kosmo(&arguments));
        };
        run(&["mcp:call", "s.echo", "--message=in"]);
        run(&["mcp:status", "s"]);
        run(&["mcp:doctor"]);
        run(&["mcp:logout", "s"]);
        run(&["mcp:logout", "s"]);
        run(&["mcp:login", "s", "--timeout=0"]);
        run(&["mcp:login", "t"]);
    }
    authority.turn(|knobs| knobs.issuer = json!({"revocation_endpoint": format!("{}/broken", authority.origin())}));
    login(&scenario);
    let unrevoked = ["mcp:logout", "s", "--json"];
    transcript.note(&unrevoked, &settled(scenario.kosmo(&unrevoked), &authority));
    transcript.compare("mcp_login");
}
