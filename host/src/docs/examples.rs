//! Every function's example, in each way there is to run it.

use super::lua;
use crate::description::{Description, Function, Operation};
use crate::shell::shell_quoted;
use serde::Serialize;
use serde_json::{Map, Value};

/// How to invoke a function with arguments that work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Example {
    /// `dialpad.get_call`
    pub name: String,
    /// `read`, or `write`, which needs permission or `--force`.
    pub operation: &'static str,
    /// The arguments, as JSON.
    pub arguments: Map<String, Value>,
    /// A script.
    pub lua: String,
    /// A line for a shell that runs the script.
    pub cli: String,
    /// A line for a shell that needs no script.
    pub call: String,
}

impl Example {
    pub(super) fn of(provider: &Description, function: &Function) -> Self {
        let invocation = lua::invocation(&provider.name, function);
        let (name, arguments) = (format!("{}.{}", provider.name, function.name), lua::example_arguments(function));
        let (force, script) = (force(function), shell_quoted(&format!("dump({invocation})")));
        let payload = shell_quoted(&Value::from(arguments.clone()).to_string());
        Self {
            operation: function.operation.as_str(),
            lua: format!("local result = {invocation}\nprint(result)"),
            cli: format!("kosmo integrations:lua{force} --eval {script} --json"),
            call: format!("kosmo integrations:call {name} {payload}{force} --json"),
            name,
            arguments,
        }
    }
}

fn force(function: &Function) -> &'static str {
    match function.operation {
        Operation::Read => "",
        Operation::Write => " --force",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::fixture;

    #[test]
    fn an_example_is_the_same_in_every_form() {
        let pager = fixture::pager();
        let example = Example::of(&pager, pager.function("send_page").expect("a function"));
        let expected = serde_json::json!({
            "name": "pager.send_page",
            "operation": "write",
            "arguments": {"to": "example_to", "urgency": "High"},
            "lua": "local result = app.integrations.pager.send_page({to = \"example_to\", urgency = \"High\"})\n\
                    print(result)",
            "cli": "kosmo integrations:lua --force --eval 'dump(app.integrations.pager.send_page({to = \
                    \"example_to\", urgency = \"High\"}))' --json",
            "call": "kosmo integrations:call pager.send_page '{\"to\":\"example_to\",\"urgency\":\"High\"}' --force \
                    --json",
        });
        assert_eq!(serde_json::to_value(example).expect("JSON"), expected);
    }
}
