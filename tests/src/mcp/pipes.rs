//! A client at the other end of two pipes.

use super::{PATIENCE, initialize, message, signal};
use crate::{Ran, Scenario};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

/// A server that was started for one client.
pub struct Pipes {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    errors: Option<JoinHandle<String>>,
    next: u64,
    /// What came besides answers, in order.
    pub aside: Vec<Value>,
    /// What is answered to the questions of the server.
    pub answer: Option<Value>,
}

impl Pipes {
    /// Starts `kosmo mcp:serve` with these flags, and shakes hands.
    pub fn start(scenario: &Scenario, flags: &[&str]) -> Self {
        Self::able(scenario, flags, &json!({}))
    }

    /// As a client with these capabilities.
    pub fn able(scenario: &Scenario, flags: &[&str], capabilities: &Value) -> Self {
        let mut command = scenario.command();
        command.arg("mcp:serve").args(flags);
        Self::of(command, capabilities)
    }

    /// Over what this starts.
    pub fn of(command: Command, capabilities: &Value) -> Self {
        let mut pipes = Self::silent(command);
        let answer = pipes.call("initialize", initialize(capabilities));
        assert_eq!(answer["result"]["serverInfo"]["name"], "kosmo", "{answer}");
        pipes.notify("notifications/initialized", Value::Null);
        pipes
    }

    fn silent(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("`kosmo` starts");
        let (tell, output) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut stderr = child.stderr.take().expect("a pipe");
        let errors = thread::spawn(move || {
            let mut text = String::new();
            // Whatever was said until it ended.
            let _ = stderr.read_to_string(&mut text);
            text
        });
        let input = child.stdin.take();
        Self { child, input, output, errors: Some(errors), next: 0, aside: Vec::new(), answer: None }
    }

    /// Asks, and waits for the answer. Questions that come meanwhile are answered.
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        self.wait(id)
    }

    /// Asks, and does not wait.
    pub fn ask(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        self.send(&message(Some(self.next), method, params).to_string());
        self.next
    }

    /// Waits for the answer to what was asked.
    #[track_caller]
    pub fn wait(&mut self, id: u64) -> Value {
        loop {
            let message = self.read();
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
            self.set_aside(message);
        }
    }

    /// The next message, whatever it is.
    #[track_caller]
    pub fn read(&mut self) -> Value {
        let line = self.output.recv_timeout(PATIENCE).expect("a message");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Waits for a notification of this kind.
    #[track_caller]
    pub fn wait_for(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.aside.iter().position(|message| message["method"] == method) {
                return self.aside.remove(at);
            }
            let message = self.read();
            self.set_aside(message);
        }
    }

    fn set_aside(&mut self, message: Value) {
        if let (true, Some(answer)) = (message["method"] == "elicitation/create", &self.answer) {
            let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": answer});
            self.send(&answer.to_string());
        }
        self.aside.push(message);
    }

    /// Calls a tool and gives its result.
    #[track_caller]
    pub fn tool(&mut self, name: &str, arguments: Value) -> Value {
        let answer = self.call("tools/call", json!({"name": name, "arguments": arguments}));
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    /// Runs a script and gives its envelope.
    #[track_caller]
    pub fn run(&mut self, code: &str) -> Value {
        self.tool("run_lua", json!({"code": code}))["structuredContent"].clone()
    }

    /// The names of all tools.
    #[track_caller]
    pub fn tools(&mut self) -> Vec<String> {
        let listed = self.call("tools/list", Value::Null);
        let tools = listed["result"]["tools"].as_array().expect("a list").iter();
        tools.map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// Says something that needs no answer.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&message(None, method, params).to_string());
    }

    /// Sends a line as it is.
    pub fn send(&mut self, line: &str) {
        let input = self.input.as_mut().expect("an open pipe");
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("a server that reads");
    }

    /// Sends a signal.
    pub fn signal(&self, which: Signal) {
        signal(&self.child, which);
    }

    /// Closes its input, waits for its end, and gives what it said on standard error.
    pub fn end(mut self) -> Ran {
        drop(self.input.take());
        let status = self.child.wait().expect("it ends");
        let stderr = self.errors.take().map(|errors| errors.join().expect("no panic")).unwrap_or_default();
        let stdout = self.output.iter().collect::<Vec<_>>().join("\n");
        Ran { code: status.code().unwrap_or(-1), stdout, stderr }
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
