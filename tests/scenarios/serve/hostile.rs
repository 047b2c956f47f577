//! Clients that mean no good, or do not know better. None of them keeps the others from being served.

use super::{slow, until};
use kosmo_tests::{Pipes, Scenario, Web};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Whether somebody else is still served.
#[track_caller]
fn serves(server: &Web) {
    assert_eq!(server.converse().run("return 1 + 1")["result"], json!([2]));
}

#[test]
fn a_name_that_somebody_pointed_here_is_not_answered_to() {
    let server = Web::start(&Scenario::new(), &["--allow-host", "kosmo.example.com"]);
    for host in ["evil.test", "evil.test:80", "127.0.0.1.evil.test", "localhost.evil.test", ""] {
        assert_eq!(server.post(&[("Host", host)], "{}").status / 100, 4, "{host}");
    }
    assert_eq!(server.post(&[("Host", "evil.test")], "{}").status, 403);
    assert_ne!(server.post(&[("Host", "kosmo.example.com")], "{}").status, 403);
    assert_eq!(server.metric("kosmo_refusals_total{reason=\"host\"}").map(|count| count >= 5.0), Some(true));
    serves(&server);
}

#[test]
fn a_page_in_a_browser_is_not_let_in_even_with_the_token() {
    let server = Web::start(&Scenario::new(), &[]);
    for origin in ["https://evil.test", "null", "http://localhost:1234", "http://127.0.0.1"] {
        assert_eq!(server.post(&[("Origin", origin)], "{}").status, 403, "{origin}");
    }
    assert_eq!(server.metric("kosmo_refusals_total{reason=\"origin\"}"), Some(4.0));
    serves(&server);
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let server = Web::start(&Scenario::new(), &[]);
    let announced = server.post(&[("Content-Length", "999999999")], "{");
    assert_eq!((announced.status, announced.header("connection").as_deref()), (413, Some("close")));
    let mut stream = server.connect();
    let token = server.token.as_deref().expect("a token");
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let sent = (0..1000).take_while(|_| stream.write_all(chunk.as_bytes()).is_ok()).count();
    assert!(sent < 1000, "somebody reads 64 MiB");
    serves(&server);
}

#[test]
fn a_head_that_never_ends_is_given_up_on() {
    let server = Web::start(&Scenario::new(), &[]);
    let mut large = server.connect();
    let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n", server.address, "x".repeat(100_000));
    let _ = large.write_all(head.as_bytes());
    let mut answer = String::new();
    let _ = large.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    let mut fields = server.connect();
    let _ = fields.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n{many}\r\n", server.address).as_bytes());
    let mut answer = String::new();
    let _ = fields.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");

    let (mut slow, begun) = (server.connect(), Instant::now());
    slow.write_all(b"POST /mcp HTTP/1.1\r\nHost: ").expect("sent");
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    assert!(begun.elapsed() < Duration::from_secs(40), "the head had 15 s");
    serves(&server);
}

#[test]
fn a_body_that_dribbles_is_given_up_on() {
    let server = Web::start(&Scenario::new(), &[]);
    let token = server.token.as_deref().expect("a token");
    let mut slow = server.connect();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n",
        server.address
    );
    slow.write_all(head.as_bytes()).expect("sent");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(40) && slow.write_all(b" ").is_ok() {
        sleep(Duration::from_millis(500));
    }
    assert!(begun.elapsed() < Duration::from_secs(40), "the body had 15 s");
    assert_eq!(server.metric("kosmo_refusals_total{reason=\"slow\"}"), Some(1.0));
    serves(&server);
}

