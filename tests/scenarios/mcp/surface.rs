//! What scripts find: tools, resources, prompts, and how results look.

use super::{fault, run, scenario, value};
use kosmo::{Code, Script};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn a_tool_is_called_like_any_function_and_recorded_like_one() {
    let outcome = run(
        &scenario("good"),
        "return app.mcp.s.create_issue({title = 'Broken', labels = {}}), app.mcp.s.echo({message = '[1]'})",
    );
    assert_eq!(outcome.result, Some(vec![json!({"number": 7, "title": "Broken"}), json!([1])]), "{:?}", outcome.error);
    let calls: Vec<_> =
        outcome.integration_calls.iter().map(|call| (call.path.as_str(), call.group.as_str())).collect();
    assert_eq!(calls, [("mcp.s.create_issue", "s"), ("mcp.s.echo", "s")]);
}

#[test]
fn errors_of_tools_and_servers_are_raised_as_they_were_said() {
    let scenario = scenario("good");
    let failed = fault(&scenario, "app.mcp.s.fail({})");
    assert_eq!((failed.code, failed.message.as_str()), (Code::Provider, "it did not work"));
    assert_eq!((failed.server.as_deref(), failed.tool.as_deref()), (Some("s"), Some("fail")));
    let refused = fault(&scenario, "app.mcp.s.refuse({})");
    assert_eq!(refused.message, "MCP server 's': inner trouble (-32603)");
    let missing = fault(&scenario, "app.mcp.s.create_issue({titel = 'x'})");
    assert_eq!((missing.code, missing.parameter.as_deref()), (Code::InvalidArgument, Some("titel")));
    let unknown = fault(&scenario, "app.mcp.s.create_isue({})");
    assert_eq!(unknown.message, "Unknown function: app.mcp.s.create_isue. Did you mean: create_issue");
    let server = fault(&scenario, "mcp.call('other.echo', {})");
    assert_eq!(
        (server.code, server.message.as_str()),
        (Code::Unknown, "There is no MCP server `other`. Known servers: s")
    );
}

#[test]
fn images_are_described() {
    let image = value(&scenario("good"), "return app.mcp.s.image({})");
    assert_eq!(image, json!([{"type": "image", "mimeType": "image/png", "data": "BwcH", "bytes": 3}]));
}

#[test]
fn resources_and_prompts_are_at_hand() {
    let scenario = scenario("good");
    assert_eq!(value(&scenario, "return mcp.resources('s')[1].uri"), json!("note://one"));
    assert_eq!(value(&scenario, "return mcp.resource_templates('s')[1].uriTemplate"), json!("note://{name}"));
    assert_eq!(value(&scenario, "return mcp.read_resource('s', 'note://one')[1].text"), json!("the first note"));
    assert_eq!(fault(&scenario, "mcp.read_resource('s', 'note://two')").code, Code::NotFound);
    assert_eq!(value(&scenario, "return mcp.prompts('s')[1].arguments[1].name"), json!("who"));
    let prompt = value(&scenario, "return mcp.get_prompt('s', 'greet', {who = 'Ada'}).messages[1].content.text");
    assert_eq!(prompt, json!("Greet Ada"));
}

#[test]
fn every_page_of_tools_is_read_and_each_has_a_row() {
    let rows = value(&scenario("paged"), "return mcp.tools('s')");
    let names: Vec<_> = rows.as_array().expect("a list").iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["echo", "create_issue", "fail", "refuse", "image", "environment", "process", "last"]);
    assert_eq!(rows[0]["lua_path"], json!("app.mcp.s.echo"));
    let schema = value(&scenario("good"), "return mcp.schema('s.create_issue')");
    assert_eq!((&schema["operation"], &schema["parameters"][0]["required"]), (&json!("write"), &json!(true)));
}

#[test]
fn names_with_dots_and_emoji_among_ten_thousand_are_reached() {
    let scenario = scenario("odd-names");
    let code = "return {app.mcp.s.get_issue({}), mcp.call('s.🦀', {}), app.mcp.s['a.b']({}), app.mcp.s['end']({}), app.mcp.s.tool_9999({})}";
    let ran = ["ran get.Issue", "ran 🦀", "ran a.b", "ran end", "ran tool.9999"];
    assert_eq!(value(&scenario, code), json!(ran));
    let ambiguous = fault(&scenario, "app.mcp.s.a_b({})");
    assert!(ambiguous.message.contains("could be any of several tools: a.b, a-b"), "{ambiguous}");
}

