//! Each function as a tool of its own.

use super::tokens::add;
use kosmo_tests::{Pipes, Scenario, Web};
use serde_json::{Value, json};

fn tools(client: &mut Pipes) -> Vec<Value> {
    client.call("tools/list", Value::Null)["result"]["tools"].as_array().expect("a list").clone()
}

fn find(tools: &[Value], name: &str) -> Value {
    tools.iter().find(|tool| tool["name"] == name).cloned().unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn which_tools_there_are_is_for_whoever_starts_the_server_to_say() {
    let scenario = Scenario::new();
    let names = |flags: &[&str]| Pipes::start(&scenario, flags).tools();
    assert_eq!(names(&[]), ["run_lua", "search_docs", "read_doc"]);
    let functions = names(&["--tools=functions"]);
    assert!(functions.contains(&"dialpad_list_calls".into()) && !functions.contains(&"run_lua".into()));
    let all = names(&["--functions"]);
    assert_eq!(all.len(), functions.len() + 1);
    let named = names(&["--integration", "dialpad"]);
    assert!(named.contains(&"dialpad_list_calls".into()) && named.contains(&"run_lua".into()));
    assert!(!named.iter().any(|name| name.starts_with("ringcentral_")), "{named:?}");
    assert_eq!(names(&["--integrations=dialpad,ringcentral"]), all);
    let fits = |name: &String| name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    assert!(all.iter().all(fits));
}

#[test]
fn writing_functions_are_tools_only_where_they_could_be_invoked() {
    let scenario = Scenario::new();
    let has = |flags: &[&str], name: &str| Pipes::start(&scenario, flags).tools().contains(&name.to_owned());
    assert!(!has(&["--functions"], "dialpad_send_sms"));
    assert!(has(&["--functions", "--write=ask"], "dialpad_send_sms"));
    assert!(has(&["--functions", "--write=allow"], "dialpad_send_sms"));
    scenario.configure("[permissions.dialpad]\nwrite = \"deny\"\nfunctions = { list_calls = \"deny\" }\n");
    assert!(!has(&["--functions", "--write=allow"], "dialpad_send_sms"));
    assert!(!has(&["--functions"], "dialpad_list_calls"));
    assert!(has(&["--functions"], "dialpad_get_call"));
}

#[test]
fn a_tool_says_what_it_takes_gives_and_does() {
    let scenario = Scenario::writable();
    let tools = tools(&mut Pipes::start(&scenario, &["--functions", "--write=allow"]));
    let lists = find(&tools, "dialpad_list_calls");
    assert_eq!(lists["title"], "Dialpad: List calls");
    assert_eq!(lists["annotations"], json!({"readOnlyHint": true, "openWorldHint": true}));
    assert_eq!(lists["inputSchema"]["properties"]["limit"]["type"], "integer");
    assert_eq!(lists["inputSchema"]["properties"]["account"]["enum"], json!(["default", "support", "work"]));
    assert_eq!(lists["outputSchema"]["properties"]["items"]["type"], "array");
    let deletes = find(&tools, "ringcentral_delete_message");
    let hints = json!({"readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": true});
    assert_eq!(deletes["annotations"], hints);
    assert_eq!(find(&tools, "dialpad_send_sms")["annotations"]["idempotentHint"], false);
    assert_eq!(find(&tools, "search_docs")["annotations"]["readOnlyHint"], true);
    assert_eq!(find(&tools, "run_lua")["annotations"]["readOnlyHint"], false);
}

#[test]
fn a_tool_does_what_the_function_does_with_the_account_that_was_chosen() {
    let scenario = Scenario::writable();
    let mut client = Pipes::start(&scenario, &["--functions", "--write=allow"]);
    let result = client.tool("dialpad_list_users", json!({"account": "work"}));
    assert_eq!(result["isError"], false);
    assert!(!result["structuredContent"]["items"].as_array().expect("items").is_empty());
    assert!(scenario.sent().iter().all(|line| line.starts_with("dialpad.work GET /api/v2/users")));
    let result = client.tool("dialpad_get_call", json!({}));
    assert_eq!(
        (&result["isError"], &result["structuredContent"]["fault"]["parameter"]),
        (&json!(true), &json!("id")),
        "{result}"
    );
    let result = client.tool("dialpad_send_sms", json!({"from": "+14155559876", "to": "+16505559876", "text": "hi"}));
    assert_eq!((&result["isError"], scenario.simulator.sms_sent().len()), (&json!(false), 1), "{result}");
}

#[test]
fn an_integration_without_an_account_is_offered_only_by_name_and_says_what_it_lacks() {
    let scenario = Scenario::new().plugins(kosmo_tests::plugins());
    scenario.write("config.toml", "");
    let mut client = Pipes::start(&scenario, &["--functions"]);
    assert!(!client.tools().contains(&"dialpad_list_calls".into()));
    let mut client = Pipes::start(&scenario, &["--integration", "dialpad"]);
    let result = client.tool("dialpad_list_calls", json!({}));
    assert_eq!(result["structuredContent"]["fault"]["code"], "unconfigured", "{result}");
}

#[test]
fn the_account_where_none_is_said_is_the_one_the_tool_names() {
    let scenario = Scenario::new();
    let token = add(&scenario, &["ci", "--accounts", "dialpad.work"]);
    let server = Web::with_tokens(&scenario, &["--functions"]);
    let mut client = server.converse_as(&token).expect("in");
    let mut call = |arguments: Value| {
        client.call("tools/call", json!({"name": "dialpad_list_users", "arguments": arguments}))["result"].clone()
    };
    for arguments in [json!({}), json!({"account": null}), json!({"account": "work"})] {
        let result = call(arguments.clone());
        assert_eq!(result["isError"], false, "{arguments}: {result}");
    }
    for account in [json!(5), json!(["work"]), json!({})] {
        let result = call(json!({"account": account}));
        let text = result["content"][0]["text"].as_str().expect("text");
        assert_eq!(
            (result["isError"].as_bool(), text),
            (Some(true), "The arguments cannot be used: an account is said by its name.")
        );
    }
    let records = scenario.kosmo(&["audit", "--json"]).json();
    assert!(records.as_array().expect("records").iter().all(|record| record["account"] == "work"), "{records}");
}
