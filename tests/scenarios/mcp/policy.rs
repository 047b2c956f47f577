//! Trust, permissions, force, references: what the operator said, and what is told to whom.

use super::{entry, fault, run, scenario_with, value};
use kosmo::{Approval, Approvals, Approver, Approving, Code, Outcome, Question, Script, Topic};
use kosmo_tests::Scenario;
use serde_json::json;
use std::sync::{Arc, Mutex};

const SECRET: &str = "s3cr3t-of-the-server-77";

fn project(manner: &str, settings: &str) -> Scenario {
    let scenario = scenario_with(json!({}), settings);
    scenario.write(".mcp.json", &json!({"mcpServers": {"p": entry(manner, json!({}))}}).to_string());
    scenario
}

#[test]
fn without_a_word_nothing_is_run() {
    let scenario = scenario_with(json!({"s": entry("good", json!({}))}), "");
    let read = fault(&scenario, "app.mcp.s.echo({message = 'x'})");
    let expected = "MCP server 's' read requires approval (`read = \"ask\"` under [mcp.servers.s.permissions] in \
        config.toml). Ask the user to allow it: `read = \"allow\"` under [mcp.servers.s.permissions] in config.toml: \
        kosmo permissions:set mcp.s.read allow.";
    assert_eq!((read.code, read.message.as_str()), (Code::ApprovalRequired, expected));
    assert!(
        fault(&scenario, "app.mcp.s.create_issue({title = 'x'})")
            .message
            .starts_with("MCP server 's' write requires approval")
    );
    assert!(fault(&scenario, "mcp.resources('s')").message.starts_with("MCP server 's' read requires approval"));
}

#[test]
fn reads_and_writes_and_single_tools_are_permitted_apart() {
    let settings = "[mcp.servers.s.permissions]\nread = \"allow\"\nwrite = \"deny\"\n[mcp.servers.s.permissions.tools]\nimage = \"deny\"\n";
    let scenario = scenario_with(json!({"s": entry("good", json!({}))}), settings);
    assert_eq!(value(&scenario, "return app.mcp.s.echo({message = 'x'})"), json!("x"));
    assert_eq!(fault(&scenario, "app.mcp.s.create_issue({title = 'x'})").code, Code::Denied);
    let denied = fault(&scenario, "app.mcp.s.image({})");
    assert!(
        denied.message.contains("`image = \"deny\"` under [mcp.servers.s.permissions.tools] in config.toml"),
        "{denied}"
    );
}

#[test]
fn a_projects_server_needs_a_review_and_any_change_another() {
    let scenario = project("good", "permissions_default = \"allow\"\n");
    let script = ["mcp:lua", "--eval", "return app.mcp.p.echo({message = 'x'})", "--json"];
    let ran = scenario.kosmo(&script).json();
    let message = ran["fault"]["message"].as_str().unwrap_or_default();
    let expected = "Project MCP server 'p' is not trusted. Run `kosmo mcp:trust p --project --json` after reviewing \
        .mcp.json, or pass --force for trusted automation.";
    assert!(message.starts_with(expected), "{ran}");
    assert_eq!(ran["fault"]["code"], json!("denied"));

    let root = scenario.home().canonicalize().expect("a home");
    let config = kosmo::mcp::config::McpConfig::load(None, &root);
    let fingerprint = &config.servers["p"].fingerprint;
    let trust = format!(
        "[mcp]\npermissions_default = \"allow\"\n[mcp.trust.p]\n{:?} = {fingerprint:?}\n",
        root.display().to_string()
    );
    scenario.configure(&trust);
    assert_eq!(scenario.kosmo(&script).json()["result"], json!(["x"]));

    scenario.write(".mcp.json", &json!({"mcpServers": {"p": entry("good", json!({"env": {"A": "1"}}))}}).to_string());
    let ran = scenario.kosmo(&script).json();
    assert!(ran["error"].as_str().unwrap_or_default().contains("It was changed since it was trusted."), "{ran}");
}

