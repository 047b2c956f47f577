//! Ctrl-C and its like, while a provider keeps its answer back.

use kosmo_simulator::{Effect, Knob, Matcher};
use kosmo_tests::{Ran, Scenario};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than any test waits.
const FOR_GOOD: Duration = Duration::from_secs(60);
/// How long a write on its way is waited for, and time to spare.
const WAITED: std::ops::Range<u64> = 4..30;

const SENDS: &str = "print('begun')
for _, text in ipairs({'one', 'two', 'three'}) do
  app.integrations.dialpad.send_sms({from = '+14155559876', to = '+16505559876', text = text})
end
return 'done'";

const CALL: [&str; 5] =
    ["integrations:call", "dialpad.send_sms", "--from=+14155559876", "--to=+16505559876", "--text=one"];

/// A `kosmo` that runs, and since when.
struct Running {
    child: Child,
    begun: Instant,
}

impl Running {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { child: command.spawn().expect("`kosmo` starts"), begun: Instant::now() }
    }

    fn kosmo(scenario: &Scenario, line: &[&str]) -> Self {
        let mut command = scenario.command();
        command.args(line);
        Self::start(command)
    }

    fn signal(&mut self, signal: Signal) {
        let id = Pid::from_raw(self.child.id().try_into().expect("an id"));
        kill(id, signal).expect("it is running");
        self.begun = Instant::now();
    }

    /// What it left, and how many seconds after the last signal.
    fn end(self) -> (Ran, u64) {
        let output = self.child.wait_with_output().expect("`kosmo` ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let ran =
            Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) };
        (ran, self.begun.elapsed().as_secs())
    }
}

/// The next answer comes so much later.
fn slow(scenario: &Scenario, method: &str, path: &str, by: Duration) {
    let matching = Matcher::new("dialpad", method, path);
    scenario.simulator.inject(Knob { matching, times: 1, effect: Effect::Slow(by) });
}

fn until(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never came: {what}");
        sleep(Duration::from_millis(5));
    }
}

/// A script of three sends whose first answer comes so much later, with the first send on its way.
fn sending(by: Duration, besides: &[&str]) -> (Scenario, Running) {
    let scenario = Scenario::writable();
    scenario.write("sends.lua", SENDS);
    slow(&scenario, "POST", "/api/v2/sms", by);
    let running = Running::kosmo(&scenario, &[&["integrations:lua", "sends.lua"], besides].concat());
    until("the first text", || !scenario.simulator.sms_sent().is_empty());
    (scenario, running)
}

fn texts(scenario: &Scenario) -> Vec<String> {
    scenario.simulator.sms_sent().into_iter().map(|sms| sms.text).collect()
}

#[track_caller]
fn run_of(document: &Value) -> String {
    document["meta"]["run"].as_str().unwrap_or_else(|| panic!("no run in {document}")).to_owned()
}

#[test]
fn a_write_whose_answer_does_not_come_is_named_with_the_way_to_go_on() {
    let (scenario, mut running) = sending(FOR_GOOD, &["--json"]);
    running.signal(Signal::SIGINT);
    let (ran, seconds) = running.end();
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(WAITED.contains(&seconds), "{seconds} s");
    let document = ran.json();
    assert_eq!(document["fault"]["code"], "interrupted", "{document}");
    let under_way = &document["meta"]["under_way"];
    assert_eq!(under_way.as_array().map(Vec::len), Some(1), "{document}");
    assert_eq!((&under_way[0]["function"], &under_way[0]["account"]), (&"dialpad.send_sms".into(), &"default".into()));
    assert_eq!(under_way[0]["state"], "in_doubt");
    assert!(under_way[0]["arguments"].as_str().is_some_and(|text| text.contains("\"text\":\"one\"")), "{under_way}");
    let run = run_of(&document);
    let resume = format!("kosmo integrations:lua sends.lua --json --resume {run}");
    assert_eq!(document["meta"]["resume"], resume);
    assert!(ran.stderr.contains("SIGINT") && ran.stderr.contains(&resume), "{ran:?}");
    assert_eq!(texts(&scenario), ["one"]);

    let again = scenario.shell(&resume).json();
    assert_eq!(again["fault"]["code"], "in_doubt", "{again}");
    let runs = scenario.kosmo(&["runs:list", "--json"]).json();
    let expected = serde_json::json!({"number": 1, "function": "dialpad.send_sms", "account": "default"});
    let doubt = &runs["runs"][0]["in_doubt"][0];
    assert!(expected.as_object().is_some_and(|fields| fields.iter().all(|(k, v)| doubt[k] == *v)), "{runs}");
}

