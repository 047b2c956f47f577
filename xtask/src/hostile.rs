//! `cargo xtask demo --hostile`: a plugin and scripts that mean harm, and what becomes of them.

use crate::build;
use crate::failure::{Context, Failure, Result};
use crate::guests::Group;
use crate::home::{Home, Writes};
use crate::json::Json;
use crate::process;
use crate::simulator::Simulator;
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER: &str = "examples/hostile";
const INTRODUCTION: &str = "\
An operator was talked into installing a plugin that means harm (tests/guests/thief), and into running scripts that do
(examples/hostile), on accounts at a simulator. Each attack is told in three lines: what it tries, the rule that stops
it, and what `kosmo audit --json` has on record of it.
";
/// Parts of a record that tell what happened, in this order.
const EXCERPT: [&str; 9] = ["kind", "function", "decision", "outcome", "method", "host", "path", "rule", "reason"];
/// A second of computing is more than any of them deserves.
const LIMITS: [&str; 4] = ["--cpu-limit", "1", "--timeout", "20"];

/// Runs every attack.
///
/// # Errors
/// When one was not stopped, or a build fails.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    build::to_show_with(workspace, &[Group::Shipped, Group::Test])?;
    let simulator = Simulator::start(workspace)?;
    let home = home(workspace, &simulator)?;
    println!("{INTRODUCTION}");
    let mut not_stopped = Vec::new();
    let attacks = Attack::all(&workspace.source(FOLDER))?;
    for attack in &attacks {
        let ran = Ran::of(attack, workspace, &home)?;
        tell(attack, &ran);
        not_stopped.extend(attack.problem(&ran, &simulator).map(|problem| format!("{}: {problem}", attack.name())));
    }
    match not_stopped.as_slice() {
        [] => println!("All {} were stopped.", attacks.len()),
        problems => return Err(Failure::new(format!("not stopped: {}", problems.join("; ")))),
    }
    Ok(())
}

fn home(workspace: &Workspace, simulator: &Simulator) -> Result<Home> {
    let file = workspace.source(FOLDER).join("config.toml");
    let policy = fs::read_to_string(&file).context(|| format!("cannot read {}", file.display()))?;
    let dialpad = simulator.providers.iter().find(|provider| provider.name == "dialpad");
    let account = dialpad.and_then(|provider| Some((&provider.url, &provider.accounts.first()?.1)));
    let (url, token) = account.ok_or_else(|| Failure::new("the simulator has no account at dialpad"))?;
    let account = format!("\n[accounts.thief.default]\nurl = \"{url}\"\naccess_token = \"{token}\"\n\n");
    let home = Home::write(workspace, workspace.empty_folder("hostile/home")?, simulator, Writes::AsUsual)?;
    let home = home.with(&(account + &policy))?;
    let thief = workspace.target(Group::Test.folder()).join("thief.wasm");
    process::answer(
        &mut kosmo(workspace, &home, &["plugins:install", &thief.to_string_lossy()]),
        "installing the thief",
    )?;
    Ok(home)
}

/// A script, and what its first lines promise.
struct Attack {
    file: PathBuf,
    tries: String,
    stopped: String,
    writes: usize,
    outcome: String,
}

impl Attack {
    fn all(folder: &Path) -> Result<Vec<Self>> {
        let entries = fs::read_dir(folder).context(|| format!("cannot read {}", folder.display()))?;
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|kind| kind == "lua"));
        files.sort();
        files.into_iter().map(Self::read).collect()
    }

    fn read(file: PathBuf) -> Result<Self> {
        let text = fs::read_to_string(&file).context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text, file.clone()).ok_or_else(|| Failure::new(format!("{} says too little", file.display())))
    }

    fn parse(text: &str, file: PathBuf) -> Option<Self> {
        let line = |name: &str| text.lines().find_map(|line| line.strip_prefix("-- ")?.strip_prefix(name));
        let said = |name: &str| Some(line(name)?.trim().to_owned());
        Some(Self {
            tries: said("Tries:")?,
            stopped: said("Stopped:")?,
            writes: said("Writes:")?.strip_suffix(" sent")?.parse().ok()?,
            outcome: said("Outcome:")?,
            file,
        })
    }

    fn name(&self) -> String {
        self.file.file_stem().unwrap_or_default().to_string_lossy().replace('-', " ")
    }

    /// Why it counts as not stopped, if it does.
    fn problem(&self, ran: &Ran, simulator: &Simulator) -> Option<String> {
        let mut tokens = simulator.providers.iter().flat_map(|provider| &provider.accounts).map(|(_, token)| token);
        if tokens.any(|token| ran.printed.contains(token.as_str())) {
            return Some("it got hold of a token".into());
        }
        let (outcome, writes) = (ran.outcome(), ran.writes());
        if outcome != self.outcome {
            return Some(format!("it ended as {outcome}, not as {}", self.outcome));
        }
        (writes != self.writes).then(|| format!("it sent {writes} writes, not {}", self.writes))
    }
}

