//! `mcp:*` commands that change which servers there are: what they write, what they refuse, and what they leave alone.

use super::{CANARY, check, kosmo, kosmo_with};
use kosmo_tests::{Ran, Scenario, Terminal, Transcript};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

/// What stands in a project's file looks like a secret and is none of ours.
const WRITTEN: &str = "0123456789-written";

fn file(scenario: &Scenario, name: &str) -> String {
    fs::read_to_string(scenario.home().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[track_caller]
fn done(scenario: &Scenario, arguments: &[&str]) -> Ran {
    let ran = kosmo(scenario, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
    ran
}

#[track_caller]
fn refused(scenario: &Scenario, arguments: &[&str], code: i32, part: &str) {
    let ran = kosmo(scenario, arguments);
    assert!(ran.code == code && ran.stderr.contains(part) && ran.stdout.is_empty(), "{arguments:?}: {ran:?}");
}

/// `mcp:status SERVER --json`, of that server.
#[track_caller]
fn standing(scenario: &Scenario, server: &str) -> Value {
    done(scenario, &["mcp:status", server, "--json"]).json()["servers"][server].clone()
}

#[test]
fn managing_servers_reads_as_it_is_documented() {
    let scenario = Scenario::empty();
    let mut transcript = Transcript::new(&scenario);
    for form in [&[][..], &["--json"]] {
        let mut run = |arguments: &[&str]| transcript.run(&[arguments, form].concat());
        run(&["mcp:list"]);
        run(&["mcp:doctor"]);
        run(&["mcp:add", "files", "npx", "--arg=-y", "--arg=server", "--project", "--env", "ROOT=."]);
        run(&["mcp:add", "docs", "https://mcp.example.test/mcp", "--header", "Authorization", "--read=allow"]);
        run(&["mcp:trust", "files"]);
        run(&["mcp:secret:set", "docs", "Authorization", "--env", "DOCS_TOKEN"]);
        run(&["mcp:secret:list"]);
        run(&["mcp:configure", "files", "--read=allow", "--write=deny", "--tool", "wipe=ask"]);
        run(&["mcp:disable", "docs"]);
        run(&["mcp:list"]);
        run(&["mcp:list", "--all"]);
        run(&["mcp:enable", "docs"]);
        run(&["mcp:status"]);
        run(&["mcp:doctor"]);
        run(&["mcp:export"]);
        run(&["mcp:export", "--format=vscode"]);
        run(&["mcp:secret:unset", "docs", "Authorization"]);
        run(&["mcp:untrust", "files"]);
        run(&["mcp:remove", "files"]);
        run(&["mcp:remove", "docs"]);
        scenario.write("config.toml", "");
    }
    transcript.compare("mcp_manage");
}

#[test]
fn servers_with_places_of_their_own_read_as_they_are_documented() {
    let scenario = Scenario::empty();
    let kept = json!({"command": "no-such-program", "cwd": "tools", "envFile": "kept.env"});
    let server = scenario.home().join("server");
    symlink(env!("CARGO_BIN_EXE_misbehaving-server"), &server).expect("a writable folder");
    let good = json!({"command": server, "args": ["good"]});
    scenario.write("mcp.json", &json!({"mcpServers": {"kept": kept, "good": good}}).to_string());
    fs::create_dir(scenario.home().join("tools")).expect("a writable folder");
    scenario.write("kept.env", "ROOT=.\n");
    scenario.write("theirs.env", "WHERE=there\n");
    let theirs = json!({"command": "one", "envFile": "theirs.env"});
    scenario.write(".mcp.json", &json!({"mcpServers": {"theirs": theirs}}).to_string());
    let mut transcript = Transcript::new(&scenario);
    for (form, exported) in [(&[][..], "people.json"), (&["--json"], "programs.json")] {
        let mut run = |arguments: &[&str]| transcript.run(&[arguments, form].concat());
        run(&["mcp:configure", "kept", "--read=allow"]);
        run(&["mcp:configure", "good", "--read=allow"]);
        run(&["mcp:status", "kept"]);
        run(&["mcp:status", "theirs"]);
        run(&["mcp:doctor", "--probe"]);
        run(&["mcp:configure", "good", "--read=ask"]);
        run(&["mcp:doctor", "--probe"]);
        run(&["mcp:secret:set", "theirs", "KEY", "--env", "THEIR_KEY"]);
        run(&["mcp:secret:list"]);
        run(&["mcp:secret:unset", "theirs", "KEY"]);
        run(&["mcp:export", "--path", exported]);
        run(&["mcp:gateway:export", "--client", "cursor", "--command", "kosmo"]);
        run(&["mcp:preset", "add", "parallel", "--replace"]);
    }
    transcript.compare("mcp_places");
}

#[test]
fn presets_examples_and_imports_read_as_they_are_documented() {
    let scenario = Scenario::empty();
    let mut transcript = Transcript::new(&scenario);
    let foreign = json!({
        "inputs": [{"type": "promptString", "id": "key", "password": true}],
        "servers": {
            "plain": {"command": "one", "env": {"API_TOKEN": CANARY}},
            "asked": {"type": "http", "url": "https://mcp.example.test", "headers": {"X-Key": "${input:key}"}},
            "keyed": {"url": format!("https://mcp.example.test/?api_key={CANARY}")},
            "odd name": {"command": "two"},
            "empty": {},
        },
    });
    scenario.write("foreign.json", &foreign.to_string());
    for form in [&[][..], &["--json"]] {
        let mut run = |arguments: &[&str]| transcript.run(&[arguments, form].concat());
        run(&["mcp:examples"]);
        run(&["mcp:preset", "list"]);
        run(&["mcp:preset", "add", "tavily", "--replace"]);
        run(&["mcp:preset", "add", "travily"]);
        run(&["mcp:import", "foreign.json"]);
        run(&["mcp:import", "foreign.json"]);
        run(&["mcp:import", "absent.json"]);
        run(&["mcp:export", "--path", "exported.json"]);
        scenario.write("mcp.json", "{}");
    }
    transcript.compare("mcp_transfer");
    scenario.write(
        "config2.toml",
        "[mcp_servers.codex]\ncommand = \"npx\"\nargs = [\"-y\"]\nenv = { API_TOKEN = \"s3cr3t-canary-b81f\" }\n",
    );
    let ran = done(&scenario, &["mcp:import", "config2.toml", "--json"]).json();
    assert_eq!((&ran["added"], &ran["sealed"]), (&json!(["codex"]), &json!(["codex.API_TOKEN"])));
    assert!(!file(&scenario, "mcp.json").contains(CANARY));
}

#[test]
fn refusals_read_as_they_are_documented() {
    let scenario = Scenario::empty();
    scenario.write("mcp.json", "{\"mcpServers\": {\"files\": {\"command\": \"one\"}}}\n");
    scenario.write(".mcp.json", "{\n  \"mcpServers\": {\n    \"broken\" 1\n");
    let before = file(&scenario, "mcp.json");
    let mut transcript = Transcript::new(&scenario);
    for form in [&[][..], &["--json"]] {
        let mut run = |arguments: &[&str]| transcript.run(&[arguments, form].concat());
        run(&["mcp:add", "s"]);
        run(&["mcp:add", "a.b", "x"]);
        run(&["mcp:add", "files", "x"]);
        run(&["mcp:add", "s", "x", "--env", "API_TOKEN=0123456789"]);
        run(&["mcp:add", "s", "x", "--project"]);
        run(&["mcp:remove", "fils"]);
        run(&["mcp:disable", "fils", "--global"]);
        run(&["mcp:status", "fils"]);
        run(&["mcp:trust", "fils"]);
        run(&["mcp:configure", "files"]);
        run(&["mcp:configure", "fils", "--read=allow"]);
        run(&["mcp:secret:set", "files", "KEY"]);
        run(&["mcp:secret:set", "files", "K.Y", "--env", "KEY"]);
        run(&["mcp:secret:unset", "files", "KEY"]);
        run(&["mcp:preset", "add"]);
        run(&["mcp:doctor"]);
    }
    transcript.compare("mcp_refusals");
    assert_eq!(file(&scenario, "mcp.json"), before);
}

#[test]
fn a_files_other_content_stays_as_it_is() {
    let scenario = Scenario::empty();
    let before = "// mine\n{\n\t\"theme\" : \"dark\", /* as it is */\n\t\"mcpServers\": {\n\t\t\"a\": { \"command\":\"one\" } // why\n\t}\n}\n";
    scenario.write(".mcp.json", before);
    done(&scenario, &["mcp:add", "b", "two", "--project"]);
    let after = file(&scenario, ".mcp.json");
    let head = before.split(" // why").next().expect("a beginning");
    assert!(after.starts_with(head) && after.contains("// why") && after.contains("\n\t\t\"b\": {"), "{after}");
    done(&scenario, &["mcp:disable", "a"]);
    assert!(file(&scenario, ".mcp.json").contains("\"enabled\": false"));
    done(&scenario, &["mcp:enable", "a"]);
    done(&scenario, &["mcp:remove", "b"]);
    let after = file(&scenario, ".mcp.json");
    assert!(after.contains("\"theme\" : \"dark\", /* as it is */") && !after.contains("\"b\""), "{after}");
}

#[test]
fn a_servers_switch_is_moved_where_it_stands() {
    let scenario = Scenario::empty();
    fs::create_dir(scenario.home().join(".cursor")).expect("a writable folder");
    scenario.write(".cursor/mcp.json", "{\"mcpServers\": {\"a\": {\"command\": \"one\", \"disabled\": true}}}\n");
    done(&scenario, &["mcp:enable", "a"]);
    assert_eq!(
        file(&scenario, ".cursor/mcp.json"),
        "{\"mcpServers\": {\"a\": {\"command\": \"one\", \"disabled\": false}}}\n"
    );
    let ran = done(&scenario, &["mcp:enable", "a", "--json"]);
    assert_eq!(ran.json()["changed"], json!(false));
    refused(&scenario, &["mcp:enable", "a", "--project"], 1, "There is no MCP server `a` in");
}

#[test]
fn the_homes_file_is_the_users_own_and_a_projects_stays_as_readable_as_it_is() {
    let scenario = Scenario::empty();
    let mode = |name: &str| fs::metadata(scenario.home().join(name)).expect("a file").permissions().mode() & 0o777;
    scenario.write(".mcp.json", "{}");
    fs::set_permissions(scenario.home().join(".mcp.json"), PermissionsExt::from_mode(0o664)).expect("ours");
    done(&scenario, &["mcp:add", "a", "one"]);
    done(&scenario, &["mcp:add", "b", "two", "--project"]);
    assert_eq!((mode("mcp.json"), mode(".mcp.json")), (0o600, 0o664));
}

#[test]
fn trust_is_for_the_entry_as_it_was_reviewed() {
    let scenario = Scenario::empty();
    let write = |arguments: &str, token: &str| {
        let entry = json!({"command": "one", "args": [arguments], "env": {"API_TOKEN": token}});
        scenario.write(".mcp.json", &json!({"mcpServers": {"a": entry}}).to_string());
    };
    write("first", WRITTEN);
    let status = |key: &str| standing(&scenario, "a")[key].clone();
    assert_eq!(
        (status("status"), status("next_commands")[0].clone()),
        (json!("untrusted"), json!("kosmo mcp:trust a"))
    );
    let fingerprint = status("fingerprint");
    let fingerprint = fingerprint.as_str().expect("a fingerprint");
    refused(&scenario, &["mcp:trust", "a", "--fingerprint", "00"], 1, "Review it again");
    assert_eq!(status("status"), json!("untrusted"));
    let ran = done(&scenario, &["mcp:trust", "a", "--project", "--fingerprint", fingerprint, "--json"]);
    assert_eq!((&ran.json()["fingerprint"], &ran.json()["scope"]), (&json!(fingerprint), &json!("project")));
    assert_eq!(status("status"), json!("active"));

    write("second", "another-canary");
    assert_eq!(status("status"), json!("changed"));
    let token = format!("`env.API_TOKEN` was \"{WRITTEN}\" and is \"another-canary\"");
    assert_eq!(status("changed"), json!(["`args` was [\"first\"] and is [\"second\"]", token]));
    assert_eq!(status("env"), json!({"API_TOKEN": "another-canary"}));
    write("first", WRITTEN);
    assert_eq!(status("status"), json!("active"), "as it was reviewed");
    done(&scenario, &["mcp:disable", "a"]);
    done(&scenario, &["mcp:enable", "a"]);
    assert_eq!(status("status"), json!("active"), "what it runs did not change");
    done(&scenario, &["mcp:untrust", "a"]);
    assert_eq!(status("status"), json!("untrusted"));
    for name in ["config.toml", "kosmo.db"] {
        let bytes = fs::read(scenario.home().join(name)).expect("a file");
        assert!(!bytes.windows(WRITTEN.len()).any(|window| window == WRITTEN.as_bytes()), "{name}");
    }
}

#[test]
fn trust_given_in_one_project_counts_for_no_other() {
    let scenario = Scenario::empty();
    for project in ["one", "two"] {
        fs::create_dir_all(scenario.home().join(project).join(".git")).expect("a writable folder");
        scenario.write(&format!("{project}/.mcp.json"), "{\"mcpServers\": {\"a\": {\"command\": \"./a.sh\"}}}");
    }
    let run = |project: &str, arguments: &str| {
        let kosmo = scenario.shell(&format!("cd {project} && kosmo {arguments}"));
        assert_eq!(kosmo.code, 0, "{kosmo:?}");
        kosmo
    };
    run("one", "mcp:trust a");
    let status = |project| run(project, "mcp:status a --json").json()["servers"]["a"]["status"].clone();
    assert_eq!((status("one"), status("two")), (json!("active"), json!("untrusted")));
}

#[test]
fn a_probe_asks_what_may_be_asked_and_says_what_came_of_it() {
    let scenario = Scenario::empty();
    let program = env!("CARGO_BIN_EXE_misbehaving-server");
    let entry = |manner: &str| json!({"command": program, "args": [manner]});
    let own = json!({"good": entry("good"), "broken": {"command": "no-such-program"}, "asked": entry("good")});
    scenario.write("mcp.json", &json!({ "mcpServers": own }).to_string());
    scenario.write(".mcp.json", &json!({"mcpServers": {"theirs": entry("good")}}).to_string());
    for server in ["good", "broken"] {
        done(&scenario, &["mcp:configure", server, "--read=allow"]);
    }
    let probed = done(&scenario, &["mcp:doctor", "--probe", "--json"]).json()["servers"].clone();
    let probe = |server: &str| probed[server]["probe"].clone();
    assert!(probe("good")["tools"].as_u64().is_some_and(|tools| tools > 0), "{probed}");
    assert_eq!((&probe("good")["ok"], &probe("theirs")), (&json!(true), &json!(null)), "{probed}");
    let error = |server: &str| probe(server)["error"].as_str().unwrap_or_default().to_owned();
    assert!(error("broken").contains("no-such-program"), "{probed}");
    assert_eq!((&probe("broken")["ok"], &probe("asked")["ok"]), (&json!(false), &json!(null)), "{probed}");
    assert!(error("asked").contains("requires approval"), "{probed}");
    let text = done(&scenario, &["mcp:doctor", "--probe"]).stdout;
    assert!(text.contains("it answers, and has ") && text.contains("it does not answer: "), "{text}");
    assert!(text.contains("not asked: ") && text.matches("it does not answer").count() == 1, "{text}");
    let unasked = done(&scenario, &["mcp:doctor", "--json"]).json()["servers"]["good"]["probe"].clone();
    assert_eq!(unasked, json!(null));
}

#[test]
fn secrets_are_sealed_and_never_come_out() {
    let scenario = Scenario::empty();
    done(&scenario, &["mcp:add", "a", "one", "--env", "API_TOKEN"]);
    assert_eq!(standing(&scenario, "a")["status"], json!("incomplete"));
    let piped =
        kosmo_with(&scenario, &["mcp:secret:set", "a", "API_TOKEN", "--stdin"], &[], Some(&format!("{CANARY}\n")));
    check(&piped, 0, "Kept. An entry of a refers to it as @secret:mcp.a.API_TOKEN\n", "");
    assert_eq!(standing(&scenario, "a")["status"], json!("active"));
    let typed = kosmo(&scenario, &["mcp", "secret:set", "a", "OTHER", CANARY]);
    assert!(typed.code == 0 && typed.stderr.contains("use --stdin"), "{typed:?}");
    let listed = done(&scenario, &["mcp", "secret", "list", "--json"]).json();
    let keys: Vec<_> = listed["secrets"].as_array().into_iter().flatten().map(|row| &row["key"]).collect();
    assert_eq!(keys, ["API_TOKEN", "OTHER"]);
    done(&scenario, &["mcp:list"]);
    done(&scenario, &["mcp:doctor", "--json"]);
    done(&scenario, &["mcp:export"]);
    for entry in fs::read_dir(scenario.home()).expect("a folder").flatten().filter(|entry| entry.path().is_file()) {
        let bytes = fs::read(entry.path()).expect("a file");
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "{entry:?}");
    }
    done(&scenario, &["mcp:secret:unset", "a", "API_TOKEN"]);
    assert_eq!(standing(&scenario, "a")["status"], json!("incomplete"));
}

#[test]
fn a_secret_that_a_variable_holds_is_known_by_its_name_alone() {
    let scenario = Scenario::empty();
    done(&scenario, &["mcp:add", "a", "one", "--env", "API_TOKEN"]);
    done(&scenario, &["mcp:secret:set", "a", "API_TOKEN", "--env", "SOME_TOKEN"]);
    let is_set = |environment: &[(&str, &str)]| {
        let ran = kosmo_with(&scenario, &["mcp:secret:list", "--json"], environment, None);
        let status = kosmo_with(&scenario, &["mcp:status", "a", "--json"], environment, None);
        (ran.json()["secrets"][0]["set"].clone(), status.json()["servers"]["a"]["status"].clone())
    };
    assert_eq!(is_set(&[]), (json!(false), json!("incomplete")));
    assert_eq!(is_set(&[("SOME_TOKEN", CANARY)]), (json!(true), json!("active")));
}

#[test]
fn a_secret_can_be_typed_unseen() {
    let scenario = Scenario::empty();
    let mut terminal = Terminal::start(&scenario, &["mcp:secret:set", "a", "API_TOKEN"]);
    terminal.wait_for("API_TOKEN of a (not shown): ");
    terminal.press(&format!("{CANARY}\n"));
    let (code, screen) = terminal.end();
    assert!(code == 0 && !screen.contains(CANARY) && screen.contains("@secret:mcp.a.API_TOKEN"), "{screen}");
}

#[test]
fn permissions_stand_in_the_homes_own_file_and_comments_stay() {
    let scenario = Scenario::empty();
    scenario.write("config.toml", "# mine\n[mcp.servers.a.permissions] # why\nread = \"ask\" # for now\n");
    done(&scenario, &["mcp:add", "a", "one", "--write=deny"]);
    done(&scenario, &["mcp:configure", "a", "--read=allow"]);
    let written = file(&scenario, "config.toml");
    assert_eq!(written, "# mine\n[mcp.servers.a.permissions] # why\nread = \"allow\" # for now\nwrite = \"deny\"\n");
    assert!(!file(&scenario, "mcp.json").contains("deny"));
    assert_eq!(standing(&scenario, "a")["permissions"], json!({"read": "allow", "write": "deny"}));
}

#[test]
fn a_projects_server_gets_nothing_of_what_its_namesake_in_the_home_was_given() {
    let scenario = Scenario::empty();
    let program = env!("CARGO_BIN_EXE_misbehaving-server");
    for project in ["theirs", "others"] {
        fs::create_dir_all(scenario.home().join(project).join(".git")).expect("a writable folder");
        let entry = json!({"command": program, "args": ["good"], "env": {"KEY": "@secret:mcp.a.KEY"}});
        scenario.write(&format!("{project}/.mcp.json"), &json!({"mcpServers": {"a": entry}}).to_string());
    }
    let run = |folder: &str, arguments: &str| scenario.shell(&format!("cd {folder} && kosmo {arguments}"));
    let done = |folder: &str, arguments: &str| {
        let ran = run(folder, arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran
    };
    done(".", &format!("mcp:add a --env KEY --read=allow --write=allow -- {program} good"));
    done(".", &format!("mcp:secret:set a KEY {CANARY}"));
    let trusted = done("theirs", "mcp:trust a");
    assert!(trusted.stdout.contains("in place of your own of that name"), "{trusted:?}");
    let status = |key: &str| done("theirs", "mcp:status a --json").json()["servers"]["a"][key].clone();
    assert_eq!(status("permissions"), json!({"read": "ask", "write": "ask"}));
    let next = ["kosmo mcp:secret:set a KEY", "kosmo mcp:configure a --read=allow"];
    assert_eq!((status("status"), status("next_commands")), (json!("incomplete"), json!(next)));
    done("theirs", "mcp:configure a --read=allow");
    let call = "mcp:lua --eval 'return app.mcp.a.environment({})' --json";
    let refused = run("theirs", call).json();
    let message = refused["error"].as_str().unwrap_or_default();
    assert!(
        message.contains("which is not set for this project. Set it with: kosmo mcp:secret:set a KEY"),
        "{refused}"
    );
    assert!(run("theirs", "mcp:secret:unset a KEY").stderr.contains("kept for your own server of that name: --global"));
    done("theirs", "mcp:secret:set a KEY what-the-project-gets");
    let ran = done("theirs", call).stdout;
    assert!(ran.contains("KEY=[redacted]") && !ran.contains(CANARY), "{ran}");
    let text = "return app.mcp.a.echo({message = 'what-the-' .. 'project-gets'})";
    assert!(done("theirs", &format!("mcp:lua --eval \"{text}\" --json")).stdout.contains("[redacted]"));
    assert!(done("others", "mcp:secret:list --json").json()["secrets"].as_array().is_some_and(|all| all.len() == 2));
    done("others", "mcp:trust a");
    let elsewhere = done("others", "mcp:status a --json").json()["servers"]["a"].clone();
    assert_eq!((&elsewhere["status"], &elsewhere["permissions"]["read"]), (&json!("incomplete"), &json!("ask")));
    assert!(run("others", call).json()["error"].as_str().unwrap_or_default().contains("not set for this project"));
    done("theirs", "mcp:configure a --global --read=deny");
    assert_eq!(status("permissions")["read"], json!("allow"), "what is said of itself counts");
    done("theirs", "mcp:secret:unset a KEY");
    assert_eq!(status("status"), json!("incomplete"));
    let left = done(".", "mcp:secret:list --json").json()["secrets"].clone();
    assert_eq!(left[0]["project"], json!(null), "{left}");
}

#[test]
fn a_link_in_a_project_cannot_lead_a_change_out_of_it() {
    let scenario = Scenario::empty();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let target = elsewhere.path().join("settings.json");
    fs::write(&target, "{\"mcpServers\": {}}").expect("a file");
    let link = scenario.home().join(".mcp.json");
    for to in [target.clone(), elsewhere.path().join("absent.json")] {
        symlink(&to, &link).expect("a link");
        refused(&scenario, &["mcp:add", "a", "one", "--project"], 1, "Nothing was changed");
        fs::remove_file(&link).expect("ours");
    }
    assert_eq!(fs::read_to_string(&target).expect("a file"), "{\"mcpServers\": {}}");
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 1);
    symlink(elsewhere.path(), scenario.home().join(".cursor")).expect("a link");
    let install = ["mcp:install", "--client", "cursor", "--project"];
    refused(&scenario, &install, 1, "leads out of");
    fs::write(scenario.home().join("real.json"), "{}").expect("a file");
    symlink("real.json", &link).expect("a link");
    done(&scenario, &["mcp:add", "a", "one", "--project"]);
    assert!(link.is_symlink() && file(&scenario, "real.json").contains("one"));
}

#[test]
fn files_that_are_no_files_or_too_large_or_too_deep_end_nothing() {
    let scenario = Scenario::empty();
    scenario.write("mcp.json", "{\"mcpServers\": {\"own\": {\"command\": \"one\"}}}");
    let link = scenario.home().join(".mcp.json");
    symlink("/dev/zero", &link).expect("a link");
    let check = |part: &str| {
        let ran = done(&scenario, &["mcp:list"]);
        assert!(ran.stdout.contains("own") && ran.stderr.contains(part), "{ran:?}");
        refused(&scenario, &["mcp:add", "a", "one", "--project"], 1, "Nothing was changed");
    };
    check(".mcp.json: it is no file");
    fs::remove_file(&link).expect("ours");
    assert_eq!(scenario.shell("mkfifo .mcp.json").code, 0);
    check(".mcp.json: it is no file");
    fs::remove_file(&link).expect("ours");
    scenario
        .write(".mcp.json", &format!("{{\"mcpServers\": {{\"a\": {}1{}}}}}", "[".repeat(100_000), "]".repeat(100_000)));
    check(".mcp.json:1: recursion limit exceeded");
    fs::File::create(&link).expect("a file").set_len(5 << 20).expect("a sparse file");
    let ran = done(&scenario, &["mcp:list"]);
    assert!(ran.stdout.contains("own") && ran.stderr.contains("it is larger than 4194304 bytes"), "{ran:?}");
}

#[test]
fn names_that_steer_terminals_or_mean_something_elsewhere_are_only_names() {
    let scenario = Scenario::empty();
    let names = ["\u{1b}[2J\u{7}wipe", "__proto__", "a.b", "x'; rm -rf ~", "ro\u{202e}txt", "two\nlines", ""];
    let servers: serde_json::Map<_, _> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({"command": "\u{1b}[31mred", "args": ["\u{9b}1m"]})))
        .collect();
    scenario.write(".mcp.json", &json!({"mcpServers": servers}).to_string());
    for command in ["mcp:list", "mcp:status", "mcp:doctor"] {
        let ran = done(&scenario, &[command]);
        let steers =
            |text: &str| text.chars().any(|letter| letter.is_control() && letter != '\n' || letter == '\u{202e}');
        assert!(!steers(&ran.stdout) && !steers(&ran.stderr), "{command}: {ran:?}");
        assert!(ran.stdout.contains("__proto__"), "{command}: {ran:?}");
    }
    let doctor = done(&scenario, &["mcp:doctor", "--json"]).json();
    let next: Vec<_> = doctor["next_commands"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let expected = ["trust __proto__", "configure __proto__ --read=allow", "trust a.b", "configure a.b --read=allow"];
    assert_eq!(next, expected.map(|command| format!("kosmo mcp:{command}")));
    assert!(done(&scenario, &["mcp:list"]).stderr.contains("the MCP server `x\\'; rm -rf ~` is left out"));
    for name in names {
        refused(&scenario, &["mcp:add", "--project", "--command=one", "--", name], 2, "cannot be an MCP server's name");
        done(&scenario, &["mcp:remove", "--", name]);
    }
    assert_eq!(done(&scenario, &["mcp:list", "--json"]).json()["servers"], json!({}));
}

#[test]
fn what_is_to_be_trusted_is_seen_whole() {
    let scenario = Scenario::empty();
    let url = format!("https://mcp.example.test/?api_key={WRITTEN}");
    let servers = json!({
        "a": {
            "command": "npx", "args": ["-y", "fc-evil-mcp-server-pkg", "two words", "", "x\n  fingerprint 00"],
            "env": {"API_TOKEN": WRITTEN, "HIDDEN": "a\u{200b}b"},
        },
        "b": {"url": url},
    });
    scenario.write(".mcp.json", &json!({"mcpServers": servers}).to_string());
    let program = "  npx -y fc-evil-mcp-server-pkg \"two words\" \"\" \"x\\n  fingerprint 00\"\n";
    let environment = format!("  environment API_TOKEN: {WRITTEN}\n  environment HIDDEN: a\\u{{200b}}b\n");
    for command in ["mcp:status", "mcp:trust"] {
        let seen = done(&scenario, &[command, "a"]).stdout;
        assert!(seen.contains(program) && seen.contains(&environment), "{seen}");
        assert!(done(&scenario, &[command, "b"]).stdout.contains(&url), "{command}");
    }
    let listed = done(&scenario, &["mcp:list", "--json"]).json()["servers"].clone();
    assert_eq!((&listed["a"]["args"][1], &listed["b"]["url"]), (&json!("fc-evil-mcp-server-pkg"), &json!(url)));
    assert!(done(&scenario, &["mcp:list"]).stdout.contains("fc-evil-mcp-server-pkg"));
    scenario.write("mcp.json", &json!({"mcpServers": {"own": {"url": url}}}).to_string());
    assert!(!done(&scenario, &["mcp:status", "own"]).stdout.contains(WRITTEN));
}

#[test]
fn a_server_that_stands_twice_is_not_changed() {
    let scenario = Scenario::empty();
    let twice = "{\"mcpServers\": {\"a\": {\"command\": \"one\"}, \"a\": {\"command\": \"two\"}}}";
    scenario.write("mcp.json", twice);
    refused(&scenario, &["mcp:disable", "a"], 1, "or it stands there twice");
    assert_eq!(file(&scenario, "mcp.json"), twice);
}

#[test]
fn many_at_once_lose_nothing() {
    let scenario = Scenario::empty();
    let children: Vec<_> = (0..8)
        .map(|number| {
            let mut command = scenario.command();
            command.args(["mcp:add", &format!("s{number}"), "one"]).stdout(std::process::Stdio::null());
            command.spawn().expect("`kosmo` starts")
        })
        .collect();
    for mut child in children {
        assert!(child.wait().expect("it ends").success());
    }
    let servers = done(&scenario, &["mcp:list", "--json"]).json()["servers"].clone();
    assert_eq!(servers.as_object().map(serde_json::Map::len), Some(8), "{servers}");
}
