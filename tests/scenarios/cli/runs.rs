//! `runs:list`.

use kosmo_simulator::{Effect, Knob, Matcher};
use kosmo_tests::{Scenario, Transcript};

#[test]
fn a_home_without_runs_reads_as_it_is_documented() {
    let scenario = Scenario::new();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["runs:list"]);
    transcript.run(&["runs:list", "--json"]);
    transcript.run(&["runs:list", "--help"]);
    transcript.compare("runs");
}

/// Three runs of one text each: the first is done, the second fails after it, and the answer to the third gets lost.
fn with_runs() -> Scenario {
    let scenario = Scenario::writable();
    let send = |text: &str, then: &str| {
        let send = format!(
            "app.integrations.dialpad.send_sms({{from = '+14155559876', to = '+16505559876', text = '{text}'}}) {then}"
        );
        scenario.write(&format!("{text}.lua"), &send);
        scenario.kosmo(&["integrations:lua", &format!("{text}.lua")]).code
    };
    assert_eq!([send("done", ""), send("failed", "error('oh')")], [0, 1]);
    let matching = Matcher::new("dialpad", "POST", "/api/v2/sms");
    scenario.simulator.inject(Knob { matching, times: 1, effect: Effect::Reset });
    assert_eq!(send("lost", ""), 1);
    scenario
}

#[test]
fn runs_that_are_not_done_read_as_they_are_documented() {
    let scenario = with_runs();
    let mut transcript = Transcript::new(&scenario);
    transcript.run(&["runs:list"]);
    transcript.run(&["runs:list", "--json"]);
    transcript.run(&["runs:list", "--all"]);
    transcript.compare("runs_left");
}
