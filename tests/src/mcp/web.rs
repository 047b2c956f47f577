//! A client over HTTP, and a server at an address of its own.

use super::{PATIENCE, initialize, message, signal};
use crate::{Ran, Scenario};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// `kosmo mcp:serve --http`.
pub struct Web {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// The token it made for its run, if it made one.
    pub token: Option<String>,
    errors: Receiver<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Such as 200.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// Without the framing of chunks.
    pub body: String,
}

/// A session of one client.
#[derive(Clone, Debug)]
pub struct Conversation {
    address: SocketAddr,
    token: Option<String>,
    /// Its id.
    pub id: String,
    next: u64,
}

impl Web {
    /// Starts it at a free port with these flags.
    pub fn start(scenario: &Scenario, flags: &[&str]) -> Self {
        let mut command = scenario.command();
        command.args(["mcp:serve", "--http", "127.0.0.1:0"]).args(flags);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self::started(command.spawn().expect("`kosmo` starts"), flags)
    }

    fn started(mut child: Child, flags: &[&str]) -> Self {
        let (tell, errors) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let line = |start: &str| {
            let line = errors.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it does not say `{start}`"));
            line.strip_prefix(start).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let url = line("kosmo: serving MCP at http://");
        let address = url.trim_end_matches("/mcp").parse().expect("an address");
        let makes_one = !flags.contains(&"--no-token");
        let token = makes_one.then(|| line("kosmo: token for this run: "));
        Self { child, address, token, errors }
    }

    /// As [`Web::start`], in a home that has tokens.
    pub fn with_tokens(scenario: &Scenario, flags: &[&str]) -> Self {
        let mut command = scenario.command();
        command.args(["mcp:serve", "--http", "127.0.0.1:0"]).args(flags);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self::started(command.spawn().expect("`kosmo` starts"), &["--no-token"])
    }

    /// Begins a session with its own token.
    pub fn converse(&self) -> Conversation {
        Conversation::begin(self.address, self.token.as_deref()).expect("a session")
    }

    /// Begins a session with this token.
    pub fn converse_as(&self, token: &str) -> Result<Conversation, Reply> {
        Conversation::begin(self.address, Some(token))
    }

    /// Asks for a page.
    pub fn get(&self, path: &str) -> Reply {
        send(self.address, &format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    /// Asks for a page with the server's own token, if it has one, and with these headers besides.
    pub fn get_with(&self, headers: &[(&str, &str)], path: &str) -> Reply {
        let token = self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let besides: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{token}{besides}Connection: close\r\n\r\n", self.address);
        send(self.address, &head)
    }

    /// Posts something with the server's own token, and with these headers besides.
    pub fn post(&self, headers: &[(&str, &str)], body: &str) -> Reply {
        post(self.address, self.token.as_deref(), headers, body)
    }

    /// A connection of one's own.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    /// Waits for a line on its standard error that begins like this.
    #[track_caller]
    pub fn wait_for(&self, start: &str) -> String {
        loop {
            let line = self.errors.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("`{start}` never comes"));
            if line.starts_with(start) {
                return line;
            }
        }
    }

    /// The value of a metric's line that begins like this.
    pub fn metric(&self, start: &str) -> Option<f64> {
        let text = self.get_with(&[], "/metrics").body;
        let line = text.lines().find(|line| line.starts_with(start))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// Sends a signal.
    pub fn signal(&self, which: Signal) {
        signal(&self.child, which);
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, and gives what it said.
    pub fn end(mut self) -> Ran {
        let status = self.child.wait().expect("it ends");
        let stderr = self.errors.iter().collect::<Vec<_>>().join("\n");
        Ran { code: status.code().unwrap_or(-1), stdout: String::new(), stderr }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Conversation {
    /// Shakes hands.
    ///
    /// # Errors
    /// What was answered instead of a session.
    pub fn begin(address: SocketAddr, token: Option<&str>) -> Result<Self, Reply> {
        let hello = message(Some(0), "initialize", initialize(&json!({})));
        let reply = post(address, token, &[], &hello.to_string());
        let Some(id) = reply.header("mcp-session-id") else { return Err(reply) };
        let mut conversation = Self { address, token: token.map(Into::into), id, next: 0 };
        assert_eq!(conversation.notify("notifications/initialized", Value::Null).status, 202);
        Ok(conversation)
    }

    /// Asks, and waits for the answer.
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let reply = self.try_call(method, params);
        assert_eq!(reply.status, 200, "{reply:?}");
        let answers = reply.messages();
        answers.into_iter().find(|message| message["id"] == self.next).unwrap_or_else(|| panic!("{reply:?}"))
    }

    /// As [`Conversation::call`], however it is answered.
    pub fn try_call(&mut self, method: &str, params: Value) -> Reply {
        self.next += 1;
        self.post(&message(Some(self.next), method, params))
    }

    /// Says something that needs no answer.
    pub fn notify(&mut self, method: &str, params: Value) -> Reply {
        self.post(&message(None, method, params))
    }

    /// Runs a script and gives its envelope.
    #[track_caller]
    pub fn run(&mut self, code: &str) -> Value {
        let answer = self.call("tools/call", json!({"name": "run_lua", "arguments": {"code": code}}));
        answer["result"]["structuredContent"].clone()
    }

    /// Asks for a script to be run, and keeps the connection instead of waiting.
    pub fn begin_run(&mut self, code: &str) -> TcpStream {
        self.begin_call(json!({"name": "run_lua", "arguments": {"code": code}}))
    }

    /// Calls a tool, and keeps the connection instead of waiting.
    pub fn begin_call(&mut self, params: Value) -> TcpStream {
        self.next += 1;
        let body = message(Some(self.next), "tools/call", params).to_string();
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let headers = [("Mcp-Session-Id", self.id.as_str())];
        stream.write_all(request(self.address, self.token.as_deref(), &headers, &body).as_bytes()).expect("sent");
        stream
    }

    /// Opens the stream of what the server has to say by itself.
    pub fn listen(&self) -> TcpStream {
        self.listen_from("")
    }

    /// Asks for the rest of an answer, after the event of this id.
    pub fn resume(&self, event: &str) -> TcpStream {
        self.listen_from(&format!("Last-Event-Id: {event}\r\n"))
    }

    fn listen_from(&self, event: &str) -> TcpStream {
        let token = self.token.as_ref().map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let head = format!(
            "GET /mcp HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n{token}{event}Mcp-Session-Id: {}\r\n\r\n",
            self.address, self.id
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream
    }

    /// What was asked last.
    pub fn last(&self) -> u64 {
        self.next
    }

    fn post(&self, message: &Value) -> Reply {
        let headers = [("Mcp-Session-Id", self.id.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
        post(self.address, self.token.as_deref(), &headers, &message.to_string())
    }
}

impl Reply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<String> {
        let field = |line: &str| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        self.head.lines().find_map(field)
    }

    /// The messages of an event stream, or the one message of another body.
    pub fn messages(&self) -> Vec<Value> {
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        let messages: Vec<_> = data.filter_map(|data| serde_json::from_str(data).ok()).collect();
        if messages.is_empty() { serde_json::from_str(&self.body).into_iter().collect() } else { messages }
    }
}

fn post(address: SocketAddr, token: Option<&str>, headers: &[(&str, &str)], body: &str) -> Reply {
    send(address, &request(address, token, headers, body))
}

/// A request as bytes. A header that is given stands in place of the usual one.
fn request(address: SocketAddr, token: Option<&str>, headers: &[(&str, &str)], body: &str) -> String {
    let usual = [
        ("Host", address.to_string()),
        ("Accept", "application/json, text/event-stream".into()),
        ("Content-Type", "application/json".into()),
        ("Connection", "close".into()),
        ("Content-Length", body.len().to_string()),
    ];
    let token = token.map(|token| ("Authorization", format!("Bearer {token}")));
    let given = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let usual = usual.into_iter().chain(token).filter(|(name, _)| !given(name));
    let lines: String = usual.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let besides: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST /mcp HTTP/1.1\r\n{lines}{besides}\r\n{body}")
}

fn send(address: SocketAddr, request: &str) -> Reply {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("a server that reads");
    reply(stream)
}

/// Everything up to the end of a connection.
fn reply(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // What came before a reset is what there is.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { without_chunks(body) } else { body.to_owned() };
    Reply { status, head: head.to_owned(), body }
}

fn without_chunks(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let Ok(length) = usize::from_str_radix(length.trim(), 16) else { break };
        let Some(chunk) = after.get(..length).filter(|chunk| !chunk.is_empty()) else { break };
        body.push_str(chunk);
        rest = after[length..].trim_start_matches("\r\n");
    }
    body
}
