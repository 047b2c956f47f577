//! Accounts given by `integrations:configure`: from flags, standard input and a terminal; and forgotten again.

use super::{CANARY, kosmo, kosmo_with};
use kosmo_simulator::Simulator;
use kosmo_tests::{Ran, Scenario, Terminal, Transcript};
use nix::sys::signal::Signal;
use serde_json::json;

/// A home without accounts, with the plugins.
fn homeless() -> Scenario {
    let scenario = Scenario::new();
    scenario.write("config.toml", "");
    scenario
}

fn url(scenario: &Scenario) -> String {
    format!("url={}", scenario.simulator.dialpad_url())
}

#[track_caller]
fn check_works(scenario: &Scenario, account: &str) {
    let ran = kosmo(scenario, &["accounts:test", "dialpad", "--account", account]);
    assert!(ran.code == 0 && ran.stdout.starts_with(&format!("Account '{account}' of dialpad works.")), "{ran:?}");
}

/// No file of the home holds this text.
#[track_caller]
fn assert_nowhere(scenario: &Scenario, text: &str) {
    for file in std::fs::read_dir(scenario.home()).expect("a folder").flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).expect("a file");
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{file:?}");
    }
}

#[test]
fn configuring_reads_as_it_is_documented() {
    let scenario = homeless();
    let (url, token) = (url(&scenario), Simulator::token("dialpad", "work"));
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["integrations:configure", "dialpad"]);
    transcript.run(&["integrations:configure", "dialpad", "--set", "access_tokn=x", "--json"]);
    transcript.run(&["integrations:configure", "dialpad", "--account", "list_calls", "--set", "access_token=x"]);
    transcript.run(&[
        "integrations:configure",
        "dialpad",
        "--account",
        "work",
        "--set",
        &url,
        "--set",
        "access_token=@env:WORK",
    ]);
    let environment = [("WORK", token.as_str())];
    transcript.run_with(&["accounts:test", "dialpad", "--account", "work"], &[], None);
    let tested =
        kosmo_with(&scenario, &["accounts:test", "dialpad", "--account", "work", "--json"], &environment, None);
    assert_eq!((tested.code, &tested.json()["data"]["id"]), (0, &json!("5835806903425826")), "{tested:?}");
    transcript.run(&["integrations:configure", "dialpad", "--account", "work", "--write", "allow", "--json"]);
    transcript.run(&["integrations:configure", "dialpad", "--account", "work", "--unset", "access_token"]);
    transcript.run(&["accounts:list"]);
    transcript.run(&["accounts:list", "dialpad", "--json"]);
    transcript.run(&["integrations:configure", "dialpad", "--disable", "--json"]);
    transcript.run(&["integrations:call", "dialpad.list_calls"]);
    transcript.run(&["integrations:configure", "dialpad", "--enable"]);
    transcript.run(&["accounts:remove", "dialpad", "work"]);
    transcript.run(&["accounts:remove", "dialpad", "work", "--json"]);
    transcript.run(&["accounts:list"]);
    transcript.run(&["integrations:configure", "--help"]);
    transcript.compare("configure");
}

#[test]
fn a_secret_from_standard_input_works_and_shows_nowhere() {
    let scenario = homeless();
    let token = Simulator::token("dialpad", "default");
    let line = ["integrations:configure", "dialpad", "--set", "access_token=-", "--set", &url(&scenario), "--json"];
    let ran = kosmo_with(&scenario, &line, &[], Some(&format!("{token}\n")));
    assert_eq!(
        (ran.code, &ran.json()["credentials_set"], &ran.json()["configured"]),
        (0, &json!(["access_token", "url"]), &json!(true))
    );
    assert!(ran.stderr.starts_with("This accepts the plugin file of dialpad "), "{ran:?}");
    check_works(&scenario, "default");
    assert_nowhere(&scenario, &token);
    let again = kosmo_with(&scenario, &line, &[], Some(&token));
    assert_eq!((again.code, again.stderr.as_str()), (0, ""), "accepted already");
}