#[test]
fn a_write_that_is_answered_in_time_is_done_and_nothing_comes_after_it() {
    let (scenario, mut running) = sending(Duration::from_secs(2), &[]);
    running.signal(Signal::SIGTERM);
    let (ran, _) = running.end();
    assert_eq!((ran.code, &*ran.stdout), (143, "begun\n"), "{ran:?}");
    assert!(ran.stderr.contains("dialpad.send_sms({\"from\"") && ran.stderr.contains("it was done"), "{ran:?}");
    assert_eq!(texts(&scenario), ["one"]);

    let resume = ran.stderr.lines().find_map(|line| line.split_once("again: ")).expect("the way to go on").1.to_owned();
    let again = scenario.shell(&resume);
    assert_eq!((again.code, &*again.stdout), (0, "begun\ndone\n"), "{again:?}");
    assert_eq!(texts(&scenario), ["one", "two", "three"]);
    let runs = scenario.kosmo(&["runs:list"]);
    assert_eq!(runs.stdout, "No run that sent something is left unfinished.\n", "{runs:?}");
}

#[test]
fn a_second_signal_ends_at_once_and_still_names_the_run() {
    let (scenario, mut running) = sending(FOR_GOOD, &["--json"]);
    running.signal(Signal::SIGINT);
    sleep(Duration::from_millis(300));
    running.signal(Signal::SIGTERM);
    let (ran, seconds) = running.end();
    assert!(seconds < WAITED.start, "{seconds} s");
    let document = ran.json();
    assert_eq!((ran.code, &document["meta"]["under_way"][0]["state"]), (143, &"in_doubt".into()), "{document}");
    assert!(ran.stderr.contains(&format!("--resume {}", run_of(&document))), "{ran:?}");
    assert_eq!((&document["output"], &document["integration_calls"][0]["name"]), (&"begun".into(), &"send_sms".into()));
    assert!(document["execution_time_ms"].as_f64().is_some_and(|time| time > 100.0), "{document}");
    let log = scenario.kosmo(&["audit", "--json"]).json();
    let ended = |kind: &str| log.as_array().into_iter().flatten().filter(|record| record["kind"] == kind).count();
    assert_eq!((ended("request"), ended("invocation")), (1, 1), "what was cut off is on record: {log}");

    let (_scenario, mut running) = sending(FOR_GOOD, &[]);
    running.signal(Signal::SIGINT);
    sleep(Duration::from_millis(300));
    running.signal(Signal::SIGINT);
    let (ran, seconds) = running.end();
    assert!(seconds < WAITED.start && ran.code == 130 && ran.stdout == "begun\n", "{seconds} s, {ran:?}");
    let sentence = ran.stderr.contains("no answer came, and it may have been done");
    assert!(sentence && ran.stderr.contains("kosmo integrations:lua sends.lua --resume "), "{ran:?}");
}

#[test]
fn a_single_invocation_says_what_it_leaves_behind() {
    let interrupted = |besides: &[&str], signals: u32| {
        let scenario = Scenario::writable();
        slow(&scenario, "POST", "/api/v2/sms", FOR_GOOD);
        let mut running = Running::kosmo(&scenario, &[&CALL, besides].concat());
        until("the text", || !scenario.simulator.sms_sent().is_empty());
        for _ in 0..signals {
            running.signal(Signal::SIGINT);
            sleep(Duration::from_millis(300));
        }
        let (ran, seconds) = running.end();
        assert_eq!((ran.code, seconds < WAITED.start), (130, signals > 1), "{seconds} s, {ran:?}");
        ran
    };
    for signals in [1, 2] {
        let ran = interrupted(&["--json"], signals);
        let document = ran.json();
        assert_eq!((&document["success"], &document["fault"]["code"]), (&false.into(), &"interrupted".into()));
        assert_eq!(document["meta"]["under_way"][0]["state"], "in_doubt", "{document}");
        assert!(ran.stderr.contains(&format!("kosmo audit --run {}", run_of(&document))), "{ran:?}");
        let ran = interrupted(&[], signals);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("kosmo: The run was interrupted"), "{ran:?}");
        assert!(ran.stderr.contains("may ") && ran.stderr.contains("kosmo audit --run "), "{ran:?}");
    }
}

