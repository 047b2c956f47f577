//! `ask`: the person at the client says whether something may be written.

use super::SEND;
use kosmo_tests::{Pipes, Scenario, Web};
use serde_json::{Value, json};

fn accept(decision: &str) -> Value {
    json!({"action": "accept", "content": {"decision": decision}})
}

/// A client that can be asked, and answers this.
fn asked(scenario: &Scenario, flags: &[&str], answer: Value) -> Pipes {
    let mut client = Pipes::able(scenario, flags, &json!({"elicitation": {}}));
    client.answer = Some(answer);
    client
}

fn questions(client: &Pipes) -> Vec<&str> {
    let asked = client.aside.iter().filter(|message| message["method"] == "elicitation/create");
    asked.map(|message| message["params"]["message"].as_str().expect("a question")).collect()
}

#[test]
fn somebody_who_says_yes_lets_one_write_through_and_is_shown_what_it_is() {
    let scenario = Scenario::new();
    let mut client = asked(&scenario, &["--write=ask"], accept("once"));
    let twice = format!("local one = {} {SEND}", SEND.trim_start_matches("return "));
    assert_eq!(client.run(&twice)["success"], true);
    assert_eq!(scenario.simulator.sms_sent().len(), 2);
    let questions = questions(&client);
    assert_eq!(questions.len(), 2, "once is once");
    let question = questions[0];
    assert!(question.starts_with("Allow dialpad.send_sms on account default? Send a text message."), "{question}");
    assert!(question.contains("+16505559876") && question.contains("\"one\""), "{question}");
    let form = &client.aside[0]["params"]["requestedSchema"];
    assert_eq!((&form["type"], &form["required"]), (&json!("object"), &json!(["decision"])), "{form}");
    let audit = scenario.kosmo(&["audit", "--json"]).stdout;
    assert!(audit.contains("\"approved\""), "{audit}");
}

#[test]
fn an_answer_for_the_rest_of_a_run_is_asked_for_once() {
    let scenario = Scenario::new();
    let send = SEND.trim_start_matches("return ");
    let twice = format!("pcall(function() return {send} end) return pcall(function() return {send} end)");
    let mut client = asked(&scenario, &["--write=ask"], accept("always"));
    assert_eq!(client.run(&twice)["result"][0], true);
    assert_eq!((questions(&client).len(), scenario.simulator.sms_sent().len()), (1, 2));
    let mut client = asked(&scenario, &["--write=ask"], accept("never"));
    assert_eq!(client.run(&twice)["result"][0], false);
    assert_eq!((questions(&client).len(), scenario.simulator.sms_sent().len()), (1, 2));
    client.answer = Some(accept("once"));
    assert_eq!(client.run(SEND)["success"], true, "another run asks anew");
}

#[test]
fn what_is_not_shown_whole_is_said_to_be_so_and_cannot_be_allowed_for_good() {
    let scenario = Scenario::new();
    let mut client = asked(&scenario, &["--write=ask"], accept("always"));
    let long = SEND.replace("'one'", "('x'):rep(1000)");
    assert_eq!(client.run(&long)["success"], false, "there was no such answer");
    let question = questions(&client)[0].to_owned();
    assert!(question.contains("to: \"+16505559876\"") && question.ends_with("letters are not."), "{question}");
    let form = client.aside[0]["params"]["requestedSchema"].to_string();
    assert!(form.contains("once") && !form.contains("always"), "{form}");
    client.answer = Some(accept("once"));
    assert_eq!(client.run(&long)["success"], true);
    assert_eq!(scenario.simulator.sms_sent().len(), 1);
}

#[test]
fn whoever_does_not_say_yes_has_said_no() {
    let scenario = Scenario::new();
    let answers =
        [json!({"action": "decline"}), accept("no"), json!({"action": "accept"}), json!({"action": "cancel"})];
    for answer in answers {
        let mut client = asked(&scenario, &["--write=ask", "--functions"], answer.clone());
        let envelope = client.run(SEND);
        let code = envelope["fault"]["code"].as_str().expect("a code");
        assert!(matches!(code, "denied" | "approval_required"), "{answer}: {envelope}");
        let arguments = json!({"from": "+14155559876", "to": "+16505559876", "text": "x"});
        assert_eq!(client.tool("dialpad_send_sms", arguments)["isError"], true, "{answer}");
    }
    assert!(scenario.simulator.sms_sent().is_empty());
}

