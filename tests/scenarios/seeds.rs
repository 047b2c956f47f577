//! Every command, block of Lua and function that the seeds print, run as it stands. What must come of each is in
//! `tests/golden/seeds/list.toml`.

use kosmo_tests::{Scenario, matches};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The envelope of a run, and what a failed one has besides.
const KEYS: [&str; 8] =
    ["success", "output", "error", "result", "execution_time_ms", "memory_usage", "integration_calls", "meta"];
const FAULT_AFTER: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    block: Vec<Printed>,
    command: Vec<Printed>,
    function: Vec<Function>,
}

/// A block or a command, as the list's head explains it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    seed: String,
    title: String,
    code: String,
    #[serde(default)]
    sends: Vec<String>,
    output: Option<String>,
    #[serde(default)]
    each: Vec<String>,
    #[serde(default)]
    lines: usize,
    value: Option<String>,
    parameter: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    because: Option<String>,
    file: Option<String>,
    #[serde(default)]
    forced: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Function {
    full: String,
    operation: String,
    parameters: Vec<String>,
    r#try: String,
}

fn list() -> List {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/seeds/list.toml");
    let text = std::fs::read_to_string(&path).expect("the list is in the repository");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_block_of_lua_does_what_the_list_says() {
    for block in list().block {
        let scenario = Scenario::writable();
        let code = if block.value.is_some() { format!("return {}", block.code) } else { block.code.clone() };
        let outcome = scenario.run(&code);
        check(&block, &serde_json::to_value(outcome).expect("an envelope"), &scenario);
    }
}

#[test]
fn every_command_does_what_the_list_says() {
    let list = list();
    for command in &list.command {
        let scenario = with_files(&list, |code| code.to_owned());
        let ran = scenario.shell(&command.code);
        assert_eq!(ran.code, i32::from(command.parameter.is_some()), "{}: {ran:?}", command.title);
        assert_eq!(ran.stderr, "", "{}", command.title);
        check(command, &ran.json(), &scenario);
    }
}

#[test]
fn the_workflow_succeeds_once_its_examples_are_values() {
    let list = list();
    let values = [
        ("example_messageType", "Sms"),
        ("example_dateFrom", "2026-05-01T00:00:00Z"),
        ("example_dateTo", "2030-01-01T00:00:00+01:00"),
        ("example_direction", "inbound"),
        ("example_readStatus", "All"),
    ];
    let fill = |code: &str| values.iter().fold(code.to_owned(), |code, (example, value)| code.replace(example, value));
    for command in list.command.iter().filter(|command| command.parameter.is_some()) {
        let scenario = with_files(&list, fill);
        let ran = scenario.shell(&fill(&command.code));
        assert_eq!((ran.code, ran.json()["meta"]["permission_bypassed"].as_bool()), (0, Some(command.forced)));
        assert!(
            ran.json()["output"].as_str().is_some_and(|output| output.contains("messageStatus: Received")),
            "{ran:?}"
        );
        scenario.assert_sent(&["ringcentral.default GET /restapi/v1.0/account/~/extension/~/message-store\
             ?messageType=SMS&dateFrom=2026-05-01T00%3A00%3A00Z&dateTo=2030-01-01T00%3A00%3A00%2B01%3A00\
             &direction=Inbound&perPage=1&page=1"]);
    }
}

#[test]
fn a_choice_in_another_case_is_sent_in_the_vendors_and_the_result_is_printed() {
    let scenario = Scenario::new();
    let ran = scenario.shell(
        "kosmo integrations:lua \
         --eval 'dump(app.integrations.ringcentral.list_messages({messageType = \"Sms\", perPage = 5}))' --json",
    );
    let envelope = ran.json();
    assert_eq!((ran.code, envelope["success"].as_bool()), (0, Some(true)), "{ran:?}");
    assert_eq!(envelope["output"].as_str().map(|output| output.matches("type: SMS").count()), Some(5), "{ran:?}");
    assert_eq!(envelope["integration_calls"][0]["path"], "integrations.ringcentral.list_messages");
    scenario.assert_sent(&[
        "ringcentral.default GET /restapi/v1.0/account/~/extension/~/message-store?messageType=SMS&perPage=5",
    ]);
}

#[test]
fn every_function_is_documented_and_works_under_both_its_names() {
    let list = list();
    assert_eq!(list.function.len(), 31);
    for function in &list.function {
        let (provider, long) = function.full.split_once('.').expect("a full name");
        let short = long.strip_prefix(provider).and_then(|name| name.strip_prefix('_')).expect("a prefixed name");
        check_documented(function, provider, short);
        check_works(function, &format!("app.integrations.{provider}.{short}"));
        check_works(function, &format!("app.integrations.{}", function.full));
    }
}

#[test]
fn the_namespaces_that_the_command_line_promises_are_there() {
    let scenario = Scenario::new();
    for name in ["app.mcp", "docs", "json", "regex", "mcp"] {
        assert_eq!(scenario.value(&format!("return type({name})")), "table", "{name}");
    }
    for name in ["", ".default", ".work"] {
        let own = scenario.value(&format!("return app.integrations.ringcentral{name}.get_current_user({{}}).id"));
        assert_eq!(own, if name == ".work" { 123_456_790 } else { 123_456_789 });
    }
}

/// A home with the files that the commands name.
fn with_files(list: &List, change: impl Fn(&str) -> String) -> Scenario {
    let scenario = Scenario::new();
    for block in &list.block {
        if let Some(file) = &block.file {
            scenario.write(file, &change(&block.code));
        }
    }
    scenario
}

#[track_caller]
fn check(printed: &Printed, envelope: &Value, scenario: &Scenario) {
    let title = format!("{}: {}", printed.seed, printed.title);
    check_keys(&title, envelope);
    assert_eq!(envelope["meta"]["permission_bypassed"], printed.forced, "{title}");
    match &printed.parameter {
        Some(parameter) => check_refused(&title, printed, parameter, envelope),
        None => check_succeeded(&title, printed, envelope),
    }
    eprintln!("{title}");
    scenario.assert_sent(&printed.sends);
}

/// Every key, in its place.
#[track_caller]
fn check_keys(title: &str, envelope: &Value) {
    let mut expected = KEYS.to_vec();
    if !envelope["fault"].is_null() {
        expected.insert(FAULT_AFTER, "fault");
    }
    let keys: Vec<&String> = envelope.as_object().expect("an object").keys().collect();
    assert_eq!(keys, expected, "{title}");
}

#[track_caller]
fn check_refused(title: &str, printed: &Printed, parameter: &str, envelope: &Value) {
    assert!(
        printed.because.is_some() && printed.sends.is_empty(),
        "{title}: the list says why, and that nothing is sent"
    );
    assert_eq!(envelope["success"], false, "{title}");
    assert_eq!(envelope["fault"]["code"], "invalid_argument", "{title}");
    assert_eq!(envelope["fault"]["parameter"], parameter, "{title}");
    assert_eq!((&envelope["result"], &envelope["memory_usage"]), (&Value::Null, &Value::Null), "{title}");
    assert_eq!(envelope["integration_calls"][0]["status"], "error", "{title}");
    let error = envelope["error"].as_str().unwrap_or_default();
    for part in printed.names.iter().map(String::as_str).chain([parameter]) {
        assert!(error.contains(part), "{title}: {error} does not name {part}");
    }
}

#[track_caller]
fn check_succeeded(title: &str, printed: &Printed, envelope: &Value) {
    assert_eq!(envelope["success"], true, "{title}: {}", envelope["error"]);
    if let Some(value) = &printed.value {
        let given = envelope["result"][0].as_str().unwrap_or_default();
        assert!(matches(value, given), "{title}: {given}");
    }
    check_output(title, printed, envelope["output"].as_str().expect("text"));
}

#[track_caller]
fn check_output(title: &str, printed: &Printed, output: &str) {
    if printed.each.is_empty() {
        let expected = printed.output.as_deref().unwrap_or_default();
        return assert!(matches(expected, output), "{title}:\n{output}\nis not\n{expected}");
    }
    assert_eq!(output.lines().count(), printed.lines, "{title}: {output}");
    for line in output.lines() {
        assert!(printed.each.iter().any(|pattern| matches(pattern, line)), "{title}: {line}");
    }
}

/// The page under the full name has the seed's facts.
#[track_caller]
fn check_documented(function: &Function, provider: &str, short: &str) {
    let page = Scenario::new().value(&format!("return docs.read({:?})", function.full));
    let page = page.as_str().unwrap_or_default();
    assert!(page.starts_with(&format!("# {provider}.{short}\n")), "{}: {page}", function.full);
    for fact in [
        format!("- Lua path: `app.integrations.{provider}.{short}`\n"),
        format!("- Full name: `{}`\n", function.full),
        format!("- Operation: {}", function.operation),
    ] {
        assert!(page.contains(&fact), "{}: {fact} is not in {page}", function.full);
    }
    for parameter in &function.parameters {
        let row = parameter.split(' ').collect::<Vec<_>>();
        let [name, kind, required] = row.as_slice() else { panic!("{parameter}: not name, kind and required") };
        let row = format!("| `{name}` | {kind} | {required} |");
        assert!(page.contains(&row), "{}: {row} is not in {page}", function.full);
    }
}

#[track_caller]
fn check_works(function: &Function, path: &str) {
    let scenario = Scenario::writable();
    let outcome = scenario.run(&format!("return {path}({})", function.r#try));
    assert!(outcome.success, "{path}: {:?}", outcome.error);
    let requests = scenario.simulator.requests();
    assert!(!requests.is_empty(), "{path} sent nothing");
    for request in requests {
        assert_eq!(request.refused, None, "{path}");
    }
}
