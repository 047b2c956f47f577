//! An MCP server that behaves, or misbehaves in one way. The same over standard input and output and over HTTP.

use serde_json::{Value, json};
use std::time::Duration;

/// What a server does with a message, in order.
#[derive(Debug)]
pub enum Deed {
    /// Sends a message.
    Say(Value),
    /// Writes bytes that are no message.
    Write(Vec<u8>),
    /// Writes to standard error.
    Complain(String),
    /// Does nothing for a while.
    Wait(Duration),
    /// Ends with this code.
    End(i32),
}

/// A server, and what it remembers.
pub struct Server {
    manner: String,
    pages: u64,
    calls: u64,
    asked: Option<Value>,
    heard: Vec<Value>,
}

impl Server {
    /// `manner` says how it misbehaves; `good` is not at all.
    pub fn new(manner: &str) -> Self {
        Self { manner: manner.into(), pages: 0, calls: 0, asked: None, heard: Vec::new() }
    }

    fn is(&self, manner: &str) -> bool {
        self.manner == manner
    }

    /// What it does before anything was said.
    pub fn begin(&self) -> Vec<Deed> {
        match self.manner.as_str() {
            "banner" => vec![Deed::Write(b"Server running on stdio\n".to_vec())],
            "garbage" => vec![Deed::Write("no JSON-RPC at all\n".repeat(100_000).into_bytes())],
            "unstartable" => vec![Deed::Complain("no license\n".into()), Deed::End(7)],
            "noisy" => vec![Deed::Complain("noise ".repeat(8_000_000)), Deed::Complain("\nthe last line\n".into())],
            _ => Vec::new(),
        }
    }

    /// What it does with a message.
    pub fn hear(&mut self, message: &Value) -> Vec<Deed> {
        let id = message.get("id").cloned();
        match (message["method"].as_str(), id) {
            (Some("notifications/cancelled"), _) => {
                vec![Deed::Complain(format!("cancelled {}\n", message["params"]["requestId"]))]
            }
            (Some(_), None) => Vec::new(),
            (Some(method), Some(id)) => self.answer(method, id, &message["params"]),
            (None, _) => self.heard_back(message),
        }
    }

    fn answer(&mut self, method: &str, id: Value, params: &Value) -> Vec<Deed> {
        if self.is("silent") {
            return Vec::new();
        }
        match method {
            "initialize" => vec![result(
                id,
                json!({
                    "protocolVersion": "2025-06-18", "serverInfo": {"name": "test", "version": "1"},
                    "capabilities": {"tools": {"listChanged": true}, "resources": {}, "prompts": {}}
                }),
            )],
            "tools/list" => self.tools(id, params),
            "tools/call" => self.call(id, params),
            "resources/list" => {
                vec![result(id, json!({"resources": [{"uri": "note://one", "name": "One", "mimeType": "text/plain"}]}))]
            }
            "resources/templates/list" => {
                vec![result(id, json!({"resourceTemplates": [{"uriTemplate": "note://{name}", "name": "Any"}]}))]
            }
            "resources/read" if params["uri"] == "note://one" => {
                vec![result(
                    id,
                    json!({"contents": [{"uri": "note://one", "mimeType": "text/plain", "text": "the first note"}]}),
                )]
            }
            "resources/read" => vec![error(id, -32002, "no such note")],
            "prompts/list" => vec![result(
                id,
                json!({"prompts": [{"name": "greet", "description": "Greets", "arguments": [
                {"name": "who", "required": true}, {"name": "how"}]}]}),
            )],
            "prompts/get" => vec![result(
                id,
                json!({"description": "Greets", "messages": [
                {"role": "user", "content": {"type": "text", "text": format!("Greet {}", params["arguments"]["who"].as_str().unwrap_or("?"))}}]}),
            )],
            "tasks/get" => self.task(id),
            "tasks/result" => vec![text(id, "done at last")],
            "tasks/cancel" => vec![
                Deed::Complain(format!("called off {}\n", params["taskId"])),
                result(id, json!({"taskId": "t", "status": "cancelled"})),
            ],
            "ping" => vec![result(id, json!({}))],
            _ => vec![error(id, -32601, "Method not found")],
        }
    }