#[test]
fn force_for_integrations_is_not_force_for_servers() {
    let scenario = scenario_with(json!({"s": entry("good", json!({}))}), "");
    let lua = |command: &str, code: &str, environment: &[(&str, &str)]| {
        scenario.kosmo_with(&[command, "--eval", code, "--force", "--json"], environment, None).json()
    };
    assert_eq!(lua("integrations:lua", "return 1", &[])["result"], json!([1]));
    let call = "return app.mcp.s.echo({message = 'x'})";
    for command in ["integrations:lua", "mcp:lua"] {
        let refused = lua(command, call, &[]);
        let message = refused["error"].as_str().unwrap_or_default();
        assert!(
            message.starts_with(
                "MCP --force bypass is disabled. Set kosmo.mcp.allow_force_bypass=true only for trusted automation"
            ),
            "{refused}"
        );
    }
    assert_eq!(lua("mcp:lua", call, &[("KOSMO_MCP_ALLOW_FORCE", "1")])["result"], json!(["x"]));
    scenario.configure("[mcp]\nallow_force_bypass = true\n");
    assert_eq!(lua("integrations:lua", call, &[])["result"], json!(["x"]));
}

struct Answers(Approval, Mutex<Vec<Question>>);

impl Approver for Answers {
    fn approve<'a>(&'a self, question: &'a Question) -> Approving<'a> {
        self.1.lock().expect("no panic while it was held").push(question.clone());
        Box::pin(async { self.0 })
    }
}

/// What a script comes to where everything is answered so, and what was asked.
fn asked(scenario: &Scenario, answer: Approval, code: &str) -> (Outcome, Vec<Question>) {
    let answers = Arc::new(Answers(answer, Mutex::default()));
    let host = scenario.host();
    let session = host.session().approvals(&Approvals::new(Arc::clone(&answers) as Arc<dyn Approver>)).build();
    let outcome = session.run_blocking(Script::new("x", code));
    host.block_on(host.mcp().close());
    let asked = answers.1.lock().expect("no panic while it was held").clone();
    (outcome, asked)
}

#[test]
fn what_is_always_read_lets_no_tool_of_the_same_name_run() {
    let scenario = scenario_with(json!({"s": entry("namesakes", json!({}))}), "");
    let code = "mcp.resources('s') mcp.read_resource('s', 'note://one') mcp.get_prompt('s', 'greet', {who = 'you'})\n\
        mcp.call('s.resources/list', {}) return 'done'";
    let (outcome, questions) = asked(&scenario, Approval::Always, code);
    assert!(outcome.success, "{:?}", outcome.error);
    let of = |question: &Question| (question.topic, question.function.clone(), json!(question.arguments));
    let expected = [
        (Topic::Reading, "resources/list".to_owned(), json!({})),
        (Topic::Reading, "resources/read".into(), json!({"uri": "note://one"})),
        (Topic::Reading, "prompts/get".into(), json!({"name": "greet", "arguments": {"who": "you"}})),
        (Topic::Tool, "resources/list".into(), json!({})),
    ];
    assert_eq!(questions.iter().map(of).collect::<Vec<_>>(), expected);
}

#[test]
fn a_server_that_may_do_nothing_is_not_started_and_tells_no_names() {
    let pids = |scenario: &Scenario| scenario.home().join("pids").exists();
    let server = |scenario: &Scenario, settings: &str| {
        let env = json!({"env": {"PID_FILE": scenario.home().join("pids")}});
        scenario.configure(&format!("[mcp]\n{settings}"));
        scenario.write("mcp.json", &json!({"mcpServers": {"s": entry("good", env)}}).to_string());
    };
    let scenario = Scenario::new();
    server(&scenario, "permissions_default = \"deny\"\n");
    let denied = fault(&scenario, "app.mcp.s.nonesuch({})");
    assert_eq!((denied.code, pids(&scenario)), (Code::Denied, false), "{denied}");
    server(&scenario, "[mcp.servers.s.permissions]\nread = \"deny\"\nwrite = \"allow\"\n");
    let unknown = fault(&scenario, "app.mcp.s.create_isue({})");
    assert_eq!((unknown.code, pids(&scenario)), (Code::Unknown, true), "{unknown}");
    assert!(!unknown.message.contains("create_issue"), "{unknown}");
}

