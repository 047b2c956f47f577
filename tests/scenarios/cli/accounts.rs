//! Accounts from `config.toml` and from the environment, and where their tokens go.

use super::{check, kosmo_with};
use kosmo_simulator::Simulator;
use kosmo_tests::{Ran, Scenario};

/// A home without accounts, with the plugins.
fn homeless() -> Scenario {
    let scenario = Scenario::new();
    scenario.write("config.toml", "");
    scenario
}

#[track_caller]
fn run(scenario: &Scenario, code: &str, environment: &[(&str, &str)]) -> Ran {
    kosmo_with(scenario, &["integrations:lua", "-e", code], environment, None)
}

/// The accounts whose tokens reached a provider since the last time, in order.
fn reached(scenario: &Scenario, provider: &str) -> Vec<&'static str> {
    let account = |sent: &str| {
        kosmo_simulator::ACCOUNTS.into_iter().find(|account| sent.ends_with(&Simulator::token(provider, account)))
    };
    let sent = scenario.simulator.take_requests();
    sent.iter()
        .filter(|sent| sent.provider == provider)
        .filter_map(|sent| account(sent.header("authorization")?))
        .collect()
}

const WHO: &str = "return app.integrations.dialpad.get_current_user({}).id ~= nil";

#[test]
fn an_account_can_come_from_the_environment() {
    let scenario = homeless();
    let (url, ringcentral) =
        (scenario.simulator.dialpad_url().to_owned(), scenario.simulator.ringcentral_url().to_owned());
    let (default, work) = (Simulator::token("dialpad", "default"), Simulator::token("dialpad", "work"));
    let support = Simulator::token("ringcentral", "support");
    let variables = [
        ("DIALPAD_ACCESS_TOKEN", default.as_str()),
        ("DIALPAD_URL", &url),
        ("DIALPAD_WORK_ACCESS_TOKEN", &work),
        ("DIALPAD_WORK_URL", &url),
        ("RINGCENTRAL_SUPPORT_ACCESS_TOKEN", &support),
        ("RINGCENTRAL_SUPPORT_URL", &ringcentral),
    ];
    check(&run(&scenario, WHO, &variables), 0, "true\n", "");
    check(&run(&scenario, &WHO.replace("dialpad", "dialpad.work"), &variables), 0, "true\n", "");
    assert_eq!(reached(&scenario, "dialpad"), ["default", "work"]);
    check(&run(&scenario, &WHO.replace("dialpad", "ringcentral.support"), &variables), 0, "true\n", "");
    assert_eq!(reached(&scenario, "ringcentral"), ["support"]);
    let names = "local names = {} for name, f in pairs(app.integrations.dialpad) do if type(f) == 'table' then \
         table.insert(names, name) end end table.sort(names) return table.concat(names, ' ')";
    check(&run(&scenario, names, &variables), 0, "default work\n", "");
    let other = run(&scenario, &WHO.replace("dialpad", "ringcentral"), &variables);
    assert!(
        other.code == 1
            && other.stderr.contains(
                "`access_token` under [accounts.ringcentral.default] in \
         config.toml, or RINGCENTRAL_ACCESS_TOKEN in the environment."
            ),
        "{other:?}"
    );
    let unknown = run(&scenario, &WHO.replace("dialpad", "dialpad.support"), &variables);
    assert!(
        unknown.stderr.contains("There is no account `support` at dialpad. Known accounts: default, work"),
        "{unknown:?}"
    );
}

#[test]
fn an_account_comes_whole_from_the_file_or_whole_from_the_environment() {
    let scenario = homeless();
    let url = scenario.simulator.dialpad_url().to_owned();
    let (work, support) = (Simulator::token("dialpad", "work"), Simulator::token("dialpad", "support"));
    let environment = [("DIALPAD_ACCESS_TOKEN", work.as_str()), ("DIALPAD_URL", &url)];
    let ran = kosmo_with(&scenario, &["accounts:remove", "dialpad", "default"], &environment, None);
    assert!(ran.code == 1 && ran.stderr.contains("It stands in the environment, as DIALPAD_"), "{ran:?}");

    scenario
        .write("config.toml", &format!("[accounts.dialpad.default]\nurl = \"{url}\"\naccess_token = \"{support}\"\n"));
    check(&run(&scenario, WHO, &environment), 0, "true\n", "");
    assert_eq!(reached(&scenario, "dialpad"), ["support"], "the file wins");

    scenario.write("config.toml", &format!("[accounts.dialpad.default]\nurl = \"{url}\"\n"));
    let half = run(&scenario, WHO, &environment);
    assert!(
        half.code == 1
            && half.stderr.contains(
                "is missing required credentials for account 'default'. Configure it in settings first. Write "
            ),
        "{half:?}"
    );

    scenario.write("config.toml", &format!("[accounts.dialpad.default]\naccess_token = \"{support}\"\n"));
    let half = run(&scenario, WHO, &environment);
    assert!(half.code == 1 && half.stderr.contains("names no URL") && half.stderr.contains("goes nowhere"), "{half:?}");
    assert_eq!(reached(&scenario, "dialpad"), [""; 0], "neither half went out");

    scenario.write(
        "config.toml",
        &format!("[accounts.dialpad.default]\nurl = \"{url}\"\naccess_token = {{ env = \"MY_TOKEN\" }}\n"),
    );
    check(&run(&scenario, WHO, &[("MY_TOKEN", &support)]), 0, "true\n", "");
    assert_eq!(reached(&scenario, "dialpad"), ["support"]);
    let unset = run(&scenario, WHO, &environment);
    assert!(
        unset.code == 1
            && unset.stderr.contains(
                "[accounts.dialpad.default]: `access_token` is taken from \
         $MY_TOKEN in the environment, which is not set"
            ),
        "{unset:?}"
    );
}

