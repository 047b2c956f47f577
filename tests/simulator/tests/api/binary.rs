//! The binary: its line when it is ready, its recording, its end.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::client::exchange;

const BINARY: &str = env!("CARGO_BIN_EXE_kosmo-simulator");

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // It is not there on the first run.
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn started(record: &Path) -> (Child, Value) {
    let mut child = Command::new(BINARY)
        .env("KOSMO_RECORD", record)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    let mut line = String::new();
    let output = child.stdout.take().expect("its output is piped");
    BufReader::new(output).read_line(&mut line).expect("it prints a line");
    (child, serde_json::from_str(&line).expect("the line is JSON"))
}

#[test]
fn it_serves_until_its_input_closes_and_records_without_credentials() {
    let record = folder("records");
    let (mut child, ready) = started(&record);
    let token = ready["tokens"]["dialpad"]["work"].as_str().expect("a token per account");
    let origin = ready["dialpad"].as_str().expect("an origin per provider");
    let answer = exchange(origin, "GET", "/api/v2/users/me", &format!("authorization: Bearer {token}\r\n"), "");
    assert_eq!(answer.status, 200);
    drop(child.stdin.take());
    assert!(child.wait().expect("it is our child").success());
    check_recorded(&record, token);
}

#[track_caller]
fn check_recorded(folder: &Path, token: &str) {
    let file = std::fs::read_dir(folder).expect("it was created").next().expect("one file").expect("readable");
    let text = std::fs::read_to_string(file.path()).expect("readable");
    assert!(!text.contains(token) && text.contains(r#"["authorization","Bearer"]"#), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[track_caller]
fn check_exit(arguments: &[&str], code: i32, naming: &str) {
    let output = Command::new(BINARY).args(arguments).stdin(Stdio::null()).output().expect("it starts");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(naming), "{text}");
}

#[test]
fn its_arguments_are_checked() {
    check_exit(&["--help"], 0, "Usage: kosmo-simulator");
    check_exit(&["--port", "1"], 2, "unknown argument --port");
    check_exit(&["--dialpad-port"], 2, "--dialpad-port needs a port");
    check_exit(&["--dialpad-port", "70000"], 2, "a port is a number");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    check_exit(&["--exports-port", &port], 1, "cannot start");
}