#[test]
fn scripts_see_no_secret_in_the_arguments_of_servers() {
    let args = json!(["good", "--token", "literal-value-77", "--verbose=yes"]);
    let scenario = scenario_with(json!({"s": entry("good", json!({ "args": args }))}), "");
    assert_eq!(value(&scenario, "return mcp.servers().s.args"), json!(["good", "--token", "***", "--verbose=yes"]));
}

#[test]
fn whoever_can_be_asked_is_asked() {
    let scenario = scenario_with(json!({"s": entry("good", json!({}))}), "");
    let code = "for turn = 1, 2 do app.mcp.s.create_issue({title = 'x'}) end return 'done'";
    let ask = |answer: Approval| asked(&scenario, answer, code);
    let (outcome, asked) = ask(Approval::Once);
    assert!(outcome.success, "{:?}", outcome.error);
    assert_eq!(asked.len(), 2);
    let question = &asked[0];
    assert_eq!((question.provider.as_str(), question.function.as_str()), ("mcp.s", "create_issue"));
    assert_eq!(question.arguments.get("title"), Some(&json!("x")));
    assert_eq!(question.topic, Topic::Tool);
    assert_eq!(ask(Approval::Always).1.len(), 1);
    let (outcome, _) = ask(Approval::No);
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::Denied));
    let (outcome, _) = ask(Approval::Unanswered);
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::ApprovalRequired));
}

#[test]
fn a_server_that_is_disabled_says_so() {
    let scenario =
        scenario_with(json!({"s": entry("good", json!({"disabled": true}))}), "permissions_default = \"allow\"\n");
    let fault = fault(&scenario, "app.mcp.s.echo({})");
    assert_eq!(fault.message, "MCP server 's' is disabled. Enable it with: kosmo mcp:enable s");
}

#[test]
fn a_servers_environment_is_small_and_its_references_are_resolved() {
    let env = json!({"PLAIN": "p", "FROM": "${KOSMO_MCP_X}", "OURS": "${TOKEN:-none}"});
    let scenario = scenario_with(
        json!({"s": entry("good", json!({"env": env}))}),
        "permissions_default = \"allow\"\nallowed_env = [\"TOKEN\"]\n",
    );
    let variables = [("KOSMO_MCP_X", "from outside"), ("DIALPAD_ACCESS_TOKEN", "not-for-servers"), ("LANG", "C")];
    let ran =
        scenario.kosmo_with(&["mcp:lua", "--eval", "return app.mcp.s.environment({})", "--json"], &variables, None);
    let mut names: Vec<_> = ran.json()["result"][0]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect();
    names.sort();
    let home = format!("HOME={}", scenario.home().display());
    assert_eq!(
        names,
        ["FROM=[redacted]".to_owned(), home, "LANG=C".into(), "OURS=none".into(), "PLAIN=p".into()],
        "{ran:?}"
    );
    let refused = scenario_with(
        json!({"s": entry("good", json!({"env": {"A": "$DIALPAD_ACCESS_TOKEN"}}))}),
        "permissions_default = \"allow\"\n",
    );
    let fault = fault(&refused, "app.mcp.s.echo({message = 'x'})");
    assert!(fault.message.starts_with("MCP env reference 'DIALPAD_ACCESS_TOKEN' is not allowed"), "{fault}");
}

