//! What comes back: capped, decoded, searched for secrets, and given up if it does not come.

use crate::{PROBE_TOKEN, invoke, probe_host, probe_host_with};
use flate2::Compression;
use flate2::write::GzEncoder;
use kosmo::{Code, Invocation, Limits, Timeouts};
use kosmo_tests::{Echo, Received};
use serde_json::json;
use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

/// One answer for each path, most of them not what a provider should send.
fn speak(request: &Received, writer: &mut TcpStream) -> io::Result<()> {
    let path = request.line.split(['/', ' ', '?']).rfind(|part| !part.is_empty()).unwrap_or_default();
    let token = request.header("authorization").unwrap_or_default();
    let whole = |head: &str, body: &[u8]| {
        let length = body.len();
        [format!("HTTP/1.1 200 OK\r\n{head}content-length: {length}\r\n\r\n").as_bytes(), body].concat()
    };
    match path {
        "fields" => writer.write_all(&whole(&(0..99).map(|n| format!("x-{n}: y\r\n")).collect::<String>(), b"{}")),
        "more-fields" => writer.write_all(&whole(&(0..101).map(|n| format!("x-{n}: y\r\n")).collect::<String>(), b"")),
        "long-fields" => writer.write_all(&whole(&format!("x-long: {}\r\n", "y".repeat(66_000)), b"")),
        "endless-field" => {
            writer.write_all(b"HTTP/1.1 200 OK\r\nx-endless: ")?;
            loop {
                writer.write_all(&[b'y'; 4096])?;
            }
        }
        "gzip" => writer.write_all(&whole("content-encoding: gzip\r\n", &gzip(token.as_bytes()))),
        "bomb" => writer.write_all(&whole("content-encoding: gzip\r\n", &gzip(&vec![b' '; 4 << 20]))),
        "not-gzip" => writer.write_all(&whole("content-encoding: gzip\r\n", b"{}")),
        "brotli" => writer.write_all(&whole("content-encoding: br\r\n", b"{}")),
        "half" => {
            writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")?;
            std::thread::park();
            Ok(())
        }
        "cut" => {
            writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\ncut")?;
            writer.shutdown(std::net::Shutdown::Both)
        }
        "silence" => {
            std::thread::park();
            Ok(())
        }
        "megabyte" => writer.write_all(&whole("", &vec![b' '; 1 << 20])),
        "trailer" => writer.write_all(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-late\r\n\r\n2\r\n{}\r\n0\r\nx-late: y\r\n\r\n",
        ),
        _ => writer.write_all(&whole("", b"{}")),
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn impatient() -> Limits {
    let (first_byte, between_bytes) = (Duration::from_millis(300), Duration::from_millis(400));
    let timeouts = Timeouts { first_byte, between_bytes, ..Timeouts::default() };
    Limits { response_body: 2 << 20, held: 3 << 20, timeouts, ..Limits::default() }
}

#[track_caller]
fn check(path: &str, code: Code, part: &str) {
    let echo = Echo::speaking(speak);
    let host = probe_host_with(&echo, impatient(), "");
    let fault = invoke(&host, "fetch", json!({ "url": format!("/allowed/{path}") })).expect_err(path);
    assert_eq!(fault.code, code, "{path}: {fault}");
    assert!(fault.message.contains(part), "{path}: {fault}");
    invoke(&host, "fetch", json!({ "url": "/allowed/plain" })).expect("the host goes on");
}

#[test]
fn a_head_has_its_limits() {
    let host = probe_host(&Echo::speaking(speak));
    invoke(&host, "fetch", json!({ "url": "/allowed/fields" })).expect("a hundred fields are allowed");
    for path in ["more-fields", "long-fields", "endless-field"] {
        check(path, Code::TooLarge, "head has more than 100 fields or 64 KiB");
    }
}

#[test]
fn a_compressed_answer_is_decoded_and_then_searched_for_secrets() {
    let host = probe_host(&Echo::speaking(speak));
    let answer = invoke(&host, "fetch", json!({ "url": "/allowed/gzip" })).expect("an answer");
    assert_eq!(answer["body"], "Bearer [redacted]", "{answer}");
    assert!(!answer.to_string().contains(PROBE_TOKEN));
}

#[test]
fn what_cannot_be_decoded_is_refused() {
    check("bomb", Code::TooLarge, "more than 2 MiB once decoded");
    check("not-gzip", Code::Unreachable, "not the Gzip it claims to be");
    check("brotli", Code::Unreachable, "encoded as `br`");
}

#[test]
fn each_wait_has_its_own_end_and_says_which() {
    check("silence", Code::Timeout, "sent no answer within 0.3 s");
    check("half", Code::Timeout, "stalled: no byte of it arrived for 0.4 s");
    check("cut", Code::Unreachable, "broke off");
}

#[test]
fn one_invocation_holds_so_many_answers_at_once_and_lets_go_of_them() {
    let echo = Echo::speaking(speak);
    let host = probe_host_with(&echo, impatient(), "");
    for _ in 0..2 {
        let held = invoke(&host, "hold", json!({ "url": "/allowed/megabyte" })).expect("an answer");
        assert_eq!(held["held"], 3, "{held}");
    }
    assert_eq!(echo.received().len(), 2 * (3 + 1));
}

#[test]
fn all_invocations_together_hold_so_much() {
    let echo = Echo::speaking(speak);
    let host = probe_host_with(&echo, Limits { held_by_all: 1 << 19, ..Limits::default() }, "");
    let fault = invoke(&host, "fetch", json!({ "url": "/allowed/megabyte" })).expect_err("no room");
    assert_eq!(fault.code, Code::Busy, "{fault}");
    assert!(fault.message.contains("try again later"), "{fault}");
}

#[test]
fn trailers_pass_neither_way() {
    let echo = Echo::start();
    let sent = invoke(&probe_host(&echo), "trail", json!({})).expect("an answer");
    assert_eq!(sent["smuggled"], false);
    let request = &echo.received()[0];
    assert_eq!((request.body.as_str(), request.header("content-length")), ("body", Some("4")));
    assert!(request.header("trailer").is_none() && request.header("transfer-encoding").is_none(), "{request:?}");

    let answer = invoke(&probe_host(&Echo::speaking(speak)), "fetch", json!({ "url": "/allowed/trailer" }));
    assert_eq!(answer.expect("an answer")["body"], "{}");
}

#[test]
fn accounts_share_no_connection_even_to_the_same_place() {
    let echo = Echo::start();
    let work = format!("[accounts.probe.work]\nurl = \"{}\"\naccess_token = \"{PROBE_TOKEN}-work\"\n", echo.url());
    let host = probe_host_with(&echo, Limits::default(), &work);
    for account in ["default", "work", "default", "work"] {
        let arguments = json!({ "url": "/allowed/a" }).as_object().cloned().unwrap_or_default();
        let invocation = Invocation { account: Some(account.into()), ..Invocation::new("probe", "fetch", arguments) };
        host.block_on(host.invoke(invocation)).expect("an answer");
    }
    let connections: Vec<_> = echo.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 1, 0, 1]);
}
