//! Runs that break off between writes at MCP servers are taken up again, and nothing is done twice.

use super::entry;
use kosmo_tests::{Ran, Scenario};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Three texts and issues by turns, with reads between them.
const MIXED: &str = "local numbers = {}\n\
    for _, word in ipairs({'one', 'two', 'three', 'four'}) do\n\
      app.mcp.s.echo({message = word})\n\
      app.integrations.dialpad.send_sms({from = '+14155559876', to = '+16505559876', text = word})\n\
      numbers[#numbers + 1] = app.mcp.s.create_issue({title = word}).number\n\
    end\n\
    return numbers";
const ISSUES: &str = "for _, word in ipairs({'one', 'two', 'three', 'four'}) do app.mcp.s.create_issue({title = word}) end\n\
    return 'done'";

/// A home whose server `s` behaves in this manner and remembers which issues it was to create.
struct Home {
    scenario: Scenario,
    calls: PathBuf,
}

impl Home {
    fn new(manner: &str) -> Self {
        let scenario = Scenario::new();
        scenario.configure("[permissions.dialpad]\nwrite = \"allow\"\n[mcp]\npermissions_default = \"allow\"\n");
        let calls = scenario.home().join("calls");
        let server = entry(manner, json!({"env": {"CALLS_FILE": calls}, "timeout": 60}));
        scenario.write("mcp.json", &json!({"mcpServers": {"s": server}}).to_string());
        Self { scenario, calls }
    }

    fn run(&self, command: &str, code: &str, besides: &[&str]) -> Ran {
        let arguments = [&[command, "--eval", code, "--json"], besides].concat();
        self.scenario.kosmo(&arguments)
    }

    fn calls(&self) -> String {
        std::fs::read_to_string(&self.calls).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<_> = self.scenario.simulator.sms_sent().into_iter().map(|sms| sms.text).collect();
        texts.sort();
        texts
    }

    /// Kills it when the third issue is under way. Gives the run as `runs:list` has it.
    fn killed(&self, command: &str, code: &str) -> Value {
        let mut kosmo = self.scenario.command();
        kosmo.args([command, "--eval", code, "--json"]);
        let mut kosmo =
            kosmo.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        let begun = Instant::now();
        while self.calls() != "one two three" {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", self.calls());
            std::thread::sleep(Duration::from_millis(5));
        }
        kosmo.kill().expect("still running");
        kosmo.wait().expect("gone");
        self.scenario.kosmo(&["runs:list", "--json"]).json()["runs"][0].clone()
    }
}

#[test]
fn a_run_killed_between_writes_at_a_server_is_taken_up_again_and_repeats_none() {
    for (command, code) in [("integrations:lua", MIXED), ("mcp:lua", ISSUES)] {
        let home = Home::new("stuck");
        let run = home.killed(command, code);
        let doubt = &run["in_doubt"][0];
        assert_eq!((&doubt["number"], &doubt["function"]), (&json!(3), &json!("mcp.s.create_issue")), "{run}");
        let name = run["run"].as_str().expect("a name");

        let ran = home.run(command, code, &["--resume", name]);
        let message = ran.json()["error"].as_str().unwrap_or_default().to_owned();
        let expected = format!(
            "Write number 3 at MCP server 's' of run {name}, mcp.s.create_issue({{\"title\":\"three\"}}), was sent at "
        );
        assert!(ran.json()["fault"]["code"] == "in_doubt" && message.starts_with(&expected), "{ran:?}");
        assert_eq!(home.calls(), "one two three", "nothing was done meanwhile");
        let listed = home.scenario.kosmo(&["runs:list"]).stdout;
        assert!(listed.contains("mcp.s.create_issue({\"title\":\"three\"})\n"), "{listed}");

        let ran = home.run(command, code, &["--resume", name, "--repeat-in-doubt"]);
        let result = if command == "mcp:lua" { json!(["done"]) } else { json!([[7, 7, 7, 7]]) };
        assert_eq!(ran.json()["result"], result, "{ran:?}");
        assert_eq!(home.calls(), "one two three three four");
        if command == "integrations:lua" {
            assert_eq!(home.texts(), ["four", "one", "three", "two"]);
        }
    }
}

#[test]
fn what_was_done_at_once_is_known_by_the_order_of_asking() {
    let home = Home::new("good");
    let code = "local function issue(title) return function() return app.mcp.s.create_issue({title = title}).title end end\n\
        local function read() return app.mcp.s.echo({message = 'x'}) end\n\
        local done = parallel({read, issue('a'), read, issue('b'), issue('c')})\n\
        print(json.encode(done)) error('broke off')";
    let first = home.run("integrations:lua", code, &[]).json();
    let run = first["meta"]["run"].as_str().expect("a run").to_owned();
    assert!(first["meta"]["resume"].as_str().is_some_and(|command| command.contains(&run)), "{first}");
    let again = home.run("integrations:lua", code, &["--resume", &run]).json();
    assert_eq!((&again["error"], &again["output"]), (&first["error"], &first["output"]), "{again}");
    assert_eq!(home.calls().split(' ').count(), 3);
}

#[test]
fn a_script_that_asks_for_another_write_is_refused() {
    let home = Home::new("stuck");
    let run = home.killed("mcp:lua", ISSUES);
    let name = run["run"].as_str().expect("a name");
    let ran = home.run("mcp:lua", &ISSUES.replace("'two'", "'other'"), &["--resume", name]).json();
    let message = ran["fault"]["message"].as_str().unwrap_or_default();
    let expected =
        "its write number 2 at MCP server 's' was mcp.s.create_issue, and now it is mcp.s.create_issue with other";
    assert!(ran["fault"]["code"] == "changed" && message.contains(expected), "{ran}");
    assert_eq!(home.calls(), "one two three");
}

#[test]
fn what_a_server_could_not_read_is_asked_again_and_whatever_else_went_wrong_is_in_doubt() {
    let again = ("unread", "provider", "unread unread");
    let doubtful = ["odd", "half", "task-augmented"].map(|title| (title, "in_doubt", title));
    for (title, code, calls) in [again].into_iter().chain(doubtful) {
        let home = Home::new("good");
        let script = format!("app.mcp.s.create_issue({{title = '{title}'}})");
        let first = home.run("mcp:lua", &script, &[]).json();
        let run = first["meta"]["run"].as_str().expect("a run").to_owned();
        let again = home.run("mcp:lua", &script, &["--resume", &run]).json();
        assert_eq!((&again["fault"]["code"], home.calls().as_str()), (&json!(code), calls), "{again}");
    }
}
