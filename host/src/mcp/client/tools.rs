//! The tools a server lists, and the names that scripts call them by. Pure.

use crate::clip::{NAME, clipped};
use crate::description::Operation;
use crate::fault::{Code, Fault};
use crate::nearest::nearest;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// Most names listed in a sentence.
const LISTED: usize = 12;

/// The tools of one server, as it lists them.
#[derive(Debug, Default)]
pub(super) struct Tools {
    list: Vec<Tool>,
    exact: HashMap<String, usize>,
    /// By the name that Lua can write after a dot. Several tools can come to the same.
    plain: HashMap<String, Vec<usize>>,
}

/// One tool.
#[derive(Debug)]
pub(super) struct Tool {
    /// As the server calls it.
    pub(super) name: String,
    description: String,
    pub(super) operation: Operation,
    /// Whether it is only called as a task.
    pub(super) is_task: bool,
    /// As text, which takes less memory than what it says.
    schema: Box<str>,
}

impl Tool {
    /// Of its arguments.
    pub(super) fn schema(&self) -> Value {
        serde_json::from_str(&self.schema).unwrap_or_default()
    }

    /// None for what is no tool: it has no name.
    fn read(mut listed: Value, tasks: &HashSet<String>) -> Option<Self> {
        let name = listed.get("name")?.as_str()?.to_owned();
        let text = |key: &str| listed.get(key).and_then(Value::as_str).map(str::to_owned);
        let description = text("description").or_else(|| text("title")).unwrap_or_default();
        let reads = listed.pointer("/annotations/readOnlyHint") == Some(&Value::Bool(true));
        let operation = if reads { Operation::Read } else { Operation::Write };
        let schema = listed.get_mut("inputSchema").map_or(json!({}), Value::take).to_string().into();
        let is_task = tasks.contains(&name);
        Some(Self { name, description, operation, is_task, schema })
    }
}

impl Tools {
    /// Of a name that comes twice, the first counts. `tasks` are only called as tasks.
    pub(super) fn new(listed: Vec<Value>, tasks: &HashSet<String>) -> Self {
        let mut tools = Self::default();
        for tool in listed.into_iter().filter_map(|listed| Tool::read(listed, tasks)) {
            let index = tools.list.len();
            if tools.exact.contains_key(&tool.name) {
                continue;
            }
            tools.exact.insert(tool.name.clone(), index);
            tools.plain.entry(plain(&tool.name)).or_default().push(index);
            tools.list.push(tool);
        }
        tools
    }

    /// The tool of this name: as the server calls it, or as Lua can write it.
    ///
    /// # Errors
    /// `unknown`, naming the nearest ones, or those that a name could mean.
    pub(super) fn find(&self, server: &str, name: &str) -> Result<&Tool, Fault> {
        if let Some(&index) = self.exact.get(name) {
            return Ok(&self.list[index]);
        }
        match self.plain.get(&plain(name)).map(Vec::as_slice) {
            Some([only]) => Ok(&self.list[*only]),
            Some(several) if !several.is_empty() => Err(self.ambiguous(server, name, several)),
            _ => Err(self.unknown(server, name)),
        }
    }

    fn ambiguous(&self, server: &str, name: &str, several: &[usize]) -> Fault {
        let exact: Vec<_> = several.iter().take(LISTED).map(|&index| clipped(&self.list[index].name, NAME)).collect();
        let first = &exact[0];
        let message = format!(
            "app.mcp.{server}.{} could be any of several tools: {}. Call one by its exact name: \
             mcp.call({:?}, {{…}})",
            clipped(name, NAME),
            exact.join(", "),
            format!("{server}.{first}")
        );
        Fault::new(Code::Unknown, message)
    }

    fn unknown(&self, server: &str, name: &str) -> Fault {
        let names: Vec<_> = self.list.iter().map(|tool| tool.name.as_str()).collect();
        let near = nearest(name, names.iter().copied());
        let meant = match (near.as_slice(), names.as_slice()) {
            ([], []) => "It has no tools".to_owned(),
            ([], names) if names.len() <= LISTED => format!("It has: {}", names.join(", ")),
            ([], names) => format!("It has {} tools, such as {}", names.len(), names[..LISTED].join(", ")),
            (near, _) => format!("Did you mean: {}", near.join(", ")),
        };
        let message = format!("Unknown function: app.mcp.{server}.{}. {meant}", clipped(name, NAME));
        Fault::new(Code::Unknown, message)
    }

    /// The name that scripts call a tool by.
    fn lua_path(&self, server: &str, tool: &Tool) -> String {
        let short = plain(&tool.name);
        let is_alone = self.plain.get(&short).is_some_and(|several| several.len() == 1);
        let name = if is_alone { short } else { tool.name.clone() };
        format!("app.mcp{}{}", member(server), member(&name))
    }

