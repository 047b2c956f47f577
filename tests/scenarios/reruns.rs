//! Runs that break off are taken up again, and nothing is sent twice.

use kosmo_simulator::Simulator;
use kosmo_tests::{Break, Breaker, Manner, Ran, Scenario};
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

const SENDS: usize = 20;

/// Where a send breaks off: before the provider has it all, or after.
const POINTS: [Break; 3] =
    [Break::Request(0, Manner::Stall), Break::Request(150, Manner::Stall), Break::Answer(0, Manner::Stall)];

/// A home whose accounts lie behind a breaker.
struct Home {
    scenario: Scenario,
    breaker: Breaker,
    provider: &'static str,
}

impl Home {
    fn new(provider: &'static str) -> Self {
        let scenario = Scenario::new();
        let upstream = match provider {
            "dialpad" => scenario.simulator.dialpad_url(),
            _ => scenario.simulator.ringcentral_url(),
        };
        let breaker = Breaker::before(upstream);
        let (url, token) = (breaker.url(), Simulator::token(provider, "default"));
        let account = format!("[accounts.{provider}.default]\nurl = \"{url}\"\naccess_token = \"{token}\"\n");
        scenario.write("config.toml", &format!("{account}[permissions.{provider}]\nwrite = \"allow\"\n"));
        let from = if provider == "dialpad" { "+14155559876" } else { "+16505551234" };
        let texts = every_text().map(|text| format!("{text:?}")).join(", ");
        let script = format!(
            "for _, text in ipairs({{{texts}}}) do\n  app.integrations.{provider}.send_sms({{from = \"{from}\", to = \
             \"+16505559876\", text = text}})\nend\nreturn \"done\""
        );
        scenario.write("sends.lua", &script);
        Self { scenario, breaker, provider }
    }

    fn command(&self, besides: &[&str]) -> Command {
        let mut command = self.scenario.command();
        command.args(["integrations:lua", "sends.lua", "--json"]).args(besides);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs until the send of this number has come to this point, and kills it there. Gives the run's name.
    fn killed_at(&self, number: usize, point: Break) -> String {
        self.breaker.plan(number, point);
        let mut child = self.command(&[]).spawn().expect("`kosmo` starts");
        self.wait_for_the_break(&mut child);
        child.kill().expect("it is still running");
        child.wait().expect("it is dead");
        self.run()
    }

    fn wait_for_the_break(&self, child: &mut Child) {
        let begun = Instant::now();
        while self.breaker.plans_left() > 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "the send never came");
            assert!(child.try_wait().expect("a child").is_none(), "it ended before");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// The name of the last run, as the audit log has it.
    fn run(&self) -> String {
        let audit = self.scenario.kosmo(&["audit", "--json"]).json();
        let records = audit.as_array().or(audit["records"].as_array()).expect("records");
        records.last().and_then(|record| record["run"].as_str()).expect("a run").to_owned()
    }

    fn resumed(&self, besides: &[&str]) -> Ran {
        let output = self.command(besides).output().expect("`kosmo` ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The texts that arrived, sorted.
    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<_> = self.scenario.simulator.sms_sent().into_iter().map(|sms| sms.text).collect();
        texts.sort();
        texts
    }
}

fn every_text() -> [String; SENDS] {
    std::array::from_fn(|index| Breaker::mark(index + 1))
}

/// Every send of a script, broken off at every point, a few at a time.
fn at_every_point(provider: &'static str, check: fn(&Home, usize, Break)) {
    let points = (1..=SENDS).flat_map(|number| POINTS.map(|point| (number, point)));
    let left = Mutex::new(points.collect::<Vec<_>>());
    let work = || {
        while let Some((number, point)) = { left.lock().expect("no panic so far").pop() } {
            check(&Home::new(provider), number, point);
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
}

#[test]
fn where_the_provider_cannot_be_asked_exactly_the_send_in_doubt_is_named_and_not_repeated() {
    at_every_point("dialpad", |home, number, point| {
        let run = home.killed_at(number, point);
        let ran = home.resumed(&["--resume", &run]);
        assert_eq!(ran.code, 1, "{ran:?}");
        let fault = &ran.json()["fault"];
        assert_eq!(fault["code"], "in_doubt", "{fault}");
        let message = fault["message"].as_str().unwrap_or_default();
        let expected = format!("Write number {number} of run {run}, dialpad.send_sms(");
        assert!(message.starts_with(&expected) && message.contains(&Breaker::mark(number)), "{message}");
        let arrived = if matches!(point, Break::Answer(..)) { number } else { number - 1 };
        assert_eq!(home.texts(), every_text()[..arrived], "nothing was sent meanwhile");
        if arrived < number {
            // The operator looked, and it had not arrived.
            let ran = home.resumed(&["--resume", &run, "--repeat-in-doubt"]);
            assert_eq!(ran.json()["result"], serde_json::json!(["done"]), "{ran:?}");
            assert_eq!(home.texts(), every_text());
        }
    });
}

#[test]
fn where_the_provider_can_be_asked_a_resumed_run_ends_with_every_send_made_once() {
    at_every_point("ringcentral", |home, number, point| {
        let run = home.killed_at(number, point);
        let ran = home.resumed(&["--resume", &run]);
        assert_eq!(ran.json()["result"], serde_json::json!(["done"]), "{} {number} {point:?} {ran:?}", home.provider);
        assert_eq!(home.texts(), every_text());
    });
}

#[test]
fn a_script_that_asks_for_other_writes_is_refused_before_it_sends_anything() {
    let home = Home::new("dialpad");
    let run = home.killed_at(3, Break::Request(0, Manner::Stall));
    let script = std::fs::read_to_string(home.scenario.home().join("sends.lua")).expect("a script");
    home.scenario.write("sends.lua", &script.replace("text = text", "text = text .. \"!\""));
    let ran = home.resumed(&["--resume", &run]);
    let fault = &ran.json()["fault"];
    assert_eq!(fault["code"], "changed", "{fault}");
    assert!(fault["message"].as_str().is_some_and(|message| message.contains("write number 1")), "{fault}");
    assert_eq!(home.texts(), every_text()[..2]);
}

#[test]
fn a_run_that_ended_gives_what_it_gave_and_sends_nothing() {
    let home = Home::new("ringcentral");
    let first = home.resumed(&[]).json();
    assert_eq!(first["success"], true, "{first}");
    let run = first["meta"]["run"].as_str().expect("a run").to_owned();
    let again = home.resumed(&["--resume", &run]).json();
    assert_eq!(again["result"], first["result"]);
    assert_eq!(again["meta"]["run"], Value::String(run));
    assert_eq!(home.texts(), every_text());
}

#[test]
fn a_run_nobody_knows_is_refused_and_a_failed_one_says_how_to_go_on() {
    let home = Home::new("dialpad");
    let ran = home.resumed(&["--resume", "0000000000000000"]);
    assert_eq!(ran.json()["fault"]["code"], "unknown", "{ran:?}");
    home.scenario.write("sends.lua", "app.integrations.dialpad.send_sms({from = \"+14155559876\", to = \"+16505559876\", text = \"once\"})\nerror(\"and then\")");
    let ran = home.resumed(&[]);
    let run = ran.json()["meta"]["run"].as_str().expect("a run").to_owned();
    assert!(ran.stderr.contains(&format!("--resume {run}")), "{ran:?}");
}
