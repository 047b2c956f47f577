//! The key of the store in a real keyring: GNOME Keyring on a bus of its own, with a home of its own.
//!
//! `cargo xtask conform` runs this where Debian's `gnome-keyring` and `dbus` are installed.

use kosmo_tests::{Ran, Scenario};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Unlocks a keyring made for this, or leaves it locked, and runs the rest of the line beside it.
const UNLOCKED: &str = "eval \"$(printf login | gnome-keyring-daemon --unlock --components=secrets)\"; exec \"$@\"";
const LOCKED: &str = "eval \"$(gnome-keyring-daemon --start --components=secrets)\"; exec \"$@\"";
const NONE: &str = "exec \"$@\"";

const CONFIGURE: [&str; 5] =
    ["integrations:configure", "dialpad", "--set", "access_token=t0ken-of-the-keyring", "--json"];

/// Runs `kosmo` in a session of the desktop: a bus, and on it what `keyring` starts.
fn in_session(scenario: &Scenario, keyring: &str, line: &[&str]) -> Ran {
    let kosmo = scenario.command();
    let mut session = Command::new("dbus-run-session");
    session.env_clear().envs(kosmo.get_envs().filter_map(|(name, value)| Some((name, value?))));
    session.env("PATH", "/usr/bin:/bin").env("XDG_RUNTIME_DIR", scenario.home()).current_dir(scenario.home());
    session.args(["--", "/bin/sh", "-c", keyring, "sh"]).arg(kosmo.get_program()).args(line);
    let output = session.stdin(Stdio::null()).output().expect("dbus-run-session starts: apt-get install dbus");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn configured(keyring: &str) -> Scenario {
    let scenario = Scenario::empty().plugins(kosmo_tests::plugins());
    let ran = in_session(&scenario, keyring, &CONFIGURE);
    assert_eq!(ran.code, 0, "{ran:?}");
    scenario
}

#[track_caller]
fn lies_in(scenario: &Scenario, keyring: &str, place: &str) {
    let ran = in_session(scenario, keyring, &["integrations:doctor", "dialpad"]);
    assert!(ran.stdout.contains(place) && ran.stdout.contains("dialpad: active"), "{ran:?}");
}

fn has_file(scenario: &Scenario) -> bool {
    scenario.home().join("credential.key").exists()
}

#[test]
fn an_unlocked_keyring_keeps_the_key_from_one_session_to_the_next() {
    let scenario = configured(UNLOCKED);
    assert!(!has_file(&scenario));
    lies_in(&scenario, UNLOCKED, "the keyring of the desktop");
}

#[test]
fn a_locked_or_absent_keyring_is_passed_over_in_bounded_time() {
    for keyring in [LOCKED, NONE] {
        let begun = Instant::now();
        let scenario = configured(keyring);
        assert!(has_file(&scenario) && begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        lies_in(&scenario, UNLOCKED, "credential.key beside it");
    }
}

#[test]
fn a_key_in_a_locked_keyring_is_waited_for_and_not_replaced() {
    let scenario = configured(UNLOCKED);
    let ran = in_session(&scenario, LOCKED, &CONFIGURE);
    assert!(ran.code == 1 && ran.stdout.contains("the keyring: it is locked"), "{ran:?}");
    let ran = scenario.kosmo(&CONFIGURE);
    assert!(ran.code == 1 && ran.stdout.contains("it was in the keyring, and there is none"), "{ran:?}");
    assert!(!has_file(&scenario));
}

#[test]
fn a_key_moves_where_the_operator_wants_it() {
    let scenario = configured(NONE);
    scenario.write("config.toml", "[store]\nkey = \"keyring\"\n");
    lies_in(&scenario, UNLOCKED, "the keyring of the desktop");
    assert!(!has_file(&scenario));
    scenario.write("config.toml", "[store]\nkey = \"file\"\n");
    lies_in(&scenario, UNLOCKED, "credential.key beside it");
    assert!(scenario.kosmo(&["integrations:doctor", "dialpad"]).stdout.contains("dialpad: active"));
}
