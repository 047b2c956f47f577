//! Tokens end, and the next one comes without anybody's doing, once for everybody.

use super::{Authority, ECHO, call, check_in, check_unseen, fault, login, scenario};
use kosmo::{Code, Script};
use kosmo_tests::Scenario;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Long past the life of every process of a test.
const HELD: Duration = Duration::from_secs(600);
const LIFETIME: Duration = Duration::from_secs(2);

/// A home that signed in, and whose token is over.
fn ended(authority: &Authority) -> Scenario {
    let scenario = scenario(authority);
    authority.turn(|knobs| knobs.lifetime = LIFETIME);
    login(&scenario);
    std::thread::sleep(LIFETIME);
    authority.turn(|knobs| knobs.lifetime = Duration::from_secs(3600));
    scenario
}

fn spawn(scenario: &Scenario) -> Child {
    let mut command = scenario.command();
    command.args(["mcp:lua", "--eval", ECHO]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("`kosmo` starts")
}

#[test]
fn a_token_that_ended_is_renewed_and_so_is_the_next() {
    let authority = Authority::start();
    let scenario = ended(&authority);
    authority.turn(|knobs| knobs.grace = false);
    check_in(&scenario);
    check_in(&scenario);
    assert_eq!(authority.count("POST /token"), 2, "the first, and one more");
    authority.end_access();
    check_in(&scenario);
    assert_eq!(authority.count("POST /token"), 3, "one that was refused is replaced, too");
    authority.turn(|knobs| knobs.lifetime = Duration::ZERO);
    authority.end_access();
    let refused = fault(&scenario, ECHO);
    assert_eq!(refused.code, Code::Unauthorized, "{refused}");
    assert_eq!(authority.count("POST /token"), 4, "and not again and again");
    check_unseen(scenario.home(), &authority.secrets(), &[]);
}

#[test]
fn a_token_that_was_just_issued_is_used_however_short_its_life_is_said_to_be() {
    let authority = Authority::start();
    authority.turn(|knobs| {
        knobs.told = Some(Duration::ZERO);
        knobs.grace = false;
    });
    let scenario = scenario(&authority);
    login(&scenario);
    check_in(&scenario);
    check_in(&scenario);
    let issued = authority.count("POST /token");
    assert!(issued <= 1 + authority.count("POST /mcp"), "one for each request at most: {issued}");
    check_unseen(scenario.home(), &authority.secrets(), &[]);
}

#[test]
fn four_processes_renew_once() {
    let authority = Authority::start();
    let scenario = ended(&authority);
    authority.turn(|knobs| {
        knobs.slow = Duration::from_millis(500);
        knobs.grace = false;
    });
    let children: Vec<_> = (0..4).map(|_| spawn(&scenario)).collect();
    for child in children {
        let output = child.wait_with_output().expect("`kosmo` ends");
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"in\n"[..]), "{output:?}");
    }
    assert_eq!(authority.count("POST /token"), 2, "the first, and one for all");
}

/// Kills a process when the next token was issued, and the old one spent, and nothing is kept yet.
fn kill_between_issue_and_keeping(scenario: &Scenario, authority: &Authority) {
    let before = authority.count("POST /token");
    authority.turn(|knobs| knobs.slow = HELD);
    let mut child = spawn(scenario);
    let patience = Instant::now() + Duration::from_secs(60);
    while authority.count("POST /token") == before {
        assert!(Instant::now() < patience, "no token was asked for");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("a running child");
    child.wait().expect("a killed child");
    authority.turn(|knobs| knobs.slow = Duration::ZERO);
}

#[test]
fn a_process_killed_between_issue_and_keeping_loses_no_sign_in() {
    let authority = Authority::start();
    let scenario = ended(&authority);
    kill_between_issue_and_keeping(&scenario, &authority);
    check_in(&scenario);
    check_in(&scenario);
    assert_eq!(authority.count("POST /token"), 3, "the first, the killed one, and the one after it");
}

#[test]
fn a_refresh_token_that_was_spent_in_vain_says_what_to_do() {
    let authority = Authority::start();
    let scenario = ended(&authority);
    authority.turn(|knobs| knobs.grace = false);
    kill_between_issue_and_keeping(&scenario, &authority);
    let ran = call(&scenario);
    assert_eq!(ran.code, 1, "{ran:?}");
    for part in [
        "(400 invalid_grant): ",
        "refresh_token [redacted]",
        "Sign in again: kosmo mcp:login s",
        "The last renewal was interrupted",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    check_unseen(scenario.home(), &authority.secrets(), &[&ran]);
    login(&scenario);
    check_in(&scenario);
}

#[test]
fn a_token_that_is_refused_before_its_end_is_renewed_once_and_the_request_repeated() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    login(&scenario);
    let host = scenario.host();
    let run = || host.session().build().run_blocking(Script::new("mcp.lua", ECHO));
    assert!(run().success);
    authority.end_access();
    let outcome = run();
    assert!(outcome.success, "{:?}", outcome.error);
    assert_eq!(authority.count("POST /token"), 2);
    authority.end_access();
    authority.end_refresh();
    let refused = run().fault.expect("a fault");
    assert!(refused.code == Code::Unauthorized && refused.message.contains("kosmo mcp:login s"), "{refused}");
    run().fault.expect("a fault");
    assert_eq!(authority.count("POST /token"), 3, "nobody asks again at once for what was refused");
    host.block_on(host.mcp().close());
}

#[test]
fn a_sign_in_that_cannot_be_renewed_is_good_until_it_ends() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    authority.turn(|knobs| {
        knobs.renewable = false;
        knobs.lifetime = LIFETIME * 2;
    });
    login(&scenario);
    check_in(&scenario);
    std::thread::sleep(LIFETIME + LIFETIME / 4);
    check_in(&scenario);
    std::thread::sleep(LIFETIME * 2);
    let ran = call(&scenario);
    assert!(ran.code == 1 && ran.stderr.contains("it is over. Sign in again: kosmo mcp:login s"), "{ran:?}");
    let status = scenario.kosmo(&["mcp:status", "s"]);
    assert!(status.stdout.contains("(over)") && status.stdout.contains("next: kosmo mcp:login s"), "{status:?}");
    assert_eq!(authority.count("POST /token"), 1);
}

#[test]
fn a_host_that_was_refused_sees_that_somebody_signed_in_since() {
    let authority = Authority::start();
    let scenario = scenario(&authority);
    let host = scenario.host();
    let run = || host.session().build().run_blocking(Script::new("mcp.lua", ECHO));
    assert_eq!(run().fault.expect("a fault").code, Code::Unauthorized);
    login(&scenario);
    let outcome = run();
    assert!(outcome.success, "{:?}", outcome.error);
    host.block_on(host.mcp().close());
}