    fn tools(&mut self, id: Value, params: &Value) -> Vec<Deed> {
        let cursor = params["cursor"].as_str().unwrap_or_default();
        self.pages += 1;
        match self.manner.as_str() {
            "endless" => vec![result(id, json!({"tools": [tool("t")], "nextCursor": format!("page {}", self.pages)}))],
            "heavy" => {
                let long = json!({"name": "t", "description": "x".repeat(3 << 20)});
                vec![result(id, json!({"tools": [long], "nextCursor": format!("page {}", self.pages)}))]
            }
            "slow-pages" => {
                let page = json!({"tools": [tool("t")], "nextCursor": format!("page {}", self.pages)});
                vec![Deed::Wait(Duration::from_millis(500)), result(id, page)]
            }
            "namesakes" => {
                vec![result(id, json!({"tools": [{"name": "resources/list", "inputSchema": {"type": "object"}}]}))]
            }
            "circular" => vec![result(id, json!({"tools": [tool("t")], "nextCursor": "again"}))],
            "paged" if cursor.is_empty() => vec![result(id, json!({"tools": tools(), "nextCursor": "2"}))],
            "paged" if cursor == "2" => vec![result(id, json!({"tools": [], "nextCursor": "3"}))],
            "paged" => vec![result(id, json!({"tools": [tool("last")]}))],
            "odd-names" => {
                let mut tools: Vec<_> = (0..10_000).map(|number| tool(&format!("tool.{number}"))).collect();
                tools.extend(["get.Issue", "🦀", "a.b", "a-b", "end", ""].map(tool));
                vec![result(id, json!({ "tools": tools }))]
            }
            "liar" => vec![result(
                id,
                json!({"tools": [
                {"name": "echo", "inputSchema": {"type": "object", "required": "message", "properties": [1], "additionalProperties": "no"}},
                {"name": "nothing"}, {"name": 7}, "no tool", null,
                {"name": "deep", "inputSchema": {"$ref": "#"}, "annotations": "none"}]}),
            )],
            "changing" if self.calls > 0 => vec![result(id, json!({"tools": [tool("fresh")]}))],
            "no-list" => vec![result(id, json!({"tools": "none"}))],
            "tasks" | "endless-tasks" => {
                let mut tools = tools();
                tools.iter_mut().for_each(|tool| tool["execution"] = json!({"taskSupport": "required"}));
                vec![result(id, json!({ "tools": tools }))]
            }
            _ => vec![result(id, json!({ "tools": tools() }))],
        }
    }

