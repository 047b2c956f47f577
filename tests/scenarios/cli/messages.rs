//! The sentences that agents know from the system whose scripts run here: each appears in its situation, word for word,
//! wherever it can be met.

use super::{kosmo, kosmo_with};
use kosmo_tests::Scenario;

/// How a situation is brought about, as arguments of `kosmo`.
type Line = &'static [&'static str];

/// What is in the home besides the simulator's accounts.
const NOTHING: &str = "";
const DENIED: &str = "[permissions.dialpad]\nread = \"deny\"\nwrite = \"deny\"\n";
const DISABLED: &str = "[providers.dialpad]\nenabled = false\n";
const HALF: &str = "[accounts.dialpad.half]\nurl = \"https://dialpad.com\"\n";

const SMS: &str = "app.integrations.dialpad.send_sms({to = '+14155551234', from = '+14155559876', text = 'x'})";
const WRITE: Line = &["integrations:call", "dialpad.send_sms", "--to=+14155551234", "--from=+14155559876", "--text=x"];
const READ: Line = &["integrations:call", "dialpad.list_users"];
const USERS: &str = "app.integrations.dialpad.list_users({})";

/// The sentence, the situation it belongs to, what is configured, and a line that leads there.
const MESSAGES: &[(&str, &str, &str, Line)] = &[
    (
        "Unknown integration function: dialpad.list_userz",
        "no such function",
        NOTHING,
        &["integrations:call", "dialpad.list_userz"],
    ),
    (
        "Unknown integration function: nobody.list_users",
        "no such provider",
        NOTHING,
        &["integrations:call", "nobody.list_users"],
    ),
    (
        "Unknown integration function: dialpad.list_userz",
        "no such schema",
        NOTHING,
        &["integrations:schema", "dialpad.list_userz"],
    ),
    ("Unknown provider: nobody", "asked how nobody stands", NOTHING, &["integrations:doctor", "nobody"]),
    ("Integration 'dialpad' is installed but not active. Enable it in settings first.", "disabled", DISABLED, READ),
    (
        "Integration 'dialpad' is installed but not active. Enable it in settings first.",
        "disabled",
        DISABLED,
        &["integrations:lua", "-e", USERS],
    ),
    (
        "Integration 'broken' is discoverable but is not supported by the local CLI runtime yet.",
        "it does not load",
        NOTHING,
        &["integrations:call", "broken.run"],
    ),
    (
        "Integration 'dialpad' is missing required credentials for account 'half'. Configure it in settings first.",
        "no token",
        HALF,
        &["integrations:call", "dialpad.list_users", "--account", "half"],
    ),
    (
        "Integration 'dialpad' is missing required credentials for account 'half'. Configure it in settings first.",
        "no token",
        HALF,
        &["integrations:lua", "--account=half", "-e", USERS],
    ),
    (
        "Missing required parameter(s): to, from",
        "they are absent",
        NOTHING,
        &["integrations:call", "dialpad.send_sms", "--text=x"],
    ),
    (
        "Missing required parameter(s): to, from, text",
        "they are null or empty",
        NOTHING,
        &["integrations:call", "dialpad.send_sms", r#"{"to": null, "from": ""}"#],
    ),
    (
        "Missing required parameter(s): id",
        "a script leaves it out",
        NOTHING,
        &["integrations:lua", "-e", "app.integrations.dialpad.get_user({})"],
    ),
    ("Integration 'dialpad' write access denied. Enable it in /settings → Integrations", "denied", DENIED, WRITE),
    ("Integration 'dialpad' write access denied.", "a script is denied", DENIED, &["integrations:lua", "-e", SMS]),
    (
        "Integration 'dialpad' read access denied. Enable it in /settings → Integrations",
        "a read is denied",
        DENIED,
        READ,
    ),
    (
        "Integration 'dialpad' write requires approval. Ask the user to change the permission in /settings → Integrations",
        "nobody to ask",
        NOTHING,
        WRITE,
    ),
    (
        "Integration 'dialpad' write requires approval. Ask the user to change the permission in /settings → Integrations",
        "nobody to ask",
        NOTHING,
        &["integrations:lua", "-e", SMS],
    ),
    (
        "Unknown function: app.integrations.dialpad.list_userz. Did you mean: list_users",
        "a script mistypes",
        NOTHING,
        &["integrations:lua", "-e", "app.integrations.dialpad.list_userz({})"],
    ),
    (
        "Lua timeout error",
        "a script never ends",
        NOTHING,
        &["integrations:lua", "--cpu-limit=0.2", "-e", "while true do end"],
    ),
    (
        "JSON payload must decode to an object.",
        "a list for a payload",
        NOTHING,
        &["integrations:call", "dialpad.list_users", "[]"],
    ),
    (
        "--arg values must use key=value syntax.",
        "an --arg without =",
        NOTHING,
        &["integrations:call", "dialpad.list_users", "--arg", "limit"],
    ),
    ("Provide a Lua file, --eval code, or pipe Lua code on stdin.", "no code", NOTHING, &["integrations:lua"]),
    ("Provide a Lua file, --eval code, or pipe Lua code on stdin.", "no code", NOTHING, &["mcp:lua"]),
    ("Lua file not found: nowhere.lua", "no such file", NOTHING, &["integrations:lua", "nowhere.lua"]),
    ("No integration docs found for 'qqqq'.", "no such page", NOTHING, &["integrations:docs", "qqqq"]),
    (
        "No integration docs found for 'qqqq'.",
        "a script reads it",
        NOTHING,
        &["integrations:lua", "-e", "error(docs.read('qqqq'))"],
    ),
];

#[test]
fn every_sentence_appears_in_its_situation_for_people_and_for_programs() {
    let scenario = Scenario::new();
    put_a_broken_plugin(&scenario);
    for (message, situation, configured, line) in MESSAGES {
        scenario.configure(configured);
        let told = kosmo(&scenario, line);
        assert!(told.code != 0 && told.stdout.is_empty(), "{situation}: {told:?}");
        assert!(told.stderr.contains(message), "{situation}: {message}\nis not in\n{}", told.stderr);
        let told = kosmo(&scenario, &[line, &["--json"][..]].concat());
        let document = told.json();
        let error = document["error"].as_str().unwrap_or_default();
        assert!(told.code != 0 && document["success"] == false, "{situation}: {told:?}");
        assert!(error.contains(message), "{situation}: {message}\nis not in\n{error}");
    }
    assert_eq!(scenario.simulator.sms_sent().len(), 0);
}

fn put_a_broken_plugin(scenario: &Scenario) {
    std::fs::create_dir(scenario.home().join("plugins")).expect("a folder");
    scenario.write("plugins/broken.wasm", "not a component");
}

#[test]
fn what_is_piped_in_is_answered_in_the_same_words() {
    let scenario = Scenario::new();
    for (line, input, message) in [
        (&["integrations:configure", "dialpad", "--stdin-json"][..], "{", "Invalid JSON supplied on stdin"),
        (&["integrations:call", "dialpad.list_users"], "5", "JSON payload must decode to an object."),
        (&["integrations:lua"], " \n", "Provide a Lua file, --eval code, or pipe Lua code on stdin."),
    ] {
        let told = kosmo_with(&scenario, line, &[], Some(input));
        assert!(told.code == 2 && told.stderr.contains(message), "{message}: {told:?}");
    }
}

#[test]
fn a_sentence_is_what_a_script_catches() {
    let scenario = Scenario::new();
    let caught = |code: &str| {
        scenario.value(&format!("local ok, err = pcall(function() return {code} end) return tostring(err)"))
    };
    for (code, message) in [
        (
            SMS,
            "Integration 'dialpad' write requires approval. Ask the user to change the permission in /settings → Integrations",
        ),
        (
            "app.integrations.dialpad.list_userz({})",
            "Unknown function: app.integrations.dialpad.list_userz. Did you mean: list_users",
        ),
        ("app.integrations.dialpad.get_user({id = ''})", "Missing required parameter(s): id"),
    ] {
        let caught = caught(code);
        assert!(caught.as_str().is_some_and(|text| text.contains(message)), "{message}: {caught}");
    }
}
