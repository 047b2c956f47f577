//! What is on record: every decision, request and end, without anything that is somebody's.

use crate::{PROBE_TOKEN, invoke, probe_host, probe_host_with};
use kosmo::audit::Query;
use kosmo::{Code, Host, Invocation, Limits, Script};
use kosmo_simulator::{ACCOUNTS, Simulator};
use kosmo_tests::{Echo, Scenario};
use serde_json::{Map, Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

/// Everything on record that fits, oldest first.
fn records(host: &Host, query: &Query) -> Vec<Value> {
    let mut records = Vec::new();
    let skipped = host.audit().read(query, |record| records.push(serde_json::to_value(record).expect("JSON")));
    assert_eq!(skipped.expect("a readable log").lines, 0);
    records
}

fn all(host: &Host) -> Vec<Value> {
    records(host, &Query::default())
}

/// What a record says besides when, whose and how long: `decision denied GET …`.
fn told(record: &Value) -> String {
    let keys = ["kind", "decision", "outcome", "attempt", "status", "failure", "method", "host", "path", "rule"];
    let word = |key: &&str| match &record[*key] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    keys.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(echo: &Echo, host: &Host, expected: &[&str]) {
    let host_name = echo.url().trim_start_matches("http://");
    let told: Vec<_> = all(host).iter().map(|record| told(record).replace(host_name, "ECHO")).collect();
    assert_eq!(told, expected);
}

#[test]
fn every_decision_request_and_end_is_on_record() {
    let echo = Echo::start();
    let host = probe_host(&echo);
    invoke(&host, "fetch", json!({ "url": "/allowed/a/77?b=c" })).expect("an answer");
    check(
        &echo,
        &host,
        &[
            "decision allowed `read = \"allow\"` under [permissions.probe] in config.toml",
            "decision allowed GET ECHO /allowed/** GET,POST /allowed/**",
            "request 1 200 GET ECHO /allowed/** GET,POST /allowed/**",
            "invocation ok",
        ],
    );
    let records = all(&host);
    for record in &records {
        assert_eq!(record["plugin"], kosmo_tests::digest(&kosmo_tests::probe()));
        assert_eq!(
            ["provider", "account", "function", "operation"].map(|key| &record[key]),
            ["probe", "default", "fetch", "read"]
        );
        assert_eq!((&record["run"], &record["invocation"]), (&records[0]["run"], &json!(1)));
    }
    assert!(records[2]["bytes_received"].as_u64() > Some(20) && records[2]["ms"].is_number(), "{records:?}");
    assert!(records[3]["bytes"].as_u64() > Some(20) && records[3]["ms"].is_number(), "{records:?}");
}

#[test]
fn every_refusal_is_on_record_with_its_reason() {
    let echo = Echo::start();
    let host = probe_host(&echo);
    invoke(&host, "fetch", json!({ "url": "/elsewhere/16505551234/v2" })).expect_err("a denial");
    check(
        &echo,
        &host,
        &[
            "decision allowed `read = \"allow\"` under [permissions.probe] in config.toml",
            "decision denied GET ECHO /elsewhere/{}/v2",
            "invocation denied",
        ],
    );
    assert!(all(&host)[1]["reason"].as_str().is_some_and(|why| why.contains("/elsewhere/{}/v2")), "{:?}", all(&host));

    invoke(&host, "open_socket", json!({})).expect_err("a denial");
    let refused = records(&host, &Query { denied: true, ..Query::default() });
    assert!(refused[1]["reason"].as_str().is_some_and(|why| why.contains("wasi:sockets/")), "{refused:?}");

    invoke(&host, "remove", json!({})).expect_err("writes are asked for");
    let refused = records(&host, &Query { denied: true, ..Query::default() });
    assert_eq!(
        told(&refused[2]),
        "decision approval_required `write = \"ask\"` under [permissions.probe] in config.toml"
    );
}

#[test]
fn a_refusal_is_on_record_even_if_the_guest_keeps_it_to_itself() {
    let echo = Echo::start();
    let host = probe_host(&echo);
    for function in ["swallow_denial", "hide_denial"] {
        let _ = invoke(&host, function, json!({}));
    }
    let refused = records(&host, &Query { denied: true, ..Query::default() });
    let host_name = echo.url().trim_start_matches("http://");
    let expected = format!("decision denied GET {host_name} /elsewhere");
    assert_eq!(refused.iter().map(told).collect::<Vec<_>>(), [expected.as_str(); 2]);
}

#[test]
fn a_request_stopped_for_a_secret_is_on_record_without_it() {
    let escaped = PROBE_TOKEN.replace('p', "%70");
    let check = |url: String, place: &str| {
        let echo = Echo::start();
        let host = probe_host(&echo);
        invoke(&host, "fetch", json!({ "url": url })).expect_err("a denial");
        let refused = records(&host, &Query { denied: true, ..Query::default() });
        let told: Vec<_> =
            refused.iter().map(|record| told(record).replace(&echo.url()["http://".len()..], "ECHO")).collect();
        assert_eq!(told, [format!("decision denied GET {place}")], "{url}");
        let all = json!(all(&host)).to_string();
        assert!(!all.contains(PROBE_TOKEN) && !all.contains(&escaped), "{all}");
    };
    check(format!("/allowed/{PROBE_TOKEN}"), "ECHO /allowed/**");
    check(format!("/allowed/a?{PROBE_TOKEN}"), "ECHO /allowed/**");
    check(format!("/elsewhere/{PROBE_TOKEN}"), "[redacted] /[redacted]");
    check(format!("/elsewhere/{escaped}"), "[redacted] /[redacted]");
    check(format!("https://{PROBE_TOKEN}.evil.test/"), "[redacted] /[redacted]");
}

#[test]
fn the_hosts_own_request_for_a_token_is_on_record() {
    let scenario = Scenario::new();
    let ([id, secret], jwt) = (Simulator::client(), Simulator::jwt("default"));
    let url = scenario.simulator.ringcentral_url();
    let fields = format!("url = \"{url}\"\nclient_id = \"{id}\"\nclient_secret = \"{secret}\"\njwt = \"{jwt}\"\n");
    scenario.write("config.toml", &format!("[accounts.ringcentral.default]\n{fields}"));
    let host = scenario.host();
    let asked = Invocation::new("ringcentral", "get_current_user", Map::new());
    host.block_on(host.invoke(asked)).expect("an answer");
    let requests: Vec<_> = all(&host).iter().map(told).filter(|told| told.starts_with("request")).collect();
    let name = url.trim_start_matches("http://");
    let expected = format!("request 1 200 POST {name} /restapi/oauth/token the host's request for a token");
    assert_eq!((requests.len(), &requests[0]), (2, &expected), "{requests:?}");
    assert!(requests[1].starts_with("request 2 200 GET "), "{requests:?}");
}

#[test]
fn what_never_got_as_far_as_a_function_is_on_record_too() {
    let echo = Echo::start();
    let host = probe_host(&echo);
    let ask = |invocation: Invocation| host.block_on(host.invoke(invocation)).expect_err("refused").code;
    assert_eq!(ask(Invocation::new("nobody", "echo", Map::new())), Code::Unknown);
    assert_eq!(ask(Invocation::new("probe", "nothing", Map::new())), Code::Unknown);
    let account = Some("nowhere".into());
    assert_eq!(ask(Invocation { account, ..Invocation::new("probe", "echo", Map::new()) }), Code::Unconfigured);
    let arguments = Map::from_iter([("tezt".to_owned(), json!("16505551234"))]);
    assert_eq!(ask(Invocation::new("probe", "echo", arguments)), Code::InvalidArgument);
    check(
        &echo,
        &host,
        &["invocation unknown", "invocation unknown", "invocation unconfigured", "invocation invalid_argument"],
    );
}

#[test]
fn what_was_cut_off_is_on_record() {
    let echo = Echo::start();
    let limits = Limits { wall: Duration::from_millis(500), ..Limits::default() };
    let host = probe_host_with(&echo, limits, "");
    invoke(&host, "fetch", json!({ "url": "/allowed/hang" })).expect_err("it takes too long");
    let told: Vec<_> = all(&host).iter().map(|record| record["failure"].clone()).collect();
    assert_eq!(told[2], "abandoned", "{told:?}");

    host.block_on(async {
        let arguments = Map::from_iter([("url".to_owned(), json!("/allowed/hang"))]);
        let invoking = host.invoke(Invocation::new("probe", "fetch", arguments));
        tokio::select! {
            _ = invoking => panic!("it hangs"),
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    });
    assert_eq!(all(&host).last().map(|record| record["outcome"].clone()), Some(json!("abandoned")));
}

#[test]
fn a_connection_that_cannot_be_made_is_on_record() {
    let echo = Echo::start();
    let config = "[accounts.probe.dead]\nurl = \"http://127.0.0.1:1\"\naccess_token = \"x\"\n";
    let host = probe_host_with(&echo, Limits::default(), config);
    let arguments = Map::from_iter([("url".to_owned(), json!("/allowed/a"))]);
    let invocation = Invocation { account: Some("dead".into()), ..Invocation::new("probe", "fetch", arguments) };
    host.block_on(host.invoke(invocation)).expect_err("nobody listens");
    let told: Vec<_> = all(&host).iter().map(told).collect();
    assert_eq!(told[2], "request 1 unreachable GET 127.0.0.1:1 /allowed/** GET,POST /allowed/**");
    assert_eq!(told.last().map(String::as_str), Some("invocation unreachable"));
}

#[test]
fn equal_arguments_have_equal_digests_under_one_key_only() {
    let digests = |host: &Host, texts: &[Value]| -> Vec<Value> {
        texts.iter().for_each(|payload| drop(invoke(host, "echo", json!({ "payload": payload }))));
        let ends = all(host).into_iter().filter(|record| record["kind"] == "invocation");
        ends.map(|record| record["arguments"].clone()).collect()
    };
    let echo = Echo::start();
    let texts = [json!({"a": 1, "b": {"c": 2, "d": 3}}), json!({"b": {"d": 3, "c": 2}, "a": 1}), json!({"a": 2})];
    let (one, other) = (digests(&probe_host(&echo), &texts), digests(&probe_host(&echo), &texts));
    assert_eq!((one.len(), one[0].as_str().map(str::len), &one[0]), (3, Some(32), &one[1]));
    assert!(one[0] != one[2] && one[0] != other[0], "{one:?} {other:?}");
}

#[test]
fn a_run_of_a_script_is_one_run_on_record() {
    let scenario = Scenario::new();
    let host = scenario.host();
    let session = host.session().build();
    let code =
        "local d = app.integrations.dialpad parallel(d.get_current_user, function() return d.work.list_users({}) end)";
    let (one, other) =
        (session.run_blocking(Script::new("a.lua", code)), session.run_blocking(Script::new("b.lua", "")));
    assert!(one.success && one.meta.run != other.meta.run, "{:?}", one.error);
    let run = records(&host, &Query { run: one.meta.run.clone(), ..Query::default() });
    assert_eq!(run.len(), 8, "{run:?}");
    assert_eq!(records(&host, &Query { run: other.meta.run, ..Query::default() }).len(), 0);
    let invocations: std::collections::BTreeSet<_> = run.iter().map(|record| record["invocation"].as_u64()).collect();
    assert_eq!(invocations.len(), 2);
}

#[test]
fn nothing_that_is_somebodys_is_on_record() {
    let scenario = Scenario::writable();
    let code = "local r = app.integrations.ringcentral \
        r.send_sms({from = '+16505551234', to = '+16505559876', text = 'Canary in the text'}) \
        r.list_messages({dateFrom = '2026-05-01T00:00:00Z', perPage = 5}) \
        pcall(r.get_message, {messageId = 4242424242}) \
        pcall(r.api_get, {path = '/restapi/v1.0/account/~/extension/7777777/message-store', params = {phoneNumber = '+16505559876'}}) \
        pcall(r.api_get, {path = '/elsewhere/16505551234'})";
    assert_eq!(scenario.run(code).error, None);
    let log = log_file(&scenario);
    let text = fs::read_to_string(&log).expect("a log");
    assert!(text.lines().count() >= 16, "{text}");
    for value in ["650555", "Canary", "2026-05-01", "4242424242", "7777777", "phone", "Bearer", "token-"] {
        assert!(!text.contains(value), "{value} is on record: {text}");
    }
    let tokens = ACCOUNTS.map(|account| Simulator::token("ringcentral", account));
    assert!(tokens.iter().all(|token| !text.contains(token)) && !text.contains(PROBE_TOKEN));
}

/// The one file of the log, of this month.
fn log_file(scenario: &Scenario) -> PathBuf {
    let files = fs::read_dir(scenario.home().join("audit")).expect("a log").flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|kind| kind == "jsonl")).last().expect("a month")
}

/// Puts something in the place of the log that takes nothing, as a full disk does.
fn fill_up(scenario: &Scenario) -> PathBuf {
    let log = log_file(scenario);
    fs::rename(&log, log.with_extension("kept")).expect("a writable home");
    symlink("/dev/full", &log).expect("a writable home");
    log
}

#[test]
fn without_room_for_records_writes_are_refused_and_reads_say_what_is_missing() {
    let scenario = Scenario::writable();
    let host = scenario.host();
    let session = host.session().build();
    let run = |code: &str| session.run_blocking(Script::new("w.lua", code));
    let read = "return app.integrations.dialpad.get_current_user({}).id ~= nil";
    assert!(run(read).success);
    let log = fill_up(&scenario);
    fs::remove_file(log.with_extension("kept")).expect("a writable home");
    // The file that is still open is gone, so the next record goes to the full one.
    scenario.sent();
    let refused =
        run("app.integrations.ringcentral.send_sms({from = '+16505551234', to = '+16505559876', text = 'x'})");
    let fault = refused.fault.expect("a refusal");
    assert_eq!((fault.code, fault.function.as_deref()), (Code::Denied, Some("send_sms")));
    let says = "cannot be written (No space left on device (os error 28)): writes are refused until it can. Free space \
         or fix its permissions.";
    assert!(fault.message.starts_with("The audit log in ") && fault.message.ends_with(says), "{}", fault.message);
    scenario.assert_sent(&[] as &[&str]);

    assert_eq!(run(read).result, Some(vec![json!(true)]), "reads go on");
    assert!(host.audit().problem().is_some_and(|problem| problem.contains("what happens is not recorded")));

    fs::remove_file(&log).expect("a writable home");
    assert!(
        run("app.integrations.ringcentral.send_sms({from = '+16505551234', to = '+16505559876', text = 'y'})").success
    );
    assert_eq!(scenario.simulator.sms_sent().len(), 1);
    let told = all(&host);
    // The refused write's decision and end, and the read's four.
    assert_eq!((&told[0]["lost"], told.iter().filter(|record| record["lost"].is_number()).count()), (&json!(6), 1));
}

#[test]
fn a_log_that_is_no_file_refuses_writes_too() {
    let scenario = Scenario::writable();
    fs::write(scenario.home().join("audit"), "in the way").expect("a writable home");
    let fault =
        scenario.fault("app.integrations.dialpad.send_sms({to = '+16505551234', from = '+16505559876', text = 'x'})");
    assert!(fault.message.contains("The audit log in "), "{fault}");
    assert_eq!(scenario.sent(), Vec::<String>::new());
    assert_eq!(scenario.value("return app.integrations.dialpad.get_current_user({}).id ~= nil"), json!(true));
}
