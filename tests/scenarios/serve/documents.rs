//! Documentation as tools and resources, prompts, and what can be typed for their arguments.

use kosmo_tests::{Pipes, Scenario};
use serde_json::{Value, json};

#[test]
fn functions_are_found_and_read_about() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    let found = client.tool("search_docs", json!({"query": "send text message"}));
    assert_eq!(found["structuredContent"]["functions"][0]["lua_path"], "app.integrations.dialpad.send_sms");
    assert!(found["content"][0]["text"].as_str().expect("text").starts_with("dialpad.send_sms - "));
    let nothing = client.tool("search_docs", json!({"query": "xyzzy"}));
    assert_eq!(nothing["structuredContent"], json!({"functions": []}));
    assert!(!nothing["content"][0]["text"].as_str().expect("text").is_empty());
    let page = client.tool("read_doc", json!({"page": "ringcentral.list_messages"}));
    assert!(page["content"][0]["text"].as_str().expect("text").starts_with("# ringcentral.list_messages"));
    let missing = client.tool("read_doc", json!({"page": "ringcentrl"}));
    assert_eq!(missing["isError"], true);
    assert!(missing["content"][0]["text"].as_str().expect("text").ends_with("Did you mean: ringcentral"));
}

#[test]
fn guides_are_resources() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &["--integrations=dialpad"]);
    let listed = client.call("resources/list", Value::Null);
    let uris: Vec<_> =
        listed["result"]["resources"].as_array().expect("a list").iter().map(|one| &one["uri"]).collect();
    assert_eq!(uris, ["kosmo://docs", "kosmo://docs/errors", "kosmo://docs/dialpad"]);
    let read = |client: &mut Pipes, uri: &str| client.call("resources/read", json!({"uri": uri}));
    let page = read(&mut client, "kosmo://docs/dialpad/list_calls");
    let content = &page["result"]["contents"][0];
    assert_eq!(
        (&content["uri"], &content["mimeType"]),
        (&json!("kosmo://docs/dialpad/list_calls"), &json!("text/markdown"))
    );
    assert!(content["text"].as_str().expect("text").starts_with("# dialpad.list_calls"));
    for uri in ["kosmo://docs/nonsense", "file:///etc/passwd", "kosmo://docs/../config.toml", ""] {
        assert_eq!(read(&mut client, uri)["error"]["code"], -32002, "{uri}");
    }
    let templates = client.call("resources/templates/list", Value::Null);
    assert_eq!(templates["result"]["resourceTemplates"][1]["uriTemplate"], "kosmo://docs/{integration}/{function}");
}

#[test]
fn prompts_take_arguments_and_say_what_is_missing() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    let listed = client.call("prompts/list", Value::Null);
    let names: Vec<_> =
        listed["result"]["prompts"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["explore_integration", "call_report", "follow_up_missed_calls", "text_contact"]);
    let filled = client.call("prompts/get", json!({"name": "call_report", "arguments": {"period": "last week"}}));
    let text = filled["result"]["messages"][0]["content"]["text"].as_str().expect("text");
    assert!(text.starts_with("Report on the calls of this period: last week.\nFind the function"), "{text}");
    let missing = client.call("prompts/get", json!({"name": "text_contact", "arguments": {}}));
    assert_eq!(missing["error"]["message"], "The prompt text_contact needs the argument `contact`.");
    let unknown = client.call("prompts/get", json!({"name": "nonsense"}));
    assert_eq!(unknown["error"]["code"], -32602);
}

#[test]
fn arguments_are_completed() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    let mut complete = |of: Value, name: &str, typed: &str, context: Value| {
        let argument = json!({"name": name, "value": typed});
        let asked = json!({"ref": of, "argument": argument, "context": {"arguments": context}});
        client.call("completion/complete", asked)["result"]["completion"]["values"].clone()
    };
    let prompt = json!({"type": "ref/prompt", "name": "call_report"});
    assert_eq!(complete(prompt.clone(), "integration", "RING", json!({})), json!(["ringcentral"]));
    assert_eq!(complete(prompt.clone(), "account", "w", json!({})), json!(["work"]));
    assert_eq!(complete(prompt, "nonsense", "", json!({})), json!([]));
    let page = json!({"type": "ref/resource", "uri": "kosmo://docs/{integration}/{function}"});
    let functions = complete(page, "function", "list_c", json!({"integration": "dialpad"}));
    assert_eq!(functions, json!(["list_calls"]));
}

#[test]
fn what_is_not_offered_is_not_there() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &["--no-resources", "--no-prompts"]);
    for method in ["resources/list", "resources/templates/list", "prompts/list", "resources/read", "nonsense/list"] {
        let params = if method == "resources/read" { json!({"uri": "kosmo://docs"}) } else { Value::Null };
        assert_eq!(client.call(method, params)["error"]["code"], -32601, "{method}");
    }
}

#[test]
fn lists_come_in_pages_and_a_cursor_leads_nowhere_else() {
    let scenario = Scenario::new();
    let mut client = Pipes::start(&scenario, &[]);
    let listed = client.call("tools/list", json!({"cursor": "2"}));
    assert_eq!(listed["result"]["tools"][0]["name"], "read_doc");
    for cursor in ["4", "-1", "x", "18446744073709551616"] {
        assert_eq!(client.call("tools/list", json!({"cursor": cursor}))["error"]["code"], -32602, "{cursor}");
    }
}
