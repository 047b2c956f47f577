//! The smallest HTTP client that a test needs: one request per connection.

use std::io::{Read, Write};
use std::net::TcpStream;

use kosmo_simulator::Simulator;
use serde_json::Value;

/// What came back, as far as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body should be JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A request with every part of it in the open.
#[track_caller]
pub(crate) fn exchange(origin: &str, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    let address = origin.strip_prefix("http://").expect("an origin starts with its scheme");
    let mut stream = TcpStream::connect(address).expect("the simulator should listen");
    let length = body.len();
    let head =
        format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).expect("the simulator should read");
    let mut received = Vec::new();
    // A reset in the middle is an outcome too: what came before it stays.
    let _ = stream.read_to_end(&mut received);
    parse(&String::from_utf8_lossy(&received))
}

/// Status 0 stands for a connection that was closed without an answer.
fn parse(received: &str) -> Answer {
    let (head, body) = received.split_once("\r\n\r\n").unwrap_or((received, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A request from the account `default`, with a JSON body unless it is empty.
#[track_caller]
pub(crate) fn call(simulator: &Simulator, method: &str, target: &str, body: &str) -> Answer {
    call_as(simulator, "default", method, target, body)
}

/// A request to whichever provider the path belongs to.
#[track_caller]
pub(crate) fn call_as(simulator: &Simulator, account: &str, method: &str, target: &str, body: &str) -> Answer {
    let (provider, origin) = match target.starts_with("/restapi/") {
        true => ("ringcentral", simulator.ringcentral_url()),
        false => ("dialpad", simulator.dialpad_url()),
    };
    let credential = format!("authorization: Bearer {}\r\n", Simulator::token(provider, account));
    let content_type = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    exchange(origin, method, target, &format!("{credential}{content_type}"), body)
}
