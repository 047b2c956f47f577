//! `grants:*`: shown, checked, and changed in the operator's own file and nowhere else; a project can only narrow.

use super::{eval, kosmo};
use kosmo_tests::Scenario;
use serde_json::json;
use std::fs;

const LIST: &str = "return #app.integrations.dialpad.list_users({}).items";

fn project(scenario: &Scenario, text: &str) {
    fs::create_dir_all(scenario.home().join(".kosmo")).expect("a writable temporary folder");
    scenario.write(".kosmo/config.toml", text);
}

fn config(scenario: &Scenario) -> String {
    fs::read_to_string(scenario.home().join("config.toml")).expect("a config.toml")
}

#[track_caller]
fn check(scenario: &Scenario, arguments: &[&str], code: i32, part: &str) {
    let ran = kosmo(scenario, arguments);
    assert!(ran.code == code && format!("{}{}", ran.stdout, ran.stderr).contains(part), "{arguments:?}: {ran:?}");
}

#[test]
fn a_check_says_by_which_rule_of_which_file() {
    let scenario = Scenario::new();
    check(
        &scenario,
        &["grants:check", "dialpad", "GET", "/api/v2/call/5"],
        0,
        "get_call  GET /api/v2/call/{}  as declared  allow",
    );
    check(
        &scenario,
        &["grants", "check", "dialpad", "GET", "/api/v2/call/5/x"],
        3,
        "No function of dialpad declares GET",
    );
    check(
        &scenario,
        &["grants:check", "dialpad", "GET", "https://evil.test/api/v2/call/5"],
        3,
        "No function of dialpad declares",
    );
    check(&scenario, &["grants:check", "dialpad", "GET", "/api/v2/../oauth"], 3, "a dot segment");
    check(&scenario, &["grants:check", "dialpad", "get", "/api/v2/call/5"], 2, "HTTP method in upper case");
    check(&scenario, &["grants:check", "dialpad", "GET", "/", "--account", "wrok"], 1, "has no account 'wrok'");

    scenario.configure("[grants.dialpad]\nrequests = [\"GET /api/v2/users/**\"]\n");
    project(&scenario, "[grants.dialpad]\nrequests = [\"GET /**\"]\n");
    let ran = kosmo(&scenario, &["grants:check", "dialpad", "GET", "/api/v2/users/me", "--json"]);
    let (home, url) = (scenario.home().display(), format!("{}/api/v2/users/me", scenario.simulator.dialpad_url()));
    let granted = json!([
        { "file": format!("{home}/config.toml"), "rule": "GET /api/v2/users/**" },
        { "file": format!("{home}/.kosmo/config.toml"), "rule": "GET /**" },
    ]);
    let row = |function: &str, declared: &str| json!({"function": function, "declared": declared, "granted": granted, "permission": "allow", "refusal": null});
    let allowed = [row("get_user", "GET /api/v2/users/{}"), row("get_current_user", "GET /api/v2/users/me")];
    assert_eq!((ran.code, &ran.json()["allowed"]), (0, &json!(allowed)), "{ran:?}");
    assert_eq!((&ran.json()["success"], &ran.json()["url"]), (&json!(true), &json!(url)));

    let ran = kosmo(&scenario, &["grants:check", "dialpad", "GET", "/api/v2/call/5", "--json"]);
    let denied = &ran.json()["denied"][0];
    assert_eq!((ran.code, &denied["function"], &denied["code"]), (3, &json!("get_call"), &json!("denied")), "{ran:?}");
    assert!(
        denied["message"].as_str().is_some_and(|said| said.ends_with("kosmo grants:add dialpad 'GET /api/v2/call/{}'"))
    );
    assert_eq!(scenario.simulator.requests().len(), 0);
}