#[test]
fn what_is_no_message_is_told_to_be_none() {
    let server = Web::start(&Scenario::new(), &[]);
    let session = server.converse();
    let code = |body: &str| {
        let reply = server.post(&[("Mcp-Session-Id", &session.id)], body);
        assert_eq!(reply.status, 400, "{reply:?}");
        reply.messages().first().map_or(Value::Null, |message| message["error"]["code"].clone())
    };
    assert_eq!(code("{\"jsonrpc\": \"2.0\", \"id\""), -32700);
    assert_eq!(code("\u{0}\u{1}garbage"), -32700);
    assert_eq!(code(""), -32700);
    let batch = r#"[{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "id": 2, "method": "ping"}]"#;
    assert_eq!(code(batch), -32600);
    code("{}");
    code("42");
    code(r#"{"jsonrpc": "1.0", "id": 1, "method": "ping"}"#);
    code(r#"{"jsonrpc": "2.0", "id": {"a": 1}, "method": "ping"}"#);
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    code(&deep);
    code(&format!(r#"{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {deep}}}"#));
    assert_eq!(server.post(&[("Mcp-Session-Id", &session.id), ("Content-Type", "text/plain")], "{}").status, 415);
    assert_eq!(server.post(&[("Mcp-Session-Id", &session.id), ("Accept", "text/html")], "{}").status, 406);
    serves(&server);
}

#[test]
fn methods_that_are_not_there_and_calls_out_of_order_are_errors_of_the_protocol() {
    let server = Web::start(&Scenario::new(), &[]);
    let mut session = server.converse();
    for method in
        ["nonsense", "tools/nonsense", "sampling/createMessage", "tasks/get", "roots/list", "resources/subscribe"]
    {
        let params = json!({"uri": "x", "taskId": "x"});
        let answer = session.call(method, params);
        assert!(!answer["error"]["code"].is_null(), "{method}: {answer}");
    }
    assert_eq!(session.notify("notifications/cancelled", json!({"requestId": "never-there"})).status, 202);
    assert_eq!(session.notify("notifications/nonsense", json!({})).status, 202);
    let before = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    assert_eq!(server.post(&[], &before).status / 100, 4, "without a session");
    serves(&server);
}

#[test]
fn ten_thousand_sessions_of_one_client_are_a_hundred() {
    let server = Web::start(&Scenario::new(), &["--rate", "60000"]);
    let mut refused = 0;
    let mut held = Vec::new();
    for _ in 0..10_000 {
        match server.converse_as(server.token.as_deref().expect("a token")) {
            Ok(session) => held.push(session),
            Err(reply) => {
                assert_eq!(reply.status, 503, "{reply:?}");
                refused += 1;
            }
        }
    }
    assert_eq!((held.len(), refused), (100, 9_900));
    assert_eq!(server.metric("kosmo_sessions"), Some(100.0));
    // A session that ends makes room.
    let mut first = held.swap_remove(0);
    assert_eq!(first.run("return 1")["result"], json!([1]));
    let bearer = format!("Bearer {}", server.token.as_deref().expect("a token"));
    let head = format!(
        "DELETE /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: {bearer}\r\nMcp-Session-Id: {}\r\nConnection: close\r\n\r\n",
        server.address, first.id
    );
    let (mut stream, mut answer) = (server.connect(), String::new());
    stream.write_all(head.as_bytes()).and_then(|()| stream.read_to_string(&mut answer)).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    until("room for another", || server.converse_as(server.token.as_deref().expect("a token")).is_ok());
    assert_eq!(first.try_call("ping", Value::Null).status, 404, "a session that ended is not taken up again");
}

#[test]
fn streams_that_nobody_reads_are_their_own_trouble() {
    let server = Web::start(&Scenario::new(), &[]);
    let mut session = server.converse();
    let mut open = Vec::new();
    for _ in 0..50 {
        let stream = session.listen();
        stream.shutdown(std::net::Shutdown::Write).expect("half closed");
        open.push(stream);
    }
    for _ in 0..20 {
        open.push(session.begin_run("return ('x'):rep(50000)"));
    }
    serves(&server);
    drop(open);
    until("the end of the connections", || server.metric("kosmo_connections").is_some_and(|count| count <= 3.0));
    serves(&server);
}

#[test]
fn a_call_that_nobody_waits_for_any_more_ends() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    let mut session = server.converse();
    let stream = session.begin_run("while true do end");
    until("the script", || server.metric("kosmo_tool_calls_running") == Some(1.0));
    drop(stream);
    until("its end", || server.metric("kosmo_tool_calls_running") == Some(0.0));
    assert_eq!(session.run("return 1")["result"], json!([1]));
}

#[test]
fn an_answer_that_is_taken_up_again_keeps_no_other_lost_one_going() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    let mut session = server.converse();
    let running = |server: &Web| server.metric("kosmo_tool_calls_running");
    let (kept, lost) = (session.begin_run("while true do end"), session.begin_run("while true do end"));
    until("both scripts", || running(&server) == Some(2.0));
    let mut lines = BufReader::new(kept).lines().map_while(Result::ok);
    let event = lines.find_map(|line| line.strip_prefix("id: ").map(ToOwned::to_owned)).expect("an id");
    drop((lines, lost));
    let taken_up = session.resume(&event);
    let begun = Instant::now();
    until("the end of the other", || running(&server) == Some(1.0));
    while begun.elapsed() < Duration::from_secs(15) {
        assert_eq!(running(&server), Some(1.0), "somebody waits for it");
        sleep(Duration::from_millis(200));
    }
    drop(taken_up);
    until("its end, lost once more", || running(&server) == Some(0.0));
}

#[test]
fn a_client_that_takes_nothing_is_told_nothing_and_keeps_no_turn() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    let mut session = server.converse();
    let code = "while true do app.integrations.dialpad.list_users{} end";
    let arguments = json!({"code": code, "timeout": 3});
    let token = "x".repeat(200_000);
    let call = json!({"name": "run_lua", "arguments": arguments, "_meta": {"progressToken": token}});
    let _unread = session.begin_call(call.clone());
    until("the script", || server.metric("kosmo_tool_calls_running") == Some(1.0));
    let begun = Instant::now();
    until("its end", || server.metric("kosmo_tool_calls_running") == Some(0.0));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let reply = session.try_call("tools/call", call);
    assert!(!reply.body.contains("notifications/progress") && reply.body.len() < 100_000, "{}", reply.body.len());
}

#[test]
fn one_peer_has_a_share_of_the_connections() {
    let server = Web::start(&Scenario::new(), &[]);
    let mut open: Vec<_> = (0..300).map(|_| server.connect()).collect();
    let refused = open.pop().map(|mut last| last.read(&mut [0; 1]).unwrap_or(0));
    assert_eq!(refused, Some(0), "it is closed at once");
    open.drain(..200);
    until("room for another", || server.metric("kosmo_connections").is_some());
    let refused = server.metric("kosmo_refusals_total{reason=\"connections\"}");
    assert!(refused.is_some_and(|count| count >= 44.0), "{refused:?}");
    serves(&server);
}

#[test]
fn a_peer_that_reads_nothing_of_what_it_asks_for_is_let_go() {
    let server = Web::start(&Scenario::new(), &[]);
    let mut greedy = server.connect();
    let ask = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).repeat(100);
    greedy.set_write_timeout(Some(Duration::from_secs(2))).expect("a timeout");
    while greedy.write_all(ask.as_bytes()).is_ok() {}
    let begun = Instant::now();
    until("the end of its connection", || server.metric("kosmo_connections") == Some(1.0));
    assert!(begun.elapsed() > Duration::from_secs(10), "it had its time");
    serves(&server);
}

