//! Servers are processes, and none outlives us, however we end.

use super::{entry, program, scenario_with};
use kosmo::Script;
use kosmo_tests::Scenario;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

const CALL: &str = "app.mcp.s.echo({message = 'x'})";

fn scenario(manner: &str) -> (Scenario, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let pids = folder.join("pids");
    let env = json!({"PID_FILE": pids});
    let scenario = scenario_with(json!({"s": entry(manner, json!({"env": env}))}), "permissions_default = \"allow\"\n");
    (scenario, pids)
}

/// Those that run: a process that ended and was not looked at yet does not.
fn running(pids: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(pids).unwrap_or_default();
    let alive = |pid: &&str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    };
    text.lines().filter(alive).map(str::to_owned).collect()
}

#[track_caller]
fn assert_gone(pids: &Path) {
    let begun = Instant::now();
    while !running(pids).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "still there: {:?}", running(pids));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn wait_for(pids: &Path, count: usize) {
    let begun = Instant::now();
    while running(pids).len() < count {
        assert!(begun.elapsed() < Duration::from_secs(20), "only {:?}", running(pids));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_server_that_ignores_its_end_is_killed() {
    let (scenario, pids) = scenario("stubborn");
    let ran = scenario.kosmo(&["mcp:lua", "--eval", CALL, "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_gone(&pids);
}

#[test]
fn what_a_server_started_ends_with_it() {
    for manner in ["forking", "detaching"] {
        let (scenario, pids) = scenario(manner);
        assert_eq!(scenario.kosmo(&["mcp:lua", "--eval", CALL, "--json"]).code, 0);
        assert_eq!(std::fs::read_to_string(&pids).expect("told").lines().count(), 2);
        assert_gone(&pids);
    }
}

#[test]
fn what_a_server_left_behind_ends_although_the_server_ended_itself() {
    let (scenario, pids) = scenario("leaving");
    let ran = scenario.kosmo(&["mcp:lua", "--eval", CALL, "--json"]);
    assert!(ran.json()["error"].as_str().unwrap_or_default().contains("ended with exit code 7"), "{ran:?}");
    assert_gone(&pids);
}

#[test]
fn servers_end_with_their_host() {
    let (scenario, pids) = scenario("forking");
    let host = scenario.host();
    let outcome = host.session().build().run_blocking(Script::new("x", CALL));
    assert!(outcome.success, "{:?}", outcome.error);
    wait_for(&pids, 2);
    drop(host);
    assert_gone(&pids);
}

#[test]
fn killing_kosmo_ends_its_servers_and_what_they_started() {
    for manner in ["forking", "detaching", "stubborn"] {
        let (scenario, pids) = scenario(manner);
        let mut command = scenario.command();
        command.args(["mcp:lua", "--eval", &format!("{CALL} while true do end")]);
        let mut kosmo =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        wait_for(&pids, if manner == "stubborn" { 1 } else { 2 });
        kosmo.kill().expect("killed");
        kosmo.wait().expect("gone");
        assert_gone(&pids);
    }
}

#[test]
fn nothing_is_started_for_a_script_that_uses_no_server() {
    let (scenario, pids) = scenario("good");
    for code in ["return 1", "return mcp.servers()", "return app.mcp.s, app.mcp.s.echo", "print(app.mcp)"] {
        assert_eq!(scenario.kosmo(&["mcp:lua", "--eval", code, "--json"]).code, 0, "{code}");
    }
    assert!(!pids.exists());
    assert!(program().is_file());
}
