//! Plugins, configuration and tokens that change while clients are connected.

use super::SEND;
use kosmo_simulator::Simulator;
use kosmo_tests::{Pipes, Scenario, Web, examples, plugins};
use nix::sys::signal::Signal;
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A scenario whose plugins lie in its own home, and where.
fn own_plugins() -> (Scenario, PathBuf) {
    let scenario = Scenario::new();
    let folder = scenario.home().join("plugins");
    fs::create_dir(&folder).expect("a folder");
    (scenario, folder)
}

fn put(from: PathBuf, to: PathBuf) {
    let beside = to.with_extension("new");
    fs::copy(from, &beside).expect("copied");
    fs::rename(beside, to).expect("in place");
}

#[test]
fn a_plugin_that_is_installed_while_clients_are_connected_reaches_them() {
    let (scenario, folder) = own_plugins();
    let mut client = Pipes::start(&scenario, &["--integrations=dialpad,weather"]);
    assert!(!client.tools().contains(&"weather_forecast".to_owned()));
    put(examples().join("weather.wasm"), folder.join("weather.wasm"));
    client.wait_for("notifications/tools/list_changed");
    client.wait_for("notifications/resources/list_changed");
    let tools = client.tools();
    assert!(tools.iter().any(|name| name.starts_with("weather_")), "{tools:?}");
    fs::remove_file(folder.join("weather.wasm")).expect("removed");
    client.wait_for("notifications/tools/list_changed");
    assert!(!client.tools().iter().any(|name| name.starts_with("weather_")));
}

#[test]
fn an_account_that_comes_or_goes_while_clients_are_connected_reaches_them() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &["--functions"]);
    let accounts = |client: &mut Pipes| {
        let listed = client.call("tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().expect("a list").clone();
        let tool = tools.into_iter().find(|tool| tool["name"] == "dialpad_list_users").expect("a tool");
        tool["inputSchema"]["properties"]["account"]["enum"].to_string()
    };
    assert!(!accounts(&mut client).contains("sales"));
    let url = format!("url={}", scenario.simulator.dialpad_url());
    let token = format!("access_token={}", Simulator::token("dialpad", "work"));
    let line = ["integrations:configure", "dialpad", "--account", "sales", "--set", &url, "--set", &token];
    let ran = scenario.kosmo(&line);
    assert_eq!(ran.code, 0, "{ran:?}");
    client.wait_for("notifications/tools/list_changed");
    assert!(accounts(&mut client).contains("sales"));
    let code = "return #app.integrations.dialpad.sales.list_users{}.items > 0";
    assert_eq!(client.run(code)["result"], json!([true]));
    let ran = scenario.kosmo(&["accounts:remove", "dialpad", "sales"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    client.wait_for("notifications/tools/list_changed");
    assert!(!accounts(&mut client).contains("sales"));
    assert_eq!(client.run(code)["success"], false, "what was connected is not used on");
}

#[test]
fn a_client_that_listens_over_http_is_told_too() {
    let (scenario, folder) = own_plugins();
    let server = Web::start(&scenario, &["--functions"]);
    let mut session = server.converse();
    // Folders are looked into when somebody first asks what is in them.
    session.call("resources/list", json!({}));
    // Signs of life come all the time, so a silent server would not end this by itself.
    let begun = Instant::now();
    let lines = BufReader::new(session.listen()).lines();
    let mut lines = lines.take_while(|_| begun.elapsed() < Duration::from_secs(60));
    assert!(lines.any(|line| line.expect("a line").starts_with("retry: ")), "it listens");
    put(examples().join("weather.wasm"), folder.join("weather.wasm"));
    server.wait_for("kosmo: plugins and configuration were read again");
    let told = lines.any(|line| line.expect("a line").contains("notifications/resources/list_changed"));
    assert!(told, "nothing came");
}

#[test]
fn a_plugin_that_does_not_load_leaves_the_one_that_is_served() {
    let (scenario, folder) = own_plugins();
    put(examples().join("weather.wasm"), folder.join("weather.wasm"));
    let server = Web::start(&scenario, &["--integrations=weather"]);
    let mut session = server.converse();
    let names = |listed: serde_json::Value| listed["result"]["tools"].as_array().map_or(0, Vec::len);
    let before = names(session.call("tools/list", json!({})));
    fs::write(folder.join("weather.wasm"), "no component").expect("written");
    let told = server.wait_for("kosmo: warning: what was there before is served on: ");
    assert!(told.contains("weather"), "{told}");
    assert_eq!(names(session.call("tools/list", json!({}))), before);
    assert_eq!(server.metric("kosmo_reloads_total{outcome=\"error\"}").map(|count| count >= 1.0), Some(true));
    put(examples().join("weather.wasm"), folder.join("weather.wasm"));
    server.wait_for("kosmo: plugins and configuration were read again");
    assert_eq!(names(session.call("tools/list", json!({}))), before);
}

#[test]
fn permissions_that_change_count_from_then_on() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &["--functions", "--write=allow"]);
    let mut session = server.converse();
    assert_eq!(session.run(SEND)["fault"]["code"], "approval_required");
    scenario.configure("[permissions.dialpad]\nwrite = \"allow\"\n");
    server.wait_for("kosmo: plugins and configuration were read again");
    assert_eq!(session.run(SEND)["success"], true);
    scenario.configure("[permissions.dialpad]\nwrite = \"deny\"\n");
    server.wait_for("kosmo: plugins and configuration were read again");
    assert_eq!(session.run(SEND)["fault"]["code"], "denied");
    assert_eq!(scenario.simulator.sms_sent().len(), 1);
}

#[test]
fn a_mistake_in_the_configuration_changes_nothing_until_it_is_mended() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &[]);
    let mut session = server.converse();
    scenario.write("config.toml", "[permissions.dialpad\n");
    let told = server.wait_for("kosmo: warning: what was there before is served on: ");
    assert!(told.contains("config.toml, line 1"), "{told}");
    assert_eq!(session.run("return #app.integrations.dialpad.list_users{}.items > 0")["result"], json!([true]));
    scenario.configure("");
    server.wait_for("kosmo: plugins and configuration were read again");
    server.signal(Signal::SIGHUP);
    server.wait_for("kosmo: plugins and configuration were read again");
    assert_eq!(session.run("return 1")["result"], json!([1]));
}

#[test]
fn a_plugin_in_use_is_replaced_between_two_calls() {
    let (scenario, folder) = own_plugins();
    put(plugins().join("dialpad.wasm"), folder.join("dialpad.wasm"));
    let scenario = scenario;
    let server = Web::start(&scenario, &[]);
    let mut session = server.converse();
    let code = "return #app.integrations.dialpad.list_users{}.items > 0";
    assert_eq!(session.run(code)["result"], json!([true]));
    put(plugins().join("dialpad.wasm"), folder.join("dialpad.wasm"));
    server.wait_for("kosmo: plugins and configuration were read again");
    assert_eq!(session.run(code)["result"], json!([true]));
}