#[test]
fn what_a_client_waits_for_leaves_it_less_room() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    let mut session = server.converse();
    (0..2).for_each(|_| slow(&scenario, "GET", "/api/v2/users", Duration::from_secs(120)));
    let call = |code: &str| json!({"name": "run_lua", "arguments": {"code": code}, "_meta": {"of-no-use": "x".repeat(3 << 20)}});
    let held: Vec<_> =
        (0..2).map(|_| session.begin_call(call("return app.integrations.dialpad.list_users{}"))).collect();
    until("both scripts", || server.metric("kosmo_tool_calls_running") == Some(2.0));
    let refused = session.try_call("tools/call", call("return 1"));
    assert_eq!((refused.status, refused.header("retry-after").as_deref()), (503, Some("1")), "{refused:?}");
    assert_eq!(server.metric("kosmo_refusals_total{reason=\"memory\"}"), Some(1.0));
    serves(&server);
    drop(held);
    until("their end", || server.metric("kosmo_tool_calls_running") == Some(0.0));
    until("room", || session.try_call("tools/call", call("return 1")).status == 200);
}

#[test]
fn what_a_client_says_of_itself_is_kept_and_may_not_be_large() {
    let server = Web::start(&Scenario::new(), &[]);
    let client = json!({"name": "x".repeat(100_000), "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}).to_string();
    assert_eq!(server.post(&[], &hello).status, 413);
    let session = server.converse();
    let again = server.post(&[("Mcp-Session-Id", &session.id)], &hello);
    assert_eq!(again.messages()[0]["error"]["code"], -32600, "{again:?}");
    serves(&server);
}

#[test]
fn garbage_on_a_pipe_is_answered_or_passed_over() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    for line in ["", "garbage", "{\"jsonrpc\": \"2.0\"", "[]", "null", "{}", "\u{0}\u{7}"] {
        client.send(line);
    }
    client.send(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    client.send(&"x".repeat(5 << 20));
    client.notify("notifications/cancelled", json!({"requestId": 424_242}));
    assert_eq!(client.run("return 1")["result"], json!([1]));
}