#[test]
fn everything_can_be_said_in_one_document() {
    let scenario = homeless();
    let token = Simulator::token("dialpad", "support");
    let document = json!({
        "account": "support", "scope": "global", "credentials": {"access_token": token, "url": scenario.simulator.dialpad_url()},
        "enabled": true, "permissions": {"read": "allow", "write": "allow"},
    });
    let ran = kosmo_with(
        &scenario,
        &["integrations:configure", "dialpad", "--stdin-json", "--json"],
        &[],
        Some(&document.to_string()),
    );
    let answer = ran.json();
    assert_eq!(
        (ran.code, &answer["account"], &answer["permissions"]),
        (0, &json!("support"), &json!({"read": "allow", "write": "allow"})),
        "{ran:?}"
    );
    check_works(&scenario, "support");
    for broken in [
        "{",
        "[]",
        "{\"credentials\": {\"access_token\": [\"s3cr3t-canary-b81f\"]}}",
        "{\"tokens\": \"s3cr3t-canary-b81f\"}",
    ] {
        let refused = kosmo_with(&scenario, &["integrations:configure", "dialpad", "--stdin-json"], &[], Some(broken));
        assert!(refused.code == 2 && refused.stderr.contains("Invalid JSON supplied on stdin"), "{refused:?}");
    }
}

#[test]
fn a_terminal_is_asked_and_does_not_show_secrets() {
    let scenario = homeless();
    let token = Simulator::token("dialpad", "work");
    let mut terminal = Terminal::start(&scenario, &["integrations:configure", "dialpad", "--account", "work"]);
    terminal.wait_for("access_token (not shown): ");
    terminal.press("wrong\x15");
    terminal.press(&format!("{token}x\x7f\n"));
    terminal.wait_for("url (empty for https://dialpad.com): ");
    terminal.press(&format!("{}\n", scenario.simulator.dialpad_url()));
    let (code, screen) = terminal.end();
    assert!(code == 0 && screen.contains("Account 'work' of dialpad: kept access_token, url."), "{screen}");
    assert!(screen.contains(scenario.simulator.dialpad_url()), "what is no secret is shown: {screen}");
    assert!(!screen.contains(&token) && !screen.contains("wrong"), "{screen}");
    check_works(&scenario, "work");

    let mut terminal = Terminal::start(&scenario, &["integrations:configure", "dialpad", "--account", "work"]);
    terminal.wait_for("access_token (not shown, empty keeps it): ");
    terminal.press("half\x03");
    let (code, screen) = terminal.end();
    assert!(code == 130 && !screen.contains("half"), "{screen}");
    assert!(screen.contains("kosmo: Interrupted; nothing was changed."), "{screen}");
    check_works(&scenario, "work");
}

#[track_caller]
fn check_refused(ran: &Ran, code: i32, part: &str) {
    assert!(ran.code == code && ran.stdout.is_empty() && ran.stderr.contains(part), "{ran:?} instead of {part}");
}

#[test]
fn what_cannot_be_used_is_refused_before_it_is_kept() {
    let scenario = homeless();
    let configure = |line: &[&str]| kosmo(&scenario, &[&["integrations:configure", "dialpad"], line].concat());
    let token = format!("access_token={CANARY}");
    check_refused(
        &configure(&["--set", &token, "--set", "url=ftp://x"]),
        2,
        "Account 'default' of 'dialpad': `url`: it is not an absolute http or https URL",
    );
    check_refused(&configure(&["--set", &format!("{token}\nx")]), 2, "holds a line break");
    check_refused(&configure(&["--set", CANARY]), 2, "--set values must use key=value syntax");
    check_refused(&configure(&["--set", "acess_token=x"]), 2, "Did you mean: access_token");
    check_refused(
        &configure(&["--account", "Work", "--set", &token]),
        2,
        "No account can be called 'Work': an account's name has lower case letters",
    );
    check_refused(&configure(&["--account", "get_user", "--set", &token]), 2, "dialpad has a function of that name");
    check_refused(&configure(&["--read", "maybe"]), 2, "it takes allow, ask or deny");
    check_refused(&kosmo(&scenario, &["integrations:configure", "dialpd", "--enable"]), 1, "Did you mean: dialpad");
    assert!(!scenario.home().join("accepted.toml").exists(), "nothing was accepted");
    assert_eq!(kosmo(&scenario, &["accounts:list", "dialpad"]).stdout.lines().count(), 1);

    scenario.configure("");
    check_refused(
        &configure(&["--set", &token]),
        1,
        "Account 'default' of 'dialpad' stands in config.toml, which comes first.",
    );
    check_refused(&kosmo(&scenario, &["accounts:remove", "dialpad", "default"]), 1, "stands in config.toml");
}