#[test]
fn what_an_editor_asks_for_and_reads_from_a_file_is_kept_here_and_told_to_the_server() {
    let scenario = Scenario::new();
    let server = entry("good", json!({"env": {"KEY": "${input:api key}", "PLAIN": "named"}, "envFile": "more.env"}));
    let inputs = json!([{"type": "promptString", "id": "api key", "password": true}]);
    std::fs::create_dir(scenario.home().join(".vscode")).expect("a writable folder");
    scenario.write(".vscode/mcp.json", &json!({"inputs": inputs, "servers": {"s": server}}).to_string());
    let kosmo = |arguments: &[&str]| scenario.kosmo(arguments);
    kosmo(&["mcp:trust", "s"]);
    kosmo(&["mcp:configure", "s", "--read=allow"]);
    let call = ["mcp:lua", "--eval", "return app.mcp.s.environment({})", "--json"];
    let error = || kosmo(&call).json()["error"].as_str().unwrap_or_default().to_owned();
    assert!(error().contains("Set it with: kosmo mcp:secret:set s api_key"), "{}", error());
    kosmo(&["mcp:secret:set", "s", "api_key", SECRET]);
    assert!(error().contains(".vscode/more.env: there is no such file"), "{}", error());
    let status = kosmo(&["mcp:status", "s", "--json"]).json()["servers"]["s"].clone();
    assert_eq!((&status["status"], &status["env_file"]), (&json!("incomplete"), &json!("more.env")), "{status}");

    scenario.write(".vscode/more.env", "# ours\nexport TOKEN='of-the-file-77'\nPLAIN=overridden\nHOST=$LOGNAME\n");
    kosmo(&["mcp:trust", "s"]);
    let ran = kosmo(&call).stdout;
    for part in ["KEY=[redacted]", "TOKEN=[redacted]", "PLAIN=named"] {
        assert!(ran.contains(part), "{part}: {ran}");
    }
    assert!(!ran.contains("of-the-file-77") && !ran.contains(SECRET), "{ran}");
    let code = "return app.mcp.s.echo({message = 'of-the-' .. 'file-77'})";
    assert!(kosmo(&["mcp:lua", "--eval", code, "--json"]).stdout.contains("[redacted]"));
    let changed = entry("good", json!({"envFile": "other.env"}));
    scenario.write(".vscode/mcp.json", &json!({"servers": {"s": changed}}).to_string());
    let changed = kosmo(&["mcp:status", "s"]).stdout;
    assert!(changed.contains("`envFile` was \"more.env\" and is \"other.env\""), "{changed}");
}

#[test]
fn what_a_projects_file_sets_is_trusted_with_its_entry_and_a_homes_own_is_free_to_change() {
    let scenario = scenario_with(json!({"own": entry("good", json!({"envFile": "own.env"}))}), "");
    let servers = json!({"s": entry("good", json!({"envFile": ".env"}))});
    scenario.write(".mcp.json", &json!({ "mcpServers": servers }).to_string());
    let kosmo = |arguments: &[&str]| scenario.kosmo(arguments);
    let status = |server: &str| kosmo(&["mcp:status", server, "--json"]).json()["servers"][server].clone();
    let error = || {
        let ran = kosmo(&["mcp:lua", "--eval", "return app.mcp.s.environment({})", "--json"]).json();
        ran["error"].as_str().unwrap_or_default().to_owned()
    };
    for server in ["s", "own"] {
        kosmo(&["mcp:configure", server, "--read=allow"]);
    }
    scenario.write(".env", "MODE=harmless-77\nGONE=1\n");
    scenario.write("own.env", "MODE=1\n");
    let trusted = kosmo(&["mcp:trust", "s"]).stdout;
    assert!(
        trusted.contains("  environment MODE: *** in that file\n") && !trusted.contains("harmless-77"),
        "{trusted}"
    );
    assert_eq!((&status("s")["status"], &status("s")["env_in_file"]), (&json!("active"), &json!(["GONE", "MODE"])));
    assert_eq!(error(), "");

    scenario.write(".env", "MODE=other\nPATH=/repo/bin:/usr/bin:/bin\n");
    let changed = json!(["`envFile.GONE` was taken away", "`envFile.MODE` was changed", "`envFile.PATH` was added"]);
    assert_eq!((&status("s")["status"], &status("s")["changed"]), (&json!("changed"), &changed));
    assert!(error().contains("It was changed since it was trusted."), "{}", error());
    scenario.write(".env", "# the same\nGONE=1\nMODE=harmless-77\n");
    assert_eq!(status("s")["status"], json!("active"));
    std::fs::remove_file(scenario.home().join(".env")).expect("ours");
    assert_eq!(status("s")["status"], json!("changed"));

    scenario.write("own.env", "MODE=2\n");
    assert_eq!((&status("own")["status"], &status("own")["env_in_file"]), (&json!("active"), &json!(null)));
}

