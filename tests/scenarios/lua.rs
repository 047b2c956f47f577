//! Scripts over real providers: what they can write, what they get, and how they fail.

mod faults;
mod guides;
mod hosting;
mod limits;
mod names;
mod paging;
mod parallel;
mod values;

use kosmo::{Host, Outcome, Script};
use kosmo_simulator::{Effect, Knob, Matcher};
use kosmo_tests::Scenario;
use serde_json::Value;

/// Writes allowed at both providers, and the probe besides, which gives back what it is told.
pub(crate) const BESIDES: &str = "[accounts.probe.default]\nurl = \"http://127.0.0.1:9\"\naccess_token = \"probe-canary-8f02d1\"\n\
                       [permissions.dialpad]\nwrite = \"allow\"\n[permissions.ringcentral]\nwrite = \"allow\"\n";

/// A scenario and one host over it, so that plugins are loaded once a test.
struct Lab {
    scenario: Scenario,
    host: Host,
}

impl Lab {
    fn new() -> Self {
        let scenario = Scenario::new().plugins(kosmo_tests::guests());
        scenario.configure(BESIDES);
        let host = scenario.host();
        Self { scenario, host }
    }

    /// Runs a script in a session of its own.
    fn run(&self, code: &str) -> Outcome {
        self.host.session().build().run_blocking(script(code))
    }

    /// What a script prints that must succeed.
    #[track_caller]
    fn prints(&self, code: &str, expected: &str) {
        let outcome = self.run(code);
        assert!(outcome.success, "{code}: {:?}", outcome.error);
        assert_eq!(outcome.output, expected, "{code}");
    }

    /// The first value of a script that must succeed.
    #[track_caller]
    fn value(&self, code: &str) -> Value {
        let outcome = self.run(code);
        assert!(outcome.success, "{code}: {:?}", outcome.error);
        outcome.result.into_iter().flatten().next().unwrap_or_default()
    }

    /// Spoils the answers to the next requests.
    fn spoil(&self, times: u32, matching: Matcher, effect: Effect) {
        self.scenario.simulator.inject(Knob { matching, times, effect });
    }

    /// Method and path of every request since the last time.
    fn requests(&self) -> Vec<String> {
        let all = self.scenario.simulator.take_requests();
        all.into_iter().map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect()
    }
}

fn script(code: &str) -> Script {
    Script::new("scenario.lua", code)
}