#[test]
fn a_secret_is_not_replaced_by_nothing() {
    let scenario = homeless();
    let token = format!("access_token={}", Simulator::token("dialpad", "work"));
    let configure = |line: &[&str], stdin: &str| {
        kosmo_with(&scenario, &[&["integrations:configure", "dialpad"], line].concat(), &[], Some(stdin))
    };
    assert_eq!(configure(&["--set", &token, "--set", &url(&scenario)], "").code, 0);
    for (set, stdin) in
        [("access_token=", ""), ("access_token=-", ""), ("access_token=-", "\n"), ("access_token=@env:", "")]
    {
        check_refused(&configure(&["--set", set], stdin), 2, "The value of `access_token` is empty");
    }
    for empty in ["\"\"", "{\"env\": \"\"}"] {
        let document = format!("{{\"set\": {{\"access_token\": {empty}}}}}");
        check_refused(&configure(&["--stdin-json"], &document), 2, "The value of `access_token` is empty");
    }
    check_refused(&configure(&["--unset", "acess_token"], ""), 2, "Did you mean: access_token");
    check_works(&scenario, "default");
}

#[test]
fn comments_in_the_configuration_survive() {
    let scenario = homeless();
    scenario.write("config.toml", "# mine\n[permissions.dialpad] # why\nwrite = \"ask\" # for now\n");
    for line in [&["--write", "allow"][..], &["--disable"], &["--enable"], &["--permissions=read:ask,write:deny"]] {
        assert_eq!(kosmo(&scenario, &[&["integrations:configure", "dialpad"], line].concat()).code, 0, "{line:?}");
    }
    let text = std::fs::read_to_string(scenario.home().join("config.toml")).expect("a file");
    let expected = "# mine\n[permissions.dialpad] # why\nwrite = \"deny\" # for now\nread = \"ask\"\n\n[providers.dialpad]\nenabled = true\n";
    assert_eq!(text, expected);
}

#[test]
fn an_account_comes_whole_from_the_first_place_that_has_it() {
    let scenario = homeless();
    let (work, support) = (Simulator::token("dialpad", "work"), Simulator::token("dialpad", "support"));
    let set = format!("access_token={work}");
    assert_eq!(
        kosmo(&scenario, &["integrations:configure", "dialpad", "--set", &set, "--set", &url(&scenario)]).code,
        0
    );
    let environment = [("DIALPAD_ACCESS_TOKEN", support.as_str()), ("DIALPAD_URL", "http://127.0.0.1:1")];
    let call = ["integrations:call", "dialpad.get_current_user"];
    assert_eq!(kosmo_with(&scenario, &call, &environment, None).code, 0);
    scenario.assert_sent(&["dialpad.work GET /api/v2/users/me"]);
    scenario.configure("");
    assert_eq!(kosmo_with(&scenario, &call, &environment, None).code, 0);
    scenario.assert_sent(&["dialpad.default GET /api/v2/users/me"]);
}

#[test]
fn many_processes_configure_at_once_and_nothing_is_lost() {
    let scenario = homeless();
    let url = url(&scenario);
    let configure = &|index: usize| {
        let (account, set) = (format!("account{index}"), format!("access_token={CANARY}-{index}"));
        let line = ["integrations:configure", "dialpad", "--account", &account, "--set", &set, "--set", &url];
        let word = ["integrations:configure", "ringcentral", "--write", "allow"];
        assert_eq!(kosmo(&scenario, &line).code, 0);
        assert_eq!(kosmo(&scenario, &word).code, 0);
    };
    std::thread::scope(|scope| (0..6).for_each(|index| drop(scope.spawn(move || configure(index)))));
    let listed = kosmo(&scenario, &["accounts:list", "dialpad", "--json"]).json();
    assert_eq!(listed["providers"]["dialpad"].as_array().map(Vec::len), Some(6), "{listed}");
    assert_nowhere(&scenario, CANARY);
}

#[test]
fn a_signal_at_a_secret_leaves_the_terminal_as_it_was() {
    let scenario = homeless();
    let mut terminal = Terminal::start(&scenario, &["integrations:configure", "dialpad", "--account", "work"]);
    terminal.wait_for("(not shown)");
    assert!(!terminal.is_as_usual(), "nothing is shown");
    terminal.signal(Signal::SIGTERM);
    assert_eq!(terminal.left(), (143, true));
}
