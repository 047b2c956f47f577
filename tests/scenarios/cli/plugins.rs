//! Plugins: found in folders, installed for good, and broken ones beside good ones.

use super::{check, keys, kosmo, kosmo_with};
use kosmo_simulator::Simulator;
use kosmo_tests::Scenario;
use serde_json::json;
use std::path::Path;

const WHO: &str = "return app.integrations.dialpad.get_current_user({}).id ~= nil";

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn an_installed_plugin_needs_no_folder_and_no_url() {
    let scenario = Scenario::empty();
    let nothing = kosmo(&scenario, &["integrations:list"]);
    check(&nothing, 0, "No plugins are installed. Add one with: kosmo plugins:install FILE.wasm\n", "");
    let unknown = kosmo(&scenario, &["integrations:lua", "-e", WHO]);
    assert!(
        unknown
            .stderr
            .contains("There is no provider `dialpad`. The operator adds one with: kosmo plugins:install FILE.wasm"),
        "{unknown:?}"
    );

    let file = kosmo_tests::plugins().join("dialpad.wasm");
    let installed = kosmo(&scenario, &["plugins:install", text(&file)]);
    assert_eq!((installed.code, installed.stderr.as_str()), (0, ""));
    for part in [
        "Installed dialpad ",
        "reaches  https://dialpad.com",
        "reads    list_calls",
        "writes   send_sms",
        "[accounts.dialpad.default]",
    ] {
        assert!(installed.stdout.contains(part), "{part}: {}", installed.stdout);
    }
    let (url, token) = (scenario.simulator.dialpad_url(), Simulator::token("dialpad", "default"));
    let variables = [("DIALPAD_URL", url), ("DIALPAD_ACCESS_TOKEN", token.as_str())];
    check(&kosmo_with(&scenario, &["integrations:lua", "-e", WHO], &variables, None), 0, "true\n", "");
    let listed = kosmo_with(&scenario, &["integrations:list", "--json"], &[("DIALPAD_ACCESS_TOKEN", &token)], None);
    assert_eq!(listed.json()["providers"]["dialpad"]["active"], true, "accepting the file accepts its URL");

    let again = kosmo(&scenario, &["plugins:install", text(&file)]);
    assert_eq!(again.code, 0, "installing the same again changes nothing: {again:?}");
    assert_eq!(kosmo(&scenario, &["plugins:list"]).stdout.lines().count(), 2);
}

#[test]
fn plugins_are_found_in_the_folders_that_are_named() {
    let scenario = Scenario::empty();
    let (folder, probe) = (kosmo_tests::plugins(), kosmo_tests::guests());
    let both = std::env::join_paths([&folder, &probe]).expect("two folders");
    let names = |arguments: &[&str], variable: &str| {
        let ran = kosmo_with(
            &scenario,
            &[&["integrations:list", "--json"], arguments].concat(),
            &[("KOSMO_PLUGINS", variable)],
            None,
        );
        keys(&ran.json()["providers"])
    };
    assert_eq!(names(&[], ""), "");
    assert_eq!(names(&[], text(&folder)), "dialpad ringcentral");
    assert_eq!(names(&[], both.to_str().expect("UTF-8")), "dialpad probe ringcentral thief");
    assert_eq!(names(&["--plugins", text(&folder), "--plugins", text(&probe)], ""), "dialpad probe ringcentral thief");
    assert_eq!(names(&[], "/nowhere/at/all"), "", "a folder of the environment may be missing");
    let missing = kosmo(&scenario, &["integrations:list", "--plugins", "nowhere"]);
    check(&missing, 1, "", "kosmo: Plugin folder not found: nowhere\n");
}

#[test]
fn the_list_for_programs_says_all_there_is_to_know() {
    let scenario = Scenario::new();
    let listed = kosmo(&scenario, &["integrations:list", "--json"]).json();
    assert_eq!((&listed["success"], keys(&listed["providers"])), (&json!(true), "dialpad ringcentral".into()));
    let dialpad = &listed["providers"]["dialpad"];
    assert_eq!(keys(dialpad), "title summary category version active accounts problem problems functions");
    assert_eq!((&dialpad["active"], &dialpad["accounts"]), (&json!(true), &json!(["default", "support", "work"])));
    let count = |provider: &str| listed["providers"][provider]["functions"].as_array().map(Vec::len);
    assert_eq!((count("dialpad"), count("ringcentral")), (Some(7), Some(24)));
    let send = dialpad["functions"].as_array().and_then(|all| all.iter().find(|one| one["function"] == "send_sms"));
    assert_eq!(
        send.map(|send| (&send["name"], &send["operation"])),
        Some((&json!("dialpad.send_sms"), &json!("write")))
    );
    let table = kosmo(&scenario, &["integrations:list"]).stdout;
    assert!(table.contains("\ndialpad      7          default, support, work"), "{table}");
}

