//! No token is anywhere a script or a reader could find it. Every run of these scenarios is searched; this one looks
//! for them on purpose.

use super::{CANARY, kosmo_with};
use kosmo_simulator::Simulator;
use kosmo_tests::Scenario;

/// Prints everything a script can reach: globals, tables in them, metatables, documentation, results, faults.
const SEARCH: &str = r#"
local seen = {}
local function walk(value, depth)
  if type(value) == "string" or type(value) == "number" then print(value) end
  if type(value) == "function" then print(value) end
  if type(value) ~= "table" or seen[value] or depth > 6 then return end
  seen[value] = true
  print(value)
  walk(getmetatable(value), depth + 1)
  for key, inner in pairs(value) do
    walk(key, depth + 1)
    walk(inner, depth + 1)
  end
end
walk(_G, 0)
for _, provider in {"dialpad", "ringcentral"} do
  for _, account in {"default", "work", "support"} do
    local p = app.integrations[provider][account]
    print(p.get_current_user({}))
    print(select(2, pcall(p.get_call, {id = "no", call_id = "no"})))
    print(debug.traceback(tostring(select(2, pcall(p.nonsense)))))
  end
  print(docs.read(provider))
end
print(docs.list(), docs.search("access token"), mcp.servers())
print(pcall(function() return os.getenv("MY_TOKEN") end), pcall(function() return io.open("config.toml") end))
"#;

#[test]
fn a_script_that_prints_all_it_can_reach_finds_no_token() {
    let scenario = Scenario::new();
    scenario.configure("[accounts.dialpad.spare]\naccess_token = { env = \"MY_TOKEN\" }\n");
    let url = scenario.simulator.dialpad_url().to_owned();
    let token = Simulator::token("dialpad", "work");
    let environment =
        [("MY_TOKEN", CANARY), ("DIALPAD_EXTRA_ACCESS_TOKEN", token.as_str()), ("DIALPAD_EXTRA_URL", &url)];
    for flags in [&[][..], &["--json"], &["--force", "--json"]] {
        let arguments = [&["integrations:lua", "--eval", SEARCH], flags].concat();
        let ran = kosmo_with(&scenario, &arguments, &environment, None);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
        assert!(ran.stdout.contains("function app.integrations.dialpad.list_calls"), "it looked: {}", ran.stdout);
    }
    for arguments in [
        &["integrations:list"][..],
        &["integrations:list", "--json"],
        &["plugins:list"],
        &["integrations:docs", "dialpad"],
        &["integrations:docs"],
    ] {
        assert_eq!(kosmo_with(&scenario, arguments, &environment, None).code, 0, "{arguments:?}");
    }
}
