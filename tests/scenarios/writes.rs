//! A write is never sent twice by us, wherever and however its connection breaks.

use kosmo::{Code, Config, Fault, Host, Invocation, Limits, Script, Timeouts};
use kosmo_simulator::{Effect, Knob, Matcher, Simulator};
use kosmo_tests::{Break, Breaker, Manner, Scenario};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Invocations at once. Most of them wait.
const WORKERS: usize = 48;
const MANNERS: [Manner; 4] = [Manner::Reset, Manner::Close, Manner::Stall, Manner::Status(0)];
const GATEWAYS: [u16; 3] = [502, 503, 504];

/// A provider behind a breaker, at which every send has an account of its own: nothing waits for another's rate.
struct Lab {
    provider: &'static str,
    simulator: Simulator,
    breaker: Breaker,
}

impl Lab {
    fn new(provider: &'static str) -> Self {
        let simulator = Simulator::start();
        let url = if provider == "dialpad" { simulator.dialpad_url() } else { simulator.ringcentral_url() };
        let breaker = Breaker::before(url);
        Self { provider, simulator, breaker }
    }

    fn host(&self, accounts: usize) -> Host {
        let mut config = format!("[permissions.{}]\nwrite = \"allow\"\n", self.provider);
        let (url, token) = (self.breaker.url(), Simulator::token(self.provider, "default"));
        for account in 0..accounts {
            let head = format!("[accounts.{}.a{account}]", self.provider);
            writeln!(config, "{head}\nurl = \"{url}\"\naccess_token = \"{token}\"").expect("a string takes all");
        }
        let config = Config::parse(&config, Path::new("config.toml")).expect("a configuration");
        let patience = Duration::from_millis(400);
        let timeouts = Timeouts { first_byte: patience, between_bytes: patience, ..Timeouts::default() };
        let host = Host::builder().plugins(kosmo_tests::plugins()).cache(kosmo_tests::cache()).config(config);
        host.limits(Limits { timeouts, ..Limits::default() }).build().expect("a host")
    }

    fn send(&self, host: &Host, number: usize) -> Result<String, Fault> {
        let from = if self.provider == "dialpad" { "+14155559876" } else { "+16505551234" };
        let arguments = json!({ "to": "+16505559876", "from": from, "text": Breaker::mark(number) });
        let arguments: Map<String, Value> = serde_json::from_value(arguments).expect("an object");
        let account = Some(format!("a{number}"));
        host.block_on(host.invoke(Invocation { account, ..Invocation::new(self.provider, "send_sms", arguments) }))
    }

    /// Every byte boundary of a request in every manner, and every one of its answer in one manner after the other:
    /// by then the text is sent.
    fn plans(&self) -> Vec<Break> {
        self.send(&self.host(1), 0).expect("a send that nothing breaks");
        let (request, answer) = self.breaker.passed();
        assert!(request > 100 && answer > 100, "{request} and {answer} bytes");
        let manner =
            |at: usize, manner| if let Manner::Status(_) = manner { Manner::Status(GATEWAYS[at % 3]) } else { manner };
        let asked = (0..=request).flat_map(|at| MANNERS.map(|how| Break::Request(at, manner(at, how))));
        let answered = (0..=answer).map(|at| Break::Answer(at, MANNERS[at % 3]));
        asked.chain(answered).collect()
    }
}