#[test]
fn a_plugin_that_cannot_be_loaded_harms_no_other() {
    let scenario = Scenario::new();
    let folder = scenario.home().join("plugins");
    std::fs::create_dir(&folder).expect("a writable temporary folder");
    let probe = kosmo_tests::probe();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("a writable folder");
    put("garbage.wasm", b"garbage");
    put("nothing.wasm", b"");
    put("core.wasm", b"\0asm\x01\0\0\0");
    put("half.wasm", &probe[..probe.len() / 2]);
    put("liar.wasm", &probe);
    put("Not A Name.wasm", &probe);
    put("notes.txt", b"not a plugin");

    let table = kosmo(&scenario, &["integrations:list"]);
    assert_eq!((table.code, table.stdout.lines().count()), (0, 8), "one line each: {}", table.stdout);
    let problems = kosmo(&scenario, &["integrations:list", "--json"]).json();
    for (name, problem) in [
        ("garbage", "not a component: it does not even begin like WebAssembly"),
        ("nothing", "not a component"),
        ("core", "core WebAssembly module; build it for wasm32-wasip2"),
        ("half", "not a component"),
        ("liar", "describes itself as `probe`"),
    ] {
        let told = problems["providers"][name]["problem"].as_str().unwrap_or_default();
        assert!(told.contains(problem) && !told.contains('\n'), "{name}: {told}");
        let code = format!(
            "local ok, err = pcall(app.integrations.{name}.anything, {{}}) print(ok, err.code, err.provider) {WHO}"
        );
        check(
            &kosmo(&scenario, &["integrations:lua", "-e", &code]),
            0,
            &format!("false\tunloadable\t{name}\ntrue\n"),
            "",
        );
    }
    let docs = kosmo(&scenario, &["integrations:docs"]);
    assert!(
        docs.code == 0 && docs.stdout.contains("kosmo integrations:docs dialpad"),
        "examples name one that works: {docs:?}"
    );
}

#[test]
fn what_is_no_plugin_is_not_installed() {
    let scenario = Scenario::empty();
    let good = kosmo_tests::plugins().join("dialpad.wasm");
    assert_eq!(kosmo(&scenario, &["plugins:install", text(&good)]).code, 0);
    let other = scenario.home().join("other.wasm");
    std::fs::copy(&good, &other).expect("a writable temporary folder");
    scenario.write("dialpad.wasm", "garbage");
    for (file, error) in [
        ("other.wasm", "other.wasm: The file is called other, but describes itself as `dialpad`."),
        ("dialpad.wasm", "dialpad.wasm: The file is not a component"),
        ("missing.wasm", "missing.wasm: No such file or directory"),
    ] {
        let ran = kosmo(&scenario, &["plugins:install", file]);
        assert!(ran.code == 1 && ran.stderr.contains(error), "{file}: {ran:?}");
    }
    let rest = kosmo(&scenario, &["plugins:install", text(&good), "missing.wasm", "--json"]);
    assert_eq!((rest.code, &rest.json()["fault"]["code"]), (1, &json!("unloadable")), "{rest:?}");
    let listed = kosmo(&scenario, &["integrations:list", "--json"]).json();
    assert_eq!(keys(&listed["providers"]), "dialpad", "what was there stays: {listed}");
    assert_eq!(listed["providers"]["dialpad"]["title"], "Dialpad");
}

#[test]
fn a_home_that_cannot_be_written_is_told_with_its_cure() {
    let scenario = Scenario::empty();
    scenario.write("plugins", "a file where the folder should be");
    let file = kosmo_tests::plugins().join("dialpad.wasm");
    let ran = kosmo(&scenario, &["plugins:install", text(&file)]);
    let place = format!("kosmo: Cannot write {}/plugins/dialpad.wasm: ", scenario.home().display());
    assert!(ran.code == 1 && ran.stderr.starts_with(&place), "{ran:?}");
    assert!(ran.stderr.ends_with(". Let the kosmo home be yours to write, or set KOSMO_HOME.\n"), "{ran:?}");
}
