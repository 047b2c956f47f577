//! A session line by line.

use super::{CANARY, check, kosmo, kosmo_with};
use kosmo_simulator::{Effect, Knob, Matcher, Simulator};
use kosmo_tests::{Scenario, Terminal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

const HISTORY: &str = "repl_history";

fn start(scenario: &Scenario) -> Terminal {
    let mut terminal = Terminal::start(scenario, &["integrations:lua", "--repl"]);
    terminal.wait_for("lua> ");
    terminal
}

fn history(scenario: &Scenario) -> String {
    fs::read_to_string(scenario.home().join(HISTORY)).unwrap_or_default()
}

#[test]
fn a_pipe_is_run_line_by_line_and_globals_are_kept() {
    let scenario = Scenario::new();
    let input =
        "x = 41\nx + 1\n= 'a', nil\nlocal y = 1\ny\nfor i = 1, 2 do\n  print(i)\nend\n{a = {1, 2}}\ndump({3})\n:help\n";
    let ran = kosmo_with(&scenario, &["integrations:lua", "--repl"], &[], Some(input));
    let (shown, help) = ran.stdout.split_once("Lua, line by line.").expect("the help");
    assert_eq!(shown, "42\na\nnil\nnil\n1\n2\n{\n  a: [\n    1,\n    2\n  ]\n}\n[\n  3\n]\n");
    assert!(help.contains(":quit") && !scenario.home().join(HISTORY).exists(), "{help}");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_line_that_fails_ends_nothing() {
    let scenario = Scenario::new();
    let input = "error('first')\nx ==\n)\n:nonsense\nprint('after')\n:quit\nprint('never')\n";
    let ran = kosmo_with(&scenario, &["integrations:lua", "--repl"], &[], Some(input));
    assert_eq!((ran.code, ran.stdout.as_str()), (1, "after\n"), "{ran:?}");
    for part in ["kosmo: repl:1: first\n", "kosmo: There is no command :nonsense; there are :help and :quit.\n"] {
        assert!(ran.stderr.contains(part), "{ran:?}");
    }
    let ran = kosmo_with(&scenario, &["integrations:lua", "--repl"], &[], Some("for i = 1, 3 do"));
    assert!(ran.code == 1 && ran.stderr.contains("repl:1: "), "what is never finished is said to be: {ran:?}");
}

#[test]
fn flags_that_make_no_sense_with_it_are_refused() {
    let scenario = Scenario::new();
    let ran = kosmo(&scenario, &["integrations:lua", "--repl", "--json"]);
    let sentence = "--repl is for reading along; for JSON, run one script with --eval, FILE or a pipe.";
    assert_eq!((ran.code, ran.json()["error"].as_str()), (2, Some(sentence)));
    for flags in [&["--eval", "1"][..], &["w.lua"], &["--resume", "x"], &["--dry-run"]] {
        assert_eq!(kosmo(&scenario, &[&["integrations:lua", "--repl"], flags].concat()).code, 2, "{flags:?}");
    }
}

#[test]
fn force_account_limits_and_the_other_surface_apply() {
    let scenario = Scenario::new();
    let repl = |flags: &[&str], input: &str| kosmo_with(&scenario, flags, &[], Some(input));
    let send = "app.integrations.ringcentral.send_sms({from = '+16505551234', to = '+16505559876', text = 'x'}).messageStatus\n";
    check(&repl(&["integrations:lua", "--repl", "--force"], send), 0, "Queued\n", "");
    scenario.sent();
    let read = "app.integrations.ringcentral.get_current_user({}).id ~= nil\n";
    check(&repl(&["integrations:lua", "--repl", "--account=work"], read), 0, "true\n", "");
    assert!(scenario.sent()[0].starts_with("ringcentral.work GET "));
    let ran = repl(&["integrations:lua", "--repl", "--timeout=1"], "while true do end\n1\n");
    assert!(ran.code == 1 && ran.stdout == "1\n" && ran.stderr.contains("Lua timeout error"), "{ran:?}");
    check(&repl(&["mcp:lua", "--repl"], "docs == nil\n"), 0, "true\n", "");
}

#[test]
fn a_person_types_lines_and_finds_them_again() {
    let scenario = Scenario::new();
    let mut terminal = start(&scenario);
    terminal.press("answer = 6 * 7\n");
    terminal.wait_for("lua> ");
    terminal.press("answer\n");
    terminal.wait_for("42");
    terminal.press("error('oh')\n");
    terminal.wait_for("kosmo: repl:1: oh");
    terminal.wait_for("lua> ");
    terminal.press("for i = 1, 2 do\nprint('turn ' .. i)\nend\n");
    terminal.wait_for("turn 2");
    terminal.wait_for("lua> ");
    terminal.press("half a line\x03");
    terminal.wait_for("lua> ");
    terminal.press("\x04");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    let file = scenario.home().join(HISTORY);
    assert_eq!(fs::metadata(&file).expect("a history").permissions().mode() & 0o777, 0o600);
    let kept = history(&scenario);
    assert!(kept.contains("answer = 6 * 7\n") && !kept.contains("half"), "{kept}");

    let mut terminal = start(&scenario);
    // What is several lines long comes back whole.
    terminal.press("\x1b[A\n");
    terminal.wait_for("turn 2");
    terminal.wait_for("lua> ");
    terminal.press("\x04");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn a_line_with_a_secret_is_not_kept() {
    let scenario = Scenario::new();
    scenario.configure(&format!("[accounts.dialpad.other]\naccess_token = \"{CANARY}\"\n"));
    kosmo(&scenario, &["mcp:add", "docs", "https://docs.test/mcp"]);
    let of_server = "s3cr3t-of-a-server";
    let keep = |secret| {
        let set = ["mcp:secret:set", "docs", "SOME", "--stdin"];
        assert_eq!(kosmo_with(&scenario, &set, &[], Some(secret)).code, 0);
    };
    keep(of_server);
    let token = Simulator::token("dialpad", "work");
    let mut terminal = start(&scenario);
    for secret in [&token, CANARY, of_server] {
        terminal.press(&format!("x = '{secret}'\n"));
        terminal.wait_for("lua> ");
    }
    let later = "s3cr3t-that-came-later";
    keep(later);
    terminal.press(&format!("x = '{later}'\n"));
    terminal.wait_for("lua> ");
    terminal.press("y = 'kept'\n");
    terminal.wait_for("lua> ");
    terminal.press("\x04");
    terminal.end();
    let kept = history(&scenario);
    assert!(kept.contains("kept"), "{kept}");
    for secret in [&token, CANARY, of_server, later] {
        assert!(!kept.contains(secret), "{kept}");
    }
}

#[test]
fn tab_completes_providers_functions_and_parameters() {
    let scenario = Scenario::new();
    let mut terminal = start(&scenario);
    terminal.press("app.integrations.ring\t");
    terminal.wait_for("app.integrations.ringcentral");
    terminal.press(".get_cur\t");
    terminal.wait_for("get_current_user");
    terminal.press("({}).id ~= nil\n");
    terminal.wait_for("true");
    terminal.wait_for("lua> ");
    terminal.press("app.integrations.dialpad.work.get_call({i\t");
    terminal.wait_for("id = ");
    terminal.press("\x03");
    terminal.wait_for("lua> ");
    terminal.press("\x04");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn ctrl_c_stops_what_runs_and_the_session_goes_on() {
    let scenario = Scenario::new();
    let mut terminal = start(&scenario);
    terminal.press("kept = 'still here'\n");
    terminal.wait_for("lua> ");
    terminal.press("print('begun') while true do end\n");
    // What it printed is shown when it ends; it runs once the line is gone.
    sleep(Duration::from_millis(500));
    terminal.press("\x03");
    terminal.wait_for("kosmo: Stopped.");
    terminal.wait_for("lua> ");
    terminal.press("kept\n");
    terminal.wait_for("still here");
    terminal.wait_for("lua> ");
    terminal.press("\x04");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn ctrl_c_during_a_write_says_what_became_of_it_and_where_the_log_has_it() {
    let scenario = Scenario::writable();
    let mut terminal = start(&scenario);
    for (by, again, became) in [(2, "", "it was done."), (60, "\x03", "no answer came, and it may have been done.")] {
        begin_a_slow_send(&scenario, &mut terminal, by);
        terminal.press("\x03");
        terminal.wait_for("What is on its way has 5 s to be answered. Once more ends at once.");
        terminal.press(again);
        terminal.wait_for("kosmo: Stopped. Under way was dialpad.send_sms({");
        terminal.wait_for(became);
        terminal.wait_for("The audit log has it as run ");
        terminal.wait_for("lua> ");
    }
    terminal.press("1 + 1\n");
    terminal.wait_for("2");
    terminal.wait_for("lua> ");
    terminal.press(":quit\n");
    assert_eq!(terminal.end().0, 0);
    let ended = ended_sends(&scenario);
    assert_eq!(ended.iter().map(|(outcome, _)| &**outcome).collect::<Vec<_>>(), ["ok", "interrupted"]);
    assert!(ended[1].1 < 5000.0, "the second was not waited for: {ended:?}");
}

/// With the first text on its way, whose answer comes so many seconds later.
fn begin_a_slow_send(scenario: &Scenario, terminal: &mut Terminal, by: u64) {
    let matching = Matcher::new("dialpad", "POST", "/api/v2/sms");
    scenario.simulator.inject(Knob { matching, times: 1, effect: Effect::Slow(Duration::from_secs(by)) });
    let sent = scenario.simulator.sms_sent().len();
    terminal.press("app.integrations.dialpad.send_sms({from = '+14155559876', to = '+16505559876', text = 'x'})\n");
    while scenario.simulator.sms_sent().len() == sent {
        sleep(Duration::from_millis(10));
    }
}

/// How each invocation ended that the audit log has, and after how many milliseconds.
fn ended_sends(scenario: &Scenario) -> Vec<(String, f64)> {
    let log = kosmo(scenario, &["audit", "--json"]).json();
    let records = log.as_array().into_iter().flatten().filter(|record| record["kind"] == "invocation");
    let ended = |record: &Value| Some((record["outcome"].as_str()?.to_owned(), record["ms"].as_f64()?));
    records.filter_map(ended).collect()
}

#[test]
fn a_signal_to_end_ends_the_session_too_and_leaves_the_terminal_as_it_was() {
    let scenario = Scenario::writable();
    let mut terminal = start(&scenario);
    begin_a_slow_send(&scenario, &mut terminal, 1);
    terminal.signal(Signal::SIGTERM);
    terminal.wait_for("kosmo: Stopped. Under way was dialpad.send_sms({");
    terminal.wait_for("it was done.");
    assert_eq!(terminal.left(), (143, true));
    // While it waits for a line as well.
    let terminal = start(&scenario);
    terminal.signal(Signal::SIGTERM);
    assert_eq!(terminal.left(), (143, true));
}

#[test]
fn without_a_terminal_ctrl_c_ends_the_session() {
    let scenario = Scenario::new();
    let mut command = scenario.command();
    command.args(["integrations:lua", "--repl"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("`kosmo` starts");
    let mut lines = child.stdin.take().expect("a pipe");
    let mut printed = BufReader::new(child.stdout.take().expect("a pipe"));
    lines.write_all(b"1 + 1\n").expect("it reads");
    let mut answer = String::new();
    printed.read_line(&mut answer).expect("it answers");
    assert_eq!(answer, "2\n");
    kill(Pid::from_raw(child.id().try_into().expect("an id")), Signal::SIGINT).expect("it is running");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn writes_are_asked_about_in_between() {
    let scenario = Scenario::new();
    let mut terminal = start(&scenario);
    let send = "app.integrations.ringcentral.send_sms({from = '+16505551234', to = '+16505559876', text = 'x'}).messageStatus\n";
    terminal.press(send);
    terminal.wait_for("once, always or never?");
    terminal.press("\x03");
    terminal.wait_for("and said no.");
    terminal.wait_for("lua> ");
    terminal.press(send);
    terminal.wait_for("once, always or never?");
    terminal.press("a\n");
    terminal.wait_for("Queued");
    terminal.wait_for("lua> ");
    terminal.press(send);
    terminal.wait_for("Queued");
    terminal.wait_for("lua> ");
    terminal.press("\x04");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(scenario.simulator.sms_sent().len(), 2);
}

#[test]
fn a_question_nobody_waits_on_takes_no_key_and_writes_nothing_down() {
    let scenario = Scenario::new();
    let before = fs::read_to_string(scenario.home().join("config.toml")).expect("a configuration");
    let mut terminal = start(&scenario);
    terminal.press("a = 'typed'\n");
    terminal.wait_for("lua> ");
    let send = "app.integrations.ringcentral.send_sms({from = '+16505551234', to = '+16505559876', text = 'x'})\n";
    terminal.press(send);
    terminal.wait_for("once, always or never? [o/a/n, Enter for no] ");
    terminal.interrupt();
    terminal.wait_for("kosmo: Stopped.");
    terminal.wait_for("lua> ");
    terminal.press("a\n");
    terminal.wait_for("typed");
    terminal.wait_for("lua> ");
    terminal.press("\x04");
    let (code, screen) = terminal.end();
    let after = fs::read_to_string(scenario.home().join("config.toml")).expect("a configuration");
    assert_eq!((code, after), (0, before), "{screen}");
    assert!(scenario.sent().is_empty());
}