    /// What `mcp.schema` tells of a tool.
    pub(super) fn row(&self, server: &str, tool: &Tool) -> Value {
        let schema = tool.schema();
        json!({
            "server": server,
            "name": tool.name,
            "function": format!("{server}.{}", tool.name),
            "lua_path": self.lua_path(server, tool),
            "description": tool.description,
            "operation": tool.operation.as_str(),
            "parameters": parameters(&schema),
            "schema": schema,
        })
    }

    /// What `mcp.tools` tells of all of them.
    pub(super) fn rows(&self, server: &str) -> Vec<Value> {
        self.list.iter().map(|tool| self.row(server, tool)).collect()
    }

    /// The names to write after a dot, or in brackets, in the server's order.
    pub(super) fn names(&self) -> Vec<String> {
        let unique = |tool: &Tool| {
            let short = plain(&tool.name);
            if self.plain.get(&short).is_some_and(|several| several.len() == 1) { short } else { tool.name.clone() }
        };
        self.list.iter().map(unique).collect()
    }
}

/// Lower case, and `_` for what Lua does not take in a name.
fn plain(name: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    name.chars().map(letter).collect()
}

/// `.name`, or `["any name"]`.
fn member(name: &str) -> String {
    let is_word = name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter == '_' || letter.is_ascii_alphanumeric());
    if is_word { format!(".{name}") } else { format!("[{name:?}]") }
}

fn parameters(schema: &Value) -> Vec<Value> {
    let required: Vec<_> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let row = |(name, property): (&String, &Value)| {
        json!({
            "name": name,
            "type": kind(property),
            "required": required.contains(&name.as_str()),
            "description": property.get("description").and_then(Value::as_str).unwrap_or_default(),
        })
    };
    properties.map(row).collect()
}

fn kind(property: &Value) -> String {
    match property.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|"),
        _ => "any".into(),
    }
}

/// The arguments of a prompt, which are texts to the protocol.
pub(super) fn texts(arguments: Map<String, Value>) -> Map<String, Value> {
    let text = |value: Value| if value.is_string() { value } else { value.to_string().into() };
    arguments.into_iter().map(|(name, value)| (name, text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(names: &[&str]) -> Tools {
        Tools::new(names.iter().map(|name| json!({"name": name})).collect(), &HashSet::new())
    }

    #[track_caller]
    fn check(names: &[&str], asked: &str, expected: Result<&str, &str>) {
        let tools = tools(names);
        let found = tools.find("s", asked).map(|tool| tool.name.as_str()).map_err(|fault| fault.message);
        assert_eq!(found, expected.map_err(String::from));
    }

    #[test]
    fn a_tool_answers_to_its_own_name_and_to_one_that_lua_can_write() {
        check(&["get.Issue", "put"], "get.Issue", Ok("get.Issue"));
        check(&["get.Issue", "put"], "get_issue", Ok("get.Issue"));
        check(&["🦀", "put"], "_", Ok("🦀"));
        check(&["a.b", "a_b"], "a_b", Ok("a_b"));
        check(
            &["a.b", "a-b"],
            "a_b",
            Err(
                "app.mcp.s.a_b could be any of several tools: a.b, a-b. Call one by its exact name: mcp.call(\"s.a.b\", {…})",
            ),
        );
        check(
            &["create_issue"],
            "create_isue",
            Err("Unknown function: app.mcp.s.create_isue. Did you mean: create_issue"),
        );
        check(&["one"], "zzzzzzzz", Err("Unknown function: app.mcp.s.zzzzzzzz. It has: one"));
        check(&[], "one", Err("Unknown function: app.mcp.s.one. It has no tools"));
    }

    #[test]
    fn ten_thousand_tools_are_found_as_fast_and_listed_with_restraint() {
        let names: Vec<_> = (0..10_000).map(|number| format!("tool.{number}")).collect();
        let tools = tools(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(tools.find("s", "tool_9999").expect("there").name, "tool.9999");
        let message = tools.find("s", "entirely different").expect_err("unknown").message;
        assert!(message.contains("It has 10000 tools, such as tool.0") && message.len() < 300, "{message}");
    }

    #[test]
    fn a_row_tells_all_that_a_script_needs() {
        let listed = json!([{
            "name": "get.issue", "description": "d", "annotations": {"readOnlyHint": true},
            "inputSchema": {"type": "object", "required": ["id"], "properties": {"id": {"type": ["string", "null"], "description": "i"}, "x": 1}}
        }, {"name": "lies", "inputSchema": 7}, {"title": "nameless"}, 3, {"name": "get.issue"}]);
        let Value::Array(listed) = listed else { unreachable!("an array") };
        let tools = Tools::new(listed, &HashSet::new());
        let rows = tools.rows("a.b");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["lua_path"], json!("app.mcp[\"a.b\"].get_issue"));
        assert_eq!((&rows[0]["operation"], &rows[1]["operation"]), (&json!("read"), &json!("write")));
        let id = json!({"name": "id", "type": "string|null", "required": true, "description": "i"});
        assert_eq!(rows[0]["parameters"][0], id);
        assert_eq!(rows[1]["parameters"], json!([]));
    }
}
