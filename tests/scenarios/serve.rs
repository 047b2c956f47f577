//! `kosmo mcp:serve` as its clients see it.

mod audit;
mod changes;
mod documents;
mod ending;
mod functions;
mod golden;
mod hostile;
mod http;
mod questions;
mod scopes;
mod scripts;
mod shares;
mod tokens;
mod traces;

use kosmo_simulator::{Effect, Knob, Matcher};
use kosmo_tests::Scenario;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A text message, as a script sends it.
const SEND: &str =
    "return app.integrations.dialpad.send_sms({from = '+14155559876', to = '+16505559876', text = 'one'}).id";

/// The next answer of dialpad to such a request comes so much later.
fn slow(scenario: &Scenario, method: &str, path: &str, by: Duration) {
    let matching = Matcher::new("dialpad", method, path);
    scenario.simulator.inject(Knob { matching, times: 1, effect: Effect::Slow(by) });
}

#[track_caller]
fn until(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never came: {what}");
        sleep(Duration::from_millis(10));
    }
}
