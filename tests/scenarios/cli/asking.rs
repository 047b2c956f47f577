//! A person at a terminal is asked where a permission is `ask`.

use super::kosmo;
use kosmo_simulator::Simulator;
use kosmo_tests::{Scenario, Terminal};
use nix::sys::signal::Signal;
use std::fs;

const PROMPT: &str = "once, always or never? [o/a/n, Enter for no] ";

fn send(text: &str) -> String {
    format!("app.integrations.ringcentral.send_sms({{from = '+16505551234', to = '+16505559876', text = '{text}'}})")
}

fn start(scenario: &Scenario, code: &str) -> Terminal {
    Terminal::start(scenario, &["integrations:lua", "--eval", code])
}

/// What one question, answered with these keys, comes to: the exit code, the screen, and how much was sent.
fn answered(scenario: &Scenario, code: &str, keys: &str) -> (i32, String, usize) {
    let mut terminal = start(scenario, code);
    terminal.wait_for(PROMPT);
    terminal.press(keys);
    let (code, screen) = terminal.end();
    (code, screen, scenario.simulator.sms_sent().len())
}

fn config(scenario: &Scenario) -> String {
    fs::read_to_string(scenario.home().join("config.toml")).expect("a configuration")
}

/// What the audit log has of this verdict.
fn audited(scenario: &Scenario, verdict: &str) -> usize {
    kosmo(scenario, &["audit", "--json"]).stdout.matches(&format!("\"decision\": \"{verdict}\"")).count()
}