#[test]
fn a_token_without_a_url_goes_nowhere_until_the_plugin_was_accepted() {
    let scenario = homeless();
    let token = Simulator::token("dialpad", "default");
    let refused = run(&scenario, WHO, &[("DIALPAD_ACCESS_TOKEN", &token)]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    for part in
        ["Account 'default' of 'dialpad' names no URL", "was never accepted", "kosmo plugins:install FILE", "set `url`"]
    {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    let listed = kosmo_with(&scenario, &["integrations:list", "--json"], &[("DIALPAD_ACCESS_TOKEN", &token)], None);
    let row = &listed.json()["providers"]["dialpad"];
    assert_eq!((&row["active"], row["accounts"].as_array().map(Vec::len)), (&false.into(), Some(0)), "{row}");
    assert!(row["problem"].as_str().is_some_and(|problem| problem.contains("never accepted")), "{row}");
}

#[test]
fn no_account_can_stand_where_a_function_or_a_word_of_lua_does() {
    let scenario = homeless();
    let token = Simulator::token("dialpad", "default");
    for name in ["list_calls", "dialpad_list_calls", "end", "Work", "my-team", "a.b", "1st", "", &"x".repeat(65)] {
        let set = format!("access_token={token}");
        let line = ["integrations:configure", "dialpad", "--account", name, "--set", &set, "--json"];
        let refused = kosmo_with(&scenario, &line, &[], None);
        assert_eq!(
            (refused.code, &refused.json()["fault"]["code"]),
            (2, &"invalid_argument".into()),
            "{name}: {refused:?}"
        );
        assert!(!scenario.home().join("kosmo.db").exists() || listed(&scenario).is_empty(), "{name}");
    }
    let variables = [("DIALPAD_LIST_CALLS_ACCESS_TOKEN", token.as_str()), ("DIALPAD_END_ACCESS_TOKEN", &token)];
    let ran = run(&scenario, "return type(app.integrations.dialpad.list_calls)", &variables);
    check(&ran, 0, "function\n", "");
}

/// The accounts of Dialpad.
fn listed(scenario: &Scenario) -> Vec<serde_json::Value> {
    let listed = kosmo_with(scenario, &["accounts:list", "dialpad", "--json"], &[], None).json();
    listed["providers"]["dialpad"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_provider_with_a_named_account_alone_is_used_by_that_name() {
    let scenario = homeless();
    let (url, token) = (scenario.simulator.dialpad_url(), Simulator::token("dialpad", "work"));
    scenario.write("config.toml", &format!("[accounts.dialpad.work]\nurl = \"{url}\"\naccess_token = \"{token}\"\n"));
    let run = |code: &str, flags: &[&str]| {
        kosmo_with(&scenario, &[&["integrations:lua", "-e", code], flags].concat(), &[], None)
    };
    check(&run(&WHO.replace("dialpad", "dialpad.work"), &[]), 0, "true\n", "");
    check(&run(WHO, &["--account", "work"]), 0, "true\n", "");
    let without = run(WHO, &[]);
    assert!(without.code == 1 && without.stderr.contains("credentials for account 'default'"), "{without:?}");
    let called = kosmo_with(&scenario, &["integrations:call", "dialpad.get_current_user", "--account=work"], &[], None);
    assert_eq!(called.code, 0, "{called:?}");
    for line in [&["accounts:test", "dialpad", "work"][..], &["accounts:test", "dialpad", "--account", "work"]] {
        assert_eq!(kosmo_with(&scenario, line, &[], None).code, 0, "{line:?}");
    }
    assert_eq!(reached(&scenario, "dialpad"), ["work"; 5]);
}

#[test]
fn every_account_has_the_same_functions() {
    let scenario = Scenario::new();
    let names = |place: &str| {
        let code = format!(
            "local names = {{}} for name, value in pairs(app.integrations.{place}) do if type(value) == 'function' then \
             table.insert(names, name) end end table.sort(names) return table.concat(names, ' ')"
        );
        run(&scenario, &code, &[]).stdout
    };
    for provider in ["dialpad", "ringcentral"] {
        let own = names(provider);
        assert!(own.contains("send_sms"), "{own}");
        for account in kosmo_simulator::ACCOUNTS {
            assert_eq!(names(&format!("{provider}.{account}")), own, "{account}");
        }
    }
}

#[test]
fn what_completes_an_account_is_told_where_the_rest_of_it_stands() {
    let scenario = homeless();
    let url = scenario.simulator.dialpad_url().to_owned();
    let cure = |environment: &[(&str, &str)]| {
        let told = run(&scenario, WHO, environment).stderr;
        let (_, cure) = told.split_once("Configure it in settings first. ").expect("a cure");
        cure.lines().next().unwrap_or_default().to_owned()
    };
    let all = "Run `kosmo integrations:configure dialpad`, or set `access_token` under [accounts.dialpad.default] in \
               config.toml, or DIALPAD_ACCESS_TOKEN in the environment.";
    assert_eq!(cure(&[]), all);
    assert_eq!(cure(&[("DIALPAD_URL", &url)]), all);
    let set = format!("url={url}");
    let kept = kosmo_with(&scenario, &["integrations:configure", "dialpad", "--set", &set], &[], None);
    assert_eq!((kept.code, cure(&[]).as_str()), (0, "Run `kosmo integrations:configure dialpad`."));
    scenario.write("config.toml", &format!("[accounts.dialpad.default]\nurl = \"{url}\"\n"));
    let file =
        "Write `access_token` under [accounts.dialpad.default] in config.toml, where the rest of the account stands.";
    assert_eq!(cure(&[("DIALPAD_ACCESS_TOKEN", "unused")]), file);
}

#[test]
fn the_list_says_why_an_account_cannot_be_used() {
    let scenario = Scenario::new();
    scenario.configure("[accounts.dialpad.old]\nurl = \"https://dialpad.com\"\n");
    let why = "Integration 'dialpad' is missing required credentials for account 'old'. ";
    let shown = kosmo_with(&scenario, &["integrations:list"], &[], None);
    assert!(shown.stdout.contains(&format!("\n\ndialpad, account old: {why}")), "{shown:?}");
    let row = kosmo_with(&scenario, &["integrations:list", "--json"], &[], None).json()["providers"]["dialpad"].clone();
    assert_eq!((&row["active"], &row["problem"]), (&true.into(), &serde_json::Value::Null));
    assert!(row["problems"]["old"].as_str().is_some_and(|problem| problem.starts_with(why)), "{row}");
}

#[test]
fn a_wrong_token_is_the_providers_fault_and_is_not_shown() {
    let scenario = homeless();
    let url = scenario.simulator.ringcentral_url().to_owned();
    let variables = [("RINGCENTRAL_ACCESS_TOKEN", super::CANARY), ("RINGCENTRAL_URL", url.as_str())];
    let ran = run(
        &scenario,
        "local ok, err = pcall(app.integrations.ringcentral.get_account, {}) print(err.code, err.status, err) \
             error(err)",
        &variables,
    );
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.starts_with("unauthorized\t401\tRingCentral API error (401 "), "{ran:?}");
    let broken = run(
        &scenario,
        WHO.replace("dialpad", "ringcentral").as_str(),
        &[("RINGCENTRAL_ACCESS_TOKEN", "s3cr3t-canary-b81f\nX: y"), ("RINGCENTRAL_URL", &url)],
    );
    assert!(
        broken.stderr.contains("`access_token` holds a line break or another character that cannot be sent"),
        "{broken:?}"
    );
    let nobody = run(
        &scenario,
        WHO.replace("dialpad", "ringcentral").as_str(),
        &[("RINGCENTRAL_ACCESS_TOKEN", super::CANARY), ("RINGCENTRAL_URL", "http://127.0.0.1:9")],
    );
    assert!(nobody.stderr.contains("Failed to connect to RingCentral API"), "{nobody:?}");
}

#[test]
fn home_is_where_kosmo_home_says_and_else_under_the_users() {
    let scenario = homeless();
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let folder = elsewhere.path().join(".kosmo");
    std::fs::create_dir(&folder).expect("a writable temporary folder");
    let (url, token) = (scenario.simulator.dialpad_url(), Simulator::token("dialpad", "work"));
    let config = format!("[accounts.dialpad.default]\nurl = \"{url}\"\naccess_token = \"{token}\"\n");
    std::fs::write(folder.join("config.toml"), config).expect("a writable temporary folder");
    let at = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    check(&run(&scenario, WHO, &[("KOSMO_HOME", &at(&folder))]), 0, "true\n", "");
    let mut command = scenario.command();
    command.args(["integrations:lua", "-e", WHO]).env_remove("KOSMO_HOME").env("HOME", elsewhere.path());
    let output = command.output().expect("`kosmo` starts");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"true\n"[..]), "{output:?}");
    assert_eq!(reached(&scenario, "dialpad"), ["work", "work"]);
}
