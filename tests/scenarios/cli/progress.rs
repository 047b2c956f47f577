//! What takes longer than a second is told on a terminal, on one line that is gone afterwards, and nowhere else.

use kosmo_simulator::{Effect, Knob, Matcher};
use kosmo_tests::{Ran, Scenario, Terminal, plugins};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::thread::{sleep, spawn};
use std::time::Duration;

/// What clears the line.
const GONE: &str = "\r\x1b[K";
const LONG: Duration = Duration::from_millis(2500);
const PAGES: [&str; 3] = [
    "integrations:lua",
    "--eval",
    "local n = 0 for call in paginate(app.integrations.dialpad.list_calls, {limit = 50}) do n = n + 1 end return n > 50",
];

/// With answers to the first requests of a kind that take their time.
fn slow(scenario: &Scenario, method: &str, path: &str, by: Duration) {
    let matching = Matcher::new("dialpad", method, path);
    scenario.simulator.inject(Knob { matching, times: 1, effect: Effect::Slow(by) });
}

/// A plugin that takes its time to be read.
fn slow_plugin(scenario: &Scenario) -> PathBuf {
    let file = scenario.home().join("dialpad.wasm");
    mkfifo(&file, Mode::S_IRWXU).expect("a pipe");
    let (pipe, plugin) = (file.clone(), plugins().join("dialpad.wasm"));
    spawn(move || {
        let mut pipe = File::options().write(true).open(pipe).expect("it is read");
        sleep(LONG);
        pipe.write_all(&fs::read(plugin).expect("a plugin"))
    });
    file
}

#[test]
fn pages_that_take_long_are_told_with_the_requests_so_far() {
    let scenario = Scenario::new();
    slow(&scenario, "GET", "/api/v2/call", LONG);
    let mut terminal = Terminal::start(&scenario, &PAGES);
    terminal.wait_for(&format!("{GONE}dialpad.list_calls … 1 s"));
    terminal.wait_for(&format!("{GONE}dialpad.list_calls … 2 s"));
    let (code, screen) = terminal.end();
    assert!(code == 0 && screen.ends_with(&format!("{GONE}true\n")), "{screen:?}");
}

#[test]
fn an_installation_that_takes_long_is_told() {
    let scenario = Scenario::empty();
    let file = slow_plugin(&scenario).display().to_string();
    let mut terminal = Terminal::start(&scenario, &["plugins:install", &file]);
    terminal.wait_for(&format!("{GONE}installing {file} … 1 s"));
    let (code, screen) = terminal.end();
    assert!(code == 0 && screen.contains(&format!("{GONE}Installed")), "{screen:?}");
}

#[test]
fn what_is_said_meanwhile_stands_on_a_line_of_its_own() {
    let scenario = Scenario::writable();
    slow(&scenario, "POST", "/api/v2/sms", LONG);
    let send = "app.integrations.dialpad.send_sms({from = '+14155559876', to = '+16505559876', text = 'x'})";
    let mut terminal = Terminal::start(&scenario, &["integrations:lua", "--eval", send]);
    terminal.wait_for("dialpad.send_sms … 1 s");
    terminal.interrupt();
    terminal.wait_for(&format!("{GONE}kosmo: SIGINT: what is on its way has 5 s to be answered."));
    assert_eq!(terminal.end().0, 130);
}

#[test]
fn what_takes_no_second_is_not_told() {
    let scenario = Scenario::new();
    let (code, screen) = Terminal::start(&scenario, &["integrations:call", "dialpad.get_current_user"]).end();
    assert!(code == 0 && !screen.contains('…') && !screen.contains(GONE), "{screen:?}");
}

#[test]
fn nothing_is_told_where_standard_error_is_no_terminal() {
    let scenario = Scenario::new();
    slow(&scenario, "GET", "/api/v2/call", LONG);
    let Ran { code, stdout, stderr } = scenario.kosmo(&PAGES);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "true\n", ""));
    let scenario = Scenario::empty();
    let file = slow_plugin(&scenario).display().to_string();
    let Ran { code, stdout, stderr } = scenario.kosmo(&["plugins:install", &file]);
    assert!(code == 0 && stderr.is_empty() && !stdout.contains("installing"), "{stdout} {stderr}");
}