#[track_caller]
fn check(provider: &'static str) {
    let lab = Lab::new(provider);
    let plans = lab.plans();
    let host = lab.host(plans.len() + 1);
    for (index, &plan) in plans.iter().enumerate() {
        lab.breaker.plan(index + 1, plan);
    }
    let next = AtomicUsize::new(0);
    let results: Vec<_> = std::thread::scope(|scope| {
        let work = || {
            let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&index| index < plans.len());
            std::iter::from_fn(take).map(|index| (index, lab.send(&host, index + 1))).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    assert_eq!((results.len(), lab.breaker.plans_left()), (plans.len(), 0));
    let mut counts = HashMap::new();
    lab.simulator.sms_sent().into_iter().for_each(|sms| *counts.entry(sms.text).or_insert(0) += 1);
    for (index, result) in &results {
        let (plan, sent) = (plans[*index], counts.get(&Breaker::mark(index + 1)).copied().unwrap_or(0));
        match result {
            Ok(answer) => assert_eq!(sent, 1, "{plan:?} {answer}"),
            Err(fault) => assert!(sent <= 1 && fault.message.contains("may or may not"), "{plan:?} {sent} {fault}"),
        }
    }
    let delivered = results.iter().filter(|(_, result)| result.is_ok()).count();
    assert!(delivered >= 1, "an answer that breaks after its last byte is whole");
}

#[test]
fn a_text_by_dialpad_is_never_sent_twice_whichever_byte_breaks() {
    check("dialpad");
}

#[test]
fn a_text_by_ringcentral_is_never_sent_twice_whichever_byte_breaks() {
    check("ringcentral");
}

const SENDS: [&str; 2] = [
    "app.integrations.dialpad.send_sms({ to = '+14155551234', from = '+14155559876', text = 'Once' })",
    "app.integrations.ringcentral.send_sms({ to = '+16505559876', from = '+16505551234', text = 'Once' })",
];

/// Sends a text at each provider, which spoils its first answer: requests, texts that went out, and the fault.
fn spoiled(effect: &Effect) -> [(usize, usize, Option<Fault>); 2] {
    SENDS.map(|send| {
        let scenario = Scenario::writable();
        let matching = Matcher { method: Some("POST".into()), ..Matcher::default() };
        scenario.simulator.inject(Knob { matching, times: 1, effect: effect.clone() });
        let fault = scenario.run(send).fault;
        (scenario.sent().len(), scenario.simulator.sms_sent().len(), fault)
    })
}

#[test]
fn a_write_that_met_a_limit_is_sent_again_and_executed_once() {
    for seconds in [0, 1] {
        for sent in spoiled(&Effect::RateLimited { retry_after: Some(seconds) }) {
            assert_eq!(sent, (2, 1, None));
        }
    }
}

#[test]
fn a_write_that_may_have_been_executed_is_not_sent_again_and_says_so() {
    let gateways = GATEWAYS.map(Effect::Html);
    for effect in [Effect::Reset, Effect::HalfBody, Effect::Empty(500)].into_iter().chain(gateways) {
        for (requests, texts, fault) in spoiled(&effect) {
            let fault = fault.unwrap_or_else(|| panic!("{effect:?} is a fault"));
            assert!(requests == 1 && texts <= 1, "{effect:?}: {requests} requests, {texts} texts");
            assert!(fault.message.contains("may or may not have been executed"), "{effect:?}: {fault}");
        }
    }
}

#[test]
fn a_write_that_was_refused_leaves_no_doubt() {
    for (requests, texts, fault) in spoiled(&Effect::Empty(403)) {
        let fault = fault.expect("a refusal");
        assert_eq!((requests, texts), (1, 0));
        assert!(!fault.message.contains("may or may not"), "{fault}");
    }
}

#[test]
fn a_write_that_the_deadline_cut_off_is_in_doubt() {
    let scenario = Scenario::writable();
    scenario.simulator.inject(Knob::once(Effect::Slow(Duration::from_secs(20))));
    let limits = Limits { wall: Duration::from_secs(1), ..Limits::default() };
    let host = Host::builder().plugins(kosmo_tests::plugins()).home(scenario.home()).limits(limits).build();
    let outcome = host.expect("a host").session().build().run_blocking(Script::new("scenario.lua", SENDS[0]));
    let fault = outcome.fault.expect("a timeout");
    assert_eq!((fault.code, scenario.simulator.sms_sent().len()), (Code::Timeout, 1), "{fault}");
    assert!(fault.message.contains("may or may not have been executed"), "{fault}");
}
