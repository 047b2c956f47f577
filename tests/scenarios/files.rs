//! What others may do with the files of a home.

use kosmo_tests::Scenario;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const CONFIGURE: [&str; 5] =
    ["integrations:configure", "dialpad", "--account=mine", "--set", "access_token=t0ken-of-a-file"];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777)
}

fn open_up(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("one's own file");
}

/// Everything in a home but the linked cache.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let deep = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files(&entry.path()),
        Ok(kind) if kind.is_file() => vec![entry.path()],
        _ => Vec::new(),
    };
    entries.flat_map(deep).collect()
}

#[test]
fn what_a_home_gets_is_for_its_owner_alone() {
    let scenario = Scenario::new();
    for line in [&CONFIGURE[..], &["integrations:call", "dialpad.get_current_user"]] {
        scenario.kosmo(line);
    }
    let open: Vec<_> = files(scenario.home()).into_iter().filter(|file| mode(file) & 0o077 != 0).collect();
    // Locks have nothing in them.
    let open: Vec<_> =
        open.iter().filter(|file| !file.parent().is_some_and(|folder| folder.ends_with("leases"))).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_home_that_kosmo_makes_is_for_its_owner_alone() {
    let scenario = Scenario::empty();
    let made = scenario.home().join("made");
    let environment = [("KOSMO_HOME", made.to_str().expect("a plain name"))];
    assert_eq!(scenario.kosmo_with(&["mcp:add", "s", "program"], &environment, None).code, 0);
    assert_eq!(mode(&made), 0o700);
}

#[test]
fn files_that_others_could_read_or_change_are_closed_before_they_are_used() {
    let scenario = Scenario::new();
    scenario.kosmo(&CONFIGURE);
    let ran = scenario.kosmo(&["integrations:call", "dialpad.get_current_user"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let all = ["config.toml", "accepted.toml", "kosmo.db", "credential.key", "audit"];
    let paths = all.map(|name| scenario.home().join(name));
    paths.iter().for_each(|path| open_up(path, 0o777));
    let beside = scenario.home().join("kosmo.db-wal");
    fs::write(&beside, "").expect("a writable folder");
    open_up(&beside, 0o666);
    let ran = scenario.kosmo(&["integrations:call", "dialpad.get_current_user"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for path in paths {
        assert_eq!(mode(&path) & 0o077, 0, "{} {:o}", path.display(), mode(&path));
    }
    assert_eq!(mode(&beside) & 0o077, 0);
}

#[test]
fn a_home_that_was_there_stays_as_open_as_it_was_made() {
    for before in [0o755, 0o775, 0o500] {
        let scenario = Scenario::new();
        open_up(scenario.home(), before);
        for line in [&CONFIGURE[..], &["permissions:set", "dialpad.write", "ask"], &["mcp:add", "s", "program"]] {
            scenario.kosmo(line);
            assert_eq!(mode(scenario.home()), before, "{line:?}");
        }
        open_up(scenario.home(), 0o700);
    }
}

#[test]
fn nothing_is_kept_in_a_home_that_everybody_can_write_to() {
    let scenario = Scenario::new();
    for before in [0o777, 0o1777, 0o702] {
        open_up(scenario.home(), before);
        for line in [&CONFIGURE[..], &["permissions:set", "dialpad.write", "ask"], &["mcp:add", "s", "program"]] {
            let ran = scenario.kosmo(line);
            let cure = format!("run: chmod o-w {}", scenario.home().display());
            assert!(ran.code == 1 && ran.stderr.contains(&cure), "{line:?} {ran:?}");
        }
        assert_eq!(mode(scenario.home()), before & 0o777);
    }
    let kept = ["kosmo.db", "mcp.json", "leases"].map(|name| scenario.home().join(name).exists());
    assert_eq!(kept, [false; 3]);
}

#[test]
fn a_configuration_without_secrets_may_be_read_by_others_and_not_written() {
    let scenario = Scenario::empty();
    scenario.write("config.toml", "[permissions.dialpad]\nwrite = \"ask\"\n");
    let config = scenario.home().join("config.toml");
    for (before, after) in [(0o644, 0o644), (0o664, 0o600)] {
        open_up(&config, before);
        assert_eq!(scenario.kosmo(&["integrations:status"]).code, 0);
        assert_eq!(mode(&config), after);
    }
}