#[test]
fn a_read_is_not_waited_for_and_a_script_that_computes_stops() {
    let scenario = Scenario::new();
    slow(&scenario, "GET", "/api/v2/users", FOR_GOOD);
    let line = ["integrations:lua", "--json", "--eval", "app.integrations.dialpad.list_users({})"];
    let mut running = Running::kosmo(&scenario, &line);
    until("the request", || !scenario.simulator.requests().is_empty());
    running.signal(Signal::SIGHUP);
    let (ran, seconds) = running.end();
    let document = ran.json();
    assert_eq!((ran.code, seconds < WAITED.start), (129, true), "{seconds} s, {ran:?}");
    assert_eq!((&document["fault"]["code"], &document["meta"]["under_way"]), (&"interrupted".into(), &Value::Null));
    assert_eq!(ran.stderr, "");

    for command in ["integrations:lua", "mcp:lua"] {
        let mut running = Running::kosmo(&scenario, &[command, "--json", "-e", "print('on') while true do end"]);
        sleep(Duration::from_millis(1500));
        running.signal(Signal::SIGINT);
        let (ran, seconds) = running.end();
        assert_eq!((ran.code, seconds < WAITED.start), (130, true), "{seconds} s, {ran:?}");
        assert_eq!(ran.json()["output"], "on");
    }
}

#[test]
fn a_script_that_catches_everything_is_stopped_all_the_same() {
    let scenario = Scenario::writable();
    scenario.write("stubborn.lua", &SENDS.replace("app.", "pcall(app.").replace("send_sms({", "send_sms, {"));
    slow(&scenario, "POST", "/api/v2/sms", Duration::from_secs(2));
    let mut running = Running::kosmo(&scenario, &["integrations:lua", "stubborn.lua", "--json"]);
    until("the first text", || !scenario.simulator.sms_sent().is_empty());
    running.signal(Signal::SIGINT);
    let (ran, _) = running.end();
    assert_eq!((ran.code, &ran.json()["fault"]["code"]), (130, &"interrupted".into()), "{ran:?}");
    assert_eq!(texts(&scenario), ["one"]);
}

#[test]
fn writes_that_run_at_once_are_each_accounted_for() {
    let scenario = Scenario::writable();
    let send = "function() return app.integrations.dialpad.send_sms({from = '+14155559876', to = '+16505559876', text = 'TEXT'}) end";
    let both = format!("parallel({{{}, {}}})", send.replace("TEXT", "late"), send.replace("TEXT", "never"));
    slow(&scenario, "POST", "/api/v2/sms", Duration::from_secs(2));
    slow(&scenario, "POST", "/api/v2/sms", FOR_GOOD);
    let mut running = Running::kosmo(&scenario, &["integrations:lua", "--json", "--eval", &both]);
    until("both texts", || scenario.simulator.sms_sent().len() == 2);
    running.signal(Signal::SIGINT);
    let document = running.end().0.json();
    let under_way = document["meta"]["under_way"].as_array().cloned().unwrap_or_default();
    let mut states: Vec<_> = under_way.iter().filter_map(|write| write["state"].as_str()).collect();
    states.sort_unstable();
    assert_eq!(states, ["done", "in_doubt"], "{document}");
}

