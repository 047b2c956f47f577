//! `runs:list`.

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
