//! Fair shares: whoever asks for much waits behind itself.

use super::until;
use kosmo_tests::{Scenario, Web};
use serde_json::json;
use std::time::{Duration, Instant};

const BUSY: &str = "local till = os.clock() + 0.4 while os.clock() < till do end";

#[test]
fn a_hundred_scripts_of_one_client_do_not_keep_another_waiting() {
    let scenario = Scenario::new();
    let add = |name: &str| scenario.kosmo(&["mcp:token:add", name]).stdout.trim().to_owned();
    let (greedy, modest) = (add("greedy"), add("modest"));
    let server = Web::with_tokens(&scenario, &["--concurrency", "1", "--rate", "1000"]);
    let (mut many, mut one) = (server.converse_as(&greedy).expect("in"), server.converse_as(&modest).expect("in"));
    let streams: Vec<_> = (0..60).map(|_| many.begin_run(BUSY)).collect();
    until("a line of scripts", || server.metric("kosmo_tool_calls_waiting").is_some_and(|count| count >= 50.0));
    let begun = Instant::now();
    assert_eq!(one.run("return 1")["result"], json!([1]));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(server.metric("kosmo_tool_calls_waiting").is_some_and(|count| count > 20.0), "the others still wait");
    drop(streams);
}

#[test]
fn a_client_that_sends_too_much_is_told_to_wait() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &["--rate", "2"]);
    let mut session = server.converse();
    let replies: Vec<_> = (0..10).map(|_| session.try_call("ping", serde_json::Value::Null)).collect();
    let refused = replies.iter().find(|reply| reply.status == 429).expect("too many");
    assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
    assert_eq!(replies[0].status, 200);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(session.try_call("ping", serde_json::Value::Null).status, 200);
}
