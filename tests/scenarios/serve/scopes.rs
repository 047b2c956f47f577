//! What a client is given is all that it can find, by whatever way it looks.

use super::tokens::add;
use kosmo_tests::{Conversation, Scenario, Web};
use serde_json::{Value, json};

/// A server with two providers, and a client that was given one account of one of them.
fn narrow(scenario: &Scenario, limits: &[&str]) -> (Web, Conversation) {
    let token = add(scenario, &[&["ci"], limits].concat());
    let server = Web::with_tokens(scenario, &["--functions", "--write=allow"]);
    let client = server.converse_as(&token).expect("in");
    (server, client)
}

fn tool(client: &mut Conversation, name: &str, arguments: Value) -> Value {
    client.call("tools/call", json!({"name": name, "arguments": arguments}))["result"].clone()
}

#[track_caller]
fn hides(said: &Value, names: &[&str]) {
    let text = said.to_string().to_lowercase();
    let found: Vec<_> = names.iter().filter(|name| text.contains(**name)).collect();
    assert!(found.is_empty(), "{found:?} in {text}");
}

#[test]
fn the_documentation_of_other_integrations_is_not_there() {
    let scenario = Scenario::writable();
    let (_server, mut client) = narrow(&scenario, &["--integrations", "dialpad"]);
    let mut said = Vec::new();
    for query in ["send text message", "list_messages", "ringcentrl", "xyzzy", ""] {
        said.push(tool(&mut client, "search_docs", json!({"query": query})));
    }
    assert!(said[0]["structuredContent"]["functions"][0]["name"] == "dialpad.send_sms", "{}", said[0]);
    for page in ["", "dialpad", "dialpad.list_calls", "errors", "list_messages", "overview"] {
        said.push(tool(&mut client, "read_doc", json!({"page": page})));
    }
    for uri in ["kosmo://docs", "kosmo://docs/dialpad", "kosmo://docs/errors"] {
        let read = client.call("resources/read", json!({"uri": uri}));
        assert!(read["error"].is_null(), "{read}");
        said.push(read);
    }
    said.push(client.call("resources/list", json!({})));
    said.push(client.call("tools/list", json!({})));
    for argument in ["integration", "account", "function"] {
        for of in [
            json!({"type": "ref/prompt", "name": "call_report"}),
            json!({"type": "ref/resource", "uri": "kosmo://docs/{integration}/{function}"}),
        ] {
            let argument = json!({"name": argument, "value": ""});
            let context = json!({"arguments": {"integration": "ringcentral"}});
            said.push(client.call("completion/complete", json!({"ref": of, "argument": argument, "context": context})));
        }
    }
    for code in [
        "return docs.list()",
        "return docs.search('list messages'), docs.search('ringcentrl')",
        "return docs.read('dialpad'), docs.read('list_messages')",
        "local names = {} for name in app.integrations do table.insert(names, name) end return names",
        "return app.integrations.nonsense.list_messages{}",
        "return app.integrations.dialpad.list_messages{}",
        "return app.mcp.x.y{}",
    ] {
        said.push(client.run(code));
    }
    said.iter().for_each(|said| hides(said, &["ringcentral"]));
}

#[test]
fn what_is_beyond_a_scope_and_what_is_not_there_at_all_are_refused_in_the_same_words() {
    let scenario = Scenario::writable();
    let (_server, mut client) = narrow(&scenario, &["--integrations", "dialpad", "--accounts", "work"]);
    let pairs = [
        ("return app.integrations.NAME.work.get_account{}", "ringcentral", "ringcentrax"),
        ("return app.integrations.NAME.list_calls{}", "ringcentral", "ringcentrax"),
        ("return docs.read('NAME')", "ringcentral", "ringcentrax"),
        ("return docs.read('NAME.get_account')", "ringcentral", "ringcentrax"),
        ("return app.integrations.dialpad.NAME.list_calls{}", "support", "suppoxt"),
    ];
    for (code, there, not_there) in pairs {
        let mut said = |name: &str| {
            let said = client.run(&code.replace("NAME", name));
            let what = json!([said["error"], said["result"], said["fault"]["code"]]);
            what.to_string().replace(name, "NAME")
        };
        assert_eq!(said(there), said(not_there), "{code}");
    }
    for (there, not_there) in [("ringcentral", "ringcentrax"), ("ringcentral.get_account", "ringcentrax.get_account")] {
        let mut said = |page: &str| {
            let read = tool(&mut client, "read_doc", json!({"page": page})).to_string();
            let uri = format!("kosmo://docs/{}", page.replace('.', "/"));
            let resource = client.call("resources/read", json!({"uri": uri}))["error"].to_string();
            [read, resource].map(|text| text.replace("ringcentral", "NAME").replace("ringcentrax", "NAME"))
        };
        assert_eq!(said(there), said(not_there));
    }
}