    fn call(&mut self, id: Value, params: &Value) -> Vec<Deed> {
        self.calls += 1;
        match self.manner.as_str() {
            "mute" => vec![Deed::Complain("thinking\n".into())],
            "quoting" => vec![Deed::Complain(std::env::var("PAT").unwrap_or_default() + "\n"), Deed::End(3)],
            "late" => vec![Deed::Wait(Duration::from_millis(1_500)), text(id, "late")],
            "leaving" => vec![Deed::End(7)],
            "tasks" | "endless-tasks" if params.get("task").is_none() => {
                vec![error(id, -32601, "it requires task augmentation")]
            }
            "tasks" | "endless-tasks" => vec![result(id, json!({"task": task("working")}))],
            "dying" => vec![Deed::Complain("boom\n".into()), Deed::End(3)],
            "long-line" => vec![Deed::Write(
                [b"{\"jsonrpc\":\"2.0\",\"result\":\"".as_slice(), &vec![b'x'; 100 << 20], b"\"}\n"].concat(),
            )],
            "flood" => {
                let note = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}});
                vec![Deed::Write(format!("{note}\n").repeat(100_000).into_bytes())]
            }
            "wrong-ids" => vec![text(json!(99_999), "not yours"), text(json!("x"), "nor this")],
            "changing" => {
                let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
                vec![Deed::Say(changed), text(id, "changed")]
            }
            "progress" => {
                let token = params["_meta"]["progressToken"].clone();
                let step = |done: u64| {
                    Deed::Say(json!({"jsonrpc": "2.0", "method": "notifications/progress",
                    "params": {"progressToken": token, "progress": done, "total": 8}}))
                };
                let steps = (1..=8).flat_map(|done| [Deed::Wait(Duration::from_millis(300)), step(done)]);
                steps.chain([text(id, "at last")]).collect()
            }
            "curious" => {
                self.asked = Some(id);
                ["sampling/createMessage", "roots/list", "elicitation/create"].into_iter().enumerate()
                    .map(|(number, method)| Deed::Say(json!({"jsonrpc": "2.0", "id": format!("ask{number}"), "method": method, "params": asking(method)})))
                    .collect()
            }
            _ => vec![self.run(id, params)],
        }
    }

    /// It has ended when it was asked for a third time.
    fn task(&mut self, id: Value) -> Vec<Deed> {
        self.pages += 1;
        let is_over = self.pages > 3 && self.is("tasks");
        vec![result(id, task(if is_over { "completed" } else { "working" }))]
    }

    fn run(&self, id: Value, params: &Value) -> Deed {
        let arguments = &params["arguments"];
        let content = |content: Value| result(id.clone(), json!({ "content": content }));
        match params["name"].as_str().unwrap_or_default() {
            "echo" => text(id, arguments["message"].as_str().unwrap_or("?")),
            "create_issue" if arguments["title"] == "half" => failed(id),
            "create_issue" if arguments["title"] == "odd" => error(id, -32602, "the result does not fit its schema"),
            "create_issue" if arguments["title"] == "unread" => error(id, -32700, "that was no JSON"),
            "create_issue" if arguments["title"] == "task-augmented" => {
                let text = "MCP error -32601: Tool create_issue requires task augmentation (taskSupport: 'required')";
                result(id, json!({"isError": true, "content": [{"type": "text", "text": text}]}))
            }
            "create_issue" => result(
                id,
                json!({"content": [{"type": "text", "text": "{}"}], "structuredContent": {"number": 7, "title": arguments["title"]}}),
            ),
            "fail" => failed(id),
            "refuse" => error(id, -32603, "inner trouble"),
            "image" => content(json!([{"type": "image", "mimeType": "image/png", "data": "BwcH"}])),
            "environment" => {
                let names: Vec<_> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
                content(json!([{"type": "text", "text": json!(names).to_string()}]))
            }
            "process" => text(id, &std::process::id().to_string()),
            name => text(id, &format!("ran {name}")),
        }
    }

    /// An answer to something it asked. When there are three, it tells what they were.
    fn heard_back(&mut self, message: &Value) -> Vec<Deed> {
        self.heard.push(json!([message["id"], message["result"], message["error"]["message"]]));
        match self.asked.take_if(|_| self.heard.len() == 3) {
            Some(id) => {
                self.heard.sort_by_key(Value::to_string);
                vec![text(id, &json!(self.heard).to_string())]
            }
            None => Vec::new(),
        }
    }
}

fn task(status: &str) -> Value {
    let moment = "2026-01-01T00:00:00Z";
    json!({
        "taskId": "t", "status": status, "ttl": null, "pollInterval": 20, "createdAt": moment, "lastUpdatedAt": moment,
    })
}

fn asking(method: &str) -> Value {
    match method {
        "sampling/createMessage" => {
            json!({"maxTokens": 1, "messages": [{"role": "user", "content": {"type": "text", "text": "hi"}}]})
        }
        "elicitation/create" => {
            json!({"message": "your password?", "requestedSchema": {"type": "object", "properties": {"p": {"type": "string"}}}})
        }
        _ => json!({}),
    }
}

fn tools() -> Vec<Value> {
    let reading = json!({"readOnlyHint": true});
    let message = json!({"type": "object", "required": ["message"], "properties": {"message": {"type": "string", "description": "What to say"}}});
    let title = json!({"type": "object", "required": ["title"], "additionalProperties": false,
        "properties": {"title": {"type": "string"}, "labels": {"type": "array"}}});
    let mut tools = vec![
        json!({"name": "echo", "description": "Says it back", "annotations": reading, "inputSchema": message}),
        json!({"name": "create_issue", "description": "Creates an issue", "inputSchema": title}),
    ];
    tools.extend(
        ["fail", "refuse", "image", "environment", "process"]
            .map(|name| json!({"name": name, "annotations": reading, "inputSchema": {"type": "object"}})),
    );
    tools
}

fn tool(name: &str) -> Value {
    json!({"name": name, "annotations": {"readOnlyHint": true}, "inputSchema": {"type": "object"}})
}

fn result(id: Value, result: Value) -> Deed {
    Deed::Say(json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

fn text(id: Value, text: &str) -> Deed {
    result(id, json!({"content": [{"type": "text", "text": text}]}))
}

fn failed(id: Value) -> Deed {
    result(id, json!({"isError": true, "content": [{"type": "text", "text": "it did not work"}]}))
}

fn error(id: Value, code: i64, message: &str) -> Deed {
    Deed::Say(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}))
}
