//! A `config.toml` with a mistake in it: the line is named, what stands there is not quoted.

use super::{CANARY, kosmo};
use kosmo_tests::Scenario;

/// Writes the configuration, with the canary for `SECRET`, and looks at what a script is told.
#[track_caller]
fn check_mistake(scenario: &Scenario, config: &str, part: &str) {
    scenario.write("config.toml", &config.replace("SECRET", CANARY));
    let told = kosmo(scenario, &["integrations:lua", "-e", "return app.integrations.dialpad.get_current_user({}).id"]);
    assert!(told.code == 1 && told.stdout.is_empty() && told.stderr.contains(part), "{config}: {told:?}");
    let enveloped = kosmo(
        scenario,
        &["integrations:lua", "-e", "return app.integrations.dialpad.get_current_user({}).id", "--json"],
    );
    assert!(enveloped.json()["error"].as_str().is_some_and(|error| error.contains(part)), "{config}: {enveloped:?}");
    kosmo(scenario, &["integrations:list"]);
    kosmo(scenario, &["integrations:list", "--json"]);
    kosmo(scenario, &["integrations:docs", "dialpad"]);
    kosmo(scenario, &["plugins:list"]);
}

#[test]
fn a_mistake_names_its_line_and_never_quotes_a_secret() {
    let scenario = Scenario::new();
    let check = |config: &str, part: &str| check_mistake(&scenario, config, part);
    check("[accounts.dialpad.default]\naccess_token = \"SECRET\nurl = \"x\"", "config.toml, line 2: ");
    check("[accounts.dialpad.default]\naccess_token = SECRET\n", "config.toml, line 2: ");
    check(
        "[accounts.dialpad.default]\naccess_token = [\"SECRET\"]\n",
        "config.toml, line 2: expected a string or { env = \"NAME\" }",
    );
    check(
        "[accounts.dialpad.default]\naccess_token = { token = \"SECRET\" }\n",
        "config.toml, line 2: expected a string or { env = \"NAME\" }",
    );
    check(
        "[accounts.dialpad]\naccess_token = \"SECRET\"\n",
        "config.toml, line 2: expected an account with its fields: write them under [accounts.<provider>.<account>], \
             such as [accounts.dialpad.default]",
    );
    check("[accounts]\ndialpad = \"SECRET\"\n", "config.toml, line 2: expected a map");
    check(
        "\n\naccess_token = \"SECRET\"\n",
        "config.toml, line 3: unknown field `access_token`, expected one of `accounts`, ",
    );
    check(
        "[accounts.dialpad.default]\naccess_token = \"a\"\naccess_token = \"SECRET\"\n",
        "config.toml, line 3: duplicate key",
    );
    check("[permissions.dialpad]\nwrite = \"SECRET\"\n", "config.toml, line 2: expected one of `allow`, `ask`, `deny`");
    check("[permissions.dialpad]\nwrite = true\n", "config.toml, line 2: ");
    check(
        "[permissions.dialpad]\nwrites = \"allow\"\n",
        "config.toml, line 2: unknown field `writes`, expected one of `read`, `write`, `functions`, `accounts`",
    );
}

#[test]
fn a_mistake_that_only_one_account_has_is_told_when_it_is_used() {
    let scenario = Scenario::new();
    let check = |config: &str, part: &str| check_mistake(&scenario, config, part);
    check(
        "[accounts.dialpad.default]\naccess_tokn = \"SECRET\"\n",
        "[accounts.dialpad.default]: `access_tokn` is not a field of this provider; it has: url, access_token, exports",
    );
    check(
        "[accounts.dialpad.default]\naccess_token = \"SECRET\"\nurl = \"ftp://x\"\n",
        "[accounts.dialpad.default]: `url`: it is not an absolute http or https URL",
    );
    check(
        "[accounts.dialpad.default]\naccess_token = \"SECRET\"\nurl = \"https://user:SECRET@x.test\"\n",
        "[accounts.dialpad.default]: `url`: it holds user information",
    );
    check(
        "[accounts.dialpad.default]\naccess_token = \"SECRET\\n\"\nurl = \"https://x.test\"\n",
        "holds a line break or another character that cannot be sent",
    );
    check(
        "[accounts.dialpad.default]\nurl = \"https://x.test\"\n",
        "is missing required credentials for account 'default'. Configure it in settings first. Write `access_token` under [accounts.dialpad.default]",
    );
}

#[test]
fn a_broken_configuration_does_not_stop_what_needs_none() {
    let scenario = Scenario::new();
    scenario.write("config.toml", "[accounts");
    assert_eq!(kosmo(&scenario, &["--help"]).code, 0);
    assert_eq!(kosmo(&scenario, &["--version"]).code, 0);
    let listed = kosmo(&scenario, &["integrations:list", "--json"]);
    let error = listed.json()["error"].clone();
    assert!(
        listed.code == 1 && error.as_str().is_some_and(|error| error.contains("config.toml, line 1: ")),
        "{listed:?}"
    );
}

#[test]
fn a_home_that_is_no_folder_is_named_with_the_cure() {
    let scenario = Scenario::new();
    scenario.write("file", "");
    let file = scenario.home().join("file").display().to_string();
    let ran = scenario.kosmo_with(&["integrations:list"], &[("KOSMO_HOME", &file)], None);
    let told = format!("kosmo: KOSMO_HOME is {file}, which is no folder. Name one that is, or one to be made.\n");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr), (1, "", told));
}

#[test]
fn a_mistyped_provider_is_not_left_unheard() {
    let scenario = Scenario::new();
    for table in ["permissions.dialpda]\nread = \"deny\"", "grants.dialpda]\nrequests = []"] {
        scenario.configure(&format!("[{table}\n"));
        let fault = scenario.fault("return app.integrations.dialpad.list_users({})");
        assert!(fault.message.contains(".dialpda] in config.toml: there is no provider `dialpda`."), "{fault}");
        assert!(fault.message.contains("Did you mean: dialpad"), "{fault}");
    }
    scenario.configure("[permissions.another_one]\nread = \"deny\"\n");
    scenario.value("return app.integrations.dialpad.list_users({})");
    assert_eq!(scenario.sent().len(), 1);
}
