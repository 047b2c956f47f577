//! Servers over HTTP: the same manners on loopback, and what only HTTP can do.

use super::{fault, scenario_with, value};
use kosmo::Code;
use kosmo_tests::{Deed, Echo, Received, Scenario, Server};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

/// Servers by the path they are spoken to at.
static SERVERS: LazyLock<Mutex<HashMap<String, Server>>> = LazyLock::new(Mutex::default);

/// `/json/MANNER/…` answers with JSON, `/events/MANNER/…` with events, `/restless/MANNER/…` with JSON and with streams that
/// end at once and are to be asked for again at once.
fn speak(request: &Received, stream: &mut TcpStream) -> io::Result<()> {
    let mut words = request.line.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut parts = path.split('/').skip(1);
    let (form, manner) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match (method, form) {
        ("POST", "redirect") => head(stream, "302 Found", "Location: http://169.254.169.254/latest\r\n", b""),
        ("POST", "closed") => head(stream, "401 Unauthorized", "WWW-Authenticate: Bearer\r\n", b"who are you?"),
        ("POST", "huge") => huge(stream),
        ("POST", "page") => head(stream, "200 OK", "Content-Type: text/html\r\n", b"<html>"),
        ("POST", "forgetful" | "stubborn") if request.body.contains("tools/call") => {
            let message: Value = serde_json::from_str(&request.body).unwrap_or_default();
            let id = if form == "stubborn" { &message["id"] } else { &Value::Null };
            let told = json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32001, "message": "half of it is done"}});
            head(stream, "404 Not Found", "Content-Type: application/json\r\n", told.to_string().as_bytes())
        }
        ("GET", "restless") => {
            head(stream, "200 OK", "Content-Type: text/event-stream\r\n", b"id: 1\nretry: 0\ndata: {}\n\n")
        }
        ("POST", _) => answer(stream, form == "events", path, manner, &request.body),
        _ => head(stream, "405 Method Not Allowed", "", b""),
    }
}

fn answer(stream: &mut TcpStream, events: bool, path: &str, manner: &str, body: &str) -> io::Result<()> {
    let message: Value = serde_json::from_str(body).unwrap_or_default();
    let deeds = {
        let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
        servers.entry(path.into()).or_insert_with(|| Server::new(manner)).hear(&message)
    };
    if message.get("id").is_none() || message.get("method").is_none() {
        return head(stream, "202 Accepted", "", b"");
    }
    let said = deeds.into_iter().filter_map(|deed| match deed {
        Deed::Say(message) => Some(message.to_string()),
        Deed::Wait(time) => {
            std::thread::sleep(time);
            None
        }
        _ => None,
    });
    let said: Vec<_> = said.collect();
    if events {
        let events: String = said.iter().map(|message| format!("event: message\ndata: {message}\n\n")).collect();
        head(stream, "200 OK", "Content-Type: text/event-stream\r\n", events.as_bytes())
    } else {
        head(
            stream,
            "200 OK",
            "Content-Type: application/json\r\nMcp-Session-Id: one\r\n",
            said.last().map(String::as_bytes).unwrap_or_default(),
        )
    }
}

fn huge(stream: &mut TcpStream) -> io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")?;
    let piece = vec![b' '; 1 << 20];
    (0..100).try_for_each(|_| stream.write_all(&piece))
}

fn head(stream: &mut TcpStream, status: &str, fields: &str, body: &[u8]) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)
}

fn scenario(echo: &Echo, path: &str, besides: Value) -> Scenario {
    let mut entry = json!({"url": format!("{}/{path}/{}", echo.url(), std::process::id()), "timeout": 3});
    for (key, value) in besides.as_object().into_iter().flatten() {
        entry[key] = value.clone();
    }
    scenario_with(json!({ "s": entry }), "permissions_default = \"allow\"\n")
}

#[test]
fn tools_are_called_by_json_and_by_events() {
    let echo = Echo::speaking(speak);
    for form in ["json", "events"] {
        let scenario = scenario(&echo, &format!("{form}/good/plain"), json!({}));
        assert_eq!(value(&scenario, "return app.mcp.s.echo({message = 'over HTTP'})"), json!("over HTTP"), "{form}");
        assert_eq!(value(&scenario, "return mcp.read_resource('s', 'note://one')[1].text"), json!("the first note"));
    }
    let sessions: Vec<_> =
        echo.received().iter().filter_map(|request| request.header("mcp-session-id").map(str::to_owned)).collect();
    assert!(sessions.iter().all(|session| session == "one") && !sessions.is_empty(), "{sessions:?}");
}

#[test]
fn headers_carry_secrets_that_nothing_else_shows() {
    let echo = Echo::speaking(speak);
    let scenario =
        scenario(&echo, "json/good/headers", json!({"headers": {"Authorization": "Bearer ${KOSMO_MCP_TOKEN}"}}));
    let run = |code: &str| {
        scenario.kosmo_with(
            &["mcp:lua", "--eval", code, "--json"],
            &[("KOSMO_MCP_TOKEN", "token-of-this-server")],
            None,
        )
    };
    let ran = run("return app.mcp.s.echo({message = 'token-of-this-server'})");
    assert_eq!(ran.json()["result"], json!(["[redacted]"]), "{ran:?}");
    assert!(
        echo.received().iter().all(|request| request.header("authorization") == Some("Bearer token-of-this-server"))
    );
}