#[test]
fn a_denial_ends_with_a_command_that_works_as_printed() {
    let scenario = Scenario::new();
    scenario.configure(
        "\n# Mine.\n[grants.dialpad] # one line each\nrequests = [\n  # users\n  \"GET /api/v2/call\",\n]\n",
    );
    let before = config(&scenario);
    let (code, envelope) = eval(&scenario, LIST, &[]);
    assert_eq!((code, &envelope["fault"]["code"]), (1, &json!("denied")));
    let error = envelope["error"].as_str().expect("an error").to_owned();
    let (_, command) = error.split_once("The operator can allow it with: ").expect("a command");
    assert_eq!(command, "kosmo grants:add dialpad 'GET /api/v2/users'");
    assert_eq!(config(&scenario), before, "a script changes nothing");
    assert_eq!(scenario.simulator.requests().len(), 0);

    let ran = scenario.shell(command);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert_eq!(eval(&scenario, LIST, &[]).0, 0);
    let after = config(&scenario);
    assert!(after.contains("# Mine.\n[grants.dialpad] # one line each\n") && after.contains("# users"), "{after}");
    check(
        &scenario,
        &["grants:add", "dialpad", "GET /api/v2/users"],
        0,
        "already: its grant lists `GET /api/v2/users`",
    );
    assert_eq!(config(&scenario), after);

    check(&scenario, &["grants:remove", "dialpad", "GET /api/v2/users"], 0, "may now send only:\n  GET /api/v2/call");
    check(
        &scenario,
        &["grants:remove", "dialpad", "GET /api/v2/users"],
        1,
        "is not in the grant of dialpad, which lists `GET /api/v2/call`",
    );
    assert_eq!(eval(&scenario, LIST, &[]).1["fault"]["code"], "denied");
    check(&scenario, &["grants:remove", "dialpad", "GET /api/v2/call"], 0, "may send nothing any more");
    check(&scenario, &["grants:check", "dialpad", "GET", "/api/v2/call"], 3, "includes only nothing");
}

#[test]
fn the_default_grant_is_changed_on_purpose_only() {
    let scenario = Scenario::new();
    let before = config(&scenario);
    check(
        &scenario,
        &["grants:add", "dialpad", "GET /api/v2/users"],
        0,
        "kosmo grants:add dialpad --only 'GET /api/v2/users'",
    );
    check(&scenario, &["grants:remove", "dialpad", "GET /api/v2/users"], 1, "no list to remove a rule from");
    check(&scenario, &["grants:add", "dialpad", "DELETE /api/v2/users"], 1, "dialpad declares no DELETE there");
    check(&scenario, &["grants:add", "dialpad", "GET https://evil.test/**"], 1, "dialpad declares no GET there");
    check(&scenario, &["grants:add", "dialpad", "GET /api/v2/users/*", "--only"], 2, "is not a path pattern");
    check(&scenario, &["grants:add", "dailpad", "GET /api/v2/users"], 1, "Did you mean: dialpad");
    assert_eq!(config(&scenario), before);
    check(
        &scenario,
        &["grants:add", "dialpad", "--only", "GET /api/v2/users"],
        0,
        "and nothing that its grant does not list",
    );
    assert_eq!(config(&scenario), format!("{before}\n[grants.dialpad]\nrequests = [\"GET /api/v2/users\"]\n"));
    assert_eq!(eval(&scenario, LIST, &[]).0, 0);
}

#[test]
fn what_is_declared_and_what_is_granted_is_shown() {
    let scenario = Scenario::new();
    check(&scenario, &["grants:show", "dialpad"], 0, "GET /api/v2/call/{}");
    check(&scenario, &["grants:show", "dialpad"], 0, "  grants all of that\n");
    scenario
        .configure("[grants.dialpad]\naccounts = [\"work\"]\nrequests = [\"GET /api/v2/call\"]\n[grants.dailpad]\n");
    let shown =
        format!("  {}/config.toml grants only\n    accounts work\n    GET /api/v2/call\n", scenario.home().display());
    check(&scenario, &["grants:show", "dialpad"], 0, &shown);
    check(&scenario, &["grants:show"], 0, "dailpad\n  Unknown provider: dailpad. Did you mean: dialpad\n");
    let rows = kosmo(&scenario, &["grants:show", "--json"]).json();
    assert_eq!(
        rows["grants"]["dialpad"]["files"][0]["grant"],
        json!({ "accounts": ["work"], "requests": ["GET /api/v2/call"] })
    );
    assert_eq!(rows["grants"]["ringcentral"]["files"], json!([]));
}

#[test]
fn a_check_says_what_would_happen_where_the_permissions_have_a_word() {
    let scenario = Scenario::new();
    let line = ["grants:check", "dialpad", "POST", "/api/v2/sms"];
    check(&scenario, &line, 3, "approval required: POST ");
    check(
        &scenario,
        &line,
        3,
        "(`write = \"allow\"` under [permissions.dialpad] in config.toml: kosmo integrations:configure dialpad --write=allow)",
    );
    scenario.configure("[permissions.dialpad]\nwrite = \"deny\"\n");
    check(&scenario, &line, 3, "denied: POST ");
    let ran = kosmo(&scenario, &[&line[..], &["--json"]].concat()).json();
    assert_eq!((&ran["success"], &ran["verdict"]), (&json!(false), &json!("deny")), "{ran}");
    let refusal = ran["allowed"][0]["refusal"].as_str().unwrap_or_default();
    assert!(refusal.starts_with("Integration 'dialpad' write access denied."), "{ran}");
    scenario.configure("[permissions.dialpad]\nwrite = \"allow\"\n");
    check(&scenario, &line, 0, "allowed: POST ");
}