/// What became of an attack.
struct Ran {
    /// Everything that was printed, for the script and of the log.
    printed: String,
    envelope: Json,
    records: Json,
}

impl Ran {
    fn of(attack: &Attack, workspace: &Workspace, home: &Home) -> Result<Self> {
        let file = attack.file.to_string_lossy();
        let run_file = [&["integrations:lua", &file, "--json"], &LIMITS[..]].concat();
        let script = process::said(&mut kosmo(workspace, home, &run_file), "the script")?;
        let envelope = understood(&script)?;
        let run = envelope.get("meta").and_then(|meta| meta.get("run")?.text()).unwrap_or_default();
        let log = process::answer(&mut kosmo(workspace, home, &["audit", "--json", "--run", run]), "kosmo audit")?;
        let records = understood(&log)?;
        Ok(Self { printed: script + &log, envelope, records })
    }

    /// The code of the fault that ended the script, or `ok`.
    fn outcome(&self) -> &str {
        let succeeded = self.envelope.get("success") == Some(&Json::Word("true".into()));
        let fault = self.envelope.get("fault").and_then(|fault| fault.get("code")?.text());
        fault.unwrap_or(if succeeded { "ok" } else { "an error" })
    }

    /// Requests that went out and were not to read.
    fn writes(&self) -> usize {
        let records = self.records.items().iter();
        let is = |record: &Json, name: &str, value: &str| record.get(name).and_then(Json::text) == Some(value);
        records.filter(|record| is(record, "kind", "request") && !is(record, "method", "GET")).count()
    }

    /// The record that tells most: a refusal, else an end that was none of its own, else the last.
    fn telling(&self) -> Option<&Json> {
        let records = self.records.items();
        let says = |record: &Json, name: &str, usual: &[&str]| {
            record.get(name).and_then(Json::text).is_some_and(|value| !usual.contains(&value))
        };
        let refusal = records.iter().find(|record| says(record, "decision", &["allowed", "forced"]));
        refusal.or_else(|| records.iter().find(|record| says(record, "outcome", &["ok"]))).or(records.last())
    }
}

fn kosmo(workspace: &Workspace, home: &Home, arguments: &[&str]) -> Command {
    let mut kosmo = Command::new(workspace.binaries().join("kosmo"));
    kosmo.args(arguments).current_dir(workspace.source(""));
    home.apply(&mut kosmo);
    kosmo
}

fn understood(text: &str) -> Result<Json> {
    Json::parse(text).ok_or_else(|| Failure::new(format!("kosmo printed no JSON but: {text}")))
}

fn tell(attack: &Attack, ran: &Ran) {
    let record = ran.telling().map_or_else(|| "nothing, which is a defect".into(), excerpt);
    println!("{}\n  tries    {}\n  stopped  {}\n  record   {record}\n", attack.name(), attack.tries, attack.stopped);
}

fn excerpt(record: &Json) -> String {
    let parts = EXCERPT.iter().filter_map(|&name| Some(format!("\"{name}\": {:?}", record.get(name)?.text()?)));
    format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_says_what_it_tries_and_what_should_come_of_it() {
        let text = "-- Tries:    A.\n-- Stopped:  B.\n-- Writes:   1 sent\n-- Outcome:  denied\n\ncode()\n";
        let attack = Attack::parse(text, "examples/hostile/1-read-the-token.lua".into()).expect("an attack");
        assert_eq!(
            (attack.name(), attack.tries.as_str(), attack.stopped.as_str()),
            ("1 read the token".into(), "A.", "B.")
        );
        assert_eq!((attack.writes, attack.outcome.as_str()), (1, "denied"));
        assert!(Attack::parse("-- Tries: A.\n", PathBuf::new()).is_none());
    }

    #[test]
    fn a_refusal_tells_more_than_an_end() {
        let record = |text: &str| Json::parse(text).expect("JSON");
        let ran = |records: &str| Ran { printed: String::new(), envelope: record("{}"), records: record(records) };
        let allowed = r#"{"kind": "decision", "decision": "allowed"}"#;
        let denied = r#"{"kind": "decision", "decision": "denied", "ms": 1, "reason": "no"}"#;
        let end = r#"{"kind": "invocation", "outcome": "cpu"}"#;
        let check =
            |records: &str, expected: &str| assert_eq!(ran(records).telling().map(excerpt).as_deref(), Some(expected));
        check(
            &format!("[{allowed}, {denied}, {end}]"),
            r#"{"kind": "decision", "decision": "denied", "reason": "no"}"#,
        );
        check(&format!("[{allowed}, {end}]"), r#"{"kind": "invocation", "outcome": "cpu"}"#);
        check(&format!("[{allowed}]"), r#"{"kind": "decision", "decision": "allowed"}"#);
    }
}