#[test]
fn a_name_and_password_in_the_url_become_a_header_and_are_shown_nowhere() {
    let echo = Echo::speaking(speak);
    let url = format!("{}/closed/x", echo.url()).replace("http://", "http://me:pass-word-9@");
    let scenario = scenario_with(json!({"s": {"url": url}}), "permissions_default = \"allow\"\n");
    let refused = fault(&scenario, "app.mcp.s.echo({})");
    assert!(!refused.message.contains("pass-word-9"), "{refused}");
    assert_eq!(echo.received()[0].header("authorization"), Some("Basic bWU6cGFzcy13b3JkLTk="));
}

#[track_caller]
fn check(echo: &Echo, path: &str, code: Code, part: &str) {
    let refused = fault(&scenario(echo, path, json!({})), "app.mcp.s.echo({message = 'x'})");
    assert_eq!(refused.code, code, "{refused}");
    assert!(refused.message.contains("MCP server 's'") && refused.message.contains(part), "{refused}");
}

#[test]
fn a_write_that_met_the_end_of_its_session_is_not_sent_again() {
    for (form, code, part) in [
        ("forgetful", Code::Unreachable, "it knows the session no more (HTTP 404). Another one begins at its next use"),
        ("stubborn", Code::Provider, "half of it is done (-32001)"),
    ] {
        let echo = Echo::speaking(speak);
        let scenario = scenario(&echo, &format!("{form}/good"), json!({}));
        let fault = fault(&scenario, "app.mcp.s.create_issue({title = 'x'})");
        assert!(fault.code == code && fault.message.contains(part), "{fault:?}");
        let count = |what: &str| echo.received().iter().filter(|received| received.body.contains(what)).count();
        assert_eq!((count("\"initialize\""), count("tools/call")), (1, 1), "{form}");
        let code = "pcall(app.mcp.s.create_issue, {title = 'x'}) return #mcp.tools('s') > 0";
        assert_eq!(value(&scenario, code), json!(true));
    }
}

#[test]
fn pages_without_end_are_given_up() {
    let echo = Echo::speaking(speak);
    let refused = fault(&scenario(&echo, "json/endless/x", json!({})), "app.mcp.s.echo({message = 'x'})");
    // Whether their number or the time for them is up first is the machine's affair.
    assert!(matches!(refused.code, Code::TooLarge | Code::Timeout), "{refused}");
    assert!(refused.message.contains("MCP server 's' cannot be used: its tools do not end"), "{refused}");
}

#[test]
fn a_stream_that_ends_at_once_is_not_asked_for_again_at_once() {
    let echo = Echo::speaking(speak);
    let scenario = scenario(&echo, "restless/late/x", json!({"timeout": 10}));
    let begun = Instant::now();
    let code = "for turn = 1, 2 do app.mcp.s.echo({message = 'x'}) end return 'done'";
    assert_eq!(value(&scenario, code), json!("done"));
    let seconds = begun.elapsed().as_secs();
    let streams = echo.received().iter().filter(|request| request.line.starts_with("GET ")).count() as u64;
    assert!((2..=seconds + 2).contains(&streams), "{streams} streams in {seconds} s");
}

#[test]
fn answers_that_are_none_are_named() {
    let echo = Echo::speaking(speak);
    check(
        &echo,
        "redirect/x",
        Code::Provider,
        "answered HTTP 302. Redirections are not followed to http://169.254.169.254",
    );
    check(
        &echo,
        "closed/x",
        Code::Unauthorized,
        "answered HTTP 401: who are you?. Sign in: kosmo mcp:login s, or give it a token: kosmo mcp:secret:set s token",
    );
    check(&echo, "page/x", Code::Unreachable, "neither JSON nor events");
    check(&echo, "huge/x", Code::Unreachable, "has more than 4194304 bytes");
    check(&echo, "events/wrong-ids/x", Code::Unreachable, "broke off: the connection is closed");
}

#[test]
fn addresses_nobody_spelled_out_are_not_dialled() {
    let unreachable = |url: &str| {
        fault(&scenario_with(json!({"s": {"url": url}}), "permissions_default = \"allow\"\n"), "app.mcp.s.echo({})")
    };
    let overheard = json!({"s": {"url": "http://mcp.example.test/", "headers": {"Authorization": "Bearer x"}}});
    let refused = fault(&scenario_with(overheard, "permissions_default = \"allow\"\n"), "app.mcp.s.echo({})");
    assert!(refused.message.contains("everybody on the way could read its headers"), "{refused}");
    assert!(unreachable("ftp://a.test/").message.contains("neither http:// nor https://"));
    let closed = unreachable("http://127.0.0.1:1/mcp");
    assert_eq!(closed.code, Code::Unreachable, "{closed}");
    assert!(closed.message.starts_with("MCP server 's' cannot be reached: "), "{closed}");
}