#[test]
fn a_server_that_changes_its_tools_is_asked_again() {
    let scenario = scenario("changing");
    let code = "app.mcp.s.echo({message = 'x'}) return app.mcp.s.fresh({}), pcall(app.mcp.s.echo, {message = 'x'})";
    let outcome = run(&scenario, code);
    let result = outcome.result.unwrap_or_else(|| panic!("{:?}", outcome.error));
    assert_eq!((&result[0], &result[1]), (&json!("changed"), &json!(false)));
}

#[test]
fn progress_keeps_a_call_alive_and_silence_ends_it() {
    let servers =
        json!({"s": super::entry("progress", json!({"timeout": 1})), "m": super::entry("mute", json!({"timeout": 1}))});
    let scenario = super::scenario_with(servers, "permissions_default = \"allow\"\n");
    assert_eq!(value(&scenario, "return app.mcp.s.echo({message = 'x'})"), json!("at last"));
    let late = fault(&scenario, "app.mcp.m.echo({message = 'x'})");
    assert_eq!(late.code, Code::Timeout);
    assert!(late.message.starts_with("MCP server 'm' timed out after 1s; "), "{late}");
    assert!(
        late.message.ends_with("It last said: cancelled 2") || late.message.ends_with("It last said: thinking"),
        "{late}"
    );
}

#[test]
fn a_tool_that_is_only_called_as_a_task_is_asked_after_until_it_has_ended() {
    assert_eq!(value(&scenario("tasks"), "return app.mcp.s.create_issue({title = 'x'})"), json!("done at last"));
}

#[test]
fn a_task_that_nobody_waits_for_is_called_off() {
    let scenario = scenario("endless-tasks");
    let host = scenario.host();
    let session = host.session().time_limit(Duration::from_secs(1)).build();
    let outcome = session.run_blocking(Script::new("x", "app.mcp.s.echo({message = 'x'})"));
    assert_eq!(outcome.fault.map(|fault| fault.code), Some(Code::Timeout));
    let begun = Instant::now();
    while !host.block_on(host.mcp().last_words("s")).contains(&"called off \"t\"".to_owned()) {
        assert!(begun.elapsed() < Duration::from_secs(10), "it was not told");
        // The host does nothing while nobody waits for it.
        host.session().build().run_blocking(Script::new("y", "mcp.resources('s')"));
    }
    host.block_on(host.mcp().close());
}

#[test]
fn what_a_server_asks_of_us_is_answered_and_nothing_is_given_away() {
    let answers = value(&scenario("curious"), "return app.mcp.s.echo({message = 'x'})");
    assert_eq!(
        answers[0],
        json!(["ask0", null, "kosmo has no model to sample from: it runs scripts, and asks nobody"])
    );
    assert_eq!(answers[1][1]["roots"], json!([]), "without a project there is no root: {answers}");
    assert_eq!(answers[2], json!(["ask2", {"action": "decline"}, null]));
}

#[test]
fn servers_start_side_by_side_and_only_when_they_are_used() {
    let servers = json!({"a": super::entry("good", json!({})), "b": super::entry("good", json!({})), "broken": super::entry("unstartable", json!({}))});
    let scenario = super::scenario_with(servers, "permissions_default = \"allow\"\n");
    let code = "local a, b = parallel(function() return app.mcp.a.process({}) end, function() return app.mcp.b.process({}) end) \
         return {#mcp.tools('a'), a ~= b, a == app.mcp.a.process({})}";
    assert_eq!(value(&scenario, code), json!([7, true, true]));
    let rows = value(
        &scenario,
        "local names = {} for _, row in mcp.tools() do names[#names + 1] = row.server .. (row.error or '') end return names[1], names",
    );
    assert_eq!(rows, json!("a"));
    let listed =
        run(&scenario, "for _, row in mcp.tools() do if row.error then print(row.server, row.error) end end").output;
    assert!(
        listed.starts_with("broken\tMCP server 'broken' does not begin to answer: it ended with exit code 7."),
        "{listed}"
    );
}