#[test]
fn a_rule_that_cannot_take_effect_is_added_with_the_reason() {
    let scenario = Scenario::new();
    project(&scenario, "[grants.dialpad]\nrequests = [\"GET /api/v2/call\"]\n");
    let file = format!("{}/.kosmo/config.toml", scenario.home().display());
    let add =
        |rule, flags: &[&str]| kosmo(&scenario, &[&["grants:add", "dialpad", rule, "--json"], flags].concat()).json();
    let added = add("GET /api/v2/users", &["--only"]);
    assert_eq!((&added["outcome"], &added["changed"]), (&json!("listed"), &json!(true)), "{added}");
    let said = format!(
        "{file} lists what dialpad may send in this project, and not this: here it stays denied, unless it is added \
         to `requests` under [grants.dialpad] there."
    );
    assert_eq!(added["obstacles"], json!([said]));
    assert_eq!(eval(&scenario, LIST, &[]).1["fault"]["code"], "denied", "as was said");
    assert_eq!(add("GET /api/v2/call", &[])["obstacles"], json!([]), "the project lists it too");
    let spelled_out = format!("GET {}/api/v2/call", scenario.simulator.dialpad_url());
    assert_eq!(add(&spelled_out, &[])["obstacles"], json!([]), "in another spelling");

    fs::remove_file(&file).expect("a project's file");
    let elsewhere = &add("GET https://dialpad.com/api/v2/call", &[])["obstacles"][0];
    let url = scenario.simulator.dialpad_url();
    let said = format!("No account of dialpad lies there: default is at {url}, support is at {url}, work is at {url}.");
    assert_eq!(elsewhere, &json!(said));
    scenario.write("config.toml", "");
    check(&scenario, &["grants:add", "dialpad", "GET /api/v2/call"], 0, "lies there: none can be used yet.");
}

#[test]
fn a_wrong_rule_is_named_with_its_own_line() {
    let scenario = Scenario::new();
    for (list, line, part) in [
        ("requests = [\n  \"GET /api/v2/call\",\n  \"GET /api/*/x\",\n]", 4, "is not a path pattern"),
        ("requests = [\n  \"GET /api/v2/call\",\n  5,\n]", 4, "expected a rule such as"),
        ("accounts = [\n  \"work\",\n  \"Not a name\",\n]", 4, "lower case"),
    ] {
        scenario.write("config.toml", &format!("[grants.dialpad]\n{list}\n"));
        let ran = kosmo(&scenario, &["grants:show"]);
        let place = format!("config.toml, line {line}: ");
        assert!(ran.code == 1 && ran.stderr.contains(&place) && ran.stderr.contains(part), "{list}: {ran:?}");
    }
}

#[test]
fn a_project_can_only_narrow() {
    let scenario = Scenario::new();
    let send =
        "return app.integrations.ringcentral.send_sms({from = '+16505551234', to = '+16505559876', text = 'x'}).id";
    project(
        &scenario,
        "[permissions.ringcentral]\nwrite = \"allow\"\n[grants.dialpad]\nrequests = [\"GET /api/v2/call\"]\n",
    );
    assert_eq!(eval(&scenario, send, &[]).1["fault"]["code"], "approval_required", "a project allows nothing");
    let (_, envelope) = eval(&scenario, LIST, &[]);
    let cure = "by adding \"GET /api/v2/users\" to `requests` under [grants.dialpad] in .kosmo/config.toml";
    assert!(envelope["error"].as_str().is_some_and(|error| error.ends_with(cure)), "{envelope}");

    project(&scenario, "[permissions.dialpad.functions]\nlist_users = \"deny\"\n");
    let (_, envelope) = eval(&scenario, LIST, &[]);
    let cure = "`list_users = \"allow\"` under [permissions.dialpad.functions] in .kosmo/config.toml";
    assert!(envelope["error"].as_str().is_some_and(|error| error.contains(cure)), "{envelope}");
    assert_eq!(scenario.simulator.requests().len(), 0);

    project(&scenario, "\n[accounts.dialpad.default]\nurl = \"https://evil.test\"\n");
    let ran = kosmo(&scenario, &["integrations:lua", "-e", "return 1"]);
    let refused = ".kosmo/config.toml, line 2: [accounts] cannot stand in a project's file";
    assert!(ran.code == 1 && ran.stderr.contains(refused), "{ran:?}");
}
