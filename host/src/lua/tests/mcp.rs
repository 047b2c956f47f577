//! `app.mcp` and `mcp`, against made-up servers: `files`, and `a.b`.

use super::{fails, prints, run};
use crate::fault::{Code, Fault};
use crate::mcp::{McpInvocation, McpRequest};
use serde_json::{Value as Json, json};

pub(super) fn servers() -> Json {
    json!({"files": {"name": "files", "enabled": true, "args": []}, "a.b": {"name": "a.b"}})
}

pub(super) async fn reach(asked: McpInvocation) -> Result<String, Fault> {
    let server = asked.server;
    match asked.request {
        McpRequest::Call { tool, .. } if tool == "fail" => {
            Err(Fault::new(Code::Provider, "it said no").at(&server, &tool))
        }
        McpRequest::Call { tool, arguments, .. } => Ok(json!([server, tool, arguments]).to_string()),
        McpRequest::Names => Ok(json!(["list", "odd name"]).to_string()),
        other => Ok(json!(format!("{server} {other:?}")).to_string()),
    }
}

#[test]
fn every_tool_is_a_function() {
    prints(
        "print(json.encode(app.mcp.files.list({a = 1})))",
        "[\n    \"files\",\n    \"list\",\n    {\n        \"a\": 1\n    }\n]",
    );
    prints("print(app.mcp['a.b']['odd name']()[2])", "odd name");
    prints("local f = app.mcp.files print(f.list({})[1], f.list)", "files\tfunction app.mcp.files.list");
    prints(
        "local n = {} for name in app.mcp.files do n[#n + 1] = name end table.sort(n) print(table.concat(n, '|'))",
        "list|odd name",
    );
    prints("local n = 0 for _ in pairs(app.mcp) do n += 1 end print(n)", "2");
}

#[test]
fn calls_are_recorded_and_faults_say_whose_they_are() {
    let ran = run(
        "local ok, fault = pcall(app.mcp.files.fail, {}) return fault.server, fault.tool, fault.code, tostring(fault)",
    );
    let expected = ["files", "fail", "provider", "it said no"].map(Json::from).to_vec();
    assert_eq!(ran.result, Some(expected));
    let call = &ran.integration_calls[0];
    assert_eq!((call.path.as_str(), call.group.as_str(), call.name.as_str()), ("mcp.files.fail", "files", "fail"));
    fails("app.mcp.files.fail({})", "it said no");
    fails(
        "app.mcp.files.list(1)",
        "app.mcp.files.list takes one table of named arguments and got an argument that is a number",
    );
    fails("app.mcp.files:list()", "Call it with a dot, not with a colon");
    fails("app.mcp.fils.list()", "There is no MCP server `fils`. Did you mean: files");
    fails("app.mcp.files()", "Call one of a server's tools: app.mcp.<server>.<tool>({})");
}

#[test]
fn the_library_takes_paths_with_dots_and_anything_else_a_server_offers() {
    prints(
        "print(mcp.call('a.b.c.d', {})[1], mcp.call('a.b.c.d')[2], mcp.call('mcp.files.list')[1])",
        "a.b\tc.d\tfiles",
    );
    prints("print(mcp.schema('files.x'))", "files Schema { tool: \"x\" }");
    prints("print(mcp.tools('files')) print(mcp.tools())", "files Tools\n* AllTools");
    prints(
        "print(mcp.resources('files')) print(mcp.read_resource('files', 'a://b'))",
        "files Resources\nfiles ReadResource { uri: \"a://b\" }",
    );
    prints(
        "print(mcp.get_prompt('files', 'p', {a = 'b'}))",
        "files GetPrompt { prompt: \"p\", arguments: {\"a\": String(\"b\")} }",
    );
    fails("mcp.call('files')", "mcp.call: expected \"server.tool\", got none");
    fails("mcp.call(1)", "mcp.call: expected \"server.tool\", got a number");
    fails("mcp.resources()", "mcp.resources: expected string server, got nil");
}

#[test]
fn tools_run_side_by_side_with_functions() {
    prints(
        "local a, b = parallel(function() return app.mcp.files.x({})[2] end, \
         function() return app.integrations.pager.echo({a = 1}) ~= nil end) print(a, b)",
        "x\ttrue",
    );
}