#[test]
fn other_accounts_are_not_there() {
    let scenario = Scenario::writable();
    let (_server, mut client) = narrow(&scenario, &["--accounts", "dialpad.work"]);
    let found = tool(&mut client, "search_docs", json!({"query": "send text message"}));
    assert_eq!(found["structuredContent"]["functions"][0]["accounts"], json!(["work"]));
    hides(&found, &["ringcentral"]);
    let page = client.run("return docs.read('dialpad.list_users'), docs.list()");
    let text = page["result"].to_string();
    assert!(text.contains("- Accounts: work\\n") && text.contains("; accounts: work"), "{text}");
    hides(&page, &["ringcentral", "support"]);
    let listed = client.call("tools/list", json!({}));
    let calls =
        listed["result"]["tools"].as_array().expect("a list").iter().find(|one| one["name"] == "dialpad_list_calls");
    assert_eq!(calls.expect("its own")["inputSchema"]["properties"]["account"]["enum"], json!(["work"]));
    hides(&listed, &["ringcentral", "support"]);
    let names = "local names = {} for name, value in app.integrations.dialpad do \
                 if type(value) == 'table' then table.insert(names, name) end end return names";
    assert_eq!(client.run(names)["result"], json!([["work"]]));
    let asked =
        json!({"ref": {"type": "ref/prompt", "name": "call_report"}, "argument": {"name": "account", "value": ""}});
    let accounts = client.call("completion/complete", asked);
    assert_eq!(accounts["result"]["completion"]["values"], json!(["work"]));
    for code in
        ["return app.integrations.dialpad.nope.list_calls{}", "return app.integrations.ringcentral.list_calls{}"]
    {
        hides(&client.run(code), &["support"]);
    }
}

#[test]
fn what_is_granted_to_others_is_not_told() {
    let scenario = Scenario::new();
    scenario.configure("[grants.dialpad]\naccounts = [\"default\", \"support\"]\n");
    let (_server, mut client) = narrow(&scenario, &["--accounts", "dialpad.work"]);
    let said = client.run("return app.integrations.dialpad.work.list_users{}");
    let expected = "The operator's files do not let this happen. Whoever runs the server can see why.";
    assert_eq!((&said["fault"]["code"], &said["error"]), (&json!("denied"), &json!(expected)));
}

#[test]
fn a_mistake_in_the_configuration_is_told_without_names_that_are_not_the_clients() {
    let scenario = Scenario::new();
    scenario.configure("[grants.dialpad]\naccounts = [\"work\", \"suport\"]\n");
    let (_server, mut client) = narrow(&scenario, &["--accounts", "dialpad.work"]);
    let said = client.run("return app.integrations.dialpad.work.list_users{}");
    assert_eq!(said["fault"]["code"], "unconfigured", "{said}");
    hides(&said, &["support"]);
    hides(&tool(&mut client, "read_doc", json!({"page": "dialpad.list_users"})), &["support"]);
}

#[test]
fn what_the_operators_files_still_name_is_not_told_either() {
    let check = |file: &str, limits: &[&str], code: &str, name: &str| {
        let scenario = Scenario::new();
        scenario.configure(file);
        let (_server, mut client) = narrow(&scenario, limits);
        let said = client.run("return app.integrations.dialpad.list_users{}");
        assert_eq!(said["fault"]["code"], code, "{said}");
        assert!(said["error"].to_string().contains("Whoever runs the server can see"), "{said}");
        hides(&said, &[name]);
    };
    let account = ["--accounts", "dialpad.default"];
    let gone = "[permissions.dialpad.accounts.oldmerger]\nread = \"deny\"\n";
    check(gone, &account, "unconfigured", "oldmerger");
    check("[grants.dialpad]\naccounts = [\"default\", \"oldmerger\"]\n", &account, "unconfigured", "oldmerger");
    check("[permissions.ringcentrl]\nread = \"deny\"\n", &account, "unconfigured", "ringcentrl");
    let function = "[permissions.dialpad.accounts.work.functions]\nlist_userss = \"deny\"\n";
    check(function, &account, "unconfigured", "list_userss");
    check(gone, &["--integrations", "dialpad"], "unconfigured", "oldmerger");
}
