//! `misbehaving-server MANNER`: an MCP server on standard input and output. `PID_FILE` is told the process, and what it
//! started, one to a line; `CALLS_FILE` the issues that it was to create. In the manner `stuck` it does not answer when it
//! is told of the third.

use kosmo_tests::{Deed, Server};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, Write, stderr, stdin, stdout};
use std::process::Command;
use std::time::Duration;

fn main() {
    let manner = std::env::args().nth(1).unwrap_or_else(|| "good".into());
    let mut pids = vec![std::process::id()];
    if manner == "forking" {
        pids.push(Command::new("/bin/sleep").arg("1000").spawn().expect("a child").id());
    }
    if matches!(&*manner, "detaching" | "leaving") {
        pids.push(detached());
    }
    if let Some(file) = std::env::var_os("PID_FILE") {
        std::fs::write(file, pids.iter().map(u32::to_string).collect::<Vec<_>>().join("\n")).expect("a file");
    }
    let mut server = Server::new(&manner);
    server.begin().into_iter().for_each(perform);
    for line in stdin().lock().lines().map_while(Result::ok) {
        let Ok(message) = serde_json::from_str(&line) else { continue };
        if noted(&message) == 3 && manner == "stuck" {
            continue;
        }
        server.hear(&message).into_iter().for_each(perform);
    }
    if manner == "stubborn" {
        std::thread::sleep(Duration::from_secs(3_600));
    }
}

/// A process in a session of its own, whose parent has ended.
fn detached() -> u32 {
    let file = std::env::temp_dir().join(format!("detached-{}", std::process::id()));
    let script = "sleep 1000 & echo $! > \"$0\"";
    Command::new("setsid").args(["--fork", "sh", "-c", script]).arg(&file).status().expect("a session");
    loop {
        let told = std::fs::read_to_string(&file).unwrap_or_default();
        if let Some(pid) = told.strip_suffix('\n').and_then(|pid| pid.parse().ok()) {
            let _ = std::fs::remove_file(&file);
            return pid;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Writes down which issue is to be created. Gives how many there are, ever.
fn noted(message: &Value) -> usize {
    let Some(file) = std::env::var_os("CALLS_FILE") else { return 0 };
    let title = message["params"]["arguments"]["title"].as_str().filter(|_| message["method"] == "tools/call");
    let Some(title) = title else { return 0 };
    let mut calls = File::options().create(true).append(true).open(&file).expect("a file");
    writeln!(calls, "{title}").expect("written");
    std::fs::read_to_string(file).expect("a file").lines().count()
}

/// Nobody may be listening any more.
fn perform(deed: Deed) {
    match deed {
        Deed::Say(message) => drop(writeln!(stdout(), "{message}").and_then(|()| stdout().flush())),
        Deed::Write(bytes) => drop(stdout().write_all(&bytes).and_then(|()| stdout().flush())),
        Deed::Complain(text) => drop(stderr().write_all(text.as_bytes())),
        Deed::Wait(time) => std::thread::sleep(time),
        Deed::End(code) => std::process::exit(code),
    }
}
