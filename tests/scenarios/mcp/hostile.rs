//! Servers that misbehave: each is named in a fault of its own, and nothing else suffers.

use super::{entry, fault, fault_of, run, scenario, scenario_with, value};
use kosmo::{Code, Script};
use serde_json::json;
use std::time::{Duration, Instant};

#[track_caller]
fn check(manner: &str, code: Code, parts: &[&str]) {
    let fault = fault_of(manner);
    assert_eq!(fault.code, code, "{fault}");
    assert_eq!(fault.server.as_deref(), Some("s"));
    for part in parts.iter().chain(&["MCP server 's'"]) {
        assert!(fault.message.contains(part), "{manner}: {fault}");
    }
}

#[test]
fn a_line_before_the_protocol_begins_is_borne() {
    assert_eq!(value(&scenario("banner"), "return app.mcp.s.echo({message = 'x'})"), json!("x"));
}

#[test]
fn garbage_on_standard_output_is_named() {
    check(
        "garbage",
        Code::Unreachable,
        &["it wrote more than 1 MiB that are no messages. Its standard output is no JSON-RPC: no JSON-RPC at all"],
    );
}

#[test]
fn a_server_that_ends_at_once_is_quoted() {
    check("unstartable", Code::Unreachable, &["it ended with exit code 7. It last said: no license"]);
}

#[test]
fn a_server_that_never_answers_is_not_waited_for_for_ever() {
    check("silent", Code::Timeout, &["timed out after 2s"]);
    check("mute", Code::Timeout, &["timed out after 2s"]);
}

#[test]
fn a_message_of_a_hundred_megabytes_is_not_kept() {
    let before = memory();
    check("long-line", Code::Unreachable, &["it sent a message of more than 16 MiB", "started again at its next use"]);
    let grown = memory().saturating_sub(before);
    assert!(grown < 80 << 10, "{grown} KiB more than before, at most");
}

/// Most memory this process ever had, in KiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_server_that_dies_is_quoted_and_started_again_at_its_next_use() {
    check("dying", Code::Unreachable, &["broke off: it ended with exit code 3. It last said: boom"]);
    let scenario = scenario("dying");
    let code = "local ok, fault = pcall(app.mcp.s.echo, {message = 'x'}) return {tostring(fault), #mcp.tools('s')}";
    assert_eq!(value(&scenario, code)[1], json!(7));
}

#[test]
fn a_server_that_keeps_failing_is_left_alone_for_a_while() {
    let code = "for turn = 1, 5 do local ok, fault = pcall(app.mcp.s.echo, {}) print(fault.message) end";
    let output = run(&scenario("unstartable"), code).output;
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines.iter().filter(|line| line.contains("is left alone for 10 s")).count(), 2, "{output}");
}

#[test]
fn messages_without_end_are_cut_off() {
    check("flood", Code::Unreachable, &["it sent more than 20000 messages that nobody asked for"]);
}

#[test]
fn lists_without_end_are_given_up() {
    check("endless", Code::TooLarge, &["its tools do not end"]);
    check("heavy", Code::TooLarge, &["its tools are more than 16 MiB"]);
    check("slow-pages", Code::Timeout, &["its tools do not end: there were more after 8 s"]);
    check("circular", Code::Unreachable, &["the same page of tools/list again and again"]);
    check("no-list", Code::Unreachable, &["has no list of tools"]);
}

#[test]
fn answers_to_questions_that_were_not_asked_are_no_answers() {
    check("wrong-ids", Code::Timeout, &["timed out after 2s"]);
}

#[test]
fn lies_about_schemas_do_no_harm() {
    let scenario = scenario("liar");
    assert_eq!(value(&scenario, "return app.mcp.s.echo({message = 'x'})"), json!("x"));
    assert_eq!(value(&scenario, "return app.mcp.s.nothing({a = 1})"), json!("ran nothing"));
    assert_eq!(value(&scenario, "return app.mcp.s.deep({a = {}})"), json!("ran deep"));
    assert_eq!(value(&scenario, "return #mcp.tools('s')"), json!(3));
}

#[test]
fn much_on_standard_error_is_read_and_forgotten() {
    let scenario = scenario("noisy");
    assert_eq!(value(&scenario, "return app.mcp.s.echo({message = 'x'})"), json!("x"));
}

#[test]
fn an_answer_that_comes_too_late_is_nobodys() {
    let servers = json!({"s": entry("late", json!({"timeout": 1}))});
    let scenario = scenario_with(servers, "permissions_default = \"allow\"\n");
    let code = "local ok, fault = pcall(app.mcp.s.echo, {message = 'x'}) return {ok, fault.code, #mcp.tools('s')}";
    assert_eq!(value(&scenario, code), json!([false, "timeout", 7]));
}

#[test]
fn one_servers_trouble_is_not_anothers() {
    let servers = json!({"bad": entry("mute", json!({"timeout": 2})), "good": entry("good", json!({}))});
    let scenario = scenario_with(servers, "permissions_default = \"allow\"\n");
    let code = "local bad, good = parallel(function() return select(2, pcall(app.mcp.bad.echo, {message = 'x'})).code end, \
         function() return app.mcp.good.echo({message = 'still here'}) end) return {bad, good}";
    assert_eq!(value(&scenario, code), json!(["timeout", "still here"]));
}

#[test]
fn a_script_that_is_over_waits_for_nobody() {
    let scenario = scenario("mute");
    let host = scenario.host();
    let session = host.session().time_limit(Duration::from_secs(1)).build();
    let begun = Instant::now();
    let outcome = session.run_blocking(Script::new("x", "app.mcp.s.echo({message = 'x'})"));
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::Timeout));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    host.block_on(host.mcp().close());
}

#[test]
fn pages_without_end_outlast_no_script() {
    let scenario = scenario("slow-pages");
    let host = scenario.host();
    let session = host.session().time_limit(Duration::from_secs(2)).build();
    let begun = Instant::now();
    let outcome = session.run_blocking(Script::new("x", "mcp.tools('s')"));
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::Timeout));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    host.block_on(host.mcp().close());
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let scenario = scenario_with(json!({"s": {"command": "no-such-program"}}), "permissions_default = \"allow\"\n");
    let fault = fault(&scenario, "app.mcp.s.echo({})");
    let expected =
        "MCP server 's' cannot be started (`no-such-program`): there is no such program; install it, or name its path";
    assert_eq!((fault.code, fault.message.as_str()), (Code::Unconfigured, expected));
}