#[test]
fn a_client_that_cannot_ask_is_refused_and_told_what_would_help() {
    let scenario = Scenario::writable();
    let mut client = Pipes::start(&scenario, &["--write=ask"]);
    let envelope = client.run(SEND);
    assert_eq!(envelope["fault"]["code"], "approval_required");
    let expected = "Integration 'dialpad' write requires approval: this MCP server asks somebody before every write, and \
                    nobody could be asked. Use an MCP client that supports elicitation, or let whoever runs the server \
                    start `kosmo mcp:serve` with --write=allow.";
    assert_eq!(envelope["error"], expected);
    assert!(questions(&client).is_empty() && scenario.simulator.sms_sent().is_empty());
}

#[test]
fn what_the_operator_denies_is_never_asked_about_and_what_is_allowed_is_only_where_the_server_asks() {
    let scenario = Scenario::new();
    scenario.configure("[permissions.dialpad]\nwrite = \"deny\"\n");
    let mut client = asked(&scenario, &["--write=ask"], accept("once"));
    assert_eq!(client.run(SEND)["fault"]["code"], "denied");
    assert!(questions(&client).is_empty());
    scenario.configure("[permissions.dialpad]\nwrite = \"allow\"\n");
    let mut client = asked(&scenario, &["--write=ask"], accept("no"));
    assert_eq!(client.run(SEND)["fault"]["code"], "denied");
    assert_eq!(questions(&client).len(), 1);
    let mut client = asked(&scenario, &["--write=allow"], accept("no"));
    assert_eq!(client.run(SEND)["success"], true);
    assert!(questions(&client).is_empty());
    scenario.configure("");
    let mut client = asked(&scenario, &["--write=allow"], accept("once"));
    assert_eq!(client.run(SEND)["success"], true, "the operator said `ask`, and somebody answered");
    assert_eq!(questions(&client).len(), 1);
}

#[test]
fn a_call_that_is_cancelled_while_somebody_is_asked_writes_nothing() {
    let scenario = Scenario::new();
    let mut client = Pipes::able(&scenario, &["--write=ask"], &json!({"elicitation": {"form": {}}}));
    let id = client.ask("tools/call", json!({"name": "run_lua", "arguments": {"code": SEND}}));
    client.wait_for("elicitation/create");
    client.notify("notifications/cancelled", json!({"requestId": id}));
    assert_eq!(client.run("return 1")["result"], json!([1]));
    assert_eq!(client.end().code, 0);
    assert!(scenario.simulator.sms_sent().is_empty());
}

#[test]
fn over_http_nobody_is_asked_who_did_not_say_that_it_can_be() {
    let scenario = Scenario::new();
    let server = Web::start(&scenario, &["--write=ask"]);
    assert_eq!(server.converse().run(SEND)["fault"]["code"], "approval_required");
    assert!(scenario.simulator.sms_sent().is_empty());
}

#[test]
fn a_function_that_is_a_tool_asks_as_a_script_does() {
    let scenario = Scenario::new();
    let mut client = asked(&scenario, &["--functions", "--write=ask"], accept("once"));
    let message = json!({"from": "+14155559876", "to": "+16505559876", "text": "one"});
    let sent = client.tool("dialpad_send_sms", message.clone());
    assert_eq!((&sent["isError"], scenario.simulator.sms_sent().len()), (&json!(false), 1), "{sent}");
    client.answer = Some(accept("no"));
    let refused = client.tool("dialpad_send_sms", message);
    assert_eq!((&refused["isError"], scenario.simulator.sms_sent().len()), (&json!(true), 1), "{refused}");
    assert_eq!(questions(&client).len(), 2);
}