#[test]
fn a_yes_for_once_lets_one_write_go_ahead() {
    let scenario = Scenario::new();
    let before = config(&scenario);
    let (code, screen, sent) = answered(&scenario, &format!("print({}.messageStatus)", send("Hello")), "o\n");
    assert_eq!((code, sent), (0, 1), "{screen}");
    for part in
        ["ringcentral.send_sms on account 'default': ", "\"text\": \"Hello\"", "\"to\": \"+16505559876\"", "Queued"]
    {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert_eq!((config(&scenario), audited(&scenario, "approved")), (before, 1));
}

#[test]
fn no_answer_but_a_yes_lets_anything_be_sent() {
    for (keys, said) in
        [("\n", "said no"), ("no\n", "said no"), ("\x03", "said no"), ("\x04", "said no"), ("n\n", "said never")]
    {
        let scenario = Scenario::new();
        let (code, screen, sent) = answered(&scenario, &send("Hello"), keys);
        assert_eq!((code, sent), (1, 0), "{keys:?}: {screen}");
        let sentence = format!("the user was asked about ringcentral.send_sms on account 'default' and {said}.");
        assert!(screen.contains(&sentence), "{keys:?}: {screen}");
        assert_eq!((audited(&scenario, "refused"), audited(&scenario, "approved")), (1, 0), "{keys:?}");
    }
}

#[test]
fn what_is_no_answer_is_asked_again() {
    let scenario = Scenario::new();
    let mut terminal = start(&scenario, &send("Hello"));
    terminal.wait_for(PROMPT);
    terminal.press("maybe\n");
    terminal.wait_for("Please answer o, a or n, or press Enter for no.");
    terminal.wait_for(PROMPT);
    terminal.press("nx\x7f\x7fo\n");
    let (code, screen) = terminal.end();
    assert_eq!((code, scenario.simulator.sms_sent().len()), (0, 1), "{screen}");
}

#[test]
fn what_is_typed_ahead_answers_no_question_that_was_not_seen() {
    let scenario = Scenario::new();
    let mut terminal = start(&scenario, &format!("{} {}", send("one"), send("two")));
    terminal.wait_for(PROMPT);
    terminal.press("o\no\n");
    terminal.wait_for("\"text\": \"two\"");
    terminal.wait_for(PROMPT);
    // Behind an answer that is none, too.
    terminal.press("maybe\no\n");
    terminal.wait_for("Please answer o, a or n");
    terminal.wait_for(PROMPT);
    terminal.press("\n");
    let (code, screen) = terminal.end();
    assert_eq!((code, scenario.simulator.sms_sent().len()), (1, 1), "{screen}");
}

#[test]
fn always_is_written_down_for_that_function_of_that_account_and_comments_stay() {
    let scenario = Scenario::new();
    scenario.configure("# mine\n[permissions.ringcentral]\nwrite = \"ask\" # careful\n");
    let (code, screen, sent) = answered(&scenario, &send("one"), "a\n");
    assert_eq!((code, sent), (0, 1), "{screen}");
    let line = "`send_sms = \"allow\"` under [permissions.ringcentral.accounts.default.functions]";
    let file = scenario.home().join("config.toml");
    assert!(
        screen.contains(&format!(
            "Written to {}: {line}. To be asked again: kosmo permissions:unset ringcentral.send_sms --account default",
            file.display()
        )),
        "{screen}"
    );
    let written = config(&scenario);
    assert!(written.contains("# mine\n[permissions.ringcentral]\nwrite = \"ask\" # careful\n"), "{written}");
    assert_eq!(kosmo(&scenario, &["integrations:lua", "--eval", &send("two")]).code, 0);
    let other = send("three").replace("ringcentral.", "ringcentral.work.");
    assert_eq!(
        kosmo(&scenario, &["integrations:lua", "--eval", &other]).code,
        1,
        "another account is another question"
    );
    assert_eq!(scenario.simulator.sms_sent().len(), 2);
}

#[test]
fn always_for_the_only_account_says_nothing_of_later_ones_and_never_does() {
    let account = |scenario: &Scenario, name: &str| {
        let (url, token) = (scenario.simulator.ringcentral_url(), Simulator::token("ringcentral", "default"));
        format!("[accounts.ringcentral.{name}]\nurl = \"{url}\"\naccess_token = \"{token}\"\n")
    };
    for (keys, line) in [
        ("a\n", "`send_sms = \"allow\"` under [permissions.ringcentral.accounts.default.functions]"),
        ("n\n", "`send_sms = \"deny\"` under [permissions.ringcentral.functions]"),
    ] {
        let scenario = Scenario::new();
        scenario.write("config.toml", &account(&scenario, "default"));
        let (_, screen, sent) = answered(&scenario, &send("one"), keys);
        assert!(screen.contains(line), "{screen}");
        scenario.write("config.toml", &(config(&scenario) + &account(&scenario, "later")));
        let later = send("two").replace("ringcentral.", "ringcentral.later.");
        assert_eq!(kosmo(&scenario, &["integrations:lua", "--eval", &later]).code, 1);
        assert_eq!(scenario.simulator.sms_sent().len(), sent);
    }
}

#[test]
fn never_is_written_down_and_holds_without_a_terminal_until_it_is_taken_back() {
    let scenario = Scenario::new();
    let (_, screen, _) = answered(&scenario, &send("one"), "never\n");
    let undo = "kosmo permissions:unset ringcentral.send_sms --account default";
    assert!(screen.contains("`send_sms = \"deny\"` under "), "{screen}");
    assert!(screen.contains(&format!("To be asked again: {undo}\n")), "{screen}");
    let ran = kosmo(&scenario, &["integrations:lua", "--eval", &send("two")]);
    assert!(ran.code == 1 && ran.stderr.contains("Integration 'ringcentral' write access denied."), "{ran:?}");
    assert!(ran.stderr.contains(&format!(", or take the rule back: {undo}.")), "{ran:?}");
    let taken = scenario.shell(undo);
    assert_eq!(taken.code, 0, "{taken:?}");
    let (_, screen, sent) = answered(&scenario, &send("three"), "o\n");
    assert_eq!(sent, 1, "it is asked about again: {screen}");
}

#[test]
fn a_refusal_names_the_command_that_allows_it() {
    let scenario = Scenario::new();
    for (line, cure) in [
        (&["permissions:set", "ringcentral.send_sms", "deny"][..], "kosmo permissions:set ringcentral.send_sms allow"),
        (
            &["permissions:set", "ringcentral.write", "deny", "--account", "default"],
            "kosmo permissions:set ringcentral.write allow --account default",
        ),
        (
            &["integrations:configure", "ringcentral", "--write=deny"],
            "kosmo integrations:configure ringcentral --write=allow",
        ),
    ] {
        assert_eq!(kosmo(&scenario, line).code, 0, "{line:?}");
        let ran = kosmo(&scenario, &["integrations:lua", "--eval", &send("one")]);
        assert!(ran.code == 1 && ran.stderr.contains(&format!(": {cure})")), "{line:?}: {ran:?}");
        assert_eq!(scenario.shell(cure).code, 0);
        assert_eq!(kosmo(&scenario, &["integrations:lua", "--eval", &send("one")]).code, 0, "{cure}");
        let rules = kosmo(&scenario, &["permissions:list", "--json"]).json();
        for rule in rules["permissions"].as_array().into_iter().flatten() {
            let name = rule["permission"].as_str().expect("a name");
            let account = rule["account"].as_str().map(|account| format!("--account={account}"));
            let line: Vec<_> = ["permissions:unset", name].into_iter().chain(account.as_deref()).collect();
            assert_eq!(kosmo(&scenario, &line).code, 0, "{rule}");
        }
    }
}

#[test]
fn a_second_signal_at_a_question_leaves_the_terminal_as_it_was() {
    let scenario = Scenario::new();
    let mut terminal = start(&scenario, &send("Hello"));
    terminal.wait_for(PROMPT);
    assert!(!terminal.is_as_usual(), "keys are taken unseen");
    terminal.signal(Signal::SIGTERM);
    terminal.signal(Signal::SIGTERM);
    assert_eq!(terminal.left(), (143, true));
    assert!(scenario.sent().is_empty());
}

#[test]
fn parallel_asks_once_for_what_is_answered_for_good() {
    let scenario = Scenario::new();
    let sends: Vec<_> = (0..5).map(|number| format!("function() return {} end", send(&number.to_string()))).collect();
    let (code, screen, sent) = answered(&scenario, &format!("parallel({})", sends.join(", ")), "a\n");
    assert_eq!((code, sent, screen.matches(PROMPT).count().min(1)), (0, 5, 1), "{screen}");
    assert_eq!(screen.matches("ringcentral.send_sms on account").count(), 1, "{screen}");
    assert_eq!(audited(&scenario, "approved"), 5);
}

#[test]
fn what_cannot_be_undone_is_called_so_and_nothing_steers_the_terminal() {
    let scenario = Scenario::new();
    let delete = "app.integrations.ringcentral.delete_message({message_id = '1'})";
    let (_, screen, _) = answered(&scenario, delete, "\n");
    assert!(screen.contains("DESTRUCTIVE: what it does cannot be undone."), "{screen}");
    let evil = r"a\27[2J\u{9b}31m\u{202e}\r\7b";
    let (_, screen, _) = answered(&scenario, &send(evil), "\n");
    let question = screen.split(PROMPT).next().unwrap_or_default();
    assert!(question.contains(r"a\u001b[2J\u{9b}31m\u{202e}\r\u0007b"), "{question:?}");
    assert!(
        !question.contains("\x1b[2J") && !question.contains('\u{9b}') && !question.contains('\u{202e}'),
        "{question:?}"
    );
}

#[test]
fn what_is_too_long_can_be_shown_whole() {
    let scenario = Scenario::new();
    let mut terminal = start(&scenario, &send(&format!("{}\u{200b}the end", "x".repeat(300))));
    terminal.wait_for("more letters");
    let prompt = "once, always or never? [o/a/n, s to show all, Enter for no] ";
    for _ in 0..4 {
        terminal.wait_for(prompt);
        terminal.press("s\n");
        terminal.wait_for("xxx\\u{200b}the end");
    }
    terminal.wait_for(prompt);
    terminal.press("o\n");
    let (code, screen) = terminal.end();
    assert_eq!((code, scenario.simulator.sms_sent().len()), (0, 1), "{screen}");
}

#[test]
fn a_dry_run_is_answered_for_itself_alone() {
    let scenario = Scenario::new();
    let before = config(&scenario);
    let mut terminal = Terminal::start(&scenario, &["integrations:lua", "--dry-run", "--eval", &send("Hello")]);
    terminal.wait_for("This is a dry run: no write is sent.");
    terminal.wait_for("  yes or no? [y/n, Enter for no] ");
    terminal.press("a\n");
    terminal.wait_for("Please answer y or n, or press Enter for no.");
    terminal.wait_for("  yes or no? [y/n, Enter for no] ");
    terminal.press("y\n");
    let (code, screen) = terminal.end();
    assert!(code == 0 && !screen.contains("always"), "{screen}");
    assert_eq!((config(&scenario), scenario.sent().len()), (before, 0));
}

#[test]
fn a_request_by_path_is_asked_about_by_name() {
    let scenario = Scenario::new();
    let delete =
        "app.integrations.ringcentral.api_delete({path = '/restapi/v1.0/account/~/extension/~/message-store/1'})";
    let mut terminal = start(&scenario, delete);
    terminal.wait_for("ringcentral.api_delete on account 'default': ");
    terminal.wait_for(PROMPT);
    terminal.press("o\n");
    terminal.wait_for("ringcentral.api_delete on account 'default' is about to send DELETE http");
    terminal.wait_for("which is what delete_message does: ");
    terminal.wait_for(PROMPT);
    terminal.press("\n");
    let (code, screen) = terminal.end();
    assert!(code == 1 && screen.contains("asked about ringcentral.delete_message"), "{screen}");
    assert!(scenario.sent().is_empty());
}

#[test]
fn one_call_asks_too_and_its_envelope_stays_one_document() {
    let scenario = Scenario::new();
    let call = [
        "integrations:call",
        "ringcentral.send_sms",
        "--from=+16505551234",
        "--to=+16505559876",
        "--text=Hello",
        "--json",
    ];
    let mut terminal = Terminal::start(&scenario, &call);
    terminal.wait_for(PROMPT);
    terminal.press("o\n");
    let (code, screen) = terminal.end();
    assert_eq!((code, scenario.simulator.sms_sent().len()), (0, 1), "{screen}");
    let mut terminal = Terminal::start(&scenario, &call);
    terminal.wait_for(PROMPT);
    terminal.press("\n");
    let (code, screen) = terminal.end();
    assert!(code == 3 && screen.contains("\"code\": \"denied\""), "{screen}");
}

#[test]
fn without_a_terminal_or_with_force_nobody_is_asked() {
    let scenario = Scenario::new();
    let ran = kosmo(&scenario, &["integrations:lua", "--eval", &send("x")]);
    assert!(ran.code == 1 && !ran.stderr.contains("once, always"), "{ran:?}");
    let cure = "kosmo integrations:configure ringcentral --write=allow), or to run this once with --force.";
    assert!(ran.stderr.contains(cure), "{ran:?}");
    let terminal = Terminal::start(&scenario, &["integrations:lua", "--force", "--eval", &send("x")]);
    let (code, screen) = terminal.end();
    assert!(code == 0 && !screen.contains(PROMPT), "{screen}");
    assert_eq!(kosmo(&scenario, &["integrations:configure", "ringcentral", "--write=allow"]).code, 0);
    assert_eq!(kosmo(&scenario, &["integrations:lua", "--eval", &send("x")]).code, 0, "the command does what it says");
}
