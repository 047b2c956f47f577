//! How a server ends: nothing begins any more, and what is under way is waited for or named.

use super::{SEND, slow, until};
use kosmo_tests::{Pipes, Reply, Scenario, Web};
use nix::sys::signal::Signal;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn rest(mut stream: TcpStream) -> Reply {
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    Reply { status: 0, head: String::new(), body: text }
}

#[test]
fn a_write_on_its_way_is_answered_before_the_server_ends() {
    let scenario = Scenario::writable();
    let server = Web::start(&scenario, &["--write=allow"]);
    let mut session = server.converse();
    slow(&scenario, "POST", "/api/v2/sms", Duration::from_secs(3));
    let stream = session.begin_run(SEND);
    until("the text", || !scenario.simulator.sms_sent().is_empty());
    server.signal(Signal::SIGTERM);
    server.wait_for("kosmo: ending: nothing begins any more");
    until("nobody is let in", || TcpStream::connect(server.address).is_err());
    let messages = rest(stream).messages();
    assert_eq!(messages.last().expect("an answer")["result"]["structuredContent"]["success"], true);
    let ran = server.end();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stderr.contains("ended while under way"), "{ran:?}");
}

#[test]
fn a_script_that_does_not_end_is_ended() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    client.ask("tools/call", json!({"name": "run_lua", "arguments": {"code": "while true do end"}}));
    std::thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    client.signal(Signal::SIGTERM);
    std::thread::sleep(Duration::from_millis(500));
    client.signal(Signal::SIGTERM);
    let ran = client.end();
    assert_eq!(ran.code, 143, "the second signal ends it at once: {ran:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_client_that_closes_its_pipe_ends_the_server_and_its_script() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    client.ask("tools/call", json!({"name": "run_lua", "arguments": {"code": "while true do end"}}));
    std::thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    let ran = client.end();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn a_write_that_has_no_answer_by_then_is_named() {
    let scenario = Scenario::writable();
    let mut client = Pipes::start(&scenario, &["--write=allow"]);
    slow(&scenario, "POST", "/api/v2/sms", Duration::from_secs(60));
    client.ask("tools/call", json!({"name": "run_lua", "arguments": {"code": SEND}}));
    until("the text", || !scenario.simulator.sms_sent().is_empty());
    let ran = client.end();
    assert_eq!(ran.code, 1, "{ran:?}");
    let named =
        "kosmo: ended while under way: dialpad.send_sms on account default for anybody (a write, in doubt; run ";
    assert!(ran.stderr.starts_with(named), "{ran:?}");
}

#[test]
fn a_client_that_reads_nothing_keeps_no_server_from_ending() {
    let scenario = Scenario::new();
    let mut command = scenario.command();
    command.args(["mcp:serve", "--functions"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("`kosmo` starts");
    let mut input = child.stdin.take().expect("a pipe");
    let client = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    writeln!(input, "{}", json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})).expect("sent");
    writeln!(input, "{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).expect("sent");
    for id in 1..50 {
        writeln!(input, "{}", json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"})).expect("sent");
    }
    std::thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    let id = nix::unistd::Pid::from_raw(child.id().try_into().expect("an id"));
    nix::sys::signal::kill(id, Signal::SIGTERM).expect("it is there");
    until("its end", || child.try_wait().expect("a child").is_some());
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn whoever_leaves_before_saying_a_word_ends_it_quietly() {
    let ran = Scenario::new().kosmo(&["mcp:serve"]);
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (0, "", ""));
}