#[test]
fn a_signal_that_is_to_be_ignored_is_ignored() {
    let scenario = Scenario::writable();
    slow(&scenario, "POST", "/api/v2/sms", Duration::from_secs(2));
    let kosmo = scenario.command();
    let mut command = Command::new("/bin/sh");
    command.env_clear().envs(kosmo.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(scenario.home());
    command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(kosmo.get_program()).args(CALL);
    let mut running = Running::start(command);
    until("the text", || !scenario.simulator.sms_sent().is_empty());
    running.signal(Signal::SIGHUP);
    let (ran, _) = running.end();
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_killed_run_is_listed_with_its_script_and_its_doubt() {
    let (scenario, mut running) = sending(FOR_GOOD, &[]);
    let list = |scenario: &Scenario| scenario.kosmo(&["runs:list", "--json"]).json()["runs"][0].clone();
    let going_on = list(&scenario);
    assert_eq!((&going_on["script"], &going_on["state"]), (&"sends.lua".into(), &"going_on".into()), "{going_on}");
    running.signal(Signal::SIGKILL);
    running.end();
    let killed = list(&scenario);
    assert_eq!((&killed["state"], &killed["done"]), (&"killed".into(), &0.into()), "{killed}");
    let run = killed["run"].as_str().expect("a name");
    let table = scenario.kosmo(&["runs", "list"]).stdout;
    let row = table.lines().nth(1).unwrap_or_default();
    assert!(row.starts_with(run) && row.contains("killed") && row.ends_with("sends.lua"), "{table}");
    assert!(table.contains(&format!("\nIn doubt:\n  {run}, write 1, sent 2")), "{table}");
    let audit = scenario.kosmo(&["audit", "--run", run, "--json"]).json();
    assert!(audit.as_array().is_some_and(|records| !records.is_empty()), "{audit}");
}

/// A home whose MCP server `s` takes a call and never answers it; it complains when one has come.
fn mute() -> Scenario {
    let scenario = Scenario::new();
    let program = env!("CARGO_BIN_EXE_misbehaving-server");
    let servers = json!({"mcpServers": {"s": {"command": program, "args": ["mute"], "timeout": 60}}});
    scenario.write("mcp.json", &servers.to_string());
    scenario.configure("[permissions.dialpad]\nwrite = \"allow\"\n[mcp]\npermissions_default = \"allow\"\n");
    scenario
}

#[test]
fn a_tool_that_writes_is_waited_for_and_named() {
    let scenario = mute();
    let write = "app.integrations.dialpad.send_sms({from = '+14155559876', to = '+16505559876', text = 'one'})\n\
        app.mcp.s.create_issue({title = 'x'})";
    let mut running = Running::kosmo(&scenario, &["integrations:lua", "--json", "--eval", write]);
    until("the text", || !scenario.simulator.sms_sent().is_empty());
    sleep(Duration::from_secs(3));
    running.signal(Signal::SIGINT);
    let (ran, seconds) = running.end();
    let document = ran.json();
    assert_eq!((ran.code, WAITED.contains(&seconds)), (130, true), "{seconds} s, {ran:?}");
    let named = json!([{"function": "mcp.s.create_issue", "arguments": "{\"title\":\"x\"}", "state": "in_doubt"}]);
    assert_eq!(document["meta"]["under_way"], named, "{document}");
    let listed = scenario.kosmo(&["runs:list", "--json"]).json()["runs"][0]["in_doubt"].clone();
    assert_eq!(listed[0]["function"], "mcp.s.create_issue", "{listed}");
}

#[test]
fn a_tool_that_reads_is_not_waited_for_and_a_single_call_names_its_write() {
    let scenario = mute();
    let mut running = Running::kosmo(&scenario, &["mcp:lua", "--json", "--eval", "app.mcp.s.echo({message = 'x'})"]);
    sleep(Duration::from_secs(3));
    running.signal(Signal::SIGTERM);
    let (ran, seconds) = running.end();
    assert_eq!((ran.code, seconds < WAITED.start), (143, true), "{seconds} s, {ran:?}");
    let document = ran.json();
    assert_eq!((&document["fault"]["code"], &document["meta"]["resume"]), (&"interrupted".into(), &Value::Null));

    let mut running = Running::kosmo(&scenario, &["mcp:call", "s.create_issue", "--title=x", "--json"]);
    sleep(Duration::from_secs(3));
    running.signal(Signal::SIGINT);
    let (ran, seconds) = running.end();
    assert_eq!((ran.code, WAITED.contains(&seconds)), (130, true), "{seconds} s, {ran:?}");
    let message = ran.json()["error"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("may or may not have been executed"), "{message}");
    assert!(ran.stderr.contains("kosmo audit --run "), "{ran:?}");
}
