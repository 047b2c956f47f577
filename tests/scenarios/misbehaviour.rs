//! Every misbehaviour has an outcome, and the host goes on serving after each: a misbehaviour without one does not
//! compile.

use crate::{PROBE_TOKEN, invoke, probe_host_with};
use kosmo::{Code, Fault, Host, Limits, Script};
use kosmo_tests::Echo;
use misbehaviours::{Describing, Misbehaviour};
use serde_json::json;
use std::time::{Duration, Instant};

/// With a wall that a guest which waits for ever runs into soon, and one that computes never.
fn tight(wall: Duration) -> Limits {
    Limits { wall, cpu: Duration::from_millis(500), requests: 5, response_body: 1 << 20, ..Limits::default() }
}

const SOON: Duration = Duration::from_secs(3);
const NEVER: Duration = Duration::from_secs(120);

/// How it ends: with a fault of this code, or with an answer; and what that says.
enum Outcome {
    Fault(Code, &'static str),
    Answer(&'static str),
}

/// `_` is not an arm: whoever adds a misbehaviour says here what becomes of it.
fn expected(misbehaviour: Misbehaviour) -> Outcome {
    use Outcome::{Answer, Fault};
    let denied = |part| Fault(Code::Denied, part);
    match misbehaviour {
        Misbehaviour::Spin => Fault(Code::Cpu, "computed for more than 0.5 s"),
        Misbehaviour::SpinNapping => Fault(Code::Cpu, "computed for more than 0.5 s"),
        Misbehaviour::SpinTheHost => Fault(Code::Cpu, "computed for more than 0.5 s"),
        Misbehaviour::Nap => Answer("\"rested\""),
        Misbehaviour::Sleep => Fault(Code::Timeout, "did not finish within 3 s"),
        Misbehaviour::Hoard => Fault(Code::Memory, "more than 64 MiB of memory"),
        Misbehaviour::HoardHandles => Fault(Code::Memory, "held more than 1000 requests, streams"),
        Misbehaviour::HoardPollables => Fault(Code::Memory, "held more than 1000 requests, streams"),
        Misbehaviour::LongHeader => Fault(Code::TooLarge, "more than 64 KiB of header fields"),
        Misbehaviour::ManyHeaders => Fault(Code::TooLarge, "more than 64 KiB of header fields"),
        Misbehaviour::HandOver => Fault(Code::TooLarge, "handed over more than 16 MiB at once"),
        Misbehaviour::AnswerHugely => Fault(Code::TooLarge, "handed over more than 16 MiB at once"),
        Misbehaviour::AnswerDeeply => Fault(Code::Internal, "not usable JSON: recursion limit"),
        Misbehaviour::Babble => Fault(Code::Internal, "not usable JSON"),
        Misbehaviour::Gamble => Fault(Code::TooLarge, "more than 64 KiB of randomness at once"),
        Misbehaviour::Flood => Fault(Code::TooLarge, "after 5 requests in one invocation"),
        Misbehaviour::SendHugely => Fault(Code::TooLarge, "request's body has more than 10 MiB"),
        Misbehaviour::FetchHugely => Fault(Code::TooLarge, "response's body has more than 1 MiB"),
        Misbehaviour::FetchNothing => Fault(Code::Timeout, "did not finish within 3 s"),
        Misbehaviour::FetchSlowly => Fault(Code::Timeout, "did not finish within 3 s"),
        Misbehaviour::SendForever => Fault(Code::Timeout, "did not finish within 3 s"),
        Misbehaviour::Chatter => Answer("\"said\""),
        Misbehaviour::Crash => Fault(Code::Trap, "It said: "),
        Misbehaviour::Recurse => Fault(Code::Trap, "out of bounds memory access"),
        Misbehaviour::Exit => Fault(Code::Trap, "exit"),
        Misbehaviour::ReadFile => Fault(Code::Internal, "No such file"),
        Misbehaviour::OpenSocket => denied("wasi:sockets/"),
        Misbehaviour::OddImport => denied("wasi:filesystem/odd@0.9.0#get-directories"),
        Misbehaviour::SwallowDenial => denied("may not send GET"),
        Misbehaviour::HideDenial => denied("may not send GET"),
        Misbehaviour::CrashDenied => denied("may not send GET"),
        Misbehaviour::FollowRedirect => denied("/elsewhere"),
        Misbehaviour::AbsolutePath => Fault(Code::Internal, "the path is refused where it is made"),
        Misbehaviour::FakeUser => denied("evil.test"),
        Misbehaviour::OtherHost => denied("https://evil.test/allowed/a"),
        Misbehaviour::OtherPort => denied("http://127.0.0.1:1/allowed/a"),
        Misbehaviour::Climb => denied("dot segment"),
        Misbehaviour::OtherMethod => denied("may not send DELETE"),
        Misbehaviour::Circumvent => Fault(Code::ApprovalRequired, "write"),
        Misbehaviour::SmuggleLength => Fault(Code::Internal, "is refused where it is made"),
        Misbehaviour::SmuggleHeader => Answer("{\"taken\":0}"),
        Misbehaviour::Authorize => {
            Answer("[\"authorization\",\"cookie\",\"host\",\"x-forwarded-for\",\"connection\",\"proxy-authorization\"]")
        }
        Misbehaviour::EchoSecret => Answer("Bearer [redacted]"),
        Misbehaviour::PeekAround => Answer("{\"arguments\":[],\"environment\":[]}"),
        Misbehaviour::Remember => Answer("{\"before\":0}"),
    }
}

/// As a script sees it.
fn misbehave(host: &Host, misbehaviour: Misbehaviour) -> Result<String, Fault> {
    let code = format!("return json.encode(app.integrations.probe.{}({{}}), {{pretty = false}})", misbehaviour.name());
    let outcome = host.session().build().run_blocking(Script::new("misbehaviour.lua", code));
    match (outcome.result.as_deref(), outcome.fault) {
        (Some([answer]), None) => Ok(answer.as_str().unwrap_or_default().to_owned()),
        (None, Some(fault)) => Err(fault),
        (result, fault) => panic!("{misbehaviour:?}: {result:?} {fault:?} {:?}", outcome.error),
    }
}

/// What is wrong with the way it ended.
fn complaint(misbehaviour: Misbehaviour, ended: &Result<String, Fault>) -> Option<String> {
    let as_expected = match (ended, expected(misbehaviour)) {
        (Err(fault), Outcome::Fault(code, part)) => fault.code == code && fault.message.contains(part),
        (Ok(answer), Outcome::Answer(part)) => answer.contains(part),
        _ => false,
    };
    let leaks = format!("{ended:?}").contains(PROBE_TOKEN);
    (!as_expected || leaks).then(|| format!("{misbehaviour:?}: {ended:?}"))
}

/// What is wrong with the host after it.
fn aftermath(misbehaviour: Misbehaviour, host: &Host) -> Option<String> {
    let after = (invoke(host, "revision", json!({})).is_ok(), live_instances(host));
    (after != (true, 0)).then(|| format!("after {misbehaviour:?}: serving and sandboxes are {after:?}"))
}

/// Sandboxes in the pool that are in use.
pub(crate) fn live_instances(host: &Host) -> u64 {
    let engine = host.engine().wasmtime().expect("an engine");
    engine.pooling_allocator_metrics().map_or(0, |pool| pool.component_instances())
}

#[test]
fn every_misbehaviour_ends_as_it_should_and_the_host_goes_on() {
    let echo = Echo::start();
    let (soon, never) = (probe_host_with(&echo, tight(SOON), ""), probe_host_with(&echo, tight(NEVER), ""));
    let mut complaints = Vec::new();
    for &misbehaviour in Misbehaviour::ALL {
        let waits = matches!(expected(misbehaviour), Outcome::Fault(Code::Timeout, _));
        let host = if waits { &soon } else { &never };
        let begun = Instant::now();
        complaints.extend(complaint(misbehaviour, &misbehave(host, misbehaviour)));
        complaints.extend(aftermath(misbehaviour, host));
        assert!(begun.elapsed() < NEVER, "{misbehaviour:?} took {:?}", begun.elapsed());
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
    let gone_out: Vec<_> = echo.received().into_iter().map(|request| request.line).collect();
    assert!(gone_out.iter().all(|line| line.contains(" /allowed/")), "{gone_out:?}");
}

/// What is wrong with a plugin that describes itself so.
fn refusal(manner: Describing) -> Option<&'static str> {
    match manner {
        // It is asked without a way out, and what it says then is its own business.
        Describing::Honestly | Describing::Online => None,
        Describing::Crashing => Some("`describe` failed: The plugin crashed"),
        Describing::Spinning => Some("`describe` failed: The plugin was stopped: it computed for more than 1 s"),
        Describing::Sleeping => Some("`describe` took more than 10 s"),
        Describing::Hoarding => Some("`describe` failed: The plugin was stopped: it wanted more than 64 MiB of memory"),
        Describing::Hugely => Some("`describe` failed: The plugin was stopped: it handed over more than 16 MiB"),
        Describing::AsAnother => Some("The file is called probe, but describes itself as `dialpad`"),
        Describing::WithPatterns => Some("/**/*"),
    }
}

/// The probe's bytes, changed so that it describes itself in this manner.
fn describing(manner: Describing) -> Vec<u8> {
    let mut bytes = kosmo_tests::probe();
    let mark = Describing::MARK.as_bytes();
    let places: Vec<_> = bytes.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark).collect();
    let places: Vec<_> = places.into_iter().map(|(at, _)| at + mark.len()).collect();
    assert!(!places.is_empty(), "the probe carries its manner");
    places.into_iter().for_each(|at| bytes[at] = manner.letter());
    bytes
}

#[test]
fn a_plugin_that_describes_itself_wrongly_is_refused_and_nothing_is_sent() {
    let echo = Echo::start();
    let host = Host::builder().cache(kosmo_tests::cache()).build().expect("a host");
    for &manner in Describing::ALL {
        let begun = Instant::now();
        let added = host.block_on(host.registry().add("probe", describing(manner)));
        assert!(begun.elapsed() < Duration::from_secs(120), "{manner:?} took {:?}", begun.elapsed());
        match (added, refusal(manner)) {
            (Ok(_), None) => assert!(host.registry().remove("probe")),
            (Err(fault), Some(part)) => {
                assert_eq!(fault.code, Code::Unloadable, "{manner:?}: {fault}");
                assert!(fault.message.contains(part), "{manner:?}: {fault}");
                let again = host.block_on(host.registry().add("probe", describing(manner))).expect_err("as before");
                assert_eq!(again.message, fault.message, "{manner:?}");
            }
            (added, part) => panic!("{manner:?}: {added:?} instead of {part:?}"),
        }
        assert_eq!(live_instances(&host), 0, "{manner:?}");
    }
    assert!(echo.received().is_empty());
}