#[test]
fn a_secret_goes_to_the_server_and_comes_back_to_nobody() {
    let scenario = scenario_with(
        json!({"s": entry("good", json!({"env": {"KEY": "$KOSMO_MCP_KEY"}}))}),
        "permissions_default = \"allow\"\n",
    );
    let run =
        |code: &str| scenario.kosmo_with(&["mcp:lua", "--eval", code, "--json"], &[("KOSMO_MCP_KEY", SECRET)], None);
    let ran = run("return app.mcp.s.environment({})");
    assert!(ran.stdout.contains("KEY=[redacted]") && !ran.stdout.contains(SECRET), "{ran:?}");
    let ran = run(&format!("return app.mcp.s.echo({{message = '{SECRET}'}})"));
    assert!(ran.stdout.contains("[redacted]") && !ran.stdout.contains(SECRET), "{ran:?}");
}

#[test]
fn a_secret_of_several_words_or_lines_comes_back_to_nobody() {
    const PHRASE: &str = "correct horse battery staple";
    const LINES: &str = "first line of a key\nsecond line of a key";
    let variables = [("KOSMO_MCP_GH_PAT", PHRASE), ("KOSMO_MCP_PEM", LINES), ("KOSMO_MCP_ARG", "argument-77")];
    let env = json!({"PAT": "${KOSMO_MCP_GH_PAT}", "PEM": "${KOSMO_MCP_PEM}"});
    let servers = |manner: &str| {
        let args = json!([manner, "${KOSMO_MCP_ARG}", "--token", "literal-value-77"]);
        scenario_with(
            json!({"s": entry(manner, json!({"env": env, "args": args}))}),
            "permissions_default = \"allow\"\n",
        )
    };
    let scenario = servers("good");
    let run = |code: &str| scenario.kosmo_with(&["mcp:lua", "--eval", code, "--json"], &variables, None).stdout;
    let ran = run("return app.mcp.s.environment({})");
    assert!(!ran.contains("horse") && !ran.contains("of a key"), "{ran}");
    let code =
        "return app.mcp.s.echo({message = 'argument' .. '-77 literal' .. '-value-77 second' .. ' line of a key'})";
    let ran = run(code);
    assert!(ran.contains("[redacted] [redacted] [redacted]"), "{ran}");
    let code = "return app.mcp.s.echo({message = 'x'})";
    let failed = servers("quoting").kosmo_with(&["mcp:lua", "--eval", code, "--json"], &variables, None).stdout;
    assert!(failed.contains("It last said: [redacted]") && !failed.contains("horse"), "{failed}");
}

#[test]
fn what_is_asked_of_servers_is_on_record() {
    let scenario =
        scenario_with(json!({"s": entry("good", json!({}))}), "[mcp.servers.s.permissions]\nread = \"allow\"\n");
    run(&scenario, "app.mcp.s.echo({message = 'x'}) app.mcp.s.create_issue({title = 'x'})");
    let records = scenario.kosmo(&["audit", "--json"]).stdout;
    for part in [
        "\"provider\": \"mcp.s\"",
        "\"function\": \"echo\"",
        "\"decision\": \"allowed\"",
        "\"decision\": \"approval_required\"",
    ] {
        assert!(records.contains(part) || records.contains(&part.replace("\": ", "\":")), "{part} in {records}");
    }
}

#[test]
fn a_dry_run_reads_and_writes_nothing() {
    let scenario = scenario_with(json!({"s": entry("good", json!({}))}), "permissions_default = \"allow\"\n");
    let code = "return {app.mcp.s.echo({message = 'read'}), app.mcp.s.create_issue({title = 'x'}).dry_run}";
    let ran = scenario.kosmo(&["integrations:lua", "--eval", code, "--dry-run", "--json"]).json();
    assert_eq!(ran["result"], json!([["read", true]]), "{ran}");
}
